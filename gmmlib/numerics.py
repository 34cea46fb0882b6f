"""The few numerical habits everything else relies on."""

from contextlib import ContextDecorator
from functools import cache, reduce
from operator import index
from threading import Lock
from typing import NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

LOG_2PI = np.log(2 * np.pi)
FAR = 1e140  # points more scales away than this are taken to be this far: squares must fit
SMALLEST = 2.0**-505  # a scale's square, and one over that, are numbers float64 can hold
BLOCK = 160_000  # numbers a block of points may fill: about a megabyte stays in cache
MORE = 700_000  # ... how many where calls share out its rows, each of which wants some: 6 megabytes
MOST = 4_000_000  # ... and how many where a row alone has very many: 32 megabytes


OTHER_KINDS = {
    "M": "dates: turn them into numbers first",
    "m": "durations: turn them into numbers first",
    "U": "text: turn it into numbers first",
    "S": "text: turn it into numbers first",
    "V": "records: pass their fields as columns",
}


def check_kinds(values, name):
    """Raise a ValueError for dates, text, ...: as numbers they would not be those meant."""
    if hasattr(values, "dtypes") and np.iterable(values.dtypes):  # a table: one for each column
        dtypes = values.dtypes
    else:
        dtypes = [values.dtype if hasattr(values, "dtype") else np.asarray(values).dtype]
    for dtype in dtypes:
        if getattr(dtype, "kind", None) in OTHER_KINDS:  # pandas' own types have kinds, too
            raise ValueError(f"{name} holds {OTHER_KINDS[dtype.kind]}")


def as_numbers(values, name):
    """`values` as an array of floats, NaN where pandas has NA; or an error naming what is there."""
    check_kinds(values, name)
    values = np.asarray(values)
    if values.dtype.kind == "c":
        raise ValueError(f"{name} is complex: pass real and imaginary parts as columns")
    if values.dtype.kind == "O":
        values = np.array([_number(value, name) for value in values.ravel()]).reshape(values.shape)
    return values if values.dtype.kind == "f" else values.astype(float)


def _number(value, name):
    """One entry of an array of objects."""
    if value is None or type(value).__name__ == "NAType":
        return np.nan
    try:
        if not isinstance(value, str | bytes | np.datetime64 | np.timedelta64):
            return float(value)
    except TypeError:
        pass
    raise ValueError(f"{name} holds {value!r}: turn it into a number first")


def as_points(X, name="X"):
    """`X` as a finite numeric array of shape (N, D), or a clear error."""
    if hasattr(X, "toarray"):
        raise TypeError(f"{name} is sparse: gmmlib needs a dense array, as {name}.toarray() gives")
    if np.ma.is_masked(X):
        raise ValueError(f"{name} has masked entries: drop or impute those rows first")
    X = as_numbers(X, name)
    if X.ndim != 2:
        hint = ": a single column is x[:, None]" if X.ndim == 1 else ""
        raise ValueError(f"{name} must have shape (N, D), got {X.shape}{hint}")
    if not X.size:
        raise ValueError(f"{name} has no {'columns' if len(X) else 'rows'}")
    for rows in blocks(*X.shape):
        if not _all_finite(X[rows]):
            raise ValueError(f"{name} contains NaN or infinity: drop or impute those rows first")
    return X


def as_count(value, name, least=1):
    """`value` as an int of at least `least`, or an error that names it."""
    try:
        count = index(value)
    except TypeError as err:
        raise ValueError(f"{name} must be a whole number, got {value!r}") from err
    if count < least:
        raise ValueError(f"{name} must be at least {least}, got {count}")
    return count


def as_rng(rng):
    """`rng` as a numpy Generator; a whole number is its seed."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as err:
        raise ValueError(f"rng must be a numpy Generator or a seed, got {rng!r}") from err


def _all_finite(block):
    """A finite sum has finite terms; only where the sum is not, every term is asked."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.isfinite(block.sum()) or np.isfinite(block).all()


def as_weights(sample_weight, N):
    """Sample weights as shares that sum to one; equal shares for None.

    Dividing by the largest first keeps 1e-200 and 1e200 from under- or
    overflowing: only ratios matter.
    """
    if sample_weight is None:
        return np.full(N, 1 / N)
    w = as_numbers(sample_weight, "sample_weight").astype(float, copy=False)
    if w.shape != (N,):
        raise ValueError(f"sample_weight must have shape ({N},), one weight a row, got {w.shape}")
    if not np.isfinite(w).all() or (w < 0).any():
        raise ValueError("sample_weight must be finite and non-negative")
    if not (w > 0).any():
        raise ValueError("sample_weight is zero everywhere: at least one row must count")
    w = w / w.max()
    return w / w.sum()


def total_weight(sample_weight, N):
    """What the weights of N rows add up to: N for None. Whole numbers do not wrap around."""
    if sample_weight is None:
        return float(N)
    with np.errstate(over="ignore"):
        total = float(np.sum(sample_weight, dtype=float))
    if np.isinf(total):
        message = "sample_weight adds up to more than float64 can hold: divide it by a constant first"
        raise ValueError(message)
    return total


def rows_that_count(share, *arrays):
    """Shares (None: equal) and arrays without rows of share zero, which must not set a scale."""
    if share is None or share.all():
        return share, *arrays
    return share[share > 0], *(array[share > 0] for array in arrays)


def log_normalise(log_joint):
    """Turn log-joints into responsibilities, in place, without underflow.

    Parameters
    ----------
    log_joint : ndarray of shape (K, n)
        ln of weight times density, components first; overwritten.

    Returns
    -------
    resp : ndarray of shape (K, n)
        The same memory; every column sums to one.
    log_density : ndarray of shape (n,)
        ln of the sum over components.

    Notes
    -----
    log-sum-exp: the largest term is taken out first where it is not moderate, so the
    sum can neither vanish nor overflow.
    """
    top = log_joint.max(axis=0)
    if np.abs(top).max() < 200:  # every largest term fits as it is
        top = 0.0
    else:
        log_joint -= top
    # exp is many times slower where it underflows, and e**-500 times the largest adds nothing
    if log_joint.min() < -700:
        np.maximum(log_joint, -700.0, out=log_joint)
    resp = np.exp(log_joint, out=log_joint)
    total = np.ones(len(resp)) @ resp
    resp *= 1 / total  # eq-responsibility
    return resp, top + np.log(total)  # eq-log-sum-exp


def blocks(N, width, calls=1):
    """Slices of rows: blocks of `width` numbers a row stay in cache, shared out over `calls`."""
    # so many rows at least, lest calls cost more than what they do
    few = max(min(200, MOST // width), min(200 * calls, MORE // width))
    step = max(few, BLOCK // width) | 1  # odd: powers of two fight for the same cache lines
    starts = range(0, N, step)
    return list(map(slice, starts, [*starts[1:], N]))


class Frame(NamedTuple):
    """Coordinates z = (x - origin) / scale, in which the numbers are about one.

    The scale is a power of two, so going in and out of the frame rounds nothing.
    """

    origin: np.ndarray  # (D,)
    scale: np.ndarray  # (D,)

    @classmethod
    def around(cls, origin, reach, isotropic):
        """Centred at `origin`; |x - origin| <= reach becomes |z| <= 1."""
        if not (reach < 1 / SMALLEST).all():
            raise ValueError("X spans more than float64 can square: divide it by a constant first")
        reach = np.maximum(np.where(reach > 0, reach, 1.0), SMALLEST)
        reach = np.maximum(reach, 1e-250 * np.abs(origin))  # x / scale must fit, too
        if isotropic:
            reach = np.full_like(reach, reach.max())
        return cls(origin, np.exp2(np.ceil(np.log2(reach))))

    @classmethod
    def of_points(cls, X, isotropic=False):
        """Centred at the mean of the rows, or at zero if that is among them."""
        N, D = X.shape
        low, high, origin = reduce(_joined, (_extent(X[rows], N) for rows in blocks(N, D)))
        with np.errstate(over="ignore"):
            reach = np.maximum(high - origin, origin - low)
            if (np.abs(origin) <= 0.5 * reach).all():  # then there is nothing to subtract
                origin, reach = np.zeros(D), np.maximum(high, -low)
        return cls.around(origin, reach, isotropic)


def _extent(rows, N):
    """Smallest and largest of every column of some rows, and what these add to the mean of N."""
    columns = np.ascontiguousarray(rows.T, dtype=float)
    return columns.min(axis=1), columns.max(axis=1), columns @ np.full(len(rows), 1 / N)


def _joined(one, other):
    """The extent of both together."""
    return np.minimum(one[0], other[0]), np.maximum(one[1], other[1]), one[2] + other[2]


class OneBlasThread(ContextDecorator):
    """As long as anyone is inside, the BLAS uses one thread, whatever it may use outside.

    Products that fit in a cache are too small to share: two threads wait for each
    other longer than they work, and do not round as one does.
    """

    lock, inside, before = Lock(), 0, {}

    def __enter__(self):
        with OneBlasThread.lock:
            OneBlasThread.inside += 1
            if OneBlasThread.inside == 1:
                for library in blas():
                    OneBlasThread.before[library] = library.num_threads
                    library.set_num_threads(1)

    def __exit__(self, *_):
        with OneBlasThread.lock:
            OneBlasThread.inside -= 1
            if not OneBlasThread.inside:
                for library, n in OneBlasThread.before.items():
                    library.set_num_threads(n)


@cache
def blas():
    """What is loaded of BLAS; looking for it takes milliseconds."""
    return ThreadpoolController().select(user_api="blas").lib_controllers
