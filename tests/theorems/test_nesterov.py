"""Theorems of the chapter on Nesterov's acceleration."""

import numpy as np
import pytest
from scipy import special

from fo_lib import accelerate, minimize, problems, rates, rules
from fo_lib.accelerated import growing_momentum, restart_by_gradient, restart_by_value
from tests.theorems.instances import nesterov_matrix, random_logistic, random_quadratic

INSTANCES = [random_quadratic(seed) for seed in range(8)] + [random_logistic(seed, l2=1e-3) for seed in range(8)]
instances = pytest.mark.parametrize("problem", INSTANCES, ids=lambda p: p.name)


def energy(problem, run, a=3):
    """t_k^2 (f(x_k) - f*) + L/2 |z_k - w*|^2 of the convex theorem, with t_k = (k + a - 2) / (a - 1)."""
    x = run.iterates
    before = np.vstack([x[:1], x[:-1]])
    t = (np.arange(len(x)) + a - 2) / (a - 1)
    t[0] = 0  # at the start only the distance counts
    z = before + np.where(t, t, 1)[:, None] * (x - before)
    return t**2 * (run.value - problem.minimum) + problem.L / 2 * np.sum((z - problem.minimizer) ** 2, axis=1)


# Convex functions


@instances
def test_energy_of_the_convex_theorem_never_rises(problem):
    run = accelerate(problem, steps=300, iterates=True)
    E = energy(problem, run)
    R = np.linalg.norm(run.iterates[0] - problem.minimizer)
    assert E[0] == pytest.approx(problem.L / 2 * R**2)
    assert np.diff(E).max() <= 1e-12 * E[0]
    bound = rates.nesterov_convex(run.step, L=problem.L, R=R)
    assert np.all(run.value - problem.minimum <= bound * (1 + 1e-9))


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_the_energy_notices_a_wrong_momentum(factor):
    """A momentum ten percent off makes it rise somewhere, so that the test above tests something."""

    def wrong(t):
        return min(factor * growing_momentum(t), 0.999)

    runs = [accelerate(p, momentum=wrong, steps=300, iterates=True) for p in INSTANCES]
    assert max(np.diff(energy(p, run)).max() / energy(p, run)[0] for p, run in zip(INSTANCES, runs, strict=True)) > 1e-4


def huber(threshold):
    """Curvature 1 up to the threshold, straight beyond, start at 1."""

    def value(w):
        x = abs(float(w[0]))
        return x * x / 2 if x <= threshold else threshold * x - threshold**2 / 2

    return problems.from_functions(value, lambda w: np.clip(w, -threshold, threshold), np.array([1.0]), L=1.0)


@pytest.mark.parametrize("k", [1, 2, 3, 10, 100, 400])
def test_huber_attains_two_over_k_plus_two_times_k_plus_three(k):
    threshold = 4 / ((k + 2) * (k + 3))
    gap = accelerate(huber(threshold), steps=k).value[-1]
    assert gap == pytest.approx(2 / ((k + 2) * (k + 3)), rel=1e-9)
    share = gap / rates.nesterov_convex(k, L=1.0, R=1.0)
    assert share == pytest.approx((k + 1) ** 2 / ((k + 2) * (k + 3)), rel=1e-9)
    if k >= 100:
        assert share > 0.95  # no constant five percent smaller is right


def test_on_a_slope_the_steps_grow_linearly():
    """The steps are (k + 2) / 4 times the first, from the second on."""
    x = accelerate(huber(1e-6), steps=50, iterates=True).iterates[:, 0]
    k = np.arange(1, 51)
    np.testing.assert_allclose(-np.diff(x) / 1e-6, np.where(k == 1, 1, (k + 2) / 4), rtol=1e-6)


@pytest.mark.parametrize("a", [3, 4, 6])
def test_other_schedules_have_their_bound(a):
    """Momentum (t - 1) / (t - 1 + a) for a >= 3: the exercise."""
    for problem in INSTANCES[:4] + INSTANCES[8:12]:
        run = accelerate(problem, momentum=lambda t: (t - 1) / (t - 1 + a), steps=200, iterates=True)
        E = energy(problem, run, a)
        assert np.diff(E).max() <= 1e-12 * E[0]
        bound = E[0] * ((a - 1) / (run.step[1:] + a - 2)) ** 2
        assert np.all(run.value[1:] - problem.minimum <= bound * (1 + 1e-9))
    runs = [accelerate(p, momentum=lambda t: (t - 1) / (t - 2 + a), steps=200, iterates=True) for p in INSTANCES]
    energies = [energy(p, run, a) for p, run in zip(INSTANCES, runs, strict=True)]
    assert max(np.diff(E).max() / E[0] for E in energies) > 1e-6  # of another schedule it may rise


def test_small_steps_follow_the_differential_equation():
    """x'' + (3 / t) x' + x = 0 has the solution 2 J_1(t) / t; time runs at the root of the learning rate."""
    errors = []
    for alpha in (1e-2, 1e-4):
        steps = int(20 / np.sqrt(alpha))
        bowl = problems.quadratic([1.0], start=[1.0])
        x = accelerate(bowl, learning_rate=alpha, steps=steps, iterates=True).iterates[1:, 0]
        t = np.arange(1, steps + 1) * np.sqrt(alpha)
        errors.append(np.abs(x - 2 * special.j1(t) / t).max())
    assert errors[1] < 0.01
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.1)  # first order in the time step


# Strongly convex functions


def constant(L, mu):
    s = np.sqrt(mu / L)
    return (1 - s) / (1 + s)


@instances
def test_energy_of_the_strongly_convex_theorem_shrinks_by_its_factor(problem):
    """V_k = f(x_k) - f* + mu/2 |z_k - w*|^2, z_k = x_k + (1 / s - 1) (x_k - x_{k-1}), s = sqrt(mu / L)."""
    L, mu = problem.L, problem.mu
    run = accelerate(problem, momentum=constant(L, mu), steps=300, iterates=True)
    x, s = run.iterates, np.sqrt(mu / L)
    z = x + (1 / s - 1) * (x - np.vstack([x[:1], x[:-1]]))
    gap = run.value - problem.minimum
    V = gap + mu / 2 * np.sum((z - problem.minimizer) ** 2, axis=1)
    assert np.all(V[1:] <= (1 - s) * V[:-1] + 1e-13 * V[0])
    R = np.linalg.norm(x[0] - problem.minimizer)
    bound = rates.nesterov_strongly_convex(run.step, L=L, mu=mu, gap=gap[0], R=R)
    assert bound[0] == pytest.approx(V[0])
    assert np.all(gap <= bound * (1 + 1e-9) + 1e-13 * gap[0])


def test_that_energy_notices_a_wrong_momentum():
    """Too little or too much by ten percent: on the direction of curvature mu the factor is exceeded."""
    s = 0.1
    for factor in (0.9, 1.1):
        bowl = problems.quadratic([s * s, 1.0], start=[1.0, 1.0])
        run = accelerate(bowl, momentum=factor * constant(1.0, s * s), steps=300, iterates=True)
        x = run.iterates
        z = x + (1 / s - 1) * (x - np.vstack([x[:1], x[:-1]]))
        V = run.value + s * s / 2 * np.sum(z**2, axis=1)
        assert np.any(V[1:] > (1 - s) * V[:-1] * (1 + 1e-6))


@pytest.mark.parametrize("kappa", [1.5, 25.0, 1e4])
def test_on_quadratics_the_slowest_direction_is_the_flattest(kappa):
    """Decay sqrt((1 - h) beta): exactly 1 - 1/sqrt(kappa) at h = 1/kappa, and less at every larger curvature."""
    beta, s = constant(kappa, 1.0), 1 / np.sqrt(kappa)
    h = np.linspace(1 / kappa, 1, 101)
    radius = np.array([np.abs(np.linalg.eigvals(nesterov_matrix(x, beta))).max() for x in h])
    np.testing.assert_allclose(radius, np.sqrt((1 - h) * beta), atol=1e-6)
    assert radius[0] == pytest.approx(1 - s, abs=1e-6)
    assert np.all(np.diff(radius) < 0)
    np.testing.assert_allclose(rates.nesterov_decay(h, momentum=beta), radius, atol=1e-6)


@pytest.mark.parametrize("kappa", [1.5, 25.0, 400.0])
def test_quadratic_bound_is_attained_along_the_flattest_direction(kappa):
    flat = problems.quadratic([1.0], start=[1.0])
    run = accelerate(flat, learning_rate=1 / kappa, momentum=constant(kappa, 1.0), steps=100, iterates=True)
    bound = rates.nesterov_quadratic(run.step, L=kappa, mu=1.0)
    assert bound[0] == 1
    np.testing.assert_allclose(run.iterates[:, 0], bound, rtol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_quadratic_bound_holds_for_distance_and_root_of_the_gap(seed):
    bowl = random_quadratic(seed)
    run = accelerate(bowl, momentum=constant(bowl.L, bowl.mu), steps=300, iterates=True)
    bound = rates.nesterov_quadratic(run.step, L=bowl.L, mu=bowl.mu)
    distance = np.linalg.norm(run.iterates - bowl.minimizer, axis=1)
    assert np.all(distance <= bound * distance[0] * (1 + 1e-9) + 1e-13)
    assert np.all(run.value <= bound**2 * run.value[0] * (1 + 1e-9) + 1e-26)


# The lower bound


def conjugate_gradient(problem, steps):
    w, path = problem.start, []
    r = -problem.grad(w)
    p = r
    for _ in range(steps):
        q = problem.hessian(w) @ p
        w = w + (r @ r) / (p @ q) * p
        new = r - (r @ r) / (p @ q) * q
        p, r = new + (new @ new) / (r @ r) * p, new
        path.append(w)
    return path


def methods(problem, k):
    alpha, beta = 1 / problem.L, constant(problem.L, problem.mu)
    tuned = {"learning_rate": 4 / (np.sqrt(problem.L) + np.sqrt(problem.mu)) ** 2, "momentum": beta**2}
    return {
        "CG": conjugate_gradient(problem, k)[-1],
        "Nesterov": accelerate(problem, steps=k).w,
        "constant": accelerate(problem, momentum=beta, steps=k).w,
        "heavy ball": minimize(problem, rules.momentum, steps=k, **tuned).w,
        "GD": minimize(problem, learning_rate=alpha, steps=k).w,
        "long steps": minimize(problem, learning_rate=1.9 * alpha, steps=k).w,
    }


@pytest.mark.parametrize("k", [1, 2, 10, 50])
@pytest.mark.parametrize("L", [1.0, 7.0])
def test_no_method_beats_the_lower_bound(k, L):
    problem = problems.nesterov_worst_case(k, L)
    R = np.linalg.norm(problem.minimizer)
    low = rates.first_order_lower(k, L=L, R=R)
    for w in methods(problem, k).values():
        assert np.all(w[k:] == 0)  # each step reaches one more coordinate
        assert problem.value(w) - problem.minimum >= low


@pytest.mark.parametrize("k", [1, 5, 50])
def test_conjugate_gradients_attain_the_minimum_of_the_span(k):
    """The gap L / (16 (k + 1)) of the proof, and a ratio to the bound that is exact and tends to one."""
    problem = problems.nesterov_worst_case(k, 3.0)
    gap = problem.value(conjugate_gradient(problem, k)[-1]) - problem.minimum
    assert gap == pytest.approx(3.0 / (16 * (k + 1)), rel=1e-9)
    d = 2 * k + 1
    R2 = d * (2 * d + 1) / (6 * (d + 1))
    assert R2 == pytest.approx(problem.minimizer @ problem.minimizer)
    ratio = gap / rates.first_order_lower(k, L=3.0, R=np.sqrt(R2))
    assert ratio == pytest.approx(4 * (k + 1) ** 2 / ((2 * k + 1) * (4 * k + 3) / 2), rel=1e-9)


def test_ratios_to_the_lower_bound_at_fifty_steps():
    problem = problems.nesterov_worst_case(50)
    low = rates.first_order_lower(50, L=1.0, R=np.linalg.norm(problem.minimizer))
    ratio = {name: (problem.value(w) - problem.minimum) / low for name, w in methods(problem, 50).items()}
    assert ratio["CG"] == pytest.approx(1.0149, abs=1e-4)
    assert ratio["Nesterov"] == pytest.approx(3.228, abs=1e-3)
    assert ratio["GD"] == pytest.approx(10.59, abs=0.01)


# Restarts


def every(problem, K, rounds):
    """Gaps after each of the rounds of K steps."""
    w, gaps = problem.start, []
    for _ in range(rounds):
        w = accelerate(problem, start=w, steps=K, every=K).w
        gaps.append(problem.value(w) - problem.minimum)
    return gaps


@instances
def test_restart_at_fixed_intervals_divides_the_gap_by_e_squared(problem):
    K = int(np.ceil(2 * np.e * np.sqrt(problem.condition_number)))
    gaps = every(problem, K, 3) if K < 3000 else every(problem, K, 1)
    first = problem.value(problem.start) - problem.minimum
    for j, gap in enumerate(gaps, start=1):
        assert gap <= np.exp(-2 * j) * first * (1 + 1e-9) + 1e-13


@pytest.mark.parametrize("kappa", [100.0, 1e4])
@pytest.mark.parametrize("restart", [restart_by_value, restart_by_gradient])
def test_adaptive_restarts_need_at_most_twice_the_steps_of_the_tuned_run(kappa, restart):
    """On quadratics with random spectra, to a gap of 1e-8; without restarts it takes more than twice as many."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        spectrum = np.r_[1, kappa, kappa ** rng.uniform(0, 1, 48)]
        bowl = problems.quadratic(spectrum, seed=seed, start=rng.standard_normal(50))
        runs = ({"momentum": constant(kappa, 1.0)}, {"restart": restart}, {})
        gaps = [accelerate(bowl, steps=int(40 * np.sqrt(kappa)), **settings).value for settings in runs]
        tuned, restarted, without = (np.flatnonzero(gap > 1e-8 * gap[0])[-1] + 1 for gap in gaps)
        assert restarted <= 2 * tuned
        assert without > 2 * tuned


# The bounds as functions


def test_bounds_by_hand():
    np.testing.assert_allclose(rates.nesterov_convex([0, 1, 3], L=2, R=3), [36, 9, 2.25])
    np.testing.assert_allclose(rates.nesterov_strongly_convex([0, 2], L=4, mu=1, gap=3, R=2), [5, 1.25])
    np.testing.assert_allclose(rates.nesterov_quadratic([0, 1, 2], L=4, mu=1), [1, 0.75, 0.5])
    np.testing.assert_allclose(rates.nesterov_decay([0, 0.25, 1, 1.5], momentum=1 / 3), [1, 0.5, 0, 0.8604], atol=1e-4)
    assert rates.nesterov_variance(2.0, learning_rate=0.5, momentum=0.7, variance=4.0) == pytest.approx(1.0)
    assert rates.nesterov_variance(1.0, learning_rate=0.5, momentum=0.5, variance=1.0) == pytest.approx(5 / 12)
    np.testing.assert_allclose(rates.first_order_lower([1, 3], L=4, R=2), [0.375, 0.09375])


VARIANCE = {"learning_rate": 1, "momentum": 0, "variance": 1}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.nesterov_convex(-1, L=1, R=1), "k must be >= 0, got -1"),
        (lambda: rates.nesterov_convex(1, L=0, R=1), "L must be"),
        (lambda: rates.nesterov_convex(1, L=1, R=-1), "R must be"),
        (lambda: rates.nesterov_strongly_convex(1, L=1, mu=2, gap=1, R=1), "mu must be"),
        (lambda: rates.nesterov_strongly_convex(1, L=1, mu=1, gap=-1, R=1), "gap must be"),
        (lambda: rates.nesterov_strongly_convex(1, L=1, mu=1, gap=1, R=-1), "R must be"),
        (lambda: rates.nesterov_quadratic(1, L=1, mu=0), "mu must be"),
        (lambda: rates.nesterov_decay(1, momentum=1), "momentum must be"),
        (lambda: rates.nesterov_decay(-1, momentum=0.5), "step_curvature must be >= 0, got -1"),
        (lambda: rates.nesterov_variance(0, **VARIANCE), "curvature must be"),
        (lambda: rates.nesterov_variance(1, **VARIANCE | {"variance": -1}), "variance must be"),
        (lambda: rates.nesterov_variance(1, **VARIANCE | {"momentum": 1}), "momentum must be >= 0 and < 1"),
        (lambda: rates.nesterov_variance(1, **VARIANCE | {"momentum": -0.1}), "momentum must be >= 0 and < 1"),
        (lambda: rates.nesterov_variance(1, **VARIANCE | {"learning_rate": 0}), "learning_rate must be > 0"),
        (lambda: rates.nesterov_variance(1, **VARIANCE | {"learning_rate": 2}), "learning_rate must be > 0"),
        (lambda: rates.first_order_lower(0, L=1, R=1), "k must be >= 1, got 0"),
        (lambda: rates.first_order_lower(1, L=0, R=1), "L must be"),
        (lambda: rates.first_order_lower(1, L=1, R=-1), "R must be"),
    ],
)
def test_bounds_refuse_what_their_theorems_do_not_cover(call, message):
    with pytest.raises(ValueError, match=message):
        call()
