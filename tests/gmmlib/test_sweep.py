"""One pass over the data, whatever the model: here the model is made up."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmlib.engine.sweep import Form, Workspace, sweep
from gmmlib.families.gaussian.em import make_points


def test_a_workspace_lends_the_same_memory_again_and_never_twice_at_a_time():
    workspace = Workspace()
    one, other = workspace.array("one", (3, 4)), workspace.array("other", (3, 4))
    assert one.shape == (3, 4)
    assert not np.shares_memory(one, other)
    assert np.shares_memory(one, workspace.array("one", (2, 6)))
    assert np.shares_memory(one, workspace.array("one", (2, 2)))
    assert not np.shares_memory(one, workspace.array("one", (5, 5)))
    assert workspace.array("nothing", (0, 3)).shape == (0, 3)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_sweep_returns_means_over_points_and_shows_every_block(rng, monkeypatch, weighted):
    monkeypatch.setattr("gmmlib.numerics.BLOCK", 1)
    X, weights = rng.normal(size=(500, 2)), rng.uniform(size=500)
    weights /= weights.sum()
    points = make_points(X, "full", weights if weighted else None)._replace(held=None)
    height, seen = rng.normal(size=500), np.zeros(500)

    def keep(rows, resp, log_density):
        seen[rows] += log_density
        assert resp.shape == (1, len(log_density))

    def respond(block):
        return np.ones((1, len(block))), height[block.rows]

    form = Form(respond, lambda block, resp: resp @ block.x, lambda points, sums: (points, sums), 1)
    (asked, sums), bound = sweep(points, form, keep=keep)
    assert asked is points
    assert_allclose(sums[0], weights @ X if weighted else X.mean(axis=0), rtol=1e-10, atol=1e-13)
    assert_allclose(bound, weights @ height if weighted else height.mean(), rtol=1e-10)
    assert_array_equal(seen, height)
    nothing, same = sweep(points, form, gather=False)
    assert nothing is None
    assert same == bound
