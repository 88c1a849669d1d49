"""``tieout parse`` on payment files and status reports: JSON, the tables for people, Parquet."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from tests.parsers.pain import report, sent, transaction, transfer
from tests.parsers.reading import SAMPLES
from tieout.canonical import PAYMENTS, STATUSES
from tieout.commands import parse


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    parse.add(parser.add_subparsers(required=True))
    args = parser.parse_args(["parse", *arguments])
    code = args.run(args)
    assert isinstance(code, int)
    return code


def _json(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_payments_and_statuses_stand_beside_statements(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(SAMPLES / n) for n in ("pain001_v09.xml", "pain002_part.xml", "batch_v08.xml")]
    assert _run(*files, "--json") == 0
    sent_, said, statement = _json(capsys)
    start = ["file", "sha256", "format", "statements"]
    assert list(sent_) == [*start, "payments", "findings"]
    assert list(said) == [*start, "statuses", "findings"]
    assert list(statement) == [*start, "findings"]
    assert (sent_["statements"], said["statements"]) == ([], [])
    assert set(sent_["payments"][0]) == set(PAYMENTS.names)
    assert set(said["statuses"][0]) == {*STATUSES.names, "status_text", "reason_text"}
    assert [p["amount"] for p in sent_["payments"]] == ["1160.64", "1500.50", "0.005", "500.00"]
    rejected = said["statuses"][3]
    assert (rejected["status"], rejected["status_text"]) == ("RJCT", "rejected")
    assert (rejected["reason"], rejected["reason_text"]) == ("AC04", "account closed")
    assert rejected["original_amount"] == "1500.50"
    assert said["statuses"][0]["status_counts"] == [
        {"status": "ACSP", "count": 3, "sum": "1660.645"},
        {"status": "RJCT", "count": 1, "sum": "1500.50"},
    ]
    assert said["statuses"][2]["accepted_at"] == "2026-11-20T08:01:02Z"


def test_a_refused_report_keeps_its_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut"
    cut.write_text(report(group="<GrpSts>RJCT</GrpSts>")[:-5])
    assert _run(str(cut), "--json") == 1
    (found,) = _json(capsys)
    assert (found["statements"], found["statuses"]) == ([], [])
    assert found["findings"][0]["code"] == "XML_TRUNCATED"


def test_parquet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(SAMPLES / n) for n in ("pain001_v09.xml", "pain001_old.xml", "pain002_part.xml")]
    assert _run(*files, "--json", "--out", str(tmp_path)) == 0
    capsys.readouterr()
    for name, schema, rows in (("payments", PAYMENTS, 5), ("statuses", STATUSES, 5)):
        table = parquet.read_table(tmp_path / f"{name}.parquet")
        assert (table.schema, table.num_rows) == (schema, rows), name


def test_tables_for_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    payment = tmp_path / "payments"
    payment.write_text(sent(transfer(more="<Cdtr><Nm>[bold]Ma\u202ex</Nm></Cdtr>")))
    status = tmp_path / "statuses"
    reason = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"
    inside = f"<PmtInfSts>RJCT</PmtInfSts>{reason}{transaction('')}"
    status.write_text(report(inside))
    assert _run(str(payment), str(status)) == 0
    shown = capsys.readouterr().out
    assert "[bold]Ma\ufffdx" in shown
    assert "1.00" in shown
    assert "AC04: account closed" in shown
    assert "RJCT: rejected" in shown
    assert "(as its payment info)" in shown
    assert "STATUS_INHERITED" in shown
    assert "opening" not in shown, "no table of statements where there are none"
