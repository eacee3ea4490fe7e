"""The mathematics of the live figures, in Chromium, against fo_lib and NumPy on random inputs, to 1e-9."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from fo_lib import (
    learning_rates,
    minimize,
    problems,
    rates,
    rules,
    transforms,
)
from tests.book.live_numbers import SEEDS, Js, close, rng_of

pytestmark = pytest.mark.browser

TESTED = {
    "rules", "minimize", "clipNorm", "norm", "quadratic", "kinked", "weightedL1", "cliff", "saddle", "layers", "roots",
    "contraction", "polyak", "subgradientBound", "softThreshold", "growingMomentum", "accelerate", "lasso", "disc", "polygon", "frankWolfe",
    "heavyBallRoots", "heavyBallDecay", "nesterovRoots", "nesterovDecay", "tunedHeavyBall", "saddleGrowth", "stepsTo",
    "mirrors", "mirrorDescent", "playGame", "gameDecay", "allReduceTime", "stepTime", "stepsToTarget", "bestBatch", "workerCounts", "delayed", "delayRoots", "delayLimit", "delayBest", "shuffleBuffer", "bufferLate", "noisyQuadratic", "stationaryVariance", "miniBatchVariance", "schedules", "uniforms", "normals", "noisy", "batches",
}  # fmt: skip


def test_every_function_is_tested_here(js: Js) -> None:
    assert set(js("Object.keys(m)")) == TESTED


RULES: dict[str, tuple[Any, dict[str, float]]] = {
    "gradientDescent": (rules.gradient_descent, {}),
    "momentum": (rules.momentum, {"momentum": 0.8}),
    "nesterov": (rules.nesterov, {"momentum": 0.7}),
    "adam": (rules.adam, {"beta1": 0.85, "beta2": 0.95}),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", RULES)
def test_runs_are_those_of_the_library(name: str, seed: int, js: Js) -> None:
    rng, (rule, hyper) = rng_of(seed), RULES[name]
    h, start = rng.uniform(0.1, 3, 3), rng.standard_normal(3)
    first = rng.uniform(0.1, 0.5)
    trace = minimize(
        problems.quadratic(h, start=start), rule, learning_rate=learning_rates.step_decay(first, 0.5, 7), steps=30,
        iterates=True, transform=transforms.clip_norm(0.8), **hyper,
    )  # fmt: skip
    run = js(
        f"m.minimize({{...m.quadratic(a[0]), start: a[1], rule: m.rules.{name}, steps: 30, ...a[3],"
        " rate: m.schedules.stepDecay(a[2], 0.5, 7), transform: m.clipNorm(0.8)})",
        h.tolist(), start.tolist(), first, hyper,
    )  # fmt: skip
    close(run["points"], trace.iterates)
    assert run["diverged"] is None
    assert len(run["states"]) == 31


def test_a_run_that_diverges_ends_where_it_leaves_the_ball(js: Js) -> None:
    run = js("m.minimize({...m.quadratic([1]), start: [1], steps: 100, rate: 3, limit: 1000})")
    assert run["diverged"] == len(run["points"]) - 1 == math.ceil(math.log2(1000))
    assert abs(run["points"][-1][0]) > 1000 >= abs(run["points"][-2][0])
    run = js("m.minimize({gradient: () => [NaN], start: [1], steps: 9, rate: 1, limit: 1000})")
    assert run["diverged"] == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_adams_moments_are_corrected(seed: int, js: Js) -> None:
    g = rng_of(seed).standard_normal(6)
    states = js(
        "m.minimize({gradient: (w, t) => [a[0][t - 1]], start: [0], rule: m.rules.adam, steps: 6, rate: 1, beta1: .9,"
        " beta2: .99}).states.slice(1)",
        g.tolist(),
    )
    weights = [(beta, (1 - beta) * beta ** np.arange(6.0)) for beta in (0.9, 0.99)]
    for t in range(1, 7):
        means = [weight[:t][::-1] @ g[:t] ** p / (1 - beta**t) for p, (beta, weight) in enumerate(weights, 1)]
        close([states[t - 1]["mHat"][0], states[t - 1]["vHat"][0]], means)


@pytest.mark.parametrize("seed", SEEDS)
def test_rates_are_those_of_the_library(seed: int, js: Js) -> None:
    rng = rng_of(seed)
    mu, momentum, x = rng.uniform(0.1, 1), rng.uniform(0.05, 0.95), rng.uniform(0.05, 4)
    L = mu + rng.uniform(1, 50)
    alpha = rng.uniform(0.1, 2) / L
    bound = rates.gradient_descent_strongly_convex(1, L=L, mu=mu, learning_rate=alpha)
    close(js("m.contraction(...a)", alpha, mu, L), bound)
    close(js("m.heavyBallDecay(...a)", x, momentum), rates.heavy_ball_decay(x, momentum=momentum))
    close(js("m.nesterovDecay(...a)", x, momentum), rates.nesterov_decay(x, momentum=momentum))
    close(js("m.saddleGrowth(...a)", alpha, momentum), rates.saddle_growth(1.0, learning_rate=alpha, momentum=momentum))
    tuned = js("m.tunedHeavyBall(...a)", mu, L)
    rho = (math.sqrt(L / mu) - 1) / (math.sqrt(L / mu) + 1)
    close([tuned["momentum"], tuned["rate"]], [rho**2, (1 + rho) ** 2 / L])


@pytest.mark.parametrize("seed", SEEDS)
def test_roots_are_those_of_numpy(seed: int, js: Js) -> None:
    x, beta = rng_of(seed).uniform(0, 4), rng_of(seed).uniform(0, 1)
    cases = {
        "heavyBallRoots": [1, x - 1 - beta, beta],
        "nesterovRoots": [1, (x - 1) * (1 + beta), (1 - x) * beta],
    }
    for name, polynomial in cases.items():
        close(sorted(js(f"m.{name}(...a)", x, beta)), sorted([z.real, z.imag] for z in np.roots(polynomial)))
    close(js("m.roots(-1, -6)"), [[2, 0], [-3, 0]])
    close(js("m.norm([3, 4, 12])"), 13)


def test_steps_to_a_part(js: Js) -> None:
    for rho in (0.1, 0.5, 0.9, 9 / 11, 0.999):
        steps = js("m.stepsTo(1e-6, a[0])", rho)
        assert rho**steps <= 1e-6 * (1 + 1e-9) < rho ** (steps - 1) * (1 + 2e-9)
    assert js("m.stepsTo(1e-6, 1) === Infinity && m.stepsTo(1e-6, 1.2) === Infinity")


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_is_as_in_the_library(seed: int, js: Js) -> None:
    rng = rng_of(seed)
    h, variance, start, alpha = rng.uniform(0.1, 2), rng.uniform(0, 2), rng.uniform(0, 4), rng.uniform(0.01, 0.9)
    tried = [alpha * 0.9**t for t in range(25)]
    wanted = rates.noisy_quadratic(tried, curvature=h, variance=variance, start=start)
    setting = {"curvature": h, "variance": variance, "start": start}
    close(js("m.noisyQuadratic(t => a[0] * 0.9 ** (t - 1), 25, a[1])", alpha, setting), wanted)
    resting = rates.sgd_stationary_variance(alpha, curvature=h, variance=variance)
    close(js("m.stationaryVariance(...a)", alpha, h, variance), resting)
    assert js("m.stationaryVariance(2, 1, 1) === Infinity")
    n = int(rng.integers(5, 50))
    wanted = rates.mini_batch_variance(np.arange(1, n + 1), n=n, variance=variance)
    close([js("m.miniBatchVariance(...a)", b, n, variance) for b in range(1, n + 1)], wanted)


SCHEDULES: dict[str, Any] = {
    "constant(0.3)": lambda t: 0.3,
    "stepDecay(0.3, 0.2, 10)": learning_rates.step_decay(0.3, 0.2, 10),
    "inverseSqrt(0.3, 8)": learning_rates.inverse_sqrt(0.3, 8),
    "cosine(0.3, 40)": learning_rates.cosine(0.3, 40),
    "cosine(0.3, 40, 6)": learning_rates.cosine(0.3, 40, 6),
    "power(0.3, 0.5)": learning_rates.inverse(0.3, 1.0, 0.5),
    "oneCycle(0.3, 40)": learning_rates.one_cycle(0.3, 40),
}


@pytest.mark.parametrize("call", SCHEDULES)
def test_schedules_are_those_of_the_library(call: str, js: Js) -> None:
    found = js(f"Array.from({{length: 40}}, (_, i) => m.schedules.{call}(i + 1))")
    close(found, [SCHEDULES[call](t) for t in range(1, 41)])
    assert {name.partition("(")[0] for name in SCHEDULES} == set(js("Object.keys(m.schedules)"))


def mulberry(seed: int, count: int) -> Iterator[float]:
    """The generator mulberry32, in whole numbers."""
    low = 0xFFFFFFFF
    for _ in range(count):
        seed = (seed + 0x6D2B79F5) & low
        z = ((seed ^ (seed >> 15)) * (seed | 1)) & low
        z ^= (z + ((z ^ (z >> 7)) * (z | 61) & low)) & low
        yield (z ^ (z >> 14)) / 2**32


@pytest.mark.parametrize("seed", SEEDS)
def test_random_numbers_repeat_and_are_random(seed: int, js: Js) -> None:
    u = np.array(list(mulberry(seed, 4000)))
    close(js("(draw => Array.from({length: 4000}, draw))(m.uniforms(a[0]))", seed), u)
    normals = np.array(js("m.normals(a[0], 2000)", seed))
    close(normals, np.sqrt(-2 * np.log(1 - u[::2])) * np.cos(2 * np.pi * u[1::2]))
    assert abs(normals.mean()) < 4 / math.sqrt(2000)
    assert abs(normals.var() - 1) < 4 * math.sqrt(2 / 2000)
    noisy = js("(g => [1, 2, 3].map(t => g([0, 0], t)))(m.noisy(() => [5, -5], 0.5, a[0], 3))", seed)
    close(noisy, [5, -5] + 0.5 * normals[:6].reshape(3, 2))


@pytest.mark.parametrize("b", [1, 3, 10])
def test_batches_are_distinct_samples_all_equally_likely(b: int, js: Js) -> None:
    drawn, draw, order = js("m.batches(10, a[0], 3000, 5)", b), mulberry(5, 3000 * b), list(range(10))
    for batch in drawn:
        for i in range(b):
            j = i + int(next(draw) * (10 - i))
            order[i], order[j] = order[j], order[i]
        assert batch == order[:b]
    assert sorted(order) == list(range(10))


# Value of each function, for complex arguments: the imaginary part of f(w + ihe) / h is the exact slope.
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "quadratic([2, 5])": lambda w: w[0] ** 2 + 2.5 * w[1] ** 2,
    "cliff": lambda w: np.exp(5 * (w[0] - 1)) - w[0] / 2 + w[1] ** 2 / 2,
    "saddle": lambda w: w[0] ** 2 / 2 - w[1] ** 2 / 2 + w[1] ** 4 / 4,
    "layers": lambda w: (w[0] ** 2 * w[1] ** 2 - 1) ** 2 / 4,
}


def slopes(f: Callable[[Any], Any], w: Any, h: float = 1e-30) -> Any:
    return np.array([np.imag(f(w + 1j * h * e)) / h for e in np.eye(len(w))])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients(name: str, seed: int, js: Js) -> None:
    w = rng_of(seed).uniform(-1.5, 1.5, 2)
    close(js(f"m.{name}.value(a)", *w), FUNCTIONS[name](w))
    close(js(f"m.{name}.gradient(a)", *w), slopes(FUNCTIONS[name], w))


def test_the_minimizer_of_the_cliff(js: Js) -> None:
    assert max(map(abs, js("m.cliff.gradient(m.cliff.minimizer)"))) < 1e-12


@pytest.mark.parametrize("seed", SEEDS)
def test_sharpness_is_the_larger_eigenvalue_of_the_hessian(seed: int, js: Js) -> None:
    u, v = rng_of(seed).uniform(-2, 2, 2)
    r = u * u * v * v - 1
    mixed = 4 * u**3 * v**3 / 2 + 2 * r * u * v
    hessian = [[2 * u * u * v**4 + r * v * v, mixed], [mixed, 2 * u**4 * v * v + r * u * u]]
    close(js("m.layers.sharpness(a)", u, v), np.linalg.eigvalsh(hessian)[-1])
    close(np.imag([(r + 1 + 2j * 1e-30 * u * v * v - 1) * (u + 1e-30j) * v * v]) / 1e-30, hessian[0][0])


@pytest.mark.parametrize("middle", [1.0, 7.5, 25.0])
def test_the_kinked_function_is_that_of_the_chapter_on_momentum(middle: float, js: Js) -> None:
    def slope(w: Any) -> Any:
        return np.where(w < 1, 25 * w, np.where(w < 2, middle * (w - 1) + 25, 25 * w - 25 + middle))

    grid = np.linspace(-3, 4, 7001)
    found = js("a[1].map(w => [m.kinked(a[0]).gradient([w])[0], m.kinked(a[0]).value([w])])", middle, grid.tolist())
    gradient, value = np.array(found).T
    close(gradient, slope(grid))
    integral = np.concatenate(
        [[0], np.cumsum((gradient[1:] + gradient[:-1]) / 2 * np.diff(grid))]
    )  # exact: kinks on the grid
    close(value - value[0], integral)
    close(value[3000], 0)
