"""The parts k-means is made of, each against the plainest way to say the same."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmlib import assign, clusters, kmeans_plusplus, lloyd, numerics, update_centers
from gmmlib.clusters import cluster_sums, draw, membership, move, random_rows
from gmmlib.nearest import Centers, Coordinates, by_differences


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
