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
from typing import Any

import httpx

from tieout.connectors import ports
from tieout.connectors.http_wire import HttpAnswer, HttpWire
from tieout.connectors.oracle_checks import RefusedError, check, refusal
from tieout.connectors.oracle_fbdi import journal_file, mark
from tieout.connectors.oracle_jobs import OracleJobs, submitted
from tieout.connectors.oracle_journals import JOURNAL, OracleJournals, is_posted
from tieout.connectors.oracle_masters import OracleMasters
from tieout.connectors.oracle_profile import read_profile
from tieout.connectors.oracle_session import OracleSession, Row
from tieout.connectors.oracle_tokens import OracleTokens
from tieout.connectors.oracle_trace import OracleTracks
from tieout.connectors.oracle_written import answered, delivery, not_sent
from tieout.errors import ConnectorError

__all__ = ["OracleFusionConnector"]

_BATCH_MAX = 200


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
        self._jobs = OracleJobs(self._session, tokens.user, self._profile.look_back)
        self._tracks = OracleTracks(self._jobs, self._profile.source)

    def close(self) -> None:
        """Release the network client."""
        self.wire.close()

    def capability(self, journal: ports.Journal) -> ports.Capability:
        """Files can only be looked up afterwards."""
        return ports.Capability("D", settle=self._profile.settle, batch_max=_BATCH_MAX)

    def create(self, journal: ports.Journal) -> ports.Delivery:
        """Submit the document; what the master data rule out is refused before."""
        return self.create_batch((journal,))[0]

    def create_batch(self, journals: tuple[ports.Journal, ...]) -> tuple[ports.Delivery, ...]:
        """One file for all that pass the checks; one outcome a journal, in their order."""
        outcomes: dict[int, ports.Delivery] = {}
        for place, journal in enumerate(journals):
            try:
                check(journal, self._profile, self._masters)
            except RefusedError as error:
                outcomes[place] = refusal(error)
            except ConnectorError as error:
                outcomes[place] = not_sent(error)
        passed = [journal for place, journal in enumerate(journals) if place not in outcomes]
        sent = self._import(passed) if passed else None
        return tuple(outcomes.get(place) or _given(sent) for place in range(len(journals)))

    def _import(self, journals: list[ports.Journal]) -> ports.Delivery:
        file = journal_file(journals, self._profile)
        try:
            answer = self._jobs.submit(file.request(), "create journal")
        except ConnectorError as error:
            return not_sent(error)
        taken = _submission(answer)
        if taken.outcome == "PENDING":
            self._tracks.note(file.group, submitted(answer))
        return taken

    def post(self, doc_id: str) -> ports.Delivery:
        """Submit the posting job for exactly this batch, unless it is posted or one is at it."""
        batch_id = _batch_id(doc_id)
        try:
            row = self._journals.row(batch_id)
            if row is None:
                return _simple("REJECT", "GONE", f"Oracle has no batch {batch_id}", doc_id)
            if is_posted(row):
                return _posted(row, doc_id)
            known = self._posting_state(batch_id, row)
            if known is not None:
                return known
            if not self._profile.post_job:
                return _simple("PENDING", "WAITS_FOR_AUTOPOST", "not posted yet", doc_id)
            answer = self._jobs.submit(self._post_request(batch_id), "post journal")
        except ConnectorError as error:
            return not_sent(error, doc_id)
        return _submission(answer, doc_id)

    def _posting_state(self, batch_id: str, row: Row) -> ports.Delivery | None:
        """What the latest posting job of a batch came to; None where there has been none."""
        doc_id = f"{JOURNAL}{batch_id}"
        words = f"{row.get('ErrorMessage') or ''}".strip()
        for request in self._jobs.requests() if self._profile.post_job else ():
            if self._profile.post_job in request.definition and batch_id in request.words:
                if not request.ended:
                    message = f"posting request {request.id} is {request.state}"
                    return _simple("PENDING", "POSTING", message, doc_id)
                if words:
                    return _simple("REJECT", "POSTING_REFUSED", words, doc_id)
                return None
        return None

    def _post_request(self, batch_id: str) -> dict[str, Any]:
        parameters = self._profile.post_parameters.format(
            batch_id=batch_id,
            data_access_set_id=self._profile.data_access_set_id,
            ledger_id=self._profile.ledger_id,
        )
        return {
            "OperationName": "submitESSJobRequest",
            "JobPackageName": self._profile.post_package,
            "JobDefName": self._profile.post_job,
            "DocumentId": "#NULL",
            "ESSParameters": parameters,
        }

    def find(self, journal: ports.Journal) -> ports.Trace:
        """The document by our reference; else what its jobs say."""
        reference = journal.external_ref
        if not re.fullmatch(r"[A-Z0-9]{1,16}", reference, re.ASCII):
            return ports.Trace()  # such a reference is refused before it is sent
        documents = self._journals.find(reference)
        if documents:
            return ports.Trace(documents)
        return self._tracks.trace(reference, mark(reference))

    def read(self, doc_id: str) -> ports.ErpDocument | None:
        """One document with its lines, None when Oracle has it not."""
        row = self._journals.row(_batch_id(doc_id))
        return self._journals.document(row) if row is not None else None

    def delete_draft(self, doc_id: str) -> ports.Delivery:
        """Delete an unposted batch of ours: OK when it is gone, REJECT when it is posted."""
        batch_id = _batch_id(doc_id)
        if not self._profile.delete_drafts:
            message = "the mapping does not let drafts be deleted"
            return _simple("REJECT", "NOT_OFFERED", message, doc_id)
        try:
            row = self._journals.row(batch_id)
            if row is None:
                return _simple("OK", "GONE", "there is no such batch", doc_id)
            if is_posted(row):
                return _simple("REJECT", "ALREADY_POSTED", f"posted as {row['BatchName']}", doc_id)
            if not self._journals.document(row).external_ref:
                return _simple("REJECT", "NOT_OURS", "the batch has no reference of ours", doc_id)
            path = f"journalBatches/{batch_id}"
            answer = self._session.write("DELETE", path, None, point="delete journal")
        except ConnectorError as error:
            return not_sent(error, doc_id)
        return self._deleted(answer, doc_id)

    def _deleted(self, answer: HttpAnswer, doc_id: str) -> ports.Delivery:
        if answer.status in (200, 204):
            return delivery("OK", "DELETED", "", answer, doc_id)
        if answer.status == 404:
            return delivery("OK", "GONE", "there is no such batch", answer, doc_id)
        failed = answered(answer, doc_id)
        if failed is not None:
            return failed
        try:
            row = self._journals.row(_batch_id(doc_id))
        except ConnectorError:
            return delivery("UNKNOWN", "NOT_READ_BACK", "not read back", answer, doc_id)
        code = "ALREADY_POSTED" if row is not None and is_posted(row) else "REFUSED"
        return delivery("REJECT", code, "Oracle refuses to delete the batch", answer, doc_id)


def _given(sent: ports.Delivery | None) -> ports.Delivery:
    return sent or _simple("NOT_SENT", "NOTHING", "nothing was sent")


def _submission(answer: HttpAnswer, doc_id: str | None = None) -> ports.Delivery:
    """A submission was taken, refused, or nobody knows."""
    failed = answered(answer, doc_id)
    if failed is not None:
        return failed
    if answer.status == 400:
        message = "Oracle does not take the submission as it is"
        return delivery("REJECT", "SUBMISSION_REFUSED", message, answer, doc_id)
    number = submitted(answer)
    if number == "-1":
        message = "Oracle refused the submission (ReqstId -1): job, parameters or account"
        return delivery("REJECT", "SUBMISSION_REFUSED", message, answer, doc_id)
    if number:
        return delivery("PENDING", "ACCEPTED", f"request {number} is at it", answer, doc_id)
    return delivery("UNKNOWN", "UNPARSABLE", "the answer names no request", answer, doc_id)


def _posted(row: Row, doc_id: str) -> ports.Delivery:
    number = str(row["BatchName"])
    return ports.Delivery("OK", doc_id, number, "ALREADY_POSTED", f"posted as {number}", "")


def _simple(
    outcome: ports.Outcome, code: str, message: str, doc_id: str | None = None
) -> ports.Delivery:
    return delivery(outcome, code, message, doc_id=doc_id)


def _batch_id(doc_id: str) -> str:
    """The batch of a document's id.

    Raises:
        ConnectorError: ``DOC_ID`` where it is not one of ours.
    """
    number = doc_id.removeprefix(JOURNAL)
    if not re.fullmatch(r"\d{1,18}", number, re.ASCII):
        raise ConnectorError("DOC_ID", f"{doc_id!r} is not the id of a journal in Oracle")
    return number
