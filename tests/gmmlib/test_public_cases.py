"""Inputs on which users of such software stumbled, small: what is right was computed by other means."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import random_covs, random_mixture
from scipy import stats
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning

from gmmlib import (
    GaussianMixture,
    aic,
    bic,
    e_step,
    fit_gaussian,
    icl,
    log_gaussian,
    log_likelihood,
    mixture_log_density,
    sample_gaussian,
    sample_mixture,
)
from gmmlib.families.gaussian import missing
from gmmlib.families.gaussian.covariance import COVARIANCE_TYPES

kinds = pytest.mark.parametrize("kind", COVARIANCE_TYPES)

# --------------------------------------------------------------------- weights

COUNTED = np.arange(30.0)[:, None]
COUNTS = np.round(
    200 * np.exp(-0.5 * ((COUNTED[:, 0] - 8) / 2) ** 2) + 120 * np.exp(-0.5 * ((COUNTED[:, 0] - 20) / 3) ** 2)
).astype(int)


def test_weighted_criteria_find_the_two_hills_of_a_histogram():
    found = {}
    for K in (1, 2, 3):
        model = GaussianMixture(K, random_state=0).fit(COUNTED, sample_weight=COUNTS)
        found[K] = model.bic(COUNTED, sample_weight=COUNTS)
    assert min(found, key=found.get) == 2
    assert_allclose([found[1], found[2]], [12532, 11330], atol=1)


@pytest.mark.parametrize("criterion", ["aic", "bic", "icl", "score"])
def test_a_weight_of_three_is_the_row_three_times_in_every_criterion(criterion):
    model = GaussianMixture(2, random_state=0).fit(COUNTED, sample_weight=COUNTS)
    ask = getattr(model, criterion)
    rows = np.repeat(COUNTED, COUNTS, axis=0)
    assert_allclose(ask(COUNTED, sample_weight=COUNTS), ask(rows), rtol=1e-10)
    assert abs(ask(COUNTED, sample_weight=COUNTS) / ask(COUNTED) - 1) > 0.01


def test_the_weighted_icl_of_responsibilities_is_that_of_repeated_rows():
    rng = np.random.default_rng(0)
    resp, counts = rng.dirichlet(np.ones(3), size=20), rng.integers(0, 4, size=20)
    assert_allclose(icl(-70.0, 5, resp, counts), icl(-70.0, 5, np.repeat(resp, counts, axis=0)), rtol=1e-12)


def test_a_row_of_no_weight_may_lie_anywhere():
    far = np.array([[0.0, 0.0], [1.0, 1.0], [1e300, 0.0]])
    model = GaussianMixture(1).fit(np.random.default_rng(0).normal(size=(50, 2)))
    parts = model.weights_, model.means_, model.covariances_
    assert_allclose(model.score(far, sample_weight=[1, 1, 0]), model.score(far[:2]))
    assert_allclose(log_likelihood(far, *parts, sample_weight=[2, 2, 0]), 2 * log_likelihood(far[:2], *parts))
    assert_allclose(model.icl(far, sample_weight=[1, 1, 0]), model.icl(far[:2]))


def test_criteria_of_the_estimator_are_the_functions():
    model = GaussianMixture(2, random_state=0).fit(COUNTED, sample_weight=COUNTS)
    total = log_likelihood(COUNTED, model.weights_, model.means_, model.covariances_, sample_weight=COUNTS)
    assert_allclose(model.aic(COUNTED, sample_weight=COUNTS), aic(total, 5))
    assert_allclose(model.bic(COUNTED, sample_weight=COUNTS), bic(total, 5, COUNTS.sum()))


# ------------------------------------------------------------ lost components


def hills(rng, *centres):
    return np.concatenate([rng.normal(size=(100, 2)) + centre for centre in centres])


@kinds
def test_a_component_that_loses_its_points_is_named_and_warm_start_finds_it_others(kind):
    rng = np.random.default_rng(1)
    model = GaussianMixture(2, covariance_type=kind, warm_start=True, random_state=0)
    model.fit(hills(rng, 0, 200))
    lost = int(model.means_[:, 0].argmax())
    with pytest.warns(ConvergenceWarning, match=f"^Component {lost} lost all points"):
        model.fit(hills(rng, 0, 0))
    assert model.weights_[lost] == 0
    X = hills(rng, 0, -300)  # where neither component has ever been
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warm, cold = model.fit(X).score(X), GaussianMixture(2, covariance_type=kind, random_state=0).fit(X).score(X)
    assert_allclose(warm, cold, atol=1e-3)
    assert_allclose(model.weights_, 0.5, atol=1e-6)


def test_several_lost_components_are_all_named():
    X = np.random.default_rng(0).normal(size=(60, 1))
    start = {
        "means_init": [[0.0], [1e4], [-1e4]],
        "precisions_init": np.ones((3, 1, 1)),
        "weights_init": np.ones(3) / 3,
    }
    with pytest.warns(ConvergenceWarning, match="^Components 1, 2 lost all points"):
        GaussianMixture(3, **start).fit(X)


def test_a_warm_start_finds_points_among_rows_with_gaps():
    rng = np.random.default_rng(1)
    model = GaussianMixture(2, warm_start=True, random_state=0, missing="em").fit(hills(rng, 0, 200))
    with pytest.warns(ConvergenceWarning, match="lost all points"):
        model.fit(hills(rng, 0, 0))
    X = hills(rng, 0, -300)
    X[::7, 1] = np.nan
    assert_allclose(model.fit(X).weights_, 0.5, atol=0.01)


# ----------------------------------------------------------- parts of a mixture


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    a = rng.normal(size=300)
    return pd.DataFrame({"a": a, "b": 2 * a + rng.normal(size=300), "c": a**2 + rng.normal(size=300)})


def test_columns_go_by_their_names(table):
    model = GaussianMixture(2, random_state=0).fit(table)
    named, numbered = model.marginal(["c", "a"]), model.marginal([2, 0])
    assert_array_equal(named.covariances_, numbered.covariances_)
    assert list(named.feature_names_in_) == ["c", "a"]
    assert named.score(table[["c", "a"]]) == numbered.score(table[["c", "a"]])
    rest = model.conditional(["b"], [1.0])
    assert_array_equal(rest.means_, model.conditional([1], [1.0]).means_)
    assert list(rest.feature_names_in_) == ["a", "c"]
    with pytest.raises(ValueError, match="given names 'd', but the columns of the fit were"):
        model.conditional(["d"], [1.0])


def test_regression_of_many_rows_is_what_the_conditional_mixture_of_each_expects():
    rng = np.random.default_rng(2)
    weights, means, covs = random_mixture(rng, "full", 3, 4)
    model = GaussianMixture.from_parameters(weights, means, covs)
    values = rng.normal(size=(5, 2))
    mean, cov = model.regress([3, 0], values)
    for i, row in enumerate(values):
        one = model.conditional([3, 0], row)
        drawn = one.weights_ @ one.means_
        second = np.einsum(
            "k,kij->ij", one.weights_, one.covariances_ + np.einsum("ki,kj->kij", one.means_, one.means_)
        )
        assert_allclose(mean[i], drawn)
        assert_allclose(cov[i], second - np.outer(drawn, drawn), atol=1e-12)


def test_regression_on_nothing_is_the_mean_of_the_mixture():
    rng = np.random.default_rng(2)
    weights, means, covs = random_mixture(rng, "full", 3, 2)
    mean, cov = GaussianMixture.from_parameters(weights, means, covs).regress([], np.empty((2, 0)))
    assert_allclose(mean, [weights @ means] * 2)
    assert cov.shape == (2, 2, 2)


@kinds
def test_densities_of_components_weigh_up_to_that_of_the_mixture(kind):
    rng = np.random.default_rng(3)
    weights, means = rng.dirichlet(np.ones(3)), rng.normal(size=(3, 2))
    covs = random_covs(rng, kind, 3, 2)
    model = GaussianMixture.from_parameters(weights, means, covs, kind)
    X = rng.normal(size=(7, 2))
    each = model.component_log_densities(X)
    assert each.shape == (7, 3)
    assert_allclose(logsumexp(each, axis=1, b=weights), model.score_samples(X))


def test_points_can_be_drawn_from_one_component():
    model = GaussianMixture.from_parameters([0.5, 0.5], [[0.0], [100.0]], np.ones((2, 1, 1)), random_state=0)
    X, labels = model.sample(500, component=1)
    assert (labels == 1).all()
    assert stats.kstest(X[:, 0], stats.norm(100, 1).cdf).pvalue > 1e-3
    assert_array_equal(model.sample(3, component=-1)[1], [1, 1, 1])


@kinds
def test_components_in_order_are_the_same_mixture(kind, table):
    model = GaussianMixture(3, covariance_type=kind, random_state=0).fit(table)
    other = GaussianMixture(3, covariance_type=kind, random_state=0).fit(table)
    for name in ("weights_", "means_", *([] if kind.startswith("tied") else ["covariances_"])):
        setattr(other, name, getattr(other, name)[[2, 0, 1]])
    first, second = model.in_order(), other.in_order()
    assert (np.diff(first.means_[:, 0]) >= 0).all()
    for name in ("weights_", "means_", "covariances_", "precisions_"):
        assert_array_equal(getattr(first, name), getattr(second, name))
    assert_allclose(first.score_samples(table), model.score_samples(table))


def test_a_mixture_of_nameless_columns_is_put_in_order_by_its_means():
    model = GaussianMixture.from_parameters([0.2, 0.3, 0.5], [[5.0, 0], [1, 9], [1, 2]], [np.eye(2)] * 3).in_order()
    assert_array_equal(model.means_, [[1, 2], [1, 9], [5, 0]])
    assert_array_equal(model.weights_, [0.5, 0.3, 0.2])


# ------------------------------------------------------------- numbers and kinds


def test_a_seed_serves_as_a_generator():
    rng = np.random.default_rng(7)
    assert_array_equal(sample_gaussian(7, 5, [0.0, 0.0], np.eye(2)), sample_gaussian(rng, 5, [0.0, 0.0], np.eye(2)))
    parts = [1.0], [[0.0, 0.0]], [np.eye(2)]
    for a, b in zip(sample_mixture(7, 5, *parts), sample_mixture(np.random.default_rng(7), 5, *parts), strict=True):
        assert_array_equal(a, b)


def test_nullable_columns_count_as_the_numbers_they_hold():
    table = pd.DataFrame({"a": pd.array([1, 2, 4], dtype="Int64"), "b": pd.array([0.5, 2.0, 3.0], dtype="Float64")})
    # the two lie in memory column by column and row by row, which may add up in another order
    assert_allclose(fit_gaussian(table)[0], fit_gaussian(table.to_numpy(float))[0], rtol=1e-15)


def test_a_gap_of_pandas_is_a_gap():
    a = pd.array([1, 2, None, 5, 3, 4], dtype="Int64")
    table = pd.DataFrame({"a": a, "b": [1.0, 2, 3, 4, 4, 6]})
    plain = table.to_numpy(float, na_value=np.nan)
    found = [GaussianMixture(1, missing="em").fit(X).means_ for X in (table, plain)]
    assert_array_equal(*found)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_lower_bound_is_the_score_of_the_training_data(dtype):
    X = (np.random.default_rng(0).normal(size=(500, 2)) + 5.2e6).astype(dtype)
    model = GaussianMixture(2, random_state=0).fit(X)
    exact = GaussianMixture(2, random_state=0).fit(X.astype(float))  # no attribute is rounded
    assert_allclose(model.lower_bound_, exact.score(X.astype(float)), rtol=1e-10)


@pytest.mark.parametrize("gap", [False, True])
@kinds
def test_far_away_a_mixture_of_one_has_the_density_of_the_gaussian(kind, gap):
    cov = random_covs(np.random.default_rng(0), kind, 1, 2)
    model = GaussianMixture.from_parameters([1.0], [[0.0, 0.0]], cov, kind, missing="em")
    full = model.marginal([0, 1]).covariances_[0]
    for size in (1e60, 1e139, 1e141, 1e150, 1e153, 1e200):
        x = np.array([[size, np.nan if gap else -size]])
        expected = log_gaussian(x[:, :1], [0.0], full[:1, :1]) if gap else log_gaussian(x, [0.0, 0.0], full)
        assert_allclose(model.score_samples(x), expected, rtol=1e-9)
        if not gap:
            assert_allclose(mixture_log_density(x, [1.0], [[0.0, 0.0]], cov, kind), expected, rtol=1e-9)


def test_far_away_a_component_without_weight_counts_for_nothing():
    x, I = [[1e150, 0.0]], np.eye(2)
    assert_allclose(e_step(x, [1.0, 0.0], np.zeros((2, 2)), [I, 100 * I]).log_density, log_gaussian(x, [0.0, 0.0], I))


# ------------------------------------------------------------------ scattered gaps


@pytest.mark.parametrize("kind", ["full", "tied", "diag"])
def test_scattered_gaps_are_looked_at_many_patterns_at_a_time(kind, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 20)) @ rng.normal(size=(20, 20))
    gaps = rng.random(X.shape) < 0.15
    patterns = len(np.unique(gaps, axis=0))
    looks = []
    look = missing.look
    monkeypatch.setattr(missing, "look", lambda parts, columns: looks.append(len(columns)) or look(parts, columns))
    model = GaussianMixture(2, covariance_type=kind, missing="em", max_iter=1, tol=0, init_params="random_from_data")
    with pytest.warns(ConvergenceWarning):
        model.fit(np.where(gaps, np.nan, X))
    assert patterns > 1000
    assert len(looks) < patterns / 20  # two sweeps
    assert sum(looks) >= 2 * (patterns - 1)  # all of them, twice; a complete row has none
