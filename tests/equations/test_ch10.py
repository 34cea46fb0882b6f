"""Chapter 10, writing gmmlib: every labelled equation, judged by means that do not share its algebra."""

from fractions import Fraction
from math import log, pi, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from gmmlib.engine.sweep import sweep
from gmmlib.families.gaussian.em import make_points
from gmmlib.families.gaussian.forms import natural_form, natural_parameters
from gmmlib.families.gaussian.parameters import enter, maximise

EPS = np.finfo(float).eps


def random_mixture(rng, K, D):
    A = rng.normal(size=(K, D, D))
    return rng.dirichlet(np.full(K, 4.0)), 2 * rng.normal(size=(K, D)), A @ A.transpose(0, 2, 1) + 0.3 * np.eye(D)


def features(Z):
    """The chapter's T (P, N), point by point."""
    D = Z.shape[1]
    return np.array([[1, *z, *(z[d] * z[e] for d in range(D) for e in range(d, D))] for z in Z]).T


@pytest.mark.parametrize(("K", "D"), [(1, 1), (3, 2), (2, 4)])
def test_eq_write_natural(rng, K, D):
    """theta @ T against scipy's densities, with gmmlib's theta."""
    X, mix = 2 * rng.normal(size=(7, D)), random_mixture(rng, K, D)
    points = make_points(X, "full")
    params = enter(points.frame, "full", *mix)
    Z = (X - points.frame.origin) / points.frame.scale
    found = natural_parameters(params) @ features(Z) - np.log(points.frame.scale).sum()
    expected = [np.log(w) + stats.multivariate_normal(m, S).logpdf(X) for w, m, S in zip(*mix, strict=True)]
    assert_allclose(found, np.reshape(expected, (K, -1)), rtol=1e-9)


def sums_by_hand(X, mix):
    """(K, P): effective counts, sums and sums of products, one point and component at a time, with scipy."""
    weights, means, covs = mix
    K, D = means.shape
    total = np.zeros((K, len(features(X[:1]))))
    for x in X:
        joint = np.array([weights[k] * stats.multivariate_normal(means[k], covs[k]).pdf(x) for k in range(K)])
        for k in range(K):
            total[k, 0] += joint[k] / joint.sum()
            total[k, 1 : D + 1] += joint[k] / joint.sum() * x
            total[k, D + 1 :] += joint[k] / joint.sum() * np.outer(x, x)[np.triu_indices(D)]
    return total


@pytest.mark.parametrize(("K", "D"), [(1, 1), (3, 2), (2, 4)])
def test_eq_write_sums(rng, K, D):
    """One product of the library's form against loops over single points."""
    X, mix = rng.normal(size=(23, D)), random_mixture(rng, K, D)
    points = make_points(X, "full")
    scale, origin = points.frame.scale, points.frame.origin
    params = enter(points.frame, "full", *mix)
    form = natural_form(params)
    (block,) = points.blocks(form)
    found = form.gather(block, form.respond(block)[0])
    seen = mix[0], (mix[1] - origin) / scale, mix[2] / np.multiply.outer(scale, scale)
    assert_allclose(found, sums_by_hand((X - origin) / scale, seen), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("K", "D"), [(1, 1), (3, 2), (2, 4)])
def test_eq_write_moved(rng, K, D):
    """Moments around the origin, moved to the new means, against numpy's weighted average and covariance."""
    X, resp = 3 + rng.normal(size=(40, D)), rng.dirichlet(np.ones(K), size=40)
    points = make_points(X, "full")
    (block,) = points.blocks(form := natural_form(enter(points.frame, "full", *random_mixture(rng, K, D))))
    moments = form.moments(points, form.gather(block, resp.T.copy()) / len(X))
    new = maximise("full", points.frame, moments, np.zeros(D))
    for k in range(K):
        assert_allclose(new.means[k], np.average(X, axis=0, weights=resp[:, k]), rtol=1e-9)
        cov = np.cov(X.T, aweights=resp[:, k], bias=True).reshape(D, D)
        assert_allclose(new.covs[k] * np.multiply.outer(points.frame.scale, points.frame.scale), cov, rtol=1e-8)


def test_eq_write_blocks(rng):
    """The library's sums do not depend on how rows are cut; each cut against a loop over single points."""
    X, mix = rng.normal(size=(57, 2)), random_mixture(rng, 3, 2)
    points = make_points(X, "full")
    params = enter(points.frame, "full", *mix)
    scale, origin = points.frame.scale, points.frame.origin
    seen = mix[0], (mix[1] - origin) / scale, mix[2] / np.multiply.outer(scale, scale)
    expected = sums_by_hand((X - origin) / scale, seen) / len(X)
    from gmmlib.families.gaussian import points as module

    for size in (57, 20, 1):
        cut = [slice(i, min(i + size, 57)) for i in range(0, 57, size)]
        bare = points._replace(held=None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "blocks", lambda *_, cut=cut: cut)
            moments, _ = sweep(bare, natural_form(params))
        assert_allclose(moments.counts, expected[:, 0], rtol=1e-9)
        assert_allclose(moments.first, expected[:, 1:3], rtol=1e-8, atol=1e-10)
        assert_allclose(moments.second[:, [0, 0, 1], [0, 1, 1]], expected[:, 3:], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("offset", [1e3, 1e5, 1e7])
def test_eq_write_lost(rng, offset):
    """The shortcut's error over many data sets, against the exact variance in fractions."""
    ratios = []
    for _ in range(40):
        x = offset + 3 * rng.normal(size=50)
        exact = [Fraction(v) for v in x]
        mean = sum(exact) / 50
        var = float(sum((v - mean) ** 2 for v in exact) / 50)
        lost = abs((x**2).mean() - x.mean() ** 2 - var) / var
        ratios.append(lost / (EPS * (1 + x.mean() ** 2 / var)))
    assert max(ratios) < 5  # never much more than the formula says
    assert 0.1 < np.median(ratios) < 2  # and about as much: not a bound that is far too high


@pytest.mark.parametrize("sd", [1e-1, 1e-3, 1e-5])
def test_eq_write_cancellation(rng, sd):
    """theta @ T by the library's parameters near a narrow mean, against exact fractions."""
    X = np.linspace(-40, 40, 81)[:, None]
    points, ratios = make_points(X, "full"), []
    for _ in range(60):
        mean = rng.uniform(20, 35)
        params = enter(points.frame, "full", np.ones(1), np.array([[mean]]), np.array([[[sd**2]]]))
        scale = points.frame.scale[0]
        z = (mean + sd * rng.normal()) / scale
        theta = natural_parameters(params)[0]
        assert points.frame.origin[0] == 0
        found = theta @ [1.0, z, z * z]
        distance = (Fraction(z) - Fraction(mean / scale)) ** 2 / Fraction(float(params.covs[0, 0, 0]))
        exact = -float(distance) / 2 - log(2 * pi) / 2 - log(sqrt(params.covs[0, 0, 0]))
        assert_allclose(params.cancellation[0], (mean / sd) ** 2, rtol=1e-9)
        ratios.append(abs(found - exact) / (EPS * (1 + (mean / sd) ** 2)))
    assert max(ratios) < 5
    assert np.median(ratios) > 0.02
