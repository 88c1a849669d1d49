"""SAP's master data as lists: accounts, partners, cost centers.

SAP's public services tell neither tax codes nor posting periods: the first list is empty, the
second answer ``unknown``, and a closed period is SAP's own refusal.
"""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

from tieout.connectors import reads
from tieout.connectors.sap_masters import Masters, PartnerKind, account_of, partner_name, shaped
from tieout.connectors.sap_odata import Row, day, plain, same
from tieout.connectors.sap_profile import Profile
from tieout.connectors.sap_session import Session

__all__ = ["Catalog"]

_CHART: Final = "API_GLACCOUNTINCHARTOFACCOUNTS_SRV"
_CENTERS: Final = "API_COSTCENTER_SRV"
_KINDS: Final[tuple[PartnerKind, ...]] = ("D", "K")
_PARTNERS: Final = "API_BUSINESS_PARTNER"


class Catalog:
    """Lists of one company code's master data."""

    def __init__(self, session: Session, masters: Masters, profile: Profile) -> None:
        self._session, self._masters, self._profile = session, masters, profile

    def gl_accounts(self) -> list[reads.GlAccount]:
        """The chart's accounts by code; names in English where there are.

        Of open items only those are told that sum up customers' or suppliers' accounts: whether
        another account keeps them stands in the company code's settings, which SAP does not show.
        """
        chart = same("ChartOfAccounts", str(self._masters.company()["ChartOfAccounts"]))
        with shaped("chart of accounts"):
            names = ("GLAccount", "GLAccountType", "AccountIsBlockedForPosting",
                     "AccountIsMarkedForDeletion")  # fmt: skip
            rows = self._session.rows(
                _CHART, "A_GLAccountInChartOfAccounts", names, chart, "GLAccount"
            )
            texts = self._session.rows(
                _CHART, "A_GLAccountText", ("GLAccount", "Language", "GLAccountLongName"),
                chart, "GLAccount,Language",
            )  # fmt: skip
            called = {
                plain(row["GLAccount"]): str(row["GLAccountLongName"])
                for row in sorted(texts, key=_language)
            }
            found = [account_of(row) for row in rows]
            reconciling = {
                plain(row["ReconciliationAccount"])
                for kind in _KINDS
                for row in self._companies(kind)
            }
            accounts = [
                reads.GlAccount(
                    account.code,
                    called.get(account.code, ""),
                    not account.blocked,
                    account.code in reconciling,
                )
                for account in found
            ]
        return sorted(accounts, key=lambda account: account.code)

    def partners(self) -> list[reads.Partner]:
        """Customers and suppliers of the company code by code; employees by their group."""
        with shaped("partners"):
            accounts = self._bank_accounts()
            found = [
                self._partner(kind, row, accounts)
                for kind in _KINDS
                for row in self._partner_rows(kind)
            ]
        return sorted(found, key=lambda partner: (partner.code, partner.kind))

    def _bank_accounts(self) -> dict[tuple[PartnerKind, str], list[str]]:
        """Account numbers by customer or supplier; they hang on the business partner."""
        of_partner: dict[str, list[str]] = {}
        names = ("BusinessPartner", "BankIdentification", "IBAN", "BankAccount")
        for row in self._session.rows(
            _PARTNERS, "A_BusinessPartnerBank", names, "BusinessPartner ne ''", names[0]
        ):
            number = str(row["IBAN"] or row["BankAccount"] or "")
            of_partner.setdefault(str(row["BusinessPartner"]), []).append(number)
        found: dict[tuple[PartnerKind, str], list[str]] = {}
        codes = ("BusinessPartner", "Customer", "Supplier")
        for row in self._session.rows(
            _PARTNERS, "A_BusinessPartner", codes, "BusinessPartner ne ''", codes[0]
        ):
            numbers = [one for one in of_partner.get(str(row["BusinessPartner"]), ()) if one]
            for kind in _KINDS:
                if row[partner_name(kind)]:
                    found[kind, plain(row[partner_name(kind)])] = numbers
        return found

    def _companies(self, kind: PartnerKind) -> list[Row]:
        """The customers or suppliers of the company code with their accounts."""
        name = partner_name(kind)
        own = same("CompanyCode", self._profile.company_code)
        names = (name, "ReconciliationAccount")
        return self._session.rows(_PARTNERS, f"A_{name}Company", names, own, name)

    def _partner_rows(self, kind: PartnerKind) -> list[Row]:
        name = partner_name(kind)
        codes = {plain(row[name]) for row in self._companies(kind)}
        names = (name, f"{name}Name", f"{name}AccountGroup", "PostingIsBlocked",
                 "DeletionIndicator")  # fmt: skip
        rows = self._session.rows(_PARTNERS, f"A_{name}", names, f"{name} ne ''", name)
        return [row for row in rows if plain(row[name]) in codes]

    def _partner(
        self, kind: PartnerKind, row: Row, accounts: dict[tuple[PartnerKind, str], list[str]]
    ) -> reads.Partner:
        name = partner_name(kind)
        held: Literal["supplier", "customer", "employee"] = (
            "customer"
            if kind == "D"
            else "employee"
            if row[f"{name}AccountGroup"] in self._profile.employee_groups
            else "supplier"
        )
        found = plain(row[name])
        return reads.Partner(
            found,
            str(row[f"{name}Name"]),
            held,
            not (row["PostingIsBlocked"] or row["DeletionIndicator"]),
            tuple(sorted(accounts.get((kind, found), ()))),
        )

    def cost_centers(self) -> list[reads.CostCenter]:
        """Cost centers of the company code, once for each span, by code and span."""
        area = same("ControllingArea", str(self._masters.company()["ControllingArea"]))
        own = same("CompanyCode", self._profile.company_code)
        with shaped("cost centers"):
            rows = self._session.rows(
                _CENTERS, "A_CostCenter",
                ("CostCenter", "ValidityStartDate", "ValidityEndDate"), f"{area} and {own}",
                "CostCenter,ValidityEndDate",
            )  # fmt: skip
            texts = self._session.rows(
                _CENTERS, "A_CostCenterText",
                ("CostCenter", "ValidityEndDate", "Language", "CostCenterName"), area,
                "CostCenter,ValidityEndDate,Language",
            )  # fmt: skip
            called = {
                (plain(row["CostCenter"]), day(row["ValidityEndDate"])): str(row["CostCenterName"])
                for row in sorted(texts, key=_language)
            }
            found = []
            for row in rows:
                center, last = plain(row["CostCenter"]), day(row["ValidityEndDate"])
                first, name = day(row["ValidityStartDate"]), called.get((center, last), "")
                found.append(reads.CostCenter(center, name, first, last))
        return sorted(found, key=lambda center: (center.code, center.valid_from or date.min))


def _language(row: Row) -> tuple[bool, str]:
    """English last, so that it is the one that stays."""
    return row["Language"] == "EN", str(row["Language"])
