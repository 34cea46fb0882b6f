"""How sure are the estimates? The observed information, and the bootstrap."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..families.gaussian.covariance import full_covariances
from ..families.gaussian.parameters import Mixture
from ..functions import _checked, e_step, em, sample_mixture
from ..numerics import as_points, as_rng, as_weights, rows_that_count, total_weight
from .tasks import check_n_boot, n_draws, run_tasks

__all__ = ["bootstrap_parameters", "standard_errors"]

STEP = 1e-5  # of a parameter's own scale, for the derivative of the score
AWAY = 0.05  # standard errors that the parameters may lie from the maximum


def _free(weights, means, covs, kind):
    """The parameters that may vary: K - 1 weights, means, and each covariance's own numbers."""
    lower = np.tril_indices(means.shape[1])
    free = covs[..., lower[0], lower[1]] if kind in ("full", "tied") else covs
    return np.concatenate([weights[:-1], means.ravel(), np.ravel(free)])


def _from_free(v, kind, K, D):
    """Weights, means and covariances of a vector of `_free`."""
    weights = np.append(v[: K - 1], 1 - v[: K - 1].sum())
    means, rest = v[K - 1 : K - 1 + K * D].reshape(K, D), v[K - 1 + K * D :]
    if kind not in ("full", "tied"):
        return weights, means, rest.reshape({"diag": (K, D), "spherical": (K,), "tied_spherical": ()}[kind])
    lower = np.tril_indices(D)
    covs = np.zeros((K, D, D) if kind == "full" else (D, D))
    covs[..., lower[0], lower[1]] = covs[..., lower[1], lower[0]] = rest.reshape(*covs.shape[:-2], -1)
    return weights, means, covs


def _score(v, X, row_weights, kind, K):
    """Gradient of the log-likelihood by every free parameter, through the responsibilities."""
    D = X.shape[1]
    weights, means, covs = _from_free(v, kind, K, D)
    resp = e_step(X, weights, means, covs, kind).resp * row_weights[:, None]
    counts, share = resp.sum(axis=0), resp.sum(axis=0) / weights
    precisions = np.linalg.inv(full_covariances(covs, kind, K, D))
    apart = X - means[:, None]  # (K, N, D)
    by_mean = np.einsum("kde,nk,kne->kd", precisions, resp, apart)
    second = np.einsum("nk,knd,kne->kde", resp, apart, apart)
    by_cov = 0.5 * (precisions @ second @ precisions - counts[:, None, None] * precisions)
    if kind.startswith("tied"):
        by_cov = by_cov.sum(axis=0)
    if kind in ("full", "tied"):
        lower = np.tril_indices(D)  # an entry off the diagonal stands twice in a covariance
        by_cov = (by_cov * (2 - np.eye(D)))[..., lower[0], lower[1]]
    else:
        by_cov = np.diagonal(by_cov, axis1=-2, axis2=-1)
        by_cov = by_cov if kind == "diag" else by_cov.sum(axis=-1)
    return np.concatenate([share[:-1] - share[-1], by_mean.ravel(), np.ravel(by_cov)])


def _scales(weights, means, covs, kind):
    """A length for each free parameter, of which a small part is a small step."""
    K, D = means.shape
    full = full_covariances(covs, kind, K, D)
    sd = np.sqrt(np.diagonal(full, axis1=1, axis2=2))  # (K, D)
    products = sd[0][:, None] * sd[0] if kind == "tied" else sd[:, :, None] * sd[:, None]
    lengths = products if kind in ("full", "tied") else covs
    return _free(np.append(np.minimum(weights[:-1], weights[-1]), 0), sd, lengths, kind)


def standard_errors(X, weights, means, covs, covariance_type="full", sample_weight=None):
    """Standard errors of a maximum-likelihood fit from the observed information.

    Parameters
    ----------
    X : array_like of shape (N, D)
        The points it was fitted to.
    weights, means, covs, covariance_type
        A local maximum of the log-likelihood, shaped as in `e_step`.
    sample_weight : array_like of shape (N,), optional
        How often each row counts.

    Returns
    -------
    Mixture
        A standard error for every parameter, in its unit, shaped as the parameters are.

    Raises
    ------
    ValueError
        If the parameters are no maximum: EM stopped early, or the surface is flat there,
        as it is with more components than the data tell apart.

    Notes
    -----
    The information is minus the derivative of the score, taken by central differences;
    its inverse is the estimates' covariance when N is large and the model true. The last
    weight is one minus the others, and so is its variance found. Derived in
    chapters/12_how_many.ipynb.
    """
    X = as_points(X)
    weights, means, covs = _checked(weights, means, covs, covariance_type, X.shape[1])
    if not (weights > 0).all():
        raise ValueError(f"weights must be positive, got {weights}: leave out the component without points")
    share, total = as_weights(sample_weight, len(X)), total_weight(sample_weight, len(X))
    share, X = rows_that_count(share, X)
    rows = share * total
    origin, K = X.mean(axis=0), len(weights)
    X = X - origin
    v = _free(weights, means - origin, covs, covariance_type)
    scale = _scales(weights, means, covs, covariance_type)
    score = scale * _score(v, X, rows, covariance_type, K)
    information = np.empty((len(v), len(v)))
    for i, step in enumerate(STEP * np.eye(len(v)) * scale):
        up, down = (_score(v + way * step, X, rows, covariance_type, K) for way in (1, -1))
        information[i] = scale * (down - up) / (2 * STEP)  # eq-observed-information
    try:
        factor = cho_factor((information + information.T) / 2)
    except LinAlgError as err:
        raise ValueError(
            "the information is not positive definite, so these parameters are no isolated maximum: "
            "run em further, or fit fewer components"
        ) from err
    cov = cho_solve(factor, np.eye(len(v)))
    away = np.sqrt(score @ cov @ score)
    if away > AWAY:
        raise ValueError(f"the parameters lie {away:.2g} standard errors from the maximum: run em with a smaller tol")
    errors = scale * np.sqrt(np.diagonal(cov))
    free = K - 1
    last = np.sqrt(max(scale[:free] @ cov[:free, :free] @ scale[:free], 0.0))
    _, by_mean, by_cov = _from_free(errors, covariance_type, K, X.shape[1])
    return Mixture(np.append(errors[:free], last), by_mean, by_cov)


def bootstrap_parameters(
    X,
    weights,
    means,
    covs,
    covariance_type="full",
    *,
    sample_weight=None,
    n_boot=200,
    parametric=False,
    tol=1e-8,
    max_iter=2000,
    reg_covar=0.0,
    rng=0,
    n_jobs=None,
    progress=False,
):
    """Fit samples like the data again and again, from the fit.

    Parameters
    ----------
    X : array_like of shape (N, D)
    weights, means, covs, covariance_type
        The fit, shaped as in `e_step`.
    sample_weight : array_like of shape (N,), optional
        Counts: each sample has as many points as they add up to.
    n_boot : int
        Samples, B.
    parametric : bool
        Draw from the fitted mixture; otherwise draw rows of `X` with replacement.
    tol, max_iter, reg_covar
        As in `em`.
    rng, n_jobs, progress
        As in `selection_table`.

    Returns
    -------
    Mixture
        Of (B, K), (B, K, D) and (B, ...): a row a sample. Standard errors are their
        standard deviations over the first axis.

    Raises
    ------
    ValueError
        If an argument is unusable, or a component collapses in a sample.

    Notes
    -----
    Every run starts at the fit, which keeps the components' order wherever they are well
    apart; where they are not, they may change places, and the standard deviations say so.
    """
    X = as_points(X)
    weights, means, covs = _checked(weights, means, covs, covariance_type, X.shape[1])
    share, n = as_weights(sample_weight, len(X)), n_draws(sample_weight, len(X))
    fitted = weights, means, covs, covariance_type
    tasks = [(X, share, n, fitted, parametric, (tol, max_iter, reg_covar))] * check_n_boot(n_boot)
    fits = run_tasks(_refit, tasks, as_rng(rng), n_jobs, progress, "bootstrap")
    return Mixture(*map(np.array, zip(*fits, strict=True)))


def _refit(X, share, n, fitted, parametric, how, rng):
    """The fit to one bootstrap sample."""
    if parametric:
        return em(sample_mixture(rng, n, *fitted)[0], *fitted, *how)[:3]
    return em(X, *fitted, *how, sample_weight=rng.multinomial(n, share))[:3]
