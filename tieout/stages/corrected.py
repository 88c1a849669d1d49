"""What is taken back: matches, proposals and postings that rest on an entry the bank corrected
away, or on a match that a person undid.

The facts stay. Groups with such an entry are undone; an approved adjustment that was not sent is
void; a posted one gets a reversal *proposal* that says why, for a person to decide on.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.adjustments.proposals import Line, Proposal
from tieout.audit import append
from tieout.ledger.models import (
    Account,
    Adjustment,
    AdjustmentLine,
    EntryIdentity,
    EntryRow,
    GroupRow,
    MatchDecision,
    MemberRow,
    Outbox,
    PostingIntent,
    StatementRow,
    StatementStatus,
)
from tieout.masterdata import BankAccount
from tieout.posting.claim import never_sent
from tieout.posting.reversal import REVERSAL
from tieout.stages.identities import told
from tieout.states import move

__all__ = ["mark_reversed", "propose_reversals", "reversal_of", "take_back", "void"]


def take_back(session: Session, account: Account) -> int:
    """Undo groups and void unsent approvals that rest on untold entries; returns how many."""
    changed = 0
    claims = session.execute(
        select(GroupRow, MemberRow.member_id)
        .join(MemberRow, MemberRow.group_id == GroupRow.group_id)
        .where(MemberRow.side == "entry", MemberRow.live, GroupRow.account_code == account.code)
        .order_by(GroupRow.group_id, MemberRow.member_id)
    ).all()
    known = told(session, {member for _, member in claims})
    for group in {g.group_id: g for g, member in claims if member not in known}.values():
        # A match that only waits for a person is held no longer.
        event = "undo" if group.state == "confirmed" else "withdraw"
        group.state = move("group", group.state, event)
        for member in session.scalars(
            select(MemberRow).where(MemberRow.group_id == group.group_id, MemberRow.live)
        ):
            member.live = False
        reason = {"reason": "the bank's corrected statement has another entry in its place"}
        append(session, "tieout", group.state, "group", group.group_id, reason)
        changed += 1
    for adjustment in _untold(session, account, "approved"):
        corrected = "its entry is not in the bank's corrected statement"
        changed += void(session, adjustment, _undone_by(session, adjustment) or corrected)
    session.flush()
    return changed


def _untold(session: Session, account: Account, state: str) -> list[Adjustment]:
    """Adjustments in a state whose entry is untold, or whose group is undone."""
    found = session.scalars(
        select(Adjustment)
        .where(Adjustment.account_code == account.code, Adjustment.state == state)
        .order_by(Adjustment.adjustment_id)
    ).all()
    undone = set(
        session.scalars(
            select(GroupRow.group_id).where(
                GroupRow.account_code == account.code, GroupRow.state == "undone"
            )
        )
    )
    known = told(session, {a.subject_id for a in found if a.subject_side == "entry"})
    return [
        a
        for a in found
        if (a.subject_side == "entry" and a.subject_id not in known)
        or (a.subject_side == "group" and a.subject_id in undone)
    ]


def void(session: Session, adjustment: Adjustment, why: str) -> int:
    """Void an approval none of whose bytes left; one that is being sent is left to its end.

    Returns:
        How many were voided, one or none.
    """
    outbox = session.scalars(
        select(Outbox)
        .join(PostingIntent, PostingIntent.intent_id == Outbox.intent_id)
        .where(PostingIntent.adjustment_id == adjustment.adjustment_id)
        .with_for_update(of=Outbox)
    ).first()
    if outbox is not None:
        if not never_sent(session, outbox):
            return 0
        outbox.state = move("outbox", outbox.state, "cancel")
        detail = {"from": "READY", "event": "cancel", "to": outbox.state}
        append(session, "tieout", f"outbox {outbox.state}", "intent", outbox.intent_id, detail)
    adjustment.state = move("adjustment", adjustment.state, "approval void")
    append(session, "tieout", "withdrawn", "adjustment", adjustment.adjustment_id, {"reason": why})
    return 1


def propose_reversals(session: Session, account: Account, mapped: BankAccount) -> list[Proposal]:
    """A reversal for each posted adjustment whose entry no statement tells any more, whose
    payment was brought back, or whose match a person undid."""
    returned = _returned(session, account)
    why = {a.adjustment_id: evidence for a, evidence in returned}
    rest = [a for a in _untold(session, account, "posted") if a.adjustment_id not in why]
    why |= {
        a.adjustment_id: _undone_by(session, a)
        or f"the bank corrected its statement ({_correction(session, a)})"
        for a in rest
    }
    posted = [*(a for a, _ in returned), *rest]
    return [
        reversal_of(session, mapped, a, why[a.adjustment_id]) for a in posted if a.kind != REVERSAL
    ]


def _returned(session: Session, account: Account) -> list[tuple[Adjustment, str]]:
    """Posted adjustments that an approved return takes back, each with the return's evidence."""
    groups = session.scalars(
        select(GroupRow)
        .where(
            GroupRow.account_code == account.code,
            GroupRow.rung == "return",
            GroupRow.state == "confirmed",
        )
        .order_by(GroupRow.group_id)
    )
    why = {key: g.evidence for g in groups for key in g.facts.get("takes_back", ())}
    if not why:
        return []
    found = session.scalars(
        select(Adjustment)
        .where(Adjustment.adjustment_id.in_(sorted(why)), Adjustment.state == "posted")
        .order_by(Adjustment.adjustment_id)
    )
    return [(a, why[a.adjustment_id]) for a in found]


def reversal_of(session: Session, mapped: BankAccount, posted: Adjustment, why: str) -> Proposal:
    """The proposal that takes a posted adjustment back: its lines with their sides changed."""
    lines = session.scalars(
        select(AdjustmentLine)
        .where(AdjustmentLine.adjustment_id == posted.adjustment_id)
        .order_by(AdjustmentLine.ordinal)
    ).all()
    name = posted.document_no or posted.adjustment_id
    reason = f"Reverses {name}: {why}"
    return Proposal(
        account=mapped,
        kind=REVERSAL,
        subject_side="adjustment",
        subject_id=posted.adjustment_id,
        rule=REVERSAL,
        automatic=False,
        amount_minor=-posted.amount_minor,
        booked_on=posted.booked_on,
        narrative=reason[:200],
        currency=lines[0].currency,
        lines=tuple(
            Line(
                purpose=line.purpose,
                gl_account=line.gl_account,
                debit_minor=line.credit_minor,
                credit_minor=line.debit_minor,
                foreign_minor=None if line.foreign_minor is None else -line.foreign_minor,
                foreign_currency=line.foreign_currency,
                party=line.party,
                narrative=line.narrative,
            )
            for line in lines
        ),
    )


def _undone_by(session: Session, adjustment: Adjustment) -> str:
    """Who undid the match an adjustment rests on, and why; empty where nobody did."""
    newest = (
        select(MatchDecision)
        .where(MatchDecision.group_id == adjustment.subject_id)
        .order_by(MatchDecision.decision_no.desc())
        .limit(1)
    )
    said = session.scalars(newest).first()
    if adjustment.subject_side != "group" or said is None or said.decision != "undo":
        return ""
    return f"{said.person} undid the match: {said.reason}"


def _correction(session: Session, posted: Adjustment) -> str:
    """What was said of the statement the posting rested on."""
    entries = select(MemberRow.member_id).where(
        MemberRow.group_id == posted.subject_id, MemberRow.side == "entry"
    )
    subject = [posted.subject_id, *session.scalars(entries.order_by(MemberRow.member_id))]
    query = (
        select(StatementStatus.reason)
        .join(EntryRow, EntryRow.statement_id == StatementStatus.statement_id)
        .join(StatementRow, StatementRow.statement_id == StatementStatus.statement_id)
        .outerjoin(EntryIdentity, EntryIdentity.entry_id == EntryRow.entry_id)
        .where(
            EntryRow.entry_id.in_(subject) | EntryIdentity.identity.in_(subject),
            StatementStatus.state == "superseded",
        )
        .order_by(StatementStatus.statement_id)
    )
    return session.scalars(query).first() or "the entry is not told any more"


def mark_reversed(session: Session, account: Account) -> None:
    """Of every posted reversal: what it took back is reversed."""
    posted = session.scalars(
        select(Adjustment).where(
            Adjustment.account_code == account.code,
            Adjustment.kind == REVERSAL,
            Adjustment.state == "posted",
        )
    ).all()
    for reversal in sorted(posted, key=lambda a: a.adjustment_id):
        original = session.get_one(Adjustment, reversal.subject_id, with_for_update=True)
        if original.state == "posted":
            original.state = move("adjustment", original.state, "reversed")
            detail = {"by": reversal.document_no}
            append(session, "tieout", "reversed", "adjustment", original.adjustment_id, detail)
