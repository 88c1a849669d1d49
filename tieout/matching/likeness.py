"""How near two references are, and which references a key finds in an entry."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tieout.matching.ladder import BANK_ENTRY, Key
from tieout.references import REFERENCE_TYPES, find, is_reference, is_valid, normalise

__all__ = ["difference", "formed", "one_off", "references_of", "stands_in"]

#: References cut shorter than this could be anything.
_CUT_LEAST: Final = 6


def references_of(
    entry: Mapping[str, Any], details: Sequence[Mapping[str, Any]], key: Key
) -> dict[str, str]:
    """The references of a key on the bank's side: the form compared to the text as written."""
    found: dict[str, str] = {}
    for name in key.bank:
        for row in [entry] if name in BANK_ENTRY else details:
            value = row.get(name)
            if is_reference(value, length_min=key.length_min):
                found.setdefault(formed(str(value), key), str(value))
    for name in key.text if key.patterns else ():
        for row in (entry, *details):
            for hit in find(row.get(name), key.patterns, length_min=key.length_min):
                found.setdefault(formed(hit, key), hit)
    found.pop("", None)
    return found


def formed(value: str, key: Key) -> str:
    """A reference as its key compares it; empty where it is none.

    ``number`` keys compare the digits at the end without leading zeros, ``structured`` ones only
    what has right check digits.
    """
    plain = normalise(value)
    form = getattr(key, "form", "plain")
    if form == "number":
        digits = re.search(r"[0-9]+$", plain)
        plain = digits.group().lstrip("0") if digits else ""
    elif form == "structured" and not any(is_valid(value, kind) for kind in REFERENCE_TYPES):
        plain = ""
    return plain if len(plain) >= min(key.length_min, _CUT_LEAST) else ""


def stands_in(value: str, text: str) -> bool:
    """Whether a reference stands in a text (both in the normal form) and in no longer number."""
    at = text.find(value)
    while value and at >= 0:
        before, after = text[at - 1 : at] if at else "", text[at + len(value) : at + len(value) + 1]
        longer = (value[0].isdigit() and before.isdigit()) or (
            value[-1].isdigit() and after.isdigit()
        )
        if not longer:
            return True
        at = text.find(value, at + 1)
    return False


def difference(theirs: str, ours: str) -> str:
    """What makes two normal forms nearly equal, as a verb phrase; empty where they are not near.

    >>> difference("RE20260417", "RE20260471")
    'has two characters swapped against'
    >>> difference("RE20260", "RE20260471")
    'is the beginning of'
    """
    if theirs == ours or min(len(theirs), len(ours)) < _CUT_LEAST:
        return ""
    if ours.startswith(theirs):
        return "is the beginning of"
    if theirs.startswith(ours):
        return "begins with"
    if ours.endswith(theirs):
        return "is the end of"
    if theirs.endswith(ours):
        return "ends with"
    if one_off(theirs, ours):
        return "differs in one character from"
    swapped = [n for n in range(len(theirs)) if len(theirs) == len(ours) and theirs[n] != ours[n]]
    if len(swapped) == 2 and swapped[1] == swapped[0] + 1:
        first, second = swapped
        if (theirs[first], theirs[second]) == (ours[second], ours[first]):
            return "has two characters swapped against"
    return ""


def one_off(first: str, second: str) -> bool:
    """Whether one character replaced, added or left out makes the texts equal."""
    short, long = sorted((first, second), key=len)
    if len(long) - len(short) > 1 or first == second:
        return False
    at = next((n for n, mark in enumerate(short) if mark != long[n]), len(short))
    rest = short[at + 1 :] if len(short) == len(long) else short[at:]
    return rest == long[at + 1 :]
