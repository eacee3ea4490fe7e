"""Newton's method: the loop, its directions and lengths, how it stops and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from fo_lib import newton, problems
from fo_lib.newton import newton_method

ROSENBROCK = problems.rosenbrock()
BOWL = problems.quadratic([1.0, 30.0, 500.0], seed=1, start=[3.0, -2.0, 1.0])


def test_the_steps_by_hand():
    trace = newton_method(ROSENBROCK, steps=6, iterates=True)
    w = ROSENBROCK.start
    for k in range(6):
        s = np.linalg.solve(ROSENBROCK.hessian(w), -ROSENBROCK.grad(w))
        a, slope = 1.0, ROSENBROCK.grad(w) @ s
        while ROSENBROCK.value(w + a * s) > ROSENBROCK.value(w) + 1e-4 * a * slope:
            a /= 2
        assert trace.learning_rate[k + 1] == a
        w = w + a * s
        np.testing.assert_allclose(trace.iterates[k + 1], w, rtol=1e-12)
    assert min(trace.learning_rate[1:]) < 1
    assert trace.value[-1] == ROSENBROCK.value(trace.w)
    assert trace.grad_norm[-1] == np.linalg.norm(ROSENBROCK.grad(trace.w))
    assert trace.step.tolist() == list(range(7))
    assert trace.message == "made all 6 steps"
    assert trace.settings == {"rule": "newton_method", "stochastic": False, "L": None}


def test_a_quadratic_takes_one_step_of_any_direction_that_is_newtons():
    for direction in (newton.newton_direction, newton.saddle_free_direction,
                      lambda g, H: newton.trust_region_step(g, H, 100.0)):  # fmt: skip
        trace = newton_method(BOWL, direction=direction, tolerance=1e-9)
        assert trace.step.tolist() == [0, 1]
        assert trace.reason == "tolerance"
        assert trace.message == "the gradient norm reached the tolerance 1e-09 at step 1"
        assert trace.iterates is None


def test_at_an_exact_minimizer_it_stops_and_at_no_step_it_stays():
    trace = newton_method(BOWL, start=[0, 0, 0])
    assert trace.reason == "tolerance"
    assert trace.step.tolist() == [0]
    start = np.array([3.0, -2.0, 1.0])
    trace = newton_method(BOWL, start=start, steps=0)
    assert trace.reason == "steps"
    assert trace.w.tolist() == start.tolist()
    assert trace.w is not start


def quartic(start):
    return replace(
        problems.from_functions(lambda w: float(w[0] ** 4), lambda w: 4 * w**3, [start]),
        hessian=lambda w: np.array([[12 * w[0] ** 2]]),
    )


def test_a_gradient_whose_norm_underflows_is_not_taken_for_zero():
    trace = newton_method(quartic(1e-60), length=newton.full_step, steps=3)
    assert trace.reason == "steps"
    assert trace.grad_norm[0] == 0.0
    assert trace.w[0] == pytest.approx((2 / 3) ** 3 * 1e-60)


def root(power):
    """sqrt(1 + w^2), whose Hessian underflows far away, or with a value that overflows before that."""
    return replace(
        problems.from_functions(lambda w: float(np.sqrt(1 + w @ w) ** power), lambda w: w / np.sqrt(1 + w @ w), [1.5]),
        hessian=lambda w: np.array([[(1 + w @ w) ** -1.5]]),
    )


@pytest.mark.parametrize(("power", "words"), [(40, "no longer finite at step"), (1, "no step possible at step")])
def test_divergence_is_reported_and_the_last_finite_weights_are_kept(power, words):
    trace = newton_method(root(power), length=newton.full_step)
    assert trace.diverged
    assert words in trace.message
    assert trace.value[-1] == root(power).value(trace.w)
    assert np.isfinite(trace.value).all()
    end = trace.step[-1] + (power == 40)  # the first step not recorded, or the last from which there is no direction
    assert f"at step {end}" in trace.message


def test_a_start_in_float32_stays_float32():
    problem = problems.logistic(np.eye(3, dtype=np.float32), [1, 0, 1], l2=0.1)
    assert newton_method(problem, steps=3).w.dtype == np.float32


def test_backtracking_skips_points_where_the_value_is_not_a_number():
    barrier = replace(
        problems.from_functions(lambda w: float(w[0] - np.log(w[0])), lambda w: 1 - 1 / w, [7.9]),
        hessian=lambda w: np.array([[w[0] ** -2.0]]),
    )
    trace = newton_method(barrier, tolerance=1e-9)
    assert trace.reason == "tolerance"
    assert trace.learning_rate[1] == 1 / 8  # the whole step ends at -46.6
    assert trace.w[0] == pytest.approx(1)


def test_lengths():
    s, g = np.array([-3.0, 0.0]), np.array([3.0, 1.0])
    problem = problems.quadratic([1.0, 1.0])
    assert newton.full_step(problem, g, g, s) == 1.0
    assert newton.self_concordant(problem, g, g, s) == 1 / (1 + 3)
    for length in (newton.backtracking, newton.self_concordant):
        with pytest.raises(ValueError, match="direction must go downhill, and has slope 9"):
            length(problem, g, g, -s)


def test_at_rounding_level_backtracking_accepts_the_whole_step():
    problem = replace(BOWL, value=lambda w: 1e6 + BOWL.value(w))
    trace = newton_method(problem, start=[1e-7, 1e-7, 1e-7], steps=1)
    assert trace.learning_rate.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("values", "c", "radius", "expected"),
    [
        ([1.0, 4.0], [1.0, 4.0], 2.0, [-1, -1]),  # inside: Newton's step
        ([1.0, 1.0], [3.0, 4.0], 1.0, [-0.6, -0.8]),  # on the boundary
        ([-1.0, 1.0], [0.0, 2.0], 2.0, [np.sqrt(3), -1]),  # the hard case: room at a negative curvature
        ([-1.0, 1.0], [0.0, 0.0], 2.0, [2, 0]),
        ([-1.0, 1.0], [0.0, 2.0], 0.5, [0, -0.5]),  # no room
        ([0.0, 2.0], [0.0, 2.0], 5.0, [0, -1]),  # singular, and solvable
        ([0.0, 2.0], [1.0, 0.0], 5.0, [-5, 0]),  # singular, and unbounded without the ball
        ([0.0, 0.0], [3.0, 4.0], 1.0, [-0.6, -0.8]),
        ([0.0, 0.0], [0.0, 0.0], 1.0, [0, 0]),
    ],
)
def test_trust_region_steps_by_hand(values, c, radius, expected):
    s = newton.trust_region_step(np.array(c), np.diag(values), radius)
    np.testing.assert_allclose(np.abs(s), np.abs(expected), atol=1e-12)
    assert np.array(c) @ s <= 0


def test_trust_region_step_in_a_nearly_hard_case():
    """A component of 1e-9 along the most negative curvature: the shift is tiny, and found to full precision."""
    g, H = np.array([1e-9, 2.0]), np.diag([-1.0, 1.0])
    s = newton.trust_region_step(g, H, 2.0)
    assert np.linalg.norm(s) == pytest.approx(2.0, rel=1e-12)
    assert s[0] == pytest.approx(-np.sqrt(3), rel=1e-8)


def test_two_loop_is_bfgs_written_out():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((5, 5))
    A = root @ root.T + np.eye(5)
    pairs = [(s, A @ s) for s in rng.standard_normal((4, 5))]
    s, y = pairs[-1]
    B = np.eye(5) * (s @ y) / (y @ y)
    for s, y in pairs:
        keep = np.eye(5) - np.outer(s, y) / (s @ y)
        B = keep @ B @ keep.T + np.outer(s, s) / (s @ y)
    g = rng.standard_normal(5)
    np.testing.assert_allclose(newton.two_loop(g, pairs), -B @ g, rtol=1e-10)
    np.testing.assert_allclose(newton.two_loop(y, pairs), -s, rtol=1e-9)
    np.testing.assert_array_equal(newton.two_loop(g, []), -g)
    for wrong in (-s, 0 * s, np.nan * s):
        with pytest.raises(ValueError, match="pairs must have s @ y > 0, got"):
            newton.two_loop(g, [*pairs, (wrong, y)])


def test_singular_hessians_are_refused_by_name():
    flat, g = np.diag([1.0, 0.0]), np.ones(2)
    with pytest.raises(ValueError, match=r"hessian must be invertible$"):
        newton.newton_direction(g, flat)
    with pytest.raises(ValueError, match="hessian must be invertible, and has eigenvalues of size 0 and 1"):
        newton.saddle_free_direction(g, flat)
    with pytest.raises(ValueError, match="radius must be a finite number and > 0, got 0"):
        newton.trust_region_step(g, flat, 0)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_what_counts_as_singular_does_not_depend_on_the_units(scale):
    with pytest.raises(ValueError, match="hessian must be invertible, and has eigenvalues of size"):
        newton.saddle_free_direction(np.ones(2), scale * np.diag([1.0, 1e-13]))
    direction = newton.saddle_free_direction(np.ones(2), scale * np.diag([1.0, 1e-11]))
    np.testing.assert_allclose(direction, [-1 / scale, -1e11 / scale], rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"problem": 3}, TypeError, "problem must be a Problem .* got int"),
        ({"problem": problems.from_functions(lambda w: w @ w, lambda w: 2 * w, [1.0])}, ValueError, "have a hessian"),
        ({"direction": "newton"}, TypeError, "direction must be a function, got 'newton'"),
        ({"length": 0.5}, TypeError, "length must be a function, got 0.5"),
        ({"length": lambda *a: -1.0}, ValueError, "length of step 1 must be a finite number and >= 0, got -1"),
        ({"start": [0.0, 1.0]}, ValueError, r"start must be a non-empty array of shape \(3,\)"),
        ({"steps": -1}, ValueError, "steps must be a whole number >= 0, got -1"),
        ({"tolerance": -1}, ValueError, "tolerance must be a finite number and >= 0, got -1"),
        ({"problem": replace(BOWL, hessian=lambda w: np.eye(2))}, ValueError, r"hessian must return shape \(3, 3\)"),
        ({"problem": replace(BOWL, value=lambda w: np.inf)}, ValueError, "start must be a point where value, gradient"),
        ({"problem": replace(BOWL, hessian=lambda w: np.full((3, 3), np.nan))}, ValueError, "start must be a point"),
        ({"problem": replace(BOWL, hessian=lambda w: np.zeros((3, 3)))}, ValueError, "hessian must be invertible"),
        ({"problem": replace(BOWL, start=np.ones((3, 1)))}, ValueError, "problem.start must be a non-empty array"),
    ],
)
def test_bad_input_is_named(settings, error, words):
    problem = settings.get("problem", BOWL)
    with pytest.raises(error, match=words):
        newton_method(problem, **{name: value for name, value in settings.items() if name != "problem"})


def test_a_direction_that_is_not_finite_is_an_error_at_the_start():
    with pytest.raises(newton.NoStep, match="it is not finite"):
        newton_method(BOWL, direction=lambda g, H: np.nan * g)


def test_no_direction_at_all_is_refused():
    with pytest.raises(ValueError, match="direction must go downhill, and has slope 0"):
        newton_method(BOWL, direction=lambda g, H: 0 * g)


def test_a_degenerate_minimum_is_reached_beyond_the_range_of_slopes():
    quartic = problems.from_functions(lambda w: float(w[0] ** 4), lambda w: 4 * w**3, np.ones(1))
    quartic = replace(quartic, hessian=lambda w: np.array([[12 * w[0] ** 2]]))
    trace = newton_method(quartic, steps=2000)
    assert abs(trace.w[0]) < 1e-80
    assert trace.value[-1] == 0


def test_backtracking_asks_for_a_decrease_in_proportion():
    """A step that lowers the value by half of what is asked for is halved."""
    slow = problems.from_functions(lambda w: -0.5e-4 * float(w[0]), lambda w: np.ones(1), np.zeros(1))
    bent = problems.from_functions(
        lambda w: slow.value(w) if w[0] > 0.6 else -float(w[0]), lambda w: -np.ones(1), np.zeros(1)
    )
    assert newton.backtracking(bent, np.zeros(1), -np.ones(1), np.ones(1)) == 0.5


def test_backtracking_gives_up_where_no_length_helps():
    uphill = problems.from_functions(lambda w: -float(w[0]), lambda w: np.ones(1), np.zeros(1))
    with pytest.raises(newton.NoStep, match="no length decreases the value"):
        newton.backtracking(uphill, np.zeros(1), np.ones(1), -np.ones(1))


def test_a_direction_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"direction must return an array of shape \(2,\), got \(1,\)"):
        newton.newton_method(problems.quadratic([1, 10]), direction=lambda g, H: g[:1])
