"""``tieout backtest`` over a real ledger's past, as a check before a merge."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.stages.small import DAY, NEXT, Small
from tieout.commands import backtest
from tieout.ledger import Ledger
from tieout.ledger.models import AuditSample, AuditVerdict, GroupRow
from tieout.profiles import mappings_dir
from tieout.stages.match_decide import undo
from tieout.stages.past import load_past

DEFAULT = mappings_dir() / "ladders" / "default.toml"


@pytest.fixture
def small(fresh_ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Small:
    """Two days of matches, the first of which somebody undid."""
    monkeypatch.setenv("TIEOUT_DATABASE", fresh_ledger.address)
    small = Small(fresh_ledger)
    for number, day in ((1, DAY), (2, DAY), (3, NEXT), (4, NEXT)):
        small.book(f"RE-2026-0100{number}", 1_000 * number, day)
    small.sync(NEXT)
    small.statement(DAY, (1_000, "RE-2026-01001"), (1_950, "RE-2026-01002"))
    small.statement(NEXT, (3_000, "RE-2026-01003"), (4_000, "RE-2026-01004"), (77, "nobody"))
    small.reconcile(NEXT)
    return small


def group_of(small: Small, item: str) -> str:
    """The group whose evidence names an item."""
    with small.ledger.session() as session:
        found = select(GroupRow.group_id).where(GroupRow.evidence.contains(item))
        return session.scalars(found).one()


def found_right(small: Small, item: str) -> None:
    """An audit drew the group of an item, and anna found it right."""
    group_id = group_of(small, item)
    with small.ledger.session() as session:
        session.add(
            AuditSample(
                group_id=group_id,
                account_code=small.code,
                rung="reference",
                seed=1,
                value_minor=1,
                currency="EUR",
                drawn_from=4,
                drawn_by="bert",
            )
        )
        session.flush()
        session.add(AuditVerdict(group_id=group_id, verdict="right", person="anna", reason="it is"))


def run(capsys: Any, *words: str) -> tuple[int, Any]:
    parser = argparse.ArgumentParser()
    backtest.add(parser.add_subparsers())
    args = parser.parse_args(["backtest", "--since", "2026-11-01", "--json", *words])
    code = int(args.run(args))
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def stricter(tmp_path: Path) -> str:
    """The default ladder without its rung with charges."""
    text = DEFAULT.read_text(encoding="utf-8")
    start = text.index("# The reference is right and a bank")
    end = text.index("# No reference, but the amount")
    path = tmp_path / "stricter.toml"
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    return str(path)


def test_the_same_ladder_changes_nothing(small: Small, capsys: Any) -> None:
    code, told = run(capsys, "--ladder", "default", "--account", small.code)
    (account,) = told["accounts"]
    assert (code, told["fine"], told["worse"]) == (0, True, [])
    assert account["counts"] == {"lost": 0, "changed": 0, "new": 0}
    assert account["old"] == account["new"]
    assert (account["new"]["groups"], account["new"]["amount"]) == (4, "99.5")


def test_what_a_stricter_ladder_loses_is_named_with_its_money(
    small: Small, capsys: Any, stricter: str
) -> None:
    code, told = run(capsys, "--ladder", stricter, "--account", small.code)
    (account,) = told["accounts"]
    assert code == 1
    assert told["worse"] == [f"{small.code}: 1 groups lost, at most 0 allowed"]
    (change,) = account["changes"]
    assert (change["kind"], change["amount"]) == ("lost", "19.5")
    assert change["old"][0]["items"][0]["name"] == "RE-2026-01002"
    assert run(capsys, "--ladder", stricter, "--max-lost", "1")[0] == 0
    # Somebody undid that match: then it is no loss.
    undo(small.ledger, [group_of(small, "RE202601002")], "anna", "not theirs")
    code, told = run(capsys, "--ladder", stricter, "--account", small.code)
    assert (code, told["accounts"][0]["changes"][0]["word"]) == (0, "wrong")
    # Undone to be matched anew, it is no word against the match.
    words = ("--ladder", "default", "--account", small.code)
    again = group_of(small, "RE202601004")
    undo(small.ledger, [again], "anna", "the rule was wrong", again=True)
    assert run(capsys, *words)[1]["accounts"][0]["new"]["wrong"] == 1
    # And the other way round, taking it back again is worse.
    words = ("--ladder", "default", "--against", stricter, "--account", small.code)
    code, told = run(capsys, *words)
    assert code == 1
    assert "1 groups that people called wrong, 0 with the old ladder" in told["worse"][0]


def test_precision_is_what_people_said(small: Small, capsys: Any) -> None:
    words = ("--ladder", "default", "--account", small.code, "--precision-min", "0.9")
    code, told = run(capsys, *words)
    assert code == 1
    assert "precision is unknown" in told["worse"][0]
    found_right(small, "RE202601001")
    assert run(capsys, *words)[0] == 0
    undo(small.ledger, [group_of(small, "RE202601003")], "anna", "not theirs")
    code, told = run(capsys, *words)
    assert told["accounts"][0]["new"]["precision"] == "0.500000"
    assert told["worse"] == [f"{small.code}: precision 50.00 %, 0.9 asked"]


def test_since_leaves_out_what_was_before(small: Small) -> None:
    past = load_past(small.ledger, NEXT, small.code)
    (history,) = past.histories
    assert history.entries["narrative"].to_pylist() == ["RE-2026-01003", "RE-2026-01004", "nobody"]
    # What the earlier entries took is no candidate for the later ones.
    assert sorted(history.items["document_no"].to_pylist()) == ["RE-2026-01003", "RE-2026-01004"]
    assert past.until == NEXT


def test_a_ladder_of_another_revision(
    small: Small, capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ladder.toml").write_text(DEFAULT.read_text(encoding="utf-8"), encoding="utf-8")
    author = ["-c", "user.name=anna", "-c", "user.email=anna@example.org"]
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    source = "git:HEAD:ladder.toml"
    assert run(capsys, "--ladder", "default", "--against", source, "--account", small.code)[0] == 0
    for wrong in ("git:HEAD:none.toml", "git:", "git:--help:x"):
        code, told = run(capsys, "--ladder", wrong)
        assert (code, told["error"]) == (2, "LADDER_SOURCE")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--ladder", "defualt"), "PROFILE_MISSING"),
        (("--ladder", "none/there.toml"), "PROFILE_MISSING"),
        (("--ladder", "default", "--account", "X"), "ACCOUNT_UNKNOWN"),
        (("--ladder", "default", "--precision-min", "99"), "WRONG_USAGE"),
        (("--ladder", "default", "--precision-min", "all"), "AMOUNT_MALFORMED"),
        (("--ladder", "default", "--max-lost", "-1"), "WRONG_USAGE"),
        (("--ladder", "default", "--since", "2027-01-01"), "HISTORY_EMPTY"),
    ],
)
def test_wrong_usage_is_two(small: Small, capsys: Any, words: tuple[str, ...], error: str) -> None:
    code, told = run(capsys, *words)
    assert (code, told["error"]) == (2, error)


def test_the_text_names_every_difference(small: Small, capsys: Any, stricter: str) -> None:
    parser = argparse.ArgumentParser()
    backtest.add(parser.add_subparsers())
    words = ["backtest", "--since", "2026-11-01", "--ladder", stricter, "--account", small.code]
    args = parser.parse_args(words)
    assert args.run(args) == 1
    said = capsys.readouterr().out
    assert "lost: 1, 19.50 EUR" in said
    assert "= RE-2026-01002 by reference_with_charges: The reference RE202601002 agrees" in said
    assert said.endswith(f"worse: {small.code}: 1 groups lost, at most 0 allowed\n")
