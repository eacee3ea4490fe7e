"""`train`: the best is kept, what breaks is named, and an interrupted run goes on bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fo_lib import diagnose
from fo_lib.training import Run, batch_order, restore, train
from tests.training_runs import Variable, fresh, noisy_descent

# ---- the order of the data


@given(n=st.integers(1, 50), data=st.data())
def test_an_epoch_uses_each_sample_at_most_once_and_loses_less_than_a_batch(n, data):
    size = data.draw(st.integers(1, n))
    rows = batch_order(n, size, seed=3, epoch=data.draw(st.integers(0, 9)))
    assert rows.shape == (n // size, size)
    assert len(set(rows.ravel().tolist())) == rows.size
    assert rows.max() < n


def test_the_order_is_a_function_of_seed_and_epoch_alone():
    a = batch_order(100, 10, seed=1, epoch=2)
    assert np.array_equal(a, batch_order(100, 10, seed=1, epoch=2))
    assert not np.array_equal(a, batch_order(100, 10, seed=1, epoch=3))  # the trap of fit(shuffle=True)
    assert not np.array_equal(a, batch_order(100, 10, seed=2, epoch=2))
    assert not np.array_equal(a, batch_order(100, 10, seed=2, epoch=1))
    with pytest.raises(ValueError, match=r"batch_size must be .* <= 3 \(the number of samples\), got 4"):
        batch_order(3, 4, seed=0, epoch=0)


# ---- what is recorded


def test_records_hold_every_batch_and_diagnose_reads_them():
    variables = fresh()
    run = train(noisy_descent(*variables), variables, rounds=5, validate=lambda: float(abs(variables[0].value[0])))
    assert isinstance(run, Run)
    assert {name: values.shape for name, values in run.records.items()} == {
        "loss": (5,), "batch_loss": (5, 3), "validation_loss": (5,),
    }  # fmt: skip
    np.testing.assert_allclose(run.records["loss"], run.records["batch_loss"].mean(1))
    assert (run.reason, run.message, run.diverged) == ("rounds", "made 5 rounds", False)
    assert diagnose(run.records).cause is None


def test_without_validation_the_loss_decides_and_none_is_invented():
    w = [Variable(0.0)]
    losses = [3.0, 1.0, 2.0]
    run = train(lambda k: w[0].assign(k) or losses[k - 1], w, rounds=3)
    assert list(run.records) == ["loss"]
    assert run.best_round == 2
    assert run.best[0] == 2


def test_the_best_is_a_copy_and_can_be_restored():
    w = [Variable([0.0])]
    run = train(lambda k: w[0].assign([k]) or 1.0, w, rounds=4, validate=lambda: abs(float(w[0].value[0]) - 2))
    assert run.best_round == 2
    assert w[0].value == 4
    restore(w, run.best)
    assert w[0].value == 2


def test_of_equal_rounds_the_first_is_the_best():
    assert train(lambda k: 1.0, [Variable(0.0)], rounds=3).best_round == 1


def test_patience_stops_after_so_many_rounds_without_a_better_one():
    scores = iter([5.0, 3.0, 4.0, 3.0, 2.0, 1.0])
    run = train(lambda k: 0.0, [Variable(0.0)], rounds=6, validate=lambda: next(scores), patience=2)
    assert run.reason == "patience"
    assert run.message == "made 4 rounds, the last 2 of them without a better validation loss"
    assert run.records["validation_loss"].tolist() == [5, 3, 4, 3]


def test_a_loss_that_rose_is_told():
    run = train(lambda k: float(k), [Variable(0.0)], rounds=3)
    assert (run.reason, run.message) == ("rounds", "made 3 rounds, but the loss rose from 1 to 3")
    assert train(lambda k: 1.0, [Variable(0.0)], rounds=3).message == "made 3 rounds"


def test_no_rounds_leave_all_as_it_is():
    run = train(lambda k: 1 / 0, [Variable(1.0)], rounds=0)
    assert (run.best_round, run.best, run.records["loss"].size) == (0, [], 0)


# ---- what breaks


def test_a_loss_that_is_not_finite_ends_the_run_in_its_round():
    run = train(lambda k: [1.0, np.inf if k == 3 else 1.0], [Variable(0.0)], rounds=9)
    assert run.diverged
    assert run.message == "diverged in round 3: the loss of batch 1 is inf"
    assert run.records["loss"].tolist() == [1, 1, np.inf]
    assert run.best_round == 1
    assert diagnose(run.records).cause


def test_a_weight_that_is_not_finite_behind_a_finite_loss_is_seen():
    w = [Variable(np.ones(3)), Variable(np.array(5, np.int64)), Variable(np.ones(2))]

    def advance(k):
        w[2].assign([1, np.nan if k == 2 else 1])
        return 2.3

    run = train(advance, w, rounds=9)
    assert run.message == "diverged in round 2: 1 of 3 variables are no longer finite"


def test_a_validation_loss_that_is_not_finite_is_named():
    run = train(lambda k: 1.0, [Variable(0.0)], rounds=2, validate=lambda: np.nan)
    assert run.message == "diverged in round 1: the validation loss is nan"
    assert run.best_round == 0


def test_a_nan_in_the_data_is_refused_before_the_first_round():
    pixels = np.zeros((4, 2, 2))
    pixels[3, 1, 0] = np.nan
    with pytest.raises(ValueError, match=r"images must hold finite numbers only, got nan at index \(3, 1, 0\)"):
        train(lambda k: 1 / 0, [], rounds=1, arrays={"labels": np.zeros(4), "images": pixels})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rounds": -1}, ValueError, "rounds must be a whole number >= 0"),
        ({"rounds": 1, "patience": 0, "validate": float}, ValueError, "patience must be a whole number >= 1"),
        ({"rounds": 1, "patience": 2}, TypeError, "validate, with patience, must be a function, got None"),
        ({"rounds": 1, "validate": 3}, TypeError, "validate must be a function, got 3"),
        ({"rounds": 1, "advance": 3}, TypeError, "advance must be a function, got 3"),
        ({"rounds": 1, "variables": [1.0]}, TypeError, r"variables must have numpy\(\) and assign\(value\)"),
        ({"rounds": 1, "loss": None}, TypeError, "advance must return the loss of its round, got None"),
        (
            {"rounds": 1, "loss": []},
            ValueError,
            r"advance must return a loss, or a 1-D array of losses, got shape \(0,\)",
        ),
        ({"rounds": 1, "loss": [[1.0]]}, ValueError, r"got shape \(1, 1\)"),
    ],
)
def test_bad_arguments_are_named(options, error, message):
    loss = options.pop("loss", 1.0)
    with pytest.raises(error, match=message):
        train(options.pop("advance", lambda k: loss), options.pop("variables", [Variable(0.0)]), **options)


@pytest.mark.parametrize("arrays", [[], [np.zeros(2)], [np.zeros(3, np.float32)], [np.zeros(3), np.zeros(3)]])
def test_restore_refuses_other_arrays(arrays):
    with pytest.raises(ValueError, match=r"arrays must be .'float64 \(3,\)'., got"):
        restore([Variable(np.ones(3))], arrays)


# ---- files


def test_progress_is_quiet_where_there_is_no_terminal(capsys):
    train(lambda k: 1.0, [Variable(0.0)], rounds=2, progress=True)
    assert capsys.readouterr() == ("", "")
