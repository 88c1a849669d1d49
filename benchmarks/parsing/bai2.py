"""BAI2 with continuations: tieout beside the peers that read it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.parsing import bai2_file
from benchmarks.parsing.measure import Bar, Candidate, Family

__all__ = ["FAMILY"]


def tieout(path: str) -> int:
    """Every column of all four tables, in batches that are dropped as they are read."""
    from parsers import bai2

    return sum(batch.entries.num_rows for batch in bai2.read(Path(path)))


def tieout_strict(path: str) -> int:
    """The reference reader, which the fast path must equal."""
    from parsers._bai_reader import strict

    return sum(batch.entries.num_rows for batch in strict(Path(path), None))


def bai2(path: str) -> int:
    """Its transactions, integrity checked as it does by default."""
    from bai2 import bai2

    with Path(path).open(encoding="ascii") as file:
        found = bai2.parse_from_file(file)
    return sum(len(account.children) for group in found.children for account in group.children)


def bankstatementparser(path: str) -> int:
    """Its data frame of transactions."""
    from bankstatementparser import create_parser

    return len(create_parser(path, "bai2").parse())


def loader_bai2(path: str) -> int:
    """The loader its authors publish apart."""
    from bankstatementparser_loader_bai2 import load_bai2

    return sum(1 for _ in load_bai2(Path(path).read_text(encoding="ascii")))


_OURS: Final = Candidate(
    "tieout",
    "tieout",
    "all 74 columns, lines, totals and balances proved, findings",
    peer=False,
)

FAMILY: Final = Family(
    name="bai2",
    generate=bai2_file.write,
    megabytes=60,
    suffix=".bai",
    row="entry",
    ours=_OURS,
    candidates=(
        _OURS,
        Candidate("tieout, strict reader", "tieout_strict", "the same", peer=False, runs=1),
        Candidate("bai2", "bai2", "entries with their continuations", "bai2"),
        Candidate(
            "bankstatementparser",
            "bankstatementparser",
            "entries, the first line of the text",
            "bankstatementparser",
            rival=False,
        ),
        Candidate(
            "bankstatementparser-loader-bai2",
            "loader_bai2",
            "entries without customer reference",
            "bankstatementparser-loader-bai2",
        ),
    ),
    bars=(
        Bar("≥ 4 × bai2", 4, against="bai2"),
        Bar("peak memory ≤ 256 MB", 256, peak_mb=True),
    ),
)
