"""Chapter 3's explorer, one Gaussian in the plane: its mathematics against gmmlib's, and the page against both."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from test_explorer_maths import js  # noqa: F401  the fixture
from test_explorer_pages import address, number, open_page  # noqa: F401  the fixtures

from gmmlib import conditional, explorers
from gmmlib.datasets import load_penguins

COVS = [[[9.4, 1.9], [1.9, 0.95]], [[0.5, -0.6], [-0.6, 2.0]], [[3.0, 0.0], [0.0, 3.0]], [[1.0, 0.0], [0.0, 4.0]]]


@pytest.mark.parametrize("cov", COVS)
def test_axes_are_roots_of_eigenvalues_and_make_the_covariance_again(js, cov):  # noqa: F811
    found = js("m.axesOf(cov)", cov=cov)
    assert_allclose(found["lengths"], np.sqrt(np.linalg.eigvalsh(cov))[::-1], rtol=1e-10)
    u = np.array([np.cos(np.radians(found["angle"])), np.sin(np.radians(found["angle"]))])
    assert_allclose(cov @ u, found["lengths"][0] ** 2 * u, atol=1e-9)
    assert_allclose(js("m.covOf(lengths, angle)", **found), cov, atol=1e-10)


def test_the_conditional_is_gmmlibs(js):  # noqa: F811
    for cov in COVS:
        found = js("m.conditional1d([1.0, -2.0], cov, 3.5)", cov=cov)
        mean, left = conditional([1.0, -2.0], cov, [0], [3.5])
        assert_allclose([found["mean"], found["sd"] ** 2], [mean[0], left[0, 0]], rtol=1e-10)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_points_are_counted_inside_the_chi_squared_ellipse(js, rng, share):  # noqa: F811
    X, mean, cov = 2 * rng.normal(size=(300, 2)), np.array([0.5, 0.0]), np.array(COVS[0])
    r = X - mean
    inside = (r @ np.linalg.inv(cov) * r).sum(axis=1) <= stats.chi2(2).ppf(share)
    assert 0 < inside.sum() < 300
    assert js("m.countInside(X, mean, cov, share)", X=X, mean=mean, cov=cov, share=share) == inside.sum()


def value(page, label):
    tile = page.locator(".gmx-tile").filter(has=page.get_by_text(label))
    return tile.locator("b").inner_text().replace("\u2212", "-")


def test_the_fit_holds_what_the_chapter_counts(open_page):  # noqa: F811
    page = open_page("bivariate")
    for button, counted in [("ellipse for 39.3 %", "48 of 123"), ("ellipse for 90 %", "112 of 123")]:
        page.get_by_role("button", name=button).click()
        assert value(page, "counted inside").startswith(counted)
    assert page.problems == []


def test_correlating_keeps_the_standard_deviations_and_turning_does_not(open_page):  # noqa: F811
    page = open_page("bivariate")
    start = explorers.bivariate().state
    cov = np.array(start["cov"])
    handle = page.get_by_role("slider", name="correlation")
    handle.press("Home")
    assert number(page, "correlation") == pytest.approx(-0.98)
    left = np.sqrt(cov[1, 1] * (1 - 0.98**2))
    assert float(value(page, "bill depth if").split()[2]) == pytest.approx(left, abs=0.008)
    page.get_by_role("button", name="Fit to the points").click()
    rho = cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1])
    assert number(page, "correlation") == pytest.approx(rho, abs=0.006)
    turn = page.get_by_role("slider", name="axis 1 of the ellipse")
    for _ in range(10):
        turn.press("ArrowUp")
    lengths = np.sqrt(np.linalg.eigvalsh(cov))[::-1]
    angle = np.radians(20) + np.arctan2(2 * cov[0, 1], cov[0, 0] - cov[1, 1]) / 2
    U = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = U @ np.diag(lengths**2) @ U.T
    expected = turned[0, 1] / np.sqrt(turned[0, 0] * turned[1, 1])
    assert number(page, "correlation") == pytest.approx(expected, abs=0.006)
    assert page.problems == []


def test_the_slice_follows_a_mouse_and_says_the_conditional(open_page):  # noqa: F811
    page = open_page("bivariate")
    chart = page.get_by_role("group", name="Scatter plot with an ellipse")
    box, start = chart.bounding_box(), explorers.bivariate().state
    seen = []
    for part in (0.35, 0.7):
        page.mouse.move(box["x"] + part * box["width"], box["y"] + 0.8 * box["height"])
        label = page.locator(".gmx-tile span").last.inner_text()
        x, text = float(label.split("= ")[1]), value(page, "bill depth if")
        mean, left = conditional(start["mean"], start["cov"], [0], [x])
        assert float(text.split()[0]) == pytest.approx(mean[0], abs=0.02)  # x has one decimal
        assert float(text.split()[2]) == pytest.approx(np.sqrt(left[0, 0]), abs=0.008)
        seen.append(x)
    assert seen[0] < seen[1]
    assert page.problems == []


def test_points_on_a_line_have_no_ellipse():
    line = np.column_stack([np.arange(5.0), 2 * np.arange(5.0)])
    with pytest.raises(ValueError, match="lies on a line"):
        explorers.bivariate(line)


def test_it_starts_with_the_gentoo_bills():
    penguins = load_penguins()
    state = explorers.bivariate().state
    assert_allclose(state["X"], penguins.X[penguins.y == 2, :2])
    assert_allclose(state["cov"], np.cov(np.transpose(state["X"]), bias=True), rtol=1e-4)
