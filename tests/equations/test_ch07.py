"""Chapter 7, why the likelihood is hard: every labelled equation, judged by means that do not share its algebra."""

from fractions import Fraction
from itertools import permutations, product
from math import prod

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats
from sklearn.mixture import GaussianMixture as SklearnMixture

from gmmlib import log_likelihood


def mixture_height(x, weights, means, sds):
    """The log-likelihood of points on a line, by the library."""
    return log_likelihood(np.reshape(x, (-1, 1)), weights, np.reshape(means, (-1, 1)), np.reshape(sds, (-1, 1, 1)) ** 2)


def test_eq_hard_marginal(rng):
    """Fractions: any weights and any densities, all K**N labellings, not a digit lost."""
    for N, K in [(3, 2), (4, 3)]:
        weights = [Fraction(int(w)) for w in rng.integers(1, 9, size=K)]
        density = [[Fraction(int(v), 7) for v in row] for row in rng.integers(1, 50, size=(N, K))]
        labellings = sum(prod(weights[k] * density[n][k] for n, k in enumerate(z)) for z in product(range(K), repeat=N))
        factors = prod(sum(weights[k] * density[n][k] for k in range(K)) for n in range(N))
        assert labellings == factors


@pytest.mark.parametrize("a", [0.4, 0.99, 1.2, 2.0, 3.0])
def test_eq_hard_fixed_point(a):
    """A bounded search that sees the two densities only."""

    def height(m):
        return np.log(0.5 * stats.norm(m, 1).pdf([-a, a]) + 0.5 * stats.norm(-m, 1).pdf([-a, a])).sum()

    options = {"bounds": (0, 2 * a), "method": "bounded", "options": {"xatol": 1e-9}}
    best = optimize.minimize_scalar(lambda m: -height(m), **options).x
    m = 3.0 * a
    for _ in range(20_000):
        m = a * np.tanh(a * m)
    assert_allclose(m, best, atol=2e-2 if abs(a - 1) < 0.05 else 1e-6)
    assert (best > 1e-3) == (a > 1)


def test_eq_hard_copies(rng):
    """scikit-learn's score under every order of the components."""
    X, K = rng.normal(size=(9, 2)), 3
    weights, means = rng.dirichlet(np.ones(K)), rng.normal(size=(K, 2))
    covs = np.array([np.cov(rng.normal(size=(2, 6))) for _ in range(K)])
    heights = set()
    for order in map(list, permutations(range(K))):
        referee = SklearnMixture(K)
        referee.weights_, referee.means_, referee.covariances_ = weights[order], means[order], covs[order]
        referee.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(covs[order]))
        score = 9 * referee.score(X)
        assert_allclose(log_likelihood(X, weights[order], means[order], covs[order]), score, rtol=1e-10)
        heights.add(round(score, 8))
    assert len(heights) == 1


@pytest.mark.parametrize(("first", "part"), [(0.5, 0.4), (0.3, 1.0), (0.9, 2.5)])
def test_eq_hard_pass(rng, first, part):
    """High-precision differentiation of the log-likelihood along the line; slope zero, curvature as said."""
    x = rng.normal(size=7) * 3 + 1
    var = part * x.var()
    with mpmath.workdps(40):

        def height(t):
            means = [x.mean() + (1 - first) * t, x.mean() - first * t]
            sd = mpmath.sqrt(mpmath.mpf(var))
            shares = first, 1 - first
            return sum(
                mpmath.log(sum(w * mpmath.npdf(mpmath.mpf(v), m, sd) for w, m in zip(shares, means, strict=True)))
                for v in x.tolist()
            )

        slope, curvature = float(mpmath.diff(height, 0)), float(mpmath.diff(height, 0, 2))
    expected = first * (1 - first) * len(x) / var * (1 / part - 1)
    assert abs(slope) < 1e-10
    assert_allclose(curvature, expected, rtol=1e-9, atol=1e-10)


def test_eq_hard_spike(rng):
    """High precision: the log-likelihood is above the bound for every width, and the bound has no end."""
    x = rng.normal(size=6) * 2
    weights, mean, sd = (0.25, 0.75), float(x[1:].mean()), 2.0
    rest = np.log(weights[1] * stats.norm(mean, sd).pdf(x[1:])).sum()
    before = -np.inf
    with mpmath.workdps(60):
        for power in (0, -1, -3, -10, -40, -200):
            width = mpmath.mpf(10) ** power
            terms = [
                weights[0] * mpmath.npdf(mpmath.mpf(v), mpmath.mpf(float(x[0])), width)
                + weights[1] * mpmath.npdf(mpmath.mpf(v), mean, sd)
                for v in x.tolist()
            ]
            height = float(sum(mpmath.log(term) for term in terms))
            bound = float(-mpmath.log(width)) + np.log(weights[0] / np.sqrt(2 * np.pi)) + rest
            assert height >= bound - 1e-12 > before
            before = bound
    assert before > 400
    sds = np.array([1e-10, sd])
    assert mixture_height(x, weights, [x[0], mean], sds) >= -np.log(1e-10) + np.log(0.25 / np.sqrt(2 * np.pi)) + rest
