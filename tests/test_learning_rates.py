"""Schedules follow their formulas; line searches measure what they say."""

import math

import numpy as np
import pytest

from fo_lib import learning_rates as rates
from fo_lib import minimize, problems
from fo_lib.problem import Problem


def test_inverse_by_hand():
    schedule = rates.inverse(2.0, 0.5, power=2)
    assert [schedule(1), schedule(3)] == [2.0, 2.0 / 4.0]


def test_step_decay_by_hand():
    schedule = rates.step_decay(1.0, 0.1, every=3)
    assert [schedule(t) for t in range(1, 8)] == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.01])


def test_cosine_rises_falls_and_ends_just_above_zero():
    schedule = rates.cosine(2.0, steps=10, warmup=4)
    assert [schedule(t) for t in (1, 2, 4, 5)] == [0.5, 1.0, 2.0, 2.0]
    assert schedule(8) == pytest.approx(1.0)  # half-way: (8 - 1 - 4) / 6 = 1/2
    assert schedule(10) == pytest.approx(1 + math.cos(math.pi * 5 / 6))
    assert schedule(10) > 0
    assert rates.cosine(1.0, steps=2)(1) == 1.0


def test_one_cycle_by_hand_and_as_pytorch():
    schedule = rates.one_cycle(2.0, steps=10)
    # torch.optim.lr_scheduler.OneCycleLR(optimizer, 2.0, total_steps=10), torch 2.13
    torch = [0.08, 1.04, 2.0, 1.9009692640269473, 1.6234913078995261, 1.2225240438725786, 0.7774839561274215,
             0.37651669210047395, 0.09903873597305257, 8e-06]  # fmt: skip
    assert [schedule(t) for t in range(1, 11)] == pytest.approx(torch, rel=1e-12)
    other = rates.one_cycle(1.0, steps=8, rise=0.5, start=0.5, end=0.1)
    assert other(1) == 0.5
    assert other(4) == 1.0
    assert other(6) == pytest.approx(0.55)  # half-way down, from 1 to 0.1
    assert other(8) == pytest.approx(0.1)


def test_inverse_sqrt_by_hand():
    schedule = rates.inverse_sqrt(3.0, warmup=4)
    assert [schedule(t) for t in (1, 2, 4, 16, 64)] == pytest.approx([0.75, 1.5, 3.0, 1.5, 0.75])
    assert rates.inverse_sqrt(3.0)(9) == pytest.approx(rates.inverse(3.0, 1.0, power=0.5)(9))


def test_exact_search_finds_the_minimum_along_the_line():
    problem = problems.quadratic([1.0, 3.0, 10.0], seed=0)
    w = np.array([1.0, -2.0, 0.5])
    g = problem.grad(w)
    best = rates.exact().prepare(problem)(w, g)
    values = [problem.value(w - a * g) for a in (0.999 * best, best, 1.001 * best)]
    assert min(values) == values[1]


def test_exact_search_ends_in_one_step_on_a_round_bowl():
    assert minimize(problems.quadratic([3.0, 3.0]), learning_rate=rates.exact(), steps=1).value[-1] < 1e-30


def test_armijo_takes_the_first_step_with_sufficient_decrease():
    problem = problems.quadratic([4.0])  # value 2 w^2, gradient 4 w; decrease needs a <= (1 - c) / 2
    w, g = np.array([1.0]), np.array([4.0])
    assert rates.armijo(1.0, decrease=0.25).prepare(problem)(w, g) == 0.25
    assert rates.armijo(1.0, decrease=0.5).prepare(problem)(w, g) == 0.25
    assert rates.armijo(1.0, decrease=0.51).prepare(problem)(w, g) == 0.125


def test_armijo_first_tries_a_multiple_of_the_last_step():
    problem = problems.quadratic([1e-3])
    search = rates.armijo(1.0, grow=3.0).prepare(problem)
    w = np.array([1.0])
    assert [search(w, problem.grad(w)) for _ in range(3)] == [1.0, 3.0, 9.0]


def test_armijo_starts_from_one_halves_and_doubles_unless_told_otherwise():
    search = rates.armijo().prepare(problems.quadratic([4.0]))
    w, g = np.array([1.0]), np.array([4.0])
    assert search(w, g) == 0.25  # after 1 and 1/2, at which the value only stays
    assert search(w, g) == 0.25  # after 1/2
    assert rates.armijo().prepare(problems.quadratic([1e-3]))(w, np.array([1e-3])) == 1.0


@pytest.mark.parametrize("name", ["quadratic", "rosenbrock", "logistic"])
def test_armijo_never_increases_the_value(name):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    problem = {
        "quadratic": problems.quadratic([1, 10, 100]),
        "rosenbrock": problems.rosenbrock(),
        "logistic": problems.logistic(X, X @ [1, 2, 3] > rng.standard_normal(50), l2=0.01),
    }[name]
    trace = minimize(problem, learning_rate=rates.armijo(), steps=300)
    slack = 1e-14 * np.abs(trace.value[:-1])
    assert np.all(np.diff(trace.value) <= slack - 1e-4 * trace.learning_rate[1:] * trace.grad_norm[:-1] ** 2 + slack)


def test_armijo_says_when_the_gradient_points_the_wrong_way():
    wrong = Problem(value=lambda w: float(w @ w), grad=lambda w: -2 * w, start=np.ones(2))
    with pytest.raises(ValueError, match=r"armijo found no step that decreases the value 2: is grad right\?"):
        minimize(wrong, learning_rate=rates.armijo(), steps=1)


@pytest.mark.parametrize(("curvature", "first"), [(1e14, 1.0), (3.0, 1e20)])
def test_armijo_finds_a_step_however_far_the_first_trial_is_off(curvature, first):
    trace = minimize(problems.quadratic([1.0, curvature]), learning_rate=rates.armijo(first), steps=5)
    assert np.all(np.diff(trace.value) < 0)


def test_polyak_step_by_hand():
    problem = problems.quadratic([4.0])  # at 1: gap 2, squared gradient norm 16
    search = rates.polyak().prepare(problem)
    assert search(np.array([1.0]), np.array([4.0])) == 2 / 16
    assert rates.polyak(minimum=-2.0).prepare(problem)(np.array([1.0]), np.array([4.0])) == 4 / 16


def test_polyak_survives_a_gap_that_rounding_made_negative():
    problem = problems.quadratic([1.0])
    search = rates.polyak(minimum=1e-20).prepare(problem)
    search(np.array([1.0]), np.array([1.0]))
    assert search(np.array([1e-15]), np.array([1e-15])) > 0


def test_barzilai_borwein_by_hand():
    search = rates.barzilai_borwein(0.5).prepare(problems.rosenbrock())
    w0, g0, w1, g1 = (np.array(a) for a in ([0.0, 0.0], [1.0, 1.0], [2.0, 0.0], [5.0, 3.0]))
    assert search(w0, g0) == 0.5
    assert search(w1, g1) == 4 / 8  # s = (2, 0), y = (4, 2)
    assert search(w0, g1 + 1) == 0.5  # s = (-2, 0), y = (1, 1): negative curvature, so the first rate again


def test_a_line_search_starts_afresh_in_every_run():
    problem, search = problems.quadratic([1, 7]), rates.armijo(0.3)
    one, two = (minimize(problem, learning_rate=search, steps=5) for _ in range(2))
    np.testing.assert_array_equal(one.learning_rate, two.learning_rate)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rates.inverse(0, 1), ValueError, "first must be a finite number and > 0, got 0"),
        (lambda: rates.inverse(1, -1), ValueError, "decay must be a finite number and >= 0, got -1"),
        (lambda: rates.inverse(1, 1, power=-1), ValueError, "power must be a finite number and >= 0"),
        (lambda: rates.step_decay(-1, 0.5, 3), ValueError, "first must be"),
        (lambda: rates.step_decay(1, 1.5, 3), ValueError, "factor must be a finite number and > 0 and <= 1, got 1.5"),
        (lambda: rates.step_decay(1, 0.5, 0), ValueError, "every must be a whole number >= 1, got 0"),
        (lambda: rates.cosine(0, 5), ValueError, "highest must be"),
        (lambda: rates.cosine(1, 0), ValueError, "steps must be"),
        (lambda: rates.cosine(1, 5, warmup=5), ValueError, r"warmup must be .* <= 4 \(steps - 1\), got 5"),
        (lambda: rates.one_cycle(0, 5), ValueError, "highest must be"),
        (lambda: rates.one_cycle(1, 1), ValueError, "steps must be a whole number >= 2, got 1"),
        (lambda: rates.one_cycle(1, 5, rise=0.2), ValueError, "rise must be a finite number and > 0.2 and < 1, got"),
        (lambda: rates.one_cycle(1, 5, start=0), ValueError, "start must be"),
        (lambda: rates.one_cycle(1, 5, end=1.1), ValueError, "end must be a finite number and > 0 and <= 1, got 1.1"),
        (lambda: rates.inverse_sqrt(0), ValueError, "highest must be"),
        (lambda: rates.inverse_sqrt(1, 0), ValueError, "warmup must be a whole number >= 1, got 0"),
        (lambda: rates.armijo(0), ValueError, "first must be"),
        (lambda: rates.armijo(shrink=1), ValueError, "shrink must be"),
        (lambda: rates.armijo(grow=0.9), ValueError, "grow must be"),
        (lambda: rates.armijo(decrease=0), ValueError, "decrease must be"),
        (lambda: rates.barzilai_borwein(np.inf), ValueError, "first must be"),
        (lambda: rates.polyak("low"), TypeError, "minimum must be a finite number, got 'low'"),
        (
            lambda: rates.polyak().prepare(problems.logistic([[1.0]], [1])),
            ValueError,
            "polyak needs the minimum, and FiniteSum",
        ),
        (
            lambda: minimize(problems.quadratic([1.0]), learning_rate=rates.polyak(3.0)),
            ValueError,
            "minimum must be a lower bound of the value, got 3.0 > 0.5",
        ),
        (
            lambda: rates.exact().prepare(problems.softmax_regression([[1.0], [2.0]], [0, 1])),
            ValueError,
            "exact line search needs a problem with a hessian",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("schedule", [rates.cosine(1.0, 10), rates.one_cycle(1.0, 10)])
@pytest.mark.parametrize("t", [0, 11, 25])
def test_a_schedule_made_for_a_number_of_steps_refuses_others(schedule, t):
    with pytest.raises(ValueError, match=f"t must be a step from 1 to 10, for which the schedule was made, got {t}"):
        schedule(t)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact_search_reaches_the_minimum_through_gradients_whose_squares_underflow(dtype):
    run = minimize(problems.quadratic([1, 3, 10]), learning_rate=rates.exact(), steps=5000, start=np.ones(3, dtype))
    assert (run.reason, run.value[-1], np.any(run.w)) == ("tolerance", 0, False)
