"""An epoch of Fashion-MNIST as one compiled graph against `fit` on arrays and on a tf.data pipeline.

usage: python -m benchmarks.compiled_epoch [ROUNDS]

Same network, rule, batches of 128 and images; the order of a round is drawn before the clock starts. Medians of
ratios of alternating runs, after one warm-up each.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import fo_lib.keras
from fo_lib import datasets, rules
from fo_lib.training import batch_order

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


def seconds(train: Callable[..., None], rows: np.ndarray) -> float:
    begin = time.perf_counter()
    train(rows)
    return time.perf_counter() - begin


def main(rounds: int) -> None:
    data = datasets.fashion_mnist()
    x = data.train_images[..., None].astype(np.float32) / 255
    y = data.train_labels.astype(np.int64)
    for name, layers in NETWORKS.items():
        trained, taken = ways(layers, x, y), []
        for k in range(rounds + 1):
            rows = batch_order(len(x), BATCH, seed=0, epoch=k + 1)
            taken.append({way: seconds(train, rows) for way, train in trained.items()})
        for way in ("fit on arrays", "fit on tf.data"):
            low, median, high = np.quantile([t[way] / t["graph"] for t in taken[1:]], [0, 0.5, 1])
            print(f"{name:19} time of {way} / time of graph = {median:4.1f}  ({low:.1f} to {high:.1f})", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
