"""Tryton's books read: cash book, balances, open items and rates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import httpx

from tieout.connectors import reads
from tieout.connectors.http_wire import Timeouts
from tieout.connectors.tryton_masters import Masters
from tieout.connectors.tryton_records import (
    LINE_FIELDS,
    cash_book_line,
    open_item,
    shaped,
    text_pattern,
)
from tieout.connectors.tryton_session import Row, Session
from tieout.connectors.tryton_wire import Wire
from tieout.errors import ConnectorError
from tieout.money import to_minor
from tieout.profiles import allow_keys

__all__ = ["TrytonBooks"]

_KEYS: Final = (
    "accounts",
    "cash_book",
    "company",
    "erp",
    "journals",
    "maintenance",
    "references",
    "timeouts",
    "traffic",
)
_PAGE_SIZE: Final = 500


class TrytonBooks:
    """Reads of the books of one company in one Tryton database; a `BooksReader`.

    Args:
        company: code of the company's party.
        mapping: content of ``mappings/erp/tryton.toml``.
        wire: replaces the network; every call passes through its ``exchange``.
        transport: replaces the network below HTTP.

    Raises:
        ProfileError: the mapping has an unknown key or a pattern with unknown parts.
    """

    def __init__(
        self,
        base_url: str,
        database: str,
        login: str,
        password: str,
        *,
        company: str,
        mapping: Mapping[str, Any],
        wire: Wire | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        allow_keys(mapping, _KEYS, "mappings/erp/tryton.toml")
        timeouts = mapping.get("timeouts", {})
        allow_keys(timeouts, ("connect", "read", "total"), "tryton.toml [timeouts]")
        cash_book = mapping.get("cash_book", {})
        self.wire = wire or Wire(base_url, database, Timeouts(**timeouts), transport)
        page_size = int(cash_book.get("page_size", _PAGE_SIZE))
        self._session = Session(self.wire, login, password, page_size)
        self._masters = Masters(self._session, company, dict(mapping.get("journals", {})))
        self._text = text_pattern(str(cash_book.get("text", "(?P<narrative>.*)")))

    def close(self) -> None:
        """Release the network client."""
        self.wire.close()

    def cash_book(self, gl_account: str, *, since: date) -> list[reads.CashBookLine]:
        """Posted lines of a bank's GL account dated after ``since``, by date, then by id."""
        with shaped("cash book"):
            account = self._account(gl_account)
            currency = self._account_currency(account)
            domain = [
                ["account", "=", account["id"]],
                ["move.state", "=", "posted"],
                ["move.date", ">", since],
            ]
            rows = self._session.rows("account.move.line", domain, LINE_FIELDS)
            company_currency = self._masters.currency()
            parties = self._parties([row["move."]["id"] for row in rows])
            lines = [
                cash_book_line(
                    row, currency, company_currency, self._text, parties.get(row["move."]["id"])
                )
                for row in rows
            ]
        return sorted(lines, key=lambda line: (line.booked_on, int(line.line_id)))

    def book_balance(self, gl_account: str, *, on: date, currency: str) -> int:
        """Balance in ``currency`` of all posted moves up to and including ``on``."""
        with shaped("balance"):
            account = self._account(gl_account)
            held = self._account_currency(account)
            if held != currency:
                message = f"GL account {gl_account} is kept in {held}, not {currency}"
                raise ConnectorError("CURRENCY_OTHER", message, remedy="correct the mapping")
            own = held == self._masters.currency()
            field = "balance" if own else "amount_second_currency"
            # With an end and no year Tryton sums every posted move there is up to that day.
            context = {"to_date": on, "posted": True}
            method = "model.account.account.read"
            (row,) = self._session.ask(method, [account["id"]], [field], context=context)
            return to_minor(row[field] or Decimal(0), held)

    def open_items(self, company: str, *, on: date) -> list[reads.OpenItem]:
        """Posted receivable and payable lines up to ``on`` that nothing has settled."""
        if company != self._masters.company:
            message = f"this connector reads {self._masters.company!r}, not {company!r}"
            raise ConnectorError("COMPANY_OTHER", message)
        with shaped("open items"):
            own = self._masters.company_row()["id"]
            invoices = self._session.rows(
                "account.invoice",
                [["company", "=", own], ["move", "!=", None], ["state", "=", "posted"]],
                ["description", "move", "number", "reference"],
            )
            by_move = {row["move"]: row for row in invoices}
            domain = [
                ["company", "=", own],
                ["move.state", "=", "posted"],
                ["move.date", "<=", on],
                ["reconciliation", "=", None],
                [
                    "OR",
                    ["account.type.receivable", "=", True],
                    ["account.type.payable", "=", True],
                ],
            ]
            fields = [*LINE_FIELDS, "account.code", "account.type.receivable"]
            rows = self._session.rows("account.move.line", domain, fields)
            currency = self._masters.currency()
            items = [
                open_item(row, by_move.get(row["move."]["id"]), currency, self._text)
                for row in rows
            ]
        return sorted(items, key=lambda item: (item.booked_on, int(item.line_id)))

    def company_rates(self) -> list[reads.Rate]:
        """Currency rates without the company's own currency, by currency and date."""
        with shaped("rates"):
            own = self._masters.currency()
            rows = self._session.rows(
                "currency.currency.rate", [], ["currency.code", "date", "rate"]
            )
            rates = [
                reads.Rate(row["currency."]["code"], row["date"], row["rate"])
                for row in rows
                if row["currency."]["code"] != own
            ]
        return sorted(rates, key=lambda rate: (rate.currency, rate.on))

    def _parties(self, moves: list[int]) -> dict[int, Row]:
        """The party of each move where all its lines that have one have the same."""
        named = [["party", "!=", None]]
        fields = ["move", "party.code", "party.name"]
        rows = self._session.rows_of("account.move.line", "move", moves, named, fields)
        found: dict[int, dict[int, Row]] = {}
        for row in rows:
            found.setdefault(row["move"], {})[row["party."]["id"]] = row["party."]
        return {move: next(iter(p.values())) for move, p in found.items() if len(p) == 1}

    def _account(self, code: str) -> Row:
        found = self._masters.accounts([code])
        if code not in found:
            message = f"Tryton has no GL account {code!r}"
            raise ConnectorError("ACCOUNT_UNKNOWN", message, remedy="correct mappings/accounts")
        return found[code]

    def _account_currency(self, account: Row) -> str:
        second = account["second_currency."]
        return str(second["code"]) if second else self._masters.currency()
