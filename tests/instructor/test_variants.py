"""A seed makes another page of the same exercises: its own solution solves it, the published one does not."""

import contextlib
import io
import re

import matplotlib
import pytest
from submissions import answered, solutions, the_page

from instructor.kit import page, rebuild, sandbox, variants
from instructor.kit.course import ROOT, KitError

matplotlib.use("agg")
STATED = sorted(path.stem for path in (ROOT / "instructor" / "variants").glob("*.py"))


@pytest.fixture(scope="session")
def fonts(tmp_path_factory):
    return str(tmp_path_factory.mktemp("fonts"))


def passes(on, answers, fonts, only=None):
    """item -> whether `answers` pass every check of the page."""
    runs = rebuild.rebuild(answered(on, answers), on).runs
    found = sandbox.run([run for run in runs if only is None or run["item"] in only], fonts)
    last = {run["item"]: str(run["cells"][-1]["number"]) for run in runs}
    return {item: result["cells"].get(last[item], {}).get("success", False) for item, result in found.items()}


@pytest.mark.parametrize("name", ["01_one_gaussian", "13_kmeans"])
def test_a_pasted_number_no_longer_answers(name, fonts):
    published, variant = the_page(name), the_page(name, 7)
    assert passes(published, solutions(published), fonts, ["ex1"]) == {"ex1": True}
    assert passes(variant, solutions(variant), fonts, ["ex1"]) == {"ex1": True}
    pasted = solutions(variant) | {"ex1-solution": with_names(solutions(published)["ex1-solution"], published, variant)}
    assert passes(variant, pasted, fonts, ["ex1"]) == {"ex1": False}


def with_names(answer, published, variant):
    """The published numbers under the variant's names: nobody fails for a name."""
    old, new = (re.findall(r"^(\w+) =", solutions(of)["ex1-solution"], re.M) for of in (published, variant))
    for was, now in zip(old, new, strict=True):
        answer = re.sub(rf"\b{was}\b", now, answer)
    return answer


# Whose data or numbers a seed changes: the exercise for pencil and paper, and elsewhere these.
CHANGED = {name: {"ex1"} for name in STATED} | {"09_em_gaussian_mixtures": {"ex1", "ex5", "ex6"}}


def changed(variant, published):
    """The exercises in which a code cell differs: one that is given, an answer, or the checks."""
    found, exercise = set(), ""
    for new, old in zip(variant.nb.cells, published.nb.cells, strict=True):
        exercise = f"ex{m[1]}" if (m := re.search(r"^## (\d+)\.", old.source, re.M)) else exercise
        if new.cell_type == "code" and new.source != old.source:
            found.add(exercise)
    return found


@pytest.mark.parametrize("name", STATED)
def test_a_seed_changes_text_answers_and_checks_and_nothing_else(name):
    published = the_page(name)
    for seed in (1, 7, 2026):
        variant = the_page(name, seed)
        assert [(i.name, i.points) for i in variant.items] == [(i.name, i.points) for i in published.items]
        first = [cell.source for cell in variant.student().cells]
        assert first == [cell.source for cell in the_page(name, seed).student().cells]
        assert first != [cell.source for cell in published.student().cells]
        assert changed(variant, published) == CHANGED[name]


def by_hand(of, answers):
    """Exercise 1 as a notebook runs it, without a sandbox, since the answers are ours; a check that fails raises."""
    names = {}
    for cell in of.master().cells:
        name = page.grade_id(cell) or ""
        if cell.cell_type == "code" and cell.get("id") != "course-setup" and (not name or name.startswith("ex1-")):
            with contextlib.redirect_stdout(io.StringIO()):
                exec(answers.get(name, cell.source), names)
        if name == "ex1-tests":
            return


def solved_and_pasted(name, seeds):
    published = the_page(name)
    old = solutions(published)["ex1-solution"]
    by_hand(published, solutions(published))
    for seed in seeds:
        variant = the_page(name, seed)
        by_hand(variant, solutions(variant))
        with pytest.raises(AssertionError):
            by_hand(variant, {"ex1-solution": with_names(old, published, variant)})


@pytest.mark.parametrize("name", STATED)
def test_the_variants_answer_passes_and_the_published_one_does_not(name):
    solved_and_pasted(name, [7])


@pytest.mark.sweep
@pytest.mark.parametrize("name", STATED)
def test_no_seed_makes_a_right_answer_look_like_a_slip(name):
    """A student's seed is any of a thousand million: no right answer may come near one that a check refuses."""
    solved_and_pasted(name, range(1, 40 if name in SLOW else 150))


SLOW = ("11_in_practice", "13_kmeans")  # they fit mixtures, and draw thousands of seeds


@pytest.mark.sweep
@pytest.mark.parametrize("seed", [1, 5, 2026])
@pytest.mark.parametrize("name", STATED)
def test_a_variants_solution_is_full(name, seed, fonts):
    variant = the_page(name, seed)
    found = passes(variant, solutions(variant), fonts)
    assert found == dict.fromkeys(found, True)
    assert len(found) == len([item for item in variant.items if item.kind == "code"])


def test_a_students_seed_is_the_same_for_ever():
    assert [variants.seed_of(0, who) for who in ("1001", "1002")] == [SEEDS["1001"], SEEDS["1002"]]
    assert variants.seed_of(1, "1001") != variants.seed_of(0, "1001")


SEEDS = {"1001": 343847261, "1002": 46148700}  # as sha256 has it, in any language


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "", "1234567890"])
def test_a_seed_is_a_whole_number(text):
    with pytest.raises(KitError, match="SEED is a whole number"):
        variants.read_seed(text)


def test_a_page_that_changed_under_its_variant_is_an_error(monkeypatch):
    was = page.load("09")
    for cell in was.nb.cells:
        cell.source = cell.source.replace("the wait of 80", "the last wait")
    with pytest.raises(KitError, match=r"no longer says 'the wait of 80'; mend instructor/variants/09"):
        variants.varied(was, 7)


def test_every_exercises_page_has_a_variant_and_the_guide_lists_them():
    pages = {path.stem.removesuffix("_exercises") for path in (ROOT / "chapters").glob("*_exercises.ipynb")}
    assert set(STATED) == pages
    guide = (ROOT / "instructor" / "GRADING.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d+) \| [^|]+ \| ([\d, ]*)[^|]*\|$", guide, re.M)
    assert [number.zfill(2) for number, _ in listed] == [name[:2] for name in STATED]
    for (_, others), name in zip(listed, STATED, strict=True):
        assert {"ex1"} | {f"ex{n}" for n in re.findall(r"\d+", others)} == CHANGED[name]


def test_a_page_without_variants_says_so(monkeypatch, tmp_path):
    """A chapter that somebody adds."""
    (tmp_path / "01_one_gaussian.py").touch()
    monkeypatch.setattr(variants, "FOLDER", tmp_path)
    with pytest.raises(
        KitError, match="chapter 02_maximum_likelihood has no variants yet, only 01: leave SEED and EACH"
    ):
        the_page("02", 7)
