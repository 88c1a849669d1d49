"""Delimited statements (CSV), read wholly by a profile of ``mappings/banks`` with ``[delimited]``.

Banks' portals export them in as many forms as there are banks. A file is known by its header: the
profile all of whose columns stand in one of its first lines, wherever it comes from and whatever
it is called. Lines before the header are the preamble, lines that match ``footer`` the closing.

Keys beside those of `parsers._profiled`: ``delimiter``, ``quote``, ``preamble`` and ``footer``
(expressions with facts as named groups), ``columns`` (canonical column to header, or several),
``leader`` (of a file without header: how a line begins; columns are then numbers from 1).

- A quoted cell may hold line ends; a row with too few or too many cells is isolated with its line
  and raw text, and its statement is incomplete. A row cut at the end of the file refuses the file.
- Amounts are read in the profile's writing only: ``1.234`` is never both.
- Text that looks like a formula is text. ``="0049"`` is what a spreadsheet makes of 0049.
- A statement without a number is known by its account, period and balances. Where only a running
  balance is given, opening and closing are its first and last, and the chain is checked.

With the profile ``us-capital-one``, a good one and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statement")
>>> head = ("Account Number,Transaction Description,Transaction Date,"
...         "Transaction Type,Transaction Amount,Balance\\n")
>>> _ = file.write_text(head + "4417,Fee,11/20/26,Debit,2.50,7.50\\n")
>>> batch, = read(file)
>>> [str(e["amount"]) for e in batch.entries.to_pylist()]
['-2.50000']
>>> [str(b["amount"]) for b in batch.balances.to_pylist()]
['10.00000', '7.50000']
>>> _ = file.write_text(head + "4417,Fee,11/20/26,Deb")
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 2: the last row has 4 cells, the header 6 ... [DELIMITED_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._delimited_profile import matching, named
from parsers._delimited_reader import statements
from parsers._heads import head_of
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["NAME", "identify", "read"]

NAME: Final = "delimited"


def identify(head: bytes) -> str | None:
    """``delimited PROFILE`` for a file that has the header of a profile, else None."""
    found = matching(head)
    return f"{NAME} {found[0].name}" if found else None


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids.

    Args:
        path: the file.
        encoding: where the caller knows it; else UTF-8, UTF-16 with its mark, the profile's.

    Raises:
        InputError: ``DELIMITED_TRUNCATED``, ``DELIMITED_HEADER``, ``PROFILE_AMBIGUOUS``,
            ``TEXT_*``.
    """
    found = matching(head_of(path))
    if not found:
        raise InputError(
            "DELIMITED_HEADER", "no profile's header is in the first lines", where="line 1",
            remedy="write one: tieout onboard FILE drafts it",
        )  # fmt: skip
    if len(found) > 1:
        raise InputError(
            "PROFILE_AMBIGUOUS", f"two profiles fit alike: {named(found)}", where="line 1",
            remedy="name more of the header's columns in one of them",
        )  # fmt: skip
    yield from statements(path, encoding, found[0])
