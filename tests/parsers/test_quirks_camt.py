"""Quirks of camt files that no other test holds, one a case; `quirks` says what proves what."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import parsers
from tests.parsers.reading import codes, entries, read, refusal
from tests.parsers.test_camt053 import details, entry, statement

_OWN = "xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'"

# What stands in place of the usual namespace -> the format.
SPACES = """
xmlns='urn:iso:20023:tech:xsd:camt.053.001.02'                     | camt.053.001.02
xmlns='urn:iso:std:iso:20023:tech:xsd:camt.053.001.04'             | camt.053.001.04
xmlns='ISO:camt.053.001.02:APC:STUZZA:payments:003'                | camt.053.001.02
xmlns='http://www.six-interbank-clearing.com/de/camt.053.001.04.ch.02.xsd' | camt.053.001.04
Xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'             | camt.053.001.08
                                                                   | camt.053
xmlns='urn:example'                                                | camt.053
xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.14'             | camt.053.001.14
"""


@pytest.mark.parametrize("case", SPACES.strip("\n").splitlines())
def test_namespaces_of_any_kind(tmp_path: Path, case: str) -> None:
    space, wanted = (cell.strip() for cell in case.split("|"))
    parsed = read(tmp_path, statement(entry(), closing="110").replace(_OWN, space))
    assert parsed.format == wanted
    assert (len(entries(parsed)), codes(parsed)) == (1, [])


AROUND = """
<message><AppHdr xmlns='urn:iso:std:iso:20022:tech:xsd:head.001.001.01'><BizMsgIdr>1</BizMsgIdr></AppHdr>|</message>
<BizMsgEnvlp xmlns='urn:iso:std:iso:20022:tech:xsd:nvlp.001.001.01'><Hdr><x/></Hdr><Doc>|</Doc></BizMsgEnvlp>
<a:m xmlns:a='urn:x'><a:b><a:c>|</a:c></a:b></a:m>
"""


@pytest.mark.parametrize("case", AROUND.strip().splitlines())
def test_a_business_header_around_the_document(tmp_path: Path, case: str) -> None:
    before, after = case.split("|")
    parsed = read(tmp_path, before + statement(entry(), closing="110") + after)
    assert parsed.format == "camt.053.001.08"
    assert (len(entries(parsed)), codes(parsed)) == (1, [])


def test_several_statements_one_without_entries(tmp_path: Path) -> None:
    raw = statement(entry(), closing="110")
    one = raw[raw.index("<Stmt>") : raw.index("</BkToCstmrStmt>")]
    none = one[: one.index("<Ntry>")].replace("20201555555555", "20201666666666") + "</Stmt>"
    parsed = read(tmp_path, raw.replace(one, none.replace(">110<", ">100.00<") + one))
    rows = parsed.tables.statements.to_pylist()
    assert [r["entry_count"] for r in rows] == [0, 1]
    assert len({r["account_id"] for r in rows}) == 2
    assert codes(parsed) == []


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_every_kind_of_line_end(tmp_path: Path, end: str) -> None:
    raw = "<?xml version='1.0'?>\n" + statement(entry(), closing="110").replace("><", ">\n<")
    parsed = read(tmp_path, raw.replace("\n", end).encode())
    assert (len(entries(parsed)), codes(parsed)) == (1, [])


@pytest.mark.parametrize(
    "declared", ["", "<?xml version='1.0'?>", "<?xml version='1.0' encoding='UTF-8'?>"]
)
@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("iso-8859-15", "10 € für Tee"),
        ("cp1252", "10 € für Tee"),
        ("cp1252", "“für” Tee"),
        ("latin-1", "für Tee"),
    ],
)
def test_bytes_that_are_not_what_is_declared(
    tmp_path: Path, declared: str, written: str, text: str
) -> None:
    raw = declared + statement(entry(inside=f"<AddtlNtryInf>{text}</AddtlNtryInf>"), closing="110")
    parsed = read(tmp_path, raw.encode(written))
    assert entries(parsed)[0]["narrative"] == text
    assert codes(parsed) == ["XML_ENCODING"]


def test_byte_order_mark(tmp_path: Path) -> None:
    raw = "<?xml version='1.0'?>" + statement(entry(), closing="110")
    for encoding in ("utf-8-sig", "utf-16"):
        assert codes(read(tmp_path, raw.encode(encoding))) == []


def test_content_of_another_version_is_read(tmp_path: Path) -> None:
    inside = details(
        "<RltdPties><Dbtr><Pty><Nm>Ann</Nm></Pty></Dbtr></RltdPties>"
        "<RltdAgts><DbtrAgt><FinInstnId><BICFI>TESTGB2L</BICFI></FinInstnId></DbtrAgt></RltdAgts>"
    )
    summary = (
        "<TxsSummry><TtlNtries><NbOfNtries>1</NbOfNtries><TtlNetNtry><Amt>10</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd></TtlNetNtry></TtlNtries></TxsSummry>"
    )
    new = statement(entry(inside=inside), closing="110", extra=summary, version="02")
    old = statement(
        entry(inside=inside.replace("<Pty>", "").replace("</Pty>", "").replace("BICFI", "BIC")),
        closing="110",
    )
    for raw in (new, old):
        parsed = read(tmp_path, raw)
        (found,) = entries(parsed)
        assert (found["d_counterparty_name"], found["d_counterparty_bic"]) == ("Ann", "TESTGB2L")
        assert codes(parsed) == []


def test_what_a_schema_forbids_is_read(tmp_path: Path) -> None:
    raw = statement(entry(inside="<Unheard><Of>1</Of></Unheard>"), closing="110")
    raw = raw.replace("<GrpHdr><MsgId>M</MsgId></GrpHdr>", "").replace("<Id>S</Id>", "")
    parsed = read(tmp_path, raw)
    assert (len(entries(parsed)), codes(parsed)) == (1, [])


# RvslInd: mark of two entries of 10 and 3, closing -> signed amounts, findings
REVERSALS = """
CRDT DBIT | 107 | 10 -3 |
CRDT DBIT | 93  | -10 3 | REVERSAL_SIGN_TURNED REVERSAL_SIGN_TURNED
CRDT CRDT | 87  | -10 -3 | REVERSAL_SIGN_TURNED REVERSAL_SIGN_TURNED
CRDT CRDT | 50  | 10 3  | REVERSAL_UNPROVEN BALANCE_MISMATCH
"""


@pytest.mark.parametrize("case", REVERSALS.strip().splitlines())
def test_reversals_are_decided_by_the_balances(tmp_path: Path, case: str) -> None:
    marks, closing, wanted, found = (cell.strip() for cell in case.split("|"))
    reverse = "<RvslInd>true</RvslInd>"
    pair = [entry(a, m, reverse) for a, m in zip(("10", "3"), marks.split(), strict=True)]
    parsed = read(tmp_path, statement(*pair, closing=closing))
    assert [f"{e['amount'].normalize():f}" for e in entries(parsed)] == wanted.split()
    assert codes(parsed) == found.split()


def test_reversal_without_balances_is_said(tmp_path: Path) -> None:
    raw = statement(entry("10", "CRDT", "<RvslInd>true</RvslInd>"), closing="90")
    raw = raw.replace("CLBD", "CLAV")
    assert codes(read(tmp_path, raw)) == ["REVERSAL_UNPROVEN", "BALANCE_MISSING"]


def test_a_pair_that_cancels_out_proves_no_sign(tmp_path: Path) -> None:
    reverse = "<RvslInd>true</RvslInd>"
    pair = [entry("10", "CRDT", reverse), entry("10", "DBIT", reverse)]
    parsed = read(tmp_path, statement(*pair, closing="100"))
    assert [e["amount"] for e in entries(parsed)] == [10, -10]
    assert codes(parsed) == ["REVERSAL_UNPROVEN"]


def test_every_entry_and_every_detail_is_read(tmp_path: Path) -> None:
    inside = details(*(f"<Amt Ccy='EUR'>{n}</Amt>" for n in (1, 2, 7)))
    parsed = read(tmp_path, statement(entry(inside=inside), entry("5"), closing="115"))
    assert parsed.tables.entries["amount"].to_pylist() == [10, 5]
    assert parsed.tables.details["amount"].to_pylist() == [1, 2, 7, 5]


def test_an_entry_is_the_same_with_and_without_its_details(tmp_path: Path) -> None:
    """So taking details into account or not, at any time, makes no duplicate."""
    ref = "<AcctSvcrRef>B7</AcctSvcrRef>"
    batch = details("<Amt Ccy='EUR'>4</Amt>", "<Amt Ccy='EUR'>6</Amt>")
    ids = [
        read(tmp_path, statement(entry(inside=ref + x), closing="110")).tables.entries["entry_id"]
        for x in ("", batch)
    ]
    assert ids[0].to_pylist() == ids[1].to_pylist()


# entry | detail amount | charges inside -> detail, charges, findings
CHARGES = """
1526 DBIT | 1500 | <Chrgs><Amt Ccy='EUR'>26</Amt><CdtDbtInd>DBIT</CdtDbtInd></Chrgs> | -1500 | -26 |
1500 DBIT | 1500 | <Chrgs><Amt Ccy='EUR'>26</Amt><ChrgInclInd>false</ChrgInclInd></Chrgs> | -1500 | -26 |
1474 CRDT | 1500 | <Chrgs><Rcrd><Amt Ccy='EUR'>26</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd></Chrgs> | 1500 | -26 |
1474 CRDT | 1500 | <Chrgs><TtlChrgsAndTaxAmt Ccy='EUR'>26</TtlChrgsAndTaxAmt></Chrgs> | 1500 | -26 |
1526 CRDT | 1500 | <Chrgs><Rcrd><Amt Ccy='EUR'>26</Amt><CdtDbtInd>CRDT</CdtDbtInd></Rcrd></Chrgs> | 1500 | 26 |
1526 DBIT | 1500 |                                                                            | -1500 | None | DETAIL_SUM_MISMATCH
1526 DBIT | 1500 | <Chrgs><Amt Ccy='USD'>26</Amt></Chrgs>                                      | -1500 | None | DETAIL_SUM_MISMATCH
"""


@pytest.mark.parametrize("case", CHARGES.strip().splitlines())
def test_charges(tmp_path: Path, case: str) -> None:
    money, part, charges, amount, wanted, found = (cell.strip() for cell in case.split("|"))
    value, mark = money.split()
    signed = Decimal(value) if mark == "CRDT" else -Decimal(value)
    inside = details(f"<Amt Ccy='EUR'>{part}</Amt>{charges}")
    raw = statement(entry(value, mark, inside), closing=str(5000 + signed))
    parsed = read(tmp_path, raw.replace(">100.00<", ">5000.00<"))
    (row,) = entries(parsed)
    assert (row["amount"], row["d_amount"]) == (signed, Decimal(amount))
    assert str(row["d_charges"] and row["d_charges"].normalize()) == wanted
    assert codes(parsed) == found.split()


# SrcCcy TrgtCcy UnitCcy rate of an entry of 10 EUR for 11 USD -> as stated, findings
RATES = """
<SrcCcy>USD</SrcCcy><TrgtCcy>EUR</TrgtCcy><XchgRate>1.1</XchgRate>                        | 1.1    |
<SrcCcy>EUR</SrcCcy><TrgtCcy>USD</TrgtCcy><UnitCcy>EUR</UnitCcy><XchgRate>1.1</XchgRate>  | 1.1    |
<SrcCcy>EUR</SrcCcy><TrgtCcy>USD</TrgtCcy><XchgRate>0.9090909</XchgRate>                  | 0.9090909 |
<XchgRate>0.9090909</XchgRate>                                                            | 0.9090909 |
<XchgRate>110</XchgRate>                                                                  | 110    |
<XchgRate>11</XchgRate>                                                                   | 11     | FX_RATE_UNPROVEN
<XchgRate>1.31</XchgRate>                                                                 | 1.31   | FX_RATE_UNPROVEN
<XchgRate>x</XchgRate>                                                                    | None   |
"""


@pytest.mark.parametrize("case", RATES.strip().splitlines())
def test_rates_are_kept_and_proven_by_the_amounts(tmp_path: Path, case: str) -> None:
    exchange, rate, found = (cell.strip() for cell in case.split("|"))
    inside = details(
        "<AmtDtls><InstdAmt><Amt Ccy='USD'>11</Amt></InstdAmt><TxAmt><Amt Ccy='EUR'>10</Amt>"
        f"<CcyXchg>{exchange}</CcyXchg></TxAmt></AmtDtls>"
    )
    parsed = read(tmp_path, statement(entry(inside=inside), closing="110"))
    (row,) = entries(parsed)
    assert (row["d_amount"], row["d_original_amount"], row["d_original_currency"]) == (
        10,
        11,
        "USD",
    )
    assert (f"{row['d_fx_rate'].normalize():f}" if row["d_fx_rate"] else "None") == rate
    assert codes(parsed) == found.split()


# balance: type element -> code
BALANCES = """
<Cd>CLAV</Cd>      | CLAV
<Cd>FWAV</Cd>      | FWAV
<Cd>XPCD</Cd>      | XPCD
<Cd>INFO</Cd>      | INFO
<Prtry>010</Prtry> | OPBD
<Prtry>015</Prtry> | CLBD
<Prtry>040</Prtry> | OPAV
<Prtry>045</Prtry> | CLAV
<Prtry>OWN</Prtry> | OWN
"""


@pytest.mark.parametrize("case", BALANCES.strip().splitlines())
def test_balance_codes(tmp_path: Path, case: str) -> None:
    element, wanted = (cell.strip() for cell in case.split("|"))
    extra = (
        f"<Bal><Tp><CdOrPrtry>{element}</CdOrPrtry></Tp><Amt Ccy='EUR'>7</Amt>"
        "<CdtDbtInd>DBIT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>"
    )
    raw = statement(entry(), closing="110").replace("<Ntry>", extra * 2 + "<Ntry>", 1)
    parsed = read(tmp_path, raw)
    balances = parsed.tables.balances.to_pylist()
    assert [b["code"] for b in balances] == ["OPBD", "CLBD", wanted, wanted]
    assert [b["amount"] for b in balances] == [100, 110, -7, -7]
    assert ("BALANCE_MISMATCH" in codes(parsed)) == (wanted == "CLBD")


def test_an_overdrawn_account_ties(tmp_path: Path) -> None:
    raw = statement(entry("10", "DBIT"), closing="110").replace(
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt>", "<CdtDbtInd>DBIT</CdtDbtInd><Dt>"
    )
    parsed = read(tmp_path, raw)
    assert parsed.tables.balances["amount"].to_pylist() == [-100, -110]
    assert codes(parsed) == []


def test_booking_date_with_a_time(tmp_path: Path) -> None:
    raw = entry().replace("<Dt>2026-11-20</Dt>", "<DtTm>2026-11-20T23:59:59.123456Z</DtTm>")
    (found,) = entries(read(tmp_path, statement(raw, closing="110")))
    assert str(found["booked_on"]) == "2026-11-20"


def test_the_same_booking_in_three_messages_has_one_id(tmp_path: Path) -> None:
    raw = statement(entry(inside="<AcctSvcrRef>B7</AcctSvcrRef>"), closing="110")
    names = [
        ("BkToCstmrStmt", "Stmt", "camt.053"),
        ("BkToCstmrAcctRpt", "Rpt", "camt.052"),
        ("BkToCstmrDbtCdtNtfctn", "Ntfctn", "camt.054"),
    ]
    ids = []
    for root, element, name in names:
        text = raw.replace("BkToCstmrStmt", root).replace("Stmt>", element + ">")
        parsed = read(tmp_path, text.replace("camt.053", name))
        assert parsed.format.startswith(name)
        ids.append(parsed.tables.entries["entry_id"].to_pylist())
    assert ids[0] == ids[1] == ids[2]


# :Id: of the account -> account | scheme
ACCOUNTS = """
<IBAN>GB33BUKB20201555555555</IBAN>               | GB33BUKB20201555555555 | IBAN
<Othr><Id>GB33 BUKB 2020 1555 5555 55</Id></Othr> | GB33BUKB20201555555555 | IBAN
<Othr><Id>01-23456-7</Id></Othr>                  | 01-23456-7             | other
"""


@pytest.mark.parametrize("case", ACCOUNTS.strip().splitlines())
def test_accounts(tmp_path: Path, case: str) -> None:
    element, account, scheme = (cell.strip() for cell in case.split("|"))
    raw = statement(entry(), closing="110")
    parsed = read(tmp_path, raw.replace("<IBAN>GB33BUKB20201555555555</IBAN>", element))
    (row,) = parsed.tables.statements.to_pylist()
    assert (row["account_id"], row["account_scheme"]) == (account, scheme)
    assert parsed.tables.entries["account_id"].to_pylist() == [account]


def test_a_rejected_marker_hides_no_reference(tmp_path: Path) -> None:
    def part(ref: str, kind: str) -> str:
        return f"<Strd><CdtrRefInf><Tp><CdOrPrtry>{kind}</CdOrPrtry></Tp><Ref>{ref}</Ref></CdtrRefInf><AddtlRmtInf>?REJECT?0</AddtlRmtInf></Strd>"

    for kind, wanted in (
        ("<Prtry>ISR Reference</Prtry>", "ISR"), ("<Cd>SCOR</Cd>", "SCOR"), ("<Prtry>QRR</Prtry>", "QRR"),
    ):  # fmt: skip
        remittance = f"<RmtInf>{part('4711', kind)}<Ustrd>?REJECT?0</Ustrd></RmtInf>"
        (found,) = entries(
            read(tmp_path, statement(entry(inside=details(remittance)), closing="110"))
        )
        assert (found["d_reference"], found["d_reference_type"]) == ("4711", wanted)
        assert found["d_narrative"] == "?REJECT?0 ?REJECT?0"


def test_the_entrys_own_text_stands_beside_its_details(tmp_path: Path) -> None:
    inside = details("<Refs/>") + "<AddtlNtryInf>Card payment 7</AddtlNtryInf>"
    (found,) = entries(read(tmp_path, statement(entry(inside=inside), closing="110")))
    assert found["narrative"] == "Card payment 7"


CODES = """
<BkTxCd/>                                                    |      |      |      |                 |
                                                             |      |      |      |                 |
<BkTxCd><Prtry><Cd>NTRF+166+9310</Cd><Issr>ZKA</Issr></Prtry></BkTxCd> | | |      | NTRF+166+9310   | NTRF
<BkTxCd><Prtry><Cd>694</Cd></Prtry></BkTxCd>                 |      |      |      | 694             |
<BkTxCd><Prtry><Cd>KLIRNG</Cd></Prtry></BkTxCd>              |      |      |      | KLIRNG          |
<BkTxCd><Domn><Cd>ZZZZ</Cd><Fmly><Cd>QQQQ</Cd><SubFmlyCd>XXXX</SubFmlyCd></Fmly></Domn></BkTxCd> | ZZZZ | QQQQ | XXXX | |
"""


@pytest.mark.parametrize("case", CODES.strip("\n").splitlines())
def test_transaction_codes(tmp_path: Path, case: str) -> None:
    inside, *wanted = (cell.strip() for cell in case.split("|"))
    parsed = read(tmp_path, statement(entry(inside=inside), closing="110"))
    (found,) = entries(parsed)
    names = ("code_domain", "code_family", "code_subfamily", "code_proprietary", "swift_type")
    assert [found[name] or "" for name in names] == wanted
    assert codes(parsed) == []


@pytest.mark.parametrize(
    "word", ["NOTPROVIDED", "NONREF", "notprovided", "keine Information vorhanden"]
)
def test_words_for_nothing_are_no_data(tmp_path: Path, word: str) -> None:
    inside = details(
        f"<Refs><EndToEndId>{word}</EndToEndId><MndtId>{word}</MndtId></Refs>"
        f"<RltdPties><Dbtr><Nm>{word}</Nm></Dbtr></RltdPties><RmtInf><Ustrd>{word}</Ustrd></RmtInf>"
    )
    raw = statement(entry(inside=f"<AcctSvcrRef>{word}</AcctSvcrRef>{inside}"), closing="110")
    (found,) = entries(read(tmp_path, raw))
    names = ("d_end_to_end_id", "d_mandate_id", "d_counterparty_name", "d_narrative", "bank_ref")
    assert [found[name] for name in names] == [None] * 5


def test_the_reason_of_a_return(tmp_path: Path) -> None:
    rest = "<OrgnlBkTxCd><Prtry><Cd>NDDT</Cd></Prtry></OrgnlBkTxCd>"
    for raw, wanted in (
        ("<Rsn><Cd>MD06</Cd></Rsn>", "MD06"), ("<Rsn><Prtry>own</Prtry></Rsn>", "own"),
    ):  # fmt: skip
        inside = details(f"<RtrInf>{rest}{raw}</RtrInf>")
        (found,) = entries(read(tmp_path, statement(entry(inside=inside), closing="110")))
        assert found["d_return_reason"] == wanted


def test_identification_needs_no_name() -> None:
    for root, name in (
        ("BkToCstmrAcctRpt", "camt.052"), ("BkToCstmrStmt", "camt.053"),
        ("BkToCstmrDbtCdtNtfctn", "camt.054"),
    ):  # fmt: skip
        assert parsers.identify(f"<Document><{root}>".encode()) == name


def test_amount_of_version_02(tmp_path: Path) -> None:
    part = "<AmtDtls><TxAmt><Amt Ccy='EUR'>{}</Amt></TxAmt></AmtDtls>"
    inside = details(part.format(4), part.format(6))
    parsed = read(tmp_path, statement(entry("10", "DBIT", inside), closing="90", version="02"))
    assert parsed.tables.details["amount"].to_pylist() == [-4, -6]
    assert codes(parsed) == []


def test_a_statement_inside_another_is_refused(tmp_path: Path) -> None:
    """Two files spliced into one: half of the outer one would be lost."""
    whole = statement(entry(), entry(), closing="120")
    at = whole.index("<Ntry>", whole.index("<Ntry>") + 1)
    error = refusal(tmp_path, whole[:at] + statement(entry(), closing="110") + whole[at:])
    assert (error.code, error.where) == ("CAMT_ENVELOPE", "line 1 Stmt")


def test_an_entry_in_a_wrong_place_is_never_passed_over(tmp_path: Path) -> None:
    one = entry()
    inside = one.replace("</Ntry>", f"<NtryDtls>{one}</NtryDtls></Ntry>")
    for wrong in (f"<Group>{one}</Group>", inside):
        parsed = read(tmp_path, statement(one, wrong, closing="130"))
        assert "ENTRY_MISPLACED" in codes(parsed)
        assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    outside = statement(one, closing="110").replace("</Stmt>", "</Stmt>" + one)
    error = refusal(tmp_path, outside)
    assert (error.code, error.where) == ("CAMT_ENVELOPE", "line 1 Ntry")
