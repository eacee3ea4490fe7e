"""Theorems of the chapter on step sizes: Barzilai and Borwein's step."""

import numpy as np
import pytest

from fo_lib import minimize, problems
from fo_lib.learning_rates import barzilai_borwein, exact
from tests.theorems.instances import random_quadratic


@pytest.mark.parametrize("seed", range(10))
def test_barzilai_borwein_is_the_exact_step_one_step_late(seed):
    problem = random_quadratic(seed)
    trace = minimize(problem, learning_rate=barzilai_borwein(1 / problem.L), steps=15, iterates=True)
    search = exact().prepare(problem)
    late = [search(w, problem.grad(w)) for w in trace.iterates[:-2]]
    np.testing.assert_allclose(trace.learning_rate[2:], late, rtol=1e-6)
    assert np.all(trace.learning_rate[2:] >= (1 - 1e-9) / problem.L)
    assert np.all(trace.learning_rate[2:] <= (1 + 1e-9) / problem.mu)


@pytest.mark.parametrize("curvature", [1.0, 50.0])
def test_barzilai_borwein_attains_both_ends_of_its_range(curvature):
    """Along an eigenvector the step is 1 over its eigenvalue: 1/mu and 1/L are reached, and the minimizer with them."""
    problem = problems.quadratic([1.0, 50.0])
    start = [1.0, 0.0] if curvature == 1.0 else [0.0, 1.0]
    trace = minimize(problem, start=start, learning_rate=barzilai_borwein(0.3 / curvature), steps=2)
    assert trace.learning_rate[2] == pytest.approx(1 / curvature, rel=1e-12)
    assert trace.value[2] < 1e-28


@pytest.mark.parametrize("ridge", [0.01, 0.05, 0.2, 0.23])
def test_barzilai_borwein_cycles_on_a_strongly_convex_function(ridge):
    """Huber's function plus a ridge: 1, t, -1, -t, times 1 / ridge, with t = sqrt 5 - 2, for ever."""
    problem = problems.huber([[1.0]], [0.0], threshold=1.0, l2=ridge)
    t = np.sqrt(5) - 2
    first = (1 - t) / (2 * ridge)  # leads from 1 / ridge, where the slope is 2, to t / ridge
    trace = minimize(problem, start=[1 / ridge], learning_rate=barzilai_borwein(first), steps=399, iterates=True)
    cycle = np.array([1, t, -1, -t]) / ridge
    np.testing.assert_allclose(trace.iterates.reshape(-1, 4), np.tile(cycle, (100, 1)), rtol=1e-12)
    assert abs(minimize(problem, start=[1 / ridge], learning_rate=1 / problem.L, steps=20_000).w[0]) < 1e-12


@pytest.mark.parametrize("start", [3.0, 10.0, 50.0, 100.0, -60.0])
def test_the_cycle_of_barzilai_borwein_attracts(start):
    problem = problems.huber([[1.0]], [0.0], threshold=1.0, l2=0.01)
    trace = minimize(problem, start=[start], learning_rate=barzilai_borwein(1 / problem.L), steps=400, iterates=True)
    last = trace.iterates[-4:, 0]
    t = np.sqrt(5) - 2
    np.testing.assert_allclose(np.roll(last, -int(np.argmax(last))), [100, 100 * t, -100, -100 * t], rtol=1e-12)


def test_barzilai_borwein_ends_in_a_cycle_of_five_on_rosenbrocks_function():
    """From 20 starts and with three first rates at most 6 of 60 runs come near the minimum; most repeat five points."""
    arrived, cycling = 0, 0
    for seed in range(20):
        start = problems.rosenbrock().start + 0.3 * np.random.default_rng(seed).standard_normal(2)
        for first in (1e-2, 1e-3, 1e-4):
            trace = minimize(problems.rosenbrock(), start=start, learning_rate=barzilai_borwein(first), steps=1500)
            arrived += trace.value.min() < 1e-5
            cycling += np.allclose(trace.value[-5:], trace.value[-10:-5], rtol=1e-6) and trace.value[-1] > 0.1
    assert arrived <= 6
    assert cycling >= 40
