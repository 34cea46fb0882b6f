"""What can be asked of a mixture once it has parameters."""

from functools import cache
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..families.gaussian import missing
from ..families.gaussian.covariance import SHARED, full_covariances
from ..families.gaussian.density import conditional, log_gaussian, marginal, places
from ..functions import e_step, sample_mixture
from ..numerics import as_count, as_numbers, as_weights, check_kinds, rows_that_count, total_weight
from ..selection.criteria import aic, bic, icl, n_parameters

__all__ = ["Estimator", "FittedMixture"]

FLOATS = [np.float64, np.float32]


def generator(random_state):
    """A numpy Generator from scikit-learn's `random_state`; the same number starts every estimator alike."""
    if not isinstance(random_state, Integral):
        random_state = check_random_state(random_state).randint(2**31, size=4)
    return np.random.default_rng(random_state)


def checked_weights(sample_weight, X):
    """`sample_weight` as (N,) floats, None as it is, or an error."""
    if sample_weight is None:
        return None
    check_kinds(sample_weight, "sample_weight")
    return _check_sample_weight(sample_weight, X, dtype=np.float64)


def is_plain(X):
    """Whether scikit-learn would take an array as it is: two rows of finite floats, or more."""
    if type(X) is not np.ndarray or X.dtype not in FLOATS or X.ndim != 2 or len(X) < 2 or not X.size:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return np.isfinite(X.sum())


class Estimator(BaseEstimator):
    """What scikit-learn asks of every estimator, at less cost to a fit of few rows."""

    @classmethod
    @cache
    def _get_param_names(cls):
        return super()._get_param_names()

    def _validated(self, X, **options):
        """`X` as an array of floats that suits the estimator; `options` as scikit-learn's `validate_data`."""
        if is_plain(X):  # only names and number of its columns are left to check
            if not hasattr(self, "feature_names_in_"):
                if options.get("reset", True):
                    self.n_features_in_ = X.shape[1]
                if self.n_features_in_ == X.shape[1]:
                    return X
            return validate_data(self, X, skip_check_array=True, **options)
        check_kinds(X, "X")
        with np.errstate(invalid="ignore"):  # the sum that looks for NaN may be inf - inf
            return validate_data(self, X, dtype=FLOATS, **options)


class FittedMixture(DensityMixin, Estimator):
    """The questions an estimator answers from its fitted attributes."""

    def _table(self, X, gaps=False, **options):
        """`X` as an array of floats, NaN among them only where `gaps` or `missing` allow it."""
        X = self._validated(X, ensure_all_finite="allow-nan", **options)
        if not gaps and self.missing == "error" and missing.has_gaps(X):
            raise ValueError(
                "Input X contains NaN: drop or impute those rows, or let missing='em' take NaN for missing values"
            )
        return X

    def _parameters(self):
        """Weights, means and covariances in double precision, and what kind the last are."""
        weights, means, covs = (np.asarray(a, float) for a in (self.weights_, self.means_, self.covariances_))
        return weights / weights.sum(), means, covs, self.covariance_type

    def _e_step(self, X):
        check_is_fitted(self)
        X = self._table(X, reset=False)
        return X, (missing.e_step if self._has_gaps(X) else e_step)(X, *self._parameters())

    def _has_gaps(self, X):
        return self.missing == "em" and missing.has_gaps(X)

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
        return self._log_likelihood(X, result, sample_weight)[0]

    def _log_likelihood(self, X, result, sample_weight):
        """Mean a row, and what the rows' weights add up to."""
        weight = checked_weights(sample_weight, X)
        share, log_density = rows_that_count(as_weights(weight, len(X)), result.log_density)
        return float(share @ log_density), total_weight(weight, len(X))

    def component_log_densities(self, X):
        """Natural log of every component's own density, its weight left out, shape (N, K)."""
        check_is_fitted(self)
        X = self._table(X, reset=False)
        with np.errstate(over="ignore"):  # in single precision, far away is -inf
            return np.transpose([log_gaussian(X, m, c) for m, c in self._components()]).astype(X.dtype, copy=False)

    def sample(self, n_samples=1, component=None):
        """Draw points.

        Parameters
        ----------
        n_samples : int
        component : int, optional
            Draw from this one alone.

        Returns
        -------
        X : ndarray of shape (n_samples, D)
            Sorted by component.
        labels : ndarray of shape (n_samples,)
            The component of each.
        """
        check_is_fitted(self)
        n_samples = as_count(n_samples, "n_samples", -np.inf)
        if n_samples < 1:
            raise ValueError(f"Invalid value for 'n_samples': {n_samples} . The sampling requires at least one sample.")
        weights, *others = self._parameters()
        if component is not None:
            weights = np.eye(len(weights))[places([component], len(weights), "component")[0]]
        rng = generator(self.random_state)
        X, labels = sample_mixture(rng, n_samples, weights, *others)
        order = np.argsort(labels, kind="stable")
        return X[order], labels[order]

    # ------------------------------------------------------- components and criteria

    def _components(self):
        """Mean (D,) and covariance (D, D) of every component."""
        check_is_fitted(self)
        full = full_covariances(self.covariances_, self.covariance_type, *self.means_.shape)
        return list(zip(self.means_, full, strict=True))

    def _places(self, which, name):
        """Coordinates that numbers or, after a fit to a table, column names name."""
        check_is_fitted(self)
        names = list(getattr(self, "feature_names_in_", ()))
        if np.ndim(which) == 1 and any(isinstance(one, str) for one in which):
            if unknown := [one for one in which if one not in names]:
                raise ValueError(f"{name} names {unknown[0]!r}, but the columns of the fit were {names or 'nameless'}")
            which = [names.index(one) for one in which]
        return places(which, len(self.means_[0]), name)

    def _of_columns(self, columns, weights, components):
        """A mixture of some columns, which keep their names."""
        if not len(columns):
            raise ValueError("no coordinate is left: a mixture needs one at least")
        new = self.from_parameters(weights, *map(np.array, zip(*components, strict=True)), missing=self.missing)
        if hasattr(self, "feature_names_in_"):
            new.feature_names_in_ = self.feature_names_in_[columns]
        return new

    def in_order(self):
        """The same mixture, its components sorted by their means: by the first coordinate, then the second, ...

        Returns
        -------
        GaussianMixture
            Which component a fit calls the first is chance; sorted, two fits compare.
        """
        check_is_fitted(self)
        order = np.lexsort(self.means_.T[::-1])
        covs = self.covariances_ if self.covariance_type in SHARED else self.covariances_[order]
        new = self.from_parameters(self.weights_[order], self.means_[order], covs, **self._options())
        if hasattr(self, "feature_names_in_"):
            new.feature_names_in_ = self.feature_names_in_
        return new

    def _options(self):
        return {"covariance_type": self.covariance_type, "missing": self.missing, "random_state": self.random_state}

    def marginal(self, keep):
        """The mixture of some coordinates.

        Parameters
        ----------
        keep : sequence of int or str
            Places, or names of columns if the mixture was fitted to a table.

        Returns
        -------
        GaussianMixture
            Over len(keep) dimensions, with full covariances.
        """
        keep = self._places(keep, "keep")
        return self._of_columns(keep, self.weights_, [marginal(m, c, keep) for m, c in self._components()])

    def conditional(self, given, values):
        """The mixture of the other coordinates once some are known.

        Parameters
        ----------
        given : sequence of int or str
            Which coordinates are known: places, or names of columns.
        values : array_like of shape (len(given),)
            What they are; for many cases at once, see `regress`.

        Returns
        -------
        GaussianMixture
            Its weights are the responsibilities the known values give.
        """
        given, values = self._places(given, "given"), as_numbers(values, "values")
        if values.shape != given.shape:
            raise ValueError(
                f"values must have one entry for each of {len(given)} given coordinates, got {values.shape}; "
                "regress takes many cases at once"
            )
        weights, components = self._given(given, values[None])
        rest = np.setdiff1d(np.arange(len(self.means_[0])), given)
        return self._of_columns(rest, weights[0], [(mean[0], cov) for mean, cov in components])

    def regress(self, given, values):
        """What the mixture expects of the other coordinates of many rows: mixture regression.

        Parameters
        ----------
        given : sequence of int or str
            Which coordinates are known: places, or names of columns.
        values : array_like of shape (N, len(given))
            What they are.

        Returns
        -------
        mean : ndarray of shape (N, D - len(given))
        cov : ndarray of shape (N, D - len(given), D - len(given))
            Within the components, and between their means.
        """
        given, values = self._places(given, "given"), as_numbers(values, "values")
        if values.ndim != 2:
            raise ValueError(f"values must have shape (N, {len(given)}), one row a case, got {values.shape}")
        weights, components = self._given(given, values)
        means, covs = map(np.array, zip(*components, strict=True))  # (K, N, R), (K, R, R)
        mean = np.einsum("nk,knr->nr", weights, means)
        apart = means - mean
        return mean, np.einsum("nk,krs->nrs", weights, covs) + np.einsum("nk,knr,kns->nrs", weights, apart, apart)

    def _given(self, given, values):
        """Weights (N, K), and means (N, R) and covariance of every component, for rows of known values."""
        components = [conditional(m, c, given, values) for m, c in self._components()]
        known = [marginal(m, c, given) for m, c in self._components()]
        weights = np.array(self.weights_, float) / np.sum(self.weights_, dtype=float)
        if not len(given):
            return np.tile(weights, (len(values), 1)), components
        return e_step(values, weights, *map(np.array, zip(*known, strict=True))).resp, components

    def impute(self, X):
        """Fill gaps with what the mixture expects of them.

        Parameters
        ----------
        X : array_like of shape (N, D)
            NaN marks a gap, whatever `missing` says.

        Returns
        -------
        ndarray of shape (N, D)
            A copy. A gap holds its mean given the rest of its row (with nothing left
            of the row: the mixture's mean); other entries are as they were. One value
            is no distribution: what is computed from filled rows varies too little.
        """
        check_is_fitted(self)
        return missing.impute(self._table(X, gaps=True, reset=False), *self._parameters())

    def _n_parameters(self):
        return n_parameters(*self.means_.shape, self.covariance_type)

    def aic(self, X, sample_weight=None):
        """Akaike's criterion on `X`: lower is better. A weight of 3 is the row three times."""
        mean, total = self._log_likelihood(*self._e_step(X), sample_weight)
        return aic(mean * total, self._n_parameters())

    def bic(self, X, sample_weight=None):
        """Schwarz's criterion on `X`: lower is better. A weight of 3 is the row three times."""
        mean, total = self._log_likelihood(*self._e_step(X), sample_weight)
        return bic(mean * total, self._n_parameters(), total)

    def icl(self, X, sample_weight=None):
        """Integrated completed likelihood on `X`: BIC plus twice the entropy of the labels."""
        X, result = self._e_step(X)
        mean, total = self._log_likelihood(X, result, sample_weight)
        return icl(mean * total, self._n_parameters(), result.resp, checked_weights(sample_weight, X))
