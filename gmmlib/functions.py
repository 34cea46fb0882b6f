"""E-step, M-step and EM as plain functions of arrays."""

from typing import NamedTuple

import numpy as np

from .engine.run import run_em
from .families.gaussian.covariance import (
    MATRIX,
    as_covariances,
    check_covariance_type,
    check_symmetric,
    full_covariances,
)
from .families.gaussian.density import log_gaussian, mixture_log_joint, sample_gaussian
from .families.gaussian.em import em_map, given, m_step_from, make_points
from .families.gaussian.parameters import Mixture, enter, leave
from .numerics import (
    OneBlasThread,
    as_count,
    as_points,
    as_rng,
    as_weights,
    blocks,
    log_normalise,
    rows_that_count,
    total_weight,
)

FAR_AWAY = -1e100  # a log-density below this is written anew: distances stop where squares no longer fit

__all__ = [
    "EMResult",
    "EStep",
    "Mixture",
    "e_step",
    "em",
    "log_likelihood",
    "m_step",
    "mixture_log_density",
    "sample_mixture",
]


class EStep(NamedTuple):
    """What the E-step knows: (N, K) responsibilities and (N,) log-densities."""

    resp: np.ndarray
    log_density: np.ndarray


class EMResult(NamedTuple):
    """Where EM stopped, and the log-likelihood at the start and after each iteration."""

    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray
    log_likelihoods: np.ndarray
    n_iter: int
    converged: bool


def _check_reg(reg_covar):
    if not 0 <= reg_covar < np.inf:
        raise ValueError(f"reg_covar must be finite and non-negative, got {reg_covar}")


def _checked(weights, means, covs, kind, D):
    """Parameters as arrays of consistent shape, or a clear error."""
    weights, means = np.asarray(weights, float), np.asarray(means, float)
    if weights.ndim != 1:
        raise ValueError(f"weights must have shape (K,), got {weights.shape}")
    K = len(weights)
    if means.shape != (K, D):
        raise ValueError(f"means must have shape ({K}, {D}) to fit weights and X, got {means.shape}")
    if (weights < 0).any() or not np.isclose(weights.sum(), 1):
        raise ValueError(f"weights must be non-negative and sum to one, got {weights}")
    if not np.isfinite(means).all():
        raise ValueError(f"means contains NaN or infinity: {means}")
    covs = as_covariances(covs, kind, K, D)
    if kind in MATRIX:
        check_symmetric(covs, f"{kind} covariances")
    return weights / weights.sum(), means, covs


@OneBlasThread()
def e_step(X, weights, means, covs, covariance_type="full"):
    """Responsibilities of every component for every point.

    Parameters
    ----------
    X : array_like of shape (N, D)
        Points, in some unit u.
    weights : array_like of shape (K,)
        Non-negative, sum to one.
    means : array_like of shape (K, D)
        In u.
    covs : array_like
        In u**2, shaped as `covariance_type` says.
    covariance_type : {"full", "tied", "diag", "spherical", "tied_spherical"}

    Returns
    -------
    EStep
        `resp` of shape (N, K), rows sum to one; `log_density` of shape (N,), the
        natural log of the mixture's density at each point, per u**D.

    Raises
    ------
    ValueError
        If shapes disagree, weights do not sum to one, or a covariance is not
        positive definite.

    Notes
    -----
    Bishop (2006), eq. 9.23. Derived in chapters/06_responsibilities.ipynb.
    """
    X = as_points(X)
    (N, D), K = X.shape, len(np.atleast_1d(weights))
    weights, means, covs = _checked(weights, means, covs, covariance_type, D)
    resp, log_density = np.empty((K, N)), np.empty(N)
    log_joint = mixture_log_joint(weights, means, covs, covariance_type)
    for rows in blocks(N, K + 2 * D):
        resp[:, rows], log_density[rows] = log_normalise(log_joint(X[rows]))
    if (far := log_density < FAR_AWAY).any():
        full = full_covariances(covs, covariance_type, *means.shape)
        log_density[far] = far_log_density(X[far], weights, means, full)
    return EStep(resp.T, log_density)


def far_log_density(X, weights, means, covs):
    """Log-density where the nearest component is all of the sum; -inf where float64 ends."""
    parts = zip(weights, means, covs, strict=True)
    return np.max([log_gaussian(X, mean, cov) + np.log(weight) for weight, mean, cov in parts if weight], axis=0)


def mixture_log_density(X, weights, means, covs, covariance_type="full"):
    """Log-density of the mixture at every row of `X`; arguments as in `e_step`.

    Returns
    -------
    ndarray of shape (N,)
        Natural log; the sum over components happens in the log's scale.
    """
    return e_step(X, weights, means, covs, covariance_type).log_density


def log_likelihood(X, weights, means, covs, covariance_type="full", sample_weight=None):
    """Log-likelihood of the mixture: the sum over points of its log-density.

    Parameters
    ----------
    X, weights, means, covs, covariance_type
        As in `e_step`.
    sample_weight : array_like of shape (N,), optional
        How often each row counts.

    Returns
    -------
    float
        Natural log; may be positive, because densities may exceed one.
    """
    log_density = mixture_log_density(X, weights, means, covs, covariance_type)
    if sample_weight is None:
        return float(log_density.sum())
    share, total = as_weights(sample_weight, len(log_density)), total_weight(sample_weight, len(log_density))
    share, log_density = rows_that_count(share, log_density)
    return float(share @ log_density) * total


@OneBlasThread()
def m_step(X, resp, covariance_type="full", reg_covar=0.0, sample_weight=None):
    """Weighted maximum likelihood, one component at a time.

    Parameters
    ----------
    X : array_like of shape (N, D)
        Points, in some unit u.
    resp : array_like of shape (N, K)
        Responsibilities; rows sum to one.
    covariance_type : {"full", "tied", "diag", "spherical", "tied_spherical"}
    reg_covar : float
        In u**2, added once to every variance; with 0 EM's log-likelihood never falls.
    sample_weight : array_like of shape (N,), optional
        Non-negative; only ratios matter.

    Returns
    -------
    Mixture
        weights (K,), means (K, D), and covariances around the *new* means.

    Raises
    ------
    ValueError
        If shapes disagree, a component is left without points, or its covariance
        is singular.

    Notes
    -----
    Bishop (2006), eqs. 9.24 to 9.26. Derived in chapters/09_em_gaussian_mixtures.ipynb.
    """
    check_covariance_type(covariance_type)
    X, resp = as_points(X), np.asarray(resp, float)
    if resp.ndim != 2 or len(resp) != len(X):
        raise ValueError(f"resp must have shape ({len(X)}, K), one row a point, got {resp.shape}")
    if not ((resp >= 0).all() and np.allclose(resp.sum(axis=1), 1)):
        raise ValueError("resp must be non-negative, with rows that sum to one")
    _check_reg(reg_covar)
    share = None if sample_weight is None else as_weights(sample_weight, len(X))
    share, X, resp = rows_that_count(share, X, resp)
    points = make_points(X, covariance_type, share)
    return leave(m_step_from(points, given(resp), reg_covar / points.frame.scale**2))


@OneBlasThread()
def em(X, weights, means, covs, covariance_type="full", tol=1e-10, max_iter=1000, reg_covar=0.0, sample_weight=None):
    """Alternate E- and M-steps until the mean log-likelihood changes by less than `tol`.

    Parameters
    ----------
    X : array_like of shape (N, D)
    weights, means, covs
        The start, as in `e_step`.
    covariance_type : {"full", "tied", "diag", "spherical", "tied_spherical"}
    tol : float
        Stop when an iteration gains less than this much log-likelihood a point.
    max_iter : int
        An upper bound on the iterations.
    reg_covar, sample_weight
        As in `m_step`.

    Returns
    -------
    EMResult
        `log_likelihoods[0]` belongs to the start, entry i to the parameters
        after iteration i; each is a sum over points.
    """
    check_covariance_type(covariance_type)
    _check_reg(reg_covar)
    X, max_iter = as_points(X), as_count(max_iter, "max_iter", 0)
    share = None if sample_weight is None else as_weights(sample_weight, len(X))
    total = total_weight(sample_weight, len(X))
    share, X = rows_that_count(share, X)
    points = make_points(X, covariance_type, share)
    start = enter(points.frame, covariance_type, *_checked(weights, means, covs, covariance_type, X.shape[1]))
    params, trace, converged = run_em(em_map(points, reg_covar / points.frame.scale**2), start, tol, max_iter)
    return EMResult(*leave(params), total * np.array(trace), len(trace) - 1, converged)


def sample_mixture(rng, n, weights, means, covs, covariance_type="full"):
    """Draw `n` points from a mixture: first a component, then a point from it.

    Parameters
    ----------
    rng : numpy.random.Generator or int
        A whole number is a seed.
    n : int
    weights, means, covs, covariance_type
        As in `e_step`.

    Returns
    -------
    X : ndarray of shape (n, D)
        In the order drawn, not sorted by component.
    labels : ndarray of shape (n,)
        The component each point came from.
    """
    D = np.asarray(means).shape[-1] if np.ndim(means) == 2 else 1
    weights, means, covs = _checked(weights, means, covs, covariance_type, D)
    rng = as_rng(rng)
    labels = rng.choice(len(weights), size=as_count(n, "n", 0), p=weights)
    X = np.empty((n, means.shape[1]))
    for k, cov in enumerate(full_covariances(covs, covariance_type, *means.shape)):
        X[labels == k] = sample_gaussian(rng, (labels == k).sum(), means[k], cov)
    return X, labels
