"""Where EM starts: from given parameters, clusters, points or chance."""

import numpy as np

from ...clustering.lloyd import descend
from ...clustering.nearest import Table
from ...clustering.seeding import candidates_for, random_rows, spread_rows
from ...numerics import SMALLEST
from .covariance import MATRIX, SHARED, check_symmetric, cholesky, covariance_shape, inverse_triangular
from .em import alone, given, m_step_from
from .parameters import enter, leave, make_components

__all__ = []

NO_POINTS = 1e-10  # a component of less weight than this has none, and EM alone never gives it any


def check_start(model, D):
    """`weights_init`, `means_init` and `precisions_init` as (weights, means, covs), or errors."""
    K, kind = model.n_components, model.covariance_type
    weights, means, covs = model.weights_init, model.means_init, None
    if weights is not None:
        weights = _shaped(weights, (K,), "weights")
        if (weights < 0).any() or (weights > 1).any():
            raise ValueError(
                "The parameter 'weights' should be in the range [0, 1], "
                f"but got max value {weights.max():.5f}, min value {weights.min():.5f}"
            )
        if not abs(weights.sum() - 1) <= 1e-5:
            total = f"{weights.sum():.5f}"
            raise ValueError(f"The parameter 'weights' should be normalized, but got sum(weights) = {total}")
    if means is not None:
        means = _shaped(means, (K, D), "means")
    if model.precisions_init is not None:
        precisions = _shaped(model.precisions_init, covariance_shape(kind, K, D), f"{kind} precision")
        covs = _inverse(precisions, kind)
    return weights, means, covs


def _shaped(values, shape, name):
    """`values` as a finite float array of a shape, or an error that names the argument."""
    values = np.array(values, dtype=float)
    if values.shape != shape:
        raise ValueError(f"The parameter '{name}' should have the shape of {shape}, but got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"The parameter '{name}' contains NaN or infinity")
    return values


def _inverse(precisions, kind):
    """Covariances of the given precisions, or an error that says what they should be."""
    if kind not in MATRIX:
        if not (precisions > SMALLEST**2).all():
            raise ValueError(f"'{kind} precision' should be positive, and large enough to invert")
        return 1 / precisions
    message = f"'{kind} precision' should be symmetric, positive-definite"
    try:
        check_symmetric(precisions, "precisions")
        L = cholesky(precisions)
    except ValueError as err:
        raise ValueError(message) from err
    if not np.diagonal(L, axis1=-2, axis2=-1).min() > SMALLEST:
        raise ValueError(message + ", and large enough to invert")
    inverse = inverse_triangular(L)
    return np.swapaxes(inverse, -1, -2) @ inverse


def start_components(points, K, method, start, reg, rng):
    """Components to start from, in the frame's coordinates.

    Parameters
    ----------
    points : Points
    K : int
    method : {"kmeans", "k-means++", "random", "random_from_data"}
    start : tuple
        Weights, means and covariances given by the user in x's units, or None each.
    reg : ndarray of shape (D,)
        As in `em.update`.
    rng : numpy.random.Generator

    Returns
    -------
    Components
    """
    found = [None] * 3
    if any(part is None for part in start):
        found = leave(_found(points, K, method, reg, rng))
    chosen = [f if s is None else s for f, s in zip(found, start, strict=True)]
    return enter(points.frame, points.kind, *chosen)


def _found(points, K, method, reg, rng):
    """A start found in the data."""
    X = points.X
    if method == "random":
        resp = rng.random((len(X), K))
        return m_step_from(points, given(resp / resp.sum(axis=1, keepdims=True)), reg)
    table = Table(X, points.row_weights)
    if method == "random_from_data":
        return _around(points, random_rows(table, K, rng), reg)
    centers = spread_rows(table, K, rng, candidates_for(K))
    if method == "kmeans":
        return m_step_from(points, _clusters(descend(table, centers).labels, K), reg)
    return _around(points, centers, reg)


def _clusters(labels, K):
    """An E-step that gives each point to its cluster; an empty cluster gets a little of all."""
    member = np.eye(K)
    empty = np.bincount(labels, minlength=K) == 0
    member[:, empty] = 1e-3
    member /= member.sum(axis=1, keepdims=True)
    return lambda block: (member.T[:, labels[block.rows]], np.zeros(len(block)))


def _around(points, centers, reg):
    """Equal weights, means at `centers`, and for each the covariance of all points."""
    K = len(centers)
    whole = m_step_from(points, alone, reg)
    covs = whole.covs if points.kind in SHARED else np.repeat(whole.covs, K, axis=0)
    return make_components(points.kind, points.frame, np.full(K, 1 / K), centers.astype(float), covs)


def revived(params, points, reg, rng):
    """Components, those without points moved to random rows, with the covariance of all points."""
    dead, K = params.weights < NO_POINTS, len(params.weights)
    if not dead.any():
        return params
    fresh = _found(points, K, "random_from_data", reg, rng)
    weights = np.where(dead, 1 / K, params.weights)
    means, covs = np.where(dead[:, None], fresh.means, params.means), params.covs
    if params.kind not in SHARED:
        covs = np.where(dead.reshape(-1, *[1] * (covs.ndim - 1)), fresh.covs, covs)
    return make_components(params.kind, params.frame, weights / weights.sum(), means, covs)


def best_of(run, n_init):
    """The best of `n_init` climbs; a start that collapses is passed over if another does not.

    Parameters
    ----------
    run : callable
        From the number of the start to what `run.run_em` returns.
    n_init : int
    """
    best, failure = None, None
    for number in range(n_init):
        try:
            climbed = run(number)
        except ValueError as err:
            failure = err
            continue
        if best is None or climbed[1][-1] > best[1][-1]:
            best = climbed
    if best is None:
        raise failure
    return best
