"""The canonical tables every bank format and every ERP extract is read into, as Arrow schemas.

Amounts are ``decimal128(23, 5)`` (ISO 20022 allows 18 digits with up to 5 decimals), signed from
the account holder's view: money in is positive, money out negative. Dates are calendar dates as
the source states them; instants are UTC microseconds. A column is null where the source is silent:
readers never invent, inherit or guess a value.

Ids inside freshly read tables are local to the file (``"1"``, ``"1.4"``, ``"1.4.2"`` for
statement, entry, detail); `tieout.identity.assign_ids` replaces them by content ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from tieout import arrays
from tieout.arrays import blank
from tieout.errors import Finding

__all__ = [
    "AMOUNT",
    "BALANCES",
    "DETAILS",
    "ENTRIES",
    "ITEMS",
    "PAYMENTS",
    "SCHEMAS",
    "SCHEMA_VERSION",
    "STATEMENTS",
    "STATUSES",
    "Tables",
    "concat",
    "empty",
    "table",
]

SCHEMA_VERSION: Final = 1

AMOUNT: Final = pa.decimal128(23, 5)
_TEXT = pa.string()
_DAY = pa.date32()
_INSTANT = pa.timestamp("us", tz="UTC")
_INT = pa.int64()
_COUNTED = pa.struct([("status", _TEXT), ("count", _INT), ("sum", AMOUNT)])


def _schema(*columns: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in columns])


STATEMENTS: Final = _schema(
    ("statement_id", _TEXT),
    ("file_id", _TEXT),
    ("line_no", _INT),
    ("account_id", _TEXT),  # IBAN without blanks, or the bank's own account number
    ("account_scheme", _TEXT),  # IBAN | other
    ("currency", _TEXT),
    ("servicer_bic", _TEXT),
    ("owner_name", _TEXT),
    ("statement_ref", _TEXT),
    ("sequence_no", _INT),
    ("page", _INT),
    ("last_page", pa.bool_()),
    ("kind", _TEXT),  # booked | intraday | notification
    ("format", _TEXT),
    ("from_at", _INSTANT),
    ("to_at", _INSTANT),
    ("created_at", _INSTANT),
    ("narrative", _TEXT),
    ("entry_count", _INT),
    ("incomplete", pa.bool_()),  # a record of it could not be read; nothing is posted from it
)

BALANCES: Final = _schema(
    ("statement_id", _TEXT),
    ("ordinal", _INT),
    ("line_no", _INT),
    ("code", _TEXT),  # OPBD PRCD CLBD ITBD CLAV FWAV OPAV ...
    ("amount", AMOUNT),
    ("currency", _TEXT),
    ("on", _DAY),
)

ENTRIES: Final = _schema(
    ("entry_id", _TEXT),
    ("statement_id", _TEXT),
    ("ordinal", _INT),
    ("line_no", _INT),
    ("account_id", _TEXT),
    ("currency", _TEXT),
    ("amount", AMOUNT),
    ("booked_on", _DAY),
    ("valued_on", _DAY),
    ("status", _TEXT),  # booked | pending | info | future
    ("reversal", pa.bool_()),
    ("bank_ref", _TEXT),
    ("entry_ref", _TEXT),
    ("code_domain", _TEXT),
    ("code_family", _TEXT),
    ("code_subfamily", _TEXT),
    ("code_proprietary", _TEXT),
    ("swift_type", _TEXT),
    ("narrative", _TEXT),
    ("detail_count", _INT),
)

DETAILS: Final = _schema(
    ("detail_id", _TEXT),
    ("entry_id", _TEXT),
    ("ordinal", _INT),
    ("line_no", _INT),
    ("amount", AMOUNT),  # null where the bank gave none: never the entry's, unless it is the only
    ("currency", _TEXT),
    ("end_to_end_id", _TEXT),
    ("instruction_id", _TEXT),
    ("payment_info_id", _TEXT),
    ("message_id", _TEXT),
    ("transaction_id", _TEXT),
    ("uetr", _TEXT),
    ("mandate_id", _TEXT),
    ("cheque_no", _TEXT),
    ("counterparty_name", _TEXT),
    ("counterparty_account", _TEXT),
    ("counterparty_bic", _TEXT),
    ("ultimate_name", _TEXT),
    ("reference", _TEXT),
    ("reference_type", _TEXT),  # SCOR QRR ISR ...
    ("narrative", _TEXT),
    ("purpose", _TEXT),
    ("return_reason", _TEXT),
    ("original_amount", AMOUNT),
    ("original_currency", _TEXT),
    ("fx_rate", pa.decimal128(23, 10)),
    ("charges", AMOUNT),  # signed as money: charges borne are negative
)

ITEMS: Final = _schema(
    ("item_id", _TEXT),
    ("source", _TEXT),
    ("company", _TEXT),
    ("account_id", _TEXT),
    ("kind", _TEXT),  # cash_book | payable | receivable | expense | payment
    ("document_no", _TEXT),
    ("currency", _TEXT),
    ("amount", AMOUNT),
    ("open_amount", AMOUNT),
    ("booked_on", _DAY),
    ("due_on", _DAY),
    ("reference", pa.list_(_TEXT)),
    ("payment_batch_id", _TEXT),
    ("end_to_end_id", _TEXT),
    ("counterparty_id", _TEXT),
    ("counterparty_name", _TEXT),
    ("counterparty_account", _TEXT),
    ("narrative", _TEXT),
)

#: What we sent: one row a payment of a payment file. Amounts are as instructed, without a sign.
PAYMENTS: Final = _schema(
    ("payment_id", _TEXT),
    ("file_id", _TEXT),
    ("ordinal", _INT),
    ("line_no", _INT),
    ("message_id", _TEXT),
    ("created_at", _INSTANT),
    ("initiator_name", _TEXT),
    ("payment_info_id", _TEXT),
    ("payment_method", _TEXT),  # TRF | CHK | TRA
    ("batch_booking", pa.bool_()),
    ("instruction_id", _TEXT),
    ("end_to_end_id", _TEXT),
    ("uetr", _TEXT),
    ("debtor_name", _TEXT),
    ("debtor_account", _TEXT),
    ("debtor_bic", _TEXT),
    ("debtor_clearing_id", _TEXT),  # of its bank in the national clearing, where there is no BIC
    ("creditor_name", _TEXT),
    ("creditor_account", _TEXT),
    ("creditor_bic", _TEXT),
    ("creditor_clearing_id", _TEXT),
    ("ultimate_debtor_name", _TEXT),
    ("ultimate_creditor_name", _TEXT),
    ("amount", AMOUNT),
    ("currency", _TEXT),
    ("transfer_currency", _TEXT),  # where the amount is the equivalent of one in this currency
    ("requested_on", _DAY),
    ("purpose", _TEXT),
    ("category_purpose", _TEXT),
    ("service_level", _TEXT),
    ("charge_bearer", _TEXT),  # DEBT CRED SHAR SLEV
    ("reference", _TEXT),  # structured: the creditor's
    ("reference_type", _TEXT),
    ("document_no", pa.list_(_TEXT)),  # structured: numbers of the documents paid
    ("narrative", _TEXT),  # unstructured
    ("incomplete", pa.bool_()),  # something of it could not be read; nothing is derived from it
)

#: What the bank says of what we sent, at the level it says it. Amounts as PAYMENTS.
STATUSES: Final = _schema(
    ("status_id", _TEXT),
    ("file_id", _TEXT),
    ("ordinal", _INT),
    ("line_no", _INT),
    ("level", _TEXT),  # group | payment_info | transaction
    ("report_id", _TEXT),
    ("created_at", _INSTANT),
    ("reporter", _TEXT),  # BIC, else name, of the bank that reports
    ("message_id", _TEXT),  # this and the ids down to uetr: of the payment, as we gave them
    ("message_name", _TEXT),
    ("payment_info_id", _TEXT),
    ("instruction_id", _TEXT),
    ("end_to_end_id", _TEXT),
    ("transaction_id", _TEXT),
    ("uetr", _TEXT),
    ("bank_status_id", _TEXT),
    ("status", _TEXT),  # ACTC ACCP ACSP ACSC PART RJCT ...; null where this level states none
    ("inherits", _TEXT),  # level whose status holds where this one states none
    ("reason", _TEXT),  # the first of `reasons`
    ("reasons", pa.list_(_TEXT)),
    ("additional_info", pa.list_(_TEXT)),
    ("reason_originator", _TEXT),
    ("original_amount", AMOUNT),
    ("original_currency", _TEXT),
    ("original_count", _INT),
    ("original_sum", AMOUNT),
    ("status_counts", pa.list_(_COUNTED)),
    ("requested_on", _DAY),
    ("counterparty_name", _TEXT),
    ("counterparty_account", _TEXT),
    ("accepted_at", _INSTANT),
    ("bank_ref", _TEXT),
    ("clearing_ref", _TEXT),
)


#: The tables of a file, by name.
SCHEMAS: Final = {
    "payments": PAYMENTS,
    "statuses": STATUSES,
    "statements": STATEMENTS,
    "balances": BALANCES,
    "entries": ENTRIES,
    "details": DETAILS,
}


@dataclass(frozen=True, slots=True)
class Tables:
    """What a reader yields of a file or a batch of it; only payment files have the last two."""

    statements: pa.Table
    balances: pa.Table
    entries: pa.Table
    details: pa.Table
    findings: tuple[Finding, ...] = field(default=())
    payments: pa.Table = field(default_factory=lambda: blank(PAYMENTS))
    statuses: pa.Table = field(default_factory=lambda: blank(STATUSES))


def table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows (dicts; missing keys are null) as a table of exactly ``schema``."""
    try:
        return arrays.table(rows, schema)
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        # What does not fit, pyarrow says better than we could.
        columns = [pa.array([row.get(f.name) for row in rows], type=f.type) for f in schema]
        return pa.Table.from_arrays(columns, schema=schema)


def empty() -> Tables:
    """A set of tables without rows."""
    return Tables(blank(STATEMENTS), blank(BALANCES), blank(ENTRIES), blank(DETAILS))


def concat(batches: Iterable[Tables]) -> Tables:
    """Batches of one file, in order, as one set of tables."""
    parts = list(batches) or [empty()]
    return Tables(
        pa.concat_tables([p.statements for p in parts]).combine_chunks(),
        pa.concat_tables([p.balances for p in parts]).combine_chunks(),
        pa.concat_tables([p.entries for p in parts]).combine_chunks(),
        pa.concat_tables([p.details for p in parts]).combine_chunks(),
        tuple(finding for p in parts for finding in p.findings),
        pa.concat_tables([p.payments for p in parts]).combine_chunks(),
        pa.concat_tables([p.statuses for p in parts]).combine_chunks(),
    )
