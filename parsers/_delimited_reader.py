"""Rows of a delimited file put together to statements."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from parsers._delimited_profile import Delimited, reader
from parsers._heads import fits, head_of
from parsers._profiled_statement import Statement, Together
from parsers._rows import Rows
from parsers._text import LINE_CHARS_MAX, encoding_of
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["statements"]

#: Lines one quoted cell may span.
_CELL_LINES_MAX: Final = 200


class _Lines:
    """The file's lines with their ends; remembers what the row being read is made of."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._stream = path.open(encoding=encoding, newline="")
        self.number, self.taken, self.start, self.tail = 0, list[str](), 1, ""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(LINE_CHARS_MAX + 1)
        if len(line) > LINE_CHARS_MAX or len(self.taken) > _CELL_LINES_MAX:
            raise InputError(
                "TEXT_LINE_TOO_LONG",
                f"a row has more than {LINE_CHARS_MAX:,} characters or {_CELL_LINES_MAX} lines",
                where=f"line {self.start}",
                remedy="a quote is not closed, or this is no statement; nothing of it was read",
            )
        if not line:
            raise StopIteration
        self.number += 1
        if self.number == 1:
            line = line.removeprefix("\ufeff")
        self.taken.append(line)
        self.tail = line
        # The csv module refuses NUL in some versions; no bank means one.
        return line.replace("\x00", "\ufffd")

    def row(self) -> None:
        """A new row begins on the next line."""
        self.taken, self.start = [], self.number + 1

    @property
    def raw(self) -> str:
        """The row's text."""
        return "".join(self.taken)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def statements(path: Path, encoding: str | None, profile: Delimited) -> Iterator[Tables]:
    """The statements of a file in batches.

    Raises:
        InputError: ``DELIMITED_TRUNCATED``, ``DELIMITED_HEADER``, ``TEXT_*``.
    """
    named = encoding
    if named is None and profile.form.encoding and not fits(path, "utf-8-sig"):
        utf16 = head_of(path)[:2] in (b"\xff\xfe", b"\xfe\xff")
        named = None if utf16 else profile.form.encoding
    chosen, finding = encoding_of(path, named)
    rows = Rows()
    if finding is not None:
        rows.findings.append(finding)
    lines = _Lines(path, chosen)
    try:
        maker = _Reader(profile, rows)
        for found in _rows(lines, profile):
            maker.feed(found, lines)
            if rows.full:
                yield rows.take()
        maker.end_of_file(lines)
    finally:
        lines.close()
    yield rows.take()


def _rows(lines: _Lines, profile: Delimited) -> Iterator[list[str] | str]:
    """Each row's cells, or what is wrong with it."""
    found = reader(lines, profile)
    while True:
        lines.row()
        try:
            yield next(found)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise _truncated(lines.start, "a quote is open at the end of the file") from None
            yield f"not readable as cells ({error})"


class _Reader:
    """Where in the file we are: preamble, header found, closed."""

    def __init__(self, profile: Delimited, rows: Rows) -> None:
        self.profile, self.rows = profile, rows
        self.kind = f"delimited {profile.name}"
        self.number = 0
        self.now: Statement | None = None
        self.places: dict[str, tuple[int, ...]] | None = None
        self.header: list[str] = []
        self.width = 0
        self.short: tuple[int, int] | None = None  # the last row, if it has too few cells
        self.closed = False  # the last line is a closing one
        self.accounts: dict[str, Statement] = {}
        if profile.leader is not None:
            self.places = {c: tuple(int(n) - 1 for n in v) for c, v in profile.columns.items()}

    def feed(self, row: list[str] | str, lines: _Lines) -> None:
        """Take the next row."""
        if isinstance(row, list) and not any(cell.strip() for cell in row):
            return
        place, raw = f"line {lines.start}", lines.raw
        self.short = None
        if isinstance(row, list) and self.profile.leader is None:
            places = self.profile.places(row)
            if places is not None:
                self.places, self.header, self.width = places, row, len(row)
                return
        if self._fact(row, raw, place, lines.start):
            return
        if self.places is None:
            return  # a line of the preamble that no expression names
        self.closed = False
        if isinstance(row, str):
            self._statement(lines.start).unreadable(place, row, raw)
        else:
            self._entry(row, lines.start, raw)

    def _fact(self, row: list[str] | str, raw: str, place: str, line: int) -> bool:
        """Whether a line is one of the preamble or the footer; its facts are taken.

        A row as wide as the header is an entry, whatever its text: only a footer may look so.
        """
        for pattern in self.profile.footer if self.now is not None else ():
            match = pattern.search(raw)
            if match is not None:
                self._statement(line).tell(match.groupdict(default=""), place)
                self.closed = True
                return True
        if self.places is not None and isinstance(row, list) and len(row) >= self.width:
            return False
        for pattern in self.profile.preamble:
            match = pattern.search(raw)
            if match is None:
                continue
            if self.places is not None and self.profile.leader is None:  # the next statement
                self._finish(line)
                self.places = None
            self._statement(line).tell(match.groupdict(default=""), place)
            return True
        return False

    def _statement(self, line: int, account: str = "") -> Statement:
        """The statement at work: of the row's account where the rows name theirs."""
        if "account_id" in self.profile.columns:
            key = "".join(account.split())
            if key not in self.accounts:
                if not account and self.now is not None:
                    return self.now
                self.accounts[key] = self._begin(line)
                self.accounts[key].tell({"account_id": account}, f"line {line}")
            self.now = self.accounts[key]
        elif self.now is None:
            self.now = self._begin(line)
        return self.now

    def _begin(self, line: int) -> Statement:
        self.number += 1
        return Statement(self.number, line, self.kind, self.profile.form, self.rows)

    def _entry(self, row: list[str], line: int, raw: str) -> None:
        place = f"line {line}"
        if self.places is None:
            return
        need = self.width or max(p for places in self.places.values() for p in places) + 1
        # Some banks end every row, but not the header, with one more delimiter.
        spare = len(row) - need
        if spare < 0 or (self.width and any(cell.strip() for cell in row[need:])):
            self.short = (line, len(row)) if spare < 0 else None
            what = f"{len(row)} cells, the header {need}"
            named = self.places.get("account_id", (len(row),))[0]
            account = row[named] if named < len(row) else ""
            self._statement(line, account).unreadable(place, what, raw)
            return
        texts = {column: _joined(row, places) for column, places in self.places.items()}
        self._statement(line, texts.get("account_id", "")).add(texts, line, place, raw)

    def _finish(self, line: int) -> None:
        """The statements so far are over."""
        if self.profile.form.ends == "footer" and self.now is not None and not self.closed:
            raise _truncated(line, "the closing line of the statement is missing")
        done = list(self.accounts.values()) or ([self.now] if self.now is not None else [])
        together = Together.of(done)
        for statement in done:
            statement.finish(together)
        self.accounts, self.now = {}, None

    def end_of_file(self, lines: _Lines) -> None:
        """Close what is open; refuse a file that is cut."""
        last = max(lines.number, 1)
        if self.places is None:
            raise InputError(
                "DELIMITED_HEADER", "the file ends before its header", where=f"line {last}",
                remedy="the file is cut: fetch it again; nothing of it was read",
            )  # fmt: skip
        if self.short is not None:
            line, count = self.short
            raise _truncated(line, f"the last row has {count} cells, the header {self.width}")
        if self.now is None:
            self._statement(last)
        self._unterminated(lines, last)
        self._finish(last)

    def _unterminated(self, lines: _Lines, last: int) -> None:
        """A last line without its end may be cut in its last cell."""
        if lines.tail[-1:] in ("\n", "\r") or self.closed or self.now is None:
            return
        balance = (self.places or {}).get("balance", (-1,))[-1]
        chained = balance == self.width - 1 and self.now.count > 1
        if self.now.count and not chained:
            self.now.unterminated(f"line {last}", lines.tail)


def _joined(row: Sequence[str], places: Sequence[int]) -> str:
    texts = (row[place].strip().replace("\r\n", "\n").replace("\r", "\n") for place in places)
    return "\n".join(filter(None, texts))


def _truncated(line: int, what: str) -> InputError:
    return InputError(
        "DELIMITED_TRUNCATED", what, where=f"line {line}",
        remedy="the file is cut: fetch it again; nothing of it was read",
    )  # fmt: skip
