"""Look at what the book depends on: licences, a bill of materials, known vulnerabilities.

usage: python -m tools.audit [licences] [materials] [vulnerabilities]      (default: all three)

The tools have a lock and an environment of their own, .cache/audit. The bill of materials is CycloneDX, in
_build/materials.json. Vulnerabilities are looked up at PyPI; a package that it does not know fails the audit.
What may pass stands in tools/audit.toml.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.txt"
TOOLS = ROOT / ".cache" / "audit"
MATERIALS = ROOT / "_build" / "materials.json"


def rules() -> dict[str, Any]:
    """What the audit lets pass."""
    return tomllib.loads((ROOT / "tools" / "audit.toml").read_text(encoding="utf-8"))


def install() -> None:
    """Make the environment of the audit's tools as its lock says."""
    if not (TOOLS / "bin" / "python").exists():
        venv.create(TOOLS, with_pip=True)
    quiet = ["--disable-pip-version-check", "--quiet", "--require-hashes", "-r", str(ROOT / "tools" / "audit.txt")]
    subprocess.run([TOOLS / "bin" / "python", "-m", "pip", "install", *quiet], check=True)


def licences() -> list[str]:
    """The command that fails if an installed package has a licence that is not allowed."""
    table = rules()["licences"]
    names = [exception["name"] for exception in table["exceptions"]]
    options = ["--summary", "--from=mixed", "--partial-match", f"--allow-only={';'.join(table['allowed'])}"]
    return ["pip-licenses", f"--python={sys.executable}", *options, "--ignore-packages", "fo-lib", *names]


def materials() -> list[str]:
    """The command that writes the bill of materials of the lock."""
    MATERIALS.parent.mkdir(exist_ok=True)
    return ["cyclonedx-py", "requirements", str(LOCK), "--output-reproducible", f"--output-file={MATERIALS}"]


def vulnerabilities() -> list[str]:
    """The command that fails if a package of the lock has a known vulnerability."""
    ignored = [f"--ignore-vuln={exception['name']}" for exception in rules()["vulnerabilities"]["exceptions"]]
    return ["pip-audit", f"--requirement={LOCK}", "--require-hashes", "--disable-pip", "--strict", *ignored]


PARTS = {"licences": licences, "materials": materials, "vulnerabilities": vulnerabilities}


def main() -> None:
    chosen = sys.argv[1:] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        sys.exit(f"The audit has the parts {', '.join(PARTS)}, not {', '.join(unknown)}.")
    install()
    failed = []
    for name in chosen:
        tool, *arguments = PARTS[name]()
        print(f"Audit: {name}", flush=True)
        if subprocess.run([TOOLS / "bin" / tool, *arguments], check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"The audit failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
