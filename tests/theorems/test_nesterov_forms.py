"""Nesterov's method: its forms, its window of stability and what noise does to it."""

import numpy as np
import pytest

from fo_lib import minimize, problems, rates, rules
from tests.theorems.instances import many_chains, nesterov_matrix


def gradient(w):
    return np.array([3.0, 0.5]) * w + np.sin(w)


def two_points(alpha, beta, steps):
    """The points x_k and y_k, from the definition."""
    x = y = np.array([1.0, -2.0])
    xs, ys = [x], [y]
    for _ in range(steps):
        new = y - alpha * gradient(y)
        y = new + beta * (new - x)
        x = new
        xs.append(x)
        ys.append(y)
    return np.array(xs), np.array(ys)


def test_the_rule_holds_the_point_where_the_gradient_is_taken():
    """w_k = y_k, v_k = x_k - x_{k-1}, x_k = w_k - beta v_k."""
    xs, ys = two_points(0.1, 0.8, 60)
    w, v = np.array([1.0, -2.0]), np.zeros(2)
    for k in range(1, 61):
        w, v = rules.nesterov(w, gradient(w), v, 0.1, 0.8)
        np.testing.assert_allclose(w, ys[k], rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(w - 0.8 * v, xs[k], rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(v, xs[k] - xs[k - 1], rtol=1e-10, atol=1e-13)


def test_pytorch_form_is_the_same_at_a_constant_rate_only():
    def run(schedule, inside):
        w, v, u = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
        for t in range(60):
            g, alpha = gradient(w), schedule(t)
            if inside:
                w, v = rules.nesterov(w, g, v, alpha, 0.8)
            else:
                u = 0.8 * u + g
                w = w - alpha * (g + 0.8 * u)
        return w

    np.testing.assert_allclose(run(lambda t: 0.1, True), run(lambda t: 0.1, False), rtol=1e-10, atol=1e-14)
    drop = [run(lambda t: 0.1 if t < 10 else 0.01, inside) for inside in (True, False)]
    assert np.abs(drop[0] - drop[1]).max() > 1e-4


@pytest.mark.parametrize(("beta", "converges"), [(0.45, True), (0.55, False), (0.9, False)])
def test_looking_ahead_twice_diverges_for_momentum_above_one_half(beta, converges):
    """The gradient at w + beta v in the rule that has looked ahead already; learning rate 1 / L."""
    w, v = 1.0, 0.0
    for _ in range(400):
        w, v = rules.nesterov(w, w + beta * v, v, 1.0, beta)
    assert (abs(w) < 1e-6) if converges else (abs(w) > 1e6)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999])
def test_stability_window_is_that_of_the_roots(beta):
    edge = (2 + 2 * beta) / (1 + 2 * beta)
    for h in (-0.5, -0.01, 1e-4, 0.3, 1.0, 0.999 * edge, 1.001 * edge, 2.5):
        assert (np.abs(np.linalg.eigvals(nesterov_matrix(h, beta))).max() < 1) == (0 < h < edge)
    assert rates.nesterov_decay(edge, momentum=beta) == pytest.approx(1)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_stability_edge_in_runs(beta):
    edge = (2 + 2 * beta) / (1 + 2 * beta) / 4.0
    bowl = problems.quadratic([4.0], start=[1.0])
    inside, outside = (
        minimize(bowl, rules.nesterov, learning_rate=f * edge, momentum=beta, steps=5000).w[0] for f in (0.99, 1.01)
    )
    assert abs(inside) < 1e-6
    assert abs(outside) > 1e6


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("share", [0.001, 0.3, 0.95])
def test_stationary_variance_solves_the_lyapunov_equation(beta, share):
    """Of (w, v) as the rule has them: x = w - beta v has the variance of the proposition, w that divided by c^2."""
    curvature, sigma = 3.0, 1.7
    alpha = share * (2 + 2 * beta) / (1 + 2 * beta) / curvature
    h = alpha * curvature
    M = np.array([[1 - h * (1 + beta), beta**2], [-h, beta]])
    e = -alpha * sigma * np.array([1 + beta, 1.0])
    P = np.linalg.solve(np.eye(4) - np.kron(M, M), np.outer(e, e).reshape(-1)).reshape(2, 2)
    to_x = np.array([1.0, -beta])
    theory = rates.nesterov_variance(curvature, learning_rate=alpha, momentum=beta, variance=sigma**2)
    assert theory == pytest.approx(to_x @ P @ to_x, rel=1e-9)
    assert (theory - (alpha * sigma) ** 2) / (1 - h) ** 2 == pytest.approx(P[0, 0], rel=1e-8)


@pytest.mark.parametrize(("alpha", "beta"), [(0.1, 0.0), (0.1, 0.5), (0.05, 0.9), (0.6, 0.9)])
def test_stationary_variance_of_many_chains(alpha, beta):
    """20,000 chains after 500 steps of the rule: the standard error of the variance is 1 %."""
    w, v = many_chains(rules.nesterov, alpha, beta, steps=500, seed=2)
    theory = rates.nesterov_variance(2.0, learning_rate=alpha, momentum=beta, variance=2.25)
    assert (w - beta * v).var() == pytest.approx(theory, rel=0.04)


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.99])
def test_noise_is_amplified_by_one_over_one_minus_beta(beta):
    """In the limit of small steps; and never less than gradient descent at the same learning rate up to 1 / h."""
    for h, tolerance in ((1e-7, 1e-4), (0.1, None), (0.999, None)):
        plain, fast = (rates.nesterov_variance(1.0, learning_rate=h, momentum=b, variance=1.0) for b in (0.0, beta))
        assert fast / plain > 1
        if tolerance:
            assert fast / plain == pytest.approx(1 / (1 - beta), rel=tolerance)
