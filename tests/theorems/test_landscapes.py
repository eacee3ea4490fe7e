"""Theorems of the chapter on loss landscapes."""

from itertools import permutations, product
from math import ceil, log

import numpy as np
import pytest

from fo_lib import Stepper, minimize, problems, rates, rules

RULES = [
    rules.gradient_descent,
    rules.momentum,
    rules.nesterov,
    rules.sign_descent,
    rules.adagrad,
    rules.rmsprop,
    rules.adam,
    rules.adamw,
]


def saddle(L, gamma, start):
    return problems.from_functions(
        lambda w: float(L * w[0] ** 2 - gamma * w[1] ** 2) / 2, lambda w: np.array([L * w[0], -gamma * w[1]]), start
    )


@pytest.mark.parametrize(("rate", "gamma", "r"), [(0.1, 1.0, 1e-7), (0.02, 0.7, 3e-5), (1.0, 0.3, 1e-12)])
def test_gradient_descent_leaves_a_saddle_in_exactly_so_many_steps(rate, gamma, r):
    promised = ceil(float(rates.plateau_steps(r, 1.0, power=2, learning_rate=rate * gamma)))
    assert promised == ceil(log(1 / r) / log(1 + rate * gamma))
    path = np.abs(minimize(saddle(1.0, gamma, [1, r]), learning_rate=rate, steps=promised, iterates=True).iterates)
    assert path[promised - 1, 1] < 1 <= path[promised, 1]


@pytest.mark.parametrize(("rate", "beta", "gamma"), [(0.02, 0.9, 1.0), (0.3, 0.5, 2.0), (1.0, 0.99, 0.05)])
def test_heavy_ball_leaves_a_saddle_by_the_larger_root(rate, beta, gamma):
    z = rates.saddle_growth(gamma, learning_rate=rate, momentum=beta)
    settings = {"learning_rate": rate, "momentum": beta, "steps": 200, "iterates": True}
    c = minimize(saddle(1.0, gamma, [0, 1e-9]), rules.momentum, **settings).iterates[:, 1]
    assert c[-1] / c[-2] == pytest.approx(z, rel=1e-9)
    assert z < 1 + rate * gamma / (1 - beta)
    small = rates.saddle_growth(gamma, learning_rate=1e-7, momentum=beta)
    assert (small - 1) / 1e-7 == pytest.approx(gamma / (1 - beta), rel=1e-3)
    assert rates.saddle_growth(gamma, learning_rate=rate) == pytest.approx(1 + rate * gamma, rel=1e-14)


@pytest.mark.parametrize("kappa", [1.0, 10.0, 1e4])
def test_heavy_ball_at_the_limit_gains_a_square_root(kappa):
    betas = [0, 0.3, 0.9, 0.99, 1 - 1e-9]
    z = [rates.saddle_growth(1 / kappa, learning_rate=2 * (1 + b), momentum=b) for b in betas]
    assert z[0] == pytest.approx(1 + 2 / kappa, rel=1e-12)
    assert z == sorted(z)
    assert z[-1] == pytest.approx((np.sqrt(1 + 1 / kappa) + np.sqrt(1 / kappa)) ** 2, rel=1e-6)
    # the run does have this factor, and the other direction stays bounded up to the limit, and not above
    for excess, bounded in ((0.99, True), (1.01, False)):
        settings = {"learning_rate": excess * 3.8, "momentum": 0.9, "steps": 2000, "iterates": True}
        w = minimize(saddle(1.0, 1e-9, [1, 0]), rules.momentum, **settings).iterates[:, 0]
        assert (np.abs(w[-100:]).max() < 1) == bounded
    if kappa == 1e4:
        assert z[-1] - 1 == pytest.approx(2 / np.sqrt(kappa), rel=0.02)


def test_the_double_saddle_row():
    row = problems.from_functions(
        lambda w: w[0] ** 2 / 2 - w[1] ** 2 / 2 + w[1] ** 4 / 4,
        lambda w: np.array([w[0], w[1] ** 3 - w[1]]),
        [1.0, 0.0],
    )

    def steps(r, rate):
        y = minimize(row, learning_rate=rate, start=[1, r], steps=10_000, iterates=True).iterates[:, 1]
        assert y[-1] == pytest.approx(1, rel=1e-9)
        assert np.all(np.diff(y) >= 0)
        return int(np.argmax(y >= 0.5))

    stays = minimize(row, learning_rate=0.1, steps=500)
    assert stays.w[1] == 0
    assert stays.w[0] == pytest.approx(0.9**500, rel=1e-9)
    for rate in (0.03, 0.1, 0.5):
        waits = [steps(r, rate) for r in (1e-20, 1e-60, 1e-100)]
        assert np.diff(waits) / 40 == pytest.approx([log(10) / log(1 + rate)] * 2, abs=0.03)
    assert steps(0.9, 0.5) == 0
    down = minimize(row, learning_rate=0.5, start=[0, -1e-3], steps=200)
    assert down.w[1] == pytest.approx(-1)


def test_noise_leaves_a_saddle_at_the_stated_pace():
    rate, gamma, sigma, c0, n = 0.1, 0.6, 1e-4, 3e-5, 100_000
    a, rng, c = 1 + rate * gamma, np.random.default_rng(0), np.full(n, c0)
    for k in range(1, 121):
        c = c + rate * gamma * c - rate * sigma * rng.standard_normal(n)
        if k in (1, 10, 120):
            exact = a ** (2 * k) * c0**2 + rate**2 * sigma**2 * (a ** (2 * k) - 1) / (a**2 - 1)
            assert np.mean(c**2) == pytest.approx(exact, rel=0.02)
    # from the saddle: the time at which the root of the mean square is 1, for amounts of noise far apart
    for sigma in (1e-2, 1e-6, 1e-12):
        k = log(np.sqrt(a**2 - 1) / (rate * sigma)) / log(a)
        assert rate**2 * sigma**2 * (a ** (2 * k) - 1) / (a**2 - 1) == pytest.approx(1, rel=1e-3)


def steps_until(slope, start, reached, rate, most=10**7):
    u, k = start, 0
    while not reached(u):
        u, k = u - rate * slope(u), k + 1
        assert k < most
    return k


@pytest.mark.parametrize("p", [3, 4, 2.5])
@pytest.mark.parametrize("rate", [0.5, 0.05])
def test_steps_on_a_degenerate_saddle(p, rate):
    R = 0.9
    for r in (0.3, 0.05, 0.01):
        T = float(rates.plateau_steps(r, R, power=p, learning_rate=rate))
        assert pytest.approx((r ** (2 - p) - R ** (2 - p)) / ((p - 2) * rate), rel=1e-12) == T
        K = steps_until(lambda u: -(u ** (p - 1)), r, lambda u: u >= R, rate)
        assert T <= K <= (1 + rate * R ** (p - 2)) ** (p - 1) * T + 1
        signs = steps_until(lambda u: -1, r, lambda u: u >= R - 1e-12, rate)
        assert signs == ceil((R - r) / rate - 1e-9)
    if p > 2.5:
        assert pytest.approx(T, rel=0.05) == K  # attained as r falls


@pytest.mark.parametrize("rate", [1.0, 0.1])
def test_steps_on_a_saturated_sigmoid(rate):
    for s in (0.5, 2.0, 6.0):
        T = (2 * s + 2 * np.sinh(s)) / rate
        K = steps_until(lambda u: 1 / (2 + np.exp(u) + np.exp(-u)), s, lambda u: u <= 0, rate)
        assert T <= K <= np.exp(rate / 4) * T + 1
    assert pytest.approx(T, rel=0.02) == K


def small_network(w, X, Y, units=4, activation=np.tanh, slope=lambda h: 1 - h**2):
    """Half the mean squared error of sum_j v_j phi(a_j x + b_j) + c, and its gradient; rows of theta are units."""
    theta, c = w[:-2].reshape(units, -1), w[-2:]
    d = X.shape[1]
    A, b, V = theta[:, :d], theta[:, d], theta[:, d + 1 :]
    h = activation(X @ A.T + b)
    r = h @ V + c - Y
    back = (r @ V.T) * slope(h) / len(X)
    grad = np.concatenate([back.T @ X, back.sum(0)[:, None], h.T @ r / len(X)], axis=1)
    return 0.5 * np.sum(r * r) / len(X), np.append(grad.ravel(), r.mean(0))


def instance(seed, units=4):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
    return X, Y, rng.standard_normal(units * 6 + 2)


def test_the_small_network_has_the_right_gradient():
    X, Y, w = instance(0)
    rise = [(small_network(w + e, X, Y)[0] - small_network(w - e, X, Y)[0]) / 2e-6 for e in 1e-6 * np.eye(len(w))]
    np.testing.assert_allclose(rise, small_network(w, X, Y)[1], atol=1e-8)


def test_permutations_and_signs_leave_the_loss():
    X, Y, w = instance(1, units=3)
    theta, copies = w[:-2].reshape(3, 6), set()
    loss, grad = small_network(w, X, Y, units=3)
    for order in permutations(range(3)):
        for signs in product([1, -1], repeat=3):
            moved = np.append((theta[list(order)] * np.array(signs)[:, None]).ravel(), w[-2:])
            value, g = small_network(moved, X, Y, units=3)
            assert value == pytest.approx(loss, rel=1e-13)
            expected = np.append((grad[:-2].reshape(3, 6)[list(order)] * np.array(signs)[:, None]).ravel(), grad[-2:])
            np.testing.assert_allclose(g, expected, atol=1e-13)
            copies.add(tuple(moved))
    assert len(copies) == 2**3 * 6
    # the sign change needs an odd activation
    flipped = np.append(-w[:-2], w[-2:])
    soft = {"activation": lambda z: np.log1p(np.exp(z)), "units": 3}
    assert abs(small_network(flipped, X, Y, **soft)[0] - small_network(w, X, Y, **soft)[0]) > 0.01


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_equal_units_stay_equal_with_every_rule(rule):
    X, Y, w = instance(2)
    theta = w[:-2].reshape(4, 6)
    theta[1] = theta[0]
    step, rng, start = Stepper(rule, learning_rate=0.01), np.random.default_rng(0), w.copy()
    for _ in range(30):
        rows = rng.integers(20, size=3)
        step(w, small_network(w, X[rows], Y[rows])[1])
    np.testing.assert_allclose(theta[0], theta[1], rtol=0, atol=1e-9)
    assert np.abs(theta[0] - theta[2]).max() > 0.1
    assert np.abs(w - start)[:6].max() > 1e-3


def test_the_midpoint_of_mirrored_copies_is_constant():
    X, Y, w = instance(3)
    mirrored = np.append(-w[:-2], w[-2:])
    middle = (w + mirrored) / 2
    assert np.all(middle[:-2] == 0)
    constant = 0.5 * np.sum((w[-2:] - Y) ** 2) / len(X)
    assert small_network(middle, X, Y)[0] == pytest.approx(constant, rel=1e-14)
    assert small_network(mirrored, X, Y)[0] == pytest.approx(small_network(w, X, Y)[0], rel=1e-14)


def wells(L_at=1.6):
    """A double well, and its smoothness on |x| <= L_at."""
    f = problems.from_functions(
        lambda w: float(w[0] ** 4 - 2 * w[0] ** 2 + 0.3 * w[0]), lambda w: 4 * w**3 - 4 * w + 0.3, [1.0]
    )
    return f, 12 * L_at**2 - 4


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_energy_of_heavy_ball_does_not_increase(beta, share):
    f, L = wells()
    cases = [(f, L, [s]) for s in (-1.5, -0.3, 0.2, 1.45)]
    cases += [(problems.quadratic([1.0, 7.0], start=[1.0, 1.0]), 7.0, [1.0, 1.0])]
    for problem, smoothness, start in cases:
        rate = share * 2 * (1 - beta) / smoothness
        settings = {"learning_rate": rate, "momentum": beta, "steps": 2000, "iterates": True}
        trace = minimize(problem, rules.momentum, start=np.array(start, float), **settings)
        moved = np.append(0, np.sum(np.diff(trace.iterates, axis=0) ** 2, axis=1))
        energy = trace.value + beta / (2 * rate) * moved
        assert np.all(np.diff(energy) <= 1e-12)
        assert np.all(trace.value <= trace.value[0] + 1e-12)
    # the decrease of the proof is attained: at the limit, along curvature L without momentum, energy is constant
    if beta == 0 and share == 1:
        flat = minimize(problems.quadratic([7.0], start=[1.0]), learning_rate=2 / 7, steps=5)
        np.testing.assert_allclose(flat.value, 3.5, rtol=1e-12)
        up = minimize(problems.quadratic([7.0], start=[1.0]), learning_rate=1.01 * 2 / 7, steps=5)
        assert np.all(np.diff(up.value) > 0)


def test_heavy_ball_stays_below_its_start():
    f, L = wells()
    top, height = np.sort(np.roots([4, 0, -4, 0.3]).real)[1], 0.011282
    assert f.value(np.array([top])) == pytest.approx(height, abs=1e-6)
    starts = np.linspace(-1.5, 1.5, 31)
    side_by_side = problems.from_functions(lambda w: 0.0, f.grad, starts)  # the rule works entry by entry
    for beta in (0.9, 0.99, 0.999):
        settings = {"learning_rate": 0.2 * (1 - beta) / L, "momentum": beta, "steps": 4000, "iterates": True}
        paths = minimize(side_by_side, rules.momentum, **settings).iterates
        crossed = [
            f.value(start) for start, path in zip(starts[:, None], paths.T, strict=True) if np.ptp(np.sign(path - top))
        ]
        assert all(value > height for value in crossed)
        assert (len(crossed) > 0) == (beta > 0.99)  # and from above it is possible


def test_almost_all_height_is_kept_at_the_far_side():
    for mu, L in ((1.0, 1.0), (0.5, 3.0)):
        f = problems.quadratic([mu, L], start=[1.0, 0.0])
        kept = []
        for beta in (0.9, 0.99, 0.9999):
            rate = (1 - beta) / L
            settings = {
                "learning_rate": rate,
                "momentum": beta,
                "steps": ceil(8 / np.sqrt(rate * mu)),
                "iterates": True,
            }
            w = minimize(f, rules.momentum, start=np.array([1.0, 0.0]), **settings).iterates[:, 0]
            kept.append(w.min() ** 2)
            assert w.min() < 0
        assert kept == sorted(kept)
        exponent = np.pi * np.sqrt((1 - beta) * L / mu)
        assert -np.log(kept[-1]) == pytest.approx(exponent, rel=0.05)
        assert kept[-1] > 0.9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.saddle_growth(0, learning_rate=1), "curvature must be"),
        (lambda: rates.saddle_growth(1, learning_rate=0), "learning_rate must be"),
        (lambda: rates.saddle_growth(1, learning_rate=1, momentum=1), "momentum must be"),
        (lambda: rates.plateau_steps(0, 1, power=3, learning_rate=1), "start must be > 0 and <= end"),
        (lambda: rates.plateau_steps(2, 1, power=3, learning_rate=1), "start must be > 0 and <= end"),
        (lambda: rates.plateau_steps(0.1, 1, power=1.5, learning_rate=1), "power must be"),
        (lambda: rates.langevin_escape_rate(1, bottom=0, top=1, temperature=1), "bottom must be"),
        (lambda: rates.langevin_escape_rate(1, bottom=1, top=1, temperature=0), "temperature must be"),
    ],
)
def test_bounds_check_their_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_barrier_below_the_bottom_is_refused():
    with pytest.raises(ValueError, match="barrier must be >= 0 in every entry, got -1"):
        rates.langevin_escape_rate([0.5, -1.0], bottom=1.0, top=1.0, temperature=0.1)
