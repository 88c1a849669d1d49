"""An entry of very many details: they are read as they end, and only their rows stay.

A payroll or a collection may be one entry of fifty thousand payments. What its details take from
the entry stands before them in every schema; where it does not, the tree is kept as ever, and
`parsers._view` says when it is too large.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from lxml import etree

from parsers._camt_entry import detail, terms
from parsers._view import Slice
from parsers._xml import Node, local_name
from tieout.errors import InputError

__all__ = ["Details", "Long", "Owner"]

#: Details of an entry from which on they are read at once.
LONG: Final = 300
#: What one of them weighs in memory, as a row.
_ROW_WEIGHT: Final = 3_000

Row = dict[str, Any]


class Owner(Protocol):
    """The statement that is open.

    Attributes:
        element: its element.
        line: lines before its document.
        currency: the first entry's, where the account names none.
    """

    element: etree._Element | None
    line: int
    currency: str | None

    def know_account(self) -> tuple[str | None, str | None]:
        """Account and currency."""
        ...


class Long:
    """The details of one NtryDtls, read while it is open.

    Attributes:
        group: the NtryDtls.
        number: which of the entry's it is.
        agreed: the terms of the entry they were read by.
        rows: the details so far.
    """

    def __init__(self, group: etree._Element, agreed: Row, own: str, line: int) -> None:
        self.group, self.agreed = group, agreed
        before = group.itersiblings(preceding=True)
        self.number = sum(local_name(str(each.tag)) == "NtryDtls" for each in before)
        self.rows: list[Row] = []
        self._own, self._line = {own}, line
        self._done: etree._Element | None = None

    def read(self, element: etree._Element) -> None:
        """Read a detail that has ended, with those before it; the parser may be further on."""
        batch: etree._Element | None = None
        for child in [*element.itersiblings(preceding=True)][::-1]:
            name = local_name(str(child.tag))
            if name == "Btch" and batch is None:
                batch = child
                continue
            if name == "TxDtls" and child is not self._done:
                self._add(child)
            self.group.remove(child)
        self._add(element)
        element.clear()  # it goes with the next: the parser may still stand on it
        self._done = element

    def _add(self, element: etree._Element) -> None:
        self.rows.append(detail(Node(element, self._line), self.agreed, self._own))

    def check(self, row: Row) -> None:
        """The row of the entry says what was known of it when its details were read.

        Raises:
            InputError: ``XML_TOO_LARGE``.
        """
        if any(row[name] != value for name, value in self.agreed.items()):
            raise InputError(
                "XML_TOO_LARGE",
                "an entry of very many details says behind them what they depend on",
                where=f"line {row['line_no']} Ntry",
                remedy="ask the bank to split the entry; nothing of the file was read",
            )

    def finish(self) -> None:
        """The entry has ended: the last detail goes too."""
        if self._done is not None:
            self.group.remove(self._done)


class Details:
    """Watches the details of the entry that is open."""

    def __init__(self) -> None:
        self._long: Long | None = None
        self._count = self._weight = 0

    def ended(self, element: etree._Element, owner: Owner, source: Slice) -> None:
        """A TxDtls has ended; where there are many, it is read and leaves the tree."""
        group = element.getparent()
        self._count += 1
        if self._count < LONG or group is None:
            return
        if self._long is None and (found := _begun(group, owner)) is not None:
            self._long, self._weight = found, source.weight
        if self._long is not None and self._long.group is group:
            self._long.read(element)
            source.weight = self._weight + _ROW_WEIGHT * len(self._long.rows)

    def ready(self) -> Long | None:
        """The entry has ended: its details that are not in the tree any more."""
        found, self._long, self._count = self._long, None, 0
        if found is not None:
            found.finish()
        return found


def _begun(group: etree._Element, owner: Owner) -> Long | None:
    """A long group, if it stands where it belongs and its entry has said what it depends on."""
    node = group.getparent()
    if node is None or owner.element is None or node.getparent() is not owner.element:
        return None
    if local_name(str(group.tag)) != "NtryDtls" or local_name(str(node.tag)) != "Ntry":
        return None
    account, currency = owner.know_account()
    agreed = terms(Node(node, owner.line, without="NtryDtls"), currency or owner.currency)
    if account is None or agreed is None:
        return None
    return Long(group, agreed, account, owner.line)
