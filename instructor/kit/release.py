"""`make assign`: what students get, and what whoever grades keeps."""

import copy
import io
import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from student import checks, part, solved, words

from . import variants
from .course import ROOT, KitError, new_folder, write
from .page import grade_id

NOTEBOOK = ("ipykernel", "ipywidgets", "anywidget", "matplotlib", "numpy", "scipy", "scikit-learn", "threadpoolctl")
README = """\
# {title}

The assignment is `{stem}.ipynb`. Work in it, save it, and hand in that one file.

1. In this folder: `python3 -m venv .venv`, then `.venv/bin/python -m pip install -r requirements.txt`
   (on Windows `python` and `.venv\\Scripts\\python`). Python 3.11 or newer; some minutes and 0.7 GB, once.
2. `.venv/bin/python -m jupyterlab {stem}.ipynb`

- Write where it says `None`, "Your code here" or "Your answer here". The cell below it checks it and says what is
  wrong.
- *Run All Cells* stops at the first check that fails, and an exercise that you have not begun fails. Go on below it:
  run that exercise's cells one by one. What is not run is graded all the same.
- Leave the checks as they are. Whatever is done to them, the answers are graded against the originals, with more data.
- Each exercise is graded by itself, with the cells that were given. A function of your own that several exercises use
  goes into a cell of its own above them; cells that you add are kept.
- A check that runs longer than a minute counts as not finished. None of ours takes ten seconds.

`data/` holds the data as tables; `gmmlib`, the course's library, brings its own copy of them.
"""


def assign(course, chapter, seed=0, students=None):
    """Make the handout of a chapter; with `students` (ids), one zip for each, with data of its own."""
    from .nbgrader_parts import Nbgrader

    page = variants.page(chapter, seed)
    name = page.assignment
    kept = course.of("variants", f"{name}.json")
    wanted = {"seed": seed, "per_student": students is not None}
    if course.of("received", name).exists() and kept.exists() and json.loads(kept.read_text()) != wanted:
        raise KitError(
            f"chapter {name} was handed out with other data and has submissions; grade these first, or take another "
            "folder for the course (COURSE=...)"
        )
    wheel = gmmlib_wheel()
    # nbgrader learns the cells and makes the release; nothing of it is kept when a later step fails.
    with new_folder(course.of("source", name)) as folder:
        save(page.master(), folder / f"{page.stem}.ipynb")
    Nbgrader(course, name).assign()
    with new_folder(course.of("handout", name)) as folder:
        for student in students or [""]:
            own = variants.page(chapter, variants.seed_of(seed, student)) if student else page
            suffix = f"_{student}" if student else ""
            write(folder / f"{name}_release{suffix}.zip", release_zip(own, wheel))
            if student:
                save(key(own), folder / "keys" / f"{name}_key{suffix}.ipynb")
        save(key(page), folder / f"{name}_key.ipynb")
        write(folder / f"{name}_rubric.md", rubric(page))
    write(kept, json.dumps(wanted))
    return course.of("handout", name)


def save(nb, path):
    import nbformat

    nb.nbformat, nb.nbformat_minor = 4, 5
    write(path, nbformat.v4.writes(nb).rstrip("\n") + "\n")


def title(page):
    return next(line[2:] for cell in page.nb.cells for line in cell.source.splitlines() if line.startswith("# "))


def release_zip(page, wheel):
    """The zip as bytes; the same page gives the same bytes."""
    import nbformat

    nb = page.student()
    nb.nbformat, nb.nbformat_minor = 4, 5
    files = {
        f"{page.stem}.ipynb": nbformat.v4.writes(nb).rstrip("\n") + "\n",
        "README.md": README.format(title=title(page), stem=page.stem),
        "requirements.txt": requirements(wheel[0]),
        wheel[0]: wheel[1],
    }
    files |= {f"data/{path.name}": path.read_bytes() for path in sorted((ROOT / "data").glob("*.csv"))}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(f"{page.assignment}/{name}", (2020, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            made.writestr(info, content)
    return packed.getvalue()


def requirements(wheel):
    """gmmlib from the zip, and the course's own versions of what a notebook uses."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.removesuffix("\\").strip() for line in lines if re.match(r"[a-z0-9]", line, re.I)]
    wanted = [pin for pin in pins if re.split(r"[\[=]", pin)[0] in (*NOTEBOOK, "jupyterlab")]
    return "\n".join([*wanted, f"./{wheel}[notebook]"]) + "\n"


@cache
def gmmlib_wheel():
    """(name, bytes) of the library with its data, so that students need no address of ours."""
    with tempfile.TemporaryDirectory(prefix="wheel-") as work:
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, work)
        for name in ("gmmlib", "data"):
            shutil.copytree(ROOT / name, Path(work) / name, ignore=shutil.ignore_patterns("__pycache__", "raw"))
        pip = [ROOT / ".venv/bin/python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        made = subprocess.run([*pip, "--disable-pip-version-check", "-w", f"{work}/out", work], capture_output=True)
        found = sorted(Path(work, "out").glob("*.whl"))
        if made.returncode or not found:
            raise KitError(f"gmmlib cannot be packed: {made.stderr.decode().strip().splitlines()[-1:]}")
        return found[0].name, found[0].read_bytes()


def key(page):
    """The solved notebook: answers, hidden tests, explanations."""
    made = page.student()
    answers = {grade_id(cell): cell for cell in page.nb.cells if grade_id(cell)}
    explained = {}
    last = None
    for cell in page.nb.cells:
        last = grade_id(cell) or last
        if part(cell) == "explanation":
            explained[last] = cell
    cells = []
    for cell in made.cells:
        source = answers.get(grade_id(cell))
        if source is not None:
            code, text = source.cell_type == "code", source.source
            cell.source = solved(text) if code else words(text, page.stem, "key")
        cells.append(cell)
        if grade_id(cell) in explained:
            text = copy.deepcopy(explained[grade_id(cell)])
            text.metadata = {}
            text.source = words(text.source, page.stem, "key")
            cells.append(text)
    made.cells = cells
    return made


def rubric(page):
    """What each item is worth and what it is graded by."""
    lines = [f"# Rubric: {title(page)}", "", "| item | exercise | points | graded by |", "|---|---|---|---|"]
    for item in page.items:
        by = "its checks" if item.kind == "code" else "you, as below"
        lines.append(f"| {item.name} | {item.title} | {item.points:g} | {by} |")
    lines += ["", f"{sum(item.points for item in page.items):g} points in all."]
    cells = {grade_id(cell): cell for cell in page.nb.cells if grade_id(cell)}
    for item in page.items:
        lines += ["", f"## {item.name}: {item.title} ({item.points:g})", ""]
        source = cells[item.grade_id].source
        if item.kind == "essay":
            lines.append(words(source, page.stem, "rubric"))
        else:
            shown = checks(source).count("assert ")
            lines.append(f"{shown} checks that students see, {source.count('assert ') - shown} that they do not.")
            lines.append("All points, or none.")
    return "\n".join(lines) + "\n"
