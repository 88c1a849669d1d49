"""Quirks of BAI2, one a case."""

from __future__ import annotations

import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers import Parsed, _bai_account, identify
from tests.parsers.reading import SAMPLES, codes, entries, read, refusal

GROUP = "02,ME,BANK,1,261120,,USD,2/"


def bai(*lines: str, account: str = "445566,USD", header: str = "BANK,ME,261121,0600,1,,,2") -> str:
    """A whole file around the lines of one account; the trailers state nothing."""
    body = (f"01,{header}/", GROUP, f"03,{account}/", *lines, "49,,/", "98,,,/", "99,,,/")
    return "".join(line + "\n" for line in body)


def balances(parsed: Parsed) -> list[tuple[str, Decimal]]:
    return [(row["code"], row["amount"]) for row in parsed.tables.balances.to_pylist()]


def shown(parsed: Parsed) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            e["code_proprietary"],
            f"{e['amount'].normalize():f}",
            e["bank_ref"] or "",
            e["entry_ref"] or "",
            (e["narrative"] or "").replace("\n", "~"),
        )
        for e in entries(parsed)
    ]


# 16 record (~ is a line end) -> type | amount | bank reference | customer reference | narrative
DETAILS = """
16,165,1500000,1,DD1620,, DEALER PAYMENTS        -> 165 | 15000   | DD1620 |       | DEALER PAYMENTS
16,165,500,,B,C,A, B/C, D                         -> 165 | 5       | B      | C     | A, B/C, D
16,475,500,Z,B,C,TEXT/                            -> 475 | -5      | B      | C     | TEXT
16,475,500,Z,B,C,TEXT     /                       -> 475 | -5      | B      | C     | TEXT
16,475,500,z,B,C,TEXT/                            -> 475 | -5      | B      | C     | TEXT
16,165,500,0,,,/                                  -> 165 | 5       |        |       |
16,165,500,1/                                     -> 165 | 5       |        |       |
16,165,500/                                       -> 165 | 5       |        |       |
16,165,500,2,B/                                   -> 165 | 5       | B      |       |
16,165,500,S,300,200,0,B,C,TEXT/                  -> 165 | 5       | B      | C     | TEXT
16,165,500,V,261121,0900,B,C,TEXT/                -> 165 | 5       | B      | C     | TEXT
16,165,500,V,261121,,,,TEXT/                      -> 165 | 5       |        |       | TEXT
16,165,500,D,3,0,100,1,200,2,200,B,C,TEXT/        -> 165 | 5       | B      | C     | TEXT
16,165,500,D,0,B,C,TEXT/                          -> 165 | 5       | B      | C     | TEXT
16,165,500,,,,/~88,TEXT A~88,TEXT B/              -> 165 | 5       |        |       | TEXT A~TEXT B
16,165,500,,,,/~88,/TEXT ;/                       -> 165 | 5       |        |       | /TEXT ;
16,165,500,Z,B,C/~88,PLACE, COUNT 4/              -> 165 | 5       | B      | C     | PLACE, COUNT 4
16,165,500,S,300,200,0/~88,B,C,A LTD. BOX~88,MORE -> 165 | 5       | B      | C     | A LTD. BOX~MORE
16,165,500,D,2/~88,0,100,1/~88,400,B,C,TEXT/      -> 165 | 5       | B      | C     | TEXT
16,165,500,,B,C,ONE~88:TWO: 2~88,THREE/           -> 165 | 5       | B      | C     | ONE~TWO: 2~THREE
16,165,500,,B,C,ONE~TWO WITHOUT CODE~88,THREE/    -> 165 | 5       | B      | C     | ONE~TWO WITHOUT CODE~THREE
16,165,500,,B,C,ON 11/16,2026 AND 03,X/           -> 165 | 5       | B      | C     | ON 11/16,2026 AND 03,X
16,165,500,,B,C,ONE/  ~~  ~88,TWO/                -> 165 | 5       | B      | C     | ONE~TWO
16,165,500,,NONREF,0,X/                           -> 165 | 5       |        |       | X
16,165,+00000004060801,,,,/                       -> 165 | 40608.01 |       |       |
16,165,000000000000000000000500,,,,/              -> 165 | 5       |        |       |
16,165,-500,,,,/                                  -> 165 | -5      |        |       |
16,165,500-,,,,/                                  -> 165 | -5      |        |       |
16, 165 , 500 , Z , B , C , TEXT /                -> 165 | 5       | B      | C     | TEXT
  16,165,500,Z,B,C,TEXT/                          -> 165 | 5       | B      | C     | TEXT
16,165,500,V,,,B,C,TEXT/                          -> 165 | 5       | B      | C     | TEXT
16,165,12.50,,,,/                                 -> 165 | 12.5    |        |       |
16,165,0,,,,/                                     -> 165 | 0       |        |       |
16,722,500,,,,/                                   -> 722 | 5       |        |       |
16,760,500,,,,/                                   -> 760 | -5      |        |       |
16,930,500,,,,/                                   -> 930 | 5       |        |       |
16,999,500,,,,/                                   -> 999 | -5      |        |       |
16,399,500,,,,/                                   -> 399 | 5       |        |       |
16,577,500,,,,/                                   -> 577 | -5      |        |       |
16,850,-500,,,,/                                  -> 850 | -5      |        |       |
16,890,,,,,TEXT ONLY/                             -> 890 | 0       |        |       | TEXT ONLY
"""


@pytest.mark.parametrize("case", DETAILS.strip().splitlines())
def test_detail(tmp_path: Path, case: str) -> None:
    record, _, wanted = case.partition("->")
    parsed = read(tmp_path, bai(*record.strip().split("~")))
    assert shown(parsed) == [tuple(cell.strip() for cell in wanted.split("|", 4))]
    (found,) = entries(parsed)
    assert found["booked_on"] == date(2026, 11, 20)
    assert found["valued_on"] == (date(2026, 11, 21) if ",V,2" in record else None)
    assert found["d_amount"] == found["amount"]
    assert found["status"] == ("info" if "16,890" in record else "booked")
    assert parsed.tables.statements["incomplete"].to_pylist() == [False]


# 03 record behind account and currency -> balances
SUMMARIES = """
,010,500,,,015,-300,,                              -> OPBD 5, CLBD -3
,010,500,,/                                        -> OPBD 5
,010,500/                                          -> OPBD 5
,010,500,,,/                                       -> OPBD 5
,010,500,,,045/~88,4626045,,,072,0,,/              -> OPBD 5, CLAV 46260.45, 072 0
,010,500,,,045,/~88,4626045,,,072,0,,/             -> OPBD 5, CLAV 46260.45, 072 0
,010,500,,/~88,015,300,,/~88,040,1,,/              -> OPBD 5, CLBD 3, OPAV 0.01
,010,500,,/~88,,015,300,,/                         -> OPBD 5, CLBD 3
,100,500,1,S,500,0,0,400,300,2,V,261120,,015,1/    -> 100 5, 400 -3, CLBD 0.01
,100,500,1,D,2,0,100,1,400,015,1,,                 -> 100 5, CLBD 0.01
,100,500,00003/~88,V,261120,,400,300,8,V,261120,/  -> 100 5, 400 -3
,015,+00000004060801,,,045,+00000003836014/~88,,,100,+00000001589285/~88,00008,,040,1,,/ -> CLBD 40608.01, CLAV 38360.14, 100 15892.85, OPAV 0.01
,010,500,,,015,60~00,,                             -> OPBD 5, CLBD 60
,706,100,,,708,200,,,901,300,,,850,400,,/          -> 706 1, 708 2, 901 3, 850 4
,010,,,,015,300,,/                                 -> CLBD 3
,/                                                 ->
/                                                  ->
"""


@pytest.mark.parametrize("case", SUMMARIES.strip().splitlines())
def test_summary(tmp_path: Path, case: str) -> None:
    record, _, wanted = case.partition("->")
    lines = f"03,445566,USD{record.strip()}".replace(",USD,/", ",USD/").split("~")
    content = bai().replace("03,445566,USD/", "\n".join(lines))
    parsed = read(tmp_path, content)
    found = ", ".join(f"{code} {amount.normalize():f}" for code, amount in balances(parsed))
    assert found == wanted.strip()
    assert codes(parsed) == []


@pytest.mark.parametrize(
    "record",
    [",010,5X0,,/", ",10,500,,/", ",010,500,,Q/", ",010,500,,D,9,1,1/", ",010,500,x,/", ",abc,5/"],
)
def test_summary_that_cannot_be_told_apart(tmp_path: Path, record: str) -> None:
    parsed = read(tmp_path, bai(account=f"1,USD{record}"[:-1]))
    assert codes(parsed) == ["SUMMARY_UNREADABLE"]
    assert balances(parsed) == []
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]


def test_full_lines_are_joined_without_a_blank(tmp_path: Path) -> None:
    line = "16,165,500,,,," + "PAYMENT OF THE INVOICES OF SEPTEMBER AND OCTOBER TO THE MANUFACT"
    line = line.ljust(80, "X")
    parsed = read(tmp_path, bai(line, "88,URER/"))
    assert entries(parsed)[0]["narrative"].endswith("XURER")
    longer = read(tmp_path, bai(line, "88,URER/", "16,165,500,,,," + "Y" * 90))
    assert entries(longer)[0]["narrative"].endswith("X\nURER")


def test_several_records_on_a_line(tmp_path: Path) -> None:
    apart = bai("16,165,500,Z,B,C,ONE/", "88,TWO/", "16,475,100,Z,,,THREE/")
    for gap in ("", "   ", " \n ", "\r\n"):
        joined = read(tmp_path, apart.replace("/\n", "/" + gap).strip() + "\n")
        assert shown(joined) == [("165", "5", "B", "C", "ONE~TWO"), ("475", "-1", "", "", "THREE")]
        assert codes(joined) == codes(read(tmp_path, apart))


def test_version_3_and_what_may_stand_before_the_header(tmp_path: Path) -> None:
    content = bai("16,165,500,,,,/")
    assert read(tmp_path, content.replace(",2/", ",3/", 1)).format == "BAI3"
    assert read(tmp_path, content.replace(",,,2/", ",80,1,2/", 1)).format == "BAI2"
    assert read(tmp_path, content.replace(",,,2/", "/\n88,,,2/", 1)).format == "BAI2"
    for before in ("\n\n", "\ufeff", "$$ADD ID=X BID='Y'\n"):
        assert read(tmp_path, before + content).format == "BAI2"
    assert read(tmp_path, content.encode("utf-16")).format == "BAI2"
    assert codes(read(tmp_path, "$$ADD ID=X\n" + content))[0] == "TEXT_LEADING"
    unknown = read(tmp_path, content.replace(",,,2/", ",,,/", 1))
    assert codes(unknown)[0] == "BAI_VERSION"
    assert refusal(tmp_path, content.replace(",,,2/", ",,,1/", 1)).code == "BAI_VERSION"
    assert identify(b"01,a,b,c,d\n") is None


CURRENCIES = """
USD | ,GBP | GBP | 5
GBP | ,    | GBP | 5
JPY | ,    | JPY | 500
    | ,KWD | KWD | 0.5
    | ,    | USD | 5
    |      | USD | 5
"""


@pytest.mark.parametrize("case", CURRENCIES.strip("\n").splitlines())
def test_currency_and_minor_units(tmp_path: Path, case: str) -> None:
    group, account, currency, amount = (cell.strip() for cell in case.split("|"))
    content = bai("16,165,500,,,,/", account="1" + account).replace("USD,2/", f"{group},2/")
    parsed = read(tmp_path, content)
    (found,) = entries(parsed)
    assert (found["currency"], found["amount"]) == (currency, Decimal(amount))
    assert ("CURRENCY_MISSING" in codes(parsed)) == (
        not group and account != ",GBP" and account != ",KWD"
    )


def test_unknown_currency_is_not_guessed(tmp_path: Path) -> None:
    parsed = read(tmp_path, bai("16,165,500,,,,/", account="1,QQQ"))
    assert codes(parsed)[0] == "CURRENCY_UNKNOWN"
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]


# modifier | summary | kind
KINDS = """
2 | 030,5,,  | booked
4 | 030,5,,  | booked
1 | 015,5,,  | intraday
3 | 015,5,,  | intraday
  | 015,5,,  | booked
  | 030,5,,  | intraday
  | 060,5,,,045,5,, | booked
  | 100,5,,  | booked
"""


@pytest.mark.parametrize("case", KINDS.strip("\n").splitlines())
def test_kind(tmp_path: Path, case: str) -> None:
    modifier, summary, kind = (cell.strip() for cell in case.split("|"))
    content = bai(account=f"1,USD,{summary}").replace("USD,2/", f"USD,{modifier}/")
    assert read(tmp_path, content).tables.statements["kind"].to_pylist() == [kind]


TIMES = """
261120,0815   | 2026-11-20T08:15:00
261120,08:15:30 | 2026-11-20T08:15:30
261120,2400   | 2026-11-20T23:59:59
261120,9999   | 2026-11-20T23:59:59
261120,       | 2026-11-20T23:59:59
20261120,0000 | 2026-11-20T00:00:00
"""


@pytest.mark.parametrize("case", TIMES.strip().splitlines())
def test_as_of(tmp_path: Path, case: str) -> None:
    asked, wanted = (cell.strip() for cell in case.split("|"))
    content = bai("16,165,500,,,,/").replace("1,261120,,", f"1,{asked},")
    parsed = read(tmp_path, content)
    (row,) = parsed.tables.statements.to_pylist()
    assert row["to_at"].isoformat() == wanted + "+00:00"
    assert row["created_at"].isoformat() == "2026-11-21T06:00:00+00:00"
    assert entries(parsed)[0]["booked_on"] == date(2026, 11, 20)


def test_impossible_days(tmp_path: Path) -> None:
    parsed = read(tmp_path, bai("16,165,500,V,260230,,,,X/").replace("261120", "261131"))
    assert codes(parsed)[:2] == ["DATE_MALFORMED", "DATE_MALFORMED"]
    assert entries(parsed)[0]["valued_on"] is None
    assert entries(parsed)[0]["booked_on"] is None
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]


@pytest.mark.parametrize(("status", "stops"), [("1", 0), ("2", 1), ("3", 0), ("4", 1), ("", 0)])
def test_group_status(tmp_path: Path, status: str, stops: int) -> None:
    parsed = read(tmp_path, bai("16,165,500,,,,/").replace("BANK,1,", f"BANK,{status},"))
    assert parsed.tables.statements["incomplete"].to_pylist() == [bool(stops)]
    assert ("BAI_STATUS" in codes(parsed)) == (status in ("2", "3", "4"))


BAD = """
16,165,5X0,,,,/         | '5X0' is no amount
16,165,1E9,,,,/         | '1E9' is no amount
16,165,,,,,/            | '' is no amount
16,1,500,,,,/           | '1' is no type
16,010,500,,,,/         | '010' is no type
16,165,500,D,x,1,1,,,/  | told apart
16,165,500,D,99999,1/   | told apart
16,850,500,,,,/         | no balances prove one
"""


@pytest.mark.parametrize("case", BAD.strip().splitlines())
def test_bad_record_is_isolated_and_the_account_incomplete(tmp_path: Path, case: str) -> None:
    record, _, why = case.partition("|")
    record = record.strip()
    parsed = read(tmp_path, bai("16,165,100,,,,ONE/", record, "16,165,200,,,,TWO/"))
    assert [e["narrative"] for e in entries(parsed)] == ["ONE", "TWO"]
    (finding,) = [f for f in parsed.tables.findings if f.severity == "error"]
    assert (finding.code, finding.where) == ("ENTRY_UNREADABLE", "line 5")
    assert why.strip() in finding.message
    assert record.rstrip("/") in finding.message
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    assert parsed.tables.statements["entry_count"].to_pylist() == [3]


def test_unknown_funds_type_keeps_the_entry(tmp_path: Path) -> None:
    parsed = read(tmp_path, bai("16,165,500,DD7,B,C,TEXT/"))
    assert shown(parsed) == [("165", "5", "B", "C", "TEXT")]
    assert "FUNDS_TYPE_UNKNOWN" in codes(parsed)


# opening, closing | entries (type amount) | signed amounts | findings
SIGNS = """
0,500     | 165 500              | 5       |
0,-500    | 475 500              | -5      |
0,-500    | 475 -500             | -5      | SIGN_PROVED
0,500     | 475 -500             | 5       |
0,-300    | 475 500,475 -200     | -5 2    |
0,-700    | 475 500,475 -200     | -5 -2   | SIGN_PROVED
0,500     | 850 500              | 5       |
0,-500    | 850 500              | -5      | SIGN_PROVED
0,1       | 475 -500             | -5      | SIGN_PROVED BALANCE_MISMATCH
0,1       | 475 500              | -5      | BALANCE_MISMATCH
          | 475 -500,475 -200    | -5 -2   | SIGN_PROVED BALANCE_MISSING
          | 475 -500,475 200     | 5 -2    | BALANCE_MISSING
"""


@pytest.mark.parametrize("case", SIGNS.strip("\n").splitlines())
def test_balances_prove_the_signs(tmp_path: Path, case: str) -> None:
    edges, moves, wanted, found = (cell.strip() for cell in case.split("|"))
    opening, _, closing = edges.partition(",")
    account = f"1,USD,010,{opening},,,015,{closing},," if edges else "1,USD"
    lines = ["16,{},{},,,,/".format(*move.split()) for move in moves.split(",")]
    parsed = read(tmp_path, bai(*lines, account=account))
    amounts = [e["amount"] for e in entries(parsed)]
    assert amounts == [Decimal(value) for value in wanted.split()]
    assert codes(parsed) == found.split()
    assert not any(parsed.tables.statements["incomplete"].to_pylist())


def test_totals_catch_what_balances_do_not(tmp_path: Path) -> None:
    account = "1,USD,100,900,2,,400,0,0,"
    parsed = read(tmp_path, bai("16,165,500,,,,/", account=account))
    assert codes(parsed) == ["BALANCE_MISSING", "TOTAL_MISMATCH"]


def _trailers(tmp_path: Path, account: str, group: str, file: str) -> Parsed:
    content = bai("16,165,500,,,,/", account="1,USD,010,100,,,015,600,,")
    content = content.replace("49,,/", f"49,{account}/").replace("98,,,/", f"98,{group}/")
    return read(tmp_path, content.replace("99,,,/", f"99,{file}/"))


# 49 | 98 | 99 -> what is wrong
TRAILERS = """
1200,3 | 1200,1,5 | 1200,1,7       ->
+00001200,0003 | 1200,1,5 | 1200,1,7 ->
,3     | ,1,5     | ,1,7           ->
1201,3 | 1201,1,5 | 1201,1,7       -> account
1200,4 | 1200,1,6 | 1200,1,8       -> account
1200,4 | 1200,1,5 | 1200,1,7       -> account
1200,3 | 1201,1,5 | 1201,1,7       -> group
1200,3 | 1200,2,5 | 1200,1,7       -> group
1200,3 | 1200,1,6 | 1200,1,8       -> group
1200,3 | 1200,1,5 | 1201,1,7       -> file
1200,3 | 1200,1,5 | 1200,2,7       -> file
1200,3 | 1200,1,5 | 1200,1,8       -> file
12x,3  | 1200,1,5 | 1200,1,7       -> account
"""


@pytest.mark.parametrize("case", TRAILERS.strip().splitlines())
def test_control_totals_and_counts(tmp_path: Path, case: str) -> None:
    given, _, wrong = case.partition("->")
    account, group, file = (cell.strip() for cell in given.split("|"))
    parsed = _trailers(tmp_path, account, group, file)
    assert len(entries(parsed)) == 1
    found = [f for f in parsed.tables.findings if f.code == "CONTROL_MISMATCH"]
    assert [f.message.split()[1] for f in found] == wrong.split()
    assert all(f.severity == "error" for f in found)
    assert parsed.tables.statements["incomplete"].to_pylist() == [bool(wrong.strip())]


def test_one_wrong_account_is_no_reason_to_doubt_the_others(tmp_path: Path) -> None:
    content = (SAMPLES / "harbor.bai").read_text().replace("16,699,1000,", "16,699,10OO,")
    parsed = read(tmp_path, content)
    assert parsed.tables.statements["incomplete"].to_pylist() == [False, True, False]


ENVELOPES = """
99,,,/         | BAI_TRUNCATED
98,,,/         | BAI_ENVELOPE
02,            | BAI_ENVELOPE
03,            | BAI_ENVELOPE
"""


@pytest.mark.parametrize("case", ENVELOPES.strip().splitlines())
def test_broken_envelope_is_refused_whole(tmp_path: Path, case: str) -> None:
    gone, code = (cell.strip() for cell in case.split("|"))
    lines = bai("16,165,500,,,,/").splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.startswith(gone))
    error = refusal(tmp_path, kept)
    assert error.code == code
    assert error.where.startswith("line ")


def test_no_account_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "01,A,B,261121,0600,1,,,2/\n99,0,0,2/").code == "BAI_NO_STATEMENT"


def test_account_without_trailer_is_incomplete(tmp_path: Path) -> None:
    lines = ("16,165,500,,,,/", "03,778899,USD/", "16,165,700,,,,/")
    parsed = read(tmp_path, bai(*lines))
    assert "ACCOUNT_NOT_CLOSED" in codes(parsed)
    assert parsed.tables.statements["incomplete"].to_pylist() == [True, False]
    assert len(entries(parsed)) == 2


def test_unknown_record_and_text_behind_the_end(tmp_path: Path) -> None:
    parsed = read(tmp_path, bai("16,165,500,,,,A/", "17,WHAT/", "16,165,500,,,,B/"))
    assert "RECORD_UNKNOWN" in codes(parsed)
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    assert len(entries(parsed)) == 2
    assert codes(read(tmp_path, bai("16,890,,,,,A/") + "JUNK\n"))[-1] == "TEXT_TRAILING"
    assert "TEXT_TRAILING" not in codes(read(tmp_path, bai("16,890,,,,,A/") + "\x1a"))


def test_several_files_in_one_and_one_account_over_days(tmp_path: Path) -> None:
    one = bai("16,165,500,,,,/", account="1,USD,010,0,,,015,500,,")
    two = bai("16,165,500,,,,/", account="1,USD,010,500,,,015,1000,,").replace("261120", "261121")
    rows = read(tmp_path, one + two).tables.statements.to_pylist()
    assert [row["to_at"].day for row in rows] == [20, 21]
    assert len({row["statement_id"] for row in rows}) == 2


def test_one_account_twice_a_day(tmp_path: Path) -> None:
    """The same again is the same; other entries of the same day are another page."""
    first = "16,165,500,,,,FEE/"
    same = read(tmp_path, bai(first, "49,,/", "03,445566,USD/", first))
    assert "STATEMENT_REPEATED" in codes(same)
    assert len(set(same.tables.entries["entry_id"].to_pylist())) == 1
    other = read(tmp_path, bai(first, "49,,/", "03,445566,USD/", first, first))
    assert "STATEMENT_REPEATED" not in codes(other)
    assert other.tables.statements["page"].to_pylist() == [None, 2]
    assert len(set(other.tables.entries["entry_id"].to_pylist())) == 3


def test_iban_servicer_and_cheque(tmp_path: Path) -> None:
    content = bai("16,475,500,,,1044,/", account="GB33 BUKB 2020 1555 5555 55,GBP")
    parsed = read(tmp_path, content.replace("ME,BANK,", "ME,NWBKGB2L,"))
    (row,) = parsed.tables.statements.to_pylist()
    assert (row["account_id"], row["account_scheme"]) == ("GB33BUKB20201555555555", "IBAN")
    assert row["servicer_bic"] == "NWBKGB2L"
    assert entries(parsed)[0]["d_cheque_no"] == "1044"


def test_signs_in_doubt_are_held_back_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bai(*["16,475,-100,,,,/"] * 6_000, account="1,USD,010,0,,,015,-600000,,")
    held = read(tmp_path, content)
    assert codes(held) == ["SIGN_PROVED"]
    monkeypatch.setattr(_bai_account, "_HELD_MAX", 5_000)
    released = read(tmp_path, content)
    assert "SIGN_DOUBTFUL" in codes(released)
    assert released.tables.entries.num_rows == 6_000
    assert released.tables.statements["incomplete"].to_pylist() == [True]


def test_batches(tmp_path: Path) -> None:
    lines = [f"16,165,{n},,B{n},,TEXT {n}/" for n in range(1, 12_001)]
    parsed = read(tmp_path, bai(*lines))
    assert parsed.tables.entries.num_rows == parsed.tables.details.num_rows == 12_000
    assert sum(parsed.tables.entries["amount"].to_pylist()) == Decimal(12_000 * 12_001 // 2) / 100
    assert parsed.tables.statements["entry_count"].to_pylist() == [12_000]


_MOVES = st.lists(
    st.tuples(
        st.sampled_from(
            [("165", 1), ("475", -1), ("698", -1), ("930", 1), ("760", -1), ("722", 1)]
        ),
        st.integers(0, 10**12),
        st.sampled_from(["", "0", "1", "2", "Z", "V,261121,", "S,1,2,3", "D,2,0,1,2,2"]),
        st.text(alphabet="AB c,/16:8", max_size=40),
        st.integers(0, 2),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(_MOVES, st.booleans(), st.booleans())
def test_entries_tie_with_balances_and_totals_made_of_them(
    moves: list[tuple[tuple[str, int], int, str, str, int]], padded: bool, crlf: bool
) -> None:
    """Rendered with its proofs, a statement is read without a finding, whatever its texts hold."""
    lines, records = [], 2
    for (code, _), cents, funds, text, more in moves:
        lines.append(f"16,{code},{cents},{funds},B,C,X{text}/")
        lines += [f"88,Y{text}/"] * more
        records += 1 + more
    closing = sum(sign * cents for (_, sign), cents, *_ in moves)
    total = closing + sum(cents for _, cents, *_ in moves)
    trailers = (f"49,{total},{records}/", f"98,{total},1,{records + 2}/")
    head = ("01,A,B,261121,0600,1,,,2/", GROUP, f"03,1,USD,010,0,,,015,{closing},,/")
    rows = [*head, *lines, *trailers, f"99,{total},1,{records + 4}/"]
    end = "\r\n" if crlf else "\n"
    with tempfile.TemporaryDirectory() as folder:
        parsed = read(Path(folder), "".join(row.ljust(80 * padded) + end for row in rows))
    assert codes(parsed) == []
    amounts = parsed.tables.entries["amount"].to_pylist()
    assert amounts == [Decimal(sign * cents) / 100 for (_, sign), cents, *_ in moves]
