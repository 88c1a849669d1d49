"""The day of the four EUR accounts, one function each (the USD account: `sandbox.story_usd`)."""

from __future__ import annotations

from sandbox.day import RATE_TEXT, Day, usd_to_eur
from sandbox.model import BankDetail, ExpenseReport
from sandbox.parties import make_iban
from sandbox.stories import (
    collection_run,
    detail_of,
    fee,
    interest,
    outgoing,
    payment,
    receipt,
    run_by_detail,
    run_by_total,
    waiting_payment,
    waiting_receipt,
)

__all__ = ["tell_collections", "tell_main", "tell_missing", "tell_payments", "tell_reserve"]

MAIN, COLL, PAY, SAVE = "NORD-EUR-MAIN", "NORD-EUR-COLL", "NORD-EUR-PAY", "NORD-EUR-SAVE"


def tell_main(day: Day) -> None:
    """The main account: two payment runs, FX, a payment short by charges, an unknown credit."""
    run_by_detail(day, MAIN, "PR-20261120-01", 6)
    run_by_total(day, MAIN, "PR-20261120-02", (1, 2, 1, 2))
    for _ in range(4):
        receipt(day, MAIN, "structured")
    for value_days in (0, 0, 3, 0, 0, 3, 0):
        receipt(day, MAIN, "invoice", value_days=value_days)
    for _ in range(4):
        receipt(day, MAIN, "party")
    for _ in range(4):
        payment(day, MAIN, "end_to_end")
    payment(day, MAIN, "supplier_number")
    payment(day, MAIN, "party")
    _direct_debit(day, "Leasing Nordmark GmbH", "Leasingrate November", "NM-88-1734")
    _direct_debit(day, "Stadtwerke Hafenstadt", "Strom Abschlag November", "SWH0049127")
    _tax(day)
    _foreign_supplier(day)
    _short_paid(day)
    _unknown(day)
    fee(day, MAIN, 3490, "Kontoführung November 2026")
    fee(day, MAIN, 1850, "Entgelt Auslandszahlung")
    waiting_payment(day, MAIN)
    waiting_payment(day, MAIN)
    waiting_receipt(day, MAIN, deposit=True)


def _direct_debit(day: Day, creditor: str, text: str, mandate: str) -> None:
    """A supplier collects from us: the bank has the mandate, the books amount and name."""
    party = day.named(creditor)
    invoice = outgoing(day, party, 300, 4_000)
    minor = -invoice.amount_minor
    booked = f"Lastschrift {party.name}"
    document = day.cash(MAIN, party, minor, settles=invoice, narrative=booked)
    theirs = f"{mandate}-{day.rng.randrange(1000, 9999)}"
    detail = detail_of(party, minor, end_to_end_id=theirs, mandate_id=mandate, narrative=text)
    entry = day.entry(MAIN, "debit", detail)
    day.group("direct_debit", MAIN, [entry], [document, invoice.document_no])


def _tax(day: Day) -> None:
    """VAT of the month, paid without an invoice."""
    party, ours = day.named("Finanzamt Hafenstadt"), day.end_to_end()
    minor, text = -day.amount(9_000, 30_000), "Umsatzsteuer 10/2026 St.-Nr. 27/123/04567"
    document = day.cash(MAIN, party, minor, end_to_end_id=ours, narrative=text)
    detail = detail_of(party, minor, end_to_end_id=ours, narrative=text)
    day.group("tax", MAIN, [day.entry(MAIN, "payment", detail)], [document])


def _foreign_supplier(day: Day) -> None:
    """A USD invoice paid in EUR: the bank rounds up where the books round to the nearest cent."""
    party = day.party("supplier", us=True)
    while True:
        usd = day.rng.randrange(5_000, 12_000) * 100
        below_half = 0 < usd * 10_000 % 10_850 < 5_425
        if below_half and day.take(usd_to_eur(usd)):
            break
    invoice, ours = day.invoice(party, usd, currency="USD"), day.end_to_end()
    books = -usd_to_eur(usd)
    document = day.cash(
        MAIN,
        party,
        books,
        settles=invoice,
        end_to_end_id=ours,
        narrative=f"{invoice.narrative} {party.name} USD {usd // 100}.00",
    )
    detail = BankDetail(
        amount_minor=books - 1,
        party=party.name,
        party_bic=party.bic,
        end_to_end_id=ours,
        narrative=invoice.narrative,
        original_minor=-usd,
        original_currency="USD",
        fx_rate=RATE_TEXT,
    )
    numbers = [document, invoice.document_no]
    entry = day.entry(MAIN, "foreign_payment", detail)
    day.group("fx_rounding", MAIN, [entry], numbers, "rounding", -1)


def _short_paid(day: Day) -> None:
    """A customer abroad pays in full, a bank on the way keeps 12.50; the books have it all."""
    party = day.named("Moselstahl Remerbach S.A.")
    invoice = day.invoice(party, day.amount(6_000, 20_000))
    number, gross, kept = invoice.document_no, invoice.amount_minor, 1250
    text = f"Zahlungseingang {number}"
    document = day.cash(MAIN, party, gross, settles=invoice, narrative=text)
    detail = BankDetail(
        amount_minor=gross - kept,
        party=party.name,
        party_account=party.iban,
        party_bic=party.bic,
        narrative=f"Facture {number}",
        original_minor=gross,
        original_currency="EUR",
        charges_minor=kept,
    )
    entry = day.entry(MAIN, "foreign_receipt", detail)
    day.group("short_paid", MAIN, [entry], [document, number], "charge", -kept)


def _unknown(day: Day) -> None:
    """Money from someone the books have never heard of."""
    detail = BankDetail(
        amount_minor=day.amount(1_000, 8_000),
        party="Žemaitijos Krovos Įranga UAB",
        party_account=make_iban("LT", f"99001{day.rng.randrange(10**10):011d}"),
        party_bic="ZEMKLT20",
        narrative="Sutartis 2026/11-K",
    )
    entry = day.entry(MAIN, "foreign_receipt", detail)
    day.group("unknown", MAIN, [entry], [], "unknown")


def tell_collections(day: Day) -> None:
    """The collection account: a debit run, a tie, a return, a receipt the cash book lacks."""
    for _ in range(6):
        receipt(day, COLL, "structured", high=12_000)
    for _ in range(4):
        receipt(day, COLL, "invoice", high=12_000)
    for _ in range(2):
        receipt(day, COLL, "party", high=12_000)
    collection_run(day, COLL, "DD-20261120-01", 5)
    _tie(day)
    _returned(day)
    _unbooked_receipt(day)
    fee(day, COLL, 2275, "Kontoführungsentgelt 11/2026")
    waiting_receipt(day, COLL)


def _tie(day: Day) -> None:
    """A customer pays twice, word for word; one line in the cash book: which is it?"""
    party = day.party("customer")
    invoice = day.invoice(party, day.amount(1_000, 6_000))
    number, minor = invoice.document_no, invoice.amount_minor
    text = f"Zahlungseingang {number}"
    document = day.cash(COLL, party, minor, settles=invoice, narrative=text)
    detail = detail_of(party, minor, narrative=f"Rechnung {number}")
    entries = [day.entry(COLL, "receipt", detail) for _ in range(2)]
    day.group("paid_twice", COLL, entries, [document, number], "ambiguous")


def _returned(day: Day) -> None:
    """A payment of last week comes back: the payee's account is closed (AC04)."""
    party = day.party("supplier")
    detail = detail_of(
        party,
        day.amount(400, 3_000),
        end_to_end_id=f"NORD-261112-{day.rng.randrange(1, 400):04d}",
        narrative="Rückgabe: Konto erloschen",
        return_reason="AC04",
    )
    day.group("returned", COLL, [day.entry(COLL, "return", detail)], [], "returned")


def _unbooked_receipt(day: Day) -> None:
    """The bank has the money of an open invoice; nobody has booked the receipt."""
    party = day.party("customer")
    invoice = day.invoice(party, day.amount(2_000, 9_000))
    number = invoice.document_no
    detail = detail_of(party, invoice.amount_minor, narrative=f"Rechnung {number}")
    entry = day.entry(COLL, "receipt", detail)
    day.group("unbooked_receipt", COLL, [entry], [number], "receipt")


def tell_payments(day: Day, reports: tuple[ExpenseReport, ...]) -> None:
    """The payment account: expense reimbursements, a run shown as a sum, two identical fees."""
    for report in reports:
        party = day.named(f"{report.first_name} {report.last_name}")
        detail = detail_of(
            party,
            -report.reimbursable_minor,
            end_to_end_id=report.report_key,
            narrative=f"Reisekosten {report.report_key} {report.name}",
        )
        entry = day.entry(PAY, "payment", detail)
        day.group("reimbursement", PAY, [entry], [report.report_key], "expense")
    for _ in range(5):
        payment(day, PAY, "end_to_end")
    for _ in range(2):
        payment(day, PAY, "supplier_number")
    payment(day, PAY, "party")
    run_by_total(day, PAY, "PR-20261120-03", (1, 1, 1), shown=False)
    receipt(day, PAY, "party", high=2_000)
    for _ in range(2):
        fee(day, PAY, 490, "Entgelt Echtzeitüberweisung", bank_ref=False)
    fee(day, PAY, 1990, "Kontoführung 11/2026")
    interest(day, PAY, -day.rng.randrange(900, 4_000), "Sollzinsen 10/2026")
    waiting_payment(day, PAY)


def tell_reserve(day: Day) -> None:
    """The reserve account: rents and upkeep of let halls; the statement before is missing."""
    for _ in range(5):
        receipt(day, SAVE, "invoice", low=800, high=5_000)
    for _ in range(2):
        receipt(day, SAVE, "party", low=800, high=5_000)
    for _ in range(2):
        payment(day, SAVE, "end_to_end", high=2_500)
    payment(day, SAVE, "supplier_number", high=2_500)
    interest(day, SAVE, day.rng.randrange(4_200, 9_900), "Habenzinsen 10/2026")
    fee(day, SAVE, 750, "Entgelt Kontoauszüge")


def tell_missing(day: Day) -> None:
    """What the reserve account's missing statement holds; the books have it, the bank's file not.

    Its entries are told under the account code ``missing``; until it is delivered, its documents
    are in transit.
    """
    tenant = day.party("customer")
    rent = day.invoice(tenant, day.amount(2_000, 5_000))
    repair = outgoing(day, None, 300, 1_500)
    roofer, ours = day.named(repair.party), day.end_to_end()
    text = f"Zahlungseingang {rent.document_no}"
    got = day.cash(SAVE, tenant, rent.amount_minor, settles=rent, narrative=text)
    paid = day.cash(
        SAVE,
        roofer,
        -repair.amount_minor,
        settles=repair,
        end_to_end_id=ours,
        narrative=f"{repair.narrative} {roofer.name}",
    )
    words = f"Miete {rent.document_no}"
    day.entry("missing", "receipt", detail_of(tenant, rent.amount_minor, narrative=words))
    sent = detail_of(roofer, -repair.amount_minor, end_to_end_id=ours, narrative=repair.narrative)
    day.entry("missing", "payment", sent)
    day.group("statement_missing", SAVE, [], [got, rent.document_no], "in_transit")
    day.group("statement_missing", SAVE, [], [paid, repair.document_no], "in_transit")
