"""The tables of file and account level that suites judge, as Arrow schemas.

They hold numbers and days, compared with an account's mapping and with what the ledger knew before
the batch (`tieout.stages`). What is too much is said in suites and mappings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from tieout.canonical import AMOUNT

__all__ = ["ACCOUNTS", "AMOUNTS", "ARRIVALS", "FILES"]

_TEXT, _INT, _FLAG, _DAY = pa.string(), pa.int64(), pa.bool_(), pa.date32()


def _schema(columns: Mapping[str, pa.DataType]) -> pa.Schema:
    return pa.schema(list(columns.items()))


FILES: Final = _schema(
    {
        "file_id": _TEXT,
        "file_name": _TEXT,
        "drop": _TEXT,
        "format": _TEXT,
        "size": _INT,
        "records": _INT,  # statements, payments and statuses
        "statements": _INT,
        "entries": _INT,
        "details": _INT,
        "entries_announced": _INT,  # by those statements that announce a number
        "entries_missing": _INT,  # announced and not there
        "numbers_twice": _INT,  # statements of another content under one number and page
        "bytes_per_entry": _INT,
        "days_old": _INT,  # from the newest statement's day to the day the file came
    }
)
ACCOUNTS: Final = _schema(
    {
        "statement_id": _TEXT,
        "line_no": _INT,
        "account_id": _TEXT,
        "account_code": _TEXT,  # null: no mapping names it
        "account_currency": _TEXT,
        "currency": _TEXT,
        "currency_fits": _FLAG,
        "kind": _TEXT,
        "format": _TEXT,
        "format_expected": _FLAG,  # null: the mapping expects nothing
        "closed_on": _DAY,
        "banking_day": _FLAG,
        "days_old": _INT,  # from the statement's day to the day the file came
        "sequence_no": _INT,
        "sequence_before": _INT,
        "sequence_step": _INT,  # null: not numbered, a further page, a new year, or no matter
        "opening": AMOUNT,
        "closing_before": AMOUNT,
        "opening_gap": AMOUNT,
        "entries": _INT,
        "entries_limit_percent": _INT,  # of the mapping's limit
        "entries_seen_percent": _INT,  # of the most the ledger knows in one statement
        "history_statements": _INT,
    }
)
AMOUNTS: Final = _schema(
    {
        "statement_id": _TEXT,
        "entry_id": _TEXT,
        "line_no": _INT,
        "account_code": _TEXT,
        "currency": _TEXT,
        "amount": AMOUNT,
        "limit": AMOUNT,  # the mapping's
        "limit_percent": _INT,
        "seen": AMOUNT,  # the largest the ledger knows
        "seen_percent": _INT,
        "spreads": _INT,  # distance of logarithms from the median, in median distances
        "history_entries": _INT,
    }
)
#: One row a statement that should be there: of an account and one of its banking days.
ARRIVALS: Final = _schema(
    {
        "account_code": _TEXT,
        "expected_on": _DAY,  # the day the statement is of
        "due_at": _TEXT,  # with the account's time zone
        "arrived": _FLAG,
        "banking_days_late": _INT,  # since it was due; null: it is there
    }
)
