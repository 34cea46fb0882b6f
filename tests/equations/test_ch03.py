"""Chapter 3, the multivariate Gaussian: every labelled equation, judged by means that do not share its algebra."""

from itertools import product

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from gmmlib import conditional, log_gaussian, marginal, sample_gaussian

MEAN = np.array([1.0, -0.5])
COV = np.array([[2.0, 0.9], [0.9, 0.8]])


def random_cov(rng, D):
    A = rng.normal(size=(D, D + 1))
    return A @ A.T / D + 0.1 * np.eye(D)


def test_eq_mvn_standard(rng):
    """One-dimensional bells of scipy multiplied; in three dimensions, shares of simulated points in a small ball."""
    for D in (1, 2, 5):
        Z = rng.normal(size=(6, D))
        bells = stats.norm.pdf(Z).prod(axis=1)
        assert_allclose((2 * np.pi) ** (-D / 2) * np.exp(-0.5 * (Z**2).sum(axis=1)), bells, rtol=1e-12)
        assert_allclose(np.exp(log_gaussian(Z, np.zeros(D), np.eye(D))), bells, rtol=1e-10)
    points = rng.standard_normal((2_000_000, 3))
    for centre in ([0.0, 0, 0], [1.0, 0, 0], [0, 0.6, -0.8]):
        inside = np.mean(((points - centre) ** 2).sum(axis=1) < 0.2**2)
        density = inside / (4 / 3 * np.pi * 0.2**3)
        error = 5 * density / np.sqrt(inside * len(points)) + 0.01 * density  # and the ball is not a point
        assert abs(density - np.exp(log_gaussian([centre], np.zeros(3), np.eye(3)))[0]) < error


def test_eq_mvn_push():
    """Exact averages over a discrete cloud with mean 0 and covariance I: all corners of a cube."""
    Z = np.array(list(product([-1.0, 1.0], repeat=3)))
    A, b = np.array([[2.0, 0, 1], [0.5, -1, 0], [0, 3, 1], [1, 1, 1]]), np.array([1.0, 2, 3, 4])
    X = Z @ A.T + b
    assert_allclose(X.mean(axis=0), b)
    assert_allclose(np.cov(X, rowvar=False, bias=True), A @ A.T, atol=1e-12)


def test_eq_mvn_density(rng):
    """It integrates to one in two and three dimensions; the slides' constant does not. Counting in small boxes."""
    box = [(MEAN[d] - 9 * np.sqrt(COV[d, d]), MEAN[d] + 9 * np.sqrt(COV[d, d])) for d in range(2)]

    (a, b), (_, c) = np.linalg.inv(COV)
    root = np.sqrt(np.linalg.det(COV))

    def p(y, x, power=1.0):
        u, v = x - MEAN[0], y - MEAN[1]
        return np.exp(-0.5 * (a * u * u + 2 * b * u * v + c * v * v)) / ((2 * np.pi) ** power * root)

    assert_allclose(integrate.dblquad(p, *box[0], *box[1], epsabs=1e-7)[0], 1, atol=1e-5)
    assert_allclose(integrate.dblquad(p, *box[0], *box[1], args=(0.5,), epsabs=1e-7)[0], 2.5066, atol=1e-4)
    cov = random_cov(rng, 3)
    reach = 8 * np.sqrt(np.linalg.eigvalsh(cov).max())
    axis = np.linspace(-reach, reach, 81)
    grid = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    assert_allclose(np.exp(log_gaussian(grid, np.zeros(3), cov)).sum() * (axis[1] - axis[0]) ** 3, 1, atol=1e-3)
    X = sample_gaussian(rng, 2_000_000, MEAN, COV)
    for spot in ([1.0, -0.5], [2.0, 0.0], [0.0, 0.0]):
        inside = (np.abs(X - spot) < 0.05).all(axis=1)
        share = inside.mean()
        assert abs(share / 0.01 - p(spot[1], spot[0])) < 5 * np.sqrt(share / len(X)) / 0.01 + 2e-3


@pytest.mark.parametrize("D", [1, 2, 6])
def test_eq_mvn_cholesky(rng, D):
    """Inverse and determinant in fifty digits."""
    X, mean, cov = rng.normal(size=(4, D)) * 3, rng.normal(size=D), random_cov(rng, D)
    with mpmath.workdps(50):
        C = mpmath.matrix(cov.tolist())
        P, constant = C**-1, D * mpmath.log(2 * mpmath.pi) + mpmath.log(mpmath.det(C))
        for x, found in zip(X, log_gaussian(X, mean, cov), strict=True):
            away = mpmath.matrix(x.tolist()) - mpmath.matrix(mean.tolist())
            assert_allclose(found, float(-(constant + (away.T * P * away)[0]) / 2), rtol=1e-10)


def test_eq_mvn_coverage(rng):
    """Counting, with a covariance that is not round; and scipy's chi-squared for other dimensions."""
    X = rng.multivariate_normal(MEAN, COV, size=400_000)
    away = X - MEAN
    squares = (away @ np.linalg.inv(COV) * away).sum(axis=1)
    for r in (0.5, 1.0, 2.146):
        expected = 1 - np.exp(-(r**2) / 2)
        assert abs(np.mean(squares <= r**2) - expected) < 5 * np.sqrt(expected * (1 - expected) / len(X))
    assert_allclose(1 - np.exp(-0.5), stats.chi2(2).cdf(1), rtol=1e-12)


def test_eq_mvn_ellipse():
    """Trace the curve of equal density along rays: its longest and shortest radius, and where they point."""
    values, vectors = np.linalg.eigh(COV)
    r, angles = 1.7, np.linspace(0, np.pi, 20_001)
    rays = np.column_stack([np.cos(angles), np.sin(angles)])
    level = np.exp(log_gaussian([MEAN], MEAN, COV))[0] * np.exp(-(r**2) / 2)
    low, high = np.zeros(len(rays)), np.full(len(rays), 20.0)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.exp(log_gaussian(MEAN + middle[:, None] * rays, MEAN, COV)) > level
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    assert_allclose([low.min(), low.max()], r * np.sqrt(values), rtol=1e-6)
    assert abs(abs(rays[low.argmax()] @ vectors[:, 1]) - 1) < 1e-6


def test_eq_mvn_marginal():
    """Integrate the other coordinate out."""
    for x in (-1.0, 1.0, 3.2):
        found = integrate.quad(lambda y, x=x: np.exp(log_gaussian([[x, y]], MEAN, COV))[0], -15, 15)[0]
        mean, cov = marginal(MEAN, COV, [0])
        assert_allclose(np.exp(log_gaussian([[x]], mean, cov))[0], found, rtol=1e-7)
    mean, cov = marginal([1.0, 2, 3], np.diag([4.0, 5, 6]), [2, 0])
    assert_allclose(mean, [3, 1])
    assert_allclose(cov, np.diag([6.0, 4]))


def test_eq_mvn_conditional(rng):
    """Mean and variance along a slice, by numerical integration of the joint density; and simulated slices in 3-D."""
    for x in (-1.0, 1.0, 3.2):

        def moment(power, x=x):
            return integrate.quad(lambda y: y**power * np.exp(log_gaussian([[x, y]], MEAN, COV))[0], -15, 15)[0]

        average = moment(1) / moment(0)
        mean, cov = conditional(MEAN, COV, [0], [x])
        assert_allclose([mean[0], cov[0, 0]], [average, moment(2) / moment(0) - average**2], rtol=1e-6)
    cov3 = np.array([[1.0, 0.6, 0.2], [0.6, 2.0, -0.5], [0.2, -0.5, 1.5]])
    X = rng.multivariate_normal(np.zeros(3), cov3, size=1_500_000)
    near = (np.abs(X[:, 0] - 0.8) < 0.05) & (np.abs(X[:, 2] + 0.6) < 0.05)
    mean, cov = conditional(np.zeros(3), cov3, [0, 2], [0.8, -0.6])
    assert abs(X[near, 1].mean() - mean[0]) < 5 * np.sqrt(cov[0, 0] / near.sum())
    assert abs(X[near, 1].var() / cov[0, 0] - 1) < 5 * np.sqrt(2 / near.sum())


@pytest.mark.parametrize("D", [1, 2, 7, 100])
def test_eq_mvn_radius(D):
    """The moments of scipy's chi-squared, and integration over shells."""
    assert_allclose(stats.chi2(D).stats("mv"), [D, 2 * D])
    with mpmath.workdps(30):

        def shell(power):
            return mpmath.quad(lambda s: s ** (D - 1 + 2 * power) * mpmath.exp(-(s**2) / 2), [0, 5, 10, 15, 40])

        mean = shell(1) / shell(0)
        assert_allclose([float(mean), float(shell(2) / shell(0) - mean**2)], [D, 2 * D], rtol=1e-9)
