"""AEB43: what each record says, and what damage does to it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.parsers.columns import n43, n43_file, placed
from tests.parsers.reading import codes, entries, read, refusal


def test_an_entry_with_everything(tmp_path: Path) -> None:
    body = n43(
        -2_500, "TRANSFERENCIA EMITIDA A PROVEEDOR NUEV".ljust(38) + "O SL FACTURA 2026/0417",
        "SEGUNDA LINEA", document="0000004711", ref1="000975737917", ref2="CONTRATO 88",
        valued="261119",
    )  # fmt: skip
    body.append(placed(80, {1: "2401840", 8: f"{2_750:014}"}))
    parsed = read(tmp_path, n43_file(*body, closing=7_500))
    assert codes(parsed) == []
    statement = parsed.tables.statements.to_pylist()[0]
    assert (statement["format"], parsed.format) == ("AEB43", "AEB43")
    assert (statement["account_id"], statement["currency"]) == ("999900010123456789", "EUR")
    assert statement["owner_name"] == "NORDLICHT SL"
    balances = [(b["code"], b["amount"], str(b["on"])) for b in parsed.tables.balances.to_pylist()]
    assert balances == [
        ("OPBD", Decimal(100), "2026-11-20"), ("CLBD", Decimal(75), "2026-11-20"),
    ]  # fmt: skip
    (entry,) = entries(parsed)
    assert (entry["amount"], str(entry["valued_on"])) == (Decimal(-25), "2026-11-19")
    assert (entry["entry_ref"], entry["code_proprietary"]) == ("0000004711", "04+016")
    assert entry["d_reference"] == "000975737917 CONTRATO 88"
    assert (entry["d_original_amount"], entry["d_original_currency"]) == (Decimal("-27.5"), "USD")
    assert entry["narrative"] == (
        "TRANSFERENCIA EMITIDA A PROVEEDOR NUEVO SL FACTURA 2026/0417 SEGUNDA LINEA"
    )


CURRENCIES = """
978 | EUR -
840 | USD -
012 | DZD -
EUR | EUR -
123 | 123 CURRENCY_UNKNOWN
XXX | XXX CURRENCY_UNKNOWN
"""


@pytest.mark.parametrize("line", CURRENCIES.strip().splitlines())
def test_currency_by_number(tmp_path: Path, line: str) -> None:
    number, _, wanted = line.partition(" | ")
    parsed = read(tmp_path, n43_file(*n43(5), closing=10_005, currency=number))
    found = parsed.tables.statements["currency"].to_pylist()[0]
    assert f"{found} {' '.join(codes(parsed)) or '-'}" == wanted


def test_identical_rows_are_two_entries(tmp_path: Path) -> None:
    body = n43(-300, "COMISION") + n43(-300, "COMISION")
    parsed = read(tmp_path, n43_file(*body, closing=9_400))
    assert codes(parsed) == []
    ids = parsed.tables.entries["entry_id"].to_pylist()
    assert len(set(ids)) == 2
    assert read(tmp_path, n43_file(*body, closing=9_400)).tables.entries[
        "entry_id"
    ].to_pylist() == ids  # fmt: skip


@pytest.mark.parametrize("mark", ["1", "2"])
@pytest.mark.parametrize("counted", ["1", "2", "neither"])
def test_zero_rows_may_be_counted_on_either_side(tmp_path: Path, mark: str, counted: str) -> None:
    text = n43_file(*n43(-100), *n43(0, mark=mark), *n43(100))
    old = "00002" if mark == "1" else "00001"
    debits, credits = 1 + (counted == "1"), 1 + (counted == "2")
    head, tail = text.split("\r\n33")
    assert tail[18:23] == old
    tail = tail[:18] + f"{debits:05}" + tail[23:37] + f"{credits:05}" + tail[42:]
    parsed = read(tmp_path, f"{head}\r\n33{tail}")
    assert codes(parsed) == []
    assert [e["amount"] for e in entries(parsed)] == [Decimal(-1), Decimal(0), Decimal(1)]


def test_byte_order_mark_accents_and_stripped_lines(tmp_path: Path) -> None:
    content = n43_file(*n43(-300, "COMISIÓN AÑO"), closing=9_700)
    assert codes(read(tmp_path, content.encode("utf-8-sig"))) == []
    assert codes(read(tmp_path, content.encode("utf-16"))) == []
    parsed = read(tmp_path, content.encode("latin-1"))
    assert codes(parsed) == ["TEXT_ENCODING"]
    assert entries(parsed)[0]["narrative"] == "COMISIÓN AÑO"
    bare = "\n".join(line.rstrip() for line in content.splitlines()) + "\n\x1a"
    assert codes(read(tmp_path, bare)) == []
    unbroken = read(tmp_path, content.replace("\r\n", ""))
    assert codes(unbroken) == []
    assert entries(unbroken)[0]["amount"] == Decimal(-3)


def test_several_accounts_and_files_in_one(tmp_path: Path) -> None:
    first = n43_file(*n43(5), closing=10_005, end=False)
    second = n43_file(*n43(-5), closing=9_995, account="999900020123456789", count=8)
    parsed = read(tmp_path, first + second.replace("000008", "000006"))
    assert codes(parsed) == []
    assert len(set(parsed.tables.statements["account_id"].to_pylist())) == 2
    joined = n43_file(*n43(5), closing=10_005) + n43_file(*n43(7), opening=10_005, closing=10_012)
    assert codes(read(tmp_path, joined)) == []


def test_overdrawn_and_cancelled(tmp_path: Path) -> None:
    body = n43(-300, concept="98016")
    parsed = read(tmp_path, n43_file(*body, opening=-100, closing=-400))
    assert codes(parsed) == []
    amounts = parsed.tables.balances["amount"].to_pylist()
    assert amounts == [Decimal(-1), Decimal(-4)]
    assert entries(parsed)[0]["reversal"] is True


_ONE, _TWO = n43(-300, "COMISION"), n43(500, "INGRESO")
_BOTH = n43_file(*_ONE, *_TWO, closing=10_200)
DAMAGE = {
    # name: text to replace, by what, findings, is the statement incomplete
    "no mark": ("0401610000000000030", "0401670000000000030",
                ["ENTRY_UNREADABLE", "RECORD_LOST", "TOTAL_MISMATCH", "TOTAL_MISMATCH",
                 "BALANCE_MISMATCH"], True),
    "no amount": ("00000000000300", "0000000000X300",
                  ["ENTRY_UNREADABLE", "RECORD_LOST", "TOTAL_MISMATCH", "TOTAL_MISMATCH",
                   "BALANCE_MISMATCH"], True),
    "no such day": ("0001261120", "0001261131", ["DATE_MALFORMED", "DATE_MISSING"], False),
    "no record": ("2301COMISION", "7701COMISION", ["RECORD_UNKNOWN"], True),
    "wrong total": ("0000100000000000500", "0000100000000000700", ["TOTAL_MISMATCH"], False),
    "wrong count": ("0000100000000000500", "0000200000000000500", ["TOTAL_MISMATCH"], False),
    "wrong closing": ("200000000010200978", "200000000010201978", ["BALANCE_MISMATCH"], False),
    "no closing mark": ("200000000010200978", "000000000010200978",
                        ["BALANCE_SIGN_MISSING"], False),
    "no closing": ("200000000010200978", "2000000000X0200978",
                   ["BALANCE_UNREADABLE", "BALANCE_MISSING"], True),
    "another account": ("3399990001", "3399990002", ["STATEMENT_DOUBTFUL"], False),
    "another currency": ("10200978", "10200840", ["STATEMENT_DOUBTFUL"], False),
    "records": ("9999000006", "9999000009", ["TOTAL_MISMATCH"], False),
    "records with 88": ("9999000006", "9999000007", [], False),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_one_bad_record_is_isolated(tmp_path: Path, name: str) -> None:
    old, new, wanted, incomplete = DAMAGE[name]
    assert old in _BOTH
    parsed = read(tmp_path, _BOTH.replace(old, new, 1))
    assert codes(parsed) == wanted
    assert parsed.tables.statements["incomplete"].to_pylist() == [incomplete]
    for finding in parsed.tables.findings:
        assert "line " in finding.where
        assert finding.remedy


def test_original_amount_in_the_accounts_own_currency(tmp_path: Path) -> None:
    again = placed(80, {1: "2401978", 8: f"{100:014}"})
    parsed = read(tmp_path, n43_file(*_ONE, again, closing=9_700))
    assert codes(parsed) == ["ORIGINAL_CURRENCY"]
    assert entries(parsed)[0]["d_original_amount"] is None


_LINES = _BOTH.splitlines(keepends=True)
REFUSED = {
    "no 88": ("".join(_LINES[:-1]), "AEB43_TRUNCATED"),
    "a cut 88": (_BOTH.rstrip()[:-1], "AEB43_TRUNCATED"),
    "no 33": ("".join(_LINES[:-2] + _LINES[-1:]), "AEB43_TRUNCATED"),
    "a second 11": (_LINES[0] + _BOTH, "AEB43_STRUCTURE"),
    "an entry behind 33": ("".join([*_LINES[:-1], *_LINES[1:]]), "AEB43_STRUCTURE"),
    "an account behind 88": (_BOTH + _LINES[0], "AEB43_TRUNCATED"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_broken_envelopes_are_refused(tmp_path: Path, name: str) -> None:
    content, code = REFUSED[name]
    assert refusal(tmp_path, content).code == code
