"""A mixture's parameters: made ready for the E-step, remade by the M-step."""

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dtrtri

from ...numerics import LOG_2PI, SMALLEST, Frame
from .covariance import regularised
from .density import cholesky

ILL_DEFINED = (
    "Fitting the mixture model failed because some components have ill-defined empirical "
    "covariance (for instance caused by singleton or collapsed samples). Try to decrease the "
    "number of components, increase reg_covar, or scale the input data."
)


ROUNDING = 8 * np.finfo(float).eps  # a standard deviation below this, in the frame's units, is none
NOTHING = 1e-200  # less of the data than this is rounding (`log_normalise` stops at e**-500)


class Components(NamedTuple):
    """Weights, means and covariances with what their log-density needs.

    Means are in x's coordinates, so that none loses digits to another; covariances
    and what follows from them are in the units of `frame.scale`. `roots` are inverse
    Cholesky factors U (U' U is the precision); roots and precisions are shaped like
    the covariances. `log_norm` (K,) is ln weight + ln|U| - D/2 ln 2 pi.
    """

    kind: str
    frame: Frame
    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray
    roots: np.ndarray
    precisions: np.ndarray
    log_norm: np.ndarray
    spread: float  # what correlation costs: see `spread`

    def offsets(self, about=None):
        """Means (K, D) as seen from `about`, or from the frame's origin, in its units."""
        return (self.means - (self.frame.origin if about is None else about)) / self.frame.scale

    def cancellation(self, about=None):
        """How many times larger than their sum the terms of m' Lambda m are, m the means as seen from `about`.

        Moving second moments from there to the means subtracts numbers this large from
        each other, and loses that many times the rounding error.
        """
        precision, offset = np.abs(self.precisions), np.abs(self.offsets(about))
        if self.kind in ("full", "tied"):
            return ((precision @ offset[:, :, None])[:, :, 0] * offset).sum(axis=1).max()
        return ((precision[:, None] if self.kind == "spherical" else precision) * offset**2).sum(axis=1).max()


def spread(kind, precisions, covs, D):
    """How many times larger than their sum the terms of z' Lambda z are for z one deviation from the mean.

    It is what correlation costs: no other point of reference changes it.
    """
    return (np.abs(precisions) * np.abs(covs)).sum(axis=(-2, -1)).max() if kind in ("full", "tied") else D


def inverse_roots(covs, kind):
    """U with U cov U' = I, shaped like `covs`: inverse Cholesky factors or 1/sd."""
    if kind in ("full", "tied"):
        return inverse_triangular(cholesky(covs, "covs"))
    if not (np.all(covs > 0) and np.all(np.isfinite(covs))):
        raise ValueError(f"covs must be positive and finite: use fewer components or raise reg_covar; got {covs}")
    return 1 / np.sqrt(covs)


def inverse_triangular(L):
    """Inverses of lower triangular matrices (..., D, D)."""
    return np.array([dtrtri(one, lower=1)[0] for one in L.reshape(-1, *L.shape[-2:])]).reshape(L.shape)


def make_components(kind, frame, weights, means, covs):
    """Factor the covariances.

    Raises
    ------
    ValueError
        If a covariance is not positive definite.
    """
    D, roots = means.shape[1], inverse_roots(covs, kind)
    if not np.abs(roots).max() * SMALLEST < 1:
        raise ValueError("covs are too small for float64 beside the distances between the means")
    if kind in ("full", "tied"):
        precisions = np.swapaxes(roots, -1, -2) @ roots
        log_det = np.log(roots.diagonal(axis1=-2, axis2=-1)).sum(axis=-1)
    else:
        precisions = roots**2
        log_det = np.log(roots).sum(axis=-1) if kind == "diag" else D * np.log(roots)
    # a weight of zero is allowed; ln 0 is taken to be finite, because inf - inf is no number
    log_weights = np.log(weights, out=np.full(len(weights), -1e300), where=weights > 0)
    log_norm = log_weights + (log_det - 0.5 * D * LOG_2PI)
    return Components(kind, frame, weights, means, covs, roots, precisions, log_norm, spread(kind, precisions, covs, D))


class Moments(NamedTuple):
    """What the M-step needs: sums of resp, resp y and resp yy', y = (x - about) / scale.

    `second` is kept as the structure needs it: (K, D, D) for full, (D, D) for
    tied, (K, D) for diag, (K,) for spherical, () for tied_spherical.
    """

    about: np.ndarray  # (D,) or (K, D)
    mass: np.ndarray  # (K,)
    first: np.ndarray  # (K, D)
    second: np.ndarray


def new_means(frame, moments, old=None):
    """Means (K, D) the moments give; a component without points stays where it was.

    Raises
    ------
    ValueError
        If a component is left without points and `old` is not given.
    """
    dead = moments.mass < NOTHING
    if dead.any() and old is None:
        raise ValueError(f"component {int(dead.argmax())} has no points: use fewer components or another start")
    means = moments.about + frame.scale * moments.first / np.where(dead, 1.0, moments.mass)[:, None]
    if dead.any():
        means[dead] = old.means[dead]
    return means


def maximise(kind, frame, moments, reg, old=None):
    """The M-step: weights, means, and covariances around the new means.

    Parameters
    ----------
    kind : str
        Covariance structure.
    frame : Frame
    moments : Moments
    reg : ndarray of shape (D,)
        Added once to every variance, in the frame's units.
    old : Components, optional
        Where a component that lost all its points stays, with weight zero.

    Returns
    -------
    Components

    Raises
    ------
    ValueError
        If a component is left without points and `old` is not given, or its
        covariance is no larger than rounding.
    """
    means, dead = new_means(frame, moments, old), moments.mass < NOTHING
    mass = np.where(dead, 0.0, moments.mass)
    covs = regularised(_covariances(kind, moments, np.where(dead, 1.0, mass)), kind, reg)
    if dead.any() and not kind.startswith("tied"):
        covs[dead] = old.covs[dead]
    try:
        new = make_components(kind, frame, mass / mass.sum(), means, covs)
    except ValueError as err:
        raise ValueError(ILL_DEFINED) from err
    roots = new.roots.diagonal(axis1=-2, axis2=-1) if kind in ("full", "tied") else new.roots
    if np.max(roots) * ROUNDING > 1:
        raise ValueError(ILL_DEFINED)
    return new


def _covariances(kind, moments, mass):
    """Second moments moved from the point of reference to the new means; `mass` > 0."""
    second, shift, total = moments.second, moments.first / mass[:, None], moments.mass.sum()
    if kind == "full":
        return second / mass[:, None, None] - shift[:, :, None] * shift[:, None, :]
    if kind == "tied":
        between = moments.first.T @ shift
        return (second - 0.5 * (between + between.T)) / total  # symmetric to the last bit
    if kind == "diag":
        return second / mass[:, None] - shift**2
    length, D = (shift**2).sum(axis=1), shift.shape[1]
    if kind == "spherical":
        return (second / mass - length) / D
    return (second - moments.mass @ length) / (D * total)
