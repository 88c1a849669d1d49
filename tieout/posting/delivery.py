"""Draining the outbox: claim, ask, record, until nothing is due.

The only retry layer there is: the connector makes one request a call, Airflow may run this as often
as it likes, in as many workers as it likes. Nothing sleeps: what must wait has a due time in the
ledger and is taken by a later drain.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import DataError, IntegrityError

from tieout import boundary
from tieout.connectors.ports import Delivery, JournalWriter, Trace
from tieout.errors import ConnectorError, LedgerError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox, PostingAttempt
from tieout.posting.claim import Claim, enter_epoch
from tieout.posting.pace import Limits
from tieout.posting.protocol import TERMINAL, WORKING, decide
from tieout.posting.readback import seen
from tieout.posting.record import StaleClaimError, next_claim, record, set_aside, transaction
from tieout.posting.terms import Answer, Blind, Command, Observation, Seen

__all__ = ["DrainResult", "drain"]

#: After so many intents in a row that did not get through, the rest is left for a later drain.
_UNREACHED_MAX: Final = 3
_WORDS_MAX: Final = 2_000  # of an ERP's message


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
    ledger: Ledger,
    connector: JournalWriter,
    erp: str,
    *,
    owner: str,
    budget: float,
    limits: Limits | None = None,
) -> DrainResult:
    """Deliver all that is due to one ERP.

    Args:
        ledger: where the outbox is.
        connector: the ERP's writer; it makes one request a call and retries nothing.
        erp: the ERP connection's name, as intents carry it.
        owner: who drains, for leases and audit: host, process, run.
        budget: seconds (monotonic) after which no further intent is begun.
        limits: leases, backoff and caps; the defaults are the production ones.

    Raises:
        ConnectorError: ``ERP_UNREACHABLE`` where there was something to send and not one request
            came through. Nothing is lost: the rows wait.
    """
    limits = limits or Limits()
    until = time.monotonic() + budget
    tally, spent = _Tally(), False
    enter_epoch(ledger, erp, limits)
    while tally.unreached_in_a_row < _UNREACHED_MAX:
        if time.monotonic() >= until:
            spent = True
            break
        committing = time.monotonic()
        claim = next_claim(ledger, erp, owner, connector.capability, limits)
        if claim is None:
            break
        _deliver(ledger, connector, claim, committing, limits, tally)
    if tally.trouble and not tally.reached:
        raise ConnectorError(
            "ERP_UNREACHABLE",
            f"not one request came through: {tally.trouble}",
            where=erp,
            remedy="nothing is lost; the intents wait and the next drain takes them up",
        )
    return _result(ledger, erp, tally, spent)


def _deliver(
    ledger: Ledger,
    connector: JournalWriter,
    claim: Claim,
    committing: float,
    limits: Limits,
    tally: _Tally,
) -> None:
    """Take one claimed intent as far as it goes now."""
    while (command := decide(claim.row)) is not None:
        overdue = time.monotonic() - committing > limits.send_grace.total_seconds()
        observation = _too_late(command) if overdue else _ask(connector, claim, command)
        tally.note(command, observation)
        committing = time.monotonic()
        try:
            claim, taken = record(ledger, claim, command, observation, limits)
        except StaleClaimError:
            tally.lost += 1
            _clear_away(ledger, connector, claim, observation)
            return
        except (LedgerError, IntegrityError, DataError) as error:
            tally.failed.append(claim.intent_id)
            set_aside(ledger, claim, error, limits)
            return
        if taken.then != "go":
            if claim.row.state in TERMINAL:
                tally.ended[claim.row.state].append(claim.intent_id)
            return


def _ask(connector: JournalWriter, claim: Claim, command: Command) -> Observation:
    """Make the one request of a command; whatever goes wrong is an observation."""
    with boundary.point(f"request {command.phase}"):
        if command.effect:
            return Answer(command, _readable(_effect(connector, claim, command)))
        return _look(connector, claim, command)


def _effect(connector: JournalWriter, claim: Claim, command: Command) -> Delivery:
    calls: dict[str, Callable[[], Delivery]] = {
        "create": lambda: connector.create(claim.journal),
        "post": lambda: connector.post(command.doc_id or ""),
        "delete": lambda: connector.delete_draft(command.doc_id or ""),
    }
    try:
        return calls[command.phase]()
    except Exception as error:  # a connector must not raise; if it does, nobody knows what it sent
        return Delivery("UNKNOWN", None, None, type(error).__name__.upper(), str(error), "")


def _look(connector: JournalWriter, claim: Claim, command: Command) -> Observation:
    try:
        if command.phase == "find":
            trace = connector.find(claim.journal)
        else:
            document = connector.read(command.doc_id or "")
            trace = Trace(() if document is None else (document,))
    except ConnectorError as error:
        return Blind(_words(str(error)))
    documents = tuple(seen(claim.journal, document) for document in trace.documents)
    return Seen(documents, _words(trace.pending), _words(trace.refused))


def _readable(delivery: Delivery) -> Delivery:
    """The answer in words the ledger can hold: whatever an ERP says must not stop the outbox."""
    return replace(delivery, code=_words(delivery.code), message=_words(delivery.message))


def _words(text: str) -> str:
    """No NUL, no lone surrogates, no whole web page."""
    held = text[:_WORDS_MAX].encode("utf-8", "replace").decode("utf-8")
    return held.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _too_late(command: Command) -> Observation:
    """A worker that slept past its grace sends nothing: its lease may be over."""
    message = "the worker was stopped between its commit and its request"
    if command.effect:
        return Answer(command, Delivery("NOT_SENT", None, None, "TOO_LATE", message, ""))
    return Blind(message)


def _trouble(observation: Observation) -> str:
    """Why a request did not come through; empty when it did."""
    if isinstance(observation, Blind):
        return observation.message
    if isinstance(observation, Answer) and observation.delivery.outcome in (
        "NOT_SENT",
        "THROTTLED",
    ):
        return f"{observation.delivery.code}: {observation.delivery.message}"
    return ""


def _clear_away(
    ledger: Ledger, connector: JournalWriter, claim: Claim, observation: Observation
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
    with transaction(ledger, "clear away") as session:
        row = session.get_one(Outbox, claim.intent_id, with_for_update=True)
        ended_without = row.erp_doc_id is None and row.state in ("REJECTED", "CANCELLED")
        if row.erp_doc_id == doc_id or (row.erp_doc_id is None and not ended_without):
            return
        attempt = PostingAttempt(
            intent_id=claim.intent_id,
            attempt_no=claim.row.attempts,
            phase="delete",
            epoch=claim.epoch,
            fence=claim.fence,
            owner=claim.owner,
            ext_ref=claim.ext_ref,
            payload_sha256=claim.payload_sha256,
        )
        session.add(attempt)
    answer = _ask(connector, claim, command)
    with transaction(ledger, "cleared away") as session:
        if isinstance(answer, Answer):
            stored = session.get_one(PostingAttempt, attempt.attempt_id)
            stored.outcome, stored.code = answer.delivery.outcome, answer.delivery.code
            stored.message, stored.ended_at = answer.delivery.message, func.clock_timestamp()


def _result(ledger: Ledger, erp: str, tally: _Tally, spent: bool) -> DrainResult:
    with ledger.session() as session:
        waiting, held = session.execute(
            select(func.count(), func.count(Outbox.held)).where(
                Outbox.erp == erp, Outbox.state.in_(WORKING)
            )
        ).one()
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
    )
