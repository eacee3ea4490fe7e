"""Books of a few pages, built with the same configuration and the same strictness as the book itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = Path(__file__).parent / "fixture"
SHARED = ["book/_ext", "book/assets"]


def link_shared_folders(folder: Path) -> None:
    """Give a folder the book's configuration, extensions and assets."""
    (folder / "book").mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "_config.yml", folder)
    for name in SHARED:
        (folder / name).symlink_to(ROOT / name)


def write_book(folder: Path, page: str) -> None:
    """Write a book of one page."""
    link_shared_folders(folder)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: book/index\n", encoding="utf-8")
    (folder / "book" / "references.bib").touch()
    (folder / "book" / "index.md").write_text(page, encoding="utf-8")


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build a book as `make book` does."""
    command = [sys.executable, "-m", "tools.build_book", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
