"""The three camt messages about an account: what differs between them, and how each is known.

camt.052 reports the day so far, camt.053 states what is booked, camt.054 notifies single debits and
credits. Their entries are the same; the names of the elements around them are not.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

__all__ = ["NOTIFICATION", "REPORT", "SHAPES", "STATEMENT", "Shape", "identify", "version_of"]


@dataclass(frozen=True, slots=True)
class Shape:
    """One message: its names, and what it is worth.

    Attributes:
        name: ``camt.053``.
        root: local name of the message's element; version 01 adds ``V01`` to it.
        element: local name of one statement.
        paging: where a statement says its page.
        text: where a statement says something in words.
        kind: ``booked``, ``intraday`` or ``notification`` (`tieout.canonical.STATEMENTS`).
        status: of an entry that names none.
    """

    name: str
    root: str
    element: str
    paging: str
    text: str
    kind: str
    status: str | None


REPORT: Final = Shape(
    "camt.052", "BkToCstmrAcctRpt", "Rpt", "RptPgntn", "AddtlRptInf", "intraday", None
)
STATEMENT: Final = Shape(
    "camt.053", "BkToCstmrStmt", "Stmt", "StmtPgntn", "AddtlStmtInf", "booked", "booked"
)
NOTIFICATION: Final = Shape(
    "camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn", "NtfctnPgntn", "AddtlNtfctnInf",
    "notification", None,
)  # fmt: skip
SHAPES: Final = (REPORT, STATEMENT, NOTIFICATION)

_NAMESPACE = re.compile(
    r"""<(?:[\w.-]+:)?\w+\s[^<>]*?xmlns(?::[\w.-]+)?\s*=\s*["'][^"'<>]*?"""
    r"""(camt\.05[234])(\.\d{3}\.\d\d)?""",
    re.I,
)
_ROOT = re.compile(
    r"<(?:[\w.-]+:)?(" + "|".join(shape.root for shape in SHAPES) + r")(?:V\d\d)?[\s/>]"
)
_VERSION = re.compile(r"(camt\.05[234])(\.\d{3}\.\d\d)", re.I)


def identify(head: bytes) -> str | None:
    """``camt.053.001.NN``, ``camt.053`` where the namespace names no version, or None.

    The message's own element decides; a namespace that names another message is not believed.
    """
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        text = head.decode("utf-16", "ignore")
    elif b"\x00" in head[:4]:
        text = head.decode("utf-16-be" if head[0] == 0 else "utf-16-le", "ignore")
    else:
        text = head.decode("latin-1")
    if not text.lstrip("\ufeffï»¿ \t\r\n").startswith("<"):
        return None
    if "<!--" in text:
        first, *others = text.split("<!--")
        text = first + "".join(other.partition("-->")[2] for other in others)
    root, space = _ROOT.search(text), _NAMESPACE.search(text)
    named = space.group(1).lower() if space else None
    if root is None:
        return named and named + (space.group(2) or "" if space else "")
    own = next(shape.name for shape in SHAPES if shape.root == root.group(1))
    return own + (space.group(2) or "" if space and named == own else "")


def version_of(shape: Shape, namespace: str | None, head: str | None) -> str:
    """The exact format of one statement: by its own namespace, else as the file's head says."""
    found = _VERSION.search(namespace) if namespace and len(namespace) < 200 else None
    if found is not None and found.group(1).lower() == shape.name:
        return shape.name + found.group(2)
    return head if head is not None and head.startswith(shape.name) else shape.name
