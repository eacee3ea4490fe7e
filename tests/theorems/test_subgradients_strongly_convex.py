"""Theorems of the chapter on subgradients: strongly convex functions."""

import numpy as np
import pytest

from fo_lib import gradients, minimize, problems, rates
from tests.theorems.instances import ball, first_largest


def support_vectors(seed, mu=0.1):
    """Hinge loss with a penalty, and the lengths of the samples."""
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((40, 3)) + 0.5

    def grad(w, rows=slice(None)):
        A = Z[rows]
        return mu * w - A.T @ (A @ w < 1) / len(A)

    return problems.FiniteSum(
        value=lambda w: float(mu / 2 * w @ w + np.maximum(0, 1 - Z @ w).mean()),
        grad=grad, start=np.zeros(3), mu=mu, n_samples=40, sample_grad=grad,
    ), np.linalg.norm(Z, axis=1)  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_one_step_of_the_lemma_is_shorter_for_strongly_convex_functions(seed):
    problem, _ = support_vectors(seed)
    rng = np.random.default_rng(seed)
    project, tightest = ball(2.0), np.inf
    for _ in range(300):
        w, u = (project(rng.standard_normal(3) * 2, 0) for _ in range(2))
        alpha, g = rng.uniform(0, 2), problem.grad(w)
        bound = np.sum((w - u) ** 2) * (1 - alpha * problem.mu) + alpha**2 * g @ g
        bound -= 2 * alpha * (problem.value(w) - problem.value(u))
        free = np.sum((w - alpha * g - u) ** 2)
        assert np.sum((project(w - alpha * g, alpha) - u) ** 2) <= free <= bound + 1e-12
        tightest = min(tightest, (bound - free) / (alpha * problem.mu * np.sum((w - u) ** 2)))
    assert tightest < 0.05  # nearly attained: both points on one piece


def equal(t):
    """The mean of w_0, ..., w_t, for the slot `average`."""
    return 1 / (t + 1)


def rising(t):
    """The mean with the weights 1, ..., t + 1."""
    return 2 / (t + 2)


@pytest.mark.parametrize("k", [1, 5, 40])
def test_the_sums_of_the_strongly_convex_proofs_are_exact_on_the_largest_coordinate(k):
    """Weighted: t / (mu (t + 1)) |g|^2 less mu k (k + 1) / 4 D; equal: 1 / (2 mu t) |g|^2 less mu k / 2 D."""
    mu, M = 0.5, 2.0
    problem, t = first_largest(k, M, mu), np.arange(1, k + 1)
    best = np.full(k, -M / (mu * k))
    for schedule, weights, factors, rest, promised in (
        (lambda t: 2 / (mu * (t + 1)), t, t / (mu * (t + 1)), mu / 4 * k * (k + 1),
         rates.subgradient_strongly_convex),
        (lambda t: 1 / (mu * t), np.ones(k), 1 / (2 * mu * t), mu / 2 * k,
         rates.subgradient_strongly_convex_uniform),
    ):  # fmt: skip
        run = minimize(problem, learning_rate=schedule, steps=k, iterates=True)
        gap = run.value[:k] - problem.value(best)
        squares = np.array([problem.grad(w) @ problem.grad(w) for w in run.iterates[:k]])
        left = np.sum((run.iterates[k] - best) ** 2)
        assert weights @ gap == pytest.approx(factors @ squares - rest * left, rel=1e-10)
        bound = promised(k, G=np.sqrt(squares.max()), mu=mu)
        share = weights @ gap / weights.sum() / bound  # the proof bounds the mean of the gaps
        assert 0.47 <= share <= 1 + 1e-12
        mean = problem.value(weights @ run.iterates[:k] / weights.sum()) - problem.value(best)
        assert share / 2 <= mean / bound <= share * (1 + 1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_both_means_keep_their_bounds_on_support_vector_machines(seed):
    problem, norms = support_vectors(seed)
    mu, G = problem.mu, 2 * norms.mean()  # |w| <= mean |x| / mu along the run
    lowest = minimize(problem, learning_rate=lambda t: 1 / (mu * t), steps=20_000, every=50).value.min()
    for schedule, average, bound in (
        (lambda t: 2 / (mu * (t + 1)), rising, rates.subgradient_strongly_convex),
        (lambda t: 1 / (mu * t), equal, rates.subgradient_strongly_convex_uniform),
    ):
        run = minimize(problem, learning_rate=schedule, average=average, steps=500)
        assert np.all(run.value - lowest <= bound(run.step + 1, G=G, mu=mu))
    run = minimize(problem, learning_rate=lambda t: 2 / (mu * (t + 1)), steps=500, iterates=True)
    norms_met = [np.linalg.norm(problem.grad(w)) for w in run.iterates]
    assert max(norms_met) <= G


def test_the_means_of_the_library_are_those_of_the_theorem():
    problem, _ = support_vectors(0)
    plain = minimize(problem, learning_rate=0.3, steps=20, iterates=True)
    for average, weights in ((equal, np.ones(21)), (rising, np.arange(1, 22))):
        run = minimize(problem, learning_rate=0.3, steps=20, average=average, iterates=True)
        np.testing.assert_allclose(run.iterates[-1], weights @ plain.iterates / weights.sum(), rtol=1e-12)


def test_the_weighted_mean_keeps_its_bound_in_expectation():
    problem, norms = support_vectors(1)
    mu, radius = problem.mu, np.sqrt(2 / problem.mu)
    lowest = minimize(problem, learning_rate=lambda t: 1 / (mu * t), steps=20_000, every=50).value.min()
    G = np.sqrt(np.mean((mu * radius + norms) ** 2))
    one = gradients.mini_batch(1, gradients.with_replacement)
    values = [
        minimize(
            problem, learning_rate=lambda t: 2 / (mu * (t + 1)), average=rising, prox=ball(radius),
            gradient=one, steps=1000, every=100, seed=seed,
        ).value
        for seed in range(10)
    ]  # fmt: skip
    k = np.arange(0, 1001, 100) + 1
    assert np.all(np.mean(values, axis=0) - lowest <= rates.subgradient_strongly_convex(k, G=G, mu=mu))


@pytest.mark.parametrize("k", [1, 4, 100])
def test_strongly_convex_lower_bound_is_within_a_factor_of_four(k):
    mu, M = 0.5, 2.0
    problem, radius = first_largest(k, M, mu), M / (mu * np.sqrt(k))
    best = problem.value(np.full(k, -M / (mu * k)))
    assert best == pytest.approx(-(M**2) / (2 * mu * k))
    G = M + mu * radius
    low = G**2 / (2 * mu * k * (1 + 1 / np.sqrt(k)) ** 2)
    run = minimize(
        problem, learning_rate=lambda t: 2 / (mu * (t + 1)), average=rising, prox=ball(radius), steps=k - 1
    )  # fmt: skip
    assert run.w[-1] == 0
    gap = run.value[-1] - best
    high = rates.subgradient_strongly_convex(k, G=G, mu=mu)
    assert low * (1 - 1e-12) <= gap <= high
    assert high / low == pytest.approx(4 * k * (1 + 1 / np.sqrt(k)) ** 2 / (k + 1))
