"""One camt entry (``Ntry``) and its details (``TxDtls``); the same in camt.052, .053 and .054."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final, Protocol

from parsers._camt_money import amounts, charges
from parsers._camt_party import counterparty, remittance
from parsers._checks import checked
from parsers._rows import Rows
from parsers._text import clean, reference
from parsers._values import amount, day, is_true, rate, rate_fits
from parsers._xml import Node

__all__ = ["STATUS", "Ready", "detail", "entry", "swift_type", "terms"]

#: Status by the code the bank writes.
STATUS: Final = {"BOOK": "booked", "PDNG": "pending", "INFO": "info", "FUTR": "future"}
_SWIFT = re.compile(r"([NFS][A-Z0-9]{3})(?:\+.*)?")

Row = dict[str, Any]


class Ready(Protocol):
    """Details read before their entry ended: of which NtryDtls, and their rows in order."""

    number: int
    rows: list[Row]


def entry(
    node: Node,
    currency: str | None,
    own_accounts: Collection[str | None],
    rows: Rows,
    *,
    silent: str | None = "booked",
    ready: Ready | None = None,
) -> tuple[Row, list[Row]] | None:
    """The entry's row and its details' rows (ids and ordinal of the entry are the caller's).

    Args:
        node: the Ntry.
        currency: the account's, for an amount that names none.
        own_accounts: account numbers that are never the counterparty.
        rows: takes the findings.
        silent: status of an entry that names none; None where only the bank could tell.
        ready: details that were read before the entry ended, and are not in the node.

    Returns:
        None where amount or direction cannot be read; a finding of severity error says so.
    """
    where = f"line {node.line} Ntry"
    agreed = terms(node, currency)
    if agreed is None:
        money, mark = node.one("Amt"), node.get("CdtDbtInd")
        raw = "" if money is None else money.text[:40]
        rows.finding(
            "ENTRY_UNREADABLE", "error", where,
            f"the entry's amount or direction cannot be read: Amt {raw!r} CdtDbtInd {mark!r} in "
            f"{_shown(node)!r}",
            "ask the bank for the statement again; the other entries are read, nothing is posted",
        )  # fmt: skip
        return None
    proprietary = clean(node.get("BkTxCd", "Prtry", "Cd"))
    row: Row = {
        "line_no": node.line,
        "booked_on": _date(node, "BookgDt", where, rows),
        "valued_on": _date(node, "ValDt", where, rows),
        "status": _status(node, silent, where, rows),
        "bank_ref": reference(node.get("AcctSvcrRef")),
        "entry_ref": reference(node.get("NtryRef")),
        "code_domain": clean(node.get("BkTxCd", "Domn", "Cd")),
        "code_family": clean(node.get("BkTxCd", "Domn", "Fmly", "Cd")),
        "code_subfamily": clean(node.get("BkTxCd", "Domn", "Fmly", "SubFmlyCd")),
        "code_proprietary": proprietary,
        "swift_type": swift_type(proprietary),
        "narrative": clean(node.get("AddtlNtryInf")),
    } | agreed
    details = _details(node, row, own_accounts, rows, ready)
    row["detail_count"] = len(details)
    return row, details


def terms(node: Node, currency: str | None) -> Row | None:
    """What details take from an entry: its signed amount, currency and whether it is a reversal.

    None where amount or direction cannot be read.
    """
    money, mark = node.one("Amt"), node.get("CdtDbtInd")
    value = amount(money.get()) if money is not None else None
    if money is None or value is None or mark not in ("CRDT", "DBIT"):
        return None
    return {
        "amount": -value if value and mark == "DBIT" else value,
        "currency": money.currency or currency,
        "reversal": is_true(node.get("RvslInd")),
    }


def _shown(node: Node, limit: int = 300) -> str:
    """The raw text of an element, as far as the limit, for a person to find it again."""
    parts: list[str] = []
    todo: list[str | tuple[str, Node]] = [("Ntry", node)]
    while todo and limit > 0:
        part = todo.pop()
        if isinstance(part, tuple):
            name, found = part
            text = " ".join(found.text.split()) if found.kids else found.text.strip()
            kids = [(tag, kid) for tag, each in found.kids.items() for kid in each]
            todo += [f"</{name}>", *reversed(kids)]
            part = f"<{name}>{text}"
        parts.append(part)
        limit -= len(part)
    return (clean("".join(parts)) or "")[:400]


def swift_type(proprietary: str | None) -> str | None:
    """The SWIFT transaction type German banks lead their own code with (``NTRF+166+000``)."""
    found = _SWIFT.fullmatch(proprietary) if proprietary else None
    return found.group(1) if found else None


def _status(node: Node, silent: str | None, where: str, rows: Rows) -> str | None:
    """``BOOK`` and its like: text up to version 07, a code from 08 on, either in practice."""
    raw = node.get("Sts", "Cd") or node.get("Sts") or node.get("Sts", "Prtry")
    status = STATUS.get(raw.upper()) if raw is not None else silent
    if status is None:
        said = f"status {raw[:40]!r} is" if raw is not None else "the entry has no status, so it is"
        rows.finding(
            "STATUS_UNKNOWN", "warning", f"{where}/Sts",
            f"{said} not BOOK, PDNG, INFO or FUTR",
            "ask the bank whether the entry is booked",
        )  # fmt: skip
    return status


def _date(node: Node, name: str, where: str, rows: Rows) -> Any:
    raw = node.get(name, "Dt") or node.get(name, "DtTm")
    found = day(raw)
    if raw is not None and found is None:
        rows.finding(
            "DATE_MALFORMED", "warning", f"{where}/{name}", f"{raw[:40]!r} is not a date",
            "left empty; ask the bank for the date",
        )  # fmt: skip
    return found


def _details(
    node: Node, row: Row, own: Collection[str | None], rows: Rows, ready: Ready | None
) -> list[Row]:
    """At least one detail; its amount is the entry's only where there is exactly one."""
    found: list[Row] = []
    announced = 0
    # Version 01 has its details in the entry itself.
    for number, group in enumerate(node.all("NtryDtls") or [node]):
        batch = group.one("Btch")
        said = batch.get("NbOfTxs") if batch else None
        announced += int(said[:9]) if said and said.isascii() and said.isdigit() else 0
        transactions = [detail(each, row, own) for each in group.all("TxDtls")]
        if ready is not None and ready.number == number:
            transactions = ready.rows + transactions
        if not transactions and batch is not None:
            found.append(_empty(batch.line) | _batch_refs(batch))
        for transaction in transactions:
            _check_rate(transaction, rows)
            if batch is not None:
                for name, text in _batch_refs(batch).items():
                    transaction[name] = transaction[name] or text
        found += transactions
    if not found:
        found.append(_empty(row["line_no"]))
    for ordinal, each in enumerate(found, 1):
        each["ordinal"] = ordinal
        place = f"line {each['line_no']} RmtInf/Strd/CdtrRefInf"
        checked(each.get("reference"), each.get("reference_type"), place, rows)
    where = f"line {row['line_no']} Ntry/NtryDtls"
    elsewhere = announced > len(found)
    if len(found) == 1:
        only = found[0]
        if only["charges"] is None:
            only["charges"] = charges(node, row["currency"])
        if only["amount"] is None and not elsewhere:
            only["amount"], only["currency"] = row["amount"], row["currency"]
    if elsewhere:
        rows.finding(
            "DETAILS_ELSEWHERE", "info", where,
            f"the bank announces {announced} payments and details {len(found)}",
            "the details come in another message (camt.054)",
        )  # fmt: skip
    else:
        _check_sum(node, row, found, where, rows)
    return found


def _check_sum(node: Node, row: Row, details: list[Row], where: str, rows: Rows) -> None:
    """Details must sum to the entry, charges explained; else a finding."""
    if any(d["amount"] is None for d in details):
        missing = sum(d["amount"] is None for d in details)
        rows.finding(
            "DETAIL_AMOUNT_MISSING", "info", where,
            f"{missing} of {len(details)} details have no amount in {row['currency']}",
            "they are matched by reference only",
        )  # fmt: skip
        return
    total = sum((d["amount"] for d in details), Decimal(0))
    borne = sum((d["charges"] or Decimal(0) for d in details), Decimal(0))
    if len(details) > 1:
        borne += charges(node, row["currency"]) or Decimal(0)
    if row["amount"] not in (total, total + borne):
        rows.finding(
            "DETAIL_SUM_MISMATCH", "warning", where,
            f"details sum to {total} (charges {borne}), the entry is {row['amount']}",
            "look for charges or a missing detail; the entry's amount is what the bank booked",
        )  # fmt: skip


def _check_rate(row: Row, rows: Rows) -> None:
    """The rate must lead from one amount to the other: banks fill its direction either way."""
    money, foreign, stated = row["amount"], row["original_amount"], row["fx_rate"]
    if not (money and foreign and stated) or rate_fits(money, foreign, stated):
        return
    rows.finding(
        "FX_RATE_UNPROVEN", "info", f"line {row['line_no']} TxDtls/AmtDtls",
        f"the rate {stated} leads neither from {foreign} {row['original_currency']} to "
        f"{money} {row['currency']} nor back",
        "the amounts are what was booked and instructed; charges may explain it",
    )  # fmt: skip


def _empty(line: int) -> Row:
    row: Row = dict.fromkeys(
        ["amount", "currency", "message_id", "payment_info_id", "charges", "original_amount"]
    )
    row["line_no"] = line
    return row


def _batch_refs(batch: Node) -> dict[str, str | None]:
    return {
        "message_id": reference(batch.get("MsgId")),
        "payment_info_id": reference(batch.get("PmtInfId")),
    }


def detail(node: Node, row: Row, own: Collection[str | None]) -> Row:
    """One TxDtls as a row, without what it shares with the others of its group.

    Args:
        node: the TxDtls.
        row: at least the `terms` of its entry.
        own: account numbers that are never the counterparty.
    """
    mark = node.get("CdtDbtInd")
    sign = {"CRDT": 1, "DBIT": -1}.get(mark or "", -1 if row["amount"] < 0 else 1)
    value, original = amounts(node, row["currency"])
    refs = node.one("Refs") or node
    name, account, bic, ultimate = counterparty(node, sign, row, own)
    exchange = next(
        (r for path in ("TxAmt", "CntrValAmt", "InstdAmt", "AnncdPstngAmt")
         for r in [rate(node.get("AmtDtls", path, "CcyXchg", "XchgRate"))] if r is not None),
        None,
    )  # fmt: skip
    ref, ref_type, narrative = remittance(node)
    return {
        "line_no": node.line,
        "amount": None if value is None else sign * value if value else value,
        "currency": None if value is None else row["currency"],
        "end_to_end_id": reference(refs.get("EndToEndId")),
        "instruction_id": reference(refs.get("InstrId")),
        "payment_info_id": reference(refs.get("PmtInfId")),
        "message_id": reference(refs.get("MsgId")),
        "transaction_id": reference(refs.get("TxId")) or reference(refs.get("AcctSvcrRef")),
        "uetr": reference(refs.get("UETR")),
        "mandate_id": reference(refs.get("MndtId")),
        "cheque_no": reference(refs.get("ChqNb")),
        "counterparty_name": name,
        "counterparty_account": account,
        "counterparty_bic": bic,
        "ultimate_name": ultimate,
        "reference": ref,
        "reference_type": ref_type,
        "narrative": narrative,
        "purpose": clean(node.get("Purp", "Cd") or node.get("Purp", "Prtry")),
        "return_reason": clean(
            node.get("RtrInf", "Rsn", "Cd") or node.get("RtrInf", "Rsn", "Prtry")
        ),
        "original_amount": None if original is None else sign * original[0],
        "original_currency": None if original is None else original[1],
        "fx_rate": exchange,
        "charges": charges(node, row["currency"]),
    }
