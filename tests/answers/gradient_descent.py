"""Answers to the exercises on gradient descent: right ones, and slips with the hint that each should meet."""

import numpy as np

TALL = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
EDGE = 2 / np.linalg.eigvalsh(TALL.T @ TALL / 3)[-1]


def descend(grad, w, learning_rate, tolerance, steps):
    for _ in range(steps):
        g = grad(w)
        if np.linalg.norm(g) <= tolerance:
            break
        w = w - learning_rate * g
    return w


def descend_in_place(grad, w, learning_rate, tolerance, steps):
    for _ in range(steps):
        w -= learning_rate * grad(w)
    return w


def stops_by_the_largest_entry(grad, w, learning_rate, tolerance, steps):
    for _ in range(steps):
        if np.abs(grad(w)).max() <= tolerance:
            break
        w = w - learning_rate * grad(w)
    return w


def stops_strictly_below(grad, w, learning_rate, tolerance, steps):
    return descend(grad, w, learning_rate, np.nextafter(tolerance, 0), steps)


RIGHT = {
    "gradient-descent-1": EDGE,
    "gradient-descent-2": np.ceil(np.log(1e6) / np.log(471 / 469)),
    "gradient-descent-3": descend,
    "gradient-descent-4": (1.0, 0.1),
}

WRONG = [
    ("gradient-descent-3", stops_by_the_largest_entry, "at most the tolerance"),
    ("gradient-descent-3", stops_strictly_below, "at most the tolerance"),
    ("gradient-descent-1", EDGE / 2, "That is 1 / L"),
    ("gradient-descent-1", EDGE / 3, "the factor 1 / n"),
    ("gradient-descent-1", 1.0, "largest eigenvalue"),
    ("gradient-descent-2", np.ceil(np.log(1e6) / -np.log(1 - 1 / 470)), "for the learning rate 1 / L"),
    ("gradient-descent-2", 3000, "and round up"),
    ("gradient-descent-3", 1.0, "should be a function"),
    ("gradient-descent-3", descend_in_place, "passed in has changed"),
    ("gradient-descent-3", lambda grad, w, *_: descend(lambda w: -grad(w), w, *_), "Sign"),
    ("gradient-descent-3", lambda grad, w, a, tol, n: descend(grad, w, a, 0.0, n), "at most the tolerance"),
    ("gradient-descent-4", (0.2, 0.2), "Make it zero at 1 and 10"),
    ("gradient-descent-1", 0.066, "Close"),
    ("gradient-descent-2", np.log(1e6) / np.log(471 / 469), "Round up"),
]
