"""Missing values: judged by scipy's marginals, integrals, gradients and a closed form from 1957."""

import os
import pickle
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import data_and_start, random_mixture
from scipy import integrate, stats
from scipy.special import logsumexp, softmax
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import estimator_checks_generator

import gmmlib.numerics
from gmmlib import GaussianMixture, conditional
from gmmlib.engine.acceleration import squarem
from gmmlib.engine.run import run_em
from gmmlib.families.gaussian import missing
from gmmlib.families.gaussian.covariance import COVARIANCE_TYPES, full_covariances
from gmmlib.families.gaussian.em import em_map, make_points
from gmmlib.families.gaussian.parameters import enter

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
EXAMPLES = 150 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 25
PHASES = (Phase.generate,) if "BUG_ZOO" in os.environ else tuple(Phase)
law = settings(derandomize=True, deadline=None, max_examples=EXAMPLES, database=None, phases=PHASES)


def with_gaps(rng, X, share=0.25):
    """A copy of `X` with gaps at random, no column left empty."""
    gaps = rng.random(X.shape) < share
    gaps[:3] = False
    return np.where(gaps, np.nan, X)


def data_with_gaps(rng, kind, K, D, N=200, share=0.25):
    X, start = data_and_start(rng, kind, K, D, N)
    return with_gaps(rng, X, share), start


def log_joint_by_scipy(X, weights, means, covs, kind):
    """ln weight + ln density of what each row shows, (N, K), one row and component at a time."""
    full = full_covariances(covs, kind, *means.shape)
    out = np.tile(np.log(weights), (len(X), 1))
    for n, x in enumerate(X):
        seen = ~np.isnan(x)
        if seen.any():
            for k, cov in enumerate(full):
                out[n, k] += stats.multivariate_normal(means[k][seen], cov[np.ix_(seen, seen)]).logpdf(x[seen])
    return out


def model_of(weights, means, covs, kind):
    return GaussianMixture.from_parameters(weights, means, covs, kind, missing="em")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("row", [0, 50_000, 119_999])
def test_a_gap_is_found_in_any_block_and_infinity_is_none(row):
    X = np.zeros((120_000, 2))
    X[row - 1], X[(row + 1) % 120_000] = np.inf, -np.inf
    assert not missing.has_gaps(X)
    X[row, 1] = np.nan
    assert missing.has_gaps(X)
    assert not missing.has_gaps(np.full((3, 2), 1.7e308))


@pytest.mark.parametrize("weighted", [False, True])
def test_the_frame_of_what_is_there_is_that_of_all_blocks(rng, weighted):
    X = rng.normal(size=(120_000, 2)) + np.array([50.0, -7.0])
    X[:70_000] += 3  # blocks differ
    X[rng.uniform(size=X.shape) < 0.3] = np.nan
    share = rng.dirichlet(np.ones(len(X))) if weighted else None
    frame = missing.make_points(X, "full", share).frame
    weight = np.where(np.isnan(X), 0, (np.ones(len(X)) if share is None else share)[:, None])
    means = (weight * np.nan_to_num(X)).sum(axis=0) / weight.sum(axis=0)
    assert_allclose(frame.origin, means, rtol=1e-10)
    reach = np.nanmax(np.abs(X - means), axis=0)
    assert (reach <= frame.scale).all()
    assert (frame.scale < 2 * reach).all()


def ascend(X, start, kind, max_iter, reg=0.0, share=None, accelerate=False, tol=0.0):
    """EM on rows with gaps from a start in x's units: (Components, trace)."""
    points = missing.make_points(X, kind, share)
    iterate = missing.em_map(points, reg / points.frame.scale**2)
    parts = enter(points.frame, kind, *start)
    return run_em(squarem(iterate) if accelerate else iterate, parts, tol, max_iter)[:2]


# ------------------------------------------------------------------ the E-step


@pytest.mark.parametrize("D", [1, 2, 4])
def test_the_density_of_a_row_is_that_of_what_it_shows_by_scipy(rng, kind, D):
    X, start = with_gaps(rng, 3 * rng.normal(size=(60, D)), 0.5), random_mixture(rng, kind, 3, D)
    model, joint = model_of(*start, kind), log_joint_by_scipy(X, *start, kind)
    assert_allclose(model.score_samples(X), logsumexp(joint, axis=1), rtol=1e-10, atol=1e-12)
    assert_allclose(model.predict_proba(X), softmax(joint, axis=1), rtol=1e-9, atol=1e-14)
    assert_array_equal(model.predict(X), joint.argmax(axis=1))
    assert_allclose(model.score(X), logsumexp(joint, axis=1).mean(), rtol=1e-10)


def test_a_missing_coordinate_is_integrated_out(rng, kind):
    model = model_of(*random_mixture(rng, kind, 3, 2), kind)
    for x in 2 * rng.normal(size=(4, 1)):
        inside = lambda y, x=x: np.exp(model.score_samples([[y, x[0]]])[0])  # noqa: E731
        total, _ = integrate.quad(inside, -60, 60, points=np.sort(model.means_[:, 0]), limit=300)
        assert_allclose(model.score_samples([[np.nan, x[0]]])[0], np.log(total), rtol=1e-7)


def test_a_row_of_gaps_has_density_one_and_the_weights_as_responsibilities(rng, kind):
    model = model_of(*random_mixture(rng, kind, 3, 2), kind)
    nothing = np.full((2, 2), np.nan)
    assert_allclose(model.score_samples(nothing), 0, atol=1e-14)
    assert_allclose(model.predict_proba(nothing), [model.weights_] * 2, rtol=1e-12)
    assert_allclose(model.impute(nothing), [model.weights_ @ model.means_] * 2, rtol=1e-12)


def test_gaps_never_seen_in_training_and_points_of_any_size_get_a_distribution(rng, kind):
    X = rng.normal(size=(60, 3))
    X[::4, 0] = np.nan
    model = GaussianMixture(2, covariance_type=kind, missing="em", random_state=0).fit(X)
    new = np.array([[0, np.nan, np.nan], [np.nan, 1e300, 1], [1e300, np.nan, -1e300], [np.nan, np.nan, -1.7e308]])
    resp = model.predict_proba(new)
    assert (resp >= 0).all()
    assert_allclose(resp.sum(axis=1), 1, rtol=1e-12)
    density = model.score_samples(new)
    assert not np.isnan(density).any()
    assert (density[1:] < -1e100).all()
    if kind in ("full", "tied"):  # the gaps would have to lie about as far out, farther than the arithmetic reaches
        with pytest.raises(ValueError, match="too far from the mixture"):
            model.impute(new)
    else:
        assert np.isfinite(model.impute(new)).all()


def test_what_gaps_hold_must_fit_in_the_precision_of_the_table():
    model = GaussianMixture.from_parameters([1.0], [[0.0, 0.0]], [[[1e-20, 0.9], [0.9, 1e20]]], reg_covar=0)
    with pytest.raises(ValueError, match="more than float32 can"):
        model.impute(np.array([[1e25, np.nan]], dtype=np.float32))
    assert_allclose(model.impute(np.array([[1e25, np.nan]]))[0, 1], 0.9e45)


def test_gaps_are_filled_under_every_covariance_that_was_accepted(rng):
    """A nearly singular matrix may have a Cholesky factor in one order of its columns and not in another."""
    asked = 0
    for _ in range(300):
        X = rng.normal(size=(60, 3))
        X = np.column_stack([X, X @ [1, 2, -1] + 1e-7 * rng.normal(size=60)])[:, rng.permutation(4)]
        try:
            model = GaussianMixture(2, reg_covar=0, random_state=0, max_iter=5, missing="em", tol=1e9).fit(X)
        except ValueError:
            continue
        whole, asked = X.copy(), asked + 1
        X[rng.random(X.shape) < 0.1] = np.nan
        assert np.abs(model.impute(X) - whole).max() < 10
    assert asked > 100


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_leaps_that_leave_the_numbers_are_taken_back_in_silence():
    rng = np.random.default_rng(28)
    rng.choice(["full", "diag", "spherical", "tied"])
    X = rng.normal(size=(30, 2))
    X[rng.random(X.shape) < 0.3] = np.nan
    leaping = {"missing": "em", "acceleration": "squarem", "reg_covar": 0, "tol": 0, "max_iter": 10}
    assert np.isfinite(GaussianMixture(2, covariance_type="spherical", random_state=28, **leaping).fit(X).lower_bound_)


def test_parts_of_a_mixture_that_takes_gaps_take_gaps(rng):
    X = rng.normal(size=(40, 3))
    model = GaussianMixture(2, missing="em", random_state=0).fit(X)
    assert_allclose(model.marginal([0, 1]).score([[np.nan, 1.0]]), model.marginal([1]).score([[1.0]]))
    assert_allclose(
        model.conditional([0], [0.5]).score([[np.nan, 1.0]]),
        model.marginal([0, 2]).conditional([0], [0.5]).score([[1.0]]),
    )


# --------------------------------------------------------------------- one step


@pytest.mark.parametrize("D", [1, 3])
def test_without_gaps_the_path_is_that_of_plain_em(rng, kind, D):
    X, start = data_and_start(rng, kind, 3, D)
    share = rng.dirichlet(np.ones(len(X)))
    for w in (None, share):
        points = make_points(X, kind, w)
        reg = 1e-3 / points.frame.scale**2
        plain, trace, _ = run_em(em_map(points, reg), enter(points.frame, kind, *start), 0, 12)
        parts, ours = ascend(X, start, kind, 12, reg=1e-3, share=w)
        assert_allclose(ours, trace, rtol=1e-10)
        assert_allclose(parts.means, plain.means, rtol=1e-9, atol=1e-10)
        assert_allclose(parts.weights, plain.weights, rtol=1e-9)


def test_a_fit_without_gaps_does_not_depend_on_what_gaps_would_mean(rng, kind):
    X = rng.normal(size=(80, 2))
    one, two = (GaussianMixture(2, covariance_type=kind, missing=m, random_state=0).fit(X) for m in ("error", "em"))
    assert_array_equal(one.lower_bounds_, two.lower_bounds_)
    assert_array_equal(one.predict_proba(X), two.predict_proba(X))


@law
@given(
    st.sampled_from(COVARIANCE_TYPES), st.integers(1, 4), st.integers(1, 3), st.floats(0.02, 0.6),
    st.booleans(), st.booleans(), st.integers(0, 2**32),
)  # fmt: skip
def test_the_log_likelihood_never_falls(kind, D, K, gaps, weighted, accelerate, seed):
    rng = np.random.default_rng(seed)
    X, start = data_with_gaps(rng, kind, K, D, N=120, share=gaps)
    share = rng.dirichlet(np.ones(len(X))) if weighted else None
    _, trace = ascend(X, start, kind, 8, share=share, accelerate=accelerate)
    assert (np.diff(trace) >= -1e-10 * np.abs(trace[:-1])).all()
    assert trace[-1] > trace[0]
    expected = logsumexp(log_joint_by_scipy(X, *start, kind), axis=1)
    assert_allclose(trace[0], np.average(expected, weights=share), rtol=1e-9)


def test_a_second_look_around_the_new_means_changes_nothing(rng, kind, monkeypatch):
    X, start = data_with_gaps(rng, kind, 3, 3)
    runs = []
    for limit in (0.0, np.inf):
        monkeypatch.setattr(gmmlib.families.gaussian.forms, "CANCELLATION_LIMIT", limit)
        runs.append(ascend(X, start, kind, 5))
    assert_allclose(runs[0][1], runs[1][1], rtol=1e-12)
    assert_allclose(runs[0][0].covs, runs[1][0].covs, rtol=1e-9, atol=1e-12)


def test_the_size_of_a_block_is_nobodys_business(rng, kind, monkeypatch):
    X, start = data_with_gaps(rng, kind, 3, 3, N=700)
    runs = []
    for size in (10**9, 1):
        monkeypatch.setattr(gmmlib.numerics, "BLOCK", size)
        model = model_of(*start, kind)
        runs.append((ascend(X, start, kind, 4)[1], model.predict_proba(X), model.impute(X)))
    assert len(gmmlib.numerics.blocks(*X.shape)) > 1
    for one, many in zip(*runs, strict=True):
        assert_allclose(many, one, rtol=1e-10, atol=1e-12)


def test_memory_grows_by_a_few_numbers_a_row_and_not_with_the_table():
    rng = np.random.default_rng(0)
    peaks = []
    for N in (20_000, 120_000):
        X, start = data_with_gaps(rng, "full", 3, 8, N=N)
        points = missing.make_points(X, "full")
        iterate, parts = missing.em_map(points, np.zeros(8)), enter(points.frame, "full", *start)
        tracemalloc.start()
        iterate(parts)[1]()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
    assert peaks[1] < X.nbytes


# ------------------------------------------------------------------ where EM ends


def nearby(step, weights, means, covs, kind):
    """The mixture a step away: weights in logs, means, covariances tilted or scaled."""
    K, D = means.shape
    logits, shift, turn = np.split(step, [K, K + K * D])
    weights = softmax(np.log(weights) + logits)
    if kind in ("full", "tied"):
        tilt = np.eye(D) + turn.reshape(-1, D, D)
        covs = (tilt @ covs @ np.swapaxes(tilt, 1, 2)).reshape(np.shape(covs))
    else:
        covs = covs * np.exp(turn.reshape(np.shape(covs)))
    return weights, means + shift.reshape(K, D), covs


@pytest.mark.parametrize("K", [1, 2])
def test_where_em_ends_no_direction_climbs(rng, kind, K):
    """The likelihood's gradient by scipy and central differences, in every parameter."""
    X, start = data_with_gaps(rng, kind, K, 2, N=80, share=0.3)
    X[5] = np.nan
    fit = GaussianMixture(
        K, covariance_type=kind, missing="em", reg_covar=0, tol=1e-14, max_iter=5000, random_state=0,
        means_init=start[1], acceleration="squarem",
    ).fit(X)  # fmt: skip
    end = fit.weights_, fit.means_, fit.covariances_

    def loglik(step):
        return logsumexp(log_joint_by_scipy(X, *nearby(step, *end, kind), kind), axis=1).mean()

    size = K + 2 * K + np.size(end[2])
    steps = 1e-5 * np.eye(size)
    gradient = np.array([loglik(h) - loglik(-h) for h in steps]) / 2e-5
    assert np.abs(gradient).max() < 2e-5
    # the check can fail: away from the end the slope is steep
    assert abs(loglik(0.1 * np.ones(size)) - loglik(np.zeros(size))) > 1e-3


def test_the_limit_is_andersons_closed_form_when_one_of_two_columns_has_gaps(rng):
    """Anderson (1957): the likelihood factors into a margin and a regression, each with its own rows."""
    x = rng.normal(10, 2, size=150)
    y = 3 + 0.7 * x + rng.normal(size=150)
    seen = x < 11  # whether y is missing depends on what is seen
    b, a = np.polyfit(x[seen], y[seen], 1)
    mean = np.array([x.mean(), a + b * x.mean()])
    var_y = np.mean((y[seen] - a - b * x[seen]) ** 2) + b**2 * x.var()
    cov = np.array([[x.var(), b * x.var()], [b * x.var(), var_y]])
    X = np.c_[x, np.where(seen, y, np.nan)]
    fit = GaussianMixture(1, missing="em", reg_covar=0, tol=1e-15, max_iter=10_000).fit(X)
    assert_allclose(fit.means_[0], mean, rtol=1e-6)
    assert_allclose(fit.covariances_[0], cov, rtol=1e-5)
    assert abs(mean[1] - y[seen].mean()) > 0.3  # and that is not the mean of what is seen


def test_rows_of_gaps_do_not_move_the_end(rng, kind):
    X, start = data_with_gaps(rng, kind, 2, 2)
    padded = np.insert(X, [0, 50, 200], np.nan, axis=0)
    one, two = (ascend(table, start, kind, 3000, accelerate=True, tol=1e-14) for table in (X, padded))
    assert_allclose(two[0].means, one[0].means, rtol=1e-4, atol=1e-4)
    assert_allclose(203 * two[1][-1], 200 * one[1][-1], rtol=1e-9)


def test_a_component_that_never_sees_a_column_starts_with_its_variance(rng, kind):
    group = np.arange(200) % 2
    X = rng.normal(size=(200, 3)) + 9 * group[:, None]
    X[group == 1, 2] = np.nan
    fit = GaussianMixture(2, covariance_type=kind, missing="em", reg_covar=0, random_state=0).fit(X)
    assert len(np.unique(fit.predict(X)[group == 1])) == 1
    full = full_covariances(fit.covariances_, kind, 2, 3)
    assert (full[:, 2, 2] > 0.3).all()


# ---------------------------------------------------------------------- imputing


def test_a_gap_is_filled_by_its_conditional_mean(rng, kind):
    weights, means, covs = random_mixture(rng, kind, 3, 4)
    X = with_gaps(rng, rng.normal(size=(30, 4)), 0.4)
    filled = model_of(weights, means, covs, kind).impute(X)
    resp = softmax(log_joint_by_scipy(X, weights, means, covs, kind), axis=1)
    full = full_covariances(covs, kind, 3, 4)
    for x, whole, r in zip(X, filled, resp, strict=True):
        seen = np.flatnonzero(~np.isnan(x))
        assert_array_equal(whole[seen], x[seen])
        if 0 < len(seen) < 4:
            guesses = [conditional(m, c, seen, x[seen])[0] for m, c in zip(means, full, strict=True)]
            assert_allclose(whole[np.isnan(x)], r @ np.array(guesses), rtol=1e-9, atol=1e-11)


def test_imputing_needs_no_permission(rng):
    X = rng.normal(size=(50, 2))
    model = GaussianMixture(2, random_state=0).fit(X)
    assert_array_equal(model.impute(X), X)
    assert np.isfinite(model.impute([[np.nan, 1.0]])).all()
    with pytest.raises(ValueError, match="infinity"):
        model.impute([[np.inf, np.nan]])


# ---------------------------------------------------------------- laws of the fit


@pytest.mark.parametrize("init", ["kmeans", "k-means++", "random_from_data"])
def test_integer_weights_are_repeated_rows_from_the_start_on(rng, kind, init):
    X, _ = data_with_gaps(rng, kind, 3, 3, N=90)
    counts = rng.integers(0, 4, size=len(X))
    make = lambda: GaussianMixture(3, covariance_type=kind, missing="em", random_state=1, init_params=init, tol=1e-3)  # noqa: E731
    copies = make().fit(np.repeat(X, counts, axis=0))
    for unit in (1.0, 1e-200, 1e200):
        weighted = make().fit(X, sample_weight=counts * unit)
        assert_allclose(weighted.lower_bounds_, copies.lower_bounds_, rtol=1e-8)
        assert_allclose(weighted.means_, copies.means_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("init", ["kmeans", "random"])
@pytest.mark.parametrize(("shift", "unit"), [(1e8, 1.0), (0.0, 1e100), (0.0, 1e-100), (3e100, 1e100)])
def test_a_shift_and_a_unit_do_only_what_algebra_says(rng, kind, init, shift, unit):
    X, _ = data_with_gaps(rng, kind, 2, 3)
    X = np.round(X * 1024) / 1024  # so that shifting rounds little
    make = lambda: GaussianMixture(  # noqa: E731
        2, covariance_type=kind, missing="em", random_state=0, reg_covar=0, max_iter=10, tol=0, init_params=init
    )
    plain, moved = make().fit(X), make().fit(unit * X + shift)
    seen = np.mean((~np.isnan(X)).sum(axis=1))
    tight = 1e-6 if shift else 1e-9
    assert_allclose((moved.means_ - shift) / unit, plain.means_, rtol=tight, atol=tight)
    assert_allclose(moved.covariances_ / unit / unit, plain.covariances_, rtol=tight, atol=tight)
    assert_allclose(moved.lower_bounds_, np.array(plain.lower_bounds_) - seen * np.log(unit), rtol=1e-8)
    assert_allclose((moved.impute(unit * X + shift) - shift) / unit, plain.impute(X), rtol=tight, atol=1e-5)


@pytest.mark.parametrize("kind", ["full", "tied", "diag"])
def test_columns_may_differ_by_16_orders(rng, kind):
    X, _ = data_with_gaps(rng, kind, 2, 3)
    unit = np.array([1e-8, 1.0, 1e8])
    make = lambda: GaussianMixture(  # noqa: E731
        2, covariance_type=kind, missing="em", random_state=0, reg_covar=0, max_iter=10, tol=0, init_params="random"
    )
    plain, scaled = make().fit(X), make().fit(X * unit)
    assert_allclose(scaled.means_ / unit, plain.means_, rtol=1e-7, atol=1e-9)
    volume = np.mean(~np.isnan(X) @ np.log(unit))
    assert_allclose(scaled.lower_bounds_, np.array(plain.lower_bounds_) - volume, rtol=1e-9)
    assert_allclose(scaled.impute(X * unit) / unit, plain.impute(X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("accelerated", [None, "squarem"])
@pytest.mark.parametrize("init", ["kmeans", "k-means++", "random", "random_from_data"])
def test_every_start_climbs_and_the_bound_is_the_score(rng, kind, init, accelerated):
    X, _ = data_with_gaps(rng, kind, 3, 2)
    weight = rng.uniform(0.1, 2, size=len(X))
    model = GaussianMixture(
        3, covariance_type=kind, missing="em", reg_covar=0, init_params=init, tol=1e-6, max_iter=3000, n_init=2,
        acceleration=accelerated, random_state=0, warm_start=True,
    ).fit(X, sample_weight=weight)  # fmt: skip
    assert model.converged_
    assert (np.diff(model.lower_bounds_) > -1e-10).all()
    assert_allclose(model.score(X, sample_weight=weight), model.lower_bound_, rtol=1e-10)
    before, n_iter = model.lower_bound_, model.n_iter_
    model.fit(X, sample_weight=weight)  # warm
    assert model.lower_bound_ >= before - 1e-12
    assert model.n_iter_ <= max(1, n_iter)


# ------------------------------------------------------------- what goes in and out


def test_what_is_wrong_is_named(rng):
    X = rng.normal(size=(40, 3))
    gappy = X.copy()
    gappy[::3, 1] = np.nan
    for call in ("fit", "predict", "predict_proba", "score_samples", "score"):
        with pytest.raises(ValueError, match=r"contains NaN.*missing='em'"):
            getattr(GaussianMixture(2, random_state=0).fit(X), call)(gappy)
    model = GaussianMixture(2, missing="em", random_state=0)
    for value in (np.inf, -np.inf):
        infinite = gappy.copy()
        infinite[1, 2] = value
        with pytest.raises(ValueError, match="infinity"):
            model.fit(infinite)
        with pytest.raises(ValueError, match="infinity"):
            model.fit(gappy).predict(infinite)
    empty = gappy.copy()
    empty[:, 2] = np.nan
    with pytest.raises(ValueError, match="column 2 of X is NaN in every row"):
        model.fit(empty)
    empty[7, 2] = 1.0
    with pytest.raises(ValueError, match="column 2 of X is NaN in every row"):
        model.fit(empty, sample_weight=np.arange(40) != 7)
    with pytest.raises(ValueError, match="missing"):
        GaussianMixture(2, missing="drop").fit(X)
    with pytest.raises(ValueError, match="divide it by a constant"):
        model.fit(gappy * 1e300)


def test_single_precision_stays_and_loses_nothing_between(rng, kind):
    X, _ = data_with_gaps(rng, kind, 2, 3)
    single = X.astype(np.float32)
    ours, real = (
        GaussianMixture(2, covariance_type=kind, missing="em", random_state=0, tol=1e-6).fit(table)
        for table in (single, single.astype(float))
    )
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        assert getattr(ours, name).dtype == np.float32
    for answer in (ours.predict_proba(single), ours.score_samples(single), ours.impute(single)):
        assert answer.dtype == np.float32
    assert_allclose(ours.lower_bound_, real.lower_bound_, rtol=1e-12)
    assert_allclose(ours.means_, real.means_, rtol=1e-6, atol=1e-6)


def test_inputs_come_back_as_they_went_in_and_nothing_is_said(rng, kind):
    X, _ = data_with_gaps(rng, kind, 2, 3)
    weight, before = np.ones(len(X)), X.copy()
    X.setflags(write=False)
    weight.setflags(write=False)
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = GaussianMixture(2, covariance_type=kind, missing="em", random_state=0).fit(X, sample_weight=weight)
        whole = model.impute(X)
        model.predict(X)
    assert_array_equal(X, before)
    assert not np.shares_memory(whole, X)
    assert_array_equal(whole[~np.isnan(X)], X[~np.isnan(X)])


def test_none_and_pandas_na_are_gaps(rng):
    pd = pytest.importorskip("pandas")
    X = with_gaps(rng, rng.normal(size=(60, 2)))
    expected = GaussianMixture(2, missing="em", random_state=0).fit(X).predict(X)
    frame = pd.DataFrame(X, columns=["a", "b"])
    holes = np.where(np.isnan(X), None, X.astype(object))
    for same in (frame, frame.astype("Float64"), holes, X.tolist(), np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2]):
        model = GaussianMixture(2, missing="em", random_state=0).fit(same)
        assert_array_equal(model.predict(same), expected)


def test_clones_and_pickles_keep_gaps_in_mind(rng):
    X = with_gaps(rng, rng.normal(size=(60, 2)))
    model = GaussianMixture(2, missing="em", random_state=0).fit(X)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.impute(X), model.impute(X))
    assert_array_equal(clone(model).fit(X).means_, model.means_)
    assert model.__sklearn_tags__().input_tags.allow_nan
    assert not GaussianMixture().__sklearn_tags__().input_tags.allow_nan


def common_checks():
    checks = estimator_checks_generator(GaussianMixture(missing="em"), legacy=True)
    return [pytest.param(*pair, id=getattr(pair[1], "func", pair[1]).__name__) for pair in checks]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), common_checks())
def test_scikit_learns_common_checks(estimator, check):
    check(estimator)
