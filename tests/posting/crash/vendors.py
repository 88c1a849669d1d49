"""How the lab reaches each vendor's rig, and how a worker in another process reaches its system."""

from __future__ import annotations

from typing import Any

from sandbox.simulators.faults import FaultPlan
from tests.connectors.rigs import dynamics365, netsuite, oracle, sap, tryton
from tieout.connectors.netsuite import NetSuiteConnector
from tieout.connectors.tryton import TrytonConnector
from tieout.profiles import load, mappings_dir

__all__ = ["SIMULATED", "connector_of", "order_of", "plan_of"]

SIMULATED = ("sap", "oracle", "dynamics365", "netsuite")


def order_of(rig: Any) -> dict[str, Any]:
    """What another process needs to make a connector of its own."""
    if isinstance(rig, tryton.TrytonRig):
        return {"vendor": "tryton", "where": rig.where}
    if isinstance(rig, netsuite.NetSuiteRig):
        own = rig.simulator.credentials
        options = {"certificate_id": own.certificate_id, "private_key": str(rig.key_file)}
        login = {"login": own.client_id, "options": options}
        return {"vendor": "netsuite", "base": rig.address, **login}
    if isinstance(rig, sap.SapRig):
        return {"vendor": "sap", "base": rig.address}
    if isinstance(rig, oracle.OracleRig):
        return {"vendor": "oracle", "base": rig.url}
    return {"vendor": "dynamics365", "base": rig.base, "changed": rig.changed}


def plan_of(rig: Any) -> FaultPlan | None:
    """The simulator's plan of faults; None before a real system."""
    if isinstance(rig, tryton.TrytonRig):
        return None
    within = rig.tenant if isinstance(rig, sap.SapRig | oracle.OracleRig) else rig.simulator
    plan: FaultPlan = within.plan
    return plan


def connector_of(order: dict[str, Any]) -> Any:
    """A connector to the system an order names."""
    match order["vendor"]:
        case "tryton":
            mapping = load(mappings_dir() / "erp" / "tryton.toml")
            return TrytonConnector(*order["where"], company="NORD", mapping=mapping)
        case "sap":
            return sap.connector_to(order["base"])
        case "oracle":
            return oracle.connect(order["base"])
        case "netsuite":
            return NetSuiteConnector(
                order["base"],
                order["login"],
                "",
                company="NORD",
                mapping=netsuite.mapping(),
                options=order["options"],
            )
    return dynamics365.connector_at(order["base"], changed=order["changed"])
