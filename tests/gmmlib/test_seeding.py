"""Where k-means starts: judged by plain code, and over many seeds by where runs end."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans as Referee
from sklearn.datasets import load_digits, load_iris
from sklearn.mixture import GaussianMixture as MixtureReferee
from threadpoolctl import threadpool_limits

from gmmlib import GaussianMixture, KMeans, assign, kmeans_plusplus, lloyd, update_centers
from gmmlib.clustering import nearest, seeding
from gmmlib.clustering.nearest import Table
from gmmlib.clustering.seeding import candidates_for, draw, random_rows


class Dice:
    """A generator that says what it was told to."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def random(self, size):
        return np.array([self.numbers.pop(0) for _ in range(size)])


@pytest.fixture
def dice(monkeypatch):
    """Dice are taken for a generator."""
    monkeypatch.setattr(seeding, "as_rng", lambda rng: rng)
    return Dice


@pytest.mark.parametrize(("number", "index"), [(0.0, 1), (0.24, 1), (0.25, 3), (0.74, 3), (0.75, 4), (1 - 1e-16, 4)])
def test_the_draw_inverts_the_cumulative_sum_and_never_takes_the_impossible(number, index):
    chance = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 0.0])
    assert_array_equal(draw(Dice(0.5, number), chance, 2), [3, index])


def test_a_draw_from_next_to_nothing_stays_in_range():
    assert_array_equal(draw(Dice(0.9), np.array([5e-324]), 1), [0])  # rounds up to the last edge


# ------------------------------------------------------------------------- at random


def test_random_rows_differ_while_there_are_different_rows():
    X = np.array([[0.0, 1.0], [0.0, 1.0], [-0.0, 1.0], [0.0, 2.0], [5.0, 1.0]])
    assert_array_equal(random_rows(Table(X), 3, Dice(0.0, 0.3, 0.99, 0.5, 0.7)), X[[0, 4, 3]])
    share = np.array([0.0, 0.0, 0.5, 0.5, 0.0])
    assert_array_equal(random_rows(Table(X, share), 2, Dice(0.0, 0.9)), X[[2, 3]])
    assert_array_equal(share, [0.0, 0.0, 0.5, 0.5, 0.0])


def test_where_hardly_any_row_is_new_the_others_are_set_aside(rng):
    X = np.repeat([[0.0], [-0.0], [7.0]], [50, 10_000, 1], axis=0)
    for _ in range(20):
        assert_array_equal(np.unique(random_rows(Table(X), 2, rng)), [0.0, 7.0])
    rows = random_rows(Table(X), 4, rng)  # then anything goes
    assert_array_equal(np.unique(rows), [0.0, 7.0])
    X = np.arange(30.0)[:, None]
    assert_array_equal(np.sort(random_rows(Table(X), 30, rng), axis=0), X)


def test_what_is_set_aside_stays_so_with_all_its_copies(rng):
    """Five rare rows, two copies of each, that share their columns' values with the common one."""
    rare = np.array([[0.0, 0.0], [0.0, 1.0], [2.0, 1.0], [1.0, 2.0], [2.0, 0.0]])
    X, share = np.r_[[[1.0, 1.0]], rare, rare], np.r_[1e15, np.ones(5), np.full(5, 2.0)]
    first = np.zeros(len(rare))
    for _ in range(600):
        rows = random_rows(Table(X, share), 6, rng)
        assert len(np.unique(rows, axis=0)) == 6
        first += np.all(rows[1] == rare, axis=1) / 600
    assert_allclose(first, 0.2, atol=0.07)


def test_two_random_rows_are_drawn_one_after_the_other(rng):
    X, share = np.arange(3.0)[:, None], np.array([0.6, 0.3, 0.1])
    pairs = np.zeros((3, 3))
    for _ in range(6000):
        i, j = random_rows(Table(X, share), 2, rng).ravel().astype(int)
        pairs[i, j] += 1 / 6000
    expected = share[:, None] * share / (1 - share[:, None]) * (1 - np.eye(3))
    assert_allclose(pairs, expected, atol=0.025)


def test_a_thousand_random_rows_are_drawn_in_a_few_rounds(rng, monkeypatch):
    rounds = []
    monkeypatch.setattr(seeding, "draw", lambda *args: rounds.append(args[2]) or draw(*args))
    rows = random_rows(Table(rng.normal(size=(20_000, 8))), 1000, rng)
    assert len(np.unique(rows, axis=0)) == 1000
    assert sum(size > 0 for size in rounds) < 5


# ------------------------------------------------------------------------- spread out


def spread_out(X, K, rng, weight, candidates):
    """Greedy k-means++, in plain numpy."""
    chosen = [draw(rng, weight, 1)[0]]
    while len(chosen) < K:
        nearest_sq = cdist(X, X[chosen], "sqeuclidean").min(axis=1)
        found = draw(rng, weight * nearest_sq, candidates)
        left = [weight @ cdist(X, X[[*chosen, i]], "sqeuclidean").min(axis=1) for i in found]
        chosen.append(found[np.argmin(left)])
    return X[chosen]


@pytest.mark.parametrize("little", [0, 10**9])
@pytest.mark.parametrize("candidates", [1, 2, 4])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_of_the_candidates_the_one_is_kept_that_leaves_least(rng, monkeypatch, little, candidates, weighted, shift):
    monkeypatch.setattr(nearest, "LITTLE", little)
    X, weight = rng.normal(size=(300, 3)) + shift, rng.uniform(size=300) if weighted else None
    for seed in range(10):
        found = kmeans_plusplus(X, 6, np.random.default_rng(seed), weight, candidates)
        w = np.ones(300) if weight is None else weight
        assert_array_equal(found, spread_out(X, 6, np.random.default_rng(seed), w, candidates))


def test_a_single_centre_is_a_row_drawn_by_weight(dice):
    X, weight = np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 3.0])
    assert [kmeans_plusplus(X, 1, dice(number), weight).tolist() for number in (0.2, 0.3)] == [[[1.0]], [[2.0]]]


def test_of_candidates_that_leave_as_much_the_first_is_kept(monkeypatch):
    """However their sums round."""
    X = np.array([[0.0], [1.0], [5.0], [9.0]])
    for left, row in (([3.0, 2.0 + 1e-12, 2.0], 5.0), ([3.0, 2.0 + 1e-6, 2.0], 9.0), ([0.0, 0.0, 0.0], 1.0)):
        monkeypatch.setattr(Table, "remaining", lambda *_, left=left: np.array(left))
        monkeypatch.setattr(seeding, "draw", lambda rng, chance, size: np.array([0] if size == 1 else [1, 2, 3]))
        assert_array_equal(kmeans_plusplus(X, 2, 0, candidates=3), [[0.0], [row]])


def test_once_every_point_is_a_centre_weights_alone_decide(dice):
    X = np.array([[0.0], [0.0], [0.0], [1.0]])
    assert_array_equal(kmeans_plusplus(X, 3, dice(0.0, 0.5, 0.3)), [[0.0], [1.0], [0.0]])
    assert_array_equal(kmeans_plusplus(X, 3, dice(0.0, 0.5, 0.9)), [[0.0], [1.0], [1.0]])


@pytest.mark.parametrize("N", [50, 3000])
@pytest.mark.parametrize("table", ["cloud", "lattice"])
def test_weights_are_repeated_rows_in_every_draw(rng, N, table):
    X, counts = rng.normal(size=(N, 2)), rng.integers(0, 4, size=N)
    X = np.round(X) if table == "lattice" else X
    for init in ("k-means++", "random"):
        for seed in range(5):
            weighted, repeated = (
                KMeans(7, init=init, n_init=1, random_state=seed, max_iter=1).fit(rows, sample_weight=weight)
                for rows, weight in ((X, counts), (np.repeat(X, counts, axis=0), None))
            )
            assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-9, atol=1e-12)


def test_clusters_tight_beside_their_distance_from_the_origin_are_told_apart(rng):
    """Four clusters a millionth wide in one corner, one far away: single precision sees two."""
    corner = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    X = np.r_[np.repeat(1e-5 * corner, 2000, axis=0) + 1, [[-1.0, -1.0]] * 8000] + 1e-7 * rng.normal(size=(16_000, 2))
    for seed in range(10):
        model = KMeans(5, random_state=seed).fit(X)
        assert_array_equal(np.sort(np.bincount(model.labels_)), [2000] * 4 + [8000])


@pytest.mark.parametrize("rng", [7, np.int64(7)])
def test_a_whole_number_is_a_seed(rng):
    X = np.random.default_rng(0).normal(size=(50, 2))
    assert_array_equal(kmeans_plusplus(X, 3, rng), kmeans_plusplus(X, 3, np.random.default_rng(7)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda X: kmeans_plusplus(X, 2, "dice"), "rng must be a numpy Generator or a seed, got 'dice'"),
        (lambda X: kmeans_plusplus(X, 2, -1), "rng must be"),
        (lambda X: kmeans_plusplus(X, 2, 0, candidates=0), "candidates must be at least 1, got 0"),
        (lambda X: kmeans_plusplus(X, 4, None), "K must be between 1 and the number of points 3, got 4"),
        (lambda X: kmeans_plusplus(X, 0, None), "K must be between 1 and the number of points 3, got 0"),
        (lambda X: kmeans_plusplus(X, 1.5, None), "got 1.5"),
    ],
)
def test_what_cannot_be_meant_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(np.ones((3, 1)))


def test_one_blas_thread_and_two_give_the_same_bits():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(24_000, 8)) + 3 * rng.integers(0, 5, size=(24_000, 1))
    weight, found = rng.uniform(size=24_000), []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            model = KMeans(10, random_state=0).fit(X, sample_weight=weight)
            start = kmeans_plusplus(X, 10, 0, weight, 9)
            run, (labels, sq_dist) = lloyd(X, start, sample_weight=weight), assign(X, start)
            found.append([KMeans(10, random_state=0).fit(X).cluster_centers_, model.cluster_centers_, model.inertias_])
            found[-1] += [model.score(X, sample_weight=weight), model.transform(X), start, run.centers, run.inertias]
            found[-1] += [sq_dist, update_centers(X, labels, start, weight)]
    for one, two in zip(*found, strict=True):
        assert_array_equal(one, two)


# ------------------------------------------------------------- where many starts end


def blobs(K, seed):
    r = np.random.RandomState(seed)
    centers, labels = r.uniform(-250, 250, (K, 2)), np.repeat(np.arange(K), 40)
    return centers[labels] + r.randn(40 * K, 2), labels


def test_obvious_clusters_are_found(rng):
    """Three starts in four find 25 of them, as scikit-learn's do: a single candidate a centre, one in seven."""
    X, labels = blobs(25, 25)
    best = sum(((X[labels == k] - X[labels == k].mean(axis=0)) ** 2).sum() for k in range(25))
    assert np.mean([KMeans(25, random_state=seed).fit(X).inertia_ < 1.001 * best for seed in range(40)]) >= 0.75
    plain = [lloyd(X, kmeans_plusplus(X, 25, seed)).inertia < 1.001 * best for seed in range(40)]
    assert np.mean(plain) < 0.4


def test_mixtures_start_from_obvious_clusters():
    """With one candidate a centre, three starts in ten do."""
    X, _ = blobs(30, 4)
    make = {"covariance_type": "spherical", "max_iter": 30, "tol": 0.1}
    score = np.array([GaussianMixture(30, random_state=seed, **make).fit(X).score(X) for seed in range(20)])
    assert np.mean(score > score.max() - 0.01) >= 0.75


def slanted(N, D, K, rng):
    """Clusters with shape: means 2 N(0, 1), covariances A A' with A = 0.6 G / sqrt(D) + 0.7 I."""
    A = 0.6 * rng.normal(size=(K, D, D)) / np.sqrt(D) + 0.7 * np.eye(D)
    z, means = rng.integers(K, size=N), 2 * rng.normal(size=(K, D))
    return means[z] + np.einsum("nde,ne->nd", A[z], rng.normal(size=(N, D)))


def digits(_):
    X = load_digits().data - load_digits().data.mean(axis=0)
    return X @ np.linalg.svd(X, full_matrices=False)[2][:20].T


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("table", "K"),
    [(digits, 10), (lambda rng: slanted(2000, 50, 20, rng), 20), (lambda rng: slanted(1500, 100, 10, rng), 10)],
    ids=["digits", "50-D", "100-D"],
)
def test_over_many_seeds_runs_end_no_higher_than_scikit_learns(rng, table, K):
    X = table(rng)
    ours, theirs = ([make(K, random_state=s).fit(X).inertia_ for s in range(20)] for make in (KMeans, Referee))
    assert np.mean(ours) < np.mean(theirs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_over_many_seeds_mixtures_of_irises_end_no_lower_than_scikit_learns():
    X = load_iris().data
    both = (GaussianMixture, MixtureReferee)
    ours, theirs = ([make(3, random_state=s).fit(X).score(X) for s in range(20)] for make in both)
    noise = 2 * np.hypot(np.std(ours), np.std(theirs)) / np.sqrt(20)
    stop = 1e-3  # both stop once a round gains less: the same summit is reached to within that
    assert np.mean(ours) > np.mean(theirs) - noise - stop
    assert np.mean(ours) > -1.21


def test_more_clusters_have_more_candidates():
    assert [candidates_for(K) for K in (1, 3, 8, 20, 1000)] == [6, 9, 12, 14, 26]
