"""Answers to the exercises on constraints: right ones, and slips with the hint that each should meet."""

import numpy as np


def onto_simplex(w):
    theta = max((np.sort(w)[::-1][:m].sum() - 1) / m for m in range(1, len(w) + 1))
    return np.maximum(w - theta, 0)


def clipped(w):
    return np.maximum(w, 0) / np.maximum(w, 0).sum() if (w > 0).any() else w


def softmax(w):
    return np.exp(w) / np.exp(w).sum()


def plane(w):
    return w - (w.sum() - 1) / len(w)


def once(w):
    return np.maximum(plane(w), 0)


def in_place(w):
    w[:] = onto_simplex(w)
    return w


def step(w, g, gamma, radius, *, sign=-1, unit=False, signed=False, towards=True):
    at = np.argmax(g if signed else np.abs(g))
    s = np.zeros_like(w)
    s[at] = sign * np.sign(g[at]) * (1 if unit else radius)
    return (1 - gamma) * w + gamma * s if towards else gamma * w + (1 - gamma) * s


def step_in_place(w, g, gamma, radius):
    w[:] = step(w, g, gamma, radius)
    return w


def other_corner(corner):
    return lambda w, g, gamma, radius: (1 - gamma) * w + gamma * radius * corner(g)


def slip(**settings):
    return lambda w, g, gamma, radius: step(w, g, gamma, radius, **settings)


def dykstra(first, second, w, rounds, *, p_kept=True, q_kept=True, shared=False, between=False, off=0):
    p = q = 0 * w
    for _ in range(rounds + off):
        u = first(w + p)
        p = w + p - u if p_kept else p
        w, before = second(u + (p if shared else q)), u
        q = before + q - w if q_kept else q
    return u if between else w


def dykstra_slip(**settings):
    return lambda *given: dykstra(*given, **settings)


def dykstra_in_place(first, second, w, rounds):
    w[:] = dykstra(first, second, w, rounds)
    return w


RIGHT = {
    "constraints-1": (0.65, 0.35, 0.0),
    "constraints-2": 1598,
    "constraints-3": onto_simplex,
    "constraints-4": step,
    "constraints-5": 0.28,
    "constraints-6": dykstra,
}

WRONG = [
    ("constraints-1", (0.6, 0.4, 0.0), "dividing by the sum"),
    ("constraints-1", (0.8333, 0.5333, -0.3667), "An entry is negative"),
    ("constraints-1", (0.7, 0.3, 0.0), "adding up to 1"),
    ("constraints-2", 1600, "k + 2 in it"),
    ("constraints-2", 798, "squared diameter"),
    ("constraints-2", 1597, "smallest whole k"),
    ("constraints-3", 1.0, "should be a function"),
    ("constraints-3", in_place, "has changed"),
    ("constraints-3", clipped, "not the nearest point"),
    ("constraints-3", softmax, "That is the softmax"),
    ("constraints-3", plane, "onto the plane"),
    ("constraints-3", once, "must not take part"),
    ("constraints-3", lambda w: w, "Sort, and find"),
    ("constraints-3", lambda w: onto_simplex(w) if (w > 0).any() else w, "Sort, and find"),
    ("constraints-4", 1.0, "should be a function"),
    ("constraints-4", step_in_place, "have changed"),
    ("constraints-4", slip(sign=1), "wrong sign"),
    ("constraints-4", slip(unit=True), "not at 1"),
    ("constraints-4", slip(signed=True), "largest size"),
    ("constraints-4", slip(towards=False), "share gamma"),
    ("constraints-4", other_corner(lambda g: -np.sign(g)), "corner of a box"),
    ("constraints-4", other_corner(lambda g: np.eye(len(g))[np.argmin(g)]), "corner of a simplex"),
    ("constraints-5", 0.42 / np.sqrt(0.875), "Euclidean norm"),
    ("constraints-5", 0.2, "bias belongs"),
    ("constraints-5", 0.3, "sum of |w_i|"),
    ("constraints-6", 1.0, "should be a function"),
    ("constraints-6", dykstra_in_place, "has changed"),
    ("constraints-6", dykstra_slip(p_kept=False, q_kept=False), "not the nearest"),
    ("constraints-6", dykstra_slip(shared=True), "memory of its own"),
    ("constraints-6", dykstra_slip(q_kept=False), "memory of its own"),
    ("constraints-6", dykstra_slip(between=True), "Return w"),
    ("constraints-6", dykstra_slip(off=-1), "a round less"),
    ("constraints-6", dykstra_slip(off=1), "a round more"),
    ("constraints-6", lambda first, second, w, rounds: second(w), "a round more"),
]
