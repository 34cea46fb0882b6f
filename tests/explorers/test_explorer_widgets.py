"""The Python side of the explorers: what it emits, and what it refuses."""

import json
import re
import subprocess
import sys
from html import unescape

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmlib import explorers

ALL = [name for name in explorers.__all__ if name != "Explorer"]


@pytest.mark.parametrize("name", ALL)
def test_the_element_is_the_same_at_every_call_and_holds_finite_json(name):
    make = getattr(explorers, name)
    one, two = make().html(), make().html()
    assert one == two
    state = json.loads(unescape(re.search(r'data-state="([^"]*)"', one)[1]), parse_constant=pytest.fail)
    assert state
    assert "<svg" in one and "aria-label" in one  # noqa: PT018 (the still picture has words)
    assert len(one) < 30_000


@pytest.mark.parametrize("name", ALL)
def test_a_notebook_gets_a_widget_and_a_page_gets_the_element(name):
    explorer = getattr(explorers, name)()
    data, _ = explorer._repr_mimebundle_()
    assert data["text/html"] == explorer.html()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert not re.search(r"^\s*(import|export (?!default))", explorer._esm, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: explorers.gaussian(sd=0), "sd must be positive"),
        (lambda: explorers.gaussian(mean=float("nan")), "mean must be finite"),
        (lambda: explorers.mixture(means=[1.0]), "means must hold two or three"),
        (lambda: explorers.mixture(weights=[1.0, -1.0]), "weights must"),
        (lambda: explorers.em_stepper(means=[[0, 0, 0]]), "means must have shape"),
        (lambda: explorers.em_stepper(X=[[0.0, "a"]]), "X must be numeric"),
        (lambda: explorers.em_stepper(X=[[0.0, 1.0], [1.0, 0.0]]), "X must have 3 to 1000 rows"),
        (lambda: explorers.em_stepper(X=[[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]), "a constant column"),
        (lambda: explorers.em_stepper(names=["x"]), "names must be two strings"),
        (lambda: explorers.em_stepper(names=["x", 1]), "names must be two strings"),
        (lambda: explorers.em_stepper(means=[[0, 0]] * 4), "means must have 1 to 3 rows"),
        (lambda: explorers.kmeans_stepper(centers=[[0, 0]] * 7), "centers must have 1 to 6 rows"),
        (lambda: explorers.responsibility(weights=[1] * 3, means=[0, 1, 2], sds=[1] * 3), "means must hold two"),
        (lambda: explorers.responsibility(names=["one"]), "names must be two strings"),
        (lambda: explorers.sampler(names=["one"]), "names must be one string per component"),
        (lambda: explorers.sampler(sds=[1.0, 0.0]), "sds must be positive"),
        (lambda: explorers.sampler(seed=-1), "seed must be positive"),
        (lambda: explorers.likelihood([1.0, 2.0]), "x must have 3 to 1000 points"),
        (lambda: explorers.likelihood([[1.0, 2.0, 3.0]]), "x must have shape"),
        (lambda: explorers.likelihood([1.0, 2.0, float("nan")]), "x must be finite"),
        (lambda: explorers.likelihood([1.0, 2.0, 4.0]), "few must be a whole number from 2 to 3, got 5"),
        (lambda: explorers.likelihood([1.0, 2.0, 4.0], few=2.5), "few must be a whole number"),
        (lambda: explorers.likelihood([1.0, 1.0, 4.0], few=2), "the first 2 points are equal"),
        (lambda: explorers.likelihood(sd=0), "sd must be positive"),
        (lambda: explorers.likelihood(mean=float("inf")), "mean must be finite"),
        (lambda: explorers.weighted_points(X=np.eye(2)), "X must have 3 to 1000 rows"),
        (lambda: explorers.weighted_points(X=np.arange(20.0).reshape(10, 2)), "X must have 3 to 9 rows"),
        (lambda: explorers.weighted_points(weights=[1.0] * 6), "weights must have shape"),
        (lambda: explorers.weighted_points(weights=[6.0] + 6 * [1.0]), "weights must lie between 0 and 5"),
        (lambda: explorers.landscape(x=[1.0, 1.0]), "x must hold 2 to 200 different values"),
        (lambda: explorers.landscape(sd=0.0), "sd must be positive"),
        (lambda: explorers.landscape(ball=[1.0]), "ball must have shape"),
    ],
)
def test_a_bad_argument_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_k_means_standardises_the_book_s_data_and_leaves_yours_alone():
    own = explorers.kmeans_stepper().state
    assert_allclose(np.mean(own["X"], axis=0), 0, atol=1e-5)
    assert_allclose(np.std(own["X"], axis=0), 1, rtol=1e-5)
    assert own["names"] == ["eruption (sds)", "wait (sds)"]
    yours = [[0.0, 10.0], [2.0, 30.0], [1.0, 60.0]]
    state = explorers.kmeans_stepper(yours).state
    assert_array_equal(state["X"], yours)
    assert state["names"] == ["x", "y"]
    assert explorers.kmeans_stepper(yours, names=["a", "b"]).state["names"] == ["a", "b"]


def test_importing_gmmlib_does_not_load_widgets():
    code = "import sys, gmmlib; print('anywidget' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"
