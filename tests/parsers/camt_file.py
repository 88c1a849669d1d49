"""camt files for the fast reader's tests: everything it reads by the column, and what it must not."""

from __future__ import annotations

__all__ = ["OWN", "amount", "balance", "detail", "document", "entry", "rich"]

OWN = "<IBAN>CH9300762011623852957</IBAN>"


def amount(value: str, currency: str = "CHF") -> str:
    return f'<Amt Ccy="{currency}">{value}</Amt>'


def party(side: str, name: str, account: str) -> str:
    return (
        f"<{side}><Nm>{name}</Nm></{side}><Ultmt{side}><Nm>For {name}</Nm></Ultmt{side}>"
        f"<{side}Acct><Id>{account}</Id></{side}Acct>"
    )


def detail(number: int, *parts: str) -> str:
    return (
        f"<TxDtls><Refs><MsgId>NOTPROVIDED</MsgId><EndToEndId>E{number}</EndToEndId>"
        f"<MndtId>M{number}</MndtId><ChqNb>C{number}</ChqNb><UETR>U{number}</UETR></Refs>"
        f"{''.join(parts)}</TxDtls>"
    )


def entry(value: str, mark: str, *details: str, status: str = "<Sts>BOOK</Sts>") -> str:
    return (
        f"<Ntry><NtryRef>R-{value}</NtryRef>{amount(value)}<CdtDbtInd>{mark}</CdtDbtInd>{status}"
        "<BookgDt><DtTm>2026-11-20T10:00:00+01:00</DtTm></BookgDt><ValDt><Dt>2026-11-21</Dt></ValDt>"
        "<AcctSvcrRef>nonref</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd>"
        "<SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn><Prtry><Cd>NTRF+166</Cd></Prtry></BkTxCd>"
        f"{''.join(details)}<AddtlNtryInf>x &lt;y&gt; Überweisung</AddtlNtryInf></Ntry>"
    )


def balance(code: str, value: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{amount(value)}"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>"
    )


def _entries() -> list[str]:
    me, shop = party("Cdtr", "Me", OWN), "<IBAN>DE89370400440532013000</IBAN>"
    batch = "<Btch><MsgId>BM</MsgId><PmtInfId>BP</PmtInfId><NbOfTxs>{}</NbOfTxs></Btch>"
    qrr = (
        "<RmtInf><Strd><CdtrRefInf><Tp><CdOrPrtry><Prtry>QRR</Prtry></CdOrPrtry></Tp>"
        "<Ref>210000000003139471430009017</Ref></CdtrRefInf><AddtlRmtInf>?REJECT?0</AddtlRmtInf>"
        "</Strd></RmtInf><AddtlTxInf>more</AddtlTxInf>"
    )
    free = (
        "<RmtInf><Ustrd>one</Ustrd><Ustrd>two</Ustrd><Strd><RfrdDocInf><Nb>INV1</Nb></RfrdDocInf>"
        "</Strd></RmtInf><AddtlTxInf>two</AddtlTxInf>"
    )
    ann = party("Dbtr", "Ann &amp; Co", "<Othr><Id>ACC-1</Id></Othr>")
    foreign = (
        f"<AmtDtls><InstdAmt>{amount('10.00', 'EUR')}</InstdAmt><TxAmt>{amount('11.00')}</TxAmt>"
        f"<CntrValAmt>{amount('11.00')}<CcyXchg><XchgRate>1.1</XchgRate></CcyXchg></CntrValAmt>"
        "</AmtDtls>"
    )
    returned = (
        f"<RltdPties>{party('Dbtr', 'Me', OWN)}{party('Cdtr', 'Shop', shop)}</RltdPties>"
        "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf><Purp><Prtry>X</Prtry></Purp>"
    )
    charge = (
        '<Chrgs><TtlChrgsAndTaxAmt Ccy="CHF">1.00</TtlChrgsAndTaxAmt>'
        f"<Rcrd>{amount('1.00')}<CdtDbtInd>DBIT</CdtDbtInd></Rcrd></Chrgs>"
    )
    agent = (
        "<RltdPties><Cdtr><Agt><FinInstnId><Nm>Bank</Nm></FinInstnId></Agt></Cdtr></RltdPties>"
        "<RltdAgts><CdtrAgt><FinInstnId><BIC>ABCDEFGH</BIC></FinInstnId></CdtrAgt></RltdAgts>"
    )

    def group(*parts: str) -> str:
        return f"<NtryDtls>{''.join(parts)}</NtryDtls>"

    return [
        entry(
            "30.00", "CRDT",
            group(
                batch.format(2),
                detail(1, amount("10.00"), f"<RltdPties>{ann}{me}</RltdPties>", qrr),
                detail(2, amount("20"), f"<RltdPties>{me}</RltdPties>", free),
            ),
        ),
        entry("5.50", "DBIT", status="<Sts>BOOK</Sts><RvslInd>false</RvslInd>"),
        entry("7.00", "DBIT", group(batch.format(1))),
        entry("7.00", "DBIT", group(batch.format(9))),
        entry("11.00", "CRDT", group(detail(3, foreign, returned))),
        entry("9.00", "DBIT", group(detail(4, amount("8.00"), charge))),
        entry("9.00", "DBIT", group(detail(5, amount("4.00"))), group(detail(6))),
        entry("9.00", "DBIT", group(detail(7, amount("4.00"))), group(detail(8, amount("5.00"))),
              status="<Sts><Cd>PDNG</Cd></Sts>"),
        entry("3.00", "DBIT", group(detail(9, amount("3.00"), agent)),
              status="<Sts>BOOK</Sts><RvslInd>true</RvslInd>"),
        entry("0.00", "DBIT", group(detail(10))),
        entry("1234", "CRDT", group(detail(11, "<CdtDbtInd>CRDT</CdtDbtInd>"))),
    ]  # fmt: skip


def document(entries: list[str], root: str, element: str, space: str) -> str:
    """Two statements: one with an IBAN and all entries, one with the bank's own number."""
    own = "<Othr><Id>77</Id></Othr>"
    header = (
        "<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-20T10:00:00</CreDtTm><MsgPgntn><PgNb>1</PgNb>"
        "<LastPgInd>true</LastPgInd></MsgPgntn></GrpHdr>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:'
        f'{space}"><{root}>{header}<{element}><Id>1</Id><Acct><Id>{OWN}</Id><Ccy>CHF</Ccy></Acct>'
        f"{balance('OPBD', '100.00')}{balance('CLBD', '105.50')}\n{chr(10).join(entries)}"
        f"<Addtl{element}Inf>bye</Addtl{element}Inf></{element}>\n"
        f"<{element}><Id>2</Id><Acct><Id>{own}</Id></Acct>{''.join(entries[:3])}</{element}>"
        f"</{root}></Document>\n"
    )


def rich(kind: str = "camt.053.001.04") -> str:
    """A file of one of the three messages with every kind of entry."""
    names = {
        "camt.052": ("BkToCstmrAcctRpt", "Rpt"),
        "camt.053": ("BkToCstmrStmt", "Stmt"),
        "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    }
    return document(_entries(), *names[kind[:8]], kind)
