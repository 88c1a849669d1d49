"""What GnuPG says it did, line by line, as one verdict; its words for people are never read.

A key that is expired or revoked is said to have made a "valid" signature too, so a signature is
good only where the same signature is called good *and* valid. Anything not understood is not good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

__all__ = ["Signature", "State", "Verdict", "verdict"]

State = Literal["good", "bad", "unknown", "signature expired", "key expired", "key revoked", "weak"]

_PREFIX: Final = "[GNUPG:] "
_STATES: Final[dict[str, State]] = {
    "GOODSIG": "good",
    "BADSIG": "bad",
    "ERRSIG": "unknown",
    "EXPSIG": "signature expired",
    "EXPKEYSIG": "key expired",
    "REVKEYSIG": "key revoked",
}
#: Of libgpg-error (the low 16 bits): bad or invalid passphrase, no way to ask, bad PIN, cancelled.
_PASSPHRASE: Final = frozenset({11, 31, 85, 87, 99})
#: MD5, SHA-1 and RIPEMD-160: somebody else can make a file with the same signature.
_WEAK_HASHES: Final = frozenset({"1", "2", "3"})


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature: of whom (the primary key's fingerprint, else the key id), and its worth."""

    signer: str
    state: State
    signed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the status lines amount to.

    Attributes:
        encrypted: decryption was begun.
        decrypted: and ended well, with the message's integrity proven.
        plaintexts: literal contents seen; more than one is never right.
        signatures: in order.
        no_secret_key: ids of keys it is encrypted for that are not ours.
        passphrase: our key's passphrase is missing or wrong.
        symmetric: it is encrypted with a passphrase instead of a key.
        failed: GnuPG names an error or finds no data.
    """

    encrypted: bool
    decrypted: bool
    plaintexts: int
    signatures: tuple[Signature, ...]
    no_secret_key: tuple[str, ...]
    passphrase: bool
    symmetric: bool
    failed: bool


def verdict(lines: Iterable[str]) -> Verdict:
    """The status lines of one decryption as a verdict."""
    seen: dict[str, int] = {}
    signatures: list[Signature] = []
    missing: list[str] = []
    for line in lines:
        if not line.startswith(_PREFIX):
            continue
        word, *fields = line.removeprefix(_PREFIX).split() or [""]
        if word == "ERROR" and fields[:1] == ["pkdecrypt_failed"]:
            # One of several keys; that none fitted shows in the end.
            word = "LOCKED" if _is_passphrase(fields) else "TRIED"
        seen[word] = seen.get(word, 0) + 1
        if word == "NO_SECKEY" and fields:
            missing.append(fields[0][-16:])
        elif word in _STATES:
            signatures.append(_signature(word, fields))
        elif word == "VALIDSIG" and signatures:
            signatures[-1] = _valid(signatures[-1], fields)
    # A good signature that was never called valid has no fingerprint to be compared.
    proven = [
        Signature(s.signer, "bad") if s.state == "good" and s.signed_at is None else s
        for s in signatures
    ]
    protected = "GOODMDC" in seen and "BADMDC" not in seen
    return Verdict(
        encrypted="BEGIN_DECRYPTION" in seen or bool(missing) or "ENC_TO" in seen,
        decrypted="DECRYPTION_OKAY" in seen and "DECRYPTION_FAILED" not in seen and protected,
        plaintexts=seen.get("PLAINTEXT", 0),
        signatures=tuple(proven),
        no_secret_key=tuple(missing),
        passphrase="LOCKED" in seen,
        symmetric="NEED_PASSPHRASE_SYM" in seen and "ENC_TO" not in seen,
        failed=any(w in seen for w in ("NODATA", "UNEXPECTED", "FAILURE", "ERROR", "BADARMOR")),
    )


def _is_passphrase(fields: list[str]) -> bool:
    number = fields[1] if len(fields) > 1 else ""
    return number.isascii() and number.isdigit() and int(number[:10]) & 0xFFFF in _PASSPHRASE


def _signature(word: str, fields: list[str]) -> Signature:
    key = fields[-1] if word == "ERRSIG" and len(fields) > 6 else fields[0] if fields else ""
    return Signature(key.upper() if key not in ("", "-") else fields[0].upper(), _STATES[word])


def _valid(found: Signature, fields: list[str]) -> Signature:
    """Complete a signature by its VALIDSIG line, whose last field is the primary key's."""
    if len(fields) < 10 or not fields[2].isdigit():
        return Signature(found.signer, "bad")
    at = datetime.fromtimestamp(int(fields[2]), UTC)
    weak = found.state == "good" and fields[7] in _WEAK_HASHES
    return Signature(fields[9].upper(), "weak" if weak else found.state, at)
