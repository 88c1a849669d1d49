"""What may happen to one part of a state, each worked out once; `world` puts the parts together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from tests.posting.model import claims
from tests.posting.model import erp as erps
from tests.posting.model.design import Counts, Design, Ledger, Request, Worker, violation
from tests.posting.model.erp import Done, Erp
from tieout.connectors.ports import Delivery, Outcome
from tieout.posting.terms import Answer, Command

State = tuple[int, ...]
F = TypeVar("F", bound=Callable[..., Any])
NOBODY = -1


def answer(command: Command, outcome: Outcome, doc_id: int = 0) -> Answer:
    """An answer without words."""
    return Answer(command, Delivery(outcome, str(doc_id) if doc_id else None, None, "", "", ""))


def once(function: F) -> F:
    """A method of numbers, worked out once for each."""
    name = function.__name__

    def asked(self: Steps, *numbers: int) -> Any:
        known = self.tables.setdefault(name, {})
        found = known.get(numbers, known)
        if found is known:
            found = known[numbers] = function(self, *numbers)
        return found

    return asked  # type: ignore[return-value]


class Steps:
    """The values of one search, numbered, and what may happen to each."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.values: list[Any] = [None]
        self.numbers: dict[Any, int] = {None: 0}
        self.tables: dict[str, dict[Any, Any]] = {}

    def number(self, value: Any) -> int:
        """The number of a value; workers that are not there are 0."""
        known = self.numbers.get(value)
        if known is None:
            known = len(self.values)
            self.numbers[value] = known
            self.values.append(value)
        return known

    @once
    def problem(self, ledger: int, erp: int) -> str:
        """What is wrong with a state."""
        return violation(self.design, self.values[ledger], self.values[erp])

    @once
    def erp_steps(self, erp: int, counts: int) -> list[tuple[str, int, int]]:
        """What the ERP does by itself, and the period's flips."""
        value, used = self.values[erp], self.values[counts]
        found = [
            (words, self.number(after), counts)
            for words, after in erps.works(value, self.design.rules)
        ]
        if used.flips < self.design.flips_max:
            after = self.number(used._replace(flips=used.flips + 1))
            words = "the period closes" if value.is_open else "the period opens"
            found.append((words, self.number(erps.flipped(value)), after))
        return found

    @once
    def people_steps(self, ledger: int, counts: int) -> list[tuple[str, int, int]]:
        """What people and the drain's beginning do to the ledger."""
        value, used = self.values[ledger], self.values[counts]
        found = []
        for count, words, after in claims.people(self.design, value, used.failovers > 0):
            spent = getattr(used, count)
            if spent < getattr(self.design, f"{count}_max"):
                more = used._replace(**{count: spent + 1})
                found.append((words, self.number(after), self.number(more)))
        if not value.entered:
            found.append(("a drain notes the epoch", self.number(claims.enter(value)), counts))
        if self.design.relation == "reversal":
            reversed_ = claims.reversal(self.design, value)
            if reversed_ is not None:
                found.append(("its reversal is approved", self.number(reversed_), counts))
        return found

    @once
    def landings(self, erp: int, wire: int) -> list[tuple[str, int, int, Any]]:
        """Every request that may land now, or never."""
        found = []
        requests: tuple[Request, ...] = self.values[wire]
        for place, request in enumerate(requests):
            if place and requests[place - 1] == request:
                continue
            rest = self.number(requests[:place] + requests[place + 1 :])
            if all(fence == NOBODY for _, fence in request.items):
                found.append((f"a {request.phase} is lost", erp, rest, ()))
            for after, answers in self.landed(self.values[erp], request):
                words = f"{request.phase} {request.doc_id or ''} lands".replace("  ", " ")
                found.append((words, self.number(after), rest, answers))
        return found

    def landed(self, erp: Erp, request: Request) -> Iterator[tuple[Erp, Any]]:
        """What a request may do, and the answers: (lane, fence, number of the observation)."""
        if request.phase != "create":
            ((lane, fence),) = request.items
            effect = erps.post if request.phase == "post" else erps.delete
            done = effect(erp, lane, request.doc_id, self.design.rules)
            yield done.erp, ((lane, fence, self.observed(request, done)),)
            return
        for after, outcomes in self.created(erp, request.items):
            heard = [outcomes[0]] * len(outcomes) if self._one_for_all else outcomes
            yield (
                after,
                tuple(
                    (lane, fence, self.observed(request, done))
                    for (lane, fence), done in zip(request.items, heard, strict=True)
                    if fence != NOBODY
                ),
            )

    @property
    def _one_for_all(self) -> bool:
        return self.design.batch_outcomes == "first"

    def created(
        self, erp: Erp, items: tuple[tuple[int, int], ...]
    ) -> Iterator[tuple[Erp, list[Done]]]:
        """A create of one or several documents; of several, one may be refused on its own."""
        if not items:
            yield erp, []
            return
        lane = items[0][0]
        outcomes = list(erps.create(erp, lane, self.design.rules))
        if self.design.relation == "batch":
            outcomes.append(Done(erp, "REJECT"))
        for done in outcomes:
            for after, rest in self.created(done.erp, items[1:]):
                yield after, [done, *rest]

    def observed(self, request: Request, done: Done) -> int:
        """The number of the observation an answer is."""
        command = Command(request.phase, str(request.doc_id) if request.doc_id else None)  # type: ignore[arg-type]
        return self.number(answer(command, done.outcome, done.doc_id))

    @once
    def hears(self, worker: int, lane: int, fence: int, observation: int) -> int:
        """A worker, after an answer that may be its own."""
        value: Worker | None = self.values[worker]
        if value is None or value.status != "wait" or (value.lane, value.fence) != (lane, fence):
            return worker
        return self.number(value._replace(status=self.values[observation]))

    @once
    def kind(self, worker: int) -> str:
        """What a worker is about to do."""
        status = self.values[worker].status
        return status if isinstance(status, str) else "record"

    @once
    def forgets(self, wire: int, worker: int) -> int:
        """The requests, when nobody waits for this worker's answer any more."""
        mine = (self.values[worker].lane, self.values[worker].fence)
        after = [
            r._replace(items=tuple((i[0], NOBODY) if i == mine else i for i in r.items))
            for r in self.values[wire]
        ]
        return self.number(tuple(sorted(after)))

    @once
    def looks(self, erp: int, worker: int) -> list[tuple[str, int]]:
        """A look is answered at once; or an effect is found not to have left."""
        value: Worker = self.values[worker]
        command = self.design.decide(value.row)
        assert command is not None
        if command.effect:
            unsent = value._replace(status=answer(command, "NOT_SENT", int(command.doc_id or 0)))
            return [(f"a {command.phase} does not leave", self.number(unsent))]
        wanted = int(command.doc_id or 0)
        seen = erps.look(self.values[erp], value.lane, wanted, self.design.rules)
        return [(f"it looks: {command.phase}", self.number(value._replace(status=seen)))]

    @once
    def sends(self, wire: int, counts: int, worker: int) -> tuple[str, int, int, int] | None:
        """An effect leaves."""
        value, used = self.values[worker], self.values[counts]
        command = self.design.decide(value.row)
        if not command.effect or used.sends >= self.design.sends_max or value.batch:
            return None
        item = ((value.lane, value.fence),)
        request = Request(command.phase, item, int(command.doc_id or 0), value.old)
        after = self.number(tuple(sorted((*self.values[wire], request))))
        more = self.number(used._replace(sends=used.sends + 1))
        return f"a {command.phase} leaves", after, more, self.number(value._replace(status="wait"))

    @once
    def gives_up(self, worker: int) -> int:
        """A worker whose answer does not come."""
        value: Worker = self.values[worker]
        command = self.design.decide(value.row)
        assert command is not None
        lost = answer(command, "UNKNOWN", int(command.doc_id or 0))
        return self.number(value._replace(status=lost))

    @once
    def records(self, ledger: int, worker: int) -> tuple[int, int, str]:
        """A worker records, and goes on, waits, or finds that it has lost the row."""
        value: Worker = self.values[worker]
        after, goes = claims.record(self.design, self.values[ledger], value)
        row, seen = after.rows[value.lane], value.status
        if isinstance(seen, Answer):
            what = f"{seen.delivery.outcome} {seen.delivery.doc_id or ''}".strip()
        else:
            what = self.seen_words(seen)
        words = f"it records {what}: intent {value.lane} is {row.state if row else 'forgotten'}"
        return self.number(after), self.number(goes), words

    def seen_words(self, seen: Any) -> str:
        """What a look showed, in words."""
        docs = [f"{'posted' if d.posted else 'draft'} {d.doc_id}" for d in seen.documents]
        return ", ".join(docs) or seen.pending or seen.refused or "nothing"

    @once
    def claimed(
        self, ledger: int, erp: int, counts: int, *quiet: int
    ) -> list[tuple[str, int, int, State]]:
        """Every claim of the ledger's rows: (words, ledger, counts, workers)."""
        value: Ledger = self.values[ledger]
        used: Counts = self.values[counts]
        found = []
        if used.claims >= self.design.claims_max:
            return []
        more = self.number(used._replace(claims=used.claims + 1))
        expired, past = self.values[erp].expired, used.failovers > 0
        for lane in range(self.design.lanes):
            if not claims.claimable(value, lane):
                continue
            for after, worker in claims.claim(
                self.design, value, lane, quiet=bool(quiet[lane]), expired=expired, past=past
            ):
                words = f"a worker claims intent {lane}{self.known_words(worker)}"
                found.append((words, self.number(after), more, (self.number(worker),)))
        if self.design.relation == "batch":
            found += self.claims_both(value, more, past)
        return found

    def known_words(self, worker: Worker) -> str:
        """What a claim knows of time, in words, where its class asks."""
        row = worker.row
        if row.kind in ("C", "E"):
            return ""
        key = ", key dead" if row.kind == "B" and not row.key_alive else ""
        return f" ({'settled' if row.settled else 'not settled'}{key})"

    def claims_both(
        self, ledger: Ledger, more: int, past: bool
    ) -> list[tuple[str, int, int, State]]:
        """Two fresh rows are claimed for one request."""
        if past or any(row is None or row.state != "READY" for row in ledger.rows) or ledger.held:
            return []
        made = []
        for lane in (0, 1):
            ledger, worker = next(
                claims.claim(self.design, ledger, lane, quiet=False, expired=False, past=past)
            )
            made.append(self.number(worker._replace(batch=True)))
        return [("a worker claims both", self.number(ledger), more, tuple(made))]
