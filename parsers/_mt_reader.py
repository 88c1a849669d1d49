"""MT fields put together to statements: headers, pages, balances, entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from parsers._dialects import Dialect, chosen, of_file
from parsers._field86 import unwrap
from parsers._heads import head_of
from parsers._mt_entry import entry
from parsers._mt_statement import Statement, balance_amount
from parsers._mtfields import BALANCE_TAGS, BEGIN, BETWEEN, END, Field, fields, message_type
from parsers._rows import Rows, balance_finding
from parsers._text import LINE_ENDS, clean, encoding_of, last_byte, lines
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["Reader", "messages"]

_INTERIM: Final = frozenset({"13", "13D", "34F"})
_HEADER: Final = _INTERIM | {"20", "21", "25", "25P", "28", "28C", "NS"}


def messages(path: Path, encoding: str | None) -> Iterator[Tables]:
    """The messages of a file, MT940 or MT942 each, in batches (raises as `mt940.read`)."""
    named, finding = encoding_of(path, encoding)
    head = head_of(path)
    rows = Rows()
    if finding is not None:
        rows.findings.append(finding)
    reader = Reader(rows, of_file(message_type(head) or "MT940", head))
    for found in fields(lines(path, named)):
        reader.feed(found)
        if rows.full:
            yield rows.take()
    last = last_byte(path)
    reader.end_of_file(bare_dash=last == b"-", ended=last in LINE_ENDS)
    yield rows.take()


class Reader:
    """Puts fields together to statements."""

    def __init__(self, rows: Rows, dialects: tuple[Dialect, ...] = ()) -> None:
        self.rows, self.dialects = rows, dialects
        self.number = 0
        self.header: list[Field] = []
        self.reports = False  # the header has a field of MT942
        self.now: Statement | None = None
        self.waiting: Statement | None = None  # a page whose next one may follow
        self.line: tuple[Field, list[str], list[str]] | None = None
        self.loose: Field | None = None  # text or an envelope's opening between messages
        self.terminated = False
        self.declared: str | None = None  # type of the message, as its envelope says
        self.only_a_dash: Statement | None = None  # a report whose end nothing else proves

    def feed(self, found: Field) -> None:
        """Take the next field."""
        tag = found.tag
        if tag == END:
            self._end_message()
            self.loose, self.terminated, self.declared = None, True, None
            return
        if tag in (BEGIN, BETWEEN):
            self.loose = found
            if tag == BEGIN and found.lines:
                self.declared = found.lines[0]
            return
        self.loose, self.terminated = None, False
        opens = tag in ("20", "25", "25P", "21", "28", "28C")
        if self.now is not None and (opens or (tag in ("60F", "60M") and self.now.closed)):
            self._end_message()
        if tag == "20" and self.reports:
            self._end_message()
        if tag in _HEADER and self.now is None:
            self.header.append(found)
            self.reports = self.reports or tag in _INTERIM
        else:
            self._body(found)

    def _body(self, found: Field) -> None:
        tag = found.tag
        if self.now is None and tag == "86" and self.header:
            self.header.append(found)
            return
        now = self.now or self._begin(found)
        if now is None:
            return
        if tag == "61":
            if now.closed:
                now.incomplete = True
                self.rows.finding(
                    "ENTRY_AFTER_CLOSING", "error", f"line {found.line} :61:",
                    "the entry stands behind the closing balance of its statement",
                    "a statement's header is missing: ask the bank for the file again",
                )  # fmt: skip
            self.flush_line()
            self.line = (found, [], [])
        elif tag in ("86", "NS") and self.line is not None:
            _, texts, extra = self.line
            if tag == "86":
                texts.extend(unwrap(found.lines))
            else:
                extra.extend(found.lines)
        elif tag == "86":
            now.texts.extend(unwrap(found.lines))
        elif tag in BALANCE_TAGS:
            self.flush_line()
            now.add_balance(found, self.rows)
        elif tag in ("90C", "90D", "34F", "13", "13D"):
            self.flush_line()
            if tag[0] != "1" or now.is_report:
                now.take_interim(found, self.rows)
        elif tag != "NS":
            self.rows.finding(
                "MT_TAG_UNKNOWN", "info", f"line {found.line} :{tag}:",
                f"field :{tag}: is no part of MT940: {clean(found.lines[0][:60])!r}",
                "nothing, unless it carries what you need",
            )  # fmt: skip

    def _begin(self, found: Field) -> Statement | None:
        """Begin a statement; None where the field opens a further page of the one before."""
        header, self.header, self.reports = self.header, [], False
        line = header[0].line if header else found.line
        self.number += 1
        fresh = Statement(self.number, line)
        fresh.declared = self.declared
        fresh.read_header(header, found, self.rows)
        dialect = chosen(self.dialects, fresh.row.get("account_id"))
        fresh.layout = dialect.field86 if dialect else None
        before, self.waiting = self.waiting, None
        if before is not None:
            if found.tag == "60M" and before.goes_on_with(fresh):
                self._turn_page(before, found)
                return None
            self._emit(before)
        self.now = fresh
        return fresh

    def _turn_page(self, before: Statement, found: Field) -> None:
        """Go on with a statement: its first opening stays, this page's opening must follow."""
        self.number -= 1
        self.now = before
        closing = next((b for b in reversed(before.balances) if b["code"] == "ITBD"), None)
        opening = balance_amount(found)
        if closing is None or opening != abs(closing["amount"]):
            before.incomplete = True
            self.rows.finding(
                "PAGE_GAP", "error", f"line {found.line} :60M:",
                f"the page opens with {opening}, the one before closes with "
                f"{closing['amount'] if closing else None}",
                "a page is missing: ask the bank for the whole statement",
            )  # fmt: skip
        before.closed = before.interim = False
        before.balances = before.balances[:1]

    def flush_line(self) -> None:
        """The statement line being read is over."""
        if self.line is not None and self.now is not None:
            line, self.line = self.line, None
            self.add_entry(self.now, *line)

    def add_entry(
        self, now: Statement, field: Field, texts: Sequence[str], extra: Sequence[str]
    ) -> None:
        """Add an entry to the statement, or a finding where it cannot be read."""
        now.count += 1
        found = entry(field.line, field.lines, texts, extra, self.rows, now.layout)
        if found is None:
            now.incomplete = True
            return
        row, detail = found
        local = f"{now.id}.{now.count}"
        row |= {
            "entry_id": local,
            "statement_id": now.id,
            "ordinal": now.count,
            "account_id": now.row.get("account_id"),
            "currency": now.currency,
        }
        detail |= {"entry_id": local, "detail_id": f"{local}.1", "currency": now.currency}
        if row["status"] == "booked":
            now.moved += row["amount"]
        now.interim_facts.tally(row["amount"], row["reversal"], row["status"] != "booked")
        self.rows.entries.append(row)
        self.rows.details.append(detail)

    def _end_message(self, *, last: bool = False) -> None:
        """A message is over: by its end mark, by the next one, or (``last``) by the file's end."""
        self.flush_line()
        now, self.now = self.now, None
        if now is None:
            tags = {f.tag for f in self.header}
            # A report without entries is whole where something shows its end.
            empty = not last and (self.declared == "942" or not tags.isdisjoint(_INTERIM))
            # A file of nothing but an account is a piece; one of a reference was cut behind it.
            piece = last and not self.number and len(self.header) == 1 and "20" not in tags
            if not (empty or piece) and not tags.isdisjoint(("20", "25", "25P")):
                raise _truncated(self.header[0].line)
            if self.header:
                self._begin(self.header[0])
                self._end_message(last=last)
            return
        self._prove_end(now, last)
        if self.waiting is not None:
            self._emit(self.waiting)
            self.waiting = None
        if now.interim:
            self.waiting = now
        else:
            self._emit(now)

    def _prove_end(self, now: Statement, last: bool) -> None:
        """A statement ends with its closing balance, a report with its sums or an end mark."""
        self.only_a_dash = None
        if now.closed:
            return
        piece = now.incomplete and now.row.get("statement_ref") is None
        if not now.is_report and not piece:
            raise _truncated(now.line)
        if now.is_report and not now.interim_facts.sums:
            if last and not piece:
                raise _truncated(now.line)
            self.only_a_dash = now

    def end_of_file(self, *, bare_dash: bool = False, ended: bool = True) -> None:
        """Close what is open; refuse a file cut inside a statement (its last byte may tell)."""
        if self.now is not None and (self.now.unclear or (self.now.bare_amount and not ended)):
            raise _truncated(self.now.line)  # cut inside the closing balance
        unsure = self.only_a_dash if bare_dash and self.now is None and not self.header else None
        self._end_message(last=True)
        self._check_loose()
        if unsure is not None:
            self.rows.finding(
                "MT_END_UNSURE", "info", f"line {unsure.line}",
                "the report has no sums (:90D: :90C:) and the file ends with a dash, which may be "
                "its end mark or the first letter of a line that was cut",
                "nothing, if the bank always ends its files so",
            )  # fmt: skip
        if self.waiting is not None:
            self._emit(self.waiting)
            self.rows.finding(
                "PAGE_OPEN", "info", f"line {self.waiting.line}",
                "the statement ends with a page (:62M:), its last page is not in the file",
                "the next page comes in another file; the balances of the pages must meet",
            )  # fmt: skip
            self.waiting = None
        if not self.number:
            raise InputError(
                "MT_NO_STATEMENT",
                "the file has no statement",
                where="line 1",
                remedy="ask the bank what it sent",
            )
        if not self.terminated:
            self.rows.finding(
                "MT_NOT_TERMINATED", "info" if ended else "warning", "end of file",
                "the last statement has no end mark (-), so a cut behind its closing balance "
                "would not show",
                "nothing, if the bank never sends one",
            )  # fmt: skip

    def _check_loose(self) -> None:
        """What stands behind the last message: the start of another one, or stray text."""
        if self.loose is None or not self.number:
            return
        text = "".join(self.loose.lines)
        if self.loose.tag == BEGIN or text.lstrip(" $\x01")[:1] in ("{", "ä", ":"):
            raise _truncated(self.loose.line)
        self.rows.finding(
            "TEXT_TRAILING", "warning", f"line {self.loose.line}",
            f"text behind the last statement: {clean(text[:60])!r}",
            "if it begins another statement, the file is cut: fetch it again",
        )  # fmt: skip

    def _emit(self, done: Statement) -> None:
        where, report = f"line {done.line}", done.is_report
        if report:
            done.settle_report(self.rows)
        finding = balance_finding(done.balances, done.currency, done.moved, where)
        if finding is not None and (done.balances or not report):
            self.rows.findings.append(finding)
        for ordinal, balance in enumerate(done.balances, 1):
            balance["ordinal"] = ordinal
        self.rows.balances.extend(done.balances)
        self.rows.statements.append(done.row | {
            "currency": done.currency,
            "kind": "intraday" if report else "booked",
            "format": "MT942" if report else "MT940",
            "last_page": not done.interim if done.closed else None,
            "narrative": clean("\n".join(t.strip() for t in done.texts)),
            "entry_count": done.count,
            "incomplete": done.incomplete,
        })  # fmt: skip


def _truncated(line: int) -> InputError:
    return InputError(
        "MT_TRUNCATED",
        "what begins here has no closing balance (:62F: or :62M:; an interim report may have its "
        "sums :90D: :90C: or an end mark)",
        where=f"line {line}",
        remedy="the file is cut: fetch it again; nothing of it was read",
    )
