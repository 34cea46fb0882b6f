"""Which centre is nearest.

Of squared distances |x|^2 - 2 c'x + |c|^2 the first term is the same for every centre,
so comparing them is one matrix product: of (-2c, |c|^2) with (x, 1). Single precision is
enough to see which centre wins nearly every point. Where none wins by more than rounding
could explain, the few points in doubt are measured again, by differences and in double
precision.
"""

from functools import cached_property
from math import sqrt

import numpy as np

from ..numerics import FAR, Frame, blocks

FAR_SINGLE = 1e15  # farther out, single precision might not hold the squares
EPS_SINGLE = float(np.finfo(np.float32).eps)
KEPT = 4_000_000  # numbers in single precision that a fit may keep: 16 megabytes
LITTLE = 10_000  # fewer numbers than this are sooner subtracted than multiplied
FIT = 80_000  # comparisons of a row and a centre in a block: in single precision, they stay in cache


class Table:
    """The rows of `X` (N, D), of weight `share` (None: one each), in coordinates near zero and one.

    The coordinates are x's own wherever these will do: the products lose
    |x|^2 / |spread|^2 times the rounding error, so only data far from the origin, or of
    extreme size, need to be moved. `like` asks for the coordinates that suit other points.
    """

    def __init__(self, X, share=None, like=None):
        like = X if like is None else like
        self.X, self.share = X, share
        some = like[:: max(1, len(like) // 1000)]
        self.own = 1e-12 < size_of(like) < 1e12 and not far_from_zero(some)
        self.origin, self.unit = 0.0, 1.0
        if not self.own:
            frame = Frame.of_points(like, isotropic=True)
            self.origin, self.unit = frame.origin, frame.scale[0]

    def enter(self, rows):
        """Rows (n, D) as rows z = (x - origin) / unit, as float64."""
        if self.own:
            return np.asarray(rows, dtype=float)
        with np.errstate(over="ignore"):
            return np.clip(np.subtract(rows, self.origin, dtype=float) / self.unit, -FAR, FAR)

    def leave(self, z):
        """Centres z (K, D) in x's coordinates."""
        return self.origin + self.unit * z

    @cached_property
    def entered(self):
        """All rows z, unless they are x, or many: then they are made where they are needed."""
        return self.enter(self.X) if not self.own and self.X.size <= KEPT / 10 else None

    def rows(self, which):
        """Some rows z (n, D): a slice of them, or any."""
        X = self.X if self.entered is None else self.entered
        some = X[which] if isinstance(which, slice) else X.take(which, axis=0)
        return self.enter(some) if self.entered is None else some

    def total(self, values):
        """The (weighted) sum of one value a row, (N,)."""
        return values.sum() if self.share is None else self.share @ values

    @cached_property
    def squares(self):
        """Squared length (N,) of every row."""
        out = np.empty(len(self.X))
        for part in blocks(*self.X.shape):
            rows = self.rows(part)
            np.einsum("nd,nd->n", rows, rows, out=out[part])
        return out

    @cached_property
    def norm(self):
        """The (weighted) sum of squared lengths."""
        return self.total(self.squares)

    def mean_variance(self):
        """Mean variance of the columns, in u**2: what k-means measures its tolerance by."""
        count = self.total(np.ones(len(self.X)))
        mean = sum(self._sum(part) for part in blocks(*self.X.shape)) / count
        return max(self.norm / count - mean @ mean, 0.0) / self.X.shape[1] * self.unit**2

    def _sum(self, part):
        """The (weighted) sum of a slice of rows, (D,)."""
        rows = self.rows(part)
        return (np.ones(len(rows)) if self.share is None else self.share[part]) @ rows

    @cached_property
    def little(self):
        """All rows as `columns_and_size`, where they are few."""
        return columns_and_size(self.rows(slice(None)))

    @cached_property
    def single(self):
        """All columns in single precision, unless they are many: then each block makes its own."""
        return self._columns(slice(None)) if self.X.size <= KEPT else None

    def columns(self, part):
        """A slice of rows as columns (x, 1, |x|^2), of shape (D + 2, n), in single precision."""
        return self._columns(part) if self.single is None else self.single[:, part]

    def _columns(self, part):
        N, D = self.X[part].shape
        columns = np.ones((D + 2, N), dtype=np.float32)
        with np.errstate(over="ignore"):
            columns[:D] = self.rows(part).T
            columns[-1] = self.squares[part]
        return columns

    def nearest(self, z):
        """Index (N,) of the nearest of centres z (K, D); ties go to the lower."""
        N, K = len(self.X), len(z)
        if N * z.size < LITTLE:
            return by_differences(*self.little, z)
        labels, doubts = np.empty(N, dtype=np.min_scalar_type(K)), []
        index, product = np.arange(K, dtype=labels.dtype)[:, None], prepared(z)
        reach = sqrt(product[:, -1].max())
        for part in self._parts(K):
            columns = self.columns(part)
            size = sqrt(columns[-1].max())
            if max(size, reach) > FAR_SINGLE:
                doubts.append(np.arange(part.start, part.stop))
                continue
            cost = product @ columns[:-1]
            # what rounding does to the difference of two costs
            error = 2 * (len(columns) + 4) * EPS_SINGLE * (size + reach) * reach + 1e-30
            near = cost <= cost.min(axis=0) + np.float32(error)
            np.add.reduce(np.multiply(near, index, dtype=labels.dtype), axis=0, out=labels[part])
            if np.count_nonzero(near) > near.shape[1]:
                several = np.add.reduce(near, axis=0, dtype=labels.dtype) > 1
                doubts.append(part.start + np.flatnonzero(several))
        doubts = np.concatenate(doubts) if doubts else ()
        for part in blocks(len(doubts), z.size):
            labels[doubts[part]] = by_differences(*columns_and_size(self.rows(doubts[part])), z)
        return labels

    def remaining(self, z, nearest_sq):
        """(Weighted) sum (K,) of what is left of `nearest_sq` (N,) by each of z (K, D) as a centre.

        A choice among candidates does not need many digits. But where points are close to their
        centres beside their distance from the origin, single precision has none.
        """
        if self.X.size > LITTLE:
            product, total = prepared(z, 1.0), np.zeros(len(z))
            for part in self._parts(len(z)):
                total += self._smaller(product @ self.columns(part), nearest_sq, part)
            if total.min() > 100 * EPS_SINGLE * self.norm:
                return total
        total = np.zeros(len(z))
        for part in blocks(len(self.X), z.size):
            columns, _ = columns_and_size(self.rows(part))
            total += self._smaller(squares(columns, z), nearest_sq, part)
        return total

    def _smaller(self, sq, nearest_sq, part):
        """(Weighted) sum (K,) over some rows of the smaller of `sq` (K, n) and `nearest_sq`."""
        np.minimum(sq, nearest_sq[part].astype(sq.dtype), out=sq)
        return sq.sum(axis=1) if self.share is None else sq @ self.share[part].astype(sq.dtype)

    def shrink(self, nearest_sq, z):
        """Lower `nearest_sq` (N,) by a further centre z (1, D), to three digits; zero at z."""
        if self.X.size <= LITTLE:
            return np.minimum(nearest_sq, self.squared_distances(z), out=nearest_sq)
        product = prepared(z, 1.0)
        for part in self._parts(1):
            columns = self.columns(part)
            (sq,) = product @ columns
            near = (sq < 1000 * EPS_SINGLE * (columns[-1].max() + product[0, -2])).nonzero()[0]
            sq[near] = ((self.rows(part.start + near) - z) ** 2).sum(axis=1)
            np.minimum(nearest_sq[part], sq, out=nearest_sq[part])
        return nearest_sq

    def squared_distances(self, z, labels=None):
        """Squared distance (N,) of every row to the centre of its label, or the only one."""
        out = np.empty(len(self.X))
        for part in blocks(len(self.X), 2 * self.X.shape[1]):
            residual = self.rows(part) - (z if labels is None else z.take(labels[part], axis=0))
            np.einsum("nd,nd->n", residual, residual, out=out[part])
        out[out > 0.99 * FAR**2] = np.inf  # coordinates stopped at FAR
        return out

    def _parts(self, K):
        """Slices of rows whose comparisons with K centres stay in cache, and whose columns fill a quarter of KEPT."""
        N, D = self.X.shape
        step = max(200, min(FIT // K, KEPT // (4 * D))) | 1
        return [slice(i, min(i + step, N)) for i in range(0, N, step)]


def prepared(z, *more):
    """Centres z (K, D) as rows (-2z, |z|^2, ...) of a product with the columns of a table."""
    K, D = z.shape
    rows = np.empty((K, D + 1 + len(more)), dtype=np.float32)
    with np.errstate(over="ignore"):
        rows[:, :D] = -2 * z
        rows[:, D] = np.vecdot(z, z)
        rows[:, D + 1 :] = more
    return rows


def size_of(rows):
    """The largest of absolute numbers."""
    return max(float(rows.max()), -float(rows.min()))


def far_from_zero(X):
    """Whether the mean of the rows is some standard deviations away."""
    X = np.asarray(X, dtype=float)
    sums, squares = np.ones(len(X)) @ X, np.einsum("nd,nd->d", X, X)
    return (sums**2).max() > 0.9 * len(X) * squares.max()


def columns_and_size(rows):
    """Rows (n, D) as columns (D, 1, n), and the largest of their numbers."""
    return np.ascontiguousarray(rows.T)[:, None], size_of(rows)


def squares(columns, z):
    """Squared distances (K, n) of columns (D, 1, n) to centres z (K, D): nothing cancels."""
    difference = columns - z.T[:, :, None]
    difference *= difference
    return np.add.reduce(difference, axis=0)


def by_differences(columns, size, z):
    """Nearest of centres z (K, D) for columns (D, 1, n), numbers up to `size`; ties: the first."""
    # from farther out, rounding would hide the centres' differences
    far = 1e10 * max(np.abs(z).max(), 1e-150)
    if size > far:  # drawn in: there, the nearest centre is a matter of direction
        columns = columns * (far / np.maximum(np.abs(columns).max(axis=0), far))
    return squares(columns, z).argmin(axis=0)
