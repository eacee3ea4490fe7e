"""Every chapter's notebook matches its source, carries the outputs of a clean run, and keeps the cell rules.

That stored outputs are what the code gives is checked by nbval, which runs the notebooks.
"""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest

from tests.book import notebook_rules as rules
from tests.book.small_book import FIXTURE, ROOT
from tools.run_notebooks import find_chapters, keep_outputs

CHAPTERS = find_chapters()
SAMPLE = FIXTURE / "book" / "sample.ipynb"
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=[str(path.relative_to(ROOT)) for path in CHAPTERS])


def read_notebook(path: Path) -> Any:
    assert path.is_file(), f"{path.relative_to(ROOT)} is missing: run `make notebooks`"
    return nbformat.read(path, as_version=4)


@each_chapter
def test_notebook_matches_its_source(chapter: Path) -> None:
    source = jupytext.read(chapter, fmt="md:myst")
    faults = list(rules.differences(source, read_notebook(chapter.with_suffix(".ipynb"))))
    assert not faults, f"run `make notebooks`: {faults}"


@each_chapter
@pytest.mark.parametrize("rule", [rules.execution_faults, rules.figure_faults, rules.cell_faults])
def test_notebook_keeps_the_rules(chapter: Path, rule: Callable[[Any], Any]) -> None:
    assert list(rule(read_notebook(chapter.with_suffix(".ipynb")))) == []


def test_every_notebook_has_a_source() -> None:
    notebooks = [path for path in (ROOT / "book").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts]
    assert {path.with_suffix(".md") for path in notebooks} <= set(CHAPTERS)


# The rules themselves: each fault, put into the sample chapter's notebook, is found.


def set_last_source(text: str) -> Callable[[Any], None]:
    def change(notebook: Any) -> None:
        [*_, last] = (cell for _, cell in rules.code_cells(notebook))
        last.source = text

    return change


def strip_outputs(notebook: Any) -> None:
    for _, cell in rules.code_cells(notebook):
        cell.outputs, cell.execution_count = [], None


def forget_alt_text(notebook: Any) -> None:
    for _, cell in rules.code_cells(notebook):
        cell.metadata.get("mystnb", {}).pop("image", None)


def forget_caption(notebook: Any) -> None:
    for _, cell in rules.code_cells(notebook):
        cell.metadata.get("mystnb", {}).pop("figure", None)


def add_output(**fields: Any) -> Callable[[Any], None]:
    def change(notebook: Any) -> None:
        next(rules.code_cells(notebook))[1].outputs.append(nbformat.v4.new_output(**fields))

    return change


def skip_comparison(notebook: Any) -> None:
    next(rules.code_cells(notebook))[1].metadata["tags"] = ["nbval-ignore-output"]


FAULTS = [
    (strip_outputs, rules.execution_faults, "outputs stripped"),
    (add_output(output_type="stream", name="stderr", text="warning"), rules.execution_faults, "stderr"),
    (
        add_output(output_type="error", ename="ValueError", evalue="", traceback=[]),
        rules.execution_faults,
        "ValueError",
    ),
    (forget_alt_text, rules.figure_faults, "alt text"),
    (forget_caption, rules.figure_faults, "caption"),
    (skip_comparison, rules.cell_faults, "escapes"),
    (set_last_source("\n".join(["x = 1"] * 16)), rules.cell_faults, "16 lines"),
    (set_last_source("x = " + "1" * 85), rules.cell_faults, "wider than 88"),
    (set_last_source("def f():\n    import os"), rules.cell_faults, "imports"),
    (set_last_source("%matplotlib inline"), rules.cell_faults, "% or !"),
    (set_last_source("plt.rcParams['a'] = 1"), rules.cell_faults, "rcParams"),
    (set_last_source("rng = np.random.default_rng()"), rules.cell_faults, "without a seed"),
    (set_last_source("x = np.random.randn(3)"), rules.cell_faults, "hidden generator"),
]


@pytest.mark.parametrize(("change", "rule", "words"), FAULTS, ids=[words for _, _, words in FAULTS])
def test_rule_finds_its_fault(change: Callable[[Any], None], rule: Callable[[Any], Any], words: str) -> None:
    notebook = copy.deepcopy(read_notebook(SAMPLE))
    assert list(rule(notebook)) == []
    change(notebook)
    assert any(words in fault for fault in rule(notebook))


@pytest.mark.parametrize("change", [set_last_source("x = 1"), lambda notebook: notebook.cells.pop(), forget_caption])
def test_drift_from_the_source_is_found(change: Callable[[Any], None]) -> None:
    source = jupytext.read(SAMPLE.with_suffix(".md"), fmt="md:myst")
    notebook = read_notebook(SAMPLE)
    assert list(rules.differences(source, notebook)) == []
    change(notebook)
    assert list(rules.differences(source, notebook))


def test_an_edited_output_fails_nbval(tmp_path: Path) -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    assert "measured 0.818182" in text
    (tmp_path / "sample.ipynb").write_text(text.replace("measured 0.818182", "measured 0.818183"), encoding="utf-8")
    (tmp_path / "descent.py").write_text((SAMPLE.parent / "descent.py").read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-q"]
    result = subprocess.run([*command, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stdout
    assert "1 failed" in result.stdout


def test_outputs_are_kept_under_a_new_text_only_as_long_as_the_code_is_the_same(tmp_path: Path) -> None:
    chapter = tmp_path / "sample.md"
    source = SAMPLE.with_suffix(".md").read_text(encoding="utf-8")
    (tmp_path / "sample.ipynb").write_text(SAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    heading = next(line for line in source.splitlines() if line.startswith("# "))
    chapter.write_text(source.replace(heading, f"{heading} anew"), encoding="utf-8")
    keep_outputs(chapter)
    new, old = read_notebook(chapter.with_suffix(".ipynb")), read_notebook(SAMPLE)
    assert list(rules.differences(jupytext.read(chapter, fmt="md:myst"), new)) == []
    assert [cell.get("outputs") for cell in new.cells] == [cell.get("outputs") for cell in old.cells]
    chapter.write_text(source.replace("measured", "found"), encoding="utf-8")
    with pytest.raises(ValueError, match="the code has changed"):
        keep_outputs(chapter)
