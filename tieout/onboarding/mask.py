"""Sample lines without people or accounts: shapes stay, letters and long numbers do not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["masked"]

#: Words of the formats themselves.
_KEEP: Final = (
    r"^:\d\d[A-Z]?:", r"\?\d\d", r"/[A-Z]{2,4}(?=/)", r"\b[A-Z]{4}\+",
    r"(?<=^:61:)\d{6}(?:\d{4})?\s*R?[CDE]{1,2}[A-Z]?[\d,.]+[NSF][A-Z0-9]{3}", r"//", r"NONREF",
)  # fmt: skip


def masked(text: str, keep: Iterable[str] = ()) -> str:
    """The text with every letter an x and every digit a 0, but for what the format says.

    Args:
        text: one line.
        keep: further expressions of what may stay (labels, dates).

    >>> masked(":86:166?00TRANSFER?20EREF+E2E-7?32ANNA MUSTER")
    ':86:000?00XXXXXXXX?20EREF+X0X-0?32XXXX XXXXXX'
    """
    stays = re.compile("|".join((*_KEEP, *keep)))
    out, at = "", 0
    for match in stays.finditer(text):
        out += _blind(text[at : match.start()]) + match[0]
        at = match.end()
    return out + _blind(text[at:])


def _blind(text: str) -> str:
    return "".join(
        "0" if char.isdigit() else "X" if char.isupper() else "x" if char.isalpha() else char
        for char in text
    )
