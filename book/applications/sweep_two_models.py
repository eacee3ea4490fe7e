"""Two sweeps, of an image model and of word vectors: rule, learning rate, batch size and schedule.

    python sweep_two_models.py images study.db --workers 2
    python sweep_two_models.py words study.db --workers 2

Interrupt it when you like: started again with the same file, it goes on from there. Each rule has a study of its own,
so that each has the same number of trials.
"""

import argparse
import functools

import keras
import numpy as np
import optuna
import tensorflow as tf

import fo_lib.keras
from fo_lib import datasets, learning_rates, rules, skip_gram, text
from fo_lib._skip_gram_tensorflow import Model
from fo_lib.sweeps import Sweep
from fo_lib.training import batch_order

EPOCHS = 8
RANGES = {  # of the learning rate, three powers of ten for each
    "images": {"gradient_descent": (3e-3, 3), "momentum": (3e-4, 0.3), "rmsprop": (1e-5, 1e-2), "adam": (1e-5, 1e-2)},
    "words": {"gradient_descent": (1e-3, 1), "momentum": (1e-4, 0.1), "adagrad": (3e-3, 3), "adam": (1e-4, 0.1)},
}
BATCHES = {"images": [64, 256, 1024], "words": [128, 512, 2048]}
WORST = 10.0  # the loss of a run that diverged


def share(schedule, step, steps):
    """The share of the highest rate in a step."""
    return learning_rates.cosine(1.0, steps)(step) if schedule == "cosine" else 1.0


@functools.cache
def clothes():
    """Fashion-MNIST in three parts: 9,000 images to train on, 1,000 to choose by, 2,000 to report."""
    fashion = datasets.fashion_mnist()
    order = np.random.default_rng(2026).permutation(10_000)
    x = (fashion.train_images[order].reshape(-1, 784) / 255).astype("float32")
    test = (fashion.test_images.reshape(-1, 784) / 255).astype("float32")
    y = fashion.train_labels[order]
    return (x[:9000], y[:9000]), (x[9000:], y[9000:]), (test, fashion.test_labels)


def images(rule, rate, batch, schedule, seed=0):
    """Validation loss after each epoch, then test loss and the share of errors on test images."""
    training, validation, test = ([*map(tf.constant, part)] for part in clothes())
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((784,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)]
    model, optimizer = keras.Sequential(layers), fo_lib.keras.optimizer(getattr(rules, rule), rate)
    optimizer.build(model.trainable_variables)

    def loss(x, y):
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x)))

    @tf.function
    def epoch(rows, rates):
        for i in tf.range(tf.shape(rows)[0]):
            with tf.GradientTape() as tape:
                value = loss(tf.gather(training[0], rows[i]), tf.gather(training[1], rows[i]))
            optimizer.learning_rate.assign(rates[i])
            optimizer.apply(tape.gradient(value, model.trainable_variables), model.trainable_variables)

    steps = 9000 // batch
    for k in range(1, EPOCHS + 1):
        shares = [share(schedule, (k - 1) * steps + i, EPOCHS * steps) for i in range(1, steps + 1)]
        epoch(batch_order(9000, batch, seed=seed, epoch=k), tf.constant(np.multiply(rate, shares), tf.float32))
        yield float(loss(*validation))
    wrong = tf.argmax(model(test[0]), 1) != test[1]
    yield float(loss(*test)), float(tf.reduce_mean(tf.cast(wrong, tf.float32)))


@functools.cache
def words():
    """The definitions of a dictionary: 8,000 to train on, 1,000 to choose by, 1,000 to report."""
    lines = datasets.glosses().lines
    picked = [lines[i] for i in np.random.default_rng(2026).permutation(len(lines))[:10_000]]
    vocabulary = text.build_vocabulary(picked[:8000], min_count=5)
    corpus = text.encode(picked, vocabulary)
    return corpus, vocabulary


def drawn(part, seed, batch):
    """Pairs of some lines, cut into batches, and the negatives of each."""
    corpus, vocabulary = words()
    rng = np.random.default_rng(seed)
    found = skip_gram.pairs(corpus, vocabulary.frequencies, part, rng, window=3, sample=1e-4)
    steps = len(found[0]) // batch
    noise = np.cumsum(skip_gram.noise_distribution(vocabulary.counts))
    negatives = np.searchsorted(noise, rng.random((steps, 64)) * noise[-1]).astype(np.int32)
    return *(side[: steps * batch].reshape(steps, batch) for side in found), negatives


def word_vectors(rule, rate, batch, schedule, seed=0):
    """Loss of a pair of the validation lines after each epoch, then that of the test lines."""
    model = Model(len(words()[1]), 32, getattr(rules, rule), rate, True, 5 / 64, seed, {})

    def held_out(first):
        parts = drawn((first, first + 1000), 12345, 1024)
        return float(np.mean([model.loss(*map(tf.constant, row)) / 1024 for row in zip(*parts, strict=True)]))

    for k in range(1, EPOCHS + 1):
        parts = drawn((0, 8000), [seed, k], batch)
        steps = len(parts[0])
        shares = [share(schedule, (k - 1) * steps + i, EPOCHS * steps) for i in range(1, steps + 1)]
        model.train(*parts, np.multiply(rate, shares))
        yield held_out(8000)
    yield (held_out(9000),)


MODELS = {"images": images, "words": word_vectors}


def objective(model, rule, trial):
    """Ask for the settings, train, and return the validation loss at the end."""
    rate = trial.suggest_float("rate", *RANGES[model][rule], log=True)
    batch = trial.suggest_categorical("batch", BATCHES[model])
    schedule = trial.suggest_categorical("schedule", ["constant", "cosine"])
    losses, value = MODELS[model](rule, rate, batch, schedule), WORST
    for k in range(1, EPOCHS + 1):
        value = next(losses)
        value = min(value, WORST) if np.isfinite(value) else WORST
        trial.report(value, k)
        if trial.should_prune():
            raise optuna.TrialPruned
    return value


def sweep(model, path, trials, workers, prune=False, progress=False):
    """A table for each rule of a model."""
    pruner = optuna.pruners.SuccessiveHalvingPruner(reduction_factor=3) if prune else None
    return {
        rule: Sweep(str(path), f"{model}/{rule}", pruner=pruner).run(
            functools.partial(objective, model, rule), trials=trials, workers=workers, progress=progress
        )[:trials]
        for rule in RANGES[model]
    }


def main():
    """Sweep, and say what is best."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("path", help="of the study: a file, or the address of a database")
    parser.add_argument("--trials", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--prune", action="store_true", help="end what looks bad early; see the chapter for the risk")
    options = parser.parse_args()
    for rule, rows in sweep(**vars(options), progress=True).items():
        best = min(rows, key=lambda row: row["value"])
        print(f"{rule:17} loss {best['value']:.3f}, rate {best['rate']:.2g}, batch {best['batch']}, {best['schedule']}")


if __name__ == "__main__":
    main()
