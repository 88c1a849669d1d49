"""Oracle Fusion Cloud ERP: journals by file import and a posting job, invoices, reads.

A journal goes into an interface file with a group of our own, through ``erpintegrations``; a chain
of jobs loads and imports it. That chain may end well and have imported nothing, and the same file
twice is two journals: creates are class D, PENDING when taken, and OK only for invoices made
through REST. What became of a file is told by `find`: the journal itself, read back by our
reference, else jobs that still run, else the rejected rows in the import's output. An imported
journal is an unposted batch, our draft; `post` submits the tenant's posting job for that batch and
says PENDING until a read shows it posted, by that job or by AutoPost.

HTTP 429 is taken as refused before it was looked at; 503 and everything else after the first byte
is UNKNOWN. A refused submission is answered 201 with ``ReqstId`` "-1".

    >>> from tieout.profiles import load, mappings_dir
    >>> books = OracleFusionConnector("https://oracle.invalid", "tieout", "secret", company="NORD",
    ...                               mapping=load(mappings_dir() / "erp" / "oracle.toml"))
    >>> fee = ports.Journal("AAAAAAAAAAAAAAAA", "NORD", "bank", date(2026, 11, 20), "", "EUR", ())
    >>> books.capability(fee).kind
    'D'
    >>> books.close()
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import httpx

from tieout.connectors import ports, reads
from tieout.connectors.http_wire import HttpWire
from tieout.connectors.oracle_books import OracleBooks
from tieout.connectors.oracle_callbacks import callback_address
from tieout.connectors.oracle_checks import Periods, RefusedError, check, refusal
from tieout.connectors.oracle_fbdi import journal_file, mark
from tieout.connectors.oracle_invoices import INVOICE, OracleInvoices
from tieout.connectors.oracle_jobs import OracleJobs
from tieout.connectors.oracle_journals import JOURNAL, OracleJournals
from tieout.connectors.oracle_masters import OracleMasters
from tieout.connectors.oracle_posting import OraclePosting
from tieout.connectors.oracle_profile import read_profile
from tieout.connectors.oracle_session import OracleSession
from tieout.connectors.oracle_tokens import OracleTokens
from tieout.connectors.oracle_trace import OracleTracks
from tieout.connectors.oracle_written import delivery, not_sent
from tieout.connectors.rehearsal import rehearse
from tieout.errors import ConnectorError

__all__ = ["OracleFusionConnector"]

_BATCH_MAX: Final = 200
_REFERENCE: Final = re.compile(r"[A-Z0-9]{1,16}", re.ASCII)


class OracleFusionConnector:
    """The books of one company in one Oracle tenant.

    Args:
        base_url: ``https://pod.fa.region.oraclecloud.com``.
        login, password: of the user, or of the OAuth2 client (see `oracle_tokens`).
        company: our code of the company the mapping is of.
        mapping: content of ``mappings/erp/oracle.toml``.
        options: the connection's extras (see `oracle_tokens`).
        transport: replaces the network in tests.

    Raises:
        ProfileError: the mapping or an option is wrong.
        ConnectorError: ``AUTH_OPTIONS``.
    """

    def __init__(
        self,
        base_url: str,
        login: str,
        password: str,
        *,
        company: str,
        mapping: Mapping[str, Any],
        options: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._profile = read_profile(mapping, company)
        self.wire = HttpWire(base_url, "Oracle", self._profile.timeouts, transport)
        tokens = OracleTokens(self.wire, login, password, options or {})
        self._session = OracleSession(self.wire, tokens, self._profile.page_size)
        self._masters = OracleMasters(self._session, self._profile)
        self._journals = OracleJournals(self._session, self._profile)
        self._invoices = OracleInvoices(self._session, self._profile, self._masters)
        submitter = self._profile.submitter or tokens.user
        self._jobs = OracleJobs(self._session, submitter, self._profile.look_back)
        self._tracks = OracleTracks(self._jobs, self._profile.source)
        told = callback_address(options or {})
        self._posting = OraclePosting(
            self._session, self._profile, self._journals, self._jobs, self._tracks, told
        )
        self._books = OracleBooks(self._session, self._profile, self._masters, self._journals)

    def close(self) -> None:
        """Release the network client."""
        self.wire.close()

    def capability(self, journal: ports.Journal) -> ports.Capability:
        """Files can only be looked up afterwards; a supplier's invoice number is unique."""
        settle = self._profile.settle
        if journal.endpoint == "liability":
            return ports.Capability("A" if self._profile.invoices_by == "rest" else "D", settle)
        many = _BATCH_MAX if journal.endpoint in ("journal", "reversal") else 1
        return ports.Capability("D", settle, batch_max=many)

    def create(self, journal: ports.Journal) -> ports.Delivery:
        """Submit the document; what the master data rule out is refused before."""
        if journal.liability is None:
            return self.create_batch((journal,))[0]
        refused = self._refused(journal, {})
        if refused is not None:
            return refused
        try:
            if self._profile.invoices_by == "rest":
                return self._invoices.create(journal, journal.liability)
            file = self._invoices.file(journal, journal.liability)
            return self._posting.submit(file, "create invoice")
        except RefusedError as error:
            return refusal(error)
        except ConnectorError as error:
            return not_sent(error)

    def preview(self, journal: ports.Journal) -> str:
        """The request that `create` would send now; the same checks refuse it."""
        return rehearse(self.wire, self.create, journal)

    def create_batch(self, journals: tuple[ports.Journal, ...]) -> tuple[ports.Delivery, ...]:
        """One file for all that pass the checks; one outcome a journal, in their order."""
        if any(journal.liability is not None for journal in journals):
            return tuple(self.create(journal) for journal in journals)
        asked: Periods = {}
        outcomes = [self._refused(journal, asked) for journal in journals]
        for place, journal in enumerate(journals):
            if journal.external_ref in {other.external_ref for other in journals[:place]}:
                message = f"{journal.external_ref} is twice in the batch: rows of one name merge"
                outcomes[place] = delivery("NOT_SENT", "TWICE_IN_BATCH", message)
        passed = [x for x, refused in zip(journals, outcomes, strict=True) if refused is None]
        if not passed:
            return tuple(outcome for outcome in outcomes if outcome is not None)
        file = journal_file(passed, self._profile)
        sent = self._posting.submit(file, "create journal")
        return tuple(outcome or sent for outcome in outcomes)

    def _refused(self, journal: ports.Journal, asked: Periods) -> ports.Delivery | None:
        """Why a document is not sent, None when it may be."""
        if journal.clears:
            message = "Oracle offers no interface that clears items of the ledger"
            return delivery("REJECT", "NOT_OFFERED", message)
        try:
            check(journal, self._profile, self._masters, asked)
            return self._not_reversible(journal.reverses) if journal.reverses else None
        except RefusedError as error:
            return refusal(error)
        except ConnectorError as error:
            return not_sent(error)

    def _not_reversible(self, doc_id: str) -> ports.Delivery | None:
        """Only a posted journal is reversed, by one with the sides exchanged that is ours to find.

        Oracle's own reversal makes a journal under a name of its own, which `find` cannot see.
        """
        if doc_id.startswith(INVOICE):
            message = "an invoice is reversed in Payables, by cancelling it"
            return delivery("REJECT", "NOT_OFFERED", message)
        found = self.read(doc_id)
        if found is None or found.state != "posted":
            state = "a draft" if found else "not there"
            message = f"{doc_id} cannot be reversed: it is {state}"
            return delivery("REJECT", "NOT_REVERSIBLE", message)
        return None

    def post(self, doc_id: str) -> ports.Delivery:
        """Post exactly this batch, or validate this invoice; PENDING until it has been done."""
        try:
            kind, number = _parts(doc_id)
        except ConnectorError as error:
            return not_sent(error, doc_id)
        return self._invoices.validate(doc_id) if kind == INVOICE else self._posting.post(number)

    def find(self, journal: ports.Journal) -> ports.Trace:
        """The document by our reference; else what its jobs say."""
        reference = journal.external_ref
        if not _REFERENCE.fullmatch(reference) or journal.clears:
            return ports.Trace()  # such a document is refused before it is sent
        debt = journal.liability
        books = self._invoices if debt else self._journals
        documents = books.find(reference)
        if documents or (debt and self._profile.invoices_by == "rest"):
            return ports.Trace(documents)
        trace = self._tracks.trace(reference, debt.invoice_no if debt else mark(reference))
        if trace.pending:
            return trace
        # A chain may have ended between the two looks: what it made is there by now.
        documents = books.find(reference)
        return ports.Trace(documents) if documents else trace

    def posted_since(self, company: str, since: date) -> list[ports.ErpDocument]:
        """Posted journals and validated invoices on or after ``since`` with our form, by date."""
        self._ours(company)
        found = [*self._books.posted_since(since), *self._invoices.posted_since(since)]
        return sorted(found, key=_by_day)

    def read(self, doc_id: str) -> ports.ErpDocument | None:
        """One document with its lines, None when Oracle has it not."""
        kind, number = _parts(doc_id)
        part = self._invoices if kind == INVOICE else self._journals
        row = part.row(number)
        return part.document(row) if row is not None else None

    def delete_draft(self, doc_id: str) -> ports.Delivery:
        """Delete an unposted batch of ours: OK when it is gone, REJECT when it is posted."""
        try:
            kind, number = _parts(doc_id)
        except ConnectorError as error:
            return not_sent(error, doc_id)
        if kind == INVOICE or not self._profile.delete_drafts:
            message = "a person deletes it: it is an invoice, or [posting] delete_drafts is off"
            return delivery("REJECT", "NOT_OFFERED", message, doc_id=doc_id)
        return self._posting.delete(number)

    def cash_book(self, gl_account: str, *, since: date) -> list[reads.CashBookLine]:
        """Posted lines of a bank's natural account dated after ``since``."""
        return self._books.cash_book(gl_account, since)

    def book_balance(self, gl_account: str, *, on: date, currency: str) -> int:
        """Balance of a natural account in ``currency``, posted up to and including ``on``."""
        return self._books.balance(gl_account, on, currency)

    def open_items(self, company: str, *, on: date) -> list[reads.OpenItem]:
        """Unpaid payables and open receivables up to ``on``."""
        self._ours(company)
        return self._books.open_items(on)

    def company_rates(self) -> list[reads.Rate]:
        """The rates of the mapping's currencies."""
        return self._books.rates()

    def gl_accounts(self, company: str) -> list[reads.GlAccount]:
        """The values of the natural account segment."""
        self._ours(company)
        return sorted(self._masters.accounts(fresh=True).values(), key=lambda found: found.code)

    def partners(self, company: str) -> list[reads.Partner]:
        """Suppliers, and employees who are set up as suppliers."""
        self._ours(company)
        return self._masters.partners()

    def cost_centers(self, company: str) -> list[reads.CostCenter]:
        """The enabled values of the cost center segment."""
        self._ours(company)
        found = self._masters.cost_centers(fresh=True).values()
        return sorted((center for center, on in found if on), key=lambda center: center.code)

    def tax_codes(self, company: str) -> list[reads.TaxCode]:
        """None: our postings carry no tax, and no list of the contract tells the codes."""
        self._ours(company)
        return []

    def period_status(self, company: str, on: date) -> reads.PeriodStatus:
        """Whether the general ledger is open on a day."""
        self._ours(company)
        return self._masters.status(on)

    def _ours(self, company: str) -> None:
        if company != self._profile.code:
            message = f"this connector reads {self._profile.code!r}, not {company!r}"
            raise ConnectorError("COMPANY_OTHER", message)


def _by_day(document: ports.ErpDocument) -> tuple[date, str, int]:
    kind, number = _parts(document.doc_id)
    return document.booked_on, kind, int(number)


def _parts(doc_id: str) -> tuple[str, str]:
    """Kind and number of a document's id.

    Raises:
        ConnectorError: ``DOC_ID`` where it is not one of ours.
    """
    for kind in (JOURNAL, INVOICE):
        number = doc_id.removeprefix(kind)
        if number != doc_id and re.fullmatch(r"\d{1,18}", number, re.ASCII):
            return kind, number
    raise ConnectorError("DOC_ID", f"{doc_id!r} is not the id of a document in Oracle")
