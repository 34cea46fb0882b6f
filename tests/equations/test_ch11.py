"""Chapter 11, mixtures in practice: every labelled equation, judged by means that do not share its algebra."""

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from gmmlib import GaussianMixture, e_step, log_likelihood, sample_mixture

WEIGHTS = np.array([0.5, 0.3, 0.2])
MEANS = np.array([[0.0, 0.0], [3.0, -1.0], [-2.0, 2.0]])
COVS = np.array([[[1.0, 0.6], [0.6, 0.8]], [[0.5, -0.2], [-0.2, 1.5]], [[2.0, 0.3], [0.3, 0.4]]])


def mixture(**options):
    return GaussianMixture.from_parameters(WEIGHTS, MEANS, COVS, **options)


def density(x):
    """The mixture's density by scipy."""
    return sum(w * stats.multivariate_normal(m, c).pdf(x) for w, m, c in zip(WEIGHTS, MEANS, COVS, strict=True))


def test_eq_unit(rng):
    """Counting: the share of moved points in a small box about a moved place, over the box's area."""
    A, b = np.array([[2.0, 0.5], [-1.0, 3.0]]), np.array([4.0, -7.0])
    X, _ = sample_mixture(rng, 3_000_000, WEIGHTS, MEANS, COVS)
    Y, side = X @ A.T + b, 0.25
    for x in np.array([[0.2, 0.1], [2.5, -0.5], [-1.5, 2.0]]):
        inside = (np.abs(Y - (A @ x + b)) < side / 2).all(axis=1)
        formula = np.exp(mixture().score_samples([x])[0] - np.log(abs(np.linalg.det(A))))
        assert_allclose(inside.mean() / side**2, formula, rtol=0.03 + 4 / np.sqrt(inside.sum()))
    # a whole fit: the same responsibilities, and a log-likelihood moved by N ln|det A|
    X = X[:200]
    start = {"means_init": MEANS, "weights_init": WEIGHTS, "precisions_init": np.linalg.inv(COVS)}
    moved = {
        "means_init": MEANS @ A.T + b,
        "weights_init": WEIGHTS,
        "precisions_init": np.linalg.inv(A @ COVS @ A.T),
    }
    options = {"tol": 1e-10, "max_iter": 2000, "reg_covar": 0}
    one, two = (GaussianMixture(3, **options, **how).fit(Z) for how, Z in [(start, X), (moved, X @ A.T + b)])
    assert_allclose(one.predict_proba(X), two.predict_proba(X @ A.T + b), atol=1e-6)
    assert_allclose(two.score(X @ A.T + b) - one.score(X), -np.log(6.5), rtol=1e-9)  # det A = 2 * 3 + 0.5


def test_eq_weighted_likelihood(rng):
    """Repeating rows: in the log-likelihood, and in a whole fit."""
    X, _ = sample_mixture(rng, 60, WEIGHTS, MEANS, COVS)
    counts = rng.integers(0, 4, size=60)
    rows = np.repeat(X, counts, axis=0)
    by_scipy = np.log(density(rows)).sum()
    assert_allclose(log_likelihood(X, WEIGHTS, MEANS, COVS, sample_weight=counts), by_scipy, rtol=1e-10)
    start = {"means_init": MEANS, "weights_init": WEIGHTS, "precisions_init": np.linalg.inv(COVS)}
    listed = GaussianMixture(3, tol=1e-8, max_iter=500, **start).fit(X, sample_weight=counts)
    repeated = GaussianMixture(3, tol=1e-8, max_iter=500, **start).fit(rows)
    for name in ("weights_", "means_", "covariances_"):
        assert_allclose(getattr(listed, name), getattr(repeated, name), rtol=1e-7, atol=1e-9)


SEEN = [-2.5, 0.0, 1.2, 3.0]


@pytest.mark.parametrize("seen", SEEN)
def test_eq_observed_responsibility(seen):
    """Numerical integration of each component's joint density over the missing coordinate."""
    parts = [
        w
        * integrate.quad(lambda y, m=m, c=c: stats.multivariate_normal(m, c).pdf([seen, y]), -15, 15, points=[m[1]])[0]
        for w, m, c in zip(WEIGHTS, MEANS, COVS, strict=True)
    ]
    found = mixture(missing="em").predict_proba([[seen, np.nan]])[0]
    assert_allclose(found, np.array(parts) / np.sum(parts), rtol=1e-7)


@pytest.mark.parametrize("seen", SEEN)
def test_eq_impute(seen):
    """Numerical integration of y p(x, y) over y, divided by the integral of p(x, y)."""
    top = integrate.quad(lambda y: y * density([seen, y]), -15, 15, points=[-1, 0, 2], limit=200)[0]
    bottom = integrate.quad(lambda y: density([seen, y]), -15, 15, points=[-1, 0, 2], limit=200)[0]
    assert_allclose(mixture().impute([[seen, np.nan]])[0, 1], top / bottom, rtol=1e-7)


@pytest.mark.parametrize(("n", "k"), [(3, 1), (4, 2), (5, 5)])
def test_eq_alarm(rng, n, k):
    """All orders of n + 1 scores are listed; and a fitted mixture's alarm is tried many times."""
    rings = [order[-1] < sorted(order[:-1])[k - 1] for order in permutations(range(n + 1))]
    assert np.isclose(np.mean(rings), k / (n + 1))
    X, _ = sample_mixture(rng, 20_000 * (n + 1), WEIGHTS, MEANS, COVS)
    poor = GaussianMixture(1).fit(X[:50])  # one Gaussian for three: the promise does not lean on the fit
    scores = poor.score_samples(X).reshape(-1, n + 1)
    share = np.mean(scores[:, -1] < np.sort(scores[:, :-1], axis=1)[:, k - 1])
    assert abs(share - k / (n + 1)) < 4 * 0.5 / np.sqrt(20_000)


def test_eq_alarm_spread(rng):
    """Simulation: the exact rate of many thresholds; and the binomial sum: u < t if k or more points lie below t."""
    n, k = 19, 2
    draws = np.sort(rng.normal(size=(20_000, n)), axis=1)[:, k - 1]
    rates = stats.norm.cdf(draws)
    assert stats.kstest(rates, stats.beta(k, n + 1 - k).cdf).pvalue > 1e-3
    assert abs(rates.mean() - k / (n + 1)) < 4 * rates.std() / np.sqrt(20_000)
    t = np.linspace(0.01, 0.5, 20)
    assert_allclose(stats.beta(k, n + 1 - k).cdf(t), stats.binom(n, t).sf(k - 1), rtol=1e-10)
    a = k / (n + 1)
    assert_allclose(stats.beta(k, n + 1 - k).var(), a * (1 - a) / (n + 2), rtol=1e-12)


def test_eq_mixture_classifier(rng):
    """Counting: of the simulated points near a place, which share came from each class?"""
    shares = np.array([0.25, 0.75])
    classes = [
        GaussianMixture.from_parameters([0.4, 0.6], MEANS[:2], COVS[:2]),
        GaussianMixture.from_parameters([0.5, 0.5], MEANS[1:], COVS[1:]),
    ]
    c = rng.choice(2, size=2_000_000, p=shares)
    X = np.empty((2_000_000, 2))
    for one, model in enumerate(classes):
        X[c == one] = sample_mixture(rng, (c == one).sum(), model.weights_, model.means_, model.covariances_)[0]
    for place in np.array([[0.5, 0.0], [2.5, -0.5], [-1.0, 1.0]]):
        near = np.abs(X - place).max(axis=1) < 0.05
        joint = np.log(shares) + [model.score_samples([place])[0] for model in classes]
        formula = np.exp(joint[0] - np.logaddexp(*joint))
        assert abs(np.mean(c[near] == 0) - formula) < 5 * 0.5 / np.sqrt(near.sum()) + 0.002
    # and one component a class is the E-step of chapter 6
    flat = e_step(MEANS + 0.3, shares, MEANS[:2], COVS[:2]).resp[:, 0]
    pair = [GaussianMixture.from_parameters([1.0], MEANS[[k]], COVS[[k]]).score_samples(MEANS + 0.3) for k in (0, 1)]
    joint = np.log(shares)[:, None] + pair
    assert_allclose(np.exp(joint[0] - np.logaddexp(*joint)), flat, rtol=1e-10)
