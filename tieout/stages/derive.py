"""What is derived from an account's matches: proposals where a policy explains, else exceptions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.adjustments.books import Books, load_books
from tieout.adjustments.policy import Policy, Rule, Subject
from tieout.adjustments.proposals import Counter, Proposal, propose
from tieout.errors import LedgerError, ProfileError
from tieout.ledger.models import Account, DetailRow, EntryRow, RateRow
from tieout.masterdata import BankAccount
from tieout.matching.rung_cancel import RETURN_SUBFAMILIES
from tieout.money import format_amount, from_minor
from tieout.stages.groups import GroupView

__all__ = ["Derived", "derive_proposals", "is_return", "narrative_of"]

Key = tuple[str, str]


@dataclass
class Derived:
    """Proposals of an account, and subjects no policy explains with the reason why."""

    proposals: list[Proposal] = field(default_factory=list)
    unexplained: dict[Key, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Context:
    session: Session
    mapped: BankAccount
    policy: Policy
    books: Books

    def rate(self, on: dt.date) -> Decimal | None:
        if self.mapped.currency == self.books.currency:
            return None
        newest = (
            select(RateRow.rate)
            .where(
                RateRow.source == self.books.erp,
                RateRow.currency == self.mapped.currency,
                RateRow.on <= on,
            )
            .order_by(RateRow.on.desc(), RateRow.observed_at.desc())
        )
        return self.session.scalars(newest.limit(1)).first()


def derive_proposals(
    session: Session,
    account: Account,
    mapped: BankAccount,
    policy: Policy,
    entries: Iterable[EntryRow],
    details: Mapping[str, Sequence[DetailRow]],
    views: Sequence[GroupView],
) -> Derived:
    """Ask the policy about every unmatched entry and every group that leaves something over.

    Args:
        entries: open, unmatched, not refused as ambiguous.
        details: by entry id.
        views: all confirmed groups of the account.
    """
    context = _Context(session, mapped, policy, load_books(account.erp))
    derived = Derived()
    for entry in entries:
        _entry(context, derived, entry, details.get(entry.entry_id, []))
    for view in views:
        if view.effect_minor:
            _group(context, derived, view)
    return derived


def is_return(entry: EntryRow, details: Iterable[DetailRow]) -> bool:
    """Whether an entry brings back a payment: by its code or its reason, not by ``RvslInd``."""
    return entry.code_subfamily in RETURN_SUBFAMILIES or any(d.return_reason for d in details)


def narrative_of(entry: EntryRow, details: Iterable[DetailRow]) -> str:
    """All free text of an entry on one line, without repetitions."""
    texts = [entry.narrative, *(d.narrative for d in details)]
    return " ".join(" ".join(dict.fromkeys(t for t in texts if t)).split())


def _entry(
    context: _Context, derived: Derived, entry: EntryRow, details: Sequence[DetailRow]
) -> None:
    key = ("entry", entry.entry_id)
    if is_return(entry, details):
        return
    narrative = narrative_of(entry, details)
    subject = Subject(
        on="entry",
        amount=from_minor(entry.amount_minor, entry.currency),
        narrative=narrative,
        subfamily=entry.code_subfamily or "",
        swift_type=entry.swift_type or "",
        counterparty=any(d.counterparty_account or d.counterparty_name for d in details),
    )
    rule = context.policy.rule_for(subject)
    booked_on = entry.booked_on or entry.valued_on
    if rule is None or booked_on is None:
        return
    counter = Counter(rule.purpose, entry.amount_minor, None, narrative[:120])
    _propose(context, derived, key, [rule], booked_on, narrative, [counter])


def _group(context: _Context, derived: Derived, view: GroupView) -> None:
    """A posting for each item outside the cash book, and for what remains, if policy has rules."""
    key, group = ("group", view.group.group_id), view.group
    days = [d for e in view.entries if (d := e.booked_on or e.valued_on) is not None]
    if not days:
        return
    rules: list[Rule] = []
    counters: list[Counter] = []
    for item in view.others:
        if not item.open_minor:
            derived.unexplained[key] = (
                f"{item.document_no or item.kind} is no longer open in the books: look whether "
                "somebody booked it there by hand"
            )
            return
        amount = from_minor(item.open_minor, group.currency)
        rule = context.policy.rule_for(Subject(on="group", amount=amount, item_kind=item.kind))
        if rule is None:
            derived.unexplained[key] = f"No policy rule books a {item.kind} of {amount}"
            return
        rules.append(rule)
        text = " ".join(t for t in (item.document_no, item.counterparty_name) if t)
        counters.append(Counter(rule.purpose, item.open_minor, item.counterparty_id, text[:120]))
    rest = view.effect_minor - sum(c.amount_minor for c in counters)
    if rest:
        rule = _residual_rule(context, view, rest) if _as_matched(view) else None
        if rule is None:
            left = format_amount(rest, group.currency)
            cause = group.residual_class or "no known cause"
            derived.unexplained[key] = (
                f"The match leaves {left} {group.currency} over ({cause}); "
                "no policy rule books that much"
                if _as_matched(view)
                else f"The books changed after the match, which now leaves {left} "
                f"{group.currency} over{_gone(view)}"
            )
            return
        rules.append(rule)
        counters.append(Counter(rule.purpose, rest, None, f"{rule.name} of {view.group.rung}"))
    named = ", ".join(dict.fromkeys(i.document_no for i in view.items if i.document_no))
    parties = ", ".join(dict.fromkeys(i.counterparty_name or "" for i in view.items))
    narrative = " ".join(t for t in (named, parties) if t)
    _propose(context, derived, key, rules, max(days), narrative, counters)


def _as_matched(view: GroupView) -> bool:
    """Whether it leaves what it left when it was matched: only that has the cause then found."""
    others = sum(i.open_minor for i in view.others)
    return not view.vanished and view.effect_minor - others == view.group.residual_minor


def _gone(view: GroupView) -> str:
    names = ", ".join(i.document_no or i.source_ref for i in view.vanished)
    return f": {names} is not in the cash book any more" if names else ""


def _residual_rule(context: _Context, view: GroupView, rest: int) -> Rule | None:
    """The rule for what is left over, with what earlier parts of the same items left over before:
    a limit holds for an item, not anew for each of its parts."""
    size = abs(rest) + view.earlier_minor
    amount = from_minor(size if rest > 0 else -size, context.mapped.currency)
    residual_class = view.group.residual_class or ""
    subject = Subject(on="residual", amount=amount, residual_class=residual_class)
    return context.policy.rule_for(subject)


def _propose(
    context: _Context,
    derived: Derived,
    key: Key,
    rules: Sequence[Rule],
    booked_on: dt.date,
    narrative: str,
    counters: Sequence[Counter],
) -> None:
    text = f"{rules[0].name}: {narrative}"[:200]
    try:
        proposal = propose(
            context.mapped,
            context.books,
            context.rate(booked_on),
            kind=rules[0].kind,
            subject=key,
            rule=rules[0].name,
            automatic=all(rule.automatic for rule in rules),
            booked_on=booked_on,
            narrative=text,
            counters=counters,
        )
    except (LedgerError, ProfileError) as error:
        derived.unexplained[key] = str(error)
        return
    derived.proposals.append(proposal)
