"""Execute the chapters that changed and store their outputs: book/x.md is written to book/x.ipynb.

usage: python -m tools.run_notebooks [--all | --prose] [CHAPTER.md ...]

A chapter is run again when its source or the library's code has changed since it was last run here; what was
run is remembered in _build/notebooks, outside version control. Two runs of one chapter give the same bytes.
With --prose nothing is run: the outputs stay, under a text that changed around the same code.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
STAMPS = ROOT / "_build" / "notebooks"
WORKERS = 2
CELL_TIMEOUT = 7200 if os.environ.get("FO_FULL") == "1" else 600  # seconds; results that are stored take longer
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def use_notebook_environment() -> None:
    """Set the environment that kernels inherit, the same for everyone."""
    for line in (ROOT / "tools" / "notebook.env").read_text(encoding="utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            os.environ.setdefault(name, value)
    os.environ.pop("MPLBACKEND", None)  # a kernel shows figures inline unless told otherwise
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def is_chapter(path: Path) -> bool:
    """Whether a Markdown file is a notebook: its header names a kernel."""
    header = path.read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n")[0]
    return "kernelspec:" in header and "format_name: myst" in header


def find_chapters() -> list[Path]:
    sources = [*(ROOT / "book").rglob("*.md"), *(ROOT / "tests" / "book" / "fixture").rglob("*.md")]
    return sorted(path for path in sources if is_chapter(path))


def fingerprint(chapter: Path) -> str:
    """A hash of what outputs depend on: source, stored results, library and its data, packages, environment."""
    beside = sorted([*chapter.parent.glob("*.py"), *chapter.parent.glob("stored/*.json")])
    library = sorted([*(ROOT / "fo_lib").rglob("*.py"), *(ROOT / "fo_lib").glob("data/*")])
    digest = hashlib.sha256()
    for path in [chapter, *beside, *library, ROOT / "requirements.txt", ROOT / "tools" / "notebook.env"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def stamp_of(chapter: Path) -> Path:
    return STAMPS / chapter.relative_to(ROOT).with_suffix(".sha256")


def is_stale(chapter: Path) -> bool:
    stamp = stamp_of(chapter)
    current = stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint(chapter)
    return not (current and chapter.with_suffix(".ipynb").is_file())


def write(notebook: nbformat.NotebookNode, chapter: Path) -> None:
    """Write a notebook beside its source, with the same ids and metadata whoever ran it."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
    nbformat.validate(notebook)
    nbformat.write(notebook, chapter.with_suffix(".ipynb"))


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def keep_outputs(chapter: Path) -> float:
    """Write the notebook anew with the outputs that it has, or say that its code is no longer the same."""
    start = time.perf_counter()
    notebook = jupytext.read(chapter, fmt="md:myst")
    stored = code_cells(nbformat.read(chapter.with_suffix(".ipynb"), as_version=4))
    if [cell.source for cell in code_cells(notebook)] != [cell.source for cell in stored]:
        raise ValueError("the code has changed: run the chapter without --prose")
    for cell, old in zip(code_cells(notebook), stored, strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
    write(notebook, chapter)
    return time.perf_counter() - start


def execute(chapter: Path) -> float:
    """Run one chapter in its own folder, write the notebook, and return the seconds it took."""
    start = time.perf_counter()
    state = fingerprint(chapter)
    notebook = jupytext.read(chapter, fmt="md:myst")
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,  # no time stamps
        extra_arguments=["--log-level=ERROR"],  # no word on how kernel and client are connected
        coalesce_streams=True,  # one output per stream, however the prints were flushed
        resources={"metadata": {"path": str(chapter.parent)}},
    )
    client.execute()
    write(notebook, chapter)
    stamp_of(chapter).parent.mkdir(parents=True, exist_ok=True)
    stamp_of(chapter).write_text(state, encoding="utf-8")
    return time.perf_counter() - start


def describe(error: Exception) -> str:
    """The cell and the traceback of a chapter that failed."""
    return str(error) if isinstance(error, CellExecutionError) else repr(error)


def run(chapters: list[Path], make: Callable[[Path], float]) -> int:
    """Make notebooks side by side, reporting each as it ends; return the number that failed."""
    failures = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = {pool.submit(make, chapter): chapter for chapter in chapters}
        for number, job in enumerate(as_completed(jobs), start=1):
            name = jobs[job].relative_to(ROOT)
            error = job.exception()
            if error is None:
                print(f"[{number}/{len(jobs)}] {name}  {job.result():.1f} s", flush=True)
            else:
                failures += 1
                print(f"[{number}/{len(jobs)}] {name}  FAILED\n{describe(error)}", file=sys.stderr, flush=True)
    return failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", type=Path, help="default: every chapter that changed")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--all", action="store_true", help="run what has not changed, too")
    extent.add_argument("--prose", action="store_true", help="only text changed: run nothing, keep the outputs")
    options = parser.parse_args()
    use_notebook_environment()
    if others := [str(path) for path in options.chapters if path.suffix != ".md" or not is_chapter(path)]:
        parser.error(f"not the source of a notebook: {', '.join(others)}")
    chapters = [path.resolve() for path in options.chapters] or find_chapters()
    stale = [path for path in chapters if options.all or options.chapters or is_stale(path)]
    print(f"{len(chapters)} chapters, {len(stale)} to run", flush=True)
    sys.exit(1 if run(stale, keep_outputs if options.prose else execute) else 0)


if __name__ == "__main__":
    main()
