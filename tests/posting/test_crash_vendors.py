"""A sample of what ``make crash`` does by the thousand: each connector, kills of every kind."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tests.posting.crash.lab import Schedule, opened
from tests.posting.crash.vendors import SIMULATED
from tieout.ledger.ledger import Ledger
from tieout.posting.invariants import violations


@pytest.mark.parametrize("vendor", SIMULATED)
def test_killed_through_a_vendors_connector(ledger: Ledger, tmp_path: Path, vendor: str) -> None:
    module = import_module(f"tests.connectors.rigs.{vendor}")
    with module.open_rig() as rig, opened(vendor, ledger, rig, tmp_path) as lab:
        places = lab.places("lost reply")
        ours = [place for place in places if not place.startswith("within ")]
        within = [place for place in places if place.startswith("within create:")]
        assert len(ours) > 20
        assert {place.split(":")[1] for place in within} == {"before", "after"}
        creates = [place for place in ours if place.startswith("request create")]
        for first in (creates[0], *within[:2], "commit after create:before:1"):
            lab.run(Schedule("lost reply", (first,)))
        lab.run(Schedule("lost reply", (creates[-1], "request find:after:1")))
        assert (lab.schedules, lab.killed >= 5) == (5, True)
    with ledger.session() as session:
        assert violations(session) == []
