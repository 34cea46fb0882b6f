"""What the course's pages say of themselves, read from the pages: needs, minutes, objectives, exercises, questions.

`instructor/course.toml` adds what no page says: which exercise tests which objective, what students commonly
believe and which question brings it to light, and what to talk about. tests/chapters/test_course_map.py
holds the two together; the page for instructors is made from both.
"""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "instructor" / "course.toml"
LEVELS = ("easy", "medium", "hard")

NEEDS = re.compile(r"^\*\*You need\*\* (.*?)$", re.M)
MINUTES = re.compile(r"\*\*Time\*\* (\d+) minutes, (?:exercises|\[exercises\]\(\S+\)) (\d+)\.")
LINKED = re.compile(r"\]\((\d\d)_\w+\.ipynb")
OBJECTIVES = re.compile(r":::\{admonition\} After this chapter you can\n(.*?)\n:::", re.S)
EXERCISE = re.compile(r"^## (\d+)\. (.+?)(?: \(([^()]*points?, [^()]*)\))?$(?:\n\n\*(.+?)\*$)?", re.M)
FIGURES = re.compile(r"(?P<points>[\d +]+) points?, (?P<minutes>\d+) minutes, (?P<level>\w+)")
TOTALS = re.compile(r": (\d+) points, about (\d+) minutes\.")
BOX = re.compile(r"^(:::+)\{admonition\} ([^\n]*)\n(?::class:[^\n]*\n)?(.*?)^\1[ \t]*$", re.S | re.M)
LETTERED = re.compile(r"(?:^|(?<=\s))\(([a-e])\) ")
NUMBERED = re.compile(r"^(\d)\. ", re.M)
RIGHT = re.compile(r"^\*{0,2}(?:\(([a-e])\)|(\d))\*{0,2}[.:]?\*{0,2}:?\s*")


@dataclass(frozen=True)
class Exercise:
    number: int
    title: str
    points: int
    minutes: int
    level: str


@dataclass(frozen=True)
class Question:
    """A "check yourself" with alternatives, one of which is right."""

    name: str  # 06-2: the second one of chapter 6
    stem: str
    options: tuple
    right: int  # its place among the options
    why: str


@dataclass
class Chapter:
    number: int
    file: str  # 06_responsibilities
    title: str  # Responsibilities
    question: str  # the page's heading
    needs: tuple  # numbers of chapters
    needs_text: str
    minutes: int
    exercise_minutes: int
    objectives: tuple
    exercises: tuple = ()
    totals: tuple = ()  # points and minutes as the exercises page announces them
    questions: tuple = field(default=(), repr=False)


def markdown(path):
    """The Markdown cells of a notebook, one text."""
    return "\n\n".join(c.source for c in nbformat.read(path, 4).cells if c.cell_type == "markdown")


def titles(root=ROOT):
    """file -> title, from _toc.yml: "06_responsibilities" -> "Responsibilities"."""
    found = re.findall(r'file: chapters/(\d\d_\w+)\n\s+title: "\d+ · ([^"]+)"', (root / "_toc.yml").read_text("utf-8"))
    return dict(found)


def only(pattern, text, what):
    found = pattern.search(text)
    if not found:
        raise ValueError(f"{what}: nothing looks like {pattern.pattern!r}")
    return found


def exercises(text):
    """The exercises of a page: points and minutes stand in the heading, or in the line below it."""
    found = []
    for number, title, in_heading, below in EXERCISE.findall(text):
        said = only(FIGURES, in_heading or below, f"exercise {number}")
        points = sum(map(int, said["points"].split("+")))
        found.append(Exercise(int(number), title, points, int(said["minutes"]), said["level"]))
    return tuple(found)


def alternatives(text):
    """The stem, and the alternatives below it, (a) to (e) or 1. to 5."""
    marks = list(LETTERED.finditer(text)) or list(NUMBERED.finditer(text))
    if len(marks) < 2:
        return text.strip(), ()
    ends = [m.start() for m in marks[1:]] + [len(text)]
    options = [" ".join(text[m.end() : end].split()).rstrip(";,.") for m, end in zip(marks, ends, strict=True)]
    return text[: marks[0].start()].strip(), tuple(options)


def questions(chapter, text):
    """The questions of a chapter that offer alternatives, in order."""
    boxes, found = [(box[2], box[3].strip()) for box in BOX.finditer(text)], []
    for i, (title, body) in enumerate(boxes):
        if not title.startswith("Check yourself"):
            continue
        stem, options = alternatives(body)
        if not options:
            continue
        name = f"{chapter:02d}-{len(found) + 1}"
        if i + 1 == len(boxes) or not boxes[i + 1][0].startswith("Answer"):
            raise ValueError(f"{name}: no answer follows the question {stem[:60]!r}")
        right = only(RIGHT, boxes[i + 1][1], f"{name}: the answer")
        place = "abcde".index(right[1]) if right[1] else int(right[2]) - 1
        why = boxes[i + 1][1][right.end() :].lstrip(",.:; \n")
        found.append(Question(name, stem, options, place, why[:1].upper() + why[1:]))
    return tuple(found)


@cache
def chapters(root=ROOT):
    """Every chapter of the course that has exercises, in order."""
    course = []
    for file, title in titles(root).items():
        path = root / "chapters" / f"{file}.ipynb"
        practice = path.with_name(f"{file}_exercises.ipynb")
        if not practice.exists():
            continue
        text, number = markdown(path), int(file[:2])
        needs = only(NEEDS, text, path.name)[1].partition(" **Time**")[0]
        minutes = only(MINUTES, text, path.name)
        page = markdown(practice)
        course.append(
            Chapter(
                number,
                file,
                title,
                only(re.compile(r"^# (.+)$", re.M), text, path.name)[1],
                tuple(sorted({int(n) for n in LINKED.findall(needs)})),
                needs,
                int(minutes[1]),
                int(minutes[2]),
                tuple(line[2:].rstrip(";.") for line in only(OBJECTIVES, text, path.name)[1].split("\n")),
                exercises(page),
                tuple(map(int, only(TOTALS, page, practice.name).groups())),
                questions(number, text),
            )
        )
    return tuple(course)


def notes(path=DATA):
    """instructor/course.toml: number of the chapter -> its table; and the syllabi."""
    data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    return {int(number): table for number, table in data["chapter"].items()}, data["syllabus"]


def before(number, course):
    """Every chapter that must have been read before this one."""
    needs = {c.number: c.needs for c in course}
    reached, todo = set(), list(needs[number])
    while todo:
        one = todo.pop()
        if one not in reached:
            reached.add(one)
            todo += needs.get(one, ())
    return reached
