"""The bookkeeping of k-means: judged by measuring every distance, every time."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.spatial.distance import cdist

import gmmlib.clusters
import gmmlib.nearest
from gmmlib import lloyd
from gmmlib.nearest import Coordinates, Labels

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
    monkeypatch.setattr(gmmlib.nearest, "LITTLE", 0)
    if request.param == "many pieces":
        monkeypatch.setattr(gmmlib.nearest, "CHUNK", 37)


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
    looked, nearest = [], gmmlib.nearest.Centers.nearest

    def counted(centers, rows, which):
        looked[-1] += len(which)
        return nearest(centers, rows, which)

    monkeypatch.setattr(gmmlib.nearest.Centers, "nearest", counted)
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
            centers = gmmlib.clusters.update_centers(X, labels, centers, weight)
        return centers, np.array(inertias)

    if len(np.unique(cdist(X, start).argmin(axis=1))) == 4:  # no centre is ever sent elsewhere
        centers, inertias = anew(X, start, run.n_iter)
        np.testing.assert_allclose(run.centers, centers, rtol=1e-10, atol=1e-12 * np.abs(X).max())
        scale = len(X) if weight is None else weight.sum()
        tolerance = 1e-9 * max(inertias[0] * scale, run.inertias[0])
        np.testing.assert_allclose(run.inertias[:-1], inertias * scale, atol=tolerance)
    else:
        assert name == "no spread"
