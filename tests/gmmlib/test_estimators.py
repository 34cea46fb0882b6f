"""What the estimators say while they work, and that they are silent otherwise."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmlib import GaussianMixture, KMeans

X = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [13.0]])


@pytest.mark.parametrize("tol", [0.0, 1e-4])
def test_k_means_tells_every_inertia_and_why_it_stopped(capsys, tol):
    model = KMeans(2, init=[[0.0], [1.0]], n_init=1, tol=tol, verbose=1).fit(X)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Initialization complete"
    assert said[1:-1] == [f"Iteration {i}, inertia {inertia:.6g}." for i, inertia in enumerate(model.inertias_[:-1])]
    assert said[-1].startswith(f"Converged at iteration {model.n_iter_ - 1}: ")
    assert said[-1].endswith("within tolerance." if tol else "strict convergence.")


def test_k_means_stopped_early_does_not_claim_to_have_converged(capsys):
    KMeans(2, init="random", n_init=3, max_iter=1, random_state=0, verbose=1).fit(X)
    said = capsys.readouterr().out
    assert said.count("Initialization complete") == said.count("Iteration 0, inertia") == 3
    assert "Converged" not in said


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_mixture_tells_every_so_many_iterations_and_more_when_asked(capsys):
    options = {"tol": 0, "max_iter": 6, "verbose_interval": 2, "random_state": 0, "n_init": 2}
    GaussianMixture(2, verbose=1, **options).fit(X)
    assert capsys.readouterr().out == "".join(
        f"Initialization {start}\n  Iteration 2\n  Iteration 4\n  Iteration 6\n" for start in range(2)
    )
    model = GaussianMixture(2, verbose=2, **(options | {"n_init": 1})).fit(X)
    told = re.findall(r"Iteration (\d)\t log-likelihood (\S+), change (\S+)\n", capsys.readouterr().out)
    assert [int(n_iter) for n_iter, _, _ in told] == [2, 4, 6]
    for n_iter, bound, change in told:
        assert_allclose(float(bound), model.lower_bounds_[int(n_iter) - 1], rtol=1e-5)
        assert_allclose(float(change), np.diff(model.lower_bounds_)[int(n_iter) - 2], rtol=1e-2, atol=1e-12)
