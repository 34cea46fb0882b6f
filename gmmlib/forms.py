"""Two ways to write the E-step and the sums the M-step needs.

**Natural form.** A Gaussian's log-density is linear in T(z) = (1, z, products of
z). The E-step of all components is one matrix product, theta @ T; the moments are
another, resp @ T.T. Fast, but the terms cancel when a mean lies many standard
deviations from the origin (`Components.cancellation`).

**Residual form.** The same sums, each around its component's own point of
reference. Nothing large is subtracted; the products come one component at a time.

An E-step is a function of a `Block` that returns responsibilities (K, n), which may
be overwritten, and log-densities (n,). A gatherer is a function of a block and of
responsibilities that returns an array of sums; sums of blocks add up.
"""

from functools import lru_cache

import numpy as np

from .components import Moments
from .numerics import log_normalise


class Block:
    """Some rows of X on their way through a sweep, in the views the forms ask for."""

    def __init__(self, points, rows):
        self.points, self.rows, self.x = points, rows, points.X[rows]
        self._features = self._residuals = self._about = None

    def __len__(self):
        return len(self.x)

    @property
    def features(self):
        """T (P, n): a one, z, and the products of z that the structure needs."""
        if self._features is None:
            kind, D = self.points.kind, self.x.shape[1]
            T = np.empty((n_features(kind, D), len(self)))
            T[0] = 1.0
            self._enter(T[1 : D + 1])
            fill_products(T[D + 1 :], T[1 : D + 1], kind)
            self._features = T
        return self._features

    def residuals(self, about):
        """x seen from each of K points, in the frame's units: (K, D, n); kept for the M-step."""
        if self._about is not about:
            self._about, self._residuals = about, np.empty((*about.shape, len(self)))
            for point, out in zip(about, self._residuals, strict=True):
                self._enter(out, point)
        return self._residuals

    def _enter(self, out, origin=None):
        self.points.frame.enter(self.x, out, origin)
        if self.points.far:
            np.clip(out, -self.points.far, self.points.far, out=out)


# ------------------------------------------------------------- natural form


@lru_cache
def pairs(D):
    """Row and column of every entry on and above the diagonal."""
    return np.triu_indices(D)


def n_features(kind, D):
    """Length of T: one, D coordinates, and the products the structure needs."""
    return 1 + D + {"full": D * (D + 1) // 2, "diag": D, "spherical": 1}.get(kind, 0)


def fill_products(products, Z, kind):
    """Write the products of coordinates Z (D, n) that a structure needs, row by row."""
    if kind == "diag":
        np.multiply(Z, Z, out=products)
    elif kind == "spherical":
        np.einsum("dn,dn->n", Z, Z, out=products[0])
    elif kind == "full":
        row, D = 0, len(Z)
        for d in range(D):
            np.multiply(Z[d], Z[d:], out=products[row : row + D - d])
            row += D - d


def natural_parameters(parts):
    """theta (K, P) such that the log-joint is theta @ T, up to `shared_term`."""
    K, D = parts.means.shape
    precision, means = parts.precisions, parts.offsets()
    theta = np.empty((K, n_features(parts.kind, D)))
    if parts.kind in ("full", "tied"):
        linear = (precision @ means[:, :, None])[:, :, 0]
    else:
        linear = (precision[:, None] if parts.kind == "spherical" else precision) * means
    theta[:, 0] = parts.log_norm - 0.5 * (linear * means).sum(axis=1)
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
        white = triangular_product(parts.roots, Z)
        return -0.5 * np.einsum("dn,dn->n", white, white)
    if parts.kind == "tied_spherical":
        return -0.5 * parts.roots**2 * np.einsum("dn,dn->n", Z, Z)
    return 0.0


def natural_e_step(parts):
    """The E-step as one product."""
    theta, D = natural_parameters(parts), parts.means.shape[1]

    def respond(block):
        resp, log_density = log_normalise(theta @ block.features)
        return resp, log_density + shared_term(parts, block.features[1 : D + 1])

    return respond


def natural_gather(block, resp):
    """The M-step's sums as one product."""
    return resp @ block.features.T


def natural_moments(points, sums):
    """Moments around the frame's origin from the sums of `natural_gather`."""
    kind, D = points.kind, points.X.shape[1]
    mass, first, second = sums[:, 0], sums[:, 1 : D + 1], sums[:, D + 1 :]
    if kind == "full":
        rows, cols = pairs(D)
        square = np.empty((len(mass), D, D))
        square[:, rows, cols] = square[:, cols, rows] = second
        second = square
    elif kind.startswith("tied"):
        second = points.total
    return Moments(points.frame.origin, mass, first, second[:, 0] if kind == "spherical" else second)


# ------------------------------------------------------------ residual form


def residual_e_step(parts):
    """The E-step around each component's own mean; same answers as the natural form."""

    def respond(block):
        log_joint = np.empty((len(parts.means), len(block)))
        for k, residual in enumerate(block.residuals(parts.means)):
            white = _whiten(parts, k, residual)
            np.einsum("dn,dn->n", white, white, out=log_joint[k])
        log_joint *= -0.5
        log_joint += parts.log_norm[:, None]
        return log_normalise(log_joint)

    return respond


def _whiten(parts, k, residual):
    """U_k times residuals (D, n): under component k uncorrelated, with variance one."""
    if parts.kind in ("full", "tied"):
        return triangular_product(parts.roots[k] if parts.kind == "full" else parts.roots, residual)
    root = parts.roots if parts.kind == "tied_spherical" else parts.roots[k]
    return np.reshape(root, (-1, 1)) * residual


def triangular_product(U, Y, step=32):
    """U @ Y for a lower triangular U, without most of the products with zeros."""
    out = np.empty_like(Y)
    for row in range(0, len(U), step):
        stop = row + step
        np.matmul(U[row:stop, :stop], Y[:stop], out=out[row:stop])
    return out


def residual_gather(about, kind):
    """A gatherer of sums around K points: mass, first and second moments of every one."""

    def gather(block, resp):
        sums, roots = [], np.sqrt(resp)
        for root, residual in zip(roots, block.residuals(about), strict=True):
            weighted = root * residual
            sums.append([root @ root, weighted @ root, _scatter(kind, weighted)])
        return np.array(sums, dtype=object)  # (K, 3)

    return gather


def _scatter(kind, weighted):
    """Sums of squares and products of weighted residuals (D, n), as the kind keeps them."""
    if kind in ("full", "tied"):
        return weighted @ weighted.T
    squares = np.einsum("dn,dn->d", weighted, weighted)
    return squares if kind == "diag" else squares.sum()


def residual_moments(points, about, sums):
    """Moments around K points from the sums of `residual_gather`."""
    mass, first, second = (np.array(list(column), dtype=float) for column in sums.T)
    return Moments(about, mass, first, second.sum(axis=0) if points.kind.startswith("tied") else second)
