"""Dynamics 365's books read: cash book, balances, open items, rates, and master data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import httpx

from tieout.connectors import reads
from tieout.connectors.dynamics365_changes import Changes
from tieout.connectors.dynamics365_creating import Creator
from tieout.connectors.dynamics365_invoices import Invoices
from tieout.connectors.dynamics365_journals import Journals
from tieout.connectors.dynamics365_masters import Masters
from tieout.connectors.dynamics365_packages import Packages
from tieout.connectors.dynamics365_profile import ERP, profile_of
from tieout.connectors.dynamics365_records import day_of, shaped
from tieout.connectors.dynamics365_session import Login, Row, Session, literal
from tieout.connectors.http_wire import HttpWire
from tieout.errors import ConnectorError
from tieout.money import to_minor
from tieout.profile_lines import place_of

__all__ = ["DynamicsBooks"]

#: A document number that is a reference of ours: no number people give has this form.
_OWN: Final = re.compile(r"[A-Z2-7]{16}", re.ASCII)
_FACTORS: Final = {"One": 1, "Ten": 10, "Hundred": 100, "Thousand": 1000, "TenThousand": 10000}


class DynamicsBooks:
    """Reads of one company; a `BooksReader` and a `MasterReader`.

    Args:
        base_url: ``https://env.operations.dynamics.com``.
        login: client id of the app registration.
        password: its secret.
        company: the legal entity (dataAreaId).
        mapping: content of ``mappings/erp/dynamics365.toml``.
        options: ``tenant`` or ``token_url``; ``scope`` where it is not the environment's default.
        transport: replaces the network below HTTP.

    Raises:
        ProfileError: the mapping has an unknown key or value.
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
        self._profile = profile_of(mapping)
        self.wire = HttpWire(base_url, "Dynamics 365", self._profile.timeouts, transport)
        app = Login.of(base_url, login, password, options or {})
        self._session = Session(self.wire, app)
        self._masters = Masters(self._session, company, self._profile)
        self._changes = Changes(self._session)
        prefix = self._profile.package_prefix
        self._packages = Packages(self._session, self._masters.company, prefix) if prefix else None
        self._journals = Journals(self._session, self._masters, self._profile)
        self._invoices = Invoices(self._session, self._masters, self._profile)
        self._creator = Creator(
            self._session,
            self._masters,
            self._journals,
            self._invoices,
            self._packages,
            self._profile,
        )

    def close(self) -> None:
        """Release the network client."""
        self.wire.close()

    def cash_book(self, gl_account: str, *, since: date) -> list[reads.CashBookLine]:
        """Ledger entries of a bank's main account dated after ``since``, by date, then by id."""
        with shaped("cash book"):
            currency = self._masters.account_currency(gl_account)
            after = f"AccountingDate gt {since.isoformat()}T23:59:59Z"
            lines = [
                self._cash_book_line(row, currency) for row in self._entries(gl_account, after)
            ]
        return sorted(lines, key=lambda line: (line.booked_on, int(line.line_id)))

    def book_balance(self, gl_account: str, *, on: date, currency: str) -> int:
        """Balance in ``currency`` of all entries up to and including ``on``."""
        with shaped("balance"):
            held = self._masters.account_currency(gl_account)
            if held != currency:
                message = f"main account {gl_account} is kept in {held}, not {currency}"
                remedy = place_of(gl_account, erp=ERP) or "correct the mapping"
                raise ConnectorError("CURRENCY_OTHER", message, remedy=remedy)
            until = f"AccountingDate le {on.isoformat()}T23:59:59Z"
            rows = self._entries(gl_account, until)
            return sum(self._minor(row, held) for row in rows)

    def open_items(self, company: str, *, on: date) -> list[reads.OpenItem]:
        """Open customer and vendor transactions up to ``on``, from the company's own entity.

        Raises:
            ConnectorError: ``NOT_OFFERED`` where the mapping names no such entity.
        """
        self._own(company)
        if not self._profile.open_items:
            message = "Dynamics 365 has no public entity of open transactions"
            remedy = "let one be added and name it in mappings/erp/dynamics365.toml [open_items]"
            raise ConnectorError("NOT_OFFERED", message, remedy=remedy)
        where = (
            f"dataAreaId eq {literal(self._masters.company)}"
            f" and TransDate le {on.isoformat()}T23:59:59Z"
        )
        with shaped("open transactions"):
            rows = self._session.rows(self._profile.open_items, where)
            items = [self._open_item(row) for row in rows]
        return sorted(items, key=lambda item: (item.booked_on, int(item.line_id)))

    def company_rates(self) -> list[reads.Rate]:
        """Rates of the ledger's own type, in units of the currency for one of the company's."""
        with shaped("rates"):
            own = self._masters.currency()
            kind = literal(str(self._masters.ledger()["ExchangeRateType"]))
            where = f"RateTypeName eq {kind} and ToCurrency eq {literal(own)}"
            rates = [
                reads.Rate(
                    str(row["FromCurrency"]),
                    day_of(row["StartDate"]),
                    _FACTORS[str(row["ConversionFactor"])] / Decimal(row["Rate"]),
                )
                for row in self._session.rows("ExchangeRates", where)
            ]
        return sorted(rates, key=lambda rate: (rate.currency, rate.on))

    def gl_accounts(self, company: str) -> list[reads.GlAccount]:
        """Main accounts of the company's chart."""
        self._own(company)
        return self._masters.gl_accounts()

    def partners(self, company: str) -> list[reads.Partner]:
        """Vendors, customers and workers, by kind and code."""
        self._own(company)
        with shaped("partners"):
            banks: dict[str, list[str]] = {}
            for row in self._masters.own("VendorBankAccounts"):
                account = str(row["IBAN"] or row["BankAccountNumber"])
                banks.setdefault(str(row["VendorAccountNumber"]), []).append(account)
            found = [
                _partner(row, "VendorAccountNumber", "supplier", banks)
                for row in self._masters.own("VendorsV2")
            ]
            found += [
                _partner(row, "CustomerAccount", "customer", {})
                for row in self._masters.own("CustomersV3")
            ]
            found += [
                reads.Partner(str(row["PersonnelNumber"]), str(row["Name"]), "employee")
                for row in self._masters.listed("EssWorkers")
            ]
        return sorted(found, key=lambda partner: (partner.code, partner.kind))

    def cost_centers(self, company: str) -> list[reads.CostCenter]:
        """Values of the first dimension behind the main account."""
        self._own(company)
        return self._masters.cost_centers()

    def tax_codes(self, company: str) -> list[reads.TaxCode]:
        """Sales tax codes."""
        self._own(company)
        with shaped("tax codes"):
            found = [
                reads.TaxCode(str(row["TaxCode"]), str(row["TaxName"]))
                for row in self._masters.own("TaxCodes")
            ]
        return sorted(found, key=lambda tax: tax.code)

    def period_status(self, company: str, on: date) -> reads.PeriodStatus:
        """Whether the books are open on a day; ``unknown`` where the mapping names no entity."""
        self._own(company)
        return self._masters.period_status(on)

    def _own(self, company: str) -> None:
        if company.lower() != self._masters.company:
            message = f"this connector reads {self._masters.company!r}, not {company!r}"
            raise ConnectorError("COMPANY_OTHER", message)

    def _entries(self, gl_account: str, when: str) -> list[Row]:
        """Entries on a main account; a ledger account's text may go on behind it."""
        ledger = literal(str(self._masters.ledger()["Name"]))
        behind = literal(f"{gl_account}{self._profile.delimiter}*")
        where = (
            f"LedgerName eq {ledger} and {when}"
            f" and (LedgerAccount eq {literal(gl_account)} or LedgerAccount eq {behind})"
        )
        return self._session.rows("GeneralJournalAccountEntries", where)

    def _minor(self, row: Row, currency: str) -> int:
        """An entry's amount in the account's currency; one booked in another has none in it."""
        if currency == self._masters.currency():
            return to_minor(Decimal(row["AccountingCurrencyAmount"]), currency)
        if row["TransactionCurrencyCode"] != currency:
            return 0
        return to_minor(Decimal(row["TransactionCurrencyAmount"]), currency)

    def _cash_book_line(self, row: Row, currency: str) -> reads.CashBookLine:
        company_currency = self._masters.currency()
        text = str(row["Description"])
        document = str(row["DocumentNumber"])
        own = document if _OWN.fullmatch(document) else None
        found = self._profile.text.fullmatch(text) if own is None else None
        parts = found.groupdict() if found else {"narrative": text or None}
        return reads.CashBookLine(
            line_id=str(row["GeneralJournalAccountEntryRecId"]),
            move_id=str(row["JournalNumber"]),
            move_number=str(row["Voucher"]) or None,
            booked_on=day_of(row["AccountingDate"]),
            amount_minor=self._minor(row, currency),
            currency=currency,
            company_amount_minor=to_minor(
                Decimal(row["AccountingCurrencyAmount"]), company_currency
            ),
            party_code=None,
            party_name=None,
            document_no=parts.get("document_no") or (document if own is None else "") or None,
            payment_batch_id=parts.get("payment_batch_id") or None,
            end_to_end_id=parts.get("end_to_end_id") or None,
            narrative=parts.get("narrative") or None,
            external_ref=own,
        )

    def _open_item(self, row: Row) -> reads.OpenItem:
        currency, company_currency = str(row["CurrencyCode"]), self._masters.currency()
        due = day_of(row["DueDate"])
        return reads.OpenItem(
            line_id=str(row["RecordId"]),
            move_id=str(row["Voucher"]),
            move_number=str(row["Voucher"]),
            kind="receivable" if row["AccountType"] == "Cust" else "payable",
            source="invoice" if row["Invoice"] else "move",
            gl_account=str(row["MainAccountId"]),
            booked_on=day_of(row["TransDate"]),
            due_on=None if due.year == 1900 else due,
            amount_minor=to_minor(Decimal(row["OpenAmountCur"]), currency),
            currency=currency,
            company_amount_minor=to_minor(Decimal(row["OpenAmountMst"]), company_currency),
            party_code=str(row["AccountNum"]),
            party_name=str(row["PartnerName"]) or None,
            document_no=str(row["Invoice"]) or str(row["Voucher"]),
            reference=None,
            narrative=str(row["Text"]) or None,
        )


def _partner(row: Row, field: str, kind: Any, banks: Mapping[str, list[str]]) -> reads.Partner:
    code = str(row[field])
    name = str(row.get("VendorOrganizationName") or row.get("OrganizationName") or "")
    accounts = tuple(sorted(banks.get(code, ())))
    return reads.Partner(code, name, kind, row["OnHoldStatus"] == "No", accounts)
