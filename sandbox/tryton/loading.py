"""Load a world into a running sandbox: the side of it that does not import Tryton."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sandbox.tryton.service import child_environment
from tieout.errors import ConnectorError
from tieout.ledger.embedded import ensure_server

if TYPE_CHECKING:
    from sandbox.model import BankAccount, BookDocument, Party

__all__ = ["Books", "load"]


class Books(Protocol):
    """The part of a world that the books know."""

    @property
    def cutover_on(self) -> date:
        """Day of the opening balances."""
        ...

    @property
    def parties(self) -> Iterable[Party]:
        """Customers, suppliers, employees and banks."""
        ...

    @property
    def accounts(self) -> Iterable[BankAccount]:
        """The company's bank accounts."""
        ...

    @property
    def documents(self) -> Iterable[BookDocument]:
        """Invoices and cash-book lines, in the order they are entered."""
        ...


def load(home: Path, database: str, world: Books) -> dict[str, int]:
    """Enter the world's books; return what was entered (all zero when it was there already).

    Raises:
        ConnectorError: ``LOAD_FAILED``, with the end of what Tryton said.
    """
    content = {
        "cutover_on": world.cutover_on,
        "parties": [asdict(party) for party in world.parties],
        "accounts": [asdict(account) for account in world.accounts],
        "documents": [asdict(document) for document in world.documents],
    }
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.tryton.load", database],
        env=child_environment(ensure_server(home)),
        input=json.dumps(content, default=_text),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = done.stderr[-1500:].strip()
        raise ConnectorError("LOAD_FAILED", tail, where=f"database {database}")
    counts: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return counts


def _text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be sent to Tryton")
