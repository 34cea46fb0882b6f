"""The hygiene of every notebook of the book (`tools/chapters.py check`, as a test)."""

import pytest
from hygiene import of_links, violations
from notebook_form import ROOT

from chapters import CHAPTERS

NOTEBOOKS = sorted(CHAPTERS.glob("*.ipynb"))


def test_the_book_has_chapters():
    assert NOTEBOOKS, "chapters/ holds no notebook: every check below would pass by judging nothing"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_clean(path):
    found = violations(path)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize("path", [ROOT / "intro.md", *sorted(CHAPTERS.glob("*.md"))], ids=lambda path: path.stem)
def test_a_page_links_to_files_that_are_there(path):
    assert list(of_links(path.read_text(encoding="utf-8"), path.parent)) == []
