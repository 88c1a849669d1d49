"""The letters of names in a few bits: how many two names can share at all.

With m letters in common, names of a and b letters have a Jaro-Winkler similarity, without the bonus
for a common beginning, of at most (m/a + m/b + 1) / 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tieout.matching.normal import texts_bytes

__all__ = ["Letters", "shared_least"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

#: Letters, one class for all digits, one for everything else.
_CLASSES: Final = 28
_CLASS: Final = np.full(256, 27, dtype="int64")
_CLASS[ord("A") : ord("Z") + 1] = np.arange(26)
_CLASS[ord("0") : ord("9") + 1] = 26
#: Bits a class has: so many of its characters are told apart; 64 in all.
_BITS: Final = np.full(_CLASSES, 2, dtype="int64")
_BITS[[0, 4, 8, 13, 17, 18, 26, 27]] = 3
#: By class, the bits that stand for none, one, two or three of its characters.
_UNARY: Final = [
    np.array([((1 << k) - 1) << at for k in range(4)], dtype="uint64")
    for at in (np.cumsum(_BITS) - _BITS).tolist()
]
#: A name's letters are counted in parts of so many.
_WHOLE: Final = 1 << 20
#: Names whose letters are counted together.
_TOGETHER: Final = 1 << 14
#: The most a common beginning adds to the similarity of two names: four tenths of what is missing.
_BEGINNING: Final = Decimal("0.4")


def shared_least(similarity: Decimal) -> int:
    """How much of both lengths together two names must share to be so similar, in the parts that
    `Letters.each` counts in."""
    bare = (similarity - _BEGINNING) / (1 - _BEGINNING)
    return max(0, int((3 * bare - 1) * 1000) - 1) * _WHOLE // 1000


@dataclass(frozen=True, slots=True)
class Letters:
    """What letters names have.

    Attributes:
        bits: one for each of the first few of a class.
        more: how many other letters it has.
        each: what one letter is of all, in parts, and no less than that.
    """

    bits: Codes
    more: npt.NDArray[Any]
    each: npt.NDArray[np.int32]

    @classmethod
    def of(cls, names: Any) -> Letters:
        """Of an array without nulls."""
        raw, starts = texts_bytes(names)
        count, lengths = len(names), np.diff(starts)
        bits, more = np.zeros(count, dtype="uint64"), np.zeros(count, dtype="int32")
        classes = _CLASS[raw]
        for first in range(0, count, _TOGETHER):
            part = slice(first, min(first + _TOGETHER, count))
            own = np.repeat(np.arange(part.stop - first) * _CLASSES, lengths[part])
            own += classes[starts[first] : starts[part.stop]]
            counted = np.bincount(own, minlength=(part.stop - first) * _CLASSES)
            counted = counted.reshape(-1, _CLASSES)
            least = np.minimum(counted, _BITS)
            for which, unary in enumerate(_UNARY):
                bits[part] |= unary[least[:, which]]
            more[part] = lengths[part] - least.sum(axis=1)
        small = "uint8" if more.max(initial=0) < 128 else "int32"
        each = -(-_WHOLE // np.maximum(lengths, 1))
        return cls(bits, more.astype(small), each.astype("int32"))

    def enough(self, one: Ints, other: Letters, two: Ints, shared: int) -> Flags:
        """Whether names can share so much, pair by pair."""
        both = np.bitwise_count(self.bits[one] & other.bits[two]).astype("int32")
        both += np.minimum(self.more[one], other.more[two])
        found: Flags = both * (self.each[one] + other.each[two]) >= shared
        return found

    def block(self, rows: Ints, other: Letters, cols: Ints, shared: int) -> Flags:
        """The same for names of one length, each with each of the others."""
        both = np.bitwise_count(self.bits[rows][:, None] & other.bits[cols])
        more, its = self.more[rows], other.more[cols]
        if more.any() and its.any():
            both = both + np.minimum(more[:, None], its)
        needed = -(-shared // (self.each[rows[0]] + other.each[cols]))
        found: Flags = both >= np.minimum(needed, 255).astype("uint8")
        return found
