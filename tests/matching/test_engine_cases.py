"""Cases that need more than a line of text: reversals, returns, transfers, exchange, people's no."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.matching import world
from tieout.canonical import DETAILS, ENTRIES, ITEMS, table
from tieout.matching import engine, ladder

OWN = "DE00111122223333444455"
OTHER = "DE00111122223333444466"


def entry(own: str, day: str, amount: str, **facts: Any) -> dict[str, Any]:
    """An entry and, under the names of `DETAILS`, the facts of its only payment."""
    base = {"account_id": OWN, "currency": "EUR", "booked_on": date.fromisoformat(day)}
    return {**base, "entry_id": own, "amount": Decimal(amount), **facts}


def item(own: str, day: str, amount: str, **facts: Any) -> dict[str, Any]:
    base = {"account_id": OWN, "currency": "EUR", "booked_on": date.fromisoformat(day)}
    return {**base, "item_id": own, "amount": Decimal(amount), "kind": "receivable", **facts}


def run(
    bank: list[dict[str, Any]],
    books: list[dict[str, Any]],
    forbidden: list[tuple[str, str]] | None = None,
) -> engine.Result:
    details = [{"detail_id": f"{e['entry_id']}-d", **e, "narrative": e.get("text")} for e in bank]
    pairs = None
    if forbidden is not None:
        pairs = pa.table(
            {"entry_id": [e for e, _ in forbidden], "item_id": [i for _, i in forbidden]}
        )
    return engine.match(
        table(bank, ENTRIES),
        table(details, DETAILS),
        table(books, ITEMS),
        ladder.load(),
        forbidden=pairs,
    )


def said(*given: Any) -> str:
    return world.said(run(*given))


def test_a_reversal_takes_its_original_back() -> None:
    bank = [
        entry("B1", "2026-11-18", "-50.00", end_to_end_id="E2E-4711"),
        entry("B2", "2026-11-20", "50.00", end_to_end_id="E2E-4711", reversal=True),
    ]
    assert said(bank, []) == "B1+B2 =  by reversal"


def test_money_that_comes_back_without_saying_so_is_no_reversal() -> None:
    bank = [
        entry("B1", "2026-11-18", "-50.00", end_to_end_id="E2E-4711"),
        entry("B2", "2026-11-20", "50.00", end_to_end_id="E2E-4711"),
    ]
    assert said(bank, []) == ""


def test_a_priority_payment_is_no_return() -> None:
    bank = [
        entry("B1", "2026-11-18", "-50.00", end_to_end_id="E2E-4711"),
        entry("B2", "2026-11-20", "50.00", end_to_end_id="E2E-4711", code_subfamily="PRCT"),
    ]
    assert said(bank, []) == ""


def test_a_reversal_of_a_fee_is_known_by_its_text() -> None:
    bank = [
        entry("B1", "2026-11-18", "-5.00", narrative="Entgelt Kontoauszug"),
        entry("B2", "2026-11-19", "5.00", narrative="STORNO Entgelt Kontoauszug", reversal=True),
    ]
    assert said(bank, []) == "B1+B2 =  by reversal_alike"


def test_two_originals_for_one_reversal_are_refused() -> None:
    bank = [
        entry("B1", "2026-11-18", "-50.00", end_to_end_id="E2E-4711"),
        entry("B2", "2026-11-18", "-50.00", end_to_end_id="E2E-4711"),
        entry("B3", "2026-11-20", "50.00", end_to_end_id="E2E-4711", reversal=True),
    ]
    assert said(bank, []) == "B1+B2+B3 ?  by reversal"


def test_a_returned_payment_leaves_its_open_document_owed() -> None:
    bank = [
        entry("B1", "2026-11-18", "-50.00", end_to_end_id="E2E-4711"),
        entry("B2", "2026-11-20", "50.00", end_to_end_id="E2E-4711", return_reason="AC04"),
    ]
    owed = [item("K1", "2026-11-01", "-50.00", kind="payable", end_to_end_id="E2E-4711")]
    assert said(bank, owed) == "B1+B2 =  by returned"


def test_a_returned_payment_that_is_booked_meets_its_line() -> None:
    bank = [
        entry("B1", "2026-11-18", "-50.00", end_to_end_id="E2E-4711"),
        entry("B2", "2026-11-20", "50.00", end_to_end_id="E2E-4711", return_reason="AC04"),
    ]
    booked = [item("K1", "2026-11-18", "-50.00", kind="cash_book", end_to_end_id="E2E-4711")]
    assert said(bank, booked) == "B1 = K1 by payment_reference"


def test_a_return_less_what_a_bank_took() -> None:
    bank = [
        entry("B1", "2026-11-18", "-500.00", end_to_end_id="E2E-4711"),
        entry("B2", "2026-11-20", "492.50", end_to_end_id="E2E-4711", code_subfamily="RRTN"),
    ]
    assert said(bank, []) == "B1+B2 =  by return_with_charges charge -7.5"


def test_both_ends_of_a_transfer_of_our_own() -> None:
    bank = [
        entry("B1", "2026-11-18", "-1000.00", counterparty_account=OTHER),
        entry("B2", "2026-11-19", "1000.00", account_id=OTHER, counterparty_account=OWN),
        entry("B3", "2026-11-19", "1000.00", account_id=OTHER, counterparty_account="DE77"),
    ]
    assert said(bank, []) == "B1+B2 =  by own_transfer"


def test_the_original_amount_is_the_items() -> None:
    bank = [
        entry(
            "B1",
            "2026-11-20",
            "-923.45",
            end_to_end_id="INV-4711",
            original_amount=Decimal("1000"),
            original_currency="USD",
        )
    ]
    owed = [
        item("K1", "2026-11-01", "-1000.00", currency="USD", kind="payable", document_no="INV-4711")
    ]
    result = run(bank, owed)
    assert world.said(result) == "B1 = K1 by original_amount"
    assert "exchanged 1000 USD" in result.groups["evidence"].to_pylist()[0]
    assert {m["amount"] for m in result.members.to_pylist()} == {Decimal("-923.45000")}


def test_the_banks_rate_is_nearly_ours() -> None:
    facts = {"original_amount": Decimal("1000"), "original_currency": "USD"}
    bank = [entry("B1", "2026-11-20", "-923.45", end_to_end_id="INV-4711", **facts)]
    owed = [item("K1", "2026-11-01", "-910.00", kind="payable", document_no="INV-4711")]
    assert said(bank, owed) == "B1 = K1 by reference_with_charges fx_difference -13.45"


@pytest.mark.parametrize("times", [1, 3])
def test_what_people_forbid_is_no_match_and_no_rival(times: int) -> None:
    bank = [entry("B1", "2026-11-20", "70.00", end_to_end_id="RE-2026-00001")]
    books = [
        item("K1", "2026-11-01", "70.00", document_no="RE-2026-00001"),
        item("K2", "2026-11-01", "70.00", reference=["RE-2026-00001"]),
    ]
    assert said(bank, books) == "B1 ? K1+K2 by reference"
    assert said(bank, books, [("B1", "K1")] * times) == "B1 = K2 by reference"
    assert said(bank, books, [("B1", "K1"), ("B1", "K2")] * times) == ""


def test_a_group_that_holds_a_forbidden_pair_is_none() -> None:
    bank = [entry("B1", "2026-11-20", "-30.00", payment_info_id="RUN-20261118")]
    books = [
        item(f"K{n}", "2026-11-18", f"-{n}0.00", kind="cash_book", payment_batch_id="RUN-20261118")
        for n in (1, 2)
    ]
    assert said(bank, books) == "B1 = K1+K2 by batch_run"
    assert "batch_run" not in said(bank, books, [("B1", "K2")])


def test_a_pathological_counterparty_is_bounded_and_said() -> None:
    count = 20_000
    bank = [
        entry(f"B{n:06d}", "2026-11-20", "-9.99", counterparty_name="Abo") for n in range(count)
    ]
    books = [
        item(f"K{n:06d}", "2026-11-20", "-9.99", kind="cash_book", counterparty_name="Abo")
        for n in range(count)
    ]
    result = run(bank, books)
    assert len(result.groups) == 0
    rows = result.refused.to_pylist()
    assert {row["reason"] for row in rows} == {"too_many"}
    assert max(len(row["entry_ids"]) for row in rows) == count


@pytest.mark.parametrize(
    ("theirs", "ours", "same"),
    [
        ("Rothwig Fleischerei Flensburg AG", "Langhauer Fleischerei Flensburg AB", False),
        ("Mairfels Reifen Lübeck GmbH & Co. KG", "Mairreich Reifen Lübeck OHG", False),
        ("Kupferlund Werkzeuge Plauen e.K.", "Kupferstein Werkzeuge Plauen S.A.", False),
        ("KRONLACH ELEKTROTECHNIK ODE", "Kronlach Elektrotechnik Odense B.V.", True),
        ("Kronlach Elektrotechn. Odense", "Kronlach Elektrotechnik Odense B.V.", True),
        ("ZAHRADNIK LUKASZ OSTBYGG", "Łukasz Zahradník Østbygg", True),
        ("Odense Kronlach Elektrotehnik", "Kronlach Elektrotechnik Odense B.V.", True),
    ],
)
def test_companies_of_one_trade_and_town_are_two(theirs: str, ours: str, same: bool) -> None:
    """Trade and town make names similar; the word that tells companies apart decides."""
    bank = [entry("B1", "2026-11-18", "419.90", counterparty_name=theirs)]
    books = [item("I1", "2026-11-01", "419.90", due_on=date(2026, 11, 20), counterparty_name=ours)]
    expected = "B1 = I1 by amount_and_party_due" if same else ""
    assert said(bank, books) == expected


def test_names_only_alike_do_not_stand_against_accounts_that_differ() -> None:
    """An equal name may pay from another account; one that is only similar may not."""
    for name, expected in (
        ("Meyerfels Reifen", "B1 = I1 by amount_and_party_due"),
        ("Meierfels Reifen", ""),
    ):
        bank = [
            entry("B1", "2026-11-18", "419.90", counterparty_name=name, counterparty_account=OTHER)
        ]
        books = [
            item(
                "I1",
                "2026-11-01",
                "419.90",
                due_on=date(2026, 11, 20),
                counterparty_name="Meyerfels Reifen",
                counterparty_account="DE00111122223333444477",
            )
        ]
        assert said(bank, books) == expected


def test_a_company_that_is_only_similar_still_makes_a_pair_doubtful() -> None:
    bank = [entry("B1", "2026-11-18", "419.90", counterparty_name="Mairfels Reifen Lübeck")]
    due = date(2026, 11, 20)
    books = [
        item("I1", "2026-11-01", "419.90", due_on=due, counterparty_name="Mairfels Reifen Lübeck"),
        item("I2", "2026-11-01", "419.90", due_on=due, counterparty_name="Mairreich Reifen Lübeck"),
    ]
    assert said(bank, books) == "B1 ? I1+I2 by amount_and_party_due"
