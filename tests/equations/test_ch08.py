"""Chapter 8, EM derived: every labelled equation, judged by means that do not share its algebra."""

from itertools import product

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats
from scipy.special import softmax

# --- the test for an infection: never misses, one false alarm in four; five of eight are positive -------------


def joint_of_tests(prevalence, infected):
    """Probability of five positives, three negatives and the five hidden labels, factor by factor."""
    chance = ((1 - prevalence) * 3 / 4) ** 3
    for label in infected:
        chance = chance * (prevalence if label else (1 - prevalence) / 4)
    return chance


LABELLINGS = list(product([0, 1], repeat=5))


def round_of_test(old):
    """One round of EM by brute force: the Q of all 32 labellings, and its top by a search."""
    chance = np.array([joint_of_tests(old, z) for z in LABELLINGS])
    chance /= chance.sum()

    def minus_q(new):
        return -sum(c * np.log(joint_of_tests(new, z)) for c, z in zip(chance, LABELLINGS, strict=True))

    return optimize.minimize_scalar(minus_q, bounds=(1e-9, 1 - 1e-9), method="bounded", options={"xatol": 1e-11}).x


def log_likelihood_of_test(prevalence):
    """By adding up all labellings."""
    return np.log(sum(joint_of_tests(prevalence, z) for z in LABELLINGS))


def slope(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)


@pytest.mark.parametrize("old", [0.1, 1 / 3, 5 / 12, 0.5, 0.9])
def test_eq_toy_round(old):
    """A round of EM by enumeration and a numerical optimiser."""
    assert_allclose(5 / 8 * 4 * old / (1 + 3 * old), round_of_test(old), atol=1e-6)


@pytest.mark.parametrize("old", [0.1, 1 / 3, 0.7])
def test_eq_em_as_gradient(old):
    """The step against the gradient of the log-likelihood alone, by differences."""
    step = old * (1 - old) / 8 * slope(log_likelihood_of_test, old)
    assert_allclose(old + step, round_of_test(old), atol=1e-6)


# --- a mixture of three Poissons: small enough to list all labellings, and to differentiate ------------------

COUNTS = np.array([0, 2, 5, 1, 9, 3])


def setting(seed, K=3):
    """Free parameters: log-odds of the weights against the last, ln rates."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=K - 1), np.log(rng.uniform(0.5, 8, size=K))])


def natural(theta):
    K = (len(theta) + 1) // 2
    return softmax(np.append(theta[: K - 1], 0)), np.exp(theta[K - 1 :])


def log_joint(theta, x=COUNTS):
    """ln P(x_n, z_n = k) by scipy, (N, K)."""
    weights, rates = natural(theta)
    return np.log(weights) + stats.poisson(rates).logpmf(x[:, None])


def log_likelihood(theta, x=COUNTS):
    return np.log(np.exp(log_joint(theta, x)).sum(axis=1)).sum()


def posterior(theta, x=COUNTS):
    chance = np.exp(log_joint(theta, x))
    return chance / chance.sum(axis=1, keepdims=True)


def q_value(new, resp, x=COUNTS):
    return (resp * log_joint(new, x)).sum()


def bound(q, theta):
    return (q * (log_joint(theta) - np.log(q))).sum()


def m_step(resp, x=COUNTS):
    """The top of Q by a general optimiser, which knows no formula of the chapter."""
    start = np.zeros(2 * resp.shape[1] - 1)
    found = optimize.minimize(lambda v: -q_value(v, resp, x), start, method="BFGS", options={"gtol": 1e-8})
    return found.x


def gradient(f, v, h=1e-5):
    return np.array([(f(v + s) - f(v - s)) / (2 * h) for s in h * np.eye(len(v))])


def hessian(f, v, h=1e-4):
    E = h * np.eye(len(v))
    return np.array([[f(v + a + b) - f(v + a - b) - f(v - a + b) + f(v - a - b) for b in E] for a in E]) / (4 * h**2)


def all_labellings(theta, K=3):
    """Every labelling of all points, and ln P(x, labelling)."""
    labels = np.array(list(product(range(K), repeat=len(COUNTS))))
    return labels, log_joint(theta)[np.arange(len(COUNTS)), labels].sum(axis=1)


def test_eq_q_linear():
    """The expectation over all 3**6 labellings."""
    old, new = setting(0), setting(1)
    chance = np.exp(all_labellings(old)[1])
    expected = chance / chance.sum() @ all_labellings(new)[1]
    assert_allclose(q_value(new, posterior(old)), expected, rtol=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_eq_jensen_bound(seed):
    """Point by point, for random and for extreme guesses; equality for the posterior only."""
    rng, theta = np.random.default_rng(seed), setting(seed)
    exact = np.log(np.exp(log_joint(theta)).sum(axis=1))
    for spread in (0.1, 1.0, 30.0):
        q = np.maximum(rng.dirichlet(np.full(3, spread), size=len(COUNTS)), 1e-300)
        per_point = (q * (log_joint(theta) - np.log(q))).sum(axis=1)
        assert (per_point < exact).all()
    q = posterior(theta)
    assert_allclose((q * (log_joint(theta) - np.log(q))).sum(axis=1), exact, rtol=1e-12)


def test_eq_elbo_kl():
    """Bound plus KL over all 3**6 labellings, for a guess that is no product, and for one that is."""
    theta, rng = setting(2), np.random.default_rng(2)
    labels, ln_p = all_labellings(theta)
    ln_post = ln_p - np.log(np.exp(ln_p).sum())
    q_nk = rng.dirichlet([1, 1, 1], size=len(COUNTS))
    for q in (rng.dirichlet(np.ones(len(labels))), q_nk[np.arange(len(COUNTS)), labels].prod(axis=1)):
        elbo, kl = q @ (ln_p - np.log(q)), q @ (np.log(q) - ln_post)
        assert kl > 0.1
        assert_allclose(elbo + kl, log_likelihood(theta), rtol=1e-10)
    assert_allclose(bound(q_nk, theta), elbo, rtol=1e-10)  # point by point, or over labellings: the same bound
    per_point = (q_nk * np.log(q_nk / posterior(theta))).sum()
    assert_allclose(per_point, kl, rtol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_eq_gain(seed):
    """The account balances for any new parameters, in thirty digits; after an M-step both entries are positive."""
    old, random = setting(seed), setting(seed + 50)
    resp = posterior(old)
    for new, by_m_step in [(random, False), (m_step(resp), True)]:
        with mpmath.workdps(30):

            def exact(theta):
                weights, rates = natural(theta)
                return [
                    [
                        mpmath.mpf(w) * mpmath.mpf(r) ** int(c) * mpmath.exp(-mpmath.mpf(r)) / mpmath.factorial(int(c))
                        for w, r in zip(weights, rates, strict=True)
                    ]
                    for c in COUNTS
                ]

            before, after = exact(old), exact(new)
            gain = sum(mpmath.log(sum(b) / sum(a)) for a, b in zip(before, after, strict=True))
            gain_q = sum(
                p / sum(a) * mpmath.log(r / p)
                for a, b in zip(before, after, strict=True)
                for p, r in zip(a, b, strict=True)
            )
            kl = sum(
                p / sum(a) * mpmath.log(p / sum(a) / (r / sum(b)))
                for a, b in zip(before, after, strict=True)
                for p, r in zip(a, b, strict=True)
            )
            assert abs(gain - gain_q - kl) < mpmath.mpf(10) ** -25
            assert kl > 0
        assert_allclose(float(gain), log_likelihood(new) - log_likelihood(old), atol=1e-10)
        assert_allclose(float(gain_q), q_value(new, resp) - q_value(old, resp), atol=1e-10)
        if by_m_step:
            assert gain_q > 0


def em_by_formula(theta, x=COUNTS):
    """A round of EM as the chapter writes it, on the free parameters."""
    resp = posterior(theta, x)
    N_k = resp.sum(axis=0)
    weights = N_k / len(x)
    return np.concatenate([np.log(weights[:-1] / weights[-1]), np.log(resp.T @ x / N_k)])


@pytest.mark.parametrize("seed", range(4))
def test_eq_poisson_round(seed):
    """The E-step from its posterior, the M-step by a numerical optimiser."""
    theta = setting(seed)
    assert_allclose(natural(em_by_formula(theta))[0], natural(m_step(posterior(theta)))[0], atol=1e-5)
    assert_allclose(natural(em_by_formula(theta))[1], natural(m_step(posterior(theta)))[1], rtol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_eq_fisher_identity(seed):
    """Both gradients by differences; elsewhere than at the old parameters they differ."""
    theta, other = setting(seed), setting(seed + 20)
    resp = posterior(theta)
    assert_allclose(gradient(log_likelihood, theta), gradient(lambda v: q_value(v, resp), theta), atol=1e-6)
    assert np.abs(gradient(log_likelihood, other) - gradient(lambda v: q_value(v, resp), other)).max() > 0.05


def test_eq_mirror():
    """New mean parameters against the gradient in natural ones: z_k and x z_k are the statistics."""
    theta = setting(3)
    weights, rates = natural(theta)
    eta = np.concatenate([np.log(weights[:2] / weights[2]) - rates[:2] + rates[2], np.log(rates)])

    def of_eta(eta):
        rates = np.exp(eta[2:])
        return log_likelihood(np.concatenate([eta[:2] + rates[:2] - rates[2], eta[2:]]))

    assert_allclose(of_eta(eta), log_likelihood(theta), rtol=1e-12)
    new_weights, new_rates = natural(m_step(posterior(theta)))
    old_means = np.concatenate([weights[:2], weights * rates])
    stepped = old_means + gradient(of_eta, eta) / len(COUNTS)
    assert_allclose(stepped, np.concatenate([new_weights[:2], new_weights * new_rates]), atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_eq_information(seed):
    """Complete minus missing, the variance simulated from the posterior of the labels, against the curvature of l."""
    theta, rng = setting(seed), np.random.default_rng(seed)
    resp = posterior(theta)
    complete = -hessian(lambda v: q_value(v, resp), theta)
    seen = -hessian(log_likelihood, theta)
    scores = np.array(
        [  # (P, N, K), by differences of the joint density
            (log_joint(theta + s) - log_joint(theta - s)) / 2e-5 for s in 1e-5 * np.eye(len(theta))
        ]
    )
    away = scores - (resp * scores).sum(axis=2, keepdims=True)
    missing = np.einsum("nk,ank,bnk->ab", resp, away, away)
    assert_allclose(complete - missing, seen, atol=1e-5)
    drawn = np.array([rng.choice(3, size=40_000, p=row) for row in resp])  # labels, given the data
    total = sum(scores[:, n, drawn[n]] for n in range(len(COUNTS)))
    assert_allclose(np.cov(total), missing, atol=0.03 * np.abs(missing).max())


def test_the_information_of_the_test_is_that_of_its_closed_form():
    """The estimate (4 f - 1) / 3 from the share f of positives has the variance 16/9 f (1 - f) / 8 = 1 / 19.2."""
    rng = np.random.default_rng(4)
    estimates = (4 * rng.binomial(8, 5 / 8, size=200_000) / 8 - 1) / 3
    assert_allclose(1 / estimates.var(), 32 - 12.8, rtol=0.01)


def test_eq_rate():
    """The eigenvalues against a round of EM differentiated numerically at its end, and against a long run."""
    x = stats.poisson([[1.0], [6.0]]).rvs(size=(2, 40), random_state=5).ravel()
    theta, path = np.array([0.3, 0.5, 1.5]), []
    for _ in range(400):
        path.append(theta)
        theta = em_by_formula(theta, x)
    resp = posterior(theta, x)
    complete = -hessian(lambda v: q_value(v, resp, x), theta)
    missing = complete + hessian(lambda v: log_likelihood(v, x), theta)
    turn = np.array([(em_by_formula(theta + s, x) - em_by_formula(theta - s, x)) / 2e-5 for s in 1e-5 * np.eye(3)]).T
    predicted = np.sort(np.linalg.eigvals(np.linalg.solve(complete, missing)).real)
    assert_allclose(predicted, np.sort(np.linalg.eigvals(turn).real), atol=1e-4)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    late = np.flatnonzero(steps > 1e-7)[-1]
    assert_allclose(steps[late] / steps[late - 1], predicted[-1], atol=2e-3)
    assert 0.1 < predicted[-1] < 0.9


def test_the_rate_of_the_test():
    assert_allclose(slope(round_of_test, 0.5, h=1e-3), 12.8 / 32, atol=1e-3)


def test_eq_aitken():
    """Exact where gains are geometric; near where EM is close to its end."""
    series = -100 - 3 * 0.7 ** np.arange(9.0)
    last, before = series[-1] - series[-2], series[-2] - series[-3]
    r = last / before
    assert_allclose(series[-1] + last * r / (1 - r), -100, rtol=1e-12)
    x, theta, trace = np.repeat([0, 1, 2, 3, 6, 7], [5, 9, 6, 2, 4, 3]), np.array([0.0, 0.0, 1.0]), []
    for _ in range(500):
        trace.append(log_likelihood(theta, x))
        theta = em_by_formula(theta, x)
    t = np.argmax(np.diff(trace) < 1e-5) + 1
    gain, before = trace[t] - trace[t - 1], trace[t - 1] - trace[t - 2]
    foretold = gain * gain / (before - gain)
    assert_allclose(foretold, trace[-1] - trace[t], rtol=0.1)
    assert trace[-1] - trace[t] > 1e-6
