"""Quirks of MT files that no other test holds, one a case; `quirks` says which test proves what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.parsers.reading import codes, entries, mt, read

_BODY = mt(":61:260102C1,NMSCNONREF//B1", ":86:A", closing="C260102EUR101,")

# What stands around a message -> the message itself is read, with these findings.
AROUND = r"""
{1:F01TESTGB2LAXXX0000000000}{2:O9400000TESTGB2L}{4:\r\n|-}
{1:F01TESTGB2LAXXX0000000000}{2:I940TESTGB2LXXXXN}{3:{108:MT940}}{4:\r\n|-}{5:{CHK:0123456789AB}}
{1:F01TESTGB2LAXXX0000000000}{2:O9400000TESTGB2L}{4:|-}
{4:\r\n|-}
|-
TESTNL2A\r\n940\r\nTESTNL2A\r\n|-
This is a made-up file: the message stands below the dotted line.\r\n.........\r\n|-
:940:\r\n|-
\r\n\r\n  \r\n|-\r\n\r\n
"""


@pytest.mark.parametrize("case", AROUND.strip("\n").splitlines())
def test_envelopes_and_words_around_a_message(tmp_path: Path, case: str) -> None:
    before, after = case.replace("\\r\\n", "\r\n").split("|")
    parsed = read(tmp_path, before + _BODY.replace("\r\n-\r\n", "\r\n" + after))
    assert parsed.format == "MT940"
    (found,) = entries(parsed)
    assert (found["amount"], found["bank_ref"], found["d_narrative"]) == (1, "B1", "A")
    assert parsed.tables.balances["code"].to_pylist() == ["OPBD", "CLBD"]
    assert codes(parsed) == []


@pytest.mark.parametrize("between", ["-\r\n", "$", "-}$", "", "-\r\n\r\n"])
def test_several_statements_each_with_its_own_balances(tmp_path: Path, between: str) -> None:
    first = _BODY.replace("-\r\n", between)
    second = _BODY.replace("11112222/333", "4444/5").replace("C260101EUR100,00", "D260101USD7,")
    parsed = read(tmp_path, first + second.replace("C260102EUR101,", "D260102USD6,"))
    rows = parsed.tables.statements.to_pylist()
    assert [(r["account_id"], r["currency"]) for r in rows] == [
        ("11112222/333", "EUR"), ("4444/5", "USD"),
    ]  # fmt: skip
    amounts = [b["amount"] for b in parsed.tables.balances.to_pylist()]
    assert amounts == [100, 101, -7, -6]  # an overdrawn balance is negative
    assert codes(parsed) == []


def test_a_statement_of_balances_only_is_whole(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt())
    assert (parsed.tables.entries.num_rows, codes(parsed)) == (0, [])
    assert parsed.tables.statements["incomplete"].to_pylist() == [False]


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_no_final_newline(tmp_path: Path, end: str) -> None:
    parsed = read(tmp_path, _BODY.replace("\r\n", end).rstrip())
    assert (len(entries(parsed)), codes(parsed)) == (1, [])


def test_stray_bytes_in_a_reference_and_in_text(tmp_path: Path) -> None:
    content = (
        _BODY.encode().replace(b":20:REF", b":20:R\x81F\x05").replace(b":86:A", b":86:A\xff\x01")
    )
    parsed = read(tmp_path, content)
    (row,) = parsed.tables.statements.to_pylist()
    assert row["statement_ref"] == "R\x81F�"
    assert entries(parsed)[0]["d_narrative"] == "Aÿ�"
    assert codes(parsed) == ["TEXT_ENCODING"]


def test_a_very_long_line_is_never_cut(tmp_path: Path) -> None:
    long = "WORD " * 400 + "END"
    (found,) = entries(read(tmp_path, _BODY.replace(":86:A", ":86:" + long)))
    assert found["d_narrative"] == long


def test_german_text_cut_at_65_anywhere(tmp_path: Path) -> None:
    whole = (
        "166?00TRANSFER?20EREF+ORDER-4711?21SVWZ+RENT OF NOVEMBER FLAT?22 SEVEN"
        "?30TESTDEFFXXX?31GB33BUKB20201555555555?32ANN OTHER PERSON LIMITE?33D"
    )
    for width in range(20, 66):
        cut = [whole[at : at + width] for at in range(0, len(whole), width)]
        (found,) = entries(read(tmp_path, _BODY.replace(":86:A", ":86:" + "\r\n".join(cut))))
        assert found["d_counterparty_account"] == "GB33BUKB20201555555555", width
        assert found["d_counterparty_name"] == "ANN OTHER PERSON LIMITED", width
        assert found["d_end_to_end_id"] == "ORDER-4711", width
        assert found["d_narrative"] == "RENT OF NOVEMBER FLAT SEVEN", width


# Lines that no part of the standard has -> findings; entry and balances are read all the same.
ODD_TAGS = """
:65F:Dnullnull7414,3 | BALANCE_UNREADABLE
:65:Dnullnull7414,3  | BALANCE_UNREADABLE
:12:940              | MT_TAG_UNKNOWN
:77E:WORDS           | MT_TAG_UNKNOWN
:NS:01Text           |
"""


@pytest.mark.parametrize("case", ODD_TAGS.strip().splitlines())
def test_odd_tags_do_not_stop(tmp_path: Path, case: str) -> None:
    line, wanted = (cell.strip() for cell in case.split("|"))
    parsed = read(tmp_path, _BODY.replace("-\r\n", f"{line}\r\n-\r\n"))
    assert entries(parsed)[0]["amount"] == 1
    assert [b["code"] for b in parsed.tables.balances.to_pylist()] == ["OPBD", "CLBD"]
    if wanted != "BALANCE_UNREADABLE" or ":65F:" not in line:
        assert codes(parsed) == ([wanted] if wanted else [])


@pytest.mark.parametrize("year", [1999, 2000, 2019, 2026, 2079])
def test_the_current_year_is_never_taken(tmp_path: Path, year: int) -> None:
    short = f"{year % 100:02}"
    parsed = read(tmp_path, mt(f":61:{short}12310102C1,NMSC"))
    (found,) = entries(parsed)
    assert (found["booked_on"], found["valued_on"]) == (date(year + 1, 1, 2), date(year, 12, 31))


def test_nearest_year_and_closing_date_agree(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        mt(":61:2512301231C1,NMSC", ":61:2601051231C1,NMSC", opening="C251230EUR100,",
           closing="C251231EUR102,"),
    )  # fmt: skip
    closing = parsed.tables.balances.to_pylist()[-1]["on"]
    assert (
        [e["booked_on"] for e in entries(parsed)] == [closing, closing] == [date(2025, 12, 31)] * 2
    )


def test_the_message_reference_is_no_transaction_reference(tmp_path: Path) -> None:
    parsed = read(tmp_path, mt(":61:260102C1,NMSCNONREF", ":61:260102C1,NMSC"))
    for found in entries(parsed):
        for name in ("bank_ref", "entry_ref", "d_end_to_end_id", "d_transaction_id", "d_reference"):
            assert found[name] is None
    assert parsed.tables.statements["statement_ref"].to_pylist() == ["REF"]


def test_two_lines_that_differ_by_bank_reference_only(tmp_path: Path) -> None:
    line = ":61:260102C1,NMSCX//{}"
    parsed = read(tmp_path, mt(line.format("B1"), line.format("B2"), closing="C260102EUR102,"))
    assert [e["bank_ref"] for e in entries(parsed)] == ["B1", "B2"]
    assert len(set(parsed.tables.entries["entry_id"].to_pylist())) == 2


SUPPLEMENTS = """
/TRCD/00100/                     | /TRCD/00100/
/CTC/108/COLLECTED               | /CTC/108/COLLECTED
165 PREAUTHORIZED                | 165 PREAUTHORIZED
"""


@pytest.mark.parametrize("case", SUPPLEMENTS.strip().splitlines())
def test_supplementary_facts_are_kept(tmp_path: Path, case: str) -> None:
    line, wanted = (cell.strip() for cell in case.split("|"))
    (found,) = entries(read(tmp_path, mt(":61:260102D5,NTRFX//Y", line)))
    assert found["narrative"] == wanted
    assert (found["entry_ref"], found["bank_ref"]) == ("X", "Y")


# :86: in its dialects (~ is a line end) -> column=value ...
TEXTS = """
166?20SVWZ+ FROM IBAN GB33BUKB20?212015555555 NO DIGIT LOST | d_counterparty_account=None
GIRO   428428 KPN BILL             ~PAYMENT 7                | d_narrative=GIRO   428428 KPN BILL~PAYMENT 7
/IBAN/GB33BUKB20201555555555/NAME/J. Péron/REMI/Bought thé   | d_counterparty_name=J. Péron d_narrative=Bought thé
999SEPA_CREDIT_TRANSFER:RENT:ANN:IBAN:GB33                   | d_narrative=999SEPA_CREDIT_TRANSFER:RENT:ANN:IBAN:GB33
/OCMT/USD11,5//OGB/TESTHKHH/OSDR/ANN LTD                     | d_original_amount=11.5 d_original_currency=USD
                                                             | d_narrative=None
911 PAYMENT IN; FROM: ANN; TITLE: RENT; TNR: 1234567890.~010001 | d_narrative=911 PAYMENT IN; FROM: ANN; TITLE: RENT; TNR: 1234567890.~010001
"""


@pytest.mark.parametrize("case", TEXTS.strip("\n").splitlines())
def test_text_dialects(tmp_path: Path, case: str) -> None:
    text, wanted = (cell.strip() for cell in case.split("|"))
    (found,) = entries(read(tmp_path, _BODY.replace(":86:A", ":86:" + text.replace("~", "\r\n"))))
    for pair in wanted.split(" d_"):
        name, _, value = pair.removeprefix("d_").partition("=")
        said = found["d_" + name]
        if name == "original_amount":
            assert said == Decimal(value)
        else:
            assert str(said) == value.replace("~", "\n")


def test_padded_text_and_the_other_side_behind_61(tmp_path: Path) -> None:
    line = ":61:2601020102C1,NTRFGB33BUKB20201555555555"
    texts = ["ANN LTD".ljust(65), "RENT".ljust(65), "OF MAY".ljust(65)]
    parsed = read(
        tmp_path, mt(line, "ANN LTD", ":86:" + "\r\n".join(texts), closing="C260102EUR101,")
    )
    (found,) = entries(parsed)
    assert found["d_counterparty_account"] == "GB33BUKB20201555555555"
    assert found["d_counterparty_name"] == "ANN LTD"
    assert "".join(found["d_narrative"].split()) == "ANNLTDRENTOFMAY"
    assert codes(parsed) == []


@pytest.mark.parametrize("tag", [":62F:", ":64:", ":65:"])
def test_text_behind_any_balance_is_the_statements(tmp_path: Path, tag: str) -> None:
    last = "" if tag == ":62F:" else f"{tag}C260103EUR101,\r\n"
    text = ":86:/SUM/1/0/1,00/0,00/\r\n"
    parsed = read(tmp_path, _BODY.replace("-\r\n", f"{last}{text}-\r\n"))
    assert entries(parsed)[0]["d_narrative"] == "A"
    assert parsed.tables.statements["narrative"].to_pylist() == ["/SUM/1/0/1,00/0,00/"]


# :61: and what follows it -> amount
BLANKS = """
260102C   000000000013527,84   NTRFNONREF | 13527.84
260102C 30,00 N062NONREF                  | 30
260102C~30,00N062NONREF                   | 30
260102C5000,NTRFNONREF                    | 5000
260102C0,NTRFNONREF                       | 0
260102C1234567,89NTRFNONREF               | 1234567.89
"""


@pytest.mark.parametrize("case", BLANKS.strip().splitlines())
def test_blanks_around_an_amount(tmp_path: Path, case: str) -> None:
    line, wanted = (cell.strip() for cell in case.split("|"))
    (found,) = entries(read(tmp_path, mt(*f":61:{line}".split("~"))))
    assert found["amount"] == Decimal(wanted)
    assert (found["swift_type"] or "")[:1] == "N"


@pytest.mark.parametrize("length", [16, 17, 34, 40])
def test_references_of_any_length(tmp_path: Path, length: int) -> None:
    own, bank = "R" * length, "B" * length
    for line in (f"{own}//{bank}", f"A {own}//{bank}"):
        (found,) = entries(read(tmp_path, mt(f":61:260102C1,NTRF{line}")))
        assert f"{found['entry_ref']}//{found['bank_ref']}" == line


def test_a_zero_entry_is_an_entry(tmp_path: Path) -> None:
    zero = ":61:260102C0,NMSCNONREF"
    parsed = read(tmp_path, mt(zero, ":86:BALANCE CARRIED", zero, ":86:MORE TEXT"))
    assert [(e["amount"], e["d_narrative"]) for e in entries(parsed)] == [
        (0, "BALANCE CARRIED"), (0, "MORE TEXT"),
    ]  # fmt: skip
    assert codes(parsed) == []


def test_an_empty_text_field_says_nothing(tmp_path: Path) -> None:
    for text in (":86:", ":86: ", ":86:\r\n"):
        (found,) = entries(read(tmp_path, _BODY.replace(":86:A", text)))
        assert found["d_narrative"] is None
