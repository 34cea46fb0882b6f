"""The hygiene of every notebook of the book (`tools/chapters.py check`, as a test)."""

import pytest
from hygiene import violations

from chapters import CHAPTERS

NOTEBOOKS = sorted(CHAPTERS.glob("*.ipynb"))


def test_the_book_has_chapters():
    assert NOTEBOOKS, "chapters/ holds no notebook: every check below would pass by judging nothing"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_clean(path):
    found = violations(path)
    if found:
        pytest.fail("\n".join(found), pytrace=False)
