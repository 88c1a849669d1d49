"""``tieout parse``: the JSON contract, exit codes, Parquet and the table for people."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from tests.parsers.reading import SAMPLES, mt
from tieout.canonical import BALANCES, DETAILS, ENTRIES, STATEMENTS
from tieout.commands import parse


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    parse.add(parser.add_subparsers(required=True))
    args = parser.parse_args(["parse", *arguments])
    code = args.run(args)
    assert isinstance(code, int)
    return code


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_object_a_line_for_each_file(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(SAMPLES / "batch_v08.xml"), str(SAMPLES / "free_text.sta")]
    assert _run(*files, "--json") == 0
    first, second = _lines(capsys)
    assert list(first) == ["file", "sha256", "format", "statements", "findings"]
    assert [first["file"], second["file"]] == files
    (statement,) = first["statements"]
    entry = statement["entries"][0]
    assert entry["amount"] == "-2500.50"
    assert entry["booked_on"] == "2026-11-20"
    assert [d["amount"] for d in entry["details"]] == ["-1000.25", "-1500.25"]
    assert statement["balances"][0]["amount"] == "10000.00"
    assert statement["created_at"] == "2026-11-20T18:05:00Z"
    assert set(statement) == {*STATEMENTS.names, "balances", "entries"}
    assert set(entry) == {*ENTRIES.names, "details"}
    assert set(entry["details"][0]) == set(DETAILS.names)
    assert set(statement["balances"][0]) == set(BALANCES.names)


def test_amounts_have_the_currencys_decimals(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(str(SAMPLES / "two_documents.xml"), "--json") == 0
    (found,) = _lines(capsys)
    assert found["statements"][0]["entries"][0]["amount"] == "50"


def test_a_quarantined_file_is_one_finding_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.sta"
    cut.write_text(mt()[:60])
    assert _run(str(cut), str(SAMPLES / "free_text.sta"), "--json") == 1
    bad, good = _lines(capsys)
    assert (bad["statements"], bad["format"]) == ([], "MT940")
    (finding,) = bad["findings"]
    assert set(finding) == {"code", "severity", "where", "message", "remedy"}
    assert (finding["code"], finding["severity"]) == ("MT_TRUNCATED", "error")
    assert finding["where"] == "line 1"
    assert len(good["statements"]) == 1


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(str(tmp_path / "none"), "--json") == 2
    assert "no such file" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        _run("--json")
    assert stop.value.code == 2
    sample = str(SAMPLES / "free_text.sta")
    assert _run(sample, "--out", sample) == 2


def test_wrong_encoding_name_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(str(SAMPLES / "free_text.sta"), "--json", "--encoding", "klingon") == 1
    (found,) = _lines(capsys)
    assert found["findings"][0]["code"] == "TEXT_ENCODING"


def test_parquet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a" / "b"
    files = [str(SAMPLES / "batch_v08.xml"), str(SAMPLES / "structured.sta")]
    assert _run(*files, "--json", "--out", str(out)) == 0
    capsys.readouterr()
    for name, schema, rows in (
        ("statements", STATEMENTS, 2), ("balances", BALANCES, 6),
        ("entries", ENTRIES, 8), ("details", DETAILS, 9),
    ):  # fmt: skip
        table = parquet.read_table(out / f"{name}.parquet")
        assert (table.schema, table.num_rows) == (schema, rows), name


def test_table_for_people_escapes_the_banks_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.sta"
    file.write_text(mt(":61:[bold]RUBBISH\x1b[31m").replace("11112222/333", "[red]1"))
    assert _run(str(file)) == 0
    shown = capsys.readouterr().out
    assert "[red]1" in shown
    assert "[bold]RUBBISH" in shown
    assert "\x1b" not in shown


def test_statement_twice_is_shown_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.sta"
    file.write_text(mt(":61:260102C1,NMSC", closing="C260102EUR101,") * 2)
    assert _run(str(file), "--json") == 0
    (found,) = _lines(capsys)
    shape = [(len(s["entries"]), len(s["balances"])) for s in found["statements"]]
    assert shape == [(1, 2), (1, 2)]


def test_the_table_for_people_shows_the_first_thousand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, count = tmp_path / "a.bai", 1_234
    accounts = (f"03,{n:010},USD,010,{n},,,015,{n},,/\n49,{2 * n},2/\n" for n in range(count))
    total = sum(2 * n for n in range(count))
    file.write_text(
        "01,BANKX,NORD,261121,0600,1,,,2/\n02,NORD,BANKX,1,261120,,USD,2/\n"
        + "".join(accounts)
        + f"98,{total},{count},{2 * count + 2}/\n99,{total},1,{2 * count + 4}/\n"
    )
    assert _run(str(file), "--out", str(tmp_path / "out")) == 0
    shown = capsys.readouterr().out
    assert "0000000999" in shown
    assert "9.99" in shown
    assert "0000001000" not in shown
    assert "(and 234 more statements: --json and --out have all of them)" in shown
    assert parquet.read_table(tmp_path / "out" / "statements.parquet").num_rows == count
