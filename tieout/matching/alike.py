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
from tieout.matching.meet import Meeting, bucket, meet
from tieout.matching.normal import texts_bytes

__all__ = ["likeness_sql", "only_likeness", "sharing_letters"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

#: Shorter names are too easily like another.
_SHORTEST: Final = 5
#: Letters, one class for all digits, one for everything else.
_CLASSES: Final = 28
_CLASS: Final = np.full(256, 27, dtype="int64")
_CLASS[ord("A") : ord("Z") + 1] = np.arange(26)
_CLASS[ord("0") : ord("9") + 1] = 26
#: Bits a class has: so many of its characters are told apart; 64 in all.
_BITS: Final = np.full(_CLASSES, 2, dtype="int64")
_BITS[[0, 4, 8, 13, 17, 18, 26, 27]] = 3
#: A name's letters are counted in parts of so many.
_WHOLE: Final = 1 << 20
#: Blocks of so few pairs are looked at together; of larger ones so many pairs at a time.
_FEW: Final = 256
_HELD: Final = 1 << 18
#: The most a common beginning adds to the similarity of two names: four tenths of what is missing.
_BEGINNING: Final = Decimal("0.4")


def only_likeness(
    db: duckdb.DuckDBPyConnection, ours: Any, theirs: Any, least: Decimal
) -> tuple[Ints, Ints]:
    """Of our names those that one name of theirs, and only one, is like: places in both.

    Args:
        ours: distinct plain names (upper case, no accents).
        theirs: distinct plain names.
        least: the similarity two names that begin with the same four letters must have.
    """
    mine, other = sharing_letters(ours, theirs, least)
    columns: dict[str, Any] = {"ours": mine, "our_name": ours.take(handles(mine))}
    columns |= {"theirs": other, "their_name": theirs.take(handles(other))}
    db.register("alike", pa.table(columns))
    made = db.sql(likeness_sql(least)).to_arrow_table()
    db.unregister("alike")
    return made["ours"].to_numpy(), made["theirs"].to_numpy()


def likeness_sql(least: Decimal) -> str:
    """The statement over pairs of names that share letters enough."""
    return (
        "SELECT ours, min(theirs) AS theirs FROM alike WHERE our_name[:4] = their_name[:4]\n"
        f"  AND jaro_winkler_similarity(our_name, their_name) >= {least}\n"
        "GROUP BY ours HAVING count(*) = 1 ORDER BY ours"
    )


def sharing_letters(ours: Any, theirs: Any, least: Decimal) -> tuple[Ints, Ints]:
    """Pairs of names that begin alike and share letters enough to be so similar: places in both.

    With m of a and b letters shared, the similarity without the beginning's bonus is at most
    (m/a + m/b + 1) / 3.
    """
    bare = (least - _BEGINNING) / (1 - _BEGINNING)
    shared = max(0, int((3 * bare - 1) * 1000) - 1)
    left, right = _Signed.of(ours), _Signed.of(theirs)
    meeting = meet(bucket(left.head), bucket(right.head))
    few = meeting.bank_count * meeting.books_count <= _FEW
    one, two = meeting.where(few).pairs()
    some = _enough(left, one, right, two, shared)
    pairs = [(one[some], two[some]), *_blocks(meeting.where(~few), left, right, shared)]
    one, two = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return left.place[one], right.place[two]


def _blocks(
    meeting: Meeting, left: _Signed, right: _Signed, shared: int
) -> Iterator[tuple[Ints, Ints]]:
    """Rows of both sides that share letters enough, block by block."""
    spans = (meeting.bank_at, meeting.bank_count, meeting.books_at, meeting.books_count)
    for at, count, other, width in zip(*(span.tolist() for span in spans), strict=True):
        cols = meeting.books_order[other : other + width]
        step = max(1, _HELD // width)
        for first in range(at, at + count, step):
            rows = meeting.bank_order[first : min(first + step, at + count)]
            one, two = np.nonzero(_enough(left, rows[:, None], right, cols, shared))
            yield rows[one], cols[two]


def _enough(left: _Signed, one: Ints, right: _Signed, two: Ints, shared: int) -> Flags:
    """Whether names can share so many thousandths of both lengths together."""
    both = np.bitwise_count(left.letters[one] & right.letters[two])
    both = both + np.minimum(left.more[one], right.more[two])
    found: Flags = both * (left.each[one] + right.each[two]) >= shared * _WHOLE // 1000
    return found


@dataclass(frozen=True, slots=True)
class _Signed:
    """Names long enough with what letters they have.

    Attributes:
        place: of each among the names given.
        head: its first four bytes.
        letters: a bit for each of the first few of a class.
        more: how many other letters it has.
        each: what one letter is of all, in parts of `_WHOLE`, and no less than that.
    """

    place: Ints
    head: Codes
    letters: Codes
    more: npt.NDArray[np.int32]
    each: npt.NDArray[np.int32]

    @classmethod
    def of(cls, names: Any) -> _Signed:
        """Of an array without nulls."""
        raw, starts = texts_bytes(names)
        place = np.flatnonzero(np.diff(starts) >= _SHORTEST)
        raw, starts = texts_bytes(names.take(handles(place)))
        count, lengths = len(place), np.diff(starts)
        owner = np.repeat(np.arange(count) * _CLASSES, lengths)
        letters = np.bincount(owner + _CLASS[raw], minlength=count * _CLASSES)
        letters = letters.reshape(count, _CLASSES)
        bits = np.zeros(count, dtype="uint64")
        at = 0
        for which, most in enumerate(_BITS.tolist()):
            for number in range(most):
                bits |= (letters[:, which] > number).astype("uint64") << np.uint64(at)
                at += 1
        more = np.maximum(letters - _BITS, 0).sum(axis=1).astype("int32")
        each = (-(-_WHOLE // lengths)).astype("int32")
        head = raw[starts[:-1][:, None] + np.arange(4)].view("uint32").ravel().astype("uint64")
        return cls(place, head, bits, more, each)
