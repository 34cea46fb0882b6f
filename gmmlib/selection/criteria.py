"""How many components? Criteria that charge for parameters."""

import numpy as np

from ..families.gaussian.covariance import n_covariance_parameters
from ..numerics import as_count, as_weights, total_weight

__all__ = ["aic", "aic_scorer", "bic", "bic_scorer", "icl", "icl_scorer", "n_parameters"]


def n_parameters(K, D, covariance_type="full"):
    """Free parameters of a Gaussian mixture: weights, means and covariances.

    Parameters
    ----------
    K : int
        Components.
    D : int
        Dimensions.
    covariance_type : str
        One of the five structures.

    Returns
    -------
    int
        K - 1 weights (they sum to one), K * D means, and the covariances.
    """
    K, D = as_count(K, "K"), as_count(D, "D")
    return K - 1 + K * D + n_covariance_parameters(covariance_type, K, D)


def aic(log_likelihood, n_params):
    """Akaike's criterion, -2 lnL + 2p: lower is better.

    Parameters
    ----------
    log_likelihood : float
        Sum over points, natural log.
    n_params : int

    Returns
    -------
    float
    """
    return -2 * log_likelihood + 2 * n_params


def bic(log_likelihood, n_params, N):
    """Schwarz's criterion, -2 lnL + p ln N: lower is better here.

    Some packages (mclust among them) report the negative of this.

    Parameters
    ----------
    log_likelihood : float
        Sum over points, natural log.
    n_params : int
    N : float
        Number of points, or what their weights add up to. Below one its logarithm is
        negative and would pay for parameters: give weights as counts.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `N` is not positive.
    """
    if not N > 0:
        raise ValueError(f"N must be positive, a number of points, got {N}")
    return -2 * log_likelihood + n_params * np.log(N)


def check_resp(resp):
    """A copy of `resp` as (N, K) floats whose rows are distributions, or an error."""
    resp = np.array(resp, float)
    if resp.ndim != 2 or not len(resp) or not ((resp >= 0).all() and np.allclose(resp.sum(axis=1), 1)):
        raise ValueError(f"resp must be (N, K) and non-negative, with rows that sum to one; its shape is {resp.shape}")
    return resp


def label_entropy(resp):
    """-sum_k resp ln resp of every row, where 0 ln 0 is 0: the doubt about its label."""
    return -np.sum(resp * np.log(np.where(resp > 0, resp, 1.0)), axis=1)


def icl(log_likelihood, n_params, resp, sample_weight=None):
    """Integrated completed likelihood: BIC plus twice the entropy of the labels.

    Parameters
    ----------
    log_likelihood : float
        Sum over points, natural log.
    n_params : int
    resp : array_like of shape (N, K)
        Responsibilities; rows sum to one.
    sample_weight : array_like of shape (N,), optional
        How often each row counts, as in the log-likelihood.

    Returns
    -------
    float
        Lower is better; never below BIC, equal to it when every label is certain.

    Raises
    ------
    ValueError
        If `resp` is no table of responsibilities or the weights do not fit it.

    Notes
    -----
    Biernacki, Celeux and Govaert (2000), with responsibilities in place of labels.
    """
    resp = check_resp(resp)
    entropy = as_weights(sample_weight, len(resp)) @ label_entropy(resp)  # per row
    total = total_weight(sample_weight, len(resp))
    return bic(log_likelihood, n_params, total) + 2 * total * entropy


def aic_scorer(estimator, X, y=None, sample_weight=None):
    """Minus the AIC of a fitted estimator on `X`: higher is better, as scikit-learn wants it.

    A scorer for `GridSearchCV(..., scoring=aic_scorer)`. A criterion belongs to the data
    the model was fitted to, so let the one fold be everything: `cv=[(rows, rows)]` with
    `rows = np.arange(len(X))`. For a score on rows held out leave `scoring` alone:
    `estimator.score` is the mean log-likelihood, and needs no charge for parameters.

    Parameters
    ----------
    estimator : fitted estimator
        With a method `aic`; scikit-learn's own needs `sample_weight` to be None.
    X : array_like of shape (N, D)
    y : ignored
    sample_weight : array_like of shape (N,), optional

    Returns
    -------
    float
    """
    return -_of(estimator, "aic", X, sample_weight)


def bic_scorer(estimator, X, y=None, sample_weight=None):
    """Minus the BIC of a fitted estimator on `X`: higher is better. Used as `aic_scorer`."""
    return -_of(estimator, "bic", X, sample_weight)


def icl_scorer(estimator, X, y=None, sample_weight=None):
    """Minus the ICL of a fitted estimator on `X`: higher is better. Used as `aic_scorer`."""
    return -_of(estimator, "icl", X, sample_weight)


def _of(estimator, criterion, X, sample_weight):
    """What the last step of a pipeline, or the estimator, says of `X` as that step sees it."""
    if hasattr(estimator, "steps"):
        X, estimator = estimator[:-1].transform(X), estimator[-1]
    if not hasattr(estimator, criterion):
        raise ValueError(f"estimator must have a method {criterion}, as gmmlib.GaussianMixture has, got {estimator!r}")
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    return getattr(estimator, criterion)(X, **weights)
