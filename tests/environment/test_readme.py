"""What README.md shows and promises: its example, its figure, its commands, its table of folders."""

import contextlib
import io
import re
import subprocess
from pathlib import Path

import pytest
import readme

ROOT = Path(__file__).resolve().parents[2]
README = readme.README.read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_the_example_prints_what_the_readme_says():
    code, printed = readme.example()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "README.md", "exec"), {})
    assert said.getvalue() == printed
    assert re.search(r"\d\.\d", printed)


def test_the_figure_is_what_its_script_makes():
    assert readme.figure() == readme.FIGURE.read_text(), "python tools/readme.py figure writes it anew"
    assert len(readme.FIGURE.read_bytes()) < 60_000


def test_the_figure_stands_in_the_readme_with_words_for_who_does_not_see_it():
    words, path = re.search(r"!\[([^\]]*)\]\((.+?)\)", README).groups()
    assert (ROOT / path) == readme.FIGURE
    assert len(words.split()) > 10


def test_every_top_folder_stands_in_the_table():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {name.split("/")[0] + "/" for name in listed.splitlines() if "/" in name}
    assert {"gmmlib/", "chapters/", "data/"} <= folders
    rows = "".join(line for line in README.splitlines() if line.startswith("| `"))
    assert {folder for folder in folders if f"`{folder}`" not in rows} == set()


def test_the_two_commands_are_targets_of_the_makefile():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    assert readme.commands("make", "linux") == ["make book", "make test"]
    named = re.findall(r"`make ([a-z]+)", README)
    assert named
    assert set(named) <= set(targets)


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_plain_pip_is_the_same_six_lines_on_every_system(system):
    lines = readme.commands("plain", system)
    same = [line.replace("\\", "/").replace("Scripts", "bin").replace("py -3", "python3") for line in lines]
    assert same == readme.commands("plain", "linux")
    assert [line.split()[-1] for line in same] == ["gaussian-mixtures"] * 2 + [".venv", ".", "requirements.txt", "lab"]
    assert all("--no-deps" in line for line in same if " pip " in line)


def test_windows_has_no_make():
    with pytest.raises(ValueError, match="Linux and macOS"):
        readme.commands("make", "win32")


def test_the_weekly_run_takes_the_commands_from_the_readme():
    weekly = (ROOT / ".github" / "workflows" / "weekly.yml").read_text()
    assert "tools/readme.py try" in weekly
    for path in WORKFLOWS:
        assert "requirements.txt" not in path.read_text(), f"{path.name} installs by a copy of the README's commands"


def test_a_folder_that_exists_is_not_run_in(tmp_path, capsys):
    with pytest.raises(SystemExit):
        readme.main(["try", "plain", str(tmp_path)])
    assert "exists; the commands are run in a new folder" in capsys.readouterr().err


def test_a_word_too_many_is_refused(capsys):
    with pytest.raises(SystemExit):
        readme.main(["figure", "please"])
    assert "figure takes no please" in capsys.readouterr().err


def test_the_commands_of_a_way_can_be_seen(capsys):
    readme.main(["commands", "plain"])
    assert capsys.readouterr().out.startswith("git clone <address of this repository> gaussian-mixtures\ncd ")
