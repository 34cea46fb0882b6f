"""Pictures of mixtures. The only module that imports matplotlib."""

import matplotlib as mpl
import numpy as np
from matplotlib.patches import Ellipse

from .gaussian import log_gaussian_1d

__all__ = ["COLORS", "MARKERS", "ellipse", "plot_mixture_1d", "plot_trace", "scatter_resp", "use_style"]

# Okabe and Ito's palette: told apart by readers with any kind of colour vision.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000"]
MARKERS = ["o", "^", "s", "D", "v", "P", "X", "*"]
LINES = ["-", "--", "-.", ":"]


def use_style():
    """Set the book's figure style: readable at phone width, 80 dots per inch."""
    mpl.rc(("figure", "savefig"), dpi=80)
    mpl.rc("figure", figsize=(7.0, 4.2), facecolor="white")
    mpl.rc("figure.constrained_layout", use=True)
    mpl.rc("font", size=12)
    mpl.rc("axes", titlesize=13, axisbelow=True, prop_cycle=mpl.cycler(color=COLORS[:6]))
    mpl.rc("axes.spines", top=False, right=False)
    mpl.rc("legend", frameon=False)
    mpl.rc("lines", linewidth=2.0)
    mpl.rc("scatter", edgecolors="none")


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
    values, vectors = np.linalg.eigh(np.asarray(cov, float))
    width, height = 2 * np.sqrt(-2 * np.log1p(-coverage) * values)
    angle = np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0]))
    style = {"facecolor": "none", "edgecolor": COLORS[0], "linewidth": 2} | kwargs
    return ax.add_patch(Ellipse(np.asarray(mean, float), width, height, angle=angle, **style))


def plot_mixture_1d(ax, x, weights, means, variances):
    """Draw a one-dimensional mixture and its weighted components.

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
        ax.plot(x, part, LINES[1 + k % 3], color=COLORS[k % 7], label=f"component {k + 1}, weighted")
    total = np.sum(parts, axis=0)
    ax.plot(x, total, color="black", label="mixture")
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
