"""Names that are nearly the same, without comparing each with each.

Jaro-Winkler similarity is dear, and millions of names begin alike. How many letters two names can
share at all is known from a few bits of each; where these are too few the names are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tieout.arrays import handles
from tieout.matching.letters import Letters, shared_least
from tieout.matching.meet import Meeting, bucket, meet
from tieout.matching.normal import texts_bytes

__all__ = ["likeness_sql", "only_likeness", "sharing_letters"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]

#: Shorter names are too easily like another.
_SHORTEST: Final = 5
#: Blocks of so few pairs are looked at together; of larger ones so many pairs at a time.
_FEW: Final = 256
_HELD: Final = 1 << 16
#: Pairs that share letters enough are compared so many at a time.
_COMPARED: Final = 1 << 21


def only_likeness(
    db: duckdb.DuckDBPyConnection,
    ours: Any,
    theirs: Any,
    least: Decimal,
    where: tuple[Codes, Codes] | None = None,
) -> tuple[Ints, Ints]:
    """Of our names those that one name of theirs, and only one, is like, in the same words: places
    in both.

    Args:
        ours: distinct plain names (upper case, no accents).
        theirs: distinct plain names.
        least: the similarity two names that begin with the same four letters must have.
        where: of each of ours and of theirs bits, of which two names must have one in common to be
            of interest. A name is the only one among all of them, not only among these.
    """
    left, right = _Begun.of(ours), _Begun.of(theirs)
    shared = shared_least(least)

    def alone(left: _Begun, where: tuple[Codes, Codes] | None) -> tuple[Ints, Ints]:
        found: list[tuple[Ints, Ints]] = []
        for one, two in _sharing(left, right, shared, where):
            columns: dict[str, Any] = {"ours": one, "theirs": two}
            columns["our_name"] = ours.take(handles(left.place[one]))
            columns["their_name"] = theirs.take(handles(right.place[two]))
            db.register("alike", pa.table(columns))
            made = db.sql(likeness_sql(least)).to_arrow_table()
            db.unregister("alike")
            found.append((made["ours"].to_numpy(), made["theirs"].to_numpy()))
        one, two = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort(one)
        return one[order], two[order]

    if where is not None:
        one, _ = alone(left, (where[0][left.place], where[1][right.place]))
        left = left.some(one)
    one, two = alone(left, None)
    return left.place[one], right.place[two]


def likeness_sql(least: Decimal) -> str:
    """The statement over pairs of names that share letters enough."""
    return (
        "SELECT ours, min(theirs) AS theirs FROM alike WHERE our_name[:4] = their_name[:4]\n"
        f"  AND jaro_winkler_similarity(our_name, their_name) >= {least}\n"
        "GROUP BY ours HAVING count(*) = 1 AND bool_and(names_agree(our_name, their_name))\n"
        "ORDER BY ours"
    )


def sharing_letters(ours: Any, theirs: Any, least: Decimal) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of names that begin alike and share letters enough to be so similar: places in both,
    some at a time, all of one of our names together."""
    left, right = _Begun.of(ours), _Begun.of(theirs)
    for one, two in _sharing(left, right, shared_least(least), None):
        yield left.place[one], right.place[two]


def _sharing(
    left: _Begun, right: _Begun, shared: int, where: tuple[Codes, Codes] | None
) -> Iterator[tuple[Ints, Ints]]:
    """The same as places in the two sides, where they have a bit in common."""
    meeting = meet(bucket(left.head), bucket(right.head))
    few = meeting.bank_count * meeting.books_count <= _FEW
    one, two = meeting.where(few).pairs()
    some = left.letters.enough(one, right.letters, two, shared)
    held, count = [_common(one[some], two[some], where)], 0
    for one, two in _blocks(meeting.where(~few), left, right, shared):
        held.append(_common(one, two, where))
        count += len(held[-1][0])
        if count > _COMPARED:
            yield _joined(held)
            held, count = [], 0
    yield _joined([*held, (one[:0], two[:0])])


def _common(one: Ints, two: Ints, where: tuple[Codes, Codes] | None) -> tuple[Ints, Ints]:
    if where is None:
        return one, two
    some = np.flatnonzero(where[0][one] & where[1][two])
    return one[some], two[some]


def _joined(held: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    one, two = (np.concatenate(parts) for parts in zip(*held, strict=True))
    return one, two


def _blocks(
    meeting: Meeting, left: _Begun, right: _Begun, shared: int
) -> Iterator[tuple[Ints, Ints]]:
    """Rows of both sides that share letters enough, block by block: names of one length at a time,
    for which it is one number of letters that each of the others must have in common with them."""
    spans = (meeting.bank_at, meeting.bank_count, meeting.books_at, meeting.books_count)
    for at, count, other, width in zip(*(span.tolist() for span in spans), strict=True):
        cols = meeting.books_order[other : other + width]
        own = meeting.bank_order[at : at + count]
        own = own[np.argsort(left.letters.each[own], kind="stable")]
        ends = np.append(np.flatnonzero(np.diff(left.letters.each[own])) + 1, count).tolist()
        step, first = max(1, _HELD // width), 0
        for end in ends:
            for start in range(first, end, step):
                rows = own[start : min(start + step, end)]
                enough = left.letters.block(rows, right.letters, cols, shared)
                one, two = np.divmod(np.flatnonzero(enough), width)
                yield rows[one], cols[two]
            first = end


@dataclass(frozen=True, slots=True)
class _Begun:
    """Names long enough, by what they begin with.

    Attributes:
        place: of each among the names given.
        head: its first four bytes.
        letters: what it is made of.
    """

    place: Ints
    head: Codes
    letters: Letters

    @classmethod
    def of(cls, names: Any) -> _Begun:
        """Of an array without nulls."""
        _, starts = texts_bytes(names)
        place = np.flatnonzero(np.diff(starts) >= _SHORTEST)
        if len(place) < len(names):
            names = names.take(handles(place))
        raw, starts = texts_bytes(names)
        head = raw[starts[:-1][:, None] + np.arange(4)].view("uint32").ravel().astype("uint64")
        return cls(place, head, Letters.of(names))

    def some(self, rows: Ints) -> _Begun:
        """Only these of them."""
        letters = self.letters
        few = Letters(letters.bits[rows], letters.more[rows], letters.each[rows])
        return _Begun(self.place[rows], self.head[rows], few)
