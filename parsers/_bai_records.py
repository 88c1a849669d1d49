"""BAI2 lines as records: ends, padding, continuations, several records on a line.

A record ends with ``/``, but text need not, and blanks up to the physical record length may
follow. An ``88`` goes on where the record before stopped. A line without a record code behind an
open record is the rest of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tieout.errors import InputError

__all__ = ["Record", "RecordReader", "records"]

_CODES: Final = frozenset({"01", "02", "03", "16", "49", "88", "98", "99"})
_CONTINUATION: Final = "88"
_PADDING: Final = " \t\x00\x1a"
_PIECE: Final = 1 << 16
_RECORD_CHARS_MAX: Final = 1_000_000

# Behind the end of a record on the same line. Text may hold "11/16,2026", so each record is
# recognised by its first fields; an 88 has none, and is taken only where lines are joined anyway.
_JOINED = re.compile(
    r"/\s*(?=01,[^,/]*,[^,/]*,\d{6,8},|02,[^,/]*,[^,/]*,[1-4]?,\d{6,8},|03,[^,/]+,(?:[A-Z]{3})?[,/]"
    r"|16,\d{3},[+-]?\d*[,/]|49,[+-]?\d*,\d*\s*(?:/|\Z)|9[89],[+-]?\d*,\d*,\d*\s*(?:/|\Z))",
    re.ASCII,
)
_CONTINUED = re.compile(r"/\s*(?=88[,:])")


#: What a record without further parts has as such; never changed.
_NONE: Final[Any] = ()


@dataclass(slots=True)
class Record:
    """One logical record.

    Attributes:
        line: where it starts.
        code: its two digits; empty for a line that is no record.
        first: content behind the code, without ``/``.
        rest: further parts: text, what joins it to the text before (nothing where a full line
            was cut, else a line end), and whether an ``88`` brought it (else a line without code).
        count: physical records it consists of.
        ended: whether its last part ends with ``/``.
    """

    line: int
    code: str
    first: str
    ended: bool
    rest: list[tuple[str, str, bool]] = _NONE
    count: int = 1
    size: int = 0

    def add(self, text: str, glue: str, coded: bool, ended: bool) -> None:
        """A further part.

        Raises:
            InputError: ``BAI_RECORD_TOO_LONG``.
        """
        if self.rest is _NONE:
            self.rest = []
        self.rest.append((text, glue, coded))
        self.count += coded
        self.ended = ended
        self.size += len(text) + 1
        if self.size > _RECORD_CHARS_MAX:
            raise InputError(
                "BAI_RECORD_TOO_LONG",
                f"record {self.code} has more than {_RECORD_CHARS_MAX:,} characters",
                where=f"line {self.line}",
                remedy="the file is damaged; nothing of it was read",
            )

    def fields(self, *, comma_ends: bool = False) -> list[str]:
        """All fields in order; an ``88`` begins a new one, a line without code goes on in one.

        Args:
            comma_ends: read ``,/`` before a continuation as an end, not as an empty field too.
        """
        pieces = [self.first]
        for text, _, coded in self.rest:
            if coded and comma_ends:
                pieces[-1] = pieces[-1].removesuffix(",")
            if coded:
                pieces.append(",")
            pieces.append(text)
        return [value.strip() for value in "".join(pieces).split(",")]


def records(lines: Iterable[tuple[int, str]], path: Path) -> Iterator[Record]:
    """The records of a file in order.

    Args:
        lines: numbered, without their ends.
        path: of the same file, to know its longest line where a line may have been cut.
    """
    reader = RecordReader(path)
    for number, raw in lines:
        yield from reader.take(number, raw)
    if reader.current is not None:
        yield reader.current


class RecordReader:
    """Puts lines together to records.

    Attributes:
        current: the record the next line may go on with.
        full: the line before fills the physical record, so that its text was cut there.
        width: the physical record length.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.current: Record | None = None
        self.joined = self.full = False
        self.width = 80

    def take(self, number: int, raw: str) -> list[Record]:
        """The records that the next line completes."""
        done: list[Record] = []
        line = raw.rstrip(_PADDING)
        if not line:
            return done
        pieces = (line,) if line.find("/", 0, -1) < 0 else _pieces(line, self.joined)
        self.joined = self.joined or len(pieces) > 1
        for piece in pieces:
            if piece[0] in " \t" and piece.lstrip()[:2] in _CODES:
                piece = piece.lstrip()
            code = piece[:2]
            ended = piece[-1] == "/"
            text = piece[3:-1] if ended else piece[3:]
            current, glue = self.current, "" if self.full else "\n"
            if code == _CONTINUATION and current is not None and piece[2:3] in ",:/":
                current.add(text, glue, True, ended)
            elif piece[2:3] == "," and code in _CODES and code != _CONTINUATION:
                self._begin(Record(number, code, text, ended), done)
            elif current is not None and current.code and not current.ended:
                current.add(piece[:-1] if ended else piece, glue, False, ended)
            else:
                self._begin(Record(number, "", piece, True), done)
            self.full = not ended and len(line) == self.width
            if self.full and _has_longer(self.path, self.width):
                self.full, self.width = False, _RECORD_CHARS_MAX * 2
        return done

    def _begin(self, record: Record, done: list[Record]) -> None:
        if self.current is not None:
            done.append(self.current)
        self.current = record
        if record.code == "01":
            self.width = _width(record)


def _pieces(line: str, joined: bool) -> tuple[str, ...]:
    """The records of one line, each with its end."""
    pieces = _JOINED.split(line)
    if joined or len(pieces) > 1:
        pieces = [part for piece in pieces for part in _CONTINUED.split(piece)]
    whole = [piece + "/" for piece in pieces[:-1]]
    return tuple(piece for piece in (*whole, pieces[-1]) if piece.strip())


def _width(header: Record) -> int:
    """The physical record length: the one the header states, else 80."""
    stated = header.first.split(",")
    stated_length = stated[5].strip() if len(stated) > 5 else ""
    return int(stated_length) if re.fullmatch(r"[1-9]\d{1,4}", stated_length, re.ASCII) else 80


def _has_longer(path: Path, width: int) -> bool:
    """Whether any line is longer: then lines have no fixed length, and none was cut."""
    with path.open("rb") as stream:
        while piece := stream.readline(_PIECE):
            if len(piece) > width and len(piece.rstrip()) > width:
                return True
    return False
