"""Master data of Dynamics 365, and the checks of a journal against it before anything is sent."""

from __future__ import annotations

from datetime import date
from typing import Final

from tieout.connectors import reads
from tieout.connectors.dynamics365_checks import RefusedError, check, hindering
from tieout.connectors.dynamics365_profile import ERP, Profile
from tieout.connectors.dynamics365_records import (
    day_of,
    main_account,
    shaped,
)
from tieout.connectors.dynamics365_session import Row, Session, literal
from tieout.connectors.ports import Journal, JournalLine
from tieout.errors import ConnectorError
from tieout.profile_lines import place_of

__all__ = ["Masters"]

_STATUS: Final[dict[str, reads.PeriodStatus]] = {
    "Open": "open",
    "Closed": "closed",
    "PermanentlyClosed": "closed",
    "OnHold": "closed",
    "NotYetOpened": "future",
}


class Masters:
    """What a journal refers to. Lists are asked for once; periods each time, for they change.

    Attributes:
        company: the legal entity, in lower case.
    """

    def __init__(self, session: Session, company: str, profile: Profile) -> None:
        self.company = company.lower()
        self._session, self._profile = session, profile
        self._lists: dict[tuple[str, str], list[Row]] = {}

    def listed(self, entity: str, where: str = "") -> list[Row]:
        """Rows of an entity, asked for once for this connector."""
        key = (entity, where)
        if key not in self._lists:
            self._lists[key] = self._session.rows(entity, where)
        return self._lists[key]

    def own(self, entity: str) -> list[Row]:
        """Rows of an entity that are this company's."""
        return self.listed(entity, f"dataAreaId eq {literal(self.company)}")

    def ledger(self) -> Row:
        """The company's ledger.

        Raises:
            ConnectorError: ``COMPANY_UNKNOWN``.
        """
        rows = self.listed("Ledgers", f"LegalEntityId eq {literal(self.company.upper())}")
        if len(rows) != 1:
            message = f"Dynamics 365 has no ledger of the legal entity {self.company!r}"
            remedy = place_of(self.company, erp=ERP) or "correct [company] code in the mapping"
            raise ConnectorError("COMPANY_UNKNOWN", message, remedy=remedy)
        return rows[0]

    def currency(self) -> str:
        """The company's currency."""
        return str(self.ledger()["AccountingCurrency"])

    def accounts(self) -> dict[str, Row]:
        """Main accounts of the company's chart, by number."""
        chart = literal(str(self.ledger()["ChartOfAccounts"]))
        rows = self.listed("MainAccounts", f"ChartOfAccounts eq {chart}")
        return {str(row["MainAccountId"]): row for row in rows}

    def period_status(self, on: date) -> reads.PeriodStatus:
        """Whether the books are open on a day; ``unknown`` where nothing tells."""
        if not self._profile.periods:
            return "unknown"
        noon = f"{on.isoformat()}T12:00:00Z"
        where = (
            f"dataAreaId eq {literal(self.company)} and StartDate le {noon} and EndDate ge {noon}"
        )
        rows = self._session.rows(self._profile.periods, where)
        with shaped("period status"):
            return _STATUS.get(str(rows[0]["Status"]), "unknown") if rows else "unknown"

    def check(self, journal: Journal, asked: dict[date, reads.PeriodStatus]) -> None:
        """Refuse what cannot be posted.

        Args:
            asked: periods asked for since the request began; what is asked is put there.

        Raises:
            RefusedError: with the code of the first thing wrong, and the mapping's line.
            ConnectorError: the masters could not be read.
        """
        check(journal)
        if journal.company.lower() != self.company:
            raise RefusedError("COMPANY_OTHER", f"{journal.company!r} is not {self.company!r}")
        if journal.currency != self.currency():
            message = f"the books are kept in {self.currency()}, not {journal.currency}"
            raise RefusedError("CURRENCY_OTHER", message)
        for line in journal.lines:
            self._check_account(line, journal.booked_on)
        if journal.booked_on not in asked:
            asked[journal.booked_on] = self.period_status(journal.booked_on)
        status = asked[journal.booked_on]
        if status in ("closed", "future"):
            message = f"the fiscal period of {journal.booked_on} is {status}"
            remedy = "open the period, or correct the date"
            raise RefusedError("PERIOD_CLOSED", message, remedy=remedy)
        if status == "unknown" and self._profile.periods:
            message = f"Dynamics 365 has no fiscal period for {journal.booked_on}"
            raise RefusedError("PERIOD_UNKNOWN", message, remedy="correct the date")

    def journal_name(self, named: str) -> str:
        """The system's journal name of a purpose.

        Raises:
            RefusedError: ``JOURNAL_UNKNOWN``, ``JOURNAL_SETTINGS``.
        """
        name = self._profile.journals.get(named, named)
        found = [row for row in self.own("JournalNames") if row["Name"] == name]
        if not found:
            raise self._unknown("JOURNAL_UNKNOWN", "journal name", name)
        why = hindering(found[0])
        if why:
            remedy = place_of(name, erp=ERP) or "give these postings a journal name of their own"
            raise RefusedError("JOURNAL_SETTINGS", f"journal name {name!r} {why}", remedy=remedy)
        return name

    def account_of(self, line: JournalLine, on: date) -> tuple[str, str, str]:
        """The account type and text of a line on a day, and a vendor's posting profile.

        Raises:
            RefusedError: a partner or dimension value that is not there.
        """
        code = line.gl_account
        if code in self._profile.banks:
            bank = self._profile.banks[code]
            if bank not in {str(row["BankAccountId"]) for row in self.own("BankAccounts")}:
                raise self._unknown("GL_ACCOUNT_UNKNOWN", "bank account", bank)
            return "Bank", bank, ""
        by_profile = code in self._profile.posting_profiles and line.party
        if by_profile or (code and code == self._profile.payable):
            vendor = self._partner(line, "VendorsV2", "VendorAccountNumber", "vendor")
            return "Vend", vendor, self._profile.posting_profiles.get(code, "")
        if code and code == self._profile.receivable:
            customer = self._partner(line, "CustomersV3", "CustomerAccount", "customer")
            return "Cust", customer, ""
        return "Ledger", self._ledger_account(code, on), ""

    def _check_account(self, line: JournalLine, on: date) -> None:
        found = self.accounts().get(line.gl_account)
        if found is None:
            raise self._unknown("GL_ACCOUNT_UNKNOWN", "main account", line.gl_account)
        kind, *_ = self.account_of(line, on)
        blocked = found["IsSuspended"] == "Yes"
        if blocked or (kind == "Ledger" and found["DoNotAllowManualEntry"] == "Yes"):
            message = f"main account {line.gl_account!r} takes no manual entry"
            remedy = place_of(line.gl_account, erp=ERP) or "give it a bank account in the mapping"
            raise RefusedError("GL_ACCOUNT_BLOCKED", message, remedy=remedy)

    def _partner(self, line: JournalLine, entity: str, field: str, what: str) -> str:
        if not line.party:
            message = f"a line on {line.gl_account!r} names no {what}"
            raise RefusedError("PARTY_MISSING", message)
        where = f"dataAreaId eq {literal(self.company)} and {field} eq {literal(line.party)}"
        rows = [row for row in self.listed(entity, where) if row[field] == line.party]
        if not rows:
            raise self._unknown("PARTY_UNKNOWN", what, line.party)
        if rows[0]["OnHoldStatus"] in ("All", "Invoice"):
            raise RefusedError("PARTY_BLOCKED", f"{what} {line.party!r} is on hold")
        return line.party

    def _ledger_account(self, code: str, on: date) -> str:
        values = self._profile.defaults.get(code, ())
        for name, value in zip(self._profile.dimensions[1:], values, strict=False):
            rows = [
                row
                for row in self.listed(
                    "FinancialDimensionValues", f"FinancialDimension eq {literal(name)}"
                )
                if row["DimensionValue"] == value
                and row["IsSuspended"] == "No"
                and (_bound(row["ActiveFrom"]) or date.min) <= on
                and on <= (_bound(row["ActiveTo"]) or date.max)
            ]
            if value and not rows:
                raise self._unknown("COST_CENTER_UNKNOWN", f"value of dimension {name}", value)
        parts = (code, *values)
        if len(parts) > len(self._profile.dimensions):
            message = f"account {code!r} has more default dimensions than the format has places"
            raise RefusedError("COST_CENTER_UNKNOWN", message, remedy=place_of(code, erp=ERP))
        if any(self._profile.delimiter in part for part in parts):
            message = f"a part of {parts} holds the delimiter {self._profile.delimiter!r}"
            raise RefusedError("GL_ACCOUNT_UNKNOWN", message, remedy=place_of(code, erp=ERP))
        return self._profile.delimiter.join(parts)

    def _unknown(self, code: str, what: str, value: str) -> RefusedError:
        message = f"Dynamics 365 has no {what} {value!r} that can be posted to"
        return RefusedError(code, message, remedy=place_of(value, erp=ERP))

    def gl_accounts(self) -> list[reads.GlAccount]:
        """The chart."""
        with shaped("main accounts"):
            return [
                reads.GlAccount(
                    code,
                    str(row["Name"]),
                    row["IsSuspended"] == "No",
                    code in (self._profile.payable, self._profile.receivable),
                )
                for code, row in sorted(self.accounts().items())
            ]

    def cost_centers(self) -> list[reads.CostCenter]:
        """Values of the first dimension behind the main account, as far as they are not blocked."""
        if len(self._profile.dimensions) < 2:
            return []
        name = self._profile.dimensions[1]
        where = f"FinancialDimension eq {literal(name)}"
        with shaped("dimension values"):
            found = [
                reads.CostCenter(
                    str(row["DimensionValue"]),
                    str(row["Description"]),
                    _bound(row["ActiveFrom"]),
                    _bound(row["ActiveTo"]),
                )
                for row in self.listed("FinancialDimensionValues", where)
                if row["IsSuspended"] == "No"
            ]
        return sorted(found, key=lambda center: (center.code, center.valid_from or date.min))

    def account_currency(self, code: str) -> str:
        """The currency a main account is kept in: its bank account's, its own, the company's.

        Raises:
            ConnectorError: ``ACCOUNT_UNKNOWN``.
        """
        if code not in self.accounts():
            message = f"Dynamics 365 has no main account {code!r}"
            remedy = place_of(code, erp=ERP) or "correct mappings/accounts"
            raise ConnectorError("ACCOUNT_UNKNOWN", message, remedy=remedy)
        for row in self.own("BankAccounts"):
            if main_account(str(row["BankMainAccountIdDisplayValue"]), self._profile) == code:
                return str(row["CurrencyCode"])
        return str(self.accounts()[code]["DefaultCurrency"]) or self.currency()


def _bound(value: object) -> date | None:
    """A day of a span; the ends of the system's own calendar are none."""
    on = day_of(value)
    return None if on.year in (1900, 2154) else on
