"""Answers to the exercises on tuning: right ones, and slips with the hint that each should meet."""

import numpy as np


def noise_scale(G, ddof=1, corrected=True):
    trace = G.var(axis=0, ddof=ddof).sum()
    return trace / (np.sum(G.mean(axis=0) ** 2) - corrected * trace / len(G))


RIGHT = {
    "tuning-1": 228,
    "tuning-2": noise_scale,
    "tuning-3": 22,
    "tuning-4": 6,
}

WRONG = [
    ("tuning-1", 227, "round up"),
    ("tuning-1", 59, "top 5 %"),
    ("tuning-1", 50, "with probability 0.98"),
    ("tuning-2", 3.0, "should be a function"),
    ("tuning-2", lambda G: noise_scale(G, ddof=0, corrected=False), "Two corrections"),
    ("tuning-2", lambda G: noise_scale(G, corrected=False), "contains noise"),
    ("tuning-2", lambda G: noise_scale(G, ddof=0), "n - 1"),
    ("tuning-2", lambda G: 1 / noise_scale(G), "the inverse"),
    ("tuning-2", lambda G: noise_scale(G.T), "Rows are samples"),
    ("tuning-3", 11, "Both methods vary"),
    ("tuning-3", 31, "one-sided"),
    ("tuning-3", 20, "round up"),
    ("tuning-4", 5, "the excess"),
    ("tuning-4", 1.2, "price in samples"),
    ("tuning-4", 3, "into the hyperbola"),
]
