"""One pass over the data, block by block; what a model makes of a block is its own business.

The responsibilities of a block are used while they are in the processor's cache and
then forgotten, so memory does not grow with N. Sums of blocks add up: that is all an
M-step needs, and why chapter 18 can take the blocks from a file or another machine.
"""

from collections.abc import Callable
from math import prod
from typing import NamedTuple

import numpy as np


class Form(NamedTuple):
    """How a model computes on a block of data.

    `respond(block)` is the E-step: responsibilities (K, n), which may be overwritten,
    and log-densities (n,). `gather(block, resp)` returns an array of sums for the
    M-step, and `moments(points, sums)` what they mean. A row needs `width` numbers on its
    way, and the rows of a block share out over `calls`.
    """

    respond: Callable
    gather: Callable
    moments: Callable
    width: int
    calls: int = 1


class Workspace:
    """Arrays that serve one block after the other: fresh memory costs more than arithmetic."""

    def __init__(self):
        self._arrays = {}

    def array(self, name, shape):
        """An array of a shape, its contents left over from whoever used the name before."""
        size = prod(shape)
        if name not in self._arrays or len(self._arrays[name]) < size:
            self._arrays[name] = np.empty(size)
        return self._arrays[name][:size].reshape(shape)


def sweep(points, form, gather=True, keep=None):
    """One pass over the data.

    Parameters
    ----------
    points
        Knows `N`, its `row_weights` (None: equal; else they sum to one) and `blocks(form)`,
        each with its `rows`.
    form : Form
    gather : bool
        Whether the M-step's sums are wanted.
    keep : callable, optional
        Called with every block's rows, resp and log-density.

    Returns
    -------
    moments
        What `form.moments` makes of the sums; None if they are not wanted.
    bound : float
        Mean log-density.
    """
    weights, sums, bound = points.row_weights, 0.0, 0.0
    for block in points.blocks(form):
        resp, log_density = form.respond(block)
        if keep:
            keep(block.rows, resp, log_density)
        bound += log_density.sum() if weights is None else weights[block.rows] @ log_density
        if gather:
            if weights is not None:
                resp *= weights[block.rows]
            sums = sums + form.gather(block, resp)
    total = points.N if weights is None else 1.0
    return form.moments(points, sums / total) if gather else None, bound / total
