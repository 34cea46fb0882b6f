"""Chapter 12's explorer, fits over K and structure: its cells against gmmlib's, and the page against both."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from test_explorer_maths import js  # noqa: F401  the fixture
from test_explorer_pages import address, open_page, said  # noqa: F401  the fixtures

import gmmlib
from gmmlib import explorers
from gmmlib.datasets import load_old_faithful


def value(page, label):
    tile = page.locator(".gmx-tile").filter(has=page.get_by_text(label, exact=True))
    return tile.locator("b").inner_text().replace("\u2212", "-")


def test_every_cell_holds_the_fit_whose_criterion_it_shows():
    X, state = load_old_faithful().X, explorers.selection().state
    assert state["kinds"] == ["full", "tied", "diag", "spherical", "tied_spherical"]
    for r, K in enumerate(state["n_components"]):
        for c, kind in enumerate(state["kinds"]):
            fit = state["fits"][r][c]
            weights = np.array(fit["weights"])
            ell = gmmlib.log_likelihood(X, weights / weights.sum(), fit["means"], fit["covs"])
            p = gmmlib.n_parameters(K, 2, kind)
            assert_allclose(gmmlib.bic(ell, p, 272), state["values"]["bic"][r][c], atol=1.5)
            assert_allclose(gmmlib.aic(ell, p), state["values"]["aic"][r][c], atol=1.5)


def test_responsibilities_on_the_page_are_gmmlibs(js):  # noqa: F811
    X, fit = load_old_faithful().X, explorers.selection().state["fits"][2][1]
    weights = np.array(fit["weights"]) / np.sum(fit["weights"])
    fit = {**fit, "weights": weights.tolist()}
    found = js("m.eStep(X, fit).resp", X=X, fit=fit)
    assert_allclose(found, gmmlib.e_step(X, weights, fit["means"], fit["covs"]).resp, atol=1e-9)


@pytest.mark.parametrize("n_components", [(), (7,), (1, 2, 3, 4, 5, 6, 6)])
def test_a_table_that_fits_no_page_is_refused(n_components):
    with pytest.raises(ValueError, match="n_components must be one to six"):
        explorers.selection(n_components=n_components)


def test_the_best_cell_is_found_by_button_key_and_click(open_page):  # noqa: F811
    page = open_page("selection")
    state = explorers.selection().state
    for criterion in ("aic", "icl", "bic"):
        page.get_by_role("button", name=criterion.upper()).click()
        page.get_by_role("button", name="Go to the best").click()
        values = np.array(state["values"][criterion])
        row, column = np.unravel_index(values.argmin(), values.shape)
        kind = state["kinds"][column].replace("_", " ")
        assert value(page, "K and structure") == f"{state['n_components'][row]} {kind}"
        assert value(page, "above the best") == "0.0"
    handle = page.get_by_role("slider")
    handle.press("Home")
    for _ in range(5):
        handle.press("ArrowDown")
    handle.press("ArrowUp")
    assert value(page, "K and structure") == "2 full"
    assert float(value(page, "BIC")) == pytest.approx(2322.2, abs=0.1)
    chart = page.get_by_role("group", name="Heat map")
    box = chart.bounding_box()
    chart.click(position={"x": box["width"] - 30, "y": 40})
    assert value(page, "K and structure") == "5 tied spherical"
    assert page.problems == []
