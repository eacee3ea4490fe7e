"""Theorems of the chapter on weight decay."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from fo_lib import minimize, problems, rates, rules
from fo_lib.engine import Stepper

RNG = np.random.default_rng(0)


def test_for_gradient_descent_penalty_and_decay_are_the_same():
    w = u = RNG.standard_normal(4)
    for g in RNG.standard_normal((30, 4)):
        w = rules.gradient_descent(w, g + 0.3 * w, learning_rate=0.1)
        u = rules.gradient_descent((1 - 0.1 * 0.3) * u, g, learning_rate=0.1)
        np.testing.assert_allclose(w, u, rtol=1e-12)


def test_for_adam_no_penalty_is_a_decay():
    """One step from two weights with the same gradient: decay tells them apart in proportion, a penalty does not."""
    w, g = np.array([1.0, 2.0]), np.array([1.0, 1.0])
    zero = np.zeros(2)
    decayed = rules.adamw(w, g, zero, zero, 1, learning_rate=0.1, weight_decay=0.5, epsilon=0.0)[0]
    np.testing.assert_allclose(decayed, w - 0.1 - 0.1 * 0.5 * w, rtol=1e-12)
    for penalty in (0.01, 0.5, 10.0):
        penalized = rules.adam(w, g + penalty * w, zero, zero, 1, learning_rate=0.1, epsilon=0.0)[0]
        np.testing.assert_allclose(penalized, w - 0.1, rtol=1e-12)  # the first step is the sign, whatever the penalty


# How fast a weight shrinks under noise


def shrinkage(rule, scale, penalty, **hyper):
    """Shrinkage of 20,000 weights at 1 in 2,000 steps, as a multiple of alpha lambda a step."""
    rng, w = np.random.default_rng(0), np.ones(20_000)
    step = Stepper(rule, fused=True, learning_rate=1e-3, **hyper)
    for _ in range(2000):
        step(w, scale * rng.standard_normal(20_000) + penalty * w)
    return -np.log(w.mean()) / (1e-3 * 0.1 * 2000)


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 1 / np.hypot(1, 0.1)), (10.0, 0.1)])
def test_a_penalty_shrinks_in_inverse_proportion_to_the_noise(scale, expected):
    assert shrinkage(rules.adam, scale, 0.1) == pytest.approx(expected, rel=0.03)


def test_a_penalty_shrinks_as_the_theorem_says_where_it_is_not_small():
    """At noise 0.1 and lambda 0.1: the solution of w' = -alpha lambda w / sqrt(s^2 + lambda^2 w^2)."""
    w = 1.0
    for _ in range(2000):
        w -= 1e-3 * 0.1 * w / np.hypot(0.1, 0.1 * w)
    theory = -np.log(w) / (1e-3 * 0.1 * 2000)
    measured = shrinkage(rules.adam, 0.1, 0.1)
    assert measured == pytest.approx(8.29, abs=0.05)
    assert measured == pytest.approx(theory, rel=0.1)  # the second moment remembers larger weights


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_decay_shrinks_alike_whatever_the_noise(scale):
    assert shrinkage(rules.adamw, scale, 0.0, weight_decay=0.1) == pytest.approx(1.0, abs=0.01)


# Equilibria


@pytest.mark.parametrize(("rate", "decay"), [(0.01, 0.5), (0.05, 0.5), (0.2, 4.0)])
def test_weights_under_noise_come_to_rest_at_the_equilibrium(rate, decay):
    exact = rates.decay_equilibrium(rate, weight_decay=decay)
    moment = 0.0
    for _ in range(20_000):
        moment = (1 - rate * decay) ** 2 * moment + rate**2
    assert np.sqrt(moment) == pytest.approx(exact, rel=1e-9)
    rng, w = np.random.default_rng(1), np.zeros(20_000)
    step = Stepper(rules.adamw, fused=True, learning_rate=rate, weight_decay=decay, beta1=0.0)
    for _ in range(int(6 / (rate * decay))):
        step(w, rng.standard_normal(20_000))
    assert w.std() == pytest.approx(exact, rel=0.03)


def test_norm_of_scale_invariant_weights():
    """Gradients orthogonal to w of norm G / |w|, from above and from below."""
    exact = rates.scale_invariant_norm(0.1, weight_decay=0.02, gradient=3.0)
    for start in (0.1 * exact, 10 * exact):
        w = np.array([start, 0.0])
        for _ in range(20_000):
            g = 3.0 * np.array([-w[1], w[0]]) / (w @ w)
            w = (1 - 0.1 * 0.02) * w - 0.1 * g
        assert np.linalg.norm(w) == pytest.approx(exact, rel=1e-9)


def test_gradient_of_a_normalized_model_is_orthogonal_and_inverse_to_the_norm():
    A, w = RNG.standard_normal((3, 3)), RNG.standard_normal(3)

    def grad(w):
        unit = w / np.linalg.norm(w)
        inner = (A + A.T) @ unit  # of x' A x at the unit vector
        return (inner - (inner @ unit) * unit) / np.linalg.norm(w)

    assert abs(grad(w) @ w) < 1e-12
    np.testing.assert_allclose(grad(5 * w), grad(w) / 5, rtol=1e-12)


# What AdamW converges to


def test_adamw_solves_the_problem_in_a_box():
    """Full gradients and a rate that goes to zero: the least-squares solution with |w_i| <= 1 / lambda."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((40, 6))
    y = X @ np.array([3.0, -4.0, 0.5, 0.2, 5.0, -0.1]) + 0.1 * rng.standard_normal(40)
    problem = problems.least_squares(X, y)
    trace = minimize(
        problem, rules.adamw, learning_rate=lambda t: 0.1 / np.sqrt(t), weight_decay=0.5, steps=40_000, every=40_000
    )
    box = lsq_linear(X, y, bounds=(-2, 2)).x
    assert np.sum(np.abs(box) > 1.99) >= 2  # the box binds
    np.testing.assert_allclose(trace.w, box, atol=0.01)
    ridge = problems.least_squares(X, y, l2=0.5).minimizer
    assert np.abs(trace.w - ridge).max() > 0.5
    coupled = minimize(
        problems.least_squares(X, y, l2=0.5), rules.adam, learning_rate=lambda t: 0.1 / np.sqrt(t), steps=20_000,
        every=20_000,
    ).w  # fmt: skip
    np.testing.assert_allclose(coupled, ridge, atol=0.01)


def test_a_fixed_point_of_adamw_is_a_solution_in_the_box():
    """With constant gradient g the step vanishes where lambda w = -sign(g)."""
    w, g = np.array([-2.0, 2.0]), np.array([0.3, -7.0])
    for t in range(1, 50):
        m, v = (1 - 0.9**t) * g, (1 - 0.999**t) * g * g
        m_before, v_before = (1 - 0.9 ** (t - 1)) * g, (1 - 0.999 ** (t - 1)) * g * g
        new, m_new, v_new = rules.adamw(w, g, m_before, v_before, t, epsilon=0.0, weight_decay=0.5)
        np.testing.assert_allclose(new, w, rtol=1e-12)
        np.testing.assert_allclose(m_new, m, rtol=1e-12)
        np.testing.assert_allclose(v_new, v, rtol=1e-9)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="weight_decay must be"):
        rates.decay_equilibrium(1.0, weight_decay=2.0)
    with pytest.raises(ValueError, match="gradient must be"):
        rates.scale_invariant_norm(0.1, weight_decay=0.1, gradient=0.0)
