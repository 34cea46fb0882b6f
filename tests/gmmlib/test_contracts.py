"""What the library promises about itself: layers, imports, estimators' manners."""

import ast
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

import gmmlib
from gmmlib import GaussianMixture, KMeans

HOME = Path(gmmlib.__file__).parent

# Each layer may import those before it, never those after.
LAYERS = [
    ["numerics"],
    ["engine.sweep", "engine.run", "engine.acceleration"],
    ["families.gaussian.covariance"],
    ["families.gaussian.density", "families.gaussian.parameters", "families.gaussian.points", "selection.criteria"],
    ["selection.merging"],
    ["families.gaussian.forms"],
    ["families.gaussian.em"],
    ["functions"],
    ["families.gaussian.missing"],
    ["clustering.nearest"],
    ["clustering.lloyd", "clustering.seeding"],
    ["families.gaussian.initialisation"],
    ["estimators.base"],
    ["estimators.gaussian_mixture", "estimators.kmeans"],
    ["selection.tasks"],
    ["selection.resampling", "selection.uncertainty"],
    ["selection.table"],
    ["plotting"],
    ["explorers"],
]
APART = ["datasets"]
MODULES = {
    ".".join(path.relative_to(HOME).with_suffix("").parts): path
    for path in HOME.rglob("*.py")
    if path.stem != "__init__" and path.parent.name != "explorers"
} | {"explorers": HOME / "explorers" / "__init__.py"}


def imports_of(path):
    """(modules of gmmlib, top-level packages) that a file imports."""
    own, other = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1].relative_to(HOME).parts
            base = ".".join([*folder, *([node.module] if node.module else [])])
            own |= {f"{base}.{a.name}" if f"{base}.{a.name}" in MODULES else base for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            other.add(node.module)
        elif isinstance(node, ast.Import):
            other |= {a.name for a in node.names}
    return own, other


def test_every_module_has_a_layer():
    assert MODULES.keys() == {m for layer in LAYERS for m in layer} | set(APART)


@pytest.mark.parametrize("level", range(len(LAYERS)))
def test_imports_point_one_way(level):
    below = {m for layer in LAYERS[:level] for m in layer}
    for module in LAYERS[level]:
        own, _ = imports_of(MODULES[module])
        assert own <= below, f"{module} imports {own - below}, which is not below it"


def test_datasets_stands_apart():
    assert imports_of(HOME / "datasets.py")[0] == set()


def test_formulas_never_lean_on_the_referee():
    for module, path in MODULES.items():
        _, packages = imports_of(path)
        assert not {p for p in packages if p.startswith(("sklearn.mixture", "sklearn.cluster"))}, path.name
        if not module.startswith("estimators.") and module not in ("datasets", "selection.tasks"):
            assert not {p for p in packages if p.startswith("sklearn")}, path.name
        if path.stem != "plotting":
            assert not {p for p in packages if p.startswith("matplotlib")}, path.name


def test_importing_gmmlib_loads_nothing_heavy():
    heavy = ["matplotlib", "pandas", "ipywidgets", "anywidget", "sklearn"]
    code = f"import sys, gmmlib; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_every_public_name_exists_and_unknown_ones_are_refused():
    for name in gmmlib.__all__:
        assert getattr(gmmlib, name) is not None
    assert set(gmmlib.__all__) <= set(dir(gmmlib))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = gmmlib.nonsense


# What the peers' own common tests do not ask of the peers either.
EXPECTED_FAILURES = {
    "KMeans": {
        "check_sample_weight_equivalence_on_dense_data": "rows are shuffled in between, and a start draws rows by "
        "their place; tests/gmmlib/test_kmeans.py tests the law with rows in order"
    },
    "GaussianMixture": {},
}


def common_checks():
    for estimator in (GaussianMixture(), KMeans()):
        name = type(estimator).__name__
        for one, check in estimator_checks_generator(
            estimator, legacy=True, expected_failed_checks=EXPECTED_FAILURES[name], mark="skip"
        ):
            label = getattr(check, "func", check).__name__
            yield pytest.param(one, check, id=f"{name}-{label}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), list(common_checks()))
def test_scikit_learns_common_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("make", [lambda: GaussianMixture(2, random_state=0), lambda: KMeans(2, random_state=0)])
class TestManners:
    def test_input_is_neither_changed_nor_kept(self, rng, make):
        X, weight = rng.normal(size=(50, 2)), rng.uniform(size=50)
        before = X.copy(), weight.copy()
        X.setflags(write=False)
        model = make().fit(X, sample_weight=weight)
        model.predict(X)
        assert_array_equal(X, before[0])
        assert_array_equal(weight, before[1])
        assert not any(np.shares_memory(X, value) for value in vars(model).values() if isinstance(value, np.ndarray))

    def test_a_seed_reproduces_every_bit_and_the_global_generator_is_untouched(self, rng, make):
        X = rng.normal(size=(50, 2))
        np.random.seed(3)  # noqa: NPY002 (the generator under test)
        state = np.random.get_state()[1].copy()  # noqa: NPY002
        one, two = make().fit(X), clone(make()).fit(X)
        assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
        for name, value in vars(one).items():
            if isinstance(value, np.ndarray):
                assert_array_equal(value, getattr(two, name))

    def test_integers_and_booleans_are_the_same_numbers(self, rng, make):
        whole = rng.integers(0, 9, size=(60, 2))
        for X in (whole, whole.astype(np.int8), whole > 4):
            ours, real = make().fit(X), make().fit(X.astype(float))
            assert_array_equal(ours.predict(X), real.predict(X.astype(float)))
            assert_array_equal(ours.predict(X[:5]), real.predict(X[:5].astype(float)))
            assert ours.score(X) == real.score(X.astype(float))

    def test_layout_and_byte_order_do_not_matter(self, rng, make, tmp_path):
        X = rng.normal(size=(60, 4))
        expected = make().fit(X[:, ::2].copy()).predict(X[:, ::2].copy())
        np.save(tmp_path / "x.npy", X)
        mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
        for same in (
            X[:, ::2],
            np.asfortranarray(X[:, ::2]),
            X[:, ::2].astype(">f8"),
            X[:, ::2].tolist(),
            mapped[:, ::2],
        ):
            assert_array_equal(make().fit(same).predict(same), expected)

    def test_column_names_are_checked(self, rng, make):
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(rng.normal(size=(50, 2)), columns=["a", "b"])
        model = make().fit(frame)
        assert list(model.feature_names_in_) == ["a", "b"]
        with pytest.raises(ValueError, match="feature names"):
            model.predict(frame[["b", "a"]])
        plain = frame.to_numpy()
        with pytest.warns(UserWarning, match="fitted with feature names"):
            assert_array_equal(model.predict(plain), model.predict(frame))
        assert not hasattr(model.fit(plain), "feature_names_in_")


def test_float32_in_gives_float32_out_and_float64_between(rng):
    X = rng.normal(size=(200, 3)) + 100 * rng.integers(0, 2, size=(200, 1))
    single = X.astype(np.float32)
    ours = GaussianMixture(2, random_state=0, tol=1e-9).fit(single)
    real = GaussianMixture(2, random_state=0, tol=1e-9).fit(single.astype(float))
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        assert getattr(ours, name).dtype == np.float32
        assert_allclose(getattr(ours, name), getattr(real, name), rtol=2e-6, atol=1e-6)
    assert_allclose(ours.lower_bound_, real.lower_bound_, rtol=1e-12)


def test_lower_bound_is_the_score_and_the_trace_has_one_entry_an_iteration(rng):
    X = rng.normal(size=(80, 2))
    model = GaussianMixture(3, random_state=0, tol=1e-6, max_iter=500).fit(X)
    assert len(model.lower_bounds_) == model.n_iter_
    assert model.lower_bound_ == model.lower_bounds_[-1]
    assert_allclose(model.score(X), model.lower_bound_, rtol=1e-12)
    assert model.converged_


@pytest.mark.parametrize("kind", gmmlib.families.gaussian.covariance.COVARIANCE_TYPES)
def test_a_given_start_is_kept_exactly_when_no_iteration_is_allowed(rng, kind):
    from random_mixtures import random_mixture

    X, (weights, means, covs) = rng.normal(size=(50, 2)), random_mixture(rng, kind, 3, 2)
    precisions = np.linalg.inv(covs) if kind in ("full", "tied") else 1 / np.asarray(covs)
    model = GaussianMixture(
        3, covariance_type=kind, weights_init=weights, means_init=means, precisions_init=precisions, max_iter=0
    ).fit(X)
    assert_allclose(model.weights_, weights, rtol=1e-12)
    assert_allclose(model.means_, means, rtol=1e-12, atol=1e-12)
    assert_allclose(model.covariances_, covs, rtol=1e-10)
    assert_allclose(model.precisions_, precisions, rtol=1e-10)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-12)


def test_from_parameters_marginal_and_conditional_agree_with_the_joint(rng):
    from random_mixtures import random_mixture

    joint = GaussianMixture.from_parameters(*random_mixture(rng, "full", 3, 3))
    x = rng.normal(size=(5, 3))
    margin = joint.marginal([2])
    for row in x:
        rest = joint.conditional([2], row[2:])
        expected = margin.score_samples(row[None, 2:]) + rest.score_samples(row[None, :2])
        assert_allclose(joint.score_samples(row[None]), expected, rtol=1e-10)


def test_icl_is_bic_plus_twice_the_entropy(rng):
    X = rng.normal(size=(80, 2))
    model = GaussianMixture(2, random_state=0).fit(X)
    resp = model.predict_proba(X)
    entropy = -np.sum(resp * np.log(resp))
    assert_allclose(model.icl(X), model.bic(X) + 2 * entropy, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: gmmlib.n_parameters(0, 2), ValueError, "K must be at least 1, got 0"),
        (lambda: gmmlib.n_parameters(2, 1.5), ValueError, "D must be a whole number, got 1.5"),
        (lambda: gmmlib.bic(-1.0, 2, 0), ValueError, "N must be positive"),
        (lambda: gmmlib.icl(-1.0, 2, [0.5, 0.5]), ValueError, r"resp must be \(N, K\)"),
        (lambda: gmmlib.icl(-1.0, 2, [[0.5, 0.6]]), ValueError, "rows that sum to one"),
        (lambda: gmmlib.icl(-1.0, 2, [[1.5, -0.5]]), ValueError, "non-negative"),
        (
            lambda: gmmlib.sample_gaussian(np.random.default_rng(0), -1, [0.0], [[1.0]]),
            ValueError,
            "n must be at least",
        ),
        (lambda: gmmlib.sample_gaussian(np.random.default_rng(0), 2, 0.0, [[1.0]]), ValueError, r"mean must be \(D,\)"),
        (lambda: gmmlib.sample_gaussian(np.random.default_rng(0), 2, [0.0], np.eye(2)), ValueError, r"cov \(D, D\)"),
        (
            lambda: gmmlib.sample_mixture(np.random.default_rng(0), 2.5, [1.0], [[0.0]], [[[1.0]]]),
            ValueError,
            "n must be a whole number",
        ),
        (lambda: gmmlib.em(np.eye(2), [1.0], [[0.0, 0.0]], [np.eye(2)], max_iter=-1), ValueError, "max_iter must be"),
        (lambda: gmmlib.lloyd(np.eye(2), np.eye(2), max_iter=-1), ValueError, "max_iter must be at least 0"),
        (lambda: gmmlib.lloyd(np.eye(2), np.eye(2), tol=-1.0), ValueError, "tol must not be negative"),
        (lambda: gmmlib.kmeans_plusplus(np.eye(2), 1.5, None), ValueError, "K must be a whole number"),
    ],
)
def test_counts_and_shapes_are_checked_by_name(call, error, words):
    with pytest.raises(error, match=words):
        call()


FIT_IN_LITTLE_MEMORY = """
import re, resource, sys, warnings
from pathlib import Path
import numpy as np
from gmmlib import GaussianMixture, KMeans
warnings.filterwarnings("ignore")  # two iterations are not meant to converge
X = np.load(sys.argv[1], mmap_mode="r")
GaussianMixture(2, max_iter=1).fit(X[:1000]), KMeans(2).fit(X[:1000])
in_use = 1024 * int(re.search(r"VmData:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
resource.setrlimit(resource.RLIMIT_DATA, (in_use + X.nbytes // 2,) * 2)
try:
    X + 1.0
except MemoryError:
    print("a copy does not fit")
for kind in ("full", "tied", "diag", "spherical"):
    assert np.isfinite(GaussianMixture(2, covariance_type=kind, max_iter=2).fit(X).means_).all()
assert np.isfinite(KMeans(2, max_iter=3).fit(X).cluster_centers_).all()
print("done")
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux how much memory is in use")
def test_a_mapped_file_larger_than_the_memory_allowed_is_fitted(tmp_path, rng):
    N, D, piece = 1_000_000, 16, rng.normal(size=(10_000, 16))
    X = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=float, shape=(N, D))
    for i in range(0, N, len(piece)):
        X[i : i + len(piece)] = piece + 3 * (i % 20_000 == 0)
    X.flush()
    command = [sys.executable, "-c", FIT_IN_LITTLE_MEMORY, tmp_path / "x.npy"]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    )
    assert run.stdout.splitlines() == ["a copy does not fit", "done"], run.stderr


def threads():
    """How many threads the BLAS libraries may use."""
    from threadpoolctl import ThreadpoolController

    return {library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()}


@pytest.mark.parametrize("gaps", [False, True])
def test_fits_keep_the_blas_to_one_thread(rng, monkeypatch, gaps):
    """EM's blocks may be kept from sweep to sweep; its M-step is meant as well, and both steps of k-means."""
    from threadpoolctl import threadpool_limits

    X, seen = rng.normal(size=(60, 2)), []

    def spy(where, name):
        inner = getattr(where, name)
        monkeypatch.setattr(where, name, lambda *args: (seen.append(threads()), inner(*args))[1])

    spy(gmmlib.families.gaussian.parameters, "make_components")
    spy(gmmlib.clustering.nearest.Table, "nearest")
    spy(gmmlib.clustering.lloyd.Clusters, "means")
    start = np.full(2, 0.5), X[:2].copy(), np.array([np.eye(2)] * 2)
    calls = [
        lambda: GaussianMixture(2, random_state=0, init_params="random").fit(X),
        lambda: gmmlib.em(X, *start, max_iter=3),
        lambda: gmmlib.m_step(X, np.eye(2)[np.arange(60) % 2]),
        lambda: KMeans(2, init=X[:2].copy(), n_init=1).fit(X),
        lambda: gmmlib.lloyd(X, X[:2].copy()),
    ]
    if gaps:
        X[0, 0] = np.nan
        calls = [lambda: GaussianMixture(2, random_state=0, missing="em").fit(X)]
    with threadpool_limits(2, "blas"):
        if threads() != {2}:
            pytest.skip("this BLAS has a single thread")
        for call in calls:
            seen.clear()
            call()
            assert seen
            assert all(one == {1} for one in seen)
            assert threads() == {2}


def test_a_sweep_of_many_blocks_keeps_the_blas_to_one_thread_and_gives_the_others_back(rng, monkeypatch):
    from threadpoolctl import threadpool_limits

    em, engine = gmmlib.families.gaussian.em, gmmlib.engine.sweep
    monkeypatch.setattr(em, "HELD", 0)
    X, seen = rng.normal(size=(300, 2)), []
    points = em.make_points(X, "full")

    def form(respond):
        return engine.Form(respond, None, None, 6)

    with threadpool_limits(2, "blas"):
        if threads() != {2}:
            pytest.skip("this BLAS has a single thread")
        engine.sweep(points, form(lambda block: (seen.append(threads()), em.alone(block))[1]), gather=False)
        assert seen[0] == {1}
        assert threads() == {2}
        one, other = (points.blocks(form(em.alone)) for _ in range(2))
        next(one), next(other), one.close()
        assert threads() == {1}  # someone is still inside
        other.close()
        assert threads() == {2}
        with pytest.raises(ZeroDivisionError):
            engine.sweep(points, form(lambda block: 1 / 0))
        assert threads() == {2}


@pytest.mark.parametrize(
    ("N", "D", "K", "kind", "megabytes"),
    [(20_000, 2, 60, "diag", 16), (990, 50, 400, "diag", 60), (33_000, 2, 100, "tied_spherical", 8)],
)
def test_memory_beside_the_data_is_a_few_blocks_also_where_components_are_many(rng, N, D, K, kind, megabytes):
    X = rng.normal(size=(N, D))
    covs = np.ones(gmmlib.families.gaussian.covariance.covariance_shape(kind, K, D))
    for limit in (gmmlib.families.gaussian.forms.CANCELLATION_LIMIT, 0.0):  # one form and the other
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gmmlib.families.gaussian.forms, "CANCELLATION_LIMIT", limit)
            tracemalloc.start()
            gmmlib.em(X, np.full(K, 1 / K), X[:K], covs, kind, max_iter=1, reg_covar=0.1)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < megabytes * 1e6


@pytest.mark.parametrize(("D", "kind"), [(2, "full"), (40, "full"), (2, "tied"), (2, "diag")])
def test_an_e_step_is_read_in_twenty_functions_of_four_files(rng, D, kind):
    entered, X = set(), rng.normal(size=(50, D))
    covs = {"full": np.array([np.eye(D)] * 2), "tied": np.eye(D)}.get(kind, np.ones((2, D)))
    start = np.array([0.5, 0.5]), X[:2], covs
    gmmlib.e_step(X, *start, kind)  # finds the BLAS, once and for all

    def note(frame, event, _):
        if event == "call" and Path(frame.f_code.co_filename).is_relative_to(HOME):
            entered.add((frame.f_code.co_filename, frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        gmmlib.e_step(X, *start, kind)
    finally:
        sys.setprofile(before)
    assert 10 < len(entered) <= 20
    assert len({file for file, _ in entered}) <= 4
