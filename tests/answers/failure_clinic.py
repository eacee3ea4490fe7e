"""Answers to the exercises of the failure clinic: right ones, and slips with the hint that each should meet."""

from itertools import pairwise

import numpy as np


def repeats(losses):
    return np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairwise(np.diff(losses, axis=1))])


def with_trend(losses):
    return np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairwise(losses)])


RIGHT = {
    "failure-clinic-1": 0.25,
    "failure-clinic-2": lambda c: np.log(1 + (c - 1) / np.e),
    "failure-clinic-3": repeats,
}

WRONG = [
    ("failure-clinic-1", 2 * 0.3 / 1.4, "not alpha L, but"),
    ("failure-clinic-1", 8.0, "That is the curvature"),
    ("failure-clinic-1", 0.3, "solve for L"),
    ("failure-clinic-2", 1.46, "should be a function"),
    ("failure-clinic-2", np.log, "the loss of guessing"),
    ("failure-clinic-2", lambda c: 1.46, "a 1 and zeros"),
    ("failure-clinic-3", 1.0, "should be a function"),
    ("failure-clinic-3", with_trend, "their common trend"),
    ("failure-clinic-3", lambda losses: repeats(losses) / 2, "the mean over the pairs"),
]
