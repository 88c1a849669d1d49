"""Journal Import in the Oracle simulator: interface rows become unposted journal batches.

The job ends well whatever happens to the rows: only their status says which were taken. Rows whose
source or group is not the job's are not even looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sandbox.simulators.oracle_books import Batch, Books, InterfaceRow, Line

__all__ = ["ImportResult", "journal_import", "report_of"]

_MESSAGES: Final = {
    "EC08": "Invalid currency code",
    "EF01": "This account is not enabled for this accounting date",
    "EP01": "This date is not in any open or future enterable period",
    "EU02": "This journal entry is unbalanced and suspense posting is not allowed in this ledger",
    "WU01": "This journal entry is unbalanced; it is accepted because suspense posting is allowed",
}


@dataclass(frozen=True)
class ImportResult:
    """What an import made of its rows: the OUT file, and how many documents and rejected rows."""

    output: str
    documents: int
    rejected: int


def journal_import(
    books: Books, parameters: Sequence[str], request: int, *, spoil: Decimal = Decimal(0)
) -> ImportResult:
    """Import a group; ``spoil`` is added to the first line's amounts on both sides (rounding)."""
    _, source, ledger, group, suspense, *_ = [*parameters, "", "", "", "", ""]
    with books.lock:
        rows = [
            row
            for row in books.group(group)
            if (row.get(4), row.status) == (source, "NEW") and row.get(2) in ("", ledger)
        ]
        journals: dict[tuple[str, str, str], list[InterfaceRow]] = {}
        for row in rows:
            currency = row.get(6) if books.single_currency else ""
            journals.setdefault((row.get(43), row.get(46), currency), []).append(row)
        for lines in journals.values():
            _validate(books, lines, suspense == "Y")
        good = {key: lines for key, lines in journals.items() if not _failed(lines)}
        if len(good) < len(journals) and not books.siblings:
            good = {}
        for lines in good.values():
            _book(books, lines, request, group, spoil)
        output = report_of("Journal Import Execution Report", request, rows, _journal_row)
    rejected = sum(1 for row in rows if row.status != "P")
    return ImportResult(output, len(good), rejected)


def _validate(books: Books, lines: Sequence[InterfaceRow], suspense: bool) -> None:
    for row in lines:
        row.status, row.message = _row_status(books, row)
    if _failed(lines):
        return
    if sum((_accounted(r, 39) - _accounted(r, 40) for r in lines), Decimal(0)):
        for row in lines:
            row.status = "WU01" if suspense else "EU02"
            row.message = _MESSAGES[row.status]


def _row_status(books: Books, row: InterfaceRow) -> tuple[str, str]:
    on = dt.date.fromisoformat(row.get(3).replace("/", "-"))
    period = books.world.period_of(on)
    if period is None or period.statuses[101] not in ("O", "F"):
        return "EP01", _MESSAGES["EP01"]
    if row.get(6) not in books.world.currencies:
        return "EC08", _MESSAGES["EC08"]
    for place, values in enumerate(books.world.segments()):
        code = row.get(9 + place)
        value = values.get(code)
        if value is None:
            name = ("Company", "Account", "Cost Center")[place]
            return "EF04", f"FLEX-VALUE DOES NOT EXIST (SEGMENT={name}) (VALUE={code})"
        if not value.enabled:
            return "EF01", _MESSAGES["EF01"]
    return "NEW", ""


def _failed(lines: Sequence[InterfaceRow]) -> bool:
    return any(row.status not in ("NEW", "WU01") for row in lines)


def _accounted(row: InterfaceRow, entered: int) -> Decimal:
    """Column 41 or 42 where it is filled, else the entered amount in column 39 or 40."""
    return Decimal(row.get(entered + 2) or row.get(entered) or "0")


def _book(
    books: Books, lines: Sequence[InterfaceRow], request: int, group: str, spoil: Decimal
) -> None:
    first = lines[0]
    on = dt.date.fromisoformat(first.get(3).replace("/", "-"))
    period = books.world.period_of(on)
    now = books.clock.now()
    batch = Batch(
        id=books.next_id(),
        name=f"{first.get(43)} {first.get(4)} {request}: A {group}",
        header_id=books.next_id(),
        header_name=f"{first.get(46)} {first.get(5)} {first.get(6)}",
        group_id=group,
        source=first.get(4),
        category=first.get(5),
        period=period.name if period else "",
        booked_on=on,
        description=first.get(44),
        reference=first.get(48),
        lines=[_line(row, number, spoil) for number, row in enumerate(lines, 1)],
        visible_at=books.visible_from(),
        updated_at=now,
    )
    books.add(batch)
    for row in lines:
        row.status, row.message = "P", ""


def _line(row: InterfaceRow, number: int, spoil: Decimal) -> Line:
    def spoiled(amount: Decimal) -> Decimal:
        return amount + spoil if amount else amount

    return Line(
        number,
        tuple(row.get(place) for place in (9, 10, 11)),
        row.get(6),
        spoiled(Decimal(row.get(39) or "0")),
        spoiled(Decimal(row.get(40) or "0")),
        spoiled(_accounted(row, 39)),
        spoiled(_accounted(row, 40)),
        row.get(52),
    )


def _journal_row(row: InterfaceRow) -> str:
    account = "-".join(row.get(place) for place in (9, 10, 11))
    return f"{row.get(43):<24}{row.get(46):<24}{account:<20}{row.get(39):>14}{row.get(40):>14}"


def report_of(title: str, request: int, rows: Sequence[InterfaceRow], show: object) -> str:
    """The OUT file: one line a row with its status, then what the statuses mean."""
    assert callable(show)
    out = [title, f"Request {request}", ""]
    out += [f"{number:<6}{row.status:<40}{show(row)}" for number, row in enumerate(rows, 1)]
    meanings = sorted({(row.status, row.message) for row in rows if row.message})
    out += ["", *(f"{status:<40}{message}" for status, message in meanings)]
    out.append(f"Rows in error: {sum(1 for row in rows if row.status != 'P')}")
    return "\n".join(out) + "\n"
