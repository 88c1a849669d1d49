"""The four rates of an account: by count, by value, at item level, and precision; by rung.

By count and by value are of entries: matched whole, and how much of them is matched. At item level
are lines of the books: matched ones beside the cash-book lines that are still open (documents wait
to be paid and our own postings come back by themselves, so neither counts as open). Precision is of
what the ladder confirmed by itself (`tieout.reports.precision`), over the account's whole history.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.ledger.models import (
    Account,
    Adjustment,
    AuditVerdict,
    EntryRow,
    GroupRow,
    ItemRow,
    MatchDecision,
    MemberRow,
    PostingIntent,
)
from tieout.reports.precision import Precision, across
from tieout.reports.rates import Rates, RungRate
from tieout.stages.claims import rest_of_item, taken_of
from tieout.stages.groups import ENGINE
from tieout.stages.identities import among, booked_entries
from tieout.stages.open_tables import open_entries, open_items
from tieout.stages.sync import current_items

__all__ = ["account_rates", "precision_of"]

_OWN = "own_posting"


def account_rates(
    session: Session,
    account: Account,
    day: dt.date,
    *,
    since: dt.date | None = None,
    closed_on: dt.date | None = None,
) -> Rates:
    """The rates of an account as of a day.

    Args:
        since: of entries booked on this day or later; else of all.
        closed_on: of the entries of the statements that close on this day.
    """
    only = {} if closed_on is None else {"closed_on": closed_on}
    entries = [
        e
        for e in booked_entries(session, account.code, states=("accepted", "staged"), **only)
        if closed_on is not None or _within(e, since, day)
    ]
    taken = taken_of(session, "entry", held=False)
    left = {e.entry_id: abs(e.amount_minor) for e in open_entries(entries, taken)}
    value = sum(abs(e.amount_minor) for e in entries)
    claims = _claims(session, account, {e.entry_id for e in entries})
    whole = {e.entry_id for e in entries} - left.keys()
    own = _own_references(session, account)
    matched, open_count = _items(session, account, day, claims, own)
    precision = precision_of(session, account.code)
    rungs = _rungs(claims, whole, matched, precision)
    return Rates(
        entries_count=len(entries),
        matched_count=len(whole),
        entries_value_minor=value,
        matched_value_minor=value - sum(left.values()),
        items_count=len(matched) + open_count,
        items_matched_count=len(matched),
        precision=across(precision.values()),
        rungs=rungs,
    )


def _within(entry: EntryRow, since: dt.date | None, day: dt.date) -> bool:
    on = entry.booked_on or entry.valued_on
    return on is None or ((since is None or on >= since) and on <= day)


Claim = tuple[str, str, str, str, int]


def _claims(session: Session, account: Account, entry_ids: Collection[str]) -> list[Claim]:
    """What confirmed groups with one of these entries take: group, rung, side, id, amount."""
    inside = select(MemberRow.group_id).where(
        MemberRow.side == "entry", MemberRow.live, among(MemberRow.member_id, entry_ids)
    )
    query = (
        select(
            GroupRow.group_id,
            GroupRow.rung,
            MemberRow.side,
            MemberRow.member_id,
            MemberRow.amount_minor,
        )
        .join(MemberRow, MemberRow.group_id == GroupRow.group_id)
        .where(
            GroupRow.account_code == account.code,
            GroupRow.state == "confirmed",
            GroupRow.group_id.in_(inside),
            MemberRow.live,
            MemberRow.side != "detail",
        )
        .order_by(GroupRow.group_id, MemberRow.side, MemberRow.member_id)
    )
    return [
        (group, rung, side, key, int(amount))
        for group, rung, side, key, amount in session.execute(query)
        if side == "item" or key in entry_ids
    ]


def _own_references(session: Session, account: Account) -> set[str]:
    query = (
        select(PostingIntent.ext_ref)
        .join(Adjustment, Adjustment.adjustment_id == PostingIntent.adjustment_id)
        .where(Adjustment.account_code == account.code)
    )
    return set(session.scalars(query))


def _items(
    session: Session,
    account: Account,
    day: dt.date,
    claims: Sequence[Claim],
    own: Collection[str],
) -> tuple[set[str], int]:
    """Items the claims settle whole, and how many lines of the cash book are open."""
    taken = taken_of(session, "item", held=False)
    claimed = {key for _, rung, side, key, _ in claims if side == "item" and rung != _OWN}
    matched = {
        key
        for key, item in current_items(session, among(ItemRow.item_id, claimed)).items()
        if not rest_of_item(item, taken.get(key)) and not _is_own(item, own)
    }
    open_count = sum(
        item.kind == "cash_book" and not _is_own(item, own)
        for item in open_items(session, account, day, taken).values()
    )
    return matched, open_count


def _is_own(item: ItemRow, own: Collection[str]) -> bool:
    return item.kind == "cash_book" and any(reference in own for reference in item.reference)


def _rungs(
    claims: Sequence[Claim],
    entries: Collection[str],
    items: Collection[str],
    precision: dict[str, Precision],
) -> tuple[RungRate, ...]:
    """By rung, the most entries first; a member in several groups is the largest part's."""
    values: Counter[str] = Counter()
    best: dict[tuple[str, str], tuple[int, str, str]] = {}
    for group, rung, side, key, amount in claims:
        if side == "entry":
            values[rung] += abs(amount)
        if key in (entries if side == "entry" else items):
            part = (-abs(amount), group, rung)
            best[side, key] = min(best.get((side, key), part), part)
    counts = Counter((side, rung) for (side, _), (_, _, rung) in best.items())
    rungs = {rung for _, rung, *_ in claims} | precision.keys()
    rows = [
        RungRate(
            rung,
            counts["entry", rung],
            values[rung],
            counts["item", rung],
            precision.get(rung),
        )
        for rung in rungs
    ]
    return tuple(sorted(rows, key=lambda r: (-r.entries_count, -r.value_minor, r.rung)))


def precision_of(session: Session, account_code: str) -> dict[str, Precision]:
    """What is known of the matches the ladder confirmed by itself, by rung."""
    undone = _undone(session, account_code)
    verdicts = _verdicts(session, account_code)
    query = select(GroupRow.group_id, GroupRow.rung, GroupRow.state).where(
        GroupRow.account_code == account_code,
        GroupRow.maker == ENGINE,
        GroupRow.approver.is_(None),
        GroupRow.rung != _OWN,
        GroupRow.state.in_(("confirmed", "undone")),
    )
    counts: dict[str, Counter[str]] = {}
    for group_id, rung, state in session.execute(query):
        wrong = state == "undone" and group_id in undone
        if state == "undone" and not wrong:
            continue  # the bank corrected it, or it was to be tried anew
        own = counts.setdefault(rung, Counter())
        own["confirmed"] += 1
        if group_id in verdicts:
            own["wrong" if wrong else verdicts[group_id]] += 1
        elif wrong:
            own["undone"] += 1
    return {rung: _counted(counts[rung]) for rung in sorted(counts)}


def _counted(counts: Counter[str]) -> Precision:
    return Precision(counts["confirmed"], counts["undone"], counts["right"], counts["wrong"])


def _undone(session: Session, account_code: str) -> set[str]:
    """Groups people undid as wrong, by their last decision."""
    query = (
        select(MatchDecision.group_id, MatchDecision.decision, MatchDecision.content)
        .where(MatchDecision.account_code == account_code)
        .order_by(MatchDecision.decision_no)
    )
    last = {key: (decision, content) for key, decision, content in session.execute(query)}
    return {k for k, (d, content) in last.items() if d == "undo" and not content.get("again")}


def _verdicts(session: Session, account_code: str) -> dict[str, str]:
    groups = select(GroupRow.group_id).where(GroupRow.account_code == account_code)
    query = (
        select(AuditVerdict.group_id, AuditVerdict.verdict)
        .where(AuditVerdict.group_id.in_(groups))
        .order_by(AuditVerdict.verdict_no)
    )
    rows: Iterable[tuple[str, str]] = ((key, verdict) for key, verdict in session.execute(query))
    return dict(rows)
