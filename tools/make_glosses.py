"""Make fo_lib/data/wordnet_glosses.txt.xz from the database files of WordNet 3.0.

usage: python -m tools.make_glosses FOLDER      (with data.noun, data.verb, data.adj and data.adv; in Debian's package
                                                 wordnet-base they lie in /usr/share/wordnet)

Each line holds the number of the lexicographer's file (0 to 44), a tab and the gloss of one set of synonyms, in the
order of the database: the synonyms themselves, which would state what means the same, are left out. The format of
the database is described in wndb(5WN).
"""

from __future__ import annotations

import hashlib
import lzma
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "fo_lib" / "data" / "wordnet_glosses.txt.xz"
PARTS = ("data.noun", "data.verb", "data.adj", "data.adv")


def line_of(record: str) -> str:
    """The line for one record of a database file."""
    fields, separator, gloss = record.partition(" | ")
    if not separator:
        raise SystemExit(f"no gloss in {record!r}")
    return f"{int(fields.split()[1])}\t{gloss.strip()}\n"


def main(folder: Path) -> None:
    lines = []
    for part in PARTS:
        records = (folder / part).read_text(encoding="utf-8").splitlines()
        lines += [line_of(record) for record in records if not record.startswith("  ")]  # the licence is indented
    content = lzma.compress("".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME)
    TARGET.write_bytes(content)
    print(f"{len(lines)} glosses, {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
