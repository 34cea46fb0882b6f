"""What a launch button needs: the setup cell of a student's notebook, and Binder's files, in new environments."""

import shutil
import subprocess
import sys
import tomllib
import venv

import nbformat
import pytest
from notebook_form import ROOT

import student
from student import STUDENT

SMOKE = """
import gmmlib
from gmmlib.datasets import load_old_faithful
print(gmmlib.GaussianMixture(2, random_state=0).fit(load_old_faithful().X))
"""
RUN = """
import sys, nbclient, nbformat
nbclient.NotebookClient(nbformat.read(sys.argv[1], 4), kernel_name="python3").execute()
"""


def new_environment(folder, *packages):
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if packages:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


@pytest.fixture
def published(tmp_path):
    """The course as its repository would hold it, at an address that pip can install from."""
    folder = tmp_path / "published"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, files.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "the course"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder


@pytest.mark.sweep
def test_the_setup_cell_brings_the_library_and_its_data_to_a_new_environment(published, tmp_path, monkeypatch):
    """As on Colab: Jupyter is there, gmmlib is not."""
    monkeypatch.setattr(student, "repository", lambda: (f"file://localhost{published}", "main"))
    python = new_environment(tmp_path / "colab", "ipykernel", "nbclient")
    source = nbformat.read(ROOT / "chapters" / "05_mixtures.ipynb", as_version=4)
    nb = student.student(source, "05_mixtures")
    nb.cells[2:2] = [nbformat.v4.new_code_cell(SMOKE)]
    nbformat.write(nb, tmp_path / "05_mixtures.ipynb")
    assert "ModuleNotFoundError" in subprocess.run([python, "-c", SMOKE], capture_output=True, text=True).stderr
    subprocess.run([python, "-m", "ipykernel", "install", "--sys-prefix"], check=True, capture_output=True)
    done = subprocess.run([python, "-c", RUN, "05_mixtures.ipynb"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.sweep
def test_binders_files_make_an_environment_that_runs_the_notebooks(published, tmp_path):
    """What repo2docker does with them: pip install -r, then postBuild, in the repository's folder."""
    python = new_environment(tmp_path / "binder")
    requirements = published / ".binder" / "requirements.txt"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True, cwd=published)
    path = f"{python.parent}:/usr/bin:/bin"
    subprocess.run(["bash", ".binder/postBuild"], check=True, cwd=published, env={"PATH": path})
    assert "GaussianMixture" in subprocess.run([python, "-c", SMOKE], capture_output=True, text=True, check=True).stdout
    notebook = published / "student" / "06_responsibilities.ipynb"
    command = [python, "-m", "nbconvert", "--to", "notebook", "--execute", "--stdout", notebook]
    subprocess.run(command, check=True, capture_output=True, cwd=notebook.parent)


def test_binder_uses_a_python_that_the_course_knows():
    runtime = (ROOT / ".binder" / "runtime.txt").read_text().strip()
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert runtime.startswith("python-3.")
    assert int(runtime.split(".")[1]) >= int(oldest.split(".")[1])
    assert (ROOT / ".binder" / "postBuild").stat().st_mode & 0o111
    assert STUDENT.is_dir()
