"""Continuity: each statement opens where the one before it closed, and numbers have no hole.

A pure conclusion from all statements of an account, walked from its cutover: the order in which
the files came does not change it. The first statement that does not follow is *staged*, and so is
everything after it; nothing is posted for the account until the gap is closed. Other accounts are
not touched. Of a statement told twice one row stands (`tieout.stages.versions`); one that overlaps
others counts with what is new in it, if that proves its closing balance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from tieout.ledger.models import StatementRow
from tieout.masterdata import BankAccount
from tieout.money import format_amount
from tieout.stages.following import Verdict, follows, label, order
from tieout.stages.overlap import Accepted, Overlap
from tieout.stages.pairing import CORRECTED, EntryFact, Pair, pair
from tieout.stages.versions import Facts, Telling, tellings

__all__ = ["Verdict", "walk"]


def _no_facts(statement_id: str) -> Sequence[EntryFact]:
    del statement_id
    return ()


def walk(
    account: BankAccount,
    statements: Sequence[StatementRow],
    facts: Facts = _no_facts,
    settled: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> list[Verdict]:
    """Conclude the state of every booked statement of one account.

    Args:
        account: its cutover is the statement before the first.
        statements: all booked statements, in any order.
        facts: the booked entries of a statement, asked for only where statements overlap.
        settled: of superseded statements, by which and why: not compared again while it stands.

    Returns:
        One verdict a statement, in the order of the statements' days and numbers.
    """
    told = {t.standing.statement_id: t for t in tellings(statements, facts)}
    verdicts = _Walk(account, facts).conclude([t.standing for t in told.values()])
    for verdict in list(verdicts):
        verdicts += _retold(account, told[verdict.statement_id], facts, settled)
    place = {row.statement_id: at for at, row in enumerate(sorted(statements, key=order))}
    return sorted(verdicts, key=lambda v: place[v.statement_id])


class _Walk:
    """From the cutover on: which statement follows."""

    def __init__(self, account: BankAccount, facts: Facts) -> None:
        self.account = account
        self.closing, self.number, self.page = (
            account.cutover_minor,
            account.cutover_sequence_no,
            1,
        )
        self.accepted = Accepted(account, facts)
        self.verdicts: list[Verdict] = []

    def conclude(self, statements: list[StatementRow]) -> list[Verdict]:
        waiting, waiting_for = sorted(statements, key=order), ""
        while waiting:
            statement = self._next(waiting)
            if statement.closed_on is not None and statement.closed_on <= self.account.cutover_on:
                reason = f"closed on {statement.closed_on}, before the cutover"
                self._say(Verdict(statement.statement_id, "superseded", "OLD", reason))
                continue
            if waiting_for:
                self._say(Verdict(statement.statement_id, "staged", "STATEMENT_WAITS", waiting_for))
                continue
            verdict = self._try(statement)
            if verdict.state == "accepted":
                self._accept(statement)
                self.number, self.page = statement.sequence_no, statement.page or 1
                self._say(verdict)
            elif not self._overlaps(statement) and not self._bridged(statement, waiting):
                verdict = self._unproven(statement, verdict)
                self._say(verdict)
                waiting_for = f"Waits: {verdict.reason}"
        return self.verdicts

    def _next(self, waiting: list[StatementRow]) -> StatementRow:
        """Take the next statement; of several of one day, the one that follows."""
        today = [s for s in waiting if s.closed_on == waiting[0].closed_on]
        follow = (s for s in today if self._try(s).state == "accepted")
        chosen = next(follow, waiting[0]) if len(today) > 1 else waiting[0]
        waiting.remove(chosen)
        return chosen

    def _try(self, statement: StatementRow) -> Verdict:
        return follows(self.account, statement, self.closing, self.number, self.page)

    def _say(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)

    def _accept(self, statement: StatementRow, repeated: Sequence[Pair] = ()) -> None:
        self.accepted.add(statement, repeated)
        if statement.closing_minor is not None:
            self.closing = statement.closing_minor

    def _overlaps(self, statement: StatementRow) -> bool:
        """Take a statement that repeats accepted entries, if what is new proves its closing."""
        found = self.accepted.overlap(statement, self.closing, self._holds(statement))
        if found is None:
            return False
        if not found.new:
            self._say(self._inside(statement, found))
            return True
        within = self.accepted.name(found)
        reason = f"{len(found.pairs)} of its entries are in {within}" if found.pairs else ""
        self._accept(statement, found.pairs)
        self._say(Verdict(statement.statement_id, "accepted", reason=reason, pairs=found.pairs))
        return True

    def _inside(self, statement: StatementRow, found: Overlap) -> Verdict:
        by = found.inside[0] if found.inside else None
        reason = f"All its entries are in {self.accepted.name(found)}" if by else "It adds nothing"
        return Verdict(statement.statement_id, "superseded", "OLD", reason, 0, by, found.pairs)

    def _unproven(self, statement: StatementRow, verdict: Verdict) -> Verdict:
        """The verdict on one that states no opening balance, with what is missing."""
        if statement.opening_minor is not None or statement.closing_minor is None:
            return verdict
        if statement.incomplete:
            return verdict
        short = self.accepted.missing(statement, self.closing)
        reason = (
            f"{label(statement).capitalize()} closes with "
            f"{_amount(statement.closing_minor, self.account)}, which is "
            f"{_amount(short, self.account)} more than the last closing and its new entries make"
        )
        return Verdict(statement.statement_id, "staged", "STATEMENT_GAP", reason, short)

    def _holds(self, statement: StatementRow) -> bool:
        """Whether its number says that another one is missing before it."""
        if self.account.sequence != "strict" or None in (statement.sequence_no, self.number):
            return False
        return (statement.sequence_no or 0) > (self.number or 0)

    def _bridged(self, statement: StatementRow, waiting: list[StatementRow]) -> bool:
        """Take a longer statement first, if it contains this one and follows by its balance."""
        for longer in waiting:
            if longer.incomplete or longer.opening_minor != self.closing:
                continue
            trial = self.accepted.with_(longer)
            # What its number misses is in the longer one.
            found = trial.overlap(statement, longer.closing_minor or 0, hole=False)
            if found is None or found.new or longer.statement_id not in found.inside:
                continue
            waiting.remove(longer)
            self._accept(longer)
            self._say(Verdict(longer.statement_id, "accepted"))
            self._say(self._inside(statement, found))
            return True
        return False


def _retold(
    account: BankAccount, told: Telling, facts: Facts, settled: Mapping[str, tuple[str, str]]
) -> list[Verdict]:
    """What becomes of the rows that tell what the standing one tells."""
    stands, found = told.standing, []
    for row in (*told.same, *told.older):
        by, why = settled.get(row.statement_id, ("", ""))
        if by == stands.statement_id:
            found.append(Verdict(row.statement_id, "superseded", "OLD", why, 0, by))
            continue
        pairs = tuple(
            pair(facts(row.statement_id), facts(stands.statement_id), same_statement=True)
        )
        if row in told.same:
            reason = f"The same statement as in {stands.format}" + _differences(
                account, row, stands, pairs, facts
            )
            code = "OLD"
        else:
            reason = (
                f"Corrected: {label(row)} closed with "
                f"{_amount(row.closing_minor, account)}, now with "
                f"{_amount(stands.closing_minor, account)}"
            ) + _differences(account, row, stands, pairs, facts)
            code = "STATEMENT_CORRECTED"
            pairs = tuple(replace(p, by=CORRECTED) for p in pairs)
        found.append(
            Verdict(row.statement_id, "superseded", code, reason, 0, stands.statement_id, pairs)
        )
    return found


def _differences(
    account: BankAccount,
    row: StatementRow,
    stands: StatementRow,
    pairs: Sequence[Pair],
    facts: Facts,
) -> str:
    """The entries only one of two tellings has, in words."""
    mine, its = facts(row.statement_id), facts(stands.statement_id)
    paired = {p.left for p in pairs} | {p.right for p in pairs}
    parts = []
    for name, entries in ((row.format, mine), (stands.format, its)):
        alone = [e for e in entries if e.entry_id not in paired]
        if alone:
            shown = ", ".join(_amount(e.amount_minor, account) for e in alone[:3])
            more = f" and {len(alone) - 3} more" if len(alone) > 3 else ""
            parts.append(f"only the {name} has {shown}{more}")
    return "; " + "; ".join(parts) if parts else ""


def _amount(minor: int | None, account: BankAccount) -> str:
    return "no balance" if minor is None else format_amount(minor, account.currency)
