"""Whose account it is, who stands on the other side of a camt detail, and what they wrote."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from parsers._text import clean, is_iban, reference
from parsers._xml import Node

__all__ = ["account_of", "counterparty", "currency_of", "reference_type", "remittance"]

#: Words by which banks name a kind of reference: old Swiss files in German and French too.
_KNOWN: Final = {"SCOR": "SCOR", "QRR": "QRR", "ISR": "ISR", "ESR": "ISR", "BVR": "ISR"}


def _party(node: Node, role: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Name, account, BIC and ultimate name of one side (``Dbtr`` or ``Cdtr``)."""
    parties = node.one("RltdPties")
    agent = node.one("RltdAgts", f"{role}Agt", "FinInstnId")
    bic = clean(agent.get("BICFI") or agent.get("BIC")) if agent else None
    if parties is None:
        return None, None, bic, None
    name = parties.get(role, "Pty", "Nm") or parties.get(role, "Nm") or parties.get(role, "Agt",
        "FinInstnId", "Nm")  # fmt: skip
    identity = parties.one(f"{role}Acct", "Id")
    account = identity and (identity.get("IBAN") or identity.get("Othr", "Id"))
    ultimate = parties.get(f"Ultmt{role}", "Pty", "Nm") or parties.get(f"Ultmt{role}", "Nm")
    return (
        clean(name),
        reference("".join(account.split())) if account else None,
        bic,
        clean(ultimate),
    )


def counterparty(
    node: Node, sign: int, row: Mapping[str, Any], own: Collection[str | None]
) -> tuple[str | None, str | None, str | None, str | None]:
    """The other side: the debtor of money in, the creditor of money out; never ourselves.

    A returned payment keeps the roles of the payment it returns, so the sides change there.
    """
    usual, other = ("Dbtr", "Cdtr") if sign > 0 else ("Cdtr", "Dbtr")
    first, second = _party(node, usual), _party(node, other)
    if first[1] is not None and first[1] in own:
        return second
    returned = row["reversal"] or node.one("RtrInf") is not None
    if returned and second[0] is not None and second[1] not in own:
        return second
    if not any(first) and second[1] not in own:
        return second
    return first


def remittance(node: Node) -> tuple[str | None, str | None, str | None]:
    """Structured reference, its type, and everything free that was written."""
    texts: list[str] = []
    refs: list[tuple[str, str | None]] = []
    for info in node.all("RmtInf"):
        texts += [t for u in info.all("Ustrd") if (t := clean(u.text))]
        for part in info.all("Strd"):
            found = reference(part.get("CdtrRefInf", "Ref") or part.get("CdtrRefInf", "CdtrRef"))
            if found:
                refs.append((found, _reference_type(part)))
            for path in (("RfrdDocInf", "Nb"), ("AddtlRmtInf",)):
                texts += [t for n in part.all(*path) if (t := clean(n.text))]
    texts += [ref for ref, _ in refs[1:]]
    extra = clean(node.get("AddtlTxInf"))
    if extra is not None and extra not in texts:
        texts.append(extra)
    ref, kind = refs[0] if refs else (None, None)
    return ref, kind, " ".join(texts) or None


def _reference_type(part: Node) -> str | None:
    tp = part.one("CdtrRefInf", "Tp") or part.one("CdtrRefInf", "CdtrRefTp")
    if tp is None:
        return None
    return reference_type(
        tp.get("CdOrPrtry", "Cd")
        or tp.get("CdOrPrtry", "Prtry")
        or tp.get("Cd")
        or tp.get("Prtry"),
        tp.get("Issr"),
    )


def reference_type(text: str | None, issuer: str | None = None) -> str | None:
    """``SCOR``, ``QRR``, ``ISR`` or ``BBA``, whichever way the bank writes it; else its own word.

    A Belgian communication is a SCOR with the issuer BBA; here it is what CODA calls it.
    """
    raw = clean(text)
    words = re.findall("[A-Z]+", raw.upper()) if raw else []
    kind = next((_KNOWN[word] for word in words if word in _KNOWN), raw)
    return "BBA" if kind == "SCOR" and issuer and issuer.strip().upper() == "BBA" else kind


def account_of(head: Node) -> tuple[str | None, str | None]:
    """Account and its scheme; an IBAN written as another identification is an IBAN."""
    iban = head.get("Acct", "Id", "IBAN")
    if iban is not None:
        return "".join(iban.split()), "IBAN"
    paths = (
        ("Othr", "Id"),
        ("PrtryAcct", "Id"),
        ("BBAN",),
        ("UPIC",),
    )  # the last three: version 01
    other = next((t for p in paths if (t := clean(head.get("Acct", "Id", *p)))), None)
    if other is None:
        return None, None
    bare = "".join(other.split())
    return (bare, "IBAN") if is_iban(bare) else (other, "other")


def currency_of(head: Node) -> str | None:
    """The account's currency: its own, else that of the first booked balance."""
    own = head.get("Acct", "Ccy")
    if own is not None:
        return own
    for balance in head.all("Bal"):
        money = balance.one("Amt")
        if money is not None and money.currency:
            return money.currency
    return None
