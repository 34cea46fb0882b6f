"""Criteria that charge for parameters, judged by scikit-learn and by hand; and what selection refuses."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.mixture import GaussianMixture as Referee

from gmmlib import (
    aic,
    bic,
    bootstrap_likelihood_ratio,
    cross_validate,
    icl,
    merge_by_entropy,
    n_parameters,
    selection_table,
    standard_errors,
)


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_aic_and_bic_agree_with_scikit_learn(rng, kind, size):
    N, D, K = size
    X = rng.normal(size=(N, D))
    referee = Referee(K, covariance_type=kind, random_state=0).fit(X)
    total = referee.score(X) * N
    assert_allclose(aic(total, n_parameters(K, D, kind)), referee.aic(X), rtol=1e-12)
    assert_allclose(bic(total, n_parameters(K, D, kind), N), referee.bic(X), rtol=1e-12)


def test_aic_and_bic_by_hand():
    assert aic(-100.0, 5) == 210
    assert_allclose(bic(-100.0, 5, np.e**2), 210)
    assert bic(-100.0, 5, 1) == 200


def test_a_full_covariance_is_what_is_counted_unless_another_is_named():
    assert n_parameters(2, 3) == n_parameters(2, 3, "full") == 1 + 6 + 12
    assert n_parameters(2, 3, "tied_spherical") == 1 + 6 + 1


def test_icl_by_hand():
    certain, coin = [[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]]
    assert_allclose(icl(-7.0, 3, certain), bic(-7.0, 3, 2), rtol=1e-14)
    assert_allclose(icl(-7.0, 3, coin), bic(-7.0, 3, 2) + 4 * np.log(2), rtol=1e-14)


def test_bic_without_points_is_refused():
    with pytest.raises(ValueError, match="N must be positive"):
        bic(-1.0, 2, 0)


# ------------------------------------------------------------------- what goes wrong

QUICK = {"n_init": 2, "tol": 1e-4}


@pytest.fixture
def two(rng):
    """Forty points in two groups, in two dimensions."""
    X = rng.normal(size=(40, 2))
    X[:20] += 6
    return X


@pytest.mark.parametrize("resp", [np.ones((0, 3)), np.ones((3, 0)), [[0.3, 0.3]], [[np.nan, 1.0]], [1.0]])
def test_what_is_no_table_of_responsibilities_is_refused(resp):
    with pytest.raises(ValueError, match="resp must be"):
        icl(-1.0, 2, resp)
    with pytest.raises(ValueError, match="resp must be"):
        merge_by_entropy(resp)


@pytest.mark.parametrize("folds", [[1, 2], {1: 2}, [([0, [1]], [6, 6])]])
def test_folds_that_are_no_pairs_are_refused(two, folds):
    with pytest.raises(ValueError, match=r"folds must be a number or pairs \(train, test\)"):
        cross_validate(two, 1, folds=folds)


def test_no_folds_at_all_are_refused(two):
    for call in (cross_validate, lambda X, K, folds: selection_table(X, [K], ["full"], folds=folds)):
        with pytest.raises(ValueError, match="folds must hold one pair"):
            call(two, 1, folds=[])


@pytest.mark.parametrize("kinds", [5, None])
def test_structures_that_are_no_names_are_refused(two, kinds):
    with pytest.raises(ValueError, match="covariance_types must be names"):
        selection_table(two, [1], kinds)


def test_an_old_random_state_is_refused_where_it_cannot_spawn(two):
    with pytest.raises(ValueError, match="rng must be a numpy Generator that can spawn"):
        selection_table(two, [1], ["full"], rng=np.random.RandomState(0))


def test_weights_whose_sum_overflows_are_refused(two):
    with pytest.raises(ValueError, match="more than float64 can hold"):
        cross_validate(two, 1, sample_weight=np.full(40, 1e307), folds=3, **QUICK)


def test_shares_instead_of_counts_are_refused(two):
    """With ln N of zero or less BIC would charge nothing, or pay, for parameters."""
    for total in (1.0, 0.04):
        with pytest.raises(ValueError, match="give counts"):
            selection_table(two, [1], ["full"], sample_weight=np.full(40, total / 40))


def test_a_constant_column_without_a_floor_leaves_a_table_that_says_why(two):
    two[:, 1] = 3.0
    table = selection_table(two, [1, 2], ["full", "diag"], reg_covar=0.0, **QUICK)
    assert len(table.failures) == 4
    for criterion in ("bic", "cv"):
        with pytest.raises(ValueError, match=r"see failures, the first of which is: .*reg_covar"):
            table.best(criterion)
    assert [line.split() for line in str(table).splitlines()[1:]] == [["1", "-", "-"], ["2", "-", "-"]]


def test_a_constant_column_with_a_floor_adds_the_same_to_structures_that_see_it_apart(two):
    """A diagonal component pays for the constant column once, whatever K is: the other column decides."""
    alone = selection_table(two[:, :1], [1, 2], ["diag"], **QUICK)
    two[:, 1] = 3.0
    both = selection_table(two, [1, 2], ["diag"], **QUICK)
    each = 40 * np.log(2 * np.pi * 1e-6) + np.log(40) * 2 * np.array([1, 2])  # reg_covar's 1e-6 is its variance
    assert_allclose(both.bic.ravel(), alone.bic.ravel() + each, rtol=1e-6)


def test_a_fit_that_only_lacks_a_fold_keeps_its_other_numbers(two):
    table = selection_table(two, [1, 30], ["spherical"], folds=2, **QUICK)
    assert np.isfinite(table.bic).all()
    assert_array_equal(np.isnan(table.cv.ravel()), [False, True])
    assert table.failures[30, "spherical"].startswith("without a fold")
    assert table.model(30, "spherical") is not None
    assert table.best("cv") == (1, "spherical")


def test_a_row_of_weight_zero_does_not_move_a_standard_error(two):
    theta = two.mean(axis=0)[None], np.cov(two.T, ddof=0)[None]
    clean = standard_errors(two, [1.0], *theta)
    far = standard_errors(np.vstack([two, [1e9, 1e9]]), [1.0], *theta, sample_weight=np.append(np.ones(40), 0))
    assert_allclose(far.means, clean.means, rtol=1e-9)
    assert_allclose(far.covs, clean.covs, rtol=1e-9)


def test_workers_and_calls_change_no_simulated_statistic(two):
    first, again, shared = (
        bootstrap_likelihood_ratio(two, 1, n_boot=3, rng=4, n_jobs=n, **QUICK).null for n in (None, None, 2)
    )
    assert_allclose(again, first, rtol=0)
    assert_allclose(shared, first, rtol=0)
