"""Oracle's master data: natural accounts, cost centers, suppliers, periods.

What changes rarely is read once for each connector, and read again before something is refused for
not being there. The status of a period is asked for every time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeVar

from tieout.connectors import reads
from tieout.connectors.oracle_profile import OracleProfile
from tieout.connectors.oracle_session import OracleSession, Row, day_of, shaped
from tieout.errors import ConnectorError

__all__ = ["GENERAL_LEDGER", "PAYABLES", "OracleMasters"]

T = TypeVar("T")

#: Application ids of the period statuses.
GENERAL_LEDGER: Final = 101
PAYABLES: Final = 200
_STATUSES: Final[dict[str, reads.PeriodStatus]] = {
    "O": "open",
    "F": "future",
    "C": "closed",
    "N": "closed",
    "P": "closed",
}


class OracleMasters:
    """Master data of one ledger and business unit."""

    def __init__(self, session: OracleSession, profile: OracleProfile) -> None:
        self._session, self._profile = session, profile
        self._kept: dict[str, Any] = {}
        self._lock = threading.Lock()

    def accounts(self, *, fresh: bool = False) -> dict[str, reads.GlAccount]:
        """Natural accounts by code."""

        def read() -> dict[str, reads.GlAccount]:
            found = self._values(self._profile.account_values)
            return {
                row["Value"]: reads.GlAccount(
                    row["Value"], row["Description"] or "", row["EnabledFlag"] == "Y"
                )
                for row in found
            }

        return self._keep("accounts", read, fresh)

    def cost_centers(self, *, fresh: bool = False) -> dict[str, tuple[reads.CostCenter, bool]]:
        """Cost centers by code, each with whether it is enabled."""

        def read() -> dict[str, tuple[reads.CostCenter, bool]]:
            found = {}
            for row in self._values(self._profile.cost_center_values):
                span = [
                    day_of(row[key]) if row.get(key) else None
                    for key in ("StartDateActive", "EndDateActive")
                ]
                center = reads.CostCenter(row["Value"], row["Description"] or "", *span)
                found[center.code] = (center, row["EnabledFlag"] == "Y")
            return found

        return self._keep("cost centers", read, fresh)

    def suppliers(self, *, fresh: bool = False) -> dict[str, Row]:
        """Suppliers by number, employees who are paid as suppliers among them."""

        def read() -> dict[str, Row]:
            parameters = [("onlyData", "true"), ("orderBy", "SupplierId")]
            found = self._session.rows("suppliers", parameters, point="read suppliers")
            return {str(row["SupplierNumber"]): row for row in found}

        return self._keep("suppliers", read, fresh)

    def partners(self) -> list[reads.Partner]:
        """The same, in our words."""
        with shaped("suppliers"):
            found = [
                reads.Partner(
                    number,
                    str(row["Supplier"]),
                    "employee" if row.get("SupplierTypeCode") == "EMPLOYEE" else "supplier",
                    row.get("Status", "ACTIVE") == "ACTIVE",
                )
                for number, row in self.suppliers(fresh=True).items()
            ]
        return sorted(found, key=lambda partner: partner.code)

    def site(self, supplier: Row) -> str:
        """The site invoices of a supplier are sent to: the mapping's, else the first."""

        def read() -> list[str]:
            path = f"suppliers/{int(supplier['SupplierId'])}/child/sites"
            found = self._session.rows(path, [("onlyData", "true")], point="read suppliers")
            unit = self._profile.business_unit
            return sorted(str(x["SupplierSite"]) for x in found if x["ProcurementBU"] == unit)

        sites = self._keep(f"sites of {supplier['SupplierId']}", read, False)
        if not sites:
            message = f"supplier {supplier['Supplier']!r} has no site in this business unit"
            raise ConnectorError("SITE_UNKNOWN", message)
        wanted = self._profile.supplier_site
        return wanted if wanted in sites else sites[0]

    def period(self, on: date, application: int = GENERAL_LEDGER) -> tuple[str, date, str] | None:
        """Name, first day and status code of the period of a day, None where there is none."""
        for row in self.periods(application):
            if day_of(row["StartDate"]) <= on <= day_of(row["EndDate"]):
                return str(row["PeriodNameId"]), day_of(row["StartDate"]), row["ClosingStatus"]
        return None

    def periods(self, application: int = GENERAL_LEDGER) -> list[Row]:
        """The ledger's periods without the adjusting ones, by first day."""
        query = f"LedgerId={self._profile.ledger_id};ApplicationId={application}"
        parameters = [("onlyData", "true"), ("q", query)]
        path = "accountingPeriodStatusLOV"
        found = self._session.rows(path, parameters, point="read periods")
        with shaped("periods"):
            kept = [row for row in found if row.get("AdjustmentPeriodFlag", "N") in ("N", False)]
            return sorted(kept, key=lambda row: day_of(row["StartDate"]))

    def status(self, on: date, application: int = GENERAL_LEDGER) -> reads.PeriodStatus:
        """Whether the books are open on a day."""
        with shaped("periods"):
            found = self.period(on, application)
        return _STATUSES.get(found[2], "unknown") if found else "unknown"

    def ledger_currency(self) -> str:
        """The currency of the ledger the mapping names.

        Raises:
            ConnectorError: ``COMPANY_UNKNOWN`` where there is no such ledger.
        """

        def read() -> str:
            query = f"LedgerId={self._profile.ledger_id}"
            parameters = [("onlyData", "true"), ("q", query)]
            found = self._session.rows("ledgersLOV", parameters, point="read ledger")
            if len(found) != 1:
                message = f"Oracle has no ledger {self._profile.ledger_id!r}"
                remedy = "correct [company] ledger_id in the mapping"
                raise ConnectorError("COMPANY_UNKNOWN", message, remedy=remedy)
            return str(found[0]["CurrencyCode"])

        return self._keep("ledger", read, False)

    def _values(self, name: str) -> list[Row]:
        path = f"valueSets/{name}/child/values"
        return self._session.rows(path, [("onlyData", "true")], point="read value set")

    def _keep(self, name: str, read: Callable[[], T], fresh: bool) -> T:
        with self._lock:
            if fresh or name not in self._kept:
                with shaped(name):
                    self._kept[name] = read()
            found: T = self._kept[name]
            return found
