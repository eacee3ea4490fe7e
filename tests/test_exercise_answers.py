"""Each checker takes the right answer, and meets every expected slip with the hint that fits it."""

import importlib

import numpy as np
import pytest

from fo_lib.exercises import CHAPTERS, check

SMALL = np.array([[1.0, 0.0], [1.0, 2.0], [0.0, -1.0], [2.0, 1.0]])
LARGEST = np.linalg.eigvalsh(SMALL.T @ SMALL)[-1]
TALL = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
EDGE = 2 / np.linalg.eigvalsh(TALL.T @ TALL / 3)[-1]
EPS = 2.0**-52
UNRELATED = np.random.default_rng(7)


def huber_gradient(w, X, y, threshold):
    return np.clip(X @ w - y, -threshold, threshold) @ X / len(y)


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


def batches(n, size, rng):
    order = rng.permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]


def batch_gradient(w, X, y, rows):
    margin = y[rows] * (X[rows] @ w)
    return -(y[rows] * np.exp(-np.logaddexp(0, margin))) @ X[rows] / len(rows)


def overflowing(w, X, y, rows):
    margin = y[rows] * (X[rows] @ w)
    return -(y[rows] / (1 + np.exp(margin))) @ X[rows] / len(rows)


def not_a_number_far_away(w, X, y, rows):
    return batch_gradient(w, X, y, rows) * (np.nan if np.abs(w).max() > 1e3 else 1.0)


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
    "objectives-1": LARGEST / 16 + 0.1,
    "objectives-2": huber_gradient,
    "objectives-3": np.sqrt(2 * EPS),
    "objectives-4": 18,
    "gradient-descent-1": EDGE,
    "gradient-descent-2": np.ceil(np.log(1e6) / np.log(471 / 469)),
    "gradient-descent-3": descend,
    "gradient-descent-4": (1.0, 0.1),
    "mini-batches-1": np.ceil(10_000 * 4 / (4 + 0.03**2 * 9_999)),
    "mini-batches-2": batches,
    "mini-batches-3": batch_gradient,
    "mini-batches-4": 0.25,
}


def shuffled_within_slices(n, size, rng):
    return [rng.permutation(np.arange(k, min(k + size, n))) for k in range(0, n, size)]


def stops_by_the_largest_entry(grad, w, learning_rate, tolerance, steps):
    for _ in range(steps):
        if np.abs(grad(w)).max() <= tolerance:
            break
        w = w - learning_rate * grad(w)
    return w


def stops_strictly_below(grad, w, learning_rate, tolerance, steps):
    return descend(grad, w, learning_rate, np.nextafter(tolerance, 0), steps)


WRONG = [
    ("objectives-3", 0.0, "Add the two errors"),
    ("objectives-3", np.sqrt(EPS), "Add the two errors"),
    ("objectives-3", -np.sqrt(2 * EPS), "Add the two errors"),
    ("gradient-descent-3", stops_by_the_largest_entry, "at most the tolerance"),
    ("gradient-descent-3", stops_strictly_below, "at most the tolerance"),
    ("mini-batches-2", shuffled_within_slices, "Which samples meet in a batch"),
    ("mini-batches-4", "0.25", "should be a number"),
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
    ("gradient-descent-1", 0.066, "Close"),
    ("gradient-descent-2", np.log(1e6) / np.log(471 / 469), "Round up"),
    ("mini-batches-3", not_a_number_far_away, "not finite"),
    ("mini-batches-4", 2.0, "where the small steps diverge"),
    ("mini-batches-4", 1.0, "larger than 1 in size"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_is_right(name):
    feedback = check(name, RIGHT[name])
    assert feedback, feedback


@pytest.mark.parametrize(("name", "answer", "hint"), WRONG)
def test_a_slip_is_met_by_its_hint(name, answer, hint):
    feedback = check(name, answer)
    assert not feedback
    assert hint in feedback.text


def test_every_exercise_with_a_checker_is_tested():

    names = {n for c in CHAPTERS for n in importlib.import_module(f"fo_lib.exercises.{c.replace('-', '_')}").CHECKERS}
    assert names == set(RIGHT)
    assert {name for name, *_ in WRONG} == names
