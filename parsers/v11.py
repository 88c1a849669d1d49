"""Swiss ISR credits (ESR, BVR; "v11"): what was paid with inpayment slips, by their reference.

Issued by PostFinance and the Swiss banks until the QR-bill took its place. One record a credit and
a total behind them: type 3 (100 columns, 126 at some banks, its total 87) knows one currency by
the participant number (01 is CHF, 03 is EUR), type 4 (200 columns) names it.

- A file is a notification: the account is credited in one sum on the credit date. The account
  number here is the participant number (nine digits) of the slips.
- ``booked_on`` is the processing date, ``valued_on`` the credit date. Not kept: deposit date,
  reject code (a slip that was keyed by hand), origin.
- The third digit is the sign: credit 2, reversal 5 (4 at some banks for ISR+), correction 8; in
  type 4 they are 1, 2 and 3. A reversal is money out and has a total of its own (995, 992, 982)
  or is taken from the total of the credits; either is accepted where count and sum agree.
- The reference is kept as 27 digits. A wrong check digit is a finding, the reference stays.
- Prices are charges of the detail; they are billed apart and not taken from the amount.
- Without a total behind its last record the file is cut and refused whole. A total that does not
  agree leaves the notification incomplete. The format has no end mark, so a cut between two
  notifications leaves a smaller whole file.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "isr.v11")
>>> good = (
...     "002010004710210000000000000000000041792" + "0000012550" + "0007  0007"
...     + "261119261120261121" + "0000000010" + "000000000" + "0090\\n"
...     + "999010004710" + "9" * 27 + "000000012550" + "000000000001" + "261120"
...     + "000000090" + "0" * 9 + "\\n"
... )
>>> _ = file.write_text(good)
>>> batch, = read(file)
>>> [(str(e["amount"]), e["currency"], str(e["valued_on"])) for e in batch.entries.to_pylist()]
[('125.50000', 'CHF', '2026-11-21')]
>>> [(d["reference"], d["reference_type"]) for d in batch.details.to_pylist()], batch.findings
([('210000000000000000000041792', 'ISR')], ())
>>> _ = file.write_text(good[:101])
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 1: ... no total behind them ... [V11_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._fixed import head_text, records
from parsers._rows import Rows
from parsers._text import encoding_of
from parsers._v11_reader import Reader
from tieout.canonical import Tables

__all__ = ["NAME", "identify", "read"]

NAME: Final = "v11"

_DAY3: Final = r"(?:\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|000000)"
_DAY4: Final = r"(?:[12]\d{3}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|0{8})"
_TYPE3 = re.compile(
    rf"[01]\d[2458]\d{{9}}.{{37}}[\d ]{{10}}{_DAY3}{{3}}[\d ]{{10}}|99[59]\d{{36}}.{{24}}{_DAY3}"
)
_TYPE4 = re.compile(
    rf"[0-4]\d[1-3]0\d[1-3]\d{{9}}.{{27}}[A-Z]{{3}}.{{47}}{_DAY4}{{3}}"
    rf"|9[89][12]99[1-3]\d{{36}}[A-Z]{{3}}.{{24}}{_DAY4}"
)
#: How a record begins where nothing but its width parts it from the one before.
_STARTS3 = re.compile(r"(?:[01]\d[2458]|99[59])\d{9}")
_STARTS4 = re.compile(r"(?:[0-4]\d[1-3]0\d|9[89][12]99)[1-3]\d{9}.{27}[A-Z]{3}")
_HEAD_BYTES: Final = 1 << 10


def identify(head: bytes) -> str | None:
    """``v11 type 3`` or ``v11 type 4`` for a file that begins with one of its records, else None.

    Every date of the record must be one, because a Spanish account record is digits as well.
    """
    text = head_text(head[:_HEAD_BYTES])
    if _TYPE3.match(text):
        return f"{NAME} type 3"
    return f"{NAME} type 4" if _TYPE4.match(text) else None


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids.

    Args:
        path: the file.
        encoding: where the caller knows it; else UTF-8, cp1252, latin-1, the first that fits.

    Raises:
        InputError: ``V11_TRUNCATED``, ``TEXT_*``.
    """
    with path.open("rb") as stream:
        exact = identify(stream.read(_HEAD_BYTES)) or f"{NAME} type 3"
    wide = exact.endswith("4")
    chosen, finding = encoding_of(path, encoding)
    rows = Rows()
    if finding is not None:
        rows.findings.append(finding)
    reader = Reader(rows, exact, wide=wide)
    width, starts = (200, _STARTS4) if wide else (100, _STARTS3)
    for record in records(path, chosen, width, starts, rows):
        reader.feed(record)
        if rows.full:
            yield rows.take()
    reader.end_of_file()
    yield rows.take()
