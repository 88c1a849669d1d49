"""What a posting to NetSuite refers to: our codes become internal ids, or it is refused.

What was found is kept: an id never changes, and NetSuite itself checks whether a thing is still
active. What was not found, and a period that was closed, is asked for again the next time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from tieout.connectors.netsuite_session import Row, Session, quoted
from tieout.connectors.reads import PeriodStatus
from tieout.errors import ConnectorError
from tieout.profile_lines import place_of

__all__ = ["DIMENSIONS", "OPEN_TYPES", "PARTNERS", "Account", "Masters", "RefusedError", "refused"]

#: Tables of what stands for a cost center.
DIMENSIONS: Final = {
    "class": "classification",
    "department": "department",
    "location": "location",
}
#: Tables of partners, and how each names its own.
PARTNERS: Final = {
    "vendor": "companyname",
    "customer": "companyname",
    "employee": "firstname || ' ' || lastname",
}
#: Account types whose lines name whom they are owed by or to.
OPEN_TYPES: Final = ("AcctPay", "AcctRec")


class RefusedError(ConnectorError):
    """What was asked for cannot be: NetSuite has no such thing, or nothing may be posted there."""


@dataclass(frozen=True, slots=True)
class Account:
    """A GL account: NetSuite's id, our code, type, and a bank account's own currency."""

    id: str
    code: str
    kind: str
    currency: str = ""
    active: bool = True


class Masters:
    """The master data of one subsidiary.

    Args:
        company: our code of it.
        mapping: content of ``mappings/erp/netsuite.toml``.
    """

    def __init__(self, session: Session, company: str, mapping: Mapping[str, Any]) -> None:
        self.company = company
        self._session = session
        own = mapping.get("company", {})
        self.currency = str(own.get("currency", ""))
        self._subsidiary = str(own.get("subsidiary", company))
        dimensions = mapping.get("dimensions", {})
        self.dimension = str(dimensions.get("cost_center", "department"))
        self._centers: Mapping[str, str] = dimensions.get("by_account", {})
        self._accounts: dict[str, Account] = {}
        self._ids: dict[tuple[str, ...], str] = {}
        self._currencies: dict[str, str] = {}
        self._open: dict[date, str] = {}

    def subsidiary(self) -> str:
        """The id of the subsidiary.

        Raises:
            RefusedError: ``SUBSIDIARY_UNKNOWN``.
            ConnectorError: it could not be asked.
        """
        where = f"name = {quoted(self._subsidiary)}"
        return self._id("subsidiary", where, "SUBSIDIARY_UNKNOWN", self._subsidiary)

    def currency_id(self, code: str) -> str:
        """The id of a currency; `RefusedError` ``CURRENCY_UNKNOWN``."""
        return self._id("currency", f"symbol = {quoted(code)}", "CURRENCY_UNKNOWN", code)

    def currency_code(self, internal: str) -> str:
        """The ISO code of a currency by NetSuite's id; its name there may be any.

        Raises:
            ConnectorError: ``CURRENCY_UNKNOWN``, or it could not be asked.
        """
        if internal not in self._currencies:
            rows = self._session.rows("id, symbol", "currency", [], ("id:id",))
            self._currencies = {row["id"]: row["symbol"] for row in rows if "symbol" in row}
        if internal not in self._currencies:
            raise RefusedError("CURRENCY_UNKNOWN", f"NetSuite has no currency {internal}")
        return self._currencies[internal]

    def account(self, code: str) -> Account:
        """A GL account that takes postings.

        Raises:
            RefusedError: ``GL_ACCOUNT_UNKNOWN``, ``GL_ACCOUNT_CLOSED``.
        """
        if code not in self._accounts:
            self._load([f"a.acctnumber = {quoted(code)}"])
        found = self._accounts.get(code)
        if found is None:
            raise refused("GL_ACCOUNT_UNKNOWN", f"NetSuite has no GL account {code!r}", code)
        if not found.active:
            # Kept only while it takes postings, so that one opened again is seen.
            del self._accounts[code]
            message = f"GL account {code!r} takes no postings"
            raise refused("GL_ACCOUNT_CLOSED", message, code)
        return found

    def codes(self, ids: set[str]) -> dict[str, str]:
        """Our codes of GL accounts by NetSuite's ids."""
        known = {account.id: account.code for account in self._accounts.values()}
        missing = sorted((i for i in ids - set(known) if i.isdigit()), key=int)
        if missing:
            self._load([f"a.id IN ({', '.join(missing)})"])
        return {account.id: account.code for account in self._accounts.values()}

    def _load(self, where: list[str]) -> None:
        columns = (
            "a.id AS id, a.acctnumber AS acctnumber, a.accttype AS accttype,"
            " a.isinactive AS isinactive, a.issummary AS issummary, c.symbol AS symbol"
        )
        source = "account a LEFT JOIN currency c ON c.id = a.currency"
        for row in self._session.rows(columns, source, where, ("id:a.id",)):
            active = row["isinactive"] != "T" and row["issummary"] != "T"
            code = str(row.get("acctnumber") or row["id"])
            self._accounts[code] = Account(
                row["id"], code, row["accttype"], row.get("symbol") or "", active
            )

    def partner(self, named: str, tables: tuple[str, ...] = tuple(PARTNERS)) -> str:
        """The id of a partner by code, else by exact name.

        Raises:
            RefusedError: ``PARTY_UNKNOWN``, ``PARTY_AMBIGUOUS``.
        """
        key = ("partner", *tables, named)
        if key in self._ids:
            return self._ids[key]
        found: list[Row] = []
        for table in tables:
            text = quoted(named)
            where = [f"(entityid = {text} OR {PARTNERS[table]} = {text})", "isinactive = 'F'"]
            found += self._session.rows("id, entityid", table, where, ("id:id",))
        exact = [row for row in found if row.get("entityid") == named] or found
        if not exact:
            message = f"NetSuite has no active {' or '.join(tables)} {named!r}"
            raise refused("PARTY_UNKNOWN", message, named)
        if len(exact) > 1:
            raise refused("PARTY_AMBIGUOUS", f"several partners are called {named!r}", named)
        self._ids[key] = exact[0]["id"]
        return self._ids[key]

    def dimensions(self, code: str) -> dict[str, Any]:
        """The cost center of lines on a GL account, as the record holds it; empty for none.

        Raises:
            RefusedError: ``COST_CENTER_UNKNOWN``.
        """
        named = self._centers.get(code)
        if named is None:
            return {}
        table = DIMENSIONS[self.dimension]
        where = f"name = {quoted(named)} AND isinactive = 'F'"
        return {self.dimension: {"id": self._id(table, where, "COST_CENTER_UNKNOWN", named)}}

    def period(self, on: date) -> str:
        """The id of the open period of a day.

        Raises:
            RefusedError: ``PERIOD_UNKNOWN``, ``PERIOD_CLOSED``.
        """
        if on in self._open:
            return self._open[on]
        row = self._period(on)
        if row is None:
            raise RefusedError("PERIOD_UNKNOWN", f"NetSuite has no period for {on}")
        if row["closed"] == "T":
            message = f"period {row['periodname']} is closed"
            remedy = "reopen the period, or correct the date"
            raise RefusedError("PERIOD_CLOSED", message, remedy=remedy)
        self._open[on] = row["id"]
        return self._open[on]

    def forget_period(self, on: date) -> None:
        """Ask for the period of a day again: NetSuite refused what we thought was open."""
        self._open.pop(on, None)

    def period_status(self, on: date) -> PeriodStatus:
        """Whether the books are open on a day, asked now."""
        row = self._period(on)
        if row is None:
            return "unknown"
        return "closed" if row["closed"] == "T" else "open"

    def _period(self, on: date) -> Row | None:
        day = f"TO_DATE({quoted(on.isoformat())}, 'YYYY-MM-DD')"
        where = [f"startdate <= {day}", f"enddate >= {day}", "isquarter = 'F'", "isyear = 'F'"]
        columns = "id, periodname, closed"
        found = self._session.rows(columns, "accountingperiod", where, ("id:id",))
        return found[0] if found else None

    def _id(self, table: str, where: str, code: str, named: str) -> str:
        key = (table, named)
        if key not in self._ids:
            found = self._session.rows("id", table, [where], ("id:id",))
            if len(found) != 1:
                problem = "no" if not found else "more than one"
                raise refused(code, f"NetSuite has {problem} {table} {named!r}", named)
            self._ids[key] = found[0]["id"]
        return self._ids[key]


def refused(code: str, message: str, value: str = "") -> RefusedError:
    """A refusal that names the line of the mapping where the value stands."""
    place = place_of(value, erp="netsuite") if value else ""
    words = f"{message}; it stands in {place}" if place else message
    return RefusedError(code, words, where=place)
