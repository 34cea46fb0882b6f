"""Chapter 4, maximum likelihood in many dimensions, and its appendix on matrix calculus."""

from fractions import Fraction
from itertools import combinations, product

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from gmmlib import fit_gaussian, log_gaussian


def random_cov(rng, D):
    A = rng.normal(size=(D, D + 2))
    return A @ A.T / D + 0.1 * np.eye(D)


def scipy_log_likelihood(X, mean, cov, weight=None):
    return np.sum(stats.multivariate_normal(mean, cov).logpdf(X) * (1 if weight is None else weight))


def climb(X, weight=None):
    """Mean and covariance by a general optimiser, which knows only scipy's density."""
    D = X.shape[1]
    lower = np.tril_indices(D)

    def unpack(u):
        L = np.zeros((D, D))
        L[lower] = u[D:]
        L[np.diag_indices(D)] = np.exp(L[np.diag_indices(D)])
        return u[:D], L @ L.T

    found = optimize.minimize(
        lambda u: -scipy_log_likelihood(X, *unpack(u), weight),
        np.concatenate([X[0], np.zeros(len(lower[0]))]),
        options={"gtol": 1e-7, "maxiter": 2000},
    )
    return unpack(found.x)


@pytest.mark.parametrize(("N", "D"), [(5, 1), (7, 2), (9, 4)])
def test_eq_fit_statistics(rng, N, D):
    """scipy's densities, added up point by point."""
    X, mean, cov = rng.normal(size=(N, D)) * 3, rng.normal(size=D), random_cov(rng, D)
    average, S = X.mean(axis=0), np.cov(X, rowvar=False, bias=True).reshape(D, D)
    P = np.linalg.inv(cov)
    inside = D * np.log(2 * np.pi) + np.log(np.linalg.det(cov)) + np.trace(P @ S)
    by_formula = -N / 2 * (inside + (average - mean) @ P @ (average - mean))
    assert_allclose(by_formula, scipy_log_likelihood(X, mean, cov), rtol=1e-10)


@pytest.mark.parametrize("D", [1, 3])
def test_eq_fit_mean(rng, D):
    """Whatever the covariance, no other mean found by an optimiser does better."""
    X = rng.normal(size=(8, D)) + 5
    mean, _ = fit_gaussian(X)
    for _ in range(3):
        cov = random_cov(rng, D)
        found = optimize.minimize(lambda m, cov=cov: -scipy_log_likelihood(X, m, cov), X[0], options={"gtol": 1e-8})
        assert_allclose(mean, found.x, atol=1e-5)


@pytest.mark.parametrize("D", [1, 2, 3])
def test_eq_fit_covariance(rng, D):
    """An optimiser that climbs the likelihood over a Cholesky factor."""
    X = rng.normal(size=(12, D)) @ rng.normal(size=(D, D)) + 3
    mean, cov = climb(X)
    assert_allclose(fit_gaussian(X)[0], mean, atol=1e-4)
    assert_allclose(fit_gaussian(X)[1], cov, atol=1e-3 * np.abs(cov).max())


def test_eq_fit_price(rng):
    """Forty-digit arithmetic: the two log-likelihoods themselves."""
    N, D = 6, 3
    X, cov = rng.normal(size=(N, D)), random_cov(rng, D)
    m = np.linalg.eigvals(np.linalg.solve(cov, fit_gaussian(X)[1])).real
    price = N / 2 * (m - 1 - np.log(m)).sum()
    with mpmath.workdps(40):
        rows = [mpmath.matrix(x) for x in X.tolist()]
        mean = sum(rows[1:], rows[0]) / N
        S = sum(((x - mean) * (x - mean).T for x in rows), mpmath.zeros(D)) / N

        def height(C):
            P = C**-1
            squares = sum(((x - mean).T * P * (x - mean))[0] for x in rows)
            return -(N * (D * mpmath.log(2 * mpmath.pi) + mpmath.log(mpmath.det(C))) + squares) / 2

        assert_allclose(price, float(height(S) - height(mpmath.matrix(cov.tolist()))), rtol=1e-10)
    assert price > 0


def test_eq_fit_concave(rng):
    """Second differences along random lines, and midpoints against ends."""
    for D in (1, 2, 4):
        P, H = random_cov(rng, D), rng.normal(size=(D, D))
        H = 0.02 * (H + H.T)
        eta = np.linalg.eigvals(np.linalg.solve(P, H))
        for t in (0.0, 0.5):
            bend = -(eta**2 / (1 + t * eta) ** 2).sum().real
            with mpmath.workdps(40):
                here, there = mpmath.matrix(P.tolist()), mpmath.matrix(H.tolist())
                differences = mpmath.diff(lambda u, A=here, B=there: mpmath.log(mpmath.det(A + u * B)), t, 2)
            assert_allclose(bend, float(differences), rtol=1e-8)
        Q = random_cov(rng, D)
        middle, one, other = (np.linalg.slogdet(A)[1] for A in ((P + Q) / 2, P, Q))
        assert middle >= (one + other) / 2


def test_eq_fit_bias():
    """All 3**4 samples with replacement of four points from a population of three."""
    population = np.array([[0.0, 1.0], [2.0, -1.0], [5.0, 3.0]])
    samples = [np.array([population[i] for i in chosen]) for chosen in product(range(3), repeat=4)]
    average = np.mean([np.cov(s, rowvar=False, bias=True) for s in samples], axis=0)
    assert_allclose(average, (1 - 1 / 4) * np.cov(population, rowvar=False, bias=True), rtol=1e-12)


def rank(rows):
    """Rank of a matrix of fractions, by elimination without rounding."""
    rows, found = [list(row) for row in rows], 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(found, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][column] / rows[found][column]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


@pytest.mark.parametrize(("N", "D"), [(1, 3), (2, 3), (3, 3), (4, 3), (7, 3), (4, 6)])
def test_eq_fit_rank(rng, N, D):
    """Elimination with fractions; for points in general position the bound is reached."""
    X = [[Fraction(int(v)) for v in row] for row in rng.integers(-50, 50, size=(N, D))]
    mean = [sum(column) / N for column in zip(*X, strict=True)]
    centred = [[v - m for v, m in zip(row, mean, strict=True)] for row in X]
    S = [[sum(row[i] * row[j] for row in centred) / N for j in range(D)] for i in range(D)]
    assert rank(S) == min(D, N - 1)


def test_eq_fit_shrink(rng):
    """From two points on, every amount above zero leaves all eigenvalues positive, and the variances alone."""
    for N in (2, 3, 10):
        S = np.cov(rng.normal(size=(N, 6)), rowvar=False, bias=True)
        for amount in (0.01, 0.5, 1.0):
            shrunk = (1 - amount) * S + amount * np.diag(np.diag(S))
            assert np.linalg.eigvalsh(shrunk).min() > 0
            assert_allclose(np.diag(shrunk), np.diag(S))
            i, j = np.triu_indices(6, 1)
            assert_allclose(shrunk[i, j], (1 - amount) * S[i, j])
    assert abs(np.linalg.eigvalsh(np.cov(rng.normal(size=(3, 6)), rowvar=False)).min()) < 1e-12


@pytest.mark.parametrize("D", [1, 2])
def test_eq_fit_weighted(rng, D):
    """Repeated rows for whole weights, an optimiser for others."""
    X, whole, parts = rng.normal(size=(9, D)), rng.integers(0, 4, size=9), rng.uniform(0.1, 2, size=9)
    for a, b in zip(fit_gaussian(X, whole), fit_gaussian(np.repeat(X, whole, axis=0)), strict=True):
        assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    mean, cov = climb(X, parts)
    assert_allclose(fit_gaussian(X, parts)[0], mean, atol=1e-4)
    assert_allclose(fit_gaussian(X, parts)[1], cov, atol=1e-3)


def test_eq_fit_labelled(rng):
    """An optimiser over shares, means and spreads of all classes at once, in one dimension."""
    z = np.repeat([0, 1, 2], [4, 6, 9])
    x = rng.normal(size=19) * [1, 2, 0.5][0] + 3 * z

    def height(u):
        logits, means, logs = u[:3], u[3:6], u[6:]
        share = np.exp(logits - np.logaddexp.reduce(logits))
        return np.log(share)[z].sum() + stats.norm(means[z], np.exp(logs)[z]).logpdf(x).sum()

    found = optimize.minimize(lambda u: -height(u), np.zeros(9), options={"gtol": 1e-8, "maxiter": 5000}).x
    share = np.exp(found[:3] - np.logaddexp.reduce(found[:3]))
    assert_allclose(np.bincount(z) / 19, share, atol=1e-5)
    assert_allclose([x[z == k].mean() for k in range(3)], found[3:6], atol=1e-4)
    assert_allclose([x[z == k].std() for k in range(3)], np.exp(found[6:]), atol=1e-4)


def test_eq_fit_between(rng):
    """The covariance of all points from the differences of all pairs, with no mean in sight."""
    z = rng.integers(0, 3, size=25)
    X = rng.normal(size=(25, 2)) + 4 * rng.normal(size=(3, 2))[z]
    pairs = [np.outer(a - b, a - b) for a, b in combinations(X, 2)]
    total = np.sum(pairs, axis=0) / 25**2
    share = np.bincount(z, minlength=3) / 25
    fits = [fit_gaussian(X[z == k]) for k in range(3)]
    gap = np.array([m for m, _ in fits]) - X.mean(axis=0)
    within = sum(p * c for p, (_, c) in zip(share, fits, strict=True))
    assert_allclose(within + (share * gap.T) @ gap, total, rtol=1e-10)


def test_eq_fit_border(rng):
    """scikit-learn's decision function, and the point where a root finder sees two log-densities meet."""
    z = np.repeat([0, 1], [30, 50])
    X = rng.normal(size=(80, 3)) @ rng.normal(size=(3, 3)) + 2 * z[:, None]
    fits = [fit_gaussian(X[z == k]) for k in (0, 1)]
    share = np.array([30, 50]) / 80
    cov = share[0] * fits[0][1] + share[1] * fits[1][1]
    (m1, m2), w = (fits[0][0], fits[1][0]), np.linalg.solve(cov, fits[0][0] - fits[1][0])

    def border(x):
        return np.log(share[0] / share[1]) + (x - (m1 + m2) / 2) @ w

    referee = LinearDiscriminantAnalysis(solver="lsqr").fit(X, z)
    assert_allclose(border(X), -referee.decision_function(X), rtol=1e-8, atol=1e-8)

    def odds(t):
        x = (m1 + t * (m2 - m1))[None]
        return (np.log(share[0] / share[1]) + log_gaussian(x, m1, cov) - log_gaussian(x, m2, cov))[0]

    t = optimize.brentq(odds, -5, 5)
    assert abs(border(m1 + t * (m2 - m1))) < 1e-9


# ------------------------------------------------------------------ the appendix


def slopes(f, A, h=1e-6):
    """The derivative of f in every entry of A, by central differences."""
    A = np.asarray(A, float)
    found = np.empty((*np.shape(f(A)), *A.shape))
    for place in np.ndindex(A.shape):
        step = np.zeros(A.shape)
        step[place] = h
        found[(..., *place)] = (f(A + step) - f(A - step)) / (2 * h)
    return found


def test_eq_mc_linear(rng):
    """Finite differences."""
    a, x = rng.normal(size=(2, 4))
    assert_allclose(slopes(lambda x: a @ x, x), a, rtol=1e-7)


def test_eq_mc_quadratic(rng):
    """Finite differences, for a matrix that is not symmetric."""
    A, x = rng.normal(size=(4, 4)), rng.normal(size=4)
    assert_allclose(slopes(lambda x: x @ A @ x, x), (A + A.T) @ x, rtol=1e-7)


def test_eq_mc_trace(rng):
    """Finite differences, entry by entry."""
    A, B = rng.normal(size=(3, 4)), rng.normal(size=(4, 3))
    assert_allclose(slopes(lambda A: np.trace(A @ B), A), B.T, rtol=1e-7)


def test_eq_mc_cyclic(rng):
    """Entry by entry, with factors that are not square."""
    A, B = rng.normal(size=(2, 5)), rng.normal(size=(5, 2))
    by_hand = sum(A[i, j] * B[j, i] for i in range(2) for j in range(5))
    assert_allclose([np.trace(A @ B), np.trace(B @ A)], by_hand, rtol=1e-12)


def test_eq_mc_inverse(rng):
    """Finite differences along a random direction."""
    A, H = random_cov(rng, 3) + rng.normal(size=(3, 3)) * 0.1, rng.normal(size=(3, 3))
    h = 1e-6
    differences = (np.linalg.inv(A + h * H) - np.linalg.inv(A - h * H)) / (2 * h)
    B = np.linalg.inv(A)
    assert_allclose(-B @ H @ B, differences, rtol=1e-6, atol=1e-8)


def test_eq_mc_logdet(rng):
    """Finite differences of the logarithm of numpy's determinant."""
    A = random_cov(rng, 4) + 0.1 * rng.normal(size=(4, 4))
    assert_allclose(slopes(lambda A: np.log(np.linalg.det(A)), A), np.linalg.inv(A).T, rtol=1e-6)


def test_eq_mc_symmetric(rng):
    """Differences that move both mirror entries at once, as a symmetric matrix must."""
    S, B = random_cov(rng, 3), rng.normal(size=(3, 3))

    def f(A):
        return np.log(np.linalg.det(A)) - np.trace(A @ B)

    G = np.linalg.inv(S).T - B.T
    expected = G + G.T - np.diag(np.diag(G))
    h = 1e-6
    for i, j in [(0, 0), (1, 0), (2, 1), (2, 2)]:
        step = np.zeros((3, 3))
        step[i, j] = step[j, i] = h
        assert_allclose((f(S + step) - f(S - step)) / (2 * h), expected[i, j], rtol=1e-6, atol=1e-8)
