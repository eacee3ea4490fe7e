"""The chapter on one's own problem: a certificate of the gap, and the error of a comparison."""

import itertools

import numpy as np
import pytest

from fo_lib import datasets, problems


def test_a_gradient_bounds_the_gap():
    """On a ridge problem at random points; attained on a quadratic along the eigenvector to mu, at any distance."""
    X = datasets.standardize(datasets.diabetes().X).X
    problem = problems.solve(problems.least_squares(X, datasets.diabetes().y, l2=0.1))
    rng = np.random.default_rng(0)
    for scale in (1e-2, 1.0, 100.0):
        w = problem.minimizer + scale * rng.standard_normal(X.shape[1])
        gap = problem.value(w) - problem.minimum
        assert gap <= np.sum(problem.grad(w) ** 2) / (2 * problem.mu) * (1 + 1e-9)
    bowl = problems.quadratic([0.5, 3.0])
    for distance in (1e-3, 7.0):
        w = np.array([distance, 0.0])
        assert bowl.value(w) == pytest.approx(np.sum(bowl.grad(w) ** 2) / (2 * 0.5), rel=1e-12)


def paired_variance(a, b, n):
    return (a + b - (a - b) ** 2 / n) / n**2


def test_variance_of_a_paired_difference():
    """Against the variance of the mean of the n numbers 1, -1 and 0 themselves, for all splits of 12 samples."""
    n = 12
    for a, b in itertools.product(range(n + 1), repeat=2):
        if a + b <= n:
            x = np.array([1] * a + [-1] * b + [0] * (n - a - b))
            assert paired_variance(a, b, n) == pytest.approx(x.var() / n, abs=1e-15)


def test_samples_on_which_both_agree_add_nothing():
    """What both have right moves the two accuracies by much, and the error of their difference hardly at all."""
    rng = np.random.default_rng(1)
    n, runs = 1000, 4000
    differences, firsts = [], []
    for _ in range(runs):
        both = rng.random(n) < 0.6
        only_first, only_second = ~both & (rng.random(n) < 0.10), ~both & (rng.random(n) < 0.08)
        only_second &= ~only_first
        differences.append((only_first.sum() - only_second.sum()) / n)
        firsts.append((both | only_first).mean())
    a, b = 0.4 * 0.10 * n, 0.4 * 0.90 * 0.08 * n
    assert np.var(differences) == pytest.approx(paired_variance(a, b, n), rel=0.08)
    assert np.var(firsts) > 3 * np.var(differences)
