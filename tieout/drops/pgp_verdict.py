"""Whether an opened PGP file is believed; each reason not to is a finding with its remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tieout.drops.gpg import Limits, Outcome
from tieout.drops.gpg_status import Signature
from tieout.errors import InputError

__all__ = ["SETUP_CODES", "believed", "refused"]

_AGAIN: Final = "ask the bank to send it again; nothing of it was read"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]+")

#: Code: what is wrong, and what mends it.
_REASONS: Final[dict[str, tuple[str, str]]] = {
    "FILE_PGP_PROGRAM": (
        "the file is a PGP file and GnuPG is not installed",
        "install gnupg (the program gpg) where files are read",
    ),
    "FILE_PGP_HOME": (
        "the GnuPG home cannot be used",
        "make it a folder of this user with mode 0700 and import our private and the bank's "
        "public key into it (gpg --homedir HOME --import)",
    ),
    "FILE_PGP_PASSPHRASE": (
        "the passphrase of our private key is missing or wrong",
        "set TIEOUT_PGP_PASSPHRASE_<NAME>, or keep the key without one in a home of mode 0700",
    ),
    "FILE_PGP_UNOPENED": (
        "the file could not be opened",
        "check the space left in the spool folder and that gpg can be run here",
    ),
    "FILE_PGP_TIME": (
        "opening the file took too long and was stopped",
        "open it by hand; a bank file takes seconds",
    ),
    "FILE_PGP_BOMB": (
        "the file becomes larger than a bank file may",
        "ask the bank what it sent; nothing of it was read",
    ),
    "FILE_PGP_KEY": ("the file is a PGP key, not a message", "nothing: keys are exchanged by hand"),
    "FILE_PGP_DAMAGED": ("its bytes were changed or cut on the way, or it is not whole", _AGAIN),
    "FILE_NOT_FOR_US": (
        "the file is encrypted for other keys than ours",
        "send the bank our public key, or import the private key it used",
    ),
    "FILE_PGP_RFC9580": (
        "the file is a message of RFC 9580 (version 6 keys), and the home has no such keys",
        "put our private key and the bank's certificate as .asc files into the home's folder "
        "rfc9580, or ask the bank to encrypt for GnuPG (RFC 4880)",
    ),
    "FILE_PGP_SYMMETRIC": (
        "the file is encrypted with a passphrase, not with our key",
        "ask the bank to encrypt it with our public key",
    ),
    "FILE_SIGNATURE_ALONE": (
        "the file is a signature apart from what it signs",
        "ask the bank to sign the file itself (gpg --sign --encrypt)",
    ),
    "FILE_UNSIGNED": (
        "the file is not signed",
        "ask the bank to sign it; only if it never signs: signature = \"optional\"",
    ),
    "FILE_SIGNATURE_BAD": ("the signature does not fit the content: it was changed", _AGAIN),
    "FILE_SIGNATURE_WEAK": (
        "the signature is made with a hash that can be forged (MD5, SHA-1)",
        "ask the bank to sign with SHA-256 or better",
    ),
    "FILE_SIGNATURE_EXPIRED": ("the signature has expired", _AGAIN),
    "FILE_SIGNER_EXPIRED": (
        "the key that signed it has expired",
        "ask the bank over another channel for its prolonged key and import it",
    ),
    "FILE_SIGNER_REVOKED": (
        "the key that signed it was revoked",
        "do not use the file; ask the bank over another channel for its new key",
    ),
    "FILE_SIGNER_UNKNOWN": (
        "the key that signed it is not in the home",
        "compare the fingerprint with the bank over another channel, import the key and pin it",
    ),
    "FILE_SIGNER_WRONG": (
        "it is signed by a key that is not pinned for this bank",
        "do not use the file before the bank has said over another channel that the key is its own;"
        " then add the fingerprint to the signers",
    ),
}  # fmt: skip

#: Ours to mend: the file may be as good as any.
SETUP_CODES: Final = (
    "FILE_ENCRYPTED", "FILE_PGP_HOME", "FILE_PGP_PASSPHRASE", "FILE_PGP_PROGRAM",
    "FILE_PGP_RFC9580", "FILE_PGP_UNOPENED",
)  # fmt: skip

#: Of several signatures of the bank none of which is good, the first of these is said.
_STATES: Final[dict[str, str]] = {
    "bad": "FILE_SIGNATURE_BAD",
    "key revoked": "FILE_SIGNER_REVOKED",
    "key expired": "FILE_SIGNER_EXPIRED",
    "signature expired": "FILE_SIGNATURE_EXPIRED",
    "weak": "FILE_SIGNATURE_WEAK",
    "good": "FILE_SIGNER_WRONG",
    "unknown": "FILE_SIGNER_UNKNOWN",
}


def refused(code: str, name: str, more: str = "") -> InputError:
    """The error of a PGP file; nothing of it is used."""
    what, remedy = _REASONS[code]
    told = f": {_CONTROL.sub(' ', more)[:300]}" if more else ""
    return InputError(code, what + told, where=f"file (keys {name})", remedy=remedy)


def believed(
    outcome: Outcome, name: str, signers: Sequence[str], required: bool, limits: Limits
) -> Signature | None:
    """The pinned signature that makes the content the bank's; None where none is asked for.

    Args:
        outcome: of GnuPG, which has ended.
        name: of the keys, for messages.
        signers: pinned fingerprints.
        required: whether one of them must have signed.
        limits: that were set, for messages.

    Raises:
        InputError: the first reason, in this order: stopped, not for us, damaged, signature.
    """
    found = outcome.verdict
    if outcome.stopped:
        bomb = outcome.stopped == "bytes"
        limit = f"more than {outcome.size:,} bytes" if bomb else f"{limits.seconds} seconds"
        raise refused("FILE_PGP_BOMB" if bomb else "FILE_PGP_TIME", name, limit)
    if found.encrypted and not found.decrypted:
        if found.symmetric:
            raise refused("FILE_PGP_SYMMETRIC", name)
        if found.passphrase:
            raise refused("FILE_PGP_PASSPHRASE", name)
        if found.no_secret_key:
            ids = ", ".join(found.no_secret_key[:5])
            raise refused("FILE_NOT_FOR_US", name, f"key {ids}")
        raise refused("FILE_PGP_DAMAGED", name, outcome.said)
    good = [s for s in found.signatures if s.state == "good" and s.signer in signers]
    bad = [s for s in found.signatures if s.state == "bad"]
    if bad or (found.signatures and not good and required):
        raise _unsigned(bad or list(found.signatures), name, signers)
    ignored = any(s.state != "good" for s in found.signatures)
    if found.failed or found.plaintexts != 1 or (outcome.code and not ignored):
        raise refused("FILE_PGP_DAMAGED", name, outcome.said)
    if outcome.code < 0 or outcome.code > 2:
        raise refused("FILE_PGP_DAMAGED", name, outcome.said)
    if not good and (required or not found.encrypted):
        raise refused("FILE_UNSIGNED", name)
    return good[0] if good else None


def _unsigned(found: Sequence[Signature], name: str, signers: Sequence[str]) -> InputError:
    """Why no signature counts; of the pinned keys' own signatures first."""
    own = [s for s in found if s.signer in signers or any(k.endswith(s.signer) for k in signers)]
    order = list(_STATES)
    first = min(own or found, key=lambda s: order.index(s.state))
    return refused(_STATES[first.state], name, f"key {first.signer}")
