"""BAI2 records put together: file, groups, accounts, and their trailers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from parsers._bai_account import Account, Group
from parsers._bai_controls import Tally, mismatches
from parsers._bai_fields import day, instant
from parsers._bai_records import Record, records
from parsers._bai_rows import Batch
from parsers._bai_statements import Pages, Waiting
from parsers._text import clean, encoding_of, lines
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["Reader", "strict"]

_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
_FORMATS: Final = {"2": "BAI2", "3": "BAI3"}
#: What is kept of each, until the trailers of group and file are read, is bounded.
_ACCOUNTS_MAX: Final = 75_000
_REMEDY: Final = "ask the bank for the file again; nothing of it was read"


def strict(path: Path, encoding: str | None) -> Iterator[Tables]:
    """The file in batches of about 5,000 entries, record by record: what the fast reader must give.

    Raises:
        InputError: ``BAI_*`` and ``TEXT_*``.
    """
    chosen, finding = encoding_of(path, encoding)
    rows = Batch()
    if finding is not None:
        rows.findings.append(finding)
    reader = Reader(rows)
    for record in records(lines(path, chosen), path):
        reader.feed(record)
        if rows.full and (reader.account is None or not reader.account.held):
            if reader.account is not None:
                reader.account.release()
            yield rows.take()
    reader.end_of_file()
    yield rows.take()


class Reader:
    """Takes the records in order."""

    def __init__(self, rows: Batch) -> None:
        self.rows = rows
        self.number = 0
        self.file: Tally | None = None
        self.group: Tally | None = None
        self.account: Account | None = None
        self.head: Group | None = None
        self.created_at: datetime | None = None
        self.format = "BAI2"
        self.pages, self.waiting = Pages(), Waiting()

    def feed(self, record: Record) -> None:
        """Take the next record.

        Raises:
            InputError: ``BAI_ENVELOPE``, ``BAI_VERSION``, ``BAI_TRUNCATED``.
        """
        code = record.code
        if code == "16":
            if self.account is None:
                raise _out_of_place(record, "there is no account (03) for the entry")
            self.account.entry(record)
        elif code == "03":
            self._open_account(record)
        elif code == "49":
            self._close_account(record)
        elif code == "02":
            self._open_group(record)
        elif code == "98":
            self._close_group(record)
        elif code == "01":
            self._open_file(record)
        elif code == "99":
            self._close_file(record)
        else:
            self._unknown(record)

    def _unknown(self, record: Record) -> None:
        text = clean(record.first[:80])
        if self.file is None and not self.number:
            self.rows.finding(
                "TEXT_LEADING", "info", f"line {record.line}",
                f"text before the file's header is left out: {text!r}",
                "nothing, if it is the sender's job card",
            )  # fmt: skip
            return
        if self.file is None:
            self.rows.finding(
                "TEXT_TRAILING", "warning", f"line {record.line}",
                f"text behind the file's end: {text!r}",
                "if it begins another file, it is cut: fetch it again",
            )  # fmt: skip
            return
        for count in (self.account, self.group or self.file):
            if count is not None:
                count.records += record.count
                break
        if self.account is not None:
            self.account.incomplete = True
        else:
            (self.group or self.file).damaged = True
        self._error("RECORD_UNKNOWN", record.line, f"no record of the format: {text!r}")

    def _error(self, code: str, line: int, message: str) -> None:
        self.rows.finding(
            code, "error", f"line {line}", message,
            "ask the bank for the file again; what is read is kept, nothing is posted from it",
        )  # fmt: skip

    def _open_file(self, record: Record) -> None:
        if self.file is not None:
            raise _truncated(self.file.line)
        self.file = Tally(record.line)
        self.file.count(record.count - 1)
        fields = [*record.fields(), *[""] * 8][:9] if record.rest or record.first else [""] * 9
        version = fields[7].lstrip("0")
        if version == "1":
            raise InputError(
                "BAI_VERSION",
                "the header says version 1, whose records differ from version 2",
                where=f"line {record.line}",
                remedy="ask the bank for BAI2; nothing of it was read",
            )
        self.format = _FORMATS.get(version, "BAI2")
        if version not in _FORMATS:
            self.rows.finding(
                "BAI_VERSION", "warning", f"line {record.line}",
                f"the header says version {version[:20]!r}; read as version 2",
                "compare the balances, and ask the bank for version 2 or 3",
            )  # fmt: skip
        self.created_at = instant(day(fields[2]), fields[3])

    def _open_group(self, record: Record) -> None:
        if self.file is None or self.group is not None:
            raise _out_of_place(record, "a group begins where none may begin")
        self.group = Tally(record.line, first=len(self.waiting))
        self.group.count(record.count - 1)
        fields = [*record.fields(), *[""] * 7][:7]
        on = day(fields[3])
        if on is None:
            self.group.damaged = True
            self._error("DATE_MALFORMED", record.line, f"as-of date {fields[3][:20]!r} is no day")
        self._check_status(fields[2], record.line)
        bank = fields[1].upper()
        self.head = Group(
            on=on,
            at=instant(on, fields[4]),
            currency=fields[5],
            modifier=fields[6],
            # Sender names such as CITIBANK have the shape of a BIC; a digit makes it one.
            servicer=bank if _BIC.fullmatch(bank) and re.search(r"\d", bank) else None,
            created_at=self.created_at,
            format=self.format,
        )

    def _check_status(self, status: str, line: int) -> None:
        if status in ("2", "4") and self.group is not None:
            self.group.damaged = True
            what = "takes back what was sent before" if status == "2" else "is a test"
            self._error("BAI_STATUS", line, f"group status {status}: the group {what}")
        elif status == "3":
            self.rows.finding(
                "BAI_STATUS", "info", f"line {line}",
                "group status 3: the group corrects one sent before",
                "compare with the statement it corrects",
            )  # fmt: skip

    def _open_account(self, record: Record) -> None:
        if self.group is None or self.head is None:
            raise _out_of_place(record, "there is no group (02) for the account")
        if self.account is not None:
            self._leave_account(self.account)
        self.number += 1
        if self.number > _ACCOUNTS_MAX:
            raise InputError(
                "BAI_TOO_MANY",
                f"more than {_ACCOUNTS_MAX:,} accounts",
                where=f"line {record.line}",
                remedy="ask the bank for several files; nothing of it was read",
            )
        self.account = Account(self.number, record, self.head, self.rows)

    def _leave_account(self, account: Account) -> None:
        account.incomplete = True
        self._error("ACCOUNT_NOT_CLOSED", account.line, "the account has no trailer (49)")
        self._emit(account, account.tally, None, None)

    def _close_account(self, record: Record) -> None:
        account = self.account
        if account is None:
            raise _out_of_place(record, "there is no account (03) to close")
        account.records += record.count
        tally = account.tally
        wrong, total, records = mismatches(tally, record.fields(), "")
        if wrong:
            account.incomplete = True
            self._mismatch("account", record, wrong)
        self._emit(account, tally, total, records)

    def _mismatch(self, what: str, record: Record, wrong: Sequence[str]) -> None:
        self._error("CONTROL_MISMATCH", record.line, f"the {what} trailer: {', '.join(wrong)}")

    def _emit(self, account: Account, tally: Tally, total: Any, records: int | None) -> None:
        self.account = None
        row = account.finish()
        ends = [b["amount"] for b in account.balances if b["code"] in ("OPBD", "CLBD")]
        key = (row["account_id"], row["currency"], row["kind"], row["to_at"], *ends)
        place = self.pages.place(key, account.digest.digest())
        if place > 1:
            row["page"] = place  # other entries of the same account and day, not the same again
        self.waiting.add(row)
        if self.group is not None:
            self.group.close(tally, total, records)

    def _close_group(self, record: Record) -> None:
        group = self.group
        if group is None or self.file is None:
            raise _out_of_place(record, "there is no group (02) to close")
        if self.account is not None:
            self._leave_account(self.account)
        group.count(record.count)
        wrong, total, records = mismatches(group, record.fields(), "accounts")
        if wrong:
            self._mismatch("group", record, wrong)
        if wrong or group.damaged:
            self.waiting.damaged(group.first, len(self.waiting))
        self.file.close(group, total, records)
        self.group = None

    def _close_file(self, record: Record) -> None:
        file = self.file
        if file is None or self.group is not None:
            raise _out_of_place(record, "the file ends inside a group (no 98)")
        file.count(record.count)
        fields = record.fields()
        wrong, _, _ = mismatches(file, fields, "groups")
        if not record.ended and (wrong or len(fields) < 3 or not all(fields[:3])):
            raise _truncated(file.line)
        if wrong:
            self._mismatch("file", record, wrong)
        if wrong or file.damaged:
            self.waiting.damaged(0, len(self.waiting))
        self.rows.closed.append(self.waiting.take())
        self.file = None

    def end_of_file(self) -> None:
        """Refuse a file that ends inside its envelope, or that has no account.

        Raises:
            InputError: ``BAI_TRUNCATED``, ``BAI_NO_STATEMENT``.
        """
        if self.file is not None:
            raise _truncated(self.file.line)
        if not self.number:
            raise InputError(
                "BAI_NO_STATEMENT",
                "the file has no account (03)",
                where="end of file",
                remedy="ask the bank what it sent",
            )


def _truncated(line: int) -> InputError:
    return InputError(
        "BAI_TRUNCATED",
        "the file that begins here has no end (99)",
        where=f"line {line}",
        remedy="the file is cut: fetch it again; nothing of it was read",
    )


def _out_of_place(record: Record, why: str) -> InputError:
    return InputError(
        "BAI_ENVELOPE",
        f"record {record.code} is out of place: {why}",
        where=f"line {record.line}",
        remedy=_REMEDY,
    )
