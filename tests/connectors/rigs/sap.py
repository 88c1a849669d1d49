"""SAP for the contract suite: the simulator behind HTTP, and its ledger seen from within."""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from sandbox.simulators.sap import CLIENT, LOGIN, SapSimulator, simulator
from sandbox.simulators.sap_ledger import Document
from sandbox.simulators.serve import serving
from tieout.connectors.ports import DocumentLine, ErpDocument, Journal, JournalLine
from tieout.connectors.sap_s4hana import SapConnector
from tieout.money import to_minor
from tieout.profiles import load, mappings_dir

__all__ = ["DAY", "SapRig", "connector_to", "mapping", "open_rig", "served"]

DAY = date(2026, 11, 20)
#: Kinds of requests as the suite names them: SAP reads back what it found, by the same set.
_KINDS = {
    "create": "create",
    "find": "cube",
    "read": "cube",
    "list": "cube",
    "post": "cube",
    "delete": "",
}


def mapping(way: str = "single", **timeouts: int) -> dict[str, Any]:
    """The mapping as it is shipped, with another way to post or other timeouts."""
    content = load(mappings_dir() / "erp" / "sap.toml")
    content["posting"] |= {"way": way}
    content["timeouts"] |= timeouts
    return content


def connector_to(
    address: str,
    *,
    way: str = "single",
    login: tuple[str, str] = LOGIN,
    options: Mapping[str, str] | None = None,
    content: dict[str, Any] | None = None,
) -> SapConnector:
    """A connector to a simulator."""
    own = content or mapping(way, connect=2, read=5, total=8)
    return SapConnector(address, *login, company="NORD", mapping=own, options=options)


class _Door:
    """An address that leads to one tenant after the other: a server costs more than a tenant."""

    def __init__(self) -> None:
        self.tenant: SapSimulator | None = None
        self.address = _RUNNING.enter_context(serving(self))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.tenant is not None
        await self.tenant.application(scope, receive, send)


_RUNNING = ExitStack()
_IDLE: list[_Door] = []
atexit.register(_RUNNING.close)


@contextmanager
def served(tenant: SapSimulator) -> Iterator[str]:
    """Serve a tenant at an address of its own for the block."""
    door = _IDLE.pop() if _IDLE else _Door()
    door.tenant = tenant
    try:
        yield door.address
    finally:
        tenant.plan.idle()
        door.tenant = None
        _IDLE.append(door)


class SapRig:
    """One tenant and a connector to it."""

    spare_day = date(2026, 9, 15)

    def __init__(self, tenant: SapSimulator, connector: SapConnector, address: str) -> None:
        self.tenant, self.connector, self.address = tenant, connector, address

    def journal(
        self, reference: str, *, amount: int = 350, booked_on: date | None = None
    ) -> Journal:
        lines = (
            JournalLine("65100000", amount, 0, narrative="Fee of the bank"),
            JournalLine("11001000", 0, amount),
        )
        on = booked_on or DAY
        return Journal(reference, "NORD", "bank", on, "Bank charges", "EUR", lines)

    def fault(self, operation: str, *faults: str) -> None:
        kind = _KINDS.get(operation, operation)
        if kind:
            self.tenant.plan.add(kind, *faults)

    def books(self, reference: str) -> list[ErpDocument]:
        return [_seen(document) for document in self.tenant.documents(reference)]

    def close_period(self, on: date) -> None:
        self.tenant.close_period(on)

    def open_period(self, on: date) -> None:
        self.tenant.open_period(on)

    def let_work(self) -> None:
        self.tenant.work()


def _seen(document: Document) -> ErpDocument:
    return ErpDocument(
        doc_id=f"1010/{document.year}/{document.number}",
        state="posted",
        number=document.number,
        external_ref=document.reference1 or document.reference,
        booked_on=document.posted_on,
        lines=tuple(
            DocumentLine(
                gl_account=item.gl_account.lstrip("0"),
                debit_minor=_minor(item.company_amount, "EUR"),
                credit_minor=_minor(-item.company_amount, "EUR"),
                foreign_minor=None
                if document.currency == "EUR"
                else to_minor(item.amount, document.currency),
                foreign_currency=None if document.currency == "EUR" else document.currency,
                party=item.partner.lstrip("0") or None,
                narrative=item.text,
            )
            for item in document.items
        ),
    )


def _minor(amount: Decimal, currency: str) -> int:
    return max(to_minor(amount, currency), 0)


@contextmanager
def open_rig(
    way: Literal["single", "bulk"] = "single", auth: Literal["basic", "oauth2"] = "basic"
) -> Iterator[SapRig]:
    """A fresh tenant and a connector."""
    tenant = simulator()
    with served(tenant) as address:
        options = {"token_url": f"{address}/sap/bc/sec/oauth2/token"} if auth == "oauth2" else {}
        login = CLIENT if auth == "oauth2" else LOGIN
        connector = connector_to(address, way=way, login=login, options=options)
        try:
            yield SapRig(tenant, connector, address)
        finally:
            connector.close()
