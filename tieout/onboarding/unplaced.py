"""Text of a sample that no column of the canonical tables holds: what a profile may place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Final

from lxml import etree

from parsers import Parsed
from tieout.onboarding.rows import Unplaced

__all__ = ["of"]

_SHOWN: Final = 40
_CHARS_MIN: Final = 3
_TEXT_SHOWN: Final = 60
#: Elements whose words are read as signs and states.
_TRANSLATED: Final = frozenset(
    {"CdtDbtInd", "Sts", "RvslInd", "ChrgInclInd", "NbOfTxs", "NbOfNtries", "Issr", "ElctrncSeqNb"}
)
_PIECES = re.compile(
    r"\?(\d\d)|/([A-Z]{2,4})(?=/)|(?:^|(?<=[ ?\d]))"
    r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|COAM|OAMT)\+"
)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


def of(parsed: Parsed, text: str, raw: bytes) -> tuple[Unplaced, ...]:
    """What has no place, most frequent first; one row for each place in the format."""
    held = _held(parsed)
    if raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and parsed.format.startswith("camt"):
        parts = _xml(raw)
    elif parsed.format.startswith("MT94"):
        parts = _mt(text)
    else:
        parts = _lines(text)
    found: dict[str, list[tuple[int, str]]] = {}
    for where, line, value in parts:
        if not _is_held(value, held):
            found.setdefault(where, []).append((line, value))
    rows = [
        Unplaced(where, len(hits), hits[0][0], hits[0][1][:_TEXT_SHOWN])
        for where, hits in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.count, row.line, row.where))[:_SHOWN])


def _held(parsed: Parsed) -> str:
    """All values of all tables without blanks, to be searched."""
    values: set[str] = set()
    tables = parsed.tables
    for table in (tables.statements, tables.balances, tables.entries, tables.details):
        for name in table.column_names:
            if not name.endswith(("_id", "ordinal", "line_no")) or name in _DATA_IDS:
                values.update(_plain(v) for v in set(table[name].to_pylist()) if v is not None)
    return "\n".join(sorted(values))


_DATA_IDS: Final = frozenset({
    "account_id", "end_to_end_id", "payment_info_id", "instruction_id", "message_id",
    "transaction_id", "mandate_id",
})  # fmt: skip


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{abs(value).normalize():f}"
    return "".join(str(value).split())


def _is_held(value: str, held: str) -> bool:
    plain = "".join(value.split())
    if len(plain) < _CHARS_MIN or plain in held:
        return True
    number = plain.replace(",", ".").lstrip("+-0")
    if re.fullmatch(r"\d*\.?\d*", number):
        return not number or f"{Decimal(number or 0).normalize():f}" in held
    day = _DAY.match(plain)
    return day is not None and day[0] in held


def _xml(raw: bytes) -> Iterator[tuple[str, int, str]]:
    """Leaves inside statements: path of local names, line, text."""
    path: list[str] = []
    events = etree.iterparse(
        BytesIO(raw), events=("start", "end"), recover=True, no_network=True, resolve_entities=False
    )
    for event, element in events:
        if not isinstance(element.tag, str):
            continue
        name = etree.QName(element).localname
        if event == "start":
            path.append(name)
            continue
        text = (element.text or "").strip()
        inside = any(step in ("Stmt", "Rpt", "Ntfctn") for step in path)
        if inside and text and not len(element) and name not in _TRANSLATED:
            yield "/".join(path[-4:]), element.sourceline or 0, text
        path.pop()
        element.clear(keep_tail=True)


def _mt(text: str) -> Iterator[tuple[str, int, str]]:
    """Pieces of ``:86:`` between its marks, and fields nobody reads."""
    for match in re.finditer(r"^:86:((?:.*)(?:\n(?![:\-{]).*)*)", text, re.MULTILINE):
        line = text.count("\n", 0, match.start()) + 1
        content = match[1].replace("\n", "")
        marks = list(_PIECES.finditer(content))
        ends = [mark.start() for mark in marks[1:]] + [len(content)]
        if marks:
            for mark, end in zip(marks, ends, strict=True):
                yield f":86: {mark[0]}", line, content[mark.end() : end].strip("/ ")
        else:
            for number, part in enumerate(match[1].split("\n")):
                yield ":86: text", line + number, part
    for match in re.finditer(
        r"^:(?!2[058]|28C|6[0-5]|61|86|NS|13|34F|90)(\d\d\w?):(.*)", text, re.M
    ):
        yield f":{match[1]}:", text.count("\n", 0, match.start()) + 1, match[2]


def _lines(text: str) -> Iterator[tuple[str, int, str]]:
    """Words of every line, by how the line begins."""
    for number, line in enumerate(text.split("\n"), 1):
        kind = re.match(r"[A-Z0-9]{2}(?=,)|<[A-Z0-9.]+>|\w{2}", line)
        for word in re.findall(r"[^\s,;<>/]*[^\W\d]{4,}[^\s,;<>/]*", line):
            yield f"lines that begin with {kind[0] if kind else '?'}", number, word
