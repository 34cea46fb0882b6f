"""The bug zoo: real bugs put back, one at a time, and the suite has to notice.

Each mutant changes one line of a copy of the package; the working tree is never
touched. A mutant that survives means that a test is missing, not that the mutant is.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import random_cov, random_mixture

import gmmlib
from gmmlib import GaussianMixture, KMeans, sample_gaussian

HERE = Path(__file__).parent
PACKAGE = Path(gmmlib.__file__).parent
ROOT = HERE.parents[1]
MUTANTS = tomllib.loads((HERE / "bug_zoo" / "mutants.toml").read_text(encoding="utf-8"))["mutant"]

# No plugin is needed here, and loading all of them takes longer than the tests.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "BUG_ZOO": "1"}
GUARD = """
from pathlib import Path
import gmmlib
if not Path(gmmlib.__file__).is_relative_to(Path(__file__).parent):
    raise RuntimeError(f"the tests would judge {gmmlib.__file__} instead of the copy")
"""


# Reads requests (folder, arguments, environment), one a line, and answers (exit code, what was printed). Each is run
# in a fork that finds what the tests import, but for gmmlib and the tests themselves, loaded.
SERVER = """
import io, json, os, sys, traceback
import hypothesis, matplotlib.figure, mpmath, numpy.testing, pandas, pytest
import scipy.optimize, scipy.special, scipy.stats, sklearn.cluster, sklearn.mixture, sklearn.utils.estimator_checks
assert "gmmlib" not in sys.modules
for line in sys.stdin:
    folder, arguments, environment = json.loads(line)
    with open(os.path.join(folder, "printed"), "w+b") as printed:
        child = os.fork()
        if not child:
            os.environ.update(environment)
            os.chdir(folder)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(printed.fileno(), 1)
            os.dup2(printed.fileno(), 2)
            sys.path[0] = folder
            code = 3
            try:
                code = int(pytest.main(arguments))
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        printed.seek(0)
        print(json.dumps([code, printed.read().decode(errors="replace")]), flush=True)
"""


@cache
def server():
    """One for all mutants of a worker; it ends with its input, when the worker ends."""
    return subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=HERE.anchor,  # nothing to import there
        env=os.environ | ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def judge(copy, tests):
    """Run tests against the package below `copy`; pytest's exit code and what it printed."""
    (copy / "zoo_guard.py").write_text(GUARD)
    quiet = ["-x", "-q", "-p", "no:cacheprovider", "-p", "zoo_guard", "--tb=line"]
    path = ["-o", f"pythonpath={copy}"]  # pyproject's own begins with the tree that is not to be judged
    arguments = [*quiet, "-c", str(ROOT / "pyproject.toml"), *path, *(str(HERE / t) for t in tests)]
    environment = ENVIRONMENT | {"PYTHONPATH": str(copy)}
    if sys.platform == "linux":  # elsewhere a fork is not to be had, or not to be trusted with loaded libraries
        server().stdin.write(json.dumps([str(copy), arguments, environment]) + "\n")
        server().stdin.flush()
        return tuple(json.loads(server().stdout.readline()))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=copy,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def copied(home):
    shutil.copytree(PACKAGE, home / "gmmlib", ignore=shutil.ignore_patterns("__pycache__"))
    return home


def must_be_caught(home, mutant):
    """Change the copy, and see its tests fail: not pass, not be missing, not break on import."""
    path = copied(home) / "gmmlib" / mutant["file"]
    text = path.read_text(encoding="utf-8")
    found = text.count(mutant["old"])
    assert found == 1, (
        f"bug_zoo/mutants.toml: the text to replace stands {found} times in gmmlib/{mutant['file']}, not once: "
        f"{mutant['old']!r}. The library has changed; bring the mutant up to date."
    )
    path.write_text(text.replace(mutant["old"], mutant["new"]), encoding="utf-8")
    code, output = judge(home, mutant["caught_by"])
    assert code != 0, f"the suite did not notice that {mutant['name']} ({mutant['story']})\n{output}"
    assert code == 1, f"the tests did not run (exit code {code})\n{output}"


def names(mutants):
    return [m["name"].replace(" ", "-") for m in mutants]


# Two classes, because test runners hand out work by class: two workers share the zoo.
class TestFirstHalfOfTheZoo:
    @pytest.mark.parametrize("mutant", MUTANTS[::2], ids=names(MUTANTS[::2]))
    def test_the_suite_notices_when(self, mutant, tmp_path):
        must_be_caught(tmp_path, mutant)


class TestSecondHalfOfTheZoo:
    @pytest.mark.parametrize("mutant", MUTANTS[1::2], ids=names(MUTANTS[1::2]))
    def test_the_suite_notices_when(self, mutant, tmp_path):
        must_be_caught(tmp_path, mutant)


class TestTheZooItself:
    def test_the_unchanged_copy_passes_every_test_that_catches_a_mutant(self, tmp_path):
        tests = sorted({t for mutant in MUTANTS for t in mutant["caught_by"]})
        code, output = judge(copied(tmp_path), tests)
        assert code == 0, output

    def test_there_are_at_least_25_mutants_and_each_has_a_name_and_a_story(self):
        assert len(MUTANTS) >= 25
        assert len({m["name"] for m in MUTANTS}) == len(MUTANTS)
        assert len({(m["file"], m["old"], m["new"]) for m in MUTANTS}) == len(MUTANTS)
        assert all(m["story"] and m["caught_by"] and m["old"] != m["new"] for m in MUTANTS)


class TestWhatTheOtherFilesDoNotAsk:
    """Found missing by mutants that got away."""

    def test_restarts_start_from_different_places(self, rng):
        X = rng.normal(size=(60, 2))
        for make in (
            lambda n, seed: KMeans(6, init="random", n_init=n, random_state=seed),
            lambda n, seed: GaussianMixture(
                5, init_params="random_from_data", n_init=n, random_state=seed, tol=0.1, covariance_type="diag"
            ),
        ):
            gains = [make(8, seed).fit(X).score(X) - make(1, seed).fit(X).score(X) for seed in range(6)]
            assert max(gains) > 1e-3

    @pytest.mark.parametrize("D", [2, 3])
    def test_the_stored_factor_gives_the_precision_and_is_upper_triangular(self, rng, kind, D):
        model = GaussianMixture.from_parameters(*random_mixture(rng, kind, 4, D), kind)
        P = model.precisions_cholesky_
        if kind in ("full", "tied"):
            assert_array_equal(P, np.triu(P))
            assert_allclose(P @ np.swapaxes(P, -1, -2), np.linalg.inv(model.covariances_), rtol=1e-9, atol=1e-12)
        else:
            assert_allclose(P**2, 1 / model.covariances_, rtol=1e-12)
        assert_allclose(model.precisions_, P @ np.swapaxes(P, -1, -2) if P.ndim > 1 and kind != "diag" else P**2)

    def test_predict_names_the_likeliest_component(self):
        model = GaussianMixture.from_parameters([0.2, 0.3, 0.5], [[0.0], [10.0], [20.0]], np.ones((3, 1, 1)))
        assert_array_equal(model.predict([[19.0], [1.0], [11.0]]), [2, 0, 1])

    @pytest.mark.parametrize("coverage", [0.39346934, 0.5, 0.9])
    def test_an_ellipse_holds_the_share_of_points_it_claims(self, rng, coverage):
        from matplotlib.figure import Figure

        from gmmlib.plotting import ellipse

        mean, cov = np.array([3.0, -1.0]), random_cov(rng, 2) * [[9, 3], [3, 1]]
        patch = ellipse(Figure().subplots(), mean, cov, coverage)
        outline = patch.get_patch_transform().transform_path(patch.get_path())
        inside = outline.contains_points(sample_gaussian(rng, 20_000, mean, cov))
        assert_allclose(inside.mean(), coverage, atol=0.015)

    def test_labels_belong_to_the_centres_returned_even_when_stopped_early(self, rng):
        X = rng.normal(size=(300, 2))
        for max_iter in (1, 2, 3):
            model = KMeans(6, init=X[:6], n_init=1, max_iter=max_iter).fit(X)
            assert_array_equal(model.labels_, ((X[:, None] - model.cluster_centers_) ** 2).sum(axis=2).argmin(axis=1))
