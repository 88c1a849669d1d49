"""Match by hand: a person says which entries and items belong together, whole or in part.

What is taken must agree to the cent. What does not is given a name (a class) and stays within the
policy's limit, with all that was left over of the same items before; beyond that somebody must
insist, and a second person confirm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.adjustments.manual import RESIDUAL_CLASSES
from tieout.adjustments.policy import Policy, load_policy
from tieout.adjustments.store import standing_amounts, withdraw_about
from tieout.errors import LedgerError
from tieout.identity import content_id
from tieout.ledger import Ledger
from tieout.ledger.models import Account, GroupRow, MemberRow
from tieout.money import format_amount
from tieout.stages.decided import Word, put_group, record_decision
from tieout.stages.match_members import Member, cardinality, members_of, take_turns
from tieout.stages.match_restore import same_again
from tieout.stages.open_tables import joined_entries
from tieout.stages.runs import stage_run

__all__ = ["Asked", "Made", "match_by_hand"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for; ids as typed (their start, or the books' name, is enough).

    Attributes:
        amounts: how much to take of an entry or item, by what was typed for it; else what is open.
        residual_class: what that is which the match leaves over.
        force: whether they insist beyond the policy's limit.
    """

    entries: Sequence[str]
    items: Sequence[str]
    person: str
    reason: str
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    residual_class: str = ""
    force: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """The match: its id and state (``proposed`` waits for a second person), what it leaves over,
    and why it waits, in words."""

    group_id: str
    account_code: str
    state: str
    residual_minor: int
    currency: str
    waits: str


def match_by_hand(ledger: Ledger, asked: Asked) -> Made:
    """Match entries and items as a person says; the next run derives what follows.

    Raises:
        LedgerError: nothing is recorded then; the remedy says what to do instead.
    """
    _check_words(asked)
    with stage_run(ledger, "match", person=asked.person) as run, ledger.session() as session:
        account, members = members_of(session, asked.entries, asked.items, asked.amounts)
        take_turns(session, account.company)
        # Once more, now that nobody else can take anything.
        account, members = members_of(session, asked.entries, asked.items, asked.amounts)
        _not_explained(session, account, members)
        policy = load_policy(account.policy)
        waits = _judge(session, account, policy, asked, members)
        content = _content(account, asked, members, bool(waits))
        old = same_again(session, account, members)
        group_id = old.group_id if old else _group_id(account, members)
        if old is not None:
            content = _as_it_was(session, old, content)
        row = record_decision(
            session, (group_id, account.code), "match", asked.person, asked.reason, content
        )
        state = "proposed" if waits else "confirmed"
        put_group(session, run.run_id, group_id, Word(state, asked.person, None, content, row))
        for member in members:
            if member.side == "entry":
                reason = f"{asked.person} matched its entry"
                withdraw_about(session, account.code, ("entry", member.key), reason)
        made = Made(group_id, account.code, state, _residual(members), account.currency, waits)
        run.outcome = {"group": group_id, "state": state}
    return made


def _check_words(asked: Asked) -> None:
    if not asked.reason.strip():
        raise LedgerError(
            "REASON_MISSING", "a match by hand needs a reason", remedy="give --reason TEXT"
        )
    if asked.residual_class and asked.residual_class not in RESIDUAL_CLASSES:
        raise LedgerError(
            "RESIDUAL_CLASS",
            f"{asked.residual_class!r} is no class of what a match leaves over",
            remedy=f"one of {', '.join(RESIDUAL_CLASSES)}",
        )


def _residual(members: Sequence[Member]) -> int:
    return sum(m.amount_minor if m.side == "entry" else -m.amount_minor for m in members)


def _judge(
    session: Session, account: Account, policy: Policy, asked: Asked, members: Sequence[Member]
) -> str:
    """Why a second person must confirm it, or empty.

    Raises:
        LedgerError: ``RESIDUAL_OPEN`` or ``RESIDUAL_TOO_MUCH``, unless somebody insists;
            ``FORCE_REFUSED`` where the policy lets nobody.
    """
    manual, currency = policy.manual, account.currency
    residual, earlier = _residual(members), earlier_residual(session, members)
    said = f"{format_amount(residual, currency)} {currency}"
    problem = None
    if not manual.allows(residual, earlier, currency):
        before = f", after {format_amount(earlier, currency)} before" if earlier else ""
        problem = LedgerError(
            "RESIDUAL_TOO_MUCH",
            f"the match leaves {said} over{before}; policy {policy.name} allows "
            f"{manual.residual_max} an item",
            remedy="take less with --amount ID=12.34, or insist with --force",
        )
    elif residual and not asked.residual_class:
        problem = LedgerError(
            "RESIDUAL_OPEN",
            f"the match leaves {said} over",
            remedy="take part of one side with --amount ID=12.34, or say what it is with --class "
            + "|".join(RESIDUAL_CLASSES),
        )
    if problem is not None and not asked.force:
        raise problem
    if problem is not None and manual.force == "never":
        raise LedgerError(
            "FORCE_REFUSED",
            f"policy {policy.name} lets nobody insist: {problem.message}",
            remedy=problem.remedy.partition(", or insist")[0],
        )
    if problem is not None and manual.force == "four_eyes":
        return f"forced: {problem.message}"
    moved = max(_moved(members, "entry"), _moved(members, "item"))
    if manual.needs_second(moved, currency):
        return f"it moves more than {manual.four_eyes_above} {currency}"
    return ""


def _moved(members: Sequence[Member], side: str) -> int:
    return sum(abs(m.amount_minor) for m in members if m.side == side)


def earlier_residual(session: Session, members: Sequence[Member]) -> int:
    """What live matches that share a member left over, absolute: parts share one limit."""
    shared = select(MemberRow.group_id).where(
        MemberRow.live, MemberRow.member_id.in_(sorted(m.key for m in members))
    )
    query = select(GroupRow.residual_minor).where(
        GroupRow.group_id.in_(shared), GroupRow.rung != "own_posting"
    )
    return sum(abs(residual) for residual in session.scalars(query))


def _not_explained(session: Session, account: Account, members: Sequence[Member]) -> None:
    explained = {k for side, k in standing_amounts(session, account.code) if side == "entry"}
    explained -= joined_entries(session, explained)
    for member in members:
        if member.side == "entry" and member.key in explained:
            raise LedgerError(
                "ENTRY_EXPLAINED",
                f"entry {member.key[:16]} has a posting that is approved or made",
                remedy="have the posting reversed in the ERP first, or leave the entry to it",
            )


def _group_id(account: Account, members: Sequence[Member]) -> str:
    parts = (f"{m.side}:{m.key}:{m.amount_minor}" for m in members)
    return content_id("group", "manual", account.code, *parts)


def _content(
    account: Account, asked: Asked, members: Sequence[Member], four_eyes: bool
) -> dict[str, Any]:
    """The group as its decision remembers it."""
    residual = _residual(members)
    names = ", ".join(m.name for m in members if m.side == "item")
    with_ = f" with {names}" if names and any(m.side == "entry" for m in members) else ""
    left = ""
    if residual:
        called = f" ({asked.residual_class})" if asked.residual_class else ""
        left = f"; it leaves {format_amount(residual, account.currency)} over{called}"
    insisted = " and insisted on it" if asked.force and four_eyes else ""
    return {
        "ladder": "people",
        "ladder_version": "1",
        "rung": "manual",
        "cardinality": cardinality(members),
        "currency": account.currency,
        "residual_minor": residual,
        "residual_class": asked.residual_class or None,
        "four_eyes": four_eyes,
        "evidence": f"{asked.person} matched it{with_}{insisted}: {asked.reason}{left}."[:500],
        "facts": {"person": asked.person, "forced": asked.force},
        "members": [[m.side, m.key, m.amount_minor, m.of_minor] for m in members],
    }


def _as_it_was(session: Session, old: GroupRow, new: dict[str, Any]) -> dict[str, Any]:
    """An undone match that is made again as it was: its members with its own posting's lines."""
    members = session.scalars(
        select(MemberRow)
        .where(MemberRow.group_id == old.group_id)
        .order_by(MemberRow.side, MemberRow.member_id)
    )
    same = ("ladder", "ladder_version", "rung", "cardinality", "residual_minor", "residual_class")
    return {
        **new,
        **{name: getattr(old, name) for name in (*same, "evidence", "facts")},
        "members": [[m.side, m.member_id, m.amount_minor, m.of_minor] for m in members],
    }
