"""The two forms of a sweep, block by block: what they look at, and that each by itself gives the sums."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import random_mixture
from scipy import stats

from gmmlib.engine.loop import alone, make_points, residual_sums, sweep
from gmmlib.families.gaussian import forms
from gmmlib.families.gaussian.covariance import full_covariances
from gmmlib.families.gaussian.forms import Block, Desk
from gmmlib.families.gaussian.parameters import make_components
from gmmlib.numerics import Frame

K, D = 2, 3


def table(rng, kind, N=40, far=None):
    """Points whose frame's origin is zero in one column, as a column of whole numbers may have it."""
    points = make_points(rng.normal(size=(N, D)) * [1, 5, 2] + [3, 0, -7], kind)
    origin = points.frame.origin * [1, 0, 1]
    total = None
    if kind.startswith("tied"):
        total = residual_sums(points, alone, origin[None]).second
    return points._replace(frame=points.frame._replace(origin=origin), far=far, total=total, held=None)


def components(rng, points):
    weights, means, covs = random_mixture(rng, points.kind, K, D)
    return make_components(points.kind, points.frame, weights, means, covs)


# ----------------------------------------------------------------------------- a block


def test_a_block_shows_its_rows_and_no_others(rng, kind):
    points = table(rng, kind)
    block = Block(points, slice(5, 12))
    z = ((points.X[5:12] - points.frame.origin) / points.frame.scale).T
    products = {
        "full": [z[i] * z[j] for i in range(D) for j in range(i, D)],
        "diag": list(z**2),
        "spherical": [(z**2).sum(axis=0)],
    }.get(kind, [])
    assert len(block) == 7
    assert_allclose(block.features, [np.ones(7), *z, *products], rtol=1e-12, atol=1e-13)
    about = rng.normal(size=(K, D))
    expected = [((points.X[5:12] - point) / points.frame.scale).T for point in about]
    assert_allclose(block.residuals(about), expected, rtol=1e-12, atol=1e-13)
    assert block.residuals(about) is block.residuals(about)
    assert_allclose(block.residuals(about[:1]), expected[:1], rtol=1e-12, atol=1e-13)


@pytest.mark.filterwarnings("error")
def test_points_beyond_reach_stop_there_in_silence(rng, kind):
    points = table(rng, kind, far=100.0)._replace(
        X=np.array([[1e300, -1e300, 0.0]]), frame=Frame(np.array([1.0, 2.0, 3.0]), np.full(D, 2.0**-50))
    )
    block = Block(points, slice(0, 1))
    assert_array_equal(block.features[1:4, 0], [100, -100, -100])
    assert_array_equal(
        block.residuals(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))[:, :, 0], [[100, -100, 0], [100, -100, -100]]
    )


def test_a_desk_lends_the_same_memory_again_and_never_twice_at_a_time():
    desk = Desk()
    one, other = desk.array("one", (3, 4)), desk.array("other", (3, 4))
    assert one.shape == (3, 4)
    assert not np.shares_memory(one, other)
    assert np.shares_memory(one, desk.array("one", (2, 6)))
    assert np.shares_memory(one, desk.array("one", (2, 2)))
    assert not np.shares_memory(one, desk.array("one", (5, 5)))
    assert desk.array("nothing", (0, 3)).shape == (0, 3)


def test_blocks_on_one_desk_use_one_piece_of_memory(rng, kind):
    points, desk = table(rng, kind), Desk()
    parts = components(rng, points)
    for respond, gather in (
        (forms.natural_e_step(parts), forms.natural_gather),
        (forms.residual_e_step(parts), forms.residual_gather(parts.means, kind)),
    ):
        memory = []
        for rows in (slice(0, 20), slice(20, 40)):
            block = Block(points, rows, desk)
            resp, _ = respond(block)
            gather(block, resp.copy())
            memory.append(resp)
        assert np.shares_memory(*memory)


# ------------------------------------------------------------------------- both forms


def expected_e_step(points, parts):
    """Responsibilities (N, K) and log-densities (N,) by scipy, in the frame's units."""
    full = full_covariances(parts.covs, parts.kind, K, D)
    z, means = ((x - points.frame.origin) / points.frame.scale for x in (points.X, parts.means))
    log_joint = [
        np.log(w) + stats.multivariate_normal(m, c).logpdf(z)
        for w, m, c in zip(parts.weights, means, full, strict=True)
    ]
    log_density = np.logaddexp.reduce(log_joint)
    return np.exp(log_joint - log_density).T, log_density


@pytest.mark.parametrize("form", [forms.natural_e_step, forms.residual_e_step])
def test_each_form_gives_the_e_step(rng, kind, form):
    points = table(rng, kind)
    parts = components(rng, points)
    resp, log_density = form(parts)(Block(points, slice(0, 40)))
    expected = expected_e_step(points, parts)
    assert_allclose(resp.T, expected[0], rtol=1e-9, atol=1e-14)
    assert_allclose(log_density, expected[1], rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", ["natural", "residual"])
def test_each_form_gives_the_sums(rng, kind, form, weighted):
    points = table(rng, kind)
    share = rng.uniform(size=40) if weighted else np.full(40, 1.0)
    share /= share.sum()
    points = points._replace(share=share if weighted else None)
    if kind.startswith("tied"):
        points = points._replace(total=residual_sums(points, alone, points.frame.origin[None]).second)
    resp, about = rng.dirichlet(np.ones(K), size=40), np.tile(points.frame.origin, (K, 1))
    look_up = lambda block: (resp[block.rows].T.copy(), np.zeros(len(block)))  # noqa: E731
    if form == "natural":
        moments = forms.natural_moments(points, sweep(points, look_up, forms.natural_gather)[0])
    else:
        about += 2 * rng.normal(size=(K, D))
        moments = forms.residual_moments(points, about, sweep(points, look_up, forms.residual_gather(about, kind))[0])
    y = [(points.X - point) / points.frame.scale for point in about]
    weight = (share[:, None] * resp).T
    second = np.array([(w * t.T) @ t for w, t in zip(weight, y, strict=True)])
    squares = np.diagonal(second, axis1=1, axis2=2)
    expected = {
        "full": second,
        "tied": second.sum(axis=0),
        "diag": squares,
        "spherical": squares.sum(axis=1),
        "tied_spherical": squares.sum(),
    }[kind]
    assert_allclose(moments.mass, weight.sum(axis=1), rtol=1e-12)
    assert_allclose(moments.first, [w @ t for w, t in zip(weight, y, strict=True)], rtol=1e-10, atol=1e-13)
    assert np.shape(moments.second) == np.shape(expected)
    assert_allclose(moments.second, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("size", [1, 2, 31, 32, 33, 70])
@pytest.mark.parametrize("stack", [(), (3,)])
def test_a_triangular_product_skips_only_zeros(rng, size, stack):
    U, Y = np.tril(rng.normal(size=(*stack, size, size))), rng.normal(size=(*stack, size, 5))
    for step in (1, 7, 32, 100):
        out = np.full((*stack, size, 5), np.nan)
        assert forms.triangular_product(U, Y, out, step) is out
        assert_allclose(out, U @ Y, rtol=1e-11, atol=1e-12)
