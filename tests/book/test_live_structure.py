"""The mathematics of the live figures of the part on structure, in Chromium, against fo_lib, to 1e-9."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fo_lib import (
    accelerate,
    frank_wolfe,
    learning_rates,
    minimize,
    mirror,
    primal_dual,
    problems,
    prox,
    rates,
    sets,
)
from tests.book.live_numbers import SEEDS, Js, close, rng_of

pytestmark = pytest.mark.browser


def weighted_l1(c: Any, start: Any) -> problems.Problem:
    problem = problems.from_functions(lambda w: float(c @ np.abs(w)), lambda w: c * np.sign(w), start)
    return replace(problem, minimum=0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_subgradient_methods_are_those_of_the_library(seed: int, js: Js) -> None:
    rng = rng_of(seed)
    c, start, alpha, p = rng.uniform(0.5, 3, 2), rng.uniform(-2, 2, 2), rng.uniform(0.1, 1), rng.uniform(0, 1.5)
    problem = weighted_l1(c, start)
    schedule = learning_rates.inverse(alpha, 1.0, p)
    for wanted, rate, gradient in (
        (schedule, "m.schedules.power(a[2], a[3])", "m.weightedL1(a[0]).gradient"),
        (learning_rates.polyak(), "1", "m.polyak(m.weightedL1(a[0]))"),
    ):
        trace = minimize(problem, learning_rate=wanted, steps=30, iterates=True)
        run = js(
            f"(r => [r.points, r.points.map(m.weightedL1(a[0]).value)])(m.minimize({{gradient: {gradient},"
            f" start: a[1], steps: 30, rate: {rate}}}))",
            c.tolist(), start.tolist(), alpha, p,
        )  # fmt: skip
        close(run[0][: len(trace.step)], trace.iterates)
        close(run[1][: len(trace.step)], trace.value)
    bound = rates.subgradient_steps([schedule(t) for t in range(1, 31)], G=np.linalg.norm(c), R=np.linalg.norm(start))
    setting = {"G": np.linalg.norm(c), "R": np.linalg.norm(start)}
    close(js("m.subgradientBound(m.schedules.power(a[0], a[1]), 30, a[2])", alpha, p, setting), bound)
    assert js("m.weightedL1([1, 3]).gradient([2, 0])") == [1, 0]
    assert js("m.polyak(m.weightedL1([1, 3]))([0, 0])") == [0, 0]


@pytest.mark.parametrize("seed", SEEDS)
def test_proximal_methods_and_the_lasso_are_those_of_the_library(seed: int, js: Js) -> None:
    rng = rng_of(seed)
    r, weight = rng.uniform(-0.9, 0.9), rng.uniform(0.1, 1.5)
    c, start = rng.uniform(-2, 2, 2), rng.uniform(-2, 2, 2)
    smooth, h = problems.quadratic([[1, r], [r, 1]], minimizer=c, start=start), prox.l1(weight)
    given = r, c.tolist(), weight, start.tolist()
    runs = js(
        "(p => (s => [m.accelerate({...s, momentum: () => 0}), m.accelerate(s)])"
        "({...p, start: a[3], rate: 1 / p.L, steps: 30}))(m.lasso(a[0], a[1], a[2]))",
        *given,
    )
    plain = minimize(smooth, prox=h, learning_rate=1 / smooth.L, steps=30, iterates=True)
    fast = accelerate(smooth, prox=h, steps=30, iterates=True)
    for points, run in zip(runs, (plain, fast), strict=True):  # the library stops where nothing moves
        close(points[: len(run.step)], run.iterates)
    close(js("a[4].map(m.lasso(a[0], a[1], a[2]).value)", *given, plain.iterates.tolist()), plain.value)
    for level in np.linspace(0, 3, 13):
        best = accelerate(smooth, prox=prox.l1(level), steps=3000, momentum=0.3, every=100).w
        close(js("m.lasso(a[0], a[1], a[2]).minimizer", r, c.tolist(), level), best)
    close(js("m.softThreshold([3, -0.5, -2], 1)"), [2, 0, -1])
    close(js("[1, 2, 7].map(m.growingMomentum)"), [0, 0.25, 6 / 9])


@pytest.mark.parametrize("seed", SEEDS)
def test_mirror_descent_is_that_of_the_library(seed: int, js: Js) -> None:
    rng = rng_of(seed)
    h, start, rate = rng.uniform(0.1, 3, 4), rng.dirichlet(np.ones(4)), rng.uniform(0.1, 3)
    problem = problems.quadratic(h, start=start)
    maps = {"entropy": mirror.entropy(), "euclidean": mirror.euclidean(sets.simplex())}
    for name, ours in maps.items():
        run = mirror.mirror_descent(problem, ours, learning_rate=rate, steps=25, iterates=True)
        script = (
            f"m.mirrorDescent({{...m.quadratic(a[0]), mirror: m.mirrors.{name}, start: a[1], rate: a[2], steps: 25}})"
        )
        close(js(script, h.tolist(), start.tolist(), rate)[: len(run.step)], run.iterates)
        theta = 5 * rng.standard_normal(6)
        close(js(f"m.mirrors.{name}.project(a)", *theta), ours.project(theta))
        close(js(f"m.mirrors.{name}.toPrimal(m.mirrors.{name}.toDual(a))", *start), start)


PLANE: dict[str, sets.Set] = {
    "m.polygon([[-0.6, -0.9], [0.6, -0.9], [0.6, 0.9], [-0.6, 0.9]])": sets.box([-0.6, -0.9], [0.6, 0.9]),
    "m.polygon([[0, -0.8], [-0.8, 0], [0, 0.8], [0.8, 0]])": sets.l1_ball(0.8),
    "m.disc(0.7)": sets.l2_ball(0.7),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("over", PLANE)
def test_frank_wolfe_is_that_of_the_library(over: str, seed: int, js: Js) -> None:
    rng, ours = rng_of(seed), PLANE[over]
    h, c, far = rng.uniform(0.5, 4, 2), rng.uniform(-1.2, 1.2, 2), 2 * rng.standard_normal(2)
    start = ours.corner(rng.standard_normal(2)) if ours.corner else far
    close(js(f"{over}.project(a)", *far), ours.project(far))
    close(js(f"{over}.project(a)", *(far / 100)), ours.project(far / 100))
    problem = problems.quadratic(h, minimizer=c, start=start)
    steps = 6 if "disc" in over else 25  # at its minimizer a disc's corner is a matter of rounding
    for away in (False, True):
        run = js(
            "m.frankWolfe({gradient: w => w.map((x, i) => a[0][i] * (x - a[1][i])), L: a[2], start: a[3], steps: a[4],"
            f" away: {str(away).lower()}, over: {over}}})",
            h.tolist(), c.tolist(), problem.L, start.tolist(), steps,
        )  # fmt: skip
        trace = frank_wolfe(problem, ours, away=away, steps=steps, iterates=True)
        np.testing.assert_allclose(run["points"][: len(trace.step)], trace.iterates, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(run["gaps"][: len(trace.step)], trace.gap, rtol=1e-6, atol=1e-11)


def test_sets_of_the_plane_at_their_edges(js: Js) -> None:
    close(js("[m.disc(2).corner([0, 0]), m.disc(2).project([0, 0])]"), np.zeros((2, 2)))
    triangle = "m.polygon([[0, 0], [1, 0], [0, 1]])"
    for w in rng_of(0).uniform(-1, 2, (20, 2)):
        quadrant = np.maximum(w, 0)  # of the triangle below the line, and the simplex where that is too much
        close(js(f"{triangle}.project(a)", *w), quadrant if quadrant.sum() <= 1 else sets.simplex().project(w))
    assert js(f"{triangle}.corner([0, 0])") == [0, 0]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_game_is_that_of_the_library(seed: int, js: Js) -> None:
    rng = rng_of(seed)
    a, theta, start = rng.uniform(0.1, 0.9), rng.uniform(0, 1), rng.standard_normal(2)
    run = primal_dual.chambolle_pock(
        lambda x, rate: x, lambda v, rate: 0 * v, np.array([[1.0]]), primal_rate=a, dual_rate=a,
        start=start[:1], dual_start=start[1:], steps=20, iterates=True,
    )  # fmt: skip
    points = js("m.playGame({a: a[0], theta: 1, start: a[1], steps: 20})", a, start.tolist())
    close([x for x, _ in points], run.iterates[:, 0])
    close(points[-1][1], run.settings["dual"][0])
    step = np.array([[1, -a], [a, 1 - (1 + theta) * a * a]])
    close(js("m.playGame({a: a[0], theta: a[1], start: a[2], steps: 1})[1]", a, theta, start.tolist()), step @ start)
    close(js("m.gameDecay(a[0], a[1])", a, theta), np.abs(np.linalg.eigvals(step)).max())
    both = np.array([[1, -a], [a, 1]]) @ start
    close(js("m.playGame({a: a[0], together: true, start: a[1], steps: 1})[1]", a, start.tolist()), both)
