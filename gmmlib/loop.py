"""The sweep over the data, and the loop that sweeps and maximises in turn.

One `sweep` passes the points, block by block, through an E-step and adds up what
the M-step needs. The responsibilities of a block are used while they are in the
processor's cache and then forgotten, so memory does not grow with N.
"""

from typing import NamedTuple

import numpy as np

from .components import Moments, make_components, maximise
from .covariance import full_covariances, rescaled
from .forms import (
    fill_features,
    n_features,
    natural_e_step,
    natural_moments,
    residual_e_step,
    residual_moments,
)
from .numerics import Frame, blocks

CANCELLATION_LIMIT = 1e5  # times 1e-16: eleven digits of a log-density survive


class Mixture(NamedTuple):
    """Parameters of a Gaussian mixture: (K,) weights, (K, D) means, covariances."""

    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray


class Points(NamedTuple):
    """The data of one sweep: rows, their shares (None: equal), structure, coordinates."""

    X: np.ndarray
    share: np.ndarray | None
    kind: str
    frame: Frame
    total: np.ndarray | None = None  # scatter of all points, for the tied kinds
    unseen: bool = False  # whether the frame was made for other points

    @property
    def log_volume(self):
        """What a log-density gains by measuring in the frame's units."""
        return np.log(self.frame.scale).sum()


def make_points(X, kind, share=None):
    """Choose coordinates for the rows of `X`; tied kinds also need their scatter once."""
    points = Points(X, share, kind, Frame.of_points(X, isotropic=kind.endswith("spherical")))
    if not kind.startswith("tied"):
        return points
    ones = lambda T, rows: (np.ones((1, T.shape[1])), np.zeros(T.shape[1]))  # noqa: E731
    everything, _ = sweep(points, ones, about=np.zeros((1, X.shape[1])), wide=False)
    return points._replace(total=everything.second)


def sweep(points, respond, about=None, wide=True, gather=True, keep=None):
    """One pass over the data.

    Parameters
    ----------
    points : Points
    respond : callable
        The E-step: from T (P, n) and a slice of rows to resp (K, n), which is
        overwritten, and log-density (n,).
    about : ndarray of shape (K, D), optional
        Take moments around these points (residual form) and not around the
        origin (natural form).
    wide : bool
        Whether T holds products as well as coordinates.
    gather : bool
        Whether to add up moments.
    keep : callable, optional
        Called with every block's rows, resp and log-density.

    Returns
    -------
    moments : Moments or None
    bound : float
        Mean log-density in the frame's coordinates.
    """
    (X, share, kind, frame, total, unseen), D = points, points.X.shape[1]
    enter = frame.enter_unseen if unseen else frame.enter
    P = n_features(kind, D) if wide else D + 1
    slices = blocks(len(X), P + 2 * D)
    buffer, sums, bound = np.empty((P, slices[0].stop)), 0.0, 0.0
    for rows in slices:
        T = buffer[:, : rows.stop - rows.start]
        enter(X[rows], out=T[1 : D + 1])
        if wide:
            fill_features(T, kind, D)
        resp, log_density = respond(T, rows)
        if keep:
            keep(rows, resp, log_density)
        bound += log_density.sum() if share is None else share[rows] @ log_density
        if gather:
            if share is not None:
                resp *= share[rows]
            if about is None:
                sums = sums + resp @ T.T
            else:
                sums = sums + _packed(residual_moments(kind, T[1 : D + 1], resp, about))
    if share is None:
        sums, bound = sums / len(X), bound / len(X)
    if not gather:
        return None, bound
    return natural_moments(kind, D, sums, total) if about is None else Moments(*sums), bound


def _packed(arrays):
    """Arrays of different shapes as one object array, so that they add up."""
    packed = np.empty(len(arrays), dtype=object)
    packed[:] = arrays
    return packed


def prefers_natural(parts):
    """Natural form unless it would cancel, or T is so long that residuals are cheaper."""
    K, D = parts.means.shape
    return (parts.kind != "full" or D <= 6 * K) and parts.cancellation() <= CANCELLATION_LIMIT


def make_e_step(parts):
    """The E-step in the form that suits the parameters, and whether it is the natural one."""
    natural = prefers_natural(parts)
    return (natural_e_step if natural else residual_e_step)(parts), natural


def m_step_from(points, respond, natural, reg, old=None, swept=None):
    """The M-step, redone around the new means when the first sums would cancel.

    Returns
    -------
    Components
    """
    about = None if natural else old.means
    moments = swept or sweep(points, respond, about, wide=natural)[0]
    origin = 0.0 if natural else about
    new = maximise(points.kind, moments, origin, reg, old)
    if new.cancellation(origin) > CANCELLATION_LIMIT:
        moments, _ = sweep(points, respond, new.means, wide=natural)
        new = maximise(points.kind, moments, new.means, reg, old)
    return new


def climb(points, parts, reg, tol, max_iter, report=None):
    """EM: sweep and maximise in turn until a sweep gains less than `tol`.

    Parameters
    ----------
    points : Points
    parts : Components
        The start, in the frame's coordinates.
    reg : ndarray of shape (D,)
        Added once to every variance, in the frame's units.
    tol : float
        Stop when the mean log-likelihood changes by less than this.
    max_iter : int
    report : callable, optional
        Called with the iteration and the mean log-likelihood after it.

    Returns
    -------
    parts : Components
    trace : list of float
        Mean log-likelihood of the start and after each iteration, in x's units.
    converged : bool
    """
    trace = []
    while True:
        respond, natural = make_e_step(parts)
        last = len(trace) == max_iter
        swept, bound = sweep(points, respond, None if natural else parts.means, wide=natural, gather=not last)
        trace.append(bound - points.log_volume)
        if report and len(trace) > 1:
            report(len(trace) - 1, trace[-1], trace[-1] - trace[-2])
        if len(trace) > 1 and abs(trace[-1] - trace[-2]) < tol:
            return parts, trace, True
        if last:
            return parts, trace, False
        parts = m_step_from(points, respond, natural, reg, parts, swept)


# ------------------------------------------------------- between x and z


def enter_parts(frame, kind, weights, means, covs):
    """Parameters in x's coordinates as Components in the frame's."""
    z_means = (means - frame.origin) / frame.scale
    return make_components(kind, weights, z_means, rescaled(covs, kind, 1 / frame.scale))


def leave_parts(frame, parts):
    """Components in the frame's coordinates as a Mixture in x's."""
    means = frame.origin + parts.means * frame.scale
    return Mixture(parts.weights, means, rescaled(parts.covs, parts.kind, frame.scale))


def given(resp):
    """An E-step that looks responsibilities (N, K) up instead of computing them."""
    return lambda T, rows: (resp[rows].T.copy(), np.zeros(T.shape[1]))


def evaluate(X, kind, weights, means, covs, keep):
    """Send every block's responsibilities and log-densities under a mixture to `keep`."""
    reach = np.abs(means - weights @ means).max(axis=0)
    variances = np.diagonal(full_covariances(covs, kind, *means.shape), axis1=1, axis2=2)
    frame = Frame.around(weights @ means, reach + np.sqrt(variances.max(axis=0)), kind.endswith("spherical"))
    points = Points(X, None, kind, frame, unseen=True)
    respond, natural = make_e_step(enter_parts(frame, kind, weights, means, covs))
    log_volume = points.log_volume
    sweep(points, respond, wide=natural, gather=False, keep=lambda r, resp, log_p: keep(r, resp, log_p - log_volume))
