"""The student's notebooks: made from chapters/, kept in student/, copied to my-course/.

    python tools/student.py make     write student/ from chapters/ (`tools/chapters.py run` does it for its chapter)
    python tools/student.py check    say what in student/ is not what chapters/ makes
    python tools/student.py copy     copy student/ to my-course/, and never over work done there
    python tools/student.py lab      copy, then open my-course/ in JupyterLab

One source stays one source. In a student's notebook an exercise has its starter and its visible checks; no solution,
no hidden test, no stored output. Its Markdown is plain (see plain.py), so that it reads well in any notebook program.
"""

import argparse
import copy
import hashlib
import json
import os
import re
import shutil
import sys
from functools import cache
from pathlib import Path

from notebook_form import METADATA, ROOT, ChapterError, read
from plain import leftovers, plain

PAGES = ("notation", "errata", "data", "symptoms")  # the pages of the book, beside the notebooks, that students get
CHAPTERS, STUDENT, MINE = ROOT / "chapters", ROOT / "student", ROOT / "my-course"
RECORD = ".copied-from-the-course.json"  # what was copied, to tell a student's work from an untouched copy
SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION[ \t]*\n(.*?)^[ \t]*### END SOLUTION[ \t]*\n?", re.S | re.M)
HIDDEN = re.compile(r"^[ \t]*### BEGIN HIDDEN TESTS[ \t]*\n.*?^[ \t]*### END HIDDEN TESTS[ \t]*\n?", re.S | re.M)
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([\w./-]+)(#[^)]*)?\)")
MARKER = re.compile(r"^[ \t]*### (?:BEGIN|END) (?:SOLUTION|HIDDEN TESTS)[ \t]*\n?", re.M)
DEFINITION = re.compile(r"^([ \t]*)def (\w+)", re.M)
SETUP = """\
# The course's library and its data. Where they are missing, on Colab for instance, this cell brings them.
try:
    import gmmlib
except ModuleNotFoundError:
    {bring}"""
BRING = """\
%pip install --quiet "gmmlib[notebook] @ git+{url}@{branch}"
    import gmmlib"""
NO_ADDRESS = 'raise ModuleNotFoundError("gmmlib is not installed here; the README of the course says how") from None'


# --- what an exercise's cells become -------------------------------------------------------


def starter(source):
    """An answer cell without its solution: signature, docstring, and an error that names what is to do."""

    def stub(found):
        if not found[1]:  # beside the functions: a prediction or a verdict, whose `= None` stands above
            return ""
        inside = [name for indent, name in DEFINITION.findall(source[: found.start()]) if len(indent) < len(found[1])]
        return f'{found[1]}# Your code here.\n{found[1]}raise NotImplementedError("write {inside[-1]}")\n'

    return SOLUTION.sub(stub, source).rstrip()


def solved(source):
    """An answer cell without its markers."""
    return MARKER.sub("", source).rstrip()


def checks(source):
    """A tests cell as a student sees it: without hidden tests."""
    return HIDDEN.sub("", source).rstrip()


def part(cell):
    """Which part of an exercise `cell` is: "answer", "tests", "essay", "explanation", or None.

    An essay is an answer in words: in the source it holds a good answer and its rubric.
    """
    about = cell.metadata.get("nbgrader", {})
    if cell.cell_type == "markdown" and about.get("solution"):
        return "essay"
    if cell.cell_type == "markdown":
        return "explanation" if "solution" in cell.metadata.get("tags", []) else None
    if about.get("solution"):
        return "answer"
    return "tests" if about.get("grade") else None


# --- the student's notebook ----------------------------------------------------------------


def student(nb, stem):
    """The notebook that a student of the page `stem` gets."""
    made = copy.deepcopy(nb)
    made.cells = [copied for cell in nb.cells if (copied := student_cell(cell, stem))]
    made.cells.insert(1, setup_cell(nb))
    made.metadata = copy.deepcopy(METADATA)
    return made


def student_cell(cell, stem):
    """One cell as a student gets it, or None for one that is not for students."""
    tags = cell.metadata.get("tags", [])
    if part(cell) == "explanation" or "remove-cell" in tags:
        return None
    made = copy.deepcopy(cell)
    made.metadata = {key: cell.metadata[key] for key in ("nbgrader", "slideshow") if key in cell.metadata}
    if part(cell) == "essay":
        made.source = "*Your answer here.*"
        return made
    if cell.cell_type == "markdown":
        made.source = words(cell.source, stem, f"{stem}: cell {cell.id}")
        return made
    made.source = {"answer": starter, "tests": checks}.get(part(cell), str)(cell.source)
    made.outputs, made.execution_count = [], None
    if "hide-input" in tags and part(cell) is None:
        made.metadata["jupyter"] = {"source_hidden": True}
    if "raises-exception" in tags:
        made.metadata["tags"] = ["raises-exception"]  # "Run all" goes on behind it
    return made


def words(source, stem, where):
    """Markdown as a student reads it: plain, with links to what lies beside it and to the web."""

    def relinked(found):
        name = found[2].rpartition("/")[2]
        there = name.endswith(".ipynb") or name.removesuffix(".md") in PAGES
        return f"[{found[1]}]({name})" if there else found[1]

    made = plain(LINK.sub(relinked, source), stem)
    if raw := leftovers(made):
        raise ChapterError(f"{where} has no plain form for {raw[0]!r}; write it otherwise")
    return made


def setup_cell(nb):
    import nbformat

    url, branch = repository()
    bring = BRING.format(url=url, branch=branch) if url else NO_ADDRESS
    cell = nbformat.v4.new_code_cell(SETUP.format(bring=bring))
    cell["id"] = "course-setup"
    if any(other.get("id") == cell["id"] for other in nb.cells):
        raise ChapterError(f"a cell has the id {cell['id']}, which belongs to the student's copies")
    return cell


@cache
def repository():
    """(address, branch) of the published repository, from _config.yml; the address may be empty."""
    import yaml

    about = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8")).get("repository") or {}
    return (about.get("url") or "").rstrip("/"), about.get("branch") or "main"


# --- the site's page ---------------------------------------------------------------------


def site(nb):
    """The exercises page of the site: starter open, checks folded, solution folded with what the checks print."""
    made = copy.deepcopy(nb)
    made.cells = []
    answer = None
    for cell in nb.cells:
        match part(cell):
            case "answer":
                answer = cell
                made.cells.append(code_cell(cell, starter(cell.source), "starter"))
            case "tests":
                made.cells.append(code_cell(cell, checks(cell.source), "checks", fold="the checks"))
                if answer is not None:
                    solution = code_cell(answer, solved(answer.source), "solution", fold="a solution")
                    solution.outputs = copy.deepcopy(cell.outputs)
                    if "image" in cell.metadata.get("mystnb", {}):  # the words for who does not see its figure
                        solution.metadata["mystnb"]["image"] = cell.metadata["mystnb"]["image"]
                    made.cells.append(solution)
                    answer = None
            case "explanation":
                made.cells.append(folded_text(cell, "What comes out"))
            case "essay":
                made.cells.append(folded_text(cell, "A good answer, and what it is graded by"))
            case _:
                made.cells.append(copy.deepcopy(cell))
    return made


def code_cell(cell, source, suffix, fold=""):
    made = copy.deepcopy(cell)
    made["id"] = f"{cell.id}-{suffix}"
    made.source, made.outputs, made.metadata = source, [], {}
    if fold:
        prompt = {"code_prompt_show": f"Show {fold}", "code_prompt_hide": f"Hide {fold}"}
        made.metadata = {"tags": ["hide-cell"], "mystnb": prompt}
    return made


def folded_text(cell, title):
    made = copy.deepcopy(cell)
    made.metadata = {}
    made.source = f"::::{{admonition}} {title}\n:class: dropdown\n{cell.source}\n::::"
    return made


# --- student/ ------------------------------------------------------------------------------


def sources():
    return sorted(CHAPTERS.glob("*.ipynb"))


def contents(paths):
    """What student/ should hold for `paths`: file name -> text."""
    import nbformat

    texts = {}
    for path in paths:
        if path.suffix == ".md":
            texts[path.name] = words(path.read_text(encoding="utf-8"), path.stem, path.name) + "\n"
        else:
            nb = student(read(path), path.stem)
            nb.nbformat, nb.nbformat_minor = 4, 5
            texts[path.name] = nbformat.v4.writes(nb).rstrip("\n") + "\n"
    return texts


def everything():
    return contents([*sources(), *(CHAPTERS / f"{page}.md" for page in PAGES)])


def stored():
    """What student/ holds: file name -> text."""
    return {p.name: p.read_text(encoding="utf-8") for p in sorted(STUDENT.glob("*.*")) if p.name != "README.md"}


def make(paths=None):
    """Write the student's copies of `paths`, or of everything; return the paths that changed."""
    STUDENT.mkdir(exist_ok=True)
    wanted, there = everything() if paths is None else contents(paths), stored()
    changed = [STUDENT / name for name, text in wanted.items() if there.get(name) != text]
    for path in changed:
        path.write_text(wanted[path.name], encoding="utf-8", newline="\n")
    if paths is None:
        for name in there.keys() - wanted.keys():
            (STUDENT / name).unlink()
            changed.append(STUDENT / name)
    return changed


def faults():
    """One sentence for each file of student/ that is not what chapters/ makes."""
    wanted, there = everything(), stored()
    found = [f"student/{name} has no chapter" for name in there.keys() - wanted.keys()]
    found += [f"student/{name} is missing" for name in wanted.keys() - there.keys()]
    changed = [name for name in wanted.keys() & there.keys() if wanted[name] != there[name]]
    found += [f"student/{name} is not what chapters/{name} makes" for name in changed]
    return [f"{fault}; run: make student" for fault in sorted(found)]


# --- my-course/ ------------------------------------------------------------------------------


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def copy_to(folder):
    """Copy student/ to `folder`; a notebook that was changed there is kept. Return one line for each thing done."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ChapterError(f"{folder.name} is a file, and the student's notebooks go to a folder of that name; move it")
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / RECORD
    try:
        copied = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    except ValueError:
        copied = {}  # unreadable: every notebook there counts as the student's own
    said = []
    for source in sorted(p for p in STUDENT.glob("*.*") if p.name != "README.md"):
        target, new = folder / source.name, digest(source)
        if not target.exists():
            said.append(f"new      {folder.name}/{source.name}")
        elif digest(target) == new:
            copied[source.name] = new
            continue
        elif copied.get(source.name) == digest(target):
            said.append(f"updated  {folder.name}/{source.name}, which you had not changed")
        else:
            if copied.get(source.name) != new:
                there = f"the course's version is student/{source.name}"
                said.append(f"kept     {folder.name}/{source.name}, your work; {there}")
            continue
        shutil.copyfile(source, target)
        copied[source.name] = new
    record.write_text(json.dumps(copied, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return said


def lab(folder, arguments):
    """Open `folder` in JupyterLab, in place of this process."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    # No question about news on the first start, nothing fetched from elsewhere; Markdown files open as pages.
    command.append(f"--LabApp.app_settings_dir={ROOT / 'tools' / 'jupyterlab'}")
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    command += arguments
    sys.stdout.flush()
    if os.name == "nt":  # there, exec would leave the terminal without its program
        import subprocess

        return subprocess.call(command)
    os.execv(command[0], command)


# --- command line ----------------------------------------------------------------------------


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="tools/student.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["make", "check", "copy", "lab"])
    parser.add_argument("--to", default=MINE, type=Path, help="another folder than my-course")
    asked, rest = parser.parse_known_args(arguments)
    if rest and asked.command != "lab":
        parser.error(f"unknown arguments: {' '.join(rest)}")
    try:
        match asked.command:
            case "make":
                for path in make():
                    print(f"{path.relative_to(ROOT)}: {'written' if path.exists() else 'removed, it has no chapter'}")
            case "check":
                found = faults()
                print("\n".join(found), file=sys.stderr, end="\n" if found else "")
                return 1 if found else 0
            case _:
                for line in copy_to(asked.to):
                    print(line)
                print(f"Your notebooks are in {asked.to.name}/. They are yours: nothing there is overwritten.")
                if asked.command == "lab":
                    return lab(asked.to.resolve(), rest)
    except ChapterError as err:
        print(f"tools/student.py: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
