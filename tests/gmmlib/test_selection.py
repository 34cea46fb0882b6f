"""Criteria that charge for parameters: judged by scikit-learn and by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.mixture import GaussianMixture as Referee

from gmmlib import aic, bic, icl, n_parameters


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
