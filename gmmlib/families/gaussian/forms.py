"""How a sweep computes the E-step and the sums of the M-step.

**One product for all.** A Gaussian's log-density is linear in T(z) = (1, z, products of
z), so the E-step of all components is one matrix product, theta @ T, and the moments
are another, resp @ T.T. Its terms cancel when a mean lies many of its own standard
deviations from the origin, and in many dimensions T is long.

**Residuals where they count.** A component for which the product would not do is
computed around its own mean, where nothing large is subtracted, but only for the rows
that may be its own. Which these are the product says well enough: its error is far
below the 45 nats at which a responsibility is less than rounding. In many dimensions a
few columns say it: the squared distance in some of them is no larger than in all.

Derived in chapters 6 (E-step) and 9 (M-step).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ...engine.sweep import Form
from ...numerics import log_normalise
from .covariance import MATRIX, NEVER, SHARED, squared_distance
from .parameters import Moments
from .points import n_features

CANCELLATION_LIMIT = 1e7  # times 1e-16: nine digits of a log-density survive
RELEVANT = 45.0  # nats below the best of its row, a responsibility is less than rounding
LOST = 1e-210  # a smaller responsibility is none, even if all of a component's are
FEW = 16  # columns that may tell which rows a component needs
LOOKED_UP = 800  # multiplications that cost as much as to find a row and a component that count
ROUNDING = 4e-15  # of a sum of products, beside the largest: a bound from above
SUMS = {"tied": "full", "tied_spherical": "spherical"}  # what shared kinds sum around each mean


def mixture_form(params, relevant=RELEVANT):
    """The form that suits a mixture: its E-step, the sums of its M-step.

    Parameters
    ----------
    params : Components
    relevant : float
        Where residuals count, responsibilities this many nats below the best are zero.
    """
    K, D = params.means.shape
    if params.kind == "full" and 1.5 * screened_work(K, D, pairs=1) < natural_work(K, D):
        columns = telling_columns(params)  # it is worth to look closer
        view = params.marginal(columns)
        if screened_work(K, D, expected_pairs(view, D)) < natural_work(K, D):
            return screened_form(params, np.full(K, True), relevant, view, columns)
    lost = params.cancellation + params.spread
    if lost.max() <= CANCELLATION_LIMIT:
        return natural_form(params)
    return screened_form(params, (lost > CANCELLATION_LIMIT) | (params.kind in SHARED), relevant, params)


def natural_work(K, D):
    """Multiplications that a row needs in the two products."""
    return 2 * K * n_features("full", D)


def screened_work(K, D, pairs):
    """... and where a few columns tell which `pairs` of the row and a component count."""
    return K * n_features("full", FEW) + (1 + pairs) * (LOOKED_UP + D**2)


# ------------------------------------------------------- one product for all


def natural_form(params):
    """Every component by the one product."""
    theta, D = natural_parameters(params), params.means.shape[1]

    def respond(block):
        T = block.features()
        resp, log_density = log_normalise(_product(block, theta, T))
        return resp, log_density + shared_term(params, T[1 : D + 1])

    return Form(respond, natural_gather, moments_around(params.frame.origin), sum(theta.shape))


def natural_gather(block, resp):
    """The M-step's sums as one product."""
    return resp @ block.features().T  # eq-effective-count, first of all


def _product(block, theta, T):
    return np.matmul(theta, T, out=block.workspace.array("resp", (len(theta), len(block))))


class Triangle(NamedTuple):
    """The products of D coordinates, each pair once: row by row on and above the diagonal."""

    places: np.ndarray  # (P,), in the flat square
    factors: np.ndarray  # (P,): -1/2 for a square, -1 for a mixed product, which stands for two
    square: np.ndarray  # (D * D,): which product fills each place


@lru_cache
def triangle(D):
    """What goes where between D x D squares and triangles."""
    rows, cols = np.triu_indices(D)
    square = np.empty((D, D), int)
    square[rows, cols] = square[cols, rows] = np.arange(len(rows))
    return Triangle(rows * D + cols, np.where(rows == cols, -0.5, -1.0), square.ravel())


def natural_parameters(params):
    """theta (K, P) such that the log-joint is theta @ T, up to `shared_term`."""
    K, D = params.means.shape
    precision, means = params.precisions, params.offsets()
    theta = np.empty((K, n_features(params.kind, D)))
    if params.kind in MATRIX:
        linear = (precision @ means[:, :, None])[:, :, 0]
    else:
        linear = (precision[:, None] if params.kind == "spherical" else precision) * means
    theta[:, 0] = params.log_norm - 0.5 * (linear * means).sum(axis=1)
    theta[:, 1 : D + 1] = linear
    if params.kind == "full":
        places, factors, _ = triangle(D)
        np.multiply(precision.reshape(K, -1).take(places, axis=1), factors, out=theta[:, D + 1 :])
    elif params.kind in ("diag", "spherical"):
        theta[:, D + 1 :] = -0.5 * precision.reshape(K, -1)
    return theta


def shared_term(params, Z):
    """-z' Lambda z / 2 where one Lambda serves all: it cancels in responsibilities."""
    if params.kind not in SHARED:
        return 0.0
    return -0.5 * squared_distance(Z, params.roots)


# ------------------------------------------------- residuals where they count


def telling_columns(params):
    """The few columns in which components lie farthest apart for their width."""
    means, variances = params.offsets(), params.covs.diagonal(axis1=1, axis2=2)
    between = params.weights @ (means - params.weights @ means) ** 2
    return tuple(np.sort(np.argsort(between / (params.weights @ variances))[-FEW:]))


def expected_pairs(view, D):
    """To how many components a row may belong, as some of its D columns tell.

    The natural form is linear in T, so its mean over a component's points is that of T's mean.
    """
    means = view.offsets()
    second = view.covs + means[:, :, None] * means[:, None]
    products = second.reshape(len(means), -1)[:, triangle(view.means.shape[1]).places]
    T = np.concatenate([np.ones((len(means), 1)), means, products], axis=1)
    bounds, floor = natural_parameters(view) @ T.T, view.log_norm - 0.5 * D - RELEVANT
    return view.weights @ (bounds > floor).sum(axis=0)


def screened_form(params, own, relevant, view, columns=None):
    """The product for all; of some components it only says which rows are theirs.

    Parameters
    ----------
    params, relevant
        As in `mixture_form`.
    own : ndarray of shape (K,)
        True for the components that are computed around their own mean.
    view : Components
        What the product sees: `params`, or those of some columns.
    columns : tuple, optional
        Which columns these are.
    """
    (K, D), theta = params.means.shape, natural_parameters(view)
    # an upper bound of the log-joint
    theta[own, 0] += (ROUNDING * (view.cancellation + view.spread))[own]
    about = np.where(own[:, None], params.means, params.frame.origin)

    def respond(block):
        T = block.features(columns)
        log_joint = _product(block, theta, T)
        log_joint += shared_term(params, T[1 : D + 1])
        settle(block, params, own, log_joint, relevant)
        return log_normalise(log_joint)

    def gather(block, resp):
        sums = np.empty((K, n_features(SUMS.get(params.kind, params.kind), D)))
        if not own.all():
            np.matmul(resp, block.features().T, out=sums)
        for k in np.flatnonzero(own):
            sums[k] = own_sums(block, resp[k], about[k])
        return sums

    width = theta.shape[1] + 2 * K + 2 * D
    return Form(respond, gather, moments_around(about), width, np.count_nonzero(own))


def settle(block, params, own, log_joint, relevant):
    """Make bounds of the `own` components' log-joints values where they count, else nothing.

    The value of the highest bound is a floor under the row's best; whatever may lie
    less than `relevant` nats below is computed, too.
    """
    best = log_joint.max(axis=0)
    asked = log_joint == best
    floor = best - ROUNDING * params.spread.max() * np.abs(best)
    for k, rows in _asked(asked, own):
        log_joint[k, rows] = floor[rows] = exact_log_joint(block, params, k, rows)
    more = log_joint > floor - relevant
    more &= ~asked
    for k, rows in _asked(more, own):
        log_joint[k, rows] = exact_log_joint(block, params, k, rows)
    log_joint[own[:, None] & ~(asked | more)] = NEVER


def _asked(pairs, own):
    """Components and rows (m,) of the pairs (K, n) that are asked for."""
    for k in np.flatnonzero(own & pairs.any(axis=1)):
        yield k, np.flatnonzero(pairs[k])


def exact_log_joint(block, params, k, rows):
    """ln weight plus log-density (m,) of some rows under one component, around its own mean."""
    root = params.roots if params.kind in SHARED else params.roots[k]
    return params.log_norm[k] - 0.5 * squared_distance(block.residuals(rows, params.means[k]), root)


def own_sums(block, resp, about):
    """One component's sums (P,) of resp, resp y and resp times products of y = x - about."""
    rows = np.flatnonzero(resp > LOST)
    return weighted_sums(np.sqrt(resp[rows]), block.residuals(rows, about), block.points.kind)


def weighted_sums(root, y, kind):
    """Sums over rows y (D, m), of weights root**2, of one, y and what `fill_products` has."""
    y *= root
    if kind in MATRIX:
        products = (y @ y.T).ravel()[triangle(len(y)).places]
    else:
        products = np.einsum("dm,dm->d", y, y)
        products = products if kind == "diag" else [products.sum()]
    return np.concatenate([[root @ root], y @ root, products])


def form_around(respond, about, width):
    """The form that sums around one point, or one for each component, whatever the E-step."""

    def gather(block, resp):
        seen_from = np.broadcast_to(about, (len(resp), about.shape[-1]))
        return np.array([own_sums(block, *one) for one in zip(resp, seen_from, strict=True)])

    return Form(respond, gather, moments_around(about), width + 3 * about.shape[-1])


# ------------------------------------------------------- what the sums mean


def moments_around(about):
    """From the points and their sums (K, P) to Moments around one point or K."""

    def moments(points, sums):
        kind, D = points.kind, points.X.shape[1]
        counts, first, products = sums[:, 0], sums[:, 1 : D + 1], sums[:, D + 1 :]
        if not products.size:
            return Moments(about, counts, first, points.total)
        second = _unpacked(products, SUMS.get(kind, kind), D)
        second = second.sum(axis=0) if kind in SHARED else second
        return Moments(about, counts, first, second)

    return moments


def _unpacked(products, kind, D):
    """Sums of products (K, P) in the shape the structure's covariances have."""
    if kind == "spherical":
        return products[:, 0]
    if kind == "diag":
        return products
    return products.take(triangle(D).square, axis=1).reshape(-1, D, D)
