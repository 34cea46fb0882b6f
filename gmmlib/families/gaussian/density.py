"""One Gaussian: its density, its maximum-likelihood fit, its parts, its samples.

Everything here is a plain function of arrays. Points are rows: `X` is (N, D).
"""

import numpy as np
from scipy.linalg import solve_triangular

from ...numerics import LOG_2PI, as_count, as_numbers, as_points, as_rng, as_weights
from .covariance import MATRIX, ROUND, SHARED, check_symmetric, cholesky, inverse_roots, log_norms, squared_distance

FARTHEST = 1e152  # standard deviations: a sum of squares fits
PRODUCTS_END = 1e4  # squared deviations between means: times 1e-16, twelve digits are left

__all__ = [
    "conditional",
    "fit_gaussian",
    "log_gaussian",
    "log_gaussian_1d",
    "marginal",
    "sample_gaussian",
]


def log_gaussian_1d(x, mean, var):
    """Log-density of a one-dimensional Gaussian.

    Parameters
    ----------
    x : array_like
        Points, in some unit u; any shape.
    mean : float or array_like
        Centre, in u.
    var : float or array_like
        Variance, in u**2: the square of the standard deviation.

    Returns
    -------
    ndarray
        Natural log of a density per u, shaped like `x` (broadcast with the
        parameters). It is positive wherever the density exceeds one.

    Raises
    ------
    ValueError
        If a variance is not positive and finite.

    Notes
    -----
    Bishop (2006), eq. 1.46. Derived in chapters/01_one_gaussian.ipynb.
    """
    x, mean, var = (as_numbers(v, name).astype(float) for v, name in ((x, "x"), (mean, "mean"), (var, "var")))
    if not (np.all(var > 0) and np.all(np.isfinite(var))):
        raise ValueError(f"var must be positive and finite, got {var}: pass a variance, not a log")
    with np.errstate(over="ignore"):  # too far away to square: a log-density of -inf
        return -0.5 * (LOG_2PI + np.log(var) + (x - mean) ** 2 / var)


def _parameters(mean, cov):
    """Mean (D,) and symmetric covariance (D, D) as arrays, or an error that names one."""
    mean, cov = as_numbers(mean, "mean"), as_numbers(cov, "cov")
    if mean.ndim != 1 or cov.shape != (len(mean),) * 2:
        raise ValueError(f"mean must be (D,) and cov (D, D), got mean {mean.shape} and cov {cov.shape}")
    for name, values in (("mean", mean), ("cov", cov)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} contains NaN or infinity: {values}")
    check_symmetric(cov, "cov")
    return mean.astype(float), cov.astype(float)


def log_gaussian(X, mean, cov):
    """Log-density of one Gaussian at every row of `X`.

    Parameters
    ----------
    X : array_like of shape (N, D)
        Points, in some unit u.
    mean : array_like of shape (D,)
        Centre, in u.
    cov : array_like of shape (D, D)
        Symmetric positive definite, in u**2.

    Returns
    -------
    ndarray of shape (N,)
        Natural log of a density per u**D. It may be positive, and it drops
        by D*ln(c) when every coordinate is multiplied by c.

    Raises
    ------
    ValueError
        If the shapes disagree or `cov` is not positive definite.

    Notes
    -----
    Bishop (2006), eq. 2.43. With cov = L L' and L z = x - mean, the exponent is
    -z'z/2 and ln|cov| is twice the sum of ln diag(L): no inverse, no determinant.
    A singular `cov` that rounding hides may pass: its density is then that of a very thin Gaussian.
    """
    X = as_points(X)
    D = X.shape[1]
    if np.shape(mean) != (D,) or np.shape(cov) != (D, D):
        raise ValueError(f"X has {D} columns but mean is {np.shape(mean)} and cov {np.shape(cov)}")
    mean, cov = _parameters(mean, cov)
    L = cholesky(cov)
    log_det = 2 * np.log(np.diag(L)).sum()
    with np.errstate(over="ignore", invalid="ignore"):  # too far away to square: a log-density of -inf
        z = solve_triangular(L, (X - mean).T, lower=True, check_finite=False)  # (D, N)
        distance = np.nan_to_num((z**2).sum(axis=0), nan=np.inf, posinf=np.inf)
    return -0.5 * (D * LOG_2PI + log_det + distance)


def mixture_log_joint(weights, means, covs, kind):
    """A function of rows: ln of weight times density of every component, from (n, D) to (K, n).

    A distance too large to square stops there, so that a log-density is finite and
    responsibilities are a distribution however far away a point lies.
    """
    (K, D), roots = means.shape, inverse_roots(covs, kind)
    constants = log_norms(weights, roots, kind, D)
    steepest = np.abs(roots).reshape(-1, 1 if kind in ROUND else D).max(axis=0)
    far = FARTHEST / (D * steepest[:, None])

    @np.errstate(over="ignore")
    def by_residuals(x):
        columns, out = np.ascontiguousarray(x.T, dtype=float), np.empty((K, len(x)))
        y = np.empty_like(columns)  # fresh memory costs more than arithmetic
        within = np.abs(x).max() < far.min() - np.abs(means).max()
        for k in range(K):
            np.subtract(columns, means[k][:, None], out=y)
            if not within:
                np.clip(y, -far, far, out=y)
            out[k] = squared_distance(y, roots if kind in SHARED else roots[k], out=y)
        out *= -0.5
        out += constants[:, None]
        return out

    if kind in MATRIX:
        return by_residuals
    own = np.broadcast_to(np.reshape(roots, (-1, len(steepest))) / steepest, (K, len(steepest)))
    return by_products(weights @ means, steepest, means, own**2, constants, by_residuals)


@np.errstate(over="ignore", invalid="ignore")
def by_products(origin, scale, means, precisions, constants, by_residuals):
    """The same without correlations: (z - m)^2 as z^2 - 2 m z + m^2, two matrix products.

    Seen from the mixture's mean, in units of the narrowest deviation. Where the components' means are many
    deviations from there, the terms would cancel beyond the twelfth digit: then by residuals. So are
    rows whose squares do not fit.
    """
    m = (means - origin) * scale
    linear, square = precisions * m, (precisions * m**2).sum(axis=1)
    if not square.max() < PRODUCTS_END:
        return by_residuals
    constants = constants - 0.5 * square

    @np.errstate(over="ignore", invalid="ignore")
    def log_joint(x):
        z = np.array(x.T, dtype=float, order="C")
        z -= origin[:, None]
        z *= scale[:, None]
        out = linear @ z
        squares = np.multiply(z, z, out=z) if len(scale) > 1 else np.einsum("dn,dn->n", z, z)[None]
        out -= 0.5 * precisions @ squares
        out += constants[:, None]
        fits = np.isfinite(out.max(axis=0))
        if not fits.all():
            out[:, ~fits] = by_residuals(x[~fits])
        return out

    return log_joint


def fit_gaussian(X, sample_weight=None):
    """Maximum-likelihood mean and covariance of one Gaussian.

    Parameters
    ----------
    X : array_like of shape (N, D)
        Points, in some unit u.
    sample_weight : array_like of shape (N,), optional
        Non-negative; only ratios matter. A weight of 3 is the row three times.

    Returns
    -------
    mean : ndarray of shape (D,)
        In u.
    cov : ndarray of shape (D, D)
        In u**2, divided by N and not by N - 1; singular when N <= D.

    Raises
    ------
    ValueError
        If `X` is not two-dimensional and finite, or the weights are unusable.

    Notes
    -----
    Bishop (2006), eqs. 2.121 and 2.122. The squares are taken around the mean:
    E[xx'] - mean mean' would lose every digit when the data sit far from zero.
    """
    X = as_points(X)
    share = as_weights(sample_weight, len(X))
    with np.errstate(over="ignore", invalid="ignore"):
        mean = weighted_mean(X, share)
        centred = X - mean
        cov = (share * centred.T) @ centred
    if not np.isfinite(cov).all():
        raise ValueError("X spans more than float64 can square: divide it by a constant first")
    return mean, cov


def weighted_mean(X, share):
    """Mean of the rows of `X` with weights `share` that sum to one.

    The second pass repairs what rounding lost in the first when the data sit
    far from zero: the residuals are small, so their mean is nearly exact.

    Parameters
    ----------
    X : ndarray of shape (N, D)
    share : ndarray of shape (N,)

    Returns
    -------
    ndarray of shape (D,)
    """
    mean = share @ X
    return mean + share @ (X - mean)


def sample_gaussian(rng, n, mean, cov):
    """Draw `n` points from one Gaussian.

    Parameters
    ----------
    rng : numpy.random.Generator or int
        A whole number is a seed.
    n : int
    mean : array_like of shape (D,)
    cov : array_like of shape (D, D)
        Symmetric positive definite.

    Returns
    -------
    ndarray of shape (n, D)

    Notes
    -----
    x = mean + L z with z standard normal and cov = L L', so cov(x) = L I L'.
    """
    rng, n, (mean, cov) = as_rng(rng), as_count(n, "n", 0), _parameters(mean, cov)
    return mean + rng.standard_normal((n, len(mean))) @ cholesky(cov).T


def marginal(mean, cov, keep):
    """Mean and covariance of some coordinates of a Gaussian.

    Parameters
    ----------
    mean : array_like of shape (D,)
    cov : array_like of shape (D, D)
    keep : sequence of int
        Which coordinates to keep, in the order wanted.

    Returns
    -------
    mean : ndarray of shape (len(keep),)
    cov : ndarray of shape (len(keep), len(keep))

    Notes
    -----
    Bishop (2006), eq. 2.98: the others are left out, nothing is recomputed.
    """
    mean, cov = _parameters(mean, cov)
    keep = places(keep, len(mean), "keep")
    return mean[keep], cov[np.ix_(keep, keep)]


def places(which, D, name):
    """Coordinates 0..D-1 that `which` names (negative: from the end, or True and False), each once."""
    if np.ndim(which) != 1:
        raise ValueError(f"{name} must be a sequence of coordinates, as in [0], got {which!r}")
    try:
        found = np.arange(D)[np.asarray(which, dtype=None if len(which) else int)]
    except IndexError as err:
        raise ValueError(f"{name} must hold coordinates between 0 and {D - 1}, got {which}") from err
    if len(np.unique(found)) < len(found):
        raise ValueError(f"{name} names a coordinate twice: {which}")
    return found


def conditional(mean, cov, given, values):
    """Mean and covariance of the other coordinates once some are known.

    Parameters
    ----------
    mean : array_like of shape (D,)
    cov : array_like of shape (D, D)
    given : sequence of int
        Which coordinates are known.
    values : array_like of shape (len(given),) or (N, len(given))
        What they are; one row a case.

    Returns
    -------
    mean : ndarray of shape (D - len(given),) or (N, D - len(given))
    cov : ndarray of shape (D - len(given), D - len(given))
        The same for every case: it does not depend on `values`.

    Notes
    -----
    Bishop (2006), eqs. 2.81 and 2.82.
    """
    mean, cov = _parameters(mean, cov)
    given, values = places(given, len(mean), "given"), as_numbers(values, "values")
    rest = np.setdiff1d(np.arange(len(mean)), given)
    if values.ndim not in (1, 2) or values.shape[-1:] != given.shape:
        raise ValueError(
            f"values must have one entry for each of {len(given)} given coordinates, one row a case, got {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"values contains NaN or infinity: leave unknown coordinates out of given, got {values}")
    L = cholesky(cov[np.ix_(given, given)])
    half = solve_triangular(L, cov[np.ix_(given, rest)], lower=True)
    gain = solve_triangular(L, half, lower=True, trans="T")  # (given, rest)
    shift = (values - mean[given]) @ gain
    return mean[rest] + shift, cov[np.ix_(rest, rest)] - half.T @ half
