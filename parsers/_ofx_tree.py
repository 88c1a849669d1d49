"""OFX tokens put together to aggregates, where half of the closing tags may be missing.

A tag with text is a leaf, closed or not. A tag without text is an aggregate where OFX says so or
where it is closed behind other tags; else it was an empty leaf, what seemed inside is beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from parsers._ofx_tokens import Token, cut
from tieout.errors import Finding, InputError

__all__ = ["ENTRIES", "STATEMENTS", "Node", "Tree"]

STATEMENTS: Final = frozenset({"STMTRS", "CCSTMTRS"})
ENTRIES: Final = frozenset({"STMTTRN", "STMTTRNP"})

_DEPTH_MAX: Final = 64
_NODES_MAX: Final = 200_000
_ENVELOPE: Final = STATEMENTS | {
    "OFX", "STMTTRNRS", "CCSTMTTRNRS", "BANKMSGSRSV1", "CREDITCARDMSGSRSV1"
}  # fmt: skip
_AGGREGATES: Final = _ENVELOPE | ENTRIES | {
    "SONRS", "STATUS", "FI", "BANKACCTFROM", "CCACCTFROM", "BANKACCTTO", "CCACCTTO", "BANKTRANLIST",
    "BANKTRANLISTP", "PAYEE", "CURRENCY", "ORIGCURRENCY", "LEDGERBAL", "AVAILBAL", "BALLIST", "BAL",
    "INVSTMTRS", "INVTRANLIST", "INVBANKTRAN", "INVPOSLIST", "SECLIST", "IMAGEDATA",
}  # fmt: skip
_LEAVES: Final = frozenset({
    "CODE", "SEVERITY", "MESSAGE", "DTSERVER", "LANGUAGE", "ORG", "FID", "INTU.BID", "INTU.USERID",
    "TRNUID", "CLTCOOKIE", "CURDEF", "BANKID", "BRANCHID", "ACCTID", "ACCTTYPE", "ACCTKEY",
    "DTSTART", "DTEND", "TRNTYPE", "DTPOSTED", "DTUSER", "DTAVAIL", "DTTRAN", "TRNAMT", "FITID",
    "CORRECTFITID", "CORRECTACTION", "SRVRTID", "CHECKNUM", "REFNUM", "SIC", "PAYEEID", "NAME",
    "EXTDNAME", "MEMO", "CURRATE", "CURSYM", "BALAMT", "DTASOF", "ADDR1", "ADDR2", "ADDR3", "CITY",
    "STATE", "POSTALCODE", "COUNTRY", "PHONE", "MKTGINFO", "CARDNUM", "MCC",
})  # fmt: skip
#: Banks close the one with the name of the other.
_SAME: Final = {
    "CCSTMTRS": "STMTRS", "CCSTMTTRNRS": "STMTTRNRS", "CREDITCARDMSGSRSV1": "BANKMSGSRSV1",
    "CCACCTFROM": "BANKACCTFROM",
}  # fmt: skip
_BREAK = re.compile(r"[\r\n]")


def _one_line(text: str) -> str:
    """Text without line breaks and the blanks around them."""
    parts = (part.strip() for part in _BREAK.split(text))
    return " ".join(part for part in parts if part)


class Node:
    """A leaf or an aggregate."""

    __slots__ = ("children", "line", "name", "text")

    def __init__(self, name: str, line: int) -> None:
        self.name, self.line, self.text = name, line, ""
        self.children: list[Node] = []

    def one(self, *names: str) -> Node | None:
        """The first child of one of these names."""
        return next((child for child in self.children if child.name in names), None)

    def get(self, *path: str) -> str:
        """Text of the first leaf there that has any, or an empty string."""
        if len(path) == 1:
            return next((c.text for c in self.children if c.name == path[0] and c.text), "")
        inner = self.one(path[0])
        return inner.get(*path[1:]) if inner is not None else ""

    def all(self, name: str) -> list[str]:
        """Texts of all leaves of a name that have any."""
        return [c.text for c in self.children if c.name == name and c.text]


class Tree:
    """Puts tags together; each aggregate is told when it is over.

    Attributes:
        stack: the open nodes, outermost first.
        broken: whether an aggregate inside the current statement was left open.
        documents: how many ``OFX`` elements ended.
    """

    def __init__(self) -> None:
        self.stack: list[Node] = []
        self.broken = False
        self.documents = 0
        self._nodes = 0
        self._fresh = False  # the top of the stack has just been opened
        self._odd: dict[str, tuple[int, str, int]] = {}  # code: line, tag, how often

    def closed(self, found: Iterable[Token]) -> Iterator[Node]:
        """Every aggregate as it ends, while its own parents are on the stack.

        Raises:
            InputError: ``OFX_TRUNCATED``, ``OFX_MALFORMED``, ``OFX_TOO_DEEP``.
        """
        for token in found:
            if self._fresh and self.stack[-1].name not in _AGGREGATES:
                self.stack[-1].text = _one_line(token.text)
            elif self.stack and token.text.strip():
                self._note("OFX_TEXT_STRAY", token.line, token.text.strip()[:40])
            if not token.name:
                self._end(token)
                return
            yield from self._close(token) if token.closes else self._open(token)

    def _open(self, token: Token) -> Iterator[Node]:
        yield from self._leave_leaf()
        if not self.stack and token.name != "OFX":
            return  # before the root or behind it
        if token.name in ENTRIES and any(node.name in ENTRIES for node in self.stack):
            at = max(i for i, node in enumerate(self.stack) if node.name in ENTRIES)
            yield from self._unwind(at, token.line)
            yield self.stack.pop()
            self._unclosed("STMTTRN", token.line)
        if token.name.endswith("STMTRS"):
            self._refuse_inner(token)
        node = Node(token.name, token.line)
        if self.stack and token.name not in ENTRIES:
            self.stack[-1].children.append(node)
        self._nodes = self._nodes + 1 if token.name not in ENTRIES else len(self.stack)
        if len(self.stack) >= _DEPTH_MAX or self._nodes > _NODES_MAX:
            raise InputError(
                "OFX_TOO_DEEP",
                f"more than {_DEPTH_MAX} levels or {_NODES_MAX:,} elements outside transactions",
                where=f"line {token.line}",
                remedy="this is not a statement file; nothing of it was read",
            )
        if token.empty:
            yield from self._done(node)
            return
        self.stack.append(node)
        self._fresh = True

    def _refuse_inner(self, token: Token) -> None:
        """Whose entry an entry is could not be told where a statement stands inside another."""
        outer = next((node for node in self.stack if node.name.endswith("STMTRS")), None)
        if outer is not None:
            raise InputError(
                "OFX_MALFORMED",
                f"<{token.name}> stands inside of <{outer.name}> of line {outer.line}",
                where=f"line {token.line}",
                remedy="part of the file is missing: fetch it again; nothing of it was read",
            )

    def _leave_leaf(self) -> Iterator[Node]:
        """The top is a leaf where it has text, or where OFX knows it as one."""
        if self._fresh:
            top = self.stack[-1]
            if top.text or top.name in _LEAVES:
                self.stack.pop()
        self._fresh = False
        yield from ()

    def _close(self, token: Token) -> Iterator[Node]:
        if self._fresh and self.stack[-1].name == token.name:
            self._fresh = False
            yield from self._done(self.stack.pop())
            return
        yield from self._leave_leaf()
        names = [node.name for node in self.stack]
        if token.name not in names:
            same = _SAME.get(token.name, token.name)
            likely = [i for i, name in enumerate(names) if _SAME.get(name, name) == same]
            self._note("OFX_TAG_MISMATCH", token.line, f"</{token.name}>")
            if not likely:
                return
            at = likely[-1]
        else:
            at = len(names) - 1 - names[::-1].index(token.name)
        yield from self._unwind(at, token.line)
        yield from self._done(self.stack.pop())

    def _done(self, node: Node) -> Iterator[Node]:
        self.documents += node.name == "OFX"
        if not node.text:
            yield node
        if node.name.endswith("TRNRS") and self.stack and self.stack[-1].children[-1:] == [node]:
            self.stack[-1].children.pop()  # it was read: a file may have any number of answers

    def _unwind(self, at: int, line: int) -> Iterator[Node]:
        """Close what is open above a node: empty leaves, or aggregates nobody closed."""
        while len(self.stack) > at + 1:
            node = self.stack.pop()
            if node.name in _ENVELOPE or node.name.endswith("STMTRS"):
                raise InputError(
                    "OFX_MALFORMED",
                    f"<{node.name}> of line {node.line} is not closed",
                    where=f"line {line}",
                    remedy="part of the file is missing: fetch it again; nothing of it was read",
                )
            if node.name in ENTRIES:
                self._unclosed(node.name, line)
                yield node
            elif node.name in _AGGREGATES:
                self._unclosed(node.name, line)
            if node.name not in _AGGREGATES or node.name.startswith("BANKTRANLIST"):
                self.stack[-1].children.extend(node.children)
                node.children = []

    def _unclosed(self, name: str, line: int) -> None:
        self.broken = True
        self._note("OFX_TAG_UNCLOSED", line, f"<{name}>")

    def _note(self, code: str, line: int, tag: str) -> None:
        first, name, times = self._odd.get(code, (line, tag, 0))
        self._odd[code] = (first, name, times + 1)

    def _end(self, token: Token) -> None:
        if self.stack:
            raise cut(token.line, f"<{self.stack[-1].name}> of line {self.stack[-1].line}")
        if not self.documents or "OFXHEADER" in token.text or "</" in token.text:
            raise cut(token.line, "the header" if not self.documents else "another document")
        if token.text.strip("\x00\x1a \t\r\n"):
            self._note("TEXT_TRAILING", token.line, token.text.strip()[:40])

    def findings(self) -> Iterator[Finding]:
        """What was odd about the tags, each kind once, with its first place."""
        for code, (line, tag, times) in self._odd.items():
            severity, message, remedy = _ODD[code]
            often = f" ({times} times in the file)" if times > 1 else ""
            text = message.format(tag=tag.translate(_NO_CONTROL)) + often
            if severity == "error":
                yield Finding(code, "error", f"line {line}", text, remedy)
            else:
                yield Finding(code, "warning", f"line {line}", text, remedy)


_NO_CONTROL: Final = dict.fromkeys([*range(32), *range(127, 160), *range(0xD800, 0xE000)], "\ufffd")
_ODD: Final = {
    "OFX_TAG_UNCLOSED": (
        "error", "{tag} is not closed before what follows",
        "the statement is marked incomplete: ask the bank for the file again",
    ),
    "OFX_TAG_MISMATCH": (
        "warning", "{tag} closes nothing of that name",
        "compare the entries with the bank's own view; some banks always write it so",
    ),
    "OFX_TEXT_STRAY": (
        "warning", "text stands between two elements: {tag!r}",
        "it belongs to no field and is left out: compare with the bank's own view",
    ),
    "TEXT_TRAILING": (
        "warning", "text behind the end of the document: {tag!r}",
        "if it begins another statement, the file is cut: fetch it again",
    ),
}  # fmt: skip
