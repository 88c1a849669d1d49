"""Journal batches read back: one batch holds one of our journals.

Names come back decorated with request and group ids; our reference stands in them as
``TIEOUT-<reference>``. The document's id is the batch's: ``journal/2552354``.
"""

from __future__ import annotations

from typing import Final

from tieout.connectors.just_shown import JustShown
from tieout.connectors.oracle_fbdi import mark, marked
from tieout.connectors.oracle_profile import OracleProfile
from tieout.connectors.oracle_session import OracleSession, Row, day_of, minor_of, shaped
from tieout.connectors.ports import DocumentLine, ErpDocument, is_reference
from tieout.errors import ConnectorError

__all__ = ["JOURNAL", "OracleJournals", "is_posted"]

JOURNAL: Final = "journal/"
_EXPAND: Final = ("expand", "journalHeaders.journalLines")


class OracleJournals:
    """Journal batches of one ledger."""

    def __init__(self, session: OracleSession, profile: OracleProfile) -> None:
        self._session, self._profile = session, profile
        self._shown: JustShown[Row] = JustShown()

    def find(self, reference: str) -> tuple[ErpDocument, ...]:
        """The journals with our reference, by id.

        Raises:
            ConnectorError: Oracle cannot be asked.
        """
        query = f"BatchName LIKE '%{mark(reference)}%'"
        parameters = [_EXPAND, ("q", query), ("orderBy", "JeBatchId")]
        rows = self._session.rows("journalBatches", parameters, point="find journal")
        found = [(row, self.document(row)) for row in rows]
        ours = [(row, document) for row, document in found if document.external_ref == reference]
        with shaped("journal"):
            for row, _ in ours:
                self._shown.keep(str(int(row["JeBatchId"])), row)
        return tuple(document for _, document in ours)

    def posted(self, period: str) -> list[ErpDocument]:
        """The posted journals of a period whose names hold a reference of our form, by id.

        Raises:
            ConnectorError: Oracle cannot be asked.
        """
        query = f"Status='P';DefaultPeriodName='{period}';BatchName LIKE '%{mark('')}%'"
        parameters = [_EXPAND, ("q", query), ("orderBy", "JeBatchId")]
        rows = self._session.rows("journalBatches", parameters, point="find journal")
        found = [self.document(row) for row in rows]
        return [document for document in found if is_reference(document.external_ref)]

    def shown(self, batch_id: str) -> Row | None:
        """One batch as `find` has shown it just before, once; else as `row` reads it."""
        return self._shown.take(batch_id) or self.row(batch_id)

    def row(self, batch_id: str, *, point: str = "read journal") -> Row | None:
        """One batch with its children, None when Oracle has it not."""
        path = f"journalBatches/{batch_id}"
        try:
            found = self._session.ask(path, [_EXPAND], point=point)
        except ConnectorError as error:
            if error.code == "NOT_FOUND":
                return None
            raise
        with shaped("journal"):
            return dict(found)

    def document(self, row: Row) -> ErpDocument:
        """A batch as a document."""
        headers = self._session.children(row, "journalHeaders", point="read journal")
        with shaped("journal"):
            if not headers:
                raise ValueError("a batch without a journal")
            lines = [
                self._line(line)
                for header in headers
                for line in self._session.children(header, "journalLines", point="read journal")
            ]
            posted = is_posted(row)
            return ErpDocument(
                doc_id=f"{JOURNAL}{int(row['JeBatchId'])}",
                state="posted" if posted else "draft",
                number=str(row["BatchName"]) if posted else None,
                external_ref=marked(row["BatchName"]) or marked(headers[0]["JournalName"]),
                booked_on=day_of(headers[0]["DefaultEffectiveDate"]),
                lines=tuple(lines),
            )

    def _line(self, line: Row) -> DocumentLine:
        own = self._profile.currency
        currency = str(line["CurrencyCode"])
        accounted = [minor_of(line, f"Accounted{side}", own) for side in ("Dr", "Cr")]
        entered = [minor_of(line, f"Entered{side}", currency) for side in ("Dr", "Cr")]
        foreign = currency != own
        return DocumentLine(
            gl_account=self._profile.account_in(str(line["AccountCombination"])),
            debit_minor=accounted[0],
            credit_minor=accounted[1],
            foreign_minor=entered[0] - entered[1] if foreign else None,
            foreign_currency=currency if foreign else None,
            party=None,
            narrative=str(line.get("Description") or ""),
        )


def is_posted(row: Row) -> bool:
    """Whether a batch is posted, by code or in words."""
    return row.get("Status") == "P" or row.get("StatusMeaning") == "Posted"
