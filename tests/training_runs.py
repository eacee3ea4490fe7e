"""What the tests of training train: variables of NumPy, and a noisy descent on them."""

import numpy as np


class Variable:
    """As TensorFlow's: a value that is read without a copy, and assigned in place."""

    def __init__(self, value):
        self.value = np.array(value)

    def numpy(self):
        return self.value

    def assign(self, value):
        self.value[...] = value


def noisy_descent(w, t):
    """Rounds of gradient descent with momentum, whose state is the second variable."""

    def advance(k):
        rng = np.random.default_rng([7, k])
        losses = []
        for _ in range(3):
            t.assign(0.9 * t.numpy() + w.numpy() + 0.1 * rng.normal(size=w.numpy().shape))
            w.assign(w.numpy() - 0.05 * t.numpy())
            losses.append(float(w.numpy() @ w.numpy()))
        return losses

    return advance


def fresh():
    return [Variable([1.0, 2.0]), Variable([0.0, 0.0])]
