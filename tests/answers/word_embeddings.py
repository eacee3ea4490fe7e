"""Answers to the exercises on word embeddings: right ones, and slips with the hint that each should meet."""

import numpy as np


def batch_loss(u, v, noise, contexts, negatives, weight):
    counted = contexts[:, None] != negatives[None, :]
    attracted = np.logaddexp(0, -(u * v).sum(axis=1))
    repelled = np.logaddexp(0, u @ noise.T)
    return attracted.sum() + weight * (counted * repelled).sum()


def overflows(u, v, noise, contexts, negatives, weight):
    counted = contexts[:, None] != negatives[None, :]
    with np.errstate(over="ignore", invalid="ignore"):
        attracted = np.log(1 + np.exp(-(u * v).sum(axis=1)))
        repelled = np.log(1 + np.exp(u @ noise.T))
    return attracted.sum() + weight * (counted * repelled).sum()


RIGHT = {
    "word-embeddings-1": 6 * np.log(2),
    "word-embeddings-2": np.log(30 / 90 / 0.001) - np.log(5),
    "word-embeddings-3": batch_loss,
    "word-embeddings-4": np.sqrt(400),
}

WRONG = [
    ("word-embeddings-1", 5 * np.log(2), "six terms"),
    ("word-embeddings-1", 0.0, "sigma(0)"),
    ("word-embeddings-2", np.log(50), "Here they may not"),
    ("word-embeddings-2", np.log(1000 / 3), "K negatives"),
    ("word-embeddings-2", 0.0, "second line"),
    ("word-embeddings-3", 1.0, "should be a function"),
    ("word-embeddings-3", overflows, "not for scores of a thousand"),
    ("word-embeddings-3", lambda u, *a: batch_loss(np.clip(u, -30, 30), *a), "not for scores of a thousand"),
    ("word-embeddings-3", lambda *a: batch_loss(*a) / 3, "the sum is asked for"),
    ("word-embeddings-3", lambda u, v, n, c, k, w: batch_loss(u, v, n, c, k, 1.0), "with the weight"),
    ("word-embeddings-3", lambda u, v, n, c, k, w: batch_loss(u, v, n, c, k * 0 - 1, w), "its own context"),
    ("word-embeddings-3", lambda *a: 0.0, "over pairs and negatives"),
    ("word-embeddings-4", 400, "each is shorter"),
    ("word-embeddings-4", 1.0, "and lazy Adam"),
]
