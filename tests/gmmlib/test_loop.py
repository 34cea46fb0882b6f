"""The loop and its choices: which form, whether to look again, when to stop."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import random_mixture

from gmmlib import fit_gaussian
from gmmlib.engine import loop
from gmmlib.engine.loop import (
    alone,
    climb,
    em_map,
    enter_parts,
    expect,
    foreign_points,
    given,
    leave_parts,
    m_step_from,
    make_points,
    prefers_natural,
    sweep,
)
from gmmlib.families.gaussian import forms
from gmmlib.families.gaussian.parameters import make_components
from gmmlib.numerics import Frame


def components(kind="full", K=2, D=3, distance=0.0):
    """Unit covariances in a frame of its own units; the last mean lies `distance` out."""
    covs = {"full": [np.eye(D)] * K, "tied": np.eye(D), "diag": np.ones((K, D)), "spherical": np.ones(K)}
    means = np.zeros((K, D))
    means[-1, 0] = distance
    frame = Frame(np.zeros(D), np.ones(D))
    return make_components(kind, frame, np.full(K, 1 / K), means, np.asarray(covs.get(kind, 1.0)))


# --------------------------------------------------------------------------- which form


@pytest.mark.parametrize(("K", "D", "natural"), [(1, 6, True), (1, 7, False), (2, 12, True), (2, 13, False)])
def test_long_features_make_residuals_cheaper_for_full_covariances(K, D, natural):
    assert prefers_natural(components("full", K, D)) == natural


@pytest.mark.parametrize("kind", ["tied", "diag", "spherical", "tied_spherical"])
def test_other_features_are_short_however_many_columns(kind):
    assert prefers_natural(components(kind, 1, 100))


def test_the_natural_form_is_left_where_it_would_cancel(kind):
    assert prefers_natural(components(kind, distance=3000.0))  # terms 9e6 times their sum
    assert not prefers_natural(components(kind, distance=4000.0))


@pytest.mark.parametrize("distance", [0.0, 1000.0])
def test_one_sweep_serves_e_step_and_m_step_in_the_form_preferred(rng, kind, distance, monkeypatch):
    asked = []
    for name in ("natural_gather", "residual_gather"):
        inner = getattr(loop, name)
        monkeypatch.setattr(loop, name, lambda *args, name=name, inner=inner: (asked.append(name), inner(*args))[1])
    X = rng.normal(size=(50, 3)) + distance * (np.arange(50) % 2)[:, None]
    points = make_points(X, kind)
    parts = enter_parts(points.frame, kind, *leave_parts(components(kind, distance=distance)))
    asked.clear()
    _, moments, bound = expect(points, parts)
    assert set(asked) == {"natural_gather" if prefers_natural(parts) else "residual_gather"}
    assert_allclose(moments.mass.sum(), 1, rtol=1e-12)
    asked.clear()
    _, nothing, same = expect(points, parts, gather=False)
    assert nothing is None
    assert asked == []
    assert_allclose(same, bound, rtol=1e-14)


# ------------------------------------------------------------------ what a sweep returns


@pytest.mark.parametrize("weighted", [False, True])
def test_a_sweep_returns_means_over_points_and_shows_every_block(rng, monkeypatch, weighted):
    monkeypatch.setattr("gmmlib.numerics.BLOCK", 1)
    X, share = rng.normal(size=(500, 2)), rng.uniform(size=500)
    share /= share.sum()
    points = make_points(X, "full", share if weighted else None)._replace(held=None)
    height, seen = rng.normal(size=500), np.zeros(500)

    def keep(rows, resp, log_density):
        seen[rows] += log_density
        assert resp.shape == (1, len(log_density))

    def respond(block):
        return np.ones((1, len(block))), height[block.rows]

    sums, bound = sweep(points, respond, lambda block, resp: resp @ block.x, keep)
    assert_allclose(sums[0], share @ X if weighted else X.mean(axis=0), rtol=1e-10, atol=1e-13)
    assert_allclose(bound, share @ height if weighted else height.mean(), rtol=1e-10)
    assert_array_equal(seen, height)
    assert_array_equal(sweep(points, respond)[0], 0)


def test_a_single_component_and_given_responsibilities_have_no_log_density(rng):
    points = make_points(rng.normal(size=(9, 2)), "full")
    block = forms.Block(points, slice(2, 5))
    resp = rng.dirichlet([1, 1], size=9)
    for (got, log_density), expected in ((alone(block), np.ones((1, 3))), (given(resp)(block), resp[2:5].T)):
        assert_array_equal(got, expected)
        assert not np.shares_memory(got, resp)
        assert_array_equal(log_density, np.zeros(3))


@pytest.mark.parametrize(("N", "kept"), [(100, True), (101, False)])
def test_blocks_of_few_points_are_kept_from_sweep_to_sweep(rng, monkeypatch, N, kept):
    monkeypatch.setattr(loop, "HELD", 600)
    points = make_points(rng.normal(size=(N, 2)), "full")  # six features each
    assert (points.held is not None) == kept
    if kept:
        assert [block.rows.stop - block.rows.start for block in points.held] == [100]


# ---------------------------------------------------------------------- looking again


def test_sums_that_cancel_are_taken_again_around_the_new_means(rng, kind, monkeypatch):
    """One component holds two tight clusters' worth of distance from the origin; the other holds the rest."""
    looked = []
    inner = loop.residual_sums
    monkeypatch.setattr(loop, "residual_sums", lambda *args: (looked.append(args[2]), inner(*args))[1])
    for distance, again in ((10.0, False), (1e5, True)):
        side = np.arange(200) % 2
        X = rng.normal(size=(200, 2)) + distance * side[:, None]
        points = make_points(X, kind)
        looked.clear()
        new = m_step_from(points, given(np.eye(2)[side]), np.zeros(2))
        assert bool(looked) == again
        if again:
            assert_allclose(looked[0], [X[side == k].mean(axis=0) for k in range(2)], rtol=1e-9, atol=1e-5)
        if kind == "full":
            _, _, covs = leave_parts(new)
            assert_allclose(covs, [fit_gaussian(X[side == k])[1] for k in range(2)], rtol=1e-9)


# ------------------------------------------------------------------------- stopping


class Path:
    """An iteration along given heights; the parameters are the place on the path."""

    def __init__(self, *heights):
        self.heights, self.asked = heights, []

    def __call__(self, place, gather):
        self.asked.append((place, gather))
        return self.heights[place], lambda: place + 1


@pytest.mark.parametrize(
    ("tol", "max_iter", "end", "converged"),
    [
        (0.5, 9, 4, True),  # the change to place 4 is less
        (2.0, 9, 3, True),  # a change of exactly tol goes on
        (0.5, 3, 3, False),
        (0.5, 4, 4, True),
        (0.5, 0, 0, False),
        (0.0, 5, 5, False),  # no change at all is not less than none
        (np.inf, 5, 1, True),
    ],
)
def test_the_loop_ends_when_little_changes_or_time_is_up(tol, max_iter, end, converged):
    path, said = Path(-9.0, -5.0, -3.0, -2.0, -1.75, -1.75, -1.75), []
    parts, trace, done = climb(path, 0, tol, max_iter, lambda *words: said.append(words))
    assert (parts, done) == (end, converged)
    assert trace == list(path.heights[: end + 1])
    assert path.asked == [(i, i < max_iter) for i in range(end + 1)]
    assert said == [(i, trace[i], trace[i] - trace[i - 1]) for i in range(1, end + 1)]


def test_a_small_fall_is_a_small_change():
    assert climb(Path(-1.0, -1.25, -9.0), 0, 0.5, 9)[2]
    assert climb(Path(-1.0, -3.0, -2.9), 0, 0.5, 9)[1] == [-1.0, -3.0, -2.9]


def test_an_iteration_measures_in_the_units_of_the_points(rng, kind):
    X, factor = rng.normal(size=(60, 2)), 2.0**40
    weights, means, covs = random_mixture(rng, kind, 2, 2)
    bounds = []
    for unit in (1.0, factor):
        points = make_points(X * unit, kind)
        parts = enter_parts(points.frame, kind, weights, means * unit, np.asarray(covs) * unit**2)
        bounds.append(em_map(points, np.zeros(2))(parts)[0])
    assert_allclose(bounds[0] - bounds[1], 2 * np.log(factor), rtol=1e-12)


# --------------------------------------------------------------- points from elsewhere


def test_a_mixture_s_own_frame_holds_its_means_and_deviations_closely():
    weights, means = np.array([0.25, 0.75]), np.array([[100.0, 7.0], [108.0, 7.0]])
    variances = np.array([[1.0, 1e6], [4.0, 9e6]])
    points, parts = foreign_points(np.zeros((1, 2)), "diag", weights, means, variances)
    assert_array_equal(points.frame.origin, [106.0, 7.0])
    assert_array_equal(points.frame.scale, [8.0, 4096.0])  # from 6 + 2 and from 0 + 3000
    assert_array_equal(parts.offsets(), [[-0.75, 0.0], [0.25, 0.0]])


@pytest.mark.parametrize(
    ("cov", "far"),
    [
        (np.eye(2), 1e140),
        (np.array([[1.0, 100.0], [100.0, 10001.0]]) / 2.0**14, 1e138),  # its root holds -100
        (1e-300 * np.eye(2), 2.0),
    ],
)
def test_points_stop_where_their_whitened_squares_fit(cov, far):
    means = np.array([[0.0, 0.0], [1.0, 1.0]]) if far == 2.0 else np.zeros((2, 2))
    points, parts = foreign_points(np.zeros((1, 2)), "tied", np.array([0.5, 0.5]), means, cov)
    assert far / 2 < points.far <= 2 * far
    assert points.far * np.abs(parts.roots).max() <= 1.0001e140 or points.far == 2.0


# ------------------------------------------------------------------ between x and z


def test_there_and_back_again(rng, kind):
    weights, means, covs = random_mixture(rng, kind, 2, 3)
    frame = Frame(
        np.array([1.0, 2.0, 3.0]), np.full(3, 8.0) if kind.endswith("spherical") else np.array([2.0, 8.0, 0.5])
    )
    parts = enter_parts(frame, kind, weights, means, np.asarray(covs))
    for got, expected in zip(leave_parts(parts), (weights, means, covs), strict=True):
        assert_array_equal(got, expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("far", [1e141, 1e300, -1.7e308])
def test_means_out_of_reach_are_refused_in_silence(far):
    frame = Frame(np.array([0.0, 1.7e308]), np.ones(2))
    with pytest.raises(ValueError, match="means lie too far from X"):
        enter_parts(frame, "tied", np.ones(1), np.array([[0.0, far]]), np.eye(2))
