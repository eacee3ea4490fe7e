"""Theorems of the chapter on momentum."""

from fractions import Fraction

import numpy as np
import pytest

from fo_lib import minimize, problems, rates, rules
from tests.theorems.instances import many_chains


def companion(h, beta):
    """Matrix that takes (w_k, w_{k-1}) to (w_{k+1}, w_k) on a direction with learning rate times curvature h."""
    return np.array([[1 + beta - h, -beta], [1.0, 0.0]])


def spectral_radius(h, beta):
    return np.abs(np.linalg.eigvals(companion(h, beta))).max()


def tuned(L, mu):
    """Learning rate, momentum and rate of the tuning theorem."""
    kappa = L / mu
    rho = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
    return 4 / (np.sqrt(L) + np.sqrt(mu)) ** 2, rho**2, rho


def one_weight(curvature, alpha, beta, steps):
    """All iterates from w = 1 at rest, by the library's rule."""
    bowl = problems.quadratic([curvature], start=[1.0])
    run = minimize(bowl, rules.momentum, learning_rate=alpha, momentum=beta, steps=steps, iterates=True)
    return run.iterates[:, 0]


# One direction


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("curvature", [0.5, 4.0])
def test_stability_edge_is_two_times_one_plus_beta(beta, curvature):
    """Just inside the window runs shrink; at its edge they swing forever; just outside they grow."""
    edge = 2 * (1 + beta) / curvature
    inside, at, outside = (one_weight(curvature, f * edge, beta, 10_000) for f in (0.999, 1.0, 1.001))
    assert abs(inside[-1]) < 1e-3
    assert abs(outside[-1]) > 100
    swing = 1 + 2 * beta / (1 - beta)  # the root -1 alone survives: from rest its share is (1 + beta) / (1 - beta)
    np.testing.assert_allclose(np.abs(at[-10:]), swing, rtol=1e-6)


def test_stability_window_is_that_of_the_roots():
    rng = np.random.default_rng(0)
    for beta, h in zip(rng.uniform(-1.5, 1.5, 500), rng.uniform(-1, 5, 500), strict=True):
        window = abs(beta) < 1 and 0 < h < 2 * (1 + beta)
        assert (spectral_radius(h, beta) < 1) == window


@pytest.mark.parametrize("beta", [0.0, 0.25, 0.81, 0.99])
def test_decay_is_the_root_of_beta_exactly_while_the_roots_are_complex(beta):
    h = np.linspace(0, 2 * (1 + beta), 401)
    decay = rates.heavy_ball_decay(h, momentum=beta)
    np.testing.assert_allclose(decay, [spectral_radius(x, beta) for x in h], atol=1e-6)  # double roots are defective
    flat = (h >= (1 - np.sqrt(beta)) ** 2) & (h <= (1 + np.sqrt(beta)) ** 2)
    np.testing.assert_allclose(decay[flat], np.sqrt(beta), atol=1e-7)
    assert np.all(decay[~flat] > np.sqrt(beta) + 1e-7)


@pytest.mark.parametrize(("h", "beta"), [(0.5, 0.81), (2.0, 0.81), (0.02, 0.81), (3.61, 0.9), (0.1, 0.25)])
def test_runs_decay_at_that_rate(h, beta):
    """Over 400 steps, by the larger of two neighbours, so that a swing through zero does not count."""
    w = np.abs(one_weight(h, 1.0, beta, 420))
    first, last = w[:20].max(), w[400:420].max()
    assert (last / first) ** (1 / 400) == pytest.approx(rates.heavy_ball_decay(h, momentum=beta), rel=0.01)


@pytest.mark.parametrize("rho", [0.3, 0.9])
def test_critical_damping_has_a_double_root_and_decays_as_k_times_its_power(rho):
    """Closed forms at both ends of the flat part: (1 + k (1 - rho)) rho^k, and (1 + k (1 + rho)) (-rho)^k."""
    k = np.arange(60)
    slow, fast = (one_weight((1 - s * rho) ** 2, 1.0, rho**2, 59) for s in (1, -1))
    np.testing.assert_allclose(slow, (1 + k * (1 - rho)) * rho**k, rtol=1e-9)
    np.testing.assert_allclose(fast, (1 + k * (1 + rho)) * (-rho) ** k, rtol=1e-9)
    assert np.linalg.matrix_rank(companion((1 - rho) ** 2, rho**2) - rho * np.eye(2), tol=1e-12) == 1


def test_overdamped_below_critical_momentum_slows_down():
    """With alpha lambda fixed, less momentum than critical decays slower, and monotonically; more swings."""
    h = 0.04
    w = [one_weight(h, 1.0, beta, 300) for beta in (0.5, 0.64, 0.8)]
    assert np.all(w[0] > 0)
    assert np.all(w[1] > 0)
    assert (w[2] < 0).any()
    assert w[0][-1] > 1e6 * w[1][-1]


# All directions


@pytest.mark.parametrize("kappa", [1.0, 4.0, 100.0, 1e4])
def test_tuning_gives_the_same_rate_in_every_direction(kappa):
    alpha, beta, rho = tuned(3 * kappa, 3.0)
    for curvature in np.linspace(3.0, 3 * kappa, 101):
        assert spectral_radius(alpha * curvature, beta) == pytest.approx(rho, abs=1e-6)
    assert rates.heavy_ball_decay(alpha * 3.0 * kappa, momentum=beta) == pytest.approx(rho, abs=1e-6)


@pytest.mark.parametrize("kappa", [2.0, 25.0, 1000.0])
def test_no_other_tuning_is_better_at_both_ends(kappa):
    """On a fine grid, negative momentum included, and right beside the optimum, where both neighbours are worse."""
    alpha, beta, rho = tuned(kappa, 1.0)

    def worst(a, b):
        half = np.abs(1 + b - a * np.array([1.0, kappa])) / 2
        return np.max(np.sqrt(np.abs(b)) if b > half.max() ** 2 else half + np.sqrt(np.maximum(half**2 - b, 0)))

    grid = np.array([[worst(a, b) for a in np.linspace(0, 4 / kappa, 161)[1:]] for b in np.linspace(-0.99, 0.999, 200)])
    assert grid.min() >= rho - 1e-9
    assert worst(alpha, beta) == pytest.approx(rho, abs=1e-6)
    for da, db in ((1.01, 1), (0.99, 1), (1, 1.01), (1, 0.99)):
        if beta * db < 1:
            assert worst(alpha * da, beta * db) > rho + 1e-5


@pytest.mark.parametrize("kappa", [1.5, 25.0, 400.0])
def test_finite_bound_is_attained_along_the_steepest_direction(kappa):
    alpha, beta, _ = tuned(kappa, 1.0)
    k = np.arange(101)
    bound = rates.heavy_ball(k, L=kappa, mu=1.0)
    assert bound[0] == 1
    np.testing.assert_allclose(np.abs(one_weight(kappa, alpha, beta, 100)), bound, rtol=1e-8)


@pytest.mark.parametrize("seed", range(10))
def test_finite_bound_holds_for_distance_and_root_of_the_gap(seed):
    rng = np.random.default_rng(seed)
    bowl = problems.quadratic(10 ** rng.uniform(-1, 2, 8), seed=seed, start=rng.standard_normal(8))
    alpha, beta, _ = tuned(bowl.L, bowl.mu)
    run = minimize(bowl, rules.momentum, learning_rate=alpha, momentum=beta, steps=300, iterates=True)
    bound = rates.heavy_ball(run.step, L=bowl.L, mu=bowl.mu)
    distance = np.linalg.norm(run.iterates, axis=1)
    assert np.all(distance <= bound * distance[0] * (1 + 1e-9) + 1e-13)
    assert np.all(run.value <= bound**2 * run.value[0] * (1 + 1e-9) + 1e-26)


def test_without_friction_an_energy_is_conserved():
    w, v, h = 1.0, 0.0, 0.7
    for _ in range(1000):
        w, v = rules.momentum(w, h * w, v, 1.0, 1.0)
        assert v * v + h * w * w - h * v * w == pytest.approx(h, rel=1e-11)


# The cycle


def slope(x):
    """Derivative of the function of Lessard, Recht and Packard: mu = 1, L = 25."""
    if x < 1:
        return 25 * x
    return x + 24 if x < 2 else 25 * x - 24


CYCLE = [Fraction(792, 1225), Fraction(-2208, 1225), Fraction(2592, 1225)]


def test_heavy_ball_cycles_exactly():
    """In rational arithmetic, with the tuning for kappa = 25; and another momentum or learning rate breaks it."""

    def step(before, now, alpha, beta):
        return rules.momentum(now, slope(now), now - before, alpha, beta)[0]

    for i in range(3):
        a, b, c = CYCLE[i - 2], CYCLE[i - 1], CYCLE[i]
        assert step(a, b, Fraction(1, 9), Fraction(4, 9)) == c
        assert step(a, b, Fraction(1, 9), Fraction(5, 9)) != c
        assert step(a, b, Fraction(1, 10), Fraction(4, 9)) != c
    assert tuned(25.0, 1.0)[:2] == pytest.approx((1 / 9, 4 / 9))


@pytest.mark.parametrize("start", [3.3, 3.25, 3.35])
def test_the_cycle_attracts_whole_neighbourhoods(start):
    w, v = start, 0.0
    for _ in range(300):
        w, v = rules.momentum(w, slope(w), v, 1 / 9, 4 / 9)
    seen = []
    for _ in range(3):
        w, v = rules.momentum(w, slope(w), v, 1 / 9, 4 / 9)
        seen.append(w)
    np.testing.assert_allclose(sorted(seen), sorted(map(float, CYCLE)), atol=1e-12)


# Noise


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("share", [0.001, 0.3, 0.95])
def test_stationary_variance_solves_the_lyapunov_equation(beta, share):
    """The covariance P of (w_k, w_{k-1}) solves P = M P M' + alpha^2 sigma^2 e e': four linear equations."""
    curvature, sigma = 3.0, 1.7
    alpha = share * 2 * (1 + beta) / curvature
    M = companion(alpha * curvature, beta)
    noise = np.array([alpha**2 * sigma**2, 0, 0, 0])
    P = np.linalg.solve(np.eye(4) - np.kron(M, M), noise)
    theory = rates.heavy_ball_variance(curvature, learning_rate=alpha, momentum=beta, variance=sigma**2)
    assert theory == pytest.approx(P[0], rel=1e-9)
    assert P[0] == pytest.approx(P[3], rel=1e-9)


@pytest.mark.parametrize(("alpha", "beta"), [(0.1, 0.0), (0.05, 0.5), (0.05, 0.9), (0.9, 0.9)])
def test_stationary_variance_of_many_chains(alpha, beta):
    """20,000 chains after 400 steps: the standard error of the variance is 1 %."""
    w, _ = many_chains(rules.momentum, alpha, beta, steps=400, seed=1)
    theory = rates.heavy_ball_variance(2.0, learning_rate=alpha, momentum=beta, variance=2.25)
    assert w.var() == pytest.approx(theory, rel=0.04)


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.99])
def test_floor_at_equal_effective_rate(beta):
    """The ratio of the floors is (2 - e h) / (2 - (1 - beta) / (1 + beta) e h), e = alpha / (1 - beta)."""
    curvature = 2.0
    for effective in (1e-4, 0.1, 0.9):
        plain, heavy = (
            rates.heavy_ball_variance(curvature, learning_rate=effective * (1 - b), momentum=b, variance=1.0)
            for b in (0.0, beta)
        )
        x = effective * curvature
        assert heavy / plain == pytest.approx((2 - x) / (2 - (1 - beta) / (1 + beta) * x), rel=1e-12)
        assert 1 - x / 2 < heavy / plain < 1


# Conventions


def gradient(w):
    return np.array([3.0, 0.5]) * w + np.sin(w)


def run_ours(schedule, steps):
    w, v, path = np.array([1.0, -2.0]), np.zeros(2), []
    for t in range(steps):
        w, v = rules.momentum(w, gradient(w), v, schedule(t), 0.9)
        path.append(w)
    return np.array(path)


def run_pytorch(schedule, steps, dampening=0.0):
    w, u, path = np.array([1.0, -2.0]), np.zeros(2), []
    for t in range(steps):
        u = 0.9 * u + (1 - dampening) * gradient(w)
        w = w - schedule(t) * u
        path.append(w)
    return np.array(path)


def test_conventions_agree_at_a_constant_rate():
    ours = run_ours(lambda t: 0.02, 100)
    np.testing.assert_allclose(run_pytorch(lambda t: 0.02, 100), ours, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(run_pytorch(lambda t: 0.02 / 0.1, 100, dampening=0.9), ours, rtol=1e-10, atol=1e-14)
    assert not np.allclose(run_pytorch(lambda t: 0.02, 100, dampening=0.9), ours, rtol=1e-2)


def test_conventions_part_at_a_drop_by_the_velocity_times_beta_times_the_change():
    """In the step of the drop they differ by (1 - alpha' / alpha) beta v, exactly."""

    def drop(t):
        return 0.02 if t < 30 else 0.002

    ours, theirs = run_ours(drop, 31), run_pytorch(drop, 31)
    v = ours[29] - ours[28]
    np.testing.assert_allclose(ours[30] - theirs[30], (1 - 0.1) * 0.9 * v, rtol=1e-10, atol=1e-15)


# The bounds as functions


def test_bounds_by_hand():
    np.testing.assert_allclose(rates.heavy_ball([0, 1, 2], L=9, mu=1), [1, 1.25, 1.0])
    np.testing.assert_allclose(rates.heavy_ball_decay([0, 0.25, 1, 2.25, 2.5], momentum=0.25), [1, 0.5, 0.5, 0.5, 1])
    assert rates.heavy_ball_variance(2.0, learning_rate=0.5, momentum=0.0, variance=4.0) == pytest.approx(1.0)
    assert rates.heavy_ball_variance(1.0, learning_rate=1.0, momentum=0.5, variance=1.0) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.heavy_ball(-1, L=1, mu=1), "k must be >= 0, got -1"),
        (lambda: rates.heavy_ball(1, L=1, mu=2), "mu must be"),
        (lambda: rates.heavy_ball_decay(1, momentum=1), "momentum must be a finite number and >= 0 and < 1, got 1"),
        (lambda: rates.heavy_ball_decay(-0.5, momentum=0.5), "step_curvature must be >= 0, got -0.5"),
        (
            lambda: rates.heavy_ball_variance(0, learning_rate=1, momentum=0, variance=1),
            "curvature must be a finite number and > 0, got 0",
        ),
        (lambda: rates.heavy_ball_variance(1, learning_rate=1, momentum=0, variance=-1), "variance must be"),
        (
            lambda: rates.heavy_ball_variance(1, learning_rate=1, momentum=1, variance=1),
            "momentum must be >= 0 and < 1",
        ),
        (lambda: rates.heavy_ball_variance(1, learning_rate=1, momentum=-0.1, variance=1), "momentum must be >= 0"),
        (lambda: rates.heavy_ball_variance(1, learning_rate=0, momentum=0, variance=1), "learning_rate must be > 0"),
        (lambda: rates.heavy_ball_variance(1, learning_rate=3, momentum=0.5, variance=1), "learning_rate must be > 0"),
    ],
)
def test_bounds_refuse_what_their_theorems_do_not_cover(call, message):
    with pytest.raises(ValueError, match=message):
        call()
