"""Chapter 11's explorer, an alarm on low density: its mathematics against numpy's, and the page against gmmlib."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from playwright.sync_api import expect
from test_explorer_maths import js  # noqa: F401  the fixture
from test_explorer_pages import address, open_page, said  # noqa: F401  the fixtures

from gmmlib import GaussianMixture, datasets, explorers


@pytest.mark.parametrize(("rate", "k"), [(0.049, 0), (0.05, 1), (0.0999, 1), (0.1, 2), (0.3, 6), (1.0, 19)])
def test_the_threshold_is_the_kth_smallest(js, rng, rate, k):  # noqa: F811
    scores = rng.normal(size=19)
    found = js("m.rankThreshold(scores, rate)", scores=scores, rate=rate)
    assert found is None if k == 0 else found == np.sort(scores)[k - 1]  # JSON writes -Infinity as null


def test_a_rate_counts_what_lies_strictly_below(js):  # noqa: F811
    assert js("m.rateBelow([3, 1, 2, 2], 2)") == 0.25
    assert js("m.rateBelow([3, 1], -Infinity)") == 0


def expected(which, source, rate):
    """Promise, threshold, rate on test points and on fitted ones, by gmmlib and numpy."""
    state = explorers.alarm().state
    X, role = np.array(state["X"]), np.array(state["role"])
    parts = [np.array(state["mixtures"][which][name]) for name in ("weights", "means", "covs")]
    scores = GaussianMixture.from_parameters(parts[0] / parts[0].sum(), *parts[1:]).score_samples(X)
    pool = np.sort(scores[role == source])
    limit = pool[int(rate * (len(pool) + 1) + 1e-9) - 1]
    return limit, np.mean(scores[role == 2] < limit), np.mean(scores[role == 0] < limit)


def tiles(page):
    texts = page.locator(".gmx-tile b").all_inner_texts()
    return [float(text.replace("\u2212", "-").replace(" %", "")) for text in texts]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("source", [0, 1])
def test_the_tiles_say_what_gmmlib_says(open_page, which, source):  # noqa: F811
    page = open_page("alarm")
    page.get_by_role("button", name=["2 components", "8 components"][which]).click()
    page.get_by_role("button", name=["from fitted points", "from calibration points"][source]).click()
    handle = page.get_by_role("slider", name="promised rate of false alarms")
    for _ in range(10):
        handle.press("ArrowRight")
    limit, on_test, on_fitted = expected(which, source, 0.1)
    assert_allclose(tiles(page), [10, limit, 100 * on_test, 100 * on_fitted], atol=0.06)
    assert page.problems == []


def test_fitted_points_break_the_promise_of_eight_components_and_calibration_keeps_it(open_page):  # noqa: F811
    page = open_page("alarm")
    live = page.locator("[aria-live]")
    page.get_by_role("button", name="8 components").click()
    expect(live).to_contain_text("far more than promised")
    page.get_by_role("button", name="from calibration points").click()
    expect(live).to_contain_text("as promised")
    page.get_by_role("slider", name="promised rate of false alarms").press("Home")
    expect(live).to_contain_text("never rings")
    assert page.problems == []


def test_a_mouse_drags_the_promise(open_page):  # noqa: F811
    page = open_page("alarm")
    box = page.get_by_role("slider", name="promised rate of false alarms").locator(".gmx-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 150, y, steps=5)
    page.mouse.up()
    assert 7 < tiles(page)[0] <= 30
    assert page.problems == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"X": np.arange(80.0).reshape(40, 2)}, "at least 60 rows"),
        ({"rate": 0.4}, "rate must lie between 0 and 0.3"),
        ({"rate": float("nan")}, "rate must be finite"),
        ({"n_components": (2, 3, 4)}, "n_components must be two numbers"),
        ({"names": ("x",)}, "names must be two strings"),
    ],
)
def test_what_it_cannot_show_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        explorers.alarm(**arguments)


def test_the_thirds_are_thirds_and_the_mixtures_saw_only_the_first():
    state, X = explorers.alarm().state, datasets.load_old_faithful().X
    role = np.array(state["role"])
    assert np.bincount(role).tolist() == [91, 91, 90]
    for K, mixture in zip((2, 8), state["mixtures"], strict=True):
        weights, means = np.array(mixture["weights"]), np.array(mixture["means"])
        assert len(weights) == K
        assert_allclose(weights @ means, X[role == 0].mean(axis=0), rtol=2e-3)
        assert abs(weights @ means - X.mean(axis=0)).max() > 0.1
