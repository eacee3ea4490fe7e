"""Theorems of the chapter on gradient descent. Where an instance attains a bound, equality is tested on it."""

import numpy as np
import pytest

from fo_lib import minimize, problems, rates
from tests.theorems.instances import random_logistic, sigmoid_loss


def huber_bowl(threshold):
    """Huber's function of one variable, curvature 1, started at distance 1."""
    return problems.huber([[1.0]], [0.0], threshold=threshold)


def wavy():
    """x^2 + 3 sin^2 x: not convex, one minimizer, L = 8."""
    return problems.from_functions(
        lambda w: float(w[0] ** 2 + 3 * np.sin(w[0]) ** 2), lambda w: 2 * w + 3 * np.sin(2 * w), np.array([1.0]), L=8.0
    )


@pytest.mark.parametrize("rate", [0.3, 1.0, 1.7])
def test_descent_lemma_is_attained_by_the_steepest_direction(rate):
    """f(w - a g) <= f(w) - a (1 - a L / 2) |g|^2, with equality where the curvature is L."""
    problem = problems.quadratic([4.0])
    trace = minimize(problem, learning_rate=rate / 4.0, steps=5)
    decrease = rate / 4.0 * (1 - rate / 2) * trace.grad_norm[:-1] ** 2
    np.testing.assert_allclose(trace.value[:-1] - trace.value[1:], decrease, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_descent_lemma_holds_on_functions_that_are_not_convex(seed):
    problem = sigmoid_loss(seed)
    for rate in (0.1, 1.0, 1.9):
        trace = minimize(problem, learning_rate=rate / problem.L, steps=50)
        bound = rate / problem.L * (1 - rate / 2) * trace.grad_norm[:-1] ** 2
        assert np.all(trace.value[:-1] - trace.value[1:] >= bound - 1e-15)


@pytest.mark.parametrize("steps", [1, 2, 10, 100])
def test_convex_rate_is_attained_by_hubers_function(steps):
    """f_N - f* = L R^2 / (4 N + 2) exactly: a step 10 % too long or too short fails."""
    trace = minimize(huber_bowl(1 / (2 * steps + 1)), start=[1.0], learning_rate=1.0, steps=steps)
    assert trace.value[-1] == pytest.approx(rates.gradient_descent_convex(steps, L=1.0, R=1.0), rel=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_convex_rate_bounds_logistic_regression(seed):
    problem = random_logistic(seed)
    trace = minimize(problem, learning_rate=1 / problem.L, steps=300)
    gap, R = trace.value - problem.minimum, np.linalg.norm(problem.minimizer)
    assert np.all(gap <= rates.gradient_descent_convex(trace.step, L=problem.L, R=R))
    assert np.all(gap <= rates.gradient_descent_convex_textbook(trace.step, L=problem.L, R=R))


@pytest.mark.parametrize("start", [0.02, 1.0, 3.0])
def test_convex_rate_with_the_textbook_constant_holds_on_hubers_function(start):
    for threshold in (0.01, 0.1, 1.0):
        trace = minimize(huber_bowl(threshold), start=[start], learning_rate=1.0, steps=50)
        assert np.all(trace.value <= rates.gradient_descent_convex_textbook(trace.step, L=1.0, R=start))


@pytest.mark.parametrize("kappa", [1.0, 10.0, 1e4])
@pytest.mark.parametrize("choice", ["best", "one over L"])
def test_strongly_convex_rate_is_attained_by_a_quadratic(kappa, choice):
    """The distance shrinks by (kappa - 1) / (kappa + 1), or 1 - mu / L, in every step, exactly."""
    problem = problems.quadratic([1.0, kappa])
    rate = 2 / (kappa + 1) if choice == "best" else 1 / kappa
    factor = (kappa - 1) / (kappa + 1) if choice == "best" else 1 - 1 / kappa
    start = [1.0, 1.0] if choice == "best" else [1.0, 0.0]
    trace = minimize(problem, start=start, learning_rate=rate, steps=20, iterates=True)
    distance = np.linalg.norm(trace.iterates, axis=1)
    np.testing.assert_allclose(distance, distance[0] * factor**trace.step, rtol=1e-12, atol=1e-15)
    bound = rates.gradient_descent_strongly_convex(trace.step, L=kappa, mu=1.0, learning_rate=rate)
    np.testing.assert_allclose(bound, factor**trace.step, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_strongly_convex_rate_bounds_regularized_logistic_regression(seed):
    problem = random_logistic(seed, l2=0.1)
    for rate in (1 / problem.L, 2 / (problem.L + problem.mu), 1.9 / problem.L):
        trace = minimize(problem, learning_rate=rate, steps=100, iterates=True)
        distance = np.linalg.norm(trace.iterates - problem.minimizer, axis=1)
        bound = rates.gradient_descent_strongly_convex(trace.step, L=problem.L, mu=problem.mu, learning_rate=rate)
        assert np.all(distance <= distance[0] * bound + 1e-12)


@pytest.mark.parametrize(("factor", "size"), [(1.999, 0.999**10_000), (2.0, 1.0), (2.001, 1.001**10_000)])
def test_stability_edge_is_two_over_L(factor, size):
    """After 1e4 steps at 1.999, 2 and 2.001 times 1 / L the iterate has shrunk, is where it was, has grown."""
    trace = minimize(problems.quadratic([4.0]), start=[1.0], learning_rate=factor / 4.0, steps=10_000, every=10_000)
    assert abs(trace.w[0]) == pytest.approx(size, rel=1e-8)


def test_stability_edge_depends_on_the_curvature_that_the_gradient_sees():
    """Beyond 2 / L a quadratic diverges from every start but those with nothing in the steepest direction."""
    problem = problems.quadratic([1.0, 10.0])
    rate = 2.1 / 10.0
    assert minimize(problem, start=[1.0, 1e-12], learning_rate=rate, steps=20_000).diverged
    assert not minimize(problem, start=[1.0, 0.0], learning_rate=rate, steps=20_000).diverged


def test_pl_rate_holds_without_convexity():
    """Karimi et al.'s example: mu = 1/32 as published; the largest constant is 0.1755, and the rate holds with it."""
    problem = wavy()
    x = np.linspace(-10, 10, 200_001)
    x = x[x != 0]
    slope, value = 2 * x + 3 * np.sin(2 * x), x**2 + 3 * np.sin(x) ** 2
    mu = np.min(slope**2 / (2 * value))
    assert mu == pytest.approx(0.17553, rel=1e-4)
    assert np.min(2 + 6 * np.cos(2 * x)) == pytest.approx(-4, rel=1e-6)
    for start in np.linspace(-10, 10, 401):
        trace = minimize(problem, start=[start], learning_rate=1 / 8, steps=60)
        for constant in (1 / 32, mu):
            bound = rates.gradient_descent_pl(trace.step, L=8.0, mu=constant, gap=trace.value[0])
            assert np.all(trace.value <= bound + 1e-15)


def test_pl_rate_is_attained_where_the_curvature_is_constant():
    """On L w^2 / 2 with mu = L one step is enough; with step 1 / L and mu < L the value falls by (1 - mu / L)^2."""
    problem = problems.quadratic([1.0, 4.0])
    trace = minimize(problem, start=[1.0, 0.0], learning_rate=1 / 4, steps=10)
    bound = rates.gradient_descent_pl(trace.step, L=4.0, mu=1.0, gap=trace.value[0])
    assert np.all(trace.value <= bound)
    np.testing.assert_allclose(trace.value, bound**2 / trace.value[0], rtol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_nonconvex_rate_bounds_the_smallest_gradient(seed):
    problem = sigmoid_loss(seed)
    trace = minimize(problem, learning_rate=1 / problem.L, steps=200)
    smallest = np.minimum.accumulate(trace.grad_norm**2)[:-1]
    assert np.all(smallest <= rates.gradient_descent_nonconvex(trace.step[1:], L=problem.L, gap=trace.value[0]))


@pytest.mark.parametrize("steps", [1, 10, 100])
def test_nonconvex_rate_is_of_the_right_order_on_hubers_function(steps):
    """While the slope is constant the smallest squared gradient is exactly N / (4 N + 1) of the bound."""
    trace = minimize(huber_bowl(1 / (2 * steps + 1)), start=[1.0], learning_rate=1.0, steps=steps)
    bound = rates.gradient_descent_nonconvex(steps, L=1.0, gap=trace.value[0])
    assert trace.grad_norm[:-1].min() ** 2 / bound == pytest.approx(steps / (4 * steps + 1), rel=1e-12)


def test_scaling_a_feature_by_d_multiplies_its_learning_rate_by_d_squared():
    rng = np.random.default_rng(0)
    X, y, d = rng.standard_normal((20, 3)), rng.standard_normal(20), np.array([1.0, 10.0, 0.1])
    scaled = minimize(problems.least_squares(X * d, y), learning_rate=1e-3, steps=7)
    w = np.zeros(3)
    for _ in range(7):
        w = w - 1e-3 * d**2 * (X.T @ (X @ w - y) / 20)
    np.testing.assert_allclose(scaled.w * d, w, rtol=1e-12)
