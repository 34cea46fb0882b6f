"""The book keeps the register, and the register notices when it does not."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from register import complaints, equation_tests, first_lines, labels_in, without_code

ROOT = Path(__file__).resolve().parents[2]


# --- the book -----------------------------------------------------------------------------


def test_every_labelled_equation_of_the_book_is_unique_tested_and_used():
    open_ones = complaints(ROOT)
    if open_ones:
        pytest.fail("\n".join(open_ones), pytrace=False)


def test_every_equation_test_says_by_what_it_judges():
    said = first_lines(ROOT)
    assert set(said) == set(equation_tests(ROOT)[0])
    assert [name for name, line in said.items() if not line.endswith((".", "?"))] == []


def test_pytest_collects_every_equation_test():
    asked = "-m pytest --collect-only -q -p no:cacheprovider -p no:xdist tests/equations"
    answer = subprocess.run([sys.executable, *asked.split()], cwd=ROOT, capture_output=True, text=True)
    collected = set(re.findall(r"::(test_eq_\w+)", answer.stdout))
    expected = set(equation_tests(ROOT)[0])
    assert expected, "no equation test was found: is this the book's directory?"
    assert collected == expected, f"not collected: {sorted(expected - collected)}; {answer.stdout[-500:]}"


# --- the register, on small books ---------------------------------------------------------

GOOD_TEST = "def test_eq_mean():\n    assert 1 + 1 == 2\n"


GOOD_PROSE = "$$\n\\mu = 1\n$$ (eq-mean)\n\nSee {eq}`eq-mean`."


def book(root, markdown=GOOD_PROSE, code="mu = 1  # eq-mean", tests=GOOD_TEST, page=""):
    """A book of one chapter, one page and one file of equation tests."""
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": markdown.splitlines(keepends=True)},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": code, "outputs": [], "execution_count": 1},
    ]
    for directory in ("chapters", "gmmlib", "tests/equations"):
        (root / directory).mkdir(parents=True)
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (root / "chapters/01_one.ipynb").write_text(json.dumps(notebook))
    (root / "chapters/notation.md").write_text(page)
    (root / "tests/equations/test_ch01.py").write_text(tests)
    return root


def test_a_kept_register_has_no_complaint(tmp_path):
    assert complaints(book(tmp_path)) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"tests": "def test_other():\n    assert 1 + 1 == 2\n"},
            "chapters/01_one.ipynb: cell 1: eq-mean has no test; write test_eq_mean in tests/equations/test_ch*.py",
        ),
        (
            {"code": "mu = 1  # eq-mean-of-all, pre-eq-mean and eq-meanwhile are other names"},
            "chapters/01_one.ipynb: cell 1: eq-mean is used by no line of code; cite it as a comment '# eq-mean'",
        ),
        (
            {"code": "text = '# eq-mean'"},
            "chapters/01_one.ipynb: cell 1: eq-mean is used by no line of code; cite it as a comment '# eq-mean'",
        ),
        (
            {"page": "$$x = 1$$ (eq-mean)"},
            "chapters/notation.md: the equation label eq-mean is already used in chapters/01_one.ipynb: cell 1",
        ),
        (
            {"page": "```{math}\n:label: eq-mean\nx = 1\n```"},
            "chapters/notation.md: the equation label eq-mean is already used in chapters/01_one.ipynb: cell 1",
        ),
        (
            {"tests": GOOD_TEST + "def test_eq_lost():\n    assert 1 + 1 == 2\n"},
            "tests/equations/test_ch01.py:3: test_eq_lost judges no equation; there is no label eq-lost",
        ),
        (
            {"tests": GOOD_TEST + GOOD_TEST},
            "tests/equations/test_ch01.py:3: test_eq_mean is already defined at tests/equations/test_ch01.py:1",
        ),
        (
            {"tests": "def test_eq_mean():\n    assert True\n"},
            "tests/equations/test_ch01.py:1: test_eq_mean asserts nothing, so it cannot fail",
        ),
        (
            {"tests": "import pytest\n@pytest.mark.skip\n" + GOOD_TEST},
            "tests/equations/test_ch01.py:3: test_eq_mean may be skipped or expected to fail; it must count",
        ),
        (
            {"tests": "def outer():\n    def test_eq_mean():\n        assert 1 + 1 == 2\n"},
            "tests/equations/test_ch01.py:2: test_eq_mean is never run; make it a plain function of the module",
        ),
        (
            {"page": "By {eq}`eq-mode` it follows."},
            "chapters/notation.md: the text refers to eq-mode, which labels no equation",
        ),
        (
            {"code": "mu = 1  # eq-mean, eq-maen"},
            "chapters/01_one.ipynb: cell 2: a comment cites eq-maen, which labels no equation",
        ),
        (
            {"page": "$$x = 1$$ (mean)"},
            "chapters/notation.md: the equation label 'mean' should look like eq-name",
        ),
    ],
)
def test_the_register_says_what_is_missing(tmp_path, change, expected):
    assert expected in complaints(book(tmp_path, **change))


def test_equation_tests_stay_with_their_chapter(tmp_path):
    root = book(tmp_path, tests="")
    (root / "tests/equations/test_more.py").write_text(GOOD_TEST)
    assert complaints(root) == ["tests/equations/test_more.py:1: test_eq_mean belongs in a file test_ch*.py"]


def test_a_citation_in_gmmlib_counts(tmp_path):
    root = book(tmp_path, code="mu = 1")
    (root / "gmmlib/gaussian.py").write_text("def mean(x):\n    return sum(x) / len(x)  # eq-mean\n")
    assert complaints(root) == []


@pytest.mark.parametrize("line", ["np.testing.assert_allclose(1, 2)", "with pytest.raises(ValueError): f()"])
def test_other_assertions_can_fail_too(tmp_path, line):
    assert complaints(book(tmp_path, tests=f"def test_eq_mean():\n    {line}\n")) == []


def test_unlabelled_equations_owe_nothing():
    assert labels_in("$$\nx = (1)\n$$\n\n$$ (a) + b $$\n\nand $$y$$ (eq-y) then (eq-z)") == ["eq-y"]


def test_labels_in_code_do_not_count():
    text = "Write `$$x$$ (eq-a)` or\n\n````text\n$$x$$ (eq-b)\n````\n\nbut {eq}`eq-c` stays. $$x$$ (eq-d)"
    assert labels_in(without_code(text)) == ["eq-d"]
    assert "{eq}`eq-c`" in without_code(text)
    assert labels_in(without_code("By {ref}`a` and $$y$$ (eq-y) or `b`.")) == ["eq-y"]
