"""The page "symptom, cause, cure": every block runs, prints what stands below it, and shows what its heading says."""

import io
import re
from contextlib import redirect_stdout

import pytest

from chapters import CHAPTERS

PAGE = (CHAPTERS / "symptoms.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.S)
PREAMBLE, *BLOCKS = [(m[1], m[2]) for m in BLOCK.finditer(PAGE)]
HEADINGS = re.findall(r"^### (.+)$", PAGE, re.M)
PARTS = re.split(r"^### .+$", PAGE, flags=re.M)[1:]
# What a block may borrow from one above: the digits.
BORROWED = "from gmmlib import datasets as _d; digits = _d.load_digits().X\n"


def printed(code, space=None):
    space = {"__name__": "page"} if space is None else space
    with redirect_stdout(io.StringIO()) as out:
        exec(compile(BORROWED + PREAMBLE[0] + code, "symptoms.md", "exec"), space)
    return out.getvalue()


@pytest.mark.parametrize(("code", "expected"), BLOCKS, ids=HEADINGS)
@pytest.mark.filterwarnings("ignore")
def test_a_block_prints_what_stands_below_it(code, expected):
    assert printed(code) == expected


def test_every_symptom_has_a_cause_a_cure_and_a_block():
    assert len(HEADINGS) == len(BLOCKS) == len(set(HEADINGS)) >= 15
    for heading, part in zip(HEADINGS, PARTS, strict=True):
        for word in ("**Cause.**", "**Cure.**", "```python", "```text"):
            assert part.count(word) == 1, f"{heading}: {word}"


def test_no_line_of_code_scrolls():
    lines = [line for code, out in BLOCKS for line in (PREAMBLE[0] + code + out).splitlines()]
    assert [line for line in lines if len(line) > 72] == []


def numbers(heading):
    """The numbers printed under a heading, one list a line; what the page says in words leans on them."""
    text = BLOCKS[HEADINGS.index(heading)][1]
    return [[float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-\d+)?", line)] for line in text.splitlines()]


def test_what_the_page_says_in_words_stands_in_its_numbers():
    fell = numbers("My log-likelihood fell")
    assert fell[0][-1] == 0 < fell[1][-1]
    (_, stuck, _, one), (_, free, _, _) = numbers("It says `converged_`, and the components are all alike")
    assert abs(stuck - one) < 1 < free - one
    both, in_order = numbers("Every run gives another result, or other labels")
    assert len(both) > 1 == len(in_order)
    (early, late), (early_too, late_too) = numbers("Two libraries stop at different numbers")
    assert early != early_too
    assert late == late_too
    (_, needle), (_, blunt) = numbers("One component is a needle")
    assert needle < 0.1 < 1 <= blunt
    dead, again = numbers("A component has weight zero")
    assert min(dead) == 0 < 0.3 < min(again)
    (_, lost), (_, found) = numbers("Everything lands in one cluster")
    assert lost < 0.2 * found
    assert numbers("My data are counts of values") == [[2, 1]]
    (_, exact), (_, rounded), (_, centred) = numbers("Single precision loses digits")
    assert abs(exact - centred) < 0.2 < 5 < abs(exact - rounded)
    (_, minutes), (_, days) = ([None, line[-1]] for line in numbers("The log-likelihood is positive"))
    assert minutes < 0 < days
    (plain, quick), _ = numbers("It takes for ever")
    assert quick < plain / 2
    sizes = [line[-1] for line in numbers("Memory runs out")]
    assert sizes == sorted(sizes, reverse=True)
