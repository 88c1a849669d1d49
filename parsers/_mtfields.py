"""SWIFT MT text as fields: envelope, tags, wrapped lines.

A line opens a field only where its tag is known *and* may stand there, because banks wrap text at
65 characters and times such as ``:20:44`` then look like tags. A lone ``-`` ends a message only
behind its closing balance: some banks put one in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tieout.errors import InputError

__all__ = [
    "BALANCE_TAGS",
    "BEGIN",
    "BETWEEN",
    "END",
    "Ahead",
    "Field",
    "FieldReader",
    "fields",
    "message_type",
]

#: Pseudo-tags: a message's end mark, the opening of its envelope, and text between messages.
END: Final = "-"
BEGIN: Final = "{"
BETWEEN: Final = "?"

_FIELD_CHARS_MAX: Final = 1_000_000
_BLOCK = re.compile(r"^[\s\x01\x03$]*(?=[{ä][1-5S]:)")
_BLOCKS = re.compile(r"[{ä][1235S]:(?:[^{}]|\{[^{}]*\})*?[}å]\s*|[{ä]4:")
_OPENING = re.compile(r"[{ä][124]:")
_TAG = re.compile(r":(\d\d[A-Z]?|NS):")
_NUMBER_LINE = re.compile(r":9\d\d:\s*$")
_HEADER: Final = frozenset({"20", "21", "25", "25P", "28", "28C"})
#: Fields that hold a balance.
BALANCE_TAGS: Final = frozenset({"60F", "60M", "62F", "62M", "64", "65"})
_MT942: Final = frozenset({"13", "13D", "34F", "90C", "90D"})
_SUM_LINE = re.compile(r":90[CD]:\s*\d+\s*[A-Z]{3}\s*\d", re.ASCII)
_TYPE = re.compile(r"[{ä]2:[IO](\d{3})")
#: What may follow the end of a message: the file's end, another message, an end mark.
_NEXT = re.compile(r"\s*(?:[{ä][1-5S]:|:20:|[$\x01\x03])")
_BODY: Final = BALANCE_TAGS | {"61", "86", "NS"}
_KNOWN: Final = _HEADER | _BODY | _MT942
_AFTER_20 = re.compile(r":(?:21|25P?|28C?|60[FM]|86|NS|13D?):")
_TEXT: Final = frozenset({"61", "86", "NS"})
_MISUSED_86 = re.compile(r":25:\d{3}\?\d\d")
_ANY_TAG = re.compile(
    rb"(?:^|[\r\n{}]|@@|\xbf)[ \t]*:(?:13D?|20|21|25|28C?|34F|60[FM]|61|62[FM]|64|86|90[CD]):", re.M
)
_BALANCE_TAG = re.compile(rb":6[02][FM]:")
_INTERIM_TAG = re.compile(rb"(?:^|[\r\n}]|@@)[ \t]*:(?:34F|90[CD]|13D?):")
_FLOOR_TAG = re.compile(rb"(?:^|[\r\n}]|@@)[ \t]*:34F:")
_TYPE_BLOCK = re.compile(rb"(?:\{|\xe4|\xc3\xa4)2:[IO](\d{3})")


def message_type(head: bytes) -> str | None:
    """``MT940`` or ``MT942`` by the first message of a file; None for all else.

    The envelope says it; without one, a floor limit before the first balance, or no balance beside
    the other fields of MT942, does. A bare fragment of shared fields is MT940.
    """
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "ignore").encode("utf-8", "replace")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or not _ANY_TAG.search(head):
        return None
    said = _TYPE_BLOCK.search(head)
    if said is not None and said.group(1) in (b"940", b"942"):
        return "MT" + said.group(1).decode()
    balance, floor = _BALANCE_TAG.search(head), _FLOOR_TAG.search(head)
    if floor is not None and (balance is None or floor.start() < balance.start()):
        return "MT942"
    return "MT942" if balance is None and _INTERIM_TAG.search(head) else "MT940"


@dataclass(slots=True)
class Field:
    """One field: its tag, the line it starts on, and its lines without the tag."""

    tag: str
    line: int
    lines: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> None:
        """A further line of the field.

        Raises:
            InputError: ``MT_FIELD_TOO_LONG``.
        """
        self.lines.append(text)
        self.size += len(text)
        if self.size > _FIELD_CHARS_MAX:
            raise InputError(
                "MT_FIELD_TOO_LONG",
                f"field :{self.tag}: has more than {_FIELD_CHARS_MAX:,} characters",
                where=f"line {self.line}",
                remedy="the file is damaged; nothing of it was read",
            )


class FieldReader:
    """Puts lines together to fields: where in a message we are, and the field being read.

    Phases: 0 before the opening balance, 1 between the balances, 2 behind the closing one,
    3 between messages.
    """

    def __init__(self) -> None:
        self.phase = 3
        self.interim = False  # the message is MT942: no balances, a lone dash ends it
        self.current: Field | None = None

    def opens(self, tag: str, line: str, ahead: str | None) -> bool:
        """Whether a known tag opens a field here (else the line is wrapped text)."""
        in_text = self.current is not None and self.current.tag in _TEXT
        if tag in _BODY or self.phase in (0, 3):
            return True
        if tag in ("90C", "90D"):
            return not in_text or self.interim or _SUM_LINE.match(line) is not None
        if tag == "20":
            if ahead is None:
                return not in_text or self.phase == 2
            return not in_text or _AFTER_20.match(ahead) is not None
        if tag in _HEADER:  # :25: opens day statements without :20:
            follows = ahead is not None and _AFTER_20.match(ahead) is not None
            return self.phase == 2 and (not in_text or follows)
        return not in_text

    def is_field(self, tag: str) -> bool:
        """Whether an unknown tag is a field; in text two digits are a time of day."""
        plain = self.current is not None and self.current.tag not in _TEXT
        return len(tag) == 3 or plain

    def enter(self, tag: str) -> None:
        """Move to the phase a tag begins."""
        if tag in ("34F", "13", "13D"):
            self.interim = True
        elif tag in ("20", "60F", "60M"):
            self.interim = False
        if tag in ("60F", "60M") or (tag == "61" and self.phase != 2):
            self.phase = 1
        elif tag in ("62F", "62M") or (tag in ("90C", "90D") and self.interim):
            self.phase = 2
        elif tag in _HEADER or self.phase == 3:
            self.phase = 0

    def ends(self, line: str, ahead: str | None) -> str | None:
        """What follows an end mark on its line; None where the line is none."""
        bare = line.strip(" \t\x01\x03$")
        if bare[:2] in ("-}", "-å", "-Å"):
            return bare[2:]
        if self.phase == 2 and line.lstrip()[:1] == "$":  # RJE: messages apart by a dollar sign
            rest = line.lstrip(" \t\x01\x03$")
            return rest if not rest or _NEXT.match(rest) else None
        last = self.interim and (ahead is None or _NEXT.match(ahead) is not None)
        return "" if bare == "-" and (self.phase >= 2 or last) else None

    def take(self, number: int, whole: str, ahead: str | None) -> list[Field]:
        """The fields that the next line (not blank) completes.

        Args:
            number: of the line.
            whole: its text.
            ahead: text of the next line that is not blank; None at the file's end.
        """
        done: list[Field] = []
        line = whole if whole[0] == ":" else self._opened(number, whole, ahead, done)
        if not line.strip() or _NUMBER_LINE.match(line):
            return done
        found = _TAG.match(line)
        tag = found.group(1) if found else None
        if self.phase == 1 and tag == "25" and _MISUSED_86.match(line):
            tag = "86"
        if tag is not None and (tag in _KNOWN and self.opens(tag, line, ahead)):
            self._close(done)
            self.enter(tag)
            self.current = Field(tag, number)
            self.current.add(line[line.index(":", 1) + 1 :])
        elif tag is not None and tag not in _KNOWN and self.is_field(tag):
            self._close(done)
            self.current = Field(tag, number)
            self.current.add(line[len(tag) + 2 :])
        elif self.current is not None:
            if line.strip() != "-" or self.current.tag in _TEXT:
                self.current.add(line)
        elif line.strip(" \t\x01\x03$-"):
            done.append(Field(BETWEEN, number, [line]))
        return done

    def _opened(self, number: int, whole: str, ahead: str | None, done: list[Field]) -> str:
        """A line without the end mark or the envelope's blocks before its tag."""
        line = whole
        rest = self.ends(line, ahead)
        if rest is not None:
            self._close(done)
            self.phase, self.interim = 3, False
            done.append(Field(END, number))
            line = rest
        if _BLOCK.match(line):
            line = _BLOCKS.sub("", _BLOCK.sub("", line))
            if line[:1] != ":":
                line = " " + line  # what stood apart of the field before stays so
            if self.phase == 3 and _OPENING.search(whole):
                kind = _TYPE.search(whole)
                if kind is not None:
                    self.interim = kind[1] == "942"
                done.append(Field(BEGIN, number, [kind[1]] if kind else []))
        return line

    def _close(self, done: list[Field]) -> None:
        if self.current is not None:
            done.append(self.current)
            self.current = None


def fields(lines: Iterable[tuple[int, str]]) -> Iterator[Field]:
    """The fields of a file in order; an end mark is a field with the tag `END`."""
    reader, ahead = FieldReader(), Ahead()
    for number, text in lines:
        line = ahead.push(number, text)
        if line is not None:
            yield from reader.take(*line)
    line = ahead.last()
    if line is not None:
        yield from reader.take(*line)
    if reader.current is not None:
        yield reader.current


class Ahead:
    """Holds each line back until the next one is known; blank lines are left out."""

    def __init__(self) -> None:
        self.held: tuple[int, str] | None = None
        self.colon = ""  # a tag cut behind its first colon goes on with the next line

    def push(self, number: int, text: str) -> tuple[int, str, str | None] | None:
        """Take a line; the one before with this one's text, or None where there is none."""
        bare = text.strip()
        if not bare:
            return None
        if bare == ":" and not self.colon:
            self.colon = ":"
            return None
        text, self.colon = self.colon + text, ""
        before, self.held = self.held, (number, text)
        return None if before is None else (*before, text)

    def last(self, ahead: str | None = None) -> tuple[int, str, str | None] | None:
        """Give up the line held back; ``ahead`` is the text of what follows, None at the end."""
        before, self.held = self.held, None
        return None if before is None else (*before, ahead)
