"""Pictures of mixtures. The only module that imports matplotlib."""

import sys

import matplotlib as mpl
import numpy as np
from matplotlib.patches import Ellipse
from matplotlib.text import Text

from .families.gaussian.covariance import check_symmetric
from .families.gaussian.density import log_gaussian_1d

__all__ = [
    "BARS",
    "COLORS",
    "LINES",
    "MARKERS",
    "ellipse",
    "panels",
    "plot_mixture_1d",
    "plot_trace",
    "scatter_resp",
    "show",
    "use_style",
]

# Told apart by readers with any kind of colour vision, three times as light or dark as white paper and as
# the site's dark page. Okabe and Ito's first four; their orange, sky blue and yellow are too pale on white.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#784614", "#8C4BE6", "#1E1E8C", "#000000"]
MARKERS = ["o", "^", "s", "D", "v", "P", "X", "*"]
LINES = ["--", "-.", ":", "-"]  # of component 1, 2, 3; solid is their sum
BARS = {"facecolor": "0.88", "edgecolor": "0.45", "linewidth": 1.0}  # a histogram is the ground of what is drawn on it

WIDTH = 7.2  # inches, at 80 dots an inch: 576 CSS pixels
PHONE = 343  # CSS pixels that a phone 375 wide leaves for a figure


def use_style():
    """Set the book's figure style: 576 CSS pixels wide, sharp, readable on a phone.

    In a notebook every figure gets two image pixels per CSS pixel, and exactly the
    size it was asked to have.
    """
    mpl.rc(("figure", "savefig"), dpi=80)
    mpl.rc("figure", figsize=(WIDTH, 4.3), facecolor="white")
    mpl.rc("figure.constrained_layout", use=True)
    mpl.rc("font", size=14)
    mpl.rc("axes", titlesize=14, axisbelow=True, prop_cycle=mpl.cycler(color=COLORS[:6]))
    mpl.rc("axes.spines", top=False, right=False)
    mpl.rc("legend", frameon=False, handlelength=1.8)
    mpl.rc("lines", linewidth=2.0)
    mpl.rc("scatter", edgecolors="none")
    mpl.rc("hatch", linewidth=0.8)
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from matplotlib_inline.config import InlineBackend

        inline = InlineBackend.instance(parent=ipython.get_ipython())
        inline.print_figure_kwargs = {"bbox_inches": None}  # not cut to the ink: all figures are equally wide
        inline.figure_formats = {"retina"}


def panels(rows, columns=1, height=2.9, **kwargs):
    """A figure of the book's width, its panels stacked so that a phone can show them.

    Parameters
    ----------
    rows : int
    columns : int
        One or two: three across leave each a third of a phone.
    height : float
        Of one row, in inches.
    **kwargs
        Passed to `matplotlib.pyplot.subplots`.

    Returns
    -------
    fig : Figure
    axes : Axes or ndarray of Axes
        As from `matplotlib.pyplot.subplots`.

    Raises
    ------
    ValueError
        If there are more than two columns.
    """
    import matplotlib.pyplot as plt

    if columns not in (1, 2):
        raise ValueError(f"columns must be 1 or 2, got {columns}: stack panels in rows, a phone is narrow")
    return plt.subplots(rows, columns, figsize=(WIDTH, rows * height), **kwargs)


def smallest_text(fig):
    """Height of the figure's smallest writing on a phone 375 CSS pixels wide, in CSS pixels.

    Sub- and superscripts are not counted.

    Parameters
    ----------
    fig : Figure

    Returns
    -------
    float
        Infinite for a figure without words.
    """
    fig.draw_without_rendering()
    points = [text.get_fontsize() for text in fig.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return min(points, default=np.inf) * PHONE / (72 * fig.get_figwidth())


def show(caption):
    """Show the current figure, and below it the sentence that says what to look for.

    Parameters
    ----------
    caption : str
        Markdown; one sentence or two.
    """
    import matplotlib.pyplot as plt

    if "inline" not in mpl.get_backend():  # a script: the caption goes to the terminal
        print(caption)
        plt.show()
        return
    from IPython.display import display

    fig = plt.gcf()
    display(fig, metadata={"smallest_text": round(smallest_text(fig), 1)})
    plt.close(fig)
    display({"text/markdown": caption, "text/plain": caption}, raw=True)


def mixed_colors(resp):
    """Soft colouring: each point's colour is the mean of the components' colours.

    Parameters
    ----------
    resp : array_like of shape (N, K)
        Rows sum to one; at most eight components.

    Returns
    -------
    ndarray of shape (N, 3)
        Red, green, blue in [0, 1].
    """
    resp = np.asarray(resp, float)
    if resp.ndim != 2 or resp.shape[1] > len(COLORS):
        raise ValueError(f"resp must have shape (N, K) with K <= {len(COLORS)}, got {resp.shape}")
    return resp @ np.array([mpl.colors.to_rgb(c) for c in COLORS[: resp.shape[1]]])


def scatter_resp(ax, X, resp, size=36, **kwargs):
    """Scatter two-dimensional points, coloured by responsibility.

    The marker is the likeliest component's, and a point shrinks as its case
    becomes less clear, so nothing is told by colour alone.

    Parameters
    ----------
    ax : matplotlib Axes
    X : array_like of shape (N, 2)
    resp : array_like of shape (N, K)
    size : float
        Marker area, in points**2, of a point whose component is certain.
    **kwargs
        Passed to `Axes.scatter`.

    Returns
    -------
    list of PathCollection
        One a component.
    """
    X, resp = np.asarray(X, float), np.asarray(resp, float)
    colors, winner, top = mixed_colors(resp), resp.argmax(axis=1), resp.max(axis=1)
    K, drawn = resp.shape[1], []
    certainty = (top - 1 / K) / max(1 - 1 / K, 1e-12)
    area = size * (0.4 + 0.6 * certainty)
    for k in range(K):
        mine = winner == k
        drawn.append(ax.scatter(*X[mine].T, c=colors[mine], s=area[mine], marker=MARKERS[k], **kwargs))
    return drawn


def ellipse(ax, mean, cov, coverage=0.9, **kwargs):
    """Draw the ellipse that holds `coverage` of a two-dimensional Gaussian.

    Parameters
    ----------
    ax : matplotlib Axes
    mean : array_like of shape (2,)
    cov : array_like of shape (2, 2)
    coverage : float
        Probability inside, between 0 and 1. In two dimensions one standard
        deviation along each axis holds 0.39, not 0.68.
    **kwargs
        Passed to `matplotlib.patches.Ellipse`.

    Returns
    -------
    Ellipse

    Notes
    -----
    The squared Mahalanobis distance is chi-squared with two degrees of freedom,
    whose quantile is -2 ln(1 - coverage). Half-axes are *roots* of eigenvalues.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must lie between 0 and 1, got {coverage}")
    cov = np.asarray(cov, float)
    check_symmetric(cov, "cov")
    values, vectors = np.linalg.eigh(cov)
    width, height = 2 * np.sqrt(-2 * np.log1p(-coverage) * values)
    angle = np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0]))
    style = {"facecolor": "none", "edgecolor": COLORS[0], "linewidth": 2} | kwargs
    return ax.add_patch(Ellipse(np.asarray(mean, float), width, height, angle=angle, **style))


def plot_mixture_1d(ax, x, weights, means, variances):
    """Draw a one-dimensional mixture over its weighted components, filled.

    Parameters
    ----------
    ax : matplotlib Axes
    x : ndarray of shape (M,)
        Where to evaluate, in increasing order.
    weights, means, variances : array_like of shape (K,)

    Returns
    -------
    ndarray of shape (M,)
        The mixture's density on `x`.
    """
    parts = [w * np.exp(log_gaussian_1d(x, m, v)) for w, m, v in zip(weights, means, variances, strict=True)]
    for k, part in enumerate(parts):
        ax.fill_between(x, part, color=COLORS[k % 7], alpha=0.2, linewidth=0)
        ax.plot(x, part, LINES[k % 3], color=COLORS[k % 7], label=f"component {k + 1}, weighted")
    total = np.sum(parts, axis=0)
    # Thin, or it hides the components where they do not overlap.
    ax.plot(x, total, color="black", linewidth=1.0, label="mixture")
    ax.set_ylabel("density")
    return total


def plot_trace(ax, log_likelihoods, **kwargs):
    """Draw the log-likelihood after each iteration; entry 0 is the start's.

    Parameters
    ----------
    ax : matplotlib Axes
    log_likelihoods : array_like of shape (n_iter + 1,)
    **kwargs
        Passed to `Axes.plot`.

    Returns
    -------
    list of Line2D
    """
    ax.set_xlabel("iteration")
    ax.set_ylabel("log-likelihood")
    return ax.plot(np.arange(len(log_likelihoods)), log_likelihoods, **{"marker": "o", "markersize": 4} | kwargs)
