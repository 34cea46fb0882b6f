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
from math import prod

import numpy as np

from ...numerics import log_normalise
from .covariance import covariance_shape
from .parameters import Moments

LOST = 1e-210  # a smaller responsibility is rounding, even if all of a component's are (see `parameters.NOTHING`)


class Desk:
    """Arrays that serve one block after the other: fresh memory costs more than the arithmetic in it."""

    def __init__(self):
        self._arrays = {}

    def array(self, name, shape):
        """An array of a shape, its contents left over from whoever used the name before."""
        size = prod(shape)
        if name not in self._arrays or len(self._arrays[name]) < size:
            self._arrays[name] = np.empty(size)
        return self._arrays[name][:size].reshape(shape)


class Block:
    """Some rows of X on their way through a sweep, in the views the forms ask for."""

    def __init__(self, points, rows, desk=None, keeps=False):
        self.points, self.rows, self.x, self.desk = points, rows, points.X[rows], desk or Desk()
        self.keeps = keeps  # its features, although others use the desk
        self._features = self._columns = self._residuals = self._about = None

    def __len__(self):
        return len(self.x)

    @property
    def features(self):
        """T (P, n): a one, z, and the products of z that the structure needs."""
        if self._features is None:
            kind, D, frame = self.points.kind, self.x.shape[1], self.points.frame
            shape = n_features(kind, D), len(self)
            self._features = T = np.empty(shape) if self.keeps else self.desk.array("features", shape)
            T[0], Z = 1.0, T[1 : D + 1]
            with np.errstate(over="ignore"):  # scales are powers of two: dividing first rounds nothing
                np.multiply(self.x.T, 1 / frame.scale[:, None], out=Z)
                if frame.origin.any():
                    Z -= frame.origin[:, None] / frame.scale[:, None]
            fill_products(T[D + 1 :], self._near(Z), kind)
        return self._features

    def residuals(self, about):
        """x seen from each of K points, in the frame's units: (K, D, n); kept for the M-step."""
        if self._about is not about:
            scale, (K, D) = self.points.frame.scale[:, None], about.shape
            with np.errstate(over="ignore"):
                if self._columns is None:
                    self._columns = np.multiply(self.x.T, 1 / scale, out=self.desk.array("columns", (D, len(self))))
                residuals = self.desk.array("residuals", (K, D, len(self)))
                np.subtract(self._columns, about[:, :, None] / scale, out=residuals)
            self._about, self._residuals = about, self._near(residuals)
        return self._residuals

    def _near(self, z):
        """Coordinates z, which stop where the points say."""
        return z if self.points.far is None else np.clip(z, -self.points.far, self.points.far, out=z)


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
        white = triangular_product(parts.roots, Z, np.empty_like(Z))
        return -0.5 * np.einsum("dn,dn->n", white, white)
    if parts.kind == "tied_spherical":
        return -0.5 * parts.roots**2 * np.einsum("dn,dn->n", Z, Z)
    return 0.0


def natural_e_step(parts):
    """The E-step as one product."""
    theta, D = natural_parameters(parts), parts.means.shape[1]

    def respond(block):
        log_joint = np.matmul(theta, block.features, out=block.desk.array("resp", (len(theta), len(block))))
        resp, log_density = log_normalise(log_joint)
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
        residuals = block.residuals(parts.means)
        log_joint = block.desk.array("resp", (len(residuals), len(block)))
        whitened = _whiten(parts, residuals, block.desk.array("scratch", residuals.shape))
        for squares, white in zip(log_joint, whitened, strict=True):
            np.einsum("dn,dn->n", white, white, out=squares)
        log_joint *= -0.5
        log_joint += parts.log_norm[:, None]
        return log_normalise(log_joint)

    return respond


def _whiten(parts, residuals, out):
    """U times residuals (K, D, n): under its component each is uncorrelated, with variance one."""
    if parts.kind in ("full", "tied"):
        return triangular_product(parts.roots, residuals, out)
    roots = np.reshape(parts.roots, (-1, residuals.shape[1] if parts.kind == "diag" else 1, 1))
    return np.multiply(roots, residuals, out=out)


def triangular_product(U, Y, out, step=32):
    """U @ Y for lower triangular U and columns Y (both may be stacked), without most of the products with zeros."""
    for row in range(0, U.shape[-1], step):
        stop = row + step
        np.matmul(U[..., row:stop, :stop], Y[..., :stop, :], out=out[..., row:stop, :])
    return out


def residual_gather(about, kind):
    """A gatherer of sums around K points: a row each of mass, first and second moments."""
    D = about.shape[1]

    def gather(block, resp):
        sums = block.desk.array("sums", (len(resp), 1 + D + prod(covariance_shape(kind, 1, D))))
        for row, r, residual in zip(sums, resp, block.residuals(about), strict=True):
            root, residual = _that_count(r, residual)
            weighted = np.multiply(root, residual, out=block.desk.array("scratch", residual.shape))
            row[0], row[1 : D + 1] = root @ root, weighted @ root
            _scatter(kind, weighted, row[D + 1 :])
        return sums

    return gather


def _that_count(resp, residual):
    """Roots of responsibilities (n,), and residuals (D, n), without points that are wholly others', if most are."""
    mine = (resp > LOST).nonzero()[0]
    return (np.sqrt(resp[mine]), residual[:, mine]) if 2 * len(mine) < len(resp) else (np.sqrt(resp), residual)


def _scatter(kind, weighted, out):
    """Write sums of squares and products of weighted residuals (D, n), as the kind keeps them."""
    if kind in ("full", "tied"):
        np.matmul(weighted, weighted.T, out=out.reshape(len(weighted), -1))
    else:
        squares = np.einsum("dn,dn->d", weighted, weighted)
        out[:] = squares if kind == "diag" else squares.sum()


def residual_moments(points, about, sums):
    """Moments around K points from the sums of `residual_gather`."""
    kind, D = points.kind, about.shape[1]
    mass, first, second = sums[:, 0], sums[:, 1 : D + 1], sums[:, D + 1 :]
    if kind in ("full", "tied"):
        second = second.reshape(-1, D, D)
    elif kind != "diag":
        second = second[:, 0]
    return Moments(about, mass, first, second.sum(axis=0) if kind.startswith("tied") else second)
