"""The commands people type: matches, audit-sample, rates; plain and as JSON, errors with a remedy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stages.small import DAY, NEXT, Small
from tieout.cli import main
from tieout.ledger import Ledger


@pytest.fixture
def small(fresh_ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Small:
    monkeypatch.setenv("TIEOUT_DATABASE", fresh_ledger.address)
    made = Small(fresh_ledger)
    for n in (1, 2, 3):
        made.book(f"RE-2026-0000{n}", 1000 * n, DAY)
    made.book("CB-9", 90000, DAY, counterparty_name="Kessler Logistik KG")
    made.sync()
    entries = [(1000 * n, f"RE-2026-0000{n}") for n in (1, 2, 3)]
    made.statement(DAY, *entries, (40000, "Kessler on account"))
    made.reconcile()
    return made


class Said:
    """Runs commands and reads what they said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, line: str, *more: str, code: int = 0) -> str:
        assert main([*line.split(), *more]) == code
        out, err = self._capsys.readouterr()
        return out if code == 0 else err

    def rows(self, line: str, *more: str) -> list[dict[str, Any]]:
        return [json.loads(row) for row in self(f"{line} --json", *more).splitlines()]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def test_a_day_at_the_desk(small: Small, said: Said) -> None:
    listed = said.rows("matches list --account NORD-EUR-MAIN --state confirmed")
    assert {r["items"] for r in listed} == {f"RE-2026-0000{n}" for n in (1, 2, 3)}
    assert "RE-2026-00002" in said("matches list")
    open_ = said.rows("matches open --account NORD-EUR-MAIN")
    assert [(r["side"], r["amount"], r["party"]) for r in open_] == [
        ("entry", "400.00 EUR", ""),
        ("cash_book", "900.00 EUR", "Kessler Logistik KG"),
    ]
    assert "Kessler on account" in said("matches open --account NORD-EUR-MAIN")
    entry, item = (r["id"] for r in open_)
    part = f"matches add --entry {entry} --item {item[:10]} --amount {item[:10]}=400,00 --as anna"
    (made,) = said.rows(part, "--reason", "first instalment")
    assert (made["state"], made["residual"], made["waits"]) == ("confirmed", "0.00 EUR", "")
    shown = said(f"matches show {made['id'][:12]}")
    for words in ("first instalment", "400.00 EUR of 900.00 EUR", "matched by anna", "CB-9"):
        assert words in shown
    (detail,) = said.rows(f"matches show {made['id']}")
    assert [m["taken"] for m in detail["members"]] == ["400.00 EUR", "400.00 EUR"]
    assert [m["of"] for m in detail["members"]] == ["400.00 EUR", "900.00 EUR"]
    ids = " ".join(r["id"][:12] for r in listed[:2])
    undone = said(f"matches undo {ids} --as bert", "--reason", "other company")
    assert undone.count("undone by bert") == 2


def test_insisting_takes_two(small: Small, said: Said) -> None:
    entry = next(r["id"] for r in said.rows("matches open --account NORD-EUR-MAIN"))
    add = f"matches add --entry {entry} --item CB-9 --as anna"
    refused = said(add, "--reason", "phoned", code=2)
    assert "the match leaves -500.00 EUR over" in refused
    assert "take less with --amount ID=12.34, or insist with --force" in refused
    waits = said(f"{add} --force", "--reason", "phoned")
    assert "proposed, residual -500.00 EUR" in waits
    again = waits.splitlines()[-1].split("tieout ")[1]
    assert "MATCH_SELF" in said(f"{again} --as anna", code=2)
    assert "confirmed by bert" in said(f"{again} --as bert")
    group = again.split()[-1]
    (row,) = [r for r in said.rows("matches list") if r["id"].startswith(group)]
    assert (row["by"], row["state"]) == ("anna, bert", "confirmed")
    assert "MATCH_STATE" in said(f"matches reject {group} --as carl", "--reason", "no", code=2)
    assert "undone by carl" in said(f"matches undo {group} --again --as carl", "--reason", "no")


# what is typed | what is said
WRONG = """
matches show nowhere                               | `tieout matches list` shows them
matches show abc                                   | give at least 4 characters
matches list --state done                          | one of proposed, confirmed
matches list --account NOPE                        | one of NORD-EUR-COLL
matches open --account NOPE                        | ACCOUNT_UNKNOWN
matches add --entry a1b2 --reason x --amount 3     | write ID=12.34
matches add --entry a1b2 --reason x --amount a=1e9 | AMOUNT_MALFORMED
matches add --item CB-9 --reason x                 | MATCH_MEMBERS
matches add --item CB-9 --reason x --as tieout     | PERSON_RESERVED
rates --account NOPE                               | ACCOUNT_UNKNOWN
audit-sample --size 0                              | SAMPLE_SIZE
audit-sample --account NOPE                        | ACCOUNT_UNKNOWN
audit-sample judge nowhere right --reason x        | MATCH_UNKNOWN
"""


def test_mistakes_are_said_with_a_remedy(small: Small, said: Said) -> None:
    for line in WRONG.strip().splitlines():
        typed, words = (part.strip() for part in line.split(" | "))
        assert words in said(typed, code=2), typed


def test_the_audit_queue_and_the_rates(small: Small, said: Said) -> None:
    drawn = said.rows("audit-sample --size 2 --seed 3 --as anna")
    assert len(drawn) == 2
    waiting = said.rows("audit-sample list")
    assert [r["id"] for r in waiting] == [r["id"] for r in drawn]
    first, second = (r["id"][:12] for r in drawn)
    assert first in said("audit-sample list")
    told = said(f"audit-sample judge {first} wrong --as anna", "--reason", "not theirs")
    assert f"tieout matches undo {first} --reason" in told
    assert "undone" in said(
        f"audit-sample judge {first} wrong --undo --as anna", "--reason", "not theirs"
    )
    assert "right, by anna" in said(
        f"audit-sample judge {second} right", "--reason", "y", "--as", "anna"
    )
    assert said.rows("audit-sample list") == []
    assert len(said.rows("audit-sample list --all")) == 2
    main_, *_ = said.rows("rates --account NORD-EUR-MAIN")
    assert (main_["entries"], main_["entries_matched"], main_["by_count"]) == (4, 2, "0.5000")
    assert main_["precision"] == {
        "confirmed": 3,
        "undone": 0,
        "judged_right": 1,
        "judged_wrong": 1,
        "point": "0.5000",
        "low": "0.0945",
        "high": "0.9055",
        "measured": True,
    }
    assert [r["rung"] for r in main_["rungs"]] == ["reference"]
    plain = said("rates")
    assert "2 of 4" in plain
    assert "50.0 % (9.4 to 90.6 %)" in plain
    later = said.rows(f"rates --account NORD-EUR-MAIN --since {NEXT} --day {NEXT}")
    assert (later[0]["entries"], later[0]["by_count"]) == (0, None)


def test_nothing_yet_is_said_without_fuss(
    fresh_ledger: Ledger, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    monkeypatch.setenv("TIEOUT_DATABASE", fresh_ledger.address)
    monkeypatch.setenv("TIEOUT_DAY", DAY.isoformat())
    assert said("matches list --json") == ""
    assert said("rates --json") == ""
    assert said("audit-sample list --json") == ""
    assert "drawn: 0" in said("audit-sample --as anna")
