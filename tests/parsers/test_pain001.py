"""pain.001: what we sent, version by version, and what a payment file can get wrong."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

import parsers
from tests.parsers.pain import payments, sent, transfer
from tests.parsers.reading import SAMPLES, codes, read, refusal
from tieout.canonical import PAYMENTS
from tieout.errors import InputError

HEADS = """
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"><a/>             | pain.001.001.03
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.12"><a/>             | pain.001.001.12
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.002.03"><a/>             | pain.001.002.03
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.003.03"><a/>             | pain.001.003.03
<Document xmlns="urn:sepade:xsd:pain.001.001.02"><pain.001.001.02>                | pain.001.001.02
<x:Document xmlns:x="urn:swift:xsd:$pain.001.002.02"><x:pain.001.001.02>          | pain.001.002.02
<Document xmlns="http://www.six-interbank-clearing.com/de/pain.001.001.03.ch.02"> | pain.001.001.03
<Document Xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"><a/>             | pain.001.001.03
<Document xsi:schemaLocation="urn:x pain.001.001.09.xsd" xmlns="urn:pain.001.001.09"><a/> | pain.001.001.09
<Document><CstmrCdtTrfInitn>                                                      | pain.001
<Msg><AppHdr xmlns="urn:head"/><D xmlns="urn:pain.001.001.09"><CstmrCdtTrfInitn>   | pain.001.001.09
<Document xmlns="urn:pain.001.001.03"><CstmrPmtStsRpt>                            | pain.002
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.008.001.02"><a/>             | None
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><a/>             | pain.002.001.03
<Document xmlns="http://www.six-interbank-clearing.com/de/pain.002.001.03.ch.02.xsd"> | pain.002.001.03
<html>pain.001.001.03</html>                                                      | None
"""


@pytest.mark.parametrize("line", HEADS.strip().splitlines())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_identification_is_by_content(line: str, encoding: str) -> None:
    head, _, wanted = line.rpartition("|")
    assert str(parsers.identify(head.strip().encode(encoding))) == wanted.strip()


def test_every_column_is_filled_by_some_sample() -> None:
    rows = [
        row
        for name in ("pain001_v09.xml", "pain001_old.xml")
        for row in payments(parsers.read_file(SAMPLES / name))
    ]
    empty = {n for n in PAYMENTS.names if all(row[n] is None for row in rows)}
    assert empty == {"debtor_clearing_id", "ultimate_debtor_name"}


def test_what_a_payment_information_states_stands_in_its_payments() -> None:
    first, second, third, fourth = payments(parsers.read_file(SAMPLES / "pain001_v09.xml"))
    assert [p["service_level"] for p in (first, second, third, fourth)] == [
        "SEPA", "URGP", "SEPA", None,
    ]  # fmt: skip
    assert [p["charge_bearer"] for p in (first, second, third, fourth)] == [
        "SLEV", "DEBT", "SLEV", None,
    ]  # fmt: skip
    assert first["creditor_account"] == "AT611904300234573201"
    assert (first["reference"], first["reference_type"]) == ("RF18539007547034", "SCOR")
    assert first["document_no"] == ["4711", "4712"]
    assert second["end_to_end_id"] is None
    assert second["creditor_clearing_id"] == "021000021"
    assert second["narrative"] == "Invoice 77/26 less 2 % discount"
    assert third["creditor_account"] == "pay@gulf.example"
    assert (fourth["amount"], fourth["currency"]) == (Decimal(500), "EUR")
    assert fourth["transfer_currency"] == "USD"
    assert fourth["requested_on"] == dt.date(2026, 11, 23)


@pytest.mark.parametrize(
    "version", [*(f"001.{n:02}" for n in range(1, 14)), "002.03", "003.03", "001.03.ch.02"]
)
def test_every_version(tmp_path: Path, version: str) -> None:
    parsed = read(tmp_path, sent(transfer(), version=version))
    (row,) = payments(parsed)
    assert (row["message_id"], row["payment_info_id"], row["end_to_end_id"]) == ("M", "P", "E")
    assert parsed.format == f"pain.001.{version[:6]}"
    assert codes(parsed) == []


#: Headers of the message and of the payment information around two payments of 1.00, and findings.
CONTROLS = """
                                                   |                                    |
<NbOfTxs>2</NbOfTxs><CtrlSum>2</CtrlSum>           | <NbOfTxs>2</NbOfTxs>               |
<CtrlSum>2.00000000000000000</CtrlSum>             | <CtrlSum>002.0</CtrlSum>           |
<NbOfTxs>000000000000002</NbOfTxs>                 |                                    |
<NbOfTxs>3</NbOfTxs>                               |                                    | PAYMENT_COUNT_MISMATCH
                                                   | <NbOfTxs>1</NbOfTxs>               | PAYMENT_COUNT_MISMATCH
<CtrlSum>2.01</CtrlSum>                            |                                    | PAYMENT_SUM_MISMATCH
                                                   | <CtrlSum>1.99</CtrlSum>            | PAYMENT_SUM_MISMATCH
<NbOfTxs>two</NbOfTxs>                             |                                    | CONTROL_COUNT_MALFORMED
<NbOfTxs>٢</NbOfTxs>                               |                                    | CONTROL_COUNT_MALFORMED
                                                   | <CtrlSum>1E+999999</CtrlSum>       | CONTROL_SUM_MALFORMED
<CtrlSum>-2</CtrlSum>                              |                                    | CONTROL_SUM_MALFORMED
"""


@pytest.mark.parametrize("line", CONTROLS.strip("\n").splitlines())
def test_counts_and_sums_are_proven_at_both_levels(tmp_path: Path, line: str) -> None:
    head, info, wanted = (part.strip() for part in line.split("|"))
    parsed = read(tmp_path, sent(transfer(), transfer(), head=head, info=info))
    assert codes(parsed) == wanted.split()
    assert all(f.where.startswith("line 1 ") and f.remedy for f in parsed.tables.findings)


#: What stands in Amt, and what is read.
AMOUNTS = """
<InstdAmt Ccy="EUR">0000000000000000000001.5</InstdAmt>                             | 1.5 EUR  | False |
<InstdAmt Ccy="EUR">80</InstdAmt>                                                   | 80 EUR   | False |
<InstdAmt Ccy="EUR">1E+999999</InstdAmt>                                            | None EUR | True  | AMOUNT_MALFORMED
<InstdAmt Ccy="EUR">-1</InstdAmt>                                                   | None EUR | True  | AMOUNT_MALFORMED
<InstdAmt Ccy="EUR">1,000.00</InstdAmt>                                             | None EUR | True  | AMOUNT_MALFORMED
<InstdAmt Ccy="EUR"/>                                                               | None EUR | True  | AMOUNT_MALFORMED
<InstdAmt>1</InstdAmt>                                                              | 1 None   | True  | CURRENCY_UNKNOWN
<InstdAmt Ccy="XXX">1</InstdAmt>                                                    | 1 XXX    | False | CURRENCY_UNKNOWN
                                                                                    | None None | True | AMOUNT_MISSING
<EqvtAmt><Amt Ccy="EUR">2</Amt><CcyOfTrf>USD</CcyOfTrf></EqvtAmt>                   | 2 EUR    | False |
"""


@pytest.mark.parametrize("line", AMOUNTS.strip("\n").splitlines())
def test_a_payment_that_cannot_be_read_is_kept_and_marked(tmp_path: Path, line: str) -> None:
    amount, wanted, incomplete, finding = (part.strip() for part in line.split("|"))
    parsed = read(tmp_path, sent(transfer(amount), transfer()))
    bad, good = payments(parsed)
    value = None if bad["amount"] is None else bad["amount"].normalize()
    assert f"{value if value is None else format(value, 'f')} {bad['currency']}" == wanted
    assert str(bad["incomplete"]) == incomplete
    assert good["amount"] == 1
    assert codes(parsed) == finding.split()


DAYS = """
<ReqdExctnDt>2026-11-20</ReqdExctnDt>                                | 2026-11-20 |
<ReqdExctnDt><Dt>2026-11-20</Dt></ReqdExctnDt>                       | 2026-11-20 |
<ReqdExctnDt><DtTm>2026-11-20T23:30:00-05:00</DtTm></ReqdExctnDt>    | 2026-11-20 |
<ReqdExctnDt>2026-11-20+01:00</ReqdExctnDt>                          | 2026-11-20 |
<ReqdExctnDt>YYYY-MM-DD</ReqdExctnDt>                                | None       | DATE_MALFORMED
<ReqdExctnDt>2026-02-30</ReqdExctnDt>                                | None       | DATE_MALFORMED
<ReqdExctnDt/>                                                       | None       |
"""


@pytest.mark.parametrize("line", DAYS.strip().splitlines())
def test_requested_day(tmp_path: Path, line: str) -> None:
    info, wanted, finding = (part.strip() for part in line.split("|"))
    parsed = read(tmp_path, sent(transfer(), info=info))
    assert str(payments(parsed)[0]["requested_on"]) == wanted
    assert codes(parsed) == finding.split()


def test_byte_order_mark_and_no_namespace(tmp_path: Path) -> None:
    plain = sent(transfer()).replace(' xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"', "")
    parsed = read(tmp_path, "\ufeff<?xml version='1.0' encoding='UTF-8'?>\n" + plain)
    assert (parsed.format, len(payments(parsed))) == ("pain.001", 1)


def test_a_header_around_the_document_and_two_documents(tmp_path: Path) -> None:
    one = f"<?xml version='1.0'?><Msg><AppHdr><MsgDefIdr>x</MsgDefIdr></AppHdr>{sent(transfer())}</Msg>"
    parsed = read(tmp_path, one + "\n" + one.replace(">M<", ">M2<"))
    assert [p["message_id"] for p in payments(parsed)] == ["M", "M2"]
    assert [p["ordinal"] for p in payments(parsed)] == [1, 1]


def test_debtor_behind_the_payments_is_still_theirs(tmp_path: Path) -> None:
    text = sent(*[transfer()] * 1_000)  # more than the parser takes at once
    account = text[text.index("<DbtrAcct>") : text.index("<CdtTrfTxInf>")]
    late = text.replace(account, "").replace("</PmtInf>", account + "</PmtInf>")
    rows = payments(read(tmp_path, late))
    assert [r["debtor_account"] for r in rows] == ["GB33BUKB20201555555555"] * 1_000


def test_header_behind_the_payments_is_still_theirs(tmp_path: Path) -> None:
    text = sent(*[transfer()] * 1_000)
    head = "<GrpHdr><MsgId>M</MsgId></GrpHdr>"
    late = text.replace(head, "").replace("</CstmrCdt", head + "</CstmrCdt")
    assert {r["message_id"] for r in payments(read(tmp_path, late))} == {"M"}


def test_message_without_id_or_header(tmp_path: Path) -> None:
    text = sent(transfer())
    assert codes(read(tmp_path, text.replace("M</MsgId>", "</MsgId>"))) == ["MESSAGE_ID_MISSING"]
    bare = read(tmp_path, text.replace("<GrpHdr><MsgId>M</MsgId></GrpHdr>", ""))
    assert codes(bare) == ["MESSAGE_ID_MISSING"]
    assert payments(bare)[0]["payment_info_id"] == "P"


def test_empty_payment_information_is_said(tmp_path: Path) -> None:
    text = sent(transfer())
    empty = text.replace("<PmtInf>", "<PmtInf><PmtInfId>Q</PmtInfId></PmtInf><PmtInf>")
    parsed = read(tmp_path, empty)
    assert (codes(parsed), len(payments(parsed))) == (["PAYMENT_INFO_EMPTY"], 1)


def test_no_payment_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, sent()).code == "PAIN_NO_PAYMENT"
    assert refusal(tmp_path, "<Document><CstmrCdtTrfInitn/></Document>").code == "PAIN_NO_PAYMENT"


def test_ids_come_from_content(tmp_path: Path) -> None:
    text = sent(transfer(), transfer())
    parsed = read(tmp_path, text)
    first = [p["payment_id"] for p in payments(parsed)]
    again = [p["payment_id"] for p in payments(read(tmp_path, text + "\n"))]
    assert first == again
    assert len(set(first)) == 2
    assert {p["file_id"] for p in payments(parsed)} == {parsed.sha256}


def test_many_payments_come_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "file"
    one = transfer()
    path.write_text(sent(*[one] * 12_000, head="<NbOfTxs>12000</NbOfTxs><CtrlSum>12000</CtrlSum>"))
    module = next(m for m in parsers.FORMATS if m.NAME == "pain.001")
    sizes = [batch.payments.num_rows for batch in module.read(path)]
    assert sizes == [5000, 5000, 2000]
    parsed = parsers.read_file(path)
    assert codes(parsed) == []
    assert len({p["payment_id"] for p in payments(parsed)}) == 12_000


@pytest.mark.parametrize("name", ["pain001_v09.xml", "pain001_old.xml"])
def test_no_cut_is_read(tmp_path: Path, name: str) -> None:
    content = (SAMPLES / name).read_bytes().rstrip()
    path = tmp_path / "cut"
    for at in range(len(content)):
        path.write_bytes(content[:at])
        with pytest.raises(InputError) as caught:
            parsers.read_file(path)
        assert caught.value.code != "READER_FAILED", at
        assert caught.value.where and caught.value.remedy, at
