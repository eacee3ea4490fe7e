"""Checkers for the chapter on step sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def exact_step(answer: Any) -> str:
    if close(answer, 1001 / 101):
        raise NotYet("That is the curvature along the gradient. The step is its inverse.")
    if close(answer, 2 / 11):
        raise NotYet("That is 2 / (L + mu), the best constant rate. The exact step depends on the gradient at (1, 1).")
    if not close(answer, 101 / 1001):
        raise NotYet("Work out the gradient at (1, 1), then g.g and g.Ag, and divide.")
    return "Close to 1 / L: the steep coordinate dominates the gradient, so its curvature sets the step."


def accepted(answer: Any) -> str:
    if close(np.ravel(np.asarray(answer, float))[:1], [0.45]):
        raise NotYet("0.45 is the longest step that would be accepted. Only 1, 1/2, 1/4, ... are tried.")
    if close(answer, [0.25, 2.0]):
        raise NotYet("The step is right. Count every trial, the accepted one too.")
    if not close(answer, [0.25, 3.0]):
        raise NotYet("On a quadratic of curvature L a step is accepted up to 2 (1 - c) / L. Halve until you are there.")
    return "The limit is 0.45. The guarantee, q times the limit, is 0.225: what was accepted is a little longer."


def backtracking(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function backtrack(value, w, g, a, shrink, decrease).")
    curvature = np.array([1.0, 40.0])

    def value(w: Any) -> float:
        return float(0.5 * w @ (curvature * w))

    start = np.array([1.0, 0.5])
    for c, shrink, first in ((0.1, 0.5, 1.0), (0.9, 0.5, 1.0), (0.5, 0.8, 10.0), (1e-4, 0.3, 0.02)):
        w, g, a = start.copy(), curvature * start, first
        while value(w - a * g) > value(w) - c * a * (g @ g):
            a *= shrink
        given = answer(value, w, g, first, shrink, c)
        if not np.array_equal(w, start):
            raise NotYet("The weights that were passed in have changed: w -= ... writes into them.")
        if a == first and not close(given, first):
            raise NotYet("If the first trial decreases the value enough, it is the answer.")
        if not close(given, a, tolerance=1e-9):
            raise NotYet(f"With c = {c:g} and q = {shrink:g} the step is wrong. Is it c a times the SQUARED norm of g?")
    return "It takes the first trial with sufficient decrease, whatever c and q are."


def secant(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function bb(grad, w, first, steps).")
    curvature, start, first = np.array([1.0, 3.0, 10.0]), np.array([1.0, -2.0, 0.5]), 0.1
    path = [start, start - first * curvature * start]
    for _ in range(4):
        s = path[-1] - path[-2]
        path.append(path[-1] - (s @ s) / (s @ (curvature * s)) * curvature * path[-1])
    result = answer(lambda w: curvature * np.asarray(w), start.copy(), first, 5)
    if not close(answer(lambda w: curvature * np.asarray(w), start.copy(), first, 1), path[1], tolerance=1e-9):
        raise NotYet("The first step has no secant yet: it should use the learning rate first.")
    short = [start, path[1]]
    for _ in range(4):
        s = short[-1] - short[-2]
        y = curvature * s
        short.append(short[-1] - (s @ y) / (y @ y) * curvature * short[-1])
    if close(result, short[5], tolerance=1e-9):
        raise NotYet("That is the short step, s.y / y.y, a method too. The long one is s.s / s.y.")
    if not close(result, path[5], tolerance=1e-9):
        raise NotYet("The second step is off. s and y are differences of the last two weights and gradients.")
    return "Two vectors of memory, and no function value anywhere."


def cycle(answer: Any) -> str:
    expected = (np.sqrt(5) - 2) / 0.05
    if close(answer, np.sqrt(5) - 2):
        raise NotYet("That is t, in units of 1 / ridge.")
    if close(answer, -expected):
        raise NotYet("The size is right. Which sign has the second point, on the same side as the first?")
    if not close(answer, expected):
        raise NotYet("With w = p / 0.05: from p > 0 and -1 the secant must meet zero at -p. Solve for p.")
    return "The golden ratio is here: t = sqrt 5 - 2 is its third power, inverted."


CHECKERS: dict[str, Checker] = {
    "step-sizes-1": exact_step,
    "step-sizes-2": accepted,
    "step-sizes-3": backtracking,
    "step-sizes-4": secant,
    "step-sizes-5": cycle,
}
