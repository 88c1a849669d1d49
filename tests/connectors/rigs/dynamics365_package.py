"""Dynamics 365 Finance where journals come in data management packages."""

from __future__ import annotations

from tests.connectors.rigs.dynamics365 import open_package_rig as open_rig

__all__ = ["open_rig"]
