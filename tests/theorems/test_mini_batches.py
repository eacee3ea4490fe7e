"""Theorems of the chapter on mini-batches."""

from itertools import combinations, product

import numpy as np
import pytest

from fo_lib import gradients, minimize, problems, rates

N = 7
RNG = np.random.default_rng(0)
PROBLEM = problems.least_squares(RNG.standard_normal((N, 3)), RNG.standard_normal(N))
W = RNG.standard_normal(3)
SINGLE = np.array([PROBLEM.sample_grad(W, np.array([i])) for i in range(N)])
VARIANCE = np.mean(np.sum((SINGLE - SINGLE.mean(0)) ** 2, axis=1))


def moments(batches):
    """Mean and total variance of the batch gradient over equally likely batches."""
    estimates = np.array([PROBLEM.sample_grad(W, np.array(rows)) for rows in batches])
    mean = estimates.mean(0)
    return mean, np.mean(np.sum((estimates - mean) ** 2, axis=1))


@pytest.mark.parametrize("size", range(1, N + 1))
def test_variance_without_replacement_over_every_possible_batch(size):
    """Exact: all batches of distinct samples, equally likely."""
    mean, variance = moments(combinations(range(N), size))
    np.testing.assert_allclose(mean, PROBLEM.grad(W), rtol=1e-12)
    expected = rates.mini_batch_variance(size, n=N, variance=VARIANCE)
    assert variance == pytest.approx(expected, rel=1e-12, abs=1e-14)
    assert (variance < 1e-28) == (size == N)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_variance_with_replacement_over_every_possible_batch(size):
    mean, variance = moments(product(range(N), repeat=size))
    np.testing.assert_allclose(mean, PROBLEM.grad(W), rtol=1e-12)
    assert variance == pytest.approx(VARIANCE / size, rel=1e-12)


@pytest.mark.parametrize(
    ("order", "theory"),
    [
        (gradients.reshuffled, lambda b: rates.mini_batch_variance(b, n=50, variance=1.0)),
        (gradients.with_replacement, lambda b: 1.0 / b),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 25])
def test_variance_of_the_librarys_own_batches(order, theory, size):
    """The first batch of 20,000 epochs: within 5 standard errors, 5 % or so."""
    y = np.arange(50.0)
    problem = problems.least_squares(np.ones((50, 1)), y / y.std())
    estimate = gradients.mini_batch(size, order)(problem, 3)
    per_epoch = -(-50 // size)
    draws = np.array([estimate(np.zeros(1), 1 + epoch * per_epoch)[0] for epoch in range(20_000)])
    assert draws.var() == pytest.approx(theory(size), rel=0.05)
    assert draws.mean() == pytest.approx(-y.mean() / y.std(), abs=5 * np.sqrt(theory(size) / 20_000))


def steps_apart_and_together(problem, w, rate, batches):
    """Iterates after one step for each batch, and after a single step on all of them with the summed rate."""
    apart = w
    longest = 0.0
    for rows in batches:
        g = problem.sample_grad(apart, rows)
        longest = max(longest, float(np.linalg.norm(g)))
        apart = apart - rate * g
    together = w - len(batches) * rate * problem.sample_grad(w, np.concatenate(batches))
    return apart, together, longest


@pytest.mark.parametrize("seed", range(5))
def test_linear_scaling_gap_is_of_second_order(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 4))
    problem = problems.logistic(X, X @ rng.standard_normal(4) > rng.standard_normal(40))
    batches = rng.permutation(40).reshape(8, 5)
    w = rng.standard_normal(4)
    L = max(np.linalg.eigvalsh(X[rows].T @ X[rows] / 20)[-1] for rows in batches)  # of any batch: a quarter of X'X / 5
    etas = np.array([1e-3, 1e-4])
    gaps = []
    for rate in etas:
        apart, together, longest = steps_apart_and_together(problem, w, rate, batches)
        gaps.append(np.linalg.norm(apart - together))
        assert gaps[-1] <= 0.5 * 8 * 7 * rate**2 * L * longest
    slope = np.diff(np.log(gaps)) / np.diff(np.log(etas))
    assert slope[0] == pytest.approx(2, abs=0.01)


def test_linear_scaling_gap_is_attained_by_identical_samples():
    """k steps of eta on h w^2 / 2 against one of k eta: the gap tends to k (k - 1) / 2 eta^2 h |h w|."""
    problem = problems.least_squares(np.full((6, 1), np.sqrt(3.0)), np.zeros(6))
    batches = np.arange(6).reshape(6, 1)
    for rate in (1e-4, 1e-5):
        apart, together, longest = steps_apart_and_together(problem, np.array([2.0]), rate, batches)
        bound = 0.5 * 6 * 5 * rate**2 * 3.0 * longest
        gap = abs(apart[0] - together[0])
        assert gap <= bound
        assert gap == pytest.approx(bound, rel=20 * rate)


def test_a_summed_gradient_divides_the_limit_of_the_learning_rate_by_n():
    """Minimizing the sum instead of the mean: the limit is 1 / lambda_max(X'X), and doubling the data halves it."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((100, 4)), rng.standard_normal(100)
    limit = 1 / np.linalg.eigvalsh(X.T @ X)[-1]

    def total(X, y):
        return problems.from_functions(
            lambda w: float(np.sum((X @ w - y) ** 2)), lambda w: 2 * X.T @ (X @ w - y), np.zeros(4)
        )

    twice = total(np.concatenate([X, X]), np.concatenate([y, y]))
    assert not minimize(total(X, y), learning_rate=0.9 * limit, steps=20_000).diverged
    assert minimize(total(X, y), learning_rate=1.1 * limit, steps=20_000).diverged
    assert minimize(twice, learning_rate=0.9 * limit, steps=20_000).diverged
    mean = problems.least_squares(np.concatenate([X, X]), np.concatenate([y, y]))
    assert 2 / mean.L == pytest.approx(2 * 100 * limit, rel=1e-12)
