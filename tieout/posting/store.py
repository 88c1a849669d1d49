"""Where the outbox is kept, behind a narrow port: one unit of work is one transaction.

Everything the delivery asks of the database is here and nowhere else, so that `claim`, `record` and
`delivery` run unchanged over PostgreSQL and, in the simulation of the tests, over memory; one
contract test holds both to the same behaviour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy.orm import Session

from tieout.ledger.models import Adjustment, Outbox, PostingAttempt, PostingIntent

__all__ = ["Attempted", "Expected", "Store", "Unit"]

#: phase, outcome and start of an attempt.
Attempted = tuple[str, str | None, dt.datetime]


#: intent, fence, epoch and state that a row must still have.
Expected = tuple[str, int, str, str]


class Unit(Protocol):
    """One transaction over the outbox. Rows it returns are locked unless it says otherwise."""

    def moment(self) -> tuple[str, dt.datetime]:
        """The database's epoch and instant, asked for once in a transaction."""
        ...

    def now(self) -> dt.datetime:
        """The database's clock, now."""
        ...

    def epochs(self) -> list[str]:
        """Every epoch this ledger was seen in, oldest first."""
        ...

    def note_epoch(self, epoch: str) -> None:
        """Remember an epoch that was never seen before."""
        ...

    def of_other_epochs(self, erp: str, epoch: str) -> Sequence[Outbox]:
        """Unfinished rows that carry another epoch; what others have locked is passed over."""
        ...

    def due(self, erp: str, *, most: int = 1) -> Sequence[Outbox]:
        """Unfinished rows that are due, nobody's and not held, longest due first."""
        ...

    def any_due(self, erp: str) -> bool:
        """Whether `due` would find one; nothing is locked."""
        ...

    def companions(self, first: Outbox, company: str, most: int) -> Sequence[Outbox]:
        """Due rows of plain journals of a company that were never created."""
        ...

    def row(self, intent_id: str) -> Outbox:
        """One row, whatever it is."""
        ...

    def intent(self, intent_id: str) -> PostingIntent:
        """What is to be delivered; not locked, it never changes."""
        ...

    def reverses(self, adjustment_id: str) -> str | None:
        """The document that a reversal takes back."""
        ...

    def attempts(self, intent_id: str) -> Sequence[Attempted]:
        """All attempts of an intent, the latest first."""
        ...

    def close_dead_attempts(self, intent_id: str) -> None:
        """An attempt without an outcome is its worker's death: nobody knows what became of it."""
        ...

    def add_attempt(self, attempt: PostingAttempt) -> int:
        """Write an attempt; return its number."""
        ...

    def end_attempt(self, attempt_id: int, values: dict[str, Any]) -> None:
        """Complete an attempt that has no outcome yet."""
        ...

    def confirm(self, expected: Expected) -> tuple[dt.datetime, str | None] | None:
        """Lock the row with this intent, fence, epoch and state; None where there is none.

        Returns the database's clock, read when the row was locked, and who or what holds the row.
        """
        ...

    def write(
        self, expected: Expected, values: dict[str, Any], first: dict[str, Any]
    ) -> tuple[str | None] | None:
        """Write the row with this intent, fence, epoch and state; None where there is none.

        ``first`` is written only to columns that are empty. Returns who or what holds the row.
        """
        ...

    def adjustment(self, adjustment_id: str) -> Adjustment:
        """The adjustment of an intent."""
        ...

    def audit(self, actor: str, action: str, kind: str, subject: str, detail: Any) -> None:
        """Append to the audit log, after what was changed."""
        ...

    def unfinished(self, erp: str) -> tuple[int, int]:
        """Unfinished rows, and how many of them a person holds."""
        ...

    def flush(self) -> None:
        """Write what was changed on rows, not yet committed."""
        ...

    @property
    def session(self) -> Session:
        """The database session, for what else belongs into the transaction."""
        ...


class Store(Protocol):
    """Where the outbox is kept."""

    def unit(self) -> AbstractContextManager[Unit]:
        """One transaction: committed at the end of the block, rolled back on any error."""
        ...
