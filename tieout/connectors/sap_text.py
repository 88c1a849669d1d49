"""The text of a bank line's document, and what our references look like."""

from __future__ import annotations

import re
from typing import Final

from tieout.errors import ProfileError
from tieout.profiles import allow_keys

__all__ = ["OURS", "pattern_of"]

#: A reference of ours in a field that others may use for theirs.
OURS: Final = re.compile(r"[A-Z2-7]{16}", re.ASCII)
_PARTS: Final = ("document_no", "end_to_end_id", "narrative")


def pattern_of(text: str) -> re.Pattern[str]:
    """The mapping's pattern of a bank line's text.

    Raises:
        ProfileError: ``PROFILE_PATTERN``, ``PROFILE_KEY``.
    """
    where = "mappings/erp/sap.toml [cash_book] text"
    try:
        pattern = re.compile(text, re.DOTALL)
    except re.error as error:
        raise ProfileError("PROFILE_PATTERN", f"{error}", where=where) from error
    allow_keys(pattern.groupindex, _PARTS, where)
    return pattern
