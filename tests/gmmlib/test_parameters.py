"""Parameters made ready: judged by plain linear algebra on covariances written out in full."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import random_covs, random_mixture
from scipy import stats

from gmmlib.families.gaussian.covariance import full_covariances, inverse_roots, inverse_triangular
from gmmlib.families.gaussian.parameters import (
    ILL_DEFINED,
    Moments,
    make_components,
    maximise,
    new_means,
)
from gmmlib.numerics import Frame

K, D = 2, 3


def frame_for(kind):
    scale = np.full(D, 4.0) if kind.endswith("spherical") else np.array([0.5, 4.0, 2.0])
    return Frame(np.array([10.0, -20.0, 5.0]), scale)


def components(rng, kind, weights=None):
    random_weights, means, covs = random_mixture(rng, kind, K, D)
    return make_components(kind, frame_for(kind), random_weights if weights is None else weights, means, covs)


# ---------------------------------------------------------------------- what is prepared


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (1, 1, 1)])
def test_lower_triangles_are_inverted_one_by_one(rng, shape):
    L = np.tril(rng.normal(size=shape)) + 3 * np.eye(shape[-1])
    inverse = inverse_triangular(L)
    assert inverse.shape == shape
    assert_array_equal(np.triu(inverse, 1), 0)
    assert_allclose(inverse @ L, np.broadcast_to(np.eye(shape[-1]), shape), atol=1e-14)


def test_roots_and_precisions_undo_the_covariance(rng, kind):
    parts = components(rng, kind)
    full = full_covariances(parts.covs, kind, K, D)
    roots, precisions = (full_covariances(part, kind, K, D) for part in (parts.roots, parts.precisions))
    unit = np.broadcast_to(np.eye(D), (K, D, D))
    assert_allclose(roots @ full @ np.swapaxes(roots, 1, 2), unit, atol=1e-12)
    assert_allclose(precisions @ full, unit, atol=1e-12)
    assert parts.roots.shape == parts.precisions.shape == np.shape(parts.covs)


def test_the_norm_is_the_log_joint_at_the_mean(rng, kind):
    parts = components(rng, kind)
    full = full_covariances(parts.covs, kind, K, D)
    tops = [stats.multivariate_normal(np.zeros(D), cov).logpdf(np.zeros(D)) for cov in full]
    assert_allclose(parts.log_norm, np.log(parts.weights) + tops, rtol=1e-12)


def test_a_weight_of_zero_has_a_finite_logarithm(rng, kind):
    log_norm = components(rng, kind, np.array([0.0, 1.0])).log_norm
    assert np.isfinite(log_norm).all()
    assert log_norm[0] < -1e299
    assert np.exp(log_norm[0]) == 0


def test_variances_are_positive_and_finite():
    for bad in ([1.0, 0.0], [1.0, -1.0], [1.0, np.inf], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="covs must be positive and finite"):
            inverse_roots(np.array(bad), "spherical")
    with pytest.raises(ValueError, match=r"^covs is not positive definite"):
        inverse_roots(np.zeros((1, 2, 2)), "full")
    with pytest.raises(ValueError, match=r"^covs contains NaN"):
        inverse_roots(np.array([[np.inf]]), "tied")


@pytest.mark.parametrize("root", [2.0**504, 2.0**505, 2.0**506])
def test_covariances_too_small_for_the_frame_are_refused(kind, root):
    covs = {"full": [np.eye(D)] * K, "tied": np.eye(D), "diag": np.ones((K, D)), "spherical": np.ones(K)}
    covs = np.asarray(covs.get(kind, 1.0)) / root / root
    arguments = kind, frame_for(kind), np.full(K, 1 / K), np.zeros((K, D)), covs
    if root < 2.0**505:
        assert np.isfinite(make_components(*arguments).precisions).all()
    else:
        with pytest.raises(ValueError, match="too small for float64"):
            make_components(*arguments)


def test_roots_may_be_too_large_beside_their_diagonal():
    L = np.array([[2.0**-500, 0.0], [2.0**-490, 2.0**-500]])  # its inverse holds -(2**510)
    frame = Frame(np.zeros(2), np.ones(2))
    with pytest.raises(ValueError, match="too small for float64"):
        make_components("tied", frame, np.ones(1), np.zeros((1, 2)), L @ L.T)


def test_offsets_are_seen_from_the_origin_or_from_elsewhere(rng):
    parts = components(rng, "full")
    assert_allclose(parts.offsets() * [0.5, 4.0, 2.0] + [10.0, -20.0, 5.0], parts.means, rtol=1e-14)
    assert_allclose(parts.offsets(parts.means), 0)
    assert_allclose(parts.offsets(np.ones(D)) * [0.5, 4.0, 2.0] + 1, parts.means, rtol=1e-14)


@pytest.mark.parametrize("about", [None, "a point", "a point each"])
def test_cancellation_is_the_size_of_the_terms_that_a_point_of_reference_makes(rng, kind, about):
    """Term by term: the means' squared distance from it, in units of the components' own."""
    parts = components(rng, kind)
    about = {"a point": np.array([1.0, 2.0, 3.0]), "a point each": parts.means + rng.normal(size=(K, D))}.get(about)
    precisions = full_covariances(parts.precisions, kind, K, D)
    offsets, sizes = parts.offsets(about), []
    for k in range(K):
        pairs = list(np.ndindex(D, D))
        sizes.append(sum(abs(precisions[k, i, j] * offsets[k, i] * offsets[k, j]) for i, j in pairs))
    assert_allclose(parts.cancellation_around(parts.frame.origin if about is None else about), sizes, rtol=1e-12)
    if about is None:
        assert_allclose(parts.cancellation, sizes, rtol=1e-12)


def test_the_spread_is_the_size_of_the_terms_that_no_point_of_reference_changes(rng, kind):
    parts = components(rng, kind)
    covs, precisions = (full_covariances(part, kind, K, D) for part in (parts.covs, parts.precisions))
    sizes = [sum(abs(precisions[k, i, j] * covs[k, i, j]) for i, j in np.ndindex(D, D)) for k in range(K)]
    assert_allclose(np.broadcast_to(parts.spread, K), sizes, rtol=1e-12)


# --------------------------------------------------------------------------- the M-step


def moments_of(kind, X, resp, frame, about):
    """Sums over points, one at a time."""
    mass, first = resp.sum(axis=0), np.zeros((K, D))
    second = np.zeros((K, D, D))
    for x, r in zip(X, resp, strict=True):
        for k in range(K):
            y = (x - np.broadcast_to(about, (K, D))[k]) / frame.scale
            first[k] += r[k] * y
            second[k] += r[k] * np.outer(y, y)
    squares = np.diagonal(second, axis1=1, axis2=2)
    second = {
        "full": second,
        "tied": second.sum(axis=0),
        "diag": squares,
        "spherical": squares.sum(axis=1),
        "tied_spherical": squares.sum(),
    }[kind]
    return Moments(about, mass, first, second)


@pytest.mark.parametrize("about", ["a point", "a point each"])
@pytest.mark.parametrize("total", [1.0, 20.0])
def test_weights_means_and_covariances_by_definition(rng, kind, about, total):
    X, resp, frame = rng.normal(size=(20, D)) * [1, 5, 2] + 3, rng.dirichlet(np.ones(K), size=20), frame_for(kind)
    resp *= total / 20
    about = np.ones(D) if about == "a point" else 3 * rng.normal(size=(K, D))
    reg = np.array([0.1, 0.2, 0.3]) if not kind.endswith("spherical") else np.full(D, 0.2)
    new = maximise(kind, frame, moments_of(kind, X, resp, frame, about), reg)
    mass = resp.sum(axis=0)
    means = resp.T @ X / mass[:, None]
    assert_allclose(new.weights, mass / total, rtol=1e-12)
    assert_allclose(new.means, means, rtol=1e-12)
    full = []
    for k in range(K):
        z = (X - means[k]) / frame.scale
        full.append((resp[:, k] * z.T) @ z / mass[k])
    if kind.startswith("tied"):
        full = [np.tensordot(mass / total, full, 1)] * K
    if kind.endswith("spherical"):
        full = [np.trace(cov) / D * np.eye(D) for cov in full]
    elif kind == "diag":
        full = [np.diag(np.diag(cov)) for cov in full]
    assert_allclose(full_covariances(new.covs, kind, K, D), full + np.diag(reg), rtol=1e-9, atol=1e-12)


def test_a_tied_covariance_is_symmetric_to_the_last_bit(rng):
    for _ in range(5):
        X, resp, frame = rng.normal(size=(20, D)), rng.dirichlet(np.ones(K), size=20), frame_for("tied")
        covs = maximise("tied", frame, moments_of("tied", X, resp, frame, rng.normal(size=D)), np.zeros(D)).covs
        assert_array_equal(covs, covs.T)


def moments_without(kind, dead, rng, mass=0.0):
    """Moments of points that all belong to the other component."""
    X, frame = rng.normal(size=(20, D)), frame_for(kind)
    resp = np.full((20, K), 1 / 20)
    resp[:, dead] = mass / 20
    return moments_of(kind, X, resp, frame, np.zeros(D)), frame, X


@pytest.mark.parametrize("mass", [0.0, 0.9e-200])
@pytest.mark.parametrize("dead", [0, 1])
def test_a_component_without_points_stays_where_it_was_with_weight_zero(rng, kind, dead, mass):
    moments, frame, X = moments_without(kind, dead, rng, mass)
    old = components(rng, kind)
    before = old.means.copy()
    new = maximise(kind, frame, moments, np.zeros(D), old)
    assert_allclose(new.weights, 1 - np.eye(K)[dead])
    assert new.weights[dead] == 0
    assert_array_equal(new.means[dead], old.means[dead])
    assert_array_equal(old.means, before)
    assert_allclose(new.means[1 - dead], X.mean(axis=0), rtol=1e-12)
    if not kind.startswith("tied"):
        assert_array_equal(new.covs[dead], old.covs[dead])
    with pytest.raises(ValueError, match=f"component {dead} has no points"):
        new_means(frame, moments)
    with pytest.raises(ValueError, match=f"component {dead} has no points"):
        maximise(kind, frame, moments, np.zeros(D))


def test_little_of_the_data_is_not_nothing(rng, kind):
    moments, frame, X = moments_without(kind, 0, rng, 1e-190)
    assert_allclose(new_means(frame, moments), [X.mean(axis=0)] * K, rtol=1e-12)


@pytest.mark.parametrize("sd", [3e-16, 1e-14])
def test_a_spread_no_larger_than_rounding_is_none(kind, sd):
    """One component as wide as the frame; another, or all, `sd` wide."""
    variances = np.array([1.0, sd**2]) if not kind.startswith("tied") else np.array([sd**2] * 2)
    second = {
        "full": [v * np.eye(D) / 2 for v in variances],
        "tied": variances[0] * np.eye(D),
        "diag": variances[:, None] * np.ones(D) / 2,
        "spherical": variances * D / 2,
        "tied_spherical": variances[0] * D,
    }[kind]
    moments = Moments(np.zeros(D), np.full(K, 0.5), np.zeros((K, D)), np.asarray(second))
    if sd < 1e-15:
        with pytest.raises(ValueError, match="ill-defined") as caught:
            maximise(kind, frame_for(kind), moments, np.zeros(D))
        assert str(caught.value) == ILL_DEFINED
    else:
        new = maximise(kind, frame_for(kind), moments, np.zeros(D))
        assert_allclose(full_covariances(new.covs, kind, K, D), variances[:, None, None] * np.eye(D), rtol=1e-12)


def test_only_the_last_direction_of_the_last_component_may_be_without_spread():
    second = np.array([np.eye(D), np.diag([1.0, 1.0, 1e-32])]) / 2
    with pytest.raises(ValueError, match="ill-defined"):
        maximise(
            "full", frame_for("full"), Moments(np.zeros(D), np.full(K, 0.5), np.zeros((K, D)), second), np.zeros(D)
        )


@pytest.mark.parametrize("kind", ["full", "tied"])
def test_nearly_dependent_columns_are_not_columns_without_spread(kind):
    """What rounding hides is a small standard deviation given the others, not a large slope."""
    L = np.array([[2.0**-26, 0.0], [-(2.0**-2), 2.0**-26]])
    second = (L @ L.T) if kind == "tied" else (L @ L.T)[None]
    moments = Moments(np.zeros(2), np.ones(1), np.zeros((1, 2)), second)
    new = maximise(kind, Frame(np.zeros(2), np.ones(2)), moments, np.zeros(2))
    assert_array_equal(new.covs, second)
    assert new.roots.max() == 2.0**50


def test_a_covariance_of_nothing_is_ill_defined_and_not_a_matter_of_roots(kind):
    nothing = np.zeros_like(random_covs(np.random.default_rng(0), kind, K, D))
    moments = Moments(np.zeros(D), np.full(K, 0.5), np.zeros((K, D)), nothing)
    with pytest.raises(ValueError, match="ill-defined"):
        maximise(kind, frame_for(kind), moments, np.zeros(D))
