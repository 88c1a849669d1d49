"""How a test in another process drives the SAP simulator, and looks at its books."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Body, FastAPI

from sandbox.simulators.sap_ledger import summary

if TYPE_CHECKING:
    from sandbox.simulators.sap import SapSimulator

__all__ = ["control_routes"]

Content = Annotated[dict[str, Any], Body()]


def control_routes(app: FastAPI, tenant: SapSimulator) -> None:
    """Routes below ``/_control/``; they never fail."""

    @app.post("/_control/faults")
    def faults(content: Content) -> dict[str, Any]:
        """``{"operation": "create", "faults": ["lost reply"]}``; no operation clears the plan."""
        if not content.get("operation"):
            tenant.plan.clear()
        else:
            tenant.plan.add(content["operation"], *content.get("faults", ()))
        return {"seen": tenant.plan.seen()}

    @app.post("/_control/clock")
    def clock(content: Content) -> dict[str, str]:
        """``{"seconds": 3600}``."""
        tenant.clock.advance(content["seconds"])
        return {"now": tenant.clock.now().isoformat()}

    @app.post("/_control/periods")
    def periods(content: Content) -> dict[str, bool]:
        """``{"on": "2026-11-20", "open": false}``."""
        on = dt.date.fromisoformat(content["on"])
        (tenant.open_period if content["open"] else tenant.close_period)(on)
        return {"open": tenant.ledger.open_on(on)}

    @app.post("/_control/work")
    async def work() -> dict[str, int]:
        late = await tenant.application.deliver_late()
        tenant.inbox.work()
        return {"late": late, "messages": len(tenant.inbox.parcels)}

    @app.post("/_control/people")
    def people(content: Content) -> dict[str, bool]:
        """``{"restart": "ID"}`` or ``{"cancel": "ID"}``: what somebody does in the monitor."""
        if "restart" in content:
            return {"done": tenant.inbox.restart(content["restart"])}
        return {"done": tenant.inbox.cancel(content["cancel"])}

    @app.get("/_control/callbacks")
    def callbacks() -> dict[str, list[str]]:
        """The callbacks sent since the last question, in base64."""
        with tenant.ledger.lock:
            told, tenant.inbox.callbacks = tenant.inbox.callbacks, []
        return {"callbacks": [base64.b64encode(one).decode() for one in told]}

    @app.get("/_control/documents")
    def documents(reference: str = "") -> dict[str, list[dict[str, Any]]]:
        """Every document, or those of one reference."""
        found = tenant.documents(reference) if reference else tenant.ledger.all()
        return {"documents": [summary(document) for document in found]}
