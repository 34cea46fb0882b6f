"""The loop: E-step and M-step in turn until little changes. Chapter 9 derives why it climbs."""

import numpy as np


def run_em(iterate, params, tol, max_iter, report=None):
    """EM: apply `iterate` until the mean log-likelihood changes by less than `tol`.

    Parameters
    ----------
    iterate : callable
        From parameters to their mean log-likelihood and a function that returns the
        next parameters (if `gather` asked for its sums).
    params
        The start.
    tol : float
    max_iter : int
    report : callable, optional
        Called with the iteration, the mean log-likelihood after it and its change.

    Returns
    -------
    params
    trace : list of float
        Mean log-likelihood of the start and after each iteration.
    converged : bool
    """
    trace = []
    for left in range(max_iter, -1, -1):
        bound, advance = iterate(params, gather=left > 0)
        change = bound - trace[-1] if trace else np.inf
        trace.append(bound)
        if report and len(trace) > 1:
            report(len(trace) - 1, bound, change)
        if abs(change) < tol:
            return params, trace, True
        if left:
            params = advance()
    return params, trace, False
