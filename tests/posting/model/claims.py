"""What the ledger does in the model: claim, know, record, fail over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.posting.model.design import Design, Ledger, Worker
from tieout.errors import LedgerError
from tieout.posting.protocol import TERMINAL, WORKING, Step, claim_event
from tieout.posting.terms import Answer, Observation, Row, Seen
from tieout.states import move

_EPOCH = 10  # a new epoch starts its fences above any number the old one can have used


def kept(row: Row, before: Row, observation: Observation | None) -> Row:
    """What the ledger keeps of a row: its columns, and what its attempts tell the next claim."""
    refused, accepted = before.refused, before.accepted
    if isinstance(observation, Answer) and observation.command.phase == "create":
        outcome = observation.delivery.outcome
        accepted = accepted or outcome == "PENDING"
        if outcome in ("OK", "EXISTS", "REJECT"):
            refused = outcome == "REJECT"
    return Row(
        row.state,
        row.doc_id,
        row.attempts,
        row.unknown,
        refused,
        kind=row.kind,
        accepted=accepted,
    )


def begun(design: Design, row: Row) -> Row:
    """The row with its next effect counted, as the worker commits it before it sends."""
    command = design.decide(row)
    return replace(row, attempts=row.attempts + (command is not None and command.effect))


def with_row(ledger: Ledger, lane: int, row: Row) -> Ledger:
    """The ledger with another row."""
    return ledger._replace(rows=(*ledger.rows[:lane], row, *ledger.rows[lane + 1 :]))


def claimable(ledger: Ledger, lane: int) -> bool:
    """Whether anybody may claim; every lease may be over, every due time come."""
    row = ledger.rows[lane]
    return row is not None and row.state in WORKING and not ledger.held and ledger.entered


def knowing(design: Design, row: Row, quiet: bool, expired: bool) -> Iterator[Row]:
    """What a claim may know of time.

    `settled` only when nothing that was sent before can still land or show: that is what the
    settle time of a class promises, and the one assumption about timing there is. A key may be
    taken for dead too early, never too late. Anything accepted may take too long.
    """
    timed = row.kind not in ("C", "E")
    for settled in (True, False) if timed and quiet else (not timed,):
        believed = row.kind == "B" and (design.key_believed or not expired)
        for alive in (True, False) if believed and not design.key_believed else (believed,):
            for overdue in (False, True) if row.kind in ("B", "D") and row.accepted else (False,):
                yield replace(row, settled=settled, key_alive=alive, overdue=overdue)


def claim(
    design: Design, ledger: Ledger, lane: int, *, quiet: bool, expired: bool, past: bool
) -> Iterator[tuple[Ledger, Worker]]:
    """One worker takes a row, and commits its first attempt with the claim."""
    stored = ledger.rows[lane]
    assert stored is not None
    event = claim_event(stored.state, unknown=stored.unknown and not design.claims_blindly)
    if stored.state == "READY" and past and design.epoch_guard:
        event = "epoch changed"
    state = stored.state if event is None else move("outbox", stored.state, event)
    row = replace(stored, state=state, unknown=stored.unknown or state == "UNKNOWN")
    fence = ledger.fences[lane] + (1 if design.fenced else 0)
    fences = (*ledger.fences[:lane], fence, *ledger.fences[lane + 1 :])
    for known in knowing(design, row, quiet, expired):
        working = begun(design, known)
        after = with_row(ledger, lane, kept(working, stored, None))._replace(fences=fences)
        yield after, Worker(lane, fence, working, "send")


def record(design: Design, ledger: Ledger, worker: Worker) -> tuple[Ledger, Worker | None]:
    """One worker records what it saw; it is gone where somebody else has the row, or it waits."""
    stored = ledger.rows[worker.lane]
    assert not isinstance(worker.status, str)
    if stored is None:
        return ledger, None
    mine = ledger.fences[worker.lane] == worker.fence and stored.state == worker.row.state
    if worker.old or (not mine and (design.fenced or stored.state in TERMINAL)):
        return ledger, None
    try:
        taken = design.step(worker.row, worker.status, design.limits)
    except LedgerError:
        if design.fenced:
            raise
        return ledger, None  # a worker without a fence may meet what cannot be
    row = taken.row
    if design.write_once and stored.doc_id not in (None, row.doc_id):
        return ledger, None
    goes = taken.then == "go" and not ledger.held
    if worker.late and design.lease_checked:
        goes = False
    if goes:
        row = begun(design, row)
    after = with_row(ledger, worker.lane, kept(row, stored, worker.status))
    after = after._replace(wrong=_wrong(design, taken, worker.status))
    return after, worker._replace(row=row, status="send", batch=False) if goes else None


def _wrong(design: Design, taken: Step, seen: Observation) -> str:
    """What must never be recorded, whatever the ERP holds."""
    posted = [d for d in seen.documents if d.posted] if isinstance(seen, Seen) else []
    if taken.row.state == "CONFIRMED" and len(posted) > 1:
        return "I2: confirmed, but seen not to be alone"
    # A database that forgot may have forgotten that it deleted the draft itself.
    forgot = design.failovers_max > 0
    if taken.row.state == "MANUAL" and taken.sight.startswith("gone") and not forgot:
        return "I12: called gone, but nobody removed it"
    return ""


def fail_over(copy: Ledger, design: Design) -> Ledger:
    """The copy takes over; it has a new epoch, which a drain must note before it claims."""
    return copy._replace(entered=not design.epoch_guard)


def enter(ledger: Ledger) -> Ledger:
    """A drain notes the new epoch: every unfinished row goes through recovery."""
    rows = []
    for row in ledger.rows:
        if row is not None and row.state in WORKING:
            fresh = row.state in ("READY", "RETRY_WAIT", "SENDING")
            state = move("outbox", row.state, "epoch changed") if fresh else row.state
            row = replace(row, state=state, unknown=True)
        rows.append(row)
    fences = tuple((fence // _EPOCH + 1) * _EPOCH for fence in ledger.fences)
    return ledger._replace(rows=tuple(rows), fences=fences, entered=True)


def people(design: Design, ledger: Ledger, past: bool) -> Iterator[tuple[str, str, Ledger]]:
    """What people may do: (which count it uses, words, the ledger after)."""
    yield "holds", "a person holds or releases it", ledger._replace(held=not ledger.held)
    for lane, row in enumerate(ledger.rows):
        if row is None:
            continue
        if _cancellable(design, ledger, row, past):
            after = with_row(ledger, lane, replace(row, state="CANCELLED"))
            yield "cancels", f"intent {lane} is cancelled", after
        if row.state == "MANUAL":
            state = move("outbox", row.state, "release")
            after = with_row(ledger, lane, replace(row, state=state, unknown=True))
            yield "releases", "two persons release it", after


def _cancellable(design: Design, ledger: Ledger, row: Row, past: bool) -> bool:
    """A row nobody can have sent: READY, and in a ledger that never forgot anything."""
    if design.cancel_looks == "nothing":
        return row.state in WORKING
    unsent = row.state == "READY" and row.attempts == 0
    return unsent and (design.cancel_looks == "attempts" or (ledger.entered and not past))


def reversal(design: Design, ledger: Ledger) -> Ledger | None:
    """The reversal's intent is made: once the original is confirmed."""
    original, other = ledger.rows
    assert original is not None
    early = design.reverses_early and original.doc_id is not None
    if other is not None or not (original.state == "CONFIRMED" or early):
        return None
    return with_row(ledger, 1, Row("READY", kind=design.rules.kind))
