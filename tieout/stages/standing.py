"""What stands: the conclusions on an account's statements, and which row states an entry now.

An entry keeps its identity for good, whoever tells it: the row of another format, of a correction
or of a longer period takes the place of the first and carries on its id. Rows that repeat an entry
are kept and do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
from tieout.stages.pairing import EntryFact, Pair
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
    _record_pairs(session, verdicts, counted, facts)
    join_reports(session, account.code, counted)
    return verdicts


def _statuses(session: Session, rows: Sequence[StatementRow]) -> dict[str, StatementStatus]:
    keys = [row.statement_id for row in rows]
    found = select(StatementStatus).where(StatementStatus.statement_id.in_(keys))
    return {s.statement_id: s for s in session.scalars(found)}


def _judged(session: Session, rows: Sequence[StatementRow]) -> list[StatementRow]:
    """The statements as people judged them: one that somebody resolved is not incomplete."""
    damaged = [row.statement_id for row in rows if row.incomplete]
    if not damaged:
        return list(rows)
    query = select(StatementDecision.statement_id)
    resolved = set(session.scalars(query.where(StatementDecision.statement_id.in_(damaged))))
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
    session: Session, verdicts: Iterable[Verdict], counted: set[str], facts: _Facts
) -> None:
    """Give each repeated row the identity under which its entry first counted."""
    pairs = [p for v in verdicts if v.state == "accepted" for p in v.pairs]
    pairs += [p for v in verdicts if v.state != "accepted" for p in v.pairs]
    statement_of = facts.statement_of()
    known = _known(session, statement_of)
    wanted: dict[str, tuple[str, bool, str]] = {}
    for pair in pairs:
        mine, its = wanted.get(pair.left), wanted.get(pair.right)
        identity = _identity(pair, known, counted, statement_of, its[0] if its else None)
        if mine is None or mine[1]:
            wanted[pair.left] = (identity, False, pair.by)
        if its is None and (identity != pair.right or pair.right in known):
            wanted[pair.right] = (identity, True, pair.by)
    for entry_id in sorted(set(known) - set(wanted)):
        # Nothing counts in its place any more.
        if not known[entry_id].counts and _free(entry_id, statement_of, verdicts):
            known[entry_id].counts = True
    for entry_id, (identity, counts, shared) in sorted(wanted.items()):
        row = known.get(entry_id)
        if row is None:
            session.add(
                EntryIdentity(entry_id=entry_id, identity=identity, counts=counts, shared=shared)
            )
        else:
            row.counts = counts
    session.flush()


def _free(entry_id: str, statement_of: Mapping[str, str], verdicts: Iterable[Verdict]) -> bool:
    """Whether the row's statement counts by itself; a superseded one's rows never do."""
    accepted = {v.statement_id for v in verdicts if v.state != "superseded"}
    return statement_of[entry_id] in accepted


def _identity(
    pair: Pair,
    known: Mapping[str, EntryIdentity],
    counted: set[str],
    statement_of: Mapping[str, str],
    given: str | None,
) -> str:
    if given is not None:
        return given
    for entry_id in (pair.right, pair.left):
        if entry_id in known:
            return known[entry_id].identity
        if statement_of[entry_id] in counted:
            return entry_id
    return pair.right


def _known(session: Session, entry_ids: Iterable[str]) -> dict[str, EntryIdentity]:
    query = select(EntryIdentity).where(among(EntryIdentity.entry_id, entry_ids))
    return {row.entry_id: row for row in session.scalars(query)}
