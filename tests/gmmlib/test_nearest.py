"""Which centre is nearest: judged by measuring every distance."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

import gmmlib.clustering.nearest as parts
from gmmlib import KMeans, assign, lloyd, update_centers
from gmmlib.clustering.nearest import Table, by_differences, columns_and_size, size_of

RNG = np.random.default_rng(6)

# name: (points, how far centres lie from some of them)
CASES = {
    "overlapping clouds": (RNG.normal(size=(700, 3)), 0.05),
    "clusters": (RNG.normal(size=(700, 5)) + 9 * RNG.integers(0, 3, size=(700, 1)), 0.3),
    "leaps": (RNG.normal(size=(500, 2)), 3.0),
    "hardly a move": (RNG.normal(size=(900, 2)), 1e-7),
    "a lattice full of ties": (RNG.integers(-3, 4, size=(600, 2)).astype(float), 1.0),
    "single precision": (RNG.normal(size=(500, 4)).astype(np.float32), 0.1),
    "far from the origin": (RNG.normal(size=(500, 3)) + 1e6, 0.1),
    "tiny": (1e-9 * RNG.normal(size=(500, 3)), 1e-10),
    "one column": (RNG.normal(size=(500, 1)), 0.1),
    "wide": (RNG.normal(size=(300, 40)), 0.1),
    "no spread": (np.ones((300, 2)), 0.1),
}


@pytest.fixture(params=["one piece", "many pieces", "few kept"])
def pieces(request, monkeypatch):
    """Products for any number of points, in one block or in several that do not divide it, kept or not."""
    monkeypatch.setattr(parts, "LITTLE", 0)
    if request.param != "one piece":
        monkeypatch.setattr(parts, "FIT", 0)
        in_step = lambda N, _: [slice(i, min(i + 97, N)) for i in range(0, N, 97)]  # noqa: E731
        monkeypatch.setattr(parts, "blocks", in_step)
    if request.param == "few kept":
        monkeypatch.setattr(parts, "KEPT", 0)


def near(X, step, K, rounded, rng):
    """Centres near rows of X, ever farther."""
    z = X[rng.choice(len(X), K, replace=False)].astype(float)
    for _ in range(4):
        yield z
        move = step * rng.normal(size=z.shape) * (rng.random((K, 1)) < 0.6)
        z = z + (np.round(move) if rounded else move)


@pytest.mark.parametrize("K", [1, 2, 3, 8, 290])
@pytest.mark.parametrize("name", CASES)
def test_labels_are_the_nearest_and_the_first_of_equals(name, K, rng, pieces):
    X, step = CASES[name]
    table = Table(X)
    for centers in near(X, step, K, "lattice" in name, rng):
        z = table.enter(centers)
        assert_array_equal(table.nearest(z), cdist(table.enter(X), z).argmin(axis=1))


@pytest.mark.parametrize("name", ["overlapping clouds", "clusters", "wide", "far from the origin"])
def test_hardly_any_point_is_measured_twice(name, rng, pieces, monkeypatch):
    X, step = CASES[name]
    looked, measure = [0], parts.by_differences

    def counted(columns, size, z):
        looked[0] += columns.shape[2]
        return measure(columns, size, z)

    monkeypatch.setattr(parts, "by_differences", counted)
    table = Table(X)
    for centers in near(X, step, 5, False, rng):
        table.nearest(table.enter(centers))
    assert looked[0] < len(X) / 50


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_run_is_what_assigning_and_updating_in_turn_gives(name, weighted, rng, pieces):
    X, _ = CASES[name]
    weight = rng.uniform(size=len(X)) if weighted else None
    start = X[rng.choice(len(X), 4, replace=False)]
    run = lloyd(X, start, sample_weight=weight)

    def anew(X, centers, n_iter):
        centers, inertias = centers.astype(float), []
        for _ in range(n_iter):
            distance = cdist(X, centers, "sqeuclidean")
            labels = distance.argmin(axis=1)
            inertias.append(np.average(distance.min(axis=1), weights=weight))
            centers = update_centers(X, labels, centers, weight)
        return centers, np.array(inertias)

    if len(np.unique(cdist(X, start).argmin(axis=1))) == 4:  # no centre is ever sent elsewhere
        centers, inertias = anew(X, start, run.n_iter)
        assert_allclose(run.centers, centers, rtol=1e-10, atol=1e-12 * np.abs(X).max())
        scale = len(X) if weight is None else weight.sum()
        tolerance = 1e-9 * max(inertias[0] * scale, run.inertias[0])
        assert_allclose(run.inertias[:-1], inertias * scale, atol=tolerance)
    else:
        assert name == "no spread"


# ------------------------------------------------------------------- what remains


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("tight", [1.0, 1e-2, 1e-5])
@pytest.mark.parametrize("name", ["overlapping clouds", "clusters", "wide", "far from the origin"])
def test_what_remains_after_a_further_centre_is_the_sum_of_the_smaller_squares(name, tight, weighted, rng, pieces):
    """Tight: clusters a hundred, or a hundred thousand times closer than their distance from the origin."""
    X = tight * CASES[name][0] + rng.integers(0, 2, size=(len(CASES[name][0]), 1)) * 20
    share = rng.uniform(size=len(X)) if weighted else None
    table, weight = Table(X, share), np.ones(len(X)) if share is None else share
    z = table.rows(rng.choice(len(X), 7, replace=False))
    sq = cdist(z, table.enter(X), "sqeuclidean")
    nearest_sq = sq[:4].min(axis=0)
    expected = np.minimum(sq[4:], nearest_sq) @ weight
    assert_allclose(table.remaining(z[4:], nearest_sq), expected, rtol=2e-3)
    shrunk = sq[:3].min(axis=0)
    table.shrink(shrunk, z[3:4])
    assert_allclose(shrunk, nearest_sq, rtol=2e-3)
    assert_array_equal(shrunk == 0, nearest_sq == 0)


# ------------------------------------------------------------------- far, large and many


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("aside", [1.0, 3e3])  # how far rows lie from the middle of two centres, along their border
def test_near_ties_are_decided_in_double_precision_in_any_unit(unit, aside, rng):
    centers = rng.normal(size=(2, 3))
    middle, across = centers.mean(axis=0), centers[1] - centers[0]
    along = np.cross(across, [1.0, 2.0, 3.0])
    sign, place = rng.choice([-1, 1], size=2000), aside * rng.normal(size=2000)  # single precision is tried first
    place[::50] /= aside
    X = middle + np.outer(sign * 1e-9 * aside, across) + np.outer(place, along)
    assert_array_equal(assign(unit * X, unit * centers).labels, (sign + 1) // 2)


def test_the_size_of_rows_is_that_of_the_largest_number_whatever_its_sign():
    assert size_of(np.array([[-5.0, 1.0], [2.0, 3.0]])) == 5
    assert size_of(np.array([[-1.0, 1.0], [2.0, 3.0]])) == 3


def exactly_nearest(row, centers):
    distance = [sum((Fraction(x) - Fraction(c)) ** 2 for x, c in zip(row, center, strict=True)) for center in centers]
    return distance.index(min(distance))


@pytest.mark.parametrize(
    ("centers", "row"),
    [
        ([[4e11, 0.0], [0.0, 8e11]], [1e16, 0.5001e16]),
        ([[9e11, 0.0, 0.0], [0.0, 1e10, 0.0]], [2e12, 0.0, 1.1e15]),
        ([[1.0, 0.0], [0.0, 1.0]], [1e20, 1.0001e20]),
        ([[1.0, 0.0], [0.0, 1.0 + 1e-9]], [1e5, 1e5]),
    ],
)
def test_far_rows_are_judged_alike_alone_and_in_company(centers, row):
    expected = exactly_nearest(row, centers)
    assert_array_equal(assign([row], centers).labels, expected)
    assert_array_equal(assign([row] * 3000, centers).labels, expected)


@pytest.mark.parametrize("first", [slice(None), slice(None, None, -1)])
def test_the_trace_does_not_rise_where_one_outlier_hides_an_offset(rng, first):
    X = 1e6 + 0.01 * rng.normal(size=(20_000, 2))
    X[0] = 0
    model = KMeans(8, n_init=1, random_state=0, tol=0).fit(X[first])
    assert (np.diff(model.inertias_) <= 2e-3 * model.inertias_[-1]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("factor", [1.0, 1e140])
def test_centres_that_start_very_far_away_come_back_in_silence(rng, factor):
    X = factor * rng.normal(size=(5000, 2))
    run = lloyd(X, factor * np.array([[1e18, 0.0], [0.0, 0.0], [1.0, 1.0]]))
    assert np.isfinite(run.inertia)
    assert len(np.unique(run.labels)) == 3


def test_a_distance_whose_square_does_not_fit_is_infinite():
    assert assign([[1e200]], [[1.0], [2.0]]).sq_dist[0] == np.inf
    assert assign([[1e300, 0.0]], [[1e100, 0.0], [-1e100, 0.0]]).sq_dist[0] == np.inf
    assert_allclose(assign([[1e130]], [[1.0], [2.0]]).sq_dist, 1e260)


def test_rows_in_doubt_are_measured_in_little_memory(rng):
    X = np.repeat((rng.random((200, 784)) < 0.2).astype(float), 2, axis=0)
    tracemalloc.start()
    assign(X, X[:400])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e8


@pytest.mark.filterwarnings("error")
def test_half_precision_is_read_as_what_it_is(rng):
    X = (1e4 * rng.normal(size=(300, 2))).astype(np.float16)
    half, double = lloyd(X, X[:3]), lloyd(X.astype(float), X[:3].astype(float))
    assert_array_equal(half.labels, double.labels)
    assert_allclose(half.centers, double.centers)


def test_labels_of_single_precision_are_those_that_predict_gives():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = 100 + rng.normal(size=(20_000, 2)).astype(np.float32)
        model = KMeans(int(rng.integers(2, 12)), n_init=1, random_state=seed).fit(X)
        assert_array_equal(model.labels_, model.predict(X))


# ------------------------------------------------------------------- very far away


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e16, 1e100])
@pytest.mark.parametrize("out", [1.0, 1e14, 1e16, 1e100])
def test_the_nearest_is_the_nearest_however_far_points_and_centres_are(rng, size, out):
    X, z = rng.normal(size=(50, 3)) * out, rng.normal(size=(4, 3)) * size
    labels = Table(np.repeat(X, 20, axis=0), like=np.array([[0.0], [1.0]])).nearest(z)[::20]
    if out > 1e6 * size:  # a matter of direction
        assert_array_equal(labels, (X @ z.T).argmax(axis=1))
        return
    distance = np.sqrt((((X[:, None] - z) / max(size, out)) ** 2).sum(axis=2)) * max(size, out)
    assert_array_equal(labels, distance.argmin(axis=1))
    assert_array_equal(by_differences(*columns_and_size(X), z), labels)


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
    place = Table(X)
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
    assert Table(X).own
    assert Table(X).enter(X).dtype == float
    assert not Table(X - [0.0, 100.0]).own


@pytest.mark.filterwarnings("error")
def test_rows_beyond_reach_stop_there_in_silence():
    place = Table(np.array([[0.0], [1e-100]]))
    assert_array_equal(place.enter(np.array([[1e300], [-1e300]])), [[1e140], [-1e140]])


@pytest.mark.parametrize(("shift", "unit"), [(0.0, 1.0), (30.0, 1.0), (1e6, 1.0), (5.0, 1e-30), (0.0, 1e30)])
def test_the_tolerance_is_measured_by_the_mean_variance(rng, shift, unit):
    X, weight = unit * (rng.normal(size=(500, 3)) * [1, 2, 3] + shift), rng.uniform(size=500)
    assert_allclose(Table(X).mean_variance(), X.var(axis=0).mean(), rtol=1e-8)
    share = weight / weight.sum()
    expected = share @ ((X - share @ X) ** 2).mean(axis=1)
    assert_allclose(Table(X, share).mean_variance(), expected, rtol=1e-8)
    assert Table(np.ones((5, 2))).mean_variance() == 0
