"""The requests a delivery makes: one a call, and whatever goes wrong is an observation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, cast

from tieout import boundary
from tieout.connectors.ports import BatchWriter, Delivery, JournalWriter, Trace
from tieout.errors import ConnectorError
from tieout.posting.claim import Claim
from tieout.posting.readback import seen
from tieout.posting.terms import Answer, Blind, Command, Observation, Seen
from tieout.redaction import clean

__all__ = ["ask", "ask_batch", "too_late"]

_WORDS_MAX: Final = 2_000  # of an ERP's message


def ask(connector: JournalWriter, claim: Claim, command: Command) -> Observation:
    """Make the one request of a command; whatever goes wrong is an observation."""
    with boundary.point(f"request {command.phase}"):
        if command.effect:
            return Answer(command, _readable(_effect(connector, claim, command)))
        return _look(connector, claim, command)


def ask_batch(connector: JournalWriter, claims: Sequence[Claim]) -> list[Observation]:
    """Create the documents of several claims with one request; one observation each, in order."""
    writer = cast("BatchWriter", connector)
    with boundary.point("request create batch"):
        try:
            answers = writer.create_batch(tuple(claim.journal for claim in claims))
            if len(answers) != len(claims):
                raise ValueError(f"{len(answers)} outcomes for {len(claims)} documents")
        except Exception as error:  # as for one: nobody knows what it sent
            code = type(error).__name__.upper()
            answers = (Delivery("UNKNOWN", None, None, code, str(error), ""),) * len(claims)
    return [Answer(Command("create"), _readable(answer)) for answer in answers]


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
    """No secret, no NUL, no lone surrogates, no whole web page."""
    held = clean(text)[:_WORDS_MAX].encode("utf-8", "replace").decode("utf-8")
    return held.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def too_late(command: Command) -> Observation:
    """A worker that slept past its grace sends nothing: its lease may be over."""
    message = "the worker was stopped between its commit and its request"
    if command.effect:
        return Answer(command, Delivery("NOT_SENT", None, None, "TOO_LATE", message, ""))
    return Blind(message)
