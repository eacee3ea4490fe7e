"""A small model, its loss and data, for tests of distributed training."""

import keras
import numpy as np
import tensorflow as tf

import fo_lib.keras
from fo_lib import rules

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 5)).astype("float32"), RNG.integers(3, size=64).astype("int32")


def build(**options):
    layers = keras.layers
    model = keras.Sequential([layers.Input((5,)), layers.Dense(4, "tanh", **options), layers.Dense(3)])
    return model, fo_lib.keras.optimizer(rules.adam, learning_rate=0.02, global_clipnorm=0.1)


def loss(model, x, y):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True))
