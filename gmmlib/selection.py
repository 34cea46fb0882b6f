"""How many components? Criteria that charge for parameters."""

import numpy as np

from .families.gaussian.covariance import n_covariance_parameters
from .numerics import as_count, as_weights, total_weight

__all__ = ["aic", "bic", "icl", "n_parameters"]


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
        Number of points, or what their weights add up to.

    Returns
    -------
    float
    """
    if not N > 0:
        raise ValueError(f"N must be positive, a number of points, got {N}")
    return -2 * log_likelihood + n_params * np.log(N)


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

    Notes
    -----
    Biernacki, Celeux and Govaert (2000), with responsibilities in place of labels.
    """
    resp = np.asarray(resp, float)
    if resp.ndim != 2 or not ((resp >= 0).all() and np.allclose(resp.sum(axis=1), 1)):
        raise ValueError(f"resp must be (N, K) and non-negative, with rows that sum to one; its shape is {resp.shape}")
    entropy = -np.sum(resp * np.log(np.where(resp > 0, resp, 1.0)), axis=1)
    entropy = as_weights(sample_weight, len(resp)) @ entropy  # per row
    total = total_weight(sample_weight, len(resp))
    return bic(log_likelihood, n_params, total) + 2 * total * entropy
