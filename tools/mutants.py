"""Mutation testing: change one place of the library at a time, and see that a test notices. Run by `make mutants`.

Nothing is changed in this folder: the tests run in a copy of it. What is mutated, and which tests speak of it, is in
`tools/mutants.toml`; mutants that no test can kill are in `tests/equivalent_mutants.toml`, each with the reason.
The mutations are cosmic-ray's; its own runner would start an interpreter for each, and takes nine times as long.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

TABLE, EQUIVALENT = Path("tools/mutants.toml"), Path("tests/equivalent_mutants.toml")
LOG = Path("mutants.log")  # in the copy: what the last tests said
ENOUGH = 0.95  # of the mutants that are not equivalent
# Imported once, before the forks. Pytest warns that it cannot rewrite the asserts in them: there are none of ours.
PRELOADED = ["pytest", "numpy", "scipy.optimize", "numba", "hypothesis.extra.numpy", "nbval.plugin"]
PYTEST = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not (minutes or site or browser or slow)"]
PYTEST += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
Key = tuple[str, str, str]  # of an equivalent mutant
MEMORY = 8 << 30  # bytes: a mutant may ask for any number of them


def copy_tree(source: Path, folder: Path, *names: str) -> None:
    """Copy what is not built, or some files and folders of it, without the notebooks."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *names]
    listed = subprocess.run(command, cwd=source, check=True, capture_output=True).stdout.decode()
    for name in map(Path, filter(None, listed.split("\0"))):
        if (source / name).is_file() and name.suffix != ".ipynb":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, folder / name)


@dataclass
class Part:
    """Files that are mutated, and the tests that speak of them, fastest first."""

    files: list[Path]
    tests: list[str]
    limit: float = 600.0  # seconds


@dataclass
class Module:
    """What is reported together."""

    name: str
    parts: list[Part]
    drawn: int = 0
    killed: int = 0
    equivalent: int = 0
    survived: int = 0

    @property
    def part(self) -> dict[Path, Part]:
        return {file: part for part in self.parts for file in part.files}

    @property
    def rate(self) -> float:
        alive = self.drawn - self.equivalent
        return self.killed / alive if alive else 1.0


def found(patterns: list[str]) -> list[Path]:
    """Return the files of some patterns, in order."""
    files = {pattern: sorted(Path().glob(pattern)) for pattern in patterns}
    if missing := [pattern for pattern, matches in files.items() if not matches]:
        raise SystemExit(f"{TABLE}: no file is {', '.join(missing)}")
    return list(dict.fromkeys(file for matches in files.values() for file in matches))


def modules(names: list[str]) -> list[Module]:
    """Read the table, or some modules of it."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    for name in names:
        if name not in table:
            raise SystemExit(f"MODULES must be some of {', '.join(table)}, got {name!r}")
    parts = {
        name: [Part(found(row["files"]), list(map(str, found(row["tests"])))) for row in table[name]]
        for name in names or table
    }
    return [Module(name, parts[name]) for name in parts]


def key(file: str, line: str, mutant: str) -> Key:
    """What a mutant is known by: operators leave blanks behind, and lines move."""
    return file, "".join(line.split()), "".join(mutant.split())


def equivalents() -> set[Key]:
    """Read the list of equivalent mutants."""
    entries = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["equivalent"]
    return {key(entry["file"], entry["line"], entry["mutant"]) for entry in entries}


def unmatched(listed: set[Key]) -> list[str]:
    """Return what is wrong with the entries that are not, or no longer, mutants."""
    from tools.mutant_sites import mutant_of, sites

    possible = set[Key]()
    for file in sorted({file for file, _, _ in listed if Path(file).exists()}):
        lines = [line for name, line, _ in listed if name == file]
        near = [site for site in sites(Path(file), "") if any("".join(site.line.split()) in line for line in lines)]
        possible |= {key(file, mutant.line, mutant.becomes) for mutant in map(mutant_of, near) if mutant is not None}
    return [f"listed as equivalent, and no mutant: {entry}" for entry in sorted(listed - possible)]


def preload() -> None:
    """Import what every test needs, once, before the forks."""
    for name in PRELOADED:
        importlib.import_module(name)
    from hypothesis import Phase, settings

    # a failure is enough: no smaller example is looked for
    settings.register_profile("mutants", deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])


def _child(tests: list[str]) -> NoReturn:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with LOG.open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    import pytest

    os._exit(pytest.main([*PYTEST, *tests]))


def passes(part: Part) -> bool:
    """Run the tests in a fork; a run that exceeds the limit does not pass."""
    child, end = os.fork(), time.monotonic() + part.limit
    if child == 0:
        _child(part.tests)
    done, status = 0, 1
    try:
        while not done and time.monotonic() < end:
            time.sleep(0.01)
            done, status = os.waitpid(child, os.WNOHANG)
    finally:  # of a wait that was interrupted, too
        if not done:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return bool(done) and status == 0


def prepare(part: Part) -> None:
    """Measure how long the tests take, and see that they run on this copy of the files."""
    began = time.monotonic()
    if not passes(part):
        raise SystemExit(f"{LOG.read_text()[-3000:]}\nso they fail before anything is mutated: {' '.join(part.tests)}")
    part.limit = 3 * (time.monotonic() - began) + 20
    for file in part.files:
        with written(file, "raise AssertionError\n"):
            if passes(part):
                raise SystemExit(f"{file} is not imported by {' '.join(part.tests)}")


@contextlib.contextmanager
def written(file: Path, text: str) -> Iterator[None]:
    """Write another text into a file, for a while."""
    original = file.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    yield
    file.write_text(original, encoding="utf-8")


def test(module: Module, sample: int | None, seed: str, listed: set[Key]) -> list[str]:
    """Test as many mutants of a module; return what is wrong with the list of equivalent ones."""
    from tools.mutant_sites import ranked

    wrong, ready = [], set[int]()
    for mutant in itertools.islice(ranked(list(module.part), seed), sample):
        part = module.part[mutant.site.file]
        if id(part) not in ready:
            prepare(part)
            ready.add(id(part))
        with written(mutant.site.file, mutant.code):
            survived = passes(part)
        known = key(str(mutant.site.file), mutant.line, mutant.becomes) in listed
        module.drawn += 1
        module.killed += not survived
        module.equivalent += survived and known
        module.survived += survived and not known
        if survived and not known:
            print(f"survived: {mutant}", flush=True)
        if known and not survived:
            wrong.append(f"listed as equivalent, and killed: {mutant}")
    return wrong


def report(tested: list[Module]) -> None:
    print(f"\n{'module':<16}{'drawn':>7}{'killed':>8}{'equivalent':>12}{'survived':>10}{'rate':>8}")
    for m in tested:
        print(f"{m.name:<16}{m.drawn:>7}{m.killed:>8}{m.equivalent:>12}{m.survived:>10}{m.rate:>8.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", default="40", help="mutants of each module, or all")
    parser.add_argument("--modules", default="", help="names in tools/mutants.toml, by default all")
    parser.add_argument("--seed", default="0")
    given: Any = parser.parse_args()
    sample = None if given.sample == "all" else int(given.sample)
    with tempfile.TemporaryDirectory(prefix="fo-mutants-") as folder:
        copy_tree(Path(), Path(folder))
        os.chdir(folder)
        sys.path[0] = folder  # the library, the tests and the tools are those of the copy
        sys.dont_write_bytecode = True  # a mutant made within a second would be taken for the one before
        os.environ |= {
            "HYPOTHESIS_PROFILE": "mutants", "NUMBA_CACHE_DIR": str(Path(folder, ".numba")),
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": folder,
        }  # fmt: skip
        preload()
        tested, listed = modules(given.modules.replace(",", " ").split()), equivalents()
        wrong = unmatched(listed)
        for module in tested:
            began = time.monotonic()
            wrong += test(module, sample, given.seed, listed)
            print(f"{module.name}: {module.drawn} mutants in {time.monotonic() - began:.0f} s", flush=True)
        os.chdir("/")
    report(tested)
    low = [f"{m.name}: fewer than {ENOUGH:.0%} killed" for m in tested if m.rate < ENOUGH]
    if wrong or low:
        raise SystemExit("\n".join(["", *wrong, *low]))


if __name__ == "__main__":
    main()
