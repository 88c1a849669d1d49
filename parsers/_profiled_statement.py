"""One statement of a file that a profile describes: its rows, and the proof that they tie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from parsers._profiled import Form
from parsers._profiled_values import Row, Texts, day, detail_of, fits, money, signed
from parsers._rows import Rows, balance_finding
from parsers._text import clean, is_iban, reference
from tieout.errors import MoneyError
from tieout.money import is_currency

__all__ = ["Statement", "Together"]


@dataclass(frozen=True, slots=True)
class Together:
    """What the statements of a file come to that are counted and summed as one."""

    facts: dict[str, str]
    debits: Decimal
    credits: Decimal
    moved: Decimal
    count: int

    @classmethod
    def of(cls, statements: Sequence[Statement]) -> Together:
        """Of these; made once, however many they are."""
        return cls(
            {name: text for one in statements for name, text in one.facts.items()},
            sum((one.debits for one in statements), Decimal(0)),
            sum((one.credits for one in statements), Decimal(0)),
            sum((one.moved for one in statements), Decimal(0)),
            sum(one.count for one in statements),
        )


class Statement:
    """A statement being read; its entries leave it at once, the rest when it ends."""

    def __init__(self, number: int, line: int, kind: str, form: Form, rows: Rows) -> None:
        self.id, self.line, self.kind, self.form, self.rows = str(number), line, kind, form, rows
        self.facts: dict[str, str] = {}
        self.account: str | None = _account(form.account_id)
        self.currency = form.currency
        self.count, self.moved = 0, Decimal(0)
        self.debits = self.credits = Decimal(0)
        self.incomplete = self.ended = False
        self.running: list[tuple[date | None, Decimal, Decimal]] = []  # first and last row
        self.last: tuple[Row, Row] | None = None
        self.days: list[date] = []

    def tell(self, facts: Texts, place: str) -> None:
        """Take facts of the preamble, the footer, a header or closing record."""
        for name, text in facts.items():
            if text is None or not text.strip():
                continue
            if name == "account_id":
                self.account = _account(text)
            elif name == "currency":
                self._set_currency(text, place)
            else:
                self.facts.setdefault(name, text.strip())

    def _set_currency(self, text: str, place: str) -> None:
        code = text.strip().upper()
        if is_currency(code):
            self.currency = code
        else:
            self._wrong("CURRENCY_UNKNOWN", place, f"{code[:20]!r} is no currency", text)

    def _wrong(self, code: str, place: str, what: str, raw: str) -> None:
        self.incomplete = True
        self.rows.finding(
            code, "error", place, f"{what}: {clean(raw[:200])!r}",
            "ask the bank for the file again, or mend the profile; the rest is read, nothing is "
            "posted from this statement",
        )  # fmt: skip

    def unreadable(self, place: str, what: str, raw: str) -> None:
        """An entry that cannot be read: counted, and its raw text kept in a finding."""
        self.count += 1
        self.last = None
        self._wrong("ENTRY_UNREADABLE", place, what, raw)

    def add(self, texts: Texts, line: int, place: str, raw: str) -> None:
        """Take an entry; one that cannot be read is isolated."""
        try:
            value, reversal = signed(self.form, texts)
            days = {name: day(self.form, texts, name) for name in ("booked_on", "valued_on")}
            booked_on = days["booked_on"]
            if booked_on is None:
                raise ValueError("it has no booking date")
            currency = (texts.get("currency") or self.currency or "").strip().upper() or None
            fits(self.form, value, currency, self.currency)
            detail = detail_of(self.form, texts)
            balance = money(self.form, texts, "balance")
        except ValueError as error:
            self.unreadable(place, str(error), raw)
            return
        self.count += 1
        self.currency = self.currency or currency
        local = f"{self.id}.{self.count}"
        entry: Row = {
            "entry_id": local, "statement_id": self.id, "ordinal": self.count, "line_no": line,
            "account_id": self.account, "currency": currency, "amount": value, **days,
            "status": "booked", "reversal": reversal, "detail_count": 1,
            "bank_ref": reference(texts.get("bank_ref")),
            "entry_ref": reference(texts.get("entry_ref")),
            "code_proprietary": clean(texts.get("code_proprietary")),
            "swift_type": clean(texts.get("swift_type")), "narrative": detail["narrative"],
        }  # fmt: skip
        detail |= {"detail_id": f"{local}.1", "entry_id": local, "ordinal": 1, "line_no": line,
                   "amount": value, "currency": currency}  # fmt: skip
        self._count_in(value, balance, booked_on, place, raw)
        self.rows.entries.append(entry)
        self.rows.details.append(detail)
        self.last = (entry, detail)

    def unterminated(self, place: str, raw: str) -> None:
        """Take notice that the last line has no end: its last cell may be cut."""
        self._wrong("LINE_UNTERMINATED", place, "the last line has no end and may be cut", raw)

    def more(self, texts: Texts, place: str, raw: str) -> None:
        """Take a record that adds to the entry before it: text is joined, the rest filled in."""
        if self.last is None:
            self._wrong("RECORD_ORPHANED", place, "no entry before it", raw)
            return
        entry, detail = self.last
        found = detail_of(self.form, texts)
        for name, value in found.items():
            if name == "narrative" and value:
                detail[name] = "\n".join(filter(None, (detail[name], value)))
                entry["narrative"] = detail[name]
            elif detail.get(name) is None:
                detail[name] = value

    def _count_in(
        self, value: Decimal, balance: Decimal | None, on: date, place: str, raw: str
    ) -> None:
        self.moved += value
        self.debits += min(value, Decimal(0))
        self.credits += max(value, Decimal(0))
        self.days = [min([on, *self.days[:1]]), max([on, *self.days[-1:]])]
        if balance is None:
            return
        if self.running:
            _, before, amount = self.running[-1]
            wanted = before - amount if self.form.newest_first else before + value
            if balance != wanted:
                self._wrong(
                    "RUNNING_BALANCE", place,
                    f"the balance is {balance}, the lines before it make {wanted}", raw,
                )  # fmt: skip
        self.running = [*self.running[:1], (on, balance, value)]

    def finish(self, together: Together | None = None) -> None:
        """Hand on the statement row and its balances, with what proves or disproves them.

        Args:
            together: of the statements whose entries the file counts and sums as one.
        """
        place = f"line {self.line}"
        balances = self._balances(place)
        finding = balance_finding(balances, self.currency, self.moved, place)
        if finding is not None:
            self.rows.findings.append(finding)
            self.incomplete = self.incomplete or finding.code == "BALANCE_MISMATCH"
        self._check_controls(place, together or Together.of([self]))
        if self.form.ends == "open":
            self.rows.finding(
                "END_UNPROVEN", "warning", place,
                "nothing in the file shows where the statement ends: a file cut between two lines "
                "looks whole",
                "compare the last balance with the bank, or ask it for a file with a closing line",
            )  # fmt: skip
        if self.account is None:
            self.rows.finding(
                "ACCOUNT_MISSING", "warning", place, "the file does not name its account",
                "write account_id into a profile of its own for this account",
            )  # fmt: skip
        period = [self._told_day("from_on"), self._told_day("to_on")]
        number = self.facts.get("sequence_no", "")
        self.rows.balances.extend(balances)
        self.rows.statements.append({
            "statement_id": self.id, "line_no": self.line, "account_id": self.account,
            "account_scheme": "IBAN" if is_iban(self.account or "") else "other",
            "currency": self.currency, "kind": "booked", "format": self.kind,
            "servicer_bic": clean(self.facts.get("servicer_bic")),
            "owner_name": clean(self.facts.get("owner_name")),
            "statement_ref": clean(self.facts.get("statement_ref")),
            "sequence_no": int(number) or None if number.isascii() and number.isdigit() else None,
            "from_at": _midnight(period[0]), "to_at": _midnight(period[1]),
            "entry_count": self.count, "incomplete": self.incomplete,
        })  # fmt: skip

    def _told_day(self, name: str) -> date | None:
        text = self.facts.get(name)
        found = self.form.day(text) if text else None
        if text and found is None:
            self.rows.finding(
                "DATE_MALFORMED", "warning", f"line {self.line}",
                f"{name} {text[:40]!r} is no date",
                "left empty; compare the profile's dates with the file",
            )  # fmt: skip
        return found

    def _told_money(self, name: str, place: str) -> Decimal | None:
        text = self.facts.get(name)
        try:
            value = self.form.money(text) if text else None
        except (ValueError, MoneyError):
            self._wrong("BALANCE_UNREADABLE", place, f"{name} is no amount", text or "")
            return None
        mark = self.facts.get(f"{name}_mark")
        if value is not None and mark is not None:
            sign = self.form.sign_of(mark)
            if sign is None:
                self._wrong("BALANCE_UNREADABLE", place, f"{name} has an unknown mark", mark)
                return None
            value *= sign[0]
        return value

    def _balances(self, place: str) -> list[Row]:
        """Opening and closing as told, else as the running balance gives them."""
        opening, closing = self._told_money("opening", place), self._told_money("closing", place)
        if self.running:
            first, last = self.running[0], self.running[-1]
            oldest, newest = (last, first) if self.form.newest_first else (first, last)
            opening = oldest[1] - oldest[2] if opening is None else opening
            closing = newest[1] if closing is None else closing
        days = [self._told_day("from_on"), self._told_day("to_on")]
        days = [days[0] or (self.days[0] if self.days else None),
                days[1] or (self.days[-1] if self.days else None)]  # fmt: skip
        told = (("OPBD", opening, days[0]), ("CLBD", closing, days[1]))
        rows: list[Row] = []
        for code, value, on in told:
            if value is not None:
                rows.append({
                    "statement_id": self.id, "ordinal": len(rows) + 1, "line_no": self.line,
                    "code": code, "amount": value, "currency": self.currency, "on": on,
                })  # fmt: skip
        return rows

    def _check_controls(self, place: str, together: Together) -> None:
        """Counts and sums the file states against what was read."""
        facts = together.facts
        read = {
            "debits": -together.debits, "credits": together.credits, "total": together.moved,
        }  # fmt: skip
        for name, value in read.items():
            self.facts |= {name: facts[name]} if name in facts else {}
            told = self._told_money(name, place) if name in facts else None
            if told is not None and (abs(told) if name != "total" else told) != value:
                self._wrong("CONTROL_SUM", place, f"{name} read {value}, the file says", str(told))
        told_count, count = facts.get("count"), together.count
        if told_count is not None and (not told_count.isdigit() or int(told_count) != count):
            self._wrong("CONTROL_COUNT", place, f"{count} entries read, the file says", told_count)


def _account(text: str | None) -> str | None:
    """An account's number without blanks; None where it says nothing."""
    found = reference((text or "").strip().strip('"').removeprefix('="').rstrip('"'))
    if found is None:
        return None
    compact = "".join(found.split())
    return compact if re.search(r"\d", compact) else found


def _midnight(on: date | None) -> datetime | None:
    return datetime(on.year, on.month, on.day, tzinfo=UTC) if on else None
