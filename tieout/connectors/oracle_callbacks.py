"""The SOAP message ``onJobCompletion`` with which Oracle tells of the end of an import.

It is a hint to look sooner, and nothing else: it may come twice, late or never, it says nothing of
the rows, and whoever can reach us can send one. Nothing is ever concluded from it; `reference` says
whose document to look for.

    >>> said = read_completion(
    ...     b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    ...     b'<onJobCompletion xmlns="http://xmlns.oracle.com/scheduler"><requestId>7</requestId>'
    ...     b'<state>SUCCEEDED</state><resultMessage>{"JOBS": [{"JOBNAME": "Load", "REQUESTID": '
    ...     b'"8", "STATUS": "SUCCEEDED", "DOCUMENTNAME": "TIEOUT_AB.zip"}], "DOCUMENTID": "9"}'
    ...     b'</resultMessage></onJobCompletion></e:Body></e:Envelope>')
    >>> said.request_id, said.state, said.reference, said.jobs
    ('7', 'SUCCEEDED', 'AB', (CompletedJob(name='Load', request_id='8', state='SUCCEEDED'),))
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from tieout.connectors.hints import Hint
from tieout.connectors.oracle_fbdi import BATCH_GROUP
from tieout.connectors.ports import is_reference
from tieout.errors import ConnectorError, ProfileError

__all__ = ["CompletedJob", "Completion", "callback_address", "read_completion", "read_hint"]

_BYTES_MAX: Final = 1024 * 1024
_DEPTH_MAX: Final = 20
_FILE: Final = re.compile(r"TIEOUT_([A-Z0-9]{1,16})\.zip", re.ASCII)


@dataclass(frozen=True, slots=True)
class CompletedJob:
    """One job of the chain."""

    name: str
    request_id: str
    state: str


@dataclass(frozen=True, slots=True)
class Completion:
    """What a message says.

    Attributes:
        document_id: of the zip with logs and output; empty where it is not told.
        reference: of the document, or group of the batch, whose file it was; empty for a file of
            somebody else.
        jobs: of the chain, in the message's order.
    """

    request_id: str
    state: str
    document_id: str
    reference: str
    jobs: tuple[CompletedJob, ...]


def read_completion(body: bytes) -> Completion:
    """Read a message.

    Raises:
        ConnectorError: ``CALLBACK_MALFORMED``; nothing is lost, for the jobs are asked anyway.
    """
    if len(body) > _BYTES_MAX:
        raise _malformed("larger than 1 MiB")
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root = etree.fromstring(body, parser)
        texts = {
            etree.QName(element).localname: element.text or ""
            for element in root.iter(etree.Element)
        }
        said = json.loads(texts["resultMessage"])
        jobs = list(_jobs(said.get("JOBS") or (), 0))
        names = [str(job.get("DOCUMENTNAME") or "") for job in jobs]
        found = next((match for name in names if (match := _FILE.fullmatch(name))), None)
        return Completion(
            texts["requestId"].strip(),
            texts["state"].strip() or str(said.get("SUMMARYSTATUS") or ""),
            str(said.get("DOCUMENTID") or ""),
            found[1] if found else "",
            tuple(
                CompletedJob(str(j.get("JOBNAME")), str(j.get("REQUESTID")), str(j.get("STATUS")))
                for j in jobs
            ),
        )
    except (etree.XMLSyntaxError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _malformed(f"{type(error).__name__}: {error}") from error
    except RecursionError as error:
        raise _malformed("nested too deep") from error


def read_hint(body: bytes) -> Hint:
    """Whose document a message of a chain's end is about; a batch's file names only its group.

    Raises:
        ConnectorError: ``CALLBACK_MALFORMED``.
    """
    named = read_completion(body).reference
    if is_reference(named):
        return Hint((named,))
    return Hint(batch=BATCH_GROUP.fullmatch(named) is not None)


def callback_address(options: Mapping[str, str]) -> str:
    """Where Oracle is to tell the end of a chain; empty where it is to be asked only.

    Raises:
        ProfileError: ``ENDPOINT_INSECURE``.
    """
    address = options.get("callback_url", "")
    if address and not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", address):
        raise ProfileError(
            "ENDPOINT_INSECURE",
            "Oracle would call us in clear text",
            where="extras of the Oracle connection, callback_url",
            remedy="give an https address of `tieout serve-callbacks`",
        )
    return address


def _jobs(found: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Jobs and the children inside them, in the message's order."""
    if depth > _DEPTH_MAX:
        raise ValueError("nested too deep")
    for job in found:
        yield job
        yield from _jobs(job.get("CHILD") or (), depth + 1)


def _malformed(problem: str) -> ConnectorError:
    message = f"a message that is no onJobCompletion: {problem}"
    return ConnectorError("CALLBACK_MALFORMED", message[:300], where="callback")
