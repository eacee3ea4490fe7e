"""Instances that several theorems are tested on."""

from dataclasses import replace

import numpy as np

from fo_lib import problems
from fo_lib.problem import solve


def random_quadratic(seed, dimension=8):
    rng = np.random.default_rng(seed)
    spectrum = 10 ** rng.uniform(-2, 2, dimension)
    return problems.quadratic(spectrum, seed=seed, start=rng.standard_normal(dimension) * 10 ** rng.uniform(-2, 2))


def random_logistic(seed, l2=0.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 5)) * rng.uniform(0.1, 3, 5)
    y = X @ rng.standard_normal(5) + 2 * rng.standard_normal(40) > 0
    return solve(problems.logistic(X, y, l2=l2))


def sigmoid_loss(seed):
    """Mean of 1 / (1 + exp(y x.w)), a smooth count of errors: not convex; |second derivative| <= 1 / (6 sqrt 3)."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 5)) * np.where(rng.random((40, 1)) < 0.5, -1, 1)
    L = np.linalg.eigvalsh(X.T @ X / 40)[-1] / (6 * np.sqrt(3))

    def probabilities(w):
        return 1 / (1 + np.exp(X @ w))

    def grad(w):
        p = probabilities(w)
        return -(p * (1 - p)) @ X / 40

    return problems.from_functions(lambda w: probabilities(w).mean(), grad, rng.standard_normal(5), L=L)


def one_variable(value, slope, curvature, start):
    """A problem of one weight."""
    return replace(
        problems.from_functions(lambda w: float(value(w[0])), lambda w: np.array([slope(w[0])]), [float(start)]),
        hessian=lambda w: np.array([[curvature(w[0])]]),
    )


def many_chains(rule, learning_rate, momentum, steps, seed):
    """Weights and velocities of 20,000 runs on a slope of 2 w, with gradient noise of variance 2.25."""
    rng = np.random.default_rng(seed)
    w, v = np.zeros(20_000), np.zeros(20_000)
    for _ in range(steps):
        w, v = rule(w, 2.0 * w + 1.5 * rng.standard_normal(20_000), v, learning_rate, momentum)
    return w, v


def nesterov_matrix(h, beta):
    """The matrix of Nesterov's method that takes (x_k, x_{k-1}) to (x_{k+1}, x_k)."""
    return np.array([[(1 - h) * (1 + beta), -(1 - h) * beta], [1.0, 0.0]])


def ball(radius):
    """The projection onto the ball around zero."""
    return lambda w, _: w * min(1, radius / max(np.linalg.norm(w), 1e-300))


def first_largest(k, M=1.0, mu=0.0):
    """M max_i w_i + mu/2 |w|^2 in dimension k, from zero; the slope is that of the first largest coordinate."""
    return problems.from_functions(
        lambda w: M * w.max() + mu / 2 * w @ w, lambda w: M * np.eye(k)[w.argmax()] + mu * w, np.zeros(k)
    )


def worst(k, M=1.0, R=1.0):
    """On the ball of radius R the minimum is -MR/sqrt(k)."""
    return replace(first_largest(k, M), minimum=-M * R / np.sqrt(k), minimizer=np.full(k, -R / np.sqrt(k)))
