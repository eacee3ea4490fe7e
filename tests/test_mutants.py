"""The tables of mutation testing match the library: a mutant, or a planted fault, that is gone tests nothing."""

import tomllib
from pathlib import Path

import pytest

from tests.faults.test_planted_faults import FAULTS
from tools.mutants import EQUIVALENT, TABLE

ROOT = Path(__file__).parents[1]
MODULES = tomllib.loads((ROOT / TABLE).read_text(encoding="utf-8"))
ENTRIES = tomllib.loads((ROOT / EQUIVALENT).read_text(encoding="utf-8"))["equivalent"]


def files(key):
    rows = [row for module in MODULES.values() for row in module]
    return {pattern: sorted(ROOT.glob(pattern)) for row in rows for pattern in row[key]}


@pytest.mark.parametrize("key", ["files", "tests"])
def test_what_is_mutated_and_its_tests_are_there(key):
    assert [pattern for pattern, found in files(key).items() if not found] == []


def test_every_bound_is_mutated():
    mutated = {file for found in files("files").values() for file in found}
    assert set(ROOT.glob("fo_lib/rates/[!_]*.py")) | {ROOT / "fo_lib/rates/_arguments.py"} <= mutated


def test_every_equivalent_mutant_is_of_a_line_that_is_there_and_has_a_reason():
    mutated = {str(file.relative_to(ROOT)) for found in files("files").values() for file in found}
    for entry in ENTRIES:
        assert entry.keys() == {"file", "line", "mutant", "reason"}
        assert len(entry["reason"].split()) > 3, entry
        assert entry["file"] in mutated, entry
        text = "".join((ROOT / entry["file"]).read_text(encoding="utf-8").split())
        assert "".join(entry["line"].split()) in text, entry
        assert entry["line"] != entry["mutant"], entry


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_can_be_planted_and_its_test_is_there(fault):
    assert (ROOT / fault.file).read_text(encoding="utf-8").count(fault.old) == 1
    file, name = fault.test.split("::")
    assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8")
