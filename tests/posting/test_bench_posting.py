"""The posting benchmark's own parts: what its meter refuses, and what its page says."""

from __future__ import annotations

import datetime as dt

import pytest

from benchmarks.posting.lab import Counted, Ran
from benchmarks.posting.meter import Budget, Meter
from benchmarks.posting.report import page, spoken
from benchmarks.posting.worker import terms_for
from sandbox.simulators.faults import FaultPlan
from tests.connectors.rigs import netsuite, oracle


def test_the_meter_refuses_what_is_beyond_the_window() -> None:
    now = [100.0]
    plan = FaultPlan()
    meter = Meter(Budget(requests=2, seconds=5), plan, lambda: now[0])
    assert [plan.admit("find") for _ in range(3)] == ["", "", "throttle"]
    now[0] = 104.9
    assert plan.admit("find") == "throttle"
    now[0] = 105.0
    assert plan.admit("find") == ""
    assert meter.told() == {"requests": 5, "at_once": 3, "in_span": 2, "refused": 2}


def test_the_meter_refuses_what_is_beyond_the_number_at_one_time() -> None:
    plan = FaultPlan()
    meter = Meter(Budget(concurrent=1), plan)
    assert (plan.admit("find"), plan.admit("find")) == ("", "throttle")
    plan.watch("find", "before")
    plan.watch("", "after")  # a test's own request
    assert plan.admit("find") == "throttle"
    plan.watch("find", "after")
    assert plan.admit("find") == ""
    assert meter.told()["refused"] == 2


@pytest.mark.parametrize("rigged", [oracle, netsuite])
def test_a_simulator_beyond_its_budget_answers_as_its_vendor_does(rigged: object) -> None:
    with rigged.open_rig() as rig:  # type: ignore[attr-defined]
        plan = rig.tenant.plan if rigged is oracle else rig.simulator.plan
        rig.connector.gl_accounts("NORD")
        meter = Meter(Budget(requests=1, seconds=600), plan)
        rig.connector.gl_accounts("NORD")
        journal = rig.journal("ABCDEFGHIJKLMNOP")
        told = rig.connector.create(journal)
        assert told.outcome in ("NOT_SENT", "THROTTLED")
        assert meter.told()["refused"] == 1
        assert rig.books("ABCDEFGHIJKLMNOP") == []


def test_workers_keep_the_mapping_s_terms_on_any_day() -> None:
    found = terms_for("oracle", {})
    assert (found.concurrent, found.maintenance) == (4, ())
    given = {"requests": 60, "period": 5, "burst": 20, "late": 1, "concurrent": 2}
    tight = terms_for("oracle", {"terms": given})
    assert (tight.requests, tight.period) == (60, dt.timedelta(seconds=5))


def test_the_page_says_what_the_backlog_shows() -> None:
    counted = {"sap": Counted(Budget(60, 5, 2), 1_234, 2, 58, 0)}
    backlog = Ran({"sap": 100.0, "oracle": 360.0}, 18_000, counted)
    text = page(500.0, {"sap": 80.0}, backlog, backlog)
    assert spoken(backlog) in text
    assert "10.0 postings arriving a second: 18,000 waited" in spoken(backlog)
    assert "6.0 minutes after its end" in spoken(backlog)
    assert "| sap | 2 at one time, 60 in any 5 s | 1,234 | 2 | 58 in 5 s | 0 |" in text
