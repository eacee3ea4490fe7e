"""The live figure of late gradients: its mathematics against fo_lib, and what the chapter says of it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fo_lib import minimize, problems, rates
from fo_lib.staleness import stale
from tests.book.live_numbers import SEEDS, Js, close, rng_of
from tests.book.live_page import Figure

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("seed", SEEDS)
def test_late_gradients_are_those_of_the_library(seed: int, js: Js) -> None:
    rng = rng_of(seed)
    b, delay = rng.uniform(0.02, 0.5), int(rng.integers(0, 17))
    problem = problems.quadratic([1.0], start=[1.0])
    run = minimize(problem, learning_rate=b, gradient=stale(delay), steps=40, iterates=True)
    close(js("m.delayed(a[0], a[1], 40)", b, delay)[: len(run.step)], run.iterates[:, 0])
    coefficients = np.zeros(delay + 2)
    coefficients[[0, 1]], coefficients[-1] = (1, -1), coefficients[-1] + b - (delay == 0)
    wanted = np.roots(coefficients)
    found = np.array([complex(*z) for z in js("m.delayRoots(a[0], a[1])", b, delay)])
    assert len(found) == delay + 1
    close([np.abs(found - z).min() for z in wanted], np.zeros(delay + 1))
    close(js("m.delayLimit(a[0])", delay), rates.delay_limit(delay))
    close(js("m.delayBest(a[0])", delay), rates.delay_best(delay)[0])


@pytest.mark.site
@pytest.mark.parametrize("name", ["delay"])
def test_the_limit_and_the_best_rate_are_those_of_the_theorem(figure: Figure) -> None:
    def read() -> list[float]:
        words = [re.sub(r" × 10(.*)", r"e\1", re.sub(r"^10", "1 × 10", word)) for word in figure.read()]
        return [float(word.replace("−", "-")) for word in words]

    for delay in (0, 1, 4, 16):
        figure.set(delay=delay)
        figure.press("best for this delay")
        limit, best, factor, _ = read()
        assert limit == pytest.approx(rates.delay_limit(delay), rel=1e-3)
        assert best == pytest.approx(rates.delay_best(delay)[0], rel=1e-3)
        assert factor == pytest.approx(rates.delay_best(delay)[1], abs=2e-4)
        assert ("two roots have met" in figure.said()) == (delay > 0)
        figure.press("limit of this delay")
        assert read()[2] == pytest.approx(1, abs=1e-3)
        assert "swings forever" in figure.said()
    figure.set(delay=16, b=0.25)
    assert figure.said().startswith("Above the limit")
    assert read()[2] > 1
    figure.press("no delay")
    assert read()[2:] == pytest.approx([0.75, 0.75**80], rel=2e-2)
    assert "costs nothing" in figure.said()
