"""What an OpenPGP file is, told by its first bytes; opening it is the drops' work, with keys.

A bank file never begins so: binary packets begin with a byte of 0x80 and more, armour says itself.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, Literal

__all__ = ["PgpKind", "is_rfc9580", "pgp_kind"]

#: ``message`` may be encrypted, signed or both; ``signature`` is detached from what it signs.
PgpKind = Literal["message", "signed text", "signature", "key"]

_ARMOUR = re.compile(rb"\s*-----BEGIN PGP ([A-Z ]+?)(?:, PART[^-\r\n]*)?-----")
_ARMOURED: Final[dict[bytes, PgpKind]] = {
    b"MESSAGE": "message",
    b"SIGNED MESSAGE": "signed text",
    b"SIGNATURE": "signature",
    b"PUBLIC KEY BLOCK": "key",
    b"PRIVATE KEY BLOCK": "key",
}

#: A packet's length, in the old and the new way of writing it.
_OLD: Final = {0: rb".", 1: rb"..", 2: rb"....", 3: rb""}
_NEW: Final = rb"(?:[\x00-\xbf]|[\xc0-\xdf].|[\xe0-\xfe]|\xff....)"
#: First packets of each kind: tag, and the bytes its body begins with (versions, algorithms).
_PACKETS: Final[tuple[tuple[PgpKind, int, bytes], ...]] = (
    ("message", 1, rb"[\x02\x03\x06]"),  # session key for a public key
    ("message", 3, rb"[\x04\x05\x06]"),  # session key for a passphrase
    ("message", 4, rb"[\x03\x06][\x00\x01]"),  # one-pass signature
    ("message", 8, rb"[\x00-\x03]"),  # compressed
    ("message", 18, rb"[\x01\x02]"),  # encrypted without a session key in front
    ("message", 20, rb"\x01"),
    ("signature", 2, rb"[\x03-\x06][\x00\x01]"),
    ("key", 5, rb"[\x03-\x06]"),
    ("key", 6, rb"[\x03-\x06]"),
)


def _pattern(tag: int, body: bytes) -> bytes:
    ways = [re.escape(bytes([0xC0 | tag])) + _NEW + body]
    if tag < 16:
        for kind, length in _OLD.items():
            ways.append(re.escape(bytes([0x80 | tag << 2 | kind])) + length + body)
    return b"|".join(ways)


_BINARY: Final = [(kind, re.compile(_pattern(tag, body), re.S)) for kind, tag, body in _PACKETS]


def pgp_kind(head: bytes) -> PgpKind | None:
    """What an OpenPGP file that begins so is, or None for any other file.

    >>> pgp_kind(b"\\n-----BEGIN PGP MESSAGE-----\\n"), pgp_kind(b"\\xa3\\x01\\xbb\\xbf")
    ('message', 'message')
    >>> pgp_kind(b":20:STATEMENT") is None
    True
    """
    armoured = _ARMOUR.match(head)
    if armoured is not None:
        return _ARMOURED.get(armoured[1], "message")
    return next((kind for kind, pattern in _BINARY if pattern.match(head)), None)


#: First packets that only RFC 9580 has: session keys and signatures of version 6, version 2 data.
_NEW_PACKETS: Final = re.compile(
    b"|".join(
        _pattern(tag, body)
        for tag, body in (
            (1, rb"\x06"),
            (2, rb"\x06"),
            (3, rb"\x06"),
            (4, rb"\x06"),
            (18, rb"\x02"),
        )
    ),
    re.S,
)


def is_rfc9580(head: bytes) -> bool:
    """Whether a message that begins so can only be read by what knows RFC 9580.

    >>> is_rfc9580(b"\\xc1\\x6d\\x06!"), is_rfc9580(b"\\xc1\\x6d\\x03!")
    (True, False)
    >>> is_rfc9580(b"-----BEGIN PGP MESSAGE-----\\n\\nwW0GIQbB\\n")
    True
    """
    if _ARMOUR.match(head):
        _, _, body = head.replace(b"\r\n", b"\n").lstrip().partition(b"\n\n")
        try:
            head = base64.b64decode(body.partition(b"\n")[0], validate=True)
        except binascii.Error:
            return False
    return _NEW_PACKETS.match(head) is not None
