"""Checkers for the chapter on fewer and smaller messages."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def delay(answer: Any) -> str:
    if close(answer, 0.2):
        raise NotYet("That is the limit without delay.")
    if close(answer, 0.2 * np.sin(np.pi / 14) * 10):
        raise NotYet("That is learning rate times curvature. Divide by L.")
    if close(answer, np.pi / 70):
        raise NotYet("Close: that is the limit for long delays. The sine itself is what is asked for.")
    if close(answer, 0.2 * np.sin(np.pi / 7)):
        raise NotYet("Half of that angle: pi over 2 (2 tau + 1).")
    if close(answer, 27 / 2560):
        raise NotYet("That is the best rate for the curvature L, not the limit.")
    if not close(answer, 0.2 * np.sin(np.pi / 14)):
        raise NotYet("The limit is 2 sin(pi / (2 (2 tau + 1))), for learning rate times L.")
    return "Less than a quarter of the limit without delay; and for small rates there is no difference."


def bits(answer: Any) -> str:
    if close(answer, 1000):
        raise NotYet("Who receives a thousand numbers has to know where they belong: count the indices.")
    if close(answer, 500):
        raise NotYet("An index of 32 bits is longer than needed: 20 bits tell a million places apart.")
    if close(answer, 52 / 32e3, tolerance=1e-3):
        raise NotYet("The other way round: how many times longer is the whole gradient?")
    if not close(answer, 32e6 / 52e3):
        raise NotYet("32 bits for each of a million entries, against 32 + 20 bits for each of a thousand.")
    return "More than a third of the saving in numbers is lost to the indices."


def _step(
    C: Any, w: Any, gradients: Any, memory: Any, rate: float, *, add: bool = True, wanted: bool = True,
    mean: bool = True, sign: float = 1.0, scaled: bool = False,
) -> Any:  # fmt: skip
    p = gradients + memory if add else gradients
    sent = np.array([C(row) for row in p])
    kept = (p if wanted else gradients) - sent
    total = sent.mean(0) if mean else sent.sum(0)
    return w - sign * rate * total, rate * kept if scaled else kept


def step(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function step(C, w, gradients, memory, rate).")
    rng = np.random.default_rng(0)
    w, gradients, memory = rng.standard_normal(4), rng.standard_normal((3, 4)), rng.standard_normal((3, 4))

    def C(v: Any) -> Any:
        if np.shape(v) != (4,):
            raise NotYet("C compresses one vector, that of a worker: call it once for each row.")
        return np.where(np.abs(v) == np.abs(v).max(), v, 0.0)

    given = w.copy(), gradients.copy(), memory.copy()
    found = answer(C, *given, 0.1)
    if not all(np.array_equal(one, other) for one, other in zip(given, (w, gradients, memory), strict=True)):
        raise NotYet("The caller's arrays have changed.")
    if not (isinstance(found, tuple) and [np.shape(part) for part in found] == [(4,), (3, 4)]):
        raise NotYet("Return two arrays: the new weights, then the new memory with a row for each worker.")

    def same(**settings: Any) -> bool:
        wanted = _step(C, w, gradients, memory, 0.1, **settings)
        return all(np.allclose(one, other) for one, other in zip(found, wanted, strict=True))

    if same():
        return "Whatever C does: what was applied and what is remembered add up to all gradients."
    slips: list[tuple[dict[str, Any], str]] = [
        ({"add": False}, "The memory is never sent: add it to the gradient before C."),
        ({"wanted": False}, "Keep what was wanted minus what was sent; you keep the gradient minus what was sent."),
        ({"mean": False}, "The mean over the workers, not the sum."),
        ({"sign": -1.0}, "The weights descend: minus the rate."),
        ({"scaled": True}, "The memory is in units of the gradient here: no rate in it."),
    ]
    for settings, hint in slips:
        if same(**settings):
            raise NotYet(hint)
    raise NotYet("First p = gradients + memory, then send C(p), keep p - C(p), and subtract rate times the mean.")


def rest(answer: Any) -> str:
    if close(answer, 0.75):
        raise NotYet("That is the minimizer, where one local step would lead.")
    if close(answer, 0.5):
        raise NotYet("That is the mean of the minimizers, where very many local steps would lead.")
    if close(answer, 1 / 10):
        raise NotYet("Those are the parts that are kept, (1 - a h)^2. What moves the workers is one minus that.")
    if not close(answer, 0.9375 / 1.375):
        raise NotYet("Weigh the two minimizers by 1 - (1 - a h)^2, with the curvatures h = 1 and h = 3.")
    return "The steep worker has almost arrived after two steps, and so pulls less than its curvature would."


CHECKERS: dict[str, Checker] = {
    "fewer-messages-1": delay,
    "fewer-messages-2": bits,
    "fewer-messages-3": step,
    "fewer-messages-4": rest,
}
