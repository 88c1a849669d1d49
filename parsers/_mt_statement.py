"""One MT statement: what its header and balances say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from parsers._dialect86 import Layout
from parsers._mt_entry import short_date
from parsers._mt_interim import Interim, moment
from parsers._mtfields import Field
from parsers._rows import Rows
from parsers._text import clean, is_iban
from parsers._values import amount
from tieout.errors import InputError
from tieout.money import is_currency

__all__ = ["Statement", "balance_amount", "truncated"]

_BALANCE = re.compile(r"\s*([CD])\s*(\d{6})\s*([A-Z]{3})?\s*(\d[\d.,]*)\s*", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"\s*(\d+)(?:\s*/\s*(\d+))?")
_ACCOUNT_BIC = re.compile(r"([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)/(.+)")
_INTERIM: Final = frozenset({"13", "13D", "34F", "90C", "90D"})
_FRAGMENT: Final = _INTERIM | {"60F", "60M", "61", "62F", "62M", "64", "65", "86", "28", "28C"}
_CURRENCY = re.compile(r"\d.*?[\s/]*([A-Z]{3})\s*", re.DOTALL)
_CODES: Final = {
    "60F": "OPBD", "60M": "ITBD", "62F": "CLBD", "62M": "ITBD", "64": "CLAV", "65": "FWAV",
}  # fmt: skip

Row = dict[str, Any]


class Statement:
    """One statement being read; its pages add to it."""

    def __init__(self, number: int, line: int) -> None:
        self.id, self.line = str(number), line
        self.row: Row = {"statement_id": self.id, "line_no": line}
        self.balances: list[Row] = []
        self.texts: list[str] = []
        self.count, self.moved = 0, Decimal(0)
        self.incomplete = self.closed = self.interim = self.unclear = False
        self.bare_amount = False  # the last balance has no decimal mark: whole, or cut before it
        self.currency: str | None = None
        self.interim_facts = Interim()
        self.declared: str | None = None  # message type by the envelope
        self.has_interim_field = False
        self.layout: Layout | None = None  # of :86:, where a dialect declares it
        self.made_at: datetime | None = None

    @property
    def is_report(self) -> bool:
        """Whether this is an MT942: the envelope says so, or its fields do."""
        if self.declared in ("940", "942"):
            return self.declared == "942"
        return bool(self.interim_facts.floors) or (
            self.has_interim_field and not self.closed and not self.balances
        )

    def read_header(self, header: Sequence[Field], found: Field, rows: Rows) -> None:
        """Take reference, account and number from the fields before the first balance or entry."""
        row, named = self.row, None
        for part in header:
            text = "".join(part.lines).strip()
            if part.tag == "20":
                row["statement_ref"] = clean(text)
            elif part.tag in ("25", "25P"):
                row |= _account(text)
                own = _CURRENCY.fullmatch(text)
                named = own[1] if own and is_currency(own[1]) else None
            elif part.tag in ("28", "28C"):
                number = _NUMBER.match(text)
                # German banks write 0 for "not numbered".
                row["sequence_no"] = (int(number[1][:18]) or None) if number else None
                row["page"] = int(number[2][:18]) if number and number[2] else None
            elif part.tag == "86":
                self.texts.extend(part.lines)
            elif part.tag in _INTERIM:
                self.take_interim(part, rows)
        if self.currency is None and found.tag not in ("60F", "60M"):
            self.currency = named  # no balance will tell it
        first = header[0].tag if header else found.tag
        piece = first in _FRAGMENT and (self.id == "1" or first in ("60F", "60M"))
        if piece or found.tag in ("25", "25P"):  # nothing stands behind the account
            self.incomplete = True
            rows.finding(
                "MT_FRAGMENT", "warning", f"line {self.line} :{first}:",
                "a piece of a statement, without reference and account",
                "ask the bank for the whole statement; nothing is posted from a piece",
            )  # fmt: skip

    def take_interim(self, part: Field, rows: Rows) -> None:
        """Take a field of MT942: its time, a floor limit, or a count and sum."""
        self.has_interim_field = True
        if part.tag == "34F":
            self.currency = self.interim_facts.floor(part, self.currency, rows)
        elif part.tag in ("90C", "90D"):
            self.currency, read = self.interim_facts.total(part, self.currency, rows)
            self.incomplete = self.incomplete or not read
            self.unclear = not read
        else:
            text = "".join(part.lines).strip()
            # The report tells everything up to the moment it was made.
            self.made_at = moment(text)
            if self.made_at is None:
                rows.finding(
                    "DATE_MALFORMED", "warning", f"line {part.line} :{part.tag}:",
                    f"{text[:40]!r} is no date and time",
                    "left empty; two reports of a day then differ by their number only",
                )  # fmt: skip

    def settle_report(self, rows: Rows) -> None:
        """What is known of an MT942 once all of it is read."""
        self.row |= {"created_at": self.made_at, "to_at": self.made_at}
        self.interim_facts.check(rows)
        if self.currency is None:
            rows.finding(
                "CURRENCY_MISSING", "warning", f"line {self.line}", "the report names no currency",
                "ask the bank for the floor limit (:34F:), which names it",
            )  # fmt: skip
            return
        mine = [*rows.entries[rows.settled :], *rows.details[rows.settled :]]
        for row in mine:  # entries before the field that named it
            if row["currency"] is None and row["entry_id"].partition(".")[0] == self.id:
                row["currency"] = self.currency

    def add_balance(self, found: Field, rows: Rows) -> None:
        """Take a balance field, or record why it cannot be read."""
        tag = found.tag
        raw = "".join(found.lines)
        where = f"line {found.line} :{tag}:"
        match = _match(found)
        if match is not None and (rest := match.string[match.end() :].replace("\n", "")):
            rows.finding(
                "TEXT_TRAILING", "warning", where,
                f"text behind the balance: {clean(rest[:60])!r}",
                "if it begins another statement, the file is cut: fetch it again",
            )  # fmt: skip
        value = amount(match[4]) if match else None
        self.bare_amount = match is not None and match[4].isdigit()
        if tag in ("62F", "62M"):
            self.closed, self.interim = True, tag == "62M"
        if tag in ("60M", "60F") and any(b["code"] == _CODES[tag] for b in self.balances):
            self.incomplete = True
            rows.finding(
                "BALANCE_REPEATED", "error", where, "a second opening balance",
                "a statement's header is missing: ask the bank for the file again",
            )  # fmt: skip
        if match is None or value is None:
            self.incomplete = True
            self.unclear = self.unclear or tag in ("62F", "62M")
            rows.finding(
                "BALANCE_UNREADABLE", "error", where, f"not a balance: {clean(raw[:60])!r}",
                "ask the bank for the statement again; nothing is posted from it",
            )  # fmt: skip
            return
        currency = match[3] or self.currency
        self.currency = self.currency or currency
        on = short_date(match[2])
        if match[3] is None or not is_currency(match[3]):
            rows.finding(
                "CURRENCY_MISSING" if match[3] is None else "CURRENCY_UNKNOWN", "warning", where,
                f"no known currency in {clean(raw[:40])!r}; read as {currency}",
                "compare with the account's currency",
            )  # fmt: skip
        if on is None:
            rows.finding(
                "DATE_MALFORMED", "warning", where, f"{match[2]!r} does not exist",
                "left empty; ask the bank for the date of the balance",
            )  # fmt: skip
        self.balances.append({
            "statement_id": self.id,
            "ordinal": len(self.balances) + 1,
            "line_no": found.line,
            "code": _CODES[tag],
            "amount": -value if match[1] == "D" and value else value,
            "currency": currency,
            "on": on,
        })  # fmt: skip

    def goes_on_with(self, page: Statement) -> bool:
        """Whether the page is this statement's next: same account, same number."""
        same = ("account_id", "sequence_no")
        return self.interim and all(self.row.get(k) == page.row.get(k) for k in same)


def balance_amount(found: Field) -> Decimal | None:
    """The unsigned amount of a balance field, or None where it is not one."""
    match = _match(found)
    return amount(match[4]) if match else None


def _match(found: Field) -> re.Match[str] | None:
    """A balance; one that text follows has no digits of the lines behind it."""
    whole = _BALANCE.fullmatch("".join(found.lines))
    return whole or _BALANCE.match("\n".join(found.lines))


def _account(text: str) -> Row:
    """Account, scheme and servicer of ``:25:``; a currency behind the number is no part of it."""
    servicer: str | None = None
    text = text.lstrip("/") or text  # some banks write the number as a party field
    if (found := _ACCOUNT_BIC.fullmatch(text)) is not None:
        servicer, text = found[1], found[2]
    bare = re.sub(r"[\s/]*([A-Z]{3})$", lambda m: "" if is_currency(m[1]) else m[0], text)
    if not re.search(r"\d", bare):
        bare = text
    compact = "".join(bare.split())
    iban = is_iban(compact) or re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", compact) is not None
    return {
        "account_id": compact if iban else clean(bare),
        "account_scheme": "IBAN" if iban else "other",
        "servicer_bic": servicer,
    }


def truncated(line: int) -> InputError:
    """The refusal of a file that is cut inside what begins at this line."""
    return InputError(
        "MT_TRUNCATED",
        "what begins here has no closing balance (:62F: or :62M:; an interim report may have its "
        "sums :90D: :90C: or an end mark)",
        where=f"line {line}",
        remedy="the file is cut: fetch it again; nothing of it was read",
    )
