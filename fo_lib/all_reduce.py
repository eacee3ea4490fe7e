r"""The sum of a vector over workers, with nothing but messages between two of them, in four ways.

Each of :func:`ring`, :func:`tree`, :func:`halving` and :func:`central` is run by every worker with its own vector, and
every worker gets the same total, to the last bit. :mod:`fo_lib.workers` has processes to run them,
:mod:`fo_lib.planning` says what they cost on other networks.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ALGORITHMS", "Link", "algorithm", "central", "halving", "ring", "summed", "tree"]

Array = NDArray[np.floating[Any]]
NOTHING = memoryview(b"")


class Link:
    """What one worker has of the others: a socket to each, and a count of what it sent.

    Parameters
    ----------
    rank, workers : int
        This worker, from 0, and how many there are.
    sockets : dict
        From the rank of another worker to the socket that leads there.
    timeout : float
        Seconds without any traffic after which a worker gives up.
    """

    def __init__(self, rank: int, workers: int, sockets: dict[int, socket.socket], timeout: float = 60.0) -> None:
        self.rank, self.workers, self.sockets, self.timeout = rank, workers, sockets, timeout
        self.messages, self.bytes = 0, 0

    def send(self, to: int, outgoing: Array) -> None:
        """Send an array to another worker."""
        self.exchange(to, outgoing, to, None)

    def receive(self, source: int, incoming: Array) -> None:
        """Fill an array with what another worker sends."""
        self.exchange(source, None, source, incoming)

    def exchange(self, to: int, outgoing: Array | None, source: int, incoming: Array | None) -> None:
        """Send to one worker while receiving from another, so that a circle of workers does not wait forever.

        Raises
        ------
        ConnectionError
            If the other worker has ended.
        TimeoutError
            If nothing moves for ``timeout`` seconds.
        """
        out, into = _octets(outgoing), _octets(incoming)
        self.messages, self.bytes = self.messages + bool(out), self.bytes + len(out)
        while out or into:
            reads, writes = [self.sockets[source]] if into else [], [self.sockets[to]] if out else []
            readable, writable, _ = select.select(reads, writes, [], self.timeout)
            if not (readable or writable):
                raise TimeoutError(f"worker {self.rank} waited {self.timeout:g} s for workers {to} and {source}")
            for end in writable:
                out = out[end.send(out) :]
            for end in readable:
                into = into[_received(end, into, source) :]

    def close(self) -> None:
        """Close the sockets: the others learn that this worker has ended."""
        for end in self.sockets.values():
            end.close()


def _octets(array: Array | None) -> memoryview:
    return NOTHING if array is None or array.size == 0 else array.data.cast("B")


def _received(end: socket.socket, into: memoryview, source: int) -> int:
    count = end.recv_into(into)
    if count == 0:
        raise ConnectionError(f"worker {source} has ended")
    return count


def ring(link: Link, vector: Array) -> Array:
    r"""Sum around a ring: each worker speaks to its right neighbour only, about a :math:`p`-th of the vector at a time.

    In :math:`p - 1` messages the parts are summed, each on its way around; in :math:`p - 1` more the sums go around.

    .. math:: 2(p-1) \text{ messages of } V/p, \qquad 2\,\tfrac{p-1}{p}\,V \text{ bytes sent by each worker}

    Parameters
    ----------
    link : Link
        This worker's.
    vector : array of shape (d,)
        This worker's summand, of one dtype on all; it is not changed.

    Returns
    -------
    array of shape (d,)
        The sum, the same on every worker.

    Notes
    -----
    Patarasuk & Yuan (2009).
    """
    total, p, rank = vector.copy(), link.workers, link.rank
    parts = np.array_split(total, p)
    for gathering in (0, 1):
        for step in range(p - 1):
            give = (rank - step + gathering) % p
            mine = parts[give - 1]
            arrived = np.empty_like(mine)
            link.exchange((rank + 1) % p, parts[give], (rank - 1) % p, arrived)
            mine[:] = arrived if gathering else mine + arrived
    return total


def tree(link: Link, vector: Array) -> Array:
    r"""Sum up a binary tree to worker 0, and send the total down again: whole vectors, few of them in a row.

    .. math:: 2 \lceil \log_2 p \rceil \text{ messages of } V \text{ one after the other, } 2(p - 1) \text{ in all}

    Parameters
    ----------
    link, vector
        As in :func:`ring`.

    Returns
    -------
    array of shape (d,)
        The sum, the same on every worker.
    """
    total, p, rank = vector.copy(), link.workers, link.rank
    reaches = [2**k for k in range((p - 1).bit_length())]
    arrived = np.empty_like(total)
    for reach in reaches:
        if rank % (2 * reach) == reach:
            link.send(rank - reach, total)
        elif rank % (2 * reach) == 0 and rank + reach < p:
            link.receive(rank + reach, arrived)
            total += arrived
    for reach in reversed(reaches):
        if rank % (2 * reach) == reach:
            link.receive(rank - reach, total)
        elif rank % (2 * reach) == 0 and rank + reach < p:
            link.send(rank + reach, total)
    return total


def halving(link: Link, vector: Array) -> Array:
    r"""Sum by halves: exchange half of the vector with the worker half the way around, a quarter with the next, ...

    .. math:: 2 \log_2 p \text{ messages}, \qquad 2\,\tfrac{p-1}{p}\,V \text{ bytes sent by each worker}

    Parameters
    ----------
    link, vector
        As in :func:`ring`; the number of workers must be a power of two.

    Returns
    -------
    array of shape (d,)
        The sum, the same on every worker.

    Raises
    ------
    ValueError
        If the number of workers is no power of two.

    Notes
    -----
    Thakur, Rabenseifner & Gropp (2005), after Rabenseifner.
    """
    p, rank, total = link.workers, link.rank, vector.copy()
    if p & (p - 1):
        raise ValueError(f"halving takes a number of workers that is a power of two, got {p}")
    ends = np.cumsum([0, *(len(part) for part in np.array_split(total, p))])
    low, high, halves = 0, p, []
    for k in reversed(range(p.bit_length() - 1)):
        middle, partner = (low + high) // 2, rank ^ 2**k
        lower, upper = slice(ends[low], ends[middle]), slice(ends[middle], ends[high])
        keep, give = (upper, lower) if rank & 2**k else (lower, upper)
        low, high = (middle, high) if rank & 2**k else (low, middle)
        arrived = np.empty_like(total[keep])
        link.exchange(partner, total[give], partner, arrived)
        total[keep] += arrived
        halves.append((partner, keep, give))
    for partner, keep, give in reversed(halves):
        link.exchange(partner, total[keep], partner, total[give])
    return total


def central(link: Link, vector: Array) -> Array:
    r"""Sum at worker 0, which hears all others one after the other and answers each: a parameter server.

    .. math:: 2(p - 1) \text{ messages of } V \text{ through one worker}

    Parameters
    ----------
    link, vector
        As in :func:`ring`.

    Returns
    -------
    array of shape (d,)
        The sum, the same on every worker.
    """
    total, others = vector.copy(), range(1, link.workers)
    if link.rank:
        link.send(0, total)
        link.receive(0, total)
        return total
    arrived = np.empty_like(total)
    for other in others:
        link.receive(other, arrived)
        total += arrived
    for other in others:
        link.send(other, total)
    return total


ALGORITHMS: dict[str, Callable[[Link, Array], Array]] = {
    "ring": ring,
    "tree": tree,
    "halving": halving,
    "central": central,
}


def algorithm(method: object) -> Callable[[Link, Array], Array]:
    """Return the function of a name in ``ALGORITHMS``; refuses others with a ValueError."""
    if not isinstance(method, str) or method not in ALGORITHMS:
        raise ValueError(f"method must be one of {list(ALGORITHMS)}, got {method!r}")
    return ALGORITHMS[method]


def summed(link: Link, vector: Array, method: str = "ring") -> tuple[Array, int, int]:
    """Return the sum, and the messages and bytes that this worker sent for it: for :func:`fo_lib.workers.run`.

    Raises
    ------
    TypeError, ValueError
        If ``vector`` is no one-dimensional array, or the method is unknown.
    """
    if not isinstance(vector, np.ndarray) or vector.ndim != 1:
        raise TypeError(f"vector must be an array with one dimension, got {vector!r}")
    before = link.messages, link.bytes
    total = algorithm(method)(link, vector)
    return total, link.messages - before[0], link.bytes - before[1]
