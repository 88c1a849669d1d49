"""Writes a day's entries as SWIFT MT942: what a bank reports before it books the statement."""

from __future__ import annotations

from sandbox.model import Statement
from sandbox.render_mt940 import entry_lines

__all__ = ["render_mt942"]


def render_mt942(statement: Statement, *, until: int | None = None, time: str = "1700") -> bytes:
    """One report as a file.

    Args:
        statement: the day; its balances are not told.
        until: tell only the first so many entries, as a report in the morning does.
        time: local time of the report, HHMM, an hour ahead of UTC.
    """
    account, entries = statement.account, statement.entries[:until]
    lines = [
        f":20:RPT{statement.on:%y%m%d}{time}",
        f":25:{account.iban_or_number}",
        f":28C:{statement.sequence_no:05d}/001",
        f":34F:{account.currency}0,",
        f":13D:{statement.on:%y%m%d}{time}+0100",
    ]
    for entry in entries:
        lines += entry_lines(entry, account.dialect == "mt940-structured", "ascii")
    for letter, sign in (("D", -1), ("C", 1)):
        own = [e.amount_minor * sign for e in entries if e.amount_minor * sign > 0]
        whole, cents = divmod(sum(own), 100)
        lines.append(f":90{letter}:{len(own)}{account.currency}{whole},{cents:02d}")
    lines.append("-")
    return ("\r\n".join(lines) + "\r\n").encode("ascii")
