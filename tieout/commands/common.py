"""What several commands need: the day to work on, and who is asking."""

from __future__ import annotations

import datetime as dt
import getpass
import os
import sys

from rich.console import Console
from sqlalchemy import func, select

from tieout.adjustments.store import MAKER
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import StatementRow

__all__ = ["console", "day_of", "person"]

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
