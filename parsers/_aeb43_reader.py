"""AEB43 records put together: accounts, entries with their texts, totals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from parsers._fixed import Record, compact, day_of, midnight, number, unreadable
from parsers._fixed_statement import Statement
from parsers._rows import Rows
from parsers._text import clean, reference
from parsers._values import amount
from tieout.errors import InputError
from tieout.money import is_currency

__all__ = ["Reader"]

#: ISO 4217 numbers of the currencies Spanish banks keep accounts in.
_CURRENCIES: Final = {
    "978": "EUR", "840": "USD", "826": "GBP", "756": "CHF", "392": "JPY", "752": "SEK",
    "578": "NOK", "208": "DKK", "985": "PLN", "203": "CZK", "348": "HUF", "946": "RON",
    "975": "BGN", "352": "ISK", "949": "TRY", "643": "RUB", "504": "MAD", "012": "DZD",
    "788": "TND", "818": "EGP", "124": "CAD", "036": "AUD", "554": "NZD", "344": "HKD",
    "702": "SGD", "156": "CNY", "410": "KRW", "356": "INR", "764": "THB", "360": "IDR",
    "458": "MYR", "608": "PHP", "901": "TWD", "784": "AED", "682": "SAR", "634": "QAR",
    "414": "KWD", "376": "ILS", "710": "ZAR", "484": "MXN", "986": "BRL", "032": "ARS",
    "152": "CLP", "170": "COP", "604": "PEN", "858": "UYU",
}  # fmt: skip
_SIGN: Final = {"1": -1, "2": 1}
_CANCELLED: Final = "98"


class Reader:
    """Puts records together to statements."""

    def __init__(self, rows: Rows, kind: str) -> None:
        self.rows, self.kind = rows, kind
        self.statements = self.count = 0
        self.now: Statement | None = None
        self.entry: dict[str, Any] | None = None
        self.texts: list[str] = []
        self.last: Record | None = None
        self.ended = self.damaged = False

    def feed(self, record: Record) -> None:
        """Take the next record."""
        code = record.cut(1, 2)
        self.last = record
        if code == "88":
            self._end(record)
            return
        self.count, self.ended = self.count + 1, False
        if code == "00":
            return
        if code == "11":
            self._begin(record)
            return
        now = self.now
        if now is None:
            raise _broken(record, "stands outside an account (11 to 33)")
        if code == "22":
            self._flush()
            self._entry(record, now)
        elif code == "33":
            self._close(record, now)
        elif code in ("23", "24") and self.entry is not None:
            if code == "23":
                self.texts.append(record.cut(5, 80))
            else:
                self._original(record, self.entry, now.currency)
        elif code in ("23", "24") and self.damaged:
            unreadable(record, "it completes an entry that was not read", self.rows, "RECORD_LOST")
        else:
            self._flush()
            self.damaged = now.incomplete = True
            what = "it completes no entry" if code in ("23", "24") else "no record begins so"
            unreadable(record, what, self.rows, "RECORD_UNKNOWN")

    def _begin(self, record: Record) -> None:
        """Record 11: account, period, opening balance."""
        if self.now is not None:
            raise _broken(record, f"begins an account before that of {self.now.place} has ended")
        self.statements += 1
        account = _account(record)
        now = self.now = Statement(self.statements, record, self.kind, account)
        self.sums = {-1: Decimal(0), 1: Decimal(0)}
        self.counts = {-1: 0, 1: 0, 0: 0}
        self.damaged = False
        now.currency = self._currency(record.cut(48, 50), record)
        first = day_of(record.cut(21, 26), "YMD", record, self.rows)
        self.until = day_of(record.cut(27, 32), "YMD", record, self.rows)
        now.row |= {
            "owner_name": record.get(52, 77),
            "from_at": midnight(first),
            "to_at": midnight(self.until),
        }
        now.add_balance("OPBD", self._balance(record, 33), first, record, self.rows)

    def _currency(self, text: str, record: Record) -> str | None:
        """The currency of a number or of letters; unknown numbers stay as they are."""
        found = _CURRENCIES.get(text) or (text if is_currency(text) else clean(text))
        if found is None or not is_currency(found):
            self.rows.finding(
                "CURRENCY_UNKNOWN", "warning", record.place, f"{text!r} is no currency we know",
                "compare with the account's currency; nothing is posted in an unknown one",
            )  # fmt: skip
        return found

    def _balance(self, record: Record, at: int) -> Decimal | None:
        """Mark and fourteen digits from a column on."""
        value, mark = _cents(record.cut(at + 1, at + 14)), record.cut(at, at)
        if value is None:
            return None
        if mark not in _SIGN:
            self.rows.finding(
                "BALANCE_SIGN_MISSING", "warning", record.place,
                f"the balance does not say debit (1) or credit (2) but {mark!r}; read as credit",
                "compare with the bank's own view if the account can be overdrawn",
            )  # fmt: skip
        sign = _SIGN.get(mark, 1)
        return sign * value if value else value

    def _entry(self, record: Record, now: Statement) -> None:
        """Record 22: an entry; its texts follow."""
        value, sign = _cents(record.cut(29, 42)), _SIGN.get(record.cut(28, 28))
        self.damaged = value is None or sign is None
        if value is None or sign is None:
            now.lost()
            unreadable(record, "the entry has no amount or mark", self.rows)
            return
        self.sums[sign] += value
        self.counts[sign if value else 0] += 1
        booked = day_of(record.cut(11, 16), "YMD", record, self.rows)
        if booked is None:
            self.rows.finding(
                "DATE_MISSING", "warning", record.place, "the entry has no operation date",
                "left empty; the statement's own dates tell the period",
            )  # fmt: skip
        refs = [t for t in (record.cut(53, 64), record.cut(65, 80)) if t.strip(" 0")]
        document = record.cut(43, 52)
        self.entry = {
            "line_no": record.number,
            "amount": sign * value if value else value,
            "booked_on": booked,
            "valued_on": day_of(record.cut(17, 22), "YMD", record, self.rows),
            "reversal": record.cut(23, 24) == _CANCELLED,
            "entry_ref": reference(document) if document.strip(" 0") else None,
            "code_proprietary": "+".join(filter(None, (record.get(23, 24), record.get(25, 27)))),
        }
        self.detail = {
            "line_no": record.number,
            "amount": self.entry["amount"],
            "reference": reference(" ".join(t.strip() for t in refs)),
        }

    def _original(self, record: Record, entry: dict[str, Any], own: str | None) -> None:
        """Record 24: the amount in the currency it was made in."""
        value, currency = _cents(record.cut(8, 21)), self._currency(record.cut(5, 7), record)
        if value is None:
            unreadable(record, "the original amount is none", self.rows, "AMOUNT_MALFORMED")
        elif currency == own:
            self.rows.finding(
                "ORIGINAL_CURRENCY", "info", record.place,
                f"the original amount {value} {currency} is in the account's own currency",
                "left out: it says nothing the entry does not",
            )  # fmt: skip
        else:
            sign = -1 if entry["amount"] < 0 else 1
            self.detail |= {"original_amount": sign * value, "original_currency": currency}

    def _flush(self) -> None:
        entry, self.entry = self.entry, None
        if entry is not None and self.now is not None:
            entry["narrative"] = compact("".join(self.texts))
            self.now.add_entry(entry, [self.detail], self.rows)
        self.texts = []

    def _close(self, record: Record, now: Statement) -> None:
        """Record 33: totals and closing balance."""
        if record.length < 73:
            raise _truncated(record)
        self._flush()
        if _account(record) != now.account:
            now.doubts.append((
                record.place, f"record 33 is of account {_account(record)}, 11 of {now.account}",
            ))  # fmt: skip
        currency = _CURRENCIES.get(record.cut(74, 76), record.cut(74, 76).strip())
        if currency and currency != now.currency:
            now.doubts.append((record.place, f"record 33 is in {currency}, 11 in {now.currency}"))
        for sign, name, at in ((-1, "debit", 21), (1, "credit", 40)):
            said, total = number(record.cut(at, at + 4)) or 0, _cents(record.cut(at + 5, at + 18))
            found = self.counts[sign]
            # A row of amount zero may be counted on either side.
            if not found <= said <= found + self.counts[0]:
                self._mismatch(record, f"{name} entries", said, found)
            if total != self.sums[sign]:
                self._mismatch(record, f"{name} total", total, self.sums[sign])
        now.add_balance("CLBD", self._balance(record, 59), self.until, record, self.rows)
        now.finish(self.rows)
        self.now = None

    def _mismatch(self, record: Record, what: str, said: object, found: object) -> None:
        self.rows.finding(
            "TOTAL_MISMATCH", "warning", record.place,
            f"the bank says {what} {said}, the file has {found}",
            "records may be missing: compare with the balances",
        )  # fmt: skip

    def _end(self, record: Record) -> None:
        """Record 88: the number of records."""
        if self.now is not None or record.length < 26:
            raise _truncated(record)
        if not self.statements:
            raise _broken(record, "ends a file without account")
        said = number(record.cut(21, 26)) or 0
        if said not in (self.count, self.count + 1):
            self._mismatch(record, "records", said, self.count)
        self.count, self.ended = 0, True

    def end_of_file(self) -> None:
        """Refuse a file that does not end with record 88."""
        if not self.ended:
            raise _truncated(self.last)


def _account(record: Record) -> str | None:
    """Bank, branch and account number in one, without the check digits."""
    return clean("".join(record.cut(3, 20).split()))


def _cents(text: str) -> Decimal | None:
    """Fourteen digits with two decimals; None where it is not an amount."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return amount(f"{text[:-2] or '0'}.{text[-2:].rjust(2, '0')}")


def _truncated(record: Record | None) -> InputError:
    return InputError(
        "AEB43_TRUNCATED",
        "the file has no record 88 at its end",
        where=record.place if record else "line 1",
        remedy="the file is cut: fetch it again; nothing of it was read",
    )


def _broken(record: Record, what: str) -> InputError:
    return InputError(
        "AEB43_STRUCTURE",
        f"record {record.cut(1, 2)} {what}",
        where=record.place,
        remedy="records are missing: fetch the file again; nothing of it was read",
    )
