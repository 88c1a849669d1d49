"""BAI2, Cash Management Balance Reporting version 2, and its heir BTRS (version 3, "BAI3").

Issued by the Bank Administration Institute, now ANSI X9.121. A file (01 to 99) has groups (02 to
98) of one bank and day, a group has accounts (03 to 49), an account has balances and entries (16);
88 goes on with any of them.

- Type codes 100-399, 720-759 and 920-959 are money in (+), 400-699, 760-799 and 960-999 money out
  (-). A minus turns that; where the balances prove that it only repeats it, a finding says so.
- Amounts are minor units of the account's currency, else the group's, else USD with a finding.
- 010 015 030 040 045 060 are OPBD CLBD ITBD OPAV CLAV ITAV; other codes stay numbers.
- Entries are booked on the group's as-of date; the value date is the one of funds type V. The
  customer reference is ``entry_ref``. What other funds types say of availability is read over.
- Modifiers 1 and 3 (interim) are intraday, 2 and 4 booked; without one the balances tell.
- Totals and record counts of 49, 98 and 99 are checked: where they do not agree nothing is posted
  from the account, group or file. Tests and deletions (group status 4, 2) are never posted.
- Without its 99 a file is cut and refused whole. An unreadable 16 is a finding; the rest loads.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statement")
>>> _ = file.write_text('''01,HARBOR,NORD,261121,0600,1,,,2/
... 02,NORD,HARBOR,1,261120,2400,USD,2/
... 03,445566,USD,010,1000,,,015,750,,/
... 16,698,250,0,B77,,ACCOUNT FEE
... 88,NOVEMBER/
... 49,2000,4/
... 98,2000,1,6/
... 99,2000,1,8/
... ''')
>>> batch, = read(file)
>>> [(str(e["amount"]), e["bank_ref"], e["narrative"]) for e in batch.entries.to_pylist()]
[('-2.50000', 'B77', 'ACCOUNT FEE\\nNOVEMBER')]
>>> batch.findings
()
>>> _ = file.write_text("01,HARBOR,NORD,261121,0600,1,,,2/\\n02,NORD,HARBOR,1,261120,,USD,2/")
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 1: the file that begins here has no end (99) ... [BAI_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._bai_fast import records_of
from tieout.canonical import Tables

__all__ = ["NAME", "identify", "read"]

NAME: Final = "BAI2"

#: A mainframe's job card may stand before the header.
_HEADER = re.compile(
    r"\ufeff?(?:\s*\$\$[^\r\n]*[\r\n])*\s*01,(?P<fields>[^/\r\n]*(?:/?\s*88[,:][^/\r\n]*)*)/?"
    r"(?P<next>\s*\d\d,)?",
    re.ASCII,
)


def identify(head: bytes) -> str | None:
    """``BAI2``, or ``BAI3`` for version 3; a header of version 1 is named too, and refused."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", "ignore")
    else:
        text = head[:4096].decode("utf-8-sig", "replace")
    found = _HEADER.match(text)
    if found is None:
        return None
    fields = re.sub(r"/?\s*88[,:]", ",", found["fields"]).split(",")
    version = fields[7].strip().lstrip("0") if len(fields) > 7 else ""
    if version not in ("1", "2", "3") and (found["next"] or "").strip() not in ("02,", "99,"):
        return None
    return "BAI" + version if version in ("1", "3") else NAME


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids; statements come last.

    Args:
        path: the file.
        encoding: where the caller knows it; else UTF-8, cp1252, latin-1, the first that fits.

    Raises:
        InputError: ``BAI_TRUNCATED``, ``BAI_ENVELOPE``, ``BAI_VERSION``, ``BAI_NO_STATEMENT``,
            ``BAI_RECORD_TOO_LONG``, ``TEXT_*``.
    """
    yield from records_of(path, encoding)
