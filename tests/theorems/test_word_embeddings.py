"""The chapter on word embeddings: gradients, what the objective is minimized by, and what untouched rows do."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize_scalar

from fo_lib import Stepper, rules
from fo_lib.keras import optimizer


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


def pair_loss(u, v, noise):
    return np.logaddexp(0, -(u @ v)) + np.logaddexp(0, noise @ u).sum()


def pair_gradient(u, v, noise):
    """As the proposition has it."""
    gu = -(1 - sigmoid(u @ v)) * v + sigmoid(noise @ u) @ noise
    gv = -(1 - sigmoid(u @ v)) * u
    return gu, gv, sigmoid(noise @ u)[:, None] * u


def test_gradient_of_a_pair():
    rng = np.random.default_rng(0)
    u, v, noise = rng.normal(size=4), rng.normal(size=4), rng.normal(size=(5, 4))
    gu, gv, gn = pair_gradient(u, v, noise)
    h = 1e-6
    for i in range(4):
        e = h * np.eye(4)[i]
        assert gu[i] == pytest.approx((pair_loss(u + e, v, noise) - pair_loss(u - e, v, noise)) / (2 * h), abs=1e-8)
        assert gv[i] == pytest.approx((pair_loss(u, v + e, noise) - pair_loss(u, v - e, noise)) / (2 * h), abs=1e-8)
        up, down = noise.copy(), noise.copy()
        up[2] += e
        down[2] -= e
        assert gn[2, i] == pytest.approx((pair_loss(u, v, up) - pair_loss(u, v, down)) / (2 * h), abs=1e-8)


def score_loss(s, n_co, n_c, p_o, K, exclude):
    """The terms of the expected loss that hold the score s of one word and one context."""
    drawn = n_c - n_co if exclude else n_c
    return n_co * np.logaddexp(0, -s) + K * drawn * p_o * np.logaddexp(0, s)


@pytest.mark.parametrize("exclude", [False, True])
@pytest.mark.parametrize(("n_co", "n_c", "p_o"), [(3, 10, 0.2), (7, 8, 0.01), (1, 1000, 0.5)])
def test_scores_at_the_minimum(n_co, n_c, p_o, exclude):
    K = 5
    found = minimize_scalar(score_loss, args=(n_co, n_c, p_o, K, exclude), bracket=(-5, 5), tol=1e-12).x
    expected = np.log(n_co / (n_c - n_co if exclude else n_c) / (K * p_o))
    assert found == pytest.approx(expected, abs=1e-6)


def test_terms_of_the_expected_loss_are_those_of_all_pairs_and_draws():
    """Summed over a whole table of counts, with each possible negative weighed by its probability."""
    rng = np.random.default_rng(1)
    counts, K = rng.integers(1, 9, (4, 4)).astype(float), 3
    p = rng.dirichlet(np.ones(4))
    s = rng.normal(size=(4, 4))
    for exclude in (False, True):
        whole = 0.0
        for c in range(4):
            for o in range(4):
                whole += counts[c, o] * np.logaddexp(0, -s[c, o])
                noise = sum(p[n] * np.logaddexp(0, s[c, n]) for n in range(4) if not (exclude and n == o))
                whole += counts[c, o] * K * noise
        by_score = sum(
            score_loss(s[c, o], counts[c, o], counts[c].sum(), p[o], K, exclude) for c in range(4) for o in range(4)
        )
        assert whole == pytest.approx(by_score, rel=1e-12)


def test_shared_negatives_leave_the_expected_gradient_as_it_is():
    """Over all draws of two shared negatives of three words, weighed by probability and by K / 2."""
    rng = np.random.default_rng(2)
    p, K = np.array([0.5, 0.3, 0.2]), 5
    u, table = rng.normal(size=3), rng.normal(size=(3, 3))
    term = sigmoid(table @ u)[:, None] * table  # gradient of one negative with respect to u
    own = K * p @ term
    shared = sum(p[i] * p[j] * K / 2 * (term[i] + term[j]) for i in range(3) for j in range(3))
    np.testing.assert_allclose(shared, own, rtol=1e-12)


def test_two_tables_of_zeros_never_move():
    zero = np.zeros(4)
    gu, gv, gn = pair_gradient(zero, zero, np.zeros((5, 4)))
    assert not gu.any()
    assert not gv.any()
    assert not gn.any()
    u = np.random.default_rng(3).normal(size=4)
    gu, gv, _ = pair_gradient(u, zero, np.zeros((5, 4)))
    assert not gu.any()  # the first step moves the contexts only
    assert gv == pytest.approx(-u / 2)


def travel(rule, touched, steps, **hyper):
    """Where a weight ends whose gradient is 1 at the steps in ``touched`` and 0 at all others."""
    step, w = Stepper(rule, **hyper), np.zeros(1)
    for t in range(steps):
        step(w, np.array([1.0 if t in touched else 0.0]))
    return -w[0]


def test_dense_momentum_goes_on_after_one_gradient():
    alpha, beta = 0.1, 0.9
    assert travel(rules.momentum, {0}, 1, learning_rate=alpha, momentum=beta) == pytest.approx(alpha)
    assert travel(rules.momentum, {0}, 400, learning_rate=alpha, momentum=beta) == pytest.approx(alpha / (1 - beta))


def test_dense_adam_goes_on_after_one_gradient():
    """A late first gradient: bias corrections are 1 by then. Ten times as far as the first step, for the usual betas."""
    alpha, b1, b2, late = 0.1, 0.9, 0.999, 20_000
    first = travel(rules.adam, {late}, late + 1, learning_rate=alpha, beta1=b1, beta2=b2, epsilon=1e-30)
    assert first == pytest.approx(alpha * (1 - b1) / np.sqrt(1 - b2), rel=1e-6)
    whole = travel(rules.adam, {late}, late + 2000, learning_rate=alpha, beta1=b1, beta2=b2, epsilon=1e-30)
    assert whole / first == pytest.approx(1 / (1 - b1 / np.sqrt(b2)), rel=1e-4)


@pytest.mark.parametrize("every", [2, 10, 50])
def test_per_touch_dense_and_lazy_momentum_travel_equally_far(every):
    alpha, beta, touches = 0.1, 0.9, 400
    hyper = {"learning_rate": alpha, "momentum": beta}
    lazy = [travel(rules.momentum, set(range(n)), n, **hyper) for n in (touches // 2, touches)]
    dense = [
        travel(rules.momentum, set(range(0, every * n, every)), every * n, **hyper) for n in (touches // 2, touches)
    ]
    for near, far in (lazy, dense):
        assert (far - near) / (touches / 2) == pytest.approx(alpha / (1 - beta), rel=1e-6)


@pytest.mark.parametrize("every", [10, 100])
def test_dense_adam_takes_longer_steps_for_rarer_rows(every):
    """For rows touched every m-th step the mean travel of a touch tends to alpha sqrt(m) as the betas tend to 1."""
    beta1, beta2, alpha, touches = 0.99, 0.9999, 1e-3, 1500
    hyper = {"learning_rate": alpha, "beta1": beta1, "beta2": beta2, "epsilon": 0.0}
    near, far = (
        travel(rules.adam, set(range(0, every * n, every)), every * n, **hyper) for n in (touches // 2, touches)
    )
    assert (far - near) / (touches / 2) == pytest.approx(alpha * np.sqrt(every), rel=0.02)
    assert travel(rules.adam, set(range(touches)), touches, **hyper) == pytest.approx(alpha * touches, rel=1e-6)


def test_lazy_adam_of_the_library_tends_to_one_rate_a_touch():
    """Touched in every 50th step. Late first touches are longer, by the clock of the run, and the steps tend to alpha."""
    alpha, every = 1e-3, 50
    table, adam = keras.Variable(np.zeros((2, 1))), optimizer(rules.adam, alpha, lazy=True, beta2=0.99, epsilon=0.0)
    adam.build([table])

    @tf.function
    def step(row):
        adam.apply([tf.IndexedSlices(tf.ones((1, 1)), row[None], (2, 1))], [table])

    places = []
    for t in range(1, 8001):
        step(tf.constant(1 if t % every == 0 and t > 2000 else 0))
        places.append(-float(table.numpy()[1, 0]))
    steps = np.diff(places)
    touched = steps[steps > 0] / alpha
    assert touched[0] == pytest.approx((1 - 0.9) / np.sqrt(1 - 0.99), rel=1e-3)
    assert touched.max() > 1.2
    assert touched[-1] == pytest.approx((1 - 0.9**120) / np.sqrt(1 - 0.99**120), rel=1e-3)
