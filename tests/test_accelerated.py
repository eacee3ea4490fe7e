"""The accelerated gradient method: its recursion, its points, restarts, and how it stops."""

import numpy as np
import pytest

from fo_lib import accelerated, minimize, problems, prox, rules, sets
from fo_lib.accelerated import accelerate, restart_by_gradient, restart_by_value

BOWL = problems.quadratic([1.0, 30.0, 500.0], seed=1, start=[3.0, -2.0, 1.0])


def test_the_recursion_by_hand():
    x = y = BOWL.start
    trace = accelerate(BOWL, steps=8, iterates=True)
    for k in range(8):
        new = y - BOWL.grad(y) / BOWL.L
        y = new + k / (k + 3) * (new - x)
        x = new
        np.testing.assert_allclose(trace.iterates[k + 1], x, rtol=1e-12)
    assert trace.value[-1] == BOWL.value(trace.w)
    assert trace.grad_norm[-1] == np.linalg.norm(BOWL.grad(trace.w))
    assert trace.learning_rate.tolist() == [0.0] + [1 / BOWL.L] * 8
    assert trace.message == "made all 8 steps"
    assert trace.settings == {"rule": "accelerate", "stochastic": False, "L": BOWL.L}


def test_with_a_constant_momentum_it_is_the_rule():
    """The rule's weights are the look-ahead point: x + beta v, and x its gradient step."""
    settings = {"learning_rate": 0.001, "momentum": 0.8, "steps": 20, "iterates": True}
    y = minimize(BOWL, rules.nesterov, **settings).iterates
    x = accelerate(BOWL, **settings).iterates
    steps = y - 0.001 * np.array([BOWL.grad(w) for w in y])
    np.testing.assert_allclose(x[1:], steps[:-1], rtol=1e-10)


def restarted(test, steps):
    """The method written out, with restarts by a test of (g, x, new)."""
    x = y = BOWL.start
    k, path = 0, [x]
    for _ in range(steps):
        g = BOWL.grad(y)
        new = y - g / BOWL.L
        if test(g, x, new):
            k, y = 0, new
        else:
            k += 1
            y = new + (k - 1) / (k + 2) * (new - x)
        x = new
        path.append(x)
    return np.array(path)


@pytest.mark.parametrize(
    ("restart", "test"),
    [
        (restart_by_gradient, lambda g, x, new: g @ (new - x) > 0),
        (restart_by_value, lambda g, x, new: BOWL.value(new) > BOWL.value(x)),
    ],
)
def test_restarts_by_hand(restart, test):
    trace = accelerate(BOWL, restart=restart, steps=200, iterates=True)
    np.testing.assert_allclose(trace.iterates, restarted(test, 200), rtol=1e-8, atol=1e-12)
    assert trace.value[-1] < 1e-6 * accelerate(BOWL, steps=200).value[-1]


def test_weights_of_any_structure_and_a_given_start():
    X, y = np.random.default_rng(0).standard_normal((30, 4)), np.arange(30) % 3
    problem = problems.softmax_regression(X, y, l2=0.1)
    start = [np.ones((4, 3)), np.zeros(3)]
    trace = accelerate(problem, start=start, steps=300, every=100)
    assert trace.step.tolist() == [0, 100, 200, 300]
    assert [a.shape for a in trace.w] == [(4, 3), (3,)]
    assert trace.grad_norm[-1] < 1e-3
    assert start[0].tolist() == np.ones((4, 3)).tolist()


def test_it_stops_at_the_tolerance_and_reports_divergence():
    trace = accelerate(BOWL, momentum=0.9, tolerance=1e-3, steps=2000)
    assert trace.reason == "tolerance"
    assert trace.grad_norm[-1] <= 1e-3 < trace.grad_norm[-2]
    trace = accelerate(BOWL, learning_rate=1.0, steps=2000)
    assert trace.diverged
    assert "diverged: value or gradient no longer finite at step" in trace.message
    assert np.isfinite(trace.value).all()


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"problem": 3}, TypeError, "problem must be a Problem"),
        (
            {"problem": problems.rosenbrock()},
            ValueError,
            "learning_rate must be given: problem 'Rosenbrock' has no known",
        ),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a finite number and > 0, got 0"),
        ({"momentum": 1.0}, ValueError, "momentum must be a finite number and >= 0 and < 1, got 1.0"),
        ({"momentum": lambda t: t}, ValueError, r"momentum\(1\) must be"),
        ({"start": np.zeros(2)}, ValueError, "start must have the shape of the problem's"),
        ({"steps": -1}, ValueError, "steps must be a whole number >= 0, got -1"),
        ({"every": 0}, ValueError, "every must be a whole number >= 1, got 0"),
        ({"tolerance": -1}, ValueError, "tolerance must be a finite number and >= 0, got -1"),
    ],
)
def test_bad_input_is_named(settings, error, words):
    problem = settings.get("problem", BOWL)
    with pytest.raises(error, match=words):
        accelerate(problem, **{name: value for name, value in settings.items() if name != "problem"})


def test_the_momentum_for_convex_functions_grows_to_one():
    assert [accelerated.growing_momentum(t) for t in (1, 2, 4)] == [0.0, 0.25, 0.5]


def test_a_restart_forgets_the_velocity_at_a_constant_momentum_too():
    calls = iter([False, False, True, False])
    trace = accelerate(BOWL, momentum=0.9, restart=lambda *arguments: next(calls), steps=4, iterates=True)
    x = y = BOWL.start
    for fresh in (False, False, True, False):
        new = y - BOWL.grad(y) / BOWL.L
        y = new if fresh else new + 0.9 * (new - x)
        x = new
    np.testing.assert_allclose(trace.w, x, rtol=1e-12)


LASSO = prox.l1(3.0)
OFF_ZERO = problems.quadratic([1.0, 30.0, 500.0], seed=1, minimizer=[4.0, -1.0, 0.5], start=[3.0, -2.0, 1.0])


def test_with_a_prox_it_is_fista_by_hand():
    x = y = OFF_ZERO.start
    trace = accelerate(OFF_ZERO, prox=LASSO, steps=8, iterates=True)
    for k in range(8):
        new = LASSO(y - OFF_ZERO.grad(y) / OFF_ZERO.L, 1 / OFF_ZERO.L)
        y = new + k / (k + 3) * (new - x)
        x = new
        np.testing.assert_array_equal(trace.iterates[k + 1], x)
    assert trace.value[-1] == OFF_ZERO.value(trace.w) + LASSO.value(trace.w)
    mapping = prox.gradient_mapping(LASSO, x, OFF_ZERO.grad(x), 1 / OFF_ZERO.L)
    assert trace.grad_norm[-1] == pytest.approx(np.linalg.norm(mapping), rel=1e-12)


@pytest.mark.parametrize("restart", [None, restart_by_gradient, restart_by_value])
def test_with_a_prox_it_finds_what_minimize_finds(restart):
    settings = {"prox": LASSO, "tolerance": 1e-10, "steps": 20_000}
    fast = accelerate(OFF_ZERO, restart=restart, **settings)
    plain = minimize(OFF_ZERO, learning_rate=1 / OFF_ZERO.L, **settings)
    assert fast.reason == plain.reason == "tolerance"
    np.testing.assert_allclose(fast.w, plain.w, atol=1e-9)
    assert np.linalg.norm(OFF_ZERO.grad(plain.w)) > 1


def test_a_prox_of_matrices_sees_matrices():
    target = np.diag([3.0, 1.0, 0.2])
    near = problems.from_functions(
        lambda w: float(np.sum((w - target) ** 2) / 2), lambda w: w - target, np.zeros((3, 3)), L=1.0
    )
    trace = accelerate(near, prox=prox.nuclear_norm(0.5), steps=5)
    np.testing.assert_allclose(trace.w, np.diag([2.5, 0.5, 0]), atol=1e-12)


def test_a_start_outside_the_set_is_refused_and_a_divergence_reported():
    with pytest.raises(ValueError, match="start must be a point where value and gradient are finite"):
        accelerate(OFF_ZERO, prox=sets.l2_ball(1.0), start=[3.0, 0.0, 0.0])
    square = problems.from_functions(lambda w: float(np.sum(w * w)), lambda w: 2 * w, np.ones((2, 2)), L=2.0)
    trace = accelerate(square, prox=prox.nuclear_norm(0.1), learning_rate=3.0, steps=2000)
    assert trace.diverged
    assert np.isfinite(trace.value).all()


@pytest.mark.parametrize("argument", ["prox", "restart"])
def test_what_is_no_function_is_refused(argument):
    with pytest.raises(TypeError, match=f"{argument} must be a function, got 1"):
        accelerate(BOWL, **{argument: 1})


def test_after_a_divergence_the_weights_are_finite():
    for rate in (3.0, 1e10):  # the gradient overflows before the weights do, and the other way round
        trace = accelerate(problems.quadratic([1.0]), learning_rate=rate, steps=3000, every=1000)
        assert trace.diverged
        assert np.isfinite(trace.w).all()


def test_steps_are_made_in_the_precision_of_the_start():
    seen = []

    def grad(w):
        seen.append(w.dtype)
        return w

    bowl = problems.from_functions(lambda w: float(w @ w) / 2, grad, np.ones(2, np.float32), L=1.0)
    assert accelerate(bowl, learning_rate=0.5, steps=3).w.dtype == np.float32
    assert set(seen) == {np.dtype(np.float32)}
