"""The words of the protocol: a row, the requests it makes, and what can be observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tieout.connectors.ports import CapabilityClass, Delivery

__all__ = ["Answer", "Blind", "Command", "Observation", "Phase", "Row", "Seen", "SeenDocument"]

Phase = Literal["create", "post", "find", "read", "delete"]


@dataclass(frozen=True, slots=True)
class Row:
    """One outbox row, as far as the protocol cares.

    Attributes:
        doc_id: the ERP's document id; once set it never changes.
        kind: capability class of what is sent.
        settled: whether no create of this intent can still land unseen: the class's settle time
            is over, by the database's clock.
        key_alive: of class B, whether the system still remembers our key.
        accepted: whether the system ever said that it works on it.
        overdue: whether it has been at work on it for longer than anybody should wait.
        attempts: effects tried, without those that never left or were throttled.
        unknown: whether a create may have happened without our knowing, ever.
        refused: whether the last answered create was refused.
        reason: why it waits or ended, for people.
        document_no: the number people see, once posted.
        checked: (this claim only) the draft was read and may be posted, or deleted when voiding.
        missed: (this claim only) a ``find`` did not show our document, so it is read by its id
            before it is called gone.
        answered: (this claim only) the last effect on our document was answered.
        orphan: (this claim only) a draft with our reference that is not ours, to delete next.
        swept: (this claim only) orphans whose deletion was answered.
    """

    state: str
    doc_id: str | None = None
    attempts: int = 0
    unknown: bool = False
    refused: bool = False
    reason: str = ""
    document_no: str | None = None
    checked: bool = False
    missed: bool = False
    answered: bool = False
    orphan: str | None = None
    swept: frozenset[str] = frozenset()
    kind: CapabilityClass = "C"
    settled: bool = True
    key_alive: bool = True
    accepted: bool = False
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """The next request: ``create``, ``find`` by reference, or ``post read delete`` of an id."""

    phase: Phase
    doc_id: str | None = None

    @property
    def effect(self) -> bool:
        """Whether it changes the ERP, so that its attempt must be committed before it leaves."""
        return self.phase in ("create", "post", "delete")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an effect."""

    command: Command
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class SeenDocument:
    """A document with our reference, and how it differs from what was approved."""

    doc_id: str
    posted: bool
    number: str = ""
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a ``find`` or ``read`` showed; ``pending`` and ``refused`` as in `ports.Trace`."""

    documents: tuple[SeenDocument, ...]
    pending: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Blind:
    """A ``find`` or ``read`` that could not be answered."""

    message: str


Observation = Answer | Seen | Blind
