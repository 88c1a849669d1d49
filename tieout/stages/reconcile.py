"""Reconcile: one account's open entries against what is open in the books.

The ladder forms groups; policies turn residuals and unmatched entries into proposals; what neither
explains becomes an exception with its reason. Everything is derived from the facts up to now and
can be derived again: confirmed groups and people's decisions stand, the rest is replaced.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Date, cast, func, select
from sqlalchemy.orm import Session

from tieout.adjustments.policy import load_policy
from tieout.adjustments.store import lock_undecided, record_proposals, standing_amounts
from tieout.errors import LedgerError
from tieout.exceptions import record_exceptions, unresolved
from tieout.ledger import Ledger
from tieout.ledger.models import Account, Adjustment, DetailRow, Run
from tieout.masterdata import BankAccount, load_accounts
from tieout.matching import ladder as ladders
from tieout.matching.nearest import nearest
from tieout.stages.account_exceptions import books_drafts, manual_drafts, statement_drafts
from tieout.stages.corrected import mark_reversed, propose_reversals, take_back
from tieout.stages.decided import carry_out, forbidden_of
from tieout.stages.derive import derive_proposals
from tieout.stages.exceptions import (
    entry_drafts,
    group_drafts,
    refused_drafts,
    transit_drafts,
)
from tieout.stages.groups import group_views, record_groups
from tieout.stages.ladder_run import run_ladder
from tieout.stages.match_members import take_turns
from tieout.stages.open_tables import open_of
from tieout.stages.own_postings import join_own_postings, own_lines
from tieout.stages.proposed import blocked_drafts, proposed_drafts, suggested
from tieout.stages.returns import find_returns, with_returns
from tieout.stages.runs import stage_run

__all__ = ["ReconcileResult", "accounts", "reconcile_account"]


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """What one run concluded: how much is new; ``proposals`` counts changed adjustments."""

    account_code: str
    groups: int
    joined: int
    proposals: int
    opened: int
    resolved: int

    @property
    def changed(self) -> bool:
        """Whether this run concluded anything that was not concluded before."""
        return bool(self.groups or self.joined or self.proposals or self.opened or self.resolved)


def accounts(ledger: Ledger) -> list[str]:
    """Codes of the accounts that can be reconciled, ordered: known here and in the mappings."""
    mapped = [a.code for a in load_accounts()]
    with ledger.session() as session:
        known = select(Account.code).where(Account.code.in_(mapped))
        return list(session.scalars(known.order_by(Account.code)))


def reconcile_account(ledger: Ledger, account_code: str, day: dt.date) -> ReconcileResult:
    """Derive the conclusions of one account up to and including ``day``.

    Accounts of one company share open receivables, payables and expenses, so they take turns. An
    earlier day than was reconciled before concludes nothing less: what is known since stays known.

    Raises:
        LedgerError: ``ACCOUNT_UNMAPPED``.
    """
    mapped = next((a for a in load_accounts() if a.code == account_code), None)
    if mapped is None:
        raise LedgerError(
            "ACCOUNT_UNMAPPED",
            f"no file in mappings/accounts has the code {account_code}",
            where=account_code,
            remedy="put its mapping back; what was recorded of it is still in the ledger",
        )
    with (
        stage_run(ledger, "reconcile", account=account_code, day=day) as run,
        ledger.session() as session,
    ):
        take_turns(session, mapped.company)
        account = session.get_one(Account, account_code)
        day = max(day, _reached(session, account_code) or day)
        lock_undecided(session, account_code)
        before = _adjustment_states(session, account_code)
        take_back(session, account)
        blocked = carry_out(session, run.run_id, mapped.company)
        joined = join_own_postings(session, run.run_id, account)
        groups, opened, resolved = _derive(session, run.run_id, account, mapped, day, blocked)
        proposals = sum(
            1 for k, v in _adjustment_states(session, account_code).items() if before.get(k) != v
        )
        result = ReconcileResult(account_code, groups, joined, proposals, opened, resolved)
        run.outcome = asdict(result)
    return result


def _derive(
    session: Session,
    run_id: str,
    account: Account,
    mapped: BankAccount,
    day: dt.date,
    cannot: Mapping[str, str],
) -> tuple[int, int, int]:
    """Match, propose, and name exceptions; returns new groups, exceptions opened and resolved."""
    policy, ladder = load_policy(account.policy), ladders.load(account.ladder)
    mark_reversed(session, account)
    standing = standing_amounts(session, account.code)
    explained = {subject_id for side, subject_id in standing if side == "entry"}
    open_ = open_of(session, account, day, explained, own_lines(session, account))
    forbidden = forbidden_of(session, account.code)
    result = run_ladder(open_, ladder, forbidden)
    new = record_groups(session, run_id, account, result, open_.parts)
    proposed = suggested(result, open_.items)
    taken = set(result.members.column("member_id").to_pylist()) - set(proposed)
    refused = {i for row in result.refused.to_pylist() for i in row["entry_ids"]}
    left = [e for k, e in open_.entries.items() if k not in taken and k not in refused]
    details: dict[str, list[DetailRow]] = {}
    for detail in open_.details.values():
        details.setdefault(detail.entry_id, []).append(detail)
    views = group_views(session, account.code)
    undecided = [v for v in views if ("group", v.group.group_id) not in standing]
    returns = find_returns(session, account, left, details, views)
    asked = [e for e in left if e.entry_id not in returns]
    derived = derive_proposals(session, account, mapped, policy, asked, details, undecided)
    reversals = propose_reversals(session, account, mapped)
    doubts = statement_drafts(session, account, policy)
    doubts += books_drafts(session, account, day)
    blocked = unresolved(session, account.code, doubts)
    states = record_proposals(
        session, run_id, account.code, policy, [*derived.proposals, *reversals], blocked=blocked
    )
    near = nearest(
        *(open_.entry_table, open_.detail_table, open_.item_table, ladder, result),
        wanted={e.entry_id for e in left},
        limit=1,
        apart=forbidden.crossing,
    )
    in_transit = [i for k, i in open_.items.items() if k not in taken]
    drafts = [
        *doubts,
        *refused_drafts(policy, open_.entries, open_.items, result.refused),
        *with_returns(
            entry_drafts(
                *(policy, left, details, states, derived.unexplained, near, open_.items, proposed)
            ),
            returns,
        ),
        *group_drafts(policy, views, states, derived.unexplained, standing),
        *transit_drafts(policy, in_transit, day),
        *manual_drafts(session, account, policy),
        *proposed_drafts(session, account, policy),
        *blocked_drafts(session, account, policy, cannot),
    ]
    opened, resolved = record_exceptions(session, account.code, drafts)
    return new, opened, resolved


def _reached(session: Session, account_code: str) -> dt.date | None:
    """The latest day up to which the account was reconciled before, if that is not to come."""
    asked = cast(Run.parameters["day"].astext, Date)
    query = select(func.max(asked)).where(
        Run.stage == "reconcile",
        Run.parameters["account"].astext == account_code,
        asked <= cast(func.timezone("UTC", func.clock_timestamp()), Date),
    )
    return session.scalars(query).one()


def _adjustment_states(session: Session, account_code: str) -> dict[str, str]:
    query = select(Adjustment.adjustment_id, Adjustment.state)
    rows = session.execute(query.where(Adjustment.account_code == account_code))
    return {row.adjustment_id: row.state for row in rows}
