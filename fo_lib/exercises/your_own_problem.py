"""Checkers for the chapter on one's own problem."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def certificate(answer: Any) -> str:
    if close(answer, 1e-6 / 0.04):
        return "Without knowing the minimum."
    if close(answer, 1e-6 / 0.02):
        raise NotYet("Nearly: the bound has a factor of two.")
    if close(answer, 1e-3 / 0.04):
        raise NotYet("The norm of the gradient is squared.")
    raise NotYet("Divide the squared norm by twice the strong convexity.")


def paired(answer: Any) -> str:
    if close(answer, 12 / np.sqrt(48 - 0.144)):
        return "Not yet two: worth a larger test set, not a headline."
    if close(answer, 12 / 48):
        raise NotYet("A standard error is the root of the variance.")
    raise NotYet("Divide (a - b) / n by the root of the variance in the proposition on comparisons.")


def groups(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function group_split(groups, share, seed).")
    patients = np.repeat(np.array(["p7", "p1", "p4", "p9", "p2"]), [5, 1, 4, 30, 2])
    first, second = (np.asarray(part) for part in answer(patients, 0.4, 0))
    if sorted([*first.tolist(), *second.tolist()]) != list(range(len(patients))):
        raise NotYet("Together the two arrays should hold each row number once.")
    if set(patients[first]) & set(patients[second]):
        raise NotYet("A patient has rows on both sides: shuffle the patients, not the rows.")
    if len(set(patients[second])) != 2:
        raise NotYet("Of five patients, a share of 0.4 is two, however many rows they have.")
    if len(set(patients[np.asarray(answer(patients, 0.8, 0)[1])])) != 4:
        raise NotYet("Of five patients, a share of 0.8 is four.")
    if not np.array_equal(second, answer(patients, 0.4, 0)[1]):
        raise NotYet("The same seed should give the same split.")
    if all(np.array_equal(second, answer(patients, 0.4, seed)[1]) for seed in range(1, 8)):
        raise NotYet("Another seed should choose other patients.")
    return "No patient is known from training."


CHECKERS: dict[str, Checker] = {
    "your-own-problem-1": certificate,
    "your-own-problem-2": paired,
    "your-own-problem-3": groups,
}
