"""`train`: the best is kept, what breaks is named, and an interrupted run goes on bit for bit."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fo_lib import diagnose
from fo_lib.training import Run, batch_order, restore, train


class Variable:
    """As TensorFlow's: a value that is read without a copy, and assigned in place."""

    def __init__(self, value):
        self.value = np.array(value)

    def numpy(self):
        return self.value

    def assign(self, value):
        self.value[...] = value


def noisy_descent(w, t):
    """Rounds of gradient descent with momentum, whose state is the second variable."""

    def advance(k):
        rng = np.random.default_rng([7, k])
        losses = []
        for _ in range(3):
            t.assign(0.9 * t.numpy() + w.numpy() + 0.1 * rng.normal(size=w.numpy().shape))
            w.assign(w.numpy() - 0.05 * t.numpy())
            losses.append(float(w.numpy() @ w.numpy()))
        return losses

    return advance


def fresh():
    return [Variable([1.0, 2.0]), Variable([0.0, 0.0])]


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


@pytest.mark.parametrize("stop", [1, 4, 6])
def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path, stop):
    def run(folder, rounds):
        variables = fresh()
        settings = {"rate": 0.05, "betas": (0.9, 0.99)}
        return variables, train(noisy_descent(*variables), variables, rounds=rounds, folder=folder, settings=settings)

    whole, undisturbed = run(tmp_path / "a", 6)
    run(tmp_path / "b", stop)
    resumed, after = run(tmp_path / "b", 6)
    assert all(np.array_equal(x.value, y.value) for x, y in zip(whole, resumed, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(undisturbed.best, after.best, strict=True))
    assert undisturbed.best_round == after.best_round
    for name, values in undisturbed.records.items():
        assert np.array_equal(values, after.records[name])


def test_the_best_file_holds_the_best_round(tmp_path):
    w = [Variable([0.0])]
    scores = [3.0, 1.0, 2.0]

    def go(rounds):
        return train(lambda k: w[0].assign([k]) or scores[k - 1], w, rounds=rounds, folder=tmp_path)

    go(3)
    with np.load(tmp_path / "best.npz") as file:
        assert np.frombuffer(file["v00000"]).tolist() == [2.0]
    assert go(3).best[0] == 2
    assert go(3).best_round == 2


def test_a_crash_between_the_two_files_loses_nothing(tmp_path):
    w = [Variable([0.0])]
    advance = lambda k: w[0].assign([k]) or 1 / k  # noqa: E731 (each round is better)
    train(advance, w, rounds=1, folder=tmp_path)
    old = (tmp_path / "best.npz").read_bytes()
    train(advance, w, rounds=2, folder=tmp_path)
    (tmp_path / "best.npz").write_bytes(old)  # as if the second best.npz had not been written
    run = train(advance, w, rounds=2, folder=tmp_path)
    assert (run.best_round, float(run.best[0][0])) == (2, 2)
    with np.load(tmp_path / "best.npz") as file:
        assert np.frombuffer(file["v00000"]).tolist() == [2.0]


def test_a_run_that_lost_patience_stays_stopped(tmp_path):
    options = {"rounds": 9, "patience": 2, "folder": tmp_path}
    calls = []
    for _ in range(2):
        run = train(lambda k: calls.append(k) or 1.0, [Variable(0.0)], validate=lambda: 1.0, **options)
        assert run.reason == "patience"
    assert calls == [1, 2, 3]


def test_every_dtype_comes_back(tmp_path):
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    values = [tf.constant(1.5, tf.bfloat16), tf.ones((2, 0)), tf.constant([1, 2], tf.int64), tf.constant([True])]
    variables = [tf.Variable(value) for value in values]
    train(lambda k: 1.0, variables, rounds=1, folder=tmp_path)
    others = [tf.Variable(tf.zeros_like(value)) for value in values]
    train(lambda k: 1.0, others, rounds=1, folder=tmp_path)
    for a, b in zip(variables, others, strict=True):
        assert a.dtype == b.dtype
        assert np.array_equal(a.numpy(), b.numpy())


def test_other_settings_are_refused(tmp_path):
    train(lambda k: 1.0, [Variable(0.0)], rounds=1, folder=tmp_path, settings={"rate": 1})
    with pytest.raises(ValueError, match=r"settings must be those of .*, \{'rate': 1\}, got \{'rate': 2\}"):
        train(lambda k: 1.0, [Variable(0.0)], rounds=2, folder=tmp_path, settings={"rate": 2})


def test_other_variables_are_refused(tmp_path):
    train(lambda k: 1.0, [Variable(0.0)], rounds=1, folder=tmp_path)
    with pytest.raises(ValueError, match=r"last\.npz, .'float64 \(\)'., got .'float64 \(\)', 'float64"):
        train(lambda k: 1.0, [Variable(0.0), Variable(0.0)], rounds=2, folder=tmp_path)


def test_variables_of_as_many_bytes_but_another_shape_or_dtype_are_refused(tmp_path):
    train(lambda k: 1.0, [Variable(np.ones((2, 3)))], rounds=1, folder=tmp_path)
    for other in (np.ones((3, 2)), np.ones((2, 3), np.int64)):
        with pytest.raises(ValueError, match=r"variables must be those of .*float64 \(2, 3\)"):
            train(lambda k: 1.0, [Variable(other)], rounds=2, folder=tmp_path)


def test_what_cannot_be_saved_is_refused_before_the_first_round(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TypeError, match="settings must be what JSON can hold"):
        train(lambda k: 1 / 0, [], rounds=1, settings={"rate": np.float32(1)})
    with pytest.raises(OSError, match="file"):
        train(lambda k: 1 / 0, [], rounds=1, folder=tmp_path / "file" / "inside")


@pytest.mark.parametrize("damage", [lambda c: c[:-30], lambda c: b"", lambda c: c[:200] + bytes(8) + c[208:]])
def test_a_damaged_file_is_refused_and_kept(tmp_path, damage):
    file = tmp_path / "last.npz"
    train(lambda k: 1.0, [Variable(np.ones(100))], rounds=1, folder=tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=r"last\.npz must be a whole file of train, got a damaged one"):
        train(lambda k: 1.0, [Variable(np.ones(100))], rounds=2, folder=tmp_path)
    assert file.exists()


def test_a_pickle_is_never_loaded(tmp_path):
    np.savez(tmp_path / "last.npz", meta=np.array([object()]))
    with pytest.raises(ValueError, match="got a damaged one: Object arrays cannot be loaded"):
        train(lambda k: 1.0, [], rounds=1, folder=tmp_path)


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_a_full_disk_is_an_error_and_leaves_the_last_good_file(tmp_path, monkeypatch, name):
    train(lambda k: 1.0, [Variable(0.0)], rounds=1, folder=tmp_path)
    good = (tmp_path / "last.npz").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    if name == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(type(tmp_path), "replace", full)
    with pytest.raises(OSError, match="No space left"):
        train(lambda k: 1.0, [Variable(0.0)], rounds=3, folder=tmp_path)
    assert (tmp_path / "last.npz").read_bytes() == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.npz", "last.npz"]


def test_an_error_of_the_system_stays_what_it_is(tmp_path):
    (tmp_path / "last.npz").mkdir()
    with pytest.raises(IsADirectoryError):
        train(lambda k: 1.0, [], rounds=1, folder=tmp_path)


KILLED = """
    import os, signal, sys, time
    import numpy as np
    sys.path[:0] = [{root!r}, {tests!r}]
    from fo_lib.training import train
    from test_training import fresh, noisy_descent
    variables = fresh()
    step = noisy_descent(*variables)
    def advance(k):
        losses = step(k)
        if k == {kill}:
            os.kill(os.getpid(), signal.SIGKILL)
        return losses
    train(advance, variables, rounds=6, folder=sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_is_resumed_bit_for_bit(tmp_path, request):
    root, tests = request.config.rootpath, request.path.parent
    code = textwrap.dedent(KILLED.format(root=str(root), tests=str(tests), kill=4))
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    resumed, whole = fresh(), fresh()
    run = train(noisy_descent(*resumed), resumed, rounds=6, folder=tmp_path)
    train(noisy_descent(*whole), whole, rounds=6)
    assert len(run.records["loss"]) == 6
    assert all(np.array_equal(a.value, b.value) for a, b in zip(resumed, whole, strict=True))


def test_progress_is_quiet_where_there_is_no_terminal(capsys):
    train(lambda k: 1.0, [Variable(0.0)], rounds=2, progress=True)
    assert capsys.readouterr() == ("", "")
