"""One process of a run on this machine: its output line by line, its last sign of life, and its end."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .cluster import HEARTBEAT, Task

__all__ = ["Ports", "Process"]

HOLDS = platform.system() == "Linux"
TAIL = 20  # last lines that are kept for an error


class Ports:
    """Free ports of this machine, kept so that the system gives them to nobody else until they are let go.

    A socket that is bound and does not listen keeps a port from being handed out; on Linux, TensorFlow's server may
    listen at it nevertheless, as both allow addresses to be reused. Elsewhere it may not, and :attr:`held` is empty.

    Parameters
    ----------
    count : int
        How many.
    """

    def __init__(self, count: int) -> None:
        self.held: list[socket.socket] = []
        for _ in range(count):
            opened = socket.socket()
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(("127.0.0.1", 0))
            self.held.append(opened)
        self.addresses = [f"127.0.0.1:{opened.getsockname()[1]}" for opened in self.held]
        if not HOLDS:
            self.free()

    def free(self) -> None:
        """Let them go."""
        while self.held:
            self.held.pop().close()


class Process:
    """A started command with its own process group, whose lines are passed on with its name before each.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    task : Task
        Who it is.
    environ : mapping
        Its environment; ``TF_CONFIG`` is added.
    folder : path
        For its heartbeat.
    write : function
        Takes a line, with its end.
    """

    def __init__(
        self, command: Sequence[str], task: Task, environ: Mapping[str, str], folder: Path, write: Callable[[str], None]
    ) -> None:
        self.name = task.name
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._beat = folder / self.name.replace(" ", "-")
        self._beat.unlink(missing_ok=True)
        self._write = write
        self.started = self._heard = time.time()
        self._popen = subprocess.Popen(
            list(command), env={**environ, "TF_CONFIG": task.config(), HEARTBEAT: str(self._beat)}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
            start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as lines:
            for line in lines:
                self._heard = time.time()
                self.tail.append(line.rstrip("\n"))
                self._write(f"[{self.name}] {line.rstrip()}\n")

    @property
    def code(self) -> int | None:
        """The exit code, the signal's number negated, or None while it runs."""
        return self._popen.poll()

    @property
    def step(self) -> int | None:
        """The step that it last began, or None if it has not said so."""
        try:
            return int(self._beat.read_text(encoding="ascii"))
        except (OSError, ValueError):  # not there, or being written
            return None

    def silent(self) -> float:
        """Seconds since its last line or heartbeat."""
        try:
            beat = self._beat.stat().st_mtime
        except OSError:
            beat = 0.0
        return time.time() - max(self._heard, beat)

    def end(self) -> None:
        """Kill it and all that it started, and wait until its last lines were read."""
        with contextlib.suppress(ProcessLookupError):  # all of them have ended
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._reader.join(timeout=5)

    def words(self) -> str:
        """How it ended, in words."""
        code = self.code
        if code is None:
            return "was still running"
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"
