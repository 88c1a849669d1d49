"""The delivery on a seeded clock, network, store and scheduler; `make sim` runs many more seeds."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace

import pytest

from tests.posting.sim import world as worlds
from tests.posting.sim.erp import SimErp
from tests.posting.sim.store import Data, GoneError, MemoryStore
from tests.posting.sim.world import World, run, watched
from tieout.connectors.ports import Capability, Journal
from tieout.posting import record

SEEDS = range(1, 201)


def test_two_thousand_postings_with_faults_end_as_they_should() -> None:
    verdicts = [run(seed) for seed in SEEDS]
    assert [problem for verdict in verdicts for problem in verdict.problems] == []
    ends = sum((verdict.ends for verdict in verdicts), Counter[str]())
    assert ends.total() == 2_000
    assert ends["CONFIRMED"] > 1_500 and ends["REJECTED"] > 20
    assert {verdict.kind for verdict in verdicts} == set("ABCDE")
    assert sum(verdict.faults for verdict in verdicts) > 2_000


def test_the_same_seed_has_the_same_trace() -> None:
    for seed in (3, 17, 40):
        assert run(seed) == run(seed)
    assert len({run(seed).trace for seed in range(20)}) == 20


def broken(seeds: range = range(20, 80)) -> list[str]:
    """The problems of the first seed that has any."""
    return next(([*v.problems] for seed in seeds if (v := run(seed)).problems), [])


def test_a_settle_time_that_is_too_short_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(self: SimErp, journal: Journal) -> Capability:
        return replace(self._capability, settle=dt.timedelta(0))

    monkeypatch.setattr(SimErp, "capability", hasty)
    assert any("I1:" in problem for problem in broken())


def test_a_fail_over_without_a_new_epoch_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def unnoticed(self: World) -> None:
        self.data.dead = True
        self.data = self.standby
        self.standby = self.data.copy()

    monkeypatch.setattr(World, "fail_over", unnoticed)
    assert any("I1:" in problem for problem in broken())


def test_a_ledger_without_fences_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(unit, claim):  # type: ignore[no-untyped-def]
        return unit.now(), unit.row(claim.intent_id).held

    def careless(unit, claim, values, first=None):  # type: ignore[no-untyped-def]
        row = unit.row(claim.intent_id)
        found = (claim.intent_id, row.fence, row.epoch, row.state)
        assert unit.write(found, values, first or {}) is not None

    monkeypatch.setattr(record, "_confirm", blind)
    monkeypatch.setattr(record, "_write", careless)
    assert broken() != []


def test_faults_that_never_stop_leave_it_unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "PATIENCE", 60 * 1000)
    assert any("I12" in problem for problem in broken())


def test_memory_takes_back_what_was_not_committed() -> None:
    world = World(1, 2)
    with watched(world):
        store = MemoryStore(world.data)
    row = world.data.rows["i0000"]
    with pytest.raises(ZeroDivisionError), store.unit() as unit:
        unit.write(("i0000", 0, "database/1", "READY"), {"state": "SENDING"}, {"owner": "me"})
        assert (row.state, row.owner) == ("SENDING", "me")
        raise ZeroDivisionError
    assert (row.state, row.owner, world.data.locks) == ("READY", None, {})


def test_a_database_that_is_gone_takes_nothing() -> None:
    data: Data = World(1, 1).data
    data.dead = True
    with pytest.raises(GoneError), MemoryStore(data).unit():
        raise AssertionError("never reached")
