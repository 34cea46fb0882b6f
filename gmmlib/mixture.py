"""GaussianMixture, with scikit-learn's interface."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .acceleration import squarem
from .components import ILL_DEFINED, inverse_roots
from .covariance import COVARIANCE_TYPES, covariance_shape, full_covariances
from .gaussian import conditional, marginal
from .loop import climb, em_map, enter_parts, leave_parts, make_points
from .numerics import as_weights
from .selection import aic, bic, icl, n_parameters
from .starts import check_start, start_components
from .steps import e_step, sample_mixture

__all__ = ["GaussianMixture"]


class GaussianMixture(DensityMixin, BaseEstimator):
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
        Start from the last fit.
    verbose : int
        1 prints every start, 2 also the change of the log-likelihood.
    verbose_interval : int
        Iterations between two lines.
    acceleration : {"squarem"}, optional
        Leap ahead after every second EM step where that gains; an iteration then
        costs four passes over the data instead of one, and slow fits need far fewer.

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
        Mean log-likelihood of the fitted parameters: `score` of the training data.
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
    def _fit(self, X, sample_weight):
        with np.errstate(invalid="ignore"):  # the sum that looks for NaN may be inf - inf
            X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        dtype, share = X.dtype, None
        if sample_weight is not None:
            share = as_weights(_check_sample_weight(sample_weight, X, dtype=np.float64), len(X))
            X, share = (X, share) if share.all() else (X[share > 0], share[share > 0])
        if len(X) < self.n_components:
            raise ValueError(
                f"Expected n_samples >= n_components but got n_components = {self.n_components}, n_samples = {len(X)}"
            )
        points = make_points(X, self.covariance_type, share)
        best, trace, converged = self._best_of(points)
        if not converged and self.max_iter > 0:
            message = (
                "Best performing initialization did not converge. Try different init parameters, "
                "or increase max_iter, tol, or check for degenerate data."
            )
            warnings.warn(message, ConvergenceWarning, stacklevel=4)
        self._keep(*leave_parts(best), dtype)
        self.lower_bound_, self.lower_bounds_ = trace[-1], trace[1:]
        self.converged_, self.n_iter_ = converged, len(trace) - 1
        return self

    def _best_of(self, points):
        """The best of all starts; a start that collapses is passed over if another does not."""
        given = check_start(self, points.X.shape[1])
        warm = self.warm_start and hasattr(self, "converged_")
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31, size=4))
        reg = self.reg_covar / points.frame.scale**2
        iterate = em_map(points, reg)
        if self.acceleration == "squarem":
            iterate = squarem(iterate)
        best, failure = None, None
        for start in range(1 if warm else self.n_init):
            if self.verbose:
                print(f"Initialization {start}")
            try:
                if warm:
                    parts = self._enter(points.frame)
                else:
                    parts = start_components(points, self.n_components, self.init_params, given, reg, rng)
                run = climb(iterate, parts, self.tol, self.max_iter, self._report if self.verbose else None)
            except ValueError as err:
                failure = err
                continue
            if best is None or run[1][-1] > best[1][-1]:
                best = run
        if best is None:
            raise failure
        return best

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
        return enter_parts(frame, self.covariance_type, *arrays)

    def _keep(self, weights, means, covs, dtype):
        """Store parameters in the data's precision, with the inverses derived from them."""
        matrix = self.covariance_type in ("full", "tied")
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                roots = inverse_roots(covs, self.covariance_type)
                precisions = np.swapaxes(roots, -1, -2) @ roots if matrix else roots**2
                covs, precisions = np.asarray(covs).astype(dtype), np.asarray(precisions).astype(dtype)
            inverse_roots(covs.astype(float), self.covariance_type)
            if not np.isfinite(precisions).all():
                raise ValueError("a precision overflows")
        except ValueError as err:
            raise ValueError(ILL_DEFINED + f" ({np.dtype(dtype)} cannot hold the covariance.)") from err
        self.weights_, self.means_ = np.asarray(weights).astype(dtype), np.asarray(means).astype(dtype)
        self.covariances_, self.precisions_ = covs, precisions
        self.precisions_cholesky_ = (np.swapaxes(roots, -1, -2) if matrix else np.asarray(roots)).astype(dtype)

    # ------------------------------------------------------------ using a fit

    def _e_step(self, X):
        check_is_fitted(self)
        with np.errstate(invalid="ignore"):  # the sum that looks for NaN may be inf - inf
            X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        weights = np.asarray(self.weights_, float)
        result = e_step(X, weights / weights.sum(), self.means_, self.covariances_, self.covariance_type)
        return X, result

    def predict(self, X):
        """Index of the likeliest component for every row, shape (N,); not a class label."""
        return self._e_step(X)[1].resp.argmax(axis=1)

    def predict_proba(self, X):
        """Responsibilities, shape (N, K); every row sums to one."""
        X, result = self._e_step(X)
        return result.resp.astype(X.dtype, copy=False)

    def score_samples(self, X):
        """Natural log of the density at every row, shape (N,)."""
        X, result = self._e_step(X)
        with np.errstate(over="ignore"):  # in single precision, far away is -inf
            return result.log_density.astype(X.dtype, copy=False)

    def score(self, X, y=None, sample_weight=None):
        """Mean log-likelihood a row: a mean, so multiply by N for the total."""
        X, result = self._e_step(X)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        return float(as_weights(weight, len(X)) @ result.log_density)

    def sample(self, n_samples=1):
        """Draw points: (X of shape (n_samples, D), component of each (n_samples,)), sorted by component."""
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(f"Invalid value for 'n_samples': {n_samples} . The sampling requires at least one sample.")
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31, size=4))
        weights = np.asarray(self.weights_, float)
        X, labels = sample_mixture(
            rng, n_samples, weights / weights.sum(), self.means_, self.covariances_, self.covariance_type
        )
        order = np.argsort(labels, kind="stable")
        return X[order], labels[order]

    # ------------------------------------------------------- parts and criteria

    def _full(self):
        check_is_fitted(self)
        return full_covariances(self.covariances_, self.covariance_type, *self.means_.shape)

    def marginal(self, keep):
        """The mixture of some coordinates.

        Parameters
        ----------
        keep : sequence of int

        Returns
        -------
        GaussianMixture
            Over len(keep) dimensions, with full covariances.
        """
        parts = [marginal(m, c, keep) for m, c in zip(self.means_, self._full(), strict=True)]
        return GaussianMixture.from_parameters(self.weights_, *map(np.array, zip(*parts, strict=True)))

    def conditional(self, given, values):
        """The mixture of the other coordinates once some are known.

        Parameters
        ----------
        given : sequence of int
            Which coordinates are known.
        values : array_like of shape (len(given),)
            What they are.

        Returns
        -------
        GaussianMixture
            Its weights are the responsibilities the known values give.
        """
        values = np.asarray(values, float)
        parts = [conditional(m, c, given, values) for m, c in zip(self.means_, self._full(), strict=True)]
        weights = self.marginal(given).predict_proba(values[None])[0]
        return GaussianMixture.from_parameters(weights, *map(np.array, zip(*parts, strict=True)))

    def _n_parameters(self):
        return n_parameters(*self.means_.shape, self.covariance_type)

    def aic(self, X):
        """Akaike's criterion on `X`: lower is better."""
        return aic(self.score(X) * len(X), self._n_parameters())

    def bic(self, X):
        """Schwarz's criterion on `X`: lower is better."""
        return bic(self.score(X) * len(X), self._n_parameters(), len(X))

    def icl(self, X):
        """Integrated completed likelihood on `X`: BIC plus twice the entropy of the labels."""
        return icl(self.score(X) * len(X), self._n_parameters(), self.predict_proba(X))
