"""Which entries and items are of the same party: by account, or by name, without comparing all."""

from __future__ import annotations

from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.matching.compile import plain_names
from tieout.matching.keys import codes_of
from tieout.matching.known_numbers import fold
from tieout.matching.ladder import Party
from tieout.matching.meet import Meeting, bucket, meet
from tieout.matching.sides import Sides

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["of_one_party"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

_PAIRS_MAX: Final = 1_000_000


def of_one_party(
    sides: Sides, party: Party, entries: Ints, items: Ints, most: int
) -> tuple[Ints, Ints]:
    """Pairs of entries and items of the same party, by account or by name, ordered."""
    only = sides.only_detail[entries]
    index, rows = handles(only), handles(items)
    details, books = sides.prepared.details, sides.prepared.items
    found: list[tuple[Ints, Ints]] = []
    if "account" in party.by:
        ours = _folded(details["counterparty_account"].take(index))
        theirs = _folded(books["counterparty_account"].take(rows))
        found.append(_sharing(sides, entries, ours, items, theirs, most))
    if "name" in party.by:
        ours, theirs = one_name(
            sides.db,
            details["counterparty_name"].take(index),
            books["counterparty_name"].take(rows),
            party,
        )
        found.append(_sharing(sides, entries, ours, items, theirs, most))
    both = np.concatenate([np.stack(pair) for pair in found], axis=1)
    both = np.unique(both, axis=1)
    return both[0], both[1]


def one_name(db: duckdb.DuckDBPyConnection, ours: Any, theirs: Any, party: Party) -> Any:
    """Both sides' plain names; a name of the bank's that the books do not have becomes the one
    name of theirs that begins alike and is similar enough, where there is just one."""
    left, right = plain_names(db, ours, "plain_text"), plain_names(db, theirs, "plain_text")
    db.register("ours", pa.table({"name": pc.unique(left)}))
    db.register("theirs", pa.table({"name": pc.unique(right)}))
    alike = db.sql(
        "WITH lost AS (SELECT name FROM ours ANTI JOIN theirs USING (name) "
        "WHERE length(name) >= 5)\n"
        "SELECT l.name AS ours, min(t.name) AS theirs FROM lost l JOIN theirs t\n"
        "ON l.name[:4] = t.name[:4]\n"
        f"WHERE jaro_winkler_similarity(l.name, t.name) >= {party.name_min}\n"
        "GROUP BY l.name HAVING count(*) = 1"
    ).to_arrow_table()
    db.unregister("ours")
    db.unregister("theirs")
    place = pc.index_in(left, value_set=alike["ours"].cast(pa.string()).combine_chunks())
    better = alike["theirs"].cast(pa.string()).combine_chunks().take(place)
    return pc.coalesce(better, left), right


def _folded(column: Any) -> Any:
    coded = column.combine_chunks().dictionary_encode()
    texts, _ = fold(coded.dictionary)
    return texts.take(coded.indices)


def _sharing(
    sides: Sides, entries: Ints, ours: Any, items: Ints, theirs: Any, most: int
) -> tuple[Ints, Ints]:
    left, left_row = _coded(sides, ours)
    right, right_row = _coded(sides, theirs)
    place, part = sides.twice(entries[left_row])
    meeting = meet(bucket(part, left[place]), bucket(sides.item_part[items[right_row]], right))
    # Bounded: a party with very many items, or entries, is not even listed.
    few = (meeting.books_count <= 4 * most) & ~_vast(meeting)
    at, other = meeting.where(few).pairs()
    return entries[left_row[place[at]]], items[right_row[other]]


def _vast(meeting: Meeting) -> Flags:
    """Buckets of more pairs than are worth listing."""
    many: Flags = meeting.bank_count * meeting.books_count > _PAIRS_MAX
    return many


def _coded(sides: Sides, texts: Any) -> tuple[Codes, Ints]:
    known = np.asarray(texts.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    rows = np.flatnonzero(known)
    plain = texts.take(handles(rows))
    long = pc.greater_equal(pc.binary_length(plain), 3).to_numpy(zero_copy_only=False)
    rows = rows[np.asarray(long, dtype=bool)]
    return codes_of(sides.db, texts.take(handles(rows))), rows
