"""The SAP simulator's asynchronous messages: taken at once, worked on and restarted later."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.simulators import sap_clearing, sap_posting
from sandbox.simulators.clock import Clock
from sandbox.simulators.faults import FaultPlan
from sandbox.simulators.sap_ledger import Ledger, Outcome, note
from sandbox.simulators.sap_messages import confirmation, request_of
from sandbox.simulators.sap_shape import CLEARING, CREATE, MalformedError

__all__ = ["Inbox", "Parcel"]

#: The monitor forgets a message, and with it its id, after this time.
_RETENTION: Final = dt.timedelta(days=60)


@dataclass(slots=True)
class Parcel:
    """One message; ``states`` by the id of each document in it.

    ``new``, ``successful``, ``application error`` (a person may restart it), ``cancelled``,
    ``technical error``, ``duplicate``.
    """

    kind: str
    body: bytes
    taken_at: dt.datetime
    id: str = ""
    message: dict[str, Any] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)


class Inbox:
    """Messages in the order they came, and the callbacks that tell of them."""

    def __init__(self, ledger: Ledger, clock: Clock, plan: FaultPlan) -> None:
        self._ledger, self._clock, self._plan = ledger, clock, plan
        self.parcels: list[Parcel] = []
        self._known: dict[str, dt.datetime] = {}
        self.callbacks: list[bytes] = []
        self.late: list[bytes] = []

    def take(self, kind: str, body: bytes) -> None:
        """Keep a message, whatever it is."""
        with self._ledger.lock:
            self.parcels.append(Parcel(kind, body, self._clock.now()))

    def work(self) -> None:
        """Work on every message nothing has been done with; a fault ``delay`` leaves it waiting."""
        with self._ledger.lock:
            late, self.late = self.late, []
            self.callbacks += late
            for parcel in self.parcels:
                if not parcel.states and self._plan.take("work") != "delay":
                    self._work(parcel)

    def restart(self, document_id: str) -> bool:
        """A person restarts a document that failed; whether there was one."""
        with self._ledger.lock:
            for parcel in self.parcels:
                if parcel.states.get(document_id) == "application error":
                    self._post(parcel, {document_id})
                    return True
        return False

    def cancel(self, document_id: str) -> bool:
        """A person gives up a document that failed; whether there was one."""
        with self._ledger.lock:
            for parcel in self.parcels:
                if parcel.states.get(document_id) == "application error":
                    parcel.states[document_id] = "cancelled"
                    return True
        return False

    def _work(self, parcel: Parcel) -> None:
        try:
            shape = CREATE if parcel.kind == "Create" else CLEARING
            parcel.message = request_of(parcel.body, shape)
        except MalformedError:
            parcel.states = {"": "technical error"}
            return
        parcel.id = str(parcel.message["MessageHeader"].get("ID", ""))
        before = self._known.get(parcel.id)
        known = before is not None and self._clock.now() - before < _RETENTION
        if parcel.id and not known:
            self._known[parcel.id] = parcel.taken_at
        ids = [self._id(document) for document in self._documents(parcel)]
        if known:
            parcel.states = dict.fromkeys(ids, "duplicate")
            refused = Outcome(None, (note("030(AIF)", f"Message {parcel.id} exists already"),))
            self._tell(parcel, [(one, refused) for one in ids])
            return
        self._post(parcel, set(ids))

    def _documents(self, parcel: Parcel) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = parcel.message[f"JournalEntry{parcel.kind}Request"]
        return found

    @staticmethod
    def _id(document: dict[str, Any]) -> str:
        return str(document["MessageHeader"].get("ID", ""))

    def _post(self, parcel: Parcel, ids: set[str]) -> None:
        told = []
        for document in self._documents(parcel):
            if self._id(document) in ids:
                outcome = self._one(parcel, document)
                failed = any(message.severity == "3" for message in outcome.messages)
                parcel.states[self._id(document)] = "application error" if failed else "successful"
                told.append((self._id(document), outcome))
        self._tell(parcel, told)

    def _one(self, parcel: Parcel, document: dict[str, Any]) -> Outcome:
        entry, now = document["JournalEntry"], self._clock.now()
        if parcel.kind == "Create":
            return sap_posting.post(self._ledger, entry, now)
        flags = (document["MessageHeader"], parcel.message["MessageHeader"])
        rehearse = any(header.get("TestDataIndicator") in ("true", "1") for header in flags)
        return sap_clearing.clear(self._ledger, entry, now, rehearse=rehearse)

    def _tell(self, parcel: Parcel, told: list[tuple[str, Outcome]]) -> None:
        fault = self._plan.take("callback")
        if fault == "lost":
            return
        bytes_ = confirmation(parcel.kind, parcel.message, told, self._clock.now())
        if fault == "late":
            self.late.append(bytes_)
            return
        self.callbacks += [bytes_] * (2 if fault == "duplicate" else 1)
