"""Checkers for the chapter on weight decay."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def memory(answer: Any) -> str:
    if close(answer, 1 / (20_000 * 0.0003)):
        return "A sixth, seventeen times PyTorch's default."
    if close(answer, 1 / 20_000):
        raise NotYet("That is the decay a step, alpha lambda. Divide by the learning rate.")
    raise NotYet("Set 1 / (alpha lambda) equal to 20,000 and solve for lambda.")


def code(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function momentum_decay(w, g, v, learning_rate, momentum, weight_decay).")
    w, g, v = np.array([1.0, -2.0]), np.array([0.5, 1.0]), np.array([0.3, 0.0])
    kept = w.copy(), v.copy()
    result = answer(w, g, v, 0.1, 0.9, 0.5)
    if not (np.array_equal(w, kept[0]) and np.array_equal(v, kept[1])):
        raise NotYet("The arrays that were passed in have changed.")
    if not isinstance(result, tuple) or len(result) != 2:
        raise NotYet("It should return two arrays, the new w and the new v.")
    velocity = 0.9 * v - 0.1 * g
    if close(result[1], 0.9 * v + g, tolerance=1e-9) or close(result[1], 0.9 * v + 0.1 * g, tolerance=1e-9):
        raise NotYet(
            "A right method, in another convention for the velocity. Here v <- momentum * v - learning_rate * g."
        )
    if not close(result[1], velocity, tolerance=1e-9):
        raise NotYet("The velocity is not that of the loss gradient alone: the decay must not enter it.")
    if close(result[0], w + velocity - 0.5 * w, tolerance=1e-9):
        raise NotYet("The decay should be multiplied by the learning rate.")
    if not close(result[0], w + velocity - 0.1 * 0.5 * w, tolerance=1e-9):
        raise NotYet("The velocity is right. Subtract alpha lambda times the OLD weights.")
    return "The velocity does not know about the decay."


def box(answer: Any) -> str:
    if close(answer, (2.0, 1.0)):
        return "One coordinate at the wall, the other one free."
    if close(answer, (10 / 3, 2 / 3)):
        raise NotYet("That is the solution with a penalty of 0.5.")
    raise NotYet("AdamW minimizes over the box |w_i| <= 1 / lambda: each coordinate by itself.")


def angle(answer: Any) -> str:
    radians = np.sqrt(2 * 0.1 * 0.0005)
    if close(answer, np.degrees(radians)):
        return "Half a degree a step, whatever the loss."
    if close(answer, radians):
        raise NotYet("Right in radians. In degrees?")
    raise NotYet("The angle is sqrt(2 alpha lambda), in radians.")


CHECKERS: dict[str, Checker] = {
    "weight-decay-1": memory,
    "weight-decay-2": code,
    "weight-decay-3": box,
    "weight-decay-4": angle,
}
