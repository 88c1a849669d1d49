"""Journals of Dynamics 365 looked up: by number, by our reference, with what the ledger says."""

from __future__ import annotations

from tieout.connectors.dynamics365_masters import Masters
from tieout.connectors.dynamics365_profile import Profile
from tieout.connectors.dynamics365_records import VOID, document, number_of, shaped
from tieout.connectors.dynamics365_session import Row, Session, literal
from tieout.connectors.just_shown import JustShown
from tieout.connectors.ports import ErpDocument, Journal, Trace
from tieout.errors import ConnectorError

__all__ = ["Journals", "is_void", "key_path", "keys_of"]


def keys_of(doc_id: str) -> tuple[str, str]:
    """Company and number of a document id, ``nord/ABCDEFGHIJ``."""
    company, _, number = doc_id.partition("/")
    return company, number


def key_path(doc_id: str) -> str:
    """The address of a journal's header."""
    company, number = keys_of(doc_id)
    key = f"dataAreaId={literal(company)},JournalBatchNumber={literal(number)}"
    return f"/data/LedgerJournalHeaders({key})"


def is_void(header: Row, external_ref: str) -> bool:
    """Whether a header is what is left of a voided journal of ours."""
    return str(header["Description"]) == f"[{external_ref}] {VOID}"


class Journals:
    """Looks; every one raises ConnectorError."""

    def __init__(self, session: Session, masters: Masters, profile: Profile) -> None:
        self._session, self._masters, self._profile = session, masters, profile
        self._shown: JustShown[Row] = JustShown()

    def shown(self, doc_id: str) -> Row | None:
        """A journal's header as `read` has shown it just before, once; else None."""
        return self._shown.take(doc_id)

    def header(self, doc_id: str) -> Row | None:
        """A journal's header, with the tag its next change needs."""
        company, number = keys_of(doc_id)
        where = f"dataAreaId eq {literal(company)} and JournalBatchNumber eq {literal(number)}"
        rows = self._session.rows("LedgerJournalHeaders", where)
        return rows[0] if rows else None

    def lines(self, doc_id: str) -> list[Row]:
        """A journal's lines in the order they were sent."""
        company, number = keys_of(doc_id)
        where = f"dataAreaId eq {literal(company)} and JournalBatchNumber eq {literal(number)}"
        return self._session.rows("LedgerJournalLines", where, order="LineNumber")

    def read(self, doc_id: str) -> ErpDocument | None:
        """A journal; one without lines is none: nothing of it will ever be posted.

        The header is asked for first and its state told only by it: a journal posted in between
        shows as the draft it was.
        """
        with shaped("journal"):
            header = self.header(doc_id)
            lines = self.lines(doc_id) if header is not None else []
            if header is None or not lines:
                return None
            self._shown.keep(doc_id, header)
            entries = self._entries(lines) if header["IsPosted"] == "Yes" else []
            return document(header, lines, entries, self._masters.currency(), self._profile)

    def find(self, journal: Journal) -> Trace:
        """All journals with our reference on a line, and what is left of a voided one."""
        reference = journal.external_ref
        own = literal(self._masters.company)
        where = f"dataAreaId eq {own} and Document eq {literal(reference)}"
        with shaped("journals"):
            rows = self._session.rows("LedgerJournalLines", where, order="LineNumber")
            numbers = sorted({str(row["JournalBatchNumber"]) for row in rows})
            found = [self.read(f"{self._masters.company}/{number}") for number in numbers]
            documents = tuple(d for d in found if d is not None and d.external_ref == reference)
            if documents:
                return Trace(documents)
            if self._profile.ours:
                header = self.header(f"{self._masters.company}/{number_of(reference)}")
                if header is not None and is_void(header, reference):
                    return Trace(refused="the journal was voided; its number is used up")
            self._cleaned_up(reference)
        return Trace()

    def _entries(self, lines: list[Row]) -> list[Row]:
        """What the general ledger holds of a posted journal, in the order it was booked."""
        vouchers = sorted({str(row["Voucher"]) for row in lines})
        ledger = literal(str(self._masters.ledger()["Name"]))
        found: list[Row] = []
        for voucher in vouchers:
            where = f"LedgerName eq {ledger} and Voucher eq {literal(voucher)}"
            order = "GeneralJournalAccountEntryRecId"
            found += self._session.rows("GeneralJournalAccountEntries", where, order=order)
        if not found:
            message = f"voucher {', '.join(vouchers)} is posted but not in the general ledger"
            raise ConnectorError("LEDGER_ENTRIES_MISSING", message)
        return found

    def _cleaned_up(self, reference: str) -> None:
        """Posted journals may be cleaned up; their ledger entries stay, and keep our reference."""
        ledger = literal(str(self._masters.ledger()["Name"]))
        where = f"LedgerName eq {ledger} and DocumentNumber eq {literal(reference)}"
        rows = self._session.rows("GeneralJournalAccountEntries", where)
        if rows:
            message = f"voucher {rows[0]['Voucher']} carries {reference}, but its journal is gone"
            raise ConnectorError(
                "JOURNAL_CLEANED_UP", message, remedy="compare it with the approved posting by hand"
            )
