"""What whoever grades reads: grades.csv, and by_hand.csv, which also takes the points that a person gives.

A technical failure never shows as points: its cell is empty, its status says what happened, and by_hand.csv asks.
"""

import csv
import io
from contextlib import suppress

from .collect import csv_text, roster
from .course import KitError, write

ASKS = ("check by hand", "timeout", "crashed")
HEAD = ["id", "item", "why", "of", "points", "comment", "answer"]


def people(course, name):
    """id -> name, as of the last `make collect`."""
    return {who: called for who, (_, called) in roster(course.of("received", name, "roster.csv")).items()}


def settle(course, name, page, marks, statuses, gradebook):
    """Put what a person decided into the gradebook; return id -> (status, {item: (points or None, status)})."""
    from nbgrader.api import Gradebook, MissingEntry

    decided = read_by_hand(course, name, page)
    rows = {}
    with Gradebook(gradebook, "course") as book:
        for who, status in statuses.items():
            with suppress(MissingEntry):  # it was graded before and is gone or spoilt now
                book.remove_submission(name, who)
            book.update_or_create_student(who)
            rows[who] = status, {}
        for who in sorted(marks):
            first, _, last = people(course, name).get(who, "").rpartition(" ")
            book.update_or_create_student(who, first_name=first, last_name=last)
            items = {}
            for item in page.items:
                state, answer = marks[who]["status"][item.name], marks[who]["answers"][item.name]
                grade = book.find_grade(item.grade_id, page.stem, name, who)
                points, comment = decided.get((who, item.name, answer), (None, ""))
                if points is not None:
                    grade.manual_score, grade.needs_manual_grade, state = points, False, "ok"
                    if comment:
                        book.find_comment(item.answer_id, page.stem, name, who).manual_comment = comment
                elif state in ASKS:
                    grade.manual_score, grade.needs_manual_grade = None, True
                    grade.auto_score = None
                else:
                    grade.manual_score, grade.needs_manual_grade = None, False
                    points = grade.auto_score or 0.0
                items[item.name] = points, state, answer
            rows[who] = overall(items), items
        book.db.commit()
    return rows


def overall(items):
    """One word for a submission: what a person has to look at comes first."""
    found = [state for _, state, _ in items.values()]
    if all(state == "not attempted" for state in found):
        return "not attempted"
    return next((state for state in ("timeout", "crashed", "check by hand") if state in found), "ok")


def write_csv(course, name, page, rows, whose=None):
    """`whose`, where everybody had data of one's own: id -> whose notebook was handed in, when it was another's."""
    called = people(course, name)
    head = ["id", "name", "status", "points so far", "of", "open"] + (["notebook of"] if whose is not None else [])
    for item in page.items:
        head += [item.name, f"{item.name} status"]
    table, asked = [head], [HEAD]
    of = {item.name: item.points for item in page.items}
    decided = read_by_hand(course, name, page)
    for who in sorted(rows):
        status, items = rows[who]
        known = [points for points, _, _ in items.values() if points is not None]
        waits = sum(of[item] for item, (points, _, _) in items.items() if points is None)
        total = number(sum(of.values()))
        sums = [number(sum(known)), total, number(waits)] if items else ["", total, ""]
        row = [who, called.get(who, ""), status, *sums] + ([whose.get(who, "")] if whose is not None else [])
        for item in page.items:
            points, state, answer = items.get(item.name, (None, status, ""))
            row += ["" if points is None else number(points), state]
            given = decided.get((who, item.name, answer))
            if state in ASKS or given:
                why = state if state in ASKS else "decided"
                asked.append([who, item.name, why, number(item.points), *shown(given), answer])
        table.append(row)
    folder = course.of("grades", name)
    write(folder / "by_hand.csv", csv_text(asked))
    write(folder / "grades.csv", csv_text(table))


def shown(given):
    return ["", ""] if not given else [number(given[0]), given[1]]


UNDECIDED = {
    "check by hand": "your instructor reads this",
    "timeout": "it was stopped; your instructor looks at it",
    "crashed": "it ended the program that ran it; your instructor looks at it",
    "not attempted": "the answer is as it was handed out",
}


def summary(page, items):
    """What a student reads above the page: points of each item, or that nothing is decided, which is not 0 points."""
    titles = [item.title for item in page.items]
    lines = []
    for i, (item, title) in enumerate(zip(page.items, titles, strict=True)):
        points, state, _ = items[item.name]
        part = titles[: i + 1].count(title)
        lines.append(
            {
                "grade_id": item.grade_id,
                "answer_id": item.answer_id,
                "title": title if titles.count(title) == 1 else f"{title}, part {part}",
                "of": number(item.points),
                "points": None if points is None else number(points),
                "said": UNDECIDED.get(state, ""),
            }
        )
    heading = next(line for cell in page.nb.cells for line in cell.source.splitlines() if line.startswith("# "))
    known = [points for points, _, _ in items.values() if points is not None]
    of = sum(item.points for item in page.items)
    waits = sum(item.points for item in page.items if items[item.name][0] is None)
    sums = {"known": number(sum(known)), "of": number(of), "open": number(waits)}
    return {"title": heading.removeprefix("# "), "items": lines, **sums}


def number(value):
    return f"{value:g}"


def read_by_hand(course, name, page):
    """(id, item, answer) -> (points, comment) of every row that somebody filled in."""
    path = course.of("grades", name, "by_hand.csv")
    if not path.exists():
        return {}
    from .collect import decoded, delimiter

    text = decoded(path.read_bytes())
    of, found = {item.name: item.points for item in page.items}, {}
    for line, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=delimiter(text)), 2):
        if not set(HEAD) <= set(row):
            raise KitError(f"{path.name} has lost its columns; it needs {', '.join(HEAD)}")
        entered = (row["points"] or "").strip().replace(",", ".")
        if not entered:
            continue
        try:
            points = float(entered)
        except ValueError:
            points = -1.0
        if row["item"] not in of or not 0 <= points <= of[row["item"]]:
            raise KitError(f"line {line} of by_hand.csv: {entered!r} is not a number of points from 0 to {row['of']}")
        found[row["id"], row["item"], row["answer"]] = points, row["comment"] or ""
    return found
