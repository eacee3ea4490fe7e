"""Answers to the exercises on stochastic gradient descent: right ones, and slips with the hint that each should meet."""

import numpy as np

UNRELATED = np.random.default_rng(1)


def sgd(X, y, rate, steps, seed, draw=lambda rng, n, k: rng.integers(n), sign=-1.0):
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    w = np.zeros(X.shape[1])
    for k in range(1, steps + 1):
        i = draw(rng, len(X), k)
        w = w + sign * rate(k) * (X[i] @ w - y[i]) * X[i]
    return w


def permuted(X, y, rate, steps, seed):
    order = np.random.default_rng(seed).permutation(len(X))
    return sgd(X, y, rate, steps, seed, draw=lambda rng, n, k: order[k - 1])


RIGHT = {
    "stochastic-gradient-descent-1": 2 / 13,
    "stochastic-gradient-descent-2": 9 / 8,
    "stochastic-gradient-descent-3": sgd,
    "stochastic-gradient-descent-4": 9 / 11,
}

WRONG = [
    ("stochastic-gradient-descent-1", 2 / 9, "leaves out alpha h"),
    ("stochastic-gradient-descent-1", 0.5, "solve for alpha"),
    ("stochastic-gradient-descent-2", 16 / 15, "c h is 3/4"),
    ("stochastic-gradient-descent-2", 4 / 3, "in terms of c h"),
    ("stochastic-gradient-descent-3", 3.0, "should be a function"),
    (
        "stochastic-gradient-descent-3",
        lambda X, y, rate, steps, seed: sgd(X, y, lambda k: rate(k - 1), steps, seed),
        "rate(0)",
    ),
    ("stochastic-gradient-descent-3", lambda *a: 0.0, "the last iterate"),
    (
        "stochastic-gradient-descent-3",
        lambda X, y, rate, steps, seed: -rate(1) * X.T @ (-y) / len(X),
        "a single, random",
    ),
    (
        "stochastic-gradient-descent-3",
        lambda X, y, rate, steps, seed: sgd(X, y, rate, steps, UNRELATED),
        "The same seed",
    ),
    ("stochastic-gradient-descent-3", permuted, "not from a permutation"),
    ("stochastic-gradient-descent-3", lambda *a: sgd(*a, sign=1.0), "On average"),
    ("stochastic-gradient-descent-4", 2 / 11, "What is left"),
    ("stochastic-gradient-descent-4", 0.5, "smallest eigenvalue"),
]
