"""A submission put back into the page: the student's answers and own cells, the page's text, code and checks.

Whatever was done to a check, to the text or to the order, what is graded is the page; so a check that was
deleted, moved or replaced gains nothing, and a cell that stands twice counts once.
"""

import copy
import json
import re
from dataclasses import dataclass, field

from student import part

from .page import grade_id

ATTACHED = "attached by the student"


class Unreadable(Exception):
    """Not a notebook; the message says why."""


@dataclass
class Rebuilt:
    nb: object
    attempted: dict  # item name -> whether the answer differs from what was handed out
    runs: list = field(default_factory=list)  # one for each exercise: {"item", "cells"}


def parse(data):
    """A notebook from bytes, in whatever version and by whatever program it was saved."""
    import nbformat

    for encoding in ("utf-8-sig", "utf-16"):
        try:
            raw = json.loads(data.decode(encoding))
            break
        except (UnicodeError, ValueError, RecursionError):
            continue
    else:
        raise Unreadable("it is not a notebook: not JSON")
    try:
        if not isinstance(raw, dict) or not ("cells" in raw or "worksheets" in raw):
            raise Unreadable("it is not a notebook: JSON without cells")
        nb = nbformat.convert(nbformat.from_dict(raw), 4)
        for cell in nb.cells:
            if isinstance(cell.get("source"), list):
                cell.source = "".join(cell.source)
            if not isinstance(cell.source, str) or cell.cell_type not in ("code", "markdown", "raw"):
                raise Unreadable("it is not a notebook: a cell has no text")
            cell.setdefault("metadata", nbformat.NotebookNode())
    except Unreadable:
        raise
    except Exception as err:
        raise Unreadable(f"it is not a notebook that Jupyter can read: {type(err).__name__}") from err
    return nb


def plain(source):
    """A source as it is compared: line ends and blanks at their end do not count."""
    return "\n".join(line.rstrip() for line in source.replace("\r\n", "\n").strip().splitlines())


def likeness(nb, page):
    """How many cells of the page stand in `nb` as they were handed out: which chapter is this?"""
    theirs = {plain(cell.source) for cell in nb.cells}
    cells = [cell for cell in page.student().cells if cell.get("id") != "course-setup"]
    ours = {plain(cell.source) for cell in cells if grade_id(cell) or cell.source.startswith("# ")}
    ours = {text for text in ours if len(text) > 40 or text.startswith("# ")}
    return len(theirs & ours)


def given(page):
    """What is handed out with the page, answers aside."""
    return {plain(cell.source) for cell in page.student().cells if part(cell) not in ("answer", "essay")}


def taken_from(nb, who, pages):
    """Whose page `nb` was made from when it was not that of `who`, else ""; pages is id -> what was handed out."""
    theirs = {plain(cell.source) for cell in nb.cells}
    alike = {owner: len(theirs & cells) for owner, cells in pages.items()}
    best = max(alike, key=alike.get)
    return best if alike[best] > alike[who] else ""


def rebuild(nb, page):
    """The page with the answers of the submission `nb`, and what is to be run, one exercise at a time."""
    master, starters = page.master(), {}
    ours = {plain(cell.source) for cell in page.student().cells}
    for cell in page.student().cells:
        if grade_id(cell):
            starters[grade_id(cell)] = cell.source
    answers, own = sorted_cells(nb, page, starters, ours)

    made, attempted = copy.deepcopy(master), {}
    made.cells = []
    position = None  # own cells stand behind the cell of ours that they stood behind
    for extra in own.get(None, []):
        made.cells.append(extra)
    for cell in master.cells:
        position = grade_id(cell) or plain(cell.source)
        cell = copy.deepcopy(cell)
        if position in answers:
            cell.source = answers[position]
        if cell.get("id") != "course-setup":
            made.cells.append(cell)
        made.cells.extend(own.get(position, []))
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"  # ids of our own: unique, and valid in any version
    for item in page.items:
        given = answers.get(item.answer_id, starters[item.answer_id])
        attempted[item.name] = bool(plain(given)) and plain(given) != plain(starters[item.answer_id])
    return Rebuilt(made, attempted, [run(made, item) for item in page.items if item.kind == "code"])


def sorted_cells(nb, page, starters, ours):
    """The student's answers by grade_id, and the student's own code cells by what they stand behind."""
    answer_ids = {item.answer_id for item in page.items}
    heads = {name: head(source) for name, source in starters.items() if name in answer_ids}
    bare = not any(grade_id(cell) for cell in nb.cells)  # saved by a program that drops metadata
    answers, own, behind = {}, {}, None
    for cell in nb.cells:
        name = grade_id(cell)
        if bare and cell.cell_type == "code":
            name = next((n for n, h in heads.items() if h and head(cell.source) == h and n not in answers), None)
        if name in answer_ids:
            # Twice: the one that was worked on counts; of two of those the last.
            if name not in answers or plain(cell.source) != plain(starters[name]):
                answers[name] = cell.source
            behind = name
        elif name in starters:
            behind = name
        elif plain(cell.source) in ours:
            behind = plain(cell.source)
        elif cell.cell_type == "code" and cell.source.strip():
            extra = copy.deepcopy(cell)
            extra.metadata = {"course": ATTACHED}
            extra.outputs, extra.execution_count = [], None
            if "import gmmlib" in extra.source and "pip install" in extra.source:
                continue
            own.setdefault(behind, []).append(extra)
    return answers, own


def head(source):
    """By what an answer cell is known when its metadata is lost: the name that it defines first."""
    found = re.search(r"^(def \w+|\w+ = )", source, re.M)
    return found[0] if found else ""


def run(nb, item):
    """The cells of one exercise's run: everything that is given above it, the answer, the checks."""
    cells, at = [], {grade_id(c): n for n, c in enumerate(nb.cells) if grade_id(c)}
    for number, cell in enumerate(nb.cells[: at[item.grade_id] + 1]):
        kind = "given"
        if cell.cell_type != "code":
            continue
        if grade_id(cell) == item.answer_id:
            kind = "answer"
        elif grade_id(cell) == item.grade_id:
            kind = "checks"
        elif cell.metadata.get("course") == ATTACHED:
            kind = "own"
        elif grade_id(cell):
            kind = "other" if cell.metadata.nbgrader.get("solution") else None
        if kind:
            cells.append({"number": number, "kind": kind, "source": cell.source})
    return {"item": item.name, "cells": cells}
