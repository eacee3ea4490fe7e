"""Sweeps: many trials of one objective in one study, by one process or several, that a kill does not stop.

`Optuna <https://optuna.org>`_ (``pip install optuna``) keeps the study and samples, prunes and gives lost trials again.
What stands here is what a sweep needs besides: settings that are a function of seed and trial, workers, and a table;
and successive halving on losses that are known.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import connection
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks

__all__ = ["Sweep", "successive_halving"]

NAP = 0.1  # seconds between two looks at what the others do


def successive_halving(losses: ArrayLike, eta: int) -> list[NDArray[np.int64]]:
    r"""Which trials are left after each rung, if all but the best :math:`1/\eta` of those left are given up.

    .. math:: n_{i+1} = \max(1, \lfloor n_i / \eta \rfloor)

    Parameters
    ----------
    losses : array
        (n, rungs): of each trial, at the rungs. Of equal losses the earlier trial is better.
    eta : int
        From 2.

    Returns
    -------
    list of arrays
        For each rung the trials that it keeps, the best first; the first of the last one is the winner.

    Raises
    ------
    TypeError, ValueError
        If ``losses`` is no matrix of finite numbers, or ``eta`` is not a whole number from 2 on.
    """
    table, eta = checks.array("losses", losses, ndim=2), checks.count("eta", eta, at_least=2)
    left, kept = np.arange(len(table)), []
    for rung in table.T:
        order = left[np.argsort(rung[left], kind="stable")]
        kept.append(order[: max(1, len(order) // eta)])
        left = np.sort(kept[-1])
    return kept


@dataclass(frozen=True)
class Sweep:
    """A study in a file, or behind the address of a database.

    Attributes
    ----------
    path : str
        A file for SQLite, on a disk of this machine; or an address such as ``postgresql://...``, for several machines.
    name : str
        Of the study; one file can hold several.
    seed : int
        All settings are a function of it.
    sampler : function, optional
        ``sampler(seed)`` returns a sampler of Optuna. Each worker's gets a seed of its own, since two workers with one
        seed would try the same settings. By default random search in which the settings of trial k are a function of
        ``seed`` and k: the same table whoever runs what, in whatever order.
    pruner : object, optional
        Of Optuna, such as ``optuna.pruners.SuccessiveHalvingPruner()``; by default every trial runs to its end.
    heartbeat : int
        A running trial signs every so many seconds. Silent for twice as long, it counts as lost and is given again.
    retries : int
        How often the same settings are given again.

    Raises
    ------
    TypeError, ValueError
        If an attribute is of the wrong kind or out of its range.

    Examples
    --------
    >>> sweep = Sweep("study.db", "adam")
    >>> rows = sweep.run(objective, trials=40, workers=2)  # doctest: +SKIP
    """

    path: str
    name: str = "sweep"
    seed: int = 0
    sampler: Callable[[int], Any] | None = None
    pruner: Any = None
    heartbeat: int = 10
    retries: int = 3

    def __post_init__(self) -> None:
        for name in ("path", "name"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise TypeError(f"{name} must be a string that is not empty, got {getattr(self, name)!r}")
        if "://" not in self.path and set(self.path) & set("?{}"):
            raise ValueError(f"path must be an address or a file without ?, {{ and }}, got {self.path!r}")
        checks.count("seed", self.seed, at_least=0)
        if self.sampler is not None:
            checks.function("sampler", self.sampler)
        if self.pruner is not None and (isinstance(self.pruner, type) or not hasattr(self.pruner, "prune")):
            raise TypeError(f"pruner must be one of Optuna, such as SuccessiveHalvingPruner(), got {self.pruner!r}")
        checks.count("heartbeat", self.heartbeat)
        checks.count("retries", self.retries, at_least=0)

    def study(self) -> Any:
        """Open the study, or make it: for plots and questions of Optuna's own.

        Raises
        ------
        ImportError
            If Optuna is not installed.
        """
        optuna = _optuna()
        with optuna.quiet():
            return optuna.open_study(self)

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each trial that is done, in the order in which trials were first begun.

        Returns
        -------
        list of dict
            ``trial`` (from 0), ``state`` (``complete`` or ``pruned``), ``value``, ``attempts`` (more than 1
            if it was lost and given again), ``seconds`` (of the last attempt), the settings by their names, and
            ``reports`` (what ``trial.report`` told, by step).
        """
        found: list[dict[str, Any]] = _optuna().rows(self.study())
        return found

    def run(
        self, objective: Callable[[Any], float], *, trials: int, workers: int = 1, progress: bool = False
    ) -> list[dict[str, Any]]:
        """Run trials until so many are done, those of earlier runs and of other processes included.

        Parameters
        ----------
        objective : function
            ``objective(trial)`` asks ``trial`` for its settings (``trial.suggest_float(...)``) and returns what is to
            be small; infinity where a run diverged. With several workers: a function of a module.
        trials : int
            How many. Where several workers finish at once there can be more, at most ``workers - 1``.
        workers : int
            1: in this process. More: so many new ones.
        progress : bool
            Show a bar (needs tqdm; quiet where the output is not a terminal).

        Returns
        -------
        list of dict
            As :meth:`table`.

        Raises
        ------
        TypeError, ValueError
            If an argument is of the wrong kind or out of its range, or ``objective`` returns NaN.
        ImportError
            If Optuna is not installed.
        RuntimeError
            If ``objective`` fails in a worker, or all workers are gone before the trials are done. What was done is
            kept: call again, and it goes on from there. (In this process, what ``objective`` raises is raised.)
        """
        checks.function("objective", objective)
        trials, workers = checks.count("trials", trials), checks.count("workers", workers, at_most=64)
        with _optuna().quiet(), _bar(trials, progress) as show:
            if workers == 1:
                _work(self, objective, trials, 0, show)
            else:
                self._start(objective, trials, workers, show)
        return self.table()

    def _start(self, objective: Callable[[Any], float], trials: int, workers: int, show: Callable[[int], None]) -> None:
        if "<" in getattr(objective, "__qualname__", ""):
            raise TypeError(
                f"objective must be a function of a module, so that a new process can import it, got {objective!r}"
            )
        study, context = self.study(), multiprocessing.get_context("spawn")
        started, ears = [], []
        try:
            for worker in range(workers):
                ear, answer = context.Pipe(duplex=False)
                process = context.Process(target=_serve, args=(answer, self, objective, trials, worker), daemon=True)
                process.start()
                answer.close()
                started.append(process)
                ears.append(ear)
            _wait(ears, lambda: show(_optuna().settle(study)[0]))
            _judge(study, trials, started)
        finally:
            for process in started:
                process.kill()
                process.join()


def _optuna() -> Any:
    try:
        return import_module("._sweeps_optuna", __package__)
    except ImportError as error:
        raise ImportError("sweeps need Optuna: pip install optuna") from error


def _work(
    sweep: Sweep, objective: Callable[[Any], float], trials: int, worker: int, show: Callable[[int], None]
) -> None:
    """Run trials until enough are done, and wait for those of others: one of them may be lost."""
    optuna = _optuna()
    study = optuna.open_study(sweep, worker)
    while True:
        done, running, waiting = optuna.settle(study)
        show(done)
        if done >= trials:
            return
        if waiting or done + running < trials:
            optuna.step(study, objective, sweep.retries)
        else:
            time.sleep(NAP)


def _serve(answer: Any, sweep: Sweep, objective: Callable[[Any], float], trials: int, worker: int) -> None:
    """The life of a worker: work, and say how it ended."""
    try:
        with _optuna().quiet():
            _work(sweep, objective, trials, worker, _go_on)
        answer.send("")
    except Exception as error:
        answer.send(f"{type(error).__name__}: {error}")


def _go_on(done: int) -> None:
    """End a worker whose parent is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise RuntimeError("the process that started the sweep is gone")


def _wait(ears: list[Any], look: Callable[[], None]) -> None:
    """Wait until every worker has answered or is gone; RuntimeError if the objective failed in one."""
    left = list(ears)
    while left:
        ready: list[Any] = connection.wait(left, timeout=5 * NAP)
        for ear in ready:
            left.remove(ear)
            if said := _heard(ear):
                raise RuntimeError(f"worker {ears.index(ear)} failed: {said}")
        look()


def _heard(ear: Any) -> str:
    """What a worker said in the end; nothing if it was killed, since others go on with its trial."""
    try:
        return str(ear.recv())
    except EOFError:
        return ""


def _judge(study: Any, trials: int, started: list[Any]) -> None:
    done = _optuna().settle(study)[0]
    if done < trials:
        for process in started:
            process.join()
        codes = [process.exitcode for process in started]
        raise RuntimeError(
            f"all workers ended (exit codes {codes}) with {done} of {trials} trials done: run again, and it goes on"
        )


def _bar(total: int, progress: bool) -> Any:
    """A context with a function that is told how many are done."""
    if not progress:
        return nullcontext(lambda done: None)
    from tqdm.auto import tqdm

    return _Bar(tqdm(total=total, disable=None))


@dataclass
class _Bar:
    bar: Any

    def __enter__(self) -> Callable[[int], None]:
        return self.show

    def show(self, done: int) -> None:
        """Move to where the sweep is."""
        self.bar.update(min(done, self.bar.total) - self.bar.n)

    def __exit__(self, *error: object) -> None:
        self.bar.close()
