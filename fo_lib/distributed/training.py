"""Train a Keras model by all workers at once: every step is that of the whole batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import checks
from ..checkpoints import Checkpoints
from .cluster import Task, heartbeat, task
from .order import feed
from .steps import Loop, say

__all__ = ["Trained", "train"]


class Trained(NamedTuple):
    """What :func:`train` made.

    Attributes
    ----------
    model, optimizer
        With the last weights and state; the same in every worker, and each its own: ``model.predict`` waits for nobody.
    first : int
        The first step that this process made: 1, or the one after the checkpoint that it went on from.
    losses : array
        (steps - first + 1,) float64: the mean loss over the batch of each of these steps, before it.
    """

    model: Any
    optimizer: Any
    first: int
    losses: NDArray[np.float64]


def train(
    build: Callable[[], tuple[Any, Any]],
    loss: Callable[..., Any],
    arrays: Sequence[Any],
    *,
    batch_size: int,
    steps: int,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    every: int = 100,
    keep: int = 3,
    settings: Mapping[str, Any] | None = None,
    watch: Callable[[int, float], object] | None = None,
    timeout: float = 30.0,
) -> Trained:
    r"""Train as the worker that ``TF_CONFIG`` says, together with the others; without it, alone.

    Step t, with the batch :math:`B_t` of :func:`~fo_lib.distributed.rows`, of which worker i has the share
    :math:`S_i`:

    .. math::
        g_t = \sum_i \frac1{|B_t|} \sum_{j \in S_i} \nabla \ell_j(w_{t-1}), \qquad
        w_t = \mathrm{rule}(w_{t-1}, g_t, \dots)

    The sum is an all-reduce, and only then does the optimizer see the gradient: clipping by norm is that of the whole
    batch. The same number of workers gives the same bits, interrupted or not; another number the same to rounding.

    Parameters
    ----------
    build : function
        ``build()`` returns a Keras model and an optimizer, such as that of :func:`fo_lib.keras.optimizer`. Called
        after the seed is set. Layers that see the whole batch, such as batch normalization, see a worker's share.
    loss : function
        ``loss(model, *batch)`` returns one loss **for each row**, a tensor of shape (rows,). Compiled as it stands:
        what depends on the values of tensors is written with ``tf.where`` or ``tf.cond``.
    arrays : sequence of arrays
        The data, the same for every worker, which reads its own rows only (:func:`~fo_lib.distributed.feed`).
    batch_size : int
        Rows of all workers together.
    steps : int
        The number of the last step, those before an interruption included.
    seed : int
        Of the first weights and the order.
    folder : path, optional
        For :class:`~fo_lib.distributed.Checkpoints`; all workers must see the same. The first worker writes. If there
        are some, all go on from the newest that is whole.
    every, keep : int
        Steps between checkpoints (there is one after the last step too), and how many are kept.
    settings : mapping, optional
        What else the run depends on, as JSON can hold it. Compared before a run is resumed, as are ``seed``,
        ``batch_size`` and the number of samples. The number of workers is not: it may change.
    watch : function, optional
        ``watch(step, loss)`` is called after each step in every worker. By default the first worker writes a line
        every ``every`` steps.
    timeout : float
        Seconds to wait for the other workers in a step before they are given up.

    Returns
    -------
    Trained

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of its range; if ``TF_CONFIG`` is wrong; if the checkpoints are all
        damaged, or of another run, or not the same for all workers.
    RuntimeError
        If there are several workers, and the script has used TensorFlow before.
    NonFiniteError
        In every worker, if the gradient of one is not finite.
    WorkerLostError
        If another worker has ended or hangs.
    OSError
        If a checkpoint cannot be written.
    """
    me, every = task(), checks.count("every", every)
    checks.function("build", build)
    checks.function("loss", loss)
    share = {"worker": me.index, "workers": me.workers}
    feed(arrays, batch_size, seed=seed, last=checks.count("steps", steps), **share)  # what is wrong is refused now
    team = _team(me, checks.number("timeout", timeout, above=0.0))
    loop = Loop(me, team, build, loss, batch_size, seed)
    about = {"seed": seed, "batch_size": batch_size, "n": len(arrays[0]), **(settings or {})}
    store = None if folder is None else Checkpoints(folder, keep)
    first = loop.resume(store, about) + 1
    if first > steps + 1:
        raise ValueError(f"steps must be at least {first - 1}, that of the newest checkpoint, got {steps}")
    losses = []
    for step, batch in feed(arrays, batch_size, seed=seed, first=first, last=steps, **share):
        heartbeat(step)
        losses.append(loop.step(step, batch))
        if watch is not None:
            watch(step, losses[-1])
        if me.index == 0 and (step % every == 0 or step == steps):
            if watch is None:
                say(f"step {step} of {steps}: loss {losses[-1]:.6g}")
            if store is not None:
                loop.save(store, step, about)
    return Trained(*loop.finished(), first, np.array(losses))


def _team(me: Task, timeout: float) -> Any:
    """TensorFlow's strategy: that of several workers, or the plain one."""
    import tensorflow as tf

    if set(me.cluster) != {"worker"}:
        raise ValueError(f"TF_CONFIG must have workers only, got {sorted(me.cluster)}: see train_with_servers")
    if me.workers == 1:
        return tf.distribute.get_strategy()
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=timeout)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except RuntimeError as error:
        if "program startup" not in str(error):
            raise
        words = "train must be called before TensorFlow computes anything: make no tensor, variable or model before it"
        raise RuntimeError(words) from error
