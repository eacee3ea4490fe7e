"""Train an image classifier: alone, as several workers on one machine, or on a cluster. The script is the same.

    python train_on_many.py run
    python -m fo_lib.distributed --workers 4 --restarts 2 train_on_many.py run
    TF_CONFIG=... python train_on_many.py /shared/run        (on each machine; see the page on clusters)

Interrupt it when you like: started again with the same folder, it goes on from its last checkpoint.
"""

import argparse

import keras
import tensorflow as tf

import fo_lib.keras
from fo_lib import datasets, distributed, rules


def build():
    """The model and its optimizer, before the first step."""
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )
    return model, fo_lib.keras.optimizer(rules.adam, learning_rate=3e-3, global_clipnorm=1.0)


def loss(model, x, y):
    """One loss for each row."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True))


def main():
    """Train, and say how well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="for checkpoints; all workers must see it")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch-size", type=int, default=128)
    options = parser.parse_args()

    fashion = datasets.fashion_mnist()
    x, y = (fashion.train_images / 255).astype("float32"), fashion.train_labels.astype("int32")
    done = distributed.train(
        build,
        loss,
        [x, y],
        batch_size=options.batch_size,
        steps=options.steps,
        folder=options.folder,
        every=100,
    )
    if distributed.task().index == 0:
        answers = done.model.predict((fashion.test_images / 255).astype("float32"), verbose=0).argmax(1)
        print(f"accuracy on test images: {(answers == fashion.test_labels).mean():.3f}")


if __name__ == "__main__":
    main()
