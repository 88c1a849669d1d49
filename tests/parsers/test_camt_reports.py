"""Quirks of camt.052 and camt.054, one a case; what they share with camt.053 is tested there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.parsers.reading import codes, entries, read, refusal
from tests.parsers.test_camt053 import details, entry, statement

_NAMES = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt", "intraday"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn", "notification"),
}
_ACCOUNT = "<Acct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id><Ccy>EUR</Ccy></Acct>"


def report(*inside: str, name: str = "camt.052", version: str = "08", account: str = "") -> str:
    """A document around entries (and balances)."""
    root, element, _ = _NAMES[name]
    return (
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:{name}.001.{version}'><{root}>"
        f"<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-20T10:00:00Z</CreDtTm></GrpHdr>"
        f"<{element}><Id>S</Id>{account or _ACCOUNT}{''.join(inside)}</{element}></{root}></Document>"
    )


def balance(code: str, amount: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>"
    )


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("number", range(1, 14))
def test_every_version(tmp_path: Path, name: str, number: int) -> None:
    content = report(entry(), name=name, version=f"{number:02}")
    if number == 1:
        content = content.replace(_NAMES[name][0], _NAMES[name][0] + "V01")
    parsed = read(tmp_path, content)
    assert parsed.format == f"{name}.001.{number:02}"
    assert parsed.tables.statements["format"].to_pylist() == [parsed.format]
    assert parsed.tables.statements["kind"].to_pylist() == [_NAMES[name][2]]
    assert parsed.tables.entries["amount"].to_pylist() == [Decimal(10)]
    assert codes(parsed) == []


def test_version_01_of_a_statement_has_its_details_without_a_group(tmp_path: Path) -> None:
    inside = details("<Refs><EndToEndId>E-1</EndToEndId></Refs>")
    inside = inside.removeprefix("<NtryDtls>").removesuffix("</NtryDtls>")
    content = statement(entry(inside=inside), closing="110", version="01")
    parsed = read(tmp_path, content.replace("BkToCstmrStmt", "BkToCstmrStmtV01"))
    (found,) = entries(parsed)
    assert (found["d_end_to_end_id"], found["d_amount"]) == ("E-1", Decimal(10))


# what the bank writes in Sts | status | findings
STATUS = """
BOOK                   | booked  |
Book                   | booked  |
<Cd>PDNG</Cd>          | pending |
PDNG                   | pending |
<Cd>INFO</Cd>          | info    |
<Cd>FUTR</Cd>          | future  |
<Prtry>LATER</Prtry>   | None    | STATUS_UNKNOWN
                       | None    | STATUS_UNKNOWN
"""


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("case", STATUS.strip("\n").splitlines())
def test_status(tmp_path: Path, name: str, case: str) -> None:
    written, status, finding = (cell.strip() for cell in case.split("|"))
    parsed = read(tmp_path, report(entry(status=written), name=name))
    assert str(parsed.tables.entries["status"][0].as_py()) == status
    assert codes(parsed) == finding.split()


# balances | findings (the one entry is of 10)
BALANCES = """
                          |
ITBD 510                  |
OPBD 500, ITBD 510        |
PRCD 500, CLBD 510        |
OPBD 500, ITBD 530        | BALANCE_INTERIM
ITAV 7, FWAV 8            |
"""


@pytest.mark.parametrize("case", BALANCES.strip("\n").splitlines())
def test_interim_balances_are_optional(tmp_path: Path, case: str) -> None:
    told, _, finding = case.partition("|")
    pairs = [pair.split() for pair in told.split(",") if pair.strip()]
    content = report(*(balance(code, amount) for code, amount in pairs), entry())
    parsed = read(tmp_path, content)
    assert codes(parsed) == finding.split()
    assert parsed.tables.balances.num_rows == len(pairs)


def test_reversal_is_turned_where_balances_prove_it(tmp_path: Path) -> None:
    reversal = entry(inside="<RvslInd>true</RvslInd>")
    parsed = read(tmp_path, report(balance("OPBD", "500"), balance("CLBD", "490"), reversal))
    assert parsed.tables.entries["amount"].to_pylist() == [Decimal(-10)]
    assert codes(parsed) == ["REVERSAL_SIGN_TURNED"]


@pytest.mark.parametrize("name", _NAMES)
def test_reversal_without_balances_keeps_its_mark_and_says_so(tmp_path: Path, name: str) -> None:
    parsed = read(tmp_path, report(entry(inside="<RvslInd>true</RvslInd>"), entry(), name=name))
    assert parsed.tables.entries["amount"].to_pylist() == [Decimal(10), Decimal(10)]
    assert parsed.tables.entries["reversal"].to_pylist() == [True, False]
    assert codes(parsed) == ["REVERSAL_UNPROVEN"]


def test_account_without_currency_takes_the_first_entrys(tmp_path: Path) -> None:
    account = "<Acct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></Acct>"
    other = entry().replace("'EUR'", "'USD'")
    parsed = read(tmp_path, report(entry(), other, name="camt.054", account=account))
    (row,) = parsed.tables.statements.to_pylist()
    assert (row["currency"], row["entry_count"]) == ("EUR", 2)
    assert parsed.tables.entries["currency"].to_pylist() == ["EUR", "USD"]
    assert codes(parsed) == ["CURRENCY_DIFFERS"]


def test_time_of_creation_may_be_the_messages(tmp_path: Path) -> None:
    (row,) = read(tmp_path, report(entry(), name="camt.054")).tables.statements.to_pylist()
    assert row["created_at"] == datetime(2026, 11, 20, 10, tzinfo=UTC)
    own = report("<CreDtTm>2026-11-20T11:17:11:735</CreDtTm>", name="camt.054")
    (row,) = read(tmp_path, own).tables.statements.to_pylist()
    assert row["created_at"] == datetime(2026, 11, 20, 11, 17, 11, 735_000, tzinfo=UTC)


def test_words_and_pages_of_each_message(tmp_path: Path) -> None:
    for name, paging, text in (
        ("camt.052", "RptPgntn", "AddtlRptInf"),
        ("camt.054", "NtfctnPgntn", "AddtlNtfctnInf"),
    ):
        head = f"<{paging}><PgNb>2</PgNb><LastPgInd>false</LastPgInd></{paging}>"
        content = report(head, entry(), f"<{text}>Noon</{text}>", name=name)
        (row,) = read(tmp_path, content).tables.statements.to_pylist()
        assert (row["page"], row["last_page"], row["narrative"]) == (2, False, "Noon")


def test_missing_booking_date_stays_missing(tmp_path: Path) -> None:
    content = report(entry(status="INFO"), name="camt.054")
    content = content.replace("BookgDt", "ValDt")
    (found,) = entries(read(tmp_path, content))
    assert (found["booked_on"], found["valued_on"]) == (None, date(2026, 11, 20))


# Strd/CdtrRefInf | reference | type
REFERENCES = """
<Tp><CdOrPrtry><Prtry>QRR</Prtry></CdOrPrtry></Tp><Ref>210000000003139471430009017</Ref>    | 210000000003139471430009017 | QRR
<Tp><CdOrPrtry><Prtry>ISR Reference</Prtry></CdOrPrtry></Tp><Ref>120000000000234478943216899</Ref> | 120000000000234478943216899 | ISR
<Tp><CdOrPrtry><Prtry>isr reference</Prtry></CdOrPrtry></Tp><Ref>7</Ref>                     | 7  | ISR
<Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry><Issr>ISO</Issr></Tp><Ref>RF18539007547034</Ref>     | RF18539007547034 | SCOR
<Tp><CdOrPrtry><Prtry>IPI</Prtry></CdOrPrtry></Tp><Ref>55</Ref>                              | 55 | IPI
<Ref>210000000003139471430009017</Ref>                                                       | 210000000003139471430009017 | None
"""


@pytest.mark.parametrize("flags", ["", "<AddtlRmtInf>?REJECT?0</AddtlRmtInf>"])
@pytest.mark.parametrize("case", REFERENCES.strip().splitlines())
def test_swiss_references(tmp_path: Path, case: str, flags: str) -> None:
    written, reference, kind = (cell.strip() for cell in case.split("|"))
    strd = f"<RmtInf><Strd><CdtrRefInf>{written}</CdtrRefInf>{flags}</Strd></RmtInf>"
    (found,) = entries(read(tmp_path, report(entry(inside=details(strd)), name="camt.054")))
    assert (found["d_reference"], str(found["d_reference_type"])) == (reference, kind)
    assert found["d_narrative"] == ("?REJECT?0" if flags else None)


def test_a_collection_never_gives_its_sum_to_its_parts(tmp_path: Path) -> None:
    parts = details(*(f"<Amt Ccy='EUR'>{n}</Amt>" for n in (4, 6)), "<Refs/>")
    parsed = read(tmp_path, report(entry(inside=parts), name="camt.054"))
    assert parsed.tables.details["amount"].to_pylist() == [Decimal(4), Decimal(6), None]
    assert codes(parsed) == ["DETAIL_AMOUNT_MISSING"]


def test_one_bad_entry_is_said_with_its_line_and_the_rest_is_read(tmp_path: Path) -> None:
    content = report(entry(), "\n\n" + entry(amount="1E+999999"), entry())
    parsed = read(tmp_path, content)
    assert parsed.tables.entries["ordinal"].to_pylist() == [1, 3]
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    (finding,) = parsed.tables.findings
    assert (finding.code, finding.where) == ("ENTRY_UNREADABLE", "line 3 Ntry")
    assert "1E+999999" in finding.message


def test_several_messages_in_one_file_are_all_read(tmp_path: Path) -> None:
    head = "<?xml version='1.0'?>"
    whole = head.join(["", statement(closing="100"), report(entry()), report(name="camt.054")])
    parsed = read(tmp_path, whole)
    assert parsed.format == "camt.053.001.08"
    assert parsed.tables.statements["format"].to_pylist() == [
        "camt.053.001.08",
        "camt.052.001.08",
        "camt.054.001.08",
    ]
    assert parsed.tables.statements["kind"].to_pylist() == ["booked", "intraday", "notification"]


def test_a_document_of_another_kind_is_said(tmp_path: Path) -> None:
    head = "<?xml version='1.0'?>"
    other = "<Document><CstmrPmtStsRpt/></Document>"
    parsed = read(tmp_path, f"{head}{report(entry())}\n{head}{other}")
    assert codes(parsed) == ["CAMT_DOCUMENT_SKIPPED"]
    assert parsed.tables.findings[0].where == "line 2"


def test_the_element_decides_not_the_namespace(tmp_path: Path) -> None:
    wrong = report(entry()).replace("camt.052.001.08", "camt.053.001.02")
    parsed = read(tmp_path, wrong)
    assert parsed.format == "camt.052"
    assert parsed.tables.statements["kind"].to_pylist() == ["intraday"]


@pytest.mark.parametrize("name", _NAMES)
def test_without_a_report_it_is_refused(tmp_path: Path, name: str) -> None:
    root, element, _ = _NAMES[name]
    error = refusal(tmp_path, f"<Document><{root}><GrpHdr/></{root}></Document>")
    assert error.code == "CAMT_NO_STATEMENT"
    assert element in error.message
