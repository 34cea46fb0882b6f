"""A mixture's parameters: made ready for the E-step, remade by the M-step."""

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dtrtri

from .covariance import regularised
from .gaussian import cholesky
from .numerics import LOG_2PI

ILL_DEFINED = (
    "Fitting the mixture model failed because some components have ill-defined empirical "
    "covariance (for instance caused by singleton or collapsed samples). Try to decrease the "
    "number of components, increase reg_covar, or scale the input data."
)


NOTHING = 1e-200  # less of the data than this is rounding (`log_normalise` stops at e**-500)


class Components(NamedTuple):
    """Weights, means and covariances with what their log-density needs.

    `roots` are inverse Cholesky factors U (U' U is the precision); roots and
    precisions are shaped like the covariances. `log_norm` (K,) is
    ln weight + ln|U| - D/2 ln 2 pi.
    """

    kind: str
    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray
    roots: np.ndarray
    precisions: np.ndarray
    log_norm: np.ndarray

    def cancellation(self, about=0.0):
        """How many times larger than their sum the terms around `about` are.

        Expanding (z - mean)' Lambda (z - mean) around another point subtracts
        numbers this large from each other, and loses that many times the rounding
        error.
        """
        precision, offset = np.abs(self.precisions), np.abs(self.means - about)
        if self.kind in ("full", "tied"):
            spread = (precision * np.abs(self.covs)).sum(axis=(-2, -1))
            return (((precision @ offset[:, :, None])[:, :, 0] * offset).sum(axis=1) + spread).max()
        if self.kind == "spherical":
            precision = precision[:, None]
        return (precision * offset**2).sum(axis=1).max() + offset.shape[1]


def inverse_roots(covs, kind):
    """U with U cov U' = I, shaped like `covs`: inverse Cholesky factors or 1/sd."""
    if kind in ("full", "tied"):
        return inverse_triangular(cholesky(covs, "covs"))
    if not np.all(covs > 0):
        raise ValueError(f"covs must be positive, got {np.min(covs)}: use fewer components or raise reg_covar")
    return 1 / np.sqrt(covs)


def inverse_triangular(L):
    """Inverses of lower triangular matrices (..., D, D)."""
    return np.array([dtrtri(one, lower=1)[0] for one in L.reshape(-1, *L.shape[-2:])]).reshape(L.shape)


def make_components(kind, weights, means, covs):
    """Factor the covariances.

    Raises
    ------
    ValueError
        If a covariance is not positive definite.
    """
    D, roots = means.shape[1], inverse_roots(covs, kind)
    if kind in ("full", "tied"):
        precisions = np.swapaxes(roots, -1, -2) @ roots
        log_det = np.log(roots.diagonal(axis1=-2, axis2=-1)).sum(axis=-1)
    else:
        precisions = roots**2
        log_det = np.log(roots).sum(axis=-1) if kind == "diag" else D * np.log(roots)
    with np.errstate(divide="ignore"):  # a weight of zero is allowed: ln 0 = -inf
        log_norm = np.log(weights) + (log_det - 0.5 * D * LOG_2PI)
    return Components(kind, weights, means, covs, roots, precisions, log_norm)


class Moments(NamedTuple):
    """What the M-step needs: sums of resp, resp y and resp yy', y = z - about.

    `second` is kept as the structure needs it: (K, D, D) for full, (D, D) for
    tied, (K, D) for diag, (K,) for spherical, () for tied_spherical.
    """

    mass: np.ndarray  # (K,)
    first: np.ndarray  # (K, D)
    second: np.ndarray


def maximise(kind, moments, about, reg, old=None):
    """The M-step: weights, means, and covariances around the new means.

    Parameters
    ----------
    kind : str
        Covariance structure.
    moments : Moments
    about : ndarray of shape (D,) or (K, D)
        What the moments were taken around.
    reg : ndarray of shape (D,)
        Added once to every variance.
    old : Components, optional
        Where a component that lost all its points stays, with weight zero.

    Returns
    -------
    Components

    Raises
    ------
    ValueError
        If a component is left without points and `old` is not given, or its
        covariance is not positive definite.
    """
    dead = moments.mass < NOTHING
    mass = np.where(dead, 0.0, moments.mass)
    if dead.any() and old is None:
        raise ValueError(f"component {int(dead.argmax())} has no points: use fewer components or another start")
    safe = np.where(dead, 1.0, mass)
    shift = moments.first / safe[:, None]
    means, covs = about + shift, _covariances(kind, moments, safe, shift)
    covs = regularised(covs, kind, reg)
    if dead.any():
        means[dead] = old.means[dead]
        if not kind.startswith("tied"):
            covs[dead] = old.covs[dead]
    try:
        return make_components(kind, mass / mass.sum(), means, covs)
    except ValueError as err:
        raise ValueError(ILL_DEFINED) from err


def _covariances(kind, moments, safe, shift):
    """Second moments moved from the point of reference to the new means."""
    mass, _, second = moments
    if kind == "full":
        return second / safe[:, None, None] - shift[:, :, None] * shift[:, None, :]
    if kind == "tied":
        return (second - (mass * shift.T) @ shift) / mass.sum()
    if kind == "diag":
        return second / safe[:, None] - shift**2
    length = (shift**2).sum(axis=1)
    D = shift.shape[1]
    if kind == "spherical":
        return (second / safe - length) / D
    return (second - mass @ length) / (D * mass.sum())
