"""Theorems of the chapter on mirror descent."""

import numpy as np
import pytest
from scipy import optimize
from scipy.integrate import solve_ivp
from scipy.special import softmax

from fo_lib import mirror_descent, problems, rates, sets
from fo_lib.mirror import Mirror, entropy, euclidean, p_norm

SIMPLEX = sets.simplex()
EVERYWHERE = sets.box(-np.inf, np.inf)
MAPS = [entropy(), euclidean(SIMPLEX), euclidean(EVERYWHERE), p_norm(1.4)]
maps = pytest.mark.parametrize("mirror", MAPS, ids=["entropy", "simplex", "space", "p-norm"])
seeds = pytest.mark.parametrize("seed", range(5))


def dirichlet(rng, d, n=None):
    return rng.dirichlet(np.full(d, 0.5), n)


def play(losses, mirror, rate, start):
    """All points of a run, and what was paid in each round."""
    theta = mirror.to_dual(start)
    points = [start]
    for g in losses:
        theta = mirror.step(theta, g, rate)
        points.append(mirror.to_primal(theta))
    return np.array(points), np.sum(losses * points[:-1], axis=1)


# The divergence and the step


@maps
@seeds
def test_three_points(mirror, seed):
    rng = np.random.default_rng(seed)
    u, v, w = dirichlet(rng, 6, 3)
    left = (mirror.to_dual(v) - mirror.to_dual(w)) @ (u - v)
    right = mirror.divergence(u, w) - mirror.divergence(u, v) - mirror.divergence(v, w)
    assert left == pytest.approx(right, rel=1e-9, abs=1e-12)


@maps
@seeds
def test_the_step_minimizes_its_proximal_form(mirror, seed):
    """A general solver finds no lower value, and about the same point; the projection of form 2 is that point, too."""
    rng = np.random.default_rng(seed)
    w, g, rate = dirichlet(rng, 4) / 2 + 0.125, rng.standard_normal(4), 0.7
    inside = mirror.name == "entropy" or mirror is MAPS[1]
    sum_to_one = [{"type": "eq", "fun": lambda u: u.sum() - 1}] if inside else []
    bounds = [(1e-9, 1)] * 4 if inside else None
    new = mirror.to_primal(mirror.step(mirror.to_dual(w), g, rate))
    free = mirror.to_primal(mirror.to_dual(w) - rate * g)

    def proximal(u):
        return rate * g @ u + mirror.divergence(u, w)

    def projected(u):
        return mirror.divergence(u, free)

    for function in (proximal, projected):
        found = optimize.minimize(function, w, bounds=bounds, constraints=sum_to_one, tol=1e-13, method="SLSQP")
        assert function(new) <= found.fun + 1e-8
        np.testing.assert_allclose(new, found.x, atol=2e-3)


def test_pinsker_and_its_constant():
    rng, divergence = np.random.default_rng(0), entropy().divergence
    for _ in range(500):
        u, w = dirichlet(rng, 5, 2)
        assert divergence(u, w) >= np.sum(np.abs(u - w)) ** 2 / 2
    u, w = np.array([0.51, 0.49]), np.array([0.5, 0.5])
    assert divergence(u, w) < 1.001 * np.sum(np.abs(u - w)) ** 2 / 2


# Regret

STRENGTH = {"entropy": 1.0, "euclidean": 1.0, "p_norm(1.4)": 0.4}
DUAL = {"entropy": np.inf, "euclidean": 2, "p_norm(1.4)": 1.4 / 0.4}


@maps
@seeds
def test_regret_of_mirror_descent(mirror, seed):
    """Against a linear adversary who pushes back, for every comparator at once: corners, means and the last point."""
    rng = np.random.default_rng(seed)
    start, rate, theta, losses = np.full(5, 0.2), 0.3, mirror.to_dual(np.full(5, 0.2)), []
    for _ in range(60):
        losses.append(np.sign(mirror.to_primal(theta) - 0.2 + 0.1 * rng.standard_normal(5)))
        theta = mirror.step(theta, losses[-1], rate)
    points, paid = play(np.array(losses), mirror, rate, start)
    norms = np.linalg.norm(losses, DUAL[mirror.name], axis=1)
    for u in (*np.eye(5), *dirichlet(rng, 5, 20), points[-1]):
        bound = rates.mirror_descent_regret(
            norms, divergence=mirror.divergence(u, start), sigma=STRENGTH[mirror.name], learning_rate=rate
        )
        assert paid.sum() - np.sum(losses, axis=0) @ u <= bound * (1 + 1e-12)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
@seeds
def test_the_euclidean_map_attains_the_bound(sigma, seed):
    """And its multiples do, so that the strength sigma enters as the theorem says."""
    rng = np.random.default_rng(seed)
    losses, rate, start = rng.standard_normal((30, 4)), 0.2, rng.standard_normal(4)
    scaled = Mirror(
        to_dual=lambda w: sigma * w,
        to_primal=lambda theta: theta / sigma,
        project=lambda theta: theta,
        divergence=lambda u, w: sigma * float(np.sum((u - w) ** 2)) / 2,
        corner=None,
        name="scaled",
    )
    points, paid = play(losses, scaled, rate, start)
    u = points[-1]
    bound = rates.mirror_descent_regret(
        np.linalg.norm(losses, axis=1), divergence=scaled.divergence(u, start), sigma=sigma, learning_rate=rate
    )
    assert paid.sum() - losses.sum(axis=0) @ u == pytest.approx(bound, rel=1e-9)


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 1), (2, 5)])
@seeds
def test_regret_against_the_best_expert(low, high, seed):
    """With losses that mostly follow the leader's weight, which is hard on any method."""
    rng, d, T = np.random.default_rng(seed), 20, 300
    mirror, rate = entropy(), 2 / (high - low) * np.sqrt(2 * np.log(d) / T)
    theta, paid, losses = np.full(d, -np.log(d)), 0.0, []
    for _ in range(T):
        w = np.exp(theta)
        above = rng.uniform(size=d) < np.where(w > np.median(w), 0.9, 0.2)
        losses.append(np.where(above, high, low))
        paid += losses[-1] @ w
        theta = mirror.step(theta, losses[-1], rate)
    regret = paid - np.sum(losses, axis=0).min()
    assert regret <= rates.experts_regret(T, d=d, width=high - low)
    assert regret > 0


def turns(d, T):
    """Two halves in turn, then one good expert."""
    losses, half = np.zeros((T, d)), np.where(np.arange(d) < d // 2, 1.0, -1.0)
    losses[: T // 2 : 2], losses[1 : T // 2 : 2] = half, -half
    losses[T // 2 :, -1] = -1
    return losses


def test_turns_nearly_attain_both_bounds():
    """At each of five rates around the best: so the bounds, which differ as sqrt(d) and sqrt(2 ln d), are right to 1.6."""
    for d in (20, 200):
        losses, T = turns(d, 4000), 4000
        for mirror, best, bound in (
            (entropy(), np.sqrt(2 * np.log(d) / T), rates.experts_regret(T, d=d)),
            (euclidean(SIMPLEX), 1 / np.sqrt(d * T), np.sqrt(d * T)),
        ):
            for factor in (0.25, 0.5, 1, 2, 4):
                _, paid = play(losses, mirror, factor * best, np.full(d, 1 / d))
                regret = paid.sum() - losses.sum(axis=0).min()
                assert regret > bound / 1.6
                if factor == 1:
                    assert regret <= bound


def test_random_signs_cost_every_method_the_same():
    d, T, runs = 30, 200, 400
    rng = np.random.default_rng(0)
    regrets = []
    for _ in range(runs):
        losses = rng.choice([-1.0, 1.0], (T, d))
        both = [
            play(losses, m, rate, np.full(d, 1 / d))[1].sum() - losses.sum(0).min()
            for m, rate in ((entropy(), 0.2), (euclidean(SIMPLEX), 0.01))
        ]
        regrets.append(both)
    expected = (2 * rng.binomial(T, 0.5, (20_000, d)) - T).max(axis=1).mean()
    error = np.std(regrets, axis=0) / np.sqrt(runs)
    assert np.all(np.abs(np.mean(regrets, axis=0) - expected) < 4 * error)
    shares = [
        (2 * rng.binomial(10_000, 0.5, (50, n)) - 10_000).max(axis=1).mean() / rates.experts_regret(10_000, d=n)
        for n in (10, 1000, 100_000)
    ]
    assert shares[0] < shares[1] < shares[2] < 1
    assert shares[2] > 0.88


@seeds
def test_the_mean_has_the_gap_regret_over_rounds(seed):
    rng = np.random.default_rng(seed)
    B, T, d = rng.choice([-1.0, 1.0], (15, 8)), 200, 8
    f = problems.from_functions(lambda w: float((B @ w).max()), lambda w: B[np.argmax(B @ w)], np.full(d, 1 / d))
    rate = np.sqrt(2 * np.log(d) / T)
    run = mirror_descent(f, entropy(), learning_rate=rate, steps=T, iterates=True)
    slopes = np.array([f.grad(w) for w in run.iterates[:-1]])
    linear = np.sum(slopes * run.iterates[:-1], axis=1).sum() - slopes.sum(axis=0).min()
    program = optimize.linprog(
        np.r_[np.zeros(d), 1], A_ub=np.c_[B, -np.ones(15)], b_ub=np.zeros(15), A_eq=[np.r_[np.ones(d), 0]], b_eq=[1],
        bounds=[(0, None)] * d + [(None, None)],
    )  # fmt: skip
    gap = f.value(run.iterates[:-1].mean(axis=0)) - program.fun
    assert -1e-12 <= gap <= linear / T + 1e-12
    assert linear / T <= rates.experts_regret(T, d=d) / T


@seeds
def test_the_duality_gap_is_the_sum_of_both_regrets(seed):
    rng, (n, d, T) = np.random.default_rng(seed), (12, 9, 500)
    game, mirror = rng.uniform(-1, 1, (n, d)), entropy()
    w, p = np.full(d, -np.log(d)), np.full(n, -np.log(n))
    total, paid = [np.zeros(d), np.zeros(n)], 0.0
    for _ in range(T):
        a, b = np.exp(w), np.exp(p)
        total, paid = [total[0] + a, total[1] + b], paid + b @ game @ a
        w = mirror.step(w, -(b @ game), np.sqrt(2 * np.log(d) / T))
        p = mirror.step(p, game @ a, np.sqrt(2 * np.log(n) / T))
    gap = (total[1] @ game).max() / T - (game @ total[0]).min() / T
    regrets = (total[1] @ game).max() - paid, paid - (game @ total[0]).min()
    assert gap == pytest.approx(sum(regrets) / T)
    assert 0 <= gap <= np.sqrt(2 / T) * (np.sqrt(np.log(n)) + np.sqrt(np.log(d)))


# What goes wrong, and what is no mirror


@pytest.mark.parametrize(("alpha", "settles"), [(1.0, True), (1.95, True), (2.05, False), (3.0, False)])
def test_beyond_two_the_see_saw_cycles(alpha, settles):
    f = problems.from_functions(
        lambda w: float((w[0] - w[1]) ** 2 / 2), lambda w: (w[0] - w[1]) * np.array([1.0, -1.0]), np.array([0.7, 0.3])
    )
    rng, divergence = np.random.default_rng(0), entropy().divergence
    for _ in range(200):
        u, w = dirichlet(rng, 2, 2)
        assert f.value(u) - f.value(w) - f.grad(w) @ (u - w) <= divergence(u, w) + 1e-12
    run = mirror_descent(f, entropy(), learning_rate=alpha, steps=3000, iterates=True)
    z = np.log(run.iterates[:, 0] / run.iterates[:, 1])
    np.testing.assert_allclose(z[1:], z[:-1] - 2 * alpha * np.tanh(z[:-1] / 2), atol=1e-9)
    assert not run.diverged
    if settles:
        assert abs(z[-1]) < 1e-6
    else:
        assert z[-1] == pytest.approx(-z[-2], rel=1e-6)
        assert abs(z[-1]) > 0.5
        assert z[-1] == pytest.approx(alpha * np.tanh(z[-1] / 2), rel=1e-6)


@pytest.mark.parametrize("epsilon", [0.2, 0.05, 0.01])
def test_how_long_a_small_weight_takes(epsilon):
    """Both flows, solved as differential equations of the logits."""
    odds = np.log((1 - epsilon) / epsilon)
    expected = {"mirror": odds, "softmax": (1 / epsilon - 1 / (1 - epsilon)) / 2 + odds}

    def half(t, theta):
        return theta[0] - theta[1]

    half.terminal = True
    for name, wanted in expected.items():

        def flow(t, theta, name=name):
            w = softmax(theta)
            slope = np.array([-1.0, 0.0])
            return -slope if name == "mirror" else -(w * slope - w * (w @ slope))

        run = solve_ivp(flow, (0, 3 * wanted), np.log([epsilon, 1 - epsilon]), events=half, rtol=1e-9, atol=1e-10)
        assert run.t_events[0][0] == pytest.approx(wanted, rel=1e-5)


@seeds
def test_exercise_without_a_simplex(seed):
    rng, (T, d) = np.random.default_rng(seed), (300, 50)
    q = 2 * np.log(d)
    mirror, u = p_norm(q / (q - 1)), np.zeros(d)
    u[:3] = 1, -2, 1
    X, G = rng.choice([-1.0, 1.0], (T, d)), 1.0
    D, norm = mirror.divergence(u, np.zeros(d)), np.linalg.norm(np.ones(d), q)
    assert D <= np.abs(u).sum() ** 2 / 2
    assert norm == pytest.approx(np.sqrt(np.e) * G)
    rate = np.sqrt(2 * D / (q - 1) / T) / norm
    theta, regret = np.zeros(d), 0.0
    for x in X:
        error = mirror.to_primal(theta) @ x - u @ x
        regret += abs(error)
        theta = mirror.step(theta, np.sign(error) * x, rate)
    bound = rates.mirror_descent_regret(np.full(T, norm), divergence=D, sigma=1 / (q - 1))
    assert regret <= bound <= G * np.abs(u).sum() * np.sqrt(np.e * (2 * np.log(d) - 1) * T)
