"""One loop: it makes the steps of the rule, records what it says, and reports how it ended."""

import doctest

import numpy as np
import pytest

import fo_lib.loop
import fo_lib.problem
from fo_lib import (
    Stepper,
    averages,
    engine,
    gradients,
    learning_rates,
    matrix_rules,
    minimize,
    problems,
    rules,
    transforms,
)
from fo_lib.problem import Problem

ALL = [getattr(rules, name) for name in rules.__all__]
BOWL = problems.quadratic([1.0, 10.0])
RNG = np.random.default_rng(0)
X = RNG.standard_normal((30, 3))
Y = RNG.integers(3, size=30)


@pytest.mark.parametrize("module", [fo_lib.loop, fo_lib.problem])
def test_the_examples_in_the_docstrings(module):
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("rule", ALL, ids=rules.__all__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_on_variables_of_different_shapes_are_those_of_the_rule(rule, dtype):
    """Fifteen steps of softmax regression: each variable moves as if it were alone with its gradient."""
    problem = problems.softmax_regression(X.astype(dtype), Y, l2=0.1)
    trace = minimize(problem, rule, learning_rate=0.05, steps=15)
    weights = [a.copy() for a in problem.start]
    steppers = [Stepper(rule, fused=False, learning_rate=0.05) for _ in weights]
    for _ in range(15):
        for w, g, step in zip(weights, problem.grad(weights), steppers, strict=True):
            step(w, g)
    for got, expected in zip(trace.w, weights, strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, expected, rtol=1e-4 if dtype == np.float32 else 1e-11)
    assert np.linalg.norm(trace.w[0]) > 0.005


def test_the_start_is_copied_and_may_be_given():
    start = np.array([1, 2])
    trace = minimize(BOWL, start=start, steps=3, learning_rate=0.1, iterates=True)
    assert start.tolist() == [1, 2]
    np.testing.assert_array_equal(trace.iterates[0], [1.0, 2.0])
    before = BOWL.start.copy()
    minimize(BOWL, learning_rate=0.1, steps=3)
    np.testing.assert_array_equal(BOWL.start, before)


def test_the_trace_records_start_every_and_last():
    trace = minimize(BOWL, learning_rate=0.05, steps=10, every=4, iterates=True)
    assert trace.step.tolist() == [0, 4, 8, 10]
    assert trace.iterates.shape == (4, 2)
    for w, value, norm in zip(trace.iterates, trace.value, trace.grad_norm, strict=True):
        assert value == BOWL.value(w)
        assert norm == np.linalg.norm(BOWL.grad(w))
    np.testing.assert_array_equal(trace.iterates[-1], trace.w)
    np.testing.assert_allclose(trace.iterates[1], [0.95**4, 0.5**4], rtol=1e-14)
    assert trace.learning_rate.tolist() == [0, 0.05, 0.05, 0.05]
    assert minimize(BOWL, steps=2, learning_rate=0.05).iterates is None


def test_no_steps_record_the_start():
    trace = minimize(BOWL, steps=0)
    assert trace.step.tolist() == [0]
    assert trace.reason == "steps"


def test_the_learning_rate_defaults_to_the_rules_own():
    assert minimize(BOWL, steps=1).learning_rate[-1] == 0.1
    assert minimize(BOWL, rules.adam, steps=1).learning_rate[-1] == 0.001


def test_a_schedule_sees_the_step_number_from_one():
    trace = minimize(BOWL, learning_rate=lambda t: 0.1 / t, steps=3)
    np.testing.assert_allclose(trace.learning_rate, [0, 0.1, 0.05, 0.1 / 3])


def test_hyperparameters_reach_the_rule():
    fast = minimize(BOWL, rules.momentum, learning_rate=0.02, momentum=0.5, steps=2, iterates=True)
    assert fast.iterates[2][0] == pytest.approx(0.98 - 0.01 - 0.02 * 0.98)


def test_it_stops_at_the_tolerance_of_the_full_gradient():
    trace = minimize(BOWL, learning_rate=0.1, steps=1000, tolerance=1e-3)
    assert trace.reason == "tolerance"
    assert trace.grad_norm[-1] <= 1e-3 < trace.grad_norm[-2]
    assert trace.message == f"the gradient norm reached the tolerance 0.001 at step {trace.step[-1]}"


def test_a_noisy_gradient_does_not_stop_a_run():
    """Two samples pull at w = 0 with gradients 0 and 2: a batch of the first looks like a solution."""
    problem = problems.least_squares([[1.0], [1.0]], [0.0, -2.0])
    batch = gradients.mini_batch(1, gradients.in_order)
    trace = minimize(problem, gradient=batch, learning_rate=0.1, steps=9, tolerance=0.5)
    assert trace.grad_norm[0] == 1.0
    assert trace.step[-1] > 1
    assert minimize(problem, gradient=batch, learning_rate=0.01, steps=9, tolerance=0.5, every=5).step[-1] == 9
    np.testing.assert_allclose(trace.grad_norm[-1], abs(trace.w[0] + 1.0))


def test_mini_batch_runs_are_a_function_of_the_seed():
    problem = problems.softmax_regression(X, Y)
    runs = [
        minimize(problem, gradient=gradients.mini_batch(4), learning_rate=0.1, steps=20, seed=s).w[0] for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.abs(runs[0] - runs[2]).max() > 1e-4


def test_recording_less_often_changes_nothing_else():
    problem = problems.softmax_regression(X, Y)
    kwargs = {"gradient": gradients.mini_batch(4), "learning_rate": 0.1, "steps": 21}
    often, seldom = (minimize(problem, rules.adam, every=n, **kwargs) for n in (1, 5))
    np.testing.assert_array_equal(often.w[0], seldom.w[0])
    np.testing.assert_array_equal(often.value[[0, 5, 10, 15, 20, 21]], seldom.value)


def test_the_transform_is_applied_before_the_rule_and_the_prox_after():
    start = np.array([3.0, 4.0])
    one = minimize(
        problems.quadratic([1.0, 1.0]), start=start, learning_rate=1.0, steps=1, transform=transforms.clip_norm(1)
    )
    np.testing.assert_allclose(one.w, [2.4, 3.2])
    two = minimize(
        problems.quadratic([1.0, 1.0]), start=start, learning_rate=0.5, steps=1, prox=lambda w, a: np.maximum(w, 4 * a)
    )
    np.testing.assert_allclose(two.w, [2.0, 2.0])


def test_large_problems_run_fused_with_the_same_result():
    big = problems.from_functions(lambda w: 0.5 * float(w @ w), lambda w: w, np.ones(engine.FUSE_FROM), L=1.0)
    np.testing.assert_allclose(minimize(big, learning_rate=0.5, steps=3).w, 0.125)


def test_divergence_is_reported_with_step_rate_and_limit_and_everything_recorded_is_finite():
    trace = minimize(BOWL, learning_rate=0.3, steps=10_000, iterates=True)
    assert trace.diverged
    assert trace.step[-1] < 1000
    assert trace.message == (
        f"diverged: value or gradient no longer finite at step {trace.step[-1] + 1}, "
        "learning_rate=0.3 > 2 / L = 0.2, the limit of gradient descent"
    )
    for recorded in (trace.value, trace.grad_norm, trace.learning_rate, trace.iterates, trace.w):
        assert np.isfinite(recorded).all()
    assert "diverged" in repr(trace)
    np.testing.assert_array_equal(trace.w, trace.iterates[-1])


def test_divergence_below_the_limit_or_without_one_names_no_limit():
    trace = minimize(problems.rosenbrock(), learning_rate=1.0, steps=100)
    assert trace.diverged
    assert "2 / L" not in trace.message
    bounded = minimize(BOWL, rules.momentum, learning_rate=1.0, steps=10_000)
    assert bounded.diverged
    assert "2 / L" not in bounded.message


def test_divergence_between_records_is_found_at_the_next_full_look():
    problem = problems.least_squares(X, X @ [1.0, 2.0, 3.0])
    trace = minimize(problem, gradient=gradients.mini_batch(5), learning_rate=50.0, steps=5000, every=1000)
    assert trace.diverged
    assert np.isfinite(trace.w).all()


def test_a_run_that_rose_without_overflow_says_so():
    trace = minimize(BOWL, learning_rate=0.25, steps=20)
    assert trace.reason == "steps"
    assert trace.message.startswith("made all 20 steps, but the value rose from 5.5 to ")
    assert trace.message.endswith("learning_rate=0.25 > 2 / L = 0.2, the limit of gradient descent")
    assert "rose" not in minimize(BOWL, learning_rate=0.19, steps=20).message


def test_a_run_just_inside_the_limit_does_not_diverge():
    assert not minimize(BOWL, learning_rate=0.2, steps=2000).diverged


def test_progress_writes_nothing_where_there_is_no_terminal(capsys):
    minimize(BOWL, learning_rate=0.1, steps=3, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == ""


def bad_gradient(w):
    return np.ones(3)


MAKERS = [
    ("learning_rate", learning_rates, set(learning_rates.__all__) - {"LineSearch"}),
    ("average", averages, set(averages.__all__)),
    ("transform", transforms, set(transforms.__all__)),
    ("gradient", gradients, {"mini_batch", "noisy", "saga", "svrg"}),
]


@pytest.mark.parametrize(
    ("slot", "maker"),
    [(slot, getattr(module, name)) for slot, module, names in MAKERS for name in sorted(names)],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_what_makes_a_part_is_not_that_part(slot, maker):
    with pytest.raises(TypeError, match=rf"{slot} must be called: {maker.__name__}\(\.\.\.\), not just named"):
        minimize(BOWL, steps=1, **{"learning_rate": 0.1, slot: maker})


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"problem": lambda w: w}, TypeError, "problem must be a Problem .*, got function"),
        ({"rule": "adam"}, TypeError, "rule must be a function, got 'adam'"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be a finite number and > 0, got 0.0"),
        ({"learning_rate": -1}, ValueError, "learning_rate must be a finite number and > 0, got -1"),
        ({"learning_rate": "0.1"}, TypeError, "learning_rate must be a number, a schedule or a line search, got '0.1'"),
        ({"learning_rate": None, "rule": lambda w, g, learning_rate=-1.0: w}, ValueError, "learning_rate must be a finite"),
        ({"learning_rate": lambda t: np.nan}, ValueError, r"learning_rate\(1\) must be .*, got nan"),
        ({"learning_rate": lambda t: 2.0 - t}, ValueError, r"learning_rate\(2\) must be .*, got 0.0"),
        ({"learning_rate": lambda t: "x"}, TypeError, r"learning_rate\(1\) must be"),
        ({"learning_rate": learning_rates.cosine(1e-3, 5), "steps": 9}, ValueError, "t must be a step from 1 to 5"),
        ({"gradient": None}, TypeError, "gradient must be a function, got None"),
        ({"gradient": gradients.mini_batch(2)}, TypeError, "mini_batch needs a problem with samples"),
        ({"transform": 5.0}, TypeError, "transform must be a function, got 5.0"),
        ({"prox": 1}, TypeError, "prox must be a function, got 1"),
        ({"prox": lambda w, a: w[:1]}, ValueError, r"prox\(w\) must have the shape of the weights, \(2,\), got"),
        ({"start": [np.nan, 1.0]}, ValueError, r"start must hold finite numbers only, got nan at index \(0,\)"),
        ({"start": []}, ValueError, "start must be a non-empty array"),
        ({"start": [1e200, 1e200]}, ValueError, "start must be a point where value and gradient are finite"),
        ({"steps": -1}, ValueError, "steps must be a whole number >= 0, got -1"),
        ({"steps": 1.5}, TypeError, "steps must be a whole number >= 0, got 1.5"),
        ({"every": 0}, ValueError, "every must be a whole number >= 1, got 0"),
        ({"tolerance": -1.0}, ValueError, "tolerance must be a finite number and >= 0, got -1"),
        ({"seed": -1}, ValueError, "seed must be a whole number >= 0, got -1"),
        ({"momentum": 0.9}, TypeError, r"rule 'gradient_descent' has hyperparameters \['learning_rate'\], got 'momentum'"),
        ({"rule": rules.momentum, "momentum": 1.0}, ValueError, "momentum must be a finite number and >= 0 and < 1, got 1"),
        ({"rule": rules.adam, "learning_rate": learning_rates.exact()}, ValueError, "needs rule=gradient_descent and neither"),
        (
            {"problem": Problem(value=np.sum, grad=bad_gradient, start=np.ones(2))},
            ValueError,
            r"grad\(w\) must have the shape of the weights, \(2,\), got \[\(3,\)\]",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_named(kwargs, error, message):
    with pytest.raises(error, match=message):
        minimize(**{"problem": BOWL, "steps": 5, **kwargs})


def test_adam_is_adam():
    """Against a loop written out here: the counter advances, the state is Adam's, nothing comes from the engine."""
    w, m, v = BOWL.start, 0.0, 0.0
    for t in range(1, 21):
        g = BOWL.grad(w)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(minimize(BOWL, rules.adam, learning_rate=0.05, steps=20).w, w, rtol=1e-12)


def test_a_gradient_that_writes_into_its_argument_is_an_error_and_not_a_wrong_run():
    def in_place(w):
        w *= 2
        return w

    careless = Problem(value=lambda w: float(w @ w), grad=in_place, start=np.ones(2))
    with pytest.raises(ValueError, match="read-only"):
        minimize(careless, steps=1)


def test_a_start_of_another_shape_is_named():
    with pytest.raises(ValueError, match=r"start must have the shape of the problem's, .*, got \(1,\)"):
        minimize(BOWL, start=np.ones(1))
    with pytest.raises(ValueError, match="start must have the shape"):
        minimize(BOWL, start=[np.ones(1), np.ones(1)])


def test_a_gradient_norm_that_underflows_is_not_a_solution():
    tiny = problems.quadratic([1.0, 1.0], start=[1e-170, 1e-170])
    assert minimize(tiny, learning_rate=0.5, steps=2).reason == "steps"
    assert minimize(tiny, start=[0.0, 0.0], steps=2).reason == "tolerance"


def test_a_line_search_with_mini_batches_is_refused():
    problem = problems.least_squares(X, Y)
    with pytest.raises(ValueError, match="neither another gradient, nor a transform, nor a prox"):
        minimize(problem, gradient=gradients.mini_batch(3), learning_rate=learning_rates.armijo())
    with pytest.raises(
        ValueError, match=r"size must be a whole number >= 1 and <= 30 \(the number of samples\), got 31"
    ):
        minimize(problem, gradient=gradients.mini_batch(31))


def test_hyperparameters_may_follow_a_schedule():
    trace = minimize(BOWL, rules.momentum, learning_rate=0.01, momentum=lambda t: t / 10, steps=6)
    w, v = BOWL.start, 0 * BOWL.start
    for t in range(1, 7):
        w, v = rules.momentum(w, BOWL.grad(w), v, 0.01, t / 10)
    np.testing.assert_allclose(trace.w, w, rtol=1e-13)
    with pytest.raises(ValueError, match="momentum must be a finite number and >= 0 and < 1, got 1"):
        minimize(BOWL, rules.momentum, momentum=lambda t: t)
    with pytest.raises(TypeError, match=r"hyperparameters \['learning_rate', 'momentum'\], got 'beta'"):
        minimize(BOWL, rules.momentum, beta=lambda t: 0.9)


def test_a_rule_of_matrices_sees_a_single_matrix_as_one():
    target = RNG.standard_normal((3, 2))
    problem = problems.from_functions(
        lambda W: 0.5 * float(np.sum((W - target) ** 2)), lambda W: W - target, np.zeros((3, 2))
    )
    W, step = np.zeros((3, 2)), Stepper(matrix_rules.muon, learning_rate=0.1)
    for _ in range(3):
        step(W, W - target)
    np.testing.assert_allclose(minimize(problem, matrix_rules.muon, learning_rate=0.1, steps=3).w, W)
    assert np.abs(W).max() > 0.05
