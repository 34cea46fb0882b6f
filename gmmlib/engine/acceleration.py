"""SQUAREM: leap along EM's path, and take back every leap that loses ground.

Near its end EM multiplies the remaining error by nearly the same matrix each time.
Two iterations show how fast it shrinks, and a third can jump ahead. Varadhan and
Roland (2008), scheme S3. Derived in a later chapter on speed.
"""

import numpy as np

from ..families.gaussian.parameters import make_components

__all__ = ["squarem"]


def squarem(iterate):
    """An iteration that takes two EM steps, leaps, and takes a third.

    Parameters
    ----------
    iterate : callable
        As `loop.em_map` returns it.

    Returns
    -------
    callable
        Of the same kind, four sweeps an iteration. The log-likelihood never falls:
        a leap that lands below the second EM step is dropped.
    """

    def leaping(parts, gather=True):
        bound, advance = iterate(parts, gather)

        def leap():
            one = advance()
            two = iterate(one)[1]()
            floor, onwards = iterate(two)
            try:
                height, beyond = iterate(extrapolate(parts, one, two))
                return beyond() if height >= floor else onwards()
            except (ValueError, FloatingPointError):  # the leap left the parameter space
                return onwards()

        return bound, leap

    return leaping


def extrapolate(start, one, two):
    """The leap from three successive iterates: start - 2 a r + a**2 v, a <= -1."""
    theta = [to_vector(parts) for parts in (start, one, two)]
    r = theta[1] - theta[0]
    v = theta[2] - theta[1] - r
    length = np.linalg.norm(v)
    a = min(-np.linalg.norm(r) / length, -1.0) if length > 0 else -1.0
    return from_vector(theta[0] - 2 * a * r + a**2 * v, two)


def to_vector(parts):
    """Parameters without constraints: ln weights, means, and roots with ln diagonals."""
    log_weights = np.log(np.maximum(parts.weights, 1e-300))  # finite: a component without points stays one
    return np.concatenate([log_weights, parts.offsets().ravel(), _free(parts).ravel()])


def _free(parts):
    """Cholesky factors with the logarithm of their diagonals, or ln variances."""
    if parts.kind not in ("full", "tied"):
        return np.log(parts.covs)
    L = np.linalg.cholesky(parts.covs)
    diagonal = np.eye(L.shape[-1], dtype=bool)
    return np.where(diagonal, np.log(np.where(diagonal, L, 1.0)), L)


@np.errstate(over="ignore", invalid="ignore")  # make_components says what is no covariance
def from_vector(theta, like):
    """Components of the kind and shape of `like`; ValueError if they are no mixture."""
    if not np.isfinite(theta).all():
        raise ValueError("the leap is not finite")
    K, D = like.means.shape
    weights = np.exp(theta[:K] - theta[:K].max())
    means = like.frame.origin + like.frame.scale * theta[K : K + K * D].reshape(K, D)
    free = theta[K + K * D :].reshape(np.shape(like.covs))
    if like.kind not in ("full", "tied"):
        return make_components(like.kind, like.frame, weights / weights.sum(), means, np.exp(free))
    diagonal = np.eye(D, dtype=bool)
    L = np.where(diagonal, np.exp(np.where(diagonal, free, 0.0)), free)
    return make_components(like.kind, like.frame, weights / weights.sum(), means, L @ np.swapaxes(L, -1, -2))
