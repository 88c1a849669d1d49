"""What one approval of a return does, and what stands in its way."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from sqlalchemy import select

from tests.stages.returned import (
    DAY,
    NEXT,
    PAID,
    approve,
    back,
    groups,
    live,
    paid,
    payment,
    proposal,
    proposed,
    reasons,
    tell,
)
from tests.stages.small import Small
from tests.stages.test_corrected import show_posted
from tieout.adjustments.store import decide
from tieout.cli import main
from tieout.commands import approve as command
from tieout.connectors.fake import FakeErp
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import (
    Adjustment,
    AuditRow,
    GroupRow,
    MatchDecision,
    MemberRow,
    Outbox,
)
from tieout.posting.intents import make_intents
from tieout.posting.invariants import violations
from tieout.stages.match_decide import undo
from tieout.stages.post import post_adjustments
from tieout.stages.return_decide import decide_return, proposed_returns


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


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


def test_a_report_of_the_day_tells_the_return_before_the_statement(small: Small) -> None:
    original = paid(small)
    returned = back(1000, bank_ref="") | {"bank_ref": "HB-77"}
    returned["details"][0].pop("bank_ref")
    tell(small, DAY, returned, kind="intraday")
    small.reconcile(DAY)
    assert proposed(small) == []  # a report is no statement yet
    tell(small, DAY, returned)
    small.reconcile(DAY)
    shown = proposal(small)
    tell(small, NEXT, payment(-7, "NORD-261124-0001"))
    small.reconcile(NEXT)
    assert proposal(small)["id"] == shown["id"]
    approve(small)
    small.reconcile(DAY)
    assert live(small) == {original, shown["returned"]}
    assert small.tie_out(DAY).unexplained_minor == 0


def test_the_bank_takes_the_return_back(small: Small) -> None:
    """Its corrected statement has no return: payment and item are matched as before."""
    original = paid(small)
    tell(small, DAY, back(1000))
    small.reconcile(DAY)
    approve(small)
    small.reconcile(DAY)
    small.number, small.closing = small.number - 1, small.closing - 1000
    tell(small, DAY, payment(-7, "NORD-261123-0001"), version=2)
    small.reconcile(DAY)
    assert groups(small) == {"return": "undone", "payment_reference": "confirmed"}
    assert original in live(small)
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({"exceptions": -7}, 0)
    # And the correction itself was wrong.
    small.number, small.closing = small.number - 1, small.closing + 7
    tell(small, DAY, back(1000), payment(-6, "NORD-261123-0002"), version=3)
    small.reconcile(DAY)
    assert small.tie_out(DAY).unexplained_minor == 0
    approve(small)
    small.reconcile(DAY)
    assert small.sections(DAY) == {"in_transit": -1000, "exceptions": -6}
    assert list(small.exceptions().values()) == ["UNMATCHED_ENTRY"]


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


def test_a_rejected_proposal_is_not_made_again(small: Small) -> None:
    paid(small)
    (returned,) = tell(small, DAY, back(1000))
    small.reconcile(DAY)
    said = decide_return(small.ledger, proposal(small)["id"], "reject", "anna", "another one")
    assert said.startswith("rejected")
    small.reconcile(DAY)
    assert proposed(small) == []
    assert (
        "somebody decided that it does not bring back 10.00 EUR of 2026-11-20"
        in reasons(small)[returned]
    )
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


def _approved_receipt(small: Small) -> str:
    """An invoice paid by a debit whose receipt is approved and not posted yet."""
    small.book("RE-2026-00001", 1000, PAID, kind="receivable", end_to_end_id="DD-0001-0001")
    small.sync()
    tell(small, PAID, payment(1000, "DD-0001-0001"))
    small.reconcile(PAID)
    (receipt,) = small.adjustments()
    with small.ledger.session() as session:
        own = session.get_one(Adjustment, receipt.adjustment_id)
        decide(session, own, "approve", "bert", own.payload_sha256, "paid")
    return receipt.adjustment_id


def test_an_approval_that_was_not_sent_is_void(small: Small) -> None:
    _approved_receipt(small)
    make_intents(small.ledger, "tryton", actor="test")
    tell(small, DAY, back(-1000, "DD-0001-0001"))
    small.reconcile(DAY)
    approve(small)
    small.reconcile(DAY)
    assert [a.state for a in small.adjustments()] == ["withdrawn"]
    with small.ledger.session() as session:
        assert session.scalars(select(Outbox.state)).all() == ["CANCELLED"]
        assert violations(session) == []
    assert (small.sections(DAY), small.tie_out(DAY).unexplained_minor) == ({}, 0)
    assert not small.reconcile(DAY).changed


def test_while_a_posting_is_being_sent_nobody_may_undo_its_match(small: Small) -> None:
    _approved_receipt(small)
    make_intents(small.ledger, "tryton", actor="test")
    tell(small, DAY, back(-1000, "DD-0001-0001"))
    small.reconcile(DAY)
    with small.ledger.session() as session:
        session.scalars(select(Outbox)).one().state = "SENDING"
    with pytest.raises(LedgerError) as error:
        approve(small)
    assert error.value.code == "RETURN_SENDING"
    assert set(groups(small).values()) == {"confirmed"}  # nothing of it was done
    with small.ledger.session() as session:
        assert session.scalars(select(MatchDecision)).all() == []


@pytest.mark.parametrize("again", [False, True])
def test_an_approved_return_is_undone_like_any_match(small: Small, again: bool) -> None:
    """The payment meets its item as before; the return is proposed anew only where that is said."""
    original = paid(small)
    (returned,) = tell(small, DAY, back(1000))
    small.reconcile(DAY)
    approve(small)
    small.reconcile(DAY)
    with small.ledger.session() as session:
        group = session.scalars(select(GroupRow).where(GroupRow.rung == "return")).one()
    undo(small.ledger, [group.group_id], "bert", "it was another one", again=again)
    small.reconcile(DAY)
    assert groups(small) == {"return": "undone", "payment_reference": "confirmed"}
    assert (original in live(small), returned in live(small)) == (True, False)
    assert bool(proposed(small)) is again
    assert small.tie_out(DAY).unexplained_minor == 0
    if again:
        approve(small)
        small.reconcile(DAY)
        assert small.sections(DAY) == {"in_transit": -1000}
    assert not small.reconcile(DAY).changed


def test_on_the_command_line(
    small: Small, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paid(small)
    tell(small, DAY, back(1000))
    small.reconcile(DAY)
    key = proposal(small)["id"]
    monkeypatch.setattr(command, "open_ledger", lambda: nullcontext(small.ledger))
    assert main(["approve", key[:12], "--as", "anna", "--reason", "seen"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "NORD-EUR-MAIN  return  10.00 EUR",
        "  Payment to Meyer KG (NORD-261112-0007) came back, AC04: account closed; to undo its "
        f"match and open ZA-1 again: `tieout approve {key[:12]}`",
        f"{key}: approved: undo its match and open ZA-1 again; 0 to post",
    ]
    assert groups(small)["return"] == "confirmed"
