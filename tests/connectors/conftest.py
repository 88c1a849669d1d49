"""Connectors to a real Tryton, straight and by way of a spoiling proxy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.proxy import Proxy
from tests.services import Tryton
from tieout.connectors.http_wire import Timeouts
from tieout.connectors.tryton import TrytonConnector
from tieout.connectors.tryton_wire import Wire


@pytest.fixture(scope="module")
def books(tryton: Tryton) -> Iterator[TrytonConnector]:
    connector = tryton.connector()
    yield connector
    connector.close()


@pytest.fixture(scope="module")
def proxy(tryton: Tryton) -> Iterator[Proxy]:
    with Proxy(tryton.process.port) as running:
        yield running


@pytest.fixture
def spoiled(tryton: Tryton, proxy: Proxy) -> Iterator[TrytonConnector]:
    """A connector by way of the proxy, which is harmless until a fault is set."""
    proxy.match, proxy.seen = b"\0", []
    wire = Wire(f"http://127.0.0.1:{proxy.port}", tryton.process.database, Timeouts(2, 1, 2))
    connector = tryton.connector(wire=wire)
    yield connector
    connector.close()
