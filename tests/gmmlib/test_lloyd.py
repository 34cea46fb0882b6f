"""The parts k-means is made of, each against the plainest way to say the same."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from gmmlib import KMeans, assign, kmeans_plusplus, lloyd, numerics, update_centers
from gmmlib.clustering import lloyd as clusters
from gmmlib.clustering.lloyd import _means, cluster_sums, draw, mean_variance, membership, move, random_rows
from gmmlib.clustering.nearest import Centers, Coordinates, by_differences


@pytest.fixture(params=["dense", "sparse"])
def form(request, monkeypatch):
    monkeypatch.setattr(clusters, "DENSE", 10**9 if request.param == "dense" else 0)
    return request.param


def test_a_membership_has_one_entry_a_column(rng, form):
    labels, weight = rng.integers(0, 4, size=30), rng.uniform(size=30)
    expected = np.zeros((5, 30))
    expected[labels, np.arange(30)] = weight
    member = membership(labels, weight, 5)
    assert isinstance(member, np.ndarray) == (form == "dense")
    assert_array_equal(member @ np.eye(30), expected)


@pytest.mark.parametrize("group", [7, 10**6])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_of_clusters_are_sums_over_their_points(rng, form, monkeypatch, group, weighted):
    monkeypatch.setattr(clusters, "GROUP", group)
    X, labels = rng.normal(size=(40, 3)), rng.integers(0, 4, size=40)
    share = rng.uniform(size=40) if weighted else None
    mass, first = cluster_sums(X, share, Coordinates(X), labels, 5)
    weight = np.ones(40) if share is None else share
    for k in range(5):
        mine = labels == k
        assert_allclose(mass[k], weight[mine].sum(), rtol=1e-14)
        assert_allclose(first[k], weight[mine] @ X[mine], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("block", [1, 60_000])
def test_points_that_move_take_their_sums_along(rng, form, monkeypatch, block):
    monkeypatch.setattr(numerics, "BLOCK", block)
    X, before, after = rng.normal(size=(500, 2)), rng.integers(0, 3, size=500), rng.integers(0, 3, size=500)
    place = Coordinates(X)
    mass, first = cluster_sums(X, None, place, before, 3)
    moved = np.flatnonzero(before != after)
    move(mass, first, X, place, moved, after[moved], before[moved])
    for got, expected in zip((mass, first), cluster_sums(X, None, place, after, 3), strict=True):
        assert_allclose(got, expected, rtol=1e-11, atol=1e-12)


class Dice:
    """A generator that says what it was told to."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def random(self):
        return self.numbers.pop(0)


@pytest.mark.parametrize(("number", "index"), [(0.0, 1), (0.24, 1), (0.25, 3), (0.74, 3), (0.75, 4), (1 - 1e-16, 4)])
def test_the_draw_inverts_the_cumulative_sum_and_never_takes_the_impossible(number, index):
    chance = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 0.0])
    assert draw(Dice(number), chance) == index
    assert type(draw(Dice(number), chance)) is int


def test_a_draw_from_next_to_nothing_stays_in_range():
    assert draw(Dice(0.9), np.array([5e-324])) == 0  # rounds up to the last edge


def test_random_rows_differ_while_there_are_different_rows():
    X = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 2.0], [5.0, 1.0]])
    rows = random_rows(X, 3, Dice(0.0, 0.0, 0.99), None)
    assert_array_equal(rows, X[[0, 2, 3]])
    assert_array_equal(random_rows(X, 4, Dice(0.3, 0.0, 0.0, 0.6), None), X[[1, 2, 3, 2]])  # then anything goes
    share = np.array([0.0, 0.5, 0.5, 0.0])
    assert_array_equal(random_rows(X, 2, Dice(0.0, 0.0), share), X[[1, 2]])
    assert_array_equal(share, [0.0, 0.5, 0.5, 0.0])


def test_once_every_point_is_a_centre_weights_alone_decide():
    X = np.array([[0.0], [0.0], [0.0], [1.0]])
    assert_array_equal(kmeans_plusplus(X, 3, Dice(0.0, 0.5, 0.3)), [[0.0], [1.0], [0.0]])
    assert_array_equal(kmeans_plusplus(X, 3, Dice(0.0, 0.5, 0.9)), [[0.0], [1.0], [1.0]])


# --------------------------------------------------------------- what users call


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
        (lambda: kmeans_plusplus(np.ones((3, 1)), 4, None), "K must be between 1 and the number of points 3, got 4"),
        (lambda: kmeans_plusplus(np.ones((3, 1)), 0, None), "K must be between 1 and the number of points 3, got 0"),
        (lambda: kmeans_plusplus(np.ones((3, 1)), 1.5, None), "got 1.5"),
    ],
)
def test_what_cannot_be_meant_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ------------------------------------------------------------------- very far away


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e16, 1e100])
@pytest.mark.parametrize("out", [1.0, 1e14, 1e16, 1e100])
def test_the_nearest_is_the_nearest_however_far_points_and_centres_are(rng, size, out):
    X, z = rng.normal(size=(50, 3)) * out, rng.normal(size=(4, 3)) * size
    labels, leads = Centers(z, Coordinates(np.array([[0.0], [1.0]]))).nearest(X, np.arange(50))
    if out > 1e6 * size:  # a matter of direction
        assert_array_equal(labels, (X @ z.T).argmax(axis=1))
        return
    distance = np.sqrt((((X[:, None] - z) / max(size, out)) ** 2).sum(axis=2)) * max(size, out)
    assert_array_equal(labels, distance.argmin(axis=1))
    assert_array_equal(by_differences(X, z), labels)
    first, second = np.partition(distance, 1, axis=1)[:, :2].T
    assert (leads <= (second - first) * (1 + 1e-6)).all()


# ---------------------------------------------------------------------- coordinates


@pytest.mark.parametrize(
    ("X", "own"),
    [
        ([-5.0, -1.0], True),
        ([-1.0, 5.0], True),
        ([0.0, 1e11], True),
        ([0.0, 1e13], False),
        ([-1e13, 0.0], False),
        ([0.0, 1e-11], True),
        ([0.0, 1e-13], False),
        ([25.1, 50.0], False),  # more than three standard deviations away from zero
        ([24.9, 50.0], True),
        ([-50.0, -25.1], False),
        ([-50.0, -24.9], True),
        ([3.0, 3.0], False),
        ([0.0, 0.0], False),
    ],
)
def test_points_near_zero_and_one_keep_their_coordinates_and_others_are_brought_there(X, own):
    X = np.array(X)[:, None]
    place = Coordinates(X)
    z = place.enter(X)
    assert place.own == own
    assert_allclose(place.leave(z), X, rtol=1e-15)
    if own:
        assert z is X
        assert (place.origin, place.unit) == (0.0, 1.0)
    else:
        assert np.abs(z).max() <= 1
        assert np.log2(place.unit) % 1 == 0


def test_the_widest_column_decides_and_single_precision_becomes_double():
    X = np.array([[7.0, 0.0], [7.0, 40.0]], dtype=np.float32)
    assert Coordinates(X).own
    assert Coordinates(X).enter(X).dtype == float
    assert not Coordinates(X - [0.0, 100.0]).own


@pytest.mark.filterwarnings("error")
def test_rows_beyond_reach_stop_there_in_silence():
    place = Coordinates(np.array([[0.0], [1e-100]]))
    assert_array_equal(place.enter(np.array([[1e300], [-1e300]])), [[1e140], [-1e140]])


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


@pytest.mark.parametrize("N", [60, 900, 30_000])  # fewer than leads are kept for, more, and several groups of sums
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


def refilled(X, z):
    X, z = np.array(X, float), np.array(z, float)
    place, labels = Coordinates(X), cdist(X, z).argmin(axis=1)
    kept = labels.copy()
    means = _means(X, None, place, z, *cluster_sums(X, None, place, labels, len(z)), labels)
    assert_array_equal(labels, kept)
    return means


def test_empty_clusters_take_the_farthest_points_each_once():
    X = [[0, 0], [0.1, 0], [0, 0.1], [10, 0], [10, 0], [10, 9]]
    means = refilled(X, [[0, 0], [1e3, 1e3], [1e3, 1e3]])
    assert_allclose(means, [[10.1 / 4, 0.1 / 4], [10, 9], [10, 0]])


def test_an_empty_cluster_stays_where_it_is_when_every_point_has_its_centre():
    assert_allclose(refilled([[0], [0], [5], [5]], [[0], [100], [100]]), [[5 / 3], [5], [100]])


def test_a_cluster_of_one_point_is_not_empty():
    assert_allclose(refilled([[0], [0.2], [5], [20]], [[0], [5], [20], [100]]), [[0], [5], [20], [0.2]])


@pytest.mark.parametrize(("shift", "unit"), [(0.0, 1.0), (30.0, 1.0), (1e6, 1.0), (5.0, 1e-30), (0.0, 1e30)])
def test_the_tolerance_is_measured_by_the_mean_variance(rng, shift, unit):
    X, weight = unit * (rng.normal(size=(500, 3)) * [1, 2, 3] + shift), rng.uniform(size=500)
    assert_allclose(mean_variance(None, X), X.var(axis=0).mean(), rtol=1e-8)
    share = weight / weight.sum()
    expected = share @ ((X - share @ X) ** 2).mean(axis=1)
    assert_allclose(mean_variance(share, X), expected, rtol=1e-8)
    assert mean_variance(None, np.ones((5, 2))) == 0
