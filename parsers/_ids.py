"""Content ids for a file's rows; a statement the file holds twice has the same ids twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from parsers._spool import Spool
from tieout.canonical import Tables, empty
from tieout.errors import Finding
from tieout.identity import Namer

__all__ = ["with_ids"]


def with_ids(batches: Iterator[Tables], digest: str) -> Iterator[Tables]:
    """The batches of one file with content ids, in bounded memory.

    An id needs all statements of the file, so the batches wait on disk until the last is read.
    The first batch then has all statements and balances, the others entries and details.
    Where the file repeats a statement entry by entry, the repeated rows carry the ids of the
    first, so that recording them changes nothing, and a finding at the end says so.
    """
    namer = Namer(digest)
    with Spool() as spool:
        for batch in batches:
            spool.add(batch)
        namer.add(spool.statements, spool.balances)
        rest = empty()
        heads = namer.named(Tables(spool.statements, spool.balances, rest.entries, rest.details))
        spool.forget()
        yield heads
        del heads
        for batch in spool.batches():
            yield namer.named(replace(batch, statements=rest.statements, balances=rest.balances))
    repeats = namer.repeats()
    if repeats:
        findings = tuple(_finding(own, before) for own, before in repeats.items())
        yield Tables(rest.statements, rest.balances, rest.entries, rest.details, findings)


def _finding(own: str, before: str) -> Finding:
    return Finding(
        "STATEMENT_REPEATED",
        "info",
        f"statement {own}",
        f"the file holds statement {before} again as statement {own}; both have one identity",
        "nothing, unless the bank meant another statement",
    )
