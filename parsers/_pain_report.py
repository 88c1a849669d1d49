"""A status report being read: its levels, what is listed below them, and what they inherit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow.compute

from parsers._held import Held, filled
from parsers._pain import Batch, too_late
from parsers._pain_status import Row, reporter, said, transaction
from parsers._text import clean
from parsers._xml import Node
from tieout.canonical import Tables

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

__all__ = ["Group", "Report"]


class _Level:
    """What is said at one level, and what was listed below it."""

    def __init__(self, row: Row, name: str, where: str) -> None:
        self.row, self.name, self.where = row, name, where
        self.listed: Counter[str | None] = Counter()

    @property
    def speaks(self) -> bool:
        """Whether the level says anything but its id."""
        said = ("status", "reasons", "additional_info", "status_counts")
        return any(self.row.get(column) for column in said)

    def check(self, batch: Batch, below: int = 0) -> None:
        """Findings where the level's own figures contradict each other or what is listed.

        Args:
            batch: takes the findings.
            below: payment informations that speak for their own payments.
        """
        counts, whole = Counter[str | None](), True
        for each in self.row.get("status_counts") or ():
            counts[each["status"]] += each["count"] or 0
            whole = whole and each["count"] is not None
        total, listed = self.row.get("original_count"), sum(self.listed.values())
        wrong = ""
        if total is not None and whole and counts and sum(counts.values()) != total:
            wrong = f"counts by status sum to {sum(counts.values())} of {total} payments"
        elif total is not None and 0 < total < listed:
            wrong = f"{listed} transactions are listed of {total}"
        for code, number in counts.items():
            if whole and self.listed[code] > number:
                wrong = f"{self.listed[code]} transactions are {code}, the count says {number}"
        if wrong:
            batch.finding(
                "STATUS_COUNT_MISMATCH", "warning", self.where, f"{self.name}: {wrong}",
                "ask the bank for the report again before you trust its figures",
            )  # fmt: skip
        if not below:
            self._others(batch, total, listed, any(counts.values()))

    def _others(self, batch: Batch, total: int | None, listed: int, counted: bool) -> None:
        """Say what holds for the payments that the report does not list."""
        status = self.row.get("status")
        if status == "PART" and not listed and not counted:
            batch.finding(
                "STATUS_PART_UNEXPLAINED", "warning", self.where,
                f"{self.name} is accepted in part, and the report does not say which part",
                "ask the bank for the statuses of the transactions",
            )  # fmt: skip
        elif status == "PART" and total != listed:
            of = "" if total is None else f" of {total}"
            batch.finding(
                "STATUS_NOT_LISTED", "info", self.where,
                f"{self.name} is PART and {listed}{of} transactions are listed: the report does "
                "not say what became of the others",
            )  # fmt: skip
        elif status is not None and not listed:
            _inherited(batch, self, "every payment of it; none is listed")
        elif status is not None and total is not None and listed < total:
            _inherited(batch, self, f"the {total - listed} payments of it that are not listed")


class Report:
    """One report (``CstmrPmtStsRpt``)."""

    def __init__(self, number: int, line: int, batch: Batch) -> None:
        self.number, self.line, self.batch = number, line, batch
        self.columns: Row = {}
        self.level = _Level({"level": "group"}, "the message", f"line {line}")
        self.count = self.groups = self.silent = 0
        self.held = self.ended = False
        self.first = 0  # place of the first row that misses the id of its payment information
        self.from_on = 0  # its ordinal
        self.late_id: str | None = None
        self.waiting = Held()

    def header(self, head: Node) -> None:
        """The report's own header."""
        self.columns |= {
            "report_id": clean(head.get("MsgId")),
            "created_at": self.batch.instant(
                head.get("CreDtTm"), f"line {head.line} GrpHdr/CreDtTm"
            ),
            "reporter": reporter(head),
        }

    def original(self, node: Node) -> None:
        """The group level: which message is answered, and perhaps with which status."""
        row = said(node, "Grp", self.batch)
        row |= {"level": "group", "message_id": clean(node.get("OrgnlMsgId"))}
        row["message_name"] = clean(node.get("OrgnlMsgNmId"))
        if row["message_id"] is None:
            row["message_id"] = clean(node.get("NtwkFileNm"))
        self.columns |= {name: row[name] for name in ("message_id", "message_name")}
        name = f"message {row['message_id']}" if row["message_id"] else "the message"
        self.level = _Level(row, name, f"line {node.line} OrgnlGrpInfAndSts")
        if self.level.speaks:
            self.place(row)

    def place(self, row: Row) -> Row:
        """One more row of this report."""
        self.count += 1
        row |= self.columns
        row |= {"status_id": f"{self.number}.{self.count}", "ordinal": self.count}
        self.batch.rows.append(row)
        return row

    def hold(self, batch: Tables) -> None:
        """Put a batch of rows away until their payment information ends."""
        self.waiting.put(batch)
        self.first = 0

    def released(self) -> Iterator[Tables]:
        """The batches put away, with the id that stood behind them."""
        yield from self.waiting.take(self._mended)

    def _mended(self, batch: Tables) -> Tables:
        rows = batch.statuses
        mine = pc.and_(
            pc.starts_with(rows["status_id"], f"{self.number}."),
            pc.greater_equal(rows["ordinal"], self.from_on),
        )
        return replace(batch, statuses=filled(rows, mine, "payment_info_id", self.late_id))

    def group(self, line: int) -> Group:
        """The next payment information."""
        self.groups += 1
        return Group(self, line)

    def transaction(self, node: Node, own: _Level | None = None) -> None:
        """One transaction; ``own`` is the payment information it stands in, if any."""
        row = transaction(node, self.batch, str(self.columns.get("message_name") or ""))
        status = row["status"]
        for level in (self.level, own):
            if level is not None:
                level.listed[status] += 1
        if own is not None:
            row["payment_info_id"] = own.row.get("payment_info_id")
        if status is None:
            above = own if own is not None and own.row.get("status") else self.level
            if above.row.get("status"):
                self.silent += 1
                row["inherits"] = above.row["level"]
            else:
                _missing(self.batch, f"line {node.line} TxInfAndSts", "a listed transaction")
        self.place(row)

    def finish(self) -> None:
        """Say what is inherited and what does not fit, when the whole report is known."""
        self.ended = True
        level = self.level
        listed = sum(level.listed.values())
        if not self.count and (self.columns.get("message_id") or self.columns.get("message_name")):
            self.place(level.row)
        level.check(self.batch, self.groups)
        if self.columns.get("message_id") is None and self.count:
            self.batch.finding(
                "MESSAGE_ID_MISSING", "warning", level.where,
                "the report does not say which message it answers",
                "tie it to the payment file by its other ids, or ask the bank",
            )  # fmt: skip
        if not level.row.get("status") and not listed and not self.groups:
            _missing(self.batch, level.where, level.name)
        if self.silent:
            self.batch.finding(
                "STATUS_INHERITED", "info", level.where,
                f"{self.silent} listed transactions state no status: that of their payment "
                "information or message holds",
            )  # fmt: skip


class Group:
    """One payment information (``OrgnlPmtInfAndSts``)."""

    def __init__(self, report: Report, line: int) -> None:
        self.report, self.batch, self.line = report, report.batch, line
        self.level = _Level({"level": "payment_info"}, "", "")
        self.begun = self.placed = False

    def _level(self, head: Node) -> _Level:
        row = said(head, "PmtInf", self.batch)
        row |= {"level": "payment_info", "payment_info_id": clean(head.get("OrgnlPmtInfId"))}
        name = f"payment information {row['payment_info_id'] or '(no id)'}"
        return _Level(row, name, f"line {self.line} OrgnlPmtInfAndSts")

    def begin(self, head: Node) -> None:
        """Take what stands before the first transaction; hold the rows where the id is not."""
        self.begun = True
        self.level = self._level(head)
        self.report.first, self.report.from_on = len(self.batch.rows), self.report.count + 1
        self.report.held = self.level.row["payment_info_id"] is None
        if self.level.speaks:
            self.placed = True
            self.report.place(self.level.row)

    def transaction(self, node: Node) -> None:
        """One TxInfAndSts."""
        self.report.transaction(node, self.level)

    def finish(self, head: Node) -> None:
        """Say what is inherited, when all its transactions are known."""
        listed = sum(self.level.listed.values())
        if not self.begun:
            self.level = self._level(head)
            self.report.place(self.level.row)
        else:
            self._late(head)
        level, above = self.level, self.report.level
        level.check(self.batch)
        if level.row["status"] or listed:
            return
        if above.row.get("status"):
            level.row["inherits"] = "group"
            _inherited(self.batch, above, f"{level.name}, which states none")
        else:
            _missing(self.batch, level.where, level.name)

    def _late(self, head: Node) -> None:
        """Take what stands behind the transactions, against the schema."""
        said = len(self.batch.findings)
        late = self._level(head)
        del self.batch.findings[said:]  # they were said when the group began
        new = {k: v for k, v in late.row.items() if v is not None and not self.level.row.get(k)}
        if new and self.report.held:
            self.report.late_id = late.row["payment_info_id"]
            for row in self.batch.rows[self.report.first :]:
                row["payment_info_id"] = late.row["payment_info_id"]
        self.report.held = False
        if not new:
            return
        self.level.row |= new
        self.level.name = late.name
        if not self.level.speaks or any(r is self.level.row for r in self.batch.rows):
            return
        if self.placed:
            raise too_late("what the payment information says", self.level.where)
        self.report.place(self.level.row)


def _inherited(batch: Batch, level: _Level, what: str) -> None:
    batch.finding(
        "STATUS_INHERITED", "info", level.where,
        f"{level.name} is {level.row['status']}: that holds for {what}",
    )  # fmt: skip


def _missing(batch: Batch, where: str, name: str) -> None:
    batch.finding(
        "STATUS_MISSING", "warning", where, f"nothing states a status of {name}",
        "ask the bank what became of it",
    )  # fmt: skip
