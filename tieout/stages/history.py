"""What the ledger knows of an account before a batch: its statements, and how large entries are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Float, Select, case, cast, func, select
from sqlalchemy.orm import Session

from tieout.ledger.models import EntryRow, StatementRow

__all__ = ["Known", "Usual", "known_statements", "usual_entries"]


@dataclass(frozen=True, slots=True)
class Known:
    """A booked statement, of the ledger or of the batch at hand; amounts in minor units."""

    statement_id: str
    account_code: str
    closed_on: dt.date
    sequence_no: int | None
    page: int | None
    opening_minor: int | None
    closing_minor: int | None
    entries: int

    @property
    def order(self) -> tuple[dt.date, int, int, str]:
        """By day, number and page."""
        return self.closed_on, self.sequence_no or 0, self.page or 1, self.statement_id


@dataclass(frozen=True, slots=True)
class Usual:
    """How large the entries of an account are, whatever their sign.

    Attributes:
        entries: how many it knows, without those of nothing.
        largest_minor: the largest.
        centre: median of the amounts' natural logarithms (of minor units).
        spread: median distance from the centre.
    """

    entries: int
    largest_minor: int
    centre: float
    spread: float


def known_statements(session: Session, codes: Collection[str], since: dt.date) -> list[Known]:
    """The booked statements of some accounts that close on a day or later."""
    row = StatementRow
    query = select(
        row.statement_id,
        row.account_code,
        row.closed_on,
        row.sequence_no,
        row.page,
        row.opening_minor,
        row.closing_minor,
        row.entry_count,
    ).where(row.account_code.in_(codes), row.kind == "booked", row.closed_on >= since)
    found = session.execute(query.order_by(row.statement_id))
    return [
        Known(key, code, day, number, page, opening, closing, entries)
        for key, code, day, number, page, opening, closing, entries in found
        if day is not None
    ]


def usual_entries(
    session: Session, codes: Collection[str], since: dt.date, apart: Collection[str]
) -> Mapping[str, Usual]:
    """What is usual of the entries booked since a day, by account.

    Args:
        apart: statements left out: those about to be judged, when they are judged again.
    """
    size = func.ln(cast(func.abs(EntryRow.amount_minor), Float))
    sizes = (
        select(
            EntryRow.account_code.label("code"),
            func.abs(EntryRow.amount_minor).label("minor"),
            # Of nothing there is no logarithm; the order of conditions is not ours to choose.
            case((EntryRow.amount_minor != 0, size)).label("size"),
        )
        .where(
            EntryRow.account_code.in_(codes),
            EntryRow.status == "booked",
            EntryRow.amount_minor != 0,
            EntryRow.booked_on >= since,
            EntryRow.statement_id.not_in(apart),
        )
        .cte("sizes")
    )
    middle = func.percentile_cont(0.5).within_group
    centres: Select[tuple[str, int, int, float]] = select(
        sizes.c.code,
        func.count().label("entries"),
        func.max(sizes.c.minor).label("largest"),
        middle(sizes.c.size).label("centre"),
    ).group_by(sizes.c.code)
    centre = centres.cte("centres")
    spread = (
        select(
            centre.c.code,
            centre.c.entries,
            centre.c.largest,
            centre.c.centre,
            middle(func.abs(sizes.c.size - centre.c.centre)),
        )
        .join(sizes, sizes.c.code == centre.c.code)
        .group_by(centre.c.code, centre.c.entries, centre.c.largest, centre.c.centre)
    )
    return {row[0]: Usual(*row[1:]) for row in session.execute(spread)}
