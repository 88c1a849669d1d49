"""``tieout suggest-rules`` on a real ledger: from matches by hand to TOML that can be pasted."""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.stages.small import DAY, Small
from tieout import banking_days
from tieout.commands import backtest, suggest_rules
from tieout.ledger import Ledger
from tieout.matching import ladder
from tieout.profiles import mappings_dir
from tieout.stages.match_by_hand import Asked, match_by_hand
from tieout.stages.match_decide import confirm

COUNT = 10


@pytest.fixture
def small(fresh_ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Small:
    """A customer who deducts 8 percent, two weeks long; anna matches it by hand each day."""
    monkeypatch.setenv("TIEOUT_DATABASE", fresh_ledger.address)
    small = Small(fresh_ledger)
    days = [banking_days.add(DAY, n) for n in range(COUNT)]
    for number, day in enumerate(days):
        small.book(f"RE-2026-{4000 + number:05}", 100_000 + 1_000 * number, day)
    small.sync(days[-1])
    for number, day in enumerate(days):
        amount = (100_000 + 1_000 * number) * 92 // 100
        (entry_id,) = small.statement(day, (amount, f"Zahlung RE-2026-{4000 + number:05}"))
        by_hand(small, entry_id, f"RE-2026-{4000 + number:05}")
    return small


def by_hand(small: Small, entry_id: str, document: str) -> None:
    """A match by hand, confirmed by a second person where the policy asks for one."""
    asked = Asked(
        [entry_id],
        [document],
        person="anna",
        reason="deducted as agreed",
        residual_class="short_payment",
        force=True,
    )
    made = match_by_hand(small.ledger, asked)
    if made.state != "confirmed":
        confirm(small.ledger, [made.group_id], "bert", "as agreed")


def run(module: Any, *words: str) -> int:
    parser = argparse.ArgumentParser()
    module.add(parser.add_subparsers())
    args = parser.parse_args(words)
    return int(args.run(args))


def test_what_anna_does_every_day_becomes_a_rung(small: Small, capsys: Any, tmp_path: Path) -> None:
    assert run(suggest_rules, "suggest-rules", "--account", small.code) == 0
    said = capsys.readouterr().out
    assert "would have made 3 of 3, precision 100.00 % (3 of 3)" in said
    content = tomllib.loads(said)
    (rung,) = [r for r in content["rungs"] if r["name"] == "document_no_in_text_with_tolerance"]
    assert rung["amount"] == {"less": "170.00", "less_percent": "8.0"}
    # Below the default ladder, what is printed finds what she found, and loses nothing.
    default = (mappings_dir() / "ladders" / "default.toml").read_text(encoding="utf-8")
    path = tmp_path / "more.toml"
    path.write_text(f"{default}\n{said}", encoding="utf-8")
    assert len(ladder.read("more", tomllib.loads(path.read_text())).rungs) > len(
        ladder.load().rungs
    )
    words = ("--ladder", str(path), "--since", str(DAY), "--account", small.code, "--json")
    assert run(backtest, "backtest", *words, "--precision-min", "1") == 0
    (account,) = json.loads(capsys.readouterr().out)["accounts"]
    assert (account["counts"]["new"], account["new"]["right"], account["new"]["wrong"]) == (
        10,
        10,
        0,
    )


def test_json_says_support_and_precision(small: Small, capsys: Any) -> None:
    assert run(suggest_rules, "suggest-rules", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["learned"], told["held_out"]) == (7, 3)
    one = next(s for s in told["suggestions"] if s["suggested"])
    assert (one["support"], one["precision"], one["by_hand"]) == (7, "1.000000", 3)


def test_too_little_support_is_refused(small: Small, capsys: Any) -> None:
    assert run(suggest_rules, "suggest-rules", "--support-min", "8") == 2
    assert "10 matches were made by hand, too few" in capsys.readouterr().err
    assert run(suggest_rules, "suggest-rules", "--holdout", "1") == 2
    assert run(suggest_rules, "suggest-rules", "--precision-min", "2", "--json") == 2
    assert json.loads(capsys.readouterr().out)["error"] == "WRONG_USAGE"
    assert run(suggest_rules, "suggest-rules", "--account", "none") == 2
