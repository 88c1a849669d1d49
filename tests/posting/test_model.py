"""Every order of events within the bounds, over the tables production runs; wrong designs fail.

`make model` searches deeper.
"""

from __future__ import annotations

import pytest

from tests.posting.model.erp import first
from tests.posting.model.mutants import MUTANTS, Mutant
from tests.posting.model.search import Verdict, heal, search
from tests.posting.model.suite import DEEP, SMALL
from tieout.posting.terms import Row

#: What each class must be able to reach in the small models.
ENDS = {
    "A": {"CONFIRMED", "REJECTED"},
    "B": {"CONFIRMED", "REJECTED"},
    "C": {"CONFIRMED", "REJECTED"},
    "D": {"CONFIRMED", "REJECTED"},
    "E": {"MANUAL", "REJECTED"},
    "D, fail-over, cancel": {"CANCELLED", "CONFIRMED"},
}


def told(verdict: Verdict) -> str:
    return "\n".join((verdict.problem, *verdict.trace))


@pytest.mark.parametrize("name", SMALL)
def test_no_order_of_events_breaks_the_protocol(name: str) -> None:
    verdict = search(SMALL[name])
    assert verdict.problem == "", told(verdict)
    assert verdict.states > 500
    assert verdict.ends >= ENDS.get(name, {"CONFIRMED"})


@pytest.mark.parametrize(
    "mutant", [m for m in MUTANTS if not m.deep], ids=lambda mutant: mutant.name
)
def test_wrong_designs_are_found_out(mutant: Mutant) -> None:
    verdict = search(mutant.design)
    assert verdict.problem.startswith(mutant.problem), told(verdict)
    assert 0 < len(verdict.trace) < 30, told(verdict)


def test_the_wrong_designs_are_many_and_each_is_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40


def test_a_trace_begins_at_the_beginning_and_is_shortest() -> None:
    (mutant,) = (m for m in MUTANTS if m.name == "an unanswered create is sent again at once")
    trace = search(mutant.design).trace
    assert (trace[0], trace[-1]) == ("a worker claims intent 0 (settled)", "create lands")
    assert len(trace) == 8  # claim, send, no answer, record; claim, send; both land


@pytest.mark.parametrize("name", [*SMALL, *DEEP])
def test_undisturbed_each_class_ends_as_it_should(name: str) -> None:
    design = (SMALL | DEEP)[name]
    ready = Row("READY", kind=design.rules.kind)
    end = heal(design, ready, 0, first(design.lanes, design.rules))
    assert end == ("MANUAL" if design.rules.kind == "E" else "CONFIRMED")
