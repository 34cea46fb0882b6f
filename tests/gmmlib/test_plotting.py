"""Pictures: judged by the numbers behind what matplotlib was asked to draw."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from gmmlib.plotting import COLORS, MARKERS, ellipse, mixed_colors, plot_mixture_1d, plot_trace, scatter_resp, use_style


@pytest.fixture
def ax():
    return Figure().subplots()


def test_the_style_is_that_of_the_book():
    with mpl.rc_context():
        use_style()
        assert mpl.rcParams["figure.dpi"] == mpl.rcParams["savefig.dpi"] == 80
        assert [entry["color"] for entry in mpl.rcParams["axes.prop_cycle"]] == COLORS[:6]


def test_a_point_between_two_components_has_the_mean_of_their_colours():
    blue, red = (np.array(mpl.colors.to_rgb(c)) for c in COLORS[:2])
    assert_allclose(mixed_colors([[1, 0], [0, 1], [0.25, 0.75]]), [blue, red, blue / 4 + red * 3 / 4])
    assert len(mixed_colors(np.eye(8))) == 8
    for bad in (np.ones(3), np.eye(9)):
        with pytest.raises(ValueError, match="resp must have shape"):
            mixed_colors(bad)


def test_each_point_is_drawn_once_by_its_likeliest_component_and_smaller_when_in_doubt(ax):
    X = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    resp = np.array([[1.0, 0.0], [0.2, 0.8], [0.5, 0.5]])
    first, second = scatter_resp(ax, X, resp, size=10, alpha=0.5)
    assert_array_equal(first.get_offsets(), X[[0, 2]])
    assert_array_equal(second.get_offsets(), X[[1]])
    assert_allclose(first.get_sizes(), [10, 4])  # certain; a coin's toss
    assert_allclose(second.get_sizes(), [10 * (0.4 + 0.6 * 0.6)])
    assert_allclose(second.get_facecolors(), np.c_[mixed_colors(resp[[1]]), 0.5])
    assert len(first.get_paths()[0].vertices) != len(second.get_paths()[0].vertices)  # another marker


def test_a_single_component_draws_every_point_alike(ax):
    (points,) = scatter_resp(ax, np.eye(2), np.ones((2, 1)), size=10)
    assert len(set(points.get_sizes())) == 1
    assert 0 < points.get_sizes()[0] <= 10


def test_colours_and_markers_are_all_different():
    assert len(set(COLORS)) == len(set(MARKERS)) == len(COLORS) == len(MARKERS)


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.1, 90, np.nan])
def test_a_coverage_is_a_probability(ax, coverage):
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1"):
        ellipse(ax, [0, 0], np.eye(2), coverage)


def test_an_ellipse_is_an_outline_unless_asked_otherwise(ax):
    plain, filled = (ellipse(ax, [1, 2], np.diag([9.0, 4.0]), **kw) for kw in ({}, {"facecolor": "red"}))
    assert not plain.get_fill() or plain.get_facecolor()[3] == 0
    assert_allclose(filled.get_facecolor(), mpl.colors.to_rgba("red"))
    assert_allclose(plain.center, [1, 2])


def test_the_curves_of_a_mixture_add_up_and_have_names(ax):
    x = np.linspace(-5, 9, 50)
    total = plot_mixture_1d(ax, x, [0.3, 0.7], [0.0, 4.0], [1.0, 4.0])
    parts = [0.3 * stats.norm(0, 1).pdf(x), 0.7 * stats.norm(4, 2).pdf(x)]
    assert_allclose(total, sum(parts), rtol=1e-12)
    for line, curve in zip(ax.lines, [*parts, total], strict=True):
        assert_allclose(line.get_data(), [x, curve], rtol=1e-12)
    assert ax.get_legend_handles_labels()[1] == ["component 1, weighted", "component 2, weighted", "mixture"]
    assert len({line.get_linestyle() for line in ax.lines}) == 3
    assert ax.get_ylabel() == "density"


def test_a_trace_begins_at_iteration_zero(ax):
    (line,) = plot_trace(ax, [-3.0, -2.0, -1.5], color="red", marker="s")
    assert_array_equal(line.get_data(), [[0, 1, 2], [-3.0, -2.0, -1.5]])
    assert (line.get_marker(), line.get_color()) == ("s", "red")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("iteration", "log-likelihood")
