"""EM for a Gaussian mixture: a sweep, an M-step, and a second look where sums cancel.

Chapter 9 derives both steps; what is said here of coordinates is about digits alone.
"""

import numpy as np

from ...engine.sweep import sweep
from ...numerics import Frame
from . import forms
from .covariance import ROUND, SHARED
from .forms import form_around, mixture_form
from .parameters import maximise, new_means
from .points import HELD, Points, n_features

FEW = 8  # components, where the number is not known yet
FAINT = 1e-9  # of the data: to a component with less, what is rounding to others may be much
EVERYTHING = 700.0  # nats: `log_normalise` ends there


def make_points(X, kind, row_weights=None):
    """Choose coordinates for the rows of `X`; tied kinds also need their scatter once."""
    frame = Frame.of_points(X, isotropic=kind in ROUND)
    points = Points(X, row_weights, kind, frame)
    if kind in SHARED:
        points = points._replace(total=scatter(points))
    if len(X) * n_features(kind, X.shape[1]) <= HELD:
        points = points._replace(held={})
    return points


def scatter(points):
    """Second moments of all points around the frame's origin."""
    return sweep(points, form_around(alone, points.frame.origin, 1))[0].second


def alone(block):
    """The E-step of a single component: every point is wholly its own."""
    return np.ones((1, len(block))), np.zeros(len(block))


def given(resp):
    """An E-step that looks responsibilities (N, K) up instead of computing them."""
    return lambda block: (resp[block.rows].T.copy(), np.zeros(len(block)))


# ------------------------------------------------------------------- EM's two steps


def expect(points, params, gather=True):
    """One sweep of the E-step at `params`.

    Returns
    -------
    form : Form
        What it was computed with.
    moments : Moments or None
        What the M-step needs, if `gather` asks for it.
    bound : float
        Mean log-likelihood in the frame's units.
    """
    form = mixture_form(params)
    moments, bound = sweep(points, form, gather)
    if gather and moments.counts.min() < FAINT and (moments.counts[params.weights > 0] < FAINT).any():
        form = mixture_form(params, EVERYTHING)
        moments, bound = sweep(points, form)
    return form, moments, bound


def update(points, moments, reg, again, old=None):
    """The M-step, redone around the new means when the first sums cancel.

    Parameters
    ----------
    points : Points
    moments : Moments
        What a sweep has gathered.
    reg : ndarray of shape (D,)
        Added once to every variance, in the frame's units.
    again : callable
        From K points to Moments around them, of the same sweep.
    old : Components, optional
        The parameters of the E-step.

    Returns
    -------
    Components
    """
    try:
        new = maximise(points.kind, points.frame, moments, reg, old)
        if new.cancellation_around(moments.about).max() <= forms.CANCELLATION_LIMIT:
            return new
    except ValueError:  # perhaps only rounding made a covariance singular: the second look decides
        pass
    means = new_means(points.frame, moments, old)
    return maximise(points.kind, points.frame, again(means), reg, old)


def again_around(points, form):
    """From K points to Moments around them, by another sweep of the same E-step."""
    return lambda about: sweep(points, form_around(form.respond, about, form.width))[0]


def m_step_from(points, respond, reg):
    """The M-step for responsibilities that do not come from parameters."""
    form = form_around(respond, points.frame.origin, FEW)
    return update(points, sweep(points, form)[0], reg, again_around(points, form))


def em_map(points, reg):
    """One iteration of EM on complete data, for `run_em`.

    Returns
    -------
    callable
        From Components to their mean log-likelihood (in x's units) and a function
        that returns the next Components (if `gather` asked for its sums).
    """

    def iterate(params, gather=True):
        form, moments, bound = expect(points, params, gather)
        again = again_around(points, form)
        return bound - points.log_volume, lambda: update(points, moments, reg, again, params)

    return iterate
