"""What needs TensorFlow, several processes, or files: cheap calls only."""

import keras
import numpy as np

from fo_lib import rules

from .calls import call, not_called
from .calls_slots import W, X, Y


class Variable:
    """What `train` needs of a variable."""

    def __init__(self):
        self.value = np.ones(2)

    def numpy(self):
        return self.value

    def assign(self, value):
        self.value = np.asarray(value)


def one_step(optimizer):
    w = keras.Variable(W)
    optimizer.build([w])
    optimizer.apply_gradients([(np.ones(2), w)])
    return w.numpy()


KERAS = "passed on to Keras, which checks and names them: test_keras"
call("keras", "optimizer", one_step, long=("weight_decay",), leave={"name": KERAS})(
    rule=rules.momentum, learning_rate=0.125, momentum=0.5, weight_decay=0.125, clipnorm=1.0, name="ours"
)
call("keras", "schedule", lambda schedule: float(schedule(0)), long=("steps",))(
    function=lambda t: 0.5 / (t + 1), steps=4
)
call("keras", "TableSchedule", lambda schedule: float(schedule(0)), also=("learning_rate",))(rates=[0.5, 0.25])
not_called("keras", "what optimizer returns, with the same arguments", "RuleOptimizer")

call("training", "batch_order", long=("n",))(n=6, batch_size=2, seed=0, epoch=1)
call("training", "restore", lambda nothing: 1.0)(variables=[Variable()], arrays=[np.zeros(2)])
call(
    "training", "train", lambda run: run.records, long=("rounds",),
    leave={"folder": "a path: what is no path says the system"},
)(
    advance=lambda k: 1 / k, variables=[Variable()], rounds=2, validate=lambda: 1.0, patience=5, arrays={"X": X},
    folder=None, settings={"rate": 0.125},
)  # fmt: skip
not_called("training", "what train returns", "Run")
not_called("word2vec", "seconds of compilation: test_word2vec has its arguments", "fit")
not_called("word_vectors", "a file: test_word_vectors", "load_word2vec")
not_called("diagnosis", "a callback of Keras: test_diagnosis_keras", "Watch")

call("distributed", "rows", long=("n",))(n=6, batch_size=2, seed=0, step=1)
call("distributed", "shard", spreads="it only deals out rows")(batch=np.arange(6), worker=1, workers=2)
call(
    "distributed",
    "feed",
    lambda steps: [rows for _, parts in steps for rows in parts],
    long=("last",),
    spreads="it only deals out rows",
)(arrays=[X, Y], batch_size=2, seed=0, first=1, last=2, worker=0, workers=1)
call("distributed", "task", lambda task: task.index)(environ={})
not_called("distributed", "processes: test_distributed_launcher, tests/faults", "launch", "train", "train_with_servers")
not_called("distributed", "a message to the launcher: test_distributed_launcher", "heartbeat")
not_called("distributed", "files: test_distributed_checkpoints", "Checkpoints")
RESULTS = ("Launched", "NonFiniteError", "Saved", "Task", "Trained", "WorkerError", "WorkerLostError")
not_called("distributed", "results and errors", *RESULTS)

SOCKETS = "workers that are processes: test_workers has its arguments"
not_called("workers", SOCKETS, "clock", "connect", "descend", "run")
not_called("all_reduce", SOCKETS, "ALGORITHMS", "Link", "algorithm", "central", "halving", "ring", "summed", "tree")
PAGE = "for the page of conventions: its arguments are rows of its table"
not_called(
    "conventions", PAGE, "METHODS", "TABLE", "cases", "first_step", "forms", "formula", "live", "markdown", "ours",
    "recorded", "theirs", "versions",
)  # fmt: skip
