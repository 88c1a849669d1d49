"""``tieout outbox`` and ``tieout post --dry-run`` on a ledger of their own."""

from __future__ import annotations

import json

import pytest

from tests.posting.books import QUICK, approved
from tieout.cli import main
from tieout.connectors.fake import FakeErp
from tieout.ledger.ledger import Ledger
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents


@pytest.fixture(autouse=True)
def at_this_ledger(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_DATABASE", ledger.address)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_dry_run_shows_the_journals_and_changes_nothing(
    ledger: Ledger, erp: str, capsys: pytest.CaptureFixture[str]
) -> None:
    approved(ledger, erp, 2)
    assert main(["post", "--erp", erp, "--dry-run"]) == 0
    before = lines(capsys)
    assert [shown["would"] for shown in before] == ["create a draft"] * 2
    make_intents(ledger, erp, actor="test")
    assert main(["post", "--erp", erp, "--dry-run"]) == 0
    after = lines(capsys)
    fake = FakeErp()
    drain(ledger, fake, erp, owner="test", budget=20, limits=QUICK)
    sent = {document.external_ref for document in fake.documents.values()}
    assert {s["external_ref"] for s in before} == {s["external_ref"] for s in after} == sent
    assert main(["post", "--erp", erp, "--dry-run"]) == 0
    assert lines(capsys) == []


def test_what_waits_is_listed_and_shown(
    ledger: Ledger, erp: str, capsys: pytest.CaptureFixture[str]
) -> None:
    approved(ledger, erp)
    (intent,) = make_intents(ledger, erp, actor="test").made
    fake = FakeErp()
    fake.plan("create", "round")
    drain(ledger, fake, erp, owner="test", budget=20, limits=QUICK)
    assert main(["outbox", "list", "--state", "MANUAL", "--json"]) == 0
    (row,) = lines(capsys)
    assert (row["intent"], row["amount"]) == (intent, "12.50 EUR")
    assert main(["outbox", "list"]) == 0
    assert "MANUAL" in capsys.readouterr().out
    for key in (intent[:10], row["reference"]):
        assert main(["outbox", "show", str(key)]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert [attempt["phase"] for attempt in shown["attempts"]] == ["create", "read"]
        assert [s["to"] for s in shown["history"]] == ["READY", "SENDING", "DRAFTED", "MANUAL"]


def test_an_unknown_intent_is_said_with_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outbox", "show", "nosuch"]) == 2
    assert "INTENT_UNKNOWN" in capsys.readouterr().err
