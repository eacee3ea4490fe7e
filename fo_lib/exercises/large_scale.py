"""Checkers for the chapter on sweeps and on data larger than memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def trials(answer: Any) -> str:
    if close(answer, 227.948, tolerance=1e-5):
        raise NotYet("Almost: a whole number of trials.")
    if close(answer, 227, tolerance=1e-9):
        raise NotYet("With 227 the probability is a little below 99 %.")
    if close(answer, 149, tolerance=1e-9):
        raise NotYet("That is for 95 %.")
    if close(answer, 50, tolerance=1e-9):
        raise NotYet("One in fifty on average; the chance that fifty trials hit is 64 %.")
    if not close(answer, 228, tolerance=1e-9):
        raise NotYet("All n miss with probability (1 - q)^n, and that must be at most 1 %.")
    return "Whatever the number of knobs."


def halving(answer: Any) -> str:
    if close(answer, 40500):
        raise NotYet("That is for runs that begin afresh at each rung: here they are resumed.")
    if close(answer, 656100):
        raise NotYet("That is all of them to the end.")
    if close(answer, 32400) or close(answer, 24300):
        raise NotYet("There are five rungs: 81, 27, 9, 3 and 1 runs. The first costs 81 times 100.")
    if not close(answer, 29700):
        raise NotYet("At each rung: the runs that are left, times the steps that are added.")
    return "Less than a twentieth of what training all of them costs."


def curse(answer: Any) -> str:
    if close(answer, -0.0564190, tolerance=1e-3):
        raise NotYet("Right but for the sign: by how much too low, as a positive number.")
    if close(answer, 0.1128379, tolerance=1e-3):
        raise NotYet("That is how far apart the two are; the lower one is half of it below their mean.")
    if close(answer, 0.1177410, tolerance=1e-3):
        raise NotYet("That is the bound s sqrt(2 ln 2). For two the mean is known exactly.")
    if not close(answer, 0.0564190, tolerance=1e-3):
        raise NotYet("The mean of the larger of two standard normal numbers, times 0.1.")
    return "More than half of a standard error, for nothing but two tries."


def _pulled(held: list[int]) -> Iterator[int]:
    """Rows without end, with a count of those that were taken."""

    def take(row: int) -> int:
        held[0] = row + 1
        return row

    return map(take, itertools.count())


def buffer(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function shuffled(rows, size, rng).")
    if sorted(answer(iter(range(10)), 4, np.random.default_rng(0))) != list(range(10)):
        raise NotYet("Of ten rows each should come out once: look at what happens when the rows end.")
    if sorted(answer(iter(range(3)), 4, np.random.default_rng(0))) != list(range(3)):
        raise NotYet("There can be fewer rows than the buffer holds.")
    held, out, rng = [0], [], np.random.default_rng(0)
    for row in itertools.islice(answer(_pulled(held), 5, rng), 4000):
        out.append(row)
        if held[0] - len(out) > 5:
            raise NotYet("It takes in more rows than it gives out and may hold.")
    late = np.arange(4000) - np.array(out)
    if np.min(late) > -4:
        raise NotYet("Every one of the rows in a full buffer should have a chance, from the first step on.")
    shares = [np.mean(late[100:] == k) for k in (-4, -3, -2)]
    if not np.allclose(shares, [0.2, 0.16, 0.128], atol=0.03):
        raise NotYet("Each of the rows in the buffer should come out with the same probability, 1 / size.")
    return "A geometric delay: early by at most size - 1, late by any number."


def late(answer: Any) -> str:
    if close(answer, (1 - 1 / 1000) ** 3000, tolerance=1e-4):
        raise NotYet("A row comes in 999 places before its own: 3,000 late are 4,000 failures.")
    if close(answer, 1 - (1 - 1 / 1000) ** 4000, tolerance=1e-4):
        raise NotYet("That is the probability of the contrary.")
    if not close(answer, (1 - 1 / 1000) ** 4000, tolerance=2.5e-3):
        raise NotYet("(1 - 1 / B) to the power of (c + 1) B.")
    return "About exp(-4), one row in fifty-five."


def floor(answer: Any) -> str:
    if close(answer, 0.002, tolerance=1e-3):
        raise NotYet("That is V / b, a batch from the whole file.")
    if close(answer, 0.0990991, tolerance=1e-4):
        raise NotYet("That is the floor, from the blocks. The rows of the batch add a little.")
    if close(answer, 0.1, tolerance=1e-4) or close(answer, 0.1009, tolerance=1e-4):
        raise NotYet("Nearly: blocks are drawn without replacement, and so are rows.")
    if not close(answer, 0.1007211, tolerance=1e-4):
        raise NotYet("V = 1, S^2 = 1000 / 999, m = 10, M = 1000, b = 500, and groups of 5,000 rows.")
    return "Fifty times that of a batch from the whole file: nearly all of it is the floor."


def cache(answer: Any) -> str:
    if close(answer, 0.784):
        raise NotYet("A float32 has four bytes.")
    if close(answer, 3.136e9):
        raise NotYet("Right in bytes; the question is for gigabytes.")
    if close(answer, 6.272):
        raise NotYet("float32, not float64.")
    if not close(answer, 3.136):
        raise NotYet("A million pictures, 784 numbers each, 4 bytes a number.")
    return "Cached before the map it would be 0.784 GB."


CHECKERS: dict[str, Checker] = {
    "large-scale-1": trials,
    "large-scale-2": halving,
    "large-scale-3": curse,
    "large-scale-4": buffer,
    "large-scale-5": late,
    "large-scale-6": floor,
    "large-scale-7": cache,
}
