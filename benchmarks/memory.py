"""Peak memory of an epoch over data ten and a hundred times larger, from a memory-mapped file and from tf.data.

usage: python -m benchmarks.memory [ROUNDS]

Counted is the private memory of a process (RssAnon in /proc/self/status): what it has allocated and touched. Pages of a
mapped file are not counted. They are copies of the file that the system keeps while there is room and drops when there
is none, so that they look like memory that grows with the data and are not.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import measure as shared

ROUNDS = 2
ROWS = (100_000, 1_000_000, 10_000_000)
COLUMNS, BATCH = 8, 1_000
BAR = 1 / 1.1


def generate(path: Path, rows: int) -> None:
    """Write a file of features and label, float32, a batch at a time."""
    rng, truth = np.random.default_rng(0), np.linspace(-1, 1, COLUMNS)
    with path.open("wb") as file:
        for _ in range(rows // 100_000):
            X = rng.standard_normal((100_000, COLUMNS), np.float32)
            np.column_stack([X, np.sign(X @ truth)]).astype(np.float32).tofile(file)


def private() -> float:
    """Megabytes that this process holds and no file backs."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status has no RssAnon: this measure needs Linux")


def peak_of(epoch: Callable[[], object]) -> float:
    """The most private megabytes in use while a function runs, looked at every few milliseconds."""
    seen, done = [private()], threading.Event()

    def watch() -> None:
        while not done.wait(0.003):
            seen.append(private())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        epoch()
    finally:
        done.set()
        watcher.join()
    return max(*seen, private())


def loop(path: Path, blocks: bool) -> Callable[[int], object]:
    """The library's loop over a memory-mapped file, in batches from a full shuffle or from shuffled blocks."""
    from fo_lib import minimize
    from fo_lib.gradients import in_blocks, mini_batch, reshuffled
    from fo_lib.problem import FiniteSum

    data = np.memmap(path, np.float32, "r").reshape(-1, COLUMNS + 1)

    def sample_grad(w: np.ndarray, rows: object) -> np.ndarray:
        batch = data[rows]
        X, y = batch[:, :-1], batch[:, -1]
        return (-y / (1 + np.exp(y * (X @ w)))) @ X / len(X)

    first = np.array(data[:BATCH])

    def value(w: np.ndarray) -> float:  # of the first batch: that of all the data is another pass
        return float(np.mean(np.logaddexp(0, -first[:, -1] * (first[:, :-1] @ w))))

    problem = FiniteSum(
        value=value, grad=lambda w: sample_grad(w, slice(0, BATCH)), start=np.zeros(COLUMNS, np.float32),
        n_samples=len(data), sample_grad=sample_grad,
    )  # fmt: skip

    def run(steps: int) -> object:
        steps = steps or len(data) // BATCH
        gradient = mini_batch(BATCH, in_blocks(10 * BATCH) if blocks else reshuffled)
        return minimize(problem, learning_rate=0.1, gradient=gradient, steps=steps, every=steps)

    return run


def pipeline(path: Path) -> Callable[[int], object]:
    """`fit` in Keras from tf.data, which reads the file record by record and mixes them in a buffer."""
    import keras
    import tensorflow as tf

    import fo_lib.keras
    from fo_lib import rules

    width = 4 * (COLUMNS + 1)

    def parse(records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        values = tf.reshape(tf.io.decode_raw(records, tf.float32), (-1, COLUMNS + 1))
        return values[:, :-1], (values[:, -1] + 1) / 2

    records = tf.data.FixedLengthRecordDataset(str(path), width * BATCH)  # a batch a record: mixed as whole batches
    data = records.shuffle(16, seed=0).map(parse).prefetch(2)
    model = keras.Sequential([keras.Input((COLUMNS,)), keras.layers.Dense(1)])
    model.compile(
        fo_lib.keras.optimizer(rules.gradient_descent, 0.1), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    return lambda steps: model.fit(data.take(steps) if steps else data, verbose=0)


WAYS: dict[str, tuple[Callable[[Path], Callable[[int], object]], float | None]] = {
    "mapped file, minimize, shuffled blocks": (lambda path: loop(path, blocks=True), BAR),
    "mapped file, minimize, full shuffle": (lambda path: loop(path, blocks=False), None),  # 8 bytes a row for the order
    "tf.data, fit": (pipeline, BAR),
}


def one(way: str, path: Path) -> float:
    """The most private megabytes of an epoch, in a process that has already made a few steps."""
    epoch = WAYS[way][0](path)
    epoch(20)
    return peak_of(lambda: epoch(0))


def peaks(rounds: int) -> dict[str, dict[int, list[float]]]:
    """For each way and number of rows, the peak in each of some processes."""
    found: dict[str, dict[int, list[float]]] = {way: {} for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.f4"
        for n in ROWS:
            generate(path, n)
            for way in WAYS:
                command = [sys.executable, "-m", "benchmarks.memory", "--peak", way, str(path)]
                made = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(rounds)]
                found[way][n] = [float(process.stdout.split()[-1]) for process in made]
    return found


def measure(rounds: int) -> list[shared.Row]:
    """For each way, the peak at the fewest rows over that at the most."""
    rows = []
    for way, found in peaks(rounds).items():
        least, most = found[ROWS[0]], found[ROWS[-1]]
        sizes = ", ".join(f"{shared.range_of(found[n])[1]:.0f} MB at {n:.0e}".replace("e+0", "e") for n in ROWS)
        data = ROWS[-1] * 4 * (COLUMNS + 1) / 1e6
        note = f"{sizes} rows, the last a file of {data:.0f} MB"
        rows.append(
            shared.row(
                way, f"itself at {ROWS[0]:.0e} rows".replace("e+0", "e"), shared.ratio(least, most), WAYS[way][1], note
            )
        )
    return rows


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        print(one(sys.argv[2], Path(sys.argv[3])))
    else:
        shared.main(measure, ROUNDS)
