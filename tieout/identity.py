"""Identity: ids come from content, so the same fact has the same id however often it arrives.

- A file is the SHA-256 of its bytes.
- A statement is (account, currency, kind, sequence or reference and page, period, balances),
  whatever its format: the same statement in camt.053 and MT940 has one id.
- An entry is (account, currency, booked_on, amount, bank reference) where the bank gives a stable
  one, else (statement, raw facts, ordinal among equals): two genuinely identical entries of a
  statement are two entries, and a file sent again adds none.
- A detail is its entry and ordinal.
- A payment is what we gave it, a status the report's and the payment's ids; equals are numbered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from tieout.arrays import listed, whole, word
from tieout.canonical import Tables
from tieout.id_columns import (
    ID_DIGITS,
    LocalIds,
    hexadecimal,
    keys_of,
    mapped,
    repeated,
    replaced,
    row_of,
)
from tieout.ordinals import Ordinals
from tieout.owned_rows import owned
from tieout.repeats import Repeats

__all__ = ["NO_REFERENCE", "Namer", "assign_ids", "content_id", "detail_ids", "once"]

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

_NONE, _POINT = map(word, ("", "."))
_BASE: Final = ("account_id", "currency", "booked_on", "amount")


#: What banks write where they have no reference; none of it identifies anything.
NO_REFERENCE: Final = frozenset(
    {"", "0", "NONREF", "NOTPROVIDED", "NOTAVAILABLE", "NOREF", "NONE", "N/A", "NA", "NULL"}
)

_RAW = (
    "booked_on",
    "valued_on",
    "amount",
    "status",
    "reversal",
    "entry_ref",
    "code_domain",
    "code_family",
    "code_subfamily",
    "code_proprietary",
    "swift_type",
    "narrative",
)

_PAYMENT = (
    "message_id",
    "payment_info_id",
    "instruction_id",
    "end_to_end_id",
    "uetr",
    "debtor_account",
    "creditor_account",
    "amount",
    "currency",
)
_STATUS = (
    "report_id",
    "level",
    "message_id",
    "payment_info_id",
    "instruction_id",
    "end_to_end_id",
    "transaction_id",
    "uetr",
    "status",
    "reason",
)


def content_id(*parts: object) -> str:
    """A stable 32-hex-digit id of the given parts (order and None-ness matter).

    Decimals are normalised, so that ``1.50`` and ``1.5`` are the same part.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Decimal):
            part = format(part.normalize() if part else Decimal(0), "f")
        text = b"\x00" if part is None else b"\x01" + str(part).encode("utf-8", "surrogatepass")
        digest.update(len(text).to_bytes(4, "big") + text)
    return digest.hexdigest()[:ID_DIGITS]


def assign_ids(tables: Tables, file_id: str) -> Tables:
    """Replace the reader's file-local ids by content ids.

    Args:
        tables: what a reader yielded for one whole file.
        file_id: SHA-256 (hex) of the file's bytes, written to ``statements.file_id``.

    Returns:
        The same rows in the same order with global ``statement_id``, ``entry_id``, ``detail_id``.
        Where one file holds the same statement twice, the second has the first's ids throughout;
        `once` leaves it out.
    """
    namer = Namer(file_id)
    namer.add(tables.statements, tables.balances)
    return namer.named(tables)


class Namer:
    """Content ids for one file, batch by batch.

    First `add` every statement of the file with its balances, then ask `named` for each batch, in
    file order; a detail comes with its entry or right behind it. Eight bytes of each row are kept.
    """

    def __init__(self, file_id: str) -> None:
        self._file_id = file_id
        self._statements = LocalIds()
        self._copies: set[str] = set()
        self._known = Ordinals()
        self._ordinals = Ordinals()
        #: Its local id and its id, as columns; a detail may come in the batch behind.
        self._last_entry: tuple[Any, Any] = (listed([]), listed([]))
        self._said = Repeats()

    def add(self, statements: pa.Table, balances: pa.Table) -> None:
        """Tell it statements with all their balances."""
        keys = []
        for row, own in owned(statements, balances, "statement_id"):
            self._statements[row["statement_id"]] = key = _statement_id(row, own)
            keys.append(key)
        numbers = self._known.of([bytes.fromhex(key) for key in keys])
        self._copies.update(key for key, n in zip(keys, numbers, strict=True) if n > 1)

    def named(self, tables: Tables) -> Tables:
        """One batch with content ids."""
        statements = mapped(tables.statements, "statement_id", self._statements)
        files = repeated(self._file_id, statements.num_rows)
        entries = mapped(tables.entries, "statement_id", self._statements)
        ids = self._entry_ids(tables.entries["statement_id"], entries)
        local, known = (
            pa.concat_arrays([last, column])
            for last, column in zip(
                self._last_entry, (whole(tables.entries["entry_id"]), ids), strict=True
            )
        )
        self._last_entry = local[-1:], known[-1:]
        details = row_of(tables.details, "entry_id", local, known)
        return Tables(
            replaced(statements, "file_id", files),
            mapped(tables.balances, "statement_id", self._statements),
            replaced(entries, "entry_id", ids),
            replaced(details, "detail_id", detail_ids(details)),
            tables.findings,
            self._numbered(tables.payments, "payment", _PAYMENT),
            self._numbered(tables.statuses, "status", _STATUS),
        )

    def repeats(self) -> Iterator[tuple[str, str]]:
        """Local ids of statements that repeat another entry by entry, each with that one's.

        Known when all batches are named.
        """
        if not self._copies:
            return
        self._said.finish()
        first: dict[str, str] = {}
        for local, key in self._statements.items():
            if key not in self._copies:
                continue
            before = first.setdefault(key, local)
            places = self._statements.place(before), self._statements.place(local)
            if before != local and self._said.same(*places):
                yield local, before

    def _entry_ids(self, local: Any, entries: pa.Table) -> Any:
        """Ids of a batch's entries; equal ones are numbered through the file."""
        reference = pc.utf8_upper(pc.utf8_trim_whitespace(pc.fill_null(entries["bank_ref"], _NONE)))
        nothing = pc.is_in(reference, value_set=listed(sorted(NO_REFERENCE)))
        keys = pc.if_else(
            nothing,
            keys_of(entries, "raw", (*_BASE, "statement_id", *_RAW)),
            keys_of(entries, "ref", (*_BASE, "bank_ref")),
        )
        digests = [hashlib.sha256(key).digest() for key in keys.to_pylist()]
        numbers = self._ordinals.of(digests)
        if self._copies:
            self._number_copies(local, entries, digests, numbers)
        if max(numbers, default=1) == 1:
            return hexadecimal(digests)
        return listed(
            [
                digest.hex()[:ID_DIGITS]
                if number == 1
                else content_id("entry", digest.hex(), number)
                for digest, number in zip(digests, numbers, strict=True)
            ]
        )

    def _number_copies(
        self, local: Any, entries: pa.Table, digests: list[bytes], numbers: list[int]
    ) -> None:
        """Give the entries of a repeated statement the numbers of its first copy."""
        rows = zip(local.to_pylist(), entries["statement_id"].to_pylist(), strict=True)
        for at, (copy, statement_id) in enumerate(rows):
            if statement_id in self._copies:
                place = self._statements.place(copy)
                numbers[at] = self._said.number(digests[at], statement_id, place, numbers[at])

    def _numbered(self, rows: pa.Table, kind: str, facts: tuple[str, ...]) -> pa.Table:
        """Payments or statuses with content ids; equal ones are numbered in file order."""
        digests = [hashlib.sha256(key).digest() for key in keys_of(rows, kind, facts).to_pylist()]
        ids = [
            content_id(kind, digest.hex(), number)
            for digest, number in zip(digests, self._ordinals.of(digests), strict=True)
        ]
        named = replaced(rows, f"{kind}_id", listed(ids))
        return replaced(named, "file_id", repeated(self._file_id, rows.num_rows))


def detail_ids(details: pa.Table) -> Any:
    """Ids of details (rows of DETAILS): the entry's and the ordinal in it."""
    ordinals = details["ordinal"].cast(pa.string())
    return pc.binary_join_element_wise(details["entry_id"], ordinals, _POINT)


def once(tables: Tables) -> Tables:
    """The tables without the rows of statements that the file repeats."""
    return Tables(
        _once(tables.statements, "statement_id"),
        _once(tables.balances, "statement_id", "ordinal"),
        _once(tables.entries, "entry_id"),
        _once(tables.details, "detail_id"),
        tables.findings,
        tables.payments,
        tables.statuses,
    )


def _once(rows: pa.Table, *columns: str) -> pa.Table:
    keys = list(zip(*(rows.column(name).to_pylist() for name in columns), strict=True))
    if len(set(keys)) == len(keys):
        return rows
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    return rows.take(listed(sorted(first.values()), pa.int64()))


def _statement_id(row: Mapping[str, Any], balances: Sequence[Mapping[str, Any]]) -> str:
    """Account, currency, kind, sequence (or reference) and page, opening and closing."""
    edges = [
        (b["code"], b["amount"], b["on"]) for b in balances if b["code"] in ("OPBD", "PRCD", "CLBD")
    ]
    opening = next((e for e in edges if e[0] in ("OPBD", "PRCD")), (None, None, None))
    closing = next((e for e in reversed(edges) if e[0] == "CLBD"), (None, None, None))
    number = row["sequence_no"] if row["sequence_no"] is not None else row["statement_ref"]
    if row["kind"] != "booked":
        # Reports of one day share number and account: their own reference tells them apart.
        number = content_id("report", number, row["statement_ref"], row["created_at"])
    # The opening's date is left out: camt says the day itself, MT940 the day before.
    return content_id(
        "statement",
        row["account_id"],
        row["currency"],
        row["kind"],
        number,
        row["page"],
        opening[1],
        closing[1],
        closing[2] or row["to_at"],
    )
