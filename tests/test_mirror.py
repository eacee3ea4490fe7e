"""Mirror maps are inverse pairs with their divergences; steps are optimal; runs record, certify and stop."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fo_lib import averages, learning_rates, minimize, mirror_descent, problems, sets
from fo_lib.mirror import Mirror, entropy, euclidean, p_norm

SIMPLEX = sets.simplex()
MAPS = [entropy(), euclidean(SIMPLEX), euclidean(sets.l2_ball(1.0)), p_norm(1.3), p_norm(2.0)]
maps = pytest.mark.parametrize("mirror", MAPS, ids=[f"{i}-{m.name}" for i, m in enumerate(MAPS)])
numbers = arrays(float, 5, elements=st.floats(-3, 3))
rng = np.random.default_rng(1)


def point(mirror, raw):
    """A point of the set of a map, from any numbers."""
    return mirror.to_primal(mirror.project(raw)) if mirror.name == "entropy" else mirror.project(raw)


@maps
@settings(max_examples=60, deadline=None)
@given(raw=numbers, raw_u=numbers, g=numbers, rate=st.floats(0.01, 5))
def test_the_step_satisfies_its_variational_inequality(mirror, raw, raw_u, g, rate):
    """(rate g + slope at new - slope at w) @ (u - new) >= 0 for every u of the set; no formula of a step is used."""
    w, u = point(mirror, raw), point(mirror, raw_u)
    theta = mirror.step(mirror.to_dual(w), g, rate)
    new = mirror.to_primal(theta)
    np.testing.assert_allclose(mirror.to_dual(new), theta, rtol=1e-8, atol=1e-8)
    assert (rate * g + theta - mirror.to_dual(w)) @ (u - new) >= -1e-7


@maps
@settings(max_examples=60, deadline=None)
@given(raw=numbers, raw_u=numbers)
def test_the_divergence_is_what_the_slope_says(mirror, raw, raw_u):
    """It is zero at w, and its derivative in u is the difference of the slopes."""
    w, u = point(mirror, raw) + 0.01, point(mirror, raw_u) + 0.02
    assert abs(mirror.divergence(w, w)) < 1e-12
    assert mirror.divergence(u, w) >= -1e-12
    slope = mirror.to_dual(u) - mirror.to_dual(w)
    for i in range(5):
        e = 1e-6 * np.eye(5)[i]
        found = (mirror.divergence(u + e, w) - mirror.divergence(u - e, w)) / 2e-6
        assert found == pytest.approx(slope[i], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("p", [1.05, 1.3, 1.7, 2.0])
def test_the_p_norm_is_strongly_convex_in_itself(p):
    """With the constant p - 1, attained where half of a constant vector grows and half of it shrinks."""
    mirror = p_norm(p)

    def strength(u, w):
        return mirror.divergence(u, w) / (np.sum(np.abs(u - w) ** p) ** (2 / p) / 2)

    for _ in range(300):
        w, z = rng.standard_normal((2, 6)) * rng.uniform(0, 1, 6) ** 4
        assert strength(w + 0.1 * z, w) >= (p - 1) * (1 - 1e-9)
    assert strength(1 + 1e-2 * np.array([1, -1, 1, -1]), np.ones(4)) == pytest.approx(p - 1, rel=1e-3)
    assert mirror.to_dual(np.zeros(3)).tolist() == [0, 0, 0]
    huge = np.array([1e200, -1e200, 3.0])
    np.testing.assert_allclose(mirror.to_primal(mirror.to_dual(huge))[:2], huge[:2], rtol=1e-9)


def test_with_p_two_it_is_euclidean_and_the_euclidean_map_is_projected_gradient():
    w, g = rng.standard_normal((2, 7))
    np.testing.assert_allclose(p_norm(2.0).step(p_norm(2.0).to_dual(w), g, 0.3), w - 0.3 * g, rtol=1e-12)
    problem = problems.quadratic([1.0, 3.0, 9.0], minimizer=[0.9, 0.7, -0.5], start=[0.2, 0.5, 0.3])
    ours = mirror_descent(problem, euclidean(SIMPLEX), learning_rate=0.1, steps=40, iterates=True)
    theirs = minimize(problem, prox=SIMPLEX, learning_rate=0.1, steps=40, iterates=True)
    np.testing.assert_allclose(ours.iterates, theirs.iterates, atol=1e-14)


def test_logarithms_of_weights_survive_what_weights_do_not():
    mirror = entropy()
    theta = mirror.step(np.log([0.5, 0.5]), np.array([0.0, 1e6]), 1.0)
    assert mirror.to_primal(theta).tolist() == [1.0, 0.0]
    assert theta[1] == pytest.approx(-1e6)
    back = mirror.step(theta, np.array([1e6 + 5.0, 0.0]), 1.0)
    assert mirror.to_primal(back)[1] == pytest.approx(1 / (1 + np.exp(-5.0)))
    for scale in (1e-3, 1.0, 1e8):
        assert np.exp(mirror.project(scale * rng.standard_normal(100))).sum() == pytest.approx(1, abs=1e-12)
    assert mirror.divergence(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == np.inf
    assert mirror.divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(np.log(2))


@pytest.mark.filterwarnings("error")
def test_divergences_at_the_limits_of_floats_and_outside_the_domain():
    half, tiny = np.array([0.5, 0.5]), np.array([1e-310, 1.0])
    expected = np.log(0.5) - (np.log(1e-310) + np.log(1.0)) / 2
    assert entropy().divergence(half, tiny) == pytest.approx(expected)
    assert entropy().divergence(np.array([-1.0, 2.0]), half) == np.inf
    assert entropy().divergence(half, np.array([-1.0, 2.0])) == np.inf
    assert entropy().divergence(np.array([0.0, 1.0]), np.array([-1.0, 2.0])) == np.inf
    u, w = np.array([3.0, -1.0, 0.5]), np.array([1.0, 2.0, 0.0])
    D = p_norm(1.5).divergence(u, w)
    for scale in (1e-150, 1e150):
        assert p_norm(1.5).divergence(scale * u, scale * w) == pytest.approx(scale**2 * D)
    assert np.isfinite(p_norm(1.5).divergence(np.array([1e200, 1.0]), np.array([1e200, 2.0])))
    assert p_norm(1.5).divergence(np.zeros(3), np.zeros(3)) == 0


A, B = rng.standard_normal((30, 8)), rng.standard_normal(30)
UNIFORM = np.full(8, 1 / 8)
MATRIX = problems.from_functions(lambda w: float(w.sum()), np.ones_like, np.ones((2, 2)))
LEAST_SQUARES = problems.from_functions(
    lambda w: float(np.sum((A @ w - B) ** 2) / 2), lambda w: A.T @ (A @ w - B), UNIFORM
)


@pytest.mark.parametrize(("mirror", "rate"), [(entropy(), 0.05), (euclidean(SIMPLEX), 0.01)], ids=repr)
def test_the_gap_is_a_certificate_and_the_run_stops_by_it(mirror, rate):
    reference = mirror_descent(LEAST_SQUARES, euclidean(SIMPLEX), learning_rate=0.01, steps=20_000, tolerance=1e-12)
    run = mirror_descent(LEAST_SQUARES, mirror, learning_rate=rate, steps=20_000, every=10, tolerance=1e-6)
    assert run.reason == "tolerance"
    assert run.message == f"the gap reached the tolerance 1e-06 at step {run.step[-1]}"
    assert np.all(run.value - reference.value[-1] <= run.gap + 1e-12)
    assert run.gap[-1] <= 1e-6 < run.gap[-2]
    g = LEAST_SQUARES.grad(run.w)
    assert run.gap[-1] == pytest.approx(g @ run.w - g.min(), abs=1e-12)
    assert run.grad_norm[-1] == np.linalg.norm(g)
    assert run.value[-1] == LEAST_SQUARES.value(run.w)
    assert run.settings == {"rule": "mirror_descent", "mirror": mirror.name, "stochastic": False, "L": None}
    assert np.all(np.diff(run.step) == 10)


def test_schedules_and_averages():
    seen = []
    watched = replace(LEAST_SQUARES, grad=lambda w: seen.append(w.copy()) or LEAST_SQUARES.grad(w))
    schedule = learning_rates.inverse(0.1, 1.0)
    mean = mirror_descent(
        watched, entropy(), learning_rate=schedule, average=averages.uniform(), steps=7, every=7, iterates=True
    )
    plain = mirror_descent(LEAST_SQUARES, entropy(), learning_rate=schedule, steps=7, iterates=True)
    np.testing.assert_allclose(mean.w, plain.iterates[1:].mean(axis=0), rtol=1e-12)
    assert mean.value[-1] == LEAST_SQUARES.value(mean.w)
    assert plain.learning_rate.tolist() == [0, *(schedule(t) for t in range(1, 8))]
    assert plain.message == "made all 7 steps"
    assert plain.step[-1] == 7
    assert any(np.array_equal(w, mean.w) for w in seen)  # its gap is of the gradient at the mean
    np.testing.assert_allclose(mean.gap[-1], (g := LEAST_SQUARES.grad(mean.w)) @ mean.w - g.min())


def test_without_a_bounded_set_the_gradient_norm_stops_the_run():
    problem = problems.quadratic([1.0, 4.0], minimizer=[1.0, -2.0])
    run = mirror_descent(problem, p_norm(1.5), learning_rate=0.1, steps=5000, tolerance=1e-9)
    assert run.gap is None
    assert run.message.startswith("the gradient norm reached the tolerance 1e-09 at step")
    np.testing.assert_allclose(run.w, [1, -2], atol=1e-8)
    assert "entropy" in repr(entropy())


def test_a_start_of_any_sum_and_a_divergence():
    run = mirror_descent(LEAST_SQUARES, entropy(), learning_rate=0.1, start=np.full(8, 3), steps=0)
    np.testing.assert_allclose(run.w, UNIFORM)
    wall = problems.from_functions(
        lambda w: -float(np.log(w[1])), lambda w: np.array([0, -1 / w[1]]), np.array([0.9999, 1e-4])
    )
    assert not mirror_descent(wall, entropy(), learning_rate=1e-3, steps=5).diverged
    hole = problems.from_functions(
        lambda w: float(np.inf if w[0] > 0.6 else 1), lambda w: np.array([-1.0, 0]), np.full(2, 0.5)
    )
    run = mirror_descent(hole, entropy(), learning_rate=1.0, steps=5)
    assert run.message == "diverged: value or gradient no longer finite at step 1, learning_rate=1"
    assert run.w[0] > 0.6
    assert run.step.tolist() == [0]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"problem": 3}, TypeError, "problem must be a Problem (see problems.from_functions), got int"),
        ({"mirror": entropy}, TypeError, "mirror must be a Mirror, such as entropy() or euclidean(over), got function"),
        ({"mirror": "entropy"}, TypeError, "such as entropy() or euclidean(over), got str"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be a finite number and > 0, got 0.0"),
        ({"learning_rate": lambda t: -1}, ValueError, "learning_rate(1) must be a finite number and > 0, got -1"),
        ({"learning_rate": learning_rates.inverse}, TypeError, "learning_rate must be called: inverse(...), not just named"),
        ({"average": lambda t: -5.0}, ValueError, "average(1) must be a finite number and > 0 and <= 1, got -5.0"),
        ({"average": lambda t: 1.1}, ValueError, "average(1) must be a finite number and > 0 and <= 1, got 1.1"),
        ({"average": 0.5}, TypeError, "average must be a function, got 0.5"),
        ({"steps": -1}, ValueError, "steps must be"),
        ({"every": 0}, ValueError, "every must be"),
        ({"tolerance": -1.0}, ValueError, "tolerance must be"),
        ({"start": np.ones(3)}, ValueError, "start must have the shape of the problem's, (8,), got (3,)"),
        ({"start": np.ones((8, 1))}, ValueError, "start must have the shape of the problem's, (8,), got (8, 1)"),
        ({"problem": MATRIX}, ValueError, "problem must be of weights that are one vector, got shapes [(2, 2)]"),
        ({"start": np.r_[-1.0, np.ones(7)]}, ValueError, "w must be >= 0 in every entry, got -1"),
        ({"start": np.zeros(8)}, ValueError, "w must have a positive entry, got zeros only; for a run pass start=..."),
    ],
)  # fmt: skip
def test_bad_arguments(change, error, message):
    given = {"problem": LEAST_SQUARES, "mirror": entropy(), "learning_rate": 0.1, **change}
    with pytest.raises(error) as caught:
        mirror_descent(given.pop("problem"), given.pop("mirror"), **given)
    assert message in str(caught.value)


def test_bad_maps_and_a_bad_start():
    with pytest.raises(TypeError, match="over must be a Set"):
        euclidean(3)
    with pytest.raises(ValueError, match="p must be a finite number and > 1 and <= 2, got 1"):
        p_norm(1)
    with pytest.raises(ValueError, match="start must be a point where value and gradient are finite"):
        mirror_descent(
            replace(LEAST_SQUARES, value=lambda w: np.nan), entropy(), learning_rate=0.1, steps=1
        )  # fmt: skip
    with pytest.raises(ValueError, match="w must have a positive entry, got zeros only"):
        mirror_descent(problems.least_squares(A, B), entropy(), learning_rate=0.1)  # its default start is zero
    with pytest.raises(ValueError, match="w must be >= 0 in every entry, got nan"):
        entropy().to_dual(np.array([np.nan, 1.0]))
    assert isinstance(entropy(), Mirror)
