"""k-means: EM's two steps with hard assignments.

The hard E-step looks again only at points that might have changed sides (see
`nearest`). The hard M-step is a product, as EM's is, with a matrix of responsibilities
that holds a single one in every column: a sparse one. Later iterations need only the
columns that changed.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array

from ..numerics import FAR, as_count, as_points, as_weights, blocks, rows_that_count, total_weight
from .nearest import Coordinates, Labels, squared_distances

__all__ = ["Assignment", "KMeansResult", "assign", "kmeans_plusplus", "lloyd", "update_centers"]

GROUP = 20_000  # rows whose sums are taken in one product
DENSE = 81_000  # fewer responsibilities than this are no work to write out; a block of `move` has no more


class Assignment(NamedTuple):
    """(N,) index of the nearest centre, and (N,) squared distance to it."""

    labels: np.ndarray
    sq_dist: np.ndarray


class KMeansResult(NamedTuple):
    """Where Lloyd's algorithm stopped; `inertias[0]` is the start's."""

    centers: np.ndarray
    labels: np.ndarray
    inertia: float
    inertias: np.ndarray
    n_iter: int


def assign(X, centers):
    """The hard E-step: every point goes to its nearest centre.

    Parameters
    ----------
    X : array_like of shape (N, D)
        Points, in some unit u.
    centers : array_like of shape (K, D)
        In u.

    Returns
    -------
    Assignment
        Labels (ties go to the lower index) and squared distances, in u**2.

    Raises
    ------
    ValueError
        If `X` and `centers` differ in their number of columns.
    """
    X, centers = as_points(X), np.asarray(as_points(centers, "centers"), float)
    if X.shape[1] != centers.shape[1]:
        raise ValueError(f"X has {X.shape[1]} columns but centers has {centers.shape[1]}")
    place = Coordinates(centers)
    sides = Labels(X, place)
    sides.update(z := place.enter(centers))
    with np.errstate(over="ignore"):
        return Assignment(sides.labels, squared_distances(X, place, z, sides.labels) * place.unit**2)


def update_centers(X, labels, centers, sample_weight=None):
    """The hard M-step: every centre moves to the weighted mean of its points.

    Parameters
    ----------
    X : array_like of shape (N, D)
    labels : array_like of shape (N,)
    centers : array_like of shape (K, D)
        The present centres; one without points stays where it is.
    sample_weight : array_like of shape (N,), optional

    Returns
    -------
    ndarray of shape (K, D)
    """
    X, centers, labels = as_points(X), as_points(centers, "centers"), np.asarray(labels)
    if labels.shape != (len(X),) or labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= len(centers):
        raise ValueError(f"labels must be {len(X)} whole numbers from 0 to {len(centers) - 1}, one a row")
    share, new = as_weights(sample_weight, len(X)), centers.astype(float)
    for k in range(len(centers)):
        mine = np.equal(labels, k) & (share > 0)
        if mine.any():
            origin = X[mine][0].astype(float)
            new[k] = origin + share[mine] @ (X[mine] - origin) / share[mine].sum()
    return new


def draw(rng, chance):
    """One index, drawn in proportion to `chance` (N,).

    The inverse of the cumulative sum, so that a row of weight 3 and three copies
    of a row answer the same random number with the same point.
    """
    edges = np.cumsum(chance)
    return int(np.searchsorted(edges, rng.random() * edges[-1], side="right").clip(0, len(chance) - 1))


def kmeans_plusplus(X, K, rng, sample_weight=None):
    """Spread-out starting centres: each next one drawn in proportion to squared distance.

    Parameters
    ----------
    X : array_like of shape (N, D)
    K : int
    rng : numpy.random.Generator
    sample_weight : array_like of shape (N,), optional

    Returns
    -------
    ndarray of shape (K, D)
        Rows of `X`; distinct as long as there are K distinct rows.

    Raises
    ------
    ValueError
        If `K` is not between 1 and N.

    Notes
    -----
    Arthur and Vassilvitskii (2007): the expected inertia is at most
    8 (ln K + 2) times the best. The chance is proportional to the distance to the *nearest* centre.
    """
    X, K = as_points(X), as_count(K, "K", 0)
    if not 1 <= K <= len(X):
        raise ValueError(f"K must be between 1 and the number of points {len(X)}, got {K}")
    share, X = rows_that_count(as_weights(sample_weight, len(X)), X)
    place = Coordinates(X)
    chosen, nearest_sq = [draw(rng, share)], np.full(len(X), np.inf)
    while len(chosen) < K:
        _shrink(nearest_sq, X, place, X[chosen[-1]])
        chance = share * nearest_sq
        chosen.append(draw(rng, chance if chance.sum() > 0 else share))
    return X[chosen]


def _shrink(nearest_sq, X, place, center):
    """Lower squared distances to the nearest centre (the place's units), for one more centre."""
    sq = squared_distances(X, place, place.enter(center[None]), np.zeros(len(X), dtype=np.intp))
    np.minimum(nearest_sq, sq, out=nearest_sq)


def random_rows(X, K, rng, share):
    """K rows of `X`, distinct while there are distinct rows, drawn in proportion to `share` (None: equal)."""
    share = np.full(len(X), 1 / len(X)) if share is None else share
    chosen, chance = [], np.array(share)
    for _ in range(K):
        chosen.append(draw(rng, chance if chance.sum() > 0 else share))
        chance[(X == X[chosen[-1]]).all(axis=1)] = 0.0
    return X[chosen]


def membership(labels, weight, K):
    """Hard responsibilities (K, n), one entry a column: sparse, or dense while that is sooner made."""
    if K * len(labels) < DENSE:
        return (labels == np.arange(K)[:, None]) * weight
    return csc_array((weight, labels, np.arange(len(labels) + 1, dtype=np.int32)), shape=(K, len(labels)))


def cluster_sums(X, share, place, labels, K):
    """The hard M-step's sums: weight (K,) and weighted coordinates (K, D) of every cluster."""
    mass, first = np.zeros(K), np.zeros((K, X.shape[1]))
    for start in range(0, len(X), GROUP):
        mine = labels[start : start + GROUP]
        weight = np.ones(len(mine)) if share is None else share[start : start + GROUP]
        mass += np.bincount(mine, weight, minlength=K)
        first += membership(mine, weight, K) @ place.enter(X[start : start + GROUP])
    return mass, first


def move(mass, first, X, place, moved, labels, before):
    """Let the rows `moved` leave the clusters `before` and join `labels`, in sums that `cluster_sums` returned."""
    K = len(mass)
    for part in blocks(len(moved), K + X.shape[1]):
        one = np.ones(len(moved[part]))
        change = membership(labels[part], one, K) - membership(before[part], one, K)
        mass += change.sum(axis=1)
        first += change @ place.enter(X[moved[part]])


def lloyd(X, centers, max_iter=300, sample_weight=None, tol=0.0):
    """Alternate assignment and update until the centres stay.

    Parameters
    ----------
    X : array_like of shape (N, D)
    centers : array_like of shape (K, D)
        The start.
    max_iter : int
    sample_weight : array_like of shape (N,), optional
    tol : float
        Stop when the centres' squared moves add up to at most this, in u**2.

    Returns
    -------
    KMeansResult
        `inertias[i]` is the (weighted) sum of squared distances after iteration i.

    Notes
    -----
    Lloyd (1982). Each half-step can only lower the inertia, and there are finitely
    many labellings, so the loop ends. A centre without points moves to the point
    farthest from its own centre.
    """
    X, centers = as_points(X), as_points(centers, "centers")
    if X.shape[1] != centers.shape[1]:
        raise ValueError(f"X has {X.shape[1]} columns but centers has {centers.shape[1]}")
    if not tol >= 0:
        raise ValueError(f"tol must not be negative, got {tol}")
    return checked_lloyd(X, centers, as_count(max_iter, "max_iter", 0), sample_weight, tol)


def checked_lloyd(X, centers, max_iter, sample_weight, tol):
    """`lloyd` for points and centres that have been checked; rows of weight zero only get their labels."""
    share = None if sample_weight is None else as_weights(sample_weight, len(X))
    total = 1.0 if share is None else total_weight(sample_weight, len(X))
    run = descend(*rows_that_count(share, X), total, np.asarray(centers, float), max_iter, tol)
    return run if len(run.labels) == len(X) else run._replace(labels=assign(X, run.centers).labels)


def descend(share, X, total, centers, max_iter, tol):
    """`lloyd` for checked arguments; `total` is what the shares add up to in x's terms."""
    place = Coordinates(X)
    z, sides = np.clip(place.enter(centers), -FAR, FAR), Labels(X, place)
    trace, shift, mass, first, previous = [], np.inf, None, None, None
    while len(trace) < max_iter and shift > tol / place.unit**2:
        moved, before = sides.update(z)
        if share is None and 0 < len(moved) < len(X) / 4 and len(trace) < max_iter - 1:
            move(mass, first, X, place, moved, sides.labels[moved], before)
        else:  # from scratch, also at the end: then no rounding has added up
            mass, first = cluster_sums(X, share, place, sides.labels, len(z))
        trace.append(np.vdot(mass[:, None] * z - 2 * first, z))
        previous, z = z, _means(X, share, place, z, mass, first, sides.labels)
        shift = np.vdot(z - previous, z - previous) if len(moved) else 0.0
    if previous is None or (z != previous).any():
        sides.update(z)
    sq_dist = squared_distances(X, place, z, sides.labels)
    inertia = sq_dist.sum() if share is None else share @ sq_dist
    inertias = np.maximum(_norms(X, share, place) + np.array(trace), inertia)
    with np.errstate(over="ignore"):
        inertias = np.append(inertias, inertia) * total * place.unit**2
    return KMeansResult(place.leave(z), sides.labels, float(inertias[-1]), inertias, len(trace))


def _means(X, share, place, z, mass, first, labels):
    """New centres: the means of their points; an empty cluster takes a far point first."""
    if (mass > 0).all():
        return first / mass[:, None]
    rows, labels, sq_dist = place.enter(X), labels.copy(), squared_distances(X, place, z, labels)
    for k in np.flatnonzero(mass <= 0):
        far = sq_dist.argmax()
        if sq_dist[far] > 0:
            labels[far] = k
            sq_dist[(rows == rows[far]).all(axis=1)] = 0.0
    return update_centers(rows, labels, z, share)


def _norms(X, share, place):
    """Weighted sum of squares |z|^2: what turns scores into inertias."""
    total = 0.0
    for rows in blocks(len(X), X.shape[1]):
        block = place.enter(X[rows])
        total += np.vdot(block, block) if share is None else share[rows] @ np.einsum("nd,nd->n", block, block)
    return total


def mean_variance(share, X):
    """Mean over the columns of their (weighted) variances, in u**2: what k-means' tolerance is measured by."""
    place = Coordinates(X)
    (mass,), (first,) = cluster_sums(X, share, place, np.zeros(len(X), dtype=np.int32), 1)
    square = _norms(X, share, place) / mass - first @ first / mass**2
    return max(square, 0.0) / X.shape[1] * place.unit**2
