"""What `train` does in one process, and in one that believes to be one of two. Several real ones: tests/faults."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from fo_lib import distributed
from fo_lib.distributed import Checkpoints, NonFiniteError, WorkerLostError, cluster, rows, train
from tests.small_training import X, Y, build, loss

TWO = {"worker": ["localhost:1", "localhost:2"]}


def go(steps=7, make=build, loss=loss, arrays=(X, Y), **options):
    return train(make, loss, arrays, **{"batch_size": 16, "steps": steps, "seed": 3, **options})


def bits(done):
    return [v.numpy().tobytes() for v in [*done.model.variables, *done.optimizer.variables]]


@pytest.fixture
def one_of_two(monkeypatch):
    """This process is worker 1 of 2, and what all sum up is what it has itself."""
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": TWO, "task": {"type": "worker", "index": 1}}))
    given = {}
    monkeypatch.setattr(
        tf.distribute,
        "MultiWorkerMirroredStrategy",
        lambda **options: given.update(options) or tf.distribute.get_strategy(),
    )
    return given


def reference(steps, l2=0.0):
    """The same steps in the plainest loop."""
    keras.utils.set_random_seed(3)
    model, optimizer = build(kernel_regularizer=keras.regularizers.L2(l2)) if l2 else build()
    losses = []
    for step in range(1, steps + 1):
        batch = rows(64, 16, seed=3, step=step)
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss(model, X[batch], Y[batch])) + sum(model.losses)
        optimizer.apply_gradients(
            zip(tape.gradient(value, model.trainable_variables), model.trainable_variables, strict=True)
        )
        losses.append(float(value))
    return model, losses


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_the_steps_are_those_of_a_plain_loop(l2):
    make = (lambda: build(kernel_regularizer=keras.regularizers.L2(l2))) if l2 else build
    done, (model, losses) = go(12, make), reference(12, l2)
    np.testing.assert_allclose(done.losses, losses, rtol=1e-5)
    for a, b in zip(done.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)
    assert done.first == 1
    assert int(done.optimizer.iterations.numpy()) == 12


@pytest.fixture(scope="module")
def whole():
    return go(10)


@pytest.mark.parametrize("stop", [3, 10])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, whole, stop):
    go(stop, folder=tmp_path, every=2)
    resumed = go(10, folder=tmp_path, every=2)
    assert bits(resumed) == bits(whole)
    assert resumed.first == stop + 1
    assert np.array_equal(resumed.losses, whole.losses[stop:])


def test_seed_and_nothing_else_makes_the_run():
    one = bits(go())
    assert bits(go()) == one
    assert bits(go(seed=4)) != one


def test_checkpoints_are_written_when_they_should_be_and_a_damaged_one_is_told_of(tmp_path, capsys):
    go(7, folder=tmp_path, every=2, keep=3)
    paths = Checkpoints(tmp_path).paths()
    assert [p.name for p in paths] == ["step-00000004.ckpt", "step-00000006.ckpt", "step-00000007.ckpt"]
    assert capsys.readouterr().out.splitlines()[-1].startswith("step 7 of 7: loss ")
    paths[-1].write_bytes(paths[-1].read_bytes()[:-1])
    assert bits(go(7, folder=tmp_path)) == bits(go(7))
    said = capsys.readouterr().out
    assert f"{paths[-1]} is damaged: it has " in said
    assert "; going on from step 6\n" in said


def test_watch_is_called_after_each_step_and_then_nothing_is_written(capsys):
    seen = []
    done = go(4, watch=lambda *a: seen.append(a), every=1)
    assert seen == list(zip([1, 2, 3, 4], done.losses, strict=True))
    assert capsys.readouterr().out == ""


def test_each_step_is_a_heartbeat(tmp_path, monkeypatch):
    monkeypatch.setenv(cluster.HEARTBEAT, str(tmp_path / "beat"))
    beats = []
    go(3, watch=lambda *_: beats.append((tmp_path / "beat").read_text()))
    assert beats == ["1", "2", "3"]


def test_a_gradient_that_is_not_finite_stops_the_run_before_it_is_used(tmp_path):
    bad = X.copy()
    bad[rows(64, 16, seed=3, step=4)[5]] = np.nan
    with pytest.raises(
        NonFiniteError, match=r"^step 4: the gradient of worker 0 is not finite; it was neither"
    ) as caught:
        go(arrays=(bad, Y), folder=tmp_path, every=2)
    assert (caught.value.step, caught.value.workers) == (4, (0,))
    assert f"A new start goes on from step 3 (checkpoints in {tmp_path})" in str(caught.value)
    saved = Checkpoints(tmp_path).latest()
    assert saved.step == 2
    assert [a.tobytes() for a in saved.arrays] == bits(go(2))
    with pytest.raises(NonFiniteError, match="There is no folder for checkpoints: a new start begins at step 1"):
        go(arrays=(bad, Y))


def test_a_loss_that_is_not_finite_stops_the_run_though_the_gradient_is():
    def odd(model, x, y):
        return loss(model, x, y) + tf.constant(np.inf)

    with pytest.raises(NonFiniteError, match=r"^step 1: the gradient of worker 0"):
        go(loss=odd)


def test_the_worker_is_named_whose_gradient_it_is(one_of_two):
    bad = X.copy()
    mine, others = rows(64, 16, seed=3, step=2)[8:], rows(64, 16, seed=3, step=2)[:8]
    bad[others[0]] = np.nan
    go(3, arrays=(bad, Y))  # not this worker's
    bad[mine[0]] = np.nan
    with pytest.raises(NonFiniteError, match=r"^step 2: the gradient of worker 1 is not finite"):
        go(3, arrays=(bad, Y))


def test_finite_gradients_with_an_infinite_sum_name_no_worker(monkeypatch):
    class Overflow:
        def all_reduce(self, _, tensors):
            return [tensors[0], *(t + np.inf for t in tensors[1:])]

    monkeypatch.setattr("tensorflow.distribute.get_replica_context", Overflow)
    with pytest.raises(NonFiniteError, match=r"^step 1: the gradient summed over all workers is not finite") as caught:
        go()
    assert caught.value.workers == ()


def test_the_second_of_two_takes_its_share_and_writes_nothing(tmp_path, one_of_two, capsys):
    sizes = []

    def seen(model, x, y):
        sizes.append(x.shape[0])
        return loss(model, x, y)

    done = go(
        2, loss=seen, folder=tmp_path, every=1, timeout=7, batch_size=15, make=lambda: build(kernel_regularizer="l2")
    )
    assert set(sizes) == {8}  # of 15 rows
    assert one_of_two["communication_options"].timeout_seconds == 7
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""
    keras.utils.set_random_seed(3)
    model, _ = build(kernel_regularizer="l2")
    batch = rows(64, 15, seed=3, step=1)[7:]
    expected = float(tf.reduce_sum(loss(model, X[batch], Y[batch]))) / 15 + float(sum(model.losses)) / 2
    assert done.losses[0] == pytest.approx(expected, rel=1e-6)


def test_workers_that_would_go_on_from_different_steps_are_told_so(tmp_path, monkeypatch, request):
    go(4, folder=tmp_path)
    request.getfixturevalue("one_of_two")
    with pytest.raises(
        ValueError, match=r"folder must be one that all workers see: they would go on from steps \[0, 4\]"
    ):
        go(6, folder=tmp_path)


@pytest.mark.parametrize("error", [tf.errors.UnavailableError, tf.errors.DeadlineExceededError])
def test_no_answer_from_another_worker_is_said_so(tmp_path, monkeypatch, error):
    def lost(*_):
        raise error(None, None, "connection refused")

    monkeypatch.setattr("fo_lib.distributed.steps.Loop.gradients", lost)
    with pytest.raises(
        WorkerLostError, match=r"^step 1: worker 0 got no answer from another worker, which has ended or hangs\. A new"
    ):
        go(folder=tmp_path)


def test_tensorflow_used_before_is_explained(monkeypatch, one_of_two):
    def refuse(message):
        def make(**_):
            raise RuntimeError(message)

        monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", make)

    refuse("Collective ops must be configured at program startup")
    with pytest.raises(RuntimeError, match="train must be called before TensorFlow computes anything: make no tensor"):
        go()
    refuse("something else")
    with pytest.raises(RuntimeError, match="something else"):
        go()


def test_another_run_is_not_gone_on_with(tmp_path):
    go(4, folder=tmp_path, settings={"rate": 1})
    for options in ({"seed": 4}, {"batch_size": 8}, {"arrays": (X[:32], Y[:32])}, {"settings": {"rate": 2}}):
        with pytest.raises(
            ValueError, match=r"settings must be those of .*'seed': 3, 'batch_size': 16, 'n': 64, 'rate': 1"
        ):
            go(6, folder=tmp_path, **{"settings": {"rate": 1}, **options})
    with pytest.raises(ValueError, match="steps must be at least 4, that of the newest checkpoint, got 3"):
        go(3, folder=tmp_path, settings={"rate": 1})
    with pytest.raises(ValueError, match="arrays must be "):
        go(
            6,
            folder=tmp_path,
            settings={"rate": 1},
            make=lambda: (keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(3)]), build()[1]),
        )


def test_the_number_of_workers_may_change(tmp_path, monkeypatch):
    go(4, folder=tmp_path, every=2)
    assert "workers" not in Checkpoints(tmp_path).latest().settings


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"make": 3}, TypeError, "build must be a function, got 3"),
        ({"loss": "mse"}, TypeError, "loss must be a function, got 'mse'"),
        ({"steps": 0}, ValueError, "steps must be a whole number >= 1, got 0"),
        ({"every": 0}, ValueError, "every must be a whole number >= 1, got 0"),
        ({"seed": -1}, ValueError, "seed must be a whole number >= 0, got -1"),
        ({"batch_size": 65}, ValueError, "batch_size must be a whole number >= 1 and <= 64"),
        ({"timeout": 0}, ValueError, "timeout must be a finite number and > 0, got 0"),
        ({"arrays": []}, ValueError, "arrays must be one or more"),
        ({"loss": lambda model, x, y: tf.reduce_mean(loss(model, x, y))}, ValueError, r"loss must return one number for each row, got a tensor of shape \(\)"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        go(**options)


def test_the_public_names_are_documented():
    assert sorted(distributed.__all__) == distributed.__all__
    assert all(getattr(distributed, name).__doc__ for name in distributed.__all__)


def test_the_model_of_several_workers_is_given_back_as_one_that_is_alone(one_of_two):
    made = []

    def seen():
        made.append(build())
        return made[-1]

    done = go(2, make=seen)
    (first, optimizer), (last, _) = made
    assert done.model is last
    assert done.optimizer is made[1][1]
    assert bits(done) == [v.numpy().tobytes() for v in [*first.variables, *optimizer.variables]]
    assert int(done.optimizer.iterations.numpy()) == 2
