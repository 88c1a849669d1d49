"""A large camt.053.001.08 file from a seed: statements of 500 entries whose balances tie.

Four entries of five have one detail, one of six is a batch of 2 to 8 with its ``Btch``, the rest
have none. Among the details are foreign amounts with their rate, charges, returns, structured and
free remittance, letters beyond ASCII, escaped characters and references that say nothing.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

__all__ = ["ENTRIES_OF_STATEMENT", "write"]

ENTRIES_OF_STATEMENT: Final = 500

_NAMES: Final = (
    "Anna Berg", "Brückner &amp; Söhne GmbH", "Café Lumière SARL", "Delta Freight Ltd",
    "Erika Mustermann", "Farben Vogt KG", "Grønne Marked A/S", "Heating Parts Inc",
    "Ibérica de Aceros SA", "Jansen Logistiek BV", "Kessel und Rohr GmbH", "Lindqvist Trä AB",
)  # fmt: skip
_CITIES: Final = ("Hamburg", "Wien", "Zürich", "Lyon", "Gent", "Porto", "Kraków", "Turku")
_CODES: Final = (
    ("RCDT", "ESCT", "NTRF+166+000"), ("ICDT", "ESCT", "NTRF+116+000"),
    ("RDDT", "ESDD", "NDDT+105+000"), ("MCRD", "POSP", "NMSC+106+000"),
)  # fmt: skip


def _iban(r: random.Random) -> str:
    country = r.choice(("DE", "AT", "FR", "NL"))
    body = f"{r.randrange(10**18):018}"
    check = 98 - int(body + "".join(str(int(c, 36)) for c in country) + "00") % 97
    return f"{country}{check:02}{body}"


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def _party(r: random.Random, role: str) -> str:
    return (
        f"<{role}><Pty><Nm>{r.choice(_NAMES)}</Nm><PstlAdr><StrtNm>Hafenweg</StrtNm>"
        f"<BldgNb>{r.randrange(1, 200)}</BldgNb><PstCd>{r.randrange(10000, 99999)}</PstCd>"
        f"<TwnNm>{r.choice(_CITIES)}</TwnNm><Ctry>DE</Ctry></PstlAdr></Pty></{role}>"
        f"<{role}Acct><Id><IBAN>{_iban(r)}</IBAN></Id></{role}Acct>"
    )


def _remittance(r: random.Random) -> str:
    number = f"{r.randrange(10**7):07}"
    kind = r.random()
    if kind < 0.15:
        return (
            "<RmtInf><Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>"
            f"<Ref>RF18{number}</Ref></CdtrRefInf></Strd></RmtInf>"
        )
    second = f"<Ustrd>Kd. {number[:5]} vielen Dank</Ustrd>" if kind < 0.35 else ""
    return f"<RmtInf><Ustrd>Rechnung RE-{number} vom 03.11.2026 Müller</Ustrd>{second}</RmtInf>"


def _detail(r: random.Random, minor: int, mark: str, index: int, account: str) -> str:
    money, kind = _money(minor), r.random()
    reference = "NOTPROVIDED" if r.random() < 0.2 else f"E2E-{r.randrange(10**10):010}"
    usual, own = ("Dbtr", "Cdtr") if mark == "CRDT" else ("Cdtr", "Dbtr")
    amounts = f'<TxAmt><Amt Ccy="EUR">{money}</Amt></TxAmt>'
    more = ""
    if kind < 0.03:
        amounts = (
            f'<InstdAmt><Amt Ccy="USD">{_money(minor * 11 // 10)}</Amt></InstdAmt>'
            f'<TxAmt><Amt Ccy="EUR">{money}</Amt><CcyXchg><SrcCcy>USD</SrcCcy>'
            "<TrgtCcy>EUR</TrgtCcy><XchgRate>1.1</XchgRate></CcyXchg></TxAmt>"
        )
    elif kind < 0.05:
        more = (
            '<Chrgs><Rcrd><Amt Ccy="EUR">0.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
            "<Br>SHAR</Br></Rcrd></Chrgs>"
        )
    back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>" if 0.05 < kind < 0.06 else ""
    return (
        f"<TxDtls><Refs><MsgId>MSG{index:08}</MsgId><AcctSvcrRef>SR{index:012}</AcctSvcrRef>"
        f"<InstrId>INS{index:010}</InstrId><EndToEndId>{reference}</EndToEndId>"
        f"<TxId>TX{index:012}</TxId></Refs>"
        f'<Amt Ccy="EUR">{money}</Amt><CdtDbtInd>{mark}</CdtDbtInd>'
        f"<AmtDtls>{amounts}</AmtDtls>{more}"
        f"<RltdPties>{_party(r, usual)}<{own}><Pty><Nm>Nordlicht Maschinenbau GmbH</Nm></Pty>"
        f"</{own}><{own}Acct><Id><IBAN>{account}</IBAN></Id></{own}Acct></RltdPties>"
        f"<RltdAgts><{usual}Agt><FinInstnId><BICFI>COBADEFFXXX</BICFI></FinInstnId></{usual}Agt>"
        f"</RltdAgts><Purp><Cd>SUPP</Cd></Purp>{_remittance(r)}{back}</TxDtls>"
    )


def _entry(r: random.Random, index: int, account: str) -> tuple[int, int, str]:
    """Signed minor units, number of details, and the text."""
    kind, mark = r.random(), r.choice(("CRDT", "DBIT"))
    count = 1 if kind < 0.8 else r.randrange(2, 9) if kind < 0.96 else 0
    parts = [r.randrange(100, 2_000_000) for _ in range(max(count, 1))]
    family, sub, own = r.choice(_CODES)
    day = f"2026-11-{r.randrange(2, 28):02}"
    batch = (
        f"<Btch><MsgId>BM{index:08}</MsgId><PmtInfId>PI{index:08}</PmtInfId>"
        f"<NbOfTxs>{count}</NbOfTxs></Btch>"
        if count > 1
        else ""
    )
    inside = "".join(
        _detail(r, part, mark, index * 10 + n, account) for n, part in enumerate(parts[:count])
    )
    details = f"<NtryDtls>{batch}{inside}</NtryDtls>" if count else ""
    text = (
        f'<Ntry><NtryRef>{index % 500 + 1}</NtryRef><Amt Ccy="EUR">{_money(sum(parts))}</Amt>'
        f"<CdtDbtInd>{mark}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<AcctSvcrRef>BK{index:014}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{family}"
        f"</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly></Domn><Prtry><Cd>{own}</Cd><Issr>DK</Issr>"
        f"</Prtry></BkTxCd>{details}<AddtlNtryInf>Überweisung {own[1:4]}</AddtlNtryInf></Ntry>\n"
    )
    return (sum(parts) if mark == "CRDT" else -sum(parts)), count, text


def _balance(code: str, minor: int) -> str:
    mark = "CRDT" if minor >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="EUR">{_money(abs(minor))}</Amt><CdtDbtInd>{mark}</CdtDbtInd>'
        "<Dt><Dt>2026-11-20</Dt></Dt></Bal>"
    )


def write(path: Path, megabytes: int, seed: int) -> dict[str, int]:
    """Write the file of about that size; the same seed gives the same bytes.

    Returns:
        how many statements, entries and details it holds.
    """
    r = random.Random(seed)
    statements = entries = details = 0
    account, balance = _iban(r), 1_000_000
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
            "<GrpHdr><MsgId>BENCH</MsgId><CreDtTm>2026-11-20T20:00:00+01:00</CreDtTm></GrpHdr>\n"
        )
        while file.tell() < megabytes * 1_000_000:
            statements += 1
            lines, moved = [], 0
            for _ in range(ENTRIES_OF_STATEMENT):
                entries += 1
                minor, count, text = _entry(r, entries, account)
                moved, details = moved + minor, details + count
                lines.append(text)
            file.write(
                f"<Stmt><Id>S{statements}</Id><ElctrncSeqNb>{statements}</ElctrncSeqNb>"
                f"<CreDtTm>2026-11-20T20:00:00+01:00</CreDtTm><Acct><Id><IBAN>{account}</IBAN></Id>"
                "<Ccy>EUR</Ccy><Ownr><Nm>Nordlicht Maschinenbau GmbH</Nm></Ownr></Acct>"
                f"{_balance('OPBD', balance)}{_balance('CLBD', balance + moved)}\n"
                f"{''.join(lines)}</Stmt>\n"
            )
            balance += moved
        file.write("</BkToCstmrStmt></Document>\n")
    return {"statements": statements, "entries": entries, "details": details}
