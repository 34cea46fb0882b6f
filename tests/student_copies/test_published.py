"""What the built site gives away: the student's notebooks, and no line of a hidden test."""

import html
import os
import re
from pathlib import Path

import nbformat
import pytest
from notebook_form import ROOT

from student import PAGES, STUDENT, checks, part, sources, starter

SITE = Path(os.environ.get("SITE", ROOT / "_build" / "html")).resolve()
EXERCISES = [path for path in sources() if path.stem.endswith("_exercises")]


def test_the_download_button_gives_the_students_notebook():
    downloads = SITE / "_sources" / "chapters"
    assert {path.name for path in downloads.glob("*.ipynb")} == {path.name for path in sources()}
    for path in sources():
        assert (downloads / path.name).read_bytes() == (STUDENT / path.name).read_bytes(), path.name
        page = (SITE / "chapters" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert f"../_sources/chapters/{path.name}" in page


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_no_line_of_a_hidden_test_is_published(path):
    cells = nbformat.read(path, as_version=4).cells
    shown = {line.strip() for cell in cells for line in checks(cell.source).splitlines()}
    for other in STUDENT.glob("*.ipynb"):  # another page may ask the same in the open
        if other.name != path.name:
            shown |= {line.strip() for cell in nbformat.read(other, 4).cells for line in cell.source.splitlines()}
    hidden = {line.strip() for cell in cells if part(cell) == "tests" for line in cell.source.splitlines()} - shown
    hidden = {line for line in hidden if line.startswith("assert ") or "### " in line}
    assert len(hidden) > 5
    texts = [p for p in SITE.rglob("*") if p.suffix in (".html", ".ipynb", ".js", ".txt", ".md")]
    for published in texts:
        text = published.read_text(encoding="utf-8", errors="ignore")
        plain = html.unescape(re.sub(r"<[^>]+>", "", text)) if published.suffix == ".html" else text.replace('\\"', '"')
        found = [line for line in hidden if line in plain]
        assert found == [], f"{published.relative_to(SITE)} shows a hidden test of {path.stem}"


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_a_page_shows_starters_and_folds_solutions(path):
    page = (SITE / "chapters" / f"{path.stem}.html").read_text(encoding="utf-8")
    answers = [cell for cell in nbformat.read(path, as_version=4).cells if part(cell) == "answer"]
    assert page.count("# Your code here.") == sum(starter(cell.source).count("# Your code") for cell in answers) > 0
    assert page.count("Show a solution") == page.count("Show the checks") == len(answers)
    assert "BEGIN SOLUTION" not in page


def test_the_pages_that_students_get_are_there():
    assert all((STUDENT / f"{page}.md").is_file() for page in PAGES)
