"""Theorems of the chapter on language models."""

import numpy as np
import pytest

from fo_lib import rates, rules
from fo_lib.engine import Stepper

RNG = np.random.default_rng(0)
TINY = {"epsilon": 1e-300}  # zero, but for the weights without any gradient


def softmax(z):
    q = np.exp(z - z.max(axis=-1, keepdims=True))
    return q / q.sum(axis=-1, keepdims=True)


# One-hot classes


def class_losses(rule, rate, shares, steps):
    """Loss of each class after each step, softmax regression on one-hot samples, from zero."""
    c = len(shares)
    W, step, losses = np.zeros((c, c)), Stepper(rule, learning_rate=rate), []
    for _ in range(steps):
        step(W, shares[:, None] * (softmax(W) - np.eye(c)))
        losses.append(-np.log(np.diag(softmax(W))))
    return np.array(losses)


def zipf(c):
    return 1 / np.arange(1, c + 1) / np.sum(1 / np.arange(1, c + 1))


def margins(losses, c):
    return np.log((c - 1) / np.expm1(losses))


@pytest.mark.parametrize(("c", "rate"), [(2, 0.5), (2, 4.0), (5, 1.0), (30, 10.0)])
def test_losses_of_one_hot_classes_lie_between_the_bounds(c, rate):
    shares, t = zipf(c), np.arange(1, 401)[:, None]
    z = margins(class_losses(rules.gradient_descent, rate, shares, 400), c)
    a = rate * shares * c
    phi = (c - 1) * z + np.exp(z)
    assert np.all(phi >= (1 + a * t) * (1 - 1e-12))
    assert np.all(phi <= (1 + a * t + a / 2 * np.exp(a / c) * z) * (1 + 1e-12))


def test_small_rates_attain_the_lower_bound():
    shares, t = zipf(6), np.arange(1, 2001)[:, None]
    z = margins(class_losses(rules.gradient_descent, 1e-2, shares, 2000), 6)
    phi = 5 * z + np.exp(z)
    assert phi == pytest.approx(1 + 1e-2 * shares * 6 * t, rel=3e-3)
    assert phi[-1] - 1 == pytest.approx(1e-2 * shares * 6 * 2000, rel=1e-2)


def test_loss_times_share_times_steps_tends_to_a_constant():
    """With the margin's recursion, which the test above checks against the full model, for 1,000 classes."""
    c, rate = 1000, 1000.0
    shares, z = zipf(c), np.zeros(c)
    for _ in range(200_000):
        z = z + rate * shares * c / (np.exp(z) + c - 1)
    losses = np.log1p((c - 1) * np.exp(-z))
    late = slice(10, None)  # in the most frequent classes the first step goes too far for 200,000 to make up for
    assert (losses * shares * rate * 200_000)[late] == pytest.approx(1 - 1 / c, rel=7e-4)
    few = np.zeros(7)
    for _ in range(50):
        few = few + 3.0 * zipf(7) * 7 / (np.exp(few) + 6)
    assert margins(class_losses(rules.gradient_descent, 3.0, zipf(7), 50), 7)[-1] == pytest.approx(few, rel=1e-12)


@pytest.mark.parametrize("c", [2, 9])
def test_sign_descent_fits_all_classes_alike(c):
    t = np.arange(1, 101)[:, None]
    losses = class_losses(rules.sign_descent, 0.05, zipf(c), 100)
    assert losses == pytest.approx(np.log1p((c - 1) * np.exp(-2 * 0.05 * t)) + np.zeros(c), rel=1e-9)
    slopes = np.diff(np.log(class_losses(rules.sign_descent, 0.05, zipf(c), 180)), axis=0)[-1]
    assert slopes == pytest.approx(-2 * 0.05, rel=1e-4)


# Rows of the bigram table


def row_loss(z, target):
    return np.log(np.exp(z - z.max()).sum()) + z.max() - target @ z


def scheduled(rule, schedule, share, target, **hyper):
    """Iterates of a rule with a learning rate for each step."""
    z, path, state = np.zeros(len(target)), [], None
    for t, rate in enumerate(schedule, start=1):
        g = share * (softmax(z) - target)
        if rule is rules.gradient_descent or rule is rules.sign_descent:
            z = rule(z, g, learning_rate=rate)
        elif rule is rules.adam:
            z, *state = rule(z, g, *(state or [0 * z, 0 * z]), t, learning_rate=rate, **hyper)
        else:
            z, *state = rule(z, g, *(state or [0 * z]), learning_rate=rate, **hyper)
        path.append(z)
    return np.array(path)


@pytest.mark.parametrize("share", [1.0, 0.1, 1e-3])
def test_progress_on_a_row_is_at_most_linear_in_its_share(share):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        target = rng.dirichlet(np.full(8, 0.3))
        schedule = 4 / share * np.geomspace(1e-3, 1, 60) * rng.uniform(0.3, 1)
        path = scheduled(rules.gradient_descent, schedule, share, target)
        norm = np.linalg.norm(1 / 8 - target)
        gains = np.log(8) - np.array([row_loss(z, target) for z in path])
        bounds = [rates.softmax_row_progress(share, total_rate=S, gradient_norm=norm) for S in np.cumsum(schedule)]
        assert np.all(gains <= np.array(bounds) * (1 + 1e-12))
        assert np.all(np.diff([np.linalg.norm(softmax(z) - target) for z in path]) <= 1e-14)


def test_the_progress_bound_is_attained():
    target = RNG.dirichlet(np.ones(6))
    norm = np.linalg.norm(1 / 6 - target)
    for share, tolerance in ((1e-2, 2e-2), (1e-4, 2e-4)):
        z = scheduled(rules.gradient_descent, np.full(20, 0.05), share, target)[-1]
        bound = rates.softmax_row_progress(share, total_rate=1.0, gradient_norm=norm)
        assert np.log(6) - row_loss(z, target) == pytest.approx(bound, rel=tolerance)


def test_no_gradient_of_a_row_grows_up_to_the_stated_rate_and_not_beyond():
    target = np.array([0.5, 0.5])
    z = np.array([1e-3, -1e-3])
    sizes = {}
    for rate in (3.99, 4.01):
        after = z - rate * (softmax(z) - target)
        sizes[rate] = np.linalg.norm(softmax(after) - target) / np.linalg.norm(softmax(z) - target)
    assert sizes[3.99] < 1 < sizes[4.01]


@pytest.mark.parametrize(
    ("rule", "hyper"),
    [(rules.sign_descent, {}), (rules.adagrad, TINY), (rules.rmsprop, TINY), (rules.adam, TINY)],
)
def test_rows_of_adaptive_methods_do_not_see_shares(rule, hyper):
    target, schedule = RNG.dirichlet(np.full(8, 0.3)), 0.1 * np.linspace(1, 0.1, 50)
    frequent = scheduled(rule, schedule, 2.0**-2, target, **hyper)
    rare = scheduled(rule, schedule, 2.0**-20, target, **hyper)
    assert np.allclose(frequent, rare, rtol=1e-12, atol=1e-14)
    slow = [scheduled(rules.gradient_descent, schedule, p, target)[-1] for p in (2.0**-2, 2.0**-20)]
    assert np.linalg.norm(slow[1]) < 1e-4 * np.linalg.norm(slow[0])


# Rare gradients in mini-batches


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.98), (0.0, 0.99), (0.5, 0.9)])
@pytest.mark.parametrize("every", [1, 2, 7, 100])
def test_speed_of_adam_on_a_rare_gradient(beta1, beta2, every):
    """For gradients of any size, after the memories have settled."""
    for size in (1.0, 1e-6):
        w, m, v, path = 0.0, 0.0, 0.0, []
        periods = int(np.ceil(25 / (1 - beta2) / every)) + 2
        for t in range(1, periods * every + 1):
            g = size if t % every == 0 else 0.0
            w, m, v = rules.adam(w, g, m, v, float(t), learning_rate=1.0, beta1=beta1, beta2=beta2, epsilon=1e-300)
            path.append(w)
        speed = (path[-1 - every] - path[-1]) / every
        assert speed == pytest.approx(rates.sparse_adam_speed(every, beta1=beta1, beta2=beta2), rel=1e-6)


def test_speed_goes_from_a_root_to_a_reciprocal():
    n = np.array([1, 10, 100, 1000])
    for beta1 in (0.0, 0.9):
        assert rates.sparse_adam_speed(n, beta1=beta1, beta2=1 - 1e-10) == pytest.approx(n**-0.5, rel=1e-5)
    far, r = 1e6, 0.9 / np.sqrt(0.999)
    limit = 0.1 / ((1 - r) * np.sqrt(0.001))
    assert rates.sparse_adam_speed(far) * far == pytest.approx(limit, rel=1e-9)
    assert limit == pytest.approx(31.77, abs=0.01)
    with pytest.raises(ValueError, match="every must be >= 1"):
        rates.sparse_adam_speed(0)
    with pytest.raises(ValueError, match="beta2"):
        rates.sparse_adam_speed(1, beta2=0.8)


def test_gradient_and_sign_descent_move_a_rare_weight_in_proportion():
    for rule in (rules.gradient_descent, rules.sign_descent):
        path = {}
        for every in (1, 20):
            w = np.zeros(1)
            for t in range(1, 2001):
                w = rule(w, np.array([1.0 if t % every == 0 else 0.0]), learning_rate=0.1)
            path[every] = w[0]
        assert path[20] / path[1] == pytest.approx(1 / 20, rel=1e-9)


def test_lion_goes_on_in_the_direction_of_the_last_sign():
    """Of the table: a gradient in every n-th step moves a weight as fast as one in every step."""
    path = {}
    for every in (1, 10, 100):
        w, m = np.zeros(1), np.zeros(1)
        for t in range(1, 4001):
            w, m = rules.lion(w, np.array([1.0 if t % every == 1 % every else 0.0]), m, learning_rate=0.1)
        path[every] = w[0]
    assert path[10] == pytest.approx(path[1], rel=1e-9)
    assert path[100] == pytest.approx(path[1], rel=1e-9)


# Attention


def attend(Q, K, values, seen):
    scores = np.where(seen, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    A = softmax(scores)
    return A @ values, A


def attention_gradients(Q, K, values, A, back):
    """The proposition."""
    inner = back @ values.T
    scores = A * (inner - (A * inner).sum(axis=1, keepdims=True))
    root = np.sqrt(Q.shape[1])
    return scores @ K / root, scores.T @ Q / root, A.T @ back, scores


@pytest.mark.parametrize("causal", [False, True])
def test_gradients_of_attention(causal):
    """Against central differences of <Y, back> in every entry."""
    n, d = 5, 3
    parts, back = [RNG.standard_normal((n, d)) for _ in range(3)], RNG.standard_normal((n, d))
    seen = np.tril(np.ones((n, n), bool)) | (not causal)
    _, A = attend(*parts, seen)
    *gradients, scores = attention_gradients(*parts, A, back)
    for part, gradient in zip(parts, gradients, strict=True):
        found = np.zeros((n, d))
        for i in np.ndindex(n, d):
            keep, values = part[i], []
            for h in (1e-5, -1e-5):
                part[i] = keep + h
                values.append(np.sum(attend(*parts, seen)[0] * back))
            part[i] = keep
            found[i] = (values[0] - values[1]) / 2e-5
        assert gradient == pytest.approx(found, abs=1e-8)
    assert np.allclose(scores.sum(axis=1), 0, atol=1e-14)
    assert np.allclose(gradients[1].sum(axis=0), 0, atol=1e-14)  # the bias of the keys
    assert np.all(scores[~seen] == 0)


def test_certain_attention_does_not_learn():
    for _ in range(300):
        n = RNG.integers(2, 7)
        A, inner = softmax(3 * RNG.standard_normal((1, n))), RNG.standard_normal((1, n))
        scores = A * (inner - (A * inner).sum())
        a = max(0.5, A.max())
        assert np.abs(scores).sum() <= 2 * a * (1 - a) * np.ptp(inner) + 1e-14
    for a in (0.5, 0.7, 0.99):
        A, inner = np.array([a, 1 - a]), np.array([2.0, -1.0])
        scores = A * (inner - A @ inner)
        assert np.abs(scores).sum() == pytest.approx(2 * a * (1 - a) * 3, rel=1e-12)


# Layer normalization


def normalize(x):
    return (x - x.mean()) / x.std()


def norm_jacobian(x):
    d, n = len(x), normalize(x)
    return (np.eye(d) - np.ones((d, d)) / d - np.outer(n, n) / d) / x.std()


def test_the_jacobian_of_layer_normalization_is_a_projection_over_the_deviation():
    for scale in (0.1, 1.0, 30.0):
        x = scale * RNG.standard_normal(9) + 2
        J, found = norm_jacobian(x), np.zeros((9, 9))
        for i in range(9):
            h = 1e-5 * scale * np.eye(9)[i]
            found[:, i] = (normalize(x + h) - normalize(x - h)) / (2e-5 * scale)
        assert pytest.approx(found, abs=1e-7 / scale) == J
        P = J * x.std()
        assert np.allclose(P @ P, P)
        assert np.allclose(P, P.T)
        assert np.trace(P) == pytest.approx(7)
        assert np.linalg.norm(J, 2) == pytest.approx(1 / x.std())


def test_the_residual_path_of_post_normalization_shrinks_gradients():
    """By the product of the deviations; attained by a gradient that no projection touches."""
    d, depth, spread = 4096, 12, 0.6
    x, factor = normalize(RNG.standard_normal(d)), 1.0
    g = RNG.standard_normal(d)
    kept = [np.ones(d)]
    jacobians = []
    for _ in range(depth):
        y = x + spread * RNG.standard_normal(d)
        jacobians.append((normalize(y), y.std()))
        kept.append(jacobians[-1][0])
        factor /= y.std()
        x = jacobians[-1][0]
    basis = np.linalg.qr(np.array(kept).T)[0]
    untouched = g - basis @ (basis.T @ g)
    for start, attained in ((g, False), (untouched, True), (np.ones(d), False)):
        back = start
        for n, deviation in jacobians[::-1]:
            back = (back - back.mean() - n * (n @ back) / d) / deviation
        ratio = np.linalg.norm(back) / np.linalg.norm(start)
        assert ratio <= factor * (1 + 1e-12)
        assert not attained or ratio == pytest.approx(factor, rel=1e-9)
    assert factor == pytest.approx((1 + spread**2) ** (-depth / 2), rel=0.1)
