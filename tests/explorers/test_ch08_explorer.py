"""The explorer of chapter 8: its mathematics against gmmlib's and numpy's, and what it does on a page."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from playwright.sync_api import expect
from test_explorer_maths import js  # noqa: F401  fixtures
from test_explorer_pages import address, number, open_page, said  # noqa: F401

import gmmlib
from gmmlib import explorers

WAITS = gmmlib.datasets.load_old_faithful().column("waiting")
X, COUNTS = np.unique(WAITS, return_counts=True)
DATA = {"x": X.tolist(), "n": COUNTS.tolist(), "sd": 6.0}


def mixture(means):
    return [0.5, 0.5], np.reshape(means, (2, 1)), np.full((2, 1, 1), 36.0)


def by_counting(q, prevalence):
    """The bound from its definition: expected log of joint over guess, label by label."""
    joint = np.array([prevalence, (1 - prevalence) / 4])
    guess = np.array([q, 1 - q])
    return 5 * (guess * np.log(joint / guess)).sum() + 3 * np.log(3 * (1 - prevalence) / 4)


def test_the_infection_test(js):  # noqa: F811
    for prevalence in (0.05, 1 / 3, 0.5, 0.9):
        found = js("m.infectionTest(p)", p=prevalence)
        positive = prevalence + (1 - prevalence) / 4
        assert_allclose(found["posterior"], prevalence / positive, rtol=1e-12)
        assert_allclose(found["logLikelihood"], np.log(positive**5 * (1 - positive) ** 3), rtol=1e-12)
        for q in (0.1, 0.5, 0.99):
            assert_allclose(js("m.infectionBound(q, p)", q=q, p=prevalence), by_counting(q, prevalence), rtol=1e-12)


def test_two_means_as_gmmlib_has_them(js):  # noqa: F811
    means = [58.0, 77.0]
    found, expected = js("m.twoMeans(data, means)", data=DATA, means=means), gmmlib.e_step(X[:, None], *mixture(means))
    assert_allclose(found["share"], expected.resp[:, 1], rtol=1e-10)
    assert_allclose(found["logLikelihood"], gmmlib.log_likelihood(WAITS[:, None], *mixture(means)), rtol=1e-10)
    top = js("m.twoMeansTop(data, share)", data=DATA, share=expected.resp[:, 1])
    every = gmmlib.e_step(WAITS[:, None], *mixture(means)).resp
    assert_allclose(top["means"], gmmlib.m_step(WAITS[:, None], every).means[:, 0], rtol=1e-10)
    assert_allclose(top["counts"], every.sum(axis=0), rtol=1e-10)
    other = [50.0, 81.0]
    joint = np.log(0.5) + gmmlib.log_gaussian_1d(WAITS[:, None], np.array(other), 36.0)
    below = (every * (joint - np.log(every))).sum()
    found = js("m.twoMeansBound(data, share, other)", data=DATA, share=expected.resp[:, 1], other=other)
    assert_allclose(found, below, rtol=1e-10)


def test_a_share_of_zero_adds_nothing_to_the_bound(js):  # noqa: F811
    share = np.where(X < 66, 0.0, 1.0)
    found = js("m.twoMeansBound(data, share, means)", data=DATA, share=share, means=[54.0, 80.0])
    own = gmmlib.log_gaussian_1d(WAITS, np.where(WAITS < 66, 54.0, 80.0), 36.0) + np.log(0.5)
    assert_allclose(found, own.sum(), rtol=1e-10)


def test_contour_lines_lie_at_their_level_and_close(js):  # noqa: F811
    xs, ys = np.linspace(-2, 2, 41), np.linspace(-2, 2, 37)
    hill = -(xs[None, :] ** 2) - 2 * ys[:, None] ** 2
    pieces = np.array(js("m.contour(xs, ys, hill, -1.01)", xs=xs, ys=ys, hill=hill))
    x, y = pieces[..., 0], pieces[..., 1]
    assert len(pieces) > 50
    assert_allclose(-(x**2) - 2 * y**2, -1.01, atol=0.02)
    ends = {}
    for end in np.round(pieces.reshape(-1, 2), 9):
        ends[tuple(end)] = ends.get(tuple(end), 0) + 1
    assert set(ends.values()) == {2}  # each end of a piece is the beginning of the next
    assert js("m.contour(xs, ys, hill, 1).length", xs=xs, ys=ys, hill=hill) == 0


def test_e_closes_the_gap_and_m_reaches_the_chapters_numbers(open_page):  # noqa: F811
    page = open_page("bound")
    assert [number(page, f"{what}") for what in ("log-likelihood", "bound", "gap (KL)")] == [-5.545, -5.840, 0.294]
    page.get_by_role("button", name="E-step", exact=True).click()
    assert number(page, "gap (KL)") == 0
    assert number(page, "bound") == number(page, "log-likelihood") == -5.545
    page.get_by_role("button", name="M-step", exact=True).click()
    assert number(page, "prevalence") == pytest.approx(5 / 12, abs=6e-4)
    assert number(page, "log-likelihood") == pytest.approx(-5.357, abs=6e-4)
    assert number(page, "gap (KL)") == pytest.approx(0.068, abs=6e-4)
    for _ in range(12):
        page.get_by_role("button", name="Step (E + M)").click()
    page.get_by_role("button", name="E-step", exact=True).click()
    expect(page.locator("[aria-live]")).to_contain_text("EM stands still")
    assert number(page, "prevalence") == 0.5
    assert page.problems == []


def test_with_two_parameters_it_walks_where_gmmlib_walks(open_page):  # noqa: F811
    page = open_page("bound", width=360)
    page.get_by_role("button", name="Two parameters").click()
    expect(page.locator("[role=slider]:visible")).to_have_count(1)
    means, values = np.array([70.0, 72.0]), []
    for _ in range(4):
        page.get_by_role("button", name="Step (E + M)").click()
        means = gmmlib.m_step(WAITS[:, None], gmmlib.e_step(WAITS[:, None], *mixture(means)).resp).means[:, 0]
        values.append(number(page, "log-likelihood"))
        assert values[-1] == pytest.approx(gmmlib.log_likelihood(WAITS[:, None], *mixture(means)), abs=6e-4)
        assert number(page, "gap (KL)") > 0
    assert (np.diff(values) > 0).all()
    before = said(page)
    page.locator("[role=slider]:visible").press("ArrowUp")
    expect(page.locator("[aria-live]")).not_to_have_text(before)
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("[aria-live]")).to_contain_text("Means 70.0 and 72.0")
    page.get_by_role("button", name="One parameter").click()
    expect(page.locator("[role=slider]:visible")).to_have_count(2)
    assert page.problems == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"prevalence": 0}, "prevalence must lie between 0 and 1"),
        ({"q": 1.0}, "q must lie between 0 and 1"),
        ({"q": "half"}, "q must be numeric"),
        ({"means": [1, 2]}, "means must lie between 46 and 94"),
        ({"means": [50, 60, 70]}, "means must have shape"),
        ({"view": 3}, "view must be 1 or 2"),
    ],
)
def test_a_bad_argument_is_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        explorers.bound(**wrong)
