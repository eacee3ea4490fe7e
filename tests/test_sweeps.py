"""Sweeps: the same table whoever ran what, after kills and interruptions; successive halving; refusals."""

import importlib
import itertools
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fo_lib import sweeps
from fo_lib.sweeps import Sweep, successive_halving
from tests import sweep_objectives
from tests.sweep_objectives import broken, quick, suicidal, watched


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    """In memory where there is such a folder: SQLite waits for the disk at every step of a trial."""
    shared = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=shared) as made, monkeypatch.context() as patch:
        patch.chdir(made)
        patch.setenv("FO_MARKS", made)
        yield Path(made)


def settled(rows):
    """What does not depend on clocks and attempts."""
    return [{name: row[name] for name in row if name not in ("seconds", "attempts")} for row in rows]


def test_a_table_is_a_function_of_the_seed():
    one, again, other = (Sweep(f"{i}.db", seed=seed).run(quick, trials=6) for i, seed in enumerate((0, 0, 1)))
    assert settled(one) == settled(again)
    assert len({row["x"] for row in one + other}) == 12
    assert [row["trial"] for row in one] == list(range(6))
    for row in one:
        assert row["value"] == row["x"] + row["batch"] + row["depth"]
        assert row["state"] == "complete"
        assert row["attempts"] == 1
        assert row["seconds"] >= 0
        assert row["reports"] == {"1": row["x"], "2": row["x"] / 2, "4": row["x"] / 4}
        assert 0.01 <= row["x"] <= 1
        assert row["depth"] in range(1, 10)


def test_random_settings_are_spread_as_asked_and_knobs_are_independent():
    optuna = sweeps._optuna()
    study = optuna.optuna.create_study(sampler=optuna.Numbered(0))
    with optuna.quiet():
        study.optimize(quick, n_trials=150)
    rows = [trial.params for trial in study.trials]
    x = np.log10([row["x"] for row in rows]) / 2 + 1
    depth = np.array([row["depth"] for row in rows])
    assert np.histogram(x, 3, (0, 1))[0].min() > 30
    assert min(np.bincount([row["batch"] for row in rows])[[1, 2, 4]]) > 30
    assert abs(np.corrcoef(x, depth)[0, 1]) < 0.3


def test_a_longer_sweep_begins_as_a_shorter_one_and_studies_of_one_file_are_apart():
    short = Sweep("a.db").run(quick, trials=3)
    assert settled(Sweep("a.db").run(quick, trials=5)[:3]) == settled(short)
    assert Sweep("a.db", "other").table() == []
    assert Sweep("a.db").run(quick, trials=2) == Sweep("a.db").table()
    assert len(Sweep("a.db").table()) == 5


def kill_first(folder, number, whom):
    """Kill the process that begins a trial, in the middle of it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for mark in folder.glob(f"{number}-*"):
            whom.append(int(mark.name.split("-")[1]))
            os.kill(whom[0], signal.SIGKILL)
            return
        time.sleep(0.02)


def test_a_worker_killed_in_a_trial_costs_no_trial_and_changes_no_number(folder):
    alone = Sweep("alone.db").run(watched, trials=6)
    for mark in folder.glob("*-*"):
        mark.unlink()
    whom = []
    killer = threading.Thread(target=kill_first, args=(folder, 2, whom))
    killer.start()
    rows = Sweep("two.db", heartbeat=1).run(watched, trials=6, workers=2)
    killer.join()
    assert len(whom) == 1
    assert settled(rows[:6]) == settled(alone)
    assert [row["attempts"] for row in rows[:6]] == [1, 1, 2, 1, 1, 1]
    workers = {int(mark.name.split("-")[1]) for mark in folder.glob("*-*")}
    assert len(workers) == 2
    assert os.getpid() not in workers


def test_an_interrupted_trial_is_the_first_of_the_next_run():
    whole = Sweep("whole.db").run(quick, trials=5)
    for error in (KeyboardInterrupt, ZeroDivisionError, SystemExit):
        sweep, calls = Sweep(f"{error.__name__}.db"), itertools.count()

        def impatient(trial, error=error, calls=calls):
            if next(calls) == 2:
                trial.suggest_float("x", 0.01, 1, log=True)
                raise error
            return quick(trial)

        with pytest.raises(error):
            sweep.run(impatient, trials=5)
        assert [row["trial"] for row in sweep.table()] == [0, 1]
        rows = sweep.run(impatient, trials=5)
        assert settled(rows) == settled(whole)
        assert [row["attempts"] for row in rows] == [1, 1, 2, 1, 1]


def test_what_fails_every_time_is_given_up_and_another_takes_its_place():
    sweep = Sweep("a.db", retries=1)

    def unlucky(trial):
        if trial._trial_id in (2, 3):  # the first attempt of the second trial, and its second
            raise ZeroDivisionError
        return quick(trial)

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            sweep.run(unlucky, trials=3)
    assert [row["trial"] for row in sweep.run(unlucky, trials=3)] == [0, 2, 3]


def test_a_trial_that_was_silent_too_long_belongs_to_another():
    """A machine that slept: its trial was given again, so its own answer, or failure, does not count."""
    optuna = sweeps._optuna()
    whole = Sweep("whole.db").run(quick, trials=2)
    for fails in (None, ZeroDivisionError, KeyboardInterrupt):
        sweep, calls = Sweep(f"{fails}.db"), itertools.count()

        def sleepy(trial, fails=fails, calls=calls):
            if next(calls) == 0:
                storage = trial.study._storage
                storage.set_trial_state_values(trial._trial_id, optuna.TrialState.FAIL)
                storage.get_heartbeat_stale_trial_callback()(trial.study, storage.get_trial(trial._trial_id))
                if fails:
                    raise fails
            return quick(trial)

        if fails is KeyboardInterrupt:
            with pytest.raises(KeyboardInterrupt):
                sweep.run(sleepy, trials=2)
        rows = sweep.run(sleepy, trials=2)
        assert settled(rows) == settled(whole)
        assert [row["attempts"] for row in rows] == [2, 1]


def test_workers_that_fail_or_die_are_named():
    with pytest.raises(RuntimeError, match=r"worker \d failed: ZeroDivisionError: as planned"):
        Sweep("a.db").run(broken, trials=2, workers=2)
    with pytest.raises(RuntimeError, match=r"exit codes \[-9, -9\]\) with 0 of 2 trials done: run again"):
        Sweep("b.db").run(suicidal, trials=2, workers=2)


def test_a_worker_says_how_it_ended():
    ear, answer = multiprocessing.Pipe(duplex=False)
    sweeps._serve(answer, Sweep("a.db"), quick, 2, 1)
    assert ear.recv() == ""
    assert len(Sweep("a.db").table()) == 2
    sweeps._serve(answer, Sweep("a.db"), broken, 3, 1)
    assert ear.recv() == "ZeroDivisionError: as planned"


def test_a_worker_ends_when_its_parent_is_gone(monkeypatch):
    sweeps._go_on(0)
    for alive in (True, False):
        parent = SimpleNamespace(is_alive=lambda alive=alive: alive)
        monkeypatch.setattr(multiprocessing, "parent_process", lambda parent=parent: parent)
        if alive:
            sweeps._go_on(0)
        else:
            with pytest.raises(RuntimeError, match="the process that started the sweep is gone"):
                sweeps._go_on(0)


def test_waiting_for_the_trials_of_others(monkeypatch):
    """Nothing is left to begin, and the last trial is under way elsewhere: wait, and do not begin another."""
    sweep, naps = Sweep("a.db"), []
    with pytest.warns(UserWarning, match="Heartbeat"):
        trial = sweep.study().ask()

    def nap(seconds):
        naps.append(seconds)
        sweep.study().tell(trial, 1.0)

    monkeypatch.setattr(time, "sleep", nap)
    assert len(sweep.run(quick, trials=1)) == 1
    assert naps == [sweeps.NAP]


def test_a_bar_shows_what_is_done():
    assert len(Sweep("a.db").run(quick, trials=2, progress=True)) == 2
    bar = SimpleNamespace(total=3, n=0, close=lambda: None)
    moved = []
    bar.update = moved.append
    with sweeps._Bar(bar) as show:
        show(2)
        bar.n = 2
        show(5)
    assert moved == [2, 1]


def test_an_address_of_a_database_is_taken_as_it_is():
    assert Sweep("sqlite:///b.db").run(quick, trials=1) == Sweep("b.db").table()


def test_without_optuna_the_error_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "fo_lib._sweeps_optuna", raising=False)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match="pip install optuna"):
        Sweep("a.db").table()
    monkeypatch.undo()
    importlib.import_module("fo_lib._sweeps_optuna")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Sweep(3), TypeError, "path must be a string that is not empty, got 3"),
        (lambda: Sweep("a.db", ""), TypeError, "name must be a string that is not empty, got ''"),
        (lambda: Sweep("a.db", seed=-1), ValueError, "seed must be a whole number >= 0, got -1"),
        (lambda: Sweep("a.db", sampler=3), TypeError, "sampler must be a function, got 3"),
        (lambda: Sweep("a?b.db"), ValueError, "path must be an address or a file without .*, got 'a.b.db'"),
        (lambda: Sweep("{a}.db"), ValueError, "path must be an address or a file without"),
        (lambda: Sweep("a.db", pruner=3), TypeError, "pruner must be one of Optuna, .* got 3"),
        (lambda: Sweep("a.db", pruner=type("P", (), {"prune": 1})), TypeError, "pruner must be one of Optuna"),
        (lambda: Sweep("a.db", heartbeat=0), ValueError, "heartbeat must be a whole number >= 1, got 0"),
        (lambda: Sweep("a.db", heartbeat=0.5), TypeError, "heartbeat must be a whole number"),
        (lambda: Sweep("a.db", retries=-1), ValueError, "retries must be a whole number >= 0, got -1"),
        (lambda: Sweep("a.db").run(3, trials=1), TypeError, "objective must be a function, got 3"),
        (lambda: Sweep("a.db").run(quick, trials=0), ValueError, "trials must be a whole number >= 1, got 0"),
        (lambda: Sweep("a.db").run(quick, trials=1, workers=65), ValueError, "workers must be"),
        (
            lambda: Sweep("a.db").run(lambda t: 1, trials=1, workers=2),
            TypeError,
            "objective must be a function of a module",
        ),
        (
            lambda: Sweep("a.db").run(lambda t: np.nan, trials=1),
            ValueError,
            "objective must return a number.* got nan",
        ),
        (lambda: successive_halving([1, 2], 2), ValueError, "losses must be"),
        (lambda: successive_halving([[1.0, np.nan]], 2), ValueError, "losses must hold finite numbers"),
        (lambda: successive_halving([[1.0]], 1), ValueError, "eta must be a whole number >= 2, got 1"),
    ],
)
def test_what_is_wrong_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_halving_keeps_the_best_of_each_rung_among_those_left():
    losses = [[4, 1, 9], [3, 2, 8], [2, 9, 1], [1, 9, 9], [5, 0, 0]]
    assert [kept.tolist() for kept in successive_halving(losses, 2)] == [[3, 2], [2], [2]]
    assert [kept.tolist() for kept in successive_halving([[1, 1], [1, 0], [0, 5]], 3)] == [[2], [2]]
    (kept,) = successive_halving(np.tile([[1.0], [0.0]], (100, 1)), 4)  # ties: the earlier ones
    assert kept.tolist() == list(range(1, 100, 2))


def test_objectives_of_this_file_can_be_imported_by_a_new_process():
    assert sweep_objectives.__name__ == quick.__module__ == "tests.sweep_objectives"
