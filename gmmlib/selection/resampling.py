"""What fits are worth on other data: cross-validation and the bootstrap likelihood ratio."""

from typing import NamedTuple

import numpy as np

from ..functions import sample_mixture
from ..numerics import as_count, as_points, as_rng, as_weights, rows_that_count, total_weight
from .tasks import check_n_boot, check_options, fit, n_draws, run_tasks

__all__ = ["CrossValidation", "LikelihoodRatio", "bootstrap_likelihood_ratio", "cross_validate"]


class CrossValidation(NamedTuple):
    """Mean log-likelihood of a point held out, its rough standard error, and that of every fold (F,)."""

    mean: float
    standard_error: float
    folds: np.ndarray


class LikelihoodRatio(NamedTuple):
    """2 (l_more - l_fewer) on the data, (B,) on samples from the smaller model, and the share of those as large."""

    statistic: float
    null: np.ndarray
    p_value: float


def make_folds(N, folds, rng):
    """Pairs (train, test) of row numbers: given, or `folds` parts of the shuffled rows."""
    if not hasattr(folds, "__iter__"):
        if as_count(folds, "folds", 2) > N:
            raise ValueError(f"folds must be at most the number of rows that count, {N}, got {folds}")
        parts = np.array_split(rng.permutation(N), folds)
        return [(np.sort(np.concatenate(parts[:i] + parts[i + 1 :])), np.sort(part)) for i, part in enumerate(parts)]
    try:
        pairs = [tuple(np.asarray(rows) for rows in pair) for pair in folds]
    except (TypeError, ValueError) as err:  # no pairs, or ragged ones
        raise ValueError(f"folds must be a number or pairs (train, test) of row numbers, got {folds!r}") from err
    if not pairs:
        raise ValueError("folds must hold one pair (train, test) at least, and holds none")
    for pair in pairs:
        if len(pair) != 2 or not all(_are_rows(rows, N) for rows in pair) or np.intersect1d(*pair).size:
            raise ValueError(f"folds must be pairs (train, test) of row numbers below {N} with no row in both")
    return pairs


def _are_rows(rows, N):
    """Whether these are some numbers of rows."""
    return rows.ndim == 1 and rows.size and rows.dtype.kind in "iu" and rows.min() >= 0 and rows.max() < N


def held_out(X, K, kind, weight, split, rng, options):
    """CrossValidation of one model over a split."""
    means, sizes = [], []
    for train, test in split:
        model = fit(X[train], K, kind, None if weight is None else weight[train], rng, options)
        one = np.ones(len(test)) if weight is None else weight[test]
        means.append(model.score(X[test], sample_weight=one))
        sizes.append(one.sum())
    error = np.std(means, ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.nan
    return CrossValidation(float(np.average(means, weights=sizes)), float(error), np.array(means))


def weighted_rows(X, sample_weight):
    """Rows that count, and their weights or None."""
    X = as_points(X)
    if sample_weight is None:
        return X, None
    share = as_weights(sample_weight, len(X))
    total_weight(sample_weight, len(X))  # or an error, where the sum overflows
    return rows_that_count(share, X, np.asarray(sample_weight, float))[1:]


def cross_validate(X, n_components, covariance_type="full", *, sample_weight=None, folds=10, rng=0, **options):
    """Log-likelihood of points that the fit has not seen.

    Parameters
    ----------
    X : array_like of shape (N, D)
    n_components : int
    covariance_type : str
    sample_weight : array_like of shape (N,), optional
        How often each row counts, in the fits and in the mean. Copies of a row stay in one fold.
    folds : int or iterable of (train, test)
        Parts of the shuffled rows, or pairs of row numbers, as scikit-learn's splitters give
        them; rows of weight zero are left out before rows are numbered.
    rng : numpy.random.Generator or int
    **options
        For `GaussianMixture`, as in `selection_table`.

    Returns
    -------
    CrossValidation
        `mean` is a point's, so N times it compares with a log-likelihood. The standard
        error treats folds as independent, which they are not quite.

    Raises
    ------
    ValueError
        If an argument is unusable, or a component collapses.

    Notes
    -----
    Smyth (2000). The same number as the mean of scikit-learn's `cross_val_score` where
    folds are equally large.
    """
    check_options(options)
    X, weight = weighted_rows(X, sample_weight)
    K, rng = as_count(n_components, "n_components"), as_rng(rng)
    return held_out(X, K, covariance_type, weight, make_folds(len(X), folds, rng), rng, options)


def bootstrap_likelihood_ratio(
    X,
    n_components,
    covariance_type="full",
    *,
    sample_weight=None,
    n_boot=99,
    rng=0,
    n_jobs=None,
    progress=False,
    **options,
):
    """Test K components against K + 1, with a null distribution made by simulation.

    Parameters
    ----------
    X : array_like of shape (N, D)
    n_components : int
        K, of the smaller model.
    covariance_type : str
    sample_weight : array_like of shape (N,), optional
        Counts: each simulated sample has as many points as they add up to.
    n_boot : int
        Samples to draw, B.
    rng, n_jobs, progress, **options
        As in `selection_table`.

    Returns
    -------
    LikelihoodRatio
        The p-value is (1 + how many of B are as large) / (B + 1), so never zero.

    Raises
    ------
    ValueError
        If an argument is unusable, or a component collapses.

    Notes
    -----
    McLachlan (1987). The smaller model is a limit of the larger, whose supremum is
    therefore no lower: a negative difference means that the starts missed it, and counts as zero.
    """
    check_options(options)
    X, weight = weighted_rows(X, sample_weight)
    K, n, B = as_count(n_components, "n_components"), n_draws(weight, len(X)), check_n_boot(n_boot)
    rng = as_rng(rng)
    statistic, null = _ratio(X, K, covariance_type, weight, rng, options)
    model = null.weights_, null.means_, null.covariances_, covariance_type
    tasks = [(n, model, options)] * B
    draws = np.array(run_tasks(_replicate, tasks, rng, n_jobs, progress, "bootstrap"))
    return LikelihoodRatio(statistic, draws, (1 + np.sum(draws >= statistic)) / (B + 1))  # eq-bootstrap-p


def _ratio(X, K, kind, weight, rng, options):
    """Twice the difference of two log-likelihoods, and the smaller model."""
    fewer, more = (fit(X, k, kind, weight, rng, options) for k in (K, K + 1))
    total = len(X) if weight is None else weight.sum()
    gain = more.score(X, sample_weight=weight) - fewer.score(X, sample_weight=weight)
    return max(0.0, 2 * total * gain), fewer  # eq-lrt


def _replicate(n, model, options, rng):
    """The statistic of one sample from the smaller model."""
    weights, *_, kind = model
    return _ratio(sample_mixture(rng, n, *model)[0], len(weights), kind, None, rng, options)[0]
