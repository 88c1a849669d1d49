"""Names that are nearly the same, without comparing each with each.

Jaro-Winkler similarity is dear, and millions of names begin alike. How many letters two names can
share at all is known from a few bits of each; where these are too few the names are not compared.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tieout.arrays import handles

__all__ = ["only_likeness"]

Ints = npt.NDArray[np.int64]

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
    db.register("ours", _signed(ours, _shared(least)))
    db.register("theirs", _signed(theirs, _shared(least)))
    made = db.sql(likeness_sql(least)).to_arrow_table()
    db.unregister("ours")
    db.unregister("theirs")
    return made["ours"].to_numpy(), made["theirs"].to_numpy()


def likeness_sql(least: Decimal) -> str:
    """The statement: pairs that share letters enough are compared.

    With m of a and b letters shared, the similarity without the beginning's bonus is at most
    (m/a + m/b + 1) / 3.
    """
    shared = _shared(least)
    return (
        "SELECT o.place AS ours, min(t.place) AS theirs FROM ours o JOIN theirs t\n"
        "ON o.name[:4] = t.name[:4]\n"
        "WHERE bit_count(o.letters & t.letters) >= o.least\n"
        "  AND (bit_count(o.letters & t.letters) + least(o.more, t.more))\n"
        f"  * (o.long + t.long) * 1000 >= {shared} * o.long * t.long\n"
        f"  AND jaro_winkler_similarity(o.name, t.name) >= {least}\n"
        "GROUP BY o.place HAVING count(*) = 1 ORDER BY o.place"
    )


def _shared(least: Decimal) -> int:
    """Thousandths of m/a + m/b that names so similar reach at least."""
    bare = (least - _BEGINNING) / (1 - _BEGINNING)
    return max(0, int((3 * bare - 1) * 1000) - 1)


def _signed(names: Any, shared: int) -> pa.Table:
    """Names long enough with what letters they have: ``letters`` a bit for each of the first few
    of a class, ``more`` how many others, ``least`` how many bits any name as similar shares.

    As m is at most b, m/b is at most 1, and m at least (shared - 1) times a.
    """
    lengths = np.diff(_starts(names))
    places = np.flatnonzero(lengths >= _SHORTEST)
    names = names.take(handles(places))
    starts = _starts(names).astype("int64")
    raw = np.frombuffer(names.buffers()[2] or b"", dtype="uint8")[starts[0] : starts[-1]]
    count, lengths = len(names), np.diff(starts)
    owner = np.repeat(np.arange(count), lengths)
    letters = np.bincount(owner * _CLASSES + _CLASS[raw], minlength=count * _CLASSES)
    letters = letters.reshape(count, _CLASSES)
    bits = np.zeros(count, dtype="uint64")
    at = 0
    for which, most in enumerate(_BITS.tolist()):
        for number in range(most):
            bits |= (letters[:, which] > number).astype("uint64") << np.uint64(at)
            at += 1
    more = np.maximum(letters - _BITS, 0).sum(axis=1)
    columns: dict[str, Any] = {
        "place": places, "name": names, "letters": bits, "more": more, "long": lengths,
        "least": np.maximum((max(shared - 1000, 0) * lengths + 999) // 1000 - more, 0),
    }  # fmt: skip
    return pa.table(columns)


def _starts(texts: Any) -> npt.NDArray[np.int32]:
    raw = np.frombuffer(texts.buffers()[1], dtype="int32")
    return raw[texts.offset : texts.offset + len(texts) + 1]
