"""Our rules and PyTorch's optimizers take the same steps, where their conventions are the same.

PyTorch itself is not needed: make_pytorch_reference.py stored what it did.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fo_lib import rules
from tests.parity.trajectories import (
    ROUNDING,
    SHAPES,
    STEPS,
    Arrays,
    assert_close,
    distance,
    drop,
    rate_outside_velocity,
    run,
)

REFERENCE = Path(__file__).with_name("pytorch_reference.npz")
DROP = "momentum, rate / 10 after half"

# Name in the reference: our rule, and its settings where they are not our defaults. The names with
# parentheses are PyTorch's optimizers without any argument.
CASES = {
    "sgd": (rules.gradient_descent, {"learning_rate": 0.01}),
    "momentum": (rules.momentum, {}),
    "nesterov": (rules.nesterov, {}),
    "adagrad": (rules.adagrad, {}),
    "rmsprop": (rules.rmsprop, {}),
    "adam": (rules.adam, {}),
    "adamw": (rules.adamw, {}),
    "SGD()": (rules.gradient_descent, {"learning_rate": 0.001}),
    "Adagrad()": (rules.adagrad, {}),
    "RMSprop()": (rules.rmsprop, {"learning_rate": 0.01, "rho": 0.99}),
    "Adam()": (rules.adam, {}),
    "AdamW()": (rules.adamw, {}),
}


def pytorch(name: str, dtype: str) -> Arrays:
    with np.load(REFERENCE) as file:
        return [file[f"{name}/{dtype}/{i}"] for i in range(len(SHAPES))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_rule_takes_the_steps_of_pytorch(name: str, dtype: str) -> None:
    rule, settings = CASES[name]
    assert_close(run(rule, dtype, **settings), pytorch(name, dtype), ROUNDING[dtype])


def test_every_stored_trajectory_is_compared() -> None:
    with np.load(REFERENCE) as file:
        about = json.loads(str(file["about"]))
        stored = {name.split("/float")[0] for name in file.files} - {"about"}
        assert all(file[name].shape[0] == STEPS for name in file.files if name != "about")
    assert stored == set(about["settings"]) == {*CASES, DROP}
    assert about["torch"].startswith("2.")


def test_comparison_would_see_epsilon_on_the_other_side_of_the_root() -> None:
    def inside(w, g, v, learning_rate=0.001, rho=0.9, epsilon=1e-8):
        v = rho * v + (1 - rho) * g * g
        return w - learning_rate * g / np.sqrt(v + epsilon), v

    for dtype in ("float32", "float64"):
        with pytest.raises(AssertionError):
            assert_close(run(inside, dtype), pytorch("rmsprop", dtype), ROUNDING[dtype])


def test_two_conventions_of_momentum_agree_at_a_constant_rate() -> None:
    for rate in (0.001, 0.01, 0.3):
        ours = run(rules.momentum, "float64", learning_rate=rate)
        theirs = run(rate_outside_velocity, "float64", learning_rate=rate)
        assert_close(ours, theirs, ROUNDING["float64"])


def test_two_conventions_of_momentum_differ_once_the_rate_drops() -> None:
    half = STEPS // 2
    ours = run(rules.momentum, "float64", drop())
    theirs = run(rate_outside_velocity, "float64", drop())
    assert_close([w[:half] for w in ours], [w[:half] for w in theirs], ROUNDING["float64"])
    # Right after the drop ours still carries 0.9 v, theirs a tenth of it: they are 0.81 v apart.
    for a, b in zip(ours, theirs, strict=True):
        v = a[half - 1] - a[half - 2]
        np.testing.assert_allclose(a[half] - b[half], 0.81 * v, rtol=1e-9, atol=1e-14)
    assert distance(ours, theirs) > 0.03


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pytorch_keeps_the_rate_outside_the_velocity(dtype: str) -> None:
    assert_close(run(rate_outside_velocity, dtype, drop()), pytorch(DROP, dtype), ROUNDING[dtype])
    assert distance(run(rules.momentum, dtype, drop()), pytorch(DROP, dtype)) > 0.03
