"""Sphinx extension: exercises pages with folded solutions, and the student's notebooks behind the download button.

Sphinx copies every source to `_sources/`, solutions and hidden tests included; the student's
notebooks take their place there.
"""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import nbformat

import student


def fold_solutions(app, docname, source):
    """Hand the notebook of an exercises page to the parser as readers are to see it."""
    if docname.endswith("_exercises"):
        nb = nbformat.v4.reads(source[0])
        source[0] = nbformat.v4.writes(student.site(nb))


def replace_downloads(app, exception):
    """Put the student's notebook where the download button finds the source."""
    if exception is not None or app.builder.name != "html":
        return
    for path in (Path(app.outdir) / "_sources" / "chapters").glob("*.ipynb"):
        shutil.copyfile(student.STUDENT / path.name, path)


def launch_students_notebooks(app, pagename, templatename, context, doctree):
    """Let the theme's buttons for Colab and Binder open the student's notebook."""
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []) if isinstance(group, dict) else []:
            if button.get("text") in ("Colab", "Binder"):
                button["url"] = button["url"].replace("/chapters/", f"/{student.STUDENT.name}/")


def setup(app):
    app.connect("source-read", fold_solutions)
    app.connect("html-page-context", launch_students_notebooks, priority=700)  # the theme's are there at 501
    app.connect("build-finished", replace_downloads)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
