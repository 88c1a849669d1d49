"""Control totals and record counts of BAI2: what trailers say against what was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from parsers._bai_fields import amount
from parsers._text import clean

__all__ = ["Tally", "mismatches"]


@dataclass(slots=True)
class Tally:
    """An account, a group or a file as counted here, and as the trailers inside it state it.

    Both sums are kept so that one wrong account is no reason to doubt the others of its group.
    """

    line: int
    records: int = 1
    total: Decimal = Decimal(0)
    stated_records: int = 1
    stated_total: Decimal = Decimal(0)
    parts: int = 0
    damaged: bool = False
    first: int = 0  # statement of a group, among those of the file

    def count(self, records: int) -> None:
        """Take records that belong to this level itself."""
        self.records += records
        self.stated_records += records

    def close(self, part: Tally, total: Decimal | None, records: int | None) -> None:
        """Take an account or group with what its trailer states."""
        self.parts += 1
        self.records += part.records
        self.total += part.total
        self.stated_records += part.records if records is None else records
        self.stated_total += part.total if total is None else total


def mismatches(
    tally: Tally, fields: Sequence[str], parts: str
) -> tuple[list[str], Decimal | None, int | None]:
    """What does not agree, and the trailer's total and record count (None where blank).

    Args:
        tally: what was counted; ``records`` includes the trailer.
        fields: of the trailer: total, number of parts (not for accounts), number of records.
        parts: what the parts are called; empty for an account.
    """
    wrong: list[str] = []
    total_text, *counts = [*fields, "", "", ""][: 3 if parts else 2]
    total = amount(total_text) if total_text else None
    if total_text and total not in (tally.total, tally.stated_total):
        wrong.append(f"total {clean(total_text[:40])} stated, {tally.total} read")
    records_text = counts[-1]
    records = _number(records_text)
    if records_text and records not in (tally.records, tally.stated_records):
        wrong.append(f"{clean(records_text[:20])} records stated, {tally.records} read")
    if parts and counts[0] and _number(counts[0]) != tally.parts:
        wrong.append(f"{clean(counts[0][:20])} {parts} stated, {tally.parts} read")
    return wrong, total, records


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
