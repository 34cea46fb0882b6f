"""gmmlib against its peers: time, and how good the answers are.

    python benchmarks/bench.py [--threads 1 2] [--repeats 20] [--seeds 20] [--patience 10]
                               [--only fits iterations memory import]
                               [--peers scikit-learn mclust Armadillo mlpack pomegranate faiss]
                               [--quick | --report | --resume]

**fits** are whole fits as users call them: default arguments, one seed after the other,
beside scikit-learn's; what each fit reaches (mean log-likelihood or inertia) is judged by
scipy and by scikit-learn's metrics, for both.

**iterations** are equal work: every library has the same start and makes the same number
of iterations, as many as EM needs to converge from k-means' clusters, or k-means from its
centres. Before anything is timed, all must have made as many as asked; who has not reached
gmmlib's answer is left out. A peer that is not installed is named, with how to install it.

Each library has a process of its own, and they run in turn (A B C A B C ...). A row ends
after --seeds or --repeats rounds, or with three of them once --patience (seconds) is over.
Short runs depend on where a process finds its memory, so there the rounds of a row are
shared by four processes a library, one after the other.
What is quoted is the ratio of medians, peer / gmmlib: above one, gmmlib is faster.

Results go to benchmarks/results.json; from it come results.md, which the book's page on
benchmarks includes, and its figures (report.py). --quick tries small workloads with one
thread and keeps nothing; --report makes page and figures anew from results.json. Every row
is kept in _build/benchmark.json as soon as it is there; --resume measures only what that
file lacks.

A BLAS reads its number of threads when it is loaded, which is why each count of threads,
too, has its processes.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from statistics import median

from peers import OURS, PEERS, Worker, can, prepare
from report import HERE, number, ratio, report, write
from workloads import QUICK, WORKLOADS, data, scattered, start

SKLEARN = "scikit-learn"
TIMED = ["fits", "iterations"]
ONLY = [*TIMED, "memory", "import"]
KEPT = HERE.parent / "_build" / "benchmark.json"
SHORT = 0.02  # seconds; of shorter fits, waking up and the place of the memory are a part
PROCESSES = 4  # of a library share the rounds of a row with short fits
TOL, MOST = 1e-4, 50  # where a trajectory ends: EM's gain a row, or so many iterations


def tell(*words):
    print(*words, file=sys.stderr, flush=True)


def in_turn(opened, most, patience, renew=lambda rounds: False):
    """What each call returned, a list each; called in turn with the number of the round.

    `opened()` holds the calls as long as it is open; where `renew(rounds)` says so, it is opened anew.
    """
    rounds, spent = [], 0.0

    def enough():
        return len(rounds) >= most or (len(rounds) >= 3 and spent >= patience)

    while not enough():
        with opened() as calls:
            while not enough():
                begin = time.monotonic()
                rounds.append([call(len(rounds)) for call in calls])
                spent += time.monotonic() - begin
                if renew(rounds):
                    break
    return [list(found) for found in zip(*rounds, strict=True)]


def steady(call):
    """One Run, or the median of nine where a fit is so short that waking up would count."""
    first = call()
    return first if first.wall > SHORT else sorted(call() for _ in range(9))[4]


def rounded(value):
    return float(f"{value:.6g}")


def timings(opened, call, most, patience):
    """{"wall", "cpu", "n_iter", "quality": {library: values of every round}}, the workers of `opened()` in turn."""

    @contextmanager
    def calls():
        with opened() as workers:
            yield [lambda i, w=w: (w.name, steady(lambda: call(w, i))) for w in workers]

    def renew(rounds):
        return len(rounds) % -(-most // PROCESSES) == 0 and all(run.wall < SHORT for _, run in rounds[-1])

    found = {}
    for named in in_turn(calls, most, patience, renew):
        for field in ("wall", "cpu", "n_iter", "quality"):
            values = [getattr(run, field) for _, run in named]
            if None not in values:
                found.setdefault(field, {})[named[0][0]] = [rounded(value) for value in values]
    return found


def check(worker, X, K, n_iter, task):
    """The answer of one run that is not timed: EM's means in standard deviations, or the sum of squares."""
    from sklearn.metrics import pairwise_distances_argmin_min

    done = worker.run(n_iter).n_iter
    if done != n_iter:
        raise RuntimeError(f"{worker.name} made {done} iterations of {n_iter}")
    means = worker.means(K, X.shape[1])
    if task == "em":
        return (means - X.mean(axis=0)) / X.std(axis=0)
    return pairwise_distances_argmin_min(X, means, metric="sqeuclidean")[1].sum()


def agreeing(answers):
    """The libraries that reached gmmlib's answer: no other is timed. Without scikit-learn's, nothing is."""
    import numpy as np

    names = []
    for name, answer in answers.items():
        within = PEERS[name].tolerance
        if np.allclose(answer, answers[OURS], rtol=within, atol=within):
            names.append(name)
        elif name == SKLEARN:
            raise RuntimeError(f"{name} and {OURS} reached different answers")
        else:
            tell(f"{name} reached another answer than {OURS}, so it is left out of the next row")
    return names


def to_convergence(X, task, kind, K, begin):
    """Iterations from the start to convergence, less the last of k-means, which moves nothing and which some skip."""
    import numpy as np

    from gmmlib import GaussianMixture, lloyd

    if task == "kmeans":
        return max(1, lloyd(X, begin[1], MOST + 1).n_iter - 1)
    weights, means, covs = begin
    inverse = np.linalg.inv(covs) if kind in ("full", "tied") else 1 / covs
    given = {"weights_init": weights, "means_init": means, "precisions_init": inverse}
    return GaussianMixture(K, covariance_type=kind, tol=TOL, reg_covar=0, max_iter=MOST, **given).fit(X).n_iter_


def compare(section, task, workload, commands, threads, options):
    """A row of the results, and the libraries' versions."""
    import numpy as np

    name, N, D, K, kind = workload
    X = data(name, N, D, K)
    whole = section == "fits"
    if task == "kmeans":
        begin = np.empty(0), scattered(X, K), np.empty(0)
    elif whole:  # which has a start of its own
        begin = np.full(K, 1 / K), X[:K], np.broadcast_to(np.eye(D), (K, D, D))
    else:
        begin = start(X, K, kind)
    names = [one for one in commands if can(one, task, kind) and (not whole or one in (OURS, SKLEARN))]
    versions = {}
    with tempfile.TemporaryDirectory() as folder:
        for part, array in zip(("X", "weights", "means", "covs"), (X, *begin), strict=True):
            np.asarray(array, dtype=float).tofile(Path(folder) / part)

        @contextmanager
        def opened():
            with ExitStack() as stack:
                workers = []
                for one in names:
                    worker = Worker(one, commands[one], folder, (task, kind, N, D, K), threads)
                    workers.append(stack.enter_context(closing(worker)))
                    versions[one] = worker.version
                yield workers

        row = {"data": name, "N": N, "D": D, "K": K, "kind": kind}
        if whole:
            return row | timings(opened, Worker.fit, options.seeds, options.patience), versions
        row["n_iter"] = n_iter = to_convergence(X, task, kind, K, begin)
        with opened() as workers:
            names = agreeing({worker.name: check(worker, X, K, n_iter, task) for worker in workers})
        found = timings(opened, lambda w, i: w.run(n_iter), options.repeats, options.patience)
        return row | {clock: found[clock] for clock in ("wall", "cpu")}, versions


def measure_memory(quick):
    """Peak of what a fit of one iteration allocates; the data are not counted, the file's pages neither."""
    import numpy as np

    from gmmlib import GaussianMixture, KMeans

    warnings.filterwarnings("ignore")  # fits are stopped on purpose
    D, K, rows = 8, 16, []
    sizes = [("em", 10_000, 0)] if quick else [("em", 100_000, 0), ("em", 1_000_000, 0), ("kmeans", 1_000_000, 0)]
    for task, N, mapped in [*sizes, ("em", 20_000 if quick else 4_000_000, 1)]:
        X = data("round", N, D, K)
        means = X[:K]
        variances = 1 / X.var(axis=0)
        ours, peer = (GaussianMixture, KMeans), sklearn_models()
        with tempfile.TemporaryDirectory() as folder:
            if mapped:
                np.save(Path(folder) / "X.npy", X)
                del X
                X = np.load(Path(folder) / "X.npy", mmap_mode="r")
            for name, (mixture, kmeans) in (("scikit-learn", peer), (OURS, ours)):
                model = kmeans(K, init=means, n_init=1, tol=0, max_iter=1)
                if task == "em":
                    precisions = np.array([np.diag(variances)] * K)
                    first = {"weights_init": np.full(K, 1 / K), "means_init": means, "precisions_init": precisions}
                    model = mixture(K, tol=0, max_iter=1, **first)
                model.fit(X[:1000])  # once before, so that imports and caches do not count
                tracemalloc.start()
                model.fit(X)
                extra = tracemalloc.get_traced_memory()[1] / 1e6
                tracemalloc.stop()
                rows.append({"task": task, "N": N, "mapped": bool(mapped), "library": name, "extra_MB": extra})
            del X, model
    return rows


def sklearn_models():
    from sklearn.cluster import KMeans
    from sklearn.mixture import GaussianMixture

    return GaussianMixture, KMeans


def measure_import(repeats):
    def seconds(module):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        return time.perf_counter() - begin

    modules = ("sklearn.mixture", OURS)
    for module in modules:
        seconds(module)  # from then on the files are in the system's memory
    calls = [lambda i, m=m: seconds(m) for m in modules]
    found = in_turn(lambda: nullcontext(calls), repeats, 60)
    return [{"import": module, "seconds": median(some)} for module, some in zip(modules, found, strict=True)]


def processor():
    """What the machine calls its processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())


def machine():
    import numpy
    import scipy

    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "packages": {
            "Python": platform.python_version(),
            "numpy": numpy.__version__,
            "scipy": scipy.__version__,
        },
    }


def asked(sections, quick):
    """(section, task, workload) of all that is to be timed."""
    every = [(s, task, w) for s in TIMED if s in sections for task, rows in WORKLOADS[s].items() for w in rows]
    return [work for work in every if not quick or work[2][:2] in QUICK]


def rows_of(results, threads, section, task):
    """The rows of one section, to be read and added to."""
    return results["threads"].setdefault(str(threads), {}).setdefault(section, {}).setdefault(task, [])


def workload_of(row):
    return tuple(row[part] for part in ("data", "N", "D", "K", "kind"))


def measure(options):
    """Run what was asked for, telling on standard error how far it is."""
    results = {"versions": {}, "threads": {}}
    if options.resume and KEPT.exists():
        results = json.loads(KEPT.read_text())
    results["machine"] = machine()
    work = [(threads, *rest) for threads in options.threads for rest in asked(options.only, options.quick)]
    work = [(*where, one) for *where, one in work if one not in map(workload_of, rows_of(results, *where))]
    with tempfile.TemporaryDirectory() as folder:
        commands = {}
        for name in [OURS, *options.peers] if work else []:
            command = prepare(name, folder)
            if command:
                commands[name] = command
            else:
                tell(f"{name} is not installed, so it is left out; to have it: {PEERS[name].install}.")
        for threads, section, task, workload in work:
            every = WORKLOADS[section][task]
            row, versions = compare(section, task, workload, commands, threads, options)
            rows = rows_of(results, threads, section, task)
            rows.append(row)
            rows.sort(key=lambda row: every.index(workload_of(row)))
            results["versions"] |= versions
            keep(results, options)
            tell(threads, section, task, *workload, {n: number(ratio(row, n)) for n in row["wall"] if n != OURS})
    if "memory" in options.only and "memory" not in results:  # a process that has loaded nothing else
        command = [sys.executable, __file__, "--memory", *(["--quick"] if options.quick else [])]
        results["memory"] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    if "import" in options.only and "import" not in results:
        results["import"] = measure_import(options.repeats)
    results["threads"] = dict(sorted(results["threads"].items()))
    keep(results, options)
    return results


def keep(results, options):
    """Write down what there is so far, unless nothing is to be kept."""
    if not options.quick:
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(results))


def main():
    peers = [name for name in PEERS if name != OURS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=20, help="rounds of equal work, at most (20)")
    parser.add_argument("--seeds", type=int, default=20, help="whole fits, at most (20)")
    parser.add_argument("--patience", type=float, default=10, help="seconds after which three rounds are enough (10)")
    parser.add_argument("--only", nargs="+", choices=ONLY, default=ONLY)
    parser.add_argument("--peers", nargs="+", choices=peers, default=peers, help="where installed (all)")
    parser.add_argument("--quick", action="store_true", help="small workloads, one thread, and nothing is kept")
    parser.add_argument("--report", action="store_true", help="measure nothing; page and figures from results.json")
    parser.add_argument("--resume", action="store_true", help="measure what _build/benchmark.json lacks")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print(json.dumps(measure_memory(options.quick)))
        return
    if options.quick:
        options.threads, options.repeats, options.seeds, options.patience = [1], 3, 5, 1
    if options.report:
        results = json.loads((HERE / "results.json").read_text())
    else:
        results = measure(options)
    if not options.quick:
        write(results)
    print(report(results))


if __name__ == "__main__":
    main()
