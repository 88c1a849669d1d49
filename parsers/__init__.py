"""Bank files into canonical tables: one module a format, chosen by content and never by name.

Every format has the same verbs, listed in `FORMATS` in the order they are asked:

- ``NAME``: the family (``camt.053``),
- ``identify(head)``: the exact format (``camt.053.001.08``) of a file that starts so, or None,
- ``read(path, encoding=None)``: batches of tables with file-local ids, in file order.

A gzip, zip or tar is no format: `opened` gives the files it holds, each to be read by itself.

A damaged file raises `tieout.errors.InputError` and nothing of it may be used; one damaged record
is a finding and the rest loads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

from parsers._container import Member, kind_of, opened
from parsers._dialects import adapted, encoding_for, of_file
from parsers._dialects import parse as dialect
from parsers._heads import HEAD_BYTES
from parsers._ids import with_ids
from parsers._late import Late
from parsers._pgp import is_rfc9580, pgp_kind
from tieout.canonical import Tables, concat
from tieout.errors import InputError, TieoutError

__all__ = [
    "FORMATS",
    "HEAD_BYTES",
    "Format",
    "Member",
    "Parsed",
    "Stream",
    "check_profile",
    "identify",
    "is_rfc9580",
    "kind_of",
    "opened",
    "pgp_kind",
    "read_file",
    "stream_file",
]


class Format(Protocol):
    """What every format module offers."""

    NAME: str

    def identify(self, head: bytes) -> str | None:
        """The exact format of a file that starts with these bytes, or None."""
        ...

    def read(self, path: Path, encoding: str | None = None) -> Iterator[Tables]:
        """The file in batches."""
        ...


FORMATS: Final[tuple[Format, ...]] = tuple(
    cast(Format, Late(name))
    for name in (
        "camt052", "camt053", "camt054", "pain001", "pain002", "mt940", "mt942", "bai2", "coda",
        "cfonb120", "v11", "aeb43", "ofx", "fixed_width", "delimited",
    )
)  # fmt: skip
_DELIMITED: Final = Late("_delimited_profile")
_FIXED: Final = Late("_fixed_profile")

#: Told apart from noise, so that the refusal can name what it is.
_OTHERS: Final = ((re.compile(rb"CstmrDrctDbtInitn|pain\.008"), "pain.008"),)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A whole file, read.

    Attributes:
        format: exact format, such as ``camt.053.001.08`` or ``MT940``.
        sha256: of the file's bytes, hex; also ``statements.file_id``.
        size: bytes.
        tables: canonical tables with content ids, and the findings.
    """

    format: str
    sha256: str
    size: int
    tables: Tables


def _find(head: bytes) -> tuple[Format, str] | None:
    if kind_of(head) is not None or pgp_kind(head):
        return None
    for module in FORMATS:
        exact = module.identify(head)
        if exact is not None:
            return module, exact
    return None


def identify(head: bytes) -> str | None:
    """The exact format of a file that starts with these bytes (`HEAD_BYTES`), or None."""
    found = _find(head)
    return found[1] if found else None


def check_profile(name: str, found: Mapping[str, Any]) -> None:
    """Check one profile of ``mappings/banks``.

    Raises:
        ProfileError: names the key and its nearest right one.
    """
    if "delimited" in found:
        _DELIMITED.parse(name, found)
    elif "fixed" in found:
        _FIXED.parse(name, found)
    else:
        dialect(name, found)


@dataclass(frozen=True, slots=True)
class Stream:
    """A file being read.

    Attributes:
        batches: tables with content ids, in bounded memory, to be taken once: all statements, each
            with its balances, then entries with their details, statement by statement. The first
            one, which is empty, raises `InputError` where the file turns out to be damaged.
    """

    format: str
    sha256: str
    size: int
    batches: Iterator[Tables]


def stream_file(path: Path, encoding: str | None = None) -> Stream:
    """Read a bank file of any size in batches; of a container, each file `opened` finds in it.

    Args:
        path: the file; its name and extension say nothing.
        encoding: of text formats, where the caller knows better than the usual order.

    Raises:
        InputError: the file is refused whole; ``where`` and ``remedy`` say more.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
    except OSError as error:
        raise InputError(
            "FILE_UNREADABLE",
            error.strerror or "the file cannot be opened",
            where="file",
            remedy="check that it is a regular file and that you may read it",
        ) from None
    found = _find(head)
    if found is None:
        raise _unknown(head)
    module, exact = found
    batches = with_ids(_batches(module, exact, path, head, encoding), digest)
    return Stream(exact, digest, size, _guarded(module, batches))


def read_file(path: Path, encoding: str | None = None) -> Parsed:
    """Read a whole bank file into memory; `stream_file` is for those of any size.

    Raises:
        InputError: the file is refused whole; ``where`` and ``remedy`` say more.
    """
    stream = stream_file(path, encoding)
    return Parsed(stream.format, stream.sha256, stream.size, concat(stream.batches))


def _guarded(module: Format, batches: Iterator[Tables]) -> Iterator[Tables]:
    """The last net: whatever a hostile file provokes must quarantine it, not stop the others."""
    try:
        yield from batches
    except TieoutError:
        raise
    except Exception as error:
        raise InputError(
            "READER_FAILED",
            f"the {module.NAME} reader failed: {type(error).__name__}: {error}",
            where="file",
            remedy="please report it with the file; nothing of it was read",
        ) from error


def _batches(
    module: Format, exact: str, path: Path, head: bytes, encoding: str | None
) -> Iterator[Tables]:
    """The reader's batches, as the bank's dialect (`parsers._dialects`) reads them."""
    dialects = of_file(exact, head)
    if not dialects:
        return module.read(path, encoding)
    return adapted(module.read(path, encoding or encoding_for(dialects, path)), dialects)


def _unknown(head: bytes) -> InputError:
    if not head.strip():
        return InputError(
            "FILE_EMPTY",
            "the file is empty",
            where="byte 0",
            remedy="fetch it again: banks send a file without entries, never one without bytes",
        )
    if kind := kind_of(head):
        return InputError(
            "CONTAINER_UNOPENED",
            f"this is a {kind}: the files in it are read, not itself",
            where="byte 0",
            remedy="unpack it first",
        )
    if pgp_kind(head):
        return InputError(
            "FILE_ENCRYPTED",
            "the file is encrypted or signed with PGP, and no keys are configured for it",
            where="byte 0",
            remedy="add mappings/pgp/BANK.toml with paths (of the file on the drop), home (a GnuPG "
            "home of mode 0700 with our private and the bank's public key) and signers "
            "(fingerprints of the bank's keys); of one file: --pgp-home DIR --signer FINGERPRINT",
        )
    for pattern, name in _OTHERS:
        if pattern.search(head):
            return InputError(
                "FORMAT_UNSUPPORTED",
                f"this looks like {name}, which is not read yet",
                where="line 1",
                remedy="ask the sender for a format the README lists, such as camt.053 or MT940",
            )
    return InputError(
        "FORMAT_UNKNOWN",
        f"no known bank format starts with {head[:40]!r}",
        where="line 1",
        remedy="readable are: " + ", ".join(module.NAME for module in FORMATS),
    )
