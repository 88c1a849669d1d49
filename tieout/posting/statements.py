"""The outbox's statements, built once.

A delivery runs some thirty statements a posting. Building one anew each time costs five times as
much as sending it, so each is built once and given its values as parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Insert, Select, Table, Update, bindparam, func, or_, select
from sqlalchemy.orm import QueryableAttribute

from tieout.ledger.models import Outbox, PostingAttempt, PostingIntent

__all__ = [
    "ADD_ATTEMPT",
    "ATTEMPTS",
    "CLOSE_DEAD",
    "CONFIRM",
    "companions",
    "due",
    "ending",
    "writing",
]

_OUTBOX: Final[Table] = Outbox.__table__  # type: ignore[assignment]
_ATTEMPTS: Final[Table] = PostingAttempt.__table__  # type: ignore[assignment]

ATTEMPTS: Final = (
    select(_ATTEMPTS.c.phase, _ATTEMPTS.c.outcome, _ATTEMPTS.c.started_at)
    .where(_ATTEMPTS.c.intent_id == bindparam("intent"))
    .order_by(_ATTEMPTS.c.attempt_id.desc())
)

ADD_ATTEMPT: Final[Insert] = _ATTEMPTS.insert().returning(_ATTEMPTS.c.attempt_id)

CLOSE_DEAD: Final[Update] = (
    _ATTEMPTS.update()
    .where(_ATTEMPTS.c.intent_id == bindparam("intent"), _ATTEMPTS.c.outcome.is_(None))
    .values(
        outcome="UNKNOWN",
        code="WORKER_LOST",
        message="the worker ended before it recorded an answer",
        ended_at=func.clock_timestamp(),
    )
)

_MINE: Final = (
    _OUTBOX.c.intent_id == bindparam("my_intent"),
    _OUTBOX.c.fence == bindparam("my_fence"),
    _OUTBOX.c.epoch == bindparam("my_epoch"),
    _OUTBOX.c.state == bindparam("my_state"),
)

_LOCKED: Final = select(_OUTBOX.c.held).where(*_MINE).with_for_update().cte("locked")

#: The instant is read of the row that is locked, so after it is locked: however long that took.
CONFIRM: Final = select(_LOCKED.c.held, func.clock_timestamp().label("now"))


@cache
def writing(columns: tuple[str, ...], first: tuple[str, ...]) -> Update:
    """Update these columns, and those of ``first`` that are empty, under fence, epoch and state."""
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    for name in first:
        values[name] = func.coalesce(_OUTBOX.c[name], bindparam(name, type_=_OUTBOX.c[name].type))
    return _OUTBOX.update().where(*_MINE).values(values).returning(_OUTBOX.c.held)


@cache
def ending(columns: tuple[str, ...]) -> Update:
    """Complete these columns of an attempt that has no outcome yet."""
    return (
        _ATTEMPTS.update()
        .where(_ATTEMPTS.c.attempt_id == bindparam("attempt"), _ATTEMPTS.c.outcome.is_(None))
        .values({name: bindparam(name) for name in columns})
    )


@cache
def due(states: Sequence[str], *, locked: bool) -> Select[Outbox]:
    """Due rows of the ERP ``erp`` in ``epoch`` at ``now``, longest due first."""
    lease: QueryableAttribute[Any] = Outbox.lease_until
    rows = (
        select(Outbox)
        .where(
            Outbox.erp == bindparam("erp"),
            Outbox.epoch == bindparam("epoch"),
            Outbox.state.in_(states),
            Outbox.held.is_(None),
            Outbox.next_at <= bindparam("now"),
            or_(lease.is_(None), lease < bindparam("now")),
        )
        .order_by(Outbox.next_at, Outbox.intent_id)
        .limit(bindparam("most"))
    )
    return rows.with_for_update(skip_locked=True, of=Outbox) if locked else rows


@cache
def companions(states: Sequence[str]) -> Select[Outbox]:
    """Due plain journals of ``company`` other than ``first``, locked."""
    return (
        due(states, locked=True)
        .join(PostingIntent, PostingIntent.intent_id == Outbox.intent_id)
        .where(
            PostingIntent.company == bindparam("company"),
            PostingIntent.kind == "ADJUST",
            Outbox.intent_id != bindparam("first"),
        )
    )
