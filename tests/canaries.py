"""Canaries: secrets that must be seen nowhere, in every form they could be written in."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import text

from tieout.ledger import Ledger

__all__ = ["ANSWERS", "Echo", "Found", "dump", "echoing", "files", "find", "forms"]

Found = tuple[str, str]


def forms(secret: str) -> set[str]:
    """The secret as it is, quoted for an address, a form and JSON, in hex, and in base64.

    Base64 of a longer text holds it at one of three offsets: what does not depend on its
    neighbours is looked for.
    """
    raw = secret.encode()
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    found |= {json.dumps(secret)[1:-1], raw.hex(), repr(secret)[1:-1], repr(raw)[2:-1]}
    for offset in range(3):
        padded = base64.b64encode(b"\0" * offset + raw).decode()
        core = padded[4 if offset else 0 : len(padded) - (8 if padded.endswith("=") else 4)]
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return {form for form in found if len(form) >= 8}


def find(secrets: dict[str, str], texts: dict[str, str]) -> list[Found]:
    """(secret's name, where) for each text that holds a secret in any form."""
    return sorted(
        (name, where)
        for name, secret in secrets.items()
        for where, said in texts.items()
        if any(form in said for form in forms(secret))
    )


def dump(ledger: Ledger) -> dict[str, str]:
    """Every row of every table as text, by table."""
    with ledger.session() as session:
        names = session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        ).all()
        return {
            f"table {name}": "\n".join(
                map(str, session.scalars(text(f'SELECT row_to_json(t)::text FROM "{name}" t')))
            )
            for name in names
        }


def files(folder: Path) -> dict[str, str]:
    """Every file below a folder, as text."""
    return {
        str(path.relative_to(folder)): path.read_bytes().decode("latin-1")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Echo(http.server.ThreadingHTTPServer):
    """The worst of systems: whatever it refuses, it repeats all it was sent, in every field.

    ``answers`` is a status and a shape (``json``, ``page``, ``soap``) used for all requests, or
    ``cut``. What it was sent is kept in ``seen``, to be sure that the secrets did come.
    """

    daemon_threads = True
    answer: tuple[int, str] = (401, "json")

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[str] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Echo

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65_536)
        if not self.raw_requestline or not self.parse_request():
            return
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length).decode("latin-1")
        said = f"{self.requestline} {dict(self.headers)} {content}"
        authorization = self.headers.get("Authorization", "")
        if authorization.startswith("Basic "):
            said += base64.b64decode(authorization[6:]).decode()
        self.server.seen.append(said)
        status, shape = self.server.answer
        self.close_connection = True
        if shape == "cut":
            return
        body, kind = _shaped(shape, said)
        self.send_response(status, "No")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: this is not our log."""


def _shaped(shape: str, said: str) -> tuple[bytes, str]:
    if shape == "page":
        return f"<html><title>{said}</title>{said}</html>".encode(), "text/html"
    if shape == "soap":
        body = f"<Envelope><Body><Fault><faultstring>{said}</faultstring></Fault></Body></Envelope>"
        return body.replace("&", "&amp;").encode(), "text/xml"
    if shape == "tryton":
        return json.dumps({"id": 1, "error": ["UserError", [said, said]]}).encode(), (
            "application/json"
        )
    fields = ("error", "error_description", "message", "title", "detail", "code", "Message")
    whole: dict[str, Any] = dict.fromkeys(fields, said)
    if shape == "odata":
        whole = {"error": {"code": said, "message": {"value": said}, "innererror": {"m": said}}}
    whole["o:errorDetails"] = [{"detail": said, "o:errorCode": said}]
    return json.dumps(whole).encode(), "application/json"


@contextmanager
def echoing() -> Iterator[Echo]:
    """A running echo."""
    server = Echo()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


ANSWERS: Sequence[tuple[int, str]] = (
    (401, "json"),
    (400, "json"),
    (400, "odata"),
    (403, "page"),
    (422, "json"),
    (500, "soap"),
    (500, "json"),
    (503, "page"),
    (200, "page"),
    (200, "tryton"),
    (302, "page"),
    (0, "cut"),
)
