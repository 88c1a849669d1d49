"""What tieout asks of a system of books to post safely; what it reads there is in `reads`.

Amounts are integers in minor units of the currency named beside them. Looks raise
`tieout.errors.ConnectorError`; writes never raise: they answer with a `Delivery` whose outcome is
one of `Outcome`, in the sense of the posting protocol:

========== =====================================================================================
NOT_SENT   not one byte of the request left us: refused, unresolved, not logged in
OK         done, and the answer proves it
PENDING    taken, and worked on later: neither done nor refused; ask until it is one of them
EXISTS     the system had it already
REJECT     the system (or a check before sending) refused the document for a reason of business
THROTTLED  refused before it was looked at; try later
UNKNOWN    anything else after the first byte: ask before you act
========== =====================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, Protocol, runtime_checkable

__all__ = [
    "BatchWriter",
    "Capability",
    "CapabilityClass",
    "Delivery",
    "DocumentLine",
    "ErpDocument",
    "Journal",
    "JournalLine",
    "JournalWriter",
    "Liability",
    "Outcome",
    "PostingReader",
    "Previewer",
    "Trace",
    "is_reference",
]

_REFERENCE: Final = re.compile(r"[A-Z2-7]{16}", re.ASCII)

CapabilityClass = Literal["A", "B", "C", "D", "E"]
Outcome = Literal["NOT_SENT", "OK", "PENDING", "EXISTS", "REJECT", "THROTTLED", "UNKNOWN"]


def is_reference(text: str) -> bool:
    """Whether a text has the form of our references in an ERP, whoever made it."""
    return _REFERENCE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Capability:
    """What makes creating a document safe at one endpoint of one system; the protocol follows it.

    ===== ==========================================================================================
    A     our reference is unique for ever, and a second create of it changes nothing
    B     the same for ``key_lifetime`` after the first request; afterwards it is only looked up
    C     a create leaves a draft; only a post by its id books it; a draft can be deleted
    D     neither: a document can only be looked up, so an unanswered create is not repeated
          before ``settle`` is over
    E     nothing can be asked: at most once, and what is unknown is a person's to find out
    ===== ==========================================================================================

    Attributes:
        settle: after a request can no longer leave us: how long until its document is there to be
            found or never comes (our deadline for a call, the system's longest request, and the
            lag until it shows). Zero for C, where timing does not matter.
        key_lifetime: of B, how long the system remembers a key.
        key_margin: of B, how long a request may be in the system's hands before it looks at the
            key: so long before its end the key counts as dead. ``settle`` by default.
        batch_max: documents a single request may carry.
    """

    kind: CapabilityClass
    settle: timedelta = timedelta(0)
    key_lifetime: timedelta | None = None
    batch_max: int = 1
    key_margin: timedelta | None = None


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line to post; amounts in the company's currency, exactly one of the two above zero.

    Attributes:
        foreign_minor: the amount in ``foreign_currency``, signed like debit − credit, or None.
    """

    gl_account: str
    debit_minor: int
    credit_minor: int
    foreign_minor: int | None = None
    foreign_currency: str | None = None
    party: str | None = None
    narrative: str = ""


@dataclass(frozen=True, slots=True)
class Liability:
    """What makes a journal a supplier's or employee's invoice: its credit line owes ``party``.

    Attributes:
        party: code of the supplier or employee in the system.
        invoice_no: the supplier's number of the invoice, or ours of the expense report.
    """

    party: str
    kind: Literal["supplier", "employee"]
    invoice_no: str
    invoiced_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class Journal:
    """A balanced journal to post once.

    Attributes:
        external_ref: our reference, at most 16 characters of A–Z and 2–7, exactly findable.
        journal_code: the system's journal, or a purpose the mapping's ``[journals]`` names.
        currency: the company's currency.
        reverses: the system's id of the document this one reverses; its lines are that document's
            with debit and credit exchanged.
        liability: set where it is to be booked as an invoice.
        clears: line ids of open items to clear against one another; such a journal has no lines.
    """

    external_ref: str
    company: str
    journal_code: str
    booked_on: date
    narrative: str
    currency: str
    lines: tuple[JournalLine, ...]
    reverses: str | None = None
    liability: Liability | None = None
    clears: tuple[str, ...] = ()

    @property
    def endpoint(self) -> Literal["journal", "reversal", "liability", "clearing"]:
        """What kind of document it is; capabilities are declared for each."""
        if self.clears:
            return "clearing"
        if self.liability is not None:
            return "liability"
        return "reversal" if self.reverses is not None else "journal"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one write.

    Attributes:
        doc_id: the system's id of the document where it is known.
        number: the number people see, once posted.
        code: stable upper-case reason, ``POSTED``, ``PERIOD_CLOSED``, ``TIMEOUT`` …
        message: a sentence, with the system's own words where it gave some.
        response_sha256: of the answer's bytes; empty when none came.
        retry_after: how long the system asks us to stay away, of THROTTLED.
    """

    outcome: Outcome
    doc_id: str | None
    number: str | None
    code: str
    message: str
    response_sha256: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of a document read back, in the terms of `JournalLine`."""

    gl_account: str
    debit_minor: int
    credit_minor: int
    foreign_minor: int | None
    foreign_currency: str | None
    party: str | None
    narrative: str


@dataclass(frozen=True, slots=True)
class ErpDocument:
    """A document of ours read back; lines in the order they were sent."""

    doc_id: str
    state: Literal["draft", "posted"]
    number: str | None
    external_ref: str
    booked_on: date
    lines: tuple[DocumentLine, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """All that a system knows of one of our references.

    Attributes:
        documents: drafts and posted documents, by id.
        pending: why a document may still come without our doing anything (a job that runs, a
            message in its queue, an error somebody there may restart); empty when none can.
        refused: the system's reason for having refused it for good; empty when it has not.
    """

    documents: tuple[ErpDocument, ...] = ()
    pending: str = ""
    refused: str = ""


class JournalWriter(Protocol):
    """Postings, in the sense of the capability class of each endpoint.

    The posting protocol reads every document back by its id before it counts, in all classes.
    """

    def capability(self, journal: Journal) -> Capability:
        """What makes creating this document safe."""
        ...

    def create(self, journal: Journal) -> Delivery:
        """Create the document (a draft in class C); checked before sending against master data."""
        ...

    def post(self, doc_id: str) -> Delivery:
        """Post a draft by id; one that is posted already answers OK.

        Where the system posts by itself (a batch job, an approval there), PENDING until it has.
        """
        ...

    def find(self, journal: Journal) -> Trace:
        """All that the system knows of the journal's reference; raises ConnectorError."""
        ...

    def read(self, doc_id: str) -> ErpDocument | None:
        """One document, None when the system has it not; raises ConnectorError."""
        ...

    def delete_draft(self, doc_id: str) -> Delivery:
        """Delete a draft; one that is gone answers OK, one that is posted answers REJECT."""
        ...


class BatchWriter(JournalWriter, Protocol):
    """A writer that can create several documents with one request, each with its own outcome."""

    def create_batch(self, journals: tuple[Journal, ...]) -> tuple[Delivery, ...]:
        """One outcome a journal, in their order; at most ``batch_max``, all of one endpoint."""
        ...


@runtime_checkable
class Previewer(Protocol):
    """A writer that can show a request without sending it."""

    def preview(self, journal: Journal) -> str:
        """The request that `JournalWriter.create` would send now: method, path and body.

        As bytes on the wire would read, without what proves who we are (tokens, cookies,
        passwords). Master data may be read for it.

        Raises:
            ConnectorError: with the code of the refusal where create would refuse it, or where
                the masters cannot be read.
        """
        ...


@runtime_checkable
class PostingReader(Protocol):
    """A system that can list the posted documents that carry a reference of ours."""

    def posted_since(self, company: str, since: date) -> list[ErpDocument]:
        """All posted documents booked on or after ``since`` whose reference has our form.

        That is 16 characters of A–Z and 2–7, whoever made them; by date, then by id. Raises
        ConnectorError.
        """
        ...
