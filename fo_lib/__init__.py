"""fo_lib: first-order methods, each written once, exactly as in the book."""

import importlib
from typing import Any

__version__ = "0.1.0"

# Public functions and classes, by the module that holds them; every other public name is a module.
_HOME = {
    "Problem": "problem",
    "Stepper": "engine",
    "Trace": "loop",
    "accelerate": "accelerated",
    "check_gradient": "gradients",
    "diagnose": "diagnosis",
    "frank_wolfe": "projection_free",
    "minimize": "loop",
    "mirror_descent": "mirror",
}

__all__ = [
    "Problem",
    "Stepper",
    "Trace",
    "accelerate",
    "accelerated",
    "all_reduce",
    "averages",
    "check_gradient",
    "compression",
    "conventions",
    "coordinate",
    "datasets",
    "diagnose",
    "diagnosis",
    "distributed",
    "engine",
    "exercises",
    "frank_wolfe",
    "gradients",
    "keras",
    "learning_rates",
    "linear_models",
    "local_steps",
    "matrix_rules",
    "minimize",
    "mirror",
    "mirror_descent",
    "newton",
    "out_of_core",
    "planning",
    "plots",
    "primal_dual",
    "problems",
    "projection_free",
    "prox",
    "question_bank",
    "rates",
    "rules",
    "sets",
    "skip_gram",
    "staleness",
    "stored",
    "sweeps",
    "team",
    "text",
    "training",
    "transforms",
    "word2vec",
    "word_vectors",
    "workers",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'fo_lib' has no attribute {name!r}")
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    return importlib.import_module(f".{name}", __name__)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
