"""One Gaussian: judged by scipy, by integration, by what it must obey."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from random_mixtures import random_cov
from scipy import integrate, stats

from gmmlib import conditional, fit_gaussian, log_gaussian, log_gaussian_1d, marginal, sample_gaussian


@pytest.mark.parametrize("D", [1, 2, 5])
def test_log_gaussian_agrees_with_scipy(rng, D):
    X, mean, cov = rng.normal(size=(7, D)), rng.normal(size=D), random_cov(rng, D)
    expected = stats.multivariate_normal(mean, cov).logpdf(X)
    assert_allclose(log_gaussian(X, mean, cov), expected, rtol=1e-10)


def test_log_gaussian_1d_agrees_with_scipy_whose_scale_is_the_standard_deviation(rng):
    x = rng.normal(size=7)
    assert_allclose(log_gaussian_1d(x, 0.3, 4.0), stats.norm(0.3, 2.0).logpdf(x), rtol=1e-12)


def test_whole_numbers_do_not_wrap_around():
    x, mean, var = (np.array(v, dtype=np.uint8) for v in ([1, 200], 250, 3))
    assert_allclose(log_gaussian_1d(x, mean, var), stats.norm(250, 3**0.5).logpdf([1, 200]), rtol=1e-12)


def test_the_density_integrates_to_one_in_one_and_two_dimensions(rng):
    assert_allclose(integrate.quad(lambda x: np.exp(log_gaussian_1d(x, 1.0, 0.3)), -9, 9)[0], 1, rtol=1e-9)
    mean, cov = rng.normal(size=2), random_cov(rng, 2)
    inside = lambda y, x: np.exp(log_gaussian([[x, y]], mean, cov)[0])  # noqa: E731
    assert_allclose(integrate.dblquad(inside, -20, 20, -20, 20)[0], 1, rtol=1e-6)


def test_log_gaussian_is_a_density_so_units_matter(rng):
    X, mean, cov = rng.normal(size=(7, 3)), rng.normal(size=3), random_cov(rng, 3)
    in_mm = log_gaussian(1000 * X, 1000 * mean, 1000**2 * cov)
    assert_allclose(in_mm, log_gaussian(X, mean, cov) - 3 * np.log(1000), rtol=1e-10)


def test_a_density_may_exceed_one():
    assert log_gaussian_1d(0.0, 0.0, 0.01) > 0


@pytest.mark.parametrize("D", [1, 2, 5])
def test_the_fit_maximises_the_likelihood_against_every_small_move(rng, D):
    X = rng.normal(size=(30, D))
    mean, cov = fit_gaussian(X)
    best = log_gaussian(X, mean, cov).sum()
    for _ in range(20):
        wobble = 0.05 * rng.normal(size=(D, D))
        assert log_gaussian(X, mean + 0.01 * rng.normal(size=D), cov).sum() < best
        assert log_gaussian(X, mean, cov + wobble @ wobble.T).sum() < best
        assert log_gaussian(X, mean, cov - wobble @ wobble.T).sum() < best


@pytest.mark.parametrize("D", [1, 2, 5])
def test_the_fit_agrees_with_numpy(rng, D):
    X, counts = rng.normal(size=(30, D)), rng.integers(1, 4, size=30)
    mean, cov = fit_gaussian(X, sample_weight=counts)
    assert_allclose(mean, np.average(X, axis=0, weights=counts), rtol=1e-12)
    assert_allclose(cov, np.cov(X.T, fweights=counts, bias=True).reshape(D, D), rtol=1e-10)


def test_weight_three_is_the_row_three_times_and_only_ratios_matter(rng):
    X, counts = rng.normal(size=(12, 2)), rng.integers(0, 4, size=12)
    copies = fit_gaussian(np.repeat(X, counts, axis=0))
    for scale in (1, 1e-200, 1e200):
        for got, expected in zip(fit_gaussian(X, counts * scale), copies, strict=True):
            assert_allclose(got, expected, rtol=1e-12)


def test_shifting_the_data_shifts_only_the_mean(rng):
    X = np.round(rng.normal(size=(50, 3)) * 2**20) / 2**20  # exact after the shift
    mean, cov = fit_gaussian(X)
    far_mean, far_cov = fit_gaussian(X + 2.0**30)
    assert_allclose(far_mean - 2.0**30, mean, atol=1e-6)
    assert_allclose(far_cov, cov, rtol=1e-9)


def test_marginal_and_conditional_multiply_to_the_joint(rng):
    mean, cov, x = rng.normal(size=4), random_cov(rng, 4), rng.normal(size=4)
    given, rest = [2, 0], [1, 3]
    part = log_gaussian(x[None, given], *marginal(mean, cov, given))
    other = log_gaussian(x[None, rest], *conditional(mean, cov, given, x[given]))
    assert_allclose(part + other, log_gaussian(x[None], mean, cov), rtol=1e-12)


def test_conditional_takes_one_row_a_case(rng):
    mean, cov, values = rng.normal(size=3), random_cov(rng, 3), rng.normal(size=(5, 1))
    means, _ = conditional(mean, cov, [1], values)
    one_by_one = [conditional(mean, cov, [1], v)[0] for v in values]
    assert_allclose(means, one_by_one, rtol=1e-12)


def test_knowing_nothing_changes_nothing(rng):
    mean, cov = rng.normal(size=3), random_cov(rng, 3)
    for got, expected in zip(conditional(mean, cov, [], []), (mean, cov), strict=True):
        assert_allclose(got, expected, rtol=1e-15)
    assert [part.shape for part in marginal(mean, cov, [])] == [(0,), (0, 0)]


@pytest.mark.filterwarnings("error")
def test_numbers_too_large_to_square_are_told_in_silence():
    far, mean = np.array([[1.7e308, 1.7e308]]), np.full(2, -1.7e308)
    assert log_gaussian(far[:, :1], mean[:1], np.eye(1)) == -np.inf
    assert log_gaussian(far, mean, np.eye(2)) == -np.inf
    assert log_gaussian(far, mean, np.eye(2) + 0.5) == -np.inf
    assert log_gaussian_1d(1e300, 0.0, 1.0) == -np.inf
    with pytest.raises(ValueError, match="divide it by a constant"):
        fit_gaussian([[1.7e308, 0.0], [-1.7e308, 0.0], [-1.7e308, 1.0]])


def test_no_sample_is_a_sample(rng):
    assert sample_gaussian(rng, 0, np.zeros(3), np.eye(3)).shape == (0, 3)


def test_on_a_line_samples_are_those_of_numpy():
    drawn = sample_gaussian(np.random.default_rng(4), 5, [1.0], [[9.0]])
    assert_allclose(drawn, np.random.default_rng(4).normal(1, 3, size=(5, 1)), rtol=1e-12)


def test_samples_have_the_moments_asked_for(rng):
    mean, cov = np.array([1.0, -2.0, 0.5]), random_cov(rng, 3)
    X = sample_gaussian(rng, 200_000, mean, cov)
    assert_allclose(X.mean(axis=0), mean, atol=4 * np.sqrt(cov.max() / 200_000))
    assert_allclose(np.cov(X.T), cov, atol=0.02 * np.abs(cov).max())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: log_gaussian_1d(0.0, 0.0, -1.0), "var must be positive"),
        (lambda: log_gaussian_1d(0.0, 0.0, [1.0, -1.0]), "var must be positive"),
        (lambda: log_gaussian_1d(0.0, 0.0, 0.0), "var must be positive"),
        (lambda: log_gaussian_1d(0.0, 0.0, [1.0, np.inf]), "var must be positive and finite"),
        (lambda: log_gaussian_1d(0.0, 0.0, np.nan), "var must be positive and finite"),
        (lambda: log_gaussian(np.zeros((3, 2)), np.zeros(3), np.eye(3)), "2 columns"),
        (lambda: log_gaussian(np.zeros((3, 2)), np.zeros(2), np.eye(3)), "2 columns"),
        (lambda: log_gaussian(np.zeros((3, 2)), np.zeros(3), np.eye(2)), "2 columns"),
        (lambda: log_gaussian(np.zeros((3, 2)), [0.0, np.nan], np.eye(2)), "mean contains NaN"),
        (lambda: log_gaussian(np.zeros((3, 2)), np.zeros(2), [[1.0, 0.0], [0.0, np.inf]]), "cov contains NaN"),
        (lambda: log_gaussian(np.zeros((3, 2)), np.zeros(2), np.zeros((2, 2))), "cov is not positive definite"),
        (lambda: log_gaussian(np.zeros(3), 0.0, 1.0), r"x\[:, None\]"),
        (lambda: fit_gaussian([[1e200, 1.0], [-1e200, 2.0]]), "divide it by a constant"),
        (lambda: marginal(np.zeros(2), np.eye(2), [2]), "^keep must hold coordinates between 0 and 1"),
        (lambda: conditional(np.zeros(2), np.eye(2), [2], [0.0]), "^given must hold coordinates between 0 and 1"),
        (lambda: conditional(np.zeros(3), np.eye(3), [0, 2], [1.0]), "one entry for each of 2 given coordinates"),
        (lambda: fit_gaussian([[np.nan, 1.0]]), "NaN or infinity"),
        (lambda: fit_gaussian(np.empty((0, 2))), "no rows"),
        (lambda: fit_gaussian(np.zeros((2, 1)), [1.0]), "sample_weight must have shape"),
        (lambda: fit_gaussian(np.zeros((2, 1)), [1.0, -1.0]), "non-negative"),
        (lambda: fit_gaussian(np.zeros((2, 1)), [np.inf, 1.0]), "finite"),
        (lambda: fit_gaussian(np.zeros((2, 1)), [0.0, 0.0]), "zero everywhere"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda text: log_gaussian_1d(text, 0.0, 1.0), "x"),
        (lambda text: log_gaussian_1d(0.0, text, 1.0), "mean"),
        (lambda text: log_gaussian_1d(0.0, 0.0, text), "var"),
        (lambda text: log_gaussian([[0.0]], text, [[1.0]]), "mean"),
        (lambda text: log_gaussian([[0.0]], [0.0], [text]), "cov"),
        (lambda text: conditional([0.0, 0.0], np.eye(2), [0], text), "values"),
    ],
)
def test_text_is_refused_by_the_name_of_its_argument(call, name):
    with pytest.raises(ValueError, match=f"^{name} holds"):
        call(["3"])


def test_a_lopsided_covariance_is_refused_by_its_name():
    with pytest.raises(ValueError, match=r"^cov .*symmetric"):
        log_gaussian([[0.0, 0.0]], [0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]])


def test_of_two_bad_parameters_the_first_is_named():
    with pytest.raises(ValueError, match=r"^mean contains NaN"):
        log_gaussian([[0.0]], [np.nan], [[np.nan]])
