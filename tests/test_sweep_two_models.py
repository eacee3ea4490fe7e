"""The script of the sweeps in the chapter on more runs and more data, and the results that it and others stored."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fo_lib.sweeps import Sweep

FOLDER = Path(__file__).resolve().parent.parent / "book" / "applications"


def stored(name):
    return json.loads((FOLDER / "stored" / f"large-scale-{name}.json").read_text(encoding="utf-8"))["result"]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("sweep_two_models", FOLDER / "sweep_two_models.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Asked:
    """A trial that answers with the first choice, and writes down what it is told."""

    def __init__(self, prune_at=None):
        self.told, self.ranges, self.prune_at = {}, {}, prune_at

    def suggest_float(self, name, low, high, log):
        assert log
        self.ranges[name] = low, high
        return low

    def suggest_categorical(self, _, choices):
        return choices[0]

    def report(self, value, step):
        self.told[step] = value

    def should_prune(self):
        return self.prune_at in self.told


def losses_of(*losses):
    def model(rule, rate, batch, schedule):
        yield from losses
        raise AssertionError("the test data must not be touched in a sweep")

    return model


def test_the_objective_tells_each_epoch_and_never_looks_at_test_data(script, monkeypatch):
    monkeypatch.setattr(script, "EPOCHS", 3)
    monkeypatch.setitem(script.MODELS, "images", losses_of(3.0, np.nan, 0.5))
    trial = Asked()
    assert script.objective("images", "adam", trial) == 0.5
    assert trial.told == {1: 3.0, 2: script.WORST, 3: 0.5}
    assert trial.ranges == {"rate": script.RANGES["images"]["adam"]}
    monkeypatch.setitem(script.MODELS, "images", losses_of(3.0, 1e30, np.inf))
    assert script.objective("images", "adam", Asked()) == script.WORST
    monkeypatch.setitem(script.MODELS, "images", losses_of(3.0, 2.0))
    trial = Asked(prune_at=2)
    with pytest.raises(script.optuna.TrialPruned):
        script.objective("images", "adam", trial)
    assert list(trial.told) == [1, 2]


def test_a_schedule_is_a_share_of_the_rate(script):
    assert [script.share("constant", step, 4) for step in (1, 4)] == [1.0, 1.0]
    shares = [script.share("cosine", step, 4) for step in range(1, 5)]
    assert shares[0] == 1.0
    assert np.all(np.diff(shares) < 0)


def test_training_validation_and_test_are_apart_and_every_rule_has_three_powers_of_ten(script):
    parts = [{row.tobytes() for row in x} for x, _ in script.clothes()]
    assert [len(x) for x, _ in script.clothes()] == [9000, 1000, 2000]
    assert len(parts[0] & parts[1]) + len(parts[0] & parts[2]) < 20  # a few pictures are twice in Fashion-MNIST
    corpus, vocabulary = script.words()
    assert len(corpus.starts) - 1 == 10_000
    trained = vocabulary.counts.sum()
    assert trained < len(corpus.tokens)
    for ranges in script.RANGES.values():
        for low, high in ranges.values():
            assert high / low == pytest.approx(1000)


@pytest.mark.parametrize(
    ("model", "rule", "rate", "batch"), [("images", "adam", 1e-3, 256), ("words", "adagrad", 0.3, 512)]
)
def test_both_models_learn_in_an_epoch_and_repeat(model, rule, rate, batch, script, monkeypatch):
    monkeypatch.setattr(script, "EPOCHS", 1)
    runs = [[*script.MODELS[model](rule, rate, batch, "cosine", seed=seed)] for seed in (0, 0, 1)]
    start = {"images": np.log(10), "words": 6 * np.log(2)}[model]
    for first, test in runs:
        assert first < 0.9 * start
        assert test[0] == pytest.approx(first, rel=0.15)
    assert runs[0][0] == pytest.approx(runs[1][0], rel=1e-4)
    assert runs[0][0] != runs[2][0]


def test_a_sweep_has_a_study_for_each_rule_and_says_what_is_best(script, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(script, "EPOCHS", 1)
    monkeypatch.setitem(script.MODELS, "images", lambda rule, rate, batch, schedule: iter([rate]))
    path = str(tmp_path / "study.db")
    monkeypatch.setattr(sys, "argv", ["sweep", "images", path, "--trials", "2"])
    script.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(script.RANGES["images"])
    for rule in script.RANGES["images"]:
        assert len(Sweep(path, f"images/{rule}").table()) == 2


@pytest.mark.parametrize("model", ["images", "words"])
def test_the_stored_sweeps_have_the_same_number_of_trials_within_their_ranges(model, script):
    table = stored(model)
    assert list(table) == list(script.RANGES[model])
    for rule, rows in table.items():
        low, high = script.RANGES[model][rule]
        assert [row["trial"] for row in rows] == list(range(32))
        assert all(row["state"] == "complete" and row["value"] == row["reports"]["8"] for row in rows)
        assert all(low <= row["rate"] <= high and row["batch"] in script.BATCHES[model] for row in rows)
        assert len({row["rate"] for row in rows}) == 32
        assert np.ptp(np.log([row["rate"] for row in rows])) > 0.75 * np.log(high / low)


def test_the_large_file_was_whole_and_memory_stayed_flat():
    found = stored("disk")
    assert found["bytes"] > 5e9
    assert found["damaged"] == []
    anonymous, mapped = np.array(found["used"]).T
    assert np.ptp(anonymous[1:]) < 0.02 * found["bytes"]
    assert anonymous[-1] - anonymous[0] < 0.05 * found["bytes"]
    assert mapped[-1] - mapped[0] > 0.3 * found["bytes"]
    assert found["off"] < 0.01
    random, grouped = np.reshape(found["cold"], (-1, 2)).T
    assert np.median(random / grouped) > 2


def test_what_a_stage_of_a_pipeline_costs_is_paid_for_each_element():
    seconds = {name: np.array(taken) for name, taken in stored("pipelines").items()}
    ratio = {name: np.median(taken / seconds["rows, batch"]) for name, taken in seconds.items()}
    assert ratio["generator, batch"] > 20
    assert ratio["generator of batches"] < 4
    assert ratio["rows, map, batch"] > 5
    assert ratio["rows, batch, map"] < 2
    assert ratio["rows, map on 2, batch"] > 5
    assert ratio["rows, map, batch, cache"] < 2


def test_winners_were_run_again_with_other_seeds():
    for model in ("images", "words"):
        for runs in stored(f"{model}-again").values():
            assert len({run[0] for run in runs}) == len(runs) == 5
    assert SimpleNamespace(**stored("images-again")).adam[0][2] < 0.25
