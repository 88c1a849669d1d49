"""The outbox in memory, behind the port of production: locks, rollback, write-once, epochs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tieout.errors import LedgerError
from tieout.ledger.models import PostingAttempt
from tieout.posting.protocol import WORKING
from tieout.posting.store import Attempted

COLUMNS = (
    "intent_id", "erp", "state", "epoch", "fence", "owner", "lease_until", "send_by", "attempts",
    "first_sent_at", "unknown_since", "erp_doc_id", "document_no", "held", "reason", "next_at",
    "changed_at",
)  # fmt: skip


class GoneError(Exception):
    """The database is no more: a fail-over happened."""


class Row:
    """A row of the outbox."""

    __slots__ = COLUMNS

    def __init__(self, **values: Any) -> None:
        for name in COLUMNS:
            setattr(self, name, values.get(name))

    def values(self) -> dict[str, Any]:
        """All columns."""
        return {name: getattr(self, name) for name in COLUMNS}


class Intent:
    """What is to be delivered; shared by all copies of the data."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class Adjustment:
    """As much of an adjustment as the delivery moves."""

    def __init__(self, state: str = "approved") -> None:
        self.state, self.document_no, self.posted_at = state, None, None


class Data:
    """What is committed, and who has locked what; ``dead`` after a fail-over to a copy."""

    def __init__(self, epoch: str, now: Callable[[], dt.datetime]) -> None:
        self.epoch, self.now = epoch, now
        self.epochs: list[str] = []
        self.rows: dict[str, Row] = {}
        self.intents: dict[str, Any] = {}
        self.adjustments: dict[str, Adjustment] = {}
        self.attempts: dict[str, list[list[Any]]] = {}
        self.trail: dict[str, list[tuple[str, str]]] = {}
        self.locks: dict[str, MemoryUnit] = {}
        self.numbers = 0
        self.dead = False

    def copy(self) -> Data:
        """What a standby would have now: committed rows only."""
        other = Data(self.epoch, self.now)
        other.epochs, other.numbers = list(self.epochs), self.numbers
        other.intents = self.intents
        for name, row in self.rows.items():
            unit = self.locks.get(name)
            other.rows[name] = Row(**(unit.before[name][0] if unit else row.values()))
            attempts = unit.before[name][1] if unit else self.attempts[name]
            other.attempts[name] = [list(attempt) for attempt in attempts]
            trail = unit.before[name][2] if unit else self.trail[name]
            other.trail[name] = list(trail)
            state = unit.before[name][3] if unit else self.adjustments[name].state
            other.adjustments[name] = Adjustment(state)
        return other


class MemoryStore:
    """The store of one worker, on the data it was started with."""

    def __init__(self, data: Data, wait: Callable[[], None] = lambda: None) -> None:
        self.data, self.wait = data, wait

    @contextmanager
    def unit(self) -> Iterator[MemoryUnit]:
        """One transaction; anything raised in it takes all of it back."""
        if self.data.dead:
            raise GoneError
        unit = MemoryUnit(self.data, self.wait)
        try:
            yield unit
            if self.data.dead:
                raise GoneError
        except BaseException:
            unit.roll_back()
            raise
        unit.release()


class MemoryUnit:
    """A transaction: what it changes is locked, and remembered as it was before."""

    def __init__(self, data: Data, wait: Callable[[], None]) -> None:
        self.data, self.wait = data, wait
        self.before: dict[str, tuple[dict[str, Any], list[Any], list[Any], str]] = {}
        self._moment: tuple[str, dt.datetime] | None = None
        self._noted = list(data.epochs)

    @property
    def session(self) -> Any:
        raise AssertionError("memory has no session")

    def moment(self) -> tuple[str, dt.datetime]:
        if self._moment is None:
            self._moment = (self.data.epoch, self.data.now())
        return self._moment

    def now(self) -> dt.datetime:
        return self.data.now()

    def epochs(self) -> list[str]:
        return list(self._noted)

    def note_epoch(self, epoch: str) -> None:
        self._noted.append(epoch)

    def lock(self, name: str) -> Row:
        data = self.data
        while data.locks.get(name, self) is not self:
            self.wait()
            if data.dead:
                raise GoneError
        if name not in self.before:
            data.locks[name] = self
            attempts = [list(attempt) for attempt in data.attempts[name]]
            state = data.adjustments[name].state
            self.before[name] = (
                data.rows[name].values(), attempts, list(data.trail[name]), state
            )  # fmt: skip
        return data.rows[name]

    def _free(self, rows: list[Row]) -> list[Row]:
        locks = self.data.locks
        return [self.lock(r.intent_id) for r in rows if locks.get(r.intent_id, self) is self]

    def of_other_epochs(self, erp: str, epoch: str) -> Sequence[Any]:
        rows = [
            r
            for r in self.data.rows.values()
            if r.erp == erp and r.state in WORKING and r.epoch != epoch
        ]
        return self._free(sorted(rows, key=lambda r: r.intent_id))

    def _due(self, erp: str, states: Sequence[str]) -> list[Row]:
        epoch, now = self.moment()
        rows = [
            r
            for r in self.data.rows.values()
            if r.state in states
            and r.next_at <= now
            and (r.lease_until is None or r.lease_until < now)
            and r.held is None
            and r.epoch == epoch
            and r.erp == erp
        ]
        return sorted(rows, key=lambda r: (r.next_at, r.intent_id))

    def due(self, erp: str, *, most: int = 1) -> Sequence[Any]:
        locks = self.data.locks
        rows = [r for r in self._due(erp, WORKING) if locks.get(r.intent_id, self) is self]
        return self._free(rows[:most])

    def any_due(self, erp: str) -> bool:
        return bool(self._due(erp, WORKING))

    def companions(self, first: Any, company: str, most: int) -> Sequence[Any]:
        locks, intents = self.data.locks, self.data.intents
        rows = [
            r
            for r in self._due(first.erp, ("READY", "RETRY_WAIT"))
            if r.intent_id != first.intent_id
            and intents[r.intent_id].company == company
            and intents[r.intent_id].kind == "ADJUST"
            and locks.get(r.intent_id, self) is self
        ]
        return self._free(rows[:most])

    def row(self, intent_id: str) -> Any:
        return self.lock(intent_id)

    def intent(self, intent_id: str) -> Any:
        return self.data.intents[intent_id]

    def reverses(self, adjustment_id: str) -> str | None:
        for row in self.data.rows.values():
            intent = self.data.intents[row.intent_id]
            if intent.adjustment_id == adjustment_id and intent.original:
                original = self.data.rows[intent.original]
                return original.erp_doc_id if original.state == "CONFIRMED" else None
        return None

    def attempts(self, intent_id: str) -> Sequence[Attempted]:
        return [(a[1], a[2], a[3]) for a in reversed(self.data.attempts[intent_id])]

    def close_dead_attempts(self, intent_id: str) -> None:
        self.lock(intent_id)
        for attempt in self.data.attempts[intent_id]:
            if attempt[2] is None:
                attempt[2] = "UNKNOWN"

    def add_attempt(self, attempt: PostingAttempt) -> int:
        self.lock(attempt.intent_id)
        data = self.data
        data.numbers += 1
        started = attempt.started_at or data.now()
        data.attempts[attempt.intent_id].append(
            [data.numbers, attempt.phase, attempt.outcome, started]
        )
        return data.numbers

    def end_attempt(self, attempt_id: int, values: dict[str, Any]) -> None:
        for name, attempts in self.data.attempts.items():
            if any(attempt[0] == attempt_id for attempt in attempts):
                self.lock(name)
                for attempt in self.data.attempts[name]:
                    if attempt[0] == attempt_id and attempt[2] is None:
                        attempt[2] = values["outcome"]
                return

    def confirm(self, expected: tuple[str, int, str, str]) -> tuple[dt.datetime, str | None] | None:
        row = self.lock(expected[0])
        if (row.fence, row.epoch, row.state) != expected[1:]:
            return None
        return self.data.now(), row.held

    def write(
        self, expected: tuple[str, int, str, str], values: dict[str, Any], first: dict[str, Any]
    ) -> tuple[str | None] | None:
        row = self.lock(expected[0])
        if (row.fence, row.epoch, row.state) != expected[1:]:
            return None
        if (
            row.erp_doc_id is not None
            and values.get("erp_doc_id", row.erp_doc_id) != row.erp_doc_id
        ):
            raise LedgerError("WRITE_ONCE", "erp_doc_id is written once")
        for name, value in values.items():
            setattr(row, name, value)
        for name, value in first.items():
            if getattr(row, name) is None:
                setattr(row, name, value)
        return (row.held,)

    def adjustment(self, adjustment_id: str) -> Any:
        return self.data.adjustments[adjustment_id]

    def audit(self, actor: str, action: str, kind: str, subject: str, detail: Any) -> None:
        if kind == "intent":
            self.lock(subject)
            self.data.trail[subject].append((detail["from"], detail["to"]))

    def unfinished(self, erp: str) -> tuple[int, int]:
        rows = [r for r in self.data.rows.values() if r.erp == erp and r.state in WORKING]
        return len(rows), sum(r.held is not None for r in rows)

    def flush(self) -> None:
        """Nothing waits."""

    def roll_back(self) -> None:
        data = self.data
        for name, (values, attempts, trail, state) in self.before.items():
            for column, value in values.items():
                setattr(data.rows[name], column, value)
            data.attempts[name], data.trail[name] = attempts, trail
            data.adjustments[name].state = state
        self._free_locks()

    def release(self) -> None:
        self.data.epochs = sorted({*self.data.epochs, *self._noted})
        self._free_locks()

    def _free_locks(self) -> None:
        for name in self.before:
            del self.data.locks[name]
