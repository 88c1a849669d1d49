"""What is fuzzed, in order: each reader, containers, and the choice of a reader by content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import parsers

__all__ = ["ROOT", "TARGETS", "Target", "seeds", "target_of"]

ROOT: Final = Path(__file__).resolve().parents[2]

Kind = Literal["xml", "lines", "cells", "sgml", "container", "dispatch"]


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to fuzz.

    Attributes:
        name: as ``FORMAT=`` takes it, such as ``camt.053``.
        kind: how its inputs are changed, and how it is read.
        extension: of its regression samples.
        corpus: folders of the shared corpus whose files are seeds, too.
        words: a dictionary: what stands in such files and decides something.
        entry: what begins an entry (payment, status) in the file; none may vanish in silence.
    """

    name: str
    kind: Kind
    extension: str
    corpus: tuple[str, ...]
    words: tuple[str, ...]
    entry: bytes = b""

    @property
    def module(self) -> Any:
        """The format's module, or None where the target is no format."""
        name = self.name.replace("_", "")
        known = (m for m in parsers.FORMATS if m.NAME.lower().replace(" ", "") == name)
        return next(known, None)


_MONEY: Final = (
    "0", "0,", ",5", "1E+999999", "NaN", "Infinity", "-0.00", "999999999999999999", "1_000",
    "9" * 23, "0" * 40 + "1", "\u0661\u0662", "\uff11", "1.123456", "1,2,3", "-1", "+1",
)  # fmt: skip
_DAYS: Final = (
    "261120", "1120", "0229", "000000", "999999", "261332", "2026-11-20", "0000-00-00",
    "2026-02-30", "9999-12-31", "20261120", "2026-11-20T24:00:00", "2026-11-20T08:00:00+14:00",
)  # fmt: skip
_CAMT: Final = (
    "<Ntry>", "</Ntry>", "<NtryDtls><TxDtls><Amt Ccy='EUR'>1</Amt></TxDtls></NtryDtls>",
    "<RvslInd>true</RvslInd>", "<CdtDbtInd>DBIT</CdtDbtInd>", "<CdtDbtInd>CRDT</CdtDbtInd>",
    "<Sts>PDNG</Sts>", "<Sts><Cd>BOOK</Cd></Sts>", "<Amt Ccy='JPY'>1.5</Amt>", "<Cd>OPBD</Cd>",
    "<Cd>PRCD</Cd>", "<Cd>CLBD</Cd>", "<Cd>ITBD</Cd>", "<Dt>2026-11-20</Dt>",
    "<DtTm>2026-11-20T24:00:00</DtTm>", "<PgNb>1</PgNb><LastPgInd>false</LastPgInd>",
    "<TxsSummry><TtlNtries><NbOfNtries>1</NbOfNtries></TtlNtries></TxsSummry>",
    "<Chrgs><Amt Ccy='EUR'>1</Amt><CdtDbtInd>DBIT</CdtDbtInd></Chrgs>",
    "<AmtDtls><InstdAmt><Amt Ccy='USD'>1</Amt></InstdAmt></AmtDtls>", "<Btch><NbOfTxs>2</NbOfTxs></Btch>",
    "<?xml version='1.0'?>", "<!-- -->", "<![CDATA[1]]>", "&amp;", "&#49;", "xmlns=''",
)  # fmt: skip
_PAIN: Final = (
    "<PmtInf>", "<CdtTrfTxInf>", "<NbOfTxs>1</NbOfTxs>", "<CtrlSum>1.5</CtrlSum>", "<GrpSts>PART</GrpSts>",
    "<TxSts>RJCT</TxSts>", "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>", "<OrgnlNbOfTxs>2</OrgnlNbOfTxs>",
    "<EqvtAmt><Amt Ccy='EUR'>1</Amt><CcyOfTrf>USD</CcyOfTrf></EqvtAmt>", "<ReqdExctnDt><Dt>2026-11-20</Dt></ReqdExctnDt>",
    "<NbOfTxsPerSts><DtldNbOfTxs>1</DtldNbOfTxs><DtldSts>RJCT</DtldSts></NbOfTxsPerSts>", "<!-- -->",
)  # fmt: skip
_MT: Final = (
    ":20:X", ":21:X", ":25:1234/567", ":28C:1/1", ":28C:00001/00002", ":60F:C261119EUR100,00",
    ":60M:D261119EUR1,", ":61:2611201120C1,00NTRFNONREF//B1", ":61:2611201120RD1,NMSC", ":61:261120EC5,N",
    ":61:2611200101RCR1,00FMSC", ":86:166?00GUT?20EREF+1?21SVWZ+X?32N?33M?60Z", ":86:/EREF/1/REMI/X",
    ":62F:C261120EUR100,00", ":62M:C261120EUR100,00", ":64:C261120EUR1,", ":65:C261120EUR1,", "-", "-}",
    ":34F:EURD1,", ":34F:EUR1,", ":13D:2611201200+0100", ":90D:1EUR1,00", ":90C:0EUR0,", ":NS:22X", "@@",
    "{1:F01BANKDEFFAXXX0000000000}{2:I940BANKDEFFXXXXN}{4:", "{2:O942}", "/OCMT/USD1,/CHGS/EUR1,",
)  # fmt: skip
_BAI: Final = (
    "01,A,B,261121,0600,1,80,,2/", "02,B,A,1,261120,2359,USD,2/", "03,123,USD,010,100,,/", "03,1,,/",
    "16,165,100,Z,B1,C1,TEXT", "16,475,100,S,1,2,3,X/", "16,698,1,V,261120,1200,,/", "16,890,,,,,/",
    "16,165,100,D,2,0,50,1,50,,/", "88,MORE", "88,/", "49,100,2/", "98,100,1,4/", "99,100,1,6/",
    "88,015,200,,/", "16,/", "16,165,-5,,/", ",,", "/", "100+", "100-",
)  # fmt: skip
_OFX: Final = (
    "<STMTTRN>", "</STMTTRN>", "<TRNAMT>-1.50", "<TRNAMT>1,50", "<DTPOSTED>20261120120000[-5:EST]",
    "<FITID>1", "<LEDGERBAL><BALAMT>1<DTASOF>20261120</LEDGERBAL>", "<CURRENCY><CURRATE>1.1<CURSYM>USD</CURRENCY>",
    "<CCSTMTRS>", "<STATUS><CODE>2000<SEVERITY>ERROR</STATUS>", "&amp;", "&lt;", "<![CDATA[1]]>", "OFXHEADER:100",
    "CHARSET:1252", "<?OFX OFXHEADER=\"200\" VERSION=\"211\"?>", "<BANKTRANLIST>", "<NAME>", "<MEMO>", "<INVSTMTRS>",
)  # fmt: skip
_CELLS: Final = (
    '"', '""', '="1"', "=1+1", "1.190,00", "1,190.00", "1.190", "(1.00)", "1.00-", "USD", "EUR", "11/20/26",
    "20.11.2026", "Debit", "Credit", "End of report,1 rows", '"Kontostand";"20.11.2026";;;;;;;;"1,00";"EUR"',
    "\t", ";;;", ",,,", '"a\nb"', "Buchungstag", "Ledger Balance", "\ufeff",
)  # fmt: skip
_RECORDS: Final = (
    "H", "D", "T", "074", "075", "078", "079", "+", "-", "C", "000001", "20261120", "201126", "00203",
    "H4400817263      USD20261119000000000100+20261120000000000100+", "T000000000000000000000000000000",
    "002010004710", "999010004710", "995", "992", "005", "008", "00150", "98199", "CHF", "EUR", "9" * 27,
    "000000012550000000000001", "261120",
)  # fmt: skip
_WIDE: Final = ("0", "1", "2", "8", "9", "00", "99", "{", "}", "A", "J", "EUR", "978", " " * 20)

TARGETS: Final[tuple[Target, ...]] = (
    Target("camt.052", "xml", "xml", ("camt.052",), _CAMT + _MONEY + _DAYS,
           rb"<(?:[\w.-]+:)?Ntry[\s/>]"),
    Target("camt.053", "xml", "xml", ("camt.053",), _CAMT + _MONEY + _DAYS,
           rb"<(?:[\w.-]+:)?Ntry[\s/>]"),
    Target("camt.054", "xml", "xml", ("camt.054",), _CAMT + _MONEY + _DAYS,
           rb"<(?:[\w.-]+:)?Ntry[\s/>]"),
    Target("pain.001", "xml", "xml", ("pain.001",), _PAIN + _MONEY + _DAYS,
           rb"<(?:[\w.-]+:)?CdtTrfTxInf[\s/>]"),
    Target("pain.002", "xml", "xml", ("pain.002",), _PAIN + _MONEY + _DAYS,
           rb"<(?:[\w.-]+:)?TxInfAndSts[\s/>]"),
    Target("mt940", "lines", "sta", ("mt940", "mt9xx-fragment"), _MT + _MONEY + _DAYS,
           rb"(?m)^:61:"),
    Target("mt942", "lines", "mt942", ("mt942",), _MT + _MONEY + _DAYS,
           rb"(?m)^:61:"),
    Target("bai2", "lines", "bai", ("bai2",), _BAI + _MONEY + _DAYS,
           rb"(?m)^16,"),
    Target("coda", "lines", "cod", ("coda",), _WIDE + _DAYS,
           rb"(?m)^21\d{4}0000"),
    Target("cfonb120", "lines", "cfonb", ("cfonb120",), _WIDE + _DAYS,
           rb"(?m)^04"),
    Target("aeb43", "lines", "n43", ("aeb43",), _WIDE + _DAYS,
           rb"(?m)^22"),
    Target("ofx", "sgml", "ofx", ("ofx",), _OFX + _MONEY + _DAYS,
           rb"(?i)<STMTTRN>"),
    Target("v11", "lines", "v11", ("v11",), _WIDE + _RECORDS + _DAYS,
           rb"(?m)^[01]\d[2458]\d{9}"),
    Target("delimited", "cells", "csv", (), _CELLS + _MONEY + _DAYS),
    Target("fixed_width", "lines", "txt", (), _WIDE + _RECORDS + _DAYS,
           rb"(?m)^(?:D\d{8}|075\d{16})"),
    Target("containers", "container", "bin", (), ()),
    Target("identify", "dispatch", "bin", ("camt.053", "mt940", "mt942", "bai2", "coda", "cfonb120",
           "aeb43", "ofx", "pain.001", "v11"), _MT + _BAI + _CAMT + _OFX + _CELLS + _RECORDS),
)  # fmt: skip


def target_of(name: str) -> Target:
    """The target of a name.

    Raises:
        KeyError: there is none; it lists those there are.
    """
    for target in TARGETS:
        if target.name == name.lower():
            return target
    raise KeyError(f"no target {name}; there are: " + " ".join(t.name for t in TARGETS))


def seeds(target: Target, limit: int = 1 << 16) -> Iterator[bytes]:
    """Our own samples and regressions the reader knows, and the corpus where it stands beside."""
    samples = [
        *sorted((ROOT / "samples").iterdir()),
        *sorted((ROOT / "tests/parsers/samples").iterdir()),
        *sorted((ROOT / "tests/parsers/regressions").iterdir()),
    ]
    known = [p for p in samples if p.is_file() and p.suffix not in (".json", ".py")]
    shared = ROOT.parent / "shared" / "corpus"
    for folder in target.corpus:
        if (shared / folder).is_dir():
            known += sorted((shared / folder).rglob("*"))
    yield from (data for data in _examples() if _known(target, data))
    for path in known:
        if not path.is_file() or path.stat().st_size > limit:
            continue
        data = path.read_bytes()
        if _known(target, data):
            yield data


def _known(target: Target, data: bytes) -> bool:
    return target.module is None or bool(target.module.identify(data[: parsers.HEAD_BYTES]))


def _examples() -> Iterator[bytes]:
    """The lines that the banks' profiles show of their files."""
    for path in sorted((ROOT / "mappings" / "banks").glob("*.toml")):
        lines = path.read_text(encoding="utf-8").splitlines()
        shown = [line.removeprefix("#> ") for line in lines if line.startswith("#> ")]
        yield "".join(f"{line}\n" for line in shown).encode()
