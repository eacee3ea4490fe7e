"""Answers to the exercises on one's own problem: right ones, and slips with the hint that each should meet."""

import itertools

import numpy as np


def group_split(groups, share, seed):
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    second = np.isin(groups, names[: round(share * len(names))])
    return np.flatnonzero(~second), np.flatnonzero(second)


def by_rows(groups, share, seed):
    order = np.random.default_rng(seed).permutation(len(groups))
    return np.split(order, [len(groups) - round(share * len(groups))])


SEEDS = itertools.count(10)

RIGHT = {
    "your-own-problem-1": 2.5e-5,
    "your-own-problem-2": 12 / np.sqrt(48 - 12**2 / 1000),
    "your-own-problem-3": group_split,
}

WRONG = [
    ("your-own-problem-1", 5e-5, "factor of two"),
    ("your-own-problem-1", 0.025, "is squared"),
    ("your-own-problem-1", 1.0, "twice the strong convexity"),
    ("your-own-problem-2", 0.25, "is the root"),
    ("your-own-problem-2", 3.0, "proposition on comparisons"),
    ("your-own-problem-3", 1.0, "should be a function"),
    ("your-own-problem-3", lambda g, share, seed: (np.arange(3), np.arange(3)), "each row number once"),
    ("your-own-problem-3", by_rows, "on both sides"),
    ("your-own-problem-3", lambda g, share, seed: group_split(g, share / 2, seed), "however many rows"),
    ("your-own-problem-3", lambda g, share, seed: group_split(g, 0.4, seed), "share of 0.8"),
    ("your-own-problem-3", lambda g, share, seed: group_split(g, share, next(SEEDS)), "The same seed"),
    ("your-own-problem-3", lambda g, share, seed: group_split(g, share, 0), "Another seed"),
]
