"""Small Keras networks for the digits, trained under a Watch: what the tests of the diagnosis look at."""

import keras
import numpy as np

from fo_lib import datasets
from fo_lib.diagnosis import Watch

DIGITS = datasets.digits()
ORDER = np.random.default_rng(0).permutation(len(DIGITS.X))
X, Y = (DIGITS.X[ORDER] / 16).astype("float32"), DIGITS.y[ORDER]
X, X_HELD, Y, Y_HELD = X[:1280], X[1280:], Y[:1280], Y[1280:]
Loss = keras.losses.SparseCategoricalCrossentropy
LOGITS = Loss(from_logits=True)


class Fresh(keras.utils.PyDataset):
    """Batches in a new order each epoch."""

    def __init__(self, x, y, size=32):
        super().__init__()
        self.x, self.y, self.size, self.rng = x, y, size, np.random.default_rng(0)
        self.on_epoch_end()

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))

    def __len__(self):
        return len(self.x) // self.size

    def __getitem__(self, i):
        rows = self.order[i * self.size : (i + 1) * self.size]
        return self.x[rows], self.y[rows]


def network(*hidden, last=None, activation="relu", **options):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(n, activation, name=f"hidden{i}", **options) for i, n in enumerate(hidden)]
    return keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(10, last, name="last")])


def train(
    model,
    *,
    x=X,
    y=Y,
    loss=LOGITS,
    optimizer=None,
    fresh=True,
    epochs=4,
    held=False,
    auto_scale_loss=False,
    steps_per_execution=1,
    **fit,
):
    optimizer = optimizer or keras.optimizers.SGD(0.1)
    model.compile(
        optimizer=optimizer, loss=loss, auto_scale_loss=auto_scale_loss, steps_per_execution=steps_per_execution
    )
    watch = Watch(x[:128], y[:128])
    data = [Fresh(x, y)] if fresh else [x, y]
    fit |= {"validation_data": (X_HELD, Y_HELD)} if held else {}
    return watch, model.fit(*data, epochs=epochs, callbacks=[watch], verbose=0, **fit)
