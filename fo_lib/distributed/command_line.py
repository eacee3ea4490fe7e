"""The launcher from a command line: ``python -m fo_lib.distributed --workers 4 script.py ...``."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import NoReturn

from .launcher import WorkerError, launch

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the script; 0 if it came to its end, 1 if not."""
    parser = argparse.ArgumentParser("python -m fo_lib.distributed", description="Run a script as several workers.")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--servers", type=int, default=0, help="parameter servers; the script runs as a chief too")
    parser.add_argument("--restarts", type=int, default=0, help="after a failure, from the last checkpoint")
    parser.add_argument("--time-limit", type=float, default=3600.0, help="seconds for all")
    parser.add_argument("--start-limit", type=float, default=180.0, help="seconds of silence before the first step")
    parser.add_argument("--silence-limit", type=float, default=60.0, help="seconds of silence after it")
    parser.add_argument("--threads", type=int, default=1, help="for each worker")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="and its arguments")
    options = vars(parser.parse_args(arguments))
    script = options.pop("script")
    script = script[1:] if script[:1] == ["--"] else script
    if not script:
        parser.error("name the script to run")
    before = signal.signal(signal.SIGTERM, stop)  # as an exception, so that the workers are ended
    try:
        done = launch([sys.executable, *script], **options)
    except (WorkerError, TimeoutError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)
    for failure in done.failures:
        sys.stderr.write(f"made up for: {failure}\n")
    return 0


def stop(number: int, frame: object) -> NoReturn:
    """End this process, by way of all that cleans up."""
    sys.exit(128 + number)
