"""The parts k-means is made of, each against the plainest way to say the same."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from gmmlib import KMeans, assign, lloyd, update_centers
from gmmlib.clustering import lloyd as parts
from gmmlib.clustering.lloyd import Clusters, membership
from gmmlib.clustering.nearest import Table


@pytest.fixture(params=["dense", "sparse"])
def form(request, monkeypatch):
    monkeypatch.setattr(parts, "DENSE", 10**9 if request.param == "dense" else 0)
    return request.param


def test_a_membership_has_one_entry_a_column(rng, form):
    labels, weight = rng.integers(0, 4, size=30), rng.uniform(size=30)
    expected = np.zeros((5, 30))
    expected[labels, np.arange(30)] = weight
    member = membership(labels, weight, 5)
    assert isinstance(member, np.ndarray) == (form == "dense")
    assert_array_equal(member @ np.eye(30), expected)
    assert_array_equal(membership(labels, None, 5) @ np.eye(30), expected > 0)


@pytest.mark.parametrize("group", [7, 10**6])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_of_clusters_are_sums_over_their_points(rng, form, monkeypatch, group, weighted):
    monkeypatch.setattr(parts, "GROUP", group)
    X, labels = rng.normal(size=(40, 3)), rng.integers(0, 4, size=40)
    share = rng.uniform(size=40) if weighted else None
    clusters, z = Clusters(Table(X, share), 5), rng.normal(size=(5, 3))
    clusters.follow(labels)
    weight = np.ones(40) if share is None else share
    for k in range(5):
        mine = labels == k
        assert_allclose(clusters.counts[k], weight[mine].sum(), rtol=1e-14)
        assert_allclose(clusters.sums[k], weight[mine] @ X[mine], rtol=1e-12, atol=1e-14)
    assert_allclose(clusters.inertia(z), weight @ ((X - z[labels]) ** 2).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("kept", [0, 10**9])
@pytest.mark.parametrize("shift", [0.0, 50.0])
@pytest.mark.parametrize("changes", [0, 1, 300, 1000, 3000])
def test_points_that_move_take_their_sums_along(rng, form, monkeypatch, kept, shift, changes):
    monkeypatch.setattr("gmmlib.clustering.nearest.KEPT", kept)
    X, before = rng.normal(size=(3000, 2)) + shift, rng.integers(0, 3, size=3000)
    after = before.copy()
    after[rng.choice(3000, changes, replace=False)] = rng.integers(0, 3, size=changes)
    moving, anew = Clusters(Table(X), 4), Clusters(Table(X), 4)
    for labels in (before, after):
        moving.follow(labels)
    anew.follow(after)
    assert_array_equal(moving.counts, anew.counts)
    assert_allclose(moving.sums, anew.sums, rtol=1e-11, atol=1e-11)


def test_points_that_nearly_all_move_take_their_sums_along(rng):
    X, before = rng.normal(size=(3000, 2)), rng.integers(0, 3, size=3000)
    after = np.where(np.arange(3000) < 10, before, (before + 1) % 3)
    clusters = Clusters(Table(X), 3)
    for labels in (before, after):
        clusters.follow(labels)
    assert_array_equal(clusters.counts, np.bincount(after))
    assert_allclose(clusters.sums, [X[after == k].sum(axis=0) for k in range(3)], rtol=1e-11, atol=1e-11)


# --------------------------------------------------------------- what users call


def test_labels_are_indices(rng):
    X = rng.normal(size=(5000, 3))
    assert assign(X, X[:4]).labels.dtype == lloyd(X, X[:4], max_iter=2).labels.dtype == np.intp


@pytest.mark.parametrize("unit", [1e-200, 1e-20, 1.0, 1e20, 1e150])
@pytest.mark.parametrize("origin", [0.0, 1e6])
def test_squared_distances_are_in_the_units_of_the_points(rng, unit, origin):
    X, centers = np.round(rng.normal(size=(2, 9, 3)) * 2**10) / 2**10 + origin
    labels, sq_dist = assign(X * unit, centers[:4] * unit)
    expected = ((X[:, None] - centers[:4]) ** 2).sum(axis=2)
    assert_array_equal(labels, expected.argmin(axis=1))
    assert_allclose(sq_dist, expected.min(axis=1) * unit * unit, rtol=1e-6)


@pytest.mark.filterwarnings("error")
def test_a_distance_too_large_to_square_is_infinite_in_silence():
    assert_array_equal(assign([[1e300], [0.0]], [[0.0], [1e150]]).sq_dist, [np.inf, 0.0])


def test_a_centre_whose_points_do_not_count_stays():
    centers = update_centers([[1.0], [2.0], [9.0]], [0, 0, 1], [[5.0], [6.0]], [1.0, 3.0, 0.0])
    assert_allclose(centers, [[1.75], [6.0]])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: assign(np.ones((3, 1)), [1.0, 2.0]), "^centers must have shape"),
        (lambda: update_centers(np.ones((3, 1)), [0, 0, 0], [1.0]), "^centers must have shape"),
        (lambda: lloyd(np.ones((3, 1)), [1.0]), "^centers must have shape"),
        (lambda: update_centers(np.ones((3, 1)), [0, -1, 0], [[1.0], [2.0]]), "whole numbers from 0 to 1"),
        (lambda: update_centers(np.ones((3, 1)), [0, 2, 0], [[1.0], [2.0]]), "whole numbers from 0 to 1"),
        (lambda: update_centers(np.ones((3, 1)), [True, False, True], [[1.0], [2.0]]), "whole numbers from 0 to 1"),
    ],
)
def test_what_cannot_be_meant_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ------------------------------------------------------------------------- the loop


def one_by_one(X, centers, n_iter, weight):
    """Lloyd's algorithm by the book: centres, and the inertia before each update."""
    inertias = []
    for _ in range(n_iter):
        distance = cdist(X, centers, "sqeuclidean")
        labels = distance.argmin(axis=1)
        inertias.append(weight @ distance.min(axis=1))
        mine = [labels == k for k in range(len(centers))]
        centers = np.array([weight[m] @ X[m] / weight[m].sum() for m in mine])
    return centers, inertias


@pytest.mark.parametrize("N", [60, 900, 30_000])  # by differences, by products, and with several groups of sums
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shift", [0.0, 50.0])
def test_every_iteration_is_that_of_the_book(rng, N, weighted, shift):
    X = rng.normal(size=(N, 2)) + 4 * rng.integers(0, 3, size=(N, 1)) + shift
    weight = rng.uniform(0.5, 2, size=N) if weighted else np.ones(N)
    for n_iter in (1, 2, 3, 6):
        run = lloyd(X, X[:3], max_iter=n_iter, sample_weight=weight if weighted else None)
        centers, inertias = one_by_one(X, X[:3], run.n_iter, weight)
        assert_allclose(run.centers, centers, rtol=1e-11)
        assert_allclose(run.inertias[:-1], inertias, rtol=1e-9)
        assert_array_equal(run.labels, cdist(X, run.centers).argmin(axis=1))
        assert type(run.inertia) is float
        assert_allclose(run.inertia, weight @ cdist(X, run.centers, "sqeuclidean").min(axis=1), rtol=1e-11)


@pytest.mark.parametrize("n_iter", [0, 1, 5])
def test_so_many_iterations_are_made_where_more_would_change_something(rng, n_iter):
    X = rng.normal(size=(2000, 2))
    run = lloyd(X, X[:4], max_iter=n_iter)
    assert run.n_iter == n_iter
    assert_allclose(run.centers, one_by_one(X, X[:4], n_iter, np.ones(2000))[0], rtol=1e-11)


@pytest.mark.parametrize("N", [40, 3000])
def test_labels_follow_when_some_centres_stay_and_others_move(rng, N):
    X = np.vstack([rng.normal(size=(N, 1)), [[1e3]]])
    for n_iter in (1, 2, 3):
        run = lloyd(X, [[1e3], [2.5], [3.0]], max_iter=n_iter)
        assert_array_equal(run.labels, cdist(X, run.centers).argmin(axis=1))


@pytest.mark.parametrize("unit", [1.0, 2.0**60])
def test_the_loop_stops_once_the_moves_add_up_to_the_tolerance(rng, unit):
    X = unit * np.array([[0.0], [2.0]])
    assert [lloyd(X, [[0.0]], tol=tol * unit**2).n_iter for tol in (1.0, 0.999)] == [1, 2]
    X = unit * rng.normal(size=(2000, 2))
    n_iter = [lloyd(X, X[:4], tol=tol * unit**2).n_iter for tol in (0.0, 1e-4, 1e-1)]
    assert 300 > n_iter[0] > n_iter[1] > n_iter[2]
    assert n_iter == [lloyd(X / unit, X[:4] / unit, tol=tol).n_iter for tol in (0.0, 1e-4, 1e-1)]


def test_the_longest_run_is_that_of_the_estimator():
    assert inspect.signature(lloyd).parameters["max_iter"].default == KMeans().max_iter


@pytest.mark.filterwarnings("error")
def test_a_start_beyond_all_numbers_is_no_matter(rng):
    X = rng.normal(size=(3000, 2))
    run = lloyd(X, [[1e200, 0.0], [0.0, 0.0], [1.0, 1.0]])
    assert np.isfinite(run.inertias[1:]).all()
    assert not np.isnan(run.inertias).any()
    assert assign([[1e160, 0.0]], [[0.0, 0.0], [1.0, 1.0]]).sq_dist[0] == np.inf


@pytest.mark.parametrize("spread", [1e-1, 1e-3, 1e-6, 1e-9])
def test_the_inertia_of_tight_clusters_does_not_cancel(rng, spread):
    X = spread * rng.normal(size=(3000, 2)) + rng.choice([-1, 1], size=(3000, 1))
    run = lloyd(X, [[-1.0, -1.0], [1.0, 1.0]])
    expected = sum(((X[run.labels == k] - X[run.labels == k].mean(axis=0)) ** 2).sum() for k in range(2))
    assert_allclose(run.inertia, expected, rtol=1e-9)


def refilled(X, z):
    X, z = np.array(X, float), np.array(z, float)
    clusters, labels = Clusters(Table(X), len(z)), cdist(X, z).argmin(axis=1)
    clusters.follow(labels.copy())
    means = clusters.means(clusters.table.enter(z))
    assert_array_equal(clusters.labels, labels)
    return clusters.table.leave(means)


def test_empty_clusters_take_the_farthest_points_each_once():
    X = [[0, 0], [0.1, 0], [0, 0.1], [10, 0], [10, 0], [10, 9]]
    means = refilled(X, [[0, 0], [1e3, 1e3], [1e3, 1e3]])
    assert_allclose(means, [[10.1 / 4, 0.1 / 4], [10, 9], [10, 0]])


def test_an_empty_cluster_stays_where_it_is_when_every_point_has_its_centre():
    assert_allclose(refilled([[0], [0], [5], [5]], [[0], [100], [100]]), [[5 / 3], [5], [100]])


def test_a_cluster_of_one_point_is_not_empty():
    assert_allclose(refilled([[0], [0.2], [5], [20]], [[0], [5], [20], [100]]), [[0], [5], [20], [0.2]])
