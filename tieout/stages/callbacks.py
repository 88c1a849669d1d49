"""Callbacks: what an ERP tells us by itself is kept, and the postings it names are looked at next.

Nothing is believed: the next drain asks the ERP, as it would have done later (`tieout.posting`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tieout.connectors.hints import Hint, HintReader
from tieout.errors import ConnectorError
from tieout.ledger import Ledger
from tieout.posting.hints import keep, wake
from tieout.posting.record import transaction

__all__ = ["Taken", "take_callback"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one callback.

    Attributes:
        new: the same bytes had not come before.
        woken: intents that are due now because of it, or of one that came too early.
        problem: why it could not be read; it is kept all the same.
    """

    new: bool
    woken: tuple[str, ...]
    problem: str = ""


def take_callback(ledger: Ledger, erp: str, body: bytes, read: HintReader) -> Taken:
    """Keep a callback of a sender that is known, and wake what it names."""
    problem, hint = "", Hint()
    try:
        hint = read(body)
    except ConnectorError as error:
        problem = f"{error.code}: {error.message}"
    with transaction(ledger, "callback") as session:
        new = keep(session, erp, body, hint, problem)
        return Taken(new, tuple(wake(session, erp)), problem)
