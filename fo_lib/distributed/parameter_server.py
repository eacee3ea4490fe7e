"""Train with parameter servers and a coordinator: workers that do not wait for each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import checks
from .cluster import Task, heartbeat, task
from .order import feed
from .steps import gradient_of, graph
from .training import Trained

__all__ = ["train_with_servers"]

AHEAD = 2  # batches handed out for each worker: one to compute, one to begin with when it is done
TRIES = 5  # for one batch: the coordinator itself gives it to another worker if one is lost while it computes


def train_with_servers(
    build: Callable[[], tuple[Any, Any]],
    loss: Callable[..., Any],
    arrays: Sequence[Any],
    *,
    batch_size: int,
    steps: int,
    seed: int = 0,
    watch: Callable[[int, float], object] | None = None,
) -> Trained | None:
    r"""Train as the ``chief``, a ``worker`` or a parameter server (``ps``), as ``TF_CONFIG`` says.

    The servers hold weights and state. The chief hands out the batches of :func:`~fo_lib.distributed.rows`, two for
    each worker; a worker reads the weights and returns the gradient of a batch, and the chief applies it:

    .. math::
        w_t = \mathrm{rule}(w_{t-1}, \nabla f_{B_t}(w_{t-1-d_t}), \dots), \qquad
        0 \le d_t < 2 \times \text{workers}

    No worker waits for another, which is paid for by gradients that are up to :math:`d_t` steps old (Dean et al., 2012,
    section 4.1, where the servers apply them). A worker that fails loses nothing: its batch is given to another, and
    each gradient is applied once. How old they are is a matter of time: two runs do not end with the same bits.

    Parameters
    ----------
    build, loss, arrays, batch_size, steps, seed
        As those of :func:`~fo_lib.distributed.train`; each batch is computed by one worker.
    watch : function, optional
        ``watch(step, loss)`` is called in the chief after each step.

    Returns
    -------
    Trained or None
        In the chief; its losses are those at the weights that were read. Workers and servers do not return: they
        serve until they are killed, as :func:`~fo_lib.distributed.launch` does in the end. Where a worker was lost,
        TensorFlow's coordinator can keep the chief from ending: let its script end with ``os._exit(0)``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of its range, or ``TF_CONFIG`` has no chief, worker and ps.
    """
    import tensorflow as tf

    me = task()
    if set(me.cluster) != {"chief", "ps", "worker"}:
        raise ValueError(f"TF_CONFIG must have a chief, workers and ps, got {sorted(me.cluster)}: see train")
    batches = feed(arrays, batch_size, seed=seed, last=checks.count("steps", steps))
    if me.role != "chief":
        cluster = tf.train.ClusterSpec(me.cluster)
        tf.distribute.Server(cluster, job_name=me.role, task_index=me.index, protocol="grpc", start=True).join()
        return None
    return _coordinate(me, build, loss, batches, batch_size, seed, watch)


def _coordinate(
    me: Task,
    build: Callable[[], tuple[Any, Any]],
    loss: Callable[..., Any],
    batches: Iterator[tuple[int, tuple[Any, ...]]],
    batch_size: int,
    seed: int,
    watch: Callable[[int, float], object] | None,
) -> Trained:
    """Keep every worker busy, and apply each gradient once, in the order of the steps."""
    import keras
    import tensorflow as tf

    strategy = tf.distribute.ParameterServerStrategy(tf.distribute.cluster_resolver.TFConfigClusterResolver())
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    keras.utils.set_random_seed(seed)
    with strategy.scope():
        model, optimizer = build()
        optimizer.build(model.trainable_variables)
    compute = graph(lambda *batch: strategy.run(gradient_of(model, loss, batch_size), args=batch))
    apply = graph(lambda *gradients: optimizer.apply(list(gradients)))
    waiting: deque[tuple[int, Callable[[], Any]]] = deque()
    losses: list[float] = []

    def use() -> None:
        step, fetch = waiting.popleft()
        value, *gradients = fetch()
        apply(*gradients)
        losses.append(float(value))
        if watch is not None:
            watch(step, losses[-1])

    for step, batch in batches:
        heartbeat(step)
        waiting.append((step, _handed_out(coordinator, compute, tuple(map(tf.convert_to_tensor, batch)))))
        if len(waiting) == AHEAD * me.workers:
            use()
    while waiting:
        use()
    return Trained(model, optimizer, 1, np.array(losses))


def _handed_out(coordinator: Any, compute: Callable[..., Any], batch: tuple[Any, ...]) -> Callable[[], Any]:
    """Give a batch to a worker; return what fetches the result, and gives it to another one if that is gone."""
    import tensorflow as tf

    e, result = tf.errors, coordinator.schedule(compute, args=batch)

    def fetch() -> Any:
        nonlocal result
        for _ in range(TRIES - 1):
            try:
                return result.fetch()
            except (e.UnavailableError, e.AbortedError, e.CancelledError, e.NotFoundError):  # it lay in a lost worker
                result = coordinator.schedule(compute, args=batch)
        return result.fetch()

    return fetch
