"""Input nobody should send: the answer is a valid model or an error that says what to change.

Nothing in between: no NaN, no numpy warning, no crash from somewhere deep below.
"""

import pickle
import re
import subprocess
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date
from multiprocessing import get_context

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import random_covs
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from gmmlib import (
    GaussianMixture,
    KMeans,
    assign,
    conditional,
    e_step,
    em,
    fit_gaussian,
    icl,
    kmeans_plusplus,
    lloyd,
    log_gaussian,
    log_gaussian_1d,
    log_likelihood,
    m_step,
    marginal,
    mixture_log_density,
    plotting,
    sample_gaussian,
    sample_mixture,
    update_centers,
)
from gmmlib.families.gaussian.covariance import COVARIANCE_TYPES, full_covariances


@pytest.fixture(autouse=True)
def _no_numpy_warning():
    """Every warning is an error here, but the two that say a fit is not what was asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2)) + 5 * (np.arange(60) % 2)[:, None]
W, M, C = np.array([0.5, 0.5]), np.array([[0.0, 0.0], [5.0, 5.0]]), np.array([np.eye(2)] * 2)
COVS = {"full": C, "tied": C[0], "diag": np.ones((2, 2)), "spherical": np.ones(2), "tied_spherical": np.float64(1)}


def assert_valid_mixture(model, X):
    full = full_covariances(model.covariances_, model.covariance_type, *model.means_.shape).astype(float)
    for value in (model.weights_, model.means_, full, model.precisions_, model.precisions_cholesky_):
        assert np.isfinite(value).all()
    assert (model.weights_ >= 0).all()
    assert_allclose(model.weights_.sum(), 1, rtol=1e-6)
    assert_array_equal(full, np.swapaxes(full, 1, 2))
    sd = np.sqrt(np.diagonal(full, axis1=1, axis2=2))
    assert (sd > 0).all()
    assert (np.linalg.eigvalsh(full / sd[:, :, None] / sd[:, None, :]) > 0).all()
    assert np.isfinite([model.lower_bound_, *model.lower_bounds_]).all()
    assert_distributions(model.predict_proba(X), 1e-6)
    assert not np.isnan(model.score_samples(X)).any()


def assert_distributions(resp, rtol=1e-12):
    assert (resp >= 0).all()
    assert_allclose(resp.sum(axis=1), 1, rtol=rtol)


def assert_valid_clusters(model, X):
    assert np.isfinite(model.cluster_centers_).all()
    assert np.isfinite([model.inertia_, *model.inertias_]).all()
    assert model.inertia_ >= 0
    assert_array_equal(model.predict(X), model.labels_)


# Every one of these is a table of finite numbers.
TABLES = {
    "duplicates": np.repeat(X[:2], 30, axis=0),
    "one distinct row": np.ones((60, 2)),
    "a constant column": np.c_[X, np.full(60, 0.1)],
    "a zero column": np.c_[X, np.zeros(60)],
    "constant 1e300": np.full((60, 2), 1e300),
    "a column twice": X[:, [0, 0, 1]],
    "more columns than rows": RNG.normal(size=(5, 20)),
    "two rows": X[:2],
    "16 orders between columns": X * [1e-8, 1e8],
    "300 orders between columns": X * [1e-150, 1e150],
    "offset 1e10": X + 1e10,
    "offset 1e15": X + 1e15,
    "offset 1e18": X + 1e18,
    "an outlier at 1e6": np.vstack([X, [[1e6, 0.0]]]),
    "an outlier at 1e12": np.vstack([X, [[1e12, 0.0]]]),
    "an outlier at 1e100": np.vstack([X, [[1e100, 0.0]]]),
    "an outlier at 1e300": np.vstack([X, [[1e300, 0.0]]]),
    "times 1e150": X * 1e150,
    "times 1e160": X * 1e160,
    "times 1e300": X * 1e300,
    "the largest numbers": np.sign(X - 2) * np.finfo(float).max,
    "times 1e-150": X * 1e-150,
    "times 1e-160": X * 1e-160,
    "times 1e-300": X * 1e-300,
    "subnormal": X * 1e-310,
    "the smallest numbers": (X > 2) * 5e-324,
    "zeros and a subnormal column": np.c_[X, 1e-310 * X[:, 0]],
    "tight clusters 1e7 apart": np.vstack([X[::2] * 1e-7, 1 + X[::2] * 1e-7]),
    "tight clusters 1e12 apart": np.vstack([X[::2] * 1e-12, 1 + X[::2] * 1e-12]),
    "int64 extremes": np.array([[2**63 - 1, 0], [0, 2**63 - 1], [1, 2], [3, 4], [-(2**63), 5]]),
    "uint64 extremes": np.array([[2**64 - 1, 0], [0, 1], [1, 2], [3, 2**64 - 1]], dtype=np.uint64),
    "uint8": (X * 20 % 256).astype(np.uint8),
    "int8": np.clip(X * 20, -128, 127).astype(np.int8),
    "booleans": X > 2,
    "float16": X.astype(np.float16),
    "float32 times 1e30": (X * 1e30).astype(np.float32),
    "float32 times 1e-30": (X * 1e-30).astype(np.float32),
    "long double": X.astype(np.longdouble),
    "big-endian": X.astype(">f8"),
    "objects": X.astype(object),
    "strided backwards": X[::-1, ::-1],
}
SAYS_WHAT_TO_DO = "increase reg_covar|divide it by a constant"


@pytest.mark.parametrize("reg_covar", [1e-6, 0.0])
@pytest.mark.parametrize("table", TABLES)
def test_any_finite_table_gives_a_valid_mixture_or_says_what_to_change(table, reg_covar, kind):
    data = TABLES[table]
    model = GaussianMixture(2, covariance_type=kind, reg_covar=reg_covar, random_state=0)
    try:
        model.fit(data)
    except ValueError as err:
        assert re.search(SAYS_WHAT_TO_DO, str(err))  # noqa: PT017
    else:
        assert_valid_mixture(model, data)


@pytest.mark.parametrize(
    "table",
    [
        "duplicates",
        "one distinct row",
        "a constant column",
        "a zero column",
        "a column twice",
        "more columns than rows",
        "two rows",
        "16 orders between columns",
        "300 orders between columns",
        "offset 1e10",
        "offset 1e15",
        "an outlier at 1e6",
        "times 1e150",
        "times 1e-150",
        "times 1e-300",
        "subnormal",
        "zeros and a subnormal column",
        "tight clusters 1e7 apart",
        "uint8",
        "int8",
        "booleans",
        "float16",
        "big-endian",
        "objects",
        "strided backwards",
    ],
)
def test_what_can_be_fitted_is_fitted(table, kind):
    """An error would be valid too; for these tables it would be laziness."""
    data = TABLES[table]
    model = GaussianMixture(2, covariance_type=kind, random_state=0)
    assert_valid_mixture(model.fit(data), data)


@pytest.mark.parametrize("table", TABLES)
def test_any_finite_table_gives_valid_clusters_or_says_what_to_change(table):
    data = TABLES[table]
    model = KMeans(2, n_init=1, random_state=0)
    try:
        model.fit(data)
    except ValueError as err:
        assert "divide it by a constant" in str(err)  # noqa: PT017
        assert np.abs(data).max() > 1e152
    else:
        assert_valid_clusters(model, data)


@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e-160, 1e150])
def test_k_means_finds_the_same_clusters_at_any_size(factor):
    plain, scaled = (lloyd(data, data[:2]) for data in (X, X * factor))
    assert_array_equal(scaled.labels, plain.labels)
    assert_allclose(scaled.centers / factor, plain.centers, rtol=1e-7)
    assert scaled.n_iter == plain.n_iter


def test_as_many_components_as_points_is_a_fit_and_one_more_is_an_error(kind):
    few = X[:6]
    assert_valid_mixture(GaussianMixture(6, covariance_type=kind, random_state=0).fit(few), few)
    with pytest.raises(ValueError, match="n_components = 7, n_samples = 6"):
        GaussianMixture(7, covariance_type=kind).fit(few)
    assert_valid_clusters(KMeans(6, n_init=1, random_state=0).fit(few), few)
    with pytest.raises(ValueError, match="n_clusters=7"):
        KMeans(7).fit(few)


def test_fewer_distinct_points_than_clusters_warns():
    with pytest.warns(ConvergenceWarning, match="distinct clusters"):
        KMeans(3, n_init=1, random_state=0).fit(TABLES["duplicates"])


# --------------------------------------------------------------- not a table at all

NOT_TABLES = {
    "NaN": (np.where(X > 6, np.nan, X), "NaN"),
    "inf": (np.where(X > 6, np.inf, X), "inf"),
    "minus inf": (np.where(X > 6, -np.inf, X), "inf"),
    "complex": (X + 1j, "[Cc]omplex"),
    "words": (np.array([["a", "b"]] * 4), "X holds text"),
    "numbers in words": (np.array([["1", "2"]] * 4), "X holds text"),
    "dates": (np.array([["2020-01-01"], ["2021-01-01"]], "M8[D]"), "X holds dates"),
    "durations": (np.array([[1], [2]], "m8[D]"), "X holds durations"),
    "records": (np.zeros((3, 2), [("a", float)]), "X holds records"),
    "None inside": (np.array([[None, 1.0], [2.0, 3.0]]), "NaN"),
    "one dimension": (X[:, 0], r"shape|Reshape"),
    "three dimensions": (X[None], "dim|shape"),
    "a number": (3.0, "scalar|shape"),
    "None": (None, "scalar|shape"),
    "ragged": ([[1.0, 2.0], [3.0]], "inhomogeneous"),
    "no rows": (np.empty((0, 2)), "0 sample|no rows"),
    "no columns": (np.empty((5, 0)), "0 feature|no columns"),
}
CALLS = {
    "GaussianMixture.fit": lambda v: GaussianMixture(2, random_state=0).fit(v),
    "KMeans.fit": lambda v: KMeans(2, random_state=0).fit(v),
    "GaussianMixture.predict_proba": lambda v: GaussianMixture(2, random_state=0).fit(X).predict_proba(v),
    "GaussianMixture.score": lambda v: GaussianMixture(2, random_state=0).fit(X).score(v),
    "KMeans.predict": lambda v: KMeans(2, random_state=0).fit(X).predict(v),
    "KMeans.transform": lambda v: KMeans(2, random_state=0).fit(X).transform(v),
    "e_step": lambda v: e_step(v, W, M, C),
    "em": lambda v: em(v, W, M, C),
    "m_step": lambda v: m_step(v, np.full((60, 2), 0.5)),
    "log_likelihood": lambda v: log_likelihood(v, W, M, C),
    "log_gaussian": lambda v: log_gaussian(v, M[0], C[0]),
    "fit_gaussian": lambda v: fit_gaussian(v),
    "assign": lambda v: assign(v, M),
    "update_centers": lambda v: update_centers(v, np.zeros(60, int), M),
    "lloyd": lambda v: lloyd(v, M),
    "kmeans_plusplus": lambda v: kmeans_plusplus(v, 2, np.random.default_rng(0)),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("thing", NOT_TABLES)
def test_what_is_not_a_finite_table_is_refused_by_name(call, thing):
    value, words = NOT_TABLES[thing]
    with pytest.raises(ValueError, match=words):
        CALLS[call](value)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix])
def test_sparse_tables_are_a_type_error_that_says_toarray(call, make):
    with pytest.raises(TypeError, match="toarray"):
        CALLS[call](make(X))


TABLES_OF_OTHERS = {
    "dates in one column": (pd.DataFrame({"a": [1.0], "b": [pd.Timestamp("2020")]}), "X holds dates"),
    "a list of dates": ([[np.datetime64("2020-01-01")]] * 3, "X holds dates"),
    "a date inside": (np.array([[date(2020, 1, 1), 1.0], [2.0, 3.0]]), r"holds datetime.date|not 'datetime.date'"),
    "words in one column": (pd.DataFrame({"a": [1.0], "b": ["x"]}), "holds 'x'|holds text|could not convert"),
    "NA inside": (pd.DataFrame({"a": pd.array([1, 2, None], dtype="Int64"), "b": [1.0, 2.0, 3.0]}), "NaN"),
    "NA among objects": (pd.DataFrame({"a": [1, 2, pd.NA], "b": [1.0, 2.0, 3.0]}), "NaN|NAType"),
}


@pytest.mark.parametrize("call", [c for c in CALLS if "." not in c or "fit" in c])
@pytest.mark.parametrize("thing", TABLES_OF_OTHERS)
def test_what_is_no_number_is_named_and_refused(call, thing):
    value, words = TABLES_OF_OTHERS[thing]
    with pytest.raises((ValueError, TypeError) if "." in call else ValueError, match=words):
        CALLS[call](value)


@pytest.mark.parametrize("call", [c for c in CALLS if "." not in c])
def test_masked_entries_are_not_taken_for_numbers(call):
    with pytest.raises(ValueError, match="masked"):
        CALLS[call](np.ma.masked_array(X, mask=X > 6))


LOPSIDED = np.array([[1.0, 0.9], [0.0, 1.0]])
WITH_A_COVARIANCE = {
    "log_gaussian": lambda cov: log_gaussian(X, M[0], cov),
    "sample_gaussian": lambda cov: sample_gaussian(0, 5, M[0], cov),
    "marginal": lambda cov: marginal(M[0], cov, [0]),
    "conditional": lambda cov: conditional(M[0], cov, [0], [1.0]),
    "e_step": lambda cov: e_step(X, W, M, np.array([C[0], cov])),
    "e_step, tied": lambda cov: e_step(X, W, M, cov, "tied"),
    "em": lambda cov: em(X, W, M, np.array([C[0], cov])),
    "log_likelihood": lambda cov: log_likelihood(X, W, M, np.array([C[0], cov])),
    "mixture_log_density": lambda cov: mixture_log_density(X, W, M, np.array([C[0], cov])),
    "sample_mixture": lambda cov: sample_mixture(0, 5, W, M, np.array([C[0], cov])),
    "from_parameters": lambda cov: GaussianMixture.from_parameters(W, M, np.array([C[0], cov])),
    "precisions_init": lambda cov: GaussianMixture(2, precisions_init=np.array([C[0], cov])).fit(X),
    "precisions_init, tied": lambda cov: GaussianMixture(2, precisions_init=cov, covariance_type="tied").fit(X),
    "ellipse": lambda cov: plotting.ellipse(plt.figure().subplots(), M[0], cov),
}


@pytest.mark.parametrize("call", WITH_A_COVARIANCE)
@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
def test_no_function_takes_a_covariance_that_is_not_symmetric(call, scale):
    with pytest.raises(ValueError, match="symmetric"):
        WITH_A_COVARIANCE[call](LOPSIDED * scale)
    plt.close("all")


def test_covariances_rounded_differently_above_and_below_the_diagonal_pass():
    cov = np.array([[1.0, 0.333333], [0.333334, 1.0]])
    assert_allclose(log_gaussian(X, M[0], cov), log_gaussian(X, M[0], (cov + cov.T) / 2), rtol=1e-4)


# ----------------------------------------------------------------- bad weights

BAD_WEIGHTS = {
    "negative": (np.where(np.arange(60) == 3, -1.0, 1.0), "non-negative|negative"),
    "NaN": (np.where(np.arange(60) == 3, np.nan, 1.0), "NaN|finite"),
    "inf": (np.where(np.arange(60) == 3, np.inf, 1.0), "inf|finite"),
    "all zero": (np.zeros(60), "zero"),
    "too short": (np.ones(59), "shape|length"),
    "a column": (np.ones((60, 1)), "shape|1D"),
    "dates": (np.full(60, "2020-01-01", "M8[D]"), "sample_weight holds dates"),
}
WEIGHTED = {
    "GaussianMixture.fit": lambda w: GaussianMixture(2, random_state=0).fit(X, sample_weight=w),
    "GaussianMixture.score": lambda w: GaussianMixture(2, random_state=0).fit(X).score(X, sample_weight=w),
    "GaussianMixture.aic": lambda w: GaussianMixture(2, random_state=0).fit(X).aic(X, sample_weight=w),
    "GaussianMixture.bic": lambda w: GaussianMixture(2, random_state=0).fit(X).bic(X, sample_weight=w),
    "GaussianMixture.icl": lambda w: GaussianMixture(2, random_state=0).fit(X).icl(X, sample_weight=w),
    "icl": lambda w: icl(-100.0, 5, np.full((60, 2), 0.5), w),
    "KMeans.fit": lambda w: KMeans(2, random_state=0).fit(X, sample_weight=w),
    "KMeans.score": lambda w: KMeans(2, random_state=0).fit(X).score(X, sample_weight=w),
    "fit_gaussian": lambda w: fit_gaussian(X, w),
    "m_step": lambda w: m_step(X, np.full((60, 2), 0.5), sample_weight=w),
    "em": lambda w: em(X, W, M, C, sample_weight=w),
    "log_likelihood": lambda w: log_likelihood(X, W, M, C, sample_weight=w),
    "lloyd": lambda w: lloyd(X, M, sample_weight=w),
    "kmeans_plusplus": lambda w: kmeans_plusplus(X, 2, np.random.default_rng(0), w),
    "update_centers": lambda w: update_centers(X, np.zeros(60, int), M, w),
}


@pytest.mark.parametrize("call", WEIGHTED)
@pytest.mark.parametrize("weights", BAD_WEIGHTS)
def test_bad_sample_weights_are_refused(call, weights):
    value, words = BAD_WEIGHTS[weights]
    with pytest.raises(ValueError, match=words):
        WEIGHTED[call](value)


def test_weights_as_large_as_integers_go_do_not_wrap_around():
    w = np.full(60, 2**62)
    assert_allclose(log_likelihood(X, W, M, C, sample_weight=w) / 2**62, log_likelihood(X, W, M, C), rtol=1e-12)
    assert_allclose(em(X, W, M, C, sample_weight=w).log_likelihoods[0] / 2**62, log_likelihood(X, W, M, C), rtol=1e-12)
    assert_allclose(lloyd(X, M, sample_weight=w).inertia / 2**62, lloyd(X, M).inertia, rtol=1e-12)


def test_weights_whose_sum_overflows_matter_only_where_the_sum_does():
    w = np.full(60, 1e308)
    plain = GaussianMixture(2, random_state=0).fit(X)
    assert_allclose(GaussianMixture(2, random_state=0).fit(X, sample_weight=w).means_, plain.means_, rtol=1e-9)
    for call in (lambda: log_likelihood(X, W, M, C, sample_weight=w), lambda: lloyd(X, M, sample_weight=w)):
        with pytest.raises(ValueError, match="sample_weight adds up to more"):
            call()


@pytest.mark.parametrize("weight", [5e-324, 1e-200, 1e200])
def test_tiny_and_huge_weights_are_only_ratios(weight):
    plain, scaled = (GaussianMixture(2, random_state=0).fit(X, sample_weight=w) for w in (None, np.full(60, weight)))
    assert_allclose(scaled.means_, plain.means_, rtol=1e-12)
    plain, scaled = (KMeans(2, random_state=0).fit(X, sample_weight=w) for w in (None, np.full(60, weight)))
    assert_allclose(scaled.cluster_centers_, plain.cluster_centers_, rtol=1e-12)


@pytest.mark.parametrize("far", [1e12, 1e200])
def test_a_row_of_weight_zero_is_absent_whatever_it_holds(kind, far):
    more, w = np.vstack([X, [[far, -far]]]), np.append(np.ones(60), 0.0)
    absent, plain = em(more, W, M, COVS[kind], kind, sample_weight=w), em(X, W, M, COVS[kind], kind)
    for got, expected in zip(absent[:4], plain[:4], strict=True):
        assert_allclose(got, expected, rtol=1e-9, atol=1e-12)
    resp = e_step(X, W, M, COVS[kind], kind).resp
    with_row = m_step(more, np.vstack([resp, [[0.5, 0.5]]]), kind, sample_weight=w)
    assert_allclose(with_row.covs, m_step(X, resp, kind).covs, rtol=1e-9)
    for make in (GaussianMixture, KMeans):
        with_row = make(2, random_state=0).fit(more, sample_weight=w)
        assert_array_equal(with_row.predict(X), make(2, random_state=0).fit(X).predict(X))
    assert_allclose(lloyd(more, M, sample_weight=w).inertia, lloyd(X, M).inertia, rtol=1e-12)


# ---------------------------------------------------------------- bad parameters


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: e_step(X, 1.0, M, C), "weights must have shape"),
        (lambda: e_step(X, [W], M[:1], C[:1]), "weights must have shape"),
        (lambda: e_step(X, None, M, C), "weights must have shape"),
        (lambda: e_step(X, [np.nan, 1.0], M, C), "weights must be non-negative"),
        (lambda: e_step(X, [], M[:0], C[:0]), "sum to one"),
        (lambda: e_step(X, W, M * np.nan, C), "means contains NaN"),
        (lambda: e_step(X, W, M + np.inf, C), "means contains NaN or inf"),
        (lambda: e_step(X, W, M[:, :1], C), "means must have shape"),
        (lambda: e_step(X, W, M, C * np.nan), "covariances contain NaN"),
        (lambda: e_step(X, W, M, np.full((2, 2), np.inf), "diag"), "contain NaN or infinity"),
        (lambda: e_step(X, W, M, -C), "not positive definite"),
        (lambda: e_step(X, W, M, np.array([1.0, 0.0]), "spherical"), "must be positive"),
        (lambda: mixture_log_density(X, W, M, C, "round"), "covariance_type must be one of"),
        (lambda: em(X, W, M + 1e300, C), "too far"),
        (lambda: em(X, W, M, C, max_iter=-1), "max_iter"),
        (lambda: em(X, W, M, C, reg_covar=-1.0), "reg_covar"),
        (lambda: em(X, W, M, C, reg_covar=np.nan), "reg_covar"),
        (lambda: m_step(X, np.full((60, 2), 0.5), reg_covar=np.inf), "reg_covar"),
        (lambda: m_step(X, np.full((60, 2), np.nan)), "resp must be non-negative"),
        (lambda: m_step(X, np.full((60, 2), np.inf)), "resp must be non-negative"),
        (lambda: m_step(X, np.full((60, 2), 1.0), "tied"), "rows that sum to one"),
        (lambda: m_step(X, np.tile([1.5, -0.5], (60, 1))), "non-negative"),
        (lambda: m_step(X, np.zeros((60, 2))), "rows that sum to one"),
        (lambda: m_step(X, np.full((59, 2), 0.5)), "resp must have shape"),
        (lambda: sample_mixture(np.random.default_rng(0), 3, W, [0.0, 1.0], C), "means must have shape"),
        (lambda: log_gaussian(X, [np.nan, 0.0], C[0]), "mean contains NaN"),
        (lambda: log_gaussian(X, [0.0, 0.0], C[0] * np.nan), "cov contains NaN"),
        (lambda: log_gaussian_1d(0.0, 0.0, np.inf), "var must be positive and finite"),
        (lambda: fit_gaussian(X * 1e200), "divide it by a constant"),
        (lambda: conditional(np.zeros(3), np.eye(3), [3], [1.0]), "between 0 and 2"),
        (lambda: conditional(np.zeros(3), np.eye(3), [1, 1], [1.0, 1.0]), "twice"),
        (lambda: conditional(np.zeros(3), np.eye(3), [1], [1.0, 2.0]), "values must have one entry"),
        (lambda: marginal(np.zeros(3), np.eye(3), [-4]), "between 0 and 2"),
        (lambda: assign(X, M[:, :1]), "centers has 1"),
        (lambda: lloyd(X, M[:, :1]), "centers has 1"),
        (lambda: lloyd(X, M * np.nan), "centers contains NaN"),
        (lambda: update_centers(X, [0, 1], M), "labels must be"),
        (lambda: update_centers(X, np.full(60, 2), M), "labels must be"),
        (lambda: update_centers(X, np.full(60, -1), M), "labels must be"),
        (lambda: update_centers(X, np.full(60, 0.5), M), "labels must be"),
        (lambda: kmeans_plusplus(X, 2.5, np.random.default_rng(0)), "K must be"),
        (lambda: kmeans_plusplus(X, 0, np.random.default_rng(0)), "K must be"),
        (lambda: kmeans_plusplus(X * 1e300, 2, np.random.default_rng(0)), "divide it by a constant"),
        (lambda: GaussianMixture(2, weights_init=[0.3, 0.3]).fit(X), "weights"),
        (lambda: GaussianMixture(2, weights_init=[np.nan, 1.0]).fit(X), "weights.*NaN"),
        (lambda: GaussianMixture(2, weights_init=[1.0]).fit(X), "weights.*shape"),
        (lambda: GaussianMixture(2, means_init=M[:1]).fit(X), "means.*shape"),
        (lambda: GaussianMixture(2, means_init=M + np.inf).fit(X), "means"),
        (lambda: GaussianMixture(2, means_init=M + 1e300).fit(X), "means lie too far"),
        (lambda: GaussianMixture(2, precisions_init=0 * C).fit(X), "full precision"),
        (lambda: GaussianMixture(2, precisions_init=1e-320 * C).fit(X), "large enough to invert"),
        (lambda: GaussianMixture(2, precisions_init=C + [[0, 0.5], [0, 0]]).fit(X), "symmetric"),
        (lambda: GaussianMixture(2, precisions_init=[-1.0, 1.0], covariance_type="spherical").fit(X), "positive"),
        (lambda: GaussianMixture(2, precisions_init=[1e-310] * 2, covariance_type="spherical").fit(X), "invert"),
        (lambda: GaussianMixture(2, precisions_init=C[0]).fit(X), "precision.*shape"),
        (lambda: GaussianMixture(2, reg_covar=-1.0).fit(X), "reg_covar"),
        (lambda: GaussianMixture(2, tol=np.nan).fit(X), "tol"),
        (lambda: GaussianMixture(2.0).fit(X), "n_components"),
        (lambda: GaussianMixture(0).fit(X), "n_components"),
        (lambda: GaussianMixture(2, init_params="magic").fit(X), "init_params"),
        (lambda: GaussianMixture(2).fit(X).sample(0), "n_samples"),
        (lambda: GaussianMixture(2).fit(X).sample(1.5), "n_samples"),
        (lambda: GaussianMixture(2).fit(X).sample("7"), "n_samples"),
        (lambda: GaussianMixture(2).fit(X).sample(3, component=2), "component must"),
        (lambda: GaussianMixture.from_parameters(W, M * np.nan, C), "NaN"),
        (lambda: GaussianMixture.from_parameters(W, M, C[0]), "covariances must have shape"),
        (lambda: GaussianMixture.from_parameters(W, M, C).conditional([0, 1], [1.0, 1.0]), "no coordinate is left"),
        (lambda: GaussianMixture.from_parameters(W, M, C).conditional([0], [[1.0], [2.0]]), "values.*regress"),
        (lambda: GaussianMixture.from_parameters(W, M, C).conditional([0], [np.nan]), "values contains NaN"),
        (lambda: GaussianMixture.from_parameters(W, M, C).conditional(0, [1.0]), "given must be a sequence"),
        (lambda: GaussianMixture.from_parameters(W, M, C).regress([0], [1.0]), "values must have shape"),
        (lambda: GaussianMixture.from_parameters(W, M, C).regress([0], [[1.0, 2.0]]), "values must have one entry"),
        (lambda: GaussianMixture.from_parameters(W, M, C).marginal(0), "keep must be a sequence"),
        (lambda: GaussianMixture.from_parameters(W, M, C).marginal([]), "no coordinate is left"),
        (lambda: GaussianMixture.from_parameters(W, M, C).marginal(["a"]), "keep names 'a'.*nameless"),
        (lambda: marginal(M[0], C[0], 1), "keep must be a sequence"),
        (lambda: conditional(M[0], C[0], [0], [[[1.0]]]), "values must have one entry"),
        (lambda: conditional(M[0], C[0], [0], [np.inf]), "values contains NaN or infinity"),
        (lambda: sample_gaussian(0, 2, M[0], C[0][:1]), "mean must be"),
        (lambda: marginal(M, C[0], [0]), "mean must be"),
        (lambda: marginal(M[0] * np.nan, C[0], [0]), "mean contains NaN"),
        (lambda: sample_gaussian("seed", 2, M[0], C[0]), "rng must be"),
        (lambda: sample_gaussian(-1, 2, M[0], C[0]), "rng must be"),
        (lambda: sample_mixture("seed", 2, W, M, C), "rng must be"),
        (lambda: KMeans(2, init=M[:1], n_init=1).fit(X), "initial centers"),
        (lambda: KMeans(2, init=M[:, :1], n_init=1).fit(X), "initial centers"),
        (lambda: KMeans(2, init="magic").fit(X), "init"),
        (lambda: KMeans(2, init=M * np.nan, n_init=1).fit(X), "NaN"),
        (lambda: GaussianMixture(2).fit(X).predict(X[:, :1]), "1 features"),
        (lambda: KMeans(2).fit(X).predict(X[:, :1]), "1 features"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("change", [{"n_components": 3}, {"covariance_type": "diag"}, {"covariance_type": "tied"}])
def test_a_warm_start_from_another_model_is_refused(change):
    model = GaussianMixture(2, warm_start=True, random_state=0).fit(X)
    with pytest.raises(ValueError, match="warm_start"):
        model.set_params(**change).fit(X)
    with pytest.raises(ValueError, match="warm_start"):
        GaussianMixture(2, warm_start=True, random_state=0).fit(X).fit(X[:, :1])


def test_a_failed_fit_leaves_an_estimator_unfitted():
    model = GaussianMixture(2, random_state=0)
    with pytest.raises(ValueError, match="cannot hold"):
        model.fit((X * 1e30).astype(np.float32))
    assert not [name for name in vars(model) if name.endswith("_") and name not in ("n_features_in_",)]


def test_weights_printed_with_five_digits_will_do():
    thirds, means, covs = [0.33333] * 3, np.zeros((3, 2)), [np.eye(2)] * 3
    assert len(sample_mixture(np.random.default_rng(0), 9, thirds, means, covs)[0]) == 9
    assert_allclose(mixture_log_density(X, thirds, means, covs), log_gaussian(X, means[0], covs[0]), rtol=1e-12)


def test_a_weight_of_exactly_zero_is_a_weight(kind):
    resp, log_density = e_step(X, [0.0, 1.0], M, COVS[kind], kind)
    full = full_covariances(COVS[kind], kind, 2, 2)
    assert_allclose(resp[:, 1], 1)
    assert_allclose(log_density, log_gaussian(X, M[1], full[1]), rtol=1e-12)
    model = GaussianMixture(2, covariance_type=kind, weights_init=[0.0, 1.0], random_state=0).fit(X)
    assert_allclose(model.weights_, [0, 1], atol=1e-12)


def test_leaps_pass_over_a_component_without_points(kind):
    means = np.vstack([M, [[1e5, 1e5]]])
    model = GaussianMixture(
        3, covariance_type=kind, means_init=means, weights_init=[0.5, 0.5, 0.0], acceleration="squarem", random_state=0
    ).fit(X)
    assert_valid_mixture(model, X)
    assert_allclose(model.weights_[2], 0, atol=1e-12)


def test_coordinates_may_be_counted_from_the_end_or_ticked():
    mean, cov = np.arange(3.0), np.eye(3) + 0.5
    expected = conditional(mean, cov, [2], [1.0])
    for same in ([-1], np.array([2]), [False, False, True]):
        for got, want in zip(conditional(mean, cov, same, [1.0]), expected, strict=True):
            assert_array_equal(got, want)
    assert_array_equal(marginal(mean, cov, [-1, 0])[0], [2.0, 0.0])
    joint = GaussianMixture.from_parameters(W, M, C)
    assert_array_equal(joint.conditional([-1], [1.0]).means_, joint.conditional([1], [1.0]).means_)


# ---------------------------------------------------------------- unseen, far away

FAR = np.array(
    [[1e300, 0], [0, -1e300], [1e39, 1e39], [1.7e308, -1.7e308], [-1e20, 1e300], [5e-324, -5e-324], [4.9, 5.0]]
)


@pytest.mark.parametrize("variance", [1e-300, 1e-60, 1e-20, 1.0, 1e100])
def test_unseen_points_of_any_size_get_a_distribution(kind, variance):
    resp, log_density = e_step(FAR, W, M, COVS[kind] * variance, kind)
    assert_distributions(resp)
    assert not np.isnan(log_density).any()
    assert (log_density[[0, 1, 3, 4]] < -1e100).all()
    assert_allclose(resp[6], [0, 1] if variance < 1e50 else W, atol=1e-9)


def test_unseen_points_of_any_size_go_to_the_centre_in_their_direction():
    centers = np.array([[0.0, 0.0], [5.0, 5.0], [-7.0, 3.0]])
    direction = FAR / np.abs(FAR).max(axis=1, keepdims=True)
    far = np.abs(FAR).max(axis=1) > 1e10
    assert_array_equal(assign(FAR, centers).labels[far], (direction @ centers.T).argmax(axis=1)[far])
    assert_array_equal(assign(FAR, centers).labels[~far], [0, 1])


def test_estimators_take_points_of_any_size():
    mixture = GaussianMixture(2, random_state=0).fit(X)
    assert_distributions(mixture.predict_proba(FAR))
    assert not np.isnan([mixture.score(FAR), mixture.bic(FAR), mixture.aic(FAR), mixture.icl(FAR)]).any()
    assert not np.isnan(KMeans(2, random_state=0).fit(X).transform(FAR)).any()
    single = GaussianMixture(2, random_state=0).fit(X.astype(np.float32))
    assert_distributions(single.predict_proba(np.float32([[3e38, 0.0]])), 1e-6)
    assert single.score_samples(np.float32([[3e38, 0.0]])) < -1e38


def test_a_single_gaussian_far_away_is_minus_infinity_at_worst():
    cov = np.array([[1, 0.9, -0.9], [0.9, 1, -0.7], [-0.9, -0.7, 1]])
    far = np.array([[1e300, 1e300, 1e300], [1.7e308, -1.7e308, 1e308], [0, 0, 1e200], [0, 0, 1.0]])
    for scale in (1e-280, 1.0):
        log_density = log_gaussian(far, np.zeros(3), cov * scale)
        assert not np.isnan(log_density).any()
        assert (log_density[:3] < -1e100).all()
    assert log_gaussian_1d(1e300, 0.0, 1.0) == -np.inf


# ------------------------------------------------------------------- inputs in disguise


@pytest.mark.parametrize("make", [lambda: GaussianMixture(2, random_state=0), lambda: KMeans(2, random_state=0)])
def test_disguised_numbers_are_the_same_numbers(make, tmp_path):
    pd = pytest.importorskip("pandas")
    whole = np.round(X * 10)
    np.save(tmp_path / "x.npy", whole)
    frozen = whole.copy()
    frozen.setflags(write=False)
    expected = make().fit(whole)
    for same in (
        whole.tolist(),
        whole.astype(np.int16),
        whole.astype(">i4"),
        whole.astype(object),
        whole.astype(np.float16),
        whole.astype(np.longdouble),
        np.asfortranarray(whole),
        np.load(tmp_path / "x.npy", mmap_mode="r"),
        np.ma.masked_array(whole, mask=False),
        np.repeat(whole, 2, axis=0)[::2],
        pd.DataFrame(whole).to_numpy(),
        pd.DataFrame(whole, columns=["a", "b"]),
        frozen,
    ):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            model = make().fit(same)
            assert_array_equal(model.predict(same), expected.predict(whole))
            assert model.score(same) == expected.score(whole)
    assert_array_equal(frozen, whole)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float32, ">f8", bool])
def test_functions_count_in_double_whatever_comes_in(dtype):
    few = (X * 3 % 200).astype(dtype)
    real = few.astype(float)
    for one, two in zip(em(few, W, M, C, reg_covar=0.1), em(real, W, M, C, reg_covar=0.1), strict=True):
        assert_array_equal(one, two)
    for one, two in zip(fit_gaussian(few), fit_gaussian(real), strict=True):
        assert_allclose(one, two, rtol=1e-12)
    assert_array_equal(assign(few, M).sq_dist, assign(real, M).sq_dist)
    assert_array_equal(lloyd(few, M).centers, lloyd(real, M).centers)
    assert_allclose(log_gaussian(few, M[0], C[0]), log_gaussian(real, M[0], C[0]), rtol=1e-12)


# --------------------------------------------------------- threads, processes, silence


def fitted(job):
    """Everything a fit decides, as plain arrays; at module level so that processes find it."""
    make, seed = job
    model = make(3, random_state=seed).fit(X)
    return {k: v for k, v in vars(model).items() if k.endswith("_")}


JOBS = [(make, seed) for make in (GaussianMixture, KMeans) for seed in range(4)]


def assert_same_fits(some, others):
    for one, two in zip(some, others, strict=True):
        assert one.keys() == two.keys()
        for name, value in one.items():
            assert_array_equal(value, two[name])


def test_eight_threads_at_once_give_the_bits_of_one():
    with ThreadPoolExecutor(8) as pool:
        assert_same_fits(list(pool.map(fitted, JOBS)), [fitted(job) for job in JOBS])


def test_processes_and_pickles_give_the_same_bits():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert_same_fits(list(pool.map(fitted, JOBS[::4])), [fitted(job) for job in JOBS[::4]])
    for make in (GaussianMixture, KMeans):
        model = make(2, random_state=0).fit(X)
        again = pickle.loads(pickle.dumps(model))
        assert_array_equal(again.predict(X), model.predict(X))
        assert again.score(X) == model.score(X)


def test_fitting_prints_nothing_and_leaves_the_global_generator_alone(capfd):
    np.random.seed(3)  # noqa: NPY002 (the generator under test)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for init in ("kmeans", "k-means++", "random", "random_from_data"):
        GaussianMixture(2, init_params=init, random_state=0, n_init=2).fit(X).sample(5)
    for init in ("k-means++", "random"):
        KMeans(2, init=init, random_state=0).fit(X)
    em(X, W, M, C)
    lloyd(X, M)
    sample_mixture(np.random.default_rng(0), 5, W, M, C)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert capfd.readouterr() == ("", "")


def test_numpy_set_to_raise_does_not_disturb_a_fit():
    """A user's `np.seterr(all="raise")` is the user's: underflow to zero is normal here, inside."""
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for kind in COVARIANCE_TYPES:
            GaussianMixture(3, covariance_type=kind, random_state=0).fit(X).predict_proba(FAR)
        KMeans(3, random_state=0).fit(X).predict(FAR)


def test_arguments_come_back_as_they_went_in(kind):
    arguments = X.copy(), W.copy(), M.copy(), np.array(COVS[kind]), np.ones(60)
    kept = [a.copy() for a in arguments]
    for a in arguments:
        a.setflags(write=False)
    em(*arguments[:4], kind, sample_weight=arguments[4])
    resp = e_step(*arguments[:4], kind).resp
    before = resp.copy()
    resp.setflags(write=False)
    m_step(arguments[0], resp, kind, sample_weight=arguments[4])
    run = lloyd(arguments[0], arguments[2], sample_weight=arguments[4])
    update_centers(arguments[0], run.labels, arguments[2], arguments[4])
    assert_array_equal(resp, before)
    for a, b in zip(arguments, kept, strict=True):
        assert_array_equal(a, b)


def test_python_without_assertions_is_no_less_careful():
    code = "import gmmlib; gmmlib.e_step([[float('nan')]], [1], [[0]], [[[1]]])"
    out = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, check=False)
    assert "ValueError: X contains NaN" in out.stderr


def test_high_dimensions_and_many_components_stay_valid(kind):
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(80, 60))
    assert_valid_mixture(GaussianMixture(3, covariance_type=kind, random_state=0).fit(wide), wide)
    covs = random_covs(rng, kind, 40, 3)
    resp, log_density = e_step(wide[:, :3], np.full(40, 1 / 40), rng.normal(size=(40, 3)), covs, kind)
    assert_distributions(resp)
    assert np.isfinite(log_density).all()


@pytest.mark.parametrize("width", [1e-160, 1e-150, 1.0, 1e150])
@pytest.mark.parametrize("place", [-1.7e308, 1e300, 1e150, 1e-300, 0.0])
def test_a_mixture_of_any_size_gives_a_distribution_wherever_the_points_lie(kind, width, place):
    covs = np.asarray(COVS[kind], float) * width * width
    resp, log_density = e_step(np.full((3, 2), place), W, M, covs, kind)
    assert not np.isnan(log_density).any()
    assert_allclose(resp.sum(axis=1), 1, rtol=1e-12)
    assert (resp >= 0).all()


def test_a_point_as_far_away_as_can_be_squared_has_the_same_density_by_every_function():
    x = np.array([[1e150, 0.0]])
    one = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert_allclose(log_gaussian(x, np.zeros(2), one), [-5e299], rtol=1e-12)
    assert_allclose(mixture_log_density(x, [1.0], [[0.0, 0.0]], [one]), [-5e299], rtol=1e-12)
    assert_allclose(GaussianMixture.from_parameters([1.0], [[0.0, 0.0]], [one]).score_samples(x), [-5e299], rtol=1e-12)
