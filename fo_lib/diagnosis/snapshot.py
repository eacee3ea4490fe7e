"""A network and some data at one moment: :class:`Snapshot`, taken by :func:`take`. Imports TensorFlow when used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Snapshot", "take"]

Array = NDArray[np.float64]
ONES = 8  # samples whose loss is also taken one by one
LOSS_SCALE = 2.0**10


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Facts about a Keras model on some samples.

    Parameters
    ----------
    epoch : int
        After how many epochs it was taken.
    samples : int
        How many samples it looked at.
    bad_inputs, bad_targets : int
        How many are NaN or infinite, the first of them at ``first_bad_input`` and ``first_bad_target``.
    bad_label : int, optional
        A label that the model has no output for.
    classes : int
        The number of outputs.
    bad_weights : mapping
        How many entries of a weight are NaN or infinite, by its path, where there are any.
    loss : float
        The model's loss for all samples together.
    few, together : int, float
        The loss of the first few samples together, as a multiple of the mean of their losses one by one.
    loss_as_logits, loss_as_probabilities : float
        What cross-entropy would be if the outputs were logits, or probabilities; NaN without class labels.
    probabilities : bool
        Whether the outputs are from 0 to 1, and with sum 1 in each row if they are of classes.
    from_logits : bool, optional
        What a cross-entropy of Keras was told about its inputs.
    dead : mapping
        The share of units that are 0 for every sample, by ReLU layer.
    gradient_rms : float
        The root mean square of the gradient's entries.
    gradient_norm : float
        The norm of all of it.
    revived : float
        The share of the gradient's entries that are 0, but not if the loss is first scaled up by 1024.
    loss_is_scaled : bool
        Whether the optimizer does so.
    optimizer : str
        Its name.
    epsilon : float, optional
        What it adds to its denominators.
    """

    epoch: int = 0
    samples: int
    bad_inputs: int = 0
    first_bad_input: tuple[int, ...] = ()
    bad_targets: int = 0
    first_bad_target: tuple[int, ...] = ()
    bad_label: int | None = None
    classes: int = 0
    bad_weights: Mapping[str, int] = field(default_factory=dict)
    loss: float = np.nan
    few: int = 0
    together: float = np.nan
    loss_as_logits: float = np.nan
    loss_as_probabilities: float = np.nan
    probabilities: bool = False
    from_logits: bool | None = None
    dead: Mapping[str, float] = field(default_factory=dict)
    gradient_rms: float = np.nan
    gradient_norm: float = np.nan
    revived: float = 0.0
    loss_is_scaled: bool = False
    optimizer: str = ""
    epsilon: float | None = None


def take(model: Any, x: Any, y: Any, epoch: int = 0) -> Snapshot:
    """Look at a compiled Keras model with one array of inputs, one of labels and one output; change nothing.

    Raises
    ------
    TypeError, ValueError
        If the model is not compiled or has several outputs, or ``x`` and ``y`` are not arrays of one length.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or len(x) == 0:
        raise ValueError(f"x and y must be non-empty arrays of one length, got shapes {x.shape} and {y.shape}")
    for name, values in (("x", x), ("y", y)):
        if values.dtype.kind not in "fiub":
            raise TypeError(f"{name} must be one array of numbers, got dtype {values.dtype}")
    if getattr(model, "optimizer", None) is None or getattr(model, "loss", None) is None:
        raise TypeError("model must be compiled, with a loss, before it is looked at")
    outputs = model(x, training=False)
    if isinstance(outputs, (list, tuple, dict)):
        raise TypeError(f"model must return one array, got a {type(outputs).__name__} of {len(outputs)}")
    outputs = np.asarray(outputs, np.float64)
    classes = outputs.shape[-1]
    labels = _labels(y, classes) if outputs.ndim == 2 and classes > 1 else None
    wrong = None if labels is None else labels[(labels < 0) | (labels >= classes)]
    if wrong is not None and wrong.size and not _counts_classes(model.loss):  # numbers, not labels
        labels = wrong = None
    facts: dict[str, Any] = {
        **_bad(x, "bad_inputs", "first_bad_input"),
        **_bad(y, "bad_targets", "first_bad_target"),
        "bad_label": int(wrong[0]) if wrong is not None and wrong.size else None,
        "classes": classes,
        "bad_weights": {w.path: n for w in model.weights if (n := int((~np.isfinite(_array(w))).sum()))},
        "from_logits": _from_logits(model.loss),
        "probabilities": _are_probabilities(outputs, model.loss),
        "dead": _dead(model, x),
        **_optimizer(model.optimizer),
    }
    if facts["bad_label"] is None:
        facts |= _losses(model, x, y, outputs, labels) | _gradients(model, x, y)
    return Snapshot(epoch=epoch, samples=len(x), **facts)


def _bad(values: Any, count: str, first: str) -> dict[str, Any]:
    where = np.argwhere(~np.isfinite(values))
    return {count: len(where), first: tuple(map(int, where[0])) if len(where) else ()}


def _are_probabilities(outputs: Array, loss: Any) -> bool:
    import keras

    single = isinstance(_cross_entropy(loss), keras.losses.BinaryCrossentropy)
    sums = single or np.allclose(outputs.sum(-1), 1, atol=1e-2)
    return bool(sums and (outputs >= 0).all() and (outputs <= 1.01).all())


def _array(weight: Any) -> Array:
    return np.asarray(weight.numpy(), np.float64) if weight.dtype not in {"int64", "uint32"} else np.zeros(1)


def _bases(layer: Any) -> set[str]:
    return {base.__name__.lower() for base in type(layer).__mro__}


def _labels(y: Any, classes: int) -> NDArray[np.int64] | None:
    """Class labels as integers, from integers or from rows with a single 1."""
    if y.ndim == 2 and y.shape[1] == classes:
        one_hot = bool(((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all())
        return np.argmax(y, axis=1).astype(np.int64) if one_hot else None
    whole = y.size == len(y) and bool(np.equal(y, np.round(y)).all())
    return y.reshape(-1).astype(np.int64) if whole else None


def _cross_entropy(loss: Any) -> Any:
    """One of Keras's cross-entropies as an object; None for any other loss."""
    import keras

    kinds = (
        keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy,
        keras.losses.BinaryCrossentropy,
    )  # fmt: skip
    functions = (
        keras.losses.sparse_categorical_crossentropy, keras.losses.categorical_crossentropy,
        keras.losses.binary_crossentropy,
    )  # fmt: skip
    if isinstance(loss, list) and len(loss) == 1:
        (loss,) = loss
    known = keras.losses.get(loss) if isinstance(loss, str) else loss
    if known in functions:
        return kinds[functions.index(known)]()
    return known if isinstance(known, kinds) else None


def _from_logits(loss: Any) -> bool | None:
    known = _cross_entropy(loss)
    return None if known is None else bool(known.get_config()["from_logits"])


def _counts_classes(loss: Any) -> bool:
    """Whether every label is the number of an output."""
    import keras

    known = _cross_entropy(loss)
    binary = isinstance(known, keras.losses.BinaryCrossentropy)
    return known is not None and not binary and known.get_config().get("ignore_class") is None


def _dead(model: Any, x: Any) -> dict[str, float]:
    """The share of units without any output, for each layer that ends in a ReLU."""
    import keras

    relu = [layer for layer in model.layers if "relu" in _bases(layer) or _activation(layer) == "relu"]
    if not relu or getattr(model, "inputs", None) is None:  # a subclass of Model: its layers' outputs are not known
        return {}
    outputs = keras.Model(model.inputs[0], {layer.name: layer.output for layer in relu})(x, training=False)
    units = {name: np.asarray(values).reshape(-1, values.shape[-1]) for name, values in outputs.items()}
    return {name: float((values == 0).all(axis=0).mean()) for name, values in units.items()}


def _activation(layer: Any) -> str:
    return str(getattr(getattr(layer, "activation", None), "__name__", ""))


def _optimizer(optimizer: Any) -> dict[str, Any]:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    epsilon = getattr(inner, "epsilon", getattr(inner, "hyper", {}).get("epsilon"))
    return {
        "loss_is_scaled": inner is not optimizer,
        "optimizer": str(inner.name),
        "epsilon": None if epsilon is None else float(epsilon),
    }


def _losses(model: Any, x: Any, y: Any, outputs: Array, labels: NDArray[np.int64] | None) -> dict[str, float]:
    ones = [float(_loss(model, x[i : i + 1], y[i : i + 1])) for i in range(min(ONES, len(x)))]
    mean, few = float(np.mean(ones)), float(_loss(model, x[:ONES], y[:ONES]))
    together = few / mean if mean > 0 else np.nan
    facts = {"loss": float(_loss(model, x, y)), "few": len(ones), "together": together}
    if labels is None:
        return facts
    rows = np.arange(len(labels))
    with np.errstate(invalid="ignore"):  # NaN stays NaN
        as_logits = np.logaddexp.reduce(outputs, axis=1) - outputs[rows, labels]
    as_probabilities = -np.log(np.clip(outputs[rows, labels], 1e-7, None))
    means = {"loss_as_logits": as_logits.mean(), "loss_as_probabilities": as_probabilities.mean()}
    return {**facts, **{name: float(mean) for name, mean in means.items()}}


def _loss(model: Any, x: Any, y: Any) -> Any:
    """The loss without what regularizers add."""
    loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=False))
    return loss - sum(model.losses) if model.losses else loss


def _gradients(model: Any, x: Any, y: Any) -> dict[str, float]:
    plain, scaled = _gradient(model, x, y, 1.0), _gradient(model, x, y, LOSS_SCALE)
    finite = np.isfinite(scaled)
    return {
        "gradient_rms": float(np.sqrt(np.mean(np.square(plain)))),
        "gradient_norm": float(np.linalg.norm(plain)),
        "revived": float(np.mean((plain == 0) & (scaled != 0) & finite)),
    }


def _gradient(model: Any, x: Any, y: Any, scale: float) -> Array:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = _loss(model, x, y)
        loss = loss * tf.cast(scale, loss.dtype)
    gradients = tape.gradient(loss, model.trainable_variables)
    dense = [np.asarray(tf.convert_to_tensor(g), np.float64).ravel() for g in gradients if g is not None]
    return np.concatenate(dense) if dense else np.zeros(1)
