"""Short ways to write payment files and status reports in tests."""

from __future__ import annotations

from typing import Any

from parsers import Parsed

__all__ = ["payments", "report", "sent", "statuses", "transaction", "transfer"]

_SPACE = "urn:iso:std:iso:20022:tech:xsd:"


def transfer(amount: str = '<InstdAmt Ccy="EUR">1.00</InstdAmt>', more: str = "") -> str:
    """One payment."""
    ids = "<PmtId><InstrId>I</InstrId><EndToEndId>E</EndToEndId></PmtId>"
    return f"<CdtTrfTxInf>{ids}<Amt>{amount}</Amt>{more}</CdtTrfTxInf>"


def sent(*transfers: str, head: str = "", info: str = "", version: str = "001.03") -> str:
    """A payment file with one payment information; ``head`` and ``info`` add to the headers."""
    account = "<DbtrAcct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></DbtrAcct>"
    day = "" if "ReqdExctnDt" in info else "<ReqdExctnDt>2026-11-20</ReqdExctnDt>"
    return (
        f'<Document xmlns="{_SPACE}pain.001.{version}"><CstmrCdtTrfInitn>'
        f"<GrpHdr><MsgId>M</MsgId>{head}</GrpHdr>"
        f"<PmtInf><PmtInfId>P</PmtInfId>{day}{info}{account}{''.join(transfers)}</PmtInf>"
        "</CstmrCdtTrfInitn></Document>"
    )


def transaction(status: str = "<TxSts>RJCT</TxSts>", more: str = "") -> str:
    """One transaction of a report."""
    return f"<TxInfAndSts><OrgnlEndToEndId>E</OrgnlEndToEndId>{status}{more}</TxInfAndSts>"


def report(*infos: str, group: str = "", version: str = "001.03") -> str:
    """A report; each of ``infos`` is the inside of a payment information."""
    inside = "".join(
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>P{n}</OrgnlPmtInfId>{i}</OrgnlPmtInfAndSts>"
        for n, i in enumerate(infos, 1)
    )
    return (
        f'<Document xmlns="{_SPACE}pain.002.{version}"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>R</MsgId></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId>{group}</OrgnlGrpInfAndSts>"
        f"{inside}</CstmrPmtStsRpt></Document>"
    )


def payments(parsed: Parsed) -> list[dict[str, Any]]:
    """Rows of what we sent."""
    found: list[dict[str, Any]] = parsed.tables.payments.to_pylist()
    return found


def statuses(parsed: Parsed) -> list[dict[str, Any]]:
    """Rows of what the bank says."""
    found: list[dict[str, Any]] = parsed.tables.statuses.to_pylist()
    return found
