"""The sweep over the data, and the loop that sweeps and maximises in turn.

One `sweep` passes the points, block by block, through an E-step and adds up what
the M-step needs. The responsibilities of a block are used while they are in the
processor's cache and then forgotten, so memory does not grow with N.
"""

from typing import NamedTuple

import numpy as np

from ..families.gaussian.covariance import full_covariances, rescaled
from ..families.gaussian.forms import (
    Block,
    Desk,
    n_features,
    natural_e_step,
    natural_gather,
    natural_moments,
    residual_e_step,
    residual_gather,
    residual_moments,
)
from ..families.gaussian.parameters import make_components, maximise, new_means
from ..numerics import FAR, Frame, OneBlasThread, blocks

HELD = 1_000_000  # as many features (8 megabytes) are kept from sweep to sweep
FEW = 8  # components, where the number is not known yet
CANCELLATION_LIMIT = 1e7  # times 1e-16: nine digits of a log-density survive


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
    far: float | None = None  # coordinates stop here, where the frame was made for other points
    held: list | None = None  # blocks that stay from sweep to sweep, where there are few points

    @property
    def log_volume(self):
        """What a log-density gains by measuring in the frame's units."""
        return np.log(self.frame.scale).sum()


def make_points(X, kind, share=None):
    """Choose coordinates for the rows of `X`; tied kinds also need their scatter once."""
    frame = Frame.of_points(X, isotropic=kind.endswith("spherical"))
    points = Points(X, share, kind, frame)
    if kind.startswith("tied"):
        points = points._replace(total=residual_sums(points, alone, frame.origin[None]).second)
    if len(X) * n_features(kind, X.shape[1]) <= HELD:
        desk = Desk()
        points = points._replace(held=[Block(points, rows, desk, keeps=True) for rows in natural_pieces(points)])
    return points


def alone(block):
    """The E-step of a single component: every point is wholly its own."""
    return np.ones((1, len(block))), np.zeros(len(block))


def given(resp):
    """An E-step that looks responsibilities (N, K) up instead of computing them."""
    return lambda block: (resp[block.rows].T.copy(), np.zeros(len(block)))


# ------------------------------------------------------------------- the sweep


def natural_pieces(points, K=FEW):
    """Rows such that their features and K responsibilities stay in cache."""
    return blocks(len(points.X), n_features(points.kind, points.X.shape[1]) + K)


def residual_pieces(points, about):
    """Rows such that their residuals from K points, weighted and not, stay in cache."""
    return blocks(len(points.X), 2 * about.size)


def on_one_desk(points, pieces):
    """The points block by block; each takes the place of the one before."""
    desk = Desk()
    with OneBlasThread():  # until the last block is done with
        for rows in pieces:
            yield Block(points, rows, desk)


def sweep(points, respond, gather=None, keep=None, pieces=None):
    """One pass over the data, block by block.

    Parameters
    ----------
    points : Points
    respond : callable
        The E-step (see `forms`).
    gather : callable, optional
        The M-step's sums; None if they are not wanted.
    keep : callable, optional
        Called with every block's rows, resp and log-density.
    pieces : list of slices, optional
        Rows of each block; only rounding depends on them. None: those that suit the natural form, and may be held.

    Returns
    -------
    sums : ndarray
        What `gather` returned, summed with the points' shares.
    bound : float
        Mean log-density in the frame's units.
    """
    X, share = points.X, points.share
    sums, bound = 0.0, 0.0
    held = points.held if pieces is None else None
    for block in held or on_one_desk(points, pieces or natural_pieces(points)):
        rows = block.rows
        resp, log_density = respond(block)
        if keep:
            keep(rows, resp, log_density)
        bound += log_density.sum() if share is None else share[rows] @ log_density
        if gather:
            if share is not None:
                resp *= share[rows]
            sums = sums + gather(block, resp)
    return (sums, bound) if share is not None else (sums / len(X), bound / len(X))


def residual_sums(points, respond, about):
    """Moments around K points, from a sweep of their own."""
    gather, pieces = residual_gather(about, points.kind), residual_pieces(points, about)
    return residual_moments(points, about, sweep(points, respond, gather, pieces=pieces)[0])


def prefers_natural(parts):
    """Natural form unless it would cancel, or T is so long that residuals are cheaper."""
    K, D = parts.means.shape
    return (parts.kind != "full" or D <= 6 * K) and parts.cancellation() + parts.spread <= CANCELLATION_LIMIT


def expect(points, parts, gather=True):
    """One sweep of the E-step at `parts`, in the form that suits them.

    Returns
    -------
    respond : callable
        The E-step.
    moments : Moments or None
    bound : float
        Mean log-likelihood in the frame's units.
    """
    if prefers_natural(parts):
        respond = natural_e_step(parts)
        pieces = None if points.held else natural_pieces(points, len(parts.weights))
        sums, bound = sweep(points, respond, natural_gather if gather else None, pieces=pieces)
        return respond, natural_moments(points, sums) if gather else None, bound
    respond, pieces = residual_e_step(parts), residual_pieces(points, parts.means)
    sums, bound = sweep(points, respond, residual_gather(parts.means, points.kind) if gather else None, pieces=pieces)
    return respond, residual_moments(points, parts.means, sums) if gather else None, bound


def update(points, moments, reg, again, old=None):
    """The M-step, redone around the new means when the first sums cancel.

    Parameters
    ----------
    points : Points
    moments : Moments
        What a sweep has gathered.
    reg : ndarray of shape (D,)
        Added once to every variance, in the frame's units.
    again : callable
        From K points to Moments around them, of the same sweep.
    old : Components, optional
        The parameters of the E-step.

    Returns
    -------
    Components
    """
    try:
        new = maximise(points.kind, points.frame, moments, reg, old)
        if new.cancellation(moments.about) <= CANCELLATION_LIMIT:
            return new
    except ValueError:  # perhaps only rounding made a covariance singular: the second look decides
        pass
    return maximise(points.kind, points.frame, again(new_means(points.frame, moments, old)), reg, old)


def m_step_from(points, respond, reg):
    """The M-step for responsibilities that do not come from parameters."""
    sums, _ = sweep(points, respond, natural_gather)
    return update(points, natural_moments(points, sums), reg, lambda about: residual_sums(points, respond, about))


# -------------------------------------------------------------------- the loop


def em_map(points, reg):
    """One iteration of EM on complete data, for `climb`.

    Returns
    -------
    callable
        From Components to their mean log-likelihood (in x's units) and a function
        that returns the next Components (if `gather` asked for its sums).
    """

    def iterate(parts, gather=True):
        respond, moments, bound = expect(points, parts, gather)

        def again(about):
            return residual_sums(points, respond, about)

        return bound - points.log_volume, lambda: update(points, moments, reg, again, parts)

    return iterate


def climb(iterate, parts, tol, max_iter, report=None):
    """EM: apply `iterate` until the mean log-likelihood changes by less than `tol`.

    Parameters
    ----------
    iterate : callable
        As `em_map` returns it.
    parts : Components
        The start.
    tol : float
    max_iter : int
    report : callable, optional
        Called with the iteration, the mean log-likelihood after it and its change.

    Returns
    -------
    parts : Components
    trace : list of float
        Mean log-likelihood of the start and after each iteration, in x's units.
    converged : bool
    """
    trace = []
    for left in range(max_iter, -1, -1):
        bound, advance = iterate(parts, gather=left > 0)
        change = bound - trace[-1] if trace else np.inf
        trace.append(bound)
        if report and len(trace) > 1:
            report(len(trace) - 1, bound, change)
        if abs(change) < tol:
            return parts, trace, True
        if left:
            parts = advance()
    return parts, trace, False


# ------------------------------------------------------- between x and z


def enter_parts(frame, kind, weights, means, covs):
    """Parameters in x's units as Components in a frame's."""
    with np.errstate(over="ignore"):
        if (np.abs((means - frame.origin) / frame.scale) > FAR).any():
            raise ValueError("means lie too far from X for float64 to square their distance")
    return make_components(kind, frame, weights, means, rescaled(covs, kind, 1 / frame.scale))


def leave_parts(parts):
    """Components as a Mixture in x's units."""
    return Mixture(parts.weights, parts.means, rescaled(parts.covs, parts.kind, parts.frame.scale))


def foreign_points(X, kind, weights, means, covs):
    """Points of any size, in coordinates that suit the mixture, and the mixture's Components in them."""
    reach = np.abs(means - weights @ means).max(axis=0)
    variances = np.diagonal(full_covariances(covs, kind, *means.shape), axis1=1, axis2=2)
    frame = Frame.around(weights @ means, reach + np.sqrt(np.abs(variances).max(axis=0)), kind.endswith("spherical"))
    parts = enter_parts(frame, kind, weights, means, covs)
    far = max(2.0, FAR / max(1.0, np.abs(parts.roots).max()))  # squares of whitened residuals must fit, too
    return Points(X, None, kind, frame, far=far), parts


def evaluate(X, kind, weights, means, covs, keep):
    """Send every block's responsibilities and log-densities under a mixture to `keep`."""
    points, parts = foreign_points(X, kind, weights, means, covs)
    volume = points.log_volume
    if prefers_natural(parts):
        respond, pieces = natural_e_step(parts), natural_pieces(points, len(weights))
    else:
        respond, pieces = residual_e_step(parts), residual_pieces(points, means)
    sweep(points, respond, keep=lambda rows, resp, log_density: keep(rows, resp, log_density - volume), pieces=pieces)
