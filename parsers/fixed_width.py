"""Statements in records of fixed width, read wholly by a profile with ``[fixed]``.

Older host systems send them: a line is a record, its first characters say which, and every field
has its columns. A file is known by its opening record, as the profile's ``match`` describes it.

Keys beside those of `parsers._profiled`: ``width``, ``implied`` (decimals that are not written)
and ``[[fixed.record]]`` with ``role`` (open, entry, more, close, skip), ``match`` (how the record
begins) and ``columns`` (canonical name to first and last column, from 1).

- A record that no ``match`` fits is isolated with its line and raw text; so is an entry whose
  amount or date cannot be read. Their statement is incomplete.
- ``count``, ``debits``, ``credits`` and ``total`` of a header or closing record are checked.
- A file that ends before its closing record is refused whole (``ends = "footer"``); without
  one the balances must tie (``ends = "balances"``).

With the profile ``us-fixed-hdt``, a good one and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statement")
>>> head = "H4400817263      USD20261119000000001000+20261120000000000750+\\n"
>>> fee = "D20261120000000000250D BANK FEE\\n"
>>> end = "T000001000000000250000000000000\\n"
>>> _ = file.write_text(head + fee + end)
>>> batch, = read(file)
>>> [str(e["amount"]) for e in batch.entries.to_pylist()]
['-2.50000']
>>> batch.findings
()
>>> _ = file.write_text(head + fee)
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 2: ... closing record is missing ... [FIXED_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._fixed import Record, records, unreadable
from parsers._fixed_profile import Fixed, matching
from parsers._heads import fits, head_of
from parsers._profiled_statement import Statement
from parsers._rows import Rows
from parsers._text import encoding_of
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["NAME", "identify", "read"]

NAME: Final = "fixed width"


def identify(head: bytes) -> str | None:
    """``fixed width PROFILE`` for a file that begins with a profile's opening record, else None."""
    found = matching(head)
    return f"{NAME} {found[0].name}" if found else None


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids.

    Args:
        path: the file.
        encoding: where the caller knows it; else UTF-8, then the profile's.

    Raises:
        InputError: ``FIXED_TRUNCATED``, ``FIXED_HEADER``, ``PROFILE_AMBIGUOUS``, ``TEXT_*``.
    """
    found = matching(head_of(path))
    if len(found) != 1:
        names = " and ".join(profile.name for profile in found)
        raise InputError(
            "PROFILE_AMBIGUOUS" if found else "FIXED_HEADER",
            f"two profiles fit alike: {names}" if found else "no profile has such a first record",
            where="line 1",
            remedy="make the opening record's match longer" if found
            else "write one: tieout onboard FILE drafts it",
        )  # fmt: skip
    profile, rows = found[0], Rows()
    named = encoding
    if named is None and profile.form.encoding and not fits(path, "utf-8-sig"):
        named = profile.form.encoding
    chosen, finding = encoding_of(path, named)
    if finding is not None:
        rows.findings.append(finding)
    maker = _Reader(profile, rows)
    for record in records(path, chosen, profile.width, profile.starts, rows):
        if rows.full and maker.between_entries(record):
            yield rows.take()
        maker.feed(record)
    maker.end_of_file()
    yield rows.take()


class _Reader:
    """Puts records together to statements."""

    def __init__(self, profile: Fixed, rows: Rows) -> None:
        self.profile, self.rows = profile, rows
        self.number, self.last = 0, 0
        self.now: Statement | None = None

    def between_entries(self, record: Record) -> bool:
        """Whether nothing of the entry before this record can still come."""
        kind = self.profile.kind_of(record.text)
        return kind is None or kind.role != "more"

    def feed(self, record: Record) -> None:
        """Take the next record."""
        kind = self.profile.kind_of(record.text)
        self.last = record.number
        if kind is None or (self.now is None and kind.role not in ("open", "skip")):
            self._stray(record)
            return
        texts = kind.texts(record)
        if kind.role == "open":
            self._end(record.place)
            self.number += 1
            name = f"fixed width {self.profile.name}"
            self.now = Statement(self.number, record.number, name, self.profile.form, self.rows)
            self.now.tell(texts, record.place)
        elif self.now is None or kind.role == "skip":
            return
        elif kind.role == "entry":
            self.now.add(texts, record.number, record.place, record.text.rstrip())
        elif kind.role == "more":
            self.now.more(texts, record.place, record.text.rstrip())
        else:
            needed = max((last for _, last in kind.columns.values()), default=0)
            if record.length < needed:
                raise _truncated(record.place, "the closing record is cut")
            self.now.tell(texts, record.place)
            self.now.ended = True
            self._end(record.place)

    def _stray(self, record: Record) -> None:
        if self.now is not None:
            self.now.unreadable(record.place, "no record of the profile", record.text.rstrip())
        else:
            unreadable(record, "no statement is open", self.rows, "RECORD_ORPHANED")

    def _end(self, place: str) -> None:
        """The statement is over."""
        if self.now is None:
            return
        if self.profile.form.ends == "footer" and not self.now.ended:
            raise _truncated(place, "the closing record is missing")
        self.now.finish()
        self.now = None

    def end_of_file(self) -> None:
        """Close what is open; refuse a file that is cut."""
        if not self.number:
            raise _truncated("line 1", "the opening record is missing")
        self._end(f"line {self.last}")


def _truncated(place: str, what: str) -> InputError:
    return InputError(
        "FIXED_TRUNCATED", what, where=place,
        remedy="the file is cut: fetch it again; nothing of it was read",
    )  # fmt: skip
