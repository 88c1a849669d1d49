"""MT940, Customer Statement Message: the booked entries of an account, as SWIFT FIN text.

Issued by SWIFT (Standards MT, category 9); German banks add annex 3 of the DFÜ agreement, Dutch
banks their own words in ``:86:`` (see ``parsers._field86``). With or without the ``{1:}{2:}{4:``
blocks, with prose before the first tag, several statements and accounts in one file.

- ``:61:`` C and RD are money in (+), D and RC money out (-). The third letter of the currency that
  may follow the mark is no part of it (``DD`` is a debit).
- The entry date has no year: the one nearest to the value date. Left out, it is the value date.
- Pages (``:62M:`` then ``:60M:``) of one statement in one file are one statement.
- ``:86:`` behind the closing balance is about the statement.
- A statement without closing balance is a cut file: it is refused whole. A single field sent as a
  file is read as an incomplete statement. An unreadable ``:61:`` is a finding; the rest loads.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statement")
>>> _ = file.write_text(''':20:REF
... :25:GB33BUKB20201555555555
... :28C:7/1
... :60F:C261119EUR10,
... :61:2611201120DR2,50NCHGNONREF//B77
... :86:808?00ACCOUNT FEE?20NOVEMBER
... :62F:C261120EUR7,50
... -
... ''')
>>> batch, = read(file)
>>> [(str(e["amount"]), e["bank_ref"], e["narrative"]) for e in batch.entries.to_pylist()]
[('-2.50000', 'B77', 'ACCOUNT FEE')]
>>> batch.findings
()
>>> _ = file.write_text(":20:REF\\n:25:1234\\n:60F:C261119EUR10,\\n:61:261120D2,50NCHG")
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 1: ... has no closing balance ... [MT_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._mt_fast import messages
from parsers._mtfields import message_type
from tieout.canonical import Tables

__all__ = ["NAME", "identify", "read"]

NAME: Final = "MT940"


def identify(head: bytes) -> str | None:
    """``MT940`` for a file of its tags, also a bare fragment; None for MT942 and all else."""
    return NAME if message_type(head) == NAME else None


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids.

    Args:
        path: the file; MT942 messages between its statements are read as what they are.
        encoding: where the caller knows it; else UTF-8, cp1252, latin-1, the first that fits.

    Raises:
        InputError: ``MT_TRUNCATED``, ``MT_NO_STATEMENT``, ``MT_FIELD_TOO_LONG``, ``TEXT_*``.
    """
    yield from messages(path, encoding)
