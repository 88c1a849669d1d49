"""Dynamics 365 Finance where the system numbers and a service of the company's own posts."""

from __future__ import annotations

from tests.connectors.rigs.dynamics365 import open_service_rig as open_rig

__all__ = ["open_rig"]
