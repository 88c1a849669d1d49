"""Verbs the accounts' stories share: receipts, payments, runs, fees, interest, lines in transit.

Each verb books what the ERP knows, writes what the bank will say and records the truth.
"""

from __future__ import annotations

from typing import Literal

from sandbox.day import Day
from sandbox.model import BankDetail, BookDocument, Party
from sandbox.parties import creditor_reference

__all__ = [
    "collection_run",
    "detail_of",
    "fee",
    "interest",
    "open_invoices",
    "outgoing",
    "payment",
    "receipt",
    "run_by_detail",
    "run_by_total",
    "waiting_payment",
    "waiting_receipt",
]

_PAYER_TEXTS = (
    "Rechnung {no}",
    "{no} Kd.-Nr. {n}",
    "Re.Nr. {no} vom {on:%d.%m.%Y}",
    "Zahlung {no} / Auftrag {n}",
    "Ausgleich {no} Bestellung {n}",
)
_SILENT_TEXTS = ("Ersatzteile", "Zahlung wie vereinbart", "Wartung November", "danke", "Montage")


def detail_of(party: Party, minor: int, **facts: str) -> BankDetail:
    """A payment from or to a party with its account; ``facts`` are further `BankDetail` fields."""
    return BankDetail(
        amount_minor=minor,
        party=party.name,
        party_account=party.iban,
        party_bic=party.bic,
        end_to_end_id=facts.get("end_to_end_id", ""),
        mandate_id=facts.get("mandate_id", ""),
        reference=facts.get("reference", ""),
        narrative=facts.get("narrative", ""),
        return_reason=facts.get("return_reason", ""),
    )


def receipt(
    day: Day,
    account: str,
    by: Literal["structured", "invoice", "party"],
    *,
    low: int = 400,
    high: int = 30_000,
    value_days: int = 0,
) -> None:
    """A customer pays an invoice that the cash book knows.

    ``by`` says what the payer wrote: the creditor reference, the invoice number in free text, or
    nothing of use (then only amount and name tell).
    """
    party = day.party("customer")
    invoice = day.invoice(party, day.amount(low, high))
    number, minor = invoice.document_no, invoice.amount_minor
    reference = creditor_reference(number.replace("RE-", "").replace("-", ""))
    booked = {
        "structured": f"{number} {reference}",
        "invoice": f"Zahlungseingang {number}",
        "party": f"Zahlungseingang {party.name}",
    }[by]
    wording = day.rng.choice(_PAYER_TEXTS)
    text = wording.format(no=number, n=day.rng.randrange(10_000, 99_999), on=invoice.booked_on)
    if by == "structured":
        detail = detail_of(party, minor, reference=reference)
    elif by == "invoice":
        detail = detail_of(party, minor, narrative=text)
    else:
        detail = detail_of(party, minor, narrative=day.rng.choice(_SILENT_TEXTS))
    document = day.cash(account, party, minor, settles=invoice, narrative=booked)
    entry = day.entry(account, "receipt", detail, value_days=value_days)
    day.group(f"receipt_by_{by}", account, [entry], [document, number])


def outgoing(
    day: Day, party: Party | None = None, low: int = 150, high: int = 9_000
) -> BookDocument:
    """A supplier's invoice of a fresh amount, of the next supplier in turn or of ``party``."""
    return day.invoice(party or day.party("supplier"), day.amount(low, high))


def payment(
    day: Day,
    account: str,
    by: Literal["end_to_end", "supplier_number", "party"],
    *,
    low: int = 150,
    high: int = 9_000,
) -> None:
    """We pay a supplier; ``by`` says what survives on the bank's side to recognise it."""
    invoice = outgoing(day, None, low, high)
    party, minor = day.named(invoice.party), -invoice.amount_minor
    ours = day.end_to_end() if by == "end_to_end" else ""
    told = "Zahlung laut Vertrag" if by == "party" else invoice.narrative
    booked = f"Zahlung {party.name}" if by == "party" else f"{invoice.narrative} {party.name}"
    document = day.cash(
        account, party, minor, settles=invoice, end_to_end_id=ours, narrative=booked
    )
    detail = detail_of(party, minor, end_to_end_id=ours, narrative=told)
    entry = day.entry(account, "payment", detail)
    day.group(f"payment_by_{by}", account, [entry], [document, invoice.document_no])


def run_by_detail(day: Day, account: str, run: str, count: int) -> None:
    """A payment run booked as one sum whose payments are all in the books, with end-to-end ids."""
    details, documents = [], []
    for _ in range(count):
        invoice = outgoing(day)
        party, ours, minor = day.named(invoice.party), day.end_to_end(), -invoice.amount_minor
        documents += [
            day.cash(
                account,
                party,
                minor,
                settles=invoice,
                end_to_end_id=ours,
                batch_id=run,
                narrative=f"{invoice.narrative} {party.name}",
            ),
            invoice.document_no,
        ]
        details.append(detail_of(party, minor, end_to_end_id=ours, narrative=invoice.narrative))
    entry = day.entry(account, "run", *details, batch_id=run)
    day.group("run_by_detail", account, [entry], documents)


def run_by_total(
    day: Day, account: str, run: str, invoices_by_payee: tuple[int, ...], *, shown: bool = True
) -> None:
    """A payment run that ties only by its total: the bank pays each supplier's invoices in one sum.

    The books have a line an invoice with the run's id; the bank has a payment a supplier, without
    end-to-end ids, or (``shown`` false) only the sum.
    """
    details, documents = [], []
    for count in invoices_by_payee:
        party = day.party("supplier")
        invoices = [outgoing(day, party) for _ in range(count)]
        for invoice in invoices:
            line = f"{invoice.narrative} {party.name}"
            minor = -invoice.amount_minor
            documents.append(
                day.cash(account, party, minor, settles=invoice, batch_id=run, narrative=line)
            )
            documents.append(invoice.document_no)
        text = ", ".join(invoice.narrative for invoice in invoices)
        total = -sum(invoice.amount_minor for invoice in invoices)
        details.append(detail_of(party, total, narrative=text))
    entry = day.entry(account, "run", *details, batch_id=run, details_shown=shown)
    day.group("run_by_total", account, [entry], documents)


def collection_run(day: Day, account: str, run: str, count: int) -> None:
    """Direct debits collected from customers: the bank shows the sum and the run's id only."""
    details, documents = [], []
    for _ in range(count):
        party = day.party("customer")
        invoice = day.invoice(party, day.amount(80, 900))
        minor, text = invoice.amount_minor, f"Wartungsrate {invoice.document_no}"
        documents.append(
            day.cash(account, party, minor, settles=invoice, batch_id=run, narrative=text)
        )
        documents.append(invoice.document_no)
        details.append(detail_of(party, minor, narrative=text))
    entry = day.entry(account, "collection", *details, batch_id=run, details_shown=False)
    day.group("collection_by_total", account, [entry], documents)


def fee(day: Day, account: str, minor: int, text: str, *, bank_ref: bool = True) -> None:
    """The bank takes its charge (``minor`` positive); the books know nothing of it."""
    entry = day.entry(
        account, "fee", BankDetail(amount_minor=-minor, narrative=text), bank_ref=bank_ref
    )
    day.group("fee", account, [entry], [], "charge")


def interest(day: Day, account: str, minor: int, text: str) -> None:
    """The bank books interest: positive earned, negative paid."""
    entry = day.entry(account, "interest", BankDetail(amount_minor=minor, narrative=text))
    day.group("interest", account, [entry], [], "interest")


def waiting_payment(day: Day, account: str) -> None:
    """A supplier payment in the cash book that the bank has not executed yet."""
    invoice = outgoing(day)
    party = day.named(invoice.party)
    document = day.cash(
        account,
        party,
        -invoice.amount_minor,
        settles=invoice,
        end_to_end_id=day.end_to_end(),
        narrative=f"{invoice.narrative} {party.name}",
    )
    numbers = [document, invoice.document_no]
    day.group("waiting_payment", account, [], numbers, "in_transit")


def waiting_receipt(day: Day, account: str, *, deposit: bool = False) -> None:
    """Money booked as received that the bank has not credited yet; ``deposit``: no invoice yet."""
    party = day.party("customer")
    minor = day.amount(500, 12_000)
    if deposit:
        document = day.cash(account, party, minor, narrative=f"Anzahlung {party.name} Scheck")
        day.group("waiting_receipt", account, [], [document], "in_transit")
        return
    invoice = day.invoice(party, minor)
    text = f"Zahlungsavis {invoice.document_no}"
    document = day.cash(account, party, minor, settles=invoice, narrative=text)
    numbers = [document, invoice.document_no]
    day.group("waiting_receipt", account, [], numbers, "in_transit")


def open_invoices(day: Day, receivables: int, payables: int) -> None:
    """Invoices nobody has paid: they must stay open."""
    for _ in range(receivables):
        invoice = day.invoice(day.party("customer"), day.amount(900, 18_000))
        day.group("open_receivable", "", [], [invoice.document_no], "open")
    for _ in range(payables):
        day.group("open_payable", "", [], [outgoing(day).document_no], "open")
