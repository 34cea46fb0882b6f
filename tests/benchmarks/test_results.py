"""The page on benchmarks says what results.json says; nothing is timed here."""

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from numpy.testing import assert_allclose

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import bench  # noqa: E402
import peers  # noqa: E402

RESULTS = json.loads((ROOT / "benchmarks" / "results.json").read_text())
# A peer four times as slow, then as fast, then absent; another there once.
ROWS = [
    {"N": 1_000_000, "D": 2, "K": 3, "kind": "full", "ms": {"gmmlib": 5.0, "scikit-learn": 20.0}},
    {"N": 400, "D": 2, "K": 3, "kind": "diag", "ms": {"gmmlib": 0.5, "mclust": 0.125, "scikit-learn": 0.5}},
    {"N": 500, "D": 2, "K": 3, "kind": "tied", "ms": {"gmmlib": 1234.5}},
]


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_is_what_the_recorded_results_give():
    assert (ROOT / "benchmarks" / "results.md").read_text() == bench.report(RESULTS)
    assert "../benchmarks/results.md" in (ROOT / "chapters" / "benchmarks.md").read_text()


def test_figures_are_those_the_page_shows():
    drawn = {path.name for path in (ROOT / "benchmarks").glob("*.svg")}
    assert drawn == set(bench.pictures(RESULTS))
    assert all(f"]({name})" in bench.report(RESULTS) for name in drawn)


def test_a_table_gives_times_ratios_and_their_geometric_means():
    head, _, first, second, third, last = map(cells, bench.table(ROWS))
    assert head == ["N", "D", "K", "type", "gmmlib", "scikit-learn", "mclust"]
    assert first[4:] == ["5", "20 (4.00)", "–"]
    assert second[4:] == ["0.5", "0.5 (1.00)", "0.125 (0.25)"]
    assert third[4:] == ["1234", "–", "–"]
    assert last[4:] == ["", "**(2.00)**", "**(0.25)**"]


def test_a_figure_has_each_ratio_at_its_workload():
    figure = bench.draw(ROWS)
    drawn = {line.get_label(): line.get_xydata() for line in figure.axes[0].lines}
    plt.close(figure)
    assert_allclose(drawn["scikit-learn"], [[4, 0], [1, 1]])
    assert_allclose(drawn["mclust"], [[0.25, 1]])
    markers = {line.get_marker() for line in figure.axes[0].lines if line.get_label() in peers.PEERS}
    assert len(markers) == 2  # colour is not the only cue


def test_rounds_go_on_in_turn_and_the_median_counts():
    order, said = [], {"a": iter([9.0, 1.0, 2.0]), "b": iter([5.0, 7.0, 6.0])}

    def call(name):
        order.append(name)
        return next(said[name])

    assert bench.in_turn([lambda: call("a"), lambda: call("b")], 3) == [2.0, 6.0]
    assert order == ["a", "b"] * 3


@pytest.mark.parametrize(("task", "kind"), [("em", "full"), ("em", "spherical"), ("kmeans", "k-means")])
def test_gmmlib_and_scikit_learn_do_the_same_work(tmp_path, task, kind):
    commands = {name: peers.prepare(name, tmp_path) for name in ("gmmlib", "scikit-learn")}
    row, versions = bench.compare(task, (300, 3, 2, kind, 4), commands, 1, 1)
    assert set(row["ms"]) == set(versions) == set(commands)
    assert 1 <= row["n_iter"] <= 4


def test_a_different_answer_ends_the_benchmark():
    with pytest.raises(AssertionError, match="scikit-learn and gmmlib reached different answers"):
        bench.agree({"gmmlib": [1.0, 2.0], "scikit-learn": [1.0, 2.001]})


def test_fewer_iterations_than_asked_end_the_benchmark():
    class Lazy:
        name = "lazy"

        def run(self, n_iter):
            return 0.1, n_iter - 1

    with pytest.raises(RuntimeError, match="lazy made 6 iterations of 7"):
        bench.check(Lazy(), None, 2, 7, "em")


def test_what_is_not_installed_is_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(peers.shutil, "which", lambda program: None)
    monkeypatch.setitem(peers.PEERS, "faiss", peers.PEERS["faiss"]._replace(module="no_module_of_this_name"))
    assert [peers.prepare(name, tmp_path) for name in ("mclust", "Armadillo", "faiss")] == [None] * 3
