"""Answers to the exercises on coordinates and duals: right ones, and slips with their hints."""

import numpy as np


def sweep(X, y, w, l2, *, kept=True, n=None, slope=True, curvature=True):
    w, r = w.copy(), y - X @ w
    n = len(y) if n is None else n
    for j in range(X.shape[1]):
        x = X[:, j]
        step = (x @ r / n - slope * l2 * w[j]) / (x @ x / n + curvature * l2)
        w[j] += step
        r = r - step * x if kept else r
    return w


def sweep_in_place(X, y, w, l2):
    w[:] = sweep(X, y, w, l2)
    return w


def sweep_that_scales(X, y, w, l2):
    np.divide(X, 2, out=X)
    return sweep(2 * X, y, w, l2)


def sweep_anew(X, y, w, l2):
    w = w.copy()
    for j in range(len(w)):
        w[j] += (X[:, j] @ (y - X @ w) / len(y) - l2 * w[j]) / (X[:, j] @ X[:, j] / len(y) + l2)
    return w


def slip(function, **settings):
    return lambda *given: function(*given, **settings)


def svm_pass(Z, lam, b, w, *, highest=1.0, first=False, n=None, moves=True):
    b, w, start = b.copy(), w.copy(), w.copy()
    n = n or len(Z)
    for i, z in enumerate(Z):
        q = z @ z / (lam * n)
        new = np.clip(b[i] + (1 - z @ (start if first else w)) / q, 0, highest)
        if moves:
            w += (new - b[i]) * z / (lam * n)
        b[i] = new
    return b, w


def svm_in_place(Z, lam, b, w):
    b[:], w[:] = svm_pass(Z, lam, b, w)
    return b, w


RIGHT = {
    "coordinate-and-dual-1": 0.9,
    "coordinate-and-dual-2": sweep,
    "coordinate-and-dual-3": 0.1875,
    "coordinate-and-dual-4": svm_pass,
}

WRONG = [
    ("coordinate-and-dual-1", 14 / 15, "equal probabilities"),
    ("coordinate-and-dual-1", 2 / 3, "once in ten steps"),
    ("coordinate-and-dual-1", 0.8, "gradient descent's"),
    ("coordinate-and-dual-1", 0.1, "share that is lost"),
    ("coordinate-and-dual-1", 0.5, "over the sum"),
    ("coordinate-and-dual-2", 1.0, "should be a function"),
    ("coordinate-and-dual-2", sweep_in_place, "has changed"),
    ("coordinate-and-dual-2", slip(sweep, kept=False), "Jacobi"),
    ("coordinate-and-dual-2", slip(sweep, n=1), "divided by n"),
    ("coordinate-and-dual-2", slip(sweep, slope=False), "has a slope"),
    ("coordinate-and-dual-2", slip(sweep, curvature=False), "has a curvature"),
    ("coordinate-and-dual-2", sweep_anew, "for each of them"),
    ("coordinate-and-dual-2", sweep_that_scales, "array has changed"),
    ("coordinate-and-dual-2", lambda X, y, w, l2: None, "one array"),
    ("coordinate-and-dual-2", lambda X, y, w, l2: (w, y - X @ w), "one array"),
    ("coordinate-and-dual-2", lambda X, y, w, l2: w[:2], "one array"),
    ("coordinate-and-dual-2", lambda X, y, w, l2: w, "partial derivative to zero"),
    ("coordinate-and-dual-3", 0.40625, "the primal value"),
    ("coordinate-and-dual-3", 0.40625 - (0.5 + 0.75**2 / 2), "twice"),
    ("coordinate-and-dual-3", 0.40625 - 0.5, "never negative"),
    ("coordinate-and-dual-3", (0 + 0.25) + 0.75**2 / 2 - (0.5 - 0.75**2 / 2), "over both samples"),
    ("coordinate-and-dual-3", 0.125, "mean loss alone"),
    ("coordinate-and-dual-3", 0.3, "mean of the pulls"),
    ("coordinate-and-dual-4", 1.0, "should be a function"),
    ("coordinate-and-dual-4", svm_in_place, "have changed"),
    ("coordinate-and-dual-4", lambda Z, lam, b, w: w, "two arrays"),
    ("coordinate-and-dual-4", lambda *given: svm_pass(*given)[::-1], "b first"),
    ("coordinate-and-dual-4", slip(svm_pass, moves=False), "has to move"),
    ("coordinate-and-dual-4", slip(svm_pass, highest=np.inf), "at most 1"),
    ("coordinate-and-dual-4", slip(svm_pass, first=True), "must see the w"),
    ("coordinate-and-dual-4", slip(svm_pass, n=1), "n is missing"),
    ("coordinate-and-dual-4", lambda Z, lam, b, w: (b, w), "cut off at 0 and 1"),
]
