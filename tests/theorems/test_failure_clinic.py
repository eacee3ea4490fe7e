"""Theorems of the failure clinic."""

import numpy as np
import pytest

from fo_lib import minimize, problems

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("rate", [0.205, 0.25, 0.9])
def test_the_growth_of_a_run_betrays_its_limit(rate):
    problem = problems.quadratic([1.0, 3.0, 10.0])
    norm = minimize(problem, learning_rate=rate, steps=400 if rate < 0.25 else 60).grad_norm
    assert 2 * rate / (1 + norm[-1] / norm[-2]) == pytest.approx(2 / problem.L, rel=1e-9)


def random_step(rate):
    """A random quadratic, a point, its gradient g, and what a step -rate g does to the loss and the gradient."""
    M = RNG.standard_normal((6, 6))
    H, w = M @ M.T, RNG.standard_normal(6)
    g = H @ w
    u = w - rate * g
    return H, g, 0.5 * u @ H @ u - 0.5 * w @ H @ w, np.linalg.norm(H @ u - g)


def test_a_step_that_climbs_turns_the_gradient_over():
    """With equality for an eigenvector, and on 500 random quadratics."""
    tried = 0
    for rate in RNG.uniform(0.01, 2.0, 500):
        _, g, rise, change = random_step(rate)
        c = rise / (rate * g @ g)
        if c >= 0:
            tried += 1
            assert change >= (2 + 2 * c) * np.linalg.norm(g) * (1 - 1e-12)
    assert tried > 100
    h, rate, w = 3.0, 1.1, 2.0
    g = h * w
    c = (0.5 * h * (w - rate * g) ** 2 - 0.5 * h * w**2) / (rate * g**2)
    assert h * rate * g == pytest.approx((2 + 2 * c) * g, rel=1e-12)


def test_a_wrong_sign_climbs_by_the_promised_amount():
    for rate in RNG.uniform(0.001, 2.0, 100):
        H, g, rise, change = random_step(-rate)
        rho = g @ H @ g / (g @ g)
        assert rise == pytest.approx(rate * g @ g * (1 + rate * rho / 2), rel=1e-9)
        assert change <= rate * np.linalg.eigvalsh(H)[-1] * np.linalg.norm(g) * (1 + 1e-9)
