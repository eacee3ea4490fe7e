"""What a diagnosis says: :class:`Finding`, and :class:`Diagnosis` for all of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Diagnosis", "Finding"]


@dataclass(frozen=True)
class Finding:
    """One fault of a run, with what shows it.

    Parameters
    ----------
    cause : str
        The fault in a few words, such as ``"learning rate too large"``: one of :data:`fo_lib.diagnosis.CAUSES`.
    evidence : str
        The numbers from which it follows.
    remedy : str
        What to do, or to look at next.
    """

    cause: str
    evidence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}\n  evidence: {self.evidence}\n  remedy:   {self.remedy}"


@dataclass(frozen=True)
class Diagnosis:
    """All that was found, the likely cause first.

    Parameters
    ----------
    findings : tuple of Finding
        Empty where nothing was found.
    looked_for : tuple of str
        The faults that the run's records could have shown.
    not_looked_for : tuple of str
        The faults that they cannot show, each with what is missing.
    """

    findings: tuple[Finding, ...]
    looked_for: tuple[str, ...]
    not_looked_for: tuple[str, ...]

    @property
    def cause(self) -> str | None:
        """The likely cause; None where nothing was found."""
        return self.findings[0].cause if self.findings else None

    @property
    def causes(self) -> list[str]:
        """The causes of all findings."""
        return [finding.cause for finding in self.findings]

    def __str__(self) -> str:
        found = "\n".join(map(str, self.findings)) or "nothing found"
        return (
            f"{found}\n({len(self.looked_for)} faults looked for, {len(self.not_looked_for)} not: no records of them)"
        )

    __repr__ = __str__
