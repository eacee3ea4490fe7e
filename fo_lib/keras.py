r"""Any rule as a Keras optimizer: ``model.compile(optimizer=fo_lib.keras.optimizer(rules.adam), ...)``.

The text of the rule is run on TensorFlow's tensors: its global name ``np`` is read as ``keras.ops``. State, number
of the step and learning rate are what :class:`~fo_lib.engine.Stepper` would pass, so that the weights take the same
steps: to rounding in float64. In float32 a power such as :math:`1 - \beta_2^t` is computed in float32 too, as in
Keras's own optimizers, which makes the first steps inexact by up to 3e-5 of their length. (Under XLA, ``eigh`` is exact
to float32 only, so that :func:`~fo_lib.matrix_rules.shampoo` is.) A large variable is updated in one compiled pass
where that is faster, whether or not the model is compiled by XLA.

Needs TensorFlow and Keras 3: ``pip install 'fo-lib[keras]'``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from . import checks, matrix_rules, rules
from ._tensors import Number, on_tensors
from .engine import Stepper, can_fuse, signature

__all__ = ["RuleOptimizer", "TableSchedule", "optimizer", "schedule"]

Rule = Callable[..., Any]

# From this many weights on, with two numbers of state or more for each, one compiled pass is faster than the operations
# of a graph (benchmarks/keras_step.py). Simpler rules have few operations, which reuse the memory of the gradient.
FUSE_FROM = 100_000
FUSED_STATES = 2

_OURS: dict[str, Rule] = {name: getattr(home, name) for home in (rules, matrix_rules) for name in home.__all__}


@keras.saving.register_keras_serializable("fo_lib")
class TableSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras has no types
    """Learning rates from a table, one for each step; past its end NaN, so that training stops visibly.

    Parameters
    ----------
    rates : sequence of float
        Those of steps 1, 2, ...
    """

    def __init__(self, rates: Sequence[float]) -> None:
        super().__init__()
        table = checks.several("rates", rates)
        if not table:
            raise ValueError("rates must hold at least one learning rate, got none")
        self.rates = [checks.number(f"learning_rate({t})", rate, above=0.0) for t, rate in enumerate(table, start=1)]

    def __call__(self, step: Any) -> Any:
        """Return the learning rate for Keras's ``step``, which counts from 0, as a float64 tensor."""
        table = tf.constant([*self.rates, np.nan], tf.float64)
        return tf.gather(table, tf.minimum(tf.cast(step, tf.int64), len(self.rates)))

    def get_config(self) -> dict[str, Any]:
        """Return the table."""
        return {"rates": self.rates}


def schedule(function: Callable[[int], float], steps: int) -> TableSchedule:
    """Tabulate a schedule of :mod:`fo_lib.learning_rates`, or your own, for a Keras optimizer.

    Parameters
    ----------
    function : function
        The learning rate as a function of the number of the step, from 1. Called once for each step, now.
    steps : int
        Length of the run: epochs times batches. A run that goes further gets NaN as its learning rate.

    Returns
    -------
    TableSchedule
        Saved with a model, and the same in a compiled graph.

    Raises
    ------
    TypeError, ValueError
        If ``steps`` is not a positive whole number, or a learning rate is not a positive number.
    """
    checks.function("function", function)
    steps = checks.count("steps", steps)
    return TableSchedule([function(t) for t in range(1, steps + 1)])


@keras.saving.register_keras_serializable("fo_lib")
class RuleOptimizer(keras.optimizers.Optimizer):  # type: ignore[misc]  # Keras has no types
    """A rule as a Keras optimizer. Made by :func:`optimizer`, which describes the parameters."""

    def __init__(
        self,
        rule: Rule,
        learning_rate: Any = None,
        *,
        lazy: bool = False,
        name: str | None = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        clipvalue: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        **hyper: float,
    ) -> None:
        if not isinstance(rule, FunctionType):
            raise TypeError(f"rule must be a plain function, got {rule!r}")
        if lazy and hasattr(rule, "state_shapes"):
            raise ValueError(f"lazy=True updates rows one by one, and rule {rule.__name__!r} sees a whole matrix")
        if weight_decay is not None:
            weight_decay = checks.number("weight_decay", weight_decay, at_least=0.0)
            if "weight_decay" in signature(rule).hyper:
                hyper["weight_decay"], weight_decay = weight_decay, None
        clips = {"clipnorm": clipnorm, "global_clipnorm": global_clipnorm, "clipvalue": clipvalue}
        for argument, value in clips.items():
            if value is not None:
                checks.number(argument, value, above=0.0)
        scheduled = isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule)
        if callable(learning_rate) and not scheduled:
            raise TypeError("learning_rate is a function: tabulate it by fo_lib.keras.schedule(function, steps=...)")
        if learning_rate is not None and not scheduled:
            hyper["learning_rate"] = learning_rate
        given = Stepper(rule, fused=False, **hyper).hyper
        constant = given.pop("learning_rate")
        super().__init__(
            # of a number Keras would make a variable of float32: too coarse for weights of float64
            learning_rate if scheduled else lambda: constant,
            weight_decay=weight_decay,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name or rule.__name__,
            **clips,
        )
        if not scheduled:
            self._learning_rate = self.add_variable((), dtype="float64", name="learning_rate")
            self._learning_rate.assign(constant)
        self.rule, self.lazy, self.hyper = rule, lazy, given
        self._rule = on_tensors(rule)

    def build(self, variables: Sequence[Any]) -> None:
        """Create the state, zero, of each variable."""
        if self.built:
            return
        super().build(variables)
        self._state = [[self._zeros(v, name) for name in signature(self.rule).state] for v in variables]
        # not through setattr: Keras tracks lists, as if the passes were to be saved
        self.__dict__["_passes"] = [self._pass(v) for v in variables]

    def _pass(self, variable: Any) -> Callable[..., Any]:
        """What computes a step of one variable: compiled where that is faster, and then for its shape only."""
        worth = int(np.prod(variable.shape)) >= FUSE_FROM and len(signature(self.rule).state) >= FUSED_STATES
        exact = keras.backend.standardize_dtype(variable.dtype) in {"float32", "float64"}
        if worth and exact and can_fuse(self.rule):  # XLA is exact for arithmetic, not for all of linear algebra
            compiled: Callable[..., Any] = tf.function(self._results, jit_compile=True, autograph=False)
            return compiled
        return self._results

    def _results(self, old: Sequence[Any], g: Any, t: Sequence[Any], rate: Any, hyper: dict[str, float]) -> Any:
        """What the rule returns, always as a tuple; ``t`` holds the number of the step if the rule takes it."""
        try:
            new = self._rule(old[0], g, *old[1:], *map(Number, t), learning_rate=Number(rate), **hyper)
        except (TypeError, ValueError):  # it does with them what only tensors can do, such as t < 10
            new = self._rule(old[0], g, *old[1:], *t, learning_rate=rate, **hyper)
        return new if isinstance(new, tuple) else (new,)

    def _zeros(self, variable: Any, name: str) -> Any:
        shapes = getattr(self.rule, "state_shapes", {})
        if name in shapes:
            return self.add_variable(shapes[name](tuple(variable.shape)), dtype=variable.dtype, name=name)
        return self.add_variable_from_reference(variable, name)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Make one step. Entries of a sparse gradient for one row are summed first: clipping must see their sum."""
        super().apply([self._summed(g) for g in grads], trainable_variables)

    def _summed(self, g: Any) -> Any:
        if not isinstance(g, tf.IndexedSlices):
            return g
        if not self.lazy:
            return tf.convert_to_tensor(g)
        # static shapes: XLA computes silently wrong steps from tf.unique. The sum is at the first entry of its row
        rows = tf.sort(g.indices)
        sums = tf.math.unsorted_segment_sum(g.values, tf.searchsorted(rows, g.indices), tf.size(rows))
        return tf.IndexedSlices(sums, rows, g.dense_shape)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Apply the rule to one variable; with a sparse gradient, which only ``lazy`` lets through, to its rows."""
        dtype, hyper = variable.dtype, dict(self.hyper)
        if "weight_decay" in hyper and not self._use_weight_decay(variable):
            hyper["weight_decay"] = 0.0
        index = self._get_variable_index(variable)
        arrays, results = [variable, *self._state[index]], self._passes[index]
        g, rows = gradient, None
        if isinstance(gradient, tf.IndexedSlices):
            gradient = self._summed(gradient)  # again: replicas may have sent the same rows
            rows = gradient.indices
            g, results = tf.gather(gradient.values, tf.searchsorted(rows, rows)), self._results
        old = [tf.convert_to_tensor(a) if rows is None else tf.gather(a, rows) for a in arrays]
        t = [tf.cast(self.iterations + 1, dtype)] if signature(self.rule).takes_t else []
        new = results(old, tf.cast(g, dtype), t, tf.cast(learning_rate, dtype), hyper)
        for array, value in zip(arrays, new, strict=True):
            self.assign(array, value if rows is None else tf.IndexedSlices(value, rows))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, with the rule by its name.

        Raises
        ------
        ValueError
            If the rule is your own and not registered with Keras, so that no name leads back to it.
        """
        name = self.rule.__name__
        if _OURS.get(name) is not self.rule:
            name = keras.saving.get_registered_name(self.rule)
            if keras.saving.get_registered_object(name) is not self.rule:
                raise ValueError(
                    f"rule {name!r} cannot be saved by name: decorate it with"
                    " @keras.saving.register_keras_serializable(), or save and load inside"
                    f" keras.saving.custom_object_scope({{{name!r}: {name}}})"
                )
        return {**super().get_config(), **self.hyper, "rule": name, "lazy": self.lazy}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> RuleOptimizer:
        """Make the optimizer whose arguments :meth:`get_config` returned.

        Raises
        ------
        ValueError
            If no rule has the name: your own must be registered, or in ``custom_objects``.
        """
        rule = keras.saving.get_registered_object(config["rule"], custom_objects, _OURS)
        if rule is None:
            raise ValueError(f"no rule is known by the name {config['rule']!r}: register it, or pass custom_objects")
        made: RuleOptimizer = super().from_config({**config, "rule": rule}, custom_objects)
        return made


def optimizer(rule: Rule, learning_rate: Any = None, *, name: str | None = None, **arguments: Any) -> RuleOptimizer:
    r"""Make a Keras optimizer of a rule.

    Parameters
    ----------
    rule : function
        From :mod:`fo_lib.rules` or :mod:`fo_lib.matrix_rules`, or your own of the same form: a plain function that uses
        of NumPy what ``keras.ops`` has too. It is copied, and stays as it is.
    learning_rate : float or schedule, optional
        A number (by default the rule's own), one of Keras's schedules, or :func:`schedule` of one of ours. A number can
        be changed between steps by ``optimizer.learning_rate = x``, and is kept in float64; Keras's own schedules
        compute in float32, which costs weights of float64 a relative error of up to 6e-8 in each step.
    name : str, optional
        By default the rule's name.
    **arguments
        The rule's hyperparameters, such as ``beta1=0.95``: numbers, which stay what they are. And, as in any Keras
        optimizer: ``clipnorm`` (each variable's gradient), ``global_clipnorm`` (all together), ``clipvalue`` (each
        entry), ``weight_decay``, ``use_ema``, ``ema_momentum``, ``ema_overwrite_frequency``, ``loss_scale_factor``,
        ``gradient_accumulation_steps``.

        ``weight_decay`` belongs to the rule where the rule has one (:func:`~fo_lib.rules.adamw`,
        :func:`~fo_lib.rules.lion`). With any other rule Keras first shrinks the weights,
        :math:`w \gets w - \alpha \lambda w` (in float64 with :math:`\lambda` rounded to float32).
        ``exclude_from_weight_decay`` works for both.

        ``lazy=True`` changes what a sparse gradient does, such as that of an embedding. By default the step is that of
        the dense gradient, whatever the rule: momentum and Adam keep moving rows that have no gradient. With ``lazy``
        only the rows in the gradient change, and so does only their state. That is the same for rules that leave a
        weight without gradient as it is (gradient descent, sign descent, Adagrad), and another method for the others.
        Keras's own decay and averages still act on every row.

    Returns
    -------
    RuleOptimizer
        For ``model.compile``, or for a loop of your own: ``apply`` and ``apply_gradients``. Saved with the model, and
        loaded with it once ``fo_lib.keras`` is imported; a rule of your own must then be registered with Keras.

    Raises
    ------
    TypeError, ValueError
        If an argument is unknown, not a number or outside its range, or the rule is not a plain function.

    Examples
    --------
    >>> from fo_lib import keras, rules
    >>> keras.optimizer(rules.adam, learning_rate=3e-3, global_clipnorm=1.0).name
    'adam'
    """
    return RuleOptimizer(rule, learning_rate, name=name, **arguments)
