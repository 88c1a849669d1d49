"""The outbox in PostgreSQL: the store of production."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout.audit.chain import append
from tieout.ledger.ledger import Ledger, database_moment, database_now
from tieout.ledger.models import Adjustment, AuditRow, Outbox, PostingAttempt, PostingIntent
from tieout.posting.protocol import WORKING
from tieout.posting.reversal import document_to_reverse
from tieout.posting.statements import (
    ADD_ATTEMPT,
    ATTEMPTS,
    CLOSE_DEAD,
    CONFIRM,
    companions,
    due,
    ending,
    writing,
)
from tieout.posting.store import Attempted, Expected, Store, Unit

__all__ = ["SqlStore", "SqlUnit", "store_of"]

_MOMENT: Final = "moment"  # of a session's transaction
_NEVER_CREATED: Final = ("READY", "RETRY_WAIT")
_EPOCHS: Final = ("database", "database-epoch")  # subject of the audit rows that note epochs


class SqlStore:
    """The outbox in PostgreSQL."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._epochs: dict[str, list[str]] = {}

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """One transaction."""
        with self._ledger.session() as session:
            yield SqlUnit(session, self._epochs)


def store_of(ledger: Ledger | Store) -> Store:
    """The store of a ledger, or the store itself."""
    return SqlStore(ledger) if isinstance(ledger, Ledger) else ledger


class SqlUnit:
    """A transaction of PostgreSQL."""

    def __init__(self, session: Session, epochs: dict[str, list[str]] | None = None) -> None:
        self.session = session
        self._epochs = epochs  # what a database of this epoch remembers; another asks anew

    def moment(self) -> tuple[str, dt.datetime]:
        """The database's epoch and instant."""
        session = self.session
        never = (None, "", dt.datetime.min.replace(tzinfo=dt.UTC))
        mine, epoch, now = session.info.get(_MOMENT, never)
        if mine is not session.get_transaction():
            epoch, now = database_moment(session)
            session.info[_MOMENT] = (session.get_transaction(), epoch, now)
        return epoch, now

    def now(self) -> dt.datetime:
        """The database's clock."""
        return database_now(self.session)

    def epochs(self) -> list[str]:
        """From the audit log, which remembers; a database's past does not change under us."""
        epoch, _ = self.moment()
        known = None if self._epochs is None else self._epochs.get(epoch)
        if known is None:
            known = self._read_epochs()
            if self._epochs is not None and epoch in known:
                self._epochs[epoch] = known
        return known

    def _read_epochs(self) -> list[str]:
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
        self._epochs = None  # not yet committed: nothing to rely on

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
        return self.session.scalars(due(WORKING, locked=True), self._due(erp, most)).all()

    def any_due(self, erp: str) -> bool:
        """Whether a row is due."""
        return self.session.scalar(due(WORKING, locked=False), self._due(erp, 1)) is not None

    def companions(self, first: Outbox, company: str, most: int) -> Sequence[Outbox]:
        """Due rows that may travel with the first."""
        wanted = self._due(first.erp, most) | {"company": company, "first": first.intent_id}
        return self.session.scalars(companions(_NEVER_CREATED), wanted).all()

    def _due(self, erp: str, most: int) -> dict[str, Any]:
        epoch, now = self.moment()
        return {"erp": erp, "epoch": epoch, "now": now, "most": most}

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
        rows = self.session.connection().execute(ATTEMPTS, {"intent": intent_id}).all()
        return cast("Sequence[Attempted]", rows)

    def close_dead_attempts(self, intent_id: str) -> None:
        """Open attempts end as UNKNOWN."""
        self.session.connection().execute(CLOSE_DEAD, {"intent": intent_id})

    def add_attempt(self, attempt: PostingAttempt) -> int:
        """Insert an attempt."""
        values = {name: value for name, value in vars(attempt).items() if name[0] != "_"}
        number: int = self.session.connection().execute(ADD_ATTEMPT, values).scalar_one()
        return number

    def end_attempt(self, attempt_id: int, values: dict[str, Any]) -> None:
        """Complete an attempt."""
        statement = ending(tuple(values))
        self.session.connection().execute(statement, values | {"attempt": attempt_id})

    def confirm(self, expected: Expected) -> tuple[dt.datetime, str | None] | None:
        """Lock under fence, epoch and state, then read the clock."""
        found = self.session.connection().execute(CONFIRM, _mine(expected)).one_or_none()
        return None if found is None else (found.now, found.held)

    def write(
        self, expected: Expected, values: dict[str, Any], first: dict[str, Any]
    ) -> tuple[str | None] | None:
        """Update under fence, epoch and state."""
        statement = writing(tuple(values), tuple(first))
        given = {**values, **first, **_mine(expected)}
        done = self.session.connection().execute(statement, given).one_or_none()
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


def _mine(expected: Expected) -> dict[str, Any]:
    return dict(zip(("my_intent", "my_fence", "my_epoch", "my_state"), expected, strict=True))
