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
from tieout.stages.return_originals import Original, Unit, fee_of, ids_of, originals, units_of
from tieout.stages.return_plan import Plan, Taken, plan_of

__all__ = ["RETURNED", "Case", "find_returns", "may_be_return", "with_returns"]

#: Reason code of the exception.
RETURNED: Final = "RETURNED_PAYMENT"
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
    suspects = [
        e for e in entries if e.amount_minor and may_be_return(e, details.get(e.entry_id, ()))
    ]
    if not suspects:
        return {}
    by_entry = {e.entry_id: units_of(e, details.get(e.entry_id, ())) for e in suspects}
    units = [unit for own in by_entry.values() for unit in own]
    listed = iter(originals(session, account, units, views))
    found = {key: [next(listed) for _ in own] for key, own in by_entry.items()}
    found = {key: some for key, some in found.items() if any(some)}
    every = [o for some in found.values() for one in some for o in one]
    known = _Known(
        Counter(o.part for some in found.values() for one in some for o in one[:1]),
        _fees(suspects, entries, details),
        _taken(session, every),
        _by_ids([e for e in entries if e.entry_id not in by_entry], details),
    )
    cases = {key: _case(account, by_entry[key], some, known) for key, some in found.items()}
    cases = _undecided(session, cases)
    for key, fee in known.fees.items():
        plan = cases[key].plan if key in cases else None
        if plan is not None and fee.entry_id in dict(plan.entries):
            reason = f"The charge for a return, decided with it: {_command(plan)}"
            cases[fee.entry_id] = Case(reason, {"entries": [key]}, None)
    return cases


@dataclass(frozen=True, slots=True)
class _Known:
    """What the returns of a run are judged by.

    Attributes:
        claims: how many returns a matched payment would be undone by.
        fees: the fee entry of each return that has one.
        taken: by group id.
        open_ids: open entries that are no returns, by the ids they carry.
    """

    claims: Counter[tuple[str, str]]
    fees: Mapping[str, EntryRow]
    taken: Mapping[str, Taken]
    open_ids: Mapping[tuple[str, str], Sequence[EntryRow]]


def _case(
    account: Account, units: Sequence[Unit], some: Sequence[Sequence[Original]], known: _Known
) -> Case:
    said = _said(units)
    every = [o for one in some for o in one]
    missing = sum(not one for one in some)
    if missing:
        reason = f"{said}; of {missing} of them no matched payment is known: decide"
        return Case(reason, _listed(every), None)
    unsure = [one for one in some if len(one) > 1 or known.claims[one[0].part] > 1]
    if unsure:
        return _several(said, unsure[0], every)
    if any(_open_too(unit, known) for unit in units):
        reason = f"{said}; a payment with its id and amount is open too: decide which it undoes"
        return Case(reason, _listed(every), None)
    fee = known.fees.get(units[0].entry.entry_id)
    plan = plan_of(account, units, [one[0] for one in some], fee, known.taken)
    if isinstance(plan, str):
        return Case(f"{said}; {plan}", _listed(every), None)
    return Case(f"{said}, {plan.does}: {_command(plan)}", {"return": plan.shown()}, plan)


def _open_too(unit: Unit, known: _Known) -> bool:
    near = [e for key in unit.ids for e in known.open_ids.get(key, ())]
    return any(fee_of(unit, e.amount_minor) is not None for e in near)


def _by_ids(
    entries: Sequence[EntryRow], details: Mapping[str, Sequence[DetailRow]]
) -> dict[tuple[str, str], list[EntryRow]]:
    found: dict[tuple[str, str], list[EntryRow]] = defaultdict(list)
    for entry in entries:
        for key in ids_of(entry, details.get(entry.entry_id, ())):
            found[key].append(entry)
    return found


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


def _said(units: Sequence[Unit]) -> str:
    entry, details = units[0].entry, [d for unit in units for d in unit.details]
    if len(units) > 1:
        return f"{len(units)} payments came back in one entry"
    whom = next((d.counterparty_name for d in details if d.counterparty_name), None)
    if entry.amount_minor > 0:
        what = "Payment" + (f" to {whom}" if whom else "")
    else:
        what = "Receipt" + (f" from {whom}" if whom else "")
    name = next((d.end_to_end_id for d in details if d.end_to_end_id), None)
    return f"{what}{f' ({name})' if name else ''} came back"


def _command(plan: Plan) -> str:
    return f"`tieout approve {plan.plan_id[:12]}`"


def _several(said: str, some: Sequence[Original], every: Sequence[Original]) -> Case:
    names = "; ".join(_name(o) for o in some[:_NAMED])
    more = f" and {len(some) - _NAMED} more" if len(some) > _NAMED else ""
    if len(some) == 1:
        reason = f"{said}, and so does another entry, of one payment: {names}; decide which is"
    else:
        reason = f"{said}; it fits {len(some)} payments: {names}{more}; decide which it undoes"
    return Case(reason, _listed(every), None)


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
    charges = [
        e for e in entries if e.amount_minor < 0 and _is_charge(e) and e.entry_id not in returns
    ]
    by_id = _by_ids(charges, details)
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


def _taken(session: Session, every: Sequence[Original]) -> dict[str, Taken]:
    """What each group has: the amounts of its items, and the postings that rest on it."""
    groups = {o.view.group.group_id for o in every}
    if not groups:
        return {}
    amounts: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    members = select(MemberRow).where(
        among(MemberRow.group_id, groups), MemberRow.side == "item", MemberRow.live
    )
    for member in session.scalars(members.order_by(MemberRow.group_id, MemberRow.member_id)):
        amounts[member.group_id][member.member_id] = (member.amount_minor, member.of_minor)
    entries = {o.entry.entry_id: o.view.group.group_id for o in every}
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
    """Without what a person rejected, or undid: what else the return is, a person must say."""
    query = select(MatchDecision.content).where(
        MatchDecision.decision.in_(("reject", "undo")),
        MatchDecision.content["rung"].astext == "return",
    )
    facts = [c["facts"] for c in session.scalars(query) if not c.get("again")]
    rejected = {(tuple(f["undoes"]), f["returned"]) for f in facts}
    return {
        key: case
        if case.plan is None or (case.plan.undoes, key) not in rejected
        else Case(
            f"{case.reason.partition(', ')[0]}; somebody decided that it does not bring back "
            f"{case.plan.payment}: decide what else it is",
            {},
            None,
        )
        for key, case in cases.items()
    }
