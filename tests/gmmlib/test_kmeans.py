"""k-means: judged by brute force, scikit-learn and the laws it obeys."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import data_and_start
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans as Referee

from gmmlib import KMeans, assign, kmeans_plusplus, lloyd, update_centers


def inertia_of(X, labels):
    return sum(((X[labels == k] - X[labels == k].mean(axis=0)) ** 2).sum() for k in np.unique(labels))


def test_assignment_is_the_nearest_centre_by_scipy(rng, size):
    N, D, K = size
    X, centers = rng.normal(size=(N, D)), rng.normal(size=(K, D))
    labels, sq_dist = assign(X, centers)
    table = cdist(X, centers, "sqeuclidean")
    assert_array_equal(labels, table.argmin(axis=1))
    assert_allclose(sq_dist, table.min(axis=1), rtol=1e-12)


def test_ties_go_to_the_lower_index():
    assert_array_equal(assign([[0.0], [1.0]], [[-1.0], [1.0], [1.0]]).labels, [0, 1])
    assert_array_equal(lloyd([[0.0], [1.0], [5.0]], [[1.0], [1.0], [5.0]], max_iter=0).labels, [0, 0, 2])


def test_centres_move_to_weighted_means_and_empty_ones_stay(rng):
    X, labels, weight = rng.normal(size=(20, 3)), rng.integers(0, 2, size=20), rng.uniform(size=20)
    centers = update_centers(X, labels, 9.0 * np.ones((3, 3)), weight)
    for k in range(2):
        assert_allclose(centers[k], np.average(X[labels == k], axis=0, weights=weight[labels == k]), rtol=1e-12)
    assert_allclose(centers[2], 9.0)


def test_inertia_never_rises_and_ends_at_a_fixed_point(rng, size):
    N, D, K = size
    X, (_, start, _) = data_and_start(rng, "full", K, D, N)
    run = lloyd(X, start)
    assert (np.diff(run.inertias) <= 1e-12 * run.inertias[0]).all()
    assert_array_equal(assign(X, run.centers).labels, run.labels)
    assert_allclose(update_centers(X, run.labels, run.centers), run.centers, rtol=1e-12, atol=1e-12)
    assert_allclose(run.inertia, inertia_of(X, run.labels), rtol=1e-12)
    assert_allclose(run.inertias[-1], run.inertia, rtol=1e-12)


def test_many_starts_find_the_best_of_all_partitions(rng):
    X = rng.normal(size=(9, 2))
    every = (np.array(labels) for labels in itertools.product(range(3), repeat=9))
    best = min(inertia_of(X, labels) for labels in every if len(set(labels.tolist())) == 3)
    assert_allclose(KMeans(3, n_init=50, random_state=0).fit(X).inertia_, best, rtol=1e-12)


def test_the_same_start_leads_where_scikit_learn_goes(rng, size):
    N, D, K = size
    X, weight, start = rng.normal(size=(N, D)), rng.uniform(size=N), rng.normal(size=(K, D))
    for w in (None, weight):
        referee = Referee(K, init=start, n_init=1, tol=0).fit(X, sample_weight=w)
        ours = KMeans(K, init=start, n_init=1, tol=0).fit(X, sample_weight=w)
        assert_allclose(ours.cluster_centers_, referee.cluster_centers_, rtol=1e-9, atol=1e-12)
        assert_array_equal(ours.labels_, referee.labels_)
        assert_allclose(ours.inertia_, referee.inertia_, rtol=1e-9)


def test_integer_weights_are_repeated_rows_from_the_first_draw_on(rng):
    X, counts = rng.normal(size=(40, 2)), rng.integers(0, 4, size=40)
    copies = np.repeat(X, counts, axis=0)
    for init in ("k-means++", "random"):
        for seed in range(5):
            weighted = KMeans(3, init=init, n_init=1, random_state=seed, tol=0).fit(X, sample_weight=counts)
            repeated = KMeans(3, init=init, n_init=1, random_state=seed, tol=0).fit(copies)
            assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-10)
            assert_allclose(weighted.inertia_, repeated.inertia_, rtol=1e-10)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_only_ratios_of_weights_matter(rng, factor):
    X, weight = rng.normal(size=(40, 2)), rng.uniform(size=40)
    plain = KMeans(3, random_state=0, n_init=1).fit(X, sample_weight=weight)
    scaled = KMeans(3, random_state=0, n_init=1).fit(X, sample_weight=weight * factor)
    assert_allclose(scaled.cluster_centers_, plain.cluster_centers_, rtol=1e-12)


@pytest.mark.parametrize(("shift", "factor"), [(1e10, 1.0), (0.0, 1e-150), (0.0, 1e150)])
def test_shift_and_scale_do_only_what_algebra_says(rng, shift, factor):
    X, (_, start, _) = data_and_start(rng, "full", 3, 2)
    X, start = np.round(X * 2**16) / 2**16, np.round(start * 2**16) / 2**16
    plain, moved = lloyd(X, start), lloyd(X * factor + shift, start * factor + shift)
    assert_array_equal(moved.labels, plain.labels)
    assert_allclose((moved.centers - shift) / factor, plain.centers, atol=3e-6 if shift else 1e-12)
    assert_allclose(moved.inertia / factor**2, plain.inertia, rtol=1e-5 if shift else 1e-9)


def test_kmeans_plusplus_draws_in_proportion_to_the_squared_distance_to_the_nearest(rng):
    X = np.array([[0.0], [0.0], [0.0], [1.0], [3.0]])
    second = np.zeros(5)
    for _ in range(4000):
        centers = kmeans_plusplus(X[[0, 3, 4]], 2, rng)
        second[int(centers[1, 0])] += centers[0, 0] == 0
    assert second[0] == 0
    assert_allclose(second[1] / (second[1] + second[3]), 1 / 10, atol=0.03)  # 1**2 against 3**2
    third = [kmeans_plusplus(np.array([[0.0], [10.0], [11.0]]), 3, rng) for _ in range(20)]
    assert all(len(np.unique(c)) == 3 for c in third)


def test_kmeans_plusplus_beats_random_starts_over_many_seeds(rng):
    X, _ = data_and_start(rng, "full", 6, 2, N=300)
    spread, plain = (
        np.mean([KMeans(6, init=init, n_init=1, random_state=s).fit(X).inertia_ for s in range(60)])
        for init in ("k-means++", "random")
    )
    assert spread < plain


def test_an_empty_cluster_is_refilled_while_distinct_points_remain():
    X = np.array([[0.0], [0.1], [10.0], [10.1], [20.0]])
    run = lloyd(X, [[0.0], [10.0], [1000.0]])
    assert len(np.unique(run.labels)) == 3
    assert_allclose(np.sort(run.centers.ravel()), [0.05, 10.05, 20.0])


def test_every_point_its_own_centre_has_no_inertia(rng):
    X = rng.normal(size=(7, 2))
    assert_allclose(KMeans(7, random_state=0).fit(X).inertia_, 0, atol=1e-20)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: assign(np.zeros((3, 2)), np.zeros((2, 3))), "2 columns but centers has 3"),
        (lambda: kmeans_plusplus(np.zeros((3, 2)), 4, None), "K must be between 1 and"),
        (lambda: lloyd([[np.nan]], [[0.0]]), "NaN or infinity"),
        (lambda: KMeans(3).fit(np.zeros((2, 2))), "n_clusters=3"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
