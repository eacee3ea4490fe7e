"""Snapshots of Keras models: they change nothing, and refuse what they cannot look at."""

import keras
import numpy as np
import pytest

from fo_lib.diagnosis import snapshot
from tests.digit_networks import LOGITS, X, Y, network


@pytest.mark.parametrize(("x", "y", "name"), [(np.array(["a"] * 4), Y[:4], "x"), (X[:4], np.array(["a"] * 4), "y")])
def test_data_that_are_no_numbers_are_refused(x, y, name):
    model = network(8)
    model.compile(optimizer="sgd", loss=LOGITS)
    with pytest.raises(TypeError, match=f"{name} must be one array of numbers, got dtype <U1"):
        snapshot.take(model, x, y)


@pytest.mark.parametrize(("x", "y"), [(X[:3], Y[:4]), (X[:0], Y[:0]), (3.0, Y)])
def test_samples_of_unequal_length_are_refused(x, y):
    model = network(8)
    model.compile(optimizer="sgd", loss=LOGITS)
    with pytest.raises(ValueError, match="x and y must be non-empty arrays of one length"):
        snapshot.take(model, x, y)


def test_a_model_of_several_outputs_is_refused():
    image = keras.Input((64,))
    model = keras.Model(image, [keras.layers.Dense(10)(image), keras.layers.Dense(10)(image)])
    model.compile(optimizer="sgd", loss=[LOGITS, LOGITS])
    with pytest.raises(TypeError, match="model must return one array, got a list of 2"):
        snapshot.take(model, X[:4], Y[:4])


def test_a_model_that_is_not_compiled_is_refused():
    with pytest.raises(TypeError, match="must be compiled"):
        snapshot.take(network(8), X[:4], Y[:4])


def test_a_snapshot_changes_nothing_and_knows_layers_of_many_kinds():
    keras.utils.set_random_seed(0)
    inner = [keras.layers.Reshape((8, 8)), keras.layers.SimpleRNN(8), keras.layers.BatchNormalization()]
    model = keras.Sequential([keras.Input((64,)), *inner, keras.layers.ReLU(name="cut"), keras.layers.Dense(10)])
    model.compile(optimizer="adam", loss=LOGITS)
    before = [weight.numpy() for weight in model.weights]
    shot = snapshot.take(model, X[:64], Y[:64].reshape(-1, 1))
    assert set(shot.dead) == {"cut"}
    assert shot.loss == pytest.approx(shot.loss_as_logits, rel=1e-5)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_a_subclass_of_model_has_no_known_layers_outputs():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = keras.layers.Dense(8, "relu"), keras.layers.Dense(10)

        def call(self, x):
            return self.two(self.one(x))

    model = Own()
    model.compile(optimizer="sgd", loss=LOGITS)
    shot = snapshot.take(model, X[:16], Y[:16])
    assert shot.dead == {}
    assert np.isfinite(shot.gradient_norm)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.eye(3)[[2, 0]], [2, 0]),
        ([[1.0, 1.0, 0.0]], None),  # two of several
        ([[0.8, 0.1, 0.1]], None),  # shares
        ([[2], [0]], [2, 0]),
        ([2.0, 0.0], [2, 0]),
        ([0.5, 1.0], None),
        ([[2, 0]], None),
    ],
)
def test_labels_are_whole_numbers_or_rows_with_a_single_one(y, expected):
    labels = snapshot._labels(np.asarray(y), 3)
    assert (None if labels is None else labels.tolist()) == expected
