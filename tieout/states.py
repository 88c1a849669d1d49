"""Every state model, one literal table each: (from, event, to), rendered to the docs and CHECKed.

The database's CHECK constraints are generated from these tables, and a test walks the whole cross
product of states and events, legal and illegal.
"""

from __future__ import annotations

from typing import Final

from tieout.errors import LedgerError

__all__ = ["MODELS", "Table", "check_sql", "move", "states_of"]

Table = tuple[tuple[str, str, str], ...]

FILE: Final[Table] = (
    ("claimed", "identified", "identified"),
    ("claimed", "refused", "quarantined"),
    ("identified", "recorded", "recorded"),
    ("identified", "refused", "quarantined"),
    ("identified", "same statements", "duplicate"),
    ("identified", "no statements", "recorded"),
    ("quarantined", "released", "claimed"),
)

STATEMENT: Final[Table] = (
    ("accepted", "superseded", "superseded"),
    ("accepted", "gap found", "staged"),
    ("staged", "gap closed", "accepted"),
    ("staged", "superseded", "superseded"),
    ("superseded", "counts again", "accepted"),
    ("superseded", "waits again", "staged"),
)

#: Withdrawn: proposed, and not derived any more. Rejected and undone groups come back where the
#: bank takes a correction back, or where a person decides so.
GROUP: Final[Table] = (
    ("proposed", "confirm", "confirmed"),
    ("proposed", "reject", "rejected"),
    ("proposed", "withdraw", "withdrawn"),
    ("confirmed", "undo", "undone"),
    ("rejected", "propose again", "proposed"),
    ("rejected", "confirm again", "confirmed"),
    ("undone", "propose again", "proposed"),
    ("undone", "confirm again", "confirmed"),
    ("withdrawn", "propose again", "proposed"),
    ("withdrawn", "confirm again", "confirmed"),
)

EXCEPTION: Final[Table] = (
    ("open", "assign", "assigned"),
    ("assigned", "unassign", "open"),
    ("open", "resolve", "resolved"),
    ("assigned", "resolve", "resolved"),
    ("resolved", "reopen", "open"),
)

ADJUSTMENT: Final[Table] = (
    ("proposed", "submit", "pending"),
    ("pending", "approve", "approved"),
    ("pending", "reject", "rejected"),
    ("pending", "expire", "expired"),
    ("pending", "withdraw", "withdrawn"),
    ("approved", "posted", "posted"),
    ("approved", "refused by ERP", "refused"),
    ("approved", "approval void", "withdrawn"),
    ("approved", "cancel", "rejected"),
    ("refused", "replay", "withdrawn"),
    ("posted", "reversed", "reversed"),
)

#: The delivery protocol (PROTOCOLS in ARCHITECTURE.md), one table for all capability classes: a
#: class only says when a create may be repeated. CONFIRMED has one door, DRAFTED (= the document's
#: id is known): what was found by reference, or turned out posted while it was voided, goes there
#: too, so that nothing is confirmed without being compared, and alone; only where nothing can be
#: asked (class E) two people's word stands for it. The id being written once, a
#: document that is gone is a person's to judge.
OUTBOX: Final[Table] = (
    ("READY", "claim", "SENDING"),
    ("READY", "cancel", "CANCELLED"),
    ("READY", "epoch changed", "UNKNOWN"),
    ("SENDING", "not sent", "RETRY_WAIT"),
    ("SENDING", "throttled", "RETRY_WAIT"),
    ("SENDING", "draft made", "DRAFTED"),
    ("SENDING", "unknown", "UNKNOWN"),
    ("SENDING", "accepted", "UNKNOWN"),
    ("SENDING", "reject", "REJECTED"),
    ("SENDING", "reject after unknown", "UNKNOWN"),
    ("SENDING", "lease over", "UNKNOWN"),
    ("SENDING", "epoch changed", "UNKNOWN"),
    ("RETRY_WAIT", "claim", "SENDING"),
    ("RETRY_WAIT", "claim, unknown before", "UNKNOWN"),
    ("RETRY_WAIT", "epoch changed", "UNKNOWN"),
    ("UNKNOWN", "document found", "DRAFTED"),
    ("UNKNOWN", "conflict", "MANUAL"),
    ("UNKNOWN", "not found", "SENDING"),
    ("UNKNOWN", "not found, rejected before", "REJECTED"),
    ("UNKNOWN", "attempts spent", "MANUAL"),
    ("DRAFTED", "posted", "CONFIRMED"),
    ("DRAFTED", "post rejected", "VOIDING"),
    ("DRAFTED", "conflict", "MANUAL"),
    ("DRAFTED", "draft gone", "MANUAL"),
    ("DRAFTED", "attempts spent", "MANUAL"),
    ("VOIDING", "deleted", "REJECTED"),
    ("VOIDING", "already posted", "DRAFTED"),
    ("VOIDING", "conflict", "MANUAL"),
    ("VOIDING", "attempts spent", "MANUAL"),
    ("MANUAL", "release", "UNKNOWN"),
    ("MANUAL", "document stated", "DRAFTED"),
    ("MANUAL", "posting stated", "CONFIRMED"),
    ("MANUAL", "absence stated", "REJECTED"),
)

MODELS: Final[dict[str, Table]] = {
    "adjustment": ADJUSTMENT,
    "exception": EXCEPTION,
    "file": FILE,
    "group": GROUP,
    "outbox": OUTBOX,
    "statement": STATEMENT,
}


def states_of(model: str) -> tuple[str, ...]:
    """All states of a model, in the order the table first names them."""
    seen: dict[str, None] = {}
    for before, _, after in MODELS[model]:
        seen.setdefault(before)
        seen.setdefault(after)
    return tuple(seen)


def check_sql(model: str, column: str = "state") -> str:
    """The CHECK that a column holds one of the model's states."""
    return f"{column} IN ({', '.join(repr(s) for s in states_of(model))})"


def move(model: str, state: str, event: str) -> str:
    """The state after ``event``.

    Raises:
        LedgerError: ``STATE_ILLEGAL`` where the table has no such arrow.
    """
    for before, name, after in MODELS[model]:
        if before == state and name == event:
            return after
    raise LedgerError(
        "STATE_ILLEGAL",
        f"{'an' if model[0] in 'aeiou' else 'a'} {model} that is {state!r} cannot take {event!r}",
        remedy="reload it: somebody may have acted on it meanwhile",
    )
