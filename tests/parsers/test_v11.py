"""ISR files (v11): what each record says, what totals prove, and what damage does."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import parsers
from parsers import v11
from tests.parsers.columns import n43, n43_file
from tests.parsers.isr import ACCOUNT, isr, isr_total, long_isr, long_total, ref
from tests.parsers.reading import SAMPLES, codes, entries, read, refusal
from tieout.commands.parse import as_json
from tieout.errors import InputError

_WRONG = ref(4711)[:-1] + str((int(ref(4711)[-1]) + 1) % 10)
_GOOD = isr(12_550) + isr(4_000, ref=ref(4712), price="0000") + isr_total(16_550, 2, 90)


def test_a_credit_with_everything(tmp_path: Path) -> None:
    parsed = read(tmp_path, _GOOD)
    assert (parsed.format, codes(parsed)) == ("v11 type 3", [])
    (statement,) = parsed.tables.statements.to_pylist()
    assert (statement["account_id"], statement["account_scheme"]) == (ACCOUNT, "other")
    assert (statement["kind"], statement["currency"]) == ("notification", "CHF")
    assert statement["created_at"].date() == date(2026, 11, 20)
    assert (statement["entry_count"], statement["incomplete"]) == (2, False)
    first, second = entries(parsed)
    assert (first["amount"], first["currency"]) == (Decimal("125.50"), "CHF")
    assert (first["booked_on"], first["valued_on"]) == (date(2026, 11, 20), date(2026, 11, 21))
    assert (first["status"], first["reversal"]) == ("booked", False)
    assert (first["code_proprietary"], first["entry_ref"]) == ("002", "0007  0007")
    assert (first["d_reference"], first["d_reference_type"]) == (ref(4711), "ISR")
    assert (first["d_amount"], first["d_charges"]) == (Decimal("125.50"), Decimal("-0.90"))
    assert (first["d_transaction_id"], second["d_charges"]) == ("000000010", None)


def test_type_4(tmp_path: Path) -> None:
    euro = {"account": "030004711", "currency": "EUR"}
    content = (
        long_isr(12_550)
        + long_total(12_550, 1, 90)
        + long_isr(700, price="EUR000000", code="211", **euro)
        + long_isr(200, price="CHF000015", code="212", **euro)
        + long_total(500, 2, 15, **euro)
    )
    parsed = read(tmp_path, content)
    assert parsed.format == "v11 type 4"
    assert codes(parsed) == []
    statements = parsed.tables.statements.to_pylist()
    assert [(s["currency"], s["entry_count"], s["incomplete"]) for s in statements] == [
        ("CHF", 1, False),
        ("EUR", 2, False),
    ]
    first, second, third = entries(parsed)
    assert (first["booked_on"], first["valued_on"]) == (date(2026, 11, 20), date(2026, 11, 21))
    assert first["entry_ref"] == "000420261120003141592653000000001"
    assert (second["amount"], third["amount"]) == (Decimal(7), Decimal(-2))
    assert (third["reversal"], third["d_charges"]) == (True, None)  # charged in another currency


SIGNS = """
# type 3: code, cents | amount
002 1000 | 10.00
012 1000 | 10.00
102 1000 | 10.00
112 1000 | 10.00
008 1000 | 10.00
005 1000 | -10.00
115 1000 | -10.00
104 1000 | -10.00
"""


@pytest.mark.parametrize("line", [t for t in SIGNS.strip().splitlines() if t[0] != "#"])
def test_signs(tmp_path: Path, line: str) -> None:
    (code, cents), _, wanted = line.partition(" | ")[0].split(), "", line.partition(" | ")[2]
    money_out = wanted.startswith("-")
    end = isr_total(int(cents), 1, 90, code="995" if money_out else "999")
    parsed = read(tmp_path, isr(int(cents), code=code) + end)
    assert (parsed.format, codes(parsed)) == ("v11 type 3", [])
    (entry,) = entries(parsed)
    assert (entry["amount"], entry["reversal"]) == (Decimal(wanted), money_out)


_BACK = isr(500, code="005", price="0000")
TOTALS: dict[str, tuple[str, int]] = {
    # name: records, notifications; the count and sum of each is proven
    "reversal taken from the total": (isr(900) + _BACK + isr_total(400, 2, 90), 1),
    "a total for each sign": (
        isr(900) + _BACK + isr_total(900, 1, 90) + isr_total(500, 1, code="995"), 1,
    ),
    "a total behind each sign": (
        isr(900) + isr_total(900, 1, 90) + _BACK + isr_total(500, 1, code="995"), 2,
    ),
    "nothing paid": (isr_total(0, 0), 1),
    "two participants mixed": (
        isr(900) + isr(100, account="030004711") + isr(50)
        + isr_total(950, 2, 180) + isr_total(100, 1, 90, account="030004711"), 2,
    ),
    "126 columns": (
        isr(900).replace("\r\n", " " * 26 + "\r\n") + isr_total(900, 1, 90).strip().ljust(126), 1,
    ),
    "no line ends": ((isr(900) * 3 + isr_total(2_700, 3, 270)).replace("\r\n", ""), 1),
    "empty lines": (("\r\n" + isr(900) + "\n\n" + isr_total(900, 1, 90) + "\x1a"), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", TOTALS)
def test_totals_that_agree(tmp_path: Path, name: str) -> None:
    content, notifications = TOTALS[name]
    parsed = read(tmp_path, content)
    assert codes(parsed) == []
    statements = parsed.tables.statements.to_pylist()
    assert len(statements) == notifications
    assert not any(s["incomplete"] for s in statements)
    assert sum(s["entry_count"] for s in statements) == parsed.tables.entries.num_rows


def test_a_quiet_day_and_another_are_two_notifications(tmp_path: Path) -> None:
    ids = set()
    for content in (_GOOD, isr(1) + isr_total(1, 1, 90), _GOOD.replace("261120", "261123")):
        ids |= set(read(tmp_path, content).tables.statements["statement_id"].to_pylist())
    assert len(ids) == 3


DAMAGE: dict[str, tuple[str, list[str], list[bool], int]] = {
    # name: content, findings, incomplete, entries
    "no amount": (
        isr("00000X2550") + isr(4_000) + isr_total(16_550, 2, 180),
        ["ENTRY_UNREADABLE", "TOTAL_MISMATCH"], [True], 1,
    ),
    "no record": (
        isr(900) + "RUBBISH\r\n" + isr_total(900, 1, 90), ["RECORD_UNKNOWN"], [True], 1,
    ),
    "unknown code": (
        isr(900) + isr(100, code="777") + isr_total(1_000, 2, 180),
        ["RECORD_UNKNOWN", "TOTAL_MISMATCH"], [True], 1,
    ),
    "one too few": (isr(900) + isr_total(1_000, 2, 90), ["TOTAL_MISMATCH"], [True], 1),
    "other sum": (isr(900) + isr_total(901, 1, 90), ["TOTAL_MISMATCH"], [True], 1),
    "other prices": (isr(900) + isr_total(900, 1, 91), ["TOTAL_MISMATCH"], [False], 1),
    "unreadable total": (
        isr(900) + isr_total(900, 1, 90).replace("000000000900", "00000000X900"),
        ["TOTAL_MISMATCH"], [True], 1,
    ),
    "wrong check digit": (
        isr(900, ref=_WRONG) + isr_total(900, 1, 90), ["REFERENCE_CHECK"], [False], 1,
    ),
    "no such day": (
        isr(900) + isr(100, dates="261119260230261121") + isr_total(1_000, 2, 180),
        ["DATE_MALFORMED"], [False], 2,
    ),
    "price of letters": (
        isr(900, price="00X0") + isr_total(900, 1), ["CHARGES_MALFORMED"], [False], 1,
    ),
    "a second head": (isr(900) + isr_total(900, 1, 90) + "\r\nBEHIND\r\n" + _GOOD,
                      ["RECORD_UNKNOWN"], [False, True], 3),
    "unknown currency": (
        isr(900, account="170004711") + isr_total(900, 1, 90, account="170004711"),
        ["CURRENCY_UNKNOWN"], [False], 1,
    ),
    "text behind": (
        isr(900).strip() + " MORE\r\n" + isr_total(900, 1, 90), ["TEXT_TRAILING"], [False], 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_one_bad_record_is_isolated(tmp_path: Path, name: str) -> None:
    content, wanted, incomplete, count = DAMAGE[name]
    parsed = read(tmp_path, content)
    assert codes(parsed) == wanted
    assert parsed.tables.statements["incomplete"].to_pylist() == incomplete
    assert parsed.tables.entries.num_rows == count
    for finding in parsed.tables.findings:
        assert "line " in finding.where and finding.remedy
    raw = [f for f in parsed.tables.findings if f.code.endswith(("UNREADABLE", "UNKNOWN"))]
    assert all("'" in f.message or "participant" in f.message for f in raw)


def test_a_wrong_reference_stays_as_it_is(tmp_path: Path) -> None:
    (entry,) = entries(read(tmp_path, isr(900, ref=_WRONG) + isr_total(900, 1, 90)))
    assert (entry["d_reference"], entry["d_reference_type"]) == (_WRONG, "ISR")
    (entry,) = entries(read(tmp_path, isr(900, ref="0" * 27) + isr_total(900, 1, 90)))
    assert (entry["d_reference"], entry["d_reference_type"]) == (None, None)


REFUSED = {
    "no total": isr(900),
    "a cut total": _GOOD.strip()[:-1],
    "another participant's total": isr(900) + isr_total(0, 0, account="010000018"),
    "records behind the total": _GOOD + isr(900),
    "a cut record behind the total": _GOOD + isr(900)[:40],
    "only the reversals' total": isr(900) + _BACK + isr_total(500, 1, code="995"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_without_its_total_a_file_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, REFUSED[name]).code == "V11_TRUNCATED"


def _facts(path: Path) -> dict[str, Any]:
    found = as_json(Path("x"), parsers.read_file(path))
    for statement in found["statements"]:
        statement["file_id"] = ""
    return {"statements": found["statements"], "findings": found["findings"]}


#: Of the second, the end of its first notification: the format has no end mark.
@pytest.mark.parametrize(("name", "wholes"), [("counter.v11", 0), ("two_currencies.v11", 1)])
def test_no_cut_is_read_in_silence(tmp_path: Path, name: str, wholes: int) -> None:
    content = (SAMPLES / name).read_bytes()
    path, whole, silent = tmp_path / "cut", _facts(SAMPLES / name), []
    for at in range(len(content)):
        path.write_bytes(content[:at])
        try:
            found = _facts(path)
        except InputError as error:
            assert error.code != "READER_FAILED", (at, error)
            assert error.where and error.remedy, (at, error)
            continue
        if found["statements"] != whole["statements"]:
            silent.append(at)
    groups = [content[:at].rstrip().count(b"\n") for at in silent]
    assert len(set(groups)) == wholes
    assert all(content[:at].rstrip().splitlines()[-1][:2] in (b"98", b"99") for at in silent)


BOMBS = {
    "line": isr(900) + "002" + "1" * 12_000_000,
    "no total": isr(1) * 50_000,
    "unbroken": (isr(1) * 50_000).replace("\r\n", ""),
    "participants": "".join(isr(1, account=f"{n:09}") for n in range(20_000)),
    "rubbish": _GOOD + "RUBBISH\r\n" * 50_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_quickly(tmp_path: Path, name: str) -> None:
    started = time.process_time()
    refusal(tmp_path, BOMBS[name])
    assert time.process_time() - started < 10


HEADS = {
    _GOOD: "v11 type 3",
    "\r\n" + _GOOD: "v11 type 3",
    isr_total(0, 0): "v11 type 3",
    isr(1, code="112"): "v11 type 3",
    long_isr(1): "v11 type 4",
    long_total(0, 0): "v11 type 4",
    n43_file(*n43(5), closing=10_005): "AEB43",
    "0" * 100: None,
    "9" * 87: None,
    "002" + "2" * 97: None,
    isr(1, dates="261319261120261121"): None,
}


@pytest.mark.parametrize(("head", "wanted"), HEADS.items())
def test_identification_is_by_content(head: str, wanted: str | None) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        raw = head.encode(encoding)
        assert v11.identify(raw) == (wanted if wanted and wanted.startswith("v11") else None)
        assert parsers.identify(raw) == wanted
