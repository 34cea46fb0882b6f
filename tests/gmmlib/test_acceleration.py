"""SQUAREM: its leap judged where the answer is known, its caution by iterations made up for the purpose."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from random_mixtures import random_covs, random_mixture

from gmmlib.engine import acceleration
from gmmlib.engine.acceleration import extrapolate, leap_from, squarem
from gmmlib.families.gaussian.covariance import full_covariances
from gmmlib.families.gaussian.parameters import make_components
from gmmlib.numerics import Frame

FRAME = Frame(np.array([10.0, -20.0, 5.0]), np.array([2.0, 4.0, 0.5]))
CUBE = Frame(FRAME.origin, np.full(3, 2.0))


def components(rng, kind, K=2):
    return make_components(kind, CUBE if kind.endswith("spherical") else FRAME, *random_mixture(rng, kind, K, 3))


def assert_same(one, two, rtol=1e-12):
    for name in ("weights", "means", "covs"):
        assert_allclose(getattr(one, name), getattr(two, name), rtol=rtol)


def test_there_and_back_again(rng, kind):
    parts = components(rng, kind)
    again = parts.from_vector(parts.to_vector())
    assert (again.kind, again.frame) == (parts.kind, parts.frame)
    assert_same(again, parts)


def test_the_vector_holds_logarithms_offsets_and_roots(rng, kind):
    parts = components(rng, kind)
    log_weights, offsets, free = np.split(parts.to_vector(), [2, 8])
    assert_allclose(np.exp(log_weights), parts.weights, rtol=1e-14)
    assert_allclose(parts.frame.origin + offsets.reshape(2, 3) * parts.frame.scale, parts.means, rtol=1e-12)
    if kind not in ("full", "tied"):
        assert_allclose(np.exp(free), np.ravel(parts.covs), rtol=1e-12)
        return
    for root, cov in zip(free.reshape(-1, 3, 3), np.reshape(parts.covs, (-1, 3, 3)), strict=True):
        L = np.tril(root, -1) + np.diag(np.exp(np.diag(root)))
        assert_allclose(np.triu(root, 1), 0)
        assert_allclose(L @ L.T, cov, rtol=1e-12)


def test_any_numbers_are_a_mixture(rng, kind):
    parts = components(rng, kind, K=3)
    theta = parts.to_vector()
    for _ in range(5):
        found = parts.from_vector(theta + 3 * rng.normal(size=len(theta)))
        assert_allclose(found.weights.sum(), 1, rtol=1e-14)
        assert (np.linalg.eigvalsh(full_covariances(found.covs, kind, 3, 3)) > 0).all()


def test_only_differences_of_log_weights_count_however_large(rng):
    parts = components(rng, "diag")
    theta = parts.to_vector()
    for shift in (-2000.0, 2000.0):
        there = theta.copy()
        there[:2] += shift
        assert_allclose(parts.from_vector(there).weights, parts.weights, rtol=1e-11)


def test_weights_may_differ_by_more_than_an_exponential_holds(rng):
    parts = components(rng, "diag")
    for place in (0, 1):
        theta = parts.to_vector()
        theta[place] += 1000.0
        assert_allclose(parts.from_vector(theta).weights, np.eye(2)[place], atol=1e-300)


def test_a_component_without_points_has_a_finite_logarithm(rng):
    _, means, _ = random_mixture(rng, "diag", 2, 3)
    parts = make_components("diag", FRAME, np.array([0.0, 1.0]), means, random_covs(rng, "diag", 2, 3))
    theta = parts.to_vector()
    assert np.isfinite(theta).all()
    assert theta[0] < -600
    assert_allclose(parts.from_vector(theta).weights, [0, 1], atol=1e-200)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 3, -1])
def test_a_leap_to_nowhere_is_refused(rng, kind, bad, place):
    parts = components(rng, kind)
    theta = parts.to_vector()
    theta[place] = bad
    with pytest.raises(ValueError, match="not finite"):
        parts.from_vector(theta)


# ------------------------------------------------------------------------- the leap


@pytest.mark.parametrize("shrinks", [0.3, 0.9, 0.999])
def test_where_every_step_shrinks_alike_the_leap_arrives(rng, shrinks):
    end, away = rng.normal(size=(2, 7))
    assert_allclose(extrapolate(*(end + away * shrinks**n for n in range(3))), end, rtol=1e-9, atol=1e-9)


def test_the_leap_is_that_of_scheme_s3():
    # r = (3, 0) and v = (0, -1): a = -3
    assert_allclose(extrapolate(*np.array([[1.0, 1.0], [4.0, 1.0], [7.0, 0.0]])), [1 + 6 * 3, 1 - 9])


@pytest.mark.parametrize("second", [2.0, 0.5, -1.0])
def test_without_curvature_or_with_too_much_the_leap_is_the_second_step(second):
    start, step = np.array([1.0, 2.0]), np.array([0.5, -0.25])
    assert_allclose(extrapolate(start, start + step, start + second * step), start + second * step, rtol=1e-15)


def test_where_nothing_moves_nothing_leaps(rng, kind):
    parts = components(rng, kind)
    assert_same(leap_from(parts, parts, parts), parts)


def test_a_leap_keeps_the_frame_of_the_second_step(rng):
    parts = components(rng, "diag")
    assert leap_from(parts, parts, parts._replace(frame=CUBE)).frame is CUBE


# ------------------------------------------------------------------- taking it back


class Hill:
    """An iteration on numbers: each step halves the distance to the top at zero."""

    def __init__(self, monkeypatch, leap):
        self.sweeps = []
        monkeypatch.setattr(acceleration, "leap_from", lambda start, one, two: self.jump(leap, start, one, two))

    def jump(self, leap, *path):
        self.path = path
        if isinstance(leap, Exception):
            raise leap
        return leap

    def __call__(self, x, gather=True):
        self.sweeps.append((x, gather))
        if abs(x) > 1e6:
            raise ValueError("outside of the parameter space")
        return -abs(x), lambda: x / 2


@pytest.mark.parametrize(
    ("leap", "lands"),
    [
        (0.1, 0.05),  # higher than two steps: a third step from there
        (2.0, 1.0),  # as high as two steps
        (-2.0, -1.0),
        (2.1, 1.0),  # lower: the third step goes on from the second
        (1e7, 1.0),
        (ValueError("no mixture"), 1.0),
        (FloatingPointError("overflow"), 1.0),
    ],
)
def test_a_leap_is_taken_if_it_is_no_lower_than_two_steps(monkeypatch, leap, lands):
    hill = Hill(monkeypatch, leap)
    bound, advance = squarem(hill)(8.0)
    assert (bound, hill.sweeps) == (-8.0, [(8.0, True)])
    assert advance() == lands
    assert hill.path == (8.0, 4.0, 2.0)
    assert [x for x, _ in hill.sweeps[:3]] == [8.0, 4.0, 2.0]
    assert len(hill.sweeps) == 3 + (not isinstance(leap, Exception))


def test_other_errors_are_not_swallowed(monkeypatch):
    _, advance = squarem(Hill(monkeypatch, ZeroDivisionError("a bug")))(8.0)
    with pytest.raises(ZeroDivisionError):
        advance()


@pytest.mark.parametrize("gather", [True, False])
def test_sums_are_gathered_only_if_they_are_wanted(monkeypatch, gather):
    hill = Hill(monkeypatch, 0.1)
    squarem(hill)(8.0, gather)
    squarem(hill)(8.0, gather=gather)
    assert hill.sweeps == [(8.0, gather)] * 2
    squarem(hill)(8.0)
    assert hill.sweeps[-1] == (8.0, True)
