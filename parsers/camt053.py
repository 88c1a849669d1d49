"""camt.053, Bank-to-Customer Statement: the booked entries of an account for one period.

Issued by ISO 20022 (Bank-to-Customer Cash Management); every version ``.001.01`` to ``.13`` and
any national namespace. Elements are found by local name, so a wrong prefix, a missing namespace, a
business header around the document or several documents in one file change nothing.

- The account holder's view: ``CRDT`` is money in (+), ``DBIT`` money out (-). With ``RvslInd`` the
  mark is the final one; where the balances prove that the bank left the mark of the entry it
  reverses, the sign is turned and a finding says so.
- A detail has its own amount or none. Only the single detail of an entry may take the entry's.
- ``NOTPROVIDED`` and its like are not data. Dates are as written; a missing one stays missing.
- Schema validity is no gate: a good part of what banks send is not valid.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statement")
>>> _ = file.write_text('''<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
... <BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id>
... <Acct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id><Ccy>EUR</Ccy></Acct>
... <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">10.00</Amt>
... <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
... <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">7.50</Amt>
... <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
... <Ntry><Amt Ccy="EUR">2.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
... <BookgDt><Dt>2026-11-20</Dt></BookgDt><AddtlNtryInf>Account fee</AddtlNtryInf></Ntry>
... </Stmt></BkToCstmrStmt></Document>''')
>>> batch, = read(file)
>>> [(str(e["amount"]), e["narrative"]) for e in batch.entries.to_pylist()], batch.findings
([('-2.50000', 'Account fee')], ())
>>> _ = file.write_text("<Document><BkToCstmrStmt><Stmt><Id>S1</Id></St")
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 1 column 47: ... [XML_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lxml import etree

from parsers._camt_statement import Statement
from parsers._rows import Rows
from parsers._xml import Document, Node, documents, local_name, stream
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["NAME", "identify", "read"]

NAME: Final = "camt.053"

_TAGS: Final = ("Document", "BkToCstmrStmt", "GrpHdr", "Stmt", "Ntry")
_NAMESPACE = re.compile(
    r"""<(?:[\w.-]+:)?\w+\s[^<>]*?xmlns(?::[\w.-]+)?\s*=\s*["'][^"'<>]*?camt\.053(\.\d{3}\.\d\d)?""",
    re.I,
)
_ROOT = re.compile(r"<(?:[\w.-]+:)?BkToCstmrStmt[\s/>]")


def identify(head: bytes) -> str | None:
    """``camt.053.001.NN``, or ``camt.053`` where the namespace names no version, or None."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        text = head.decode("utf-16", "ignore")
    elif b"\x00" in head[:4]:
        text = head.decode("utf-16-be" if head[0] == 0 else "utf-16-le", "ignore")
    else:
        text = head.decode("latin-1")
    if not text.lstrip("\ufeffï»¿ \t\r\n").startswith("<"):
        return None
    found = _NAMESPACE.search(text)
    if found is not None:
        return "camt.053" + (found.group(1) or "")
    return NAME if _ROOT.search(text) else None


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids.

    Args:
        path: the file.
        encoding: ignored; XML declares its own.

    Raises:
        InputError: ``XML_*`` where the file is unsafe, cut or damaged, ``CAMT_NO_STATEMENT``.
    """
    del encoding
    with path.open("rb") as file:
        exact = identify(file.read(1 << 16)) or NAME
    rows, count = Rows(), 0
    for document in documents(path):
        if document.finding is not None:
            rows.findings.append(document.finding)
        page: Node | None = None
        for statement, element in _statements(path, document):
            if statement is None:
                page = Node(element, document.line)
                continue
            if statement.ended:
                statement.finish(element)
            elif not statement.begun:
                count += 1
                statement.begin(str(count), exact, page, rows)
            else:
                statement.entry(element)
            if rows.full and not statement.held:
                yield rows.take()
                statement.first = 0
    if not count:
        raise InputError(
            "CAMT_NO_STATEMENT",
            "the file has no Stmt element",
            where="Document/BkToCstmrStmt",
            remedy="ask the bank what it sent: a camt.053 has at least one statement",
        )
    yield rows.take()


def _statements(
    path: Path, document: Document
) -> Iterator[tuple[Statement | None, etree._Element]]:
    """Steps of each statement: begun, one for each entry, ended; None with the group header."""
    current: Statement | None = None
    done: etree._Element | None = None
    for event, element in stream(path, document, _TAGS):
        name = local_name(str(element.tag))
        parent = element.getparent()
        above = local_name(str(parent.tag)) if parent is not None else ""
        if name == "GrpHdr" and event == "end" and above == "BkToCstmrStmt":
            yield None, element
        elif name == "Stmt" and above == "BkToCstmrStmt":
            if event == "start":
                current = Statement(element, document.line)
                yield current, element
            elif current is not None:
                current.ended = True
                yield current, element
                current, done = None, None
                element.clear()
        elif name == "Ntry" and event == "end" and current is not None and above == "Stmt":
            yield current, element
            # The previous entry goes, not this one: the parser still stands on it.
            if done is not None and parent is not None:
                parent.remove(done)
            element.clear()
            done = element
