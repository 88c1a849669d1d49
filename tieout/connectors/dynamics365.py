"""Microsoft Dynamics 365 Finance over OData: its books read, journals posted and proved.

A posting is one journal, its header and lines created in one ``$batch`` change set, which the
system does whole or not at all: there is no incomplete journal to adopt. Our reference opens the
header's description, ``[ABCDEFGHIJKLMNOP] Bank charges``, and stands on every line as ``Document``,
which the ledger keeps. Nothing in OData posts a journal, so what makes a create safe follows from
who does it and who numbers (the mapping's ``[posting]``):

========== ======== ====== ====================================================================
numbering  way      class
========== ======== ====== ====================================================================
ours       either   A      the number is our reference's beginning: a second create is refused
sequence   service  C      nobody posts but the company's own service, by number
sequence   batch    D      any second journal might be posted: wait, then look
========== ======== ====== ====================================================================

Where the system's own job posts, a voided journal keeps its number and loses its lines, so that a
create still under way finds it taken and nothing of it is ever posted.
A posted journal is told from the entries of the general ledger, not from its own lines.

    >>> books = DynamicsConnector("https://nord.operations.dynamics.com", "app", "secret",
    ...                              company="nord", mapping={})
    >>> fee = ports.Journal("AAAAAAAAAAAAAAAA", "nord", "bank", date(2026, 11, 20), "", "EUR", ())
    >>> books.capability(fee).kind
    'A'
    >>> books.close()
"""

from __future__ import annotations

from tieout.connectors import ports
from tieout.connectors.dynamics365_books import DynamicsBooks
from tieout.connectors.dynamics365_changes import HEADERS, inserts, kept_because, voiding
from tieout.connectors.dynamics365_journals import is_void, key_path
from tieout.connectors.dynamics365_masters import RefusedError
from tieout.connectors.dynamics365_outcome import (
    Verdict,
    delivery,
    refusal_code,
    verdict,
)
from tieout.connectors.dynamics365_records import (
    header_values,
    line_values,
    number_of,
    reference_in,
    rendered,
    shaped,
)
from tieout.connectors.dynamics365_session import Row, parsed
from tieout.connectors.http_wire import HttpAnswer
from tieout.errors import ConnectorError

__all__ = ["DynamicsConnector"]

_LINES_MAX = 1000
_CROSS = (("cross-company", "true"),)


class DynamicsConnector(DynamicsBooks):
    """The books of one company; a `BooksReader`, a `MasterReader` and a `JournalWriter`.

    Made as `DynamicsBooks` is; every request passes through ``wire.exchange``.
    """

    @property
    def _keeps(self) -> bool:
        """Whether a voided journal must keep its number: any journal left may be posted."""
        return self._profile.ours and not self._profile.service

    def capability(self, journal: ports.Journal) -> ports.Capability:
        """Who numbers and who posts decide; see the module."""
        if self._profile.service and not self._profile.ours:
            return ports.Capability("C")
        return ports.Capability("A" if self._profile.ours else "D", settle=self._profile.settle)

    def create(self, journal: ports.Journal) -> ports.Delivery:
        """Create the journal, checked against the masters before anything is sent."""
        try:
            with shaped("master data"):
                header, lines = self._values(journal)
        except RefusedError as error:
            return _refusal(error)
        except ConnectorError as error:
            return _unsent(error)
        if self._profile.ours:
            return self._create_numbered(journal, header, lines)
        return self._create_by_sequence(header, lines)

    def post(self, doc_id: str) -> ports.Delivery:
        """Post by the company's service, or tell whether the batch job has."""
        if self._profile.service:
            return self._post_by_service(doc_id)
        answer = self._session.get(key_path(doc_id), point="post", params=_CROSS)
        if answer.status == 404:
            return _told("REJECT", "GONE", "there is no such journal", answer, doc_id)
        header = parsed(answer.body)
        if answer.status != 200 or "IsPosted" not in header:
            found = verdict(answer)
            if found.outcome == "OK":
                found = Verdict("UNKNOWN", "UNPARSABLE", "the answer is no journal")
            return delivery(found, answer, doc_id)
        if header["IsPosted"] == "Yes":
            return self._proved(doc_id, answer)
        return _left_unposted(str(header.get(self._profile.log_field) or ""), answer, doc_id)

    def find(self, journal: ports.Journal) -> ports.Trace:
        """All journals with our reference, drafts and posted ones, by number."""
        return self._journals.find(journal)

    def read(self, doc_id: str) -> ports.ErpDocument | None:
        """One journal with its lines; None when there is none, or only its number is left."""
        return self._journals.read(doc_id)

    def delete_draft(self, doc_id: str) -> ports.Delivery:
        """Void a draft of ours: OK when it is gone, REJECT ``ALREADY_POSTED`` when posted."""
        try:
            with shaped("journal"):
                header = self._journals.header(doc_id)
                lines = self._journals.lines(doc_id) if header is not None else []
                kept = kept_because(header, lines, doc_id)
        except ConnectorError as error:
            return _unsent(error, doc_id)
        if kept is not None or header is None:
            return kept or ports.Delivery("OK", doc_id, None, "GONE", "no such journal", "")
        operations = voiding(doc_id, header, lines, keep=self._keeps)
        answer, (found,) = self._changes.send([operations], "delete")
        if found.outcome == "OK":
            return _told("OK", "DELETED", "", answer, doc_id)
        if found.code in ("ALREADY_POSTED", "CHANGED"):
            return self._after(answer, doc_id)
        return delivery(found, answer, doc_id)

    def _values(self, journal: ports.Journal) -> tuple[Row, list[Row]]:
        """Header and lines of a journal.

        Raises:
            RefusedError: it cannot be posted.
            ConnectorError: the masters could not be read.
        """
        if journal.endpoint == "clearing":
            message = "Dynamics 365 has no public interface that settles open transactions"
            raise RefusedError("NOT_OFFERED", message, remedy="settle them there")
        self._masters.check(journal)
        if len(journal.lines) > _LINES_MAX:
            raise RefusedError("TOO_MANY_LINES", f"more than {_LINES_MAX} lines in one journal")
        if journal.reverses is not None and self._journals.read(journal.reverses) is None:
            message = f"there is no journal {journal.reverses!r} to reverse"
            raise RefusedError("REVERSES_UNKNOWN", message)
        wanted = journal.journal_code
        if journal.liability is not None:
            wanted = self._profile.liability_journal or wanted
        name = self._masters.journal_name(wanted)
        number = number_of(journal.external_ref) if self._profile.ours else ""
        company = self._masters.company
        lines = [
            line_values(journal, index, company, number, self._masters.account_of(line))
            for index, line in enumerate(journal.lines)
        ]
        return header_values(journal, company, name, number), lines

    def _create_numbered(
        self, journal: ports.Journal, header: Row, lines: list[Row]
    ) -> ports.Delivery:
        operations = inserts([header], lines)
        answer, (found,) = self._changes.send([operations], "create")
        doc_id = f"{header['dataAreaId']}/{header['JournalBatchNumber']}"
        if found.outcome == "OK":
            return _told("OK", "DRAFTED", "", answer, doc_id)
        if found.code == "RECORD_EXISTS":
            return self._existing(journal, doc_id, answer)
        return delivery(found, answer)

    def _create_by_sequence(self, header: Row, lines: list[Row]) -> ports.Delivery:
        """Header, then its lines in one change set: a journal has all its lines or none.

        A header whose lines never came holds nothing that could be posted, and is not ours to find.
        """
        content = rendered(header).encode()
        kind = {"Content-Type": "application/json"}
        answer = self._session.write(
            "POST", HEADERS, point="create header", content=content, headers=kind
        )
        found = verdict(answer)
        number = parsed(answer.body).get("JournalBatchNumber")
        if found.outcome == "OK" and not (isinstance(number, str) and number):
            found = Verdict("UNKNOWN", "UNPARSABLE", "the journal's number is not told")
        if found.outcome != "OK":
            return delivery(found, answer)
        numbered = [line | {"JournalBatchNumber": number} for line in lines]
        doc_id = f"{header['dataAreaId']}/{number}"
        answer, (found,) = self._changes.send([inserts([], numbered)], "create lines")
        if found.outcome == "OK":
            return _told("OK", "DRAFTED", "", answer, doc_id)
        return delivery(found, answer)

    def _existing(self, journal: ports.Journal, doc_id: str, answer: HttpAnswer) -> ports.Delivery:
        """The number is taken: by this posting, by what is left of it, or by another's."""
        try:
            with shaped("journal"):
                header = self._journals.header(doc_id)
                lines = self._journals.lines(doc_id) if header is not None else []
                theirs = header is None or reference_in(header["Description"])
                void = header is not None and is_void(header, journal.external_ref)
        except ConnectorError as error:
            return _told("UNKNOWN", "NOT_READ_BACK", str(error), answer)
        if theirs != journal.external_ref:
            message = f"the journal number {doc_id!r} is another posting's"
            return _told("REJECT", "NUMBER_TAKEN", message, answer)
        if void:
            message = "the journal was voided; its number is used up"
            return _told("REJECT", "VOIDED", message, answer)
        if not lines:
            return _told("UNKNOWN", "NO_LINES", "a journal of ours has lost its lines", answer)
        return _told("EXISTS", "EXISTS", "the journal was there already", answer, doc_id)

    def _post_by_service(self, doc_id: str) -> ports.Delivery:
        company, _, number = doc_id.partition("/")
        request = {"_request": {"DataAreaId": company, "JournalBatchNumber": number}}
        answer = self._session.write(
            "POST",
            self._profile.service,
            point="post",
            content=rendered(request).encode(),
            headers={"Content-Type": "application/json"},
        )
        told = parsed(answer.body)
        if answer.status == 200 and told.get("Posted") is True:
            return self._proved(doc_id, answer)
        if answer.status == 200 and told.get("Posted") is False:
            said = str(told.get("Message") or "without a reason")
            code = refusal_code(said) or "REFUSED"
            return _told("REJECT", code, f"not posted: {said}", answer, doc_id)
        found = verdict(answer)
        if found.outcome == "OK":
            found = Verdict("UNKNOWN", "UNPARSABLE", "the service's answer is not as agreed")
        return delivery(found, answer, doc_id)

    def _proved(self, doc_id: str, answer: HttpAnswer) -> ports.Delivery:
        """OK only with the document read back, posted."""
        try:
            found = self.read(doc_id)
        except ConnectorError as error:
            return _told("UNKNOWN", "NOT_READ_BACK", str(error), answer, doc_id)
        if found is None or found.state != "posted":
            return _told("UNKNOWN", "NOT_READ_BACK", "it reads back unposted", answer, doc_id)
        return ports.Delivery("OK", doc_id, found.number, "POSTED", "", answer.sha256)

    def _after(self, answer: HttpAnswer, doc_id: str) -> ports.Delivery:
        """The journal changed while it was to be voided."""
        try:
            found = self.read(doc_id)
        except ConnectorError as error:
            return _told("UNKNOWN", "NOT_READ_BACK", str(error), answer, doc_id)
        if found is None:
            return _told("OK", "GONE", "there is no such journal", answer, doc_id)
        if found.state == "posted":
            message = f"the journal is posted as {found.number}"
            return _told("REJECT", "ALREADY_POSTED", message, answer, doc_id)
        return _told("UNKNOWN", "CHANGED", "somebody changed the journal", answer, doc_id)


def _told(
    outcome: ports.Outcome, code: str, message: str, answer: HttpAnswer, doc_id: str | None = None
) -> ports.Delivery:
    return ports.Delivery(outcome, doc_id, None, code, message, answer.sha256)


def _left_unposted(log: str, answer: HttpAnswer, doc_id: str) -> ports.Delivery:
    """The batch job has not posted the journal: it has not tried, or it says why."""
    said = " ".join(log.split())[:300]
    if said:
        code = refusal_code(said) or "NOT_POSTED"
        return _told("REJECT", code, f"the posting job left it: {said}", answer, doc_id)
    message = "not posted yet; Dynamics 365 posts it by its own batch job or workflow"
    return _told("PENDING", "WAITS_FOR_POSTING", message, answer, doc_id)


def _refusal(error: RefusedError) -> ports.Delivery:
    mend = f" ({error.remedy})" if error.remedy else ""
    return ports.Delivery("REJECT", None, None, error.code, f"{error.message}{mend}", "")


def _unsent(error: ConnectorError, doc_id: str | None = None) -> ports.Delivery:
    """A look before the write failed, so the write itself never left."""
    throttled = error.code in ("THROTTLED", "LOGIN_THROTTLED")
    outcome: ports.Outcome = "THROTTLED" if throttled else "NOT_SENT"
    return ports.Delivery(outcome, doc_id, None, error.code, str(error), "")
