"""A training step under `fo_lib.keras.optimizer(rule)` against the Keras optimizer of the same name.

usage: python -m benchmarks.keras_step [ROUNDS]

The same network, data and batches; `fit` from tf.data, in graph mode and under XLA. A clock in a callback reads the
time of each step, and the median of a run counts. In the wide network (2.7 million weights, batches of 8) most of a
step is the update; the small one is that of the chapter on images.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import fo_lib.keras
from benchmarks import measure as shared
from fo_lib import rules

ROUNDS = 9
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
SGD = keras.optimizers.SGD
PAIRS: dict[str, tuple[Callable[..., object], Callable[[], keras.Optimizer]]] = {
    "SGD": (rules.gradient_descent, lambda: SGD(1e-3)),
    "momentum": (rules.momentum, lambda: SGD(1e-3, momentum=0.9)),
    "Nesterov": (rules.nesterov, lambda: SGD(1e-3, momentum=0.9, nesterov=True)),
    "RMSProp": (rules.rmsprop, lambda: keras.optimizers.RMSprop(1e-3)),
    "Adagrad": (rules.adagrad, lambda: keras.optimizers.Adagrad(1e-3)),
    "Adam": (rules.adam, lambda: keras.optimizers.Adam(1e-3)),
    "AdamW": (rules.adamw, lambda: keras.optimizers.AdamW(1e-3)),
}
# name, hidden units, batch, steps an epoch
NETWORKS = {"wide": (1280, 8, 25), "small": (128, 128, 60)}


def network(hidden: int, optimizer: keras.Optimizer, compiled: bool) -> keras.Model:
    """A network of two hidden layers (wide: about 2.7 million weights), or of one (small: 0.1 million)."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(hidden, activation="relu") for _ in range(2 if hidden > 128 else 1)]
    model = keras.Sequential([keras.Input((784,)), *layers, keras.layers.Dense(10)])
    model.compile(optimizer, LOSS, jit_compile=compiled)
    return model


class Clock(keras.callbacks.Callback):
    """The seconds of each step of a run of `fit`."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:  # noqa: ARG002 - Keras names them
        """Start the clock."""
        self.begin = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002 - Keras names them
        """Read it."""
        self.taken.append(time.perf_counter() - self.begin)


def epoch(model: keras.Model, batch: int, steps: int) -> Callable[[], float]:
    """A function that fits for some steps and returns the median time of one."""
    rng = np.random.default_rng(0)
    x = rng.random((batch * steps, 784), np.float32)
    y = rng.integers(10, size=len(x))
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(batch).cache()

    def fit() -> float:
        clock = Clock()
        model.fit(data, shuffle=False, verbose=0, callbacks=[clock])
        return float(np.median(clock.taken))

    return fit


def compare(name: str, size: str, compiled: bool, rounds: int) -> shared.Row:
    """One method, network and way of compiling."""
    rule, theirs = PAIRS[name]
    sides = {"ours": fo_lib.keras.optimizer(rule, 1e-3), "theirs": theirs()}
    hidden, batch, steps = NETWORKS[size]
    runs = {side: epoch(network(hidden, optimizer, compiled), batch, steps) for side, optimizer in sides.items()}
    taken = shared.in_turns(runs, rounds, warm_up=1, clock=lambda fit, _: fit())
    keras.backend.clear_session()
    what = f"fit, {name}, {size} network, {'XLA' if compiled else 'graph'}"
    note = f"{shared.duration(float(np.median(taken['ours'])))} a step"
    return shared.row(what, "Keras", shared.ratio(taken["theirs"], taken["ours"]), 1.0, note)


def measure(rounds: int) -> list[shared.Row]:
    """One row for each method, network and way of compiling."""
    return [compare(name, size, jit, rounds) for size in NETWORKS for jit in (False, True) for name in PAIRS]


if __name__ == "__main__":
    shared.main(measure, ROUNDS)
