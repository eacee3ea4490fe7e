"""What a rule and its hyperparameters may be: everything else is refused by name."""

import numpy as np
import pytest

from fo_lib import rules
from fo_lib.engine import Stepper, fuse, signature


def returns_too_little(w, g, v, learning_rate=0.1):
    return w - learning_rate * g


def returns_a_number(w, g, learning_rate=0.1):
    return 0.0


def test_the_roles_of_parameters():
    sig = signature(rules.adam)
    assert sig.state == ("m", "v")
    assert sig.takes_t
    assert list(sig.hyper) == ["learning_rate", "beta1", "beta2", "epsilon"]
    assert fuse(rules.adam, np.float64) is fuse(rules.adam, np.float64)


@pytest.mark.parametrize(
    "rule",
    [
        lambda w: w,
        lambda w, g: w,
        lambda w, g, *, learning_rate=1.0: w,
        lambda w, g, t, v, learning_rate=1.0: w,
    ],
)
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(TypeError, match=r"rule must be a function rule\(w, g, \*state, \[t\], learning_rate="):
        Stepper(rule)
    with pytest.raises(TypeError, match="rule must be a function, got 'adam'"):
        Stepper("adam")


@pytest.mark.parametrize(
    ("rule", "hyper", "error", "message"),
    [
        (rules.adam, {"momentum": 0.9}, TypeError, r"rule 'adam' has hyperparameters \['learning_rate', .*'momentum'"),
        (rules.adam, {"learning_rate": 0}, ValueError, "learning_rate must be a finite number and > 0, got 0"),
        (rules.adam, {"learning_rate": "fast"}, TypeError, "learning_rate must be a finite number and > 0"),
        (rules.momentum, {"momentum": 1.0}, ValueError, "momentum must be a finite number and >= 0 and < 1, got 1"),
        (rules.nesterov, {"momentum": -0.1}, ValueError, "momentum must be"),
        (rules.rmsprop, {"rho": 1.5}, ValueError, "rho must be"),
        (rules.adam, {"beta1": 1.0}, ValueError, "beta1 must be"),
        (rules.adam, {"beta2": np.nan}, ValueError, "beta2 must be"),
        (rules.adagrad, {"epsilon": -1e-8}, ValueError, "epsilon must be a finite number and >= 0"),
        (rules.adamw, {"weight_decay": -1}, ValueError, "weight_decay must be a finite number and >= 0"),
    ],
)
def test_bad_hyperparameters_are_named(rule, hyper, error, message):
    with pytest.raises(error, match=message):
        Stepper(rule, **hyper)


def test_a_gradient_of_another_shape_or_dtype_is_refused():
    step = Stepper(rules.gradient_descent)
    with pytest.raises(ValueError, match=r"g must have the shape and dtype of w, \(3,\) float64, got \(2,\)"):
        step(np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match=r"got \(3,\) float32"):
        step(np.ones(3), np.ones(3, np.float32))


@pytest.mark.parametrize("rule", [returns_too_little, returns_a_number])
def test_a_rule_that_returns_the_wrong_thing_is_refused(rule):
    with pytest.raises(ValueError, match=rf"rule '{rule.__name__}' must return"):
        Stepper(rule)(np.ones(2), np.ones(2))


def test_an_override_is_for_one_step_only():
    step, w = Stepper(rules.gradient_descent, learning_rate=0.5), np.zeros(1)
    step(w, np.ones(1), learning_rate=2.0)
    step(w, np.ones(1))
    assert w[0] == -2.5
