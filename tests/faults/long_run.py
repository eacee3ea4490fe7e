"""A run of `train` in a folder, until it is killed or done: what `test_kills.py` kills. With NumPy, or TensorFlow."""

import sys

from fo_lib.training import train
from tests.training_runs import fresh, noisy_descent


def with_numpy():
    variables = fresh()
    return noisy_descent(*variables), variables


def with_tensorflow():
    import keras
    import numpy as np
    import tensorflow as tf

    import fo_lib.keras
    from fo_lib import rules

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)])
    optimizer = fo_lib.keras.optimizer(rules.adam, learning_rate=1e-2)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True)[:, 0] - tf.reduce_sum(x, 1)) ** 2)
        optimizer.apply(tape.gradient(loss, model.trainable_variables))
        return loss

    def advance(k):
        x = np.random.default_rng([3, k]).standard_normal((8, 4)).astype("float32")
        return float(step(tf.constant(x)))

    return advance, [*model.variables, *optimizer.variables]


def run(kind, rounds, folder=None):
    """Return the variables' values and what `train` says."""
    advance, variables = {"numpy": with_numpy, "tensorflow": with_tensorflow}[kind]()

    def watched(k):
        loss = advance(k)
        if folder is not None:
            print(k, flush=True)
        return loss

    done = train(watched, variables, rounds=rounds, folder=folder)
    return [v.numpy() for v in variables], done


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), sys.argv[3])
