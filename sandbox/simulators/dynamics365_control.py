"""Control of the Dynamics 365 simulator from another process: faults, clock, periods, documents."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response

from sandbox.simulators.dynamics365_odata import render

if TYPE_CHECKING:
    from sandbox.simulators.dynamics365 import D365Simulator

__all__ = ["add_control"]


def add_control(app: FastAPI, simulator: D365Simulator) -> None:
    """Routes under ``/_control/``; they are no part of the simulated system.

    ==================================  =======================================================
    POST faults                         ``{"operation": "create", "faults": ["lost reply"]}``
    POST clock                          ``{"seconds": 60}``
    POST periods                        ``{"on": "2026-11-20", "open": false}``
    POST work                           late requests, packages, the batch job
    GET  documents?reference=…          what the books hold of a reference
    ==================================  =======================================================
    """

    @app.post("/_control/faults")
    async def faults(request: Request) -> Response:
        asked = await request.json()
        simulator.plan.add(asked["operation"], *asked["faults"])
        return _told({"planned": len(asked["faults"])})

    @app.post("/_control/clock")
    async def clock(request: Request) -> Response:
        simulator.clock.advance((await request.json())["seconds"])
        return _told({"now": simulator.clock.now().isoformat()})

    @app.post("/_control/periods")
    async def periods(request: Request) -> Response:
        asked = await request.json()
        on = dt.date.fromisoformat(asked["on"])
        (simulator.open_period if asked["open"] else simulator.close_period)(on)
        return _told({"on": asked["on"], "open": asked["open"]})

    @app.post("/_control/work")
    async def work() -> Response:
        return _told({"done": await simulator.work()})

    @app.get("/_control/documents")
    async def documents(reference: str) -> Response:
        return _told(simulator.documents(reference))


def _told(value: object) -> Response:
    return Response(render(value), media_type="application/json")
