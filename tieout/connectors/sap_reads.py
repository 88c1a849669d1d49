"""What is read of one company code: the doors of `BooksReader` and `MasterReader`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import httpx

from tieout.connectors import reads
from tieout.connectors.http_wire import HttpWire
from tieout.connectors.ports import ErpDocument
from tieout.connectors.sap_books import Books
from tieout.connectors.sap_catalog import Catalog
from tieout.connectors.sap_documents import Documents
from tieout.connectors.sap_login import certificate_transport, check_address, login_of
from tieout.connectors.sap_masters import Masters, shaped
from tieout.connectors.sap_profile import load_profile
from tieout.connectors.sap_session import Session
from tieout.connectors.sap_text import OURS
from tieout.errors import ConnectorError

__all__ = ["SapReads"]


class SapReads:
    """A `BooksReader` and `MasterReader` of one company code of one tenant.

    Args:
        base_url: ``https://my000000-api.s4hana.cloud.sap``.
        login: the communication user, or the OAuth2 client's id.
        password: of the user or the client; unused with a certificate.
        company: our code of the company.
        mapping: content of ``mappings/erp/sap.toml``.
        options: the connection's extras, see `tieout.connectors.sap_login.login_of`.
        transport: replaces the network below HTTP.

    Raises:
        ProfileError: the mapping, the address or the extras are wrong.
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
        extras = dict(options or {})
        self._profile = profile = load_profile(mapping, company)
        check_address(base_url)
        entrance = login_of(login, password, extras)
        network = transport or certificate_transport(extras)
        self.wire = HttpWire(base_url, "SAP", profile.timeouts, network)
        self._session = Session(self.wire, entrance)
        self._masters = Masters(self._session, profile)
        self._documents = Documents(self._session, profile.company_code)
        self._books = Books(self._session, self._masters, profile)
        self._catalog = Catalog(self._session, self._masters, profile)

    def close(self) -> None:
        """Release the network client."""
        self.wire.close()

    def cash_book(self, gl_account: str, *, since: date) -> list[reads.CashBookLine]:
        """Posted lines of a bank's GL account dated after ``since``, by date, then by id."""
        return self._books.cash_book(gl_account, since)

    def book_balance(self, gl_account: str, *, on: date, currency: str) -> int:
        """Balance in ``currency`` of all lines up to and including ``on``."""
        return self._books.balance(gl_account, on, currency)

    def open_items(self, company: str, *, on: date) -> list[reads.OpenItem]:
        """Lines of customers and suppliers up to ``on`` that nothing has cleared."""
        self._own(company)
        return self._books.open_items(on)

    def company_rates(self) -> list[reads.Rate]:
        """None: SAP's public services do not tell the rates it keeps."""
        return []

    def gl_accounts(self, company: str) -> list[reads.GlAccount]:
        """The accounts of the company's chart, by code."""
        self._own(company)
        return self._catalog.gl_accounts()

    def partners(self, company: str) -> list[reads.Partner]:
        """Customers, suppliers and employees, by code."""
        self._own(company)
        return self._catalog.partners()

    def cost_centers(self, company: str) -> list[reads.CostCenter]:
        """Cost centers, once for each span of validity, by code."""
        self._own(company)
        return self._catalog.cost_centers()

    def tax_codes(self, company: str) -> list[reads.TaxCode]:
        """None: SAP's public services do not tell them."""
        self._own(company)
        return []

    def period_status(self, company: str, on: date) -> reads.PeriodStatus:
        """Unknown: SAP's public services do not tell it; it refuses what comes in a closed one."""
        self._own(company)
        return "unknown"

    def posted_since(self, company: str, since: date) -> list[ErpDocument]:
        """All documents booked on or after ``since`` whose reference has our form, whoever's."""
        self._own(company)
        clearing = str(self._profile.journals.get("clearing", "AB"))
        with shaped("documents"):
            return self._documents.since(since, OURS, clearing=clearing)

    def changed_documents(self, since: date) -> list[ErpDocument]:
        """Documents of ours entered or changed since a day, by id; some days before it too.

        SAP tells days, not instants, and shows a document after it was posted: the overlap of the
        mapping makes sure that none falls between two reads.

        Raises:
            ConnectorError: the read failed.
        """
        with shaped("documents"):
            return self._documents.changed(since - self._profile.overlap, OURS)

    def _own(self, company: str) -> None:
        if company != self._profile.company:
            message = f"this connector reads {self._profile.company!r}, not {company!r}"
            raise ConnectorError("COMPANY_OTHER", message)
