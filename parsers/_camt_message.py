"""Reading camt.052, camt.053 and camt.054: one stream, whichever of them a document holds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from lxml import etree

from parsers import _camt_fast
from parsers._camt_shapes import SHAPES, Shape, identify, version_of
from parsers._camt_statement import Statement
from parsers._rows import Rows
from parsers._xml import Document, Node, documents, line_of, local_name, namespace, stream
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["FAST_FROM", "messages", "strict"]

_log = logging.getLogger(__name__)

_DETAIL: Final = "TxDtls"
_TAGS: Final = ("GrpHdr", "Ntry", _DETAIL, *(shape.element for shape in SHAPES))
_ROOTS: Final = {shape.root: shape for shape in SHAPES}


#: Smaller files gain nothing from the fast reader.
FAST_FROM: Final = 256 << 10


def messages(path: Path, wanted: Shape) -> Iterator[Tables]:
    """The file in batches of some thousand entries, with file-local ids.

    A large file is read by `parsers._camt_fast` as far as that is sure of it; `strict` decides
    everything else.

    Args:
        path: the file; its documents may be of several of the three messages.
        wanted: the one its head shows.

    Raises:
        InputError: ``XML_*`` where the file is unsafe, cut or damaged, ``CAMT_ENVELOPE``,
            ``CAMT_NO_STATEMENT``.
    """
    given = [0] * 5
    if path.stat().st_size >= FAST_FROM:
        try:
            for batch in _camt_fast.batches(path):
                given = [a + len(b) for a, b in zip(given, _rows_of(batch), strict=True)]
                yield batch
            return
        except (_camt_fast.UnsureError, OverflowError) as reason:
            _log.debug("read strictly: %s", reason)
        except Exception:
            # An unforeseen failure of what only saves time must not cost the file.
            _log.exception("the fast reader failed; the file is read strictly")
    for batch in strict(path, wanted):
        sizes = [len(rows) for rows in _rows_of(batch)]
        left = [max(had - size, 0) for had, size in zip(given, sizes, strict=True)]
        skip = [min(had, size) for had, size in zip(given, sizes, strict=True)]
        given = left
        if skip == sizes:
            continue
        yield Tables(
            batch.statements.slice(skip[0]),
            batch.balances.slice(skip[1]),
            batch.entries.slice(skip[2]),
            batch.details.slice(skip[3]),
            batch.findings[skip[4] :],
        )


def _rows_of(batch: Tables) -> tuple[Any, ...]:
    return batch.statements, batch.balances, batch.entries, batch.details, batch.findings


def strict(path: Path, wanted: Shape) -> Iterator[Tables]:
    """The file, element by element: what every other way of reading it must equal.

    Raises:
        InputError: as `messages`.
    """
    with path.open("rb") as file:
        exact = identify(file.read(1 << 16))
    rows, count = Rows(), 0
    for document in documents(path):
        if document.finding is not None:
            rows.findings.append(document.finding)
        page: Node | None = None
        before = count
        for statement, element in _statements(path, document, rows):
            if statement is None:
                page = Node(element, document.line)
                continue
            if statement.ended:
                statement.finish(element)
            elif not statement.begun:
                count += 1
                space = namespace(str(element.tag))
                statement.begin(str(count), version_of(statement.shape, space, exact), page, rows)
            else:
                statement.entry(element)
            if statement.ended:
                yield from statement.released()
            if rows.full:
                if statement.held:
                    statement.hold(rows.take())
                else:
                    yield rows.take()
                    statement.first = 0
        if count == before:
            rows.finding(
                "CAMT_DOCUMENT_SKIPPED", "warning", f"line {document.line + 1}",
                "the file holds a document without a report, statement or notification",
                "look at what it is: nothing of that document was read",
            )  # fmt: skip
    if not count:
        raise InputError(
            "CAMT_NO_STATEMENT",
            f"the file has no {wanted.element} element",
            where=f"Document/{wanted.root}",
            remedy=f"ask the bank what it sent: a {wanted.name} has at least one {wanted.element}",
        )
    yield rows.take()


def _shape_of(element: etree._Element) -> Shape | None:
    """The message an element stands directly in, or None."""
    parent = element.getparent()
    name = local_name(str(parent.tag)) if parent is not None else ""
    if name[-3:-2] == "V" and name[-2:].isdigit():
        name = name[:-3]  # version 01
    return _ROOTS.get(name)


def _envelope(what: str, where: str) -> InputError:
    return InputError(
        "CAMT_ENVELOPE",
        what,
        where=where,
        remedy="the file is damaged: fetch it again; nothing of it was read",
    )


def _misplaced(current: Statement | None, element: etree._Element, line: int, rows: Rows) -> None:
    """An entry that stands in no statement, or somewhere inside one, is never passed over."""
    if current is not None:
        current.misplaced(line)
    elif any(local_name(str(a.tag)) in _ROOTS for a in element.iterancestors()):
        raise _envelope("an entry stands outside of any statement", f"line {line} Ntry")
    else:
        rows.finding(
            "ENTRY_ASTRAY", "error", f"line {line} Ntry",
            "the entry stands in no message of an account; it was not read",
            "ask the bank for the file again: it is put together wrongly",
        )  # fmt: skip


def _statements(
    path: Path, document: Document, rows: Rows
) -> Iterator[tuple[Statement | None, etree._Element]]:
    """Steps of each statement: begun, one for each entry, ended; None with the group header."""
    current: Statement | None = None
    open_at: etree._Element | None = None
    done: etree._Element | None = None
    source = document.source(path)
    for event, element in stream(source, document, _TAGS, kept=_DETAIL):
        name = local_name(str(element.tag))
        if name == _DETAIL:
            if event == "end" and current is not None:
                current.details.ended(element, current, source)
            continue
        if name == "Ntry":
            parent = element.getparent()
            if event == "end" and parent is not open_at:
                _misplaced(current, element, document.line + line_of(element), rows)
            elif event == "end" and current is not None:
                yield current, element
                # The previous entry goes, not this one: the parser still stands on it.
                if done is not None and parent is not None:
                    parent.remove(done)
                element.clear()
                done = element
            continue
        shape = _shape_of(element)
        if shape is None:
            continue
        if name == "GrpHdr":
            if event == "end":
                yield None, element
        elif name == shape.element and event == "start":
            if current is not None:
                where = f"line {document.line + line_of(element)} {shape.element}"
                raise _envelope("a statement begins inside another one", where)
            current, open_at = Statement(element, document.line, shape), element
            yield current, element
        elif name == shape.element and current is not None:
            current.ended = True
            yield current, element
            current, open_at, done = None, None, None
            element.clear()
