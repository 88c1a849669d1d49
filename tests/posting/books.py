"""A small ledger to post from: one bank account for each ERP, approved fee adjustments."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Account, Adjustment, AdjustmentLine, Approval, Run
from tieout.posting.pace import Limits
from tieout.posting.payload import payload_sha256

#: Production rules on test time: the backoff is over as soon as it is written.
QUICK = Limits(settle=dt.timedelta(0), backoff_base=dt.timedelta(0), backoff_max=dt.timedelta(0))
BOOKED_ON = dt.date(2026, 11, 20)


def open_books(ledger: Ledger, erp: str, **account: Any) -> None:
    """The bank account that posts to ``erp``, and the run its proposals come from."""
    values = {
        "code": f"{erp}-EUR",
        "account_id": f"TEST-{erp}",
        "currency": "EUR",
        "exponent": 2,
        "company": "TEST",
        "name": "Test account",
        "bank": "Test bank",
        "erp": erp,
        "gl_account": "1200",
        "journal": "BANK",
        "ladder": "default",
        "policy": "default",
        "cutover_on": dt.date(2026, 11, 19),
        "cutover_minor": 0,
        "fingerprint": "0",
    }
    with ledger.session() as session:
        session.add(Account(**(values | account)))
        session.add(Run(run_id=f"run-{erp}", stage="reconcile", code_version="test"))


def propose(
    session: Session,
    erp: str,
    name: str,
    *,
    amount: int = 1250,
    company: str = "TEST",
    journal: str = "BANK",
    accounts: tuple[str, str] = ("6855", "1200"),
    booked_on: dt.date = BOOKED_ON,
) -> str:
    """An adjustment that is marked approved: a bank fee, debit expense, credit bank."""
    adjustment_id = f"{erp}-{name}"
    lines = [
        AdjustmentLine(
            adjustment_id=adjustment_id,
            ordinal=number,
            purpose=purpose,
            gl_account=accounts[number],
            debit_minor=amount if number == 0 else 0,
            credit_minor=0 if number == 0 else amount,
            currency="EUR",
            narrative=f"Fee {name}",
        )
        for number, purpose in enumerate(("bank_charges", "bank"))
    ]
    adjustment = Adjustment(
        adjustment_id=adjustment_id,
        business_key=f"{erp}-EUR/entry-{name}/fee/1",
        account_code=f"{erp}-EUR",
        run_id=f"run-{erp}",
        company=company,
        kind="fee",
        subject_side="entry",
        subject_id=f"entry-{name}",
        policy="default",
        policy_rule="fees",
        policy_version="1",
        currency="EUR",
        amount_minor=-amount,
        booked_on=booked_on,
        narrative=f"Bank fee {name}",
        payload_sha256=payload_sha256(
            company=company,
            journal_code=journal,
            booked_on=booked_on,
            narrative=f"Bank fee {name}",
            currency="EUR",
            lines=lines,
        ),
        state="approved",
        maker="tieout",
        approver="vera",
    )
    session.add(adjustment)
    session.flush()
    session.add_all(lines)
    session.flush()
    return adjustment_id


def approve(session: Session, adjustment_id: str, person: str = "vera") -> None:
    """Another person's approval of what the adjustment is now."""
    adjustment = session.get_one(Adjustment, adjustment_id)
    session.add(
        Approval(
            adjustment_id=adjustment_id,
            decision="approve",
            person=person,
            payload_sha256=adjustment.payload_sha256,
            reason="as the fee schedule says",
        )
    )
    session.flush()


def approved(ledger: Ledger, erp: str, count: int = 1, **values: Any) -> list[str]:
    """``count`` approved adjustments."""
    with ledger.session() as session:
        made = [propose(session, erp, f"{number:04d}", **values) for number in range(count)]
        for adjustment_id in made:
            approve(session, adjustment_id)
    return made
