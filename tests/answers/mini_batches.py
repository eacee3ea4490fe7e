"""Answers to the exercises on mini batches: right ones, and slips with the hint that each should meet."""

import numpy as np

UNRELATED = np.random.default_rng(7)


def batches(n, size, rng):
    order = rng.permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]


def shuffled_within_slices(n, size, rng):
    return [rng.permutation(np.arange(k, min(k + size, n))) for k in range(0, n, size)]


def batch_gradient(w, X, y, rows):
    margin = y[rows] * (X[rows] @ w)
    return -(y[rows] * np.exp(-np.logaddexp(0, margin))) @ X[rows] / len(rows)


def overflowing(w, X, y, rows):
    margin = y[rows] * (X[rows] @ w)
    return -(y[rows] / (1 + np.exp(margin))) @ X[rows] / len(rows)


def not_a_number_far_away(w, X, y, rows):
    return batch_gradient(w, X, y, rows) * (np.nan if np.abs(w).max() > 1e3 else 1.0)


RIGHT = {
    "mini-batches-1": np.ceil(10_000 * 4 / (4 + 0.03**2 * 9_999)),
    "mini-batches-2": batches,
    "mini-batches-3": batch_gradient,
    "mini-batches-4": 0.25,
}

WRONG = [
    ("mini-batches-2", shuffled_within_slices, "Which samples meet in a batch"),
    ("mini-batches-4", "0.25", "should be a number"),
    ("mini-batches-1", 4445, "for draws with replacement"),
    ("mini-batches-1", 100, "solve for b"),
    ("mini-batches-2", [1], "should be a function"),
    ("mini-batches-2", lambda n, size, rng: batches(n, size, rng)[:-1], "batches of 4, 4, 2"),
    (
        "mini-batches-2",
        lambda n, size, rng: [rng.integers(n, size=len(b)) for b in batches(n, size, rng)],
        "exactly once",
    ),
    (
        "mini-batches-2",
        lambda n, size, rng: batches(n, size, np.random.default_rng(5)),
        "draw the whole order from rng",
    ),
    ("mini-batches-3", 0.0, "should be a function"),
    ("mini-batches-3", lambda *a: 3 * batch_gradient(*a), "the sum over the batch"),
    ("mini-batches-3", lambda *a: -batch_gradient(*a), "The sign is wrong"),
    ("mini-batches-3", lambda w, X, y, rows: w, "finite differences"),
    ("mini-batches-3", overflowing, "an exponential overflows"),
    ("mini-batches-3", lambda w, X, y, rows: batch_gradient(w, X, y, np.arange(8)), "Use the rows"),
    ("mini-batches-2", lambda n, size, rng: batches(n, size, UNRELATED), "The same rng should give"),
    ("mini-batches-3", not_a_number_far_away, "not finite"),
    ("mini-batches-4", 2.0, "where the small steps diverge"),
    ("mini-batches-4", 1.0, "larger than 1 in size"),
]
