"""Fifty digits as the judge: mpmath computes from the definitions, without a single trick."""

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from random_mixtures import random_covs, swept_e_step

from gmmlib import e_step, em, fit_gaussian, lloyd, log_gaussian, log_likelihood, m_step
from gmmlib.families.gaussian.covariance import COVARIANCE_TYPES, full_covariances, rescaled


@pytest.fixture(autouse=True)
def _fifty_digits():
    with mp.workdps(50):
        yield


def exact_gaussian(x, mean, cov):
    """ln N(x; mean, cov) from determinant and inverse, as Bishop (2006), eq. 2.43, is printed."""
    gap = mp.matrix([mp.mpf(a) - mp.mpf(b) for a, b in zip(x, mean, strict=True)])
    cov = mp.matrix(cov.tolist())
    exponent = (gap.T * mp.inverse(cov) * gap)[0]
    return -(len(x) * mp.log(2 * mp.pi) + mp.log(mp.det(cov)) + exponent) / 2


def exact_e_step(X, weights, means, covs, kind):
    """Responsibilities and log-densities, rounded once, at the end."""
    full = full_covariances(covs, kind, *means.shape)
    resp, log_density = [], []
    for x in X:
        parts = [mp.log(mp.mpf(w)) + exact_gaussian(x, m, c) for w, m, c in zip(weights, means, full, strict=True)]
        total = mp.log(mp.fsum(mp.exp(p) for p in parts))
        log_density.append(total)
        resp.append([mp.exp(p - total) for p in parts])
    return np.array(resp, dtype=float), log_density


def assert_exact(log_density, exact, rtol=1e-10):
    assert_allclose(log_density, np.array(exact, dtype=float), rtol=rtol, atol=1e-12)


def shift(offset):
    """A mixture moved away from zero; its points are numbers that a double can hold there."""
    return lambda X, means, covs, kind: (X + offset, means + offset, covs)


def units(*powers):
    """Columns in units of their own; spherical kinds have only one unit."""

    def change(X, means, covs, kind):
        unit = 10.0 ** np.array(powers if not kind.endswith("spherical") else powers[:1] * len(powers))
        return X * unit, means * unit, rescaled(covs, kind, unit)

    return change


def apart(distance):
    """Components that lie `distance` standard deviations from each other, each with its points."""

    def change(X, means, covs, kind):
        steps = distance * np.arange(len(means))[:, None]
        return X + steps[np.arange(len(X)) % len(means)], means + steps, covs

    return change


def both(one, two):
    return lambda X, means, covs, kind: two(*one(X, means, covs, kind), kind)


HARD = {
    "nothing": shift(0.0),
    "offset 1e8": shift(1e8),
    "offset -1e12": shift(-1e12),
    "condition 1e12": units(0, -3, 3),
    "condition 1e32": units(-8, 8, 0),
    "apart by 1e3": apart(1e3),
    "apart by 1e6": apart(1e6),
    "apart by 1e8": apart(1e8),
    "apart by 1e6, offset 1e8": both(apart(1e6), shift(1e8)),
    "apart by 1e6, condition 1e12": both(apart(1e6), units(0, -3, 3)),
    "scale 1e-150": units(-150, -150, -150),
    "scale 1e150": units(150, 150, 150),
}


def hard_case(name, kind, n=9):
    """Points near the means of three components in three dimensions, made hard."""
    rng = np.random.default_rng(7)
    weights, means, covs = rng.dirichlet([3, 3, 3]), rng.normal(size=(3, 3)), random_covs(rng, kind, 3, 3)
    X = means[np.arange(n) % 3] + rng.normal(size=(n, 3))
    return weights, *HARD[name](X, means, np.asarray(covs), kind)


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("by", [e_step, swept_e_step])
def test_log_density_and_responsibilities_are_right_to_ten_digits(name, kind, by):
    weights, X, means, covs = hard_case(name, kind)
    exact_resp, exact = exact_e_step(X, weights, means, covs, kind)
    resp, log_density = by(X, weights, means, covs, kind)
    assert_exact(log_density, exact)
    assert_allclose(resp, exact_resp, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", HARD)
def test_log_likelihoods_are_right_to_ten_digits(name, kind):
    weights, X, means, covs = hard_case(name, kind)
    exact = mp.fsum(exact_e_step(X, weights, means, covs, kind)[1])
    assert_exact(log_likelihood(X, weights, means, covs, kind), exact)
    assert_exact(em(X, weights, means, covs, kind, max_iter=0).log_likelihoods, [exact])


@pytest.mark.parametrize("name", HARD)
def test_a_single_gaussian_is_right_to_ten_digits(name):
    _, X, means, covs = hard_case(name, "full")
    assert_exact(log_gaussian(X[::3], means[0], covs[0]), [exact_gaussian(x, means[0], covs[0]) for x in X[::3]])


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6, 1e8, 1e10])
def test_a_tilted_covariance_costs_its_condition_number_and_no_more(condition):
    """Rounding one entry of such a matrix already moves its inverse by condition * 1e-16."""
    rng = np.random.default_rng(3)
    Q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    cov = (Q * [1, condition**-0.5, 1 / condition]) @ Q.T
    cov = (cov + cov.T) / 2
    X = rng.normal(size=(6, 3)) * [1, condition**-0.25, condition**-0.5] @ Q.T
    exact = [exact_gaussian(x, np.zeros(3), cov) for x in X]
    assert_exact(log_gaussian(X, np.zeros(3), cov), exact, rtol=4 * condition * np.finfo(float).eps + 1e-13)
    mixture = e_step(X, [1.0], np.zeros((1, 3)), cov[None]).log_density
    assert_exact(mixture, exact, rtol=4 * condition * np.finfo(float).eps + 1e-13)


def exact_m_step(X, resp, kind, weight):
    """The M-step from its definition: sums, quotients, squares around the new means."""
    (N, D), K = X.shape, resp.shape[1]
    X = [[mp.mpf(v) for v in row] for row in X]
    share = [[mp.mpf(w) * mp.mpf(r) for r in row] for w, row in zip(weight, resp, strict=True)]
    mass = [mp.fsum(share[n][k] for n in range(N)) for k in range(K)]
    means = [[mp.fsum(share[n][k] * X[n][d] for n in range(N)) / mass[k] for d in range(D)] for k in range(K)]
    scatter = [
        [[mp.fsum(share[n][k] * (X[n][a] - means[k][a]) * (X[n][b] - means[k][b]) for n in range(N))
          for b in range(D)] for a in range(D)]
        for k in range(K)
    ]  # fmt: skip
    full = [mp.matrix(s) / m for s, m in zip(scatter, mass, strict=True)]
    pooled = sum((mp.matrix(s) for s in scatter[1:]), mp.matrix(scatter[0])) / mp.fsum(mass)
    trace = lambda S: mp.fsum(S[d, d] for d in range(D)) / D  # noqa: E731
    as_array = lambda S: np.array(S.tolist(), dtype=float)  # noqa: E731
    covs = {
        "full": lambda: np.array([as_array(S) for S in full]),
        "tied": lambda: as_array(pooled),
        "diag": lambda: np.array([np.diag(as_array(S)) for S in full]),
        "spherical": lambda: np.array([float(trace(S)) for S in full]),
        "tied_spherical": lambda: np.array(float(trace(pooled))),
    }[kind]()
    return np.array([m / mp.fsum(mass) for m in mass], dtype=float), np.array(means, dtype=float), covs


@pytest.mark.parametrize("name", HARD)
def test_an_m_step_is_right_to_nine_digits_of_a_standard_deviation(name, kind):
    _, X, _, _ = hard_case(name, kind, n=15)
    rng = np.random.default_rng(5)
    # responsibilities that keep to the points' own components, so that covariances stay those of the components
    resp = np.eye(3)[np.arange(15) % 3]
    weight = rng.uniform(0.5, 2, size=15)
    exact = exact_m_step(X, resp, kind, weight)
    ours = m_step(X, resp, kind, sample_weight=weight)
    sd = np.sqrt(np.diagonal(full_covariances(exact[2], kind, 3, 3), axis1=1, axis2=2))
    assert_allclose(ours.weights, exact[0], rtol=1e-12)
    ulp = np.spacing(np.abs(X).max())  # a mean far from zero is stored to this
    assert (np.abs(ours.means - exact[1]) <= 1e-10 * sd + 2 * ulp).all()
    got, expected = (full_covariances(c, kind, 3, 3) / sd[:, :, None] / sd[:, None, :] for c in (ours.covs, exact[2]))
    assert_allclose(got, expected, atol=1e-9)


# Sharing points 1e8 apart makes variances of 1e16 beside 1: no double holds such a full matrix.
@pytest.mark.parametrize("name", [n for n in HARD if n != "apart by 1e8"])
def test_soft_responsibilities_are_summed_as_exactly(name, kind):
    _, X, _, _ = hard_case(name, kind, n=15)
    resp = np.random.default_rng(5).dirichlet([1, 1, 1], size=15)
    exact, ours = exact_m_step(X, resp, kind, np.ones(15)), m_step(X, resp, kind)
    sd = np.sqrt(np.diagonal(full_covariances(exact[2], kind, 3, 3), axis1=1, axis2=2))
    assert_allclose(ours.weights, exact[0], rtol=1e-12)
    assert (np.abs(ours.means - exact[1]) <= 1e-10 * sd + 2 * np.spacing(np.abs(X).max())).all()
    got, expected = (full_covariances(c, kind, 3, 3) / sd[:, :, None] / sd[:, None, :] for c in (ours.covs, exact[2]))
    assert_allclose(got, expected, atol=1e-9)


@pytest.mark.parametrize("name", HARD)
def test_one_gaussian_is_fitted_as_exactly(name):
    _, X, _, _ = hard_case(name, "full", n=15)
    _, means, covs = exact_m_step(X, np.ones((15, 1)), "full", np.ones(15))
    mean, cov = fit_gaussian(X)
    sd = np.sqrt(np.diag(covs[0]))
    assert (np.abs(mean - means[0]) <= 1e-10 * sd + 2 * np.spacing(np.abs(X).max())).all()
    assert_allclose(cov / np.outer(sd, sd), covs[0] / np.outer(sd, sd), atol=1e-9)


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_a_fit_ends_where_fifty_digits_end(kind, offset):
    """Five iterations, exact and ours, side by side."""
    rng = np.random.default_rng(11)
    X = offset + rng.normal(size=(24, 2)) + 4 * (np.arange(24) % 2)[:, None]
    covs = random_covs(rng, kind, 2, 2)
    start = np.array([0.5, 0.5]), offset + np.array([[0.0, 0.0], [4.0, 4.0]]), np.asarray(covs)
    exact = start
    for _ in range(5):
        exact = exact_m_step(X, exact_e_step(X, *exact, kind)[0], kind, np.ones(24))
    ours = em(X, *start, kind, tol=0, max_iter=5)
    atol = 1e-10 if offset == 0 else 1e-7  # the exact path, too, rounds its means to doubles
    assert_allclose(ours.weights, exact[0], atol=atol)
    assert_allclose(ours.means - offset, exact[1] - offset, atol=atol)
    assert_allclose(ours.covs, exact[2], atol=atol)


@pytest.mark.parametrize("distance", [1e3, 1e6, 1e8])
def test_inertia_is_right_to_ten_digits_for_tight_far_clusters(distance):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(12, 2)) + distance * (np.arange(12) % 2)[:, None]
    run = lloyd(X, X[:2])
    columns = [[[mp.mpf(v) for v in X[k::2, d]] for d in range(2)] for k in range(2)]
    exact = mp.fsum((v - mp.fsum(column) / 6) ** 2 for cluster in columns for column in cluster for v in column)
    assert_allclose(run.inertia, float(exact), rtol=1e-7 if distance > 1e6 else 1e-10)
