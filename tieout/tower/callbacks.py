"""The receiver of ERPs' callbacks: ``POST /callbacks/ERP`` with the sender's name and password.

==== ==============================================================================================
202  kept, or had before; what it names is looked at with the next drain
400  from a known sender, but not to be read; kept for people
401  not a sender we know, or not its password; nothing is kept, nor told
408  the body did not come in time
413  the body is too large
503  the ledger cannot take it now; the sender should try again
==== ==============================================================================================

Whoever calls is told nothing else, and no header is ever written down.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from tieout.connectors.hints import HintReader
from tieout.errors import LedgerError, ProfileError
from tieout.ledger import Ledger
from tieout.redaction import clean
from tieout.stages.callbacks import Taken, take_callback

__all__ = ["BODY_MAX", "SECONDS", "Sender", "application"]

#: Bytes of a callback: a confirmation of the largest batch is far below.
BODY_MAX: Final = 1024 * 1024
#: Until the whole body must be here.
SECONDS: Final = 30.0
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sender:
    """An ERP that may call us.

    Raises:
        ProfileError: ``CALLBACK_SECRET`` where name or password is missing.
    """

    erp: str
    login: str
    password: str = field(repr=False)
    read: HintReader = field(repr=False)

    def __post_init__(self) -> None:
        if not (self.login and self.password):
            raise ProfileError(
                "CALLBACK_SECRET",
                "a sender of callbacks needs a name and a password",
                where=f"TIEOUT_CALLBACKS_{self.erp.upper()}",
                remedy="set it to basic://NAME:PASSWORD@ and give both to the ERP",
            )


def application(
    ledger: Ledger, senders: Mapping[str, Sender], *, seconds: float = SECONDS
) -> FastAPI:
    """The receiver, for the senders by ERP."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/callbacks/{erp}")
    async def callback(erp: str, request: Request) -> Response:
        sender = senders.get(erp)
        if not _admitted(sender, request.headers.get("authorization", "")) or sender is None:
            return Response(status_code=401, headers={"www-authenticate": "Basic"})
        try:
            async with asyncio.timeout(seconds):
                body = await _body(request)
        except TimeoutError:
            return Response(status_code=408, headers={"connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return Response(status_code=413, headers={"connection": "close"})
        try:
            taken = await run_in_threadpool(take_callback, ledger, erp, body, sender.read)
        except (SQLAlchemyError, LedgerError) as error:
            _LOG.error("a callback of %s was not kept: %s", erp, type(error).__name__)
            return Response(status_code=503, headers={"retry-after": "30"})
        _told(erp, taken)
        return Response(status_code=400 if taken.problem else 202)

    return app


def _admitted(sender: Sender | None, header: str) -> bool:
    """Whether the caller is this sender; takes as long whoever asks."""
    known = "" if sender is None else f"{sender.login}:{sender.password}"
    scheme, _, text = header.partition(" ")
    try:
        given = base64.b64decode(text.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        given = b""
    same = hmac.compare_digest(_digest(given), _digest(known.encode()))
    return same and sender is not None


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


async def _body(request: Request) -> bytes | None:
    """The whole body, None where it is too large; no more than that is ever held."""
    body = b""
    async for chunk in request.stream():
        if len(body) + len(chunk) > BODY_MAX:
            return None
        body += chunk
    return body


def _told(erp: str, taken: Taken) -> None:
    if taken.problem:
        _LOG.warning("a callback of %s cannot be read: %s", erp, clean(taken.problem))
    elif taken.new:
        _LOG.info("a callback of %s made %d postings due", erp, len(taken.woken))
