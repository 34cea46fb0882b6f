"""The libraries that bench.py compares, each behind the same three lines of talk.

    python benchmarks/peers.py NAME FOLDER TASK KIND N D K

FOLDER holds X, weights, means and covs as raw float64, rows first. The program reads them,
says `ready VERSION`, and then answers on its standard output:

    run 7    ->  SECONDS ITERATIONS CPU   one fit of 7 iterations from the given start
    save     ->  saved                    the last fit's means, in FOLDER/answer
    fit 3    ->  SECONDS ITERATIONS CPU QUALITY
                                          a whole fit as users call it: default arguments, seed 3

Only the fit is timed: data, start and whatever else it needs are in the library's own form
before the clock starts. CPU is the processor's time, of all threads; what is not Python
(mclust.R, armadillo.cpp) speaks the same lines without it. `fit` is asked of estimators only.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
# An environment of its own, so that no peer's needs can change the course's.
PEER_ENV = Path(os.environ.get("PEER_PYTHON", HERE.parent / ".venv" / "peers" / "bin" / "python"))
PIP = "python -m venv .venv/peers && .venv/peers/bin/pip install -r benchmarks/requirements.txt"
DEBIAN = "apt-get install g++ libarmadillo-dev"
CRAN = "install R, then Rscript -e 'install.packages(\"mclust\")'"


class Peer(NamedTuple):
    """What a library can do of our work, and how a machine gets it."""

    em: tuple  # covariance types
    kmeans: bool
    install: str
    module: str = ""  # Python's name for it
    note: str = ""
    tolerance: float = 1e-6  # of EM's means, which are of the order of one, and of k-means' inertia


OURS = "gmmlib"
ALL = ("full", "tied", "diag", "spherical")
PEERS = {
    "gmmlib": Peer(ALL, True, "make .venv", "gmmlib"),
    "scikit-learn": Peer(ALL, True, "make .venv", "sklearn"),
    "mclust": Peer(
        ALL, False, CRAN,
        note="R's mclust through `em()`, timed inside R; its models VVV, EEE, VVI and VII, without a prior. "
        "It makes one E-step more than it counts.",
    ),
    "Armadillo": Peer(
        ("full", "diag"), True, DEBIAN,
        note="C++, `gmm_full`, `gmm_diag` and `kmeans`, compiled on this machine with `-O3 -march=native -fopenmp`; "
        "it has no tied or spherical type.",
    ),
    "mlpack": Peer(
        (), True, PIP, "mlpack",
        note="Its Python package, algorithm `naive`. Its EM always starts from a k-means of its own, "
        "so that it cannot be given our start and is left out.",
    ),
    "pomegranate": Peer(
        ("full", "diag"), False, PIP, "pomegranate",
        note="On PyTorch, in double precision; it has no tied type, and its spherical one takes no start.",
        tolerance=1e-5,
    ),
    "faiss": Peer(
        (), True, PIP, "faiss",
        note="In single precision, all it offers, which is half the bytes; the others compute in double.",
        tolerance=1e-5,
    ),
}  # fmt: skip


def can(name, task, kind):
    """Whether a library offers this work at all."""
    return kind in PEERS[name].em if task == "em" else PEERS[name].kmeans


def python_for(name):
    """The interpreter that has a Python library: the course's, or the peers' own; None if neither."""
    for python in (sys.executable, str(PEER_ENV)):
        find = f"import importlib.util as u, sys; sys.exit(u.find_spec('{PEERS[name].module}') is None)"
        if Path(python).exists() and subprocess.run([python, "-c", find]).returncode == 0:
            return python
    return None


def quiet(command, **kwargs):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kwargs).returncode == 0


def prepare(name, folder):
    """The command that starts a library's program, or None where it is not installed."""
    if PEERS[name].module:
        python = python_for(name)
        return python and [python, str(HERE / "peers.py"), name]
    if name == "mclust":
        found = shutil.which("Rscript") and quiet(["Rscript", "-e", "library(mclust)"])
        return ["Rscript", str(HERE / "mclust.R")] if found else None
    compiler = shutil.which("g++")
    if not compiler or not quiet([compiler, "-E", "-x", "c++", "-"], input=b"#include <armadillo>\n"):
        return None
    program = str(Path(folder) / "armadillo")
    flags = ["-O3", "-march=native", "-fopenmp", "-DARMA_NO_DEBUG"]
    subprocess.run([compiler, *flags, str(HERE / "armadillo.cpp"), "-o", program, "-larmadillo"], check=True)
    return [program]


class Run(NamedTuple):
    """What a worker says of a fit: seconds by the clock on the wall, iterations, seconds of the processor, quality."""

    wall: float
    n_iter: int
    cpu: float | None = None
    quality: float | None = None


class Worker:
    """One library at one workload, in a process of its own, with a given number of threads."""

    def __init__(self, name, command, folder, workload, threads):
        self.name, self.folder = name, Path(folder)
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        env = os.environ | dict.fromkeys(names, str(threads))
        command = [*command, str(folder), *(str(part) for part in workload)]
        self.process = subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.version = self._line().removeprefix("ready ")

    def _line(self):
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"{self.name} stopped with code {self.process.wait()}; its message is above")
        return line

    def _ask(self, request):
        print(request, file=self.process.stdin, flush=True)
        return self._line()

    def run(self, n_iter):
        """A Run of so many iterations from the given start."""
        return self._heard(f"run {n_iter}")

    def fit(self, seed):
        """A Run of a whole fit with default arguments."""
        return self._heard(f"fit {seed}")

    def _heard(self, request):
        wall, n_iter, *more = self._ask(request).split()
        return Run(float(wall), int(n_iter), *map(float, more))

    def means(self, K, D):
        import numpy as np

        self._ask("save")
        return np.fromfile(self.folder / "answer").reshape(K, D)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


# ---------------------------------------------------------------- the Python side of a worker


def timed(call):
    """Seconds by the clock on the wall, and the result."""
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


class Estimator:
    """gmmlib and scikit-learn: one interface, so one adapter."""

    def __init__(self, module, X, weights, means, covs, task, kind):
        self.module, self.X, self.K, self.task, self.kind = module, X, len(means), task, kind
        if task == "em":
            precisions = {"full": inverses, "tied": inverses}.get(kind, lambda covs: 1 / covs)(covs)
            self.start = {"weights_init": weights, "means_init": means, "precisions_init": precisions}
            self.start |= {"tol": 0, "reg_covar": 0}
        else:
            self.start = {"init": means, "n_init": 1, "tol": 0}
        self._timed(max_iter=1)  # what is loaded at first use is loaded

    def run(self, n_iter):
        return self._timed(**self.start, max_iter=n_iter)

    def fit(self, seed):
        answer = self._timed(random_state=seed)
        judge = mean_log_likelihood if self.task == "em" else inertia
        return *answer, judge(self.X, self.model, self.kind)

    def _timed(self, **options):
        if self.task == "em":
            model = self.module.GaussianMixture(self.K, covariance_type=self.kind, **options)
        else:
            model = self.module.KMeans(self.K, **options)
        begin = time.process_time()
        wall, self.model = timed(lambda: model.fit(self.X))
        return wall, self.model.n_iter_, time.process_time() - begin

    @property
    def means(self):
        return self.model.means_ if self.task == "em" else self.model.cluster_centers_


def mean_log_likelihood(X, model, kind):
    """Of the fitted parameters, as scipy computes it: the same judge for every library."""
    import numpy as np
    from scipy.special import logsumexp
    from scipy.stats import multivariate_normal

    (K, D), covs = model.means_.shape, model.covariances_
    if kind == "spherical":
        covs = covs[:, None, None] * np.eye(D)
    elif kind == "diag":
        covs = covs[:, :, None] * np.eye(D)
    parts = zip(model.means_, np.broadcast_to(covs, (K, D, D)), strict=True)
    log_density = [multivariate_normal(mean, cov).logpdf(X) for mean, cov in parts]
    return logsumexp(np.transpose(log_density) + np.log(model.weights_), axis=1).mean()


def inertia(X, model, kind):
    """Sum of squared distances to the nearest of the fitted centres, as scikit-learn's metrics compute it."""
    from sklearn.metrics import pairwise_distances_argmin_min

    return pairwise_distances_argmin_min(X, model.cluster_centers_, metric="sqeuclidean")[1].sum()


def inverses(covs):
    import numpy as np

    return np.linalg.inv(covs)


def use_gmmlib(*work):
    import gmmlib

    return Estimator(gmmlib, *work)


def use_scikit_learn(*work):
    from types import SimpleNamespace

    from sklearn.cluster import KMeans
    from sklearn.mixture import GaussianMixture

    return Estimator(SimpleNamespace(KMeans=KMeans, GaussianMixture=GaussianMixture), *work)


class Pomegranate:
    def __init__(self, X, weights, means, covs, task, kind):
        import torch

        self.start = [torch.from_numpy(array) for array in (weights, means, covs)]
        self.X, self.kind = torch.from_numpy(X), kind

    def run(self, n_iter):
        from pomegranate.distributions import Normal
        from pomegranate.gmm import GeneralMixtureModel

        weights, means, covs = (part.clone() for part in self.start)  # a fit writes into its start
        parts = [Normal(m, c, covariance_type=self.kind) for m, c in zip(means, covs, strict=True)]
        model = GeneralMixtureModel(parts, priors=weights, max_iter=n_iter, tol=-float("inf"))
        seconds, _ = timed(lambda: model.fit(self.X))
        self.means = [part.means.numpy() for part in parts]
        return seconds, n_iter  # it stops for `tol` alone


class Faiss:
    def __init__(self, X, weights, means, covs, task, kind):
        self.X, self.start = X.astype("float32"), means.astype("float32")

    def run(self, n_iter):
        import faiss

        (N, D), K = self.X.shape, len(self.start)
        # left to itself it would take a sample
        model = faiss.Kmeans(D, K, niter=n_iter, max_points_per_centroid=N, min_points_per_centroid=1)
        seconds, _ = timed(lambda: model.train(self.X, init_centroids=self.start))
        self.means = model.centroids
        return seconds, len(model.obj)


class Mlpack:
    def __init__(self, X, weights, means, covs, task, kind):
        self.X, self.start, self.counted = X, means, {}

    def run(self, n_iter):
        if n_iter not in self.counted:
            self.counted[n_iter] = self.count(n_iter)
        seconds, found = timed(lambda: self.fit(n_iter))
        self.means = found["centroid"]
        return seconds, self.counted[n_iter]

    def fit(self, n_iter, verbose=False):
        import mlpack

        return mlpack.kmeans(
            input_=self.X, clusters=len(self.start), initial_centroids=self.start, max_iterations=n_iter,
            labels_only=True, allow_empty_clusters=True, verbose=verbose,
        )  # fmt: skip

    def count(self, n_iter):
        """It may stop early, and says when only to the terminal."""
        with tempfile.TemporaryFile() as heard:
            terminal = os.dup(1)
            os.dup2(heard.fileno(), 1)
            try:
                self.fit(n_iter, verbose=True)
            finally:
                os.dup2(terminal, 1)
                os.close(terminal)
            heard.seek(0)
            return max(int(n) for n in re.findall(rb"iteration (\d+)", heard.read()))


ADAPTERS = {
    "gmmlib": use_gmmlib,
    "scikit-learn": use_scikit_learn,
    "pomegranate": Pomegranate,
    "faiss": Faiss,
    "mlpack": Mlpack,
}
DISTRIBUTIONS = {"faiss": "faiss-cpu"}


def serve(name, folder, task, kind, N, D, K):
    import numpy as np

    warnings.filterwarnings("ignore")  # fits are stopped on purpose
    # Libraries that print would speak between our lines: theirs go to standard error.
    answer = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    shapes = {"full": (K, D, D), "tied": (D, D), "diag": (K, D), "spherical": (K,)}
    X, weights, means, covs = (np.fromfile(Path(folder) / part) for part in ("X", "weights", "means", "covs"))
    work = X.reshape(N, D), weights, means.reshape(K, D), covs.reshape(shapes.get(kind, (-1,))), task, kind
    library = ADAPTERS[name](*work)
    print("ready", version(DISTRIBUTIONS.get(name, name)), file=answer)
    for line in sys.stdin:
        request, *number = line.split()
        if request in ("run", "fit"):
            print(*getattr(library, request)(int(*number)), file=answer)
        else:
            np.asarray(library.means, dtype=float).tofile(Path(folder) / "answer")
            print("saved", file=answer)


if __name__ == "__main__":
    name, folder, task, kind = sys.argv[1:5]
    serve(name, folder, task, kind, *(int(n) for n in sys.argv[5:]))
