"""Where data come from: the package's folder, and packages that bring their own. All bytes are checked."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import Any

__all__ = ["DATA", "require", "verify"]

DATA = Path(__file__).parent.parent / "data"


def require(module: str, package: str) -> Any:
    """Import a module, or say which package brings it (ImportError)."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this data set comes with {package}: pip install {package}") from error


def verify(name: str, content: bytes, expected: str) -> None:
    """Refuse bytes whose SHA-256 is not the expected one (ValueError)."""
    got = hashlib.sha256(content).hexdigest()
    if got != expected:
        raise ValueError(f"{name} is not the original: its SHA-256 must be {expected}, got {got}")
