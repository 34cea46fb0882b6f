"""Many independent fits: in parallel, with a progress bar, and the same whatever the number of workers."""

import warnings

from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning

from ..estimators.gaussian_mixture import GaussianMixture
from ..numerics import as_count, as_rng, total_weight

__all__ = []

# A criterion compares maxima: several starts, and climbed to the end.
OPTIONS = {"n_init": 10, "tol": 1e-7, "max_iter": 5000}


def run_tasks(function, tasks, rng, n_jobs, progress, label):
    """[function(*task, rng=a generator of its own) for task in tasks], shared out over workers.

    Each task has a child of `rng`, fixed before any starts, so neither the number of
    workers nor who finishes first changes a digit.
    """
    try:
        children = as_rng(rng).spawn(len(tasks))
    except TypeError as err:  # RandomState, and generators that are made from one
        raise ValueError(f"rng must be a numpy Generator that can spawn, or a seed, got {rng!r}") from err
    calls = (delayed(function)(*task, rng=child) for task, child in zip(tasks, children, strict=True))
    results = Parallel(n_jobs=n_jobs, return_as="generator")(calls)
    return list(bar(results, len(tasks), label) if progress else results)


def bar(results, total, label):
    """`results` as they come, with a bar on the error stream."""
    try:
        from tqdm.auto import tqdm
    except ImportError as err:
        raise ImportError("progress=True draws its bar with tqdm: pip install tqdm, or leave progress=False") from err
    return tqdm(results, total=total, desc=label)


def fit(X, K, kind, sample_weight, rng, options):
    """A GaussianMixture fitted quietly; `converged_` says what a warning would."""
    model = GaussianMixture(K, covariance_type=kind, random_state=int(rng.integers(2**31)), **{**OPTIONS, **options})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, sample_weight=sample_weight)


def n_draws(sample_weight, N):
    """How many points a bootstrap sample has: what the weights add up to."""
    total = total_weight(sample_weight, N)
    if not 2 <= total < 2**53:
        raise ValueError(
            f"sample_weight adds up to {total:g}, and a bootstrap draws that many points: give weights as counts"
        )
    return round(total)


def check_options(options):
    """Raise a ValueError for an option that the function sets itself."""
    if taken := {"n_components", "covariance_type", "random_state"} & options.keys():
        raise ValueError(f"options may not set {sorted(taken)[0]}: it has an argument of its own (random_state is rng)")


def check_n_boot(n_boot):
    """`n_boot` as a whole number of replicates, or an error."""
    return as_count(n_boot, "n_boot")
