"""What became of a write to NetSuite, in the posting protocol's outcomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tieout.connectors import ports
from tieout.connectors.netsuite_readback import approval
from tieout.connectors.netsuite_wire import Answer
from tieout.errors import ConnectorError
from tieout.profile_lines import place_of

__all__ = ["delivery", "not_sent", "outcome", "refusal", "told"]

_LINE: Final = re.compile(r"line\.items\[(\d{1,4})\]\.", re.ASCII)


def told(
    kind: str,
    record: Mapping[str, Any] | None,
    doc_id: str,
    code: str,
    answer: Answer | None = None,
) -> ports.Delivery | None:
    """What a record says of itself: posted, refused by an approver, gone; None while it waits."""
    digest = answer.sha256 if answer else ""
    if record is None:
        return ports.Delivery("REJECT", doc_id, None, "GONE", "there is no such document", digest)
    status = approval(kind, record)
    number = record.get("tranId")
    if status == "approved":
        return ports.Delivery("OK", doc_id, number, code, "", digest)
    if status == "rejected":
        message = "an approver in NetSuite refused it"
        return ports.Delivery("REJECT", doc_id, number, "APPROVAL_REFUSED", message, digest)
    return None


def refusal(journal: ports.Journal, answer: Answer) -> ports.Delivery:
    """A refusal for good, with the line of the mapping it is about where NetSuite tells which."""
    if answer.path == "postingPeriod":
        return delivery("REJECT", answer, "PERIOD_CLOSED")
    refused = delivery("REJECT", answer)
    found = _LINE.match(answer.path)
    if found is None or int(found[1]) >= len(journal.lines) or journal.liability is not None:
        return refused
    account = journal.lines[int(found[1])].gl_account
    place = place_of(account, erp="netsuite")
    words = f"{refused.message}; GL account {account}" + (f" stands in {place}" if place else "")
    return replace(refused, message=words)


def outcome(answer: Answer) -> ports.Outcome:
    """The outcome of a write that did not simply succeed; the order is the precedence."""
    if answer.kind == "unsent":
        return "NOT_SENT"
    if answer.kind == "throttled":
        return "THROTTLED"
    return "REJECT" if answer.kind == "refused" else "UNKNOWN"


def delivery(
    outcome: ports.Outcome,
    answer: Answer,
    code: str = "",
    doc_id: str | None = None,
    number: str | None = None,
) -> ports.Delivery:
    """A delivery in NetSuite's own words, with what it says they are about."""
    place = f" ({answer.path})" if answer.path else ""
    message = f"{answer.message}{place}"
    return ports.Delivery(
        outcome,
        doc_id,
        number,
        code or answer.code,
        message,
        answer.sha256,
        answer.retry_after if outcome == "THROTTLED" else None,
    )


def not_sent(error: ConnectorError, doc_id: str | None = None) -> ports.Delivery:
    """The lookup before a write failed, so the write itself never left."""
    throttled = error.code in ("CONCURRENCY_LIMIT_EXCEEDED", "LOGIN_THROTTLED")
    outcome: ports.Outcome = "THROTTLED" if throttled else "NOT_SENT"
    return ports.Delivery(outcome, doc_id, None, error.code, error.message, "")
