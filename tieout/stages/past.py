"""The ledger's past, for a replay: facts with the days they were open, and what people said.

Read in one repeatable-read, read-only transaction: nothing changes while it is read, nothing is
written. A day knows the entries and items booked up to it, as the stages themselves do. An item
counts with the newest version observed by then (its first one from its booking day: books are
often read later than they are written). What people matched by hand or a posting explained stays
open until the day it was decided, so that a ladder can show it would have been quicker.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from tieout.errors import InputError
from tieout.ledger import Ledger
from tieout.ledger.models import (
    Account,
    Adjustment,
    Approval,
    EntryRow,
    GroupRow,
    ItemRow,
    MemberRow,
)
from tieout.matching.backtest import Verdict
from tieout.matching.replay import History
from tieout.matching.suggest import Known
from tieout.stages.identities import booked_entries, entry_details
from tieout.stages.open_tables import tables_of
from tieout.stages.past_words import BY_HAND, OWN, known_of, verdicts_of

__all__ = ["Past", "load_past"]

_EVER: Final = dt.date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Past:
    """All a replay needs.

    Attributes:
        histories: one an account, ordered by code.
        ladders: the ladder each account uses now.
        currencies: of each account.
        verdicts: what people said, oldest first.
        known: every match that stands.
        names: by id, what a person calls an entry or item.
        until: the last day of it.
    """

    histories: tuple[History, ...]
    ladders: Mapping[str, str]
    currencies: Mapping[str, str]
    verdicts: tuple[Verdict, ...]
    known: tuple[Known, ...]
    names: Mapping[str, str]
    until: dt.date


def load_past(ledger: Ledger, since: dt.date, account_code: str | None = None) -> Past:
    """Everything booked since a day, on one account or on all.

    Raises:
        InputError: ``ACCOUNT_UNKNOWN``, ``HISTORY_EMPTY``.
    """
    with ledger.session() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        accounts = list(session.scalars(select(Account).order_by(Account.code)))
        known = [a.code for a in accounts]
        if account_code is not None and account_code not in known:
            raise InputError(
                "ACCOUNT_UNKNOWN",
                f"the ledger has no account {account_code!r}",
                remedy="accounts: " + (", ".join(known) or "none yet"),
            )
        wanted = [a for a in accounts if account_code in (None, a.code)]
        decided = _decided(session)
        names: dict[str, str] = {}
        rows = {a.code: _entries(session, a, since) for a in wanted}
        told = {e.entry_id for found in rows.values() for e in found}
        histories = [_history(session, a, rows[a.code], told, decided, names) for a in wanted]
        verdicts = verdicts_of(session, {a.code for a in wanted})
        booked = {e.entry_id: _day(e) for found in rows.values() for e in found}
        standing = known_of(session, [a.code for a in wanted], booked)
    days = [int(h.entry_from.max()) for h in histories if len(h.entry_from)]
    if not days:
        raise InputError(
            "HISTORY_EMPTY",
            f"nothing was booked since {since}" + (f" on {account_code}" if account_code else ""),
            remedy="give an earlier --since",
        )
    return Past(
        tuple(histories),
        {a.code: a.ladder for a in wanted},
        {a.code: a.currency for a in wanted},
        tuple(verdicts),
        tuple(standing),
        names,
        dt.date.fromordinal(max(days)),
    )


def _decided(session: Session) -> dict[tuple[str, str], int]:
    """The day from which something was out of any ladder's hands, by side and id."""
    found: dict[tuple[str, str], int] = {}
    standing = (
        select(Adjustment.subject_side, Adjustment.subject_id, Approval.at, Adjustment.proposed_at)
        .outerjoin(
            Approval,
            (Approval.adjustment_id == Adjustment.adjustment_id) & (Approval.decision == "approve"),
        )
        .where(Adjustment.state.in_(("approved", "posted")))
    )
    for side, own, approved_at, proposed_at in session.execute(standing):
        found[side, own] = (approved_at or proposed_at).date().toordinal()
    claims = (
        select(MemberRow.side, MemberRow.member_id, GroupRow.rung, GroupRow.derived_at)
        .join(GroupRow, GroupRow.group_id == MemberRow.group_id)
        .where(MemberRow.live, GroupRow.rung.in_((OWN, BY_HAND)))
    )
    for side, own, rung, at in session.execute(claims):
        # The cash-book line of our own posting is nobody's to match.
        found[side, own] = 0 if rung == OWN and side == "item" else at.date().toordinal()
    return found


def _entries(session: Session, account: Account, since: dt.date) -> list[EntryRow]:
    rows = booked_entries(session, account.code, states=("accepted",))
    return [e for e in rows if (_day(e) or dt.date.min) >= since]


def _history(
    session: Session,
    account: Account,
    rows: Sequence[EntryRow],
    told: set[str],
    decided: Mapping[tuple[str, str], int],
    names: dict[str, str],
) -> History:
    """One account's history; ``told`` are the entries of all accounts that are replayed."""
    details = entry_details(session, [e.entry_id for e in rows])
    first = [(_day(e) or dt.date.min).toordinal() for e in rows]
    until = [
        _until(decided.get(("entry", e.entry_id)), day) for e, day in zip(rows, first, strict=True)
    ]
    names.update((e.entry_id, e.bank_ref or e.entry_id[:12]) for e in rows)
    versions, days = _versions(session, account, told, decided)
    names.update((i.item_id, i.document_no or i.item_id[:12]) for i in versions)
    entries, inside, items = tables_of(account, rows, details, versions)
    return History(
        account.code,
        entries,
        np.array(first, dtype="int64"),
        np.array(until, dtype="int64"),
        inside,
        items,
        np.array([day for day, _ in days], dtype="int64"),
        np.array([day for _, day in days], dtype="int64"),
    )


def _day(row: EntryRow) -> dt.date | None:
    return row.booked_on or row.valued_on


def _until(decided: int | None, first: int) -> int:
    """The first day it is not open; it is open on its own day at least."""
    return _EVER if decided is None else max(decided, first) + 1


def _versions(
    session: Session,
    account: Account,
    entries: set[str],
    decided: Mapping[tuple[str, str], int],
) -> tuple[list[ItemRow], list[tuple[int, int]]]:
    """Every version of an item that was open on some day, with those days."""
    before = _claimed_before(session, account, entries)
    query = (
        select(ItemRow)
        .where(
            ItemRow.company == account.company,
            ItemRow.currency == account.currency,
            or_(ItemRow.account_code == account.code, ItemRow.account_code.is_(None)),
        )
        .order_by(ItemRow.item_id, ItemRow.version)
    )
    by_item: dict[str, list[ItemRow]] = defaultdict(list)
    for row in session.scalars(query):
        by_item[row.item_id].append(row)
    rows: list[ItemRow] = []
    days: list[tuple[int, int]] = []
    for item_id in sorted(by_item):
        if item_id in before or decided.get(("item", item_id)) == 0:
            continue
        found = by_item[item_id]
        starts = [_start(found[0]), *(v.observed_at.date().toordinal() for v in found[1:])]
        ends = [*starts[1:], _EVER]
        last = _until(decided.get(("item", item_id)), starts[0])
        for version, start, end in zip(found, starts, ends, strict=True):
            if version.open_minor and start < min(end, last):
                rows.append(version)
                days.append((start, min(end, last)))
    return rows, days


def _start(item: ItemRow) -> int:
    return (item.booked_on or item.observed_at.date()).toordinal()


def _claimed_before(session: Session, account: Account, entries: set[str]) -> set[str]:
    """Items that live groups took for entries of other times or other accounts."""
    query = (
        select(MemberRow.group_id, MemberRow.side, MemberRow.member_id)
        .join(GroupRow, GroupRow.group_id == MemberRow.group_id)
        .where(MemberRow.live, GroupRow.state == "confirmed", GroupRow.currency == account.currency)
    )
    bank: dict[str, set[str]] = defaultdict(set)
    books: dict[str, set[str]] = defaultdict(set)
    for group_id, side, own in session.execute(query):
        if side == "entry":
            bank[group_id].add(own)
        elif side == "item":
            books[group_id].add(own)
    return {i for g, items in books.items() if bank[g] and not bank[g] & entries for i in items}
