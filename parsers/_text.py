"""Text of bank files: which encoding, which lines, and what of it is data.

Banks rarely declare an encoding outside XML. The order tried is UTF-8, cp1252 (ISO 8859-15 where
only that makes sense), latin-1: UTF-8 is self-checking, cp1252 refuses five bytes, and latin-1
accepts all. Code pages such as cp852 accept
every byte as well and would turn every umlaut into another letter, so they are never guessed; the
caller names them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tieout.errors import Finding, InputError
from tieout.identity import NO_REFERENCE

__all__ = [
    "LINE_CHARS_MAX",
    "LINE_ENDS",
    "blocks",
    "clean",
    "encoding_of",
    "is_iban",
    "last_byte",
    "lines",
    "reference",
    "single_byte",
]

#: Longest line read; MT lines are 65 characters, the longest seen in the wild a few thousand.
LINE_CHARS_MAX: Final = 1_000_000

#: Last bytes that end a line; in UTF-16 a zero byte does.
LINE_ENDS: Final = (b"\r", b"\n", b"\x00")

_CHUNK: Final = 1 << 16
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)
#: What banks write where there is no text.
_NO_TEXT: Final = frozenset({"NOTPROVIDED", "NONREF", "KEINE INFORMATION VORHANDEN"})
_C1 = re.compile(rb"[\x80-\x9f]")
_NOT_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def clean(text: str | None) -> str | None:
    """Text as data: trimmed, no control characters or lone surrogates; None where it says nothing.

    >>> clean("  Rent\\x00 May "), clean("NOTPROVIDED"), clean(" ")
    ('Rent\ufffd May', None, None)
    """
    if text is None:
        return None
    text = text.strip()
    if not text or (len(text) < 30 and text.upper() in _NO_TEXT):
        return None
    return _CONTROL.sub("\ufffd", text) if _CONTROL.search(text) else text


def reference(text: str | None) -> str | None:
    """A reference as data: like `clean`, and None for what banks write instead of one.

    >>> reference("NONREF"), reference(" INV-7 ")
    (None, 'INV-7')
    """
    found = clean(text)
    return None if found is None or found.upper() in NO_REFERENCE else found


def is_iban(text: str) -> bool:
    """Whether the text (no blanks) is an IBAN with right check digits.

    >>> is_iban("GB33BUKB20201555555555"), is_iban("GB34BUKB20201555555555")
    (True, False)
    """
    if not _IBAN.fullmatch(text):
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def encoding_of(path: Path, named: str | None = None) -> tuple[str, Finding | None]:
    """The encoding of a text file, and a finding where it is not plain UTF-8.

    Args:
        path: the file.
        named: an encoding the caller is sure of; it is then used strictly.

    Raises:
        InputError: ``TEXT_ENCODING`` where the named encoding does not fit.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
    if named is None and head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        named = "utf-16"
    if named is not None:
        bad = _undecodable(path, named)
        if bad is None:
            return named, None
        raise InputError(
            "TEXT_ENCODING",
            f"the file is not {named}",
            where=bad,
            remedy="name another encoding, or ask the bank for UTF-8",
        )
    bad = _undecodable(path, "utf-8-sig")
    if bad is None:
        return "utf-8-sig", None
    with path.open("rb") as stream:
        chosen = single_byte(iter(lambda: stream.read(_CHUNK), b""))
    return chosen, Finding(
        "TEXT_ENCODING",
        "info",
        bad,
        f"the bytes are not UTF-8; read as {chosen}",
        "name the bank's encoding (--encoding) if letters look wrong",
    )


def single_byte(blocks: Iterable[bytes]) -> str:
    """The encoding of bytes that are not UTF-8: cp1252, or where it cannot be, an ISO one.

    Nobody writes the sign that cp1252 has at A4; in ISO 8859-15 it is the euro. Only cp1252 has
    letters from 80 to 9F, all but five of them.
    """
    euro = letters = unknown = False
    for block in blocks:
        euro = euro or b"\xa4" in block
        letters = letters or _C1.search(block) is not None
        unknown = unknown or _NOT_1252.search(block) is not None
    if unknown:
        return "latin-1"
    return "iso-8859-15" if euro and not letters else "cp1252"


def _undecodable(path: Path, encoding: str) -> str | None:
    """Where the first byte stands that the encoding does not know, or None."""
    if encoding == "utf-8-sig" and _is_utf8(path):
        return None
    try:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
    except LookupError:
        raise InputError(
            "TEXT_ENCODING",
            f"{encoding!r} is not an encoding",
            where="--encoding",
            remedy="use a name Python knows, such as cp852 or iso-8859-15",
        ) from None
    line = 1
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(_CHUNK)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeError as error:
                if isinstance(error, UnicodeDecodeError):
                    line += error.object[: error.start].count(b"\n")
                return f"line {line}"
            if not chunk:  # Python lets the beginning of a byte order mark pass
                return f"line {line}" if decoder.getstate()[0] else None


def _is_utf8(path: Path) -> bool:
    """The quick answer, without saying where; ASCII need not be decoded."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            if chunk.isascii() and not decoder.getstate()[0]:
                continue
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return False
    return not decoder.getstate()[0]


def blocks(path: Path, encoding: str) -> Iterator[str]:
    """Pieces of whole lines, every line end as ``\\n``; only the last piece may lack its end.

    CRLF, LF, CR and the old ``@@`` all end a line.

    Raises:
        InputError: ``TEXT_LINE_TOO_LONG``.
    """
    number, held = 0, ""
    with path.open(encoding=encoding, newline="") as stream:
        chunk = stream.read(_CHUNK)
        at_signs = "@@:" in chunk
        while chunk:
            held += chunk
            # A line end may be cut by the chunk: keep its first half for the next round.
            tail = ""
            if held[-1] in "\r@":
                held, tail = held[:-1], held[-1]
            if at_signs:
                held = held.replace("@@", "\n")
            cut = max(held.rfind("\n"), held.rfind("\r")) + 1
            if cut:
                whole = _line_feeds(held[:cut])
                number += whole.count("\n")
                yield whole
            held = held[cut:] + tail
            if len(held) > LINE_CHARS_MAX:
                raise InputError(
                    "TEXT_LINE_TOO_LONG",
                    f"the line has more than {LINE_CHARS_MAX:,} characters",
                    where=f"line {number + 1}",
                    remedy="this is not a statement file; nothing of it was read",
                )
            chunk = stream.read(_CHUNK)
    last = _line_feeds(held.replace("@@", "\n") if at_signs else held)
    if last.strip("\n"):
        yield last


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Numbered lines without their ends; CRLF, LF, CR and the old ``@@`` all end a line.

    Raises:
        InputError: ``TEXT_LINE_TOO_LONG``.
    """
    number = 0
    for block in blocks(path, encoding):
        whole = block.split("\n")
        if not whole[-1]:
            whole.pop()
        yield from enumerate(whole, number + 1)
        number += len(whole)


def last_byte(path: Path) -> bytes:
    """The last byte of a file; nothing of an empty one."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 1))
        return stream.read(1)
