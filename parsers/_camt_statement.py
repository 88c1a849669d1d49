"""One camt statement, report or notification: header, balances, and the proof of its entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow.compute
from lxml import etree

from parsers import _camt_entry
from parsers._camt_balance import balance
from parsers._camt_long import Details, Long
from parsers._camt_party import account_of, currency_of
from parsers._camt_shapes import Shape
from parsers._held import Held, filled, negated
from parsers._rows import Rows, balance_finding, edges
from parsers._text import clean
from parsers._values import instant, is_true
from parsers._xml import Node, line_of
from tieout.arrays import whole
from tieout.canonical import Tables
from tieout.errors import Finding

__all__ = ["Statement", "account_of", "currency_of"]

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute


class Statement:
    """One statement being read: header, then entry by entry, balances proven at the end."""

    def __init__(self, element: etree._Element | None, line: int, shape: Shape) -> None:
        self.element, self.line, self.shape = element, line, shape
        self.begun = self.ended = self.held = self.incomplete = False
        self.moved, self.count = Decimal(0), 0
        self.currency: str | None = None  # the first entry's, where the account names none
        self.reversals, self.reversed_at = 0, 0  # how many, and the line of the first
        self.turnable = Decimal(0)  # what they move
        self.proven = self.turns = False  # the balances tell their sign; it is the other one
        self.waiting = Held()
        self.details = Details()
        self.account: tuple[str | None, str | None] | None = None

    def begin(self, local_id: str, exact: str, header: Node | None, rows: Rows) -> None:
        """Take a file-local id; the element has no children yet."""
        self.begun = True
        self.id, self.format, self.header, self.rows = local_id, exact, header, rows
        self.first = len(rows.entries)

    def know_account(self) -> tuple[str | None, str | None]:
        """Account and currency, from the header elements before the first entry."""
        if self.account is None and self.element is not None:
            head = Node(self.element, self.line, without="Ntry")
            self.account = account_of(head)[0], currency_of(head)
        return self.account or (None, None)

    def entry(self, element: etree._Element) -> None:
        """One Ntry: its row and its details', or a finding where it cannot be read."""
        self.account = self.know_account()
        ready = self.details.ready()
        self.take(Node(element, self.line), ready)

    def take(self, node: Node, ready: Long | None = None) -> None:
        """The same of an Ntry as a node; the account is known.

        Args:
            node: the Ntry.
            ready: its details that were read before it ended, and are not in the node.

        Raises:
            InputError: ``XML_TOO_LARGE``.
        """
        account, currency = self.account or (None, None)
        currency = currency or self.currency
        if account is None:
            self.held = True  # no header yet: filled in when the statement ends
        self.count += 1
        own = {account} - {None}
        found = _camt_entry.entry(
            node, currency, own, self.rows, silent=self.shape.status, ready=ready
        )
        if found is None:
            self.incomplete = True
            return
        row, details = found
        if ready is not None:
            ready.check(row)
        self.currency = self.currency or row["currency"]
        row["entry_id"] = f"{self.id}.{self.count}"
        row |= {"statement_id": self.id, "ordinal": self.count, "account_id": account}
        for detail in details:
            detail["entry_id"] = row["entry_id"]
            detail["detail_id"] = f"{row['entry_id']}.{detail['ordinal']}"
        if row["reversal"]:
            # Its sign is settled by the closing balance; a notification has none.
            self.held = self.held or self.shape.kind != "notification"
            self.reversals += 1
            self.reversed_at = self.reversed_at or row["line_no"]
        if currency is not None and row["currency"] != currency:
            self.rows.finding(
                "CURRENCY_DIFFERS", "warning", f"line {row['line_no']} Ntry/Amt",
                f"the entry is in {row['currency']}, the account in {currency}",
                "it is left out of the balance proof: ask the bank for the account's amount",
            )  # fmt: skip
        elif row["status"] == "booked":
            self.moved += row["amount"]
            self.turnable += row["amount"] if row["reversal"] else 0
        self.rows.entries.append(row)
        self.rows.details.extend(details)

    def misplaced(self, line: int) -> None:
        """An entry that is no child of the statement: it is not read, and that is said."""
        self.incomplete = True
        self.rows.finding(
            "ENTRY_MISPLACED", "error", f"line {line} Ntry",
            f"an entry stands inside another element of the {self.shape.element}",
            "the file is damaged: ask the bank for it again; nothing is posted from the statement",
        )  # fmt: skip

    def finish(self, element: etree._Element) -> None:
        """Statement row, balances and the proof, once everything of it is known."""
        self.place = line_of(element) + self.line
        self.close(Node(element, self.line, without="Ntry"), self.rows.entries[self.first :])

    def close(self, head: Node, mine: list[dict[str, Any]]) -> None:
        """The same of a statement as a node without its entries.

        Args:
            head: the statement.
            mine: its entries that were not handed on yet.
        """
        account, scheme = account_of(head)
        currency = currency_of(head) or self.currency
        balances = [balance(self.id, n, b, self.rows) for n, b in enumerate(head.all("Bal"), 1)]
        self.incomplete = self.incomplete or any(each["amount"] is None for each in balances)
        self.held = False
        for row in mine:
            row["account_id"] = account
        self._settle_reversals(balances, currency, mine)
        where = f"line {self.place} {self.shape.element}"
        self._prove(balances, currency, where)
        self._check_count(head, where)
        self.rows.balances.extend(balances)
        own = {"account_id": account, "account_scheme": scheme, "currency": currency}
        self.row = self._row(head) | own
        self.rows.statements.append(self.row)

    def _prove(self, balances: list[dict[str, Any]], currency: str | None, where: str) -> None:
        """Opening + entries = closing; an interim report need not tie, but it is said."""
        booked = self.shape.kind == "booked"
        if self.reversals and not self.proven:
            self.rows.finding(
                "REVERSAL_UNPROVEN", "warning" if booked else "info",
                f"line {self.reversed_at} Ntry/RvslInd",
                f"{self.reversals} reversals keep the bank's mark, no balances prove it",
                "look at the entry: some banks keep the mark of what is reversed" if booked
                else "the booked statement settles the sign",
            )  # fmt: skip
        if not booked and edges(balances, currency) is None:
            return
        finding = balance_finding(balances, currency, self.moved, where)
        if finding is not None and booked:
            self.rows.findings.append(finding)
        elif finding is not None:
            self.rows.finding(
                "BALANCE_INTERIM", "info", where, finding.message,
                "a report may hold only what is new since the one before; the booked statement "
                "is proven by its own balances",
            )  # fmt: skip

    def _settle_reversals(
        self, balances: list[dict[str, Any]], currency: str | None, mine: list[dict[str, Any]]
    ) -> None:
        """Turn the reversed entries where only that makes the balances tie."""
        known = edges(balances, currency)
        if known is None or not self.reversals:
            return
        wanted = known[1]["amount"] - known[0]["amount"]
        shift = 2 * self.turnable
        # Reversals that cancel out tie with either sign: that proves nothing.
        self.proven = shift != 0 and wanted in (self.moved, self.moved - shift)
        if self.moved == wanted or not self.proven:
            return
        self.moved -= shift
        self.turns = True
        turned = [e for e in mine if e["reversal"] and e["status"] == "booked"]
        ids = {e["entry_id"] for e in turned}
        for row in turned:
            row["amount"] = -row["amount"]
            self.rows.findings.append(_turned(row["line_no"], row["amount"]))
        for detail in self.rows.details:
            if detail["entry_id"] in ids:
                for name in ("amount", "original_amount"):
                    detail[name] = None if detail[name] is None else -detail[name]

    def hold(self, batch: Tables) -> None:
        """Put a batch of rows away until the statement ends."""
        self.waiting.put(batch)
        self.first = 0

    def released(self) -> Iterator[Tables]:
        """The batches put away, now that account and signs are known."""
        yield from self.waiting.take(self._mended)

    def _mended(self, batch: Tables) -> Tables:
        entries, details, findings = batch.entries, batch.details, batch.findings
        mine = pc.equal(entries["statement_id"], self.id)
        entries = filled(entries, mine, "account_id", self.row["account_id"])
        if self.turns:
            booked = pc.equal(entries["status"], "booked")
            turned = pc.and_(mine, pc.and_(entries["reversal"], booked))
            entries = negated(entries, turned, "amount")
            changed = entries.filter(turned)
            owned = pc.is_in(details["entry_id"], value_set=whole(changed["entry_id"]))
            for name in ("amount", "original_amount"):
                details = negated(details, owned, name)
            rows = changed.select(["line_no", "amount"]).to_pylist()
            findings += tuple(_turned(row["line_no"], row["amount"]) for row in rows)
        return replace(batch, entries=entries, details=details, findings=findings)

    def _check_count(self, head: Node, where: str) -> None:
        said = head.get("TxsSummry", "TtlNtries", "NbOfNtries")
        if said and said.isascii() and said.isdigit() and int(said[:18]) != self.count:
            self.rows.finding(
                "ENTRY_COUNT_MISMATCH", "warning", f"{where}/TxsSummry",
                f"the bank says {said} entries, the statement has {self.count}",
                "entries may be missing: compare with the balances",
            )  # fmt: skip

    def _row(self, head: Node) -> dict[str, Any]:
        period = head.one("FrToDt")
        paging = head.one(self.shape.paging) or (self.header and self.header.one("MsgPgntn"))
        last = paging.get("LastPgInd") if paging else None
        number = head.get("ElctrncSeqNb") or head.get("LglSeqNb")
        created = head.get("CreDtTm") or (self.header.get("CreDtTm") if self.header else None)
        servicer = head.one("Acct", "Svcr", "FinInstnId")
        bic = servicer and (servicer.get("BICFI") or servicer.get("BIC"))
        return {
            "statement_id": self.id,
            "line_no": self.place,
            "servicer_bic": clean(bic) if bic else None,
            "owner_name": clean(head.get("Acct", "Ownr", "Nm") or head.get("Acct", "Nm")),
            "statement_ref": clean(head.get("Id")),
            "sequence_no": _number(number),
            "page": _number(paging.get("PgNb")) if paging else None,
            "last_page": is_true(last) if last else None,
            "kind": self.shape.kind,
            "format": self.format,
            "from_at": instant(period.get("FrDtTm") or period.get("FrDt")) if period else None,
            "to_at": instant(period.get("ToDtTm") or period.get("ToDt")) if period else None,
            "created_at": instant(created),
            "narrative": clean(head.get(self.shape.text)),
            "entry_count": self.count,
            "incomplete": self.incomplete,
        }


def _turned(line: int, amount: Decimal) -> Finding:
    return Finding(
        "REVERSAL_SIGN_TURNED", "warning", f"line {line} Ntry/RvslInd",
        f"the entry keeps the mark of what it reverses; the balances prove {amount.normalize():f}",
        "no action: the closing balance is right with the turned sign",
    )  # fmt: skip


def _number(text: str | None) -> int | None:
    if text and text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    return None
