"""Dialect features of a sample: layouts, encodings, spellings; each with a count and its lines."""

from __future__ import annotations

import re
from typing import Final

from tieout.onboarding.rows import Feature

__all__ = ["LABEL", "best_encoding", "free_texts", "is_utf8", "of", "text_of"]

_LINES_SHOWN: Final = 3
_ENCODINGS: Final = ("cp1252", "cp1250", "cp852", "cp850", "iso-8859-2")
#: An IBAN of a country that writes with the letters of cp1250.
_EAST: Final = re.compile(rb"\b(?:CZ|HR|HU|PL|RO|SI|SK)\d\d ?\d")
#: A label of free text: ``NAAM:``, ``Z RACH.:``.
LABEL: Final = re.compile(
    r"(?:(?<=[;\n])|(?<=\s)|^)([A-Z][A-Za-z]{1,14}(?: [A-Z]+\.?)?\.?:)(?=[ \n]|$)"
)
_MT: Final = (
    ("SWIFT blocks around the message", r"^[\s\x01]*[{ä][1-4]:"),
    ("text before the first tag", r"\A(?!\s*[:{ä\x01])\s*\S"),
    (":86: with numbered sub-fields (code?nn)", r"^:86:\s*\d{3}[^0-9A-Za-z\s/:.,;-]\d\d"),
    (":86: with sub-fields behind a blank", r"^:86:\s+\d{3}[^0-9A-Za-z\s/:.,;-]\d\d"),
    (":86: with SEPA keys (EREF+)", r"(?:EREF|KREF|MREF|SVWZ|CRED)\+"),
    (":86: with slash words", r"^:86:/[A-Z]{2,4}/"),
    (":86: that begins with an account", r"^:86:\s?(?:[A-Z]{2}\d\d[A-Z0-9]{11,30}|\d{9,12}) "),
    (":86: empty", r"^:86:\s*$"),
    (":61: without entry date", r"^:61:\d{6}\s*(?:R?[CD]|E[CD])"),
    (":61: with a letter of the currency behind the mark", r"^:61:\d{6}(?:\d{4})?\s*R?[CD][A-Z]\d"),
    (":61: reversed (RC, RD)", r"^:61:\d{6}(?:\d{4})?R[CD]"),
    (":61: with a bank reference", r"^:61:.*//\S"),
    (":61: with a decimal point", r"^:61:\d{6}(?:\d{4})?\s*R?[CD][A-Z]?\d+\.\d"),
    ("a line of its own behind :61:", r"^:61:.*\n(?![:\-{])\S"),
    ("number in :28: instead of :28C:", r"^:28:"),
    ("pages (:60M:, :62M:)", r"^:6[02]M:"),
    ("national sub-lines (:NS:)", r"^:NS:"),
    ("IBAN in :25:", r"^:25:[A-Z]{2}\d\d[A-Z0-9]{11,30}\s*(?:[A-Z]{3})?$"),
    ("BIC and account in :25:", r"^:25:[A-Z]{6}[A-Z0-9]{2,5}/"),
    ("bank code and account in :25:", r"^:25:\d{6,8}/\d"),
    ("currency behind the account in :25:", r"^:25:.*\d[\s/]*[A-Z]{3}\s*$"),
    ("closing text (:86: behind :62F:)", r"^:6[245][FM]?:.*\n:86:"),
)  # fmt: skip
_CAMT: Final = (
    ("prefixed elements", r"<\w+:(?:Document|Stmt|Rpt|Ntfctn)\b"),
    ("batch entries (Btch)", r"<(?:\w+:)?Btch>"),
    ("proprietary codes (Prtry)", r"<(?:\w+:)?BkTxCd>\s*<(?:\w+:)?Prtry>"),
    ("reversals (RvslInd true)", r"<(?:\w+:)?RvslInd>true"),
    ("text of the bank (AddtlNtryInf)", r"<(?:\w+:)?AddtlNtryInf>"),
    ("structured references (CdtrRefInf)", r"<(?:\w+:)?CdtrRefInf>"),
    ("charges (Chrgs)", r"<(?:\w+:)?Chrgs>"),
    ("returns (RtrInf)", r"<(?:\w+:)?RtrInf>"),
    ("account that is no IBAN (Othr)", r"<(?:\w+:)?Acct>\s*<(?:\w+:)?Id>\s*<(?:\w+:)?Othr>"),
    ("amounts in another currency (InstdAmt)", r"<(?:\w+:)?InstdAmt>"),
)  # fmt: skip
_BAI: Final = (
    ("continuations (88)", r"^88,"),
    ("type codes of the bank's own (9nn)", r"^16,9\d\d,"),
    ("collective types (399, 699)", r"^16,[36]99,"),
    ("value-dated funds (V)", r"^16,\d+,[^,]*,V,"),
    ("signs in amounts", r"^16,\d+,[+-]"),
    ("no currency on the account (03)", r"^03,[^,]*,,"),
)  # fmt: skip
_FAMILIES: Final = (("MT94", _MT), ("camt", _CAMT), ("BAI", _BAI))


def is_utf8(raw: bytes) -> bool:
    """Whether the bytes are UTF-8 (a letter cut at the end does not count)."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(raw) - 3
    return True


def best_encoding(raw: bytes) -> str:
    """The encoding in which the bytes beyond ASCII are letters most often.

    >>> best_encoding("Díj, jutalék átutalás".encode("cp852"))
    'cp852'
    >>> best_encoding("Überweisung für Öl".encode("cp1252"))
    'cp1252'
    """
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if is_utf8(raw):
        return "utf-8-sig"
    beyond = bytes(byte for byte in raw if byte > 127)

    def letters(encoding: str) -> int:
        text = beyond.decode(encoding, "replace")
        lower = sum(char.islower() for char in text)
        return 3 * lower + sum(char.isupper() for char in text) - 4 * text.count("\ufffd")

    east = _EAST.search(raw) is not None
    order = sorted(_ENCODINGS, key="cp1250".__ne__) if east else _ENCODINGS
    return max(order, key=letters)  # the first of equals


def text_of(raw: bytes, encoding: str | None = None) -> str:
    """The sample as text with line feeds; letters may be wrong, lines are right."""
    text = raw.decode(encoding or best_encoding(raw), "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("@@:", "\n:")


def of(exact: str, text: str, raw: bytes) -> tuple[Feature, ...]:
    """The features of a file of this format, in a fixed order; only those it has."""
    found = []
    if raw[:3] == b"\xef\xbb\xbf":
        found.append(Feature("byte order mark", 1, (1,)))
    if not is_utf8(raw):
        bad = [n for n, line in enumerate(raw.split(b"\n"), 1) if not is_utf8(line + b"    ")]
        what = f"not UTF-8; the letters look like {best_encoding(raw)}"
        found.append(Feature(what, len(bad), tuple(bad[:_LINES_SHOWN])))
    for family, table in _FAMILIES:
        if exact.startswith(family):
            found += [f for what, pattern in table if (f := _count(what, pattern, text))]
    if exact.startswith("MT94"):
        found += labels(text)
    return tuple(found)


def _count(what: str, pattern: str, text: str) -> Feature | None:
    places = [m.start() for m in re.finditer(pattern, text, re.MULTILINE)]
    if not places:
        return None
    return Feature(what, len(places), tuple(_line(text, at) for at in places[:_LINES_SHOWN]))


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def free_texts(text: str) -> list[tuple[int, str]]:
    """Line and text of every ``:86:`` that has neither sub-fields nor slash words."""
    found = []
    for match in re.finditer(r"^:86:((?:.*)(?:\n(?![:\-{]).*)*)", text, re.MULTILINE):
        content = match[1]
        if not re.match(r"\s*\d{3}[^0-9A-Za-z\s/:.,;-]\d\d|\s*/[A-Z]{2,4}/", content):
            found.append((_line(text, match.start()), content))
    return found


def labels(text: str) -> list[Feature]:
    """Labels that come back in free texts."""
    seen: dict[str, list[int]] = {}
    for line, content in free_texts(text):
        for match in LABEL.finditer(content):
            seen.setdefault(match[1], []).append(line + content.count("\n", 0, match.start()))
    return [
        Feature(f":86: with the label {name}", len(lines), tuple(lines[:_LINES_SHOWN]))
        for name, lines in sorted(seen.items())
        if len(lines) > 1 or len(free_texts(text)) == 1
    ]
