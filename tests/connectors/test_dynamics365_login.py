"""Dynamics 365: Entra tokens, asked for once, renewed once, never shown."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sandbox.simulators.dynamics365 import CLIENT_SECRET
from tests.connectors.rigs.dynamics365 import DAY, Dynamics365Rig, connector_at, open_rig
from tieout.connectors.dynamics365_session import Login
from tieout.errors import ConnectorError

REF = "ABCDEFGHIJKLMNOP"


@pytest.fixture
def rig() -> Iterator[Dynamics365Rig]:
    with open_rig() as found:
        yield found


def asked(rig: Dynamics365Rig) -> int:
    return rig.simulator.plan.seen().get("token", 0)


def test_many_threads_ask_for_one_token(rig: Dynamics365Rig) -> None:
    together = threading.Barrier(8)

    def read() -> None:
        together.wait()
        rig.connector.period_status("nord", DAY)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked(rig) == 1


def test_a_read_renews_a_token_that_was_turned_away_once(rig: Dynamics365Rig) -> None:
    assert rig.connector.period_status("nord", DAY) == "open"
    rig.control("clock", seconds=4000)
    assert rig.connector.period_status("nord", DAY) == "open"
    assert asked(rig) == 2
    rig.fault("masters", "expired token", "expired token")
    with pytest.raises(ConnectorError, match="NOT_AUTHORISED"):
        rig.connector.period_status("nord", DAY)
    assert asked(rig) == 3


def test_a_write_that_was_turned_away_is_not_sent_again_by_itself(rig: Dynamics365Rig) -> None:
    rig.fault("create", "expired token")
    made = rig.connector.create(rig.journal(REF))
    assert (made.outcome, made.code) == ("UNKNOWN", "HTTP_401")
    assert rig.simulator.plan.seen()["create"] == 1
    assert rig.connector.create(rig.journal(REF)).outcome == "OK"
    assert asked(rig) == 2


@pytest.mark.parametrize(
    ("fault", "outcome", "code"),
    [
        ("throttle", "THROTTLED", "LOGIN_THROTTLED"),
        ("maintenance", "NOT_SENT", "LOGIN_FAILED"),
        ("lost reply", "NOT_SENT", "LOGIN_FAILED"),
        ("error before", "NOT_SENT", "LOGIN_FAILED"),
    ],
)
def test_without_a_token_nothing_was_sent(
    rig: Dynamics365Rig, fault: str, outcome: str, code: str
) -> None:
    rig.fault("token", fault)
    made = rig.connector.create(rig.journal(REF))
    assert (made.outcome, made.code) == (outcome, code)
    assert rig.simulator.plan.seen().get("create", 0) == 0


def test_a_wrong_secret_is_refused_and_shown_nowhere(rig: Dynamics365Rig) -> None:
    wrong = "canary-7f3a-secret"
    connector = connector_at(rig.base, secret=wrong)
    made = connector.create(rig.journal(REF))
    assert (made.outcome, made.code) == ("NOT_SENT", "LOGIN_REFUSED")
    with pytest.raises(ConnectorError) as raised:
        connector.period_status("nord", DAY)
    connector.close()
    told = f"{made!r} {raised.value!s} {raised.value!r} {Login.of('http://x', 'a', wrong, {})!r}"
    assert "AADSTS7000215" in told
    assert wrong not in told


def test_an_app_that_the_environment_does_not_know_is_told_where_to_be_registered(
    rig: Dynamics365Rig,
) -> None:
    rig.simulator.registered.clear()
    with pytest.raises(ConnectorError, match="Microsoft Entra ID applications"):
        rig.connector.period_status("nord", DAY)


def test_no_secret_is_in_any_error_after_every_kind_of_fault(rig: Dynamics365Rig) -> None:
    told = []
    for fault in ("lost reply", "maintenance", "error after", "throttle", "expired token"):
        rig.fault("create", fault)
        told.append(repr(rig.connector.create(rig.journal(REF))))
    tokens = list(rig.simulator.tokens)
    assert tokens
    assert not any(secret in text for text in told for secret in (CLIENT_SECRET, *tokens))
