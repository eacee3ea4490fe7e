"""The launcher from a command line, and what is left when it is ended itself."""

import runpy
import signal
import subprocess
import sys

import pytest

from fo_lib.distributed import command_line
from tests.launched import ONCE, WHO, alive


def test_the_command_line(tmp_path, capsys):
    script = tmp_path / "script.py"
    script.write_text(WHO + "import sys; print(sys.argv[1:], i); sys.exit(int(sys.argv[1]))")
    assert command_line.main(["--workers", "1", str(script), "0", "--folder", "x"]) == 0
    assert capsys.readouterr().out == "[worker 0] ['0', '--folder', 'x'] 0\n"
    assert command_line.main(["--workers", "1", "--", str(script), "3"]) == 1
    assert capsys.readouterr().err.startswith("worker 0 ended with exit code 3; its last lines:")
    with pytest.raises(SystemExit):
        command_line.main(["--workers", "1"])
    assert "name the script to run" in capsys.readouterr().err


def test_the_command_line_tells_of_restarts(tmp_path, capsys):
    script = tmp_path / "script.py"
    script.write_text(WHO + ONCE.format(tmp_path, tmp_path) + "raise SystemExit(n == 0)")
    assert command_line.main(["--workers", "1", "--restarts", "1", str(script)]) == 0
    assert capsys.readouterr().err.startswith("made up for: worker 0 ended with exit code 1;")


def test_the_command_line_is_that_of_the_module_and_leaves_signals_as_they_were(tmp_path, monkeypatch, capsys):
    script = tmp_path / "script.py"
    script.write_text("print('here')")
    monkeypatch.setattr(sys, "argv", ["fo_lib.distributed", "--workers", "1", str(script)])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("fo_lib.distributed", run_name="__main__")
    assert caught.value.code == 0
    assert capsys.readouterr().out == "[worker 0] here\n"
    assert signal.getsignal(signal.SIGTERM) is not command_line.stop
    with pytest.raises(SystemExit) as caught:
        command_line.stop(signal.SIGTERM, None)
    assert caught.value.code == 143


def test_the_launcher_itself_ended_leaves_nothing_behind(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os, time; print(os.getpid(), flush=True); time.sleep(100)")
    words = [sys.executable, "-m", "fo_lib.distributed", "--workers", "2", str(script)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        pids = [int(process.stdout.readline().split()[-1]) for _ in range(2)]
        assert all(map(alive, pids))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
    assert not any(map(alive, pids))
