"""Amounts and charges of one camt entry or detail, as one element tells them."""

from __future__ import annotations

from decimal import Decimal

from parsers._values import amount
from parsers._xml import Node

__all__ = ["amounts", "charges"]


def amounts(node: Node, currency: str | None) -> tuple[Decimal | None, tuple[Decimal, str] | None]:
    """The detail's amount in the entry's currency, and the foreign one it was instructed in.

    Own amount first: ``Amt`` (v04 on), ``AmtDtls/TxAmt``, ``CntrValAmt``, at last ``InstdAmt``.
    """
    places = [node.one("Amt")] + [
        node.one("AmtDtls", name, "Amt") for name in ("TxAmt", "CntrValAmt", "InstdAmt")
    ]
    known = [(amount(p.get()), p.currency or currency) for p in places if p is not None]
    value = next((v for v, code in known if v is not None and code == currency), None)
    # The instructed amount is listed last and is the one the parties agreed on.
    for foreign, code in reversed(known):
        if foreign is not None and code is not None and code != currency:
            return value, (foreign, code)
    return value, None


def charges(node: Node, currency: str | None) -> Decimal | None:
    """Charges in the entry's currency as money: borne is negative; None where none are told."""
    total: Decimal | None = None
    for group in node.all("Chrgs"):
        records = group.all("Rcrd") or [group]
        for record in records:
            money = record.one("Amt") or record.one("TtlChrgsAndTaxAmt")
            value = amount(money.get()) if money is not None else None
            if money is None or value is None or (money.currency or currency) != currency:
                continue
            signed = value if record.get("CdtDbtInd") == "CRDT" else -value if value else value
            total = (total or Decimal(0)) + signed
    return total
