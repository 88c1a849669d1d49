"""References with check digits, a column at a time: most are bare digits and need no text."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.check_digits import ROW
from tieout.matching.normal import texts_bytes
from tieout.references import structured

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["structured_forms"]

Ints = npt.NDArray[np.int64]
Digits = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_CARRY: Final = np.array(ROW, dtype="uint8")
_SWISS: Final = 27
_BELGIAN: Final = 12


def structured_forms(texts: Any) -> tuple[Ints, Any]:
    """Which texts are structured references (places, ordered), and the one form of each.

    The same as `tieout.references.structured` on every text.

    Args:
        texts: an array without nulls.
    """
    swiss, bare_swiss = _digits(texts, _SWISS)
    belgian, bare_belgian = _digits(texts, _BELGIAN)
    rest = np.ones(len(texts), dtype=bool)
    rest[swiss] = rest[belgian] = False
    others = np.flatnonzero(rest)
    forms = [structured(text) for text in texts.take(handles(others)).to_pylist()]
    have = np.array([form is not None for form in forms], dtype=bool)
    swiss = swiss[_swiss(bare_swiss)]
    belgian = belgian[_belgian(bare_belgian)]
    places = np.concatenate([swiss, belgian, others[have]])
    known: list[Any] = [_marked("QRR:", texts, swiss), _marked("BBA:", texts, belgian)]
    known.append(pa.array([form for form in forms if form is not None], pa.string()))
    order = np.argsort(places)
    return places[order], pa.concat_arrays(known).take(handles(order))


def _marked(kind: str, texts: Any, places: Ints) -> Any:
    return pc.binary_join_element_wise(kind, texts.take(handles(places)), "")


def _digits(texts: Any, length: int) -> tuple[Ints, Digits]:
    """Texts that are so many digits and nothing else: their places, and the digits a row each."""
    raw, starts = texts_bytes(texts)
    at = np.flatnonzero(np.diff(starts) == length)
    digits = raw[starts[at][:, None] + np.arange(length)] - np.uint8(ord("0"))
    bare = (digits < 10).all(axis=1)
    return at[bare], digits[bare]


def _swiss(digits: Digits) -> Flags:
    carry = np.zeros(len(digits), dtype="uint8")
    for column in range(_SWISS - 1):
        carry = _CARRY[(carry + digits[:, column]) % 10]
    right: Flags = ((10 - carry) % 10 == digits[:, -1]) & digits.any(axis=1)
    return right


def _belgian(digits: Digits) -> Flags:
    number = digits[:, :10] @ 10 ** np.arange(9, -1, -1)
    check = digits[:, 10] * np.int64(10) + digits[:, 11]
    left = number % 97
    right: Flags = (np.where(left == 0, 97, left) == check) & digits.any(axis=1)
    return right
