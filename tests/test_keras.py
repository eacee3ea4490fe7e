"""Any rule as a Keras optimizer: the steps of NumPy's rule, in every way that Keras trains, saves and loads."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from fo_lib import keras as fo_keras
from fo_lib import learning_rates, matrix_rules, rules
from fo_lib.engine import signature
from fo_lib.keras import optimizer
from tests.keras_runs import (
    EVERY_DTYPE,
    EVERY_RULE,
    ROUNDING,
    RULES,
    arrays,
    assert_close,
    differ,
    keras_run,
    numpy_run,
)

# saving: TensorFlow's arrays under NumPy 2.4
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@EVERY_DTYPE
@EVERY_RULE
def test_every_rule_takes_the_steps_of_numpy(rule, dtype):
    weights, gradients = arrays(dtype, 100)
    hyper = {"learning_rate": 0.003} if rule is not matrix_rules.shampoo else {"learning_rate": 0.03}
    expected = numpy_run(rule, weights, gradients, **hyper)
    assert_close(
        keras_run(optimizer(rule, **hyper), weights, gradients), expected, ROUNDING[rule in vars(matrix_rules).values()]
    )


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@EVERY_RULE
def test_every_rule_runs_in_a_compiled_graph(rule, jit):
    weights, gradients = arrays("float64", 5)
    got = keras_run(optimizer(rule), weights, gradients, compiled=True, jit=jit)
    # XLA's eigh is exact to float32 only, whatever the dtype: 3e-7 measured
    assert_close(got, numpy_run(rule, weights, gradients), 2e10 if rule is matrix_rules.shampoo and jit else 60)


def test_other_hyperparameters_than_the_defaults():
    weights, gradients = arrays("float64", 20)
    hyper = {"learning_rate": 0.01, "beta1": 0.7, "beta2": 0.9, "epsilon": 0.1, "momentum_decay": 0.5}
    got = keras_run(optimizer(rules.nadam, **hyper), weights, gradients)
    assert_close(got, numpy_run(rules.nadam, weights, gradients, **hyper))


def test_wrong_arguments_are_refused_as_by_the_stepper():
    with pytest.raises(TypeError, match=r"rule 'adam' has hyperparameters \['learning_rate', 'beta1',.*got 'beta_1'"):
        optimizer(rules.adam, beta_1=0.9)
    for name, value in {
        "beta1": 1.0,
        "learning_rate": -1.0,
        "epsilon": math.nan,
        "clipnorm": 0.0,
        "weight_decay": -1,
    }.items():
        with pytest.raises(ValueError, match=f"^{name} must be a finite number"):
            optimizer(rules.adam, **{name: value})
    with pytest.raises(TypeError, match="rule must be a plain function"):
        optimizer(np.sqrt)
    with pytest.raises(ValueError, match="lazy=True updates rows one by one, and rule 'muon' sees a whole matrix"):
        optimizer(matrix_rules.muon, lazy=True)
    with pytest.raises(TypeError, match=r"tabulate it by fo_lib.keras.schedule"):
        optimizer(rules.adam, learning_rates.inverse(0.1, 0.1))


# Learning rates


def test_the_learning_rate_changes_between_steps_of_one_compiled_graph():
    weights, gradients = arrays("float64", 3)
    opt = optimizer(rules.momentum, learning_rate=0.1)
    variables = [keras.Variable(w, dtype="float64") for w in weights]
    opt.build(variables)
    step = tf.function(lambda *g: opt.apply(g, variables), autograph=False)
    for t, gradient in enumerate(gradients):
        if t == 1:
            opt.learning_rate = 0.3
        if t == 2:
            opt.learning_rate.assign(0.7)
        step(*map(tf.convert_to_tensor, gradient))
    expected = numpy_run(rules.momentum, weights, gradients, rate=lambda t: [0.1, 0.3, 0.7][t - 1])
    assert_close([v.numpy() for v in variables], expected, 1)  # 0.1 as float32 would be off by 1e-9


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_our_schedules_from_a_table(jit):
    weights, gradients = arrays("float64", 6)
    cosine = learning_rates.cosine(0.3, 6, warmup=2)
    opt = optimizer(rules.momentum, fo_keras.schedule(cosine, steps=6))
    got = keras_run(opt, weights, gradients, compiled=True, jit=jit)
    assert_close(got, numpy_run(rules.momentum, weights, gradients, rate=cosine), 2)
    opt.build(opt._trainable_variables)  # no new state
    opt.apply([tf.convert_to_tensor(g) for g in gradients[0]])  # a step too many is seen
    assert np.isnan(opt._trainable_variables[0].numpy()).all()
    with pytest.raises(ValueError, match=r"learning_rate\(3\) must be a finite number and > 0, got 0"):
        fo_keras.schedule(lambda t: 3.0 - t, steps=3)


def test_schedules_of_keras():
    weights, gradients = arrays("float64", 6)
    halving = keras.optimizers.schedules.ExponentialDecay(0.25, decay_steps=2, decay_rate=0.5, staircase=True)
    got = keras_run(optimizer(rules.adam, halving), weights, gradients)
    assert_close(got, numpy_run(rules.adam, weights, gradients, rate=learning_rates.step_decay(0.25, 0.5, 2)), 2)


# Sparse gradients


def sparse(rows, width=4):
    """Gradients of an embedding of 6 rows, in which row 1 occurs twice, and the same as dense arrays."""
    rng = np.random.default_rng(1)
    slices, dense = [], []
    for _ in range(8):
        indices = np.array([1, rng.choice(rows), 1])
        values = rng.standard_normal((3, width))
        slices.append(tf.IndexedSlices(tf.constant(values), tf.constant(indices), tf.constant([6, width])))
        dense.append(np.zeros((6, width)))
        np.add.at(dense[-1], indices, values)
    return slices, dense


def sparse_run(opt, slices, w, jit=False):
    variable = keras.Variable(w, dtype=w.dtype)
    opt.build([variable])
    step = tf.function(lambda g: opt.apply([g], [variable]), autograph=False, jit_compile=jit)
    for g in slices:
        step(g)
    return variable.numpy()


@EVERY_RULE
def test_a_sparse_gradient_is_the_dense_one(rule):
    w = np.random.default_rng(2).standard_normal((6, 4))
    slices, dense = sparse([2, 3, 4])
    got = sparse_run(optimizer(rule), slices, w)
    assert_close([got], numpy_run(rule, [w], [[g] for g in dense]), 60)


def lazily(rule, w, dense, **hyper):
    """The lazy semantics in NumPy: state and weights of the rows with a gradient, and ``t`` of the whole run."""
    sig = signature(rule)
    w, state = w.copy(), [np.zeros_like(w) for _ in sig.state]
    for t, g in enumerate(dense, start=1):
        rows = np.flatnonzero(np.abs(g).sum(1))
        new = rule(w[rows], g[rows], *(s[rows] for s in state), *([float(t)] if sig.takes_t else []), **hyper)
        for array, value in zip([w, *state], new if sig.state else (new,), strict=True):
            array[rows] = value
    return w


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("name", rules.__all__)
def test_lazy_updates_only_rows_with_a_gradient(name, jit):
    rule, w = RULES[name], np.random.default_rng(2).standard_normal((6, 4))
    slices, dense = sparse([2, 3, 4])
    got = sparse_run(optimizer(rule, lazy=True), slices, w, jit)
    assert_close([got], [lazily(rule, w, dense)])
    np.testing.assert_array_equal(got[[0, 5]], w[[0, 5]])
    same_as_dense = name in {"gradient_descent", "sign_descent", "adagrad"}
    assert (differ([got], numpy_run(rule, [w], [[g] for g in dense])) < 1e-14) == same_as_dense


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_a_sparse_gradient_is_clipped_after_its_rows_are_summed(clip, lazy):
    w = np.zeros((6, 4))
    slices, dense = sparse([2, 3, 4])
    got = sparse_run(optimizer(rules.gradient_descent, lazy=lazy, **{clip: 0.5}), slices, w)
    assert_close([got], [keras_run(optimizer(rules.gradient_descent, **{clip: 0.5}), [w], [[g] for g in dense])[0]])


# What Keras does around a step


def test_clipping():
    g = [np.full(4, 3.0), np.full((2, 2), 0.1)]  # norms 6 and 0.2
    w = [np.zeros(4), np.zeros((2, 2))]

    def after(**clip):
        first, second = keras_run(optimizer(rules.gradient_descent, learning_rate=1.0, **clip), w, [g])
        return -first[0], -second[0, 0]

    assert after() == pytest.approx((3, 0.1))
    assert after(clipnorm=1.0) == pytest.approx((0.5, 0.1), rel=1e-6)
    assert after(clipvalue=1.0) == pytest.approx((1, 0.1))
    norm = math.hypot(6, 0.2)
    assert after(global_clipnorm=1.0) == pytest.approx((3 / norm, 0.1 / norm), rel=1e-6)


def test_weight_decay_goes_to_the_rule_that_has_one_and_else_to_keras():
    weights, gradients = arrays("float64", 10)
    ours = optimizer(rules.adamw, weight_decay=0.25)
    assert (ours.hyper["weight_decay"], ours.weight_decay) == (0.25, None)
    by_rule = keras_run(ours, weights, gradients)
    assert_close(by_rule, numpy_run(rules.adamw, weights, gradients, weight_decay=0.25))
    theirs = optimizer(rules.adam, weight_decay=0.25)
    assert theirs.weight_decay == 0.25
    assert_close(keras_run(theirs, weights, gradients), by_rule)  # 1 - alpha lambda either way
    plain = numpy_run(rules.adam, weights, gradients)
    assert differ(plain, by_rule) > 1e-3
    for rule in (rules.adamw, rules.adam):
        opt = optimizer(rule, weight_decay=0.25)
        opt.exclude_from_weight_decay(var_names=["variable"])
        assert_close(keras_run(opt, weights, gradients), plain)


def test_moving_average_and_accumulation():
    weights, gradients = arrays("float64", 4, [(3,)])
    opt = optimizer(rules.gradient_descent, use_ema=True, ema_momentum=0.5)
    last = keras_run(opt, weights, gradients)
    path = [numpy_run(rules.gradient_descent, weights, gradients[:n])[0] for n in range(1, 5)]
    average = path[0]
    for w in path[1:]:
        average = 0.5 * average + 0.5 * w
    opt.finalize_variable_values(opt._trainable_variables)
    assert_close([opt._trainable_variables[0].numpy()], [average])
    assert differ(last, [average]) > 1e-4
    opt = optimizer(rules.gradient_descent, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=1)
    w = average = numpy_run(rules.gradient_descent, weights, gradients[:1])[0]
    for step in gradients[1:]:
        w = average = 0.5 * average + 0.5 * (w - 0.1 * step[0])
    assert_close(keras_run(opt, weights, gradients), [w])
    got = keras_run(optimizer(rules.adam, gradient_accumulation_steps=2), weights, gradients)
    means = [[(a + b) / 2 for a, b in zip(*gradients[i : i + 2], strict=True)] for i in (0, 2)]
    assert_close(got, numpy_run(rules.adam, weights, means))
