"""What is put into nbgrader: our results where it would run code, and feedback of ours, without hidden tests."""

import io
import json
import logging
import re
from pathlib import Path

import nbformat
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ComputeChecksums,
    GetGrades,
    LimitOutput,
    LockCells,
    NbGraderPreprocessor,
    OverwriteKernelspec,
    SaveAutoGrades,
    SaveCells,
)
from traitlets import Dict, Unicode
from traitlets.config import Config

from . import formulas
from .page import HIDDEN, grade_id

# Our starters are made already: ClearSolutions would wipe every answer cell that has no markers.
RELEASE = [LockCells, ClearOutput, CheckCellMetadata, ComputeChecksums, SaveCells, ClearHiddenTests, ComputeChecksums]
TECHNICAL = ("Timeout", "Crashed", "NotAttempted")  # what a check shows that was not run to its end
HIDDEN_FAILS = "A check that is not shown fails: the answer passes what is shown, and not everything that must hold."


class PutResults(NbGraderPreprocessor):
    """In place of nbgrader's Execute: what came out of the sandbox."""

    folder = Unicode(help="where the results lie").tag(config=True)

    def preprocess(self, nb, resources):
        for number, found in results(self.folder, resources)["cells"].items():
            nb.cells[int(number)].outputs = outputs(found["outputs"])
        return nb, resources


class HideHidden(NbGraderPreprocessor):
    """Feedback is public: no line of a hidden test, in a cell, in a traceback or printed by the answer."""

    folder = Unicode(help="where the results lie").tag(config=True)
    summary = Dict(help="what stands above the page, as of report.summary").tag(config=True)

    def preprocess(self, nb, resources):
        found = results(self.folder, resources)
        items = {item["grade_id"]: dict(item) for item in self.summary["items"]}
        formulas.learn(cell.source for cell in nb.cells if cell.cell_type == "markdown" and not grade_id(cell))
        comments = {grade_id(cell): cell.metadata.nbgrader.get("comment") for cell in nb.cells if grade_id(cell)}
        stopped = {}
        for number, cell in enumerate(nb.cells):
            if cell.cell_type != "code":
                continue
            about = cell.metadata.get("nbgrader", {})
            tests = about.get("grade")
            if tests:
                cell.source = HIDDEN.sub("", cell.source).rstrip()
            in_hidden = found["cells"].get(str(number), {}).get("hidden", False)
            cell.outputs = [self.shown(out, tests, in_hidden, found["secret"]) for out in cell.outputs]
            cell.metadata["kind"] = "checks" if tests else "answer" if about.get("solution") else "given"
            cell.metadata["alt"] = "What this cell draws"
            stopped[about.get("grade_id")] = [out for out in cell.outputs if out.output_type == "error"]
        for item in items.values():
            found_here = said(stopped.get(item["answer_id"]), stopped.get(item["grade_id"]))
            item["said"] = item["said"] or comments.get(item["answer_id"]) or found_here
        resources["feedback"] = {**self.summary, "items": list(items.values()), "by_id": items}
        return nb, resources

    def shown(self, out, tests, in_hidden, secret):
        if out.output_type == "error":
            if tests and in_hidden:
                out.ename, out.evalue = "AssertionError", HIDDEN_FAILS
            out.traceback = [f"{out.ename}: {out.evalue}"] if tests else out.traceback
            out.traceback = [clean(text, secret) for text in out.traceback]
            out.evalue = clean(out.evalue, secret)
        elif out.output_type == "stream":
            out.text = clean(out.text, secret)
        else:
            out.data = {kind: clean(v, secret) if isinstance(v, str) else v for kind, v in out.data.items()}
        return out


def said(answer, checks):
    """What failed, in a line: the answer itself, where it stopped, and else what its checks say."""
    for who, errors in (("your answer stops: ", answer), ("", checks)):
        for out in errors or []:
            if out.ename not in TECHNICAL:
                words = [out.ename] if out.ename != "AssertionError" or not out.evalue else []
                words += [re.sub(r"<ipython[^>]*>, ", "", out.evalue)] if out.evalue else []
                return who + ": ".join(words)
    return ""


def clean(text, secret):
    return "\n".join(line for line in text.split("\n") if not any(hidden in line for hidden in secret))


def results(folder, resources):
    path = Path(folder) / f"{resources['nbgrader']['student']}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def outputs(raw):
    return [nbformat.from_dict(out) for out in raw]


TEMPLATES = Path(__file__).resolve().parent / "templates"  # nbgrader's own asks others for MathJax and for fonts


class Nbgrader:
    """nbgrader's three steps on one assignment of a course."""

    def __init__(self, course, name, gradebook=None):
        logging.getLogger("tornado.application").setLevel(logging.CRITICAL)  # the gradebook's; what fails is told once
        self.config = Config()
        self.config.CourseDirectory.root = str(course.folder)
        self.config.CourseDirectory.db_url = gradebook or course.gradebook
        self.config.CourseDirectory.course_id = "course"
        for part in (PutResults, HideHidden):
            self.config[part.__name__].folder = str(course.of("results", name))
        # PutResults and our rebuilt notebook take the places of Execute, DeduplicateIds and OverwriteCells.
        self.config.Autograde.sanitize_preprocessors = [ClearOutput, OverwriteKernelspec, CheckCellMetadata]
        self.config.Autograde.autograde_preprocessors = [PutResults, LimitOutput, SaveAutoGrades, CheckCellMetadata]
        self.config.GenerateAssignment.preprocessors = RELEASE
        self.config.GenerateFeedback.preprocessors = [GetGrades, HideHidden]
        self.config.HTMLExporter.template_name = "course_feedback"
        self.config.HTMLExporter.extra_template_basedirs = [str(TEMPLATES)]
        self.config.HTMLExporter.exclude_anchor_links = True
        self.config.HTMLExporter.filters = {"formulas": formulas.drawn}
        self.name, self.root = name, Path(course.folder)

    def step(self, converter, student=None):
        coursedir = CourseDirectory(config=self.config)
        coursedir.assignment_id = self.name
        if student is not None:
            coursedir.student_id = student
        made = converter(coursedir=coursedir, config=self.config)
        made.force = True
        # What nbgrader says is for its own command line; it is of use only when a step fails.
        said = io.StringIO()
        made.log = logging.Logger("nbgrader", logging.WARNING)
        made.log.addHandler(logging.StreamHandler(said))
        try:
            made.start()
        except NbGraderException as err:
            raise RuntimeError(f"nbgrader: {said.getvalue()}") from err

    def assign(self):
        self.step(GenerateAssignment)

    def autograde(self, student):
        self.step(Autograde, student)

    def feedback(self, student, summary):
        css = (TEMPLATES / "course_feedback/feedback.css").read_text(encoding="utf-8")
        self.config.HideHidden.summary = {**summary, "css": css}
        self.step(GenerateFeedback, student)


def with_checksums(nb, starters):
    """Answer cells know the checksum of what was handed out, so that nbgrader sees an essay nobody wrote."""
    from nbgrader.utils import compute_checksum

    known = {grade_id(cell): compute_checksum(cell) for cell in starters.cells if grade_id(cell)}
    for cell in nb.cells:
        if grade_id(cell) in known:
            cell.metadata.nbgrader["checksum"] = known[grade_id(cell)]
    return nb
