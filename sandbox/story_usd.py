"""The day of the USD account: free text only, invoice numbers broken over two lines."""

from __future__ import annotations

from sandbox.day import Day
from sandbox.model import BankDetail
from sandbox.stories import fee, interest

__all__ = ["tell_usd"]

USD = "NORD-USD"
_WIDTH = 65


def tell_usd(day: Day) -> None:
    """Wires in and out of the USD account, with the bank's wire fees and interest."""
    for low in (4_000, 2_000, 9_000, 1_000):
        _wire_in(day, low, low * 3, named=True)
    _wire_in(day, 3_000, 7_000, named=False)
    for low in (700, 1_500, 3_000, 400):
        _wire_out(day, low, low * 3, named=True)
    _wire_out(day, 900, 2_500, named=False)
    fee(day, USD, 2500, "OUTGOING WIRE FEE")
    fee(day, USD, 1500, "INCOMING WIRE FEE")
    interest(day, USD, day.rng.randrange(1_200, 4_400), "INTEREST CREDIT OCT 2026")
    _cheque_waiting(day)


def _wire_in(day: Day, low: int, high: int, *, named: bool) -> None:
    """A customer's wire; ``named``: with the invoice number, broken by the bank's line end."""
    party = day.party("customer", us=True)
    invoice = day.invoice(party, day.amount(low, high), currency="USD")
    number, minor = invoice.document_no, invoice.amount_minor
    booked = f"Zahlungseingang {number}" if named else f"Zahlungseingang {party.name}"
    document = day.cash(USD, party, minor, settles=invoice, narrative=booked)
    head = f"WIRE IN ORG:{party.name.upper()} OBI:"
    text = _broken(day, head, f"INV {number}") if named else f"{head}SPARE PARTS ORDER"
    entry = day.entry(USD, "receipt", BankDetail(minor, party.name, narrative=text))
    kind = "receipt_by_invoice" if named else "receipt_by_party"
    day.group(kind, USD, [entry], [document, number])


def _wire_out(day: Day, low: int, high: int, *, named: bool) -> None:
    """A wire to a supplier; the bank repeats the supplier's invoice number, or only the name."""
    party = day.party("supplier", us=True)
    invoice = day.invoice(
        party,
        day.amount(low, high),
        currency="USD",
        narrative=f"INV-{day.serial()}",
    )
    minor = -invoice.amount_minor
    booked = f"{invoice.narrative} {party.name}" if named else f"Zahlung {party.name}"
    document = day.cash(USD, party, minor, settles=invoice, narrative=booked)
    head = f"WIRE OUT BNF:{party.name.upper()} RFB:"
    text = _broken(day, head, invoice.narrative) if named else f"{head}GOODS"
    entry = day.entry(USD, "payment", BankDetail(minor, party.name, narrative=text))
    kind = "payment_by_supplier_number" if named else "payment_by_party"
    day.group(kind, USD, [entry], [document, invoice.document_no])


def _cheque_waiting(day: Day) -> None:
    """A cheque we wrote that nobody has presented yet."""
    party = day.party("supplier", us=True)
    invoice = day.invoice(
        party, day.amount(500, 2_000), currency="USD", narrative=f"INV-{day.serial()}"
    )
    text = f"Scheck 1187 {invoice.narrative}"
    minor = -invoice.amount_minor
    document = day.cash(USD, party, minor, settles=invoice, narrative=text)
    numbers = [document, invoice.document_no]
    day.group("cheque_waiting", USD, [], numbers, "in_transit")


def _broken(day: Day, head: str, reference: str) -> str:
    """Text whose ``reference`` straddles column 65, with the wire's trace number as filler."""
    start = _WIDTH - day.rng.randrange(6, 10)
    digits = start - len("TRN:") - len(head) - 1
    trace = f"{day.serial()}".zfill(max(digits, 6))
    return f"TRN:{trace} {head}{reference}"
