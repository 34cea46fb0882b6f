"""Chapter 6, responsibilities: every labelled equation, judged by means that do not share its algebra."""

from itertools import product

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, optimize, stats
from sklearn.mixture import GaussianMixture as SklearnMixture

from gmmlib import e_step, log_likelihood, m_step

WEIGHTS = np.array([0.35, 0.65])
MEANS = np.array([[-1.0], [2.0]])
VARIANCES = np.array([0.5, 1.8])


def gammas(x, weights=WEIGHTS, means=MEANS, variances=VARIANCES):
    """Responsibilities (N, K) of one-dimensional points, by the library."""
    return e_step(np.reshape(x, (-1, 1)), weights, means, np.reshape(variances, (-1, 1, 1))).resp


def random_mixture(rng, K, D):
    A = rng.normal(size=(K, D, D))
    return rng.dirichlet(np.full(K, 4.0)), 2 * rng.normal(size=(K, D)), A @ A.transpose(0, 2, 1) + 0.3 * np.eye(D)


def test_eq_responsibility(rng):
    """Counting: of the simulated points that fall into a small window, which share came from each component?"""
    z = rng.choice(2, size=3_000_000, p=WEIGHTS)
    x = rng.normal(MEANS[z, 0], np.sqrt(VARIANCES[z]))
    for centre in (-0.5, 0.3, 1.0):
        inside = np.abs(x - centre) < 0.01
        share, error = np.mean(z[inside] == 0), np.sqrt(0.25 / inside.sum())
        assert abs(gammas(centre)[0, 0] - share) < 5 * error
    # and scikit-learn in two dimensions
    weights, means, covs = random_mixture(rng, 3, 2)
    referee = SklearnMixture(3)
    referee.weights_, referee.means_, referee.covariances_ = weights, means, covs
    referee.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(covs))
    X = 2 * rng.normal(size=(40, 2))
    assert_allclose(e_step(X, weights, means, covs).resp, referee.predict_proba(X), rtol=1e-8, atol=1e-12)


def test_eq_average_responsibility():
    """Numerical integration of gamma over the mixture's own density gives the weights back."""

    def p(x):
        return WEIGHTS @ stats.norm(MEANS[:, 0], np.sqrt(VARIANCES)).pdf(x)

    for k in range(2):
        mean = integrate.quad(lambda x, k=k: gammas(x)[0, k] * p(x), -15, 20, limit=200)[0]
        assert_allclose(mean, WEIGHTS[k], rtol=1e-7)


def test_eq_effective_count(rng):
    """The expected number of members, by adding up all K**N labellings of a few points."""
    weights, means, covs = random_mixture(rng, 3, 2)
    X = rng.normal(size=(5, 2))
    joint = np.array(
        [w * stats.multivariate_normal(m, c).pdf(X) for w, m, c in zip(weights, means, covs, strict=True)]
    )  # (K, N)
    labellings = np.array(list(product(range(3), repeat=5)))
    chance = joint[labellings, np.arange(5)].prod(axis=1)
    chance /= chance.sum()
    expected = [chance @ (labellings == k).sum(axis=1) for k in range(3)]
    assert_allclose(e_step(X, weights, means, covs).resp.sum(axis=0), expected, rtol=1e-10)


def test_eq_log_odds():
    """Fifty-digit arithmetic that divides two posteriors, no logarithm of a density in sight."""
    for x in (-4.0, 0.2, 1.0, 6.0):
        by_formula = (
            np.log(WEIGHTS[0] / WEIGHTS[1])
            + 0.5 * np.log(VARIANCES[1] / VARIANCES[0])
            - (x - MEANS[0, 0]) ** 2 / (2 * VARIANCES[0])
            + (x - MEANS[1, 0]) ** 2 / (2 * VARIANCES[1])
        )
        with mpmath.workdps(50):
            part = [
                mpmath.mpf(WEIGHTS[k]) * mpmath.npdf(x, mpmath.mpf(MEANS[k, 0]), mpmath.sqrt(mpmath.mpf(VARIANCES[k])))
                for k in range(2)
            ]
            assert_allclose(by_formula, float(mpmath.log(part[0] / part[1])), rtol=1e-12)
        resp = gammas(x)[0]
        assert_allclose(by_formula, np.log(resp[0] / resp[1]), rtol=1e-9)


def test_eq_logistic():
    """Where gamma is one half (found by bisection) and how steep it is there (by differences)."""
    weights, means, var = np.array([0.2, 0.8]), np.array([[1.0], [4.0]]), 1.3
    s = (4.0 - 1.0) / var
    middle = 2.5 + np.log(0.2 / 0.8) / s

    def gamma(x):
        return gammas(x, weights, means, np.array([var, var]))[0, 0]

    assert_allclose(optimize.brentq(lambda x: gamma(x) - 0.5, -5, 10), middle, rtol=1e-9)
    assert_allclose((gamma(middle + 1e-5) - gamma(middle - 1e-5)) / 2e-5, -s / 4, rtol=1e-6)
    x = np.linspace(-2, 6, 17)
    assert_allclose(stats.logistic(middle, 1 / s).sf(x), [gamma(v) for v in x], rtol=1e-9)


def test_eq_threshold(rng):
    """The bill of many simulated decisions is least at the threshold that the costs set."""
    z = rng.choice(2, size=400_000, p=WEIGHTS)
    gamma = gammas(rng.normal(MEANS[z, 0], np.sqrt(VARIANCES[z])))[:, 0]
    tries = np.linspace(0.02, 0.98, 49)
    for c1, c2 in [(1, 1), (9, 1), (1, 3)]:
        bill = [c1 * np.sum((gamma > t) & (z == 1)) + c2 * np.sum((gamma <= t) & (z == 0)) for t in tries]
        at = np.interp(c1 / (c1 + c2), tries, bill)
        assert at <= 1.002 * min(bill)
        assert at < 0.99 * np.interp(c2 / (c1 + c2), tries, bill) or c1 == c2  # the costs exchanged


@pytest.mark.parametrize("shift", [0.0, 700.0, -2000.0, 1e6])
def test_eq_log_sum_exp(rng, shift):
    """Fifty-digit arithmetic that does exponentiate; the shift breaks the plain formula in float64."""
    a = rng.normal(scale=3, size=6) + shift
    m = a.max()
    by_formula = m + np.log(np.exp(a - m).sum())
    with mpmath.workdps(50):
        expected = mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(v)) for v in a))
        assert abs(by_formula - float(expected)) <= 4 * np.finfo(float).eps * max(1, abs(float(expected)))


def test_eq_mean_gradient(rng):
    """Finite differences of the log-likelihood."""
    weights, means, covs = random_mixture(rng, 3, 2)
    X = rng.normal(size=(30, 2))
    resp = e_step(X, weights, means, covs).resp
    by_formula = np.array([np.linalg.inv(covs[k]) @ (resp[:, k] @ (X - means[k])) for k in range(3)])
    h = 1e-5
    for k, d in product(range(3), range(2)):
        up, down = means.copy(), means.copy()
        up[k, d] += h
        down[k, d] -= h
        slope = (log_likelihood(X, weights, up, covs) - log_likelihood(X, weights, down, covs)) / (2 * h)
        assert_allclose(by_formula[k, d], slope, rtol=1e-6, atol=1e-7)


def test_eq_mean_stationary(rng):
    """A general optimiser climbs over the means alone; at its summit the condition holds."""
    X = np.concatenate([rng.normal(-2, 1, size=(60, 2)), rng.normal(2, 1, size=(60, 2))])
    weights, covs = np.array([0.5, 0.5]), np.array([np.eye(2)] * 2)
    loss = lambda flat: -log_likelihood(X, weights, flat.reshape(2, 2), covs)  # noqa: E731
    top = optimize.minimize(loss, [-1.0, -1.0, 1.0, 1.0], method="BFGS", options={"gtol": 1e-6}).x.reshape(2, 2)
    resp = e_step(X, weights, top, covs).resp
    assert_allclose(resp.T @ X / resp.sum(axis=0)[:, None], top, atol=1e-5)
    assert_allclose(m_step(X, resp).means, top, atol=1e-5)
