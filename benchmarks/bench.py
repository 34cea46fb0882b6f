"""gmmlib against its peers, at equal work.

    python benchmarks/bench.py [--threads 1] [--repeats 5] [--only em|kmeans|memory|import]

Same data, same start, same number of iterations, in one process, in turn (A B A B ...),
medians of several rounds. What is quoted is the ratio of medians, peer / gmmlib: above
one, gmmlib is faster. Before anything is timed, both must reach the same answer.
Results go to benchmarks/results.md and results.json, with machine and versions.

The BLAS reads its number of threads when it is loaded, so each count has a process of its own.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import tracemalloc
import warnings
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent

# N, D, K, covariance type, EM iterations
EM = [
    (272, 2, 2, "full", 200),
    (10_000, 2, 3, "full", 60),
    (100_000, 10, 10, "full", 6),
    (1_000_000, 2, 5, "full", 3),
    (1_000_000, 8, 16, "full", 2),
    (200_000, 50, 20, "full", 2),
    (50_000, 100, 10, "full", 3),
    (1_000_000, 16, 32, "diag", 2),
    (100_000, 10, 10, "tied", 8),
    (100_000, 10, 10, "spherical", 8),
]
# N, D, K, iterations at most
KMEANS = [
    (272, 2, 2, 50),
    (10_000, 2, 3, 50),
    (100_000, 10, 10, 30),
    (1_000_000, 2, 5, 20),
    (1_000_000, 8, 16, 20),
    (200_000, 50, 20, 20),
    (50_000, 100, 10, 20),
    (1_000_000, 16, 32, 15),
]


def blobs(N, D, K):
    """N points in K overlapping clusters, and K of them to start from."""
    import numpy as np

    rng = np.random.default_rng(0)
    centers = 3 * rng.normal(size=(K, D))
    X = rng.normal(size=(N, D)) + centers[rng.integers(K, size=N)]
    return X, X[rng.choice(N, K, replace=False)]


def em_pair(N, D, K, kind, n_iter):
    """Two estimators ready to fit the same data from the same start, and that data."""
    import numpy as np
    from sklearn.mixture import GaussianMixture as Peer

    from gmmlib import GaussianMixture

    X, means = blobs(N, D, K)
    precision = 1 / X.var(axis=0)
    precisions = {
        "full": np.array([np.diag(precision)] * K),
        "tied": np.diag(precision),
        "diag": np.array([precision] * K),
        "spherical": np.full(K, precision.mean()),
    }[kind]
    start = {"weights_init": np.full(K, 1 / K), "means_init": means, "precisions_init": precisions}
    models = [c(K, covariance_type=kind, tol=0, max_iter=n_iter, **start) for c in (Peer, GaussianMixture)]
    return X, models


def kmeans_pair(N, D, K, n_iter):
    from sklearn.cluster import KMeans as Peer

    from gmmlib import KMeans

    X, centers = blobs(N, D, K)
    return X, [c(K, init=centers, n_init=1, tol=0, max_iter=n_iter) for c in (Peer, KMeans)]


def in_turn(calls, repeats):
    """Median seconds of each call, taken in turn; one round first that does not count."""
    seconds = [[] for _ in calls]
    for round_ in range(repeats + 1):
        for call, taken in zip(calls, seconds, strict=True):
            begin = time.perf_counter()
            call()
            if round_:
                taken.append(time.perf_counter() - begin)
    return [median(taken) for taken in seconds]


def compare_em(repeats):
    import numpy as np

    for N, D, K, kind, n_iter in EM:
        X, (peer, ours) = em_pair(N, D, K, kind, n_iter)
        peer.fit(X), ours.fit(X)
        np.testing.assert_allclose(ours.means_, peer.means_, rtol=1e-5, atol=1e-6)
        a, b = in_turn([lambda m=peer, x=X: m.fit(x), lambda m=ours, x=X: m.fit(x)], repeats)
        yield {"N": N, "D": D, "K": K, "kind": kind, "peer_ms": 1e3 * a / n_iter, "ours_ms": 1e3 * b / n_iter}


def compare_kmeans(repeats):
    import numpy as np

    for N, D, K, n_iter in KMEANS:
        X, (peer, ours) = kmeans_pair(N, D, K, n_iter)
        peer.fit(X), ours.fit(X)
        np.testing.assert_allclose(ours.inertia_, peer.inertia_, rtol=1e-6)
        a, b = in_turn([lambda m=peer, x=X: m.fit(x), lambda m=ours, x=X: m.fit(x)], repeats)
        yield {
            "N": N, "D": D, "K": K, "kind": "k-means",
            "peer_ms": 1e3 * a / peer.n_iter_, "ours_ms": 1e3 * b / ours.n_iter_,
        }  # fmt: skip


def compare_memory(_):
    for N in (100_000, 1_000_000):
        X, models = em_pair(N, 8, 16, "full", 1)
        for name, model in zip(("scikit-learn", "gmmlib"), models, strict=True):
            model.fit(X)  # once before, so that imports and caches do not count
            tracemalloc.start()
            model.fit(X)
            yield {"N": N, "library": name, "extra_MB": tracemalloc.get_traced_memory()[1] / 1e6}
            tracemalloc.stop()


def compare_import(repeats):
    modules = ("sklearn.mixture", "gmmlib")
    calls = [lambda m=m: subprocess.run([sys.executable, "-c", f"import {m}"], check=True) for m in modules]
    for module, seconds in zip(modules, in_turn(calls, repeats), strict=True):
        yield {"import": module, "seconds": seconds}


COMPARISONS = {"em": compare_em, "kmeans": compare_kmeans, "memory": compare_memory, "import": compare_import}


def measure(names, threads, repeats):
    """Run comparisons in a process with so many BLAS and OpenMP threads."""
    env = os.environ | {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, __file__, "--worker", "--repeats", str(repeats), "--only", *names]
    out = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def processor():
    """What the machine calls its processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())


def versions():
    import numpy
    import scipy
    import sklearn

    return {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "processor": processor(),
        "cores": os.cpu_count(),
    }


def table(rows):
    """A Markdown table of one comparison, with the geometric mean of the ratios."""
    lines = [
        "| N | D | K | | scikit-learn, ms/iteration | gmmlib, ms/iteration | ratio |",
        "|---:|---:|---:|---|---:|---:|---:|",
    ]
    product = 1.0
    for r in rows:
        ratio = r["peer_ms"] / r["ours_ms"]
        product *= ratio
        lines.append(
            f"| {r['N']} | {r['D']} | {r['K']} | {r['kind']} | {r['peer_ms']:.3g} | {r['ours_ms']:.3g} | {ratio:.2f} |"
        )
    return [*lines, "", f"Geometric mean of the ratios: **{product ** (1 / len(rows)):.2f}**."]


def report(results):
    lines = ["# gmmlib against scikit-learn", "", "Made by `make bench`. Ratios above one: gmmlib is faster.", ""]
    lines.append(", ".join(f"{k} {v}" for k, v in results["versions"].items()) + ".")
    for threads, found in results["threads"].items():
        for name in ("em", "kmeans"):
            if name in found:
                title = "EM" if name == "em" else "k-means (Lloyd)"
                lines += ["", f"## {title}, {threads} thread(s)", "", *table(found[name])]
    first = next(iter(results["threads"].values()))
    if "memory" in first:
        lines += ["", "## Extra peak memory of one fit, D = 8, K = 16, full", ""]
        lines += [f"- N = {r['N']}, {r['library']}: {r['extra_MB']:.0f} MB" for r in first["memory"]]
    if "import" in first:
        lines += ["", "## Import", "", *(f"- `import {r['import']}`: {r['seconds']:.2f} s" for r in first["import"])]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=COMPARISONS, default=list(COMPARISONS))
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        warnings.filterwarnings("ignore")  # fits are stopped on purpose
        found = {name: list(COMPARISONS[name](args.repeats)) for name in args.only}
        print(json.dumps(found))
        return
    results = {"versions": versions(), "threads": {}}
    for n, threads in enumerate(args.threads):
        names = [name for name in args.only if n == 0 or name in ("em", "kmeans")]
        results["threads"][str(threads)] = measure(names, threads, args.repeats)
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (HERE / "results.md").write_text(report(results))
    print(report(results))


if __name__ == "__main__":
    main()
