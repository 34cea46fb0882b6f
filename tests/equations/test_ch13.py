"""Chapter 13, k-means: every labelled equation, judged by means that do not share its algebra."""

from fractions import Fraction
from itertools import combinations, product

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, optimize, stats
from scipy.spatial.distance import pdist
from sklearn.cluster import KMeans as Referee

from gmmlib import assign, e_step, kmeans_plusplus, lloyd, log_likelihood, update_centers


def test_eq_km_inertia(rng):
    """scikit-learn's score and inertia."""
    X, centers = rng.normal(size=(60, 3)), rng.normal(size=(4, 3))
    referee = Referee(4, init=centers, n_init=1, max_iter=1)
    referee.fit(X)
    by_formula = ((X - referee.cluster_centers_[referee.predict(X)]) ** 2).sum()
    assert_allclose(assign(X, referee.cluster_centers_).sq_dist.sum(), -referee.score(X), rtol=1e-10)
    assert_allclose(by_formula, -referee.score(X), rtol=1e-10)
    assert_allclose(lloyd(X, centers).inertia, Referee(4, init=centers, n_init=1, tol=0).fit(X).inertia_, rtol=1e-9)


def test_eq_km_mean_shift(rng):
    """In exact fractions."""
    points = [tuple(Fraction(int(v), 7) for v in row) for row in rng.integers(-20, 20, size=(9, 2))]
    c = (Fraction(3, 5), Fraction(-8, 3))
    mean = tuple(sum(p[d] for p in points) / 9 for d in range(2))
    around = lambda q: sum((p[d] - q[d]) ** 2 for p in points for d in range(2))  # noqa: E731
    assert around(c) == around(mean) + 9 * sum((mean[d] - c[d]) ** 2 for d in range(2))
    X, far = np.array(points, dtype=float), np.array([c], dtype=float)
    assert_allclose(update_centers(X, np.zeros(9, int), far)[0], np.array(mean, float), rtol=1e-12)


def test_eq_km_voronoi(rng):
    """Bisect for the wall between two centres along random lines; it is where the rule says."""
    k, j = rng.normal(size=(2, 3))
    for _ in range(20):
        direction = rng.normal(size=3)
        if direction @ (k - j) < 0:
            direction = -direction
        base = rng.normal(size=3)
        nearer = lambda t, b=base, u=direction: (  # noqa: E731
            np.linalg.norm(b + t * u - j) - np.linalg.norm(b + t * u - k)
        )
        wall = optimize.brentq(nearer, -1e3, 1e3, xtol=1e-12)
        side = lambda t, b=base, u=direction: (k - j) @ (b + t * u - (k + j) / 2)  # noqa: E731
        assert side(wall - 1e-6) < 0 < side(wall + 1e-6)
        labels = assign([base + (wall - 1e-6) * direction, base + (wall + 1e-6) * direction], [j, k]).labels
        assert labels.tolist() == [0, 1]


def test_eq_km_plusplus():
    """Count the draws of the third centre, given the first two."""
    X = np.array([[0.0], [1.0], [4.0], [9.0], [10.0]])
    rng, seen = np.random.default_rng(0), {}
    for _ in range(20_000):
        drawn = kmeans_plusplus(X, 3, rng).ravel()
        seen.setdefault((drawn[0], drawn[1]), []).append(drawn[2])
    thirds = np.array(seen[(0.0, 10.0)])
    squares = {1.0: 1.0, 4.0: 16.0, 9.0: 1.0}  # to the nearest of 0 and 10
    for value, square in squares.items():
        expected = square / sum(squares.values())
        assert abs(np.mean(thirds == value) - expected) < 5 * np.sqrt(expected / len(thirds))
    assert set(thirds) <= set(squares)


def all_draws(X, K):
    """Every sequence of centres k-means++ can draw, with its probability: by enumeration."""
    N = len(X)
    for chosen in product(range(N), repeat=K):
        chance = 1.0 / N
        for step in range(1, K):
            nearest = np.min([((X - X[i]) ** 2).sum(axis=1) for i in chosen[:step]], axis=0)
            chance *= nearest[chosen[step]] / nearest.sum()
        if chance > 0:
            yield chosen, chance


@pytest.mark.parametrize("K", [2, 3])
def test_eq_km_plusplus_bound(rng, K):
    """The expectation over every draw, and the best inertia over every labelling, of a few points."""
    for X in (rng.normal(size=(7, 2)), np.array([[0.0], [0.5], [0.0], [1e3], [1e3 + 1.0], [1e3], [2e3]])):
        price = lambda chosen, X=X: np.min([((X - X[i]) ** 2).sum(axis=1) for i in chosen], axis=0).sum()  # noqa: E731
        expected = sum(chance * price(chosen) for chosen, chance in all_draws(X, K))
        best = np.inf
        for labels in product(range(K), repeat=len(X)):
            labels = np.array(labels)
            parts = [X[labels == k] for k in set(labels.tolist())]
            best = min(best, sum(((p - p.mean(axis=0)) ** 2).sum() for p in parts))
        assert expected <= 8 * (np.log(K) + 2) * best
        assert expected > best  # the draw alone is not the optimum: the bound has work to do


SIGMAS = (1.0, 0.3, 0.1)
WEIGHTS, CENTERS = [0.2, 0.7, 0.1], np.array([[0.0, 0.0], [2.0, 1.0], [-1.0, 3.0]])
POINTS = np.array([[0.3, 0.1], [1.4, 1.2], [-0.2, 2.0]])


def exact_resp(x, sigma):
    """Responsibilities with 60 digits, no logarithm taken."""
    with mpmath.workdps(60):
        halves = 2 * mpmath.mpf(sigma) ** 2
        joint = []
        for w, center in zip(WEIGHTS, CENTERS, strict=True):
            sq = mpmath.fsum((mpmath.mpf(a) - mpmath.mpf(b)) ** 2 for a, b in zip(x, center, strict=True))
            joint.append(mpmath.mpf(w) * mpmath.exp(-sq / halves))
        total = mpmath.fsum(joint)
        return [j / total for j in joint], total


@pytest.mark.parametrize("sigma", SIGMAS)
def test_eq_km_log_odds(sigma):
    """The posterior with 60 digits."""
    sq = ((POINTS[:, None] - CENTERS) ** 2).sum(axis=-1)
    for n, x in enumerate(POINTS):
        resp, _ = exact_resp(x, sigma)
        for k, j in combinations(range(3), 2):
            by_formula = (sq[n, j] - sq[n, k] + 2 * sigma**2 * np.log(WEIGHTS[k] / WEIGHTS[j])) / (2 * sigma**2)
            with mpmath.workdps(60):
                assert_allclose(by_formula, float(mpmath.log(resp[k] / resp[j])), rtol=1e-10, atol=1e-10)


def test_eq_km_resp_limit():
    """The bound holds at every sigma, and the library's responsibilities become one-hot."""
    for n, x in enumerate(POINTS):
        sq = ((x - CENTERS) ** 2).sum(axis=1)
        k = sq.argmin()
        for sigma in (*SIGMAS, 0.03):
            resp, _ = exact_resp(x, sigma)
            with mpmath.workdps(60):
                bound = mpmath.fsum(
                    mpmath.mpf(WEIGHTS[j]) / WEIGHTS[k] * mpmath.exp(-mpmath.mpf(sq[j] - sq[k]) / (2 * sigma**2))
                    for j in range(3)
                    if j != k
                )
                assert 0 <= 1 - resp[k] <= bound
        hard = e_step(POINTS, WEIGHTS, CENTERS, 0.01**2, "tied_spherical").resp
        assert_allclose(hard[n], np.eye(3)[assign(POINTS, CENTERS).labels[n]], atol=1e-12)


def test_eq_km_inertia_limit():
    """With 60 digits: the distance to the limit falls like sigma**2 ln(1/sigma)."""
    inertia, gaps = assign(POINTS, CENTERS).sq_dist.sum(), []
    for sigma in (0.3, 0.1, 0.03, 0.01):
        with mpmath.workdps(60):
            log_lik = mpmath.fsum(mpmath.log(exact_resp(x, sigma)[1] / (2 * mpmath.pi * sigma**2)) for x in POINTS)
            scaled = float(-2 * sigma**2 * log_lik)
        gaps.append(abs(scaled - inertia))
        ours = -2 * sigma**2 * log_likelihood(POINTS, WEIGHTS, CENTERS, sigma**2, "tied_spherical")
        assert_allclose(ours, scaled, rtol=1e-9)
    assert gaps[0] > gaps[1] > gaps[2] > gaps[3]
    assert gaps[3] < 5e-3


def test_eq_km_classification(rng):
    """A sum of scipy's log-densities."""
    X, z, sigma = rng.normal(size=(20, 2)), rng.integers(0, 3, size=20), 0.7
    by_scipy = sum(
        np.log(1 / 3) + stats.multivariate_normal(CENTERS[k], sigma**2 * np.eye(2)).logpdf(x)
        for x, k in zip(X, z, strict=True)
    )
    inertia = ((X - CENTERS[z]) ** 2).sum()
    by_formula = -inertia / (2 * sigma**2) - 20 * 2 / 2 * np.log(2 * np.pi * sigma**2) - 20 * np.log(3)
    assert_allclose(by_formula, by_scipy, rtol=1e-12)


@pytest.mark.parametrize(("m", "s"), [(1.0, 1.0), (0.5, 2.0), (2.0, 0.8)])
def test_eq_km_hard_bias(m, s):
    """X is one of two Gaussians at -m and m, each with probability one half; its mean right of zero by integration."""
    density = lambda x: 0.5 * (stats.norm(m, s).pdf(x) + stats.norm(-m, s).pdf(x))  # noqa: E731
    mass = integrate.quad(density, 0, np.inf)[0]
    mean = integrate.quad(lambda x: x * density(x), 0, np.inf)[0] / mass
    z = m / s
    by_formula = m * (2 * stats.norm.cdf(z) - 1) + 2 * s * stats.norm.pdf(z)
    assert_allclose(by_formula, mean, rtol=1e-8)
    assert by_formula > m


def test_eq_km_split(rng):
    """Total and within from pairwise distances alone: only the between part forms a mean."""
    X, z = rng.normal(size=(30, 2)) + 3 * rng.integers(0, 3, size=(30, 1)), rng.integers(0, 3, size=30)

    def scatter(points):
        return (pdist(points) ** 2).sum() / len(points)

    total, within = scatter(X), sum(scatter(X[z == k]) for k in range(3))
    means = np.array([X[z == k].mean(axis=0) for k in range(3)])
    between = np.bincount(z) @ ((means - X.mean(axis=0)) ** 2).sum(axis=1)
    assert_allclose(total, within + between, rtol=1e-12)
