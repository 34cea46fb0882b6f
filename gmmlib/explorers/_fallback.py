"""What an explorer shows where its script does not run: a small drawing and a sentence."""

import html

import numpy as np

from gmmlib.families.gaussian.density import log_gaussian_1d

WIDTH, HEIGHT, FOOT = 640, 300, 34
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("", "9 5", "2 4")


def _frame(xlim, ylim, label, alt, body):
    """Wrap `body` in an SVG with a baseline, its two end values and a label."""
    y, style = HEIGHT - FOOT, 'fill="currentColor" font-size="15"'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(alt)}" '
        f'style="max-width:{WIDTH}px;width:100%;height:auto" fill="none" stroke-width="2">{body}'
        f'<path d="M0 {y}H{WIDTH}" stroke="currentColor"/>'
        f'<text x="0" y="{HEIGHT - 10}" {style}>{xlim[0]:.4g}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 10}" text-anchor="end" {style}>{xlim[1]:.4g}</text>'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle" {style}>'
        f"{html.escape(label)}</text></svg>"
    )


def _to_page(points, xlim, ylim):
    low, high = np.array([xlim, ylim]).T
    u = (np.asarray(points) - low) / (high - low)
    return (u * [WIDTH, -(HEIGHT - FOOT - 10)] + [0, HEIGHT - FOOT]).round(1)


def _path(points, joint):
    return "M" + joint.join(f"{x:g} {y:g}" for x, y in points)


def _curves(weights, means, sds, label, alt):
    weights, means, sds = map(np.asarray, (weights, means, sds))
    xlim = ((means - 4 * sds).min(), (means + 4 * sds).max())
    x = np.linspace(*xlim, 81)[:, None]
    parts = weights * np.exp(log_gaussian_1d(x, means, sds**2))
    total = parts.sum(axis=1)
    ylim, K = (0.0, total.max()), len(means)
    looks = [*zip(COLORS[:K], DASHES[:K], strict=True), ("currentColor", "")]
    body = "".join(
        f'<path d="{_path(_to_page(np.column_stack([x[:, 0], part]), xlim, ylim), "L")}" '
        f'stroke="{color}" stroke-dasharray="{dash}"/>'
        for part, (color, dash) in zip([*parts.T, total], looks, strict=True)
    )
    return _frame(xlim, ylim, label, alt, body)


def _bound(prevalence, q):
    """The first view of `bound`: a log-likelihood and the bound below it."""
    p = np.linspace(0.02, 0.98, 97)
    positive, healthy = (1 + 3 * p) / 4, (1 - p) / 4
    likelihood = 5 * np.log(positive) + 3 * np.log(1 - positive)
    below = 5 * (q * np.log(p / q) + (1 - q) * np.log(healthy / (1 - q))) + 3 * np.log(3 * healthy)
    limits, body = ((0.0, 1.0), (-8.4, -5.1)), ""
    for curve, color, dash in [(likelihood, "currentColor", ""), (below, COLORS[0], DASHES[1])]:
        seen = np.column_stack([p, curve])[curve > limits[1][0]]
        body += f'<path d="{_path(_to_page(seen, *limits), "L")}" stroke="{color}" stroke-dasharray="{dash}"/>'
    alt = f"Log-likelihood of a prevalence; dashed, the bound of the guess {q:g}. We stand at {prevalence:.3g}."
    return alt, _frame(*limits, "prevalence", alt, body)


def _laws(laws, cases):
    """Bugs across, laws down: a cross where a law is broken."""
    wide, high = WIDTH / len(cases), (HEIGHT - FOOT) / len(laws)
    crosses = ""
    for c, case in enumerate(cases):
        for row, words in enumerate(case["broken"]):
            x, y = wide * (c + 0.5), high * (row + 0.5)
            mark = "m-6 -6l12 12m0 -12l-12 12" if words else "h1"
            crosses += f'<path d="M{x:.0f} {y:.0f}{mark}" stroke="currentColor"/>'
    alt = f"{len(cases)} bugs across, {len(laws)} laws down: a cross where the bug breaks the law."
    return alt, _frame((1, len(cases)), (0, 1), "bug", alt, crosses)


def _scatter(X, marks, names, alt):
    X, marks = np.asarray(X), np.asarray(marks)
    low, high = np.vstack([X, marks]).min(axis=0), np.vstack([X, marks]).max(axis=0)
    limits = np.array([low - 0.05 * (high - low), high + 0.05 * (high - low)]).T
    body = (
        f'<path d="{_path(_to_page(X, *limits), "h0M")}h0" stroke="currentColor" '
        'stroke-width="5" stroke-linecap="round" opacity=".45"/>'
    )
    for k, (x, y) in enumerate(_to_page(marks, *limits)):
        body += (
            f'<circle cx="{x:g}" cy="{y:g}" r="13" fill="{COLORS[k % 6]}"/>'
            f'<text x="{x:g}" y="{y + 6:g}" text-anchor="middle" fill="#fff" font-size="16">{k + 1}</text>'
        )
    return _frame(limits[0], limits[1], f"{names[0]} across, {names[1]} up", alt, body)


def fallback(name, state):
    """Return the still picture of an explorer, with alternative text, and a sentence.

    Parameters
    ----------
    name : str
        Name of the explorer.
    state : dict
        Its start.

    Returns
    -------
    str
        HTML: an inline SVG and a paragraph.
    """
    if name == "gaussian":
        alt = f"Bell curve with mean {state['mean']:g} and standard deviation {state['sd']:g}."
        picture = _curves([1.0], [state["mean"]], [state["sd"]], state["unit"] or "x", alt)
    elif name == "likelihood":
        alt = f"Bell with mean {state['mean']:g} and standard deviation {state['sd']:g} over {len(state['x'])} points."
        picture = _curves([1.0], [state["mean"]], [state["sd"]], state["label"], alt)
    elif name == "sampler":
        parts = ", ".join(f"{name} {w:.2f}" for name, w in zip(state["names"], state["weights"], strict=True))
        alt = f"Two steps: choose a component ({parts}), then draw from its bell. Points pile up to the sum."
        picture = _curves(state["weights"], state["means"], state["sds"], state["label"], alt)
    elif name in ("mixture", "responsibility"):
        means = ", ".join(f"{mean:g}" for mean in state["means"])
        alt = f"Weighted Gaussian components with means {means}, and their sum."
        label = state.get("label", "x")
        picture = _curves(state["weights"], state["means"], state["sds"], label, alt)
    elif name == "bivariate":
        r = state["cov"][0][1] / np.sqrt(state["cov"][0][0] * state["cov"][1][1])
        alt = f"Scatter plot of {len(state['X'])} points, its mean marked; their correlation is {r:.2f}."
        picture = _scatter(state["X"], [state["mean"]], state["names"], alt)
    elif name == "selection":
        alt = f"Scatter plot of {len(state['X'])} points; one Gaussian's mean marked, the first of many fits."
        picture = _scatter(state["X"], state["fits"][0][0]["means"], state["names"], alt)
    elif name == "weighted_points":
        alt = f"{len(state['X'])} numbered points, to which one Gaussian is fitted with weights."
        picture = _scatter(state["X"], state["X"], state["names"], alt)
    elif name == "landscape":
        alt = f"{len(state['values'])} values, and a bell at each of the two means where the climb begins."
        picture = _curves([0.5, 0.5], state["ball"], [state["sd"]] * 2, state["label"], alt)
    elif name == "bug_zoo":
        alt, picture = _laws(state["laws"], state["cases"])
    elif name == "alarm":
        alt = f"Scatter plot of {len(state['X'])} points and the means of a mixture; an alarm rings at low density."
        picture = _scatter(state["X"], state["mixtures"][0]["means"], state["names"], alt)
    elif name == "bound":
        alt, picture = _bound(state["prevalence"], state["q"])
    else:
        marks = state.get("means", state.get("centers"))
        alt = f"Scatter plot of {len(state['X'])} points with {len(marks)} numbered starting places."
        picture = _scatter(state["X"], marks, state["names"], alt)
    return (
        f"{picture}<p>{html.escape(alt)} The moving version of this figure needs JavaScript, and a "
        "page that comes from a web server or a notebook with a running kernel.</p>"
    )
