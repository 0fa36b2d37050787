"""Count the words of the texts in /usr/share with dask.bag, on the cluster of the environment."""

from __future__ import annotations

import gzip
import re
import time
from pathlib import Path

import dask.bag
from distributed import Client

PLACES = ("/usr/share/common-licenses", "/usr/share/doc")
NAMES = (
    "copyright*",
    "README*",
    "NEWS*",
    "*.txt*",
    "*GPL*",
    "GFDL*",
    "Apache*",
    "Artistic",
    "BSD",
)


def find_texts() -> list[str]:
    """Return the paths of the texts, each file once."""
    found = {path for place in PLACES for name in NAMES for path in Path(place).rglob(name)}
    return sorted(str(path) for path in found if path.is_file() and not path.is_symlink())


def read_words(path: str) -> list[str]:
    """Return all words of a text file, which may be compressed.

    Parameters
    ----------
    path : str
        The file; one that cannot be read has no words.

    Returns
    -------
    list of str
        In lower case, of at least four letters.
    """
    opened = gzip.open if path.endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8", errors="replace") as file:
            return re.findall(r"[a-z]{4,}", file.read().lower())
    except (OSError, EOFError):
        return []


def main() -> None:
    """Print the ten most frequent words."""
    begin = time.monotonic()
    with Client() as client:
        paths = find_texts()
        words = dask.bag.from_sequence(paths, npartitions=16).map(read_words).flatten()
        counts = dict(words.frequencies().compute())
        top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]
        workers = len(client.scheduler_info()["workers"])
    print(f"{sum(counts.values()):,} words, {len(counts):,} different, in {len(paths):,} texts")
    for word, count in top:
        print(f"  {count:9,}  {word}")
    print(f"counted by {workers} workers in {time.monotonic() - begin:.1f} s")


if __name__ == "__main__":
    main()
