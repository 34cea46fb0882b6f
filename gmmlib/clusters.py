"""k-means: EM's two steps with hard assignments.

The nearest centre has the largest c'x - |c|^2/2, so the hard E-step of all
centres is one matrix product. Single precision is enough to see which centre wins
nearly every point; where it is not, the few points in doubt are measured again,
by differences and in double precision. The hard M-step is a product as well, with
a matrix of responsibilities that holds a single one in every column: a sparse one.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array

from .numerics import FAR, Frame, as_points, as_weights, blocks, rows_that_count, total_weight

__all__ = ["Assignment", "KMeansResult", "assign", "kmeans_plusplus", "lloyd", "update_centers"]

FAR_SINGLE = 1e15  # farther out, single precision might not hold the scores


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


def local(frame):
    """A function that brings rows of X near zero and one; rows that are already there stay.

    The products below lose |x|^2 / |spread|^2 times the rounding error, so only
    data far from the origin, or of extreme size, need to be moved.
    """
    unit = frame.scale[0]
    if np.abs(frame.origin).max() <= 100 * unit and 1e-12 < unit < 1e12:
        return Frame(np.zeros_like(frame.origin), np.ones_like(frame.scale))
    return frame


def enter(frame, rows):
    """Rows (n, D) in the frame's coordinates, still as rows; untouched if they are there already."""
    if not frame.origin.any() and (frame.scale == 1).all():
        return np.asarray(rows, dtype=float)
    with np.errstate(over="ignore"):
        return np.clip((rows - frame.origin) / frame.scale, -FAR, FAR)


def label(X, frame, z):
    """Nearest of the centres z (K, D) for every row, (N,); ties go to the lower index."""
    labels = np.empty(len(X), dtype=np.int32)
    if not np.abs(z).max() < FAR_SINGLE:
        for rows in blocks(len(X), X.shape[1] + len(z)):
            labels[rows] = _nearest_by_differences(_within(enter(frame, X[rows]), FAR), z)
        return labels
    single, half = z.astype(np.float32), (0.5 * (z**2).sum(axis=1)[:, None]).astype(np.float32)
    count_and_index = np.array([np.ones(len(z)), np.arange(len(z))], dtype=np.float32)
    reach = np.sqrt((z**2).sum(axis=1).max())
    for rows in blocks(len(X), X.shape[1] + len(z)):
        block = enter(frame, X[rows])
        columns, size = _single(block)
        if not size < FAR_SINGLE:
            columns, size = _single(block := _within(block, FAR_SINGLE))
        score = single @ columns
        score -= half
        doubt = _rounding(columns) * reach * (np.sqrt(len(columns)) * size + reach)
        near = np.greater_equal(score, score.max(axis=0) - np.float32(doubt), out=score)
        count, labels[rows] = count_and_index @ near
        if (count > 1).any():
            again = np.flatnonzero(count > 1)
            labels[rows][again] = _nearest_by_differences(block[again], z)
    return labels


def _within(rows, far):
    """Rows (n, D) that lie farther out than `far` drawn in to it: the nearest centre is a matter of direction."""
    return rows * np.minimum(1.0, far / np.abs(rows).max(axis=1, keepdims=True).clip(1.0))


def _single(rows):
    """Rows (n, D) as columns (D, n) in single precision, and the largest of their numbers."""
    with np.errstate(over="ignore"):
        columns = np.array(rows.T, dtype=np.float32, order="C")
    return columns, np.abs(columns).max()


def _rounding(columns):
    """A bound on the relative rounding of a single-precision score in D dimensions."""
    return 2 * (len(columns) + 4) * np.finfo(np.float32).eps


def _nearest_by_differences(rows, z):
    """Nearest centre of rows (n, D): nothing cancels, ties go to the lower index."""
    return np.array([((rows - center) ** 2).sum(axis=1) for center in z]).argmin(axis=0)


def squared_distances(X, frame, z, labels):
    """Squared distance (N,) of every row to the centre its label names, in frame units."""
    out = np.empty(len(X))
    for rows in blocks(len(X), 3 * X.shape[1]):
        residual = enter(frame, X[rows]) - z[labels[rows]]
        out[rows] = np.einsum("nd,nd->n", residual, residual)
    return out


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
    frame = local(Frame.of_points(centers, isotropic=True))
    z = enter(frame, centers)
    labels = label(X, frame, z)
    with np.errstate(over="ignore"):
        return Assignment(labels.astype(np.intp), squared_distances(X, frame, z, labels) * frame.scale[0] ** 2)


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
            origin = X[mine][0]
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
    X = as_points(X)
    if K != int(K) or not 1 <= K <= len(X):
        raise ValueError(f"K must be between 1 and the number of points {len(X)}, got {K}")
    share, X = rows_that_count(as_weights(sample_weight, len(X)), X)
    frame = Frame.of_points(X, isotropic=True)
    chosen, nearest_sq = [draw(rng, share)], np.full(len(X), np.inf)
    while len(chosen) < K:
        _shrink(nearest_sq, X, frame, X[chosen[-1]])
        chance = share * nearest_sq
        chosen.append(draw(rng, chance if chance.sum() > 0 else share))
    return X[chosen]


def _shrink(nearest_sq, X, frame, center):
    """Lower squared distances to the nearest centre (frame units), in place, for one more centre."""
    z = enter(frame, center[None])
    for rows in blocks(len(X), 2 * X.shape[1]):
        sq = ((enter(frame, X[rows]) - z) ** 2).sum(axis=1)
        nearest_sq[rows] = np.minimum(nearest_sq[rows], sq)


def random_rows(X, K, rng, share):
    """K rows of `X`, distinct while there are distinct rows, drawn in proportion to `share`."""
    chosen, chance = [], np.array(share)
    for _ in range(K):
        chosen.append(draw(rng, chance if chance.sum() > 0 else share))
        chance[(X == X[chosen[-1]]).all(axis=1)] = 0.0
    return X[chosen]


GROUP = 20_000  # rows whose sums are taken in one sparse product


def cluster_sums(X, share, frame, labels, K):
    """The hard M-step's sums: weight (K,) and weighted coordinates (K, D) of every cluster."""
    mass, first = np.zeros(K), np.zeros((K, X.shape[1]))
    for start in range(0, len(X), GROUP):
        mine = labels[start : start + GROUP]
        weight = np.ones(len(mine)) if share is None else share[start : start + GROUP]
        member = csc_array((weight, mine, np.arange(len(mine) + 1, dtype=np.int32)), shape=(K, len(mine)))
        mass += np.bincount(mine, weight, minlength=K)
        first += member @ enter(frame, X[start : start + GROUP])
    return mass, first


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
    X, centers = as_points(X), np.asarray(as_points(centers, "centers"), float)
    if X.shape[1] != centers.shape[1]:
        raise ValueError(f"X has {X.shape[1]} columns but centers has {centers.shape[1]}")
    share = None if sample_weight is None else as_weights(sample_weight, len(X))
    total = 1.0 if share is None else total_weight(sample_weight, len(X))
    run = descend(*rows_that_count(share, X), total, centers, max_iter, tol)
    return run if len(run.labels) == len(X) else run._replace(labels=assign(X, run.centers).labels)


def descend(share, X, total, centers, max_iter, tol):
    """`lloyd` for checked arguments; `total` is what the shares add up to in x's terms."""
    frame = local(Frame.of_points(X, isotropic=True))
    z, unit = np.clip(enter(frame, centers), -FAR, FAR), frame.scale[0]
    trace, shift, labels = [], np.inf, None
    while len(trace) < max_iter and shift > tol / unit**2:
        labels = label(X, frame, z)
        mass, first = cluster_sums(X, share, frame, labels, len(z))
        trace.append(mass @ (z**2).sum(axis=1) - 2 * (first * z).sum())
        before, z = z, _means(X, share, frame, z, mass, first, labels)
        shift = ((z - before) ** 2).sum()
    if labels is None or shift > 0:
        labels = label(X, frame, z)
    sq_dist = squared_distances(X, frame, z, labels)
    inertia = sq_dist.sum() if share is None else share @ sq_dist
    norms = _norms(X, share, frame)
    inertias = np.append(np.maximum(norms + np.array(trace), inertia), inertia) * total * unit**2
    return KMeansResult(frame.origin + z * unit, labels.astype(np.intp), float(inertias[-1]), inertias, len(trace))


def _means(X, share, frame, z, mass, first, labels):
    """New centres: the means of their points; an empty cluster takes a far point first."""
    if (mass > 0).all():
        return first / mass[:, None]
    rows, labels, sq_dist = enter(frame, X), labels.copy(), squared_distances(X, frame, z, labels)
    for k in np.flatnonzero(mass <= 0):
        far = sq_dist.argmax()
        if sq_dist[far] > 0:
            labels[far] = k
            sq_dist[(rows == rows[far]).all(axis=1)] = 0.0
    return update_centers(rows, labels, z, share)


def _norms(X, share, frame):
    """Weighted sum of squares |x|^2 in frame units: what turns scores into inertias."""
    total = 0.0
    for rows in blocks(len(X), X.shape[1]):
        squares = np.einsum("nd,nd->n", block := enter(frame, X[rows]), block)
        total += squares.sum() if share is None else share[rows] @ squares
    return total
