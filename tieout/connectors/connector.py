"""A system of books as a whole: what the stages are given, whatever the vendor."""

from __future__ import annotations

from typing import Protocol

from tieout.connectors.ports import JournalWriter
from tieout.connectors.reads import BooksReader, MasterReader

__all__ = ["Connector"]


class Connector(JournalWriter, BooksReader, MasterReader, Protocol):
    """Posts to and reads from the books of one company; safe to use from one thread."""

    def close(self) -> None:
        """Release the network client."""
        ...
