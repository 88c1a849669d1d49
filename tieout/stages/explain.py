"""Explain from the ledger: any entry, payment, item, group or exception, by id or by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from tieout.adjustments.store import standing_amounts
from tieout.errors import InputError
from tieout.ledger import Ledger
from tieout.ledger.models import (
    Adjustment,
    AuditRow,
    DetailRow,
    EntryIdentity,
    EntryRow,
    ExceptionRow,
    GroupRow,
    ItemRow,
    MemberRow,
    Run,
    StatementStatus,
)
from tieout.matching.explain import Explanation, Hit, Row, State, money, one_of
from tieout.money import from_minor
from tieout.stages.identities import IDENTITY, among, entry_of
from tieout.stages.named_rows import rows_of
from tieout.stages.open_explained import open_explanation
from tieout.stages.sync import current_items

__all__ = ["explain"]

_SUBJECTS: Final = ("entry", "item", "group")


def explain(ledger: Ledger, asked: str) -> Explanation:
    """Why something matched, or what came nearest. Nothing is written.

    Args:
        asked: the id of an entry, payment, item, group or exception, its start, a document number
            or a bank reference.

    Raises:
        InputError: ``ID_UNKNOWN``, ``ID_AMBIGUOUS``, ``NOT_MATCHED`` (an exception about something
            that is not matched).
    """
    with ledger.session() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        hits = _hits(session, asked)
        hit = one_of(asked, hits, _groups(session, hits))
        if hit.kind == "exception":
            hit = _subject(session, hit.row_id)
        return _explain(session, hit)


def _hits(session: Session, asked: str) -> list[Hit]:
    entries = (
        select(IDENTITY)
        .select_from(EntryRow)
        .outerjoin(EntryIdentity, EntryIdentity.entry_id == EntryRow.entry_id)
    )
    ids: tuple[tuple[str, Any, Any], ...] = (
        ("entry", EntryRow.entry_id, entries),
        ("detail", DetailRow.detail_id, select(DetailRow.detail_id)),
        ("item", ItemRow.item_id, select(ItemRow.item_id)),
        ("group", GroupRow.group_id, select(GroupRow.group_id)),
        ("exception", ExceptionRow.exception_id, select(ExceptionRow.exception_id)),
    )
    hits: list[Hit] = []
    for kind, column, query in ids:
        hits += _found(session, kind, "id", query.where(column == asked))
        starts = query.where(column.startswith(asked, autoescape=True))
        hits += _found(session, kind, "start of an id", starts)
    if any(hit.by == "id" for hit in hits):
        return hits
    named = (EntryRow.bank_ref == asked) | (EntryRow.entry_ref == asked)
    hits += _found(session, "entry", "name", entries.where(named))
    inside = entries.join(DetailRow, DetailRow.entry_id == EntryRow.entry_id).where(
        or_(DetailRow.end_to_end_id == asked, DetailRow.reference == asked)
    )
    hits += _found(session, "entry", "name", inside)
    items = select(ItemRow.item_id).where(
        or_(ItemRow.document_no == asked, ItemRow.end_to_end_id == asked)
    )
    return hits + _found(session, "item", "name", items)


def _found(session: Session, kind: str, by: str, query: Any) -> list[Hit]:
    return [
        Hit(kind, row_id, by)
        for row_id in session.scalars(query.distinct().order_by(text("1")).limit(11))
    ]


def _groups(session: Session, hits: Sequence[Hit]) -> dict[tuple[str, str], str]:
    query = select(MemberRow.side, MemberRow.member_id, MemberRow.group_id).where(
        among(MemberRow.member_id, {h.row_id for h in hits}), MemberRow.live
    )
    return {(side, own): group for side, own, group in session.execute(query)}


def _subject(session: Session, exception_id: str) -> Hit:
    row = session.get_one(ExceptionRow, exception_id)
    if row.subject_side not in _SUBJECTS:
        raise InputError(
            "NOT_MATCHED",
            f"it is about a {row.subject_side}, which is matched with nothing: {row.reason}",
            where=f"exception {exception_id[:12]}",
            remedy="`tieout exceptions list` shows it with its reason",
        )
    return Hit(row.subject_side, row.subject_id, "id")


def _explain(session: Session, hit: Hit) -> Explanation:
    if hit.kind == "group":
        return _group(session, hit.row_id, hit, None)
    own = hit
    if hit.kind == "detail":
        row = session.get_one(DetailRow, hit.row_id)
        identity = session.get(EntryIdentity, row.entry_id)
        own = Hit("entry", identity.identity if identity else row.entry_id, "id")
    shown = rows_of(session, hit.kind, [hit.row_id])[0]
    for asked in dict.fromkeys((hit, own)):
        newest = (
            select(GroupRow.group_id)
            .join(MemberRow, MemberRow.group_id == GroupRow.group_id)
            .where(
                MemberRow.side == asked.kind,
                MemberRow.member_id == asked.row_id,
                GroupRow.state.in_(("confirmed", "proposed")),
            )
            .order_by(MemberRow.live.desc(), GroupRow.derived_at.desc(), GroupRow.group_id)
        )
        group_id = session.scalars(newest.limit(1)).first()
        if group_id is not None:
            return _group(session, group_id, hit, shown)
    history = _history(session, [("entry", own.row_id), *_former(session, own)])
    state, sentence = _settled(session, own)
    if sentence:
        return Explanation(hit.kind, hit.row_id, shown, state, sentence, history=history)
    told = open_explanation(session, own)
    return Explanation(
        hit.kind,
        hit.row_id,
        shown,
        told.state,
        told.sentence,
        told.facts,
        near=told.near,
        history=history,
    )


def _settled(session: Session, own: Hit) -> tuple[State, str]:
    """Why nothing of it is open, if that is so."""
    if own.kind == "item":
        item = current_items(session, ItemRow.item_id == own.row_id)[own.row_id]
        if not item.open_minor:
            return "not open", "the books show nothing of it open any more"
        return "unmatched", ""
    row = entry_of(session, own.row_id)
    if row.status != "booked":
        return "not open", f"the bank tells it as {row.status}; only booked entries are matched"
    status = session.get(StatementStatus, row.statement_id)
    if status is None or status.state != "accepted":
        state = status.state if status else "not concluded yet"
        return "not open", f"its statement is {state}" + (f": {status.reason}" if status else "")
    if ("entry", own.row_id) in standing_amounts(session, row.account_code):
        newest = (
            select(Adjustment)
            .where(
                Adjustment.subject_id == own.row_id, Adjustment.state.in_(("approved", "posted"))
            )
            .order_by(Adjustment.proposed_at.desc(), Adjustment.adjustment_id)
        )
        adjustment = session.scalars(newest.limit(1)).first()
        if adjustment is not None:
            rule = f"rule {adjustment.policy_rule} of policy {adjustment.policy}"
            kind = adjustment.kind.replace("_", " ")
            return "explained", f"a posting explains it: {kind} by {rule}, {adjustment.state}"
    return "unmatched", ""


def _group(session: Session, group_id: str, hit: Hit, shown: Row | None) -> Explanation:
    group = session.get_one(GroupRow, group_id)
    members: dict[str, list[str]] = {}
    query = select(MemberRow.side, MemberRow.member_id).where(MemberRow.group_id == group_id)
    for side, member_id in session.execute(query.order_by(MemberRow.member_id)):
        members.setdefault(side, []).append(member_id)
    rows: list[Row] = []
    for side in ("entry", "detail", "item"):
        rows += rows_of(session, side, members.get(side, []))
    residual = money(from_minor(group.residual_minor, group.currency), group.currency)
    run = session.get_one(Run, group.run_id)
    facts = {
        "group": group_id,
        "rung": group.rung,
        "ladder": f"{group.ladder}@{group.ladder_version}",
        "account": group.account_code,
        "residual": residual + (f" ({group.residual_class})" if group.residual_class else ""),
        "run": f"{run.run_id} of {run.started_at:%Y-%m-%d %H:%M} (code {run.code_version})",
    }
    state: Any = group.state
    history = _history(session, [("group", group_id)])
    return Explanation(
        hit.kind, hit.row_id, shown, state, group.evidence, facts, tuple(rows), history=history
    )


def _former(session: Session, own: Hit) -> list[tuple[str, str]]:
    """Groups it was in once."""
    query = select(MemberRow.group_id).where(
        MemberRow.side == own.kind, MemberRow.member_id == own.row_id
    )
    return [("group", group_id) for group_id in session.scalars(query)]


def _history(session: Session, subjects: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What people and runs did to the subjects, oldest first."""
    ids = {subject_id for _, subject_id in subjects}
    kinds = {kind for kind, _ in subjects}
    query = (
        select(AuditRow)
        .where(among(AuditRow.subject_id, ids), AuditRow.subject_kind.in_(kinds))
        .order_by(AuditRow.seq)
    )
    return tuple(
        f"{_instant(row.at)} {row.actor}: {row.subject_kind} {row.subject_id[:12]} {row.action}"
        + (f" ({row.detail['reason']})" if row.detail.get("reason") else "")
        for row in session.scalars(query)
    )


def _instant(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
