"""Records of fixed width, as national bank formats write them, and the fields cut out of them.

A record is a line; a file without line ends is cut every ``width`` characters. Lines shorter than
the width lost their trailing blanks on the way and are padded. Empty lines and the DOS end mark
are skipped.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from parsers._mt_entry import short_date
from parsers._rows import Rows
from parsers._text import LINE_CHARS_MAX, clean
from tieout.errors import InputError

__all__ = [
    "Record",
    "compact",
    "day_of",
    "head_text",
    "midnight",
    "number",
    "records",
    "unreadable",
]

_CHUNK: Final = 1 << 16
_BREAK = re.compile(r"\r\n|\n|\r")
_BLANK: Final = " \t\x00\x1a\x0c\xa0"
_BLANKS = re.compile(r"\s{2,}")


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        number: the line it stands on; its ordinal in a file without line ends.
        place: the same for people: ``line 7`` or ``record 7``.
        text: padded to the format's width.
        length: characters before padding.
    """

    number: int
    place: str
    text: str
    length: int

    def cut(self, first: int, last: int) -> str:
        """Columns ``first`` to ``last``, counted from 1 as the format's documents do."""
        return self.text[first - 1 : last]

    def get(self, first: int, last: int) -> str | None:
        """The columns as data: trimmed, None where they say nothing."""
        return clean(self.cut(first, last))


def head_text(head: bytes) -> str:
    """The start of a file as text for recognising it: no byte order mark, no leading blanks."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        text = head.decode("utf-16", "ignore")
    else:
        text = head.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    return text.lstrip("\r\n" + _BLANK)


def records(
    path: Path, encoding: str, width: int, starts: re.Pattern[str], rows: Rows
) -> Iterator[Record]:
    """The file's records in order, streaming.

    Args:
        path: the file.
        encoding: its encoding.
        width: columns of a record.
        starts: how any record of the format begins; a longer line is cut only before one.
        rows: takes findings.

    Raises:
        InputError: ``TEXT_LINE_TOO_LONG``.
    """
    line, ordinal, cut = 1, 0, False
    for text, ends in _pieces(path, encoding, width, starts):
        cut = cut or not ends
        if text.strip(_BLANK):
            ordinal += 1
            number, kind = (ordinal, "record") if cut else (line, "line")
            data = _by_bytes(text.rstrip("\x00\x1a"), width)
            place = f"{kind} {number}"
            if data[width:].strip(_BLANK):
                rows.finding(
                    "TEXT_TRAILING", "warning", f"{place} column {width + 1}",
                    f"text behind the record's {width} columns: {clean(data[width:][:60])!r}",
                    "nothing, unless the record's fields are shifted: compare its amount",
                )  # fmt: skip
            yield Record(number, place, data[:width].ljust(width), len(data))
        line += ends


def _pieces(
    path: Path, encoding: str, width: int, starts: re.Pattern[str]
) -> Iterator[tuple[str, bool]]:
    """Texts of records, and whether a line end stands behind each."""
    held, at, ended, whole, done = "", 0, False, True, 0
    with path.open(encoding=encoding, newline="") as stream:
        while True:
            if not ended and len(held) - at < 2 * width + 2:
                chunk = stream.read(_CHUNK)
                held, at, ended = held[at:] + chunk, 0, not chunk
            near = _BREAK.search(held, at, at + width + 2)
            if (near is None or near.start() > at + width) and starts.match(held, at + width):
                yield held[at : at + width], False
                at, done = at + width, done + 1
                continue
            found = near or _BREAK.search(held, at)
            stop = found.start() if found else len(held)
            whole = whole and found is None
            if found is not None and (ended or found.end() < len(held)):
                yield held[at:stop], True
                at, done = found.end(), done + 1
                continue
            if ended:
                last = at + width if whole else len(held)
                yield held[at:last].rstrip("\r\n"), True
                yield held[last:], True
                return
            if len(held) - at > LINE_CHARS_MAX:
                raise InputError(
                    "TEXT_LINE_TOO_LONG",
                    f"a line has more than {LINE_CHARS_MAX:,} characters",
                    where=f"record {done + 1}",
                    remedy="this is not a statement file; nothing of it was read",
                )
            chunk = stream.read(_CHUNK)
            held, at, ended = held[at:] + chunk, 0, not chunk


def _by_bytes(text: str, width: int) -> str:
    """A record whose width was counted in UTF-8 bytes, with blanks for the missing columns.

    Columns behind the accented letter stand further left than they should; each letter is given
    its extra columns back at the next run of blanks, which is where the bank took them from.
    """
    extra = len(text.encode("utf-8", "surrogatepass")) - len(text)
    if not extra or len(text) + extra != width:
        return text
    out, owed = [], 0
    for at, char in enumerate(text):
        out.append(char)
        owed += len(char.encode("utf-8", "surrogatepass")) - 1
        if owed and char == " " and text[at + 1 : at + 2] == " ":
            out.append(" " * owed)
            owed = 0
    return "".join(out) + " " * owed


def compact(text: str | None) -> str | None:
    """Text of padded fields for reading: runs of blanks are one blank; None where it is empty."""
    return clean(_BLANKS.sub(" ", text)) if text else None


def number(text: str) -> int | None:
    """A count or sequence number; None where it is blank, zero or not one."""
    text = text.strip()
    return int(text) or None if text.isascii() and text.isdigit() else None


def day_of(text: str, order: str, record: Record, rows: Rows) -> date | None:
    """Six digits as a date; zeros or blanks are none, an impossible day is a finding.

    Args:
        text: the columns.
        order: ``DMY`` or ``YMD``.
        record: where it stands.
        rows: takes the finding.
    """
    if not text.strip(" 0"):
        return None
    turned = text[4:6] + text[2:4] + text[:2] if order == "DMY" else text
    found = short_date(turned) if text.isascii() and text.isdigit() and len(text) == 6 else None
    if found is None:
        rows.finding(
            "DATE_MALFORMED", "warning", record.place, f"date {clean(text)!r} does not exist",
            f"left empty; the raw record: {clean(record.text)}",
        )  # fmt: skip
    return found


def midnight(day: date | None) -> datetime | None:
    """The instant a day without a time stands for."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def unreadable(record: Record, what: str, rows: Rows, code: str = "ENTRY_UNREADABLE") -> None:
    """Record a finding for a record that cannot be read, with its raw text."""
    rows.finding(
        code, "error", record.place, f"{what}: {clean(record.text)!r}",
        "ask the bank for the statement again; the rest is read, nothing is posted from it",
    )  # fmt: skip
