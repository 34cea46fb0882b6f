"""Chapter 2, maximum likelihood on a line: every labelled equation, judged by means that do not share its algebra."""

from fractions import Fraction
from itertools import product

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, optimize, stats

from gmmlib import datasets, log_gaussian_1d, m_step

X = np.array([3.0, -1.5, 0.4, 7.2, 2.2, 2.9, -0.3])
HERE = (1.1, 2.3)  # a bell that is not the best one


def log_likelihood(x, mean, sd):
    """The formula of the chapter."""
    return -len(x) / 2 * np.log(2 * np.pi) - len(x) * np.log(sd) - ((x - mean) ** 2).sum() / (2 * sd**2)


def by_densities(theta, x=X):
    """The log-likelihood by scipy's densities; theta holds the mean and ln(sd)."""
    return stats.norm(theta[0], np.exp(theta[1])).logpdf(x).sum()


def slopes(f, theta, step=1e-5):
    """Central differences."""
    theta = np.asarray(theta, float)
    return np.array([(f(theta + e) - f(theta - e)) / (2 * step) for e in step * np.eye(len(theta))])


def climbed(f, start):
    """Where a general optimiser ends that knows heights only."""
    found = optimize.minimize(
        lambda t: -f(t), start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000}
    )
    assert found.success
    return found.x


def every_sample(sides, N):
    """All samples of N throws of a die with these sides, in exact fractions; each is equally likely."""
    return [tuple(Fraction(x) for x in sample) for sample in product(sides, repeat=N)]


def average(values):
    values = list(values)
    return sum(values) / len(values)


def exact_mean(x):
    return sum(x) / len(x)


def exact_variance(x):
    return sum((v - exact_mean(x)) ** 2 for v in x) / len(x)


def test_eq_likelihood_of_a_bell():
    """Fifty digits: multiply the heights, and take the logarithm only at the end."""
    waits = datasets.load_old_faithful().column("waiting")
    for x, mean, sd in [(X, *HERE), (waits, 71.0, 13.0), (np.array([5.0]), 5.0, 0.01)]:
        with mpmath.workdps(50):
            heights = mpmath.fprod(mpmath.npdf(v, mean, sd) for v in x)
            expected = float(mpmath.log(heights))
        assert_allclose(log_likelihood(x, mean, sd), expected, rtol=1e-12)
        assert_allclose(log_gaussian_1d(x, mean, sd**2).sum(), expected, rtol=1e-12)


def test_eq_score_of_the_mean():
    """Finite differences of a sum of scipy's log-densities."""
    mean, sd = HERE
    assert_allclose(((X - mean) / sd**2).sum(), slopes(by_densities, [mean, np.log(sd)])[0], rtol=1e-8)


def test_eq_score_of_the_spread():
    """Finite differences along ln(sd)."""
    mean, sd = HERE
    z = (X - mean) / sd
    assert_allclose((z**2 - 1).sum(), slopes(by_densities, [mean, np.log(sd)])[1], rtol=1e-8)


def test_eq_mean_of_a_bell():
    """A climber that knows heights only, for several widths; the top does not depend on the width."""
    for sd in (0.5, 2.0, 9.0):
        top = climbed(lambda t, sd=sd: by_densities([t[0], np.log(sd)]), [0.0])
        assert_allclose(X.sum() / len(X), top[0], atol=1e-6)


def test_eq_variance_of_a_bell():
    """The same climber in both directions, and gmmlib's M-step with one component."""
    top = climbed(by_densities, [0.0, 0.0])
    mean = X.sum() / len(X)
    var = ((X - mean) ** 2).sum() / len(X)
    assert_allclose([mean, var], [top[0], np.exp(2 * top[1])], atol=1e-5)
    step = m_step(X[:, None], np.ones((len(X), 1)))
    assert_allclose([mean, var], [step.means[0, 0], step.covs[0, 0, 0]], rtol=1e-12)


def test_eq_split_of_squares():
    """Exact fractions, for centres near and far."""
    x = [Fraction(n, d) for n, d in [(3, 7), (-5, 2), (11, 3), (0, 1), (9, 4)]]
    for mu in (Fraction(0), Fraction(13, 5), Fraction(-1000, 3)):
        around = sum((v - mu) ** 2 for v in x) / len(x)
        assert around == exact_variance(x) + (exact_mean(x) - mu) ** 2


def test_eq_top_of_the_hill(rng):
    """No bell of many random ones is higher, and its own height is what scipy says."""
    mean, sd = X.mean(), X.std()
    top = -len(X) / 2 * (np.log(2 * np.pi * sd**2) + 1)
    assert_allclose(top, stats.norm(mean, sd).logpdf(X).sum(), rtol=1e-12)
    means, sds = rng.normal(mean, 3, size=4000), np.exp(rng.normal(np.log(sd), 1, size=4000))
    heights = stats.norm(means[:, None], sds[:, None]).logpdf(X).sum(axis=1)
    assert heights.max() < top
    assert top - heights.max() < 0.05  # some of them came close, so the claim was tried
    half_way = stats.norm(mean, sds[:, None]).logpdf(X).sum(axis=1)
    assert (heights <= half_way).all()  # the first of the two steps


def test_eq_curvature_of_the_hill():
    """Differences of differences, at the top and away from it."""
    for mean, sd in [HERE, (X.mean(), X.std()), (X.mean() + 2 * X.std(), 1.0)]:
        d = X - mean
        formula = -np.array([[len(X), 2 * d.sum()], [2 * d.sum(), 2 * (d**2).sum()]]) / sd**2
        theta = np.array([mean, np.log(sd)])
        numeric = slopes(lambda t: slopes(by_densities, t, 1e-4), theta, 1e-4)
        assert_allclose(formula, numeric, rtol=1e-5, atol=1e-4)


DIE = (1, 2, 6)  # a die with three sides: nothing like a bell


@pytest.mark.parametrize("N", [2, 3, 5])
def test_eq_moments_of_the_mean(N):
    """All 3**N samples of a die, in exact fractions."""
    samples = every_sample(DIE, N)
    mu, var = exact_mean([Fraction(v) for v in DIE]), exact_variance([Fraction(v) for v in DIE])
    assert average(exact_mean(x) for x in samples) == mu
    assert average((exact_mean(x) - mu) ** 2 for x in samples) == var / N


@pytest.mark.parametrize("N", [2, 3, 5])
def test_eq_bias_of_the_variance(N):
    """The same die: no Gaussian is needed."""
    var = exact_variance([Fraction(v) for v in DIE])
    assert average(exact_variance(x) for x in every_sample(DIE, N)) == Fraction(N - 1, N) * var


@pytest.mark.parametrize("N", [2, 5, 40])
def test_eq_error_of_a_divisor(N, rng):
    """Integration over the density of chi-squared, and simulated Gaussian samples that know of no chi-squared."""

    def formula(a):
        return 2 * (N - 1) / a**2 + ((N - 1) / a - 1) ** 2

    for a in (N - 0.5, N, N + 1, 2 * N):
        expected = integrate.quad(lambda s, a=a: (s / a - 1) ** 2 * stats.chi2(N - 1).pdf(s), 0, np.inf, limit=200)[0]
        assert_allclose(formula(a), expected, rtol=1e-6)
        S = N * rng.normal(3, 2, size=(60_000, N)).var(axis=1)
        squared = (S / a / 4 - 1) ** 2
        assert abs(squared.mean() - formula(a)) < 5 * squared.std() / np.sqrt(len(squared))
    best = optimize.minimize_scalar(formula, bounds=(N - 0.9, 3 * N), method="bounded", options={"xatol": 1e-8}).x
    assert_allclose(best, N + 1, rtol=1e-5)


def test_eq_fisher_information():
    """Integrate the product of two scores over the bell, scores by differences of scipy's log-density."""
    mean, sd, N = -2.0, 1.7, 3

    def one_score(x, which, step=1e-5):
        return slopes(lambda t: stats.norm.logpdf(x, t[0], np.exp(t[1])), [mean, np.log(sd)], step)[which]

    def expected(i, j):
        grid = np.linspace(mean - 12 * sd, mean + 12 * sd, 4001)
        values = [one_score(x, i) * one_score(x, j) * stats.norm.pdf(x, mean, sd) for x in grid]
        return integrate.simpson(values, x=grid)

    information = np.array([[N / sd**2, 0], [0, 2 * N]])
    assert_allclose(information, [[N * expected(i, j) for j in range(2)] for i in range(2)], rtol=1e-4, atol=1e-4)


def test_eq_step_to_the_top(rng):
    """From the truth, a step of score over information lands on the mean, and near ln(sd) when N is large."""
    for N, off in [(5, 0.6), (20_000, 0.0005)]:
        x = rng.normal(4, 3, size=N)
        slope = slopes(lambda t, x=x: by_densities(t, x), [4.0, np.log(3)], 1e-4)
        assert_allclose(4 + slope[0] * 9 / N, x.mean(), rtol=1e-6)
        assert abs(np.log(3) + slope[1] / (2 * N) - np.log(x.std())) < off


@pytest.mark.parametrize(("N", "close"), [(5, 0.35), (175, 0.04)])
def test_eq_standard_errors(N, close, rng):
    """How far estimates of many samples scatter; exact for the mean, an approximation for ln(sd)."""
    x = rng.normal(4, 3, size=(20_000, N))
    assert_allclose(3 / np.sqrt(N), x.mean(axis=1).std(), rtol=0.02)
    assert_allclose(1 / np.sqrt(2 * N), np.log(x.std(axis=1)).std(), rtol=close)


def share_held(x, truth, half_width):
    """Of the samples in the rows of x, the share whose interval holds the truth."""
    return np.mean(np.abs(x.mean(axis=1) - truth) < half_width)


def test_eq_interval_of_the_mean(rng):
    """The promise of 95 %: kept by large samples, of a bell and of real waits, broken by samples of five."""
    geyser = datasets.load_old_faithful()
    waits = geyser.column("waiting")[geyser.column("eruptions") > 3]
    assert_allclose(stats.norm.cdf(1.96) - stats.norm.cdf(-1.96), 0.95, atol=1e-4)
    for N, promise in [(1000, 0.95), (5, 0.845)]:
        for x, truth in [
            (rng.normal(80, 6, size=(8000, N)), 80.0),
            (rng.choice(waits, size=(8000, N)), waits.mean()),
        ]:
            held = share_held(x, truth, 1.96 * x.std(axis=1) / np.sqrt(N))
            assert abs(held - promise) < 4 * np.sqrt(promise * (1 - promise) / 8000) + 0.002


@pytest.mark.parametrize("N", [2, 5, 30])
def test_eq_coverage_of_the_interval(N, rng):
    """Integrate over every spread a sample may have, given that spread the mean is a plain Gaussian; and count."""
    by_student = 2 * stats.t(N - 1).cdf(1.96 * np.sqrt((N - 1) / N)) - 1

    def given_square(s):  # s = N var / sigma**2, in units in which sigma is 1
        return (2 * stats.norm.cdf(1.96 * np.sqrt(s / N)) - 1) * stats.chi2(N - 1).pdf(s)

    parts = [integrate.quad(given_square, a, b, limit=200)[0] for a, b in [(0, 1e-4), (1e-4, 1), (1, 400)]]
    assert_allclose(by_student, sum(parts), rtol=1e-5)
    x = rng.normal(1, 2, size=(40_000, N))
    held = share_held(x, 1.0, 1.96 * x.std(axis=1) / np.sqrt(N))
    assert abs(held - by_student) < 4 * np.sqrt(by_student * (1 - by_student) / len(x))


@pytest.mark.parametrize("N", [2, 5, 30])
def test_eq_student_interval(N, rng):
    """Counted: with Student's number the promise is kept at any N; scipy's own interval is the same."""
    x = rng.normal(1, 2, size=(40_000, N))
    half = stats.t(N - 1).ppf(0.975) * x.std(axis=1) / np.sqrt(N - 1)
    assert abs(share_held(x, 1.0, half) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / len(x))
    theirs = stats.ttest_1samp(x[0], 0).confidence_interval(0.95)
    assert_allclose([x[0].mean() - half[0], x[0].mean() + half[0]], [theirs.low, theirs.high], rtol=1e-9)


def test_eq_invariance():
    """Climb on other scales: variance, precision, and the probability of exceeding 5."""
    mean, sd = X.mean(), X.std()

    def best(height, low, high):
        return optimize.minimize_scalar(
            lambda v: -height(v), bounds=(low, high), method="bounded", options={"xatol": 1e-10}
        ).x

    def at(sd):
        return stats.norm(mean, sd).logpdf(X).sum()

    assert_allclose(best(lambda v: at(np.sqrt(v)), 0.1, 60), sd**2, rtol=1e-6)
    assert_allclose(best(lambda p: at(1 / np.sqrt(p)), 0.01, 4), 1 / sd**2, rtol=1e-6)
    above = best(lambda q: at((5 - mean) / stats.norm.isf(q)), 0.01, 0.45)
    assert_allclose(above, stats.norm.sf(5, mean, sd), rtol=1e-5)


def test_eq_weighted_bell(rng):
    """Whole weights: write the points out. Others: the climber, and gmmlib's M-step."""

    def formula(x, w):
        mean = (w * x).sum() / w.sum()
        return mean, (w * (x - mean) ** 2).sum() / w.sum()

    copies = np.array([1, 3, 0, 2, 5, 1, 1])
    written_out = np.repeat(X, copies)
    assert_allclose(formula(X, copies), [np.mean(written_out), np.var(written_out)], rtol=1e-12)
    w = rng.random(len(X))
    top = climbed(lambda t: (w * stats.norm(t[0], np.exp(t[1])).logpdf(X)).sum(), [0.0, 0.0])
    assert_allclose(formula(X, w), [top[0], np.exp(2 * top[1])], atol=1e-5)
    step = m_step(X[:, None], np.column_stack([w, 1 - w]))
    assert_allclose(formula(X, w), [step.means[0, 0], step.covs[0, 0, 0]], rtol=1e-10)


def test_eq_likelihood_of_intervals():
    """Integrate the bell over each interval."""
    mean, sd = HERE
    for h in (0.5, 3.0):
        below = stats.norm(mean, sd).cdf
        formula = np.log(below(X + h / 2) - below(X - h / 2)).sum()
        areas = [integrate.quad(stats.norm(mean, sd).pdf, x - h / 2, x + h / 2)[0] for x in X]
        assert_allclose(formula, np.log(areas).sum(), rtol=1e-9)
        assert formula < 0  # a probability is at most 1, however narrow the bell
        assert np.log(below(X[0] + h / 2) - below(X[0] - h / 2)) < 0


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.5])
def test_eq_rounding_correction(shift):
    """The exact variance of a rounded Gaussian, summed over cells, wherever the grid lies."""
    sd = 6.0
    for h, close in [(1.0, 1e-9), (5.0, 1e-6), (11.0, 0.02)]:
        centres = h * (np.arange(-200, 201) + shift)
        chance = stats.norm.cdf(centres + h / 2, 0, sd) - stats.norm.cdf(centres - h / 2, 0, sd)
        rounded = chance @ centres**2 - (chance @ centres) ** 2
        assert_allclose(rounded - h**2 / 12, sd**2, rtol=close)
        if h > 1:
            assert abs(rounded - sd**2) > 0.05 * sd**2  # without the correction it is off
