"""Every order of events within the bounds, over the tables production runs; wrong designs fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.posting.model import Design, StepFunction, search
from tieout.posting.pace import Limits
from tieout.posting.protocol import Step, step
from tieout.posting.terms import Observation, Row


def test_no_order_of_events_breaks_the_protocol() -> None:
    verdict = search(Design(claims_max=3, sends_max=5, flips_max=2))
    assert verdict.problem == ""
    assert verdict.states > 50_000
    assert verdict.ends >= {"CONFIRMED", "REJECTED"}


def test_a_fail_over_that_forgets_commits_posts_nothing_twice() -> None:
    verdict = search(Design(claims_max=3, sends_max=4, flips_max=0, failovers_max=1))
    assert verdict.problem == ""
    assert verdict.states > 50_000


def wrongly(state: str, sight: str, ends: str) -> StepFunction:
    """The production step, but this sight ends the intent."""

    def mutant(row: Row, observation: Observation, limits: Limits) -> Step:
        taken = step(row, observation, limits)
        if (row.state, taken.sight) != (state, sight):
            return taken
        return replace(taken, then="stop", row=replace(taken.row, state=ends))

    return mutant


@pytest.mark.parametrize(
    ("design", "problem"),
    [
        (Design(wrongly("DRAFTED", "unanswered", "CONFIRMED")), "confirmed, but not posted"),
        (Design(wrongly("DRAFTED", "unanswered", "REJECTED")), "rejected, but posted"),
        (Design(wrongly("DRAFTED", "refused", "REJECTED")), "rejected, but posted"),
        (Design(wrongly("VOIDING", "unanswered", "REJECTED")), "rejected, but posted"),
        (Design(wrongly("VOIDING", "refused", "REJECTED")), "rejected, but posted"),
        (Design(wrongly("UNKNOWN", "found", "CONFIRMED")), "confirmed, but not posted"),
        (Design(wrongly("DRAFTED", "draft", "CONFIRMED")), "confirmed, but not posted"),
        (Design(fenced=False, write_once=False, flips_max=0), "two posted documents"),
        (Design(flips_max=0, failovers_max=1, epoch_guard=False), "two posted documents"),
        (Design(flips_max=0, failovers_max=1, settles=False), "two posted documents"),
    ],
    ids=[
        "timeout is success",
        "timeout is failure",
        "rejected without voiding",
        "unanswered delete is done",
        "refused delete is done",
        "found is confirmed",
        "a draft is a posting",
        "no fence, id overwritten",
        "a new epoch goes unnoticed",
        "a new epoch is not left to settle",
    ],
)
def test_wrong_designs_are_found_out(design: Design, problem: str) -> None:
    assert search(design).problem == problem
