"""Run a script as several workers on this machine, watch them, and start all again from the last checkpoint."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .. import checks
from .cluster import Task
from .processes import Ports, Process

__all__ = ["Launched", "WorkerError", "launch"]

PAUSE = 0.05  # seconds between two looks at the processes
SETTLE = 0.5  # after a first failure: others fail because of it, or for the same reason
Write = Callable[[str], object]
FOLLOWS = "WorkerLostError"  # what the others say of a worker that was lost


class WorkerError(RuntimeError):
    """A worker failed or hung, and no restart is left.

    Attributes
    ----------
    worker : str
        Such as ``worker 1``.
    code : int or None
        Its exit code, the number of a signal negated; None if it hung.
    step : int or None
        The step it had last begun, if it said so (:func:`~fo_lib.distributed.heartbeat`).
    tail : list of str
        Its last lines.
    """

    def __init__(self, process: Process, what: str) -> None:
        self.worker, self.code, self.step, self.tail = process.name, process.code, process.step, list(process.tail)
        self.what = what
        self.restarts = 0
        super().__init__(what)

    def __str__(self) -> str:
        where = "" if self.step is None else f" in step {self.step}"
        after = f" (after {self.restarts} restart{'s' * (self.restarts > 1)})" if self.restarts else ""
        lines = "".join(f"\n    {line}" for line in self.tail[-8:])
        return f"{self.worker} {self.what}{where}{after}; " + (
            "its last lines:" + lines if lines else "it wrote nothing"
        )


class Launched(NamedTuple):
    """A run that came to its end.

    Attributes
    ----------
    seconds : float
        Restarts included.
    failures : list of WorkerError
        Those that restarts made up for.
    output : dict of lists of str
        The last lines of each process.
    """

    seconds: float
    failures: list[WorkerError]
    output: dict[str, list[str]]


@dataclass
class _Limits:
    total: float
    start: float
    silence: float
    began: float = field(default_factory=time.monotonic)

    def check(self, processes: Sequence[Process]) -> None:
        """Refuse a run that takes too long (TimeoutError), or a process that is silent (WorkerError)."""
        if time.monotonic() - self.began > self.total:
            state = ", ".join(f"{p.name} {p.words()}" + f" in step {p.step}" * (p.step is not None) for p in processes)
            raise TimeoutError(f"the run took longer than time_limit={self.total:g} seconds: {state}")
        running = [p for p in processes if p.code is None]
        hung = [p for p in running if p.silent() > (self.start if p.step is None else self.silence)]
        if hung:
            # the others wait for it: it began fewer steps than they did, or fell silent first
            first = min(running, key=lambda p: (p.step or 0, -p.silent()))
            raise WorkerError(first, f"hangs: no line and no step for {first.silent():.0f} seconds")


def launch(
    command: Sequence[str],
    *,
    workers: int = 2,
    servers: int = 0,
    restarts: int = 0,
    time_limit: float = 3600.0,
    start_limit: float = 180.0,
    silence_limit: float = 60.0,
    threads: int = 1,
    environ: Mapping[str, str] | None = None,
    write: Write | None = None,
) -> Launched:
    """Start ``command`` once for each worker, with ``TF_CONFIG`` set, on free ports of this machine.

    When a worker ends with an error, is killed, or hangs, all are killed, and started again if ``restarts`` allows it:
    a script that calls :func:`~fo_lib.distributed.train` goes on from its last checkpoint. Nothing stays behind: each
    worker is a process group, and whatever it started is killed with it, also when this function is interrupted.

    Parameters
    ----------
    command : sequence of str
        Program and arguments, such as ``[sys.executable, "train_on_many.py"]``.
    workers : int
        How many.
    servers : int
        With 0, workers that meet in every step. With 1 or more, that many parameter servers, and a coordinator,
        ``chief``: the run is over when the chief is, and a worker that fails is started again alone.
    restarts : int
        How often, at most.
    time_limit : float
        Seconds for all, restarts included.
    start_limit, silence_limit : float
        Seconds without a line of output or a heartbeat, before and after a process has begun its first step.
    threads : int
        That each process computes with.
    environ : mapping, optional
        The environment, by default ``os.environ``.
    write : function, optional
        Takes each line of output, prefixed by the name of its process; by default it goes to the standard output.

    Returns
    -------
    Launched

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of its range.
    WorkerError
        If a worker failed or hung, and no restart is left. It names the worker, how it ended, and its last lines.
    TimeoutError
        If all took longer than ``time_limit``.
    """
    command = _checked(command)
    workers, servers = checks.count("workers", workers), checks.count("servers", servers, at_least=0)
    left = checks.count("restarts", restarts, at_least=0)
    limits = _Limits(
        checks.number("time_limit", time_limit, above=0.0),
        checks.number("start_limit", start_limit, above=0.0),
        checks.number("silence_limit", silence_limit, above=0.0),
    )
    env = {**(os.environ if environ is None else environ), **_environment(checks.count("threads", threads))}
    failures: list[WorkerError] = []
    with tempfile.TemporaryDirectory(prefix="fo_lib-launch-") as folder:
        while True:
            run = _Run(command, workers, servers, env, Path(folder), write or _print)
            try:
                run.watch(limits, left, failures)
                run.end()  # and read what was still to be read
                output = {p.name: list(p.tail) for p in run.processes}
                return Launched(time.monotonic() - limits.began, failures, output)
            except WorkerError as error:
                error.restarts = len(failures)
                if len(failures) >= left:
                    raise
                failures.append(error)
            finally:
                run.end()


class _Run:
    """The processes of one attempt."""

    def __init__(
        self, command: list[str], workers: int, servers: int, env: dict[str, str], folder: Path, write: Write
    ) -> None:
        self.ports = Ports(workers + servers + (servers > 0))
        at = self.ports.addresses
        cluster = {"worker": at[:workers]}
        if servers:
            cluster.update(ps=at[workers:-1], chief=at[-1:])
        self.command, self.env, self.folder, self.lock, self.write = command, env, folder, threading.Lock(), write
        self.coordinated = servers > 0
        self.processes: list[Process] = []
        self.tasks = [Task(role, i, cluster) for role, addresses in cluster.items() for i in range(len(addresses))]
        try:
            for task in self.tasks:
                self.processes.append(self.start(task))
        except BaseException:
            self.end()
            raise

    def start(self, task: Task) -> Process:
        """Start one of them."""
        return Process(self.command, task, self.env, self.folder, self.line)

    def line(self, text: str) -> None:
        """Pass on one line at a time."""
        with self.lock:
            try:
                self.write(text)
            except OSError:  # nobody reads any more; the workers must not block
                self.write = len

    def watch(self, limits: _Limits, restarts: int, failures: list[WorkerError]) -> None:
        """Return when the run is over; raise what is wrong."""
        while not self.over():
            if any(p.code for p in self.processes):
                self.fail(restarts, failures)
            limits.check([p for p in self.processes if not self.coordinated or p.name == "chief"])
            time.sleep(PAUSE)

    def over(self) -> bool:
        """Whether all that must end well have."""
        return all(p.code == 0 for p in self.processes if not self.coordinated or p.name == "chief")

    def fail(self, restarts: int, failures: list[WorkerError]) -> None:
        """Raise the failure that began it; with a coordinator, start a failed worker again."""
        time.sleep(SETTLE)
        failed = [p for p in self.processes if p.code]
        first = min(failed, key=lambda p: (any(FOLLOWS in line for line in p.tail), self.processes.index(p)))
        error = WorkerError(first, first.words())
        i = self.processes.index(first)
        if not self.coordinated or self.tasks[i].role != "worker" or len(failures) >= restarts:
            raise error
        error.restarts = len(failures)
        failures.append(error)
        first.end()
        self.processes[i] = self.start(self.tasks[i])

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self.processes:
            process.end()
        self.ports.free()


def _environment(threads: int) -> dict[str, str]:
    n = str(threads)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
    return {**dict.fromkeys(names, n), "TF_NUM_INTEROP_THREADS": "2", "PYTHONUNBUFFERED": "1"}


def _checked(command: Sequence[str]) -> list[str]:
    words = not isinstance(command, (str, bytes)) and all(isinstance(word, (str, os.PathLike)) for word in command)
    if not words or not command:
        raise TypeError(f"command must be a list of words, such as [sys.executable, 'script.py'], got {command!r}")
    return [os.fspath(word) for word in command]


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
