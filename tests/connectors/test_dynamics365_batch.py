"""Dynamics 365: a batch's answer counts only when it is whole, and fits what was sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.connectors.rigs.dynamics365 import Dynamics365Rig, open_rig
from tieout.connectors.dynamics365_batch import Operation, decoded, encoded
from tieout.connectors.http_wire import HttpAnswer

REF = "ABCDEFGHIJKLMNOP"


@pytest.fixture
def rig() -> Iterator[Dynamics365Rig]:
    with open_rig() as found:
        yield found


def answered(rig: Dynamics365Rig) -> HttpAnswer:
    """The answer to a create that was good, as it came."""
    kept: list[HttpAnswer] = []
    inner = rig.connector.wire.exchange

    def exchange(method: str, path: str, **rest: object) -> HttpAnswer:
        answer = inner(method, path, **rest)  # type: ignore[arg-type]
        if "$batch" in path:
            kept.append(answer)
        return answer

    rig.connector.wire.exchange = exchange  # type: ignore[method-assign]
    assert rig.connector.create(rig.journal(REF)).outcome == "OK"
    return kept[0]


def outcome(rig: Dynamics365Rig, answer: HttpAnswer) -> str:
    """What the connector makes of this answer to a create."""
    inner = rig.connector.wire.exchange

    def exchange(method: str, path: str, **rest: object) -> HttpAnswer:
        if "$batch" in path:
            return answer
        return inner(method, path, **rest)  # type: ignore[arg-type]

    rig.connector.wire.exchange = exchange  # type: ignore[method-assign]
    try:
        return rig.connector.create(rig.journal("OTHERABCDEFGHIJK")).outcome
    finally:
        rig.connector.wire.exchange = inner  # type: ignore[method-assign]


def test_an_answer_cut_anywhere_is_unknown(rig: Dynamics365Rig) -> None:
    whole = answered(rig)
    parts = decoded(whole)
    assert parts is not None
    assert [part.status for part in parts[0]] == [201, 201, 201]
    last = whole.body.rindex(b"--batchresponse_1--")
    for end in range(0, last + len(b"--batchresponse_1-"), 23):
        assert outcome(rig, replace(whole, body=whole.body[:end])) == "UNKNOWN", end


@pytest.mark.parametrize(
    ("old", "new", "times"),
    [
        (b"HTTP/1.1 201", b"HTTP/1.1 500", 1),
        (b"HTTP/1.1 201", b"HTTP/1.1 429", 1),
        (b"HTTP/1.1 201", b"HTTP/2 201", 1),
        (b"changesetresponse_1", b"changesetresponse_2", 1),
        (b"--changesetresponse_1--", b"", 1),
    ],
)
def test_an_answer_of_another_shape_is_unknown(
    rig: Dynamics365Rig, old: bytes, new: bytes, times: int
) -> None:
    whole = answered(rig)
    assert old in whole.body
    assert outcome(rig, replace(whole, body=whole.body.replace(old, new, times))) == "UNKNOWN"


@pytest.mark.parametrize("kind", ["application/json", "", "multipart/mixed", "text/html"])
def test_an_answer_of_another_type_is_unknown(rig: Dynamics365Rig, kind: str) -> None:
    whole = answered(rig)
    assert outcome(rig, replace(whole, headers={"content-type": kind})) == "UNKNOWN"


def test_texts_of_any_script_pass_through_a_batch() -> None:
    text = '{"Text":"Gebühr – 手数料 \\r\\n--batch"}'
    kind, content = encoded([[Operation("POST", "/data/X", text)]])
    assert text.encode() in content
    told = content.replace(b"POST /data/X HTTP/1.1", b"HTTP/1.1 201 Created")
    parts = decoded(
        HttpAnswer("answered", "OK", status=200, headers={"content-type": kind}, body=told)
    )
    assert parts is not None
    assert parts[0][0].body == text.encode()


def test_the_same_journal_created_by_many_at_once_is_there_once(rig: Dynamics365Rig) -> None:
    together = threading.Barrier(6)
    made: list[str] = []

    def create() -> None:
        together.wait()
        made.append(rig.connector.create(rig.journal(REF)).outcome)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == ["EXISTS"] * 5 + ["OK"]
    assert len(rig.books(REF)) == 1
