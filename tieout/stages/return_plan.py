"""What approving a return does: one plan, whose id names all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tieout.identity import content_id
from tieout.ledger.models import Account, Adjustment, DetailRow, EntryRow, ItemRow
from tieout.money import format_amount
from tieout.reasons import reason_text
from tieout.stages.return_originals import Original

__all__ = ["Plan", "Taken", "plan_of"]


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
    """Undo a match, and put its payment together with the entry that brings it back.

    Attributes:
        plan_id: of the group of payment and return; names everything the plan does.
        undoes: group id.
        entries: (id, amount): the payment, its return, and the fee where it is an entry.
        kept: (item id, amount, of how much) that the batch has paid nevertheless.
        reopens: item ids.
        takes_back: adjustment ids.
        fee_minor: not negative.
        residual_minor: entries less kept items.
        residual_class: ``charge`` where that is the fee.
        entry: the payment in words.
        does: the plan in words.
        evidence: of the new group.
    """

    plan_id: str
    undoes: str
    entries: tuple[tuple[str, int], ...]
    kept: tuple[tuple[str, int, int], ...]
    reopens: tuple[str, ...]
    takes_back: tuple[str, ...]
    fee_minor: int
    residual_minor: int
    residual_class: str | None
    entry: str
    does: str
    evidence: str

    def shown(self) -> dict[str, Any]:
        """As the exception holds it."""
        return {
            "id": self.plan_id,
            "undoes": self.undoes,
            "entries": [key for key, _ in self.entries],
            "reopens": list(self.reopens),
            "takes_back": list(self.takes_back),
            "fee_minor": self.fee_minor,
        }


def plan_of(
    account: Account,
    suspect: EntryRow,
    details: Sequence[DetailRow],
    original: Original,
    fee_entry: EntryRow | None,
    taken: Mapping[str, Taken],
) -> Plan | str:
    """The plan for a return whose payment is known, or why there is none, in words.

    Args:
        details: of the return.
        fee_entry: what the bank booked for it by itself; only where nothing was withheld.
        taken: by group id.
    """
    group = original.view.group
    own = taken[group.group_id]
    if original.split:
        return f"{_named(original)} is split over several matches: undo these first"
    whole = original.detail is None and original.item is None
    fee_entry = None if original.fee_minor else fee_entry
    entries = [(original.entry.entry_id, original.entry.amount_minor)]
    entries += [(e.entry_id, e.amount_minor) for e in (suspect, fee_entry) if e is not None]
    kept: list[tuple[str, int, int]] = []
    opened = list(original.view.items)
    if not whole:
        if any(a.state != "pending" for a in own.postings):
            return f"{_named(original)} was paid in a batch that is posted: take it back by hand"
        paid = _paid(original)
        if paid is None:
            return f"the books do not tell what {_named(original)} in the batch paid: decide"
        opened = [paid]
        kept = sorted((k, *a) for k, a in own.amounts.items() if k != paid.item_id)
    fee = original.fee_minor - (fee_entry.amount_minor if fee_entry else 0)
    residual = sum(a for _, a in entries) - sum(a for _, a, _ in kept)
    reopens = sorted(i.item_id for i in opened)
    postings = sorted(a.adjustment_id for a in own.postings)
    plan_id = content_id(
        "group", "return", group.group_id, *sorted(k for k, _ in entries), "reopens", *reopens,
        "takes back", *postings, residual,
    )  # fmt: skip
    return Plan(
        plan_id=plan_id,
        undoes=group.group_id,
        entries=tuple(entries),
        kept=tuple(kept),
        reopens=tuple(reopens),
        takes_back=tuple(postings),
        fee_minor=fee,
        residual_minor=residual,
        residual_class="charge" if fee and residual == -fee else None,
        entry=_named(original),
        does=_does(account, details, opened, own.postings, fee),
        evidence=_evidence(account, suspect, details, original, fee),
    )


def _paid(original: Original) -> ItemRow | None:
    """What a payment inside a batch paid: what has its id, else the only one of its amount."""
    if original.item is not None:
        return original.item
    same = [i for i in original.view.items if i.amount_minor == original.amount_minor]
    name = original.detail.end_to_end_id if original.detail else None
    named = [i for i in same if name and i.end_to_end_id == name]
    one = named or same
    return one[0] if len(one) == 1 else None


def _named(original: Original) -> str:
    entry = original.entry
    amount = format_amount(abs(original.amount_minor), entry.currency)
    return f"{amount} {entry.currency} of {entry.booked_on or entry.valued_on}"


def _why(details: Sequence[DetailRow]) -> str:
    code = next((d.return_reason for d in details if d.return_reason), None)
    return reason_text(code) if code else "no reason given"


def _does(
    account: Account,
    details: Sequence[DetailRow],
    opened: Sequence[ItemRow],
    postings: Sequence[Adjustment],
    fee: int,
) -> str:
    names = ", ".join(dict.fromkeys(i.document_no or i.item_id[:8] for i in opened))
    steps = [f"undo its match and open {names} again" if names else "undo its match"]
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
    original: Original,
    fee: int,
) -> str:
    day = suspect.booked_on or suspect.valued_on
    less = f"; the bank took {format_amount(fee, account.currency)} for it" if fee else ""
    return f"The entry of {day} brings back {_named(original)}, {_why(details)}{less}."
