"""What is known of past matches: those that stand, and what people said of any."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.ledger.models import AuditVerdict, GroupRow, MatchDecision, MemberRow
from tieout.matching.backtest import Verdict
from tieout.matching.suggest import Known
from tieout.stages.identities import among

__all__ = ["BY_HAND", "OWN", "known_of", "verdicts_of"]

#: Rungs that are no ladder's: our own postings coming back as cash-book lines, and people's.
OWN: Final = "own_posting"
BY_HAND: Final = "manual"


def known_of(
    session: Session, codes: Sequence[str], booked: Mapping[str, dt.date | None]
) -> list[Known]:
    """The matches that stand, with an entry of the time asked for, ordered by id."""
    query = (
        select(GroupRow.group_id, GroupRow.rung, MemberRow.side, MemberRow.member_id)
        .join(MemberRow, MemberRow.group_id == GroupRow.group_id)
        .where(
            GroupRow.account_code.in_(codes), GroupRow.state == "confirmed", GroupRow.rung != OWN
        )
        .order_by(GroupRow.group_id)
    )
    groups: dict[str, tuple[bool, dict[str, set[str]]]] = {}
    for group_id, rung, side, own in session.execute(query):
        sides: dict[str, set[str]] = {"entry": set(), "detail": set(), "item": set()}
        groups.setdefault(group_id, (rung == BY_HAND, sides))[1][side].add(own)
    found = []
    for by_hand, sides in groups.values():
        days = [day for own in sides["entry"] if (day := booked.get(own))]
        if days:
            entries, items = frozenset(sides["entry"]), frozenset(sides["item"])
            found.append(Known(entries, items, by_hand, max(days)))
    return found


_SAID: Final = {
    "match": "matched by hand by {}",
    "confirm": "confirmed by {}",
    "reject": "rejected by {}",
    "undo": "undone by {}",
}


def verdicts_of(session: Session, codes: set[str]) -> list[Verdict]:
    """People's words on the accounts' matches, oldest first: decisions, and what audits found."""
    told: list[tuple[dt.datetime, Verdict]] = []
    decisions = select(MatchDecision).where(MatchDecision.account_code.in_(sorted(codes)))
    for row in session.scalars(decisions.order_by(MatchDecision.decision_no)):
        if row.content.get("again"):
            continue  # undone to be matched anew: not the match was wrong
        right = row.decision in ("match", "confirm")
        words = _SAID[row.decision].format(row.person)
        if not right:
            words += f" ({row.reason})"
        told.append((row.decided_at, _verdict(row.content.get("members", []), right, words)))
    audits = list(session.scalars(select(AuditVerdict).order_by(AuditVerdict.verdict_no)))
    members: dict[str, list[Any]] = defaultdict(list)
    inside = select(MemberRow).where(among(MemberRow.group_id, {a.group_id for a in audits}))
    for member in session.scalars(inside.order_by(MemberRow.side, MemberRow.member_id)):
        members[member.group_id].append([member.side, member.member_id])
    for audit in audits:
        words = f"found {audit.verdict} by {audit.person}"
        verdict = _verdict(members[audit.group_id], audit.verdict == "right", words)
        told.append((audit.judged_at, verdict))
    return [verdict for _, verdict in sorted(told, key=lambda row: row[0])]


def _verdict(members: Iterable[Sequence[Any]], right: bool, words: str) -> Verdict:
    sides: dict[str, set[str]] = {"entry": set(), "detail": set(), "item": set()}
    for side, own, *_ in members:
        sides[side].add(own)
    return Verdict(frozenset(sides["entry"]), frozenset(sides["item"]), right, words)
