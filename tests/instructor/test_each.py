"""From `make assign CH=09 SEED=7 EACH=roster.csv` to `grades.csv`: every student a zip of one's own."""

import re
import zipfile

import nbformat
import pytest
from submissions import moodle, the_page

from student import part

pytestmark = [pytest.mark.sweep, pytest.mark.xdist_group("each")]

NAME, STEM = "09_em_gaussian_mixtures", "09_em_gaussian_mixtures_exercises"
WHO = ("1001", "bo.li@example.org", "m-17", "d4")
ROSTER = "id,name\n" + "".join(f"{who},Somebody {who[0]}\n" for who in WHO)
CODE = {item.name: item.points for item in the_page("09").items if item.kind == "code"}
ESSAY = "It spikes on one point, and the likelihood grows without a bound."


def unzipped(course, who):
    """The notebook in a student's zip, and the key that goes with it."""
    handout = course / "handout" / NAME
    with zipfile.ZipFile(handout / f"{NAME}_release_{who}.zip") as packed:
        released = packed.read(f"{NAME}/{STEM}.ipynb").decode("utf-8")
    key = (handout / "keys" / f"{NAME}_key_{who}.ipynb").read_text(encoding="utf-8")
    return nbformat.reads(released, 4), nbformat.reads(key, 4)


def solved(course, who, answers_of=None):
    """The notebook of `who`, with the answers of a key."""
    nb, key = unzipped(course, who)
    if answers_of:
        _, key = unzipped(course, answers_of)
    answers = {c.metadata.nbgrader.grade_id: c.source for c in key.cells if part(c) == "answer"}
    for cell in nb.cells:
        if part(cell) in ("answer", "essay"):
            cell.source = answers.get(cell.metadata.nbgrader.grade_id, ESSAY)
    return nbformat.writes(nb)


@pytest.fixture(scope="module")
def course(make_kit):
    """Two students answer their own data; m-17 hands in 1001's whole notebook; d4 types 1001's answers into d4's."""
    kit = make_kit()
    people = kit.folder / "roster.csv"
    people.write_text(ROSTER, encoding="utf-8")
    kit.ok("assign", "09", "--seed", "7", "--students", people)
    at = kit.folder / "course"
    files = {who: ("work.ipynb", solved(at, who)) for who in WHO[:2]}
    files["m-17"] = ("work.ipynb", solved(at, "1001"))
    files["d4"] = ("work.ipynb", solved(at, "d4", answers_of="1001"))
    done = kit.collect("09", moodle(files), ROSTER)
    assert done.returncode == 0, done.stderr
    kit.said = kit.ok("grade", "09")
    return kit


def test_everybody_gets_a_zip_and_a_key_with_other_numbers(course):
    waits, answers = set(), set()
    for who in WHO:
        nb, key = unzipped(course.folder / "course", who)
        assert not any("### BEGIN" in cell.source for cell in nb.cells)
        waits.add(next(cell.source for cell in nb.cells if "|---" in cell.source))
        answers.add(next(c.source for c in key.cells if "mean_1 = (" in c.source))
    assert (len(waits), len(answers)) == (len(WHO), len(WHO))


def test_who_answers_the_own_data_is_full_and_others_answers_lose_their_points(course):
    rows = course.grades(NAME)
    full = {item: f"{points:g}" for item, points in CODE.items()}
    got = {who: {item: row[item] for item in CODE} for who, row in rows.items()}
    assert got == {WHO[0]: full, WHO[1]: full, WHO[2]: full | {"ex1": "0"}, WHO[3]: full | {"ex1": "0"}}
    assert {row["status"] for row in rows.values()} == {"check by hand"}
    for who in WHO[:2]:
        assert float(rows[who]["points so far"]) + float(rows[who]["open"]) == float(rows[who]["of"])


def test_a_notebook_from_anothers_zip_is_named(course):
    assert [course.grades(NAME)[who]["notebook of"] for who in WHO] == ["", "", "1001", ""]
    assert "m-17 handed in the notebook of 1001; it is graded on the data of m-17\n" in course.said
    assert course.said.count("handed in the notebook") == 1


def test_the_feedback_shows_a_student_the_own_data(course):
    for who in WHO:
        (path,) = (course.folder / "course/feedback" / who / NAME).glob("*.html")
        nb, _ = unzipped(course.folder / "course", who)
        numbers = re.search(r"np\.array\(\[([\d., ]+)\]\)", next(c.source for c in nb.cells if "four = " in c.source))[
            1
        ]
        assert numbers in re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8"))
