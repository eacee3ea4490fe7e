"""Theorems of the chapter on proximal methods: FISTA."""

import numpy as np
import pytest

from fo_lib import accelerate, minimize, problems, prox, rates
from tests.theorems.proximal_instances import bowl, composite, flat, lasso, solved


def energy(problem, run):
    """t_k^2 (F(x_k) - F*) + L/2 |z_k - w*|^2, as in the chapter on Nesterov's method."""
    x, t = run.iterates, (run.step + 1) / 2
    z = x[:-1] + t[1:, None] * np.diff(x, axis=0)
    distance = np.sum((np.vstack([x[:1], z]) - problem.minimizer) ** 2, axis=1)
    t[0] = 0
    return t**2 * (run.value - problem.minimum) + problem.L / 2 * distance


@composite
def test_the_energy_of_fista_never_rises(problem, h):
    start = np.zeros_like(problem.start)
    run = accelerate(problem, prox=h, start=start, steps=300, iterates=True)
    E = energy(problem, run)
    assert np.diff(E).max() <= 1e-10 * (E[0] + abs(problem.minimum) * 150**2)
    bound = rates.nesterov_convex(run.step, L=problem.L, R=np.linalg.norm(problem.minimizer))
    assert np.all(run.value[1:] - problem.minimum <= bound[1:] * (1 + 1e-9) + 1e-9)


def test_that_energy_notices_a_wrong_momentum():
    for factor in (0.9, 1.1):
        rises = []

        def wrong(t, factor=factor):
            return min(factor * (t - 1) / (t + 2), 0.999)

        for seed in range(4):
            problem, h = lasso(seed)
            run = accelerate(problem, prox=h, steps=300, iterates=True, momentum=wrong)
            E = energy(problem, run)
            rises.append(np.diff(E).max() / E[0])
        assert max(rises) > 1e-4


@pytest.mark.parametrize("k", [1, 2, 7, 100, 400])
def test_the_constant_of_fista(k):
    """On c |w| without a smooth part: 2 L R^2 / (k^2 + 5k + 2), which no bound five percent smaller allows."""
    L, R = 3.0, 2.0
    slope = 4 * L * R / (k * k + 5 * k + 2)
    gap = accelerate(flat(L, R), prox=prox.l1(slope), steps=k).value[-1]
    assert gap == pytest.approx(2 * L * R**2 / (k * k + 5 * k + 2), rel=1e-9)
    share = gap / rates.nesterov_convex(k, L=L, R=R)
    assert share == pytest.approx((k + 1) ** 2 / (k * k + 5 * k + 2))
    assert share <= 1
    if k >= 100:
        assert share > 0.95


@pytest.mark.parametrize("seed", range(4))
def test_strongly_convex_fista_shrinks_its_energy(seed):
    problem, h = solved(bowl(seed), prox.l1(0.3))
    s = np.sqrt(problem.mu / problem.L)
    run = accelerate(problem, prox=h, momentum=(1 - s) / (1 + s), steps=300, iterates=True)
    x, gap = run.iterates, run.value - problem.minimum
    z = x + (1 / s - 1) * (x - np.vstack([x[:1], x[:-1]]))
    V = gap + problem.mu / 2 * np.sum((z - problem.minimizer) ** 2, axis=1)
    assert np.all(V[1:] <= (1 - s) * V[:-1] + 1e-9 * (1 + abs(problem.minimum)))


@pytest.mark.parametrize("s", [0.1, 0.2])
def test_strongly_convex_fista_shrinks_it_from_any_pair_of_points(s):
    """Each weight is a problem of its own: V falls to 1 - s at least, and for some pair not to 1 - 1.1 s."""
    rng = np.random.default_rng(0)
    curvature = np.concatenate([np.full(1000, s * s), rng.uniform(s * s, 1, 999), [1]])
    f, h = problems.quadratic(curvature, minimizer=3 * rng.standard_normal(2000)), prox.l1(0.05)
    best = np.sign(f.minimizer) * np.maximum(np.abs(f.minimizer) - 0.05 / curvature, 0)
    x, z = best + rng.standard_normal((2, 2000)) * 10 ** rng.uniform(-1, 1, (2, 2000))

    def energies(x, z):
        left, right = (curvature / 2 * (w - f.minimizer) ** 2 + 0.05 * np.abs(w) for w in (x, best))
        return left - right + s * s / 2 * (z - best) ** 2

    new = accelerate(f, prox=h, start=(x + s * z) / (1 + s), steps=1).w
    share = energies(new, new + (1 / s - 1) * (new - x)) / energies(x, z)
    assert 1 - 1.1 * s < share.max() <= 1 - s


def test_that_shrinking_notices_a_wrong_momentum():
    """Ten percent less or more, on a direction of curvature mu; the minimizer, 3, is far from the kink."""
    s, curvature = 0.1, np.array([0.01, 1.0])
    f = problems.quadratic(curvature, minimizer=3 + 0.02 / curvature, start=[4.0, 4.0])
    beta = (1 - s) / (1 + s)
    for factor in (0.9, 1.0, 1.1):
        run = accelerate(f, prox=prox.l1(0.02), momentum=factor * beta, steps=300, iterates=True)
        x = run.iterates
        z = x + (1 / s - 1) * (x - np.vstack([x[:1], x[:-1]]))
        V = ((x - 3) ** 2 @ curvature + s * s * np.sum((z - 3) ** 2, axis=1)) / 2
        late = V[:-1] > 1e-12
        assert np.any(V[1:][late] > (1 - s) * V[:-1][late] * (1 + 1e-6)) == (factor != 1)


def test_row_15_bounds_on_the_lasso():
    """At step 100 the lasso of 60 x 120 is below the bounds, and not by orders of magnitude."""
    ratios = []
    for seed in range(6):
        problem, h = lasso(seed)
        R = np.linalg.norm(problem.minimizer)
        gap = [run.value - problem.minimum for run in (
            minimize(problem, prox=h, learning_rate=1 / problem.L, steps=300), accelerate(problem, prox=h, steps=300)
        )]  # fmt: skip
        k = np.arange(1, 301)
        ratios.append([
            (gap[0][1:] / rates.proximal_gradient(k, L=problem.L, R=R)).max(),
            (gap[1][1:] / rates.nesterov_convex(k, L=problem.L, R=R)).max(),
        ])  # fmt: skip
    ratios = np.array(ratios)
    assert np.all(ratios <= 1)
    assert np.all(ratios.min(0) > 0.1)
