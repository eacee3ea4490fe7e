"""All-reduce between threads and between processes: sums, messages, bytes, and what happens when a worker fails."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fo_lib import all_reduce, planning, problems, workers
from fo_lib.all_reduce import ALGORITHMS, summed

SIZES = [1, 2, 3, 4, 5, 7, 8]


def together(work, arguments, **options):
    """As workers.run, with threads of this process, which are quicker to start."""
    links = workers.connect(len(arguments), 5.0)
    with ThreadPoolExecutor(len(arguments)) as pool:
        futures = [pool.submit(work, link, *given, **options) for link, given in zip(links, arguments, strict=True)]
        found = [future.result() for future in futures]
    for link in links:
        link.close()
    return found


def summands(p, size, dtype):
    return [np.random.default_rng([p, rank]).integers(-1000, 1000, size).astype(dtype) for rank in range(p)]


@pytest.mark.parametrize("method", ALGORITHMS)
@pytest.mark.parametrize("p", SIZES)
@pytest.mark.parametrize("size", [1, 3, 840])
def test_every_worker_gets_the_exact_sum_and_the_summands_stay(method, p, size):
    if method == "halving" and p & (p - 1):
        return
    given = summands(p, size, np.float32)
    kept = [vector.copy() for vector in given]
    for total, _, _ in together(summed, [(vector,) for vector in given], method=method):
        assert total.dtype == np.float32
        np.testing.assert_array_equal(total, np.sum(kept, axis=0))
    np.testing.assert_array_equal(given, kept)


@pytest.mark.parametrize("method", ALGORITHMS)
@pytest.mark.parametrize("p", [3, 4, 8])
def test_all_workers_have_the_same_total_to_the_last_bit(method, p):
    if method == "halving" and p & (p - 1):
        return
    rng = np.random.default_rng(p)
    given = [(rng.standard_normal(1001) * 10.0 ** rng.integers(-8, 8, 1001),) for _ in range(p)]
    totals = [total for total, _, _ in together(summed, given, method=method)]
    assert all(np.array_equal(total, totals[0]) for total in totals)
    np.testing.assert_allclose(totals[0], np.sum([v for (v,) in given], axis=0), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("p", [2, 4, 8])
def test_messages_and_bytes_are_those_of_the_plan(p):
    size = 840 * 4  # bytes
    sent = {
        method: np.array([t[1:] for t in together(summed, [(np.ones(840, np.float32),)] * p, method=method)])
        for method in ALGORITHMS
    }
    for method, found in sent.items():
        assert found[:, 1].sum() == 2 * (p - 1) * size  # all send the least that is possible, in all
        messages, share = planning.ALGORITHMS[method]
        if method in ("ring", "halving"):  # every worker as much as every other: one after the other is what each sends
            assert np.all(found[:, 0] == messages(np.array(p)))
            assert np.all(found[:, 1] == share(np.array(p)) * size)
    assert sent["ring"][0].tolist() == [2 * (p - 1), 2 * (p - 1) * size // p]
    assert sent["halving"][0, 0] == 2 * np.log2(p)
    assert sent["tree"][:, 0].sum() == 2 * (p - 1)
    assert sent["tree"][0, 0] == np.log2(p)  # down; up it hears as many
    assert sent["central"][:, 0].tolist() == [p - 1] + [1] * (p - 1)
    for method in ("tree", "central"):  # whole vectors
        np.testing.assert_array_equal(sent[method][:, 1], sent[method][:, 0] * size)


def test_the_sender_counts_and_the_receiver_does_not():
    first, second = workers.connect(2)
    arrived = np.empty(10)
    first.send(1, np.arange(10.0))
    second.receive(0, arrived)
    np.testing.assert_array_equal(arrived, np.arange(10.0))
    assert [(link.messages, link.bytes) for link in (first, second)] == [(1, 80), (0, 0)]
    first.close()
    second.close()


def test_small_messages_are_sent_at_once():
    """Without this option the kernel may hold a short message back, for tens of milliseconds."""
    for link in (links := workers.connect(2)):
        (end,) = link.sockets.values()
        assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    for link in links:
        link.close()


def twice(link, vector):
    return [summed(link, vector, method="tree")[1:] for _ in range(2)]


def test_a_second_sum_is_counted_by_itself():
    for first, second in together(twice, [(np.ones(10),)] * 4):
        assert first == second
        assert first[1] == 80 * first[0]


def test_a_ring_of_processes_sums_over_loopback():
    given = summands(3, 1000, float)
    found = workers.run(summed, [(vector,) for vector in given], timeout=60)
    assert [messages for _, messages, _ in found] == [4, 4, 4]
    for total, _, _ in found:
        np.testing.assert_array_equal(total, np.sum(given, axis=0))


def test_more_than_the_buffers_hold_goes_around_a_ring():
    for total, _, _ in together(summed, [(np.full(2_000_000, 1.0 + rank),) for rank in range(2)], method="ring"):
        assert np.all(total == 3)


def test_the_clock_returns_times_for_each_size():
    for times in together(workers.clock, [([1, 1000],)] * 2, rounds=2, method="tree"):
        assert np.shape(times) == (2, 2)
        assert np.min(times) > 0


# Failures


def fails(link, rank):
    if rank == 1:
        raise ValueError("no data")
    return summed(link, np.ones(10))


def dies(link, rank):
    if rank == 1:
        os._exit(3)
    return summed(link, np.ones(10))


def sleeps(link, rank):
    time.sleep(60 * rank)


def test_a_worker_that_raises_is_named_with_its_error_and_not_its_victims():
    with pytest.raises(RuntimeError, match=r"^worker 1 failed: ValueError: no data$"):
        workers.run(fails, [(0,), (1,), (2,)])


def test_a_worker_that_dies_is_named():
    with pytest.raises(RuntimeError, match=r"^worker 1 failed: it ended without an answer$"):
        workers.run(dies, [(0,), (1,), (2,)])


def test_workers_that_take_too_long_are_ended():
    with pytest.raises(TimeoutError, match=r"no answer from workers \[(0, )?1\] in time"):
        workers.run(sleeps, [(0,), (1,)], timeout=3.0)


def test_a_worker_that_waits_in_vain_gives_up():
    first, second = workers.connect(2, timeout=0.05)
    with pytest.raises(TimeoutError, match=r"worker 0 waited 0\.05 s for workers 1 and 1"):
        first.receive(1, np.empty(3))
    second.close()
    with pytest.raises(ConnectionError, match="worker 1 has ended"):
        first.receive(1, np.empty(3))
    first.close()


class Answers(list):
    """Stands for the pipe to the parent."""

    send = list.append


def test_a_worker_answers_with_its_result_or_its_error():
    answers = Answers()
    workers._serve(answers, summed, workers.connect(1)[0], (np.ones(2),), {"method": "ring"})
    workers._serve(answers, fails, workers.connect(1)[0], (1,), {})
    assert answers[0][0]
    assert answers[1] == (False, (False, "ValueError: no data"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], {}), r"workers must be a whole number >= 1 and <= 32, got 0"),
        (([(1,)] * 33, {}), r"workers must be a whole number >= 1 and <= 32, got 33"),
        (([(1,)], {"timeout": 0.0}), r"timeout must be a finite number and > 0, got 0\.0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    given, options = arguments
    with pytest.raises(ValueError, match=message):
        workers.run(summed, given, **options)


LEAST = (problems.least_squares, (np.eye(3), np.ones(3)))
STEPS = {"batch": 2, "learning_rate": 0.1, "steps": 1}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"batch": 4}, ValueError, r"batch must be .* <= 3 .the number of samples., got 4"),
        ({"learning_rate": np.nan}, ValueError, "learning_rate must be a finite number and >= 0, got nan"),
        ({"steps": 0}, ValueError, "steps must be a whole number >= 1, got 0"),
        ({"parts": 0}, ValueError, "parts must be a whole number >= 1, got 0"),
        ({"parts": 1.5}, TypeError, "parts must be"),
        ({"method": "mesh"}, ValueError, r"method must be one of \['ring', .*, got 'mesh'"),
        ({"method": ["ring"]}, ValueError, "method must be one of"),
    ],
)
def test_a_descent_refuses(change, error, message):
    with pytest.raises(error, match=message):
        workers.descend(workers.connect(1)[0], *LEAST, **(STEPS | change))


def test_what_workers_run_refuses_what_it_cannot_do():
    link = workers.connect(1)[0]
    with pytest.raises(TypeError, match="descend needs a problem with samples"):
        workers.descend(link, problems.rosenbrock, (), **STEPS)
    with pytest.raises(ValueError, match="rounds must be a whole number >= 1, got 0"):
        workers.clock(link, [1], rounds=0)
    with pytest.raises(ValueError, match="method must be one of"):
        workers.clock(link, [1], rounds=1, method="mesh")
    with pytest.raises(ValueError, match="method must be one of"):
        summed(link, np.ones(2), method="mesh")
    for vector in (np.ones((2, 2)), [1.0, 2.0]):
        with pytest.raises(TypeError, match="vector must be an array with one dimension, got"):
            summed(link, vector)
    for arguments in (3, [3], (given for given in [(1,)])):
        with pytest.raises(TypeError, match="arguments must be a list of tuples, one for each worker, got"):
            workers.run(summed, arguments)


def test_work_must_be_a_function_and_halves_need_powers_of_two():
    with pytest.raises(TypeError, match="work must be a function"):
        workers.run(3, [(1,)])
    with pytest.raises(TypeError, match="work must be a function of a module, so that a new process can import it"):
        workers.run(lambda link: 1, [()])
    with pytest.raises(ValueError, match="a power of two, got 3"):
        all_reduce.halving(all_reduce.Link(0, 3, {}), np.ones(3))
