"""Every chapter's notebook matches its source, carries the outputs of a clean run, and keeps the cell rules.

That stored outputs are what the code gives is checked by nbval, which runs the notebooks.
"""

from __future__ import annotations

import copy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import jupytext
import nbformat
import pytest

from tests.book import notebook_rules as rules
from tests.book.small_book import FIXTURE, ROOT
from tools import run_notebooks

CHAPTERS = run_notebooks.find_chapters()
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


def copy_sample(folder: Path, change: Callable[[str], str]) -> Path:
    """Write the sample chapter with another source beside its old notebook."""
    shutil.copy(SAMPLE, folder)
    source = SAMPLE.with_suffix(".md").read_text(encoding="utf-8")
    assert change(source) != source
    (folder / "sample.md").write_text(change(source), encoding="utf-8")
    return folder / "sample.md"


def test_outputs_are_kept_under_a_new_text(tmp_path: Path) -> None:
    chapter = copy_sample(tmp_path, lambda source: source.replace("\n# Gradient descent", "\n# Descent"))
    run_notebooks.keep_outputs(chapter)
    new, old = read_notebook(chapter.with_suffix(".ipynb")), read_notebook(SAMPLE)
    assert list(rules.differences(jupytext.read(chapter, fmt="md:myst"), new)) == []
    assert list(rules.execution_faults(new)) == []
    assert new.metadata == old.metadata
    for cell, before in zip(new.cells, old.cells, strict=True):
        assert (cell.id, cell.get("outputs")) == (before.id, before.get("outputs"))


LAST = "```{code-cell} ipython3\nnp.round(path[:3], 4)\n```\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda source: source.replace("measured", "found"),
        lambda source: source.replace(LAST, ""),
        lambda source: source.replace(LAST, "").replace("```{code-cell}", f"{LAST}\n```{{code-cell}}", 1),
    ],
    ids=["changed", "removed", "moved"],
)
def test_outputs_are_kept_only_under_the_same_code(change: Callable[[str], str], tmp_path: Path) -> None:
    chapter = copy_sample(tmp_path, change)
    with pytest.raises(ValueError, match="the code has changed"):
        run_notebooks.keep_outputs(chapter)
    assert (tmp_path / "sample.ipynb").read_bytes() == SAMPLE.read_bytes()


@pytest.mark.parametrize(
    ("options", "make", "failures"), [(["--prose"], "keep_outputs", 0), (["--all"], "execute", 2), ([], "execute", 0)]
)
def test_a_chapter_that_is_named_is_made_as_the_option_says(
    options: list[str], make: str, failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chapter = SAMPLE.with_suffix(".md")
    run = Mock(return_value=failures)
    monkeypatch.setattr(run_notebooks, "run", run)
    monkeypatch.setattr(run_notebooks, "is_stale", lambda _: False)
    monkeypatch.setattr(run_notebooks, "use_notebook_environment", lambda: None)
    monkeypatch.setattr(sys, "argv", ["run_notebooks.py", *options, str(chapter)])
    with pytest.raises(SystemExit) as end:
        run_notebooks.main()
    assert end.value.code == (1 if failures else 0)
    run.assert_called_once_with([chapter], getattr(run_notebooks, make))


def test_chapters_that_fail_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    chapters = [SAMPLE.with_suffix(".md"), FIXTURE / "book" / "back.md"]
    assert run_notebooks.run(chapters, lambda chapter: 1 / (chapter != chapters[0])) == 1
    assert "sample.md  FAILED\nZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        "book/a.md",
        "book/helper.py",
        "book/stored/b.json",
        "fo_lib/rates/one.py",
        "fo_lib/data/c.npz",
        "requirements.txt",
    ],
)
def test_a_chapter_is_stale_after_a_change_of_what_it_depends_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(run_notebooks, "STAMPS", tmp_path / "stamps")
    chapter, notebook = tmp_path / "book" / "a.md", tmp_path / "book" / "a.ipynb"
    for path in (chapter, notebook, *(tmp_path / other for other in (name, "requirements.txt", "tools/notebook.env"))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert run_notebooks.is_stale(chapter)
    stamp = run_notebooks.stamp_of(chapter)
    stamp.parent.mkdir(parents=True)
    stamp.write_text(run_notebooks.fingerprint(chapter), encoding="utf-8")
    assert not run_notebooks.is_stale(chapter)
    (tmp_path / name).write_text("changed", encoding="utf-8")
    assert run_notebooks.is_stale(chapter)
    stamp.write_text(run_notebooks.fingerprint(chapter), encoding="utf-8")
    notebook.unlink()
    assert run_notebooks.is_stale(chapter)
