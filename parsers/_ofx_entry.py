"""One OFX transaction (``STMTTRN``): its entry and detail row, its dates and amounts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from parsers._ofx_tree import Node
from parsers._rows import Rows
from parsers._text import clean, is_iban, reference
from parsers._values import rate
from tieout.errors import MoneyError
from tieout.money import is_currency, parse_amount

__all__ = ["account_of", "amount", "day", "entry", "instant"]

Row = dict[str, Any]

_INSTANT = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(?:(\d\d)(?:\.\d*)?)?)?\s*"
    r"(?:\[\s*([+-]?\d{0,2})(?:[.:](\d{1,2}))?\s*(?::[^\]]*)?\]?)?",
    re.ASCII,
)
_AMOUNT = re.compile(r"([+-]?)0*+(\d*(?:[.,]\d*)?)([+-]?)", re.ASCII)
_GROUPED: Final = (
    re.compile(r"\d{1,3}(?:,\d{3})+\.\d+", re.ASCII),
    re.compile(r"\d{1,3}(?:\.\d{3})+,\d+", re.ASCII),
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
#: Fields that stand once; twice, two transactions have run together.
_ONCE: Final = ("TRNAMT", "FITID", "DTPOSTED")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


def day(text: str) -> date | None:
    """The calendar date as the bank writes it, whatever the zone behind it.

    >>> day("20261120"), day("20261120233000.000[-5:EST]"), day("20260230"), day("2026-11-20")
    (datetime.date(2026, 11, 20), datetime.date(2026, 11, 20), None, datetime.date(2026, 11, 20))
    """
    found = _INSTANT.fullmatch(_plain(text))
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _plain(text: str) -> str:
    """Without the dashes of ISO dates, which some banks send."""
    text = text.strip()
    return text[:4] + text[5:7] + text[8:] if text[4:5] == text[7:8] == "-" else text


def instant(text: str) -> datetime | None:
    """An instant in UTC; OFX means GMT where it names no zone; None if it cannot be read.

    >>> instant("20261120233000.000[-5:EST]").isoformat()
    '2026-11-21T04:30:00+00:00'
    >>> instant("20261120120000[+5.30:IST]").isoformat(), instant("2026112099")
    ('2026-11-20T06:30:00+00:00', None)
    """
    found = _INSTANT.fullmatch(_plain(text))
    if found is None:
        return None
    hours = found[7] or ""
    minutes = int(found[8] or 0)
    offset = timedelta(
        hours=int(hours) if hours.strip("+-") else 0,
        minutes=-minutes if hours.startswith("-") else minutes,
    )
    if abs(offset) >= timedelta(hours=24):
        return None
    try:
        year, month, dom, hour, minute, second = (int(found[i] or 0) for i in range(1, 7))
        read = datetime(year, month, dom, hour, minute, second, tzinfo=timezone(offset))
        return read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def amount(text: str) -> Decimal | None:
    """A signed amount; None where it is not one, or may mean two things.

    Both marks in one amount tell thousands from decimals; ``1,234`` alone may be either.

    >>> [str(amount(t)) for t in ("-00000000050.0100", "+.5", "-1,234.50", "1.234,50", "12,50")]
    ['-50.0100', '0.5', '-1234.50', '1234.50', '12.50']
    >>> amount("1,234"), amount("1E9"), amount("-"), amount("5-")
    (None, None, None, Decimal('-5'))
    """
    found = _AMOUNT.fullmatch(text.strip()) if len(text) <= 64 else None
    if found is None:
        return _grouped(text.strip()) if len(text) <= 64 else None
    sign, digits, behind = found.groups()
    if (sign and behind) or not re.search(r"\d", text) or _THOUSANDS.fullmatch(digits):
        return None
    return _signed(sign or behind, digits if digits[:1].isdigit() else "0" + digits)


def _grouped(text: str) -> Decimal | None:
    sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    for mark, form in zip(",.", _GROUPED, strict=True):
        if form.fullmatch(digits):
            return _signed(sign, digits.replace(mark, ""))
    return None


def _signed(sign: str, digits: str) -> Decimal | None:
    try:
        return parse_amount(sign + digits)
    except MoneyError:
        return None


def account_of(node: Node | None) -> tuple[str | None, str | None]:
    """Account and scheme of an ``ACCTFROM`` or ``ACCTTO``: an IBAN where it is one."""
    number = clean(node.get("ACCTID")) if node is not None else None
    if number is None:
        return None, None
    bare = "".join(number.split())
    return (bare, "IBAN") if is_iban(bare) else (number, "other")


def bic_of(node: Node | None) -> str | None:
    """The bank's id where it is a BIC."""
    bank = node.get("BANKID") if node is not None else ""
    return bank if _BIC.fullmatch(bank) else None


def entry(node: Node, where: str, currency: str | None, rows: Rows) -> tuple[Row, Row] | None:
    """Entry and detail row (ids, ordinal and account are the caller's).

    Returns:
        None where there is no amount to read; a finding holds the raw fields.
    """
    raw = node.get("TRNAMT")
    value = amount(raw)
    foreign, home = node.one("CURRENCY"), node.one("ORIGCURRENCY")
    own = foreign.get("CURSYM").upper() if foreign is not None else ""
    original = home.get("CURSYM").upper() if home is not None else ""
    twice = next((name for name in _ONCE if len(node.all(name)) > 1), "")
    if twice or value is None or (own and not is_currency(own)):
        fields = ", ".join(f"{c.name}={c.text}" for c in node.children if c.text)
        what = "amount" if value is None else f"currency ({own[:10]!r})"
        what = f"single {twice}" if twice else what
        rows.finding(
            "ENTRY_UNREADABLE", "error", where,
            f"the transaction has no {what} that can be read: {clean(fields[:200])}",
            "ask the bank for the statement again; the other entries are read, nothing is posted",
        )  # fmt: skip
        return None
    name, memo = _name(node), clean("\n".join(node.all("MEMO")))
    row: Row = {
        "line_no": node.line,
        "currency": own or currency,
        "amount": value,
        "booked_on": _date(node, "DTPOSTED", where, rows) if node.name == "STMTTRN" else None,
        "valued_on": _date(node, "DTAVAIL", where, rows),
        "status": "booked" if node.name == "STMTTRN" else "pending",
        "reversal": False,
        "bank_ref": reference(node.get("FITID")),
        "entry_ref": reference(node.get("REFNUM")),
        "code_proprietary": clean(node.get("TRNTYPE")),
        "narrative": memo if name and memo and memo.startswith(name) else _joined(name, memo),
        "detail_count": 1,
    }
    other = node.one("BANKACCTTO", "CCACCTTO")
    known = (foreign if own else home) or node
    detail: Row = {
        "ordinal": 1,
        "line_no": node.line,
        "amount": value,
        "currency": row["currency"],
        "cheque_no": reference(node.get("CHECKNUM")),
        "counterparty_name": name,
        "counterparty_account": account_of(other)[0],
        "counterparty_bic": bic_of(other),
        "narrative": memo,
        "original_currency": original if is_currency(original) else None,
        "fx_rate": rate(known.get("CURRATE")) if own != currency or original else None,
    }
    return row, detail


def _name(node: Node) -> str | None:
    """The other side: the payee's own name, the long name, the name (cut at 32 by OFX)."""
    return clean(node.get("PAYEE", "NAME") or node.get("EXTDNAME") or node.get("NAME"))


def _joined(*texts: str | None) -> str | None:
    return "\n".join(dict.fromkeys(text for text in texts if text)) or None


def _date(node: Node, name: str, where: str, rows: Rows) -> date | None:
    raw = node.get(name)
    found = day(raw)
    if found is None and (raw or name == "DTPOSTED"):
        rows.finding(
            "DATE_MALFORMED" if raw else "DATE_MISSING", "warning", f"{where}/{name}",
            f"the transaction has no usable date: {clean(raw[:40])!r}",
            "left empty: compare with the bank's own view",
        )  # fmt: skip
    return found
