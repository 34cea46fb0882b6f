"""Missing values: EM on the entries that are there.

A row with gaps (NaN) has the density of what it shows, a marginal of the mixture.
Every component also expects something of the gaps, given the rest of the row. Once
they are filled so, a row is complete for that component, and the sums of
`forms` hold for it, but for two corrections. Both come from the covariance C of the
gaps given the rest, and are the same for all rows with the same gaps:

- a filled row is as dense as the entries it shows, times the density of the gaps at
  their expectation, |2 pi C|**-1/2, which is divided out again;
- a gap's square is expected to be larger than the square of its expectation: C is
  added to the second moments.

A row of nothing but gaps has density 1 and the weights as responsibilities. It adds
nothing to the log-likelihood, and the moments expected of it are those the components
have: it holds EM's steps back and does not move where they lead.

Whether an entry is missing may depend on what the row shows, not on the entry itself
("missing at random"). Ghahramani and Jordan (1994); Little and Rubin (2002), 11.2.
"""

from typing import NamedTuple

import numpy as np

from ...functions import FAR_AWAY, EStep, far_log_density
from ...numerics import FAR, LOG_2PI, Frame, blocks, log_normalise
from .covariance import MATRIX, ROUND, SHARED, full_covariances
from .em import scatter, update
from .forms import moments_around, weighted_sums
from .parameters import enter
from .points import Block, Points

__all__ = []


def has_gaps(X):
    """Whether an entry of `X` is NaN: only where a sum is, every entry is asked."""
    with np.errstate(over="ignore", invalid="ignore"):
        return any(np.isnan(X[rows].sum()) and np.isnan(X[rows]).any() for rows in blocks(*X.shape))


def make_points(X, kind, row_weights=None):
    """Choose coordinates for rows with gaps, from the entries that are there.

    Raises
    ------
    ValueError
        If a column is nothing but gaps.
    """
    means, low, high = _columns(X, row_weights)
    with np.errstate(over="ignore"):
        reach = np.maximum(high - means, means - low)
    return Points(X, row_weights, kind, Frame.around(means, reach, kind in ROUND))


@np.errstate(over="ignore")
def _columns(X, row_weights):
    """Mean, minimum and maximum (D,) of what every column shows."""
    D = X.shape[1]
    mass, total, low, high = np.zeros(D), np.zeros(D), np.full(D, np.inf), np.full(D, -np.inf)
    for rows in blocks(*X.shape):
        x = np.asarray(X[rows], dtype=float)
        seen = ~np.isnan(x)
        weight = np.full(len(x), 1 / len(X)) if row_weights is None else row_weights[rows]
        mass += weight @ seen
        total += weight @ np.where(seen, x, 0.0)
        low, high = np.fmin(low, np.fmin.reduce(x)), np.fmax(high, np.fmax.reduce(x))
    if not mass.all():
        raise ValueError(f"column {int(mass.argmin())} of X is NaN in every row: drop the column")
    return np.clip(total / mass, low, high), low, high


def filled(points):
    """Points to find a start in: column means stand in the gaps, if there are any.

    Returns
    -------
    whole : Points
    lost : ndarray of shape (D,) or float
        The variance this takes from the columns, in the frame's units. A start should
        have it back: a component that sees nothing of a column would have none at all.
    """
    X, row_weights, frame = points.X, points.row_weights, points.frame
    if not has_gaps(X):
        return points, 0.0
    seen = np.average(~np.isnan(X), axis=0, weights=row_weights)
    whole = points._replace(X=np.where(np.isnan(X), frame.origin, X))
    z = (whole.X - frame.origin) / frame.scale
    variance = np.average(z**2, axis=0, weights=row_weights)
    lost = variance / seen * (1 - seen)
    if points.kind in ROUND:
        lost = np.full_like(lost, lost.mean())
    return whole._replace(total=scatter(whole)), lost


def by_gaps(X):
    """Row numbers (N,): rows with as many gaps together, and among them those with the same."""
    bits, sizes = [], []
    for rows in blocks(*X.shape):
        gaps = np.isnan(X[rows])
        bits.append(np.packbits(gaps, axis=1))
        sizes.append(gaps.sum(axis=1))
    return np.lexsort([*np.concatenate(bits).T, np.concatenate(sizes)])


MANY = 100  # rows with the same gaps are worth a product of their own
AT_ONCE = 100_000  # numbers that the gains of a group of rows may fill


class Gaps(NamedTuple):
    """Neighbouring rows that have as many gaps each, in P patterns."""

    rows: slice
    columns: np.ndarray  # (P, m)
    which: np.ndarray  # (n,) the pattern of each row
    starts: np.ndarray  # (P,) where its rows begin


def groups(x, most):
    """Gaps of rows `x`, which are ordered by them: patterns of many rows alone, others together.

    Together are rows with at most `most` gaps in all. Rows without gaps are passed over.
    """
    gaps = np.isnan(x)
    starts = np.flatnonzero(np.append(True, (gaps[1:] != gaps[:-1]).any(axis=1)))
    lengths, sizes = np.diff(np.append(starts, len(x))), gaps[starts].sum(axis=1)
    first = 0
    while first < len(starts):
        last = first + 1
        if lengths[first] < MANY:
            together = (sizes[first:] == sizes[first]) & (lengths[first:] < MANY)
            least = max(most, lengths[first] * sizes[first])
            together &= lengths[first:].cumsum() * sizes[first] <= least
            last = first + int(np.append(together, False).argmin())
        columns = np.nonzero(gaps[starts[first:last]])[1].reshape(last - first, sizes[first])
        which = np.repeat(np.arange(last - first), lengths[first:last])
        rows = slice(starts[first], starts[first] + len(which))
        if sizes[first]:
            yield Gaps(rows, columns, which, starts[first:last] - starts[first])
        first = last


# ------------------------------------------------- what components say of gaps


class View(NamedTuple):
    """What components say of P patterns of m gaps; shared covariances say it once: k = 1, not K.

    `spread` is the gaps' covariance given the rest, and `where` its place among the
    second moments. `log_gaps` (k, P) is ln|2 pi spread|/2 in x's units. `gain` times
    residuals, zero where the gaps are, is what is expected of the gaps; None: no
    correlation, nothing to learn.
    """

    gain: np.ndarray | None  # (k, P, m, D)
    spread: np.ndarray
    where: tuple
    log_gaps: np.ndarray


def look(params, columns):
    """The components' View of gaps in `columns` (P, m)."""
    conditional = _correlated if params.kind in MATRIX else _uncorrelated
    gain, spread, where, log_root = conditional(params, columns)
    log_volume = np.log(params.frame.scale)[columns].sum(axis=1)
    return View(gain, spread, where, log_root + (0.5 * LOG_2PI * columns.shape[1] + log_volume))


def _correlated(params, columns):
    """Gain, spread, its place and ln of its root's determinant.

    The density of a whole row is highest where |U y| is least. What is expected of the
    gaps is therefore a least-squares solution, and the rows of U are never squared.
    """
    D = len(params.frame.origin)
    U = params.roots.reshape(-1, 1, D, D)
    of_gaps = np.swapaxes(np.swapaxes(U[:, 0], -1, -2)[:, columns], -1, -2)
    Q, R = np.linalg.qr(of_gaps)  # (k, P, D, m), (k, P, m, m)
    inverse = np.linalg.inv(R)
    gain = -inverse @ (np.swapaxes(Q, -1, -2) @ U)
    log_root = -np.log(np.abs(np.diagonal(R, axis1=-2, axis2=-1))).sum(axis=-1)
    where = columns[:, :, None], columns[:, None, :]
    return gain, inverse @ np.swapaxes(inverse, -1, -2), where, log_root


def _uncorrelated(params, columns):
    """The same where columns say nothing of each other."""
    if params.kind == "diag":
        spread = params.covs[:, columns]  # (K, P, m)
        return None, spread, (columns,), 0.5 * np.log(spread).sum(axis=-1)
    spread = columns.shape[1] * np.reshape(params.covs, (-1, 1)) * np.ones(len(columns))  # (k, P)
    return None, spread, (), 0.5 * columns.shape[1] * np.log(spread / columns.shape[1])


class FilledBlock(Block):
    """Rows whose gaps every component fills with what it expects there."""

    def __init__(self, points, rows, params):
        super().__init__(points, rows)
        self.params, self.fillings = params, []
        residuals = self.all_residuals(params.means)  # (K, D, n), around each component's own mean
        for gaps in groups(self.x, AT_ONCE // params.means.size):
            view, places = look(params, gaps.columns), _places(gaps)
            residuals[:, *places] = 0.0
            expected = np.zeros((len(residuals), gaps.columns.shape[1], len(gaps.which)))
            if view.gain is not None:
                seen = residuals[:, :, gaps.rows]
                if len(gaps.columns) == 1:
                    np.matmul(view.gain[:, 0], seen, out=expected)
                else:
                    seen = np.ascontiguousarray(np.swapaxes(seen, 1, 2))[..., None]  # (K, n, D, 1)
                    expected[:] = np.swapaxes((view.gain[:, gaps.which] @ seen)[..., 0], 1, 2)
            self.fillings.append((gaps, view, expected))

    def all_residuals(self, about):
        """Every row as seen from K points, (K, D, n), its gaps filled as far as they are known."""
        shift = (self.params.means - about) / self.params.frame.scale
        out = np.empty((*about.shape, len(self)))
        for k, point in enumerate(about):
            out[k] = self.residuals(np.arange(len(self)), point)
        for gaps, _, expected in self.fillings:
            columns, rows = _places(gaps)
            out[:, columns, rows] = expected + shift[:, columns]
        return out

    def sums(self, resp, about):
        """What the M-step needs of the filled rows: `forms.own_sums` of every component."""
        each = zip(np.sqrt(resp), self.all_residuals(about), strict=True)
        return np.array([weighted_sums(root, y, self.params.kind) for root, y in each])

    def respond(self):
        """Responsibilities (K, n) and log-densities (n,) of what the rows show, in x's units."""
        params, residuals = self.params, self.all_residuals(self.params.means)
        if params.kind in MATRIX:
            white = params.roots @ residuals
        else:
            D = len(residuals[0]) if params.kind == "diag" else 1
            white = np.reshape(params.roots, (-1, D, 1)) * residuals
        log_joint = -0.5 * np.einsum("kdn,kdn->kn", white, white) + params.log_norm[:, None]
        log_joint -= self.points.log_volume
        for gaps, view, _ in self.fillings:
            log_joint[:, gaps.rows] += view.log_gaps[:, gaps.which]
        return log_normalise(log_joint)

    def spread(self, resp):
        """What the gaps' spread adds to the second moments of components with `resp` (K, n)."""
        added = np.zeros_like(self.params.covs)
        for gaps, view, _ in self.fillings:
            mass = np.add.reduceat(resp[:, gaps.rows], gaps.starts, axis=1)  # (K, P)
            if self.params.kind in SHARED:
                mass = mass.sum(axis=0, keepdims=True)
            each = mass.reshape(*mass.shape, *[1] * (view.spread.ndim - 2)) * view.spread
            if not view.where:
                added += each.sum(axis=1).reshape(added.shape)
            elif self.params.kind == "tied":
                np.add.at(added, view.where, each[0])
            else:
                np.add.at(added, (slice(None), *view.where), each)
        return added


def _places(gaps):
    """Columns (m, n) and rows (n,) of every gap of a group."""
    return gaps.columns[gaps.which].T, np.arange(gaps.rows.start, gaps.rows.stop)


# ---------------------------------------------------------------- E-step, M-step


def filled_blocks(points, order, params):
    """The rows of `points` under `params`, one block after the other."""
    for piece in blocks(len(order), 2 * params.means.size):
        yield FilledBlock(points, order[piece], params)


def expect(points, order, params, about):
    """Mean log-likelihood, and what the M-step needs: Moments around K points."""
    bound, sums, spread = 0.0, 0.0, 0.0
    for block in filled_blocks(points, order, params):
        resp, log_density = block.respond()
        weights = points.row_weights
        weights = np.full(len(block), 1 / len(order)) if weights is None else weights[block.rows]
        bound += weights @ log_density
        resp *= weights
        sums, spread = sums + block.sums(resp, about), spread + block.spread(resp)
    moments = moments_around(about)(points, sums)
    return bound, moments._replace(second=moments.second + spread)


def em_map(points, reg):
    """One iteration of EM on rows with gaps, for `run_em`; as `em.em_map`."""
    order = by_gaps(points.X)

    def iterate(params, gather=True):  # the sums come with the E-step, wanted or not
        bound, moments = expect(points, order, params, params.means)

        def again(about):
            return expect(points, order, params, about)[1]

        return bound, lambda: update(points, moments, reg, again, params)

    return iterate


# -------------------------------------------------------------------- using a fit


def foreign_points(X, kind, weights, means, covs):
    """Points of any size, in coordinates that suit the mixture, and its Components in them."""
    reach = np.abs(means - weights @ means).max(axis=0)
    variances = np.diagonal(full_covariances(covs, kind, *means.shape), axis1=1, axis2=2)
    reach += np.sqrt(np.abs(variances).max(axis=0))
    frame = Frame.around(weights @ means, reach, kind in ROUND)
    params = enter(frame, kind, weights, means, covs)
    # squares of whitened residuals must fit, too
    far = max(2.0, FAR / max(1.0, np.abs(params.roots).max()))
    return Points(X, None, kind, frame, far=far), params


def ask(X, kind, weights, means, covs):
    """Blocks of rows of any size, filled by a mixture."""
    points, params = foreign_points(X, kind, weights, means, covs)
    return filled_blocks(points, by_gaps(X), params)


def e_step(X, weights, means, covs, kind):
    """`functions.e_step` for rows with gaps; parameters as a fit keeps them."""
    resp, log_density = np.empty((len(weights), len(X))), np.empty(len(X))
    for block in ask(X, kind, weights, means, covs):
        resp[:, block.rows], log_density[block.rows] = block.respond()
    full = full_covariances(covs, kind, *means.shape)
    for row in np.flatnonzero(log_density < FAR_AWAY):
        x = X[row : row + 1, seen := ~np.isnan(X[row])]
        log_density[row] = far_log_density(x, weights, means[:, seen], full[:, seen][:, :, seen])[0]
    return EStep(resp.T, log_density)


@np.errstate(over="ignore")  # what single precision cannot hold is refused
def impute(X, weights, means, covs, kind):
    """A copy of `X` whose gaps hold their expectation given the rest of the row."""
    whole = X.copy()
    for block in ask(X, kind, weights, means, covs):
        if kind in MATRIX and np.abs(block.all_residuals(means)).max() >= block.points.far:
            message = "X lies too far from the mixture to say what its gaps would hold"
            raise ValueError(message + ": look for outliers")
        resp, _ = block.respond()
        for gaps, _, expected in block.fillings:
            columns, _ = _places(gaps)
            guess = means[:, columns] + block.params.frame.scale[columns] * expected  # (K, m, n)
            guess = np.einsum("kn,kmn->mn", resp[:, gaps.rows], guess)
            whole[block.rows[gaps.rows], columns] = guess
    if not np.isfinite(whole).all():
        raise ValueError(f"what the gaps would hold is more than {X.dtype} can: rescale X")
    return whole
