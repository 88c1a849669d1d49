"""The beginning of a camt file up to its first statement, read by lxml, for the fast reader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, cast

from lxml import etree

from parsers._camt_shapes import SHAPES, Shape
from parsers._tags import UnsureError
from parsers._xml import Node, local_name, namespace

__all__ = ["Fragments", "Start", "start_of"]

_STATEMENT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?(Rpt|Stmt|Ntfctn)>")
_DECLARATION = re.compile(rb"<\?xml\s[^?<>]*\?>")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([\w.:-]+)["']""")
_ROOTS: Final = {shape.root: shape for shape in SHAPES}
#: As the standard library's quoting, which would bring a whole web client with it.
_ESCAPES: Final = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;",
    "\t": "&#9;",
}  # fmt: skip
_OPTIONS: Final = {
    "resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False,
    "remove_comments": True, "remove_pis": True,
}  # fmt: skip


class Fragments:
    """Pieces of the document, parsed by themselves as they would be in it."""

    def __init__(self, spaces: dict[str | None, str]) -> None:
        self.prefixes = {prefix: uri for prefix, uri in spaces.items() if prefix}
        names = (
            f"xmlns:{prefix}={_quoted(uri)}" if prefix else f"xmlns={_quoted(uri)}"
            for prefix, uri in spaces.items()
        )
        self._open = f"<piece {' '.join(names)}>".encode()

    def nodes(self, raw: bytes, line: int) -> Node:
        """A node whose children are the piece's elements; it begins on that line (from 1)."""
        try:
            root = etree.fromstring(
                self._open + raw + b"</piece>",
                etree.XMLParser(**_OPTIONS),  # type: ignore[arg-type]
            )
        except etree.XMLSyntaxError:
            raise UnsureError("a piece is not well-formed by itself") from None
        return Node(root, line - 1)


def _quoted(value: str) -> str:
    for character, escape in _ESCAPES.items():
        value = value.replace(character, escape)
    return f'"{value}"'


@dataclass(frozen=True, slots=True)
class Start:
    """What stands before the first statement.

    Attributes:
        offset: where the first statement's start tag begins.
        shape: the message.
        names: qualified names of the elements open there, from the root.
        namespace: of the statement.
        header: the message's group header, if it has one.
        fragments: parses pieces as if they stood there.
        end: the bytes of an entry's end tag.
    """

    offset: int
    shape: Shape
    names: list[str]
    namespace: str | None
    header: Node | None
    fragments: Fragments
    end: bytes


def start_of(head: bytes) -> Start:
    """The start of a file whose first bytes these are.

    Raises:
        UnsureError: it is not UTF-8 in plain markup with one message, or no statement is in sight.
    """
    found = _STATEMENT.search(head)
    mark = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    if found is None or not head.startswith(b"<", mark):
        raise UnsureError("no statement in sight")
    before = head[mark : found.start()]
    declared = _DECLARATION.match(before)
    body = before[declared.end() :] if declared else before
    if b"<!" in body or b"<?" in body:
        raise UnsureError("declarations or comments before the first statement")
    named = _ENCODING.search(declared.group()) if declared else None
    if named is not None and named.group(1).lower() not in (b"utf-8", b"utf8"):
        raise UnsureError("another encoding than UTF-8")
    parser = etree.XMLPullParser(events=("start", "end"), **_OPTIONS)  # type: ignore[arg-type]
    opened: list[etree._Element] = []
    header: Node | None = None
    try:
        parser.feed(before + found.group() + b"\n")
        for event, found_element in parser.read_events():
            element = cast(etree._Element, found_element)
            name = local_name(str(element.tag))
            if event == "start":
                opened.append(element)
                continue
            opened.pop()
            if name == "GrpHdr" and opened and _root(opened[-1]) is not None:
                header = Node(element, 0)
            elif name in ("Ntry", "Rpt", "Stmt", "Ntfctn") or name in _ROOTS:
                raise UnsureError("another message before the first statement")
    except etree.XMLSyntaxError:
        raise UnsureError("not well-formed before the first statement") from None
    return _start(found, opened, header)


def _start(found: re.Match[bytes], opened: list[etree._Element], header: Node | None) -> Start:
    if len(opened) < 2:
        raise UnsureError("the first statement is not where it belongs")
    statement, message = opened[-1], opened[-2]
    shape = _root(message)
    name = local_name(str(statement.tag))
    if shape is None or name != shape.element or name != found.group(1).decode():
        raise UnsureError("the first statement is not where it belongs")
    names = [_qualified(element) for element in opened[:-1]]
    space = namespace(str(statement.tag))
    prefix = f"{statement.prefix}:" if statement.prefix else ""
    return Start(
        found.start(), shape, names, space, header,
        Fragments({k: str(v) for k, v in statement.nsmap.items()}), f"</{prefix}Ntry>".encode(),
    )  # fmt: skip


def _root(element: etree._Element) -> Shape | None:
    name = local_name(str(element.tag))
    if name[-3:-2] == "V" and name[-2:].isdigit():
        name = name[:-3]
    return _ROOTS.get(name)


def _qualified(element: etree._Element) -> str:
    name = local_name(str(element.tag))
    return f"{element.prefix}:{name}" if element.prefix else name
