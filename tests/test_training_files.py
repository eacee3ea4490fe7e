"""What `train` writes: whole or not at all, refused if damaged or of another run, and resumed bit for bit."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from fo_lib.training import train
from tests.training_runs import Variable, fresh, noisy_descent


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

    def advance(k):  # each round is better
        w[0].assign([k])
        return 1 / k

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
    sys.path.insert(0, {root!r})
    from fo_lib.training import train
    from tests.training_runs import fresh, noisy_descent
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
    code = textwrap.dedent(KILLED.format(root=str(request.config.rootpath), kill=4))
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    resumed, whole = fresh(), fresh()
    run = train(noisy_descent(*resumed), resumed, rounds=6, folder=tmp_path)
    train(noisy_descent(*whole), whole, rounds=6)
    assert len(run.records["loss"]) == 6
    assert all(np.array_equal(a.value, b.value) for a, b in zip(resumed, whole, strict=True))


@pytest.mark.usefixtures("ordinary_user")
def test_a_folder_that_cannot_be_written_to_is_an_error_before_the_first_round(read_only_folder):
    rounds = []
    for folder in (read_only_folder, read_only_folder / "new"):
        with pytest.raises(PermissionError, match=str(read_only_folder)):
            train(rounds.append, [Variable(0.0)], rounds=3, folder=folder)
    assert rounds == []
