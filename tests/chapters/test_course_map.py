"""What the pages announce is what they hold, and what teachers are told of them is true."""

import re

import course_map as cm
import pytest

COURSE = cm.chapters()
NOTES, SYLLABI = cm.notes()
each = pytest.mark.parametrize("chapter", COURSE, ids=lambda c: c.file)


def test_every_chapter_is_described_once():
    assert [c.number for c in COURSE] == sorted(NOTES)


@each
def test_points_and_minutes_add_up(chapter):
    points, minutes = chapter.totals
    assert sum(e.points for e in chapter.exercises) == points
    assert abs(sum(e.minutes for e in chapter.exercises) - minutes) < 5, "rounded to five minutes"
    assert minutes == chapter.exercise_minutes, "the chapter and its exercises page announce the same time"
    assert [e.number for e in chapter.exercises] == list(range(1, len(chapter.exercises) + 1))
    assert {e.level for e in chapter.exercises} <= set(cm.LEVELS)


@each
def test_every_objective_has_an_exercise_and_every_exercise_an_objective(chapter):
    tests = NOTES[chapter.number]["tests"]
    assert 1 <= len(chapter.objectives) == len(tests) <= 5
    assert all(tests)
    assert {n for tested in tests for n in tested} == {e.number for e in chapter.exercises}


@each
def test_three_concept_questions_at_least_with_one_answer_each(chapter):
    assert len(chapter.questions) >= 3
    for q in chapter.questions:
        assert len(set(q.options)) == len(q.options) >= 3, q.name
        assert 0 <= q.right < len(q.options), q.name
        assert len(q.why) > 20, f"{q.name} does not say why"


def test_the_right_answer_is_not_always_the_same():
    """Somebody who always ticks one letter fails."""
    places = [q.right for c in COURSE for q in c.questions]
    assert max(map(places.count, set(places))) / len(places) < 0.6


@each
def test_a_chapter_needs_only_what_comes_before_it(chapter):
    assert all(n < chapter.number for n in chapter.needs)
    assert set(chapter.needs) <= {c.number for c in COURSE}


def test_the_graph_leaves_out_what_another_need_brings():
    """The page says so, of chapters 9 and 5."""
    assert 5 in cm.before(9, COURSE)
    assert 9 not in cm.before(5, COURSE)


@each
def test_a_belief_points_to_what_reveals_it(chapter):
    there = {e.number for e in chapter.exercises} | {q.name for q in chapter.questions}
    beliefs = NOTES[chapter.number]["beliefs"]
    assert len(beliefs) >= 3
    for belief, reveals in beliefs:
        assert belief.endswith("."), belief
        assert reveals in there, f"{belief!r} is revealed by {reveals!r}, which is not in chapter {chapter.number}"


@pytest.mark.parametrize("plan", SYLLABI, ids=lambda p: p["name"])
def test_a_syllabus_fits_and_keeps_the_order(plan):
    assert sum(s["minutes"] for s in plan["sessions"]) == plan["hours"] * 60
    read = []
    for session in plan["sessions"]:
        for number in session["chapters"]:
            assert number in {c.number for c in COURSE}
            read.append(number)
    assert read == sorted(set(read)), "chapters come in their order, each once"
    assert set(plan["homework"]) <= set(read)
    if plan["hours"] > 6:  # the long ones skip nothing that is needed
        for number in read:
            missing = cm.before(number, COURSE) - set(read)
            assert not missing, f"{plan['name']}: chapter {number} needs {missing}"
    for name in re.findall(r"\b\d\d-\d\b", " ".join(s["do"] for s in plan["sessions"])):
        assert name in {q.name for c in COURSE for q in c.questions}


# --- the reader of pages, on small ones ---------------------------------------------------


@pytest.mark.parametrize(
    ("body", "stem", "options"),
    [
        ("Which?\n\n(a) one; (b) two, (c) three.", "Which?", ("one", "two", "three")),
        ("Which?\n(a) 1/2. (b) 4/7.", "Which?", ("1/2", "4/7")),
        ("Which?\n\n1. One\n   more.\n2. Two.", "Which?", ("One more", "Two")),
        ("Say why (a) holds.", "Say why (a) holds.", ()),
    ],
)
def test_alternatives_are_read(body, stem, options):
    assert cm.alternatives(body) == (stem, options)


@pytest.mark.parametrize(
    ("answer", "place"), [("**(b)**.\nWhy.", 1), ("(c): why.", 2), ("**2.** Why.", 1), ("**(b)**: why", 1)]
)
def test_the_answer_is_read(answer, place):
    text = (
        ":::{admonition} Check yourself\n:class: tip\nWhich?\n\n(a) x; (b) y; (c) z.\n:::\n\n"
        f":::{{admonition}} Answer\n{answer}\n:::\n"
    )
    (question,) = cm.questions(1, text)
    assert question.right == place
    assert question.why.lower().startswith("why")


def test_a_question_without_an_answer_is_an_error():
    with pytest.raises(ValueError, match="01-1: no answer"):
        cm.questions(1, ":::{admonition} Check yourself\n(a) x; (b) y.\n:::\n")


@pytest.mark.parametrize(
    "heading",
    ["## 1. A tent (1 + 3 points, 6 minutes, easy)\nPencil.", "## 1. A tent\n\n*4 points, 6 minutes, easy. Pencil.*"],
)
def test_an_exercise_is_read(heading):
    assert cm.exercises(heading) == (cm.Exercise(1, "A tent", 4, 6, "easy"),)
