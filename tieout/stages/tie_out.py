"""The bank reconciliation statement of one account, gathered from the ledger.

Everything between the balance per bank and the balance per books is listed: items in transit,
entries whose posting is proposed, made or undecided, residuals, staged statements. What is left is
unexplained and makes the account's line red.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout.ledger.models import (
    Account,
    Adjustment,
    BookBalance,
    DetailRow,
    EntryRow,
    ItemRow,
    StatementRow,
    StatementStatus,
)
from tieout.reports.model import (
    AccountTieOut,
    BrsLine,
    BrsSection,
    SectionKind,
    brs,
    section,
    status_of,
)
from tieout.stages.claims import Taken, taken_of
from tieout.stages.derive import narrative_of
from tieout.stages.groups import GroupView, group_views
from tieout.stages.identities import booked_entries, entry_details
from tieout.stages.open_tables import open_entries, open_items
from tieout.stages.rates import account_rates
from tieout.stages.sync import is_newest

__all__ = ["account_tie_out"]

_KINDS: tuple[SectionKind, ...] = (
    "in_transit",
    "posted",
    "proposed",
    "exceptions",
    "residuals",
    "staged",
)
_BY_STATE: dict[str, SectionKind] = {
    "approved": "proposed",
    "pending": "proposed",
    "posted": "posted",
}


@dataclass(frozen=True, slots=True)
class _Bank:
    """The newest statement up to the day, and what its state is."""

    statement: StatementRow
    reason: str


def account_tie_out(session: Session, account: Account, day: dt.date) -> AccountTieOut:
    """Tie one account out as of a day."""
    bank = _newest(session, account, day)
    sections = _sections(session, account, day)
    books = _books_balance(session, account, day)
    closing = bank.statement.closing_minor if bank else None
    unexplained = brs(closing, books, sections)
    number = bank.statement.sequence_no if bank else None
    return AccountTieOut(
        code=account.code,
        name=account.name,
        bank=account.bank,
        iban=account.account_id,
        currency=account.currency,
        statement_ref=(bank.statement.statement_ref or "") if bank else "",
        sequence_no="" if number is None else str(number),
        as_of=bank.statement.closed_on if bank else None,
        bank_balance_minor=closing,
        books_balance_minor=books,
        sections=sections,
        rates=account_rates(session, account, day, closed_on=day),
        unexplained_minor=unexplained,
        status=status_of(unexplained, sections),
        remark=_remark(bank, day),
    )


def _newest(session: Session, account: Account, day: dt.date) -> _Bank | None:
    row = session.execute(
        select(StatementRow, StatementStatus)
        .join(StatementStatus, StatementStatus.statement_id == StatementRow.statement_id)
        .where(
            StatementRow.account_code == account.code,
            StatementStatus.state.in_(("accepted", "staged")),
            StatementRow.closing_minor.is_not(None),
            StatementRow.closed_on <= day,
        )
        .order_by(
            StatementRow.closed_on.desc(),
            func.coalesce(StatementRow.sequence_no, 0).desc(),
            func.coalesce(StatementRow.page, 0).desc(),
            StatementRow.recorded_at.desc(),
            StatementRow.statement_id.desc(),
        )
        .limit(1)
    ).first()
    if row is None:
        return None
    return _Bank(row[0], row[1].reason if row[1].state == "staged" else "")


def _remark(bank: _Bank | None, day: dt.date) -> str:
    if bank is None:
        return "no statement received"
    if bank.reason:
        return bank.reason
    closed_on = bank.statement.closed_on
    return "" if closed_on == day else f"no statement of {day}; the last is of {closed_on}"


def _books_balance(session: Session, account: Account, day: dt.date) -> int:
    """What the ERP said last about this day; before any sync, the cutover's balance.

    Where it was asked about an earlier day (there was no statement since), the cash-book lines
    booked since are added, as they are items in transit on this day.
    """
    asked = (
        select(BookBalance.on, BookBalance.amount_minor)
        .where(BookBalance.account_code == account.code, BookBalance.on <= day)
        .order_by(BookBalance.on.desc(), BookBalance.book_balance_id.desc())
        .limit(1)
    )
    row = session.execute(asked).first()
    on, balance = row if row is not None else (account.cutover_on, account.cutover_minor)
    since = select(func.coalesce(func.sum(ItemRow.open_minor), 0)).where(
        is_newest(),
        ItemRow.account_code == account.code,
        ItemRow.kind == "cash_book",
        ItemRow.booked_on > on,
        ItemRow.booked_on <= day,
    )
    return int(balance) + int(session.scalars(since).one())


def _sections(session: Session, account: Account, day: dt.date) -> tuple[BrsSection, ...]:
    lines: dict[SectionKind, list[BrsLine]] = {kind: [] for kind in _KINDS}
    adjustments = _adjustments(session, account)
    taken = taken_of(session, "entry", held=False)
    accepted = _until(booked_entries(session, account.code, states=("accepted",)), day)
    staged = _until(booked_entries(session, account.code, states=("staged",)), day)
    details: dict[str, list[DetailRow]] = {}
    for detail in entry_details(session, [e.entry_id for e in (*accepted, *staged)]):
        details.setdefault(detail.entry_id, []).append(detail)
    for entry in open_entries(accepted, taken):
        kind, note = _place_entry(adjustments, entry, taken, "exceptions")
        lines[kind].append(_entry_line(entry, details.get(entry.entry_id, []), day, note))
    claims = taken_of(session, "item", held=False)
    in_transit = list(open_items(session, account, day, claims).values())
    for view in group_views(session, account.code, until=day):
        if not view.entries and not view.effect_minor:
            continue  # a posting and its reversal
        if not view.entries:
            # The bank booked it after the day: on the day it was in transit.
            in_transit += [i for i in view.items if i.open_minor]
        elif not (
            view.items
            or not view.effect_minor
            or view.group.rung == "own_posting"
            or view.group.cardinality.endswith(":0")  # entries that cancel need no items
        ):
            # The books had nothing of it on the day.
            for entry in view.entries:
                own = details.get(entry.entry_id, [])
                lines["exceptions"].append(_entry_line(entry, own, day, ""))
        elif view.effect_minor:
            kind, note = _place_group(adjustments.get(("group", view.group.group_id)), view)
            lines[kind].append(_group_line(view, day, note))
    for entry in open_entries(staged, taken):
        kind, note = _place_entry(adjustments, entry, taken, "staged")
        lines[kind].append(_entry_line(entry, details.get(entry.entry_id, []), day, note))
    for item in sorted(in_transit, key=lambda i: (i.booked_on or day, i.item_id)):
        if item.kind == "cash_book":
            text = " ".join(t for t in (item.counterparty_name, item.narrative) if t)
            lines["in_transit"].append(
                BrsLine(item.document_no or "", item.booked_on or day, text, item.open_minor)
            )
    return tuple(section(kind, lines[kind]) for kind in _KINDS if lines[kind])


def _until(entries: list[EntryRow], day: dt.date) -> list[EntryRow]:
    return [e for e in entries if e.booked_on is None or e.booked_on <= day]


def _adjustments(session: Session, account: Account) -> dict[tuple[str, str], Adjustment]:
    """The newest adjustment of each subject."""
    query = select(Adjustment).where(Adjustment.account_code == account.code)
    found = session.scalars(query.order_by(Adjustment.proposed_at, Adjustment.adjustment_id))
    return {(a.subject_side, a.subject_id): a for a in found}


def _place(adjustment: Adjustment | None, otherwise: SectionKind) -> tuple[SectionKind, str]:
    """Which section a difference belongs to, and what to say beside it."""
    if adjustment is None or adjustment.state not in _BY_STATE:
        return otherwise, ""
    number = f" {adjustment.document_no}" if adjustment.document_no else ""
    return _BY_STATE[adjustment.state], f"{adjustment.kind} {adjustment.state}{number}"


def _place_entry(
    adjustments: Mapping[tuple[str, str], Adjustment],
    entry: EntryRow,
    taken: Mapping[str, Taken],
    otherwise: SectionKind,
) -> tuple[SectionKind, str]:
    """As `_place`; a posting that is in the cash book already explains no rest of its entry."""
    adjustment = adjustments.get(("entry", entry.entry_id))
    other = adjustment is not None and adjustment.amount_minor != entry.amount_minor
    if other and entry.entry_id in taken:
        return otherwise, "the rest of an entry that is matched in part"
    return _place(adjustment, otherwise)


def _place_group(adjustment: Adjustment | None, view: GroupView) -> tuple[SectionKind, str]:
    """As `_place`; what the adjustment does not exactly explain is a residual."""
    if adjustment is not None and (view.vanished or adjustment.amount_minor != view.effect_minor):
        return "residuals", "the books changed since it was matched"
    return _place(adjustment, "residuals")


def _entry_line(entry: EntryRow, details: list[DetailRow], day: dt.date, note: str) -> BrsLine:
    names = [d.counterparty_name for d in details if d.counterparty_name]
    text = " ".join(t for t in (*dict.fromkeys(names), narrative_of(entry, details)) if t)
    reference = entry.bank_ref or entry.entry_ref or f"entry {entry.ordinal}"
    return BrsLine(reference, entry.booked_on or day, text, entry.amount_minor, note)


def _group_line(view: GroupView, day: dt.date, note: str) -> BrsLine:
    days = [e.booked_on for e in view.entries if e.booked_on]
    documents = ", ".join(i.document_no for i in view.items if i.document_no)
    return BrsLine(documents, max(days, default=day), view.group.evidence, view.effect_minor, note)
