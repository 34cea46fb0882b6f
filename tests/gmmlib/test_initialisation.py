"""Where EM starts: judged by the definitions, written out in a few lines of numpy."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import random_covs, random_mixture

from gmmlib import GaussianMixture, fit_gaussian, kmeans_plusplus, lloyd, m_step
from gmmlib.families.gaussian.covariance import SHARED, full_covariances
from gmmlib.families.gaussian.em import make_points
from gmmlib.families.gaussian.initialisation import best_of, check_start, revived, start_components
from gmmlib.families.gaussian.parameters import enter, leave


def model(K=2, kind="full", weights=None, means=None, precisions=None):
    return SimpleNamespace(
        n_components=K, covariance_type=kind, weights_init=weights, means_init=means, precisions_init=precisions
    )


# ------------------------------------------------------------------- what the user gave


def test_nothing_given_is_nothing(kind):
    assert check_start(model(kind=kind), 3) == (None, None, None)


def test_what_was_given_comes_back_with_precisions_inverted(rng, kind):
    weights, means, covs = random_mixture(rng, kind, 2, 3)
    precisions = np.linalg.inv(covs) if kind in ("full", "tied") else 1 / np.asarray(covs)
    got = check_start(model(2, kind, weights.tolist(), means.tolist(), precisions.tolist()), 3)
    for ours, theirs in zip(got, (weights, means, covs), strict=True):
        assert isinstance(ours, np.ndarray | np.floating)
        assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


def test_whole_numbers_become_real_ones():
    for part in check_start(model(1, weights=[1], means=[[2, 3]], precisions=[[[2, 1], [1, 2]]]), 2):
        assert part.dtype == float


def test_means_of_another_shape_are_named():
    with pytest.raises(ValueError, match=r"'means' should have the shape of \(2, 3\), but got \(3, 2\)"):
        check_start(model(means=np.zeros((3, 2))), 3)


def test_the_arrays_given_are_not_the_arrays_used(rng):
    weights, means, _ = random_mixture(rng, "full", 2, 3)
    got = check_start(model(weights=weights, means=means), 3)
    assert not np.shares_memory(got[0], weights)
    assert not np.shares_memory(got[1], means)


@pytest.mark.parametrize("weights", [[0.0, 1.0], [1.0, 0.0], [0.5, 0.5 + 9e-7], [0.33333333, 0.66666666]])
def test_weights_from_zero_to_one_that_nearly_sum_to_one_will_do(weights):
    assert_array_equal(check_start(model(weights=weights), 1)[0], weights)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1.2, 0.1], r"range \[0, 1\].*max value 1.20000, min value 0.10000"),
        ([0.9, -0.1], r"range \[0, 1\].*max value 0.90000, min value -0.10000"),
        ([0.5, 0.501], r"normalized.*1.00100"),
        ([0.5, 0.4999], "normalized"),
        ([0.5, 0.3, 0.2], r"shape of \(2,\), but got \(3,\)"),
        ([0.5, np.nan], "'weights' contains NaN"),
    ],
)
def test_unusable_weights_are_named(weights, words):
    with pytest.raises(ValueError, match=words):
        check_start(model(weights=weights), 1)


@pytest.mark.parametrize(
    ("kind", "precisions", "words"),
    [
        ("full", [[[1.0, 0.5], [0.0, 1.0]], np.eye(2)], "symmetric"),
        ("tied", [[1.0, 2.0], [2.0, 1.0]], "positive-definite"),
        ("full", [np.eye(2), np.diag([1.0, 0.0])], "positive-definite"),
        ("full", [np.eye(2), np.diag([1.0, 1e-306])], "large enough to invert"),
        ("diag", [[1.0, 1.0], [1.0, 0.0]], "positive, and large enough"),
        ("spherical", [1.0, 1e-306], "positive, and large enough"),
        ("tied_spherical", -1.0, "positive, and large enough"),
        ("diag", np.eye(3), r"'diag precision' should have the shape of \(2, 2\)"),
        ("diag", np.full((2, 2), np.inf), "'diag precision' contains NaN or infinity"),
    ],
)
def test_unusable_precisions_are_named(kind, precisions, words):
    with pytest.raises(ValueError, match=words):
        check_start(model(2, kind, precisions=precisions), 2)


def test_precisions_that_rounding_made_a_little_unsymmetric_will_do():
    covs = check_start(model(1, precisions=[[[2.0, 0.5 + 1e-9], [0.5, 1.0]]]), 2)[2]
    assert_allclose(covs[0], np.linalg.inv([[2.0, 0.5], [0.5, 1.0]]), rtol=1e-7)


@pytest.mark.parametrize("size", [1e-290, 1.0, 1e290])
def test_precisions_of_any_size_are_inverted(kind, size):
    precisions = {"full": [np.eye(2)] * 2, "tied": np.eye(2), "diag": np.ones((2, 2)), "spherical": [1.0, 1.0]}
    given = np.asarray(precisions.get(kind, 1.0)) * size
    covs = check_start(model(2, kind, precisions=given), 2)[2]
    assert_allclose(full_covariances(covs, kind, 2, 2), [np.eye(2) / size] * 2, rtol=1e-14)


# ---------------------------------------------------------------------- what is found


def started(X, kind, K, method, given=(None, None, None), share=None, reg=0.0, seed=3):
    points = make_points(X, kind, share)
    reg = reg / points.frame.scale**2
    return leave(start_components(points, K, method, given, reg, np.random.default_rng(seed)))


@pytest.fixture(params=["equal", "weighted"])
def share(request, rng):
    if request.param == "weighted":
        share = rng.uniform(0.2, 2.0, size=90)
        return share / share.sum()
    return None


def table(rng):
    return 3 * rng.normal(size=(3, 3))[np.arange(90) % 3] + rng.normal(size=(90, 3)) + [0.0, 5.0, -50.0]


@pytest.mark.parametrize("reg", [0.0, 0.3])
@pytest.mark.parametrize("method", ["kmeans", "random"])
def test_a_start_from_labels_is_their_m_step(rng, kind, method, share, reg):
    X, draws = table(rng), np.random.default_rng(3)
    if method == "kmeans":
        labels = lloyd(X, kmeans_plusplus(X, 3, draws, share, 9), sample_weight=share).labels
        resp = np.eye(3)[labels]
    else:
        resp = draws.random((90, 3))
        resp /= resp.sum(axis=1, keepdims=True)
    for got, want in zip(
        started(X, kind, 3, method, share=share, reg=reg), m_step(X, resp, kind, reg, share), strict=True
    ):
        assert_allclose(got, want, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("method", ["k-means++", "random_from_data"])
def test_a_start_from_points_has_equal_weights_and_everybodys_covariance(rng, kind, method, share):
    X = table(rng)
    weights, means, covs = started(X, kind, 3, method, share=share, reg=0.3)
    assert_allclose(weights, [1 / 3] * 3)
    assert len(np.unique(means, axis=0)) == 3
    assert all((np.abs(X - mean) < 1e-12).all(axis=1).any() for mean in means)
    whole = m_step(X, np.ones((90, 1)), kind, 0.3, share).covs
    assert_allclose(full_covariances(covs, kind, 3, 3), [full_covariances(whole, kind, 1, 3)[0]] * 3, rtol=1e-10)
    single = started(X.astype(np.float32), kind, 3, method, share=share, reg=0.3)
    assert [part.dtype for part in single] == [float] * 3
    if method == "k-means++":
        expected = kmeans_plusplus(X, 3, np.random.default_rng(3), share, 9)
        assert_allclose(means, expected, rtol=1e-14)


def test_points_are_drawn_in_proportion_to_their_weight(rng):
    X, share = np.arange(4.0)[:, None], np.array([0.7, 0.2, 0.1, 0.0])
    counts = {method: np.zeros(4) for method in ("random_from_data", "k-means++")}
    for method, count in counts.items():
        for seed in range(400):
            count[int(np.rint(started(X, "full", 1, method, share=share, seed=seed).means[0, 0]))] += 1
    for count in counts.values():
        assert_allclose(count / 400, share, atol=0.08)
    for method in counts:
        even = [started(X, "full", 1, method, seed=seed).means[0, 0] for seed in range(400)]
        assert_allclose(np.bincount(np.rint(even).astype(int)) / 400, 0.25, atol=0.08)


def test_an_empty_cluster_gets_a_little_of_everything(rng, kind):
    """Two distinct points and three clusters: one stays empty."""
    X = np.repeat([[0.0, 0.0], [4.0, 2.0]], 10, axis=0)
    weights, means, _ = started(X, kind, 3, "kmeans", reg=0.1)
    order = np.argsort(weights)
    assert_allclose(weights[order], [1e-3 / 1.001, 0.5 / 1.001, 0.5 / 1.001], rtol=1e-9)
    assert_allclose(means[order[0]], X.mean(axis=0))


@pytest.mark.parametrize("given", list(np.ndindex(2, 2, 2)))
def test_what_is_given_is_kept_and_only_the_rest_is_found(rng, kind, given):
    X, mixture = table(rng), (np.array([0.2, 0.3, 0.5]), table(rng)[:3], np.asarray(random_covs(rng, kind, 3, 3)))
    start = tuple(part if yes else None for part, yes in zip(mixture, given, strict=True))
    found = started(X, kind, 3, "kmeans")
    for got, own, theirs, yes in zip(started(X, kind, 3, "kmeans", start), mixture, found, given, strict=True):
        assert_allclose(got, own if yes else theirs, rtol=1e-12)


def test_a_start_given_in_full_needs_no_random_number(rng):
    X, mixture = table(rng), (np.array([0.5, 0.5]), np.zeros((2, 3)), np.array([np.eye(3)] * 2))
    points, draws = make_points(X, "full"), np.random.default_rng(0)
    start_components(points, 2, "kmeans", mixture, np.zeros(3), draws)
    assert draws.bit_generator.state == np.random.default_rng(0).bit_generator.state


def test_one_component_starts_where_it_ends(rng):
    X = table(rng)
    mean, cov = fit_gaussian(X)
    fitted = GaussianMixture(1, reg_covar=0, max_iter=0).fit(X)
    assert_allclose(fitted.means_[0], mean, rtol=1e-12)
    assert_allclose(fitted.covariances_[0], cov, rtol=1e-10)


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical", "tied_spherical"])
def test_a_component_without_points_is_moved_to_a_row_and_the_others_stay(kind, rng):
    X = table(rng)
    points = make_points(X, kind)
    weights, means, covs = np.array([0.6, 0.0, 0.4]), table(rng)[:3], np.asarray(random_covs(rng, kind, 3, 3))
    alive = enter(points.frame, kind, weights, means, covs)
    got = leave(revived(alive, points, np.zeros(3), rng))
    assert_allclose(got.weights, np.array([0.6, 1 / 3, 0.4]) / (4 / 3), rtol=1e-12)
    assert_allclose(got.means[[0, 2]], means[[0, 2]], rtol=1e-12)
    assert np.isclose(X, got.means[1], rtol=1e-12).all(axis=1).any()
    if kind in SHARED:
        assert_allclose(got.covs, covs, rtol=1e-12)
    else:
        whole = fit_gaussian(X)[1]
        variances = {"full": whole, "diag": np.diag(whole), "spherical": np.diag(whole).mean()}[kind]
        assert_allclose(got.covs[1], variances, rtol=1e-9)
        assert_allclose(got.covs[[0, 2]], covs[[0, 2]], rtol=1e-12)


# ------------------------------------------------------------------------- the best of


def test_the_best_start_is_the_one_that_ended_highest_and_the_first_of_equals():
    runs = [("one", [0.0, 1.0, 2.0], True), ("two", [9.0, 9.0, 1.0], True), ("three", [0.0, 0.0, 2.0], True)]
    assert best_of(runs.__getitem__, 3)[0] == "one"
    assert best_of(runs[1:].__getitem__, 2)[0] == "three"


def test_a_start_that_collapses_is_passed_over_unless_all_do():
    def run(number):
        if number != 1:
            raise ValueError(f"start {number} collapsed")
        return "fine", [1.0], True

    assert best_of(run, 3)[0] == "fine"
    with pytest.raises(ValueError, match="start 0 collapsed"):
        best_of(run, 1)
