"""The table of fits, cross-validation and the bootstrap: scikit-learn, mclust's figures, laws, hostile input."""

import subprocess
import sys
import types
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.mixture import GaussianMixture as Referee
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import gmmlib
from gmmlib import (
    GaussianMixture,
    aic_scorer,
    bic_scorer,
    bootstrap_likelihood_ratio,
    bootstrap_parameters,
    cross_validate,
    icl_scorer,
    merge_by_entropy,
    selection_table,
    standard_errors,
)
from gmmlib.datasets import load_diabetes_reaven, load_galaxies, load_iris, load_old_faithful
from gmmlib.families.gaussian.covariance import COVARIANCE_TYPES
from gmmlib.selection.tasks import check_options, n_draws
from gmmlib.selection.uncertainty import _free, _from_free, _scales, _score

FAITHFUL = load_old_faithful().X


@pytest.fixture(scope="module")
def small():
    return selection_table(FAITHFUL, [3, 1, 2], ["full", "tied"], folds=4, n_init=2)


# ------------------------------------------------------------------------------ table


@pytest.mark.parametrize(
    ("load", "K", "value"),
    [(load_old_faithful, 2, 2322.192), (load_galaxies, 3, 441.612), (load_diabetes_reaven, 3, 4734.51)],
)
def test_the_best_full_fit_by_bic_is_the_published_one(load, K, value):
    table = selection_table(load().X, range(1, 5), ["full"], n_init=10)
    assert table.best() == (K, "full")
    assert_allclose(table.bic[K - 1, 0], value, atol=6e-3)


def test_iris_two_components_win_and_three_have_the_published_bic():
    table = selection_table(load_iris().X, [2, 3], ["full"], n_init=5)
    assert table.best() == (2, "full")
    assert_allclose(table.bic[1, 0], 580.839, atol=2e-3)


def test_cells_agree_with_scikit_learn_at_the_same_maximum(small):
    for K in (1, 2):
        for kind in ("full", "tied"):
            model = small.model(K, kind)
            start = {"weights_init": model.weights_, "means_init": model.means_, "precisions_init": model.precisions_}
            judge = Referee(K, covariance_type=kind, tol=1e-9, max_iter=1000, **start).fit(FAITHFUL)
            row, column = small.n_components.index(K), small.covariance_types.index(kind)
            assert_allclose(small.bic[row, column], judge.bic(FAITHFUL), atol=1e-3)
            assert_allclose(small.aic[row, column], judge.aic(FAITHFUL), atol=1e-3)
            assert_allclose(small.fewest[row, column], judge.weights_.min() * len(FAITHFUL), atol=0.02)


def test_the_table_is_laid_out_as_asked(small):
    assert small.n_components == (3, 1, 2)
    assert small.covariance_types == ("full", "tied")
    assert_array_equal(small.n_parameters, [[17, 11], [5, 5], [11, 8]])
    assert small.bic.shape == small.cv.shape == small.models.shape == (3, 2)
    assert small.converged.all()
    assert small.failures == {}
    assert small.model(2, "tied").n_components == 2
    assert (small.icl >= small.bic).all()
    assert_allclose(small.log_likelihood[1], -1289.796745, atol=2e-3)


def test_cross_validation_is_a_maximum_and_the_others_are_minima(small):
    row, column = np.unravel_index(small.cv.argmax(), (3, 2))
    assert small.best("cv") == (small.n_components[row], small.covariance_types[column])
    assert small.best("cv")[0] > 1
    assert small.best("aic") == (3, "full")
    assert small.best("bic") == (3, "tied")


def test_text_shows_every_cell_and_stars_the_best(small):
    lines = str(small).splitlines()
    assert lines[0].split() == ["bic", "full", "tied"]
    assert [line.split()[0] for line in lines[1:]] == ["3", "1", "2"]
    assert str(small).count("*") == 1
    assert small.show("cv", 3).count("*") == 1
    assert "2322.2" in lines[3]


def test_records_hold_every_cell(small):
    records = small.to_array()
    assert records.shape == (6,)
    assert_array_equal(records["n_components"], [3, 3, 1, 1, 2, 2])
    assert_array_equal(records["covariance_type"], ["full", "tied"] * 3)
    assert_array_equal(records["bic"], small.bic.ravel())
    assert records["converged"].dtype == bool


def test_weights_are_copies_and_zero_is_absent(rng):
    X = np.concatenate([rng.normal(size=(40, 2)), rng.normal(6, 1, size=(30, 2))])
    weight = rng.integers(0, 3, size=70)
    options = {"tol": 1e-10, "n_init": 5}
    one = selection_table(X, [1, 2], ["full", "spherical"], sample_weight=weight, **options)
    two = selection_table(np.repeat(X, weight, axis=0), [1, 2], ["full", "spherical"], **options)
    for name in ("log_likelihood", "aic", "bic", "icl", "fewest"):
        assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-5)
    with_cv = selection_table(X, [1], "full", sample_weight=weight, folds=3)
    assert_allclose(with_cv.cv, cross_validate(X, 1, sample_weight=weight, folds=3).mean, rtol=1e-9)


def test_workers_change_no_digit(small):
    again = selection_table(FAITHFUL, [3, 1, 2], ["full", "tied"], folds=4, n_init=2, n_jobs=2)
    for name in ("log_likelihood", "bic", "cv", "fewest"):
        assert_array_equal(getattr(again, name), getattr(small, name))


def test_a_collapse_is_a_gap_with_a_reason():
    X = np.array([[0.0], [0.0], [1.0], [1.0], [1.0]])
    table = selection_table(X, [1, 2], ["full"], reg_covar=0.0)
    assert np.isnan(table.bic[1, 0])
    assert table.model(2, "full") is None
    assert "reg_covar" in table.failures[2, "full"]
    assert table.best() == (1, "full")
    assert table.converged.dtype == bool
    assert_array_equal(table.converged, [[True], [False]])
    log_likelihood = 5 * np.log(0.24 * 2 * np.pi) / -2 - 5 / 2  # variance 6 / 25
    values = {"aic": 4 - 2 * log_likelihood, "bic": 2 * np.log(5) - 2 * log_likelihood}
    for criterion in ("aic", "bic", "icl"):
        value = values.get(criterion, values["bic"])
        assert_allclose(table.values(criterion), [[value], [np.nan]], rtol=1e-9)
        width = len(f"{value:.2f}*") + 2
        lines = [f"  {criterion}{'full':>{width}}", f"    1  {value:.2f}*", f"    2{'-':>{width - 1}}"]
        assert table.show(criterion, 2).splitlines() == lines
    assert str(table) == table.show("bic", 1)
    assert_array_equal(table.values(), table.bic)
    nothing = selection_table(X, [2], ["full"], reg_covar=0.0, folds=2)
    assert "*" not in str(nothing)
    for criterion in ("bic", "cv"):
        with pytest.raises(ValueError, match="see failures"):
            nothing.best(criterion)


def test_one_to_nine_components_are_tried_if_there_are_so_many_rows(rng):
    X = rng.normal(size=(9, 1))
    table = selection_table(X, covariance_types="spherical", n_init=1, max_iter=1)
    assert table.n_components == (1, 2, 3, 4, 5, 6, 7, 8, 9)
    with pytest.raises(ValueError, match="asks for 10 components, and X has 9 rows"):
        selection_table(X, [1, 10], "spherical")


@pytest.mark.parametrize(("weight", "fine"), [(0.3, True), (0.25, True), (0.2, False)])
def test_a_criterion_needs_more_than_one_point(rng, weight, fine):
    call = partial(selection_table, rng.normal(size=(5, 1)), [1], "full", sample_weight=np.full(5, weight))
    if fine:
        assert np.isfinite(call().bic).all()
    else:
        with pytest.raises(ValueError, match=r"adds up to 1, .* give counts$"):
            call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_components": 3}, "several numbers"),
        ({"n_components": []}, "one at least"),
        ({"n_components": [1, 1]}, "each number once"),
        ({"n_components": [0]}, "^n_components must be at least 1"),
        ({"n_components": [1.5]}, "whole number"),
        ({"n_components": [999]}, "999 components"),
        ({"covariance_types": []}, "one at least"),
        ({"covariance_types": ["full", "full"]}, "each structure once"),
        ({"covariance_types": ["round"]}, "^covariance_type must be one of"),
        ({"random_state": 3}, "random_state"),
        ({"folds": 1}, "folds must be at least 2"),
        ({"folds": 273}, "at most the number of rows"),
        ({"folds": [([0, 1], [1, 2])]}, "no row in both"),
        ({"folds": [([0, 1], [272])]}, "below 272"),
        ({"folds": [([0, 272], [1])]}, "below 272"),
        ({"folds": [([0, 1], [-1, 2])]}, "below 272"),
        ({"folds": [([0, 1], [2.0])]}, "pairs"),
        ({"folds": [([0, 1],)]}, "pairs"),
        ({"folds": [([], [1])]}, "pairs"),
        ({"sample_weight": [1.0]}, "sample_weight"),
        ({"rng": "tuesday"}, "rng must be"),
        ({"X": FAITHFUL[:, 0]}, r"x\[:, None\]"),
        ({"X": np.full((5, 2), np.nan)}, "NaN"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    X = change.pop("X", FAITHFUL)
    with pytest.raises(ValueError, match=message):
        selection_table(X, **{"n_components": [1], "covariance_types": ["full"], **change})


@pytest.mark.parametrize("function", [cross_validate, bootstrap_likelihood_ratio])
def test_each_function_refuses_what_it_sets_itself(function):
    for name in ("n_components", "covariance_type", "random_state"):
        with pytest.raises(ValueError, match=f"options may not set {name}"):
            check_options({name: 1})
    with pytest.raises(ValueError, match="options may not set random_state"):
        function(FAITHFUL, 1, random_state=0)
    for K, words in ((0, "at least 1, got 0"), (1.5, "a whole number, got 1.5")):
        with pytest.raises(ValueError, match=f"^n_components must be {words}"):
            function(FAITHFUL, K)


@pytest.mark.filterwarnings("error")
def test_fits_that_do_not_converge_say_so_in_the_table_alone():
    table = selection_table(FAITHFUL, [3], "full", max_iter=1, n_init=1)
    assert not table.to_array()["converged"].any()


def test_the_same_seed_makes_the_same_fits_and_another_one_others(rng):
    X = rng.normal(size=(40, 2))
    fits = [selection_table(X, [6], "diag", rng=seed, n_init=1, tol=1.0).bic[0, 0] for seed in (1, 1, *range(100))]
    assert fits[0] == fits[1]
    assert len(set(fits)) > 70


@pytest.mark.parametrize(("total", "fine"), [(1.0, False), (2.0, True), (2.0**53 - 1, True), (2.0**53, False)])
def test_a_bootstrap_draws_as_many_points_as_can_be_counted(total, fine):
    weight = np.array([total - 0.5, 0.5]) if total < 3 else np.array([total - 1, 1])
    if fine:
        assert n_draws(weight, 2) == total
    else:
        with pytest.raises(ValueError, match="give weights as counts"):
            n_draws(weight, 2)


def test_unknown_names_are_refused(small):
    with pytest.raises(ValueError, match="criterion must be one of"):
        small.values("BIC")
    with pytest.raises(ValueError, match="no cell"):
        small.model(4, "full")
    with pytest.raises(ValueError, match="no cell"):
        small.model(2, "diag")
    with pytest.raises(ValueError, match=r"ask selection_table for folds$"):
        selection_table(FAITHFUL, [1], "full").best("cv")


# ----------------------------------------------------------------------- progress bar


def test_a_bar_is_drawn_when_asked_and_nothing_otherwise(capsys, monkeypatch):
    seen = []
    module = types.ModuleType("tqdm.auto")
    module.tqdm = lambda results, total, desc: seen.append((total, desc)) or results
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    silent = selection_table(FAITHFUL, [1, 2], "full", n_init=1)
    assert seen == []
    drawn = selection_table(FAITHFUL, [1, 2], "full", n_init=1, progress=True)
    assert seen == [(2, "fits")]
    assert_array_equal(silent.bic, drawn.bic)
    assert capsys.readouterr() == ("", "")


def test_without_tqdm_the_bar_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="progress=False"):
        selection_table(FAITHFUL, [1], "full", progress=True)


def test_importing_gmmlib_loads_no_joblib():
    code = "import sys, gmmlib; print([m for m in ('joblib', 'tqdm', 'sklearn') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# ------------------------------------------------------------------- cross-validation


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_cross_validation_agrees_with_cross_val_score(kind):
    split = list(KFold(4, shuffle=True, random_state=1).split(FAITHFUL))
    judge = cross_val_score(Referee(2, covariance_type=kind, tol=1e-9, max_iter=1000), FAITHFUL, cv=split)
    ours = cross_validate(FAITHFUL, 2, kind, folds=split, tol=1e-9)
    assert_allclose(ours.folds, judge, rtol=1e-5)
    assert_allclose(ours.mean, judge.mean(), rtol=1e-5)
    assert_allclose(ours.standard_error, judge.std(ddof=1) / 2, rtol=1e-3)


def test_folds_part_the_rows(rng):
    X = rng.normal(size=(11, 1))
    parts = gmmlib.selection.resampling.make_folds(11, 3, rng)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(11))
    assert all(len(np.union1d(train, test)) == 11 for train, test in parts)
    leave_one_out = cross_validate(X, 1, folds=11)
    by_hand = []
    for n in range(11):
        rest = np.delete(X, n, axis=0)
        by_hand.append(gmmlib.log_gaussian(X[[n]], rest.mean(axis=0), np.atleast_2d(rest.var() + 1e-6))[0])
    assert_allclose(leave_one_out.mean, np.mean(by_hand), rtol=1e-9)


def test_weights_in_cross_validation_are_copies(rng):
    """Two folds, in which rows count 2 or 3 times: rows of each are copied beside each other."""
    X, weight = rng.normal(size=(30, 2)), rng.integers(2, 4, size=30)
    X[20:] += 3.0
    rows = np.repeat(np.arange(30), weight)
    one, two = (
        cross_validate(data, 1, sample_weight=w, folds=[((owner < 20).nonzero()[0], (owner >= 20).nonzero()[0])] * 2)
        for data, w, owner in ((X, weight, np.arange(30)), (X[rows], None, rows))
    )
    assert_allclose(one.mean, two.mean, rtol=1e-9)
    assert_allclose([one.standard_error, two.standard_error], 0, atol=1e-9)
    turned = [(np.arange(20), np.arange(20, 30)), (np.arange(20, 30), np.arange(20))]
    one = cross_validate(X, 1, sample_weight=weight, folds=turned)
    size = np.array([weight[20:].sum(), weight[:20].sum()])
    assert_allclose(one.mean, one.folds @ size / size.sum(), rtol=1e-12)
    assert_allclose(one.standard_error, abs(np.diff(one.folds)[0]) / 2, rtol=1e-9)


@pytest.mark.filterwarnings("error")
def test_one_given_split_has_no_standard_error():
    rows = np.arange(272)
    one = cross_validate(FAITHFUL, 1, folds=[(rows[:200], rows[200:])])
    assert np.isnan(one.standard_error)
    model = GaussianMixture(1).fit(FAITHFUL[:200])
    assert_allclose(one.mean, model.score(FAITHFUL[200:]), rtol=1e-12)


# ------------------------------------------------------------------ likelihood ratio


def test_the_ratio_is_twice_the_difference_of_published_maxima():
    result = bootstrap_likelihood_ratio(FAITHFUL, 1, n_boot=9, n_init=2)
    assert_allclose(result.statistic, 2 * (1289.796745 - 1130.263960), atol=0.01)
    assert result.p_value == 0.1
    assert result.null.shape == (9,)
    assert (result.null >= 0).all()


def test_a_simulated_ratio_as_large_as_the_data_s_counts_against_it(monkeypatch):
    result = bootstrap_likelihood_ratio(FAITHFUL, 1, n_boot=1, n_init=1)
    simulated = [result.statistic, result.statistic + 1, result.statistic - 1]
    monkeypatch.setattr(gmmlib.selection.resampling, "run_tasks", lambda *_: simulated)
    assert bootstrap_likelihood_ratio(FAITHFUL, 1, n_boot=3, n_init=1).p_value == 0.75


def test_one_gaussian_is_not_taken_for_two(rng):
    X = rng.normal(size=(60, 1))
    result = bootstrap_likelihood_ratio(X, 1, "tied", n_boot=19, n_init=2, rng=rng)
    assert result.p_value > 0.05
    assert_allclose(result.p_value, (1 + (result.null >= result.statistic).sum()) / 20)


def test_a_start_that_misses_the_limit_counts_as_zero():
    X = np.linspace(-1, 1, 9)[:, None]
    start = {"max_iter": 0, "n_init": 1, "init_params": "random_from_data"}  # never climbed: two may fall below one
    statistics = [bootstrap_likelihood_ratio(X, 1, n_boot=1, rng=seed, **start).statistic for seed in range(12)]
    assert min(statistics) == 0
    assert max(statistics) > 0


def test_weights_of_the_ratio_are_copies(rng):
    X = np.concatenate([rng.normal(size=(30, 1)), rng.normal(9, 1, size=(30, 1))])
    weight = rng.integers(0, 4, size=60)
    one = bootstrap_likelihood_ratio(X, 1, sample_weight=weight, n_boot=1, n_init=2)
    two = bootstrap_likelihood_ratio(np.repeat(X, weight, axis=0), 1, n_boot=1, n_init=2)
    assert_allclose(one.statistic, two.statistic, rtol=1e-4)
    with pytest.raises(ValueError, match="counts"):
        bootstrap_likelihood_ratio(X, 1, sample_weight=weight / weight.sum())
    with pytest.raises(ValueError, match="n_boot must be at least 1"):
        bootstrap_likelihood_ratio(X, 1, n_boot=0)


# --------------------------------------------------------------------------- scorers


def test_scorers_choose_in_grid_search_what_the_table_chooses(small):
    rows = np.arange(len(FAITHFUL))
    grid = {"n_components": [1, 2, 3], "covariance_type": ["full", "tied"]}
    model = GaussianMixture(n_init=2, tol=1e-7, max_iter=5000, random_state=0)
    for criterion, scorer in {"aic": aic_scorer, "bic": bic_scorer, "icl": icl_scorer}.items():
        search = GridSearchCV(model, grid, scoring=scorer, cv=[(rows, rows)]).fit(FAITHFUL)
        assert (search.best_params_["n_components"], search.best_params_["covariance_type"]) == small.best(criterion)
        assert_allclose(-search.best_score_, small.values(criterion).min(), atol=1e-3)


def test_scorers_see_what_the_last_step_sees_and_count_weights(rng):
    steps = FunctionTransformer(np.sqrt), StandardScaler(), GaussianMixture(2, random_state=0)
    pipeline = make_pipeline(*steps).fit(FAITHFUL)
    Z = StandardScaler().fit_transform(np.sqrt(FAITHFUL))
    assert_allclose(bic_scorer(pipeline, FAITHFUL), -pipeline[-1].bic(Z), rtol=1e-12)
    weight = rng.integers(1, 4, size=272)
    assert_allclose(
        aic_scorer(pipeline[-1], Z, sample_weight=weight), -pipeline[-1].aic(np.repeat(Z, weight, axis=0)), rtol=1e-10
    )
    assert_allclose(bic_scorer(Referee(2, random_state=0).fit(Z), Z), -pipeline[-1].bic(Z), rtol=1e-3)
    with pytest.raises(ValueError, match="method icl"):
        icl_scorer(Referee(2).fit(Z), Z)


# --------------------------------------------------------------------------- merging


def test_merging_by_hand():
    resp = np.array([[0.5, 0.5, 0.0], [0.5, 0.4, 0.1], [0.0, 0.1, 0.9]])
    merged = merge_by_entropy(resp)
    assert merged.groups == [[(0,), (1,), (2,)], [(0, 1), (2,)], [(0, 1, 2)]]
    assert_allclose(merged.entropy[0], stats.entropy(resp, axis=1).sum())
    assert_allclose(merged.entropy[1], -2 * (0.9 * np.log(0.9) + 0.1 * np.log(0.1)))
    assert_allclose(merged.entropy[2], 0, atol=1e-15)


def test_merging_never_adds_doubt_and_knows_no_order(rng):
    resp = rng.dirichlet([0.3] * 5, size=40)
    weight = rng.integers(0, 3, size=40)
    merged = merge_by_entropy(resp, weight)
    assert (np.diff(merged.entropy) < 1e-12).all()
    assert_allclose(merge_by_entropy(np.repeat(resp, weight, axis=0)).entropy, merged.entropy, atol=1e-10)
    order = rng.permutation(5)
    shuffled = merge_by_entropy(resp[:, order], weight)
    names = [{frozenset(int(order[k]) for k in group) for group in level} for level in shuffled.groups]
    assert names == [{frozenset(group) for group in level} for level in merged.groups]


def test_each_merger_is_the_best_of_all_pairs(rng):
    resp = rng.dirichlet([0.5] * 4, size=30)
    merged = merge_by_entropy(resp)

    def entropy(groups):
        table = np.column_stack([resp[:, group].sum(axis=1) for group in map(list, groups)])
        return -np.sum(table * np.log(table))

    for before, after, value in zip(merged.groups, merged.groups[1:], merged.entropy[1:], strict=False):
        pairs = [(a, b) for i, a in enumerate(before) for b in before[:i]]
        ends = [entropy([g for g in before if g not in pair] + [pair[0] + pair[1]]) for pair in pairs]
        assert_allclose(value, min(ends), atol=1e-10)
        assert_allclose(entropy(after), value, atol=1e-10)


def test_merging_leaves_its_input_alone_and_refuses_what_is_no_distribution():
    resp = np.array([[0.5, 0.5], [0.25, 0.75]])
    merge_by_entropy(resp)
    assert_array_equal(resp, [[0.5, 0.5], [0.25, 0.75]])
    with pytest.raises(ValueError, match="sum to one"):
        merge_by_entropy([[0.5, 0.6]])
    with pytest.raises(ValueError, match="sum to one"):
        merge_by_entropy([0.5, 0.5])


# ----------------------------------------------------------------------- uncertainty


def climbed(X, K, kind, **options):
    model = GaussianMixture(K, covariance_type=kind, tol=1e-13, max_iter=20_000, reg_covar=0, random_state=0)
    model.fit(X, **options)
    return model.weights_, model.means_, model.covariances_, kind


@pytest.fixture
def three(rng):
    return np.concatenate([rng.normal(m, s, size=(n, 2)) for m, s, n in [(0, 1, 90), (7, 1.5, 60), (-6, 0.7, 50)]])


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_the_score_is_the_gradient_of_the_log_likelihood(rng, kind):
    X, K, D = rng.normal(size=(50, 3)), 2, 3
    weights, means, covs, _ = climbed(X, K, kind)
    weights, means, covs = np.array([0.3, 0.7]), means + 0.1, covs * 1.2
    v, h = _free(weights, means, covs, kind), 1e-5

    def value(v):
        return gmmlib.log_likelihood(X, *_from_free(v, kind, K, D), kind)

    slope = [(value(v + step) - value(v - step)) / (2 * h) for step in h * np.eye(len(v))]
    assert_allclose(_score(v, X, np.ones(50), kind, K), slope, rtol=1e-5, atol=1e-5)
    assert len(v) == gmmlib.n_parameters(K, D, kind)
    assert (_scales(weights, means, covs, kind) > 0).all()


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_one_gaussian_has_the_textbook_standard_errors(rng, kind):
    X = rng.normal(3, 2, size=(80, 2)) @ [[1.0, 0.4], [0.0, 1.5]]
    fit = climbed(X, 1, kind)
    errors = standard_errors(X, *fit)
    N, D, cov = 80, 2, fit[2]
    full = gmmlib.families.gaussian.covariance.full_covariances(cov, kind, 1, D)[0]
    assert errors.weights == 0
    assert_allclose(errors.means[0], np.sqrt(np.diag(full) / N), rtol=1e-6)
    shapes = {
        "full": np.sqrt((full**2 + np.outer(np.diag(full), np.diag(full))) / N)[None],
        "tied": np.sqrt((full**2 + np.outer(np.diag(full), np.diag(full))) / N),
        "diag": cov * np.sqrt(2 / N),
        "spherical": cov * np.sqrt(2 / (N * D)),
        "tied_spherical": cov * np.sqrt(2 / (N * D)),
    }
    assert_allclose(errors.covs, shapes[kind], rtol=1e-6)


def test_components_far_apart_are_so_many_gaussians_and_a_multinomial(rng):
    labels = np.repeat([0, 1, 2], [20, 50, 30])
    X = rng.normal(size=(100, 1)) + 100.0 * labels[:, None]
    means = np.array([[X[labels == k].mean()] for k in range(3)])
    variances = np.array([X[labels == k].var() for k in range(3)])
    counts = np.array([20, 50, 30])
    errors = standard_errors(X, counts / 100, means, variances, "spherical")
    assert_allclose(errors.weights, np.sqrt(counts / 100 * (1 - counts / 100) / 100), rtol=1e-6)
    assert_allclose(errors.means[:, 0], np.sqrt(variances / counts), rtol=1e-6)
    assert_allclose(errors.covs, variances * np.sqrt(2 / counts), rtol=1e-6)


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_standard_errors_follow_units_and_copies(three, kind, rng):
    weight = rng.integers(1, 3, size=len(three))
    fit = climbed(three, 3, kind, sample_weight=weight)
    errors = standard_errors(three, *fit, sample_weight=weight)
    copies = standard_errors(np.repeat(three, weight, axis=0), *fit)
    for one, two in zip(errors, copies, strict=True):
        assert_allclose(one, two, rtol=1e-5)
    weights, means, covs, _ = fit
    moved = standard_errors(1000 * three + 1e6, weights, 1000 * means + 1e6, 1e6 * covs, kind, sample_weight=weight)
    assert_allclose(moved.weights, errors.weights, rtol=1e-4)
    assert_allclose(moved.means, 1000 * errors.means, rtol=1e-4)
    assert_allclose(moved.covs, 1e6 * errors.covs, rtol=1e-4)


def test_information_and_bootstrap_agree_where_components_are_apart(three):
    fit = climbed(three, 3, "diag")
    errors = standard_errors(three, *fit)
    for parametric in (False, True):
        draws = bootstrap_parameters(three, *fit, n_boot=150, parametric=parametric)
        assert draws.weights.shape == (150, 3)
        assert draws.means.shape == (150, 3, 2)
        assert draws.covs.shape == (150, 3, 2)
        for one, two in zip(errors, draws, strict=True):
            ratio = two.std(axis=0) / one
            assert_allclose(np.median(ratio), 1, rtol=0.15)
            if parametric:  # rows drawn again keep the sample's own tails, which move a variance's error
                assert_allclose(ratio, 1, rtol=0.3)


def test_bootstrap_draws_are_the_same_for_any_number_of_workers(three):
    fit = climbed(three, 3, "spherical")
    one, two = (bootstrap_parameters(three, *fit, n_boot=4, n_jobs=n_jobs, rng=5) for n_jobs in (None, 2))
    assert_array_equal(one.means, two.means)


def test_bootstrap_draws_follow_units_and_weights(three):
    fit = climbed(three, 3, "spherical")
    weights, means, covs, kind = fit
    one = bootstrap_parameters(three, *fit, n_boot=3)
    two = bootstrap_parameters(three / 1024, weights, means / 1024, covs / 1024**2, kind, n_boot=3)
    assert_allclose(two.means, one.means / 1024, rtol=1e-9)
    assert_allclose(two.covs, one.covs / 1024**2, rtol=1e-9)
    ten = bootstrap_parameters(three, *fit, n_boot=40, sample_weight=np.full(len(three), 10))
    many = bootstrap_parameters(three, *fit, n_boot=40)
    assert np.median(ten.means.std(axis=0) / many.means.std(axis=0)) < 0.5
    with pytest.raises(ValueError, match="counts"):
        bootstrap_parameters(three, *fit, sample_weight=np.full(len(three), 1e-3))
    with pytest.raises(ValueError, match="n_boot"):
        bootstrap_parameters(three, *fit, n_boot=1.5)


def test_parameters_that_are_no_maximum_are_refused(three, rng):
    weights, means, covs, kind = climbed(three, 3, "full")
    with pytest.raises(ValueError, match="from the maximum"):
        standard_errors(three, weights, means + 0.1, covs, kind)
    whole = gmmlib.fit_gaussian(three)
    with pytest.raises(ValueError, match="no isolated maximum"):
        standard_errors(three, [0.5, 0.5], [whole[0]] * 2, [whole[1]] * 2, kind)
    with pytest.raises(ValueError, match="weights must be positive"):
        standard_errors(three, [1, 0], [whole[0]] * 2, [whole[1]] * 2, kind)
    with pytest.raises(ValueError, match="sample_weight"):
        standard_errors(three, weights, means, covs, kind, sample_weight=[1.0])
