"""One contract for the outbox in PostgreSQL and in memory, so that the simulation is believed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal

import pytest
from sqlalchemy.exc import DBAPIError

from tests.posting.sim.store import MemoryStore
from tests.posting.sim.world import ERP as SIM
from tests.posting.sim.world import World
from tests.posting.test_delivery import ready
from tieout.errors import LedgerError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import PostingAttempt
from tieout.posting.sql_store import SqlStore
from tieout.posting.store import Store, Unit

HOUR = dt.timedelta(hours=1)
Case = tuple[Store, Store, str, list[str]]


@pytest.fixture(params=["postgresql", "memory"])
def case(request: pytest.FixtureRequest) -> Case:
    """Two doors to one store, the ERP's name, and three intents."""
    kind: Literal["postgresql", "memory"] = request.param
    if kind == "memory":
        data = World(1, 3).data
        return MemoryStore(data), MemoryStore(data), SIM, sorted(data.rows)
    ledger: Ledger = request.getfixturevalue("ledger")
    erp: str = request.getfixturevalue("erp")
    intents = sorted(ready(ledger, erp, 3))
    return SqlStore(ledger), SqlStore(ledger), erp, intents


def attempt(intent: str, phase: str = "create", **values: Any) -> PostingAttempt:
    made = PostingAttempt(
        intent_id=intent,
        attempt_no=values.pop("number", 1),
        phase=phase,
        epoch="e",
        fence=1,
        owner="me",
        ext_ref="R" * 16,
        payload_sha256="0" * 64,
    )
    for name, value in values.items():
        setattr(made, name, value)
    return made


def expected(unit: Unit, intent: str, **other: Any) -> tuple[str, int, str, str]:
    row = unit.row(intent)
    return (
        intent,
        other.get("fence", row.fence),
        other.get("epoch", row.epoch),
        other.get("state", row.state),
    )


def test_due_rows_come_longest_due_first_and_once(case: Case) -> None:
    one, two, erp, intents = case
    with one.unit() as unit:
        _, now = unit.moment()
        for number, intent in enumerate(intents):
            unit.write(expected(unit, intent), {"next_at": now - HOUR * number}, {})
    with one.unit() as first, two.unit() as second:
        assert [row.intent_id for row in first.due(erp)] == [intents[2]]
        assert [row.intent_id for row in second.due(erp, most=5)] == [intents[1], intents[0]]
        assert first.due(erp, most=5)[0].intent_id == intents[2]
        assert second.unfinished(erp) == (3, 0)


@pytest.mark.parametrize("column", ["held", "lease_until", "next_at", "state", "epoch"])
def test_what_is_not_due(case: Case, column: str) -> None:
    one, _, erp, intents = case
    with one.unit() as unit:
        later = unit.now() + HOUR
        values = {
            "held": "a person",
            "lease_until": later,
            "next_at": later,
            "state": "CONFIRMED",
            "epoch": "other/1",
        }
        assert unit.write(expected(unit, intents[0]), {column: values[column]}, {}) is not None
    with one.unit() as unit:
        assert {row.intent_id for row in unit.due(erp, most=9)} == set(intents[1:])
        assert unit.any_due(erp)
        waiting = 2 if column == "state" else 3
        assert unit.unfinished(erp) == (waiting, int(column == "held"))
        other = unit.of_other_epochs(erp, unit.row(intents[1]).epoch)
        assert [row.intent_id for row in other] == ([intents[0]] if column == "epoch" else [])


@pytest.mark.parametrize("wrong", [{"fence": 7}, {"epoch": "x"}, {"state": "SENDING"}])
def test_a_write_under_another_fence_epoch_or_state_is_none(case: Case, wrong: Any) -> None:
    one, _, _, intents = case
    with one.unit() as unit:
        assert unit.write(expected(unit, intents[0], **wrong), {"reason": "no"}, {}) is None
    with one.unit() as unit:
        assert unit.row(intents[0]).reason == ""


def test_a_write_says_who_holds_and_keeps_what_came_first(case: Case) -> None:
    one, _, _, intents = case
    with one.unit() as unit:
        now = unit.now()
        mine = expected(unit, intents[0])
        assert unit.write(mine, {"held": "vera"}, {"first_sent_at": now}) == ("vera",)
        assert unit.write(mine, {"reason": "why"}, {"first_sent_at": now + HOUR}) == ("vera",)
    with one.unit() as unit:
        row = unit.row(intents[0])
        assert (row.first_sent_at, row.reason) == (now, "why")


def test_the_document_id_is_written_once(case: Case) -> None:
    one, _, _, intents = case
    with one.unit() as unit:
        unit.write(expected(unit, intents[0]), {"erp_doc_id": "5"}, {})
        unit.write(expected(unit, intents[0]), {"erp_doc_id": "5"}, {})
    with pytest.raises((LedgerError, DBAPIError)), one.unit() as unit:
        unit.write(expected(unit, intents[0]), {"erp_doc_id": "6"}, {})
    with one.unit() as unit:
        assert unit.row(intents[0]).erp_doc_id == "5"


def test_an_error_takes_all_of_it_back(case: Case) -> None:
    one, two, erp, intents = case

    def act(unit: Unit) -> None:
        unit.row(intents[0]).reason = "changed"
        unit.flush()
        unit.add_attempt(attempt(intents[0]))
        detail = {"from": "READY", "to": "SENDING"}
        unit.audit("me", "outbox SENDING", "intent", intents[0], detail)
        raise ZeroDivisionError

    raising(one, act)
    with two.unit() as unit:
        assert unit.row(intents[0]).reason == ""
        assert list(unit.attempts(intents[0])) == []
        assert len(unit.due(erp, most=9)) == 3


def raising(store: Store, act: Callable[[Unit], None]) -> None:
    with pytest.raises(ZeroDivisionError), store.unit() as unit:
        act(unit)


def test_attempts_are_told_latest_first_and_end_once(case: Case) -> None:
    one, _, _, intents = case
    with one.unit() as unit:
        first = unit.add_attempt(attempt(intents[0]))
        second = unit.add_attempt(attempt(intents[0], "post", number=2))
        unit.add_attempt(attempt(intents[1]))
        assert second > first
        now = unit.now()
        unit.end_attempt(second, {"outcome": "OK", "ended_at": now})
        unit.end_attempt(second, {"outcome": "REJECT", "ended_at": now})
    with one.unit() as unit:
        told = [(phase, outcome) for phase, outcome, _ in unit.attempts(intents[0])]
        assert told == [("post", "OK"), ("create", None)]
        unit.close_dead_attempts(intents[0])
        told = [(phase, outcome) for phase, outcome, _ in unit.attempts(intents[0])]
        assert told == [("post", "OK"), ("create", "UNKNOWN")]
        assert [outcome for _, outcome, _ in unit.attempts(intents[1])] == [None]


def test_companions_are_due_new_and_of_the_company(case: Case) -> None:
    one, _, _, intents = case
    with one.unit() as unit:
        first = unit.row(intents[0])
        assert {r.intent_id for r in unit.companions(first, "TEST", 9)} == set(intents[1:])
        assert len(unit.companions(first, "TEST", 1)) == 1
        assert unit.companions(first, "OTHER", 9) == []
        unit.write(expected(unit, intents[1]), {"state": "UNKNOWN"}, {})
        assert [r.intent_id for r in unit.companions(first, "TEST", 9)] == [intents[2]]


def test_a_transaction_has_one_moment(case: Case) -> None:
    one, _, _, _ = case
    with one.unit() as unit:
        assert unit.moment() == unit.moment()
        assert unit.now() >= unit.moment()[1]
        assert unit.moment()[0].count("/") == 1
