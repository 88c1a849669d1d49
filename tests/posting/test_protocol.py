"""The step table, pure: every state × every sight, legal and illegal, and what leads to each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tieout.connectors.ports import Delivery, Outcome
from tieout.errors import LedgerError
from tieout.posting import protocol
from tieout.posting.pace import Limits, backoff
from tieout.posting.protocol import STEPS, TERMINAL, WORKING, claim_event, decide, step
from tieout.posting.terms import (
    Answer,
    Blind,
    Command,
    Observation,
    Phase,
    Row,
    Seen,
    SeenDocument,
)
from tieout.states import MODELS, move, states_of

LIMITS = Limits()
SIGHTS = sorted({sight for _, sight, _, _ in STEPS})


def answer(phase: Phase, outcome: Outcome, doc_id: str | None = None) -> Answer:
    return Answer(Command(phase, doc_id), Delivery(outcome, doc_id, None, "CODE", "words", ""))


def draft(doc_id: str, *differences: str) -> SeenDocument:
    return SeenDocument(doc_id, False, "", differences)


def posted(doc_id: str, *differences: str) -> SeenDocument:
    return SeenDocument(doc_id, True, f"N{doc_id}", differences)


# The protocol as a text: state and what is special of the row | what was observed | then.
CASES = """
SENDING             | create OK         | draft made                   | DRAFTED    | go
SENDING             | create EXISTS     | there already                | UNKNOWN    | wait
SENDING             | create NOT_SENT   | not sent                     | RETRY_WAIT | wait
SENDING             | create THROTTLED  | throttled                    | RETRY_WAIT | wait
SENDING             | create UNKNOWN    | unanswered                   | UNKNOWN    | wait
SENDING             | create REJECT     | refused                      | REJECTED   | stop
SENDING             | create PENDING    | under way                    | UNKNOWN    | wait
SENDING unknown     | create REJECT     | refused, after an unknown    | UNKNOWN    | go
UNKNOWN             | blind             | blind                        | UNKNOWN    | wait
UNKNOWN             | -                 | nothing                      | SENDING    | go
UNKNOWN refused     | -                 | nothing, refused before      | REJECTED   | stop
UNKNOWN spent       | -                 | nothing, attempts spent      | MANUAL     | stop
UNKNOWN             | pending           | under way                    | UNKNOWN    | wait
UNKNOWN spent       | pending           | under way                    | UNKNOWN    | wait
UNKNOWN             | pending d7        | found                        | DRAFTED    | go
UNKNOWN             | gone-for-good     | nothing, refused before      | REJECTED   | stop
UNKNOWN unsettled   | -                 | nothing                      | SENDING    | go
UNKNOWN unsettled   | gone-for-good     | nothing, refused before      | REJECTED   | stop
UNKNOWN A unsettled | -                 | nothing                      | SENDING    | go
UNKNOWN A unsettled | gone-for-good     | nothing yet                  | UNKNOWN    | wait
UNKNOWN A refused   | -                 | nothing, refused before      | REJECTED   | stop
UNKNOWN A spent     | -                 | nothing, attempts spent      | MANUAL     | stop
UNKNOWN B unsettled | -                 | nothing                      | SENDING    | go
UNKNOWN B old unsettled | -             | nothing yet                  | UNKNOWN    | wait
UNKNOWN B old       | -                 | nothing, attempts spent      | MANUAL     | stop
UNKNOWN B accepted  | -                 | nothing yet                  | UNKNOWN    | wait
UNKNOWN B accepted spent | -            | nothing yet                  | UNKNOWN    | wait
UNKNOWN B accepted overdue | -          | nothing, attempts spent      | MANUAL     | stop
UNKNOWN B accepted  | gone-for-good     | nothing, refused before      | REJECTED   | stop
UNKNOWN D unsettled | -                 | nothing yet                  | UNKNOWN    | wait
UNKNOWN D unsettled refused | -         | nothing yet                  | UNKNOWN    | wait
UNKNOWN D           | -                 | nothing                      | SENDING    | go
UNKNOWN D accepted  | -                 | nothing yet                  | UNKNOWN    | wait
UNKNOWN D accepted overdue | -          | nothing, attempts spent      | MANUAL     | stop
UNKNOWN A accepted  | -                 | nothing                      | SENDING    | go
UNKNOWN D refused   | -                 | nothing, refused before      | REJECTED   | stop
UNKNOWN D unsettled | d7                | found                        | DRAFTED    | go
UNKNOWN E           | -                 | nothing, attempts spent      | MANUAL     | stop
UNKNOWN             | d7                | found                        | DRAFTED    | go
UNKNOWN refused     | d7                | found                        | DRAFTED    | go
UNKNOWN             | d7 p9             | found                        | DRAFTED    | go
UNKNOWN             | p7 p9             | several posted               | MANUAL     | stop
UNKNOWN id5         | d5 d7             | found                        | DRAFTED    | go
UNKNOWN id5         | d7                | not shown                    | UNKNOWN    | go
UNKNOWN id5 missed  | d5                | found                        | DRAFTED    | go
UNKNOWN id5 missed  | -                 | gone                         | MANUAL     | stop
DRAFTED id5         | blind             | blind                        | DRAFTED    | wait
DRAFTED id5         | d5                | draft                        | DRAFTED    | go
DRAFTED id5 answered| d5                | draft still                  | DRAFTED    | wait
DRAFTED id5 spent   | d5                | draft, attempts spent        | MANUAL     | stop
DRAFTED id5         | d5x               | differs                      | MANUAL     | stop
DRAFTED id5         | p5x               | differs                      | MANUAL     | stop
DRAFTED id5         | -                 | gone                         | MANUAL     | stop
DRAFTED id5 D unsettled | -             | not shown yet                | DRAFTED    | wait
DRAFTED id5 C unsettled | -             | gone                         | MANUAL     | stop
DRAFTED id5 A       | -                 | gone                         | MANUAL     | stop
DRAFTED id5         | d7                | gone, orphan beside          | MANUAL     | stop
DRAFTED id5 unknown | d7                | not shown                    | DRAFTED    | go
DRAFTED id5 unknown missed | -          | gone                         | MANUAL     | stop
DRAFTED id5 unknown missed | p5         | posted                       | CONFIRMED  | stop
DRAFTED id5 A swept7 | p5 d7            | another stays                | MANUAL     | stop
DRAFTED id5 A       | d5 d7             | draft                        | DRAFTED    | go
DRAFTED id5         | p5                | posted                       | CONFIRMED  | stop
DRAFTED id5         | p5 d7             | posted, orphan beside        | DRAFTED    | go
DRAFTED id5 spent   | p5 d7             | posted                       | CONFIRMED  | stop
DRAFTED id5 swept7  | p5 d7             | posted                       | CONFIRMED  | stop
DRAFTED id5         | p5 p7             | several posted               | MANUAL     | stop
DRAFTED id5         | d5 p7             | several posted               | MANUAL     | stop
DRAFTED id5         | post OK 5         | answered                     | DRAFTED    | go
DRAFTED id5         | post EXISTS 5     | answered                     | DRAFTED    | go
DRAFTED id5         | post REJECT 5     | refused                      | VOIDING    | go
DRAFTED id5         | post NOT_SENT 5   | not sent                     | DRAFTED    | wait
DRAFTED id5         | post THROTTLED 5  | throttled                    | DRAFTED    | wait
DRAFTED id5         | post UNKNOWN 5    | unanswered                   | DRAFTED    | wait
DRAFTED id5         | post PENDING 5    | under way                    | DRAFTED    | wait
DRAFTED id5         | delete PENDING 7  | orphan unanswered            | DRAFTED    | wait
DRAFTED id5         | delete OK 7       | orphan answered              | DRAFTED    | go
DRAFTED id5         | delete REJECT 7   | orphan answered              | DRAFTED    | go
DRAFTED id5         | delete UNKNOWN 7  | orphan unanswered            | DRAFTED    | wait
DRAFTED id5         | delete NOT_SENT 7 | orphan unanswered            | DRAFTED    | wait
VOIDING id5         | blind             | blind                        | VOIDING    | wait
VOIDING id5         | d5                | draft                        | VOIDING    | go
VOIDING id5         | d5x               | draft                        | VOIDING    | go
VOIDING id5 answered| d5                | draft still                  | VOIDING    | wait
VOIDING id5 spent   | d5                | draft, attempts spent        | MANUAL     | stop
VOIDING id5         | p5                | posted                       | DRAFTED    | go
VOIDING id5         | p5x               | posted                       | DRAFTED    | go
VOIDING id5         | p5 d7             | posted, orphan beside        | DRAFTED    | go
VOIDING id5         | -                 | gone                         | REJECTED   | stop
VOIDING id5 A unsettled | -             | gone, another may land       | VOIDING    | wait
VOIDING id5 D       | -                 | gone                         | REJECTED   | stop
VOIDING id5         | d7                | gone, orphan beside          | VOIDING    | go
VOIDING id5 unknown | d7                | gone, orphan beside          | VOIDING    | go
VOIDING id5 unknown | -                 | not shown                    | VOIDING    | go
VOIDING id5 unknown missed | -          | gone                         | REJECTED   | stop
VOIDING id5 A unknown missed unsettled | - | gone, another may land    | VOIDING    | wait
VOIDING id5 A spent | d7                | another stays                | MANUAL     | stop
VOIDING id5 A       | d7                | gone, orphan beside          | VOIDING    | go
VOIDING id5         | d5 p7             | several posted               | MANUAL     | stop
VOIDING id5         | delete OK 5       | answered                     | VOIDING    | go
VOIDING id5         | delete REJECT 5   | refused                      | VOIDING    | go
VOIDING id5         | delete NOT_SENT 5 | not sent                     | VOIDING    | wait
VOIDING id5         | delete THROTTLED 5| throttled                    | VOIDING    | wait
VOIDING id5         | delete UNKNOWN 5  | unanswered                   | VOIDING    | wait
VOIDING id5         | delete PENDING 5  | under way                    | VOIDING    | wait
VOIDING id5         | delete OK 7       | orphan answered              | VOIDING    | go
VOIDING id5         | delete UNKNOWN 7  | orphan unanswered            | VOIDING    | wait
"""


def parsed() -> list[tuple[str, ...]]:
    return [tuple(part.strip() for part in line.split("|")) for line in CASES.strip().splitlines()]


def row_of(words: str) -> Row:
    state, *special = words.split()
    row = Row(state, attempts=1, reason="why")
    for word in special:
        if word == "spent":
            row = replace(row, attempts=LIMITS.attempts_max)
        elif word in ("A", "B", "C", "D", "E"):
            row = replace(row, kind=word)  # type: ignore[arg-type]
        elif word == "unsettled":
            row = replace(row, settled=False)
        elif word == "old":
            row = replace(row, key_alive=False)
        elif word in ("accepted", "answered", "missed", "overdue", "refused", "unknown"):
            row = replace(row, **{word: True})  # type: ignore[arg-type]
        elif word.startswith("swept"):
            row = replace(row, swept=frozenset({word[5:]}))
        else:
            row = replace(row, doc_id=word.removeprefix("id"))
    return row


def observation_of(words: str) -> Observation:
    first, *rest = words.split()
    if first == "blind":
        return Blind("no answer")
    if first in ("create", "post", "delete"):
        doc_id = rest[1] if len(rest) > 1 else "5"
        return answer(first, rest[0], doc_id)  # type: ignore[arg-type]
    if first == "gone-for-good":
        return Seen((), refused="the period is closed")
    waits = "a job runs" if first == "pending" else ""
    documents = rest if first in ("-", "pending") else [first, *rest]
    kinds = {"d": draft, "p": posted}
    return Seen(
        tuple(kinds[w[0]](w[1:].rstrip("x"), *(["amount"] * w.endswith("x"))) for w in documents),
        pending=waits,
    )


@pytest.mark.parametrize("case", parsed(), ids=lambda case: f"{case[0]} sees {case[1]}")
def test_each_step(case: tuple[str, ...]) -> None:
    words, seen, sight, after, then = case
    row = row_of(words)
    taken = step(row, observation_of(seen), LIMITS)
    assert (taken.sight, taken.row.state, taken.then) == (sight, after, then)
    if row.doc_id is not None:
        assert taken.row.doc_id == row.doc_id, "the document id is written once"
    underway = "PENDING" in seen and "create" not in seen and "7" not in seen
    uncounted = "NOT_SENT" in seen or "THROTTLED" in seen or underway
    assert taken.row.attempts == row.attempts - uncounted
    assert (taken.row.state in TERMINAL) == (then == "stop")


def test_the_cases_cover_the_whole_table() -> None:
    walked = {(words.split()[0], sight) for words, _, sight, _, _ in parsed()}
    assert walked == {(state, sight) for state, sight, _, _ in STEPS}


def test_no_sight_is_written_twice() -> None:
    assert len({(state, sight) for state, sight, _, _ in STEPS}) == len(STEPS)


@pytest.mark.parametrize("state", states_of("outbox"))
@pytest.mark.parametrize("sight", SIGHTS)
def test_every_state_times_every_sight(
    state: str, sight: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the table lists moves as the OUTBOX table says; all else is refused."""
    monkeypatch.setattr(protocol, "see", lambda row, observation, limits: (sight, row))
    listed = {(s, g): (event, then) for s, g, event, then in STEPS}
    if (state, sight) not in listed:
        with pytest.raises(LedgerError, match="cannot see"):
            step(Row(state), Blind(""), LIMITS)
        return
    event, _ = listed[state, sight]
    after = step(Row(state), Blind(""), LIMITS).row.state
    assert after == (state if event is None else move("outbox", state, event))


def test_every_arrow_of_the_outbox_is_taken_by_somebody() -> None:
    by_steps = {(state, event) for state, _, event, _ in STEPS if event is not None}
    by_claims = {
        (s, event)
        for s in WORKING
        for unknown in (False, True)
        if (event := claim_event(s, unknown=unknown)) is not None
    }
    by_epochs = {(s, "epoch changed") for s in ("READY", "RETRY_WAIT", "SENDING")}
    by_people = {("READY", "cancel"), ("MANUAL", "release")}
    by_people |= {("MANUAL", f"{what} stated") for what in ("absence", "document", "posting")}
    arrows = {(before, event) for before, event, _ in MODELS["outbox"]}
    assert arrows == by_steps | by_claims | by_epochs | by_people


def test_an_end_is_reachable_from_every_state() -> None:
    reaching = set(TERMINAL)
    for _ in MODELS["outbox"]:
        reaching |= {before for before, _, after in MODELS["outbox"] if after in reaching}
    assert reaching == set(states_of("outbox"))


def test_confirmed_has_one_door_and_two_people_s_word() -> None:
    assert [(b, e) for b, e, after in MODELS["outbox"] if after == "CONFIRMED"] == [
        ("DRAFTED", "posted"),
        ("MANUAL", "posting stated"),
    ]


def test_what_is_asked_next() -> None:
    assert decide(Row("SENDING")) == Command("create")
    assert decide(Row("UNKNOWN", doc_id="5")) == Command("find")
    assert decide(Row("DRAFTED", doc_id="5")) == Command("read", "5")
    assert decide(Row("DRAFTED", doc_id="5", unknown=True)) == Command("find")
    assert decide(Row("DRAFTED", doc_id="5", unknown=True, missed=True)) == Command("read", "5")
    assert decide(Row("UNKNOWN", doc_id="5", missed=True)) == Command("read", "5")
    assert decide(Row("DRAFTED", doc_id="5", checked=True)) == Command("post", "5")
    assert decide(Row("DRAFTED", doc_id="5", orphan="7")) == Command("delete", "7")
    assert decide(Row("VOIDING", doc_id="5", checked=True)) == Command("delete", "5")
    assert all(decide(Row(state)) is None for state in (*TERMINAL, "READY", "RETRY_WAIT"))


def test_the_lowest_draft_is_adopted_in_numeric_order() -> None:
    found = step(Row("UNKNOWN"), Seen((draft("10"), draft("9"), draft("11"))), LIMITS)
    assert found.row.doc_id == "9"
    found = step(Row("UNKNOWN"), Seen((draft("9"), posted("10"))), LIMITS)
    assert found.row.doc_id == "10", "a posted one before any draft"


def test_what_was_just_sent_is_not_settled_whatever_the_claim_knew() -> None:
    """A claim reads the clock once; a create of its own may land after that."""
    row = Row("SENDING", kind="D", unknown=True, settled=True)
    for outcome, settled in (("EXISTS", False), ("UNKNOWN", False), ("REJECT", True)):
        taken = step(row, answer("create", outcome), LIMITS)  # type: ignore[arg-type]
        assert taken.row.settled is settled
        again = step(replace(taken.row, refused=False), Seen(()), LIMITS)
        assert again.sight == ("nothing" if settled else "nothing yet")


def test_an_unknown_is_never_forgotten() -> None:
    row = step(Row("SENDING"), answer("create", "UNKNOWN"), LIMITS).row
    row = step(row, Seen(()), LIMITS).row
    row = step(row, answer("create", "NOT_SENT"), LIMITS).row
    assert row.unknown


def test_the_reason_of_a_refusal_survives_trouble_while_voiding() -> None:
    row = step(Row("DRAFTED", doc_id="5"), answer("post", "REJECT", "5"), LIMITS).row
    for trouble in (Blind("down"), answer("delete", "UNKNOWN", "5"), Seen(())):
        row = step(row, trouble, LIMITS).row
    assert (row.state, row.reason) == ("REJECTED", "CODE: words")


def test_backoff_doubles_is_capped_and_always_the_same() -> None:
    waits = [backoff(LIMITS, "intent", failures) for failures in range(1, 30)]
    assert waits == [backoff(LIMITS, "intent", failures) for failures in range(1, 30)]
    for failures, wait in enumerate(waits):
        whole = min(LIMITS.backoff_base * 2**failures, LIMITS.backoff_max)
        assert whole / 2 <= wait <= whole
    assert backoff(LIMITS, "other", 1) != waits[0]
