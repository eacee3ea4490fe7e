"""Each threshold of `diagnose` is where it is said to be: a series just beyond it is named, one just within it is not."""

import numpy as np
import pytest

from fo_lib import Trace, diagnose


def spike(size, width=8):
    """A gradient norm with one entry ``size`` times the others, and a loss that is higher for some entries after it."""
    loss, norm = np.linspace(2, 1.9, 60), np.ones(60)
    loss[26 : 26 + width] = 3.0
    norm[25] = size
    return {"loss": loss, "grad_norm": norm}


def beside_the_limit(rate):
    """A slight rise of gradient descent on a function with L = 1."""
    return trace_of([1, 1.04, 1.08], np.ones(3), np.full(3, rate), rule="gradient_descent", stochastic=False, L=1.0)


def overfit(rise):
    return {"loss": np.geomspace(1, 0.1, 7), "validation_loss": [1, 0.8, 0.7, *[0.7 * (1 + rise)] * 4]}


def climbing(factors, first=1.0):
    return {"loss": np.cumprod([first, *factors])}


def climbed(share, turn):
    """Four entries of gradient descent that climb by ``share`` of what a short step down would win, and a gradient."""
    norm = np.cumprod([1.0, *[1 + turn] * 3])
    loss = 5 + np.cumsum([0.0, *(share * 0.1 * norm[:3] ** 2)])
    return trace_of(loss, norm, np.full(4, 0.1), rule="gradient_descent", stochastic=False)


def trace_of(loss, norm, rate, length=None, **settings):
    iterates = None if length is None else np.cumsum(length)[:, None]
    return Trace(
        step=np.arange(len(loss)), value=np.asarray(loss, float), grad_norm=np.asarray(norm, float), w=np.ones(1),
        learning_rate=np.asarray(rate, float), iterates=iterates, reason="steps", message="", settings=settings,
    )  # fmt: skip


def slowed(kept, rise):
    """Momentum whose rate falls to a hundredth: the step to ``kept`` of what it was; the loss then changes by ``rise``."""
    loss = [3.0, 2.0, 1.0, 1 + rise, 1.0]
    rate, length = [0.1, 0.1, 0.1, 0.001, 0.001], [0.0, 1.0, 1.0, kept, kept]
    return trace_of(loss, np.ones(5), rate, length, rule="momentum", momentum=0.9, stochastic=False)


def hovering(swing):
    loss = np.concatenate([np.linspace(2, 1, 50), 1 + swing * np.random.default_rng(0).standard_normal(50)])
    return trace_of(loss, np.ones(100), np.full(100, 0.1), rule="gradient_descent", stochastic=True)


def still(kept):
    """A loss that does not move, while the gradient falls to ``kept``; a step at 1 / L would bring much."""
    return trace_of(np.ones(5), np.geomspace(1, kept, 5), np.full(5, 1e-9), rule="momentum", L=0.1)


def alike(share, epochs=5, n=200):
    """Batch losses of which ``share`` of the variance repeats."""
    pattern, *rows = np.random.default_rng(0).standard_normal((epochs + 1, n))
    return {"batch_loss": 2 + np.sqrt(share) * pattern + np.sqrt(1 - share) * np.array(rows)}


THRESHOLDS = {
    "learning rate too small": [(still(0.6), still(0.4))],
    "one permutation repeated": [
        (alike(0.65), alike(0.35)),
        (alike(1.0, n=60), alike(1.0, epochs=3, n=20)),
        (alike(1.0, epochs=3), alike(1.0, epochs=2)),
    ],
    "exploding gradient": [(spike(11), spike(9)), (spike(11), spike(11, width=7))],
    "learning rate too large": [
        (climbing([1.2] * 4), climbing([0.99, 1.3, 1.3, 1.3])),
        (climbing([1.12] * 4), climbing([1.10] * 4)),
        (beside_the_limit(2.02), beside_the_limit(2.0)),
        (climbing([1.2] * 4), climbing([2.0, 1.9, 1.8, 1.2])),
    ],
    "overfitting": [(overfit(0.06), overfit(0.04))],
    "gradient of the wrong sign": [
        (climbed(1.2, 0.2), climbed(1.3, 0.2)),
        (climbed(0.8, 0.2), climbed(0.7, 0.2)),
        (climbed(1.0, 0.2), climbed(1.0, 0.3)),
    ],
    "velocity of the old learning rate": [
        (slowed(0.12, 0.5), slowed(0.08, 0.5)),
        (slowed(0.9, 0.02), slowed(0.9, 0.005)),
    ],
    "zero gradient": [
        ({"loss": [1.0] * 3, "grad_norm": [0.9e-10] * 3}, {"loss": [1.0] * 3, "grad_norm": [1.1e-10] * 3}),
        ({"loss": [0.0] * 3, "grad_norm": [0.0] * 3}, {"loss": [0.0] * 3, "grad_norm": [1e-9] * 3}),
    ],
    "noise floor": [(hovering(0.13), hovering(0.07))],
    "loss flat": [({"loss": [1.0, 0.9995, 0.9991]}, {"loss": [1.0, 0.9995, 0.9989]})],
}


@pytest.mark.parametrize(
    ("cause", "beyond", "within"), [(cause, *pair) for cause, pairs in THRESHOLDS.items() for pair in pairs]
)
def test_each_threshold_is_where_it_is_said_to_be(cause, beyond, within):
    assert cause in diagnose(beyond).causes
    assert cause not in diagnose(within).causes


def test_a_loss_still_falling_slowly_has_not_settled():
    falling = 1 + 0.1 * np.linspace(1, -1, 100) + 0.04 * (-1.0) ** np.arange(100)
    assert diagnose({"loss": falling}).cause is None
    assert (
        diagnose({"loss": 1 + 0.001 * np.linspace(1, -1, 100) + 0.04 * (-1.0) ** np.arange(100)}).cause == "oscillation"
    )


def test_the_last_three_losses_before_a_break_are_shown():
    found = diagnose({"loss": [5.0, 4.0, 3.0, 2.0, np.nan]})
    assert "the losses before were 4, 3, 2, without growth" in str(found)
