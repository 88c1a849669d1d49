"""What the books of the SAP simulator hold before anybody posts: balances and open items."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from sandbox.simulators.sap_ledger import Document, Item, Ledger
from sandbox.simulators.sap_world import CURRENCY, padded

__all__ = ["seed", "seed_line"]

#: Documents taken over from the system before have a range of numbers of their own.
_FIRST: Final = 5_000_000_000
_AT: Final = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)
#: account or partner, side of the ledger, amount, in the company's currency, text, assignment, due
Line = tuple[str, str, str, str, str, str, dt.date | None]


def _line(code: str, amount: str, company: str = "", text: str = "", run: str = "") -> Line:
    return code, "S", amount, company or amount, text, run, None


def _partner(kind: str, code: str, amount: str, text: str, due: dt.date) -> Line:
    return code, kind, amount, amount, text, "", due


def seed(ledger: Ledger) -> None:
    """Book the opening balance, three invoices, two payments and one old carry-forward."""
    on = dt.date(2026, 10, 30)
    _book(ledger, on, "OPENING", "SA", CURRENCY, _line("11001000", "100000.00"),
          _line("19990000", "-100000.00"))  # fmt: skip
    _book(ledger, on, "OPENING-USD", "SA", "USD", _line("11002000", "10850.00", "10000.00"),
          _line("19990000", "-10850.00", "-10000.00"))  # fmt: skip
    _book(ledger, dt.date(2026, 11, 2), "RE-2026-0001", "DZ", CURRENCY,
          _partner("D", "10100001", "500.00", "Crane parts", dt.date(2026, 12, 2)),
          _line("70100000", "-500.00"))  # fmt: skip
    _book(ledger, dt.date(2026, 11, 3), "ER-4711", "KR", CURRENCY,
          _partner("K", "10300001", "-238.00", "Bearings", dt.date(2026, 12, 3)),
          _line("71100000", "238.00"))  # fmt: skip
    _book(ledger, dt.date(2026, 11, 18), "RUN-2026-1117", "KZ", CURRENCY,
          _line("11001000", "-119.00", text="ER-4710", run="RUN-2026-1117"),
          _line("11001010", "119.00", text="ER-4710"))  # fmt: skip
    _book(ledger, dt.date(2026, 11, 19), "IN-TRANSIT", "SA", CURRENCY,
          _line("11001010", "-119.00"), _line("19990000", "119.00"))  # fmt: skip
    carried = _book(ledger, dt.date(2026, 1, 1), "", "SA", CURRENCY,
                    _line("11001000", "77777.00"), _line("19990000", "-77777.00"))  # fmt: skip
    carried.period = "000"


def seed_line(ledger: Ledger, kind: str, partner: str, amount: str, against: str) -> Document:
    """Book one open line of a customer (D) or supplier (K), against a GL account."""
    other = str(-Decimal(amount))
    due = dt.date(2026, 12, 31)
    return _book(ledger, dt.date(2026, 11, 19), "", "SA", CURRENCY,
                 _partner(kind, partner, amount, "", due), _line(against, other))  # fmt: skip


def _book(
    ledger: Ledger, on: dt.date, reference: str, kind: str, currency: str, *lines: Line
) -> Document:
    document = Document(
        number="",
        year=str(on.year),
        kind=kind,
        posted_on=on,
        document_on=on,
        currency=currency,
        created_at=_AT.replace(month=on.month, day=on.day),
        created_by="ACCOUNTANT",
        reference=reference,
        header_text="Seed",
        period=f"{on.month:03d}",
    )
    for place, (code, side, amount, company, text, run, due) in enumerate(lines, start=1):
        gl = {"D": "12100000", "K": "21100000"}.get(side, code)
        document.items.append(
            Item(
                place,
                side,
                padded(gl),
                Decimal(amount),
                Decimal(company),
                "H" if amount.startswith("-") else "S",
                text=text,
                assignment=run,
                partner=padded(code) if side in "DK" else "",
                due_on=due,
            )
        )
    return ledger.book(document, first=_FIRST)
