"""Answers to the exercises on averaging and variance reduction: right ones, and slips with their hints."""

import numpy as np


def running_mean(path, first):
    mean, result = np.zeros(path.shape[1]), []
    for t, w in enumerate(path, start=1):
        mean = mean + (w - mean) / max(t - first + 1, 1)
        result.append(mean)
    return np.array(result)


def from_zero(path, first):
    result = running_mean(path, max(first - 1, 1))
    result[: first - 1] = path[: first - 1]
    return result


def svrg_gradient(grad, w, anchor, i, n, j=None, sign=1):
    full = np.mean([grad(anchor, k) for k in range(n)], axis=0)
    return grad(w, i) - sign * (grad(anchor, i if j is None else j) - full)


RIGHT = {
    "averaging-and-variance-reduction-1": 1e6,
    "averaging-and-variance-reduction-2": running_mean,
    "averaging-and-variance-reduction-3": svrg_gradient,
    "averaging-and-variance-reduction-4": 11_000_000,
}

WRONG = [
    ("averaging-and-variance-reduction-1", 1000, "k squared"),
    ("averaging-and-variance-reduction-1", 5, "solve for k"),
    ("averaging-and-variance-reduction-2", 1.0, "should be a function"),
    ("averaging-and-variance-reduction-2", lambda path, first: path.mean(0), "the same shape"),
    ("averaging-and-variance-reduction-2", lambda path, first: running_mean(path, 1), "the iterate itself"),
    ("averaging-and-variance-reduction-2", from_zero, "Steps count from 1"),
    ("averaging-and-variance-reduction-3", 1.0, "should be a function"),
    ("averaging-and-variance-reduction-3", lambda *a: 0.0, "the shape of w"),
    (
        "averaging-and-variance-reduction-3",
        lambda grad, w, anchor, i, n: grad(w, i) + grad(anchor, i),
        "Check the signs",
    ),
    ("averaging-and-variance-reduction-3", lambda *a: svrg_gradient(*a, j=(a[3] + 1) % 4), "the same sample"),
    ("averaging-and-variance-reduction-4", 6_000_000, "two sample gradients"),
    ("averaging-and-variance-reduction-4", 1_100_000, "That is one stage"),
    ("averaging-and-variance-reduction-4", 3, "ten stages"),
]
