"""Answers to the exercises on loss landscapes: right ones, and slips with the hint that each should meet."""

import numpy as np


def roots(alpha, beta, gamma):
    return np.sort(np.roots([1, -(1 + beta + alpha * gamma), beta]).real)


def formula(alpha, beta, gamma):
    half = (1 + beta + alpha * gamma) / 2
    return half + np.sqrt(half**2 - beta)


RIGHT = {
    "landscapes-1": 69,
    "landscapes-2": formula,
    "landscapes-3": 384,
    "landscapes-4": [0.9, 0.14121],
}

WRONG = [
    ("landscapes-1", 56, "time of the flow"),
    ("landscapes-1", 55.26, "time of the flow"),
    ("landscapes-1", 68, "Round up"),
    ("landscapes-2", 1.1, "should be a function"),
    ("landscapes-2", lambda a, b, g: 1 + a * g, "gradient descent"),
    ("landscapes-2", lambda a, b, g: 1 + a * g / (1 - b), "limit for small rates"),
    ("landscapes-2", lambda a, b, g: roots(a, b, g)[0], "smaller root"),
    ("landscapes-2", lambda a, b, g: np.abs(np.roots([1, -(1 + b - a * g), b])[0]), "sign of the curvature"),
    ("landscapes-2", lambda a, b, g: 1 + a, "solve for z"),
    ("landscapes-2", lambda a, b, g: formula(a, b, g) if b else 1.0, "Without momentum"),
    ("landscapes-3", 12, "the permutations"),
    ("landscapes-3", 32, "the signs"),
    ("landscapes-3", 56, "multiply"),
    ("landscapes-3", 10, "for each layer"),
    ("landscapes-4", [0.9, 0.01994], "take the root"),
    ("landscapes-4", [0.9, 1.0], "squared eigenvalues"),
]
