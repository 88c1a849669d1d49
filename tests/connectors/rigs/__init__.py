"""What the contract suite needs of each system: one module a vendor, the same few handles."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Protocol

from tieout.connectors.ports import ErpDocument, Journal, JournalWriter

__all__ = ["OpenRig", "Rig"]


class Rig(Protocol):
    """A connector, and the other side of the line: the system it talks to, seen from within."""

    connector: JournalWriter
    #: A day whose period holds nothing else, so that it can be closed.
    spare_day: date

    def journal(
        self, reference: str, *, amount: int = 350, booked_on: date | None = None
    ) -> Journal:
        """A bank charge this system would take, on an open day."""
        ...

    def fault(self, operation: str, *faults: str) -> None:
        """Faults for the next requests of a kind: ``create find read list post delete``."""
        ...

    def books(self, reference: str) -> list[ErpDocument]:
        """What the system's own books hold of a reference, not asked through the connector."""
        ...

    def close_period(self, on: date) -> None:
        """Close the period of a day."""
        ...

    def open_period(self, on: date) -> None:
        """Open it again."""
        ...

    def let_work(self) -> None:
        """Let everything the system has taken be worked on, and late requests arrive."""
        ...


OpenRig = Callable[[], AbstractContextManager[Rig]]
