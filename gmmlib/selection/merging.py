"""From components to clusters: merge those that share their points."""

from typing import NamedTuple

import numpy as np

from ..numerics import as_weights, total_weight
from .criteria import check_resp, label_entropy

__all__ = ["Merging", "merge_by_entropy"]


class Merging(NamedTuple):
    """Which components form a cluster, for K, K - 1, ..., 1 clusters.

    `groups[i]` has K - i groups of component indices; `entropy[i]` is what is then left
    to doubt in the labels, in natural units, a sum over points.
    """

    groups: list
    entropy: np.ndarray


def merge_by_entropy(resp, sample_weight=None):
    """Merge components two at a time, always the two that take most doubt out of the labels.

    Parameters
    ----------
    resp : array_like of shape (N, K)
        Responsibilities; rows sum to one.
    sample_weight : array_like of shape (N,), optional
        How often each row counts.

    Returns
    -------
    Merging
        The density stays that of all K components; a cluster's responsibility is the
        sum of its components'.

    Raises
    ------
    ValueError
        If `resp` is no table of responsibilities or the weights do not fit it.

    Notes
    -----
    Baudry, Raftery, Celeux, Lo and Gottardo (2010). Merging never raises the entropy:
    who confuses two names knows more once they are one.
    """
    resp = check_resp(resp)
    share, total = as_weights(sample_weight, len(resp)), total_weight(sample_weight, len(resp))
    clusters = [(k,) for k in range(resp.shape[1])]
    groups, entropy = [list(clusters)], [total * (share @ label_entropy(resp))]
    while len(clusters) > 1:
        doubt = {
            (i, j): share @ label_entropy(np.column_stack([np.delete(resp, [i, j], axis=1), resp[:, i] + resp[:, j]]))
            for j in range(len(clusters))
            for i in range(j)
        }
        i, j = min(doubt, key=doubt.get)  # eq-merge
        resp[:, i] += resp[:, j]
        resp = np.delete(resp, j, axis=1)
        clusters[i] = tuple(sorted(clusters[i] + clusters.pop(j)))
        groups.append(list(clusters))
        entropy.append(total * doubt[i, j])
    return Merging(groups, np.array(entropy))
