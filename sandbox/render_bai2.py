"""Writes a statement as BAI2: amounts in minor units, the sign in the type code, text in 88."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.model import BankEntry, Statement

__all__ = ["render_bai2"]

_WIDTH: Final = 60


def render_bai2(statement: Statement) -> bytes:
    """One statement as a file of one group and account, with its totals."""
    account, day = statement.account, statement.on
    balances = (("010", statement.opening_minor), ("015", statement.closing_minor))
    told = ",".join(f"{code},{minor},," for code, minor in balances)
    records = [f"03,{account.iban_or_number},{account.currency},{told}/"]
    for entry in statement.entries:
        records += _entry(entry)
    total = sum(m for _, m in balances) + sum(abs(e.amount_minor) for e in statement.entries)
    inside = len(records) + 1
    lines = [
        f"01,{account.bic[:8]},OWNER,{day:%y%m%d},1905,{statement.sequence_no},,,2/",
        f"02,OWNER,{account.bic[:8]},1,{day:%y%m%d},2359,{account.currency},2/",
        *records,
        f"49,{total},{inside}/",
        f"98,{total},1,{inside + 2}/",
        f"99,{total},1,{inside + 4}/",
    ]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _entry(entry: BankEntry) -> Iterator[str]:
    code = "399" if entry.amount_minor >= 0 else "699"
    funds = f"V,{entry.valued_on:%y%m%d},"
    shown = entry.details[0].end_to_end_id if entry.details_shown else ""
    reference = (entry.batch_id or shown).replace(",", " ")
    text = " ".join(" ".join(d.narrative for d in entry.details).split())
    text = text.encode("ascii", "ignore").decode().replace("/", " ")
    pieces = [text[at : at + _WIDTH].strip() for at in range(0, len(text), _WIDTH)] or [""]
    yield f"16,{code},{abs(entry.amount_minor)},{funds},{entry.bank_ref},{reference},{pieces[0]}"
    for piece in pieces[1:]:
        yield f"88,{piece}"
