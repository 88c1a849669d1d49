"""Rungs compiled to SQL on DuckDB: what a candidate must fulfil beyond equality.

Candidates share their rung's bucket (`tieout.matching.meet`); equality and windows of days are
whole numbers and need no SQL. The rest of a rung, its tolerance and party, is one statement over a
table ``candidates`` with the facts of both sides side by side; it returns the rows that fit. A test
holds the statements of the shipped ladder against accepted ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.matching.conditions import amount_sql, name_macros, party_sql
from tieout.matching.ladder import Rung

if TYPE_CHECKING:
    import duckdb

    from tieout.matching.sides import Sides

__all__ = ["Candidates", "compile_rung", "fitting", "name_macros", "plain_names"]

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs that share their bucket: handles of entries and items.

    ``detail`` is the handle of the payment that is meant, -1 where an entry has none or several.
    """

    entry: Ints
    item: Ints
    detail: Ints

    def __len__(self) -> int:
        return len(self.entry)


def compile_rung(rung: Rung) -> str:
    """The statement that keeps the candidates a rung accepts; empty where equality is all."""
    conditions = []
    if rung.tolerance:
        conditions.append(amount_sql(rung.tolerance))
    if rung.party:
        conditions.append(party_sql(rung.party))
    if not conditions:
        return ""
    sure = "true"
    if rung.party and not rung.same:
        sure = f"coalesce({party_sql(rung.party, sure=True)}, false)"
    return f"SELECT candidate, {sure} AS sure FROM candidates\nWHERE " + "\n  AND ".join(conditions)


def fitting(sides: Sides, rung: Rung, candidates: Candidates) -> tuple[Flags, Flags]:
    """Which candidates the rung accepts, and which of the others are rivals all the same.

    Rivals fulfil all but the window of days, yet lie so near that nothing is *alone*; or their
    party is similar enough to make a pair doubtful, but not to be one.
    """
    fits = np.ones(len(candidates), dtype=bool)
    near = fits
    if rung.days:  # cheap, and leaves few whose texts must be read
        days, item = rung.days, rung.days.item
        apart = sides.day[candidates.entry] - sides.item_day[item][candidates.item]
        near = (apart >= -days.after) & (apart <= days.before)
        fits = near | (np.abs(apart) <= days.alone)
    kept = np.flatnonzero(fits)
    statement = compile_rung(rung)
    if statement and len(kept):
        sides.db.register("candidates", _facts(sides, rung, kept, candidates))
        accepted = sides.db.sql(statement).to_arrow_table()
        sides.db.unregister("candidates")
        fits = np.zeros(len(candidates), dtype=bool)
        fits[accepted["candidate"].to_numpy()] = True
        sure = np.zeros(len(candidates), dtype=bool)
        sure[pc.filter(accepted["candidate"], accepted["sure"]).to_numpy()] = True
        near = near & sure
    return fits & near, fits & ~near


def _facts(sides: Sides, rung: Rung, kept: Ints, candidates: Candidates) -> pa.Table:
    entry, item, detail = (
        candidates.entry[kept],
        candidates.item[kept],
        candidates.detail[kept],
    )
    columns: dict[str, Any] = {"candidate": kept}
    if rung.tolerance:
        columns["bank_minor"] = sides.amount[entry]
        columns["books_minor"] = sides.item_amount[item]
        columns["unit"] = sides.unit[entry]
        if rung.tolerance.cause:
            columns["bank_currency"] = sides.prepared.entries.take("currency", entry)
            columns["original_currency"] = _detail(sides, "original_currency", detail)
    if rung.party:
        columns |= _party_facts(sides, rung.party.by, entry, item, detail)
    return pa.table(columns)


def _detail(sides: Sides, name: str, detail: Ints) -> Any:
    """A column of details, null where the handle is -1."""
    return sides.prepared.details.take(name, detail)


def _party_facts(
    sides: Sides, ways: tuple[str, ...], entry: Ints, item: Ints, detail: Ints
) -> dict[str, Any]:
    parties = sides.parties
    columns: dict[str, Any] = {}
    if "account" in ways:
        columns["bank_party_account"] = _numbers(parties.accounts.of_details(detail))
        columns["books_party_account"] = _numbers(parties.accounts.books[item])
    if "name" not in ways and "text" not in ways:
        return columns
    ours, theirs = parties.names.of_details(detail), parties.names.books[item]
    columns["bank_party"] = parties.plain_names(ours)
    columns["books_party"] = parties.plain_names(theirs)
    if "text" in ways:  # read only where a side names nobody
        said = sides.prepared.entries.take("narrative", np.where(ours < 0, entry, -1))
        own = _detail(sides, "narrative", np.where(ours < 0, detail, -1))
        told = sides.prepared.items.take("narrative", np.where(theirs < 0, item, -1))
        columns["bank_party_text"] = parties.plain_texts(ours)
        columns["books_party_text"] = parties.plain_texts(theirs)
        columns["bank_text"] = plain_names(sides.db, pc.coalesce(said, own), "plain_text")
        columns["books_text"] = plain_names(sides.db, told, "plain_text")
    return columns


def _numbers(values: Ints) -> Any:
    """Numbers, null where negative: what is not known equals nothing."""
    return pa.array(values, mask=values < 0)


def plain_names(db: duckdb.DuckDBPyConnection, names: Any, macro: str) -> Any:
    """Names as the macro makes them, each distinct one once."""
    if isinstance(names, pa.ChunkedArray):
        names = names.combine_chunks()
    coded = names.dictionary_encode()
    db.register("distinct_names", pa.table({"name": coded.dictionary}))
    made = db.sql(f"SELECT {macro}(name) AS plain FROM distinct_names").to_arrow_table()["plain"]
    db.unregister("distinct_names")
    return made.combine_chunks().cast(pa.string()).take(coded.indices)
