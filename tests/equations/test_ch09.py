"""Chapter 9, EM for Gaussian mixtures: every labelled equation, judged by means that do not share its algebra."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats

from gmmlib import e_step, em, log_likelihood, m_step
from gmmlib.families.gaussian.covariance import full_covariances


def setting(seed, N=40, K=3, D=2):
    """Points, and a mixture that does not fit them."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(K, D, D))
    covs = A @ A.transpose(0, 2, 1) + 0.5 * np.eye(D)
    return 2 * rng.normal(size=(N, D)), rng.dirichlet(np.full(K, 5.0)), 1.5 * rng.normal(size=(K, D)), covs


def log_joint(X, weights, means, covs):
    """ln pi_k + ln N by scipy, (N, K)."""
    parts = [stats.multivariate_normal(m, c).logpdf(X) for m, c in zip(means, covs, strict=True)]
    return np.log(weights) + np.array(parts).T


def q_value(X, resp, weights, means, covs):
    """Q by its definition."""
    return (resp * log_joint(X, weights, means, covs)).sum()


def climb(objective, start):
    """The top a general optimiser finds, which knows no formula of ours."""
    found = optimize.minimize(lambda v: -objective(v), start, method="BFGS", options={"gtol": 1e-7, "maxiter": 2000})
    return found.x


def test_eq_em_q():
    """The expectation, by adding up the complete-data log-likelihood of all K**N labellings."""
    X, *theta = setting(0, N=5)
    new = setting(1, N=5)[1:]
    old_joint, new_joint = np.exp(log_joint(X, *theta)), log_joint(X, *new)
    labellings = np.array(list(product(range(3), repeat=5)))
    chance = old_joint[np.arange(5), labellings].prod(axis=1)
    chance /= chance.sum()
    expected = chance @ new_joint[np.arange(5), labellings].sum(axis=1)
    assert_allclose(q_value(X, e_step(X, *theta).resp, *new), expected, rtol=1e-10)


def test_eq_em_mean():
    """A numerical optimiser climbs Q over the means."""
    X, weights, means, covs = setting(2)
    resp = e_step(X, weights, means, covs).resp
    top = climb(lambda v: q_value(X, resp, weights, v.reshape(3, 2), covs), means.ravel()).reshape(3, 2)
    assert_allclose(m_step(X, resp).means, top, atol=1e-4)


def test_eq_em_gradient():
    """The step against a gradient by finite differences of the log-likelihood."""
    X, weights, means, covs = setting(3)
    resp = e_step(X, weights, means, covs).resp
    value = lambda v: log_likelihood(X, weights, v.reshape(3, 2), covs)  # noqa: E731
    gradient = optimize.approx_fprime(means.ravel(), value, 1e-7).reshape(3, 2)
    stepped = [m + c @ g / n for m, c, g, n in zip(means, covs, gradient, resp.sum(axis=0), strict=True)]
    assert_allclose(m_step(X, resp).means, stepped, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_eq_em_bound(seed):
    """Below the log-likelihood everywhere, equal where the responsibilities were computed."""
    X, *old = setting(seed)
    resp = e_step(X, *old).resp
    entropy = -(resp * np.log(np.where(resp > 0, resp, 1))).sum()
    assert_allclose(q_value(X, resp, *old) + entropy, log_likelihood(X, *old), rtol=1e-9)
    for other in range(20, 30):
        new = setting(other)[1:]
        assert q_value(X, resp, *new) + entropy < log_likelihood(X, *new)


@pytest.mark.parametrize("seed", range(10))
def test_eq_em_monotone(seed):
    """The log-likelihood gains at least what Q gains, and Q gains."""
    X, *old = setting(seed)
    resp = e_step(X, *old).resp
    new = m_step(X, resp)
    gain_q = q_value(X, resp, *new) - q_value(X, resp, *old)
    assert gain_q > 0
    assert log_likelihood(X, *new) - log_likelihood(X, *old) >= gain_q
    trace = em(X, *old, tol=0, max_iter=8).log_likelihoods
    assert (np.diff(trace) > -1e-9).all()


def test_eq_em_weight():
    """A constrained optimiser (SLSQP) on the simplex."""
    X, weights, means, covs = setting(4)
    resp = e_step(X, weights, means, covs).resp
    found = optimize.minimize(
        lambda w: -q_value(X, resp, w, means, covs),
        np.full(3, 1 / 3),
        method="SLSQP",
        bounds=[(1e-6, 1)] * 3,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-13},
    )
    assert_allclose(m_step(X, resp).weights, found.x, atol=1e-5)


def lower(v):
    """A lower triangular factor from three numbers, its diagonal by exponentials."""
    return np.array([[np.exp(v[0]), 0.0], [v[1], np.exp(v[2])]])


def best_covs(X, resp, means, penalty=0.0):
    """Covariances at the top of Q minus a penalty on precisions, by a general optimiser."""
    tops = []
    for k in range(resp.shape[1]):

        def objective(v, k=k):
            S = lower(v) @ lower(v).T
            q = resp[:, k] @ stats.multivariate_normal(means[k], S).logpdf(X)
            return q - 0.5 * penalty * resp[:, k].sum() * np.trace(np.linalg.inv(S))

        L = lower(climb(objective, np.array([0.3, 0.0, 0.3])))
        tops.append(L @ L.T)
    return np.array(tops)


def test_eq_em_cov():
    """The optimiser finds the covariances; around the old means it would find others."""
    X, weights, means, covs = setting(5)
    resp = e_step(X, weights, means, covs).resp
    new = m_step(X, resp)
    assert_allclose(new.covs, best_covs(X, resp, new.means), rtol=1e-3, atol=1e-3)
    assert np.abs(new.covs - best_covs(X, resp, means)).max() > 0.05


def test_eq_em_moments():
    """For any responsibilities: mean and total covariance are numpy's of the data."""
    rng = np.random.default_rng(6)
    X, resp = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 3)), rng.dirichlet(np.ones(4), size=30)
    weights, means, covs = m_step(X, resp)
    assert_allclose(weights @ means, X.mean(axis=0), atol=1e-12)
    between = means - X.mean(axis=0)
    total = np.einsum("k,kij->ij", weights, covs) + np.einsum("k,ki,kj->ij", weights, between, between)
    assert_allclose(total, np.cov(X.T, bias=True), atol=1e-12)


@pytest.mark.parametrize("kind", ["tied", "diag", "spherical", "tied_spherical"])
def test_eq_em_structures(kind):
    """Within each structure, the optimiser's top of Q."""
    X, weights, means, covs = setting(7)
    resp = e_step(X, weights, means, covs).resp
    new = m_step(X, resp, kind)

    def objective(v):
        candidate = lower(v) @ lower(v).T if kind == "tied" else np.exp(v).reshape(np.shape(new.covs))
        return q_value(X, resp, new.weights, new.means, full_covariances(candidate, kind, 3, 2))

    start = np.array([0.3, 0.0, 0.3]) if kind == "tied" else np.full(np.size(new.covs), 0.3)
    top = climb(objective, start)
    found = lower(top) @ lower(top).T if kind == "tied" else np.exp(top).reshape(np.shape(new.covs))
    assert_allclose(new.covs, found, rtol=2e-3, atol=2e-3)


def test_eq_em_reg():
    """The optimiser on Q minus (r/2) sum N_k tr(precision) finds S_k + r I."""
    X, weights, means, covs = setting(8)
    resp, r = e_step(X, weights, means, covs).resp, 0.7
    new = m_step(X, resp, reg_covar=r)
    assert_allclose(new.covs, best_covs(X, resp, new.means, penalty=r), rtol=1e-3, atol=1e-3)
    assert_allclose(new.covs - m_step(X, resp).covs, [r * np.eye(2)] * 3, atol=1e-12)
