"""What went wrong in a run, and what shows it: :func:`diagnose`, for a trace, a Keras history or one's own records."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from ..trace import Trace
from . import curves, networks, order
from .evidence import Evidence, from_history, from_series, from_trace
from .findings import Diagnosis, Finding

__all__ = ["CAUSES", "Diagnosis", "Finding", "Watch", "diagnose"]  # Watch: only where Keras is

CHECKS = (*networks.CHECKS, *order.CHECKS, *curves.CHECKS)  # a fault stands before the symptoms that it causes

#: All causes that can be found, in the order in which they are looked for.
CAUSES = tuple(dict.fromkeys(check.cause for check in CHECKS))


def diagnose(run: Any) -> Diagnosis:
    """Name what went wrong in a run, with the numbers that show it. Without evidence nothing is said.

    Parameters
    ----------
    run : Trace, Watch, history or mapping
        What :func:`~fo_lib.loop.minimize` returned; a :class:`Watch` that was given to ``fit``, which sees most; what
        Keras's ``fit`` returned; or records of a loop of your own, by name: arrays ``loss``, ``validation_loss``,
        ``grad_norm``, ``learning_rate`` and ``step_length`` with one entry for each recorded step or epoch, and
        ``batch_loss`` of shape (epochs, batches).

    Returns
    -------
    Diagnosis
        The findings, the likely cause first, and what could not be looked for.

    Raises
    ------
    TypeError, ValueError
        If ``run`` is none of these, or holds no or unequal series.

    Examples
    --------
    >>> from fo_lib import diagnose, minimize, problems
    >>> problem = problems.quadratic([1, 10])
    >>> print(diagnose(minimize(problem, learning_rate=0.25, steps=30)).cause)
    learning rate too large
    >>> print(diagnose(minimize(problem, learning_rate=0.1, steps=30)).cause)
    None
    """
    evidence = _read(run)
    asked = [check for check in CHECKS if not check.missing(evidence)]
    found = [finding for check in asked if (finding := check(evidence))]
    looked = dict.fromkeys(check.cause for check in asked)
    missing = {check.cause: check.missing(evidence) for check in CHECKS if check.cause not in looked}
    return Diagnosis(
        findings=tuple({finding.cause: finding for finding in reversed(found)}.values())[::-1],
        looked_for=tuple(looked),
        not_looked_for=tuple(f"{cause} (needs {', '.join(names)})" for cause, names in missing.items()),
    )


def _read(run: Any) -> Evidence:
    if isinstance(run, Trace):
        return from_trace(run)
    if isinstance(run, Mapping):
        return from_series(run)
    if hasattr(run, "snapshots") and hasattr(run, "history"):
        return from_history(run.history, run.snapshots, run.batch_loss)
    if isinstance(getattr(run, "history", None), dict):
        return from_history(run)
    raise TypeError(f"run must be a Trace, a Watch, a Keras History or a mapping of arrays, got {type(run).__name__}")


def __getattr__(name: str) -> Any:
    if name == "Watch":
        return importlib.import_module(".watch", __name__).Watch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
