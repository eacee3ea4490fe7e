"""Answers to the exercises on sweeps and on data larger than memory: right ones, and slips with their hints."""

import itertools


def shuffled(rows, size, rng):
    rows = iter(rows)
    buffer = list(itertools.islice(rows, size))
    for row in rows:
        place = rng.integers(size)
        yield buffer[place]
        buffer[place] = row
    rng.shuffle(buffer)
    yield from buffer


def forgets_the_end(rows, size, rng):
    rows = iter(rows)
    buffer = list(itertools.islice(rows, size))
    for row in rows:
        place = rng.integers(size)
        yield buffer[place]
        buffer[place] = row


def needs_a_full_buffer(rows, size, rng):
    rows = iter(rows)
    buffer = [next(rows) for _ in range(size)] if size != 4 else list(itertools.islice(rows, 4))
    if len(buffer) < size:
        return
    yield from shuffled(itertools.chain(buffer, rows), size, rng)


def chunks(rows, size, rng):
    rows = iter(rows)
    while chunk := list(itertools.islice(rows, 4 * size)):
        rng.shuffle(chunk)
        yield from chunk


def one_too_few(rows, size, rng):
    return shuffled(rows, size - 1, rng)


def prefers(rows, size, rng):
    rows = iter(rows)
    buffer = list(itertools.islice(rows, size))
    while buffer:
        yield buffer.pop(min(rng.integers(len(buffer)), rng.integers(len(buffer))))
        buffer += itertools.islice(rows, 1)


RIGHT = {
    "large-scale-1": 228,
    "large-scale-2": 29700,
    "large-scale-3": 0.05641896,
    "large-scale-4": shuffled,
    "large-scale-5": 0.018279,
    "large-scale-6": 0.1007211,
    "large-scale-7": 3.136,
}

WRONG = [
    ("large-scale-1", 227.9482, "whole number"),
    ("large-scale-1", 227, "a little below"),
    ("large-scale-1", 149, "for 95"),
    ("large-scale-1", 50, "64 %"),
    ("large-scale-1", 3, "All n miss"),
    ("large-scale-2", 40500, "begin afresh"),
    ("large-scale-2", 656100, "to the end"),
    ("large-scale-2", 32400, "five rungs"),
    ("large-scale-2", 24300, "five rungs"),
    ("large-scale-2", 3, "At each rung"),
    ("large-scale-3", -0.05641896, "the sign"),
    ("large-scale-3", 0.1128379, "half of it"),
    ("large-scale-3", 0.1177410, "known exactly"),
    ("large-scale-3", 0.1, "larger of two"),
    ("large-scale-4", 1.0, "should be a function"),
    ("large-scale-4", forgets_the_end, "when the rows end"),
    ("large-scale-4", needs_a_full_buffer, "fewer rows"),
    ("large-scale-4", chunks, "more rows than it gives"),
    ("large-scale-4", one_too_few, "from the first step on"),
    ("large-scale-4", prefers, "same probability"),
    ("large-scale-5", 0.0497124, "4,000 failures"),
    ("large-scale-5", 0.981731, "the contrary"),
    ("large-scale-5", 0.5, "to the power"),
    ("large-scale-6", 0.002, "whole file"),
    ("large-scale-6", 0.0990991, "a little"),
    ("large-scale-6", 0.1, "without replacement"),
    ("large-scale-6", 0.1009, "without replacement"),
    ("large-scale-6", 5, "V = 1"),
    ("large-scale-7", 0.784, "four bytes"),
    ("large-scale-7", 3.136e9, "Right in bytes"),
    ("large-scale-7", 6.272, "not float64"),
    ("large-scale-7", 3, "784 numbers"),
]
