"""What chief, servers and workers do, with a coordinator that computes at once. Real ones: tests/faults."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from fo_lib.distributed import rows, train, train_with_servers
from tests.small_training import X, Y, build, loss


def servers(monkeypatch, role, index=0):
    tasks = {"chief": ["localhost:1"], "ps": ["localhost:2"], "worker": ["localhost:3", "localhost:4"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": tasks, "task": {"type": role, "index": index}}))


def test_training_of_all_together_and_training_with_servers_are_not_mixed_up(monkeypatch):
    with pytest.raises(ValueError, match=r"TF_CONFIG must have a chief, workers and ps, got \['worker'\]: see train$"):
        train_with_servers(build, loss, [X, Y], batch_size=16, steps=3)
    servers(monkeypatch, "chief")
    with pytest.raises(
        ValueError, match=r"TF_CONFIG must have workers only, got \['chief', 'ps', 'worker'\]: see train_with"
    ):
        train(build, loss, [X, Y], batch_size=16, steps=7)


@pytest.mark.parametrize("role", ["ps", "worker"])
def test_servers_and_workers_serve(monkeypatch, role):
    served = []

    class Server:
        def __init__(self, spec, **options):
            served.append((spec.as_dict()["chief"], options["job_name"], options["task_index"]))

        def join(self):
            served.append("joined")

    monkeypatch.setattr(tf.distribute, "Server", Server)
    servers(monkeypatch, role)
    assert train_with_servers(build, loss, [X, Y], batch_size=16, steps=3) is None
    assert served == [(["localhost:1"], role, 0), "joined"]


class Coordinator:
    """Computes a batch when it is handed out, as if at once."""

    def __init__(self, strategy):
        assert strategy is tf.distribute.get_strategy()
        self.waiting = 0

    def schedule(self, function, args):
        self.waiting += 1
        assert self.waiting <= 4  # two for each worker
        values = function(*args)

        def fetch():
            self.waiting -= 1
            return [v.numpy() for v in values]

        return type("Result", (), {"fetch": staticmethod(fetch)})


def test_the_chief_hands_out_two_batches_a_worker_and_applies_each_gradient_once(monkeypatch):
    servers(monkeypatch, "chief")
    monkeypatch.setattr(tf.distribute, "ParameterServerStrategy", lambda resolver: tf.distribute.get_strategy())
    monkeypatch.setattr(tf.distribute.coordinator, "ClusterCoordinator", Coordinator)
    seen = []
    done = train_with_servers(build, loss, [X, Y], batch_size=16, steps=9, seed=3, watch=lambda *a: seen.append(a))
    assert int(done.optimizer.iterations.numpy()) == 9
    assert seen == list(zip(range(1, 10), done.losses, strict=True))
    keras.utils.set_random_seed(3)
    model, optimizer = build()
    history = [[w.copy() for w in model.get_weights()]]
    for t in range(9):  # gradients that are three steps old, or as old as the run
        model.set_weights(history[max(0, t - 3)])
        batch = rows(64, 16, seed=3, step=t + 1)
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss(model, X[batch], Y[batch]))
        gradients = tape.gradient(value, model.trainable_variables)
        model.set_weights(history[-1])
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        history.append([w.copy() for w in model.get_weights()])
    for a, b in zip(done.model.get_weights(), history[-1], strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)
    done = train_with_servers(build, loss, [X, Y], batch_size=16, steps=3, seed=3)
    assert len(done.losses) == 3


@pytest.mark.parametrize("losses", [4, 5])
def test_a_result_that_lay_in_a_lost_worker_is_computed_again_a_few_times(monkeypatch, losses):
    servers(monkeypatch, "chief")
    lost = []

    class Losing(Coordinator):
        """Loses the first batch, each time that it is handed out; what is lost stays so."""

        def schedule(self, function, args):
            result, batch = super().schedule(function, args), args[0].numpy().tobytes()
            if len(lost) == losses or batch != (lost or [batch])[0]:
                return result
            lost.append(batch)

            def fetch():
                self.waiting -= 1
                raise tf.errors.UnavailableError(None, None, "connection refused")

            return type("Result", (), {"fetch": staticmethod(fetch)})

    monkeypatch.setattr(tf.distribute, "ParameterServerStrategy", lambda resolver: tf.distribute.get_strategy())
    monkeypatch.setattr(tf.distribute.coordinator, "ClusterCoordinator", Losing)
    if losses == 5:
        with pytest.raises(tf.errors.UnavailableError):
            train_with_servers(build, loss, [X, Y], batch_size=16, steps=5, seed=3)
        return
    done = train_with_servers(build, loss, [X, Y], batch_size=16, steps=5, seed=3)
    assert int(done.optimizer.iterations.numpy()) == 5
    monkeypatch.setattr(tf.distribute.coordinator, "ClusterCoordinator", Coordinator)
    assert done.losses[0] == train_with_servers(build, loss, [X, Y], batch_size=16, steps=5, seed=3).losses[0]
