"""E-step, M-step and the loop that alternates them.

One `sweep` passes the points, block by block, through an E-step and adds up what
the M-step needs. The responsibilities of a block are used while they are in the
processor's cache and then forgotten, so memory does not grow with N.
"""

from typing import NamedTuple

import numpy as np

from .components import Moments, cancellation, make_components, maximise
from .covariance import as_covariances, check_covariance_type, full_covariances, rescaled
from .forms import (
    fill_features,
    n_features,
    natural_e_step,
    natural_moments,
    residual_e_step,
    residual_moments,
)
from .gaussian import sample_gaussian
from .numerics import Frame, as_points, as_weights, blocks

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

CANCELLATION_LIMIT = 1e5  # times 1e-16: eleven digits of a log-density survive


class EStep(NamedTuple):
    """What the E-step knows: (N, K) responsibilities and (N,) log-densities."""

    resp: np.ndarray
    log_density: np.ndarray


class Mixture(NamedTuple):
    """Parameters of a Gaussian mixture: (K,) weights, (K, D) means, covariances."""

    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray


class EMResult(NamedTuple):
    """Where EM stopped, and the log-likelihood at the start and after each iteration."""

    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray
    log_likelihoods: np.ndarray
    n_iter: int
    converged: bool


# ------------------------------------------------------------------- the sweep


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
    return (parts.kind != "full" or D <= 6 * K) and cancellation(parts, 0.0) <= CANCELLATION_LIMIT


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
    if cancellation(new, origin) > CANCELLATION_LIMIT:
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


def _checked(weights, means, covs, kind, D):
    """Parameters as arrays of consistent shape, or a clear error."""
    weights, means = np.asarray(weights, float), np.asarray(means, float)
    K = len(weights)
    if means.shape != (K, D):
        raise ValueError(f"means must have shape ({K}, {D}) to fit weights and X, got {means.shape}")
    if (weights < 0).any() or not np.isclose(weights.sum(), 1):
        raise ValueError(f"weights must be non-negative and sum to one, got {weights}")
    return weights, means, as_covariances(covs, kind, K, D)


def evaluate(X, kind, weights, means, covs, keep):
    """Send every block's responsibilities and log-densities under a mixture to `keep`."""
    reach = np.abs(means - weights @ means).max(axis=0)
    variances = np.diagonal(full_covariances(covs, kind, *means.shape), axis1=1, axis2=2)
    frame = Frame.around(weights @ means, reach + np.sqrt(variances.max(axis=0)), kind.endswith("spherical"))
    points = Points(X, None, kind, frame, unseen=True)
    respond, natural = make_e_step(enter_parts(frame, kind, weights, means, covs))
    log_volume = points.log_volume
    sweep(points, respond, wide=natural, gather=False, keep=lambda r, resp, log_p: keep(r, resp, log_p - log_volume))


# ------------------------------------------------------------- public functions


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
    weights, means, covs = _checked(weights, means, covs, covariance_type, X.shape[1])
    resp, log_density = np.empty((len(weights), len(X))), np.empty(len(X))

    def keep(rows, block_resp, block_density):
        resp[:, rows], log_density[rows] = block_resp, block_density

    evaluate(X, covariance_type, weights, means, covs, keep)
    return EStep(resp.T, log_density)


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
    share = as_weights(sample_weight, len(log_density))
    return float(share @ log_density * np.sum(sample_weight))


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
    share = None if sample_weight is None else as_weights(sample_weight, len(X))
    points = make_points(X, covariance_type, share)
    parts = m_step_from(points, given(resp), True, reg_covar / points.frame.scale**2)
    return leave_parts(points.frame, parts)


def given(resp):
    """An E-step that looks responsibilities (N, K) up instead of computing them."""
    return lambda T, rows: (resp[rows].T.copy(), np.zeros(T.shape[1]))


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
    X = as_points(X)
    share = None if sample_weight is None else as_weights(sample_weight, len(X))
    total = len(X) if sample_weight is None else float(np.sum(sample_weight))
    points = make_points(X, covariance_type, share)
    start = enter_parts(points.frame, covariance_type, *_checked(weights, means, covs, covariance_type, X.shape[1]))
    parts, trace, converged = climb(points, start, reg_covar / points.frame.scale**2, tol, max_iter)
    return EMResult(*leave_parts(points.frame, parts), total * np.array(trace), len(trace) - 1, converged)


def sample_mixture(rng, n, weights, means, covs, covariance_type="full"):
    """Draw `n` points from a mixture: first a component, then a point from it.

    Parameters
    ----------
    rng : numpy.random.Generator
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
    means = np.asarray(means, float)
    weights, means, covs = _checked(weights, means, covs, covariance_type, means.shape[1])
    labels = rng.choice(len(weights), size=n, p=weights)
    X = np.empty((n, means.shape[1]))
    for k, cov in enumerate(full_covariances(covs, covariance_type, *means.shape)):
        X[labels == k] = sample_gaussian(rng, (labels == k).sum(), means[k], cov)
    return X, labels
