"""`make grade`: run every submission in the sandbox, let nbgrader grade and keep the book, write csv and feedback."""

import hashlib
import json
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from . import rebuild, report, sandbox, variants
from .course import KitError, new_folder, write
from .page import HIDDEN
from .release import save

SECONDS = 60  # of processor time for an exercise; none of ours needs ten
PUBLISHED = "the published page"
TOLD = {
    "timeout": ("Timeout", "still running after {seconds} s; this is not 0 points, your instructor looks at it"),
    "crashed": ("Crashed", "the answer ended the program that ran it; your instructor looks at it"),
    "not attempted": ("NotAttempted", "the answer is as it was handed out"),
}


def grade(course, chapter, seconds=SECONDS, workers=2, out=sys.stdout):
    """Grade what was collected of a chapter; return the path of grades.csv."""
    plain = variants.page(chapter)
    name = plain.assignment
    if not course.of("received", name).exists():
        raise KitError(f"nothing was collected for chapter {name}; run `make collect CH={chapter} ...` first")
    variant = json.loads(course.of("variants", f"{name}.json").read_text(encoding="utf-8"))
    people = report.people(course, name)
    sandbox.refuse_root()
    if not sandbox.bubblewrap():
        print(sandbox.WARNING, file=out)

    if variant["per_student"]:
        pages = {who: variants.page(chapter, variants.seed_of(variant["seed"], who)) for who in people}
    else:
        pages = dict.fromkeys(people, variants.page(chapter, variant["seed"]))

    parsed, statuses = {}, {}
    for who in people:
        path = course.of("received", name, f"{who}.ipynb")
        try:
            parsed[who] = rebuild.parse(path.read_bytes())
        except FileNotFoundError:
            statuses[who] = "missing"
        except rebuild.Unreadable:
            statuses[who] = "unreadable"

    whose = None
    if variant["per_student"]:
        given = {PUBLISHED: rebuild.given(plain)} | {who: rebuild.given(page) for who, page in pages.items()}
        whose = {who: rebuild.taken_from(nb, who, given) for who, nb in parsed.items()}
        for who, other in whose.items():
            if other:
                print(f"{who} handed in the notebook of {other}; it is graded on the data of {who}", file=out)

    marks = {}
    sandbox.bubblewrap(), sandbox.font_cache(course.folder / ".fonts")
    with ThreadPoolExecutor(workers) as pool, Progress("running", len(parsed), out) as progress:
        jobs = {pool.submit(one, course, pages[who], who, nb, seconds): who for who, nb in parsed.items()}
        for job in as_completed(jobs):
            marks[jobs[job]] = job.result()
            progress.step(jobs[job])
    keep_book(course, name, plain, marks, statuses, whose, out)
    return course.of("grades", name, "grades.csv")


def one(course, page, who, nb, seconds):
    """Run one submission; write submitted/ and results/; return item name -> status."""
    from .nbgrader_parts import with_checksums

    made = rebuild.rebuild(nb, page)
    wanted = [run for run in made.runs if made.attempted[run["item"]]]
    found = sandbox.run(wanted, course.folder / ".fonts", seconds)
    statuses, cells = {}, {}
    for run in made.runs:
        item, checks = run["item"], run["cells"][-1]
        result = found.get(item, {"how": "not attempted", "cells": {}})
        statuses[item] = "ok" if result["how"] == "done" else result["how"]
        ran = {int(number): cell for number, cell in result["cells"].items()}
        for cell in run["cells"]:
            if cell["kind"] in ("answer", "own") and cell["number"] in ran:
                cells[cell["number"]] = ran[cell["number"]]
        last = ran.get(checks["number"])
        if last is None or statuses[item] != "ok":
            status = statuses[item] if statuses[item] != "ok" else "crashed"
            statuses[item] = status
            ename, text = TOLD[status]
            text = text.format(seconds=seconds)
            last = {"outputs": [{"output_type": "error", "ename": ename, "evalue": text, "traceback": [text]}]}
        last["hidden"] = failed_in_hidden(last, checks["source"])
        cells[checks["number"]] = last
    for item in page.items:
        if item.kind == "essay":
            statuses[item.name] = "check by hand" if made.attempted[item.name] else "not attempted"
    answers = {item.name: digest(made.nb, item) for item in page.items}
    with_checksums(made.nb, page.student())
    with new_folder(course.folder / "submitted" / who / page.assignment) as folder:
        save(made.nb, folder / f"{page.stem}.ipynb")
    secret = sorted(page.hidden_lines())
    write(course.of("results", page.assignment, f"{who}.json"), json.dumps({"cells": cells, "secret": secret}))
    return {"status": statuses, "answers": answers}


def failed_in_hidden(result, source):
    """Whether the checks failed at a line of a hidden test."""
    line = result.get("line")
    if not line:
        return False
    return any(
        source.count("\n", 0, block.start()) + 1 <= line <= source.count("\n", 0, block.end())
        for block in HIDDEN.finditer(source)
    )


def digest(nb, item):
    from .page import grade_id

    text = next(cell.source for cell in nb.cells if grade_id(cell) == item.answer_id)
    return hashlib.sha256(rebuild.plain(text).encode()).hexdigest()[:8]


def keep_book(course, name, page, marks, statuses, whose, out):
    """nbgrader's part, on a copy of the gradebook that takes its place at the end."""
    from .nbgrader_parts import Nbgrader

    real, work = course.folder / "gradebook.db", course.folder / ".gradebook.work.db"
    try:
        shutil.copyfile(real, work)
        nbgrader = Nbgrader(course, name, f"sqlite:///{work}")
        with Progress("grading", len(marks), out) as progress:
            for who in sorted(marks):
                nbgrader.autograde(who)
                progress.step(who)
        rows = report.settle(course, name, page, marks, statuses, f"sqlite:///{work}")
        with Progress("feedback", len(marks), out) as progress:
            for who in sorted(marks):
                nbgrader.feedback(who, report.summary(page, rows[who][1]))
                progress.step(who)
        os.replace(work, real)
        report.write_csv(course, name, page, rows, whose)
    finally:
        work.unlink(missing_ok=True)


class Progress:
    """A bar on a terminal, a line at each quarter elsewhere."""

    def __init__(self, what, total, out):
        self.what, self.total, self.out, self.done = what, total, out, 0
        self.live, self.start = hasattr(out, "isatty") and out.isatty(), time.monotonic()

    def __enter__(self):
        return self

    def step(self, who):
        self.done += 1
        filled = 30 * self.done // max(self.total, 1)
        line = f"{self.what:8s} [{'#' * filled}{'.' * (30 - filled)}] {self.done}/{self.total}"
        if self.live:
            print(f"\r{line} {who[:20]:20s}", end="", file=self.out, flush=True)
        elif 4 * self.done // self.total > 4 * (self.done - 1) // self.total:
            print(line, file=self.out, flush=True)

    def __exit__(self, *_):
        if self.live:
            print(f"\r{self.what:8s} {self.done} in {time.monotonic() - self.start:.0f} s{' ' * 50}", file=self.out)
