"""The explorer of chapter 10: its bugs run again by other means, and the game on a page."""

import importlib
import multiprocessing
import shutil
import sys
import tomllib
import traceback
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from playwright.sync_api import expect
from test_explorer_pages import address, open_page, said  # noqa: F401  fixtures

import gmmlib
from gmmlib import explorers
from gmmlib.explorers import _bug_zoo as zoo

PACKAGE = Path(gmmlib.__file__).parent
SEEDED = PACKAGE.parent / "tests" / "gmmlib" / "bug_zoo" / "mutants.toml"
NAMES = [case["name"] for case in zoo.CASES]

LIBRARY = "e_step m_step em fit_gaussian kmeans_plusplus log_gaussian mixture_log_density GaussianMixture".split()


def judge(folder, queue):
    """In a process of its own: import the copy below `folder` as `gmmlib` itself, and put which laws it breaks."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "gmmlib"]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        copied = importlib.import_module("gmmlib")
        laws = importlib.import_module("gmmlib.explorers._bug_zoo")
        assert all(Path(module.__file__).is_relative_to(folder) for module in (copied, laws))
        lib = SimpleNamespace(**{name: getattr(copied, name) for name in LIBRARY})
        queue.put([bool(laws.verdict(law, lib)) for law in laws.LAWS.values()])
    except BaseException:
        queue.put(traceback.format_exc())


def broken_laws(folder, case=None):
    """Which laws a bug breaks: the package copied by hand, one line changed, judged in a new process.

    The process is a fork of this one: numpy, scipy and scikit-learn are there, and loading them is what takes long.
    """
    shutil.copytree(PACKAGE, folder / "gmmlib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PACKAGE.parent / "data", folder / "data")
    if case:
        path = folder / "gmmlib" / case["file"]
        path.write_text(path.read_text(encoding="utf-8").replace(case["old"], case["new"]), encoding="utf-8")
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=judge, args=(folder, queue))
    process.start()
    process.join(120)
    assert not queue.empty(), "the process ended, or was ended, without a verdict"
    found = queue.get()
    assert isinstance(found, list), found
    return found


@pytest.mark.parametrize("number", range(12), ids=[name.replace(" ", "-") for name in NAMES])
def test_the_page_shows_what_a_new_process_finds(tmp_path, number):
    shown = [bool(how) for how in explorers.bug_zoo().state["cases"][number]["broken"]]
    assert shown == broken_laws(tmp_path, zoo.CASES[number])
    assert any(shown)


def test_the_library_as_it_stands_obeys_every_law(tmp_path):
    assert not any(broken_laws(tmp_path))
    assert not any(zoo.trial().values())


def test_the_copy_with_a_bug_leaves_no_trace():
    before, path = set(sys.modules), list(sys.path)
    with zoo.copy_of_gmmlib(zoo.CASES[1]) as copied:
        assert copied.e_step is not gmmlib.e_step
    assert sys.path == path
    assert not {name for name in set(sys.modules) - before if name.startswith("gmmlib_in_the_zoo")}
    assert np.isclose(gmmlib.mixture_log_density([[0.0]], [1.0], [[0.0]], [[[1.0]]])[0], -np.log(2 * np.pi) / 2)


def test_each_listing_has_the_wrong_line_once_and_the_right_line_is_gmmlibs():
    for case in zoo.CASES:
        found = zoo.listing(case)
        assert case["new"].strip() in found["lines"][found["guilty"]]
        assert case["old"].strip() in found["right"]
        assert found["right"] in (PACKAGE / case["file"]).read_text(encoding="utf-8")
        assert '"""' not in "".join(found["lines"])
        assert len(found["lines"]) > zoo.SHORT


def test_most_bugs_are_among_those_that_the_suite_must_notice():
    seeded = tomllib.loads(SEEDED.read_text(encoding="utf-8"))["mutant"]
    shared = [c for c in zoo.CASES if any(m["file"] == c["file"] and m["old"].strip() in c["old"] for m in seeded)]
    assert len(shared) >= 11


def test_a_line_that_is_gone_is_named():
    with pytest.raises(ValueError, match=r"stands 0 times in gmmlib/numerics\.py"):
        zoo.changed(zoo.CASES[2] | {"old": "no such line"})


def test_an_error_counts_as_broken():
    def law(lib):
        raise RuntimeError(lib)

    assert zoo.verdict(law, "no good") == "RuntimeError: no good"
    assert zoo.verdict(lambda lib: (True, "whatever"), None) == ""


@pytest.mark.parametrize("first", [0, 13, "one", 1.5])
def test_a_bug_that_is_not_there_is_refused(first):
    with pytest.raises(ValueError, match="first must be a whole number from 1 to 12"):
        explorers.bug_zoo(first)


def lines(page):
    return page.locator(".gmx-zoo-code button")


def test_the_game(open_page):  # noqa: F811
    page, cases = open_page("bug_zoo"), explorers.bug_zoo().state["cases"]
    expect(page.locator(".gmx-zoo-laws li")).to_have_count(sum(map(bool, cases[0]["broken"])))
    expect(lines(page)).to_have_count(len(cases[0]["lines"]))
    wrong = (cases[0]["guilty"] + 1) % len(cases[0]["lines"])
    lines(page).nth(wrong).click()
    expect(page.locator("[aria-live]")).to_contain_text(f"Not line {wrong + 1}")
    lines(page).nth(cases[0]["guilty"]).click()
    expect(page.locator("[aria-live]")).to_contain_text(f"Line {cases[0]['guilty'] + 1} it is")
    expect(page.locator("[aria-live]")).to_contain_text(cases[0]["source"])
    expect(page.locator(".gmx-tile b").nth(0)).to_have_text("1 of 12")
    expect(page.locator(".gmx-tile b").nth(1)).to_have_text("1")
    page.get_by_role("button", name="Next bug").click()
    expect(page.locator(".gmx")).to_contain_text(cases[1]["story"])
    page.get_by_role("button", name="Show me").click()
    expect(page.locator("[aria-live]")).to_contain_text(cases[1]["moral"])
    page.get_by_role("button", name="Previous bug").click()
    expect(page.locator("[aria-live]")).to_contain_text(cases[0]["moral"])  # what was found stays found
    assert page.problems == []


def test_the_game_by_keyboard_on_a_phone(open_page):  # noqa: F811
    page, case = open_page("bug_zoo", width=360), explorers.bug_zoo().state["cases"][0]
    lines(page).first.focus()
    for _ in range(case["guilty"]):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-live]")).to_contain_text("it is")
    page.keyboard.press("ArrowUp")
    expect(lines(page).nth(case["guilty"] - 1)).to_be_focused()
    for _ in range(11):
        page.get_by_role("button", name="Next bug").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("button", name="Next bug")).to_be_disabled()
    assert page.problems == []
