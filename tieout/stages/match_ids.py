"""Which entry, item or match a person means: an id, its start, or the name the books give it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from tieout.errors import LedgerError
from tieout.ledger.models import EntryIdentity, EntryRow, GroupRow, ItemRow
from tieout.money import format_amount
from tieout.stages.identities import IDENTITY
from tieout.stages.sync import current_items, is_newest

__all__ = ["entry_id", "group_of", "item_of"]

#: Shorter starts of an id are refused: they would mean something else tomorrow.
_START_MIN = 4


def entry_id(session: Session, given: str) -> str:
    """The entry whose id begins so, or to which the bank gave this reference.

    Raises:
        LedgerError: ``ENTRY_UNKNOWN``, ``ENTRY_UNCLEAR`` (several), ``ID_SHORT``.
    """
    _long_enough(given, "entry")
    query = (
        select(IDENTITY, func.min(EntryRow.booked_on), func.min(EntryRow.amount_minor))
        .select_from(EntryRow)
        .outerjoin(EntryIdentity, EntryIdentity.entry_id == EntryRow.entry_id)
        .where(
            or_(
                IDENTITY.startswith(given, autoescape=True),
                EntryRow.entry_id.startswith(given, autoescape=True),
                EntryRow.bank_ref == given,
            )
        )
        .group_by(IDENTITY)
        .order_by(IDENTITY)
        .limit(6)
    )
    found = session.execute(query).all()
    exact = [row for row in found if row[0] == given]
    named = [f"{key[:16]} ({on})" for key, on, _ in exact or found]
    _one(named, "entry", given)
    return str((exact or found)[0][0])


def item_of(session: Session, given: str) -> ItemRow:
    """The item whose id begins so, or whose document number this is.

    Raises:
        LedgerError: ``ITEM_UNKNOWN``, ``ITEM_UNCLEAR`` (several), ``ID_SHORT``.
    """
    by_number = select(ItemRow.item_id).where(is_newest(), ItemRow.document_no == given)
    keys = set(session.scalars(by_number.limit(6)))
    if not keys:
        _long_enough(given, "item")
        starts = ItemRow.item_id.startswith(given, autoescape=True)
        keys = set(session.scalars(select(ItemRow.item_id).where(is_newest(), starts).limit(6)))
    found = list(current_items(session, ItemRow.item_id.in_(sorted(keys))).values())
    exact = [i for i in found if i.item_id == given]
    open_ = [i for i in found if i.open_minor]
    found = exact or (open_ if len(open_) == 1 else found)
    _one(
        [
            f"{i.item_id[:16]} ({i.kind}, {format_amount(i.open_minor, i.currency)} {i.currency})"
            for i in found
        ],
        "item",
        given,
    )
    return found[0]


def group_of(session: Session, given: str, *, lock: bool = False) -> GroupRow:
    """The match whose id begins so.

    Raises:
        LedgerError: ``MATCH_UNKNOWN``, ``MATCH_UNCLEAR`` (several), ``ID_SHORT``.
    """
    _long_enough(given, "match")
    query = select(GroupRow).where(GroupRow.group_id.startswith(given, autoescape=True))
    query = query.order_by(GroupRow.group_id).limit(6)
    found = list(session.scalars(query.with_for_update() if lock else query))
    _one([g.group_id[:16] for g in found], "match", given)
    return found[0]


def _long_enough(given: str, what: str) -> None:
    if len(given.strip()) < _START_MIN:
        raise LedgerError(
            "ID_SHORT",
            f"{given!r} is too short for the id of a{'n' if what[0] in 'ei' else ''} {what}",
            remedy=f"give at least {_START_MIN} characters",
        )


def _one(names: Sequence[str], what: str, given: str) -> None:
    if len(names) == 1:
        return
    shows = "`tieout matches list`" if what == "match" else "`tieout matches open`"
    if not names:
        raise LedgerError(
            f"{what.upper()}_UNKNOWN",
            f"no {what} is known as {given!r}",
            remedy=f"{shows} shows them",
        )
    raise LedgerError(
        f"{what.upper()}_UNCLEAR",
        f"{given!r} may be {' or '.join(names)}",
        remedy="give more of the id",
    )
