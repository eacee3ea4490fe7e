"""Text: the glosses of WordNet, any file of plain text line by line, and judgements on pairs of words."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import lzma
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import checks
from .files import DATA, verify

__all__ = ["Glosses", "WordPairs", "analogies", "glosses", "text_lines", "word_pairs"]

_GLOSSES = DATA / "wordnet_glosses.txt.xz"
_GLOSSES_SHA256 = "6d5cc41bff062713c3b30478411b290f765e74409043f72d5b9877a0c149b1c7"
# The lexicographers' files, by number: see lexnames(5WN).
_TOPICS = (
    "adj.all", "adj.pert", "adv.all", "noun.Tops", "noun.act", "noun.animal", "noun.artifact", "noun.attribute",
    "noun.body", "noun.cognition", "noun.communication", "noun.event", "noun.feeling", "noun.food", "noun.group",
    "noun.location", "noun.motive", "noun.object", "noun.person", "noun.phenomenon", "noun.plant",
    "noun.possession", "noun.process", "noun.quantity", "noun.relation", "noun.shape", "noun.state",
    "noun.substance", "noun.time", "verb.body", "verb.change", "verb.cognition", "verb.communication",
    "verb.competition", "verb.consumption", "verb.contact", "verb.creation", "verb.emotion", "verb.motion",
    "verb.perception", "verb.possession", "verb.social", "verb.stative", "verb.weather", "adj.ppl",
)  # fmt: skip

_PAIRS = {
    "wordsim353": (
        "wordsim353.tsv",
        "f92a022fc2537793a15bc3a8c162ebcd74990e033a228bb6388cb71e4c0b1e1d",
        "L. Finkelstein et al. (2002), Placing Search in Context: the Concept Revisited",
    ),
    "simlex999": (
        "simlex999.txt",
        "d5e0501971478a511430ee880bd0121e94ac701ba86d90544d83e6d2ba3db05d",
        "F. Hill, R. Reichart, A. Korhonen (2015), SimLex-999",
    ),
}
_ANALOGIES = ("questions-words.txt", "8c29b3332afc46f3fb8be04cb5297bf96f39aa7131272dff57869b4485b22a36")

_OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\0": lzma.open, b"BZh": bz2.open}


class Glosses(NamedTuple):
    """Short definitions in English, one a line; ``topics`` (n,) int64 indexes ``topic_names``."""

    lines: tuple[str, ...]
    topics: NDArray[np.int64]
    topic_names: tuple[str, ...]
    source: str
    licence: str


class WordPairs(NamedTuple):
    """Pairs of words, in lower case, and how alike people find them, from 0 to 10: ``scores`` (n,) float64."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    scores: NDArray[np.float64]
    source: str


def glosses() -> Glosses:
    """117,659 definitions and examples from WordNet 3.0, each with the topic of its set of synonyms.

    The glosses alone: the synonyms, which state outright what means the same, are left out. Still a dictionary, and
    kinder to a test of similarity than newspapers are: it says what a word means in words near to it in meaning. The
    topic is the lexicographer's file, from ``"adj.all"`` to ``"verb.weather"``, in the order of the database. Shipped
    with the package, whose file ``data/WORDNET_LICENSE`` is the licence.

    Raises
    ------
    ValueError
        If the file is not the original.
    """
    content = _GLOSSES.read_bytes()
    verify(str(_GLOSSES), content, _GLOSSES_SHA256)
    fields = [line.split("\t", 1) for line in lzma.decompress(content).decode().splitlines()]
    topics = np.array([int(topic) for topic, _ in fields], np.int64)
    lines = tuple(gloss for _, gloss in fields)
    source = "C. Fellbaum (ed., 1998), WordNet: An Electronic Lexical Database; WordNet 3.0, Princeton University"
    return Glosses(lines, topics, _TOPICS, source, "WordNet 3.0 license")


def text_lines(path: str | os.PathLike[str], *, longest: int = 10_000) -> Iterator[str]:
    """Read a file of plain text line by line, without ever holding more than a line.

    Parameters
    ----------
    path : str or path
        Text in UTF-8, as it is or compressed by gzip, xz or bzip2.
    longest : int
        Characters of the longest line that is returned whole, at least 100. What is longer (all of text8 is one line)
        comes in pieces, cut at white space where there is some.

    Yields
    ------
    str
        A line, or a piece of one, without the white space around it. Empty lines are left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError, ValueError
        If ``longest`` is not a whole number from 100; if the file holds no text at all, bytes that are not UTF-8, or a
        NUL, which no text has; if it is a damaged archive. The error names the line.
    """
    longest = checks.count("longest", longest, at_least=100)
    path, number = checks.path("path", path), 0
    try:
        with _opened(path) as binary, io.TextIOWrapper(binary, "utf-8-sig") as text:
            for number, line in enumerate(_pieces(text, longest), start=1):
                if "\0" in line:
                    raise ValueError(f"{path} must be plain text, got a NUL, as binary files have, in line {number}")
                yield line
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be UTF-8, got other bytes after line {number}: {error.reason}") from error
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the operating system, with its own words
        raise ValueError(f"{path} must be a whole archive, got a damaged one after line {number}: {error}") from error
    if number == 0:
        raise ValueError(f"{path} must hold text, got none")


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        start = file.read(6)
    for magic, opener in _OPENERS.items():
        if start.startswith(magic):
            opened: IO[bytes] = opener(path, "rb")
            return opened
    return path.open("rb")


def _pieces(text: io.TextIOWrapper, longest: int) -> Iterator[str]:
    """Lines that are not empty, and pieces of those that are too long."""
    rest = ""
    while piece := text.readline(longest - len(rest)):
        line, rest = rest + piece, ""
        if not line.endswith("\n") and len(line) == longest:
            space = max(line.rfind(" "), line.rfind("\t"))
            if space > 0:
                line, rest = line[:space], line[space:]
        if line := line.strip():
            yield line
    if rest := rest.strip():
        yield rest


def word_pairs(name: str) -> WordPairs:
    """Pairs of words that people have judged, to test vectors of words.

    Read from an installed gensim, whose package carries the files; nothing else of it is used. They are not shipped
    here: SimLex-999 states no licence.

    Parameters
    ----------
    name : str
        ``"wordsim353"``: 353 pairs by relatedness (clothes and closet: 8.00). ``"simlex999"``: 999 by similarity proper
        (clothes and closet: 3.27), which is much the harder one for vectors learned from text.

    Raises
    ------
    ValueError
        If there is no set of this name, or the file is not the original.
    ImportError
        If gensim is not installed.
    """
    if not isinstance(name, str) or name not in _PAIRS:
        raise ValueError(f"name must be one of {', '.join(_PAIRS)}, got {name!r}")
    file, digest, source = _PAIRS[name]
    rows = [line.lower().split("\t") for line in _from_gensim(file, digest) if not line.startswith("#")]
    scores = np.array([float(score) for *_, score in rows])
    return WordPairs(tuple(row[0] for row in rows), tuple(row[1] for row in rows), scores, source)


def analogies() -> dict[str, tuple[tuple[str, str, str, str], ...]]:
    """Questions of the kind "Athens is to Greece as Oslo is to Norway", in lower case, by category.

    The 19,544 questions of Mikolov et al. (2013), read from an installed gensim as in :func:`word_pairs`.

    Raises
    ------
    ImportError, ValueError
        If gensim is not installed, or the file is not the original.
    """
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    for line in _from_gensim(*_ANALOGIES):
        if line.startswith(":"):
            questions = found.setdefault(line[1:].strip(), [])
        else:
            a, b, c, d = line.lower().split()
            questions.append((a, b, c, d))
    return {category: tuple(questions) for category, questions in found.items()}


def _from_gensim(file: str, digest: str) -> list[str]:
    spec = importlib.util.find_spec("gensim")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("this data set comes with gensim: pip install gensim")
    path = Path(spec.submodule_search_locations[0]) / "test" / "test_data" / file
    content = path.read_bytes()
    verify(str(path), content, digest)
    return content.decode().splitlines()
