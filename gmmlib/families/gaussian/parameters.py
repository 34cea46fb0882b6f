"""A mixture's parameters: made ready for the E-step, remade by the M-step.

The M-step is derived in chapter 9.
"""

from typing import NamedTuple

import numpy as np

from ...numerics import FAR, SMALLEST, Frame
from .covariance import MATRIX, SHARED, inverse_roots, log_norms, regularised, rescaled

ILL_DEFINED = (
    "Fitting the mixture model failed because some components have ill-defined empirical "
    "covariance (for instance caused by singleton or collapsed samples). Try to decrease the "
    "number of components, increase reg_covar, or scale the input data."
)


ROUNDING = 8 * np.finfo(float).eps  # a standard deviation below this, in the frame's units, is none
NOTHING = 1e-200  # less of the data than this is rounding (`log_normalise` stops at e**-500)


class Mixture(NamedTuple):
    """Parameters of a Gaussian mixture: (K,) weights, (K, D) means, covariances."""

    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray


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
    cancellation: np.ndarray  # (K,), around the frame's origin: see `cancellation`
    spread: np.ndarray  # (K,) or the same for all: see `spread`

    def offsets(self, about=None):
        """Means (K, D) as seen from `about`, or from the frame's origin, in its units."""
        return (self.means - (self.frame.origin if about is None else about)) / self.frame.scale

    def cancellation_around(self, about):
        """`cancellation` (K,) if moments are taken around another point, or a point each."""
        if about is self.frame.origin:
            return self.cancellation
        return cancellation(self.kind, self.precisions, self.offsets(about))

    def marginal(self, columns):
        """The components of some columns.

        `log_norm` stays that of all, so that a log-joint is no less than that of all columns:
        the squared distance in some is no more than in all.
        """
        columns = np.array(columns)
        frame, covs = Frame(*(a[columns] for a in self.frame)), self.covs[:, columns[:, None], columns]
        part = make_components(self.kind, frame, self.weights, self.means[:, columns], covs)
        return part._replace(log_norm=self.log_norm)

    def to_vector(self):
        """Parameters without constraints: ln weights, means, and roots with ln diagonals."""
        log_weights = np.log(np.maximum(self.weights, 1e-300))  # finite, without points too
        return np.concatenate([log_weights, self.offsets().ravel(), _free(self).ravel()])

    @np.errstate(over="ignore", invalid="ignore")  # make_components says what is no covariance
    def from_vector(self, theta):
        """Components of the same kind and shape; ValueError if they are no mixture."""
        if not np.isfinite(theta).all():
            raise ValueError("the leap is not finite")
        K, D = self.means.shape
        weights = np.exp(theta[:K] - theta[:K].max())
        means = self.frame.origin + self.frame.scale * theta[K : K + K * D].reshape(K, D)
        covs = _covariances_of(theta[K + K * D :].reshape(np.shape(self.covs)), self.kind)
        return make_components(self.kind, self.frame, weights / weights.sum(), means, covs)


def _free(params):
    """Cholesky factors with the logarithm of their diagonals, or ln variances."""
    if params.kind not in MATRIX:
        return np.log(params.covs)
    L = np.linalg.cholesky(params.covs)
    diagonal = np.eye(L.shape[-1], dtype=bool)
    return np.where(diagonal, np.log(np.where(diagonal, L, 1.0)), L)


def _covariances_of(free, kind):
    """Covariances that `_free` would say are `free`."""
    if kind not in MATRIX:
        return np.exp(free)
    diagonal = np.eye(free.shape[-1], dtype=bool)
    L = np.where(diagonal, np.exp(np.where(diagonal, free, 0.0)), free)
    return L @ np.swapaxes(L, -1, -2)


def cancellation(kind, precisions, offsets):
    """How many times larger than one the terms of m' Lambda m are, for means m (K, D).

    Moving second moments from there to the means subtracts numbers this large from
    each other, and loses that many times the rounding error.
    """
    precision, offset = np.abs(precisions), np.abs(offsets)
    if kind in MATRIX:
        return ((precision @ offset[:, :, None])[:, :, 0] * offset).sum(axis=1)
    return ((precision[:, None] if kind == "spherical" else precision) * offset**2).sum(axis=1)


def spread(kind, precisions, covs, D):
    """How many times larger than their sum the terms of z' Lambda z are, one deviation away.

    It is what correlation costs: no other point of reference changes it.
    """
    if kind not in MATRIX:
        return np.float64(D)
    return (np.abs(precisions) * np.abs(covs)).sum(axis=(-2, -1))


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
    precisions = np.swapaxes(roots, -1, -2) @ roots if kind in MATRIX else roots**2
    offsets, log_norm = (means - frame.origin) / frame.scale, log_norms(weights, roots, kind, D)
    lost = cancellation(kind, precisions, offsets), spread(kind, precisions, covs, D)
    return Components(kind, frame, weights, means, covs, roots, precisions, log_norm, *lost)


def enter(frame, kind, weights, means, covs):
    """Parameters in x's units as Components in a frame's."""
    with np.errstate(over="ignore"):
        if (np.abs((means - frame.origin) / frame.scale) > FAR).any():
            raise ValueError("means lie too far from X for float64 to square their distance")
    return make_components(kind, frame, weights, means, rescaled(covs, kind, 1 / frame.scale))


def leave(params):
    """Components as a Mixture in x's units."""
    return Mixture(params.weights, params.means, rescaled(params.covs, params.kind, params.frame.scale))


class Moments(NamedTuple):
    """What the M-step needs: sums of resp, resp y and resp yy', y = (x - about) / scale.

    `second` is kept as the structure needs it: (K, D, D) for full, (D, D) for
    tied, (K, D) for diag, (K,) for spherical, () for tied_spherical.
    """

    about: np.ndarray  # (D,) or (K, D)
    counts: np.ndarray  # (K,), eq-effective-count
    first: np.ndarray  # (K, D)
    second: np.ndarray


def new_means(frame, moments, old=None):
    """Means (K, D) the moments give; a component without points stays where it was.

    Raises
    ------
    ValueError
        If a component is left without points and `old` is not given.
    """
    counts, dead = moments.counts, moments.counts < NOTHING
    if lost := dead.any():
        if old is None:
            which = int(dead.argmax())
            raise ValueError(f"component {which} has no points: use fewer components or another start")
        counts = np.where(dead, 1.0, counts)
    means = moments.about + frame.scale * (moments.first / counts[:, None])  # eq-em-mean
    if lost:
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
    means, counts, dead = new_means(frame, moments, old), moments.counts, moments.counts < NOTHING
    lost = dead.any()
    covs = _covariances(kind, moments, np.where(dead, 1.0, counts) if lost else counts)
    covs = regularised(covs, kind, reg)  # eq-em-reg
    if lost:
        counts = np.where(dead, 0.0, counts)
        if kind not in SHARED:
            covs[dead] = old.covs[dead]
    try:
        weights = counts / counts.sum()  # eq-em-weight
        new = make_components(kind, frame, weights, means, covs)
    except ValueError as err:
        raise ValueError(ILL_DEFINED) from err
    roots = new.roots.diagonal(axis1=-2, axis2=-1) if kind in MATRIX else new.roots
    if roots.max() * ROUNDING > 1:
        raise ValueError(ILL_DEFINED)
    return new


def _covariances(kind, moments, counts):
    """Second moments moved from the point of reference to the new means; `counts` > 0."""
    second, shift = moments.second, moments.first / counts[:, None]
    if kind == "full":
        return second / counts[:, None, None] - shift[:, :, None] * shift[:, None, :]  # eq-em-cov
    if kind == "tied":
        between = moments.first.T @ shift
        # eq-em-structures, symmetric to the last bit
        return (second - 0.5 * (between + between.T)) / moments.counts.sum()
    if kind == "diag":
        return second / counts[:, None] - shift**2  # eq-em-structures
    length, D = (shift**2).sum(axis=1), shift.shape[1]
    if kind == "spherical":
        return (second / counts - length) / D  # eq-em-structures
    return (second - moments.counts @ length) / (D * moments.counts.sum())  # eq-em-structures
