"""What :mod:`fo_lib.sweeps` asks of Optuna, which is imported here only."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "IProgress not found")
    import optuna

from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import TrialState
from sqlalchemy import event, text

if TYPE_CHECKING:
    from .sweeps import Sweep

__all__ = ["Numbered", "open_study", "quiet", "rows", "settle", "step"]

DONE = (TrialState.COMPLETE, TrialState.PRUNED)
LOCKED = 60  # seconds to wait for another process's write


class Numbered(optuna.samplers.BaseSampler):
    """Random search in which the settings of trial k are a function of seed and k, whoever runs it and when."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def infer_relative_search_space(self, *_: Any) -> dict[str, Any]:
        """There is none: each knob is drawn by itself."""
        return {}

    def sample_relative(self, *_: Any) -> dict[str, Any]:
        """Nothing to draw together."""
        return {}

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        """Draw a knob by a seed of its own."""
        entropy = [self.seed, place(trial, study.get_trials(deepcopy=False)), zlib.crc32(param_name.encode())]
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        draw = optuna.samplers.RandomSampler(seed)
        return draw.sample_independent(study, trial, param_name, param_distribution)


def first(trial: Any) -> int:
    """The number under which a trial was first begun."""
    return int(trial.system_attrs.get("failed_trial", trial.number))


def place(trial: Any, trials: list[Any]) -> int:
    """Which trial it is, from 0, if those that were given again are not counted."""
    return sum(first(other) == other.number < first(trial) for other in trials)


@contextmanager
def quiet() -> Iterator[None]:
    """No line for each trial, and no warning that the heartbeat is experimental."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def open_study(sweep: Sweep, worker: int = 0) -> optuna.Study:
    """Open the study of a sweep, or make it; a worker's sampler has a seed of its own."""
    url = sweep.path if "://" in sweep.path else f"sqlite:///{sweep.path}"
    waiting = {"connect_args": {"timeout": LOCKED}} if url.startswith("sqlite") else {}
    storage = RDBStorage(
        url,
        engine_kwargs=waiting,
        heartbeat_interval=sweep.heartbeat,
        heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=sweep.retries),
    )
    if url.startswith("sqlite"):
        event.listens_for(storage.engine, "begin")(_locked)
    own = int(np.random.SeedSequence([sweep.seed, worker]).generate_state(1)[0])
    sampler = Numbered(sweep.seed) if sweep.sampler is None else sweep.sampler(own)
    pruner = optuna.pruners.NopPruner() if sweep.pruner is None else sweep.pruner
    return optuna.create_study(
        storage=storage, study_name=sweep.name, sampler=sampler, pruner=pruner, load_if_exists=True
    )


def _locked(connection: Any) -> None:
    """Look and write in one step, alone: or two processes that look at once take the same waiting trial."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _sign_for_the_dead(study: optuna.Study) -> None:
    """Sign once for trials whose process ended before it could: Optuna takes only what has signed for lost."""
    storage: Any = study._storage
    late = datetime.now() - timedelta(seconds=2 * storage.get_heartbeat_interval())
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    if old := [trial for trial in running if trial.datetime_start is not None and trial.datetime_start < late]:
        with storage._backend.engine.connect() as connection:
            signed = set(connection.execute(text("SELECT trial_id FROM trial_heartbeats")).scalars())
        for trial in old:
            if trial._trial_id not in signed:
                storage.record_heartbeat(trial._trial_id)


def settle(study: optuna.Study) -> tuple[int, int, int]:
    """Give lost trials again, and count those that are done, under way and waiting."""
    _sign_for_the_dead(study)
    optuna.storages.fail_stale_trials(study)
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    return sum(s in DONE for s in states), states.count(TrialState.RUNNING), states.count(TrialState.WAITING)


def step(study: optuna.Study, objective: Callable[[Any], float], retries: int) -> None:
    """Run one trial: a waiting one, or else the next. If it fails, it waits for the next run."""
    begun: list[int] = []
    raised: list[BaseException] = []

    def watched(trial: optuna.Trial) -> float:
        begun.append(trial.number)
        try:
            value = float(objective(trial))
        except BaseException as error:
            raised.append(error)
            raise
        if np.isnan(value):
            raise ValueError(f"objective must return a number (inf if a run diverged), got nan for {trial.params}")
        return value

    try:
        study.optimize(watched, n_trials=1)
    except BaseException as error:
        first_of_all = (raised or [error])[0]  # Optuna's own, if it is another's trial by now, comes after it
        if not begun or _given_again(study, begun[0], retries) or not isinstance(first_of_all, Exception):
            raise first_of_all from None
        # it was silent for so long that another has it: what it found does not count


def _given_again(study: optuna.Study, number: int, retries: int) -> bool:
    """Give a trial again that has failed here; False if another has it already, or has ended it."""
    trials = study.get_trials(deepcopy=False)
    if trials[number].state in DONE:
        return False
    if any(number in trial.system_attrs.get("retry_history", ()) for trial in trials):
        return False
    if trials[number].state is TrialState.RUNNING:  # what Optuna does not catch, such as SystemExit
        study.tell(number, state=TrialState.FAIL)
    with quiet():
        RetryHeartbeatStaleTrialCallback(max_retry=retries)(study, study.get_trials()[number])
    return True


def rows(study: optuna.Study) -> list[dict[str, Any]]:
    """The trials that are done, in the order in which they were first begun."""
    trials = study.get_trials()
    done = sorted((t for t in trials if t.state in DONE), key=first)
    return [
        {
            "trial": place(t, trials),
            "state": t.state.name.lower(),
            "value": t.value,
            "attempts": 1 + len(t.system_attrs.get("retry_history", ())),
            "seconds": t.duration.total_seconds() if t.duration else None,
            **t.params,
            "reports": {str(k): v for k, v in sorted(t.intermediate_values.items())},
        }
        for t in done
    ]
