"""Which matched payments a return may bring back: by the ids it repeats, and by its amount."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tieout.ledger.models import Account, DetailRow, EntryIdentity, EntryRow, ItemRow
from tieout.references import is_reference
from tieout.stages.groups import GroupView
from tieout.stages.identities import IDENTITY, among, entry_details

__all__ = ["Original", "fee_of", "ids_of", "originals"]

#: Ids of one payment; a return repeats at least one of them.
_OWN: Final = ("uetr", "transaction_id", "end_to_end_id", "instruction_id", "cheque_no")
#: Ids many payments share: enough where no other one speaks against it.
_SHARED: Final = ("mandate_id",)
#: An unauthorised direct debit comes back up to 13 months later.
_DAYS_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class Original:
    """A matched payment that a return may bring back.

    Attributes:
        detail: the payment inside a batch, or None: the whole entry.
        item: what it paid, where the books name the payment and the entry does not.
        fee_minor: what of it did not come back, or came on top; never negative.
        split: whether several matches share the entry.
    """

    view: GroupView
    entry: EntryRow
    detail: DetailRow | None
    item: ItemRow | None
    amount_minor: int
    fee_minor: int
    split: bool = False

    @property
    def part(self) -> tuple[str, str]:
        """What it is, whichever id led to it: entry, and detail or item inside."""
        inside = self.detail.detail_id if self.detail else self.item.item_id if self.item else ""
        return self.entry.entry_id, inside


def ids_of(
    entry: EntryRow, details: Sequence[DetailRow], fields: Sequence[str] = _OWN
) -> set[tuple[str, str]]:
    """The ids an entry and its details carry, as (field, value); what banks write for none is
    none."""
    found = {
        (name, value.strip())
        for detail in details
        for name in fields
        if (value := getattr(detail, name)) and is_reference(value)
    }
    if fields is _OWN and entry.bank_ref and is_reference(entry.bank_ref):
        found.add(("bank_ref", entry.bank_ref.strip()))
    return found


def originals(
    session: Session,
    account: Account,
    suspects: Sequence[EntryRow],
    details: Mapping[str, Sequence[DetailRow]],
    views: Sequence[GroupView],
) -> dict[str, list[Original]]:
    """The candidates of each return, by its entry id, in the order of the days they were booked.

    Ids of one payment go before shared ones: where one leads to a candidate, only these count.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for suspect in suspects:
        for fields in (_OWN, _SHARED):
            for name, value in ids_of(suspect, details.get(suspect.entry_id, ()), fields):
                wanted[name].add(value)
    matched = {e.entry_id: (v, e) for v in views if v.group.rung != "return" for e in v.entries}
    shared = Counter(e.entry_id for v in views for e in v.entries)
    rows = _carriers(session, account, wanted) & matched.keys()
    told: dict[str, list[DetailRow]] = defaultdict(list)
    for detail in entry_details(session, rows):
        told[detail.entry_id].append(detail)
    index: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in sorted(rows):
        for fields in (_OWN, _SHARED):
            for key in ids_of(matched[row][1], told[row], fields):
                index[key].add(row)
    in_items = _in_items(views, wanted["end_to_end_id"])
    found = {}
    for suspect in suspects:
        own = details.get(suspect.entry_id, ())
        for fields in (_OWN, _SHARED):
            keys = ids_of(suspect, own, fields)
            some: dict[tuple[str, str], Original] = {}
            for row in sorted({row for key in keys for row in index.get(key, ())}):
                view, entry = matched[row]
                for original in _parts(suspect, own, view, entry, told[row], keys, fields):
                    some[original.part] = original
            for original in _by_item(suspect, own, in_items, keys):
                if not any(original.entry.entry_id == entry_id for entry_id, _ in some):
                    some[original.part] = original
            if some:
                told_split = [replace(o, split=shared[o.entry.entry_id] > 1) for o in some.values()]
                found[suspect.entry_id] = sorted(
                    told_split, key=lambda o: (str(o.entry.booked_on), o.part)
                )
                break
    return found


def _carriers(session: Session, account: Account, wanted: Mapping[str, set[str]]) -> set[str]:
    """Entries of the account whose row or details carry one of the ids."""
    found: set[str] = set()
    inside = [n for n in (*_OWN, *_SHARED) if wanted.get(n)]
    here = (
        select(IDENTITY)
        .select_from(EntryRow)
        .outerjoin(EntryIdentity, EntryIdentity.entry_id == EntryRow.entry_id)
        .where(EntryRow.account_code == account.code)
    )
    if inside:
        carried = [among(getattr(DetailRow, name), wanted[name]) for name in inside]
        query = here.join(DetailRow, DetailRow.entry_id == EntryRow.entry_id)
        found |= set(session.scalars(query.where(or_(*carried))))
    if wanted.get("bank_ref"):
        query = here.where(EntryRow.bank_ref.in_(sorted(wanted["bank_ref"])))
        found |= set(session.scalars(query))
    return found


def _in_items(
    views: Sequence[GroupView], wanted: set[str]
) -> dict[str, list[tuple[GroupView, ItemRow]]]:
    """Items of matches of one entry, by the payment id the books gave them."""
    found: dict[str, list[tuple[GroupView, ItemRow]]] = defaultdict(list)
    for view in views:
        if len(view.entries) != 1 or not wanted or view.group.rung == "return":
            continue
        for item in view.items:
            if item.end_to_end_id and item.end_to_end_id.strip() in wanted:
                found[item.end_to_end_id.strip()].append((view, item))
    return found


def fee_of(suspect: EntryRow, details: Sequence[DetailRow], amount_minor: int) -> int | None:
    """The fee that makes the return fit an amount: nothing, or what the bank says of it.

    Returns:
        The fee, or None: this is not the amount that came back.
    """
    if not amount_minor or (amount_minor < 0) == (suspect.amount_minor < 0):
        return None
    fee = -(amount_minor + suspect.amount_minor)
    if fee <= 0:
        return 0 if not fee else None
    charges = sum(abs(d.charges_minor or 0) for d in details)
    stated = {abs(d.original_minor) for d in details if d.original_minor is not None}
    return fee if charges == fee or stated == {abs(amount_minor)} else None


def _fits_in_time(suspect: EntryRow, entry: EntryRow) -> bool:
    later = suspect.booked_on or suspect.valued_on
    earlier = entry.booked_on or entry.valued_on
    if later is None or earlier is None:
        return True
    return 0 <= (later - earlier).days <= _DAYS_MAX


def _parts(
    suspect: EntryRow,
    own: Sequence[DetailRow],
    view: GroupView,
    entry: EntryRow,
    details: Sequence[DetailRow],
    keys: set[tuple[str, str]],
    fields: Sequence[str],
) -> Iterator[Original]:
    """The entry, or those payments inside it, that carry one of the ids and have the amount."""
    if not _fits_in_time(suspect, entry):
        return
    fee = fee_of(suspect, own, entry.amount_minor)
    if fee is not None and not _contradicts(own, details, fields):
        yield Original(view, entry, None, None, entry.amount_minor, fee)
        return
    if len(details) < 2:
        return
    for detail in details:
        fee = fee_of(suspect, own, detail.amount_minor or 0)
        same = ids_of(entry, [detail], fields) & keys
        if fee is not None and same and not _contradicts(own, [detail], fields):
            yield Original(view, entry, detail, None, detail.amount_minor or 0, fee)


def _contradicts(
    own: Sequence[DetailRow], details: Sequence[DetailRow], fields: Sequence[str]
) -> bool:
    """Whether a shared id led here, and both sides name a payment: another one."""
    if fields is _OWN:
        return False
    for name in _OWN:
        here = {v for d in own if (v := getattr(d, name)) and is_reference(v)}
        there = {v for d in details if (v := getattr(d, name)) and is_reference(v)}
        if here and there and not here & there:
            return True
    return False


def _by_item(
    suspect: EntryRow,
    own: Sequence[DetailRow],
    in_items: Mapping[str, Sequence[tuple[GroupView, ItemRow]]],
    keys: set[tuple[str, str]],
) -> Iterator[Original]:
    for name, value in sorted(keys):
        for view, item in in_items.get(value, ()) if name == "end_to_end_id" else ():
            (entry,) = view.entries
            if not _fits_in_time(suspect, entry):
                continue
            fee = fee_of(suspect, own, entry.amount_minor)
            if fee is not None:
                yield Original(view, entry, None, None, entry.amount_minor, fee)
                continue
            fee = fee_of(suspect, own, item.amount_minor)
            if fee is not None:
                yield Original(view, entry, None, item, item.amount_minor, fee)
