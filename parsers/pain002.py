"""pain.002, Customer Payment Status Report: what the bank says of the payments we sent.

Issued by ISO 20022 (Payments Initiation); every version ``.001.01`` to ``.14`` and the national
subsets (DK ``.002.02`` and ``.003.03``, SIX, SWIFT). It answers pain.001 and pain.008, and the
verification of payees (``RCVC``, ``RVNM``, ``RVMC``, ``RVNA``). Elements are found by local name,
so a wrong prefix, a missing namespace, a business header around the document or several documents
in one file change nothing.

- A row is what the bank says, at the level it says it: group, payment information or transaction.
- A level that is silent inherits from the level above. No row is made for it and no status written
  into it: a finding says what holds, and ``inherits`` names the level for a transaction that is
  listed without a status of its own.
- All reasons are kept in order with all additional text. The texts of the codes are in
  `tieout.reasons`.
- Amounts are those of the original payment and have no sign.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statuses")
>>> _ = file.write_text('''<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">
... <CstmrPmtStsRpt><GrpHdr><MsgId>R1</MsgId></GrpHdr>
... <OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId></OrgnlGrpInfAndSts>
... <OrgnlPmtInfAndSts><OrgnlPmtInfId>P1</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>
... <TxInfAndSts><OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>RJCT</TxSts>
... <StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>
... </OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>''')
>>> batch, = read(file)
>>> [(s["level"], s["status"], s["reason"]) for s in batch.statuses.to_pylist()], batch.findings
([('payment_info', 'RJCT', None), ('transaction', 'RJCT', 'AC04')], ())
>>> _ = file.write_text("<Document><CstmrPmtStsRpt><GrpHdr><MsgId>R1</Ms")
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 1 column 48: ... [XML_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lxml import etree

from parsers._pain import Batch, family_of, forget, owner, roots
from parsers._pain_report import Group, Report
from parsers._xml import Document, Node, documents, line_of, local_name, stream
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["NAME", "identify", "read"]

NAME: Final = "pain.002"

_ROOTS: Final = roots(NAME, "CstmrPmtStsRpt")
_TAGS: Final = (*_ROOTS, "GrpHdr", "OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts")


def identify(head: bytes) -> str | None:
    """``pain.002.NNN.NN``, or ``pain.002`` where the namespace names no version, or None."""
    return family_of(head, NAME)


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 statuses, with file-local ids.

    Args:
        path: the file.
        encoding: ignored; XML declares its own.

    Raises:
        InputError: ``XML_*`` where the file is unsafe, cut or damaged, ``PAIN_NO_STATUS``.
    """
    del encoding
    batch, number, statuses = Batch("statuses"), 0, 0
    for document in documents(path):
        if document.finding is not None:
            batch.findings.append(document.finding)
        before = number
        for report in _steps(path, document, batch, number):
            number = report.number
            if report.ended:
                statuses += report.count
            if not report.held:
                yield from report.released()
            if batch.full and report.held:
                report.hold(batch.take())
            elif batch.full:
                yield batch.take()
        if number == before:
            batch.skipped(document, NAME)
    if not statuses:
        raise InputError(
            "PAIN_NO_STATUS",
            "the file speaks of no message, payment information or transaction",
            where="Document/CstmrPmtStsRpt/OrgnlGrpInfAndSts",
            remedy="ask the bank what it sent: a pain.002 says something of a payment file",
        )
    yield batch.take()


def _steps(path: Path, document: Document, batch: Batch, number: int) -> Iterator[Report]:
    """The report being read, after each transaction and when it ends."""
    report: Report | None = None
    group: Group | None = None
    root: etree._Element | None = None
    info: etree._Element | None = None
    done: etree._Element | None = None
    closed: etree._Element | None = None
    for event, element in stream(document.source(path), document, _TAGS):
        name, parent = local_name(str(element.tag)), element.getparent()
        if name in _ROOTS:
            if event == "start" and report is None:
                number, root = number + 1, element
                report = Report(number, line_of(element) + document.line, batch)
            elif event == "end" and element is root and report:
                report.finish()
                yield report
                report = None
        elif report is None:
            if event == "end" and name == "TxInfAndSts":
                batch.astray(name, line_of(element) + document.line)
        elif name == "OrgnlPmtInfAndSts" and parent is root:
            if event == "start":
                info = element
                group = report.group(line_of(element) + document.line)
            elif group is not None:
                group.finish(Node(element, document.line, without="TxInfAndSts"))
                yield report
                group, info, done = None, None, None
                closed = forget(element, closed)
        elif event == "end" and name == "GrpHdr" and parent is root:
            report.header(Node(element, document.line))
        elif event == "end" and name == "OrgnlGrpInfAndSts" and parent is root:
            report.original(Node(element, document.line))
        elif event == "end" and name == "TxInfAndSts" and parent is info and group:
            if not group.begun:
                group.begin(Node(owner(element), document.line, without="TxInfAndSts"))
            group.transaction(Node(element, document.line))
            yield report
            done = forget(element, done)
        elif event == "end" and name == "TxInfAndSts" and parent is root:
            report.transaction(Node(element, document.line))  # before version .03
            yield report
            done = forget(element, done)
        elif event == "end" and name == "TxInfAndSts":
            batch.astray(name, line_of(element) + document.line)
