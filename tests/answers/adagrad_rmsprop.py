"""Answers to the exercises on Adagrad and RMSProp: right ones, and slips with the hint that each should meet."""

import numpy as np


def sparse_adagrad(w, s, indices, values, learning_rate):
    rows, where = np.unique(indices, return_inverse=True)
    g = np.zeros(len(rows))
    np.add.at(g, where, values)
    s[rows] += g * g
    w[rows] -= learning_rate * g / np.sqrt(s[rows])


def last_value_wins(w, s, indices, values, learning_rate):
    s[indices] += values**2
    w[indices] -= learning_rate * values / np.sqrt(s[indices])


def moves_everything(w, s, indices, values, learning_rate):
    sparse_adagrad(w, s, indices, values, learning_rate)
    w *= 0.99


def step_before_sum(w, s, indices, values, learning_rate):
    w[indices] -= learning_rate * values / np.sqrt(s[indices])
    s[indices] += values**2


RIGHT = {
    "adagrad-rmsprop-1": 12 / 13,
    "adagrad-rmsprop-2": sparse_adagrad,
    "adagrad-rmsprop-3": 1 / np.sqrt(0.1) + 1 / np.sqrt(0.19),
    "adagrad-rmsprop-4": np.sqrt(50),
}

WRONG = [
    ("adagrad-rmsprop-1", 12 / 5, "includes the gradient of this step"),
    ("adagrad-rmsprop-1", 1.0, "all three squares"),
    ("adagrad-rmsprop-2", 1.0, "should be a function"),
    ("adagrad-rmsprop-2", lambda w, s, *rest: sparse_adagrad(w.copy(), s.copy(), *rest), "in place"),
    ("adagrad-rmsprop-2", moves_everything, "must stay as they are"),
    ("adagrad-rmsprop-2", step_before_sum, "becomes 25 first"),
    ("adagrad-rmsprop-2", last_value_wins, "occurs twice"),
    ("adagrad-rmsprop-3", 2.0, "starts at zero"),
    ("adagrad-rmsprop-3", 2 / np.sqrt(0.1), "The second step is shorter"),
    ("adagrad-rmsprop-3", 1.0, "Add the first two"),
    ("adagrad-rmsprop-4", 10.0, "a factor of its own"),
    ("adagrad-rmsprop-4", 2.0, "only one weight"),
]
