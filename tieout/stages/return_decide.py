"""A person's word on a return: one approval undoes the match, pairs payment and return, takes back
what was posted and books the fee; a rejection keeps the match as it is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tieout.adjustments.policy import load_policy
from tieout.adjustments.store import MAKER, record_approved, standing_amounts, withdraw
from tieout.audit import append
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import (
    Account,
    Adjustment,
    ExceptionRow,
    GroupRow,
    MatchDecision,
    MemberRow,
)
from tieout.masterdata import BankAccount, load_accounts
from tieout.stages.corrected import reversal_of, void
from tieout.stages.derive import derive_proposals
from tieout.stages.groups import group_views
from tieout.stages.identities import entry_details, entry_of, told
from tieout.stages.return_plan import Plan
from tieout.stages.returns import RETURNED, find_returns
from tieout.stages.runs import stage_run
from tieout.states import move

__all__ = ["decide_return", "proposed_returns"]

_LADDER = ("returns", "1")
_REMEMBERED = (
    *("ladder", "ladder_version", "rung", "cardinality", "currency", "residual_minor"),
    *("residual_class", "four_eyes", "evidence", "facts"),
)


def proposed_returns(session: Session, prefix: str = "") -> list[ExceptionRow]:
    """Open exceptions of returns with a proposal whose id begins so, ordered by that id."""
    key = ExceptionRow.candidates["return"]["id"].astext
    query = select(ExceptionRow).where(
        ExceptionRow.reason_code == RETURNED,
        ExceptionRow.state != "resolved",
        key.startswith(prefix, autoescape=True),
    )
    return list(session.scalars(query.order_by(key)))


def decide_return(ledger: Ledger, plan_id: str, decision: str, person: str, reason: str) -> str:
    """Approve or reject what is proposed for a return.

    Args:
        plan_id: as the exception shows it, in full; it names everything that will be done.
        decision: ``approve`` or ``reject``.

    Returns:
        What became of it, for the person.

    Raises:
        LedgerError: ``RETURN_UNKNOWN``; ``APPROVAL_SELF``; ``APPROVAL_STALE`` (it would do
            something else by now); ``RETURN_SENDING`` (a posting is on its way to the ERP).
    """
    if person.strip().casefold() == MAKER:
        raise LedgerError(
            "APPROVAL_SELF",
            f"{person} made this proposal and may not decide on it",
            where=f"return {plan_id}",
            remedy="another person must decide",
        )
    with (
        stage_run(ledger, "return", plan=plan_id, decision=decision, person=person) as run,
        ledger.session() as session,
    ):
        row = next(iter(proposed_returns(session, plan_id)), None)
        if row is None or row.candidates["return"]["id"] != plan_id:
            raise LedgerError(
                "RETURN_UNKNOWN",
                "no open return has this proposal",
                where=f"return {plan_id}",
                remedy="`tieout exceptions list` shows the ids",
            )
        account = session.get_one(Account, row.account_code)
        mapped = _mapped(account)
        session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
            {"key": f"reconcile:{mapped.company}"},
        )
        plan = _again(session, account, row)
        why = reason.strip() or plan.evidence
        if decision == "approve":
            said = _approve(session, run.run_id, account, mapped, plan, person, why)
        else:
            members = [["entry", key, amount, amount] for key, amount in plan.entries]
            content = {
                "rung": "return",
                "undoes": plan.undoes,
                "returned": row.subject_id,
                "members": members,
            }
            _say(session, account, plan.plan_id, "reject", person, why, content)
            said = "rejected: the match stands; decide what else the entry is"
        run.outcome = {"plan": plan.shown(), "decision": decision}
    return said


def _mapped(account: Account) -> BankAccount:
    found = next((a for a in load_accounts() if a.code == account.code), None)
    if found is None:
        raise LedgerError(
            "ACCOUNT_UNMAPPED",
            f"no file in mappings/accounts has the code {account.code}",
            where=account.code,
            remedy="put its mapping back",
        )
    return found


def _again(session: Session, account: Account, row: ExceptionRow) -> Plan:
    """The plan as it is derived now, which must be the one that was shown.

    Raises:
        LedgerError: ``APPROVAL_STALE``.
    """
    shown = row.candidates["return"]
    session.execute(select(GroupRow).where(GroupRow.group_id == shown["undoes"]).with_for_update())
    keys = [row.subject_id, *shown["entries"]]
    entries = [entry_of(session, key) for key in dict.fromkeys(keys)]
    details: dict[str, list[Any]] = {}
    for detail in entry_details(session, [e.entry_id for e in entries]):
        details.setdefault(detail.entry_id, []).append(detail)
    claimed = set(
        session.scalars(
            select(MemberRow.member_id).where(
                MemberRow.side == "entry", MemberRow.live, MemberRow.member_id.in_(keys)
            )
        )
    )
    explained = {key for side, key in standing_amounts(session, account.code) if side == "entry"}
    free = [e for e in entries if e.entry_id not in claimed and e.entry_id not in explained]
    free = [e for e in free if e.entry_id in told(session, [e.entry_id])]
    cases = find_returns(session, account, free, details, group_views(session, account.code))
    case = cases.get(row.subject_id)
    if case is None or case.plan is None or case.plan.plan_id != shown["id"]:
        raise LedgerError(
            "APPROVAL_STALE",
            "the match, the return or what rests on them changed since it was shown",
            where=f"return {shown['id']}",
            remedy="reconcile the account, look at it again and decide anew",
        )
    return case.plan


def _approve(
    session: Session,
    run_id: str,
    account: Account,
    mapped: BankAccount,
    plan: Plan,
    person: str,
    why: str,
) -> str:
    policy = load_policy(account.policy)
    postings = [session.get_one(Adjustment, k, with_for_update=True) for k in plan.takes_back]
    old = session.get_one(GroupRow, plan.undoes)
    _say(session, account, old.group_id, "undo", person, why, _content(session, old, again=True))
    old.state = move("group", old.state, "undo")
    for member in session.scalars(select(MemberRow).where(MemberRow.group_id == old.group_id)):
        member.live = False
    session.flush()
    append(session, person, "undone", "group", old.group_id, {"reason": why})
    group = _pair(session, run_id, account, plan, person)
    _say(session, account, group.group_id, "confirm", person, why, _content(session, group))
    made = _take_back(session, run_id, mapped, policy, postings, plan, person, why)
    if plan.fee_minor and not plan.kept:
        views = [
            v for v in group_views(session, account.code) if v.group.group_id == group.group_id
        ]
        derived = derive_proposals(session, account, mapped, policy, [], {}, views)
        made += [
            record_approved(session, run_id, policy, p, person, why) for p in derived.proposals
        ]
    return f"approved: {plan.does.partition('; to ')[2]}; {len(made)} to post"


def _pair(session: Session, run_id: str, account: Account, plan: Plan, person: str) -> GroupRow:
    """The group of payment and return, with what else the batch paid."""
    facts = plan.shown()
    group = session.get(GroupRow, plan.plan_id)
    if group is not None:  # undone once, by a correction of the bank that was taken back
        group.approver = person
        group.state = move("group", group.state, "confirm again")
        for member in session.scalars(select(MemberRow).where(MemberRow.group_id == plan.plan_id)):
            member.live = True
        session.flush()
        return group
    group = GroupRow(
        group_id=plan.plan_id,
        run_id=run_id,
        account_code=account.code,
        ladder=_LADDER[0],
        ladder_version=_LADDER[1],
        rung="return",
        cardinality=f"{len(plan.entries)}:{len(plan.kept)}",
        currency=account.currency,
        residual_minor=plan.residual_minor,
        residual_class=plan.residual_class,
        state="confirmed",
        maker=MAKER,
        four_eyes=True,
        approver=person,
        evidence=plan.evidence,
        facts=facts,
    )
    session.add(group)
    session.flush()
    members = [("entry", key, amount, amount) for key, amount in plan.entries]
    members += [("item", key, amount, of) for key, amount, of in plan.kept]
    for side, key, amount, of in members:
        session.add(
            MemberRow(
                group_id=group.group_id,
                side=side,
                member_id=key,
                amount_minor=amount,
                of_minor=of,
                live=True,
            )
        )
    session.flush()
    append(session, person, "confirmed", "group", group.group_id, {"rung": "return"})
    return group


def _take_back(
    session: Session,
    run_id: str,
    mapped: BankAccount,
    policy: Any,
    postings: list[Adjustment],
    plan: Plan,
    person: str,
    why: str,
) -> list[Adjustment]:
    """Withdraw, void or reverse what rested on the match; the reversals, approved."""
    made = []
    for posting in postings:
        if posting.state == "pending":
            withdraw(session, posting, plan.evidence)
        elif posting.state == "approved":
            if not void(session, posting, plan.evidence):
                raise LedgerError(
                    "RETURN_SENDING",
                    "a posting of the match is on its way to the ERP",
                    where=f"adjustment {posting.adjustment_id}",
                    remedy="let the post stage finish and decide again",
                )
        else:
            proposal = reversal_of(session, mapped, posting, plan.evidence)
            made.append(record_approved(session, run_id, policy, proposal, person, why))
    return made


def _content(session: Session, group: GroupRow, *, again: bool = False) -> dict[str, Any]:
    """A group as a decision remembers it.

    Args:
        again: its members may meet again: the match was not wrong.
    """
    members = session.scalars(
        select(MemberRow)
        .where(MemberRow.group_id == group.group_id)
        .order_by(MemberRow.side, MemberRow.member_id)
    )
    content: dict[str, Any] = {name: getattr(group, name) for name in _REMEMBERED}
    content["members"] = [[m.side, m.member_id, m.amount_minor, m.of_minor] for m in members]
    return content | ({"again": True} if again else {})


def _say(
    session: Session,
    account: Account,
    group_id: str,
    decision: str,
    person: str,
    reason: str,
    content: dict[str, Any],
) -> None:
    session.add(
        MatchDecision(
            group_id=group_id,
            account_code=account.code,
            decision=decision,
            person=person,
            reason=reason,
            content=content,
        )
    )
    session.flush()
    if decision == "reject":
        append(session, person, "rejected", "group", group_id, {"reason": reason})
