"""KMeans, with scikit-learn's interface."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..clustering.lloyd import assign, descend, with_all_rows
from ..clustering.nearest import Table
from ..clustering.seeding import candidates_for, random_rows, spread_rows
from ..numerics import OneBlasThread, as_points, as_weights, rows_that_count, total_weight
from .base import Estimator, checked_weights, generator

__all__ = ["KMeans"]


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, Estimator):
    """k-means clustering by Lloyd's algorithm.

    A drop-in for `sklearn.cluster.KMeans`: same arguments, methods and fitted
    attributes. Derived in chapters/13_kmeans.ipynb.

    Parameters
    ----------
    n_clusters : int
        Number of clusters, K.
    init : {"k-means++", "random"}, array_like of shape (K, D), or callable
        Where the centres start.
    n_init : int or "auto"
        Starts to try; the one with the lowest inertia is kept.
    max_iter : int
        An upper bound on the iterations of one start.
    tol : float
        Stop when the centres' squared moves add up to less than `tol` times the
        mean variance of the columns; 0 runs until no label changes.
    verbose : int
        Print the inertia of every start.
    random_state : int, RandomState or None
    copy_x : bool
        Kept for compatibility: `X` is never modified.
    algorithm : {"lloyd", "elkan"}
        Kept for compatibility: both names run Lloyd's algorithm.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (K, D)
    labels_ : ndarray of shape (N,)
        Index of the nearest centre.
    inertia_ : float
        Weighted sum of squared distances to the nearest centre.
    inertias_ : ndarray of shape (iterations + 1,)
        Inertia of the start and after each iteration.
    n_iter_ : int
    """

    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"k-means++", "random"}), callable, "array-like"],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "copy_x": ["boolean"],
        "algorithm": [StrOptions({"lloyd", "elkan"})],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        n_init="auto",
        max_iter=300,
        tol=1e-4,
        verbose=0,
        random_state=None,
        copy_x=True,
        algorithm="lloyd",
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm

    @_fit_context(prefer_skip_nested_validation=True)
    @OneBlasThread()
    def fit(self, X, y=None, sample_weight=None):
        """Find the centres.

        Parameters
        ----------
        X : array_like of shape (N, D)
        y : ignored
        sample_weight : array_like of shape (N,), optional
            A weight of 3 is the row three times, a weight of 0 the row left out.

        Returns
        -------
        KMeans
            The fitted estimator itself.
        """
        X = self._validated(X)
        if len(X) < self.n_clusters:
            raise ValueError(f"n_samples={len(X)} should be >= n_clusters={self.n_clusters}.")
        weight = checked_weights(sample_weight, X)
        share = None if weight is None else as_weights(weight, len(X))
        share_counting, counting = rows_that_count(share, X)
        table, total = Table(counting, share_counting), total_weight(weight, len(X))
        tol = self.tol * table.mean_variance() if self.tol else 0.0
        best, rng = None, None
        if isinstance(self.init, str) or callable(self.init):
            rng = generator(self.random_state)
        for _ in range(self._starts()):
            centers = self._start(table, X, rng)
            if self.verbose:
                print("Initialization complete")
            run = descend(table, centers, self.max_iter, tol, total)
            if self.verbose:
                self._report(run, tol)
            if best is None or run.inertia < best.inertia:
                best = run
        self._keep(with_all_rows(best, X), X, share)
        return self

    def _starts(self):
        """How many starts `n_init` asks for; explicit centres allow only one."""
        explicit = not isinstance(self.init, str) and not callable(self.init)
        if self.n_init == "auto":
            return 1 if explicit or (isinstance(self.init, str) and self.init == "k-means++") else 10
        if explicit and self.n_init != 1:
            message = (
                "Explicit initial center position passed: performing only one init in KMeans "
                f"instead of n_init={self.n_init}."
            )
            warnings.warn(message, RuntimeWarning, stacklevel=3)
            return 1
        return self.n_init

    def _start(self, table, X, rng):
        """Starting centres (K, D)."""
        K = self.n_clusters
        if isinstance(self.init, str) and self.init == "random":
            return random_rows(table, K, rng)
        if isinstance(self.init, str):
            return spread_rows(table, K, rng, candidates_for(K))
        centers = self.init
        if callable(centers):
            centers = centers(X, K, random_state=check_random_state(int(rng.integers(2**31))))
        centers = as_points(centers, "init")
        problem = f"The shape of the initial centers {centers.shape} does not match the number of "
        if centers.shape[0] != K:
            raise ValueError(f"{problem}clusters {K}.")
        if centers.shape[1] != X.shape[1]:
            raise ValueError(f"{problem}features of the data {X.shape[1]}.")
        return centers

    def _report(self, run, tol):
        """Print a run's inertias and why it stopped."""
        for i, inertia in enumerate(run.inertias[:-1]):
            print(f"Iteration {i}, inertia {inertia:.6g}.")
        if run.n_iter < self.max_iter:
            reason = f"center shift at most {tol:.3g}, within tolerance" if tol else "strict convergence"
            print(f"Converged at iteration {run.n_iter - 1}: {reason}.")

    def _keep(self, best, X, share):
        """Store a run; say so when fewer distinct points than clusters were found."""
        found = np.count_nonzero(np.bincount(best.labels if share is None else best.labels[share > 0]))
        if found < self.n_clusters:
            message = (
                f"Number of distinct clusters ({found}) found smaller than n_clusters ({self.n_clusters}). "
                "Possibly due to duplicate points in X."
            )
            warnings.warn(message, ConvergenceWarning, stacklevel=3)
        self.cluster_centers_ = best.centers.astype(X.dtype)
        exact = X.dtype == np.float64  # else the centres have been rounded, and `predict` will see those
        self.labels_ = (best.labels if exact else assign(X, self.cluster_centers_).labels).astype(np.int32)
        self.inertia_, self.inertias_, self.n_iter_ = best.inertia, best.inertias, best.n_iter
        self._n_features_out = len(best.centers)

    def fit_predict(self, X, y=None, sample_weight=None):
        """Find the centres and return each row's label, shape (N,)."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def fit_transform(self, X, y=None, sample_weight=None):
        """Find the centres and return distances to them, shape (N, K)."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def predict(self, X):
        """Index of the nearest centre for every row, shape (N,)."""
        return assign(self._table(X), self.cluster_centers_).labels.astype(np.int32)

    def transform(self, X):
        """Euclidean distance to every centre, shape (N, K)."""
        X = self._table(X)
        distance = [np.sqrt(assign(X, center[None]).sq_dist) for center in self.cluster_centers_]
        return np.array(distance).T.astype(X.dtype, copy=False)

    @OneBlasThread()
    def score(self, X, y=None, sample_weight=None):
        """Minus the (weighted) sum of squared distances to the nearest centre."""
        X = self._table(X)
        weight = checked_weights(sample_weight, X)
        share = as_weights(weight, len(X))
        return -float(share @ assign(X, self.cluster_centers_).sq_dist) * total_weight(weight, len(X))

    def _table(self, X):
        check_is_fitted(self)
        return self._validated(X, reset=False)
