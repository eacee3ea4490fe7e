"""Theorems of the chapter on saddle points and splitting: games, Chambolle and Pock's method, consensus."""

import numpy as np
import pytest

from fo_lib import problems, prox, rates
from fo_lib.primal_dual import chambolle_pock, consensus_admm
from fo_lib.prox import Prox

# The game x z: no function but the coupling


def play(a, theta, *, together=False, steps=1, start=(1.0, 0.5)):
    """Descent in x and ascent in z with learning rate a; z sees x extrapolated by theta, or the old x."""
    x, z = start
    for _ in range(steps):
        new = x - a * z
        z = z + a * (x if together else new + theta * (new - x))
        x = new
    return np.array([x, z])


def matrix(a, theta):
    return np.column_stack([play(a, theta, start=(1.0, 0.0)), play(a, theta, start=(0.0, 1.0))])


@pytest.mark.parametrize("a", [0.01, 0.3, 1.0, 3.0])
def test_simultaneous_steps_grow_by_exactly_this_factor(a):
    after = play(a, 0, together=True, steps=7)
    assert np.linalg.norm(after) == pytest.approx(np.sqrt(1 + a**2) ** 7 * np.sqrt(1.25), rel=1e-12)


@pytest.mark.parametrize("a", [0.1, 0.7, 1.9])
def test_steps_in_turn_stay_on_an_ellipse(a):
    for steps in (1, 2, 50, 1001):
        x, z = play(a, 0.0, steps=steps)
        assert x * x + z * z - a * x * z == pytest.approx(1.25 - a * 0.5, rel=1e-9)
    assert np.linalg.norm(play(2.1, 0.0, steps=100)) > 100  # beyond 2 it is no ellipse


@pytest.mark.parametrize("theta", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("a", [0.1, 0.5, 0.9])
def test_extrapolation_damps_by_the_root_of_one_minus_theta_a_squared(a, theta):
    modulus = np.abs(np.linalg.eigvals(matrix(a, theta)))
    np.testing.assert_allclose(modulus, np.sqrt(1 - theta * a**2), rtol=1e-12)


@pytest.mark.parametrize("theta", [0.25, 0.5, 1.0])
def test_the_game_with_extrapolation_converges_up_to_its_limit(theta):
    limit = 2 / np.sqrt(1 + 2 * theta)
    assert np.abs(np.linalg.eigvals(matrix(0.999 * limit, theta))).max() < 1
    assert np.abs(np.linalg.eigvals(matrix(1.001 * limit, theta))).max() > 1


def zero(v, rate):
    return 0 * v


def same(x, rate):
    return x


def test_the_method_of_the_library_is_the_extrapolated_game_and_ends_in_two_steps():
    for a in (0.3, 1.0):
        run = chambolle_pock(
            same, zero, np.array([[a]]), norm=1.0, start=[1.0], dual_start=[0.5], steps=5, iterates=True
        )
        np.testing.assert_allclose(run.iterates[:, 0], [play(a, 1.0, steps=k)[0] for k in run.step], atol=1e-15)
    assert (run.step[-1], run.w[0], run.settings["dual"][0], run.reason) == (2, 0, 0, "tolerance")  # a = 1


# Chambolle and Pock


def denoising(seed, d=10):
    rng = np.random.default_rng(seed)
    c, K = rng.standard_normal(d), np.diff(np.eye(d), axis=0)
    f = Prox(lambda x: np.sum((x - c) ** 2) / 2, lambda x, t: (x + t * c) / (1 + t), "square")
    return f, prox.l1(0.5), K


def squared_distance(K, tau, sigma, dx, dz):
    return dx @ dx / tau + dz @ dz / sigma - 2 * dz @ K @ dx


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0])
def test_means_keep_the_bound_against_every_opponent(seed, ratio):
    f, g, K = denoising(seed)
    rng, norm = np.random.default_rng(seed), np.linalg.norm(K, 2)
    tau, x0, z0 = ratio / norm, rng.standard_normal(10), rng.uniform(-0.5, 0.5, 9)
    for k in (1, 2, 5, 30):
        run = chambolle_pock(f, g, K, primal_rate=tau, start=x0, dual_start=z0, average=True, steps=k, every=k)
        X, Z, sigma = run.w, run.settings["dual"], run.settings["dual_rate"]
        for size in (0.01, 1, 10):
            for _ in range(20):
                x, z = x0 + size * rng.standard_normal(10), np.clip(size * rng.standard_normal(9), -0.5, 0.5)
                gap = f.value(X) + z @ K @ X - f.value(x) - Z @ K @ x
                bound = rates.saddle_point_gap(k, squared_distance=squared_distance(K, tau, sigma, x - x0, z - z0))
                assert gap <= bound + 1e-12


@pytest.mark.parametrize("k", [1, 5, 40])
def test_a_kink_attains_the_bound_up_to_k_over_k_plus_one(k):
    tau, x0 = 0.5, 2.0
    kink = prox.l1(x0 / (tau * (k + 1)))
    run = chambolle_pock(
        kink, same, np.eye(1), primal_rate=tau, start=[x0], average=True, steps=k
    )  # g = 0, so that z stays zero
    bound = rates.saddle_point_gap(k, squared_distance=x0**2 / tau)
    assert kink.value(run.w) == pytest.approx(k / (k + 1) * bound, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_distance_to_a_saddle_point_never_rises_in_the_metric(seed):
    f, g, K = denoising(seed)
    norm = np.linalg.norm(K, 2)
    end = chambolle_pock(f, g, K, steps=20_000, every=20_000)
    x, z = np.full(10, 3.0), np.zeros(9)
    before = np.inf
    for _ in range(50):
        step = chambolle_pock(f, g, K, primal_rate=2 / norm, start=x, dual_start=z, steps=1)
        distance = squared_distance(K, 2 / norm, 0.5 / norm, x - end.w, z - end.settings["dual"])
        assert distance <= before + 1e-12
        before, x, z = distance, step.w, step.settings["dual"]


# Consensus


def quadratic(H, c):
    return lambda v, rate: np.linalg.solve(np.eye(len(c)) + rate * H, v + rate * H @ c)


def points(operators, penalty, start, steps, h=None):
    """s_k = x_k + u_k of the theorem, from step 1 on: it is z plus the new u."""
    found = []
    for k in range(1, steps + 1):
        run = consensus_admm(operators, value=lambda w: 0.0, start=start, penalty=penalty, prox=h, steps=k, every=k)
        found.append(run.w + run.settings["dual"])
    return np.array(found)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 2.0, 30.0])
def test_equal_quadratics_attain_the_factor_of_consensus(penalty):
    mu, L = 0.5, 8.0
    H = np.diag([mu, L])
    agreed = [np.array([1.0, 2.0])] * 3  # the workers agree: what is left is the way of z
    apart = [np.array([0.0, c]) for c in (-1.0, 3.0, -2.0)]  # z is right at once: what is left are the duals
    for centres, start, coordinate, factor in (
        (agreed, [5.0, 2.0], 0, penalty / (penalty + mu)), (apart, [0.0, 0.0], 1, L / (L + penalty)),
    ):  # fmt: skip
        s = points([quadratic(H, c) for c in centres], penalty, np.array(start), 6)
        limit = np.mean(centres, axis=0) - (H @ (np.mean(centres, axis=0) - np.array(centres)).T).T / penalty
        length = np.linalg.norm((s - limit).reshape(6, -1), axis=1)
        np.testing.assert_allclose(length[1:] / length[:-1], factor, rtol=1e-9)
        assert coordinate in (0, 1)
        assert factor <= rates.consensus(penalty, mu=mu, L=L) * (1 + 1e-12)
    both = max(penalty / (penalty + mu), L / (L + penalty))
    assert both == pytest.approx(float(rates.consensus(penalty, mu=mu, L=L)), rel=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("penalty", [0.3, 2.0, 10.0])
def test_different_workers_keep_the_factor_of_consensus(penalty, seed, weight):
    rng = np.random.default_rng(seed)
    mu, L, centres = 0.5, 8.0, rng.standard_normal((4, 3))
    bases = [np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(4)]
    hessians = [Q @ np.diag([mu, rng.uniform(mu, L), L]) @ Q.T for Q in bases]
    operators = [quadratic(H, c) for H, c in zip(hessians, centres, strict=True)]
    far = consensus_admm(
        operators, value=lambda w: 0.0, start=np.zeros(3), penalty=2.0, prox=prox.l1(weight), steps=20_000,
        every=100, tolerance=1e-13,
    )  # fmt: skip
    slopes = np.array([H @ (far.w - c) for H, c in zip(hessians, centres, strict=True)])
    assert np.abs(slopes.sum(0)).max() <= weight + 1e-9
    s = points(operators, penalty, rng.standard_normal(3), 12, prox.l1(weight))
    length = np.linalg.norm((s - (far.w - slopes / penalty)).reshape(12, -1), axis=1)
    assert np.all(length[1:] <= length[:-1] * rates.consensus(penalty, mu=mu, L=L) + 1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("gamma", [0.05, 0.5, 5.0])
def test_the_reflected_operator_is_a_contraction(seed, gamma):
    """Also of a function that is no quadratic: logistic regression with a squared penalty."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((20, 3)), rng.choice([-1, 1], 20)
    problem = problems.logistic(X, y, l2=0.3)
    mu, L = 0.3, problem.L
    factor = max((gamma * L - 1) / (gamma * L + 1), (1 - gamma * mu) / (1 + gamma * mu))

    def reflected(v):
        x = v.copy()
        for _ in range(50):
            g = gamma * problem.grad(x) + x - v
            x = x - np.linalg.solve(gamma * problem.hessian(x) + np.eye(3), g)
        return 2 * x - v

    for _ in range(10):
        v, u = 3 * rng.standard_normal((2, 3))
        assert np.linalg.norm(reflected(v) - reflected(u)) <= factor * np.linalg.norm(v - u) * (1 + 1e-9)
