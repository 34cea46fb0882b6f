"""What an exercises page is made of: items with points, and the code that is given.

An item is one cell that earns points: `ex1`, `ex2a`, or an essay, `ex4-essay`, which a person grades.
"""

import re
from dataclasses import dataclass, field

from notebook_form import read

from student import HIDDEN, MARKER, part, student

from .course import assignment, exercises_page

__all__ = ["HIDDEN", "Item", "Page", "load"]

NOTEBOOK = re.compile(r"\[([^\]]+)\]\([\w./-]+\.ipynb(?:#[\w-]*)?\)")


@dataclass(frozen=True)
class Item:
    name: str  # "ex2a"; "ex6-essay"
    kind: str  # "code" or "essay"
    points: float
    grade_id: str  # of the cell that earns the points
    answer_id: str  # of the cell that the student writes
    title: str  # the heading above it


@dataclass
class Page:
    path: object
    nb: object  # the source: solutions and hidden tests included
    items: list = field(default_factory=list)

    @property
    def assignment(self):
        return assignment(self.path)

    @property
    def stem(self):
        return self.path.stem

    def student(self):
        """The student's notebook: starters, visible checks; no link to another notebook, since it goes out alone."""
        made = student(self.nb, self.stem)
        for cell in made.cells:
            if cell.cell_type == "markdown":
                cell.source = NOTEBOOK.sub(r"\1", cell.source)
        return made

    def master(self):
        """The student's notebook with the hidden tests still in it: what is graded against."""
        made, hidden = self.student(), {grade_id(c): c.source for c in self.nb.cells if part(c) == "tests"}
        for cell in made.cells:
            if grade_id(cell) in hidden:
                cell.source = hidden[grade_id(cell)]
        return made

    def hidden_lines(self):
        """Every line of a hidden test that says something; what no student may see."""
        blocks = [block for cell in self.nb.cells if part(cell) == "tests" for block in HIDDEN.findall(cell.source)]
        visible = {line.strip() for cell in self.student().cells for line in cell.source.splitlines()}
        lines = {line.strip() for block in blocks for line in MARKER.sub("", block).splitlines()}
        shown = "\n".join(visible)
        return {line for line in lines if len(line) > 7 and line not in shown}


def grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def load(chapter, nb=None):
    """The exercises page of `chapter`; `nb` is a variant of its notebook."""
    path = exercises_page(chapter)
    page = Page(path, read(path) if nb is None else nb)
    title, answer = "", None
    for cell in page.nb.cells:
        heading = [line for line in cell.source.splitlines() if line.startswith("## ")]
        if cell.cell_type == "markdown" and heading:
            title = heading[-1].removeprefix("## ")
        match part(cell):
            case "answer":
                answer = grade_id(cell)
            case "tests":
                about = cell.metadata.nbgrader
                name = about.grade_id.removesuffix("-tests")
                page.items.append(Item(name, "code", about.points, about.grade_id, answer, title))
            case "essay":
                about = cell.metadata.nbgrader
                page.items.append(Item(about.grade_id, "essay", about.points, about.grade_id, about.grade_id, title))
    return page
