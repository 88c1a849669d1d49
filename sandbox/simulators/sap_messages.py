"""SOAP as the SAP simulator speaks it: requests taken apart, confirmations and faults written."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

from lxml import etree

from sandbox.simulators.sap_ledger import Outcome
from sandbox.simulators.sap_shape import MalformedError, Shape, taken
from sandbox.simulators.sap_world import COMPANY

__all__ = ["confirmation", "fault", "request_of"]

_SFIN: Final = "http://sap.com/xi/SAPSCORE/SFIN"
_ENVELOPES: Final = (
    "http://schemas.xmlsoap.org/soap/envelope/",
    "http://www.w3.org/2003/05/soap-envelope",
)


def request_of(body: bytes, shape: Shape) -> dict[str, Any]:
    """The message in an envelope.

    Raises:
        MalformedError: the bytes are no such message.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise MalformedError(f"XML: {error}") from None
    name = etree.QName(root)
    if name.localname != "Envelope" or name.namespace not in _ENVELOPES:
        raise MalformedError("no SOAP envelope")
    found = root.find(f"{{{name.namespace}}}Body/{{{_SFIN}}}{shape.name}")
    if found is None:
        raise MalformedError(f"no {shape.name} in the body")
    message: dict[str, Any] = taken(found, shape)
    return message


def confirmation(
    kind: str,
    message: dict[str, Any],
    outcomes: Sequence[tuple[str, Outcome]],
    now: dt.datetime,
    *,
    severity: str = "",
) -> bytes:
    """A confirmation: one part for each document, named by its message id.

    Args:
        kind: ``Create`` or ``Clearing``.
        severity: told instead of the true one.
    """
    at = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    reference = str(message.get("MessageHeader", {}).get("ID", ""))
    parts = [_part(kind, *outcome, at, severity) for outcome in outcomes]
    body = (
        f'<n0:JournalEntryBulk{kind}Confirmation xmlns:n0="{_SFIN}">'
        f"{_header(reference, at)}{''.join(parts)}<Log/></n0:JournalEntryBulk{kind}Confirmation>"
    )
    return _enveloped(body)


def _part(kind: str, reference: str, outcome: Outcome, at: str, severity: str) -> str:
    document = outcome.document
    number, year = (document.number, document.year) if document else ("0000000000", "0000")
    worst = severity or max((message.severity for message in outcome.messages), default="1")
    items = "".join(
        f"<Item><TypeID>{escape(m.type_id)}</TypeID><SeverityCode>{m.severity}</SeverityCode>"
        f"<Note>{escape(m.words)}</Note></Item>"
        for m in outcome.messages
    )
    return (
        f"<JournalEntry{kind}Confirmation>{_header(reference, at)}"
        f"<JournalEntry{kind}Confirmation><AccountingDocument>{number}</AccountingDocument>"
        f"<CompanyCode>{COMPANY}</CompanyCode><FiscalYear>{year}</FiscalYear>"
        f"</JournalEntry{kind}Confirmation><Log>"
        f"<MaximumLogItemSeverityCode>{worst}</MaximumLogItemSeverityCode>{items}</Log>"
        f"</JournalEntry{kind}Confirmation>"
    )


def _header(reference: str, at: str) -> str:
    named = f"<ReferenceID>{escape(reference)}</ReferenceID>" if reference else ""
    own = uuid.uuid5(uuid.NAMESPACE_URL, reference + at)
    return (
        f"<MessageHeader><UUID>{own}</UUID>{named}<CreationDateTime>{at}</CreationDateTime>"
        "</MessageHeader>"
    )


def fault(words: str) -> bytes:
    """A SOAP fault."""
    return _enveloped(
        "<soap-env:Fault><faultcode>soap-env:Server</faultcode>"
        f'<faultstring xml:lang="en">{escape(words)}</faultstring></soap-env:Fault>'
    )


def _enveloped(body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soap-env:Envelope xmlns:soap-env="{_ENVELOPES[0]}">'
        f"<soap-env:Header/><soap-env:Body>{body}</soap-env:Body></soap-env:Envelope>"
    ).encode()
