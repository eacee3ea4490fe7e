"""Answers to the exercises on weight decay: right ones, and slips with the hint that each should meet."""

import numpy as np


def momentum_decay(w, g, v, learning_rate, momentum, weight_decay):
    v = momentum * v - learning_rate * g
    return w + v - learning_rate * weight_decay * w, v


def in_place(w, g, v, *settings):
    new, v = momentum_decay(w, g, v, *settings)
    w[...] = new
    return w, v


def coupled(w, g, v, learning_rate, momentum, weight_decay):
    v = momentum * v - learning_rate * (g + weight_decay * w)
    return w + v, v


def outside(w, g, v, learning_rate, momentum, weight_decay):
    v = momentum * v + g
    return w - learning_rate * (v + weight_decay * w), v


def unscaled(w, g, v, learning_rate, momentum, weight_decay):
    v = momentum * v - learning_rate * g
    return w + v - weight_decay * w, v


RIGHT = {
    "weight-decay-1": 1 / 6,
    "weight-decay-2": momentum_decay,
    "weight-decay-3": (2.0, 1.0),
    "weight-decay-4": np.degrees(0.01),
}

WRONG = [
    ("weight-decay-1", 1 / 20_000, "the decay a step"),
    ("weight-decay-1", 1.0, "solve for lambda"),
    ("weight-decay-2", 1.0, "should be a function"),
    ("weight-decay-2", in_place, "have changed"),
    ("weight-decay-2", lambda *a: momentum_decay(*a)[0], "two arrays"),
    ("weight-decay-2", coupled, "must not enter it"),
    ("weight-decay-2", outside, "another convention"),
    ("weight-decay-2", unscaled, "multiplied by the learning rate"),
    ("weight-decay-2", lambda *a: (momentum_decay(*a)[0] * 0.99, momentum_decay(*a)[1]), "the OLD weights"),
    ("weight-decay-3", (10 / 3, 2 / 3), "with a penalty"),
    ("weight-decay-3", (5.0, 1.0), "each coordinate by itself"),
    ("weight-decay-4", 0.01, "In degrees"),
    ("weight-decay-4", 1.0, "in radians"),
]
