"""What a create would send, shown without sending it.

The connector's own `create` runs, with its checks and its reads; its wire keeps back the first
request that would change anything. So what is shown is what would be sent, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable

from tieout.connectors.http_wire import HttpWire
from tieout.connectors.ports import Delivery, Journal
from tieout.errors import ConnectorError

__all__ = ["rehearse"]


def rehearse(wire: HttpWire, create: Callable[[Journal], Delivery], journal: Journal) -> str:
    """Method, address and body of the request, without headers.

    Args:
        wire: the one all requests of the connector pass.
        create: the connector's.
        journal: what would be created.

    Raises:
        ConnectorError: with the code of the refusal where create refuses it before it sends.
    """
    with wire.rehearsed() as kept:
        delivery = create(journal)
    if not kept:
        raise ConnectorError(delivery.code, delivery.message, where=wire.name)
    return kept[0]
