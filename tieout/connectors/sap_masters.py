"""What a posting refers to in SAP: company, GL accounts, partners, cost centers; asked once each.

What is known is kept for the connector's life; what is not there is asked for again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tieout.connectors.sap_odata import Row, code, day, parts, plain, same
from tieout.connectors.sap_profile import Profile
from tieout.connectors.sap_session import Session
from tieout.errors import ConnectorError, MoneyError, TieoutError
from tieout.profile_lines import place_of

__all__ = [
    "Account",
    "Masters",
    "PartnerKind",
    "RefusedError",
    "account_of",
    "partner_name",
    "placed",
    "refused",
    "shaped",
]

PartnerKind = Literal["D", "K"]
_PARTNERS = "API_BUSINESS_PARTNER"


class RefusedError(TieoutError):
    """The document cannot be posted as it is; nothing was sent.

    Attributes:
        value: what is wrong, as it may stand in a mapping.
    """

    value: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A GL account; ``kind`` is SAP's type, P the accounts of primary costs."""

    code: str
    kind: str
    blocked: bool


def refused(code_: str, message: str, value: str = "") -> RefusedError:
    """A refusal; ``value`` is what is wrong, as it may stand in a mapping."""
    error = RefusedError(code_, message)
    error.value = value
    return error


def placed(error: RefusedError, erp: str) -> RefusedError:
    """A refusal that names the line of the mapping to mend, where its value stands in one."""
    where = place_of(error.value, erp=erp) if error.value else ""
    remedy = "correct it there" if where else ""
    return RefusedError(error.code, error.message, where=where, remedy=remedy)


class Masters:
    """Master data of one company code."""

    def __init__(self, session: Session, profile: Profile) -> None:
        self._session, self._profile = session, profile
        self._lock = threading.RLock()
        self._company: Row | None = None
        self._accounts: dict[str, Account] = {}
        self._reconciles: dict[str, frozenset[PartnerKind]] = {}
        self._partners: dict[tuple[PartnerKind, str], str] = {}
        self._centers: dict[str, list[Row]] = {}

    def company(self) -> Row:
        """The company code's row.

        Raises:
            ConnectorError: ``COMPANY_UNKNOWN``, ``CURRENCY_OTHER``, or what the read raised.
        """
        with self._lock:
            if self._company is None:
                wanted = self._profile.company_code
                names = ("CompanyCode", "Currency", "ChartOfAccounts", "ControllingArea")
                found = self._session.rows(
                    "API_COMPANYCODE_SRV", "A_CompanyCode", names, same("CompanyCode", wanted)
                )
                if len(found) != 1:
                    raise ConnectorError(
                        "COMPANY_UNKNOWN",
                        f"SAP has no company code {wanted!r}",
                        where=place_of(wanted, erp=self._profile.erp),
                        remedy="correct [company] company_code in the mapping",
                    )
                if found[0]["Currency"] != self._profile.currency:
                    kept = found[0]["Currency"]
                    raise ConnectorError(
                        "CURRENCY_OTHER",
                        f"company code {wanted} is kept in {kept}, not {self._profile.currency}",
                        where=place_of(self._profile.currency, erp=self._profile.erp),
                        remedy="correct [company] currency in the mapping",
                    )
                self._company = found[0]
            return self._company

    def accounts(self, codes: list[str]) -> dict[str, Account]:
        """Those of some GL accounts that are in the chart, by code without leading zeros."""
        with self._lock:
            missing = sorted({one for one in codes if one not in self._accounts})
            if missing:
                chart = str(self.company()["ChartOfAccounts"])
                names = ("GLAccount", "GLAccountType", "AccountIsBlockedForPosting",
                         "AccountIsMarkedForDeletion")  # fmt: skip
                service, name = "API_GLACCOUNTINCHARTOFACCOUNTS_SRV", "A_GLAccountInChartOfAccounts"
                for some in parts([code("GLAccount", one) for one in missing]):
                    where = f"{same('ChartOfAccounts', chart)} and {some}"
                    for row in self._session.rows(service, name, names, where, "GLAccount"):
                        account = account_of(row)
                        self._accounts[account.code] = account
            return {one: self._accounts[one] for one in codes if one in self._accounts}

    def reconciles(self, gl_account: str) -> frozenset[PartnerKind]:
        """Whose accounts a GL account sums up: customers' (D), suppliers' (K) or nobody's."""
        with self._lock:
            if gl_account not in self._reconciles:
                kinds: tuple[PartnerKind, PartnerKind] = ("D", "K")
                self._reconciles[gl_account] = frozenset(
                    kind for kind in kinds if self._companies(kind, gl_account)
                )
            return self._reconciles[gl_account]

    def _companies(self, kind: PartnerKind, gl_account: str) -> list[Row]:
        name = partner_name(kind)
        where = same("CompanyCode", self._profile.company_code)
        where += f" and {code('ReconciliationAccount', gl_account)}"
        return self._session.rows(_PARTNERS, f"A_{name}Company", (name,), where, name)

    def partner(self, kind: PartnerKind, named: str, gl_account: str) -> str:
        """The code of a customer or supplier named by code, else by exact name.

        Raises:
            RefusedError: it is unknown, ambiguous, blocked, or not with this reconciliation
                account.
        """
        with self._lock:
            row = self._partner_row(kind, named)
            found = plain(row[partner_name(kind)])
            if row["PostingIsBlocked"] or row["DeletionIndicator"]:
                raise refused("PARTY_BLOCKED", f"{named!r} takes no postings in SAP", named)
            if (kind, found) not in self._partners:
                name = partner_name(kind)
                where = same("CompanyCode", self._profile.company_code)
                where += f" and {code(name, found)}"
                names = (name, "ReconciliationAccount")
                for company in self._session.rows(_PARTNERS, f"A_{name}Company", names, where):
                    self._partners[kind, found] = plain(company["ReconciliationAccount"])
            account = self._partners.get((kind, found))
        if account != gl_account:
            there = f"its account is {account}" if account else "it is not in the company code"
            message = f"a line on {gl_account} cannot be {named!r}'s: {there}"
            raise refused("PARTY_ACCOUNT_OTHER", message, gl_account)
        return found

    def _partner_row(self, kind: PartnerKind, named: str) -> Row:
        name = partner_name(kind)
        names = (name, f"{name}Name", "PostingIsBlocked", "DeletionIndicator")
        by_code = code(name, named) if len(named) <= 10 else same(f"{name}Name", named)
        for where in (by_code, same(f"{name}Name", named)):
            found = self._session.rows(_PARTNERS, f"A_{name}", names, where, name)
            if len(found) > 1:
                raise refused("PARTY_AMBIGUOUS", f"several partners are called {named!r}", named)
            if found:
                return found[0]
        raise refused("PARTY_UNKNOWN", f"SAP has no {name.lower()} {named!r}", named)

    def _spans(self, wanted: str) -> list[Row]:
        """The spans of a cost center."""
        names = ("CostCenter", "ValidityStartDate", "ValidityEndDate",
                 "IsBlkdForPrimaryCostsPosting")  # fmt: skip
        with self._lock:
            if not self._centers.get(wanted):
                area = same("ControllingArea", str(self.company()["ControllingArea"]))
                where = f"{area} and {code('CostCenter', wanted)}"
                found = self._session.rows("API_COSTCENTER_SRV", "A_CostCenter", names, where)
                self._centers[wanted] = found
            return self._centers[wanted]

    def check_cost_center(self, wanted: str, on: date) -> None:
        """A cost center must exist, be valid on the day and take primary costs.

        Raises:
            RefusedError: naming the mapping line.
        """
        spans = self._spans(wanted)
        if not spans:
            message = f"SAP has no cost center {wanted!r}"
            raise refused("COST_CENTER_UNKNOWN", message, wanted)
        for row in spans:
            first, last = day(row["ValidityStartDate"]), day(row["ValidityEndDate"])
            if first is not None and last is not None and first <= on <= last:
                if row["IsBlkdForPrimaryCostsPosting"] in (True, "X"):
                    message = f"cost center {wanted!r} is blocked for primary costs"
                    raise refused("COST_CENTER_BLOCKED", message, wanted)
                return
        message = f"cost center {wanted!r} is not valid on {on}"
        raise refused("COST_CENTER_INVALID", message, wanted)


def partner_name(kind: PartnerKind) -> str:
    """``Customer`` or ``Supplier``."""
    return "Customer" if kind == "D" else "Supplier"


def account_of(row: Row) -> Account:
    """A row of the chart of accounts."""
    blocked = row["AccountIsBlockedForPosting"] or row["AccountIsMarkedForDeletion"]
    return Account(plain(row["GLAccount"]), str(row["GLAccountType"]), bool(blocked))


@contextmanager
def shaped(what: str) -> Iterator[None]:
    """An answer of another shape than SAP's is the connector's error, not ours to crash on."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, MoneyError) as error:
        message = f"SAP's {what} has an unexpected shape: {error!r}"
        raise ConnectorError("ANSWER_UNEXPECTED", message, remedy="is it SAP S/4HANA?") from error
