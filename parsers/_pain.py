"""What payment files (pain.001) and status reports (pain.002) share.

Finding the message, the small values both have, and rows on their way into batches.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
from lxml import etree

from parsers._text import clean
from parsers._values import amount, day, instant
from parsers._xml import Document, Node
from tieout.canonical import PAYMENTS, STATUSES, Tables, empty, table
from tieout.errors import Finding, InputError, Severity
from tieout.money import is_currency

__all__ = [
    "BATCH_ROWS",
    "Batch",
    "account",
    "agent",
    "digits",
    "family_of",
    "forget",
    "owner",
    "roots",
    "too_late",
]

#: Rows a batch holds before it is handed on; keeps memory constant for a file of any size.
BATCH_ROWS: Final = 5_000

_SCHEMAS: Final = {"payments": PAYMENTS, "statuses": STATUSES}
_ROOT = re.compile(
    r"<(?:[\w.-]+:)?(?:(CstmrCdtTrfInitn)|(CstmrPmtStsRpt)|(pain\.00[12])\.\d{3}\.\d\d)[\s/>]"
)
_NAMESPACE = re.compile(
    r"""<(?:[\w.-]+:)?[\w.]+\s[^<>]*?xmlns(?::[\w.-]+)?\s*=\s*["'][^"'<>]*?"""
    r"(pain\.\d{3})(\.\d{3}\.\d\d)?",
    re.I,
)
#: Most zeros behind the decimal mark that a control sum may have beyond our five decimals.
_PADDED = re.compile(r"(\d{1,18}\.\d{1,5}?)0{1,17}", re.ASCII)


def family_of(head: bytes, family: str) -> str | None:
    """``pain.NNN.NNN.NN``, or ``family`` where the namespace names no version, or None.

    The message's own element decides; the namespace does where that is beyond the head, and it
    names the version. National namespaces (DK, SIX, SWIFT) hold the same name.
    """
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        text = head.decode("utf-16", "ignore")
    elif b"\x00" in head[:4]:
        text = head.decode("utf-16-be" if head[0] == 0 else "utf-16-le", "ignore")
    else:
        text = head.decode("latin-1")
    if not text.lstrip("\ufeffï»¿ \t\r\n").startswith("<"):
        return None
    root, space = _ROOT.search(text), _NAMESPACE.search(text)
    named = space[1].lower() if space else None
    said = (root[3] or ("pain.001" if root[1] else "pain.002")) if root is not None else named
    if said != family:
        return None
    return family + ((space[2] or "") if space is not None and named == family else "")


def roots(family: str, name: str) -> tuple[str, ...]:
    """Names the message's element has had: its own, and before version .03 the format's."""
    return name, *(f"{family}.001.{version:02}" for version in range(1, 15))


def owner(element: etree._Element) -> etree._Element:
    """The element around one that is known to have such."""
    parent = element.getparent()
    return element if parent is None else parent


def forget(element: etree._Element, before: etree._Element | None) -> etree._Element:
    """Free an element that was read, and take the one ``before`` it out of the tree.

    Not this one: the parser still stands on it.
    """
    if before is not None and before.getparent() is not None:
        owner(before).remove(before)
    element.clear()
    return element


def too_late(what: str, where: str) -> InputError:
    """What belongs to rows that were handed on already stands behind them."""
    return InputError(
        "PAIN_HEADER_LATE",
        f"{what} stands behind more than {BATCH_ROWS:,} rows it belongs to",
        where=where,
        remedy="write the file in the order of the format; nothing of it was read",
    )


class Batch:
    """Rows of one table and the findings beside them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[dict[str, Any]] = []
        self.findings: list[Finding] = []

    def finding(
        self, code: str, severity: Severity, where: str, message: str, remedy: str = ""
    ) -> None:
        """Record a failed check."""
        self.findings.append(Finding(code, severity, where, message, remedy))

    @property
    def full(self) -> bool:
        """Whether a batch's worth of rows waits."""
        return max(len(self.rows), len(self.findings)) >= BATCH_ROWS

    def take(self) -> Tables:
        """Everything collected so far as tables; the collector is empty afterwards."""
        bare = empty()
        rows = {self.name: table(self.rows, _SCHEMAS[self.name])}
        both: dict[str, pa.Table] = {"payments": bare.payments, "statuses": bare.statuses} | rows
        found = tuple(self.findings)
        self.rows, self.findings = [], []
        return Tables(bare.statements, bare.balances, bare.entries, bare.details, found, **both)

    def day(self, raw: str | None, where: str, what: str) -> Any:
        """A date as written; None with a finding where it is not one."""
        found = day(raw)
        if raw is not None and found is None:
            self.finding(
                "DATE_MALFORMED", "warning", where, f"{what} is not a date: {raw[:40]!r}",
                "correct the date at the sender; the day stays empty here",
            )  # fmt: skip
        return found

    def instant(self, raw: str | None, where: str) -> Any:
        """An instant in UTC; None with a finding where it is not one."""
        found = instant(raw)
        if raw is not None and found is None:
            self.finding(
                "DATE_MALFORMED", "warning", where, f"not a time: {raw[:40]!r}",
                "correct the time at the sender; it stays empty here",
            )  # fmt: skip
        return found

    def skipped(self, document: Document, name: str) -> None:
        """Say that one of a file's documents holds no message of this format."""
        self.finding(
            "DOCUMENT_SKIPPED", "warning", f"line {document.line + 1}",
            f"one of the file's documents is no {name}: nothing of it was read",
            "split the file and read that document by itself",
        )  # fmt: skip

    def astray(self, name: str, line: int) -> None:
        """Say that an element stands where none of its kind may."""
        self.finding(
            "ELEMENT_ASTRAY", "error", f"line {line} {name}",
            f"the {name} does not stand where the message has it; it was not read",
            "write the file again at its source: it is put together wrongly",
        )  # fmt: skip

    def money(self, node: Node | None, where: str) -> tuple[Decimal | None, str | None]:
        """Amount without a sign, and currency; None with a finding what cannot be read."""
        if node is None:
            return None, None
        value, currency = amount(node.get()), clean(node.currency)
        if value is None:
            self.finding(
                "AMOUNT_MALFORMED", "error", where, f"not an amount: {node.text[:40]!r}",
                "correct the amount at the sender; it stays empty here",
            )  # fmt: skip
        if currency is None or not is_currency(currency):
            self.finding(
                "CURRENCY_UNKNOWN", "error" if currency is None else "warning", where,
                f"{currency!r} is not an ISO 4217 currency",
                "correct the currency at the sender",
            )  # fmt: skip
        return value, currency

    def total(self, raw: str | None, where: str) -> Decimal | None:
        """A control sum; None with a finding where it cannot be read."""
        if raw is None:
            return None
        padded = _PADDED.fullmatch(raw)
        value = amount(padded[1] if padded else raw)
        if value is None:
            self.finding(
                "CONTROL_SUM_MALFORMED", "warning", where, f"not a control sum: {raw[:40]!r}",
                "the payments are not proven by it: compare their sum by hand",
            )  # fmt: skip
        return value

    def count(self, raw: str | None, where: str) -> int | None:
        """A number of transactions; None with a finding where it cannot be read."""
        found = digits(raw)
        if raw is not None and found is None:
            self.finding(
                "CONTROL_COUNT_MALFORMED", "warning", where, f"not a count: {raw[:40]!r}",
                "the payments are not proven by it: count them by hand",
            )  # fmt: skip
        return found


def digits(text: str | None) -> int | None:
    """A number of at most 15 ASCII digits, or None."""
    if text is not None and text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    return None


def account(node: Node | None) -> str | None:
    """IBAN without blanks, else the number the bank knows the account by, else its proxy."""
    if node is None:
        return None
    iban = clean(node.get("Id", "IBAN"))
    if iban is not None:
        return "".join(iban.split())
    paths: tuple[tuple[str, ...], ...] = (
        ("Id", "Othr", "Id"), ("Id", "BBAN"), ("Id", "PrtryAcct", "Id"), ("Id", "UPIC"),
        ("Prxy", "Id"),
    )  # fmt: skip
    return next((found for path in paths if (found := clean(node.get(*path)))), None)


def agent(node: Node | None) -> Mapping[str, str | None]:
    """``bic`` and ``clearing_id`` of a bank (``DbtrAgt``, ``CdtrAgt``)."""
    bank = node.one("FinInstnId") if node is not None else None
    if bank is None:
        return {"bic": None, "clearing_id": None}
    inner = bank.one("CmbndId") or bank  # version .02 of ISO
    member = inner.one("ClrSysMmbId")
    number = (member.get("MmbId") or member.get("Id") or member.get()) if member else None
    return {
        "bic": clean(inner.get("BICFI") or inner.get("BIC")),
        "clearing_id": clean(number or inner.get("Othr", "Id")),
    }
