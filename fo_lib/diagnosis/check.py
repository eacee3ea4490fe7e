"""What a check is: :class:`Check`, made of a function by :func:`check`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .evidence import Evidence
from .findings import Finding

__all__ = ["Check", "check"]

Look = Callable[[Evidence], str | None]


@dataclass(frozen=True)
class Check:
    """A fault, the records that can show it, and the function that looks for it there.

    Parameters
    ----------
    cause, remedy : str
        As in :class:`Finding`.
    needs : tuple of str
        The fields of :class:`Evidence` without which nothing can be said.
    look : function
        ``look(evidence)``: what shows the fault, or None.
    """

    cause: str
    remedy: str
    needs: tuple[str, ...]
    look: Look

    def missing(self, evidence: Evidence) -> list[str]:
        """Return the records that are needed and were not made."""
        return [name for name in self.needs if getattr(evidence, name) is None]

    def __call__(self, evidence: Evidence) -> Finding | None:
        """Look for the fault."""
        shown = self.look(evidence)
        return None if shown is None else Finding(self.cause, shown, self.remedy)


def check(cause: str, *needs: str, remedy: str) -> Callable[[Look], Check]:
    """Make a :class:`Check` of the function below."""
    return lambda look: Check(cause, remedy, needs, look)
