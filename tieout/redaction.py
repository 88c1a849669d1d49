"""The secrets of this process, taken out of every sentence that leaves it.

No message of ours is made with a secret. But the other side may repeat what it was sent: an ERP
that quotes a header in its error, a library that shows an address. Whoever takes in a connection
says what is secret in it (`remember`), and errors and answers pass through `clean`.
"""

from __future__ import annotations

import base64
import json
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["MASK", "clean", "forget", "remember"]

MASK: Final = "***"
#: Shorter ones would blank words that mean nothing; a secret so short protects nothing anyway.
_LENGTH_MIN: Final = 6
_FORMS: dict[str, None] = {}


def remember(*secrets: str) -> None:
    """Take these out of sentences from now on, in every form they may be written in."""
    for secret in secrets:
        if len(secret) >= _LENGTH_MIN:
            _FORMS.update(dict.fromkeys(_forms(secret)))


def forget() -> None:
    """Know no secret any more."""
    _FORMS.clear()


def clean(text: str) -> str:
    """The sentence with `MASK` in place of each secret; the longest forms first."""
    if not any(form in text for form in _FORMS):
        return text
    for form in sorted(_FORMS, key=lambda form: (-len(form), form)):
        text = text.replace(form, MASK)
    return text


def _forms(secret: str) -> set[str]:
    """As it is; quoted for addresses, forms, JSON and Python; in base64 and hex."""
    raw = secret.encode()
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    found |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    found |= {repr(secret)[1:-1], repr(raw)[2:-1], raw.hex()}
    found |= {raw.decode("latin-1"), repr(raw.decode("latin-1"))[1:-1]}
    for before in range(3):
        # Inside a longer text, the characters at both ends depend on its neighbours.
        coded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        core = coded[(before * 8 + 5) // 6 :]
        core = core[: len(core) - 1] if (before + len(raw)) % 3 else core
        found |= {core, core.replace("+", "-").replace("/", "_"), quote(core, safe="")}
    return {form for form in found if len(form) >= _LENGTH_MIN}
