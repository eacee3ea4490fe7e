"""Checkers for the chapter on constraints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def projected(answer: Any) -> str:
    if close(answer, (0.6, 0.4, 0.0)):
        raise NotYet("That is clipping and dividing by the sum. The projection subtracts one number from all.")
    if close(answer, (0.75, 0.45, -0.45)) or close(answer, (0.8333, 0.5333, -0.3667)):
        raise NotYet("An entry is negative: it has to be zero, and the threshold is that of the other entries.")
    if not np.allclose(answer, (0.65, 0.35, 0.0), rtol=1e-3, atol=1e-6):
        raise NotYet("Find the threshold theta with max(w - theta, 0) adding up to 1.")
    return "0.25 from each of the two that stay."


def steps(answer: Any) -> str:
    if close(answer, 1600, tolerance=1e-9):
        raise NotYet("Nearly: the bound has k + 2 in it.")
    if close(answer, 798, tolerance=1e-9):
        raise NotYet("The squared diameter of the simplex is 2: the distance of two corners is the root of that.")
    if not close(answer, 1598, tolerance=1e-9):
        raise NotYet("Solve 2 L D^2 / (k + 2) <= accuracy for the smallest whole k.")
    return "And no step needs a projection."


def _onto_simplex(w: Any) -> Any:
    largest = np.sort(w)[::-1]
    excess = (np.cumsum(largest) - 1) / np.arange(1, len(w) + 1)
    return np.maximum(w - excess[np.count_nonzero(largest > excess) - 1], 0)


def _clipped(w: Any) -> Any:
    return np.maximum(w, 0) / (np.maximum(w, 0).sum() or 1)


def _softmax(w: Any) -> Any:
    e = np.exp(w - np.max(w))
    return e / e.sum()


SIMPLEX_SLIPS: list[tuple[Callable[[Any], Any], str]] = [
    (_clipped, "That is clipping and dividing by the sum: in the simplex, but not the nearest point."),
    (_softmax, "That is the softmax: in the simplex, but no entry is ever zero."),
    (lambda w: w - (w.sum() - 1) / len(w), "That is the projection onto the plane. Entries must not be negative."),
    (
        lambda w: np.maximum(w - (w.sum() - 1) / len(w), 0),
        "The threshold is computed with all entries. Those that become zero must not take part.",
    ),
]


def simplex(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function onto_simplex(w).")
    points = [np.array([0.9, 0.6, -0.3]), np.array([-3.0, -2.5, -9.0, -2.6]), np.array([5.0, 1.0]), np.full(4, 0.25)]
    for first in points:
        w = first.copy()
        given = np.asarray(answer(w))
        if not np.array_equal(w, first):
            raise NotYet("The caller's array has changed.")
        if np.allclose(given, _onto_simplex(first), rtol=1e-9, atol=1e-12):
            continue
        for slip, hint in SIMPLEX_SLIPS:
            if np.allclose(given, slip(first), rtol=1e-9, atol=1e-12):
                raise NotYet(hint)
        raise NotYet(f"Not the nearest point of {first}. Sort, and find how many entries stay positive.")
    return "One sort, and no iteration."


def epsilon(answer: Any) -> str:
    if close(answer, 0.42 / np.sqrt(0.875)):
        raise NotYet("That is the distance in the Euclidean norm. In a box, every entry may move by epsilon.")
    if close(answer, 0.2):
        raise NotYet("The bias belongs to the margin.")
    if not close(answer, 0.28):
        raise NotYet("Epsilon times the sum of |w_i| is what the margin can lose.")
    return "Every entry moves by as much, whether its weight is large or small."


def _ball_corner(g: Any, largest: bool = True) -> Any:
    at = int(np.argmax(np.abs(g)) if largest else np.argmax(g))
    return -np.sign(g) * (np.arange(g.size) == at)


def _box_corner(g: Any) -> Any:
    return -np.sign(g)


def _simplex_corner(g: Any) -> Any:
    return (np.arange(g.size) == np.argmin(g)).astype(float)


def _towards(w: Any, g: Any, gamma: float, radius: float, corner: Callable[[Any], Any] = _ball_corner) -> Any:
    return w + gamma * (radius * corner(g) - w)


STEP_SLIPS: list[tuple[float, Callable[[Any], Any], str]] = [
    (-2.0, _ball_corner, "The corner has the wrong sign: it should make g @ s small."),
    (1.0, _ball_corner, "The corners lie at the radius, not at 1."),
    (2.0, lambda g: _ball_corner(g, largest=False), "The entry of largest size decides, whichever sign it has."),
    (2.0, _box_corner, "That is a corner of a box. A corner of this ball has a single entry that is not zero."),
    (2.0, _simplex_corner, "That is a corner of a simplex. Those of this ball may also be negative."),
]


def step(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function step(w, g, gamma, radius).")
    first = np.array([0.5, -0.25, 0.0, 0.25])
    for g in (np.array([1.0, -3.0, 2.0, 0.5]), np.array([1.0, -2.0, 4.0, 0.5])):
        w, slope = first.copy(), g.copy()
        given = np.asarray(answer(w, slope, 0.4, 2.0))
        if not (np.array_equal(w, first) and np.array_equal(slope, g)):
            raise NotYet("The caller's arrays have changed.")
        if np.allclose(given, _towards(first, g, 0.4, 2.0)):
            continue
        for radius, corner, hint in STEP_SLIPS:
            if np.allclose(given, _towards(first, g, 0.4, radius, corner)):
                raise NotYet(hint)
        raise NotYet("Move from w towards the corner, by the share gamma of the way.")
    return "One entry of the gradient decides, and d - 1 entries only shrink."


def _dykstra(w: Any, rounds: int, *, first: bool = True, second: bool = True) -> tuple[Any, Any]:
    """The points after both projections of the last round; the two flags say which corrections are kept."""
    p, q, u = np.zeros_like(w), np.zeros_like(w), w
    for _ in range(rounds):
        u = _half_space(w + p)
        p = w + p - u if first else p
        w = _disc(u + q)
        q = u + q - w if second else q
    return w, u


def _half_space(w: Any) -> Any:
    """Onto the points whose entries add up to at most 1."""
    return w - max(0.0, w.sum() - 1) / w.size


def _disc(w: Any) -> Any:
    return w / max(1.0, float(np.linalg.norm(w)))


def dykstra(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function dykstra(first, second, w, rounds).")
    start = np.array([3.0, -1.0])
    for rounds in (3, 2):
        w = start.copy()
        given = np.asarray(answer(_half_space, _disc, w, rounds))
        if not np.array_equal(w, start):
            raise NotYet("The caller's array has changed.")
        right, between = _dykstra(start, rounds)
        if np.allclose(given, right, rtol=1e-6):
            continue
        slips = [
            (_dykstra(start, rounds, first=False, second=False)[0],
             "That is a point of both sets, but not the nearest: put back what each set took away before."),
            (between, "That is the point between the two projections. Return w."),
            (_dykstra(start, rounds - 1)[0], "That is w after a round less."),
            (_dykstra(start, rounds + 1)[0], "That is w after a round more."),
        ]  # fmt: skip
        for slip, hint in slips:
            if np.allclose(given, slip, rtol=1e-6):
                raise NotYet(hint)
        raise NotYet("Each set has a memory of its own: what its last projection took away.")
    return "Two projections and two memories make the projection onto what the sets have in common."


CHECKERS: dict[str, Checker] = {
    "constraints-1": projected,
    "constraints-2": steps,
    "constraints-3": simplex,
    "constraints-4": step,
    "constraints-5": epsilon,
    "constraints-6": dykstra,
}
