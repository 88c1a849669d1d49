"""The members of a match by hand: what is open of each, and how much of it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tieout.errors import LedgerError
from tieout.ledger.models import Account, EntryRow, GroupRow, ItemRow, MemberRow, StatementRow
from tieout.money import format_amount, to_minor
from tieout.stages.claims import rest_of_entry, rest_of_item, taken_of
from tieout.stages.identities import booked_entries, entry_of
from tieout.stages.match_ids import entry_id, item_of

__all__ = ["Member", "cardinality", "members_of", "take_turns"]


@dataclass(frozen=True, slots=True)
class Member:
    """One member: what is taken of it and how much there was, in minor units, signed."""

    side: str
    key: str
    name: str
    amount_minor: int
    of_minor: int
    partly_taken: bool

    @property
    def whole(self) -> bool:
        """Whether nobody else has or will have a part of it."""
        return self.amount_minor == self.of_minor and not self.partly_taken


def take_turns(session: Session, company: str) -> None:
    """Wait until no run and no other person works on a company's matches."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
        {"key": f"reconcile:{company}"},
    )


def cardinality(members: Sequence[Member]) -> str:
    """Entries to items: 1:1, 1:n, n:1, n:m, n:0, 0:n."""
    entries = sum(m.side == "entry" for m in members)
    items = len(members) - entries
    if entries > 1 and items > 1:
        return "n:m"
    return ":".join(str(n) if n < 2 else "n" for n in (entries, items))


def members_of(
    session: Session,
    entries: Sequence[str],
    items: Sequence[str],
    amounts: Mapping[str, Decimal],
) -> tuple[Account, list[Member]]:
    """The account and the members, ordered by side and id.

    Args:
        amounts: by what was typed, or by the member's id: how much to take; the sign is the
            member's own and may be left out.

    Raises:
        LedgerError: naming the member that cannot be matched so, and what to do.
    """
    found_entries = {given: entry_of(session, entry_id(session, given)) for given in entries}
    found_items = {given: item_of(session, given) for given in items}
    _several(
        [found_entries[given].entry_id for given in entries]
        + [found_items[given].item_id for given in items]
    )
    account = _account(session, list(found_entries.values()), list(found_items.values()))
    wanted = dict(amounts)
    members = []
    for given, entry in found_entries.items():
        amount = _wanted(wanted, given, entry.entry_id)
        members.append(_entry(session, account, entry, amount))
    for given, item in found_items.items():
        members.append(_item(session, account, item, _wanted(wanted, given, item.item_id)))
    if wanted:
        raise LedgerError(
            "AMOUNT_OF_WHAT",
            f"--amount names {', '.join(sorted(wanted))}, which is no --entry or --item here",
            remedy="name it as you did there",
        )
    return account, sorted(members, key=lambda m: (m.side, m.key))


def _wanted(wanted: dict[str, Decimal], given: str, key: str) -> Decimal | None:
    own = wanted.pop(given, None)
    return wanted.pop(key, None) if own is None else own


def _several(keys: Sequence[str]) -> None:
    if len(keys) < 2 or len(set(keys)) < len(keys):
        raise LedgerError(
            "MATCH_MEMBERS",
            "a match needs at least two members, each of them once",
            remedy="give --entry ID and --item ID, or several of one side",
        )


def _account(session: Session, entries: list[EntryRow], items: list[ItemRow]) -> Account:
    """The one account all members belong to."""
    codes = {e.account_code for e in entries} | {i.account_code for i in items if i.account_code}
    if len(codes) != 1:
        said = ", ".join(sorted(codes)) or "none: name an entry or a line of the cash book"
        raise LedgerError(
            "MATCH_ACCOUNTS",
            f"the members of a match belong to one bank account, these to {said}",
            remedy="match each account's own side; a transfer is matched once in each account",
        )
    account = session.get_one(Account, codes.pop())
    for item in items:
        if (item.company, item.currency) != (account.company, account.currency):
            raise LedgerError(
                "MATCH_CURRENCY",
                f"{_named(item)} is {item.currency} of {item.company}, the account "
                f"{account.code} is {account.currency} of {account.company}",
                remedy="match it in an account of its company and currency",
            )
    return account


def _entry(session: Session, account: Account, entry: EntryRow, wanted: Decimal | None) -> Member:
    where = f"entry {entry.entry_id}"
    closed_on = session.get_one(StatementRow, entry.statement_id).closed_on
    only = booked_entries(session, account.code, states=("accepted",), closed_on=closed_on)
    if entry.entry_id not in {e.entry_id for e in only}:
        raise LedgerError(
            "ENTRY_UNTOLD",
            "no accepted statement has it as booked",
            where=where,
            remedy="`tieout statements list` says what waits, or was corrected",
        )
    taken = taken_of(session, "entry", ids=[entry.entry_id]).get(entry.entry_id)
    rest = rest_of_entry(entry, taken)
    name = entry.bank_ref or entry.entry_id[:16]
    amount = _amount(session, account, ("entry", entry.entry_id), name, rest, wanted)
    return Member("entry", entry.entry_id, name, amount, entry.amount_minor, taken is not None)


def _named(item: ItemRow) -> str:
    return item.document_no or item.item_id[:16]


def _item(session: Session, account: Account, item: ItemRow, wanted: Decimal | None) -> Member:
    taken = taken_of(session, "item", ids=[item.item_id]).get(item.item_id)
    rest = rest_of_item(item, taken)
    name = _named(item)
    amount = _amount(session, account, ("item", item.item_id), name, rest, wanted)
    size = abs(rest) + abs(taken.minor) if taken is not None else abs(rest)
    of_minor = size if rest >= 0 else -size
    return Member("item", item.item_id, name, amount, of_minor, taken is not None)


def _amount(
    session: Session,
    account: Account,
    member: tuple[str, str],
    name: str,
    rest: int,
    wanted: Decimal | None,
) -> int:
    """How much of a member is taken: what is left of it, or the part asked for."""
    side, key = member
    where = f"{side} {key}"
    if not rest:
        raise _nothing_left(session, where, member, name)
    if wanted is None:
        return rest
    size = abs(to_minor(wanted, account.currency))
    against = wanted < 0 < rest
    if against or not 0 < size <= abs(rest):
        left = f"{format_amount(rest, account.currency)} {account.currency}"
        raise LedgerError(
            "AMOUNT_TOO_MUCH" if size else "AMOUNT_NIL",
            f"{wanted} of {name} cannot be taken, {left} of it is open",
            where=where,
            remedy="give a part of what is open, in the same direction",
        )
    return size if rest > 0 else -size


def _nothing_left(session: Session, where: str, member: tuple[str, str], name: str) -> LedgerError:
    query = (
        select(GroupRow.group_id)
        .join(MemberRow, MemberRow.group_id == GroupRow.group_id)
        .where(MemberRow.side == member[0], MemberRow.member_id == member[1], MemberRow.live)
        .order_by(GroupRow.group_id)
    )
    holder = session.scalars(query).first()
    if holder is None:
        return LedgerError(
            "MEMBER_CLOSED",
            f"nothing of {name} is open in the books",
            where=where,
            remedy="look whether somebody booked or cleared it there",
        )
    return LedgerError(
        "MEMBER_TAKEN",
        f"{name} is matched already, in {holder[:16]}",
        where=where,
        remedy=f"`tieout matches show {holder[:12]}`; undo that first if it is wrong",
    )
