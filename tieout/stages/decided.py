"""People's word on matches, carried out: what they decided stands, whatever is derived anew.

Each decision is a fact that holds its group whole. A match a person made stands as long as the
bank tells its entries, comes back when they are told again, and is made again where conclusions
were thrown away. What a person undid or rejected keeps its members from each other, while every
other match of them remains possible.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.ledger.models import Account, GroupRow, MatchDecision, MemberRow
from tieout.stages.claims import open_minor, taken_of
from tieout.stages.identities import among, told
from tieout.states import move

__all__ = [
    "FORBIDDEN",
    "Forbidden",
    "Word",
    "carry_out",
    "content_of",
    "forbidden_of",
    "in_the_way",
    "put_group",
    "record_decision",
    "words_of",
]

#: Columns of a table of pairs no group may hold, as the engine takes it.
FORBIDDEN = pa.schema([pa.field("entry_id", pa.string()), pa.field("item_id", pa.string())])


@dataclass(frozen=True, slots=True)
class Word:
    """What people's decisions on one group come to.

    Attributes:
        state: what the group must be, ``confirmed`` or ``proposed``; empty: it must not stand.
        maker: who made it; ``tieout`` where a person only confirmed what the ladder proposed.
        last: the decision that counts.
    """

    state: str
    maker: str
    approver: str | None
    content: dict[str, Any]
    last: MatchDecision


@dataclass
class Forbidden:
    """Members that people keep apart: entry and item, or two of one side."""

    crossing: set[tuple[str, str]] = field(default_factory=set)
    beside: set[frozenset[str]] = field(default_factory=set)

    def table(self) -> pa.Table:
        """The pairs of entry and item, as columns of `FORBIDDEN`."""
        rows = [dict(zip(FORBIDDEN.names, pair, strict=True)) for pair in sorted(self.crossing)]
        return pa.Table.from_pylist(rows, schema=FORBIDDEN)

    def breaks(self, entries: Iterable[str], items: Iterable[str]) -> bool:
        """Whether a group of these members holds a pair that people keep apart."""
        bank, books = set(entries), set(items)
        if bank and books:
            return any(entry in bank and item in books for entry, item in self.crossing)
        return any(pair <= bank or pair <= books for pair in self.beside)


def content_of(session: Session, group: GroupRow) -> dict[str, Any]:
    """A group as a decision remembers it."""
    members = session.scalars(
        select(MemberRow)
        .where(MemberRow.group_id == group.group_id)
        .order_by(MemberRow.side, MemberRow.member_id)
    )
    return {name: getattr(group, name) for name in sorted(_COLUMNS)} | {
        "members": [[m.side, m.member_id, m.amount_minor, m.of_minor] for m in members]
    }


def record_decision(
    session: Session,
    group: tuple[str, str],
    decision: str,
    person: str,
    reason: str,
    content: dict[str, Any],
) -> MatchDecision:
    """Write a person's decision on a group (id, account code) with its audit row."""
    group_id, account_code = group
    row = MatchDecision(
        group_id=group_id,
        account_code=account_code,
        decision=decision,
        person=person,
        reason=reason,
        content=content,
    )
    session.add(row)
    session.flush()
    said = {"match": "matched", "confirm": "confirmed", "reject": "rejected", "undo": "undone"}
    append(session, person, said[decision], "group", group_id, {"reason": reason})
    return row


def words_of(session: Session, account_codes: Iterable[str]) -> dict[str, Word]:
    """What people's decisions come to, by group id, in the order of the last decision."""
    query = select(MatchDecision).where(MatchDecision.account_code.in_(sorted(account_codes)))
    words: dict[str, Word] = {}
    for row in session.scalars(query.order_by(MatchDecision.decision_no)):
        before = words.pop(row.group_id, None)
        words[row.group_id] = _after(before, row)
    return words


def _after(before: Word | None, row: MatchDecision) -> Word:
    if row.decision == "match":
        state = "proposed" if row.content["four_eyes"] else "confirmed"
        return Word(state, row.person, None, row.content, row)
    if row.decision == "confirm":
        known = before if before is not None and before.state else None
        maker, content = (known.maker, known.content) if known else ("tieout", row.content)
        return Word("confirmed", maker, row.person, content, row)
    return Word("", "", None, row.content, row)


def carry_out(session: Session, run_id: str, company: str) -> dict[str, str]:
    """Make every group stand that people decided on and that does not stand.

    Returns:
        Group ids of decided matches that cannot stand, with the reason in words.
    """
    accounts = session.scalars(select(Account.code).where(Account.company == company))
    words = {k: word for k, word in words_of(session, accounts).items() if word.state}
    known = select(GroupRow.group_id, GroupRow.state).where(among(GroupRow.group_id, words))
    states = {row.group_id: row.state for row in session.execute(known)}
    blocked: dict[str, str] = {}
    for group_id, word in words.items():
        if states.get(group_id) in ("confirmed", word.state):
            continue
        members = word.content["members"]
        entries = {key for side, key, _, _ in members if side == "entry"}
        if told(session, entries) != entries:
            continue  # the bank took an entry back; the match stands again if it is told again
        if reason := in_the_way(session, members):
            blocked[group_id] = reason
            continue
        put_group(session, run_id, group_id, word)
        why = {"reason": f"{word.last.person} decided so: {word.last.reason}"}
        append(session, "tieout", word.state, "group", group_id, why)
    return blocked


def in_the_way(session: Session, members: list[list[Any]]) -> str:
    """Why the members cannot be claimed (again), or empty."""
    for side in ("entry", "item"):
        ids = [key for own, key, *_ in members if own == side]
        taken = taken_of(session, side, ids=ids)
        for own, key, amount, of in members:
            if own != side or key not in taken:
                continue
            left = 0 if amount == of else open_minor(of, taken[key])
            if abs(left) < abs(amount):
                return f"{side} {key[:12]} is in another match meanwhile"
    return ""


def put_group(session: Session, run_id: str, group_id: str, word: Word) -> GroupRow:
    """Make a decided group stand, new or again, with its members claimed."""
    group = session.get(GroupRow, group_id)
    content = {k: v for k, v in word.content.items() if k in _COLUMNS}
    if group is None:
        group = GroupRow(
            group_id=group_id,
            run_id=run_id,
            account_code=word.last.account_code,
            state=word.state,
            maker=word.maker,
            approver=word.approver,
            **content,
        )
        session.add(group)
    elif group.state != word.state:
        sure = (group.state, word.state) == ("proposed", "confirmed")
        group.state = move("group", group.state, "confirm" if sure else _AGAIN[word.state])
        group.maker, group.approver = word.maker, word.approver
        group.four_eyes = bool(content["four_eyes"])
    session.flush()
    known = {
        (m.side, m.member_id): m
        for m in session.scalars(select(MemberRow).where(MemberRow.group_id == group_id))
    }
    for side, key, amount, of in word.content["members"]:
        if (side, key) in known:
            known[side, key].of_minor, known[side, key].live = of, True
        else:
            session.add(
                MemberRow(
                    group_id=group_id,
                    side=side,
                    member_id=key,
                    amount_minor=amount,
                    of_minor=of,
                    live=True,
                )
            )
    session.flush()
    return group


_AGAIN = {"confirmed": "confirm again", "proposed": "propose again"}
_COLUMNS = frozenset(
    (
        *("cardinality", "currency", "evidence", "facts", "four_eyes", "ladder", "ladder_version"),
        *("residual_class", "residual_minor", "rung"),
    )
)


def forbidden_of(session: Session, account_code: str) -> Forbidden:
    """What people keep apart on an account: undone and rejected groups, less what they matched."""
    query = select(MatchDecision).where(MatchDecision.account_code == account_code)
    found = Forbidden()
    for row in session.scalars(query.order_by(MatchDecision.decision_no)):
        members = row.content["members"]
        crossing, beside = _pairs(
            [key for side, key, *_ in members if side == "entry"],
            [key for side, key, *_ in members if side == "item"],
        )
        if row.decision in ("match", "confirm"):
            found.crossing -= crossing
            found.beside -= beside
        elif not row.content.get("again"):
            found.crossing |= crossing
            found.beside |= beside
    return found


def _pairs(
    entries: list[str], items: list[str]
) -> tuple[set[tuple[str, str]], set[frozenset[str]]]:
    """Who meets whom: entries and items, or, in a group of one side, its members."""
    if entries and items:
        return {(e, i) for e in entries for i in items}, set()
    one = entries or items
    return set(), {frozenset((a, b)) for a in one for b in one if a < b}
