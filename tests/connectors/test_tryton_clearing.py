"""Open items of the real Tryton cleared against one another, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.connectors.books import DAY, draft, fee, outcome
from tieout.connectors.ports import Journal, JournalLine
from tieout.connectors.tryton import TrytonConnector
from tieout.posting.readback import differences


def receivable(books: TrytonConnector, reference: str, amount: int) -> str:
    """A posted line on the receivable account; its id."""
    party = books.partners("NORD")[0].code
    sides = (abs(amount), 0) if amount > 0 else (0, abs(amount))
    lines = (
        JournalLine("1200", *sides, party=party),
        JournalLine("1810", *reversed(sides)),
    )
    doc_id = draft(books, replace(fee(reference), lines=lines))
    assert books.post(doc_id).outcome == "OK"
    items = books.open_items("NORD", on=date(2026, 12, 31))
    (found,) = [item for item in items if item.move_id == doc_id]
    return found.line_id


def clearing(reference: str, *lines: str) -> Journal:
    return Journal(reference, "NORD", "bank", DAY, "Cleared", "EUR", (), clears=lines)


def test_lines_are_cleared_once_and_found_by_our_reference(books: TrytonConnector) -> None:
    invoice = receivable(books, "CLEARA0000000001", 5_000)
    payment = receivable(books, "CLEARA0000000002", -5_000)
    wanted = clearing("CLEARA0000000003", invoice, payment)
    assert books.capability(wanted).kind == "A"
    assert books.find(wanted).documents == ()
    done = books.create(wanted)
    assert outcome(done) == ("OK", "CLEARED"), done
    document = books.read(done.doc_id or "")
    assert document is not None
    assert differences(wanted, document) == ()
    assert books.find(wanted).documents == (document,)
    assert outcome(books.create(wanted)) == ("EXISTS", "CLEARED")
    other = receivable(books, "CLEARA0000000004", -5_000)
    taken = clearing("CLEARA0000000005", invoice, other)
    assert outcome(books.create(taken)) == ("REJECT", "LINE_CLEARED")
    assert books.find(taken).documents == ()
    left = {item.line_id for item in books.open_items("NORD", on=date(2026, 12, 31))}
    assert left.isdisjoint({invoice, payment})
    assert outcome(books.delete_draft(document.doc_id)) == ("REJECT", "ALREADY_POSTED")


def test_what_cannot_be_cleared_is_refused_by_name(books: TrytonConnector) -> None:
    invoice = receivable(books, "CLEARB0000000001", 5_000)
    payment = receivable(books, "CLEARB0000000002", -4_000)
    cases = {
        (invoice, payment): "UNBALANCED",
        (invoice,): "LINES_FEW",
        (invoice, "999999999"): "LINE_UNKNOWN",
        (invoice, "no id"): "LINE_UNKNOWN",
    }
    for lines, code in cases.items():
        assert outcome(books.create(clearing("CLEARB0000000003", *lines))) == ("REJECT", code)
    other = replace(clearing("CLEARB0000000004", invoice, payment), company="OTHER")
    assert outcome(books.create(other)) == ("REJECT", "COMPANY_OTHER")
