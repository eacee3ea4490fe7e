"""Answers to the exercises on objectives: right ones, and slips with the hint that each should meet."""

import numpy as np

SMALL = np.array([[1.0, 0.0], [1.0, 2.0], [0.0, -1.0], [2.0, 1.0]])
LARGEST = np.linalg.eigvalsh(SMALL.T @ SMALL)[-1]
EPS = 2.0**-52


def huber_gradient(w, X, y, threshold):
    return np.clip(X @ w - y, -threshold, threshold) @ X / len(y)


RIGHT = {
    "objectives-1": LARGEST / 16 + 0.1,
    "objectives-2": huber_gradient,
    "objectives-3": np.sqrt(2 * EPS),
    "objectives-4": 18,
}

WRONG = [
    ("objectives-3", 0.0, "Add the two errors"),
    ("objectives-3", np.sqrt(EPS), "Add the two errors"),
    ("objectives-3", -np.sqrt(2 * EPS), "Add the two errors"),
    ("objectives-1", LARGEST / 4 + 0.1, "That is for squared loss"),
    ("objectives-1", LARGEST / 16, "The penalty adds"),
    ("objectives-1", 3.0, "plus lambda"),
    ("objectives-2", 1.0, "should be a function"),
    ("objectives-2", lambda *a: 9 * huber_gradient(*a), "the sum over the samples"),
    ("objectives-2", lambda w, X, y, t: np.clip((X @ w - y) @ X / len(y), -t, t), "You clipped the gradient"),
    ("objectives-2", lambda w, X, y, t: w, "clipped to the threshold"),
    ("objectives-3", (3 * EPS) ** (1 / 3), "for central differences"),
    ("objectives-3", 1e-3, "Add the two errors"),
    ("objectives-4", 10, "the median"),
    ("objectives-4", 17, "balance one above"),
]
