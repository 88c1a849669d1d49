"""References that are right but for one character: whose amount says that another one was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.matching.meet import bucket, meet
from tieout.matching.normal import fold

if TYPE_CHECKING:
    from tieout.matching.sides import Sides

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["misread"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def misread(sides: Sides, entry: Ints, item: Ints, stated: Any) -> Flags:
    """Pairs by a reference, of different amounts, that a nearly equal reference explains better.

    Where the other party is not known, a reference and an amount that is nearly right prove little
    while another open item has the amount itself and a number one character away.

    Args:
        stated: the reference each pair shares, in the normal form.
    """
    wrong = np.zeros(len(entry), dtype=bool)
    doubt = sides.amount[entry] != sides.item_amount[item]
    doubt &= ~_known_party(sides, entry, item)
    pairs = np.flatnonzero(doubt)
    if not len(pairs):
        return wrong
    items = np.flatnonzero(sides.open_items)
    place, part = sides.twice(entry[pairs], items)
    pair = pairs[place]
    left = bucket(part, sides.amount[entry[pair]])
    meeting = meet(left, bucket(sides.item_part[items], sides.item_amount[items]))
    at, other = meeting.where(~meeting.crowded).pairs()
    pair, rival = pair[at], items[other]
    numbers = sides.prepared.items.take("document_no", rival)
    numbers, _ = fold(pc.fill_null(numbers, ""))
    columns: dict[str, Any] = {
        "pair": pair, "stated": stated.take(handles(pair)), "number": numbers,
    }  # fmt: skip
    sides.db.register("rivals", pa.table(columns))
    near = sides.db.sql(
        "SELECT pair FROM rivals WHERE number <> '' AND damerau_levenshtein(stated, number) <= 1"
    ).to_arrow_table()["pair"]
    sides.db.unregister("rivals")
    wrong[near.to_numpy()] = True
    return wrong


def _known_party(sides: Sides, entry: Ints, item: Ints) -> Flags:
    """Whether both sides name the other party, or its account."""
    only = sides.only_detail[entry]
    known = np.zeros(len(entry), dtype=bool)
    for coded in (sides.parties.names, sides.parties.accounts):
        known |= (coded.of_details(only) >= 0) & (coded.books[item] >= 0)
    return known
