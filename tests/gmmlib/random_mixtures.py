"""Random mixtures for the library's tests."""

import numpy as np

from gmmlib.engine.sweep import sweep
from gmmlib.families.gaussian.em import make_points
from gmmlib.families.gaussian.forms import mixture_form
from gmmlib.families.gaussian.parameters import enter
from gmmlib.functions import EStep


def random_cov(rng, D):
    """A well-conditioned random covariance (D, D)."""
    A = rng.normal(size=(D, D))
    return A @ A.T + np.eye(D)


def random_covs(rng, kind, K, D):
    """Random covariances of any kind, shaped as the kind says."""
    full = np.array([random_cov(rng, D) for _ in range(K)])
    variances = rng.uniform(0.5, 2.0, size=(K, D))
    return {
        "full": full,
        "tied": full[0],
        "diag": variances,
        "spherical": variances[:, 0],
        "tied_spherical": variances[0, 0],
    }[kind]


def random_mixture(rng, kind, K, D):
    """Weights, means and covariances of a random mixture."""
    return rng.dirichlet(np.full(K, 5.0)), 3 * rng.normal(size=(K, D)), random_covs(rng, kind, K, D)


def data_and_start(rng, kind, K, D, N=200):
    """N points in K loose clusters, and a rough start from which nothing collapses."""
    centers = 4 * rng.normal(size=(K, D))
    X = centers[rng.integers(K, size=N)] + rng.normal(size=(N, D))
    weights, _, covs = random_mixture(rng, kind, K, D)
    return X, (weights, centers + 0.7 * rng.normal(size=(K, D)), covs)


def swept_e_step(X, weights, means, covs, kind="full"):
    """`e_step` as a fit computes it: by a sweep over blocks, in the form that suits."""
    points, resp, log_density = make_points(X, kind), np.empty((len(weights), len(X))), np.empty(len(X))

    def keep(rows, *seen):
        resp[:, rows], log_density[rows] = seen

    params = enter(points.frame, kind, weights, means, np.asarray(covs))
    sweep(points, mixture_form(params), gather=False, keep=keep)
    return EStep(resp.T, log_density - points.log_volume)
