"""Which centre is nearest, and by how much.

The nearest centre has the largest c'x - |c|^2/2, so all comparisons are one matrix
product. Single precision is enough to see which centre wins nearly every point;
where it is not, the few points in doubt are measured again, by differences and in
double precision.

A point's *lead* is a distance its label is safe for: the second nearest centre is at
least that much farther away than the nearest. When centres move, a lead shrinks by
what its own centre has moved plus what the fastest of the others has; as long as it
stays positive the label cannot change, and nobody need look. Hamerly (2010), "Making
k-means even faster".
"""

from functools import cached_property

import numpy as np

from ..numerics import FAR, Frame, blocks

FAR_SINGLE = 1e15  # farther out, single precision might not hold the scores
HUGE_SINGLE = np.float32(1e36)  # more than any score within `FAR_SINGLE`
EPS_SINGLE = float(np.finfo(np.float32).eps)
CHUNK = 100_000  # points whose leads are looked at together
LITTLE = 4000  # fewer numbers than this are sooner subtracted from each other than kept book of


class Coordinates:
    """Coordinates in which the rows of `X` are near zero and one: x's own wherever that is so.

    The products below lose |x|^2 / |spread|^2 times the rounding error, so only
    data far from the origin, or of extreme size, need to be moved.
    """

    def __init__(self, X):
        self.own = 1e-12 < size_of(X) < 1e12 and not far_from_zero(X[:: max(1, len(X) // 1000)])
        self.origin, self.unit = 0.0, 1.0
        if not self.own:
            frame = Frame.of_points(X, isotropic=True)
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


def far_from_zero(X):
    """Whether the mean of the rows is some standard deviations away."""
    mean, square = X.mean(axis=0, dtype=float), np.square(X, dtype=float).mean(axis=0)
    return (mean**2).max() > 0.9 * square.max()


class Centers:
    """Centres z (K, D) ready to be compared with many rows."""

    def __init__(self, z, place):
        self.z, self.place, squares = z, place, (z**2).sum(axis=1)
        self.reach = np.sqrt(squares.max())
        if self.reach < FAR_SINGLE:
            self.single, self.half = z.astype(np.float32), (0.5 * squares[:, None]).astype(np.float32)
            self.count_and_index = np.array([np.ones(len(z)), np.arange(len(z))], dtype=np.float32)

    def nearest(self, X, which):
        """Nearest centre and lead, both (n,), of the n rows `which` of X; ties go to the lower index."""
        labels, leads = np.empty(len(which), dtype=np.intp), np.zeros(len(which), dtype=np.float32)
        if self.reach < FAR_SINGLE:
            for part in blocks(len(which), X.shape[1] + len(self.z)):
                labels[part], leads[part] = self._by_scores(self._rows(X, which[part]))
        doubt = (leads <= 0).nonzero()[0]
        for part in blocks(len(doubt), self.z.size):
            labels[doubt[part]] = by_differences(self._rows(X, which[doubt[part]]), self.z)
        return labels, leads

    def _rows(self, X, which):
        """Some rows of X in the centres' coordinates; without a copy if they follow each other."""
        first, last = which[0], which[-1]
        rows = X[first : last + 1]
        return self.place.enter(rows if last - first == len(which) - 1 else rows.take(which - first, axis=0))

    def _by_scores(self, rows):
        """One product in single precision; a lead that is not positive says that the label is in doubt."""
        columns, square = _single(rows)
        size = np.sqrt(float(square.max()))
        if not size < FAR_SINGLE:
            return 0, 0.0  # all in doubt
        score = self.single @ columns
        score -= self.half
        top = score.max(axis=0)
        best = np.greater_equal(score, top, out=np.empty_like(score))
        count, labels = self.count_and_index @ best
        best *= HUGE_SINGLE
        score -= best
        # times a length, this bounds what rounding does to the gap between two scores
        error = (len(columns) + 4) * EPS_SINGLE * (size + self.reach)
        lead = _lead(square, top, score.max(axis=0), error * self.reach, error * (size + self.reach))
        lead[count > 1] = 0.0
        return labels, lead


def size_of(rows):
    """The largest of absolute numbers."""
    return max(float(rows.max()), -float(rows.min()))


def by_differences(rows, z, size=None):
    """Nearest of centres z (K, D) for rows (n, D), whose size may be known: nothing cancels; ties go to the first."""
    far = 1e10 * max(size_of(z), 1e-150)  # from farther out, rounding would hide the centres' differences
    if (size_of(rows) if size is None else size) > far:
        rows = _within(rows, far)
    difference = rows.T[:, None] - z.T[:, :, None]
    difference *= difference
    return difference.sum(axis=0).argmin(axis=0)


def _single(rows):
    """Rows (n, D) as columns (D, n) in single precision, and their squared lengths (n,)."""
    with np.errstate(over="ignore"):
        columns = np.array(rows.T, dtype=np.float32, order="C")
        return columns, np.einsum("dn,dn->n", columns, columns)


def _within(rows, far):
    """Rows (n, D) that lie farther out than `far` drawn in to it: the nearest centre is a matter of direction."""
    return rows * (far / np.maximum(np.abs(rows).max(axis=1, keepdims=True), far))


def _lead(square, top, second, score_error, square_error):
    """A lower bound on d2 - d1 = (d2^2 - d1^2) / (d2 + d1), where d^2 = |x|^2 - 2 score."""
    square += np.float32(4 * square_error + 1e-30)
    reach = np.sqrt(np.maximum(square - 2 * second, 0)) + np.sqrt(np.maximum(square - 2 * top, 0))
    return 2 * (top - second - np.float32(score_error)) / reach


class Labels:
    """The nearest centre of every row of `X`, kept up to date while the centres move."""

    def __init__(self, X, place):
        self.X, self.place, self.z = X, place, None
        self.labels, self.leads = np.full(len(X), -1, dtype=np.intp), np.zeros(len(X), dtype=np.float32)

    def update(self, z):
        """Compare with centres `z` (K, D) whatever may have changed sides.

        Returns
        -------
        moved : ndarray of int
            The rows whose label changed.
        before : ndarray of int
            What it was; -1 if the row had none.
        """
        if self.X.size * len(z) < LITTLE:
            return self._relabel(np.arange(len(self.X)), by_differences(self._rows, z, self._size))
        changes, centers = [], Centers(z, self.place)
        spent = self._spent(centers)
        for start in range(0, len(self.X), CHUNK):
            leads = self.leads[start : start + CHUNK]
            leads -= spent.take(self.labels[start : start + CHUNK], mode="clip")
            look = (leads <= 0).nonzero()[0]
            if len(look):
                look += start
                new, self.leads[look] = centers.nearest(self.X, look)
                changes.append(self._relabel(look, new))
        return [np.concatenate(each) for each in zip(*changes, strict=True)] or [np.empty(0, dtype=np.intp)] * 2

    @cached_property
    def _rows(self):
        """All rows in the centres' coordinates, where they are few."""
        return self.place.enter(self.X)

    @cached_property
    def _size(self):
        return size_of(self._rows)

    def _relabel(self, rows, new):
        """Give rows their new labels; returns which of them had others, and what these were."""
        old = self.labels[rows]
        changed = (new != old).nonzero()[0]
        self.labels[rows] = new
        return rows[changed], old[changed]

    def _spent(self, centers):
        """What the leads of each centre's points lose when the centres move, with a little for rounding."""
        z, before, self.z = centers.z, self.z, centers.z
        if before is None:
            return np.zeros(len(z), dtype=np.float32)
        moves = np.sqrt(((z - before) ** 2).sum(axis=1))
        order, others = moves.argsort(), np.full(len(z), moves.max())
        others[order[-1]] = moves[order[-2]] if len(z) > 1 else 0.0
        return np.minimum((moves + others) * (1 + 1e-6) + 1e-6 * centers.reach, 1e30).astype(np.float32)


def squared_distances(X, place, z, labels):
    """Squared distance (N,) of every row to the centre its label names, in the place's units; inf if too large."""
    out = np.empty(len(X))
    for rows in blocks(len(X), 2 * X.shape[1]):
        residual = z.take(labels[rows], axis=0)
        residual -= place.enter(X[rows])
        out[rows] = np.einsum("nd,nd->n", residual, residual)
    out[out > 0.99 * FAR**2] = np.inf  # coordinates stopped at FAR
    return out
