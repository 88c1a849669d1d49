"""XML from banks, read as a stream and without trust.

Any document type declaration is refused before a parser sees a byte, whatever the encoding: that
closes entity expansion, external entities and DTD fetches in one place (and ``resolve_entities``
alone would silently drop text). libxml2's own limits (256 levels, 10 MB a text) stay on.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

from parsers._text import clean, single_byte
from parsers._view import Slice, View
from parsers._xml_line import line_of
from tieout.errors import Finding, InputError

__all__ = ["Document", "Node", "documents", "line_of", "local_name", "namespace", "stream"]

_PROLOG_MAX: Final = 1 << 20
_SAFE = re.compile(r"utf-?8|us-ascii|ascii|iso-?8859-\d{1,2}|latin-?\d|windows-125\d|cp125\d", re.I)
_DECLARED = re.compile(r"""<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""")
_TRUNCATED: Final = frozenset({4, 5, 35, 43, 44, 45, 47, 63, 73, 77})
#: A byte order mark and blanks: harmless before a document, but its declaration must come first.
_LEAD = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*")
_names: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Document:
    """One XML document inside a file (banks concatenate them).

    Attributes:
        start: offset of its first byte.
        end: offset behind its last byte.
        line: number of lines before it in the file.
        encoding: an encoding to impose, or None where the document's own is right.
        finding: what was wrong with the declared encoding, if anything.
    """

    start: int
    end: int
    line: int
    encoding: str | None
    finding: Finding | None

    def source(self, path: Path) -> Slice:
        """Its bytes."""
        return Slice(path, self.start, self.end)


class Node:
    """A small element: its text, currency, line and children by local name, in order.

    ``without`` leaves out direct children of that name (a statement without its entries).
    """

    __slots__ = ("currency", "kids", "line", "text")

    def __init__(self, element: etree._Element, line: int, without: str = "") -> None:
        self.text: str = element.text or ""
        self.currency: str | None = element.get("Ccy")
        self.line: int = line_of(element) + line
        kids: dict[str, list[Node]] = {}
        for child in element:
            tag = child.tag
            if isinstance(tag, str):
                name = _names.get(tag) or local_name(tag)
                if name != without:
                    kids.setdefault(name, []).append(Node(child, line))
        self.kids = kids

    def all(self, *path: str) -> list[Node]:
        """Every node at the path of local names, in document order."""
        found = [self]
        for name in path:
            found = [kid for node in found for kid in node.kids.get(name, ())]
        return found

    def one(self, *path: str) -> Node | None:
        """The first node at the path, or None."""
        node: Node = self
        for name in path:
            kids = node.kids.get(name)
            if not kids:
                return None
            node = kids[0]
        return node

    def get(self, *path: str) -> str | None:
        """The trimmed text at the path; None where it is absent or empty."""
        node = self.one(*path)
        return (node.text.strip() or None) if node is not None else None


def namespace(tag: str) -> str | None:
    """The namespace of a tag, where it has one; ``QName`` fails on those with a brace in them.

    >>> namespace("{urn:a}Stmt"), namespace("{}urn}Stmt"), namespace("Stmt")
    ('urn:a', '}urn', None)
    """
    return tag.rpartition("}")[0][1:] or None


def local_name(tag: str) -> str:
    """An element's name without its namespace."""
    name = tag.rpartition("}")[2]
    if len(_names) < 10_000:  # hostile files may bring any number of names
        _names[tag] = name
    return name


def documents(path: Path) -> Iterator[Document]:
    """The XML documents of a file, each checked to be safe to parse.

    Raises:
        InputError: ``XML_DOCTYPE``, ``XML_ENCODING``, ``XML_MALFORMED``.
    """
    if not path.stat().st_size:
        raise InputError("FILE_EMPTY", "the file is empty", where="byte 0", remedy="fetch it again")
    with path.open("rb") as file:
        data = View(file)
        codec = _family(data.cut(0, 4))
        lead = _LEAD.match(data.cut(0, 4096)) if codec == "latin-1" else None
        start = lead.end() if lead else 0
        line = data.cut(0, start).count(b"\n")
        for end in _ends(data, start, codec):
            where = f"line {line + 1}"
            prolog = _prolog(data, start, end, codec, where)
            encoding, finding = _encoding(data, start, end, codec, prolog, where)
            yield Document(start, end, line, encoding, finding)
            line += sum(block.count(b"\n") for block in data.blocks(start, end))
            start = end


def _ends(data: View, start: int, codec: str) -> Iterator[int]:
    """Where each document ends: before the declaration of the next one, or with the file."""
    opener = "<?xml".encode(codec)
    at = data.find(opener, start + 4)
    while at > 0:
        if _starts_document(data, at, codec):
            yield at
        at = data.find(opener, at + 1)
    yield data.size


def _starts_document(data: View, at: int, codec: str) -> bool:
    """Whether ``<?xml `` at this place follows a closed element (not text inside one)."""
    after = data.cut(at, at + 24).decode(codec, "ignore")
    before = data.cut(max(0, at - 256), at).decode(codec, "ignore").rstrip("\ufeff \t\r\n")
    return len(after) > 5 and after[5].isspace() and (before.endswith(">") or not before)


def _family(head: bytes) -> str:
    if head[:2] == codecs.BOM_UTF16_LE or head[:2] == b"<\x00":
        return "utf-16-le"
    if head[:2] == codecs.BOM_UTF16_BE or head[:2] == b"\x00<":
        return "utf-16-be"
    return "latin-1"  # every ASCII-compatible encoding, for looking at markup only


def _prolog(data: View, start: int, end: int, codec: str, where: str) -> str:
    """Everything before the root element; refuses a document type declaration in it."""
    text = data.cut(start, min(end, start + _PROLOG_MAX)).decode(codec, "replace")
    if "\x00" in text[:1024]:
        raise InputError(
            "XML_ENCODING",
            "the file is in no encoding that is read",
            where=where,
            remedy="ask the sender for UTF-8",
        )
    at = 0 if text.lstrip("\ufeff \t\r\n").startswith("<") else len(text)
    while True:
        at = text.find("<", at)
        if at < 0 or at >= len(text) - 1:
            raise InputError(
                "XML_MALFORMED",
                "there is no XML element",
                where=where,
                remedy="ask the bank for the file again; nothing of it was read",
            )
        if text.startswith("<?", at):
            close = text.find("?>", at)
        elif text.startswith("<!--", at):
            close = text.find("-->", at + 4)
        elif text.startswith("<!", at):
            place = text.count("\n", 0, at)
            raise InputError(
                "XML_DOCTYPE",
                "the file has a document type declaration, which bank files never need and "
                "attacks use",
                where=_further(where, place),
                remedy="ask the sender for the file without <!DOCTYPE …>; nothing was parsed",
            )
        else:
            return text[:at]
        at = len(text) if close < 0 else close


def _further(where: str, count: int) -> str:
    return f"line {int(where.removeprefix('line ')) + count}"


def _encoding(
    data: View, start: int, end: int, codec: str, prolog: str, where: str
) -> tuple[str | None, Finding | None]:
    """Which encoding to impose, if any: a wrong declaration is mended, an exotic one refused."""
    declared = _DECLARED.search(prolog)
    name = declared.group(1) if declared else "utf-8"
    if codec.startswith("utf-16"):
        return None, None
    if not _SAFE.fullmatch(name):
        raise InputError(
            "XML_ENCODING",
            f"encoding {name!r} is not read",
            where=where,
            remedy="ask the sender for UTF-8",
        )
    if not re.fullmatch(r"utf-?8|us-ascii|ascii", name, re.I):
        return None, None
    decoder, lines = codecs.getincrementaldecoder("utf-8")("strict"), 0
    try:
        for block in data.blocks(start, end):
            decoder.decode(block)
            lines += block.count(b"\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        # A character cut off by the file's end is a truncation: the parser will say so.
        if _is_cut(data, start, end):
            return None, None
        chosen = single_byte(data.blocks(start, end))
        return chosen, Finding(
            "XML_ENCODING", "warning", _further(where, lines),
            f"the bytes are not the {name} that is declared; read as {chosen}",
            "tell the bank that its encoding declaration is wrong",
        )  # fmt: skip
    return None, None


def _is_cut(data: View, start: int, end: int) -> bool:
    return not data.cut(max(start, end - 64), end).rstrip().endswith(b">")


def stream(
    source: Slice, document: Document, tags: Sequence[str], kept: str = ""
) -> Iterator[tuple[str, etree._Element]]:
    """``("start" | "end", element)`` for elements of the local names, in document order.

    Args:
        source: the document's bytes; closed at the end.
        document: what is known of it.
        tags: local names.
        kept: one of them whose tree the caller may have kept: its weight is the caller's to set.

    Raises:
        InputError: ``XML_TRUNCATED``, ``XML_MALFORMED``, with line and column; ``XML_TOO_LARGE``.
    """
    try:
        for event, element in etree.iterparse(
            source,
            events=("start", "end"),
            tag=[f"{{*}}{name}" for name in tags],
            encoding=document.encoding,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        ):
            yield event, element
            if not kept or local_name(str(element.tag)) != kept:
                source.weight = 0
    except etree.XMLSyntaxError as error:
        line, column = error.position
        code = "XML_TRUNCATED" if getattr(error, "code", None) in _TRUNCATED else "XML_MALFORMED"
        raise InputError(
            code,
            # libxml2 quotes the file in its own words, up to some ten thousand characters.
            (clean(str(error.msg or "").partition(", line ")[0]) or "not well-formed XML")[:200],
            where=f"line {document.line + max(line, 1)} column {column}",
            remedy="the file is cut or damaged: fetch it again; nothing of it was read",
        ) from None
    except (LookupError, UnicodeError, ValueError) as error:
        raise InputError(
            "XML_MALFORMED",
            str(error),
            where=f"line {document.line + 1}",
            remedy="ask the bank for the file again; nothing of it was read",
        ) from None
    finally:
        source.close()
