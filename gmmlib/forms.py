"""Two ways to write the E-step and the sums the M-step needs.

**Natural form.** A Gaussian's log-density is linear in T(z) = (1, z, products of
z). The E-step of all components is one matrix product, theta @ T; the moments are
another, resp @ T.T. Fast, but the terms cancel when a mean lies many standard
deviations from the origin (`Components.cancellation`).

**Residual form.** The same sums, each around its component's own point of
reference. Nothing large is subtracted; the products come one component at a time.
"""

from functools import lru_cache

import numpy as np

from .components import Moments
from .numerics import log_normalise

# ------------------------------------------------------------- natural form


@lru_cache
def pairs(D):
    """Row and column of every entry on and above the diagonal."""
    return np.triu_indices(D)


def n_features(kind, D):
    """Length of T: one, D coordinates, and the products the structure needs."""
    return 1 + D + {"full": D * (D + 1) // 2, "diag": D, "spherical": 1}.get(kind, 0)


def fill_features(T, kind, D):
    """Complete T (P, n), whose rows 1..D hold z, with the one and the products."""
    Z, products = T[1 : D + 1], T[D + 1 :]
    T[0] = 1.0
    if kind == "diag":
        np.multiply(Z, Z, out=products)
    elif kind == "spherical":
        np.einsum("dn,dn->n", Z, Z, out=products[0])
    elif kind == "full":
        row = 0
        for d in range(D):
            np.multiply(Z[d], Z[d:], out=products[row : row + D - d])
            row += D - d


def natural_parameters(parts):
    """theta (K, P) such that the log-joint is theta @ T, up to `shared_term`."""
    K, D = parts.means.shape
    precision = parts.precisions
    theta = np.empty((K, n_features(parts.kind, D)))
    if parts.kind in ("full", "tied"):
        linear = (precision @ parts.means[:, :, None])[:, :, 0]
    else:
        linear = (precision[:, None] if parts.kind == "spherical" else precision) * parts.means
    theta[:, 0] = parts.log_norm - 0.5 * (linear * parts.means).sum(axis=1)
    theta[:, 1 : D + 1] = linear
    if parts.kind == "full":
        rows, cols = pairs(D)
        theta[:, D + 1 :] = -np.where(rows == cols, 0.5, 1.0) * precision[:, rows, cols]
    elif parts.kind in ("diag", "spherical"):
        theta[:, D + 1 :] = -0.5 * precision.reshape(K, -1)
    return theta


def shared_term(parts, Z):
    """-z' Lambda z / 2 where one Lambda serves all: it cancels in responsibilities."""
    if parts.kind == "tied":
        white = parts.roots @ Z
        return -0.5 * np.einsum("dn,dn->n", white, white)
    if parts.kind == "tied_spherical":
        return -0.5 * parts.roots**2 * np.einsum("dn,dn->n", Z, Z)
    return 0.0


def natural_e_step(parts):
    """The E-step as one product: a function of T that gives resp (K, n), log-density (n,)."""
    theta, D = natural_parameters(parts), parts.means.shape[1]

    def respond(T, rows):
        resp, log_density = log_normalise(theta @ T)
        return resp, log_density + shared_term(parts, T[1 : D + 1])

    return respond


def natural_moments(kind, D, sums, total):
    """Moments around the origin from resp @ T.T; `total` is the scatter of all points."""
    mass, first, second = sums[:, 0], sums[:, 1 : D + 1], sums[:, D + 1 :]
    if kind == "full":
        rows, cols = pairs(D)
        square = np.empty((len(mass), D, D))
        square[:, rows, cols] = square[:, cols, rows] = second
        second = square
    elif kind.startswith("tied"):
        second = total
    return Moments(mass, first, second[:, 0] if kind == "spherical" else second)


# ------------------------------------------------------------ residual form


def residual_e_step(parts):
    """The E-step around each component's own mean; same answers as the natural form."""
    K, D = parts.means.shape

    def respond(T, rows):
        Z, log_joint = T[1 : D + 1], np.empty((K, T.shape[1]))
        for k, mean in enumerate(parts.means):
            white = _whiten(parts, k, Z - mean[:, None])
            log_joint[k] = parts.log_norm[k] - 0.5 * np.einsum("dn,dn->n", white, white)
        return log_normalise(log_joint)

    return respond


def _whiten(parts, k, residual):
    """U_k times residuals (D, n): under component k uncorrelated, with variance one."""
    if parts.kind in ("full", "tied"):
        return _triangular_product(parts.roots[k] if parts.kind == "full" else parts.roots, residual)
    root = parts.roots if parts.kind == "tied_spherical" else parts.roots[k]
    return np.reshape(root, (-1, 1)) * residual


def _triangular_product(U, Y, step=32):
    """U @ Y for a lower triangular U, without most of the products with zeros."""
    out = np.empty_like(Y)
    for row in range(0, len(U), step):
        stop = row + step
        np.matmul(U[row:stop, :stop], Y[:stop], out=out[row:stop])
    return out


def residual_moments(kind, Z, resp, about):
    """Moments around K points of reference, in the order of the fields of `Moments`."""
    roots = np.sqrt(resp)
    first, second = np.empty_like(about), []
    for k, point in enumerate(about):
        weighted = roots[k] * (Z - point[:, None])
        first[k] = weighted @ roots[k]
        second.append(_scatter(kind, weighted))
    pooled = sum(second) if kind.startswith("tied") else np.array(second)
    return resp.sum(axis=1), first, pooled


def _scatter(kind, weighted):
    """Sums of squares and products of weighted residuals (D, n), as the kind keeps them."""
    if kind in ("full", "tied"):
        return weighted @ weighted.T
    squares = np.einsum("dn,dn->d", weighted, weighted)
    return squares if kind == "diag" else squares.sum()
