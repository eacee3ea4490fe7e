"""Sweeps: trials that are lost, given again, taken at once or pruned; and how workers begin and end."""

import multiprocessing
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from fo_lib import sweeps
from fo_lib.sweeps import Sweep
from tests.sweep_objectives import quick

pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage")


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    """In memory where there is such a folder: SQLite waits for the disk at every step of a trial."""
    shared = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=shared) as made, monkeypatch.context() as patch:
        patch.chdir(made)
        yield Path(made)


@pytest.fixture
def library():
    """What asks Optuna, without a word of its own."""
    found = sweeps._optuna()
    with found.quiet():
        yield found


def silent(study, what="trial_heartbeats SET heartbeat"):
    """Let years pass since the last sign."""
    with study._storage._backend.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {what} = '2020-01-01 00:00:00.000000'")


def begin(study):
    trial = study.ask()
    study._storage.record_heartbeat(trial._trial_id)
    return trial


def numbers(rows):
    return [(row["trial"], row["attempts"], row.get("x")) for row in rows]


@pytest.mark.parametrize("action", ["begin", "give again"])
def test_one_trial_is_not_taken_by_two_processes_at_once(action, library, monkeypatch):
    """The second comes between the look and the write of the first, and must wait."""
    one, two = (Sweep("a.db").study() for _ in range(2))
    for _ in range(2):
        begin(one) if action == "give again" else one.enqueue_trial({})
    silent(one)
    backend, taken = one._storage._backend, []

    def act(study):
        taken.append(study.ask().number if action == "begin" else library.settle(study))

    other = threading.Thread(target=act, args=(two,))
    check = backend.check_trial_is_updatable

    def slow(*arguments):
        if other.ident is None:
            other.start()
            other.join(0.5)
        return check(*arguments)

    monkeypatch.setattr(backend, "check_trial_is_updatable", slow)
    act(one)
    other.join()
    if action == "begin":
        assert sorted(taken) == [0, 1]
    else:
        again = [trial.system_attrs["failed_trial"] for trial in one.trials if "failed_trial" in trial.system_attrs]
        assert sorted(again) == [0, 1]


def test_a_trial_whose_process_died_before_its_first_sign_is_given_again(library):
    whole = Sweep("whole.db").run(quick, trials=2)
    sweep = Sweep("a.db", heartbeat=1)
    study = sweep.study()
    study.ask()
    assert library.settle(study) == (0, 1, 0)  # it may be about to sign
    silent(study, "trials SET datetime_start")
    assert library.settle(study) == (0, 1, 0)  # another has signed for it, once
    silent(study)
    assert library.settle(study) == (0, 0, 1)
    rows = sweep.run(quick, trials=2)
    assert numbers(rows) == [(0, 2, whole[0]["x"]), (1, 1, whole[1]["x"])]


def test_a_young_trial_is_left_alone(library):
    study = Sweep("a.db", heartbeat=1).study()
    study.ask()
    library.settle(study)
    silent(study)
    assert library.settle(study) == (0, 1, 0)  # nobody had signed, so there was no sign to grow old


def test_a_lost_trial_is_given_again_so_often_and_no_more(library):
    for retries in (0, 1, 2):
        study = Sweep(f"{retries}.db", retries=retries).study()
        for attempt in range(retries + 1):
            begin(study)
            silent(study)
            assert library.settle(study) == (0, 0, int(attempt < retries))


def test_a_trial_that_another_has_ended_is_not_given_again(library):
    whole, calls = Sweep("whole.db").run(quick, trials=3), []

    def twin(trial):
        value = quick(trial)
        if not calls:  # the other was faster
            trial.study._storage.set_trial_state_values(trial._trial_id, library.TrialState.COMPLETE, [value])
        calls.append(trial.number)
        return value

    rows = Sweep("a.db").run(twin, trials=3)
    assert numbers(rows) == numbers(whole)
    assert calls == [0, 1, 2]


def test_a_waiting_trial_is_run_although_others_are_under_way(monkeypatch):
    """Those under way may be lost; and nobody else may be there to run what waits."""
    sweep = Sweep("a.db")
    study = sweep.study()
    study.ask()
    study.enqueue_trial({})
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it waits for others"))
    assert [row["trial"] for row in sweep.run(quick, trials=1)] == [1]


def test_a_pruner_ends_trials_early(library):
    def prunable(trial):
        assert trial.number < 3  # a pruned trial is done
        value = 1.0 + (trial.number > 0)
        trial.report(value, 1)
        if trial.should_prune():
            raise library.optuna.TrialPruned
        return value

    pruner = library.optuna.pruners.ThresholdPruner(upper=1.5)
    rows = Sweep("a.db", pruner=pruner).run(prunable, trials=3)
    assert [row["state"] for row in rows] == ["complete", "pruned", "pruned"]


def test_each_worker_has_a_sampler_of_its_own_that_depends_on_the_seed(library):
    seeds = []

    def sampler(seed):
        seeds.append(seed)
        return library.optuna.samplers.TPESampler(seed=seed)

    for seed, worker in ((0, 0), (0, 1), (0, 1), (1, 1)):
        sweeps._work(Sweep("a.db", f"{seed}", seed=seed, sampler=sampler), quick, 1, worker, lambda done: None)
    assert seeds[1] == seeds[2]
    assert len(set(seeds)) == 3
    assert len(Sweep("b.db", sampler=sampler).run(quick, trials=3)) == 3


def test_a_worker_looks_after_its_parent_while_it_works(monkeypatch):
    def gone(done):
        raise RuntimeError("nobody is there")

    ear, answer = multiprocessing.Pipe(duplex=False)
    monkeypatch.setattr(sweeps, "_go_on", gone)
    sweeps._serve(answer, Sweep("a.db"), quick, 1, 0)
    assert ear.recv() == "RuntimeError: nobody is there"


def test_when_one_worker_fails_the_others_are_ended(monkeypatch):
    life = []

    def process(target, args, daemon):
        worker = args[-1]
        return SimpleNamespace(**{
            name: lambda name=name: life.append((worker, name)) for name in ("start", "kill", "join")
        })  # fmt: skip

    def wait(ears, look):
        raise RuntimeError("worker 0 failed: as planned")

    context = SimpleNamespace(Pipe=multiprocessing.Pipe, Process=process)
    monkeypatch.setattr(multiprocessing, "get_context", lambda kind: context)
    monkeypatch.setattr(sweeps, "_wait", wait)
    with pytest.raises(RuntimeError, match="as planned"):
        Sweep("a.db").run(quick, trials=2, workers=2)
    assert life == [(0, "start"), (1, "start"), (0, "kill"), (0, "join"), (1, "kill"), (1, "join")]


def test_another_database_is_left_to_its_own_locks(library, monkeypatch):
    seen, real = [], library.RDBStorage

    def storage(url, **options):
        seen.append((url, options["engine_kwargs"]))
        return real("sqlite:///b.db", **options)

    locks = [library.event.contains(Sweep("a.db").study()._storage._backend.engine, "begin", library._locked)]
    monkeypatch.setattr(library, "RDBStorage", storage)
    engine = Sweep("postgresql://host/base").study()._storage._backend.engine
    locks.append(library.event.contains(engine, "begin", library._locked))
    assert seen == [("postgresql://host/base", {})]
    assert locks == [True, False]
