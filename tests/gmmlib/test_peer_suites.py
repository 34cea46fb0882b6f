"""scikit-learn's own tests of these estimators, run on ours.

The test modules that scikit-learn ships in its wheel are loaded with the two
names swapped. What they test of public behaviour must hold here too; tests of
private helpers or of other estimators are left out, each with its reason.
"""

import importlib.util
import sys

import numpy as np
import pytest
import sklearn.cluster
import sklearn.mixture

from gmmlib import GaussianMixture, KMeans

PRIVATE = "tests private functions of scikit-learn, not behaviour"
OTHER = "tests another estimator or function"
SPARSE = "needs sparse input, which gmmlib refuses with a TypeError (test_hostile)"
LEFT_OUT = {
    # sklearn/mixture/tests/test_gaussian_mixture.py
    "test_suffstat_sk_full": PRIVATE,
    "test_suffstat_sk_tied": PRIVATE,
    "test_suffstat_sk_diag": PRIVATE,
    "test_gaussian_suffstat_sk_spherical": PRIVATE,
    "test_compute_log_det_cholesky": PRIVATE,
    "test_gaussian_mixture_precisions_init": PRIVATE,
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters": PRIVATE,
    "test_check_weights": "asks for a message with the smallest weight called max and the largest min",
    "test_gaussian_mixture_setting_best_params": "keeps components of variance zero; gmmlib raises instead",
    "test_gaussian_mixture_array_api_compliance": "array API back-ends are not supported",
    "test_gaussian_mixture_raises_where_array_api_not_implemented": "array API back-ends are not supported",
    # sklearn/cluster/tests/test_k_means.py
    "test_kmeans_init_auto_with_initial_centroids": PRIVATE,
    "test_n_init_auto": PRIVATE,
    "test_sample_weight_init": PRIVATE,
    "test_sample_weight_zero": PRIVATE,
    "test_relocate_empty_clusters": PRIVATE,
    "test_euclidean_distance": PRIVATE,
    "test_inertia": PRIVATE,
    "test_dense_sparse": SPARSE,
    "test_predict_dense_sparse": SPARSE,
    "test_warning_elkan_1_cluster": "warns about an algorithm that is only a name here",
    "test_k_means_function": OTHER,
    "test_is_same_clustering": PRIVATE,
    "test_kmeans_plusplus_wrong_params": OTHER,
    "test_kmeans_plusplus_output": OTHER,
    "test_kmeans_plusplus_norms": OTHER,
    "test_kmeans_plusplus_dataorder": OTHER,
}
IN_DOUBLE_ONLY = {
    "test_score": "compares a score in double precision with a mean in single precision, to half its last digit",
}


def load(name):
    """A copy of a scikit-learn test module that sees our estimators."""
    spec = importlib.util.find_spec(name)
    copy = importlib.util.module_from_spec(importlib.util.spec_from_file_location(name.replace(".", "_"), spec.origin))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sklearn.mixture, "GaussianMixture", GaussianMixture)
        patch.setattr(sklearn.cluster, "KMeans", KMeans)
        sys.modules[copy.__name__] = copy
        copy.__spec__.loader.exec_module(copy)
    return copy


def foreign(value):
    """Whether a parameter stands for sparse input or for another estimator."""
    text = str(getattr(value, "__name__", type(value).__name__ if hasattr(value, "shape") else value)).lower()
    return any(word in text for word in ("csr", "minibatch", "bayesian", "default"))


def restrict(test):
    """Drop parameter sets that try sparse input or another estimator."""
    marks = getattr(test, "pytestmark", [])
    test.pytestmark = [restricted(mark.mark if hasattr(mark, "mark") else mark) for mark in marks]
    return test


def restricted(mark):
    """A parametrize mark without its foreign parameter sets; other marks as they are."""
    if mark.name != "parametrize":
        return mark
    names, values = mark.args
    ids = mark.kwargs.get("ids")
    rows = [v if isinstance(v, (tuple, list)) else (v,) for v in values]
    keep = [i for i, row in enumerate(rows) if not any(foreign(v) for v in row)]
    new = pytest.mark.parametrize(names, [values[i] for i in keep], ids=ids and [ids[i] for i in keep])
    return new.mark


def public(name):
    """The tests of a module, without those left out."""
    for test_name, test in vars(load(name)).items():
        if test_name.startswith("test_") and test_name not in LEFT_OUT and "minibatch" not in test_name:
            yield test_name, restrict(test)


for module in ("mixture.tests.test_gaussian_mixture", "mixture.tests.test_mixture", "cluster.tests.test_k_means"):
    globals().update(public(f"sklearn.{module}"))


@pytest.fixture
def global_random_seed():
    return 42


@pytest.fixture(params=[np.float64, np.float32], ids=["float64", "float32"])
def global_dtype(request):
    if request.param == np.float32 and request.function.__name__ in IN_DOUBLE_ONLY:
        pytest.skip(IN_DOUBLE_ONLY[request.function.__name__])
    return request.param
