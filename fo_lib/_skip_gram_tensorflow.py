"""The model of :func:`fo_lib.skip_gram.fit` in TensorFlow: two tables, and an epoch as one compiled graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .keras import optimizer

__all__ = ["Model"]


class Model:
    """Tables of word vectors and context vectors, with a rule that updates the rows of each batch."""

    def __init__(
        self,
        size: int,
        dimension: int,
        rule: Callable[..., Any],
        learning_rate: float,
        lazy: bool,
        weight: float,
        seed: int,
        hyper: dict[str, Any],
    ) -> None:
        first = np.random.default_rng([seed, 0]).uniform(-0.5, 0.5, (size, dimension)) / dimension
        self.words = keras.Variable(first.astype(np.float32), name="words")
        self.contexts = keras.Variable(np.zeros((size, dimension), np.float32), name="contexts")
        self.weight = weight
        self.optimizer = optimizer(rule, learning_rate, lazy=lazy, **hyper)
        self.optimizer.build([self.words, self.contexts])
        batches, rates = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.float64)
        self._chunk = tf.function(self._steps).get_concrete_function(batches, batches, batches, rates)

    @property
    def variables(self) -> list[Any]:
        """All that training changes."""
        return [self.words, self.contexts, *self.optimizer.variables]

    def loss(self, centers: Any, contexts: Any, negatives: Any) -> Any:
        """Return the sum of the losses of the pairs of a batch."""
        u = tf.gather(self.words.value, centers)
        v = tf.gather(self.contexts.value, contexts)
        noise = tf.gather(self.contexts.value, negatives)
        counted = tf.cast(contexts[:, None] != negatives[None], u.dtype)  # a negative must not be the context itself
        attracted = tf.nn.softplus(-tf.reduce_sum(u * v, 1))
        repelled = tf.nn.softplus(tf.matmul(u, noise, transpose_b=True))
        return tf.reduce_sum(attracted) + self.weight * tf.reduce_sum(counted * repelled)

    def _steps(self, centers: Any, contexts: Any, negatives: Any, rates: Any) -> Any:
        total = tf.constant(0.0, tf.float32)
        for i in tf.range(tf.shape(centers)[0]):
            with tf.GradientTape() as tape:
                loss = self.loss(centers[i], contexts[i], negatives[i])
            tables = [self.words, self.contexts]
            self.optimizer.learning_rate.assign(rates[i])
            self.optimizer.apply(tape.gradient(loss, [table.value for table in tables]), tables)
            total += loss
        return total / tf.cast(tf.size(centers), tf.float32)

    def train(
        self,
        centers: NDArray[np.int32],
        contexts: NDArray[np.int32],
        negatives: NDArray[np.int32],
        rates: NDArray[np.float64],
    ) -> float:
        """Make a step for each row, and return the mean loss of a pair."""
        return float(self._chunk(*map(tf.constant, (centers, contexts, negatives, rates))))

    def tables(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return word vectors and context vectors."""
        return self.words.numpy(), self.contexts.numpy()
