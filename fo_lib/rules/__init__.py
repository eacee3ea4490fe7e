r"""Update rules, each written once, exactly as in the book.

A rule maps weights and gradient, and the state it carries, to new ones. It is plain element-wise
arithmetic: no side effect, no hidden state, and no weight sees another. The same text runs on Python
floats, NumPy arrays and tensors, and the engine compiles it to one pass over memory.

The parameters of a rule have a fixed order, and the engine reads their roles from it:

* ``w``, ``g``: weights and gradient, of one shape and dtype;
* the state (``v``, ``s``, ``m``, ``u``, ``c``): of the shape and dtype of ``w``, zero before the first step;
* ``t``, where the rule needs it: the number of the step, counting from 1;
* hyperparameters, each with its default. The first is always ``learning_rate``.

A rule without state returns the new weights; one with state returns ``(w, *state)``.
"""

from .adaptive import adadelta, adagrad, rmsprop
from .descent import gradient_descent, lion, momentum, nesterov, sign_descent
from .moments import adam, adamax, adamw, amsgrad, nadam

__all__ = [
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "amsgrad",
    "gradient_descent",
    "lion",
    "momentum",
    "nadam",
    "nesterov",
    "rmsprop",
    "sign_descent",
]
