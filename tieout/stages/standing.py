"""What stands: the conclusions on an account's statements, and which row states an entry now.

An entry keeps its identity for good, whoever tells it: the row of another format, of a correction
or of a longer period takes the place of the first and carries on its id. Rows that repeat an entry
are kept and do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.errors import Finding, Severity
from tieout.ledger import database_now
from tieout.ledger.models import (
    EntryIdentity,
    StatementDecision,
    StatementRow,
    StatementStatus,
)
from tieout.masterdata import BankAccount
from tieout.stages.continuity import walk
from tieout.stages.day_reports import join_reports
from tieout.stages.following import REMEDIES, Verdict
from tieout.stages.identities import among, copy_of, facts_of
from tieout.stages.pairing import EntryFact
from tieout.stages.runs import record_findings
from tieout.states import move

__all__ = ["restage", "unconcluded"]

_EVENTS = {
    ("accepted", "superseded"): "superseded",
    ("staged", "superseded"): "superseded",
    ("accepted", "staged"): "gap found",
    ("staged", "accepted"): "gap closed",
    ("superseded", "accepted"): "counts again",
    ("superseded", "staged"): "waits again",
}


def unconcluded(session: Session) -> set[str]:
    """Codes of the accounts with a booked statement that has no conclusion yet."""
    query = (
        select(StatementRow.account_code)
        .outerjoin(StatementStatus, StatementStatus.statement_id == StatementRow.statement_id)
        .where(StatementRow.kind == "booked", StatementStatus.statement_id.is_(None))
    )
    return set(session.scalars(query.distinct()))


def restage(session: Session, account: BankAccount, run_id: str) -> list[Verdict]:
    """Write the conclusions for one account; each change leaves an audit row and a finding."""
    booked = select(StatementRow).where(
        StatementRow.account_code == account.code, StatementRow.kind == "booked"
    )
    rows = list(session.scalars(booked))
    before = _statuses(session, rows)
    concluded = {key: (s.state, s.superseded_by, s.reason) for key, s in before.items()}
    facts = _Facts(session)
    settled = {k: (by, why) for k, (s, by, why) in concluded.items() if s == "superseded" and by}
    verdicts = walk(account, _judged(session, rows), facts, settled)
    for verdict in verdicts:
        _conclude(session, account, run_id, verdict, before.get(verdict.statement_id))
    counted = {key for key, (state, _, _) in concluded.items() if state != "superseded"}
    _record_pairs(session, verdicts, counted, facts, rows)
    join_reports(session, account.code, counted)
    return verdicts


def _statuses(session: Session, rows: Sequence[StatementRow]) -> dict[str, StatementStatus]:
    keys = [row.statement_id for row in rows]
    found = select(StatementStatus).where(among(StatementStatus.statement_id, keys))
    return {s.statement_id: s for s in session.scalars(found)}


def _judged(session: Session, rows: Sequence[StatementRow]) -> list[StatementRow]:
    """The statements as people judged them: one that somebody resolved is not incomplete."""
    damaged = [row.statement_id for row in rows if row.incomplete]
    if not damaged:
        return list(rows)
    query = select(StatementDecision.statement_id)
    resolved = set(session.scalars(query.where(among(StatementDecision.statement_id, damaged))))
    return [copy_of(row, incomplete=False) if row.statement_id in resolved else row for row in rows]


def _conclude(
    session: Session,
    account: BankAccount,
    run_id: str,
    verdict: Verdict,
    status: StatementStatus | None,
) -> None:
    if status is None:
        status = StatementStatus(statement_id=verdict.statement_id, state=verdict.state)
        session.add(status)
    elif (status.state, status.reason, status.superseded_by) == (
        verdict.state,
        verdict.reason,
        verdict.superseded_by,
    ):
        return
    elif status.state != verdict.state:
        status.state = move("statement", status.state, _EVENTS[status.state, verdict.state])
    status.reason, status.gap_minor = verdict.reason, verdict.gap_minor
    status.superseded_by = verdict.superseded_by
    status.changed_at = database_now(session)
    detail = {"reason": verdict.reason}
    append(session, "tieout", verdict.state, "statement", verdict.statement_id, detail)
    if verdict.code not in ("", "OLD"):
        severity: Severity = "error" if verdict.state == "staged" else "warning"
        remedy = REMEDIES[verdict.code]
        finding = Finding(verdict.code, severity, account.code, verdict.reason, remedy)
        record_findings(session, run_id, "account", account.code, [finding])


class _Facts:
    """The entries of statements, loaded when they are first asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._loaded: dict[str, list[EntryFact]] = {}

    def __call__(self, statement_id: str) -> Sequence[EntryFact]:
        if statement_id not in self._loaded:
            self._loaded |= facts_of(self._session, [statement_id])
        return self._loaded[statement_id]

    def statement_of(self) -> dict[str, str]:
        """The statement of every entry loaded so far."""
        return {f.entry_id: f.statement_id for facts in self._loaded.values() for f in facts}


def _record_pairs(
    session: Session,
    verdicts: Sequence[Verdict],
    counted: set[str],
    facts: _Facts,
    rows: Sequence[StatementRow],
) -> None:
    """Give each repeated row the identity under which its entry first counted."""
    ordered = sorted(rows, key=lambda r: (r.recorded_at, r.statement_id))
    came = {row.statement_id: at for at, row in enumerate(ordered)}
    statement_of = facts.statement_of()
    known = _known(session, statement_of)
    stands = {v.statement_id for v in verdicts if v.state != "superseded"}
    wanted: dict[str, tuple[str, bool, str]] = {}
    for root, repeats in _gathered(verdicts).items():
        identity = _identity(
            [root, *repeats],
            known,
            lambda i: (statement_of[i] not in counted, came[statement_of[i]], i),
        )
        by = next(iter(repeats.values()))
        if identity != root or root in known:
            wanted[root] = (identity, True, by)
        wanted |= {row: (identity, False, shared) for row, shared in repeats.items()}
    for entry_id, row in sorted(known.items()):
        if entry_id not in wanted and statement_of[entry_id] in stands:
            row.counts = True  # nothing counts in its place any more
    for entry_id, (identity, counts, shared) in sorted(wanted.items()):
        if entry_id in known:
            # Also what they share: a row that is corrected now lends its details no more.
            known[entry_id].counts, known[entry_id].shared = counts, shared
        else:
            session.add(
                EntryIdentity(entry_id=entry_id, identity=identity, counts=counts, shared=shared)
            )
    session.flush()


def _gathered(verdicts: Sequence[Verdict]) -> dict[str, dict[str, str]]:
    """All rows that state one entry: the one that counts, and the others with what they share."""
    right: dict[str, tuple[str, str]] = {}
    for verdict in sorted(verdicts, key=lambda v: v.state != "accepted"):
        for pair in verdict.pairs:
            right.setdefault(pair.left, (pair.right, pair.by))
    found: dict[str, dict[str, str]] = {}
    for row, (counts, by) in right.items():
        while counts in right:
            counts = right[counts][0]
        found.setdefault(counts, {})[row] = by
    return found


def _identity(
    rows: Sequence[str],
    known: Mapping[str, EntryIdentity],
    first: Callable[[str], tuple[bool, int, str]],
) -> str:
    """The id an entry has already; else that of the row that counted, or came, first."""
    given = next((known[i].identity for i in rows if i in known), None)
    return given if given is not None else min(rows, key=first)


def _known(session: Session, entry_ids: Iterable[str]) -> dict[str, EntryIdentity]:
    query = select(EntryIdentity).where(among(EntryIdentity.entry_id, entry_ids))
    return {row.entry_id: row for row in session.scalars(query)}
