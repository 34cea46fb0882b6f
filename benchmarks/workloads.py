"""What is timed: data with shape, as (name of the data, N, D, K, covariance type).

`slanted` data have correlated columns in every component, `narrow` ones also a component
that is a thousand times thinner in one direction; `round` blobs, which flatter a library
that centres and scales, are one row among many. The rest are real.
"""

import warnings

import numpy as np

REAL = [
    ("Old Faithful", 272, 2, 2, "full"),
    ("iris", 150, 4, 3, "full"),
    ("penguins", 342, 4, 3, "full"),
    ("digits", 1_797, 20, 10, "full"),
    ("photograph", 273_280, 3, 8, "full"),
]
MADE = [
    ("round", 100_000, 10, 10, "full"),
    ("slanted", 80_000, 2, 5, "full"),
    ("slanted", 80_000, 8, 16, "full"),
    ("slanted", 80_000, 10, 10, "full"),
    ("slanted", 20_000, 50, 20, "full"),
    ("slanted", 16_000, 100, 10, "full"),
    ("narrow", 40_000, 2, 4, "full"),
    ("narrow", 20_000, 8, 8, "full"),
]
OTHER_TYPES = [
    ("slanted", 100_000, 16, 16, "diag"),
    ("slanted", 80_000, 10, 10, "tied"),
    ("slanted", 80_000, 10, 10, "spherical"),
]
FEW_ROWS = [("slanted", 5_000, 50, 20, "full"), ("slanted", 3_000, 100, 10, "full")]  # hardest to start well
FITS = REAL + MADE + FEW_ROWS


def for_kmeans(workloads):
    return [(*sizes, "k-means") for *sizes, _ in workloads]


WORKLOADS = {
    "fits": {"em": FITS, "kmeans": for_kmeans(FITS)},
    "iterations": {"em": REAL + MADE + OTHER_TYPES, "kmeans": for_kmeans(REAL + MADE)},
}
QUICK = [("Old Faithful", 272), ("digits", 1_797), ("slanted", 16_000), ("narrow", 20_000)]  # what --quick tries


def data(name, N, D, K):
    """X of a workload: (N, D), the same at every call."""
    made = {"round": round_blobs, "slanted": slanted, "narrow": narrow}
    X = made[name](np.random.default_rng(0), N, D, K) if name in made else real(name)
    if X.shape != (N, D):
        raise ValueError(f"{name} has shape {X.shape}, not {(N, D)}")
    return np.ascontiguousarray(X)


def real(name):
    from sklearn.datasets import load_sample_image

    from gmmlib import datasets

    if name == "photograph":  # red, green and blue from 0 to 1
        return load_sample_image("china.jpg").reshape(-1, 3) / 255
    if name == "digits":  # in their first principal components
        X = datasets.load_digits().X
        X = X - X.mean(axis=0)
        return X @ np.linalg.svd(X, full_matrices=False)[2][:20].T
    return getattr(datasets, f"load_{name.lower().replace(' ', '_')}")().X


def round_blobs(rng, N, D, K):
    return rng.normal(size=(N, D)) + 3 * rng.normal(size=(K, D))[rng.integers(K, size=N)]


def slanted(rng, N, D, K, thinnest=None):
    """Component k is mean + A z, with an A of its own that has no zeros."""
    means = 2 * rng.normal(size=(K, D))
    A = 0.6 * rng.normal(size=(K, D, D)) / np.sqrt(D) + 0.7 * np.eye(D)
    if thinnest:
        directions, sizes, turns = np.linalg.svd(A[0])
        sizes[-1] = thinnest
        A[0] = (directions * sizes) @ turns
    labels = rng.integers(K, size=N)
    X = rng.normal(size=(N, D))
    for k in range(K):
        X[labels == k] = X[labels == k] @ A[k].T + means[k]
    return X


def narrow(rng, N, D, K):
    return slanted(rng, N, D, K, thinnest=1e-3)


def start(X, K, kind):
    """Weights, means and covariances of clusters after three iterations of k-means: EM has some way to go."""
    from sklearn.cluster import KMeans

    warnings.simplefilter("ignore")  # it is stopped on purpose
    found = KMeans(K, init=scattered(X, K), n_init=1, max_iter=3).fit(X)
    weights = np.bincount(found.labels_, minlength=K) / len(X)
    means = np.array([X[found.labels_ == k].mean(axis=0) for k in range(K)])
    full = np.array([np.cov(X[found.labels_ == k].T, bias=True) for k in range(K)])
    variances = full.diagonal(axis1=1, axis2=2)
    covs = {
        "full": full, "tied": np.tensordot(weights, full, 1), "diag": variances, "spherical": variances.mean(axis=1),
    }  # fmt: skip
    return weights, means, covs[kind]


def scattered(X, K):
    """K rows drawn at random, to start k-means from."""
    return np.random.default_rng(1).choice(np.unique(X, axis=0), K, replace=False)
