"""Blocks and the forms of a sweep: what they look at, and that each by itself gives the sums."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import random_mixture
from scipy import stats
from scipy.special import logsumexp, softmax

from gmmlib.engine.sweep import Workspace, sweep
from gmmlib.families.gaussian import forms
from gmmlib.families.gaussian.covariance import full_covariances
from gmmlib.families.gaussian.em import given, make_points, scatter
from gmmlib.families.gaussian.parameters import make_components
from gmmlib.families.gaussian.points import NARROW, Block
from gmmlib.numerics import Frame

K, D = 2, 3


def table(rng, kind, N=40, far=None):
    """Points whose frame's origin is zero in one column, as a column of whole numbers may have it."""
    points = make_points(rng.normal(size=(N, D)) * [1, 5, 2] + [3, 0, -7], kind)
    origin = points.frame.origin * [1, 0, 1]
    points = points._replace(frame=points.frame._replace(origin=origin), far=far, held=None)
    return points._replace(total=scatter(points)) if kind.startswith("tied") else points


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
    assert_allclose(block.features(), [np.ones(7), *z, *products], rtol=1e-12, atol=1e-13)
    assert block.features() is block.features()
    some, about = np.array([0, 2, 6]), rng.normal(size=D)
    expected = ((points.X[[5, 7, 11]] - about) / points.frame.scale).T
    assert_allclose(block.residuals(some, about), expected, rtol=1e-12, atol=1e-13)
    assert block.residuals(np.array([], int), about).shape == (D, 0)


def test_features_of_some_columns_are_those_of_a_table_of_these_columns(rng):
    points = make_points(rng.normal(size=(9, 5)) * [1, 5, 2, 9, 1] + 100, "full")._replace(held=None)
    frame, columns = points.frame, (1, 4)
    few = points._replace(X=points.X[:, columns], frame=Frame(frame.origin[[1, 4]], frame.scale[[1, 4]]))
    block = Block(points, slice(2, 8))
    assert block.features().shape == (21, 6)
    assert_array_equal(block.features(columns), Block(few, slice(2, 8)).features())
    assert block.features(columns) is block.features((1, 4))
    assert_array_equal(block.features((0, 4))[1], Block(points, slice(2, 8)).features()[1])


@pytest.mark.parametrize("D", [NARROW - 1, NARROW])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8])
def test_residuals_lie_along_rows_or_columns_as_is_quicker_and_are_the_same(rng, D, dtype):
    X = (40 * rng.normal(size=(20, D))).astype(dtype)
    points = make_points(X, "full")
    for held in (None, {}):
        (block,) = points._replace(held=held).blocks(forms.natural_form(components(rng, table(rng, "full"))))
        rows, about = np.array([3, 4, 9]), rng.normal(size=D)
        expected = ((X[rows].astype(float) - about) / points.frame.scale).T
        assert_allclose(block.residuals(rows, about), expected, rtol=1e-12, atol=1e-13)
        assert block.residuals(rows, about).dtype == np.float64
        assert not np.shares_memory(block.residuals(rows, about), X)


@pytest.mark.filterwarnings("error")
def test_points_beyond_reach_stop_there_in_silence(rng, kind):
    points = table(rng, kind, far=100.0)._replace(
        X=np.array([[1e300, -1e300, 0.0]]), frame=Frame(np.array([1.0, 2.0, 3.0]), np.full(D, 2.0**-50))
    )
    block = Block(points, slice(0, 1))
    assert_array_equal(block.features()[1:4, 0], [100, -100, -100])
    first = np.array([0])
    assert_array_equal(block.residuals(first, np.zeros(3))[:, 0], [100, -100, 0])
    assert_array_equal(block.residuals(first, np.array([0.0, 0.0, 1.0]))[:, 0], [100, -100, -100])


# ------------------------------------------------------------------------- every form


def expected_e_step(points, parts):
    """Responsibilities (N, K) and log-densities (N,) by scipy, in the frame's units."""
    full = full_covariances(parts.covs, parts.kind, *parts.means.shape)
    z, means = ((x - points.frame.origin) / points.frame.scale for x in (points.X, parts.means))
    log_joint = [
        np.log(w) + stats.multivariate_normal(m, c).logpdf(z)
        for w, m, c in zip(parts.weights, means, full, strict=True)
    ]
    log_density = np.logaddexp.reduce(log_joint)
    return np.exp(log_joint - log_density).T, log_density


@pytest.fixture(params=[[], [0], [0, 1]], ids=["natural", "one exact", "all exact"])
def exact(request, kind):
    if kind.startswith("tied") and len(request.param) == 1:
        pytest.skip("one precision serves all: all are exact or none")
    return np.array(request.param, int)


def form_of(parts, exact, relevant=forms.RELEVANT):
    """The form in which some components are exact, whether they need to be or not."""
    if not len(exact):
        return forms.natural_form(parts)
    return forms.screened_form(parts, np.isin(np.arange(K), exact), relevant, parts)


def test_each_form_gives_the_e_step(rng, kind, exact):
    points = table(rng, kind)
    parts = components(rng, points)
    resp, log_density = form_of(parts, exact).respond(Block(points, slice(0, 40)))
    expected = expected_e_step(points, parts)
    assert_allclose(resp.T, expected[0], rtol=1e-9, atol=1e-14)
    assert_allclose(log_density, expected[1], rtol=1e-10)


def test_pairs_that_do_not_count_are_nothing_and_those_that_do_are_exact(rng, kind, exact):
    points = table(rng, kind)
    covs = 0.02 * np.asarray(random_mixture(rng, kind, K, D)[2])
    parts = make_components(kind, points.frame, np.full(K, 1 / K), points.X[:K], covs)
    expected = expected_e_step(points, parts)[0]
    ratio = expected / expected.max(axis=1, keepdims=True)
    for relevant in np.quantile(-np.log(ratio[ratio < 1]), [0.2, 0.7]):
        resp, _ = form_of(parts, exact, relevant).respond(Block(points, slice(0, 40)))
        nothing = np.zeros_like(expected, bool)
        nothing[:, exact] = ratio[:, exact] < np.exp(-relevant)
        kept = np.where(nothing, 0, expected)
        assert_allclose(resp.T, kept / kept.sum(axis=1, keepdims=True), rtol=1e-9, atol=1e-14)
    assert len(exact) == 0 or nothing.any()


def seen_from_zero(X, kind):
    """Points in units of one, around zero."""
    return make_points(X, kind)._replace(frame=Frame(np.zeros(X.shape[1]), np.ones(X.shape[1])), held=None)


def test_neighbours_are_told_apart_where_the_screen_rounds_by_hundreds_of_nats(rng, kind):
    """Their means are 1e9 deviations from where the product sees them, and two from each other."""
    away = 1e9 * np.ones(D)
    near = np.array([[0.0, 0.0, 0.0], [1.2, 1.2, 1.2]])
    X = away + near[np.arange(40) % K] + rng.normal(size=(40, D))
    points = seen_from_zero(X, kind)
    covs = {"full": [np.eye(D)] * K, "tied": np.eye(D), "diag": np.ones((K, D)), "spherical": np.ones(K)}.get(kind, 1.0)
    parts = make_components(kind, points.frame, np.full(K, 1 / K), away + near, np.asarray(covs))
    expected = expected_e_step(points, parts)
    resp, log_density = forms.mixture_form(parts).respond(Block(points, slice(0, 40)))
    assert_allclose(resp.T, expected[0], rtol=1e-5, atol=1e-9)
    assert_allclose(log_density, expected[1], rtol=1e-5)


@pytest.mark.parametrize("distance", [1e3, 1e4])
def test_far_along_a_narrow_component_the_screen_s_rounding_is_allowed_for(rng, distance):
    """There a round and a narrow component are as many nats down, and the narrow one's terms much larger."""
    along, across, width = np.array([1.0, -1.0]) / np.sqrt(2), np.array([1.0, 1.0]) / np.sqrt(2), 1e-6
    covs = np.array([np.eye(2), np.outer(along, along) + width**2 * np.outer(across, across)])
    far = distance * (1 + rng.uniform(size=40))
    points = seen_from_zero(far[:, None] * along, "full")
    parts = make_components("full", points.frame, np.array([1 - width, width]), np.zeros((2, 2)), covs)
    log_joint = stats.norm.logpdf(far) + stats.norm.logpdf(0, scale=[[1], [width]]) + np.log(parts.weights)[:, None]
    resp, log_density = forms.mixture_form(parts).respond(Block(points, slice(0, 40)))
    assert_allclose(resp, softmax(log_joint, axis=0), rtol=1e-3)
    assert_allclose(log_density, logsumexp(log_joint, axis=0), rtol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_each_form_gives_the_sums(rng, kind, exact, weighted):
    points = table(rng, kind)
    share = rng.uniform(size=40) if weighted else np.full(40, 1.0)
    share /= share.sum()
    points = points._replace(row_weights=share if weighted else None)
    if kind.startswith("tied"):
        points = points._replace(total=scatter(points))
    parts, resp = components(rng, points), rng.dirichlet(np.ones(K), size=40)
    form = form_of(parts, exact)._replace(respond=given(resp))
    about = np.tile(points.frame.origin, (K, 1))
    about[exact] = parts.means[exact]
    check_sums(points, sweep(points, form)[0], resp, share, about)


@pytest.mark.parametrize("each", [False, True])
def test_sums_around_any_points(rng, kind, each):
    points, resp = table(rng, kind), rng.dirichlet(np.ones(K), size=40)
    about = rng.normal(size=(K, D) if each else D)
    moments, _ = sweep(points, forms.form_around(given(resp), about, 1))
    check_sums(points, moments, resp, np.full(40, 1 / 40), np.broadcast_to(about, (K, D)))
    assert moments.about is about


def check_sums(points, moments, resp, share, about):
    """Against sums over points of products, from their definition."""
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
    }[points.kind]
    assert_allclose(moments.counts, weight.sum(axis=1), rtol=1e-12)
    assert_allclose(moments.first, [w @ t for w, t in zip(weight, y, strict=True)], rtol=1e-10, atol=1e-13)
    assert np.shape(moments.second) == np.shape(expected)
    assert_allclose(moments.second, expected, rtol=1e-10, atol=1e-13)
    assert_allclose(np.broadcast_to(moments.about, (K, D)), about)


def test_rows_that_are_wholly_others_are_not_looked_at(rng, kind, monkeypatch):
    points, resp = table(rng, kind), np.eye(K)[np.arange(40) % K]
    looked = []
    inner = Block.residuals
    monkeypatch.setattr(
        Block, "residuals", lambda self, rows, about: (looked.append(rows), inner(self, rows, about))[1]
    )
    sweep(points, forms.form_around(given(resp), points.frame.origin, 1))
    assert_array_equal(looked, [np.arange(0, 40, 2), np.arange(1, 40, 2)])


def test_blocks_in_one_workspace_use_one_piece_of_memory(rng, kind, exact):
    points, workspace = table(rng, kind), Workspace()
    form, memory = form_of(components(rng, points), exact), []
    for rows in (slice(0, 20), slice(20, 40)):
        resp, _ = form.respond(Block(points, rows, workspace))
        memory.append(resp)
    assert np.shares_memory(*memory)


def test_blocks_that_stay_do_not_write_over_each_other(rng, kind, exact, monkeypatch):
    """Small blocks of one workspace, swept twice, in one form and the other."""
    monkeypatch.setattr("gmmlib.numerics.BLOCK", 1)
    points = table(rng, kind, N=450)
    form = form_of(components(rng, points), exact)
    held = points._replace(held={})
    expected = sweep(points, form)
    for moments, bound in (sweep(held, form), sweep(held, form)):
        assert_allclose(bound, expected[1], rtol=1e-14)
        assert_allclose(moments.first, expected[0].first, rtol=1e-12, atol=1e-13)
    assert len(held.held[form.width, form.calls]) > 1
