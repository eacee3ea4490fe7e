"""What no sum over workers can beat: how many messages, and how many rounds, until everybody knows everything."""

import functools
import itertools
import operator

import numpy as np
import pytest


def fewest_messages(p):
    """Breadth first over who knows whose summand; a message tells all that its sender knows."""
    start, goal = tuple(1 << r for r in range(p)), tuple([2**p - 1] * p)
    states, count = {start}, 0
    while goal not in states:
        count += 1
        states = {
            (*known[:b], known[a] | known[b], *known[b + 1 :])
            for known in states
            for a, b in itertools.permutations(range(p), 2)
            if known[a] & ~known[b]
        }
    return count


@pytest.mark.parametrize("p", [2, 3, 4])
def test_no_schedule_of_messages_is_shorter_than_the_bound(p):
    assert fewest_messages(p) == 2 * (p - 1)


def fewest_rounds(p):
    """The same, where in a round each worker sends to one other at most, and hears one at most."""
    start, goal = tuple(1 << r for r in range(p)), tuple([2**p - 1] * p)
    states, count = {start}, 0
    heard = [s for s in itertools.product(range(-1, p), repeat=p) if all(s.count(r) <= 1 for r in range(p))]
    while goal not in states:
        count += 1
        states = {
            tuple(known[b] | (known[a] if a >= 0 else 0) for b, a in enumerate(s)) for known in states for s in heard
        }
    return count


def fewest_rounds_hearing_many(p):
    """The same, where each worker sends to one other at most, and hears as many as want to speak to it."""
    states, count = {tuple(1 << r for r in range(p))}, 0
    told = list(itertools.product(range(-1, p), repeat=p))
    while tuple([2**p - 1] * p) not in states:
        count += 1
        states = {tuple(known[b] | heard(known, to, b) for b in range(p)) for known in states for to in told}
    return count


def heard(known, to, b):
    """What all those who speak to worker b know."""
    return functools.reduce(operator.or_, (known[a] for a in range(len(to)) if to[a] == b), 0)


@pytest.mark.parametrize("p", [2, 3, 4])
def test_knowledge_at_most_doubles_in_a_round(p):
    assert fewest_rounds(p) == np.ceil(np.log2(p))
    assert fewest_rounds_hearing_many(p) >= np.ceil(np.log2(p))
