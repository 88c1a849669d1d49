"""What NetSuite's ledger holds of our documents: those changed or those booked since a day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from tieout.connectors.netsuite_rows import LINES, SOURCE, ours
from tieout.connectors.netsuite_session import Row, Session, quoted
from tieout.connectors.ports import DocumentLine, ErpDocument
from tieout.money import to_minor

__all__ = ["changed_documents", "posted_documents"]

#: What SuiteQL calls the record types we create.
_KINDS: Final = {
    "ExpRept": "expenseReport",
    "Journal": "journalEntry",
    "VendBill": "vendorBill",
    "VendPymt": "vendorPayment",
}
#: Instants are of a time zone that the account chooses: a day more is asked for than is wanted.
_OVERLAP: Final = timedelta(days=1)
_IDS_MAX: Final = 500


def changed_documents(
    session: Session, subsidiary: str, own: str, since: date
) -> list[ErpDocument]:
    """Our documents by id, as the ledger has them; ``own`` is the company's currency.

    Raises:
        ConnectorError: they could not be read.
    """
    return _documents(session, subsidiary, own, [f"t.lastmodifieddate >= {_day(since - _OVERLAP)}"])


def posted_documents(session: Session, subsidiary: str, own: str, since: date) -> list[ErpDocument]:
    """Our documents in the ledger booked on a day or later, by date, then by id.

    A booking day is a calendar day in every time zone: no overlap is needed.

    Raises:
        ConnectorError: they could not be read.
    """
    where = [f"t.trandate >= {_day(since)}", "t.posting = 'T'"]
    found = _documents(session, subsidiary, own, where)
    return sorted(found, key=lambda one: (one.booked_on, int(one.doc_id.rpartition("/")[2])))


def _day(on: date) -> str:
    return f"TO_DATE({quoted(on.isoformat())}, 'YYYY-MM-DD')"


def _documents(session: Session, subsidiary: str, own: str, when: list[str]) -> list[ErpDocument]:
    """Documents whose external id has our form, by id."""
    kinds = ", ".join(quoted(kind) for kind in _KINDS)
    columns = (
        "t.id AS move, t.type AS type, t.tranid AS number, t.externalid AS reference,"
        " TO_CHAR(t.trandate, 'YYYY-MM-DD') AS day, t.posting AS posting"
    )
    where = [*when, f"t.type IN ({kinds})", "t.externalid IS NOT NULL"]
    heads = [
        row
        for row in session.rows(columns, "transaction t", where, ("move:t.id",))
        if ours(row) is not None
    ]
    lines = _lines(session, subsidiary, [int(row["move"]) for row in heads])
    # A document of another subsidiary has no lines here; one that clears has none at all.
    return [
        _document(row, lines.get(row["move"], []), own)
        for row in heads
        if row["move"] in lines or row["type"] == "VendPymt"
    ]


def _lines(session: Session, subsidiary: str, moves: list[int]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for start in range(0, len(moves), _IDS_MAX):
        ids = ", ".join(str(move) for move in moves[start : start + _IDS_MAX])
        where = [f"t.id IN ({ids})", f"tl.subsidiary = {int(subsidiary)}"]
        for row in session.rows(LINES, SOURCE, where, ("move:t.id", "line:tl.id")):
            found.setdefault(row["move"], []).append(row)
    return found


def _document(head: Row, rows: list[Row], own: str) -> ErpDocument:
    return ErpDocument(
        f"{_KINDS[head['type']]}/{head['move']}",
        "posted" if head["posting"] == "T" else "draft",
        head.get("number"),
        head["reference"],
        date.fromisoformat(head["day"]),
        tuple(_line(row, own) for row in rows),
    )


def _line(row: Row, own: str) -> DocumentLine:
    minor = to_minor(Decimal(row["amount"]), own)
    foreign = row["symbol"] != own
    return DocumentLine(
        gl_account=row["account"],
        debit_minor=max(minor, 0),
        credit_minor=max(-minor, 0),
        foreign_minor=to_minor(Decimal(row["foreignamount"]), row["symbol"]) if foreign else None,
        foreign_currency=row["symbol"] if foreign else None,
        party=None,
        narrative=row.get("memo") or "",
    )
