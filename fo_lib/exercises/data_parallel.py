"""Checkers for the chapter on data parallelism."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def ring_bytes(answer: Any) -> str:
    if close(answer, 175e6):
        raise NotYet("Right in bytes; the question is for megabytes.")
    if close(answer, 87.5):
        raise NotYet("That is one way around: the sums have to travel as well.")
    if close(answer, 200) or close(answer, 100):
        raise NotYet("One of the p parts stays with each worker, in both halves.")
    if close(answer, 43.75):
        raise NotYet("A number takes four bytes.")
    if close(answer, 1400):
        raise NotYet("That is what all eight send together.")
    if not close(answer, 175):
        raise NotYet("2 (p - 1) messages of a p-th of the vector.")
    return "And it would be hardly more for eight thousand workers."


def _shares() -> tuple[list[Any], list[int]]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((2, 3)), rng.standard_normal((2, 3)), None, rng.standard_normal((2, 3))], [5, 1, 0, 10]


def combine(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function combine(gradients, counts).")
    gradients, counts = _shares()
    given = [None if g is None else g.copy() for g in gradients]
    found = answer(given, list(counts))
    pairs = [(g, n) for g, n in zip(gradients, counts, strict=True) if g is not None]
    if any(not np.array_equal(a, b) for a, b in zip(given, gradients, strict=True) if a is not None and b is not None):
        raise NotYet("The caller's arrays have changed.")
    if np.shape(found) != (2, 3):
        raise NotYet(f"Return an array of the shape of a gradient, here (2, 3), not {np.shape(found)}.")
    whole = sum(n * g for g, n in pairs)
    slips = [
        (sum(g for g, _ in pairs) / 3, "That is the mean of means: a sample of a small share counts more."),
        (sum(g for g, _ in pairs) / 4, "That is the mean of means, and the empty share counts as well."),
        (sum(g for g, _ in pairs), "That is the sum of the means: too long, and weighted wrongly."),
        (whole, "Divide by the number of samples of all shares."),
        (whole / 4, "Divide by the number of samples, not of shares."),
    ]
    if np.allclose(found, whole / 16):
        return "The gradient of the batch, whatever the shares."
    for wrong, hint in slips:
        if np.allclose(found, wrong):
            raise NotYet(hint)
    raise NotYet("Weight each mean by its number of samples, and divide by all of them.")


def critical(answer: Any) -> str:
    if close(answer, 51200):
        raise NotYet("That is the slope, E_min. The critical batch is E_min / S_min.")
    if close(answer, 200):
        raise NotYet("That is S_min, the steps of a batch without limit.")
    if close(answer, 128):
        raise NotYet(
            "The geometric mean of both sizes has nothing to do with it: solve S = S_min + E_min / b for both."
        )
    if not close(answer, 256):
        raise NotYet("Two equations, S = S_min + E_min / b, for two unknowns.")
    return "The larger batch was the critical one: 400 is twice S_min = 200."


def buy(answer: Any) -> str:
    if close(answer, 97.98, tolerance=1e-5):
        raise NotYet("Almost: a whole number of workers.")
    if close(answer, 97, tolerance=1e-9):
        raise NotYet("Compare both neighbours of the real optimum.")
    if close(answer, 100, tolerance=1e-9):
        raise NotYet("That forgets the bytes: A - 2 V / beta.")
    if close(answer, 139, tolerance=1e-9) or close(answer, 138, tolerance=1e-9):
        raise NotYet("A ring has 2 (p - 1) latencies.")
    if not close(answer, 98, tolerance=1e-9):
        raise NotYet("The root of (A - 2 V / beta) / (2 alpha), in seconds.")
    return "And their step takes 0.12 s: 98 workers are 17 times as fast as one."


CHECKERS: dict[str, Checker] = {
    "data-parallel-1": ring_bytes,
    "data-parallel-2": combine,
    "data-parallel-3": critical,
    "data-parallel-4": buy,
}
