"""Where a batch ends is nobody's business: readers give the same rows in batches of any size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import parsers
from parsers import _bai_rows, _pain, _rows
from tests.parsers.reading import SAMPLES
from tieout.canonical import Tables, concat

FILES = sorted(p for p in SAMPLES.iterdir() if p.suffix != ".json")

_CAMT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
{statements}</BkToCstmrStmt></Document>"""
_ENTRY = """<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd>{reversal}<Sts>BOOK</Sts>
<NtryDtls><TxDtls><Amt Ccy="EUR">{amount}</Amt></TxDtls></NtryDtls></Ntry>"""
_BALANCE = """<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>"""


def _statement(number: int, closing: str, *, late: bool) -> str:
    """Five entries, the second and fourth reversals; account and balances before or behind."""
    account = "<Acct><Id><IBAN>DE02100100109307118603</IBAN></Id><Ccy>EUR</Ccy></Acct>"
    around = account + _BALANCE.format(code="OPBD", amount="0.00")
    around += _BALANCE.format(code="CLBD", amount=closing)
    entries = [
        _ENTRY.format(
            amount=f"{n}.00", mark="CRDT", reversal="<RvslInd>true</RvslInd>" if n % 2 == 0 else ""
        )
        for n in range(1, 6)
    ]
    parts = [f"<Id>S{number}</Id>", *entries]
    parts.insert(len(parts) if late else 1, around)
    return f"<Stmt>{''.join(parts)}</Stmt>\n"


#: Marks kept (1+2+3+4+5), and marks turned by the closing balance (1-2+3-4+5).
REVERSALS = _CAMT.format(
    statements="".join(
        _statement(n, closing, late=late)
        for n, (closing, late) in enumerate(
            (c, late) for c in ("15.00", "3.00", "9.00") for late in (False, True)
        )
    )
)
LATE = {
    "camt": REVERSALS,
    "pain.001": """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>M1</MsgId></GrpHdr>"""
    + "".join(
        f"<PmtInf><PmtInfId>P{g}</PmtInfId>"
        + "".join(
            f"<CdtTrfTxInf><PmtId><EndToEndId>E{n}</EndToEndId></PmtId><Amt>"
            "<InstdAmt Ccy='EUR'>1</InstdAmt></Amt></CdtTrfTxInf>"
            for n in range(4)
        )
        + "<DbtrAcct><Id><IBAN>DE02100100109307118603</IBAN></Id></DbtrAcct><ReqdExctnDt><Dt>2026-11-20"
        "</Dt></ReqdExctnDt></PmtInf>"
        for g in range(3)
    )
    + "</CstmrCdtTrfInitn></Document>",
    "pain.002": """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>R</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId></OrgnlGrpInfAndSts>"""
    + "".join(
        "<OrgnlPmtInfAndSts>"
        + "".join(
            f"<TxInfAndSts><OrgnlEndToEndId>E{n}</OrgnlEndToEndId><TxSts>ACCP</TxSts></TxInfAndSts>"
            for n in range(4)
        )
        + f"<OrgnlPmtInfId>P{g}</OrgnlPmtInfId></OrgnlPmtInfAndSts>"
        for g in range(3)
    )
    + "</CstmrPmtStsRpt></Document>",
    "ofx": "<OFX><BANKMSGSRSV1>"
    + "".join(
        "<STMTTRNRS><STMTRS><BANKTRANLIST>"
        + "".join(
            f"<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261120<TRNAMT>1.0{n}<FITID>F{g}{n}</STMTTRN>"
            for n in range(4)
        )
        + f"</BANKTRANLIST><CURDEF>USD<BANKACCTFROM><ACCTID>47{g}</BANKACCTFROM></STMTRS></STMTTRNRS>"
        for g in range(3)
    )
    + "</BANKMSGSRSV1></OFX>",
}


def _read(path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> tuple[dict[str, Any], int]:
    """Every row of every table and the findings, and how many batches there were."""
    monkeypatch.setattr(_rows, "BATCH_ENTRIES", size)
    monkeypatch.setattr(_bai_rows, "BATCH_ENTRIES", size)
    monkeypatch.setattr(_pain, "BATCH_ROWS", size)
    head = path.read_bytes()[: parsers.HEAD_BYTES]
    module = next(m for m in parsers.FORMATS if m.identify(head))
    batches = list(module.read(path))
    return _plain(concat(batches)), len(batches)


def _plain(tables: Tables) -> dict[str, Any]:
    names = ("statements", "balances", "entries", "details", "payments", "statuses")
    found = {name: getattr(tables, name).to_pylist() for name in names}
    return found | {"findings": sorted(map(str, tables.findings))}


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_samples_read_the_same_in_small_batches(
    path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = _read(path, monkeypatch, 5_000)
    assert _read(path, monkeypatch, size)[0] == whole


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("name", LATE)
def test_what_stands_behind_its_rows_reaches_all_of_them(
    tmp_path: Path, name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text(LATE[name])
    whole, batches = _read(path, monkeypatch, 5_000)
    assert batches == 1
    found, batches = _read(path, monkeypatch, size)
    assert found == whole
    assert batches > 1
    rows = [*whole["entries"], *whole["payments"], *whole["statuses"]]
    assert len(rows) >= 12
    filled = {"camt": "account_id", "pain.001": "debtor_account", "pain.002": "payment_info_id"}
    assert all(row[filled.get(name, "currency")] is not None for row in rows)


def test_reversals_are_turned_in_small_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text(REVERSALS)
    found, _ = _read(path, monkeypatch, 2)
    signs = [str(e["amount"])[0] == "-" for e in found["entries"]]
    kept, turned = [False] * 5, [False, True, False, True, False]
    assert signs == [*kept, *kept, *turned, *turned, *kept, *kept]
    assert [d["amount"] for d in found["details"]] == [e["amount"] for e in found["entries"]]
    assert sum("REVERSAL_SIGN_TURNED" in f for f in found["findings"]) == 4
