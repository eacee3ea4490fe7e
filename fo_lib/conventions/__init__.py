r"""How Keras, PyTorch and optax write the rules of :mod:`fo_lib.rules`: one table, of formulas that run.

A library's form of a method is itself a rule, of the same kind as the book's, with the library's defaults; its
docstring is its formula. The tests run every form against the library, and the book prints them.
"""

from . import forms
from .page import formula, markdown
from .peers import cases, first_step, live, ours, recorded, theirs, versions
from .table import METHODS, TABLE

__all__ = [
    "METHODS", "TABLE", "cases", "first_step", "forms", "formula", "live", "markdown", "ours", "recorded", "theirs",
    "versions",
]  # fmt: skip
