"""E-step, M-step and EM: judged by scipy, scikit-learn and the laws they obey."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from random_mixtures import data_and_start, random_mixture
from scipy import optimize, stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Referee

from gmmlib import GaussianMixture, e_step, em, fit_gaussian, log_likelihood, m_step, sample_mixture
from gmmlib.families.gaussian.covariance import full_covariances, rescaled


def naive_log_joint(X, weights, covs, means, kind):
    """ln weight + ln density by scipy, one component at a time: (N, K)."""
    full = full_covariances(covs, kind, *means.shape)
    parts = [stats.multivariate_normal(m, c).logpdf(X) for m, c in zip(means, full, strict=True)]
    return np.log(weights) + np.array(parts).T.reshape(len(X), -1)


def test_responsibilities_and_density_agree_with_bayes_rule_by_scipy(rng, kind, size):
    N, D, K = size
    X, (weights, means, covs) = rng.normal(size=(N, D)), random_mixture(rng, kind, K, D)
    joint = np.exp(naive_log_joint(X, weights, covs, means, kind))
    resp, log_density = e_step(X, weights, means, covs, kind)
    assert_allclose(resp, joint / joint.sum(axis=1, keepdims=True), rtol=1e-9, atol=1e-14)
    assert_allclose(log_density, np.log(joint.sum(axis=1)), rtol=1e-10)


def test_rows_of_resp_sum_to_one_even_where_every_density_underflows(rng, kind):
    weights, means, covs = random_mixture(rng, kind, 3, 2)
    X = np.array([[0.0, 0.0], [1e4, -1e4], [1e100, 1.0], [1e300, -1e300], [-1.7e308, 1.7e308]])
    resp, log_density = e_step(X, weights, means, covs, kind)
    assert (resp >= 0).all()
    assert_allclose(resp.sum(axis=1), 1, rtol=1e-12)
    assert not np.isnan(log_density).any()


def test_the_m_step_maximises_the_expected_complete_log_likelihood(rng, kind):
    """Nelder-Mead, which knows no formula, finds nothing better near the answer."""
    X, resp = rng.normal(size=(30, 2)), rng.dirichlet([1, 1, 1], size=30)
    best = m_step(X, resp, kind)

    def expected(weights, means, covs):
        return (resp * naive_log_joint(X, weights, covs, means, kind)).sum()

    top = expected(*best)
    shape = np.shape(best.covs)

    def loss(step):
        means = best.means + step[:6].reshape(3, 2)
        logits = np.log(best.weights) + np.append(step[6:8], 0)
        if kind in ("full", "tied"):
            tilt = np.eye(2) + np.array([[step[8], step[9]], [step[9], step[10]]])
            covs = tilt @ best.covs @ tilt.T
        else:
            covs = best.covs * np.exp(step[8 : 8 + max(1, np.size(best.covs))].reshape(shape))
        weights = np.exp(logits)
        return -expected(weights / weights.sum(), means, covs)

    found = optimize.minimize(loss, np.full(14, 0.02), method="Nelder-Mead", options={"maxfev": 4000, "fatol": 1e-12})
    assert -found.fun <= top + 1e-9
    assert top - -found.fun < 0.05  # the search did get near: the check can fail


def test_m_step_agrees_with_weighted_fits_of_single_gaussians(rng, size):
    N, D, K = size
    X, resp, weight = rng.normal(size=(N, D)), rng.dirichlet(np.ones(K), size=N), rng.uniform(0.5, 2, size=N)
    weights, means, covs = m_step(X, resp, sample_weight=weight)
    for k in range(K):
        mean, cov = fit_gaussian(X, weight * resp[:, k])
        assert_allclose(means[k], mean, rtol=1e-10, atol=1e-12)
        assert_allclose(covs[k], cov, rtol=1e-9, atol=1e-12)
    assert_allclose(weights, weight @ resp / weight.sum(), rtol=1e-12)


def test_after_a_full_m_step_mean_and_total_covariance_are_those_of_the_data(rng, size):
    N, D, K = size
    X, resp = rng.normal(size=(N, D)), rng.dirichlet(np.ones(K), size=N)
    weights, means, covs = m_step(X, resp)
    mean, cov = fit_gaussian(X)
    assert_allclose(weights @ means, mean, atol=1e-12)
    between = means - mean
    assert_allclose(np.tensordot(weights, covs, 1) + (weights * between.T) @ between, cov, rtol=1e-9, atol=1e-12)


def test_the_log_likelihood_never_falls(rng, kind, size):
    N, D, K = size
    X, start = data_and_start(rng, kind, K, D, N)
    trace = em(X, *start, kind, tol=0, max_iter=15).log_likelihoods
    assert (np.diff(trace) > -1e-9 * np.abs(trace[0])).all()
    assert trace[-1] > trace[0]


def test_the_trace_is_the_log_likelihood_of_the_parameters_it_stands_for(rng, kind):
    X, start = data_and_start(rng, kind, 3, 2)
    one, two = (em(X, *start, kind, tol=0, max_iter=i) for i in (1, 2))
    assert_allclose(two.log_likelihoods[0], log_likelihood(X, *start, kind), rtol=1e-12)
    assert_allclose(two.log_likelihoods[1], log_likelihood(X, *one[:3], kind), rtol=1e-12)
    assert_allclose(two.log_likelihoods[2], log_likelihood(X, *two[:3], kind), rtol=1e-12)
    assert two.n_iter == 2
    assert not two.converged


def test_the_mean_step_is_a_gradient_step_preconditioned_by_the_covariance(rng):
    X, (weights, means, covs) = rng.normal(size=(40, 2)), random_mixture(rng, "full", 3, 2)
    resp = e_step(X, weights, means, covs).resp
    stepped = m_step(X, resp).means
    loglik = lambda flat: log_likelihood(X, weights, flat.reshape(3, 2), covs)  # noqa: E731
    gradient = optimize.approx_fprime(means.ravel(), loglik, 1e-7).reshape(3, 2)
    for k in range(3):
        assert_allclose(stepped[k], means[k] + covs[k] / resp[:, k].sum() @ gradient[k], rtol=1e-4, atol=1e-6)


def test_at_convergence_no_direction_climbs(rng):
    X, _ = sample_mixture(rng, 400, [0.4, 0.6], [[0, 0], [3, 1]], [np.eye(2), [[1, 0.5], [0.5, 1]]])
    fit = em(X, [0.5, 0.5], [[-1, 0], [2, 2]], [np.eye(2)] * 2, tol=1e-13, max_iter=5000)
    assert fit.converged
    loglik = lambda flat: log_likelihood(X, fit.weights, flat.reshape(2, 2), fit.covs)  # noqa: E731
    assert_allclose(optimize.approx_fprime(fit.means.ravel(), loglik, 1e-6), 0, atol=2e-2)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_em_walks_the_same_path_as_scikit_learn(rng, kind, size):
    N, D, K = size
    X, (weights, means, covs) = data_and_start(rng, kind, K, D, N)
    precisions = np.linalg.inv(covs) if kind in ("full", "tied") else 1 / covs
    referee = Referee(
        K, covariance_type=kind, weights_init=weights, means_init=means, precisions_init=precisions, reg_covar=1e-6
    )
    for n_iter in (1, 7):
        referee.set_params(max_iter=n_iter, tol=0).fit(X)
        ours = em(X, weights, means, covs, kind, tol=0, max_iter=n_iter, reg_covar=1e-6)
        assert_allclose(ours.weights, referee.weights_, rtol=1e-7)
        assert_allclose(ours.means, referee.means_, rtol=1e-7, atol=1e-9)
        assert_allclose(ours.covs, referee.covariances_, rtol=1e-6, atol=1e-9)


def test_reg_covar_is_added_once_to_every_variance(rng, kind):
    X, resp = rng.normal(size=(30, 2)), rng.dirichlet([1, 1, 1], size=30)
    plain, more = m_step(X, resp, kind), m_step(X, resp, kind, reg_covar=0.25)
    added = np.asarray(more.covs) - plain.covs
    assert_allclose(
        added, 0.25 * (np.eye(2) if kind in ("full", "tied") else 1.0) + np.zeros(np.shape(added)), atol=1e-12
    )


def test_integer_weights_are_repeated_rows(rng, kind):
    X, start = data_and_start(rng, kind, 3, 2)
    counts = rng.integers(0, 4, size=len(X))
    copies = em(np.repeat(X, counts, axis=0), *start, kind, tol=0, max_iter=5)
    for scale in (1, 1e-200, 1e200):
        weighted = em(X, *start, kind, tol=0, max_iter=5, sample_weight=counts * scale)
        assert_allclose(weighted.means, copies.means, rtol=1e-8)
        assert_allclose(weighted.covs, copies.covs, rtol=1e-8, atol=1e-12)
    assert_allclose(
        em(X, *start, kind, tol=0, max_iter=5, sample_weight=counts).log_likelihoods, copies.log_likelihoods, rtol=1e-10
    )


def test_order_of_rows_and_of_components_changes_nothing_else(rng, kind):
    X, (weights, means, covs) = data_and_start(rng, kind, 3, 2)
    fit = em(X, weights, means, covs, kind, tol=0, max_iter=5)
    rows = em(rng.permutation(X), weights, means, covs, kind, tol=0, max_iter=5)
    assert_allclose(rows.means, fit.means, rtol=1e-8, atol=1e-10)
    order = [2, 0, 1]
    shuffled = covs if kind.startswith("tied") else covs[order]
    relabelled = em(X, weights[order], means[order], shuffled, kind, tol=0, max_iter=5)
    assert_allclose(relabelled.means, fit.means[order], rtol=1e-8, atol=1e-10)
    assert_allclose(relabelled.log_likelihoods, fit.log_likelihoods, rtol=1e-10)


def test_full_and_tied_fits_follow_any_affine_map(rng):
    A, b = rng.normal(size=(3, 3)) + 2 * np.eye(3), rng.normal(size=3)
    for kind in ("full", "tied"):
        X, (weights, means, covs) = data_and_start(rng, kind, 2, 3)
        plain = em(X, weights, means, covs, kind, tol=0, max_iter=6)
        moved = em(X @ A.T + b, weights, means @ A.T + b, A @ covs @ A.T, kind, tol=0, max_iter=6)
        assert_allclose(moved.means, plain.means @ A.T + b, rtol=1e-7, atol=1e-8)
        assert_allclose(moved.covs, A @ plain.covs @ A.T, rtol=1e-7, atol=1e-8)
        volume = len(X) * np.linalg.slogdet(A)[1]
        assert_allclose(moved.log_likelihoods, plain.log_likelihoods - volume, rtol=1e-9)


@pytest.mark.parametrize("factor", [1e-150, 1e-6, 1e6, 1e150])
def test_a_change_of_unit_does_only_what_algebra_says(rng, kind, factor):
    X, (weights, means, covs) = data_and_start(rng, kind, 2, 2, N=50)
    plain = em(X, weights, means, covs, kind, tol=0, max_iter=6)
    scaled = em(factor * X, weights, factor * means, rescaled(covs, kind, np.full(2, factor)), kind, tol=0, max_iter=6)
    assert_allclose(scaled.means, factor * plain.means, rtol=1e-9)
    assert_allclose(scaled.covs, rescaled(plain.covs, kind, np.full(2, factor)), rtol=1e-9)
    assert_allclose(scaled.log_likelihoods, plain.log_likelihoods - 100 * np.log(factor), rtol=1e-9)


def test_a_shift_of_1e10_moves_only_the_means(rng, kind):
    X, (weights, means, covs) = data_and_start(rng, kind, 2, 2)
    X = np.round(X * 2**16) / 2**16  # 1e10 + X is exact
    means = np.round(means * 2**16) / 2**16
    shift = 10.0**10
    plain, far = (em(X + s, weights, means + s, covs, kind, tol=0, max_iter=6) for s in (0.0, shift))
    assert_allclose(far.means - shift, plain.means, atol=4e-6)
    assert_allclose(far.covs, plain.covs, rtol=1e-5, atol=1e-6)
    assert_allclose(far.log_likelihoods, plain.log_likelihoods, rtol=1e-6)


def test_a_component_without_points_keeps_its_place_with_weight_zero(rng):
    X = rng.normal(size=(30, 2))
    fit = em(X, [0.5, 0.5], [[0, 0], [1e6, 1e6]], [np.eye(2)] * 2, tol=0, max_iter=3)
    assert_allclose(fit.weights, [1, 0], atol=1e-12)
    assert_allclose(fit.means[1], [1e6, 1e6])
    assert_allclose(fit.means[0], X.mean(axis=0), atol=1e-10)


def test_a_collapsing_component_is_an_error_that_says_what_to_do(rng):
    X = np.vstack([rng.normal(size=(20, 2)), [[50.0, 50.0]]])
    with pytest.raises(ValueError, match="increase reg_covar"):
        em(X, [0.5, 0.5], [[0, 0], [50, 50]], [np.eye(2)] * 2, tol=0, max_iter=50)
    assert em(X, [0.5, 0.5], [[0, 0], [50, 50]], [np.eye(2)] * 2, reg_covar=1e-6).converged


def test_sampling_follows_the_weights_and_the_components(rng):
    weights, means = np.array([0.25, 0.75]), np.array([[0.0, 0.0], [10.0, 0.0]])
    X, labels = sample_mixture(rng, 40_000, weights, means, [0.5, 2.0], "spherical")
    assert_allclose(np.bincount(labels) / 40_000, weights, atol=0.01)
    for k in range(2):
        assert_allclose(X[labels == k].mean(axis=0), means[k], atol=0.05)
        assert_allclose(X[labels == k].var(axis=0), [0.5, 2.0][k], rtol=0.05)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": [0.5, 0.6]}, "sum to one"),
        ({"weights": [1.5, -0.5]}, "non-negative"),
        ({"means": [[0.0, 0.0]]}, "means must have shape"),
        ({"covs": np.eye(2)}, "full covariances must have shape"),
        ({"covs": np.zeros((2, 2, 2))}, "not positive definite"),
        ({"covariance_type": "round"}, "covariance_type must be one of"),
        ({"X": [[0.0, np.inf]]}, "NaN or infinity"),
    ],
)
def test_bad_parameters_are_named(change, words):
    good = {"X": np.zeros((3, 2)), "weights": [0.5, 0.5], "means": np.zeros((2, 2)), "covs": [np.eye(2)] * 2}
    with pytest.raises(ValueError, match=words):
        e_step(**(good | change))


def test_m_step_names_a_bad_resp():
    with pytest.raises(ValueError, match="resp must have shape"):
        m_step(np.zeros((3, 2)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="component 1 has no points"):
        m_step(np.eye(3), [[1, 0], [1, 0], [1, 0]])


def test_a_fit_stopped_early_warns_and_a_converged_one_does_not(rng):
    X = rng.normal(size=(50, 2))
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        GaussianMixture(2, max_iter=1, tol=0, random_state=0).fit(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_squarem_climbs_to_the_same_top_without_ever_falling(rng, kind):
    X, (weights, means, _) = data_and_start(rng, kind, 3, 2, N=300)
    X = X + rng.normal(size=X.shape) * 2  # overlap makes EM slow
    options = {"covariance_type": kind, "means_init": means, "weights_init": weights, "reg_covar": 0, "random_state": 0}
    slow = GaussianMixture(3, tol=1e-12, max_iter=20_000, **options).fit(X)
    fast = GaussianMixture(3, tol=1e-12, max_iter=20_000, acceleration="squarem", **options).fit(X)
    assert fast.converged_
    assert (np.diff(fast.lower_bounds_) > -1e-12).all()
    assert fast.lower_bound_ >= slow.lower_bound_ - 1e-7


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_squarem_needs_far_fewer_passes_where_em_is_slow():
    passes = {None: 0, "squarem": 0}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X, (weights, means, _) = data_and_start(rng, "diag", 3, 2, N=300)
        X = X + 2 * rng.normal(size=X.shape)
        for acceleration in passes:
            model = GaussianMixture(
                3, covariance_type="diag", means_init=means, weights_init=weights, random_state=0,
                tol=1e-10, max_iter=20_000, acceleration=acceleration,
            ).fit(X)  # fmt: skip
            passes[acceleration] += model.n_iter_ * (4 if acceleration else 1)
    assert passes["squarem"] < passes[None] / 3


def test_two_tight_clusters_a_million_million_sds_apart_are_found_exactly(rng, kind):
    near = np.round(rng.normal(size=(40, 2)) * 2**10) / 2**10
    X = np.vstack([near, near[::-1] + 2.0**40])
    model = GaussianMixture(2, covariance_type=kind, reg_covar=0, random_state=0).fit(X)
    order = np.argsort(model.means_[:, 0])
    mean, cov = fit_gaussian(near)
    assert_allclose(model.means_[order], [mean, mean + 2.0**40], rtol=1e-12)
    full = full_covariances(model.covariances_, kind, 2, 2)
    expected = {"full": cov, "tied": cov, "diag": np.diag(np.diag(cov))}.get(kind, np.trace(cov) / 2 * np.eye(2))
    assert_allclose(full, [expected, expected], rtol=1e-3, atol=1e-4)
