"""Clipping of gradients: what it turns, where it ends, and what it saves under relaxed smoothness."""

import math
from itertools import product

import numpy as np
import pytest

from fo_lib import rates, transforms


def clip_blocks(g, c, m):
    blocks = [block * min(1.0, c / max(np.linalg.norm(block), 1e-300)) for block in np.split(g, m)]
    return np.concatenate(blocks)


def cosine(g, h):
    return g @ h / np.linalg.norm(g) / np.linalg.norm(h)


@pytest.mark.parametrize("m", [1, 3, 12])
def test_clipping_turns_by_no_more_than_the_bound(m):
    rng = np.random.default_rng(0)
    for _ in range(300):
        g = rng.standard_normal(12) * 10 ** rng.uniform(-3, 3, 12)
        c = 10 ** rng.uniform(-3, 3)
        h = clip_blocks(g, c, m)
        assert cosine(g, h) >= (1 - 1e-12) / np.sqrt(m)
        if m == 1:
            np.testing.assert_allclose(h, transforms.clip_norm(c)(g), rtol=1e-12)
        if m == 12:
            np.testing.assert_allclose(h, transforms.clip_value(c)(g), rtol=1e-12)


@pytest.mark.parametrize("m", [2, 5, 12])
def test_the_bound_of_the_angle_is_approached(m):
    g = np.ones(m)
    g[0] = 1e9
    assert cosine(g, transforms.clip_value(1.0)(g)) == pytest.approx(1 / np.sqrt(m), rel=1e-6)
    assert cosine(g, transforms.clip_norm(1.0)(g)) == pytest.approx(1, rel=1e-12)


def huber(r, c):
    return np.where(r <= c, r**2 / 2, c * (r - c / 2))


@pytest.mark.parametrize("c", [0.5, 1.0, 3.0])
def test_mean_clipped_gradient_is_that_of_the_huber_objective(c):
    rng = np.random.default_rng(0)
    xi, w = rng.standard_normal((40, 3)) * [1, 2, 5] + 1, rng.standard_normal(3)

    def objective(w):
        return huber(np.linalg.norm(w - xi, axis=1), c).mean()

    mean = np.mean([transforms.clip_norm(c)(w - x) for x in xi], axis=0)
    numeric = [(objective(w + h) - objective(w - h)) / 2e-6 for h in 1e-6 * np.eye(3)]
    np.testing.assert_allclose(mean, numeric, atol=1e-8)


@pytest.mark.parametrize("c", [0.1, 1.0, 10.0])
def test_symmetric_noise_leaves_the_solution(c):
    xi = np.random.default_rng(0).standard_exponential((30, 2))
    xi = np.concatenate([xi, 2 * np.array([1.0, -2.0]) - xi])  # symmetric about (1, -2)
    clipped = [transforms.clip_norm(c)(np.array([1.0, -2.0]) - x) for x in xi]
    np.testing.assert_allclose(np.mean(clipped, axis=0), 0, atol=1e-12)


def mean_clipped(w, c, p, a, size, each=False):
    """Over all outcomes of a batch."""
    total = 0.0
    for draws in product((0, 1), repeat=size):
        xi = np.where(draws, a, -p * a / (1 - p))
        chance = np.prod(np.where(draws, p, 1 - p))
        g = w - xi
        total += chance * (np.clip(g, -c, c).mean() if each else np.clip(g.mean(), -c, c))
    return total


@pytest.mark.parametrize("p", [0.1, 0.3, 0.45])
@pytest.mark.parametrize("c", [0.2, 1.0, 2.5, 4.0, 6.0])
def test_limit_of_clipped_descent_with_two_values(p, c):
    a = 4.0
    limit = -p / (1 - p) * max(a - c, 0)
    for size in (1, 3):  # clipped one by one: the batch does not matter
        assert mean_clipped(limit, c, p, a, size, each=True) == pytest.approx(0, abs=1e-12)
        assert mean_clipped(limit + 0.01, c, p, a, size, each=True) > 1e-4
        assert mean_clipped(limit - 0.01, c, p, a, size, each=True) < -1e-4
    if c < a:  # the batch's mean, clipped: nearer to the solution
        assert mean_clipped(limit, c, p, a, 4) < 0 or c < 1


def test_relaxed_smoothness_is_attained_by_the_exponential():
    """e^w has second derivative e^w = |f'|: L0 = 0, L1 = 1. With a rate in the exponent, L1 is the rate."""
    for w, t, rate in ((0.0, 1.0, 1.0), (-2.0, 3.0, 1.0), (1.0, 0.5, 2.0)):
        g = rate * np.exp(rate * w)
        above = np.exp(rate * (w + t)) - np.exp(rate * w) - g * t
        assert rates.relaxed_smoothness(t, gradient=g, L0=0, L1=rate) == pytest.approx(above, rel=1e-12)
    w, u = np.meshgrid(np.linspace(-6, 6, 49), np.linspace(-4, 4, 33))
    above = np.cosh(w + u) - np.cosh(w) - np.sinh(w) * u
    bound = [
        rates.relaxed_smoothness(abs(t), gradient=abs(np.sinh(x)), L0=1, L1=1)
        for x, t in zip(w.flat, u.flat, strict=True)
    ]
    assert np.all(above.ravel() <= np.array(bound) * (1 + 1e-12))


@pytest.mark.parametrize("seed", range(10))
def test_decrease_of_a_clipped_step(seed):
    """On sums of cosh(w_i), which are (1, 1)-smooth. The constant is the least that part 1 gives."""
    w = np.random.default_rng(seed).uniform(-8, 8, 3)
    g = np.sinh(w)
    norm = np.linalg.norm(g)
    assert np.cosh(w).max() <= 1 + norm
    decrease = np.cosh(w).sum() - np.cosh(w - g / (1 + norm)).sum()
    assert decrease >= (3 - np.e) * norm**2 / (1 + norm)
    near = 1e-3 * g / norm  # a quadratic there, and the step the exact one
    decrease = np.cosh(near).sum() - np.cosh(near - np.sinh(near) / (1 + np.linalg.norm(np.sinh(near)))).sum()
    assert decrease == pytest.approx(0.5e-6, rel=1e-3)
    for L0, L1 in ((0.0, 1.0), (1.0, 2.0), (5.0, 0.1)):
        scale = L0 + L1 * norm
        least = norm**2 / scale - rates.relaxed_smoothness(norm / scale, gradient=norm, L0=L0, L1=L1)
        assert least >= (3 - np.e) * norm**2 / scale * (1 - 1e-12)
        if L0 == 0:
            assert least == pytest.approx((3 - np.e) * norm**2 / scale, rel=1e-12)


def cosh_steps(step, w=10.0, tolerance=1e-3):
    path = [w]
    while abs(math.sinh(w)) > tolerance and len(path) < 10**6:
        w -= step(math.sinh(w))
        path.append(w)
    return np.array(path)


def test_clipped_descent_stays_below_its_bound():
    path = cosh_steps(lambda g: g / (1 + abs(g)))
    gaps = np.cosh(path) - 1
    bound = rates.clipped_descent(np.arange(len(path)), gap=gaps[0], L0=1, L1=1, mu=1, R=10)
    assert np.all(gaps <= bound)
    assert bound[-1] == pytest.approx(gaps[0] * (1 - (3 - np.e) / 20) ** 14, rel=1e-12)
    near = rates.clipped_descent(3, gap=2.0, L0=4, L1=0.001, mu=1, R=1)
    assert near == pytest.approx(2 * (1 - (3 - np.e) / 4) ** 3, rel=1e-12)
    assert len(path) - 1 == 14
    moved = -np.diff(path)[path[:-1] >= 1]
    assert np.all((math.sinh(1) / (1 + math.sinh(1)) <= moved) & (moved <= 1))


def test_gradient_descent_pays_the_exponential_of_the_start():
    path = cosh_steps(lambda g: g / math.cosh(10))
    assert len(path) - 1 == 83_702
    shrink = path[1:] / path[:-1]
    assert np.all(shrink[path[:-1] <= 1] >= 1 - math.sinh(1) / math.cosh(10))


def test_refusals_of_the_bounds_of_clipping():
    far = {"gap": 1.0, "L0": 1.0, "L1": 1.0, "mu": 1.0, "R": 1.0}
    for name, value in (("gap", -1), ("L0", 0), ("L1", 0), ("mu", 2), ("R", 0)):
        with pytest.raises(ValueError, match=f"{name} must be"):
            rates.clipped_descent(1, **{**far, name: value})
    with pytest.raises(ValueError, match="gradient must be"):
        rates.relaxed_smoothness(1.0, gradient=-1, L0=1, L1=1)
    with pytest.raises(ValueError, match="L0 must be"):
        rates.relaxed_smoothness(1.0, gradient=1, L0=-1, L1=1)
