"""An epoch of Fashion-MNIST as one compiled graph against `fit` on arrays and on a tf.data pipeline.

usage: python -m benchmarks.compiled_epoch [ROUNDS]

Same network, rule, batches of 128 and images; the order of a round is drawn before the clock starts.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import fo_lib.keras
from benchmarks import measure as shared
from fo_lib import datasets, rules
from fo_lib.training import batch_order

ROUNDS = 5
BATCH = 128
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
NETWORKS = {
    "softmax regression": [keras.layers.Flatten],
    "one hidden layer": [keras.layers.Flatten, lambda: keras.layers.Dense(128, activation="relu")],
    "convolutions": [
        lambda: keras.layers.Conv2D(16, 3, activation="relu"), keras.layers.MaxPooling2D,
        lambda: keras.layers.Conv2D(32, 3, activation="relu"), keras.layers.MaxPooling2D, keras.layers.Flatten,
    ],
}  # fmt: skip


def model(layers: list[Callable[[], keras.Layer]], together: int = 1) -> keras.Model:
    keras.utils.set_random_seed(0)
    built = keras.Sequential([keras.Input((28, 28, 1)), *(layer() for layer in layers), keras.layers.Dense(10)])
    rule = fo_lib.keras.optimizer(rules.momentum, 0.05)
    built.compile(rule, LOSS, steps_per_execution=together, jit_compile=False)
    return built


def ways(layers: list[Callable[[], keras.Layer]], x: np.ndarray, y: np.ndarray) -> dict[str, Callable[..., None]]:
    """For each way, a function that trains for one epoch in the order of a matrix of batches."""
    arrays, pipeline, graph = model(layers), model(layers, len(x) // BATCH), model(layers)
    weights, optimizer = graph.trainable_variables, graph.optimizer
    optimizer.build(weights)
    X, Y = tf.constant(x), tf.constant(y)

    @tf.function
    def epoch(rows: tf.Tensor) -> None:
        for i in tf.range(len(rows)):
            with tf.GradientTape() as tape:
                value = LOSS(tf.gather(Y, rows[i]), graph(tf.gather(X, rows[i]), training=True))
            optimizer.apply(tape.gradient(value, weights), weights)

    def fit_arrays(rows: np.ndarray) -> None:
        i = rows.reshape(-1)
        arrays.fit(x[i], y[i], batch_size=BATCH, shuffle=False, verbose=0)

    def fit_pipeline(rows: np.ndarray) -> None:
        i = rows.reshape(-1)
        data = tf.data.Dataset.from_tensor_slices((x[i], y[i])).batch(BATCH, drop_remainder=True)
        pipeline.fit(data.prefetch(tf.data.AUTOTUNE), shuffle=False, verbose=0)

    return {"fit on arrays": fit_arrays, "fit on tf.data": fit_pipeline, "graph": lambda rows: epoch(tf.constant(rows))}


def measure(rounds: int) -> list[shared.Row]:
    """For each network, both ways of `fit` over the graph."""
    data, rows = datasets.fashion_mnist(), []
    x = data.train_images[..., None].astype(np.float32) / 255
    y = data.train_labels.astype(np.int64)
    order = batch_order(len(x), BATCH, seed=0, epoch=1)
    for name, layers in NETWORKS.items():
        runs = {way: functools.partial(train, order) for way, train in ways(layers, x, y).items()}
        taken = shared.in_turns(runs, rounds, warm_up=1)
        note = f"{np.median(taken['graph']):.2f} s an epoch of {len(x)} images"
        for way in ("fit on arrays", "fit on tf.data"):
            rows.append(shared.row(f"epoch, {name}", way, shared.ratio(taken[way], taken["graph"]), None, note))
    return rows


if __name__ == "__main__":
    shared.main(measure, ROUNDS)
