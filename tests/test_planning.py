"""The calculator: its formulas by hand, its optimum against a search, and what it refuses."""

import math

import numpy as np
import pytest

from fo_lib import planning
from fo_lib.planning import Cluster, all_reduce_time, best_workers, crossover_bytes, plan, steps_to_target

NET = {"latency": 1e-3, "bandwidth": 1e6}
SMALL = Cluster(parameters=1000, sample_seconds=1e-3, **NET)  # 4 ms of bytes


@pytest.mark.parametrize(
    ("method", "p", "expected"),
    [
        ("ring", 4, 6e-3 + 1.5 * 4e-3),
        ("tree", 4, 4 * 5e-3),
        ("tree", 5, 6 * 5e-3),
        ("halving", 8, 6e-3 + 1.75 * 4e-3),
        ("central", 4, 6 * 5e-3),
    ],
)
def test_times_by_hand(method, p, expected):
    assert float(all_reduce_time(p, 4000, method=method, **NET)) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(all_reduce_time([1, p], 4000, method=method, **NET), [0, expected], rtol=1e-12)


@pytest.mark.parametrize("p", [4, 7, 16, 1000])
def test_ring_and_tree_take_equally_long_at_the_crossover(p):
    size = crossover_bytes(p, **NET)
    ring, tree = (float(all_reduce_time(p, size, method=method, **NET)) for method in ("ring", "tree"))
    assert ring == pytest.approx(tree, rel=1e-12)
    assert all_reduce_time(p, 2 * size, method="ring", **NET) < all_reduce_time(p, 2 * size, method="tree", **NET)


def test_for_two_and_three_workers_the_ring_is_never_slower():
    assert [crossover_bytes(p, **NET) for p in (2, 3)] == [0, 0]


def test_a_step_by_hand_with_and_without_overlap():
    assert float(SMALL.step(4, 100)) == pytest.approx(25e-3 + 12e-3)
    half = Cluster(parameters=1000, sample_seconds=1e-3, overlap=0.5, overhead=0.002, **NET)
    assert float(half.step(4, 40)) == pytest.approx(2e-3 + 10e-3 + 12e-3 - 5e-3)
    assert float(half.step(4, 100)) == pytest.approx(2e-3 + 25e-3)  # 12.5 ms of the 25 hide all 12
    found = plan(half, 4, samples=1000, batch=40)
    assert (found.compute, found.overhead) == (10e-3, 2e-3)
    assert found.communicate == pytest.approx(7e-3)
    assert found.epoch == pytest.approx(25 * found.step)
    assert found.efficiency == pytest.approx((2e-3 + 40e-3) / (4 * found.step))
    assert math.isnan(found.target)
    assert plan(half, 4, samples=1001, batch=40).epoch == pytest.approx(26 * found.step)  # the last batch is short


def test_numbers_of_two_bytes_take_half_the_time_on_the_wire():
    half = Cluster(parameters=1000, bytes_each=2, sample_seconds=1e-3, **NET)
    assert float(half.communicate(4)) == pytest.approx(6e-3 + 1.5 * 2e-3)
    assert float(SMALL.communicate(4)) == pytest.approx(6e-3 + 1.5 * 4e-3)


def test_one_worker_is_always_efficient_enough():
    assert best_workers(SMALL, most=50, efficiency=1.0, samples=10, batch=1000).workers == 1
    law = {"least_steps": 3.0, "critical_batch": 7.0}
    assert best_workers(SMALL, most=50, efficiency=1.0, samples=1000, **law).workers == 1


def test_of_equally_fast_numbers_of_workers_the_smallest_is_best():
    free = Cluster(parameters=1, sample_seconds=1e-300, latency=0.0, bandwidth=1e300, overhead=1.0)
    assert best_workers(free, most=9, samples=10, batch=1).workers == 1


def test_steps_follow_the_law():
    np.testing.assert_allclose(steps_to_target([10, 100], least=50, critical_batch=20), [150, 60])


@pytest.mark.parametrize("method", planning.ALGORITHMS)
def test_the_best_batch_beats_all_others(method):
    cluster = Cluster(parameters=1000, sample_seconds=1e-4, overhead=1e-3, method=method, **NET)
    law = {"least_steps": 100.0, "critical_batch": 300.0}
    for p in (1, 4, 32):
        best = plan(cluster, p, samples=100_000, **law)
        others = [plan(cluster, p, samples=100_000, batch=b, **law).target for b in np.geomspace(1, 1e5, 400)]
        assert best.target <= min(others) * (1 + 1e-12)
        assert best.target > 0.99 * min(others)
        fixed = 1e-3 + float(cluster.communicate(p))
        wanted = 100 * (np.sqrt(fixed) + np.sqrt(1e-4 * 300 / p)) ** 2
        assert best.target == pytest.approx(wanted, rel=1e-12) or best.batch == p
        assert best.steps == pytest.approx(100 * (1 + 300 / best.batch))
        alone = plan(cluster, 1, samples=100_000, **law)
        assert best.efficiency == pytest.approx(alone.target / (p * best.target), rel=1e-12)


def test_the_best_batch_stays_between_one_a_worker_and_all_samples():
    law = {"least_steps": 100.0, "critical_batch": 300.0}
    assert plan(SMALL, 8, samples=50, **law).batch == 50
    assert plan(Cluster(parameters=1, sample_seconds=1.0, **NET), 64, samples=5000, **law).batch == 64
    assert plan(SMALL, 100, samples=50, **law).batch == 50  # more workers than samples


@pytest.mark.parametrize("settings", [{"batch": 500.0}, {"least_steps": 10.0, "critical_batch": 400.0}])
@pytest.mark.parametrize("method", ["ring", "tree", "central"])
def test_the_best_number_of_workers_is_that_of_a_search(method, settings):
    cluster = Cluster(parameters=1000, sample_seconds=1e-3, method=method, **NET)
    found = best_workers(cluster, most=100, samples=10_000, **settings)
    all_plans = [plan(cluster, p, samples=10_000, **settings) for p in range(1, 101)]
    times = [p.step if "batch" in settings else p.target for p in all_plans]
    assert found.workers == 1 + int(np.argmin(times))
    assert found.workers > 1
    good = best_workers(cluster, most=100, samples=10_000, efficiency=0.8, **settings)
    assert good.efficiency >= 0.8
    assert good.workers == max(p.workers for p in all_plans if p.efficiency >= 0.8)
    assert good.workers < found.workers


def test_halves_try_powers_of_two_and_many_workers_are_tried_sparsely():
    big = Cluster(parameters=1e6, sample_seconds=1.0, latency=1e-6, bandwidth=1e9, method="halving")
    found = best_workers(big, most=100_000, batch=1e6, samples=10**9)
    assert found.workers == 2**16
    ring = Cluster(parameters=1e6, sample_seconds=1.0, latency=1e-4, bandwidth=1e9)
    found = best_workers(ring, most=200_000, batch=1e6, samples=10**9)
    assert found.workers == pytest.approx(np.sqrt(1e6 / 2e-4), rel=0.02)
    assert best_workers(ring, most=2000, batch=1e6, samples=10**9).workers == 2000


GOOD = {"parameters": 10, "sample_seconds": 1.0, "latency": 0.0, "bandwidth": 1.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": 0}, "parameters must be a finite number and > 0, got 0"),
        ({"sample_seconds": -1}, "sample_seconds must be"),
        ({"bandwidth": 0.0}, "bandwidth must be"),
        ({"bytes_each": 0}, "bytes_each must be"),
        ({"latency": -1e-9}, "latency must be"),
        ({"overhead": math.nan}, "overhead must be"),
        ({"overlap": 1.5}, "overlap must be a finite number and >= 0 and <= 1, got 1.5"),
        ({"method": "gossip"}, r"method must be one of \['ring', 'tree', 'halving', 'central'\], got 'gossip'"),
    ],
)
def test_a_cluster_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        Cluster(**(GOOD | change))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: all_reduce_time(0, 1, **NET), "workers must be >= 1, got 0"),
        (lambda: all_reduce_time(2, -1, **NET), "nbytes must be"),
        (lambda: all_reduce_time(2, 1, latency=0, bandwidth=0), "bandwidth must be"),
        (lambda: all_reduce_time(2, 1, latency=-1, bandwidth=1), "latency must be"),
        (lambda: all_reduce_time(2, 1, method="mesh", **NET), "method must be one of"),
        (lambda: all_reduce_time(2, 1, method=["ring"], **NET), "method must be one of"),
        (lambda: crossover_bytes(1, **NET), "workers must be a whole number >= 2"),
        (lambda: crossover_bytes(4, latency=-1, bandwidth=1), "latency must be"),
        (lambda: crossover_bytes(4, latency=1, bandwidth=0), "bandwidth must be"),
        (lambda: steps_to_target(0, least=1, critical_batch=1), "batch must be > 0, got 0"),
        (lambda: steps_to_target(1, least=0, critical_batch=1), "least must be"),
        (lambda: steps_to_target(1, least=1, critical_batch=-1), "critical_batch must be"),
        (lambda: SMALL.step(2, 0), "batch must be > 0, got 0"),
        (lambda: plan(SMALL, 0, samples=10, batch=1), "workers must be a whole number"),
        (lambda: plan(SMALL, 1, samples=0, batch=1), "samples must be a whole number"),
        (lambda: plan(SMALL, 1, samples=10, batch=0), "batch must be a finite number and > 0"),
        (lambda: plan(SMALL, 1, samples=10), "batch must be given where there is overlap, or no critical_batch"),
        (lambda: plan(SMALL, 1, samples=10, batch=1, least_steps=3.0), "must be given together, or neither"),
        (lambda: plan(SMALL, 1, samples=10, least_steps=3.0, critical_batch=0), "critical_batch must be"),
        (lambda: best_workers(SMALL, most=0, samples=10, batch=1), "most must be a whole number"),
        (lambda: best_workers(SMALL, most=3, efficiency=2, samples=10, batch=1), "efficiency must be"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
