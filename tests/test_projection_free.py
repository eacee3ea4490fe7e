"""Frank and Wolfe's method: its steps, its certificate, away steps, and how it stops."""

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

from fo_lib import frank_wolfe, minimize, problems, sets
from fo_lib.projection_free import Mixture, shrinking_step

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((30, 8)), RNG.standard_normal(30)
UNIFORM = np.full(8, 1 / 8)
LEAST_SQUARES = problems.from_functions(
    lambda w: float(np.sum((A @ w - B) ** 2) / 2), lambda w: A.T @ (A @ w - B), UNIFORM, L=np.linalg.norm(A, 2) ** 2
)
SIMPLEX = sets.simplex()


def reference():
    """The minimum over the simplex, by SciPy's SLSQP."""
    found = scipy_minimize(
        LEAST_SQUARES.value, UNIFORM, jac=LEAST_SQUARES.grad, bounds=[(0, 1)] * 8, method="SLSQP",
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like}, options={"ftol": 1e-15},
    )  # fmt: skip
    return found.fun


def test_the_steps_by_hand():
    trace = frank_wolfe(LEAST_SQUARES, SIMPLEX, learning_rate=shrinking_step, steps=6, iterates=True)
    w = UNIFORM
    for k in range(6):
        g = LEAST_SQUARES.grad(w)
        s = np.eye(8)[np.argmin(g)]
        assert trace.gap[k] == pytest.approx(g @ w - g.min(), rel=1e-12)
        w = w + 2 / (k + 2) * (s - w)
        np.testing.assert_allclose(trace.iterates[k + 1], w, rtol=1e-12)
    assert trace.learning_rate.tolist() == [0, *(2 / (t + 1) for t in range(1, 7))]
    assert trace.value[-1] == LEAST_SQUARES.value(trace.w)
    assert trace.grad_norm[-1] == np.linalg.norm(LEAST_SQUARES.grad(trace.w))
    assert trace.message == "made all 6 steps"


@pytest.mark.parametrize("settings", [{}, {"learning_rate": shrinking_step}, {"away": True}])
def test_the_gap_is_a_certificate_and_goes_to_zero(settings):
    trace = frank_wolfe(LEAST_SQUARES, SIMPLEX, steps=3000, **settings)
    assert (trace.value - reference() <= trace.gap + 1e-9).all()
    assert trace.gap.min() < 0.02 * trace.gap[0]
    assert SIMPLEX.value(trace.w) == 0
    assert trace.w.min() >= -1e-15


def test_short_steps_never_climb_and_minimize_their_bound():
    trace = frank_wolfe(LEAST_SQUARES, SIMPLEX, steps=50, iterates=True)
    assert (np.diff(trace.value) <= 1e-12).all()
    for w, new, rate in zip(trace.iterates, trace.iterates[1:], trace.learning_rate[1:], strict=False):
        g = LEAST_SQUARES.grad(w)
        d = np.eye(8)[np.argmin(g)] - w
        rates = np.linspace(0, 1, 1001)
        bound = rates * (g @ d) + LEAST_SQUARES.L / 2 * rates**2 * (d @ d)
        assert abs(rate - rates[np.argmin(bound)]) <= 1e-3
        np.testing.assert_allclose(new, w + rate * d, atol=1e-14)


def test_away_steps_arrive_where_others_crawl():
    """The minimizer lies on a face: the zigzag of the plain method costs many steps more for the same gap."""
    away = frank_wolfe(LEAST_SQUARES, SIMPLEX, away=True, tolerance=1e-9, steps=2000)
    plain = frank_wolfe(LEAST_SQUARES, SIMPLEX, tolerance=1e-9, steps=2000)
    assert away.reason == "tolerance"
    assert away.message.startswith("the gap reached the tolerance 1e-09 at step")
    assert away.gap[-1] <= 1e-9 < plain.gap[-1]
    assert away.value[-1] == pytest.approx(reference(), abs=1e-8)
    projected = minimize(LEAST_SQUARES, learning_rate=1 / LEAST_SQUARES.L, prox=SIMPLEX, steps=5000, tolerance=1e-10)
    np.testing.assert_allclose(away.w, projected.w, atol=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_away_steps_over_the_simplex_by_hand(seed):
    """From a corner of the simplex, the weights of the corners are those of the point. Seed 7 gives one up."""
    rng = np.random.default_rng(seed)
    spectrum, best = rng.uniform(1, 20, 5), rng.dirichlet(np.ones(5)) - 0.1 * rng.uniform(size=5)
    bowl = problems.quadratic(spectrum, minimizer=best, start=np.eye(5)[1])
    trace = frank_wolfe(bowl, SIMPLEX, away=True, steps=40, iterates=True)
    w, backward, cut = bowl.start, [], False
    for new in trace.iterates[1:]:
        g, corners = bowl.grad(w), np.eye(5)
        worst = max(np.flatnonzero(w > 1e-12), key=lambda i: g[i])
        backward.append(bool(g[worst] - g @ w > g @ w - g.min()))
        d = w - corners[worst] if backward[-1] else corners[np.argmin(g)] - w
        longest = w[worst] / (1 - w[worst]) if backward[-1] else 1.0
        short = -(g @ d) / (bowl.L * (d @ d))
        cut = cut or bool(longest < short)
        w = w + min(longest, short) * d
        np.testing.assert_allclose(new, w, atol=1e-9)
        if g @ w - g.min() < 1e-9:
            break
    assert 0 < sum(backward) < len(backward)
    assert cut == (seed == 7)


def test_a_step_back_ends_where_the_corner_has_no_weight_left():
    """Three corners in turn; the bound along the way back is least beyond that point."""
    bowl = problems.quadratic([1.0, 1.0, 1.0], minimizer=[3.0, -5.0, 2.0], start=np.array([0.1, 0.1, 0.8]))
    pulled = problems.from_functions(bowl.value, bowl.grad, np.eye(3)[1], L=50.0)
    trace = frank_wolfe(pulled, SIMPLEX, away=True, steps=60, iterates=True)
    w = trace.iterates
    left = [k for k in range(len(w) - 1) if w[k, 1] > 0 and w[k + 1, 1] == 0]
    assert len(left) == 1
    (k,) = left
    np.testing.assert_allclose(w[k + 1], (w[k] - w[k, 1] * np.eye(3)[1]) / (1 - w[k, 1]), rtol=1e-12)
    assert trace.learning_rate[k + 1] == pytest.approx(w[k, 1] / (1 - w[k, 1]))


def test_the_mixture_is_the_point():
    rng, used, w = np.random.default_rng(4), Mixture(UNIFORM), UNIFORM
    for _ in range(40):
        corner = np.eye(8)[rng.integers(8)]
        step = rng.uniform()
        used.move(corner, step)
        w = w + step * (corner - w)
        g = rng.standard_normal(8)
        worst, weight = used.worst(g)
        assert all(g @ worst >= g @ other for other in used.corners.values())
        if weight < 1:
            back = rng.choice([0.5, 1.0]) * weight / (1 - weight)
            used.move(worst, -back)
            w = w + back * (w - worst)
        point = sum(used.weights[key] * used.corners[key] for key in used.weights)
        np.testing.assert_allclose(point, w, atol=1e-12)
        assert used.weights.keys() == used.corners.keys()
        assert min(used.weights.values()) > 0
        assert sum(used.weights.values()) == pytest.approx(1, abs=1e-12)


def test_weights_add_up_to_one_after_many_that_were_forgotten():
    used = Mixture(UNIFORM)
    for k in range(8000):
        used.move(np.eye(8)[k % 8], 9e-15)
    assert len(used.weights) == 1
    assert sum(used.weights.values()) == 1
    assert np.array_equal(used.point(), UNIFORM)


def test_a_whole_step_back_drops_the_corner():
    used = Mixture(UNIFORM)
    used.move(np.eye(8)[0], 0.25)
    used.move(np.eye(8)[0], -0.25 / 0.75)
    assert [*used.weights.values()] == pytest.approx([1.0])
    assert np.array_equal(next(iter(used.corners.values())), UNIFORM)


def test_away_steps_stay_in_the_set_where_all_weight_is_on_one_corner():
    """On a disc, where each corner is a new one: what is left of a rounding error must not be taken for a way out."""
    rng, disc = np.random.default_rng(0), sets.l2_ball(1.0)
    for _ in range(300):
        bowl = problems.quadratic([1.0, rng.uniform(1, 8)], minimizer=rng.uniform(-2, 2, 2), start=np.array([0.0, 1.0]))
        trace = frank_wolfe(bowl, disc, away=True, steps=100, iterates=True)
        assert np.linalg.norm(trace.iterates, axis=1).max() <= 1 + 1e-12


def test_a_run_that_starts_at_its_minimizer_rests_there():
    """Also where nobody looks: the direction is zero, and no step is computed from it."""
    corner = problems.quadratic(np.ones(8), minimizer=3 * np.eye(8)[2], start=np.eye(8)[2])
    for away in (False, True):
        trace = frank_wolfe(corner, SIMPLEX, away=away, steps=7, every=5)
        assert trace.gap[0] == 0
        away_from_start = frank_wolfe(corner, SIMPLEX, away=away, start=np.eye(8)[0], steps=7, every=7)
        np.testing.assert_array_equal(away_from_start.w, np.eye(8)[2])
        assert away_from_start.learning_rate[-1] == 0.0


def test_matrices_and_a_zero_gap():
    target = 3 * np.outer([1.0, 0, 0], [0, 1.0])
    near = problems.from_functions(
        lambda w: float(np.sum((w - target) ** 2) / 2), lambda w: w - target, np.zeros((3, 2)), L=1.0
    )
    trace = frank_wolfe(near, sets.nuclear_ball(1.0), steps=50)
    np.testing.assert_allclose(trace.w, target / 3, atol=1e-12)
    assert trace.reason == "tolerance"
    assert trace.gap[-1] == 0


def test_a_gradient_that_is_no_longer_finite_is_reported():
    """Before the set is asked for a corner."""
    wall = problems.from_functions(
        lambda w: 0.0, lambda w: np.full((3, 3), np.nan) if w[0, 0] < 0 else np.ones((3, 3)), np.zeros((3, 3)), L=1.0
    )
    trace = frank_wolfe(wall, sets.nuclear_ball(1.0), steps=10, every=10)
    assert trace.diverged
    assert trace.message == "diverged: value or gradient no longer finite at step 1"


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_a_gradient_of_any_size_has_a_corner(scale):
    """Its square is zero or infinite in float32: the gap would be zero, and a false certificate."""
    start = np.full((3, 3), 0.1, np.float32)
    slope = scale * np.arange(1, 10, dtype=np.float32).reshape(3, 3)
    plane = problems.from_functions(lambda w: float(np.sum(w * slope)), lambda w: slope, start)
    for ball in (sets.l2_ball(1.0), sets.nuclear_ball(1.0)):
        trace = frank_wolfe(plane, ball, learning_rate=shrinking_step, steps=1)
        assert trace.gap[0] > 0.5 * scale
        assert ball.value(trace.w) == 0


def test_a_value_that_is_no_longer_finite_is_reported():
    cliff = problems.from_functions(
        lambda w: float(np.inf if w[0] > 0.9 else -w[0]), lambda w: np.array([-1.0, 0.0]), np.array([0.5, 0.5]), L=1.0
    )
    with pytest.raises(ValueError, match="start must be a point where value and gradient are finite"):
        frank_wolfe(cliff, SIMPLEX, start=[1.0, 0.0])
    trace = frank_wolfe(cliff, SIMPLEX, learning_rate=shrinking_step, steps=5)
    assert trace.diverged
    assert trace.message == "diverged: value or gradient no longer finite at step 1"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"problem": 1}, TypeError, "problem must be a Problem"),
        ({"over": lambda w, a: w}, TypeError, "over must be a Set .*, got function"),
        ({"over": sets.psd_cone()}, ValueError, r"over must be a bounded set, got Set\('psd_cone'\)"),
        ({"problem": problems.from_functions(np.sum, np.ones_like, UNIFORM)}, ValueError, "has no known L"),
        ({"learning_rate": 0.1}, TypeError, "learning_rate must be a function, got 0.1"),
        ({"learning_rate": lambda t: 2.0}, ValueError, r"learning_rate\(1\) must be a finite number and > 0 and <= 1"),
        ({"learning_rate": shrinking_step, "away": True}, ValueError, "learning_rate must be left out"),
        ({"start": np.ones(8)}, ValueError, r"start must be a point of Set\('simplex'\)"),
        ({"start": np.ones(3)}, ValueError, r"start must have the shape of the problem's, \(8,\), got \(3,\)"),
        ({"steps": -1}, ValueError, "steps must be a whole number >= 0, got -1"),
        ({"every": 0}, ValueError, "every must be a whole number >= 1, got 0"),
        ({"tolerance": -1}, ValueError, "tolerance must be a finite number and >= 0"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        frank_wolfe(**{"problem": LEAST_SQUARES, "over": SIMPLEX, **arguments})
