"""A simulator on a free port of this machine, in a thread of this process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

__all__ = ["serving"]


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def serving(application: Any, *, port: int = 0) -> Iterator[str]:
    """Serve for the block; yields ``http://127.0.0.1:port``.

    Raises:
        RuntimeError: it does not listen within 15 seconds.
    """
    # A broken-off answer is this server's business: uvicorn would log each as an error.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        application, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off"
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        if not server.listening.wait(15):
            raise RuntimeError("the simulator does not listen")
        address = server.servers[0].sockets[0].getsockname()
        yield f"http://127.0.0.1:{address[1]}"
    finally:
        server.should_exit = True
        thread.join(15)
