"""Checkers for the chapter on numerical instability."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def halt(answer: Any) -> str:
    if close(answer, 2.0**-4):
        raise NotYet("There half a gap is still shorter than the step: round the logarithm up.")
    if close(answer, 2.0**-2):
        raise NotYet("How many significant bits has bfloat16? The hidden one counts.")
    if not close(answer, 2.0**-3):
        raise NotYet("Put d = 0.0003 and p = 8 into the formula for S.")
    return "An eighth: most weights of a wide layer are smaller, biases and scales need not be."


def log_sum_exp(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function log_sum_exp(z).")
    z = np.array([0.5, -1.0, 2.0])
    _agrees(answer, z, np.log(np.exp(z).sum()), "For small logits it is not the log of the sum of exponentials.")
    _agrees(answer, np.array([1000.0, 999.0]), 1000 + np.log1p(np.exp(-1)), "It fails at logits near 1000.")
    _agrees(answer, np.array([-1000.0, -999.0]), -999 + np.log1p(np.exp(-1)), "It fails at logits near -1000.")
    _agrees(answer, np.array([-np.inf, 3.0, -np.inf]), 3.0, "Entries of -inf should count nothing.")
    with np.errstate(all="ignore"):
        masked = float(answer(np.full(3, -np.inf)))
    if masked != -np.inf:
        raise NotYet(f"If all are masked it should be -inf, not {masked}: what is -inf minus -inf?")
    return "A fully masked row is the case that most implementations forget."


def _agrees(function: Callable[[Any], Any], z: Any, expected: float, hint: str) -> None:
    with np.errstate(all="ignore"):
        given = function(z)
    if not close(given, expected, tolerance=1e-9):
        raise NotYet(hint)


def clip(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function clip(gradients, limit).")
    two = [np.array([3.0, 0.0]), np.array([[4.0]])]
    result = _clipped(answer, two, 1.0)
    norms = [float(np.linalg.norm(g)) for g in result]
    if np.allclose(norms, 1.0):
        raise NotYet("That clips each array for itself: the norm is that of all arrays together.")
    if not np.allclose(norms, [0.6, 0.8]) or result[0][0] < 0 or result[1][0, 0] < 0:
        raise NotYet("Arrays of norm 3 and 4, clipped to 1, should have norms 0.6 and 0.8 and keep their direction.")
    if not all(np.array_equal(a, b) for a, b in zip(_clipped(answer, two, 10.0), two, strict=True)):
        raise NotYet("A gradient that is shorter than the limit should stay as it is.")
    if not all(np.array_equal(g, np.zeros(2)) for g in _clipped(answer, [np.zeros(2)], 1.0)):
        raise NotYet("A gradient of zeros should stay zero: do not divide by the norm.")
    short = _clipped(answer, [np.full(2, 300, np.float16), np.zeros(1, np.float32)], 1.0)
    if [g.dtype for g in short] != [np.float16, np.float32]:
        raise NotYet("Each array should keep its dtype.")
    if not np.allclose(short[0], np.sqrt(0.5), atol=1e-3):
        raise NotYet("In float16 the square of 300 overflows: in which dtype do you add up the squares?")
    return "One norm, no overflow, no division by zero."


def _clipped(function: Callable[[Any, float], Any], gradients: list[Any], limit: float) -> list[Any]:
    with np.errstate(all="ignore"):
        result = [np.asarray(g) for g in function([g.copy() for g in gradients], limit)]
    if [g.shape for g in result] != [g.shape for g in gradients]:
        raise NotYet("It should return a list of as many arrays, of the same shapes.")
    return result


def limit(answer: Any) -> str:
    if close(answer, 0.0):
        raise NotYet("That is the mean, where unclipped SGD ends. At 0 the gradients are -4 and 1: which is clipped?")
    if close(answer, -1.0):
        raise NotYet("That is the median, where it ends when the limit is very small.")
    if not close(answer, -0.5):
        raise NotYet("Solve 0.2 times -2 plus 0.8 times (w + 1) = 0.")
    return "Half way between mean and median."


CHECKERS: dict[str, Checker] = {
    "numerical-instability-1": halt,
    "numerical-instability-2": log_sum_exp,
    "numerical-instability-3": clip,
    "numerical-instability-4": limit,
}
