"""Which matched payment a return brings back, and when that is a person's to say."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from tests.stages.returned import (
    DAY,
    PAID,
    approve,
    back,
    live,
    paid,
    payment,
    proposal,
    proposed,
    reasons,
    tell,
)
from tests.stages.small import Small
from tests.stages.test_matches import by_hand
from tieout.ledger import Ledger
from tieout.ledger.models import (
    ExceptionRow,
    GroupRow,
)
from tieout.stages.return_decide import proposed_returns


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def batch(small: Small, **kept: Any) -> str:
    for n, amount in enumerate((-1000, -2000, -1000), 1):
        small.book(f"ZA-{n}", amount, PAID, end_to_end_id=f"NORD-261112-000{n}", **kept)
    small.sync()
    details = [
        {"end_to_end_id": f"NORD-261112-000{n}", "amount_minor": amount}
        for n, amount in enumerate((-1000, -2000, -1000), 1)
    ]
    (entry,) = tell(small, PAID, {"amount": -4000, "details": details})
    assert small.reconcile(PAID).groups == 1
    return entry


def test_one_payment_of_a_batch_comes_back(small: Small) -> None:
    original = batch(small)
    (returned,) = tell(small, DAY, back(1000, "NORD-261112-0003"))
    small.reconcile(DAY)
    shown = proposal(small)
    assert "undo its match and open ZA-3 again" in shown["reason"]
    approve(small)
    small.reconcile(DAY)
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({"in_transit": -1000}, 0)
    with small.ledger.session() as session:
        group = session.get_one(GroupRow, shown["id"])
        assert (group.cardinality, group.residual_minor) == ("n:m", 0)
    assert {original, returned} <= live(small)
    assert not small.reconcile(DAY).changed


def collective(small: Small, *ends: str) -> str:
    """Several payments come back in one entry."""
    details = [
        {"end_to_end_id": e2e, "amount_minor": 1000, "return_reason": "AC04"} for e2e in ends
    ]
    entry = {"amount": 1000 * len(ends), "details": details, "code_subfamily": "RRTN"}
    (returned,) = tell(small, DAY, entry)
    small.reconcile(DAY)
    return returned


def test_several_come_back_in_one_entry(small: Small) -> None:
    """Two out of a batch, and one that was paid alone: one entry, one approval."""
    original = batch(small)
    small.book("ZA-9", -1000, PAID, end_to_end_id="NORD-261112-0009")
    small.sync()
    (alone,) = tell(small, dt.date(2026, 11, 21), payment(-1000, "NORD-261112-0009"))
    small.reconcile(dt.date(2026, 11, 21))
    returned = collective(small, "NORD-261112-0001", "NORD-261112-0003", "NORD-261112-0009")
    shown = proposal(small)
    assert shown["reason"].startswith(
        "3 payments came back in one entry, AC04: account closed; to undo 2 matches and open "
    )
    assert len(shown["undoes"]) == 2
    assert set(shown["entries"]) == {original, alone, returned}
    approve(small)
    small.reconcile(DAY)
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({"in_transit": -3000}, 0)
    assert not small.reconcile(DAY).changed


def test_one_of_several_is_not_known(small: Small) -> None:
    batch(small)
    returned = collective(small, "NORD-261112-0001", "NORD-261112-0007")
    assert reasons(small)[returned] == (
        "2 payments came back in one entry; of 1 of them no matched payment is known: decide"
    )


def test_a_whole_batch_comes_back(small: Small) -> None:
    original = batch(small)
    details = [
        {"end_to_end_id": f"NORD-261112-000{n}", "amount_minor": amount}
        for n, amount in enumerate((1000, 2000, 1000), 1)
    ]
    (returned,) = tell(small, DAY, {"amount": 4000, "reversal": True, "details": details})
    small.reconcile(DAY)
    approve(small)
    small.reconcile(DAY)
    assert live(small) == {original, returned}
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({"in_transit": -4000}, 0)


def test_the_books_name_the_payment_the_bank_shows_as_a_sum(small: Small) -> None:
    for n, amount in enumerate((-1000, -2000), 1):
        small.book(
            f"ZA-{n}",
            amount,
            PAID,
            end_to_end_id=f"NORD-261112-000{n}",
            payment_batch_id="RUN-0001",
        )
    small.sync()
    run = {"payment_info_id": "RUN-0001"}
    tell(small, PAID, {"amount": -3000, "details": [run]})
    assert small.reconcile(PAID).groups == 1
    tell(small, DAY, back(2000, "NORD-261112-0002"))
    small.reconcile(DAY)
    assert "open ZA-2 again" in proposal(small)["reason"]
    approve(small)
    small.reconcile(DAY)
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({"in_transit": -2000}, 0)


def test_a_mandate_alone_names_no_payment(small: Small) -> None:
    """The same debit every month: which one bounced is for a person to say."""
    for n, day in enumerate((PAID, dt.date(2026, 11, 21)), 1):
        small.book(f"RE-2026-0000{n}", 1000, day, end_to_end_id=f"DD-0001-000{n}")
        small.sync(day)
        tell(small, day, payment(1000, f"DD-0001-000{n}", mandate_id="MANDATE-77"))
        assert small.reconcile(day).groups == 1
    (returned,) = tell(small, DAY, back(-1000, "NOTPROVIDED", mandate_id="MANDATE-77"))
    small.reconcile(DAY)
    assert reasons(small)[returned] == (
        "Receipt from Meyer KG (NOTPROVIDED) came back; it fits 2 payments: 10.00 EUR of "
        "2026-11-20, RE-2026-00001; 10.00 EUR of 2026-11-21, RE-2026-00002; decide which it undoes"
    )
    with small.ledger.session() as session:
        row = session.scalars(select(ExceptionRow).where(ExceptionRow.subject_id == returned)).one()
        assert len(row.candidates["groups"]) == 2
        assert proposed_returns(session) == []


def test_one_mandate_and_one_payment_is_enough(small: Small) -> None:
    small.book("RE-2026-00001", 1000, PAID, end_to_end_id="DD-0001-0001")
    small.sync()
    tell(small, PAID, payment(1000, "DD-0001-0001", mandate_id="MANDATE-77"))
    small.reconcile(PAID)
    tell(small, DAY, back(-1000, "NOTPROVIDED", mandate_id="MANDATE-77"))
    small.reconcile(DAY)
    assert "open RE-2026-00001 again" in proposal(small)["reason"]


def test_another_payment_of_the_mandate_is_not_undone(small: Small) -> None:
    small.book("RE-2026-00001", 1000, PAID, end_to_end_id="DD-0001-0001")
    small.sync()
    tell(small, PAID, payment(1000, "DD-0001-0001", mandate_id="MANDATE-77"))
    small.reconcile(PAID)
    tell(small, DAY, back(-1000, "DD-0001-0009", mandate_id="MANDATE-77"))
    small.reconcile(DAY)
    with small.ledger.session() as session:
        assert proposed_returns(session) == []


def test_two_returns_of_one_payment_are_a_persons(small: Small) -> None:
    paid(small)
    ids = tell(small, DAY, back(1000), back(1000))
    small.reconcile(DAY)
    assert set(small.exceptions()) == set(ids)
    assert all("and so does another entry, of one payment" in reasons(small)[i] for i in ids)


def test_a_payment_shared_by_matches_is_a_persons(small: Small) -> None:
    small.book("ZA-1", -600, PAID)
    small.book("ZA-2", -400, PAID)
    small.sync()
    (entry,) = tell(small, PAID, payment(-1000))
    for number, amount in (("ZA-1", "6.00"), ("ZA-2", "4.00")):
        by_hand(small, entry, number, amounts=f"{entry}={amount}")
    (returned,) = tell(small, DAY, back(1000))
    small.reconcile(DAY)
    assert "split over several matches: undo these first" in reasons(small)[returned]


def test_its_payment_may_be_open_too(small: Small) -> None:
    """The same id every month; one payment is matched and one is not."""
    paid(small, -900_000)
    (waiting,) = tell(small, dt.date(2026, 11, 21), payment(-900_000))
    (returned,) = tell(small, DAY, back(700_000, original_minor=900_000))
    small.reconcile(DAY)
    assert "with its id and amount is open too" in reasons(small)[returned]
    assert waiting in small.exceptions()


def test_a_return_meets_its_open_payment_first(small: Small) -> None:
    """What has no match yet needs no undoing: the ladder pairs the two by itself."""
    original = paid(small)
    (waiting,) = tell(small, dt.date(2026, 11, 21), payment(-1000))
    (returned,) = tell(small, DAY, back(1000))
    small.reconcile(DAY)
    assert {original, waiting, returned} <= live(small)
    assert (proposed(small), small.exceptions()) == ([], {})


# What payment and return have in common; a mandate or a batch is shared, a NOTPROVIDED is nothing.
IDS = """
# payment                        | return                          | proposed
  end_to_end_id=E-4711           | end_to_end_id=E-4711            | yes
  uetr=97ed4827-7b6f-4491-a06f   | uetr=97ed4827-7b6f-4491-a06f    | yes
  transaction_id=TX-4711         | transaction_id=TX-4711          | yes
  instruction_id=IN-4711         | instruction_id=IN-4711          | yes
  cheque_no=0004711              | cheque_no=0004711               | yes
  mandate_id=MANDATE-1           | mandate_id=MANDATE-1            | yes
  end_to_end_id=E-4711           | end_to_end_id=E-4712            | no
  end_to_end_id=NOTPROVIDED      | end_to_end_id=NOTPROVIDED       | no
  payment_info_id=RUN-1          | payment_info_id=RUN-1           | no
  counterparty_name=Meyer        | counterparty_name=Meyer         | no
"""


def _ids() -> list[tuple[str, str, bool]]:
    lines = [line for line in IDS.strip().splitlines() if not line.startswith("#")]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [(a, b, c == "yes") for a, b, c in cells]


@pytest.mark.parametrize("case", _ids(), ids=str)
def test_which_ids_name_a_payment(small: Small, case: tuple[str, str, bool]) -> None:
    first, second = (dict([text.split("=")]) for text in case[:2])
    small.book("ZA-1", -1000, PAID)
    small.sync()
    (entry,) = tell(small, PAID, {"amount": -1000, "details": [first]})
    by_hand(small, entry, "ZA-1")
    tell(small, DAY, {"amount": 1000, "details": [second | {"return_reason": "AC04"}]})
    small.reconcile(DAY)
    assert bool(proposed(small)) is case[2]


# How a bank says that an entry brings money back.
SIGNS = """
# code_subfamily | swift_type | reversal | return_reason | proposed
  RRTN           |            |          |               | yes
  UPDD           |            |          |               | yes
  RPCR           |            |          |               | yes
                 | NRTI       |          |               | yes
                 |            | yes      |               | yes
                 |            |          | AM04          | yes
  ESCT           | NTRF       |          |               | no
"""


@pytest.mark.parametrize("line", SIGNS.strip().splitlines()[1:])
def test_how_a_bank_says_that_it_is_a_return(small: Small, line: str) -> None:
    subfamily, swift, reversal, reason, expected = (cell.strip() for cell in line.split("|"))
    paid(small)
    entry = payment(1000, **({"return_reason": reason} if reason else {}))
    entry |= {"code_subfamily": subfamily or None, "swift_type": swift or None}
    tell(small, DAY, entry | {"reversal": bool(reversal)})
    small.reconcile(DAY)
    assert bool(proposed(small)) is (expected == "yes")
