"""PGP files: opened with the bank's own keys, believed only under the bank's own signature.

Which keys belong to a file says a text in ``mappings/pgp`` by the file's path on the drop::

    paths = ["hansebank/*"]                # on the drop; * crosses folders
    drop = "banks"                         # only on this drop (default: any)
    home = "hansebank"                     # GnuPG home below TIEOUT_PGP (default: pgp in the data
                                           # folder), or an absolute path; mode 0700
    signers = ["9F3C ... 40 hex digits"]   # fingerprints of the primary keys that may sign
    signature = "required"                 # or "optional": then encryption alone is enough

No secret stands there. The private key has no passphrase in a home nobody else can read, or its
passphrase is in ``TIEOUT_PGP_PASSPHRASE_<NAME OF THE TEXT>``. One home a bank: no other bank's key
is ever at hand, and a key in the home that is not among the signers signs nothing.

What is decrypted goes to a private file that becomes one of the bank's files only after GnuPG has
ended and its verdict is good; until then nobody reads a byte of it. See `tieout.drops.gpg`, and
`tieout.drops.sequoia` for messages of RFC 9580.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from parsers import is_rfc9580, pgp_kind
from tieout.drops import gpg, sequoia
from tieout.drops.gpg_status import Signature
from tieout.drops.pgp_verdict import believed, refused
from tieout.errors import ProfileError
from tieout.home import data_home
from tieout.profiles import allow_keys, load_all, require

__all__ = ["Keys", "Opened", "check_fingerprint", "is_pgp", "keys_for", "load_keys", "opened"]

_HEAD_BYTES: Final = 4_096
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}", re.ASCII)
_NAMES: Final = ("drop", "home", "paths", "signature", "signers")


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the files of one bank.

    Attributes:
        name: of its mapping, or what messages shall call it.
        home: GnuPG home with our private key and the bank's public one.
        signers: fingerprints of primary keys, 40 or 64 hex digits.
        required: whether a good signature of one of them is asked for.
        passphrase: of our private key, or None.
        paths: patterns of paths on the drop; ``drop`` is "" for any.
    """

    name: str
    home: Path
    signers: tuple[str, ...]
    required: bool = True
    passphrase: str | None = field(default=None, repr=False)
    paths: tuple[str, ...] = ()
    drop: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened file: where its content lies while the block lasts, and who signed it."""

    path: Path
    encrypted: bool
    signature: Signature | None


def is_pgp(path: Path) -> bool:
    """Whether a file is one of OpenPGP, by its first bytes."""
    with path.open("rb") as stream:
        return pgp_kind(stream.read(_HEAD_BYTES)) is not None


def check_fingerprint(text: str, where: str) -> str:
    """A fingerprint without blanks, upper case.

    Raises:
        ProfileError: ``PGP_FINGERPRINT``: a key id is too short to name a key.
    """
    bare = "".join(text.split()).upper()
    if not _FINGERPRINT.fullmatch(bare):
        raise ProfileError(
            "PGP_FINGERPRINT",
            f"{text!r} is no fingerprint",
            where=where,
            remedy="give the primary key's 40 (or 64) hex digits: gpg --fingerprint",
        )
    return bare


def load_keys() -> list[Keys]:
    """All texts of ``mappings/pgp``, ordered by name.

    Raises:
        ProfileError: a key is unknown, missing or of the wrong type.
    """
    return [_keys(stem, content) for stem, content in load_all("pgp")]


def _keys(stem: str, content: dict[str, Any]) -> Keys:
    where = f"mappings/pgp/{stem}.toml"
    allow_keys(content, _NAMES, where)
    signature = content.get("signature", "required")
    if signature not in ("required", "optional"):
        raise ProfileError(
            "PROFILE_VALUE", f"signature is {signature!r}", where=where,
            remedy="one of required, optional",
        )  # fmt: skip
    signers = tuple(check_fingerprint(str(s), where) for s in content.get("signers", []))
    if signature == "required" and not signers:
        raise ProfileError(
            "PROFILE_VALUE", "'signers' is missing", where=where,
            remedy="give the fingerprints of the keys the bank signs with",
        )  # fmt: skip
    variable = "TIEOUT_PGP_PASSPHRASE_" + re.sub(r"\W", "_", stem).upper()
    base = Path(os.environ.get("TIEOUT_PGP") or data_home() / "pgp")
    return Keys(
        name=stem,
        home=base / require(content, "home", str, where),
        signers=signers,
        required=signature == "required",
        passphrase=os.environ.get(variable),
        paths=tuple(str(p) for p in require(content, "paths", list, where)),
        drop=str(content.get("drop", "")),
    )


def keys_for(known: Sequence[Keys], drop: str, path: str) -> Keys | None:
    """The first keys whose drop and paths fit a file, or None."""
    fitting = (k for k in known if k.drop in ("", drop))
    return next((k for k in fitting if any(fnmatchcase(path, p) for p in k.paths)), None)


@contextmanager
def opened(
    path: Path, keys: Keys, folder: Path | None = None, limits: gpg.Limits | None = None
) -> Iterator[Opened]:
    """The content of a PGP file, decrypted and proven; gone when the block ends.

    Args:
        path: the file as received.
        keys: of the bank it must come from.
        folder: where the content may be laid; else where the system says.
        limits: time and bytes; the defaults are for bank files.

    Raises:
        InputError: ``FILE_*`` of `tieout.drops.pgp_verdict`; nothing of the file may be used.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    kind = pgp_kind(head)
    if kind in ("signature", "key", None):
        raise refused("FILE_SIGNATURE_ALONE" if kind == "signature" else "FILE_PGP_KEY", keys.name)
    _check_home(keys)
    limits = limits or gpg.Limits()
    engine = _sequoia if is_rfc9580(head) else _gnupg
    with tempfile.TemporaryDirectory(prefix="opened-", dir=folder) as own:
        content = Path(own) / "content"
        try:
            outcome = engine(keys, path, content, limits)
        except OSError as error:
            raise refused("FILE_PGP_UNOPENED", keys.name, error.strerror or str(error)) from None
        signature = believed(outcome, keys.name, keys.signers, keys.required, limits)
        yield Opened(content, outcome.verdict.encrypted, signature)


def _gnupg(keys: Keys, path: Path, content: Path, limits: gpg.Limits) -> gpg.Outcome:
    program = gpg.program()
    if program is None:
        raise refused("FILE_PGP_PROGRAM", keys.name)
    with content.open("xb") as target:
        return gpg.decrypt(program, keys.home, path, target, keys.passphrase, limits)


def _sequoia(keys: Keys, path: Path, content: Path, limits: gpg.Limits) -> gpg.Outcome:
    if not (keys.home / sequoia.KEYS).is_dir():
        raise refused("FILE_PGP_RFC9580", keys.name)
    return sequoia.decrypt(keys.home, path, content, keys.passphrase, keys.required, limits)


def _check_home(keys: Keys) -> None:
    """A home that is not there or that others can write to or read is none."""
    try:
        facts = keys.home.stat()
    except OSError as error:
        raise refused("FILE_PGP_HOME", keys.name, f"{keys.home}: {error.strerror}") from None
    if not stat.S_ISDIR(facts.st_mode):
        raise refused("FILE_PGP_HOME", keys.name, f"{keys.home} is not a folder")
    if facts.st_mode & 0o077 or facts.st_uid not in (os.geteuid(), 0):
        mode = f"{keys.home} has mode {stat.S_IMODE(facts.st_mode):04o} and owner {facts.st_uid}"
        raise refused("FILE_PGP_HOME", keys.name, f"{mode}: others could change or read it")
