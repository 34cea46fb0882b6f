"""GaussianMixture, with scikit-learn's interface."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from ..engine.acceleration import squarem
from ..engine.run import run_em
from ..families.gaussian import missing
from ..families.gaussian.covariance import COVARIANCE_TYPES, MATRIX, covariance_shape, inverse_roots
from ..families.gaussian.em import em_map, make_points
from ..families.gaussian.initialisation import NO_POINTS, best_of, check_start, revived, start_components
from ..families.gaussian.parameters import ILL_DEFINED, enter, leave
from ..functions import e_step
from ..numerics import OneBlasThread, as_weights, rows_that_count
from .base import FittedMixture, checked_weights, generator

__all__ = ["GaussianMixture"]


class GaussianMixture(FittedMixture):
    """A mixture of Gaussians fitted by EM.

    A drop-in for `sklearn.mixture.GaussianMixture`: same arguments, methods and
    fitted attributes, and more. Derived in chapters/09_em_gaussian_mixtures.ipynb.

    Parameters
    ----------
    n_components : int
        Number of components, K.
    covariance_type : {"full", "tied", "diag", "spherical", "tied_spherical"}
    tol : float
        Stop when an iteration changes the mean log-likelihood by less.
    reg_covar : float
        Added once to every variance, in the unit of X squared.
    max_iter : int
        An upper bound on the iterations; 0 keeps the start.
    n_init : int
        Starts to try; the one with the highest log-likelihood is kept.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}
        How to start: from k-means' clusters, from spread-out points, from random
        responsibilities, or from random points.
    weights_init : array_like of shape (K,), optional
    means_init : array_like of shape (K, D), optional
    precisions_init : array_like, optional
        Inverse covariances, shaped as `covariance_type` says. Starts that are
        given are used exactly.
    random_state : int, RandomState or None
    warm_start : bool
        Start from the last fit. A component that had lost its points starts anew at a
        row of X.
    verbose : int
        1 prints every start, 2 also the change of the log-likelihood.
    verbose_interval : int
        Iterations between two lines.
    acceleration : {"squarem"}, optional
        Leap ahead after every second EM step where that gains; an iteration then
        costs four passes over the data instead of one, and slow fits need far fewer.
    missing : {"error", "em"}
        What NaN in X is: an error, or an entry nobody has seen. EM then climbs the
        likelihood of the entries there are, and every method takes NaN. A gap may
        depend on the rest of its row, but not on the value it hides.

    Attributes
    ----------
    weights_ : ndarray of shape (K,)
    means_ : ndarray of shape (K, D)
    covariances_, precisions_, precisions_cholesky_ : ndarray
        Shaped as `covariance_type` says; `precisions_cholesky_` is upper
        triangular with precision = P P'.
    converged_ : bool
    n_iter_ : int
    lower_bound_ : float
        Mean log-likelihood of the fitted parameters: `score` of the training data. In
        single precision it is that of the parameters before they are rounded, which
        matters where the data lie far from zero.
    lower_bounds_ : list of float
        Mean log-likelihood after each iteration.
    """

    _parameter_constraints: ClassVar = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "covariance_type": [StrOptions(set(COVARIANCE_TYPES))],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "reg_covar": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions({"kmeans", "random", "random_from_data", "k-means++"})],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", Interval(Real, 0, None, closed="neither"), None],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
        "acceleration": [StrOptions({"squarem"}), None],
        "missing": [StrOptions({"error", "em"})],
    }

    def __init__(
        self,
        n_components=1,
        *,
        covariance_type="full",
        tol=1e-3,
        reg_covar=1e-6,
        max_iter=100,
        n_init=1,
        init_params="kmeans",
        weights_init=None,
        means_init=None,
        precisions_init=None,
        random_state=None,
        warm_start=False,
        verbose=0,
        verbose_interval=10,
        acceleration=None,
        missing="error",
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.acceleration = acceleration
        self.missing = missing

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing == "em"
        return tags

    @classmethod
    def from_parameters(cls, weights, means, covariances, covariance_type="full", **params):
        """A fitted mixture with the given parameters; no data needed.

        Parameters
        ----------
        weights : array_like of shape (K,)
        means : array_like of shape (K, D)
        covariances : array_like
            Shaped as `covariance_type` says.
        covariance_type : str
        **params
            Further constructor arguments.

        Returns
        -------
        GaussianMixture

        Raises
        ------
        ValueError
            If shapes disagree, weights do not sum to one, or a covariance is not
            positive definite.
        """
        weights, means = np.array(weights, float), np.array(means, float)
        new = cls(len(weights), covariance_type=covariance_type, **params)
        e_step(means, weights, means, covariances, covariance_type)  # raises if they do not fit
        new._keep(weights, means, np.array(covariances, float), np.float64)
        new.n_features_in_, new.converged_, new.n_iter_ = means.shape[1], True, 0
        new.lower_bound_, new.lower_bounds_ = -np.inf, []
        return new

    def fit(self, X, y=None, sample_weight=None):
        """Estimate the parameters by EM.

        Parameters
        ----------
        X : array_like of shape (N, D)
        y : ignored
        sample_weight : array_like of shape (N,), optional
            A weight of 3 is the row three times, a weight of 0 the row left out.

        Returns
        -------
        GaussianMixture
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If `X`, the weights or the start are unusable, or a component's
            covariance collapses.
        """
        self._fit(X, sample_weight)
        return self

    def fit_predict(self, X, y=None, sample_weight=None):
        """Estimate the parameters and return each row's likeliest component, (N,)."""
        return self._fit(X, sample_weight).predict(X)

    @_fit_context(prefer_skip_nested_validation=True)
    @OneBlasThread()
    def _fit(self, X, sample_weight):
        X = self._table(X, ensure_min_samples=2)
        dtype, row_weights = X.dtype, None
        if sample_weight is not None:
            row_weights = as_weights(checked_weights(sample_weight, X), len(X))
        row_weights, X = rows_that_count(row_weights, X)
        if len(X) < self.n_components:
            raise ValueError(
                f"Expected n_samples >= n_components but got n_components = {self.n_components}, n_samples = {len(X)}"
            )
        best, trace, converged = self._climb(X, row_weights)
        if not converged and self.max_iter > 0:
            message = (
                "Best performing initialization did not converge. Try different init parameters, "
                "or increase max_iter, tol, or check for degenerate data."
            )
            warnings.warn(message, ConvergenceWarning, stacklevel=4)
        if (dead := np.flatnonzero(best.weights < NO_POINTS)).size:
            message = (
                f"Component{'s' * (len(dead) > 1)} {', '.join(map(str, dead))} lost all points, and EM alone never "
                "gives them back. Fit fewer components, start elsewhere (init_params, n_init), or fit again "
                "with warm_start, which moves such components to rows of X."
            )
            warnings.warn(message, ConvergenceWarning, stacklevel=4)
        self._keep(*leave(best), dtype)
        self.lower_bound_, self.lower_bounds_ = trace[-1], trace[1:]
        self.converged_, self.n_iter_ = converged, len(trace) - 1
        return self

    def _climb(self, X, row_weights):
        """The best of all starts, climbed from: Components, trace, and whether it converged."""
        prepare, iteration = (missing.make_points, missing.em_map) if self._has_gaps(X) else (make_points, em_map)
        points = prepare(X, self.covariance_type, row_weights)
        reg = self.reg_covar / points.frame.scale**2
        start, iterate = self._start(points, reg), iteration(points, reg)
        if self.acceleration == "squarem":
            iterate = squarem(iterate)

        def run(number):
            if self.verbose:
                print(f"Initialization {number}")
            return run_em(iterate, start(), self.tol, self.max_iter, self._report if self.verbose else None)

        return best_of(run, 1 if self._warm() else self.n_init)

    def _warm(self):
        return self.warm_start and hasattr(self, "converged_")

    def _start(self, points, reg):
        """A function that finds Components to start from, others at every call."""
        given = check_start(self, points.X.shape[1])
        chance = self._warm() or any(part is None for part in given)
        rng = generator(self.random_state) if chance else None
        if self._warm():
            warm = self._enter(points.frame)
            return lambda: revived(warm, self._whole(points)[0], reg, rng)

        def start():
            whole, lost = self._whole(points)
            return start_components(whole, self.n_components, self.init_params, given, reg + lost, rng)

        return start

    def _whole(self, points):
        """Points without gaps, and what filling them took from the columns' variances."""
        return missing.filled(points) if self.missing == "em" else (points, 0.0)

    def _report(self, n_iter, bound, change):
        if n_iter % self.verbose_interval == 0:
            more = f"\t log-likelihood {bound:.6g}, change {change:.3g}" if self.verbose > 1 else ""
            print(f"  Iteration {n_iter}{more}")

    def _enter(self, frame):
        """The fitted parameters in a frame's coordinates."""
        shape = (self.n_components, len(frame.origin))
        if self.means_.shape != shape or self.covariances_.shape != covariance_shape(self.covariance_type, *shape):
            raise ValueError("warm_start: the last fit had other components, columns or covariances; set it to False")
        arrays = (np.asarray(a, float) for a in (self.weights_, self.means_, self.covariances_))
        return enter(frame, self.covariance_type, *arrays)

    def _keep(self, weights, means, covs, dtype):
        """Store parameters in the data's precision, with the inverses derived from them."""
        matrix = self.covariance_type in MATRIX
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                roots = inverse_roots(covs, self.covariance_type)
                precisions = np.swapaxes(roots, -1, -2) @ roots if matrix else roots**2
                covs, precisions = np.asarray(covs).astype(dtype), np.asarray(precisions).astype(dtype)
            if covs.dtype != roots.dtype:
                inverse_roots(covs.astype(float), self.covariance_type)
            if not np.isfinite(precisions).all():
                raise ValueError("a precision overflows")
        except ValueError as err:
            raise ValueError(ILL_DEFINED + f" ({np.dtype(dtype)} cannot hold the covariance.)") from err
        self.weights_, self.means_ = np.asarray(weights).astype(dtype), np.asarray(means).astype(dtype)
        self.covariances_, self.precisions_ = covs, precisions
        self.precisions_cholesky_ = (np.swapaxes(roots, -1, -2) if matrix else np.asarray(roots)).astype(dtype)
