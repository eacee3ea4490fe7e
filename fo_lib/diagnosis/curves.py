"""What the curves of a run show: checks of its series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .check import check
from .evidence import Evidence
from .networks import EPSILON, epsilon_words, same

__all__ = ["CHECKS"]

Array = NDArray[np.float64]

GROWING = 4  # entries in a row
JUMP = 10.0  # times the median of the gradient norms before
RECORD = 3.0  # times the largest of them
FLAT = 1e-3  # of the first loss
RISEN = 0.5  # of the first loss
FEW = 10  # entries: with fewer, nothing is said of a shape
OVERFIT = 0.05  # of the lowest validation loss


def _growth(values: Array) -> tuple[int, float]:
    """Over how many of the last entries a series grew each time, and by what factor a step."""
    if len(values) < 2:
        return 0, 1.0
    falls = np.flatnonzero(np.diff(values) <= 0)
    n = len(values) - 1 - (int(falls[-1]) + 1 if falls.size else 0)
    first = values[-1 - n]
    return n, float((values[-1] / first) ** (1 / n)) if n and first > 0 else 1.0


@check(
    "exploding gradient", "loss", "grad_norm",
    remedy="clip the global norm at a typical one; in a recurrent network, shorten the sequences or gate",
)  # fmt: skip
def exploding(e: Evidence) -> str | None:
    loss, norm = _given(e.loss), _given(e.grad_norm)
    if len(norm) < FEW:
        return None
    typical = np.array([np.median(norm[max(0, k - FEW) : k]) for k in range(1, len(norm))])
    record = norm[1:] > RECORD * np.maximum.accumulate(norm)[:-1]
    ratio = np.where(record & (typical > 0), norm[1:] / np.maximum(typical, 1e-300), 0.0)
    k = int(np.argmax(ratio)) + 1
    after, before = loss[k + 1 : k + 9], float(np.median(loss[max(0, k - FEW) : k]))
    harmed = after.min() > before + FLAT * abs(before) if len(after) >= 5 else e.broke_at is not None
    growing = _growth(norm[: k + 1])[0] >= GROWING and norm[k - 1] > 2 * typical[k - 2]  # no jump, but a divergence
    if ratio[k - 1] < JUMP or not harmed or growing:
        return None
    later = f"stays above {after.min():.3g} in the next {len(after)} entries" if len(after) else "is lost"
    return (
        f"at entry {k} the gradient norm is {norm[k]:.3g}, {ratio[k - 1]:.0f} times the median of those before;"
        f" the loss was {before:.3g}, and {later}"
    )


@check(
    "gradient of the wrong sign", "loss", "grad_norm", "learning_rate",
    remedy="compare the gradient with differences of the value: fo_lib.check_gradient",
)  # fmt: skip
def ascent(e: Evidence) -> str | None:
    loss, norm, rate = _given(e.loss), _given(e.grad_norm), _given(e.learning_rate)
    if e.settings.get("rule") != "gradient_descent" or e.settings.get("stochastic") or e.every != 1 or len(loss) < 4:
        return None
    rises, promised = np.diff(loss[:4]), rate[1:4] * norm[:3] ** 2
    slowly = np.abs(np.diff(norm[:4])) < 0.25 * norm[:3]
    if not (slowly.all() and (np.abs(rises - promised) < 0.25 * promised).all()):
        return None
    return (
        f"the first steps raise the loss by {rises[0]:.3g}, {rises[1]:.3g}, {rises[2]:.3g}, where a short step down the"
        f" gradient lowers it by rate x norm^2 = {promised[0]:.3g}"
    )


@check("learning rate too large", "loss", remedy="lower the learning rate below the limit, or use a line search")
def too_large(e: Evidence) -> str | None:
    loss = _given(e.loss)
    broken = e.broke_at is not None
    n, factor = _growth(loss)
    if e.snapshots and all(_risen(e.snapshots[0].loss, now) for now in (loss[-1], e.snapshots[-1].loss)):
        first, last = e.snapshots[0], e.snapshots[-1]
        return (
            f"on the same {first.samples} samples the loss was {first.loss:.3g} before training, and is {last.loss:.3g}"
            f" after {last.epoch} epochs"
        )
    risen = loss[-1] > loss[0] if _beyond(e) else _risen(loss[0], loss[-1])
    if not (broken or risen) or ascent_seen(e):
        return None
    run = loss[len(loss) - 1 - n :]
    steps = np.diff(run) / np.maximum(np.abs(run[:-1]), 1e-300)
    growing = n >= GROWING and steps[-1] >= 0.5 * np.median(steps)  # not on its way to a level
    return _limit(e) if growing or (broken and n and factor > 2) or _beyond(e) else None


def _risen(before: float, after: float) -> bool:
    return after - before > RISEN * abs(before)


def ascent_seen(e: Evidence) -> bool:
    """Whether the rise has a better explanation than a long step."""
    return not ascent.missing(e) and ascent.look(e) is not None


def _beyond(e: Evidence) -> bool:
    plain = e.settings.get("rule") == "gradient_descent" and not e.settings.get("stochastic")
    limit = e.settings.get("L")
    return bool(plain and limit and e.learning_rate is not None and e.learning_rate[-1] > 2 / limit)


def _limit(e: Evidence) -> str:
    """How fast loss and gradient grow, and what limit of the learning rate this betrays."""
    loss = _given(e.loss)
    n, factor = _growth(loss)
    words = f"the loss went from {loss[0]:.3g} to {loss[-1]:.3g}"
    if n >= 2:
        words += f", growing by a factor of {factor:.3g} in each of the last {n} entries"
    if e.learning_rate is None or len(e.learning_rate) < 2:
        return words
    rate = float(e.learning_rate[-1])
    words += f", at a learning rate of {rate:.3g}"
    if _beyond(e):
        return f"{words}: the limit 2 / L is {2 / e.settings['L']:.3g}"
    plain = e.settings.get("rule") == "gradient_descent" and not e.settings.get("stochastic")
    if plain and e.grad_norm is not None and n >= GROWING and _steady(e.grad_norm):
        each = _growth(e.grad_norm)[1] ** (1 / e.every)
        words += f"; the gradient grew by {each:.3g} a step, as for a limit of {2 * rate / (1 + each):.3g}"
    return words


def _steady(norm: Array) -> bool:
    """Whether the last factors are alike, as on a quadratic."""
    factors = norm[-2:] / norm[-3:-1]
    return bool(np.ptp(factors) <= 0.1 * factors[0])


@check(
    "sudden non-finite number", "broke_at",
    remedy="look at that step for log(0), 0/0, sqrt at 0, exp of a large number or a bad sample",
)  # fmt: skip
def sudden(e: Evidence) -> str | None:
    if e.loss is None:
        return "the loss is not finite from the first entry on"
    if too_large.look(e):
        return None
    before = ", ".join(f"{value:.4g}" for value in e.loss[-3:])
    return f"the losses before were {before}, without growth, and that of entry {e.broke_at} is not finite"


@check(
    "velocity of the old learning rate", "loss", "learning_rate", "step_length",
    remedy="let the learning rate multiply the velocity, not the gradient; or clear the velocity when the rate drops",
)  # fmt: skip
def old_velocity(e: Evidence) -> str | None:
    loss, rate, length = _given(e.loss), _given(e.learning_rate), _given(e.step_length)
    if e.every != 1 or e.settings.get("stochastic") or (e.settings and "momentum" not in e.settings):
        return None  # several steps in one entry, or nothing that could remember
    for k in range(2, len(rate)):
        steady = rate[k - 2] == rate[k - 1] > 0
        drop = rate[k] / rate[k - 1] if steady else 1.0
        kept = length[k] / length[k - 1] if length[k - 1] > 0 else 0.0
        worst = loss[k : k + 20].max()
        if drop <= 0.5 and kept > np.sqrt(drop) and worst > loss[k - 1] * 1.01:
            return (
                f"at entry {k} the learning rate fell to {drop:.2g} of what it was, the step only to {kept:.2g};"
                f" the loss then rose from {loss[k - 1]:.3g} to {worst:.3g}"
            )
    return None


@check("oscillation", "loss", remedy="lower the learning rate: the iterates jump across the valley")
def oscillation(e: Evidence) -> str | None:
    half = _settled(e)
    if half is None:
        return None
    swings = np.sign(np.diff(half))
    turns = float(np.mean(swings[1:] * swings[:-1] < 0))  # white noise: 2/3, +- 0.42 / sqrt(n)
    size = float(np.ptp(half))
    if turns < max(0.9, 2 / 3 + 1.5 / np.sqrt(len(half))) or size <= FLAT * abs(half.mean()):
        return None
    return (
        f"over the last {len(half)} entries the loss turns at {turns:.0%} of them, between {half.min():.5g} and"
        f" {half.max():.5g}, without getting lower"
    )


@check(
    "noise floor", "loss", "grad_norm",
    remedy="lower or decay the learning rate, average the iterates, or enlarge the batch",
)  # fmt: skip
def noise(e: Evidence) -> str | None:
    loss, half = _given(e.loss), _settled(e)
    if half is None or not e.settings.get("stochastic"):
        return None
    swing = float(half.std())
    if swing < 0.1 * (loss[0] - half.mean()):
        return None
    return (
        f"over the last {len(half)} entries the loss stays at {half.mean():.3g}, with a standard deviation of"
        f" {swing:.2g}; it began at {loss[0]:.3g}"
    )


def _settled(e: Evidence) -> Array | None:
    """The last half of the losses, if they get no lower there."""
    loss = _given(e.loss)
    half = loss[len(loss) // 2 :]
    if len(half) < FEW or e.broke_at is not None:
        return None
    parts = np.array_split(half, 2)
    gain = parts[0].mean() - parts[1].mean()
    return half if gain < 0.8 * half.std() else None


@check(
    "labels do not belong to the inputs", "loss", "snapshots",
    remedy="look at ten samples with their labels; shuffle inputs and labels by one permutation",
)  # fmt: skip
def mismatched(e: Evidence) -> str | None:
    assert e.snapshots is not None
    loss, held, first = _given(e.loss), e.validation_loss, e.snapshots[0]
    chance = float(np.log(max(first.classes, 2)))
    guess = f"guessing, ln {first.classes} = {chance:.3g}"
    entropy = any(same(first.loss, known) for known in (first.loss_as_logits, first.loss_as_probabilities))
    if not entropy:  # of another loss nobody knows what guessing costs
        return None
    unlearned = held is not None and held[0] <= 1.1 * chance and held.min() >= 0.98 * chance
    if held is not None and unlearned and loss[-1] <= 0.9 * chance:
        lowest = f"the validation loss never comes below that of {guess} (lowest {held.min():.3g})"
        return f"the training loss falls to {loss[-1]:.3g}, and {lowest}: learned by heart, and nothing else"
    kept = e.grad_norm[-1] / first.gradient_norm if e.grad_norm is not None and first.gradient_norm > 0 else 1.0
    resting = len(loss) > 1 and abs(loss[-1] - loss[-2]) <= FLAT * chance
    if resting and loss.min() >= 0.98 * chance and loss[-1] <= 1.05 * chance and kept < 0.5:
        return (
            f"the loss stays at that of {guess}, and the gradient norm has fallen to {kept:.2g} of the first: no signal"
        )
    return None


@check("overfitting", "loss", "validation_loss", remedy="stop at the lowest validation loss; regularize; get more data")
def overfitting(e: Evidence) -> str | None:
    loss, held = _given(e.loss), _given(e.validation_loss)
    best = int(np.argmin(held))
    if best + 3 >= len(held) or held[-3:].min() < held[best] * (1 + OVERFIT) or loss[-1] >= loss[best]:
        return None
    return (
        f"the validation loss was lowest at entry {best}, {held[best]:.3g}, and is {held[-1]:.3g} at the end,"
        f" while the training loss fell from {loss[best]:.3g} to {loss[-1]:.3g}"
    )


@check("zero gradient", "loss", "grad_norm", remedy="start elsewhere, or look for saturated or dead units")
def stationary(e: Evidence) -> str | None:
    loss, norm = _given(e.loss), _given(e.grad_norm)
    if np.ptp(loss) > FLAT * abs(loss[0]) or norm.max() > 1e-10 * max(1.0, abs(loss[0])):
        return None
    return f"the loss stays at {loss[0]:.4g}, and the gradient norm is {norm[0]:.2g} from the start: a stationary point"


@check("epsilon too large", "loss", "grad_norm", remedy="take an epsilon far below a typical gradient")
def epsilon(e: Evidence) -> str | None:
    value, size = e.settings.get("epsilon"), e.settings.get("size")
    if value is None or size is None or _can_fall(e) is False:
        return None
    typical = float(_given(e.grad_norm)[0]) / np.sqrt(size)
    return epsilon_words(value, typical) if 0 < typical * EPSILON < value else None


@check(
    "learning rate too small",
    "loss",
    "grad_norm",
    remedy="raise the learning rate by factors of ten until the loss moves",
)
def too_small(e: Evidence) -> str | None:
    loss, norm = _given(e.loss), _given(e.grad_norm)
    if not _flat(loss) or norm[-1] < 0.5 * norm[0] or not _can_fall(e) or stationary.look(e) or oscillation.look(e):
        return None
    share, kept = (loss[0] - loss[-1]) / abs(loss[0]), norm[-1] / norm[0]
    words = f"the loss moved by {abs(share):.1g} of itself in {len(loss) - 1} entries; the gradient norm is {kept:.2g}"
    words += " of the first"
    if e.settings.get("rule") == "gradient_descent" and e.learning_rate is not None:
        predicted, fell = e.learning_rate[-1] * norm[-1] ** 2, (loss[0] - loss[-1]) / (len(loss) - 1) / max(e.every, 1)
        words += f"; each step lowers it by {fell:.1e}, as rate x norm^2 = {predicted:.1e} promises"
    return words


@check(
    "loss flat",
    "loss",
    remedy="compare with the loss of a constant prediction; try ten times the rate; or did it start at a solution?",
)
def flat(e: Evidence) -> str | None:
    loss, norm = _given(e.loss), e.grad_norm
    ending = norm is not None and (norm[-1] < 0.5 * norm[0] or norm[-1] == 0)
    if not _flat(loss) or _can_fall(e) is not None or ending:
        return None  # at its end, or one of the checks above knows more
    return f"over {len(loss)} entries the loss stays between {loss.min():.4g} and {loss.max():.4g}"


def _can_fall(e: Evidence) -> bool | None:
    """Whether the loss could get lower by more than counts as flat: None where nobody can tell."""
    loss, L = _given(e.loss), e.settings.get("L")
    if L and e.grad_norm is not None:
        return bool(e.grad_norm[0] ** 2 / (2 * L) > FLAT * abs(loss[0]))  # one step at 1 / L brings at least that
    if e.snapshots and np.isfinite(e.snapshots[0].loss_as_logits):
        return bool(loss[0] > 0.9 * np.log(e.snapshots[0].classes))  # no better than guessing
    return None


def _flat(loss: Array) -> bool:
    return len(loss) >= 3 and loss[0] != 0 and bool(np.ptp(loss) <= FLAT * abs(loss[0]))


def _given(series: Array | None) -> Array:
    assert series is not None  # a check is asked only where its needs are met
    return series


CHECKS = (
    exploding, ascent, old_velocity, too_large, sudden, epsilon, mismatched, overfitting, stationary, too_small,
    oscillation, noise, flat,
)  # fmt: skip
