"""`tools/chapters.py` as people use it: a command that reads and writes files."""

import base64
import io
import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import nbformat
import pytest
from notebook_form import WIDGET_MIME, normalise_cells, normalise_outputs, read, save
from PIL import Image

from chapters import main, unfit

ROOT = Path(__file__).resolve().parents[2]
TEXT = """\
(ch-small)=
# A small chapter

:::{note}
A formula, $x^2$.
:::

+++ {"tags": ["solution"]}

Another cell, with metadata.

```{code-cell} ipython3
:mystnb: {image: {alt: 'A line: it rises, from "1" to 2.'}}
:tags: [hide-input]
from gmmlib import plotting

plotting.use_style()
fig, ax = plotting.panels(1)
ax.plot([1, 2])
plotting.show("It rises: $y = x$.")
```

```{code-cell} ipython3
:nbgrader: {grade: false, grade_id: small-1, locked: false, schema_version: 3, solution: true, task: false}
from pathlib import Path

print("number", 42)
print(Path.cwd().name, flush=True)
print(sorted({"a", "b"}))
```

````{code-cell} ipython3
text = '''
```
'''
````

The end.

+++

Not quite.
"""


COMMAND = [sys.executable, str(ROOT / "tools" / "chapters.py")]


def tool(*arguments, text=""):
    """Call the tool as a command, inside this process because imports are slow."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def fine(*arguments, text=""):
    answer = tool(*arguments, text=text)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def outputs(path):
    return [cell.get("outputs") for cell in json.loads(path.read_text())["cells"]]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small notebook with a figure, written and run."""
    path = tmp_path_factory.mktemp("book") / "01_small.ipynb"
    fine("write", path, text=TEXT)
    fine("run", path)
    return path


# --- run ----------------------------------------------------------------------------------


def test_a_second_run_changes_no_byte(small):
    before = small.read_bytes()
    fine("run", small)
    assert small.read_bytes() == before
    assert [p.name for p in small.parent.iterdir() if p.name.startswith(".")] == []


def test_what_a_run_stores(small):
    nb = json.loads(small.read_text())
    assert (nb["nbformat"], nb["nbformat_minor"], nb["metadata"]["language_info"]) == (4, 5, {"name": "python"})
    figure, printed, _ = [cell for cell in nb["cells"] if cell["cell_type"] == "code"]
    drawn, caption = figure["outputs"]
    assert "".join(caption["data"]["text/markdown"]) == "It rises: $y = x$."
    assert drawn["metadata"]["image/png"]["width"] == 576
    assert drawn["metadata"]["smallest_text"] >= 9
    png = base64.b64decode(drawn["data"]["image/png"])
    assert b"tEXt" not in png
    with Image.open(io.BytesIO(png)) as image:
        assert image.width == 2 * 576, "two image pixels per CSS pixel"
        colours = image.convert("RGB").getcolors()
    assert len(colours) <= 128
    assert max(colours)[1] == (255, 255, 255), "paper stays white"
    assert (0, 0x72, 0xB2) in [colour for _, colour in colours], "and the first line blue"
    assert len(printed["outputs"]) == 1, "pieces of one stream are joined"
    assert "".join(printed["outputs"][0]["text"]).splitlines() == ["number 42", small.parent.name, "['a', 'b']"]
    assert [c["execution_count"] for c in nb["cells"] if c["cell_type"] == "code"] == [1, 2, 3]
    assert all(set(cell["metadata"]) <= {"tags", "mystnb", "nbgrader"} for cell in nb["cells"])


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("y = 2\nx = 1 / 0", "failed at line 2, `x = 1 / 0`: ZeroDivisionError: division by zero"),
        ("import warnings\nwarnings.warn('mind')", "it wrote to stderr"),
    ],
)
def test_a_bad_cell_leaves_the_file_untouched(tmp_path, source, complaint):
    path = tmp_path / "01_bad.ipynb"
    fine("write", path, text=f"# Title\n\n```{{code-cell}} ipython3\n{source}\n```\n")
    before, cell_id = path.read_bytes(), json.loads(path.read_text())["cells"][1]["id"]
    answer = tool("run", path)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"{path}: cell 2 ({cell_id})")
    assert complaint in answer.stderr
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_outputs_lose_what_changes_between_runs():
    widget = nbformat.v4.new_output("display_data", data={WIDGET_MIME: {"model_id": "1"}})
    explorer = nbformat.v4.new_output("display_data", data={WIDGET_MIME: {"model_id": "1"}, "text/html": "<svg/>"})
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=["\x1b[31m/home/ann/a.py", "no"])
    result = nbformat.v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=9)
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[widget, explorer, error, result])])
    normalise_outputs(nb)
    explorer, error, result = nb.cells[0].outputs
    assert explorer.data == {"text/html": "<svg/>"}
    assert error.traceback == ["ValueError: no"]
    assert result.execution_count == nb.cells[0].execution_count == 1


def test_cells_lose_what_editors_leave_behind_and_keep_their_names():
    noise = {"scrolled": True, "tags": [], "ExecuteTime": {}, "mystnb": {"code_prompt_show": "a"}}
    sources = {"a": "\n\nx = 1\n\n", "b": "  ", "c": "y = 1"}
    cells = [{"cell_type": "code", "id": i, "source": source, "metadata": noise} for i, source in sources.items()]
    cells += [{**cells[2]}, {**cells[2], "id": None}, {k: v for k, v in cells[2].items() if k != "id"}]
    nb = nbformat.from_dict({"cells": cells, "metadata": {"widgets": {}, "kernelspec": {"name": "mine"}}})
    normalise_cells(nb)
    assert [cell.source for cell in nb.cells] == ["x = 1"] + 4 * ["y = 1"]
    assert [cell.id for cell in nb.cells[:2]] == ["a", "c"]
    assert len({cell.id for cell in nb.cells}) == 5
    assert nb.cells[0].metadata == {"mystnb": {"code_prompt_show": "a"}}
    assert nb.metadata.kernelspec.name == "python3"
    assert "widgets" not in nb.metadata


@pytest.mark.parametrize("text", ["<object object at 0x7fe3a1b2c3d0>\n", "<function f at 0xFFAA12>"])
def test_memory_addresses_may_not_be_stored(text):
    for output in (
        nbformat.v4.new_output("stream", text=text),
        nbformat.v4.new_output("display_data", data={"text/plain": text}),
    ):
        assert "its output shows a memory address" in unfit(nbformat.v4.new_code_cell("f", outputs=[output]))


def test_a_notebook_is_written_whole_or_not_at_all(small, tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError("no space left")

    path = tmp_path / "01_small.ipynb"
    path.write_bytes(small.read_bytes())
    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="no space left"):
        save(read(path), path)
    assert path.read_bytes() == small.read_bytes()
    assert list(tmp_path.iterdir()) == [path]


def test_an_edit_during_the_run_is_not_overwritten(tmp_path):
    path = tmp_path / "01_edited.ipynb"
    edit = "from pathlib import Path\nPath('01_edited.ipynb').write_text('edited')"
    fine("write", path, text=f"```{{code-cell}} ipython3\n{edit}\n```\n")
    answer = tool("run", path)
    assert answer.returncode == 1
    assert "was changed while it ran" in answer.stderr
    assert path.read_text() == "edited"


# --- check --------------------------------------------------------------------------------


def test_an_unrun_notebook_is_flagged(tmp_path):
    path = tmp_path / "01_new.ipynb"
    fine("write", path, text=TEXT)
    answer = tool("check", path)
    assert (answer.returncode, answer.stderr) == (1, f"{path} has not been run: make run CHAPTER=01_new\n")


# --- the text view ------------------------------------------------------------------------


def test_the_text_view_is_a_faithful_round_trip(small):
    before = small.read_bytes()
    assert fine("view", small) == TEXT
    fine("write", small, text=TEXT)
    assert small.read_bytes() == before


def test_the_same_text_makes_the_same_file(tmp_path):
    for name in ("01_one.ipynb", "02_two.ipynb"):
        fine("write", tmp_path / name, text=TEXT + "\n```{code-cell}\nx\n```\n\n```{code-cell}\nx\n```\n")
    assert (tmp_path / "01_one.ipynb").read_bytes() == (tmp_path / "02_two.ipynb").read_bytes()


def test_a_changed_cell_keeps_its_id_and_only_it_loses_its_outputs(small, tmp_path):
    path = tmp_path / "01_small.ipynb"
    path.write_bytes(small.read_bytes())
    changed = TEXT.replace("# A small", "# The small").replace('"number", 42', '"number", 43')
    fine("write", path, text=changed.replace(":::\n\n+++", ":::\n\n+++\n\nOne more cell.\n\n+++"))
    old, new = (json.loads(p.read_text())["cells"] for p in (small, path))
    assert len(new) == len(old) + 1
    assert [cell["id"] for cell in new if "One more" not in "".join(cell["source"])][1:] == [c["id"] for c in old][1:]
    assert outputs(path)[3] == outputs(small)[2] != []
    assert new[4]["outputs"] == []
    assert new[4]["execution_count"] is None
    assert "has not been run" in tool("check", path).stderr


def test_git_shows_changes_as_text(small, tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@b"]
    git += ["-c", f"diff.chapter.textconv={' '.join(COMMAND)} view"]
    (repository / ".gitattributes").write_text("*.ipynb diff=chapter\n")
    path = repository / "01_small.ipynb"
    path.write_bytes(small.read_bytes())
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    fine("write", path, text=TEXT.replace("42", "43"))
    shown = subprocess.run([*git, "diff", "--no-color"], check=True, capture_output=True, text=True).stdout
    changed = [line for line in shown.splitlines() if re.match(r"[-+][^-+]", line)]
    assert changed == ['-print("number", 42)', '+print("number", 43)']


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the text on stdin is empty"),
        ("# A\n\n```{code-cell}\nx = 1\n", "the ``` fence that opens in line 3 is not closed"),
        ("```{code-cell}\nx = 1\n\n```{code-cell}\ny = 1\n```\n", "contains the next cell"),
        ("```{code-cell}\n:tags: [a\nx = 1\n```\n", "the text cannot be read"),
        ("```{code-cell}\n:tags: hide-input\nx = 1\n```\n", "the options of a cell are not what a notebook takes"),
        ("```{code-cell}\n:tgas: [hide-input]\nx = 1\n```\n", "cell 1 has unknown metadata ['tgas']"),
        ('A\n\n+++ {"tags": \n\nB\n', "the text cannot be read"),
    ],
)
def test_bad_text_is_refused_in_one_sentence(tmp_path, text, complaint):
    path = tmp_path / "01_bad.ipynb"
    answer = tool("write", path, text=text)
    assert answer.returncode in (1, 2)
    assert complaint in answer.stderr
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert not path.exists()


# --- wrong calls --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "the following arguments are required"),
        (["burn"], "invalid choice: 'burn'"),
        (["run", "99_nothing"], "no chapter is called '99_nothing'"),
        (["check", "chapters/99_nothing.ipynb"], "no chapter is called"),
        (["run", "README.txt"], "no chapter is called"),
        (["view", "/no/such.ipynb"], "/no/such.ipynb does not exist"),
        (["write", "/no/such.ipynb"], "the directory /no does not exist"),
        (["run", "--timeout", "soon"], "invalid int value: 'soon'"),
        (["run", __file__], "is not a notebook"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_exit_code_2(arguments, complaint):
    answer = tool(*arguments, text="")
    assert answer.returncode == 2
    assert complaint in answer.stderr
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert answer.stdout == ""


# --- nbval, the judge of stored outputs ---------------------------------------------------

NBVAL = "-m pytest --nbval --nbval-current-env -p no:cacheprovider -p no:xdist -q -rA --color no"


def without_runs(text):
    """The notebook as nobody ran it: no outputs, no counts."""
    nb = nbformat.reads(text, as_version=4)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(nb)


def test_nbval_accepts_a_true_number_catches_a_stale_one_and_judges_nothing_unrun(small, tmp_path):
    folder = tmp_path / small.parent.name  # the notebook prints the name of its working directory
    folder.mkdir()
    (folder / "01_true.ipynb").write_text(small.read_text())
    (folder / "02_stale.ipynb").write_text(small.read_text().replace('"number 42\\n"', '"number 41\\n"'))
    (folder / "03_unrun.ipynb").write_text(without_runs(small.read_text()))
    command = [sys.executable, *NBVAL.split(), str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    lines = re.findall(r"^(PASSED|FAILED) (\S+?)::Cell (\d)", answer.stdout, re.M)
    expected = {(name, cell): "PASSED" for name in ("01_true", "02_stale", "03_unrun") for cell in range(3)}
    expected["02_stale", 1] = "FAILED"
    assert {(Path(file).stem, int(cell)): result for result, file, cell in lines} == expected, answer.stdout
    assert "- number 42" in answer.stdout
    # an unrun notebook passes there, so the hygiene check must stop it before
    assert "03_unrun.ipynb has not been run" in tool("check", folder / "03_unrun.ipynb").stderr


def test_the_command_itself_says_what_is_wrong_and_ends_with_its_code():
    answer = subprocess.run([*COMMAND, "view", "99_nothing"], capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("tools/chapters.py: no chapter is called '99_nothing'")
