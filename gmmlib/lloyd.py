"""k-means: EM's two steps with hard assignments, on the same sweep."""

from typing import NamedTuple

import numpy as np

from .em import Points, sweep
from .numerics import Frame, as_points, as_weights, blocks

__all__ = ["Assignment", "KMeansResult", "assign", "kmeans_plusplus", "lloyd", "update_centers"]


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


def squared_distances(X, centers):
    """(K, N) squared Euclidean distances, summed from differences: no cancellation."""
    return np.array([((X - c) ** 2).sum(axis=1) for c in centers])


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
    X, centers = as_points(X), as_points(centers, "centers")
    if X.shape[1] != centers.shape[1]:
        raise ValueError(f"X has {X.shape[1]} columns but centers has {centers.shape[1]}")
    labels, sq_dist = np.empty(len(X), dtype=np.intp), np.empty(len(X))
    for rows in blocks(len(X), X.shape[1] + len(centers)):
        sq = squared_distances(X[rows], centers)
        labels[rows], sq_dist[rows] = sq.argmin(axis=0), sq.min(axis=0)
    return Assignment(labels, sq_dist)


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
    X, centers = as_points(X), as_points(centers, "centers")
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
    Arthur and Vassilvitskii (2007): the expected inertia is within 8 (ln K + 2)
    of the best. The chance is proportional to the distance to the *nearest* centre.
    """
    X = as_points(X)
    if not 1 <= K <= len(X):
        raise ValueError(f"K must be between 1 and the number of points {len(X)}, got {K}")
    share = as_weights(sample_weight, len(X))
    scale = np.abs(X).max() or 1.0  # squares of 1e200 do not fit; ratios do
    chosen = [draw(rng, share)]
    nearest = squared_distances(X / scale, X[chosen] / scale)[0]
    while len(chosen) < K:
        chance = share * nearest
        chosen.append(draw(rng, chance if chance.sum() > 0 else share))
        nearest = np.minimum(nearest, squared_distances(X / scale, X[chosen[-1:]] / scale)[0])
    return X[chosen]


def random_rows(X, K, rng, share):
    """K rows of `X`, distinct while there are distinct rows, drawn in proportion to `share`."""
    chosen, chance = [], np.array(share)
    for _ in range(K):
        chosen.append(draw(rng, chance if chance.sum() > 0 else share))
        chance[(X == X[chosen[-1]]).all(axis=1)] = 0.0
    return X[chosen]


def hard_e_step(centers):
    """The hard E-step as one product: |z - c|^2 = |z|^2 - 2 (c'z - |c|^2 / 2).

    The nearest centre is the one with the largest bracket, so |z|^2 is not needed.
    """
    theta = np.column_stack([-0.5 * (centers**2).sum(axis=1), centers])

    def respond(T, rows):
        score = theta @ T
        top = score.max(axis=0)
        member = np.equal(score, top, out=score)
        if member.sum() > len(top):  # a tie: the lower index has it
            member[:] = np.arange(len(member))[:, None] == member.argmax(axis=0)
        return member, top

    return respond


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
    X, centers = as_points(X), np.array(as_points(centers, "centers"), dtype=float)
    share = None if sample_weight is None else as_weights(sample_weight, len(X))
    total = len(X) if sample_weight is None else float(np.sum(sample_weight))
    frame = Frame.of_points(X, isotropic=True)
    unit = frame.scale[0]
    points = Points(X, share, "tied_spherical", frame, 0.0)
    lengths = lambda T, rows: (np.ones((1, T.shape[1])), np.einsum("dn,dn->n", T[1:], T[1:]))  # noqa: E731
    spread = sweep(points, lengths, gather=False)[1]
    z, inertias, n_iter, shift = (centers - frame.origin) / unit, [], 0, np.inf
    while True:
        moments, top = sweep(points, hard_e_step(z))
        inertias.append(max(spread - 2 * top, 0.0))
        if n_iter == max_iter or shift <= tol:
            break
        before = z
        z = moved(points, moments, z)
        shift = ((z - before) ** 2).sum() * unit**2
        n_iter += 1
    centers = frame.origin + z * unit
    labels, sq_dist = assign(X, centers)
    inertia = float(sq_dist.sum() if sample_weight is None else np.asarray(sample_weight, float) @ sq_dist)
    inertias = np.array(inertias) * total * unit**2
    inertias[-1] = inertia
    return KMeansResult(centers, labels, inertia, inertias, n_iter)


def moved(points, moments, z):
    """Centres at the means of their points; empty ones at the farthest points."""
    empty = np.flatnonzero(moments.mass == 0)
    if len(empty):
        labels = refill(points, z, empty)
        Z = (points.X - points.frame.origin) / points.frame.scale
        return update_centers(Z, labels, z, points.share)
    return moments.first / moments.mass[:, None]


def refill(points, z, empty):
    """Labels in which each empty cluster takes the point farthest from its centre."""
    Z = (points.X - points.frame.origin) / points.frame.scale
    labels, sq_dist = assign(Z, z)
    if points.share is not None:
        sq_dist[points.share == 0] = 0.0
    for k in empty:
        far = sq_dist.argmax()
        if sq_dist[far] == 0:
            break
        labels[far] = k
        sq_dist[(Z == Z[far]).all(axis=1)] = 0.0
    return labels
