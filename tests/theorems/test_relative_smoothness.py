"""Theorems of the chapter on mirror descent: relative smoothness, and EM as a mirror step."""

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from fo_lib import mirror_descent, problems, rates
from fo_lib.mirror import entropy

seeds = pytest.mark.parametrize("seed", range(5))


def dirichlet(rng, d, n=None):
    return rng.dirichlet(np.full(d, 0.5), n)


def mixing(rng, d=6, n=9):
    """KL(B w, b), with columns of B and b that add up to one."""
    B, b = dirichlet(rng, n, d).T, dirichlet(rng, n) * 0.9 + 0.1 / n
    f = problems.from_functions(
        lambda w: float(np.sum(B @ w * np.log(B @ w / b))), lambda w: B.T @ np.log(B @ w / b) + 1, np.full(d, 1 / d)
    )
    return f, B


@seeds
def test_relative_smoothness_gives_one_over_k(seed):
    """The constant 1 holds between any two points and is attained; the run descends, and keeps its bound to any u."""
    rng, divergence = np.random.default_rng(seed), entropy().divergence
    f, _ = mixing(rng)
    ratios = []
    for _ in range(300):
        u, w = dirichlet(rng, 6, 2)
        ratios.append((f.value(u) - f.value(w) - f.grad(w) @ (u - w)) / divergence(u, w))
    assert 0 <= min(ratios) <= max(ratios) <= 1
    run = mirror_descent(f, entropy(), learning_rate=1.0, steps=200, iterates=True)
    assert np.diff(run.value).max() <= 1e-15
    for u in (*np.eye(6), *dirichlet(rng, 6, 20), run.w):
        D = [divergence(u, w) for w in run.iterates]
        bound = rates.relative_smoothness(run.step[1:], L=1.0, divergence=D[0])
        assert np.all(run.value[1:] - f.value(u) <= bound + 1e-14)
        assert np.all(run.value[1:] - f.value(u) <= -np.diff(D) + 1e-12)  # the inequality of the proof


def test_the_constant_of_mixing_is_attained_where_columns_do_not_overlap():
    b = np.array([0.2, 0.3, 0.5])
    w, u = np.array([0.6, 0.3, 0.1]), np.array([0.1, 0.1, 0.8])
    lift = np.sum(u * np.log(u / b)) - np.sum(w * np.log(w / b)) - (np.log(w / b) + 1) @ (u - w)
    assert lift == pytest.approx(entropy().divergence(u, w))


@pytest.mark.parametrize("share", [0.9, 0.97])
def test_a_linear_function_attains_the_relative_bound(share):
    """From a tiny first weight the gap stays near 1 until k / L is nearly the logarithm: no smaller constant is right."""
    epsilon, k = 1e-300, 200
    L = k / (share * np.log(1 / epsilon))
    f = problems.from_functions(lambda w: float(w[1]), lambda w: np.array([0.0, 1.0]), np.array([epsilon, 1 - epsilon]))
    run = mirror_descent(f, entropy(), learning_rate=1 / L, steps=k)
    bound = rates.relative_smoothness(k, L=L, divergence=entropy().divergence(np.array([1.0, 0]), f.start))
    assert run.value[-1] == pytest.approx(share * bound, rel=1e-6)


@seeds
def test_relative_strong_convexity_is_linear(seed):
    """The entropy itself plus a relatively smooth function: mu = 0.5, L = 1.5."""
    rng, divergence = np.random.default_rng(seed), entropy().divergence
    f, _ = mixing(rng)
    both = problems.from_functions(
        lambda w: f.value(w) + 0.5 * float(w @ np.log(w)), lambda w: f.grad(w) + 0.5 * (np.log(w) + 1), f.start
    )
    best = mirror_descent(both, entropy(), learning_rate=1 / 1.5, steps=3000, every=3000).w
    run = mirror_descent(both, entropy(), learning_rate=1 / 1.5, steps=25, iterates=True)
    D = np.array([divergence(best, w) for w in run.iterates])
    assert np.all(D <= (1 - 0.5 / 1.5) ** run.step * D[0] * (1 + 1e-9) + 1e-13)


# EM


def mixture(rng, n=40, d=5):
    """Negative log-likelihood of weights, and EM."""
    P = rng.uniform(size=(n, d)) ** 4
    f = problems.from_functions(
        lambda w: -float(np.mean(np.log(P @ w))), lambda w: -np.mean(P / (P @ w)[:, None], axis=0), np.full(d, 1 / d)
    )

    def em(w):
        shares = w * P / (P @ w)[:, None]
        return shares.mean(axis=0)

    return f, em, P


@seeds
def test_em_is_a_mirror_step_in_the_logits(seed):
    """Derivatives by differences; and h - F is convex, which makes F 1-smooth relative to h."""
    rng = np.random.default_rng(seed)
    f, em, _ = mixture(rng)
    theta, other = rng.standard_normal((2, 5))
    steps = 1e-6 * np.eye(5)
    slope = np.array([f.value(softmax(theta + e)) - f.value(softmax(theta - e)) for e in steps]) / 2e-6
    np.testing.assert_allclose(softmax(theta) - slope, em(softmax(theta)), atol=1e-9)

    def difference(x):
        return logsumexp(x) - f.value(softmax(x))

    assert difference((theta + other) / 2) <= (difference(theta) + difference(other)) / 2
    lift = f.value(softmax(other)) - f.value(softmax(theta)) - slope @ (other - theta)
    assert lift <= entropy().divergence(softmax(theta), softmax(other)) + 1e-8


@seeds
def test_em_keeps_its_bound_and_its_certificate(seed):
    rng, divergence = np.random.default_rng(seed), entropy().divergence
    f, em, _ = mixture(rng)
    best = f.start
    for _ in range(20_000):
        best = em(best)
    w, path = dirichlet(rng, 5) * 0.9 + 0.02, []
    for _ in range(60):
        path.append(w)
        w = em(w)
    gaps = np.array([f.value(w) - f.value(best) for w in path])
    D = np.array([divergence(best, w) for w in path])
    assert np.diff(gaps).max() <= 1e-15
    assert np.all(gaps[:-1] <= -np.diff(D) + 1e-9)
    assert np.all(gaps <= rates.mixture_em(np.arange(60), divergence=D[0]) + 1e-9)
    assert np.all(gaps <= [np.log(np.max(-f.grad(w))) + 1e-9 for w in path])
    np.testing.assert_allclose([em(w) for w in path], [-w * f.grad(w) for w in path], rtol=1e-12)


def test_components_that_do_not_overlap_attain_the_bound_of_em():
    labels, w = np.repeat([0, 1, 2], [5, 3, 2]), np.array([0.2, 0.2, 0.6])
    P, best = np.eye(3)[labels], np.array([0.5, 0.3, 0.2])
    gap = np.mean(np.log(P @ best)) - np.mean(np.log(P @ w))
    assert gap == pytest.approx(rates.mixture_em(0, divergence=entropy().divergence(best, w)))
    shares = w * P / (P @ w)[:, None]
    np.testing.assert_allclose(shares.mean(axis=0), best, rtol=1e-12)


@pytest.mark.parametrize("share", [0.9, 0.97])
@pytest.mark.parametrize("k", [1, 10, 200, 20_000])
def test_one_sample_attains_the_bound_of_em(k, share):
    """EM multiplies the odds by rho: for no k is a smaller constant right in front of KL / (k + 1)."""
    epsilon = 1e-300
    w, best = np.array([epsilon, 1 - epsilon]), np.array([1.0, 0.0])
    bound = rates.mixture_em(k, divergence=entropy().divergence(best, w))
    P = np.array([1.0, epsilon ** (share / (k + 1))])  # s / k = share / (k + 1)
    for _ in range(k):
        w = w * P / (P @ w)
    assert -np.log(P @ w) == pytest.approx(share * bound, rel=1e-5)
