"""Checkers for the chapter on Adagrad and RMSProp."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def steps(answer: Any) -> str:
    if close(answer, 12 / 13):
        return "Nearly a whole learning rate: a gradient larger than all before."
    if close(answer, 12 / 5):
        raise NotYet("The sum includes the gradient of this step.")
    raise NotYet("Divide the new gradient by the root of the sum of all three squares.")


def sparse(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function sparse_adagrad(w, s, indices, values, learning_rate).")
    w, s = np.arange(5.0), np.array([1.0, 0.0, 4.0, 0.0, 9.0])
    before = w.copy(), s.copy()
    answer(w, s, np.array([2, 4, 2]), np.array([1.0, -4.0, 2.0]), 0.5)
    if np.array_equal(w, before[0]):
        raise NotYet("The array w has not changed: update it in place, with w[...] -= and not w = w - ...")
    if not (np.array_equal(w[[0, 1, 3]], before[0][[0, 1, 3]]) and np.array_equal(s[[0, 1, 3]], before[1][[0, 1, 3]])):
        raise NotYet("Entries without a gradient must stay as they are (and 0 / 0 is not a number).")
    if not np.allclose(s[4], 25) or not np.allclose(w[4], 4 + 0.5 * 4 / 5):
        raise NotYet("Entry 4 has the gradient -4 and the sum 9: the sum becomes 25 first, then the step.")
    if not (np.allclose(s[2], 13) and np.allclose(w[2], 2 - 0.5 * 3 / np.sqrt(13))):
        raise NotYet("Index 2 occurs twice: its values, 1 and 2, are one gradient of 3.")
    return "Repeated rows are summed, and nothing else moves."


def first(answer: Any) -> str:
    if close(answer, 1 / np.sqrt(0.1) + 1 / np.sqrt(0.19)):
        return "More than five learning rates in two steps."
    if close(answer, 2.0):
        raise NotYet("That is after a long time. The running mean starts at zero: what is it after one step?")
    if close(answer, 2 / np.sqrt(0.1)):
        raise NotYet("The second step is shorter: v is then (1 - rho^2) g^2.")
    raise NotYet("v after t steps is (1 - rho^t) g^2. Add the first two steps.")


def bound(answer: Any) -> str:
    if close(answer, np.sqrt(50)):
        return "The 99 weights that never move cost one rate a factor of ten."
    if close(answer, 10.0):
        raise NotYet("Adagrad's bound has a factor of its own: the root of 2.")
    raise NotYet("Compare sqrt(2) D sum_i |g_i| with sqrt(d) D |g|: only one weight has gradients.")


CHECKERS: dict[str, Checker] = {
    "adagrad-rmsprop-1": steps,
    "adagrad-rmsprop-2": sparse,
    "adagrad-rmsprop-3": first,
    "adagrad-rmsprop-4": bound,
}
