"""Each rule is its formula: checked by hand on numbers, and on every kind of array it promises to take."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fo_lib import rules
from fo_lib.engine import signature

ALL = [getattr(rules, name) for name in rules.__all__]
EVERY_RULE = pytest.mark.parametrize("rule", ALL, ids=rules.__all__)


ADAM = {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
DEFAULTS = {
    "adadelta": {"learning_rate": 1.0, "rho": 0.95, "epsilon": 1e-6},
    "adagrad": {"learning_rate": 0.01, "epsilon": 1e-10},
    "adam": ADAM,
    "adamax": {**ADAM, "learning_rate": 0.002},
    "adamw": {**ADAM, "weight_decay": 0.01},
    "amsgrad": ADAM,
    "gradient_descent": {"learning_rate": 0.1},
    "lion": {"learning_rate": 0.0001, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0},
    "momentum": {"learning_rate": 0.01, "momentum": 0.9},
    "nadam": {**ADAM, "learning_rate": 0.002, "momentum_decay": 0.004},
    "nesterov": {"learning_rate": 0.01, "momentum": 0.9},
    "rmsprop": {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-8},
    "sign_descent": {"learning_rate": 0.001},
}


def run(rule, w, gradients, **hyper):
    """Apply a rule to a list of gradients as the textbook would: state from zero, t from 1."""
    sig = signature(rule)
    state = [0.0 * w for _ in sig.state]
    for t, g in enumerate(gradients, start=1):
        result = rule(w, g, *state, *([t] if sig.takes_t else []), **hyper)
        w, *state = result if sig.state else (result,)
    return w


def test_all_is_sorted_and_complete():
    functions = [n for n, f in vars(rules).items() if callable(f) and f.__module__.startswith(rules.__name__)]
    assert sorted(functions) == rules.__all__


def test_gradient_descent_by_hand():
    assert run(rules.gradient_descent, 1.0, [2.0, -1.0], learning_rate=0.5) == 1.0 - 0.5 * 2 + 0.5 * 1


def test_momentum_by_hand():
    # v: -0.5 * 2 = -1, then .5 * -1 + .5 * 1 = 0, then .5 * 0 - .5 * 4 = -2
    assert run(rules.momentum, 1.0, [2.0, -1.0, 4.0], learning_rate=0.5, momentum=0.5) == 1 - 1 + 0 - 2


def test_nesterov_is_momentum_with_the_gradient_taken_ahead():
    rate, beta, curvature = 0.1, 0.8, 3.0
    x, v, path = 1.0, 0.0, []
    for _ in range(10):  # the two-point form, in which the gradient is taken at x + beta v
        v = beta * v - rate * curvature * (x + beta * v)
        x = x + v
        path.append(x + beta * v)
    w, u = 1.0, 0.0
    for expected in path:
        w, u = rules.nesterov(w, curvature * w, u, learning_rate=rate, momentum=beta)
        assert w == pytest.approx(expected, rel=1e-13)


def test_adagrad_by_hand():
    # s: 9, then 25
    w = run(rules.adagrad, 0.0, [3.0, 4.0], learning_rate=1.0, epsilon=0.5)
    assert w == pytest.approx(-3 / 3.5 - 4 / 5.5, rel=1e-15)


def test_rmsprop_by_hand():
    # v: .25 * 16 = 4, then .75 * 4 + .25 * 16 = 7
    w = run(rules.rmsprop, 0.0, [4.0, 4.0], learning_rate=1.0, rho=0.75, epsilon=0.5)
    assert w == pytest.approx(-4 / 2.5 - 4 / (math.sqrt(7) + 0.5), rel=1e-15)


def test_adam_by_hand():
    # m: 2, then 2; m_hat: 4, 8/3.  v: 4, then 4; v_hat: 16, 64/7
    w = run(rules.adam, 0.0, [4.0, 2.0], learning_rate=1.0, beta1=0.5, beta2=0.75, epsilon=0.25)
    assert w == pytest.approx(-4 / 4.25 - (8 / 3) / (math.sqrt(64 / 7) + 0.25), rel=1e-15)


@given(st.floats(1e-3, 1e3), st.floats(-1, 1).filter(lambda b: abs(b) > 0.01))
def test_adam_under_a_constant_gradient_moves_by_the_learning_rate_every_step(size, sign):
    """A counter that is ignored, or an epsilon outside the division, breaks this."""
    g, w = size * np.sign(sign), 0.0
    m = v = 0.0
    for t in range(1, 30):
        before = w
        w, m, v = rules.adam(w, g, m, v, t, learning_rate=0.5, epsilon=0.25)
        assert w - before == pytest.approx(-0.5 * g / (size + 0.25), rel=1e-10)


def test_adamw_is_adam_plus_decay_of_the_old_weights():
    w = run(rules.adamw, 2.0, [1.0], learning_rate=0.1, weight_decay=0.5, epsilon=0.0)
    assert w == pytest.approx(2.0 - 0.1 * 1.0 - 0.1 * 0.5 * 2.0, rel=1e-14)
    gradients = [1.0, -2.0, 0.5]
    assert run(rules.adamw, 2.0, gradients, weight_decay=0.0) == run(rules.adam, 2.0, gradients)


def test_sign_descent_by_hand():
    w = run(rules.sign_descent, np.zeros(3), [np.array([5.0, -1e-9, 0.0])], learning_rate=0.5)
    assert w.tolist() == [-0.5, 0.5, 0.0]


def test_lion_by_hand():
    # signs of .5 * 0 + .5 * 4; of .5 * 3 - .5 * 2 (m = .75 * 4); of -.5 * .75 + .05 (m = .25 * 3 - .75 * 2)
    w = run(rules.lion, 0.0, [4.0, -2.0, 0.1], learning_rate=1.0, beta1=0.5, beta2=0.25)
    assert w == -1 - 1 + 1
    assert run(rules.lion, 0.0, [4.0, -2.0], learning_rate=1.0, beta1=0.5, beta2=0.25) == -1 - 1
    assert run(rules.lion, 2.0, [1.0], learning_rate=0.1, weight_decay=0.5) == pytest.approx(2 - 0.1 - 0.1 * 0.5 * 2)


def test_adadelta_by_hand():
    # v: .5 * 16 = 8; step sqrt(1 / 9) * 4 = 4/3; s: .5 * 16/9 = 8/9
    w = run(rules.adadelta, 0.0, [4.0], rho=0.5, epsilon=1.0)
    assert w == pytest.approx(-4 / 3, rel=1e-15)
    # v: 4 + .5 * 4 = 6; step sqrt((8/9 + 1) / 7) * 2
    w = run(rules.adadelta, 0.0, [4.0, 2.0], rho=0.5, epsilon=1.0, learning_rate=2.0)
    assert w == pytest.approx(2 * (-4 / 3 - math.sqrt(17 / 63) * 2), rel=1e-15)


def test_adamax_by_hand():
    # m: 2, 0, 1; corrected 4, 0, 8/7.  u: 4, 3, 2.25
    w = run(rules.adamax, 0.0, [4.0, -2.0, 2.0], learning_rate=1.0, beta1=0.5, beta2=0.75, epsilon=0.5)
    assert w == pytest.approx(-4 / 4.5 - 0 - (8 / 7) / 2.75, rel=1e-14)


def test_amsgrad_by_hand():
    # m: 2, 1.5; v: 4, 3.25 (beta2 .75: .75 * 4 + .25 * 1); s stays 4
    w = run(rules.amsgrad, 0.0, [4.0, 1.0], learning_rate=1.0, beta1=0.5, beta2=0.75, epsilon=0.5)
    assert w == pytest.approx(-2 / 2.5 - 1.5 / 2.5, rel=1e-15)


def test_nadam_by_hand():
    """Written out from the paper, with the products of its schedule computed anew."""
    mu = [0.8 * (1 - 0.5 * 0.96 ** (t * 0.5)) for t in range(1, 5)]
    w = m = v = 0.0
    for t, g in enumerate([4.0, -1.0, 2.0], start=1):
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
        ahead = mu[t] * m / (1 - math.prod(mu[: t + 1])) + (1 - mu[t - 1]) * g / (1 - math.prod(mu[:t]))
        w -= 0.5 * ahead / (math.sqrt(v / (1 - 0.9**t)) + 0.25)
    settings = {"beta1": 0.8, "beta2": 0.9, "epsilon": 0.25, "momentum_decay": 0.5}
    assert run(rules.nadam, 0.0, [4.0, -1.0, 2.0], learning_rate=0.5, **settings) == pytest.approx(w, rel=1e-14)


def test_sign_descent_is_adam_without_memory():
    gradients = [3.0, -0.2, 1e-3]
    adam = run(rules.adam, 1.0, gradients, learning_rate=0.1, beta1=0.0, beta2=0.0, epsilon=0.0)
    assert adam == pytest.approx(run(rules.sign_descent, 1.0, gradients, learning_rate=0.1), rel=1e-14)


@EVERY_RULE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_of_every_shape_match_python_floats(rule, dtype):
    """Twelve steps on two variables of different shapes: nothing is shared between weights."""
    rng = np.random.default_rng(0)
    for shape in [(2, 3), (4,)]:
        w = rng.standard_normal(shape).astype(dtype)
        gradients = rng.standard_normal((12, *shape)).astype(dtype)
        result = run(rule, w, list(gradients))
        assert result.dtype == dtype
        for i in np.ndindex(shape):
            expected = run(rule, float(w[i]), [float(g[i]) for g in gradients])
            assert result[i] == pytest.approx(expected, rel=2e-5 if dtype == np.float32 else 1e-12)


@EVERY_RULE
def test_a_rule_changes_none_of_its_arguments(rule):
    sig = signature(rule)
    arrays = [np.full(3, x) for x in (1.0, 0.5, *[0.25] * len(sig.state))]
    copies = [a.copy() for a in arrays]
    rule(*arrays, *([1] if sig.takes_t else []))
    for a, b in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(a, b)


@EVERY_RULE
def test_each_docstring_names_its_source_and_every_parameter(rule):
    text = rule.__doc__
    assert "Notes\n" in text
    assert any(year in text for year in map(str, range(1847, 2027)))
    for name in signature(rule).hyper:
        assert name in text, name


def test_the_defaults_are_those_of_the_papers_and_of_pytorch():
    """Where they differ (see the docstrings) one of them; the learning rates are those that the book starts from."""
    assert {name: signature(getattr(rules, name)).hyper for name in rules.__all__} == DEFAULTS
