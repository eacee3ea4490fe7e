"""Theorems of the chapter on subgradients: sharp functions, line searches, exercises."""

from dataclasses import replace

import numpy as np
import pytest

from fo_lib import minimize, problems, rates
from fo_lib.learning_rates import inverse, polyak
from tests.theorems.instances import ball, worst


def polygon(m):
    """The norm max_j v_j.w with the corners v_j of a regular polygon, started half-way between two of them."""
    corners = np.column_stack([f(2 * np.pi * np.arange(m) / m) for f in (np.cos, np.sin)])
    start = np.array([np.cos(np.pi / m), np.sin(np.pi / m)])
    problem = problems.from_functions(
        lambda w: float((corners @ w).max()), lambda w: corners[(corners @ w).argmax()], start
    )
    return replace(problem, minimum=0.0)


@pytest.mark.parametrize("m", [6, 10])
def test_a_polygon_attains_the_rate_of_polyaks_step_on_sharp_functions(m):
    problem, sharpness = polygon(m), np.cos(np.pi / m)
    rng = np.random.default_rng(m)
    u = rng.standard_normal((2000, 2))
    lowest = min(problem.value(w / np.linalg.norm(w)) for w in u)
    assert sharpness <= lowest <= sharpness + 1e-3
    run = minimize(problem, learning_rate=polyak(), steps=12, iterates=True)
    bound = rates.polyak_sharp(run.step, G=1.0, sharpness=sharpness)
    np.testing.assert_allclose(np.linalg.norm(run.iterates, axis=1), bound, rtol=1e-9)


def test_polyaks_step_is_linear_on_the_function_of_the_live_figure():
    problem = problems.from_functions(
        lambda w: float(abs(w[0]) + 3 * abs(w[1])), lambda w: np.array([1, 3]) * np.sign(w), [-1.9, 0.95]
    )
    run = minimize(replace(problem, minimum=0.0), learning_rate=polyak(), steps=60, iterates=True)
    distance = np.linalg.norm(run.iterates, axis=1)
    assert np.all(distance <= distance[0] * rates.polyak_sharp(run.step, G=np.sqrt(10), sharpness=1.0))
    np.testing.assert_allclose(distance[2:40] / distance[1:39], 0.8, rtol=1e-6)
    assert distance[1] / distance[0] < 0.75  # the first is another


# What goes wrong


def wolfe(w):
    x, y = w[0], abs(w[1])
    return 5 * np.hypot(3 * x, 4 * y) if x > y else 9 * x + 16 * y


def test_exact_line_searches_converge_to_a_point_that_is_no_minimum():
    """From (16/9, 1) each exact step multiplies by 7/25 and flips the second sign; the function is unbounded below."""
    w = np.array([16 / 9, 1.0])
    for _ in range(8):
        x, y = w
        g = 5 * np.array([9 * x, 16 * y]) / np.hypot(3 * x, 4 * y)
        t = np.linspace(0, 2 * x, 20_001) / np.linalg.norm(g)
        best = t[np.argmin([wolfe(w - a * g) for a in t])]
        wanted = 7 / 25 * w * [1, -1]
        np.testing.assert_allclose(w - best * g, wanted, atol=2e-4 * x)
        w = wanted
    assert wolfe(w) < 2e-3
    assert wolfe([-1.0, 0.0]) == -9
    rng = np.random.default_rng(0)
    for u, v in rng.standard_normal((500, 2, 2)) * 3:  # convex along chords
        assert wolfe((u + v) / 2) <= (wolfe(u) + wolfe(v)) / 2 + 1e-12


def test_exercise_rates_without_a_horizon():
    """a_t = R / (G sqrt(t)): the bound is at most G R (2 + ln k) / (4 (sqrt(k + 1) - 1))."""
    k = np.arange(1, 2001)
    bound = rates.subgradient_steps(1 / np.sqrt(k), G=1.0, R=1.0)
    assert np.all(bound <= (2 + np.log(k)) / (4 * (np.sqrt(k + 1) - 1)))
    assert np.all(bound >= rates.subgradient_best(k, G=1.0, R=1.0) * (1 - 1e-12))


@pytest.mark.parametrize("k", [2, 3, 10, 101, 1000])
def test_exercise_late_points_have_no_logarithm(k):
    """a_i = D / (G sqrt(i + 1)) in a set of diameter D: from point ceil(k/2) on G D (2 + ln 2) sqrt(k) / (k - 1)."""
    m, G, D = (k + 1) // 2, 2.0, 3.0
    alphas = D / (G * np.sqrt(np.arange(m, k) + 1))
    bound = rates.subgradient_steps(alphas, G=G, R=D)[-1]
    promised = G * D * (2 + np.log(2)) * np.sqrt(k) / (k - 1)
    assert bound <= promised
    assert k < 100 or bound > promised / 2
    problem = worst(k, G, D / 2)
    run = minimize(problem, learning_rate=inverse(D / G, 1.0, 0.5), prox=ball(D / 2), steps=k - 1)
    assert 0 < run.value[m:].min() - problem.minimum <= bound
