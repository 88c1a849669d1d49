"""Exceptions about entries, groups and items, each with a one-line reason for a treasurer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from tieout import banking_days
from tieout.adjustments.policy import Policy
from tieout.exceptions import ExceptionDraft
from tieout.ledger.models import (
    DetailRow,
    EntryRow,
    ItemRow,
)
from tieout.matching.nearest import Candidate
from tieout.money import floor_minor, format_amount
from tieout.reasons import reason_text
from tieout.stages.derive import Key, is_return
from tieout.stages.groups import GroupView

__all__ = [
    "due_days",
    "entry_drafts",
    "group_drafts",
    "refused_drafts",
    "transit_drafts",
]

_DECIDED = {
    "rejected": "The proposed posting was rejected; decide what else it is",
    "refused": "The ERP refused the proposed posting; see the adjustment's reason",
    "expired": "The proposed posting expired without a decision",
    "reversed": "Its posting was reversed",
}


def due_days(policy: Policy, amount_minor: int, currency: str) -> int:
    """Banking days a person has for an amount."""
    urgent = abs(amount_minor) >= floor_minor(policy.urgent_amount, currency)
    return policy.urgent_due_days if urgent else policy.due_days


def refused_drafts(
    policy: Policy, entries: Mapping[str, EntryRow], items: Mapping[str, ItemRow], refused: pa.Table
) -> list[ExceptionDraft]:
    """Ties the ladder refused, one exception an entry, with all candidates."""
    drafts: dict[str, ExceptionDraft] = {}
    for refusal in refused.to_pylist():
        known = [items[i] for i in refusal["item_ids"] if i in items]
        names = ", ".join(i.document_no or i.item_id[:8] for i in known[:5])
        reason = f"{refusal['message'].rstrip('.')}" + (f": {names}" if names else "")
        candidates = {"entries": refusal["entry_ids"], "items": refusal["item_ids"]}
        for entry_id in refusal["entry_ids"]:
            entry = entries.get(entry_id)
            if entry is not None and entry_id not in drafts:
                drafts[entry_id] = _entry_draft(policy, entry, "AMBIGUOUS", reason, candidates)
    return [drafts[key] for key in sorted(drafts)]


def entry_drafts(
    policy: Policy,
    entries: Iterable[EntryRow],
    details: Mapping[str, Sequence[DetailRow]],
    states: Mapping[Key, str],
    unexplained: Mapping[Key, str],
    nearest: Mapping[str, Sequence[Candidate]],
    items: Mapping[str, ItemRow],
    proposed: Mapping[str, str],
) -> list[ExceptionDraft]:
    """Unmatched entries that no standing proposal explains.

    Args:
        proposed: what to say of entries (and items) that the ladder only proposes to match.
    """
    drafts = []
    for entry in entries:
        key = ("entry", entry.entry_id)
        state = states.get(key)
        own = details.get(entry.entry_id, [])
        if state in ("pending", "approved", "posted") or not entry.amount_minor:
            continue  # explained, or an entry of nothing: some banks put text into one
        if state in _DECIDED:
            code, reason = "PROPOSAL_" + state.upper(), _DECIDED[state]
        elif is_return(entry, own):
            code, reason = "RETURNED_PAYMENT", _returned(own)
        elif entry.entry_id in proposed:
            code, reason = "MATCH_PROPOSED", proposed[entry.entry_id]
        elif key in unexplained:
            code, reason = "NOT_BOOKABLE", unexplained[key]
        else:
            code, reason = "UNMATCHED_ENTRY", _nearest(nearest.get(entry.entry_id, ()), items)
        drafts.append(_entry_draft(policy, entry, code, reason, {}))
    return drafts


def group_drafts(
    policy: Policy,
    views: Iterable[GroupView],
    states: Mapping[Key, str],
    unexplained: Mapping[Key, str],
    standing: Mapping[Key, int],
) -> list[ExceptionDraft]:
    """Groups that leave something over which nobody may book as it is.

    Args:
        standing: what approved and posted adjustments explain, by subject.
    """
    drafts = []
    for view in views:
        key = ("group", view.group.group_id)
        state = states.get(key)
        if not view.effect_minor or state in ("pending", "approved", "posted"):
            continue
        if view.effect_minor == standing.get(key) and not view.vanished:
            continue
        reason = _DECIDED.get(state or "", unexplained.get(key, "It is not in the cash book"))
        if key in standing:
            booked = format_amount(standing[key], view.group.currency)
            reason = (
                f"A posting of {booked} {view.group.currency} is approved or made for this match, "
                "but the books changed since; correct them by hand"
            )
        drafts.append(
            ExceptionDraft(
                reason_code="RESIDUAL",
                reason=reason,
                subject=key,
                amount_minor=view.effect_minor,
                currency=view.group.currency,
                on=max((e.booked_on for e in view.entries if e.booked_on), default=None),
                due_days=due_days(policy, view.effect_minor, view.group.currency),
            )
        )
    return drafts


def transit_drafts(policy: Policy, items: Iterable[ItemRow], day: dt.date) -> list[ExceptionDraft]:
    """Cash-book lines the bank should have booked by now."""
    drafts = []
    for item in items:
        if item.kind != "cash_book" or item.booked_on is None:
            continue
        waited = banking_days.between(item.booked_on, day)
        if waited > policy.in_transit_days:
            drafts.append(
                ExceptionDraft(
                    reason_code="IN_TRANSIT_OVERDUE",
                    reason=f"{item.document_no}: in the books for {waited} banking days and not "
                    "yet at the bank",
                    subject=("item", item.item_id),
                    amount_minor=item.open_minor,
                    currency=item.currency,
                    on=item.booked_on,
                    due_days=due_days(policy, item.open_minor, item.currency),
                )
            )
    return drafts


def _entry_draft(
    policy: Policy, entry: EntryRow, code: str, reason: str, candidates: dict[str, Any]
) -> ExceptionDraft:
    return ExceptionDraft(
        reason_code=code,
        reason=reason,
        subject=("entry", entry.entry_id),
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        on=entry.booked_on,
        due_days=due_days(policy, entry.amount_minor, entry.currency),
        candidates=candidates,
    )


def _returned(details: Sequence[DetailRow]) -> str:
    first = details[0] if details else None
    why = reason_text(first.return_reason) if first and first.return_reason else "no reason given"
    whom = f" to {first.counterparty_name}" if first and first.counterparty_name else ""
    reference = f" ({first.end_to_end_id})" if first and first.end_to_end_id else ""
    return f"Payment{whom}{reference} came back, {why}; reopen what it paid and pay again"


def _nearest(candidates: Sequence[Candidate], items: Mapping[str, ItemRow]) -> str:
    if not candidates:
        return "Nothing open in the books has this amount, reference or counterparty"
    best = candidates[0]
    item = items.get(best.other_id)
    name = (item.document_no if item else None) or best.other_id[:8]
    return f"Nearest is {name}: {best.by}"
