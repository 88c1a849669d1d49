"""Cases as text tables an accountant can read, turned into canonical tables.

A line of the bank is ``B1 | 2026-11-20 | -119.00 | reference | party | text``; a line ``B1.1``
below it is a payment inside that entry. A line of the books is
``K1 | 2026-11-19 | -119.00 | kind | document | e2e | run | party | text``.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tieout.canonical import DETAILS, ENTRIES, ITEMS, table
from tieout.matching import engine, ladder

ACCOUNT = "DE00111122223333444455"


def _cells(line: str, count: int) -> list[str]:
    cells = [cell.strip() for cell in line.split("|")]
    return cells + [""] * (count - len(cells))


def tables(bank: str, books: str, **common: Any) -> tuple[pa.Table, pa.Table, pa.Table]:
    entries, details, items = [], [], []
    base = {"account_id": ACCOUNT, "currency": "EUR", **common}
    for line in filter(str.strip, bank.splitlines()):
        own, day, amount, reference, party, text = _cells(line, 6)
        entry_id = own.split(".")[0]
        detail = {
            "detail_id": f"{own}-d",
            "entry_id": entry_id,
            "ordinal": len(details),
            "amount": Decimal(amount),
            "end_to_end_id": reference or None,
            "counterparty_name": party or None,
            "narrative": text.replace("\\n", "\n") or None,
        }
        if "." not in own:
            entries.append(
                {
                    **base,
                    "entry_id": own,
                    "booked_on": date.fromisoformat(day),
                    "amount": Decimal(amount),
                }
            )
            detail["payment_info_id"] = reference or None
        elif details and details[-1]["detail_id"] == f"{entry_id}-d":
            details.pop()
        details.append(detail)
    for line in filter(str.strip, books.splitlines()):
        own, day, amount, kind, document, e2e, run, party, text = _cells(line, 9)
        items.append(
            {
                **base,
                "item_id": own,
                "kind": kind or None,
                "booked_on": date.fromisoformat(day),
                "amount": Decimal(amount),
                "document_no": document or None,
                "end_to_end_id": e2e or None,
                "payment_batch_id": run or None,
                "counterparty_name": party or None,
                "narrative": text or None,
            }
        )
    return table(entries, ENTRIES), table(details, DETAILS), table(items, ITEMS)


def said(result: engine.Result) -> str:
    """The result as text: a line a group (``~`` where it is a proposal) and a line a refusal."""
    members: dict[str, dict[str, list[str]]] = {}
    for row in result.members.to_pylist():
        sides = members.setdefault(row["group_id"], {"entry": [], "detail": [], "item": []})
        sides[row["side"]].append(row["member_id"])
    lines = []
    for group in result.groups.to_pylist():
        sides = members[group["group_id"]]
        left = f" {group['residual_class']} {group['residual'].normalize():f}"
        sign = "=" if group["state"] == "confirmed" else "~"
        lines.append(
            f"{'+'.join(sides['entry'])} {sign} {'+'.join(sides['item'])} by {group['rung']}"
            + (left if group["residual"] else "")
        )
        lines[-1] = lines[-1].strip()
    for row in result.refused.to_pylist():
        lines.append(f"{'+'.join(row['entry_ids'])} ? {'+'.join(row['item_ids'])} by {row['rung']}")
    return "\n".join(sorted(lines))


def run(bank: str, books: str, name: str = "default", **common: Any) -> str:
    return said(engine.match(*tables(bank, books, **common), ladder.load(name)))
