"""Models trained, saved and loaded with a rule as their optimizer, and rules of your own."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from fo_lib import keras as fo_keras
from fo_lib import learning_rates, matrix_rules, rules
from fo_lib.keras import optimizer
from tests.keras_runs import (
    arrays,
    assert_close,
    keras_run,
    numpy_run,
)

# saving: TensorFlow's arrays under NumPy 2.4
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


# Models


def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((64, 6)).astype("float32")
    return X, (X @ rng.standard_normal((6, 1)) > 0).astype("float32")


def model(opt, policy="float32", **compile_arguments):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(8, activation="tanh", dtype=policy), keras.layers.Dense(1, dtype=policy)]
    net = keras.Sequential([keras.Input((6,)), *layers])
    net.compile(optimizer=opt, loss=keras.losses.BinaryCrossentropy(from_logits=True), **compile_arguments)
    return net


def fit(net, epochs=5):
    return net.fit(*data(), batch_size=16, epochs=epochs, shuffle=False, verbose=0).history["loss"]


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_fit_trains_as_a_loop_of_your_own(jit):
    net = model(optimizer(rules.adam, learning_rate=0.02), jit_compile=jit)
    losses = fit(net)
    assert losses[-1] < losses[0] - 0.1
    twin, opt = model("sgd"), optimizer(rules.adam, learning_rate=0.02)
    X, y = data()
    for start in [0, 16, 32, 48] * 5:
        with tf.GradientTape() as tape:
            loss = twin.loss(y[start : start + 16], twin(X[start : start + 16], training=True))
        variables = twin.trainable_variables
        opt.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    assert_close(net.get_weights(), twin.get_weights(), 200)  # float32, 20 steps, sums in another order


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_variables_of_float32(policy):
    opt = optimizer(rules.adam, learning_rate=0.01)
    if policy == "mixed_float16":
        opt = keras.optimizers.LossScaleOptimizer(opt, initial_scale=2.0**10)
    net = model(opt, policy)
    losses = fit(net, 10)
    assert losses[-1] < losses[0] - 0.1
    state = [v for v in opt.variables if v.path.endswith(("_m", "_v"))]
    assert len(state) == 8
    assert {v.dtype for v in [*net.trainable_variables, *state]} == {"float32"}


def test_loss_scaling_leaves_the_steps_as_they_are():
    weights, gradients = arrays("float64", 5)
    scaled = [[1024 * g for g in step] for step in gradients]
    opt = keras.optimizers.LossScaleOptimizer(optimizer(rules.adam), initial_scale=1024)
    expected = numpy_run(rules.adam, weights, gradients)
    assert_close(keras_run(opt, weights, scaled), expected)
    assert_close(keras_run(optimizer(rules.adam, loss_scale_factor=1024.0), weights, scaled), expected)


# Saving


def test_a_loaded_model_goes_on_bit_for_bit(tmp_path):
    cosine = learning_rates.cosine(0.01, steps=40, warmup=5)
    for opt in [
        optimizer(rules.nadam, learning_rate=0.1, beta1=0.8, clipnorm=1.0, name="mine"),
        optimizer(rules.adamw, fo_keras.schedule(cosine, steps=40), weight_decay=0.1, use_ema=True),
        optimizer(matrix_rules.shampoo, lazy=False),
    ]:
        net = model(opt)
        fit(net)
        net.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.optimizer.get_config() == opt.get_config()
        assert loaded.optimizer.rule is opt.rule
        assert fit(net) == fit(loaded)
        for a, b in zip(net.get_weights(), loaded.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_config_round_trip():
    opt = optimizer(rules.lion, learning_rate=0.1, weight_decay=0.2, lazy=True, global_clipnorm=3.0)
    twin = fo_keras.RuleOptimizer.from_config(opt.get_config())
    assert twin.get_config() == opt.get_config()
    assert (twin.hyper, twin.lazy, twin.rule) == (opt.hyper, True, rules.lion)
    assert opt.get_config()["learning_rate"] == 0.1  # not its float32
    assert (opt.name, optimizer(rules.lion, name="mine").name) == ("lion", "mine")


WEIGHTS = np.array([0.5, 2.0])


def my_helper(g, depth=2):
    return my_helper(g, depth - 1) if depth else np.sign(g) + np.linalg.norm(g) * np.pi * np.sum(WEIGHTS)


def my_rule(w, g, learning_rate=0.1):
    return w - learning_rate * my_helper(g)


def test_your_own_rule_is_saved_by_a_name_that_leads_back_to_it(tmp_path):
    net, path = model(optimizer(my_rule)), tmp_path / "model.keras"
    with pytest.raises(ValueError, match=r"rule 'my_rule' cannot be saved by name: decorate it with @keras"):
        net.save(path)
    with keras.saving.custom_object_scope({"my_rule": my_rule}):
        net.save(path)
    assert keras.saving.load_model(path, custom_objects={"my_rule": my_rule}).optimizer.rule is my_rule
    config = {"rule": "my_rule"}
    with pytest.raises(ValueError, match="no rule is known by the name 'my_rule'"):
        fo_keras.RuleOptimizer.from_config(config)
    assert fo_keras.RuleOptimizer.from_config(config, {"my_rule": my_rule}).rule is my_rule

    @keras.saving.register_keras_serializable("test")
    def adam(w, g, learning_rate=0.1):  # the name of one of ours
        return w - learning_rate * g

    config = optimizer(adam).get_config()
    assert config["rule"] == "test>adam"
    assert fo_keras.RuleOptimizer.from_config(config).rule is adam


# Rules of your own


def test_a_rule_sees_tensors_wherever_it_reads_numpy():
    from numpy import sqrt

    factor = 2.0

    def closure(w, g, learning_rate=0.1):
        return w - learning_rate * sqrt(np.abs(g)) * max(factor for _ in range(1)) * my_helper(g)

    weights, gradients = arrays("float64", 3)
    before = dict(closure.__globals__)
    got = keras_run(optimizer(closure), weights, gradients, compiled=True)
    assert_close(got, numpy_run(closure, weights, gradients))
    assert closure.__globals__["np"] is np
    assert {k: v for k, v in closure.__globals__.items() if before.get(k) is not v} == {}


def inner_only(w, g, learning_rate=0.1):
    return w - learning_rate * (lambda x: np.sign(x) * np.sqrt(np.abs(x)))(g)


@pytest.mark.parametrize("rule", [rules.adam, rules.gradient_descent])
def test_a_checkpoint_of_tensorflow_restores_state_and_learning_rate(rule, tmp_path):
    X, y = data()
    first, other = model(optimizer(rule, learning_rate=0.1)), model(optimizer(rule, learning_rate=0.7))
    first.fit(X, y, epochs=2, verbose=0)
    other.fit(X, y, epochs=1, verbose=0)
    saved = tf.train.Checkpoint(model=first, optimizer=first.optimizer).save(str(tmp_path / "saved"))
    restored = tf.train.Checkpoint(model=other, optimizer=other.optimizer).restore(saved)
    restored.assert_existing_objects_matched().assert_consumed()
    assert [v.name for v in first.optimizer.variables].count("learning_rate") == 1
    for net in (first, other):
        net.fit(X, y, epochs=1, shuffle=False, verbose=0)
    assert float(other.optimizer.learning_rate) == 0.1
    for a, b in zip(first.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_numpy_inside_an_inner_function():
    weights, gradients = arrays("float64", 3)
    assert_close(
        keras_run(optimizer(inner_only), weights, gradients, compiled=True), numpy_run(inner_only, weights, gradients)
    )


def test_a_rule_without_source_text_runs_in_a_graph_without_a_warning(capfd):
    scope = {"np": np}
    exec("def typed(w, g, learning_rate=0.1):\n    return w - learning_rate * np.sign(g)", scope)
    variable, opt = keras.Variable(np.ones(3)), optimizer(scope["typed"])
    opt.build([variable])

    @tf.function
    def step(g):
        opt.apply([g], [variable])

    step(tf.constant([1.0, -1.0, 0.0]))
    assert variable.numpy() == pytest.approx([0.9, 1.1, 1.0])
    assert "AutoGraph" not in capfd.readouterr().err


def test_a_gradient_of_lower_precision_is_cast():
    variable, opt = keras.Variable(np.ones(3, "float32"), dtype="float32"), optimizer(rules.momentum, learning_rate=0.5)
    opt.apply([tf.constant([1.0, -1.0, 0.0], tf.bfloat16)], [variable])
    assert variable.numpy().tolist() == [0.5, 1.5, 1.0]


def test_what_keras_lacks_is_named():
    def spline(w, g, learning_rate=0.1):
        return w - learning_rate * np.interp(g, [0, 1], [0, 1])

    with pytest.raises(AttributeError, match=r"the rule uses np.interp, and keras.ops has no such function"):
        keras_run(optimizer(spline), *arrays("float64", 1))


def test_importing_fo_lib_imports_neither_keras_nor_tensorflow():
    code = "import sys, fo_lib, fo_lib.rules; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
