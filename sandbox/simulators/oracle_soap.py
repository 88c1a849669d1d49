"""The SOAP face of the Oracle simulator: a status by id, and faults that are always HTTP 500."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

if TYPE_CHECKING:
    from sandbox.simulators.oracle import OracleSimulator

__all__ = ["soap_answer"]

_ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_TYPES: Final = "http://xmlns.oracle.com/apps/financials/commonModules/shared/model/erpIntegrationService/types/"


def soap_answer(tenant: OracleSimulator, body: bytes, admitted: bool) -> tuple[str, int]:
    """The answer's text and status."""
    if not admitted:
        return _fault("FailedAuthentication : The security token cannot be authenticated."), 500
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        return _fault(f"JBO-25013: the message is not XML: {error}"), 500
    asked = root.find(f".//{{{_TYPES}}}getESSJobStatus/{{{_TYPES}}}requestID")
    if asked is None or not (asked.text or "").isdecimal():
        return _fault("JBO-27014: Attribute requestID is required"), 500
    job = tenant.scheduler.jobs.get(int(asked.text or "0"))
    if job is None:
        return _fault(f"JBO-26061: request {asked.text} does not exist"), 500
    inner = f'<r:getESSJobStatusResponse xmlns:r="{_TYPES}"><r:result>{job.state}</r:result>'
    return _enveloped(inner + "</r:getESSJobStatusResponse>"), 200


def _fault(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return _enveloped(
        f"<e:Fault><faultcode>e:Server</faultcode><faultstring>{escaped}</faultstring></e:Fault>"
    )


def _enveloped(inner: str) -> str:
    return f'<e:Envelope xmlns:e="{_ENVELOPE}"><e:Body>{inner}</e:Body></e:Envelope>'
