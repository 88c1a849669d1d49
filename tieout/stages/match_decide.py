"""What a person decides on a match that is there: confirm, reject, undo; several at once, or none.

An undone match opens its members again. What was approved for it and not sent is void at once;
what was posted gets a reversal proposal with the next run. The ladder does not make it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.adjustments.store import withdraw_about
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import Account, GroupRow, MemberRow
from tieout.stages.corrected import take_back
from tieout.stages.decided import (
    Word,
    content_of,
    in_the_way,
    put_group,
    record_decision,
    words_of,
)
from tieout.stages.groups import ENGINE
from tieout.stages.identities import told
from tieout.stages.match_ids import group_of
from tieout.stages.match_members import take_turns
from tieout.stages.runs import stage_run
from tieout.states import move

__all__ = ["Decided", "confirm", "reject", "undo"]


@dataclass(frozen=True, slots=True)
class Decided:
    """One match after a decision."""

    group_id: str
    account_code: str
    state: str


@dataclass(frozen=True, slots=True)
class _Act:
    session: Session
    run_id: str
    person: str
    reason: str
    again: bool = False

    def record(self, group: GroupRow, decision: str) -> Word:
        content = content_of(self.session, group) | ({"again": True} if self.again else {})
        key = (group.group_id, group.account_code)
        row = record_decision(self.session, key, decision, self.person, self.reason, content)
        return Word("confirmed", group.maker, self.person, content, row)


def confirm(ledger: Ledger, ids: Sequence[str], person: str, reason: str = "") -> list[Decided]:
    """Confirm matches that are proposed, or that the ladder made and somebody undid or rejected.

    Raises:
        LedgerError: ``MATCH_SELF`` (who made it may not confirm it), ``MATCH_STATE``,
            ``MATCH_BLOCKED`` (a member is in another match meanwhile, or not told any more).
    """
    return _decide(ledger, ids, person, reason or "confirmed", "confirm", _confirm)


def reject(ledger: Ledger, ids: Sequence[str], person: str, reason: str) -> list[Decided]:
    """Reject matches that are proposed; the ladder does not propose them again.

    Raises:
        LedgerError: ``MATCH_STATE`` (undo is for confirmed ones), ``REASON_MISSING``.
    """
    return _decide(ledger, ids, person, reason, "reject", _reject)


def undo(
    ledger: Ledger, ids: Sequence[str], person: str, reason: str, *, again: bool = False
) -> list[Decided]:
    """Undo matches, whoever made them; their members are open again.

    Args:
        again: the ladder may match them again: not the match was wrong, but a rule or the books.

    Raises:
        LedgerError: ``MATCH_STATE``, ``MATCH_OWN_POSTING``, ``REASON_MISSING``.
    """
    return _decide(ledger, ids, person, reason, "undo", _undo, again=again)


def _decide(
    ledger: Ledger,
    ids: Sequence[str],
    person: str,
    reason: str,
    verb: str,
    step: Callable[[_Act, GroupRow], None],
    *,
    again: bool = False,
) -> list[Decided]:
    """All of them, or none: one that cannot be decided on leaves the others as they are."""
    if not reason.strip():
        raise LedgerError("REASON_MISSING", f"to {verb} needs a reason", remedy="give --reason")
    with stage_run(ledger, verb, person=person) as run, ledger.session() as session:
        found = {group.group_id: group for group in (group_of(session, i) for i in ids)}
        accounts = {
            g.account_code: session.get_one(Account, g.account_code) for g in found.values()
        }
        for company in sorted({a.company for a in accounts.values()}):
            take_turns(session, company)
        act = _Act(session, run.run_id, person, reason, again)
        for group in found.values():
            session.refresh(group, with_for_update=True)
            step(act, group)
            withdraw_about(
                session, group.account_code, ("group", group.group_id), f"{person}: {reason}"
            )
        for code in sorted(accounts):
            take_back(session, accounts[code])
        decided = [Decided(g.group_id, g.account_code, g.state) for g in found.values()]
        run.outcome = {"groups": [d.group_id for d in decided]}
    return decided


def _confirm(act: _Act, group: GroupRow) -> None:
    engines = group.maker == ENGINE
    allowed = ("proposed", "undone", "rejected", "withdrawn") if engines else ("proposed",)
    if group.state not in allowed:
        raise _wrong_state(group, "confirmed", "`tieout matches add` matches anything open")
    if act.person.strip().casefold() == group.maker.strip().casefold():
        raise LedgerError(
            "MATCH_SELF",
            f"{act.person} made this match and may not confirm it",
            where=f"match {group.group_id}",
            remedy="another person must confirm it",
        )
    word = act.record(group, "confirm")
    members = word.content["members"]
    entries = {key for side, key, *_ in members if side == "entry"}
    problem = ""
    if told(act.session, entries) != entries:
        problem = "the bank does not tell one of its entries any more"
    elif not _held(act.session, group):
        problem = in_the_way(act.session, members)
    if problem:
        raise LedgerError(
            "MATCH_BLOCKED",
            problem,
            where=f"match {group.group_id}",
            remedy="`tieout matches open` shows what is open",
        )
    put_group(act.session, act.run_id, group.group_id, word)


def _held(session: Session, group: GroupRow) -> bool:
    live = select(MemberRow.member_id).where(MemberRow.group_id == group.group_id, MemberRow.live)
    return session.scalars(live).first() is not None


def _reject(act: _Act, group: GroupRow) -> None:
    if group.state != "proposed":
        raise _wrong_state(group, "rejected", "`tieout matches undo` takes back a confirmed one")
    act.record(group, "reject")
    _release(act.session, group, "reject")


def _undo(act: _Act, group: GroupRow) -> None:
    if group.rung == "own_posting":
        raise LedgerError(
            "MATCH_OWN_POSTING",
            "it ties our own posting to what it explains",
            where=f"match {group.group_id}",
            remedy="have the posting reversed in the ERP instead",
        )
    if group.state == "proposed":
        _reject(act, group)
        return
    word = words_of(act.session, [group.account_code]).get(group.group_id)
    standing = word is not None and bool(word.state)  # decided so, though it cannot stand now
    if group.state != "confirmed" and not standing:
        raise _wrong_state(group, "undone", "it claims nothing")
    act.record(group, "undo")
    if group.state == "confirmed":
        _release(act.session, group, "undo")


def _release(session: Session, group: GroupRow, event: str) -> None:
    """Open the members again; the audit row is the decision's."""
    group.state = move("group", group.state, event)
    for member in session.scalars(
        select(MemberRow).where(MemberRow.group_id == group.group_id, MemberRow.live)
    ):
        member.live = False
    session.flush()


def _wrong_state(group: GroupRow, wanted: str, remedy: str) -> LedgerError:
    return LedgerError(
        "MATCH_STATE",
        f"it is {group.state} and cannot be {wanted}",
        where=f"match {group.group_id}",
        remedy=remedy,
    )
