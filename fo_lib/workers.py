r"""Workers: processes of this machine that talk over its loopback (127.0.0.1), and data-parallel descent for them."""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Callable, Sequence
from multiprocessing import connection
from typing import Any

import numpy as np

from . import checks
from .all_reduce import Link, algorithm, tree
from .layout import Layout
from .sampling import batches, require_samples, reshuffled

__all__ = ["clock", "connect", "descend", "run"]


def descend(
    link: Link, make: Callable[..., Any], data: tuple[Any, ...], *, batch: int, learning_rate: float, steps: int,
    seed: int = 0, method: str = "ring", parts: int = 1,
) -> dict[str, Any]:  # fmt: skip
    r"""Take steps of mini-batch gradient descent with all the other workers: something for :func:`run` to run.

    .. math:: w \gets w - \alpha \sum_{r=0}^{p-1} \frac{|B_r|}{|B|}\, g_{B_r}(w), \qquad B = B_0 \cup \dots \cup B_{p-1}

    The batch of a step is that of :func:`~fo_lib.gradients.mini_batch`, cut into ``p`` shares as even as possible. So
    all workers agree on who does what without a message.

    Parameters
    ----------
    link : Link
        This worker's.
    make, data : function, tuple
        ``make(*data)`` is the problem, such as :func:`~fo_lib.problems.softmax_regression` of ``(X, y)``.
    batch : int
        Samples of a step, of all workers together.
    learning_rate : float
        :math:`\alpha`.
    steps, seed : int
        As in :func:`~fo_lib.loop.minimize`.
    method : str
        One of ``fo_lib.all_reduce.ALGORITHMS``.
    parts : int
        Gradient accumulation: in how many parts a worker goes through its share.

    Returns
    -------
    dict
        ``weights``, and ``seconds`` of shape (steps, 2): computing, and summing, which includes waiting for others.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range, the method is unknown, or the problem has no samples.
    """
    problem, total = require_samples("descend", make(*data)), algorithm(method)
    batch = checks.count("batch", batch, at_most=problem.n_samples, why="the number of samples")
    learning_rate = checks.number("learning_rate", learning_rate, at_least=0.0)
    steps, parts = checks.count("steps", steps), checks.count("parts", parts)
    layout, rows_of = Layout(problem.start), batches(problem.n_samples, batch, reshuffled, seed)
    w, seconds = layout.flatten(problem.start), []
    for t in range(1, steps + 1):
        begin, rows, g = time.perf_counter(), rows_of(t), np.zeros_like(w)
        for share in np.array_split(np.array_split(rows, link.workers)[link.rank], parts):
            if len(share):
                g += layout.flatten(problem.sample_grad(layout.unflatten(w), share)) * (len(share) / len(rows))
        middle = time.perf_counter()
        w -= learning_rate * total(link, g)
        seconds.append((middle - begin, time.perf_counter() - middle))
    return {"weights": layout.unflatten(w), "seconds": np.array(seconds)}


def clock(link: Link, sizes: Sequence[int], *, rounds: int, method: str = "ring") -> list[list[float]]:
    """Return the seconds of some all-reduces of so many float32 numbers, for each size: for :func:`run`."""
    seconds, rounds, total = [], checks.count("rounds", rounds), algorithm(method)
    for size in sizes:
        vector, taken = np.ones(size, np.float32), []
        for _ in range(rounds + 1):
            tree(link, np.ones(1, np.float32))  # so that all begin together
            begin = time.perf_counter()
            total(link, vector)
            taken.append(time.perf_counter() - begin)
        seconds.append(taken[1:])
    return seconds


def connect(workers: int, timeout: float = 60.0) -> list[Link]:
    """Return the links of some workers, each connected to each other over 127.0.0.1."""
    ends: list[dict[int, socket.socket]] = [{} for _ in range(checks.count("workers", workers, at_most=32))]
    for a in range(workers):
        for b in range(a):
            with socket.create_server(("127.0.0.1", 0)) as server:
                ends[a][b] = socket.create_connection(server.getsockname())
                ends[b][a] = server.accept()[0]
            for end in (ends[a][b], ends[b][a]):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.setblocking(False)
    return [Link(rank, workers, sockets, timeout) for rank, sockets in enumerate(ends)]


def _serve(answer: Any, work: Callable[..., Any], link: Link, given: tuple[Any, ...], options: dict[str, Any]) -> None:
    """The life of a worker: do the work, answer, close."""
    try:
        answer.send((True, work(link, *given, **options)))
    except Exception as error:
        answer.send((False, (isinstance(error, ConnectionError), f"{type(error).__name__}: {error}")))
    link.close()


def run(
    work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], *, timeout: float = 60.0, **options: Any
) -> list[Any]:
    """Run ``work(link, *arguments[rank], **options)`` in a new process for each worker, and return what each returned.

    Parameters
    ----------
    work : function
        From a module, so that a new process can import it: :func:`descend`, :func:`fo_lib.all_reduce.summed`, ...
    arguments : list of tuples
        One for each worker, at most 32.
    timeout : float
        Seconds for everything, and for a worker's patience with another.
    **options
        Passed to every worker.

    Returns
    -------
    list
        By rank.

    Raises
    ------
    TypeError
        If ``work`` is no function, or one that another process cannot import (a lambda, or a function in a function);
        if ``arguments`` is no list of tuples.
    RuntimeError
        If a worker fails or dies: it names the first that was not itself a victim of another.
    TimeoutError
        If they take too long; all are ended.
    """
    checks.function("work", work)
    if "<" in getattr(work, "__qualname__", ""):
        raise TypeError(f"work must be a function of a module, so that a new process can import it, got {work!r}")
    if not isinstance(arguments, (list, tuple)) or not all(isinstance(given, tuple) for given in arguments):
        raise TypeError(f"arguments must be a list of tuples, one for each worker, got {arguments!r}")
    timeout = checks.number("timeout", timeout, above=0.0)
    links, context = connect(len(arguments), timeout), multiprocessing.get_context("spawn")
    ears, started = [], []
    try:
        for link, given in zip(links, arguments, strict=True):
            ear, answer = context.Pipe(duplex=False)
            worker = context.Process(target=_serve, args=(answer, work, link, given, options), daemon=True)
            worker.start()
            started.append(worker)
            ears.append(ear)
            link.close()  # the worker has its own copy; ours would hide that it has ended
            answer.close()
        return _results(_collect(ears, time.monotonic() + timeout))
    finally:
        for worker in started:
            worker.kill()
            worker.join()


def _collect(ears: list[Any], deadline: float) -> list[tuple[bool, Any]]:
    """What each worker answers; one that ends without an answer is a failure of its own."""
    found: dict[int, tuple[bool, Any]] = {}
    while missing := [rank for rank in range(len(ears)) if rank not in found]:
        ready = connection.wait([ears[rank] for rank in missing], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError(f"no answer from workers {missing} in time")
        for ear in ready:
            found[ears.index(ear)] = _heard(ear)
    return [found[rank] for rank in range(len(ears))]


def _heard(ear: Any) -> tuple[bool, Any]:
    try:
        found: tuple[bool, Any] = ear.recv()
        return found
    except EOFError:
        return False, (False, "it ended without an answer")


def _results(answers: list[tuple[bool, Any]]) -> list[Any]:
    failed = [(*why, rank) for rank, (fine, why) in enumerate(answers) if not fine]
    if failed:
        _, why, rank = min(failed, key=lambda entry: (entry[0], entry[2]))  # victims last
        raise RuntimeError(f"worker {rank} failed: {why}")
    return [value for _, value in answers]
