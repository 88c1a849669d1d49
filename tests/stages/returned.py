"""Payments that come back: the bank's statements with details, and what is proposed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from tests.stages.small import Small
from tieout.ledger.models import (
    DetailRow,
    EntryRow,
    ExceptionRow,
    FileRow,
    GroupRow,
    MemberRow,
    StatementRow,
)
from tieout.stages.return_decide import decide_return, proposed_returns

PAID = dt.date(2026, 11, 20)
DAY = dt.date(2026, 11, 23)
NEXT = dt.date(2026, 11, 24)


def tell(
    small: Small, day: dt.date, *entries: dict[str, Any], kind: str = "booked", version: int = 1
) -> list[str]:
    """The bank's next statement; an entry says its amount, columns of its own and its details.

    A report of the day (``kind="intraday"``) tells the same before the statement does.
    """
    small.number += 1
    key = f"{small.code}/{small.number}/{kind}/{version}"
    opening, small.closing = small.closing, small.closing + sum(e["amount"] for e in entries)
    common = {"account_code": small.code, "currency": "EUR"}
    with small.ledger.session() as session:
        session.add(FileRow(file_id=key, size=1, name=key, drop="banks", state="recorded"))
        session.flush()
        session.add(
            StatementRow(
                statement_id=key,
                file_id=key,
                kind=kind,
                format="test",
                closed_on=day,
                entry_count=len(entries),
                sequence_no=small.number,
                opening_minor=opening,
                closing_minor=small.closing,
                **common,
            )
        )
        session.flush()
        for ordinal, entry in enumerate(entries, 1):
            own = {k: v for k, v in entry.items() if k not in ("amount", "details")}
            session.add(
                EntryRow(
                    entry_id=f"{key}#{ordinal}",
                    statement_id=key,
                    ordinal=ordinal,
                    exponent=2,
                    amount_minor=entry["amount"],
                    status="booked",
                    booked_on=day,
                    valued_on=day,
                    **common,
                    **own,
                )
            )
            session.flush()
            for n, detail in enumerate(entry["details"], 1):
                session.add(
                    DetailRow(
                        detail_id=f"{key}#{ordinal}.{n}",
                        entry_id=f"{key}#{ordinal}",
                        ordinal=n,
                        currency="EUR",
                        **{"amount_minor": entry["amount"], **detail},
                    )
                )
    if kind != "booked":
        small.number, small.closing = small.number - 1, opening
    small.restage()
    return [f"{key}#{n}" for n in range(1, len(entries) + 1)]


def payment(amount: int, e2e: str = "NORD-261112-0007", **ids: Any) -> dict[str, Any]:
    name = "Meyer KG"
    return {
        "amount": amount,
        "details": [{"end_to_end_id": e2e, "counterparty_name": name, **ids}],
    }


def back(amount: int, e2e: str = "NORD-261112-0007", **ids: Any) -> dict[str, Any]:
    return payment(amount, e2e, **{"return_reason": "AC04", **ids}) | {"code_subfamily": "RRTN"}


def paid(small: Small, amount: int = -1000) -> str:
    """A payment of last week, in the cash book and matched."""
    small.book("ZA-1", amount, PAID, end_to_end_id="NORD-261112-0007")
    small.sync()
    (entry,) = tell(small, PAID, payment(amount))
    assert small.reconcile(PAID).groups == 1
    return entry


def proposal(small: Small) -> dict[str, Any]:
    with small.ledger.session() as session:
        (row,) = proposed_returns(session)
        shown: dict[str, Any] = row.candidates["return"]
        return shown | {"reason": row.reason}


def reasons(small: Small) -> dict[str, str]:
    with small.ledger.session() as session:
        rows = session.scalars(select(ExceptionRow).where(ExceptionRow.state != "resolved"))
        return {r.subject_id: r.reason for r in rows}


def approve(small: Small) -> str:
    return decide_return(small.ledger, proposal(small)["id"], "approve", "anna", "")


def groups(small: Small) -> dict[str, str]:
    with small.ledger.session() as session:
        return {g.rung: g.state for g in session.scalars(select(GroupRow))}


def live(small: Small) -> set[str]:
    with small.ledger.session() as session:
        return set(session.scalars(select(MemberRow.member_id).where(MemberRow.live)))


def proposed(small: Small) -> list[ExceptionRow]:
    with small.ledger.session() as session:
        return proposed_returns(session)
