"""Answers to the exercises on data parallelism: right ones, and slips with their hints."""

import numpy as np


def combine(gradients, counts):
    total = sum(counts)
    return sum(g * (n / total) for g, n in zip(gradients, counts, strict=True) if n)


def pairs(gradients, counts):
    return [(g, n) for g, n in zip(gradients, counts, strict=True) if n]


def mean_of_means(gradients, counts):
    return np.mean([g for g, _ in pairs(gradients, counts)], axis=0)


def in_place(gradients, counts):
    for g, n in pairs(gradients, counts):
        g *= n / sum(counts)
    return sum(g for g, _ in pairs(gradients, counts))


RIGHT = {
    "data-parallel-1": 175,
    "data-parallel-2": combine,
    "data-parallel-3": 256,
    "data-parallel-4": 98,
}

WRONG = [
    ("data-parallel-1", 175e6, "in bytes"),
    ("data-parallel-1", 87.5, "one way around"),
    ("data-parallel-1", 200, "stays with each worker"),
    ("data-parallel-1", 100, "stays with each worker"),
    ("data-parallel-1", 43.75, "four bytes"),
    ("data-parallel-1", 1400, "all eight"),
    ("data-parallel-1", 3, "a p-th"),
    ("data-parallel-2", 1.0, "should be a function"),
    ("data-parallel-2", in_place, "have changed"),
    ("data-parallel-2", lambda gradients, counts: 1.0, "shape of a gradient"),
    ("data-parallel-2", mean_of_means, "counts more"),
    ("data-parallel-2", lambda g, n: sum(a for a, _ in pairs(g, n)) / len(g), "empty share"),
    ("data-parallel-2", lambda g, n: sum(a for a, _ in pairs(g, n)), "weighted wrongly"),
    ("data-parallel-2", lambda g, n: sum(a * b for a, b in pairs(g, n)), "Divide by the number of samples of all"),
    ("data-parallel-2", lambda g, n: sum(a * b for a, b in pairs(g, n)) / len(g), "not of shares"),
    ("data-parallel-2", lambda g, n: g[0], "Weight each mean"),
    ("data-parallel-3", 51200, "the slope"),
    ("data-parallel-3", 200, "That is S_min"),
    ("data-parallel-3", 128, "geometric mean"),
    ("data-parallel-3", 64, "two unknowns"),
    ("data-parallel-4", 97.97959, "whole number"),
    ("data-parallel-4", 97, "both neighbours"),
    ("data-parallel-4", 100, "forgets the bytes"),
    ("data-parallel-4", 139, "latencies"),
    ("data-parallel-4", 138, "latencies"),
    ("data-parallel-4", 5, "in seconds"),
]
