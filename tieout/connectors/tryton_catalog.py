"""What a posting to Tryton refers to: accounts, parties, taxes and periods, as lists."""

from __future__ import annotations

from datetime import date
from typing import Final

from tieout.connectors import reads
from tieout.connectors.tryton_books import TrytonBooks
from tieout.connectors.tryton_records import shaped
from tieout.connectors.tryton_session import Row
from tieout.errors import ConnectorError

__all__ = ["TrytonCatalog"]

_PERIOD: Final[dict[str, reads.PeriodStatus]] = {"open": "open", "closed": "closed"}


class TrytonCatalog(TrytonBooks):
    """Reads of master data; a `MasterReader`."""

    def gl_accounts(self, company: str) -> list[reads.GlAccount]:
        """Accounts that take postings or did once; those without a type are mere headings."""
        with shaped("GL accounts"):
            domain = [["company", "=", self._own(company)], ["type", "!=", None]]
            fields = ["code", "name", "closed", "reconcile"]
            rows = self._session.rows("account.account", domain, fields)
            found = [
                reads.GlAccount(row["code"], row["name"], not row["closed"], bool(row["reconcile"]))
                for row in rows
                if row["code"]
            ]
        return sorted(found, key=lambda account: account.code)

    def partners(self, company: str) -> list[reads.Partner]:
        """Parties; Tryton does not part suppliers from customers, so each is a supplier."""
        self._own(company)
        with shaped("parties"):
            rows = self._session.rows("party.party", [], ["code", "name", "active"])
            numbers = self._numbers()
            found = [
                reads.Partner(
                    str(row["code"]),
                    row["name"] or "",
                    "supplier",
                    bool(row["active"]),
                    tuple(sorted(numbers.get(row["id"], ()))),
                )
                for row in rows
            ]
        return sorted(found, key=lambda partner: partner.code)

    def cost_centers(self, company: str) -> list[reads.CostCenter]:
        """None: analytic accounts are a module of Tryton's own, which postings here do not use."""
        self._own(company)
        return []

    def tax_codes(self, company: str) -> list[reads.TaxCode]:
        """Tryton's taxes carry names only; the id is the code."""
        with shaped("taxes"):
            domain = [["company", "=", self._own(company)]]
            rows = self._session.rows("account.tax", domain, ["name"])
            found = [reads.TaxCode(str(row["id"]), row["name"]) for row in rows]
        return sorted(found, key=lambda tax: (len(tax.code), tax.code))

    def period_status(self, company: str, on: date) -> reads.PeriodStatus:
        """By the standard period a day falls into; ``unknown`` where there is none."""
        with shaped("period"):
            domain = [
                ["company", "=", self._own(company)],
                ["start_date", "<=", on],
                ["end_date", ">=", on],
                ["type", "=", "standard"],
            ]
            rows = self._session.rows("account.period", domain, ["state"])
        return _PERIOD.get(rows[0]["state"], "closed") if rows else "unknown"

    def _numbers(self) -> dict[int, list[str]]:
        """Account numbers by their owner's id."""
        fields = ["number_compact", "account.owners"]
        rows: list[Row] = self._session.rows("bank.account.number", [], fields)
        found: dict[int, list[str]] = {}
        for row in rows:
            for owner in row["account."]["owners"] or ():
                found.setdefault(owner, []).append(row["number_compact"] or "")
        return found

    def _own(self, company: str) -> int:
        if company != self._masters.company:
            message = f"this connector reads {self._masters.company!r}, not {company!r}"
            raise ConnectorError("COMPANY_OTHER", message)
        return int(self._masters.company_row()["id"])
