"""What a person can do with matches: by hand, in part, forced, confirmed, undone; it survives."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text

from tests.stages.small import DAY, NEXT, Small
from tests.stages.test_corrected import correct, show_posted
from tieout.adjustments.store import decide
from tieout.audit import verify
from tieout.connectors.fake import FakeErp
from tieout.errors import TieoutError
from tieout.ledger import Ledger
from tieout.ledger.models import AuditRow, GroupRow, ItemRow, MemberRow
from tieout.posting.invariants import violations
from tieout.stages.match_by_hand import Asked, Made, match_by_hand
from tieout.stages.match_decide import confirm, reject, undo
from tieout.stages.match_rows import match_detail, match_rows, open_rows
from tieout.stages.post import post_adjustments


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def by_hand(small: Small, entries: str, items: str, **asked: Any) -> Made:
    """Match by hand; ``entries`` and ``items`` are words, ``amounts`` as ``ID=12.34 …``."""
    amounts = dict(pair.split("=") for pair in asked.pop("amounts", "").split())
    return match_by_hand(
        small.ledger,
        Asked(
            entries.split(),
            items.split(),
            person=asked.pop("person", "anna"),
            reason=asked.pop("reason", "they told me on the phone"),
            amounts={k: Decimal(v) for k, v in amounts.items()},
            **asked,
        ),
    )


def groups(small: Small) -> list[tuple[str, str]]:
    """Rung and state of each match, in the order they were made."""
    with small.ledger.session() as session:
        rows = session.scalars(select(GroupRow).order_by(GroupRow.derived_at)).all()
    return [(g.rung, g.state) for g in rows]


def only(small: Small, rung: str) -> GroupRow:
    with small.ledger.session() as session:
        return session.scalars(select(GroupRow).where(GroupRow.rung == rung)).one()


def left(small: Small) -> dict[str, str]:
    """What is open, as a person sees it: name (or the start of the text) to amount."""
    with small.ledger.session() as session:
        rows = open_rows(session, small.code, NEXT)
    return {r["name"] or r["narrative"]: r["amount"].removesuffix(" EUR") for r in rows}


def ties(small: Small) -> bool:
    return small.tie_out(NEXT).unexplained_minor == 0


# ---- by hand ----


def test_a_match_by_hand_stands_over_every_run(small: Small) -> None:
    small.book("CB-1", 1000, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (1000, "no word of it"))
    small.reconcile()
    assert groups(small) == [("amount_alone", "proposed")], "nothing but the amount"
    made = by_hand(small, entry, "CB-1")
    assert (made.state, made.residual_minor, made.waits) == ("confirmed", 0, "")
    before = small.reconcile()
    assert not small.reconcile().changed, "nothing is derived twice"
    assert before.groups == 0
    assert groups(small) == [("amount_alone", "withdrawn"), ("manual", "confirmed")]
    assert (small.sections(), small.exceptions(), ties(small)) == ({}, {}, True)
    with small.ledger.session() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.actor == "anna")).all()
        assert [(r.action, r.detail["reason"]) for r in rows] == [
            ("matched", "they told me on the phone")
        ]
        assert verify(session)[1] == []


# entries | items | more | what is refused
REFUSED = """
#1    | CB-10      |                      | RESIDUAL_OPEN
#1    | CB-10      | class=fee            | RESIDUAL_CLASS
#1    | CB-90      | class=charge         | RESIDUAL_TOO_MUCH
#1    |            |                      | MATCH_MEMBERS
#1 #1 | CB-10      |                      | MATCH_MEMBERS
#1    | CB-10      | amounts=CB-10=10.01  | AMOUNT_TOO_MUCH
#1    | CB-10      | amounts=CB-10=0      | AMOUNT_NIL
#1    | CB-10      | amounts=CB-10=-1.00  | AMOUNT_TOO_MUCH
#1    | CB-10      | amounts=CB-77=1.00   | AMOUNT_OF_WHAT
#1    | CB-10      | amounts=CB-10=1.001  | AMOUNT_SCALE
#1    | CB-77      |                      | ITEM_UNKNOWN
nowhere | CB-10    |                      | ENTRY_UNKNOWN
NORD  | CB-10      |                      | ENTRY_UNCLEAR
#     | CB-10      |                      | ID_SHORT
#1    | TWIN       |                      | ITEM_UNCLEAR
#1    | DOLLAR     |                      | MATCH_CURRENCY
#1    | CB-10      | reason=              | REASON_MISSING
"""


def test_what_does_not_fit_is_refused_in_words(small: Small) -> None:
    small.book("CB-10", 1000, DAY)
    small.book("CB-90", 9000, DAY)
    for ref in ("a", "b"):
        small.book(ref, 500, DAY, document_no="TWIN")
    small.book("DOLLAR", 500, DAY, kind="receivable", currency="USD")
    small.sync()
    one, _ = small.statement(DAY, (1100, "one"), (5, "two"))
    head = one.removesuffix("#1")
    for line in REFUSED.strip().splitlines():
        entries, items, more, code = (cell.strip() for cell in line.split("|"))
        name, _, value = more.partition("=")
        asked = {{"class": "residual_class"}.get(name, name): value} if name else {}
        full = entries if len(entries) == 1 else entries.replace("#", f"{head}#")
        with pytest.raises(TieoutError) as caught:
            by_hand(small, full, items, **asked)
        assert (line, caught.value.code) == (line, code)
        assert caught.value.remedy, line
    assert small.count(GroupRow) == 0


def test_two_statement_lines_settle_one_line_of_the_books(small: Small) -> None:
    """USERS 12: match two statement lines to one book entry."""
    small.book("CB-1", 1000, DAY)
    small.sync()
    one, two = small.statement(DAY, (700, "one"), (300, "two"))
    by_hand(small, f"{one} {two}", "CB-1")
    small.reconcile()
    with small.ledger.session() as session:
        assert match_rows(session)[0]["kind"] == "n:1"
    assert (small.sections(), ties(small)) == ({}, True)


def test_entries_that_cancel_and_lines_that_cancel(small: Small) -> None:
    small.book("CB-1", 1000, DAY)
    small.book("CB-2", -1000, DAY)
    small.sync()
    one, two = small.statement(DAY, (700, "out by mistake"), (-700, "and back"))
    by_hand(small, f"{one} {two}", "")
    by_hand(small, "", "CB-1 CB-2")
    small.reconcile()
    with small.ledger.session() as session:
        assert sorted(r["kind"] for r in match_rows(session)) == ["0:n", "n:0"]
    assert (small.sections(), small.exceptions(), ties(small)) == ({}, {}, True)


def test_a_short_payment_is_taken_for_full_in_one_step(small: Small) -> None:
    """USERS 23: a short payment as full payment, with the write-off."""
    small.book("CB-1", 10000, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (8000 + 1000, "less a fee of theirs"))
    with pytest.raises(TieoutError, match="RESIDUAL_OPEN"):
        by_hand(small, entry, "CB-1")
    made = by_hand(small, entry, "CB-1", residual_class="charge")
    assert (made.state, made.residual_minor) == ("confirmed", -1000)
    small.reconcile()
    assert [(a.kind, a.amount_minor, a.state) for a in small.adjustments()] == [
        ("charge", -1000, "approved")
    ]
    assert ties(small)


# ---- in part ----


def test_an_item_is_settled_in_parts_by_people_and_by_the_ladder(small: Small) -> None:
    small.book("RE-2026-00001", 50000, DAY)
    small.sync()
    (first,) = small.statement(DAY, (20000, "on account"))
    by_hand(small, first, "RE-2026-00001", amounts="RE-2026-00001=200.00")
    small.reconcile()
    assert left(small) == {"RE-2026-00001": "300.00"}
    assert small.sections() == {"in_transit": 30000}
    assert ties(small)
    small.statement(NEXT, (30000, "rest of RE-2026-00001"))
    assert small.reconcile(NEXT).groups == 1
    assert [state for _, state in groups(small)] == ["confirmed", "confirmed"]
    assert (left(small), small.sections(NEXT), ties(small)) == ({}, {}, True)
    assert not small.reconcile(NEXT).changed
    with small.ledger.session() as session:
        rows = session.scalars(select(MemberRow).where(MemberRow.side == "item")).all()
    assert sorted((m.amount_minor, m.of_minor) for m in rows) == [(20000, 50000), (30000, 50000)]


def test_an_entry_is_used_in_parts(small: Small) -> None:
    small.book("CB-1", 300, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (1000, "three things at once"))
    by_hand(small, entry, "CB-1", amounts=f"{entry}=3.00")
    small.reconcile()
    assert small.sections() == {"exceptions": 700}
    assert list(small.exceptions()) == [entry]
    small.book("RE-2026-00002", 700, DAY)
    small.sync()
    assert ties(small)
    by_hand(small, entry, "RE-2026-00002")
    small.reconcile()
    assert (small.sections(), small.exceptions(), ties(small)) == ({}, {}, True)
    rates = small.tie_out().rates
    assert (rates.matched_count, rates.entries_count) == (1, 1)


def test_half_an_entry_is_half_matched(small: Small) -> None:
    small.book("CB-1", 300, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (1000, "three things at once"))
    by_hand(small, entry, "CB-1", amounts=f"{entry}=3.00")
    rates = small.tie_out().rates
    found = (rates.matched_count, rates.matched_value_minor, rates.entries_value_minor)
    assert found == (0, 300, 1000)


def test_the_limit_holds_for_all_parts_of_an_item_together(small: Small) -> None:
    """USERS 24: a limit that ignored earlier partials wrote off 45 and 455 with a limit of 0.1."""
    small.book("RE-2026-00001", 50000, DAY)
    small.sync()
    one, two, three = small.statement(DAY, (4500, "a"), (18000, "b"), (24400, "c"))
    by_hand(small, one, "RE-2026-00001", amounts="RE-2026-00001=45.00")
    small.reconcile()
    assert (small.adjustments(), left(small)["RE-2026-00001"]) == ([], "455.00")
    # The gross is never what a limit is about: 200 - 180 leaves 20, within 25.
    by_hand(small, two, "RE-2026-00001", amounts="RE-2026-00001=200.00", residual_class="charge")
    # The rest is 255.00; 244.00 leaves 11 more, 31 together.
    with pytest.raises(TieoutError, match=r"after 20\.00 before.*RESIDUAL_TOO_MUCH"):
        by_hand(small, three, "RE-2026-00001", residual_class="charge")
    by_hand(small, three, "RE-2026-00001", amounts="RE-2026-00001=244.00")
    assert left(small) == {"RE-2026-00001": "11.00"}
    small.reconcile()
    assert ties(small)


def test_the_ladders_own_write_offs_count_earlier_parts_too(small: Small) -> None:
    small.book("RE-2026-00001", 50000, DAY)
    small.sync()
    (one,) = small.statement(DAY, (18000, "a"))
    by_hand(small, one, "RE-2026-00001", amounts="RE-2026-00001=200.00", residual_class="charge")
    small.reconcile()
    small.statement(NEXT, (29000, "RE-2026-00001"))
    small.reconcile(NEXT)
    assert [(a.amount_minor, a.state) for a in small.adjustments()] == [(-2000, "approved")]
    assert ("RESIDUAL", True) in {(c, True) for c in small.exceptions().values()}
    assert ties(small)


def test_a_document_that_shrinks_in_the_books_is_not_reduced_twice(small: Small) -> None:
    small.book("RE-2026-00001", 50000, DAY, kind="receivable")
    small.sync()
    (first,) = small.statement(DAY, (20000, "on account"))
    by_hand(small, first, "RE-2026-00001", amounts="RE-2026-00001=200.00")
    assert left(small)["RE-2026-00001"] == "300.00"
    small.book("RE-2026-00001", 50000, DAY, kind="receivable", open_minor=30000)
    small.sync()
    assert left(small)["RE-2026-00001"] == "300.00"
    small.book("RE-2026-00001", 50000, DAY, kind="receivable", open_minor=10000)
    small.sync()
    assert left(small)["RE-2026-00001"] == "100.00"


def test_a_cash_book_line_that_shrinks_serves_its_parts_in_order(small: Small) -> None:
    small.book("CB-1", 50000, DAY)
    small.sync()
    one, two = small.statement(DAY, (20000, "a"), (25000, "b"))
    for entry, amount in ((one, "200.00"), (two, "250.00")):
        by_hand(small, entry, "CB-1", amounts=f"CB-1={amount}")
    small.reconcile()
    assert ties(small)
    small.book("CB-1", 30000, DAY)
    small.sync()
    small.reconcile()
    assert small.sections() == {"residuals": 15000}
    assert ties(small)
    assert set(small.exceptions().values()) == {"RESIDUAL"}
    assert small.adjustments() == []


# ---- four eyes ----


def test_who_insists_waits_for_a_second_person(small: Small) -> None:
    small.book("RE-2026-00001", 9000, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (5000, "RE-2026-0000X"))
    made = by_hand(small, entry, "RE-2026-00001", force=True)
    assert made.state == "proposed"
    assert made.waits.startswith("forced: the match leaves -40.00 EUR over")
    # Held: a rerun takes neither of them away, and says what they wait for.
    small.statement(NEXT, (9000, "RE-2026-00001"))
    small.reconcile(NEXT)
    assert groups(small) == [("manual", "proposed")]
    assert small.exceptions()[made.group_id] == "MATCH_TO_CONFIRM"
    assert small.sections(NEXT) == {"in_transit": 9000, "exceptions": 14000}
    assert ties(small)
    for who in ("anna", " Anna "):
        with pytest.raises(TieoutError, match="MATCH_SELF"):
            confirm(small.ledger, [made.group_id], who)
    assert [d.state for d in confirm(small.ledger, [made.group_id[:8]], "bert")] == ["confirmed"]
    small.reconcile(NEXT)
    assert ties(small)
    assert made.group_id not in [k for k, v in small.exceptions().items() if v != "RESIDUAL"]


def test_a_rejected_match_opens_its_members(small: Small) -> None:
    small.book("RE-2026-00001", 9000, DAY)
    small.sync()
    one, _ = small.statement(DAY, (5000, "a"), (9000, "RE-2026-00001"))
    made = by_hand(small, one, "RE-2026-00001", force=True)
    reject(small.ledger, [made.group_id], "bert", "no")
    assert small.reconcile().groups == 1
    assert groups(small) == [("manual", "rejected"), ("reference", "confirmed")]
    assert not small.reconcile().changed


def test_large_matches_take_two(small: Small) -> None:
    small.book("CB-1", 1_000_001, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (1_000_001, "x"))
    made = by_hand(small, entry, "CB-1")
    assert (made.state, made.waits) == ("proposed", "it moves more than 10000.00 EUR")
    confirm(small.ledger, [made.group_id], "bert", "yes")
    small.reconcile()
    assert (small.sections(), ties(small)) == ({}, True)


# ---- undo ----


def test_an_undone_match_does_not_come_back_and_others_stay_possible(small: Small) -> None:
    """USERS 11: undo a match without cancelling the payment."""
    small.book("RE-2026-00001", 1000, DAY)
    small.sync()
    small.statement(DAY, (1000, "RE-2026-00001 or RE-2026-00002"))
    small.reconcile()
    wrong = only(small, "reference").group_id
    undo(small.ledger, [wrong], "anna", "it was for the other one")
    for _ in range(2):
        small.reconcile()
        assert groups(small) == [("reference", "undone")]
    assert small.sections() == {"in_transit": 1000, "exceptions": 1000}
    small.book("RE-2026-00002", 1000, DAY)
    small.sync()
    assert small.reconcile().groups == 1
    assert left(small) == {"RE-2026-00001": "10.00"}
    assert ties(small)
    with small.ledger.session() as session:
        told = match_detail(session, wrong[:10])
    last = told["history"][-1]
    assert (last["who"], last["what"], last["why"]) == (
        "anna",
        "undone",
        "it was for the other one",
    )


def test_undone_to_be_matched_again(small: Small) -> None:
    small.book("RE-2026-00001", 1000, DAY)
    small.sync()
    small.statement(DAY, (1000, "RE-2026-00001"))
    small.reconcile()
    undo(small.ledger, [only(small, "reference").group_id], "anna", "try anew", again=True)
    small.reconcile()
    assert groups(small) == [("reference", "confirmed")]


def test_several_are_undone_at_once_or_none(small: Small) -> None:
    """USERS 11: undo several at once."""
    for number in (1, 2, 3):
        small.book(f"RE-2026-0000{number}", 1000 + number, DAY)
    small.sync()
    small.statement(DAY, *((1000 + n, f"RE-2026-0000{n}") for n in (1, 2, 3)))
    small.reconcile()
    with small.ledger.session() as session:
        ids = list(session.scalars(select(GroupRow.group_id).order_by(GroupRow.group_id)))
    with pytest.raises(TieoutError, match="MATCH_UNKNOWN"):
        undo(small.ledger, [*ids[:2], "nothing like it"], "anna", "wrong")
    assert {state for _, state in groups(small)} == {"confirmed"}
    undo(small.ledger, [i[:12] for i in ids], "anna", "wrong company")
    assert {state for _, state in groups(small)} == {"undone"}
    with pytest.raises(TieoutError, match="MATCH_STATE"):
        undo(small.ledger, ids[:1], "anna", "again")
    small.reconcile()
    assert (small.sections(), ties(small)) == ({"in_transit": 3006, "exceptions": 3006}, True)


def test_an_undone_match_voids_what_was_not_sent_and_reverses_what_was(small: Small) -> None:
    erp = FakeErp()
    small.book("RE-2026-00001", 10000, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (9900, "RE-2026-00001"))
    small.reconcile()
    group = only(small, "reference_with_charges").group_id
    undo(small.ledger, [group], "anna", "not theirs")
    assert [a.state for a in small.adjustments()] == ["withdrawn"]
    # Made again just as it was: the same match, and the charge is booked once.
    again = by_hand(small, entry, "RE-2026-00001", residual_class="charge")
    assert again.group_id == group
    small.reconcile()
    assert post_adjustments(small.ledger, erp, "tryton").posted == 1
    show_posted(small, erp)
    small.reconcile()
    assert (small.sections(), ties(small)) == ({}, True)
    undo(small.ledger, [group], "bert", "it was right the first time")
    small.reconcile()
    reversal = next(a for a in small.adjustments() if a.kind == "reversal")
    assert (reversal.state, reversal.amount_minor) == ("pending", 100)
    assert reversal.narrative.endswith("bert undid the match: it was right the first time")
    assert ties(small)
    # Its posting's line is nobody else's meanwhile.
    assert small.exceptions()[entry] == "UNMATCHED_ENTRY"
    with small.ledger.session() as session:
        decide(session, session.merge(reversal), "approve", "carl", reversal.payload_sha256, "ok")
    for _ in range(2):
        post_adjustments(small.ledger, erp, "tryton")
        show_posted(small, erp)
        small.reconcile()
    assert small.sections() == {"in_transit": 10000, "exceptions": 9900}
    assert ties(small)
    with small.ledger.session() as session:
        assert violations(session) == []


def test_a_posted_match_made_again_keeps_its_posting(small: Small) -> None:
    erp = FakeErp()
    small.book("RE-2026-00001", 10000, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (9900, "RE-2026-00001"))
    small.reconcile()
    post_adjustments(small.ledger, erp, "tryton")
    show_posted(small, erp)
    small.reconcile()
    group = only(small, "reference_with_charges").group_id
    undo(small.ledger, [group], "anna", "looked wrong")
    small.reconcile()
    by_hand(small, entry, "RE-2026-00001", residual_class="charge", person="bert")
    small.reconcile()
    assert [(a.kind, a.state) for a in small.adjustments()] == [
        ("charge", "posted"),
        ("reversal", "withdrawn"),
    ]
    assert (small.sections(), small.exceptions(), ties(small)) == ({}, {}, True)
    assert len(erp.documents) == 1


def test_our_own_postings_tie_is_not_undone(small: Small) -> None:
    erp = FakeErp()
    small.statement(DAY, (-490, "Kontoführung"))
    small.reconcile()
    post_adjustments(small.ledger, erp, "tryton")
    show_posted(small, erp)
    small.reconcile()
    with pytest.raises(TieoutError, match="MATCH_OWN_POSTING"):
        undo(small.ledger, [only(small, "own_posting").group_id], "anna", "x")


def test_an_entry_with_a_posting_is_not_matched_by_hand(small: Small) -> None:
    small.book("CB-1", -490, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (-490, "Kontoführung"))
    small.reconcile()
    assert [a.state for a in small.adjustments()] == ["approved"]
    with pytest.raises(TieoutError, match="ENTRY_EXPLAINED"):
        by_hand(small, entry, "CB-1")


def test_what_waits_about_an_entry_is_withdrawn_when_it_is_matched(small: Small) -> None:
    small.book("RE-2026-00001", 50000, DAY, kind="receivable")
    small.book("CB-1", 50000, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (50000, "RE-2026-00001"))
    small.reconcile()
    with small.ledger.session() as session:
        group = session.scalars(select(GroupRow)).one()
    undo(small.ledger, [group.group_id], "anna", "it is in the cash book")
    assert [a.state for a in small.adjustments()] == ["withdrawn"]
    by_hand(small, entry, "CB-1")
    small.reconcile()
    assert (small.exceptions(), ties(small)) == ({}, True)


# ---- corrections and replays ----


def test_a_correction_undoes_a_match_by_hand_and_its_end_brings_it_back(small: Small) -> None:
    small.book("CB-1", 1000, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (1000, "no word of it"))
    made = by_hand(small, entry, "CB-1", reason="phoned")
    small.reconcile()
    correct(small, (5, "else"))
    small.reconcile()
    assert groups(small) == [("manual", "undone")]
    assert small.sections() == {"in_transit": 1000, "exceptions": 5}
    with small.ledger.session() as session:
        why = match_detail(session, made.group_id)["history"][-1]["why"]
    assert why == "the bank's corrected statement has another entry in its place"
    small.closing, small.number = small.account.cutover_minor, small.number - 1
    small.statement(DAY, (1000, "no word of it"), (6, "third"), version=3)
    small.reconcile()
    assert groups(small) == [("manual", "confirmed")]
    assert (small.sections(), ties(small)) == ({"exceptions": 6}, True)
    with small.ledger.session() as session:
        why = match_detail(session, made.group_id)["history"][-1]["why"]
    assert why == "anna decided so: phoned"


def test_a_match_that_cannot_stand_again_says_so(small: Small) -> None:
    small.book("CB-1", 1000, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (1000, "no word of it"))
    made = by_hand(small, entry, "CB-1")
    (other,) = correct(small, (5, "else"))
    small.reconcile()
    by_hand(small, other, "CB-1", amounts="CB-1=0.05", person="bert")
    small.closing, small.number = small.account.cutover_minor, small.number - 1
    small.statement(DAY, (1000, "no word of it"), (5, "else"), version=3)
    for _ in range(2):
        small.reconcile()
        assert small.exceptions()[made.group_id] == "MATCH_BLOCKED"
        assert ties(small)
    undo(small.ledger, [made.group_id], "anna", "bert is right")
    small.reconcile()
    assert (made.group_id in small.exceptions(), ties(small)) == (False, True)


def forget(small: Small) -> None:
    """Throw every conclusion about matches away; facts stay."""
    with small.ledger.session() as session:
        for table in ("members", "groups"):
            session.execute(text(f"DELETE FROM {table}"))


def test_decisions_are_facts_conclusions_are_derived_from(small: Small) -> None:
    small.book("RE-2026-00001", 1000, DAY)
    small.book("RE-2026-00002", 2000, DAY)
    small.book("CB-3", 50000, DAY)
    small.sync()
    _, _, third = small.statement(
        DAY, (1000, "RE-2026-00001"), (2000, "RE-2026-00002"), (20000, "on account")
    )
    small.reconcile()
    by_hand(small, third, "CB-3", amounts="CB-3=200.00")
    with small.ledger.session() as session:
        wrong = next(r["id"] for r in match_rows(session) if r["items"] == "RE-2026-00001")
    undo(small.ledger, [wrong], "anna", "no")
    small.reconcile()
    before = (
        sorted(s for _, s in groups(small) if s == "confirmed"),
        left(small),
        small.sections(),
    )
    forget(small)
    small.reconcile()
    after = (sorted(s for _, s in groups(small) if s == "confirmed"), left(small), small.sections())
    assert after == before
    assert ties(small)


def test_a_persons_match_of_a_shared_item_is_carried_out_before_any_accounts_run(
    fresh_ledger: Ledger,
) -> None:
    """Replay in any order: another account of the company must not take what a person gave."""
    main, other = Small(fresh_ledger), Small(fresh_ledger, code="NORD-EUR-COLL")
    main.book("RE-2026-00001", 1000, DAY, kind="receivable")
    main.sync()
    (entry,) = main.statement(DAY, (1000, "no word of it"))
    other.statement(DAY, (1000, "RE-2026-00001"))
    by_hand(main, entry, "RE-2026-00001")
    for runs in ((other, main), (main, other)):
        forget(main)
        for one in runs:
            one.reconcile()
        assert groups(main) == [("manual", "confirmed")]


def test_a_proposed_match_of_the_ladder_is_a_persons_to_decide(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from tieout.matching import ladder as ladders

    plain = ladders.load("default")
    careful = replace(plain, rungs=tuple(replace(r, state="proposed") for r in plain.rungs))
    monkeypatch.setattr("tieout.stages.reconcile.ladders.load", lambda name: careful)
    small.book("RE-2026-00001", 1000, DAY)
    small.sync()
    (entry,) = small.statement(DAY, (1000, "RE-2026-00001"))
    small.reconcile()
    assert small.exceptions() == {entry: "MATCH_PROPOSED"}
    assert small.sections() == {"in_transit": 1000, "exceptions": 1000}
    group = only(small, "reference")
    confirm(small.ledger, [group.group_id], "anna")
    assert not small.reconcile().groups
    assert (small.sections(), small.exceptions()) == ({}, {})
    undo(small.ledger, [group.group_id], "anna", "no")
    small.reconcile()
    assert groups(small) == [("reference", "undone")]
    small.book("RE-2026-00009", 7, DAY)
    small.sync()
    small.statement(NEXT, (7, "RE-2026-00009"))
    small.reconcile(NEXT)
    second = next(g for g in groups(small) if g[1] == "proposed")
    del small.items["RE-2026-00009"]
    small.sync()
    small.reconcile(NEXT)
    assert second not in groups(small), "a proposal that is not derived any more is withdrawn"


def test_the_books_facts_are_what_people_see(small: Small) -> None:
    small.book("CB-1", 1000, DAY, counterparty_name="Kessler KG")
    small.sync()
    small.statement(DAY, (1000, "x"))
    with small.ledger.session() as session:
        rows = open_rows(session, small.code, DAY)
        assert [(r["side"], r["amount"]) for r in rows] == [
            ("entry", "10.00 EUR"),
            ("cash_book", "10.00 EUR"),
        ]
        assert session.scalars(select(ItemRow.item_id)).one() == rows[1]["id"]
        with pytest.raises(TieoutError, match="ACCOUNT_UNKNOWN"):
            open_rows(session, "NOPE", DAY)
        with pytest.raises(TieoutError, match="MATCH_STATE"):
            match_rows(session, state="done")
