"""The bookkeeping of k-means: judged by measuring every distance, every time."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

import gmmlib.clustering.lloyd
import gmmlib.clustering.nearest
from gmmlib import KMeans, assign, lloyd
from gmmlib.clustering.nearest import Coordinates, Labels

RNG = np.random.default_rng(6)

# name: (points, how far the centres move from step to step)
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


@pytest.fixture(params=["one piece", "many pieces"])
def pieces(request, monkeypatch):
    """Leads are kept for any number of points, and in pieces that do not divide it."""
    monkeypatch.setattr(gmmlib.clustering.nearest, "LITTLE", 0)
    if request.param == "many pieces":
        monkeypatch.setattr(gmmlib.clustering.nearest, "CHUNK", 37)


def walk(X, step, K, rounded, rng):
    """Centres on their way: they start at rows of X, and a few of them move at a time."""
    z = X[rng.choice(len(X), K, replace=False)].astype(float)
    for _ in range(12):
        yield z
        move = step * rng.normal(size=z.shape) * (rng.random((K, 1)) < 0.6)
        z = z + (np.round(move) if rounded else move)


@pytest.mark.parametrize("K", [1, 2, 3, 8])
@pytest.mark.parametrize("name", CASES)
def test_labels_that_were_not_looked_at_are_still_the_nearest(name, K, rng, pieces):
    X, step = CASES[name]
    place = Coordinates(X)
    sides, labels = Labels(X, place), np.full(len(X), -1)
    for centers in walk(X, step, K, "lattice" in name, rng):
        z = place.enter(centers)
        moved, before = sides.update(z)
        distance = cdist(place.enter(X), z)
        assert_array_equal(sides.labels, distance.argmin(axis=1))  # the first of equals
        assert_array_equal(moved, np.flatnonzero(sides.labels != labels))
        assert_array_equal(before, labels[moved])
        labels = sides.labels.copy()
        if K > 1:
            first, second = np.partition(distance, 1, axis=1)[:, :2].T
            assert (sides.leads <= second - first + 1e-12).all()


@pytest.mark.parametrize("name", ["overlapping clouds", "clusters", "wide"])
def test_most_points_are_not_looked_at_once_the_centres_settle(name, rng, pieces, monkeypatch):
    X, _ = CASES[name]
    looked, nearest = [], gmmlib.clustering.nearest.Centers.nearest

    def counted(centers, rows, which):
        looked[-1] += len(which)
        return nearest(centers, rows, which)

    monkeypatch.setattr(gmmlib.clustering.nearest.Centers, "nearest", counted)
    place = Coordinates(X)
    sides = Labels(X, place)
    for centers in walk(X, 1e-4, 5, False, rng):
        looked.append(0)
        sides.update(place.enter(centers))
    assert looked[0] == len(X)
    assert max(looked[2:]) < len(X) / 5


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_sums_kept_up_to_date_give_the_centres_of_sums_taken_anew(name, weighted, rng, pieces, monkeypatch):
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
            centers = gmmlib.clustering.lloyd.update_centers(X, labels, centers, weight)
        return centers, np.array(inertias)

    if len(np.unique(cdist(X, start).argmin(axis=1))) == 4:  # no centre is ever sent elsewhere
        centers, inertias = anew(X, start, run.n_iter)
        assert_allclose(run.centers, centers, rtol=1e-10, atol=1e-12 * np.abs(X).max())
        scale = len(X) if weight is None else weight.sum()
        tolerance = 1e-9 * max(inertias[0] * scale, run.inertias[0])
        assert_allclose(run.inertias[:-1], inertias * scale, atol=tolerance)
    else:
        assert name == "no spread"


# ------------------------------------------------------------------- far, large and many


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
