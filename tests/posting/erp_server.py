"""`FakeErp` behind HTTP on loopback: what it did survives the death of its client.

Each path is an ERP of its own. The server can kill the client that waits for an answer, before or
after the effect: the client sends its process id with each request.
"""

from __future__ import annotations

import http.client
import os
import pickle
import signal
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tieout.connectors.fake import FakeErp
from tieout.connectors.ports import (
    Capability,
    Delivery,
    ErpDocument,
    Journal,
    JournalWriter,
    Trace,
)
from tieout.errors import ConnectorError


class ErpServer(ThreadingHTTPServer):
    """The server, its ERPs by name, and whom to kill: name → ``phase:moment:nth``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.erps: defaultdict[str, FakeErp] = defaultdict(FakeErp)
        self.kill_within: dict[str, str] = {}
        self.passed: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.busy, self.changed = 0, threading.Condition()

    def settle(self) -> None:
        """Wait until every request has had its effect, also one whose client is dead."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.busy == 0, timeout=10)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """One request is being answered."""
        with self.changed:
            self.busy += 1
        yield
        with self.changed:
            self.busy -= 1
            self.changed.notify_all()

    def hook(self, name: str, pid: int, phase: str, moment: str) -> None:
        """Kill the client at the planned moment of an effect."""
        place = f"{phase}:{moment}"
        self.passed[name][place] += 1
        if self.kill_within.get(name) == f"{place}:{self.passed[name][place]}":
            os.kill(pid, signal.SIGKILL)


class _Handler(BaseHTTPRequestHandler):
    server: ErpServer

    def do_POST(self) -> None:
        name, pid = self.path.strip("/"), int(self.headers["X-Worker"])
        method, argument = pickle.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.at_work():
            self._answer(name, pid, method, argument)

    def _answer(self, name: str, pid: int, method: str, argument: Any) -> None:
        erp = self.server.erps[name]
        erp.hook = lambda phase, moment: self.server.hook(name, pid, phase, moment)
        try:
            body = pickle.dumps(getattr(erp, method)(argument))
            self.send_response(200)
        except ConnectorError as error:
            body = pickle.dumps(str(error))
            self.send_response(503)
        finally:
            erp.hook = lambda phase, moment: None
        try:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client was killed while it waited

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def erp_server() -> Iterator[ErpServer]:
    """A server for the block."""
    server = ErpServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class HttpWriter(JournalWriter):
    """The client: one request a call, no retry; what it cannot know is UNKNOWN."""

    def __init__(self, port: int, name: str) -> None:
        self.port, self.name = port, name

    def capability(self, journal: Journal) -> Capability:
        return Capability("C")

    def _ask(self, method: str, argument: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            body, headers = pickle.dumps((method, argument)), {"X-Worker": str(os.getpid())}
            connection.request("POST", f"/{self.name}", body, headers)
            response = connection.getresponse()
            answer = pickle.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ConnectorError("FAKE_UNREACHABLE", str(answer))
        return answer

    def _effect(self, method: str, argument: Any) -> Delivery:
        try:
            answer: Delivery = self._ask(method, argument)
        except (OSError, http.client.HTTPException) as error:
            return Delivery("UNKNOWN", None, None, "NO_ANSWER", str(error), "")
        return answer

    def create(self, journal: Journal) -> Delivery:
        return self._effect("create", journal)

    def post(self, doc_id: str) -> Delivery:
        return self._effect("post", doc_id)

    def delete_draft(self, doc_id: str) -> Delivery:
        return self._effect("delete_draft", doc_id)

    def find(self, journal: Journal) -> Trace:
        found: Trace = self._ask("find", journal)
        return found

    def read(self, doc_id: str) -> ErpDocument | None:
        document: ErpDocument | None = self._ask("read", doc_id)
        return document
