"""Sparse gradients: what Keras and PyTorch do with the rows that have none, against the dense rule and the lazy one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from fo_lib import rules
from fo_lib.conventions import TABLE, cases, forms, peers
from fo_lib.conventions.table import Convention
from fo_lib.engine import Stepper
from fo_lib.keras import optimizer


def embedding_gradients(steps: int = 20) -> tuple[Any, list[tuple[Any, Any]]]:
    """As in record.py, which needs PyTorch to be imported."""
    rng = np.random.default_rng(1)
    return rng.standard_normal((6, 4)), [
        (np.array([1, rng.choice([2, 3, 4]), 1]), rng.standard_normal((3, 4))) for _ in range(steps)
    ]


def dense(rows: Any, values: Any) -> Any:
    g = np.zeros((6, 4))
    np.add.at(g, rows, values)
    return g


def slices(rows: Any, values: Any) -> Any:
    return tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([6, 4]))


def run_keras(opt: Any, gradient: Callable[[Any, Any], Any], dtype: str = "float64") -> Any:
    w, gradients = embedding_gradients()
    variable = keras.Variable(w, dtype=dtype)
    opt.build([variable])
    for rows, values in gradients:
        g = gradient(rows, values.astype(dtype))
        opt.apply([g if isinstance(g, tf.IndexedSlices) else tf.constant(g, dtype)], [variable])
    return variable.numpy()


def summed(rows: Any, values: Any) -> Any:
    """The same gradient, with one entry for each row."""
    unique = np.unique(rows)
    return slices(unique, dense(rows, values)[unique])


KERAS = [c for c in TABLE if c.library == "Keras" and c.method != "muon"]
LINEAR = {"gradient_descent", "momentum", "nesterov", "lion"}  # no square and no size of the gradient


@pytest.mark.parametrize("c", KERAS, ids=lambda c: c.method)
def test_keras_takes_the_dense_step_if_no_row_occurs_twice(c: Convention) -> None:
    """Also for momentum and Adam: rows without a gradient keep moving. Where one occurs twice, squares go wrong."""
    opt, arguments = getattr(keras.optimizers, c.call), cases(c)["other"].arguments
    expected = run_keras(opt(**arguments), dense)
    np.testing.assert_allclose(run_keras(opt(**arguments), summed), expected, rtol=1e-14, atol=1e-15)
    twice = np.abs(run_keras(opt(**arguments), slices) - expected)
    assert (twice.max() < 1e-14) == (c.method in LINEAR)
    if c.method not in LINEAR:
        assert twice[1].max() > 1e-5  # the row that occurs twice
        assert twice[[0, 2, 3, 4, 5]].max() < 1e-14


def test_keras_squares_the_entries_of_a_row_before_it_sums_them() -> None:
    """Adagrad divides by sqrt(s + sum of squares): ours, on the same slices, by the square of the sum."""
    w, s = embedding_gradients()[0], np.full((6, 4), 0.125)
    for rows, values in embedding_gradients()[1]:
        s = s + dense(rows, values**2)
        w = w - 0.125 * dense(rows, values) / np.sqrt(s + 2**-20)
    theirs = keras.optimizers.Adagrad(0.125, initial_accumulator_value=0.125, epsilon=2**-20)
    np.testing.assert_allclose(run_keras(theirs, slices), w, rtol=1e-13)
    ours = run_keras(optimizer(rules.adagrad, learning_rate=0.125), slices)
    np.testing.assert_allclose(ours, run_keras(optimizer(rules.adagrad, learning_rate=0.125), dense), rtol=1e-14)


def pytorch_sparse(name: str) -> Any:
    if peers.installed("PyTorch"):
        from tests.parity import record

        found = record.torch_sparse(name, **record.SPARSE[name])
        np.testing.assert_allclose(found, peers.stored(f"PyTorch/{name}/sparse"), rtol=1e-14)
        return found
    return peers.stored(f"PyTorch/{name}/sparse")


@pytest.mark.parametrize(("name", "rule"), [("SGD", rules.gradient_descent), ("Adagrad", rules.adagrad)])
def test_pytorch_sgd_and_adagrad_take_the_dense_step_on_sparse_gradients(name: str, rule: Any) -> None:
    w, gradients = embedding_gradients()
    step = Stepper(rule, learning_rate=0.1)
    for rows, values in gradients:
        step(w, dense(rows, values))
    np.testing.assert_allclose(pytorch_sparse(name), w, rtol=1e-13)


def test_sparse_adam_of_pytorch_is_the_lazy_form_of_adam_with_epsilon_hat() -> None:
    lazy = run_keras(optimizer(forms.adam_hat, learning_rate=0.1, epsilon=1e-8, lazy=True), slices)
    np.testing.assert_allclose(pytorch_sparse("SparseAdam"), lazy, rtol=1e-13)
    full = run_keras(optimizer(forms.adam_hat, learning_rate=0.1, epsilon=1e-8), slices)
    assert np.abs(lazy - full).max() > 0.1
