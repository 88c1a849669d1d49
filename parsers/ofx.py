"""OFX, Open Financial Exchange: statements of bank and card accounts, as banks let people download.

Issued by the OFX consortium: 1.x is SGML (leaves need no closing tag), 2.x is XML; ``.qfx`` and
``.qbo`` are OFX with the marks of one program. Several accounts and statements in one file.

- ``TRNAMT`` is signed from the holder's view. ``FITID`` is the bank's reference; banks that leave
  it out or use it twice do not confuse entries. ``REFNUM`` is the entry's own reference.
- ``DTPOSTED`` is the booking date as written, whatever zone stands behind it; ``DTAVAIL`` is the
  value date. ``DTUSER`` (when the holder acted) has no column.
- ``LEDGERBAL`` is the closing balance, ``AVAILBAL`` the available one; OFX has no opening balance.
- ``CURRENCY``: the amount is in another currency than the account. ``ORIGCURRENCY``: it has been
  converted; the original amount is not stated, only currency and rate.
- The bytes decide the encoding where the header errs (``CHARSET:1252`` over UTF-8).
- An answer with ``SEVERITY`` ERROR is refused with the bank's message; so are investment
  statements, whose cash also moves by purchases and income that are no bank entries.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statement")
>>> good = '''OFXHEADER:100
... DATA:OFXSGML
... VERSION:102
... CHARSET:1252
...
... <OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><ACCTID>4711</BANKACCTFROM>
... <BANKTRANLIST><STMTTRN><TRNTYPE>FEE<DTPOSTED>20261120120000[-5:EST]<TRNAMT>-2.50<FITID>B77
... <NAME>ACCOUNT &amp; CARD FEE</STMTTRN></BANKTRANLIST>
... <LEDGERBAL><BALAMT>97.50<DTASOF>20261120</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
... '''
>>> _ = file.write_text(good)
>>> batch, = read(file)
>>> [(str(e["amount"]), e["bank_ref"], e["narrative"]) for e in batch.entries.to_pylist()]
[('-2.50000', 'B77', 'ACCOUNT & CARD FEE')]
>>> _ = file.write_text(good[:-20])
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 9: the file ends inside <BANKMSGSRSV1> ... [OFX_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._ofx_statement import Reader
from parsers._ofx_tokens import tokens
from parsers._ofx_tree import Tree
from parsers._rows import Rows
from parsers._text import encoding_of
from tieout.canonical import Tables
from tieout.errors import Finding, InputError

__all__ = ["NAME", "identify", "read"]

NAME: Final = "OFX"

_HEAD_BYTES: Final = 1 << 16
_BEGIN = re.compile(r"\s*(?:OFXHEADER|<OFX\s*>|<\?OFX\b|<\?xml\b|<!--|<!DOCTYPE)", re.I)
_MARK = re.compile(r"OFXHEADER|<OFX\s*>", re.I)
_VERSION = re.compile(r"""(?<!xml )VERSION\s*[:=]\s*["']?(\d{3})(?!\d)""")
_CHARSET = re.compile(r"CHARSET\s*:\s*([A-Za-z0-9-]+?)\s*(?=COMPRESSION|OLDFILEUID|[\s<]|\Z)")
#: Encodings a header may name: those that map bytes to letters and nothing more.
_PLAIN: Final = (
    "ascii", "utf-8", "cp", "iso8859", "koi8", "shift_jis", "euc", "gb", "big5", "mac",
)  # fmt: skip
_XML_CHARSET = re.compile(r"""<\?xml[^>]*\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def _text(head: bytes) -> str:
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return head.decode("utf-16", "ignore")
    return head.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def identify(head: bytes) -> str | None:
    """``OFX 102``, ``OFX 211``, ``OFX`` where no header says, or None."""
    text = _text(head).lstrip("\ufeff")
    if not _BEGIN.match(text) or not (mark := _MARK.search(text)):
        return None
    found = _VERSION.search(text[: mark.end() + 400].partition("<OFX")[0])
    return f"{NAME} {found[1]}" if found else NAME


def _declared(head: bytes) -> str | None:
    """The encoding the header names, as Python knows it, or None."""
    text = _text(head)
    found = _XML_CHARSET.search(text) or _CHARSET.search(text)
    if found is None or found[1].upper() == "NONE":
        return None
    name = found[1].lower()
    for guess in (f"cp{name}" if name.isdigit() else name, f"iso-{name}"):
        try:
            known = codecs.lookup(guess).name
        except LookupError:
            continue
        if known.startswith(_PLAIN):
            return known
    return None


def _encoding(path: Path, head: bytes, named: str | None) -> tuple[str, Finding | None]:
    """The bytes decide: UTF-8 where they are, else what the header names, else the usual order."""
    chosen, finding = encoding_of(path, named)
    declared = _declared(head)
    if named is not None or declared is None:
        return chosen, finding
    if finding is None:
        if chosen == "utf-8-sig" and declared not in ("utf-8", "ascii") and not _is_ascii(path):
            finding = Finding(
                "TEXT_ENCODING", "info", "header",
                f"the header says {declared}, but the bytes are UTF-8; read as UTF-8",
                "nothing; name the bank's encoding (--encoding) if letters look wrong",
            )  # fmt: skip
        return chosen, finding
    try:
        return encoding_of(path, declared)
    except InputError:
        return chosen, finding


def _is_ascii(path: Path) -> bool:
    with path.open("rb") as stream:
        while chunk := stream.read(_HEAD_BYTES):
            if not chunk.isascii():
                return False
    return True


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids.

    Args:
        path: the file.
        encoding: where the caller knows it; else UTF-8, what the header says, cp1252, latin-1.

    Raises:
        InputError: ``OFX_*``, ``TEXT_*``.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    chosen, finding = _encoding(path, head, encoding)
    rows, tree = Rows(), Tree()
    if finding is not None:
        rows.findings.append(finding)
    reader = Reader(tree, rows, identify(head) or NAME)
    for node in tree.closed(tokens(path, chosen)):
        reader.take(node)
        if not reader.held:
            yield from reader.released()
        if rows.full and reader.held:
            reader.hold(rows.take())
        elif rows.full:
            yield rows.take()
    reader.end()
    yield rows.take()
