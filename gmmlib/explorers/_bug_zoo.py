"""The bug zoo of chapter 10: bugs after real ones, put into a copy of gmmlib one at a time, and the laws they break.

Each `source` was read: where the bug sat in another place than ours, it says so in brackets.

Nothing here is remembered: each bug changes a line of the source as it stands, in a copy that is imported
under another name, and every law is tried on that copy.
"""

import ast
import contextlib
import importlib
import shutil
import sys
import tempfile
import textwrap
import warnings
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np

PACKAGE = Path(__file__).parents[1]
SHORT = 5  # lines of a function in which one need not search
LEFT_OUT = ("__pycache__", "explorers", "*.js")
CASES = [
    {
        "name": "Every point is typical",
        "source": "ctgk/PRML, issues 23 and 29",
        "file": "families/gaussian/parameters.py",
        "old": "precisions = np.swapaxes(roots, -1, -2) @ roots if kind in MATRIX else roots**2",
        "new": "precisions = np.broadcast_to(covs, roots.shape) if kind in MATRIX else roots**2",
        "story": "A fit that everybody knows by heart comes out wrong, and no error is raised.",
        "moral": "A covariance stands where its inverse, the precision, belongs.",
    },
    {
        "name": "Fine in the plane",
        "source": "AlexanderFabisch/gmr, issue 57",
        "file": "families/gaussian/covariance.py",
        "old": "return log_weights + (log_det - 0.5 * D * LOG_2PI)",
        "new": "return log_weights + (log_det - LOG_2PI)",
        "story": "In two dimensions every number is right. A user who compares densities of four-dimensional "
        "points with another program finds that they differ by a constant factor.",
        "moral": "The constant is (2 pi)^(D/2); what stands here is right for D = 2 alone.",
    },
    {
        "name": "Infinitely good",
        "source": "rust-ml/linfa, issue 442",
        "file": "numerics.py",
        "old": "    top = log_joint.max(axis=0)\n",
        "new": "    top = np.zeros(log_joint.shape[1])\n",
        "story": "The tests pass. Then somebody fits a very tight component, and another has a point far from all.",
        "moral": "Log-sum-exp without its largest term: the exponential overflows, or stops at a floor.",
    },
    {
        "name": "Too wide by a step",
        "source": "mixtools, normalmixEM (there around the previous means, which has the same end)",
        "file": "families/gaussian/parameters.py",
        "old": "return second / counts[:, None, None] - shift[:, :, None] * shift[:, None, :]",
        "new": "return second / counts[:, None, None]",
        "story": "The first ellipses are too large.",
        "moral": "The covariance is taken around a point that is not the new mean.",
    },
    {
        "name": "Wider in more dimensions",
        "source": "ddbourgin/numpy-ml, issue 16 (there as the size of an array of sums)",
        "file": "families/gaussian/parameters.py",
        "old": "length, D = (shift**2).sum(axis=1), shift.shape[1]",
        "new": "length, D = (shift**2).sum(axis=1), 2",
        "story": "Old Faithful's fits with round components are right. On four measurements of penguins they are not.",
        "moral": "A 2 that was the number of dimensions of the author's example.",
    },
    {
        "name": "It takes an argument",
        "source": "jmschrei/pomegranate, issue 151",
        "file": "engine/sweep.py",
        "old": "                resp *= weights[block.rows]\n",
        "new": "                resp *= 1 / points.N\n",
        "story": "A user passes counts as weights. There is no error, and the answer does not depend on the counts.",
        "moral": "The weights are accepted and ignored.",
    },
    {
        "name": "The last shall be first",
        "source": "scikit-learn, issue 10869 (there the bound alone was that of the last start)",
        "file": "families/gaussian/initialisation.py",
        "old": "if best is None or climbed[1][-1] > best[1][-1]:",
        "new": "if best is None or climbed[1][-1] > best[1][0]:",
        "story": "More starts are asked for, and the result is sometimes worse than with one.",
        "moral": "A start's end is compared with where another began, so nearly always the last start is kept.",
    },
    {
        "name": "A thousand starts",
        "source": "scikit-learn, issue 7377",
        "file": "estimators/gaussian_mixture.py",
        "old": "self.n_components, self.init_params, given, reg + lost, rng)",
        "new": "self.n_components, self.init_params, given, reg + lost, np.random.default_rng(0))",
        "story": "n_init = 1000 takes a thousand times as long and finds what n_init = 1 finds.",
        "moral": "Each start draws the same random numbers.",
    },
    {
        "name": "Not where I put it",
        "source": "scikit-learn, issue 26415",
        "file": "families/gaussian/initialisation.py",
        "old": "return np.swapaxes(inverse, -1, -2) @ inverse",
        "new": "return inverse @ np.swapaxes(inverse, -1, -2)",
        "story": "A user hands over weights, means and precisions as the start, and later all is well.",
        "moral": "The triangular factor is used the wrong way round: right for every diagonal matrix.",
    },
    {
        "name": "A centre for nobody",
        "source": "scikit-learn, issue 25527",
        "file": "clustering/seeding.py",
        "old": "chance = share * nearest_sq",
        "new": "chance = nearest_sq",
        "story": "Two rows in a million millions count next to nothing, and yet a cluster starts at them.",
        "moral": "Weights count in every step but the choice of the start.",
    },
    {
        "name": "Far from home",
        "source": "scikit-learn 1.9, covariances of the kind diag",
        "file": "families/gaussian/density.py",
        "old": "cov = (share * centred.T) @ centred",
        "new": "cov = (share * X.T) @ X - np.outer(mean, mean)",
        "story": "Waits are counted from another zero, a hundred million minutes ago.",
        "moral": "The mean of squares minus the square of the mean: two large numbers whose difference is rounding.",
    },
    {
        "name": "Half a start",
        "source": "scikit-learn, issue 16944 (there in a start that is given, precisions_init)",
        "file": "families/gaussian/covariance.py",
        "old": "return 1 / np.sqrt(covs)",
        "new": "return 1 / covs",
        "story": "Fits with diagonal covariances are odd, those with full ones are right.",
        "moral": "A variance stands where a standard deviation belongs.",
    },
]


# ---------------------------------------------------------------- a copy with one line changed


@contextlib.contextmanager
def copy_of_gmmlib(case=None):
    """gmmlib's functions and its GaussianMixture, from a copy in which `case` has changed one line."""
    name = "gmmlib_in_the_zoo"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / name
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        if case:
            (copy / case["file"]).write_text(changed(case), encoding="utf-8")
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            package = importlib.import_module(name)
            estimator = importlib.import_module(f"{name}.estimators.gaussian_mixture").GaussianMixture
            names = ("e_step", "m_step", "em", "fit_gaussian", "kmeans_plusplus", "log_gaussian", "mixture_log_density")
            yield SimpleNamespace(GaussianMixture=estimator, **{each: getattr(package, each) for each in names})
        finally:
            sys.dont_write_bytecode = kept
            sys.path.remove(folder)
            for each in [each for each in sys.modules if each.partition(".")[0] == name]:
                del sys.modules[each]


def changed(case):
    """The text of the file with the bug in it; ValueError if the line is no longer there, once."""
    text = (PACKAGE / case["file"]).read_text(encoding="utf-8")
    if text.count(case["old"]) != 1:
        raise ValueError(f"{case['old']!r} stands {text.count(case['old'])} times in gmmlib/{case['file']}, not once")
    return text.replace(case["old"], case["new"])


def listing(case):
    """The function with the bug, without its docstring: its name, its lines, which is wrong, and the right line."""
    text = changed(case)
    line = text[: text.index(case["new"])].count("\n") + 1
    within = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    within = [node for node in within if node.lineno <= line <= node.end_lineno]
    # the innermost that is long enough for a game
    node = max((node for node in within if node.end_lineno - node.lineno > SHORT), key=lambda node: node.lineno)
    lines, right = text.split("\n"), (PACKAGE / case["file"]).read_text(encoding="utf-8").split("\n")
    first = node.body[0]
    skipped = range(first.lineno, first.end_lineno + 1) if ast.get_docstring(node) else ()
    numbers = [n for n in range(node.lineno, node.end_lineno + 1) if n not in skipped and lines[n - 1].strip()]
    shown = textwrap.dedent("\n".join(lines[n - 1] for n in numbers)).split("\n")
    return {"function": node.name, "lines": shown, "guilty": numbers.index(line), "right": right[line - 1].strip()}


# -------------------------------------------------------------------------------------- laws


@cache
def data():
    """Old Faithful (272, 2) and chapter 9's start, penguins (342, 4) and responsibilities (342, 3)."""
    from gmmlib.datasets import load_old_faithful, load_penguins

    penguins = load_penguins().X
    start = [0.5, 0.5], [[1.8, 84.0], [5.2, 57.0]], [np.diag([0.6, 90.0])] * 2
    thirds = np.argsort(np.argsort(penguins[:, 3], kind="stable"), kind="stable") * 3 // len(penguins)  # by mass
    return load_old_faithful().X, start, penguins, np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])[thirds]


def near(found, expected, rtol=1e-6):
    """Whether numbers agree, beside the largest of those expected."""
    return bool(np.allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max()))


def rows_sum_to_one(lib):
    X, start, _, _ = data()
    resp = lib.e_step(np.vstack([X, [[3.0, 680.0]]]), *start).resp
    return near(
        resp.sum(axis=1), np.ones(len(X) + 1)
    ), f"sums from {resp.sum(axis=1).min():.3g} to {resp.sum(axis=1).max():.3g}"


def density_integrates_to_one(lib):
    line, step = np.linspace(-8, 12, 401), 0.05
    one = (
        np.exp(lib.mixture_log_density(line[:, None], [0.3, 0.7], [[0.0], [3.0]], [[0.25], [1.5]], "diag")).sum() * step
    )
    axis, cov = np.linspace(-7, 7, 29), np.array([[1.0, 0.5, 0.0], [0.5, 1.5, 0.3], [0.0, 0.3, 0.8]])
    cube = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    three = np.exp(lib.mixture_log_density(cube, [0.4, 0.6], [[0.0, 0, 0], [1, -1, 0]], [cov, cov])).sum() * 0.5**3
    some, alone = cube[::97], ([1.0], np.zeros((1, 3)), cov[None])
    em_sees, sees = lib.em(some, *alone, max_iter=0).log_likelihoods[0], lib.mixture_log_density(some, *alone).sum()
    words = f"{one:.3g} in one dimension, {three:.3g} in three"
    if not near(em_sees, sees):
        return False, f"one log-likelihood is {sees:.5g} by the density and {em_sees:.5g} inside EM"
    return near([one, three], np.ones(2), 1e-4), words


def moments_are_those_of_the_data(lib):
    _, _, Y, resp = data()
    mean, cov, D = Y.mean(axis=0), np.cov(Y.T, bias=True), Y.shape[1]
    full, ball = lib.m_step(Y, resp), lib.m_step(Y, resp, "spherical")
    y = full.means - mean
    within = np.einsum("k,kde->de", full.weights, full.covs)
    total = within + (full.weights * y.T) @ y
    y = ball.means - mean
    trace = ball.weights @ (D * ball.covs + (y**2).sum(axis=1))
    times = np.trace(total) / np.trace(cov), trace / np.trace(cov)
    words = "variance {:.3g} (full) and {:.3g} (spherical) times the data's"
    holds = near(full.weights @ full.means, mean) and near(total, cov)
    return holds and near(trace, np.trace(cov)), words.format(*times)


def log_likelihood_never_falls(lib):
    X, start, Y, _ = data()
    ball = [1 / 3] * 3, Y[[0, 160, 300]], [Y.var()] * 3
    traces = [
        lib.em(X, *start, max_iter=15).log_likelihoods,
        lib.em(Y, *ball, "spherical", max_iter=15).log_likelihoods,
    ]
    fall = min(np.diff(trace).min() for trace in traces)
    return bool(fall > -1e-6), f"it falls by {-fall:.3g}"


def shift_moves_only_the_means(lib):
    X = data()[0]
    cov, far = lib.fit_gaussian(X)[1], lib.fit_gaussian(X + 1e8)[1]
    return near(
        far, cov, 1e-5
    ), f"at an offset of 1e8 the variance of the waits is {far[1, 1]:.3g}, not {cov[1, 1]:.3g}"


def units_do_not_matter(lib):
    _, _, Y, resp = data()
    mix, c = lib.m_step(Y, resp), 1e-120
    here, there = lib.e_step(Y, *mix), lib.e_step(c * Y, mix.weights, c * mix.means, c * c * mix.covs)
    with np.errstate(invalid="ignore"):
        gain = there.log_density.mean() - here.log_density.mean()
    return near(there.resp, here.resp) and near(
        gain, -4 * np.log(c)
    ), f"log-density gains {gain:.5g}, not {-4 * np.log(c):.5g}"


def far_points_have_a_density(lib):
    _, start, _, _ = data()
    point = np.array([[3.0, 2000.0]])
    found = lib.mixture_log_density(point, *start)[0]
    nearest = max(np.log(w) + lib.log_gaussian(point, m, S)[0] for w, m, S in zip(*start, strict=True))
    return near(found, nearest, 1e-3), f"log-density {found:.5g}; the nearest component alone has {nearest:.5g}"


def weights_are_copies(lib):
    X, times = data()[0], np.arange(272) % 4
    resp = np.random.default_rng(1).dirichlet([1, 1], len(X))
    many, copies = (np.repeat(rows, times, axis=0) for rows in (X, resp))
    one = lib.m_step(X, resp, sample_weight=times).means
    other = lib.m_step(many, copies).means
    if not near(one, other):
        words = "mean wait {:.4g} with weights, {:.4g} with copies"
        return False, words.format(one[0, 1], other[0, 1])
    for seed in range(5):
        start = lib.kmeans_plusplus(X, 4, seed, sample_weight=times)
        if not np.array_equal(start, lib.kmeans_plusplus(many, 4, seed)):
            return False, "the same fit, but k-means++ starts from other rows"
    return True, ""


def start_is_honoured(lib):
    X, start, _, _ = data()
    cov = np.cov(X.T)
    model = lib.GaussianMixture(
        2, weights_init=start[0], means_init=start[1], precisions_init=[np.linalg.inv(cov)] * 2, max_iter=0
    ).fit(X)
    words = f"variance of the wait {model.covariances_[0, 1, 1]:.4g}, given was {cov[1, 1]:.4g}"
    return near(model.covariances_[0], cov), words


def fits(lib, n_init, seeds=6):
    """Mean log-likelihoods of fits with some starts, seed by seed."""
    X, make = data()[0], {"init_params": "random_from_data", "tol": 1e-4, "max_iter": 300}
    return np.array(
        [lib.GaussianMixture(3, n_init=n_init, random_state=s, **make).fit(X).lower_bound_ for s in range(seeds)]
    )


def more_starts_are_never_worse(lib):
    worst = (fits(lib, 8) - fits(lib, 1)).min()
    return bool(worst > -1e-9), f"eight starts end {-len(data()[0]) * worst:.3g} below one"


def starts_differ(lib):
    spread = np.ptp(fits(lib, 1))
    return bool(spread > 1e-6), "six seeds, one and the same fit"


LAWS = {
    "Rows of responsibilities sum to one": rows_sum_to_one,
    "The density integrates to one": density_integrates_to_one,
    "After an M-step the mixture has the data's mean and variance": moments_are_those_of_the_data,
    "The log-likelihood never falls": log_likelihood_never_falls,
    "A shift of the data moves only the means": shift_moves_only_the_means,
    "Other units change nothing but the log-density's zero": units_do_not_matter,
    "Far away, the density is the nearest component's": far_points_have_a_density,
    "A weight of 3 is the row three times": weights_are_copies,
    "A given start is honoured": start_is_honoured,
    "More starts are never worse than one": more_starts_are_never_worse,
    "Other seeds give other starts": starts_differ,
}


def verdict(law, lib):
    """Nothing if a law holds, else in what way it is broken: an error counts as broken."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            holds, words = law(lib)
        except Exception as err:  # whatever a bug may raise
            return f"{type(err).__name__}: {str(err)[:80]}"
    return "" if holds else words


def trial(case=None):
    """What becomes of every law in a copy with the bug: its name and, where it is broken, in what way."""
    with copy_of_gmmlib(case) as lib:
        return {name: verdict(law, lib) for name, law in LAWS.items()}


@cache
def results():
    """Every case with its listing, and how it breaks each law (an empty string where it does not)."""
    told = ("name", "source", "story", "moral")
    return [{key: case[key] for key in told} | listing(case) | {"broken": list(trial(case).values())} for case in CASES]
