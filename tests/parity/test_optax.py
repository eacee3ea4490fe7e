"""Our rules and optax's optimizers take the same steps, or differ exactly as our docstrings say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    rate_outside_velocity,
    run,
    weights_and_gradients,
)

jax = pytest.importorskip("jax", reason="jax is not installed")
optax = pytest.importorskip("optax", reason="optax is not installed")

# name: (our rule, our settings, optax's optimizer, its settings), in matched conventions
CASES: dict[str, tuple[Callable[..., Any], dict[str, float], str, dict[str, Any]]] = {
    "sgd": (rules.gradient_descent, {}, "sgd", {}),
    "momentum": (rules.momentum, {}, "sgd", {"momentum": 0.9}),
    "nesterov": (rules.nesterov, {}, "sgd", {"momentum": 0.9, "nesterov": True}),
    "adagrad": (rules.adagrad, {"epsilon": 0}, "adagrad", {"eps": 0, "initial_accumulator_value": 0}),
    "adagrad from 0.1": (rules.adagrad, {"epsilon": 0, "start": 0.1}, "adagrad", {"eps": 0}),
    "rmsprop": (rules.rmsprop, {"epsilon": 0}, "rmsprop", {"eps": 0}),
    "rmsprop, epsilon outside": (rules.rmsprop, {}, "rmsprop", {"eps_in_sqrt": False}),
    "adam": (rules.adam, {}, "adam", {}),
    "adamw": (rules.adamw, {"weight_decay": 1e-4}, "adamw", {}),
}


@pytest.fixture(autouse=True, scope="module")
def double_precision() -> Iterator[None]:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def run_optax(optimizer: Any, dtype: str) -> Arrays:
    start, gradients = weights_and_gradients(dtype)
    weights = [jax.numpy.asarray(w) for w in start]
    state = optimizer.init(weights)
    paths: list[Arrays] = [[] for _ in weights]
    for t in range(STEPS):
        updates, state = optimizer.update([jax.numpy.asarray(g) for g in gradients[t]], state, weights)
        weights = optax.apply_updates(weights, updates)
        for path, w in zip(paths, weights, strict=True):
            path.append(np.asarray(w))
    return [np.stack(path) for path in paths]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_rule_takes_the_steps_of_optax(name: str, dtype: str) -> None:
    rule, settings, optimizer, their_settings = CASES[name]
    theirs = run_optax(getattr(optax, optimizer)(0.01, **their_settings), dtype)
    assert_close(run(rule, dtype, learning_rate=0.01, **settings), theirs, ROUNDING[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_optax_keeps_the_rate_outside_the_velocity(dtype: str) -> None:
    schedule = optax.piecewise_constant_schedule(0.01, {STEPS // 2: 0.1})
    theirs = run_optax(optax.sgd(schedule, momentum=0.9), dtype)
    assert_close(run(rate_outside_velocity, dtype, drop()), theirs, ROUNDING[dtype])
    assert distance(run(rules.momentum, dtype, drop()), theirs) > 0.03


def test_optax_adds_epsilon_inside_the_root() -> None:
    def adagrad(w: Any, g: Any, s: Any, learning_rate: float = 0.01, epsilon: float = 1e-7) -> Any:
        s = s + g * g
        return w - learning_rate * g / np.sqrt(s + epsilon), s

    def rmsprop(w: Any, g: Any, v: Any, learning_rate: float = 0.01, epsilon: float = 1e-8) -> Any:
        v = 0.9 * v + (1 - 0.9) * g * g
        return w - learning_rate * g / np.sqrt(v + epsilon), v

    theirs = run_optax(optax.adagrad(0.01, initial_accumulator_value=0), "float64")
    assert_close(run(adagrad, "float64"), theirs, ROUNDING["float64"])
    assert distance(run(rules.adagrad, "float64", learning_rate=0.01, epsilon=1e-7), theirs) > 1e-3
    theirs = run_optax(optax.rmsprop(0.01), "float64")
    assert_close(run(rmsprop, "float64"), theirs, ROUNDING["float64"])
    assert distance(run(rules.rmsprop, "float64", learning_rate=0.01), theirs) > 1e-3


def test_decay_of_adamw_is_a_hundredth_of_ours_by_default() -> None:
    theirs = run_optax(optax.adamw(0.001), "float64")
    assert_close(run(rules.adamw, "float64", weight_decay=1e-4), theirs, ROUNDING["float64"])
    assert distance(run(rules.adamw, "float64"), theirs) > 1e-4
