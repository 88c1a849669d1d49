"""SAP's asynchronous confirmations (``JournalEntryBulk…Request_Out``) as hints to look sooner."""

from __future__ import annotations

from tieout.connectors.hints import Hint
from tieout.connectors.sap_soap import confirmed
from tieout.connectors.sap_text import OURS
from tieout.errors import ConnectorError

__all__ = ["read_hint"]


def read_hint(body: bytes) -> Hint:
    """Our references in a confirmation, whatever it says of their documents.

    Raises:
        ConnectorError: ``CALLBACK_UNPARSABLE``.
    """
    try:
        parts = confirmed(body)
    except ValueError as error:
        message = f"a message that is {error}"
        raise ConnectorError("CALLBACK_UNPARSABLE", message[:300], where="callback") from error
    named = {part.reference for part in parts if OURS.fullmatch(part.reference)}
    return Hint(tuple(sorted(named)))
