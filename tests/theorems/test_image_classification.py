"""Propositions of the chapter on image classification."""

from itertools import product

import numpy as np
import pytest
from scipy import optimize, special

from fo_lib import check_gradient, minimize, problems, rules
from fo_lib.gradients import mini_batch

RNG = np.random.default_rng(0)
X, LABELS = RNG.standard_normal((40, 6)), RNG.integers(0, 4, 40)
Y = np.eye(4)[LABELS]


def loss(z):
    return -special.log_softmax(z, axis=1)[np.arange(len(z)), LABELS].mean()


def by_logits(z):
    return (special.softmax(z, axis=1) - Y) / len(z)


def test_gradient_of_softmax_regression():
    """Against differences, and against the library's problem."""
    W, b = RNG.standard_normal((6, 4)), RNG.standard_normal(4)
    D = by_logits(X @ W + b)
    gradient = [X.T @ D, D.T @ np.ones(40)]
    assert check_gradient(lambda w: loss(X @ w[0] + w[1]), lambda w: gradient, [W, b])["central differences"] < 1e-8
    for ours, library in zip(gradient, problems.softmax_regression(X, LABELS).grad([W, b]), strict=True):
        np.testing.assert_allclose(ours, library, atol=1e-15)


def test_rows_of_the_gradient_sum_to_zero():
    problem = problems.softmax_regression(X, LABELS)
    W, b = RNG.standard_normal((6, 4)), RNG.standard_normal(4)
    g = problem.grad([W, b])
    np.testing.assert_allclose(g[0].sum(1), 0, atol=1e-15)
    assert g[1].sum() == pytest.approx(0, abs=1e-15)
    z, shift = X @ W + b, RNG.standard_normal((40, 1))
    assert loss(z + shift) == pytest.approx(loss(z), rel=1e-13)
    np.testing.assert_allclose(by_logits(z + shift), by_logits(z), atol=1e-15)


def sums_over_classes(rule, rate):
    """W 1 and 1'b at the start and after 60 steps on batches of 8."""
    problem = problems.softmax_regression(X, LABELS)
    start = [RNG.standard_normal((6, 4)), RNG.standard_normal(4)]
    w = minimize(problem, rule, start=start, gradient=mini_batch(8), learning_rate=rate, steps=60).w
    assert np.abs(w[0] - start[0]).max() > 0.1
    return np.append(start[0].sum(1), start[1].sum()), np.append(w[0].sum(1), w[1].sum())


@pytest.mark.parametrize("rule", [rules.gradient_descent, rules.momentum, rules.nesterov])
def test_sums_over_classes_are_conserved_but_not_by_adam(rule):
    before, after = sums_over_classes(rule, lambda t: 0.5 / t**0.5)
    np.testing.assert_allclose(after, before, atol=1e-12)
    before, after = sums_over_classes(rules.adam, 0.05)
    assert np.abs(after - before).max() > 0.05


def network(w):
    W, a, V, b = w
    return np.maximum(X @ W + a, 0) @ V + b


def network_gradient(w):
    """As the proposition has it."""
    W, a, V, _ = w
    A, D = X @ W + a, by_logits(network(w))
    H, B = np.maximum(A, 0), (D @ V.T) * (A > 0)
    return [X.T @ B, B.T @ np.ones(40), H.T @ D, D.T @ np.ones(40)]


def random_weights():
    return [RNG.standard_normal(shape) for shape in ((6, 5), (5,), (5, 4), (4,))]


def test_gradient_of_one_hidden_layer():
    for _ in range(5):
        w = random_weights()
        errors = check_gradient(lambda w: loss(network(w)), network_gradient, w)
        assert errors["central differences"] < 1e-7


def balance(w):
    """|u|^2 - |v|^2 of each hidden unit."""
    return (w[0] ** 2).sum(0) + w[1] ** 2 - (w[2] ** 2).sum(1)


@pytest.mark.parametrize("rate", [0.01, 0.5, 3.0])
def test_units_balance_what_comes_in_and_goes_out(rate):
    w = random_weights()
    g = network_gradient(w)
    inside = (w[0] * g[0]).sum(0) + w[1] * g[1]
    assert np.abs(inside).max() > 1e-3
    np.testing.assert_allclose(inside, (w[2] * g[2]).sum(1), atol=1e-14)
    change = balance([a - rate * b for a, b in zip(w, g, strict=True)]) - balance(w)
    np.testing.assert_allclose(change, rate**2 * balance(g), rtol=1e-9, atol=1e-13)


def smoothed(eps, right=0, classes=10):
    """The targets of label smoothing."""
    return (1 - eps) * np.eye(classes)[right] + eps / classes


@pytest.mark.parametrize(("eps", "classes"), [(0.1, 10), (0.3, 4), (0.02, 1000)])
def test_the_optimum_of_label_smoothing(eps, classes):
    t = smoothed(eps, 0, classes)
    z = np.zeros(classes)
    z[0] = np.log(1 + classes * (1 - eps) / eps)
    q = special.softmax(z)
    np.testing.assert_allclose(q, t, rtol=1e-12)  # so that the gradient q - t is zero
    least = -(t * special.log_softmax(z)).sum()
    assert least == pytest.approx(special.entr(t).sum(), rel=1e-12)
    for _ in range(20):
        assert -(t * special.log_softmax(z + 0.1 * RNG.standard_normal(classes))).sum() > least


def test_label_smoothing_shrinks_the_probabilities_of_uncertain_labels():
    """Labels that are k with probability pi_k: the expected loss is least at (1 - eps) pi + eps / K."""
    eps, pi = 0.1, np.array([0.7, 0.2, 0.1])

    def expected(z):
        return sum(p * -(smoothed(eps, k, 3) * special.log_softmax(z)).sum() for k, p in enumerate(pi))

    z = optimize.minimize(expected, np.zeros(3), tol=1e-12).x
    np.testing.assert_allclose(special.softmax(z), (1 - eps) * pi + eps / 3, atol=1e-6)


def scaled_loss(beta, z):
    return loss(beta * z)


def scaled_slopes(beta, z):
    """First and second derivative as the proposition has them."""
    q = special.softmax(beta * z, axis=1)
    mean = (q * z).sum(1)
    return (mean - z[np.arange(len(z)), LABELS]).mean(), ((q * z**2).sum(1) - mean**2).mean()


@pytest.mark.parametrize("beta", [0.1, 1.0, 4.0])
def test_temperature_makes_a_convex_problem(beta):
    z, h = 2 * RNG.standard_normal((40, 4)), 1e-4
    first, second = scaled_slopes(beta, z)
    low, here, high = (scaled_loss(beta + d, z) for d in (-h, 0, h))
    assert (high - low) / (2 * h) == pytest.approx(first, rel=1e-5)
    assert (high - 2 * here + low) / h**2 == pytest.approx(second, rel=1e-4)
    assert second > 0
    constant = z * 0 + RNG.standard_normal((40, 1))  # the exception: no logit differs from another
    assert scaled_slopes(beta, constant)[1] == pytest.approx(0, abs=1e-12)


def test_the_best_temperature_exists_and_balances_logits():
    """Under both conditions; without either the loss goes on falling, to beta = 0 or to infinity."""
    z = 3 * (Y + 0.6 * RNG.standard_normal((40, 4)))
    right = z.argmax(1) == LABELS
    assert 0.5 < right.mean() < 1
    assert scaled_slopes(0.0, z)[0] < 0
    beta = optimize.brentq(lambda b: scaled_slopes(b, z)[0], 1e-6, 100)
    q = special.softmax(beta * z, axis=1)
    assert (q * z).sum() == pytest.approx(z[np.arange(40), LABELS].sum(), rel=1e-10)
    for other in (0.9 * beta, 1.1 * beta, 1.0):
        assert scaled_loss(other, z) > scaled_loss(beta, z)
    assert all(scaled_slopes(b, -z)[0] > 0 for b in np.linspace(0, 10, 50))
    lifted = np.where(right, 0, z.max(1) - z[np.arange(40), LABELS] + 1)
    perfect = z + lifted[:, None] * Y  # no image has a logit above that of its class
    assert all(scaled_slopes(b, perfect)[0] < 0 for b in np.linspace(0, 5 * beta, 50))


def test_temperature_leaves_the_accuracy():
    z = RNG.standard_normal((200, 10))
    for T in (0.05, 0.7, 30.0):
        assert (special.softmax(z / T, axis=1).argmax(1) == z.argmax(1)).all()


def ece(confidence, right, edges):
    bins = np.digitize(confidence, edges[1:-1])
    return sum(abs((right - confidence)[bins == b].sum()) for b in range(len(edges) - 1)) / len(right)


def test_coarser_bins_never_show_more():
    for _ in range(50):
        confidence = RNG.random(60)
        right = (RNG.random(60) < 0.7).astype(float)
        values = [ece(confidence, right, np.linspace(0, 1, bins + 1)) for bins in (1, 2, 4, 8, 16)]
        assert np.diff(values).min() > -1e-12
        assert values[0] == pytest.approx(abs(right.mean() - confidence.mean()), rel=1e-12)
        assert values[-1] <= 1
    assert ece(np.ones(5), np.zeros(5), np.linspace(0, 1, 11)) == 1


def expected_ece(confidence, edges):
    """Of a calibrated model, exactly: the mean over all outcomes, each with its probability."""
    total = 0.0
    for right in product((0.0, 1.0), repeat=len(confidence)):
        right = np.array(right)
        total += np.prod(np.where(right == 1, confidence, 1 - confidence)) * ece(confidence, right, edges)
    return total


def noise(confidence, edges):
    bins = np.digitize(confidence, edges[1:-1])
    V = np.bincount(bins, confidence * (1 - confidence), len(edges) - 1)
    return np.sqrt(V).sum() / len(confidence)


def test_a_calibrated_model_has_an_error_too():
    edges = np.linspace(0, 1, 4)
    for _ in range(10):
        confidence = RNG.random(9)
        assert 0 < expected_ece(confidence, edges) <= noise(confidence, edges) * (1 + 1e-12)
        bound = np.sqrt(3 * (confidence * (1 - confidence)).sum()) / 9
        assert noise(confidence, edges) <= bound * (1 + 1e-12)
    # attained: one sample of confidence 1/2 in each bin; and the last bound with equal bins
    halves = np.array([0.5])
    assert expected_ece(halves, np.array([0.0, 1.0])) == noise(halves, np.array([0.0, 1.0])) == 0.5
    equal = np.array([0.25, 0.75])
    assert noise(equal, np.linspace(0, 1, 3)) == pytest.approx(np.sqrt(2 * 0.375) / 2, rel=1e-12)
