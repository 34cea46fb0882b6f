"""Pictures: judged by the numbers behind what matplotlib was asked to draw."""

import itertools
from base64 import b64decode

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.figure import Figure
from matplotlib_inline.config import InlineBackend
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from gmmlib.plotting import (
    COLORS,
    LINES,
    MARKERS,
    ellipse,
    mixed_colors,
    panels,
    plot_mixture_1d,
    plot_trace,
    scatter_resp,
    show,
    smallest_text,
    use_style,
)

# What the site's dark page is, and what its style sheet does to a figure there: invert(0.9294) hue-rotate(180deg).
DARK_PAGE = "#121212"
INVERT = 0.9294
HALF_TURN = [[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]]  # filter effects, W3C 2018, 8.5
# Machado, Oliveira and Fernandes (2009), severity 1.
COLOUR_VISION = {
    "usual": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture
def notebook(monkeypatch):
    """As if in a notebook: call it for what was displayed since."""
    shell = InteractiveShell.instance()
    InlineBackend.instance(parent=shell).shell = shell
    monkeypatch.setattr(mpl, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    with capture_output() as seen:
        yield lambda: seen.outputs
    shell.display_formatter.formatters["image/png"].pop(Figure, None)
    InteractiveShell.clear_instance()
    InlineBackend.clear_instance()


def test_the_style_is_that_of_the_book():
    with mpl.rc_context():
        use_style()
        assert [entry["color"] for entry in mpl.rcParams["axes.prop_cycle"]] == COLORS[:6]
        assert mpl.rcParams["figure.dpi"] * mpl.rcParams["figure.figsize"][0] == pytest.approx(576)


def test_in_a_notebook_figures_are_sharp_and_keep_their_size(notebook):
    with mpl.rc_context():
        use_style()
        _, ax = panels(2, height=2)
        ax[0].set_title("a title")
        show("What to look for.")
    picture, caption = notebook()
    assert picture.metadata["image/png"] == {"width": 576, "height": 320}
    assert int.from_bytes(b64decode(picture.data["image/png"])[16:20], "big") == 2 * 576
    assert picture.metadata["smallest_text"] >= 9
    assert caption.data == {"text/markdown": "What to look for.", "text/plain": "What to look for."}
    assert plt.get_fignums() == []


def test_in_a_script_the_caption_is_printed(capsys):
    plt.figure()
    show("What to look for.")
    assert capsys.readouterr().out == "What to look for.\n"
    plt.close()


def test_the_smallest_writing_is_what_a_phone_shows_of_it():
    fig = Figure(figsize=(7.2, 3))
    assert smallest_text(fig) == np.inf
    fig.suptitle("large", fontsize=20)
    fig.text(0, 0, "  ", fontsize=1)
    fig.text(0, 0, "not there", fontsize=2, visible=False)
    fig.text(0.5, 0.5, "small", fontsize=12)
    # 12 points are 12/72 of an inch, of 7.2 inches that a phone shows 343 pixels wide
    assert smallest_text(fig) == pytest.approx(12 / 72 / 7.2 * 343)


def test_three_panels_do_not_stand_side_by_side():
    fig, axes = panels(2, 2, height=3, sharex=True)
    assert axes.shape == (2, 2)
    assert_allclose(fig.get_size_inches(), [7.2, 6])
    plt.close(fig)
    with pytest.raises(ValueError, match="stack panels in rows"):
        panels(1, 3)


def light(colour):
    colour = np.clip(colour, 0, 1)
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return light(colour) @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def in_the_dark(colour):
    return np.clip(HALF_TURN @ (np.asarray(colour) * (1 - 2 * INVERT) + INVERT), 0, 1)


def test_the_figures_ground_is_the_dark_page():
    page = luminance(mpl.colors.to_rgb(DARK_PAGE))
    assert luminance(in_the_dark([1, 1, 1])) == pytest.approx(page, rel=0.05)


@pytest.mark.parametrize("name", [*COLORS, "0.45"])
def test_a_mark_stands_out_from_the_ground_by_day_and_by_night(name):
    colour = mpl.colors.to_rgb(name)
    assert contrast(colour, [1, 1, 1]) >= 3
    assert contrast(in_the_dark(colour), in_the_dark([1, 1, 1])) >= 3


def lab(linear):
    """CIE L*a*b* of linear sRGB: distances are seen differences."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = xyz @ np.clip(linear, 0, 1) / xyz.sum(axis=1)
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eyes", COLOUR_VISION)
def test_two_colours_are_told_apart_with_any_colour_vision(eyes):
    seen = [lab(COLOUR_VISION[eyes] @ light(mpl.colors.to_rgb(c))) for c in COLORS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 15


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
    assert len(set(LINES)) == len(LINES)


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
