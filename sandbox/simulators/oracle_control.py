"""Control of an Oracle simulator in another process: faults, clock, periods, work, its books."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fastapi import Body, FastAPI

from sandbox.simulators.oracle_books import Batch, Invoice

if TYPE_CHECKING:
    from sandbox.simulators.oracle import OracleSimulator

__all__ = ["control_routes"]


def control_routes(app: FastAPI, tenant: OracleSimulator) -> None:
    """Add the routes under ``/_control/``; they never fail by plan."""

    @app.post("/_control/faults")
    async def faults(body: dict[str, list[str]] = Body()) -> dict[str, int]:  # noqa: B008
        for operation, planned in body.items():
            tenant.plan.add(operation, *planned)
        return dict(tenant.plan.seen())

    @app.post("/_control/clock")
    async def clock(body: dict[str, float] = Body()) -> dict[str, str]:  # noqa: B008
        tenant.clock.advance(body["seconds"])
        return {"now": tenant.clock.now().isoformat()}

    @app.post("/_control/periods")
    async def periods(body: dict[str, str] = Body()) -> dict[str, str]:  # noqa: B008
        tenant.books.world.set_status(dt.date.fromisoformat(body["on"]), body["status"])
        return body

    @app.post("/_control/work")
    async def work() -> dict[str, int]:
        late = await tenant.arrive()
        tenant.run_jobs()
        return {"late": late}

    @app.get("/_control/documents")
    async def documents(reference: str = "") -> list[dict[str, Any]]:
        found: list[Batch | Invoice] = list(tenant.documents(reference))
        if not reference:
            found = [*tenant.books.batches.values(), *tenant.books.invoices.values()]
        return [_shown(document) for document in found]


def _shown(document: Batch | Invoice) -> dict[str, Any]:
    """A document in a few plain words: amounts as text, lines as account, debit, credit."""
    if isinstance(document, Batch):
        return {
            "id": f"journal/{document.id}",
            "reference": document.reference,
            "state": "posted" if document.status == "P" else "draft",
            "booked_on": document.booked_on.isoformat(),
            "lines": [
                [line.segments[1], str(line.accounted_dr), str(line.accounted_cr)]
                for line in document.lines
            ],
        }
    debits = [[x.combination.split("-")[1], str(x.amount), "0"] for x in document.lines]
    return {
        "id": f"invoice/{document.id}",
        "reference": document.description.partition("]")[0].removeprefix("["),
        "state": "posted" if document.validated else "draft",
        "booked_on": document.booked_on.isoformat(),
        "lines": [*debits, [document.liability.split("-")[1], "0", str(document.amount)]],
    }
