"""The data management package API of the Dynamics 365 simulator."""

from __future__ import annotations

from sandbox.simulators.dynamics365_books import Books
from sandbox.simulators.dynamics365_odata import ODataError
from sandbox.simulators.dynamics365_world import Row
from sandbox.simulators.faults import FaultPlan

__all__ = ["ACTIONS", "Packages"]

ACTIONS = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."


class Packages:
    """Blobs, executions and their errors."""

    def __init__(self, books: Books, plan: FaultPlan) -> None:
        self._books, self._plan = books, plan

    def act(self, action: str, asked: Row, base: str) -> Row:
        """One action."""
        raise ODataError(404, f"No action is called '{action}'.")

    def run(self) -> int:
        """Let the data management work on what it has taken."""
        return 0
