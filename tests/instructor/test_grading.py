"""Submissions as they come, graded from zip to csv: the table of submissions, what is expected, what comes out.

Each has a right answer to ex2a (1 point) beside what is wrong with it: an answer loses its own points only. `make test`
grades a few that have something wrong in every exercise; `make verify` grades one submission for each thing that can
be wrong, every wrong answer of the zoo on every page, and a class of thirty.
"""

import html
import json
import re
import subprocess
import time
import zipfile

import pytest
from bs4 import BeautifulSoup
from notebook_form import ROOT
from submissions import (
    CHAPTER,
    answered,
    as_colab,
    as_vscode,
    cell_of,
    moodle,
    roster,
    solutions,
    text,
    the_page,
    without_metadata,
)
from visit import AXE

PAGE = the_page()
NAME = PAGE.assignment
SOLVED = solutions(PAGE)
CODE = {item.name: item for item in PAGE.items if item.kind == "code"}
FULL = {item.name: item.points for item in CODE.values()}
NOTHING = dict.fromkeys(CODE, "not attempted")
ANSWER_0 = "def iterations_needed(*_): return 0"
LOOP = "def iterations_needed(x, apart, level):\n    while True: pass"
STUBBORN = """def iterations_needed(x, apart, level):
    while True:
        try:
            while True: pass
        except BaseException: pass
"""
BOMB = """def iterations_needed(x, apart, level):
    import os
    while True:
        try: os.fork()
        except OSError: pass
"""
KILLS = "import os\nos.kill(os.getppid(), 9)\nos.kill(os.getpid(), 9)"
HUGE = "def iterations_needed(x, apart, level):\n    return len(np.ones(1 << 32))"
CHEAT = """def iterations_needed(x, apart, level):
    import gc
    for found in gc.get_objects():
        if isinstance(found, dict) and isinstance(found.get("source"), str):
            print(found["source"])
    return 0
"""


def beside(**answers):
    """A right answer to ex2a, and these."""
    given = {"ex2a-solution": SOLVED["ex2a-solution"]}
    return answered(PAGE, given | {f"{name}-solution": source for name, source in answers.items()})


def full():
    return answered(PAGE, SOLVED)


def checks_deleted(nb):
    nb.cells = [
        cell for cell in nb.cells if not cell.metadata.get("nbgrader", {}).get("grade_id", "").endswith("-tests")
    ]
    return nb


def checks_replaced(nb):
    for item in CODE.values():
        cell_of(nb, item.grade_id).source = "assert True"
    return nb


def checks_without_points(nb):
    """The checks replaced, and their cell made the answer: nbgrader's own metadata turned around."""
    tests, answer = cell_of(nb, "ex2b-tests"), cell_of(nb, "ex2b-solution")
    tests.source = "assert True"
    tests.metadata, answer.metadata = answer.metadata, tests.metadata
    return nb


def twice(nb):
    """An answer copied to try something else, the copy as it was handed out."""
    at = nb.cells.index(cell_of(nb, "ex2b-solution"))
    spare = PAGE.student()
    nb.cells.insert(at + 1, cell_of(spare, "ex2b-solution"))
    nb.cells.insert(at + 3, cell_of(spare, "ex2b-tests"))
    return nb


def with_own_cells(nb):
    """Imports and a helper in cells of their own, and an experiment that never ends."""
    import nbformat

    code = nbformat.v4.new_code_cell
    nb.cells.insert(2, code("import math\ndef half(x):\n    return x / 2"))
    nb.cells.insert(3, code("while True: pass"))
    nb.cells.insert(4, code("1 / 0"))
    cell_of(nb, "ex2b-solution").source = SOLVED["ex2b-solution"].replace("-apart / 2", "-half(apart)")
    return nb


def leaning(nb):
    """A function of one answer used in another: not asked for, and not punished."""
    cell_of(nb, "ex2a-solution").source += "\ndef half(x):\n    return x / 2"
    cell_of(nb, "ex2b-solution").source = SOLVED["ex2b-solution"].replace("-apart / 2", "-half(apart)")
    return nb


ONE = {**NOTHING, "ex2a": 1}
# name -> (content, what is expected of each code item: points, or a status where there are none)
SUBMISSIONS = {
    "full": (text(full()), FULL),
    "untouched": (text(PAGE.student()), NOTHING),
    "none": (text(beside(ex1="weight_1 = mean_1 = variance_1 = shared_variance = None")), ONE | {"ex1": 0}),
    "zeros": (text(beside(ex1="weight_1 = mean_1 = variance_1 = shared_variance = 0.0")), ONE | {"ex1": 0}),
    "nan": (text(beside(ex1="weight_1 = mean_1 = variance_1 = shared_variance = np.nan")), ONE | {"ex1": 0}),
    "returns-none": (text(beside(ex2b="def iterations_needed(*_): return None")), ONE | {"ex2b": 0}),
    "returns-zero": (text(beside(ex2b=ANSWER_0)), ONE | {"ex2b": 0}),
    "loop": (text(beside(ex2b=LOOP)), ONE | {"ex2b": "timeout"}),
    "stubborn-loop": (text(beside(ex2b=STUBBORN)), ONE | {"ex2b": "timeout"}),
    "sleeps-in-import": (text(beside(ex2b="import no_such_module\n" + LOOP)), ONE | {"ex2b": 0}),
    "syntax": (text(beside(ex2b="def iterations_needed(x, apart, level:\n    return (")), ONE | {"ex2b": 0}),
    "sys-exit": (text(beside(ex2b="import sys\nsys.exit()")), ONE | {"ex2b": 0}),
    "os-exit": (text(beside(ex2b="import os\nos._exit(0)")), ONE | {"ex2b": "crashed"}),
    "kills": (
        text(beside(ex2b="import os\nos.kill(os.getppid(), 9)\nos.kill(os.getpid(), 9)")),
        ONE | {"ex2b": "crashed"},
    ),
    "fork-bomb": (text(beside(ex2b=BOMB)), ONE | {"ex2b": "timeout"}),
    "32-gb": (text(beside(ex2b=HUGE)), ONE | {"ex2b": 0}),
    "checks-deleted": (text(checks_deleted(beside(ex2b=ANSWER_0))), ONE | {"ex2b": 0}),
    "checks-true": (text(checks_replaced(beside(ex2b=ANSWER_0))), ONE | {"ex2b": 0}),
    "checks-turned": (
        text(checks_without_points(beside(ex2b=ANSWER_0))),
        ONE | {"ex2b": 0},
    ),
    "prints-checks": (text(beside(ex2b=CHEAT)), ONE | {"ex2b": 0}),
    "cell-twice": (text(twice(beside(ex2b=SOLVED["ex2b-solution"]))), ONE | {"ex2b": 3}),
    "own-cells": (text(with_own_cells(beside(ex2b=""))), ONE | {"ex2b": 3}),
    "leaning": (text(leaning(beside(ex2b=""))), ONE | {"ex2b": 3}),
    "colab": (as_colab(beside(ex2b=SOLVED["ex2b-solution"])), ONE | {"ex2b": 3}),
    "vscode": (as_vscode(beside(ex2b=SOLVED["ex2b-solution"])), ONE | {"ex2b": 3}),
    "no-metadata": (without_metadata(beside(ex2b=SOLVED["ex2b-solution"])), ONE | {"ex2b": 3}),
    "not-a-notebook": ("PK\x03\x04 a text document", dict.fromkeys(CODE, "unreadable")),
    "half-a-notebook": (text(full())[:-3000], dict.fromkeys(CODE, "unreadable")),
    "absent": (None, dict.fromkeys(CODE, "missing")),
}


TECHNICAL = beside(
    ex1="while True: pass",
    ex2b=STUBBORN,
    ex3="def draw_gains(ax, trace, N, tol):\n    import os; os._exit(0)",
    ex5="import sys\nsys.exit()",
    ex6="def penalised_m_step(X, resp, c):\n    return np.ones(1 << 32)",
)
HOSTILE = checks_replaced(
    beside(
        ex1="weight_1 = mean_1 = variance_1 = shared_variance = np.nan",
        ex2b=ANSWER_0,
        ex3="def draw_gains(ax, trace, N, tol:\n    return (",
        ex5=CHEAT.replace("iterations_needed(x, apart, level)", "law_holds(step, X, resp)"),
        ex6="import os\nos.kill(os.getppid(), 9)\nos.kill(os.getpid(), 9)",
    )
)
# What a student types is shown to the student, and to whoever grades: it may neither run nor fetch anything there.
ELSEWHERE = "http://127.0.0.1:9/seen"
cell_of(HOSTILE, "ex4-essay").source = (
    f'![]({ELSEWHERE}.png) <script src="{ELSEWHERE}.js"></script><script>document.title = "run"</script>'
    f'<link rel="stylesheet" href="{ELSEWHERE}.css"><iframe src="{ELSEWHERE}.html"></iframe> $N_k$ $\\href{{x}}{{y}}$'
)
FEW = {
    "full": SUBMISSIONS["full"],
    "untouched": SUBMISSIONS["untouched"],
    "technical": (text(TECHNICAL), ONE | {"ex1": "timeout", "ex2b": "timeout", "ex3": "crashed", "ex5": 0, "ex6": 0}),
    "hostile": (text(HOSTILE), ONE | {"ex1": 0, "ex2b": 0, "ex3": 0, "ex5": 0, "ex6": "crashed"}),
    "own-cells": SUBMISSIONS["own-cells"],
    "colab": SUBMISSIONS["colab"],
    "not-a-notebook": SUBMISSIONS["not-a-notebook"],
    "absent": SUBMISSIONS["absent"],
}


def grade_all(kit, submissions):
    kit.ok("assign", CHAPTER)
    files = {who: (f"{who} (final) copy.ipynb", content) for who, (content, _) in submissions.items() if content}
    done = kit.collect(CHAPTER, moodle(files), roster(submissions))
    assert done.returncode == 0, done.stderr
    kit.ok("grade", CHAPTER, "--seconds", 3)
    return kit


@pytest.fixture(scope="session")
def graded(make_kit):
    return grade_all(make_kit(), FEW)


@pytest.fixture(scope="session")
def all_graded(make_kit):
    return grade_all(make_kit(), SUBMISSIONS)


def got(row):
    """Points where there are some, the status where there are none, and for what was not attempted."""
    return {name: float(row[name]) if row[f"{name} status"] == "ok" else row[f"{name} status"] for name in CODE}


@pytest.mark.xdist_group("grading")
@pytest.mark.parametrize("who", FEW)
def test_a_submission_gets_what_it_should(graded, who):
    assert got(graded.grades(NAME)[who]) == FEW[who][1]


@pytest.mark.sweep
@pytest.mark.xdist_group("grading-all")
@pytest.mark.parametrize("who", SUBMISSIONS)
def test_each_thing_that_can_be_wrong_costs_its_own_points(all_graded, who):
    assert got(all_graded.grades(NAME)[who]) == SUBMISSIONS[who][1]


@pytest.mark.xdist_group("grading")
def test_no_technical_failure_shows_as_points(graded):
    for row in graded.grades(NAME).values():
        for item in PAGE.items:
            empty = row[f"{item.name} status"] in ("timeout", "crashed", "unreadable", "missing", "check by hand")
            assert (row[item.name] == "") == empty


@pytest.mark.xdist_group("grading")
def test_a_submission_has_one_word(graded):
    words = {who: row["status"] for who, row in graded.grades(NAME).items()}
    expected = {"full": "check by hand", "untouched": "not attempted", "colab": "ok", "technical": "timeout"}
    expected |= {"not-a-notebook": "unreadable", "absent": "missing"}
    assert {who: words[who] for who in expected} == expected


@pytest.mark.xdist_group("grading")
def test_points_known_and_open_add_up_to_all(graded):
    row = graded.grades(NAME)["full"]
    essays = sum(item.points for item in PAGE.items if item.kind == "essay")
    assert (float(row["points so far"]), float(row["open"])) == (sum(FULL.values()), essays)


@pytest.mark.xdist_group("grading")
def test_no_hidden_test_is_in_the_release_or_the_feedback(graded):
    course, hidden = graded.folder / "course", PAGE.hidden_lines()
    assert len(hidden) > 20
    with zipfile.ZipFile(course / "handout" / NAME / f"{NAME}_release.zip") as made:
        released = {
            name: made.read(name).decode() for name in made.namelist() if name.endswith((".ipynb", ".md", ".txt"))
        }
    # A line may stand in JSON with its quotes escaped, or in HTML with tags between its words.
    nb = json.loads(next(content for name, content in released.items() if name.endswith(".ipynb")))
    shown = {
        "release": "\n".join("".join(cell["source"]) for cell in nb["cells"]),
        "readme": "".join(released.values()),
    }
    for path in (course / "feedback").rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        shown[path.parts[-3]] = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert len(shown) == 2 + len(FEW) - 2  # one is not a notebook, one is absent
    for where, content in shown.items():
        assert not [line for line in hidden if line in content], where
        assert "HIDDEN" not in content, where


def feedback(graded, who):
    return next((graded.folder / "course/feedback" / who).rglob("*.html")).read_text(encoding="utf-8")


def summary(graded, who):
    """What stands above the page: points decided so far, and a row for each item."""
    page = BeautifulSoup(feedback(graded, who), "html.parser")
    rows = [[cell.get_text(" ", strip=True) for cell in row("td")] for row in page.select(".summary tbody tr")]
    return page.select_one(".total").get_text(" ", strip=True), dict(zip(CODE_AND_WORDS, rows, strict=True))


CODE_AND_WORDS = [item.name for item in PAGE.items]


@pytest.mark.xdist_group("grading")
def test_feedback_says_first_what_was_reached_and_why(graded):
    total, rows = summary(graded, "full")
    assert total == "18 of 23 points ; 5 more are not decided yet"
    assert rows["ex1"] == ["1. One M-step on paper", "3 of 3", ""]
    assert rows["ex2b"][0] == "2. Ten times closer, part 2"
    assert rows["ex4-essay"][1:] == ["not decided yet, of 3", "your instructor reads this"]
    total, rows = summary(graded, "technical")
    assert total == "1 of 23 points ; 9 more are not decided yet"
    assert rows["ex2b"][1:] == ["not decided yet, of 3", "it was stopped; your instructor looks at it"]
    assert rows["ex3"][2] == "it ended the program that ran it; your instructor looks at it"
    assert rows["ex5"][1:] == ["0 of 4", "your answer stops: SystemExit"]
    assert rows["ex6-essay"][1:] == ["0 of 2", "the answer is as it was handed out"]
    total, rows = summary(graded, "hostile")
    assert rows["ex1"][1:] == ["0 of 3", "a weight is a share of all points, between 0 and 1"]
    assert rows["ex3"][2].startswith("your answer stops: SyntaxError: ")
    assert "ipython" not in rows["ex3"][2]


@pytest.mark.xdist_group("grading")
def test_feedback_shows_in_its_place_what_failed_and_what_was_drawn(graded):
    told = "AssertionError: a weight is a share of all points"
    assert (told in feedback(graded, "hostile"), told in feedback(graded, "full")) == (True, False)
    assert "this is not 0 points" in feedback(graded, "technical")
    assert "data:image/png;base64" in feedback(graded, "full")


@pytest.mark.xdist_group("grading")
def test_feedback_asks_nobody_runs_nothing_and_fits_a_phone(graded, chromium):
    """Whatever an answer has put into it; and it does not scroll sideways."""
    assert ELSEWHERE in feedback(graded, "hostile")
    for who in ("hostile", "full"):
        context = chromium.new_context(viewport={"width": 360, "height": 800})
        page, asked = context.new_page(), []
        # What the page's own policy stops is a request of Chromium's that failed with "csp": nothing left the machine.
        page.on("requestfinished", lambda request: asked.append((request.url, "got it")))  # noqa: B023
        page.on("requestfailed", lambda request: asked.append((request.url, request.failure)))  # noqa: B023
        path = next((graded.folder / "course/feedback" / who).rglob("*.html"))
        page.goto(path.as_uri(), wait_until="load")
        wide = page.evaluate("document.documentElement.scrollWidth")
        title = page.title()
        context.close()
        assert [(url, how) for url, how in asked if how != "csp" and not url.startswith(("file:", "data:"))] == [], who
        assert (wide, title) == (360, "Feedback on Exercises: EM for Gaussian mixtures")


@pytest.mark.xdist_group("grading")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_feedback_has_no_barrier(graded, chromium, scheme):
    """Contrast, names, order, what a keyboard reaches: as of axe-core, the checks unfolded."""
    if not AXE.exists():
        pytest.skip("axe-core comes with the site's npm packages: run `make book` first")
    context = chromium.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(next((graded.folder / "course/feedback/hostile").rglob("*.html")).as_uri(), wait_until="load")
    page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    page.evaluate(AXE.read_text(encoding="utf-8") + "\n;0")
    strict = "{rules: {'color-contrast-enhanced': {enabled: true}}}"  # seven to one, as everywhere
    found = page.evaluate(f"axe.run('header, main', {strict})")["violations"]
    context.close()
    assert [(fault["id"], fault["nodes"][0]["html"][:80]) for fault in found if fault["id"] != "frame-title"] == []


@pytest.mark.xdist_group("grading")
def test_formulas_of_the_page_are_drawn_and_those_of_an_answer_are_not(graded):
    drawn = (ROOT / "node_modules/temml").is_dir()  # where the site was never built all stay TeX
    page = feedback(graded, "hostile")
    assert ('<math aria-label="n plus m"' in page, "$n+m$" in page) == (drawn, not drawn)
    assert r"$\href{x}{y}$" in page


@pytest.mark.xdist_group("grading")
def test_the_machine_is_left_as_it_was(graded):
    time.sleep(0.2)
    alive = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert f"{ROOT}/.venv/bin/python -I -u /run/runner.py" not in alive  # another clone's may be


def test_a_release_links_to_no_notebook_that_is_not_in_it():
    linked = [cell.source for cell in PAGE.nb.cells if ".ipynb)" in cell.source]
    assert linked
    assert not [cell.source for cell in PAGE.student().cells if ".ipynb)" in cell.source]
    assert any("Six exercises on chapter 9:" in cell.source for cell in PAGE.student().cells)


@pytest.mark.sweep
@pytest.mark.xdist_group("grading-hand")
def test_what_a_person_decides_goes_into_the_csv_and_stays(make_kit):
    """The rest of the week: points by hand, graded again, a second chapter in the same gradebook."""
    kit = make_kit()
    kit.ok("assign", CHAPTER)
    answers = {"ex2a-solution": 'prediction = "b"', "ex4-essay": "It spikes.", "ex2b-solution": LOOP}
    one = moodle({"ada": ("a.ipynb", text(answered(PAGE, answers)))})
    assert kit.collect(CHAPTER, one, roster(["ada"])).returncode == 0
    kit.ok("grade", CHAPTER, "--seconds", 3)
    first = kit.grades(NAME)["ada"]
    assert (first["ex4-essay status"], first["ex2b status"]) == ("check by hand", "timeout")
    path = kit.folder / "course/grades" / NAME / "by_hand.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    given = {"ex4-essay": ",3,2.5,A good reason.,", "ex2b": ",3,1,It never ends.,"}
    filled = [line.replace(",3,,,", given.get(line.split(",")[1], ",3,,,")) for line in lines]
    assert sum(new != old for new, old in zip(filled, lines, strict=True)) == 2
    path.write_text("\n".join(filled), encoding="utf-8")
    for _ in range(2):
        kit.ok("grade", CHAPTER, "--seconds", 3)
        row = kit.grades(NAME)["ada"]
        assert (row["ex4-essay"], row["ex4-essay status"], row["points so far"]) == ("2.5", "ok", "4.5")
    csv_once = (kit.folder / "course/grades" / NAME / "grades.csv").read_bytes()
    total, rows = summary(kit, "ada")
    assert total == "4.5 of 23 points"
    assert rows["ex4-essay"][1:] == ["2.5 of 3", "A good reason."]
    assert rows["ex2b"][1:] == ["1 of 3", "It never ends."]
    # Another answer: the points of the old one are not carried over.
    answers["ex4-essay"] = "Something else."
    two = moodle({"ada": ("a.ipynb", text(answered(PAGE, answers)))})
    kit.collect(CHAPTER, two, roster(["ada"]))
    kit.ok("grade", CHAPTER, "--seconds", 3)
    assert kit.grades(NAME)["ada"]["ex4-essay status"] == "check by hand"
    # The first answer once more, handed in last: its points count again.
    answers["ex4-essay"] = "It spikes."
    kit.collect(CHAPTER, moodle({"ada": ("a.ipynb", text(answered(PAGE, answers)))}), roster(["ada"]))
    path.write_text("\n".join(filled), encoding="utf-8")
    kit.ok("grade", CHAPTER, "--seconds", 3)
    assert (kit.folder / "course/grades" / NAME / "grades.csv").read_bytes() == csv_once
    # Too many points: one sentence, and nothing changed.
    path.write_text("\n".join(filled).replace(",2.5,", ",25,"), encoding="utf-8")
    done = kit.run("grade", CHAPTER, "--seconds", 3)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "from 0 to 3" in done.stderr
    assert (kit.folder / "course/grades" / NAME / "grades.csv").read_bytes() == csv_once
    # One gradebook for the course.
    kit.ok("assign", "01")
    book = f"sqlite:///{kit.folder / 'course/gradebook.db'}"
    ask = f"from nbgrader.api import Gradebook as G; print(sorted(a.name for a in G({book!r}, 'course').assignments))"
    env = {"PATH": f"{ROOT / '.venv-grading/bin'}:/usr/bin:/bin"}
    command = [ROOT / ".venv-grading/bin/python", "-W", "ignore", "-c", ask]
    said = subprocess.run(command, capture_output=True, text=True, env=env)
    assert said.stdout.strip() == str(["01_one_gaussian", NAME])
