"""Five shapes a component's covariance may take.

=============  ============  =============================  ================
kind           shape         what is shared                 free parameters
=============  ============  =============================  ================
full           (K, D, D)     nothing                        K D (D + 1) / 2
tied           (D, D)        one matrix for all components  D (D + 1) / 2
diag           (K, D)        no correlations                K D
spherical      (K,)          one variance a component       K
tied_spherical ()            one variance in all            1
=============  ============  =============================  ================
"""

import numpy as np
from scipy.linalg.lapack import dtrtri

from ...numerics import LOG_2PI

NEVER = -1e300  # the logarithm of nothing
COVARIANCE_TYPES = ("full", "tied", "diag", "spherical", "tied_spherical")
MATRIX = ("full", "tied")  # kinds that know correlations
ROUND = ("spherical", "tied_spherical")  # one variance in all directions
SHARED = ("tied", "tied_spherical")  # one covariance for all components


def check_covariance_type(kind):
    """Raise a ValueError that lists the five unless it is one of them."""
    if kind not in COVARIANCE_TYPES:
        raise ValueError(f"covariance_type must be one of {COVARIANCE_TYPES}, got {kind!r}")


def covariance_shape(kind, K, D):
    """The shape of the covariances of K components in D dimensions."""
    shapes = {"full": (K, D, D), "tied": (D, D), "diag": (K, D), "spherical": (K,), "tied_spherical": ()}
    if kind not in shapes:
        check_covariance_type(kind)  # says what there is
    return shapes[kind]


def n_covariance_parameters(kind, K, D):
    """Free parameters in the covariances of K components in D dimensions."""
    check_covariance_type(kind)
    one = D * (D + 1) // 2
    return {"full": K * one, "tied": one, "diag": K * D, "spherical": K}.get(kind, 1)


def as_covariances(covs, kind, K, D):
    """`covs` as an array of the shape its kind asks for, or a clear error."""
    covs, expected = np.asarray(covs, float), covariance_shape(kind, K, D)
    if covs.shape != expected:
        raise ValueError(f"{kind} covariances must have shape {expected}, got {covs.shape}")
    if not np.isfinite(covs).all():
        raise ValueError(f"{kind} covariances contain NaN or infinity")
    return covs


def check_symmetric(covs, name):
    """Raise a ValueError unless matrices (..., D, D) equal their transposes, up to five digits of a correlation."""
    sd = np.sqrt(np.abs(np.diagonal(covs, axis1=-2, axis2=-1)))
    lopsided = np.abs(covs - np.swapaxes(covs, -1, -2)) > 1e-5 * sd[..., :, None] * sd[..., None, :]
    if lopsided.any():
        i, j = np.argwhere(lopsided)[0][-2:]
        raise ValueError(f"{name} must be symmetric: entries [{i}, {j}] and [{j}, {i}] differ")


def full_covariances(covs, kind, K, D):
    """Covariances of any kind written out as (K, D, D)."""
    covs = as_covariances(covs, kind, K, D)
    if kind in MATRIX:
        return np.broadcast_to(covs, (K, D, D))
    variances = covs if kind == "diag" else np.reshape(covs, (-1, 1))
    return np.broadcast_to(variances[:, :, None] * np.eye(D), (K, D, D))


def rescaled(covs, kind, factor):
    """Covariances after every coordinate d is multiplied by `factor[d]`.

    A spherical kind has one variance for all directions, so its factors must be
    equal; the first is used.
    """
    if kind in MATRIX:
        return covs * (factor[:, None] * factor)  # in this order it stays symmetric to the last bit
    return covs * factor**2 if kind == "diag" else covs * factor[0] ** 2


def regularised(covs, kind, amount):
    """Covariances with `amount` (D,) added once to every variance."""
    if kind in MATRIX:
        return covs + np.diag(amount)
    return covs + (amount if kind == "diag" else amount[0])


# ------------------------------------------------------------------ factors


def cholesky(cov, name="cov"):
    """Lower Cholesky factor(s) of `cov`, or a ValueError that names it.

    Parameters
    ----------
    cov : ndarray of shape (..., D, D)
        Symmetric; only the lower triangle is read.
    name : str
        What the error message calls it.

    Returns
    -------
    ndarray of shape (..., D, D)

    Raises
    ------
    ValueError
        If a matrix is not finite or not positive definite.
    """
    if not np.isfinite(cov).all():
        raise ValueError(f"{name} contains NaN or infinity")
    try:
        return np.linalg.cholesky(cov)
    except np.linalg.LinAlgError as err:
        raise ValueError(
            f"{name} is not positive definite: a direction has no variance. "
            "Drop redundant columns, use fewer components, or raise reg_covar"
        ) from err


def inverse_roots(covs, kind):
    """U with U cov U' = I, shaped like `covs`: inverse Cholesky factors or 1/sd."""
    if kind in MATRIX:
        return inverse_triangular(cholesky(covs, "covs"))
    if not (np.all(covs > 0) and np.all(np.isfinite(covs))):
        advice = "use fewer components or raise reg_covar"
        raise ValueError(f"covs must be positive and finite: {advice}; got {covs}")
    return 1 / np.sqrt(covs)


def inverse_triangular(L):
    """Inverses of lower triangular matrices (..., D, D)."""
    inverse, D = np.empty(L.shape), L.shape[-1]
    for out, one in zip(inverse.reshape(-1, D, D), L.reshape(-1, D, D), strict=True):
        out[:] = dtrtri(one, lower=1)[0]
    return inverse


def squared_distance(y, root, out=None):
    """Squared Mahalanobis distance (m,) of residuals y (D, m).

    `root` is one inverse root: (D, D), (D,) or a number. Without correlations, the
    residuals may be whitened in `out`, which may be y.
    """
    white = root @ y if np.ndim(root) == 2 else np.multiply(np.reshape(root, (-1, 1)), y, out=out)
    return np.einsum("dm,dm->m", white, white)


def log_norms(weights, roots, kind, D):
    """ln weight + ln|U| - D/2 ln 2 pi (K,): what a component's log-joint begins with.

    A weight of zero is allowed; ln 0 is taken to be finite, because inf - inf is no number.
    """
    log_weights = np.log(weights, out=np.full(len(weights), NEVER), where=weights > 0)
    if kind in MATRIX:
        log_det = np.log(roots.diagonal(axis1=-2, axis2=-1)).sum(axis=-1)
    else:
        log_det = np.log(roots).sum(axis=-1) if kind == "diag" else D * np.log(roots)
    return log_weights + (log_det - 0.5 * D * LOG_2PI)
