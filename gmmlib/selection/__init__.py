"""Choosing a model: criteria, a table of them, resampling, uncertainty, merging.

`criteria` and `merging` are plain functions. `table` and `resampling` fit many mixtures,
in parallel if asked, and stand above the estimators.
"""

from .criteria import aic, bic, icl, n_parameters

__all__ = ["aic", "bic", "icl", "n_parameters"]
