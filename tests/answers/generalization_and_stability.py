"""Answers to the exercises on generalization and stability: right ones, and slips with the hint of each."""

import numpy as np


def power(times, d, shift=0.0):
    v = np.random.default_rng(0).standard_normal(d)
    for _ in range(500):
        v = v / np.linalg.norm(v)
        product = times(v) + shift * v
        value, v = v @ product, product
    return value - shift


def largest(times, d):
    first = power(times, d)
    return first if first > 0 else power(times, d, -first)


RIGHT = {
    "generalization-and-stability-1": 0.2,
    "generalization-and-stability-2": np.sqrt(8 / (5 / 80 - 3 / 120)),
    "generalization-and-stability-3": 1.0,
    "generalization-and-stability-4": largest,
}

WRONG = [
    ("generalization-and-stability-1", -0.2, "equal and positive"),
    ("generalization-and-stability-1", -0.6, "equal and positive"),
    ("generalization-and-stability-1", 0.25, "What is c now"),
    ("generalization-and-stability-1", 1.0, "Find c"),
    ("generalization-and-stability-2", 8 / (5 / 80 - 3 / 120), "square of sigma"),
    ("generalization-and-stability-2", 1.0, "Solve sigma"),
    ("generalization-and-stability-3", 2.0, "least sharpness"),
    ("generalization-and-stability-3", 0.5, "least value"),
    ("generalization-and-stability-4", 3.0, "should be a function"),
    ("generalization-and-stability-4", power, "Shift the matrix"),
    ("generalization-and-stability-4", lambda times, d: 7.0, "it returned 7"),
]
