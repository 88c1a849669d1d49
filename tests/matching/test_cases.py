"""What matches, what is refused and what stays open, as an accountant would write it down."""

from __future__ import annotations

import json
from decimal import Decimal
from textwrap import dedent

import pyarrow as pa
import pytest

from tests.matching import world
from tieout.canonical import ENTRIES, table
from tieout.errors import InputError
from tieout.matching import engine, ladder

CASES = {
    "one reference, one amount": (
        "B1 | 2026-11-20 | -119.00 | E2E-4711",
        "K1 | 2026-11-19 | -119.00 | cash_book | | e2e 4711",
        "B1 = K1 by payment_reference",
    ),
    "separators and case do not count, leading zeros do": (
        """
        B1 | 2026-11-20 | -10.00 | inv-0417
        B2 | 2026-11-20 | -10.00 | INV/417
        """,
        """
        K1 | 2026-06-01 | -10.00 | cash_book | INV 0417
        K2 | 2026-06-01 | -10.00 | cash_book | INV 417
        """,
        "B1 = K1 by reference\nB2 = K2 by reference",
    ),
    "no reference is no reference": (
        "B1 | 2026-11-20 | 50.00 | NOTPROVIDED",
        "K1 | 2026-06-01 | 50.00 | cash_book | | NOTPROVIDED",
        "",
    ),
    "document number in the text": (
        "B1 | 2026-11-20 | 1190.00 | | Kran AG | Zahlung RE-2026-00417 vom 03.11. Danke",
        "K1 | 2026-10-03 | 1190.00 | receivable | RE-2026-00417",
        "B1 = K1 by reference",
    ),
    "document number over two lines": (
        "B1 | 2026-11-20 | 1190.00 | | | ZAHLUNG RE-2026-00\\n417 DANKE",
        "K1 | 2026-10-03 | 1190.00 | receivable | RE-2026-00417",
        "B1 = K1 by reference",
    ),
    "the amount in the other direction is another thing": (
        "B1 | 2026-11-20 | 119.00 | E2E-4711",
        "K1 | 2026-11-19 | -119.00 | cash_book | | E2E-4711",
        "",
    ),
    "twins against one item are refused": (
        """
        B1 | 2026-11-20 | 500.00 | RE-2026-00500
        B2 | 2026-11-20 | 500.00 | RE-2026-00500
        """,
        "K1 | 2026-11-01 | 500.00 | receivable | RE-2026-00500",
        "B1+B2 ? K1 by reference",
    ),
    "one entry against two equal items is refused": (
        "B1 | 2026-11-20 | 500.00 | RENT-2026",
        """
        K1 | 2026-10-01 | 500.00 | cash_book | RENT-2026
        K2 | 2026-11-01 | 500.00 | cash_book | RENT-2026
        """,
        "B1 ? K1+K2 by reference",
    ),
    "what was refused is kept from weaker rungs": (
        """
        B1 | 2026-11-20 | 500.00 | RE-2026-00500 | Kran AG
        B2 | 2026-11-20 | 500.00 | RE-2026-00500 | Kran AG
        """,
        """
        K1 | 2026-11-20 | 500.00 | cash_book | RE-2026-00500 | | | Kran AG
        K2 | 2026-11-19 | 500.00 | cash_book | OTHER-1 | | | Kran AG
        """,
        "B1+B2 ? K1 by reference",
    ),
    "two references that point to two items are refused": (
        "B1 | 2026-11-20 | 70.00 | | | RE-2026-00001 RE-2026-00002",
        """
        K1 | 2026-11-01 | 70.00 | receivable | RE-2026-00001
        K2 | 2026-11-01 | 70.00 | receivable | RE-2026-00002
        """,
        "B1 ? K1+K2 by reference",
    ),
    "the cash book goes before the open invoice": (
        "B1 | 2026-11-20 | 300.00 | RE-2026-00300",
        """
        K1 | 2026-11-01 | 300.00 | receivable | RE-2026-00300
        K2 | 2026-11-19 | 300.00 | cash_book | RE-2026-00300
        """,
        "B1 = K2 by reference",
    ),
    "a fee kept on the way": (
        "B1 | 2026-11-20 | 987.50 | RE-2026-01000",
        "K1 | 2026-11-18 | 1000.00 | cash_book | RE-2026-01000",
        "B1 = K1 by reference_with_charges charge -12.5",
    ),
    "a cent is rounding, in both directions": (
        """
        B1 | 2026-11-20 | -99.99 | RE-2026-00001
        B2 | 2026-11-20 | -50.01 | RE-2026-00002
        """,
        """
        K1 | 2026-11-18 | -100.00 | cash_book | RE-2026-00001
        K2 | 2026-11-18 | -50.00 | cash_book | RE-2026-00002
        """,
        "B1 = K1 by reference_with_charges rounding 0.01\n"
        "B2 = K2 by reference_with_charges rounding -0.01",
    ),
    "too much is not a fee": (
        """
        B1 | 2026-11-20 | 960.00 | RE-2026-00001
        B2 | 2026-11-20 | 90.00 | RE-2026-00002
        B3 | 2026-11-20 | 101.00 | RE-2026-00003
        """,
        """
        K1 | 2026-11-18 | 1000.00 | cash_book | RE-2026-00001
        K2 | 2026-11-18 | 100.00 | cash_book | RE-2026-00002
        K3 | 2026-11-18 | 100.00 | cash_book | RE-2026-00003
        """,
        "",
    ),
    "two payments short against one item are refused": (
        """
        B1 | 2026-11-20 | 990.00 | RE-2026-00001
        B2 | 2026-11-20 | 995.00 | RE-2026-00001
        """,
        "K1 | 2026-11-18 | 1000.00 | cash_book | RE-2026-00001",
        "B1+B2 ? K1 by reference_with_charges",
    ),
    "a payment run booked in one sum": (
        "B1 | 2026-11-20 | -60.00 | RUN-20261118",
        """
        K1 | 2026-11-18 | -10.00 | cash_book | A-1001 | | RUN-20261118
        K2 | 2026-11-18 | -20.00 | cash_book | A-1002 | | RUN-20261118
        K3 | 2026-11-18 | -30.00 | cash_book | A-1003 | | RUN-20261118
        """,
        "B1 = K1+K2+K3 by batch_run",
    ),
    "a credit note inside the run is netted": (
        "B1 | 2026-11-20 | -25.00 | RUN-20261118",
        """
        K1 | 2026-11-18 | -30.00 | cash_book | A-1001 | | RUN-20261118
        K2 | 2026-11-18 | 5.00 | cash_book | C-1002 | | RUN-20261118
        """,
        "B1 = K1+K2 by batch_run",
    ),
    "a run and what the bank took for it": (
        "B1 | 2026-11-20 | -61.00 | RUN-20261118",
        """
        K1 | 2026-11-18 | -10.00 | cash_book | A-1001 | | RUN-20261118
        K2 | 2026-11-18 | -50.00 | cash_book | A-1002 | | RUN-20261118
        """,
        "B1 = K1+K2 by run_with_charges charge -1",
    ),
    "a run short by what one of its items is stays open": (
        "B1 | 2026-11-20 | -61.00 | RUN-20261118",
        """
        K1 | 2026-11-18 | -1.00 | cash_book | A-1001 | | RUN-20261118
        K2 | 2026-11-18 | -59.00 | cash_book | A-1002 | | RUN-20261118
        """,
        "",
    ),
    "a run that does not add up stays open": (
        "B1 | 2026-11-20 | -66.00 | RUN-20261118",
        """
        K1 | 2026-11-18 | -10.00 | cash_book | A-1001 | | RUN-20261118
        K2 | 2026-11-18 | -50.00 | cash_book | A-1002 | | RUN-20261118
        """,
        "",
    ),
    "two equal entries for one run are refused": (
        """
        B1 | 2026-11-20 | -30.00 | RUN-20261118
        B2 | 2026-11-20 | -30.00 | RUN-20261118
        """,
        """
        K1 | 2026-11-18 | -10.00 | cash_book | A-1001 | | RUN-20261118
        K2 | 2026-11-18 | -20.00 | cash_book | A-1002 | | RUN-20261118
        """,
        "B1+B2 ? K1+K2 by batch_run",
    ),
    "each payment inside an entry has its own item": (
        """
        B1   | 2026-11-20 | -30.00
        B1.1 | 2026-11-20 | -10.00 | E2E-1001
        B1.2 | 2026-11-20 | -20.00 | E2E-1002
        """,
        """
        K1 | 2026-11-18 | -10.00 | cash_book | | E2E-1001
        K2 | 2026-11-18 | -20.00 | cash_book | | E2E-1002
        K3 | 2026-11-18 | -20.00 | cash_book | | E2E-1003
        """,
        "B1 = K1+K2 by batch_details",
    ),
    "an entry with one payment missing in the books stays open": (
        """
        B1   | 2026-11-20 | -30.00
        B1.1 | 2026-11-20 | -10.00 | E2E-1001
        B1.2 | 2026-11-20 | -20.00 | E2E-1002
        """,
        "K1 | 2026-11-18 | -10.00 | cash_book | | E2E-1001",
        "",
    ),
    "a tie inside an entry refuses all of it": (
        """
        B1   | 2026-11-20 | -30.00
        B1.1 | 2026-11-20 | -10.00 | E2E-1001
        B1.2 | 2026-11-20 | -20.00 | E2E-1002
        """,
        """
        K1 | 2026-11-18 | -10.00 | cash_book | | E2E-1001
        K2 | 2026-11-18 | -20.00 | cash_book | | E2E-1002
        K3 | 2026-11-18 | -20.00 | cash_book | | E2E-1002
        """,
        "B1 ? K2+K3 by batch_details",
    ),
    "amount, party and time": (
        "B1 | 2026-11-20 | -2310.00 | | LAGERHOF VERWALTUNG KG",
        "K1 | 2026-11-13 | -2310.00 | cash_book | | | | Lagerhof Verwaltung",
        "B1 = K1 by amount_and_party",
    ),
    "umlauts and word order do not count": (
        "B1 | 2026-11-20 | -2310.00 | | BESCHLAEGE KERN GMBH",
        "K1 | 2026-11-20 | -2310.00 | cash_book | | | | Kern Beschläge",
        "B1 = K1 by amount_and_party",
    ),
    "too many banking days apart": (
        "B1 | 2026-11-20 | -2310.00 | | Lagerhof KG",
        "K1 | 2026-11-12 | -2310.00 | cash_book | | | | Lagerhof KG",
        "",
    ),
    "a legal form in common is nothing in common": (
        "B1 | 2026-11-20 | 100.00 | | Alpha ApS",
        "K1 | 2026-11-20 | 100.00 | cash_book | | | | Borealis ApS",
        "B1 ~ K1 by amount_alone",
    ),
    "an amount alone proves nothing": (
        "B1 | 2026-11-20 | 100.00",
        "K1 | 2026-11-20 | 100.00 | cash_book",
        "B1 ~ K1 by amount_alone",
    ),
    "equal amounts to two parties are told apart by their names": (
        """
        B1 | 2026-11-20 | -100.00 | | Alpha Bau
        B2 | 2026-11-20 | -100.00 | | Borealis Druck
        """,
        """
        K1 | 2026-11-20 | -100.00 | cash_book | | | | Alpha Bau
        K2 | 2026-11-20 | -100.00 | cash_book | | | | Borealis Druck
        """,
        "B1 = K1 by amount_and_party\nB2 = K2 by amount_and_party",
    ),
    "one payment for several documents it names": (
        "B1 | 2026-11-20 | 60.00 | | | RE-2026-00001 RE-2026-00002 und RE-2026-00003",
        """
        K1 | 2026-11-01 | 10.00 | receivable | RE-2026-00001
        K2 | 2026-11-01 | 20.00 | receivable | RE-2026-00002
        K3 | 2026-11-01 | 30.00 | receivable | RE-2026-00003
        """,
        "B1 = K1+K2+K3 by references_together",
    ),
    "documents named by their last digits": (
        "B1 | 2026-11-20 | 30.00 | | | Rechnungen RE-2026-00071/72 vielen Dank",
        """
        K1 | 2026-11-01 | 10.00 | receivable | RE-2026-00071
        K2 | 2026-11-01 | 20.00 | receivable | RE-2026-00072
        """,
        "B1 = K1+K2 by references_together",
    ),
    "a date after a number is no more numbers": (
        "B1 | 2026-11-20 | 30.00 | | | RE-2026-00071/72.11.2026",
        """
        K1 | 2026-11-01 | 10.00 | receivable | RE-2026-00071
        K2 | 2026-11-01 | 20.00 | receivable | RE-2026-00072
        """,
        "",
    ),
    "two instalments of one document": (
        """
        B1 | 2026-11-19 | 40.00 | RE-2026-00001
        B2 | 2026-11-20 | 60.00 | RE-2026-00001
        """,
        "K1 | 2026-11-01 | 100.00 | receivable | RE-2026-00001",
        "B1+B2 = K1 by references_together",
    ),
    "many to many by what they name": (
        """
        B1 | 2026-11-19 | 70.00 | | | RE-2026-00001 RE-2026-00002
        B2 | 2026-11-20 | 30.00 | RE-2026-00002
        """,
        """
        K1 | 2026-11-01 | 60.00 | receivable | RE-2026-00001
        K2 | 2026-11-01 | 40.00 | receivable | RE-2026-00002
        """,
        "B1+B2 = K1+K2 by references_together",
    ),
    "a credit note is netted where the payer names it": (
        "B1 | 2026-11-20 | 80.00 | | | RE-2026-00001 abzgl. GS-2026-00007",
        """
        K1 | 2026-11-01 | 100.00 | receivable | RE-2026-00001
        K2 | 2026-11-02 | -20.00 | receivable | GS-2026-00007
        """,
        "B1 = K1+K2 by references_together",
    ),
    "discount of two percent": (
        "B1 | 2026-11-20 | 980.00 | | | RE-2026-00001 abz. 2 % Skonto",
        "K1 | 2026-11-01 | 1000.00 | receivable | RE-2026-00001",
        "B1 = K1 by reference_with_charges charge -20",
    ),
    "discount on what we pay is less, too": (
        "B1 | 2026-11-20 | -2940.00 | | | RE-2026-00001",
        "K1 | 2026-11-01 | -3000.00 | payable | RE-2026-00001",
        "B1 = K1 by reference_with_discount discount 60",
    ),
    "short by more than a discount, and the payer is the same": (
        "B1 | 2026-11-20 | 940.00 | RE-2026-00001 | Kran AG",
        "K1 | 2026-11-01 | 1000.00 | receivable | RE-2026-00001 | | | Kran AG",
        "B1 = K1 by reference_short_or_over short_payment -60",
    ),
    "short, and from somebody else": (
        "B1 | 2026-11-20 | 940.00 | RE-2026-00001 | Kran AG",
        "K1 | 2026-11-01 | 1000.00 | receivable | RE-2026-00001 | | | Lagerhof KG",
        "",
    ),
    "one of several documents it names is not paid but for a fee": (
        "B1 | 2026-11-20 | 99.00 | | | RE-2026-00001 RE-2026-00002",
        """
        K1 | 2026-11-01 | 100.00 | receivable | RE-2026-00001
        K2 | 2026-11-01 | 40.00 | receivable | RE-2026-00002
        """,
        "",
    ),
    "leading zeros do not count where the amount and the time fit": (
        "B1 | 2026-11-20 | 75.00 | 417123",
        "K1 | 2026-11-01 | 75.00 | receivable | 0000417123",
        "B1 = K1 by number",
    ),
    "a creditor reference as people and as machines write it": (
        "B1 | 2026-11-20 | 75.00 | RF58 NORD 2026 4711",
        "K1 | 2026-11-01 | 75.00 | receivable | RF58NORD20264711",
        "B1 = K1 by reference",
    ),
    "a Belgian reference with and without its signs": (
        "B1 | 2026-11-20 | 75.00 | +++471/1002/02619+++",
        "K1 | 2026-11-01 | 75.00 | receivable | 471100202619",
        "B1 = K1 by creditor_reference",
    ),
    "a run the bank does not name": (
        "B1 | 2026-11-18 | -60.00 | | | SAMMELUEBERWEISUNG",
        """
        K1 | 2026-11-18 | -10.00 | cash_book | A-1001 | | RUN-20261118
        K2 | 2026-11-18 | -20.00 | cash_book | A-1002 | | RUN-20261118
        K3 | 2026-11-18 | -30.00 | cash_book | A-1003 | | RUN-20261118
        """,
        "B1 = K1+K2+K3 by run_total",
    ),
    "payments inside an entry known by their parties": (
        """
        B1   | 2026-11-20 | -30.00
        B1.1 | 2026-11-20 | -10.00 | | Alpha Bau
        B1.2 | 2026-11-20 | -20.00 | | Borealis Druck
        """,
        """
        K1 | 2026-11-18 | -10.00 | cash_book | | | | Alpha Bau
        K2 | 2026-11-18 | -20.00 | cash_book | | | | Borealis Druck
        """,
        "B1 = K1+K2 by details_and_party",
    ),
    "the only items of the payer that add up": (
        "B1 | 2026-11-20 | 1753.03 | | Sommerhaas Entsorgung",
        """
        K1 | 2026-11-01 | 1399.90 | receivable | AR-1001 | | | Sommerhaas Entsorgung AG
        K2 | 2026-11-02 | 353.13 | receivable | AR-1002 | | | Sommerhaas Entsorgung AG
        K3 | 2026-11-03 | 77.77 | receivable | AR-1003 | | | Sommerhaas Entsorgung AG
        """,
        "B1 = K1+K2 by sum_of_party",
    ),
    "two choices that add up are told and not chosen from": (
        "B1 | 2026-11-20 | 9812.37 | | Kran AG",
        """
        K1 | 2026-11-01 | 9000.11 | receivable | AR-1001 | | | Kran AG
        K2 | 2026-11-02 | 812.26 | receivable | AR-1002 | | | Kran AG
        K3 | 2026-11-03 | 812.26 | receivable | AR-1003 | | | Kran AG
        """,
        "B1 ? K1+K2+K3 by sum_of_party",
    ),
    "one item, or two others of the party, come to the same": (
        "B1 | 2026-11-20 | 600.00 | | Kran AG",
        """
        K1 | 2026-11-01 | 600.00 | receivable | AR-1001 | | | Kran AG
        K2 | 2026-11-02 | 400.00 | receivable | AR-1002 | | | Kran AG
        K3 | 2026-11-03 | 200.00 | receivable | AR-1003 | | | Kran AG
        """,
        "B1 ? K1+K2+K3 by amount_and_party_due",
    ),
    "rents of several months are not told apart by a long window": (
        "B1 | 2026-11-20 | 900.00 | | Kran AG",
        """
        K1 | 2026-11-01 | 900.00 | receivable | AR-1001 | | | Kran AG
        K2 | 2026-05-01 | 900.00 | receivable | AR-1002 | | | Kran AG
        """,
        "B1 ? K1+K2 by amount_and_party_due",
    ),
    "what the payer says is against what the amount says": (
        "B1 | 2026-11-20 | 500.00 | | Kran AG | Zahlung RE-2026-00002",
        """
        K1 | 2026-11-01 | 500.00 | receivable | RE-2026-00001 | | | Kran AG
        K2 | 2026-11-01 | 900.00 | receivable | RE-2026-00002 | | | Kran AG
        """,
        "",
    ),
    "a credit note in the books takes its invoice back": (
        "B1 | 2026-11-20 | 1.00",
        """
        K1 | 2026-11-01 | 500.00 | receivable | RE-2026-00001
        K2 | 2026-11-05 | -500.00 | receivable | RE-2026-00001
        """,
        "= K1+K2 by credit_note",
    ),
    "two equal payments of one party are refused": (
        """
        B1 | 2026-11-20 | -100.00 | | Alpha Bau
        B2 | 2026-11-20 | -100.00 | | Alpha Bau
        """,
        """
        K1 | 2026-11-20 | -100.00 | cash_book | | | | Alpha Bau
        K2 | 2026-11-20 | -100.00 | cash_book | | | | Alpha Bau
        """,
        "B1+B2 ? K1+K2 by amount_and_party",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    bank, books, expected = CASES[name]
    assert world.run(dedent(bank), dedent(books)) == expected


def test_account_and_currency_always_agree() -> None:
    entries, details, items = world.tables(
        "B1 | 2026-11-20 | -10.00 | E2E-1001", "K1 | 2026-11-20 | -10.00 | | | E2E-1001"
    )
    rules = ladder.load()
    for column, other in (("account_id", "DE99"), ("currency", "USD")):
        place = items.schema.get_field_index(column)
        moved = items.set_column(place, column, pa.array([other]))
        assert world.said(engine.match(entries, details, moved, rules)) == ""


def test_an_item_without_account_fits_any_but_only_one() -> None:
    rules = ladder.load()
    entries, details, items = world.tables(
        "B1 | 2026-11-20 | 10.00 | RE-2026-1001\nB2 | 2026-11-20 | 10.00 | RE-2026-1001",
        "K1 | 2026-11-20 | 10.00 | receivable | RE-2026-1001",
    )
    place = items.schema.get_field_index("account_id")
    items = items.set_column(place, "account_id", pa.nulls(1, pa.string()))
    accounts = pa.array([world.ACCOUNT, "OTHER"])
    entries = entries.set_column(
        entries.schema.get_field_index("account_id"), "account_id", accounts
    )
    assert world.said(engine.match(entries, details, items, rules)) == "B1+B2 ? K1 by reference"
    one = entries.slice(0, 1)
    assert world.said(engine.match(one, details, items, rules)) == "B1 = K1 by reference"


def test_evidence_is_a_sentence_with_facts() -> None:
    result = engine.match(
        *world.tables(
            "B1 | 2026-11-20 | 987.50 | RE-2026-01000",
            "K1 | 2026-11-18 | 1000.00 | cash_book | RE-2026-01000",
        ),
        ladder.load(),
    )
    (group,) = result.groups.to_pylist()
    assert group["evidence"] == (
        "The reference RE202601000 agrees, the bank moved 12.50 EUR less for us (a bank charge); "
        "nothing else fits."
    )
    assert json.loads(group["facts"])["residual_class"] == "charge"
    assert group["residual"] == Decimal("-12.5")


def test_few_columns_are_enough() -> None:
    entries = pa.table(
        {
            "entry_id": ["B1"],
            "account_id": ["A"],
            "currency": ["JPY"],
            "amount": pa.array([Decimal("1200")]),
            "booked_on": pa.array([world.date(2026, 11, 20)]),
            "entry_ref": ["INV-2026-77"],
        }
    )
    items = pa.table(
        {
            "item_id": ["K1"],
            "account_id": ["A"],
            "currency": ["JPY"],
            "amount": pa.array([Decimal("1200")]),
            "document_no": ["INV-2026-77"],
        }
    )
    assert world.said(engine.match(entries, None, items, ladder.load())) == "B1 = K1 by reference"


def test_floating_point_money_is_refused() -> None:
    entries, details, items = world.tables("B1 | 2026-11-20 | 1.00", "K1 | 2026-11-20 | 1.00")
    place = items.schema.get_field_index("amount")
    floats = items.set_column(place, "amount", pa.array([1.0]))
    with pytest.raises(InputError, match="lost its cents"):
        engine.match(entries, details, floats, ladder.load())


def test_ids_must_be_unique() -> None:
    entries, details, items = world.tables("B1 | 2026-11-20 | 1.00", "K1 | 2026-11-20 | 1.00")
    twice = pa.concat_tables([items, items])
    with pytest.raises(InputError, match="'K1' stands there more than once"):
        engine.match(entries, details, twice, ladder.load())


def test_an_amount_that_does_not_fit_its_currency_is_said() -> None:
    rows = [
        {
            "entry_id": f"B{n}",
            "account_id": world.ACCOUNT,
            "currency": currency,
            "amount": Decimal(amount),
        }
        for n, (currency, amount) in enumerate([("EUR", "1.005"), ("XXX", "1"), ("EUR", "1")])
    ]
    _, _, items = world.tables("", "K1 | 2026-11-20 | 1.00")
    result = engine.match(table(rows, ENTRIES), None, items, ladder.load())
    told = {r["entry_ids"][0]: r["message"] for r in result.refused.to_pylist()}
    assert told == {
        "B0": "The entry cannot be weighed: its amount does not fit.",
        "B1": "The entry cannot be weighed: its currency is unknown.",
    }


def test_a_crowd_is_said_and_not_multiplied_out() -> None:
    count = 3000
    bank = "\n".join(f"B{n} | 2026-11-20 | -50.00 | | Alpha Bau" for n in range(count))
    books = "\n".join(f"K{n} | 2026-11-20 | -50.00 | | | | | Alpha Bau" for n in range(count))
    result = engine.match(*world.tables(bank, books), ladder.load())
    rows = result.refused.to_pylist()
    assert {row["reason"] for row in rows} == {"too_many"}
    assert rows[0]["rung"] == "amount_and_party"
    assert all(len(row["entry_ids"]) == len(row["item_ids"]) == count for row in rows)
    assert len(rows) <= len(ladder.load().rungs)
    assert len(result.groups) == 0
