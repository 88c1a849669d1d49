"""OFX as banks really write it: tags open and closed, encodings, dates, amounts, balances, errors."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import parsers
from tests.parsers.reading import SAMPLES, codes, entries, read, refusal
from tieout.commands.parse import as_json
from tieout.errors import InputError

_HEADER = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:{charset}\n\n"
_BALANCE = "<LEDGERBAL><BALAMT>100.00<DTASOF>20261120</LEDGERBAL>"
_BASE = {"TRNTYPE": "OTHER", "DTPOSTED": "20261120", "TRNAMT": "5.00", "FITID": "F1"}


def transaction(inside: str = "", **fields: str) -> str:
    """One STMTTRN with open leaves; a field given as "-" is left out."""
    leaves = "".join(f"<{k}>{v}\n" for k, v in (_BASE | fields).items() if v != "-")
    return f"<STMTTRN>{leaves}{inside}</STMTTRN>\n"


def statement(*transactions: str, balance: str = _BALANCE, currency: str = "USD") -> str:
    """A STMTTRNRS of account 4711."""
    return (
        "<STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS>"
        f"<CURDEF>{currency}<BANKACCTFROM><BANKID>7<ACCTID>4711<ACCTTYPE>CHECKING</BANKACCTFROM>\n"
        f"<BANKTRANLIST><DTSTART>20261120<DTEND>20261120{''.join(transactions)}</BANKTRANLIST>\n"
        f"{balance}</STMTRS></STMTTRNRS>"
    )


def ofx(*statements: str, charset: str = "1252") -> str:
    """A whole OFX 1 file of bank statements."""
    inside = f"<BANKMSGSRSV1>{''.join(statements)}</BANKMSGSRSV1>"
    return f"{_HEADER.format(charset=charset)}<OFX>{inside}</OFX>\n"


def one(folder: Path, inside: str = "", **fields: str) -> dict[str, Any]:
    """The only entry of a file that has nothing to complain of but the missing opening."""
    parsed = read(folder, ofx(statement(transaction(inside, **fields))))
    assert codes(parsed) == ["OPENING_NOT_STATED"]
    return entries(parsed)[0]


AMOUNTS = """
5.00                     | 5.00
-80                      | -80
+00000000000050.0000     | 50
-00000000000050.0100     | -50.01
-.50                     | -0.50
12,50                    | 12.50
1,234.56                 | 1234.56
-1.234.567,89            | -1234567.89
17.5-                    | -17.5
0                        | 0
-0.00                    | 0
1,234                    | unreadable
1,23.45                  | unreadable
1E+999999                | unreadable
NaN                      | unreadable
--                       | unreadable
+-5                      | unreadable
5 000                    | unreadable
٥                        | unreadable
1234567890123456789      | unreadable
"""


@pytest.mark.parametrize("case", AMOUNTS.strip().splitlines())
def test_amounts(tmp_path: Path, case: str) -> None:
    text, wanted = (part.strip() for part in case.split("|"))
    parsed = read(tmp_path, ofx(statement(transaction(TRNAMT=text)), charset="NONE"))
    if wanted == "unreadable":
        assert codes(parsed) == ["ENTRY_UNREADABLE", "OPENING_NOT_STATED"]
        assert text in parsed.tables.findings[0].message
        assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    else:
        assert entries(parsed)[0]["amount"] == Decimal(wanted)


DATES = """
20261120                     | 2026-11-20
20261120235959               | 2026-11-20
20261120233000.000[-5:EST]   | 2026-11-20
20261120003000[+5.30:IST]    | 2026-11-20
20261120120000[-:EST]        | 2026-11-20
20261120120000.123[0:GMT]    | 2026-11-20
202611201200                 | 2026-11-20
2026-11-20                   | 2026-11-20
20260230                     | malformed
00000000                     | malformed
20-11-2026                   | malformed
２０２６１１２０                     | malformed
"""


@pytest.mark.parametrize("case", DATES.strip().splitlines())
def test_dates_are_as_written_or_null(tmp_path: Path, case: str) -> None:
    text, wanted = (part.strip() for part in case.split("|"))
    parsed = read(tmp_path, ofx(statement(transaction(DTPOSTED=text)), charset="NONE"))
    found = entries(parsed)[0]["booked_on"]
    if wanted == "malformed":
        assert found is None
        assert codes(parsed)[0] == "DATE_MALFORMED"
        assert text in parsed.tables.findings[0].message
    else:
        assert found == date.fromisoformat(wanted)


def test_missing_booking_date_stays_missing(tmp_path: Path) -> None:
    parsed = read(tmp_path, ofx(statement(transaction(DTPOSTED="-"))))
    assert codes(parsed) == ["DATE_MISSING", "OPENING_NOT_STATED"]
    assert entries(parsed)[0]["booked_on"] is None


TAGS = """
all open        | <NAME>SHOP<MEMO>CARD 7                           | SHOP    | CARD 7
some closed     | <NAME>SHOP</NAME><MEMO>CARD 7                    | SHOP    | CARD 7
self-closed     | <SIC/><NAME>SHOP<CHECKNUM /><MEMO>CARD 7         | SHOP    | CARD 7
empty, open     | <EXTDNAME><NAME>SHOP<MEMO>CARD 7                 | SHOP    | CARD 7
unknown, empty  | <X.Y><NAME>SHOP<Z><MEMO>CARD 7                   | SHOP    | CARD 7
unknown leaves  | <CARDNUM>1<MCC>5411<NAME>SHOP<MEMO>CARD 7        | SHOP    | CARD 7
unknown group   | <FOO><NAME>NOT ME</FOO><NAME>SHOP<MEMO>CARD 7    | SHOP    | CARD 7
lower case      | <name>SHOP</name><Memo>CARD 7                    | SHOP    | CARD 7
blanks in tags  | <NAME >SHOP</NAME ><MEMO >CARD 7                 | SHOP    | CARD 7
attributes      | <NAME a="b">SHOP<MEMO>CARD 7                     | SHOP    | CARD 7
entities        | <NAME>A &amp; B&#39;s<MEMO>&lt;7&gt;&nbsp;&#x20AC; | A & B's | <7> €
unknown entity  | <NAME>SHOP<MEMO>&copy; &amp;amp;                 | SHOP    | &copy; &amp;
a bare sign     | <NAME>A < B & C<MEMO>1 <2> 3                     | A < B & C | 1 <2> 3
cdata           | <NAME><![CDATA[A <B> &amp;]]><MEMO>CARD 7        | A <B> &amp; | CARD 7
comment         | <!-- <NAME>NO --><NAME>SH<!-- x -->OP<MEMO>CARD 7 | SHOP   | CARD 7
payee           | <PAYEE><NAME>SHOP LTD<CITY>X</PAYEE><MEMO>CARD 7 | SHOP LTD | CARD 7
long name       | <NAME>SHO<EXTDNAME>SHOP LTD<MEMO>CARD 7          | SHOP LTD | CARD 7
broken over lines | <NAME>SHOP<MEMO>CARD~   7                      | SHOP    | CARD 7
"""


@pytest.mark.parametrize("case", TAGS.strip().splitlines(), ids=lambda c: c.split("|")[0].strip())
def test_tags_open_closed_and_odd(tmp_path: Path, case: str) -> None:
    _, inside, name, memo = (part.strip() for part in case.split("|"))
    found = one(tmp_path, inside.replace("~", "\n"))
    assert (found["d_counterparty_name"], found["d_narrative"]) == (name, memo)


def test_every_fact_has_its_column(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        "<BANKACCTTO><BANKID>ALPEATWW<ACCTID>GB33BUKB 2020 1555 5555 55</BANKACCTTO>",
        TRNTYPE="CHECK", DTUSER="20261118", DTAVAIL="20261123", CHECKNUM="1044", REFNUM="R-9",
        NAME="SHOP", MEMO="SHOP IN TOWN",
    )  # fmt: skip
    wanted = {
        "booked_on": date(2026, 11, 20), "valued_on": date(2026, 11, 23), "bank_ref": "F1",
        "entry_ref": "R-9", "code_proprietary": "CHECK", "narrative": "SHOP IN TOWN",
        "status": "booked", "account_id": "4711", "currency": "USD", "d_cheque_no": "1044",
        "d_counterparty_account": "GB33BUKB20201555555555", "d_counterparty_bic": "ALPEATWW",
    }  # fmt: skip
    assert {name: found[name] for name in wanted} == wanted


def test_references_that_say_nothing_are_none(tmp_path: Path) -> None:
    found = one(tmp_path, CHECKNUM="0", REFNUM="NONREF", NAME="X")
    assert (found["d_cheque_no"], found["entry_ref"]) == (None, None)


@pytest.mark.parametrize("fields", [{"FITID": ""}, {"FITID": "-"}, {"FITID": "0"}])
def test_empty_id_is_told_once_and_twins_stay_two(tmp_path: Path, fields: dict[str, str]) -> None:
    parsed = read(tmp_path, ofx(statement(transaction(**fields), transaction(**fields))))
    assert codes(parsed) == ["OPENING_NOT_STATED", "ENTRY_ID_MISSING"]
    assert len({row["entry_id"] for row in entries(parsed)}) == 2


def test_an_id_used_twice_stays_two_entries(tmp_path: Path) -> None:
    parsed = read(tmp_path, ofx(statement(transaction(), transaction())))
    assert len({row["entry_id"] for row in entries(parsed)}) == 2


def test_the_same_id_in_an_overlapping_download_is_the_same_entry(tmp_path: Path) -> None:
    first = read(tmp_path, ofx(statement(transaction())))
    other = read(tmp_path, ofx(statement(transaction(FITID="F0"), transaction(), balance="")))
    assert entries(first)[0]["entry_id"] == entries(other)[1]["entry_id"]


def test_amount_in_another_currency_is_not_the_accounts(tmp_path: Path) -> None:
    inside = "<CURRENCY><CURRATE>1.06<CURSYM>EUR</CURRENCY>"
    parsed = read(tmp_path, ofx(statement(transaction(inside))))
    found = entries(parsed)[0]
    assert codes(parsed) == ["CURRENCY_DIFFERS", "OPENING_NOT_STATED"]
    assert (found["currency"], found["d_fx_rate"]) == ("EUR", Decimal("1.06"))
    assert found["d_original_amount"] is None


def test_amount_in_an_unknown_currency_is_not_the_accounts(tmp_path: Path) -> None:
    inside = "<CURRENCY><CURRATE>1<CURSYM>XXQ</CURRENCY>"
    parsed = read(tmp_path, ofx(statement(transaction(inside), transaction(FITID="F2"))))
    assert codes(parsed) == ["ENTRY_UNREADABLE", "OPENING_NOT_STATED"]
    assert [row["bank_ref"] for row in entries(parsed)] == ["F2"]


def test_converted_amount_keeps_currency_and_rate_of_the_original(tmp_path: Path) -> None:
    found = one(tmp_path, "<ORIGCURRENCY><CURRATE>1.0860<CURSYM>EUR</ORIGCURRENCY>")
    assert (found["currency"], found["d_original_currency"]) == ("USD", "EUR")
    assert (found["d_fx_rate"], found["d_original_amount"]) == (Decimal("1.0860"), None)


def test_currency_of_the_account_repeated_says_nothing(tmp_path: Path) -> None:
    found = one(tmp_path, "<CURRENCY><CURRATE>1.00<CURSYM>USD</CURRENCY>")
    assert (found["currency"], found["d_fx_rate"]) == ("USD", None)


def test_sign_against_the_type_is_kept_and_told(tmp_path: Path) -> None:
    parsed = read(tmp_path, ofx(statement(transaction(TRNTYPE="DEBIT"), transaction())))
    assert codes(parsed) == ["OPENING_NOT_STATED", "ENTRY_SIGN_DOUBTFUL"]
    assert entries(parsed)[0]["amount"] == 5


def test_a_correction_is_never_applied_in_silence(tmp_path: Path) -> None:
    fields = {"CORRECTFITID": "F0", "CORRECTACTION": "REPLACE"}
    parsed = read(tmp_path, ofx(statement(transaction(**fields))))
    assert codes(parsed)[0] == "ENTRY_CORRECTS"
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]


BALANCES = """
<LEDGERBAL><BALAMT>1.5<DTASOF>20261120</LEDGERBAL>       | CLBD 1.5 2026-11-20 | OPENING_NOT_STATED
<AVAILBAL><BALAMT>2<DTASOF>20261120</AVAILBAL>           | CLAV 2 2026-11-20   | BALANCE_MISSING
<LEDGERBAL><BALAMT> </BALAMT><DTASOF>20261120</LEDGERBAL> |        | BALANCE_EMPTY BALANCE_MISSING
<LEDGERBAL><DTASOF>20261120</LEDGERBAL>                  |         | BALANCE_EMPTY BALANCE_MISSING
<LEDGERBAL><BALAMT>x<DTASOF>20261120</LEDGERBAL>         |         | AMOUNT_MALFORMED BALANCE_MISSING
<LEDGERBAL><BALAMT>1</LEDGERBAL>                 | CLBD 1 None | DATE_MISSING OPENING_NOT_STATED
<LEDGERBAL><BALAMT>1<DTASOF>2026</LEDGERBAL>     | CLBD 1 None | DATE_MALFORMED OPENING_NOT_STATED
                                                         |                     | BALANCE_MISSING
"""


@pytest.mark.parametrize("case", BALANCES[1:].splitlines())
def test_balances_are_what_the_bank_states(tmp_path: Path, case: str) -> None:
    text, wanted, findings = (part.strip() for part in case.split("|"))
    parsed = read(tmp_path, ofx(statement(transaction(), balance=text)))
    rows = parsed.tables.balances.to_pylist()
    assert " ".join(f"{b['code']} {b['amount'].normalize():f} {b['on']}" for b in rows) == wanted
    assert codes(parsed) == findings.split()
    incomplete = "AMOUNT_MALFORMED" in findings
    assert parsed.tables.statements["incomplete"].to_pylist() == [incomplete]


def test_account_or_currency_that_is_missing_is_told(tmp_path: Path) -> None:
    text = ofx(statement(transaction(), currency="XXQ")).replace("<ACCTID>4711", "")
    parsed = read(tmp_path, text)
    assert codes(parsed)[:2] == ["ACCOUNT_MISSING", "CURRENCY_MISSING"]
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]


def test_account_behind_the_entries_is_theirs(tmp_path: Path) -> None:
    text = ofx(statement(transaction()))
    head = "<CURDEF>USD<BANKACCTFROM><BANKID>7<ACCTID>4711<ACCTTYPE>CHECKING</BANKACCTFROM>\n"
    found = entries(read(tmp_path, text.replace(head, "").replace(_BALANCE, head + _BALANCE)))[0]
    assert (found["account_id"], found["currency"], found["d_currency"]) == ("4711", "USD", "USD")


ENCODINGS = """
1252       | cp1252     | Café €
1252       | utf-8      | Café €     | TEXT_ENCODING
1252       | utf-8-sig  | Café €     | TEXT_ENCODING
NONE       | utf-8      | Café €
UTF-8      | cp1252     | Café €     | TEXT_ENCODING
8859-1     | latin-1    | Café ¤
ISO-8859-15 | iso-8859-15 | Café €
1251       | cp1251     | Кафе
NONE       | utf-16     | Café €
unicode_escape | cp1252 | Café \\n    | TEXT_ENCODING
"""


@pytest.mark.parametrize("case", ENCODINGS.strip().splitlines())
def test_the_bytes_decide_the_encoding(tmp_path: Path, case: str) -> None:
    charset, used, name, *finding = (part.strip() for part in case.split("|"))
    text = ofx(statement(transaction(NAME=name)), charset=charset)
    parsed = read(tmp_path, text.encode(used))
    assert entries(parsed)[0]["d_counterparty_name"] == name
    assert codes(parsed) == [*finding, "OPENING_NOT_STATED"]


def test_no_line_feeds_at_all(tmp_path: Path) -> None:
    text = ofx(statement(transaction(NAME="SHOP")))
    found = read(tmp_path, text.replace("\n", ""))
    assert found.format == "OFX 102"
    assert entries(found)[0]["d_counterparty_name"] == "SHOP"
    assert entries(read(tmp_path, text.replace("\n", "\r")))[0]["d_counterparty_name"] == "SHOP"


def test_blank_in_the_root_tag_and_no_header(tmp_path: Path) -> None:
    text = ofx(statement(transaction())).replace("<OFX>", "<OFX >")
    assert len(entries(read(tmp_path, text[text.index("<OFX") :]))) == 1


def test_card_statement_closed_by_the_banks_tag(tmp_path: Path) -> None:
    text = ofx(statement(transaction(FITID="")))
    for name in ("STMTTRNRS", "STMTRS"):
        text = text.replace(f"<{name}>", f"<CC{name}>")
    parsed = read(tmp_path, text)
    assert codes(parsed) == ["OPENING_NOT_STATED", "ENTRY_ID_MISSING", "OFX_TAG_MISMATCH"]
    assert len(entries(parsed)) == 1


def test_wrong_closing_tag_of_a_leaf_is_told(tmp_path: Path) -> None:
    parsed = read(tmp_path, ofx(statement(transaction("<NAME>SHOP</MEMO><MEMO>X</NAME>"))))
    assert codes(parsed) == ["OPENING_NOT_STATED", "OFX_TAG_MISMATCH"]
    assert "2 times" in parsed.tables.findings[-1].message
    assert entries(parsed)[0]["d_counterparty_name"] == "SHOP"


@pytest.mark.parametrize("gone", ["</STMTTRN>", "</BANKTRANLIST>", "</LEDGERBAL>"])
def test_a_record_left_open_makes_the_statement_incomplete(tmp_path: Path, gone: str) -> None:
    two = statement(transaction(), transaction(FITID="F2"))
    other = statement(transaction()).replace("4711", "4712")
    parsed = read(tmp_path, ofx(two.replace(gone, "", 1), other))
    assert "OFX_TAG_UNCLOSED" in codes(parsed)
    assert [row["bank_ref"] for row in entries(parsed)] == ["F1", "F2", "F1"]
    assert parsed.tables.statements["incomplete"].to_pylist() == [True, False]
    assert parsed.tables.balances["code"].to_pylist() == ["CLBD", "CLBD"]


@pytest.mark.parametrize("gone", ["</STMTRS>", "</STMTTRNRS>", "</BANKMSGSRSV1>", "</OFX>"])
def test_an_envelope_left_open_is_refused_whole(tmp_path: Path, gone: str) -> None:
    text = ofx(statement(transaction())).replace(gone, "")
    assert refusal(tmp_path, text).code in ("OFX_MALFORMED", "OFX_TRUNCATED")


def test_one_bad_transaction_is_isolated_with_its_fields(tmp_path: Path) -> None:
    parsed = read(
        tmp_path, ofx(statement(transaction(TRNAMT="-", NAME="LOST"), transaction(FITID="F2")))
    )
    assert codes(parsed) == ["ENTRY_UNREADABLE", "OPENING_NOT_STATED"]
    assert "FITID=F1, NAME=LOST" in parsed.tables.findings[0].message
    assert parsed.tables.findings[0].where == "line 8 STMTTRN 1"
    assert [row["bank_ref"] for row in entries(parsed)] == ["F2"]


def test_two_records_that_ran_together_are_never_one_in_silence(tmp_path: Path) -> None:
    text = ofx(statement(transaction(), transaction(FITID="F2"), transaction(FITID="F3")))
    parsed = read(tmp_path, text.replace("</STMTTRN>\n<STMTTRN>", "", 1))
    assert codes(parsed) == ["ENTRY_UNREADABLE", "OPENING_NOT_STATED"]
    assert [row["bank_ref"] for row in entries(parsed)] == ["F3"]
    two = ofx(statement(transaction()), statement(transaction(FITID="F2")))
    cut, on = two.index("</STMTRS>"), two.rindex("<CURDEF>")
    parsed = read(tmp_path, two[:cut] + two[on:])
    assert codes(parsed) == ["OFX_REPEATED"] * 3 + ["OPENING_NOT_STATED"]
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]


_ERROR = "<STATUS><CODE>2000<SEVERITY>ERROR<MESSAGE>Out of order</STATUS>"


def test_an_error_of_the_bank_is_refused_with_its_message(tmp_path: Path) -> None:
    error = refusal(tmp_path, ofx(f"<STMTTRNRS><TRNUID>1{_ERROR}</STMTTRNRS>"))
    assert (error.code, "Out of order" in error.message) == ("OFX_STATUS", True)
    sign_on = f"<OFX><SIGNONMSGSRSV1><SONRS>{_ERROR}</SONRS></SIGNONMSGSRSV1></OFX>"
    assert refusal(tmp_path, sign_on).code == "OFX_STATUS"


def test_an_error_for_one_account_leaves_the_other(tmp_path: Path) -> None:
    text = ofx(f"<STMTTRNRS><TRNUID>1{_ERROR}</STMTTRNRS>", statement(transaction()))
    parsed = read(tmp_path, text)
    assert codes(parsed) == ["OFX_STATUS", "OPENING_NOT_STATED"]
    assert parsed.tables.findings[0].severity == "error"


def test_a_warning_of_the_bank_is_told(tmp_path: Path) -> None:
    text = ofx(statement(transaction())).replace("<SEVERITY>INFO", "<SEVERITY>WARN<MESSAGE>Late")
    parsed = read(tmp_path, text)
    assert (codes(parsed)[0], "Late" in parsed.tables.findings[0].message) == ("OFX_STATUS", True)


_INVESTMENT = (
    "<INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS><CURDEF>USD<INVACCTFROM><ACCTID>9</INVACCTFROM>"
    f"<INVTRANLIST><INVBANKTRAN>{transaction()}</INVBANKTRAN></INVTRANLIST></INVSTMTRS>"
    "</INVSTMTTRNRS></INVSTMTMSGSRSV1>"
)


def test_investments_are_refused_and_left_out_of_a_mixed_file(tmp_path: Path) -> None:
    error = refusal(tmp_path, f"<OFX>{_INVESTMENT}</OFX>")
    assert (error.code, "'9'" in error.message) == ("OFX_INVESTMENT", True)
    text = ofx(statement(transaction())).replace("</OFX>", _INVESTMENT + "</OFX>")
    parsed = read(tmp_path, text)
    assert codes(parsed) == ["OPENING_NOT_STATED", "OFX_INVESTMENT"]
    assert len(entries(parsed)) == 1


def test_statements_of_an_unknown_kind_are_never_passed_over(tmp_path: Path) -> None:
    strange = f"<XSTMTRS><ACCT><ACCTID>9</ACCT>{transaction()}</XSTMTRS>"
    assert refusal(tmp_path, f"<OFX>{strange}</OFX>").code == "OFX_UNSUPPORTED"
    parsed = read(tmp_path, ofx(statement(transaction()) + strange))
    assert codes(parsed) == ["OPENING_NOT_STATED", "OFX_UNSUPPORTED"]
    assert refusal(tmp_path, f"<OFX>{strange[:-10]}</OFX>").code == "OFX_MALFORMED"


def test_empty_elements_and_stray_text_are_told(tmp_path: Path) -> None:
    parsed = read(tmp_path, ofx(statement("<STMTTRN/>", transaction())))
    assert codes(parsed) == ["ENTRY_UNREADABLE", "OPENING_NOT_STATED"]
    parsed = read(tmp_path, ofx(statement(transaction())).replace("<STMTTRN>", "<STMTTRN>5.00"))
    assert codes(parsed) == ["OPENING_NOT_STATED", "OFX_TEXT_STRAY"]
    assert len(entries(parsed)) == 1


def test_the_period_spans_all_lists(tmp_path: Path) -> None:
    more = "<BANKTRANLIST><DTSTART>20261101<DTEND>20261102120000[-5:EST]</BANKTRANLIST>"
    parsed = read(tmp_path, ofx(statement(transaction(), balance=more + _BALANCE)))
    row = parsed.tables.statements.to_pylist()[0]
    assert [f"{row[name]:%m-%d}" for name in ("from_at", "to_at")] == ["11-01", "11-20"]


def test_two_documents_in_one_file(tmp_path: Path) -> None:
    text = ofx(statement(transaction())) + ofx(statement(transaction(FITID="F2")))
    assert [row["bank_ref"] for row in entries(read(tmp_path, text))] == ["F1", "F2"]
    assert refusal(tmp_path, text[: text.rindex("OFXHEADER") + 30]).code == "OFX_TRUNCATED"


def test_text_behind_the_document_is_told(tmp_path: Path) -> None:
    assert codes(read(tmp_path, ofx(statement(transaction())) + "bye"))[-1] == "TEXT_TRAILING"


def test_no_statement_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "<OFX><SIGNUPMSGSRSV1></SIGNUPMSGSRSV1></OFX>").code == (
        "OFX_NO_STATEMENT"
    )


BOMBS = {
    "doctype": ("OFX_DOCTYPE", "<!DOCTYPE x [<!ENTITY a 'ha'>]><OFX>&a;</OFX>"),
    "entity": ("OFX_DOCTYPE", "<OFX><!ENTITY a 'ha'></OFX>"),
    "depth": ("OFX_TOO_DEEP", "<OFX>" + "<A>" * 100_000),
    "wide": ("OFX_TOO_DEEP", "<OFX>" + "<FOO>x" * 400_000),
    "text": ("OFX_TEXT_TOO_LONG", "<OFX><MEMO>" + "x" * 12_000_000),
    "signs": ("OFX_TEXT_TOO_LONG", "<OFX><MEMO>" + "<" * 3_000_000),
    "comment": ("OFX_TEXT_TOO_LONG", "<OFX><!--" + "x" * 12_000_000),
    "comments": ("OFX_TRUNCATED", "<OFX>" + "<!-- -->" * 400_000),
    "tag": ("OFX_TEXT_TOO_LONG", "<OFX><" + "x" * 12_000_000),
    "closings": ("OFX_TRUNCATED", "<OFX>" + "</A>" * 400_000),
    "one entry": ("OFX_TOO_DEEP", "<OFX><STMTRS><STMTTRN>" + "<FOO>x" * 400_000),
    "outside": ("OFX_MALFORMED", "<OFX>" + transaction() + "</OFX>"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(tmp_path: Path, name: str) -> None:
    code, text = BOMBS[name]
    assert refusal(tmp_path, text).code == code


@pytest.mark.parametrize("name", ["two_accounts.ofx", "pending.ofx"])
def test_no_cut_is_read_in_silence(tmp_path: Path, name: str) -> None:
    content = (SAMPLES / name).read_bytes()
    end = content.index(b"</OFX>") + len(b"</OFX>")
    path = tmp_path / "cut"
    for at in range(end):
        path.write_bytes(content[:at])
        with pytest.raises(InputError) as refused:
            parsers.read_file(path)
        assert refused.value.code != "READER_FAILED", (at, refused.value)
        assert refused.value.where, at
        assert refused.value.remedy, at


def test_batches_keep_every_entry(tmp_path: Path) -> None:
    many = [transaction(FITID=f"F{n}", MEMO="x" * (n % 97)) for n in range(6_001)]
    path = tmp_path / "many"
    path.write_text(ofx(statement(*many)))
    module = next(m for m in parsers.FORMATS if m.NAME == "OFX")
    assert [batch.entries.num_rows for batch in module.read(path)] == [5_000, 1_001]
    found = as_json(path, parsers.read_file(path))["statements"][0]
    assert [e["bank_ref"] for e in found["entries"]] == [f"F{n}" for n in range(6_001)]
    assert all(len(e["details"][0]["narrative"] or "") == n % 97
               for n, e in enumerate(found["entries"]))  # fmt: skip
