"""Draining the outbox: claim, ask, record, until nothing is due.

The only retry layer there is: the connector makes one request a call, Airflow may run this as often
as it likes, in as many workers as it likes. What must wait has a due time in the ledger and is
taken by a later drain; a drain itself waits only for its turn, where the ERP's budget is shared.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.exc import DataError, IntegrityError

from tieout.connectors.ports import JournalWriter
from tieout.errors import ConnectorError, LedgerError
from tieout.ledger.ledger import Ledger
from tieout.posting.attempts import attempt_of, ending_of
from tieout.posting.claim import Claim, enter_epoch
from tieout.posting.gate import Gate
from tieout.posting.pace import Limits
from tieout.posting.protocol import TERMINAL, decide
from tieout.posting.record import StaleClaimError, next_claims, record, set_aside, unit_of
from tieout.posting.requests import ask, ask_batch, too_late
from tieout.posting.sql_store import store_of
from tieout.posting.store import Store
from tieout.posting.terms import Answer, Blind, Command, Observation
from tieout.posting.traffic import Refused

__all__ = ["DrainResult", "drain"]

#: After so many intents in a row that did not get through, the rest is left for a later drain.
_UNREACHED_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class DrainResult:
    """What one drain did; ids of intents in the order they ended.

    Attributes:
        confirmed, rejected, manual: intents that ended so in this drain.
        waiting: unfinished rows of the ERP afterwards, held ones among them.
        held: how many of those a person holds.
        failed: intents whose outcome the ledger itself refused to record; each is asked for again
            later, and the others went on.
        lost: claims that another worker took over.
        effects: creates, posts and deletes sent.
        looks: reads and finds sent.
        spent: whether the budget of time ended it.
        kept: why the ERP gets nothing now (maintenance, circuit …), where that ended it.
    """

    confirmed: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    waiting: int = 0
    held: int = 0
    lost: int = 0
    effects: int = 0
    looks: int = 0
    spent: bool = False
    kept: str = ""


@dataclass(slots=True)
class _Tally:
    """Counts while draining."""

    ended: dict[str, list[str]] = field(default_factory=lambda: {s: [] for s in TERMINAL})
    failed: list[str] = field(default_factory=list)
    lost: int = 0
    effects: int = 0
    looks: int = 0
    reached: int = 0
    unreached_in_a_row: int = 0
    trouble: str = ""

    def note(self, command: Command, observation: Observation) -> None:
        """Count a request, and whether it came through to the ERP."""
        if command.effect:
            self.effects += 1
        else:
            self.looks += 1
        trouble = _trouble(observation)
        if trouble:
            self.trouble = trouble
            self.unreached_in_a_row += 1
        else:
            self.reached += 1
            self.unreached_in_a_row = 0


def drain(
    ledger: Ledger | Store,
    connector: JournalWriter,
    erp: str,
    *,
    owner: str,
    budget: float,
    limits: Limits | None = None,
    gate: Gate | None = None,
) -> DrainResult:
    """Deliver all that is due to one ERP.

    Args:
        ledger: where the outbox is.
        connector: the ERP's writer; it makes one request a call and retries nothing.
        erp: the ERP connection's name, as intents carry it.
        owner: who drains, for leases and audit: host, process, run.
        budget: seconds (monotonic) after which no further intent is begun.
        limits: leases, backoff and caps; the defaults are the production ones.
        gate: gives the permits to send; without one nobody counts requests.

    Raises:
        ConnectorError: ``ERP_UNREACHABLE`` where there was something to send and not one request
            came through. Nothing is lost: the rows wait.
    """
    limits = limits or Limits()
    until = time.monotonic() + budget
    tally, spent, kept = _Tally(), False, None
    store = store_of(ledger)
    enter_epoch(store, erp, limits)
    while tally.unreached_in_a_row < _UNREACHED_MAX:
        if time.monotonic() >= until:
            spent = True
            break
        committing = time.monotonic()
        claims = next_claims(store, erp, owner, connector.capability, limits, gate)
        if isinstance(claims, Refused):
            if gate is not None and gate.nap(claims, until):
                continue
            kept = claims
            break
        if not claims:
            break
        round_ = _Round(store, connector, limits, tally, gate)
        for claim, first in _first_requests(connector, claims, committing, limits):
            round_.deliver(claim, first)
    if gate is not None:
        gate.rest()
    if tally.trouble and not tally.reached and (kept is None or kept.why == "circuit"):
        raise ConnectorError(
            "ERP_UNREACHABLE",
            f"not one request came through: {tally.trouble}",
            where=erp,
            remedy="nothing is lost; the intents wait and the next drain takes them up",
        )
    return _result(store, erp, tally, spent, kept)


def _first_requests(
    connector: JournalWriter, claims: Sequence[Claim], committing: float, limits: Limits
) -> Iterator[tuple[Claim, Observation]]:
    """The first observation of each claim: of those that are created together, of one request."""
    creates = [claim for claim in claims if decide(claim.row) == Command("create")]
    together = creates if len(creates) > 1 and not _overdue(committing, limits) else []
    if together:
        yield from zip(together, ask_batch(connector, together), strict=True)
    for claim in claims:
        command = decide(claim.row)
        if command is not None and claim not in together:
            late = _overdue(committing, limits)
            yield claim, too_late(command) if late else ask(connector, claim, command)


def _overdue(committing: float, limits: Limits) -> bool:
    """Whether a request may not leave any more: its attempt was committed too long ago."""
    return time.monotonic() - committing > limits.send_grace.total_seconds()


@dataclass(frozen=True, slots=True)
class _Round:
    """What delivering a claim needs."""

    store: Store
    connector: JournalWriter
    limits: Limits
    tally: _Tally
    gate: Gate | None

    def deliver(self, claim: Claim, observation: Observation) -> None:
        """Take one claimed intent, whose first request was made, as far as it goes now."""
        while (command := decide(claim.row)) is not None:
            self.tally.note(command, observation)
            self._heed(observation)
            committing = time.monotonic()
            try:
                claim, taken = record(
                    self.store, claim, command, observation, self.limits, self.gate
                )
            except StaleClaimError:
                self.tally.lost += 1
                _clear_away(self.store, self.connector, claim, observation)
                return
            except (LedgerError, IntegrityError, DataError) as error:
                self.tally.failed.append(claim.intent_id)
                set_aside(self.store, claim, error, self.limits)
                return
            following = decide(claim.row)
            if taken.then != "go" or following is None:
                if claim.row.state in TERMINAL:
                    self.tally.ended[claim.row.state].append(claim.intent_id)
                return
            late = _overdue(committing, self.limits)
            observation = too_late(following) if late else ask(self.connector, claim, following)

    def _heed(self, observation: Observation) -> None:
        """Stay away as long as the ERP asks, all workers."""
        if self.gate is not None and isinstance(observation, Answer):
            wait = observation.delivery.retry_after
            if wait is not None:
                self.gate.told_to_wait(wait)


def _trouble(observation: Observation) -> str:
    """Why a request did not come through; empty when it did, or when we kept it back ourselves."""
    if isinstance(observation, Blind):
        return "" if "[HELD_" in observation.message else observation.message
    if isinstance(observation, Answer) and observation.delivery.outcome in (
        "NOT_SENT",
        "THROTTLED",
    ):
        if observation.delivery.code.startswith("HELD_"):
            return ""
        return f"{observation.delivery.code}: {observation.delivery.message}"
    return ""


def _clear_away(
    store: Store, connector: JournalWriter, claim: Claim, observation: Observation
) -> None:
    """Delete the draft a worker made that had lost its claim, where it can be nobody's.

    The row's document id is written once: when it names another document (or the row ended
    without one), ours will never be posted. Otherwise it stays: whoever holds the row may find it.
    """
    if not isinstance(observation, Answer) or observation.command.phase != "create":
        return
    doc_id = observation.delivery.doc_id
    if observation.delivery.outcome != "OK" or doc_id is None:
        return
    command = Command("delete", doc_id)
    with unit_of(store, "clear away") as unit:
        row = unit.row(claim.intent_id)
        ended_without = row.erp_doc_id is None and row.state in ("REJECTED", "CANCELLED")
        if row.erp_doc_id == doc_id or (row.erp_doc_id is None and not ended_without):
            return
        attempt_id = unit.add_attempt(attempt_of(claim, command, claim.row.attempts))
    answer = ask(connector, claim, command)
    with unit_of(store, "cleared away") as unit:
        unit.end_attempt(attempt_id, ending_of(answer) | {"ended_at": unit.now()})


def _result(
    store: Store, erp: str, tally: _Tally, spent: bool, kept: Refused | None
) -> DrainResult:
    with store.unit() as unit:
        waiting, held = unit.unfinished(erp)
    return DrainResult(
        confirmed=tuple(tally.ended["CONFIRMED"]),
        rejected=tuple(tally.ended["REJECTED"]),
        manual=tuple(tally.ended["MANUAL"]),
        failed=tuple(tally.failed),
        waiting=waiting,
        held=held,
        lost=tally.lost,
        effects=tally.effects,
        looks=tally.looks,
        spent=spent,
        kept="" if kept is None else f"{kept.words}; until {kept.until:%Y-%m-%d %H:%M:%S %Z}",
    )
