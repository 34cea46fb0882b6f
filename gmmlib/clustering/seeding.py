"""Where k-means starts: rows drawn at random, or spread out.

Every draw inverts a cumulative sum of weights, so that a row of weight 3 and three copies of a row
answer the same random number with the same point.
"""

import numpy as np

from ..numerics import OneBlasThread, as_count, as_points, as_rng, as_weights, rows_that_count
from .nearest import Table

__all__ = ["kmeans_plusplus"]

EQUAL = 1 + 1e-9  # candidates that differ by less leave as much: sums round by who is counted how often
TRIES = 20  # rounds of draws before rows that are no longer wanted are looked for


def draw(rng, chance, size):
    """Indices (size,), drawn in proportion to `chance` (N,)."""
    edges = np.cumsum(chance)
    found = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return found.clip(0, len(chance) - 1)


@OneBlasThread()
def kmeans_plusplus(X, K, rng, sample_weight=None, candidates=1):
    """Spread-out starting centres: each next one drawn in proportion to squared distance.

    Parameters
    ----------
    X : array_like of shape (N, D)
    K : int
    rng : numpy.random.Generator or int
        An int is the seed of one.
    sample_weight : array_like of shape (N,), optional
    candidates : int
        Rows drawn for every centre after the first; the one that leaves least inertia is kept.
        `KMeans` takes 3 (2 + ln K), which ends lower than one candidate does, and often sooner.

    Returns
    -------
    ndarray of shape (K, D)
        Rows of `X`; distinct as long as there are K distinct rows.

    Raises
    ------
    ValueError
        If `K` is not between 1 and N, or `rng` is no generator and no seed.

    Notes
    -----
    Arthur and Vassilvitskii (2007): the expected inertia is at most
    8 (ln K + 2) times the best, for one candidate. The chance is proportional to the squared
    distance to the *nearest* centre.
    """
    X, K, candidates = as_points(X), as_count(K, "K", 0), as_count(candidates, "candidates")
    if not 1 <= K <= len(X):
        raise ValueError(f"K must be between 1 and the number of points {len(X)}, got {K}")
    share = None if sample_weight is None else as_weights(sample_weight, len(X))
    share, X = rows_that_count(share, X)
    return spread_rows(Table(X, share), K, as_rng(rng), candidates)


def weights_of(table):
    """The weight of every row, (N,)."""
    return np.ones(len(table.X)) if table.share is None else table.share


def candidates_for(K):
    """How many candidates a centre make the best starts of k-means for the time they take."""
    return int(3 * (2 + np.log(K)))


def spread_rows(table, K, rng, candidates):
    """`kmeans_plusplus` for a table."""
    share = weights_of(table)
    chosen, nearest_sq = [int(draw(rng, share, 1)[0])], np.full(len(share), np.inf)
    while len(chosen) < K:
        table.shrink(nearest_sq, table.rows(chosen[-1:]))
        chance = share * nearest_sq  # eq-km-plusplus
        found = draw(rng, chance if chance.sum() > 0 else share, candidates)
        left = table.remaining(table.rows(found), nearest_sq) if candidates > 1 else np.zeros(1)
        chosen.append(int(found[(left <= EQUAL * left.min()).argmax()]))
    return table.X[chosen]


def random_rows(table, K, rng):
    """K rows, distinct while there are distinct rows, drawn in proportion to their weights."""
    share, chosen = weights_of(table), {}
    for _ in range(TRIES):  # a row drawn again is not taken again
        for i in draw(rng, share, K - len(chosen)).tolist():
            chosen.setdefault(tuple(table.X[i].tolist()), i)
    chosen = list(chosen.values())
    if len(chosen) < K:  # hardly any row is new: let nothing but new ones be drawn
        row = np.unique(table.X, axis=0, return_inverse=True)[1].ravel()
        chance = np.where(np.isin(row, row[chosen]), 0.0, share)
        while len(chosen) < K:
            chosen += draw(rng, chance if chance.any() else share, 1).tolist()
            chance[row == row[chosen[-1]]] = 0.0
    return table.X[chosen]
