"""The live figure of workers: its mathematics against fo_lib.planning, and what the chapter says of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fo_lib import planning
from fo_lib.planning import Cluster, best_workers, plan
from tests.book.live_numbers import SEEDS, Js, close, rng_of
from tests.book.live_page import Figure

pytestmark = pytest.mark.browser

MARKED = "element => [...element.querySelectorAll('dd')].map(dd => dd.innerHTML)"  # 10<sup>5</sup> is not 105


def script_of(cluster: Cluster) -> dict[str, Any]:
    names = {"parameters": "parameters", "sampleSeconds": "sample_seconds", "latency": "latency"}
    names |= {"bandwidth": "bandwidth", "overhead": "overhead", "bytesEach": "bytes_each", "method": "method"}
    return {theirs: getattr(cluster, ours) for theirs, ours in names.items()}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("method", planning.ALGORITHMS)
def test_the_calculator_is_that_of_the_library(method: str, seed: int, js: Js) -> None:
    rng = rng_of(seed)
    size, seconds, latency, bandwidth = 10.0 ** rng.uniform([3, -5, -6, 6], [8, -1, -2, 10])
    cluster = Cluster(
        parameters=size, sample_seconds=seconds, latency=latency, bandwidth=bandwidth, overhead=rng.uniform(0, 0.01),
        method=method,
    )  # fmt: skip
    critical, net = float(10 ** rng.uniform(1, 5)), {"latency": latency, "bandwidth": bandwidth}
    for p in (1, 2, 3, 64, 1000):
        close(js(f"m.allReduceTime.{method}(a[0], a[1], a[2])", p, 4 * size, net), cluster.communicate(p))
        close(js("m.stepTime(a[0], a[1], a[2])", script_of(cluster), p, 777), cluster.step(p, 777))
        found = plan(cluster, p, samples=5000, least_steps=9.0, critical_batch=critical)
        close(js("m.bestBatch(a[0], a[1], a[2], 5000)", script_of(cluster), p, critical), found.batch)
        close(js("m.stepsToTarget(a[0], {least: 9, critical: a[1]})", found.batch, critical), found.steps)


def test_the_same_numbers_of_workers_are_tried(js: Js) -> None:
    for most in (1, 7, 1000, 100_000):
        assert js("m.workerCounts(a[0])", most) == planning._numbers(most)


@pytest.mark.site
@pytest.mark.parametrize("name", ["workers"])
def test_presets_and_settings_say_what_the_planner_says(figure: Figure) -> None:
    def number(word: str) -> float:
        return float(re.sub(r" × 10<sup>(.*)</sup>", r"e\1", re.sub("^10<", "1 × 10<", word)).replace("−", "-"))

    def compare() -> dict[str, Any]:
        state, read = figure.state(), figure.element.evaluate(MARKED)
        cluster = Cluster(
            parameters=state["parameters"], sample_seconds=state["compute"] / 1000, latency=state["latency"] / 1e6,
            bandwidth=state["bandwidth"] * 1e9 / 8, method=state["method"],
        )  # fmt: skip
        given = {"batch": state["critical"], "samples": round(state["samples"])}
        found = plan(cluster, state["workers"], **given)
        computing, summing = map(number, read[0].split(" + "))
        assert [computing, summing] == pytest.approx([found.compute, found.communicate], rel=6e-3)
        assert number(read[1]) == pytest.approx(found.epoch, rel=2e-2)  # two digits before a power of ten
        assert number(read[2]) == pytest.approx(found.efficiency, rel=6e-3)
        fixed = [plan(cluster, p, **given) for p in planning._numbers(100_000)]
        assert number(read[3]) == pytest.approx(min(fixed, key=lambda f: f.step).workers, rel=6e-3)
        good = [f.workers for f in fixed if f.efficiency >= 0.5]
        assert number(read[4]) == pytest.approx(good[-1], rel=6e-3)
        law = {"samples": given["samples"], "least_steps": 1.0, "critical_batch": float(state["critical"])}
        if state["method"] != "halving":
            free = best_workers(cluster, most=100_000, **law)
            assert number(read[5]) == pytest.approx(free.workers, rel=6e-3)
        assert number(read[6]) == pytest.approx(plan(cluster, state["workers"], **law).batch, rel=6e-3)
        return {"best": number(read[3]), "said": figure.said()}

    def fastest(**factors: float) -> int:
        state = figure.state()
        changed = {
            name: state[name] * factors.get(name, 1.0) for name in ("compute", "latency", "bandwidth", "critical")
        }
        cluster = Cluster(
            parameters=state["parameters"], sample_seconds=changed["compute"] / 1000, latency=changed["latency"] / 1e6,
            bandwidth=changed["bandwidth"] * 1e9 / 8,
        )  # fmt: skip
        return best_workers(cluster, most=100_000, batch=changed["critical"], samples=10**9).workers

    def claims() -> None:
        """What it takes to make twice as many workers worth having."""
        now = fastest()
        assert fastest(latency=1 / 4) == pytest.approx(2 * now, rel=0.02)
        assert fastest(critical=4) == pytest.approx(2 * now, rel=0.02)
        assert fastest(bandwidth=4) == pytest.approx(now, rel=0.02)
        assert fastest(compute=1 / 4) == pytest.approx(now / 2, rel=0.02)

    assert "Most of a step is computing" in compare()["said"]
    figure.press("tree")
    compare()
    figure.press("1,000 accelerators")
    compare()
    figure.press("ring")
    assert compare()["best"] > 1
    claims()
    figure.press("100,000 accelerators")
    assert "Too many workers" in compare()["said"]
    claims()
    figure.press("small network, slow wires")
    found = compare()
    assert found["best"] == 1
    assert "Nobody can help" in found["said"]
