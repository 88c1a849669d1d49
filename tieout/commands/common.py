"""What several commands need: the day to work on, who is asking, and how rows are shown."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import func, select

from tieout.adjustments.store import MAKER
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import StatementRow

__all__ = ["console", "day_of", "person", "print_rows"]

#: Columns where nobody looks at a terminal: a pipe or a file gets whole rows.
_WIDE = 200


def console() -> Console:
    """The terminal, or a wide page where the output goes elsewhere."""
    return Console(width=None if sys.stdout.isatty() else _WIDE)


def day_of(ledger: Ledger, asked: dt.date | None) -> dt.date:
    """The day asked for, else ``TIEOUT_DAY``, else the day of the newest statement.

    Raises:
        LedgerError: ``DAY_UNKNOWN`` where there is none, ``DAY_INVALID`` where it is no ISO date.
    """
    if asked is not None:
        return asked
    held = os.environ.get("TIEOUT_DAY")
    if held:
        try:
            return dt.date.fromisoformat(held)
        except ValueError:
            raise LedgerError(
                "DAY_INVALID",
                f"{held!r} is no day",
                where="TIEOUT_DAY",
                remedy="write it as YYYY-MM-DD, or unset it",
            ) from None
    with ledger.session() as session:
        newest = session.scalars(select(func.max(StatementRow.closed_on))).one()
    if newest is None:
        raise LedgerError("DAY_UNKNOWN", "the ledger has no statement yet", remedy="give --day")
    return newest


def person(named: str | None) -> str:
    """Who decides: the given name, else this machine's login.

    Raises:
        LedgerError: ``PERSON_RESERVED`` for the names in which tieout itself acts.
    """
    who = (named or getpass.getuser()).strip()
    if not who or who.casefold() == MAKER or who.casefold().startswith("policy:"):
        raise LedgerError(
            "PERSON_RESERVED",
            f"{who!r} is no person",
            where="--as",
            remedy="give the login of the person who decides",
        )
    return who


#: Columns that hold money, and so stand to the right.
_MONEY = ("amount", "closing", "residual")


def print_rows(rows: Sequence[Mapping[str, str]], *, as_json: bool) -> None:
    """Rows as a table with ids by their start, or one JSON object a line."""
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0] if rows else ():
        table.add_column(name, justify="right" if name in _MONEY else "left", no_wrap=name == "id")
    for row in rows:
        table.add_row(*(Text(v[:12] if n == "id" else v) for n, v in row.items()))
    console().print(table)
