"""camt.053: tieout, the peers that read it, and libxml2 reading it for nobody."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.parsing import camt_file
from benchmarks.parsing.measure import Bar, Candidate, Family

__all__ = ["FAMILY"]


def tieout(path: str) -> int:
    """Every column of all four tables, in batches that are dropped as they are read."""
    from parsers import camt053

    return sum(batch.entries.num_rows for batch in camt053.read(Path(path)))


def tieout_strict(path: str) -> int:
    """The reference reader, which the fast path must equal."""
    from parsers._camt_message import strict
    from parsers._camt_shapes import STATEMENT

    return sum(batch.entries.num_rows for batch in strict(Path(path), STATEMENT))


def camt053_stream(path: str) -> int:
    """Its streaming reader, entry by entry."""
    from camt053.parse.statement_parser import iter_statement_entries

    return sum(1 for _ in iter_statement_entries(Path(path).read_text(encoding="utf-8")))


def camt053_document(path: str) -> int:
    """Its whole-document reader."""
    from camt053.parse.statement_parser import parse_document

    return sum(1 for _ in parse_document(Path(path).read_text(encoding="utf-8")).all_entries())


def pycamt(path: str) -> int:
    """Its transactions: a row for each detail."""
    from pycamt.parser import Camt053Parser

    return len(Camt053Parser.from_file(path).get_transactions())


def bankstatementparser(path: str) -> int:
    """Its data frame of transactions."""
    from bankstatementparser import CamtParser

    return len(CamtParser(path).parse())


def bankstatementparser_stream(path: str) -> int:
    """Its streaming reader."""
    from bankstatementparser import CamtParser

    return sum(1 for _ in CamtParser(path, lazy=True).parse_streaming())


def ofxstatement(path: str) -> int:
    """Its statement lines."""
    from ofxstatement.plugins.iso20022 import Iso20022Plugin
    from ofxstatement.ui import UI

    return len(Iso20022Plugin(UI(), {}).get_parser(path).parse().lines)


class _Nothing:
    """A parser target that takes nothing, so that no tree and no event is built."""

    def close(self) -> None:
        """The end of the document."""


def libxml2(path: str) -> int:
    """libxml2 parses and builds nothing."""
    from lxml import etree

    target: Any = _Nothing()
    parser = etree.XMLParser(target=target, resolve_entities=False)
    with Path(path).open("rb") as file:
        while chunk := file.read(1 << 16):
            parser.feed(chunk)
    parser.close()
    return 0


def lxml_tree(path: str) -> int:
    """lxml builds its tree; nothing is taken from it."""
    from lxml import etree

    etree.parse(path, etree.XMLParser(huge_tree=True))
    return 0


_OURS: Final = Candidate(
    "tieout",
    "tieout",
    "all 74 columns, lines, balance proof, findings",
    peer=False,
)

FAMILY: Final = Family(
    name="camt",
    generate=camt_file.write,
    megabytes=200,
    suffix=".xml",
    row="entry",
    ours=_OURS,
    candidates=(
        _OURS,
        Candidate("tieout, strict reader", "tieout_strict", "the same", peer=False, runs=1),
        Candidate(
            "camt053, streaming",
            "camt053_stream",
            "entries: 12 fields, no remittance, no detail amounts",
            "camt053",
        ),
        Candidate("camt053, document", "camt053_document", "the same", "camt053", runs=1),
        Candidate(
            "pycamt",
            "pycamt",
            "details: 30 fields, entry amount overwritten by theirs",
            "pycamt",
            runs=1,
        ),
        Candidate(
            "bankstatementparser",
            "bankstatementparser",
            "details as a data frame",
            "bankstatementparser",
            runs=1,
        ),
        Candidate(
            "bankstatementparser, streaming",
            "bankstatementparser_stream",
            "details",
            "bankstatementparser",
            runs=1,
        ),
        Candidate(
            "ofxstatement-iso20022",
            "ofxstatement",
            "the first statement only, 8 fields",
            "ofxstatement-iso20022",
            rival=False,
            runs=1,
        ),
        Candidate("libxml2, no tree", "libxml2", "nothing", "lxml", rival=False),
        Candidate("lxml, its tree", "lxml_tree", "nothing", "lxml", rival=False),
    ),
    bars=(
        Bar("≥ 10 × the fastest peer", 10),
        Bar("cheaper than lxml building its tree (≥ 1 ×)", 1, against="lxml, its tree"),
        Bar("peak memory ≤ 256 MB", 256, peak_mb=True),
    ),
)

if __name__ == "__main__":
    print(camt_file.write(Path(sys.argv[1]), int(sys.argv[2]), 7))
