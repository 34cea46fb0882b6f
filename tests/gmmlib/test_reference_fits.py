"""Fits that other people published, reached from starts of our own.

`reference_values.json` was computed by R (mclust, mixtools) at the stationary
point; `reference_values.R` says how. Starts here are k-means starts, never R's
answers.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import adjusted_rand_score

from gmmlib import GaussianMixture, datasets, m_step, n_parameters
from gmmlib.families.gaussian.covariance import full_covariances

FITS = json.loads((Path(__file__).parent / "reference_values.json").read_text())["fits"]


def best_fit(X, K, kind="full", starts=40, **kwargs):
    """The highest of many k-means starts, run to the stationary point."""
    return GaussianMixture(
        K, covariance_type=kind, n_init=starts, tol=1e-13, reg_covar=0, max_iter=20_000, random_state=0, **kwargs
    ).fit(X)


def assert_same_fit(model, X, reference, rtol):
    order = np.argsort(model.means_[:, 0])
    full = full_covariances(model.covariances_, model.covariance_type, *model.means_.shape)
    assert_allclose(model.score(X) * len(X), reference["log_likelihood"], rtol=1e-9)
    assert_allclose(model.weights_[order], np.atleast_1d(reference["weights"]), rtol=rtol)
    assert_allclose(model.means_[order], np.reshape(reference["means"], model.means_.shape), rtol=rtol)
    assert_allclose(full[order], np.reshape(reference["covariances"], full.shape), rtol=10 * rtol, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "K", "kind"),
    [
        ("old_faithful_full_1", 1, "full"),
        ("old_faithful_full_2", 2, "full"),
        ("old_faithful_tied_2", 2, "tied"),
        ("old_faithful_diag_2", 2, "diag"),
        ("old_faithful_spherical_2", 2, "spherical"),
        ("old_faithful_tied_spherical_2", 2, "tied_spherical"),
    ],
)
def test_old_faithful_as_in_mclust(name, K, kind):
    X, reference = datasets.load_old_faithful().X, FITS[name]
    model = best_fit(X, K, kind, starts=3)
    assert_same_fit(model, X, reference, rtol=1e-5)
    assert_allclose(model.bic(X), reference["bic"], rtol=1e-9)
    assert n_parameters(K, 2, kind) == reference["n_parameters"]


@pytest.mark.parametrize(
    ("kind", "K", "log_likelihood"),
    [
        ("full", 1, -1289.796745),
        ("full", 2, -1130.263960),
        ("tied", 2, -1140.18676),
        ("diag", 2, -1147.80635),
        ("spherical", 2, -1709.52928),
    ],
)
def test_old_faithful_as_published(kind, K, log_likelihood):
    X = datasets.load_old_faithful().X
    assert_allclose(best_fit(X, K, kind, starts=3).score(X) * 272, log_likelihood, atol=6e-6)


def test_waiting_times_as_in_the_mixtools_vignette():
    X = datasets.load_old_faithful().column("waiting")[:, None]
    model = best_fit(X, 2, starts=3)
    assert_same_fit(model, X, FITS["waiting_2"], rtol=1e-6)
    order = np.argsort(model.means_[:, 0])
    assert_allclose(model.score(X) * 272, -1034.00175, atol=6e-6)
    assert_allclose(model.weights_[order][0], 0.36089, atol=6e-6)
    assert_allclose(model.means_[order][:, 0], [54.6149, 80.0911], atol=6e-5)
    assert_allclose(np.sqrt(model.covariances_[order].ravel()), [5.871, 5.868], atol=6e-4)
    assert_same_fit(best_fit(X, 2, "tied", starts=3), X, FITS["waiting_tied_2"], rtol=1e-5)


@pytest.mark.parametrize(
    ("row78", "log_likelihood", "bic"), [("26.690", -203.179228, 441.612), ("26.960", -203.48198, 442.218)]
)
def test_galaxies_with_three_components(row78, log_likelihood, bic):
    X = datasets.load_galaxies(row78=row78).X
    model = GaussianMixture(
        3, means_init=[[9.7], [21.0], [33.0]], tol=1e-13, reg_covar=0, max_iter=20_000, random_state=0
    ).fit(X)
    assert_allclose(model.score(X) * 82, log_likelihood, atol=6e-6)
    assert_allclose(model.bic(X), bic, atol=6e-4)


def test_iris_with_two_and_three_components():
    X = datasets.load_iris().X
    assert_allclose(best_fit(X, 2, starts=5).score(X) * 150, -214.354704, atol=6e-7)
    species = datasets.load_iris().y
    start = [X[species == k].mean(axis=0) for k in range(3)]
    model = GaussianMixture(3, means_init=start, tol=1e-13, reg_covar=0, max_iter=20_000, random_state=0).fit(X)
    assert_allclose(model.score(X) * 150, -180.185477, atol=6e-7)
    assert_allclose(model.bic(X), 580.839, atol=6e-4)
    assert_allclose(adjusted_rand_score(species, model.predict(X)), 0.9039, atol=6e-5)


@pytest.mark.parametrize(
    ("version", "name", "agreement"),
    [("corrected", "diabetes_full_3", 0.719), ("mclust", "diabetes_mclust_full_3", 0.664)],
)
def test_diabetes_with_three_components(version, name, agreement):
    data = datasets.load_diabetes_reaven(version=version)
    start = m_step(data.X, np.eye(3)[data.y])  # maximum likelihood with the classes known
    model = GaussianMixture(
        3,
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=np.linalg.inv(start.covs),
        tol=1e-13,
        reg_covar=0,
        max_iter=20_000,
    ).fit(data.X)
    assert_allclose(model.score(data.X) * 145, FITS[name]["log_likelihood"], rtol=1e-9)
    assert_allclose(adjusted_rand_score(data.y, model.predict(data.X)), agreement, atol=6e-4)
    if version == "corrected":
        assert_allclose(model.score(data.X) * 145, -2295.0935, atol=6e-5)
        assert_allclose(model.bic(data.X), 4734.51, atol=6e-3)
