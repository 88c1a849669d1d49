"""Returned and reversed payments whose original is matched already.

A return, a direct debit that bounced, a reversal: it names the payment it brings back, by the
payment's own ids or the bank's, and has its amount with the other sign, perhaps less a fee. Where
exactly one matched payment fits, one proposal undoes that match, opens again what it paid, puts the
payment and its return together, takes back what was posted and books the fee. Until a person
approves it the match stands and the return is an exception that says all this. Where several fit,
or the books cannot tell what the payment paid, the exception lists them.

Nothing is kept of a proposal: it is derived in every run, and its id names all it would do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.exceptions import ExceptionDraft
from tieout.ledger.models import Account, Adjustment, DetailRow, EntryRow, MatchDecision, MemberRow
from tieout.money import format_amount
from tieout.stages.derive import is_return
from tieout.stages.groups import GroupView
from tieout.stages.identities import among
from tieout.stages.return_originals import Original, ids_of, originals
from tieout.stages.return_plan import Plan, Taken, plan_of

__all__ = ["RETURNED", "Case", "find_returns", "may_be_return", "with_returns"]

#: Reason code of the exception.
RETURNED: Final = "RETURNED_PAYMENT"
#: ISO 20022 subfamilies that reverse or return a payment, a direct debit, a card or a cheque.
_SUBFAMILIES: Final = frozenset(("CQRV", "PRDD", "RPCR", "RRTN", "UPCQ", "UPCT", "UPDD"))
#: Likewise of charges.
_CHARGES: Final = frozenset(("BRKF", "CHRG", "COME", "COMI", "COMM", "COMT", "FEES", "LBCA"))
#: Named in an exception at most.
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one return.

    Attributes:
        reason: for the exception.
        candidates: likewise; holds the proposal, or the entries and items it may be about.
        plan: what approving does, or None.
    """

    reason: str
    candidates: dict[str, Any]
    plan: Plan | None


def may_be_return(entry: EntryRow, details: Sequence[DetailRow]) -> bool:
    """Whether an entry may bring back a payment: by code, reason, SWIFT type or ``RvslInd``."""
    return (
        is_return(entry, details)
        or bool(entry.reversal)
        or entry.code_subfamily in _SUBFAMILIES
        or (entry.swift_type or "").endswith("RTI")
    )


def find_returns(
    session: Session,
    account: Account,
    entries: Sequence[EntryRow],
    details: Mapping[str, Sequence[DetailRow]],
    views: Sequence[GroupView],
) -> dict[str, Case]:
    """The returns among open entries for whose payment there is at least one matched candidate.

    Args:
        entries: open entries that found no match.
        details: by entry id.
        views: the account's confirmed groups.
    """
    suspects = [e for e in entries if may_be_return(e, details.get(e.entry_id, ()))]
    suspects = [e for e in suspects if e.amount_minor]
    if not suspects:
        return {}
    found = originals(session, account, suspects, details, views)
    claims = Counter(o.part for some in found.values() for o in some)
    fees = _fees(suspects, entries, details)
    taken = _taken(session, {o.view.group.group_id for some in found.values() for o in some}, found)
    cases = {}
    for entry in suspects:
        own = details.get(entry.entry_id, ())
        some = found.get(entry.entry_id, [])
        if not some:
            continue
        said = _said(entry, own)
        if len(some) > 1 or claims[some[0].part] > 1:
            cases[entry.entry_id] = _several(said, some)
            continue
        fee = fees.get(entry.entry_id)
        plan = plan_of(account, entry, own, some[0], fee, taken)
        if isinstance(plan, str):
            cases[entry.entry_id] = Case(f"{said}; {plan}", _listed(some), None)
        else:
            cases[entry.entry_id] = _proposed(said, plan)
    cases = _undecided(session, cases)
    for key, fee in fees.items():
        known = cases[key].plan if key in cases else None
        if known is not None and fee.entry_id in dict(known.entries):
            reason = f"The charge for a return, decided with it: {_command(known)}"
            cases[fee.entry_id] = Case(reason, {"entries": [key]}, None)
    return cases


def with_returns(
    drafts: Sequence[ExceptionDraft], cases: Mapping[str, Case]
) -> list[ExceptionDraft]:
    """The drafts, those of returns with what is known of them."""
    return [
        replace(d, reason_code=RETURNED, reason=case.reason, candidates=case.candidates)
        if d.subject[0] == "entry" and (case := cases.get(d.subject[1])) is not None
        else d
        for d in drafts
    ]


def _said(entry: EntryRow, details: Sequence[DetailRow]) -> str:
    whom = next((d.counterparty_name for d in details if d.counterparty_name), None)
    if entry.amount_minor > 0:
        what = "Payment" + (f" to {whom}" if whom else "")
    else:
        what = "Receipt" + (f" from {whom}" if whom else "")
    name = next((d.end_to_end_id for d in details if d.end_to_end_id), None)
    return f"{what}{f' ({name})' if name else ''} came back"


def _proposed(said: str, plan: Plan) -> Case:
    reason = f"{said}, {plan.does}: {_command(plan)}"
    return Case(reason, {"return": plan.shown()}, plan)


def _command(plan: Plan) -> str:
    return f"`tieout approve {plan.plan_id[:12]}`"


def _several(said: str, some: Sequence[Original]) -> Case:
    names = "; ".join(_name(o) for o in some[:_NAMED])
    more = f" and {len(some) - _NAMED} more" if len(some) > _NAMED else ""
    if len(some) == 1:
        reason = f"{said}, and so does another entry, of one payment: {names}; decide which is"
    else:
        reason = f"{said}; it fits {len(some)} payments: {names}{more}; decide which it undoes"
    return Case(reason, _listed(some), None)


def _name(original: Original) -> str:
    documents = ", ".join(i.document_no or i.item_id[:8] for i in original.view.items[:_NAMED])
    entry = original.entry
    amount = format_amount(original.amount_minor, entry.currency)
    return f"{amount} {entry.currency} of {entry.booked_on}" + (f", {documents}" * bool(documents))


def _listed(some: Sequence[Original]) -> dict[str, Any]:
    return {
        "entries": sorted({o.entry.entry_id for o in some}),
        "groups": sorted({o.view.group.group_id for o in some}),
        "items": sorted({i.item_id for o in some for i in o.view.items}),
    }


def _fees(
    suspects: Sequence[EntryRow],
    entries: Sequence[EntryRow],
    details: Mapping[str, Sequence[DetailRow]],
) -> dict[str, EntryRow]:
    """The fee entry of each return that has one: the only charge that names the same payment."""
    returns = {e.entry_id for e in suspects}
    by_id: dict[tuple[str, str], list[EntryRow]] = defaultdict(list)
    for entry in entries:
        own = details.get(entry.entry_id, ())
        if entry.amount_minor < 0 and _is_charge(entry) and entry.entry_id not in returns:
            for key in ids_of(entry, own):
                by_id[key].append(entry)
    found: dict[str, EntryRow] = {}
    for entry in suspects:
        own = details.get(entry.entry_id, ())
        near = {
            fee.entry_id: fee
            for key in ids_of(entry, own)
            for fee in by_id.get(key, ())
            if abs(fee.amount_minor) < abs(entry.amount_minor)
        }
        if len(near) == 1:
            found[entry.entry_id] = next(iter(near.values()))
    shared = Counter(fee.entry_id for fee in found.values())
    return {key: fee for key, fee in found.items() if shared[fee.entry_id] == 1}


def _is_charge(entry: EntryRow) -> bool:
    return entry.code_subfamily in _CHARGES or (entry.swift_type or "").endswith(("CHG", "COM"))


def _taken(
    session: Session, groups: set[str], found: Mapping[str, Sequence[Original]]
) -> dict[str, Taken]:
    """What each group has: the amounts of its items, and the postings that rest on it."""
    if not groups:
        return {}
    amounts: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    members = select(MemberRow).where(
        among(MemberRow.group_id, groups), MemberRow.side == "item", MemberRow.live
    )
    for member in session.scalars(members.order_by(MemberRow.group_id, MemberRow.member_id)):
        amounts[member.group_id][member.member_id] = (member.amount_minor, member.of_minor)
    entries = {o.entry.entry_id: o.view.group.group_id for some in found.values() for o in some}
    postings: dict[str, list[Adjustment]] = defaultdict(list)
    about = select(Adjustment).where(
        among(Adjustment.subject_id, {*groups, *entries}),
        Adjustment.subject_side.in_(("group", "entry")),
        Adjustment.state.in_(("pending", "approved", "posted")),
    )
    for adjustment in session.scalars(about.order_by(Adjustment.adjustment_id)):
        group_id = entries.get(adjustment.subject_id, adjustment.subject_id)
        postings[group_id].append(adjustment)
    return {key: Taken(amounts[key], tuple(postings[key])) for key in sorted(groups)}


def _undecided(session: Session, cases: Mapping[str, Case]) -> dict[str, Case]:
    """Without the proposals a person rejected: what else the return is, a person must say."""
    query = select(MatchDecision.content).where(
        MatchDecision.decision == "reject", MatchDecision.content["rung"].astext == "return"
    )
    rejected = {(content["undoes"], content["returned"]) for content in session.scalars(query)}
    return {
        key: case
        if case.plan is None or (case.plan.undoes, key) not in rejected
        else Case(
            f"{case.reason.partition(', ')[0]}; undoing the match of {case.plan.entry} was "
            "rejected: decide what else it is",
            {},
            None,
        )
        for key, case in cases.items()
    }
