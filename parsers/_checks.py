"""Check digits of the structured references that statements carry."""

from __future__ import annotations

from typing import Final

from parsers._rows import Rows
from tieout.references import is_valid

__all__ = ["checked"]

#: Kinds that are nothing without right check digits. ``SCOR`` is one only where it begins with RF:
#: banks put any creditor's number under it.
_ALWAYS: Final = frozenset({"BBA", "ISR", "QRR"})


def checked(reference: str | None, kind: str | None, where: str, rows: Rows) -> str | None:
    """The kind of a reference as the bank states it; wrong check digits are a finding.

    The reference itself stays as it is: a person may still know what was meant.
    """
    if reference is None:
        return None
    scor = kind == "SCOR" and reference.upper().startswith("RF") and reference[2:4].isdigit()
    if (scor or kind in _ALWAYS) and not is_valid(reference, kind or ""):
        rows.finding(
            "REFERENCE_CHECK", "warning", where,
            f"the {kind} reference {reference[:60]!r} has wrong check digits",
            "it is kept as it is: match it by amount and name, or ask the payer",
        )  # fmt: skip
    return kind
