"""MT942, Interim Transaction Report: what an account did so far today, as SWIFT FIN text.

Issued by SWIFT (Standards MT, category 9). Entries (``:61:`` with ``:86:``) are read as in MT940;
``kind`` is ``intraday``: a report is recorded and never a link of the chain of statements, for the
booked statement brings its entries again.

- It has no balances. ``:34F:`` is the floor limit: one for both sides or one for debits and one for
  credits, with or without the mark (``PLN0``, ``NZDC0,``); above zero, what is smaller is missing
  and a finding says so. Its currency is the report's; else the sums' or the account's.
- ``:13D:`` is the moment the report was made (``:13:`` without an offset is taken as UTC).
- ``:90D:`` and ``:90C:`` are counts and sums; where they do not fit the entries a finding says so.
  Banks differ in whether a reversal or an expected entry counts: each usual way may fit.
- ``EC`` and ``ED`` mark expected entries, of status ``future``.
- ``:86:`` behind the sums is about the report.
- A report at the file's end needs its sums or an end mark (``-``), else the file is cut and refused
  whole. A single field sent as a file is read as an incomplete report.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "report")
>>> _ = file.write_text(''':20:REF
... :25:GB33BUKB20201555555555
... :28C:7/1
... :34F:EUR0,
... :13D:2611201015+0100
... :61:2611201120D2,50NCHGNONREF//B77
... :86:808?00ACCOUNT FEE?20NOVEMBER
... :61:261123EC9,NTRFNONREF
... :90D:1EUR2,50
... :90C:0EUR0,
... -
... ''')
>>> batch, = read(file)
>>> [(str(e["amount"]), e["status"]) for e in batch.entries.to_pylist()]
[('-2.50000', 'booked'), ('9.00000', 'future')]
>>> batch.statements["kind"].to_pylist(), batch.findings
(['intraday'], ())
>>> _ = file.write_text(":20:REF\\n:25:1234\\n:34F:EUR0,\\n:61:261120D2,50NCHG")
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

NAME: Final = "MT942"


def identify(head: bytes) -> str | None:
    """``MT942`` for a file that begins with one, also a bare fragment; None for all else."""
    return NAME if message_type(head) == NAME else None


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids.

    Args:
        path: the file; MT940 messages between its reports are read as what they are.
        encoding: where the caller knows it; else UTF-8, cp1252, latin-1, the first that fits.

    Raises:
        InputError: ``MT_TRUNCATED``, ``MT_NO_STATEMENT``, ``MT_FIELD_TOO_LONG``, ``TEXT_*``.
    """
    yield from messages(path, encoding)
