"""The page on benchmarks says what results.json says; nothing is timed here."""

import json
import re
import sys
from argparse import Namespace
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import bench  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402
import workloads  # noqa: E402

RESULTS = json.loads((ROOT / "benchmarks" / "results.json").read_text())


def row(data, kind, n_iter=1, **wall):
    wall = {name.replace("_", "-"): seconds for name, seconds in wall.items()}
    return {"data": data, "N": 4000, "D": 2, "K": 3, "kind": kind, "n_iter": n_iter, "wall": wall, "cpu": wall}


# A peer four times as slow, then as fast, then absent; another there once.
ROWS = [
    row("iris", "full", 1, gmmlib=[0.004, 0.005, 0.006], scikit_learn=[0.016, 0.02, 0.03]),
    row("wine", "diag", 2, gmmlib=[0.001], mclust=[0.00025], scikit_learn=[0.001]),
    row("digits", "tied", 1, gmmlib=[1.2345]),
]


def fits(ours, theirs):
    return ROWS[0] | {"quality": {"gmmlib": ours, "scikit-learn": theirs}}


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


# --------------------------------------------------------- the page and its numbers


def test_the_page_is_what_the_recorded_results_give():
    assert (ROOT / "benchmarks" / "results.md").read_text() == report.report(RESULTS)
    assert "../benchmarks/results.md" in (ROOT / "chapters" / "benchmarks.md").read_text()


def test_no_number_on_the_page_is_copied_by_hand():
    own = (ROOT / "chapters" / "benchmarks.md").read_text()
    assert set(re.findall(r"\d+(?:\.\d+)?", own)) <= {"1", "2"}  # the line at one; "at 2, twice as fast"


def test_figures_are_those_the_page_shows():
    drawn = {path.name for path in (ROOT / "benchmarks").glob("*.svg")}
    assert drawn == set(report.pictures(RESULTS))
    assert all(f"]({name})" in report.report(RESULTS) for name in drawn)


def test_the_page_leads_with_whole_fits_of_one_thread():
    titles = re.findall(r"^## (.*)", report.report(RESULTS), flags=re.M)
    assert titles[:2] == ["Whole fits: EM, 1 thread", "Whole fits: k-means, 1 thread"]


@pytest.mark.parametrize("section", report.SECTIONS)
@pytest.mark.parametrize("task", report.TITLES)
def test_every_workload_was_recorded_with_every_number_of_threads(section, task):
    for found in RESULTS["threads"].values():
        recorded = [(r["data"], r["N"], r["D"], r["K"], r["kind"]) for r in found[section][task]]
        assert recorded == workloads.WORKLOADS[section][task]


def test_a_second_thread_helps_scikit_learn_on_some_rows_and_costs_it_on_others():
    """As the page says, and that whole fits with two threads are from fewer seeds."""
    change = []
    for section in report.SECTIONS:
        for task in report.TITLES:
            one, two = (RESULTS["threads"][n][section][task] for n in "12")
            for a, b in zip(one, two, strict=True):
                change.append(median(b["wall"]["scikit-learn"]) / median(a["wall"]["scikit-learn"]))
                if section == "fits":
                    assert len(b["wall"]["gmmlib"]) < len(a["wall"]["gmmlib"])
    assert min(change) < 0.7
    assert max(change) > 2


def test_what_is_slower_and_what_is_worse_is_said_with_its_number():
    slow = row("iris", "k-means", gmmlib=[2.0], scikit_learn=[1.0])
    slow["quality"] = {"gmmlib": [11.0, 11.1, 11.2] * 2, "scikit-learn": [10.0, 10.1, 10.2] * 2}
    said = report.summary([slow], "kmeans", "fits", "1")
    assert "slower on iris, 4\u202f000 × 2, K = 3 (0.50)." in said
    assert "worse on iris, 4\u202f000 × 2, K = 3 (9.9 %)." in said
    assert "better nowhere" in said


def test_the_sentence_counts_the_rows_and_names_the_worst():
    both = ROWS[:2]
    said = report.summary(both, "em", "iterations", "1")
    assert "2.00 times as long as gmmlib, as a geometric mean of 2 rows" in said
    assert "at worst 1.00 times (wine, " in said
    assert "slower nowhere" in said


@pytest.mark.parametrize(
    ("task", "ours", "word"),
    [
        ("em", [-1.0, -1.1, -0.9, -1.1, -0.9], "better"),
        ("em", [-3.0, -3.1, -2.9, -3.1, -2.9], "worse"),
        ("em", [-2.0, -2.1, -1.3, -2.1, -1.5], "equal"),  # within two standard errors
        ("em", [-2.0001] * 5, "equal"),  # within the tolerance
        ("kmeans", [-1.0, -1.1, -0.9, -1.1, -0.9], "worse"),  # of an inertia, less is better
    ],
)
def test_an_answer_is_better_only_beyond_two_standard_errors(task, ours, word):
    offset = 0 if task == "em" else 10
    theirs = [-2] * 5 if len(set(ours)) == 1 else [-2.0, -2.1, -1.9, -2.1, -1.9]
    assert report.verdict(fits([offset + o for o in ours], [offset + t for t in theirs]), task) == word


@pytest.mark.parametrize("seeds", [1, 4])
def test_few_seeds_make_no_answer_better(seeds):
    found = fits([-1.0] * seeds, [-2.0] * seeds)
    assert report.verdict(found, "em") == "unknown"
    said = report.summary([found], "em", "fits", "1")
    assert "no answer is called better or worse" in said
    assert "better nowhere" not in said


def test_a_mean_is_written_as_exactly_as_its_standard_error_allows():
    assert report.uncertain([-2.0, -2.2, -2.4]) == "-2.20 (0.12)"
    assert report.uncertain([-2.0, -2.0]) == "-2.0000"
    assert report.uncertain([1_000_000.0, 1_002_000.0]) == "1\u202f001\u202f000 (1\u202f000)"


def test_a_table_gives_times_ratios_their_geometric_mean_and_the_worst():
    head, _, first, second, third, average, worst = map(cells, report.iterations_table(ROWS))
    assert head == ["data", "iterations", "gmmlib", "scikit-learn", "mclust"]
    assert first[1:] == ["1", "5.00", "20.0 (4.00)", "–"]
    assert second[1:] == ["2", "0.5", "0.5 (1.00)", "0.125 (0.25)"]
    assert third[1:] == ["1", "1234", "–", "–"]
    assert average[2:] == ["", "**(2.00)**", "**(0.25)**"]
    assert worst[2:] == ["", "**(1.00)**", "**(0.25)**"]


def test_a_ratio_is_the_median_of_the_rounds_with_its_quartiles():
    assert report.ratio(ROWS[0], "scikit-learn") == 4
    assert_allclose(report.spread(ROWS[0], "scikit-learn"), [4, 4.5])


def test_a_figure_has_each_ratio_at_its_workload():
    figure = report.draw(ROWS, "iterations", "em")
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    drawn = {name: line.get_xydata() for name, line in lines.items()}
    plt.close(figure)
    assert_allclose(drawn["scikit-learn"], [[4, 0], [1, 1]])
    assert_allclose(drawn["mclust"], [[0.25, 1]])
    assert lines["mclust"].get_marker() != lines["scikit-learn"].get_marker()  # colour is not the only cue


def test_beside_the_times_of_whole_fits_stand_their_gains():
    figure = report.draw([fits([-1.0, -1.0], [-2.0, -2.2])], "fits", "em")
    (gained,) = [line.get_xydata() for line in figure.axes[1].lines if line.get_marker() == "D"]
    plt.close(figure)
    assert_allclose(gained, [[1.1, 0]])


# -------------------------------------------------------------------- measuring


def test_rounds_go_on_in_turn():
    order = []

    def call(name, i):
        order.append(name)
        return name, i

    calls = [lambda i: call("a", i), lambda i: call("b", i)]
    found = bench.in_turn(lambda: nullcontext(calls), 4, 60)
    assert found == [[("a", i) for i in range(4)], [("b", i) for i in range(4)]]
    assert order == ["a", "b"] * 4


def test_three_rounds_are_enough_once_patience_is_over():
    assert len(bench.in_turn(lambda: nullcontext([lambda i: i]), 100, 0)[0]) == 3


@pytest.mark.parametrize(("wall", "processes"), [(0.001, 4), (0.1, 1)])
def test_the_rounds_of_short_fits_are_shared_by_several_processes(wall, processes):
    opened, seeds = [], []

    @contextmanager
    def workers():
        opened.append([SimpleNamespace(name=name) for name in "ab"])
        yield opened[-1]

    def fit(worker, seed):
        assert worker in opened[-1]
        seeds.append(seed)
        return peers.Run(wall, 1, wall)

    found = bench.timings(workers, fit, 10, 60)
    assert found["wall"] == {name: [wall] * 10 for name in "ab"}
    assert list(dict.fromkeys(seeds)) == list(range(10))
    assert len(opened) == processes


def test_every_row_is_kept_and_only_what_lacks_is_measured_again(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "KEPT", tmp_path / "kept" / "benchmark.json")
    monkeypatch.setattr(bench, "prepare", lambda name, folder: ["no-such"])
    asked, patience = [], 5

    def compare(section, task, workload, *rest):
        if len(asked) == patience:
            raise KeyboardInterrupt
        asked.append((section, task, workload))
        row = dict(zip(("data", "N", "D", "K", "kind"), workload, strict=True))
        return row | {"wall": {"gmmlib": [1.0], "scikit-learn": [2.0]}}, {"gmmlib": "1"}

    monkeypatch.setattr(bench, "compare", compare)
    options = Namespace(threads=[1], only=["fits"], peers=[], quick=False, resume=False)
    with pytest.raises(KeyboardInterrupt):
        bench.measure(options)
    lost = json.loads(bench.KEPT.read_text())
    del lost["threads"]["1"]["fits"]["em"][1]
    lost["threads"] = {"2": {}} | lost["threads"]
    bench.KEPT.write_text(json.dumps(lost))
    options.resume, patience = True, 1000
    results = bench.measure(options)
    every = bench.asked(["fits"], quick=False)
    assert asked == [*every[:5], every[1], *every[5:]]  # what was lost again, the others once
    assert list(results["threads"]) == ["1", "2"]
    found = results["threads"]["1"]["fits"]
    for task in ("em", "kmeans"):  # in order
        assert list(map(bench.workload_of, found[task])) == workloads.WORKLOADS["fits"][task]
    assert json.loads(bench.KEPT.read_text()) == results
    bench.KEPT.unlink()
    bench.measure(Namespace(threads=[1], only=[], peers=[], quick=True, resume=False))
    assert not bench.KEPT.exists()


def test_a_short_fit_is_the_median_of_nine():
    said = iter([0.001, *[0.009, 0.001, 0.004, 0.003, 0.005, 0.006, 0.007, 0.008, 0.002]])
    assert bench.steady(lambda: peers.Run(next(said), 1, 0.0)).wall == 0.005


@pytest.mark.parametrize("workload", sorted({w[:4] for w in workloads.FITS if w[1] < 50_000}))
def test_data_have_the_size_they_are_said_to_have(workload):
    X = workloads.data(*workload)
    assert X.shape == workload[1:3]
    assert np.isfinite(X).all()


def test_narrow_data_have_one_component_a_thousand_times_thinner():
    rng = np.random.default_rng(0)
    X = workloads.narrow(rng, 20_000, 3, 1)
    variances = np.linalg.eigvalsh(np.cov(X.T))
    assert_allclose(variances[0], 1e-6, rtol=0.05)
    assert variances[1] > 0.01


OPTIONS = Namespace(repeats=1, seeds=1, patience=0)


@pytest.mark.parametrize("workload", [("iris", 150, 4, 3, "full"), ("slanted", 300, 3, 2, "spherical")])
def test_gmmlib_and_scikit_learn_do_equal_work(tmp_path, workload):
    commands = {name: peers.prepare(name, tmp_path) for name in ("gmmlib", "scikit-learn")}
    found, versions = bench.compare("iterations", "em", workload, commands, 1, OPTIONS)
    assert set(found["wall"]) == set(found["cpu"]) == set(versions) == set(commands)
    assert found["n_iter"] > 1


@pytest.mark.parametrize(("task", "kind"), [("em", "full"), ("kmeans", "k-means")])
def test_a_whole_fit_says_how_good_it_is_and_peers_without_defaults_stay_out(tmp_path, task, kind):
    commands = {name: peers.prepare(name, tmp_path) for name in ("gmmlib", "scikit-learn")} | {"mclust": ["no-such"]}
    found, _ = bench.compare("fits", task, ("iris", 150, 4, 3, kind), commands, 1, OPTIONS)
    assert set(found["quality"]) == {"gmmlib", "scikit-learn"}
    quality = found["quality"]["scikit-learn"][0]
    assert -1.6 < quality < -1.19 if task == "em" else 78.85 < quality < 160


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_the_judge_of_a_mixture_knows_every_covariance_type(kind):
    from sklearn.mixture import GaussianMixture

    X = workloads.data("iris", 150, 4, 3)
    model = GaussianMixture(2, covariance_type=kind, random_state=0).fit(X)
    assert_allclose(peers.mean_log_likelihood(X, model, kind), model.score(X))


def test_the_judge_of_one_component_is_scipy():
    from gmmlib import GaussianMixture

    X = workloads.data("iris", 150, 4, 3)
    cov = np.cov(X.T, bias=True) + 1e-6 * np.eye(4)
    expected = multivariate_normal(X.mean(axis=0), cov).logpdf(X).mean()
    assert_allclose(peers.mean_log_likelihood(X, GaussianMixture(1).fit(X), "full"), expected)


def test_who_reached_another_answer_is_told_and_not_timed(capsys):
    answers = {"gmmlib": [1.0, 2.0], "scikit-learn": [1.0, 2.0], "Armadillo": [1.0, 2.001], "faiss": [1.0, 2.00001]}
    assert bench.agreeing(answers) == ["gmmlib", "scikit-learn", "faiss"]  # faiss counts in single precision
    assert capsys.readouterr().err.startswith("Armadillo reached another answer")
    with pytest.raises(RuntimeError, match="scikit-learn and gmmlib reached different answers"):
        bench.agreeing({"gmmlib": [1.0, 2.0], "scikit-learn": [1.0, 2.001]})


def test_fewer_iterations_than_asked_end_the_benchmark():
    class Lazy:
        name = "lazy"

        def run(self, n_iter):
            return peers.Run(0.1, n_iter - 1)

    with pytest.raises(RuntimeError, match="lazy made 6 iterations of 7"):
        bench.check(Lazy(), None, 2, 7, "em")


def test_what_is_not_installed_is_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(peers.shutil, "which", lambda program: None)
    monkeypatch.setitem(peers.PEERS, "faiss", peers.PEERS["faiss"]._replace(module="no_module_of_this_name"))
    assert [peers.prepare(name, tmp_path) for name in ("mclust", "Armadillo", "faiss")] == [None] * 3
