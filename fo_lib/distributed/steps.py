"""One step of all workers: the sum of their gradients, and the rule; and what stops it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints import Checkpoints
from ..training import restore
from .cluster import Task

__all__ = ["Loop", "NonFiniteError", "WorkerLostError", "gradient_of", "graph", "say"]

Made = tuple[Any, Any]  # model and optimizer


class NonFiniteError(ArithmeticError):
    """A gradient was not finite: raised by every worker in the same step, of which nothing was applied or saved.

    Attributes
    ----------
    step : int
        From 1.
    workers : tuple of int
        Those whose own gradient was not finite; none if only the sum was not.
    """

    def __init__(self, step: int, workers: tuple[int, ...], last: str) -> None:
        self.step, self.workers = step, workers
        whose = f"of worker {', '.join(map(str, workers))}" if workers else "summed over all workers"
        super().__init__(f"step {step}: the gradient {whose} is not finite; it was neither applied nor saved. {last}")


class WorkerLostError(RuntimeError):
    """Another worker did not answer: it has ended, or it hangs."""


class Loop:
    """Model, optimizer and the two halves of a step: the sum of gradients, and the rule."""

    def __init__(
        self, me: Task, team: Any, build: Callable[[], Made], loss: Callable[..., Any], batch_size: int, seed: int
    ) -> None:
        import keras

        self.me, self.team, self.loss, self.batch_size, self.last = me, team, loss, batch_size, 0
        self.folder: Path | None = None
        keras.utils.set_random_seed(seed)
        with team.scope():
            self.model, self.optimizer = build()
            self.optimizer.build(self.model.trainable_variables)
        self.build, self.variables = build, [*self.model.variables, *self.optimizer.variables]
        self.sum = graph(lambda *batch: team.run(self.gradients, args=batch))
        self.apply = graph(lambda *gradients: self.optimizer.apply(list(gradients)))
        self.gather = graph(lambda mine: team.run(self.one_for_each, args=(mine,)))

    def gradients(self, *batch: Any) -> Any:
        """The mean loss over the batch, who has no finite gradient, and the gradient: summed over all workers."""
        import tensorflow as tf

        dense = gradient_of(self.model, self.loss, self.batch_size, self.me.workers)(*batch)
        bad = self.one_hot(1.0 - tf.cast(_finite(dense), tf.float32))
        summed = tf.distribute.get_replica_context().all_reduce("SUM", [bad, *dense])
        return [tf.concat([summed[0], [1.0 - tf.cast(_finite(summed[1:]), tf.float32)]], 0), *summed[1:]]

    def one_hot(self, mine: Any) -> Any:
        """A vector with a place for each worker: this one's number, and zeros."""
        import tensorflow as tf

        return tf.one_hot(self.me.index, self.me.workers) * mine

    def one_for_each(self, mine: Any) -> Any:
        """The numbers of all workers."""
        import tensorflow as tf

        return tf.distribute.get_replica_context().all_reduce("SUM", self.one_hot(mine))

    def step(self, step: int, batch: tuple[Any, ...]) -> float:
        """Make a step together, and return the loss before it."""
        bad, loss, *gradients = self.together(step, self.sum, *batch)
        flags = bad.numpy()
        if flags.any():
            raise NonFiniteError(step, tuple(map(int, np.flatnonzero(flags[:-1]))), self.whence())
        self.apply(*gradients)
        return float(loss)

    def together(self, step: int, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call what needs the other workers."""
        import tensorflow as tf

        e = tf.errors
        try:
            return function(*map(tf.convert_to_tensor, arguments))
        except (e.UnavailableError, e.DeadlineExceededError, e.AbortedError, e.CancelledError) as error:
            raise WorkerLostError(
                f"step {step}: {self.me.name} got no answer from another worker, which has ended or hangs."
                f" {self.whence()} ({type(error).__name__})"
            ) from error

    def whence(self) -> str:
        """What a new start would go on from."""
        if self.folder is None:
            return "There is no folder for checkpoints: a new start begins at step 1"
        return f"A new start goes on from step {self.last + 1}" + f" (checkpoints in {self.folder})"

    def resume(self, store: Checkpoints | None, about: dict[str, Any]) -> int:
        """Go on from the newest whole checkpoint, the same in all workers; return its step, or 0."""
        saved = None if store is None else store.latest()
        for words in [] if store is None else store.damaged:
            say(f"{words}; going on from {'the beginning' if saved is None else f'step {saved.step}'}")
        if store is not None:
            self.folder = store.folder
        if saved is not None:
            if saved.settings != about:
                raise ValueError(f"settings must be those of {self.folder}, {saved.settings}, got {about}")
            restore(self.variables, saved.arrays)
            self.last = saved.step
        if self.me.workers > 1:
            steps = self.together(self.last + 1, self.gather, np.float32(self.last)).numpy().astype(int).tolist()
            if len(set(steps)) > 1:
                raise ValueError(f"folder must be one that all workers see: they would go on from steps {steps}")
        return self.last

    def finished(self) -> Made:
        """Model and optimizer for this process alone: those of several workers would wait for the others."""
        if self.me.workers == 1:
            return self.model, self.optimizer
        model, optimizer = self.build()
        optimizer.build(model.trainable_variables)
        restore([*model.variables, *optimizer.variables], [v.numpy() for v in self.variables])
        return model, optimizer

    def save(self, store: Checkpoints, step: int, about: dict[str, Any]) -> None:
        """Write a checkpoint."""
        store.save(step, [v.numpy() for v in self.variables], about)
        self.last = step


def gradient_of(model: Any, loss: Callable[..., Any], batch_size: int, workers: int = 1) -> Callable[..., list[Any]]:
    """A function of a worker's rows: its share of the mean loss over the batch, and the gradient of that."""

    def compute(*batch: Any) -> list[Any]:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            losses = loss(model, *batch)
            if losses.shape.rank != 1:
                raise ValueError(f"loss must return one number for each row, got a tensor of shape {losses.shape}")
            share = tf.reduce_sum(losses) / batch_size
            if model.losses:  # what regularizers add, once in all
                share += tf.add_n(model.losses) / workers
        variables = [v.value for v in model.trainable_variables]
        found = tape.gradient(share, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [share, *map(tf.convert_to_tensor, found)]

    return compute


def graph(function: Callable[..., Any]) -> Any:
    """Compile a function to a graph as it stands: ``if`` and ``for`` are Python's, at the time of the first call."""
    import tensorflow as tf

    return tf.function(function, autograph=False)


def _finite(tensors: Sequence[Any]) -> Any:
    import tensorflow as tf

    return tf.reduce_all([tf.reduce_all(tf.math.is_finite(t)) for t in tensors])


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
