"""What the settle time, a fail-over and the end of a key mean for each part of a state."""

from __future__ import annotations

from tests.posting.model import claims
from tests.posting.model import erp as erps
from tests.posting.model.design import Counts, Worker
from tests.posting.model.steps import Steps, once


class Trouble(Steps):
    """Questions and changes that concern time and forgetting."""

    @once
    def in_flight(self, wire: int, lane: int) -> bool:
        """Whether a create of a lane is on its way."""
        return any(
            r.phase == "create" and any(item[0] == lane for item in r.items)
            for r in self.values[wire]
        )

    @once
    def unshown(self, erp: int, ledger: int, lane: int) -> bool:
        """Whether the ERP has anything of a lane that does not show.

        The settle time covers a queue we were not told of; a create that we know to be accepted
        may stay there for much longer.
        """
        there, row = self.values[erp].lanes[lane], self.values[ledger].rows[lane]
        told = row is not None and row.accepted and not there.made and not there.refused
        return there.queued > told or any(not d.shown for d in there.docs)

    @once
    def will_create(self, worker: int, lane: int) -> bool:
        """Whether a worker is about to send a create."""
        value: Worker | None = self.values[worker]
        if value is None or value.lane != lane or value.status != "send":
            return False
        command = self.design.decide(value.row)
        return command is not None and command.phase == "create"

    @once
    def is_old(self, worker: int) -> bool:
        """Whether a worker talks to a database that is no more."""
        return worker != 0 and self.values[worker].old

    @once
    def any_old(self, wire: int) -> bool:
        """Whether a request of such a worker is on its way."""
        return any(r.old for r in self.values[wire])

    @once
    def failed_over(self, ledger: int, wire: int, counts: int) -> tuple[int, int, int] | None:
        """The copy takes over: (ledger, requests, counts)."""
        used: Counts = self.values[counts]
        if used.failovers >= self.design.failovers_max or used.copy is None:
            return None
        after = claims.fail_over(used.copy, self.design)
        requests = tuple(sorted(r._replace(old=True) for r in self.values[wire]))
        more = used._replace(failovers=used.failovers + 1, copy=after)
        if more.failovers == self.design.failovers_max:
            more = more._replace(copy=None)
        return self.number(after), self.number(requests), self.number(more)

    @once
    def copied(self, ledger: int, counts: int) -> int:
        """The copy catches up."""
        used: Counts = self.values[counts]
        if used.copy is None or used.copy == self.values[ledger]:
            return counts
        return self.number(used._replace(copy=self.values[ledger]))

    @once
    def aged(self, worker: int) -> int:
        """A worker after the fail-over."""
        return self.number(self.values[worker]._replace(old=True)) if worker else 0

    @once
    def tired(self, worker: int) -> int:
        """A worker whose lease is over because its key's end has come."""
        value: Worker | None = self.values[worker]
        late = value is not None and value.row.key_alive
        return self.number(value._replace(late=True)) if value and late else worker

    @once
    def forgotten(self, erp: int) -> int:
        """The ERP without its keys."""
        return self.number(erps.forgotten(self.values[erp]))
