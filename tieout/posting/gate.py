"""The traffic to one ERP, kept in the ledger: permits for all workers, on the database's clock.

The outbox takes a permit in the transaction that commits an attempt; what it carries beyond that
one request serves the next requests of the same thread, as long as they leave in time. Whatever
asks without one in hand (a login, a page of a read) gets its own in a transaction of its own.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tieout import boundary
from tieout.connectors.gated import HeldError
from tieout.ledger.ledger import Ledger, database_now
from tieout.ledger.models import ErpPermit, ErpTraffic
from tieout.posting.traffic import (
    Granted,
    Refused,
    Terms,
    Traffic,
    answered,
    closed,
    failed,
    grant,
    told_to_wait,
)

__all__ = ["Gate", "Permit", "standing"]

#: A worker that waits for its turn looks at the ledger about so often.
_NAP_MAX: Final = 1.0
_FIELDS: Final = (
    "full_at",
    "failures",
    "opened",
    "open_until",
    "probe_until",
    "not_before",
    "trouble",
)


@dataclass(slots=True)
class Permit:
    """So many requests may leave before ``leave_by`` (monotonic seconds of this machine)."""

    permit_id: str
    left: int
    leave_by: float


class Gate:
    """The door of one worker to one ERP; its threads have permits of their own.

    Args:
        owner: who holds the permits, for people.
    """

    def __init__(self, ledger: Ledger, erp: str, terms: Terms, *, owner: str) -> None:
        self.erp, self.terms = erp, terms
        self._ledger, self._owner = ledger, owner
        self._hand = threading.local()
        self._turn: Refused | None = None
        self._quiet = False  # the last record seen had no trouble: a success changes nothing

    def reserve(self, session: Session, *, least: int | None = None) -> Permit | Refused:
        """Take a permit in the caller's transaction; it counts with its commit (`hold` it then).

        The permit this thread had goes back. The record of the connection is locked until the
        transaction ends.

        Args:
            least: fewer requests are no use; by default a whole permit. A worker that took one
                request at a time would look at each row and never get on with any.
        """
        began = time.monotonic()
        traffic = self._locked(session)
        now = database_now(session)
        out, first_back = self._others(session, now)
        least = self.terms.at_once if least is None else least
        verdict = grant(self.terms, traffic, now, out=out, first_back=first_back, least=least)
        if isinstance(verdict, Refused):
            return verdict
        self._write(session, traffic, verdict.traffic)
        self._quiet = verdict.traffic == Traffic(full_at=verdict.traffic.full_at)
        return self._permit(session, verdict, now, began)

    def hold(self, permit: Permit) -> None:
        """Use a permit whose transaction is committed."""
        self._hand.permit = permit

    def postpone(self, refused: Refused) -> None:
        """A row was let go that had more to send; it is due when this says."""
        self._turn = refused

    def postponed(self) -> Refused | None:
        """What was postponed last, once: then nothing due does not mean nothing left to do."""
        turn, self._turn = self._turn, None
        return turn

    def ready(self) -> bool:
        """Whether this thread has a request left that may leave now."""
        permit: Permit | None = getattr(self._hand, "permit", None)
        return permit is not None and permit.left > 0 and time.monotonic() <= permit.leave_by

    def enter(self) -> None:
        """Take one request out of the hand, or a permit of its own.

        Raises:
            HeldError: there is none now.
        """
        if not self.ready():
            with self._ledger.session() as session:
                verdict = self.reserve(session, least=1)
                boundary.reached("commit permit", "before")
            boundary.reached("commit permit", "after")
            if isinstance(verdict, Refused):
                code = f"HELD_{verdict.why.upper().replace(' ', '_')}"
                raise HeldError(
                    code, f"{verdict.words}; until {verdict.until:%Y-%m-%d %H:%M:%S %Z}"
                )
            self.hold(verdict)
        self._hand.permit.left -= 1

    def came_through(self) -> None:
        """An answer closes the circuit."""
        if not self._quiet:
            self._change(lambda traffic, now: answered(traffic))
            self._quiet = True

    def failed(self, trouble: str) -> None:
        """Count a failure; what is left in the hand is not used."""
        self._quiet = False
        self._change(lambda traffic, now: failed(self.terms, traffic, now, trouble))
        self.rest()

    def told_to_wait(self, wait: dt.timedelta | None) -> None:
        """Nobody sends until then."""
        self._quiet = False
        self._change(lambda traffic, now: told_to_wait(self.terms, traffic, now, wait))
        self.rest()

    def rest(self) -> None:
        """Give this thread's permit back: it asks for nothing now."""
        permit: Permit | None = getattr(self._hand, "permit", None)
        self._hand.permit = None
        if permit is None or not self.terms.concurrent:
            return
        with self._ledger.session() as session:
            # Nothing is lost with this commit but time: a permit ends by itself.
            session.execute(text("SET LOCAL synchronous_commit = off"))
            session.execute(delete(ErpPermit).where(ErpPermit.permit_id == permit.permit_id))

    def nap(self, refused: Refused, until: float) -> bool:
        """Wait for our turn where it is a matter of pace, not past ``until`` (monotonic).

        Returns:
            False where waiting is no use: the ERP gets nothing for longer than that.
        """
        if not refused.brief:
            return False
        with self._ledger.session() as session:
            seconds = (refused.until - database_now(session)).total_seconds()
        if time.monotonic() + seconds > until:
            return False
        self.rest()
        time.sleep(min(max(seconds, 0.001), _NAP_MAX))
        return True

    def _permit(self, session: Session, verdict: Granted, now: dt.datetime, began: float) -> Permit:
        late = self.terms.late.total_seconds()
        permit = Permit(uuid.uuid4().hex, verdict.requests, began + late)
        if self.terms.concurrent:
            until = now + self.terms.lease
            session.add(
                ErpPermit(permit_id=permit.permit_id, erp=self.erp, owner=self._owner, until=until)
            )
            session.flush()
        return permit

    def _others(self, session: Session, now: dt.datetime) -> tuple[int, dt.datetime | None]:
        """Permits of others that are out, and when the first one ends; dead ones are removed."""
        if not self.terms.concurrent:
            return 0, None
        mine: Permit | None = getattr(self._hand, "permit", None)
        ours = mine.permit_id if mine is not None else ""
        session.execute(
            delete(ErpPermit).where(
                ErpPermit.erp == self.erp,
                (ErpPermit.until <= now) | (ErpPermit.permit_id == ours),
            )
        )
        out, first_back = session.execute(
            select(func.count(), func.min(ErpPermit.until)).where(ErpPermit.erp == self.erp)
        ).one()
        return out, first_back

    def _change(self, change: Callable[[Traffic, dt.datetime], Traffic]) -> None:
        with self._ledger.session() as session:
            before = self._locked(session)
            self._write(session, before, change(before, database_now(session)))

    def _locked(self, session: Session) -> Traffic:
        """The record of the connection, held until the transaction ends."""
        held = select(ErpTraffic).where(ErpTraffic.erp == self.erp).with_for_update()
        row = session.scalar(held.execution_options(populate_existing=True))
        if row is None:
            session.execute(insert(ErpTraffic).values(erp=self.erp).on_conflict_do_nothing())
            row = session.scalars(held).one()
        return _traffic(row)

    def _write(self, session: Session, before: Traffic, after: Traffic) -> None:
        if after != before:
            row = session.get_one(ErpTraffic, self.erp)
            for name in _FIELDS:
                setattr(row, name, getattr(after, name))
            session.flush()


def standing(session: Session, erp: str, terms: Terms) -> Refused | None:
    """Why an ERP gets nothing now, and until when; None where it does."""
    row = session.get(ErpTraffic, erp)
    traffic = Traffic() if row is None else _traffic(row)
    return closed(terms, traffic, database_now(session))


def _traffic(row: ErpTraffic) -> Traffic:
    return Traffic(**{name: getattr(row, name) for name in _FIELDS})
