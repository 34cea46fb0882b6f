"""EM on Gaussians: which form a sweep takes, whether to look again, and in whose units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import random_mixture, swept_e_step

from gmmlib import e_step, em, fit_gaussian
from gmmlib.engine.sweep import Form
from gmmlib.families.gaussian import em as gaussian_em
from gmmlib.families.gaussian import forms
from gmmlib.families.gaussian.em import (
    alone,
    em_map,
    expect,
    given,
    m_step_from,
    make_points,
)
from gmmlib.families.gaussian.forms import mixture_form
from gmmlib.families.gaussian.missing import foreign_points
from gmmlib.families.gaussian.parameters import enter, leave, make_components
from gmmlib.families.gaussian.points import Block
from gmmlib.numerics import Frame

UNIT = Frame(np.zeros(2), np.ones(2))


def components(kind="full", K=2, D=3, distance=0.0):
    """Unit covariances in a frame of its own units; the last mean lies `distance` out."""
    covs = {"full": [np.eye(D)] * K, "tied": np.eye(D), "diag": np.ones((K, D)), "spherical": np.ones(K)}
    means = np.zeros((K, D))
    means[-1, 0] = distance
    frame = Frame(np.zeros(D), np.ones(D))
    return make_components(kind, frame, np.full(K, 1 / K), means, np.asarray(covs.get(kind, 1.0)))


# --------------------------------------------------------------------------- which form


def asks(monkeypatch):
    """The names of the forms that are made from now on, and which components are exact in them."""
    made = []
    natural, screened = forms.natural_form, forms.screened_form
    monkeypatch.setattr(forms, "natural_form", lambda params: (made.append("natural"), natural(params))[1])

    def spy(params, own, relevant, view, columns=None):
        made.append((list(np.flatnonzero(own)), columns))
        return screened(params, own, relevant, view, columns)

    monkeypatch.setattr(forms, "screened_form", spy)
    return made


@pytest.mark.parametrize(("distance", "safe"), [(3000.0, True), (4000.0, False)])  # terms 9e6 and 1.6e7 times their sum
def test_components_are_exact_where_the_product_would_cancel(kind, distance, safe, monkeypatch):
    made = asks(monkeypatch)
    mixture_form(components(kind, K=3, distance=distance))
    exact = [0, 1, 2] if kind.startswith("tied") else [2]
    assert made == (["natural"] if safe else [(exact, None)])


def test_correlation_that_costs_digits_makes_a_component_exact(monkeypatch):
    made = asks(monkeypatch)
    cov = np.array([[1.0, 1 - 1e-8], [1 - 1e-8, 1.0]])
    mixture_form(make_components("full", UNIT, np.array([0.5, 0.5]), np.zeros((2, 2)), np.array([np.eye(2), cov])))
    assert made == [([1], None)]


@pytest.mark.parametrize("distance", [0.0, 1e5])
def test_one_sweep_serves_e_step_and_m_step(rng, kind, distance):
    X = rng.normal(size=(50, 3)) + distance * (np.arange(50) % 2)[:, None]
    points = make_points(X, kind)
    params = enter(points.frame, kind, *leave(components(kind, distance=distance)))
    _, moments, bound = expect(points, params)
    assert_allclose(moments.counts.sum(), 1, rtol=1e-12)
    _, nothing, same = expect(points, params, gather=False)
    assert nothing is None
    assert_allclose(same, bound, rtol=1e-14)


# --------------------------------------------------------------- many columns, a few of which tell


def wide(rng, K=5, D=40, N=300, apart=3.0):
    """Points in K clusters of D columns, and the parameters they were drawn from."""
    weights, _, covs = random_mixture(rng, "full", K, D)
    means, covs = apart * rng.normal(size=(K, D)), covs / D
    labels = rng.choice(K, size=N, p=weights)
    X = means[labels] + np.einsum("nij,nj->ni", np.linalg.cholesky(covs)[labels], rng.normal(size=(N, D)))
    return X, (weights, means, covs)


@pytest.mark.parametrize(
    ("K", "D", "apart", "few"), [(5, 40, 3.0, True), (5, 40, 0.0, False), (5, 16, 3.0, False), (40, 20, 3.0, True)]
)
def test_a_few_columns_are_asked_first_where_that_saves_work(rng, K, D, apart, few, monkeypatch):
    made = asks(monkeypatch)
    X, start = wide(rng, K, D, apart=apart)
    points = make_points(X, "full")
    mixture_form(enter(points.frame, "full", *start))
    assert len(made) == 1
    if not few:
        assert made == ["natural"]
    else:
        exact, columns = made[0]
        assert exact == list(range(K))
        assert len(columns) == 16
        assert sorted(set(columns)) == list(columns)


@pytest.mark.parametrize("kind", ["tied", "diag", "spherical", "tied_spherical"])
def test_features_of_other_kinds_are_short_however_many_columns(kind, monkeypatch):
    made = asks(monkeypatch)
    mixture_form(components(kind, K=10, D=60))
    assert made == ["natural"]


def test_the_columns_that_tell_are_those_in_which_means_differ_for_their_width(rng):
    D = 40
    means, variances, telling = rng.normal(size=(3, D)), np.full(D, 1e4), np.sort(rng.permutation(D)[:16])
    variances[telling] = 1.0
    means[:, 0 if telling[0] else 39] *= 5  # far apart, but still wider
    params = make_components(
        "full", Frame(np.zeros(D), np.ones(D)), np.full(3, 1 / 3), means, np.array([np.diag(variances)] * 3)
    )
    assert forms.telling_columns(params) == tuple(telling)


def test_how_many_components_a_row_may_belong_to_is_foreseen(rng):
    """Two and two components lie on each other: two pairs a row, as the columns tell."""
    D, K = 20, 4
    means = np.repeat([np.zeros(D), np.full(D, 100.0)], 2, axis=0)
    params = make_components(
        "full", Frame(np.zeros(D), np.ones(D)), np.full(K, 1 / K), means, np.array([np.eye(D)] * K)
    )
    assert_allclose(forms.expected_pairs(params.marginal(tuple(range(5))), D), 2.0, rtol=1e-14)
    assert_allclose(forms.expected_pairs(params._replace(means=0 * means).marginal((3, 4)), D), 4.0, rtol=1e-14)


def test_a_pair_counts_where_its_log_joint_lies_less_than_45_nats_below_the_best(rng):
    """E[log-joint] under the other component: -d**2/2 below, while the floor gives D/2 for the columns left out."""
    D = 20
    for distance, count in ((9.0, 2.0), (11.0, 1.0)):  # 40.5 and 60.5 nats; 9.5 more for 19 columns unseen
        means = np.zeros((2, D))
        means[1, 0] = distance
        params = make_components(
            "full", Frame(np.zeros(D), np.ones(D)), np.full(2, 0.5), means, np.array([np.eye(D)] * 2)
        )
        assert_allclose(forms.expected_pairs(params.marginal((0,)), D), count, rtol=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("N", [300, 3000])
def test_a_few_columns_change_no_answer(rng, weighted, N, monkeypatch):
    X, start = wide(rng, N=N)
    weights = rng.dirichlet(np.ones(N)) if weighted else None
    runs = []
    for looked_up in (forms.LOOKED_UP, 1e9):
        made = asks(monkeypatch)
        monkeypatch.setattr(forms, "LOOKED_UP", looked_up)
        runs.append([*em(X, *start, max_iter=5, sample_weight=weights)[:4], *swept_e_step(X, *start)])
        assert {one == "natural" for one in made} == {looked_up == 1e9}
    for few, all_columns in zip(*runs, strict=True):
        assert_allclose(few, all_columns, rtol=1e-8, atol=1e-12)


def test_a_component_with_next_to_nothing_still_finds_its_way_back(rng):
    """Its rows lie further than 45 nats below the best: rounding to others, everything to it."""
    _, (weights, means, covs) = wide(rng)
    X = np.repeat(means[1:], 60, axis=0) + 0.01 * rng.normal(size=(240, 40))
    means[0] = means[1] + 0.5 * (means[1] - means[2])  # beside a tight cluster that another component has
    runs = []
    for relevant in (forms.RELEVANT, 700.0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(forms.mixture_form, "__defaults__", (relevant,))
            assert (e_step(X, weights, means, covs).resp[:, 0] < 1e-30).all()
            runs.append(em(X, weights, means, covs, max_iter=1, reg_covar=1e-3))
    for got, expected in zip(runs[0][:3], runs[1][:3], strict=True):
        assert_allclose(got, expected, rtol=1e-9, atol=1e-12)
    assert 0 < runs[0].weights[0] < 1e-30
    assert np.linalg.norm(runs[0].means[0] - means[0]) > 1


def test_a_single_component_and_given_responsibilities_have_no_log_density(rng):
    points = make_points(rng.normal(size=(9, 2)), "full")
    block = Block(points, slice(2, 5))
    resp = rng.dirichlet([1, 1], size=9)
    for (got, log_density), expected in ((alone(block), np.ones((1, 3))), (given(resp)(block), resp[2:5].T)):
        assert_array_equal(got, expected)
        assert not np.shares_memory(got, resp)
        assert_array_equal(log_density, np.zeros(3))


@pytest.mark.parametrize(("N", "kept"), [(100, True), (101, False)])
def test_blocks_of_few_points_are_kept_from_sweep_to_sweep(rng, monkeypatch, N, kept):
    monkeypatch.setattr(gaussian_em, "HELD", 600)
    points = make_points(rng.normal(size=(N, 2)), "full")  # six features each
    assert (points.held is not None) == kept
    if kept:
        form = Form(None, None, None, 8)
        assert [block.rows.stop - block.rows.start for block in points.blocks(form)] == [100]
        assert points.blocks(form)[0] is points.blocks(form)[0]


# ---------------------------------------------------------------------- looking again


@pytest.mark.parametrize("every", [2, 4])  # two tight clusters on either side of the origin; one at the origin
def test_sums_that_cancel_are_taken_again_around_the_new_means(rng, kind, monkeypatch, every):
    looked = []
    inner = gaussian_em.form_around
    monkeypatch.setattr(gaussian_em, "form_around", lambda *args: (looked.append(args[1]), inner(*args))[1])
    for distance, again in ((10.0, False), (1e5, True)):
        side = (np.arange(200) % every == 0).astype(int)
        X = rng.normal(size=(200, 2)) + distance * side[:, None]
        points = make_points(X, kind)
        looked.clear()
        new = m_step_from(points, given(np.eye(2)[side]), np.zeros(2))
        assert (len(looked) == 2) == again
        if again:
            assert_allclose(looked[1], [X[side == k].mean(axis=0) for k in range(2)], rtol=1e-9, atol=1e-5)
        if kind == "full":
            _, _, covs = leave(new)
            assert_allclose(covs, [fit_gaussian(X[side == k])[1] for k in range(2)], rtol=1e-9)


def test_an_iteration_measures_in_the_units_of_the_points(rng, kind):
    X, factor = rng.normal(size=(60, 2)), 2.0**40
    weights, means, covs = random_mixture(rng, kind, 2, 2)
    bounds = []
    for unit in (1.0, factor):
        points = make_points(X * unit, kind)
        parts = enter(points.frame, kind, weights, means * unit, np.asarray(covs) * unit**2)
        bounds.append(em_map(points, np.zeros(2))(parts)[0])
    assert_allclose(bounds[0] - bounds[1], 2 * np.log(factor), rtol=1e-12)


# --------------------------------------------------------------- points from elsewhere


def test_a_mixture_s_own_frame_holds_its_means_and_deviations_closely():
    weights, means = np.array([0.25, 0.75]), np.array([[100.0, 7.0], [108.0, 7.0]])
    variances = np.array([[1.0, 1e6], [4.0, 9e6]])
    points, parts = foreign_points(np.zeros((1, 2)), "diag", weights, means, variances)
    assert_array_equal(points.frame.origin, [106.0, 7.0])
    assert_array_equal(points.frame.scale, [8.0, 4096.0])  # from 6 + 2 and from 0 + 3000
    assert_array_equal(parts.offsets(), [[-0.75, 0.0], [0.25, 0.0]])


@pytest.mark.parametrize(
    ("cov", "far"),
    [
        (np.eye(2), 1e140),
        (np.array([[1.0, 100.0], [100.0, 10001.0]]) / 2.0**14, 1e138),  # its root holds -100
        (1e-300 * np.eye(2), 2.0),
    ],
)
def test_points_stop_where_their_whitened_squares_fit(cov, far):
    means = np.array([[0.0, 0.0], [1.0, 1.0]]) if far == 2.0 else np.zeros((2, 2))
    points, parts = foreign_points(np.zeros((1, 2)), "tied", np.array([0.5, 0.5]), means, cov)
    assert far / 2 < points.far <= 2 * far
    assert points.far * np.abs(parts.roots).max() <= 1.0001e140 or points.far == 2.0


# ------------------------------------------------------------------ between x and z


def test_there_and_back_again(rng, kind):
    weights, means, covs = random_mixture(rng, kind, 2, 3)
    frame = Frame(
        np.array([1.0, 2.0, 3.0]), np.full(3, 8.0) if kind.endswith("spherical") else np.array([2.0, 8.0, 0.5])
    )
    parts = enter(frame, kind, weights, means, np.asarray(covs))
    for got, expected in zip(leave(parts), (weights, means, covs), strict=True):
        assert_array_equal(got, expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("far", [1e141, 1e300, -1.7e308])
def test_means_out_of_reach_are_refused_in_silence(far):
    frame = Frame(np.array([0.0, 1.7e308]), np.ones(2))
    with pytest.raises(ValueError, match="means lie too far from X"):
        enter(frame, "tied", np.ones(1), np.array([[0.0, far]]), np.eye(2))
