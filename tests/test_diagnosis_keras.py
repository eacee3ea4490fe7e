"""Faults planted in Keras models: what a Watch and a History show of them."""

import keras
import numpy as np
import pytest

from fo_lib import diagnose, rules
from fo_lib import keras as fo_keras
from fo_lib.diagnosis import Watch, snapshot
from tests.digit_networks import LOGITS, X_HELD, Y_HELD, Fresh, Loss, X, Y, network, train


@pytest.fixture(autouse=True)
def _float32():
    yield
    keras.config.set_dtype_policy("float32")


def softmax_twice(labels, outputs):
    import tensorflow as tf

    labels = tf.reshape(tf.cast(labels, tf.int32), [-1])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs)


def light(labels, outputs):
    return 1e-6 * keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=True)


def spoiled():
    x = X.copy()
    x[5, 7] = np.nan
    return x


def mislabelled():
    y = Y.copy()
    y[3] = 12
    return y


def noisy_few():
    return {"x": X[:100], "y": np.where(np.arange(100) % 3 == 0, Y[100:200], Y[:100])}


BY_CLASS = np.argsort(Y, kind="stable")
SHUFFLED = np.random.default_rng(1).permutation(Y)
BROKEN = {
    "input or target not finite": lambda: train(network(32), x=spoiled(), epochs=1),
    "probabilities given as logits": lambda: train(network(32, last="softmax"), loss=softmax_twice),
    "logits given as probabilities": lambda: train(network(32), loss="sparse_categorical_crossentropy"),
    "loss summed over the batch": lambda: train(network(32), loss=Loss(from_logits=True, reduction="sum")),
    "dead units": lambda: train(network(32), optimizer=keras.optimizers.SGD(3.0)),
    "epsilon too large": lambda: train(network(32), optimizer=keras.optimizers.Adam(epsilon=1.0)),
    "data not shuffled": lambda: train(
        network(32), x=X[BY_CLASS], y=Y[BY_CLASS], fresh=False, shuffle=False, batch_size=8,
        optimizer=keras.optimizers.SGD(0.03),
    ),
    "one permutation repeated": lambda: train(network(32), fresh=False),
    "labels do not belong to the inputs": lambda: train(
        network(512), y=SHUFFLED, optimizer=keras.optimizers.Adam(3e-3), epochs=25, held=True
    ),
    "learning rate too large": lambda: train(network(32, activation="tanh"), optimizer=keras.optimizers.SGD(1e3)),
    "learning rate too small": lambda: train(network(32), optimizer=keras.optimizers.SGD(1e-6)),
    "overfitting": lambda: train(
        network(128, 128), **noisy_few(), optimizer=keras.optimizers.Adam(3e-3), epochs=60, held=True
    ),
}  # fmt: skip


@pytest.mark.parametrize("cause", BROKEN)
def test_a_planted_fault_is_named(cause):
    watch, _ = BROKEN[cause]()
    found = diagnose(watch)
    assert found.cause == cause, found


def test_a_label_out_of_range_is_named_before_a_step_is_made():
    model = network(32)
    model.compile(optimizer="sgd", loss=LOGITS, jit_compile=True)
    watch = Watch(X[:128], mislabelled()[:128])
    model.fit(X, mislabelled(), epochs=1, callbacks=[watch], verbose=0)
    assert diagnose(watch).cause == "label out of range"
    assert "labels 0 to 9, and a label is 12" in diagnose(watch).findings[0].evidence


def test_weights_that_are_not_finite_are_found_behind_a_finite_loss():
    """The bad sample is not among those watched."""
    images = X.reshape(-1, 8, 8, 1)
    bad = images.copy()
    bad[700, 0, 0] = np.nan
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(8, 3, padding="same"), keras.layers.MaxPooling2D(3), keras.layers.Flatten()]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Dense(10)])
    watch, _ = train(model, x=bad, fresh=False, epochs=1, batch_size=len(bad))
    assert diagnose(watch).cause == "weights not finite"
    assert diagnose(watch).findings[0].evidence.endswith("while the recorded losses are finite")


@pytest.mark.parametrize(("scaled", "cause"), [(False, "gradient underflow"), (True, None)])
def test_underflow_is_named_unless_the_loss_is_scaled(scaled, cause):
    keras.config.set_dtype_policy("mixed_float16")
    options = {"optimizer": keras.optimizers.SGD(1e5), "auto_scale_loss": scaled}
    watch, _ = train(network(32, activation="tanh"), loss=light, **options)
    assert diagnose(watch).cause == cause


def doctored(watch, facts, losses, **history):
    """The same records, with some facts of the first snapshot and the losses replaced."""
    watch.snapshots[0] = snapshot.Snapshot(**{**watch.snapshots[0].__dict__, **facts})
    watch.history.history = {"loss": losses, **history}
    return watch


def test_labels_without_a_signal_are_named_once_the_loss_rests():
    """A linear model cannot learn by heart: its loss stays at that of guessing, and the gradient falls."""
    watch, _ = train(network(), epochs=2)
    start = watch.snapshots[0]
    watch.snapshots[1:] = [snapshot.Snapshot(**{**start.__dict__, "gradient_norm": start.gradient_norm / 10})] * 2
    chance = np.log(10)
    assert diagnose(doctored(watch, {}, [chance, chance])).cause == "labels do not belong to the inputs"
    assert "no signal" in diagnose(watch).findings[0].evidence
    assert diagnose(doctored(watch, {}, [1.01 * chance, chance])).cause is None  # on its way down


def test_a_bad_validation_loss_alone_does_not_accuse_the_labels():
    watch, _ = train(network(32), epochs=4)
    losses, chance = [2.2, 1.5, 1.0, 0.7], np.log(10)
    for held, cause in (
        ([chance, 2.4, 2.5, 2.6], "labels do not belong to the inputs"),
        ([4.0, 3.5, 3.4, 3.3], None),  # overconfident: it may well be right more often than by chance
        ([chance, 2.2, 2.5, 2.6], None),
    ):
        assert diagnose(doctored(watch, {}, losses, val_loss=held)).cause == cause
    other = {"loss_as_logits": 99.0, "loss_as_probabilities": 99.0}  # another loss: what does guessing cost?
    assert diagnose(doctored(watch, other, losses, val_loss=[chance, 2.4, 2.5, 2.6])).cause is None


def test_targets_that_are_not_finite_are_named():
    targets = X.mean(1)
    targets[7] = np.nan
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
    watch, _ = train(model, y=targets, loss="mse", epochs=1)
    assert diagnose(watch).cause == "input or target not finite"
    assert diagnose(watch).findings[0].evidence == "1 of the targets are NaN or infinite, the first at index (7,)"


@pytest.mark.parametrize(
    ("loss", "outputs", "y", "cause"),
    [
        ("binary_crossentropy", 1, (Y > 4).astype("float32"), "logits given as probabilities"),
        (["sparse_categorical_crossentropy"], 10, Y, "logits given as probabilities"),
        (Loss(name="ce"), 10, Y, "logits given as probabilities"),
        (keras.losses.sparse_categorical_crossentropy, 10, Y, "logits given as probabilities"),
        (Loss(from_logits=True, ignore_class=-1), 10, np.where(Y == 3, -1, Y), None),
        (keras.losses.BinaryCrossentropy(from_logits=True), 1, (Y > 4).astype("float32"), None),
    ],
)
def test_losses_are_known_in_every_form(loss, outputs, y, cause):
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(outputs, name="last")])
    watch, _ = train(model, loss=loss, y=y, epochs=2)
    assert diagnose(watch).cause == cause


def test_whole_numbers_that_are_no_labels_accuse_nobody():
    def quantiles(targets, outputs):
        return keras.ops.mean(keras.ops.square(outputs - targets), axis=-1)

    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(3)])
    watch, _ = train(model, loss=quantiles, y=np.rint(20 * X.mean(1))[:, None], optimizer=keras.optimizers.SGD(0.01))
    assert diagnose(watch).cause is None


def test_a_trained_model_with_a_heavy_tail_of_losses_is_no_sum():
    model = network(64)
    train(model, optimizer=keras.optimizers.Adam(1e-2), epochs=20)
    shot = snapshot.take(model, X_HELD[:128], Y_HELD[:128])
    assert shot.together == pytest.approx(1, rel=1e-3)
    model.compile(optimizer="sgd", loss=Loss(from_logits=True, reduction="sum"))
    assert snapshot.take(model, X_HELD[:128], Y_HELD[:128]).together == pytest.approx(8, rel=1e-3)


def test_a_few_samples_leave_units_silent_without_harm():
    model = network(256)
    model.compile(optimizer="sgd", loss=LOGITS)
    watch = Watch(X[:1], Y[:1])
    model.fit(Fresh(X, Y), epochs=2, callbacks=[watch], verbose=0)
    assert diagnose(watch).cause is None


def test_a_watch_begins_anew_with_each_fit():
    model = network(16)
    watch, _ = train(model, epochs=2)
    model.fit(Fresh(X, Y), epochs=3, callbacks=[watch], verbose=0)
    assert len(watch.history.history["loss"]) == len(watch.snapshots) - 1 == len(watch.batch_loss) == 3


def test_validation_now_and_then_is_left_out():
    model = network(16)
    model.compile(optimizer="sgd", loss=LOGITS)
    options = {"validation_data": (X_HELD, Y_HELD), "validation_freq": 2}
    history = model.fit(Fresh(X, Y), epochs=4, verbose=0, **options)
    assert diagnose(history).cause is None
    assert "overfitting (needs validation_loss)" in diagnose(history).not_looked_for


def test_a_training_step_without_a_loss_is_refused():
    watch = Watch(X[:8], Y[:8])
    watch.epochs = [[]]
    with pytest.raises(ValueError, match=r"must report a 'loss' to a Watch, got \['ce'\]"):
        watch.on_train_batch_end(0, {"ce": 1.0})


HEALTHY = {
    "sgd": lambda: train(network(32), held=True, epochs=6),
    "momentum": lambda: train(network(64, 32), optimizer=keras.optimizers.SGD(0.05, momentum=0.9), held=True),
    "adam": lambda: train(network(32), optimizer=keras.optimizers.Adam(1e-3), held=True),
    "ours": lambda: train(network(32), optimizer=fo_keras.optimizer(rules.adam, 1e-3)),
    "softmax": lambda: train(network(32, last="softmax"), loss=Loss()),
    "one-hot": lambda: train(network(32), y=np.eye(10)[Y], loss=keras.losses.CategoricalCrossentropy(from_logits=True)),
    "regularized": lambda: train(network(32, kernel_regularizer="l2")),
    "smoothed": lambda: train(
        network(32), y=0.9 * np.eye(10)[Y] + 0.01, loss=keras.losses.CategoricalCrossentropy(from_logits=True)
    ),
    "regression": lambda: train(
        keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)]), y=X.mean(1), loss="mean_squared_error",
        optimizer=keras.optimizers.SGD(0.02),
    ),
    "tanh": lambda: train(network(32, activation="tanh")),
    "binary": lambda: train(
        keras.Sequential([keras.Input((64,)), keras.layers.Dense(1, "sigmoid")]), y=(Y > 4).astype("float32"),
        loss="binary_crossentropy",
    ),
    "normalized": lambda: train(
        keras.Sequential([
            keras.Input((64,)), keras.layers.Dense(32), keras.layers.BatchNormalization(), keras.layers.ReLU(),
            keras.layers.Dropout(0.3), keras.layers.Dense(10),
        ]), epochs=1,
    ),
    "several batches at once": lambda: train(network(32), steps_per_execution=8),
}  # fmt: skip


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_raises_no_alarm(name):
    watch, history = HEALTHY[name]()
    assert diagnose(watch).causes == []
    assert diagnose(history).causes == []


@pytest.mark.parametrize(("as_probabilities", "cause"), [(2.0, "probabilities given as logits"), (1.5, None)])
def test_probabilities_are_suspected_only_if_the_two_losses_differ(as_probabilities, cause):
    facts = {"probabilities": True, "loss": 1.5, "loss_as_logits": 1.5, "loss_as_probabilities": as_probabilities}
    assert diagnose(doctored(train(network(32))[0], facts, [1.5, 1.2, 1.0, 0.9])).cause == cause


def test_a_history_shows_what_losses_show():
    _, history = BROKEN["overfitting"]()
    assert diagnose(history).cause == "overfitting"
    assert diagnose(train(network(32), optimizer=keras.optimizers.SGD(1e-6))[1]).cause == "loss flat"
    assert diagnose(train(network(32), x=spoiled(), epochs=1)[1]).cause == "sudden non-finite number"
    assert "dead units (needs snapshots)" in diagnose(history).not_looked_for


def test_a_learning_rate_in_a_history_is_used():
    history = keras.callbacks.History()
    history.history = {"loss": [1.0, 1e3, 1e5, 1e7, 1e9, np.inf], "learning_rate": [0.5] * 6}
    assert diagnose(history).findings[0].evidence.endswith("at a learning rate of 0.5")


def test_a_history_without_losses_is_refused():
    with pytest.raises(ValueError, match="History without any loss"):
        diagnose(keras.callbacks.History())
