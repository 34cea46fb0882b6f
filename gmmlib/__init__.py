"""gmmlib: Gaussian mixtures and EM, small enough to read in an evening.

The functions need numpy and scipy. What costs more to import (the estimators,
plotting, explorers) is loaded when it is first asked for.
"""

from importlib import import_module

from .clustering.lloyd import Assignment, KMeansResult, assign, lloyd, update_centers
from .clustering.seeding import kmeans_plusplus
from .families.gaussian.density import (
    conditional,
    fit_gaussian,
    log_gaussian,
    log_gaussian_1d,
    marginal,
    sample_gaussian,
)
from .functions import EMResult, EStep, Mixture, e_step, em, log_likelihood, m_step, mixture_log_density, sample_mixture
from .selection.criteria import aic, aic_scorer, bic, bic_scorer, icl, icl_scorer, n_parameters
from .selection.merging import Merging, merge_by_entropy

__version__ = "0.1.0"

# name -> the module that has it, imported at first use
_LAZY = {
    "GaussianMixture": "gmmlib.estimators.gaussian_mixture",
    "KMeans": "gmmlib.estimators.kmeans",
    "CrossValidation": "gmmlib.selection.resampling",
    "LikelihoodRatio": "gmmlib.selection.resampling",
    "SelectionTable": "gmmlib.selection.table",
    "bootstrap_likelihood_ratio": "gmmlib.selection.resampling",
    "bootstrap_parameters": "gmmlib.selection.uncertainty",
    "cross_validate": "gmmlib.selection.resampling",
    "datasets": "gmmlib.datasets",
    "explorers": "gmmlib.explorers",
    "plotting": "gmmlib.plotting",
    "selection_table": "gmmlib.selection.table",
    "standard_errors": "gmmlib.selection.uncertainty",
}

__all__ = [
    "Assignment",
    "EMResult",
    "EStep",
    "KMeansResult",
    "Merging",
    "Mixture",
    "aic",
    "aic_scorer",
    "assign",
    "bic",
    "bic_scorer",
    "conditional",
    "e_step",
    "em",
    "fit_gaussian",
    "icl",
    "icl_scorer",
    "kmeans_plusplus",
    "lloyd",
    "log_gaussian",
    "log_gaussian_1d",
    "log_likelihood",
    "m_step",
    "marginal",
    "merge_by_entropy",
    "mixture_log_density",
    "n_parameters",
    "sample_gaussian",
    "sample_mixture",
    "update_centers",
    *_LAZY,
]


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'gmmlib' has no attribute {name!r}")
    module = import_module(_LAZY[name])
    return module if _LAZY[name] == f"gmmlib.{name}" else getattr(module, name)


def __dir__():
    return sorted([*__all__, "__version__"])
