"""Rows and the entries they state: every reader of entries asks here, none joins by row id.

An entry is known by its identity. Most rows are their own; a row that took another's place carries
the identity under which the entry first counted, and is handed out under it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ARRAY, ColumnElement, Text, any_, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from tieout.errors import LedgerError
from tieout.ledger.models import (
    DetailRow,
    EntryIdentity,
    EntryRow,
    ItemRow,
    MemberRow,
    StatementRow,
    StatementStatus,
)
from tieout.stages.pairing import CORRECTED, EntryFact

__all__ = [
    "IDENTITY",
    "among",
    "booked_entries",
    "claimed_entries",
    "copy_of",
    "entry_details",
    "entry_of",
    "facts_of",
    "told",
]

_Row = TypeVar("_Row", EntryRow, DetailRow, ItemRow, StatementRow)
_Told = TypeVar("_Told", EntryRow, DetailRow)

#: The id of the entry that a row of `EntryRow` states; needs `EntryIdentity` outer-joined.
IDENTITY: Final[ColumnElement[str]] = func.coalesce(EntryIdentity.identity, EntryRow.entry_id)

_COUNTS: Final[ColumnElement[bool]] = func.coalesce(EntryIdentity.counts, True)

#: What a detail says of its payment; the telling that says most is taken.
_TELLING: Final = (
    "end_to_end_id",
    "instruction_id",
    "payment_info_id",
    "message_id",
    "transaction_id",
    "uetr",
    "mandate_id",
    "counterparty_name",
    "counterparty_account",
    "reference",
    "return_reason",
    "original_minor",
    "narrative",
)


def copy_of(row: _Row, **changes: Any) -> _Row:
    """A row of its own beside the session's, so that a change of it never reaches the ledger."""
    values = {column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs}
    return type(row)(**(values | changes))


def _named(row: _Told, identity: str) -> _Told:
    return row if row.entry_id == identity else copy_of(row, entry_id=identity)


def booked_entries(
    session: Session, account_code: str, *, states: Collection[str], **only: Any
) -> list[EntryRow]:
    """Booked entries of the account's statements in the given states, in statement order.

    Args:
        only: columns of the statement that must have these values, such as ``closed_on``.
    """
    query = (
        select(EntryRow, IDENTITY)
        .join(StatementRow, StatementRow.statement_id == EntryRow.statement_id)
        .join(StatementStatus, StatementStatus.statement_id == EntryRow.statement_id)
        .outerjoin(EntryIdentity, EntryIdentity.entry_id == EntryRow.entry_id)
        .where(
            EntryRow.account_code == account_code,
            EntryRow.status == "booked",
            StatementStatus.state.in_(states),
            _COUNTS,
            *(getattr(StatementRow, name) == value for name, value in only.items()),
        )
        .order_by(StatementRow.closed_on, EntryRow.statement_id, EntryRow.ordinal)
    )
    return [_named(row, identity) for row, identity in session.execute(query)]


def claimed_entries(session: Session, account_code: str) -> list[tuple[str, EntryRow]]:
    """The entries that live groups of the account claim, as they are told now, with their group.

    Of an entry a group takes in part, the row says that part. An entry no statement tells any more
    is left out.
    """
    query = (
        select(MemberRow, EntryRow, IDENTITY)
        .select_from(EntryRow)
        .join(StatementStatus, StatementStatus.statement_id == EntryRow.statement_id)
        .outerjoin(EntryIdentity, EntryIdentity.entry_id == EntryRow.entry_id)
        .join(MemberRow, MemberRow.member_id == IDENTITY)
        .where(
            MemberRow.side == "entry",
            MemberRow.live,
            EntryRow.account_code == account_code,
            StatementStatus.state.in_(("accepted", "staged")),
            _COUNTS,
        )
        .order_by(MemberRow.group_id, EntryRow.statement_id, EntryRow.ordinal)
    )
    return [
        (
            member.group_id,
            _named(row, key)
            if member.amount_minor == member.of_minor
            else copy_of(row, entry_id=key, amount_minor=member.amount_minor),
        )
        for member, row, key in session.execute(query)
    ]


def told(session: Session, identities: Collection[str]) -> set[str]:
    """Those of the given entries that a statement tells now."""
    query = (
        select(IDENTITY)
        .select_from(EntryRow)
        .join(StatementStatus, StatementStatus.statement_id == EntryRow.statement_id)
        .outerjoin(EntryIdentity, EntryIdentity.entry_id == EntryRow.entry_id)
        .where(
            _rows(identities, session),
            among(IDENTITY, identities),
            StatementStatus.state.in_(("accepted", "staged")),
            _COUNTS,
        )
    )
    return set(session.scalars(query))


def among(column: ColumnElement[str] | InstrumentedAttribute[str], values: Iterable[str]) -> Any:
    """The condition that a column holds one of any number of values."""
    return column == any_(literal(sorted(set(values)), ARRAY(Text)))


def _rows(identities: Collection[str], session: Session) -> Any:
    """The condition that a row may state one of the entries (its own id, or another's)."""
    others = session.scalars(
        select(EntryIdentity.entry_id).where(among(EntryIdentity.identity, identities))
    )
    return among(EntryRow.entry_id, {*identities, *others})


def entry_of(session: Session, identity: str) -> EntryRow:
    """The row that states an entry now, or the last one that did.

    Raises:
        LedgerError: ``ENTRY_UNKNOWN``.
    """
    counting = (StatementStatus.state.in_(("accepted", "staged"))) & _COUNTS
    query = (
        select(EntryRow)
        .outerjoin(StatementStatus, StatementStatus.statement_id == EntryRow.statement_id)
        .outerjoin(EntryIdentity, EntryIdentity.entry_id == EntryRow.entry_id)
        .where(_rows([identity], session), IDENTITY.in_([identity]))
        .order_by(func.coalesce(counting, False).desc(), EntryRow.statement_id, EntryRow.ordinal)
    )
    row = session.scalars(query).first()
    if row is None:
        raise LedgerError(
            "ENTRY_UNKNOWN",
            f"no row states entry {identity}",
            where=f"entry {identity}",
            remedy="check the id: `tieout exceptions list` prints them",
        )
    return _named(row, identity)


def entry_details(session: Session, identities: Collection[str]) -> list[DetailRow]:
    """Details of the given entries, by identity and ordinal.

    Of an entry told more than once (a notification beside the statement), the telling whose
    details say most; a telling's details are never mixed with another's.
    """
    rows = session.execute(
        select(DetailRow, IDENTITY, EntryRow, StatementRow.kind)
        .join(EntryRow, EntryRow.entry_id == DetailRow.entry_id)
        .join(StatementRow, StatementRow.statement_id == EntryRow.statement_id)
        .outerjoin(EntryIdentity, EntryIdentity.entry_id == EntryRow.entry_id)
        .where(
            _rows(identities, session),
            among(IDENTITY, identities),
            _COUNTS | (EntryIdentity.shared != CORRECTED),
        )
        .order_by(EntryRow.statement_id, EntryRow.ordinal, DetailRow.ordinal)
    )
    told: dict[str, dict[tuple[int, str], list[tuple[DetailRow, EntryRow]]]] = defaultdict(dict)
    for detail, identity, entry, kind in rows:
        own = 0 if entry.entry_id == identity or kind == "booked" else 1
        # Parts of a batch, each an entry of a notification, are one telling of it.
        key = (own, entry.statement_id if own else entry.entry_id)
        told[identity].setdefault(key, []).append((detail, entry))
    found: list[DetailRow] = []
    for identity in sorted(told):
        found += _best(identity, told[identity])
    return found


def _best(
    identity: str, tellings: dict[tuple[int, str], list[tuple[DetailRow, EntryRow]]]
) -> list[DetailRow]:
    best = max(
        sorted(tellings.items()),
        key=lambda item: (_weight([d for d, _ in item[1]]), -item[0][0]),
    )[1]
    if len({entry.entry_id for _, entry in best}) == 1:
        return [_named(detail, identity) for detail, _ in best]
    parts = []
    for ordinal, (detail, entry) in enumerate(best, 1):
        # A part that states no amount of its own is an entry that does.
        amount = entry.amount_minor if detail.amount_minor is None else detail.amount_minor
        parts.append(copy_of(detail, entry_id=identity, ordinal=ordinal, amount_minor=amount))
    return parts


def _weight(details: Sequence[DetailRow]) -> tuple[int, int, int]:
    """How much details say: all with amounts, how many, how many facts."""
    amounts = all(d.amount_minor is not None for d in details)
    told = sum(getattr(d, name) is not None for d in details for name in _TELLING)
    return (int(amounts and len(details) > 1), len(details), told)


def facts_of(
    session: Session, statement_ids: Iterable[str], statuses: Collection[str] = ("booked",)
) -> dict[str, list[EntryFact]]:
    """What tells the entries of each statement apart, in its order; row ids, not identities."""
    keys = list(statement_ids)
    found: dict[str, list[EntryFact]] = {key: [] for key in keys}
    entries = session.scalars(
        select(EntryRow)
        .where(among(EntryRow.statement_id, keys), EntryRow.status.in_(statuses))
        .order_by(EntryRow.statement_id, EntryRow.ordinal)
    ).all()
    inside: dict[str, list[DetailRow]] = defaultdict(list)
    query = (
        select(DetailRow)
        .join(EntryRow, EntryRow.entry_id == DetailRow.entry_id)
        .where(among(EntryRow.statement_id, keys))
        .order_by(DetailRow.entry_id, DetailRow.ordinal)
    )
    for detail in session.scalars(query):
        inside[detail.entry_id].append(detail)
    for row in entries:
        found[row.statement_id].append(_fact(row, inside[row.entry_id]))
    return found


def _fact(row: EntryRow, details: Sequence[DetailRow]) -> EntryFact:
    references = [row.entry_ref]
    if len(details) == 1:
        references += [details[0].end_to_end_id, details[0].uetr, details[0].reference]
    else:
        references += [d.payment_info_id or d.message_id for d in details[:1]]
    return EntryFact(
        row.entry_id,
        row.statement_id,
        row.amount_minor,
        row.booked_on,
        row.valued_on,
        row.bank_ref,
        tuple(r for r in references if r),
        row.narrative or (details[0].narrative if len(details) == 1 else None),
    )
