"""What approving a return does: one plan, whose id names all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tieout.identity import content_id
from tieout.ledger.models import Account, Adjustment, DetailRow, EntryRow, ItemRow
from tieout.money import format_amount
from tieout.reasons import reason_text
from tieout.stages.return_originals import Original, Unit

__all__ = ["Plan", "Taken", "plan_of"]

#: Payments and documents named in a text at most.
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Taken:
    """What rests on a group.

    Attributes:
        amounts: of its items, by id: what it has of each, and how much there was.
        postings: adjustments that are undecided, approved or posted.
    """

    amounts: Mapping[str, tuple[int, int]]
    postings: Sequence[Adjustment]


@dataclass(frozen=True, slots=True)
class Plan:
    """Undo matches, and put their payments together with the entry that brings them back.

    Attributes:
        plan_id: of the group of payment and return; names everything the plan does.
        undoes: group ids.
        returned: id of the entry that brings them back.
        entries: (id, amount): payments, their return, and the fee where it is an entry.
        kept: (item id, amount, of how much) that the batch has paid nevertheless.
        reopens: item ids.
        takes_back: adjustment ids.
        fee_minor: not negative.
        residual_minor: entries less kept items.
        residual_class: ``charge`` where that is the fee.
        payment: in words.
        does: the plan in words.
        evidence: of the new group.
    """

    plan_id: str
    undoes: tuple[str, ...]
    returned: str
    entries: tuple[tuple[str, int], ...]
    kept: tuple[tuple[str, int, int], ...]
    reopens: tuple[str, ...]
    takes_back: tuple[str, ...]
    fee_minor: int
    residual_minor: int
    residual_class: str | None
    payment: str
    does: str
    evidence: str

    def shown(self) -> dict[str, Any]:
        """As the exception holds it."""
        return {
            "id": self.plan_id,
            "undoes": list(self.undoes),
            "entries": [key for key, _ in self.entries],
            "returned": self.returned,
            "reopens": list(self.reopens),
            "takes_back": list(self.takes_back),
            "fee_minor": self.fee_minor,
        }


def plan_of(
    account: Account,
    units: Sequence[Unit],
    found: Sequence[Original],
    fee_entry: EntryRow | None,
    taken: Mapping[str, Taken],
) -> Plan | str:
    """The plan for a return whose payments are known, or why there is none, in words.

    Args:
        units: the payments that came back with one entry.
        found: the matched payment of each.
        fee_entry: what the bank booked for it by itself; only where nothing was withheld.
        taken: by group id.
    """
    opened: dict[str, list[ItemRow]] = {}
    kept: list[tuple[str, int, int]] = []
    for group_id in sorted({o.view.group.group_id for o in found}):
        own = [o for o in found if o.view.group.group_id == group_id]
        items = _opened(own, taken[group_id])
        if isinstance(items, str):
            return items
        opened[group_id] = items
        if not _whole(own[0]):
            again = {i.item_id for i in items}
            kept += [(k, *a) for k, a in taken[group_id].amounts.items() if k not in again]
    suspect, withheld = units[0].entry, sum(o.fee_minor for o in found)
    fee_entry = None if withheld else fee_entry
    entries = {o.entry.entry_id: o.entry.amount_minor for o in found}
    entries |= {e.entry_id: e.amount_minor for e in (suspect, fee_entry) if e is not None}
    fee = withheld - (fee_entry.amount_minor if fee_entry else 0)
    residual = sum(entries.values()) - sum(a for _, a, _ in kept)
    items = [i for group_id in opened for i in opened[group_id]]
    reopens = sorted(i.item_id for i in items)
    postings = [a for group_id in opened for a in taken[group_id].postings]
    takes_back = sorted(a.adjustment_id for a in postings)
    plan_id = content_id(
        *("group", "return", *opened, "entries", *sorted(entries), "reopens", *reopens),
        *("takes back", *takes_back, "leaves", residual),
    )
    details = [d for unit in units for d in unit.details]
    return Plan(
        plan_id=plan_id,
        undoes=tuple(opened),
        returned=suspect.entry_id,
        entries=tuple(sorted(entries.items())),
        kept=tuple(sorted(kept)),
        reopens=tuple(reopens),
        takes_back=tuple(takes_back),
        fee_minor=fee,
        residual_minor=residual,
        residual_class="charge" if fee and residual == -fee else None,
        payment=_named(found),
        does=_does(account, len(opened), details, items, postings, fee),
        evidence=_evidence(account, suspect, details, found, fee),
    )


def _whole(original: Original) -> bool:
    return original.detail is None and original.item is None


def _opened(own: Sequence[Original], taken: Taken) -> list[ItemRow] | str:
    """What payments of one match paid, or why that is not told."""
    view, named = own[0].view, _named(own)
    if any(o.split for o in own):
        return f"{named} is split over several matches: undo these first"
    if all(_whole(o) for o in own):
        return list(view.items)
    if any(a.state != "pending" for a in taken.postings):
        return f"{named} was paid in a batch that is posted: take it back by hand"
    if len(view.entries) > 1 or any(_whole(o) for o in own):
        return f"{named} is matched together with other entries: undo that by hand"
    paid = [_paid(o) for o in own]
    items = [i for i in paid if i is not None]
    if len({i.item_id for i in items}) < len(own):
        return f"the books do not tell what {named} in the batch paid: decide"
    return items


def _paid(original: Original) -> ItemRow | None:
    """What a payment inside a batch paid: what has its id, else the only one of its amount."""
    if original.item is not None:
        return original.item
    same = [i for i in original.view.items if i.amount_minor == original.amount_minor]
    name = original.detail.end_to_end_id if original.detail else None
    named = [i for i in same if name and i.end_to_end_id == name]
    one = named or same
    return one[0] if len(one) == 1 else None


def _named(found: Sequence[Original]) -> str:
    if len(found) > _NAMED:
        return f"{len(found)} payments"
    amounts = (
        f"{format_amount(abs(o.amount_minor), o.entry.currency)} {o.entry.currency} "
        f"of {o.entry.booked_on or o.entry.valued_on}"
        for o in found
    )
    return " and ".join(amounts)


def _why(details: Sequence[DetailRow]) -> str:
    codes = dict.fromkeys(d.return_reason for d in details if d.return_reason)
    return " and ".join(reason_text(code) for code in codes) or "no reason given"


def _does(
    account: Account,
    matches: int,
    details: Sequence[DetailRow],
    opened: Sequence[ItemRow],
    postings: Sequence[Adjustment],
    fee: int,
) -> str:
    documents = [i.document_no or i.item_id[:8] for i in opened]
    names = ", ".join(dict.fromkeys(documents[:_NAMED]))
    names += f" and {len(documents) - _NAMED} more" if len(documents) > _NAMED else ""
    undo = "undo its match" if matches == 1 else f"undo {matches} matches"
    steps = [f"{undo} and open {names} again" if names else undo]
    standing = [a for a in postings if a.state != "pending"]
    posted = ", ".join(a.document_no or a.adjustment_id[:8] for a in standing)
    if posted:
        steps.append(f"take the posting {posted} back")
    if fee:
        steps.append(f"book the fee of {format_amount(fee, account.currency)} {account.currency}")
    return f"{_why(details)}; to {', '.join(steps)}"


def _evidence(
    account: Account,
    suspect: EntryRow,
    details: Sequence[DetailRow],
    found: Sequence[Original],
    fee: int,
) -> str:
    day = suspect.booked_on or suspect.valued_on
    less = f"; the bank took {format_amount(fee, account.currency)} for it" if fee else ""
    return f"The entry of {day} brings back {_named(found)}, {_why(details)}{less}."
