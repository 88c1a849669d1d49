"""MT940 with ``:86:`` decoded: tieout beside the peers that read it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.parsing import mt940_file
from benchmarks.parsing.measure import Bar, Candidate, Family

__all__ = ["FAMILY"]


def tieout(path: str) -> int:
    """Every column of all four tables, in batches that are dropped as they are read."""
    from parsers import mt940

    return sum(batch.entries.num_rows for batch in mt940.read(Path(path)))


def tieout_strict(path: str) -> int:
    """The reference reader, which the fast path must equal."""
    from parsers._mt_reader import messages

    return sum(batch.entries.num_rows for batch in messages(Path(path), None))


def mt_940(path: str) -> int:
    """Its transactions; it decodes ``:86:`` itself."""
    import mt940

    return len(mt940.parse(path))


def bankstatementparser(path: str) -> int:
    """Its data frame of transactions."""
    from bankstatementparser import Mt940Parser

    return len(Mt940Parser(path).parse())


_OURS: Final = Candidate(
    "tieout",
    "tieout",
    "all 74 columns, :86: decoded, lines, balance proof, findings",
    peer=False,
)

FAMILY: Final = Family(
    name="mt940",
    generate=mt940_file.write,
    megabytes=100,
    suffix=".sta",
    row="entry",
    ours=_OURS,
    candidates=(
        _OURS,
        Candidate("tieout, strict reader", "tieout_strict", "the same", peer=False, runs=1),
        Candidate("mt-940", "mt_940", "entries with :86: decoded", "mt-940"),
        Candidate(
            "bankstatementparser",
            "bankstatementparser",
            "entries, :86: as raw text",
            "bankstatementparser",
            rival=False,
            runs=1,
        ),
    ),
    bars=(
        Bar("≥ 10 × mt-940", 10, against="mt-940"),
        Bar("peak memory ≤ 256 MB", 256, peak_mb=True),
    ),
)
