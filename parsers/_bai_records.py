"""BAI2 lines as records: ends, padding, continuations, several records on a line.

A record ends with ``/``, but text need not, and blanks up to the physical record length may
follow. An ``88`` goes on where the record before stopped. A line without a record code behind an
open record is the rest of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tieout.errors import InputError

__all__ = ["Record", "longest_line", "records"]

CODES: Final = frozenset({"01", "02", "03", "16", "49", "98", "99"})
_CONTINUATION: Final = "88"
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
    rest: list[tuple[str, str, bool]] = field(default_factory=list)
    count: int = 1
    size: int = 0

    def add(self, text: str, glue: str, coded: bool, ended: bool) -> None:
        """A further part.

        Raises:
            InputError: ``BAI_RECORD_TOO_LONG``.
        """
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


def longest_line(path: Path) -> int:
    """Characters of the longest line, without blanks at its end."""
    longest = 0
    with path.open("rb") as stream:
        while piece := stream.readline(_PIECE):
            longest = max(longest, len(piece.rstrip()))
    return longest


def records(lines: Iterable[tuple[int, str]], longest: int) -> Iterator[Record]:
    """The records of a file in order.

    Args:
        lines: numbered, without their ends.
        longest: characters of the longest line; a line as long as the physical record (the one
            the header states, else 80) and without end was cut there, unless some are longer.
    """
    current: Record | None = None
    joined = False
    width = 80
    full = False
    for number, raw in lines:
        line = raw.rstrip(" \t\x00\x1a")
        if not line:
            continue
        pieces = [line]
        if "/" in line[:-1]:
            pieces = _JOINED.split(line)
            joined = joined or len(pieces) > 1
            if joined:
                pieces = [p for piece in pieces for p in _CONTINUED.split(piece)]
        last = len(pieces) - 1
        for index, piece in enumerate(pieces):
            body = piece.lstrip() if piece[0] in " \t" else piece
            ended = index < last or body[-1] == "/"
            code = body[:2]
            text = body[3:-1] if ended and index == last else body[3:]
            if code == _CONTINUATION and current is not None and body[2:3] in ",:/":
                current.add(text, "" if full else "\n", True, ended)
            elif code in CODES and body[2:3] == ",":
                if current is not None:
                    yield current
                current = Record(number, code, text, ended)
                if code == "01":
                    width = _width(current, longest)
            elif current is not None and current.code and not current.ended:
                text = piece[:-1] if ended and index == last else piece
                current.add(text, "" if full else "\n", False, ended)
            else:
                if current is not None:
                    yield current
                current = Record(number, "", piece, True)
            full = not ended and len(line) >= width
    if current is not None:
        yield current


def _width(header: Record, longest: int) -> int:
    """Length at which a line counts as cut; beyond reach where longer lines show that none is."""
    stated = header.first.split(",")
    width = int(stated[5]) if len(stated) > 5 and re.fullmatch(r"[1-9]\d{1,4}", stated[5]) else 80
    return width if longest <= width else _RECORD_CHARS_MAX * 2
