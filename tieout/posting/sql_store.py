"""The outbox in PostgreSQL: the store of production."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from tieout.audit.chain import append
from tieout.ledger.ledger import Ledger, database_epoch, database_now
from tieout.ledger.models import Adjustment, AuditRow, Outbox, PostingAttempt, PostingIntent
from tieout.posting.protocol import WORKING
from tieout.posting.reversal import document_to_reverse
from tieout.posting.store import Attempted, Store, Unit

__all__ = ["SqlStore", "SqlUnit", "store_of"]

_MOMENT: Final = "moment"  # of a session's transaction
_EPOCHS: Final = ("database", "database-epoch")  # subject of the audit rows that note epochs


class SqlStore:
    """The outbox in PostgreSQL."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """One transaction."""
        with self._ledger.session() as session:
            yield SqlUnit(session)


def store_of(ledger: Ledger | Store) -> Store:
    """The store of a ledger, or the store itself."""
    return SqlStore(ledger) if isinstance(ledger, Ledger) else ledger


class SqlUnit:
    """A transaction of PostgreSQL."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def moment(self) -> tuple[str, dt.datetime]:
        """The database's epoch and instant."""
        session = self.session
        never = (None, "", dt.datetime.min.replace(tzinfo=dt.UTC))
        mine, epoch, now = session.info.get(_MOMENT, never)
        if mine is not session.get_transaction():
            epoch, now = database_epoch(session), database_now(session)
            session.info[_MOMENT] = (session.get_transaction(), epoch, now)
        return epoch, now

    def now(self) -> dt.datetime:
        """The database's clock."""
        return database_now(self.session)

    def epochs(self) -> list[str]:
        """From the audit log, which remembers."""
        kind, subject = _EPOCHS
        rows = self.session.scalars(
            select(AuditRow.detail)
            .where(AuditRow.subject_id == subject, AuditRow.subject_kind == kind)
            .order_by(AuditRow.seq)
        )
        return [detail["epoch"] for detail in rows]

    def note_epoch(self, epoch: str) -> None:
        """An audit row: the ledger remembers that it has a past."""
        append(self.session, "tieout", "epoch seen", *_EPOCHS, {"epoch": epoch})

    def of_other_epochs(self, erp: str, epoch: str) -> Sequence[Outbox]:
        """Unfinished rows of other epochs, by intent."""
        return self.session.scalars(
            select(Outbox)
            .where(Outbox.erp == erp, Outbox.state.in_(WORKING), Outbox.epoch != epoch)
            .order_by(Outbox.intent_id)
            .with_for_update(skip_locked=True)
        ).all()

    def due(self, erp: str, *, most: int = 1) -> Sequence[Outbox]:
        """Due rows, what others have locked passed over."""
        locked = _locking(self._due(erp, WORKING)).limit(most)
        return self.session.scalars(locked).all()

    def any_due(self, erp: str) -> bool:
        """Whether a row is due."""
        return self.session.scalar(self._due(erp, WORKING).limit(1)) is not None

    def companions(self, first: Outbox, company: str, most: int) -> Sequence[Outbox]:
        """Due rows that may travel with the first."""
        due = (
            _locking(self._due(first.erp, ("READY", "RETRY_WAIT")))
            .join(PostingIntent, PostingIntent.intent_id == Outbox.intent_id)
            .where(
                PostingIntent.company == company,
                PostingIntent.kind == "ADJUST",
                Outbox.intent_id != first.intent_id,
            )
        )
        return self.session.scalars(due.limit(most)).all()

    def _due(self, erp: str, states: Sequence[str]) -> Select[Outbox]:
        epoch, now = self.moment()
        return (
            select(Outbox)
            .where(
                Outbox.erp == erp,
                Outbox.epoch == epoch,
                Outbox.state.in_(states),
                Outbox.held.is_(None),
                Outbox.next_at <= now,
                or_(Outbox.lease_until.is_(None), Outbox.lease_until < now),
            )
            .order_by(Outbox.next_at, Outbox.intent_id)
        )

    def row(self, intent_id: str) -> Outbox:
        """One row, locked."""
        return self.session.get_one(Outbox, intent_id, with_for_update=True)

    def intent(self, intent_id: str) -> PostingIntent:
        """The intent."""
        return self.session.get_one(PostingIntent, intent_id)

    def reverses(self, adjustment_id: str) -> str | None:
        """The document of the confirmed original."""
        return document_to_reverse(self.session, adjustment_id)

    def attempts(self, intent_id: str) -> Sequence[Attempted]:
        """Attempts, the latest first."""
        rows = self.session.execute(
            select(PostingAttempt.phase, PostingAttempt.outcome, PostingAttempt.started_at)
            .where(PostingAttempt.intent_id == intent_id)
            .order_by(PostingAttempt.attempt_id.desc())
        ).all()
        return cast("Sequence[Attempted]", rows)

    def close_dead_attempts(self, intent_id: str) -> None:
        """Open attempts end as UNKNOWN."""
        self.session.execute(
            update(PostingAttempt)
            .where(PostingAttempt.intent_id == intent_id, PostingAttempt.outcome.is_(None))
            .values(
                outcome="UNKNOWN",
                code="WORKER_LOST",
                message="the worker ended before it recorded an answer",
                ended_at=func.clock_timestamp(),
            )
        )

    def add_attempt(self, attempt: PostingAttempt) -> int:
        """Insert an attempt."""
        self.session.add(attempt)
        self.session.flush()
        return attempt.attempt_id

    def end_attempt(self, attempt_id: int, values: dict[str, Any]) -> None:
        """Complete an attempt."""
        self.session.execute(
            update(PostingAttempt)
            .where(PostingAttempt.attempt_id == attempt_id, PostingAttempt.outcome.is_(None))
            .values(values)
        )

    def write(
        self, expected: tuple[str, int, str, str], values: dict[str, Any], first: dict[str, Any]
    ) -> tuple[str | None] | None:
        """Update under fence, epoch and state."""
        intent_id, fence, epoch, state = expected
        kept = {name: func.coalesce(getattr(Outbox, name), first[name]) for name in first}
        done = self.session.execute(
            update(Outbox)
            .where(
                Outbox.intent_id == intent_id,
                Outbox.fence == fence,
                Outbox.epoch == epoch,
                Outbox.state == state,
            )
            .values({**values, **kept})
            .returning(Outbox.held)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        return None if done is None else (done.held,)

    def adjustment(self, adjustment_id: str) -> Adjustment:
        """The adjustment, locked."""
        return self.session.get_one(Adjustment, adjustment_id, with_for_update=True)

    def audit(self, actor: str, action: str, kind: str, subject: str, detail: Any) -> None:
        """Append to the hash chain."""
        append(self.session, actor, action, kind, subject, detail)

    def unfinished(self, erp: str) -> tuple[int, int]:
        """Count unfinished and held rows."""
        counts = select(func.count(), func.count(Outbox.held))
        whose = counts.where(Outbox.erp == erp, Outbox.state.in_(WORKING))
        waiting, held = self.session.execute(whose).one()
        return waiting, held

    def flush(self) -> None:
        """Send changes to the database."""
        self.session.flush()


def _locking(rows: Select[Outbox]) -> Select[Outbox]:
    """The rows, each locked; what others have locked is passed over."""
    return rows.with_for_update(skip_locked=True, of=Outbox)
