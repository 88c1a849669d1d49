"""Reimbursements: the newest extract counts, also where it goes back to an earlier amount."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from tests.stages.small import Small
from tieout.ledger import Ledger
from tieout.ledger.models import FileRow, ItemRow
from tieout.stages import expenses


@dataclass(frozen=True)
class Owed:
    """As much of a reimbursement as is recorded."""

    amount: Decimal
    currency: str = "EUR"
    report_key: str = "4711"
    report_id: str = "EX-1"
    report_name: str = "Trip"
    employee_id: str = "E1"
    employee_name: str = "Ada"


def test_a_correction_back_to_an_earlier_amount_counts(fresh_ledger: Ledger) -> None:
    Small(fresh_ledger)
    for number, amount in enumerate(("100.00", "90.00", "100.00")):
        with fresh_ledger.session() as session:
            name = f"extract {number}"
            session.add(FileRow(file_id=name, size=1, name=name, drop="x", state="recorded"))
            session.flush()
            expenses._record(session, name, Owed(Decimal(amount)))  # type: ignore[arg-type]
            assert expenses._record_items(session) == 1
    with fresh_ledger.session() as session:
        versions = select(ItemRow.open_minor).order_by(ItemRow.version)
        assert session.scalars(versions).all() == [-10000, -9000, -10000]


def test_an_amount_that_does_not_fit_its_currency_is_said() -> None:
    finding = expenses._unfit(Owed(Decimal("100.5"), "JPY"))  # type: ignore[arg-type]
    assert finding is not None
    assert (finding.code, finding.where) == ("AMOUNT_SCALE", "report 4711 of employee E1")
    assert finding.remedy
