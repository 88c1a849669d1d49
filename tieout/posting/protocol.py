"""The delivery of one intent to an ERP, as literal tables and pure functions.

One protocol for all capability classes (`tieout.connectors.ports.Capability`); they differ only in
when a create may be repeated, which `tieout.posting.sight` decides:

A  always: our reference is unique for ever
B  while the system remembers our key; then it is only looked up, and at last a person judges
C  always: the ERP makes a draft, then posts it *by its id*. Posting a known id twice is one
   posting, and the id is written once into the ledger, so a document can be posted only by its
   row; whatever else a lost reply or a second worker leaves behind is a draft that nobody posts,
   and is deleted. No assumption about timing is needed (but after a fail-over, `Limits.settle`)
D  when nothing that was sent before can still land: a look at the end of the settle time found
   nothing
E  never

And a refusal, or a deletion, is the end only when no earlier, unanswered create can still land: in
C it would be a draft that nobody posts, in all others the settle time must be over. What a system
says it works on is never sent again, but in A and C.

One round: `decide` names the next request of a row, the worker performs it, `step` says what the
answer means. CONFIRMED has one door: the document was looked at after posting, is equal to what
was approved, and is alone. Nothing here reads a clock, a database or a network: the same functions
run in the worker, in the crash tests, in a simulator and in a model checker.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from tieout.errors import LedgerError
from tieout.posting.pace import Limits
from tieout.posting.sight import see
from tieout.posting.terms import Command, Observation, Row
from tieout.states import move

__all__ = ["STEPS", "TERMINAL", "WORKING", "Step", "Then", "claim_event", "decide", "step"]

Then = Literal["go", "wait", "stop"]

#: States a worker may claim; the rest is final, or a person's to decide.
WORKING: Final = ("READY", "RETRY_WAIT", "SENDING", "UNKNOWN", "DRAFTED", "VOIDING")
TERMINAL: Final = ("CONFIRMED", "REJECTED", "CANCELLED", "MANUAL")

#: (state, what was seen, event of the OUTBOX table or None, then). What is not here is illegal.
STEPS: Final[tuple[tuple[str, str, str | None, Then], ...]] = (
    ("SENDING", "draft made", "draft made", "go"),
    ("SENDING", "there already", "unknown", "wait"),
    ("SENDING", "not sent", "not sent", "wait"),
    ("SENDING", "throttled", "throttled", "wait"),
    ("SENDING", "unanswered", "unknown", "wait"),
    ("SENDING", "under way", "accepted", "wait"),
    ("SENDING", "refused", "reject", "stop"),
    ("SENDING", "refused, after an unknown", "reject after unknown", "go"),
    ("UNKNOWN", "blind", None, "wait"),
    ("UNKNOWN", "under way", None, "wait"),
    ("UNKNOWN", "found", "document found", "go"),
    ("UNKNOWN", "not shown", None, "go"),
    ("UNKNOWN", "gone", "conflict", "stop"),
    ("UNKNOWN", "several posted", "conflict", "stop"),
    ("UNKNOWN", "nothing", "not found", "go"),
    ("UNKNOWN", "nothing, refused before", "not found, rejected before", "stop"),
    ("UNKNOWN", "nothing yet", None, "wait"),
    ("UNKNOWN", "nothing, attempts spent", "attempts spent", "stop"),
    ("DRAFTED", "blind", None, "wait"),
    ("DRAFTED", "not shown", None, "go"),
    ("DRAFTED", "not shown yet", None, "wait"),
    ("DRAFTED", "draft", None, "go"),
    ("DRAFTED", "draft still", None, "wait"),
    ("DRAFTED", "draft, attempts spent", "attempts spent", "stop"),
    ("DRAFTED", "posted", "posted", "stop"),
    ("DRAFTED", "posted, orphan beside", None, "go"),
    ("DRAFTED", "differs", "conflict", "stop"),
    ("DRAFTED", "gone", "draft gone", "stop"),
    ("DRAFTED", "gone, orphan beside", "draft gone", "stop"),
    ("DRAFTED", "several posted", "conflict", "stop"),
    ("DRAFTED", "another stays", "conflict", "stop"),
    ("DRAFTED", "answered", None, "go"),
    ("DRAFTED", "refused", "post rejected", "go"),
    ("DRAFTED", "not sent", None, "wait"),
    ("DRAFTED", "throttled", None, "wait"),
    ("DRAFTED", "unanswered", None, "wait"),
    ("DRAFTED", "under way", None, "wait"),
    ("DRAFTED", "orphan answered", None, "go"),
    ("DRAFTED", "orphan unanswered", None, "wait"),
    ("VOIDING", "blind", None, "wait"),
    ("VOIDING", "draft", None, "go"),
    ("VOIDING", "draft still", None, "wait"),
    ("VOIDING", "draft, attempts spent", "attempts spent", "stop"),
    ("VOIDING", "posted", "already posted", "go"),
    ("VOIDING", "posted, orphan beside", "already posted", "go"),
    ("VOIDING", "not shown", None, "go"),
    ("VOIDING", "gone", "deleted", "stop"),
    ("VOIDING", "gone, another may land", None, "wait"),
    ("VOIDING", "gone, orphan beside", None, "go"),
    ("VOIDING", "several posted", "conflict", "stop"),
    ("VOIDING", "another stays", "conflict", "stop"),
    ("VOIDING", "answered", None, "go"),
    ("VOIDING", "refused", None, "go"),
    ("VOIDING", "not sent", None, "wait"),
    ("VOIDING", "throttled", None, "wait"),
    ("VOIDING", "unanswered", None, "wait"),
    ("VOIDING", "under way", None, "wait"),
    ("VOIDING", "orphan answered", None, "go"),
    ("VOIDING", "orphan unanswered", None, "wait"),
)
_INDEX: Final = {(state, sight): (event, then) for state, sight, event, then in STEPS}


@dataclass(frozen=True, slots=True)
class Step:
    """What an observation means: the event of the OUTBOX table (or none), the row after it."""

    event: str | None
    then: Then
    row: Row
    sight: str


def claim_event(state: str, *, unknown: bool) -> str | None:
    """The event of taking a row that is due and nobody's.

    After a create that may have landed, one that did not leave is followed by a look: what made
    repeating it safe (a key that was alive) may have ended while it waited.
    """
    if state == "RETRY_WAIT" and unknown:
        return "claim, unknown before"
    if state in ("READY", "RETRY_WAIT"):
        return "claim"
    return "lease over" if state == "SENDING" else None


def decide(row: Row) -> Command | None:
    """The next request of a claimed row; None where there is nothing to do."""
    if row.state == "SENDING":
        return Command("create")
    if row.state == "UNKNOWN":
        return Command("read", row.doc_id) if row.missed else Command("find")
    if row.state not in ("DRAFTED", "VOIDING"):
        return None
    if row.orphan is not None:
        return Command("delete", row.orphan)
    if row.checked:
        return Command("post" if row.state == "DRAFTED" else "delete", row.doc_id)
    # Only a create that may have happened unseen leaves anything beside our document.
    return Command("find") if row.unknown and not row.missed else Command("read", row.doc_id)


def step(row: Row, observation: Observation, limits: Limits) -> Step:
    """What an observation means for a row.

    Raises:
        LedgerError: ``STEP_ILLEGAL`` where the table has no such step.
    """
    sight, after = see(row, observation, limits)
    if (row.state, sight) not in _INDEX:
        raise LedgerError(
            "STEP_ILLEGAL",
            f"an intent that is {row.state} cannot see {sight!r}",
            remedy="this is a defect in tieout: nothing was sent after it; please report it",
        )
    event, then = _INDEX[row.state, sight]
    if event is not None:
        after = replace(after, state=move("outbox", row.state, event), checked=False, missed=False)
    if after.state == "UNKNOWN":
        after = replace(after, unknown=True)
    return Step(event, then, after, sight)
