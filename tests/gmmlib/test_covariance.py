"""Five shapes of covariances: judged by writing every one of them out in full."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import random_covs

from gmmlib.families.gaussian.covariance import (
    COVARIANCE_TYPES,
    as_covariances,
    check_covariance_type,
    check_symmetric,
    covariance_shape,
    full_covariances,
    n_covariance_parameters,
    regularised,
    rescaled,
)

K, D = 2, 3


def written_out(covs, kind):
    """(K, D, D), one entry at a time."""
    covs = np.asarray(covs)
    entry = {
        "full": lambda k, i, j: covs[k, i, j],
        "tied": lambda k, i, j: covs[i, j],
        "diag": lambda k, i, j: covs[k, i] if i == j else 0.0,
        "spherical": lambda k, i, j: covs[k] if i == j else 0.0,
        "tied_spherical": lambda k, i, j: covs if i == j else 0.0,
    }[kind]
    return np.array([[[entry(k, i, j) for j in range(D)] for i in range(D)] for k in range(K)])


def test_the_shapes_and_the_counts_are_those_of_the_table():
    shapes = {"full": (2, 3, 3), "tied": (3, 3), "diag": (2, 3), "spherical": (2,), "tied_spherical": ()}
    counts = {"full": 12, "tied": 6, "diag": 6, "spherical": 2, "tied_spherical": 1}
    assert set(shapes) == set(COVARIANCE_TYPES)
    for kind in COVARIANCE_TYPES:
        assert covariance_shape(kind, K, D) == shapes[kind]
        assert n_covariance_parameters(kind, K, D) == counts[kind]
        assert isinstance(n_covariance_parameters(kind, K, D), int)


def test_written_out_every_kind_is_full(rng, kind):
    covs = random_covs(rng, kind, K, D)
    full = full_covariances(covs, kind, K, D)
    assert full.shape == (K, D, D)
    assert_array_equal(full, written_out(covs, kind))
    assert_array_equal(full_covariances(np.asarray(covs).tolist(), kind, K, D), full)


def test_a_change_of_unit_multiplies_rows_and_columns(rng, kind):
    covs = np.asarray(random_covs(rng, kind, K, D))
    factor = np.array([2.0, 3.0, 5.0]) if not kind.endswith("spherical") else np.full(D, 3.0)
    scaled, before = rescaled(covs, kind, factor), covs.copy()
    assert_allclose(written_out(scaled, kind), factor[:, None] * written_out(covs, kind) * factor, rtol=1e-15)
    assert_array_equal(covs, before)


def test_a_rescaled_matrix_stays_symmetric_to_the_last_bit(rng):
    A = rng.normal(size=(40, 6, 6))
    covs = rescaled(A @ np.swapaxes(A, 1, 2) + np.swapaxes(A @ np.swapaxes(A, 1, 2), 1, 2), "full", rng.uniform(size=6))
    assert_array_equal(covs, np.swapaxes(covs, 1, 2))


def test_the_amount_lands_on_every_variance_once(rng, kind):
    covs = np.asarray(random_covs(rng, kind, K, D))
    amount = np.array([0.1, 0.2, 0.3]) if not kind.endswith("spherical") else np.full(D, 0.2)
    more = written_out(regularised(covs, kind, amount), kind)
    assert_allclose(more - written_out(covs, kind), [np.diag(amount)] * K, atol=1e-15)


def test_what_does_not_fit_is_refused(kind):
    good = np.ones(covariance_shape(kind, K, D))
    assert_array_equal(as_covariances(good.tolist(), kind, K, D), good)
    with pytest.raises(ValueError, match="covariances must have shape"):
        as_covariances(np.ones((7, 7)), kind, K, D)
    for bad in (np.nan, np.inf):
        one_bad = good.copy()
        one_bad[(0,) * good.ndim] = bad
        with pytest.raises(ValueError, match="NaN or infinity"):
            as_covariances(one_bad, kind, K, D)


def test_an_unknown_kind_is_answered_with_the_five():
    for ask in (check_covariance_type, lambda kind: covariance_shape(kind, K, D)):
        with pytest.raises(ValueError, match=r"must be one of \('full', 'tied', 'diag', 'spherical', 'tied_spherical'"):
            ask("round")
    with pytest.raises(ValueError, match="'round'"):
        n_covariance_parameters("round", K, D)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("unit", [1e-150, 1e-3, 1.0, 1e9])
@pytest.mark.parametrize(("lopsided", "fine"), [(0.5e-5, True), (1.5e-5, False)])
def test_symmetry_is_asked_of_correlations_in_any_units(sign, unit, lopsided, fine):
    scale = unit * np.array([1.0, 1e-4, 1e3])
    correlation = np.array([[1.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 1.0]])
    correlation[1, 2] += sign * lopsided
    covs = np.array([np.eye(3), correlation]) * np.outer(scale, scale)
    if fine:
        check_symmetric(covs, "covs")
    else:
        with pytest.raises(ValueError, match=re.escape("covs must be symmetric: entries [1, 2] and [2, 1] differ")):
            check_symmetric(covs, "covs")
