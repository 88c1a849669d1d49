"""Change sets of Dynamics 365: what is created or voided in one, and what its answer proves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tieout.connectors.dynamics365_batch import Operation, Part, decoded, encoded
from tieout.connectors.dynamics365_journals import is_void, key_path
from tieout.connectors.dynamics365_outcome import Verdict, refused, verdict
from tieout.connectors.dynamics365_records import VOID, reference_in, rendered
from tieout.connectors.dynamics365_session import Row, Session, literal
from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.ports import Delivery, Journal

__all__ = ["HEADERS", "LINES", "Changes", "Planned", "inserts", "kept_because", "voiding"]

HEADERS = "/data/LedgerJournalHeaders"
LINES = "/data/LedgerJournalLines"


@dataclass(frozen=True, slots=True)
class Planned:
    """A journal and the rows that make it."""

    journal: Journal
    header: Row
    lines: list[Row]


class Changes:
    """Sends change sets, many in one request; each stands or falls by itself."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def send(
        self, change_sets: Sequence[Sequence[Operation]], point: str
    ) -> tuple[HttpAnswer, list[Verdict]]:
        """The answer, and one verdict for each change set, in their order."""
        kind, content = encoded(change_sets)
        headers = {"Content-Type": kind, "Prefer": "odata.continue-on-error"}
        answer = self._session.write(
            "POST", "/data/$batch", point=point, content=content, headers=headers
        )
        whole = verdict(answer)
        if whole.outcome != "OK":
            return answer, [whole] * len(change_sets)
        parts = decoded(answer)
        if parts is None or len(parts) > len(change_sets):
            lost = Verdict("UNKNOWN", "UNPARSABLE", "the batch's answer is not whole")
            return answer, [lost] * len(change_sets)
        found = [_judged(part, len(sent)) for part, sent in zip(parts, change_sets, strict=False)]
        missing = Verdict("UNKNOWN", "NOT_TOLD", "the batch's answer ends before this one")
        return answer, found + [missing] * (len(change_sets) - len(found))


def _judged(parts: list[Part], sent: int) -> Verdict:
    """What the answer to one change set proves: every operation done, or one refusal of all."""
    if len(parts) == sent and all(200 <= part.status < 300 for part in parts):
        return Verdict("OK", "OK", "")
    if len(parts) != 1:
        return Verdict("UNKNOWN", "UNPARSABLE", "the batch's answer does not fit what was sent")
    (part,) = parts
    if part.status == 412:
        return Verdict("UNKNOWN", "CHANGED", "somebody changed the record meanwhile")
    if part.status == 404:
        return Verdict("UNKNOWN", "CHANGED", "a record is not there")
    found = refused(part.status, part.body)
    message = f"Dynamics 365 answered HTTP {part.status} to the change set"
    return found or Verdict("UNKNOWN", f"HTTP_{part.status}", message)


def inserts(headers: Sequence[Row], lines: Sequence[Row]) -> list[Operation]:
    """A journal's header and lines, in this order: a line needs its header."""
    made = [Operation("POST", HEADERS, rendered(values)) for values in headers]
    return made + [Operation("POST", LINES, rendered(values)) for values in lines]


def voiding(doc_id: str, header: Row, lines: Sequence[Row], *, keep: bool) -> list[Operation]:
    """Delete a journal, or, where any journal may be posted, empty it for ever.

    The number stays taken then, so that a create still under way finds it and does nothing.
    """
    tag = str(header.get("@odata.etag", ""))
    path = f"{key_path(doc_id)}?cross-company=true"
    if not keep:
        return [Operation("DELETE", path, if_match=tag)]
    text = rendered({"Description": f"[{reference_in(header['Description'])}] {VOID}"})
    operations = [Operation("PATCH", path, text, tag)]
    return operations + [Operation("DELETE", _line_path(line)) for line in lines]


def kept_because(header: Row | None, lines: Sequence[Row], doc_id: str) -> Delivery | None:
    """Why a draft is not to be voided: it is gone, posted, or not one of ours."""
    if header is None:
        return Delivery("OK", doc_id, None, "GONE", "there is no such journal", "")
    if header["IsPosted"] == "Yes":
        return Delivery("REJECT", doc_id, None, "ALREADY_POSTED", "the journal is posted", "")
    reference = reference_in(header["Description"])
    if not reference:
        message = "the draft carries no reference of ours"
        return Delivery("REJECT", doc_id, None, "NOT_OURS", message, "")
    if is_void(header, reference) and not lines:
        return Delivery("OK", doc_id, None, "GONE", "the journal is voided", "")
    return None


def _line_path(line: Row) -> str:
    key = (
        f"dataAreaId={literal(str(line['dataAreaId']))},"
        f"JournalBatchNumber={literal(str(line['JournalBatchNumber']))},"
        f"LineNumber={line['LineNumber']}"
    )
    return f"{LINES}({key})?cross-company=true"
