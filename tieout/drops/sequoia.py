"""Messages of RFC 9580 (version 6 keys), which GnuPG does not read: Sequoia as an own process.

The bank's home has a folder ``rfc9580`` with armoured keys (``*.asc``): one private key of ours,
and the bank's certificates. The library only tells which signatures are good, so what the others
are is asked of the certificates. Run as a program it opens one file and prints what it found.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import tieout
from tieout.drops.gpg import Limits, Outcome
from tieout.drops.gpg_status import Signature, State, Verdict

__all__ = ["KEYS", "decrypt"]

#: The folder in a bank's home.
KEYS: Final = "rfc9580"
_NO_SIGNATURE: Final = "no valid signatures found"
_NO_KEY: Final = "No key to decrypt"
_MEMORY_MAX: Final = 4 << 30


def decrypt(
    home: Path, source: Path, target: Path, passphrase: str | None, required: bool, limits: Limits
) -> Outcome:
    """Decrypt and verify a file into another; the caller decides whether to believe it.

    Args:
        home: the bank's, with the folder ``rfc9580``.
        source: the file as received.
        target: made by this, never longer than the limits allow.
        passphrase: of our private key.
        required: whether signatures are looked at; without, any are ignored.
        limits: time and bytes.

    Raises:
        OSError: the program cannot be run.
    """
    # Nothing is decompressed, so that what comes out is never more than what goes in.
    room = min(limits.bytes_max, source.stat().st_size)
    process = subprocess.Popen(  # noqa: S603 - no shell, and no name of the other side
        [sys.executable, "-m", __name__, str(home / KEYS), str(source), str(target),
         str(int(required)), str(room)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(Path(tieout.__file__).parents[1]), "LC_ALL": "C"},
    )  # fmt: skip
    try:
        said, _ = process.communicate((passphrase or "").encode(), timeout=limits.seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Outcome(_verdict({}), process.returncode, "time", "", 0)
    found: dict[str, Any] = json.loads(said) if process.returncode == 0 and said else {}
    return Outcome(_verdict(found), process.returncode, "", str(found.get("error", "")), 0)


def _verdict(found: dict[str, Any]) -> Verdict:
    """What the program printed; nothing where it died."""
    error = str(found.get("error", "nothing was said"))
    signatures = [Signature(signer, "good") for signer in found.get("good", [])]
    signatures += [Signature(signer, state) for signer, state in found.get("others", [])]
    opened = not error or _NO_SIGNATURE in error
    return Verdict(
        encrypted=True,
        decrypted=opened,
        plaintexts=1,
        signatures=tuple(signatures),
        no_secret_key=("of RFC 9580",) if _NO_KEY in error else (),
        passphrase="password" in error.lower(),
        symmetric=False,
        failed=not opened,
    )


def _states(certificates: list[Any], asked: list[str]) -> list[tuple[str, State]]:
    """Of signatures that are not good: whose they claim to be, and what is wrong with the key."""
    found: list[tuple[str, State]] = []
    for key in asked:
        # A key that signs is named in its certificate by its own signature on it.
        named = bytes.fromhex(key) if len(key) % 2 == 0 else b"-"
        owner = next((c for c in certificates if named in bytes(c)), None)
        state: State = "unknown" if owner is None else "bad"
        if owner is not None and owner.is_revoked:
            state = "key revoked"
        elif owner is not None and owner.expiration and owner.expiration < datetime.now(UTC):
            state = "key expired"
        found.append(((owner.fingerprint if owner is not None else key).upper(), state))
    return found


def _run(keys: Path, source: str, target: str, required: bool, password: str) -> dict[str, Any]:
    """Open one file with the library."""
    import pysequoia

    ours, certificates = None, []
    for path in sorted(keys.glob("*.asc")):
        certificate = pysequoia.Cert.from_file(str(path))
        if certificate.has_secret_keys:
            ours = pysequoia.Tsk.from_file(str(path))
        else:
            certificates.append(certificate)
    if ours is None:
        return {"error": _NO_KEY}
    asked: list[str] = []

    def store(ids: list[str]) -> list[Any]:
        asked.extend(ids)
        return certificates

    try:
        done = pysequoia.decrypt_file(
            input=source, output=target,
            decryptor=ours.decryptor(password or None), store=store if required else None,
        )  # fmt: skip
    except RuntimeError as error:
        first = (str(error).splitlines() or ["refused"])[0]
        return {"error": first, "others": _states(certificates, asked)}
    return {"error": "", "good": [s.certificate.upper() for s in done.valid_sigs]}


def main(arguments: list[str]) -> int:
    """The program: keys, source, target, whether a signature is asked for, bytes."""
    keys, source, target, required, room = arguments
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), int(room)))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))
    os.umask(0o077)
    password = sys.stdin.read()
    found = _run(Path(keys), source, target, required == "1", password)
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
