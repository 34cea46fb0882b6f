"""What the functions of the E-step, the M-step and EM refuse, return and assume."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.special import logsumexp, softmax

from gmmlib import e_step, em, log_likelihood, m_step, sample_mixture

X = np.random.default_rng(0).normal(size=(40, 2))
START = np.array([0.5, 0.5]), np.array([[-1.0, 0.0], [1.0, 0.0]]), np.array([np.eye(2)] * 2)
RESP = np.random.default_rng(1).dirichlet([1, 1], size=40)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: m_step(X, RESP, reg_covar=-0.1), "^reg_covar must be finite and non-negative, got -0.1"),
        (lambda: m_step(X, RESP, reg_covar=np.inf), "^reg_covar must be finite and non-negative, got inf"),
        (lambda: m_step(X, RESP, reg_covar=np.nan), "^reg_covar must be finite and non-negative, got nan"),
        (lambda: em(X, *START, reg_covar=np.inf), "^reg_covar must be finite and non-negative, got inf"),
        (lambda: em(X, *START, max_iter=-1), "^max_iter must .*got -1"),
        (lambda: m_step(X, RESP, "round"), "covariance_type must be one of"),
        (lambda: em(X, *START, "round"), "covariance_type must be one of"),
        (lambda: em(X, *START, "round", max_iter=0), "covariance_type must be one of"),
        (lambda: e_step(X, START[0], [[0.0, np.nan], [0.0, 0.0]], START[2]), "means contains NaN or infinity"),
        (lambda: e_step(X, START[0], [[0.0, np.inf], [0.0, 0.0]], START[2]), "means contains NaN or infinity"),
        (lambda: e_step(X, 1.0, *START[1:]), r"weights must have shape \(K,\), got \(\)"),
        (lambda: e_step(X, [START[0]], *START[1:]), r"weights must have shape \(K,\), got \(1, 2\)"),
        (lambda: e_step(X, [1.5, -0.5], *START[1:]), "weights must be non-negative and sum to one"),
        (lambda: sample_mixture(None, 3, START[0], [0.0, 1.0], START[2]), r"means must have shape \(2, 1\)"),
        (lambda: m_step(X, RESP[0]), r"resp must have shape \(40, K\), one row a point, got \(2,\)"),
        (lambda: m_step(X, RESP.T), r"resp must have shape \(40, K\), one row a point, got \(2, 40\)"),
        (lambda: m_step(X, np.where(RESP == RESP[3, 0], -RESP, RESP)), "resp must be non-negative"),
        (lambda: m_step(X, RESP * np.linspace(1, 1.1, 40)[:, None]), "rows that sum to one"),
    ],
)
def test_what_cannot_be_meant_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_nothing_is_added_to_variances_and_steps_go_on_to_ten_digits_unless_asked_otherwise():
    defaults = {name: p.default for name, p in inspect.signature(em).parameters.items()}
    assert (defaults["tol"], defaults["reg_covar"]) == (1e-10, 0.0)
    assert em(X, *START, tol=0).n_iter == 1000
    for function in (e_step, m_step, em, log_likelihood, sample_mixture):
        assert inspect.signature(function).parameters["covariance_type"].default == "full"


def test_a_log_likelihood_is_a_plain_number():
    for weight in (None, np.ones(40)):
        assert type(log_likelihood(X, *START, sample_weight=weight)) is float


def test_no_iteration_returns_the_start():
    fit = em(X, *START, max_iter=0)
    for got, given in zip(fit, START, strict=False):
        assert_allclose(got, given, rtol=1e-14)
    assert (fit.n_iter, fit.converged, len(fit.log_likelihoods)) == (0, False, 1)


def test_the_number_of_iterations_is_kept_and_convergence_told():
    short, long = em(X, *START, max_iter=3), em(X, *START)
    assert (short.n_iter, short.converged, len(short.log_likelihoods)) == (3, False, 4)
    assert long.converged
    assert 0 <= np.diff(long.log_likelihoods)[-1] / 40 < 1e-10 <= np.diff(long.log_likelihoods)[-2] / 40


def test_no_sample_is_a_sample(rng):
    points, labels = sample_mixture(rng, 0, *START)
    assert (points.shape, labels.shape) == ((0, 2), (0,))


@pytest.mark.parametrize("kind", ["diag", "spherical", "tied_spherical"])
@pytest.mark.parametrize("D", [1, 2, 40])
@pytest.mark.parametrize("between", [3.0, 3e4])  # deviations: products will do, or would cancel
def test_without_correlations_densities_are_products_wherever_the_rows_lie(rng, kind, D, between):
    variances = {"diag": rng.uniform(0.5, 2, (3, D)), "spherical": rng.uniform(0.5, 2, 3), "tied_spherical": 0.7}[kind]
    weights, means = rng.dirichlet(np.ones(3)), 1e3 + between * rng.normal(size=(3, D))
    if between > 1e3:
        means[2] = weights[:2] @ means[:2] / weights[:2].sum()  # the last is where all are seen from
    X = means[rng.integers(3, size=50)] + rng.normal(size=(50, D))
    X[::7] *= 50  # some far from every component
    before, resp, log_density = X.copy(), *e_step(X, weights, means, variances, kind)
    sd = np.sqrt(np.broadcast_to(np.reshape(variances, (-1, D if kind == "diag" else 1)), (3, D)))
    log_joint = stats.norm(means[:, None], sd[:, None]).logpdf(X).sum(axis=2) + np.log(weights)[:, None]
    assert_allclose(log_density, logsumexp(log_joint, axis=0), rtol=1e-12)
    assert_allclose(resp, softmax(log_joint, axis=0).T, rtol=1e-9, atol=1e-12)
    assert (X == before).all()


@pytest.mark.filterwarnings("error")
def test_far_away_the_nearest_component_that_has_weight_is_the_sum():
    """Nearest in deviations, that is; beside such numbers no weight is seen, unless it is zero."""
    X = np.array([[1e153], [0.0], [-1.2e153]])
    weights, means, covs = np.array([0.5, 0.5, 0.0]), np.zeros((3, 1)), np.array([[[1.0]], [[4.0]], [[1e180]]])
    log_density = e_step(X, weights, means, covs).log_density
    assert_allclose(log_density, [-1.25e305, np.log(0.75) - 0.5 * np.log(2 * np.pi), -1.8e305], rtol=1e-12)


@pytest.mark.parametrize("kind", ["full", "tied"])
def test_a_covariance_that_is_not_its_own_transpose_is_refused(kind):
    lopsided = np.array([[1.0, 0.5], [0.2, 1.0]])
    covs = np.array([np.eye(2), lopsided]) if kind == "full" else lopsided
    for call in (e_step, em, log_likelihood):
        with pytest.raises(ValueError, match=f"^{kind} covariances must be symmetric: entries"):
            call(X, *START[:2], covs, kind)
