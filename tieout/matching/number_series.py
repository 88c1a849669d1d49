"""Series of numbers in free text: ``9000084870/71/72`` names three documents."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.matching.normal import looked_up, texts_bytes

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["expanded"]

Ints = npt.NDArray[np.int64]

#: A number and the last digits of more of its kind: ``9000084870/71/72``.
_SERIES: Final = r"\d{4,12} ?[/+&,] ?\d{1,4}(?:[^0-9.]|$)"
_PARTS: Final = re.compile(
    r"([A-Za-z]{0,6}(?:[-/ ]?\d{2,4}(?=[-/]))?[-/ ]?)(\d{4,12})"
    r"((?: ?[/+&,] ?\d{1,4}){1,20})(?![\d.]|\s+\d)"
)


def expanded(texts: Any) -> Any:
    """Texts with the numbers written out that a payer only named by their last digits.

    >>> expanded(pa.array(["Rechnungen AR0084840/41/42", "ok"])).to_pylist()
    ['Rechnungen AR0084840/41/42\\nAR0084841\\nAR0084842', 'ok']
    """
    rows = _with_series(texts)
    if not len(rows):
        return texts
    some = pc.match_substring_regex(texts.take(handles(rows)), _SERIES)
    rows = rows[np.asarray(some.to_numpy(zero_copy_only=False), dtype=bool)]
    if not len(rows):
        return texts
    longer = [_written_out(text) for text in texts.take(handles(rows)).to_pylist()]
    mask = np.zeros(len(texts), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(texts, pa.array(mask), pa.array(longer, pa.string()))


#: By byte: 1 for a digit, 2 for what joins numbers.
_KINDS: Final = bytes(
    (chr(byte) in "0123456789") + 2 * (chr(byte) in "/+&, ") for byte in range(256)
)


def _with_series(texts: Any) -> Ints:
    """Texts with a sign that joins numbers behind four digits: cheap, and most have none."""
    raw, starts = texts_bytes(texts)
    kind = looked_up(raw.tobytes(), _KINDS)
    digit = (kind == 1).view("uint8")
    two = digit[:-1] & digit[1:]
    four = two[:-3] & two[2:-1] & (kind[4:] >> 1)
    found = np.zeros(len(starts), dtype=bool)
    found[np.searchsorted(starts, np.flatnonzero(four), side="right") - 1] = True
    return np.flatnonzero(found)


def _written_out(text: str) -> str:
    """The text and, a line each, the numbers of its series; a series only ever rises."""
    more = []
    for letters, number, ends in _PARTS.findall(text):
        before = number
        for end in re.findall(r"\d+", ends):
            if len(end) >= len(number) or end <= before[-len(end) :]:
                break
            before = number[: -len(end)] + end
            more.append(f"{letters}{before}")
    return "\n".join([text, *more])
