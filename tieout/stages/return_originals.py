"""Which matched payments a return may bring back: by the ids it repeats, and by its amount."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tieout.ledger.models import Account, DetailRow, EntryIdentity, EntryRow, ItemRow
from tieout.references import is_reference
from tieout.stages.groups import GroupView
from tieout.stages.identities import IDENTITY, among, entry_details, entry_of

__all__ = ["Original", "Unit", "fee_of", "ids_of", "originals", "units_of"]

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
        split: whether its match has only a part of the entry.
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


@dataclass(frozen=True, slots=True)
class Unit:
    """One payment that came back: an open entry, or one of its details; with its own ids."""

    entry: EntryRow
    details: tuple[DetailRow, ...]
    amount_minor: int
    ids: set[tuple[str, str]]


def ids_of(
    entry: EntryRow | None, details: Sequence[DetailRow], fields: Sequence[str] = _OWN
) -> set[tuple[str, str]]:
    """The ids an entry and its details carry, as (field, value); what banks write for none is
    none."""
    found = {
        (name, value.strip())
        for detail in details
        for name in fields
        if (value := getattr(detail, name)) and is_reference(value)
    }
    if fields is _OWN and entry is not None and entry.bank_ref and is_reference(entry.bank_ref):
        found.add(("bank_ref", entry.bank_ref.strip()))
    return found


def units_of(entry: EntryRow, details: Sequence[DetailRow]) -> list[Unit]:
    """The payments an entry brings back: each of its details, where they come to the entry."""
    amounts = [d.amount_minor for d in details]
    told = [a for a in amounts if a is not None]
    if len(details) > 1 and len(told) == len(details) and sum(told) == entry.amount_minor:
        return [Unit(entry, (d,), a, ids_of(None, [d])) for d, a in zip(details, told, strict=True)]
    return [Unit(entry, tuple(details), entry.amount_minor, ids_of(entry, details))]


def originals(
    session: Session, account: Account, units: Sequence[Unit], views: Sequence[GroupView]
) -> list[list[Original]]:
    """The candidates of each payment that came back, by the days they were booked.

    Ids of one payment go before shared ones: where one leads to a candidate, only these count.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for unit in units:
        for name, value in unit.ids | ids_of(None, unit.details, _SHARED):
            wanted[name].add(value)
    claims = {e.entry_id: (v, e) for v in views if v.group.rung != "return" for e in v.entries}
    rows = _carriers(session, account, wanted) & claims.keys()
    # A match may have a part of its entry only; what comes back is the whole payment.
    matched = {row: (claims[row][0], entry_of(session, row)) for row in sorted(rows)}
    told: dict[str, list[DetailRow]] = defaultdict(list)
    for detail in entry_details(session, rows):
        told[detail.entry_id].append(detail)
    index: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in sorted(rows):
        for fields in (_OWN, _SHARED):
            for key in ids_of(matched[row][1], told[row], fields):
                index[key].add(row)
    in_items = _in_items(views, wanted["end_to_end_id"])
    found = []
    for unit in units:
        for fields in (_OWN, _SHARED):
            keys = unit.ids if fields is _OWN else ids_of(None, unit.details, fields)
            some: dict[tuple[str, str], Original] = {}
            for row in sorted({row for key in keys for row in index.get(key, ())}):
                view, entry = matched[row]
                for original in _parts(unit, view, entry, told[row], keys, fields):
                    some[original.part] = original
            for original in _by_item(unit, in_items, keys):
                if not any(original.entry.entry_id == entry_id for entry_id, _ in some):
                    some[original.part] = original
            if some:
                break
        split = [replace(o, split=_split(o, claims)) for o in some.values()]
        found.append(sorted(split, key=lambda o: (str(o.entry.booked_on), o.part)))
    return found


def _split(original: Original, claims: Mapping[str, tuple[GroupView, EntryRow]]) -> bool:
    _, claimed = claims[original.entry.entry_id]
    return claimed.amount_minor != original.entry.amount_minor


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


def fee_of(unit: Unit, amount_minor: int) -> int | None:
    """The fee that makes what came back fit an amount: nothing, or what the bank says of it.

    Returns:
        The fee, or None: this is not the amount that came back.
    """
    if not amount_minor or (amount_minor < 0) == (unit.amount_minor < 0):
        return None
    fee = -(amount_minor + unit.amount_minor)
    if fee <= 0:
        return 0 if not fee else None
    charges = sum(abs(d.charges_minor or 0) for d in unit.details)
    stated = {abs(d.original_minor) for d in unit.details if d.original_minor is not None}
    return fee if charges == fee or stated == {abs(amount_minor)} else None


def _fits_in_time(unit: Unit, entry: EntryRow) -> bool:
    later = unit.entry.booked_on or unit.entry.valued_on
    earlier = entry.booked_on or entry.valued_on
    if later is None or earlier is None:
        return True
    return 0 <= (later - earlier).days <= _DAYS_MAX


def _parts(
    unit: Unit,
    view: GroupView,
    entry: EntryRow,
    details: Sequence[DetailRow],
    keys: set[tuple[str, str]],
    fields: Sequence[str],
) -> Iterator[Original]:
    """The entry, or those payments inside it, that carry one of the ids and have the amount."""
    if not _fits_in_time(unit, entry):
        return
    fee = fee_of(unit, entry.amount_minor)
    if fee is not None and not _contradicts(unit, details, fields):
        yield Original(view, entry, None, None, entry.amount_minor, fee)
        return
    for detail in details if len(details) > 1 else ():
        fee = fee_of(unit, detail.amount_minor or 0)
        same = ids_of(None, [detail], fields) & keys
        if fee is not None and same and not _contradicts(unit, [detail], fields):
            yield Original(view, entry, detail, None, detail.amount_minor or 0, fee)


def _contradicts(unit: Unit, details: Sequence[DetailRow], fields: Sequence[str]) -> bool:
    """Whether a shared id led here, and both sides name a payment: another one."""
    if fields is _OWN:
        return False
    for name in _OWN:
        here = {v for d in unit.details if (v := getattr(d, name)) and is_reference(v)}
        there = {v for d in details if (v := getattr(d, name)) and is_reference(v)}
        if here and there and not here & there:
            return True
    return False


def _by_item(
    unit: Unit,
    in_items: Mapping[str, Sequence[tuple[GroupView, ItemRow]]],
    keys: set[tuple[str, str]],
) -> Iterator[Original]:
    for name, value in sorted(keys):
        for view, item in in_items.get(value, ()) if name == "end_to_end_id" else ():
            (entry,) = view.entries
            if not _fits_in_time(unit, entry):
                continue
            fee = fee_of(unit, entry.amount_minor)
            if fee is not None:
                yield Original(view, entry, None, None, entry.amount_minor, fee)
                continue
            fee = fee_of(unit, item.amount_minor)
            if fee is not None:
                yield Original(view, entry, None, item, item.amount_minor, fee)
