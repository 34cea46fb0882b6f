"""SQUAREM: leap along EM's path, and take back every leap that loses ground.

Near its end EM multiplies the remaining error by nearly the same matrix each time.
Two iterations show how fast it shrinks, and a third can jump ahead. Varadhan and
Roland (2008), scheme S3. Derived in a later chapter on speed.
"""

import numpy as np

__all__ = ["squarem"]


def squarem(iterate):
    """An iteration that takes two EM steps, leaps, and takes a third.

    Parameters
    ----------
    iterate : callable
        As `run.run_em` takes it; its parameters have `to_vector` and `from_vector`.

    Returns
    -------
    callable
        Of the same kind, four sweeps an iteration. The log-likelihood never falls:
        a leap that lands below the second EM step is dropped.
    """

    def leaping(params, gather=True):
        bound, advance = iterate(params, gather)

        def leap():
            one = advance()
            two = iterate(one)[1]()
            floor, onwards = iterate(two)
            try:
                height, beyond = iterate(leap_from(params, one, two))
                return beyond() if height >= floor else onwards()
            except (ValueError, FloatingPointError):  # the leap left the parameter space
                return onwards()

        return bound, leap

    return leaping


def leap_from(start, one, two):
    """The parameters that three successive ones point to."""
    return two.from_vector(extrapolate(*(params.to_vector() for params in (start, one, two))))


def extrapolate(start, one, two):
    """The leap from three successive iterates, as vectors: start - 2 a r + a**2 v, a <= -1."""
    r = one - start
    v = two - one - r
    length = np.linalg.norm(v)
    a = min(-np.linalg.norm(r) / length, -1.0) if length > 0 else -1.0
    return start - 2 * a * r + a**2 * v
