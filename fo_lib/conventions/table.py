"""The table: each method as each library has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import matrix_rules, rules
from ..engine import signature
from . import forms

__all__ = ["METHODS", "TABLE", "Convention"]

Rule = Callable[..., Any]

_ORDER = (
    "gradient_descent", "momentum", "nesterov", "sign_descent", "lion", "adagrad", "rmsprop", "adadelta",
    "adam", "adamw", "adamax", "amsgrad", "nadam", "muon", "shampoo",
)  # fmt: skip
#: Our rules, in the order of the table.
METHODS: dict[str, Rule] = {n: getattr(rules, n, None) or getattr(matrix_rules, n) for n in _ORDER}


@dataclass(frozen=True, kw_only=True)
class Convention:
    """One method as one library has it.

    Parameters
    ----------
    method, library, call : str
        The name of our rule, of the library, and of the class or function there.
    rule : function
        What the library does, as a rule that runs: ours, or one of :mod:`fo_lib.conventions.forms`.
    names : mapping
        The library's name of each hyperparameter.
    defaults : mapping
        Hyperparameters whose default is not that of ``rule``.
    required : tuple of str
        Hyperparameters that the call must give: there is no default, or that of another method.
    chosen : mapping
        Arguments that choose the method.
    start : float
        What the last state starts from.
    agree : mapping
        Arguments, in the library's names, with which it takes the steps of our rule.
    ours : mapping
        Arguments of our rule with which it then does: numbers, or expressions in ``t`` and the hyperparameters.
    same : str
        "always", "constant" (as long as the learning rate does not change) or "never": whether these arguments suffice.
    note : str
        What else to know.
    """

    method: str
    library: str
    call: str
    rule: Rule
    names: Mapping[str, str]
    defaults: Mapping[str, float] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    chosen: Mapping[str, Any] = field(default_factory=dict)
    start: float = 0.0
    agree: Mapping[str, Any] = field(default_factory=dict)
    ours: Mapping[str, Any] = field(default_factory=dict)
    same: str = "always"
    note: str = ""

    @property
    def hyper(self) -> dict[str, float]:
        """The library's defaults, in our names."""
        return {**signature(self.rule).hyper, **self.defaults}

    def arguments(self, hyper: Mapping[str, float]) -> dict[str, Any]:
        """The library's arguments for hyperparameters in our names."""
        given: dict[str, Any] = {self.names[name]: value for name, value in hyper.items() if name in self.names}
        if "beta1" in given:
            given["betas"] = (given.pop("beta1"), given.pop("beta2"))
        return {**self.chosen, **given}


_KERAS = {"learning_rate": "learning_rate"}
_KERAS_ADAM = {**_KERAS, "beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon"}
_TORCH = {"learning_rate": "lr"}
_TORCH_ADAM = {**_TORCH, "beta1": "beta1", "beta2": "beta2", "epsilon": "eps"}
_OPTAX_ADAM = {**_KERAS, "beta1": "b1", "beta2": "b2", "epsilon": "eps"}
_MOMENTUM, _DECAY = {"momentum": "momentum"}, {"weight_decay": "weight_decay"}
_HAT = {"epsilon": "epsilon / (1 - beta2**t) ** 0.5"}
_CORRECTED = {"learning_rate": "learning_rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t)"}
_TINY = 1e-30  # no epsilon, and yet no division by zero


def _keras(method: str, call: str, rule: Rule, names: Mapping[str, str], **rest: Any) -> Convention:
    return Convention(method=method, library="Keras", call=call, rule=rule, names={**_KERAS, **names}, **rest)


def _torch(method: str, call: str, rule: Rule, names: Mapping[str, str], **rest: Any) -> Convention:
    return Convention(method=method, library="PyTorch", call=call, rule=rule, names={**_TORCH, **names}, **rest)


def _optax(method: str, call: str, rule: Rule, names: Mapping[str, str], **rest: Any) -> Convention:
    rest = {"required": ("learning_rate",), **rest}
    return Convention(method=method, library="optax", call=call, rule=rule, names={**_KERAS, **names}, **rest)


_NESTEROV = {"nesterov": True}
_BOTH = ("learning_rate", "momentum")

TABLE: tuple[Convention, ...] = (
    _keras("gradient_descent", "SGD", rules.gradient_descent, {}, defaults={"learning_rate": 0.01}),
    _torch("gradient_descent", "SGD", rules.gradient_descent, {}, defaults={"learning_rate": 0.001}),
    _optax("gradient_descent", "sgd", rules.gradient_descent, {}),
    _keras("momentum", "SGD", rules.momentum, _MOMENTUM, required=("momentum",)),
    _torch(
        "momentum", "SGD", forms.rate_outside, _MOMENTUM, defaults={"learning_rate": 0.001}, required=("momentum",),
        same="constant", note="`dampening=0`; with another the gradient is scaled by `1 - dampening`",
    ),
    _optax("momentum", "sgd", forms.rate_outside, _MOMENTUM, required=_BOTH, same="constant"),
    _keras("nesterov", "SGD", rules.nesterov, _MOMENTUM, required=("momentum",), chosen=_NESTEROV),
    _torch(
        "nesterov", "SGD", forms.rate_outside_nesterov, _MOMENTUM, defaults={"learning_rate": 0.001},
        required=("momentum",), chosen=_NESTEROV, same="constant",
    ),
    _optax(
        "nesterov", "sgd", forms.rate_outside_nesterov, _MOMENTUM, required=_BOTH, chosen=_NESTEROV, same="constant"
    ),
    _optax("sign_descent", "sign_sgd", rules.sign_descent, {}),
    _keras(
        "lion", "Lion", rules.lion, {"beta1": "beta_1", "beta2": "beta_2", **_DECAY}, defaults={"learning_rate": 0.001},
    ),
    _optax("lion", "lion", rules.lion, {"beta1": "b1", "beta2": "b2", **_DECAY}, defaults={"weight_decay": 0.001}),
    _keras(
        "adagrad", "Adagrad", forms.adagrad_inside, {"epsilon": "epsilon"}, start=0.1,
        agree={"epsilon": _TINY, "initial_accumulator_value": 0.0}, ours={"epsilon": _TINY},
    ),
    _torch("adagrad", "Adagrad", rules.adagrad, {"epsilon": "eps"}),
    _optax(
        "adagrad", "adagrad", forms.adagrad_inside, {"epsilon": "eps"}, defaults={"learning_rate": 0.01}, start=0.1,
        agree={"eps": _TINY, "initial_accumulator_value": 0.0}, ours={"epsilon": _TINY},
    ),
    _keras(
        "rmsprop", "RMSprop", forms.rmsprop_inside, {"rho": "rho", "epsilon": "epsilon"},
        agree={"epsilon": _TINY}, ours={"epsilon": _TINY},
    ),
    _torch(
        "rmsprop", "RMSprop", rules.rmsprop, {"rho": "alpha", "epsilon": "eps"},
        defaults={"learning_rate": 0.01, "rho": 0.99},
    ),
    _optax(
        "rmsprop", "rmsprop", forms.rmsprop_inside, {"rho": "decay", "epsilon": "eps"}, defaults={"epsilon": 1e-8},
        agree={"eps_in_sqrt": False},
    ),
    _keras(
        "adadelta", "Adadelta", rules.adadelta, {"rho": "rho", "epsilon": "epsilon"},
        defaults={"learning_rate": 0.001, "epsilon": 1e-7},
    ),
    _torch("adadelta", "Adadelta", rules.adadelta, {"rho": "rho", "epsilon": "eps"}, defaults={"rho": 0.9}),
    _optax(
        "adadelta", "adadelta", rules.adadelta, {"rho": "rho", "epsilon": "eps"}, defaults={"rho": 0.9},
        note="without a `learning_rate`, its default, every step goes **up** the gradient",
    ),
    _keras("adam", "Adam", forms.adam_hat, _KERAS_ADAM, ours=_HAT),
    _torch("adam", "Adam", rules.adam, _TORCH_ADAM),
    _optax("adam", "adam", rules.adam, _OPTAX_ADAM),
    _keras("adamw", "AdamW", forms.adamw_hat, {**_KERAS_ADAM, **_DECAY}, ours=_HAT),
    _torch("adamw", "AdamW", rules.adamw, {**_TORCH_ADAM, **_DECAY}),
    _optax("adamw", "adamw", rules.adamw, {**_OPTAX_ADAM, **_DECAY}, defaults={"weight_decay": 1e-4}),
    _keras("adamax", "Adamax", rules.adamax, _KERAS_ADAM, defaults={"learning_rate": 0.001, "epsilon": 1e-7}),
    _torch("adamax", "Adamax", forms.adamax_inside, _TORCH_ADAM, agree={"eps": _TINY}, ours={"epsilon": _TINY}),
    _optax("adamax", "adamax", forms.adamax_inside, _OPTAX_ADAM, agree={"eps": _TINY}, ours={"epsilon": _TINY}),
    _keras("amsgrad", "Adam", forms.amsgrad_hat, _KERAS_ADAM, chosen={"amsgrad": True}, ours=_CORRECTED),
    _torch(
        "amsgrad", "Adam", forms.amsgrad_after, _TORCH_ADAM, chosen={"amsgrad": True},
        ours={**_CORRECTED, "epsilon": "epsilon * (1 - beta2**t) ** 0.5"},
    ),
    _optax(
        "amsgrad", "amsgrad", forms.amsgrad_before, _OPTAX_ADAM,
        agree={"bias_correction_mu": False, "bias_correction_nu": False},
    ),
    _keras(
        "nadam", "Nadam", rules.nadam, _KERAS_ADAM,
        defaults={"learning_rate": 0.001, "epsilon": 1e-7, "momentum_decay": 1.0}, ours={"momentum_decay": 1.0},
        note="no argument sets `momentum_decay`: it is 1, not 0.004",
    ),
    _torch("nadam", "NAdam", rules.nadam, {**_TORCH_ADAM, "momentum_decay": "momentum_decay"}),
    _optax("nadam", "nadam", forms.nadam_constant, _OPTAX_ADAM, ours={"momentum_decay": 1e6}),
    _keras(
        "muon", "Muon", forms.muon_rms, {**_MOMENTUM, **_DECAY},
        agree={"rms_rate": None, "weight_decay": None},
        note="arrays that are not matrices: AdamW; float64 fails unless `rms_rate=None`",
    ),
    _torch(
        "muon", "Muon", forms.muon_rows, {**_MOMENTUM, **_DECAY}, same="never",
        note='matrices only; `adjust_lr_fn="match_rms_adamw"` scales as Keras does',
    ),
    _optax(
        "muon", "contrib.muon", forms.muon_corrected, {"momentum": "beta"}, same="never",
        note="arrays that are not matrices: AdamW; `consistent_rms=0.2` scales as Keras does",
    ),
)  # fmt: skip
