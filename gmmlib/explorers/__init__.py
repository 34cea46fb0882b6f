"""Figures to play with: in a notebook, and on a page with no kernel behind it.

Each function returns an :class:`Explorer`. Its mathematics and its drawing live in
one ES module, which a notebook runs as a widget and a web page mounts by `mount.js`.
"""

import numpy as np

from gmmlib.explorers._widget import Explorer, finite
from gmmlib.families.gaussian.density import fit_gaussian

__all__ = [
    "Explorer",
    "bivariate",
    "bound",
    "em_stepper",
    "gaussian",
    "kmeans_stepper",
    "landscape",
    "likelihood",
    "mixture",
    "responsibility",
    "sampler",
    "weighted_points",
]

MAX_POINTS = 1000  # what a page can carry and an eye can separate


def _positive(name, value, shape=()):
    value = finite(name, value, shape)
    if np.any(value <= 0):
        raise ValueError(f"{name} must be positive, got {value}")
    return value


def _components(weights, means, sds):
    means = finite("means", means, (None,))
    if len(means) not in (2, 3):
        raise ValueError(f"means must hold two or three numbers, got {len(means)}")
    weights = _positive("weights", weights, means.shape)
    return {"weights": weights / weights.sum(), "means": means, "sds": _positive("sds", sds, means.shape)}


def _points(X, names):
    if X is None:
        from gmmlib.datasets import load_old_faithful

        X = load_old_faithful().X
    X = finite("X", X, (None, 2))
    if not 3 <= len(X) <= MAX_POINTS:
        raise ValueError(f"X must have 3 to {MAX_POINTS} rows to fit on a page, got {len(X)}")
    if np.any(X.std(axis=0) == 0):
        raise ValueError("X has a constant column: there is nothing to see along it")
    if len(names) != 2 or not all(isinstance(name, str) for name in names):
        raise ValueError(f"names must be two strings, one an axis, got {names!r}")
    return X


def _starts(name, value, default, most):
    value = finite(name, default if value is None else value, (None, 2))
    if not 1 <= len(value) <= most:
        raise ValueError(f"{name} must have 1 to {most} rows, got {len(value)}")
    return value


def gaussian(mean=0.0, sd=1.0, unit=""):
    """One Gaussian density, and the probability of an interval under it.

    Drag the mean, the standard deviation and the two ends of the interval. The
    shaded area is a probability; the height of the curve is not, and exceeds 1
    once the standard deviation falls below 0.399.

    Parameters
    ----------
    mean, sd : float
        Where the figure starts; `sd` is a standard deviation, not a variance.
    unit : str
        Unit of the axis, for instance ``"minutes"``.

    Returns
    -------
    Explorer
        The figure; `.state` holds ``mean``, ``sd`` and the interval ``a``, ``b``.

    Raises
    ------
    ValueError
        If `mean` is not finite or `sd` is not positive.
    """
    mean, sd = finite("mean", mean), _positive("sd", sd)
    state = {"mean": mean, "sd": sd, "a": mean - sd, "b": mean + sd, "unit": str(unit)}
    return Explorer("gaussian", state)


def likelihood(x=None, mean=None, sd=None, few=5, label="wait (minutes)"):
    """One bell over points, and the surface of its log-likelihood over mean and ln(sd).

    Drag the mean and the standard deviation, or the point on the surface, and
    read the score in each direction. A button changes between all points and the
    first few of them: the top moves a little, and the hill becomes flat.

    Parameters
    ----------
    x : array_like of shape (N,), optional
        At most 1000 points; Old Faithful's waits after long eruptions if left out.
    mean, sd : float, optional
        Where the bell starts; off the top if left out. `sd` is a standard
        deviation, not a variance.
    few : int
        How many points the small sample has, from 2 to N.
    label : str
        The axis, with its unit.

    Returns
    -------
    Explorer
        The figure; `.state` holds ``mean``, ``sd`` and ``n``, how many points count.

    Raises
    ------
    ValueError
        If `x` has too few points or too many, all points are equal, or a number
        is not usable.
    """
    if x is None:
        from gmmlib.datasets import load_old_faithful

        geyser = load_old_faithful()
        x = geyser.column("waiting")[geyser.column("eruptions") > 3]
    x = finite("x", x, (None,))
    if not 3 <= len(x) <= MAX_POINTS:
        raise ValueError(f"x must have 3 to {MAX_POINTS} points to fit on a page, got {len(x)}")
    if few not in range(2, len(x) + 1):
        raise ValueError(f"few must be a whole number from 2 to {len(x)}, got {few!r}")
    if x[:few].std() == 0:
        raise ValueError(f"the first {few} points are equal: their likelihood has no maximum")
    state = {
        "x": x,
        "mean": finite("mean", x.mean() - 0.7 * x.std() if mean is None else mean),
        "sd": _positive("sd", 1.5 * x.std() if sd is None else sd),
        "few": int(few),
        "n": int(few),
        "label": str(label),
    }
    return Explorer("likelihood", state)


def mixture(weights=(0.6, 0.4), means=(-1.5, 1.5), sds=(1.0, 0.8)):
    """A mixture of two or three Gaussians on a line: components and modes counted.

    Drag means, standard deviations and weights, and watch the number of modes
    (peaks of the sum) stay at or below the number of components.

    Parameters
    ----------
    weights, means, sds : array_like of shape (K,)
        The start, K = 2 or 3. Only the ratios of the weights matter.

    Returns
    -------
    Explorer
        The figure; `.state` holds ``weights``, ``means`` and ``sds``.

    Raises
    ------
    ValueError
        If the lengths disagree, or a weight or `sds` entry is not positive.
    """
    return Explorer("mixture", _components(weights, means, sds))


def responsibility(
    weights=(0.360887, 0.639113),
    means=(54.6149, 80.0911),
    sds=(5.87126, 5.86771),
    x=68.0,
    names=("short waits", "long waits"),
    label="wait (minutes)",
):
    """Which component made this point? Drag the point and read the responsibilities.

    Starts with the two-component fit of Old Faithful's waiting times. Far from
    both means the responsibility is 0 or 1 although the density is next to
    nothing: certainty about *which* is not typicality.

    Parameters
    ----------
    weights, means, sds : array_like of shape (2,)
        The mixture; `sds` are standard deviations.
    x : float
        Where the point starts.
    names : sequence of str
        What the two components are called.
    label : str
        The axis, with its unit.

    Returns
    -------
    Explorer
        The figure; `.state["x"]` is the point.

    Raises
    ------
    ValueError
        If there are not two components, or a number is not usable.
    """
    state = _components(weights, means, sds)
    if len(state["means"]) != 2:
        raise ValueError("means must hold two numbers: the figure compares two components")
    if len(names) != 2:
        raise ValueError(f"names must be two strings, got {names!r}")
    state |= {"x": finite("x", x), "names": list(names), "label": str(label)}
    return Explorer("responsibility", state)


def sampler(
    weights=(0.360887, 0.639113),
    means=(54.6149, 80.0911),
    sds=(5.87126, 5.86771),
    names=("short habit", "long habit"),
    label="wait (minutes)",
    seed=3,
):
    """The story of a mixture, told one point at a time: choose a component, draw.

    A dart on a strip chooses the component, its bell gives the point, and the
    pile of points becomes the density. Press 1, 10 or 1000; drag the weights;
    hide the labels to see what data show.

    Parameters
    ----------
    weights, means, sds : array_like of shape (K,)
        The mixture, K = 2 or 3; `sds` are standard deviations. Only the ratios
        of the weights matter.
    names : sequence of str
        What the components are called.
    label : str
        The axis, with its unit.
    seed : int
        Which points come; the same seed gives the same points.

    Returns
    -------
    Explorer
        The figure; `.state["weights"]` are the weights as they were dragged.

    Raises
    ------
    ValueError
        If the lengths disagree, or a number is not usable.
    """
    state = _components(weights, means, sds)
    if len(names) != len(state["means"]):
        raise ValueError(f"names must be one string per component, got {names!r}")
    state |= {"names": list(names), "label": str(label), "seed": int(_positive("seed", seed))}
    return Explorer("sampler", state)


def em_stepper(X=None, means=None, names=("eruption (minutes)", "wait (minutes)")):
    """EM for a Gaussian mixture in the plane, one half-step at a time.

    Drag the starting means, then press E, M, Step or Run. Every start has equal
    weights and gives each component the variances of all points.

    Parameters
    ----------
    X : array_like of shape (N, 2), optional
        At most 1000 points; Old Faithful if left out.
    means : array_like of shape (K, 2), optional
        Starting means, K = 1, 2 or 3; two corners of the data if left out.
    names : sequence of str
        The two axes, with units.

    Returns
    -------
    Explorer
        The figure; `.state["means"]` are the starting means.

    Raises
    ------
    ValueError
        If `X`, `means` or `names` has the wrong shape or is not finite.
    """
    X = _points(X, names)
    low, high = np.quantile(X, [0.15, 0.85], axis=0)
    means = _starts("means", means, [[low[0], high[1]], [high[0], low[1]]], 3)
    return Explorer("em_stepper", {"X": X, "means": means, "names": list(names)})


def kmeans_stepper(X=None, centers=None, names=None):
    """k-means in the plane, one half-step at a time, with its Voronoi cells.

    Drag the centres, then press Assign, Update or Run. The figure keeps the
    lowest inertia you have reached, because Lloyd's descent stops at many ends.

    Parameters
    ----------
    X : array_like of shape (N, 2), optional
        At most 1000 points; Old Faithful, standardised, if left out. Both axes
        are drawn to one scale, since distances are what k-means sees.
    centers : array_like of shape (K, 2), optional
        Starting centres, K from 1 to 6; three if left out.
    names : sequence of str, optional
        The two axes, with units.

    Returns
    -------
    Explorer
        The figure; `.state["centers"]` are the starting centres.

    Raises
    ------
    ValueError
        If `X`, `centers` or `names` has the wrong shape or is not finite.
    """
    if names is None:
        names = ("eruption (sds)", "wait (sds)") if X is None else ("x", "y")
    standardise, X = X is None, _points(X, names)
    if standardise:
        X = (X - X.mean(axis=0)) / X.std(axis=0)
    low, mid, high = np.quantile(X, [0.2, 0.5, 0.8], axis=0)
    centers = _starts("centers", centers, [low, [mid[0], low[1]], high], 6)
    return Explorer("kmeans_stepper", {"X": X, "centers": centers, "names": list(names)})


def weighted_points(X=None, weights=None, names=("eruption (minutes)", "wait (minutes)")):
    """One Gaussian fitted to a few points that have votes.

    Drag a bar to change a point's weight, and the last point to another place: the
    mean and the ellipse that holds 90 % follow. Where the points that have votes lie
    on a line, there is no ellipse, and the figure says so.

    Parameters
    ----------
    X : array_like of shape (N, 2), optional
        Three to nine points; seven of Old Faithful if left out.
    weights : array_like of shape (N,), optional
        From 0 to 5; one each if left out.
    names : sequence of str
        The two axes, with units.

    Returns
    -------
    Explorer
        The figure; `.state` holds ``X`` and ``weights``.

    Raises
    ------
    ValueError
        If `X`, `weights` or `names` has the wrong shape, is not finite or out of range.
    """
    X = _points(X, names)[::40] if X is None else _points(X, names)
    if len(X) > 9:
        raise ValueError(f"X must have 3 to 9 rows, one handle each, got {len(X)}")
    weights = finite("weights", np.ones(len(X)) if weights is None else weights, (len(X),))
    if np.any(weights < 0) or np.any(weights > 5):
        raise ValueError(f"weights must lie between 0 and 5, got {weights}")
    return Explorer("weighted_points", {"X": X, "weights": weights, "names": list(names)})


def landscape(x=None, sd=6.0, ball=None, label="wait (minutes)"):
    """The log-likelihood of two means as a map, and three ways to climb it.

    Drop the ball; gradient ascent, Newton's method and EM climb from there. Weights
    are equal and the standard deviation is given. Below, one component sits on the
    smallest point and shrinks: the log-likelihood grows without end.

    Parameters
    ----------
    x : array_like of shape (N,), optional
        Points with at most 200 different values; the waits of Old Faithful if left out.
    sd : float
        Standard deviation of both components.
    ball : sequence of two floats, optional
        Where the ball lies first; a little off the diagonal if left out.
    label : str
        The quantity, with its unit.

    Returns
    -------
    Explorer
        The figure; `.state` holds ``ball`` and ``power`` (of ten, of the needle's sd).

    Raises
    ------
    ValueError
        If `x`, `sd` or `ball` has the wrong shape, is not finite or out of range.
    """
    if x is None:
        from gmmlib.datasets import load_old_faithful

        x = load_old_faithful().column("waiting")
    values, counts = np.unique(finite("x", x, (None,)), return_counts=True)
    if not 2 <= len(values) <= 200:
        raise ValueError(f"x must hold 2 to 200 different values to fit on a page, got {len(values)}")
    sd, middle = _positive("sd", sd), float(np.median(values))
    ball = finite("ball", [middle - 6, middle + 1] if ball is None else ball, (2,))
    state = {"values": values, "counts": counts.astype(float), "sd": sd, "ball": ball, "power": 0.0}
    return Explorer("landscape", state | {"spot": float(values[0]), "label": str(label)})


def bound(prevalence=1 / 3, q=0.5, means=(70.0, 72.0), view=1):
    """The bound under a log-likelihood: E lifts it to touch, M climbs it.

    With one parameter: eight people take a test that never misses an infection
    and raises a false alarm for one healthy person in four; five are positive.
    With two: the means of two Gaussians, weights 1/2 and standard deviation 6,
    over Old Faithful's waits. Drag the parameters and the guess, press E and M,
    and read the gap, the Kullback-Leibler divergence of q from the posterior.

    Parameters
    ----------
    prevalence : float
        Where the first view starts, between 0 and 1.
    q : float
        The guess that every positive test gets at the start, between 0 and 1.
    means : array_like of shape (2,)
        Where the second view starts, in minutes, between 46 and 94.
    view : int
        1 or 2 parameters at the start; a button changes it.

    Returns
    -------
    Explorer
        The figure; `.state` holds ``prevalence``, ``q``, ``means`` and ``held``,
        the means at which the second view's responsibilities were computed.

    Raises
    ------
    ValueError
        If a number is not usable.
    """
    from gmmlib.datasets import load_old_faithful

    for name, value in [("prevalence", prevalence), ("q", q)]:
        if not 0 < finite(name, value) < 1:
            raise ValueError(f"{name} must lie between 0 and 1, got {value}")
    means = finite("means", means, (2,))
    if np.any((means < 46) | (means > 94)):
        raise ValueError(f"means must lie between 46 and 94 minutes, got {means}")
    if view not in (1, 2):
        raise ValueError(f"view must be 1 or 2, got {view!r}")
    waits, counts = np.unique(load_old_faithful().column("waiting"), return_counts=True)
    state = {"view": view, "prevalence": float(prevalence), "q": float(q), "sd": 6.0}
    state |= {"means": means, "held": means, "waits": waits, "counts": counts.astype(float)}
    return Explorer("bound", state)


def bivariate(X=None, names=("bill length (mm)", "bill depth (mm)")):
    """One Gaussian in the plane over points: turn it, stretch it, slice it, count.

    Drag the ends of the ellipse's axes, its topmost point (the correlation) and
    the value of the first coordinate. The bells on the edges are the marginals,
    the bell on the line is the conditional, and the points inside the ellipse
    are counted beside the share that it promises.

    Parameters
    ----------
    X : array_like of shape (N, 2), optional
        At most 1000 points, both coordinates in one unit, since the ellipse can
        be turned; the bills of the Gentoo penguins if left out.
    names : sequence of str
        The two axes, with units.

    Returns
    -------
    Explorer
        The figure; `.state` holds ``mean`` and ``cov``, which start at the
        maximum-likelihood fit, ``x`` (the slice) and ``share`` (the promise).

    Raises
    ------
    ValueError
        If `X` or `names` has the wrong shape, is not finite, or the points lie
        on a line.
    """
    if X is None:
        from gmmlib.datasets import load_penguins

        penguins = load_penguins()
        X = penguins.X[penguins.y == 2, :2]
    X = _points(X, names)
    mean, cov = fit_gaussian(X)
    if np.linalg.eigvalsh(cov)[0] <= 1e-4 * np.linalg.eigvalsh(cov)[1]:
        raise ValueError("X lies on a line, or nearly so: the ellipse would be one, too")
    state = {"X": X, "names": list(names), "mean": mean, "cov": cov, "x": mean[0] + np.sqrt(cov[0, 0]), "share": 0.9}
    return Explorer("bivariate", state)
