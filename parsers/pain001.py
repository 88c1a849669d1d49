"""pain.001, Customer Credit Transfer Initiation: the payments we told our bank to make.

Issued by ISO 20022 (Payments Initiation); every version ``.001.01`` to ``.12`` and the national
subsets (DK ``.002.03`` and ``.003.03``, ``urn:sepade``, ``urn:swift``, SIX). Elements are found by
local name, so a wrong prefix, a missing namespace, a business header around the document or
several documents in one file change nothing.

- One row a payment. What its payment information states for all its payments (debtor, day, charge
  bearer, service level) stands in every row; a payment's own word goes before it.
- Amounts are as instructed and have no sign. ``NOTPROVIDED`` is no end-to-end id.
- ``NbOfTxs`` and ``CtrlSum`` are proven for the message and for each payment information. They are
  what tells a whole file from one that lost payments.
- Schema validity is no gate.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "payments")
>>> _ = file.write_text('''<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">
... <CstmrCdtTrfInitn><GrpHdr><MsgId>M1</MsgId><NbOfTxs>1</NbOfTxs><CtrlSum>2.5</CtrlSum></GrpHdr>
... <PmtInf><PmtInfId>P1</PmtInfId><ReqdExctnDt><Dt>2026-11-20</Dt></ReqdExctnDt>
... <DbtrAcct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></DbtrAcct>
... <CdtTrfTxInf><PmtId><EndToEndId>E1</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">2.50</InstdAmt>
... </Amt><Cdtr><Nm>Sawmill</Nm></Cdtr></CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>''')
>>> batch, = read(file)
>>> [(p["end_to_end_id"], str(p["amount"])) for p in batch.payments.to_pylist()], batch.findings
([('E1', '2.50000')], ())
>>> _ = file.write_text("<Document><CstmrCdtTrfInitn><GrpHdr><MsgId>M1</Ms")
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 1 column 50: ... [XML_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lxml import etree

from parsers._pain import Batch, family_of, forget, owner, roots
from parsers._pain_payment import Group, Message
from parsers._xml import Document, Node, documents, line_of, local_name, stream
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["NAME", "identify", "read"]

NAME: Final = "pain.001"

_ROOTS: Final = roots(NAME, "CstmrCdtTrfInitn")
_TAGS: Final = (*_ROOTS, "GrpHdr", "PmtInf", "CdtTrfTxInf")


def identify(head: bytes) -> str | None:
    """``pain.001.NNN.NN``, or ``pain.001`` where the namespace names no version, or None."""
    return family_of(head, NAME)


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 payments, with file-local ids.

    Args:
        path: the file.
        encoding: ignored; XML declares its own.

    Raises:
        InputError: ``XML_*`` where the file is unsafe, cut or damaged, ``PAIN_NO_PAYMENT``.
    """
    del encoding
    batch, number, payments = Batch("payments"), 0, 0
    for document in documents(path):
        if document.finding is not None:
            batch.findings.append(document.finding)
        before = number
        for message in _steps(path, document, batch, number):
            number = message.number
            if message.ended:
                payments += message.count
            if not message.held:
                yield from message.released()
            if batch.full and message.held:
                message.hold(batch.take())
            elif batch.full:
                yield batch.take()
        if number == before:
            batch.skipped(document, NAME)
    if not payments:
        raise InputError(
            "PAIN_NO_PAYMENT",
            "the file has no CdtTrfTxInf element",
            where="Document/CstmrCdtTrfInitn/PmtInf",
            remedy="write the payment file again: a pain.001 has at least one payment",
        )
    yield batch.take()


def _steps(path: Path, document: Document, batch: Batch, number: int) -> Iterator[Message]:
    """The message being read, after each payment and when it ends."""
    message: Message | None = None
    group: Group | None = None
    root: etree._Element | None = None
    info: etree._Element | None = None
    done: etree._Element | None = None
    closed: etree._Element | None = None
    for event, element in stream(document.source(path), document, _TAGS):
        name, parent = local_name(str(element.tag)), element.getparent()
        if name in _ROOTS:
            if event == "start" and message is None:
                number, root = number + 1, element
                message = Message(number, line_of(element) + document.line, batch)
            elif event == "end" and element is root and message:
                message.finish()
                yield message
                message = None
        elif message is None:
            if event == "end" and name == "CdtTrfTxInf":
                batch.astray(name, line_of(element) + document.line)
        elif name == "GrpHdr" and event == "end" and parent is root:
            message.header(Node(element, document.line))
        elif name == "PmtInf" and parent is root:
            if event == "start":
                info = element
                group = message.group(line_of(element) + document.line)
            elif group is not None:
                group.finish(Node(element, document.line, without="CdtTrfTxInf"))
                yield message
                group, info, done = None, None, None
                closed = forget(element, closed)
        elif name == "CdtTrfTxInf" and event == "end" and parent is info and group:
            if not group.begun:
                group.begin(Node(owner(element), document.line, without="CdtTrfTxInf"))
            group.payment(Node(element, document.line))
            yield message
            done = forget(element, done)
        elif event == "end" and name == "CdtTrfTxInf":
            batch.astray(name, line_of(element) + document.line)
