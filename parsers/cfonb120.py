"""CFONB 120, relevé de compte: the booked entries of a French account, records of 120 columns.

Issued by the CFONB. ``01`` old balance, ``04`` an entry, ``05`` its complements (a qualifier and
70 columns of text), ``07`` new balance; one such group an account, several in one file, with line
ends or without any. Letters with accents are seen although the norm forbids them.

- The last digit of an amount is overpunched with its sign (``{`` to ``I`` is +0 to +9, ``}`` to
  ``R`` is -0 to -9); column 20 says how many decimals it has.
- The account is bank, branch and number as written; the key of the RIB is not in the file.
- Rows such as ``** PAS DE MOUVEMENT **`` are notices, kept as the statement's text.
- A group without ``01`` or ``07`` is a cut file and refused whole. The format has no end mark, so
  a cut between two groups leaves a smaller whole file.
- Another account in ``04`` or ``07``: the balances decide whether it matters.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statement")
>>> def line(code, cib, day, rest): return (
...     f"{code}30066    10947EUR2 00012345678{cib}{day}".ljust(40) + rest).ljust(120) + "\\n"
>>> good = (
...     line("01", "  ", "191126", " " * 50 + "0000000001000{")
...     + line("04", "62", "201126", "  201126" + "FRAIS".ljust(42) + "0000000000025}")
...     + line("07", "  ", "201126", " " * 50 + "0000000000975{")
... )
>>> _ = file.write_text(good)
>>> batch, = read(file)
>>> [(str(e["amount"]), e["narrative"]) for e in batch.entries.to_pylist()], batch.findings
([('-2.50000', 'FRAIS')], ())
>>> _ = file.write_text(good[:-121])
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 1: ... no record 07 ... [CFONB_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._cfonb_entry import Entry, decimals, signed
from parsers._fixed import Record, compact, day_of, head_text, records, unreadable
from parsers._fixed_statement import Statement
from parsers._rows import Rows
from parsers._text import LINE_ENDS, clean, encoding_of, last_byte
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["NAME", "identify", "read"]

NAME: Final = "CFONB 120"

_HEAD = re.compile(r"0[1457][0-9A-Z]{5}.{4}[0-9A-Z]{5}[A-Z]{3}[\d ].[0-9A-Z ]{11}", re.ASCII)
_STARTS = re.compile(r"0[1457][0-9A-Z]{5}.{4}[0-9A-Z]{5}[A-Z]{3}[\d ]", re.ASCII)
_NOTICE = re.compile(r"\*\*|-{5}")
_WIDTH: Final = 120


def identify(head: bytes) -> str | None:
    """``CFONB 120`` for a file that begins with one of its records, else None."""
    return NAME if _HEAD.match(head_text(head)) else None


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, with file-local ids.

    Args:
        path: the file.
        encoding: where the caller knows it; else UTF-8, cp1252, latin-1, the first that fits.

    Raises:
        InputError: ``CFONB_TRUNCATED``, ``TEXT_*``.
    """
    chosen, finding = encoding_of(path, encoding)
    rows = Rows()
    if finding is not None:
        rows.findings.append(finding)
    reader = _Reader(rows)
    for record in records(path, chosen, _WIDTH, _STARTS, rows):
        reader.feed(record)
        if rows.full:
            yield rows.take()
    reader.end_of_file(ended=last_byte(path) in LINE_ENDS)
    yield rows.take()


class _Reader:
    """Puts records together to statements."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.statements = 0
        self.now: Statement | None = None
        self.entry: Entry | None = None
        self.loose: list[str] = []  # notices before a statement
        self.texts: list[str] = []
        self.short: Record | None = None  # a closing record that is not full to the last column
        self.stray: Record | None = None  # the last record, where it is none

    def feed(self, record: Record) -> None:
        """Take the next record."""
        code, self.stray, self.short = record.cut(1, 2), None, None
        if self._notice(record, code):
            return
        if code == "01":
            self._begin(record)
        elif self.now is None and code in ("04", "05", "07"):
            raise _truncated(record, f"record {code} stands before any 01")
        elif code == "07" and self.now is not None:
            self._close(record, self.now)
        elif code == "04":
            self._flush()
            self.entry = Entry(record)
            self._same_account(record)
        elif code == "05" and self.entry is not None:
            self.entry.complement(record, self.rows)
        else:
            self._flush()
            if self.now is not None:
                self.now.incomplete = True
            else:
                self.stray = record
            what = "it completes no entry" if code == "05" else "no record of CFONB 120 begins so"
            unreadable(
                record, what, self.rows, "RECORD_ORPHAN" if code == "05" else "RECORD_UNKNOWN"
            )

    def _notice(self, record: Record, code: str) -> bool:
        """Whether the record only says something, and moves nothing."""
        words = record.cut(3, 120)
        if not _NOTICE.search(words) or code in ("05", "07"):
            return False
        money = record.cut(91, 104)
        if code == "01" and signed(money, 2) is not None:
            return False
        if code == "04" and ("MOUVEMENT" not in words or money.strip(" 0{}")):
            return False
        (self.texts if self.now is not None else self.loose).append(
            compact(record.cut(41, 120) if code in ("01", "04") else record.text) or ""
        )
        return True

    def _begin(self, record: Record) -> None:
        if self.now is not None:
            raise _truncated(record, f"the statement of {self.now.place} has no record 07")
        self.statements += 1
        account = _account(record)
        now = self.now = Statement(self.statements, record, NAME, account)
        now.currency = record.get(17, 19)
        self.texts, self.loose = self.loose, []
        self._balance("OPBD", record, now)

    def _close(self, record: Record, now: Statement) -> None:
        if record.length < 104:
            raise _truncated(record, "record 07 ends inside its amount")
        self._flush()
        self._same_account(record)
        self._balance("CLBD", record, now)
        now.row["narrative"] = clean("\n".join(t for t in self.texts if t.strip("*- ")))
        now.finish(self.rows)
        self.now = None
        self.short = record if record.length < _WIDTH else None

    def _balance(self, code: str, record: Record, now: Statement) -> None:
        value = signed(record.cut(91, 104), decimals(record.cut(20, 20), record.get(17, 19)))
        on = day_of(record.cut(35, 40), "DMY", record, self.rows)
        now.add_balance(code, value, on, record, self.rows)

    def _same_account(self, record: Record) -> None:
        now, found = self.now, _account(record)
        if now is not None and found != now.account and not now.doubts:
            now.doubts.append((
                record.place,
                f"record {record.cut(1, 2)} is of account {found}, the statement of {now.account}",
            ))  # fmt: skip

    def _flush(self) -> None:
        if self.entry is not None and self.now is not None:
            self.entry.emit(self.now, self.rows)
        self.entry = None

    def end_of_file(self, *, ended: bool) -> None:
        """Refuse a file that ends inside a statement or a record (``ended``: by a line end)."""
        if self.stray is not None:
            raise _truncated(self.stray, "the file ends with the beginning of a record")
        if self.now is not None:
            raise InputError(
                "CFONB_TRUNCATED", "the statement that begins here has no record 07",
                where=self.now.place,
                remedy="the file is cut: fetch it again; nothing of it was read",
            )  # fmt: skip
        if not self.statements:
            raise InputError(
                "CFONB_TRUNCATED", "the file has no statement (01 to 07)", where="line 1",
                remedy="ask the bank what it sent; nothing of it was read",
            )  # fmt: skip
        if self.short is not None and not ended:
            self.rows.finding(
                "CFONB_END_UNSURE", "warning", self.short.place,
                f"the file ends inside this record 07, behind its amount ({self.short.length} of "
                f"{_WIDTH} columns), and has no end mark",
                "nothing, if the bank leaves out trailing blanks; else fetch the file again",
            )  # fmt: skip


def _account(record: Record) -> str | None:
    """Bank, branch and account number in one, as the RIB writes them, without its key."""
    return clean("".join((record.cut(3, 7) + record.cut(12, 16) + record.cut(22, 32)).split()))


def _truncated(record: Record, what: str) -> InputError:
    return InputError(
        "CFONB_TRUNCATED", what, where=record.place,
        remedy="a part of the file is missing: fetch it again; nothing of it was read",
    )  # fmt: skip
