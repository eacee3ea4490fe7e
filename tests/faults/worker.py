"""A small training script that can go wrong once, at one step of one worker: what `test_faults.py` runs."""

import argparse
import os
import resource
import signal
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import fo_lib.keras
from fo_lib import distributed, rules

ROWS, FEATURES, CLASSES = 512, 20, 4


def build():
    layers = keras.layers
    model = keras.Sequential([layers.Input((FEATURES,)), layers.Dense(16, activation="tanh"), layers.Dense(CLASSES)])
    return model, fo_lib.keras.optimizer(rules.adam, learning_rate=1e-2, global_clipnorm=1.0)


class Rows:
    """Rows that become NaN when something goes wrong."""

    def __init__(self, values):
        self.values, self.factor = values, 1

    def __len__(self):
        return len(self.values)

    def __getitem__(self, which):
        return self.values[which] * self.factor


def data():
    rng = np.random.default_rng(0)
    return [Rows(rng.normal(size=(ROWS, FEATURES)).astype("float32")), rng.integers(CLASSES, size=ROWS).astype("int32")]


def loss(model, x, y):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True))


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--timeout", type=float, default=30.0)
    parser.add_argument("--fault", default="none")
    parser.add_argument("--at", type=int, default=0)
    parser.add_argument("--on", type=int, default=0)
    parser.add_argument("--always", action="store_true")
    return parser.parse_args()


def damage(folder, keep):
    """Cut the newest checkpoint short."""
    newest = distributed.Checkpoints(folder).paths()[-1]
    content = newest.read_bytes()
    newest.write_bytes(content[: int(keep * len(content))])


def go_wrong(options, rows):
    """The fault, in the worker and at the step where it belongs."""
    if options.fault == "nan":
        rows.factor = np.float32(np.nan)  # from the next step on
        return
    if options.fault == "disk":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # a file of more cannot be written any more
        return
    if options.fault == "hang":
        time.sleep(10_000)
    if options.fault == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    if options.fault.startswith("cut"):
        damage(options.folder, float(options.fault.split("-")[1]))
    os.kill(os.getpid(), signal.SIGKILL)


def main():
    options = parse()
    me = distributed.task()
    arrays = data()
    once = options.folder / "went-wrong"

    def watch(step, loss):
        here = options.fault != "none" and step == options.at and me.index == options.on
        if here and (options.always or not once.exists()):
            once.touch()
            go_wrong(options, arrays[0])

    options.folder.mkdir(exist_ok=True)
    common = {"batch_size": 32, "steps": options.steps, "seed": 1, "every": 10, "watch": watch}
    done = distributed.train(build, loss, arrays, folder=options.folder, timeout=options.timeout, **common)
    state = [v.numpy().ravel() for v in [*done.model.variables, *done.optimizer.variables]]
    np.save(options.folder / f"final-{me.index}.npy", np.concatenate(state))
    print(f"done from step {done.first}", flush=True)


if __name__ == "__main__":
    main()
