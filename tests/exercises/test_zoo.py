"""Wrong answers must fail a check that the student sees, with a message that helps; right ones must pass.

The zoo holds, for each exercises page, answers as students give them: half-right, copied from the chapter,
a slip of sign or axis. Each is put into the student's notebook, whose cells run up to the checks of its exercise.
"""

import io
import multiprocessing
import re
import signal
import sys
import tomllib
import traceback
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib.pyplot  # noqa: F401  what the pages import: loaded once here, not in each process
import nbformat
import pytest
import sklearn.decomposition
import sklearn.discriminant_analysis
import sklearn.mixture  # noqa: F401

import gmmlib.estimators.gaussian_mixture
import gmmlib.plotting  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from student import STUDENT, part, solved, sources  # noqa: E402

ZOO = Path(__file__).parent / "zoo"
PAGES = [path for path in sources() if path.stem.endswith("_exercises")]
SECONDS = 60  # a check that an endless answer can hang is a fault of the check
FEWEST = 5  # wrong answers for an exercise
# Pages whose exercises lean on each other or have no zoo, none today. Strict: a mended page must leave the list.
OWED = set()
LEANING = set()


def animals(stem, kind):
    path = ZOO / f"{stem.removesuffix('_exercises')}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")).get(kind, []) if path.exists() else []


def exercises(nb):
    """The exercises of a page that are checked by code: name -> grade_id of its answer and of its tests."""
    found = {}
    for cell in nb.cells:
        if part(cell) in ("answer", "tests"):
            grade_id = cell.metadata.nbgrader.grade_id
            found.setdefault(grade_id.partition("-")[0], {})[part(cell)] = grade_id
    return {name: parts for name, parts in found.items() if set(parts) == {"answer", "tests"}}


def code_until_checks(path, exercise, answer, hidden=False):
    """The code that runs when a student answers `exercise` with `answer`, and the other exercises not at all."""
    nb = nbformat.read(path if hidden else STUDENT / path.name, as_version=4)
    ids, code = exercises(nb)[exercise], []
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if cell.cell_type != "code" or cell.get("id") == "course-setup":
            continue
        if name == ids["answer"]:
            code.append(answer)
        elif name == ids["tests"]:
            return [*code, cell.source]
        elif part(cell) is None:
            code.append(cell.source)
    raise AssertionError(f"{path.stem} has no checks for {exercise}")


def run(cells, queue):
    """Run `cells` in one namespace; put (the error's name, its message, whether it came from the last cell)."""
    import matplotlib

    matplotlib.use("agg")
    signal.alarm(SECONDS)  # ends an endless loop, with this process
    space = {"__name__": "__main__"}
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number, cell in enumerate(cells, 1):
                exec(compile(cell, f"cell {number}", "exec"), space)
    except BaseException as err:
        last = any(frame.filename == f"cell {len(cells)}" for frame in traceback.extract_tb(err.__traceback__))
        queue.put((type(err).__name__, str(err), last))
    else:
        queue.put(None)


def outcome(cells):
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=run, args=(cells, queue))
    process.start()
    process.join(SECONDS + 30)
    return ("Timeout", f"still running after {SECONDS} s", True) if queue.empty() else queue.get()


def cases(kind):
    return [
        pytest.param(path, animal, id=f"{path.stem[:2]}-{animal['exercise']}-{animal['name'].replace(' ', '-')}")
        for path in PAGES
        for animal in animals(path.stem, kind)
    ]


@pytest.mark.parametrize(("path", "animal"), cases("wrong"))
def test_a_wrong_answer_is_told_what_is_wrong(path, animal):
    error = outcome(code_until_checks(path, animal["exercise"], animal["code"]))
    assert error, "every visible check passes"
    name, message, in_checks = error
    assert in_checks, f"it stops before the checks: {name}: {message}"
    assert name == "AssertionError", f"it is told {name}: {message}"
    assert re.search(animal["told"], message, re.I | re.S), f"it is told: {message}"


@pytest.mark.parametrize(("path", "animal"), cases("right"))
def test_another_right_answer_passes_hidden_tests_too(path, animal):
    assert outcome(code_until_checks(path, animal["exercise"], animal["code"], hidden=True)) is None


def each_exercise(owed):
    for path in PAGES:
        for name in exercises(nbformat.read(path, as_version=4)):
            marks = pytest.mark.xfail(reason="still owed") if owed(path.stem, name) else ()
            yield pytest.param(path, name, id=f"{path.stem[:2]}-{name}", marks=marks)


@pytest.mark.parametrize(("path", "exercise"), list(each_exercise(lambda *which: which in LEANING)))
def test_a_solution_needs_no_other_answer(path, exercise):
    nb = nbformat.read(path, as_version=4)
    answer = exercises(nb)[exercise]["answer"]
    source = next(c.source for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == answer)
    assert outcome(code_until_checks(path, exercise, solved(source), hidden=True)) is None


@pytest.mark.parametrize(("path", "exercise"), list(each_exercise(lambda stem, name: stem in OWED)))
def test_every_exercise_has_its_zoo(path, exercise):
    wrong = [animal["name"] for animal in animals(path.stem, "wrong") if animal["exercise"] == exercise]
    assert len(set(wrong)) == len(wrong) >= FEWEST, f"{len(wrong)} wrong answers to {exercise}: {wrong}"


@pytest.mark.parametrize("path", sorted(ZOO.glob("*.toml")), ids=lambda path: path.stem)
def test_every_animal_belongs_to_an_exercise(path):
    page = ROOT / "chapters" / f"{path.stem}_exercises.ipynb"
    known = exercises(nbformat.read(page, as_version=4))
    for kind, found in tomllib.loads(path.read_text(encoding="utf-8")).items():
        assert kind in ("wrong", "right")
        for animal in found:
            assert animal["exercise"] in known
            assert set(animal) == {"exercise", "name", "code", *({"told"} if kind == "wrong" else ())}


# --- the zoo's keeper ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["x = 1", "assert x == 1"], None),
        (["x = 2", "assert x == 1, 'x is 1'"], ("AssertionError", "x is 1", True)),
        (["x = y", "assert x"], ("NameError", "name 'y' is not defined", False)),
        (["raise SystemExit(3)"], ("SystemExit", "3", True)),
    ],
)
def test_the_keeper_tells_what_happened(cells, expected):
    assert outcome(cells) == expected


def test_an_endless_answer_is_ended(monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SECONDS", 1)
    assert outcome(["while True: pass"]) == ("Timeout", "still running after 1 s", True)
