"""Chapter 5, mixtures: every labelled equation, judged by means that do not share its algebra."""

from itertools import permutations, product

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, optimize, special, stats
from sklearn.mixture import GaussianMixture as SklearnMixture

from gmmlib import mixture_log_density, n_parameters


def random_mixture(rng, K, D):
    """Weights, means and covariances of K overlapping components."""
    A = rng.normal(size=(K, D, D))
    return rng.dirichlet(np.full(K, 4.0)), rng.normal(scale=2, size=(K, D)), A @ A.transpose(0, 2, 1) + 0.3 * np.eye(D)


def sklearn_mixture(weights, means, covs):
    """scikit-learn's estimator with given parameters."""
    model = SklearnMixture(len(weights))
    model.weights_, model.means_, model.covariances_ = weights, means, covs
    model.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(covs))
    return model


def density(X, weights, means, covs):
    """eq-mix-density with scipy's Gaussians."""
    return sum(w * stats.multivariate_normal(m, c).pdf(X) for w, m, c in zip(weights, means, covs, strict=True))


def on_grid(weights, means, covs, steps=601):
    """Density of a mixture in the plane on a grid that holds all of it, and the area of a cell."""
    reach = 9 * np.sqrt(covs.max())
    u = np.linspace(means.min() - reach, means.max() + reach, steps)
    X = np.stack(np.meshgrid(u, u), axis=-1).reshape(-1, 2)
    return X, np.exp(mixture_log_density(X, weights, means, covs)), (u[1] - u[0]) ** 2


def test_eq_mix_density(rng):
    """The story told 400,000 times: how often it ends in each of nine boxes."""
    weights, means, covs = random_mixture(rng, 3, 2)
    # The story, told by numpy: how often does it end up in each of nine boxes?
    n = 400_000
    counts = rng.multinomial(n, weights)
    story = np.concatenate([rng.multivariate_normal(m, c, size=k) for m, c, k in zip(means, covs, counts, strict=True)])
    edges = np.array([-12.0, -1.5, 1.0, 12.0])
    seen = np.histogram2d(*story.T, bins=[edges, edges])[0] / n
    for i, j in product(range(3), range(3)):
        u, v = (np.linspace(edges[s], edges[s + 1], 301) for s in (i, j))
        X = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1)
        box = integrate.simpson(integrate.simpson(density(X, weights, means, covs), x=v), x=u)
        assert abs(seen[i, j] - box) < 5 * np.sqrt(box * (1 - box) / n) + 1e-6
    X = rng.normal(scale=3, size=(50, 2))
    assert_allclose(np.exp(mixture_log_density(X, weights, means, covs)), density(X, weights, means, covs), rtol=1e-9)


@pytest.mark.parametrize("K", [2, 3])
def test_eq_mix_average(rng, K):
    """The density of a sum is a convolution, done on a grid."""
    weights, means, sds = rng.dirichlet(np.full(K, 4.0)), rng.normal(scale=2, size=K), rng.uniform(0.5, 2, size=K)
    # The density of a sum of independent variables is a convolution: do it on a grid, no algebra of Gaussians.
    step = 0.005
    grid = np.arange(-4000, 4001) * step
    total = None
    for w, m, s in zip(weights, means, sds, strict=True):
        part = stats.norm(0, s).pdf((grid - w * m) / w) / w  # the density of w * X
        total = part if total is None else np.convolve(total, part, mode="same") * step
    formula = stats.norm(weights @ means, np.sqrt(weights**2 @ sds**2)).pdf(grid)
    assert_allclose(total, formula, atol=1e-8)


@pytest.mark.parametrize(("a", "var"), [(0.5, 1.0), (1.7, 0.6), (3.0, 4.0)])
def test_eq_mix_slope(a, var):
    """Derivatives of the density with 40 digits."""
    sd = mpmath.sqrt(var)

    def p(x):
        return (mpmath.npdf(x, a, sd) + mpmath.npdf(x, -a, sd)) / 2

    with mpmath.workdps(40):
        for x in (-4.0, -1.0, -0.2, 0.0, 0.3, 1.5, 5.0):
            formula = p(x) / var * (a * mpmath.tanh(a * x / mpmath.mpf(var)) - x)
            assert abs(formula - mpmath.diff(p, x)) < 1e-15


@pytest.mark.parametrize("sd", [0.3, 1.0, 7.0])
@pytest.mark.parametrize("ratio", [0.2, 1.5, 1.98, 2.02, 2.5, 6.0])
def test_eq_mix_bimodal(sd, ratio):
    """Peaks counted on a grid, and the curvature halfway."""
    gap = ratio * sd
    two_modes = abs(gap) > 2 * sd
    x = 100 + np.linspace(-4, 4, 8001) * gap
    p = stats.norm(100 - gap / 2, sd).pdf(x) + stats.norm(100 + gap / 2, sd).pdf(x)
    rises = np.diff(p) > 0
    peaks = np.sum(rises[:-1] & ~rises[1:])
    assert (peaks == 2) == two_modes
    assert peaks in (1, 2)
    with mpmath.workdps(30):
        bend = mpmath.diff(lambda t: mpmath.npdf(t, -gap / 2, sd) + mpmath.npdf(t, gap / 2, sd), 0, 2)
    assert (bend > 0) == two_modes  # halfway: a valley or a summit


def summits(weights, means, covs, rng):
    """Modes found by climbing from many places, without a formula for the gradient."""
    model = [(w, stats.multivariate_normal(m, c)) for w, m, c in zip(weights, means, covs, strict=True)]
    low = lambda x: -np.log(sum(w * g.pdf(x) for w, g in model))  # noqa: E731
    found = []
    mix = rng.uniform(-0.2, 1.2, size=(25, means.shape[1]))
    for start in np.vstack([means, means[0] + mix * (means[1] - means[0])]):
        end = optimize.minimize(
            low, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-13, "maxiter": 4000}
        )
        assert end.success
        if all(np.abs(end.x - other).max() > 1e-4 for other in found):
            found.append(end.x)
    return np.array(found)


def ridgeline(alpha, means, covs):
    """eq-mix-ridgeline"""
    P1, P2 = np.linalg.inv(covs)
    A = (1 - alpha) * P1 + alpha * P2
    return np.linalg.solve(A, (1 - alpha) * P1 @ means[0] + alpha * P2 @ means[1])


CROSSED = (
    np.array([0.5, 0.5]),
    np.array([[0.0, 0.0], [1.0, 1.0]]),
    np.array([np.diag([1.0, 0.05]), np.diag([0.05, 1.0])]),
)


IN_SPACE = (
    np.array([0.55, 0.45]),
    np.array([[0.0, 0.0, 0.0], [1.8, -1.2, 1.5]]),
    np.array(
        [[[0.8, 0.3, 0.0], [0.3, 0.6, 0.1], [0.0, 0.1, 0.4]], [[0.5, -0.2, 0.1], [-0.2, 0.9, 0.0], [0.1, 0.0, 0.7]]]
    ),
)


@pytest.mark.parametrize(("mixture", "n_modes"), [(CROSSED, 3), (IN_SPACE, 2)])
def test_eq_mix_ridgeline(rng, mixture, n_modes):
    """Summits found by climbing from many starts: each lies on the curve, and the curve has no other."""
    weights, means, covs = mixture
    modes = summits(weights, means, covs, rng)
    assert len(modes) == n_modes
    grid = np.linspace(0, 1, 20_001)
    path = np.array([ridgeline(alpha, means, covs) for alpha in grid])
    for mode in modes:
        near = grid[((path - mode) ** 2).sum(axis=1).argmin()]
        miss = optimize.minimize_scalar(
            lambda alpha, mode=mode: ((ridgeline(alpha, means, covs) - mode) ** 2).sum(),
            bounds=(max(near - 1e-4, 0), min(near + 1e-4, 1)),
            method="bounded",
            options={"xatol": 1e-12},
        )
        assert np.sqrt(miss.fun) < 1e-5  # every summit lies on the curve
    fine = special.expit(np.linspace(-25, 25, 20_001))  # dense at the ends, where well-separated modes sit
    height = density(np.array([ridgeline(alpha, means, covs) for alpha in fine]), weights, means, covs)
    assert np.sum((height[1:-1] > height[:-2]) & (height[1:-1] >= height[2:])) == n_modes  # and makes a peak along it


def test_eq_mix_mean(rng):
    """A sum over a fine grid."""
    weights, means, covs = random_mixture(rng, 3, 2)
    X, p, cell = on_grid(weights, means, covs)
    assert_allclose(p.sum() * cell, 1, rtol=1e-8)
    assert_allclose(weights @ means, p @ X * cell, atol=1e-8)


def test_eq_mix_cov(rng):
    """A sum over a fine grid, around the grid's own mean."""
    weights, means, covs = random_mixture(rng, 3, 2)
    X, p, cell = on_grid(weights, means, covs)
    m = weights @ means
    formula = sum(w * (c + np.outer(mu - m, mu - m)) for w, mu, c in zip(weights, means, covs, strict=True))
    centred = X - p @ X * cell
    assert_allclose(formula, (centred.T * p) @ centred * cell, atol=1e-7)


def test_eq_mix_relabel(rng):
    """scikit-learn's density, for all 24 orders of four components."""
    weights, means, covs = random_mixture(rng, 4, 2)
    X = rng.normal(scale=4, size=(60, 2))
    judge = sklearn_mixture(weights, means, covs).score_samples(X)
    orders = list(permutations(range(4)))
    assert len(orders) == 24
    for order in map(list, orders):
        assert_allclose(mixture_log_density(X, weights[order], means[order], covs[order]), judge, rtol=1e-9)
    # not a relabelling: the weights move and the components stay
    assert np.abs(mixture_log_density(X, weights[[1, 0, 2, 3]], means, covs) - judge).max() > 0.01


def unpack(theta, K, D, kind):
    """A wasteful parametrisation, with more numbers than freedom, of a mixture's log-density."""
    logits, means, rest = theta[:K], theta[K : K + K * D].reshape(K, D), theta[K + K * D :]
    weights = np.exp(logits) / np.exp(logits).sum()
    if kind == "full":
        A = rest.reshape(K, D, D)
        covs = A @ A.transpose(0, 2, 1)
    elif kind == "tied":
        A = rest.reshape(D, D)
        covs = np.array([A @ A.T] * K)
    else:
        logs = {"diag": (K, D), "spherical": (K, 1), "tied_spherical": (1, 1)}[kind]
        covs = np.array([np.diag(v) for v in np.exp(rest.reshape(logs)) * np.ones((K, D))])
    return weights, means, covs


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical", "tied_spherical"])
@pytest.mark.parametrize(("K", "D"), [(2, 1), (2, 3), (3, 2)])
def test_eq_mix_count(rng, K, D, kind):
    """The rank of the density's derivative in a wasteful parametrisation, and what scikit-learn's BIC charges."""
    own = {"full": K * D * (D + 1) // 2, "tied": D * (D + 1) // 2, "diag": K * D, "spherical": K, "tied_spherical": 1}
    formula = (K - 1) + K * D + own[kind]
    assert formula == n_parameters(K, D, kind)

    # In how many directions can the density move? The rank of its derivative in a wasteful parametrisation.
    extra = {"full": K * D * D, "tied": D * D, "diag": K * D, "spherical": K, "tied_spherical": 1}[kind]
    theta = rng.normal(size=K + K * D + extra)
    if kind in ("full", "tied"):
        theta[-extra:] += np.tile(2 * np.eye(D).ravel(), extra // D**2)
    _, means, covs = unpack(theta, K, D, kind)
    X = np.concatenate([rng.multivariate_normal(m, 2 * c, size=150) for m, c in zip(means, covs, strict=True)])
    log_p = lambda t: np.log(density(X, *unpack(t, K, D, kind)))  # noqa: E731
    h = 1e-5
    jacobian = np.array([(log_p(theta + e) - log_p(theta - e)) / (2 * h) for e in h * np.eye(len(theta))])
    sizes = np.linalg.svd(jacobian, compute_uv=False)
    assert np.sum(sizes > 1e-6 * sizes[0]) == formula

    if kind != "tied_spherical":  # scikit-learn has no such type; it charges p ln N in its BIC
        model = SklearnMixture(K, covariance_type=kind, random_state=0, reg_covar=1e-3).fit(X)
        N = len(X)
        assert_allclose((model.bic(X) + 2 * N * model.score(X)) / np.log(N), formula, rtol=1e-9)
