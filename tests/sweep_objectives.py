"""Objectives of the tests of sweeps, in a module that new processes can import."""

import os
import time
from pathlib import Path


def quick(trial):
    x = trial.suggest_float("x", 0.01, 1, log=True)
    for k in (1, 2, 4):
        trial.report(x / k, k)
    return x + trial.suggest_categorical("batch", [1, 2, 4]) + trial.suggest_int("depth", 1, 9)


def watched(trial):
    """Takes a while, and leaves a mark with the number of its process, in the middle of its settings."""
    x = trial.suggest_float("x", 0.01, 1, log=True)
    Path(os.environ["FO_MARKS"], f"{trial.number}-{os.getpid()}").touch()
    time.sleep(0.3)
    return x + trial.suggest_int("depth", 1, 9)


def broken(trial):
    raise ZeroDivisionError("as planned")


def suicidal(trial):
    os.kill(os.getpid(), 9)
