"""Dynamics 365 Finance on its simulator, over HTTP: posted by the batch job, or by a service."""

from __future__ import annotations

import atexit
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.simulators.dynamics365 import (
    CLIENT_ID,
    CLIENT_SECRET,
    TENANT,
    D365Simulator,
    simulator,
)
from sandbox.simulators.serve import serving
from tieout.connectors.dynamics365 import DynamicsConnector
from tieout.connectors.ports import DocumentLine, ErpDocument, Journal, JournalLine
from tieout.money import to_minor
from tieout.profiles import load, mappings_dir

__all__ = [
    "DAY",
    "Dynamics365Rig",
    "connector_at",
    "mapping",
    "open_package_rig",
    "open_rig",
    "open_service_rig",
    "opened",
    "staged",
]

DAY = date(2026, 11, 20)


def mapping(**sections: dict[str, Any]) -> dict[str, Any]:
    """The shipped mapping, with some settings of some sections changed."""
    found = load(mappings_dir() / "erp" / "dynamics365.toml")
    for name, values in sections.items():
        found[name] = found.get(name, {}) | values
    return found


def connector_at(
    base: str,
    *,
    client_id: str = CLIENT_ID,
    secret: str = CLIENT_SECRET,
    changed: dict[str, Any] | None = None,
) -> DynamicsConnector:
    """A connector to a simulator."""
    options = {"token_url": f"{base}/{TENANT}/oauth2/v2.0/token"}
    content = mapping(**(changed or {}))
    return DynamicsConnector(
        base, client_id, secret, company="nord", mapping=content, options=options
    )


class Dynamics365Rig:
    """A connector and the simulator it talks to."""

    spare_day = date(2026, 3, 12)

    def __init__(self, base: str, told: D365Simulator, changed: dict[str, Any]) -> None:
        self.base, self.simulator, self.changed = base, told, changed
        self.connector = connector_at(base, changed=changed)

    def journal(
        self, reference: str, *, amount: int = 350, booked_on: date | None = None
    ) -> Journal:
        """A bank charge."""
        lines = (
            JournalLine("6855", amount, 0, narrative="Bank charges"),
            JournalLine("1810", 0, amount, narrative="Bank charges"),
        )
        return Journal(reference, "nord", "bank", booked_on or DAY, "Bank charges", "EUR", lines)

    def fault(self, operation: str, *faults: str) -> None:
        """Faults for the next requests of a kind."""
        self.simulator.plan.add("ledger" if operation == "list" else operation, *faults)

    def forget_faults(self) -> None:
        """Nothing goes wrong any more."""
        self.simulator.plan.clear()

    def books(self, reference: str) -> list[ErpDocument]:
        """What the simulator's journals and ledger hold of a reference."""
        return [_document(told) for told in self.simulator.documents(reference)]

    def close_period(self, on: date) -> None:
        """Close the period of a day."""
        self.simulator.close_period(on)

    def open_period(self, on: date) -> None:
        """Open it again."""
        self.simulator.open_period(on)

    def let_work(self) -> None:
        """Late requests arrive, packages are imported, the batch job runs."""
        self.control("work")

    def control(self, what: str, **values: Any) -> Any:
        """A control request, as another process would make it."""
        request = urllib.request.Request(
            f"{self.base}/_control/{what}", json.dumps(values).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())


def _document(told: dict[str, Any]) -> ErpDocument:
    lines = tuple(_line(line) for line in told["lines"])
    number = told["voucher"] if told["posted"] else None
    return ErpDocument(
        told["doc_id"],
        "posted" if told["posted"] else "draft",
        number,
        told["reference"],
        told["lines"][0]["on"],
        lines,
    )


def _line(line: dict[str, Any]) -> DocumentLine:
    amount = to_minor(Decimal(line["amount"]), "EUR")
    foreign = line["currency"] != "EUR"
    return DocumentLine(
        line["account"].split("-")[0],
        max(amount, 0),
        max(-amount, 0),
        to_minor(Decimal(line["foreign"]), line["currency"]) if foreign else None,
        line["currency"] if foreign else None,
        None,
        line["text"],
    )


class _Stage:
    """A server whose system is another one for each test: starting one takes longer than most."""

    def __init__(self) -> None:
        self.application: Any = None
        self._server = serving(self)
        self.base = self._server.__enter__()
        atexit.register(self._server.__exit__, None, None, None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application(scope, receive, send)


_FREE: list[_Stage] = []


@contextmanager
def staged(told: D365Simulator) -> Iterator[str]:
    """Serve a simulator for the block; yields its address."""
    stage = _FREE.pop() if _FREE else _Stage()
    stage.application = told.application
    try:
        yield stage.base
    finally:
        _FREE.append(stage)


@contextmanager
def opened(changed: dict[str, Any]) -> Iterator[Dynamics365Rig]:
    told = simulator()
    # Where the company's service posts, no batch job takes its journal name.
    told.poster.enabled = changed.get("posting", {}).get("way") != "service"
    told.books.manual_numbers = changed.get("posting", {}).get("numbering") != "sequence"
    with staged(told) as base:
        rig = Dynamics365Rig(base, told, changed)
        try:
            yield rig
        finally:
            rig.connector.close()


@contextmanager
def open_rig() -> Iterator[Dynamics365Rig]:
    """The usual installation: the system's batch job posts (class A)."""
    with opened({}) as rig:
        yield rig


@contextmanager
def open_package_rig() -> Iterator[Dynamics365Rig]:
    """Journals come in packages; the batch job posts (class B)."""
    with opened({"posting": {"door": "package"}}) as rig:
        yield rig


@contextmanager
def open_service_rig() -> Iterator[Dynamics365Rig]:
    """The system numbers, and a service of the company's own posts (class C)."""
    with opened({"posting": {"way": "service", "numbering": "sequence"}}) as rig:
        yield rig
