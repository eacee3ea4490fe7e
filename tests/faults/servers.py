"""Training with a parameter server, one worker of which kills itself once: what `test_faults.py` runs."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

from fo_lib import distributed
from tests.faults.worker import build, data, loss


def main():
    folder, me = Path(sys.argv[1]), distributed.task()
    if me.name == "worker 1" and not (folder / "went-wrong").exists():
        (folder / "went-wrong").touch()
        threading.Thread(target=die_at_step_50, args=(folder,), daemon=True).start()

    def watch(step, value):
        (folder / "step").write_text(str(step))

    done = distributed.train_with_servers(build, loss, data(), batch_size=32, steps=600, seed=1, watch=watch)
    np.save(folder / "losses.npy", done.losses)
    print(f"done: {int(done.optimizer.iterations.numpy())} steps", flush=True)
    os._exit(0)  # TensorFlow's coordinator would wait at the end for the worker that was lost


def die_at_step_50(folder):
    """Kill this process as soon as the chief has made 50 steps."""
    while not (folder / "step").exists() or int((folder / "step").read_text() or 0) < 50:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
