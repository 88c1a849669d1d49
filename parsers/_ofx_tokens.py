"""OFX text as tokens, in one pass and linear time: SGML and XML alike, nothing ever expanded.

A tag, and the text before it. Comments and processing instructions are passed over, CDATA is text,
a ``<`` that opens no tag is text. The five entities of XML, the ``&nbsp;`` of OFX and numeric ones
are resolved once; any other stays as written. DOCTYPE and other declarations are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tieout.errors import InputError

__all__ = ["TEXT_MAX", "Token", "cut", "tokens", "unescape"]

#: Longest text, comment or CDATA section; OFX allows 255 characters in a memo.
TEXT_MAX: Final = 1_000_000

_CHUNK: Final = 1 << 16
_TAG_MAX: Final = 300
_TAG = re.compile(r"([^<]*)<(/?)([A-Za-z][A-Za-z0-9._-]{0,63})(?:\s[^<>]{0,200}?)?(/?)>")
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot|apos|nbsp));")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'", "nbsp": " "}
_DECLARATION = re.compile(r"<![A-Za-z]")
#: What is passed over, and how it ends.
_SECTIONS: Final = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"))


class Token(NamedTuple):
    """A tag and the text before it; the last token of a file has no name."""

    text: str
    name: str
    closes: bool
    empty: bool
    line: int


def unescape(text: str) -> str:
    """Text with its entities resolved, once.

    >>> unescape("A&amp;B &lt;&#8364;&#xe9;&gt; &amp;amp; &x; &#9999999;")
    'A&B <€é> &amp; &x; &#9999999;'
    """
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(found: re.Match[str]) -> str:
    if found[3]:
        return _NAMED[found[3]]
    code = int(found[1]) if found[1] else int(found[2], 16)
    return chr(code) if code < 0x110000 else found[0]


def cut(line: int, what: str) -> InputError:
    """The error of a file that ends too early."""
    return InputError(
        "OFX_TRUNCATED",
        f"the file ends inside {what}",
        where=f"line {line}",
        remedy="the file is cut: fetch it again; nothing of it was read",
    )


class _Source:
    """The file's text, a window at a time."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.stream = path.open(encoding=encoding, newline="")
        self.held, self.at, self.line, self.ended = "", 0, 1, False
        self.parts: list[str] = []
        self.size = 0

    def more(self) -> None:
        """Read on; what was used is let go."""
        if len(self.held) - self.at > TEXT_MAX:
            self.too_long()
        chunk = self.stream.read(_CHUNK)
        self.ended = not chunk
        self.held, self.at = self.held[self.at :] + chunk, 0

    def take(self, end: int) -> None:
        """Everything before ``end`` is done with."""
        self.line += self.held.count("\n", self.at, end)
        self.at = end

    def add(self, text: str) -> None:
        """A further part of the text before the next tag."""
        self.parts.append(text)
        self.size += len(text)
        if self.size > TEXT_MAX:
            self.too_long()

    def text(self, last: str) -> str:
        """All parts of the text before a tag."""
        last = unescape(last)
        if not self.parts:
            return last
        text, self.size = "".join([*self.parts, last]), 0
        self.parts.clear()
        return text

    def too_long(self) -> None:
        raise InputError(
            "OFX_TEXT_TOO_LONG",
            f"a text has more than {TEXT_MAX:,} characters",
            where=f"line {self.line}",
            remedy="this is not a statement file; nothing of it was read",
        )


def tokens(path: Path, encoding: str) -> Iterator[Token]:
    """The tags of a file in order, each with the text before it.

    Raises:
        InputError: ``OFX_DOCTYPE``, ``OFX_TEXT_TOO_LONG``, ``OFX_TRUNCATED``.
    """
    source = _Source(path, encoding)
    with source.stream:
        while True:
            found = _TAG.match(source.held, source.at)
            if found is not None:
                text = source.text(found[1])
                source.take(found.start(2))
                yield Token(text, found[3].upper(), bool(found[2]), bool(found[4]), source.line)
                source.take(found.end())
                continue
            mark = source.held.find("<", source.at)
            if (mark < 0 or len(source.held) - mark < _TAG_MAX) and not source.ended:
                source.more()
            elif mark < 0:
                yield Token(source.text(source.held[source.at :]), "", False, False, source.line)
                return
            else:
                _no_tag(source, mark)


def _no_tag(source: _Source, mark: int) -> None:
    """A ``<`` that opens no tag: a section to pass over, a declaration, or plain text."""
    for begin, end in _SECTIONS:
        if not source.held.startswith(begin, mark):
            continue
        close = source.held.find(end, mark + len(begin))
        if close < 0:
            if source.ended:
                raise cut(source.line, f"{begin} … {end}")
            source.more()
            return
        source.add(unescape(source.held[source.at : mark]))
        if begin == "<![CDATA[":
            source.add(source.held[mark + len(begin) : close])
        source.take(close + len(end))
        return
    if _DECLARATION.match(source.held, mark):
        source.take(mark)
        raise InputError(
            "OFX_DOCTYPE",
            "the file has a DOCTYPE or another declaration",
            where=f"line {source.line}",
            remedy="no bank needs one: ask for the file without; nothing of it was read",
        )
    source.add(unescape(source.held[source.at : mark + 1]))
    source.take(mark + 1)
