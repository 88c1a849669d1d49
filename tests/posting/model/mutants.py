"""Wrong designs: each must be found out, by the problem that is written beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from tests.posting.model.design import Design, StepFunction
from tests.posting.model.erp import Rules
from tieout.connectors.ports import Outcome
from tieout.posting.pace import Limits
from tieout.posting.protocol import Step, decide, step
from tieout.posting.terms import Answer, Command, Observation, Row, Seen

A, C, D, E = Rules("A"), Rules("C"), Rules("D"), Rules("E")
B = Rules("B", expires=True)
SELF = Rules("A", upsert=True, self_posting=True)


class Mutant(NamedTuple):
    """A wrong design, and what it must be found out by; a deep one takes long to find."""

    name: str
    problem: str
    design: Design
    deep: bool = False


def ends(state: str, sight: str, end: str) -> StepFunction:
    """The production step, but this sight ends the intent (or moves it to another state)."""

    def mutant(row: Row, observation: Observation, limits: Limits) -> Step:
        taken = step(row, observation, limits)
        if (row.state, taken.sight) != (state, sight):
            return taken
        return replace(taken, then="stop", row=replace(taken.row, state=end))

    return mutant


def believes(change: Callable[[Row], Row]) -> StepFunction:
    """The production step, of a row that is not what it is."""
    return lambda row, observation, limits: step(change(row), observation, limits)


def sees(change: Callable[[Row, Seen], Seen]) -> StepFunction:
    """The production step, after a look that leaves something out."""

    def mutant(row: Row, observation: Observation, limits: Limits) -> Step:
        seen = change(row, observation) if isinstance(observation, Seen) else observation
        return step(row, seen, limits)

    return mutant


def hears(phase: str, outcome: Outcome, instead: Outcome) -> StepFunction:
    """The production step, after a connector that classified an outcome wrongly."""

    def mutant(row: Row, observation: Observation, limits: Limits) -> Step:
        if isinstance(observation, Answer) and observation.command.phase == phase:
            delivery = observation.delivery
            if delivery.outcome == outcome:
                wrong = replace(delivery, outcome=instead)
                observation = Answer(observation.command, wrong)
        return step(row, observation, limits)

    return mutant


def changed(before: str, sight: str, **values: Any) -> StepFunction:
    """The production step, but after this sight the row is another."""

    def mutant(row: Row, observation: Observation, limits: Limits) -> Step:
        taken = step(row, observation, limits)
        if row.state == before and taken.sight.startswith(sight):
            taken = replace(taken, row=replace(taken.row, **values))
        return taken

    return mutant


def _waits_for_ever(row: Row, observation: Observation, limits: Limits) -> Step:
    taken = step(row, observation, limits)
    if (row.state, taken.sight) == ("UNKNOWN", "nothing"):
        return Step(None, "wait", row, taken.sight)
    return taken


def _never_spent(row: Row, observation: Observation, limits: Limits) -> Step:
    return step(row, observation, replace(limits, attempts_max=1_000_000))


def _posts_orphans(row: Row) -> Command | None:
    command = decide(row)
    if command is not None and row.orphan is not None:
        return Command("post", row.orphan)
    return command


def _same(row: Row, seen: Seen) -> Seen:
    return replace(seen, documents=tuple(replace(d, differences=()) for d in seen.documents))


def _as_d(row: Row) -> Row:
    """Once its key is dead, B is sent again when all is settled."""
    return replace(row, kind="D") if row.kind == "B" and not row.key_alive else row


def _small(rules: Rules, **values: Any) -> Design:
    return Design(rules, **{"claims_max": 3, "sends_max": 3, **values})


GIVEN_UP = "I3: sent again, though given up in the ERP"
I1, I2, I3 = "I1: two posted", "I2: confirmed, but not posted", "I3: rejected, but posted"

# fmt: off
# One a line: name, what finds it out, design.
MUTANTS: tuple[Mutant, ...] = (
    # sending
    Mutant("D sends before it commits", I1, _small(D, commits_first=False)),
    Mutant("A sends another key each time", I1, _small(replace(A, unique=False))),
    Mutant("an unanswered create is sent again at once", I1, _small(D, step=changed("SENDING", "unanswered", state="RETRY_WAIT", unknown=False))),
    Mutant("an unanswered create never left", I1, _small(D, step=hears("create", "UNKNOWN", "NOT_SENT"))),
    Mutant("an unanswered create is done", I2, _small(D, step=ends("SENDING", "unanswered", "CONFIRMED"))),
    Mutant("an unanswered create is refused", I3, _small(D, step=hears("create", "UNKNOWN", "REJECT"))),
    Mutant("PENDING is OK", I2, _small(replace(B, asynchronous=True), step=ends("SENDING", "under way", "CONFIRMED"))),
    Mutant("EXISTS is OK without a look", I2, _small(A, step=ends("SENDING", "there already", "CONFIRMED"))),
    Mutant("E is sent again", I1, _small(E, step=believes(lambda row: replace(row, kind="D", settled=True, accepted=False) if row.state == "UNKNOWN" else row))),
    # when a create may be repeated
    Mutant("D does not wait to settle", I1, _small(D, settle="nothing")),
    Mutant("the settle time forgets zombies", I1, _small(D, settle="no zombies")),
    Mutant("the settle time forgets the lag", I1, _small(replace(D, lag=True), settle="no lag")),
    Mutant("D is as good as A", I1, _small(D, step=believes(lambda row: replace(row, kind="A")))),
    Mutant("B believes in its key for ever", I1, _small(B, key_believed=True)),
    Mutant("B's key may end on the way", I1, _small(B, key_margin=False)),
    Mutant("B is sent after the lease", I1, _small(B, lease_checked=False)),
    Mutant("B is sent again without a look", I1, _small(B, claims_blindly=True)),
    Mutant("B is sent again after its key, though accepted", I1, _small(replace(B, asynchronous=True), claims_max=4, step=believes(lambda row: replace(_as_d(row), accepted=False)))),
    Mutant("B is sent again after its key", GIVEN_UP, _small(replace(B, asynchronous=True, cancels=True), step=believes(_as_d))),
    Mutant("D is sent again though accepted", I1, _small(replace(D, asynchronous=True), step=believes(lambda row: replace(row, accepted=False)))),
    # when a refusal is the end
    Mutant("a refusal after an unknown is final", I3, _small(A, flips_max=2, step=ends("SENDING", "refused, after an unknown", "REJECTED"))),
    Mutant("A's refusal does not wait to settle", I3, _small(A, flips_max=2, step=believes(lambda row: replace(row, settled=True)))),
    Mutant("B's refusal does not wait to settle", I3, _small(Rules("B"), flips_max=2, step=believes(lambda row: replace(row, settled=row.settled or row.refused)))),
    Mutant("an unknown is forgotten after a look", I3, _small(A, flips_max=2, step=changed("UNKNOWN", "nothing", unknown=False))),
    Mutant("a voided document is the end", I3, _small(SELF, sends_max=4, flips_max=2, step=believes(lambda row: replace(row, settled=row.settled or row.state == "VOIDING")))),
    # posting by id
    Mutant("an unanswered post is done", I2, _small(C, step=ends("DRAFTED", "unanswered", "CONFIRMED"))),
    Mutant("an unanswered post is a failure", I3, _small(C, step=ends("DRAFTED", "unanswered", "REJECTED"))),
    Mutant("PENDING is posted", I2, _small(replace(A, self_posting=True), step=ends("DRAFTED", "under way", "CONFIRMED"))),
    Mutant("a refused post is not voided", I3, _small(C, sends_max=4, flips_max=2, step=ends("DRAFTED", "refused", "REJECTED"))),
    Mutant("an unanswered delete is done", I3, _small(C, sends_max=4, flips_max=2, step=ends("VOIDING", "unanswered", "REJECTED"))),
    Mutant("a refused delete is done", I3, _small(C, sends_max=4, flips_max=2, step=ends("VOIDING", "refused", "REJECTED"))),
    Mutant("found is confirmed", I2, _small(C, step=ends("UNKNOWN", "found", "CONFIRMED"))),
    Mutant("a draft is a posting", I2, _small(C, step=ends("DRAFTED", "draft", "CONFIRMED"))),
    Mutant("orphans are posted", I1, _small(C, sends_max=4, decide=_posts_orphans)),
    Mutant("found without comparing", I2, _small(replace(C, odd_max=1), step=sees(_same))),
    Mutant("several posted are one", I2, _small(replace(C, stranger=True), sends_max=4, step=ends("DRAFTED", "several posted", "CONFIRMED"))),
    Mutant("what does not show is gone", "I12: called gone", _small(replace(C, lag=True), step=believes(lambda row: replace(row, missed=True)))),
    # the ledger
    Mutant("no fence, D", I1, _small(D, fenced=False, sends_max=3)),
    Mutant("no fence, id overwritten, C", I1, _small(C, sends_max=5, fenced=False, write_once=False)),
    Mutant("a new epoch goes unnoticed, D", I1, _small(D, failovers_max=1, epoch_guard=False)),
    Mutant("a new epoch goes unnoticed, C", I1, _small(C, sends_max=4, failovers_max=1, epoch_guard=False)),
    Mutant("a new epoch does not settle, C", I1, _small(C, sends_max=5, failovers_max=1, epoch_settles=False), deep=True),
    # people, pairs
    Mutant("a cancel asks for no attempt", "I3: cancelled", _small(D, cancels_max=1, cancel_looks="nothing")),
    Mutant("a cancel trusts a ledger that forgot", "I3: cancelled", _small(D, failovers_max=1, cancels_max=1, cancel_looks="attempts")),
    Mutant("a reversal before the confirmation", "I10", _small(C, lanes=2, relation="reversal", sends_max=5, flips_max=2, reverses_early=True)),
    Mutant("one outcome for a whole batch", I3, _small(D, lanes=2, relation="batch", claims_max=2, sends_max=1, batch_outcomes="first")),
    # ends
    Mutant("it waits for ever", "I12", _small(D, step=_waits_for_ever)),
    Mutant("attempts are never spent", "I12", _small(replace(C, deletes=False), flips_max=2, step=_never_spent)),
)
# fmt: on
