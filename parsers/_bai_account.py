"""One BAI2 account of one day: its balances, its entries, and the proof of their signs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from parsers._bai_codes import BALANCE_CODES, CREDIT, DEBIT, DIRECTIONS, NON_MONETARY, TOTALS
from parsers._bai_controls import Tally
from parsers._bai_fields import amount, day, detail, summaries
from parsers._bai_records import Record
from parsers._bai_rows import Batch, Entry, Owner
from parsers._bai_signs import Signs
from parsers._rows import balance_finding
from parsers._text import clean, is_iban, reference
from tieout.identity import NO_REFERENCE
from tieout.money import exponent_of, is_currency

__all__ = ["Account", "Added", "Group"]

_ZERO: Final = Decimal(0)
#: Entries held back until the balances settle a doubtful sign; with more, the default stands.
_HELD_MAX: Final = 50_000
_INTERIM: Final = frozenset({"1", "3"})
_FINAL: Final = frozenset({"2", "4"})


@dataclass(slots=True)
class Group:
    """What an 02 record says of its accounts."""

    on: date | None
    at: datetime | None
    currency: str
    modifier: str
    servicer: str | None
    created_at: datetime | None
    format: str


class Added(NamedTuple):
    """Usual entries of an account: how many, of how many records, their bytes and sums.

    The sums are in minor units, without sign; ``debits`` counts those above zero.
    """

    entries: int
    records: int
    content: bytes
    money_in: Decimal
    money_out: Decimal
    debits: int


class Account:
    """One account being read."""

    def __init__(self, number: int, record: Record, group: Group, rows: Batch) -> None:
        self.id, self.line, self.group, self.rows = str(number), record.line, group, rows
        self.records, self.total = record.count, _ZERO
        self.incomplete = False
        self.count = 0
        self.signs = Signs(rows)
        self.digest = hashlib.blake2b(digest_size=16)
        self.decimals = False
        self.balances: list[dict[str, Any]] = []
        self.totals: dict[str, Decimal] = {}
        fields = record.fields()
        compact = "".join(fields[0].split())
        self.number = compact if is_iban(compact) else clean(fields[0])
        self.currency, self.scale = self._currency(fields[1] if len(fields) > 1 else "")
        if self.number is None:
            self._wrong("ACCOUNT_MISSING", "the account record has no number")
        self._balances(record)
        rows.begin(Owner(self.id, self.number, self.currency, group.on))

    @property
    def tally(self) -> Tally:
        """Records and total as counted."""
        return Tally(self.line, self.records, self.total, self.records, self.total)

    @property
    def exponent(self) -> int:
        """Decimals of its currency's minor unit, as amounts are read."""
        return -int(self.scale.as_tuple().exponent)

    @property
    def held(self) -> bool:
        """Whether entries must wait for the closing of the account."""
        return bool(self.signs.doubtful) and self.rows.waiting < _HELD_MAX

    def _wrong(self, code: str, message: str, line: int = 0) -> None:
        """An error: the account is incomplete, and nothing is posted from it."""
        self.incomplete = True
        self.rows.finding(
            code, "error", f"line {line or self.line}", message,
            "ask the bank for the file again; the rest is read, nothing is posted from the account",
        )  # fmt: skip

    def _currency(self, own: str) -> tuple[str, Decimal]:
        code = (own or self.group.currency).upper()
        if not code:
            self.rows.finding(
                "CURRENCY_MISSING", "warning", f"line {self.line}",
                "neither account nor group names a currency; read as USD, the format's own",
                "compare with the account's currency",
            )  # fmt: skip
            code = "USD"
        if not is_currency(code):
            self._wrong("CURRENCY_UNKNOWN", f"{code[:20]!r} is no known currency; decimals unknown")
            return clean(code[:20]) or "?", Decimal("0.01")
        return code, Decimal(1).scaleb(-exponent_of(code))

    def _money(self, value: Decimal, line: int) -> Decimal:
        """Minor units as money; a bank that writes decimals means them."""
        if value.as_tuple().exponent == 0:
            return value * self.scale
        if not self.decimals:
            self.rows.finding(
                "AMOUNT_DECIMALS", "info", f"line {line}",
                f"amounts such as {value} have decimals, which the format does not know; "
                "they are read as they stand",
                "compare with the balances",
            )  # fmt: skip
        self.decimals = True
        return value

    def _balances(self, record: Record) -> None:
        found = summaries(record)
        if found is None:
            text = clean(record.first[:80])
            self._wrong("SUMMARY_UNREADABLE", f"the balances cannot be told apart: {text!r}")
            return
        for code, value, _ in found:
            if value is None:
                continue
            self.total += value
            money = self._money(value, record.line)
            if code in TOTALS:
                self.totals[code] = money
            sign = DEBIT if DIRECTIONS[code] == DEBIT else 1
            self.balances.append({
                "statement_id": self.id,
                "ordinal": len(self.balances) + 1,
                "line_no": record.line,
                "code": BALANCE_CODES.get(code, code),
                "amount": sign * money if money else money,
                "currency": self.currency,
                "on": self.group.on,
            })  # fmt: skip

    def entry(self, record: Record) -> None:
        """One 16 record: its row, or a finding where it cannot be read."""
        self.count += 1
        self.records += record.count
        self.digest.update(_bytes_of(record))
        found = detail(record)
        if found is None:
            self._unreadable("its fields cannot be told apart", record)
            return
        code, amount_text, funds, value_date, bank_ref, own_ref, text, known = found
        money = code != NON_MONETARY
        raw = amount(amount_text) if money or amount_text else _ZERO
        if raw is None:
            self._unreadable(f"{amount_text[:40]!r} is no amount", record)
            return
        self.total += raw
        direction = DIRECTIONS.get(code, 0) if money else CREDIT
        if direction == 0:
            self._unreadable(f"{code[:10]!r} is no type of a movement", record)
            return
        if not known:
            self._funds_unknown(funds, record)
        value = raw * self.scale if "." not in amount_text else self._money(raw, record.line)
        value = self.signs.signed(value, direction, amount_text, record)
        self.rows.lines.append(Entry(
            self.count, record.line, value,
            self._valued_on(value_date, record.line) if value_date else None,
            amount_text[:1] == "-", _reference(bank_ref), _reference(own_ref),
            code, _narrative(text),
        ))  # fmt: skip

    def add(self, more: Added) -> None:
        """Count entries that were read in bulk: usual ones, of codes with a direction."""
        self.count += more.entries
        self.records += more.records
        self.digest.update(more.content)
        self.total += more.money_in + more.money_out
        self.signs.add(more.money_in * self.scale, more.money_out * self.scale, more.debits)

    def _unreadable(self, why: str, record: Record) -> None:
        text = clean(record.first[:80])
        self._wrong("ENTRY_UNREADABLE", f"{why}: 16,{text}", record.line)

    def _funds_unknown(self, funds: str, record: Record) -> None:
        self.rows.finding(
            "FUNDS_TYPE_UNKNOWN", "warning", f"line {record.line}",
            f"funds type {funds[:20]!r} is none of 0 1 2 S V D Z; taken to have no further fields: "
            f"16,{clean(record.first[:80])}",
            "compare the references of the entry with the raw record",
        )  # fmt: skip

    def _valued_on(self, text: str, line: int) -> date | None:
        found = day(text)
        if found is None:
            self.rows.finding(
                "DATE_MALFORMED", "warning", f"line {line}",
                f"value date {text[:20]!r} does not exist",
                "left empty; ask the bank for the date",
            )  # fmt: skip
        return found

    def release(self) -> None:
        """The entries are handed on: a sign still in doubt can no longer be settled."""
        doubtful = self.signs.doubtful
        if doubtful:
            self._wrong("SIGN_DOUBTFUL", f"the signs of {len(doubtful)} entries are in doubt")
            doubtful.clear()

    def finish(self) -> dict[str, Any]:
        """Settle signs, prove the balances, and give the statement row (balances are recorded)."""
        for record in self.signs.settle(self.balances, self.currency):
            self._unreadable("type without direction, and no balances prove one", record)
        kind, where = self._kind(), f"line {self.line}"
        proof = balance_finding(self.balances, self.currency, self.signs.moved, where)
        if proof is not None and self.count and not self.incomplete:
            if kind == "booked" or proof.code != "BALANCE_MISSING":
                self.rows.findings.append(proof)
            self._check_totals(where)
        self.rows.balances.extend(self.balances)
        return {
            "statement_id": self.id,
            "line_no": self.line,
            "account_id": self.number,
            "account_scheme": "IBAN" if is_iban(self.number or "") else "other",
            "currency": self.currency,
            "servicer_bic": self.group.servicer,
            "kind": kind,
            "format": self.group.format,
            "to_at": self.group.at,
            "created_at": self.group.created_at,
            "entry_count": self.count,
            "incomplete": self.incomplete,
        }

    def _check_totals(self, where: str) -> None:
        """Entries against the totals of credits and debits, where no balances prove them."""
        credits = self.signs.moved_in
        for code, read in (("100", credits), ("400", credits - self.signs.moved)):
            stated = self.totals.get(code)
            if stated is not None and abs(stated) != read:
                self.rows.finding(
                    "TOTAL_MISMATCH", "warning", where,
                    f"total {code} is {stated}, the entries come to {read} {self.currency}",
                    "entries are missing or wrongly signed: ask the bank for the file again",
                )  # fmt: skip

    def _kind(self) -> str:
        """Interim data is intraday, final data booked; where the group is silent, the balances."""
        if self.group.modifier in _INTERIM or self.group.modifier in _FINAL:
            return "intraday" if self.group.modifier in _INTERIM else "booked"
        codes = {balance["code"] for balance in self.balances}
        return "intraday" if codes & {"ITBD", "ITAV"} and not codes & {"CLBD", "CLAV"} else "booked"


def _bytes_of(record: Record) -> bytes:
    """What a record says, to tell it from others: its lines, without their ends."""
    if not record.rest:
        return f"16,{record.first}\n".encode("utf-8", "surrogatepass")
    pieces = [f"16,{record.first}\n"]
    for text, glue, coded in record.rest:
        pieces.append(f"88,{text}\n" if coded and glue else f"{int(coded)}{len(glue)}:{text}\n")
    return "".join(pieces).encode("utf-8", "surrogatepass")


def _reference(text: str) -> str | None:
    """`reference`, quickly where the text is nothing special."""
    if not text:
        return None
    return text if text.isalnum() and text.upper() not in NO_REFERENCE else reference(text)


def _narrative(text: str) -> str | None:
    """`clean`, quickly where the text is nothing special; it is trimmed already."""
    return text if len(text) > 30 and text.isprintable() else clean(text)
