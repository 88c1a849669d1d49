"""What an answer of Dynamics 365 to a write proves.

The system has no codes of its own: a refusal is the text of its infolog, in an error of HTTP 400
or 500. Only texts of this one table are refusals; everything else after the first byte is UNKNOWN.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tieout.connectors.dynamics365_session import Row, parsed, retry_after, waiting
from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.ports import Delivery, Outcome
from tieout.errors import ConnectorError, TieoutError

__all__ = [
    "Verdict",
    "delivery",
    "left_unposted",
    "refusal",
    "refusal_code",
    "refused",
    "told",
    "unsent",
    "verdict",
]

_REFUSALS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (r"the record already exists", "RECORD_EXISTS"),
        (r"\bhas been posted\b|\balready posted\b", "ALREADY_POSTED"),
        (r"\bjournal name .* does not exist", "JOURNAL_UNKNOWN"),
        (r"does not allow a manual", "NUMBERING"),
        (r"\b(vendor|customer)\b.* does not exist", "PARTY_UNKNOWN"),
        (r"\bon hold\b", "PARTY_BLOCKED"),
        (r"\bdimension\b.* does not exist|\bdimension\b.* not valid", "COST_CENTER_UNKNOWN"),
        (r"\bbank account\b.* does not exist", "GL_ACCOUNT_UNKNOWN"),
        (r"\baccount\b.* does not exist", "GL_ACCOUNT_UNKNOWN"),
        (r"not allowed for manual entry|is suspended", "GL_ACCOUNT_BLOCKED"),
        (r"\bcurrency\b.* does not exist", "CURRENCY_UNKNOWN"),
        (r"\bfiscal period\b.* not open|\bperiod\b.* (is )?closed", "PERIOD_CLOSED"),
        (r"\bdo not balance\b|\bdoes not balance\b", "UNBALANCED"),
        (r"\bsales tax\b.* does not exist", "TAX_CODE_UNKNOWN"),
    )
)
#: The class the system names when its own business logic refused a row, which it then rolled back.
_WRITE: Final = "ODataWriteException"
_INFOLOG: Final = re.compile(r"Infolog:\s*(?:Error:\s*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a write came to; ``outcome`` is OK for any complete 2xx, which proves nothing yet."""

    outcome: Outcome
    code: str
    message: str


def refusal_code(text: str) -> str:
    """The code of an infolog's text; empty for one that is not known."""
    return next((code for pattern, code in _REFUSALS if pattern.search(text)), "")


def refused(status: int, body: bytes) -> Verdict | None:
    """A refusal by business logic, in the error of an answer; None where it is none."""
    if status not in (400, 500):
        return None
    text, kind = _told(parsed(body))
    said = " ".join(_INFOLOG.split(text)[-1].split())[:300]
    code = refusal_code(text)
    if kind.endswith(_WRITE) and (code or status == 400):
        return Verdict("REJECT", code or "REFUSED", f"Dynamics 365 refuses it: {said}")
    return None


def verdict(answer: HttpAnswer) -> Verdict:
    """What one answer proves; the order is the precedence."""
    if answer.kind == "unsent":
        outcome: Outcome = "THROTTLED" if answer.code == "LOGIN_THROTTLED" else "NOT_SENT"
        return Verdict(outcome, answer.code, answer.message)
    if answer.kind == "lost":
        return Verdict("UNKNOWN", answer.code, answer.message)
    if 200 <= answer.status < 300:
        return Verdict("OK", "OK", "")
    if answer.status == 429:
        message = f"Dynamics 365 takes no requests for now{waiting(answer)}"
        return Verdict("THROTTLED", "TOO_MANY_REQUESTS", message)
    found = refused(answer.status, answer.body)
    message = f"Dynamics 365 answered HTTP {answer.status}"
    return found or Verdict("UNKNOWN", answer.code, message)


def delivery(
    found: Verdict, answer: HttpAnswer, doc_id: str | None = None, number: str | None = None
) -> Delivery:
    """A verdict as the posting protocol takes it."""
    wait = retry_after(answer) if found.outcome == "THROTTLED" else None
    return Delivery(
        found.outcome, doc_id, number, found.code, found.message, answer.sha256, retry_after=wait
    )


def _told(body: Row) -> tuple[str, str]:
    """The inmost message of an error, and the class that raised it."""
    match body.get("error"):
        case {"innererror": {"message": str(text), "type": str(kind)}}:
            return text, kind
        case {"message": str(text)}:
            return text, ""
    return "", ""


def told(
    outcome: Outcome, code: str, message: str, answer: HttpAnswer, doc_id: str | None = None
) -> Delivery:
    """A delivery that a look at the answer has decided."""
    return Delivery(outcome, doc_id, None, code, message, answer.sha256)


def left_unposted(log: object, doc_id: str, sha256: str = "") -> Delivery:
    """The batch job has not posted the journal: it has not tried, or its ``log`` says why."""
    said = " ".join(str(log or "").split())[:300]
    if said:
        code = refusal_code(said) or "NOT_POSTED"
        message = f"the posting job left it: {said}"
        return Delivery("REJECT", doc_id, None, code, message, sha256)
    message = "not posted yet; Dynamics 365 posts it by its own batch job or workflow"
    return Delivery("PENDING", doc_id, None, "WAITS_FOR_POSTING", message, sha256)


def refusal(error: TieoutError) -> Delivery:
    """A journal that was refused before anything was sent."""
    mend = f" ({error.remedy})" if error.remedy else ""
    return Delivery("REJECT", None, None, error.code, f"{error.message}{mend}", "")


def unsent(error: ConnectorError, doc_id: str | None = None) -> Delivery:
    """A look before the write failed, so the write itself never left."""
    throttled = error.code in ("THROTTLED", "LOGIN_THROTTLED")
    outcome: Outcome = "THROTTLED" if throttled else "NOT_SENT"
    return Delivery(outcome, doc_id, None, error.code, str(error), "")
