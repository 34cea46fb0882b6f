"""The loop: when it stops, what it reports, whom it asks for sums."""

import numpy as np
import pytest

from gmmlib.engine.run import run_em


class Path:
    """An iteration along given heights; the parameters are the place on the path."""

    def __init__(self, *heights):
        self.heights, self.asked = heights, []

    def __call__(self, place, gather):
        self.asked.append((place, gather))
        return self.heights[place], lambda: place + 1


@pytest.mark.parametrize(
    ("tol", "max_iter", "end", "converged"),
    [
        (0.5, 9, 4, True),  # the change to place 4 is less
        (2.0, 9, 3, True),  # a change of exactly tol goes on
        (0.5, 3, 3, False),
        (0.5, 4, 4, True),
        (0.5, 0, 0, False),
        (0.0, 5, 5, False),  # no change at all is not less than none
        (np.inf, 5, 1, True),
    ],
)
def test_the_loop_ends_when_little_changes_or_time_is_up(tol, max_iter, end, converged):
    path, said = Path(-9.0, -5.0, -3.0, -2.0, -1.75, -1.75, -1.75), []
    parts, trace, done = run_em(path, 0, tol, max_iter, lambda *words: said.append(words))
    assert (parts, done) == (end, converged)
    assert trace == list(path.heights[: end + 1])
    assert path.asked == [(i, i < max_iter) for i in range(end + 1)]
    assert said == [(i, trace[i], trace[i] - trace[i - 1]) for i in range(1, end + 1)]


def test_a_small_fall_is_a_small_change():
    assert run_em(Path(-1.0, -1.25, -9.0), 0, 0.5, 9)[2]
    assert run_em(Path(-1.0, -3.0, -2.9), 0, 0.5, 9)[1] == [-1.0, -3.0, -2.9]
