"""Returns of payments that are matched already: one proposal, and what approving it does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from tests.stages.small import Small
from tests.stages.test_corrected import show_posted
from tieout.connectors.fake import FakeErp
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import (
    Adjustment,
    AuditRow,
    DetailRow,
    EntryRow,
    ExceptionRow,
    FileRow,
    GroupRow,
    MatchDecision,
    MemberRow,
    StatementRow,
)
from tieout.posting.invariants import violations
from tieout.stages.post import post_adjustments
from tieout.stages.return_decide import decide_return, proposed_returns

PAID = dt.date(2026, 11, 20)
DAY = dt.date(2026, 11, 23)
NEXT = dt.date(2026, 11, 24)


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def tell(small: Small, day: dt.date, *entries: dict[str, Any]) -> list[str]:
    """The bank's next statement; an entry says its amount, columns of its own and its details."""
    small.number += 1
    key = f"{small.code}/{small.number}"
    opening, small.closing = small.closing, small.closing + sum(e["amount"] for e in entries)
    common = {"account_code": small.code, "currency": "EUR"}
    with small.ledger.session() as session:
        session.add(FileRow(file_id=key, size=1, name=key, drop="banks", state="recorded"))
        session.flush()
        session.add(
            StatementRow(
                statement_id=key,
                file_id=key,
                kind="booked",
                format="test",
                closed_on=day,
                entry_count=len(entries),
                sequence_no=small.number,
                opening_minor=opening,
                closing_minor=small.closing,
                **common,
            )
        )
        session.flush()
        for ordinal, entry in enumerate(entries, 1):
            own = {k: v for k, v in entry.items() if k not in ("amount", "details")}
            session.add(
                EntryRow(
                    entry_id=f"{key}#{ordinal}",
                    statement_id=key,
                    ordinal=ordinal,
                    exponent=2,
                    amount_minor=entry["amount"],
                    status="booked",
                    booked_on=day,
                    valued_on=day,
                    **common,
                    **own,
                )
            )
            session.flush()
            for n, detail in enumerate(entry["details"], 1):
                session.add(
                    DetailRow(
                        detail_id=f"{key}#{ordinal}.{n}",
                        entry_id=f"{key}#{ordinal}",
                        ordinal=n,
                        currency="EUR",
                        **{"amount_minor": entry["amount"], **detail},
                    )
                )
    small.restage()
    return [f"{key}#{n}" for n in range(1, len(entries) + 1)]


def payment(amount: int, e2e: str = "NORD-261112-0007", **ids: Any) -> dict[str, Any]:
    name = "Meyer KG"
    return {
        "amount": amount,
        "details": [{"end_to_end_id": e2e, "counterparty_name": name, **ids}],
    }


def back(amount: int, e2e: str = "NORD-261112-0007", **ids: Any) -> dict[str, Any]:
    return payment(amount, e2e, **{"return_reason": "AC04", **ids}) | {"code_subfamily": "RRTN"}


def paid(small: Small, amount: int = -1000) -> str:
    """A payment of last week, in the cash book and matched."""
    small.book("ZA-1", amount, PAID, end_to_end_id="NORD-261112-0007")
    small.sync()
    (entry,) = tell(small, PAID, payment(amount))
    assert small.reconcile(PAID).groups == 1
    return entry


def proposal(small: Small) -> dict[str, Any]:
    with small.ledger.session() as session:
        (row,) = proposed_returns(session)
        return row.candidates["return"] | {"reason": row.reason}


def reasons(small: Small) -> dict[str, str]:
    with small.ledger.session() as session:
        rows = session.scalars(select(ExceptionRow).where(ExceptionRow.state != "resolved"))
        return {r.subject_id: r.reason for r in rows}


def approve(small: Small) -> str:
    return decide_return(small.ledger, proposal(small)["id"], "approve", "anna", "")


def groups(small: Small) -> dict[str, str]:
    with small.ledger.session() as session:
        return {g.rung: g.state for g in session.scalars(select(GroupRow))}


def live(small: Small) -> set[str]:
    with small.ledger.session() as session:
        return set(session.scalars(select(MemberRow.member_id).where(MemberRow.live)))


def test_one_approval_undoes_the_match_and_opens_its_item(small: Small) -> None:
    original = paid(small)
    (returned,) = tell(small, DAY, back(1000))
    small.reconcile(DAY)
    shown = proposal(small)
    assert small.exceptions() == {returned: "RETURNED_PAYMENT"}
    assert shown["reason"] == (
        "Payment to Meyer KG (NORD-261112-0007) came back, AC04: account closed; to undo its match and "
        f"open ZA-1 again: `tieout approve {shown['id'][:12]}`"
    )
    assert (shown["entries"], shown["fee_minor"]) == ([original, returned], 0)
    assert original in live(small)  # until a person decides, the match stands
    assert small.tie_out(DAY).unexplained_minor == 0
    assert approve(small) == "approved: undo its match and open ZA-1 again; 0 to post"
    small.reconcile(DAY)
    assert live(small) == {original, returned}
    assert small.exceptions() == {}
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({"in_transit": -1000}, 0)
    with small.ledger.session() as session:
        group = session.scalars(select(GroupRow).where(GroupRow.rung == "return")).one()
        said = session.scalars(select(MatchDecision.decision)).all()
        events = session.scalars(select(AuditRow.action).where(AuditRow.actor == "anna")).all()
    assert (group.maker, group.approver, group.residual_minor) == ("tieout", "anna", 0)
    assert group.evidence == (
        "The entry of 2026-11-23 brings back 10.00 EUR of 2026-11-20, AC04: account closed."
    )
    assert said == ["undo", "confirm"]
    assert events == ["undone", "confirmed"]
    assert not small.reconcile(DAY).changed


def test_a_rerun_changes_nothing_while_a_proposal_waits(small: Small) -> None:
    paid(small)
    tell(small, DAY, back(1000))
    small.reconcile(DAY)
    before = (proposal(small), small.count(AuditRow))
    assert not small.reconcile(DAY).changed
    assert (proposal(small), small.count(AuditRow)) == before


# What of a payment of -10.00 comes back, how the bank says so, and what it is worth.
FEES = """
# back | charges | stated | own fee | proposed fee
  1000 |         |        |         | 0
   996 | 4       |        |         | 4
   996 |         | 1000   |         | 4
  1000 |         |        | -4      | 4
   996 |         |        |         | none
   996 | 3       |        |         | none
  1004 | 4       |        |         | none
 -1000 |         |        |         | none
"""


def _fees() -> list[list[int | None]]:
    lines = [line for line in FEES.strip().splitlines() if not line.startswith("#")]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [[int(c) if c and c != "none" else None for c in row] for row in cells]


@pytest.mark.parametrize("case", _fees(), ids=str)
def test_the_fee_is_what_the_bank_says_and_nothing_else(
    small: Small, case: list[int | None]
) -> None:
    amount, charges, stated, own_fee, expected = case
    assert amount is not None
    paid(small)
    entries = [back(amount, charges_minor=charges, original_minor=stated)]
    if own_fee is not None:
        entries.append(payment(own_fee) | {"code_subfamily": "CHRG", "narrative": "Rückgabe"})
    returned, *fee = tell(small, DAY, *entries)
    small.reconcile(DAY)
    assert small.exceptions()[returned] == "RETURNED_PAYMENT"
    if expected is None:
        with small.ledger.session() as session:
            assert proposed_returns(session) == []
        return
    assert proposal(small)["fee_minor"] == expected
    said = approve(small)
    assert (f"book the fee of 0.0{expected} EUR" in said) == bool(expected)
    assert [(a.kind, a.state, a.amount_minor) for a in small.adjustments()] == [
        ("charge", "approved", -expected)
    ][: bool(expected)]
    small.reconcile(DAY)
    assert {returned, *fee} <= live(small)
    assert small.tie_out(DAY).unexplained_minor == 0
    erp = FakeErp()
    post_adjustments(small.ledger, erp, "tryton")
    show_posted(small, erp)
    small.reconcile(DAY)
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({"in_transit": -1000}, 0)
    assert not small.reconcile(DAY).changed


def test_what_was_posted_is_taken_back_with_the_same_approval(small: Small) -> None:
    """A customer's debit bounces: the receipt we posted is reversed, the invoice open again."""
    invoice = {"kind": "receivable", "counterparty_name": "Meyer KG"}
    small.book("RE-2026-00001", 1000, PAID, end_to_end_id="DD-0001-0001", **invoice)
    small.sync()
    tell(small, PAID, payment(1000, "DD-0001-0001"))
    small.reconcile(PAID)
    (receipt,) = small.adjustments()
    erp = FakeErp()
    with small.ledger.session() as session:
        from tieout.adjustments.store import decide

        own = session.get_one(Adjustment, receipt.adjustment_id)
        decide(session, own, "approve", "bert", own.payload_sha256, "paid")
    assert post_adjustments(small.ledger, erp, "tryton").posted == 1
    show_posted(small, erp)
    small.reconcile(PAID)
    assert small.tie_out(PAID).unexplained_minor == 0
    tell(small, DAY, back(-1004, "DD-0001-0001", charges_minor=4, return_reason="AM04"))
    small.reconcile(DAY)
    shown = proposal(small)
    assert shown["takes_back"] == [receipt.adjustment_id]
    assert "take the posting" in shown["reason"]
    assert "Receipt from Meyer KG" in shown["reason"]
    assert approve(small).endswith("; 2 to post")
    small.reconcile(DAY)
    for _ in range(2):
        post_adjustments(small.ledger, erp, "tryton")
        show_posted(small, erp)
        small.reconcile(DAY)
    found = [(a.kind, a.state, a.amount_minor) for a in small.adjustments()]
    assert sorted(found) == [
        ("charge", "posted", -4),
        ("receipt", "reversed", 1000),
        ("reversal", "posted", -1000),
    ]
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({}, 0)
    with small.ledger.session() as session:
        assert violations(session) == []
        (item,) = session.scalars(
            select(MemberRow).where(MemberRow.side == "item", MemberRow.live.is_(False))
        ).all()[:1]
        assert item.group_id != shown["id"]
    assert not small.reconcile(DAY).changed


def test_a_fee_the_bank_gives_back_takes_its_posting_back(small: Small) -> None:
    tell(
        small,
        PAID,
        {"amount": -490, "narrative": "Kontoführung", "bank_ref": "HB-1", "details": []},
    )
    small.reconcile(PAID)
    erp = FakeErp()
    assert post_adjustments(small.ledger, erp, "tryton").posted == 1
    show_posted(small, erp)
    small.reconcile(PAID)
    tell(
        small,
        DAY,
        {
            "amount": 490,
            "narrative": "Kontoführung",
            "bank_ref": "HB-1",
            "reversal": True,
            "details": [],
        },
    )
    small.reconcile(DAY)
    approve(small)
    for _ in range(2):
        post_adjustments(small.ledger, erp, "tryton")
        show_posted(small, erp)
        small.reconcile(DAY)
    assert sorted((a.kind, a.state) for a in small.adjustments()) == [
        ("charge", "reversed"),
        ("reversal", "posted"),
    ]
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({}, 0)


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
        assert (group.cardinality, group.residual_minor) == ("2:2", 0)
    assert {original, returned} <= live(small)
    assert not small.reconcile(DAY).changed


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


@pytest.mark.parametrize("first", ["return", "payment"])
def test_it_does_not_matter_which_is_heard_of_first(small: Small, first: str) -> None:
    """The return is in the ledger before its payment's statement arrives."""
    small.book("ZA-1", -1000, PAID, end_to_end_id="NORD-261112-0007")
    small.sync()
    told = [(PAID, payment(-1000)), (DAY, back(1000))]
    if first == "payment":
        for day, entry in told:
            tell(small, day, entry)
            small.reconcile(day)
    else:
        small.number += 1
        small.closing -= 1000
        (late,) = tell(small, DAY, back(1000))
        small.reconcile(DAY)
        assert proposed(small) == []
        small.number -= 2
        small.closing = small.account.cutover_minor
        tell(small, PAID, payment(-1000))
        assert late
        small.reconcile(DAY)
    shown = proposal(small)
    assert "undo its match and open ZA-1 again" in shown["reason"]
    assert len(shown["entries"]) == 2
    approve(small)
    small.reconcile(DAY)
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({"in_transit": -1000}, 0)


def proposed(small: Small) -> list[ExceptionRow]:
    with small.ledger.session() as session:
        return proposed_returns(session)


def test_a_rejected_proposal_is_not_made_again(small: Small) -> None:
    paid(small)
    (returned,) = tell(small, DAY, back(1000))
    small.reconcile(DAY)
    said = decide_return(small.ledger, proposal(small)["id"], "reject", "anna", "another one")
    assert said.startswith("rejected")
    small.reconcile(DAY)
    assert proposed(small) == []
    assert "was rejected: decide what else it is" in reasons(small)[returned]
    assert not small.reconcile(DAY).changed


@pytest.mark.parametrize(
    ("plan", "person", "code"),
    [("", "tieout", "APPROVAL_SELF"), ("0" * 32, "anna", "RETURN_UNKNOWN")],
)
def test_who_may_not_decide_and_what_is_not_there(
    small: Small, plan: str, person: str, code: str
) -> None:
    paid(small)
    tell(small, DAY, back(1000))
    small.reconcile(DAY)
    with pytest.raises(LedgerError) as error:
        decide_return(small.ledger, plan or proposal(small)["id"], "approve", person, "")
    assert error.value.code == code
    assert set(groups(small).values()) == {"confirmed"}


def test_an_approval_binds_what_was_shown(small: Small) -> None:
    """Between showing and approving the match was undone."""
    original = paid(small)
    tell(small, DAY, back(1000))
    small.reconcile(DAY)
    shown = proposal(small)["id"]
    with small.ledger.session() as session:
        group = session.scalars(select(GroupRow)).one()
        group.state = "undone"
        for member in session.scalars(select(MemberRow)):
            member.live = False
    with pytest.raises(LedgerError, match="changed since it was shown") as error:
        decide_return(small.ledger, shown, "approve", "anna", "")
    assert error.value.code == "APPROVAL_STALE"
    assert original not in live(small)


def test_the_item_is_paid_again(small: Small) -> None:
    """After the return the open item meets the second payment like any other."""
    paid(small)
    tell(small, DAY, back(1000))
    small.reconcile(DAY)
    approve(small)
    (again,) = tell(small, NEXT, payment(-1000))
    result = small.reconcile(NEXT)
    assert (result.groups, small.sections(NEXT)) == (1, {})
    assert again in live(small)
    assert small.tie_out(NEXT).unexplained_minor == 0
