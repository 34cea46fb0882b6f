"""The Python side of the explorers: what it emits, and what it refuses."""

import json
import re
import subprocess
import sys
from html import unescape

import pytest

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
    ],
)
def test_a_bad_argument_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_importing_gmmlib_does_not_load_widgets():
    code = "import sys, gmmlib; print('anywidget' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"
