"""A person's word on a return: one approval undoes the match, pairs payment and return, takes back
what was posted and books the fee; a rejection keeps the match as it is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.adjustments.policy import load_policy
from tieout.adjustments.store import MAKER, record_approved, standing_amounts, withdraw_about
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import (
    Account,
    Adjustment,
    ExceptionRow,
    GroupRow,
    MemberRow,
)
from tieout.masterdata import BankAccount, load_accounts
from tieout.stages.corrected import reversal_of, void
from tieout.stages.decided import Word, content_of, put_group, record_decision
from tieout.stages.derive import derive_proposals
from tieout.stages.groups import group_views
from tieout.stages.identities import entry_details, entry_of, told
from tieout.stages.match_members import take_turns
from tieout.stages.return_plan import Plan
from tieout.stages.returns import RETURNED, find_returns
from tieout.stages.runs import stage_run
from tieout.states import move

__all__ = ["decide_return", "proposed_returns"]


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
        take_turns(session, mapped.company)
        plan = _again(session, account, row)
        why = reason.strip() or plan.evidence
        if decision == "approve":
            said = _approve(session, run.run_id, account, mapped, plan, person, why)
        else:
            key = (plan.plan_id, account.code)
            record_decision(session, key, "reject", person, why, _content(account, plan))
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
    undone = select(GroupRow).where(GroupRow.group_id.in_(shown["undoes"]))
    session.execute(undone.order_by(GroupRow.group_id).with_for_update())
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
    for group_id in plan.undoes:
        old = session.get_one(GroupRow, group_id)
        # Its other members may meet again: the match was not wrong.
        content = content_of(session, old) | {"again": True}
        record_decision(session, (group_id, account.code), "undo", person, why, content)
        old.state = move("group", old.state, "undo")
        for member in session.scalars(select(MemberRow).where(MemberRow.group_id == group_id)):
            member.live = False
        session.flush()
    key, content = (plan.plan_id, account.code), _content(account, plan)
    said = record_decision(session, key, "confirm", person, why, content)
    put_group(session, run_id, plan.plan_id, Word("confirmed", MAKER, person, content, said))
    made = _take_back(session, run_id, mapped, policy, postings, plan, person, why)
    if plan.fee_minor and not plan.kept:
        views = group_views(session, account.code)
        views = [v for v in views if v.group.group_id == plan.plan_id]
        derived = derive_proposals(session, account, mapped, policy, [], {}, views)
        made += [
            record_approved(session, run_id, policy, p, person, why) for p in derived.proposals
        ]
    return f"approved: {plan.does.partition('; to ')[2]}; {len(made)} to post"


def _content(account: Account, plan: Plan) -> dict[str, Any]:
    """The group of payment and return, with what else a batch paid, as a decision remembers it."""
    members = [["entry", key, amount, amount] for key, amount in sorted(plan.entries)]
    members += [["item", key, amount, of] for key, amount, of in plan.kept]
    right = "n" if len(plan.kept) > 1 else str(len(plan.kept))
    return {
        "ladder": "returns",
        "ladder_version": "1",
        "rung": "return",
        "cardinality": "n:m" if right == "n" else f"n:{right}",
        "currency": account.currency,
        "residual_minor": plan.residual_minor,
        "residual_class": plan.residual_class,
        "four_eyes": True,
        "evidence": plan.evidence,
        "facts": plan.shown(),
        "members": members,
    }


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
            subject = (posting.subject_side, posting.subject_id)
            withdraw_about(session, posting.account_code, subject, plan.evidence)
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
