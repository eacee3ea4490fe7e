"""Answers to the exercises on language models: right ones, and slips with the hint of each."""

import numpy as np

STEPS = np.log(999 / np.expm1(0.1)) / 0.02


def scores_gradient(A, inner):
    return A * (inner - (A * inner).sum(axis=1, keepdims=True))


def probabilities(z, temperature, top):
    z = z / temperature
    p = np.where(z >= np.sort(z)[-top], np.exp(z - z.max()), 0.0)
    return p / p.sum()


def unscaled(z, temperature, top):
    p = np.where(z >= np.sort(z)[-top], np.exp(z), 0.0)
    return p / p.sum()


RIGHT = {
    "language-models-1": int(np.ceil(STEPS)),
    "language-models-2": np.sqrt((1 - 0.99**100) / (1 - 0.99)),
    "language-models-3": scores_gradient,
    "language-models-4": probabilities,
}

WRONG = [
    ("language-models-1", STEPS, "is whole"),
    ("language-models-1", 2 * STEPS, "twice the rate"),
    ("language-models-1", 1000, "Solve"),
    ("language-models-2", 0.07962, "Adam's speed"),
    ("language-models-2", 10.0, "limit of long memories"),
    ("language-models-2", (1 - 0.99**100) / (1 - 0.99), "take the root"),
    ("language-models-2", 3.0, "Take s(n)"),
    ("language-models-3", 1.0, "should be a function"),
    ("language-models-3", lambda A, inner: A * inner, "takes from the others"),
    ("language-models-3", lambda A, inner: A * (inner - inner.mean(axis=1, keepdims=True)), "under A, not the plain"),
    ("language-models-3", lambda A, inner: A * (1 - A), "In each row"),
    ("language-models-4", 1.0, "should be a function"),
    ("language-models-4", lambda z, temperature, top: probabilities(z, temperature, 5), "can be drawn"),
    ("language-models-4", lambda z, temperature, top: 2 * probabilities(z, temperature, top), "add up to 1"),
    ("language-models-4", unscaled, "Divide the logits"),
]
