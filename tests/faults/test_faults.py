"""Whatever goes wrong, training ends with a clear error or with the bits of a run in which nothing did.

Real processes, real signals, a real full disk. Minutes, not seconds: `make test-slow` runs these, `make test` does not.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fo_lib import distributed
from fo_lib.distributed import WorkerError, launch
from fo_lib.distributed.processes import Ports

pytestmark = [
    pytest.mark.minutes,
    pytest.mark.skipif(platform.system() != "Linux", reason="several workers were only ever tried on Linux"),
]

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}
LIMITS = {"time_limit": 300, "start_limit": 150, "silence_limit": 10}
STEPS = 60


def run(folder, *arguments, script="worker.py", **options):
    lines = []
    command = [sys.executable, str(HERE / script), str(folder), *map(str, arguments)]
    done = launch(command, environ=ENVIRON, write=lines.append, **{**LIMITS, **options})
    return done, "".join(lines)


def final(folder, worker=0):
    return np.load(folder / f"final-{worker}.npy")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The last weights and state of a run of two workers in which nothing went wrong."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run(folder)
    assert np.array_equal(final(folder, 0), final(folder, 1))  # the workers agree, and that to the last bit
    return final(folder)


def random_step(case):
    return int(np.random.default_rng(case).integers(1, STEPS - 1))


CASES = {
    "killed": ["kill", random_step(1), 1],
    "chief killed": ["kill", random_step(2), 0],
    "killed in the first steps": ["kill", 3, 1],
    "hangs": ["hang", random_step(3), 1],
    "chief is stopped": ["stop", random_step(4), 0],
    "NaN": ["nan", random_step(5), 1],
    "NaN of the chief": ["nan", random_step(6), 0],
    "checkpoint cut short": ["cut-0.6", random_step(7) % 30 + 20, 0],
    "checkpoint empty": ["cut-0.0", random_step(8) % 30 + 20, 0],
}


@pytest.mark.parametrize("case", CASES)
def test_the_last_bits_are_those_of_an_undisturbed_run(tmp_path, undisturbed, case):
    fault, at, on = CASES[case]
    done, output = run(tmp_path, "--fault", fault, "--at", at, "--on", on, restarts=1)
    assert np.array_equal(final(tmp_path), undisturbed)
    (failure,) = done.failures
    made = at if fault == "nan" else at - 1  # steps that were saved, if they were to be
    written = made // 10 * 10 - 10 * fault.startswith("cut")
    assert f"[worker 1] done from step {written + 1}\n" in output
    if fault == "nan":
        assert f"NonFiniteError: step {at + 1}: the gradient of worker {on} is not finite" in str(failure)
    elif fault in ("hang", "stop"):
        assert str(failure).startswith(f"worker {on} hangs: no line and no step for ")
    else:
        assert str(failure).startswith(f"worker {on} was killed by SIGKILL in step {at};")
    if fault.startswith("cut"):
        assert f"is damaged: {'it has' if fault != 'cut-0.0' else 'it does not begin'}" in output
        assert f"going on from step {written}" in output


def can_mount():
    """Whether this user may mount a disk of a few pages in a namespace of its own."""
    words = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


ON_A_SMALL_DISK = """
set -u
mount -t tmpfs -o size=24k tmpfs "$1"
"$2" -m fo_lib.distributed --time-limit 200 "$3" "$1/run"
echo "first: $?"
ls "$1/run"
mount -o remount,size=1m "$1"
"$2" -m fo_lib.distributed --time-limit 200 "$3" "$1/run"
echo "second: $?"
cp "$1/run/final-0.npy" "$4"
"""


@pytest.mark.skipif(
    not can_mount(), reason="needs user namespaces (unshare); the limit on file sizes is tested instead"
)
def test_a_full_disk_ends_with_an_error_and_the_run_goes_on_once_there_is_room(tmp_path, undisturbed):
    disk, out = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    out.mkdir()
    words = ["unshare", "-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", disk, sys.executable, HERE / "worker.py", out]
    done = subprocess.run(words, env=ENVIRON, capture_output=True, text=True, timeout=400, check=True)
    assert "No space left on device: the checkpoint needs" in done.stderr, done.stdout + done.stderr
    assert "the last one before it, step-00000030.ckpt, is untouched" in done.stderr
    assert "first: 1" in done.stdout
    assert ".partial" not in done.stdout
    assert "done from step 31" in done.stdout
    assert "second: 0" in done.stdout
    assert np.array_equal(final(out), undisturbed)


def test_a_file_that_may_not_grow_ends_with_an_error_and_the_run_goes_on_afterwards(tmp_path, undisturbed):
    with pytest.raises(WorkerError, match=r"worker 0 ended with exit code 1") as caught:
        run(tmp_path, "--fault", "disk", "--at", 25, "--on", 0)
    assert "File too large: the checkpoint needs" in str(caught.value)
    assert "the last one before it, step-00000020.ckpt, is untouched" in str(caught.value)
    assert "[worker 0] done from step 21" in run(tmp_path)[1]
    assert np.array_equal(final(tmp_path), undisturbed)


def test_what_goes_wrong_every_time_ends_with_an_error_that_names_worker_and_step(tmp_path):
    with pytest.raises(WorkerError) as caught:
        run(tmp_path, "--fault", "nan", "--at", 14, "--on", 1, "--always", restarts=1)
    words = str(caught.value)
    assert "ended with exit code 1 in step 15 (after 1 restart); its last lines:" in words
    assert "NonFiniteError: step 15: the gradient of worker 1 is not finite; it was neither applied nor saved." in words
    assert f"A new start goes on from step 11 (checkpoints in {tmp_path})" in words
    saved = distributed.Checkpoints(tmp_path).latest()
    assert saved.step == 10
    assert all(np.isfinite(a).all() for a in saved.arrays)


@pytest.mark.parametrize("fault", ["kill", "stop"])
def test_without_the_launcher_the_others_end_with_an_error(tmp_path, fault):
    """As on a cluster, where nothing else sees that a worker is gone."""
    ports = Ports(2)
    words = [
        sys.executable,
        HERE / "worker.py",
        tmp_path,
        "--fault",
        fault,
        "--at",
        "33",
        "--on",
        "1",
        "--timeout",
        "5",
    ]
    started = []
    for i in range(2):
        config = {"cluster": {"worker": ports.addresses}, "task": {"type": "worker", "index": i}}
        env = {**ENVIRON, "TF_CONFIG": json.dumps(config)}
        with (tmp_path / f"log-{i}").open("w") as log:
            started.append(subprocess.Popen(words, env=env, stdout=log, stderr=log))
    try:
        assert started[0].wait(timeout=240) == 1
    finally:
        for process in started:
            process.kill()
            process.wait()
        ports.free()
    log = (tmp_path / "log-0").read_text()
    assert "WorkerLostError: step 34: worker 0 got no answer from another worker" in log
    assert f"A new start goes on from step 31 (checkpoints in {tmp_path})" in log


def test_two_and_four_workers_take_the_steps_of_one(tmp_path, undisturbed):
    for workers in (1, 4):
        run(tmp_path / str(workers), workers=workers)
    one, four = final(tmp_path / "1"), final(tmp_path / "4")
    np.testing.assert_allclose(undisturbed, one, rtol=0, atol=1e-6)
    np.testing.assert_allclose(four, one, rtol=0, atol=1e-6)
    assert all(np.array_equal(final(tmp_path / "4", i), four) for i in range(4))
    assert not np.array_equal(four, one)  # else there was only one worker: sums of floats depend on their order


def test_with_a_parameter_server_all_steps_are_made_though_a_worker_is_killed(tmp_path):
    done, output = run(tmp_path, script="servers.py", restarts=1, servers=1, silence_limit=90)
    assert "[chief] done: 600 steps" in output
    (failure,) = done.failures
    assert str(failure).startswith("worker 1 was killed by SIGKILL")
    losses = np.load(tmp_path / "losses.npy")
    assert len(losses) == 600
    assert losses[-50:].mean() < 0.75 * losses[:50].mean()


def test_the_script_of_the_book_runs_alone_and_with_two_workers(tmp_path):
    script = ROOT / "book" / "applications" / "train_on_many.py"
    words = ["-m", "fo_lib.distributed", "--workers", "2", "--time-limit", "200", str(script), str(tmp_path)]
    for steps, first in (("100", "step 100 of 100"), ("200", "step 200 of 200")):
        command = [sys.executable, *words, "--steps", steps]
        done = subprocess.run(command, env=ENVIRON, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        assert f"[worker 0] {first}: loss 0." in done.stdout
    accuracy = float(done.stdout.split("accuracy on test images: ")[1].split()[0])
    assert accuracy > 0.78
    assert [p.name for p in distributed.Checkpoints(tmp_path).paths()] == ["step-00000100.ckpt", "step-00000200.ckpt"]
