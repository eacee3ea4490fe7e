"""One step of ten million parameters on two threads against PyTorch on two threads.

usage: python -m benchmarks.step_threads [ROUNDS]

Our side chooses the number of threads by size, so that smaller steps are those of benchmarks.step. Measured twice: with
OMP_WAIT_POLICY=passive, and in OpenMP's default, in which a thread of PyTorch's that has nothing to do looks for work
in a loop for a while, and holds the core that our next step would use.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from benchmarks import measure as shared
from benchmarks import step

ROUNDS = 9
WAITING = {"passive": "torch fused", "": "torch fused, waiting busily"}


def compare(rounds: int, peer: str) -> list[shared.Row]:
    """One row for each rule against PyTorch and the stream, in this process."""
    return step.rows(rounds, 2, [10_000_000], {peer: step.of_torch})


def measure(rounds: int) -> list[shared.Row]:
    """The rows of both ways of waiting, each in a process of its own: the variable is read once."""
    found = []
    for policy, peer in WAITING.items():
        variables = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
        variables |= {"OMP_WAIT_POLICY": policy} if policy else {}
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.step_threads", "--rows", str(rounds), peer]
        made = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
        found += json.loads(made.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--rows"]:
        print(json.dumps(compare(int(sys.argv[2]), sys.argv[3])))
    else:
        shared.main(measure, ROUNDS)
