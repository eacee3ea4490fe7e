"""Answers to the exercises on step sizes: right ones, and slips with the hint that each should meet."""

import numpy as np


def backtrack(value, w, g, a, shrink, decrease):
    while value(w - a * g) > value(w) - decrease * a * (g @ g):
        a *= shrink
    return a


def backtrack_in_place(value, w, g, a, shrink, decrease):
    a = backtrack(value, w, g, a, shrink, decrease)
    w -= a * g
    return a


def unsquared(value, w, g, a, shrink, decrease):
    while value(w - a * g) > value(w) - decrease * a * np.linalg.norm(g):
        a *= shrink
    return a


def barzilai_borwein(grad, w, first, steps, secant=lambda s, y: (s @ s) / (s @ y)):
    g = grad(w)
    rate = first
    for _ in range(steps):
        new = w - rate * g
        rate = secant(new - w, grad(new) - g)
        w, g = new, grad(new)
    return w


RIGHT = {
    "step-sizes-1": 101 / 1001,
    "step-sizes-2": (0.25, 3),
    "step-sizes-3": backtrack,
    "step-sizes-4": barzilai_borwein,
    "step-sizes-5": (np.sqrt(5) - 2) / 0.05,
}

WRONG = [
    ("step-sizes-1", 1001 / 101, "The step is its inverse"),
    ("step-sizes-1", 2 / 11, "best constant rate"),
    ("step-sizes-1", 1.0, "Work out the gradient"),
    ("step-sizes-2", (0.45, 3), "Only 1, 1/2"),
    ("step-sizes-2", (0.25, 2), "Count every trial"),
    ("step-sizes-2", (0.5, 2), "Halve until"),
    ("step-sizes-3", 1.0, "should be a function"),
    ("step-sizes-3", backtrack_in_place, "passed in have changed"),
    ("step-sizes-3", lambda value, w, g, a, *_: backtrack(value, w, g, a / 2, *_), "With c = 0.5 and q = 0.8"),
    ("step-sizes-3", unsquared, "SQUARED"),
    ("step-sizes-3", lambda value, w, g, a, *_: 0.01 if a == 0.02 else backtrack(value, w, g, a, *_), "first trial"),
    ("step-sizes-4", 1.0, "should be a function"),
    ("step-sizes-4", lambda grad, w, first, n: barzilai_borwein(grad, w, 2 * first, n), "no secant yet"),
    ("step-sizes-4", lambda *a: barzilai_borwein(*a, secant=lambda s, y: (s @ y) / (y @ y)), "the short step"),
    ("step-sizes-4", lambda *a: barzilai_borwein(*a, secant=lambda s, y: 0.1), "The second step is off"),
    ("step-sizes-5", np.sqrt(5) - 2, "in units of"),
    ("step-sizes-5", -(np.sqrt(5) - 2) / 0.05, "Which sign"),
    ("step-sizes-5", 1.0, "Solve for p"),
]
