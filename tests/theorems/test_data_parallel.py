"""Theorems of the chapter on data parallelism: one batch in shares, how many workers, how large a batch."""

import itertools

import numpy as np
import pytest
from scipy import integrate, optimize

from fo_lib import gradients, minimize, planning, problems, rules, workers
from fo_lib.planning import Cluster, all_reduce_time
from tests.test_workers import together

# One batch in shares


def samples(seed=0, n=60, d=4):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, X @ rng.standard_normal(d) + rng.standard_normal(n)


PROBLEMS = {
    "least squares": lambda X, y: problems.least_squares(X, y, l2=0.1),
    "logistic": lambda X, y: problems.logistic(X, np.sign(y), l2=0.1),
    "Huber": lambda X, y: problems.huber(X, y, threshold=0.5),
}


def shares_of(seed, n, p):
    """A random partition of some rows into p shares of any size from 1."""
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.choice(np.arange(1, n), p - 1, replace=False))
    return np.split(rng.permutation(n), cuts)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("p", [1, 2, 5])
def test_weighted_by_their_samples_the_shares_give_the_gradient_of_the_batch(name, seed, p):
    problem = PROBLEMS[name](*samples())
    w, parts = np.random.default_rng(seed).standard_normal(4), shares_of(seed, 50, p)
    total = sum(len(rows) / 50 * problem.sample_grad(w, rows) for rows in parts)
    np.testing.assert_allclose(total, problem.sample_grad(w, np.arange(50)), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_the_mean_of_means_weights_each_sample_by_its_share(seed):
    problem, parts = PROBLEMS["logistic"](*samples()), shares_of(seed, 50, 4)
    w = np.random.default_rng(seed).standard_normal(4)
    single = np.array([problem.sample_grad(w, np.array([i])) for i in range(50)])
    weight = np.empty(50)
    for rows in parts:
        weight[rows] = 1 / (4 * len(rows))
    means = np.mean([problem.sample_grad(w, rows) for rows in parts], axis=0)
    np.testing.assert_allclose(means, weight @ single, rtol=1e-12, atol=1e-14)
    assert weight.sum() == pytest.approx(1)
    assert np.linalg.norm(means - single.mean(0)) > 1e-3


def one_machine(batch, steps, make, data):
    return minimize(make(*data), gradient=gradients.mini_batch(batch), learning_rate=0.3, steps=steps, seed=5).w


@pytest.mark.parametrize("batch", [60, 17, 2])
def test_processes_over_loopback_make_the_steps_of_one_machine(batch):
    """Three workers; shares of 17 samples are unequal, and of 2 one is empty."""
    data = samples()
    settings = {"batch": batch, "learning_rate": 0.3, "steps": 25, "seed": 5}
    given = [(problems.least_squares, data)] * 3
    wanted = one_machine(batch, 25, problems.least_squares, data)
    ways = [workers.run(workers.descend, given, **settings)] if batch == 17 else []
    for found in [*ways, together(workers.descend, given, method="tree", **settings)]:
        for each in found:
            np.testing.assert_allclose(each["weights"], wanted, rtol=1e-10, atol=1e-12)
            np.testing.assert_array_equal(each["weights"], found[0]["weights"])
            assert each["seconds"].shape == (25, 2)


@pytest.mark.parametrize("parts", [2, 3, 7, 40])
def test_accumulation_is_the_large_batch(parts):
    data = samples()
    X, y = data[0], np.arange(60) % 3
    given = [(problems.softmax_regression, (X, y))]
    found = together(workers.descend, given, batch=25, learning_rate=0.3, steps=20, seed=5, parts=parts)[0]
    wanted = one_machine(25, 20, problems.softmax_regression, (X, y))
    for ours, theirs in zip(found["weights"], wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def clip(g, most):
    return g * min(1.0, most / np.linalg.norm(g))


def test_clipped_by_each_worker_the_step_can_point_the_other_way():
    shares = np.array([[10.0], [-1.0], [-1.0]])
    assert clip(shares.mean(0), 1.0) == pytest.approx(1.0)
    assert np.mean([clip(g, 1.0) for g in shares]) == pytest.approx(-1 / 3)


def normalized(z):
    return (z - z.mean()) / z.std()


def test_two_samples_a_worker_leave_batch_normalization_nothing_to_say():
    rng = np.random.default_rng(0)
    for _ in range(20):
        z = rng.standard_normal(2)
        np.testing.assert_allclose(np.abs(normalized(z)), 1, rtol=1e-12)
    x, target = np.array([0.0, 1.0, 3.0, 7.0]), np.array([1.0, -1.0, 0.5, 2.0])

    def loss(u, rows):
        return np.sum((normalized(x[rows] + u * x[rows] ** 2) - target[rows]) ** 2) / 4

    def slope(u, cut):
        return sum(loss(u + 1e-6, rows) - loss(u - 1e-6, rows) for rows in cut) / 2e-6

    assert abs(slope(0.3, [slice(0, 2), slice(2, 4)])) < 1e-8
    assert abs(slope(0.3, [slice(0, 4)])) > 1e-3


def test_adam_steps_once_for_each_part_and_does_not_see_a_factor():
    w = u = np.array([1.0])
    state, other = [np.zeros(1)] * 2, [np.zeros(1)] * 2
    for t in range(1, 5):  # four parts with the same gradient, each taken for a batch
        w, *state = rules.adam(w, np.array([0.3]), *state, t, learning_rate=0.01, epsilon=0.0)
    once, *_ = rules.adam(u, np.array([0.3]), *other, 1, learning_rate=0.01, epsilon=0.0)
    summed, *_ = rules.adam(u, np.array([4 * 0.3]), *other, 1, learning_rate=0.01, epsilon=0.0)
    assert 1 - w[0] == pytest.approx(0.04)
    assert once == pytest.approx(summed, rel=1e-12)
    assert 1 - once[0] == pytest.approx(0.01)


# How many workers: T(p) = A / p + all-reduce

GRID = np.geomspace(1, 1e6, 400_001)


def total(p, A, way, V_over, alpha):
    levels = np.log2(p)
    return (
        A / p
        + {
            "ring": 2 * (p - 1) * alpha + 2 * (1 - 1 / p) * V_over,
            "halving": 2 * levels * alpha + 2 * (1 - 1 / p) * V_over,
            "tree": 2 * levels * (alpha + V_over),
        }[way]
    )


@pytest.mark.parametrize(("A", "V_over", "alpha"), [(1.0, 0.05, 1e-3), (10.0, 0.2, 1e-4), (1.0, 0.45, 1e-4)])
def test_the_best_number_of_workers_and_its_time(A, V_over, alpha):
    best = {
        "ring": np.sqrt((A - 2 * V_over) / (2 * alpha)),
        "halving": (A - 2 * V_over) * np.log(2) / (2 * alpha),
        "tree": A * np.log(2) / (2 * (alpha + V_over)),
    }
    for way, p in best.items():
        times = total(GRID, A, way, V_over, alpha)
        assert GRID[times.argmin()] == pytest.approx(max(p, 1), rel=1e-3)
    least = 2 * V_over - 2 * alpha + 2 * np.sqrt(2 * alpha * (A - 2 * V_over))
    assert total(GRID, A, "ring", V_over, alpha).min() == pytest.approx(least, rel=1e-6)
    cluster = Cluster(parameters=V_over / 4, sample_seconds=A, latency=alpha, bandwidth=1.0)
    found = planning.best_workers(cluster, most=1000, samples=10, batch=1)
    assert abs(found.workers - best["ring"]) < 1
    assert found.step == pytest.approx(least, rel=2e-3)


@pytest.mark.parametrize("p", [1, 2, 3, 8, 64])
def test_the_formula_is_that_of_the_library(p):
    got = [
        float(all_reduce_time(p, 3.0, latency=0.1, bandwidth=2.0, method=way)) for way in ("ring", "halving", "tree")
    ]
    at = {way: total(p, 0.0, way, 1.5, 0.1) for way in ("ring", "halving", "tree")}
    if p != 3:
        assert got == pytest.approx([*at.values()], rel=1e-12)
    assert got[0] == pytest.approx(at["ring"], rel=1e-12)


@pytest.mark.parametrize("excess", [-0.01, 0.01])
def test_from_this_size_of_gradient_on_nobody_can_help(excess):
    alpha, V_over = 0.01, 0.3
    A = (2 * V_over + 4 * alpha) * (1 + excess)
    cluster = Cluster(parameters=V_over / 4, sample_seconds=A, latency=alpha, bandwidth=1.0)
    found = planning.best_workers(cluster, most=300, samples=10, batch=1)
    assert (found.workers > 1) == (excess > 0)


# How large a batch


def run_down(phi, start, target):
    losses = [start]
    while losses[-1] > target:
        losses.append(losses[-1] - phi(losses[-1]))
    return losses


@pytest.mark.parametrize("b", [1, 4, 30, 1000])
@pytest.mark.parametrize("kind", ["constant noise", "interpolation", "slower and slower"])
def test_steps_stay_between_both_sides_of_the_law(b, kind):
    gain, noise = {
        "constant noise": (lambda L: 0.05 * L, lambda L: 8 / L),
        "interpolation": (lambda L: 0.02 * L, lambda L: 25.0 + 0 * L),
        "slower and slower": (lambda L: 0.03 * L**2, lambda L: 5 / L**2),
    }[kind]

    def phi(L):
        return gain(L) / (1 + noise(L) / b)

    losses = np.array(run_down(phi, 2.0, 0.3))
    least = integrate.quad(lambda L: 1 / gain(L), 0.3, 2.0)[0]
    samples = integrate.quad(lambda L: noise(L) / gain(L), 0.3, 2.0)[0]
    law, steps = least + samples / b, len(losses) - 1
    delta = max(1 - phi(after) / phi(before) for before, after in itertools.pairwise(losses))
    assert (1 - delta) * law <= steps < law + 1
    assert delta < 0.2
    if kind == "interpolation":
        assert law == pytest.approx(float(planning.steps_to_target(b, least=least, critical_batch=25.0)))


def test_a_batch_that_grows_saves_what_cauchy_and_schwarz_lose():
    """Noise scale 1 / L, largest gain L, from 100 to 1: the exercise's ratio, and the whole saving at its largest."""
    few = integrate.quad(lambda L: 1 / L, 1, 100)[0]
    samples = integrate.quad(lambda L: 1 / L**2, 1, 100)[0]
    mixed = integrate.quad(lambda L: L**-1.5, 1, 100)[0]
    ratio = mixed / np.sqrt(few * samples)
    assert ratio == pytest.approx(2 * (1 - 0.1) / np.sqrt(0.99 * np.log(100)), rel=1e-9)
    assert ratio == pytest.approx(0.84, abs=0.005)
    fixed = np.geomspace(1e-3, 1e3, 601)[:, None]  # seconds of a step, c / p = 1
    constant = np.min((few + samples / (b := np.geomspace(1e-3, 1e3, 4001))) * (fixed + b), axis=1)
    growing = fixed[:, 0] * few + 2 * np.sqrt(fixed[:, 0]) * mixed + samples
    assert (growing / constant).min() == pytest.approx((1 + ratio) / 2, abs=1e-4)
    assert (1 + ratio) / 2 == pytest.approx(0.92, abs=0.005)


@pytest.mark.parametrize("h", [0.5, 3.0])
@pytest.mark.parametrize("b", [1, 10, 1000, 10**9])
def test_with_one_curvature_and_the_best_rates_steps_fall_like_one_over_b_to_the_end(h, b):
    trace, start, target = 6.0, 2.0, 1e-3
    L, k = start, 0
    while L > target * (1 + 1e-12) and k < 3000:
        rate = optimize.minimize_scalar(
            lambda a, L=L: (1 - a * h) ** 2 * L + a * a * h * trace / (2 * b),
            bounds=(0, 1 / h), options={"xatol": 1e-13}, method="bounded",
        ).x  # fmt: skip
        L, k = (1 - rate * h) ** 2 * L + rate**2 * h * trace / (2 * b), k + 1
        assert 1 / L == pytest.approx(1 / start + 2 * h * b * k / trace, rel=1e-5) or b == 10**9
    exact = trace / (2 * h * b) * (1 / target - 1 / start)
    assert k == min(max(1, np.ceil(exact * (1 - 1e-9))), 3000)
