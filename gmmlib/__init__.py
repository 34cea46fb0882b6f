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
from .selection import aic, bic, icl, n_parameters

__version__ = "0.1.0"

# name -> the module that has it, imported at first use
_LAZY = {
    "GaussianMixture": "gmmlib.estimators.gaussian_mixture",
    "KMeans": "gmmlib.estimators.kmeans",
    "datasets": "gmmlib.datasets",
    "explorers": "gmmlib.explorers",
    "plotting": "gmmlib.plotting",
}

__all__ = [
    "Assignment",
    "EMResult",
    "EStep",
    "KMeansResult",
    "Mixture",
    "aic",
    "assign",
    "bic",
    "conditional",
    "e_step",
    "em",
    "fit_gaussian",
    "icl",
    "kmeans_plusplus",
    "lloyd",
    "log_gaussian",
    "log_gaussian_1d",
    "log_likelihood",
    "m_step",
    "marginal",
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
