"""Chapter 1, one Gaussian: every labelled equation, judged by means that do not share its algebra."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, signal, stats

from gmmlib import log_gaussian_1d

MEAN, VAR = 1.7, 0.36


def density(x, mean=MEAN, var=VAR):
    return np.exp(log_gaussian_1d(x, mean, var))


def test_eq_change_of_variables(rng):
    """y = exp(x): the density by the rule against simulated shares, which know no derivative."""
    y = np.exp(rng.normal(MEAN, VAR**0.5, size=400_000))
    edges = np.quantile(y, np.linspace(0.02, 0.98, 25))
    seen = np.histogram(y, edges)[0] / len(y)
    by_rule = [integrate.quad(lambda v: density(np.log(v)) / v, a, b)[0] for a, b in pairwise(edges)]
    assert_allclose(seen, by_rule, atol=5 * np.sqrt(0.04 / len(y)))
    # and a decreasing map, y = -2 x, against scipy's own Gaussian
    v = np.linspace(-6, 0, 13)
    assert_allclose(density(v / -2) * abs(-1 / 2), stats.norm(-2 * MEAN, 2 * VAR**0.5).pdf(v), rtol=1e-12)


def test_eq_gaussian_integral():
    """Integration with 30 digits, and the share of a million darts that land under the hill."""
    with mpmath.workdps(30):
        area = mpmath.quad(lambda z: mpmath.exp(-(z**2) / 2), [-mpmath.inf, 0, mpmath.inf])
        assert abs(area**2 - 2 * mpmath.pi) < mpmath.mpf(10) ** -25
    # darts: the share of a square's darts below the hill, times the box's volume
    rng = np.random.default_rng(1)
    x, y, h = rng.uniform(-6, 6, 10**6), rng.uniform(-6, 6, 10**6), rng.uniform(0, 1, 10**6)
    assert_allclose(144 * np.mean(h < np.exp(-(x**2 + y**2) / 2)), 2 * np.pi, rtol=0.02)


def test_eq_gaussian_1d():
    """scipy's density, and an integral of one."""
    x = np.linspace(-2, 5, 29)
    assert_allclose(density(x), stats.norm(loc=MEAN, scale=VAR**0.5).pdf(x), rtol=1e-12)
    assert_allclose(integrate.quad(density, -np.inf, np.inf)[0], 1, rtol=1e-9)


def test_eq_gaussian_1d_moments():
    """By integration, and the variance is the square of the standard deviation, not the deviation."""
    mean = integrate.quad(lambda x: x * density(x), -np.inf, np.inf)[0]
    var = integrate.quad(lambda x: (x - mean) ** 2 * density(x), -np.inf, np.inf)[0]
    assert_allclose([mean, var], [MEAN, VAR], rtol=1e-8)


@pytest.mark.parametrize(("a", "b"), [(1.0, 2.0), (-np.inf, 1.2), (2.9, np.inf), (0.0, 9.0)])
def test_eq_interval_1d(a, b):
    """The rule with the cumulative distribution against the area under the curve, and against counting."""
    Phi = stats.norm().cdf
    by_rule = Phi((b - MEAN) / VAR**0.5) - Phi((a - MEAN) / VAR**0.5)
    assert_allclose(by_rule, integrate.quad(density, a, b)[0], rtol=1e-8)
    x = np.random.default_rng(2).normal(MEAN, VAR**0.5, size=200_000)
    assert_allclose(by_rule, np.mean((x >= a) & (x <= b)), atol=0.005)


def test_eq_log_gaussian_1d():
    """Against 40-digit arithmetic that exponentiates and takes the logarithm back, far tail included."""
    for x in (-3.0, 1.7, 2.0, 60.0):
        with mpmath.workdps(40):
            var = mpmath.mpf(VAR)
            plain = mpmath.npdf(mpmath.mpf(x), mpmath.mpf(MEAN), mpmath.sqrt(var))
            expected = float(mpmath.log(plain))
        assert_allclose(log_gaussian_1d(x, MEAN, VAR), expected, rtol=1e-13)
    # a parabola: the third differences of equally spaced values vanish, the second are -1/var
    logs = log_gaussian_1d(np.arange(6.0), MEAN, VAR)
    assert_allclose(np.diff(logs, 2), -1 / VAR, rtol=1e-10)


def test_eq_log_likelihood_1d(rng):
    """The log of the product of 40 densities, multiplied out with 60 digits."""
    x = rng.normal(size=40)
    by_formula = -20 * np.log(2 * np.pi * VAR) - ((x - MEAN) ** 2).sum() / (2 * VAR)
    with mpmath.workdps(60):
        product = mpmath.fprod(mpmath.npdf(mpmath.mpf(v), mpmath.mpf(MEAN), mpmath.sqrt(mpmath.mpf(VAR))) for v in x)
        assert_allclose(by_formula, float(mpmath.log(product)), rtol=1e-12)
    assert_allclose(by_formula, log_gaussian_1d(x, MEAN, VAR).sum(), rtol=1e-12)


@pytest.mark.parametrize(("a", "b"), [(2.5, -1.0), (-0.5, 3.0)])
def test_eq_affine_1d(rng, a, b):
    """Transformed draws pass a Kolmogorov-Smirnov test for the claimed Gaussian and fail it for a wrong one."""
    y = a * rng.normal(MEAN, VAR**0.5, size=20_000) + b
    claimed = stats.norm(a * MEAN + b, np.sqrt(a**2 * VAR))
    assert stats.kstest(y, claimed.cdf).pvalue > 0.001
    assert stats.kstest(y, stats.norm(a * MEAN + b, np.sqrt(abs(a) * VAR)).cdf).pvalue < 1e-6


def test_eq_sum_1d():
    """The density of a sum is a convolution: a numerical one, against the claimed Gaussian."""
    step = 0.01
    grid = np.arange(-12, 12 + step / 2, step)
    convolved = signal.fftconvolve(density(grid, 0.4, 0.8), density(grid, -1.0, 1.5), mode="same") * step
    assert_allclose(convolved, density(grid, 0.4 - 1.0, 0.8 + 1.5), atol=1e-9)
