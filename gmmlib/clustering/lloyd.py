"""k-means: EM's two steps with hard assignments.

The hard E-step asks `nearest`. The hard M-step is a product, as EM's is, with a matrix of
responsibilities that holds a single one in every column: a sparse one. Later iterations
need only the columns that changed. Derived in chapters/13_kmeans.ipynb.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array

from ..numerics import (
    FAR,
    OneBlasThread,
    as_count,
    as_points,
    as_weights,
    rows_that_count,
    total_weight,
)
from .nearest import Table

__all__ = ["Assignment", "KMeansResult", "assign", "lloyd", "update_centers"]

FEW = 1000  # rows that are sooner summed than looked through for changes
GROUP = 20_000  # rows whose sums are taken in one product
DENSE = 81_000  # fewer responsibilities than this are no work to write out


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


@OneBlasThread()
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
    table = Table(X, like=centers)
    labels = table.nearest(z := table.enter(centers)).astype(np.intp)
    with np.errstate(over="ignore"):
        return Assignment(labels, table.squared_distances(z, labels) * table.unit**2)


@OneBlasThread()
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
    N, K = len(X), len(centers)
    whole = labels.shape == (N,) and labels.dtype.kind in "iu"
    if not whole or labels.min() < 0 or labels.max() >= K:
        raise ValueError(f"labels must be {N} whole numbers from 0 to {K - 1}, one a row")
    share, new = as_weights(sample_weight, N), centers.astype(float)
    for k in range(K):
        mine = np.equal(labels, k) & (share > 0)
        if mine.any():
            origin = X[mine][0].astype(float)
            new[k] = origin + share[mine] @ (X[mine] - origin) / share[mine].sum()
    return new


def membership(labels, weight, K):
    """Hard responsibilities (K, n), one entry a column, its weight or one: sparse, or dense if few."""
    if K * max(K, len(labels)) < DENSE:
        member = np.eye(K).take(labels, axis=1)
        return member if weight is None else member * weight
    weight = np.ones(len(labels)) if weight is None else weight
    ends = np.arange(len(labels) + 1, dtype=np.int32)
    return csc_array((weight, labels.astype(np.int32), ends), shape=(K, len(labels)))


class Clusters:
    """The clusters of a table's rows: labels (N,), counts (K,) and summed coordinates (K, D).

    Counts and sums follow the labels; where few of them change, so do these few rows' terms alone.
    """

    def __init__(self, table, K):
        self.table, self.labels = table, None
        self.counts, self.sums = np.zeros(K), np.zeros((K, table.X.shape[1]))

    def follow(self, labels):
        """Take new labels."""
        before, self.labels, N, K = self.labels, labels, len(labels), len(self.counts)
        if self.table.share is None and N > FEW and before is not None:
            moved = (labels != before).nonzero()[0]
            if 4 * len(moved) < N:
                self._add(moved, membership(labels[moved], None, K) - membership(before[moved], None, K))
                return
        self.counts[:], self.sums[:] = 0.0, 0.0
        for part in (slice(i, i + GROUP) for i in range(0, N, GROUP)):
            weight = None if self.table.share is None else self.table.share[part]
            self._add(part, membership(labels[part], weight, K))

    def _add(self, which, member):
        """Add rows to the clusters whose members (K, n) they become."""
        self.counts += member.sum(axis=1)
        self.sums += member @ self.table.rows(which)

    def inertia(self, z):
        """(Weighted) sum of squared distances to centres z (K, D): three terms, that may cancel."""
        scores = self.counts @ np.vecdot(z, z) - 2 * np.vdot(self.sums, z)
        return self.table.norm + scores  # eq-km-inertia

    def means(self, z):
        """New centres: the means of their points; an empty cluster takes a far point first."""
        if self.counts.min() > 0:
            return self.sums / self.counts[:, None]  # eq-km-mean-shift
        table, labels = self.table, self.labels.copy()
        rows, sq_dist = table.rows(slice(None)), table.squared_distances(z, labels)
        for k in np.flatnonzero(self.counts <= 0):
            far = sq_dist.argmax()
            if sq_dist[far] > 0:
                labels[far] = k
                sq_dist[(rows == rows[far]).all(axis=1)] = 0.0
        return update_centers(rows, labels, z, table.share)


@OneBlasThread()
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
    max_iter = as_count(max_iter, "max_iter", 0)
    share = None if sample_weight is None else as_weights(sample_weight, len(X))
    share, counting = rows_that_count(share, X)
    total = total_weight(sample_weight, len(X))
    return with_all_rows(descend(Table(counting, share), centers, max_iter, tol, total), X)


def with_all_rows(run, X):
    """A run in which rows of weight zero have labels, too."""
    return run if len(run.labels) == len(X) else run._replace(labels=assign(X, run.centers).labels)


def descend(table, centers, max_iter=300, tol=0.0, total=1.0):
    """`lloyd` for a table, whose weights sum to one instead of `total`, and checked centres."""
    z = np.clip(table.enter(np.asarray(centers, float)), -FAR, FAR)
    clusters = Clusters(table, len(z))
    trace, shift = [], np.inf
    while True:
        if shift > 0:
            clusters.follow(table.nearest(z))
        trace.append(clusters.inertia(z))
        if len(trace) > max_iter or shift <= tol / table.unit**2:
            break
        before, z = z, clusters.means(z)
        move = z - before
        shift = np.vdot(move, move)
    if trace[-1] < 1e-3 * table.norm:  # most of it has cancelled
        trace[-1] = table.total(table.squared_distances(z, clusters.labels))
    with np.errstate(over="ignore"):
        unit = (1.0 if table.share is None else total) * table.unit**2
        inertias = np.maximum(trace, trace[-1]) * unit
    labels = clusters.labels.astype(np.intp)
    return KMeansResult(table.leave(z), labels, float(inertias[-1]), inertias, len(trace) - 1)
