"""What `tools/pyodide.py` takes for Pyodide, and what it refuses."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tools import pyodide


def write_small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Write a distribution of a few bytes, and make its hashes the expected ones."""
    files = {name: name.encode() for name in ("core.js", "numpy.whl", "base.whl", "other.whl")}
    sha = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    packages = {
        "numpy": {"file_name": "numpy.whl", "sha256": sha["numpy.whl"], "depends": ["base"]},
        "base": {"file_name": "base.whl", "sha256": sha["base.whl"], "depends": []},
        "other": {"file_name": "other.whl", "sha256": sha["other.whl"], "depends": []},
    }
    files[pyodide.LOCK] = json.dumps({"packages": packages}).encode()
    monkeypatch.setattr(pyodide, "CORE", {"core.js": sha["core.js"]})
    monkeypatch.setattr(pyodide, "PACKAGES", ["numpy"])
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return files


def test_a_site_gets_the_packages_of_the_book_and_those_that_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_small(tmp_path, monkeypatch)
    pyodide.install(str(tmp_path), tmp_path / "static")
    copied = {path.name: path.read_bytes() for path in (tmp_path / "static" / "pyodide").iterdir()}
    assert copied == {name: content for name, content in files.items() if name != "other.whl"}


@pytest.mark.parametrize("name", ["core.js", "base.whl"])
def test_a_file_that_is_not_the_original_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_small(tmp_path, monkeypatch)
    (tmp_path / name).write_bytes(b"changed")
    with pytest.raises(ValueError, match=f"{name} is not Pyodide's"):
        pyodide.install(str(tmp_path), tmp_path / "static")
    assert not (tmp_path / "static").exists()


def test_the_address_of_the_book_has_the_version_of_the_tests() -> None:
    config = (pyodide.ROOT / "_config.yml").read_text(encoding="utf-8")
    assert f"/pyodide/v{pyodide.VERSION}/full/" in config
