"""Answers to the exercises on fewer and smaller messages: right ones, and slips with their hints."""

import math

import numpy as np


def step(C, w, gradients, memory, rate):
    kept, change = [], 0.0
    for g, e in zip(gradients, memory, strict=True):
        p = g + e
        sent = C(p)
        kept.append(p - sent)
        change = change + sent / len(gradients)
    return w - rate * change, np.array(kept)


def step_without_memory(C, w, gradients, memory, rate):
    return step(C, w, gradients, 0 * memory, rate)


def step_that_keeps_of_the_gradient(C, w, gradients, memory, rate):
    w, kept = step(C, w, gradients, memory, rate)
    return w, kept - memory


def step_of_the_sum(C, w, gradients, memory, rate):
    after, kept = step(C, w, gradients, memory, rate)
    return w + len(gradients) * (after - w), kept


def step_uphill(C, w, gradients, memory, rate):
    return step(C, w, gradients, memory, -rate)


def step_with_the_rate_inside(C, w, gradients, memory, rate):
    w, kept = step(C, w, gradients, memory, rate)
    return w, rate * kept


def step_of_all_at_once(C, w, gradients, memory, rate):
    p = gradients + memory
    return w - rate * C(p).mean(0), p - C(p)


def step_in_place(C, w, gradients, memory, rate):
    w[:], memory[:] = step(C, w, gradients, memory, rate)
    return w, memory


RIGHT = {
    "fewer-messages-1": 2 * math.sin(math.pi / 14) / 10,
    "fewer-messages-2": 32e6 / 52e3,
    "fewer-messages-3": step,
    "fewer-messages-4": 15 / 22,
}

WRONG = [
    ("fewer-messages-1", 0.2, "without delay"),
    ("fewer-messages-1", 2 * math.sin(math.pi / 14), "Divide by L"),
    ("fewer-messages-1", math.pi / 70, "for long delays"),
    ("fewer-messages-1", 0.2 * math.sin(math.pi / 7), "Half of that angle"),
    ("fewer-messages-1", 27 / 256 / 10, "best rate"),
    ("fewer-messages-1", 0.05, "learning rate times L"),
    ("fewer-messages-2", 1000, "count the indices"),
    ("fewer-messages-2", 500, "longer than needed"),
    ("fewer-messages-2", 52e3 / 32e6, "other way round"),
    ("fewer-messages-2", 600, "for each of a thousand"),
    ("fewer-messages-3", 1.0, "should be a function"),
    ("fewer-messages-3", step_in_place, "have changed"),
    ("fewer-messages-3", step_of_all_at_once, "once for each row"),
    ("fewer-messages-3", lambda C, w, gradients, memory, rate: w, "two arrays"),
    ("fewer-messages-3", lambda *given: step(*given)[::-1], "then the new memory"),
    ("fewer-messages-3", step_without_memory, "never sent"),
    ("fewer-messages-3", step_that_keeps_of_the_gradient, "wanted minus what was sent"),
    ("fewer-messages-3", step_of_the_sum, "not the sum"),
    ("fewer-messages-3", step_uphill, "descend"),
    ("fewer-messages-3", step_with_the_rate_inside, "no rate in it"),
    ("fewer-messages-3", lambda C, w, gradients, memory, rate: (w, memory), "First p"),
    ("fewer-messages-4", 0.75, "one local step"),
    ("fewer-messages-4", 0.5, "very many"),
    ("fewer-messages-4", 0.1, "one minus that"),
    ("fewer-messages-4", 0.6, "Weigh the two"),
]
