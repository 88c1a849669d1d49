"""OFX statements put together: account, entries, balances, and what the bank says of its answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import pyarrow.compute

from parsers._held import Held, filled
from parsers._ofx_balance import balances
from parsers._ofx_entry import account_of, bic_of, entry, instant
from parsers._ofx_tree import ENTRIES, STATEMENTS, Node, Tree
from parsers._rows import Rows
from parsers._text import clean
from tieout.canonical import Tables
from tieout.errors import InputError
from tieout.money import is_currency

__all__ = ["Reader"]

pc: Any = pyarrow.compute  # the stubs know too few of its signatures

_OTHERS: Final = {
    "INVSTMTRS": "investment statement", "LOANSTMTRS": "loan statement",
    "INV401KSTMTRS": "pension statement", "AMRTSTMTRS": "amortisation statement",
}  # fmt: skip
_ONCE: Final = ("CURDEF", "BANKACCTFROM", "CCACCTFROM", "LEDGERBAL", "AVAILBAL")
#: Kinds whose sign is in their name, and what it should be.
_SIGNED: Final = {"DEBIT": -1, "CREDIT": 1}


class _Statement:
    """What a statement's entries have in common, from its first one on."""

    def __init__(self, node: Node, number: int) -> None:
        self.id, self.node = str(number), node
        self.count, self.incomplete = 0, False
        self.waits = False  # some of its rows are put away
        self.rows: list[dict[str, Any]] = []  # entries and details that miss account or currency
        self.odd: Counter[str] = Counter()
        self.know()

    def know(self) -> None:
        """Account and currency, as far as they are read."""
        self.owner = self.node.one("BANKACCTFROM", "CCACCTFROM")
        self.account, self.scheme = account_of(self.owner)
        stated = self.node.get("CURDEF").upper()
        self.currency = stated if is_currency(stated) else None


class Reader:
    """Takes aggregates as they end and makes rows of them."""

    def __init__(self, tree: Tree, rows: Rows, exact: str) -> None:
        self.tree, self.rows, self.exact = tree, rows, exact
        self.number = 0
        self.now: _Statement | None = None
        self.last: _Statement | None = None  # the one that ended last
        self.waiting = Held()
        self.refused: InputError | None = None

    @property
    def held(self) -> bool:
        """Whether rows wait for what stands behind them; OFX puts it before the entries."""
        return self.now is not None and (self.now.waits or bool(self.now.rows))

    def hold(self, batch: Tables) -> None:
        """Put a batch of rows away until their statement ends."""
        self.waiting.put(batch)
        if self.now is not None:
            self.now.waits = True
            self.now.rows.clear()

    def released(self) -> Iterator[Tables]:
        """The batches put away, with account and currency."""
        yield from self.waiting.take(self._mended)

    def _mended(self, batch: Tables) -> Tables:
        entries, details, last = batch.entries, batch.details, self.last
        assert last is not None  # noqa: S101
        mine = pc.equal(entries["statement_id"], last.id)
        entries = filled(entries, mine, "account_id", last.account)
        entries = filled(entries, mine, "currency", last.currency)
        own = pc.starts_with(details["detail_id"], f"{last.id}.")
        details = filled(details, own, "currency", last.currency)
        return replace(batch, entries=entries, details=details)

    def take(self, node: Node) -> None:
        """The next aggregate that ended."""
        if node.name in ENTRIES:
            self._entry(node)
        elif node.name in STATEMENTS:
            self._finish(self._statement(node))
        elif node.name.endswith("STMTRS"):
            self._other(node, _OTHERS.get(node.name, "statement (of an unknown kind)"))
        elif node.name == "STATUS" and self.tree.stack:
            self._status(node, self.tree.stack[-1].name)

    def _statement(self, node: Node) -> _Statement:
        if self.now is None or self.now.node is not node:
            self.number += 1
            self.now = _Statement(node, self.number)
        return self.now

    def _entry(self, node: Node) -> None:
        owner = next((n for n in reversed(self.tree.stack) if n.name.endswith("STMTRS")), None)
        if owner is None:
            raise InputError(
                "OFX_MALFORMED",
                "a transaction stands outside of any statement",
                where=f"line {node.line} STMTTRN",
                remedy="part of the file is missing: fetch it again; nothing of it was read",
            )
        if owner.name not in STATEMENTS:
            return  # the cash side of an investment: refused with its statement
        now = self._statement(owner)
        if now.account is None or now.currency is None:
            now.know()
        now.count += 1
        where = f"line {node.line} {node.name} {now.count}"
        found = entry(node, where, now.currency, self.rows)
        if found is None:
            now.incomplete = True
            return
        row, detail = found
        local = f"{now.id}.{now.count}"
        row |= {
            "entry_id": local,
            "statement_id": now.id,
            "ordinal": now.count,
            "account_id": now.account,
        }
        detail |= {"entry_id": local, "detail_id": f"{local}.1"}
        if now.account is None or row["currency"] is None:
            now.rows += [row, detail]
        self._doubts(now, node, row, where)
        self.rows.entries.append(row)
        self.rows.details.append(detail)

    def _doubts(self, now: _Statement, node: Node, row: dict[str, Any], where: str) -> None:
        now.odd["no id"] += row["bank_ref"] is None and row["status"] == "booked"
        now.odd["sign"] += row["amount"] * _SIGNED.get(node.get("TRNTYPE").upper(), 0) < 0
        if now.currency is not None and row["currency"] != now.currency:
            self.rows.finding(
                "CURRENCY_DIFFERS", "warning", f"{where}/CURRENCY",
                f"the entry is in {row['currency']}, the account in {now.currency}",
                "it is not converted: ask the bank for the account's amount",
            )  # fmt: skip
        if corrects := node.get("CORRECTFITID"):
            now.incomplete = True
            self.rows.finding(
                "ENTRY_CORRECTS", "error", f"{where}/CORRECTFITID",
                f"the bank corrects its entry {clean(corrects[:40])!r} "
                f"({clean(node.get('CORRECTACTION')) or 'no action named'})",
                "the earlier entry is not changed by itself: compare both and decide",
            )  # fmt: skip

    def _finish(self, now: _Statement) -> None:
        node, self.now, self.last = now.node, None, now
        now.know()
        for row in now.rows:
            row["currency"] = row["currency"] or now.currency
            if "statement_id" in row:
                row["account_id"] = now.account
        where = f"line {node.line} {node.name}"
        stated = node.one("CURDEF")
        for value, code, what in (
            (now.account, "ACCOUNT_MISSING", "account (ACCTID)"),
            (now.currency, "CURRENCY_MISSING", "currency (CURDEF)"),
        ):
            if value is None:
                now.incomplete = True
                raw = clean(stated.text[:10]) if stated and code == "CURRENCY_MISSING" else None
                self.rows.finding(
                    code, "error", where, f"the statement names no {what} we know: {raw!r}",
                    "ask the bank for a file that says which account and currency it is of",
                )  # fmt: skip
        self._once(now, where)
        if self.tree.broken:
            now.incomplete, self.tree.broken = True, False
        status = self.tree.stack[-1].one("STATUS") if self.tree.stack else None
        if status is not None and _failed(status):
            now.incomplete = True
        now.incomplete |= not balances(node, now.id, now.currency, self.rows)
        self._summary(now, where)
        self._row(now)

    def _once(self, now: _Statement, where: str) -> None:
        """Two accounts or closing balances in one statement: two have run together."""
        names = Counter(child.name for child in now.node.children)
        for name in _ONCE:
            if names[name] > 1:
                now.incomplete = True
                self.rows.finding(
                    "OFX_REPEATED", "error", where,
                    f"the statement has {names[name]} {name}; the first is taken",
                    "two statements may have run together: ask the bank for the file again",
                )  # fmt: skip

    def _summary(self, now: _Statement, where: str) -> None:
        """What many entries of the statement share, said once."""
        if now.odd["no id"]:
            self.rows.finding(
                "ENTRY_ID_MISSING", "info", where,
                f"{now.odd['no id']} of {now.count} transactions have no id of the bank (FITID)",
                "they are told apart by their facts and order in the statement",
            )  # fmt: skip
        if now.odd["sign"]:
            self.rows.finding(
                "ENTRY_SIGN_DOUBTFUL", "warning", where,
                f"{now.odd['sign']} of {now.count} transactions have a sign against their type "
                "(DEBIT above or CREDIT below zero); the sign of the amount is kept",
                "compare the closing balance with the one before",
            )  # fmt: skip

    def _row(self, now: _Statement) -> None:
        lists = [child for child in now.node.children if child.name == "BANKTRANLIST"]
        period = {
            name: [found for part in [*lists, now.node] if (found := self._bound(part, name))]
            for name in ("DTSTART", "DTEND")
        }
        self.rows.statements.append({
            "statement_id": now.id,
            "line_no": now.node.line,
            "account_id": now.account,
            "account_scheme": now.scheme,
            "currency": now.currency,
            "servicer_bic": bic_of(now.owner),
            "kind": "booked",
            "format": self.exact,
            "from_at": min(period["DTSTART"], default=None),
            "to_at": max(period["DTEND"], default=None),
            "narrative": clean(now.node.get("MKTGINFO")),
            "entry_count": now.count,
            "incomplete": now.incomplete,
        })  # fmt: skip

    def _bound(self, part: Node, name: str) -> datetime | None:
        """One end of the period that a list of transactions covers."""
        raw = part.get(name)
        found = instant(raw) if raw else None
        if raw and found is None:
            self.rows.finding(
                "DATE_MALFORMED", "warning", f"line {part.line} {name}",
                f"the period has no usable date: {clean(raw[:40])!r}",
                "left empty; the entries have dates of their own",
            )  # fmt: skip
        return found

    def _other(self, node: Node, what: str) -> None:
        error = InputError(
            "OFX_INVESTMENT" if node.name == "INVSTMTRS" else "OFX_UNSUPPORTED",
            f"this is the {what} of account {clean(_account(node))!r}: its cash also moves by "
            "events that are no bank entries, so none of it is read",
            where=f"line {node.line} {node.name}",
            remedy="ask for the bank or card statement of the cash account",
        )
        self._left_out(error, "warning")

    def _status(self, node: Node, parent: str) -> None:
        said = clean(node.get("MESSAGE")) or "no message"
        error = InputError(
            "OFX_STATUS",
            f"the bank answered {node.get('SEVERITY') or 'code'} {clean(node.get('CODE'))}: {said}",
            where=f"line {node.line} {parent}/STATUS",
            remedy="this is the bank's own error: mend the request or ask the bank, fetch again",
        )
        if _failed(node):
            if parent == "SONRS":
                raise error
            self._left_out(error, "error")
        elif node.get("SEVERITY").upper() == "WARN":
            self.rows.finding("OFX_STATUS", "warning", error.where, error.message, error.remedy)

    def _left_out(self, error: InputError, severity: Any) -> None:
        self.refused = self.refused or error
        self.rows.finding(error.code, severity, error.where, error.message, error.remedy)

    def end(self) -> None:
        """The file is over; without a statement it is refused with the first reason it gave."""
        self.rows.findings.extend(self.tree.findings())
        if not self.number:
            raise self.refused or InputError(
                "OFX_NO_STATEMENT",
                "the file has no bank or card statement",
                where="OFX",
                remedy="ask the bank what it sent: this may be a list of accounts or a sign-on",
            )


def _failed(status: Node) -> bool:
    return status.get("SEVERITY").upper() == "ERROR"


def _account(node: Node) -> str:
    return next((c.get("ACCTID") for c in node.children if c.get("ACCTID")), "?")
