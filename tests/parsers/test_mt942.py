"""Quirks of MT942, one a case; what it shares with MT940 is tested there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.parsers.reading import codes, entries, mt, read, refusal

_HEAD = (":20:REF", ":25:11112222/333", ":28C:1/1")


def mt942(*lines: str, end: str = "-") -> str:
    """A whole report around lines of its body; the floor limit is its first line, if any."""
    return "".join(line + "\r\n" for line in [*_HEAD, *lines, *([end] if end else [])])


# floor limits | currency | findings
FLOORS = """
:34F:PLN0                       | PLN  |
:34F:EUR0,                      | EUR  |
:34F:NZDC0,                     | NZD  |
:34F:EURD0,00 :34F:EURC0,00     | EUR  |
:34F:EURD10, :34F:EURC0,        | EUR  | FLOOR_LIMIT
:34F:USD123,                    | USD  | FLOOR_LIMIT
:34F:EURD1, :34F:USDC0,         | EUR  | FLOOR_LIMIT CURRENCY_DIFFERS
:34F:EURX0,                     | EUR  | FLOOR_UNREADABLE
:34F:                           | EUR  | FLOOR_UNREADABLE
                                | EUR  |
"""


@pytest.mark.parametrize("case", FLOORS.strip("\n").splitlines())
def test_floor_limit(tmp_path: Path, case: str) -> None:
    lines, currency, findings = (cell.strip() for cell in case.split("|"))
    sums = [] if currency not in ("EUR",) else [":90D:1EUR5,"]
    parsed = read(
        tmp_path, mt942(*lines.split(), ":13D:2611201015+0100", ":61:261120D5,NMSC", *sums)
    )
    (row,) = parsed.tables.statements.to_pylist()
    assert (row["kind"], row["format"], row["currency"]) == ("intraday", "MT942", currency)
    assert parsed.tables.entries["currency"].to_pylist() == [currency]
    assert parsed.tables.details["currency"].to_pylist() == [currency]
    assert codes(parsed) == findings.split()


# :13D: | made at (UTC) | findings
MOMENTS = """
:13D:2611201015+0100   | 2026-11-20 09:15 |
:13D:2611202359-0500   | 2026-11-21 04:59 |
:13D:9912312300+0000   | 1999-12-31 23:00 |
:13:2611201015         | 2026-11-20 10:15 |
:13D:2613201015+0100   | None             | DATE_MALFORMED
:13D:noon              | None             | DATE_MALFORMED
"""


@pytest.mark.parametrize("case", MOMENTS.strip().splitlines())
def test_moment(tmp_path: Path, case: str) -> None:
    line, made, findings = (cell.strip() for cell in case.split("|"))
    parsed = read(tmp_path, mt942(":34F:EUR0,", line))
    (row,) = parsed.tables.statements.to_pylist()
    wanted = None if made == "None" else datetime.fromisoformat(made).replace(tzinfo=UTC)
    assert (row["created_at"], row["to_at"]) == (wanted, wanted)
    assert codes(parsed) == findings.split()


# marks of entries of 10 | amounts | statuses
MARKS = """
C D          | 10 -10     | booked booked
RC RD        | -10 10     | booked booked
EC ED        | 10 -10     | future future
ECR EDR CN   | 10 -10 10  | future future booked
"""


@pytest.mark.parametrize("case", MARKS.strip().splitlines())
def test_marks(tmp_path: Path, case: str) -> None:
    marks, amounts, statuses = (cell.split() for cell in case.split("|"))
    lines = (f":61:261120{mark}10,NTRFNONREF" for mark in marks)
    parsed = read(tmp_path, mt942(":34F:EUR0,", *lines))
    found = entries(parsed)
    assert [row["amount"] for row in found] == [Decimal(a) for a in amounts]
    assert [row["status"] for row in found] == statuses
    assert [row["reversal"] for row in found] == [mark[0] == "R" for mark in marks]


def test_an_expected_entry_is_not_booked_on_its_value_date(tmp_path: Path) -> None:
    lines = (":61:261123EC9,NTRFNONREF", ":61:2611231124EC9,NTRFNONREF", ":61:261123C9,NTRF")
    found = entries(read(tmp_path, mt942(":34F:EUR0,", *lines)))
    assert [row["booked_on"] for row in found] == [None, date(2026, 11, 24), date(2026, 11, 23)]


# entries of 10 | sums | findings
SUMS = """
C C D        | 90D:1EUR10, 90C:2EUR20,      |
C C D        | 90C:2EUR20, 90D:1EUR10,      |
C            | 90D:0EUR0, 90C:1EUR10,       |
C            | 90C:1EUR10,                  |
C RC         | 90D:1EUR10, 90C:1EUR10,      |
C RC         | 90D:0EUR0, 90C:2EUR20,       |
C EC         | 90C:1EUR10,                  |
C EC         | 90C:2EUR20,                  |
C C          | 90C:3EUR30,                  | SUM_MISMATCH
C C          | 90C:2EUR20,01                | SUM_MISMATCH
C D          | 90D:0EUR0, 90C:0EUR0,        | SUM_MISMATCH SUM_MISMATCH
C            | 90C:1USD10,                  | CURRENCY_DIFFERS
C            | 90C:one                      | SUM_UNREADABLE
             | 90D:0EUR0, 90C:0EUR0,        |
"""


@pytest.mark.parametrize("case", SUMS.strip("\n").splitlines())
def test_counts_and_sums(tmp_path: Path, case: str) -> None:
    marks, sums, findings = (cell.split() for cell in case.split("|"))
    lines = [f":61:261120{mark}10,NTRFNONREF" for mark in marks]
    parsed = read(tmp_path, mt942(":34F:EUR0,", *lines, *(f":{total}" for total in sums)))
    assert codes(parsed) == findings
    assert all(f.where.startswith("line ") for f in parsed.tables.findings)


def test_text_behind_the_sums_is_about_the_report(tmp_path: Path) -> None:
    lines = (":61:261120C1,NMSC", ":86:THE ENTRY", ":90C:1EUR1,", ":86:THE REPORT", "GOES ON")
    parsed = read(tmp_path, mt942(":34F:EUR0,", *lines))
    assert parsed.tables.statements["narrative"].to_pylist() == ["THE REPORT\nGOES ON"]
    assert parsed.tables.entries["narrative"].to_pylist() == ["THE ENTRY"]


def test_a_dash_or_a_time_inside_text_is_text(tmp_path: Path) -> None:
    lines = (":61:261120C1,NMSC", ":86:ONE", "-", "-TWO", ":20:44:45", ":61:261120C2,NMSC")
    found = entries(read(tmp_path, mt942(":34F:EUR0,", *lines)))
    assert [row["narrative"] for row in found] == ["ONE\n-\n-TWO\n:20:44:45", None]


def test_currency_from_the_account_or_from_the_sums(tmp_path: Path) -> None:
    lines = (":13D:2611201015+0100", ":61:261120C1,NMSC")
    for text in (
        mt942(*lines).replace("/333", "/333 CHF"),
        mt942(*lines, ":90C:1CHF1,"),
    ):
        parsed = read(tmp_path, text)
        assert parsed.tables.statements["currency"].to_pylist() == ["CHF"]
        assert parsed.tables.entries["currency"].to_pylist() == ["CHF"]
        assert codes(parsed) == []
    assert codes(read(tmp_path, mt942(*lines))) == ["CURRENCY_MISSING"]


def test_unusual_transaction_type(tmp_path: Path) -> None:
    (found,) = entries(read(tmp_path, mt942(":34F:EUR0,", ":61:261120D0,42MCI0NONREF//0550")))
    assert (found["amount"], found["swift_type"]) == (Decimal("-0.42"), "MCI0")
    assert (found["entry_ref"], found["bank_ref"]) == (None, "0550")


# how the file ends | refused, or findings
ENDS = """
:90D:0EUR0, :90C:1EUR1, -      |
:90D:0EUR0, :90C:1EUR1,        | MT_NOT_TERMINATED
:90C:1EUR1,                    | MT_NOT_TERMINATED
-                              |
-}                             |
                               | refused
:86:TEXT                       | refused
:90C:1                         | refused
:9                             | refused
"""


@pytest.mark.parametrize("case", ENDS.strip("\n").splitlines())
def test_the_end_must_show(tmp_path: Path, case: str) -> None:
    lines, findings = (cell.split() for cell in case.split("|"))
    text = mt942(":34F:EUR0,", ":61:261120C1,NMSC", *lines, end="")
    if findings == ["refused"]:
        assert refusal(tmp_path, text).code == "MT_TRUNCATED"
    else:
        assert codes(read(tmp_path, text)) == findings


def test_a_dash_at_the_very_end_may_be_a_cut_line(tmp_path: Path) -> None:
    text = mt942(":34F:EUR0,", ":61:261120C1,NMSC", ":86:ONE", "-TWO", ":90C:1EUR1,")
    cut = text[: text.index("-TWO") + 1]
    assert codes(read(tmp_path, cut)) == ["MT_END_UNSURE"]
    assert codes(read(tmp_path, text.rstrip())) == []


def test_one_bad_line_is_said_with_its_text_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = (":61:261120C1,NMSC", ":61:26112", ":86:X", ":61:261120C2,NMSC", ":90C:3EUR4,")
    parsed = read(tmp_path, mt942(":34F:EUR0,", *lines))
    assert parsed.tables.entries["ordinal"].to_pylist() == [1, 3]
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    assert codes(parsed) == ["ENTRY_UNREADABLE", "SUM_MISMATCH"]
    assert parsed.tables.findings[0].where == "line 6 :61:"
    assert "26112" in parsed.tables.findings[0].message


def test_reports_and_statements_in_one_file(tmp_path: Path) -> None:
    one = mt942(":34F:EUR0,", ":61:261120C1,NMSC", ":90C:1EUR1,", end="")
    parsed = read(tmp_path, one + mt942(":34F:EUR0,") + mt())
    assert parsed.format == "MT942"
    assert parsed.tables.statements["kind"].to_pylist() == ["intraday", "intraday", "booked"]
    assert parsed.tables.statements["format"].to_pylist() == ["MT942", "MT942", "MT940"]
    assert read(tmp_path, mt() + one + "-\r\n").format == "MT940"


def test_the_envelope_decides(tmp_path: Path) -> None:
    blocks = "{1:F01TESTDEFFAXXX0000000000}{2:O9421200261120TESTDEFFAXXX00N}{4:\r\n"
    parsed = read(tmp_path, blocks + mt942(":61:261120C1,NMSC", end="-}"))
    assert parsed.tables.statements["kind"].to_pylist() == ["intraday"]
    parted = blocks.replace("}{", "}\r\n{")
    assert read(tmp_path, parted + mt942(":61:261120C1,NMSC", end="-}")).format == "MT942"


FRAGMENTS = """
:34F:EURC47,11        | FLOOR_LIMIT MT_FRAGMENT MT_NOT_TERMINATED
:13D:1712290540+0100  | MT_FRAGMENT CURRENCY_MISSING MT_NOT_TERMINATED
:90D:0EUR0,           | MT_FRAGMENT MT_NOT_TERMINATED
"""


@pytest.mark.parametrize("case", FRAGMENTS.strip().splitlines())
def test_a_single_field_is_an_incomplete_report(tmp_path: Path, case: str) -> None:
    text, findings = (cell.strip() for cell in case.split("|"))
    parsed = read(tmp_path, text)
    assert parsed.format == "MT942"
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    assert codes(parsed) == findings.split()
