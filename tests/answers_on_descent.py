"""Answers to questions on descent, noise and momentum, by other calculations than those of the bank."""

import numpy as np
from scipy import optimize

from fo_lib import Stepper, minimize, problems, rules


def growth(matrix):
    return np.abs(np.linalg.eigvals(matrix)).max()


def first_step(true, start=0):
    """The first number of steps from which on something is true."""
    k = start
    while not true(k):
        k += 1
    return k


def gradient_steps(mu, L, digits):
    problem = problems.quadratic([mu, L], start=[1.0, 1.0])
    trace = minimize(problem, learning_rate=2 / (L + mu), steps=3000, iterates=True)
    distance = np.linalg.norm(trace.iterates, axis=1) / np.sqrt(2)
    return first_step(lambda k: distance[k] <= 10.0**-digits * (1 + 1e-9))


def line_search(mu, L):
    w = np.array([1 / mu, 1 / L])
    h = np.array([mu, L])
    g = h * w
    after = w - (g @ g) / (g @ (h * g)) * g
    return (h @ after**2) / (h @ w**2)


def backtracking(h, first, c):
    def f(w):
        return h / 2 * w**2

    rate = first
    while f(1.0) - f(1.0 - rate * h) < c * rate * h**2:
        rate /= 2
    return rate


def batch_variance(n, b, variance):
    """Over all batches: for each size their number, the sum of their totals and of the squares of these."""
    x = np.random.default_rng(0).normal(size=n)
    x *= np.sqrt(variance) / x.std()
    sums = np.zeros((3, b + 1))
    sums[0, 0] = 1
    for value in x:
        count, total, square = sums[:, :-1]
        sums[:, 1:] += [count, total + value * count, square + 2 * value * total + value**2 * count]
    count, total, square = sums[:, b]
    return square / count / b**2 - (total / count / b) ** 2


def settled(factor, noise):
    """Where v = factor^2 v + noise leads, by doubling the number of steps 60 times."""
    share, v = factor**2, noise
    for _ in range(60):
        share, v = share**2, share * v + v
    return v


def inverse_rate(c, sigma):
    v = 1.0
    for k in range(1, 1_000_000):
        v = (1 - c / k) ** 2 * v + (c * sigma / k) ** 2
    return k * v


def heavy_ball_limit(beta, h):
    def radius(rate):
        return growth([[1 + beta - rate * h, -beta], [1, 0]])

    low, high = 0.0, 8 / h
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if radius(middle) < 1 else (low, middle)
    return low


def best_momentum(mu, L):
    """The least momentum at which both ends can decay alike, and are critically damped."""
    grid = np.linspace(0.01, 0.96, 95_001)
    rate = (1 + np.sqrt(grid)) ** 2 / L
    lower_end = (1 - np.sqrt(grid)) ** 2 / mu
    return grid[np.argmax(rate >= lower_end)]


def one_gradient(rate, beta):
    step = Stepper(rules.momentum, learning_rate=rate, momentum=beta)
    w = np.zeros(1)
    for g in [1.0] + [0.0] * 5000:
        step(w, np.array([g]))
    return -w[0]


def last_step(rule, gradients, **hyper):
    step, w = Stepper(rule, **hyper), np.zeros(1)
    for g in gradients:
        before = w.copy()
        step(w, np.array([g]))
    return abs(w - before)[0]


def averaging_steps(sigma, h, goal):
    return np.ceil(0.99999 * sigma**2 / (h**2 * goal))


def curvature_of_growth(rate, growth):
    def measured(h):
        trace = minimize(problems.quadratic([h], start=[1.0]), learning_rate=rate, steps=5)
        return trace.value[-1] / trace.value[-2]

    return optimize.brentq(lambda h: measured(h) - growth, 2 / rate, 10 / rate)
