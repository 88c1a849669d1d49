"""One MT entry: the statement line ``:61:`` with its ``:86:``, as entry and detail rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from parsers._dialect86 import Layout
from parsers._field86 import Decoded, decode
from parsers._rows import Rows
from parsers._text import clean, is_iban, reference
from parsers._values import amount

__all__ = ["POINTERS", "Row", "entry", "entry_date", "short_date", "year_of"]

Row = dict[str, Any]

_LINE = re.compile(
    r"\s*(?P<value>\d{6})(?P<entry>\d{4}|[ ]{4})?\s*(?P<mark>R[CD]|E[CD]|[CD])(?P<funds>[A-Z])?"
    r"\s*(?P<amount>\d[\d.,]*)(?=[NSF][A-Z0-9 ]|[A-Z]{3}[A-Z0-9]|//|\s|$)\s*(?P<rest>.*)",
    re.ASCII | re.DOTALL,
)
_TYPE = re.compile(
    r"[NSF](?:[A-Z0-9 ]{3}|[A-Z0-9]{0,2}$)|[A-Z][A-Z0-9]{3}(?=NONREF|NOTPROVIDED)", re.ASCII
)
_OCMT = re.compile(r"/(OCMT|CHGS)/([A-Z]{3})\s?(\d[\d.,]*)")
_MONEY = re.compile(r"(?:([A-Z]{3})\s?)?(\d[\d.,]*)(?:\s?([A-Z]{3}))?")
_PADDED = re.compile(r"((?=.{15}[ ])\S.{14,15}|\S+[ ]{2})[ ]+(\S.*)", re.DOTALL)
_NS_LINE = re.compile(r"(\d\d)(.*)")
#: Customer references that only point into :86:.
POINTERS: Final = frozenset(
    word + plus for word in ("EREF", "KREF", "MREF", "PREF", "MARF") for plus in ("", "+")
)
_SIGN: Final = {"C": 1, "D": -1, "RC": -1, "RD": 1, "EC": 1, "ED": -1}


def year_of(two: str) -> int:
    """The year of two digits: 80 to 99 are the last century's."""
    return int(two) + (1900 if int(two) >= 80 else 2000)


def short_date(text: str) -> date | None:
    """YYMMDD as a date, or None where there is no such day."""
    try:
        return date(year_of(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None


def entry_date(month_day: str, value: str) -> date | None:
    """MMDD with the year that brings it nearest to the value date (YYMMDD, maybe impossible)."""
    near = short_date(value) or short_date(value[:4] + "28") or short_date(value[:2] + "0630")
    found: list[date] = []
    for year in (year_of(value[:2]) + step for step in (-1, 0, 1)):
        try:
            found.append(date(year, int(month_day[:2]), int(month_day[2:])))
        except ValueError:
            continue
    if not found or near is None:
        return None
    return min(found, key=lambda day: abs((day - near).days))


def entry(
    line: int,
    lines: Sequence[str],
    texts: Sequence[str],
    extra: Sequence[str],
    rows: Rows,
    layout: Layout | None = None,
) -> tuple[Row, Row] | None:
    """Entry and detail row (ids, account and currency are the caller's).

    Args:
        line: where ``:61:`` stands.
        lines: of ``:61:``, the supplementary ones included.
        texts: lines of all ``:86:`` that follow it.
        extra: lines of ``:NS:`` fields that follow it.
        rows: takes the findings.
        layout: of the texts, where a dialect declares it.

    Returns:
        None where the line cannot be read; a finding holds its raw text.
    """
    found, supplement = _LINE.match(lines[0]), list(lines[1:])
    if found is None and len(lines) > 1:  # cut in the middle
        found, supplement = _LINE.match(lines[0].rstrip() + lines[1]), list(lines[2:])
    value = amount(found["amount"]) if found else None
    if found is None or value is None:
        rows.finding(
            "ENTRY_UNREADABLE", "error", f"line {line} :61:",
            f"the statement line cannot be read: {clean(lines[0][:80])!r}",
            "ask the bank for the statement again; the other entries are read, nothing is posted",
        )  # fmt: skip
        return None
    sign = _SIGN[found["mark"]]
    kind, own_ref, bank_ref, tail = _references(found["rest"])
    notes = [text for text in [tail, *(s.strip() for s in supplement)] if text]
    read = decode if layout is None else layout.decode
    decoded = read(texts) if texts else Decoded()
    named = _national(extra, decoded)
    narrative = (
        [decoded.booking_text] if decoded.structured else [named, decoded.text or decoded.narrative]
    )
    decoded.counterparty_name = decoded.counterparty_name or tail
    row: Row = {
        "line_no": line,
        "amount": sign * value if value else value,
        **_dates(found, line, rows),
        "status": "future" if found["mark"][0] == "E" else "booked",
        "reversal": found["mark"][0] == "R",
        "bank_ref": bank_ref,
        "entry_ref": None if own_ref in POINTERS else own_ref,
        "code_proprietary": decoded.gvc,
        "swift_type": kind,
        "narrative": clean("\n".join(t for t in [*notes, *narrative] if t)),
        "detail_count": 1,
    }
    return row, _detail(row, decoded, notes, own_ref, sign)


def _dates(found: re.Match[str], line: int, rows: Rows) -> dict[str, date | None]:
    """Value date, and booking date: SWIFT leaves it out where it is the value date."""
    valued = short_date(found["value"])
    raw = (found["entry"] or "").strip()
    # An expected entry is not booked: without its own date it has none.
    silent = None if found["mark"][0] == "E" else valued
    booked = entry_date(raw, found["value"]) if raw else silent
    for name, text, day in (("value", found["value"], valued), ("entry", raw, booked)):
        if text and day is None:
            rows.finding(
                "DATE_MALFORMED", "warning", f"line {line} :61:",
                f"{name} date {text!r} does not exist",
                "left empty (some banks count 30 days a month); the raw line is kept here: "
                + found.string[:60],
            )  # fmt: skip
    return {"booked_on": booked, "valued_on": valued}


def _references(rest: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Transaction type, customer reference, bank reference, and what spilled behind them."""
    kind = _TYPE.match(rest)
    swift: str | None = None
    if kind is not None and not _is_word(rest):
        swift, rest = rest[:4].strip(), rest[4:]
    tail: str | None = None
    own, slashes, bank = rest.partition("//")
    if not slashes and (padded := _PADDED.fullmatch(own)) is not None:
        own, tail = padded[1], padded[2]  # padded to 16 columns, then the other side's name
    return swift, reference(own), reference(bank), clean(tail)


def _is_word(rest: str) -> bool:
    """Whether the type is missing and the reference begins at once."""
    return rest.startswith(("NONREF", "NOTPROVIDED"))


def _national(extra: Sequence[str], out: Decoded) -> str | None:
    """Sub-lines of ``:NS:``: 01-14 purpose, 15-16 the other side's name, 17 booking text."""
    parts: dict[str, str] = {}
    for line in extra:
        found = _NS_LINE.match(line)
        if found is not None:
            parts.setdefault(found[1], found[2].strip())
    purpose = " ".join(parts[f"{n:02}"] for n in range(1, 15) if parts.get(f"{n:02}"))
    if purpose and out.narrative is None:
        out.narrative = clean(purpose)
    name = " ".join(filter(None, (parts.get("15"), parts.get("16"))))
    out.counterparty_name = out.counterparty_name or clean(name)
    return clean(parts.get("17"))


def _detail(
    row: Row, decoded: Decoded, notes: Sequence[str], own_ref: str | None, sign: int
) -> Row:
    account, name = decoded.counterparty_account, decoded.counterparty_name
    for text in [own_ref, *notes]:  # some banks put the other side behind :61: itself
        bare = "".join((text or "").split())
        if account is None and is_iban(bare):
            account = bare
        elif name is None and text and text in notes and text == notes[0] and _is_padded(own_ref):
            name = clean(text)
    original, charges = _foreign(decoded, notes)
    return {
        "ordinal": 1,
        "line_no": row["line_no"],
        "amount": row["amount"],
        "end_to_end_id": decoded.end_to_end_id,
        "payment_info_id": decoded.payment_info_id,
        "mandate_id": decoded.mandate_id,
        "counterparty_name": name,
        "counterparty_account": account,
        "counterparty_bic": decoded.counterparty_bic,
        "ultimate_name": decoded.ultimate_name,
        "narrative": decoded.narrative,
        "purpose": decoded.purpose,
        "return_reason": decoded.return_reason,
        "original_amount": sign * original[0] if original else None,
        "original_currency": original[1] if original else None,
        "charges": -charges if charges else charges,
        **decoded.more,
    }


def _is_padded(own_ref: str | None) -> bool:
    return own_ref is not None and is_iban(own_ref)


def _foreign(
    decoded: Decoded, notes: Sequence[str]
) -> tuple[tuple[Decimal, str] | None, Decimal | None]:
    """Original amount and charges, from ``/OCMT/`` and ``/CHGS/`` or the text's own keys."""
    found = {m[1]: (m[3], m[2]) for text in notes for m in _OCMT.finditer(text)}
    for key, text in (("OCMT", decoded.original), ("CHGS", decoded.charges)):
        money = _MONEY.match(text) if text else None
        if money is not None:
            found.setdefault(key, (money[2], money[1] or money[3] or ""))
    raw = found.get("OCMT")
    value = amount(raw[0]) if raw else None
    original = (value, raw[1]) if raw and value is not None and raw[1] else None
    return original, amount(found["CHGS"][0]) if "CHGS" in found else None
