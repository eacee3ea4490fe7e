"""What a network and its data show: checks of the snapshots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .check import check
from .evidence import Evidence
from .snapshot import Snapshot

__all__ = ["CHECKS", "EPSILON", "epsilon_words", "same"]

DEAD = 0.5  # share of a layer's units
MANY = 32  # samples: for fewer, a unit may well be silent
REVIVED = 0.1  # share of the gradient's entries
EPSILON = 10.0  # times a typical gradient
SUMMED = 0.5  # of the number of samples
SAME = 1e-3  # relative difference of two losses that are the same


@check(
    "input or target not finite", "snapshots",
    remedy="clean or drop these samples; check data before training, not losses",
)  # fmt: skip
def bad_data(e: Evidence) -> str | None:
    first = _shots(e)[0]
    for name, count, index in (
        ("inputs", first.bad_inputs, first.first_bad_input),
        ("targets", first.bad_targets, first.first_bad_target),
    ):
        if count:
            return f"{count} of the {name} are NaN or infinite, the first at index {index}"
    return None


@check("label out of range", "snapshots", remedy="count the classes; give the last layer one output for each")
def bad_label(e: Evidence) -> str | None:
    first = _shots(e)[0]
    outputs = f"the model has {first.classes} outputs, for the labels 0 to {first.classes - 1}"
    return None if first.bad_label is None else f"{outputs}, and a label is {first.bad_label}"


@check("probabilities given as logits", "snapshots", remedy="drop the softmax of the last layer, or from_logits=True")
def probabilities(e: Evidence) -> str | None:
    first = _shots(e)[0]
    if not (first.probabilities and same(first.loss, first.loss_as_logits)):
        return None
    if same(first.loss_as_logits, first.loss_as_probabilities):
        return None
    return (
        f"every row of outputs sums to 1, and the loss is {first.loss:.4g}, as if they were logits:"
        f" the cross-entropy of these probabilities is {first.loss_as_probabilities:.4g}"
    )


@check("logits given as probabilities", "snapshots", remedy="say from_logits=True in the loss")
def logits(e: Evidence) -> str | None:
    first = _shots(e)[0]
    if first.from_logits is not False or first.probabilities or first.bad_weights or first.bad_inputs:
        return None
    words = "the loss expects probabilities, and the outputs are not: outside 0 to 1, or not with sum 1"
    if np.isnan(first.loss_as_logits):
        return words
    return f"{words}. It gives {first.loss:.4g}; as logits they have a cross-entropy of {first.loss_as_logits:.4g}"


@check(
    "loss summed over the batch", "snapshots",
    remedy="take the mean over the batch; or divide the learning rate by the batch size",
)  # fmt: skip
def summed(e: Evidence) -> str | None:
    first = _shots(e)[0]
    if not first.together > SUMMED * first.few or first.few < 4:
        return None
    return (
        f"the loss of {first.few} samples together is {first.together:.1f} times the mean of their losses one by one:"
        " gradients grow with the batch"
    )


@check(
    "weights not finite", "snapshots",
    remedy="find the first bad step: check inputs, then the learning rate; a finite loss proves nothing",
)  # fmt: skip
def bad_weights(e: Evidence) -> str | None:
    for shot in _shots(e):
        if shot.bad_weights:
            path, n = next(iter(shot.bad_weights.items()))
            finite = e.loss is not None and e.broke_at is None
            behind = ", while the recorded losses are finite" if finite else ""
            return f"after epoch {shot.epoch}, {n} entries of {path} are NaN or infinite{behind}"
    return None


@check(
    "gradient underflow", "snapshots",
    remedy="scale the loss (keras LossScaleOptimizer), or compute in bfloat16 or float32",
)  # fmt: skip
def underflow(e: Evidence) -> str | None:
    worst = max(_shots(e), key=lambda shot: shot.revived)
    if worst.loss_is_scaled or worst.revived < REVIVED:
        return None
    return (
        f"{worst.revived:.0%} of the gradient's entries are 0, and are not once the loss is multiplied by 1024"
        f" (after epoch {worst.epoch})"
    )


@check(
    "epsilon too large", "snapshots",
    remedy="take an epsilon far below a typical gradient, or scale the gradient up",
)  # fmt: skip
def epsilon(e: Evidence) -> str | None:
    first = _shots(e)[0]
    if first.epsilon is None or not 0 < first.gradient_rms * EPSILON < first.epsilon:
        return None
    return epsilon_words(first.epsilon, first.gradient_rms)


def epsilon_words(value: float, typical: float) -> str:
    """Say how epsilon compares with the gradient."""
    return (
        f"epsilon is {value:.1e}, {value / typical:.0f} times a typical entry of the gradient, {typical:.1e}:"
        " the denominator is epsilon, and nothing adapts"
    )


@check(
    "dead units", "snapshots", remedy="lower the learning rate; start biases at 0; initialize by He; try a leaky ReLU"
)
def dead(e: Evidence) -> str | None:
    last = _shots(e)[-1]
    layer = max(last.dead, key=lambda name: last.dead[name], default=None)
    if layer is None or last.dead[layer] <= DEAD or last.samples < MANY:
        return None
    before = _shots(e)[0].dead.get(layer, np.nan)
    return (
        f"{last.dead[layer]:.0%} of the units of {layer} are 0 for each of {last.samples} samples after epoch"
        f" {last.epoch} ({before:.0%} after epoch {_shots(e)[0].epoch}): no gradient passes through them"
    )


def _shots(e: Evidence) -> Sequence[Snapshot]:
    assert e.snapshots is not None  # a check is asked only where its needs are met
    return e.snapshots


def same(a: float, b: float) -> bool:
    """Whether two losses are the same, up to rounding."""
    return bool(abs(a - b) <= SAME * abs(b))


CHECKS = (bad_data, bad_label, probabilities, logits, summed, bad_weights, underflow, epsilon, dead)
