"""NetSuite: the connector to its simulator, and the simulator's own books."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from sandbox.simulators.netsuite import NetSuiteSimulator, simulator
from sandbox.simulators.serve import serving
from tieout.connectors.netsuite import NetSuiteConnector
from tieout.connectors.ports import DocumentLine, ErpDocument, Journal, JournalLine
from tieout.money import to_minor
from tieout.profiles import load, mappings_dir

__all__ = ["DAY", "NetSuiteRig", "mapping", "open_rig"]

DAY = date(2026, 11, 20)
Way = Literal["create", "async", "upsert"]


def mapping(**posting: Any) -> dict[str, Any]:
    """The mapping we ship, with other values in ``[posting]``."""
    found = load(mappings_dir() / "erp" / "netsuite.toml")
    found["posting"].update(posting)
    found["timeouts"] = {"connect": 2, "read": 5, "total": 10}
    return found


@dataclass
class NetSuiteRig:
    """A connector over real HTTP to a simulator in this process."""

    simulator: NetSuiteSimulator
    address: str
    key_file: Path
    posting: Mapping[str, Any]
    made: list[NetSuiteConnector] = field(default_factory=list)
    spare_day: date = date(2026, 9, 15)

    def __post_init__(self) -> None:
        self.connector = self.connect(**self.posting)

    def connect(
        self, *, auth: str = "m2m", mapped: Mapping[str, Any] | None = None, **posting: Any
    ) -> NetSuiteConnector:
        """Another connector to the same account."""
        own = self.simulator.credentials
        if auth == "m2m":
            login, password = own.client_id, ""
            options = {"certificate_id": own.certificate_id, "private_key": str(self.key_file)}
        else:
            login, password = own.consumer_key, own.consumer_secret
            options = {"account": own.account, "token_id": own.token_id}
            options |= {"auth": "tba", "token_secret": own.token_secret}
        made = NetSuiteConnector(
            self.address,
            login,
            password,
            company="NORD",
            mapping=mapped or mapping(**posting),
            options=options,
        )
        self.made.append(made)
        return made

    def journal(
        self, reference: str, *, amount: int = 350, booked_on: date | None = None
    ) -> Journal:
        lines = (
            JournalLine("6855", amount, 0, narrative="Fee of the bank"),
            JournalLine("1810", 0, amount, narrative="Fee of the bank"),
        )
        on = booked_on or DAY
        return Journal(reference, "NORD", "bank", on, "Bank charges", "EUR", lines)

    def fault(self, operation: str, *faults: str) -> None:
        self.simulator.plan.add("query" if operation == "list" else operation, *faults)

    def books(self, reference: str) -> list[ErpDocument]:
        return [_document(found) for found in self.simulator.documents(reference)]

    def close_period(self, on: date) -> None:
        self.simulator.close_period(on)

    def open_period(self, on: date) -> None:
        self.simulator.open_period(on)

    def let_work(self) -> None:
        self.simulator.work()


def _document(found: Mapping[str, Any]) -> ErpDocument:
    return ErpDocument(
        f"{found['type']}/{found['id']}",
        found["state"],
        found["number"],
        found["externalId"],
        date.fromisoformat(found["on"]),
        tuple(_line(line) for line in found["lines"]),
    )


def _line(line: Mapping[str, Any]) -> DocumentLine:
    minor = to_minor(Decimal(line["base"]), "EUR")
    entity = line["entity"] or None
    return DocumentLine(
        line["account"], max(minor, 0), max(-minor, 0), None, None, entity, line["memo"]
    )


class _Switch:
    """A listening server whose application is another account for each rig."""

    def __init__(self, stack: ExitStack) -> None:
        self.application: Any = None
        self.address = stack.enter_context(serving(self))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application(scope, receive, send)


#: Servers of this process that no rig uses now: starting and stopping one takes longer than a test.
_IDLE: dict[int, list[_Switch]] = {}
_RUNNING = ExitStack()
atexit.register(_RUNNING.close)


@contextmanager
def _served(application: Any) -> Iterator[str]:
    idle = _IDLE.setdefault(os.getpid(), [])
    switch = idle.pop() if idle else _Switch(_RUNNING)
    switch.application = application
    try:
        yield switch.address
    finally:
        idle.append(switch)


@contextmanager
def open_rig(way: Way | None = None, **posting: Any) -> Iterator[NetSuiteRig]:
    """A new account with its connector, which posts as the mapping says unless told otherwise."""
    own = simulator()
    with tempfile.TemporaryDirectory() as folder, _served(own.application) as address:
        key_file = Path(folder) / "key.pem"
        key_file.write_text(own.credentials.private_key, encoding="ascii")
        key_file.chmod(0o600)
        rig = NetSuiteRig(own, address, key_file, posting | ({"way": way} if way else {}))
        try:
            yield rig
        finally:
            for connector in rig.made:
                connector.close()
