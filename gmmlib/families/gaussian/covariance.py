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

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical", "tied_spherical")


def check_covariance_type(kind):
    """Raise a ValueError that lists the five unless it is one of them."""
    if kind not in COVARIANCE_TYPES:
        raise ValueError(f"covariance_type must be one of {COVARIANCE_TYPES}, got {kind!r}")


def covariance_shape(kind, K, D):
    """The shape of the covariances of K components in D dimensions."""
    check_covariance_type(kind)
    shapes = {"full": (K, D, D), "tied": (D, D), "diag": (K, D), "spherical": (K,)}
    return shapes.get(kind, ())


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
    if kind in ("full", "tied"):
        return np.broadcast_to(covs, (K, D, D))
    variances = covs if kind == "diag" else np.reshape(covs, (-1, 1))
    return np.broadcast_to(variances[:, :, None] * np.eye(D), (K, D, D))


def rescaled(covs, kind, factor):
    """Covariances after every coordinate d is multiplied by `factor[d]`.

    A spherical kind has one variance for all directions, so its factors must be
    equal; the first is used.
    """
    if kind in ("full", "tied"):
        return covs * (factor[:, None] * factor)  # in this order it stays symmetric to the last bit
    return covs * factor**2 if kind == "diag" else covs * factor[0] ** 2


def regularised(covs, kind, amount):
    """Covariances with `amount` (D,) added once to every variance."""
    if kind in ("full", "tied"):
        return covs + np.diag(amount)
    return covs + (amount if kind == "diag" else amount[0])
