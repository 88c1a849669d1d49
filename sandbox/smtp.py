"""The company's mail server: an aiosmtpd sink on loopback that keeps every mail as a file.

Run as ``python -m sandbox.smtp --port P --home DIR``. Mails are written, raw as they came, to
``<home>/sandbox/mail/000001.eml`` and so on; the envelope is added on top as ``X-Mail-From`` and
``X-Rcpt-To`` so that a test sees who really was addressed.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox import processes

__all__ = ["Sink", "SmtpEndpoint", "mails", "serve", "start", "stop"]

_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SmtpEndpoint:
    """Where the sink listens, and the folder its mails are in."""

    host: str
    port: int
    folder: Path


class Sink:
    """aiosmtpd handler: writes each mail to the next number in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep one mail; answers 250 after it is on disk under its final name."""
        head = [f"X-Mail-From: {envelope.mail_from}"]
        head += [f"X-Rcpt-To: {recipient}" for recipient in envelope.rcpt_tos]
        content = "\r\n".join([*head, ""]).encode("utf-8", "replace") + envelope.content
        number = 1 + max((int(path.stem) for path in mails(self.folder)), default=0)
        draft = self.folder / f"{number:06d}.draft"
        with draft.open("xb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(draft.with_suffix(".eml"))
        return "250 kept"


def mails(folder: Path) -> list[Path]:
    """The kept mails, oldest first."""
    return sorted(path for path in folder.glob("*.eml") if path.stem.isdigit())


def serve(folder: Path, port: int) -> Any:
    """Start the sink in a thread (port 0: any free one); returns the running controller."""
    from aiosmtpd.controller import Controller

    class AnyPort(Controller):
        def _trigger_server(self) -> None:
            # Port 0 asks the system for one: learn it before the controller connects to itself.
            self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
            super()._trigger_server()  # type: ignore[no-untyped-call]

    controller = AnyPort(Sink(folder), hostname=_HOST, port=port, decode_data=False)
    controller.start()
    return controller


def start(home: Path, port: int = 0) -> SmtpEndpoint:
    """Start the sink as a process unless it runs.

    Raises:
        RuntimeError: it did not come up.
    """
    home = home.absolute()
    facts = processes.ensure(home, "smtp", ["--port", str(port), "--home", str(home)])
    return SmtpEndpoint(str(facts["host"]), int(facts["port"]), home / "sandbox" / "mail")


def stop(home: Path) -> bool:
    """Stop the sink of this home; True if one was running."""
    return processes.stop(home.absolute(), "smtp")


def main(arguments: list[str] | None = None) -> int:
    """Entry of ``python -m sandbox.smtp``; runs until SIGTERM."""
    parser = argparse.ArgumentParser(prog="sandbox.smtp", description="mail sink of the sandbox")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--home", type=Path, required=True, help="where mails and pid file live")
    given = parser.parse_args(arguments)
    home = given.home.absolute()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    controller = serve(home / "sandbox" / "mail", given.port)
    processes.announce(home, "smtp", {"host": _HOST, "port": controller.port})
    ended.wait()
    controller.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
