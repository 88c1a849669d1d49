"""``tieout explain`` on the tables of a match: what it finds by which word, and what it says."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.matching import world
from tieout.commands import explain, match
from tieout.errors import InputError
from tieout.matching import engine, ladder
from tieout.matching.explain import Explanation, as_dict, lines
from tieout.matching.explain_tables import Tables, of_tables

BANK = """
B1 | 2026-11-20 | -119.00 | E2E-2026-4711 | Alpha Bau
B2 | 2026-11-20 | 995.00 | RE-2026-01000 | Beta AG
B3 | 2026-11-20 | -40.00 | | Gamma AG
B4 | 2026-11-20 | -77.00 | E2E-2026-4711-2
B5 | 2026-11-20 | -500.00
B5.1 | 2026-11-20 | -200.00 | E2E-5001
B5.2 | 2026-11-20 | -300.00 | E2E-5002
"""
BOOKS = """
K1 | 2026-11-19 | -119.00 | cash_book | D-1 | E2E-2026-4711 | | Alpha Bau
K2 | 2026-11-18 | 1000.00 | cash_book | RE-2026-01000
K31 | 2026-11-20 | -40.00 | cash_book | D-31 | | | Gamma AG
K32 | 2026-11-20 | -40.00 | cash_book | D-32 | | | Gamma AG
K51 | 2026-11-20 | -200.00 | cash_book | D-51 | E2E-5001
K52 | 2026-11-20 | -300.00 | cash_book | D-52 | E2E-5002
"""


def told(asked: str, bank: str = BANK, books: str = BOOKS) -> Explanation:
    entries, details, items = world.tables(bank, books)
    rules = ladder.load()
    result = engine.match(entries, details, items, rules)
    return of_tables(asked, Tables(entries, details, items, result), rules)


@pytest.mark.parametrize("asked", ["B1", "K1", "D-1", "E2E-2026-4711", "B1-d"])
def test_a_match_is_told_with_all_its_members(asked: str) -> None:
    found = told(asked)
    assert found.state == "confirmed"
    assert "E2E20264711 and the amount agree" in found.sentence
    assert [(m.side, m.row_id) for m in found.members] == [("entry", "B1"), ("item", "K1")]
    assert found.facts["rung"] == "payment_reference"
    assert found.facts["ladder"] == f"default@{ladder.load().version}"
    assert found.facts["residual"] == "0.00 EUR"


def test_a_residual_is_told_with_its_class() -> None:
    found = told("B2")
    assert found.facts["residual"] == "-5.00 EUR (charge)"
    assert found.facts["rung"] == "reference_with_charges"
    text = "\n".join(lines(found))
    assert "books  item K2  RE-2026-01000  2026-11-18  1,000.00 EUR" in text


def test_a_payment_inside_an_entry_is_told_with_its_group() -> None:
    found = told("E2E-5002")
    assert {m.row_id for m in found.members} == {"B5", "B5.1-d", "B5.2-d", "K51", "K52"}
    group = told(found.facts["group"][:9])
    assert (group.kind, group.row, group.members) == ("group", None, found.members)


def test_a_refusal_is_told_with_its_rivals() -> None:
    found = told("B3")
    assert found.state == "refused"
    assert "more than one way" in found.sentence
    assert [n.row.name for n in found.near] == ["D-31", "D-32"]
    assert found.near[0].candidate.by.endswith("2 equal candidates: D-31 and D-32")


def test_what_a_group_took_is_told() -> None:
    found = told("B4")
    assert found.state == "unmatched"
    (near,) = found.near
    assert near.row.row_id == "K1"
    assert near.candidate.failed == "taken"
    assert "(rung payment_reference)" in found.sentence


def test_nothing_near_is_said_plainly() -> None:
    found = told("B9", "B9 | 2026-11-20 | 3.33", BOOKS)
    assert found.near == ()
    assert found.sentence == "nothing on the other side has its amount, reference or counterparty"


def test_an_id_that_means_several_things_is_refused() -> None:
    with pytest.raises(InputError, match="is the start of an id of"):
        told("B")
    with pytest.raises(InputError, match="ID_UNKNOWN"):
        told("nobody")
    assert told("K3", books=BOOKS + "K3 | 2026-11-20 | 1.00").row is not None  # whole ids first


def test_json_has_every_number_as_text() -> None:
    plain = as_dict(told("B4"))
    assert json.loads(json.dumps(plain)) == plain
    (candidate,) = plain["candidates"]
    assert candidate["amount"] == "-119.00"
    assert candidate["failed"][0]["condition"] == "taken"
    assert candidate["on"] == "2026-11-19"


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    match.add(commands)
    explain.add(commands)
    args = parser.parse_args(words)
    return int(args.run(args))


@pytest.fixture
def matched(tmp_path: Path, capsys: Any) -> Path:
    """A folder that `tieout match` wrote to, with its inputs beside it."""
    paths = []
    for name, table in zip(("entries", "details", "items"), world.tables(BANK, BOOKS), strict=True):
        paths.append(str(tmp_path / f"{name}.parquet"))
        pq.write_table(table, paths[-1])
    words = [paths[0], paths[2], "--details", paths[1], "--out", str(tmp_path / "out")]
    assert run("match", *words) == 0
    capsys.readouterr()
    return tmp_path / "out"


def test_the_command_needs_no_more_than_the_folder(matched: Path, capsys: Any) -> None:
    assert run("explain", "B4", "--in", str(matched)) == 0
    said = capsys.readouterr().out
    assert said.startswith("entry B4  2026-11-20  -77.00 EUR\nunmatched: nearest is D-1: ")
    assert run("explain", "RE-2026-01000", "--in", str(matched), "--json") == 0
    assert json.loads(capsys.readouterr().out)["rung"] == "reference_with_charges"


def test_the_command_says_what_is_wrong(matched: Path, capsys: Any, tmp_path: Path) -> None:
    assert run("explain", "X", "--in", str(matched)) == 2
    assert "is called 'X'" in capsys.readouterr().err
    assert run("explain", "B1", "--in", str(tmp_path / "none")) == 2
    assert "there is no such file" in capsys.readouterr().err
    other = tmp_path / "other.parquet"
    pq.write_table(world.tables("B7 | 2026-11-20 | 1.00", "")[0], other)
    assert run("explain", "K1", "--in", str(matched), "--entries", str(other)) == 2
    assert "TABLES_OTHER" in capsys.readouterr().err
    (matched / "run.json").unlink()
    assert run("explain", "B1", "--in", str(matched)) == 2
    assert "give --entries FILE.parquet" in capsys.readouterr().err
    (matched / "run.json").write_text("{")
    assert run("explain", "B1", "--in", str(matched), "--json") == 2
    assert json.loads(capsys.readouterr().out)["error"] == "RUN_UNREADABLE"
    assert run("explain", "B1", "--items", str(other)) == 2
    assert "without --in" in capsys.readouterr().err
