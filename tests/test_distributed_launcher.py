"""The launcher: every worker knows who it is, a failure is named, and nothing stays behind."""

import json
import os
import socket
import sys
import textwrap
import time

import psutil
import pytest

from fo_lib.distributed import WorkerError, launch, processes
from fo_lib.distributed.processes import Ports
from tests.launched import BEAT, ONCE, alive, run


def test_each_worker_knows_who_it_is_and_its_lines_bear_its_name():
    done, lines = run("print('I am', i, 'of', len(c['cluster']['worker']))", workers=3)
    assert sorted(lines) == [f"[worker {i}] I am {i} of 3\n" for i in range(3)]
    assert done.output == {f"worker {i}": [f"I am {i} of 3"] for i in range(3)}
    assert done.failures == []
    assert done.seconds > 0


def test_errors_are_passed_on_too_and_lines_that_are_no_text_do_no_harm():
    _, lines = run("import sys; sys.stderr.write('oh\\n'); sys.stdout.buffer.write(b'\\xff\\n')", workers=1)
    assert sorted(lines) == ["[worker 0] oh\n", "[worker 0] \ufffd\n"]


def test_roles_with_a_parameter_server_and_the_end_of_the_chief_is_the_end():
    code = """
        import time
        print(role, i, sorted((r, len(a)) for r, a in c['cluster'].items()), flush=True)
        time.sleep(0.5 if role == 'chief' else 100)
    """
    _, lines = run(code, workers=2, servers=1)
    cluster = "[('chief', 1), ('ps', 1), ('worker', 2)]"
    names = {"chief": "chief 0", "ps 0": "ps 0", "worker 0": "worker 0", "worker 1": "worker 1"}
    assert sorted(lines) == sorted(f"[{name}] {said} {cluster}\n" for name, said in names.items())


def test_all_addresses_are_different_and_local():
    _, lines = run("print(json.dumps(c['cluster']))", workers=2, servers=2)
    cluster = json.loads(lines[0].partition("] ")[2])
    addresses = [a for group in cluster.values() for a in group]
    assert len(set(addresses)) == 5
    assert {a.split(":")[0] for a in addresses} == {"127.0.0.1"}


@pytest.mark.skipif(not processes.HOLDS, reason="only Linux lets a held port be listened at")
def test_a_port_that_is_held_goes_to_nobody_else_and_can_be_listened_at():
    ports = Ports(1)
    number = int(ports.addresses[0].split(":")[1])
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", number))
    with socket.socket() as server:  # as TensorFlow's does
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("", number))
        server.listen()
        with socket.create_connection(("127.0.0.1", number), timeout=5):
            server.accept()[0].close()
    ports.free()


def test_where_ports_cannot_be_held_they_are_let_go(monkeypatch):
    monkeypatch.setattr(processes, "HOLDS", False)
    ports = Ports(2)
    assert ports.held == []
    with socket.socket() as server:
        server.bind(("127.0.0.1", int(ports.addresses[0].split(":")[1])))


def test_threads_and_the_environment_reach_the_workers():
    code = "print(os.environ['OMP_NUM_THREADS'], os.environ['TF_NUM_INTRAOP_THREADS'], os.environ['MINE'])"
    _, lines = run(code, workers=1, threads=3, environ={**os.environ, "MINE": "yes"})
    assert lines == ["[worker 0] 3 3 yes\n"]


@pytest.mark.parametrize(
    ("end", "words", "code"),
    [
        ("raise SystemExit(7)", "worker 1 ended with exit code 7; its last lines:\n    before", 7),
        ("raise ValueError('no')", "worker 1 ended with exit code 1; its last lines:", 1),
        ("os.kill(os.getpid(), 9)", "worker 1 was killed by SIGKILL; its last lines:\n    before", -9),
    ],
)
def test_a_failure_names_the_worker_how_it_ended_and_its_last_lines(end, words, code):
    with pytest.raises(WorkerError) as caught:
        run(f"print('before', flush=True)\nif i == 1: {end}\nimport time; time.sleep(100)", workers=2)
    assert str(caught.value).startswith(words)
    assert (caught.value.worker, caught.value.code, caught.value.step) == ("worker 1", code, None)
    assert caught.value.tail[0] == "before"


def test_a_worker_that_wrote_nothing_is_reported_so():
    with pytest.raises(WorkerError, match=r"^worker 0 ended with exit code 1; it wrote nothing$"):
        run("raise SystemExit(1)", workers=1)


def test_the_cause_is_named_and_not_who_suffered_from_it():
    code = """
        import sys
        print('WorkerLostError: no answer' if i == 0 else 'out of memory', flush=True)
        sys.exit(1)
    """
    with pytest.raises(WorkerError, match=r"^worker 1 ended with exit code 1"):
        run(code, workers=2)


@pytest.mark.parametrize("way", ["failure", "time"])
def test_nothing_stays_behind_not_even_what_a_worker_started(tmp_path, way):
    code = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])
        open(r'{tmp_path}/' + str(i), 'w').write(f'{{os.getpid()}} {{child.pid}}')
        while len(os.listdir(r'{tmp_path}')) < 2: time.sleep(0.01)
        time.sleep(0.2)
        if i == 0 and {way == "failure"}: sys.exit(3)
        time.sleep(100)
    """
    with pytest.raises(WorkerError if way == "failure" else TimeoutError):
        run(code, workers=2, time_limit=100 if way == "failure" else 3)
    pids = [int(p) for i in "01" for p in (tmp_path / i).read_text().split()]
    assert len(pids) == 4
    deadline = time.time() + 10
    while any(map(alive, pids)) and time.time() < deadline:
        time.sleep(0.05)
    assert not [p for p in pids if alive(p)]


def test_a_process_that_left_its_group_does_not_hold_the_launcher_up(tmp_path):
    code = f"""
        import subprocess, sys
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'], start_new_session=True)
        open(r'{tmp_path}/pid', 'w').write(str(child.pid))
    """
    run(code, workers=1, time_limit=50)  # though the child still has the worker's output open
    child = int((tmp_path / "pid").read_text())
    assert alive(child)
    psutil.Process(child).kill()


def test_all_lines_are_read_though_the_worker_has_long_ended():
    command = [sys.executable, "-c", "for i in range(100): print(i)"]
    done = launch(command, workers=1, write=lambda text: time.sleep(0.01), time_limit=60)
    assert done.output["worker 0"] == [str(i) for i in range(80, 100)]


def test_the_time_limit_says_what_each_worker_did():
    code = BEAT + "if i == 1: heartbeat(17)\nimport time\nif i != 2: time.sleep(100)"
    with pytest.raises(TimeoutError) as caught:
        run(code, workers=3, time_limit=4)
    words = "the run took longer than time_limit=4 seconds: worker 0 was still running, worker 1 was still running in step 17"
    assert str(caught.value) == words + ", worker 2 ended with exit code 0"


def test_who_hangs_is_the_one_that_began_fewer_steps():
    code = """
        import time
        for step in range(1, 500):
            heartbeat(step)
            if i == 1 and step == 9 or i == 0 and step == 10: time.sleep(100)
    """
    with pytest.raises(
        WorkerError, match=r"^worker 1 hangs: no line and no step for 3 seconds in step 9; it wrote nothing"
    ):
        run(BEAT + textwrap.dedent(code), workers=2, silence_limit=3, start_limit=50)


def test_a_worker_that_writes_or_makes_steps_does_not_hang():
    code = """
        import time
        heartbeat(1)
        for step in range(50):
            time.sleep(0.1)
            print(step, flush=True) if i else heartbeat(step)
    """
    run(BEAT + textwrap.dedent(code), workers=2, silence_limit=4)


def test_before_the_first_step_another_limit_holds():
    with pytest.raises(WorkerError, match=r"^worker 0 hangs: no line and no step for 1 seconds; it wrote nothing"):
        run("import time; time.sleep(100)", workers=1, start_limit=1)
    run("import time; time.sleep(4)\n" + BEAT + "heartbeat(1)", workers=1, silence_limit=3)


def test_restarts_make_up_for_failures_and_tell_of_them(tmp_path):
    code = ONCE.format(tmp_path, tmp_path) + "print(n, flush=True)\nif n < 2 and i == n: raise SystemExit(5)\n"
    wait = "if n < 2: import time; time.sleep(100)"
    done, lines = run(code + wait, workers=2, restarts=2)
    assert [(f.worker, f.code) for f in done.failures] == [("worker 0", 5), ("worker 1", 5)]
    assert {"[worker 0] 2\n", "[worker 1] 2\n"} <= set(lines)
    assert str(done.failures[1]).startswith("worker 1 ended with exit code 5 (after 1 restart);")


def test_when_no_restart_is_left_the_last_failure_is_raised():
    with pytest.raises(
        WorkerError, match=r"^worker 0 ended with exit code 5 \(after 2 restarts\); its last lines:\n    x"
    ):
        run("print('x'); raise SystemExit(5)", workers=1, restarts=2)
    assert run.lines == ["[worker 0] x\n"] * 3


def test_every_attempt_has_ports_and_heartbeats_of_its_own(tmp_path):
    code = BEAT + ONCE.format(tmp_path, tmp_path)
    code += "print(os.path.exists(os.environ['FO_HEARTBEAT']), c['cluster']['worker'][0], flush=True); heartbeat(3)\nif n == 0: raise SystemExit(5)"
    _, lines = run(code, workers=1, restarts=1)
    (first, before), (second, after) = (line.split("] ")[1].split() for line in lines)
    assert (first, second) == ("False", "False")
    assert before != after


def test_with_a_coordinator_a_failed_worker_is_started_again_alone(tmp_path):
    code = ONCE.format(tmp_path, tmp_path) + """
import time
who = f'{role} {i}'
pathlib.Path(r'%s', who.replace(' ', '-') + f'-{n}').touch()
if who == 'worker 1' and not pathlib.Path(r'%s/again').exists():
    pathlib.Path(r'%s/again').touch(); raise SystemExit(4)
if role == 'chief':
    while not pathlib.Path(r'%s/again').exists(): time.sleep(0.01)
    time.sleep(1.5)
else: print(who, flush=True); time.sleep(100)
""".replace("%s", str(tmp_path))  # fmt: skip
    done, lines = run(code, workers=2, servers=1, restarts=1)
    assert [(f.worker, f.code) for f in done.failures] == [("worker 1", 4)]
    assert sorted(lines) == ["[ps 0] ps 0\n", "[worker 0] worker 0\n", "[worker 1] worker 1\n"]


@pytest.mark.parametrize(("who", "restarts"), [("ps", 0), ("chief", 0), ("worker", 0)])
def test_with_a_coordinator_chief_and_server_must_not_fail(who, restarts):
    name = who if who == "chief" else f"{who} 0"
    with pytest.raises(WorkerError, match=f"^{name} ended with exit code 4;"):  # after no restart
        run(
            f"import time\nif role == '{who}': raise SystemExit(4)\ntime.sleep(100)",
            workers=1,
            servers=1,
            restarts=restarts,
        )


def test_when_a_server_fails_all_are_started_again(tmp_path):
    code = """
        import pathlib, time
        n = len(list(pathlib.Path(r'%s').glob(f'{role}-{i}-*')))
        pathlib.Path(r'%s', f'{role}-{i}-{n}').touch()
        while len(list(pathlib.Path(r'%s').iterdir())) < 3: time.sleep(0.01)
        if n == 0: time.sleep(0 if role == 'ps' else 100); raise SystemExit(4)
        if role != 'chief': time.sleep(100)
        while len(list(pathlib.Path(r'%s').iterdir())) < 6: time.sleep(0.01)
    """.replace("%s", str(tmp_path))
    done, _ = run(code, workers=1, servers=1, restarts=1)
    assert [(f.worker, f.code) for f in done.failures] == [("ps 0", 4)]
    assert len(list(tmp_path.iterdir())) == 6


def test_a_hang_after_a_restart_tells_of_it(tmp_path):
    code = ONCE.format(tmp_path, tmp_path) + "if n == 0: raise SystemExit(5)\nimport time; time.sleep(100)"
    with pytest.raises(WorkerError, match=r"^worker 0 hangs: no line and no step for 2 seconds \(after 1 restart\)"):
        run(code, workers=1, restarts=1, start_limit=2)


def test_output_that_nobody_reads_blocks_no_worker():
    def broken(text):
        raise BrokenPipeError

    command = [sys.executable, "-c", "for _ in range(20_000): print('a line of some length')"]
    done = launch(command, workers=1, write=broken, time_limit=60)
    assert done.output["worker 0"][-1] == "a line of some length"


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"command": "python x.py"}, TypeError, r"command must be a list of words, such as .*, got 'python x\.py'"),
        ({"command": []}, TypeError, r"command must be a list of words, .*, got \[\]"),
        ({"command": ["python", 3]}, TypeError, "command must be a list of words"),
        ({"workers": 0}, ValueError, "workers must be a whole number >= 1, got 0"),
        ({"servers": -1}, ValueError, "servers must be a whole number >= 0, got -1"),
        ({"restarts": -1}, ValueError, "restarts must be a whole number >= 0, got -1"),
        ({"threads": 0}, ValueError, "threads must be a whole number >= 1, got 0"),
        ({"time_limit": 0}, ValueError, "time_limit must be a finite number and > 0, got 0"),
        ({"start_limit": float("inf")}, ValueError, "start_limit must be a finite number and > 0, got inf"),
        ({"silence_limit": "x"}, TypeError, "silence_limit must be a finite number and > 0, got 'x'"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        launch(**{"command": [sys.executable, "-c", ""], **options})


def test_a_program_that_is_not_there_is_an_error_and_leaves_no_ports_held(tmp_path):
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 (not an ordinary folder)
    with pytest.raises(FileNotFoundError, match="nothing"):
        launch([str(tmp_path / "nothing")])
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 (not an ordinary folder)
