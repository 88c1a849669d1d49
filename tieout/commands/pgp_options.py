"""Keys for PGP files on the command line: ``--pgp-home DIR --signer FINGERPRINT``.

The passphrase of the private key, where it has one, comes from ``TIEOUT_PGP_PASSPHRASE`` or from
an open file descriptor; never from the command line, which every user of the machine can read.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import parsers
from tieout.drops import pgp
from tieout.drops.pgp import Keys
from tieout.errors import ProfileError

__all__ = ["Keys", "add", "keys_of", "opened"]

_PASSPHRASE_BYTES_MAX: Final = 4_096


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group("PGP files")
    group.add_argument(
        "--pgp-home", type=Path, metavar="DIR", help="GnuPG home (mode 0700) with the keys"
    )
    group.add_argument(
        "--signer", action="append", default=[], metavar="FINGERPRINT",
        help="of a primary key that may have signed; may be given again",
    )  # fmt: skip
    group.add_argument(
        "--unsigned", action="store_true", help="accept files that are encrypted and not signed"
    )
    group.add_argument(
        "--passphrase-fd", type=int, metavar="N",
        help="read the passphrase from this file descriptor (else TIEOUT_PGP_PASSPHRASE)",
    )  # fmt: skip


def keys_of(args: argparse.Namespace) -> Keys | None:
    """The keys the options name, or None.

    Raises:
        ProfileError: ``PGP_FINGERPRINT``, ``PGP_OPTIONS``.
    """
    signers = tuple(pgp.check_fingerprint(text, "--signer") for text in args.signer)
    if args.pgp_home is None:
        if signers or args.unsigned or args.passphrase_fd is not None:
            raise _wrong("the options for PGP files need --pgp-home", "name the GnuPG home")
        return None
    if not signers and not args.unsigned:
        raise _wrong(
            "--pgp-home without --signer would believe any key",
            "give --signer with the bank's fingerprint, or --unsigned",
        )
    return Keys(
        name="--pgp-home",
        home=args.pgp_home.absolute(),
        signers=signers,
        required=not args.unsigned,
        passphrase=_passphrase(args.passphrase_fd),
    )


def _passphrase(number: int | None) -> str | None:
    if number is None:
        return os.environ.get("TIEOUT_PGP_PASSPHRASE")
    try:
        with os.fdopen(number, "rb") as stream:
            raw = stream.read(_PASSPHRASE_BYTES_MAX)
        return raw.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(f"cannot be read: {error}", "open it, such as with 3<FILE") from None


def _wrong(what: str, remedy: str) -> ProfileError:
    return ProfileError("PGP_OPTIONS", what, where="PGP options", remedy=remedy)


@contextmanager
def opened(path: Path, keys: Keys | None) -> Iterator[list[parsers.Member]]:
    """The files that a file holds; what comes out of a PGP file may be a zip, tar or gzip.

    Raises:
        InputError: ``CONTAINER_*``, ``FILE_*``; nothing of the file may be used.
    """
    if keys is None or not path.is_file() or not pgp.is_pgp(path):
        with parsers.opened(path) as members:
            yield members
        return
    with pgp.opened(path, keys) as content, parsers.opened(content.path) as members:
        yield members
