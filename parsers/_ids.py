"""Content ids for a file's rows; a statement the file holds twice has the same ids twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from parsers._rows import BATCH_ENTRIES
from parsers._spool import Spool
from tieout.canonical import Tables, empty
from tieout.errors import Finding
from tieout.identity import Namer

__all__ = ["with_ids"]


def with_ids(batches: Iterator[Tables], digest: str) -> Iterator[Tables]:
    """The batches of one file with content ids, in bounded memory.

    An id needs all statements of the file, so the batches wait on disk until the last is read.
    The first batches then have all statements and balances, the others entries and details.
    Where the file repeats a statement entry by entry, the repeated rows carry the ids of the
    first, so that recording them changes nothing, and findings at the end say so.
    """
    namer = Namer(digest)
    with Spool() as spool:
        for batch in batches:
            spool.add(batch)
        for heads in spool.heads():
            namer.add(heads.statements, heads.balances)
        yield empty()
        for heads in spool.heads():
            yield namer.named(heads)
        for batch in spool.batches():
            yield namer.named(batch)
    repeats = namer.repeats()
    while some := list(islice(repeats, BATCH_ENTRIES)):
        yield replace(empty(), findings=tuple(_finding(own, before) for own, before in some))


def _finding(own: str, before: str) -> Finding:
    return Finding(
        "STATEMENT_REPEATED",
        "info",
        f"statement {own}",
        f"the file holds statement {before} again as statement {own}; both have one identity",
        "nothing, unless the bank meant another statement",
    )
