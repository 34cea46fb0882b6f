"""Chapter 12, how many components: every labelled equation, judged by means that do not share its algebra."""

from itertools import combinations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats
from sklearn.mixture import GaussianMixture as Referee
from sklearn.model_selection import KFold, cross_val_score

import gmmlib
from gmmlib import aic, bic, icl, n_parameters
from gmmlib.families.gaussian.covariance import COVARIANCE_TYPES, covariance_shape, full_covariances


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_eq_n_parameters(rng, kind):
    """The rank of the Jacobian: how many directions the log-density of many points can move in."""
    K, D = 3, 2
    points, h = 3 * rng.normal(size=(200, D)), 1e-6
    shape = covariance_shape(kind, K, D)
    size = int(np.prod(shape))

    def log_density(v):
        weights = np.exp(v[:K]) / np.exp(v[:K]).sum()
        covs = v[K + K * D :].reshape(shape)
        if kind in ("full", "tied"):
            covs = covs @ np.swapaxes(covs, -1, -2) + 0.3 * np.eye(D)
        else:
            covs = np.exp(covs)
        full = full_covariances(covs, kind, K, D)
        return np.log(
            sum(
                w * stats.multivariate_normal(m, c).pdf(points)
                for w, m, c in zip(weights, v[K:][: K * D].reshape(K, D), full, strict=True)
            )
        )

    v = rng.normal(size=K + K * D + size)
    jacobian = np.array([(log_density(v + step) - log_density(v - step)) / (2 * h) for step in h * np.eye(len(v))])
    singular = np.linalg.svd(jacobian, compute_uv=False)
    assert (singular > 1e-5 * singular[0]).sum() == n_parameters(K, D, kind)


def test_eq_aic(rng):
    """The exact optimism of a Gaussian on a line, 2N/(N - 3), tends to p = 2; and a simulation."""
    N = 40
    seen, new = rng.normal(size=(2, 4000, N))
    mean, var = seen.mean(axis=1, keepdims=True), seen.var(axis=1, keepdims=True)
    gap = stats.norm.logpdf(seen, mean, var**0.5).sum(axis=1) - stats.norm.logpdf(new, mean, var**0.5).sum(axis=1)
    # E[(N + 1) / var] / 2 - N / 2 with E[1 / var] = N / (N - 3)
    exact = 0.5 * N * ((N + 1) / (N - 3) - 1)
    assert_allclose(exact, 2 * N / (N - 3))
    assert abs(gap.mean() - exact) < 4 * gap.std() / len(gap) ** 0.5
    assert_allclose(2 * 1e6 / (1e6 - 3), n_parameters(1, 1), rtol=1e-5)
    # the criterion is minus twice the log-likelihood that is left once the optimism is paid
    assert_allclose(aic(-100.0, 2), -2 * (-100.0 - 2))


def test_eq_bic():
    """An exact marginal likelihood, by numerical integration: what BIC leaves out stays bounded as N grows."""
    left_out = []
    for N in (20, 200, 2000, 20000):
        z = stats.norm.ppf((np.arange(N) + 0.5) / N) + 0.3
        middle = z.mean()
        top = stats.norm.logpdf(z, middle).sum()

        def integrand(mu, N=N, centre=middle):
            return np.exp(-0.5 * N * (mu - centre) ** 2) * stats.norm.pdf(mu, 0, 2)

        around = z.mean() + np.array([-12, 12]) / N**0.5
        log_marginal = top + np.log(integrate.quad(integrand, *around)[0])
        left_out.append(log_marginal + 0.5 * bic(top, 1, N))
    assert abs(left_out[-1] - left_out[-2]) < 1e-2
    limit = stats.norm.logpdf(0.3, 0, 2) + 0.5 * np.log(2 * np.pi)  # ln prior + ln(2 pi / information of one point) / 2
    assert_allclose(left_out[-1], limit, atol=1e-3)


def mixture(rng, K=3, D=2):
    A = rng.normal(size=(K, D, D))
    return rng.dirichlet(np.full(K, 3.0)), rng.normal(size=(K, D)), A @ A.transpose(0, 2, 1) + 0.3 * np.eye(D)


def test_eq_label_entropy(rng):
    """All K**N labellings of a few points: the complete-data log-likelihood's mean, and its entropy."""
    weights, means, covs = theta = mixture(rng)
    Y = rng.normal(size=(5, 2))
    logs = np.array(
        [[np.log(weights[k]) + stats.multivariate_normal(means[k], covs[k]).logpdf(y) for k in range(3)] for y in Y]
    )
    joint = np.array([logs[range(5), list(z)].sum() for z in product(range(3), repeat=5)])
    ell = np.log(np.exp(joint).sum())
    posterior = np.exp(joint - ell)
    resp = gmmlib.e_step(Y, *theta).resp
    E = -(resp * np.log(resp)).sum()
    assert_allclose(E, -(posterior * np.log(posterior)).sum(), rtol=1e-10)
    assert_allclose(gmmlib.log_likelihood(Y, *theta) - E, posterior @ joint, rtol=1e-10)


def test_eq_icl(rng):
    """Enumeration again: BIC with the expected complete-data log-likelihood in place of the likelihood."""
    weights, means, covs = theta = mixture(rng, K=2)
    Y = rng.normal(size=(6, 2))
    logs = np.array(
        [[np.log(weights[k]) + stats.multivariate_normal(means[k], covs[k]).logpdf(y) for k in range(2)] for y in Y]
    )
    joint = np.array([logs[range(6), list(z)].sum() for z in product(range(2), repeat=6)])
    complete = np.exp(joint - np.log(np.exp(joint).sum())) @ joint
    resp = gmmlib.e_step(Y, *theta).resp
    assert_allclose(icl(gmmlib.log_likelihood(Y, *theta), 11, resp), -2 * complete + 11 * np.log(6), rtol=1e-10)


def test_eq_cv():
    """scikit-learn's folds and scores."""
    Y = gmmlib.datasets.load_old_faithful().X
    split = list(KFold(5, shuffle=True, random_state=2).split(Y))
    judge = cross_val_score(Referee(2, tol=1e-9, max_iter=1000), Y, cv=split)
    sizes = [len(test) for _, test in split]
    ours = gmmlib.cross_validate(Y, 2, folds=split, tol=1e-9)
    assert_allclose(ours.mean, np.average(judge, weights=sizes), rtol=1e-6)


def test_eq_lrt():
    """Two fits by scikit-learn."""
    Y = gmmlib.datasets.load_old_faithful().X
    scores = [Referee(K, tol=1e-9, max_iter=1000, random_state=0).fit(Y).score(Y) for K in (1, 2)]
    ours = gmmlib.bootstrap_likelihood_ratio(Y, 1, n_boot=1, n_init=2)
    assert_allclose(ours.statistic, 2 * len(Y) * (scores[1] - scores[0]), rtol=1e-5)


def test_eq_bootstrap_p(rng):
    """Its promise: where the model is true, all ranks are equally likely; and a count by hand of a real test."""
    B, draws = 19, rng.exponential(size=(20_000, 20))
    p = (1 + (draws[:, 1:] >= draws[:, :1]).sum(axis=1)) / (B + 1)
    counts = np.unique(p.round(9), return_counts=True)[1]
    assert len(counts) == 20
    assert stats.chisquare(counts).pvalue > 1e-3
    test = gmmlib.bootstrap_likelihood_ratio(rng.normal(size=(40, 1)), 1, "tied", n_boot=9, n_init=2, reg_covar=0.01)
    assert_allclose(test.p_value, np.mean([*(test.null >= test.statistic), True]))


def test_eq_merge(rng):
    """Every pair tried, its union's entropy by scipy."""
    resp = rng.dirichlet([0.4] * 4, size=50)
    tried = {
        pair: stats.entropy(np.column_stack([np.delete(resp, pair, axis=1), resp[:, pair].sum(axis=1)]), axis=1).sum()
        for pair in combinations(range(4), 2)
    }
    best = min(tried, key=tried.get)
    merged = gmmlib.merge_by_entropy(resp)
    assert best in merged.groups[1]
    assert_allclose(merged.entropy[:2], [stats.entropy(resp, axis=1).sum(), tried[best]])


def test_eq_observed_information():
    """Second differences of the log-likelihood in other coordinates, and the delta method."""
    x = gmmlib.datasets.load_old_faithful().X[:, 1]
    start = [0.36, 0.64], [[54.6], [80.1]], [[[34.5]], [[34.4]]]
    fit = gmmlib.em(x[:, None], *start, tol=1e-14, max_iter=5000)
    errors = gmmlib.standard_errors(x[:, None], *fit[:3])

    def ell(v):
        a, b = stats.norm(v[1], np.exp(v[3])), stats.norm(v[2], np.exp(v[4]))
        w = 1 / (1 + np.exp(-v[0]))
        return np.log(w * a.pdf(x) + (1 - w) * b.pdf(x)).sum()

    w, sds = fit.weights[0], np.sqrt(fit.covs[:, 0, 0])
    v, h = np.array([np.log(w / (1 - w)), *fit.means[:, 0], *np.log(sds)]), 1e-3
    steps = h * np.eye(5)
    bend = np.array([[ell(v + s + t) - ell(v + s - t) - ell(v - s + t) + ell(v - s - t) for t in steps] for s in steps])
    sd = np.sqrt(np.diag(np.linalg.inv(-bend / (4 * h**2))))
    assert_allclose(errors.weights, sd[0] * w * (1 - w), rtol=2e-4)
    assert_allclose(errors.means[:, 0], sd[1:3], rtol=2e-4)
    assert_allclose(errors.covs[:, 0, 0], sd[3:] * 2 * sds**2, rtol=2e-4)
