"""AEB43 (Norma 43, N43): the booked entries of a Spanish account, records of 80 columns.

Issued by the AEB (Cuaderno 43). ``11`` account with opening balance, ``22`` an entry, ``23`` its
text (up to five, 2 x 38 columns), ``24`` its original amount, ``33`` totals with closing balance,
``88`` end of file with the number of records. Amounts have two decimals whatever the currency;
1 is debit, 2 credit.

- The currency is a number (978 is EUR); some banks write its letters.
- The account is bank, branch and number as written; the two check digits are not in the file.
- Two equal rows are two entries. Rows of amount zero are entries; record 33 may count them on
  either side.
- Totals, counts and closing balance of 33 are checked, and the number of records of 88, which
  some banks write with 88 itself.
- Without record 88 the file is cut and refused whole. An unreadable ``22`` is a finding.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statement")
>>> account = "999900010123456789"
>>> good = (
...     f"11{account}2611012611302" + "1000".rjust(14, "0") + "9783ACME\\n"
...     + "22    0001261120261120171001" + "250".rjust(14, "0") + "0" * 38 + "\\n"
...     + "2301COMISION DE MANTENIMIENTO\\n"
...     + f"33{account}00001" + "250".rjust(14, "0") + "0" * 19 + "2" + "750".rjust(14, "0")
...     + "978\\n" + "88" + "9" * 18 + "000004\\n"
... )
>>> _ = file.write_text(good)
>>> batch, = read(file)
>>> [(str(e["amount"]), e["currency"], e["narrative"]) for e in batch.entries.to_pylist()]
[('-2.50000', 'EUR', 'COMISION DE MANTENIMIENTO')]
>>> batch.findings
()
>>> _ = file.write_text(good[:-27])
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 4: ... no record 88 ... [AEB43_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._aeb43_reader import Reader
from parsers._fixed import head_text, records
from parsers._rows import Rows
from parsers._text import encoding_of
from tieout.canonical import Tables

__all__ = ["NAME", "identify", "read"]

NAME: Final = "AEB43"

_HEAD = re.compile(r"(?:00[^\r\n]*[\r\n]+)?11[0-9A-Z]{18}\d{12}[0-2 ]\d{14}(?:\d{3}|[A-Z]{3})")
_STARTS = re.compile(r"11[0-9A-Z]{18}\d{12}|22.{4}.{4}\d{12}|2[34]\d\d|33[0-9A-Z]{18}\d{5}|889{9}")


def identify(head: bytes) -> str | None:
    """``AEB43`` for a file that begins with an account record, else None."""
    return NAME if _HEAD.match(head_text(head)) else None


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids.

    Args:
        path: the file.
        encoding: where the caller knows it; else UTF-8, cp1252, latin-1, the first that fits.

    Raises:
        InputError: ``AEB43_TRUNCATED``, ``AEB43_STRUCTURE``, ``TEXT_*``.
    """
    chosen, finding = encoding_of(path, encoding)
    rows = Rows()
    if finding is not None:
        rows.findings.append(finding)
    reader = Reader(rows, NAME)
    for record in records(path, chosen, 80, _STARTS, rows):
        reader.feed(record)
        if rows.full:
            yield rows.take()
    reader.end_of_file()
    yield rows.take()
