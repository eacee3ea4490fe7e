"""A rule on tensors: numbers that steps compute with, and large variables in one compiled pass."""

from __future__ import annotations

import operator

import keras
import numpy as np
import pytest
import tensorflow as tf

from fo_lib import keras as fo_keras
from fo_lib import matrix_rules, rules
from fo_lib._tensors import Number
from fo_lib.keras import optimizer
from tests.keras_runs import EVERY_DTYPE, RULES, arrays, assert_close, keras_run, numpy_run

ELEMENT_WISE = [rule for rule in RULES.values() if rule not in vars(matrix_rules).values()]
ARITHMETIC = ("add", "sub", "mul", "truediv", "pow")
TENSOR = tf.constant([3.0, 0.5, 8.0], tf.float64)


def number(value):
    return Number(tf.constant(value, tf.float64))


@pytest.mark.parametrize("name", ARITHMETIC)
def test_operators_of_a_number_are_those_of_its_tensor(name):
    do = getattr(operator, name)
    for a, b in [(3.0, 2.0), (2.0, 3.0), (2.0, 2.0)]:
        for left, right in [(number(a), number(b)), (number(a), b), (a, number(b))]:
            got = do(left, right)
            assert isinstance(got, Number)
            assert got.value.numpy() == do(a, b)
    np.testing.assert_allclose(do(number(2.0), TENSOR), do(2.0, TENSOR.numpy()), rtol=1e-15)
    np.testing.assert_allclose(do(TENSOR, number(2.0)), do(TENSOR.numpy(), 2.0), rtol=1e-15)


@pytest.mark.parametrize(
    "use",
    [
        bool,
        hash,
        abs,
        tf.sqrt,
        lambda t: t == 1,
        lambda t: t != 1,
        lambda t: t < 1,
        lambda t: TENSOR < t,
        lambda t: t % 2,
    ],
)
def test_what_is_not_arithmetic_is_refused_and_never_answered_as_for_any_object(use):
    with pytest.raises((TypeError, ValueError)):
        use(number(1.0))


def test_an_array_divided_by_a_number_is_multiplied_by_its_reciprocal():
    a, b = np.random.default_rng(0).random((2, 1000)) + 0.5
    divided = np.array([(tf.constant([x]) / number(y)).numpy()[0] for x, y in zip(a, b, strict=True)])
    assert np.array_equal(divided, a * (1 / b))
    assert not np.array_equal(divided, a / b)


def wavering(w, g, v, t, learning_rate=0.1, size=3.0):
    """A rule that does with t, and with its learning rate, what a rule may."""
    warm = np.minimum(t / size, 1.0)
    sign = np.where(t > 4, w, -w)
    v = np.maximum(v * (t - 1) / t, g * g) / abs(-t)
    return w - learning_rate * warm * (g + sign * np.sqrt(t) / (1 + t**2) / np.power(t, 0.5)), v


def comparing(w, g, v, t, learning_rate=0.1):
    """A rule that compares arrays with t and with its learning rate."""
    v = v + g * g
    return np.where(v < t / 2, w - learning_rate * g, np.where(np.abs(g) > learning_rate, w, w / t)), v


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("rule", [wavering, comparing])
def test_a_rule_of_ones_own_may_use_the_number_of_the_step(rule, compiled):
    weights, gradients = arrays("float64", 7)
    got = keras_run(optimizer(rule), weights, gradients, compiled=compiled)
    assert_close(got, numpy_run(rule, weights, gradients))


@EVERY_DTYPE
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("rule", ELEMENT_WISE, ids=lambda rule: rule.__name__)
def test_a_compiled_pass_takes_the_steps_of_the_operations(rule, compiled, dtype, monkeypatch):
    weights, gradients = arrays(dtype, 20)
    monkeypatch.setattr(fo_keras, "FUSE_FROM", 1e9)
    expected = keras_run(optimizer(rule), weights, gradients, compiled=compiled)
    monkeypatch.setattr(fo_keras, "FUSE_FROM", 1)
    monkeypatch.setattr(fo_keras, "FUSED_STATES", 1)
    made = optimizer(rule)
    assert_close(keras_run(made, weights, gradients, compiled=compiled), expected, 8)
    plain = rule in (rules.gradient_descent, rules.sign_descent)
    assert [is_compiled(p) for p in made._passes] == [not plain] * len(weights)


def is_compiled(step):
    return isinstance(step, tf.types.experimental.PolymorphicFunction)


def test_only_large_variables_of_plain_rules_are_compiled():
    def passes(rule, *shapes, dtype="float32", **hyper):
        made = optimizer(rule, **hyper)
        made.build([keras.Variable(np.zeros(shape), dtype=dtype) for shape in shapes])
        return [is_compiled(step) for step in made._passes]

    large = fo_keras.FUSE_FROM
    assert passes(rules.adam, (large - 1,), (large,), (2, large // 2)) == [False, True, True]
    assert passes(rules.momentum, (9 * large,)) == [False]  # one number of state
    assert passes(rules.gradient_descent, (9 * large,)) == [False]
    side = int(np.sqrt(large)) + 1  # (of a flat matrix the state would fill ten gigabytes)
    assert passes(matrix_rules.shampoo, (side, side)) == [False]
    assert passes(rules.adam, (large,), dtype="float16") == [False]


def test_a_compiled_pass_leaves_out_the_decay_of_what_is_excluded(monkeypatch):
    monkeypatch.setattr(fo_keras, "FUSE_FROM", 1)
    weights, gradients = arrays("float64", 5)
    made = optimizer(rules.adamw, weight_decay=0.25)
    variables = [keras.Variable(w, dtype=w.dtype) for w in weights]
    made.exclude_from_weight_decay([variables[0]])
    for gradient in gradients:
        made.apply([tf.constant(g) for g in gradient], variables)
    decayed = numpy_run(rules.adamw, weights, gradients, weight_decay=0.25)
    kept = numpy_run(rules.adamw, weights, gradients, weight_decay=0.0)
    assert_close([v.numpy() for v in variables], [kept[0], *decayed[1:]], 8)
