"""Payments of a payment file: the message, its payment informations, and each payment's row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow.compute

from parsers._held import Held, filled
from parsers._pain import Batch, account, agent, too_late
from parsers._text import clean, reference
from parsers._values import is_true
from parsers._xml import Node
from tieout.canonical import Tables

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

__all__ = ["Group", "Message", "remittance"]


class _Proof:
    """Counts and sums payments, and holds them against what the file says of itself."""

    def __init__(self, batch: Batch) -> None:
        self.batch, self.found, self.sum, self.whole = batch, 0, Decimal(0), True

    def add(self, value: Decimal | None) -> None:
        self.found += 1
        self.whole = self.whole and value is not None
        self.sum += value or 0

    def check(self, head: Node | None, where: str) -> None:
        """Findings where ``NbOfTxs`` or ``CtrlSum`` of the header do not fit."""
        if head is None:
            return
        count = self.batch.count(head.get("NbOfTxs"), f"{where}/NbOfTxs")
        if count is not None and count != self.found:
            self.batch.finding(
                "PAYMENT_COUNT_MISMATCH", "warning", f"{where}/NbOfTxs",
                f"the file says {count} payments, it has {self.found}",
                "payments may be missing or added: compare with the run that made the file",
            )  # fmt: skip
        total = self.batch.total(head.get("CtrlSum"), f"{where}/CtrlSum")
        if total is not None and self.whole and total != self.sum:
            self.batch.finding(
                "PAYMENT_SUM_MISMATCH", "warning", f"{where}/CtrlSum",
                f"the file says its payments sum to {total}, they sum to {self.sum}",
                "payments may be missing or changed: compare with the run that made the file",
            )  # fmt: skip


class Message:
    """One message (``CstmrCdtTrfInitn``)."""

    def __init__(self, number: int, line: int, batch: Batch) -> None:
        self.number, self.line, self.batch = number, line, batch
        self.proof = _Proof(batch)
        self.head: Node | None = None
        self.columns: dict[str, Any] = {}
        self.groups = 0
        self.held = self.ended = False
        self.own: list[dict[str, Any]] = []  # rows that miss what their group may say behind them
        self.late: dict[str, Any] = {}
        self.waiting = Held()

    @property
    def count(self) -> int:
        """Payments read so far."""
        return self.proof.found

    def header(self, head: Node) -> None:
        """The group header; where it comes late, the rows still held get its columns too."""
        self.head = head
        self.columns = {
            "message_id": clean(head.get("MsgId")),
            "created_at": self.batch.instant(
                head.get("CreDtTm"), f"line {head.line} GrpHdr/CreDtTm"
            ),
            "initiator_name": clean(head.get("InitgPty", "Nm")),
        }
        if self.columns["message_id"] is None:
            self.batch.finding(
                "MESSAGE_ID_MISSING", "warning", f"line {head.line} GrpHdr/MsgId",
                "the message has no id, so that no status report can be tied to it",
                "have the payment run write MsgId",
            )  # fmt: skip
        if self.count > len(self.batch.rows):
            raise too_late("the group header", f"line {head.line} GrpHdr")
        for row in self.batch.rows[-self.count :] if self.count else ():
            row.update(self.columns)

    def hold(self, batch: Tables) -> None:
        """Put a batch of rows away until their payment information ends."""
        self.waiting.put(batch)
        self.own.clear()

    def released(self) -> Iterator[Tables]:
        """The batches put away, with what stood behind them."""
        yield from self.waiting.take(self._mended)

    def _mended(self, batch: Tables) -> Tables:
        rows = batch.payments
        mine = pc.starts_with(rows["payment_id"], f"{self.number}.{self.groups}.")
        for name, value in self.late.items():
            if value is not None:
                rows = filled(rows, mine, name, value)
        return replace(batch, payments=rows)

    def group(self, line: int) -> Group:
        """The next payment information."""
        self.groups += 1
        return Group(self, f"{self.number}.{self.groups}", line)

    def finish(self) -> None:
        """Prove the message when all its payments are known."""
        self.ended = True
        if self.head is None:
            self.batch.finding(
                "MESSAGE_ID_MISSING", "warning", f"line {self.line}",
                "the message has no group header",
                "have the payment run write GrpHdr with MsgId, NbOfTxs and CtrlSum",
            )  # fmt: skip
        self.proof.check(self.head, f"line {self.head.line if self.head else 0} GrpHdr")


class Group:
    """One payment information (``PmtInf``): what its payments have in common."""

    def __init__(self, message: Message, local_id: str, line: int) -> None:
        self.message, self.batch, self.id, self.line = message, message.batch, local_id, line
        self.proof = _Proof(self.batch)
        self.begun = False
        self.common: dict[str, Any] = {}

    def begin(self, head: Node) -> None:
        """Take what stands before the first payment; hold the rows where that is not all."""
        self.begun = True
        self.common = _common(head)
        self.message.held = not (self.common["debtor_account"] and _requested(head))

    def payment(self, node: Node) -> None:
        """One CdtTrfTxInf."""
        row = _payment(node, self.batch)
        self.proof.add(row["amount"])
        self.message.proof.add(row["amount"])
        row["payment_id"] = f"{self.id}.{self.proof.found}"
        row["ordinal"] = self.message.count
        # Its own word goes before that of the payment information.
        row = self.common | {k: v for k, v in row.items() if v is not None} | self.message.columns
        self.batch.rows.append(row)
        if self.message.held:
            self.message.own.append(row)

    def finish(self, head: Node) -> None:
        """Complete held rows, and prove the payment information."""
        where = f"line {self.line} PmtInf"
        late = _common(head)
        late["requested_on"] = self.batch.day(
            _requested(head), f"{where}/ReqdExctnDt", "the requested day"
        )
        for row in self.message.own:
            row.update({k: v for k, v in late.items() if row.get(k) is None})
        self.message.late, self.message.held = late, False
        self.message.own.clear()
        self.proof.check(head, where)
        if not self.proof.found:
            self.batch.finding(
                "PAYMENT_INFO_EMPTY", "warning", where,
                f"payment information {late['payment_info_id']} has no payment",
                "compare with the run that made the file",
            )  # fmt: skip


def _requested(head: Node) -> str | None:
    return (
        head.get("ReqdExctnDt", "Dt") or head.get("ReqdExctnDt", "DtTm") or head.get("ReqdExctnDt")
    )


def _common(head: Node) -> dict[str, Any]:
    """Columns that a payment information states for all its payments."""
    batch = Batch("payments")  # an unreadable day is said once, when the group ends
    bank = agent(head.one("DbtrAgt"))
    booking = head.get("BtchBookg")
    return {
        "payment_info_id": clean(head.get("PmtInfId")),
        "payment_method": clean(head.get("PmtMtd")),
        "batch_booking": is_true(booking) if booking else None,
        "debtor_name": clean(head.get("Dbtr", "Nm")),
        "debtor_account": account(head.one("DbtrAcct")),
        "debtor_bic": bank["bic"],
        "debtor_clearing_id": bank["clearing_id"],
        "requested_on": batch.day(_requested(head), "", ""),
        **_terms(head),
    }


def _terms(node: Node) -> dict[str, Any]:
    """Columns that stand at either level."""
    kind = node.one("PmtTpInf")
    return {
        "ultimate_debtor_name": clean(node.get("UltmtDbtr", "Nm")),
        "charge_bearer": clean(node.get("ChrgBr")),
        "service_level": _code(kind and kind.one("SvcLvl")),
        "category_purpose": _code(kind and (kind.one("CtgyPurp") or kind.one("CtgyPrp"))),
    }


def _code(node: Node | None) -> str | None:
    """An ISO code, else the proprietary one, else bare text (version .02)."""
    return clean(node.get("Cd") or node.get("Prtry") or node.get()) if node is not None else None


def _payment(node: Node, batch: Batch) -> dict[str, Any]:
    """The columns of one payment; a part that cannot be read is null, with a finding."""
    where = f"line {node.line} CdtTrfTxInf"
    ids = node.one("PmtId")
    before = len(batch.findings)
    money = node.one("Amt", "InstdAmt") or node.one("Amt", "EqvtAmt", "Amt")
    value, currency = batch.money(money, f"{where}/Amt")
    if money is None:
        batch.finding(
            "AMOUNT_MISSING", "error", where, "the payment has no amount",
            "correct the payment at the sender; the amount stays empty here",
        )  # fmt: skip
    bank = agent(node.one("CdtrAgt"))
    end_to_end = clean(ids.get("EndToEndId")) if ids else None
    return {
        "line_no": node.line,
        "instruction_id": clean(ids.get("InstrId")) if ids else None,
        "end_to_end_id": end_to_end,
        "uetr": clean(ids.get("UETR")) if ids else None,
        "creditor_name": clean(node.get("Cdtr", "Nm")),
        "creditor_account": account(node.one("CdtrAcct")),
        "creditor_bic": bank["bic"],
        "creditor_clearing_id": bank["clearing_id"],
        "ultimate_creditor_name": clean(node.get("UltmtCdtr", "Nm")),
        "amount": value,
        "currency": currency,
        "transfer_currency": clean(node.get("Amt", "EqvtAmt", "CcyOfTrf")),
        "purpose": _code(node.one("Purp")),
        "incomplete": any(f.severity == "error" for f in batch.findings[before:]),
        **_terms(node),
        **remittance(node),
    }


def remittance(node: Node) -> dict[str, Any]:
    """Structured reference and its type, numbers of the documents paid, and free text."""
    refs: list[tuple[str, str | None]] = []
    numbers: list[str] = []
    texts: list[str] = []
    for info in node.all("RmtInf"):
        texts += [t for u in info.all("Ustrd") if (t := clean(u.text))]
        for part in info.all("Strd"):
            for own in part.all("CdtrRefInf"):
                found = reference(own.get("Ref") or own.get("CdtrRef"))
                if found:
                    refs.append((found, _reference_type(own)))
            for document in part.all("RfrdDocInf"):
                number = clean(document.get("Nb") or document.get("RfrdDocNb"))
                numbers += [number] if number else []
            texts += [t for n in part.all("AddtlRmtInf") if (t := clean(n.text))]
    texts += [ref for ref, _ in refs[1:]]
    ref, kind = refs[0] if refs else (None, None)
    return {
        "reference": ref,
        "reference_type": kind,
        "document_no": numbers or None,
        "narrative": " ".join(texts) or None,
    }


def _reference_type(node: Node) -> str | None:
    kind = node.one("Tp") or node.one("CdtrRefTp")
    return _code(kind and (kind.one("CdOrPrtry") or kind))
