"""Posted documents of Dynamics 365 listed by the form of our references, whoever made them.

The general ledger keeps a document's number for ever, also where its journal was cleaned up and
where a pending invoice became a posted one; so its entries are what is listed, and the lines of
journals only tell whose they are. What no journal holds any more has the id of an invoice, by
which `read` finds its entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tieout.connectors.dynamics365_invoices import invoice_id
from tieout.connectors.dynamics365_masters import Masters
from tieout.connectors.dynamics365_profile import Profile
from tieout.connectors.dynamics365_records import day_of, entry_lines
from tieout.connectors.dynamics365_session import Row, Session, literal
from tieout.connectors.ports import ErpDocument, is_reference

__all__ = ["posted_documents"]


def posted_documents(
    session: Session, masters: Masters, profile: Profile, since: date
) -> list[ErpDocument]:
    """Documents of ours in the ledger booked on a day or later, by date, then by id.

    Raises:
        ConnectorError: they could not be read.
    """
    begins = f"{since.isoformat()}T00:00:00Z"
    ledger = literal(str(masters.ledger()["Name"]))
    where = f"LedgerName eq {ledger} and AccountingDate ge {begins} and DocumentNumber ne ''"
    order = "GeneralJournalAccountEntryRecId"
    entries = session.rows("GeneralJournalAccountEntries", where, order=order)
    own = f"dataAreaId eq {literal(masters.company)}"
    where = f"{own} and TransDate ge {begins} and Document ne ''"
    lines = session.rows("LedgerJournalLines", where, order="LineNumber")
    journals = {str(row["Voucher"]): str(row["JournalBatchNumber"]) for row in lines}
    found = [
        _document(doc_id, rows, masters, profile)
        for doc_id, rows in _grouped(entries, journals, masters.company).items()
    ]
    return sorted(found, key=lambda document: (document.booked_on, document.doc_id))


def _grouped(
    entries: Iterable[Row], journals: dict[str, str], company: str
) -> dict[str, list[Row]]:
    """Entries with a reference of our form by the id of their document.

    Two vouchers without a journal and with one reference are two documents; each then has its
    voucher behind the id.
    """
    found: dict[str, list[Row]] = {}
    for row in entries:
        reference, voucher = str(row["DocumentNumber"]), str(row["Voucher"])
        if not is_reference(reference):
            continue
        number = journals.get(voucher)
        doc_id = invoice_id(company, reference) if number is None else f"{company}/{number}"
        others = found.get(doc_id, ())
        if any(str(other["Voucher"]) != voucher for other in others) and number is None:
            doc_id = f"{doc_id}/{voucher}"
        found.setdefault(doc_id, []).append(row)
    return found


def _document(doc_id: str, rows: list[Row], masters: Masters, profile: Profile) -> ErpDocument:
    return ErpDocument(
        doc_id,
        "posted",
        str(rows[0]["Voucher"]),
        str(rows[0]["DocumentNumber"]),
        day_of(rows[0]["AccountingDate"]),
        entry_lines(rows, masters.currency(), profile),
    )
