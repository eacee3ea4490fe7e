"""Our rules and Keras's optimizers take the same steps, or differ exactly as our docstrings say."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fo_lib import rules
from tests.parity.trajectories import (
    ROUNDING,
    STEPS,
    Arrays,
    assert_close,
    distance,
    drop,
    run,
    weights_and_gradients,
)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
keras = pytest.importorskip("keras", reason="Keras is not installed")

# Keras stores the learning rate and other settings as float32 even for float64 weights. Settings that are
# sums of few powers of two pass through that unchanged, and then the steps agree to rounding.
RATE, MOMENTUM, BETA2, DECAY = 2**-7, 0.875, 1 - 2**-10, 2**-6
# With decimal settings the error of float32 remains: 3.9e-8 measured here (Adam, from the powers of 0.999),
# in proportion to the learning rate (4.2e-7 at ten times the rate).
FLOAT32_SETTINGS = 2e-7
NO_EPSILON = 1e-30  # too small to matter, and no division by zero

# name: (our rule, our settings, Keras's optimizer, its settings), in matched conventions
CASES: dict[str, tuple[Callable[..., Any], dict[str, float], str, dict[str, Any]]] = {
    "sgd": (rules.gradient_descent, {}, "SGD", {}),
    "momentum": (rules.momentum, {"momentum": MOMENTUM}, "SGD", {"momentum": MOMENTUM}),
    "nesterov": (rules.nesterov, {"momentum": MOMENTUM}, "SGD", {"momentum": MOMENTUM, "nesterov": True}),
    "adagrad": (rules.adagrad, {"epsilon": 0}, "Adagrad", {"epsilon": 0, "initial_accumulator_value": 0}),
    "adagrad from 1/8": (
        rules.adagrad,
        {"epsilon": 0, "start": 0.125},
        "Adagrad",
        {"epsilon": 0, "initial_accumulator_value": 0.125},
    ),
    "rmsprop": (rules.rmsprop, {"rho": MOMENTUM, "epsilon": 0}, "RMSprop", {"rho": MOMENTUM, "epsilon": 0}),
    "adam": (
        rules.adam,
        {"beta1": MOMENTUM, "beta2": BETA2, "epsilon": NO_EPSILON},
        "Adam",
        {"beta_1": MOMENTUM, "beta_2": BETA2, "epsilon": NO_EPSILON},
    ),
    "adamw": (
        rules.adamw,
        {"beta1": MOMENTUM, "beta2": BETA2, "epsilon": NO_EPSILON, "weight_decay": DECAY},
        "AdamW",
        {"beta_1": MOMENTUM, "beta_2": BETA2, "epsilon": NO_EPSILON, "weight_decay": DECAY},
    ),
}
# The same with Keras's own numbers: 0.9, 0.999 and so on.
DEFAULT_CASES: dict[str, tuple[Callable[..., Any], dict[str, float], str, dict[str, Any]]] = {
    "sgd": (rules.gradient_descent, {"learning_rate": 0.01}, "SGD", {}),
    "momentum": (rules.momentum, {}, "SGD", {"momentum": 0.9}),
    "nesterov": (rules.nesterov, {}, "SGD", {"momentum": 0.9, "nesterov": True}),
    "adagrad": (
        rules.adagrad,
        {"learning_rate": 0.001, "start": 0.1, "epsilon": 0},
        "Adagrad",
        {"epsilon": 0},
    ),
    "rmsprop": (rules.rmsprop, {"epsilon": 0}, "RMSprop", {"epsilon": 0}),
    "adam": (rules.adam, {"epsilon": NO_EPSILON}, "Adam", {"epsilon": NO_EPSILON}),
    "adamw": (
        rules.adamw,
        {"epsilon": NO_EPSILON, "weight_decay": 0.004},
        "AdamW",
        {"epsilon": NO_EPSILON},
    ),
}


def run_keras(optimizer: Any, dtype: str, learning_rates: list[float] | None = None) -> Arrays:
    weights, gradients = weights_and_gradients(dtype)
    variables = [keras.Variable(w, dtype=dtype) for w in weights]
    optimizer.build(variables)
    paths: list[Arrays] = [[] for _ in variables]
    for t in range(STEPS):
        if learning_rates is not None:
            optimizer.learning_rate = learning_rates[t]
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients[t]], variables)
        for path, variable in zip(paths, variables, strict=True):
            path.append(variable.numpy())
    return [np.stack(path) for path in paths]


def first_step(optimizer: Any, g: float) -> float:
    """How far the first step goes from 0 against the gradient `g`, in learning rates."""
    w = keras.Variable(0.0, dtype="float64")
    optimizer.build([w])
    rate = float(optimizer.learning_rate)
    optimizer.apply([keras.ops.convert_to_tensor(g, dtype="float64")], [w])
    return -float(w) / rate


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_rule_takes_the_steps_of_keras(name: str, dtype: str) -> None:
    rule, settings, optimizer, their_settings = CASES[name]
    theirs = run_keras(getattr(keras.optimizers, optimizer)(RATE, **their_settings), dtype)
    assert_close(run(rule, dtype, learning_rate=RATE, **settings), theirs, ROUNDING[dtype])


@pytest.mark.parametrize("name", DEFAULT_CASES)
def test_rule_takes_the_steps_of_keras_at_its_defaults(name: str) -> None:
    rule, settings, optimizer, their_settings = DEFAULT_CASES[name]
    theirs = run_keras(getattr(keras.optimizers, optimizer)(**their_settings), "float64")
    assert_close(run(rule, "float64", **settings), theirs, FLOAT32_SETTINGS)


def test_keras_casts_settings_to_float32() -> None:
    theirs = run_keras(keras.optimizers.SGD(0.01), "float64")
    assert_close(run(rules.gradient_descent, "float64", learning_rate=float(np.float32(0.01))), theirs, 1e-15)
    assert distance(run(rules.gradient_descent, "float64", learning_rate=0.01), theirs) > 1e-10


def test_keras_keeps_the_rate_inside_the_velocity() -> None:
    theirs = run_keras(keras.optimizers.SGD(0.01, momentum=0.9), "float64", drop())
    assert_close(run(rules.momentum, "float64", drop()), theirs, FLOAT32_SETTINGS)
    theirs = run_keras(keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True), "float64", drop())
    assert_close(run(rules.nesterov, "float64", drop()), theirs, FLOAT32_SETTINGS)


@pytest.mark.parametrize("name", ["Adagrad", "RMSprop"])
def test_keras_adds_epsilon_inside_the_root(name: str) -> None:
    def adagrad(w: Any, g: Any, s: Any, learning_rate: float = RATE, epsilon: float = 1e-7) -> Any:
        s = s + g * g
        return w - learning_rate * g / np.sqrt(s + epsilon), s

    def rmsprop(w: Any, g: Any, v: Any, learning_rate: float = RATE, epsilon: float = 1e-7) -> Any:
        v = MOMENTUM * v + (1 - MOMENTUM) * g * g
        return w - learning_rate * g / np.sqrt(v + epsilon), v

    if name == "Adagrad":
        theirs = run_keras(keras.optimizers.Adagrad(RATE, initial_accumulator_value=0), "float64")
        inside, ours = adagrad, run(rules.adagrad, "float64", learning_rate=RATE, epsilon=1e-7)
    else:
        theirs = run_keras(keras.optimizers.RMSprop(RATE, rho=MOMENTUM), "float64")
        inside, ours = rmsprop, run(rules.rmsprop, "float64", learning_rate=RATE, rho=MOMENTUM, epsilon=1e-7)
    assert_close(run(inside, "float64"), theirs, ROUNDING["float64"])
    assert distance(ours, theirs) > 1e-3


def test_epsilon_inside_the_root_shortens_the_steps_of_small_gradients() -> None:
    g = 1e-4
    adagrad = keras.optimizers.Adagrad(initial_accumulator_value=0)
    assert first_step(adagrad, g) == pytest.approx(0.3015, abs=1e-4)  # g / sqrt(g^2 + 1e-7)
    assert -rules.adagrad(0.0, g, 0.0, learning_rate=1.0)[0] == pytest.approx(1, abs=1e-5)
    assert first_step(keras.optimizers.RMSprop(), g) == pytest.approx(0.3147, abs=1e-4)
    assert -rules.rmsprop(0.0, g, 0.0, learning_rate=1.0)[0] == pytest.approx(3.161, abs=1e-3)


def test_keras_adam_uses_epsilon_hat() -> None:
    """Its epsilon joins the root before the bias correction: ours at a step is theirs / sqrt(1 - beta2**t)."""

    def hat(w: Any, g: Any, m: Any, v: Any, t: float, learning_rate: float = RATE) -> Any:
        epsilon = 1e-7 / np.sqrt(1 - BETA2**t)
        return rules.adam(w, g, m, v, t, learning_rate, MOMENTUM, BETA2, epsilon)

    theirs = run_keras(keras.optimizers.Adam(RATE, beta_1=MOMENTUM, beta_2=BETA2), "float64")
    assert_close(run(hat, "float64"), theirs, ROUNDING["float64"])
    ours = run(rules.adam, "float64", learning_rate=RATE, beta1=MOMENTUM, beta2=BETA2, epsilon=1e-7)
    assert distance(ours, theirs) > 1e-5


def test_first_step_of_adam_at_a_tiny_gradient() -> None:
    g = 1e-8
    assert first_step(keras.optimizers.Adam(), g) == pytest.approx(0.00315, abs=5e-6)
    assert -rules.adam(0.0, g, 0.0, 0.0, 1, learning_rate=1.0)[0] == pytest.approx(0.5)


def test_defaults_that_our_docstrings_mention() -> None:
    assert keras.optimizers.AdamW().weight_decay == 0.004
    assert keras.optimizers.Adam().epsilon == 1e-7
    assert keras.optimizers.Adagrad().initial_accumulator_value == 0.1
    assert keras.config.floatx() == "float32"  # no test here changes it
