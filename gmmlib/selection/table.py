"""A table of fits: numbers of components by covariance structures, under every criterion."""

from dataclasses import dataclass, field

import numpy as np

from ..families.gaussian.covariance import COVARIANCE_TYPES, check_covariance_type
from ..numerics import as_count, as_rng
from .criteria import n_parameters
from .resampling import held_out, make_folds, weighted_rows
from .tasks import check_options, fit, run_tasks

__all__ = ["SelectionTable", "selection_table"]

CRITERIA = ("aic", "bic", "icl", "cv")


@dataclass(frozen=True)
class SelectionTable:
    """Fits over K and covariance type; every array has shape (len(n_components), len(covariance_types)).

    Attributes
    ----------
    n_components : tuple of int
        The rows.
    covariance_types : tuple of str
        The columns.
    n_parameters : ndarray of int
    log_likelihood : ndarray
        Sum over points; NaN where no fit was possible, and `failures` says why.
    aic, bic, icl : ndarray
        Lower is better.
    cv : ndarray
        Mean log-likelihood of a point held out: higher is better. NaN unless asked for,
        and where a fit without some fold was impossible.
    fewest : ndarray
        Effective count of the smallest component: a fit that lives on a handful of
        points may be a spike.
    converged : ndarray of bool
    models : ndarray of GaussianMixture
        None where no fit was possible.
    failures : dict
        (K, covariance type) -> why there is no fit, or why none without a fold (then only `cv` is NaN).
    """

    n_components: tuple
    covariance_types: tuple
    n_parameters: np.ndarray
    log_likelihood: np.ndarray
    aic: np.ndarray
    bic: np.ndarray
    icl: np.ndarray
    cv: np.ndarray
    fewest: np.ndarray
    converged: np.ndarray
    models: np.ndarray = field(repr=False)
    failures: dict

    def values(self, criterion="bic"):
        """The numbers of one criterion, (rows, columns)."""
        if criterion not in CRITERIA:
            raise ValueError(f"criterion must be one of {CRITERIA}, got {criterion!r}")
        values = getattr(self, criterion)
        if np.isnan(values).all():
            way = "ask selection_table for folds"
            if self.failures:
                way = f"see failures, the first of which is: {next(iter(self.failures.values()))}"
            raise ValueError(f"criterion {criterion!r} has no value: {way}")
        return values

    def best(self, criterion="bic"):
        """(K, covariance type) that the criterion picks."""
        values = self.values(criterion)
        where = np.nanargmax(values) if criterion == "cv" else np.nanargmin(values)
        row, column = np.unravel_index(where, values.shape)
        return self.n_components[row], self.covariance_types[column]

    def model(self, K, covariance_type):
        """The fit of one cell."""
        if K not in self.n_components or covariance_type not in self.covariance_types:
            raise ValueError(
                f"the table has no cell ({K}, {covariance_type!r}): K is one of {self.n_components}, "
                f"covariance_type one of {self.covariance_types}"
            )
        return self.models[self.n_components.index(K), self.covariance_types.index(covariance_type)]

    def to_array(self):
        """All cells as a structured array of shape (cells,), a record each; `pandas.DataFrame` takes it."""
        names = ["n_parameters", "log_likelihood", "aic", "bic", "icl", "cv", "fewest", "converged"]
        kinds = [("n_components", int), ("covariance_type", "U14")]
        kinds += [(name, getattr(self, name).dtype) for name in names]
        out = np.empty(self.bic.shape, dtype=kinds)
        out["n_components"] = np.array(self.n_components)[:, None]
        out["covariance_type"] = self.covariance_types
        for name in names:
            out[name] = getattr(self, name)
        return out.ravel()

    def show(self, criterion="bic", digits=1):
        """One criterion as text: a row a K, a column a covariance type, a star at the best, "-" where no fit was."""
        failed = all(model is None for model in self.models.ravel())
        values = self.bic if failed else self.values(criterion)
        best = None if failed else self.best(criterion)
        rows = [[criterion, *self.covariance_types]]
        for K, row in zip(self.n_components, values, strict=True):
            cells = zip(self.covariance_types, row, strict=True)
            rows.append([str(K)])
            for kind, one in cells:
                number = "-" if np.isnan(one) else f"{one:.{digits}f}"
                rows[-1].append(number + ("*" if (K, kind) == best else " "))
        wide = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
        lines = ["".join(f"{cell:>{w}}" for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows]
        return "\n".join(lines)

    def __str__(self):
        return self.show()


def selection_table(
    X,
    n_components=range(1, 10),
    covariance_types=COVARIANCE_TYPES,
    *,
    sample_weight=None,
    folds=None,
    rng=0,
    n_jobs=None,
    progress=False,
    **options,
):
    """Fit every number of components with every covariance structure.

    Parameters
    ----------
    X : array_like of shape (N, D)
    n_components : iterable of int
        The rows of the table.
    covariance_types : iterable of str
        The columns.
    sample_weight : array_like of shape (N,), optional
        How often each row counts; they add up to more than one, because criteria weigh a
        log-likelihood against a charge.
    folds : int or iterable of (train, test), optional
        Cross-validate every cell too, on the same folds; see `cross_validate`.
    rng : numpy.random.Generator or int
        A whole number is a seed. Every cell has a generator of its own.
    n_jobs : int, optional
        Processes, as joblib counts them: -1 is one for each core. No digit depends on it.
    progress : bool
        Draw a bar, if tqdm is installed; silent otherwise.
    **options
        For `GaussianMixture`: n_init (here 10), tol (1e-7), max_iter (5000), reg_covar,
        init_params, acceleration.

    Returns
    -------
    SelectionTable
        A cell whose component collapses is NaN, and `failures` keeps the reason.

    Raises
    ------
    ValueError
        If an argument is unusable.

    Notes
    -----
    `reg_covar` is a floor in the squared unit of X, and spikes just above it win BIC:
    look at `fewest` before you believe a best cell. Derived in chapters/12_how_many.ipynb.
    """
    check_options(options)
    X, weight = weighted_rows(X, sample_weight)
    if weight is not None and not weight.sum() > 1:
        raise ValueError(
            f"sample_weight adds up to {weight.sum():g}, and criteria charge by the number of points: give counts"
        )
    Ks, kinds = _rows(n_components, len(X)), _columns(covariance_types)
    rng = as_rng(rng)
    split = None if folds is None else make_folds(len(X), folds, rng)
    tasks = [(X, K, kind, weight, split, options) for K in Ks for kind in kinds]
    cells = run_tasks(_cell, tasks, rng, n_jobs, progress, "fits")
    columns = {name: np.array([cell[name] for cell in cells]).reshape(len(Ks), len(kinds)) for name in NUMBERS}
    models = np.empty(len(cells), dtype=object)
    models[:] = [cell["model"] for cell in cells]
    failures = {task[1:3]: cell["failure"] for task, cell in zip(tasks, cells, strict=True) if cell["failure"]}
    counts = np.array([[n_parameters(K, X.shape[1], kind) for kind in kinds] for K in Ks])
    return SelectionTable(Ks, kinds, counts, **columns, models=models.reshape(len(Ks), len(kinds)), failures=failures)


NUMBERS = ["log_likelihood", "aic", "bic", "icl", "cv", "fewest", "converged"]


def _rows(n_components, N):
    """Numbers of components, or an error."""
    try:
        rows = tuple(as_count(K, "n_components") for K in n_components)
    except TypeError as err:
        raise ValueError(f"n_components must be several numbers, as [1, 2, 3], got {n_components!r}") from err
    if not rows or len(set(rows)) < len(rows):
        raise ValueError(f"n_components must name each number once, and one at least, got {rows}")
    if max(rows) > N:
        raise ValueError(f"n_components asks for {max(rows)} components, and X has {N} rows that count")
    return rows


def _columns(covariance_types):
    """Covariance structures, or an error."""
    if isinstance(covariance_types, str):
        covariance_types = [covariance_types]
    if not hasattr(covariance_types, "__iter__"):
        raise ValueError(f"covariance_types must be names, as ['full', 'tied'], got {covariance_types!r}")
    columns = tuple(covariance_types)
    for kind in columns:
        check_covariance_type(kind)
    if not columns or len(set(columns)) < len(columns):
        raise ValueError(f"covariance_types must name each structure once, and one at least, got {columns}")
    return columns


def _cell(X, K, kind, weight, split, options, rng):
    """One fit and its numbers."""
    cell = dict.fromkeys(NUMBERS, np.nan) | {"converged": False, "model": None, "failure": ""}
    try:
        model = fit(X, K, kind, weight, rng, options)
    except ValueError as err:
        return cell | {"failure": str(err)}
    if split is not None:
        try:
            cell["cv"] = held_out(X, K, kind, weight, split, rng, options).mean
        except ValueError as err:  # the fit to all rows stands
            cell["failure"] = f"without a fold: {err}"
    total = len(X) if weight is None else weight.sum()
    return cell | {
        "log_likelihood": total * model.score(X, sample_weight=weight),
        "aic": model.aic(X, sample_weight=weight),
        "bic": model.bic(X, sample_weight=weight),
        "icl": model.icl(X, sample_weight=weight),
        "fewest": total * model.weights_.min(),
        "converged": model.converged_,
        "model": model,
    }
