"""The tables and the graph of the page for instructors, made from the chapters when the book is built.

`{course} NAME` in a page becomes: `map` (the graph of what needs what), `chapters`, `exercises`, `objectives`,
`beliefs`, `rooms` (discussion and board) or `syllabi`.
"""

import html
import re
import sys
from pathlib import Path

from docutils import nodes
from made import Made, table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import course_map as cm

NAME = re.compile(r"\b(\d\d)-(\d)\b")  # of a question; it does not break at its hyphen
COLUMN, ROW, WIDTH, HEIGHT = 176, 64, 146, 42


def link(chapter, text=None):
    return f"[{text or chapter.title}]({chapter.file}.ipynb)"


def direct(chapter, course):
    """What a chapter needs that none of its other needs brings with it."""
    return [n for n in chapter.needs if not any(n in cm.before(m, course) for m in chapter.needs)]


def graph(course):
    """An SVG: a chapter stands to the right of all it needs, with an arrow from each direct need."""
    depth = {}
    for c in course:
        depth[c.number] = 1 + max((depth[n] for n in c.needs), default=-1)
    columns = {d: [c for c in course if depth[c.number] == d] for d in sorted(set(depth.values()))}
    tallest = max(map(len, columns.values()))
    place = {
        c.number: (d * COLUMN + 6, (i + (tallest - len(there)) / 2) * ROW + 8)
        for d, there in columns.items()
        for i, c in enumerate(there)
    }
    parts = []
    for c in course:
        x, y = place[c.number]
        for n in direct(c, course):
            a, b = place[n]
            parts.append(
                f'<path d="M{a + WIDTH} {b + HEIGHT / 2} C{a + WIDTH + 24} {b + HEIGHT / 2} {x - 24} {y + HEIGHT / 2}'
                f' {x - 4} {y + HEIGHT / 2}" fill="none" stroke="currentColor" marker-end="url(#arrow)"/>'
            )
    for c in course:
        x, y = place[c.number]
        words, lines = c.title.split(), [""]
        for word in words:
            if len(lines[-1]) + len(word) > 18:
                lines.append("")
            lines[-1] = f"{lines[-1]} {word}".strip()
        lines = lines if len(lines) < 3 else [lines[0], f"{lines[1]} …"]
        parts.append(
            f'<a href="{c.file}.html"><title>{c.number} · {html.escape(c.title)}</title>'
            f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="none" stroke="currentColor"/>'
            f'<text x="{x + 8}" y="{y + HEIGHT / 2 + 5}" font-size="15" font-weight="700">{c.number}</text>'
            + "".join(
                f'<text x="{x + 34}" y="{y + HEIGHT / 2 + 4 + 13 * (i - (len(lines) - 1) / 2)}" font-size="11">'
                f"{html.escape(line)}</text>"
                for i, line in enumerate(lines)
            )
            + "</a>"
        )
    wide, high = len(columns) * COLUMN - 18, tallest * ROW
    said = "; ".join(f"{c.number} needs {' and '.join(map(str, direct(c, course)))}" for c in course if c.needs)
    return (
        f'<figure class="course-map"><svg viewBox="0 0 {wide} {high}" role="group" aria-label="Chapters and what they '
        f'need: {said}." fill="currentColor"><defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>'
        f"{''.join(parts)}</svg></figure>"
    )


def chapters_table(course, notes):
    rows = []
    for c in course:
        leads = [str(d.number) for d in course if c.number in direct(d, course)]
        needs = ", ".join(map(str, direct(c, course))) or "–"
        points, minutes = c.totals
        rows.append([str(c.number), link(c), needs, ", ".join(leads) or "–", str(c.minutes), str(minutes), str(points)])
    total = [sum(c.minutes for c in course), sum(c.totals[1] for c in course), sum(c.totals[0] for c in course)]
    rows.append(["", "all", "", "", *map(str, total)])
    return table(["no.", "chapter", "needs", "leads to", "reading, min", "exercises, min", "points"], rows)


def exercises_table(course, notes):
    return table(
        ["no.", "exercise", "points", "min", "level"],
        [
            [f"{c.number}.{e.number}", f"[{e.title}]({c.file}_exercises.ipynb)", str(e.points), str(e.minutes), e.level]
            for c in course
            for e in c.exercises
        ],
    )


def objectives_table(course, notes):
    lines = []
    for c in course:
        lines += [f"**{c.number} · {c.title}**", ""]
        lines += table(
            ["A student can", "exercises"],
            [
                [said, ", ".join(f"{c.number}.{n}" for n in tested)]
                for said, tested in zip(c.objectives, notes[c.number]["tests"], strict=True)
            ],
        )
    return lines


def beliefs_table(course, notes):
    names = {q.name: c for c in course for q in c.questions}
    rows = []
    for c in course:
        for belief, reveals in notes[c.number]["beliefs"]:
            if reveals in names:
                where = link(c, f"question {reveals}")
            else:
                where = f"[exercise {c.number}.{reveals}]({c.file}_exercises.ipynb)"
            rows.append([belief, where])
    return table(["What students believe", "brought to light by"], rows)


def rooms(course, notes):
    lines = []
    for c in course:
        lines += [f"**{c.number} · {c.title}**", ""]
        lines += [f"- Discuss: {text}" for text in notes[c.number]["discuss"]]
        lines += [f"- Board: {text}" for text in notes[c.number]["board"]] + [""]
    return lines


def syllabi(course, notes):
    by_number = {c.number: c for c in course}
    lines = []
    for plan in cm.notes()[1]:
        lines += [f"**{plan['name']}**: {plan['hours']:g} hours, for {plan['for']}.", ""]
        for i, s in enumerate(plan["sessions"], 1):
            read = ", ".join(link(by_number[n], str(n)) for n in s["chapters"])
            what = NAME.sub("\\1\u2011\\2", s["do"])
            lines.append(f"{i}. {s['minutes']} minutes, chapter {read}. {what}")
        work = [by_number[n] for n in plan["homework"]]
        hours = sum(c.totals[1] for c in work) / 60
        lines += [
            "",
            f"Homework: the exercises of {', '.join(str(c.number) for c in work)}, about {hours:.0f} hours.",
            "",
        ]
    return lines


PARTS = {
    "chapters": chapters_table,
    "exercises": exercises_table,
    "objectives": objectives_table,
    "beliefs": beliefs_table,
    "rooms": rooms,
    "syllabi": syllabi,
}


class Course(Made):
    """One of the parts, in the place of the directive."""

    required_arguments = 1
    sources = (cm.DATA, *(cm.ROOT / "chapters").glob("*.ipynb"))

    def lines(self):
        return PARTS[self.arguments[0]](cm.chapters(), cm.notes()[0])

    def run(self):
        if self.arguments[0] != "map":
            return super().run()
        return [nodes.raw("", graph(cm.chapters()), format="html")]


def setup(app):
    app.add_directive("course", Course)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
