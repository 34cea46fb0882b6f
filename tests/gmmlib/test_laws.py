"""Laws that hold whatever the data: Hypothesis looks for a mixture that breaks one."""

import os
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import data_and_start, swept_e_step
from scipy import integrate
from scipy.special import softmax

import gmmlib.clustering.lloyd
import gmmlib.families.gaussian.em
import gmmlib.families.gaussian.forms
import gmmlib.numerics
from gmmlib import (
    GaussianMixture,
    KMeans,
    aic,
    assign,
    bic,
    e_step,
    em,
    fit_gaussian,
    icl,
    kmeans_plusplus,
    lloyd,
    log_gaussian,
    log_likelihood,
    m_step,
    mixture_log_density,
    n_parameters,
    sample_mixture,
    update_centers,
)
from gmmlib.families.gaussian.covariance import COVARIANCE_TYPES, covariance_shape, full_covariances, rescaled

EXAMPLES = 150 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 25
# The bug zoo wants to know whether a law breaks, not the smallest example of it.
PHASES = (Phase.generate,) if "BUG_ZOO" in os.environ else tuple(Phase)
law = settings(derandomize=True, deadline=None, max_examples=EXAMPLES, database=None, phases=PHASES)


class Problem(NamedTuple):
    """Data in K loose clusters, a start, and a generator for whatever else a law needs."""

    kind: str
    X: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray
    rng: np.random.Generator

    @property
    def start(self):
        return self.weights, self.means, self.covs

    def em(self, n_iter=4, **kwargs):
        return em(self.X, *self.start, self.kind, tol=0, max_iter=n_iter, **kwargs)


FEW, MANY = st.integers(1, 4), st.integers(90, 130)


@st.composite
def problems(draw, kinds=COVARIANCE_TYPES, D=FEW, N=MANY):
    kind, D, K, N = draw(st.sampled_from(kinds)), draw(D), draw(st.integers(1, 3)), draw(N)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    X, (weights, means, covs) = data_and_start(rng, kind, K, D, N)
    return Problem(kind, X, weights, means, covs, rng)


def random_resp(p):
    return p.rng.dirichlet(np.ones(len(p.weights)), size=len(p.X))


# ------------------------------------------------------------------ the E-step


@law
@given(problems(), st.floats(-6, 6))
def test_every_row_of_resp_is_a_distribution_however_far_the_point(p, power):
    resp, log_density = e_step(p.X * 10.0**power, *p.start, p.kind)
    assert (resp >= 0).all()
    assert_allclose(resp.sum(axis=1), 1, rtol=1e-12)
    assert np.isfinite(log_density).all()


@law
@given(problems())
def test_a_mixture_is_at_least_its_largest_part_and_at_most_k_times_that(p):
    full = full_covariances(p.covs, p.kind, *p.means.shape)
    joint = [np.log(w) + log_gaussian(p.X, m, c) for w, m, c in zip(p.weights, p.means, full, strict=True)]
    density, largest = mixture_log_density(p.X, *p.start, p.kind), np.max(joint, axis=0)
    slack = 1e-9 * (1 + np.abs(density))
    assert (density >= largest - slack).all()
    assert (density <= largest + np.log(len(p.weights)) + slack).all()


@law
@given(problems(D=st.just(1)))
def test_the_density_of_a_mixture_integrates_to_one(p):
    inside = lambda x: np.exp(mixture_log_density([[x]], *p.start, p.kind)[0])  # noqa: E731
    total, _ = integrate.quad(inside, -60, 60, points=np.sort(p.means.ravel()), limit=300)
    assert_allclose(total, 1, rtol=1e-7)


@law
@given(problems(D=st.just(2)))
def test_integrating_a_coordinate_out_leaves_the_marginal(p):
    joint = GaussianMixture.from_parameters(*p.start, p.kind)
    inside = lambda y: np.exp(joint.score_samples([[p.X[0, 0], y]])[0])  # noqa: E731
    total, _ = integrate.quad(inside, -60, 60, points=np.sort(p.means[:, 1]), limit=300)
    assert_allclose(np.log(total), joint.marginal([0]).score_samples(p.X[:1, :1])[0], rtol=1e-6, atol=1e-7)


@law
@given(problems(D=st.integers(2, 4)))
def test_conditional_times_marginal_is_the_joint(p):
    joint, D = GaussianMixture.from_parameters(*p.start, p.kind), p.X.shape[1]
    order = p.rng.permutation(D)
    known, x = order[: D // 2], p.X[0]
    rest = np.setdiff1d(np.arange(D), known)
    parts = joint.marginal(known).score_samples(x[None, known]) + joint.conditional(known, x[known]).score_samples(
        x[None, rest]
    )
    assert_allclose(parts, joint.score_samples(x[None]), rtol=1e-9, atol=1e-9)


@law
@given(problems())
def test_no_other_mixture_beats_the_true_one_on_its_own_sample(p):
    """Gibbs' inequality: the mean of ln p - ln q over a sample from p is a divergence, plus noise."""
    X, labels = sample_mixture(p.rng, 3000, *p.start, p.kind)
    assert X.shape == (3000, p.X.shape[1])
    assert set(labels) <= set(range(len(p.weights)))
    other = p.weights, p.means + 0.3 * p.rng.normal(size=p.means.shape), 1.3 * p.covs
    gain = mixture_log_density(X, *p.start, p.kind) - mixture_log_density(X, *other, p.kind)
    assert gain.mean() > -5 * gain.std() / np.sqrt(len(X))
    assert gain.mean() > 0.005


# ------------------------------------------------------------------ the M-step


@law
@given(problems())
def test_an_m_step_keeps_the_moments_its_structure_can_hold(p):
    weights, means, covs = m_step(p.X, random_resp(p), p.kind)
    mean, total = fit_gaussian(p.X)
    assert_allclose(weights @ means, mean, atol=1e-11)
    between = means - mean
    mixed = np.tensordot(weights, full_covariances(covs, p.kind, *means.shape), 1) + (weights * between.T) @ between
    if p.kind in ("full", "tied"):
        assert_allclose(mixed, total, rtol=1e-9, atol=1e-10)
    elif p.kind == "diag":
        assert_allclose(np.diag(mixed), np.diag(total), rtol=1e-9)
    assert_allclose(np.trace(mixed), np.trace(total), rtol=1e-9)


@law
@given(problems())
def test_a_freer_structure_never_explains_the_expected_data_worse(p):
    """The M-step's optimum over a larger set is no lower: full >= diag >= spherical >= tied_spherical."""
    resp = random_resp(p)

    def expected(kind):
        weights, means, covs = m_step(p.X, resp, kind)
        full = full_covariances(covs, kind, *means.shape)
        terms = [np.log(w) + log_gaussian(p.X, m, c) for w, m, c in zip(weights, means, full, strict=True)]
        return (resp * np.array(terms).T).sum()

    slack = 1e-8 * len(p.X)
    full, tied, diag, spherical, least = (expected(kind) for kind in COVARIANCE_TYPES)
    assert full >= diag - slack
    assert diag >= spherical - slack
    assert spherical >= least - slack
    assert full >= tied - slack
    assert tied >= least - slack


@law
@given(problems())
def test_one_component_is_one_gaussian(p):
    weights, means, covs = m_step(p.X, np.ones((len(p.X), 1)), p.kind)
    mean, cov = fit_gaussian(p.X)
    expected = {"full": cov[None], "tied": cov, "diag": np.diag(cov)[None], "tied_spherical": np.trace(cov) / len(cov)}
    assert_allclose(weights, [1])
    assert_allclose(means[0], mean, atol=1e-12)
    assert_allclose(covs, expected.get(p.kind, [np.trace(cov) / len(cov)]), rtol=1e-10, atol=1e-11)


@law
@given(problems(), st.integers(1, 5), st.floats(-150, 150))
def test_a_weight_counts_copies_and_only_ratios_matter(p, most, power):
    counts = p.rng.integers(0, most + 1, size=len(p.X)) + (np.arange(len(p.X)) < 40)
    copies = m_step(np.repeat(p.X, counts, axis=0), np.repeat(random := random_resp(p), counts, axis=0), p.kind)
    weighted = m_step(p.X, random, p.kind, sample_weight=counts * 10.0**power)
    for got, expected in zip(weighted, copies, strict=True):
        assert_allclose(got, expected, rtol=1e-8, atol=1e-10)
    with_weights = log_likelihood(p.X, *p.start, p.kind, sample_weight=counts)
    assert_allclose(with_weights, log_likelihood(np.repeat(p.X, counts, axis=0), *p.start, p.kind), rtol=1e-10)


@law
@given(problems())
def test_reg_covar_widens_every_direction_by_itself_once(p):
    resp = random_resp(p)
    plain, more = m_step(p.X, resp, p.kind), m_step(p.X, resp, p.kind, reg_covar=0.7)
    full = [full_covariances(fit.covs, p.kind, *p.means.shape) for fit in (plain, more)]
    assert_allclose(np.linalg.eigvalsh(full[1]), np.linalg.eigvalsh(full[0]) + 0.7, rtol=1e-9)
    assert_allclose(more.means, plain.means, rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------------- the loop


@law
@given(problems(), st.booleans())
def test_the_log_likelihood_never_falls(p, weighted):
    weight = p.rng.uniform(0.1, 3, size=len(p.X)) if weighted else None
    trace = p.em(8, sample_weight=weight).log_likelihoods
    assert (np.diff(trace) >= -1e-10 * np.abs(trace[:-1])).all()
    assert trace[-1] >= trace[0]


@law
@given(problems(kinds=("full", "tied")))
def test_full_and_tied_fits_follow_any_affine_map(p):
    D = p.X.shape[1]
    A, b = p.rng.normal(size=(D, D)) + 3 * np.eye(D), 10 * p.rng.normal(size=D)
    moved = em(p.X @ A.T + b, p.weights, p.means @ A.T + b, A @ p.covs @ A.T, p.kind, tol=0, max_iter=4)
    plain = p.em()
    assert_allclose(moved.weights, plain.weights, rtol=1e-6, atol=1e-8)
    assert_allclose(moved.means, plain.means @ A.T + b, rtol=1e-6, atol=1e-6)
    assert_allclose(moved.covs, A @ plain.covs @ A.T, rtol=1e-6, atol=1e-6)


@law
@given(problems(kinds=("full", "tied", "diag")), st.lists(st.floats(-8, 8), min_size=4, max_size=4))
def test_each_column_may_have_a_unit_of_its_own(p, powers):
    unit = 10.0 ** np.array(powers[: p.X.shape[1]])
    scaled = em(p.X * unit, p.weights, p.means * unit, rescaled(p.covs, p.kind, unit), p.kind, tol=0, max_iter=4)
    plain = p.em()
    assert_allclose(scaled.means, plain.means * unit, rtol=1e-7, atol=1e-9 * unit.min())
    assert_allclose(scaled.covs, rescaled(plain.covs, p.kind, unit), rtol=1e-7, atol=1e-9 * unit.min() ** 2)
    assert_allclose(scaled.log_likelihoods, plain.log_likelihoods - len(p.X) * np.log(unit).sum(), rtol=1e-8, atol=1e-6)


@law
@given(problems(kinds=("spherical", "tied_spherical")), st.floats(-100, 100))
def test_spherical_fits_follow_rotation_and_a_common_unit(p, power):
    Q, unit = np.linalg.qr(p.rng.normal(size=(p.X.shape[1],) * 2))[0], 10.0**power
    turned = em(unit * p.X @ Q, p.weights, unit * p.means @ Q, unit**2 * p.covs, p.kind, tol=0, max_iter=4)
    plain = p.em()
    assert_allclose(turned.means / unit, plain.means @ Q, rtol=1e-7, atol=1e-9)
    assert_allclose(turned.covs / unit**2, plain.covs, rtol=1e-8)


@law
@given(problems())
def test_the_order_of_rows_and_the_names_of_components_mean_nothing(p):
    rows, order = p.rng.permutation(len(p.X)), p.rng.permutation(len(p.weights))
    covs = p.covs if p.kind.startswith("tied") else p.covs[order]
    plain = p.em()
    other = em(p.X[rows], p.weights[order], p.means[order], covs, p.kind, tol=0, max_iter=4)
    assert_allclose(other.weights, plain.weights[order], rtol=1e-7)
    assert_allclose(other.means, plain.means[order], rtol=1e-7, atol=1e-9)
    assert_allclose(other.log_likelihoods, plain.log_likelihoods, rtol=1e-10)


@law
@given(problems(), st.integers(2, 4))
def test_the_same_data_twice_give_the_same_fit_and_twice_the_log_likelihood(p, times):
    twice, once = em(np.tile(p.X, (times, 1)), *p.start, p.kind, tol=0, max_iter=4), p.em()
    assert_allclose(twice.means, once.means, rtol=1e-8, atol=1e-10)
    assert_allclose(twice.covs, once.covs, rtol=1e-8, atol=1e-10)
    assert_allclose(twice.log_likelihoods, times * once.log_likelihoods, rtol=1e-10)


@law
@given(problems())
def test_a_fit_with_one_component_split_in_halves_is_the_same_fit_and_can_only_improve(p):
    fit = p.em(60)
    halves = np.append(fit.weights, fit.weights[-1] / 3)
    halves[-2] *= 2 / 3
    means = np.vstack([fit.means, fit.means[-1:]])
    covs = fit.covs if p.kind.startswith("tied") else np.concatenate([fit.covs, fit.covs[-1:]])
    grown = em(p.X, halves, means, covs, p.kind, tol=0, max_iter=5)
    assert_allclose(grown.log_likelihoods[0], fit.log_likelihoods[-1], rtol=1e-11)
    assert grown.log_likelihoods[-1] >= fit.log_likelihoods[-1] - 1e-9 * abs(fit.log_likelihoods[-1])


@law
@given(problems())
def test_where_em_has_stopped_another_iteration_moves_nothing(p):
    fit = em(p.X, *p.start, p.kind, tol=1e-14, max_iter=3000, reg_covar=0.01)
    again = m_step(p.X, e_step(p.X, *fit[:3], p.kind).resp, p.kind, reg_covar=0.01)
    assert_allclose(again.weights, fit.weights, atol=1e-4)
    assert_allclose(again.means, fit.means, atol=1e-3)


@law
@given(problems())
def test_lower_bound_is_the_mean_log_density_of_the_fit_returned(p):
    weight = p.rng.integers(1, 4, size=len(p.X))
    model = GaussianMixture(2, covariance_type=p.kind, random_state=0, tol=1e-2).fit(p.X, sample_weight=weight)
    expected = np.average(model.score_samples(p.X), weights=weight)
    assert_allclose([model.lower_bound_, model.lower_bounds_[-1]], expected, rtol=1e-9)
    assert_allclose(model.score(p.X, sample_weight=weight), expected, rtol=1e-12)
    assert_allclose(model.score(p.X), model.score_samples(p.X).mean(), rtol=1e-12)
    assert len(model.lower_bounds_) == model.n_iter_


@law
@given(problems())
def test_a_given_start_and_no_iteration_is_that_start(p):
    precisions = np.linalg.inv(p.covs) if p.kind in ("full", "tied") else 1 / p.covs
    start = {"weights_init": p.weights, "means_init": p.means, "precisions_init": precisions}
    model = GaussianMixture(len(p.weights), covariance_type=p.kind, max_iter=0, **start).fit(p.X)
    for got, expected in ((model.weights_, p.weights), (model.means_, p.means), (model.covariances_, p.covs)):
        assert_allclose(got, expected, rtol=1e-9, atol=1e-11)
    assert_allclose(model.score_samples(p.X), mixture_log_density(p.X, *p.start, p.kind), rtol=1e-9, atol=1e-9)


# ------------------------------------------------------------- how it is computed


@law
@given(problems(N=st.integers(650, 900)), st.booleans())
def test_the_size_of_a_block_is_nobodys_business(p, weighted):
    weight = p.rng.uniform(0.1, 3, size=len(p.X)) if weighted else None
    centers = p.X[: len(p.weights)]
    fits, counts = [], []
    for size, held, group in ((10**9, 10**9, 10**9), (1, 0, 101), (1, 10**9, 103)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gmmlib.numerics, "BLOCK", size)
            patch.setattr(gmmlib.families.gaussian.em, "HELD", held)
            patch.setattr(gmmlib.clustering.lloyd, "GROUP", group)
            counts.append(len(gmmlib.numerics.blocks(*p.X.shape)))
            run = lloyd(p.X, centers, sample_weight=weight)
            resp = e_step(p.X, *p.start, p.kind).resp
            fits.append([*p.em(sample_weight=weight)[:4], resp, run.centers, run.inertias])
    assert counts[0] == 1 < counts[1]
    for one, many, many_held in zip(*fits, strict=True):
        assert_allclose(many, one, rtol=1e-9, atol=1e-10)
        assert_allclose(many_held, one, rtol=1e-9, atol=1e-10)


@law
@given(problems())
def test_natural_and_residual_form_give_the_same_answers(p):
    fits = []
    for limit in (0.0, np.inf):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gmmlib.families.gaussian.forms, "CANCELLATION_LIMIT", limit)
            resp, log_density = swept_e_step(p.X, *p.start, p.kind)
            fits.append([*p.em()[:4], resp, log_density, *m_step(p.X, resp, p.kind)])
    for residual, natural in zip(*fits, strict=True):
        assert_allclose(natural, residual, rtol=1e-8, atol=1e-10)


@law
@given(problems())
def test_responsibilities_that_are_lost_in_rounding_can_be_left_out(p):
    X = p.X + 1e4 * np.arange(4)[p.rng.integers(4, size=len(p.X))][:, None]  # four groups, far apart
    means = X[[np.argmin(np.abs(X[:, 0] - 1e4 * k)) for k in range(4)]]
    start = np.full(4, 0.25), means, np.ones(covariance_shape(p.kind, 4, X.shape[1]))
    if p.kind in ("full", "tied"):
        start = *start[:2], start[2] * np.eye(X.shape[1])
    fits = []
    for lost in (-1.0, gmmlib.families.gaussian.forms.LOST):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gmmlib.families.gaussian.forms, "CANCELLATION_LIMIT", 0.0)
            patch.setattr(gmmlib.families.gaussian.forms, "LOST", lost)
            fits.append(em(X, *start, p.kind, max_iter=5, reg_covar=1e-3)[:4])
    assert (e_step(X, *start, p.kind).resp < gmmlib.families.gaussian.forms.LOST).mean() > 0.5
    for everything, what_counts in zip(*fits, strict=True):
        assert_allclose(what_counts, everything, rtol=1e-12, atol=1e-12)


# ------------------------------------------------------------------- model choice


@law
@given(problems())
def test_icl_lies_between_bic_and_bic_plus_the_largest_entropy(p):
    resp, log_density = e_step(p.X, *p.start, p.kind)
    N, K = resp.shape
    n_params = n_parameters(K, p.X.shape[1], p.kind)
    low, high = bic(log_density.sum(), n_params, N), icl(log_density.sum(), n_params, resp)
    assert low <= high <= low + 2 * N * np.log(K) + 1e-9
    assert_allclose(icl(log_density.sum(), n_params, np.eye(K)[resp.argmax(axis=1)]), low, rtol=1e-12)
    assert aic(log_density.sum(), n_params + 1) > aic(log_density.sum(), n_params) > -2 * log_density.sum()
    assert low > aic(log_density.sum(), n_params)  # ln N > 2


@law
@given(st.sampled_from(COVARIANCE_TYPES), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32))
def test_the_number_of_parameters_is_the_dimension_of_the_space_they_fill(kind, K, D, seed):
    """The rank of the derivative of (weights, means, covariances) by redundant coordinates."""
    rng = np.random.default_rng(seed)
    n_roots = {"full": K * D * D, "tied": D * D, "diag": K * D, "spherical": K, "tied_spherical": 1}[kind]

    def mixture(theta):
        logits, means, roots = np.split(theta, [K, K + K * D])
        if kind in ("full", "tied"):
            roots = roots.reshape(-1, D, D)
            covs = roots @ np.swapaxes(roots, 1, 2)
        else:
            covs = roots**2
        return np.concatenate([softmax(logits), means, covs.ravel()])

    theta = rng.normal(size=K + K * D + n_roots)
    step = 1e-5
    moves = [mixture(theta + step * e) - mixture(theta - step * e) for e in np.eye(len(theta))]
    singular = np.linalg.svd(np.array(moves) / (2 * step), compute_uv=False)
    assert (singular > 1e-8).sum() == n_parameters(K, D, kind)


# ----------------------------------------------------------------------- k-means


@law
@given(problems(), st.booleans())
def test_lloyd_descends_to_nearest_labels_and_weighted_means(p, weighted):
    weight = p.rng.uniform(0, 3, size=len(p.X)) if weighted else None
    run = lloyd(p.X, p.means, sample_weight=weight)
    assert (np.diff(run.inertias) <= 1e-10 * run.inertias[0]).all()
    distance = ((p.X[:, None] - run.centers) ** 2).sum(axis=2)
    assert_array_equal(run.labels, distance.argmin(axis=1))
    assert_allclose(
        run.inertia,
        np.average(distance.min(axis=1), weights=weight) * (len(p.X) if weight is None else weight.sum()),
        rtol=1e-10,
    )
    for k in np.unique(run.labels):
        mine = run.labels == k
        mean = np.average(p.X[mine], axis=0, weights=None if weight is None else weight[mine])
        assert_allclose(run.centers[k], mean, rtol=1e-10, atol=1e-12)


@law
@given(problems(), st.floats(-100, 100), st.floats(-6, 6))
def test_k_means_follows_shift_rotation_and_unit(p, power, shift):
    Q, unit = np.linalg.qr(p.rng.normal(size=(p.X.shape[1],) * 2))[0], 10.0**power
    plain, moved = lloyd(p.X, p.means), lloyd(unit * (p.X @ Q + shift), unit * (p.means @ Q + shift))
    assert_array_equal(moved.labels, plain.labels)
    assert_allclose(moved.centers / unit, plain.centers @ Q + shift, rtol=1e-9, atol=1e-9)
    assert_allclose(moved.inertia / unit / unit, plain.inertia, rtol=1e-9)


@law
@given(problems())
def test_k_means_plusplus_picks_different_rows_that_count(p):
    weight = (p.rng.random(len(p.X)) < 0.3).astype(float)
    weight[:9] = 1.0
    centers = kmeans_plusplus(np.round(p.X), 5, p.rng, weight)
    allowed = np.unique(np.round(p.X)[weight > 0], axis=0)
    assert all((allowed == c).all(axis=1).any() for c in centers)
    assert len(np.unique(centers, axis=0)) == min(5, len(allowed))


@law
@given(problems(kinds=("tied_spherical",)))
def test_k_means_is_the_limit_of_a_shared_vanishing_variance(p):
    K = len(p.means)
    labels = assign(p.X, p.means).labels
    for weights in (np.full(K, 1 / K), p.weights):  # in the limit weights no longer count
        resp = e_step(p.X, weights, p.means, 1e-12, "tied_spherical").resp
        assert_allclose(resp, np.eye(K)[labels], atol=1e-12)
    if len(np.unique(labels)) == K:
        centers = update_centers(p.X, labels, p.means)
        assert_allclose(m_step(p.X, resp, "tied_spherical").means, centers, rtol=1e-9, atol=1e-10)


@law
@given(problems(kinds=("full", "diag")), st.booleans())
def test_the_best_of_many_starts_is_no_worse_than_any_fewer(p, hard):
    seed = int(p.rng.integers(1000))
    few, many = (
        KMeans(4, init="random", n_init=n, random_state=seed).fit(p.X)
        if hard
        else GaussianMixture(
            3, covariance_type=p.kind, init_params="random_from_data", n_init=n, random_state=seed, tol=1e-2
        ).fit(p.X)
        for n in (1, 4)
    )
    assert many.score(p.X) >= few.score(p.X) - 1e-9 * abs(few.score(p.X))
