"""Train on many workers: local processes, one order for all, checkpoints that are whole, restarts after failures.

A script calls :func:`train`. Run alone it trains alone; run by :func:`launch`, or by
``python -m fo_lib.distributed --workers 4 script.py``, it is one of four workers on this machine; on a cluster the
variable ``TF_CONFIG`` makes it one of those there (:ref:`cluster`). Order and checkpoints need NumPy only; training
needs TensorFlow and Keras 3, ``pip install 'fo-lib[keras]'``.
"""

from ..checkpoints import Checkpoints, Saved
from .cluster import Task, heartbeat, task
from .launcher import Launched, WorkerError, launch
from .order import feed, rows, shard
from .parameter_server import train_with_servers
from .steps import NonFiniteError, WorkerLostError
from .training import Trained, train

__all__ = [
    "Checkpoints",
    "Launched",
    "NonFiniteError",
    "Saved",
    "Task",
    "Trained",
    "WorkerError",
    "WorkerLostError",
    "feed",
    "heartbeat",
    "launch",
    "rows",
    "shard",
    "task",
    "train",
    "train_with_servers",
]
