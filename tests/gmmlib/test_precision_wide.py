"""Many columns, judged in extended precision from the definitions: factor, solve, sum around the mean."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from random_mixtures import swept_e_step

from gmmlib import e_step, em
from gmmlib.families.gaussian import forms

K, D, N = 6, 40, 400
pytestmark = pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="this processor has no longer floats")


def exact(values):
    return np.asarray(values, np.longdouble)


def factor(cov):
    """Lower Cholesky factor, column by column."""
    L = exact(cov).copy()
    for d in range(len(L)):
        L[d:, d] -= L[d:, :d] @ L[d, :d]
        L[d:, d] /= np.sqrt(L[d, d])
    return np.tril(L)


def exact_log_gaussian(X, mean, cov):
    L, z = factor(cov), (exact(X) - exact(mean)).T.copy()
    for d in range(len(z)):
        z[d] = (z[d] - L[d, :d] @ z[:d]) / L[d, d]
    return -(len(z) * np.log(2 * exact(np.pi)) + (z**2).sum(axis=0)) / 2 - np.log(np.diag(L)).sum()


def exact_e_step(X, weights, means, covs):
    log_joint = np.array(
        [np.log(exact(w)) + exact_log_gaussian(X, m, c) for w, m, c in zip(weights, means, covs, strict=True)]
    )
    top = log_joint.max(axis=0)
    log_density = top + np.log(np.exp(log_joint - top).sum(axis=0))
    return np.exp(log_joint - log_density).T, log_density


def exact_m_step(X, resp):
    counts = resp.sum(axis=0)
    means = resp.T @ exact(X) / counts[:, None]
    covs = []
    for r, mean, count in zip(resp.T, means, counts, strict=True):
        y = exact(X) - mean
        covs.append((r * y.T) @ y / count)
    return counts / counts.sum(), means, np.array(covs)


def shifted(offset):
    return lambda X, means, covs: (X + offset, means + offset, covs)


def units(exponents):
    unit = 10.0**exponents
    return lambda X, means, covs: (X * unit, means * unit, covs * (unit[:, None] * unit))


def apart(distance):
    def change(X, means, covs):
        steps = distance * np.arange(K)[:, None]
        return X + steps[np.arange(N) % K], means + steps, covs

    return change


def narrow(width):
    """The first component is `width` times as wide as it was, and so is its cloud of points."""

    def change(X, means, covs):
        X, covs = X.copy(), covs.copy()
        X[::K] = means[0] + width * (X[::K] - means[0])
        covs[0] *= width**2
        return X, means, covs

    return change


def correlated(condition):
    """All columns follow one direction, but for little."""

    def change(X, means, covs):
        A = np.eye(D) + (condition**0.5 - 1) / D * np.ones((D, D))
        return X @ A, means @ A, A @ covs @ A

    return change


HARD = {
    "nothing": shifted(0.0),
    "close": lambda X, means, covs: (X - 0.8 * means[np.arange(N) % K], 0.2 * means, covs),
    "offset 1e8": shifted(1e8),
    "offset -1e10": shifted(-1e10),
    "units": units(np.linspace(-8, 8, D)),
    "scale 1e-140": units(np.full(D, -140.0)),
    "scale 1e140": units(np.full(D, 140.0)),
    "apart by 1e6": apart(1e6),
    "narrow": narrow(1e-6),
    "correlated": correlated(1e6),
}


def hard_case(name):
    """Points of K components in turn, the last of which lies beside the first."""
    rng = np.random.default_rng(4)
    weights, means = rng.dirichlet(np.full(K, 5.0)), 2 * rng.normal(size=(K, D))
    means[-1] = means[0] + 0.2 * rng.normal(size=D)
    A = 0.6 * rng.normal(size=(K, D, D)) / np.sqrt(D) + 0.7 * np.eye(D)
    A[-1] = A[0]
    X = means[np.arange(N) % K] + np.einsum("nij,nj->ni", A[np.arange(N) % K], rng.normal(size=(N, D)))
    return weights, *HARD[name](X, means, A @ np.swapaxes(A, 1, 2))


@pytest.fixture(params=["a few columns first", "as it decides"])
def made(request, monkeypatch):
    """Whether a few columns are asked first, wherever they may be."""
    if request.param == "a few columns first":
        monkeypatch.setattr(forms, "LOOKED_UP", -1e6)
    return request.param


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("by", [e_step, swept_e_step])
def test_the_e_step_of_many_columns_is_right_to_nine_digits(name, made, by):
    weights, X, means, covs = hard_case(name)
    exact_resp, exact_density = exact_e_step(X, weights, means, covs)
    resp, log_density = by(X, weights, means, covs)
    assert_allclose(log_density, exact_density.astype(float), rtol=1e-9)
    assert_allclose(resp, exact_resp.astype(float), atol=1e-8 if name == "correlated" else 1e-9)
    shared = ((exact_resp > 1e-6).sum(axis=1) > 1).mean()
    assert shared > 0.3 or name in ("narrow", "apart by 1e6")


@pytest.mark.parametrize("name", HARD)
def test_an_iteration_on_many_columns_is_right_to_eight_digits_of_a_deviation(name, made):
    weights, X, means, covs = hard_case(name)
    weights_new, means_new, covs_new = exact_m_step(X, exact_e_step(X, weights, means, covs)[0])
    ours = em(X, weights, means, covs, max_iter=1)
    sd = np.sqrt(np.diagonal(covs_new, axis1=1, axis2=2)).astype(float)
    ulp = np.spacing(np.abs(X).max(axis=0))
    assert_allclose(ours.weights, weights_new.astype(float), rtol=1e-8)
    assert (np.abs(ours.means - means_new) <= 1e-8 * sd + 2 * ulp).all()
    scale = sd[:, :, None] * sd[:, None, :]
    assert_allclose(ours.covs / scale, (covs_new / scale).astype(float), atol=1e-8)
