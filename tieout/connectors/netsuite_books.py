"""NetSuite's books read with SuiteQL: cash book, balances, open items, rates, master data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import httpx

from tieout.connectors import reads
from tieout.connectors.http_wire import HttpWire
from tieout.connectors.netsuite_auth import login_for
from tieout.connectors.netsuite_masters import DIMENSIONS, OPEN_TYPES, PARTNERS, Account, Masters
from tieout.connectors.netsuite_profile import cash_book_of, check, posting_of, timeouts_of
from tieout.connectors.netsuite_readback import shaped
from tieout.connectors.netsuite_rows import LINES, SOURCE, cash_book_line, open_item
from tieout.connectors.netsuite_session import Row, Session, quoted
from tieout.errors import ConnectorError
from tieout.money import to_minor

__all__ = ["NetSuiteBooks"]

_RATE_DECIMALS: Final = Decimal("1E-12")
_IDS_MAX: Final = 500
_MOVE_KEYS: Final = ("move:t.id", "line:tl.id")


class NetSuiteBooks:
    """Reads of the books of one subsidiary; a `BooksReader` and a `MasterReader`.

    Args:
        base_url: ``https://ACCOUNT.suitetalk.api.netsuite.com``.
        login, password, options: see `tieout.connectors.netsuite_auth`.
        company: our code of the subsidiary.
        mapping: content of ``mappings/erp/netsuite.toml``.
        transport: replaces the network in tests.

    Raises:
        ProfileError: the mapping or the options have an unknown key or value.
        ConnectorError: the login cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        login: str,
        password: str,
        *,
        company: str,
        mapping: Mapping[str, Any],
        options: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        check(mapping)
        timeouts = timeouts_of(mapping)
        self.wire = HttpWire(base_url, "NetSuite", timeouts, transport)
        self._mapping = mapping
        self._posting = posting_of(mapping)
        self._cash_book = cash_book_of(mapping)
        self._total_seconds = timeouts.total
        own = login_for(self.wire, login, password, options or {})
        self._session = Session(self.wire, own, self._cash_book.page_size)
        self._masters = Masters(self._session, company, mapping)

    def close(self) -> None:
        """Release the network client."""
        self.wire.close()

    def cash_book(self, gl_account: str, *, since: date) -> list[reads.CashBookLine]:
        """Posted lines of a bank's GL account dated after ``since``, by date, then by id."""
        with shaped("cash book"):
            account = self._account(gl_account)
            where = [*self._posted(account), f"t.trandate > {_day(since)}"]
            if self._cash_book.uncleared:
                where.append("tl.cleared = 'F'")
            rows = self._session.rows(LINES, SOURCE, where, _MOVE_KEYS)
            parties = self._parties(rows)
            own = self._masters.currency
            currency = account.currency or own
            lines = [
                cash_book_line(row, currency, own, self._cash_book.text, parties.get(row["move"]))
                for row in rows
            ]
        return sorted(lines, key=lambda line: (line.booked_on, _order(line.line_id)))

    def book_balance(self, gl_account: str, *, on: date, currency: str) -> int:
        """Balance in ``currency`` of all posted lines up to and including ``on``."""
        with shaped("balance"):
            account = self._account(gl_account)
            held = account.currency or self._masters.currency
            if held != currency:
                message = f"GL account {gl_account} is kept in {held}, not {currency}"
                raise ConnectorError("CURRENCY_OTHER", message, remedy="correct the mapping")
            column = "tal.amount" if held == self._masters.currency else "tl.foreignamount"
            where = " AND ".join([*self._posted(account), f"t.trandate <= {_day(on)}"])
            row = self._session.total(f"SELECT SUM({column}) AS total FROM {SOURCE} WHERE {where}")
            return to_minor(Decimal(row.get("total", "0")), held)

    def open_items(self, company: str, *, on: date) -> list[reads.OpenItem]:
        """Posted receivable and payable lines up to ``on`` that nothing has settled."""
        self._require(company)
        with shaped("open items"):
            kinds = ", ".join(quoted(kind) for kind in OPEN_TYPES)
            where = [
                "tal.posting = 'T'",
                f"tl.subsidiary = {self._masters.subsidiary()}",
                f"a.accttype IN ({kinds})",
                f"t.trandate <= {_day(on)}",
                "tl.foreignamountunpaid <> 0",
            ]
            rows = self._session.rows(LINES, SOURCE, where, _MOVE_KEYS)
            partners = self._partners_by_id({row["entity"] for row in rows if "entity" in row})
            own = self._masters.currency
            items = [open_item(row, own, partners.get(row.get("entity", ""))) for row in rows]
        return sorted(items, key=lambda item: (item.booked_on, _order(item.line_id)))

    def company_rates(self) -> list[reads.Rate]:
        """Currency rates against the company's own currency, by currency and date."""
        with shaped("rates"):
            columns = (
                "r.id AS id, c.symbol AS symbol, r.exchangerate AS exchangerate,"
                " TO_CHAR(r.effectivedate, 'YYYY-MM-DD') AS day"
            )
            source = "currencyrate r JOIN currency c ON c.id = r.transactioncurrency"
            own = self._masters.currency_id(self._masters.currency)
            where = [f"r.basecurrency = {own}", f"r.transactioncurrency <> {own}"]
            rates = [
                reads.Rate(
                    row["symbol"],
                    date.fromisoformat(row["day"]),
                    # NetSuite holds our units for one of theirs.
                    (1 / Decimal(row["exchangerate"])).quantize(_RATE_DECIMALS),
                )
                for row in self._session.rows(columns, source, where, ("id:r.id",))
            ]
        return sorted(rates, key=lambda rate: (rate.currency, rate.on))

    def gl_accounts(self, company: str) -> list[reads.GlAccount]:
        """The GL accounts, by code; lines of payables and receivables are cleared."""
        self._require(company)
        with shaped("GL accounts"):
            columns = "id, acctnumber, fullname, accttype, isinactive, issummary"
            found = [
                reads.GlAccount(
                    row["acctnumber"],
                    row.get("fullname", ""),
                    row["isinactive"] != "T" and row["issummary"] != "T",
                    row["accttype"] in OPEN_TYPES,
                )
                for row in self._session.rows(columns, "account", [], ("id:id",))
                if "acctnumber" in row
            ]
        return sorted(found, key=lambda account: account.code)

    def partners(self, company: str) -> list[reads.Partner]:
        """Vendors, customers and employees, by code; NetSuite tells no bank accounts of theirs."""
        self._require(company)
        kinds: dict[str, Any] = {"vendor": "supplier"}
        with shaped("partners"):
            found = [
                reads.Partner(
                    row["entityid"], row.get("name", ""), kinds.get(table, table), _active(row)
                )
                for table, name in PARTNERS.items()
                for row in self._session.rows(
                    f"id, entityid, isinactive, {name} AS name", table, [], ("id:id",)
                )
            ]
        return sorted(found, key=lambda partner: (partner.code, partner.kind))

    def cost_centers(self, company: str) -> list[reads.CostCenter]:
        """What the mapping takes for cost centers, by name, which is their code."""
        self._require(company)
        with shaped("cost centers"):
            table = DIMENSIONS[self._masters.dimension]
            rows = self._session.rows("id, name, isinactive", table, [], ("id:id",))
            found = [reads.CostCenter(row["name"], row["name"]) for row in rows if _active(row)]
        return sorted(found, key=lambda center: center.code)

    def tax_codes(self, company: str) -> list[reads.TaxCode]:
        """None: NetSuite takes no tax details on a journal through REST."""
        self._require(company)
        return []

    def period_status(self, company: str, on: date) -> reads.PeriodStatus:
        """Whether the books are open on a day, asked now; unknown where there is no period."""
        self._require(company)
        with shaped("period"):
            return self._masters.period_status(on)

    def _account(self, code: str) -> Account:
        return self._masters.account(code)

    def _require(self, company: str) -> None:
        if company != self._masters.company:
            message = f"this connector reads {self._masters.company!r}, not {company!r}"
            raise ConnectorError("COMPANY_OTHER", message)

    def _posted(self, account: Account) -> list[str]:
        return [
            "tal.posting = 'T'",
            f"tal.account = {int(account.id)}",
            f"tl.subsidiary = {int(self._masters.subsidiary())}",
        ]

    def _parties(self, rows: list[Row]) -> dict[str, Row]:
        """The partner of each transaction where all its lines that have one have the same."""
        moves = sorted({int(row["move"]) for row in rows})
        named: dict[str, set[str]] = {row["move"]: {row["head"]} for row in rows if "head" in row}
        for start in range(0, len(moves), _IDS_MAX):
            ids = ", ".join(str(move) for move in moves[start : start + _IDS_MAX])
            where = [f"tl.transaction IN ({ids})", "tl.entity IS NOT NULL"]
            columns = "tl.transaction AS move, tl.id AS line, tl.entity AS entity"
            keys = ("move:tl.transaction", "line:tl.id")
            for row in self._session.rows(columns, "transactionline tl", where, keys):
                named.setdefault(row["move"], set()).add(row["entity"])
        alone = {move: next(iter(ids)) for move, ids in named.items() if len(ids) == 1}
        partners = self._partners_by_id(set(alone.values()))
        return {move: partners[i] for move, i in alone.items() if i in partners}

    def _partners_by_id(self, ids: set[str]) -> dict[str, Row]:
        ordered = sorted(int(i) for i in ids)
        found: dict[str, Row] = {}
        for table, name in PARTNERS.items():
            for start in range(0, len(ordered), _IDS_MAX):
                part = ", ".join(str(i) for i in ordered[start : start + _IDS_MAX])
                columns = f"id, entityid, {name} AS name"
                for row in self._session.rows(columns, table, [f"id IN ({part})"], ("id:id",)):
                    found[row["id"]] = row
        return found


def _active(row: Row) -> bool:
    return bool(row["isinactive"] != "T")


def _day(on: date) -> str:
    return f"TO_DATE({quoted(on.isoformat())}, 'YYYY-MM-DD')"


def _order(line_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in line_id.split("/"))
