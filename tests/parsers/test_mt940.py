"""Quirks of MT940, one a case."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.parsers.reading import codes, entries, mt, read, refusal

# line after :61: | amount | type | customer reference | bank reference | booked | valued
LINES = """
2601020102C5,00NTRFNONREF              |   5    | NTRF |            |            | 260102 | 260102
260102C5,NTRFINV1//B1                  |   5    | NTRF | INV1       | B1         | 260102 | 260102
260102    DD212,39NMSCNONREF//         |  -212.39 | NMSC |          |            | 260102 | 260102
260102    CD0,00NDEFNONREF//           |   0    | NDEF |            |            | 260102 | 260102
2601020102DR583,92NMSCX//1234          | -583.92 | NMSC | X         | 1234       | 260102 | 260102
2601020102RC7,NRTINONREF               |  -7    | NRTI |            |            | 260102 | 260102
2601020102RD7,NRTINONREF               |   7    | NRTI |            |            | 260102 | 260102
2601020102RCR7,NRTINONREF              |  -7    | NRTI |            |            | 260102 | 260102
2601020102RDR7,NRTINONREF              |   7    | NRTI |            |            | 260102 | 260102
2512310102D1,00NMSC                    |  -1    | NMSC |            |            | 260102 | 251231
2601021231D1,00NMSC                    |  -1    | NMSC |            |            | 251231 | 260102
2402290301D1,00NMSC                    |  -1    | NMSC |            |            | 240301 | 240229
260102D20,00NONREF                     | -20    |      |            |            | 260102 | 260102
260102C25,03NOV NONREF                 |  25.03 | NOV  |            |            | 260102 | 260102
260102C1,NET0NONREF                    |   1    | NET0 |            |            | 260102 | 260102
260102C1,S05168790452                  |   1    | S051 | 68790452   |            | 260102 | 260102
260102CF1,S   X                        |   1    | S    | X          |            | 260102 | 260102
260102C1,00 NTRFNONREF//2109           |   1    | NTRF |            | 2109       | 260102 | 260102
260102C 1,00NTRFA/B 5//TRF SVC 9       |   1    | NTRF | A/B 5      | TRF SVC 9  | 260102 | 260102
260102C1,NTRFTRF SVC//200101Z77        |   1    | NTRF | TRF SVC    | 200101Z77  | 260102 | 260102
260102C1,NTRF1004688128      //6128    |   1    | NTRF | 1004688128 | 6128       | 260102 | 260102
260102C1,NTRFGB33BUKB20201555555555    |   1    | NTRF | GB33BUKB20201555555555 | | 260102 | 260102
260102C000000013527,84N544EREF         | 13527.84 | N544 |          |            | 260102 | 260102
260102CN20000,00//92397                | 20000  |      |            | 92397      | 260102 | 260102
260102C1,NTRFKREF+//B1                 |   1    | NTRF |            | B1         | 260102 | 260102
260102C1,FCHGX-20-LONGER-THAN-SIXTEEN | 1 | FCHG | X-20-LONGER-THAN-SIXTEEN | | 260102 | 260102
"""


def _day(text: str) -> date | None:
    return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:6])) if text else None


@pytest.mark.parametrize("case", LINES.strip().splitlines())
def test_statement_line(tmp_path: Path, case: str) -> None:
    line, amount, kind, own, bank, booked, valued = (cell.strip() for cell in case.split("|"))
    parsed = read(tmp_path, mt(f":61:{line}"))
    (found,) = entries(parsed)
    assert found["amount"] == Decimal(amount)
    assert (found["swift_type"] or "") == kind
    assert (found["entry_ref"] or "") == own
    assert (found["bank_ref"] or "") == bank
    assert found["booked_on"] == _day(booked)
    assert found["valued_on"] == _day(valued)
    assert found["d_amount"] == found["amount"]
    assert found["reversal"] is line[10:11].startswith("R")


# :25: | account | scheme | servicer
ACCOUNTS = """
11112222/333                     | 11112222/333           | other |
GB33BUKB20201555555555           | GB33BUKB20201555555555 | IBAN  |
NL22TEST0123456789EUR            | NL22TEST0123456789     | IBAN  |
NL22 TEST 0123 4567 89 EUR       | NL22TEST0123456789     | IBAN  |
1291.99.348EUR                   | 1291.99.348            | other |
TESTHUHB/123456789/HUF           | 123456789              | other | TESTHUHB
TESTDEFFXXX/GB33BUKB20201555555555 | GB33BUKB20201555555555 | IBAN | TESTDEFFXXX
/GB33BUKB20201555555555          | GB33BUKB20201555555555 | IBAN  |
//GB12345/98765/EUR              | GB12345/98765          | other |
0800003200000001610722 EUR       | 0800003200000001610722 | other |
"""


@pytest.mark.parametrize("case", ACCOUNTS.strip().splitlines())
def test_account(tmp_path: Path, case: str) -> None:
    raw, account, scheme, servicer = (cell.strip() for cell in case.split("|"))
    parsed = read(tmp_path, mt().replace("11112222/333", raw))
    (row,) = parsed.tables.statements.to_pylist()
    assert row["account_id"] == account
    assert row["account_scheme"] == scheme
    assert (row["servicer_bic"] or "") == servicer


NUMBERS = """
:28C:1/2        | 1      | 2
:28C:0          | None   | None
:28C:00000/001  | None   | 1
:28:15          | 15     | None
:28C:12345678/1 | 12345678 | 1
"""


@pytest.mark.parametrize("case", NUMBERS.strip().splitlines())
def test_statement_number(tmp_path: Path, case: str) -> None:
    tag, number, page = (cell.strip() for cell in case.split("|"))
    (row,) = read(tmp_path, mt().replace(":28C:1/1", tag)).tables.statements.to_pylist()
    assert (str(row["sequence_no"]), str(row["page"])) == (number, page)


def test_impossible_date_is_null_with_its_raw_line(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt(":61:2602300301D6,00N024NONREF", closing="C260301EUR94,"))
    (found,) = entries(parsed)
    assert found["valued_on"] is None
    assert found["booked_on"] == date(2026, 3, 1)
    (finding,) = parsed.tables.findings
    assert finding.code == "DATE_MALFORMED"
    assert finding.where == "line 5 :61:"
    assert "2602300301D6,00" in finding.remedy


def test_bad_record_is_isolated_and_the_statement_incomplete(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt(":61:RUBBISH", ":86:OF IT", ":61:260102C1,NMSC", ":86:GOOD"))
    assert [e["narrative"] for e in entries(parsed)] == ["GOOD"]
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    finding = parsed.tables.findings[0]
    assert (finding.code, finding.severity, finding.where) == (
        "ENTRY_UNREADABLE", "error", "line 5 :61:",
    )  # fmt: skip
    assert "RUBBISH" in finding.message


@pytest.mark.parametrize(
    "amount", ["1E+9", "1E9", "1,5E5", "1.234,56", "1_0,", "١٢,", "9" * 400 + ",", "NaN"]
)
def test_amount_grammar(tmp_path: Path, amount: str) -> None:
    parsed = read(tmp_path, mt(f":61:260102C{amount}NMSC"))
    assert parsed.tables.entries.num_rows == 0
    assert "ENTRY_UNREADABLE" in codes(parsed)


def test_line_cut_in_the_middle_of_61_and_of_a_tag(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt(":61:2601020102CR", "30,00N062NONREF", ":", "86:166?00PAID?20YES"))
    (found,) = entries(parsed)
    assert (found["amount"], found["d_narrative"]) == (Decimal(30), "YES")


@pytest.mark.parametrize("wrapped", [":08 o'clock", ":26:37 Fo", ":20:44:45", ":KO:NR:1", "-x"])
def test_wrapped_text_that_looks_like_a_tag(tmp_path: Path, wrapped: str) -> None:
    parsed = read(tmp_path, mt(":61:260102C1,NMSC", ":86:AT", wrapped, ":61:260102D1,NMSC"))
    first, second = entries(parsed)
    assert first["d_narrative"] == f"AT\n{wrapped}"
    assert second["d_narrative"] is None
    assert codes(parsed) == []


def test_lone_dash_before_the_closing_balance_is_no_end(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt("-", ":61:260102C1,NMSC", ":86:A", closing="C260102EUR101,"))
    assert len(entries(parsed)) == 1
    assert codes(parsed) == []


def test_unknown_tag_does_not_stop(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt(":61:260102C1,NMSC", ":86:A", ":77X:Z", closing="C260102EUR101,"))
    assert codes(parsed) == ["MT_TAG_UNKNOWN"]
    assert entries(parsed)[0]["d_narrative"] == "A"


def test_several_86_none_and_one_after_the_closing(tmp_path: Path) -> None:
    body = mt(":61:260102C1,NMSC", ":86:A", ":86:B", ":61:260102D1,NMSC")
    parsed = read(tmp_path, body.replace("\r\n-\r\n", "\r\n:86:ABOUT ALL\r\n-\r\n"))
    assert [e["d_narrative"] for e in entries(parsed)] == ["A\nB", None]
    assert parsed.tables.statements["narrative"].to_pylist() == ["ABOUT ALL"]


def test_supplementary_line_tells_original_amount_and_charges(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt(":61:260102D5,NTRFX//Y", "/OCMT/USD6,10/CHGS/EUR0,5/"))
    (found,) = entries(parsed)
    assert found["d_original_amount"] == Decimal("-6.10")
    assert (found["d_original_currency"], found["d_charges"]) == ("USD", Decimal("-0.5"))


def test_pages_of_one_statement_are_one(tmp_path: Path) -> None:
    head = ":20:R\n:25:1/2\n:28C:9/{}\n:60{}:C260101EUR{},\n"
    page = head + ":61:260102C1,NMSC\n:62{}:C260102EUR{},\n-\n"
    parsed = read(tmp_path, page.format(1, "F", 5, "M", 6) + page.format(2, "M", 6, "F", 7))
    (row,) = parsed.tables.statements.to_pylist()
    assert (row["entry_count"], row["page"], row["last_page"]) == (2, 1, True)
    balances = [(b["code"], b["amount"]) for b in parsed.tables.balances.to_pylist()]
    assert balances == [("OPBD", 5), ("CLBD", 7)]
    assert codes(parsed) == []


def test_a_page_that_does_not_follow_is_a_gap(tmp_path: Path) -> None:
    page = ":20:R\n:25:1/2\n:28C:9/{}\n:60{}:C260101EUR{},\n:62{}:C260102EUR{},\n-\n"
    parsed = read(tmp_path, page.format(1, "F", 5, "M", 5) + page.format(3, "M", 8, "F", 8))
    assert codes(parsed) == ["PAGE_GAP", "BALANCE_MISMATCH"]
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]


def test_a_page_alone_stays_a_page(tmp_path: Path) -> None:
    text = mt().replace(":60F:", ":60M:").replace(":62F:", ":62M:")
    parsed = read(tmp_path, text)
    assert parsed.tables.balances["code"].to_pylist() == ["ITBD", "ITBD"]
    assert parsed.tables.statements["last_page"].to_pylist() == [False]
    assert codes(parsed) == ["PAGE_OPEN"]


def test_a_statement_twice_in_one_file_has_one_identity(tmp_path: Path) -> None:
    one = mt(":61:260102C1,NMSCNONREF", closing="C260102EUR101,")
    parsed = read(tmp_path, one * 2)
    assert codes(parsed) == ["STATEMENT_REPEATED"]
    for table, name in (("statements", "statement_id"), ("entries", "entry_id")):
        ids = getattr(parsed.tables, table)[name].to_pylist()
        assert len(ids) == 2
        assert len(set(ids)) == 1
    assert (
        parsed.tables.details["detail_id"].to_pylist()[0]
        == (parsed.tables.details["detail_id"].to_pylist()[1])
    )


def test_two_identical_lines_are_two_entries(tmp_path: Path) -> None:
    fee = ":61:260102D1,NCHGNONREF"
    parsed = read(tmp_path, mt(fee, fee, closing="C260102EUR98,"))
    assert len(set(parsed.tables.entries["entry_id"].to_pylist())) == 2
    assert codes(parsed) == []


@pytest.mark.parametrize("fields", [":61:", ":86:", ":28C:", ":60F:", ":25:"])
def test_a_piece_of_a_statement_is_read_as_incomplete(tmp_path: Path, fields: str) -> None:
    value = {":61:": "260102C1,NMSC", ":60F:": "C260102EUR1,"}.get(fields, "7")
    parsed = read(tmp_path, fields + value)
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    assert "MT_FRAGMENT" in codes(parsed)


CUT = r"""
:20:X
:20:X\n:25:1\n:28C:1
:20:X\n:25:1\n:60F:C260101EUR1,\n:61:260102C1,NMSC
:25:1\n:60F:C260101EUR1,
{1:F01A}{2:O940B}{4:\n:20:X\n:25:1\n:60F:C260101EUR1,\n-}
"""


@pytest.mark.parametrize("text", CUT.strip().splitlines())
def test_a_statement_without_closing_balance_is_refused_whole(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text.replace("\\n", "\n")).code == "MT_TRUNCATED"


def test_balance_that_does_not_tie_is_a_warning(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt(":61:260102C1,NMSC"))
    (finding,) = parsed.tables.findings
    assert (finding.code, finding.severity) == ("BALANCE_MISMATCH", "warning")
    assert "difference -1" in finding.message


ENCODINGS = [
    ("utf-8", None, "Müller", []),
    ("utf-8-sig", None, "Müller", []),
    ("utf-16", None, "Müller", []),
    ("cp1252", None, "Müller", ["TEXT_ENCODING"]),
    ("cp852", "cp852", "Müller", []),
]


@pytest.mark.parametrize(("written", "named", "wanted", "found"), ENCODINGS)
def test_encodings(
    tmp_path: Path, written: str, named: str | None, wanted: str, found: list[str]
) -> None:
    text = mt(":61:260102C1,NMSC", ":86:Müller", closing="C260102EUR101,").encode(written)
    parsed = read(tmp_path, text, named)
    assert entries(parsed)[0]["d_narrative"] == wanted
    assert codes(parsed) == found


def test_latin1_is_the_last_resort(tmp_path: Path) -> None:
    text = mt(":61:260102C1,NMSC", ":86:M\xfc\x81").encode("latin-1")
    assert "latin-1" in read(tmp_path, text).tables.findings[0].message


def test_control_characters_never_reach_the_tables(tmp_path: Path) -> None:
    parsed = read(tmp_path, "\x01" + mt(":61:260102C1,NMSC", ":86:A\x00B\x1b[31m"))
    assert entries(parsed)[0]["d_narrative"] == "A\ufffdB\ufffd[31m"


def test_national_sub_lines(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt(":61:260102C1,NMSC", ":NS:01Rent", "02May", "15Ann Lee", "17PAID"))
    (found,) = entries(parsed)
    assert found["d_narrative"] == "Rent May"
    assert (found["d_counterparty_name"], found["narrative"]) == ("Ann Lee", "PAID\nRent May")


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "@@"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    text = mt(":61:260102C1,NMSC", ":86:A", closing="C260102EUR101,").replace("\r\n", end)
    parsed = read(tmp_path, end + text)
    assert (len(entries(parsed)), codes(parsed)) == (1, [])


def test_swedish_braces_and_rje_dollar(tmp_path: Path) -> None:
    one = mt().replace("\r\n-\r\n", "\r\n-å$")
    parsed = read(tmp_path, f"ä1:F01A}}{{2:O940B}}ä4:\r\n{one}{{1:F01A}}{{2:O940B}}{{4:\r\n"
                  + one.replace("1/1", "2/1"))  # fmt: skip
    assert parsed.tables.statements["sequence_no"].to_pylist() == [1, 2]


def test_free_text_is_joined_where_the_line_is_full(tmp_path: Path) -> None:
    first, second = "WIRE IN " + "x" * 49 + " INV", "4711 " + "y" * 60
    body = mt(":61:260102C1,NMSC", f":86:{first}", second, "z", "END", closing="C260102EUR101,")
    (found,) = entries(read(tmp_path, body))
    assert found["d_narrative"] == f"{first}{second}z\nEND"


def test_statements_that_begin_with_their_account(tmp_path: Path) -> None:
    day = mt(":61:260102C1,NMSC", closing="C260102EUR101,").replace(":20:REF\r\n", "")
    day = day.replace("-\r\n", "")
    parsed = read(tmp_path, day + ":86:ABOUT IT\r\n" + day.replace(":28C:1", ":28C:2"))
    assert parsed.tables.statements["sequence_no"].to_pylist() == [1, 2]
    assert parsed.tables.statements["narrative"].to_pylist() == ["ABOUT IT", None]
    assert codes(parsed) == ["MT_NOT_TERMINATED"]


def test_entry_behind_the_closing_balance_is_no_silent_part_of_it(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt().replace("-\r\n", ":61:260102C1,NMSC\r\n-\r\n"))
    assert codes(parsed) == ["ENTRY_AFTER_CLOSING", "BALANCE_MISMATCH"]
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]


def test_balances_without_header_are_another_incomplete_statement(tmp_path: Path) -> None:
    more = ":60F:C260102EUR100,\r\n:62F:C260103EUR100,\r\n-\r\n"
    parsed = read(tmp_path, mt().replace("-\r\n", more))
    assert codes(parsed) == ["MT_FRAGMENT"]
    assert parsed.tables.statements["incomplete"].to_pylist() == [False, True]


STRAY = r"""
{1:F01TESTDEFF     | MT_TRUNCATED
{1:F01A}           | MT_TRUNCATED
{1:F01A}{2:O940B}{4: | MT_TRUNCATED
:2                 | MT_TRUNCATED
:20:NEXT           | MT_TRUNCATED
TESTNL2A           | TEXT_TRAILING
"""


@pytest.mark.parametrize("case", STRAY.strip().splitlines())
def test_the_start_of_another_statement_is_not_passed_over(tmp_path: Path, case: str) -> None:
    text, _, code = (cell.strip() for cell in case.partition("|"))
    if code == "MT_TRUNCATED":
        assert refusal(tmp_path, mt() + text).code == code
    else:
        assert codes(read(tmp_path, mt() + text)) == [code]


def test_text_behind_an_unterminated_balance_is_told(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt().replace("-\r\n", ":2"))
    assert codes(parsed) == ["TEXT_TRAILING", "MT_NOT_TERMINATED"]


@pytest.mark.parametrize("text", ["86 FURTHER", "{4:86:FURTHER", "0", "{4:86"])
def test_digits_of_the_next_line_are_no_part_of_a_balance(tmp_path: Path, text: str) -> None:
    parsed = read(tmp_path, mt(closing="C260102EUR100,").replace("-\r\n", text + "\r\n-\r\n"))
    wrapped = text == "0"  # as some banks wrap any line
    told = [] if wrapped else ["TEXT_TRAILING"]
    assert codes(parsed) == told
    assert parsed.tables.balances["amount"].to_pylist() == [100, 100]
