"""A system of any capability class on the simulation's clock and network, with its own ledger."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from tieout.connectors.fake import document_line
from tieout.connectors.ports import (
    Capability,
    CapabilityClass,
    Delivery,
    ErpDocument,
    Journal,
    Outcome,
    Trace,
)
from tieout.errors import ConnectorError

SECOND = 1_000  # the clock counts milliseconds
DEADLINE = 30 * SECOND  # of a call, on our side
FLIGHT = 120 * SECOND  # until a request has arrived, or never does; longer than any grace


class Clock(Protocol):
    """What the ERP needs of the world."""

    now: int
    faults: bool

    def at(self, when: int, act: Callable[[], None]) -> None: ...
    def sleep(self, until: int) -> None: ...
    def note(self, *words: object) -> None: ...


@dataclass(frozen=True)
class Manners:
    """How this system behaves; drawn from the seed.

    Attributes:
        lag, queue: the longest a document takes to show, and a create to be worked on (0: at once).
        told: whether ``find`` tells of the queue.
        posts_itself, deletes, upsert: as in the model.
        key_lifetime: of B.
        batch: documents a request may carry.
        bad: chance of each fault, in per mille.
    """

    kind: CapabilityClass
    lag: int
    queue: int
    told: bool
    posts_itself: bool
    deletes: bool
    upsert: bool
    key_lifetime: int
    batch: int
    bad: dict[str, int]


class Doc:
    """A document of the ERP's ledger."""

    __slots__ = ("doc_id", "journal", "lines", "number", "posted", "shows_at")

    def __init__(self, doc_id: str, journal: Journal, posted: bool, shows_at: int) -> None:
        self.doc_id, self.journal, self.posted, self.shows_at = doc_id, journal, posted, shows_at
        self.number: str | None = None
        self.lines = tuple(document_line(line) for line in journal.lines)

    def seen(self) -> ErpDocument:
        """As a reader sees it."""
        state = "posted" if self.posted else "draft"
        return ErpDocument(
            self.doc_id,
            state,  # type: ignore[arg-type]
            self.number,
            self.journal.external_ref,
            self.journal.booked_on,
            self.lines,
        )


class SimErp:
    """A `BatchWriter` whose network is the world's."""

    def __init__(self, clock: Clock, manners: Manners, rng: random.Random) -> None:
        self.clock, self.manners, self.rng = clock, manners, rng
        self.docs: dict[str, Doc] = {}
        self.by_ref: dict[str, list[Doc]] = {}
        self.queued: dict[str, int] = {}
        self.refused: set[str] = set()
        self.keys: dict[str, int] = {}
        self.is_open = True
        self.breaches = 0
        self.faults = 0
        self.made = 0
        settle = FLIGHT + manners.lag + manners.queue + 5 * SECOND
        timed = manners.kind in ("A", "B", "D")
        self._capability = Capability(
            manners.kind,
            dt.timedelta(milliseconds=settle if timed else 0),
            dt.timedelta(milliseconds=manners.key_lifetime) if manners.kind == "B" else None,
            manners.batch,
        )

    def capability(self, journal: Journal) -> Capability:
        return self._capability

    # ---- the network

    def _fault(self) -> str:
        if not self.clock.faults:
            return ""
        dice = self.rng.randrange(1000)
        for name, chance in self.manners.bad.items():
            if dice < chance:
                self.faults += 1
                self.clock.note(name)
                return name
            dice -= chance
        return ""

    def _send(self, effect: Callable[[], list[Delivery]], size: int = 1) -> list[Delivery]:
        """One request: it arrives or not, its answer comes or not, whoever waits for it."""
        clock, rng, fault = self.clock, self.rng, self._fault()
        if fault == "not sent":
            return [answered("NOT_SENT")] * size
        if fault == "throttled":
            clock.sleep(clock.now + rng.randrange(50))
            return [answered("THROTTLED")] * size
        came: list[list[Delivery]] = []
        late = fault == "late"
        travels = rng.randrange(FLIGHT) if late else rng.randrange(5, 300)
        sent = clock.now
        if fault != "no effect":
            clock.at(sent + travels, lambda: came.append(effect()))
        lost = fault in ("no effect", "lost reply") or travels > DEADLINE
        clock.sleep(sent + (DEADLINE if lost else travels + rng.randrange(1, 300)))
        return [answered("UNKNOWN")] * size if lost or not came else came[0]

    def _look(self) -> None:
        fault = self._fault()
        if fault:
            self.clock.sleep(self.clock.now + (0 if fault == "not sent" else DEADLINE))
            raise ConnectorError("SIM_UNREACHABLE", fault)
        self.clock.sleep(self.clock.now + self.rng.randrange(2, 200))

    # ---- the port

    def create(self, journal: Journal) -> Delivery:
        return self._send(lambda: [self._create(journal)])[0]

    def create_batch(self, journals: tuple[Journal, ...]) -> tuple[Delivery, ...]:
        def effect() -> list[Delivery]:
            broken = self.clock.faults and self.rng.randrange(1000) < self.manners.bad["lost reply"]
            upto = self.rng.randrange(len(journals)) if broken else len(journals)
            done = [self._create(journal) for journal in journals[:upto]]
            return done + [answered("UNKNOWN")] * (len(journals) - upto)

        return tuple(self._send(effect, len(journals)))

    def post(self, doc_id: str) -> Delivery:
        return self._send(lambda: [self._post(doc_id)])[0]

    def delete_draft(self, doc_id: str) -> Delivery:
        return self._send(lambda: [self._delete(doc_id)])[0]

    def find(self, journal: Journal) -> Trace:
        self._look()
        ref = journal.external_ref
        if self.manners.kind == "E":
            return Trace()
        docs = self.by_ref.get(ref, [])
        shown = tuple(d.seen() for d in docs if d.shows_at <= self.clock.now)
        waits = self.manners.told and self.queued.get(ref, 0) > 0
        over = self.manners.told and ref in self.refused and not docs and not waits
        return Trace(shown, "queued" if waits else "", "the period is closed" if over else "")

    def read(self, doc_id: str) -> ErpDocument | None:
        self._look()
        doc = self.docs.get(doc_id)
        return None if doc is None else doc.seen()

    # ---- effects

    def _create(self, journal: Journal) -> Delivery:
        ref, manners, now = journal.external_ref, self.manners, self.clock.now
        there, queued = self.by_ref.get(ref), self.queued.get(ref, 0)
        keyed = manners.kind == "B" and self.keys.get(ref, -1) >= now
        if (there or queued) and (manners.kind == "A" or keyed):
            if not there:
                return answered("PENDING")
            if manners.kind == "A" and not manners.upsert:
                return answered("EXISTS")
            return answered("OK", there[-1].doc_id)
        if manners.queue:
            self._remember(ref)
            self.queued[ref] = queued + 1
            self.clock.at(now + self.rng.randrange(manners.queue), lambda: self._work(journal))
            return answered("PENDING")
        if not self.is_open:
            return answered("REJECT")
        self._remember(ref)
        doc = self._make(journal)
        return answered("PENDING") if manners.kind == "E" else answered("OK", doc.doc_id)

    def _remember(self, ref: str) -> None:
        if ref not in self.keys:
            self.keys[ref] = self.clock.now + self.manners.key_lifetime

    def _work(self, journal: Journal) -> None:
        """The queue takes a create."""
        ref = journal.external_ref
        self.queued[ref] -= 1
        if self.is_open:
            self._make(journal)
        else:
            self.refused.add(ref)

    def _make(self, journal: Journal) -> Doc:
        manners, now = self.manners, self.clock.now
        at_once = manners.kind != "C" and not manners.posts_itself
        shows = now + (self.rng.randrange(manners.lag) if manners.lag else 0)
        self.made += 1
        doc = Doc(str(self.made), journal, False, shows)
        self.docs[doc.doc_id] = doc
        self.by_ref.setdefault(journal.external_ref, []).append(doc)
        if self.clock.faults and self.rng.randrange(1000) < manners.bad["round"]:
            self.faults += 1
            first = replace(doc.lines[0], debit_minor=doc.lines[0].debit_minor + 1)
            doc.lines = (first, *doc.lines[1:])
        if at_once:
            self._book(doc)
        elif manners.posts_itself:
            self.clock.at(now + self.rng.randrange(200 * SECOND), lambda: self._itself(doc))
        return doc

    def _itself(self, doc: Doc) -> None:
        """The system posts a document in its own time; not in a closed period."""
        if doc.doc_id not in self.docs or doc.posted:
            return
        if self.is_open:
            self._book(doc)
        else:
            self.clock.at(self.clock.now + 60 * SECOND, lambda: self._itself(doc))

    def _book(self, doc: Doc) -> None:
        self.breaches += not self.is_open
        doc.posted, doc.number = True, f"N{doc.doc_id}"

    def _post(self, doc_id: str) -> Delivery:
        doc = self.docs.get(doc_id)
        if doc is None:
            return answered("REJECT", doc_id)
        if doc.posted:
            return answered("OK", doc_id)
        if not self.is_open:
            return answered("REJECT", doc_id)
        if self.manners.posts_itself:
            return answered("PENDING", doc_id)
        self._book(doc)
        return answered("OK", doc_id)

    def _delete(self, doc_id: str) -> Delivery:
        doc = self.docs.get(doc_id)
        if doc is None:
            return answered("OK", doc_id)
        if doc.posted or not self.manners.deletes:
            return answered("REJECT", doc_id)
        del self.docs[doc_id]
        self.by_ref[doc.journal.external_ref].remove(doc)
        return answered("OK", doc_id)


def answered(outcome: Outcome, doc_id: str | None = None) -> Delivery:
    """An answer in one word."""
    return Delivery(outcome, doc_id, None, outcome, outcome.lower(), "")
