"""Does the document in the ERP say what was approved? Compared before anything is confirmed."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tieout.connectors.ports import DocumentLine, ErpDocument, Journal, JournalLine
from tieout.posting.terms import SeenDocument

__all__ = ["differences", "seen"]


def differences(journal: Journal, document: ErpDocument) -> tuple[str, ...]:
    """Each difference in reference, date, accounts and amounts, in words; empty when equal.

    The order of lines is the ERP's own affair. A foreign amount is compared where we sent one.
    """
    found = []
    if document.external_ref != journal.external_ref:
        found.append(f"reference {document.external_ref!r}, sent {journal.external_ref!r}")
    if document.booked_on != journal.booked_on and not journal.clears:  # its lines' own day
        found.append(f"booked on {document.booked_on}, sent {journal.booked_on}")
    sent = Counter(_plain(line) for line in journal.lines)
    there = Counter(_plain(line) for line in document.lines)
    found += [f"line {_words(line)} is missing" for line in sorted((sent - there).elements())]
    found += [f"line {_words(line)} was not sent" for line in sorted((there - sent).elements())]
    if not found:
        foreign_sent = Counter(_foreign(x) for x in journal.lines if x.foreign_currency)
        foreign_there = Counter(_foreign(x) for x in document.lines if x.foreign_currency)
        missing = sorted((foreign_sent - foreign_there).elements())
        found += [
            f"foreign amount {amount} {code} on {gl} is missing" for gl, amount, code in missing
        ]
    return tuple(found)


def seen(journal: Journal, document: ErpDocument) -> SeenDocument:
    """The document as the protocol sees it."""
    return SeenDocument(
        document.doc_id,
        document.state == "posted",
        document.number or "",
        differences(journal, document),
    )


def _plain(line: JournalLine | DocumentLine) -> tuple[str, int, int]:
    return line.gl_account, line.debit_minor, line.credit_minor


def _foreign(line: JournalLine | DocumentLine) -> tuple[str, int, str]:
    return line.gl_account, line.foreign_minor or 0, line.foreign_currency or ""


def _words(line: tuple[Any, ...]) -> str:
    gl_account, debit, credit = line
    return f"{gl_account} debit {debit} credit {credit} (minor units)"
