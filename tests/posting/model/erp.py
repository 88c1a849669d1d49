"""An ERP of any capability class, as pure functions over tuples that compare and hash quickly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tieout.connectors.ports import CapabilityClass, Outcome
from tieout.posting.terms import Seen, SeenDocument

STRANGER = 90  # the number of a document that somebody else made with our reference


@dataclass(frozen=True, slots=True)
class Rules:
    """How the ERP behaves.

    Attributes:
        unique: of A, whether it is what it says.
        upsert: of A, a second create answers OK with the document, not EXISTS.
        asynchronous: a create goes into a queue, and lands or is refused later.
        queue_shown: whether ``find`` tells of the queue, and of what became of it.
        self_posting: documents are posted by the system, in its own time.
        lag: a document shows in ``find`` only some time after it was made.
        deletes: whether drafts can be deleted.
        odd_max: how many documents it may store with another amount.
        expires: whether a key of B is forgotten one day.
        cancels: a person there may give up what is queued, and nothing ever tells of it.
        stranger: somebody else posted a document with our reference before.
    """

    kind: CapabilityClass = "C"
    unique: bool = True
    upsert: bool = False
    asynchronous: bool = False
    queue_shown: bool = False
    self_posting: bool = False
    lag: bool = False
    deletes: bool = True
    odd_max: int = 0
    expires: bool = False
    cancels: bool = False
    stranger: bool = False


class Doc(NamedTuple):
    """A document; ``same`` says that it equals what was approved."""

    number: int
    posted: bool
    shown: bool
    same: bool = True


class Lane(NamedTuple):
    """All an ERP has of one reference; ``key`` is whether it remembers our key (B)."""

    docs: tuple[Doc, ...] = ()
    made: int = 0
    queued: int = 0
    key: bool = False
    refused: bool = False
    given_up: bool = False


class Erp(NamedTuple):
    """The whole ERP.

    Attributes:
        breach: a closed period took a posting (I13).
        revived: what a person there had given up was taken once more.
    """

    lanes: tuple[Lane, ...]
    is_open: bool = True
    expired: bool = False
    odd: int = 0
    breach: bool = False
    revived: bool = False


class Done(NamedTuple):
    """What an effect did, and what is answered."""

    erp: Erp
    outcome: Outcome
    doc_id: int = 0


def first(lanes: int, rules: Rules) -> Erp:
    """The ERP in the beginning."""
    made = (Doc(STRANGER, True, False),) if rules.stranger else ()
    return Erp((Lane(made),) + (Lane(),) * (lanes - 1), odd=rules.odd_max)


def _with(erp: Erp, lane: int, there: Lane) -> Erp:
    return erp._replace(lanes=(*erp.lanes[:lane], there, *erp.lanes[lane + 1 :]))


def _make(erp: Erp, lane: int, rules: Rules) -> Iterator[tuple[Erp, int]]:
    """A new document of a lane; stored wrongly, too, where the ERP may."""
    there = erp.lanes[lane]
    posted = rules.kind != "C" and not rules.self_posting
    number = there.made + 1
    shown = not rules.lag and rules.kind != "E"
    for same in (True, False) if erp.odd else (True,):
        docs = tuple(sorted((*there.docs, Doc(number, posted, shown, same))))
        after = _with(erp, lane, there._replace(docs=docs, made=number))
        breach = erp.breach or (posted and not erp.is_open)
        yield after._replace(odd=erp.odd - (not same), breach=breach), number


def _known(erp: Erp, lane: int, rules: Rules) -> Done | None:
    """The answer to a create whose reference or key the ERP knows; None where it does not."""
    there = erp.lanes[lane]
    newest = there.docs[-1].number if there.docs else 0
    if rules.kind == "A" and rules.unique and (there.queued or newest):
        if there.queued:
            return Done(erp, "PENDING")
        return Done(erp, "OK", newest) if rules.upsert else Done(erp, "EXISTS")
    if rules.kind == "B" and there.key and (there.queued or newest or there.given_up):
        return Done(erp, "OK", newest) if newest else Done(erp, "PENDING")
    return None


def create(erp: Erp, lane: int, rules: Rules) -> Iterator[Done]:
    """A create arrives."""
    known = _known(erp, lane, rules)
    if known is not None:
        yield known
        return
    if not erp.is_open and not rules.asynchronous:
        yield Done(erp, "REJECT")
        return
    there = erp.lanes[lane]
    erp = erp._replace(revived=erp.revived or there.given_up)
    keyed = there._replace(key=rules.kind == "B" and not erp.expired)
    if rules.asynchronous:
        yield Done(_with(erp, lane, keyed._replace(queued=there.queued + 1)), "PENDING")
        return
    for after, number in _make(_with(erp, lane, keyed), lane, rules):
        yield Done(after, "PENDING" if rules.kind == "E" else "OK", number)


def post(erp: Erp, lane: int, doc_id: int, rules: Rules) -> Done:
    """A post by id arrives."""
    there = erp.lanes[lane]
    doc = next((d for d in there.docs if d.number == doc_id), None)
    if doc is None:
        return Done(erp, "REJECT", doc_id)
    if doc.posted:
        return Done(erp, "OK", doc_id)
    if not erp.is_open:
        return Done(erp, "REJECT", doc_id)
    if rules.self_posting:
        return Done(erp, "PENDING", doc_id)
    return Done(_posted(erp, lane, doc), "OK", doc_id)


def _posted(erp: Erp, lane: int, doc: Doc) -> Erp:
    there = erp.lanes[lane]
    docs = tuple(d._replace(posted=True) if d == doc else d for d in there.docs)
    breach = erp.breach or not erp.is_open
    return _with(erp, lane, there._replace(docs=docs))._replace(breach=breach)


def delete(erp: Erp, lane: int, doc_id: int, rules: Rules) -> Done:
    """A delete by id arrives."""
    there = erp.lanes[lane]
    doc = next((d for d in there.docs if d.number == doc_id), None)
    if doc is None:
        return Done(erp, "OK", doc_id)
    if doc.posted or not rules.deletes:
        return Done(erp, "REJECT", doc_id)
    docs = tuple(d for d in there.docs if d != doc)
    return Done(_with(erp, lane, there._replace(docs=docs)), "OK", doc_id)


def look(erp: Erp, lane: int, doc_id: int, rules: Rules) -> Seen:
    """What a ``find`` shows, or a ``read`` of one id (which does not lag)."""
    there = erp.lanes[lane]
    if doc_id:
        docs = [d for d in there.docs if d.number == doc_id]
        return Seen(tuple(_seen(d) for d in docs))
    docs = [d for d in there.docs if d.shown]
    pending = "queued" if rules.queue_shown and there.queued else ""
    over = there.refused and not there.queued and not there.docs
    refused = "refused" if rules.queue_shown and over else ""
    return Seen(tuple(_seen(d) for d in docs), pending, refused)


def _seen(doc: Doc) -> SeenDocument:
    return SeenDocument(str(doc.number), doc.posted, "", () if doc.same else ("amount",))


def works(erp: Erp, rules: Rules) -> Iterator[tuple[str, Erp]]:
    """Every step the ERP may take by itself."""
    for lane, there in enumerate(erp.lanes):
        for doc in there.docs:
            if not doc.shown and rules.kind != "E":
                docs = tuple(d._replace(shown=True) if d == doc else d for d in there.docs)
                yield f"document {doc.number} shows", _with(erp, lane, there._replace(docs=docs))
            if not doc.posted and rules.self_posting and erp.is_open:
                yield f"the ERP posts {doc.number} itself", _posted(erp, lane, doc)
        if there.queued:
            taken = there._replace(queued=there.queued - 1)
            if not erp.is_open:
                refused = _with(erp, lane, taken._replace(refused=True, key=False))
                yield "the queue refuses a create", refused
            else:
                for after, number in _make(_with(erp, lane, taken), lane, rules):
                    yield f"the queue makes document {number}", after
            if rules.cancels:
                given_up = _with(erp, lane, taken._replace(given_up=True))
                yield "a person gives up what is queued", given_up


def flipped(erp: Erp) -> Erp:
    """The period closes, or opens again."""
    return erp._replace(is_open=not erp.is_open)


def forgotten(erp: Erp) -> Erp:
    """The keys of B are forgotten."""
    return erp._replace(lanes=tuple(x._replace(key=False) for x in erp.lanes), expired=True)
