"""The line an XML element stands on, also in files of more than 65,535 lines."""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

__all__ = ["line_of"]

_LINE_MAX: Final = 65_535


def line_of(element: etree._Element) -> int:
    """The element's line in its document, 0 where it is unknown.

    libxml2 keeps 16 bits of it. Beyond, it answers with the line at which the first text behind
    the start tag ends; the lines of that text are taken off again.
    """
    line: Any = element.sourceline
    if not line or line < _LINE_MAX:
        return int(line) if line else 0
    node: etree._Element | None = element
    while node is not None:
        if node.text:
            return int(line) - node.text.count("\n")
        if not len(node) and node.tail:
            return int(line) - node.tail.count("\n")
        node = node[0] if len(node) else node.getnext()
    return int(line)
