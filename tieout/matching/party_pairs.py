"""Whether two entries are of the same party, or say the same: for pairs within the bank's side."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tieout.matching.compile import plain_names
from tieout.matching.conditions import party_sql
from tieout.matching.ladder import Party
from tieout.matching.sides import Sides

__all__ = ["same_party"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def same_party(sides: Sides, party: Party, first: Ints, second: Ints) -> Flags:
    """Which pairs of entries agree in one of the party's ways.

    ``text`` here means that both carry the same text but for words such as *reversal*.
    """
    fits = np.zeros(len(first), dtype=bool)
    if not len(first):
        return fits
    columns: dict[str, Any] = {"candidate": np.arange(len(first))}
    for side, rows in (("bank", first), ("books", second)):
        columns |= _facts(sides, side, rows)
    sides.db.register("candidates", pa.table(columns))
    ways = [way for way in party.by if way != "text"]
    conditions = [party_sql(Party(tuple(ways), party.name_min), sure=True)] if ways else []
    if "text" in party.by:
        conditions.append("length(bank_said) >= 5 AND bank_said = books_said")
    accepted = sides.db.sql(
        "SELECT candidate FROM candidates WHERE " + " OR ".join(f"({c})" for c in conditions)
    ).to_arrow_table()["candidate"]
    sides.db.unregister("candidates")
    fits[accepted.to_numpy()] = True
    return fits


_WORDS = "STORNO|STORNIERUNG|REVERSAL|REVERSED|RETURN|RETURNED|RUECKBUCHUNG|KORREKTUR|CORRECTION"


def _facts(sides: Sides, side: str, rows: Ints) -> dict[str, Any]:
    only = sides.only_detail[rows]
    details, entries = sides.prepared.details, sides.prepared.entries
    said = plain_names(sides.db, entries.take("narrative", rows), "plain_text")
    other = plain_names(sides.db, details.take("narrative", only), "plain_text")
    sides.db.register("said", pa.table({"own": said, "other": other}))
    words = f"trim(regexp_replace(coalesce(own, other), '\\b({_WORDS})\\b *', '', 'g'))"
    plain = sides.db.sql(f"SELECT {words} AS said FROM said").to_arrow_table()["said"]
    sides.db.unregister("said")
    account = sides.parties.accounts.of_details(only)
    return {
        f"{side}_party_account": pa.array(account, mask=account < 0),
        f"{side}_party": sides.parties.plain_names(sides.parties.names.of_details(only)),
        f"{side}_said": plain.cast(pa.string()),
    }
