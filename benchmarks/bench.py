"""gmmlib against its peers, at equal work.

    python benchmarks/bench.py [--threads 1 2] [--repeats 5] [--only em kmeans memory import]
                               [--peers scikit-learn mclust Armadillo mlpack pomegranate faiss]
                               [--quick | --report]

Same data, same start, same number of iterations. Each library has a process of its own,
and they run in turn (A B C A B C ...), several rounds, of which the median counts. Before
anything is timed, all must have made as many iterations as asked and have reached gmmlib's
answer. What is quoted is the ratio of medians, peer / gmmlib: above one,
gmmlib is faster. A peer that is not installed is named, with how to install it.

Results go to benchmarks/results.json; from it come results.md, which the book's page on
benchmarks includes, and a figure for each table. --quick tries the small workloads and
keeps nothing; --report makes page and figures anew from results.json.

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
from contextlib import ExitStack, closing
from math import exp, fsum, log
from pathlib import Path
from statistics import median

from peers import PEERS, Worker, can, prepare

HERE = Path(__file__).resolve().parent
OURS = "gmmlib"

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
# N, D, K, iterations at most: fewer where k-means would be finished
KMEANS = [
    (272, 2, 2, "k-means", 50),
    (10_000, 2, 3, "k-means", 50),
    (100_000, 10, 10, "k-means", 30),
    (1_000_000, 2, 5, "k-means", 20),
    (1_000_000, 8, 16, "k-means", 20),
    (200_000, 50, 20, "k-means", 20),
    (50_000, 100, 10, "k-means", 20),
    (1_000_000, 16, 32, "k-means", 15),
]
WORKLOADS = {"em": EM, "kmeans": KMEANS}
ONLY = [*WORKLOADS, "memory", "import"]
TITLES = {"em": "EM", "kmeans": "k-means (Lloyd)"}
QUICK = 1_000_000  # the most numbers in X that --quick tries
PATIENCE = 120  # seconds of rounds after which three are enough


def blobs(N, D, K):
    """N points in K overlapping clusters, and K of them to start from."""
    import numpy as np

    rng = np.random.default_rng(0)
    centers = 3 * rng.normal(size=(K, D))
    X = rng.normal(size=(N, D)) + centers[rng.integers(K, size=N)]
    return X, X[rng.choice(N, K, replace=False)]


def start(X, means, kind):
    """Equal weights, and the data's own variances in each component."""
    import numpy as np

    K, variances = len(means), X.var(axis=0)
    covs = {
        "full": np.array([np.diag(variances)] * K),
        "tied": np.diag(variances),
        "diag": np.array([variances] * K),
        "spherical": np.full(K, variances.mean()),
    }.get(kind, np.empty(0))
    return np.full(K, 1 / K), means, covs


def in_turn(calls, repeats):
    """Median seconds of what each call says it took, called in turn; three rounds are enough if they last."""
    seconds, begin = [], time.monotonic()
    while len(seconds) < repeats and (len(seconds) < 3 or time.monotonic() - begin < PATIENCE):
        seconds.append([call() for call in calls])
    return [median(taken) for taken in zip(*seconds, strict=True)]


def seconds_of(worker, n_iter):
    """One run, or the median of nine where a run is so short that waking up would count."""
    first = worker.run(n_iter)[0]
    return first if first > 0.02 else median(worker.run(n_iter)[0] for _ in range(9))


def check(worker, X, K, n_iter, task):
    """The answer of one run that is not timed: EM's means, or the sum of squares that k-means lowers."""
    from sklearn.metrics import pairwise_distances_argmin_min

    done = worker.run(n_iter)[1]
    if done != n_iter:
        raise RuntimeError(f"{worker.name} made {done} iterations of {n_iter}")
    means = worker.means(K, X.shape[1])
    if task == "em":
        return means
    return pairwise_distances_argmin_min(X, means, metric="sqeuclidean")[1].sum()


def agree(answers):
    """Nothing is timed unless every library reached gmmlib's answer."""
    import numpy as np

    for name, answer in answers.items():
        within = PEERS[name].tolerance
        message = f"{name} and {OURS} reached different answers"
        np.testing.assert_allclose(answer, answers[OURS], rtol=within, atol=within, err_msg=message)


def compare(task, workload, commands, threads, repeats):
    """Milliseconds an iteration of every library that does this work, and the libraries' versions."""
    N, D, K, kind, n_iter = workload
    X, means = blobs(N, D, K)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name, array in zip(("X", "weights", "means", "covs"), (X, *start(X, means, kind)), strict=True):
            array.tofile(folder / name)
        workers = []
        for name, command in commands.items():
            if can(name, task, kind):
                worker = Worker(name, command, folder, (task, kind, N, D, K), threads)
                workers.append(stack.enter_context(closing(worker)))
        if task == "kmeans":  # one fewer than finished: the last finds nothing to move, and some skip it
            n_iter = min(n_iter, max(1, workers[0].run(n_iter)[1] - 1))
        agree({worker.name: check(worker, X, K, n_iter, task) for worker in workers})
        seconds = in_turn([lambda w=w: seconds_of(w, n_iter) for w in workers], repeats)
        ms = {w.name: 1e3 * s / n_iter for w, s in zip(workers, seconds, strict=True)}
        row = {"N": N, "D": D, "K": K, "kind": kind, "n_iter": n_iter, "ms": ms}
        return row, {w.name: w.version for w in workers}


def measure_memory(quick):
    """Peak of what a fit of one iteration allocates; the data are not counted, the file's pages neither."""
    import numpy as np

    from gmmlib import GaussianMixture, KMeans

    warnings.filterwarnings("ignore")  # fits are stopped on purpose
    D, K, rows = 8, 16, []
    sizes = [("em", 10_000, 0)] if quick else [("em", 100_000, 0), ("em", 1_000_000, 0), ("kmeans", 1_000_000, 0)]
    for task, N, mapped in [*sizes, ("em", 20_000 if quick else 4_000_000, 1)]:
        X, means = blobs(N, D, K)
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
    medians = in_turn([lambda m=m: seconds(m) for m in modules], repeats)
    return [{"import": module, "seconds": found} for module, found in zip(modules, medians, strict=True)]


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


# ---------------------------------------------------------------- from results.json to a page


def geometric_mean(ratios):
    return exp(fsum(log(r) for r in ratios) / len(ratios))


def in_order(found):
    """A dict by library, in the order of PEERS."""
    return {name: found[name] for name in PEERS if name in found}


def libraries(rows):
    """Names in the order of PEERS, of those that did any of the rows."""
    return list(in_order({name: True for row in rows for name in row["ms"]}))


def ratios(rows, name):
    """{row number: peer / gmmlib} of the rows a peer did."""
    return {i: row["ms"][name] / row["ms"][OURS] for i, row in enumerate(rows) if name in row["ms"]}


def table(rows):
    """Markdown: milliseconds an iteration, in brackets the ratio; last the geometric means."""
    names = libraries(rows)
    kinds = len({row["kind"] for row in rows}) > 1
    head = ["N", "D", "K", *(["type"] if kinds else []), *names]
    lines = ["| " + " | ".join(head) + " |", "|" + "---:|" * len(head)]
    found = {name: ratios(rows, name) for name in names}
    for i, row in enumerate(rows):
        cells = [thousands(row["N"]), str(row["D"]), str(row["K"]), *([row["kind"]] if kinds else [])]
        for name in names:
            ratio = "" if name == OURS else f" ({found[name].get(i, 0):.2f})"
            cells.append(f"{number(row['ms'][name])}{ratio}" if name in row["ms"] else "–")
        lines.append("| " + " | ".join(cells) + " |")
    means = ["" if name == OURS else f"**({geometric_mean(found[name].values()):.2f})**" for name in names]
    lines.append("| " + " | ".join(["geometric mean", *[""] * (len(head) - len(names) - 1), *means]) + " |")
    return lines


def thousands(N):
    """1000000 as 1 000 000, with thin spaces that do not break."""
    return f"{N:,}".replace(",", "\u202f")


def number(value):
    """Three digits, never in powers of ten."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def draw(rows):
    """Figure: one row a workload, one marker a peer, the ratio on a log scale, a line at 1."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullFormatter

    from gmmlib.plotting import COLORS, MARKERS, use_style

    use_style()
    fig, ax = plt.subplots(figsize=(7, 1.6 + 0.4 * len(rows)))
    for name in libraries(rows):
        found = ratios(rows, name)
        if name != OURS:
            look = list(PEERS).index(name) - 1  # the same in every figure
            # F0E442, the palette's yellow, is too faint on white
            color = [c for c in COLORS if c != "#F0E442"][look]
            ax.plot(list(found.values()), list(found), MARKERS[look], color=color, ms=9, label=name, alpha=0.9)
    ax.axvline(1, color="black", lw=1.5)
    ax.annotate(" gmmlib faster →", (1, 1), xycoords=("data", "axes fraction"), va="bottom", size=11)
    ax.annotate("← peer faster ", (1, 1), xycoords=("data", "axes fraction"), va="bottom", ha="right", size=11)
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 0.4), max(high, 2.5))
    ax.xaxis.set_major_locator(plt.LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    kinds = len({row["kind"] for row in rows}) > 1
    names = [
        f"{thousands(row['N'])} × {row['D']}, K = {row['K']}" + (f", {row['kind']}" if kinds else "") for row in rows
    ]
    ax.set_yticks(range(len(rows)), names)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel("time of the peer / time of gmmlib (no unit)")
    ax.grid(axis="both", color="0.9")
    fig.legend(loc="outside lower center", ncols=3)
    return fig


def alt(rows, title):
    """What the figure shows, in a sentence with its numbers."""
    parts = []
    for name in libraries(rows):
        found = ratios(rows, name).values()
        if name != OURS:
            parts.append(f"{name} from {min(found):.2f} to {max(found):.2f}")
    return f"Times of peers over those of gmmlib, {len(rows)} workloads of {title}, log scale: {'; '.join(parts)}."


def pictures(results):
    """{file name: rows} of every figure the page shows."""
    return {
        f"{task}-{threads}.svg": found[task]
        for threads, found in results["threads"].items()
        for task in WORKLOADS
        if task in found
    }


def report(results):
    """The page's generated part, from results.json alone."""
    about, versions = results["machine"], results["versions"]
    lines = [
        "<!-- Made by `make bench` from results.json. -->",
        "",
        f"Measured on {about['processor']}, {about['cores']} cores, with "
        f"{', '.join(f'{name} {version}' for name, version in (about['packages'] | in_order(versions)).items())}.",
    ]
    for threads, found in results["threads"].items():
        for task, title in TITLES.items():
            if task in found:
                title = f"{title}, {threads} thread{'' if threads == '1' else 's'}"
                lines += ["", f"## {title}", "", f"![{alt(found[task], title)}]({task}-{threads}.svg)", ""]
                lines += ["Milliseconds an iteration; in brackets the ratio to gmmlib.", "", *table(found[task])]
    notes = [f"- **{name}**: {PEERS[name].note}" for name in in_order(versions) if PEERS[name].note]
    if notes:
        lines += ["", "## What each peer does", "", *notes]
    if "memory" in results:
        lines += [
            "",
            "## Memory of one fit, beside the data",
            "",
            "With D = 8 and K = 16.",
            "",
            *memory_table(results["memory"]),
        ]
    if "import" in results:
        lines += ["", "## Time of an import", "", "| statement | seconds |", "|---|---:|"]
        lines += [f"| `import {r['import']}` | {r['seconds']:.2f} |" for r in results["import"]]
    return "\n".join(lines) + "\n"


def memory_table(rows):
    names = list(dict.fromkeys(row["library"] for row in rows))
    fits = list(dict.fromkeys((row["task"], row["N"], row["mapped"]) for row in rows))
    lines = ["| fit | " + " | ".join(f"{name}, MB" for name in names) + " |", "|---|" + "---:|" * len(names)]
    for task, N, mapped in fits:
        extra = {r["library"]: r["extra_MB"] for r in rows if (r["task"], r["N"], r["mapped"]) == (task, N, mapped)}
        what = f"{'EM, full' if task == 'em' else 'k-means'}, N = {thousands(N)}"
        what += ", a file mapped into memory" if mapped else ""
        lines.append(f"| {what} | " + " | ".join(number(extra[name]) for name in names) + " |")
    return lines


def write(results):
    """results.json, and from it results.md and the figures."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "benchmarks"  # the same file from the same numbers
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (HERE / "results.md").write_text(report(results))
    for old in HERE.glob("*.svg"):
        old.unlink()
    for name, rows in pictures(results).items():
        figure = draw(rows)
        figure.savefig(HERE / name, metadata={"Date": None})
        plt.close(figure)


def measure(args):
    """Run what was asked for, telling on standard error how far it is."""

    def tell(*words):
        print(*words, file=sys.stderr, flush=True)

    results = {"machine": machine(), "versions": {}, "threads": {}}
    tasks = [task for task in WORKLOADS if task in args.only]
    with tempfile.TemporaryDirectory() as folder:
        commands = {}
        for name in [OURS, *args.peers] if tasks else []:
            command = prepare(name, folder)
            if command:
                commands[name] = command
            else:
                tell(f"{name} is not installed, so it is left out; to have it: {PEERS[name].install}.")
        for threads in args.threads if tasks else []:
            found = results["threads"][str(threads)] = {task: [] for task in tasks}
            for task in tasks:
                for workload in WORKLOADS[task]:
                    if args.quick and workload[0] * workload[1] > QUICK:
                        continue
                    row, versions = compare(task, workload, commands, threads, args.repeats)
                    found[task].append(row)
                    results["versions"] |= versions
                    tell(threads, task, *workload[:4], {name: number(ms) for name, ms in row["ms"].items()})
    if "memory" in args.only:  # a process that has loaded nothing else
        command = [sys.executable, __file__, "--memory", *(["--quick"] if args.quick else [])]
        results["memory"] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    if "import" in args.only:
        results["import"] = measure_import(args.repeats)
    return results


def main():
    peers = [name for name in PEERS if name != OURS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=ONLY, default=ONLY)
    parser.add_argument("--peers", nargs="+", choices=peers, default=peers, help="where installed (all)")
    parser.add_argument("--quick", action="store_true", help="small workloads only, and nothing is kept")
    parser.add_argument("--report", action="store_true", help="measure nothing; page and figures from results.json")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory:
        print(json.dumps(measure_memory(args.quick)))
        return
    results = json.loads((HERE / "results.json").read_text()) if args.report else measure(args)
    if not args.quick:
        write(results)
    print(report(results))


if __name__ == "__main__":
    main()
