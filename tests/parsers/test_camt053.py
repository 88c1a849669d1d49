"""Quirks of camt.053, one a case."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.parsers.reading import codes, entries, read

_BALANCE = (
    "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
    "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>"
)


def statement(*entries: str, closing: str = "100", extra: str = "", version: str = "08") -> str:
    """A document around entries; it opens with 100.00 EUR."""
    return (
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}'><BkToCstmrStmt>"
        "<GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>S</Id>"
        "<Acct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        + _BALANCE.format(code="OPBD", amount="100.00")
        + _BALANCE.format(code="CLBD", amount=closing)
        + "".join(entries)
        + f"{extra}</Stmt></BkToCstmrStmt></Document>"
    )


def entry(amount: str = "10.00", mark: str = "CRDT", inside: str = "", status: str = "BOOK") -> str:
    """An entry; ``inside`` goes behind its dates."""
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd><Sts>{status}</Sts>"
        f"<BookgDt><Dt>2026-11-20</Dt></BookgDt>{inside}</Ntry>"
    )


def details(*inside: str) -> str:
    """Transaction details of an entry."""
    return "<NtryDtls>" + "".join(f"<TxDtls>{x}</TxDtls>" for x in inside) + "</NtryDtls>"


@pytest.mark.parametrize("number", range(1, 14))
def test_every_version(tmp_path: Path, number: int) -> None:
    parsed = read(tmp_path, statement(entry(), closing="110", version=f"{number:02}"))
    assert parsed.format == f"camt.053.001.{number:02}"
    assert codes(parsed) == []


STATUS = """
BOOK                 | booked
<Cd>BOOK</Cd>        | booked
<Cd>PDNG</Cd>        | pending
<Cd>INFO</Cd>        | info
<Cd>FUTR</Cd>        | future
"""


@pytest.mark.parametrize("case", STATUS.strip().splitlines())
def test_status_as_text_or_code(tmp_path: Path, case: str) -> None:
    status, wanted = (cell.strip() for cell in case.split("|"))
    (found,) = entries(read(tmp_path, statement(entry(status=status))))
    assert found["status"] == wanted


def test_only_booked_entries_count_for_the_balance(tmp_path: Path) -> None:
    parsed = read(tmp_path, statement(entry(status="<Cd>PDNG</Cd>"), entry(), closing="110"))
    assert codes(parsed) == []


DATES = """
<Dt>2026-11-20</Dt>                              | 2026-11-20 |
<Dt>2026-11-20+02:00</Dt>                        | 2026-11-20 |
<DtTm>2026-11-20T23:59:59.123456+02:00</DtTm>    | 2026-11-20 |
<DtTm>2019-08-09T11:17:11:735</DtTm>             | 2019-08-09 |
<Dt>2026-02-30</Dt>                              | None       | DATE_MALFORMED
<Dt>YYYY-MM-DD</Dt>                              | None       | DATE_MALFORMED
                                                 | None       |
"""


@pytest.mark.parametrize("case", DATES.strip("\n").splitlines())
def test_dates_are_as_written_or_null(tmp_path: Path, case: str) -> None:
    raw, wanted, code = (cell.strip() for cell in case.split("|"))
    parsed = read(tmp_path, statement(entry(inside=f"<ValDt>{raw}</ValDt>"), closing="110"))
    assert str(entries(parsed)[0]["valued_on"]) == wanted
    assert codes(parsed) == ([code] if code else [])


def test_missing_booking_date_stays_missing(tmp_path: Path) -> None:
    raw = entry().replace("<BookgDt><Dt>2026-11-20</Dt></BookgDt>", "")
    (found,) = entries(read(tmp_path, statement(raw)))
    assert (found["booked_on"], found["valued_on"]) == (None, None)


AMOUNTS = """
000000000000149.87 | 149.87
80                 | 80
1.23456            | 1.23456
0                  | 0
"""


@pytest.mark.parametrize("case", AMOUNTS.strip().splitlines())
def test_amounts_banks_write(tmp_path: Path, case: str) -> None:
    raw, wanted = (cell.strip() for cell in case.split("|"))
    (found,) = entries(read(tmp_path, statement(entry(raw))))
    assert found["amount"] == Decimal(wanted)


@pytest.mark.parametrize("raw", ["1E+999999", "NaN", "-5", "1,234.5", "", "٣", "9" * 400, "１"])
def test_unreadable_amount_is_isolated(tmp_path: Path, raw: str) -> None:
    parsed = read(tmp_path, statement(entry(raw), entry(), closing="110"))
    assert [e["amount"] for e in entries(parsed)] == [10]
    assert codes(parsed) == ["ENTRY_UNREADABLE"]
    assert parsed.tables.findings[0].where == "line 1 Ntry"
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]


def test_reversal_keeps_the_final_mark_where_it_ties(tmp_path: Path) -> None:
    parsed = read(tmp_path, statement(entry("10", "DBIT", "<RvslInd>true</RvslInd>"), closing="90"))
    assert [(e["amount"], e["reversal"]) for e in entries(parsed)] == [(-10, True)]
    assert codes(parsed) == []


def test_reversal_is_turned_where_only_that_ties(tmp_path: Path) -> None:
    inside = "<RvslInd>true</RvslInd>" + details("<Amt Ccy='EUR'>10</Amt>")
    parsed = read(tmp_path, statement(entry("10", "CRDT", inside), closing="90"))
    assert [(e["amount"], e["d_amount"]) for e in entries(parsed)] == [(-10, -10)]
    assert codes(parsed) == ["REVERSAL_SIGN_TURNED"]


def test_reversal_stays_where_the_balances_prove_nothing(tmp_path: Path) -> None:
    parsed = read(tmp_path, statement(entry("10", "CRDT", "<RvslInd>true</RvslInd>"), closing="55"))
    assert [e["amount"] for e in entries(parsed)] == [10]
    assert codes(parsed) == ["REVERSAL_UNPROVEN", "BALANCE_MISMATCH"]


def test_empty_reversal_indicator_is_none(tmp_path: Path) -> None:
    (found,) = entries(read(tmp_path, statement(entry(inside="<RvslInd/>"), closing="110")))
    assert found["reversal"] is False


def _amounts(tmp_path: Path, *inside: str, entry_amount: str = "30") -> tuple[list[str], list[str]]:
    body = statement(entry(entry_amount, "DBIT", details(*inside)), closing="70")
    parsed = read(tmp_path, body)
    return [str(d["amount"]) for d in parsed.tables.details.to_pylist()], codes(parsed)


def test_details_never_inherit_the_amount_of_a_batch(tmp_path: Path) -> None:
    found, findings = _amounts(tmp_path, "<Refs/>", "<Refs/>")
    assert found == ["None", "None"]
    assert findings == ["DETAIL_AMOUNT_MISSING"]


def test_the_only_detail_takes_the_entrys_amount(tmp_path: Path) -> None:
    assert _amounts(tmp_path, "<Refs/>") == (["-30.00000"], [])


def test_an_entry_without_details_has_one(tmp_path: Path) -> None:
    (found,) = entries(read(tmp_path, statement(entry("30", "DBIT"), closing="70")))
    assert (found["detail_count"], found["d_amount"]) == (1, -30)


def test_details_that_do_not_sum(tmp_path: Path) -> None:
    found, findings = _amounts(tmp_path, "<Amt Ccy='EUR'>10</Amt>", "<Amt Ccy='EUR'>10</Amt>")
    assert found == ["-10.00000", "-10.00000"]
    assert findings == ["DETAIL_SUM_MISMATCH"]


def test_charges_explain_the_difference(tmp_path: Path) -> None:
    charge = "<Chrgs><Amt Ccy='EUR'>4</Amt><CdtDbtInd>DBIT</CdtDbtInd></Chrgs>"
    found, findings = _amounts(tmp_path, f"<Amt Ccy='EUR'>26</Amt>{charge}")
    assert (found, findings) == (["-26.00000"], [])


def test_announced_details_that_are_elsewhere(tmp_path: Path) -> None:
    inside = "<NtryDtls><Btch><PmtInfId>R1</PmtInfId><NbOfTxs>203</NbOfTxs></Btch></NtryDtls>"
    parsed = read(tmp_path, statement(entry(inside=inside), closing="110"))
    (found,) = entries(parsed)
    assert (found["d_amount"], found["d_payment_info_id"]) == (None, "R1")
    assert codes(parsed) == ["DETAILS_ELSEWHERE"]


FX = (
    "<AmtDtls><InstdAmt><Amt Ccy='USD'>11</Amt></InstdAmt><TxAmt><Amt Ccy='EUR'>10</Amt><CcyXchg>"
    "<SrcCcy>USD</SrcCcy><TrgtCcy>EUR</TrgtCcy><XchgRate>1.1</XchgRate></CcyXchg></TxAmt></AmtDtls>"
)


@pytest.mark.parametrize(
    "inside", [FX, "<Amt Ccy='EUR'>10</Amt>" + FX, "<Amt Ccy='USD'>11</Amt>" + FX]
)
def test_foreign_amount_is_never_the_detail_amount(tmp_path: Path, inside: str) -> None:
    (found,) = entries(read(tmp_path, statement(entry(inside=details(inside)), closing="110")))
    assert (found["d_amount"], found["d_currency"]) == (10, "EUR")
    assert (found["d_original_amount"], found["d_original_currency"]) == (11, "USD")
    assert found["d_fx_rate"] == Decimal("1.1")


PARTIES = """
CRDT | <Dbtr><Nm>Ann</Nm></Dbtr>                                                  | Ann
CRDT | <Dbtr><Pty><Nm>Ann</Nm></Pty></Dbtr><Cdtr><Nm>Us</Nm></Cdtr>               | Ann
DBIT | <Dbtr><Nm>Us</Nm></Dbtr><Cdtr><Nm>Ann</Nm></Cdtr>                          | Ann
CRDT | <Cdtr><Nm>Ann</Nm></Cdtr>                                                  | Ann
CRDT | <Dbtr/><Cdtr><Nm>Us</Nm></Cdtr><CdtrAcct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></CdtrAcct> | None
CRDT | <Dbtr><Nm>NOTPROVIDED</Nm></Dbtr>                                          | None
"""


@pytest.mark.parametrize("case", PARTIES.strip().splitlines())
def test_counterparty_is_the_other_side(tmp_path: Path, case: str) -> None:
    mark, parties, wanted = (cell.strip() for cell in case.split("|"))
    inside = details(f"<RltdPties>{parties}</RltdPties>")
    (found,) = entries(read(tmp_path, statement(entry("1", mark, inside))))
    assert str(found["d_counterparty_name"]) == wanted


def test_returned_payment_names_the_payee_and_the_reason(tmp_path: Path) -> None:
    inside = details(
        "<RltdPties><Dbtr><Nm>Us</Nm></Dbtr><Cdtr><Nm>Ann</Nm></Cdtr></RltdPties>"
        "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    )
    (found,) = entries(read(tmp_path, statement(entry(inside=inside), closing="110")))
    assert (found["d_counterparty_name"], found["d_return_reason"]) == ("Ann", "AC04")


def test_all_remittance_is_kept(tmp_path: Path) -> None:
    strd = (
        "<Strd><CdtrRefInf><Tp><CdOrPrtry><Prtry>QRR</Prtry></CdOrPrtry></Tp>"
        "<Ref>{}</Ref></CdtrRefInf></Strd>"
    )
    free = f"<Ustrd>one</Ustrd><Ustrd>{'x' * 204}</Ustrd>"
    inside = details(
        f"<RmtInf>{free}{strd.format(7)}{strd.format(8)}</RmtInf><AddtlTxInf>more</AddtlTxInf>"
    )
    (found,) = entries(read(tmp_path, statement(entry(inside=inside), closing="110")))
    assert (found["d_reference"], found["d_reference_type"]) == ("7", "QRR")
    assert found["d_narrative"] == f"one {'x' * 204} 8 more"


def test_header_facts(tmp_path: Path) -> None:
    raw = statement(entry(), closing="110").replace(
        "<Id>S</Id>",
        "<Id>S</Id><StmtPgntn><PgNb>2</PgNb><LastPgInd>YES</LastPgInd></StmtPgntn>"
        "<ElctrncSeqNb>7</ElctrncSeqNb><LglSeqNb>9</LglSeqNb>"
        "<CreDtTm>2026-11-20T10:00:00+01:00</CreDtTm>",
    )
    (row,) = read(tmp_path, raw).tables.statements.to_pylist()
    assert (row["page"], row["last_page"], row["sequence_no"]) == (2, True, 7)
    assert row["created_at"] == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_balance_without_mark_or_date(tmp_path: Path) -> None:
    raw = statement(closing="100").replace(
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt>", ""
    )
    parsed = read(tmp_path, raw)
    assert codes(parsed) == ["BALANCE_SIGN_MISSING", "DATE_MISSING"] * 2
    assert parsed.tables.balances["on"].to_pylist() == [None, None]


def test_previous_closing_is_an_opening_and_interim_pages_have_codes(tmp_path: Path) -> None:
    raw = statement(entry(), closing="110")
    assert codes(read(tmp_path, raw.replace("OPBD", "PRCD"))) == []
    paged = raw.replace(
        "<Cd>CLBD</Cd></CdOrPrtry>", "<Cd>CLBD</Cd></CdOrPrtry><SubTp><Cd>INTM</Cd></SubTp>"
    )
    parsed = read(tmp_path, paged)
    assert parsed.tables.balances["code"].to_pylist() == ["OPBD", "ITBD"]
    assert codes(parsed) == []


def test_entries_before_the_account_are_kept(tmp_path: Path) -> None:
    raw = statement(entry(), closing="110")
    start, end = raw.index("<Acct>"), raw.index("</Acct>") + len("</Acct>")
    late = (raw[:start] + raw[end:]).replace("</Stmt>", raw[start:end] + "</Stmt>")
    parsed = read(tmp_path, late)
    assert parsed.tables.entries["account_id"].to_pylist() == ["GB33BUKB20201555555555"]


def test_number_of_entries_is_checked(tmp_path: Path) -> None:
    summary = "<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries></TxsSummry>"
    parsed = read(tmp_path, statement(entry(), closing="110", extra=summary))
    assert codes(parsed) == ["ENTRY_COUNT_MISMATCH"]


def test_entry_in_another_currency_is_left_out_of_the_proof(tmp_path: Path) -> None:
    parsed = read(tmp_path, statement(entry().replace("EUR", "USD"), closing="100"))
    assert codes(parsed) == ["CURRENCY_DIFFERS"]
    assert parsed.tables.entries["currency"].to_pylist() == ["USD"]


def test_wrong_encoding_declaration_is_mended_with_a_finding(tmp_path: Path) -> None:
    raw = statement(entry(inside="<AddtlNtryInf>Zürich</AddtlNtryInf>"), closing="110")
    parsed = read(tmp_path, raw.encode("cp1252"))
    assert entries(parsed)[0]["narrative"] == "Zürich"
    assert codes(parsed) == ["XML_ENCODING"]


def test_comments_cdata_and_entities_are_text(tmp_path: Path) -> None:
    text = "<AddtlNtryInf>a<!-- x -->b<![CDATA[<c>]]>&amp;&#100;</AddtlNtryInf>"
    (found,) = entries(read(tmp_path, statement(entry(inside=text), closing="110")))
    assert found["narrative"] == "ab<c>&d"


def test_blank_lines_before_the_declaration(tmp_path: Path) -> None:
    parsed = read(tmp_path, "\n\n<?xml version='1.0'?>\n" + statement(entry(), closing="110"))
    assert parsed.tables.entries["line_no"].to_pylist() == [4]


def test_batches_hold_five_thousand_entries(tmp_path: Path) -> None:
    from parsers._camt_message import strict
    from parsers._camt_shapes import STATEMENT

    path = tmp_path / "big.xml"
    path.write_text(statement(*[entry("1")] * 12_000, closing="12100"))
    batches = list(strict(path, STATEMENT))  # the fast reader's are as large as its chunks
    assert [b.entries.num_rows for b in batches] == [5000, 5000, 2000]
    assert [b.statements.num_rows for b in batches] == [0, 0, 1]
    assert batches[-1].findings == ()
    assert date(2026, 11, 20) == batches[1].entries["booked_on"][0].as_py()
