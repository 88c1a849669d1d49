"""Journals made in Dynamics 365: checked, turned into rows, sent by the door the mapping says."""

from __future__ import annotations

from datetime import date

from tieout.connectors import ports, reads
from tieout.connectors.dynamics365_changes import HEADERS, Changes, Planned, inserts
from tieout.connectors.dynamics365_checks import RefusedError
from tieout.connectors.dynamics365_invoices import Invoices, is_invoice
from tieout.connectors.dynamics365_journals import Journals, is_void
from tieout.connectors.dynamics365_masters import Masters
from tieout.connectors.dynamics365_outcome import (
    Verdict,
    delivery,
    refusal,
    told,
    unsent,
    verdict,
)
from tieout.connectors.dynamics365_packages import Packages
from tieout.connectors.dynamics365_profile import Profile
from tieout.connectors.dynamics365_records import (
    header_values,
    line_values,
    number_of,
    reference_in,
    rendered,
    shaped,
)
from tieout.connectors.dynamics365_session import Row, Session, parsed
from tieout.connectors.http_wire import HttpAnswer
from tieout.errors import ConnectorError

__all__ = ["Creator"]

_LINES_MAX = 1000
Periods = dict[date, reads.PeriodStatus]


class Creator:
    """Makes journals; `create` answers for each."""

    def __init__(
        self,
        session: Session,
        masters: Masters,
        journals: Journals,
        invoices: Invoices,
        packages: Packages | None,
        profile: Profile,
    ) -> None:
        self._session, self._masters, self._journals = session, masters, journals
        self._invoices, self._packages, self._profile = invoices, packages, profile
        self._changes = Changes(session)

    def create(self, journals: tuple[ports.Journal, ...]) -> tuple[ports.Delivery, ...]:
        """An outcome for each journal, in their order."""
        asked: Periods = {}
        planned = [self._plan(journal, asked) for journal in journals]
        ready = [one for one in planned if isinstance(one, Planned)]
        made = self._create_all(ready) if ready else []
        told_of = iter(made)
        return tuple(next(told_of) if isinstance(one, Planned) else one for one in planned)

    def _plan(self, journal: ports.Journal, asked: Periods) -> Planned | ports.Delivery:
        """What is to be sent, or why nothing is."""
        try:
            with shaped("master data"):
                return Planned(journal, *self._values(journal, asked))
        except RefusedError as error:
            return refusal(error)
        except ConnectorError as error:
            return unsent(error)

    def _values(self, journal: ports.Journal, asked: Periods) -> tuple[Row, list[Row]]:
        """Header and lines of a journal.

        Raises:
            RefusedError: it cannot be posted.
            ConnectorError: the masters could not be read.
        """
        if journal.endpoint == "clearing":
            message = "Dynamics 365 has no public interface that settles open transactions"
            raise RefusedError("NOT_OFFERED", message, remedy="settle them there")
        self._masters.check(journal, asked)
        if len(journal.lines) > _LINES_MAX:
            raise RefusedError("TOO_MANY_LINES", f"more than {_LINES_MAX} lines in one journal")
        if journal.reverses is not None:
            self._check_reversed(journal.reverses)
        wanted = journal.journal_code
        if journal.liability is not None:
            wanted = self._profile.liability_journal or wanted
        name = self._masters.journal_name(wanted)
        number = number_of(journal.external_ref) if self._profile.ours else ""
        company = self._masters.company
        lines = [
            line_values(
                journal, index, company, number, self._masters.account_of(line, journal.booked_on)
            )
            for index, line in enumerate(journal.lines)
        ]
        return header_values(journal, company, name, number), lines

    def _check_reversed(self, doc_id: str) -> None:
        """Refuse to reverse what is not posted, by whichever way it came."""
        invoice = is_invoice(doc_id)
        found = self._invoices.read(doc_id) if invoice else self._journals.read(doc_id)
        if found is None or found.state != "posted":
            message = f"there is no posted document {doc_id!r} to reverse"
            raise RefusedError("REVERSES_UNKNOWN", message)

    def _create_all(self, planned: list[Planned]) -> list[ports.Delivery]:
        if self._packages is not None:
            return [
                self._packages.create(one.journal.external_ref, one.header, one.lines)
                for one in planned
            ]
        if not self._profile.ours:
            return [self._create_by_sequence(one.header, one.lines) for one in planned]
        change_sets = [inserts([one.header], one.lines) for one in planned]
        answer, verdicts = self._changes.send(change_sets, "create")
        return [
            self._created(one, found, answer) for one, found in zip(planned, verdicts, strict=True)
        ]

    def _created(self, one: Planned, found: Verdict, answer: HttpAnswer) -> ports.Delivery:
        doc_id = f"{one.header['dataAreaId']}/{one.header['JournalBatchNumber']}"
        if found.outcome == "OK":
            return told("OK", "DRAFTED", "", answer, doc_id)
        if found.outcome == "REJECT":
            return self._refused(one.journal, doc_id, found, answer)
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
            return told("OK", "DRAFTED", "", answer, doc_id)
        return delivery(found, answer)

    def _refused(
        self, journal: ports.Journal, doc_id: str, found: Verdict, answer: HttpAnswer
    ) -> ports.Delivery:
        """A refusal, or a number that is taken: by this posting, what is left of it, or another's.

        The system refuses in its user's language, so its number is looked up after any refusal.
        """
        try:
            with shaped("journal"):
                header = self._journals.header(doc_id)
                lines = self._journals.lines(doc_id) if header is not None else []
                theirs = reference_in(header["Description"]) if header is not None else ""
        except ConnectorError as error:
            return told("UNKNOWN", "NOT_READ_BACK", str(error), answer)
        if header is None:
            absent = Verdict("UNKNOWN", found.code, "it exists, and is not there")
            return delivery(absent if found.code == "RECORD_EXISTS" else found, answer)
        if theirs != journal.external_ref:
            message = f"the journal number {doc_id!r} is another posting's"
            return told("REJECT", "NUMBER_TAKEN", message, answer)
        if is_void(header, journal.external_ref):
            message = "the journal was voided; its number is used up"
            return told("REJECT", "VOIDED", message, answer)
        if not lines:
            return told("UNKNOWN", "NO_LINES", "a journal of ours has lost its lines", answer)
        return told("EXISTS", "EXISTS", "the journal was there already", answer, doc_id)
