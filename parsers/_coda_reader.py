"""CODA records put together: envelopes, statements, movements, totals."""

from __future__ import annotations

from decimal import Decimal

from parsers._coda_entry import Movement, Part
from parsers._coda_text import account_of, milli, signed_milli
from parsers._fixed import Record, compact, day_of, midnight, number, unreadable
from parsers._fixed_statement import Statement
from parsers._rows import Rows
from parsers._text import clean, reference
from tieout.errors import InputError

__all__ = ["Reader"]


class Reader:
    """Puts records together to statements."""

    def __init__(self, rows: Rows, kind: str) -> None:
        self.rows, self.kind = rows, kind
        self.statements = self.count = self.notes = self.opened = 0
        self.header: Record | None = None  # of the open envelope
        self.now: Statement | None = None
        self.movement: Movement | None = None
        self.part: Part | None = None  # takes the next records 2.2, 2.3 and 3
        self.sequence = 0
        self.promised: tuple[Record, str] | None = None  # what must follow
        self.more: Record | None = None  # a record 9 that announces another envelope
        self.texts: list[str] = []

    def feed(self, record: Record) -> None:
        """Take the next record."""
        code, header = record.text[0], self.header
        if code in "23":
            self._keep_promise(record)
            self._movement(record, record.cut(1, 2))
            return
        if header is None and code != "0":
            raise _broken(record, "stands outside an envelope (0 to 9)")
        if code not in "01489":
            self.part, self.count = None, self.count + 1
            self._incomplete()
            unreadable(record, "no record of CODA begins so", self.rows, "RECORD_UNKNOWN")
            return
        self._keep_promise(record)
        if code == "0" or header is None:
            self._open(record)
        elif code == "1":
            self._begin(record, header)
        elif code == "4":
            self._text(record)
        elif code == "8":
            self._close(record)
        else:
            self._end(record, header)

    def _open(self, record: Record) -> None:
        if self.header is not None:
            raise _truncated(self.header)
        if record.cut(128, 128) == "1":
            raise InputError(
                "CODA_VERSION",
                "the header says version 1 of CODA, whose records are laid out differently",
                where=record.place,
                remedy="ask the bank for version 2 (in force since 2007)",
            )
        self.header, self.more = record, None
        self.count, self.debit, self.credit, self.notes = 0, Decimal(0), Decimal(0), 0
        self.opened = self.statements
        if record.cut(17, 17) == "D":
            self.rows.finding(
                "FILE_DUPLICATE", "info", record.place, "the bank says it sends this file again",
                "nothing: what is known already is recognised",
            )  # fmt: skip

    def _begin(self, record: Record, header: Record) -> None:
        """Record 1: account and old balance."""
        if self.now is not None and not self.now.closed:
            raise _broken(record, f"begins a statement before that of {self.now.place} has ended")
        self._finish()
        self.statements += 1
        self.count += 1
        self.sequence, self.texts = 0, []
        account, scheme, currency = account_of(record)
        now = self.now = Statement(self.statements, record, self.kind, account)
        now.currency = currency
        created = day_of(header.cut(6, 11), "DMY", header, self.rows)
        now.row |= {
            "account_scheme": scheme,
            "servicer_bic": header.get(61, 71),
            "owner_name": record.get(65, 90) or header.get(35, 60),
            "statement_ref": reference(header.cut(25, 34)),
            # The coded statement's own number, else that of the paper.
            "sequence_no": number(record.cut(126, 128)) or number(record.cut(3, 5)),
            "created_at": midnight(created),
        }
        self.paper, self.owner = record.cut(3, 5), record.cut(6, 42)
        if currency is None:
            now.incomplete = True
            unreadable(record, "the account has no currency", self.rows, "CURRENCY_MISSING")
        now.add_balance(
            "OPBD", signed_milli(record, 43), day_of(record.cut(59, 64), "DMY", record, self.rows),
            record, self.rows,
        )  # fmt: skip

    def _movement(self, record: Record, code: str) -> None:
        if self.now is None or self.now.closed:
            raise _broken(record, "is a movement outside a statement (1 to 8)")
        self.count += 1
        if code == "21":
            self._first(record)
            return
        part = self.part
        same = part is not None and part.sequence == record.cut(3, 6)
        if code in ("22", "23"):
            same = same and part is not None and part.detail == record.cut(7, 10)
        if part is None or not same or code not in ("22", "23", "31", "32", "33"):
            self.part = None
            self._incomplete()
            unreadable(record, "it belongs to no movement", self.rows, "RECORD_ORPHAN")
        elif code in ("22", "23"):
            part.complete(record)
        else:
            part.inform(record)
        self._promise(record)

    def _first(self, record: Record) -> None:
        """Record 2.1: a movement, or a detail of the one before."""
        part = Part(record)
        self.part = part
        if self.movement is not None and self.movement.takes(part):
            self.movement.add(part)
            self.sequence = number(part.sequence) or self.sequence
        elif part.detail != "0000":
            self.part = None
            self._incomplete()
            unreadable(record, "it is a detail without its movement", self.rows, "RECORD_ORPHAN")
        else:
            self._flush()
            self.movement, self.part = Movement(part), part
            if part.amount is not None:
                self.debit -= min(part.amount, Decimal(0))
                self.credit += max(part.amount, Decimal(0))
            self._count_on(part)
        self._promise(record)

    def _count_on(self, part: Part) -> None:
        """Movements are numbered from 1 without gaps; a gap counts if the balances do not tie."""
        found, wanted = number(part.sequence), self.sequence + 1
        now = self.now
        # The first gap tells it; a bank that numbers nothing rightly would fill the findings.
        if found is not None and found != wanted and now is not None and not now.doubts:
            now.doubts.append((
                part.record.place, f"movement {found} follows movement {self.sequence}",
            ))  # fmt: skip
        self.sequence = found if found is not None and found < 9999 else 0

    def _promise(self, record: Record) -> None:
        """Remember what the record says must follow (columns 126 and 128)."""
        major = record.text[0]
        if record.cut(126, 126) == "1":
            self.promised = (record, major)
        elif record.cut(128, 128) == "1":
            self.promised = (record, "3")

    def _keep_promise(self, record: Record) -> None:
        promised, self.promised = self.promised, None
        if promised is None:
            return
        before, major = promised
        new = record.cut(1, 2) in ("21", "31") and major == before.text[0]
        if record.text[0] != major or (new and record.cut(1, 2) != "31"):
            self.rows.finding(
                "RECORD_MISSING", "warning", before.place,
                f"the record says that another of kind {major} completes it; none follows",
                "a part of the movement's text is missing: ask the bank for the file again",
            )  # fmt: skip

    def _text(self, record: Record) -> None:
        """Record 4: free text about the statement."""
        self.notes += 1
        self.part = None
        self.texts.append(record.cut(33, 112))

    def _close(self, record: Record) -> None:
        """Record 8: new balance."""
        now = self.now
        if now is None or now.closed:
            raise _broken(record, "closes a statement that was not opened")
        self.count += 1
        self._flush()
        now.closed = True
        if "".join(record.cut(5, 41).split()) != "".join(self.owner.split()):
            now.doubts.append((
                record.place,
                f"the new balance is of account {clean(record.cut(5, 41))}, "
                f"the old of {clean(self.owner)}",
            ))  # fmt: skip
        if record.cut(2, 4) != self.paper:
            now.doubts.append((
                record.place,
                f"the new balance is of statement {record.cut(2, 4)}, the old of {self.paper}",
            ))  # fmt: skip
        on = day_of(record.cut(58, 63), "DMY", record, self.rows)
        now.add_balance("CLBD", signed_milli(record, 42), on, record, self.rows)

    def _end(self, record: Record, header: Record) -> None:
        """Record 9: totals of the envelope."""
        if record.length < 52 or (self.now is not None and not self.now.closed):
            raise _truncated(header)
        if self.statements == self.opened:
            raise _broken(record, "ends an envelope without statement")
        self._finish()
        self.header = None
        self._check("records", number(record.cut(17, 22)) or 0, record, self.count, self.notes)
        self._check("debit", milli(record.cut(23, 37)), record, self.debit)
        self._check("credit", milli(record.cut(38, 52)), record, self.credit)
        # 2 is the last envelope of the file; a cut line no longer says so.
        if record.cut(128, 128) != "2":
            self.more = record

    def _check(
        self, what: str, said: Decimal | int | None, record: Record, found: Decimal | int,
        notes: int = 0,
    ) -> None:  # fmt: skip
        if said not in (found, found + notes):
            self.rows.finding(
                "TOTAL_MISMATCH", "warning", record.place,
                f"the bank says {what} {said}, the file has {found}",
                "records may be missing: compare with the balances",
            )  # fmt: skip

    def end_of_file(self) -> None:
        """Refuse a file that ends inside an envelope; say if another was announced."""
        if self.header is not None:
            raise _truncated(self.header)
        if not self.statements:
            raise InputError(
                "CODA_TRUNCATED", "the file has no statement", where="line 1",
                remedy="the file is cut: fetch it again; nothing of it was read",
            )  # fmt: skip
        if self.more is not None:
            self.rows.finding(
                "FILE_CONTINUES", "warning", self.more.place,
                "the bank does not say that this is the file's last part (2 in column 128)",
                "more comes in another file, or this one is cut here: fetch it again if unsure",
            )  # fmt: skip

    def _flush(self) -> None:
        if self.movement is not None and self.now is not None:
            self.movement.emit(self.now, self.rows)
        self.movement = self.part = None

    def _finish(self) -> None:
        if self.now is not None:
            self.now.row["narrative"] = compact("".join(self.texts))
            self.now.finish(self.rows)
        self.now = None

    def _incomplete(self) -> None:
        if self.now is not None:
            self.now.incomplete = True


def _truncated(header: Record) -> InputError:
    return InputError(
        "CODA_TRUNCATED",
        "the envelope that begins here has no record 9",
        where=header.place,
        remedy="the file is cut: fetch it again; nothing of it was read",
    )


def _broken(record: Record, what: str) -> InputError:
    return InputError(
        "CODA_STRUCTURE",
        f"record {record.cut(1, 2).strip()} {what}",
        where=record.place,
        remedy="records are missing: fetch the file again; nothing of it was read",
    )
