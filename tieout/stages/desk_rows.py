"""Rows of the desk's report: what is open on one account, why, and how bank and books tie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from tieout.matching import engine
from tieout.matching.ladder import Ladder
from tieout.matching.nearest import nearest
from tieout.money import to_minor
from tieout.reports.model import (
    AccountTieOut,
    BrsLine,
    BrsSection,
    ExceptionRow,
    brs,
    section,
    status_of,
)
from tieout.reports.rates import Rates, RungRate

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["DeskAccount", "reasons", "tie"]

_FEES: Final = frozenset({"CHRG", "COMM", "FEES", "COMT", "BRKF", "NCHG", "FCHG"})
_INTEREST: Final = frozenset({"INTR", "NINT", "FINT"})
_FEE_WORDS: Final = ("gebühr", "gebuehr", "entgelt", "kontoführ", "kontofuehr", "fee", "charge")
_INTEREST_WORDS: Final = ("zinsen", "habenzins", "sollzins", "interest")


@dataclass(frozen=True, slots=True)
class DeskAccount:
    """An account of the bank files: first opening and last closing balance."""

    account_id: str
    currency: str
    opening: Decimal
    closing: Decimal | None
    closing_on: date | None
    statement_ref: str
    sequence_no: str
    bank: str


def reasons(
    entries: pa.Table,
    details: pa.Table,
    items: pa.Table,
    ladder: Ladder,
    result: engine.Result,
) -> dict[str, tuple[str, str]]:
    """(code, one line) for every entry and item that is in no confirmed group."""
    told: dict[str, tuple[str, str]] = {}
    documents = dict(
        zip(items["item_id"].to_pylist(), items["document_no"].to_pylist(), strict=True)
    )
    for own, candidates in nearest(entries, details, items, ladder, result).items():
        best = candidates[0]
        other = documents.get(best.other_id)
        name = f"nearest is {other}: " if other else "nearest: "
        told[own] = (f"{best.failed}_differs", name + best.by)
    for row in result.refused.to_pylist():
        for own in (*row["entry_ids"], *row["item_ids"]):
            told[own] = (row["reason"], row["message"])
    for row in entries.to_pylist():
        kind = _classified(row)
        if kind and row["entry_id"] not in told:
            told[row["entry_id"]] = kind
    return told | _proposed(result, documents)


def _proposed(result: engine.Result, documents: Mapping[Any, Any]) -> dict[str, tuple[str, str]]:
    """What to say of entries and items in groups that are only proposed: they are open."""
    evidence = {
        row["group_id"]: row["evidence"]
        for row in result.groups.to_pylist()
        if row["state"] != "confirmed"
    }
    members: dict[str, list[str]] = {}
    for row in result.members.to_pylist():
        if row["group_id"] in evidence and row["side"] != "detail":
            members.setdefault(row["group_id"], []).append(row["member_id"])
    told: dict[str, tuple[str, str]] = {}
    for key, own in members.items():
        names = ", ".join(str(documents[m]) for m in own if documents.get(m))
        about = f" with {names}" if names else ""
        said = ("match_proposed", f"a match{about} is proposed: {evidence[key]}")
        told |= dict.fromkeys(own, said)
    return told


def _confirmed(result: engine.Result) -> engine.Result:
    """The result without what is only proposed."""
    groups = result.groups.filter(pc.equal(result.groups["state"], "confirmed"))
    sure = pc.is_in(result.members["group_id"], value_set=groups["group_id"].combine_chunks())
    return replace(result, groups=groups, members=result.members.filter(sure))


def _classified(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """What an entry without an item is by the bank's own code, else by its text."""
    codes = {row["code_subfamily"], row["swift_type"], (row["code_proprietary"] or "")[:4]}
    text = (row["narrative"] or "").casefold()
    if codes & _FEES or any(word in text for word in _FEE_WORDS):
        return "bank_charge", "a bank charge the books do not have yet"
    if codes & _INTEREST or any(word in text for word in _INTEREST_WORDS):
        return "interest", "interest the books do not have yet"
    return None


def tie(
    account: DeskAccount,
    entries: pa.Table,
    details: pa.Table,
    items: pa.Table,
    result: engine.Result,
    why: Mapping[str, tuple[str, str]],
    books_balance: Decimal | None,
) -> tuple[AccountTieOut, list[ExceptionRow]]:
    """One account's bank reconciliation statement and its open entries."""
    money = account.currency
    result = _confirmed(result)
    own = [r for r in entries.to_pylist() if _mine(r, account)]
    booked = [r for r in items.to_pylist() if _mine(r, account)]
    matched = set(result.members["member_id"].to_pylist())
    parties = _parties(details)
    open_entries = [r for r in own if r["entry_id"] not in matched]
    open_items = [r for r in booked if r["item_id"] not in matched]
    residuals = [
        r
        for r in result.groups.to_pylist()
        if r["residual"] and r["account_id"] == account.account_id and r["currency"] == money
    ]
    closing = account.closing
    day = account.closing_on or max((r["booked_on"] for r in own), default=date.min)
    books = books_balance
    remark = ""
    if books is None:
        books = account.opening + sum((r["amount"] for r in booked), Decimal(0))
        remark = "the books are taken to start at the bank's opening balance"
    sections = _sections(open_entries, open_items, residuals, why, parties, money, day)
    bank_minor = None if closing is None else to_minor(closing, money)
    books_minor = to_minor(books, money)
    unexplained = brs(bank_minor, books_minor, sections)
    tieout = AccountTieOut(
        code=account.account_id,
        name="",
        bank=account.bank,
        iban=account.account_id,
        currency=money,
        statement_ref=account.statement_ref,
        sequence_no=account.sequence_no,
        as_of=account.closing_on,
        bank_balance_minor=bank_minor,
        books_balance_minor=books_minor,
        sections=sections,
        rates=_rates(own, booked, matched, result, money),
        unexplained_minor=unexplained,
        status=status_of(unexplained, sections),
        remark=remark,
    )
    return tieout, [_exception(r, why, parties, day) for r in open_entries]


def _rates(
    entries: list[dict[str, Any]],
    items: list[dict[str, Any]],
    matched: set[Any],
    result: engine.Result,
    money: str,
) -> Rates:
    """The rates of the files; how right they are, only a ledger with people's word could say."""
    value = {r["entry_id"]: abs(to_minor(r["amount"], money)) for r in entries}
    item_ids = {r["item_id"] for r in items}
    rung_of = {r["group_id"]: r["rung"] for r in result.groups.to_pylist()}
    counts: dict[str, list[int]] = {}
    for row in result.members.to_pylist():
        key, own = row["member_id"], counts.setdefault(rung_of[row["group_id"]], [0, 0, 0])
        if key in value:
            own[0] += 1
            own[1] += value[key]
        elif key in item_ids:
            own[2] += 1
    rungs = [RungRate(rung, n, minor, i) for rung, (n, minor, i) in counts.items() if n or i]
    return Rates(
        entries_count=len(entries),
        matched_count=sum(key in matched for key in value),
        entries_value_minor=sum(value.values()),
        matched_value_minor=sum(minor for key, minor in value.items() if key in matched),
        items_count=len(items),
        items_matched_count=sum(key in matched for key in item_ids),
        rungs=tuple(sorted(rungs, key=lambda r: (-r.entries_count, -r.value_minor, r.rung))),
    )


def _mine(row: Mapping[str, Any], account: DeskAccount) -> bool:
    return bool(row["account_id"] == account.account_id and row["currency"] == account.currency)


def _parties(details: pa.Table) -> dict[str, tuple[str, str]]:
    """Counterparty and text of each entry's first detail."""
    told: dict[str, tuple[str, str]] = {}
    for row in details.to_pylist():
        told.setdefault(row["entry_id"], (row["counterparty_name"] or "", row["narrative"] or ""))
    return told


def _said(row: Mapping[str, Any], parties: Mapping[str, tuple[str, str]]) -> str:
    party, text = parties.get(row["entry_id"], ("", ""))
    words = dict.fromkeys(w for w in (party, text, row["narrative"] or "") if w)
    return " · ".join(words)


def _sections(
    open_entries: list[dict[str, Any]],
    open_items: list[dict[str, Any]],
    residuals: list[dict[str, Any]],
    why: Mapping[str, tuple[str, str]],
    parties: Mapping[str, tuple[str, str]],
    money: str,
    day: date,
) -> tuple[BrsSection, ...]:
    transit = [
        BrsLine(
            r["document_no"] or r["item_id"][:12],
            r["booked_on"] or day,
            " · ".join(t for t in (r["counterparty_name"], r["narrative"]) if t),
            to_minor(r["amount"], money),
            why.get(r["item_id"], ("", ""))[1],
        )
        for r in open_items
    ]
    unmatched = [
        BrsLine(
            r["bank_ref"] or r["entry_id"][:12],
            r["booked_on"] or day,
            _said(r, parties),
            to_minor(r["amount"], money),
            why.get(r["entry_id"], ("", "nothing in the books comes near"))[1],
        )
        for r in open_entries
    ]
    left = [
        BrsLine(r["group_id"][:12], day, r["evidence"], to_minor(r["residual"], money))
        for r in residuals
    ]
    made = (
        section("in_transit", transit),
        section("exceptions", unmatched, title="Bank entries not in the books"),
        section("residuals", left),
    )
    return tuple(each for each in made if each.lines)


def _exception(
    row: Mapping[str, Any],
    why: Mapping[str, tuple[str, str]],
    parties: Mapping[str, tuple[str, str]],
    day: date,
) -> ExceptionRow:
    code, reason = why.get(row["entry_id"], ("unmatched", "nothing in the books comes near"))
    on = row["booked_on"] or day
    return ExceptionRow(
        exception_id=row["entry_id"][:12],
        account_code=row["account_id"],
        reason_code=code,
        reason=reason,
        amount_minor=to_minor(row["amount"], row["currency"]),
        currency=row["currency"],
        on=on,
        counterparty=parties.get(row["entry_id"], ("", ""))[0],
        narrative=_said(row, parties),
        age_days=max((day - on).days, 0),
    )
