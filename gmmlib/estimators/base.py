"""What can be asked of a mixture once it has parameters."""

import numpy as np
from sklearn.base import DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..families.gaussian import missing
from ..families.gaussian.covariance import full_covariances
from ..families.gaussian.density import conditional, marginal
from ..functions import e_step, sample_mixture
from ..numerics import as_weights
from ..selection import aic, bic, icl, n_parameters

__all__ = ["FittedMixture"]


class FittedMixture(DensityMixin):
    """The questions an estimator answers from its fitted attributes."""

    def _table(self, X, gaps=False, **options):
        """`X` as an array of floats, NaN among them only where `gaps` or `missing` allow it."""
        with np.errstate(invalid="ignore"):  # the sum that looks for NaN may be inf - inf
            X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan", **options)
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
        return X, (missing.e_step if missing.has_gaps(X) else e_step)(X, *self._parameters())

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
        X, labels = sample_mixture(rng, n_samples, *self._parameters())
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
        return self.from_parameters(self.weights_, *map(np.array, zip(*parts, strict=True)), missing=self.missing)

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
        return self.from_parameters(weights, *map(np.array, zip(*parts, strict=True)), missing=self.missing)

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

    def aic(self, X):
        """Akaike's criterion on `X`: lower is better."""
        return aic(self.score(X) * len(X), self._n_parameters())

    def bic(self, X):
        """Schwarz's criterion on `X`: lower is better."""
        return bic(self.score(X) * len(X), self._n_parameters(), len(X))

    def icl(self, X):
        """Integrated completed likelihood on `X`: BIC plus twice the entropy of the labels."""
        return icl(self.score(X) * len(X), self._n_parameters(), self.predict_proba(X))
