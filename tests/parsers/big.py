"""Whole files of any size and format, made of equal entries of 1.00, for proofs of bounded memory.

``python -m tests.parsers.big FORMAT MEGABYTES PATH [one|many]`` writes one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.parsers.columns import cfonb, coda, coda_file, n43, n43_file
from tests.parsers.columns import overpunched as _overpunched

__all__ = ["SHAPES", "Big", "write"]

_MANY = 50  # entries of a statement where there are many


@dataclass(frozen=True)
class Big:
    """A format's pieces: around the file, around a statement of ``n`` entries, and each entry.

    Every statement has its own digits in the place of those of ``account``.
    """

    begin: str
    open: Callable[[int], str]
    entry: Callable[[int], str]
    close: Callable[[int], str]
    end: Callable[[int, int], str] = lambda statements, entries: ""
    account: str = ""


def _camt(root: str, element: str, version: str) -> Big:
    space = f"urn:iso:std:iso:20022:tech:xsd:{version}"

    def balance(code: str, amount: int) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}.00</Amt>"
            "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>\n"
        )

    return Big(
        f"<Document xmlns='{space}'><{root}><GrpHdr><MsgId>M</MsgId></GrpHdr>",
        lambda s: (
            f"<{element}><Id>S{s}</Id><ElctrncSeqNb>{s}</ElctrncSeqNb><Acct><Id>"
            "<IBAN>DE02100100109307118603</IBAN></Id><Ccy>EUR</Ccy></Acct>\n" + balance("OPBD", 0)
        ),
        lambda e: (
            f"<Ntry><NtryRef>{e}</NtryRef><Amt Ccy='EUR'>1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>"
            "<Sts>BOOK</Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>"
            f"E2E-{e}</EndToEndId></Refs><RltdPties><Dbtr><Nm>Kunde {e}</Nm></Dbtr></RltdPties><RmtInf>"
            f"<Ustrd>Rechnung {e}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
        ),
        lambda n: balance("CLBD", n) + f"</{element}>\n",
        lambda s, e: f"</{root}></Document>",
    )


_PAIN_001 = Big(
    "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'><CstmrCdtTrfInitn>"
    "<GrpHdr><MsgId>M</MsgId></GrpHdr>",
    lambda s: f"<PmtInf><PmtInfId>P{s}</PmtInfId><ReqdExctnDt><Dt>2026-11-20</Dt></ReqdExctnDt>\n",
    lambda e: (
        f"<CdtTrfTxInf><PmtId><EndToEndId>E{e}</EndToEndId></PmtId><Amt><InstdAmt Ccy='EUR'>"
        f"1.00</InstdAmt></Amt><Cdtr><Nm>Empfänger {e}</Nm></Cdtr><RmtInf><Ustrd>Rechnung {e}</Ustrd>"
        "</RmtInf></CdtTrfTxInf>\n"
    ),
    lambda n: "</PmtInf>\n",
    lambda s, e: "</CstmrCdtTrfInitn></Document>",
)
_PAIN_002 = Big(
    "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.002.001.10'><CstmrPmtStsRpt>"
    "<GrpHdr><MsgId>R</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId>"
    "<OrgnlMsgNmId>pain.001</OrgnlMsgNmId></OrgnlGrpInfAndSts>",
    lambda s: f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>P{s}</OrgnlPmtInfId>\n",
    lambda e: (
        f"<TxInfAndSts><OrgnlEndToEndId>E{e}</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf>"
        f"<Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Konto {e} geschlossen</AddtlInf></StsRsnInf></TxInfAndSts>\n"
    ),
    lambda n: "</OrgnlPmtInfAndSts>\n",
    lambda s, e: "</CstmrPmtStsRpt></Document>",
)
_MT940 = Big(
    "",
    lambda s: (
        f":20:REF{s}\r\n:25:10010010/307118603\r\n:28C:{s % 99999}/1\r\n:60F:C261119EUR0,00\r\n"
    ),
    lambda e: (
        f":61:2611201120C1,00NTRFNONREF//B{e}\r\n:86:166?00GUTSCHRIFT?20EREF+E{e}?21SVWZ+Rechnung"
        f" {e}?30BANKDEFFXXX?31DE02100100109307118603?32Kunde {e}\r\n"
    ),
    lambda n: f":62F:C261120EUR{n},00\r\n-\r\n",
)
_MT942 = Big(
    "",
    lambda s: (
        f":20:REF{s}\r\n:25:10010010/307118603\r\n:28C:{s % 99999}/1\r\n:34F:EUR0,\r\n"
        ":13D:2611201200+0100\r\n"
    ),
    _MT940.entry,
    lambda n: f":90D:0EUR0,\r\n:90C:{n}EUR{n},00\r\n-\r\n",
)
_BAI2 = Big(
    "01,BANKX,NORD,261121,0600,1,,,2/\n02,NORD,BANKX,1,261120,,USD,2/\n",
    lambda s: f"03,{s:010},USD,010,0,,/\n",
    lambda e: f"16,165,100,,B{e:08},C{e:08},PAYMENT OF INVOICE {e}\n88,FROM CUSTOMER {e}\n",
    lambda n: f"49,{n * 100},{2 * n + 2}/\n",
    lambda s, e: f"98,{e * 100},{s},{2 * e + 2 * s + 2}/\n99,{e * 100},1,{2 * e + 2 * s + 4}/\n",
)
_OFX = Big(
    "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n\n<OFX><BANKMSGSRSV1>\n",
    lambda s: (
        f"<STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><ACCTID>{s}</BANKACCTFROM><BANKTRANLIST>\n"
    ),
    lambda e: (
        f"<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261120<TRNAMT>1.00<FITID>{e}<NAME>Customer {e}"
        f"<MEMO>invoice {e}</STMTTRN>\n"
    ),
    lambda n: (
        f"</BANKTRANLIST><LEDGERBAL><BALAMT>{n}.00<DTASOF>20261120</LEDGERBAL></STMTRS>"
        "</STMTTRNRS>\n"
    ),
    lambda s, e: "</BANKMSGSRSV1></OFX>\n",
)


def _coda_parts() -> tuple[str, str, str]:
    lines = coda_file().splitlines(keepends=True)
    return lines[0] + lines[1], lines[2], lines[3]


def _coda() -> Big:
    head, new, last = _coda_parts()
    return Big(
        "",
        lambda s: head,
        lambda e: coda("21", e % 9999 + 1, 0, 100, text=f"Rechnung {e}", bank=f"B{e:020}") + "\r\n",
        lambda n: new[:42] + f"{(10_000 + 100 * n) * 10:015}" + new[57:]
        + last[:16] + f"{min(n + 2, 999_999):06}{0:015}{n * 1000:015}" + last[52:],
        account="39007547034",
    )  # fmt: skip


def _cfonb() -> Big:
    return Big(
        "",
        lambda s: cfonb("01", 0, booked="191126") + "\r\n",
        lambda e: cfonb("04", 100, text=f"VIREMENT {e}", number=f"{e % 9_999_999:07}") + "\r\n",
        lambda n: cfonb("07", _overpunched(100 * n)) + "\r\n",
        account="0012345678",
    )


def _aeb43() -> Big:
    head, foot, _ = n43_file(opening=0, closing=0).splitlines(keepends=True)
    return Big(
        "",
        lambda s: head,
        lambda e: "".join(r.ljust(80) + "\r\n" for r in n43(100, f"TRANSFERENCIA {e}")),
        lambda n: foot[:39] + f"{n % 100_000:05}{100 * n:014}2{100 * n:014}" + foot[73:],
        lambda s, e: ("88" + "9" * 18 + f"{min(2 * s + 2 * e, 999_999):06}").ljust(80) + "\r\n",
        account="10123456789",
    )


_V11 = Big(
    "",
    lambda s: "",
    lambda e: (
        "002010004710210000000000000000000041792" + "0000000100" + f"{e % 10_000:04}  0007"
        "2611192611202611210000000010" + "0" * 9 + "0000\r\n"
    ),
    lambda n: f"999010004710{'9' * 27}{100 * n:012}{n:012}261120{'0' * 18}\r\n",
    account="0004710",
)
_DELIMITED = Big(
    "Account Number,As Of Date,Currency,BAI Code,Debit Amount,Credit Amount,Bank Reference,"
    "Customer Reference,Detail,Ledger Balance\n",
    lambda s: "",
    # An account of its own for each fifty, as where there are many.
    lambda e: (
        f'="{e // _MANY:010}",11/20/2026,USD,165,,1.00,B{e},0000004417,"Paid, invoice {e}",{e}.00\n'
    ),
    lambda n: "",
    lambda s, e: f"End of report,{e} rows\n",
)


def _host(kind: str, text: str) -> str:
    return f"{kind}{text}\r\n"


# A host's report of 80 columns, as a profile of mappings/banks reads it.
_FIXED_WIDTH = Big(
    "",
    lambda s: _host("H", f"{s:016}USD20261119{0:012}+20261120{_MANY * 100:012}+"),
    lambda e: _host("D", f"20261120{100:012}C {f'PAYMENT OF INVOICE {e}':30}REF{e:013}"),
    lambda n: _host("T", f"{n % 1_000_000:06}{0:012}{100 * n:012}"),
)
SHAPES: dict[str, Big] = {
    "camt.052": _camt("BkToCstmrAcctRpt", "Rpt", "camt.052.001.08"),
    "camt.053": _camt("BkToCstmrStmt", "Stmt", "camt.053.001.08"),
    "camt.054": _camt("BkToCstmrDbtCdtNtfctn", "Ntfctn", "camt.054.001.08"),
    "pain.001": _PAIN_001,
    "pain.002": _PAIN_002,
    "mt940": _MT940,
    "mt942": _MT942,
    "bai2": _BAI2,
    "coda": _coda(),
    "cfonb120": _cfonb(),
    "aeb43": _aeb43(),
    "ofx": _OFX,
    "v11": _V11,
    "delimited": _DELIMITED,
    "fixed_width": _FIXED_WIDTH,
}


def _pieces(shape: Big, size: int, each: int) -> Iterator[str]:
    made, statements, entries = len(shape.begin), 0, 0

    def own(text: str) -> str:
        digits = f"{statements:0{len(shape.account)}}"
        return text.replace(shape.account, digits) if shape.account else text

    yield shape.begin
    while made < size:
        statements += 1
        yield own(shape.open(statements))
        count = 0
        while made < size and (not each or count < each):
            count, entries = count + 1, entries + 1
            text = own(shape.entry(entries))
            made += len(text)
            yield text
        yield own(shape.close(count))
    yield shape.end(statements, entries)


def write(name: str, size: int, path: Path, *, many: bool = False, each: int = _MANY) -> None:
    """A file of about so many bytes of entries: one statement, or many of ``each`` entries."""
    with path.open("w", encoding="utf-8", newline="") as out:
        out.writelines(_pieces(SHAPES[name], size, each if many else 0))


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]) << 20, Path(sys.argv[3]), many=sys.argv[4:] == ["many"])
