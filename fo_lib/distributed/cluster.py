"""Who this process is among the workers: what the environment variable ``TF_CONFIG`` says."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import checks

__all__ = ["Task", "heartbeat", "task"]

HEARTBEAT = "FO_HEARTBEAT"
ROLES = ("worker", "chief", "ps")
ADDRESS = re.compile(r"[^\s:/]+:\d{1,5}")
FORM = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Task:
    """One process of a run.

    Attributes
    ----------
    role : str
        ``"worker"``; with a parameter server also ``"chief"`` (the coordinator) and ``"ps"``.
    index : int
        Which of that role, from 0.
    cluster : dict
        The addresses, ``host:port``, of each role.
    """

    role: str
    index: int
    cluster: dict[str, list[str]]

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return len(self.cluster["worker"])

    @property
    def name(self) -> str:
        """Such as ``worker 1``; there is one ``chief``."""
        return self.role if self.role == "chief" else f"{self.role} {self.index}"

    def config(self) -> str:
        """The ``TF_CONFIG`` of this process."""
        return json.dumps({"cluster": self.cluster, "task": {"type": self.role, "index": self.index}})


ALONE = Task("worker", 0, {"worker": ["localhost:0"]})


def task(environ: Mapping[str, str] | None = None) -> Task:
    """Read ``TF_CONFIG``.

    Parameters
    ----------
    environ : mapping, optional
        By default ``os.environ``.

    Returns
    -------
    Task
        The only worker, if the variable is not set or empty.

    Raises
    ------
    ValueError
        If it is not JSON of the right form, or the task is not in the cluster. TensorFlow itself would wait for
        workers that do not exist, or end with an error of another kind.
    """
    if environ is not None:
        checks.instance("environ", environ, Mapping)
    given = (os.environ if environ is None else environ).get("TF_CONFIG", "")
    if not given.strip():
        return ALONE
    try:
        content = json.loads(given)
        found = Task(content["task"]["type"], content["task"]["index"], content["cluster"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"TF_CONFIG must be {FORM}, got {given!r} ({type(error).__name__}: {error})") from None
    _check(found, given)
    return found


def _check(found: Task, given: str) -> None:
    cluster: Any = found.cluster
    right = isinstance(cluster, dict) and "worker" in cluster and set(cluster) <= set(ROLES)
    if not right or not all(isinstance(addresses, list) for addresses in cluster.values()):
        raise ValueError(f"TF_CONFIG must have a cluster with lists of addresses by role, {FORM}, got {given!r}")
    everyone = [address for addresses in cluster.values() for address in addresses]
    wrong = [a for a in everyone if not isinstance(a, str) or not ADDRESS.fullmatch(a)]
    if wrong or len(set(everyone)) < len(everyone):
        what = f"{wrong[0]!r}" if wrong else "one address twice"
        raise ValueError(f"TF_CONFIG must give each task an address host:port of its own, got {what} in {given!r}")
    there = {role: len(addresses) for role, addresses in cluster.items()}
    index: Any = found.index
    if not isinstance(index, int) or not 0 <= index < there.get(found.role, 0):
        raise ValueError(f"TF_CONFIG must name a task of its cluster, {there}, got {found.role!r} {index!r}")


def heartbeat(step: int) -> None:
    """Tell the launcher that this worker begins a step; without a launcher nothing happens.

    Parameters
    ----------
    step : int
        Its number. A worker that hangs is one that is silent, and the launcher names its last step.
    """
    file = os.environ.get(HEARTBEAT)
    if file:
        Path(file).write_text(str(step), encoding="ascii")
