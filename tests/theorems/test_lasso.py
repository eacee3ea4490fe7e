"""Theorems of the chapter on proximal methods: the lasso, and Adam with a threshold."""

import numpy as np
import pytest

from fo_lib import coordinate, minimize, problems, prox, rules
from tests.theorems.proximal_instances import solved


def strong_duals(problem, h, X, y, weight):
    """For each iterate: value, and the dual value at the scaled residual."""
    n = len(y)
    run = minimize(problem, prox=h, learning_rate=1 / problem.L, steps=200, iterates=True)
    duals = []
    for w in run.iterates:
        r = y - X @ w
        theta = r / n * min(1, n * weight / np.abs(X.T @ r).max())
        assert np.abs(X.T @ theta).max() <= weight * (1 + 1e-12)
        duals.append(y @ theta - n / 2 * theta @ theta)
    return run, np.array(duals)


@pytest.mark.parametrize("seed", range(4))
def test_the_duality_gap_is_a_certificate_that_closes(seed):
    rng = np.random.default_rng(seed)
    X, y, weight = rng.standard_normal((40, 20)), rng.standard_normal(40), 0.1
    problem, h = solved(problems.least_squares(X, y), prox.l1(weight))
    run, dual = strong_duals(problem, h, X, y, weight)
    gap = run.value - dual
    assert np.all(gap >= run.value - problem.minimum - 1e-12)
    assert gap[-1] < 1e-8 < gap[0]
    library = [coordinate.duality_gap(X, y, w, l1=weight, intercept=False)[1] for w in run.iterates]
    assert np.all(np.array(library) <= gap + 1e-12)  # its scaling is the best
    assert np.all(np.array(library) >= run.value - problem.minimum - 1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_a_small_gap_certifies_zeros(seed):
    """|x_j.theta| + |x_j| sqrt(2 gap / n) < weight only for weights that are zero at the minimizer."""
    rng = np.random.default_rng(seed)
    X, y, weight = rng.standard_normal((40, 20)), rng.standard_normal(40), 0.1
    problem, h = solved(problems.least_squares(X, y), prox.l1(weight))
    run, dual = strong_duals(problem, h, X, y, weight)
    certified = []
    for w, gap in zip(run.iterates, run.value - dual, strict=True):
        r = y - X @ w
        theta = r / 40 * min(1, 40 * weight / np.abs(X.T @ r).max())
        reach = np.abs(X.T @ theta) + np.linalg.norm(X, axis=0) * np.sqrt(2 * max(gap, 1e-14) / 40)
        certified.append(reach < weight)
        assert np.all(problem.minimizer[reach < weight] == 0)
    assert certified[-1].sum() == np.sum(problem.minimizer == 0) > 0
    assert certified[0].sum() < certified[-1].sum()


@pytest.mark.parametrize("share", [0.5, 1.0, 1.9])
def test_zeros_are_found_within_the_radius_of_the_theorem(share):
    """From |w_k - w*| < alpha * margin on, exact zeros; and the margin cannot be larger, on one weight."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        problem, h = solved(
            problems.least_squares(rng.standard_normal((60, 20)), rng.standard_normal(60)), prox.l1(0.1)
        )
        zero, alpha = problem.minimizer == 0, share / problem.L
        margin = (0.1 - np.abs(problem.grad(problem.minimizer)[zero])).min()
        run = minimize(problem, prox=h, learning_rate=alpha, steps=500, iterates=True)
        distance = np.linalg.norm(run.iterates - problem.minimizer, axis=1)
        near = np.flatnonzero(distance < alpha * margin)
        assert len(near) > 0
        assert np.all(run.iterates[near[0] + 1 :, zero] == 0)
    edge = prox.l1(0.1)  # f = 0: margin 0.1, and the next point is zero exactly within alpha * 0.1
    assert edge(np.array([0.1 * 0.7 * 0.999]), 0.7)[0] == 0 != edge(np.array([0.1 * 0.7 * 1.001]), 0.7)[0]


def test_above_two_over_the_curvature_of_the_support_no_step_is_stable():
    """The limit near the solution is 2 / L_S, of the weights that are not zero: smaller than L, so a longer step."""
    X = np.array([[2.0, 0.0], [0.0, 1.0]]) * np.sqrt(2)
    problem = problems.least_squares(X, X @ np.array([0.01, 3.0]))
    h = prox.l1(0.5)  # the steep weight is zero at the minimizer
    problem, h = solved(problem, h)
    assert problem.minimizer[0] == 0 != problem.minimizer[1]
    near = problem.minimizer + np.array([0.0, 0.1])
    for rate, settles in ((1.99, True), (2.01, False)):  # L = 4: beyond 2 / L = 0.5 both
        run = minimize(problem, prox=h, learning_rate=rate, start=near, steps=2000)
        assert (abs(run.w - problem.minimizer).max() < 1e-6) == settles


def adam_then_threshold(w, g, m, v, t, weight, learning_rate=0.1, epsilon=0.1):
    w, m, v = rules.adam(w, g, m, v, t, learning_rate, epsilon=epsilon)
    return prox.l1(weight)(w, learning_rate), m, v


def test_adam_with_a_soft_threshold_rests_where_the_proposition_says():
    """With the running means at g and g^2, and their corrections gone: at rest exactly for these slopes."""
    late, epsilon = 1e6, 0.1
    for weight in (0.2, 0.7):
        edge = epsilon * weight / (1 - weight)
        for w, share, rests in ((2.0, -1, True), (-2.0, 1, True), (2.0, -1.1, False), (2.0, -0.9, False),
                                (2.0, 0, False), (0.0, 1, True), (0.0, -0.5, True), (0.0, 1.1, False)):  # fmt: skip
            g = np.array([share * edge])
            new, *_ = adam_then_threshold(np.array([w]), g, g, g * g, late, weight)
            assert (abs(new[0] - w) < 1e-12) == rests
    for weight in (1.0, 3.0):
        for g in np.array([[-5.0], [0.0], [0.3]]):
            assert adam_then_threshold(np.array([0.0]), g, g, g * g, late, weight)[0][0] == 0
            for w in (0.5, -2.0):
                assert adam_then_threshold(np.array([w]), g, g, g * g, late, weight)[0][0] != w


@pytest.mark.parametrize("penalty", [0.1, 0.5, 1.0])
def test_that_rest_is_the_minimizer_for_another_penalty(penalty):
    """The threshold c / (c + epsilon) gives the lasso of penalty c, with its zero."""
    bowl, epsilon = problems.quadratic([1.0, 3.0], minimizer=[2.0, 0.3], start=np.zeros(2)), 0.1
    h = prox.l1(penalty / (penalty + epsilon))
    run = minimize(bowl, rules.adam, prox=h, learning_rate=0.1, beta2=0.9, epsilon=epsilon, steps=10_000)
    exact = solved(bowl, prox.l1(penalty))[0].minimizer
    assert (exact[1] == 0) == (penalty == 1.0)
    np.testing.assert_allclose(run.w, exact, atol=1e-9)


def test_that_rest_is_reached_and_is_not_the_lasso_of_that_threshold():
    bowl = problems.quadratic([1.0, 3.0], minimizer=[2.0, 0.3], start=np.zeros(2))
    run = minimize(bowl, rules.adam, prox=prox.l1(0.5), learning_rate=0.01, beta2=0.9, steps=5000)
    np.testing.assert_allclose(run.w, bowl.minimizer, atol=1e-3)
    exact = solved(bowl, prox.l1(0.5))[0].minimizer
    np.testing.assert_allclose(exact, [1.5, 0.3 - 0.5 / 3], atol=1e-9)
    assert not minimize(bowl, rules.adam, prox=prox.l1(1.1), learning_rate=0.01, steps=5000).w.any()
