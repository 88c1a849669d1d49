"""Groups with their rows, readable: what an engine got wrong, and what it did not find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import duckdb

__all__ = ["missed", "wrong"]

_ENTRY: Final = """
SELECT e.booked_on, e.amount, e.currency, e.account_id, e.entry_ref, e.code_subfamily, e.reversal,
  e.narrative, e.detail_count, x.story, x.why
FROM entries e LEFT JOIN belongs b ON b.member_id = e.entry_id LEFT JOIN truth x USING (t)
WHERE e.entry_id = ?
"""
_DETAILS: Final = """
SELECT amount, end_to_end_id, instruction_id, payment_info_id, message_id, uetr, mandate_id,
  cheque_no, reference, narrative, counterparty_name, counterparty_account, return_reason,
  original_amount, original_currency, charges
FROM details WHERE entry_id = ? ORDER BY ordinal LIMIT 3
"""
_ITEM: Final = """
SELECT i.booked_on, i.due_on, i.amount, i.currency, i.account_id, i.kind, i.document_no,
  i.reference, i.end_to_end_id, i.payment_batch_id, i.counterparty_name, i.counterparty_account,
  i.narrative, x.story
FROM items i LEFT JOIN belongs b ON b.member_id = i.item_id LEFT JOIN truth x USING (t)
WHERE i.item_id = ?
"""
_MOST: Final = 6  # members shown of each side


def wrong(db: duckdb.DuckDBPyConnection, most: int, story: str, rung: str) -> Iterator[str]:
    """Confirmed groups that are wrong or guessed."""
    rows = db.execute(
        """SELECT group_id, rung, verdict, guess FROM judged j WHERE confirmed
           AND (NOT hit OR guess) AND (? = '' OR rung = ?) AND (? = '' OR EXISTS (
             SELECT 1 FROM said s JOIN truth x ON x.t = s.t
             WHERE s.group_id = j.group_id AND x.story = ?))
           ORDER BY rung, group_id LIMIT ?""",
        [rung, rung, story, story, most],
    ).fetchall()
    for group, name, verdict, guess in rows:
        yield f"\n{name} {group}: {verdict}{', a guess' if guess else ''}"
        members = db.execute(
            "SELECT side, member_id FROM said WHERE group_id = ? ORDER BY ALL", [group]
        ).fetchall()
        yield from _members(db, members)


def missed(db: duckdb.DuckDBPyConnection, most: int, story: str) -> Iterator[str]:
    """Decidable truth groups no confirmed group equals; one of each story in turn."""
    rows = db.execute(
        """SELECT t, story, truth_id FROM truth ANTI JOIN found USING (t)
           WHERE decidable AND (? = '' OR story = ?)
           ORDER BY row_number() OVER (PARTITION BY story ORDER BY truth_id), story LIMIT ?""",
        [story, story, most],
    ).fetchall()
    for number, name, truth_id in rows:
        yield f"\nmissed: {name} {truth_id}"
        members = db.execute(
            "SELECT side, member_id FROM belongs WHERE t = ? ORDER BY ALL", [number]
        ).fetchall()
        yield from _members(db, members)


def _members(db: duckdb.DuckDBPyConnection, members: Iterable[tuple[str, str]]) -> Iterator[str]:
    for wanted, query in (("entry", _ENTRY), ("item", _ITEM)):
        ids = [member for side, member in members if side == wanted]
        for member in ids[:_MOST]:
            yield f"  {wanted:6}{_line(db, query, member)[0]}"
            if wanted == "entry":
                yield from (f"    detail  {line}" for line in _line(db, _DETAILS, member))
        if len(ids) > _MOST:
            yield f"  … {len(ids) - _MOST} more of that side"


def _line(db: duckdb.DuckDBPyConnection, query: str, member: str) -> list[str]:
    answer = db.execute(query, [member])
    names = [column[0] for column in answer.description or []]
    return [
        ", ".join(f"{n}={_said(v)}" for n, v in zip(names, row, strict=True) if v not in (None, ""))
        for row in answer.fetchall()
    ]


def _said(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)
