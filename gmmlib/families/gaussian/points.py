"""Data on its way through a sweep: coordinates, blocks, and what the forms ask of a block."""

from typing import NamedTuple

import numpy as np

from ...engine.sweep import Workspace
from ...numerics import Frame, OneBlasThread, blocks

HELD = 1_000_000  # as many features (8 megabytes) are kept from sweep to sweep
NARROW = 8  # with fewer columns than this, numpy is quicker along rows


class Points(NamedTuple):
    """The data of one sweep: rows, their weights (None: equal), structure, coordinates."""

    X: np.ndarray
    row_weights: np.ndarray | None
    kind: str
    frame: Frame
    total: np.ndarray | None = None  # scatter of all points, for the tied kinds
    far: float | None = None  # coordinates stop here, where the frame was made for other points
    held: dict | None = None  # where there are few points: blocks that stay, by the size they suit

    @property
    def N(self):
        return len(self.X)

    @property
    def log_volume(self):
        """What a log-density gains by measuring in the frame's units."""
        return np.log(self.frame.scale).sum()

    def blocks(self, form):
        """The rows in blocks of a size that suits a form."""
        size = form.width, form.calls
        if self.held is None:
            return self._passing(size)
        if size not in self.held:
            bare, workspace = self._replace(held=None), Workspace()
            rows = blocks(self.N, *size)
            self.held[size] = [Block(bare, some, workspace, keeps=True) for some in rows]
        return self.held[size]

    def _passing(self, size):
        """Blocks in one workspace: each takes the place of the one before."""
        workspace = Workspace()
        with OneBlasThread():  # until the last block is done with
            for rows in blocks(self.N, *size):
                yield Block(self, rows, workspace)


class Block:
    """Some rows of X, in the views the forms ask for."""

    def __init__(self, points, rows, workspace=None, keeps=False):
        self.points, self.rows, self.x = points, rows, points.X[rows]
        self.workspace = workspace or Workspace()
        self.keeps = keeps  # what it shows, although others use the workspace
        self._features = self._columns = self._scaled = None

    def __len__(self):
        return len(self.x)

    def features(self, columns=None):
        """T (P, n) of all columns or some: a one, z, and the products of z the kind needs."""
        if self._features is None or columns != self._columns:
            x, frame = self._some(columns)
            D, kind = x.shape[1], self.points.kind
            T = self._array("features", (n_features(kind, D), len(self)))
            T[0], Z = 1.0, T[1 : D + 1]
            with np.errstate(over="ignore"):  # scales are powers of two: dividing rounds nothing
                np.multiply(x.T, 1 / frame.scale[:, None], out=Z)
                if frame.origin.any():
                    Z -= frame.origin[:, None] / frame.scale[:, None]
            fill_products(T[D + 1 :], self._near(Z), kind)
            self._features, self._columns = T, columns
        return self._features

    def _some(self, columns):
        """The rows in some columns, and their frame."""
        frame = self.points.frame
        if columns is None:
            return self.x, frame
        columns = list(columns)
        return self.x[:, columns], Frame(frame.origin[columns], frame.scale[columns])

    def residuals(self, rows, about):
        """Some rows seen from a point, in the frame's units: (D, m)."""
        scale = self.points.frame.scale
        with np.errstate(over="ignore"):
            if self._scaled is None:
                self._scaled = self._array("scaled", self.x.shape)
                np.multiply(self.x, 1 / scale, out=self._scaled)
            x, point = np.take(self._scaled, rows, axis=0).T, (about / scale)[:, None]
            narrow = len(x) < NARROW
            y = np.subtract(x, point, order="C") if narrow else np.subtract(x, point, out=x)
        return self._near(y)

    def _array(self, name, shape):
        return np.empty(shape) if self.keeps else self.workspace.array(name, shape)

    def _near(self, z):
        """Coordinates z, which stop where the points say."""
        return z if self.points.far is None else np.clip(z, -self.points.far, self.points.far, out=z)


def n_features(kind, D):
    """Length of T: one, D coordinates, and the products the structure needs."""
    if kind == "full":
        return 1 + D + D * (D + 1) // 2
    return 1 + D + (D if kind == "diag" else kind == "spherical")


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
