"""Rows of a status report: what one level says of itself, and what identifies a transaction."""

from __future__ import annotations

from typing import Any

from parsers._pain import Batch, account, digits
from parsers._text import clean
from parsers._values import amount
from parsers._xml import Node
from tieout.reasons import STATUS_TEXTS

__all__ = ["Row", "reporter", "said", "transaction"]

Row = dict[str, Any]

_DAYS = ("ReqdExctnDt", "ReqdColltnDt")


def reporter(head: Node) -> str | None:
    """The bank that reports: a BIC where there is one, else a name or number."""
    for role in ("DbtrAgt", "CdtrAgt", "FwdgAgt"):
        bank = head.one(role, "FinInstnId")
        found = bank and clean(bank.get("BICFI") or bank.get("BIC") or bank.get("Nm"))
        if found:
            return found
    return _party(head.one("InitgPty"))


def _party(node: Node | None) -> str | None:
    if node is None:
        return None
    ids = node.one("Id", "OrgId")
    bic = (ids.get("AnyBIC") or ids.get("BICOrBEI") or ids.get("BIC")) if ids else None
    other = ids.get("Othr", "Id") if ids else None
    return clean(bic or node.get("Nm") or other)


def said(node: Node, prefix: str, batch: Batch) -> Row:
    """Status, reasons and figures, which every level has alike (``GrpSts``, ``PmtInfSts`` …)."""
    where = f"line {node.line} {prefix}Sts"
    status = clean(node.get(f"{prefix}Sts"))
    if status is not None and status not in STATUS_TEXTS:
        batch.finding(
            "STATUS_UNKNOWN", "warning", where, f"status {status[:40]!r} is not a known code",
            "it is kept as it is: ask the bank what it means",
        )  # fmt: skip
    reasons: list[str] = []
    texts: list[str] = []
    originator = None
    for info in node.all("StsRsnInf"):
        reason = info.one("Rsn") or info.one("StsRsn")
        code = clean(reason.get("Cd") or reason.get("Prtry") or reason.get()) if reason else None
        reasons += [code] if code else []
        for name in ("AddtlInf", "AddtlStsRsnInf"):
            texts += [t for n in info.all(name) if (t := clean(n.text))]
        originator = originator or _party(info.one("Orgtr") or info.one("StsOrgtr"))
    counts = [
        {
            "status": clean(each.get("DtldSts")),
            "count": digits(each.get("DtldNbOfTxs")),
            "sum": amount(each.get("DtldCtrlSum")),
        }
        for each in node.all("NbOfTxsPerSts")
    ]
    return {
        "line_no": node.line,
        "status": status,
        "reason": reasons[0] if reasons else None,
        "reasons": reasons or None,
        "additional_info": texts or None,
        "reason_originator": originator,
        "status_counts": counts or None,
        "original_count": batch.count(node.get("OrgnlNbOfTxs"), f"{where} OrgnlNbOfTxs"),
        "original_sum": batch.total(node.get("OrgnlCtrlSum"), f"{where} OrgnlCtrlSum"),
    }


def transaction(node: Node, batch: Batch, message_name: str) -> Row:
    """The columns of one transaction; the other side is the debtor of what we collect."""
    first = node.one("OrgnlTxRef")
    row = said(node, "Tx", batch) | {
        "level": "transaction",
        "bank_status_id": clean(node.get("StsId")),
        "payment_info_id": clean(node.get("OrgnlPmtInfId")),  # before version .03
        "instruction_id": clean(node.get("OrgnlInstrId")),
        "end_to_end_id": clean(node.get("OrgnlEndToEndId")),
        "transaction_id": clean(node.get("OrgnlTxId")),
        "uetr": clean(node.get("OrgnlUETR")),
        "accepted_at": batch.instant(
            node.get("AccptncDtTm"), f"line {node.line} TxInfAndSts/AccptncDtTm"
        ),
        "bank_ref": clean(node.get("AcctSvcrRef")),
        "clearing_ref": clean(node.get("ClrSysRef")),
    }
    if first is None:
        return row
    side = "Dbtr" if message_name.startswith("pain.008") else "Cdtr"
    where = f"line {first.line} OrgnlTxRef"
    money = (
        first.one("Amt", "InstdAmt") or first.one("Amt", "EqvtAmt", "Amt")
        or first.one("IntrBkSttlmAmt")
    )  # fmt: skip
    value, currency = batch.money(money, f"{where}/Amt")
    wanted = next((n for name in _DAYS if (n := first.one(name))), None)
    raw = (wanted.get("Dt") or wanted.get("DtTm") or wanted.get()) if wanted else None
    return row | {
        "original_amount": value,
        "original_currency": currency,
        "requested_on": batch.day(raw, where, "the requested day"),
        "counterparty_name": clean(first.get(side, "Pty", "Nm") or first.get(side, "Nm")),
        "counterparty_account": account(first.one(f"{side}Acct")),
    }
