"""What SAP's answers to a write mean, in the words of the posting protocol."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.ports import Delivery, ErpDocument, Outcome
from tieout.connectors.sap_documents import doc_id_of
from tieout.connectors.sap_masters import RefusedError, placed
from tieout.connectors.sap_session import error_of, is_page
from tieout.connectors.sap_soap import Confirmed, Entry

__all__ = [
    "delivery_of",
    "known_of",
    "lost_of",
    "refusal_of",
    "taken_of",
    "unsent_of",
]

#: The one severity that, with no document, is a refusal; 4 is an abort and proves nothing.
_REFUSED: Final = "3"
_FINE: Final = ("1", "2")
#: Our names for messages; what is not listed is REFUSED, with SAP's own words.
_REASONS: Final = {
    "102(F5)": "PARTY_UNKNOWN",
    "117(F5)": "UNBALANCED",
    "165(F5)": "COMPANY_UNKNOWN",
    "201(F5)": "PERIOD_CLOSED",
    "203(KM)": "COST_CENTER_BLOCKED",
    "235(KI)": "COST_CENTER_MISSING",
    "263(F5)": "NOT_OPEN",
    "265(KS)": "COST_CENTER_INVALID",
    "286(F5)": "PERIOD_CLOSED",
    "308(F5A)": "CLEARED_ITEMS",
    "351(F5)": "GL_ACCOUNT_BLOCKED",
    "354(F5)": "GL_ACCOUNT_BLOCKED",
    "361(F5A)": "ALREADY_REVERSED",
    "397(F5)": "DOCUMENT_UNKNOWN",
    "506(F5)": "GL_ACCOUNT_UNKNOWN",
    "702(F5)": "UNBALANCED",
    "748(FF)": "TAX_CODE_UNKNOWN",
    "805(FF)": "TAX_BASE_OTHER",
    "808(F5)": "FIELD_MISSING",
}


def refusal_of(error: RefusedError, erp: str) -> Delivery:
    """A check before sending refused it; the line of the ERP's mapping to mend is named."""
    return Delivery("REJECT", None, None, error.code, str(placed(error, erp)), "")


def unsent_of(code: str, message: str, doc_id: str | None = None) -> Delivery:
    """What had to be known first could not be asked: the write never left."""
    outcome: Outcome = "THROTTLED" if code in ("HTTP_429", "LOGIN_THROTTLED") else "NOT_SENT"
    return Delivery(outcome, doc_id, None, code, message, "")


def lost_of(answer: HttpAnswer, code: str = "", message: str = "") -> Delivery:
    """A write that was not answered as its service answers."""
    if answer.kind == "unsent":
        return unsent_of(answer.code, answer.message)
    if answer.status == 429:
        pause = answer.headers.get("retry-after", "")
        wait = timedelta(seconds=int(pause)) if pause.isascii() and pause.isdigit() else None
        told = "SAP has too many requests"
        return Delivery("THROTTLED", None, None, "HTTP_429", told, answer.sha256, wait)
    if not code and answer.status != 401 and is_page(answer):
        code, message = "MAINTENANCE", f"SAP shows a page (HTTP {answer.status}), no answer"
    reason = code or (answer.code if answer.code != "OK" else f"HTTP_{answer.status}")
    words = error_of(answer.body) if answer.kind == "answered" else ""
    told = message or answer.message or words or f"SAP answered HTTP {answer.status}"
    return Delivery("UNKNOWN", None, None, reason, told, answer.sha256)


def delivery_of(entry: Entry, parts: Sequence[Confirmed], answer: HttpAnswer) -> Delivery:
    """What the synchronous service says of one entry of a request."""
    own = [part for part in parts if part.reference == entry.message_id]
    if len(own) != 1:
        message = f"SAP's answer tells {len(own)} times of {entry.message_id}"
        return lost_of(answer, "NOT_CONFIRMED", message)
    part = own[0]
    if part.document and part.severity in _FINE:
        if part.company_code == entry.company_code and part.year.isdigit():
            return _posted(part, answer)
        message = f"SAP confirms {part.company_code}/{part.year}, not {entry.company_code}"
        return lost_of(answer, "NOT_CONFIRMED", message)
    errors = [one for one in part.messages if one[1] == _REFUSED]
    if not part.document and part.severity == _REFUSED and errors:
        return Delivery("REJECT", None, None, _reason(part), _words(part), answer.sha256)
    message = f"document {part.document or 'none'} with severity {part.severity or 'none'}"
    return lost_of(answer, "CONTRADICTION", f"SAP's answer contradicts itself: {message}")


def taken_of(answer: HttpAnswer, part: Confirmed | None = None) -> Delivery:
    """What an asynchronous service says: that it took a message, or by callback what became of it.

    Nothing it says is a refusal for good: a person may restart what failed.
    """
    if part is not None:
        if part.document and part.severity in _FINE:
            return _posted(part, answer)
        message = f"{_words(part)}; a person may restart or cancel it in SAP's message dashboard"
        return Delivery("PENDING", None, None, _reason(part), message, answer.sha256)
    if answer.status == 202:
        message = "SAP has taken the message and posts it later"
        return Delivery("PENDING", None, None, "TAKEN", message, answer.sha256)
    return lost_of(answer)


def known_of(document: ErpDocument | None, doc_id: str) -> Delivery:
    """A document that should be there was looked for."""
    if document is None:
        return Delivery("UNKNOWN", doc_id, None, "NOT_THERE", f"SAP does not show {doc_id}", "")
    message = f"posted as {document.number}"
    return Delivery("OK", doc_id, document.number, "ALREADY_POSTED", message, "")


def _posted(part: Confirmed, answer: HttpAnswer) -> Delivery:
    doc_id = doc_id_of(part.company_code, part.year, part.document)
    return Delivery("OK", doc_id, doc_id[-10:], "POSTED", _words(part), answer.sha256)


def _reason(part: Confirmed) -> str:
    return next((_REASONS[kind] for kind, _, _ in part.messages if kind in _REASONS), "REFUSED")


def _words(part: Confirmed) -> str:
    """SAP's own words: the errors, or the one message of success."""
    errors = [one for one in part.messages if one[1] not in _FINE]
    chosen = errors or list(part.messages[:1])
    return "; ".join(f"{kind} {words}" for kind, _, words in chosen)[:500]
