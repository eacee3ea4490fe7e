"""Answers to the exercises on image classification: right ones, and slips with the hint that each should meet."""

import numpy as np
from scipy import optimize, special


def smoothed_gradient(z, y, eps):
    targets = (1 - eps) * np.eye(z.shape[1])[y] + eps / z.shape[1]
    return (special.softmax(z, axis=1) - targets) / len(y)


def without_mean(z, y, eps):
    return len(y) * smoothed_gradient(z, y, eps)


def hard(z, y, eps):
    return smoothed_gradient(z, y, 0.0)


def not_a_distribution(z, y, eps):
    return (special.softmax(z, axis=1) - (1 - eps) * np.eye(z.shape[1])[y]) / len(y)


def temperature(z, y):
    def loss(log_T):
        return -special.log_softmax(z / np.exp(log_T), axis=1)[np.arange(len(y)), y].mean()

    return float(np.exp(optimize.minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


def gaps(confidence, right):
    bins = np.minimum((10 * confidence).astype(int), 9)
    inside = [(right[bins == b], confidence[bins == b]) for b in range(10)]
    return [(np.mean(r) - np.mean(c), len(c) / len(right)) for r, c in inside if len(c)]


def ece(confidence, right):
    return sum(abs(gap) * share for gap, share in gaps(confidence, right))


def cancelling(confidence, right):
    return abs(sum(gap * share for gap, share in gaps(confidence, right)))


def unweighted(confidence, right):
    return np.mean([abs(gap) for gap, share in gaps(confidence, right)])


RIGHT = {
    "image-classification-1": np.log(91),
    "image-classification-2": smoothed_gradient,
    "image-classification-3": temperature,
    "image-classification-4": ece,
}

WRONG = [
    ("image-classification-1", np.log(90), "its share of the even part"),
    ("image-classification-1", np.log(9), "over all ten classes"),
    ("image-classification-1", 91, "ratio of the probabilities"),
    ("image-classification-1", 2.0, "probabilities are the targets"),
    ("image-classification-2", 1.0, "should be a function"),
    ("image-classification-2", without_mean, "divide by their number"),
    ("image-classification-2", hard, "hard targets"),
    ("image-classification-2", not_a_distribution, "targets sum to 1"),
    ("image-classification-2", lambda z, y, eps: -smoothed_gradient(z, y, eps), "(P - targets) / n"),
    ("image-classification-3", 1.0, "should be a function"),
    ("image-classification-3", lambda z, y: -1.0, "positive number"),
    ("image-classification-3", lambda z, y: 1 / temperature(z, y), "That is 1 / T"),
    ("image-classification-3", lambda z, y: 1.1 * temperature(z, y), "does not minimize"),
    ("image-classification-4", 0.1, "should be a function"),
    ("image-classification-4", cancelling, "else bins cancel"),
    ("image-classification-4", unweighted, "share of the samples"),
    ("image-classification-4", lambda c, r: 2 * ece(c, r), "Ten bins of equal width"),
]
