"""CODA, Coded Statement of Account: the booked movements of a Belgian account, 128 columns.

Issued by Febelfin (CODA 2.x). One envelope: ``0`` header, then a statement or several (``1`` old
balance, ``2``/``3`` movements and information, ``8`` new balance, ``4`` free text), ``9`` totals.
A file may hold several envelopes. Amounts have three decimals; the sign is a column (1 is debit).

- A movement with detail number 0000 is an entry; the others are its details. So a total (kind 1)
  and its single payments (kind 5) are one entry with details, counted once.
- The communication runs through 2.1, 2.2 and 2.3; all records 3 of a movement belong to it.
- Structured communication 101 and 102 with right check digits is ``reference`` of type ``BBA``,
  100 is ``SCOR``; with wrong ones it stays text and a finding says so.
- The account structure (record 1, column 2) says how the account is written; blank, its look does.
- A gap in the numbers, another account in record 8: the balances decide whether it matters.
- Without record 9 the file is cut and refused whole; its totals are checked.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statement")
>>> def line(text, last): return text.ljust(127) + last + "\\n"
>>> account = "BE68539007547034".ljust(34) + "EUR"
>>> good = (
...     line("0000020112653905".ljust(34) + "ACME".ljust(26) + "KREDBEBB", "2")
...     + "12001" + account + "0000000000010000191126" + "ACME".ljust(61) + "001\\n"
...     + "2100010000" + "BANKREF1".ljust(21) + "0000000000002500201126001500001"
...     + "101112455446803".ljust(53) + "20112600100 0\\n"
...     + line("8001" + account + "0000000000012500201126", "0")
...     + line("9".ljust(16) + "000003" + "0" * 26 + "2500", "2")
... )
>>> _ = file.write_text(good)
>>> batch, = read(file)
>>> [(str(e["amount"]), e["bank_ref"]) for e in batch.entries.to_pylist()]
[('2.50000', 'BANKREF1')]
>>> [(d["reference"], d["reference_type"]) for d in batch.details.to_pylist()], batch.findings
([('112455446803', 'BBA')], ())
>>> _ = file.write_text(good[:-129])
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 1: ... no record 9 ... [CODA_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._coda_reader import Reader
from parsers._fixed import head_text, records
from parsers._rows import Rows
from parsers._text import encoding_of
from tieout.canonical import Tables

__all__ = ["NAME", "identify", "read"]

NAME: Final = "CODA"

_HEAD = re.compile(r"0[0 ]{4}\d{6}[\dA-Z ]{3}05[D ]", re.ASCII)
_STARTS = re.compile(r"0[0 ]{4}\d{6}|1[0-3 ]\d{3}|[23][123]\d{8}|4 \d{8}|8\d{3}|9 {15}", re.ASCII)


def identify(head: bytes) -> str | None:
    """``CODA`` for a file that begins with its header record, else None."""
    return NAME if _HEAD.match(head_text(head)) else None


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids.

    Args:
        path: the file.
        encoding: where the caller knows it; else UTF-8, cp1252, latin-1, the first that fits.

    Raises:
        InputError: ``CODA_TRUNCATED``, ``CODA_STRUCTURE``, ``CODA_VERSION``, ``TEXT_*``.
    """
    chosen, finding = encoding_of(path, encoding)
    rows = Rows()
    if finding is not None:
        rows.findings.append(finding)
    reader = Reader(rows, NAME)
    for record in records(path, chosen, 128, _STARTS, rows):
        reader.feed(record)
        if rows.full:
            yield rows.take()
    reader.end_of_file()
    yield rows.take()
